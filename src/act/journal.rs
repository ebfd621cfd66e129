//! The journal: append-only, synced, every line with a checksum over itself and all lines before it.
//!
//! A line is a JSON object whose last member is `sum`: the first 32 hex digits of SHA-256 over the sum of the line before
//! and the text of this line up to that member. A crash can tear only the last line, since each is synced before the next is
//! written; it is then told as such, and the chain goes on from the last whole one. Any other line that does not fit means that
//! somebody changed the journal: ghostq then refuses to act.

use super::faults::Faults;
use crate::evidence::Time;
use crate::plan::course::Operation;
use crate::plan::entry::{Entry, Line};
use anyhow::{Context as _, Result, bail};
use sha2::Digest as _;
use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

/// The name of the journal in the state folder.
pub const FILE: &str = "journal.jsonl";
/// A line is one plan at most, and that is bounded by what sources keep of a message; longer is no line of ours.
const MAX_LINE: usize = 64 << 20;
/// Space that is reserved before something is done that cannot be taken back, so that a full disk cannot keep its outcome
/// from being written.
const RESERVE: u64 = 64 << 10;

/// The journal, opened by the one operator who acts.
#[derive(Debug)]
pub struct Journal {
    file: File,
    path: PathBuf,
    sum: String,
    lines: u64,
    faults: Faults,
}

/// What a journal holds.
#[derive(Debug, Default)]
pub struct Told {
    /// Operations, oldest first.
    pub operations: Vec<Operation>,
    /// All lines.
    pub lines: Vec<Line>,
    /// Bytes of a torn last line.
    pub torn: Option<u64>,
    ended_whole: bool,
    sum: String,
}

impl Told {
    /// The operation of this name, or the only one whose name begins like this.
    pub fn operation(&self, name: &str) -> Option<&Operation> {
        let exact = self.operations.iter().find(|operation| operation.name == name);
        let mut like = self.operations.iter().filter(|operation| operation.name.starts_with(name));
        exact.or_else(|| like.next().filter(|_| like.next().is_none()))
    }

    fn take(&mut self, line: Line) {
        if matches!(line.entry, Entry::Opened { .. }) && !self.operations.iter().any(|o| o.name == line.op) {
            let began = line.at.rfc3339();
            self.operations.push(Operation { name: line.op.clone(), began, ..Operation::default() });
        }
        if let Some(operation) = self.operations.iter_mut().find(|operation| operation.name == line.op) {
            operation.apply(&line.entry);
        }
        self.lines.push(line);
    }
}

/// Reads the journal of a state folder; one that is not there is empty. Needs no lock and changes nothing.
///
/// # Errors
/// When it cannot be read, or a line other than the last does not fit.
pub fn read(state: &Path) -> Result<Told> {
    let path = state.join(FILE);
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Told::default()),
        Err(error) => return Err(error).with_context(|| unreadable(&path)),
    };
    let mut input = BufReader::new(file);
    let mut told = Told::default();
    let mut pending: Option<u64> = None;
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        let count = take_line(&mut input, &mut bytes).with_context(|| unreadable(&path))?;
        if count == 0 {
            break;
        }
        let number = told.lines.len() + 1;
        told.ended_whole = bytes.ends_with(b"\n");
        let line = bytes.strip_suffix(b"\n").and_then(|line| checked(line, &told.sum));
        match (line, pending) {
            (Some((line, sum)), None) => {
                told.sum = sum;
                told.take(line);
            }
            // What follows a torn line says so itself.
            (Some((line, sum)), Some(_)) if matches!(line.entry, Entry::Torn { .. }) => {
                pending = None;
                told.sum = sum;
                told.take(line);
            }
            // The note about a torn line can be torn as well.
            (None, before) => pending = Some(before.unwrap_or(0) + count as u64),
            _ => bail!(
                "line {number} of the journal `{}` does not fit its checksum: somebody changed the journal; move the file \
                 aside (the vault stays as it is), and look at both by hand before you act again",
                path.display()
            ),
        }
    }
    told.torn = pending;
    Ok(told)
}

fn take_line(input: &mut BufReader<File>, bytes: &mut Vec<u8>) -> io::Result<usize> {
    use std::io::{BufRead as _, Read as _};
    let mut bounded = input.by_ref().take(MAX_LINE as u64);
    bounded.read_until(b'\n', bytes)
}

