//! Where in a spool a file lies.

use super::message_id;
use crate::evidence::{as_path, split_path};
use smallvec::SmallVec;
use std::cell::RefCell;
use std::ops::Deref;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

/// What lies in a folder of a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// `input`: messages.
    Messages,
    /// `Finput`: messages that were moved away when they froze (`move_frozen_messages`).
    Frozen,
    /// `msglog` and `Fmsglog`: a log for each message.
    Logs,
}

/// Folders of a queue, with what lies in them.
const FOLDERS: [(&str, Content); 4] = [
    ("input", Content::Messages),
    ("Finput", Content::Frozen),
    ("msglog", Content::Logs),
    ("Fmsglog", Content::Logs),
];

/// Where in a spool a file lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spot {
    /// What holds for every file of its folder.
    home: Arc<Home>,
    /// Its name.
    pub name: SmallVec<[u8; 32]>,
}

/// A folder of a spool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    /// The folder that the queue has below the spool; empty for the default queue.
    pub queue: PathBuf,
    /// What lies there.
    pub content: Content,
    /// The folder of messages to which it belongs, below the spool.
    pub input: PathBuf,
    /// The folder of logs to which it belongs, below the spool.
    pub logs: PathBuf,
    /// The folder in which it lies, below the spool.
    pub folder: PathBuf,
    /// The folders between `input` and the file.
    pub below: PathBuf,
}

impl Deref for Spot {
    type Target = Home;

    fn deref(&self) -> &Home {
        &self.home
    }
}

impl Spot {
    /// The spot of a path below a spool, or below an `input` folder that was given by itself. Files come folder by folder, so
    /// that what is known of the last folder is kept.
    pub fn of(path: &Path, bare: bool) -> Option<Self> {
        thread_local! {
            static LAST: RefCell<Option<(bool, Arc<Home>)>> = const { RefCell::new(None) };
        }
        // A name alone lies in the root.
        let (folder, name) = split_path(path).unwrap_or((Path::new(""), path));
        let same = |(was_bare, home): &(bool, Arc<Home>)| {
            *was_bare == bare && home.folder.as_os_str() == folder.as_os_str()
        };
        let home = match LAST.take().filter(same) {
            Some((_, home)) => home,
            None => Arc::new(Home::of(folder, bare)?),
        };
        LAST.set(Some((bare, Arc::clone(&home))));
        Some(Self { home, name: SmallVec::from_slice(name.as_os_str().as_encoded_bytes()) })
    }
}

impl Home {
    /// What is known of a folder below a spool, or below an `input` folder that was given by itself.
    pub fn of(folder: &Path, bare: bool) -> Option<Self> {
        let folder = folder.to_owned();
        if bare {
            let (queue, input) = (PathBuf::new(), PathBuf::new());
            let content = Content::Messages;
            let below = folder.clone();
            return Some(Self { queue, content, logs: PathBuf::from("msglog"), input, folder, below });
        }
        let mut queue = PathBuf::new();
        let mut parts = folder.components();
        loop {
            let Component::Normal(part) = parts.next()? else { return None };
            let Some((_, content)) = FOLDERS.into_iter().find(|(folder, _)| part == *folder) else {
                queue.push(part);
                continue;
            };
            let frozen = part.to_str().is_some_and(|part| part.starts_with('F'));
            let (input, logs) = if frozen { ("Finput", "Fmsglog") } else { ("input", "msglog") };
            let (input, logs) = (queue.join(input), queue.join(logs));
            return Some(Self { below: parts.as_path().to_owned(), queue, content, input, logs, folder });
        }
    }

    /// The queue in the words of Exim; the default queue has no name and is called by its folder.
    pub fn queue_name(&self) -> String {
        let queue = self.queue.to_string_lossy().into_owned();
        match (queue.is_empty(), self.content == Content::Frozen || self.input.ends_with("Finput")) {
            (true, true) => "Finput".into(),
            (true, false) => "input".into(),
            (false, true) => format!("{queue}/Finput"),
            (false, false) => queue,
        }
    }

    /// Another file of the same folder.
    pub fn sibling(&self, name: &[u8]) -> PathBuf {
        self.folder.join(as_path(name))
    }

    /// Where Exim looks for a file of this ID, whether the spool is split or not: `input` itself, and the folder there
    /// that is named by the sixth character (`functions.h`, `set_subdir_str`, which is asked twice).
    pub fn homes(&self, id: &[u8], name: &[u8]) -> [PathBuf; 2] {
        homes(&self.input, id, name)
    }

    /// The same for the log.
    pub fn log_homes(&self, id: &[u8]) -> [PathBuf; 2] {
        homes(&self.logs, id, id)
    }

    /// Whether Exim lists the folder: `input` and the folders of one letter or figure in it (`queue.c`,
    /// `queue_get_spool_list`).
    pub fn is_listed(&self) -> bool {
        self.below.as_os_str().is_empty() || self.letter().is_some()
    }

    /// The letter of the folder, if it lies in one of those.
    pub fn letter(&self) -> Option<char> {
        match self.below.as_os_str().as_encoded_bytes() {
            [letter] if letter.is_ascii_alphanumeric() => Some(char::from(*letter)),
            _ => None,
        }
    }
}

fn homes(folder: &Path, id: &[u8], name: &[u8]) -> [PathBuf; 2] {
    let name = as_path(name);
    let mut split = PathBuf::with_capacity(folder.as_os_str().len() + name.as_os_str().len() + 3);
    split.push(folder);
    if let Some(letter) = message_id::letter(id) {
        split.push(letter.encode_utf8(&mut [0; 4]));
    }
    split.push(&name);
    [folder.join(&name), split]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(path: &str) -> Spot {
        Spot::of(Path::new(path), false).unwrap()
    }

    #[test]
    fn queues_of_any_depth_are_told_from_their_folders() {
        let flat = of("input/1xVf5d-00002O-0X-H");
        assert_eq!((flat.queue_name().as_str(), flat.is_listed()), ("input", true));
        let split = of("input/d/1xVf5d-00002O-0X-H");
        assert_eq!((split.letter(), split.is_listed()), (Some('d'), true));
        let deep = of("held/by/input/d/1xVf5d-00002O-0X-D");
        assert_eq!(deep.queue_name(), "held/by");
        assert_eq!(deep.input, Path::new("held/by/input"));
        assert_eq!(deep.logs, Path::new("held/by/msglog"));
        assert!(!of("input/old/1xVf5d-00002O-0X-H").is_listed());
        assert!(!of("input/d/e/1xVf5d-00002O-0X-H").is_listed());
        let frozen = of("Fmsglog/1xVf5d-00002O-0X");
        assert_eq!((frozen.content, frozen.queue_name().as_str()), (Content::Logs, "Finput"));
        assert_eq!(frozen.input, Path::new("Finput"));
        assert_eq!(Spot::of(Path::new("db/retry"), false), None);
    }

    #[test]
    fn exim_looks_in_two_places_for_each_file() {
        let spot = of("input/x/1xVf5d-00002O-0X-H");
        let homes = spot.homes(b"1xVf5d-00002O-0X", b"1xVf5d-00002O-0X-D");
        assert_eq!(homes[0], Path::new("input/1xVf5d-00002O-0X-D"));
        assert_eq!(homes[1], Path::new("input/d/1xVf5d-00002O-0X-D"));
    }
}
