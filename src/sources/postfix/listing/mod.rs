//! What `postqueue` prints.
//!
//! Both forms are read by one reader that looks at each line for itself, so that a file into which somebody put first one
//! and then the other is read as well. Source: Postfix `postqueue/showq_json.c`, `postqueue/showq_compat.c`,
//! `postqueue/postqueue.c`.

use crate::evidence::{ListingEnd, ListingEntry, Text};
use crate::read::lines::read_line;
use crate::sources::{EmitEntry, ListingFormat};
use std::io::{self, BufRead};

mod json;
mod table;

/// The name of the JSON form.
pub const JSON: &str = "postqueue -j";
/// Recipients that are kept of one entry.
const MAX_RECIPIENTS: usize = 1_000;
/// What stands for the null sender (`empty_address_recipient`).
const NULL_SENDER: &str = "MAILER-DAEMON";

/// The listings of Postfix.
pub static FORMATS: &[ListingFormat] = &[
    ListingFormat {
        name: JSON,
        about: "one JSON object a line, Postfix 3.1 and later; the best one, with every recipient and the queue",
        looks_like: |head| {
            first_line(head).is_some_and(|line| line.starts_with(b"{") && has(line, b"\"queue_id\""))
        },
        parse,
    },
    ListingFormat {
        name: "postqueue -p",
        about: "the same as `mailq`: the table for people, of any version",
        looks_like: |head| first_line(head).is_some_and(is_table),
        parse,
    },
];

/// The first line that says something: not a warning, not a heading that somebody wrote above a section.
fn first_line(head: &[u8]) -> Option<&[u8]> {
    head.split(|byte| *byte == b'\n').find(|line| !line.trim_ascii().is_empty() && !is_remark(line))
}

fn is_remark(line: &[u8]) -> bool {
    line.starts_with(b"## ") || is_from_tool(line)
}

/// `postqueue: warning: …`; the tool may have been called by another name.
fn is_from_tool(line: &[u8]) -> bool {
    ["postqueue: ", "mailq: ", "sendmail: ", "showq: "].iter().any(|tool| line.starts_with(tool.as_bytes()))
}

fn is_table(line: &[u8]) -> bool {
    line.starts_with(b"-Queue ID-") || line.starts_with(b"----Queue ID-----") || line.starts_with(EMPTY)
}

const EMPTY: &[u8] = b"Mail queue is empty";

fn has(line: &[u8], part: &[u8]) -> bool {
    memchr::memmem::find(line, part).is_some()
}

fn parse(input: &mut dyn BufRead, emit: &mut EmitEntry<'_>) -> io::Result<ListingEnd> {
    let mut reader =
        Reader { emit, end: ListingEnd::default(), entry: None, reason: None, table: None, number: 0 };
    while let Some((line, cut)) = read_line(input)? {
        reader.number += 1;
        reader.line(&line, cut);
    }
    Ok(reader.finish())
}

struct Reader<'e, 'f> {
    emit: &'e mut EmitEntry<'f>,
    end: ListingEnd,
    /// The entry of a table that is being read.
    entry: Option<ListingEntry>,
    /// The reason that counts for the recipients below it.
    reason: Option<Text>,
    /// Entries of the table that has begun and not ended.
    table: Option<u64>,
    number: u64,
}

impl Reader<'_, '_> {
    fn line(&mut self, line: &[u8], cut: u64) {
        if line.starts_with(b"{") {
            self.object(line, cut);
        } else if line.trim_ascii().is_empty() {
            self.close_entry();
        } else if is_remark(line) {
            if has(line, b": fatal: ") {
                self.end.cut = Some(format!("the tool gave up: {}", String::from_utf8_lossy(line)));
            }
        } else if line.starts_with(EMPTY) {
            self.table = None;
            self.end.declared = Some(self.end.declared.unwrap_or(0));
        } else if is_table(line) {
            self.close_table();
            self.table = Some(0);
        } else if line.starts_with(b"-- ") {
            self.total(line);
        } else if line.first().is_some_and(|byte| matches!(byte, b' ' | b'\t' | b'(')) {
            self.detail(line.trim_ascii());
        } else {
            self.row(line);
        }
    }

    fn object(&mut self, line: &[u8], cut: u64) {
        match json::entry(line, cut > 0, self.number) {
            Ok(Some(entry)) => (self.emit)(entry),
            Ok(None) => self.end.misread(self.number, "there is no `queue_id` in this object"),
            Err(error) => {
                if !line.trim_ascii_end().ends_with(b"}") {
                    self.end.cut = Some(format!("line {} breaks off", self.number));
                }
                self.end.misread(self.number, format!("not a JSON object as postqueue writes it: {error}"));
            }
        }
    }

    fn row(&mut self, line: &[u8]) {
        self.close_entry();
        match table::row(line, self.number) {
            Some(entry) => {
                self.entry = Some(entry);
                self.reason = None;
                self.table = Some(self.table.unwrap_or(0) + 1);
            }
            None => self.end.misread(self.number, "expected a queue ID, a size, a time and a sender"),
        }
    }

    /// A reason in parentheses, or a recipient.
    fn detail(&mut self, line: &[u8]) {
        let number = self.number;
        let Some(entry) = self.entry.as_mut() else {
            self.end.misread(number, "a recipient or reason that belongs to no message");
            return;
        };
        if let Some(reason) = line.strip_prefix(b"(") {
            let reason = reason.strip_suffix(b")").unwrap_or(reason);
            self.reason = Some(Text::new(reason)).filter(|reason| reason.bytes() != b"reason unavailable");
            if entry.reason.is_none() {
                entry.reason.clone_from(&self.reason);
            }
        } else if entry.recipients.len() < MAX_RECIPIENTS {
            entry.recipients.push(Text::new(line));
        }
    }

    fn total(&mut self, line: &[u8]) {
        self.close_entry();
        let Some(declared) = table::total(line) else {
            self.end.misread(self.number, "expected `-- N Kbytes in M Requests.`");
            return;
        };
        let counted = self.table.take().unwrap_or(0);
        if counted != declared {
            self.end.cut = Some(format!("it states {declared} messages and shows {counted}"));
        }
        self.end.declared = Some(self.end.declared.unwrap_or(0).max(declared));
    }

    fn close_entry(&mut self) {
        if let Some(entry) = self.entry.take() {
            (self.emit)(entry);
        }
    }

    fn close_table(&mut self) {
        self.close_entry();
        if self.table.take().is_some() {
            self.end.cut = Some("the line with the number of messages is missing".into());
        }
    }

    fn finish(mut self) -> ListingEnd {
        self.close_table();
        self.end
    }
}

/// The envelope sender; one name stands for the null sender.
fn sender_text(sender: &[u8]) -> Text {
    if sender == NULL_SENDER.as_bytes() { Text::default() } else { Text::new(sender) }
}

#[cfg(test)]
mod tests;
