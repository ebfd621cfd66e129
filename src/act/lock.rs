//! Locks: one operator at a time, and the mail system's own lock on a message.

use super::spool::Spool;
use crate::plan::Lock;
use anyhow::{Context as _, Result, bail};
use rustix::fs::{FlockOperation, fcntl_lock, flock};
use rustix::io::Errno;
use std::fs::{File, OpenOptions};
use std::path::Path;

/// A lock that is held until it is dropped.
#[derive(Debug)]
pub struct Held(#[expect(dead_code, reason = "closing it is what ends the lock")] File);

/// Takes the lock of the state folder, so that nobody else acts meanwhile.
///
/// # Errors
/// When another ghostq has it, or the folder cannot be written.
pub fn operator(state: &Path) -> Result<Held> {
    let path = state.join("lock");
    let failed = || format!("could not open `{}`", path.display());
    let file =
        OpenOptions::new().write(true).create(true).truncate(false).open(&path).with_context(failed)?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Held(file)),
        Err(Errno::WOULDBLOCK) => bail!(
            "another ghostq is acting under `{}`; wait for it to end, or look at it with `ghostq journal`",
            state.display()
        ),
        Err(error) => Err(std::io::Error::from(error)).with_context(failed),
    }
}

/// Takes the mail system's own lock on a message, without waiting.
///
/// A lock of `fcntl(2)` ends when the process closes *any* descriptor of the file, so nobody may open it while this is held.
///
/// # Errors
/// A sentence that says who has it, or why it cannot be had.
pub fn message(spool: &Spool, lock: &Lock) -> Result<Held, String> {
    let name = lock.path().lossy().into_owned();
    let writable = matches!(lock, Lock::Fcntl { .. });
    let file = spool.open_to_lock(lock.path(), writable).map_err(|error| format!("`{name}`: {error}"))?;
    let taken = match lock {
        Lock::Flock { .. } => flock(&file, FlockOperation::NonBlockingLockExclusive),
        Lock::Fcntl { .. } => fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive),
    };
    match taken {
        Ok(()) => Ok(Held(file)),
        Err(Errno::WOULDBLOCK | Errno::ACCESS) => {
            Err(format!("`{name}` is locked: the mail system is working on this message right now"))
        }
        Err(error) => Err(format!("`{name}` could not be locked: {}", std::io::Error::from(error))),
    }
}
