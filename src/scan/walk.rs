//! One walker. The one door to walkdir.
//!
//! On Unix a folder is listed through a descriptor that leaves its access time alone and cannot be led astray by a link
//! (`read::disk`); walkdir can do neither, and "scanning changes nothing" outranks it. Elsewhere walkdir walks.

#[cfg(unix)]
use super::batch::Names;
use crate::evidence::{Damage, DamageKind, Locus, Text};
#[cfg(unix)]
use crate::read::disk::TakeName;
use crate::read::disk::{EntryKind, Folder, Root};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Names of a folder that are held before it is read: some ten megabytes.
#[cfg(unix)]
const MAX_HELD: usize = 256 << 10;

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
    let mut folders = vec![(top.to_owned(), 0, None)];
    while let Some((path, level, above)) = folders.pop() {
        let folder = match root.open_folder(&path, above) {
            Ok(folder) => Arc::new(folder),
            // A folder that went away between two looks is a spool at work, not a failure to read.
            Err(damage) if damage.kind == DamageKind::Vanished && level > 0 => continue,
            Err(damage) => {
                take(Step::Damage(damage))?;
                continue;
            }
        };
        let memory = root.memory_of(folder.path());
        let mut give = |entry: std::io::Result<(&Path, EntryKind)>| {
            let (name, kind) = match entry {
                Ok(entry) => entry,
                Err(error) => return take(Step::Damage(root.refused(&path, &error))),
            };
            if let (EntryKind::Regular, Some((remembered, scope))) = (kind, &memory) {
                remembered.meet(scope, name);
            }
            let whole = || folder.path().join(name);
            let kind = if kind == EntryKind::Unknown { settle(root, &whole(), kind) } else { Ok(kind) };
            match kind {
                Ok(EntryKind::Directory) if level < depth => {
                    folders.push((whole(), level + 1, Some(Arc::clone(&folder))));
                }
                Ok(EntryKind::Directory) => take(Step::Damage(too_deep(&whole(), depth)))?,
                Ok(kind) => take(Step::Entry { folder: Some(&folder), name, kind })?,
                // Nobody is to be told of a file that was delivered meanwhile.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => take(Step::Damage(root.refused(&whole(), &error)))?,
            }
            ControlFlow::Continue(())
        };
        if root.keeps_names() { list_first(&folder, MAX_HELD, &mut give) } else { folder.each(&mut give) }?;
    }
    ControlFlow::Continue(())
}

/// Lists a folder to its end before it hands over the first name, so that each is read in the knowledge of all. A folder of
/// too many names, or one that cannot be listed to its end, is handed over as it comes.
#[cfg(unix)]
fn list_first(folder: &Folder, most: usize, give: &mut TakeName<'_>) -> ControlFlow<()> {
    let mut names = Some(Names::default());
    folder.each(&mut |entry| {
        let Some(held) = &mut names else { return give(entry) };
        if let Ok((name, kind)) = entry {
            held.push(name, kind);
            if held.len() < most {
                return ControlFlow::Continue(());
            }
        }
        let held = names.take().unwrap_or_default();
        held.iter().try_for_each(|entry| give(Ok(entry)))?;
        if entry.is_err() { give(entry) } else { ControlFlow::Continue(()) }
    })?;
    let Some(held) = names else { return ControlFlow::Continue(()) };
    folder.knows(held.iter().map(|(name, _)| name));
    held.iter().try_for_each(|entry| give(Ok(entry)))
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

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    /// The names that are handed over of a folder of three, of which so many are held; and whether it knows them then.
    fn listed(most: usize) -> (Vec<String>, Option<bool>) {
        let spool = tempfile::tempdir().unwrap();
        std::fs::create_dir(spool.path().join("input")).unwrap();
        for name in ["1-D", "1-H", "2-H"] {
            std::fs::write(spool.path().join("input").join(name), "").unwrap();
        }
        let root = Root::open(spool.path()).unwrap();
        let folder = Arc::new(root.open_folder(Path::new("input"), None).unwrap());
        let mut names = Vec::new();
        let whole = list_first(&folder, most, &mut |entry| {
            names.push(entry.unwrap().0.to_str().unwrap().to_owned());
            ControlFlow::Continue(())
        });
        assert!(whole.is_continue());
        names.sort();
        (names, root.within(&folder).listed(Path::new("input/1-H")))
    }

    #[test]
    fn a_folder_of_too_many_names_is_read_as_it_comes_and_knows_nothing() {
        let all: Vec<String> = ["1-D", "1-H", "2-H"].map(str::to_owned).into();
        assert_eq!(listed(4), (all.clone(), Some(true)));
        for most in 1..=3 {
            assert_eq!(listed(most), (all.clone(), None), "{most}");
        }
    }
}
