//! The record stream of a queue file: a type, a length in groups of seven bits, the data.
//!
//! Source: Postfix `global/record.c` (`rec_put`, `rec_get_raw`).

use std::cell::Cell;
use std::io;

/// The first read: nearly every message has its envelope in it, and most end in it.
const FIRST_READ: usize = 4 << 10;
/// Reading on goes in bigger steps.
const NEXT_READ: usize = 64 << 10;
/// A length of more than four groups of seven bits is refused, as `rec_get_raw` refuses it.
const MAX_LENGTH_BYTES: usize = 4;

/// Reads at most so many bytes at an offset, in place of what is in the buffer.
pub type ReadAt<'f> = dyn Fn(u64, usize, &mut Vec<u8>) -> io::Result<()> + 'f;

thread_local! {
    /// The buffer of the last message of this thread, for the next one.
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// One record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record {
    /// Its type.
    pub kind: u8,
    /// Where it begins.
    pub offset: u64,
    /// Where its data begin.
    pub data: u64,
    /// How long its data are.
    pub length: u64,
}

impl Record {
    /// Where the next record begins.
    pub fn end(&self) -> u64 {
        self.data + self.length
    }
}

/// Why there is no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gap {
    /// The file ends here.
    End,
    /// The file ends within the type and length.
    HeadCut {
        /// The type of the record.
        kind: u8,
    },
    /// The length has too many bytes.
    BadLength {
        /// The type of the record.
        kind: u8,
    },
    /// The file ends within the data.
    DataCut(Record),
}

/// A window on the bytes of a file.
pub struct Window<'f> {
    read_at: &'f ReadAt<'f>,
    size: u64,
    bytes: Vec<u8>,
    start: u64,
}

impl<'f> Window<'f> {
    /// A window on a file of this size. Nothing is read yet.
    pub fn new(size: u64, read_at: &'f ReadAt<'f>) -> Self {
        let mut bytes = BUFFER.take();
        bytes.clear();
        Self { read_at, size, bytes, start: 0 }
    }

    /// The size of the file.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// At most `length` bytes at `offset`; fewer only at the end of the file.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn bytes(&mut self, offset: u64, length: usize) -> io::Result<&[u8]> {
        let left = usize::try_from(self.size.saturating_sub(offset)).unwrap_or(usize::MAX);
        let wanted = length.min(left);
        if self.held(offset, wanted).is_none() {
            self.load(offset, wanted)?;
        }
        let held = self.held(offset, wanted).or_else(|| self.held(offset, self.bytes.len()));
        Ok(held.unwrap_or_default())
    }

    /// The data of a record, at most `limit` bytes of them.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn data(&mut self, record: &Record, limit: usize) -> io::Result<&[u8]> {
        self.bytes(record.data, usize::try_from(record.length).unwrap_or(limit).min(limit))
    }

    /// The record at `offset`, or why there is none.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn record(&mut self, offset: u64) -> io::Result<Result<Record, Gap>> {
        let head = self.bytes(offset, 1 + MAX_LENGTH_BYTES)?;
        let Some((&kind, groups)) = head.split_first() else { return Ok(Err(Gap::End)) };
        let mut length = 0_u64;
        for (index, group) in groups.iter().enumerate() {
            length |= u64::from(group & 0x7f) << (7 * index);
            if group & 0x80 == 0 {
                let record = Record { kind, offset, data: offset + 2 + index as u64, length };
                let cut = record.end() > self.size;
                return Ok(if cut { Err(Gap::DataCut(record)) } else { Ok(record) });
            }
        }
        let cut = groups.len() < MAX_LENGTH_BYTES;
        Ok(Err(if cut { Gap::HeadCut { kind } } else { Gap::BadLength { kind } }))
    }

    fn held(&self, offset: u64, length: usize) -> Option<&[u8]> {
        let from = usize::try_from(offset.checked_sub(self.start)?).ok()?;
        self.bytes.get(from..from.checked_add(length)?)
    }

    /// Reading on where the window ends is done in big steps; a jump starts with a small one, so that a file full of jumps
    /// is not read over and over.
    fn load(&mut self, offset: u64, wanted: usize) -> io::Result<()> {
        let end = self.start + self.bytes.len() as u64;
        let reads_on = !self.bytes.is_empty() && (self.start..=end).contains(&offset);
        let step = if reads_on { NEXT_READ } else { FIRST_READ };
        let left = usize::try_from(self.size.saturating_sub(offset)).unwrap_or(usize::MAX);
        (self.read_at)(offset, step.max(wanted).min(left), &mut self.bytes)?;
        self.start = offset;
        if self.bytes.len() < wanted {
            // It has become shorter since it was opened.
            self.size = offset + self.bytes.len() as u64;
        }
        Ok(())
    }
}

impl Drop for Window<'_> {
    fn drop(&mut self) {
        if self.bytes.capacity() <= NEXT_READ {
            BUFFER.set(std::mem::take(&mut self.bytes));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(bytes: &[u8]) -> Result<Record, Gap> {
        let read = |offset: u64, length: usize, into: &mut Vec<u8>| {
            let from = usize::try_from(offset).unwrap().min(bytes.len());
            into.clear();
            into.extend_from_slice(&bytes[from..(from + length).min(bytes.len())]);
            Ok(())
        };
        Window::new(bytes.len() as u64, &read).record(0).unwrap()
    }

    #[test]
    fn a_length_is_read_seven_bits_at_a_time() {
        let mut bytes = b"N\xe4\x03".to_vec();
        bytes.extend([b'x'; 500]);
        let record = first(&bytes).unwrap();
        assert_eq!((record.kind, record.length, record.data, record.end()), (b'N', 484, 3, 487));
    }

    #[test]
    fn what_is_cut_off_or_too_long_is_told_apart() {
        assert_eq!(first(b""), Err(Gap::End));
        assert_eq!(first(b"N"), Err(Gap::HeadCut { kind: b'N' }));
        assert_eq!(first(b"N\x85"), Err(Gap::HeadCut { kind: b'N' }));
        assert!(matches!(first(b"N\x05abc"), Err(Gap::DataCut(_))));
        assert_eq!(first(b"N\xff\xff\xff\xff\x01"), Err(Gap::BadLength { kind: b'N' }));
    }
}
