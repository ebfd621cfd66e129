//! Changes in a spool: relative to its open folder, never through a link, never over something that is there.

use super::faults::Faults;
use super::pinned::Pinned;
use crate::evidence::{Stat, Text, Time};
use crate::read::disk::{EntryKind, Root};
use rustix::fs::{self, AtFlags, Mode, OFlags, RenameFlags, Timespec, Timestamps};
use rustix::io::Errno;
use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Component, Path};

/// The folder of a place, open for changes.
#[derive(Debug)]
pub struct Spool {
    root: Root,
    folder: OwnedFd,
    faults: Faults,
}

impl Spool {
    /// Opens the folder of a place. Mount points below it are crossed: the parts of a plan were read there.
    ///
    /// # Errors
    /// As the system reports.
    pub fn open(path: &Path, faults: Faults) -> io::Result<Self> {
        let folder = fs::open(path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        Ok(Self { root: Root::open(path)?.crossing_file_systems(true), folder, faults })
    }

    /// The same folder, to read from.
    pub fn root(&self) -> &Root {
        &self.root
    }

    /// Metadata, or `None` where there is nothing of this name.
    ///
    /// # Errors
    /// As the system reports.
    pub fn stat(&self, path: &Text) -> io::Result<Option<(EntryKind, Stat)>> {
        match self.root.stat(&path.to_path()) {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Gives a file to its owner and group. It is the file that `was` describes, or nothing is done: under its name may lie
    /// another by now, a second name of a file that matters elsewhere.
    ///
    /// # Errors
    /// As the system reports; when it is another file.
    pub fn set_owner(&self, path: &Text, was: &Stat, uid: u32, gid: Option<u32>) -> io::Result<()> {
        let pinned = self.pin(path, was)?;
        self.faults.pass("chown")?;
        pinned.set_owner(uid, gid)?;
        self.faults.pass("chown is done")
    }

    /// Sets permission bits of the file that `was` describes.
    ///
    /// # Errors
    /// As the system reports; when it is another file.
    pub fn set_mode(&self, path: &Text, was: &Stat, mode: u32) -> io::Result<()> {
        let pinned = self.pin(path, was)?;
        self.faults.pass("chmod")?;
        pinned.set_mode(mode)?;
        self.faults.pass("chmod is done")
    }

    /// Sets the times of last reading and last modification of the file that `was` describes.
    ///
    /// # Errors
    /// As the system reports; when it is another file.
    pub fn set_times(
        &self,
        path: &Text,
        was: &Stat,
        accessed: Option<Time>,
        modified: Time,
    ) -> io::Result<()> {
        let pinned = self.pin(path, was)?;
        self.faults.pass("utimens")?;
        let kept = Timespec { tv_sec: 0, tv_nsec: fs::UTIME_OMIT };
        pinned.set_times(&Timestamps {
            last_access: accessed.map_or(kept, timespec),
            last_modification: timespec(modified),
        })?;
        self.faults.pass("utimens is done")
    }

    fn pin(&self, path: &Text, was: &Stat) -> io::Result<Pinned> {
        let (folder, name) = self.parent(path)?;
        let pinned = Pinned::open(folder, name)?;
        if pinned.inode()? == was.inode {
            Ok(pinned)
        } else {
            Err(io::Error::other(format!("`{}` is another file by now", path.lossy())))
        }
    }

    /// Makes a folder that was not there when it was planned; one that was begun gets its owner and its permission bits.
    ///
    /// # Errors
    /// As the system reports.
    pub fn make_folder(&self, path: &Text, uid: u32, gid: u32, mode: u32) -> io::Result<()> {
        let (above, name) = self.parent(path)?;
        self.faults.pass("mkdir")?;
        match fs::mkdirat(&above, name.as_os_str(), Mode::from_raw_mode(mode)) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
        self.faults.pass("sync the folder above")?;
        fs::fsync(&above)?;
        let Some((EntryKind::Directory, fresh)) = self.stat(path)? else {
            return Err(Errno::NOTDIR.into());
        };
        self.set_owner(path, &fresh, uid, Some(gid))?;
        self.set_mode(path, &fresh, mode)
    }

    /// Removes a folder that ghostq made, if it is empty.
    ///
    /// # Errors
    /// As the system reports.
    pub fn remove_folder(&self, path: &Text) -> io::Result<()> {
        let (above, name) = self.parent(path)?;
        self.faults.pass("rmdir")?;
        match fs::unlinkat(&above, name.as_os_str(), AtFlags::REMOVEDIR) {
            Ok(()) | Err(Errno::NOENT | Errno::NOTEMPTY | Errno::EXIST) => Ok(fs::fsync(&above)?),
            Err(error) => Err(error.into()),
        }
    }

    /// Renames within the spool.
    ///
    /// # Errors
    /// As the system reports; `AlreadyExists` where the new name is taken.
    pub fn rename(&self, from: &Text, to: &Text) -> io::Result<()> {
        let ((old, from), (new, to)) = (self.parent(from)?, self.parent(to)?);
        self.faults.pass("rename")?;
        self.rename_over_nothing(&old, &from, &new, &to)?;
        self.faults.pass("sync the folders of a rename")?;
        fs::fsync(&new)?;
        fs::fsync(&old)?;
        self.faults.pass("rename is done")
    }

    /// Gives a file a second name.
    ///
    /// # Errors
    /// As the system reports; `AlreadyExists` where the new name is taken.
    pub fn link(&self, from: &Text, to: &Text) -> io::Result<()> {
        let ((old, from), (new, to)) = (self.parent(from)?, self.parent(to)?);
        self.faults.pass("link")?;
        fs::linkat(&old, from.as_os_str(), &new, to.as_os_str(), AtFlags::empty())?;
        fs::fsync(&new)?;
        self.faults.pass("link is done")
    }

    /// Takes away one of several names of a file; the file stays.
    ///
    /// # Errors
    /// As the system reports; when it is the only name.
    pub fn unlink_further_name(&self, path: &Text) -> io::Result<()> {
        let links = self.stat(path)?.map_or(0, |(_, stat)| stat.links);
        if links < 2 {
            return Err(io::Error::other("it is the only name of the file"));
        }
        self.unlink(path)
    }

    /// Moves a file out of the spool.
    ///
    /// # Errors
    /// As the system reports; `CrossesDevices` where the target is on another file system.
    pub fn move_out(&self, path: &Text, vault: &File, name: &str) -> io::Result<()> {
        let (old, from) = self.parent(path)?;
        self.faults.pass("move a file into the vault")?;
        self.rename_over_nothing(&old, &from, vault, OsStr::new(name))?;
        self.faults.pass("sync the folders of a move into the vault")?;
        fs::fsync(vault)?;
        fs::fsync(&old)?;
        self.faults.pass("move into the vault is done")
    }

    /// Moves a file back into the spool, over nothing.
    ///
    /// # Errors
    /// As the system reports; `AlreadyExists` where the name is taken.
    pub fn move_in(&self, vault: &File, name: &str, path: &Text) -> io::Result<()> {
        let (new, to) = self.parent(path)?;
        self.faults.pass("move a file out of the vault")?;
        self.rename_over_nothing(vault, OsStr::new(name), &new, &to)?;
        self.faults.pass("sync the folders of a move out of the vault")?;
        fs::fsync(&new)?;
        fs::fsync(vault)?;
        self.faults.pass("move out of the vault is done")
    }

    /// Removes a name after its file was copied into a vault on another file system, and the copy was read back.
    ///
    /// # Errors
    /// As the system reports.
    pub fn unlink(&self, path: &Text) -> io::Result<()> {
        let (folder, name) = self.parent(path)?;
        self.faults.pass("unlink")?;
        fs::unlinkat(&folder, name.as_os_str(), AtFlags::empty())?;
        fs::fsync(&folder)?;
        self.faults.pass("unlink is done")
    }

    /// Makes a new file, for what comes back from a vault on another file system.
    ///
    /// # Errors
    /// As the system reports; `AlreadyExists` where the name is taken.
    pub fn create(&self, path: &Text) -> io::Result<File> {
        let (folder, name) = self.parent(path)?;
        self.faults.pass("create a file")?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(File::from(fs::openat(&folder, name.as_os_str(), flags, Mode::from_raw_mode(0o600))?))
    }

    /// Writes one byte into a FIFO, if somebody reads there.
    ///
    /// # Errors
    /// As the system reports; that nobody reads is none.
    pub fn wake(&self, path: &Text) -> io::Result<bool> {
        let (folder, name) = self.parent(path)?;
        self.faults.pass("wake")?;
        let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match fs::openat(&folder, name.as_os_str(), flags, Mode::empty()) {
            Ok(fifo) if is_fifo(&fifo) => Ok(rustix::io::write(&fifo, b"1").is_ok()),
            Ok(_) => Err(io::Error::other("it is not a FIFO")),
            Err(Errno::NXIO) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Opens a file for a lock: without creating or changing it.
    ///
    /// # Errors
    /// As the system reports.
    pub fn open_to_lock(&self, path: &Text, writable: bool) -> io::Result<File> {
        let (folder, name) = self.parent(path)?;
        self.faults.pass("lock")?;
        let way = if writable { OFlags::RDWR } else { OFlags::RDONLY };
        let flags = way | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(File::from(fs::openat(&folder, name.as_os_str(), flags, Mode::empty())?))
    }

    /// Renames over nothing: in one call where the file system can (`renameat2`, `RENAME_NOREPLACE`), else by giving the file its
    /// new name, which fails if that is taken, and then taking away the old one. A crash may have left both names.
    fn rename_over_nothing(
        &self,
        old: &impl AsFd,
        from: &OsStr,
        new: &impl AsFd,
        to: &OsStr,
    ) -> io::Result<()> {
        let renamed = if self.faults.is_old_disk() {
            Err(Errno::INVAL)
        } else {
            fs::renameat_with(old, from, new, to, RenameFlags::NOREPLACE)
        };
        match renamed {
            Err(Errno::INVAL | Errno::NOSYS) => {}
            other => return Ok(other?),
        }
        match fs::linkat(old, from, new, to, AtFlags::empty()) {
            Err(Errno::EXIST) if is_same(old, from, new, to)? => {}
            linked => linked?,
        }
        let passed = self.faults.pass("both names are there");
        let gone = passed.and_then(|()| Ok(fs::unlinkat(old, from, AtFlags::empty())?));
        gone.or_else(|error| {
            self.faults.pass("take the new name away again")?;
            if is_same(old, from, new, to)? {
                fs::unlinkat(new, to, AtFlags::empty())?;
            }
            Err(error)
        })
    }

    /// The open folder that holds the last component, one component at a time, so that none can be a link.
    fn parent(&self, path: &Text) -> io::Result<(OwnedFd, std::ffi::OsString)> {
        let path = path.to_path();
        let mut names = Vec::new();
        for component in path.components() {
            match component {
                Component::CurDir => {}
                Component::Normal(name) => names.push(name),
                _ => return Err(Errno::XDEV.into()),
            }
        }
        let Some(last) = names.pop() else { return Err(Errno::INVAL.into()) };
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut folder = fs::openat(&self.folder, ".", flags, Mode::empty())?;
        for name in names {
            folder = fs::openat(&folder, name, flags, Mode::empty())?;
        }
        Ok((folder, last.to_owned()))
    }
}

fn is_fifo(fd: &OwnedFd) -> bool {
    fs::fstat(fd).is_ok_and(|stat| fs::FileType::from_raw_mode(stat.st_mode) == fs::FileType::Fifo)
}

fn is_same(old: &impl AsFd, from: &OsStr, new: &impl AsFd, to: &OsStr) -> io::Result<bool> {
    let one = fs::statat(old, from, AtFlags::SYMLINK_NOFOLLOW)?;
    let other = fs::statat(new, to, AtFlags::SYMLINK_NOFOLLOW)?;
    Ok((one.st_dev, one.st_ino) == (other.st_dev, other.st_ino))
}

/// The flag with which opening a symbolic link fails, for `OpenOptions`.
pub fn nofollow() -> i32 {
    i32::try_from(OFlags::NOFOLLOW.bits()).unwrap_or(0)
}

fn timespec(time: Time) -> Timespec {
    Timespec { tv_sec: time.seconds, tv_nsec: time.nanos.into() }
}
