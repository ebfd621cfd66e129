//! What has to be changed so that smtpd can read a message where it looks for it.

use super::folder::CONTENT;
use super::id;
use super::reader::Reader;
use crate::evidence::{Stat, Text};
use crate::plan::{Change, Refusal};
use crate::read::disk::{EntryKind, Root};
use std::path::{Path, PathBuf};

/// `queue_fs.c`, `queue_fs_init` and `queue_fs_message_create`: `mkdir(path, 0700)`.
const FOLDER_MODE: u32 = 0o700;
/// `queue_fs.c`, `queue_fs_envelope_dump`, and `queue_fs_message_fd_rw`: 0600.
const FILE_MODE: u32 = 0o600;

/// A message in `queue` with its files.
pub struct Files<'a> {
    /// The spool.
    pub root: &'a Root,
    /// Whom smtpd is.
    pub reader: &'a Reader,
    /// The folder of the message.
    pub folder: &'a Path,
    /// Its envelopes.
    pub envelopes: &'a [PathBuf],
}

impl Files<'_> {
    /// The owners and modes without which smtpd cannot read the message: files first, then its folder, then the bucket.
    ///
    /// # Errors
    /// When it is not known whom they are to belong to.
    pub fn readable(&self) -> Result<Vec<Change>, Refusal> {
        let content = self.folder.join(CONTENT);
        let mut changes = Vec::new();
        for path in self.envelopes.iter().chain([&content]) {
            let stat = self.stat(path, EntryKind::Regular)?;
            if self.reader.refused_file(path, &stat).is_some() {
                self.put_right(path, &stat, FILE_MODE, &mut changes)?;
            }
        }
        for path in self.folder.ancestors().take(2).filter(|path| path.components().count() > 1) {
            let stat = self.stat(path, EntryKind::Directory)?;
            if self.reader.refused_folder(path, &stat).is_some() {
                self.put_right(path, &stat, FOLDER_MODE, &mut changes)?;
            }
        }
        Ok(changes)
    }

    /// The folder of the message goes to the bucket that its ID gives; `fsqueue_message_path`.
    ///
    /// # Errors
    /// When it is no folder of one message, or something is there already.
    pub fn moved_to_bucket(&self, message: &str) -> Result<Vec<Change>, Refusal> {
        let expected = id::folder(message);
        if expected == self.folder {
            return Ok(Vec::new());
        }
        if id::message(id::last(self.folder).bytes()) != Some(message) {
            return Err(Refusal::new(
                "it does not lie in a folder of its own",
                "move it by hand, only if nothing of its name is at the place where smtpd looks",
            ));
        }
        if self.root.exists(&expected) {
            let reason = format!("there is something at `{}` already", expected.display());
            return Err(Refusal::new(reason, "compare the two: one may be an older state of the other"));
        }
        let bucket = expected.parent().unwrap_or(Path::new("queue"));
        let (user, queue) = (self.user()?, self.stat(Path::new("queue"), EntryKind::Directory)?);
        let (path, gid) = (Text::from_path(bucket), queue.gid);
        let folder = Change::Folder { path, uid: user, gid, mode: FOLDER_MODE };
        let made = (!self.root.exists(bucket)).then_some(folder);
        let rename = Change::Rename { from: Text::from_path(self.folder), to: Text::from_path(&expected) };
        Ok(made.into_iter().chain([rename]).collect())
    }

    fn put_right(
        &self,
        path: &Path,
        stat: &Stat,
        mode: u32,
        changes: &mut Vec<Change>,
    ) -> Result<(), Refusal> {
        let (user, path) = (self.user()?, Text::from_path(path));
        if stat.uid != user {
            changes.push(Change::Owner { path: path.clone(), uid: user, gid: None });
        }
        if stat.mode != mode {
            changes.push(Change::Mode { path, mode });
        }
        Ok(())
    }

    fn user(&self) -> Result<u32, Refusal> {
        self.reader.user().ok_or_else(|| {
            Refusal::new(
                "whom smtpd is when it reads its queue is not known: the folder `queue` belongs to root",
                "give `queue` to the user of the queue first (`_smtpq`, on Debian opensmtpq)",
            )
        })
    }

    fn stat(&self, path: &Path, kind: EntryKind) -> Result<Stat, Refusal> {
        match self.root.stat(path) {
            Ok((found, stat)) if found == kind => Ok(stat),
            Ok(_) => Err(Refusal::new(format!("`{}` is not what it should be", path.display()), "")),
            Err(error) => {
                Err(Refusal::new(format!("`{}` could not be looked at: {error}", path.display()), ""))
            }
        }
    }
}
