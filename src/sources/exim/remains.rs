//! Files of messages without their envelope: a body, a journal, an envelope that never got its name, a log.

use super::done::{self, Done};
use super::journal::{self, Said};
use super::message::{Entry, Spool, attach_log, both};
use super::message_id;
use super::message_log::Log;
use super::name::Half;
use super::spot::Spot;
use crate::evidence::{
    Confidence, Damage, Fact, Locus, Message, Part, PartKind, Recipient, RecipientState, Record, Sign,
    Signed, Stat, Text, format_duration,
};
use crate::read::disk::{EntryKind, OpenFile, Root};
use crate::read::mime;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// On a copy, a body that was written this shortly before everything stopped may have been in the making: a client may take
/// five minutes for each piece (`smtp_receive_timeout`).
const IN_FLIGHT: i64 = 600;
/// Recipients that are kept of those that a journal names.
const MAX_RECIPIENTS: usize = 10_000;
/// Recipients that are told of in the facts.
const MAX_FACTS: usize = 20;
/// How much of a file of no known name is looked at.
const HEAD_BYTES: usize = 4 << 10;

impl Spool {
    /// A body: passed if its envelope is there, or an envelope in the making, which is reported instead.
    pub fn body(&self, entry: Entry<'_>) -> Result<Record, Damage> {
        if entry.root.listed_here(entry.name_of(Half::Header).bytes()) == Some(true)
            || entry.find(Half::Header).is_some()
            || in_making(&entry).is_some()
        {
            return Ok(Record::Passed);
        }
        let file = entry.root.open_file(entry.path)?;
        let mut message = self.blank(&entry, PartKind::Content, &file.stat);
        let first_line = entry.id.len() as u64 + 3;
        let body = file.stat.size.saturating_sub(first_line);
        message.size = Some(body);
        let name = entry.name_of(Half::Header).lossy().into_owned();
        let mut facts = vec![
            Fact::new(format!("there is no `{name}`"), entry.locus()),
            Fact::new(
                format!("can still be read: {body} bytes of body; header and envelope are lost"),
                Locus::bytes(Text::from_path(entry.path), first_line.min(file.stat.size), file.stat.size),
            ),
        ];
        let accepted = self.take_log(&mut message, &entry, &mut facts);
        let mut confidence = Confidence::Certain;
        if !accepted {
            let text = "it has no log, which Exim begins when it has accepted a message: perhaps the sender was never told \
                        that it was accepted, and has sent it again";
            facts.push(Fact::new(text, entry.locus()));
            if let Some(fact) = self.in_flight(&entry, &file.stat) {
                confidence = Confidence::Likely;
                facts.push(fact);
            }
        }
        take_finished(&mut message, &entry);
        message.signs = match self.unseen(&entry) {
            Some(mut unseen) => {
                unseen.facts.extend(facts);
                vec![unseen]
            }
            None => vec![Signed { sign: Sign::EnvelopeLost, confidence, facts }],
        };
        message.signs.extend(self.place_signs(&entry));
        Ok(Record::Message(Box::new(message)))
    }

    /// A journal: passed if there is anything else of its message.
    pub fn journal(&self, entry: Entry<'_>) -> Result<Record, Damage> {
        if [Half::Header, Half::Data].into_iter().any(|half| entry.find(half).is_some())
            || in_making(&entry).is_some()
        {
            return Ok(Record::Passed);
        }
        let file = entry.root.open_file(entry.path)?;
        let mut message = self.blank(&entry, PartKind::Side, &file.stat);
        take_finished(&mut message, &entry);
        let text = "there is neither envelope nor body of this message: Exim removes its journal last, and was stopped before";
        message.signs.push(Signed::certain(Sign::SideFileAlone, Fact::new(text, entry.locus())));
        Ok(Record::Message(Box::new(message)))
    }

    /// `hdr.ID`: passed if the message has its envelope, which this was to replace.
    pub fn in_making(&self, entry: Entry<'_>) -> Result<Record, Damage> {
        if entry.find(Half::Header).is_some() {
            return Ok(Record::Passed);
        }
        let mut message = self.read_message(entry, true)?;
        let text = "Exim writes an envelope under the name `hdr.ID` and then renames it to `ID-H`; this one was never \
                    renamed, and other names are not looked at";
        let own = Fact::new(text, entry.locus());
        let signs = std::mem::take(&mut message.signs);
        let (told, kept): (Vec<_>, Vec<_>) = signs.into_iter().partition(|signed| {
            use Sign as S;
            matches!(
                signed.sign,
                S::ForeignName | S::Corrupt { .. } | S::EmptyFile | S::BodyLost | S::OwnerOrMode
            )
        });
        let facts = std::iter::once(own).chain(told.into_iter().flat_map(|signed| signed.facts)).collect();
        message.signs.push(Signed { sign: Sign::ForeignName, confidence: Confidence::Certain, facts });
        message.signs.extend(kept);
        Ok(Record::Message(Box::new(message)))
    }

