//! Reading a file of lines and counted bytes from its start on, within bounds.

use std::io::{self, BufRead, BufReader, Read};

/// The longest line that Exim reads: four times its buffer of 16384 bytes (`spool_in.c`, `fgets_big_buffer`).
pub const MAX_LINE_BYTES: usize = 4 * 16_384;

/// So much is read at once: more than most envelope files have.
const BUFFER_BYTES: usize = 8 << 10;

/// A line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// A line without its line feed.
    Whole(Vec<u8>),
    /// The file ends before the line feed; these bytes came before.
    Cut(Vec<u8>),
    /// It is longer than Exim reads.
    TooLong,
}

/// Bytes that were counted off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// How many there were, if the file ended early.
    pub count: u64,
    /// Whether one of them is NUL.
    pub has_nul: bool,
}

/// A place in a file that is read once, from its start on.
#[derive(Debug)]
pub struct Cursor<R> {
    input: BufReader<R>,
    at: u64,
    /// Memory of a line that came back.
    spare: Vec<u8>,
}

impl<R: Read> Cursor<R> {
    /// The start of this input.
    pub fn new(input: R) -> Self {
        Self { input: BufReader::new(input), at: 0, spare: Vec::new() }
    }

    /// The start of an input of so many bytes.
    pub fn sized(input: R, size: u64) -> Self {
        let capacity = usize::try_from(size).unwrap_or(usize::MAX).clamp(1, BUFFER_BYTES);
        Self { input: BufReader::with_capacity(capacity, input), at: 0, spare: Vec::new() }
    }

    /// The byte that comes next, counted from 0.
    pub fn at(&self) -> u64 {
        self.at
    }

    /// How many bytes come next that need not be read any more.
    pub fn at_hand(&self) -> usize {
        self.input.buffer().len()
    }

    /// The next line.
    pub fn line(&mut self) -> io::Result<Line> {
        let mut line = std::mem::take(&mut self.spare);
        line.clear();
        loop {
            let buffer = self.input.fill_buf()?;
            if buffer.is_empty() {
                return Ok(Line::Cut(line));
            }
            let end = memchr::memchr(b'\n', buffer);
            let chunk = buffer.get(..end.unwrap_or(buffer.len())).unwrap_or_default();
            if line.len() + chunk.len() >= MAX_LINE_BYTES {
                return Ok(Line::TooLong);
            }
            line.extend_from_slice(chunk);
            let used = chunk.len() + usize::from(end.is_some());
            self.input.consume(used);
            self.at += used as u64;
            if end.is_some() {
                return Ok(Line::Whole(line));
            }
        }
    }

    /// Takes back the memory of a line, for the next one.
    pub fn give_back(&mut self, line: Vec<u8>) {
        self.spare = line;
    }

    /// The byte that comes next, which is not taken.
    pub fn peek(&mut self) -> io::Result<Option<u8>> {
        Ok(self.input.fill_buf()?.first().copied())
    }

    /// Takes the byte that comes next.
    pub fn byte(&mut self) -> io::Result<Option<u8>> {
        let byte = self.peek()?;
        if byte.is_some() {
            self.input.consume(1);
            self.at += 1;
        }
        Ok(byte)
    }

    /// Takes so many bytes, and hands on every piece as it comes.
    pub fn counted(
        &mut self,
        wanted: u64,
        each: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<Counted> {
        let mut taken = Counted { count: 0, has_nul: false };
        while taken.count < wanted {
            let buffer = self.input.fill_buf()?;
            if buffer.is_empty() {
                break;
            }
            let room = usize::try_from(wanted - taken.count).unwrap_or(usize::MAX);
            let chunk = buffer.get(..room.min(buffer.len())).unwrap_or_default();
            taken.has_nul |= memchr::memchr(0, chunk).is_some();
            each(chunk)?;
            let used = chunk.len();
            self.input.consume(used);
            self.at += used as u64;
            taken.count += used as u64;
        }
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_counted_bytes_follow_each_other() {
        let mut cursor = Cursor::new(&b"one\n\nabc\0def\nlast"[..]);
        assert_eq!(cursor.line().unwrap(), Line::Whole(b"one".to_vec()));
        assert_eq!(cursor.line().unwrap(), Line::Whole(Vec::new()));
        assert_eq!(cursor.peek().unwrap(), Some(b'a'));
        let mut pieces = Vec::new();
        let counted = cursor.counted(8, &mut |piece| {
            pieces.extend_from_slice(piece);
            Ok(())
        });
        assert_eq!(counted.unwrap(), Counted { count: 8, has_nul: true });
        assert_eq!(pieces, b"abc\0def\n");
        assert_eq!(cursor.at(), 13);
        assert_eq!(cursor.line().unwrap(), Line::Cut(b"last".to_vec()));
        assert_eq!(cursor.line().unwrap(), Line::Cut(Vec::new()), "and then nothing");
        assert_eq!(cursor.counted(1, &mut |_| Ok(())).unwrap().count, 0);
    }

    #[test]
    fn a_line_without_end_takes_bounded_memory() {
        let mut cursor = Cursor::new(io::repeat(b'x'));
        assert_eq!(cursor.line().unwrap(), Line::TooLong);
    }
}
