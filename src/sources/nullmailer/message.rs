//! One file of the spool as a message.

use super::envelope::{self, Fault, MAX_ENVELOPE_BYTES, Reading};
use crate::evidence::{
    Confidence, Damage, Fact, Locus, Message, Part, PartKind, Sign, Signed, Stat, Text, Time, TimeKind, Timed,
};
use crate::read::content;
use crate::read::disk::{OpenFile, Root};
use crate::read::mime::MAX_HEAD_BYTES;
use std::path::Path;

/// So much of every file is read; an envelope is rarely longer.
const HEAD_BYTES: usize = 4 << 10;
/// A file that was not copied has its inode changed last when it was linked into `queue`, just after it was written.
const WRITING_TAKES: i64 = 600;
/// The owner may read.
const READ_BY_OWNER: u32 = 0o400;
/// Others than the owner may read: then it is not certain that the sender cannot.
const READ_BY_GROUP: u32 = 0o040;
/// Anybody may read.
const READ_BY_OTHERS: u32 = 0o004;

/// What the files of a spool are judged by.
#[derive(Debug)]
pub struct Spool {
    /// The user as whom nullmailer runs; `None` if it is not known.
    pub owner: Option<u32>,
}

/// A file in a folder of the spool.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// The spool.
    pub root: &'a Root,
    /// Its path below the spool.
    pub path: &'a Path,
    /// The folder.
    pub queue: &'a str,
    /// Its name.
    pub name: &'a [u8],
}

impl Spool {
    /// Reads a message.
    ///
    /// # Errors
    /// [`Damage`] if the file cannot be read.
    pub fn message(&self, entry: Entry<'_>) -> Result<Message, Damage> {
        let file = entry.root.open_file(entry.path)?;
        let place = Text::from_path(entry.path);
        let failed = |error: std::io::Error| entry.root.refused(entry.path, &error);
        let mut head = file.head(HEAD_BYTES).map_err(failed)?;
        let mut reading = envelope::read(&head, is_whole(&file, &head));
        if reading.content_at.is_none() && reading.fault.is_none() {
            head = file.head(MAX_ENVELOPE_BYTES).map_err(failed)?;
            reading = envelope::read(&head, is_whole(&file, &head));
        }
        let mut message = Message::at(entry.queue, Locus::whole(place.clone()));
        message.ids.native = Some(Text::new(entry.name.strip_prefix(b".").unwrap_or(entry.name)));
        message.parts.push(Part::file(PartKind::Whole, entry.path, &file.stat));
        message.size = Some(file.stat.size);
        times(&mut message, &entry, &file.stat);
        let content_at = reading.content_at;
        message.signs = self.signs(&entry, &file.stat, &reading);
        fill(&mut message, reading);
        if let (Some(at), false) = (content_at, message.signs.is_empty()) {
            let header = file.at(at as u64, MAX_HEAD_BYTES).map_err(failed)?;
            content::add_headers(&mut message, &header);
        }
        Ok(message)
    }

    fn signs(&self, entry: &Entry<'_>, stat: &Stat, reading: &Reading) -> Vec<Signed> {
        let place = Text::from_path(entry.path);
        if entry.queue == "tmp" {
            return unfinished(entry, stat, reading);
        }
        let mut signs = Vec::new();
        let by_name = |text: &str| Fact::new(text, Locus::whole(place.clone()));
        if entry.queue == "failed" {
            let text =
                "nullmailer-send sets aside here what was refused for good, or grew older than queuelifetime";
            signs.push(Signed::certain(Sign::Held, by_name(text)));
        } else if entry.name.starts_with(b".") {
            let text = "nullmailer-send and mailq pass over every name that begins with a dot";
            signs.push(Signed::certain(Sign::ForeignName, by_name(text)));
        }
        if stat.size == 0 {
            let text = "the file has no bytes, as when the disk was full";
            signs.push(Signed::certain(Sign::EmptyFile, Fact::new(text, Locus::metadata(place.clone()))));
        } else if let Some(fault) = &reading.fault {
            let facts = vec![fault_fact(&place, fault), salvage(&place, stat, reading)];
            let sign = Sign::Corrupt { offset: fault.start as u64 };
            signs.push(Signed { sign, confidence: Confidence::Certain, facts });
        }
        if entry.queue == "queue" {
            signs.extend(self.owner_sign(&place, stat));
        }
        signs
    }

