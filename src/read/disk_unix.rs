//! Unix: everything is opened relative to the root's descriptor.

use super::{EntryKind, Names, TakeName};
use crate::evidence::{Stat, Time};
use rustix::fs::{self, AtFlags, Dir, FileType, Mode, OFlags};
use rustix::io::Errno;
use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::ops::ControlFlow;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::FileExt as _;
use std::path::{Component, Path, PathBuf};

/// An open root folder.
#[derive(Debug)]
pub struct Handle(OwnedFd);

/// Names are listed in steps of so many bytes.
#[cfg(target_os = "linux")]
const LIST_BYTES: usize = 32 << 10;

const READ: OFlags = OFlags::RDONLY.union(OFlags::NOFOLLOW).union(OFlags::NONBLOCK).union(OFlags::CLOEXEC);

impl Handle {
    pub fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self(fs::open(path, flags, Mode::empty())?))
    }

    pub fn stat(&self, path: &Path) -> io::Result<(EntryKind, Stat)> {
        let (parent, name) = self.parent(path)?;
        let raw = fs::statat(parent.as_ref().unwrap_or(&self.0), name, AtFlags::SYMLINK_NOFOLLOW)?;
        Ok((kind_of(FileType::from_raw_mode(raw.st_mode)), stat_of(&raw)))
    }

    /// The file, and whether its access time is protected.
    pub fn open_file(&self, path: &Path, cross: bool) -> io::Result<(File, bool)> {
        let (fd, kept) = self.open_below(path, READ, cross)?;
        Ok((File::from(fd), kept))
    }

    pub fn list(&self, path: &Path, cross: bool) -> io::Result<(Names<'_>, bool)> {
        let (fd, kept) = self.open_below(path, READ | OFlags::DIRECTORY, cross)?;
        let entries = Dir::new(fd)?.filter_map(|entry| match entry {
            Err(error) => Some(Err(error.into())),
            Ok(entry) => {
                let name = entry.file_name().to_bytes();
                if name == b"." || name == b".." {
                    return None;
                }
                let name = PathBuf::from(OsStr::from_bytes(name));
                Some(Ok((name, kind_of(entry.file_type()))))
            }
        });
        Ok((Box::new(entries), kept))
    }

    /// A folder, and whether its access time is protected.
    pub fn folder(&self, path: &Path, cross: bool) -> io::Result<(Self, bool)> {
        let (fd, kept) = self.open_below(path, READ | OFlags::DIRECTORY, cross)?;
        Ok((Self(fd), kept))
    }

    /// A folder through which things are looked at and never opened.
    pub fn way(&self, path: &Path) -> io::Result<Self> {
        let (parent, name) = self.parent(path)?;
        Ok(Self(step_into(parent.as_ref().unwrap_or(&self.0), name)?))
    }

    /// Hands over each name in this folder.
    pub fn each(&self, take: &mut TakeName<'_>) -> ControlFlow<()> {
        let mut give = |name: &[u8], kind: FileType| {
            if name == b"." || name == b".." {
                return ControlFlow::Continue(());
            }
            take(Ok((Path::new(OsStr::from_bytes(name)), kind_of(kind))))
        };
        #[cfg(target_os = "linux")]
        {
            let mut buffer = Vec::<u8>::with_capacity(LIST_BYTES);
            let mut names = fs::RawDir::new(&self.0, buffer.spare_capacity_mut());
            while let Some(entry) = names.next() {
                match entry {
                    Ok(entry) => give(entry.file_name().to_bytes(), entry.file_type())?,
                    // The folder was removed meanwhile.
                    Err(Errno::NOENT) => break,
                    Err(error) => return take(Err(error.into())),
                }
            }
            ControlFlow::Continue(())
        }
        #[cfg(not(target_os = "linux"))]
        {
            let names = match Dir::read_from(&self.0) {
                Ok(names) => names,
                Err(error) => return take(Err(error.into())),
            };
            for entry in names {
                match entry {
                    Ok(entry) => give(entry.file_name().to_bytes(), entry.file_type())?,
                    Err(error) => return take(Err(error.into())),
                }
            }
            ControlFlow::Continue(())
        }
    }

    fn open_below(&self, path: &Path, flags: OFlags, cross: bool) -> io::Result<(OwnedFd, bool)> {
        #[cfg(target_os = "linux")]
        {
            match self.open_at(path, flags | OFlags::NOATIME, cross) {
                // Only the owner and CAP_FOWNER may leave an access time alone (open(2), O_NOATIME).
                Err(error) if Errno::from_io_error(&error) == Some(Errno::PERM) => {}
                opened => return opened.map(|fd| (fd, true)),
            }
        }
        self.open_at(path, flags, cross).map(|fd| (fd, false))
    }

    #[cfg(target_os = "linux")]
    fn open_at(&self, path: &Path, flags: OFlags, cross: bool) -> io::Result<OwnedFd> {
        use rustix::fs::ResolveFlags;
        let mut resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
        if !cross {
            resolve |= ResolveFlags::NO_XDEV;
        }
        match fs::openat2(&self.0, path, flags, Mode::empty(), resolve) {
            Ok(fd) => Ok(fd),
            // Kernels before 5.6, and sandboxes that do not know the call.
            Err(Errno::NOSYS) => self.open_step_by_step(path, flags),
            Err(error) => Err(error.into()),
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn open_at(&self, path: &Path, flags: OFlags, _cross: bool) -> io::Result<OwnedFd> {
        self.open_step_by_step(path, flags)
    }

    /// One folder at a time, so that no component can be a link.
    fn open_step_by_step(&self, path: &Path, flags: OFlags) -> io::Result<OwnedFd> {
        let (parent, name) = self.parent(path)?;
        Ok(fs::openat(parent.as_ref().unwrap_or(&self.0), name, flags, Mode::empty())?)
    }

    /// The folder that holds the last component, and that component. `None`: the root itself.
    fn parent<'p>(&self, path: &'p Path) -> io::Result<(Option<OwnedFd>, &'p Path)> {
        let mut folder: Option<OwnedFd> = None;
        let mut last: Option<&Path> = None;
        for component in path.components() {
            let name = match component {
                Component::CurDir => continue,
                Component::Normal(name) => Path::new(name),
                _ => return Err(Errno::XDEV.into()),
            };
            if let Some(through) = last.replace(name) {
                folder = Some(step_into(folder.as_ref().unwrap_or(&self.0), through)?);
            }
        }
        Ok((folder, last.unwrap_or(Path::new("."))))
    }
}

