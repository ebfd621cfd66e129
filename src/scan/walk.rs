//! One walker. The one door to walkdir.
//!
//! On Unix a folder is listed through a descriptor that leaves its access time alone and cannot be led astray by a link
//! (`read::disk`); walkdir can do neither, and "scanning changes nothing" outranks it. Elsewhere walkdir walks.

use crate::evidence::{Damage, DamageKind, Locus, Text};
use crate::read::disk::{EntryKind, Folder, Root};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What the walker comes across.
#[derive(Debug)]
pub enum Step<'a> {
    /// An entry that is not a folder.
    Entry {
        /// The folder in which it lies; without one, the name is its path below the root.
        folder: Option<&'a Arc<Folder>>,
        /// Its name.
        name: &'a Path,
        /// What it is.
        kind: EntryKind,
    },
    /// A folder or entry that could not be read.
    Damage(Damage),
}

/// Walks the tops below a root, `depth` folders deep, and hands over everything that is not a folder.
pub fn walk(
    root: &Root,
    tops: &[PathBuf],
    depth: usize,
    take: &mut dyn FnMut(Step<'_>) -> ControlFlow<()>,
) -> ControlFlow<()> {
    for top in tops {
        match root.stat(top) {
            Ok((EntryKind::Directory, _)) => walk_folder(root, top, depth, take)?,
            Ok((kind, _)) => take(Step::Entry { folder: None, name: top, kind })?,
            Err(error) => take(Step::Damage(root.refused(top, &error)))?,
        }
    }
    ControlFlow::Continue(())
}

#[cfg(unix)]
fn walk_folder(
    root: &Root,
    top: &Path,
    depth: usize,
    take: &mut dyn FnMut(Step<'_>) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let mut folders = vec![(top.to_owned(), 0)];
    while let Some((folder, level)) = folders.pop() {
        let opened = match root.open_folder(&folder) {
            Ok(opened) => Arc::new(opened),
            // A folder that went away between two looks is a spool at work, not a failure to read.
            Err(damage) if damage.kind == DamageKind::Vanished && level > 0 => continue,
            Err(damage) => {
                take(Step::Damage(damage))?;
                continue;
            }
        };
        opened.each(&mut |entry| {
            let (name, kind) = match entry {
                Ok(entry) => entry,
                Err(error) => return take(Step::Damage(root.refused(&folder, &error))),
            };
            let path = || opened.path().join(name);
            let kind = if kind == EntryKind::Unknown { settle(root, &path(), kind) } else { Ok(kind) };
            match kind {
                Ok(EntryKind::Directory) if level < depth => folders.push((path(), level + 1)),
                Ok(EntryKind::Directory) => take(Step::Damage(too_deep(&path(), depth)))?,
                Ok(kind) => take(Step::Entry { folder: Some(&opened), name, kind })?,
                // Nobody is to be told of a file that was delivered meanwhile.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => take(Step::Damage(root.refused(&path(), &error)))?,
            }
            ControlFlow::Continue(())
        })?;
    }
    ControlFlow::Continue(())
}

#[cfg(not(unix))]
fn walk_folder(
    root: &Root,
    top: &Path,
    depth: usize,
    take: &mut dyn FnMut(Step<'_>) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let start = root.path().join(top);
    let walker = walkdir::WalkDir::new(&start)
        .follow_links(false)
        .same_file_system(!root.crosses_file_systems())
        .max_depth(depth + 1)
        .min_depth(1);
    for entry in walker {
        match entry {
            Ok(entry) => {
                let path = entry.path().strip_prefix(root.path()).unwrap_or(entry.path()).to_owned();
                let kind = if entry.file_type().is_symlink() {
                    EntryKind::Symlink
                } else if entry.file_type().is_dir() {
                    EntryKind::Directory
                } else {
                    EntryKind::Regular
                };
                match kind {
                    EntryKind::Directory if entry.depth() <= depth => {}
                    EntryKind::Directory => take(Step::Damage(too_deep(&path, depth)))?,
                    kind => take(Step::Entry { folder: None, name: &path, kind })?,
                }
            }
            Err(error) => {
                let path = error.path().unwrap_or(&start).to_owned();
                let what = std::io::Error::other(error.to_string());
                take(Step::Damage(root.refused(&path, &what)))?;
            }
        }
    }
    ControlFlow::Continue(())
}

/// The kind of an entry, looked up where the file system does not say it in the directory.
///
/// # Errors
/// As the system reports.
pub(super) fn settle(root: &Root, path: &Path, kind: EntryKind) -> std::io::Result<EntryKind> {
    match kind {
        EntryKind::Unknown => root.stat(path).map(|(kind, _)| kind),
        known => Ok(known),
    }
}

fn too_deep(path: &Path, depth: usize) -> Damage {
    Damage::new(
        DamageKind::Limit,
        Locus::whole(Text::from_path(path)),
        format!(
            "it is more than {depth} folders below its queue, deeper than any mail system puts a message"
        ),
        "look at it by hand, or name it as the path to scan",
    )
}
