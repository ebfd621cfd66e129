//! What lies in the folder of a message.

use super::id;
use crate::evidence::{Damage, DamageKind, Text};
use crate::read::disk::{EntryKind, Root};
use std::path::{Path, PathBuf};

/// Names of one folder that are looked at.
const MAX_NAMES: usize = 10_000;
/// Envelopes that are read; all of them are counted. smtpd takes 1,000 recipients a message unless told otherwise
/// (`smtpd.conf(5)`, `limit session max-rcpt`).
const MAX_ENVELOPES: usize = 1_000;
/// Names that are looked at to find out which envelope of a folder without content speaks for it.
const MAX_LEADERS: usize = 1_024;
/// A name that is replaced while the folder is listed can slip past one look.
const LOOKS: usize = 3;
/// The name of the content (`queue_fs.c`, `PATH_MESSAGE`).
pub const CONTENT: &str = "message";

/// What lies in the folder of a message.
#[derive(Debug, Default)]
pub struct Folder {
    /// The folder, relative to the root.
    pub path: PathBuf,
    /// The message ID in the names of the envelopes.
    pub id: Option<String>,
    /// Names of envelopes of this message that are to be read, sorted.
    pub envelopes: Vec<String>,
    /// How many there are.
    pub count: u64,
    /// Other names in it that are neither.
    pub strays: u64,
}

impl Folder {
    /// Lists a folder. Which message it belongs to, its own name says, or else that of its first envelope.
    ///
    /// # Errors
    /// When the folder cannot be listed.
    pub fn list(root: &Root, path: &Path, named: Option<&str>) -> Result<Self, Damage> {
        let mut folder = Self::look(root, path, named)?;
        // smtpd replaces envelopes by renaming, and a listing that goes on meanwhile may miss both names.
        for _ in 1..LOOKS {
            if folder.count > 0 {
                break;
            }
            folder = Self::look(root, path, named)?;
        }
        Ok(folder)
    }

    fn look(root: &Root, path: &Path, named: Option<&str>) -> Result<Self, Damage> {
        let mut folder = Self { path: path.to_owned(), id: named.map(str::to_owned), ..Self::default() };
        let mut envelopes: Vec<String> = Vec::new();
        for entry in root.list(path)?.take(MAX_NAMES) {
            let (name, kind) = entry.map_err(|error| root.refused(path, &error))?;
            let bytes = Text::from_path(&name);
            match id::envelope(bytes.bytes()) {
                Some((name, _)) if is_regular(root, path, name, kind) => envelopes.push(name.to_owned()),
                _ if bytes.bytes() == CONTENT.as_bytes() => {}
                _ => folder.strays += 1,
            }
        }
        envelopes.sort_unstable();
        if folder.id.is_none() {
            let first = envelopes.first().and_then(|name| id::envelope(name.as_bytes()));
            folder.id = first.map(|(_, message)| message.to_owned());
        }
        let id = folder.id.clone().unwrap_or_default();
        envelopes.retain(|name| name.starts_with(&id));
        folder.count = envelopes.len() as u64;
        envelopes.truncate(MAX_ENVELOPES);
        folder.envelopes = envelopes;
        Ok(folder)
    }

    /// Where an envelope of it lies.
    pub fn envelope(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

/// Whether this envelope speaks for all in its folder: it has the first name of those that were looked at.
pub fn leads(root: &Root, path: &Path) -> bool {
    let (Some(folder), own) = (path.parent(), id::last(path)) else { return true };
    let Ok(entries) = root.list(folder) else { return true };
    let names = entries.take(MAX_LEADERS).filter_map(Result::ok).map(|(name, _)| Text::from_path(&name));
    let first = names.filter(|name| id::envelope(name.bytes()).is_some()).min();
    first.is_none_or(|first| own <= first)
}

fn is_regular(root: &Root, folder: &Path, name: &str, kind: EntryKind) -> bool {
    match kind {
        EntryKind::Unknown => {
            matches!(root.stat(&folder.join(name)), Ok((EntryKind::Regular, _)))
        }
        kind => kind == EntryKind::Regular,
    }
}

/// Whether a folder that could not be listed went away: mail at work, and no damage.
pub fn is_gone(damage: &Damage) -> bool {
    damage.kind == DamageKind::Vanished
}
