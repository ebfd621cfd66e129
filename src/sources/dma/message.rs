//! One Q file with its M file, or what is left of the two, as a message.

use super::envelope::{self, Reading};
use crate::evidence::{
    Confidence, Damage, Fact, Locus, Message, Part, PartKind, Recipient, RecipientState, Sign, Signed, Stat,
    Text, Time, TimeKind, Timed,
};
use crate::read::content;
use crate::read::disk::{EntryKind, OpenFile, Root};
use crate::read::mime::MAX_HEAD_BYTES;
use std::path::{Path, PathBuf};

/// The group may read and write, as dma sets it (`newspoolf`, `writequeuef`: mode 0660).
const GROUP: u32 = 0o060;
/// Anybody may.
const OTHERS: u32 = 0o006;

/// What the files of a spool are judged by.
#[derive(Debug)]
pub struct Spool {
    /// The group with whose rights dma works; `None` if it is not known.
    pub group: Option<u32>,
    /// Since when a pair may be in the making; `None` on a copy.
    pub in_making_since: Option<Time>,
}

/// A file of the spool.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// The spool.
    pub root: &'a Root,
    /// Its name.
    pub path: &'a Path,
}

impl Spool {
    /// Reads a Q file, and looks for its M file; `None` if the pair may be in the making: the Q file is written first.
    ///
    /// # Errors
    /// [`Damage`] if the file cannot be read.
    pub fn envelope(&self, entry: Entry<'_>, id: &[u8]) -> Result<Option<Message>, Damage> {
        let file = entry.root.open_file(entry.path)?;
        let bytes = file.all(envelope::MAX_BYTES).map_err(|error| entry.root.refused(entry.path, &error))?;
        let reading = envelope::read(&bytes);
        let other = half(b'M', id);
        let content = entry.root.stat(&other).ok().filter(|(kind, _)| *kind == EntryKind::Regular);
        let content = content.map(|(_, stat)| stat);
        if content.is_none() && self.in_making_since.is_some_and(|since| file.stat.changed > since) {
            return Ok(None);
        }

        let mut message = entry.message("queue", PartKind::Envelope, &file.stat);
        // What dma lists is the ID in the file; a damaged file is listed under none.
        let listed = reading.fault.as_ref().is_none_or(|fault| !fault.refused);
        let own = reading.id.clone().filter(|_| listed);
        message.ids.native = Some(own.unwrap_or_else(|| Text::new(id)));
        message.size = content.map(|stat| stat.size);
        message.signs = self.envelope_signs(&entry, &file.stat, &reading, content.as_ref(), &other);
        message.envelope.sender = reading.sender;
        message.envelope.recipients.extend(
            reading.recipient.filter(|address| !address.is_empty()).map(|address| Recipient {
                address,
                state: RecipientState::Pending,
                reason: None,
            }),
        );
        // The lifetime counts from here (`dma.c`, `deliver`).
        message.times.push(Timed::mtime(TimeKind::Created, &file.stat));
        if let Some(stat) = content {
            message.parts.push(Part::file(PartKind::Content, &other, &stat));
            if !message.signs.is_empty()
                && let Ok(file) = entry.root.open_file(&other)
            {
                header(&mut message, &file, entry.root, &other);
            }
        }
        Ok(Some(message))
    }

    fn envelope_signs(
        &self,
        entry: &Entry<'_>,
        stat: &Stat,
        reading: &Reading,
        content: Option<&Stat>,
        other: &Path,
    ) -> Vec<Signed> {
        let place = Text::from_path(entry.path);
        let mut signs = Vec::new();
        if let Some(fault) = &reading.fault {
            let mut facts =
                vec![Fact::new(fault.text.clone(), Locus::bytes(place.clone(), fault.start, fault.end))];
            facts.extend(content.map(|content| {
                let text = format!("the content is there, {} bytes", content.size);
                Fact::new(text, Locus::whole(Text::from_path(other)))
            }));
            let sign = Sign::Corrupt { offset: fault.start };
            signs.push(Signed { sign, confidence: Confidence::Certain, facts });
        }
        match content {
            None => {
                let text = format!("there is no `{}`", other.display());
                signs.push(Signed::certain(Sign::BodyLost, Fact::new(text, Locus::whole(place))));
            }
            Some(content) if content.size == 0 => {
                let text = "the content has no bytes, as when the disk was full";
                let fact = Fact::new(text, Locus::metadata(Text::from_path(other)));
                signs.push(Signed::certain(Sign::EmptyFile, fact));
            }
            Some(_) => {}
        }
        let own = self.refusal(entry.path, stat);
        let of_content = content.and_then(|content| self.refusal(other, content));
        let facts: Vec<Fact> = own.into_iter().chain(of_content).collect();
        if !facts.is_empty() {
            signs.push(Signed { sign: Sign::OwnerOrMode, confidence: Confidence::Certain, facts });
        }
        signs
    }

