//! Locks: one operator at a time, and the mail system's own lock on a message.

use super::spool::Spool;
use crate::plan::{Change, Job, Lock, Step};
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
/// When another ghostq has it, the folder cannot be written, or others can write there: the journal says which commands are run and
/// which files get another owner, so that whoever writes it acts in the operator's name.
pub fn operator(state: &Path) -> Result<Held> {
    check_own(state)?;
    let path = state.join("lock");
    let failed = || format!("could not open `{}`", path.display());
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600).custom_flags(super::spool::nofollow());
    }
    let file = options.open(&path).with_context(failed)?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Held(file)),
        Err(Errno::WOULDBLOCK) => bail!(
            "another ghostq is acting under `{}`; wait for it to end, or look at it with `ghostq journal`",
            state.display()
        ),
        Err(error) => Err(std::io::Error::from(error)).with_context(failed),
    }
}

fn check_own(state: &Path) -> Result<()> {
    use std::os::unix::fs::MetadataExt as _;
    let user = rustix::process::geteuid().as_raw();
    for path in [state.to_owned(), state.join(super::journal::FILE)] {
        let there = match std::fs::metadata(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            there => there.with_context(|| format!("could not look at `{}`", path.display()))?,
        };
        if ![0, user].contains(&there.uid()) || there.mode() & 0o022 != 0 {
            bail!(
                "others can write to `{}`, and could have ghostq do what they want: give `--state` another folder, or take that away \
                 from them (`chmod go-w`)",
                path.display()
            );
        }
    }
    Ok(())
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
        Ok(()) if is_still(spool, lock, &file) => Ok(Held(file)),
        Ok(()) => Err(format!("`{name}` changed while it was locked")),
        Err(Errno::WOULDBLOCK | Errno::ACCESS) => {
            Err(format!("`{name}` is locked: the mail system is working on this message right now"))
        }
        Err(error) => Err(format!("`{name}` could not be locked: {}", std::io::Error::from(error))),
    }
}

/// Takes the lock of a job that was begun before, on its file as far as there is one: it may be in the vault by now, or have
/// another name.
///
/// # Errors
/// As [`message`] has them.
pub fn again(spool: &Spool, job: &Job) -> Result<Option<Held>, String> {
    let Some(wanted) = &job.lock else { return Ok(None) };
    let mut names = vec![wanted.path()];
    for step in &job.steps {
        match step {
            Step::Change { change: Change::Rename { from, to } } if names.contains(&from) => names.push(to),
            _ => {}
        }
    }
    for name in names {
        let there = spool.stat(name).map_err(|error| format!("`{}`: {error}", name.lossy()))?;
        if there.is_some() {
            return message(spool, &wanted.on(name)).map(Some);
        }
    }
    Ok(None)
}

/// Whether what was locked still has the name: a mail system may have put another file there meanwhile.
fn is_still(spool: &Spool, lock: &Lock, file: &File) -> bool {
    let locked = rustix::fs::fstat(file);
    let there = spool.stat(lock.path());
    matches!((locked, there), (Ok(locked), Ok(Some((_, there))))
        if locked.st_ino == there.inode && rustix::fs::FileType::from_raw_mode(locked.st_mode).is_file())
}
