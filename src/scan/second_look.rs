//! The second look: is a suspect still there, unchanged, and nobody's work in progress?
//!
//! A spool at work is full of things that look like ghosts for a moment: a file that is being written, a message that
//! moves from one queue to another while it is listed. A suspect is only kept if nothing touched it from the scan until
//! after the second listing was taken, so that this listing had every chance to show it.

use super::pool::read_contained;
use crate::evidence::{Message, PartKind, Record, Sign, Signed, Stat};
use crate::read::disk::EntryKind;
use crate::read::process::{self, FileId, Files, InUse};
use crate::sources::{Opened, Unit};
use std::cell::Cell;
use std::ops::ControlFlow;

/// Other files of a suspect that are asked for it.
const MAX_ASKED: usize = 4;

/// Why a suspect is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dropped {
    /// It is not there any more, or not the same.
    Moved,
    /// Some process has it open or locked.
    InUse,
    /// The process that its name names is alive.
    OwnerAlive,
    /// It is unfinished, and whether its writer still has it open cannot be seen.
    WriterUnseen,
}

/// What the kernel said about the suspects when they were looked at again.
#[derive(Debug, Default)]
pub struct SecondLook {
    in_use: InUse,
    /// How many were dropped because it could not be seen whether their writers still have them open.
    pub unseen: Cell<u64>,
}

impl SecondLook {
    /// Asks the kernel once which of these files are open or locked.
    pub fn new(files: &Files) -> Self {
        Self { in_use: process::in_use(files), unseen: Cell::new(0) }
    }

    /// Looks at one suspect again. `None`: it stays a suspect.
    pub fn at(&self, message: &Message, place: &Opened) -> Option<Dropped> {
        let stat = message.stat()?;
        let kind = match place.root.stat(&message.place.path.to_path()) {
            Ok((kind, now)) if unchanged(stat, &now) => kind,
            _ => return Some(Dropped::Moved),
        };
        // A message of two files may be locked by the other one (Exim locks the body).
        if files_of(message).any(|file| self.in_use.files.contains(&file)) {
            return Some(Dropped::InUse);
        }
        place.instance.live?;
        if !looks_the_same(message, kind, place) {
            return Some(Dropped::Moved);
        }
        let owner = message.signs.iter().find_map(|signed| match signed.sign {
            Sign::OwnedByProcess { pid } => Some(pid),
            _ => None,
        });
        let alive = owner.and_then(process::alive);
        if alive == Some(true) {
            return Some(Dropped::OwnerAlive);
        }
        // A writer that its file names is known to be gone without looking into it.
        let unfinished = message.signs.iter().any(|signed| signed.sign == Sign::Unfinished);
        if unfinished && self.in_use.partial && alive.is_none() {
            self.unseen.set(self.unseen.get() + 1);
            return Some(Dropped::WriterUnseen);
        }
        None
    }
}

/// The files of a message, of which the kernel is to be asked.
pub fn files_of(message: &Message) -> impl Iterator<Item = FileId> + '_ {
    message.parts.iter().filter_map(|part| part.stat.as_ref()).map(|stat| (stat.device, stat.inode))
}

/// Whether the source still sees all that it saw: a file may be as it was while its other half has come, or gone. The file
/// that shows what is wrong need not be the one by which the source reads the message (OpenSMTPD names an envelope, and reads
/// the message by its content), so that its other files are asked as well until one of them speaks.
fn looks_the_same(message: &Message, kind: EntryKind, place: &Opened) -> bool {
    let path = message.place.path.to_path();
    let contents = message.parts.iter().filter(|part| part.kind == PartKind::Content);
    let rest = message.parts.iter().filter(|part| part.kind != PartKind::Content);
    let others = contents.chain(rest).map(|part| part.locus.path.to_path()).filter(|other| *other != path);
    let files = std::iter::once((path.clone(), kind));
    let files = files.chain(others.take(MAX_ASKED).map(|other| (other, EntryKind::Regular)));
    let mut same = false;
    for (path, kind) in files {
        let mut spoke = false;
        let unit = Unit { root: &place.root, path: &path, kind, lean: false };
        let read = read_contained(place, unit, &mut |record| {
            if let Record::Message(now) = record
                && now.place == message.place
            {
                let seen = |signed: &Signed| now.signs.iter().any(|other| other.sign == signed.sign);
                same |= message.signs.iter().all(seen);
                spoke = true;
            }
            ControlFlow::Continue(())
        });
        if spoke || !read {
            return read && same;
        }
    }
    false
}

