//! Files of a spool: opened without following a link, without touching an access time, and only if they are regular.

use super::manifest::Manifest;
use super::memory::{Memory, Remembered};
use crate::evidence::{Damage, DamageKind, Locus, Stat, Text, Time, as_path, split_path};
use std::collections::HashSet;
use std::fs::File;
use std::hash::{BuildHasher as _, BuildHasherDefault, Hasher, RandomState};
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

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
    path: Arc<Path>,
    handle: Arc<system::Handle>,
    manifest: Option<Arc<Manifest>>,
    cross_file_systems: bool,
    keeps_names: bool,
    remembered: Option<Arc<Remembered>>,
    notes: Arc<Notes>,
    near: Option<Near>,
    missed: Mutex<Missed>,
}

/// What could not be looked at or read, apart from what was asked about it.
#[derive(Debug, Default)]
pub struct Missed {
    /// Whether these are there is not known, and so nothing follows from it.
    pub unseen: Vec<Damage>,
    /// They are there, and what is in them is not known.
    pub unread: Vec<Damage>,
}

/// Failures that are kept of each kind until somebody asks for them.
const MAX_MISSED: usize = 16;

/// What was noticed while reading below a root.
#[derive(Debug, Default)]
struct Notes {
    atime_lost: AtomicBool,
    manifest_used: AtomicBool,
    manifest_missed: AtomicBool,
}

/// A folder below a root that is held open, so that what lies in it is reached by its name alone.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    handle: system::Handle,
    names: OnceLock<Known>,
    above: Option<Arc<Folder>>,
}

/// Names that are known by their hashes. The hash has a key of its own, so that nobody can make names that collide.
#[derive(Debug, Default)]
struct Known {
    key: RandomState,
    hashes: HashSet<u64, BuildHasherDefault<AsItIs>>,
}

/// What is a hash already is not hashed again.
#[derive(Debug, Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0 << 8 | u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// Folders that are held open for as long as one batch of files is read.
#[derive(Debug)]
struct Near {
    folder: Arc<Folder>,
    /// Others in which files of these names are looked for.
    beside: Mutex<Vec<Arc<Folder>>>,
}

/// Folders beside the one that is read; no mail system has more places for one message.
const MAX_BESIDE: usize = 8;

/// The names in a folder with what each of them is.
pub type Names<'a> = Box<dyn Iterator<Item = io::Result<(PathBuf, EntryKind)>> + 'a>;

/// Receives a name and what it is, or why the names that are left are not known; `Break` means that nobody wants more.
pub type TakeName<'t> = dyn FnMut(io::Result<(&Path, EntryKind)>) -> ControlFlow<()> + 't;

/// An open regular file of a spool.
#[derive(Debug)]
pub struct OpenFile {
    /// Its metadata, taken after opening.
    pub stat: Stat,
    file: File,
}

/// A file that is read from its start on, without a descriptor of its own.
#[derive(Debug)]
pub struct Stream<'f> {
    file: &'f File,
    at: u64,
    end: u64,
}