fn unreadable(path: &Path) -> String {
    format!("could not read the journal `{}`", path.display())
}

/// The line, if it fits its sum, and that sum.
fn checked(line: &[u8], before: &str) -> Option<(Line, String)> {
    let text = std::str::from_utf8(line).ok()?;
    let (body, sum) = text.rsplit_once(",\"sum\":\"")?;
    let sum = sum.strip_suffix("\"}")?;
    if sum != sum_of(before, body) {
        return None;
    }
    let line: Line = serde_json::from_str(&format!("{body}}}")).ok()?;
    Some((line, sum.to_owned()))
}

fn sum_of(before: &str, body: &str) -> String {
    let mut hash = sha2::Sha256::new();
    hash.update(before.as_bytes());
    hash.update(body.as_bytes());
    hash.finalize().iter().take(16).fold(String::new(), |mut hex, byte| {
        let _written = write!(hex, "{byte:02x}");
        hex
    })
}

impl Journal {
    /// Opens the journal to write on; the caller holds the lock of the state folder.
    ///
    /// # Errors
    /// As [`read`] does, or when it cannot be written.
    pub fn open(state: &Path, faults: Faults) -> Result<(Self, Told)> {
        let told = read(state)?;
        let path = state.join(FILE);
        let mut options = OpenOptions::new();
        options.append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&path).with_context(|| format!("could not open `{}`", path.display()))?;
        file.seek(SeekFrom::End(0))?;
        let lines = told.lines.len() as u64;
        let mut journal = Self { file, path, sum: told.sum.clone(), lines, faults };
        if let Some(bytes) = told.torn {
            if !told.ended_whole {
                journal.raw(b"\n")?;
            }
            journal.append("", &Entry::Torn { bytes })?;
        }
        sync_folder(state)?;
        Ok((journal, told))
    }

    /// Writes a line and waits until it is on the disk.
    ///
    /// # Errors
    /// When it cannot be written: then nothing may be done that it should have told.
    pub fn append(&mut self, operation: &str, entry: &Entry) -> Result<()> {
        let line =
            Line { n: self.lines + 1, at: Time::now(), op: operation.to_owned(), entry: entry.clone() };
        let text = serde_json::to_string(&line)?;
        let body = text.strip_suffix('}').unwrap_or(&text);
        let sum = sum_of(&self.sum, body);
        self.raw(format!("{body},\"sum\":\"{sum}\"}}\n").as_bytes())?;
        self.sum = sum;
        self.lines += 1;
        Ok(())
    }

    fn raw(&mut self, bytes: &[u8]) -> Result<()> {
        let failed = || format!("could not write the journal `{}`", self.path.display());
        self.faults.pass("write the journal").with_context(failed)?;
        if let Some(part) = self.faults.torn(bytes.len()) {
            self.file.write_all(bytes.get(..part).unwrap_or(bytes))?;
            self.faults.pass("the rest of the line")?;
        }
        let failed = || format!("could not write the journal `{}`", self.path.display());
        self.file.write_all(bytes).with_context(failed)?;
        self.faults.pass("sync the journal").with_context(failed)?;
        self.file.sync_data().with_context(failed)
    }

    /// Makes sure that the disk has room for the outcome of what is about to be done.
    ///
    /// # Errors
    /// When it has not.
    pub fn reserve(&self) -> Result<()> {
        self.faults.pass("reserve room for the journal")?;
        reserve(&self.file)
            .with_context(|| format!("no room is left for the journal `{}`", self.path.display()))
    }
}

#[cfg(target_os = "linux")]
fn reserve(file: &File) -> io::Result<()> {
    use rustix::fs::{FallocateFlags, fallocate};
    let size = file.metadata()?.len();
    match fallocate(file, FallocateFlags::KEEP_SIZE, size, RESERVE) {
        // Not every file system can; a full one says so all the same.
        Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS) => Ok(()),
        other => Ok(other?),
    }
}

#[cfg(not(target_os = "linux"))]
fn reserve(_file: &File) -> io::Result<()> {
    Ok(())
}

/// Waits until the names in a folder are on the disk.
///
/// # Errors
/// As the system reports.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}
