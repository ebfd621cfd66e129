//! Files of a spool: opened without following a link, without touching an access time, and only if they are regular.

use super::manifest::Manifest;
use crate::evidence::{Damage, DamageKind, Locus, Stat, Text, Time};
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

#[cfg(unix)]
#[path = "disk_unix.rs"]
mod system;
#[cfg(not(unix))]
#[path = "disk_portable.rs"]
mod system;

/// What a directory entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// A regular file.
    Regular,
    /// A directory.
    Directory,
    /// A symbolic link. Never followed.
    Symlink,
    /// A FIFO, socket or device. Never opened.
    Special,
    /// The file system does not say before the file is looked at.
    Unknown,
}

impl EntryKind {
    /// What people call it.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Regular => "a regular file",
            Self::Directory => "a directory",
            Self::Symlink => "a symbolic link",
            Self::Special => "a FIFO, socket or device",
            Self::Unknown => "an unknown kind of file",
        }
    }
}

/// A folder below which everything is read by relative path, never leaving it.
#[derive(Debug)]
pub struct Root {
    path: PathBuf,
    handle: system::Handle,
    manifest: Option<Arc<Manifest>>,
    cross_file_systems: bool,
    atime_lost: AtomicBool,
    manifest_used: AtomicBool,
    manifest_missed: AtomicBool,
}

/// The names in a folder with what each of them is.
pub type Names<'a> = Box<dyn Iterator<Item = io::Result<(PathBuf, EntryKind)>> + 'a>;

/// An open regular file of a spool.
#[derive(Debug)]
pub struct OpenFile {
    /// Its metadata, taken after opening.
    pub stat: Stat,
    file: File,
}

impl Root {
    /// Opens a folder. The path itself is the operator's and may lead through links; nothing below it may.
    ///
    /// # Errors
    /// When it is not a folder or cannot be opened.
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            handle: system::Handle::open(path)?,
            manifest: None,
            cross_file_systems: false,
            atime_lost: AtomicBool::new(false),
            manifest_used: AtomicBool::new(false),
            manifest_missed: AtomicBool::new(false),
        })
    }

    /// Lets this manifest speak for the metadata of the files.
    #[must_use]
    pub fn with_manifest(mut self, manifest: Option<Arc<Manifest>>) -> Self {
        self.manifest = manifest;
        self
    }

    /// Lets reading go on below mount points.
    #[must_use]
    pub fn crossing_file_systems(mut self, cross: bool) -> Self {
        self.cross_file_systems = cross;
        self
    }

    /// Whether mount points are crossed.
    pub fn crosses_file_systems(&self) -> bool {
        self.cross_file_systems
    }

    /// Its path as the operator wrote it.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether a manifest speaks for the metadata.
    pub fn has_manifest(&self) -> bool {
        self.manifest.is_some()
    }

    /// Whether a manifest was given, files were read, and it knows none of them: it is that of another spool. Where no
    /// file lies there is nothing to know.
    pub fn manifest_is_foreign(&self) -> bool {
        self.manifest_missed.load(Ordering::Relaxed) && !self.manifest_used.load(Ordering::Relaxed)
    }

    /// Whether some file or folder had to be read without protection of its access time: ghostq neither owns it nor has
    /// the capability `CAP_FOWNER`.
    pub fn atime_lost(&self) -> bool {
        self.atime_lost.load(Ordering::Relaxed)
    }

    /// Metadata of a path below the root, of the link itself if it is one.
    ///
    /// # Errors
    /// As the system reports.
    pub fn stat(&self, path: &Path) -> io::Result<(EntryKind, Stat)> {
        let (kind, stat) = self.handle.stat(path)?;
        Ok((kind, self.as_original(path, stat)))
    }

    /// The newest time at which one of these folders was modified, as far as it is not later than `now`: the kernel stamps it
    /// when something in it comes, goes or is renamed.
    pub fn newest_change(&self, folders: impl IntoIterator<Item = PathBuf>, now: Time) -> Option<Time> {
        let modified =
            folders.into_iter().filter_map(|path| self.stat(&path).ok()).map(|(_, stat)| stat.modified);
        modified.filter(|time| *time <= now).max()
    }

    /// Whether there is something of this name, of whatever kind.
    pub fn exists(&self, path: &Path) -> bool {
        self.handle.stat(path).is_ok()
    }

    /// The device and inode of the root folder itself.
    ///
    /// # Errors
    /// As the system reports.
    pub fn identity(&self) -> io::Result<super::process::FileId> {
        self.handle.stat(Path::new(".")).map(|(_, stat)| (stat.device, stat.inode))
    }

    /// Opens a regular file below the root for reading.
    ///
    /// # Errors
    /// [`Damage`] that names the file: it is a link or no regular file, permission was refused, it went away.
    pub fn open_file(&self, path: &Path) -> Result<OpenFile, Damage> {
        let (file, atime_kept) = self
            .handle
            .open_file(path, self.cross_file_systems)
            .map_err(|error| self.refused(path, &error))?;
        if !atime_kept {
            self.atime_lost.store(true, Ordering::Relaxed);
        }
        let (kind, stat) = system::stat_open(&file).map_err(|error| self.refused(path, &error))?;
        if kind != EntryKind::Regular {
            return Err(not_regular(path, kind));
        }
        if self.manifest.is_some() {
            let seen =
                if self.in_manifest(path).is_some() { &self.manifest_used } else { &self.manifest_missed };
            seen.store(true, Ordering::Relaxed);
        }
        Ok(OpenFile { stat: self.as_original(path, stat), file })
    }

    /// The names in a folder below the root (`.` is the root itself), in the order of the file system.
    ///
    /// # Errors
    /// [`Damage`] that names the folder. An error within the folder is handed over in place of the entry.
    pub fn list(&self, path: &Path) -> Result<Names<'_>, Damage> {
        let (entries, atime_kept) =
            self.handle.list(path, self.cross_file_systems).map_err(|error| self.refused(path, &error))?;
        if !atime_kept {
            self.atime_lost.store(true, Ordering::Relaxed);
        }
        Ok(entries)
    }

    /// The damage that an error of the system on this path amounts to.
    pub fn refused(&self, path: &Path, error: &io::Error) -> Damage {
        let locus = Locus::whole(Text::from_path(path));
        if system::is_link_error(error) {
            return not_regular(path, EntryKind::Symlink);
        }
        if system::is_mount_error(error) {
            return Damage::new(
                DamageKind::Unreadable,
                locus,
                "it is on another file system, which is not read unless asked",
                "add `--cross-file-systems` to read it too",
            );
        }
        match error.kind() {
            io::ErrorKind::NotFound => {
                Damage::new(DamageKind::Vanished, locus, "it went away while it was read", "scan again")
            }
            io::ErrorKind::PermissionDenied => Damage::new(
                DamageKind::Unreadable,
                locus,
                "permission denied",
                "run as root or as the mail system's user, or copy the spool with `cp -a` and scan the copy",
            ),
            _ => Damage::new(DamageKind::Unreadable, locus, system::describe(error), ""),
        }
    }

    fn as_original(&self, path: &Path, copy: Stat) -> Stat {
        self.in_manifest(path).map_or(copy, |entry| entry.over(copy))
    }

    /// What the manifest says of a path: by its place below this folder or, in a manifest of several folders, by that below
    /// the folder which holds them.
    fn in_manifest(&self, path: &Path) -> Option<&super::manifest::Entry> {
        let manifest = self.manifest.as_ref()?;
        // `find -printf %P` prints nothing for the folder itself.
        let own = path == Path::new(".");
        let name = if own { Text::default() } else { Text::from_path(path) };
        let beside = || {
            let folder = Path::new(self.path.file_name()?);
            let path = if own { folder.to_path_buf() } else { folder.join(path) };
            manifest.get(&Text::from_path(&path))
        };
        manifest.get(&name).or_else(beside)
    }
}

