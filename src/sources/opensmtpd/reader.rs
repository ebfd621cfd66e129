//! Whom smtpd is when it reads its queue, and what that user may open.
//!
//! The queue process gives up its privileges for the user of the queue (`queue.c`, `queue`), who owns the folder `queue`
//! (`queue_fs.c`, `queue_fs_init`: `ckdir(path, 0700, pw->pw_uid, 0, …)`); the folder `offline` has the group of the queue
//! (`queue_backend.c`, `queue_init`). What it may not open it passes over, with a warning that names no file
//! (`queue_fs_envelope_load`).

use crate::evidence::{Fact, Locus, Stat, Text};
use crate::read::disk::Root;
use std::path::Path;

const READ: u32 = 0o4;
const READ_AND_SEARCH: u32 = 0o5;

/// Whom smtpd is when it reads its queue.
#[derive(Debug, Clone)]
pub struct Reader {
    uid: Option<u32>,
    gid: Option<u32>,
    /// Where that is known from.
    pub fact: Fact,
}

impl Reader {
    /// Asks the folders. The user of the queue is never root, so that root's folders are a copy that kept no owners.
    pub fn of(root: &Root) -> Self {
        let owner = |folder: &str| root.stat(Path::new(folder)).ok().map(|(_, stat)| stat);
        let uid = owner("queue").map(|stat| stat.uid).filter(|uid| *uid != 0);
        let gid = owner("offline").map(|stat| stat.gid).filter(|gid| *gid != 0);
        let fact = match uid {
            Some(uid) => {
                let text = format!("the folder `queue` belongs to uid {uid}, as whom smtpd reads it");
                Fact::new(text, Locus::metadata("queue"))
            }
            None => Fact::new(
                "owners are not judged: the folder `queue` belongs to root, as in a copy that kept no owners",
                Locus::whole("."),
            ),
        };
        Self { uid, gid, fact }
    }

    /// The user of the queue, where the folders tell.
    pub fn user(&self) -> Option<u32> {
        self.uid
    }

    /// Why smtpd cannot read this file.
    pub fn refused_file(&self, path: &Path, stat: &Stat) -> Option<Fact> {
        self.refused(path, stat, READ, "read")
    }

    /// Why smtpd cannot look into this folder.
    pub fn refused_folder(&self, path: &Path, stat: &Stat) -> Option<Fact> {
        self.refused(path, stat, READ_AND_SEARCH, "look into")
    }

    fn refused(&self, path: &Path, stat: &Stat, wanted: u32, verb: &str) -> Option<Fact> {
        // The system from which this was read may know neither modes nor inodes; then nothing is judged by them.
        let known = stat.mode != 0 || stat.inode != 0;
        let foreign = self.uid.is_some_and(|uid| uid != stat.uid);
        let allowed = if !foreign {
            stat.mode >> 6
        } else if self.gid == Some(stat.gid) {
            stat.mode >> 3
        } else {
            stat.mode
        };
        if !known || allowed & wanted == wanted {
            return None;
        }
        let reader = self.uid.map_or("smtpd".to_owned(), |uid| format!("uid {uid}"));
        let text =
            format!("mode {:04o}, uid {}: {reader} cannot {verb} `{}`", stat.mode, stat.uid, path.display());
        Some(Fact::new(text, Locus::metadata(Text::from_path(path))))
    }
}
