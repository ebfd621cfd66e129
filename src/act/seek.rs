//! Looking for a message that may have been handed in: by the trace field that ghostq put on top of it.

use crate::read::disk::{EntryKind, Root};
use memchr::memmem;
use std::path::{Path, PathBuf};

/// The header of a message lies in the first part of the file that holds it.
const HEAD: usize = 256 << 10;
/// Files that are looked into; a spool that holds more cannot be searched in a reasonable time, and the question stays open.
const MAX_FILES: usize = 2_000_000;
/// Folders within folders.
const MAX_DEPTH: usize = 8;

/// Looks for a mark in the files below a folder: the path of the first that holds it.
///
/// # Errors
/// When the folder cannot be opened.
pub fn seek(folder: &Path, mark: &str) -> std::io::Result<Option<PathBuf>> {
    let root = Root::open(folder)?;
    let finder = memmem::Finder::new(mark.as_bytes());
    let mut waiting = vec![(PathBuf::from("."), 0)];
    let mut seen = 0;
    while let Some((folder, depth)) = waiting.pop() {
        let Ok(names) = root.list(&folder) else { continue };
        for (name, kind) in names.flatten() {
            let path = if folder == Path::new(".") { name } else { folder.join(name) };
            let kind = match kind {
                EntryKind::Unknown => root.stat(&path).map_or(kind, |(kind, _)| kind),
                known => known,
            };
            match kind {
                EntryKind::Directory if depth < MAX_DEPTH => waiting.push((path, depth + 1)),
                EntryKind::Regular => {
                    seen += 1;
                    let head = root.open_file(&path).ok().and_then(|open| open.head(HEAD).ok());
                    if head.is_some_and(|head| finder.find(&head).is_some()) {
                        return Ok(Some(path));
                    }
                }
                _ => {}
            }
            if seen >= MAX_FILES {
                return Ok(None);
            }
        }
    }
    Ok(None)
}
