//! The message in a file, and the envelope that stands above it.
//!
//! Fields of an envelope are at the very top of a file in Pickup, Replay, Drop and Badmail only. They are no part of the message:
//! what IIS and Exchange send does not have them (KB Q201314; "Pickup directory and Replay directory": the X-headers of Replay
//! are taken off). In Queue the envelope is in named streams, and an `X-Sender` field there is one that the sender's program
//! wrote.

use super::envelope;
use super::layout::{Folder, FolderKind};
use super::names::{self, NameKind};
use crate::evidence::{At, Message, PartKind};
use crate::plan::{Outgoing, Refusal};
use crate::read::disk::Root;
use crate::read::mime;
use crate::sources::Extent;
use crate::sources::verbatim::{self, End};
use std::io::Write;
use std::path::{Path, PathBuf};

/// The file that holds the message: the first part, if it is a file of its own.
pub fn place(message: &Message) -> Option<PathBuf> {
    let part = message.parts.iter().find(|part| matches!(part.kind, PartKind::Whole | PartKind::Content))?;
    (part.locus.at == At::Whole).then(|| part.locus.path.to_path())
}

/// Whether an envelope may stand at the top of the files of a folder.
pub fn has_top(folder: FolderKind) -> bool {
    matches!(folder, FolderKind::Pickup | FolderKind::Replay | FolderKind::Drop | FolderKind::Badmail)
}

/// The envelope at the top of a file, and where the message begins below it.
///
/// # Errors
/// [`Refusal`] if it cannot be read, or goes on beyond what is read.
pub fn top(root: &Root, folder: FolderKind, path: &Path) -> Result<(Option<Outgoing>, u64), Refusal> {
    if !has_top(folder) {
        return Ok((None, 0));
    }
    let file = root.open_file(path).map_err(|damage| verbatim::unreadable(&damage))?;
    let head = file.head(mime::MAX_HEAD_BYTES);
    let head = head.map_err(|error| verbatim::unreadable(&root.refused(path, &error)))?;
    envelope::outgoing(&mime::headers(&head), folder == FolderKind::Replay)
}

/// Writes the message of a file.
///
/// # Errors
/// [`Refusal`] if there is none, or it is not whole.
pub fn write(
    folders: &[Folder],
    root: &Root,
    message: &Message,
    extent: Extent,
    out: &mut dyn Write,
) -> Result<(), Refusal> {
    let Some(path) = place(message) else {
        return Err(Refusal::new(
            "its content is not there",
            "look for the `.EML` of this name in the backup from which its streams came",
        ));
    };
    if matches!(names::kind_of(&path), NameKind::BadReason | NameKind::BadProperties | NameKind::Transcript) {
        return Err(Refusal::new("it is a note, and no message", "read it by hand"));
    }
    let folder = folder_of(folders, &path);
    let (_, from) = top(root, folder.map_or(FolderKind::Queue, |folder| folder.kind), &path)?;
    verbatim::write(root, &path, from, extent, End::OfLineWithoutNul, out)
}

/// The folder in which a file lies.
pub fn folder_of<'a>(folders: &'a [Folder], path: &Path) -> Option<&'a Folder> {
    let parent = path.parent().unwrap_or(Path::new(""));
    folders.iter().find(|folder| folder.path == parent)
}
