//! Who must be able to read the files of a queue.
//!
//! Source: notqmail `conf-users`, `qmail-start.c`, `hier.c`: qmail-send runs as `qmails`, who owns `info`, `local`, `remote`
//! and `bounce`; qmail-queue as `qmailq`, who owns `mess`, `todo`, `intd` and `pid`; all of them in the group `qmail`.

use crate::evidence::{Fact, Locus, Stat, Text};
use crate::read::disk::Root;
use std::path::Path;

const READ: u32 = 4;
const WRITE: u32 = 2;

/// The user as whom qmail-send runs, and its group.
#[derive(Debug, Clone)]
pub struct Owner {
    ids: Option<(u32, u32)>,
    /// How that is known.
    pub fact: Fact,
}

impl Owner {
    /// Asks the folders. Two users own them; where all belong to one, the copy kept no owners, and nothing is judged.
    pub fn of(root: &Root) -> Self {
        let of = |folder: &str| Some(root.stat(Path::new(folder)).ok()?.1);
        let sender =
            ["info", "remote", "local", "bounce"].into_iter().find_map(|folder| Some((folder, of(folder)?)));
        let queuer = ["mess", "todo", "intd", "pid"].into_iter().find_map(of);
        match (sender, queuer) {
            (Some((folder, sender)), Some(queuer)) if sender.uid != queuer.uid && sender.uid != 0 => {
                let (uid, gid) = (sender.uid, sender.gid);
                let text =
                    format!("qmail-send runs as the owner of `{folder}`, uid {uid}, in the group {gid}");
                Self { ids: Some((uid, gid)), fact: Fact::new(text, Locus::metadata(folder)) }
            }
            _ => {
                let text =
                    "owners are not judged: all folders belong to one user, as in a copy that kept no owners";
                Self { ids: None, fact: Fact::new(text, Locus::whole(".")) }
            }
        }
    }

    /// The user as whom qmail-send runs, and its group; `None` if they are not known.
    pub fn ids(&self) -> Option<(u32, u32)> {
        self.ids
    }

    /// Why qmail-send cannot read this file, or write it if it `marks` recipients there.
    pub fn refusal(&self, place: &Text, stat: &Stat, marks: bool) -> Option<Fact> {
        let (uid, gid) = self.ids?;
        let granted = match (stat.uid == uid, stat.gid == gid) {
            (true, _) => stat.mode >> 6,
            (false, true) => stat.mode >> 3,
            (false, false) => stat.mode,
        };
        let wanted = if marks { READ | WRITE } else { READ };
        Self::fact_unless(granted & wanted == wanted, place, stat, "qmail-send")
    }

    /// Why the programs that deliver, whose user is not known but whose group is, cannot read this file.
    pub fn refusal_to_deliver(&self, place: &Text, stat: &Stat) -> Option<Fact> {
        let (_, gid) = self.ids?;
        let granted = if stat.gid == gid { stat.mode >> 3 } else { stat.mode };
        Self::fact_unless(granted & READ != 0, place, stat, "qmail-rspawn, in the same group,")
    }

    fn fact_unless(granted: bool, place: &Text, stat: &Stat, who: &str) -> Option<Fact> {
        // The system from which this was read may know neither modes nor inodes.
        if granted || (stat.mode == 0 && stat.inode == 0) {
            return None;
        }
        let text =
            format!("mode {:04o}, uid {}, gid {}: {who} may not open it", stat.mode, stat.uid, stat.gid);
        Some(Fact::new(text, Locus::metadata(place.clone())))
    }
}
