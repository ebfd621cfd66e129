//! The queues of a spool: the default one, and named ones at any depth (`queue_name`, specification chapter `named queues`).

use crate::read::disk::{EntryKind, Root};
use std::path::{Path, PathBuf};

/// Queues that are looked for, at most.
const MAX_QUEUES: usize = 1_000;
/// How deep: a name with so many slashes.
const MAX_DEPTH: usize = 6;
/// Names of one folder that are looked at, at most.
const MAX_NAMES: usize = 4_096;
/// Folders of a spool that hold no queue.
const NO_QUEUES: [&str; 7] = ["db", "scan", "input", "msglog", "msglog.OLD", "Finput", "Fmsglog"];

/// The folders that are walked for one queue.
const WALKED: [&str; 4] = ["input", "Finput", "msglog", "Fmsglog"];

/// The folders of all queues below a spool; the empty path is the default queue.
pub fn find(root: &Root) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut waiting = vec![(PathBuf::new(), 0)];
    while let Some((folder, depth)) = waiting.pop() {
        if is_folder(root, &folder.join("input")) || is_folder(root, &folder.join("Finput")) {
            found.push(folder.clone());
        }
        if depth == MAX_DEPTH || found.len() >= MAX_QUEUES {
            continue;
        }
        let here = if folder.as_os_str().is_empty() { Path::new(".") } else { folder.as_path() };
        let Ok(names) = root.list(here) else { continue };
        for (name, kind) in names.filter_map(Result::ok).take(MAX_NAMES) {
            let path = folder.join(&name);
            let skipped = name.to_str().is_some_and(|name| NO_QUEUES.contains(&name));
            let maybe = matches!(kind, EntryKind::Directory | EntryKind::Unknown);
            if maybe && !skipped && waiting.len() < MAX_QUEUES && is_folder(root, &path) {
                waiting.push((path, depth + 1));
            }
        }
    }
    found.sort();
    found
}

/// The folders that are walked for these queues: first the messages of all of them, then the logs.
pub fn tops(root: &Root, queues: &[PathBuf]) -> Vec<PathBuf> {
    let folders = WALKED.iter().flat_map(|folder| queues.iter().map(move |queue| queue.join(folder)));
    folders.filter(|folder| is_folder(root, folder)).collect()
}

/// Whether there is a folder of this name.
pub fn is_folder(root: &Root, path: &Path) -> bool {
    matches!(root.stat(path), Ok((EntryKind::Directory, _)))
}
