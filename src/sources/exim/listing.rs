//! What `exim -bp` prints.
//!
//! Source: Exim `queue.c`, `queue_list` and `queue_list_extras`; `string.c`, `string_format_size`. An entry is
//! `AGE SIZE ID <SENDER>`, then a line for each recipient, `D` before those that are done, then an empty line. Age and size
//! are missing where the envelope, or the body, could not be read. An empty queue prints nothing at all.

use super::message_id;
use crate::evidence::{EntryState, ListingEnd, ListingEntry, Text};
use crate::read::lines::read_line;
use crate::sources::{EmitEntry, ListingFormat};
use std::io::{self, BufRead};

/// The name of the listing.
pub const BP: &str = "exim -bp";
/// Recipients that are kept of one entry.
const MAX_RECIPIENTS: usize = 1_000;
const FROZEN: &[u8] = b" *** frozen ***";

/// The listings of Exim.
pub static FORMATS: &[ListingFormat] = &[ListingFormat {
    name: BP,
    about: "the same as `mailq`, in any order and form (-bpr, -bpa, -bpu, -bpi)",
    looks_like: |head| {
        let mut lines = head.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
        lines.find(|line| !is_from_tool(line)).is_some_and(|line| is_heading(line) || row(line, 0).is_some())
    },
    parse,
}];

/// `## exim4 -bp`: a heading that somebody wrote above a section.
fn is_heading(line: &[u8]) -> bool {
    line.strip_prefix(b"## ").is_some_and(|command| program(command).is_some())
}

/// The arguments, if this is a command of Exim itself.
fn program(command: &[u8]) -> Option<Vec<&[u8]>> {
    let mut words = command.split(|byte| *byte == b' ').filter(|word| !word.is_empty());
    let name = words.next()?.rsplit(|byte| *byte == b'/').next()?;
    matches!(name, b"exim" | b"exim4" | b"mailq").then(|| words.collect())
}

/// `exim: permission denied`; the tool may have been called by another name.
fn is_from_tool(line: &[u8]) -> bool {
    ["exim: ", "exim4: ", "mailq: ", "sendmail: "].iter().any(|tool| line.starts_with(tool.as_bytes()))
}

fn parse(input: &mut dyn BufRead, emit: &mut EmitEntry<'_>) -> io::Result<ListingEnd> {
    let mut reader =
        Reader { emit, end: ListingEnd::default(), entry: None, section: Section::default(), number: 0 };
    while let Some((line, _)) = read_line(input)? {
        reader.number += 1;
        reader.line(&line);
    }
    if reader
        .entry
        .as_ref()
        .is_some_and(|entry| entry.recipients.is_empty() && entry.reason.is_none() && !entry.ids_only)
    {
        reader.end.cut = Some(format!("line {} breaks off within a message", reader.number));
    }
    reader.close();
    Ok(reader.end)
}

/// What is being read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
enum Section {
    /// The default queue.
    #[default]
    Default,
    /// A named queue, which only shows when it is asked for.
    Named(String),
    /// The output of another tool, or a count.
    Other,
}

impl Section {
    /// What a heading announces. `exipick` reads the spool itself, so that its output is no view of Exim's; `exiqgrep`
    /// prints a part only.
    fn of(command: &[u8]) -> Self {
        let Some(arguments) = program(command) else { return Self::Other };
        if arguments.iter().any(|argument| argument.starts_with(b"-bpc")) {
            return Self::Other;
        }
        let queue = arguments.iter().find_map(|argument| argument.strip_prefix(b"-q")?.strip_prefix(b"G"));
        let listing = arguments.iter().any(|argument| argument.starts_with(b"-bp"));
        match (queue, listing || arguments.is_empty()) {
            (_, false) => Self::Other,
            (Some(queue), true) => Self::Named(String::from_utf8_lossy(queue).into_owned()),
            (None, true) => Self::Default,
        }
    }
}

struct Reader<'e, 'f> {
    emit: &'e mut EmitEntry<'f>,
    end: ListingEnd,
    entry: Option<Row>,
    section: Section,
    number: u64,
}

/// An entry that is being read.
#[derive(Debug, Default, PartialEq, Eq)]
struct Row {
    line: u64,
    id: Vec<u8>,
    sender: Option<Text>,
    size: Option<u64>,
    frozen: bool,
    /// Whether the line has nothing but an ID, as those of `-bpi`.
    ids_only: bool,
    recipients: Vec<Text>,
    reason: Option<Text>,
}