    /// `send_one` opens the file as the user that owns the folders, and takes a refusal for a temporary error.
    fn owner_sign(&self, place: &Text, stat: &Stat) -> Option<Signed> {
        let owner = self.owner?;
        let wanted = if stat.uid == owner { READ_BY_OWNER } else { READ_BY_OTHERS };
        if stat.mode & wanted != 0 || stat.mode == 0 && stat.inode == 0 {
            return None;
        }
        let by_group = stat.uid != owner && stat.mode & READ_BY_GROUP != 0;
        let confidence = if by_group { Confidence::Possible } else { Confidence::Certain };
        let text = format!(
            "mode {:04o}, uid {}: nullmailer-send runs as the owner of `queue`, uid {owner}, and may not read it",
            stat.mode, stat.uid
        );
        let facts = vec![Fact::new(text, Locus::metadata(place.clone()))];
        Some(Signed { sign: Sign::OwnerOrMode, confidence, facts })
    }
}

fn is_whole(file: &OpenFile, head: &[u8]) -> bool {
    head.len() as u64 >= file.stat.size
}

/// `nullmailer-queue` writes `tmp/PID`, links it into `queue` and removes the first name (`deliver`).
fn unfinished(entry: &Entry<'_>, stat: &Stat, reading: &Reading) -> Vec<Signed> {
    let place = Text::from_path(entry.path);
    if stat.links > 1 {
        let text = "the file has another name: it was linked into `queue`, and this name was not removed";
        return vec![Signed::likely(Sign::SecondCopy, Fact::new(text, Locus::metadata(place)))];
    }
    let mut facts = vec![Fact::new(
        "nullmailer-queue writes a message here and links it into `queue` when it is whole",
        Locus::whole(place.clone()),
    )];
    facts.extend(reading.fault.as_ref().map(|fault| fault_fact(&place, fault)));
    facts.push(salvage(&place, stat, reading));
    let mut signs = vec![Signed { sign: Sign::Unfinished, confidence: Confidence::Certain, facts }];
    if let Some(pid) = std::str::from_utf8(entry.name).ok().and_then(|name| name.parse().ok()) {
        let text = format!("the name is the number of the process that wrote it, {pid}");
        signs.push(Signed::certain(Sign::OwnedByProcess { pid }, Fact::new(text, Locus::whole(place))));
    }
    signs
}

fn fault_fact(place: &Text, fault: &Fault) -> Fact {
    let range = Locus::bytes(place.clone(), fault.start as u64, fault.end as u64);
    Fact::new(fault.text.clone(), range)
}

/// What could be saved.
fn salvage(place: &Text, stat: &Stat, reading: &Reading) -> Fact {
    let sender = match &reading.sender {
        Some(sender) if sender.is_empty() => "the sender (null)",
        Some(_) => "the sender",
        None => "no sender",
    };
    let recipients = match reading.count {
        1 => "1 recipient".to_owned(),
        count => format!("{count} recipients"),
    };
    let content = reading.content_at.map_or(stat.size, |at| at as u64).min(stat.size);
    let text = format!("can still be read: {sender}, {recipients}, {} bytes of content", stat.size - content);
    Fact::new(text, Locus::bytes(place.clone(), content, stat.size))
}

fn fill(message: &mut Message, reading: Reading) {
    if reading.count > reading.recipients.len() as u64 {
        message.envelope.recipient_count = Some(reading.count);
    }
    message.envelope.sender = reading.sender;
    message.envelope.recipients = reading.recipients;
}

fn times(message: &mut Message, entry: &Entry<'_>, stat: &Stat) {
    let mut add = |kind: TimeKind, at: Time, original: String| {
        message.times.push(Timed { kind, at, original: original.into() });
    };
    // The lifetime counts from here (`load_messages`, `send_all`).
    add(TimeKind::Created, stat.modified, format!("mtime {}", stat.modified.rfc3339()));
    if let Some(at) = time_in_name(entry.name) {
        add(TimeKind::IdTime, at, String::from_utf8_lossy(entry.name).into_owned());
    }
    let copied = stat.changed.since(stat.modified) > WRITING_TAKES;
    if entry.queue == "queue" && !copied && stat.accessed > stat.modified {
        add(TimeKind::LastAttempt, stat.accessed, format!("atime {}", stat.accessed.rfc3339()));
    }
}

/// `SECONDS.PID` (`deliver`).
fn time_in_name(name: &[u8]) -> Option<Time> {
    let name = std::str::from_utf8(name).ok()?;
    let (seconds, pid) = name.strip_prefix('.').unwrap_or(name).split_once('.')?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    (digits(seconds) && digits(pid)).then(|| seconds.parse().ok()).flatten().map(Time::from_unix)
}
