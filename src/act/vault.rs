//! The vault: copies of every part before anything is done, what is handed in, and the originals that were taken away.
//!
//! Nothing in it is ever deleted by ghostq. One folder a job: `part-N` is a copy, `gone-N` the original itself (the same inode, if
//! the vault is on the file system of the spool), `message` what is handed in.

use super::faults::Faults;
use super::journal::sync_folder;
use super::spool::Spool;
use crate::evidence::{Stat, Text};
use crate::plan::{Digest, Guarded, Job};
use crate::read::disk::{OpenFile, Root};
use crate::read::streams::hex;
use anyhow::{Context as _, Result, bail};
use sha2::Digest as _;
use std::cell::RefCell;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Read as _, Seek as _, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// The name of what is handed in.
pub const MESSAGE: &str = "message";

/// The folder of one job in the vault.
#[derive(Debug)]
pub struct Vault {
    path: PathBuf,
    /// Originals that were looked at. Closing one would end a lock of `fcntl(2)` on it.
    open: RefCell<Vec<File>>,
    faults: Faults,
}

impl Vault {
    /// Makes the folder of a job, readable by its owner only.
    ///
    /// # Errors
    /// When it cannot be made, or others can write where it lies.
    pub fn make(job: &Job, faults: Faults) -> Result<Self> {
        let vault = Self::of(job, faults);
        let failed = || format!("could not make the vault `{}`", vault.path.display());
        vault.faults.pass("make the vault").with_context(failed)?;
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&vault.path).with_context(failed)?;
        for folder in vault.path.ancestors().take(3) {
            check_private(folder)?;
        }
        for folder in vault.path.ancestors().take(4).skip(1) {
            sync_folder(folder).with_context(failed)?;
        }
        Ok(vault)
    }

    /// The folder of a job that was made before.
    pub fn of(job: &Job, faults: Faults) -> Self {
        Self { path: job.vault.to_path(), open: RefCell::default(), faults }
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The folder itself, open.
    ///
    /// # Errors
    /// As the system reports.
    pub fn folder(&self) -> io::Result<File> {
        File::open(&self.path)
    }

    /// A file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Copies a part, and checks on the way that it is what was planned.
    ///
    /// # Errors
    /// [`Changed`] when it is not; others when it cannot be read or written.
    pub fn keep(&self, spool: &Spool, part: &Guarded, number: usize) -> Result<String> {
        let name = format!("part-{number}");
        let open = open_as_planned(spool.root(), part)?;
        let mut copy = self.create(&name)?;
        let digest = copy_all(&mut open.reader()?.take(part.stat.size), &mut copy)
            .with_context(|| format!("could not copy `{}` into the vault", part.path.lossy()))?;
        let still = open_as_planned(spool.root(), part)?;
        if digest.sha256 != part.sha256 || still.stat != open.stat {
            bail!(Changed(format!("`{}` changed since it was planned", part.path.lossy())));
        }
        self.finish(&copy)?;
        Ok(name)
    }

    /// Writes what is handed in, with a first line of its own above it, and says what it looks like without that.
    ///
    /// # Errors
    /// When it cannot be made, or written.
    pub fn extract(
        &self,
        top: &dyn Fn(bool) -> Vec<u8>,
        write: &mut dyn FnMut(&mut dyn Write) -> Result<()>,
    ) -> Result<Digest> {
        let sink = Measuring::new(TopOnFirst { vault: self, file: None, top });
        // So the first that arrives is more than the first line, by whose end is told what ends lines here.
        let mut buffer = BufWriter::with_capacity(64 << 10, sink);
        write(&mut buffer)?;
        let sink = buffer.into_inner().map_err(io::IntoInnerError::into_error)?;
        if let Some(file) = &sink.inner.file {
            self.finish(file)?;
        }
        Ok(sink.finish())
    }

    /// Takes a file of the spool away.
    ///
    /// # Errors
    /// As the system reports; [`Changed`] when it is not what was planned: then it has to go back.
    pub fn take(&self, spool: &Spool, part: &Guarded, number: usize) -> Result<()> {
        let folder = self.folder()?;
        match spool.move_out(&part.path, &folder, &gone(number)) {
            Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
                self.take_across(spool, part, number)?;
            }
            moved => moved?,
        }
        self.check(part, number)
    }

    /// Takes it away to another file system: it is copied, and its name is removed last.
    fn take_across(&self, spool: &Spool, part: &Guarded, number: usize) -> Result<()> {
        let gone = gone(number);
        let making = format!("{gone}.part");
        let open = open_as_planned(spool.root(), part)?;
        let mut copy = self.create(&making)?;
        // Not a second descriptor: closing it would end a lock of fcntl(2) before the name is gone.
        let digest = copy_all(&mut open.as_file(), &mut copy)?;
        if digest.sha256 != part.sha256 {
            bail!(Changed(format!("`{}` changed since it was planned", part.path.lossy())));
        }
        copy.set_modified(part.stat.modified.to_system())?;
        self.finish(&copy)?;
        self.faults.pass("name the copy on the other file system")?;
        fs::rename(self.file(&making), self.file(&gone))?;
        sync_folder(&self.path)?;
        self.faults.pass("the copy on the other file system is there")?;
        let now = spool.stat(&part.path)?.map(|(_, now)| Stat { accessed: open.stat.accessed, ..now });
        if now != Some(open.stat) {
            bail!(Changed(format!("`{}` changed at the last moment", part.path.lossy())));
        }
        Ok(spool.unlink(&part.path)?)
    }

    /// Whether what was taken away is what was planned: at the last moment somebody may have written to it, or have put
    /// another file under its name.
    ///
    /// # Errors
    /// [`Changed`] when it is not; others as the system reports.
    pub fn check(&self, part: &Guarded, number: usize) -> Result<()> {
        let changed = || Changed(format!("`{}` changed at the last moment", part.path.lossy()));
        let path = self.file(&gone(number));
        if !fs::symlink_metadata(&path)?.is_file() {
            bail!(changed());
        }
        let mut file = open_existing(&path)?;
        let there = file.metadata()?;
        let digest = digest_of(&mut file)?;
        self.open.borrow_mut().push(file);
        let same = digest.sha256 == part.sha256
            && there.modified()? == part.stat.modified.to_system()
            && is_same_file(&there, &part.stat);
        if same { Ok(()) } else { bail!(changed()) }
    }

    /// Puts a file back that was taken away; what was begun is brought to its end.
    ///
    /// # Errors
    /// As the system reports; `AlreadyExists` where its name is taken.
    pub fn give_back(&self, spool: &Spool, part: &Guarded, number: usize) -> io::Result<()> {
        let folder = self.folder()?;
        if self.has(number)? {
            match spool.move_in(&folder, &gone(number), &part.path) {
                Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {}
                moved => return moved,
            }
            let there = spool.stat(&part.path)?;
            if there.is_some_and(|(_, now)| is_original(&now, &part.stat)) {
                // It never left: the copy was made, and its name was not removed.
                return self.rename(&gone(number), &given_back(number));
            }
            self.make_ready(spool, part, number)?;
        }
        // From here on the mail system sees it, and may be done with it before anything else is written anywhere. That it was
        // given back shows in that its unfinished name is gone.
        let unfinished = unfinished(part);
        spool.rename(&unfinished, &part.path).or_else(|error| {
            self.faults.pass("look after a failure")?;
            if spool.stat(&unfinished)?.is_some() {
                self.rename(&given_back(number), &gone(number))?;
                spool.unlink(&unfinished)?;
            }
            Err(error)
        })
    }

    /// Copies a file back from another file system, under a name that no mail system takes up.
    fn make_ready(&self, spool: &Spool, part: &Guarded, number: usize) -> io::Result<()> {
        if spool.stat(&part.path)?.is_some() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let unfinished = unfinished(part);
        if spool.stat(&unfinished)?.is_some() {
            spool.unlink(&unfinished)?;
        }
        let done = self.copy_back(spool, part, number, &unfinished).and_then(|()| {
            self.faults.pass("note that it is about to be given back")?;
            self.rename(&gone(number), &given_back(number))
        });
        if done.is_err() && self.has(number)? {
            self.faults.pass("look after a failure")?;
            let _rest = spool.unlink(&unfinished);
        }
        done
    }

    fn copy_back(&self, spool: &Spool, part: &Guarded, number: usize, to: &Text) -> io::Result<()> {
        let mut original = open_existing(&self.file(&gone(number)))?;
        let mut copy = spool.create(to)?;
        let digest = copy_all(&mut original, &mut copy)?;
        if digest.sha256 != part.sha256 {
            return Err(io::Error::other("the original in the vault is not what was put there"));
        }
        let Some((_, made)) = spool.stat(to)? else { return Err(io::ErrorKind::NotFound.into()) };
        let stat = &part.stat;
        spool.set_owner(to, &made, stat.uid, Some(stat.gid))?;
        spool.set_mode(to, &made, stat.mode)?;
        spool.set_times(to, &made, Some(stat.accessed), stat.modified)?;
        copy.sync_all()
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.file(from), self.file(to))?;
        sync_folder(&self.path)
    }

    /// Whether the original of a part lies here.
    ///
    /// # Errors
    /// As the system reports.
    pub fn has(&self, number: usize) -> io::Result<bool> {
        self.holds(&gone(number))
    }

    /// Whether the original of a part was about to be given back to another file system, and was not.
    ///
    /// # Errors
    /// As the system reports.
    pub fn gives_back(&self, spool: &Spool, part: &Guarded, number: usize) -> io::Result<bool> {
        Ok(self.holds(&given_back(number))? && spool.stat(&unfinished(part))?.is_some())
    }

    /// Whether the copy of a part lies here.
    ///
    /// # Errors
    /// As the system reports.
    pub fn keeps(&self, number: usize) -> io::Result<bool> {
        self.holds(&format!("part-{number}"))
    }

    fn holds(&self, name: &str) -> io::Result<bool> {
        match fs::symlink_metadata(self.file(name)) {
            Ok(found) => Ok(found.is_file()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// A new file for the journal's owner only; what a crash left unfinished under this name is begun anew.
    fn create(&self, name: &str) -> Result<File> {
        let path = self.file(name);
        self.faults.pass("create a file in the vault")?;
        let mut options = OpenOptions::new();
        options.write(true).read(true).create(true).truncate(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt as _;
            options.mode(0o600).custom_flags(super::spool::nofollow());
        }
        options.open(&path).with_context(|| format!("could not write `{}`", path.display()))
    }

    fn finish(&self, file: &File) -> Result<()> {
        let failed = || format!("could not write into the vault `{}`", self.path.display());
        self.faults.pass("sync a file of the vault").with_context(failed)?;
        file.sync_all().with_context(failed)?;
        self.faults.pass("sync the folder of the vault").with_context(failed)?;
        sync_folder(&self.path).with_context(failed)
    }
}

/// The name of the original of a part.
fn gone(number: usize) -> String {
    format!("gone-{number}")
}

/// Its name after a copy of it went back.
fn given_back(number: usize) -> String {
    format!("gone-{number}.given-back")
}

/// The name in the spool of what is on its way back.
fn unfinished(part: &Guarded) -> Text {
    Text::new([part.path.bytes(), b".ghostq-unfinished"].concat())
}

fn open_existing(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, super::spool::nofollow());
    options.open(path)
}

/// Whether it is the same file, or a copy of it on another file system.
#[cfg(unix)]
fn is_same_file(there: &fs::Metadata, planned: &Stat) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    there.len() == planned.size && (there.dev() != planned.device || there.ino() == planned.inode)
}

