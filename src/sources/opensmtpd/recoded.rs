//! What sendmail(1) of OpenSMTPD would not hand in as it is.
//!
//! Source: OpenSMTPD `enqueue.c` (`parse_message`, `enqueue`: `LINESPLIT`, `HDR_BCC`, `saw_from`, `saw_date`); a line of 995
//! bytes recoded by 6.8.0p2.

use super::content;
use crate::evidence::Message;
use crate::plan::Refusal;
use crate::read::disk::Root;
use crate::sources::Extent;
use std::io::{self, Write};

/// A line of so many bytes, counted with its end, has the whole body recoded.
const LINE_SPLIT: usize = 990;
/// The longest name of a field that matters, with its colon.
const NAME_BYTES: usize = 32;

/// The fields that matter.
const FIELDS: [&str; 5] = ["bcc:", "return-path: ", "from:", "date:", "content-transfer-encoding:"];

/// Says what would be changed; `None`: nothing.
///
/// # Errors
/// When the content cannot be read.
pub fn warning(root: &Root, message: &Message) -> Result<Option<String>, Refusal> {
    let mut reader = Reader::default();
    content::write(root, message, Extent::Whole, &mut reader)?;
    reader.end_of_line();
    let changes = reader.changes();
    if changes.is_empty() {
        return Ok(None);
    }
    Ok(Some(format!(
        "sendmail(1) of OpenSMTPD does not leave it as it is ({}): `--via smtp://127.0.0.1:25` has smtpd take every byte",
        changes.join(", ")
    )))
}

/// Reads a message line by line, of each no more than its beginning.
#[derive(Debug, Default)]
struct Reader {
    start: Vec<u8>,
    length: usize,
    in_body: bool,
    seen: [bool; FIELDS.len()],
    long: bool,
    nul: bool,
}

impl Reader {
    fn end_of_line(&mut self) {
        self.long |= self.length + 1 >= LINE_SPLIT;
        if !self.in_body {
            let starts = |field: &str| {
                self.start
                    .get(..field.len())
                    .is_some_and(|start| start.eq_ignore_ascii_case(field.as_bytes()))
            };
            for (seen, field) in self.seen.iter_mut().zip(FIELDS) {
                *seen |= starts(field);
            }
            self.in_body = self.start.is_empty() || self.start == b"\r";
        }
        self.start.clear();
        self.length = 0;
    }

    fn changes(&self) -> Vec<&'static str> {
        let [bcc, return_path, from, date, encoding] = self.seen;
        let all = [
            (self.long && !encoding, "a line of it is so long that the whole body is recoded"),
            (self.nul, "a line is cut off at its NUL byte"),
            (bcc, "its field `Bcc` is taken out"),
            (return_path, "its field `Return-Path` is taken out"),
            (!from, "a field `From` is added"),
            (!date, "a field `Date` is added"),
        ];
        all.into_iter().filter_map(|(is_so, what)| is_so.then_some(what)).collect()
    }
}

impl Write for Reader {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for byte in bytes {
            if *byte == b'\n' {
                self.end_of_line();
                continue;
            }
            self.nul |= *byte == 0;
            self.length += 1;
            if self.start.len() < NAME_BYTES {
                self.start.push(*byte);
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes(text: &str) -> Vec<&'static str> {
        let mut reader = Reader::default();
        reader.write_all(text.as_bytes()).unwrap();
        reader.end_of_line();
        reader.changes()
    }

    const HEAD: &str = "From: a@b\nDate: today\n";

    #[test]
    fn a_plain_message_is_handed_in_as_it_is() {
        assert!(changes(&format!("{HEAD}\nBcc: in the body\nh\u{e4}\n")).is_empty());
        assert!(changes(&format!("{HEAD}\n{}\n", "x".repeat(988))).is_empty());
    }

    #[test]
    fn a_long_line_has_the_body_recoded_unless_its_encoding_is_said() {
        let long = "x".repeat(989);
        assert!(changes(&format!("{HEAD}\n{long}\n"))[0].contains("recoded"));
        assert!(changes(&format!("{HEAD}content-transfer-encoding: 8bit\n\n{long}\n")).is_empty());
    }

    #[test]
    fn fields_that_are_taken_out_or_added_are_named() {
        assert_eq!(
            changes("bcc: c@d\n\n"),
            ["its field `Bcc` is taken out", "a field `From` is added", "a field `Date` is added"]
        );
        assert_eq!(
            changes(&format!("Return-Path: <a@b>\n{HEAD}\n")),
            ["its field `Return-Path` is taken out"]
        );
        assert_eq!(changes(&format!("{HEAD}\na\0b\n")), ["a line is cut off at its NUL byte"]);
    }
}