    /// `ID-PID-K`: a copy of a message as it was being signed; passed while there is anything of the message.
    pub fn signing(&self, entry: Entry<'_>) -> Result<Record, Damage> {
        if [Half::Header, Half::Data].into_iter().any(|half| entry.find(half).is_some()) {
            return Ok(Record::Passed);
        }
        let file = entry.root.open_file(entry.path)?;
        let mut message = self.blank(&entry, PartKind::Side, &file.stat);
        let text = "a copy of the message as it was being signed for delivery; of the message itself there is nothing";
        message.signs.push(Signed::certain(Sign::SideFileAlone, Fact::new(text, entry.locus())));
        Ok(Record::Message(Box::new(message)))
    }

    /// A name that is none of Exim's. What it is says its first line, which in Exim's files is their name.
    pub fn other(&self, root: &Root, path: &Path, spot: &Spot) -> Result<Record, Damage> {
        let file = root.open_file(path)?;
        let head = file.head(HEAD_BYTES).map_err(|error| root.refused(path, &error))?;
        let first = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let own = first.strip_suffix(b"-H").or_else(|| first.strip_suffix(b"-D"));
        let id = own.and_then(|id| Some((id, message_id::decode(id)?)));
        let Some((id, made)) = id else { return Ok(self.perhaps_mail(path, spot, &file.stat, &head)) };
        let entry = Entry { root, path, spot, id, made, tail: b"" };
        let is_body = first.ends_with(b"-D");
        let kind = if is_body { PartKind::Content } else { PartKind::Envelope };
        let mut message =
            if is_body { self.blank(&entry, kind, &file.stat) } else { self.read_message(entry, true)? };
        message.place = entry.locus();
        let text = format!(
            "its name is none of Exim's, but its first line is `{}`, the name that it had",
            String::from_utf8_lossy(first)
        );
        message.signs.retain(|signed| signed.sign == Sign::Held);
        message.signs.insert(0, Signed::certain(Sign::ForeignName, Fact::new(text, entry.locus())));
        message.signs.extend(self.place_signs(&entry).into_iter().filter(|s| s.sign == Sign::OtherQueue));
        Ok(Record::Message(Box::new(message)))
    }

    fn perhaps_mail(&self, path: &Path, spot: &Spot, stat: &Stat, head: &[u8]) -> Record {
        let headers = mime::headers(head);
        let looks_like_mail = headers.from.is_some()
            && (headers.date.is_some() || headers.message_id.is_some() || headers.raw("Received").is_some());
        if !looks_like_mail {
            return Record::Passed;
        }
        let locus = Locus::whole(Text::from_path(path));
        let mut message = Message::at(self.queue_name(spot), locus.clone());
        message.ids.message_id = headers.message_id;
        message.size = Some(stat.size);
        message.parts.push(Part::file(PartKind::Whole, path, stat));
        let text = "its name is none of Exim's, which passes over it; it begins like a message";
        message.signs.push(Signed {
            sign: Sign::ForeignName,
            confidence: Confidence::Possible,
            facts: vec![Fact::new(text, locus)],
        });
        Record::Message(Box::new(message))
    }

    /// A log: passed if there is anything of its message.
    pub fn log(&self, root: &Root, path: &Path, spot: &Spot) -> Result<Record, Damage> {
        let Some((id, made)) = message_id::at_start(&spot.name) else { return Ok(Record::Passed) };
        let entry = Entry { root, path, spot, id, made, tail: b"" };
        if root.came_across(&spot.input, id)
            || has_message(&entry, id)
            || message_id::converted(id).is_some_and(|other| has_message(&entry, &other))
            || is_misfiled(&entry)
        {
            return Ok(Record::Passed);
        }
        let file = root.open_file(path)?;
        let log = Log::read(&file).map_err(|error| root.refused(path, &error))?;
        let mut message = self.blank(&entry, PartKind::Side, &file.stat);
        let text =
            format!("there is no file of `{}` in `{}`", String::from_utf8_lossy(id), spot.input.display());
        let mut facts = vec![Fact::new(text, entry.locus())];
        facts.extend(told(&log, &entry.locus()));
        let there = super::queues::is_folder(root, &spot.input);
        let confidence = if there { Confidence::Certain } else { Confidence::Possible };
        message.signs.push(Signed { sign: Sign::SideFileAlone, confidence, facts });
        message.envelope.sender = log.sender;
        message.envelope.recipients = log.recipients;
        Ok(Record::Message(Box::new(message)))
    }

