//! What `smtpctl show queue` prints: a line an envelope, in the order of their IDs.
//!
//! Source: OpenSMTPD `smtpctl.c`, `show_queue_envelope`. The envelopes of one message stand together, and become one entry:
//! what is listed on disk and in the listing is a message.

use crate::evidence::{EntryState, ListingEnd, ListingEntry};
use crate::read::lines::read_line;
use crate::sources::{EmitEntry, ListingFormat};
use std::io::{self, BufRead};

mod row;

/// The name of the listing.
pub const SHOW_QUEUE: &str = "smtpctl show queue";
/// Recipients that are kept of one entry.
const MAX_RECIPIENTS: usize = 1_000;

/// The listings of OpenSMTPD.
pub static FORMATS: &[ListingFormat] = &[ListingFormat {
    name: SHOW_QUEUE,
    about: "the same as `mailq`: an envelope a line, with 14 fields between `|`; also with smtpd down, when it reads the disk",
    looks_like,
    parse,
}];

/// A heading that somebody wrote above a section: an empty queue prints nothing at all.
fn is_section(line: &[u8]) -> bool {
    line.strip_prefix(b"## ").is_some_and(shows_queue)
}

fn shows_queue(title: &[u8]) -> bool {
    memchr::memmem::find(title, b"smtpctl show queue").is_some()
}

fn looks_like(head: &[u8]) -> bool {
    let mut lines = head.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
    let first = lines.find(|line| !line.starts_with(b"## ") || is_section(line));
    first.is_some_and(|line| is_section(line) || row::read(line.trim_ascii_end(), 1).is_some())
}

fn parse(input: &mut dyn BufRead, emit: &mut EmitEntry<'_>) -> io::Result<ListingEnd> {
    let mut reader =
        Reader { emit, end: ListingEnd::default(), open: None, skipped: false, broken: None, number: 0 };
    while let Some((line, _)) = read_line(input)? {
        reader.number += 1;
        reader.line(&line);
    }
    Ok(reader.finish())
}

struct Reader<'e, 'f> {
    emit: &'e mut EmitEntry<'f>,
    end: ListingEnd,
    /// The message of which envelopes are being read.
    open: Option<ListingEntry>,
    /// Whether this is a section of something else.
    skipped: bool,
    /// The last line, if it could not be understood.
    broken: Option<u64>,
    number: u64,
}

impl Reader<'_, '_> {
    fn line(&mut self, line: &[u8]) {
        if let Some(title) = line.strip_prefix(b"## ") {
            self.close();
            self.skipped = !(shows_queue(title) || title.starts_with(b"mailq"));
            return;
        }
        let line = line.trim_ascii_end();
        if self.skipped || line.is_empty() {
            return;
        }
        self.broken = None;
        if let Some(entry) = row::read(line, self.number) {
            self.row(entry);
        } else if ["smtpctl: ", "mailq: "].iter().any(|tool| line.starts_with(tool.as_bytes())) {
            self.end.cut = Some(format!("the tool gave up: {}", String::from_utf8_lossy(line)));
        } else if !line.ends_with(b": command not found") {
            self.broken = Some(self.number);
            self.end.misread(self.number, "expected an envelope ID and 13 more fields");
        }
    }

    fn row(&mut self, entry: ListingEntry) {
        match &mut self.open {
            Some(open) if open.native == entry.native => {
                let room = MAX_RECIPIENTS.saturating_sub(open.recipients.len());
                open.recipients.extend(entry.recipients.into_iter().take(room));
                open.arrived = open.arrived.min(entry.arrived).or(open.arrived);
                if entry.state == EntryState::Held {
                    open.state = EntryState::Held;
                }
                open.reason = open.reason.take().or(entry.reason);
            }
            _ => {
                self.close();
                self.open = Some(entry);
            }
        }
    }

    fn close(&mut self) {
        if let Some(entry) = self.open.take() {
            (self.emit)(entry);
        }
    }

    fn finish(mut self) -> ListingEnd {
        self.close();
        if let Some(line) = self.broken {
            self.end.cut = Some(format!("line {line} breaks off"));
        }
        self.end
    }
}

#[cfg(test)]
mod tests;