impl Root {
    /// Opens a folder. The path itself is the operator's and may lead through links; nothing below it may.
    ///
    /// # Errors
    /// When it is not a folder or cannot be opened.
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Self {
            path: path.into(),
            handle: Arc::new(system::Handle::open(path)?),
            manifest: None,
            cross_file_systems: false,
            keeps_names: false,
            remembered: None,
            notes: Arc::default(),
            near: None,
            missed: Mutex::default(),
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

    /// Lets each folder that is walked be listed as a whole before anything in it is read, for [`Root::listed`].
    #[must_use]
    pub fn keeping_names(mut self) -> Self {
        self.keeps_names = true;
        self
    }

    /// Lets the walk remember messages, for [`Root::came_across`].
    #[must_use]
    pub fn remembering(mut self, memory: Memory) -> Self {
        self.remembered = Some(Arc::new(Remembered::new(memory)));
        self
    }

    /// What remembers the files of this folder, and as belonging to what.
    pub fn memory_of(&self, folder: &Path) -> Option<(&Remembered, PathBuf)> {
        let remembered = self.remembered.as_deref()?;
        Some((remembered, remembered.scope(folder)?))
    }

    /// Whether the walk came across a message of this ID in this part of the spool. It is as old as the walk, and says nothing
    /// of what it did not come across.
    pub fn came_across(&self, scope: &Path, id: &[u8]) -> bool {
        self.remembered.as_ref().is_some_and(|remembered| remembered.has(scope, id))
    }

    /// Whether folders are listed as a whole before they are read.
    pub fn keeps_names(&self) -> bool {
        self.keeps_names
    }

    /// Whether there was something of this name when the folder was listed which is being read, or one above it. `None`: that
    /// is not known. It costs nothing, and is as old as the listing: what hangs on it must be looked at again.
    pub fn listed(&self, path: &Path) -> Option<bool> {
        let (folder, name) = split_path(path)?;
        let mut at = Some(&self.near.as_ref()?.folder);
        while let Some(walked) = at {
            if walked.is(folder) {
                return walked.names.get().map(|names| names.has(name));
            }
            at = walked.above.as_ref();
        }
        None
    }

    /// The same for a name in the folder itself that is being read.
    pub fn listed_here(&self, name: &[u8]) -> Option<bool> {
        Some(self.near.as_ref()?.folder.names.get()?.has(&as_path(name)))
    }

    /// The same for a name in the folder above that one.
    pub fn listed_above(&self, name: &[u8]) -> Option<bool> {
        Some(self.near.as_ref()?.folder.above.as_ref()?.names.get()?.has(&as_path(name)))
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
        self.notes.manifest_missed.load(Ordering::Relaxed)
            && !self.notes.manifest_used.load(Ordering::Relaxed)
    }

    /// Whether some file or folder had to be read without protection of its access time: ghostq neither owns it nor has
    /// the capability `CAP_FOWNER`.
    pub fn atime_lost(&self) -> bool {
        self.notes.atime_lost.load(Ordering::Relaxed)
    }

    /// Metadata of a path below the root, of the link itself if it is one.
    ///
    /// # Errors
    /// As the system reports.
    pub fn stat(&self, path: &Path) -> io::Result<(EntryKind, Stat)> {
        let (kind, stat) = self.look(path)?;
        Ok((kind, self.as_original(path, stat)))
    }

    /// The same root, which reaches what lies in this folder by name, and looks into folders beside it without going
    /// through their paths each time. It is for a batch of files: a folder that is replaced meanwhile is read as it was.
    #[must_use]
    pub fn within(&self, folder: &Arc<Folder>) -> Self {
        Self {
            path: Arc::clone(&self.path),
            handle: Arc::clone(&self.handle),
            manifest: self.manifest.clone(),
            cross_file_systems: self.cross_file_systems,
            keeps_names: self.keeps_names,
            remembered: self.remembered.clone(),
            notes: Arc::clone(&self.notes),
            near: Some(Near { folder: Arc::clone(folder), beside: Mutex::default() }),
            missed: Mutex::default(),
        }
    }

    /// What could not be looked at or read since this was asked last.
    pub fn take_missed(&self) -> Missed {
        std::mem::take(&mut *self.missed.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Remembers that a file which says more about a message could not be read.
    pub fn unread(&self, path: &Path, error: &io::Error) {
        let mut missed = self.missed.lock().unwrap_or_else(PoisonError::into_inner);
        if !system::is_absence(error) && missed.unread.len() < MAX_MISSED {
            missed.unread.push(self.refused(path, error));
        }
    }

    fn look(&self, path: &Path) -> io::Result<(EntryKind, Stat)> {
        let looked = self.look_now(path);
        if let Err(error) = &looked
            && !system::is_absence(error)
        {
            let mut missed = self.missed.lock().unwrap_or_else(PoisonError::into_inner);
            if missed.unseen.len() < MAX_MISSED {
                missed.unseen.push(self.refused(path, error));
            }
        }
        looked
    }

    fn look_now(&self, path: &Path) -> io::Result<(EntryKind, Stat)> {
        let (Some(near), Some((folder, name))) = (&self.near, split_path(path)) else {
            return self.handle.stat(path);
        };
        if near.folder.is(folder) {
            return near.folder.handle.stat(name);
        }
        // Whoever panicked with the lock in hand left whole entries behind.
        let mut beside = near.beside.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = beside.iter().find(|known| known.is(folder)) {
            return known.handle.stat(name);
        }
        let opened = Folder::new(folder.to_owned(), self.handle.way(folder)?, None);
        let looked = opened.handle.stat(name);
        if beside.len() >= MAX_BESIDE {
            beside.remove(0);
        }
        beside.push(Arc::new(opened));
        looked
    }

    /// The newest time at which one of these folders was modified, as far as it is not later than `now`: the kernel stamps it
    /// when something in it comes, goes or is renamed.
    pub fn newest_change(&self, folders: impl IntoIterator<Item = PathBuf>, now: Time) -> Option<Time> {
        let modified =
            folders.into_iter().filter_map(|path| self.stat(&path).ok()).map(|(_, stat)| stat.modified);
        modified.filter(|time| *time <= now).max()
    }

    /// Whether there is something of this name, of whatever kind; where that cannot be known, there may be.
    pub fn exists(&self, path: &Path) -> bool {
        self.look(path).map_or_else(|error| !system::is_absence(&error), |_| true)
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
        let near =
            self.near.as_ref().zip(split_path(path)).filter(|(near, (folder, _))| near.folder.is(folder));
        let (handle, relative) = match near {
            Some((near, (_, name))) => (&near.folder.handle, name),
            None => (&*self.handle, path),
        };
        let failed = |error: io::Error| {
            self.unread(path, &error);
            self.refused(path, &error)
        };
        let (file, atime_kept) = handle.open_file(relative, self.cross_file_systems).map_err(failed)?;
        if !atime_kept {
            self.notes.atime_lost.store(true, Ordering::Relaxed);
        }
        let (kind, stat) = system::stat_open(&file).map_err(failed)?;
        if kind != EntryKind::Regular {
            return Err(not_regular(path, kind));
        }
        if self.manifest.is_some() {
            let seen = if self.in_manifest(path).is_some() {
                &self.notes.manifest_used
            } else {
                &self.notes.manifest_missed
            };
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
            self.notes.atime_lost.store(true, Ordering::Relaxed);
        }
        Ok(entries)
    }

    /// Opens a folder below the root, to be listed and to be read from; `above`: the one in which it was found.
    ///
    /// # Errors
    /// [`Damage`] that names the folder.
    pub fn open_folder(&self, path: &Path, above: Option<Arc<Folder>>) -> Result<Folder, Damage> {
        let (handle, atime_kept) =
            self.handle.folder(path, self.cross_file_systems).map_err(|error| self.refused(path, &error))?;
        if !atime_kept {
            self.notes.atime_lost.store(true, Ordering::Relaxed);
        }
        let path = if path == Path::new(".") { PathBuf::new() } else { path.to_owned() };
        Ok(Folder::new(path, handle, above))
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

impl Read for Stream<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let room = usize::try_from(self.end.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let buffer = buffer.get_mut(..room.min(buffer.len())).unwrap_or_default();
        if buffer.is_empty() {
            return Ok(0);
        }
        let count = system::read_some(self.file, self.at, buffer)?;
        self.at += count as u64;
        Ok(count)
    }
}

impl Known {
    fn hash(&self, name: &Path) -> u64 {
        self.key.hash_one(name.as_os_str().as_encoded_bytes())
    }

    fn has(&self, name: &Path) -> bool {
        self.hashes.contains(&self.hash(name))
    }
}

impl Folder {
    fn new(path: PathBuf, handle: system::Handle, above: Option<Arc<Self>>) -> Self {
        Self { path, handle, names: OnceLock::new(), above }
    }

    /// Takes these for all names that are in it, the first time that it is told.
    pub fn knows<'n>(&self, names: impl Iterator<Item = &'n Path>) {
        self.names.get_or_init(|| {
            let mut known = Known::default();
            known.hashes = names.map(|name| known.hash(name)).collect();
            known
        });
    }

    /// Its path below the root; empty for the root itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Hands over each name in it with what it is, in the order of the file system, until `take` breaks off. An error takes
    /// the place of the names that are not known for it.
    pub fn each(&self, take: &mut TakeName<'_>) -> ControlFlow<()> {
        self.handle.each(take)
    }

    fn is(&self, path: &Path) -> bool {
        self.path.as_os_str() == path.as_os_str()
    }
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
        let mut bytes = Vec::new();
        self.read_at(offset, limit, &mut bytes)?;
        Ok(bytes)
    }

    /// The same, in place of what is in `bytes`.
    ///
    /// # Errors
    /// As the system reports.
    pub fn read_at(&self, offset: u64, limit: usize, bytes: &mut Vec<u8>) -> io::Result<()> {
        bytes.clear();
        system::read_at(&self.file, offset, limit, bytes)
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

    /// A reader from the start of the file to where it ended when it was opened.
    pub fn stream(&self) -> Stream<'_> {
        Stream { file: &self.file, at: 0, end: self.stat.size }
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

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    /// A root as it is when what lies in its folder `deferred/A` is read.
    fn within(spool: &Path) -> Root {
        std::fs::create_dir_all(spool.join("deferred/A")).unwrap();
        let root = Root::open(spool).unwrap().keeping_names();
        let above = Arc::new(root.open_folder(Path::new("deferred"), None).unwrap());
        let folder = Arc::new(root.open_folder(Path::new("deferred/A"), Some(above)).unwrap());
        root.within(&folder)
    }

    #[test]
    fn what_is_reached_by_name_is_the_same_as_by_its_path() {
        let spool = tempfile::tempdir().unwrap();
        let near = within(spool.path());
        let far = Root::open(spool.path()).unwrap();
        for file in ["deferred/A/A1", "deferred/A2", "A3"] {
            let path = Path::new(file);
            assert!(!near.exists(path), "{file}");
            std::fs::write(spool.path().join(file), file).unwrap();
            assert_eq!(near.stat(path).unwrap(), far.stat(path).unwrap());
            assert_eq!(near.open_file(path).unwrap().head(100).unwrap(), file.as_bytes());
        }
    }

    #[test]
    fn no_link_is_followed_from_within_a_folder() {
        let spool = tempfile::tempdir().unwrap();
        let near = within(spool.path());
        std::fs::write(spool.path().join("secret"), "x").unwrap();
        std::os::unix::fs::symlink("../../secret", spool.path().join("deferred/A/link")).unwrap();
        std::os::unix::fs::symlink("A", spool.path().join("deferred/B")).unwrap();
        std::fs::write(spool.path().join("deferred/A/A1"), "x").unwrap();
        let damage = near.open_file(Path::new("deferred/A/link")).unwrap_err();
        assert_eq!(damage.kind, DamageKind::NotRegular);
        assert_eq!(near.stat(Path::new("deferred/A/link")).unwrap().0, EntryKind::Symlink);
        assert!(!near.exists(Path::new("deferred/B/A1")), "the folder is a link");
        assert!(near.open_file(Path::new("deferred/B/A1")).is_err());
        let outside = Path::new("../..").join(spool.path().file_name().unwrap()).join("secret");
        assert!(
            near.open_file(&Path::new("deferred/A").join("..").join(outside)).is_err(),
            "it leaves the root"
        );
    }

    #[test]
    fn a_folder_tells_what_was_in_it_when_it_was_listed_and_nothing_of_others() {
        let spool = tempfile::tempdir().unwrap();
        let near = within(spool.path());
        let path = Path::new("deferred/A/A1");
        assert_eq!(near.listed(path), None, "it was not listed yet");
        near.near.as_ref().unwrap().folder.knows([Path::new("A1")].into_iter());
        assert_eq!(near.listed(path), Some(true));
        assert_eq!(near.listed(Path::new("deferred/A/A2")), Some(false));
        assert_eq!(near.listed(Path::new("deferred/A1")), None, "the folder above was not");
        assert_eq!(near.listed(Path::new("defer/A/A1")), None);
    }
}