impl Reader<'_, '_> {
    fn line(&mut self, line: &[u8]) {
        if let Some(command) = line.strip_prefix(b"## ") {
            self.close();
            self.section = Section::of(command);
        } else if self.section == Section::Other {
            // No view of Exim's.
        } else if line.trim_ascii().is_empty() {
            self.close();
        } else if is_from_tool(line) {
            self.end.cut = Some(format!("the tool says: {}", String::from_utf8_lossy(line)));
        } else if let Some(row) = row(line, self.number) {
            self.close();
            self.entry = Some(row);
        } else if line.starts_with(b"    ") && self.entry.is_some() {
            self.detail(line.trim_ascii());
        } else {
            let why = if line.starts_with(b"    ") {
                "a recipient that belongs to no message"
            } else {
                "expected age, size, message ID and sender"
            };
            self.end.misread(self.number, why);
        }
    }

    /// A recipient, or what could not be read.
    fn detail(&mut self, line: &[u8]) {
        let Some(entry) = &mut self.entry else { return };
        if let Some(error) = line.strip_prefix(b"*** ") {
            let error = error.strip_suffix(FROZEN).unwrap_or(error);
            entry.reason = Some(Text::new(error.strip_suffix(b" ***").unwrap_or(error)));
            entry.frozen |= line.ends_with(FROZEN);
        } else if entry.recipients.len() < MAX_RECIPIENTS {
            // `D` is done, `+D` is done and was generated from another one (`-bpa`).
            let done = [&b"D "[..], b"+D "].into_iter().find_map(|mark| line.strip_prefix(mark));
            entry.recipients.push(Text::new(done.unwrap_or(line).trim_ascii()));
        }
    }

    fn close(&mut self) {
        let Some(row) = self.entry.take() else { return };
        let named = match &self.section {
            Section::Named(queue) => Some(queue.clone()),
            _ => None,
        };
        (self.emit)(ListingEntry {
            line: row.line,
            on_request: named.is_some(),
            queue: named,
            native: Some(Text::new(row.id)),
            sender: row.sender,
            size: row.size,
            recipients: row.recipients,
            state: if row.frozen { EntryState::Held } else { EntryState::Normal },
            reason: row.reason,
            ..ListingEntry::default()
        });
    }
}

/// `[AGE] [SIZE] ID [<SENDER> [(LOGIN)]][ *** frozen ***]`.
fn row(line: &[u8], number: u64) -> Option<Row> {
    let mut rest = line.trim_ascii_start();
    let mut row = Row { line: number, ids_only: line.first() != Some(&b' '), ..Row::default() };
    // A recipient that looks like an ID would be one without a domain, eight spaces in.
    let mut words = 0;
    loop {
        let (first, after) = word(rest)?;
        if message_id::decode(first).is_some() {
            row.id = first.to_vec();
            rest = after;
            break;
        }
        match words {
            0 if is_age(first) => {}
            0 | 1 if is_size(first) => row.size = exact_size(first),
            _ => return None,
        }
        row.ids_only = false;
        words += 1;
        rest = after;
    }
    if words == 0 && line.starts_with(b"        ") {
        return None;
    }
    let mut rest = rest.trim_ascii_end();
    if let Some(before) = rest.strip_suffix(FROZEN) {
        row.frozen = true;
        rest = before;
    }
    let rest = rest.trim_ascii();
    if rest.is_empty() {
        return Some(row);
    }
    row.ids_only = false;
    // `(LOGIN)` stands behind a sender that a local user gave himself.
    let end = if rest.ends_with(b")") { memchr::memmem::rfind(rest, b"> (")? } else { rest.len() - 1 };
    let sender = rest.get(..=end)?.strip_prefix(b"<")?.strip_suffix(b">")?;
    row.sender = Some(Text::new(sender));
    Some(row)
}

/// The first word, and what follows it.
fn word(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let line = line.trim_ascii_start();
    let end = line.iter().position(u8::is_ascii_whitespace).unwrap_or(line.len());
    if end == 0 { None } else { line.split_at_checked(end) }
}

/// `12m`, `3h`, `40d`; below zero when the message is from the future.
fn is_age(word: &[u8]) -> bool {
    let word = word.strip_prefix(b"-").unwrap_or(word);
    word.split_last().is_some_and(|(unit, digits)| {
        matches!(unit, b'm' | b'h' | b'd') && !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
    })
}

/// `564`, `1.2K`, `30M`.
fn is_size(word: &[u8]) -> bool {
    let digits =
        word.strip_suffix(b"K").or_else(|| word.strip_suffix(b"M")).or_else(|| word.strip_suffix(b"G"));
    let digits = digits.unwrap_or(word);
    digits.first().is_some_and(u8::is_ascii_digit)
        && digits.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.')
}

fn exact_size(word: &[u8]) -> Option<u64> {
    std::str::from_utf8(word).ok()?.parse().ok()
}

#[cfg(test)]
#[path = "tests/listing.rs"]
mod tests;
