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
use crate::read::streams::hex;
use anyhow::{Context as _, Result, bail};
use sha2::Digest as _;
use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

/// The name of the journal in the state folder.
pub const FILE: &str = "journal.jsonl";
/// A line is one plan at most, and that is bounded by what sources keep of a message; longer is no line of ours.
const MAX_LINE: usize = 64 << 20;
/// Hex digits of a sum.
const SUM_DIGITS: usize = 32;
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
    /// A line may be there in part: nothing may be written behind it before that was looked at.
    broken: bool,
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
    open_end: bool,
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

/// Lines at the end that do not fit: one that a crash tore, and torn notes about it.
#[derive(Debug)]
struct Tear {
    /// The number of the first, counted as an editor counts.
    line: u64,
    /// Bytes of all of them, without their line ends.
    bytes: u64,
    /// Whether the first has all that a line has, so that it was not torn but changed.
    whole: bool,
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
    let mut tear: Option<Tear> = None;
    let mut bytes = Vec::new();
    for number in 1.. {
        bytes.clear();
        if take_line(&mut input, &mut bytes).with_context(|| unreadable(&path))? == 0 {
            break;
        }
        told.open_end = !bytes.ends_with(b"\n");
        // A last line of which only the line end is missing tells all it has to tell.
        let line = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
        let length = line.len() as u64;
        match (checked(line, &told.sum), &mut tear) {
            (Some((line, sum)), None) => {
                told.sum = sum;
                told.take(line);
            }
            // What follows a torn line says so itself.
            (Some((line, sum)), Some(torn)) if line.entry == (Entry::Torn { bytes: torn.bytes }) => {
                tear = None;
                told.sum = sum;
                told.take(line);
            }
            (None, None) => {
                tear = Some(Tear { line: number, bytes: length, whole: is_whole(line) && !told.open_end });
            }
            // The note about a torn line can be torn as well.
            (None, Some(torn)) if !torn.whole && !is_whole(line) => torn.bytes += length,
            (_, Some(torn)) => bail!(changed(&path, torn.line)),
        }
    }
    if let Some(torn) = tear {
        if torn.whole {
            bail!(changed(&path, torn.line));
        }
        told.torn = Some(torn.bytes);
    }
    Ok(told)
}

fn changed(path: &Path, line: u64) -> String {
    format!(
        "line {line} of the journal `{}` does not fit its checksum: somebody changed the journal; move the file aside (the \
         vault stays as it is), and look at both by hand before you act again",
        path.display()
    )
}

/// Whether a line is there to its last byte. A crash can leave a hole of zeros within a line, blocks that were not
/// written; JSON never holds one.
fn is_whole(line: &[u8]) -> bool {
    const SUM: &[u8] = b",\"sum\":\"";
    let sum = line.strip_suffix(b"\"}").and_then(|line| line.split_last_chunk::<32>());
    memchr::memmem::find(line, &[0; 16]).is_none()
        && sum.is_some_and(|(before, sum)| before.ends_with(SUM) && sum.iter().all(u8::is_ascii_hexdigit))
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
    let mut sum = hex(&hash.finalize());
    sum.truncate(SUM_DIGITS);
    sum
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
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, super::spool::nofollow());
        let mut file = options.open(&path).with_context(|| format!("could not open `{}`", path.display()))?;
        file.seek(SeekFrom::End(0))?;
        let lines = told.lines.len() as u64;
        let mut journal = Self { file, path, sum: told.sum.clone(), lines, broken: false, faults };
        if told.open_end {
            journal.raw(b"\n")?;
        }
        if let Some(bytes) = told.torn {
            journal.append("", &Entry::Torn { bytes })?;
        }
        sync_folder(state)?;
        Ok((journal, told))
    }

    /// Writes a line and waits until it is on the disk.
    ///
    /// # Errors
    /// When it cannot be written: then nothing may be done that it should have told, and nothing more can be written until it
    /// is opened anew.
    pub fn append(&mut self, operation: &str, entry: &Entry) -> Result<()> {
        if self.broken {
            bail!("an earlier line could not be written to `{}`; open it anew", self.path.display());
        }
        let line =
            Line { n: self.lines + 1, at: Time::now(), op: operation.to_owned(), entry: entry.clone() };
        let text = serde_json::to_string(&line)?;
        let body = text.strip_suffix('}').unwrap_or(&text);
        let sum = sum_of(&self.sum, body);
        self.broken = true;
        self.raw(format!("{body},\"sum\":\"{sum}\"}}\n").as_bytes())?;
        self.broken = false;
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

    /// Makes sure that the disk has room for the outcome of what is about to be done: for a note of common length, and `more`
    /// bytes.
    ///
    /// # Errors
    /// When it has not.
    pub fn reserve(&self, more: u64) -> Result<()> {
        self.faults.pass("reserve room for the journal")?;
        reserve(&self.file, RESERVE + more)
            .with_context(|| format!("no room is left for the journal `{}`", self.path.display()))
    }
}

#[cfg(target_os = "linux")]
fn reserve(file: &File, room: u64) -> io::Result<()> {
    use rustix::fs::{FallocateFlags, fallocate};
    use rustix::io::{Errno, retry_on_intr};
    let size = file.metadata()?.len();
    match retry_on_intr(|| fallocate(file, FallocateFlags::KEEP_SIZE, size, room)) {
        // Not every file system can; a full one says so all the same.
        Err(Errno::OPNOTSUPP | Errno::NOSYS) => Ok(()),
        other => Ok(other?),
    }
}

#[cfg(not(target_os = "linux"))]
fn reserve(_file: &File, _room: u64) -> io::Result<()> {
    Ok(())
}

/// Waits until the names in a folder are on the disk.
///
/// # Errors
/// As the system reports.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}
