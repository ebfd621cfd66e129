//! A message of the queue, of its folder.

use super::coding::Coding;
use super::envelope::{CURRENT, Envelope};
use super::folder::{Folder, is_gone};
use super::id;
use super::reader::Reader;
use super::sample::Sample;
use super::signs::Signs;
use crate::evidence::{
    Confidence, Damage, DamageKind, Fact, Locus, Message, Part, PartKind, Recipient, RecipientState, Sign,
    Stat, Text, Time, TimeKind, Timed,
};
use crate::read::content::add_headers;
use crate::read::disk::{EntryKind, Root};
use std::path::Path;

/// Where reading of headers stops.
pub const MAX_HEADER_BYTES: usize = 16 << 10;

/// An envelope of smtpd takes at most a few KiB (`smtpd.h`, `struct envelope`); more is not read.
const MAX_ENVELOPE_BYTES: usize = 64 << 10;
/// Attributes that are kept.
const MAX_ATTRIBUTES: usize = 32;
/// Fields of an envelope that stand elsewhere in a report.
const SHOWN_ELSEWHERE: [&str; 8] =
    ["version", "errorline", "sender", "rcpt", "ctime", "last-try", "ttl", "retry"];
/// Folder names by themselves are no proof of an older file being late: clocks of two systems differ by less than this.
const SLACK: i64 = 3_600;

/// The kernel tells the start of a process no better than to a second, since it tells its own so (`proc_stat(5)`, `btime`).
const START_IS_KNOWN_TO: i64 = 1;

/// What a spool's files are judged by.
#[derive(Debug)]
pub struct Spool {
    /// Whom smtpd is when it reads the queue.
    pub reader: Reader,
    /// What the queue is like as a whole.
    pub sample: Sample,
    /// When the index of the live process was built, and where that is known from.
    pub indexed: Option<(Time, Fact)>,
    /// Whether smtpd runs on this spool, and since when.
    pub live_since: Option<Time>,
    /// The newest time that the kernel stamped on the spool.
    pub last_activity: Option<Time>,
    /// The group of the folder `offline`.
    pub offline_gid: Option<u32>,
    /// Whether headers are read of healthy messages too.
    pub deep: bool,
}

/// A message on its way to be reported.
pub struct Draft<'a> {
    root: &'a Root,
    spool: &'a Spool,
    /// The message.
    pub message: Message,
    /// What was seen.
    pub signs: Signs,
    /// Envelopes of it that smtpd would not take.
    broken: u64,
    /// What ghostq was refused.
    pub refused: Option<Damage>,
}

impl<'a> Draft<'a> {
    /// A message at this place.
    pub fn new(root: &'a Root, spool: &'a Spool, queue: &str, path: &Path, native: Option<&str>) -> Self {
        let mut message = Message::at(queue, Locus::whole(Text::from_path(path)));
        message.ids.native = native.map(Text::from);
        Self { root, spool, message, signs: Signs::default(), broken: 0, refused: None }
    }

    /// Adds the content file.
    pub fn content(&mut self, path: &Path, stat: Stat) {
        self.message.size = Some(stat.size);
        self.message.parts.push(Part::file(PartKind::Content, path, &stat));
    }

    /// Reads all envelopes of a folder. `judged`: what is wrong with them is a sign, rather than only not read.
    pub fn envelopes(&mut self, folder: &Folder, judged: bool) {
        for name in &folder.envelopes {
            self.envelope(&folder.envelope(name), judged);
        }
        if folder.count > self.message.envelope.recipients.len() as u64 {
            self.message.envelope.recipient_count = Some(folder.count);
        }
        let whole = folder.count.saturating_sub(self.broken);
        if self.broken > 0 && whole > 0 {
            let text = format!(
                "{whole} of its {} envelopes are whole; where the listing shows it, it is for those",
                folder.count
            );
            self.signs.note(&Fact::new(text, Locus::whole(Text::from_path(&folder.path))));
        }
    }

