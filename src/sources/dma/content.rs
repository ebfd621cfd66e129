//! The content of a message, and its envelope, read anew.

use super::envelope::{self, Reading};
use crate::evidence::{At, Message, PartKind};
use crate::plan::Refusal;
use crate::read::disk::Root;
use crate::sources::Extent;
use crate::sources::verbatim::{self, End};
use std::io::Write;
use std::path::{Path, PathBuf};

/// The M file of a message.
pub fn place(message: &Message) -> Option<PathBuf> {
    let content = message.parts.iter().find(|part| part.kind == PartKind::Content);
    content.filter(|part| part.locus.at == At::Whole).map(|part| part.locus.path.to_path())
}

/// Writes an M file. dma ends every line that it takes in (`mail.c`, `readmail`), so that one whose last line has no end was
/// cut off.
///
/// # Errors
/// [`Refusal`] if there is none, or if it is not whole.
pub fn write(root: &Root, message: &Message, extent: Extent, out: &mut dyn Write) -> Result<(), Refusal> {
    let Some(path) = place(message) else {
        return Err(Refusal::new(
            "its content is not there",
            "look for it under the name of another recipient: the number before the dot in the ID is its inode; but make sure \
             that it is this message, since inodes are used again",
        ));
    };
    verbatim::write(root, &path, 0, extent, End::OfLine, out)
}

/// Reads a Q file.
///
/// # Errors
/// [`Refusal`] if it cannot be read.
pub fn envelope(root: &Root, path: &Path) -> Result<Reading, Refusal> {
    let file = root.open_file(path).map_err(|damage| verbatim::unreadable(&damage))?;
    if file.stat.size > envelope::MAX_BYTES as u64 {
        return Err(Refusal::new("its Q file is larger than dma writes any", "look at it by hand"));
    }
    let bytes = file.all(envelope::MAX_BYTES);
    let bytes = bytes.map_err(|error| verbatim::unreadable(&root.refused(path, &error)))?;
    Ok(envelope::read(&bytes))
}
