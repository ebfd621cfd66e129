//! The second look: is a suspect still there, unchanged, and nobody's work in progress?
//!
//! A spool at work is full of things that look like ghosts for a moment: a file that is being written, a message that
//! moves from one queue to another while it is listed. A suspect is only kept if nothing touched it from the scan until
//! after the second listing was taken, so that this listing had every chance to show it.

use crate::evidence::{Message, Sign, Stat};
use crate::read::process::{self, Files};
use crate::sources::Opened;

/// Why a suspect is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dropped {
    /// It is not there any more, or not the same.
    Moved,
    /// Some process has it open or locked.
    InUse,
    /// The process that its name names is alive.
    OwnerAlive,
}

/// What the kernel said about the suspects when they were looked at again.
#[derive(Debug, Default)]
pub struct SecondLook {
    in_use: Files,
}

impl SecondLook {
    /// Asks the kernel once which of these files are open or locked.
    pub fn new(files: &Files) -> Self {
        Self { in_use: process::in_use(files) }
    }

    /// Looks at one suspect again. `None`: it stays a suspect.
    pub fn at(&self, message: &Message, place: &Opened) -> Option<Dropped> {
        let stat = message.stat()?;
        match place.root.stat(&message.place.path.to_path()) {
            Ok((_, now)) if unchanged(stat, &now) => {}
            _ => return Some(Dropped::Moved),
        }
        if self.in_use.contains(&(stat.device, stat.inode)) {
            return Some(Dropped::InUse);
        }
        place.instance.live?;
        let owner = message.signs.iter().find_map(|signed| match signed.sign {
            Sign::OwnedByProcess { pid } => Some(pid),
            _ => None,
        })?;
        (process::alive(owner) == Some(true)).then_some(Dropped::OwnerAlive)
    }
}

fn unchanged(before: &Stat, now: &Stat) -> bool {
    (before.device, before.inode, before.size, before.modified, before.changed, before.mode, before.uid)
        == (now.device, now.inode, now.size, now.modified, now.changed, now.mode, now.uid)
}
