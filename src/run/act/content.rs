//! What is handed in: the message as its source writes it, or the report about it.

use super::ActRequest;
use crate::act::hand_in;
use crate::act::ndr::{self, Notice, Original, cause, gate};
use crate::act::vault::Measuring;
use crate::evidence::{RecipientState, Text, Time, TimeKind};
use crate::findings::{Finding, Visibility};
use crate::plan::{Choice, Digest, Outgoing, OutgoingRecipient, Refusal, Ret, Verb};
use crate::run::scene::Scene;
use crate::sources::{Extent, Opened};
use anyhow::{Context as _, Result, anyhow};
use std::io::{self, Cursor, Seek as _, SeekFrom, Write};

/// A header is kept in memory as far as this; mail systems refuse longer ones.
const MAX_HEADER: u64 = 4 << 20;

/// What the message looks like when it is written out.
///
/// # Errors
/// What is missing or damaged.
pub fn digest(place: &Opened, message: &crate::evidence::Message) -> Result<Digest, Refusal> {
    let mut sink = Measuring::new(io::sink());
    (place.remedies.content)(&place.root, message, Extent::Whole, &mut sink)?;
    Ok(sink.finish())
}

/// Asks the gate whether the sender may get a report: what the operator has to know of it.
///
/// # Errors
/// Why he may not.
pub fn ask_gate(
    request: &ActRequest,
    scene: &Scene<'_>,
    finding: &Finding,
    place: &Opened,
    outgoing: Option<&Outgoing>,
) -> Result<Vec<String>, Refusal> {
    let message = &finding.message;
    let header = header(place, finding).unwrap_or_default();
    let pending = || {
        let waits = message.envelope.recipients.iter().filter(|r| r.state != RecipientState::Done);
        waits
            .map(|r| OutgoingRecipient { address: r.address.clone(), ..OutgoingRecipient::default() })
            .collect()
    };
    let recipients = outgoing.map_or_else(pending, |outgoing| outgoing.recipients.clone());
    let sender = outgoing.and_then(|outgoing| outgoing.sender.as_ref()).or(message.envelope.sender.as_ref());
    let limits = place.instance.limits;
    let verdict = gate::judge(&gate::Case {
        source: place.instance.source,
        host: &request.mail_name,
        sender,
        sender_is_local: None,
        header: &header,
        attributes: &message.attributes,
        recipients: &recipients,
        age: finding.age(scene.clock.now),
        bounce_lifetime: limits.bounce_lifetime.or(limits.queue_lifetime),
        allow_backscatter: request.report.allow_backscatter,
        ndr_to: request.report.to.as_ref(),
    });
    if verdict.allowed {
        return Ok(verdict.reasons);
    }
    let hint = if sender.is_some_and(Text::is_empty) {
        "`--ndr-to postmaster@…` tells somebody else instead"
    } else {
        "`--ndr-to ADDRESS` tells somebody else instead; `--allow-backscatter` lets an unverified sender have it"
    };
    Err(Refusal::new(verdict.reasons.join("; "), hint))
}

fn header(place: &Opened, finding: &Finding) -> Option<Vec<u8>> {
    let mut header = Bounded { bytes: Vec::new() };
    (place.remedies.content)(&place.root, &finding.message, Extent::Header, &mut header).ok()?;
    Some(header.bytes)
}

/// Keeps the beginning.
struct Bounded {
    bytes: Vec<u8>,
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = usize::try_from(MAX_HEADER).unwrap_or(usize::MAX) - self.bytes.len();
        self.bytes.extend(bytes.iter().take(room));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A report about one message.
pub struct Report<'a> {
    finding: &'a Finding,
    place: &'a Opened,
    notice: Notice,
}

impl<'a> Report<'a> {
    /// The report about a message to those who wait for it.
    ///
    /// # Errors
    /// Why there is none.
    pub fn of(
        request: &ActRequest,
        scene: &Scene<'_>,
        finding: &'a Finding,
        place: &'a Opened,
        outgoing: &Outgoing,
        id: &str,
    ) -> Result<Self, Refusal> {
        let message = &finding.message;
        let sender = outgoing
            .sender
            .clone()
            .or_else(|| message.envelope.sender.clone())
            .or_else(|| request.given.sender.clone())
            .ok_or_else(|| {
                Refusal::new("its envelope sender is not known", "`--ndr-to ADDRESS` tells somebody else")
            })?;
        let all = request.report.to.is_some();
        let recipients: Vec<ndr::Failed> = outgoing
            .recipients
            .iter()
            .filter(|recipient| all || recipient.notify.wants_failure())
            .map(ndr::Failed::from)
            .collect();
        if recipients.is_empty() {
            return Err(Refusal::new("it is not known to whom it was not delivered", ""));
        }
        let host = ndr::field::host(&request.mail_name);
        let notice = Notice {
            message_id: format!("<{id}@{host}>"),
            host,
            now: Time::now(),
            addressee: request.report.to.clone().unwrap_or_else(|| sender.clone()),
            sender,
            queue_id: message.ids.native.clone().unwrap_or_else(|| finding.id.as_str().into()),
            source: place.instance.source.to_owned(),
            unlisted: match finding.visibility {
                Visibility::Hidden => Some(true),
                Visibility::Listed => Some(false),
                Visibility::Unknown => None,
            },
            since: place.instance.live.map(|live| live.since),
            envid: outgoing.envid.clone(),
            arrival: message.arrived().filter(|arrived| *arrived <= scene.clock.now),
            last_attempt: message.time(TimeKind::LastAttempt),
            recipients,
            cause: cause::of(finding.rule()),
            original_id: message.ids.message_id.clone(),
            ret: outgoing.ret.or(request.report.ret).unwrap_or(Ret::Hdrs),
        };
        Ok(Self { finding, place, notice })
    }

