//! Single steps in the spool: doing them, telling whether they were done, taking them back.

use super::spool::Spool;
use super::vault::{Changed, Vault};
use crate::evidence::{Stat, Text};
use crate::plan::{Change, Door, Guarded, Job, Step};
use crate::read::disk::{EntryKind, Root};
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
            Step::HandIn => return self.drop_folder(),
            Step::Change { change: Change::Wake { .. } } | Step::Run { .. } => return Ok(None),
        };
        let name = path.lossy();
        match self.spool.stat(path).with_context(|| format!("could not look at `{name}`"))? {
            None => bail!(Changed(format!("`{name}` is gone"))),
            Some((EntryKind::Directory, stat)) => Ok(Some(stat)),
            // A second name may be one outside the spool, of a file that has nothing to do with mail.
            Some((EntryKind::Regular, stat)) if gives_rights(step) && self.was_linked(&stat) => {
                bail!(Changed(format!("`{name}` has further names, which would change with it")))
            }
            Some((EntryKind::Regular, stat)) if self.is_part(&stat) => Ok(Some(stat)),
            Some(_) => bail!(Changed(format!("`{name}` is another file than was planned"))),
        }
    }

    /// The folder into which a message is dropped, so that it is known again after a crash: a disk may no longer be mounted there.
    fn drop_folder(&self) -> Result<Option<Stat>> {
        let Some(Door::Pickup { folder } | Door::Replay { folder }) = &self.job.door else { return Ok(None) };
        let failed = || format!("could not look at `{}`", folder.display());
        let root = Root::open(folder).with_context(failed)?;
        let (_, stat) = root.stat(std::path::Path::new(".")).with_context(failed)?;
        Ok(Some(stat))
    }

    /// Whether the file had more names than the plan has for it: one of them may lie outside the spool.
    fn was_linked(&self, stat: &Stat) -> bool {
        let same = || self.job.parts.iter().filter(|part| is_same_file(stat, &part.stat));
        let names = same().count() as u64;
        same().any(|part| part.stat.links > names)
    }

    fn is_part(&self, stat: &Stat) -> bool {
        self.job.parts.iter().any(|part| is_same_file(stat, &part.stat))
    }

    /// Does a step of the spool. `was` is the file as [`Self::before`] saw it.
    ///
    /// # Errors
    /// When it could not be done.
    pub fn perform(&self, step: &Step, was: Option<&Stat>) -> Result<()> {
        match step {
            Step::Change { change } => self.change(change, was).with_context(|| step.describe()),
            Step::Withdraw { path } => {
                let (number, part) = self.part(path)?;
                let now = self.spool.stat(path)?.filter(|(kind, _)| *kind == EntryKind::Regular);
                if !now.is_some_and(|(_, now)| is_as_planned(&now, &part.stat)) {
                    bail!(Changed(format!("`{}` changed since it was planned", path.lossy())));
                }
                self.vault.take(self.spool, part, number).with_context(|| step.describe())
            }
            Step::Run { .. } | Step::HandIn => bail!("this is no step of the spool"),
        }
    }

    fn change(&self, change: &Change, was: Option<&Stat>) -> Result<()> {
        let spool = self.spool;
        let known = || was.context("the journal does not say how it was before");
        match change {
            Change::Owner { path, uid, gid } => spool.set_owner(path, known()?, *uid, *gid)?,
            Change::Mode { path, mode } => spool.set_mode(path, known()?, *mode)?,
            Change::Modified { path, at } => spool.set_times(path, known()?, None, *at)?,
            Change::Folder { path, uid, gid, mode } => {
                if was.is_none() {
                    spool.make_folder(path, *uid, *gid, *mode)?;
                }
            }
            Change::Rename { from, to } => {
                let was = known()?;
                spool.rename(from, to)?;
                if self.still(to, was).is_err() {
                    spool.rename(to, from)?;
                    bail!(Changed(format!("`{}` changed at the last moment", from.lossy())));
                }
            }
            Change::Link { from, to } => {
                let was = known()?;
                spool.link(from, to)?;
                if self.still(to, was).is_err() {
                    spool.unlink_further_name(to)?;
                    bail!(Changed(format!("`{}` changed at the last moment", from.lossy())));
                }
            }
            Change::Wake { path } => {
                spool.wake(path)?;
            }
        }
        Ok(())
    }

    /// Whether what a step took away is what was planned. Other steps have nothing that had to be looked at once more.
    ///
    /// # Errors
    /// When it is not, and has to go back.
    pub fn check(&self, step: &Step) -> Result<()> {
        let Step::Withdraw { path } = step else { return Ok(()) };
        let (number, part) = self.part(path)?;
        self.vault.check(part, number)
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
            |stat: Option<Stat>| stat.is_some_and(|stat| was.is_none_or(|was| is_same_file(&stat, was)));
        let gone = |path: &Text| format!("`{}` is gone: the mail system may have taken it", path.lossy());
        let done = match step {
            Step::Withdraw { path } => {
                let (number, _) = self.part(path)?;
                if same(there(path)?) {
                    false
                } else if self.vault.has(number)? {
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

    /// Whether a step can have been done in part when it fails, without that anything shows it. It is taken back then.
    pub fn may_be_half_done(step: &Step) -> bool {
        let Step::Change { change } = step else { return false };
        !matches!(change, Change::Wake { .. } | Change::Rename { .. } | Change::Link { .. })
    }

    /// Takes a step of the spool back; one that is back already stays as it is.
    ///
    /// # Errors
    /// When it cannot be taken back.
    pub fn take_back(&self, step: &Step, was: Option<&Stat>) -> Result<()> {
        let failed = || format!("could not take back: {}", step.describe());
        match step {
            Step::Withdraw { path } => {
                let (number, part) = self.part(path)?;
                if self.vault.has(number)? || self.vault.gives_back(self.spool, part, number)? {
                    self.vault.give_back(self.spool, part, number).with_context(failed)?;
                } else if self.spool.stat(path)?.is_none() && !self.vault.keeps(number)? {
                    bail!("`{}` is neither in the vault nor in the spool", path.lossy());
                }
                // Where the copy lies in the vault and the original does not, it went back, and the mail system took it up.
                Ok(())
            }
            Step::Change { change } => self.change_back(change, was).with_context(failed),
            Step::Run { .. } | Step::HandIn => bail!("{} cannot be taken back", step.describe()),
        }
    }

    fn change_back(&self, change: &Change, was: Option<&Stat>) -> Result<()> {
        let spool = self.spool;
        let known = || was.context("the journal does not say how it was before");
        match change {
            Change::Owner { path, .. } => {
                let was = known()?;
                self.still(path, was)?;
                spool.set_owner(path, was, was.uid, Some(was.gid))?;
                // chown(2) takes away set-user-ID bits.
                spool.set_mode(path, was, was.mode)?;
            }
            Change::Mode { path, .. } => {
                self.still(path, known()?)?;
                spool.set_mode(path, known()?, known()?.mode)?;
            }
            Change::Modified { path, .. } => {
                self.still(path, known()?)?;
                spool.set_times(path, known()?, Some(known()?.accessed), known()?.modified)?;
            }
            Change::Folder { path, .. } if was.is_none() => spool.remove_folder(path)?,
            Change::Folder { .. } | Change::Wake { .. } => {}
            Change::Rename { from, to } => {
                let was = known()?;
                let is_it = |name: &Text| -> Result<bool> {
                    Ok(spool.stat(name)?.is_some_and(|(_, now)| is_same_file(&now, was)))
                };
                // On a disk that renames in two calls, both names may be there.
                if !is_it(from)? || is_it(to)? {
                    self.still(to, was)?;
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
            Some((_, now)) if is_same_file(&now, was) && now.size == was.size => Ok(()),
            Some(_) => bail!("`{}` is another file by now", path.lossy()),
            None => bail!("`{}` is gone: the mail system has taken it up", path.lossy()),
        }
    }
}

/// Whether a step makes a file somebody else's, or readable to others.
fn gives_rights(step: &Step) -> bool {
    matches!(step, Step::Change { change: Change::Owner { .. } | Change::Mode { .. } })
}

/// By the inode alone: the number of a disk may be another after the host was started anew.
fn is_same_file(now: &Stat, was: &Stat) -> bool {
    now.inode == was.inode
}

/// Whether a file that is about to be taken away is what was planned, as far as that can be told without opening it. Steps before
/// may have changed its owner, mode and names.
fn is_as_planned(now: &Stat, planned: &Stat) -> bool {
    is_same_file(now, planned) && now.size == planned.size && now.modified == planned.modified
}
