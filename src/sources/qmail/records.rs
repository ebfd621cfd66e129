//! The records of an envelope file: each ends with a NUL, its first byte says what it is.
//!
//! Source: notqmail `INTERNALS.md` section 2, `getln.c` (a last record without its NUL is dropped in silence).

use std::io::{self, BufRead, BufReader, Read};

/// More than this is not read of one file: a million recipients need half of it.
pub const MAX_BYTES: u64 = 64 << 20;
/// What is kept of one record: qmail refuses addresses of more than 1003 bytes (`qmail-queue.c`, `ADDR`).
const MAX_KEPT: usize = 4_096;

/// A record.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    /// Where it begins.
    pub start: u64,
    /// Where it ends, its NUL included.
    pub end: u64,
    /// Its first byte; `None` if there is nothing before the NUL.
    pub kind: Option<u8>,
    /// What follows, as far as it is kept.
    pub value: &'a [u8],
    /// Whether its NUL is there.
    pub ended: bool,
}

/// Hands over the records of a file one by one. Returns the number of bytes read.
///
/// # Errors
/// When the file cannot be read.
pub fn each(input: impl Read, mut take: impl FnMut(Record<'_>)) -> io::Result<u64> {
    let mut input = BufReader::with_capacity(16 << 10, input.take(MAX_BYTES));
    let (mut kept, mut start, mut end) = (Vec::new(), 0_u64, 0_u64);
    loop {
        let buffer = input.fill_buf()?;
        let none_left = buffer.is_empty();
        let nul = memchr::memchr(0, buffer);
        let chunk = buffer.get(..nul.unwrap_or(buffer.len())).unwrap_or_default();
        let room = MAX_KEPT.saturating_sub(kept.len()).min(chunk.len());
        kept.extend_from_slice(chunk.get(..room).unwrap_or_default());
        let used = nul.map_or(buffer.len(), |nul| nul + 1);
        end += used as u64;
        input.consume(used);
        if nul.is_some() || (none_left && end > start) {
            let (kind, value) = match kept.split_first() {
                Some((kind, value)) => (Some(*kind), value),
                None => (None, &[][..]),
            };
            take(Record { start, end, kind, value, ended: nul.is_some() });
            kept.clear();
            start = end;
        }
        if none_left {
            return Ok(end);
        }
    }
}
