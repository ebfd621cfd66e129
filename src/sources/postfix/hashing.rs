//! How the queues of a spool without a `main.cf` are hashed, as its files show.

use super::layout::{self, Layout, QUEUES};
use super::queue_id;
use crate::evidence::{Fact, Locus, Text};
use crate::read::disk::{EntryKind, Root};
use std::path::{Path, PathBuf};

/// Files that are asked in each queue.
const MAX_FILES: usize = 200;
/// Folders that are looked into for them.
const MAX_FOLDERS: usize = 300;
/// Entries of a folder that are looked at.
const MAX_ENTRIES: usize = 2_000;
/// Where files lie one above the other by mistake, two of them seldom agree; one agrees with itself always.
const ENOUGH: usize = 2;

/// What the files of a queue say.
struct Sample {
    queue: &'static str,
    depth: usize,
    files: usize,
    /// Whether it has subfolders as Postfix makes them for hashing.
    has_folders: bool,
}

/// Sets the depth of each queue to that of its files where they all agree on one, and says so. A depth is set for a whole
/// spool (`hash_queue_depth`), so that the files of all queues speak for it.
pub fn infer(layout: &mut Layout, root: &Root) -> Vec<Fact> {
    let samples: Vec<Sample> = QUEUES.into_iter().filter_map(|queue| sample(root, queue)).collect();
    let mut facts = Vec::new();
    for one in &samples {
        let agreeing: usize =
            samples.iter().filter(|other| other.depth == one.depth).map(|other| other.files).sum();
        // Files beside the folders do not show that a queue is not hashed, and where it always is, more likely a restore
        // has lost the folders.
        let usual = layout.depth_of(one.queue);
        if agreeing < ENOUGH || one.depth == 0 && (one.has_folders || usual > 0) {
            continue;
        }
        if usual != one.depth {
            let text = format!(
                "`{}` is taken to be hashed {} deep: so lie all of its files that were sampled, {}; no main.cf was found",
                one.queue, one.depth, one.files
            );
            facts.push(Fact::new(text, Locus::whole(one.queue)));
        }
        layout.infer(one.queue, one.depth);
    }
    facts
}

/// The depth of a queue, if the sampled files agree on one.
fn sample(root: &Root, queue: &'static str) -> Option<Sample> {
    // The maildrop is never hashed, `saved` and `corrupt` are moved into by hand, and `flush` has no queue IDs.
    if matches!(queue, "maildrop" | "corrupt" | "saved" | "flush") {
        return None;
    }
    let mut sample = Sample { queue, depth: 0, files: 0, has_folders: false };
    let mut waiting = vec![(PathBuf::from(queue), 0)];
    for _ in 0..MAX_FOLDERS {
        let Some((folder, level)) = waiting.pop() else { break };
        let Ok(entries) = root.list(&folder) else { continue };
        for (name, kind) in entries.flatten().take(MAX_ENTRIES) {
            let path = folder.join(&name);
            let id = Text::from_path(&name);
            let is_letter =
                matches!(id.bytes(), [letter] if letter.is_ascii_alphanumeric() || *letter == b'_');
            let kind = if kind == EntryKind::Unknown { root.stat(&path).ok()?.0 } else { kind };
            if kind == EntryKind::Directory && is_letter {
                sample.has_folders = true;
                if level < layout::PLAUSIBLE_DEPTH {
                    waiting.push((path, level + 1));
                }
            } else if kind == EntryKind::Regular && queue_id::decode(id.bytes()).is_some() {
                if !sample.agrees(&path, &id, level) {
                    return None;
                }
                if sample.files >= MAX_FILES {
                    return Some(sample);
                }
            }
        }
    }
    (sample.files > 0).then_some(sample)
}

impl Sample {
    /// Counts a file, if it lies where it would by the depth of those before it.
    fn agrees(&mut self, path: &Path, id: &Text, level: usize) -> bool {
        let fits = layout::path_at_depth(self.queue, id.bytes(), level) == path;
        let agrees = fits && (self.files == 0 || self.depth == level);
        self.depth = level;
        self.files += 1;
        agrees
    }
}