    /// The envelope of the report.
    pub fn envelope(&self) -> Outgoing {
        ndr::envelope(&self.notice)
    }

    /// Writes the report.
    ///
    /// # Errors
    /// When it cannot be made, or written.
    pub fn write(&mut self, out: &mut dyn Write) -> Result<()> {
        let failed = || "could not write the report";
        if self.notice.ret == Ret::Full
            && let Some(mut whole) = self.whole()?
        {
            let original = Some(Original { content: &mut whole });
            return ndr::compose(&self.notice, original, out).with_context(failed);
        }
        // What cannot be returned whole is returned as far as its header.
        self.notice.ret = Ret::Hdrs;
        let header = header(self.place, self.finding);
        let mut header = header.map(Cursor::new);
        let original = header.as_mut().map(|content| Original { content });
        ndr::compose(&self.notice, original, out).with_context(failed)
    }

    /// The whole message in a file without a name; `None` where it is not whole.
    fn whole(&self) -> Result<Option<std::fs::File>> {
        let mut file = tempfile::tempfile().context("could not make a temporary file")?;
        let content = &self.place.remedies.content;
        if content(&self.place.root, &self.finding.message, Extent::Whole, &mut file).is_err() {
            return Ok(None);
        }
        file.seek(SeekFrom::Start(0))?;
        Ok(Some(file))
    }
}

/// Writes what one job hands in.
pub struct Writer<'a> {
    request: &'a ActRequest,
    scene: &'a Scene<'a>,
    finding: &'a Finding,
    outgoing: Option<Outgoing>,
}

impl<'a> Writer<'a> {
    /// A writer for the job of this finding. `reported` is the envelope of the message itself where a report is written.
    pub fn new(
        request: &'a ActRequest,
        scene: &'a Scene<'a>,
        finding: &'a Finding,
        reported: Option<Outgoing>,
    ) -> Self {
        Self { request, scene, finding, outgoing: reported }
    }

    /// Whom the mail system itself sends to where nothing is handed in: those who wait for the message, or its sender.
    pub fn addresses(&self) -> Vec<&'a Text> {
        let envelope = &self.finding.message.envelope;
        match self.request.verb {
            Verb::Ndr => envelope.sender.iter().collect(),
            Verb::Requeue => {
                let waits = envelope.recipients.iter().filter(|r| r.state != RecipientState::Done);
                waits.map(|recipient| &recipient.address).collect()
            }
        }
    }

    /// Writes it.
    ///
    /// # Errors
    /// When it cannot be made, or written.
    pub fn write(&self, mark: &str, out: &mut dyn Write) -> Result<()> {
        let places = &self.scene.prepared.places;
        let place = places.get(self.finding.message.instance).context("its place is not known")?;
        if self.request.verb == Verb::Ndr
            && let Some(outgoing) = &self.outgoing
        {
            let report = Report::of(self.request, self.scene, self.finding, place, outgoing, mark);
            return report.map_err(|refusal| anyhow!(refusal.reason))?.write(out);
        }
        let content = &place.remedies.content;
        let message = &self.finding.message;
        let export = matches!(&self.request.via, Choice::This(door) if door.is_export());
        // A person may want what there is.
        let extent = if export && digest(place, message).is_err() { Extent::Header } else { Extent::Whole };
        match content(&place.root, message, extent, out) {
            Err(_) if export => Ok(()),
            written => written.map_err(|refusal| anyhow!(refusal.reason)),
        }
    }
}

/// Shows the report that would be written: the bytes as they would be sent.
///
/// # Errors
/// When it cannot be made.
pub fn preview(
    request: &ActRequest,
    scene: &Scene<'_>,
    finding: &Finding,
    outgoing: &Outgoing,
    out: &mut dyn Write,
) -> Result<()> {
    let places = &scene.prepared.places;
    let place = places.get(finding.message.instance).context("its place is not known")?;
    let id = ndr::field::host(&finding.id.replace(':', "-"));
    let report = Report::of(request, scene, finding, place, outgoing, &format!("ghostq-preview-{id}"));
    report.map_err(|refusal| anyhow!(refusal.reason))?.write(out)
}

/// The mark of a job, for those who write its message.
pub fn mark(job: &crate::plan::Job, operation: &str) -> String {
    hand_in::mark(job, operation)
}
