//! Entries on their way from the walker to the readers: many in one piece, with the folders in which they lie.

use crate::read::disk::{EntryKind, Folder};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Entries that travel together; large enough to make the channel cheap, small enough to keep memory small.
pub const ENTRIES: usize = 256;
/// Folders of one batch: each is held open until the batch is read, and a process has a thousand descriptors.
const FOLDERS: usize = 16;

/// Entries of a few folders.
#[derive(Debug, Default)]
pub struct Batch {
    folders: Vec<Group>,
    names: Names,
}

/// Neighbours in one folder.
#[derive(Debug)]
struct Group {
    /// `None`: the names are paths below the root.
    folder: Option<Arc<Folder>>,
    /// The number of the first entry.
    first: usize,
}

impl Batch {
    /// Adds an entry of this folder, or with this path.
    pub fn push(&mut self, folder: Option<&Arc<Folder>>, name: &Path, kind: EntryKind) {
        let same = |group: &Group| match (&group.folder, folder) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (None, None) => true,
            _ => false,
        };
        if !self.folders.last().is_some_and(same) {
            self.folders.push(Group { folder: folder.cloned(), first: self.names.len() });
        }
        self.names.push(name, kind);
    }

    /// Whether it is time to send it off.
    pub fn is_full(&self) -> bool {
        self.names.len() >= ENTRIES || self.folders.len() >= FOLDERS
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.names.len() == 0
    }

    /// The folders, each with the numbers of its entries.
    pub fn groups(&self) -> impl Iterator<Item = (Option<&Arc<Folder>>, std::ops::Range<usize>)> {
        let ends = self.folders.iter().skip(1).map(|group| group.first).chain([self.names.len()]);
        self.folders.iter().zip(ends).map(|(group, end)| (group.folder.as_ref(), group.first..end))
    }

    /// Writes the path of an entry below the root into `path`, and says what it is.
    pub fn path(&self, folder: Option<&Arc<Folder>>, number: usize, path: &mut PathBuf) -> Option<EntryKind> {
        let (name, kind) = self.names.get(number)?;
        path.clear();
        if let Some(folder) = folder {
            path.push(folder.path());
        }
        path.push(name);
        Some(kind)
    }
}

/// Names one behind the other in one piece of memory.
#[cfg(unix)]
#[derive(Debug, Default)]
pub struct Names {
    bytes: Vec<u8>,
    ends: Vec<(usize, EntryKind)>,
}

#[cfg(unix)]
impl Names {
    /// Adds a name and what it is.
    pub fn push(&mut self, name: &Path, kind: EntryKind) {
        use std::os::unix::ffi::OsStrExt as _;
        self.bytes.extend_from_slice(name.as_os_str().as_bytes());
        self.ends.push((self.bytes.len(), kind));
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    fn get(&self, number: usize) -> Option<(&Path, EntryKind)> {
        use std::os::unix::ffi::OsStrExt as _;
        let (end, kind) = *self.ends.get(number)?;
        let start = number.checked_sub(1).and_then(|before| self.ends.get(before)).map_or(0, |(end, _)| *end);
        Some((Path::new(std::ffi::OsStr::from_bytes(self.bytes.get(start..end)?)), kind))
    }
}

/// Names, where they are no bytes.
#[cfg(not(unix))]
#[derive(Debug, Default)]
pub struct Names(Vec<(PathBuf, EntryKind)>);

#[cfg(not(unix))]
impl Names {
    /// Adds a name and what it is.
    pub fn push(&mut self, name: &Path, kind: EntryKind) {
        self.0.push((name.to_owned(), kind));
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    fn get(&self, number: usize) -> Option<(&Path, EntryKind)> {
        self.0.get(number).map(|(name, kind)| (name.as_path(), *kind))
    }
}

impl Names {
    /// All of them, in the order in which they came.
    #[cfg(unix)]
    pub fn iter(&self) -> impl Iterator<Item = (&Path, EntryKind)> {
        (0..self.len()).filter_map(|number| self.get(number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::disk::Root;

    #[test]
    fn every_entry_keeps_its_folder() {
        let spool = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(spool.path().join("deferred/A")).unwrap();
        let root = Root::open(spool.path()).unwrap();
        let [deferred, hashed] =
            ["deferred", "deferred/A"].map(|path| Arc::new(root.open_folder(Path::new(path), None).unwrap()));
        let mut batch = Batch::default();
        batch.push(Some(&deferred), Path::new("A0"), EntryKind::Regular);
        batch.push(Some(&hashed), Path::new("A1"), EntryKind::Regular);
        batch.push(Some(&hashed), Path::new("A2"), EntryKind::Symlink);
        batch.push(None, Path::new("export.csv"), EntryKind::Regular);
        let mut path = PathBuf::new();
        let mut paths = Vec::new();
        for (folder, numbers) in batch.groups() {
            for number in numbers {
                let kind = batch.path(folder, number, &mut path).unwrap();
                paths.push((path.to_str().unwrap().to_owned(), kind));
            }
        }
        let expected = [
            ("deferred/A0", EntryKind::Regular),
            ("deferred/A/A1", EntryKind::Regular),
            ("deferred/A/A2", EntryKind::Symlink),
            ("export.csv", EntryKind::Regular),
        ];
        assert_eq!(paths, expected.map(|(path, kind)| (path.to_owned(), kind)));
    }

    #[test]
    fn a_batch_holds_only_so_many_folders_open() {
        let spool = tempfile::tempdir().unwrap();
        let root = Root::open(spool.path()).unwrap();
        let mut batch = Batch::default();
        while !batch.is_full() {
            let folder = Arc::new(root.open_folder(Path::new("."), None).unwrap());
            batch.push(Some(&folder), Path::new("one"), EntryKind::Regular);
        }
        assert_eq!(batch.groups().count(), FOLDERS);
    }
}
