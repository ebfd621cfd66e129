//! The queue folders, and where in them a queue ID belongs.

use super::queue_id;
use std::path::{Path, PathBuf};

/// Queue folders, in the order in which `postsuper` and `showq` know them; `corrupt` and `saved` are known to neither.
/// Source: `global/mail_queue.h`.
pub const QUEUES: [&str; 11] = [
    "maildrop", "incoming", "active", "deferred", "hold", "corrupt", "saved", "defer", "bounce", "trace",
    "flush",
];

/// The message queues that every spool has and `showq` lists.
pub const SCANNED: [&str; 5] = ["maildrop", "incoming", "active", "deferred", "hold"];

/// Deeper folders than this are not walked even if the configuration asks for them.
const MAX_DEPTH: usize = 16;
/// Nobody is known to hash deeper: with four letters there are 65,536 folders in a queue.
pub const PLAUSIBLE_DEPTH: usize = 4;

/// What lies in a queue folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// Messages.
    Messages,
    /// Logs, one a message, of the same name.
    Logs,
    /// Lists of destinations to flush: no mail, and no part of any.
    FlushLists,
}

/// What lies in the queue folder of this name.
pub fn content_of(queue: &str) -> Option<Content> {
    match queue {
        "maildrop" | "incoming" | "active" | "deferred" | "hold" | "corrupt" | "saved" => {
            Some(Content::Messages)
        }
        "defer" | "bounce" | "trace" => Some(Content::Logs),
        "flush" => Some(Content::FlushLists),
        _ => None,
    }
}

/// How the queues are hashed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    hashed: Vec<String>,
    depth: usize,
    /// Queues of which the files themselves showed how deep they are hashed.
    inferred: Vec<(&'static str, usize)>,
    /// Whether this was read from a configuration, rather than assumed.
    pub configured: bool,
}

impl Default for Layout {
    /// `hash_queue_names = deferred, defer`, `hash_queue_depth = 1` (`global/mail_params.h`).
    fn default() -> Self {
        let hashed = vec!["deferred".into(), "defer".into()];
        Self { hashed, depth: 1, inferred: Vec::new(), configured: false }
    }
}

impl Layout {
    /// A layout as configured.
    pub fn new(names: &str, depth: usize) -> Self {
        let hashed = names
            .split(|c: char| c == ',' || c.is_ascii_whitespace())
            .filter(|name| !name.is_empty())
            .map(str::to_ascii_lowercase)
            .collect();
        Self { hashed, depth: depth.clamp(1, MAX_DEPTH), inferred: Vec::new(), configured: true }
    }

    /// How deep to walk below a queue folder: one folder more than the hashing makes, so that what was set down too deep
    /// is seen, and at least eight.
    pub fn walk_depth(&self) -> usize {
        self.depth.saturating_add(2).max(8)
    }

    /// How many levels of one-letter folders this queue has.
    pub fn depth_of(&self, queue: &str) -> usize {
        if let Some((_, depth)) = self.inferred.iter().find(|(inferred, _)| *inferred == queue) {
            return *depth;
        }
        if self.hashed.iter().any(|hashed| hashed == queue) { self.depth } else { 0 }
    }

    /// Takes this queue to be hashed this deep, as its files show.
    pub fn infer(&mut self, queue: &'static str, depth: usize) {
        self.inferred.push((queue, depth));
    }

    /// Whether the files of this queue showed how deep it is hashed.
    pub fn is_inferred(&self, queue: &str) -> bool {
        self.inferred.iter().any(|(inferred, _)| *inferred == queue)
    }

    /// Where Postfix looks for this ID (`global/mail_queue.c`, `mail_queue_path`).
    pub fn path(&self, queue: &str, id: &[u8]) -> PathBuf {
        path_at_depth(queue, id, self.depth_of(queue))
    }

    /// Whether that is this path. It is asked of every file, so that no path is made for it.
    pub fn is_home(&self, queue: &str, id: &[u8], path: &Path) -> bool {
        let key = queue_id::hash_key(id);
        let mut parts = path.iter().map(std::ffi::OsStr::as_encoded_bytes);
        let letters = key.iter().copied().chain(std::iter::repeat(b'_')).take(self.depth_of(queue));
        parts.next() == Some(queue.as_bytes())
            && letters.into_iter().all(|letter| parts.next() == Some(&[letter]))
            && parts.next() == Some(id)
            && parts.next().is_none()
    }
}

/// Where this ID would be in a queue that is hashed this deep: one folder for each of the first letters, `_` where there
/// are none (`util/dir_forest.c`).
pub fn path_at_depth(queue: &str, id: &[u8], depth: usize) -> PathBuf {
    let mut path = PathBuf::with_capacity(queue.len() + 2 * depth + 1 + id.len());
    path.push(queue);
    if depth > 0 {
        let key = queue_id::hash_key(id);
        let letters = key.iter().copied().chain(std::iter::repeat(b'_'));
        for letter in letters.take(depth) {
            path.push(char::from(letter).encode_utf8(&mut [0; 4]));
        }
    }
    path.push(&*String::from_utf8_lossy(id));
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deferred_is_hashed_by_the_first_letter_unless_told_otherwise() {
        let default = Layout::default();
        assert_eq!(default.path("deferred", b"3B367B0C773"), Path::new("deferred/3/3B367B0C773"));
        assert_eq!(default.path("incoming", b"3B367B0C773"), Path::new("incoming/3B367B0C773"));
        let deep = Layout::new("incoming,active, deferred", 2);
        assert_eq!(deep.path("incoming", b"3B367B0C773"), Path::new("incoming/3/B/3B367B0C773"));
        assert_eq!(deep.path("defer", b"3B367B0C773"), Path::new("defer/3B367B0C773"));
        for (layout, queue) in [(&default, "deferred"), (&default, "hold"), (&deep, "deferred")] {
            for id in [&b"3B367B0C773"[..], b"3Pt2mN2VXxznjll"] {
                let home = layout.path(queue, id);
                assert!(layout.is_home(queue, id, &home));
                assert!(!layout.is_home(queue, id, &home.with_file_name("3B367B0C774")));
                assert!(!layout.is_home(queue, id, &home.join("x")));
                assert!(!layout.is_home("active", id, &home));
            }
        }
        assert!(!default.is_home("deferred", b"3B367B0C773", Path::new("deferred/3B367B0C773")));
    }

    #[test]
    fn a_long_id_is_hashed_by_its_microseconds() {
        let key = queue_id::hash_key(b"3Pt2mN2VXxznjll");
        let first = char::from(key[0]).to_string();
        let expected = Path::new("deferred").join(first).join("3Pt2mN2VXxznjll");
        assert_eq!(Layout::default().path("deferred", b"3Pt2mN2VXxznjll"), expected);
    }
}
