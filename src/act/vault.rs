//! The vault: copies of every part before anything is done, what is handed in, and the originals that were taken away.
//!
//! Nothing in it is ever deleted by ghostq. One folder a job: `part-N` is a copy, `gone-N` the original itself (the same inode, if
//! the vault is on the file system of the spool), `message` what is handed in.

use super::faults::Faults;
use super::journal::sync_folder;
use super::spool::Spool;
use crate::plan::{Digest, Guarded, Job};
use crate::read::disk::{OpenFile, Root};
use anyhow::{Context as _, Result, bail};
use sha2::Digest as _;
use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// The name of what is handed in.
pub const MESSAGE: &str = "message";

/// The folder of one job in the vault.
#[derive(Debug)]
pub struct Vault {
    path: PathBuf,
    faults: Faults,
}

impl Vault {
    /// Makes the folder of a job, readable by its owner only.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn make(job: &Job, faults: Faults) -> Result<Self> {
        let vault = Self::of(job, faults);
        let failed = || format!("could not make the vault `{}`", vault.path.display());
        vault.faults.pass("make the vault").with_context(failed)?;
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&vault.path).with_context(failed)?;
        for folder in vault.path.ancestors().take(4).skip(1) {
            sync_folder(folder).with_context(failed)?;
        }
        Ok(vault)
    }

    /// The folder of a job that was made before.
    pub fn of(job: &Job, faults: Faults) -> Self {
        Self { path: job.vault.to_path(), faults }
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
        let mut sink = Measuring::new(TopOnFirst { vault: self, file: None, top });
        write(&mut sink)?;
        if let Some(file) = &sink.inner.file {
            self.finish(file)?;
        }
        Ok(sink.finish())
    }

    /// Takes a file of the spool away.
    ///
    /// # Errors
    /// As the system reports.
    pub fn take(&self, spool: &Spool, part: &Guarded, number: usize) -> Result<()> {
        let gone = gone(number);
        let folder = self.folder()?;
        match spool.move_out(&part.path, &folder, &gone) {
            Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {}
            moved => return Ok(moved?),
        }
        let making = format!("{gone}.part");
        let mut copy = self.create(&making)?;
        let open = open_as_planned(spool.root(), part)?;
        let digest = copy_all(&mut open.reader()?, &mut copy)?;
        if digest.sha256 != part.sha256 {
            bail!(Changed(format!("`{}` changed since it was planned", part.path.lossy())));
        }
        copy.set_modified(part.stat.modified.to_system())?;
        self.finish(&copy)?;
        fs::rename(self.file(&making), self.file(&gone))?;
        sync_folder(&self.path)?;
        self.faults.pass("the copy on the other file system is there")?;
        Ok(spool.unlink(&part.path)?)
    }

    /// Puts a file back that was taken away.
    ///
    /// # Errors
    /// As the system reports; `AlreadyExists` where its name is taken.
    pub fn give_back(&self, spool: &Spool, part: &Guarded, number: usize) -> io::Result<()> {
        let gone = gone(number);
        let folder = self.folder()?;
        match spool.move_in(&folder, &gone, &part.path) {
            Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {}
            moved => return moved,
        }
        // Under its own name it must never be seen unfinished.
        let mut original = File::open(self.file(&gone))?;
        let unfinished = crate::evidence::Text::new([part.path.bytes(), b".ghostq-unfinished"].concat());
        if spool.stat(&unfinished)?.is_some() {
            spool.unlink(&unfinished)?;
        }
        let mut copy = spool.create(&unfinished)?;
        io::copy(&mut original, &mut copy)?;
        copy.sync_all()?;
        let stat = &part.stat;
        spool.set_owner(&unfinished, stat.uid, Some(stat.gid))?;
        spool.set_mode(&unfinished, stat.mode)?;
        spool.set_times(&unfinished, Some(stat.accessed), stat.modified)?;
        spool.rename(&unfinished, &part.path)?;
        fs::rename(self.file(&gone), self.file(&format!("{gone}.given-back")))
    }

    /// Whether the original of a part lies here.
    pub fn has(&self, number: usize) -> bool {
        self.file(&gone(number)).is_file()
    }

    /// A new file for the journal's owner only; what a crash left unfinished under this name is begun anew.
    fn create(&self, name: &str) -> Result<File> {
        let path = self.file(name);
        self.faults.pass("create a file in the vault")?;
        let mut options = OpenOptions::new();
        options.write(true).read(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
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
    let now = crate::evidence::Stat { accessed: part.stat.accessed, ..open.stat };
    if now != part.stat {
        bail!(Changed(format!("`{name}` changed since it was planned")));
    }
    Ok(open)
}

/// Hashes a part as it is.
///
/// # Errors
/// When it cannot be opened or read.
pub fn guard(root: &Root, path: &crate::evidence::Text) -> Result<Guarded> {
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

/// Lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        let _written = write!(hex, "{byte:02x}");
        hex
    })
}