    fn envelope(&mut self, path: &Path, judged: bool) {
        let Ok((EntryKind::Regular, stat)) = self.root.stat(path) else { return };
        self.message.parts.push(Part::file(PartKind::Envelope, path, &stat));
        let added = self.signs.added();
        let refused = self.spool.reader.refused_file(path, &stat).filter(|_| judged);
        if let Some(fact) = refused {
            let facts = vec![fact, self.spool.reader.fact.clone()];
            self.signs.add(Sign::OwnerOrMode, Confidence::Certain, path, facts);
        }
        if stat.size > 0 {
            self.open_envelope(path, judged);
        } else if judged {
            let text = "the envelope has no bytes, as when the disk was full";
            let fact = Fact::new(text, Locus::metadata(Text::from_path(path)));
            self.signs.add(Sign::EmptyFile, Confidence::Certain, path, vec![fact]);
        }
        if self.signs.added() > added {
            self.broken += 1;
        } else if judged {
            self.after_index(path, &stat);
        }
    }

    fn open_envelope(&mut self, path: &Path, judged: bool) {
        let bytes = match self.root.open_file(path) {
            Ok(file) => file.head(MAX_ENVELOPE_BYTES).map_err(|error| self.root.refused(path, &error)),
            Err(damage) => Err(damage),
        };
        match bytes {
            Ok(bytes) => self.read_envelope(path, &bytes, judged),
            Err(damage) if is_gone(&damage) => {}
            Err(damage) => self.refused = Some(damage),
        }
    }

    fn read_envelope(&mut self, path: &Path, bytes: &[u8], judged: bool) {
        let place = Text::from_path(path);
        let coding = Coding::of(bytes);
        if coding != Coding::Plain {
            if judged && self.spool.sample.is_plain() {
                let text = format!(
                    "it is {}, while the queue is not: smtpd cannot read it with its present settings",
                    coding.describe()
                );
                let fact = Fact::new(text, Locus::bytes(place, 0, 2));
                self.signs.add(Sign::Corrupt { offset: 0 }, Confidence::Likely, path, vec![fact]);
            }
            return;
        }
        let envelope = Envelope::parse(bytes);
        if let Some(version) = envelope.unknown_version() {
            self.refused = Some(of_unknown_version(place, version));
            return;
        }
        if judged {
            self.judge(path, &envelope, bytes.len() as u64);
        }
        self.take(&envelope);
    }

    fn judge(&mut self, path: &Path, envelope: &Envelope, length: u64) {
        let place = Text::from_path(path);
        let outdated = envelope.version().filter(|version| *version < CURRENT);
        let (sign, confidence, mut facts) = match (&envelope.fault, outdated) {
            (Some(fault), _) => {
                let fact = Fact::new(
                    format!("envelope {}: {}", id::last(path).lossy(), fault.text),
                    Locus::bytes(place.clone(), fault.start, fault.end),
                );
                (Sign::Corrupt { offset: fault.start }, fault.confidence, vec![fact])
            }
            (None, Some(version)) if self.spool.sample.is_current() => {
                let text = format!(
                    "envelope {}: it is of version {version}, as smtpd before 6.4 writes them; others of this queue are of version 3, \
                     and an smtpd that writes those passes over it",
                    id::last(path).lossy()
                );
                let fact = Fact::new(text, Locus::bytes(place.clone(), 0, 10));
                (Sign::Corrupt { offset: 0 }, Confidence::Likely, vec![fact])
            }
            _ => return,
        };
        let saved = |name: &str, what: &str| {
            envelope.address(name).map_or_else(|| format!("no {what}"), |_| format!("the {what}"))
        };
        let content = match self.message.size {
            Some(size) => format!("{size} bytes of content"),
            None => "no content".to_owned(),
        };
        let text = format!(
            "can still be read: {}, {}, {content}",
            saved("sender", "sender"),
            saved("rcpt", "recipient")
        );
        facts.push(Fact::new(text, Locus::bytes(place, 0, length)));
        self.signs.add(sign, confidence, path, facts);
    }

    /// smtpd loads at start what is not newer than its start, once; what comes later it knows only if it made it itself,
    /// which looks the same on disk (`queue_fs.c`, `fsqueue_qwalk`).
    fn after_index(&mut self, path: &Path, stat: &Stat) {
        let place = Text::from_path(path);
        let modified = stat.modified;
        let known = match (&self.spool.indexed, self.spool.last_activity) {
            (Some((since, fact)), _) if modified > since.plus(START_IS_KNOWN_TO) => vec![fact.clone()],
            (None, Some(active)) if modified.since(active) > SLACK => Vec::new(),
            _ => return,
        };
        let text = if known.is_empty() {
            "its time lies after everything that happened in this spool; smtpd passes over files that are newer than its start"
        } else {
            "it is newer than the start of smtpd, which reads its queue at start only, and then only what is older"
        };
        let mut facts =
            vec![Fact::new(format!("mtime {}: {text}", modified.rfc3339()), Locus::metadata(place))];
        facts.extend(known);
        self.signs.add(Sign::AfterIndex, Confidence::Possible, path, facts);
    }

