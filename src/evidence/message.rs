//! One message as one source holds it.

use super::{Locus, Signed, Stamp, Text, Time};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::path::Path;

/// One message as one source holds it. Unknown is `None` or empty, never a made-up value.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Message {
    /// Index of the [`super::Instance`] it was found in, in the order in which the scan opened them.
    pub instance: usize,
    /// The queue or folder in the mail system's own words: `deferred`, `Queue`, `TempTable#1`.
    pub queue: String,
    /// Where the message itself lies (its main part).
    pub place: Locus,
    /// Names by which it can be found again.
    pub ids: Ids,
    /// The files, streams and rows that make it up.
    pub parts: Vec<Part>,
    /// What ties it to one life of its mail system.
    pub stamp: Option<Stamp>,
    /// Its times, each with the bytes it was read from.
    pub times: Vec<Timed>,
    /// Envelope sender and recipients.
    pub envelope: Envelope,
    /// Header fields worth showing: Subject, From, To, Date.
    pub headers: Vec<Header>,
    /// Size in bytes as the source states it (message content where it is known, else the file).
    pub size: Option<u64>,
    /// Conditions that the source saw.
    pub signs: Vec<Signed>,
    /// Kept as evidence, shown by `ghostq show`: name and value (authenticated sender, client address).
    pub attributes: Vec<Attribute>,
    /// Rules that have nothing to go by, because the message was not opened; empty if it was. A finding is of one that was.
    #[serde(skip)]
    pub blind_to: &'static [&'static str],
}

impl Message {
    /// A message of which nothing is known but where it lies.
    pub fn at(queue: impl Into<String>, place: Locus) -> Self {
        Self {
            instance: 0,
            queue: queue.into(),
            place,
            ids: Ids::default(),
            parts: Vec::new(),
            stamp: None,
            times: Vec::new(),
            envelope: Envelope::default(),
            headers: Vec::new(),
            size: None,
            signs: Vec::new(),
            attributes: Vec::new(),
            blind_to: &[],
        }
    }

    /// The first time of this kind.
    pub fn time(&self, kind: TimeKind) -> Option<Time> {
        self.times.iter().find(|timed| timed.kind == kind).map(|timed| timed.at)
    }

    /// When it came into this mail system, by the best evidence there is: arrival, else submission, else creation, else
    /// what its queue ID says, else the Date header. Never a modification time: on Postfix that is the next attempt.
    pub fn arrived(&self) -> Option<Time> {
        use TimeKind as K;
        [K::Arrival, K::Submitted, K::Created, K::IdTime, K::HeaderDate]
            .into_iter()
            .find_map(|k| self.time(k))
    }

    /// The value of a header field, by name without regard to case.
    pub fn header(&self, name: &str) -> Option<&Text> {
        self.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name)).map(|header| &header.value)
    }

    /// The metadata of the main part, where it is a file.
    pub fn stat(&self) -> Option<&Stat> {
        self.parts.iter().find_map(|part| part.stat.as_ref())
    }
}

/// The name of something kept as evidence, and its value.
pub type Attribute = (Cow<'static, str>, Text);

/// Names by which a message can be found again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ids {
    /// The mail system's own: a queue ID, an entry ID, a file name. Unique within one instance only.
    pub native: Option<Text>,
    /// The Internet Message-ID with its angle brackets.
    pub message_id: Option<Text>,
}

/// A file, stream or row of a message.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Part {
    /// What it is.
    pub kind: PartKind,
    /// Where it is.
    pub locus: Locus,
    /// Its size in bytes, where known.
    pub size: Option<u64>,
    /// SHA-256 in lower-case hex, where it was computed (opaque streams).
    pub sha256: Option<String>,
    /// File metadata, where it is a file.
    pub stat: Option<Stat>,
}

impl Part {
    /// A file of a spool; `path` is relative to its root.
    pub fn file(kind: PartKind, path: &Path, stat: &Stat) -> Self {
        let locus = Locus::whole(Text::from_path(path));
        Self { kind, locus, size: Some(stat.size), sha256: None, stat: Some(*stat) }
    }
}

/// What a part is to its message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartKind {
    /// Envelope and content in one (a Postfix queue file, a row).
    Whole,
    /// Envelope only.
    Envelope,
    /// Content only.
    Content,
    /// A named stream whose layout is not public.
    OpaqueStream,
    /// A log or note that belongs to it (a defer log, a `.BDR`).
    Side,
}

/// File metadata as the system reported it after opening.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stat {
    /// Device number.
    pub device: u64,
    /// Inode number.
    pub inode: u64,
    /// Permission bits, `0o7777` at most.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Number of hard links.
    pub links: u64,
    /// Size in bytes.
    pub size: u64,
    /// Last read.
    pub accessed: Time,
    /// Last change of the content (on Postfix: the next attempt, set by hand).
    pub modified: Time,
    /// Last change of the inode.
    pub changed: Time,
}

/// A time with its meaning and the text it was read from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timed {
    /// What happened then.
    pub kind: TimeKind,
    /// When.
    pub at: Time,
    /// As it stood in the source.
    pub original: Original,
}

impl Timed {
    /// The time at which a file was modified last, and what that says about its message.
    pub fn mtime(kind: TimeKind, stat: &Stat) -> Self {
        Self { kind, at: stat.modified, original: Original::Mtime }
    }

    /// As it stood in the source, for people.
    pub fn original(&self) -> Cow<'_, str> {
        match &self.original {
            Original::Text(text) => text.lossy(),
            Original::Mtime => format!("mtime {}", self.at.rfc3339()).into(),
        }
    }
}

/// What a time was read from. Every message has times, and hardly one is ever shown, so that words are made when they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Original {
    /// This text.
    Text(Text),
    /// The modification time of the file.
    Mtime,
}

impl<T: Into<Text>> From<T> for Original {
    fn from(text: T) -> Self {
        Self::Text(text.into())
    }
}

/// What a time says about a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeKind {
    /// It came into this mail system.
    Arrival,
    /// The client submitted it.
    Submitted,
    /// The queue file or item was made.
    Created,
    /// It was last changed.
    Modified,
    /// It will next be tried.
    NextAttempt,
    /// It was last tried.
    LastAttempt,
    /// It will be given up.
    Expires,
    /// What the queue ID says of its making.
    IdTime,
    /// What its Date header says (the sender's claim).
    HeaderDate,
}

/// Envelope sender and recipients.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// The envelope sender without angle brackets; empty text is the null sender, `None` is unknown.
    pub sender: Option<Text>,
    /// The recipients that were read.
    pub recipients: Vec<Recipient>,
    /// Recipients in all, if more than were kept, or if only the number is known.
    pub recipient_count: Option<u64>,
}

/// One envelope recipient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipient {
    /// The address without angle brackets.
    pub address: Text,
    /// Where it stands.
    pub state: RecipientState,
    /// What the last attempt said.
    pub reason: Option<Text>,
}

/// Where a recipient stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecipientState {
    /// Not yet delivered.
    Pending,
    /// Delivered or otherwise finished: never to be sent to again.
    Done,
    /// The source does not say.
    Unknown,
}

/// A header field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Its name, as conventional (`Subject`).
    pub name: String,
    /// Its value, unfolded and decoded.
    pub value: Text,
}
