//! A data file or a transcript without its control file.

use super::folder;
use super::message::Entry;
use super::name;
use super::signs;
use super::spool::Spool;
use crate::evidence::{
    Confidence, Damage, Fact, Locus, Message, Part, PartKind, Sign, Signed, Stat, TimeKind, Timed,
    format_duration,
};
use crate::read::disk::EntryKind;
use std::path::{Path, PathBuf};

/// Letters of control files, the likeliest first.
const CONTROL: [char; 5] = ['q', 'h', 'Q', 't', 'T'];
/// On a copy, a file that was written this shortly before everything stopped may have been in the making.
const IN_FLIGHT: i64 = 600;

/// Whether a finished control file of this ID lies in the same queue folder.
pub fn has_control(entry: Entry<'_>) -> bool {
    ['q', 'h', 'Q'].into_iter().any(|letter| entry.beside(letter).is_some())
}

impl Spool {
    /// A data file: of no interest while there is a control file, evidence of a lost one otherwise.
    ///
    /// # Errors
    /// [`Damage`] if the file cannot be looked at.
    pub fn lone_data(&self, entry: Entry<'_>) -> Result<Option<Message>, Damage> {
        // Control files are renamed while they are looked for, so one miss is not enough.
        let overlong = self.folders.overlong.contains(entry.id);
        if overlong || self.anywhere(entry, &CONTROL) || self.anywhere(entry, &CONTROL) {
            return Ok(None);
        }
        let Some(stat) = regular(entry)? else { return Ok(None) };
        let text = format!("there is no control file of the ID `{}`", String::from_utf8_lossy(entry.id));
        let mut facts = vec![Fact::new(text, Locus::whole(entry.place()))];
        let mut confidence = Confidence::Certain;
        if let Some(copied) = self.copied_at {
            let before = copied.since(stat.modified);
            if before.abs() < IN_FLIGHT {
                confidence = Confidence::Likely;
                let text = format!(
                    "it was written {} before the last activity in this spool: it may have been in the making when the copy \
                     was taken",
                    format_duration(before.max(0))
                );
                facts.push(Fact::new(text, Locus::metadata(entry.place())));
            }
        }
        let mut message = self.half(entry, PartKind::Content, stat);
        message.size = Some(stat.size);
        message.signs.push(Signed { sign: Sign::EnvelopeLost, confidence, facts });
        message.signs.extend(signs::other_queue(self, entry));
        if let Some(path) = entry.beside('x')
            && let Ok((_, stat)) = entry.root.stat(&path)
        {
            message.parts.push(Part::file(PartKind::Side, &path, &stat));
        }
        Ok(Some(message))
    }

    /// A transcript: of no interest while there is any other file of its message.
    ///
    /// # Errors
    /// [`Damage`] if the file cannot be looked at.
    pub fn lone_transcript(&self, entry: Entry<'_>) -> Result<Option<Message>, Damage> {
        let letters: Vec<char> = CONTROL.into_iter().chain(['d']).collect();
        if self.anywhere(entry, &letters) || self.anywhere(entry, &letters) {
            return Ok(None);
        }
        let Some(stat) = regular(entry)? else { return Ok(None) };
        let text = format!("there is no other file of the ID `{}`", String::from_utf8_lossy(entry.id));
        let mut message = self.half(entry, PartKind::Side, stat);
        message
            .signs
            .push(Signed::certain(Sign::SideFileAlone, Fact::new(text, Locus::whole(entry.place()))));
        Ok(Some(message))
    }

    fn half(&self, entry: Entry<'_>, kind: PartKind, stat: Stat) -> Message {
        let mut message = Message::at(self.label(entry.folder), Locus::whole(entry.place()));
        message.ids.native = Some(crate::evidence::Text::new(entry.id));
        message.parts.push(Part::file(kind, entry.path, &stat));
        if let Some(at) = name::made(entry.id, stat.modified) {
            let original = String::from_utf8_lossy(entry.id).into_owned();
            message.times.push(Timed { kind: TimeKind::IdTime, at, original: original.into() });
        }
        message.times.push(Timed::mtime(TimeKind::Modified, &stat));
        message
    }

    /// Whether a file of this ID with one of these letters lies in any queue folder, the own one first.
    fn anywhere(&self, entry: Entry<'_>, letters: &[char]) -> bool {
        let others = self.folders.paths.iter().map(PathBuf::as_path).filter(|folder| *folder != entry.folder);
        std::iter::once(entry.folder).chain(others).any(|folder| in_folder(entry, folder, letters))
    }
}

fn in_folder(entry: Entry<'_>, folder: &Path, letters: &[char]) -> bool {
    let mut places = letters.iter().flat_map(|letter| folder::candidates(folder, *letter, entry.id));
    places.any(|place| entry.root.exists(&place))
}

/// The metadata of a regular file; `None` if it went away.
fn regular(entry: Entry<'_>) -> Result<Option<Stat>, Damage> {
    match entry.root.stat(entry.path) {
        Ok((EntryKind::Regular, stat)) => Ok(Some(stat)),
        Ok(_) => Ok(None),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(entry.root.refused(entry.path, &error)),
    }
}
