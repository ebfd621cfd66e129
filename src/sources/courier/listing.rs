//! What `mailq` prints, for people and with `-batch`. Source: Courier `courier/mailq.c`, `showq`, `showqline`.

use crate::evidence::{ListingEnd, ListingEntry, Text};
use crate::read::lines::{first_line, read_line};
use crate::sources::{EmitEntry, ListingFormat};
use std::io::{self, BufRead};

/// The name of the form for programs.
pub const BATCH: &str = "courier mailq -batch";
/// Recipients that are kept of one entry.
const MAX_RECIPIENTS: usize = 1_000;
/// The first column: size, user or status, and a space.
const COLUMN: usize = 17;

/// The listings of Courier. Both forms are read by one reader that looks at each line for itself.
pub static FORMATS: &[ListingFormat] = &[
    ListingFormat {
        name: BATCH,
        about: "a line for each message, with all recipients; with or without -sort",
        looks_like: |head| {
            first_line(head).is_some_and(|line| batch(line, 1).is_some() || line.starts_with(b"messages: "))
        },
        parse,
    },
    ListingFormat {
        name: "courier mailq",
        about: "the table for people",
        looks_like: |head| first_line(head).is_some_and(is_heading),
        parse,
    },
];

fn is_heading(line: &[u8]) -> bool {
    line.starts_with(b"Size             Queue ID")
}

fn parse(input: &mut dyn BufRead, emit: &mut EmitEntry<'_>) -> io::Result<ListingEnd> {
    let mut reader = Reader {
        emit,
        end: ListingEnd::default(),
        entry: None,
        below: Below::Nothing,
        count: None,
        number: 0,
    };
    while let Some((line, _)) = read_line(input)? {
        reader.number += 1;
        reader.line(&line);
    }
    Ok(reader.finish())
}

/// What the next line of a table is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Below {
    /// Not in a table.
    Nothing,
    /// The heading.
    Heading,
    /// Size, ID and date.
    Row,
    /// User and sender.
    Sender,
    /// Status and recipient.
    Recipient,
}

struct Reader<'e, 'f> {
    emit: &'e mut EmitEntry<'f>,
    end: ListingEnd,
    entry: Option<ListingEntry>,
    below: Below,
    /// Entries of the listing that has begun and not ended.
    count: Option<u64>,
    number: u64,
}

impl Reader<'_, '_> {
    fn line(&mut self, line: &[u8]) {
        if line.starts_with(b"## ") {
            self.close();
        } else if let Some(total) = total(line) {
            self.ended(total);
        } else if is_heading(line) {
            self.close();
            self.below = Below::Heading;
            self.count = Some(0);
        } else if self.below == Below::Heading {
            if line.starts_with(b"----") {
                self.below = Below::Row;
            }
        } else if line.trim_ascii().is_empty() {
            self.close();
        } else if let Some(entry) = batch(line, self.number).filter(|_| self.below == Below::Nothing) {
            self.count = Some(self.count.unwrap_or(0) + 1);
            (self.emit)(entry);
        } else {
            self.table(line);
        }
    }

    fn table(&mut self, line: &[u8]) {
        let value = line.get(COLUMN..).unwrap_or_default();
        match (self.below, self.entry.as_mut()) {
            (Below::Row, _) => {
                self.entry = Some(row(line, self.number));
                self.count = Some(self.count.unwrap_or(0) + 1);
                self.below = Below::Sender;
            }
            (Below::Sender, Some(entry)) => {
                entry.sender = Some(Text::new(value));
                self.below = Below::Recipient;
            }
            (Below::Recipient, Some(entry)) => {
                if entry.recipients.len() < MAX_RECIPIENTS {
                    entry.recipients.push(Text::new(value));
                }
            }
            _ => self.end.misread(self.number, "expected a line as `mailq` or `mailq -batch` writes it"),
        }
    }

    /// Ends an entry of a table.
    fn close(&mut self) {
        if let Some(entry) = self.entry.take() {
            (self.emit)(entry);
            self.below = Below::Row;
        }
    }

    fn ended(&mut self, declared: u64) {
        self.close();
        self.below = Below::Nothing;
        let counted = self.count.take().unwrap_or(0);
        if counted != declared {
            self.end.cut = Some(format!("it states {declared} messages and shows {counted}"));
        }
        self.end.declared = Some(self.end.declared.unwrap_or(0).max(declared));
    }

    fn finish(mut self) -> ListingEnd {
        self.close();
        if self.count.is_some() {
            self.end.cut = Some("the line with the number of messages is missing".to_owned());
        }
        self.end
    }
}

/// `messages: 200` or ` 200 messages.`
fn total(line: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(line).ok()?;
    let number = text.strip_prefix("messages: ").or_else(|| text.strip_suffix(" messages."))?;
    number.trim().parse().ok()
}

/// `SIZE;ID;DATE;USER;SENDER;` and `STATUS;RECIPIENT;` for each recipient.
fn batch(line: &[u8], number: u64) -> Option<ListingEntry> {
    let mut fields = line.split(|byte| *byte == b';');
    let size = fields.next().and_then(Size::read)?.exact();
    let (id, date, _user, sender) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
    if !date.contains(&b':') {
        return None;
    }
    let rest: Vec<&[u8]> = fields.take(2 * MAX_RECIPIENTS).collect();
    let recipients = rest.chunks_exact(2).filter_map(|pair| pair.get(1)).map(|address| Text::new(*address));
    Some(ListingEntry {
        line: number,
        queue: Some("msgs".to_owned()),
        native: Some(Text::new(id)).filter(|id| !id.is_empty()),
        sender: Some(Text::new(sender)),
        size,
        recipients: recipients.collect(),
        ..ListingEntry::default()
    })
}

/// `SIZE ID DATE`. The year is missing, so that the time is not taken from here; the ID is missing where the control file is
/// damaged.
fn row(line: &[u8], number: u64) -> ListingEntry {
    let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let size = words.next().and_then(Size::read).and_then(Size::exact);
    let id = words.next().filter(|word| word.contains(&b'.'));
    ListingEntry {
        line: number,
        queue: Some("msgs".to_owned()),
        native: id.map(Text::new),
        size,
        ..ListingEntry::default()
    }
}

/// What stands in a column of sizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Size {
    /// Bytes.
    Bytes(u64),
    /// From 1 KiB on sizes are rounded, and so are not known.
    Rounded,
}

impl Size {
    fn read(field: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(field).ok()?.trim();
        let figures = text.trim_end_matches(['K', 'M']);
        if figures.is_empty() || !figures.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
            return None;
        }
        if figures.len() < text.len() { Some(Self::Rounded) } else { text.parse().ok().map(Self::Bytes) }
    }

    fn exact(self) -> Option<u64> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            Self::Rounded => None,
        }
    }
}
