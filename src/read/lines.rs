//! Lines of text files of any size, encoding and length, in bounded memory.

use encoding_rs::{UTF_8, UTF_16BE, WINDOWS_1252};
use std::io::{self, BufRead, BufReader, Read};

pub use encoding_rs::{Encoding, UTF_16LE};

/// Longer lines are cut: the rest is skipped and counted.
pub const MAX_LINE_BYTES: usize = 1 << 20;

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its number, counted from 1.
    pub number: u64,
    /// Its text without the line end. In a UTF-16 file this is UTF-8.
    pub bytes: Vec<u8>,
    /// How many bytes of it were left out because it was too long.
    pub cut: u64,
}

/// Reads lines as bytes: a UTF-16 file (recognised by its byte order mark) is turned into UTF-8, a UTF-8 byte order mark
/// is dropped, everything else is handed over as it is.
pub struct Lines {
    input: Box<dyn BufRead + Send>,
    number: u64,
}

impl Lines {
    /// Starts to read.
    ///
    /// # Errors
    /// When the first bytes cannot be read.
    pub fn new(input: impl Read + Send + 'static) -> io::Result<Self> {
        Ok(Self { input: utf8_input(input)?, number: 0 })
    }

    /// The next line, or `None` at the end.
    ///
    /// # Errors
    /// When the input cannot be read.
    pub fn next_line(&mut self) -> io::Result<Option<Line>> {
        match read_line(&mut self.input)? {
            None => Ok(None),
            Some((bytes, cut)) => {
                self.number += 1;
                Ok(Some(Line { number: self.number, bytes, cut }))
            }
        }
    }
}

/// Whether a line of a listing says nothing: it is blank, or a heading `## …` that somebody wrote above a section.
pub fn is_remark(line: &[u8]) -> bool {
    line.trim_ascii().is_empty() || line.starts_with(b"## ")
}

/// The first line that is no remark.
pub fn first_line(head: &[u8]) -> Option<&[u8]> {
    head.split(|byte| *byte == b'\n').find(|line| !is_remark(line))
}

/// Reads one line of at most [`MAX_LINE_BYTES`], without its `\n` or `\r\n`; what is longer is skipped and counted.
///
/// # Errors
/// When the input cannot be read.
pub fn read_line(input: &mut (impl BufRead + ?Sized)) -> io::Result<Option<(Vec<u8>, u64)>> {
    let (mut line, mut cut, mut any) = (Vec::new(), 0, false);
    loop {
        let buffer = input.fill_buf()?;
        if buffer.is_empty() {
            break;
        }
        any = true;
        let end = memchr::memchr(b'\n', buffer);
        let chunk = buffer.get(..end.unwrap_or(buffer.len())).unwrap_or_default();
        let room = MAX_LINE_BYTES - line.len();
        line.extend_from_slice(chunk.get(..room.min(chunk.len())).unwrap_or_default());
        cut += chunk.len().saturating_sub(room) as u64;
        let used = end.map_or(buffer.len(), |end| end + 1);
        input.consume(used);
        if end.is_some() {
            break;
        }
    }
    if !any {
        return Ok(None);
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    Ok(Some((line, cut)))
}

/// The input as bytes of UTF-8 where it says that it is UTF-16 (by its byte order mark), otherwise as it is.
///
/// # Errors
/// When the first bytes cannot be read.
pub fn utf8_input(mut input: impl Read + Send + 'static) -> io::Result<Box<dyn BufRead + Send>> {
    let mut mark = Vec::with_capacity(4);
    input.by_ref().take(4).read_to_end(&mut mark)?;
    Ok(match encoding_of(&mark) {
        Some((encoding, length)) if encoding == UTF_8 => {
            let rest = mark.split_off(length);
            Box::new(BufReader::with_capacity(1 << 16, io::Cursor::new(rest).chain(input)))
        }
        Some((encoding, length)) => {
            let rest = mark.split_off(length);
            Box::new(BufReader::with_capacity(
                1 << 16,
                Decoded::new(io::Cursor::new(rest).chain(input), encoding),
            ))
        }
        None => Box::new(BufReader::with_capacity(1 << 16, io::Cursor::new(mark).chain(input))),
    })
}

/// The encoding that the first bytes tell, and how long its mark is: by a byte order mark, or by the zero bytes that UTF-16
/// text in Latin letters starts with where a tool left the mark out.
fn encoding_of(head: &[u8]) -> Option<(&'static Encoding, usize)> {
    Encoding::for_bom(head).or(match head {
        [first, 0, second, 0, ..] if *first != 0 && *second != 0 => Some((UTF_16LE, 0)),
        [0, first, 0, second, ..] if *first != 0 && *second != 0 => Some((UTF_16BE, 0)),
        _ => None,
    })
}

/// A single-byte text as UTF-8: as it is if it is UTF-8, else decoded by `encoding` (windows-1252 if none is given, which
/// has a character for all but five bytes).
pub fn decode_single_byte(bytes: &[u8], encoding: Option<&'static Encoding>) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => encoding.unwrap_or(WINDOWS_1252).decode_without_bom_handling(bytes).0.into_owned(),
    }
}

