//! One queue file as a message.

use super::defer_log;
use super::headers;
use super::layout::{self, Layout};
use super::metadata::Seen;
use super::name::{self, Name};
use super::one_letter;
use super::owner::Owner;
use super::queue_file::{self, Reader};
use super::reading::Reading;
use super::records::Window;
use crate::evidence::{
    Confidence, Damage, Fact, Locus, Message, Original, Part, PartKind, Sign, Signed, Stat, Text, Time,
    TimeKind, Timed,
};
use crate::read::disk::{EntryKind, OpenFile, Root};
use std::io;
use std::path::Path;

/// Rules that go by what is in a file: damage, and when it came in and from whom.
const BLIND_TO: &[&str] = &["corrupt", "expired", "future-time"];

/// What a spool's files are judged by.
#[derive(Debug)]
pub struct Spool {
    /// Where files belong.
    pub layout: Layout,
    /// Whose they should be.
    pub owner: Owner,
    /// Whether every record is read.
    pub deep: bool,
    /// Message queues that every spool has and this copy lacks.
    pub missing: Vec<&'static str>,
    /// Folders with the name of one letter in the message queues, by queue.
    pub hash_folders: Vec<(&'static str, Vec<char>)>,
}

/// A file in a queue folder.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// The spool.
    pub root: &'a Root,
    /// Its path below the spool.
    pub path: &'a Path,
    /// The queue.
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
        self.read_message(entry, self.deep)
    }

    /// The same; `deep`: record by record.
    ///
    /// # Errors
    /// [`Damage`] if the file cannot be read.
    pub fn read_message(&self, entry: Entry<'_>, deep: bool) -> Result<Message, Damage> {
        let file = entry.root.open_file(entry.path)?;
        let name = name::judge(entry.name);
        let mut message = self.unopened(&entry, &name, &file.stat);
        let planned = self.is_planned(&message, &file.stat);
        let failed = |error: io::Error| entry.root.refused(entry.path, &error);
        let read_at = |offset: u64, length: usize, into: &mut Vec<u8>| file.read_at(offset, length, into);
        let mut window = Window::new(file.stat.size, &read_at);
        let reading = queue_file::read(&mut window, Reader::of(entry.queue), deep).map_err(failed)?;
        content_signs(&entry, &file, &reading, &mut message.signs);
        times(&mut message, &entry, &name, planned, &file.stat, reading.arrival.as_ref());
        let start = reading.content_start;
        fill(&mut message, &entry, &file, reading);
        self.explain(&mut message, &entry, &mut window, start).map_err(failed)?;
        Ok(message)
    }

    /// The message without opening it, if name, place and metadata show nothing that calls for that. What lies in the other
    /// queues was held, set aside or handed in, and is to be told whatever is in it; an inode in a name calls for nothing.
    pub fn glance(&self, entry: &Entry<'_>) -> Option<Message> {
        if !matches!(entry.queue, "incoming" | "active" | "deferred") {
            return None;
        }
        let (kind, stat) = entry.root.stat(entry.path).ok()?;
        let name = name::judge(entry.name);
        let mut message = self.unopened(entry, &name, &stat);
        if kind != EntryKind::Regular || stat.size == 0 || !message.signs.iter().all(is_inode) {
            return None;
        }
        let planned = self.is_planned(&message, &stat);
        times(&mut message, entry, &name, planned, &stat, None);
        message.size = Some(stat.size);
        message.blind_to = BLIND_TO;
        Some(message)
    }

    /// The message as name, place and metadata show it.
    fn unopened(&self, entry: &Entry<'_>, name: &Name, stat: &Stat) -> Message {
        let place = Text::from_path(entry.path);
        let seen = Seen { queue: entry.queue, path: &place, stat, owner: &self.owner };
        let mut signs = seen.signs();
        signs.extend(seen.inode_sign(name));
        signs.extend(self.place_signs(entry, name));
        merge_unfinished(&mut signs);
        let mut message = Message::at(entry.queue, Locus::whole(place));
        message.ids.native = native_id(name, entry.name);
        message.parts.push(Part::file(PartKind::Whole, entry.path, stat));
        message.signs = signs;
        message
    }

    /// Whether the time of the file is that of its next attempt.
    fn is_planned(&self, message: &Message, stat: &Stat) -> bool {
        let seen = Seen { queue: &message.queue, path: &message.place.path, stat, owner: &self.owner };
        seen.is_ready() && will_be_tried(&message.queue, &message.signs)
    }

    /// What the name and the folder say.
    fn place_signs(&self, entry: &Entry<'_>, name: &Name) -> Vec<Signed> {
        let place = || Text::from_path(entry.path);
        let fact = |text: &str| Fact::new(text, Locus::whole(place()));
        let mut signs = Vec::new();
        match name {
            Name::Id(_) => signs.extend(self.misfiled(entry)),
            Name::Legal => signs.push(Signed {
                sign: Sign::ForeignName,
                confidence: Confidence::Possible,
                facts: vec![fact("the name is no queue ID; Postfix lists and tries such a file, and `postsuper -s` renames it or calls it bogus")],
            }),
            Name::OneLetter => signs.extend(one_letter::signs(entry.queue, &place())),
            Name::Temporary { pid } => {
                let text = format!("the name is a temporary one, of process {pid}: the file never got its queue ID");
                signs.push(Signed::certain(Sign::Unfinished, fact(&text)));
                signs.push(Signed::certain(Sign::OwnedByProcess { pid: *pid }, fact(&text)));
            }
            Name::HalfRenamed => {
                let text = "`postsuper -s` was interrupted while it renamed this file";
                signs.push(Signed::certain(Sign::ForeignName, fact(text)));
            }
            Name::Foreign => {
                let text = "Postfix skips every name that is not letters, figures and `_` alone";
                signs.push(Signed::certain(Sign::ForeignName, fact(text)));
            }
        }
        if matches!(name, Name::Id(_) | Name::Legal) {
            signs.extend(queue_sign(entry.queue, entry.path));
        }
        signs
    }

    /// Postfix looks for an ID in one place only (`mail_open_ok` asks for the canonical path).
    fn misfiled(&self, entry: &Entry<'_>) -> Option<Signed> {
        if self.layout.is_home(entry.queue, entry.name, entry.path) {
            return None;
        }
        let expected = self.layout.path(entry.queue, entry.name);
        let levels = entry.path.components().count().saturating_sub(2);
        let consistent = layout::path_at_depth(entry.queue, entry.name, levels) == entry.path;
        let (confidence, how) = if self.layout.configured {
            (Confidence::Certain, "as its main.cf says")
        } else if self.layout.is_inferred(entry.queue) {
            (Confidence::Likely, "if it is hashed as the other files of this queue show")
        } else if consistent && levels > self.layout.depth_of(entry.queue) {
            (Confidence::Possible, "by default; its place would be right if the queue were hashed deeper")
        } else {
            (Confidence::Likely, "by default, since its own main.cf was not found")
        };
        let place = Text::from_path(entry.path);
        let text = format!("Postfix looks for this ID at `{}` only, {how}", expected.display());
        Some(Signed {
            sign: Sign::Misfiled { expected: Text::from_path(&expected) },
            confidence,
            facts: vec![Fact::new(text, Locus::whole(place))],
        })
    }

    /// For messages with signs only: what they are about and why they waited. A name that does not match its inode holds
    /// nothing up, and a restored spool has one on every file, so that it does not count here.
    fn explain(
        &self,
        message: &mut Message,
        entry: &Entry<'_>,
        window: &mut Window<'_>,
        content_start: Option<u64>,
    ) -> io::Result<()> {
        if !self.deep && message.signs.iter().all(is_inode) {
            return Ok(());
        }
        if let Some(start) = content_start {
            headers::add(message, window, start)?;
        }
        self.add_reasons(message, entry);
        Ok(())
    }

    fn add_reasons(&self, message: &mut Message, entry: &Entry<'_>) {
        let Some(id) = message.ids.native.clone() else { return };
        let path = self.layout.path("defer", id.bytes());
        let Ok(file) = entry.root.open_file(&path) else { return };
        let bytes = match file.head(defer_log::MAX_LOG_BYTES) {
            Ok(bytes) => bytes,
            Err(error) => return entry.root.unread(&path, &error),
        };
        let log = defer_log::parse(&bytes);
        let reasons: std::collections::HashMap<&Text, &Text> =
            log.iter().map(|line| (&line.recipient, &line.reason)).collect();
        for recipient in &mut message.envelope.recipients {
            recipient.reason = reasons.get(&recipient.address).map(|reason| (*reason).clone());
        }
        message.parts.push(Part::file(PartKind::Side, &path, &file.stat));
    }
}

