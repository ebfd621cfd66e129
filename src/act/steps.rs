//! Single steps in the spool: doing them, telling whether they were done, taking them back.

use super::spool::Spool;
use super::vault::{Changed, Vault};
use crate::evidence::{Stat, Text};
use crate::plan::{Change, Step};
use crate::plan::{Guarded, Job};
use crate::read::disk::EntryKind;
use anyhow::{Context as _, Result, bail};

/// The spool and the vault of a job.
#[derive(Debug)]
pub struct Bench<'a> {
    /// The plan.
    pub job: &'a Job,
    /// The spool.
    pub spool: &'a Spool,
    /// The vault.
    pub vault: &'a Vault,
}

/// What can be seen of a step whose intent is in the journal and whose outcome is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// It was done.
    Done,
    /// It was not done, and can be.
    NotDone,
}

/// Whether a step of this kind can be taken back.
pub fn is_reversible(step: &Step) -> bool {
    matches!(step, Step::Change { .. } | Step::Withdraw { .. })
}

impl Bench<'_> {
    /// The metadata of the file that a step changes, before it does.
    ///
    /// # Errors
    /// When there is no such file, or it is none of those that were planned.
    pub fn before(&self, step: &Step) -> Result<Option<Stat>> {
        let path = match step {
            Step::Change { change: Change::Folder { path, .. } } => {
                return Ok(self.spool.stat(path)?.map(|(_, stat)| stat));
            }
            Step::Change {
                change:
                    Change::Owner { path, .. }
                    | Change::Mode { path, .. }
                    | Change::Modified { path, .. }
                    | Change::Rename { from: path, .. }
                    | Change::Link { from: path, .. },
            }
            | Step::Withdraw { path } => path,
            Step::Change { change: Change::Wake { .. } } | Step::Run { .. } | Step::HandIn => {
                return Ok(None);
            }
        };
        let name = path.lossy();
        match self.spool.stat(path).with_context(|| format!("could not look at `{name}`"))? {
            None => bail!(Changed(format!("`{name}` is gone"))),
            Some((EntryKind::Directory, stat)) => Ok(Some(stat)),
            Some((EntryKind::Regular, stat)) if self.is_part(&stat) => Ok(Some(stat)),
            Some(_) => bail!(Changed(format!("`{name}` is another file than was planned"))),
        }
    }

    fn is_part(&self, stat: &Stat) -> bool {
        self.job.parts.iter().any(|part| part.stat.inode == stat.inode && part.stat.device == stat.device)
    }

    /// Does a step of the spool.
    ///
    /// # Errors
    /// When it could not be done.
    pub fn perform(&self, step: &Step) -> Result<()> {
        match step {
            Step::Change { change } => self.change(change).with_context(|| describe(step)),
            Step::Withdraw { path } => {
                let (number, part) = self.part(path)?;
                self.vault.take(self.spool, part, number).with_context(|| describe(step))?;
                self.check_taken(number, part)
            }
            Step::Run { .. } | Step::HandIn => bail!("this is no step of the spool"),
        }
    }

    fn change(&self, change: &Change) -> Result<()> {
        let spool = self.spool;
        match change {
            Change::Owner { path, uid, gid } => spool.set_owner(path, *uid, *gid)?,
            Change::Mode { path, mode } => spool.set_mode(path, *mode)?,
            Change::Modified { path, at } => spool.set_times(path, None, *at)?,
            Change::Folder { path, uid, gid, mode } => spool.make_folder(path, *uid, *gid, *mode)?,
            Change::Rename { from, to } => spool.rename(from, to)?,
            Change::Link { from, to } => spool.link(from, to)?,
            Change::Wake { path } => {
                spool.wake(path)?;
            }
        }
        Ok(())
    }

    /// What was taken away must be what was planned: somebody may have put another file under the name at the last moment.
    fn check_taken(&self, number: usize, part: &Guarded) -> Result<()> {
        let taken = std::fs::symlink_metadata(self.vault.file(&format!("gone-{number}")))?;
        let written = taken.modified()? != part.stat.modified.to_system();
        if !taken.is_file() || taken.len() != part.stat.size || written {
            bail!(Changed(format!("`{}` was written to at the last moment", part.path.lossy())));
        }
        Ok(())
    }

    fn part(&self, path: &Text) -> Result<(usize, &Guarded)> {
        let parts = self.job.parts.iter().enumerate();
        parts
            .into_iter()
            .find(|(_, part)| part.path == *path)
            .with_context(|| format!("`{}` is no part of the plan", path.lossy()))
    }

    /// Looks whether a step of the spool was done.
    ///
    /// # Errors
    /// When that cannot be told: the file is gone altogether.
    pub fn look(&self, step: &Step, was: Option<&Stat>) -> Result<Seen> {
        let there =
            |path: &Text| -> Result<Option<Stat>> { Ok(self.spool.stat(path)?.map(|(_, stat)| stat)) };
        let same =
            |stat: Option<Stat>| stat.is_some_and(|stat| was.is_none_or(|was| was.inode == stat.inode));
        let gone = |path: &Text| format!("`{}` is gone: the mail system may have taken it", path.lossy());
        let done = match step {
            Step::Withdraw { path } => {
                let (number, _) = self.part(path)?;
                if same(there(path)?) {
                    false
                } else if self.vault.has(number) {
                    true
                } else {
                    bail!(gone(path));
                }
            }
            Step::Change { change } => match change {
                Change::Rename { from, to } => {
                    if same(there(from)?) {
                        // Where a file system renames in two calls, both names may be there.
                        false
                    } else if same(there(to)?) {
                        true
                    } else {
                        bail!(gone(from));
                    }
                }
                Change::Link { to, .. } => same(there(to)?),
                Change::Owner { path, .. } | Change::Mode { path, .. } | Change::Modified { path, .. } => {
                    if !same(there(path)?) {
                        bail!(gone(path));
                    }
                    false
                }
                Change::Folder { .. } | Change::Wake { .. } => false,
            },
            Step::Run { .. } | Step::HandIn => false,
        };
        Ok(if done { Seen::Done } else { Seen::NotDone })
    }

    /// Takes a step of the spool back; one that is back already stays as it is.
    ///
    /// # Errors
    /// When it cannot be taken back.
    pub fn take_back(&self, step: &Step, was: Option<&Stat>) -> Result<()> {
        let failed = || format!("could not take back: {}", describe(step));
        match step {
            Step::Withdraw { path } => {
                let (number, part) = self.part(path)?;
                if self.vault.has(number) {
                    self.vault.give_back(self.spool, part, number).with_context(failed)?;
                } else if self.spool.stat(path)?.is_none() {
                    bail!("`{}` is neither in the vault nor in the spool", path.lossy());
                }
                Ok(())
            }
            Step::Change { change } => self.change_back(change, was).with_context(failed),
            Step::Run { .. } | Step::HandIn => bail!("{} cannot be taken back", describe(step)),
        }
    }

    fn change_back(&self, change: &Change, was: Option<&Stat>) -> Result<()> {
        let spool = self.spool;
        let known = || was.context("the journal does not say how it was before");
        match change {
            Change::Owner { path, .. } => {
                let was = known()?;
                self.still(path, was)?;
                spool.set_owner(path, was.uid, Some(was.gid))?;
                // chown(2) takes away set-user-ID bits.
                spool.set_mode(path, was.mode)?;
            }
            Change::Mode { path, .. } => {
                self.still(path, known()?)?;
                spool.set_mode(path, known()?.mode)?;
            }
            Change::Modified { path, .. } => {
                self.still(path, known()?)?;
                spool.set_times(path, Some(known()?.accessed), known()?.modified)?;
            }
            Change::Folder { path, .. } if was.is_none() => spool.remove_folder(path)?,
            Change::Folder { .. } | Change::Wake { .. } => {}
            Change::Rename { from, to } => {
                if spool.stat(from)?.is_none_or(|(_, stat)| stat.inode != known().map_or(0, |was| was.inode))
                {
                    self.still(to, known()?)?;
                    spool.rename(to, from)?;
                }
            }
            Change::Link { to, .. } => {
                if spool.stat(to)?.is_some() {
                    self.still(to, known()?)?;
                    spool.unlink_further_name(to)?;
                }
            }
        }
        Ok(())
    }

    /// Whether this still is the file that was changed: a mail system that took it up may have put another in its place.
    fn still(&self, path: &Text, was: &Stat) -> Result<()> {
        match self.spool.stat(path)? {
            Some((_, now)) if now.inode == was.inode && now.size == was.size => Ok(()),
            Some(_) => bail!("`{}` is another file by now", path.lossy()),
            None => bail!("`{}` is gone: the mail system has taken it up", path.lossy()),
        }
    }
}

/// A step in words, lower-case, without a full stop.
pub fn describe(step: &Step) -> String {
    step.describe()
}
