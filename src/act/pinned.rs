//! One file, held so that what is done to it is done to no other, whatever happens to its name meanwhile.
//!
//! On Linux by a descriptor that opens nothing (`O_PATH`, open(2)): it works whatever the mode of the file is, and closing it does not
//! end a lock of `fcntl(2)`, as closing any other descriptor of the file would.

use rustix::fs::{self, AtFlags, Gid, Mode, OFlags, Timestamps, Uid};
use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;

/// A file or folder that is held.
#[derive(Debug)]
pub struct Pinned {
    #[cfg(target_os = "linux")]
    held: OwnedFd,
    #[cfg(not(target_os = "linux"))]
    folder: OwnedFd,
    #[cfg(not(target_os = "linux"))]
    name: OsString,
}

#[cfg(target_os = "linux")]
impl Pinned {
    /// Holds what has this name in a folder; of a link, the link itself.
    ///
    /// # Errors
    /// As the system reports.
    #[expect(clippy::needless_pass_by_value, reason = "elsewhere both are kept")]
    pub fn open(folder: OwnedFd, name: OsString) -> io::Result<Self> {
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(Self { held: fs::openat(&folder, name.as_os_str(), flags, Mode::empty())? })
    }

    /// Its inode.
    ///
    /// # Errors
    /// As the system reports; when it is neither a regular file nor a folder.
    pub fn inode(&self) -> io::Result<u64> {
        inode(&fs::fstat(&self.held)?)
    }

    /// Changes its owner.
    ///
    /// # Errors
    /// As the system reports.
    pub fn set_owner(&self, uid: u32, gid: Option<u32>) -> io::Result<()> {
        let (uid, gid) = (Some(Uid::from_raw(uid)), gid.map(Gid::from_raw));
        Ok(fs::chownat(&self.held, "", uid, gid, AtFlags::EMPTY_PATH)?)
    }

    /// Changes its permission bits.
    ///
    /// # Errors
    /// As the system reports.
    pub fn set_mode(&self, mode: u32) -> io::Result<()> {
        Ok(fs::chmod(self.way(), Mode::from_raw_mode(mode))?)
    }

    /// Changes its times.
    ///
    /// # Errors
    /// As the system reports.
    pub fn set_times(&self, times: &Timestamps) -> io::Result<()> {
        Ok(fs::utimensat(fs::CWD, self.way(), times, AtFlags::empty())?)
    }

    /// fchmod(2) refuses such a descriptor; this is the way that open(2) names instead.
    fn way(&self) -> String {
        format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&self.held))
    }
}

#[cfg(not(target_os = "linux"))]
impl Pinned {
    /// Remembers what has this name in a folder; of a link, the link itself.
    ///
    /// # Errors
    /// As the system reports.
    pub fn open(folder: OwnedFd, name: OsString) -> io::Result<Self> {
        Ok(Self { folder, name })
    }

    /// Its inode.
    ///
    /// # Errors
    /// As the system reports; when it is neither a regular file nor a folder.
    pub fn inode(&self) -> io::Result<u64> {
        inode(&fs::statat(&self.folder, self.name.as_os_str(), AtFlags::SYMLINK_NOFOLLOW)?)
    }

    /// Changes its owner.
    ///
    /// # Errors
    /// As the system reports.
    pub fn set_owner(&self, uid: u32, gid: Option<u32>) -> io::Result<()> {
        let (uid, gid) = (Some(Uid::from_raw(uid)), gid.map(Gid::from_raw));
        Ok(fs::chownat(&self.folder, self.name.as_os_str(), uid, gid, AtFlags::SYMLINK_NOFOLLOW)?)
    }

    /// Changes its permission bits.
    ///
    /// # Errors
    /// As the system reports.
    pub fn set_mode(&self, mode: u32) -> io::Result<()> {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = fs::openat(&self.folder, self.name.as_os_str(), flags, Mode::empty())?;
        Ok(fs::fchmod(&file, Mode::from_raw_mode(mode))?)
    }

    /// Changes its times.
    ///
    /// # Errors
    /// As the system reports.
    pub fn set_times(&self, times: &Timestamps) -> io::Result<()> {
        Ok(fs::utimensat(&self.folder, self.name.as_os_str(), times, AtFlags::SYMLINK_NOFOLLOW)?)
    }
}

#[expect(clippy::useless_conversion, reason = "the C library's types differ from system to system")]
fn inode(raw: &fs::Stat) -> io::Result<u64> {
    match fs::FileType::from_raw_mode(raw.st_mode) {
        fs::FileType::RegularFile | fs::FileType::Directory => {}
        _ => return Err(io::Error::other("it is neither a regular file nor a folder")),
    }
    Ok(u64::try_from(raw.st_ino).unwrap_or(0))
}