/// Damage: something that is not a regular file stands where one was expected.
pub fn not_regular(path: &Path, kind: EntryKind) -> Damage {
    Damage::new(
        DamageKind::NotRegular,
        Locus::whole(Text::from_path(path)),
        format!("it is {}, which is never opened or followed", kind.describe()),
        "look at it by hand, and move it out of the spool if it does not belong there",
    )
}

impl OpenFile {
    /// At most `limit` bytes from the start.
    ///
    /// # Errors
    /// As the system reports.
    pub fn head(&self, limit: usize) -> io::Result<Vec<u8>> {
        self.at(0, limit)
    }

    /// At most `limit` bytes from `offset` on; fewer at the end of the file.
    ///
    /// # Errors
    /// As the system reports.
    pub fn at(&self, offset: u64, limit: usize) -> io::Result<Vec<u8>> {
        system::read_at(&self.file, offset, limit)
    }

    /// A reader from the start of the file on.
    ///
    /// # Errors
    /// As the system reports.
    pub fn reader(&self) -> io::Result<File> {
        let mut file = self.file.try_clone()?;
        io::Seek::seek(&mut file, io::SeekFrom::Start(0))?;
        Ok(file)
    }

    /// The whole content, if it is no longer than `limit`.
    ///
    /// # Errors
    /// As the system reports.
    pub fn all(&self, limit: usize) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.reader()?.take(limit as u64).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// The open file itself, for what the system knows about it beyond its bytes (extended attributes).
    pub fn as_file(&self) -> &File {
        &self.file
    }
}

/// Metadata of a file that is no part of a spool (a listing, a configuration file): its modification time.
pub fn modified(path: &Path) -> Option<Time> {
    let time = std::fs::metadata(path).ok()?.modified().ok()?;
    let since = time.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(Time::new(i64::try_from(since.as_secs()).ok()?, since.subsec_nanos()))
}
