//! What qmail's own tools print.
//!
//! Both are read by one reader that looks at each line for itself, so that a file into which somebody put one after the
//! other is read as well. Source: notqmail `qmail-qread.c`, `qmail-qstat.sh`.

use crate::evidence::{ListingEnd, ListingEntry, Text, Time};
use crate::read::lines::{first_line, read_line};
use crate::sources::{EmitEntry, ListingFormat};
use std::io::{self, BufRead};

/// The name of the one that lists messages.
pub const QREAD: &str = "qmail-qread";
/// Recipients that are kept of one entry.
const MAX_RECIPIENTS: usize = 1_000;
/// What `qmail-qstat` prints.
const IN_QUEUE: &[u8] = b"messages in queue:";
const IN_TODO: &[u8] = b"messages in queue but not yet preprocessed:";

/// The listings of qmail.
pub static FORMATS: &[ListingFormat] = &[
    ListingFormat {
        name: QREAD,
        about: "every message that qmail has preprocessed, with its recipients; a file in which `qmail-qstat` follows is \
                read too",
        looks_like: |head| {
            heading(head) == Some(QREAD.as_bytes()) || first_line(head).is_some_and(is_of_qread)
        },
        parse,
    },
    ListingFormat {
        name: "qmail-qstat",
        about: "two numbers; it gives numbers, not messages, so that nothing can be looked up in it",
        looks_like: |head| first_line(head).is_some_and(|line| line.starts_with(IN_QUEUE)),
        parse,
    },
];

/// The command in a heading that somebody wrote above the first section: `## qmail-qread`.
fn heading(head: &[u8]) -> Option<&[u8]> {
    let line = head.split(|byte| *byte == b'\n').find(|line| !line.trim_ascii().is_empty())?;
    line.strip_prefix(b"## ").map(<[u8]>::trim_ascii)
}

fn is_of_qread(line: &[u8]) -> bool {
    row(line, 0).is_some() || line.starts_with(TROUBLE)
}

/// A message that the tool came across and could not show.
const TROUBLE: &[u8] = b"warning: trouble with #";

fn parse(input: &mut dyn BufRead, emit: &mut EmitEntry<'_>) -> io::Result<ListingEnd> {
    let mut reader =
        Reader { emit, end: ListingEnd::default(), entry: None, listed: false, counted: false, number: 0 };
    while let Some((line, _)) = read_line(input)? {
        reader.number += 1;
        reader.line(&line);
    }
    Ok(reader.finish())
}

struct Reader<'e, 'f> {
    emit: &'e mut EmitEntry<'f>,
    end: ListingEnd,
    entry: Option<ListingEntry>,
    /// Whether the part of `qmail-qread` was there.
    listed: bool,
    /// Whether the part of `qmail-qstat` was there.
    counted: bool,
    number: u64,
}

impl Reader<'_, '_> {
    fn line(&mut self, line: &[u8]) {
        if line.trim_ascii().is_empty() {
            return;
        }
        if line.starts_with(b"## ") {
            self.close_entry();
            self.listed |= heading(line) == Some(QREAD.as_bytes());
        } else if line.starts_with(TROUBLE) {
            self.close_entry();
            self.listed = true;
        } else if line.starts_with(b"fatal: ") {
            self.end.cut = Some(format!("the tool gave up: {}", String::from_utf8_lossy(line)));
        } else if line.starts_with(IN_TODO) {
            self.counted = true;
        } else if let Some(count) = line.strip_prefix(IN_QUEUE) {
            self.close_entry();
            self.counted = true;
            self.end.declared = std::str::from_utf8(count).ok().and_then(|count| count.trim().parse().ok());
        } else if let Some(address) = recipient(line) {
            match &mut self.entry {
                Some(entry) if entry.recipients.len() < MAX_RECIPIENTS => {
                    entry.recipients.push(Text::new(address));
                }
                Some(_) => {}
                None => self.end.misread(self.number, "a recipient that belongs to no message"),
            }
        } else {
            self.close_entry();
            match row(line, self.number) {
                Some(entry) => self.entry = Some(entry),
                None => self
                    .end
                    .misread(self.number, "expected a date, `#` and a number, a size and a sender in `<>`"),
            }
        }
    }

    fn close_entry(&mut self) {
        if let Some(entry) = self.entry.take() {
            self.listed = true;
            (self.emit)(entry);
        }
    }

    fn finish(mut self) -> ListingEnd {
        self.close_entry();
        if self.counted && !self.listed {
            self.end.cut = Some("`qmail-qstat` gives numbers, not messages".into());
        }
        self.end
    }
}

/// `24 Nov 2026 00:32:57 GMT  #11464212  829  <sender@lab.test> ` and, behind that, ` bouncing` (`fmtstats`).
fn row(line: &[u8], number: u64) -> Option<ListingEntry> {
    let at = memchr::memmem::find(line, b" GMT  #")?;
    let date = std::str::from_utf8(line.get(..at)?).ok()?;
    let arrived = Time::parse_rfc2822(&format!("{date} +0000"))?;
    let rest = line.get(at + b" GMT  #".len()..)?;
    let (id, rest) = digits(rest)?;
    let (size, rest) = digits(rest.strip_prefix(b"  ")?)?;
    let sender = rest.strip_prefix(b"  <")?;
    let end = memchr::memrchr(b'>', sender)?;
    Some(ListingEntry {
        line: number,
        native: Some(Text::new(id)),
        sender: Some(Text::new(sender.get(..end)?)),
        size: std::str::from_utf8(size).ok()?.parse().ok(),
        arrived: Some(arrived),
        ..ListingEntry::default()
    })
}

/// The figures at the start, and what follows.
fn digits(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = line.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(line.len());
    if end == 0 { None } else { line.split_at_checked(end) }
}

/// The address in `\tremote\tADDRESS`, `\tlocal\tADDRESS`, or one of these behind `  done`.
fn recipient(line: &[u8]) -> Option<&[u8]> {
    let line = line.strip_prefix(b"  done").unwrap_or(line);
    line.strip_prefix(b"\tremote\t").or_else(|| line.strip_prefix(b"\tlocal\t"))
}

#[cfg(test)]
mod tests;