fn unchanged(before: &Stat, now: &Stat) -> bool {
    (before.device, before.inode, before.size, before.modified, before.changed, before.mode, before.uid)
        == (now.device, now.inode, now.size, now.modified, now.changed, now.mode, now.uid)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{Fact, Live, Locus, Time};
    use crate::sources::{Detected, Options, Source as _, exim::Exim, opensmtpd::OpenSmtpd};
    use std::path::Path;

    const HEADER: &str = "input/1xVf5d-00002O-0X-H";
    const DATA: &str = "input/1xVf5d-00002O-0X-D";

    /// An Exim spool with a body and no envelope, whose mail system is said to run, and the message that is seen there.
    fn lone_body(folder: &Path) -> (Opened, Message) {
        std::fs::create_dir_all(folder.join("input")).unwrap();
        std::fs::write(folder.join(DATA), "1xVf5d-00002O-0X-D\nx\n").unwrap();
        let detected = Detected { root: folder.to_owned(), why: String::new(), config: None, variant: "" };
        let mut opened = Exim.open(&detected, &Options::default()).unwrap();
        opened.instance.live = Some(Live { pid: 1, since: Time::from_unix(0) });
        let mut seen = None;
        let unit = Unit { root: &opened.root, path: Path::new(DATA), kind: EntryKind::Regular, lean: false };
        (opened.read)(unit, &mut |record| {
            if let Record::Message(message) = record {
                seen = Some(*message);
            }
            ControlFlow::Continue(())
        });
        (opened, seen.unwrap())
    }

    #[test]
    fn a_half_whose_other_half_has_come_is_no_suspect_any_more() {
        let folder = tempfile::tempdir().unwrap();
        let (opened, message) = lone_body(folder.path());
        let look = SecondLook::default();
        assert_eq!(look.at(&message, &opened), None, "it is as it was");
        std::fs::write(folder.path().join(HEADER), "").unwrap();
        assert_eq!(look.at(&message, &opened), Some(Dropped::Moved), "the body itself is as it was");
    }

    #[test]
    fn a_file_that_shows_what_is_wrong_need_not_be_the_one_that_speaks_for_the_message() {
        let folder = tempfile::tempdir().unwrap();
        let of_message = folder.path().join("queue/32/3252b9b1");
        std::fs::create_dir_all(&of_message).unwrap();
        std::fs::write(of_message.join("message"), "Subject: x\n\nx\n").unwrap();
        let envelope = of_message.join("3252b9b1cdfe3647");
        std::fs::write(&envelope, "").unwrap();
        let detected =
            Detected { root: folder.path().to_owned(), why: String::new(), config: None, variant: "" };
        let mut opened = OpenSmtpd.open(&detected, &Options::default()).unwrap();
        opened.instance.live = Some(Live { pid: 1, since: Time::from_unix(0) });
        let path = Path::new("queue/32/3252b9b1/message");
        let mut seen = None;
        let unit = Unit { root: &opened.root, path, kind: EntryKind::Regular, lean: false };
        (opened.read)(unit, &mut |record| {
            if let Record::Message(message) = record {
                seen = Some(*message);
            }
            ControlFlow::Continue(())
        });
        let message: Message = seen.unwrap();
        assert_eq!(message.place.path.to_path(), path.with_file_name("3252b9b1cdfe3647"));
        let look = SecondLook::default();
        assert_eq!(look.at(&message, &opened), None, "the empty envelope is still there");
        std::fs::remove_file(&envelope).unwrap();
        assert_eq!(look.at(&message, &opened), Some(Dropped::Moved), "it is gone");
    }

    #[cfg(unix)]
    #[test]
    fn a_message_is_in_use_if_any_file_of_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let (opened, mut message) = lone_body(folder.path());
        let journal = folder.path().join("journal");
        std::fs::write(&journal, "").unwrap();
        let (_, stat) = opened.root.stat(Path::new("journal")).unwrap();
        let mut part = message.parts[0].clone();
        part.stat = Some(stat);
        message.parts.push(part);
        assert_eq!(files_of(&message).count(), 2);
        let files = Files::from([(stat.device, stat.inode)]);
        let look = SecondLook { in_use: InUse { files, partial: false }, ..SecondLook::default() };
        assert_eq!(look.at(&message, &opened), Some(Dropped::InUse));
    }

    #[test]
    fn where_open_files_cannot_be_seen_an_unfinished_message_may_be_in_the_making() {
        let folder = tempfile::tempdir().unwrap();
        let (mut opened, mut message) = lone_body(folder.path());
        let partial =
            || SecondLook { in_use: InUse { files: Files::new(), partial: true }, ..SecondLook::default() };
        assert_eq!(partial().at(&message, &opened), None, "its other half is missing, whoever has it open");

        message.signs.push(unfinished());
        opened.read = Box::new({
            let message = message.clone();
            move |_, emit| {
                let _ = emit(Record::Message(Box::new(message.clone())));
            }
        });
        assert_eq!(SecondLook::default().at(&message, &opened), None, "nobody has it open");
        let look = partial();
        assert_eq!(look.at(&message, &opened), Some(Dropped::WriterUnseen));
        assert_eq!(look.unseen.get(), 1);

        opened.instance.live = None;
        assert_eq!(partial().at(&message, &opened), None, "nobody writes into a copy");
    }

    fn unfinished() -> Signed {
        Signed::certain(Sign::Unfinished, Fact::new("mode 0600", Locus::whole(DATA)))
    }
}
