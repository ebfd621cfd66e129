//! Where the files of a message lie.
//!
//! Source: notqmail `fmtqfn.c`: `FOLDER/NUMBER` or `FOLDER/(NUMBER % conf-split)/NUMBER`; `INTERNALS.md` section 2.

use super::split::Split;
use std::path::{Path, PathBuf};

/// The folders that hold files of messages, in the order in which a message passes through them.
pub const FOLDERS: [&str; 8] = ["pid", "mess", "intd", "todo", "info", "local", "remote", "bounce"];
/// A lost half is looked for in every numbered folder if there are no more than this many: a bound for the work per file.
const MAX_SEARCHED: u64 = 256;

/// Where the files of a message lie.
#[derive(Debug, Clone)]
pub struct Layout {
    /// How `mess`, `info`, `local` and `remote` are split.
    pub split: Split,
    /// Whether `todo` and `intd` are split as well (the big-todo patch).
    pub todo_is_split: bool,
}

impl Layout {
    /// The one place in which qmail looks for a file; `None` if the split is not known.
    pub fn path(&self, folder: &str, number: u64) -> Option<PathBuf> {
        if self.is_split(folder) {
            let part = number.checked_rem(self.split.number?)?;
            Some(numbered(folder, &part.to_string(), number))
        } else {
            Some(flat(folder, number))
        }
    }

    /// Whether qmail splits this folder.
    pub fn is_split(&self, folder: &str) -> bool {
        match folder {
            "mess" | "info" | "local" | "remote" => true,
            "todo" | "intd" => self.todo_is_split,
            _ => false,
        }
    }

    /// Where a file of this message may be: beside its other half, where it belongs, and where the other way of splitting
    /// `todo` would have put it.
    pub fn likely(&self, folder: &str, number: u64, beside: Option<&str>) -> Vec<PathBuf> {
        let mut places: Vec<PathBuf> = Vec::with_capacity(3);
        let mut add = |path: PathBuf| {
            if !places.contains(&path) {
                places.push(path);
            }
        };
        if self.is_split(folder)
            && let Some(part) = beside
        {
            add(numbered(folder, part, number));
        }
        if let Some(path) = self.path(folder, number) {
            add(path);
        }
        if matches!(folder, "todo" | "intd") {
            add(flat(folder, number));
        }
        places
    }

    /// Every numbered place in which a file of this message could have been put by mistake.
    pub fn anywhere(&self, folder: &str, number: u64) -> impl Iterator<Item = PathBuf> {
        let parts = if self.is_split(folder) { self.split.folders.min(MAX_SEARCHED) } else { 0 };
        let folder = folder.to_owned();
        (0..parts).map(move |part| numbered(&folder, &part.to_string(), number))
    }
}

fn numbered(folder: &str, part: &str, number: u64) -> PathBuf {
    Path::new(folder).join(part).join(number.to_string())
}

fn flat(folder: &str, number: u64) -> PathBuf {
    Path::new(folder).join(number.to_string())
}