#[cfg(not(unix))]
fn is_same_file(there: &fs::Metadata, planned: &Stat) -> bool {
    there.len() == planned.size
}

fn is_original(now: &Stat, planned: &Stat) -> bool {
    (now.inode, now.size, now.modified) == (planned.inode, planned.size, planned.modified)
}

/// Whether nobody else can put files into a folder, or take any away.
#[cfg(unix)]
fn check_private(folder: &Path) -> Result<()> {
    use std::os::unix::fs::MetadataExt as _;
    let there =
        fs::symlink_metadata(folder).with_context(|| format!("could not look at `{}`", folder.display()))?;
    let mode = there.mode();
    let owner = there.uid();
    let own = owner == 0 || owner == rustix::process::geteuid().as_raw();
    if there.is_dir() && own && (mode & 0o022 == 0 || mode & 0o1000 != 0) {
        return Ok(());
    }
    bail!(
        "the vault would lie in `{}`, where others can write: give `--state` another folder, or take that away from them",
        folder.display()
    )
}

#[cfg(not(unix))]
fn check_private(_folder: &Path) -> Result<()> {
    Ok(())
}

/// Whether a vault lies outside a spool. In a spool, the mail system could take up what lies in it, and ghostq could take its
/// own copy for the message that was handed in.
///
/// # Errors
/// A sentence that names both, or as the system reports.
pub fn vault_is_outside(root: &Path, vault: &Path) -> Result<()> {
    let failed = |path: &Path| format!("could not look at `{}`", path.display());
    let root = fs::canonicalize(root).with_context(|| failed(root))?;
    // What is not there yet will be made below the nearest folder that is.
    let there = vault.ancestors().find(|folder| fs::symlink_metadata(folder).is_ok()).unwrap_or(vault);
    let inside = fs::canonicalize(there).with_context(|| failed(there))?;
    if inside.starts_with(&root) || vault.components().any(|part| part == std::path::Component::ParentDir) {
        bail!(
            "`{}` lies inside `{}`: a vault that would lie in the spool could be taken for mail; give `--state` another folder",
            vault.display(),
            root.display()
        );
    }
    Ok(())
}