    /// dma never runs as root: it takes on the group of the spool, and reads what that may read.
    fn refusal(&self, path: &Path, stat: &Stat) -> Option<Fact> {
        let group = self.group?;
        let open = stat.mode & OTHERS == OTHERS || stat.gid == group && stat.mode & GROUP == GROUP;
        if open || stat.mode == 0 && stat.inode == 0 {
            return None;
        }
        let text = format!(
            "mode {:04o}, owner {}:{}: dma works with the rights of group {group}, and may not read and write it",
            stat.mode, stat.uid, stat.gid
        );
        Some(Fact::new(text, Locus::metadata(Text::from_path(path))))
    }
}

impl Entry<'_> {
    /// Reads an M file that has no Q file; `None`: it has one, and is part of that message.
    ///
    /// # Errors
    /// [`Damage`] if the file cannot be read.
    pub fn content(&self, id: &[u8]) -> Result<Option<Message>, Damage> {
        let other = half(b'Q', id);
        if self.root.exists(&other) {
            return Ok(None);
        }
        let file = self.root.open_file(self.path)?;
        let mut message = self.message("queue", PartKind::Content, &file.stat);
        message.ids.native = Some(Text::new(id));
        message.size = Some(file.stat.size);
        message.times.push(Timed::mtime(TimeKind::Modified, &file.stat));
        header(&mut message, &file, self.root, self.path);
        let place = Text::from_path(self.path);
        let mut facts =
            vec![Fact::new(format!("there is no `{}`", other.display()), Locus::whole(place.clone()))];
        if file.stat.links > 1 {
            let text =
                format!("the same content has {} names: it is still queued for others", file.stat.links);
            facts.push(Fact::new(text, Locus::metadata(place)));
        }
        message.signs.push(Signed { sign: Sign::EnvelopeLost, confidence: Confidence::Certain, facts });
        Ok(Some(message))
    }

    /// Reads a file that dma had not yet given its names.
    ///
    /// # Errors
    /// [`Damage`] if the file cannot be read.
    pub fn temporary(&self) -> Result<Message, Damage> {
        let file = self.root.open_file(self.path)?;
        let place = Text::from_path(self.path);
        let mut message = self.message("tmp", PartKind::Content, &file.stat);
        message.ids.native = Some(place.clone());
        message.size = Some(file.stat.size);
        message.times.push(Timed::mtime(TimeKind::Modified, &file.stat));
        header(&mut message, &file, self.root, self.path);
        message.signs.push(if file.stat.links > 1 {
            let text = "the file has another name: it was queued, and this name was not removed";
            Signed::likely(Sign::SecondCopy, Fact::new(text, Locus::metadata(place)))
        } else {
            let text = "dma writes a message under such a name and gives it others when it is whole; the recipients are \
                        nowhere but in the process until then";
            let saved = format!("can still be read: {} bytes of content", file.stat.size);
            let facts = vec![
                Fact::new(text, Locus::whole(place.clone())),
                Fact::new(saved, Locus::bytes(place, 0, file.stat.size)),
            ];
            Signed { sign: Sign::Unfinished, confidence: Confidence::Certain, facts }
        });
        Ok(message)
    }

    /// Reads a file with a name that dma passes over; `None` for an empty one.
    ///
    /// # Errors
    /// [`Damage`] if the file cannot be read.
    pub fn foreign(&self) -> Result<Option<Message>, Damage> {
        let file = self.root.open_file(self.path)?;
        if file.stat.size == 0 {
            return Ok(None);
        }
        let mut message = self.message("queue", PartKind::Whole, &file.stat);
        message.ids.native = Some(Text::from_path(self.path));
        message.size = Some(file.stat.size);
        message.times.push(Timed::mtime(TimeKind::Modified, &file.stat));
        header(&mut message, &file, self.root, self.path);
        let text = "dma looks only at names that begin with Q";
        let fact = Fact::new(text, Locus::whole(Text::from_path(self.path)));
        message.signs.push(Signed::likely(Sign::ForeignName, fact));
        Ok(Some(message))
    }

    fn message(&self, queue: &str, kind: PartKind, stat: &Stat) -> Message {
        let mut message = Message::at(queue, Locus::whole(Text::from_path(self.path)));
        message.parts.push(Part::file(kind, self.path, stat));
        message
    }
}

/// The name of the other file of a pair.
fn half(letter: u8, id: &[u8]) -> PathBuf {
    let mut name = vec![letter];
    name.extend_from_slice(id);
    Text::new(name).to_path()
}

/// What cannot be read of the content says nothing against the message.
fn header(message: &mut Message, file: &OpenFile, root: &Root, path: &Path) {
    match file.head(MAX_HEAD_BYTES) {
        Ok(bytes) => drop(content::add_headers(message, &bytes)),
        Err(error) => root.unread(path, &error),
    }
}