    /// Takes over what an envelope says.
    pub fn take(&mut self, envelope: &Envelope) {
        let message = &mut self.message;
        if message.envelope.sender.is_none() {
            message.envelope.sender = envelope.address("sender");
        }
        if let Some(address) = envelope.address("rcpt") {
            // A bounce goes to the sender; the recipient it speaks of is given up.
            let bounce = envelope.get("type").is_some_and(|kind| kind.bytes() == b"bounce");
            let state = if bounce { RecipientState::Done } else { RecipientState::Pending };
            let reason = envelope.get("errorline").cloned().filter(|reason| !reason.is_empty());
            message.envelope.recipients.push(Recipient { address, state, reason });
        }
        if message.attributes.is_empty() {
            let fields = envelope.fields().iter();
            let shown = fields.filter(|(name, value)| {
                !SHOWN_ELSEWHERE.contains(&name.as_str()) && !value.is_empty() && value.bytes() != b"0"
            });
            message.attributes = shown
                .take(MAX_ATTRIBUTES)
                .map(|(name, value)| (name.clone().into(), value.clone()))
                .collect();
        }
        let ttl = envelope.number("ttl").and_then(|ttl| i64::try_from(ttl).ok()).filter(|ttl| *ttl > 0);
        if let Some((at, original)) = envelope.time("ctime") {
            self.time(TimeKind::Arrival, at, &original, Time::min);
            if let Some(ttl) = ttl {
                self.time(TimeKind::Expires, at.plus(ttl), &format!("{original}, ttl: {ttl}"), Time::max);
            }
        }
        if let Some((at, original)) = envelope.time("last-try") {
            self.time(TimeKind::LastAttempt, at, &original, Time::max);
        }
    }

    /// Of several envelopes one time counts.
    fn time(&mut self, kind: TimeKind, at: Time, original: &str, better: fn(Time, Time) -> Time) {
        let timed = Timed { kind, at, original: original.into() };
        match self.message.times.iter_mut().find(|known| known.kind == kind) {
            Some(known) if better(known.at, at) == at && known.at != at => *known = timed,
            Some(_) => {}
            None => self.message.times.push(timed),
        }
    }

    /// Finishes the message: the file that shows what is wrong comes first, since it is looked at again later.
    pub fn finish(mut self) -> Message {
        if let Some(path) = self.signs.first_path() {
            let place = Locus::whole(Text::from_path(path));
            if let Some(first) = self.message.parts.iter().position(|part| part.locus == place) {
                let part = self.message.parts.remove(first);
                self.message.parts.insert(0, part);
                self.message.place = place;
            }
        }
        let first = self.message.parts.first().and_then(|part| part.stat);
        if let Some(stat) = first {
            self.message.times.push(Timed::mtime(TimeKind::Modified, &stat));
        }
        if self.spool.deep || !self.signs.is_empty() {
            self.read_headers();
        }
        self.message.signs = self.signs.into_signs();
        self.message
    }

    fn read_headers(&mut self) {
        let content = self.message.parts.iter().find(|part| part.kind == PartKind::Content);
        let Some(path) = content.map(|part| part.locus.path.to_path()) else { return };
        let Ok(file) = self.root.open_file(&path) else { return };
        let Ok(head) = file.head(MAX_HEADER_BYTES) else { return };
        if Coding::of(&head) == Coding::Plain {
            add_headers(&mut self.message, &head);
        }
    }
}

/// An envelope of a version that is not known is neither judged nor shown.
fn of_unknown_version(place: Text, version: u64) -> Damage {
    let what =
        format!("it is of version {version} of the format, and only versions up to {CURRENT} are known");
    let hint = "look for a newer ghostq; an smtpd that does not know the version passes over the envelope";
    Damage::new(DamageKind::Malformed, Locus::line(place, 1), what, hint)
}