fn is_inode(signed: &Signed) -> bool {
    matches!(signed.sign, Sign::NameInode { .. })
}

/// The queue ID of a name, or of what the name begins with.
pub fn native_id(name: &Name, bytes: &[u8]) -> Option<Text> {
    match name {
        Name::Id(_) | Name::Legal => Some(Text::new(bytes)),
        _ => name::stem(bytes).map(Text::new),
    }
}

/// What being in this queue means.
fn queue_sign(queue: &str, path: &Path) -> Option<Signed> {
    let (sign, text) = match queue {
        "hold" => (Sign::Held, "nothing in `hold` is tried until it is released"),
        "saved" => (Sign::OtherQueue, "neither the listing nor the queue manager looks into `saved`"),
        _ => return None,
    };
    Some(Signed::certain(sign, Fact::new(text, Locus::whole(Text::from_path(path)))))
}

/// Mode and name may both say that a file is unfinished: one sign, all facts.
fn merge_unfinished(signs: &mut Vec<Signed>) {
    let Some(first) = signs.iter().position(|signed| signed.sign == Sign::Unfinished) else { return };
    let mut facts = Vec::new();
    let mut index = 0;
    signs.retain_mut(|signed| {
        let repeated = signed.sign == Sign::Unfinished && index != first;
        if repeated {
            facts.append(&mut signed.facts);
        }
        index += 1;
        !repeated
    });
    if let Some(signed) = signs.get_mut(first) {
        signed.facts.append(&mut facts);
    }
}

