//! The message on its way: line ends, dots, and what cannot be sent at all.

use std::io::{self, Read, Seek};

/// A message that can be read twice: once to see whether it can be sent, once to send it.
pub trait Content: Read + Seek {}

impl<T: Read + Seek> Content for T {}

/// What a message is like, seen before a word about it is said to the server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Survey {
    /// Its bytes as they are.
    pub bytes: u64,
    /// Its bytes with CR LF at the end of each line, as `SIZE` of RFC 1870 section 5 counts them.
    pub size: u64,
    /// Whether a byte is above 127.
    pub eight_bit: bool,
    /// Bytes of its longest line, without its end.
    pub longest_line: u64,
    /// The first CR that ends no line, from the start.
    pub bare_cr: Option<u64>,
    /// The first NUL, from the start.
    pub nul: Option<u64>,
}

/// Reads all of a message, and rewinds it.
///
/// # Errors
/// Those of reading.
pub fn survey(content: &mut dyn Content) -> io::Result<Survey> {
    let mut encoder = Encoder::default();
    content.rewind()?;
    blocks(content, &mut |block| {
        encoder.encode(block, &mut |_| {});
        Ok(())
    })?;
    encoder.finish(&mut |_| {});
    content.rewind()?;
    Ok(encoder.survey)
}

/// Hands out a message in blocks.
pub(super) fn blocks(
    content: &mut dyn Content,
    each: &mut dyn FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let mut buffer = vec![0; 16 << 10];
    loop {
        match content.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(read) => each(buffer.get(..read).unwrap_or_default())?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Writes a message as it goes between `DATA` and the final dot (RFC 5321 sections 2.3.8 and 4.5.2): every LF becomes CR LF,
/// CR LF stays, a dot at the start of a line is doubled whatever ended the line before, and a last line without an end gets
/// one. Nothing else is changed; lines are never folded.
#[derive(Debug, Default)]
pub(super) struct Encoder {
    pub survey: Survey,
    after_cr: bool,
    line: u64,
}

impl Encoder {
    /// Takes the next block. A CR that ends no line is noted and left out: who sends it has to stop.
    pub fn encode(&mut self, block: &[u8], out: &mut impl FnMut(&[u8])) {
        for byte in block {
            if self.after_cr && *byte != b'\n' {
                self.survey.bare_cr = self.survey.bare_cr.or(Some(self.survey.bytes - 1));
            }
            self.after_cr = *byte == b'\r';
            match byte {
                b'\r' => {}
                b'\n' => self.end_line(out),
                other => {
                    if *other == b'.' && self.line == 0 {
                        out(b".");
                    }
                    out(&[*other]);
                    self.note(*other);
                }
            }
            self.survey.bytes += 1;
        }
    }

    /// Ends the last line, if it has no end.
    pub fn finish(&mut self, out: &mut impl FnMut(&[u8])) {
        if self.after_cr {
            self.survey.bare_cr = self.survey.bare_cr.or(Some(self.survey.bytes - 1));
        }
        if self.line > 0 {
            self.end_line(out);
        }
    }

    fn note(&mut self, byte: u8) {
        self.line += 1;
        self.survey.size += 1;
        self.survey.longest_line = self.survey.longest_line.max(self.line);
        self.survey.eight_bit |= !byte.is_ascii();
        if byte == 0 {
            self.survey.nul = self.survey.nul.or(Some(self.survey.bytes));
        }
    }

    fn end_line(&mut self, out: &mut impl FnMut(&[u8])) {
        out(b"\r\n");
        self.survey.size += 2;
        self.line = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::{Encoder, Survey, survey};
    use crate::act::smtp::tests::Random;
    use std::io::Cursor;

    fn encoded(blocks: &[&[u8]]) -> (String, Survey) {
        let mut encoder = Encoder::default();
        let mut sent = Vec::new();
        for block in blocks {
            encoder.encode(block, &mut |bytes| sent.extend_from_slice(bytes));
        }
        encoder.finish(&mut |bytes| sent.extend_from_slice(bytes));
        (String::from_utf8(sent).unwrap(), encoder.survey)
    }

    #[test]
    fn line_ends_become_cr_lf_and_dots_are_doubled() {
        for (content, sent) in [
            ("a\nb\r\nc", "a\r\nb\r\nc\r\n"),
            ("", ""),
            ("\n", "\r\n"),
            (".", "..\r\n"),
            ("a\n.\nb\n", "a\r\n..\r\nb\r\n"),
            ("a\r\n.\r\nb\r\n", "a\r\n..\r\nb\r\n"),
            ("a\n.\r\nb\r\n..c\n", "a\r\n..\r\nb\r\n...c\r\n"),
            ("a.b\n", "a.b\r\n"),
        ] {
            assert_eq!(encoded(&[content.as_bytes()]).0, sent, "{content:?}");
        }
    }

    #[test]
    fn no_message_can_end_itself_wherever_it_is_cut_into_blocks() {
        let mut random = Random::new(7);
        for _ in 0..3000 {
            let content: Vec<u8> =
                (0..random.next(24)).map(|_| [b'\r', b'\n', b'.', b'a'][random.next(4)]).collect();
            let cut = random.next(content.len() + 1);
            let (whole, survey) = encoded(&[&content]);
            assert_eq!(encoded(&[&content[..cut], &content[cut..]]), (whole.clone(), survey));
            let stream = format!("\r\n{whole}");
            assert!(
                !stream.contains("\r\n.\r\n") && !stream.contains("\n.\n"),
                "{content:?} gives {whole:?}"
            );
            assert_eq!(whole.replace("\r\n", "").find(['\r', '\n']), None);
            assert_eq!(survey.bytes, content.len() as u64);
        }
    }

    #[test]
    fn what_cannot_be_sent_is_seen_before() {
        let look = |bytes: &[u8]| survey(&mut Cursor::new(bytes)).unwrap();
        assert_eq!(look(b"ab\rc\r\n").bare_cr, Some(2));
        assert_eq!(look(b"ab\r").bare_cr, Some(2));
        assert_eq!(look(b"\r\r\n").bare_cr, Some(0));
        assert_eq!(look(b"a\r\nb\nc").bare_cr, None);
        assert_eq!(look(b"a\nb\0").nul, Some(3));
        assert!(look(b"caf\xe9").eight_bit);
        let plain = look(b"a\n.bcd\r\n");
        assert_eq!((plain.bytes, plain.size, plain.longest_line, plain.eight_bit), (8, 9, 4, false));
    }
}
