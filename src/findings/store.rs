//! Findings parked outside of memory until they are sorted.

use super::{Class, Finding};
use crate::evidence::Time;
use std::io::{self, BufReader, BufWriter, Read as _, Seek as _, SeekFrom, Write as _};

/// Findings beyond this many bytes are parked in a file.
const MEMORY_BYTES: u64 = 8 << 20;

/// Findings as they come in, handed out again in the order of the report.
///
/// A million of them must not take a million times two kilobytes: they are kept as lines, first in memory and then in a
/// temporary file that has no name, can be read by its owner only, and never lies in the scanned tree. What stays in
/// memory is a sorting key and a place: 48 bytes each.
#[derive(Debug, Default)]
pub struct Store {
    index: Vec<Key>,
    file: Option<BufWriter<tempfile::SpooledTempFile>>,
    written: u64,
}

/// What findings are sorted by: the worst class first, then the oldest, then by place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    class: Class,
    unknown_age: bool,
    arrived: Time,
    tie: u64,
    place: u64,
    length: u32,
}

impl Store {
    /// Takes a finding in.
    ///
    /// # Errors
    /// When the temporary file cannot be written.
    pub fn push(&mut self, finding: &Finding) -> io::Result<()> {
        let line = serde_json::to_vec(finding)?;
        let length =
            u32::try_from(line.len()).map_err(|_| io::Error::other("a finding of more than 4 GiB"))?;
        let arrived = finding.message.arrived();
        self.index.push(Key {
            class: finding.class,
            unknown_age: arrived.is_none(),
            arrived: arrived.unwrap_or(Time::from_unix(0)),
            tie: tie(finding),
            place: self.written,
            length,
        });
        self.written += line.len() as u64;
        let limit = usize::try_from(MEMORY_BYTES).unwrap_or(usize::MAX);
        self.file
            .get_or_insert_with(|| BufWriter::new(tempfile::SpooledTempFile::new(limit)))
            .write_all(&line)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    /// Hands out the findings, in the order in which they came.
    ///
    /// # Errors
    /// When the temporary file cannot be read, or `take` fails.
    pub fn each(&mut self, take: impl FnMut(Finding) -> io::Result<()>) -> io::Result<()> {
        self.index.sort_unstable_by_key(|key| key.place);
        self.hand_out(take)
    }

    /// Hands out the findings, worst first, then oldest first.
    ///
    /// # Errors
    /// When the temporary file cannot be read, or `take` fails.
    pub fn each_sorted(&mut self, take: impl FnMut(Finding) -> io::Result<()>) -> io::Result<()> {
        self.index.sort_unstable();
        self.hand_out(take)
    }

    fn hand_out(&mut self, mut take: impl FnMut(Finding) -> io::Result<()>) -> io::Result<()> {
        let Some(file) = &mut self.file else { return Ok(()) };
        file.flush()?;
        let mut reader = BufReader::new(file.get_mut());
        let mut line = Vec::new();
        let mut at = u64::MAX;
        for key in &self.index {
            if at != key.place {
                reader.seek(SeekFrom::Start(key.place))?;
            }
            line.clear();
            reader.by_ref().take(u64::from(key.length)).read_to_end(&mut line)?;
            at = key.place + u64::from(key.length);
            take(serde_json::from_slice(&line)?)?;
        }
        file.get_mut().seek(SeekFrom::End(0))?;
        Ok(())
    }
}

/// Eight bytes that make the order the same in every scan of the same evidence, wherever it lies: of the place within its
/// root, and not of a name that holds the path of the root.
fn tie(finding: &Finding) -> u64 {
    use sha2::Digest as _;
    let message = &finding.message;
    let place = format!("{}\0{:?}\0{:?}", message.instance, message.place.path, message.place.at);
    let digest = sha2::Sha256::digest(place.as_bytes());
    digest.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}