/// What the bytes say, given what name, owner and mode already said.
fn content_signs(entry: &Entry<'_>, file: &OpenFile, reading: &Reading, signs: &mut Vec<Signed>) {
    let place = || Text::from_path(entry.path);
    if file.stat.size == 0 {
        let text = "the file has no bytes, as when the disk was full";
        signs.push(Signed::certain(Sign::EmptyFile, Fact::new(text, Locus::metadata(place()))));
        return;
    }
    let faults = reading
        .faults
        .iter()
        .map(|fault| Fact::new(fault.text.clone(), Locus::bytes(place(), fault.start, fault.end)));
    if let Some(unfinished) = signs.iter_mut().find(|signed| signed.sign == Sign::Unfinished) {
        let whole = reading.faults.is_empty() && reading.ended;
        if whole {
            let text = "every record is there, from the envelope to the end record: only the mode is not set";
            unfinished.facts.push(Fact::new(text, Locus::bytes(place(), 0, file.stat.size)));
        } else {
            unfinished.facts.extend(faults.take(2));
            unfinished.facts.push(reading.salvage(entry.path));
        }
        return;
    }
    let marked = signs.iter_mut().find(|signed| matches!(signed.sign, Sign::Corrupt { .. }));
    if let Some(leading) = reading.leading_fault() {
        let sign = Sign::Corrupt { offset: leading.start };
        let confidence = leading.confidence;
        let mut facts: Vec<Fact> = faults.collect();
        facts.push(reading.salvage(entry.path));
        if let Some(marked) = marked {
            marked.sign = sign;
            marked.facts.extend(facts);
        } else {
            if entry.queue == "corrupt" {
                facts
                    .insert(0, Fact::new("the queue manager set it aside as damaged", Locus::whole(place())));
            }
            signs.push(Signed { sign, confidence, facts });
        }
    } else if entry.queue == "corrupt" {
        let set_aside = Fact::new("the queue manager set it aside as damaged", Locus::whole(place()));
        let text = "no damage was found in its records; the mail log says why it was set aside";
        let facts = vec![set_aside, Fact::new(text, Locus::bytes(place(), 0, file.stat.size))];
        signs.push(Signed { sign: Sign::Corrupt { offset: 0 }, confidence: Confidence::Certain, facts });
    } else if entry.queue == "maildrop"
        && !signs.iter().any(|signed| matches!(signed.sign, Sign::OwnerOrMode | Sign::ForeignName))
    {
        let text = "handed in whole, and not yet picked up";
        signs.push(Signed::certain(Sign::Unclaimed, Fact::new(text, Locus::whole(place()))));
    }
}

/// Whether the queue manager looks at the file at all, so that the time of the file is that of an attempt.
fn will_be_tried(queue: &str, signs: &[Signed]) -> bool {
    let skipped = |signed: &Signed| {
        matches!(signed.sign, Sign::Misfiled { .. } | Sign::Unfinished)
            || signed.sign == Sign::ForeignName && signed.confidence == Confidence::Certain
    };
    matches!(queue, "deferred" | "incoming") && !signs.iter().any(skipped)
}

fn fill(message: &mut Message, entry: &Entry<'_>, file: &OpenFile, reading: Reading) {
    // `showq` shows the content size, and for maildrop the file size (`showq_report`).
    // What a damaged record states, the file may not be able to hold.
    let held = |size: &u64| (1..=file.stat.size).contains(size);
    let stated = reading.size.map(|size| size.content_size).filter(held);
    message.size =
        if entry.queue == "maildrop" { Some(file.stat.size) } else { stated.or(Some(file.stat.size)) };
    let count = reading.recipient_count();
    message.envelope.sender = reading.sender;
    if count > reading.recipients.len() as u64 {
        message.envelope.recipient_count = Some(count);
    }
    message.envelope.recipients = reading.recipients;
    message.attributes = reading.attributes;
}

fn times(
    message: &mut Message,
    entry: &Entry<'_>,
    name: &Name,
    planned: bool,
    stat: &Stat,
    arrival: Option<&(Time, Text)>,
) {
    let mut add =
        |kind: TimeKind, at: Time, original: Original| message.times.push(Timed { kind, at, original });
    match arrival {
        Some((at, original)) => add(TimeKind::Arrival, *at, original.clone().into()),
        // `pickup` takes the time of the file for a message that has none (`copy_segment`).
        None if entry.queue == "maildrop" => add(TimeKind::Created, stat.modified, Original::Mtime),
        None => {}
    }
    if let Name::Id(id) = name
        && let Some((seconds, microseconds)) = id.made
    {
        add(TimeKind::IdTime, Time::new(seconds, microseconds * 1_000), Text::new(entry.name).into());
    }
    // `qmgr_active_defer` sets the time of the file to that of the next attempt.
    add(if planned { TimeKind::NextAttempt } else { TimeKind::Modified }, stat.modified, Original::Mtime);
}
