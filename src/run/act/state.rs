//! Where the journal and the vault are.

use crate::act::journal;
use anyhow::{Context as _, Result};
use std::path::{Path, PathBuf};

/// The state folder for a user: `/var/lib/ghostq` for root, else below his own folder for state (XDG Base Directory
/// Specification).
pub fn default_folder() -> PathBuf {
    if crate::read::process::is_root() {
        return PathBuf::from("/var/lib/ghostq");
    }
    let set = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || set("HOME").map(|home| home.join(".local/state"));
    set("XDG_STATE_HOME").or_else(home).unwrap_or_else(|| PathBuf::from(".")).join("ghostq")
}

/// Makes the state folder, for its owner only.
///
/// # Errors
/// When it cannot be made.
pub fn make(state: &Path) -> Result<()> {
    let failed =
        || format!("could not make the state folder `{}`; name another with `--state`", state.display());
    let mut builder = std::fs::DirBuilder::new();
    std::os::unix::fs::DirBuilderExt::mode(builder.recursive(true), 0o700);
    builder.create(state).with_context(failed)?;
    Ok(journal::sync_folder(state)?)
}

/// The folder of the vault for messages of this root: in the state folder; if that is on another file system, beside the
/// root, so that a file can be moved there and back as it is; if that does not go either, in the state folder all the same.
pub fn vault_for(state: &Path, root: &Path) -> PathBuf {
    let own = state.join("vault");
    let (of_root, of_state) = (device(root), device(state));
    if of_root.is_none() || of_root == of_state {
        return own;
    }
    let beside = root.canonicalize().ok().and_then(|root| Some(root.parent()?.join(".ghostq-vault")));
    beside.filter(|beside| device(beside) == of_root).unwrap_or(own)
}

/// The device of a path, or of the nearest folder above it that exists.
fn device(path: &Path) -> Option<u64> {
    use std::os::unix::fs::MetadataExt as _;
    Some(std::fs::metadata(existing(path)).ok()?.dev())
}

fn existing(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    path.ancestors().find(|path| path.exists()).unwrap_or(Path::new("/")).to_owned()
}
