//! What `mailq` prints, which is `sendmail -bp`, with `-v` or without, of the queue itself, of the quarantined (`-qQ`), of
//! the lost (`-qL`) and of the submission program's queue (`-Ac`).
//!
//! One file may hold several of these, each under a heading `## command`; without headings the sections tell by their
//! content. Source: sendmail `sendmail/queue.c` (`printqueue`, `print_single_queue`), `sendmail/main.c`.

use crate::evidence::{EntryState, ListingEnd, ListingEntry, Text};
use crate::read::lines::read_line;
use crate::sources::{EmitEntry, ListingFormat};
use std::io::{self, BufRead};

mod row;

/// The name of the format.
pub const NAME: &str = "sendmail -bp";
/// Recipients that are kept of one entry.
const MAX_RECIPIENTS: usize = 1_000;
const COLUMNS: &[u8] = b"-----Q-ID-----";
const TOTAL: &[u8] = b"Total requests:";

/// The listings of sendmail.
pub static FORMATS: &[ListingFormat] = &[ListingFormat {
    name: NAME,
    about: "the same as `mailq`; put `-bp -qQ`, `-bp -qL` and `-bp -Ac` into the same file, each below a line `## command`",
    looks_like,
    parse,
}];

fn looks_like(head: &[u8]) -> bool {
    let mut lines = head
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.trim_ascii().is_empty() && !is_remark(line) && !is_complaint(line));
    lines.next().is_some_and(|line| {
        line.starts_with(COLUMNS)
            || row::heading(line).is_some()
            || row::empty_queue(line).is_some()
            || is_program(line)
            || line.trim_ascii().starts_with(TOTAL)
    })
}

fn is_remark(line: &[u8]) -> bool {
    line.starts_with(b"## ")
}

/// `MSP Queue status...`, above the queue of the submission program.
fn is_program(line: &[u8]) -> bool {
    let line = line.trim_ascii_end();
    line.starts_with(b"MSP Queue status") || line.starts_with(b"MTA Queue status")
}

/// What goes to stderr, and may have been caught in the same file.
fn is_complaint(line: &[u8]) -> bool {
    ["gatherq: ", "readqf: ", "sendmail: ", "mailq: "].iter().any(|from| line.starts_with(from.as_bytes()))
}

fn parse(input: &mut dyn BufRead, emit: &mut EmitEntry<'_>) -> io::Result<ListingEnd> {
    let mut reader = Reader {
        emit,
        end: ListingEnd::default(),
        section: Section::default(),
        queue: None,
        entry: None,
        counted: None,
        number: 0,
    };
    while let Some((line, _)) = read_line(input)? {
        reader.number += 1;
        reader.line(&line);
    }
    Ok(reader.finish())
}

/// Which listing the lines belong to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Section {
    /// Nothing says so.
    #[default]
    Unknown,
    /// `-bp`.
    Plain,
    /// `-bp -qQ`.
    Quarantined,
    /// `-bp -qL`.
    Lost,
    /// `-bp -Ac`.
    Client,
}

impl Section {
    /// The section that a command line in a heading asks for.
    fn of(command: &[u8]) -> Self {
        let mut found = Self::Plain;
        for word in command.split(u8::is_ascii_whitespace) {
            match word {
                b"-qQ" => found = Self::Quarantined,
                b"-qL" => found = Self::Lost,
                b"-Ac" => found = Self::Client,
                _ => {}
            }
        }
        found
    }
}

struct Reader<'e, 'f> {
    emit: &'e mut EmitEntry<'f>,
    end: ListingEnd,
    section: Section,
    /// The queue folder whose entries follow.
    queue: Option<String>,
    entry: Option<ListingEntry>,
    /// Entries that the heading states, and those seen since.
    counted: Option<(u64, u64)>,
    number: u64,
}

impl Reader<'_, '_> {
    fn line(&mut self, line: &[u8]) {
        let trimmed = line.trim_ascii();
        if trimmed.is_empty() || line.starts_with(COLUMNS) || is_complaint(line) {
            return;
        }
        if let Some(command) = line.strip_prefix(b"## ") {
            self.close_queue();
            self.section = Section::of(command);
        } else if is_program(line) {
            self.close_queue();
            self.section = if line.starts_with(b"MSP") { Section::Client } else { Section::Plain };
        } else if let Some((queue, count, only)) = row::heading(line) {
            self.close_queue();
            self.queue = Some(queue);
            self.counted = Some((count, 0));
            self.end.declared = Some(self.end.declared.unwrap_or(0) + count);
            if let Some(only) = only {
                self.end.cut =
                    Some(format!("it states {count} requests and prints only {only} (`MaxQueueRun`)"));
                self.counted = None;
            }
        } else if row::empty_queue(line).is_some() {
            self.close_queue();
            self.end.declared = Some(self.end.declared.unwrap_or(0));
        } else if trimmed.starts_with(TOTAL) {
            self.close_queue();
        } else if let Some(entry) = row::entry(line) {
            self.row(entry);
        } else {
            self.detail(line);
        }
    }

    fn row(&mut self, found: row::Row) {
        self.close_entry();
        if let Some((_, seen)) = self.counted.as_mut() {
            *seen += 1;
        }
        if found.completed {
            return;
        }
        let mut entry = ListingEntry { line: self.number, ..found.entry };
        let lost = found.flag == Some(b'?') || self.section == Section::Lost;
        let quarantined = self.section == Section::Quarantined;
        entry.queue = if lost {
            Some("lost".to_owned())
        } else if quarantined {
            Some("quarantined".to_owned())
        } else {
            self.queue.clone()
        };
        entry.on_request = lost || quarantined || self.section == Section::Client;
        if quarantined {
            entry.state = EntryState::Held;
        }
        self.entry = Some(entry);
    }

    /// A line below an entry.
    fn detail(&mut self, line: &[u8]) {
        let trimmed = line.trim_ascii();
        let section = self.section;
        let Some(entry) = self.entry.as_mut().filter(|_| line.first().is_some_and(u8::is_ascii_whitespace))
        else {
            self.end.misread(self.number, "expected a queue ID, a size, a time and a sender");
            return;
        };
        if trimmed.starts_with(b"QUARANTINE:") {
            entry.state = EntryState::Held;
            // Without a heading, only the listing of the quarantined shows such a line for whole pages.
            if section == Section::Unknown {
                entry.on_request = true;
                entry.queue = Some("quarantined".to_owned());
            }
        } else if let Some(size) = row::late_columns(trimmed) {
            entry.size = size.size;
            entry.sender = size.sender;
        } else if let Some(reason) = row::reason(trimmed) {
            if entry.reason.is_none() && !reason.starts_with(b"---") {
                entry.reason = Some(Text::new(reason));
            }
        } else if line.starts_with(b"\t\t\t\t\t") && entry.recipients.len() < MAX_RECIPIENTS {
            entry.recipients.push(row::address(trimmed));
        }
    }

    fn close_entry(&mut self) {
        if let Some(entry) = self.entry.take() {
            (self.emit)(entry);
        }
    }

    fn close_queue(&mut self) {
        self.close_entry();
        if let Some((stated, seen)) = self.counted.take()
            && seen < stated
        {
            let queue = self.queue.as_deref().unwrap_or_default();
            self.end.cut = Some(format!("it states {stated} requests in `{queue}` and shows {seen}"));
        }
    }

    fn finish(mut self) -> ListingEnd {
        self.close_queue();
        self.end
    }
}

#[cfg(test)]
mod tests;
