//! What a walk remembers of the messages that it came across, so that their logs, which come later, need not look for them.

use std::hash::{BuildHasher as _, Hash as _, Hasher as _, RandomState};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

/// Which messages a source wants to be remembered.
#[derive(Debug, Clone, Copy)]
pub struct Memory {
    /// In which part of the spool the messages of this folder are looked for. `None`: nothing in it is remembered.
    pub scope: fn(&Path) -> Option<PathBuf>,
    /// The ID in the name of a file. `None`: it is not remembered.
    pub id: fn(&[u8]) -> Option<&[u8]>,
}

/// The messages that were met: eight bytes for each. The hash has a key of its own, so that nobody can make IDs that collide.
#[derive(Debug)]
pub struct Remembered {
    memory: Memory,
    key: RandomState,
    met: Mutex<Vec<u64>>,
    /// All of them, in order, from the first time on that somebody asks.
    sorted: OnceLock<Vec<u64>>,
}

impl Remembered {
    /// Nothing yet.
    pub fn new(memory: Memory) -> Self {
        Self { memory, key: RandomState::new(), met: Mutex::default(), sorted: OnceLock::new() }
    }

    /// The part of the spool to which the messages of a folder belong, if they are to be remembered.
    pub fn scope(&self, folder: &Path) -> Option<PathBuf> {
        if self.sorted.get().is_some() { None } else { (self.memory.scope)(folder) }
    }

    /// Remembers a file of this name.
    pub fn meet(&self, scope: &Path, name: &Path) {
        if let Some(id) = (self.memory.id)(name.as_os_str().as_encoded_bytes()) {
            let hash = self.hash(scope, id);
            // Whoever panicked with the lock in hand left whole numbers behind.
            self.met.lock().unwrap_or_else(PoisonError::into_inner).push(hash);
        }
    }

    /// Whether a message of this ID was met. If not, it may be there all the same.
    pub fn has(&self, scope: &Path, id: &[u8]) -> bool {
        let sorted = self.sorted.get_or_init(|| {
            let mut met = std::mem::take(&mut *self.met.lock().unwrap_or_else(PoisonError::into_inner));
            met.sort_unstable();
            met
        });
        sorted.binary_search(&self.hash(scope, id)).is_ok()
    }

    fn hash(&self, scope: &Path, id: &[u8]) -> u64 {
        let mut hasher = self.key.build_hasher();
        scope.as_os_str().as_encoded_bytes().hash(&mut hasher);
        id.hash(&mut hasher);
        hasher.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_remembered_where_it_was_met_and_until_the_first_question() {
        let scope: fn(&Path) -> Option<PathBuf> =
            |folder| (folder != Path::new("msglog")).then(|| folder.to_owned());
        let remembered = Remembered::new(Memory { scope, id: |name| name.strip_suffix(b"-H") });
        let input = remembered.scope(Path::new("input")).unwrap();
        assert_eq!(remembered.scope(Path::new("msglog")), None);
        remembered.meet(&input, Path::new("1-H"));
        remembered.meet(&input, Path::new("2-D"));
        assert!(remembered.has(&input, b"1"));
        assert!(!remembered.has(&input, b"2"), "a body is not its message");
        assert!(!remembered.has(Path::new("other"), b"1"), "it lies in another queue");
        assert_eq!(remembered.scope(&input), None, "what comes now would not be found");
    }
}