/// A folder of this name in a folder, through which the next one is reached.
fn step_into(folder: &OwnedFd, name: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    #[cfg(target_os = "linux")]
    let flags = flags | OFlags::PATH;
    Ok(fs::openat(folder, name, flags, Mode::empty())?)
}

pub fn stat_open(file: &File) -> io::Result<(EntryKind, Stat)> {
    let raw = fs::fstat(file)?;
    Ok((kind_of(FileType::from_raw_mode(raw.st_mode)), stat_of(&raw)))
}

pub fn read_at(file: &File, offset: u64, limit: usize, bytes: &mut Vec<u8>) -> io::Result<()> {
    bytes.resize(limit, 0);
    let mut filled = 0;
    while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, offset + filled as u64) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(filled);
    Ok(())
}

pub fn read_some(file: &File, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
    file.read_at(buffer, offset)
}

pub fn is_link_error(error: &io::Error) -> bool {
    Errno::from_io_error(error) == Some(Errno::LOOP)
}

/// Whether an error says that there is nothing of this name. Any other leaves that open.
pub fn is_absence(error: &io::Error) -> bool {
    let absent = [Errno::NOENT, Errno::NOTDIR, Errno::LOOP, Errno::NAMETOOLONG, Errno::XDEV, Errno::INVAL];
    Errno::from_io_error(error).is_some_and(|errno| absent.contains(&errno))
}

pub fn is_mount_error(error: &io::Error) -> bool {
    Errno::from_io_error(error) == Some(Errno::XDEV)
}

pub fn describe(error: &io::Error) -> String {
    match Errno::from_io_error(error) {
        Some(Errno::NXIO) => "it is a FIFO, socket or device, which is never opened or followed".into(),
        Some(Errno::NOTDIR) => "part of its path is not a directory".into(),
        _ => error.to_string().to_lowercase(),
    }
}

fn kind_of(kind: FileType) -> EntryKind {
    match kind {
        FileType::RegularFile => EntryKind::Regular,
        FileType::Directory => EntryKind::Directory,
        FileType::Symlink => EntryKind::Symlink,
        FileType::Unknown => EntryKind::Unknown,
        _ => EntryKind::Special,
    }
}

/// The C library's types differ in width and sign from system to system; all of these values fit.
#[expect(clippy::useless_conversion, reason = "see above")]
fn stat_of(raw: &fs::Stat) -> Stat {
    let time = |seconds, nanos| Time::new(seconds, u32::try_from(nanos).unwrap_or(0));
    Stat {
        device: u64::try_from(raw.st_dev).unwrap_or(0),
        inode: u64::try_from(raw.st_ino).unwrap_or(0),
        mode: u32::from(raw.st_mode) & 0o7777,
        uid: raw.st_uid,
        gid: raw.st_gid,
        links: u64::try_from(raw.st_nlink).unwrap_or(0),
        size: u64::try_from(raw.st_size).unwrap_or(0),
        accessed: time(raw.st_atime, raw.st_atime_nsec),
        modified: time(raw.st_mtime, raw.st_mtime_nsec),
        changed: time(raw.st_ctime, raw.st_ctime_nsec),
    }
}