/// A file is no longer what was planned.
#[derive(Debug)]
pub struct Changed(pub String);

impl std::fmt::Display for Changed {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Changed {}

/// Opens a part if it still is the file that was planned.
///
/// # Errors
/// [`Changed`] when it is not.
pub fn open_as_planned(root: &Root, part: &Guarded) -> Result<OpenFile> {
    let name = part.path.lossy();
    let open = root
        .open_file(&part.path.to_path())
        .map_err(|damage| Changed(format!("`{name}`: {}", damage.what)))?;
    // The access time is no property of the message, and moves where it cannot be protected.
    let now = Stat { accessed: part.stat.accessed, ..open.stat };
    if now != part.stat {
        bail!(Changed(format!("`{name}` changed since it was planned")));
    }
    Ok(open)
}

/// Hashes a part as it is.
///
/// # Errors
/// When it cannot be opened or read.
pub fn guard(root: &Root, path: &Text) -> Result<Guarded> {
    let open = root
        .open_file(&path.to_path())
        .map_err(|damage| anyhow::anyhow!("`{}`: {}", path.lossy(), damage.what))?;
    let digest = copy_all(&mut open.reader()?.take(open.stat.size), &mut io::sink())?;
    Ok(Guarded { path: path.clone(), stat: open.stat, sha256: digest.sha256 })
}

fn copy_all(from: &mut dyn io::Read, to: &mut dyn Write) -> io::Result<Digest> {
    let mut sink = Measuring::new(to);
    io::copy(from, &mut sink)?;
    Ok(sink.finish())
}

/// Reads a file from its start, hashing it.
///
/// # Errors
/// As the system reports.
pub fn digest_of(file: &mut File) -> io::Result<Digest> {
    file.seek(SeekFrom::Start(0))?;
    copy_all(file, &mut io::sink())
}

/// Passes bytes on and measures them.
pub struct Measuring<W> {
    inner: W,
    hash: sha2::Sha256,
    body: super::body_hash::BodyHash,
    digest: Digest,
}

impl<W: Write> Measuring<W> {
    /// Measures what goes to `inner`.
    pub fn new(inner: W) -> Self {
        Self {
            inner,
            hash: sha2::Sha256::new(),
            body: super::body_hash::BodyHash::default(),
            digest: Digest::default(),
        }
    }

    /// What was measured.
    pub fn finish(self) -> Digest {
        Digest { sha256: hex(&self.hash.finalize()), body_sha256: self.body.finish(), ..self.digest }
    }
}

impl<W: Write> Write for Measuring<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(bytes)?;
        let taken = bytes.get(..count).unwrap_or(bytes);
        self.hash.update(taken);
        self.body.update(taken);
        self.digest.size += count as u64;
        self.digest.eight_bit |= !taken.is_ascii();
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Makes a file when the first bytes come, and writes a first line in their line ends above them.
struct TopOnFirst<'a> {
    vault: &'a Vault,
    file: Option<File>,
    top: &'a dyn Fn(bool) -> Vec<u8>,
}

impl Write for TopOnFirst<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.file.is_none() && !bytes.is_empty() {
            let first = bytes.iter().position(|byte| *byte == b'\n');
            let carriage =
                first.and_then(|at| at.checked_sub(1)).and_then(|at| bytes.get(at)) == Some(&b'\r');
            let mut file = self.vault.create(MESSAGE).map_err(io::Error::other)?;
            file.write_all(&(self.top)(carriage))?;
            self.file = Some(file);
        }
        self.file.as_mut().map_or(Ok(0), |file| file.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), File::flush)
    }
}