/// The head of a text file as text, by its byte order mark, else as single bytes in `encoding`.
pub fn decode_head(head: &[u8], encoding: Option<&'static Encoding>) -> String {
    if let Some((encoding, length)) = encoding_of(head) {
        let rest = head.get(length..).unwrap_or_default();
        return encoding.decode_without_bom_handling(rest).0.into_owned();
    }
    // The end of the head may have split a character.
    let whole = match std::str::from_utf8(head) {
        Err(error) if error.error_len().is_none() => head.get(..error.valid_up_to()).unwrap_or_default(),
        _ => head,
    };
    decode_single_byte(whole, encoding)
}

/// The encoding of this label (WHATWG Encoding Standard: `latin1`, `windows-1251`, `shift_jis`, …).
pub fn encoding_by_label(label: &str) -> Option<&'static Encoding> {
    Encoding::for_label(label.as_bytes())
}

/// A reader that turns another encoding into UTF-8 as it goes.
struct Decoded<R> {
    input: R,
    decoder: encoding_rs::Decoder,
    raw: Vec<u8>,
    text: Vec<u8>,
    given: usize,
    ended: bool,
}

impl<R: Read> Decoded<R> {
    fn new(input: R, encoding: &'static Encoding) -> Self {
        let decoder = encoding.new_decoder_without_bom_handling();
        Self { input, decoder, raw: vec![0; 1 << 15], text: Vec::new(), given: 0, ended: false }
    }

    fn refill(&mut self) -> io::Result<()> {
        let count = self.input.read(&mut self.raw)?;
        self.ended = count == 0;
        let raw = self.raw.get(..count).unwrap_or_default();
        let room = self.decoder.max_utf8_buffer_length(raw.len()).unwrap_or(raw.len() * 3 + 16);
        self.text.clear();
        self.text.resize(room, 0);
        let (_, _, written, _) = self.decoder.decode_to_utf8(raw, &mut self.text, self.ended);
        self.text.truncate(written);
        self.given = 0;
        Ok(())
    }
}

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.given == self.text.len() && !self.ended {
            self.refill()?;
        }
        let ready = self.text.get(self.given..).unwrap_or_default();
        let count = ready.len().min(into.len());
        if let (Some(to), Some(from)) = (into.get_mut(..count), ready.get(..count)) {
            to.copy_from_slice(from);
        }
        self.given += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: &[u8]) -> Vec<String> {
        let mut lines = Lines::new(io::Cursor::new(bytes.to_vec())).unwrap();
        let mut found = Vec::new();
        while let Some(line) = lines.next_line().unwrap() {
            found.push(String::from_utf8(line.bytes).unwrap());
        }
        found
    }

    #[test]
    fn utf16_with_a_byte_order_mark_reads_like_utf8() {
        let mut utf16 = vec![0xff, 0xfe];
        utf16.extend("café\r\nzwei\r\n".encode_utf16().flat_map(u16::to_le_bytes));
        assert_eq!(all(&utf16), ["café", "zwei"]);
        assert_eq!(all(utf16.get(2..).unwrap()), ["café", "zwei"], "without a mark");
        assert_eq!(all("\u{feff}café\nzwei".as_bytes()), ["café", "zwei"]);
    }

    #[test]
    fn a_line_of_any_length_takes_bounded_memory() {
        let long = io::repeat(b'x').take(64 << 20).chain(&b"\nnext\n"[..]);
        let mut lines = Lines::new(long).unwrap();
        let first = lines.next_line().unwrap().unwrap();
        assert_eq!(first.bytes.len(), MAX_LINE_BYTES);
        assert_eq!(first.cut, (64 << 20) - MAX_LINE_BYTES as u64);
        assert_eq!(lines.next_line().unwrap().unwrap().bytes, b"next");
    }

    #[test]
    fn bytes_that_are_not_utf8_are_taken_for_windows_1252() {
        assert_eq!(decode_single_byte(b"caf\xe9 \x80", None), "café €");
        assert_eq!(decode_single_byte("café".as_bytes(), None), "café");
    }
}
