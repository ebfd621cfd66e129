//! Queue folders. A spool has one or many, and each may keep its files in subfolders `qf`, `df` and `xf`.
//!
//! Source: sendmail `sendmail/queue.c` (`multiqueue_cache`, `queuename`: `QP_SUBQF`, `QP_SUBDF`, `QP_SUBXF`).

use super::name;
use crate::read::disk::{EntryKind, Root};
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// Subfolders that belong to a queue folder rather than being one.
const SUBFOLDERS: [&str; 3] = ["qf", "df", "xf"];
/// Queue folders of one spool; sites that split their queue use a few dozen.
const MAX_FOLDERS: usize = 1_024;
/// Folders of folders: `QueueDirectory=/var/spool/mqueue` with groups in `/var/spool/mqueue/group/q*` is two down.
const MAX_LEVELS: usize = 3;
/// Names that are looked at to tell whether a folder holds a queue.
const MAX_NAMES: usize = 64;
/// Names of a folder that is searched for queue folders.
const MAX_SEARCHED: usize = 1_000_000;

/// IDs of control files with names that sendmail passes over; each is a message whose data file is not alone.
const MAX_OVERLONG: usize = 10_000;

/// What is in a spool, as far as it has to be known before a file is judged.
#[derive(Debug, Default)]
pub struct Folders {
    /// The queue folders, the spool itself (as an empty path) first.
    pub paths: Vec<PathBuf>,
    /// IDs at the start of control files' names that are too long.
    pub overlong: HashSet<Vec<u8>>,
}

/// The queue folder in which a file lies, relative to the spool.
pub fn folder_of(path: &Path) -> PathBuf {
    let parent = path.parent().unwrap_or(Path::new(""));
    let is_sub = parent.file_name().is_some_and(|name| SUBFOLDERS.iter().any(|sub| name == *sub));
    if is_sub { parent.parent().unwrap_or(Path::new("")).to_owned() } else { parent.to_owned() }
}

/// Whether a name is that of a subfolder for one kind of file.
pub fn is_subfolder(name: &std::ffi::OsStr) -> bool {
    SUBFOLDERS.iter().any(|sub| name == *sub)
}

/// Where a file of this letter and ID may lie in a queue folder.
pub fn candidates(folder: &Path, letter: char, id: &[u8]) -> [PathBuf; 2] {
    let mut bytes = format!("{letter}f").into_bytes();
    bytes.extend_from_slice(id);
    let name = crate::evidence::Text::new(bytes).to_path();
    let sub = match letter {
        'd' => "df",
        'x' => "xf",
        _ => "qf",
    };
    [folder.join(&name), folder.join(sub).join(&name)]
}

impl Folders {
    /// Looks through a spool.
    pub fn of(root: &Root) -> Self {
        let mut found = Self { paths: vec![PathBuf::new()], overlong: HashSet::new() };
        let mut waiting = vec![(PathBuf::new(), 0)];
        while let Some((folder, level)) = waiting.pop() {
            let top = if folder.as_os_str().is_empty() { Path::new(".") } else { folder.as_path() };
            let Ok(entries) = root.list(top) else { continue };
            for (name, kind) in entries.flatten().take(MAX_SEARCHED) {
                if kind != EntryKind::Directory {
                    found.note_overlong(name.as_os_str().as_encoded_bytes());
                    continue;
                }
                let hidden = name.to_str().is_some_and(|name| name.starts_with('.'));
                let path = folder.join(&name);
                if is_subfolder(name.as_os_str()) {
                    found.note_names(root, &path);
                } else if !hidden && found.paths.len() < MAX_FOLDERS {
                    if holds_queue(root, &path) {
                        found.paths.push(path.clone());
                    }
                    if level + 1 < MAX_LEVELS {
                        waiting.push((path, level + 1));
                    }
                }
            }
        }
        found.paths.sort();
        found
    }

    fn note_names(&mut self, root: &Root, folder: &Path) {
        let Ok(entries) = root.list(folder) else { return };
        for (name, _) in entries.flatten().take(MAX_SEARCHED) {
            self.note_overlong(name.as_os_str().as_encoded_bytes());
        }
    }

    fn note_overlong(&mut self, name: &[u8]) {
        if name.len() <= name::LONGEST || self.overlong.len() >= MAX_OVERLONG {
            return;
        }
        if let Some((name::Kind::Control(_), id)) = name::judge(name)
            && let Some(stem) = name::stem(id)
        {
            self.overlong.insert(stem.to_vec());
        }
    }
}

fn holds_queue(root: &Root, folder: &Path) -> bool {
    let Ok(entries) = root.list(folder) else { return false };
    entries.flatten().take(MAX_NAMES).any(|(entry, kind)| match kind {
        EntryKind::Directory => is_subfolder(entry.as_os_str()),
        _ => is_queue_file(entry.as_os_str().as_encoded_bytes()),
    })
}

/// Whether this is the name of a file that only sendmail makes.
pub fn is_queue_file(name: &[u8]) -> bool {
    name::judge(name).is_some_and(|(_, id)| name::is_queue_id(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_in_a_subfolder_belongs_to_the_folder_above() {
        assert_eq!(folder_of(Path::new("q1/df/df6AO0BMtP000928")), Path::new("q1"));
        assert_eq!(folder_of(Path::new("q1/df6AO0BMtP000928")), Path::new("q1"));
        assert_eq!(folder_of(Path::new("df/df6AO0BMtP000928")), Path::new(""));
        assert_eq!(folder_of(Path::new("df6AO0BMtP000928")), Path::new(""));
        let [flat, sub] = candidates(Path::new("q1"), 'h', b"6AO0BMtP000928");
        assert_eq!(flat, Path::new("q1/hf6AO0BMtP000928"));
        assert_eq!(sub, Path::new("q1/qf/hf6AO0BMtP000928"));
    }
}