    /// Whom the log of a body names; whether there is one.
    fn take_log(&self, message: &mut Message, entry: &Entry<'_>, facts: &mut Vec<Fact>) -> bool {
        let Some((path, file, log)) = self.log_of(entry) else { return false };
        let locus = Locus::whole(Text::from_path(&path));
        let text = "it has a log, so that it was accepted, and had an envelope";
        facts.push(Fact::new(text, locus.clone()));
        facts.extend(told(&log, &locus));
        message.envelope.sender = log.sender;
        message.envelope.recipients = log.recipients;
        attach_log(message, &path, &file);
        true
    }

    fn in_flight(&self, entry: &Entry<'_>, stat: &Stat) -> Option<Fact> {
        let active = self.last_activity.filter(|_| !self.live)?;
        let before = active.since(stat.modified);
        (before < IN_FLIGHT).then(|| {
            let text = format!(
                "it was written {} before the last activity in this spool: it may have been in the making when the copy was taken",
                format_duration(before.max(0))
            );
            Fact::new(text, Locus::metadata(Text::from_path(entry.path)))
        })
    }
}

/// Recipients that the journals of a body without envelope name.
fn take_finished(message: &mut Message, entry: &Entry<'_>) {
    let mut done = Done::default();
    let recipients = &mut message.envelope.recipients;
    let journals = journal::find(entry, None).unwrap_or_else(|_| {
        done.lack_some();
        journal::Found::default()
    });
    if journals.odd.is_some() {
        done.lack_some();
    }
    for (path, file) in journals.files {
        take_journal(recipients, &file, &mut done);
        if *path != *entry.path {
            message.parts.push(Part::file(PartKind::Side, &path, &file.stat));
        }
    }
    for recipient in recipients {
        recipient.state = both(recipient.state, done.state(&recipient.address));
    }
}

/// Notes whom a journal names. Who is named, but not in the log, may be what an alias of any of those there stands for.
fn take_journal(recipients: &mut Vec<Recipient>, file: &OpenFile, done: &mut Done) {
    let mut known: HashSet<_> = recipients.iter().map(|known| done::key(known.address.bytes())).collect();
    let read = journal::read(file, |said| match said {
        Said::Done(address) if known.contains(&done::key(address)) => done.add(address),
        Said::Done(address) => {
            done.lack_some();
            if recipients.len() < MAX_RECIPIENTS {
                known.insert(done::key(address));
                let (address, state) = (Text::new(address), RecipientState::Done);
                recipients.push(Recipient { address, state, reason: None });
            }
        }
        Said::Start(start) => done.add_start(start),
        Said::Unreadable => done.lack_some(),
    });
    if read.is_err() {
        done.lack_some();
    }
}

/// What a log says of the recipients.
fn told(log: &Log, locus: &Locus) -> Vec<Fact> {
    let tell = |recipient: &Recipient| {
        let reason =
            recipient.reason.as_ref().map_or(String::new(), |reason| format!(": {}", reason.lossy()));
        let state = match recipient.state {
            RecipientState::Done => "done",
            RecipientState::Pending => "not done",
            RecipientState::Unknown => "not known to be done",
        };
        Fact::new(format!("its log names {} ({state}{reason})", recipient.address.lossy()), locus.clone())
    };
    log.recipients.iter().take(MAX_FACTS).map(tell).collect()
}

/// The envelope in the making that belongs to a file.
fn in_making(entry: &Entry<'_>) -> Option<PathBuf> {
    let path = entry.spot.sibling(&[b"hdr.", entry.id].concat());
    (entry.tail.is_empty() && matches!(entry.root.stat(&path), Ok((EntryKind::Regular, _)))).then_some(path)
}

/// Whether there is any file of this ID in the queue of a log.
fn has_message(entry: &Entry<'_>, id: &[u8]) -> bool {
    let names = ["-H", "-D", "-J"].map(|end| [id, end.as_bytes()].concat());
    let making = [b"hdr.", id].concat();
    // Where one queue is split the other folder hardly ever has it.
    let split = entry.spot.letter().is_some();
    names.into_iter().chain([making]).any(|name| {
        let mut homes = entry.spot.homes(id, &name);
        if split {
            homes.reverse();
        }
        homes.iter().any(|path| entry.root.exists(path))
    })
}

/// Whether the message of a log lies in the folder of another letter, where it is reported itself.
fn is_misfiled(entry: &Entry<'_>) -> bool {
    let name = Text::new([entry.id, b"-H"].concat()).to_path();
    let mut letters = ('0'..='9').chain('A'..='Z').chain('a'..='z');
    letters.any(|letter| entry.root.exists(&entry.spot.input.join(letter.to_string()).join(&name)))
}
