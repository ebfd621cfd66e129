//! Systems without descriptors to open relative to (Windows): paths are joined, and every part is checked before it is
//! opened. A link that is slipped in between the check and the opening would be followed; on such systems a spool that
//! an attacker can write to is better scanned from a copy.

use super::{EntryKind, Names, TakeName};
use crate::evidence::{Stat, Time};
use std::fs::{File, Metadata};
use std::io::{self, Read as _, Seek as _};
use std::ops::ControlFlow;
use std::path::{Component, Path, PathBuf};

/// An open root folder.
#[derive(Debug)]
pub struct Handle(PathBuf);

impl Handle {
    pub fn open(path: &Path) -> io::Result<Self> {
        if std::fs::metadata(path)?.is_dir() {
            Ok(Self(path.to_owned()))
        } else {
            Err(io::Error::other("not a directory"))
        }
    }

    pub fn stat(&self, path: &Path) -> io::Result<(EntryKind, Stat)> {
        let data = std::fs::symlink_metadata(self.checked(path)?)?;
        Ok((kind_of(&data), stat_of(&data)))
    }

    pub fn open_file(&self, path: &Path, _cross: bool) -> io::Result<(File, bool)> {
        let full = self.checked(path)?;
        if !std::fs::symlink_metadata(&full)?.is_file() {
            return Err(link_error());
        }
        Ok((File::open(full)?, false))
    }

    pub fn list(&self, path: &Path, _cross: bool) -> io::Result<(Names<'_>, bool)> {
        let entries = std::fs::read_dir(self.checked(path)?)?.map(|entry| {
            let entry = entry?;
            let kind = kind_of(&entry.metadata()?);
            Ok((PathBuf::from(entry.file_name()), kind))
        });
        Ok((Box::new(entries), false))
    }

    pub fn folder(&self, path: &Path, _cross: bool) -> io::Result<(Self, bool)> {
        Ok((Self(self.checked(path)?), false))
    }

    pub fn way(&self, path: &Path) -> io::Result<Self> {
        Ok(Self(self.checked(path)?))
    }

    pub fn each(&self, take: &mut TakeName<'_>) -> ControlFlow<()> {
        match self.list(Path::new("."), false) {
            Err(error) => take(Err(error)),
            Ok((names, _)) => {
                for entry in names {
                    take(entry.as_ref().map(|(name, kind)| (name.as_path(), *kind)).map_err(copied))?;
                }
                ControlFlow::Continue(())
            }
        }
    }

    fn checked(&self, path: &Path) -> io::Result<PathBuf> {
        let mut full = self.0.clone();
        let mut components = path.components().peekable();
        while let Some(component) = components.next() {
            match component {
                Component::CurDir => continue,
                Component::Normal(name) => full.push(name),
                _ => return Err(link_error()),
            }
            if components.peek().is_some() && std::fs::symlink_metadata(&full)?.file_type().is_symlink() {
                return Err(link_error());
            }
        }
        Ok(full)
    }
}

fn copied(error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), error.to_string())
}

fn link_error() -> io::Error {
    io::Error::other("a link or special file")
}

pub fn stat_open(file: &File) -> io::Result<(EntryKind, Stat)> {
    let data = file.metadata()?;
    Ok((kind_of(&data), stat_of(&data)))
}

pub fn read_at(file: &File, offset: u64, limit: usize, bytes: &mut Vec<u8>) -> io::Result<()> {
    let mut file = file.try_clone()?;
    file.seek(io::SeekFrom::Start(offset))?;
    file.take(limit as u64).read_to_end(bytes)?;
    Ok(())
}

pub fn read_some(mut file: &File, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
    file.seek(io::SeekFrom::Start(offset))?;
    file.read(buffer)
}

pub fn is_link_error(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::Other && error.to_string() == "a link or special file"
}

/// Whether an error says that there is nothing of this name. What else is told differs from system to system.
pub fn is_absence(error: &io::Error) -> bool {
    error.kind() != io::ErrorKind::PermissionDenied
}

pub fn is_mount_error(_error: &io::Error) -> bool {
    false
}

pub fn describe(error: &io::Error) -> String {
    error.to_string().to_lowercase()
}

fn kind_of(data: &Metadata) -> EntryKind {
    let kind = data.file_type();
    if kind.is_symlink() {
        EntryKind::Symlink
    } else if kind.is_dir() {
        EntryKind::Directory
    } else if kind.is_file() {
        EntryKind::Regular
    } else {
        EntryKind::Special
    }
}

/// What the portable library knows: size and times. Modes, owners and inodes have no counterpart here, and the rules that
/// need them belong to mail systems that do not run here.
fn stat_of(data: &Metadata) -> Stat {
    let time = |time: io::Result<std::time::SystemTime>| {
        let since = time.ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
        since.map_or(Time::from_unix(0), |since| {
            Time::new(i64::try_from(since.as_secs()).unwrap_or(0), since.subsec_nanos())
        })
    };
    Stat {
        device: 0,
        inode: 0,
        mode: 0,
        uid: 0,
        gid: 0,
        links: 1,
        size: data.len(),
        accessed: time(data.accessed()),
        modified: time(data.modified()),
        changed: time(data.modified()),
    }
}
