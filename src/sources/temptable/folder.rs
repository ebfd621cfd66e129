//! Folders as MFCMAPI exports them: a tree in which each folder of the store has its own, with its tables and messages.
//!
//! "Export server contents" writes every mailbox of a store. Only the folders of the SMTP mailbox in which mail waits are
//! queues; a user's inbox is not.

use super::labels::{self, Labels};
use super::mrmapi::record_key;
use crate::read::disk::{EntryKind, Root};
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Folders below an exported one that are looked into.
pub const MAX_DEPTH: usize = 8;
/// Folders whose labels are remembered.
const MAX_FOLDERS: usize = 4_096;
/// Message files of one folder whose names are remembered (each takes about 80 bytes).
const MAX_MESSAGE_FILES: usize = 1_000_000;
/// Folders in which the names of queues are looked for at the start.
const MAX_LOOKED_INTO: usize = 1_000;

/// Whether a folder of the SMTP mailbox holds mail that waits. Source: E. Dodds, "Exchange special mailboxes part 3: SMTP
/// mailbox", 2004-12-27: `MTS-IN`, `MTS-OUT`, `TempTable#n`.
pub fn is_queue(name: &str) -> bool {
    ["TempTable", "MTS-IN", "MTS-OUT"]
        .iter()
        .any(|queue| name.get(..queue.len()).is_some_and(|head| head.eq_ignore_ascii_case(queue)))
}

/// Whether the folder at this path is one of them; `None` if no label says what it is.
pub fn says_queue(path: &Path) -> Option<bool> {
    let root = Root::open(path).ok()?.crossing_file_systems(true);
    labels::of_folder(&root, Path::new(".")).folder.map(|name| is_queue(&name))
}

/// The folders of one opened tree, as their labels come to be known.
#[derive(Debug)]
pub struct Folders {
    /// Whether the user named the top folder, so that it is read whatever it is called.
    named: bool,
    known: Mutex<HashMap<PathBuf, Arc<Labels>>>,
}

impl Folders {
    pub fn new(named: bool) -> Self {
        Self { named, known: Mutex::default() }
    }

    /// The label of the folder in which a file lies, and whether the file is to be read.
    pub fn label(&self, root: &Root, file: &Path) -> (Arc<Labels>, bool) {
        let folder = file.parent().unwrap_or(Path::new("")).to_owned();
        let top = folder.as_os_str().is_empty();
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&folder).cloned();
        let label = known.unwrap_or_else(|| {
            let label = Arc::new(labels::of_folder(root, &folder));
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            if known.len() < MAX_FOLDERS {
                known.insert(folder, Arc::clone(&label));
            }
            label
        });
        let on_disk = file.parent().and_then(Path::file_name).and_then(|name| name.to_str());
        let queue = label.folder.as_deref().or(on_disk).map(is_queue);
        let read = queue.unwrap_or(top) || (top && self.named);
        (label, read)
    }
}

/// The record keys of the messages that have a file of their own beside this one.
pub fn messages_beside(root: &Root, file: &Path) -> HashSet<String> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let Ok(entries) = root.list(folder) else { return HashSet::new() };
    let names =
        entries.filter_map(Result::ok).filter_map(|(name, _)| name.into_os_string().into_string().ok());
    // A `.msg` beside the table is not read, so the row is all that is known.
    let xml = names.filter(|name| name.to_ascii_lowercase().ends_with(".xml"));
    xml.filter_map(|name| record_key(&name)).take(MAX_MESSAGE_FILES).collect()
}

/// The names of the queues in a tree, in the order of the file system.
pub fn queues(root: &Root) -> Vec<String> {
    let mut queues = Vec::new();
    let mut waiting = vec![(PathBuf::from("."), 0)];
    for _ in 0..MAX_LOOKED_INTO {
        let Some((folder, depth)) = waiting.pop() else { break };
        let label = labels::of_folder(root, &folder).folder;
        queues.extend(label.filter(|name| is_queue(name)));
        let Ok(entries) = root.list(&folder) else { continue };
        let folders = entries.filter_map(Result::ok).filter(|(_, kind)| *kind == EntryKind::Directory);
        if depth < MAX_DEPTH {
            waiting.extend(folders.take(MAX_LOOKED_INTO).map(|(name, _)| (folder.join(name), depth + 1)));
        }
    }
    queues.sort();
    queues.dedup();
    queues
}
