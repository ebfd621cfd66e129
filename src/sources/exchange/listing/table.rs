//! Tables with a heading line: what Export-Csv and "Export List" write, in bounded memory.

use crate::evidence::ListingEnd;
use crate::read::lines::{decode_head, decode_single_byte, read_line};
use std::collections::VecDeque;
use std::io::{self, BufRead};

/// Lines before the headings that are skipped: `#TYPE …`, blank lines, a title.
const MAX_LINES_BEFORE: usize = 5;
/// A quoted cell may hold line ends; a quote that was never closed must not swallow the rest of the file.
const MAX_LINES_OF_ROW: usize = 64;
/// The same in bytes.
const MAX_ROW_BYTES: usize = 1 << 20;

/// Headings that are understood, in lower case without anything but letters and digits.
///
/// Get-Message and Get-Queue: Microsoft, "Properties of messages in queues", "Properties of queues". Queue Viewer: the
/// same with spaces. System Manager 2003 (sender, messagestate, messageid, submissiontime and the like): no export was
/// at hand; these are inferred from the columns it shows.
const HEADINGS: [(&str, Field); 27] = [
    ("identity", Field::Identity),
    ("queue", Field::Queue),
    ("queueid", Field::Queue),
    ("status", Field::Status),
    ("messagestate", Field::Status),
    ("state", Field::Status),
    ("fromaddress", Field::Sender),
    ("sender", Field::Sender),
    ("from", Field::Sender),
    ("internetmessageid", Field::MessageId),
    ("messageid", Field::MessageId),
    ("subject", Field::Subject),
    ("size", Field::Size),
    ("sizekb", Field::Rounded),
    ("bytes", Field::Bytes),
    ("datereceived", Field::Received),
    ("datereceivedutc", Field::Received),
    ("lasterror", Field::LastError),
    ("recipients", Field::Recipients),
    ("messagesourcename", Field::Other),
    ("scl", Field::Other),
    ("messagecount", Field::MessageCount),
    ("deliverytype", Field::DeliveryType),
    ("nexthopdomain", Field::NextHop),
    ("submissiontime", Field::Other),
    ("expirationtime", Field::Other),
    ("retrycount", Field::Other),
];

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// `SERVER\QUEUE\NUMBER`, or `SERVER\QUEUE` in a list of queues.
    Identity,
    /// The queue.
    Queue,
    /// The state.
    Status,
    /// The envelope sender.
    Sender,
    /// The Internet Message-ID.
    MessageId,
    /// The subject.
    Subject,
    /// `5 KB (5,120 bytes)`.
    Size,
    /// A size in rounded units.
    Rounded,
    /// The size in bytes.
    Bytes,
    /// When it came in.
    Received,
    /// The last error.
    LastError,
    /// The recipients.
    Recipients,
    /// Messages in a queue.
    MessageCount,
    /// Of a queue.
    DeliveryType,
    /// Of a queue.
    NextHop,
    /// Known, and of no use here.
    Other,
}

/// The heading line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Headings {
    /// What each column holds; `None` for a column that is not known.
    pub columns: Vec<Option<Field>>,
    /// The headings in lower case without anything but letters and digits.
    names: Vec<String>,
    /// Whether some known heading has a space in it, as people read it, rather than a property's name.
    pub spaced: bool,
    delimiter: u8,
    quoting: bool,
}

impl Headings {
    /// Whether there is such a column.
    pub fn has(&self, field: Field) -> bool {
        self.columns.contains(&Some(field))
    }

    /// Whether there is a column of one of these names (in lower case, letters and digits only).
    pub fn has_name(&self, names: &[&str]) -> bool {
        self.names.iter().any(|name| names.contains(&name.as_str()))
    }

    /// How many columns are known.
    pub fn known(&self) -> usize {
        self.columns.iter().flatten().count()
    }
}

/// Reads a heading line, by the delimiter that makes most sense of it.
fn headings(line: &[u8]) -> Headings {
    let readings = [b'\t', b',', b';'].map(|delimiter| {
        // Export-Csv puts quotes around cells; "Export List" with tabs does not, and there a quote is only a quote.
        let quoting = delimiter != b'\t' || line.contains(&b'"');
        let cells = cells(line, delimiter, quoting);
        let columns: Vec<Option<Field>> = cells.iter().map(|cell| field_of(cell)).collect();
        let spaced = cells.iter().any(|cell| cell.trim().contains(' ') && field_of(cell).is_some());
        Headings {
            columns,
            names: cells.iter().map(|cell| plain(cell)).collect(),
            spaced,
            delimiter,
            quoting,
        }
    });
    let [first, rest @ ..] = readings;
    rest.into_iter().fold(first, |best, next| if next.known() > best.known() { next } else { best })
}

fn plain(heading: &str) -> String {
    heading.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

fn field_of(heading: &str) -> Option<Field> {
    let plain = plain(heading);
    HEADINGS.iter().find(|(name, _)| *name == plain).map(|(_, field)| *field)
}

/// The headings in the first lines of a file, which may be UTF-16.
pub fn sniff(head: &[u8]) -> Option<Headings> {
    let text = decode_head(head, None);
    text.lines().take(MAX_LINES_BEFORE + 1).map(|line| headings(line.as_bytes())).find(is_heading)
}

fn is_heading(headings: &Headings) -> bool {
    headings.known() >= 2
}

/// One row.
#[derive(Debug, Default)]
pub struct Row {
    /// The line on which it starts.
    pub line: u64,
    cells: Vec<(Field, String)>,
}

impl Row {
    /// A cell that is not empty.
    pub fn get(&self, field: Field) -> Option<&str> {
        self.cells.iter().find(|(of, cell)| *of == field && !cell.is_empty()).map(|(_, cell)| cell.as_str())
    }
}

/// Reads all rows of a table.
///
/// # Errors
/// When the input cannot be read.
pub fn rows(
    input: &mut dyn BufRead,
    take: &mut dyn FnMut(Row) -> Result<(), String>,
) -> io::Result<ListingEnd> {
    let mut table = Lines { input, number: 0, ahead: VecDeque::new() };
    let mut end = ListingEnd::default();
    let mut found = None;
    for _ in 0..=MAX_LINES_BEFORE {
        let Some(line) = table.next()? else { break };
        found = Some(headings(&line.bytes)).filter(is_heading);
        if found.is_some() {
            break;
        }
    }
    let Some(headings) = found else {
        end.misread(1, "no heading line that is known");
        end.cut = Some("it has no heading line that is known".to_owned());
        return Ok(end);
    };
    while let Some(line) = table.next()? {
        let number = line.number;
        if line.bytes.trim_ascii().is_empty() {
            continue;
        }
        let outcome = table.complete(line, &headings)?.and_then(|text| take(row(number, &text, &headings)?));
        if let Err(why) = outcome {
            end.misread(number, why);
        }
    }
    Ok(end)
}

struct Line {
    number: u64,
    bytes: Vec<u8>,
    cut: bool,
}

struct Lines<'a> {
    input: &'a mut dyn BufRead,
    number: u64,
    ahead: VecDeque<Line>,
}

impl Lines<'_> {
    fn next(&mut self) -> io::Result<Option<Line>> {
        if let Some(line) = self.ahead.pop_front() {
            return Ok(Some(line));
        }
        let Some((bytes, cut)) = read_line(self.input)? else { return Ok(None) };
        self.number += 1;
        Ok(Some(Line { number: self.number, bytes, cut: cut > 0 }))
    }

    /// The row that starts with this line: itself, and further lines while a quote is open. If it is never closed, the
    /// further lines are rows of their own again.
    fn complete(&mut self, first: Line, headings: &Headings) -> io::Result<Result<Vec<u8>, String>> {
        if first.cut {
            return Ok(Err("longer than 1 MiB".to_owned()));
        }
        let mut open = ends_open(&first.bytes, headings, false).unwrap_or(false);
        let mut text = first.bytes;
        let mut used: Vec<Line> = Vec::new();
        while open {
            let more = if used.len() < MAX_LINES_OF_ROW { self.next()? } else { None };
            let still_open =
                more.as_ref().filter(|line| !line.cut && text.len() + line.bytes.len() < MAX_ROW_BYTES);
            let still_open = still_open.and_then(|line| ends_open(&line.bytes, headings, true));
            let (Some(line), Some(still_open)) = (&more, still_open) else {
                for line in used.into_iter().chain(more).rev() {
                    self.ahead.push_front(line);
                }
                return Ok(Err("a quote is opened and not closed".to_owned()));
            };
            text.push(b'\n');
            text.extend_from_slice(&line.bytes);
            open = still_open;
            used.extend(more);
        }
        Ok(Ok(text))
    }
}

/// Whether a quoted cell is still open at the end of a line; `None` if something follows a closing quote, which the end
/// of a quoted cell never does. A quote counts at the start of a cell only.
fn ends_open(line: &[u8], headings: &Headings, open: bool) -> Option<bool> {
    #[derive(Clone, Copy, PartialEq)]
    enum In {
        Start,
        Bare,
        Quoted,
        Closed,
    }
    let mut now = if open { In::Quoted } else { In::Start };
    for &byte in line {
        now = match (now, byte) {
            (In::Quoted, b'"') => In::Closed,
            (In::Quoted, _) | (In::Closed, b'"') => In::Quoted,
            (In::Start, b'"') if headings.quoting => In::Quoted,
            (_, byte) if byte == headings.delimiter => In::Start,
            (In::Closed, _) => return None,
            (In::Start | In::Bare, _) => In::Bare,
        };
    }
    Some(now == In::Quoted)
}

fn row(line: u64, text: &[u8], headings: &Headings) -> Result<Row, String> {
    let cells = cells(text, headings.delimiter, headings.quoting);
    let columns = &headings.columns;
    if cells.len() < columns.len().min(2) {
        return Err(format!("{} cells under {} headings", cells.len(), columns.len()));
    }
    let mut row = Row { line, cells: Vec::new() };
    let surplus = cells.len().saturating_sub(columns.len());
    let free = |field: &Option<Field>| matches!(field, None | Some(Field::Subject | Field::LastError));
    // A delimiter within a cell that is not quoted, as in a subject: what stands left and right of the columns with
    // free text can still be told apart, and the rest cannot.
    let (left, right) = if surplus == 0 {
        (columns.len(), columns.len())
    } else {
        let left = columns.iter().position(free).unwrap_or(columns.len());
        (left, columns.iter().rposition(free).map_or(columns.len(), |last| last + 1))
    };
    for (at, column) in columns.iter().enumerate() {
        let place = match at {
            _ if at < left => at,
            _ if at >= right => at + surplus,
            _ => continue,
        };
        if let (Some(field), Some(cell)) = (column, cells.get(place)) {
            row.cells.push((*field, cell.trim().to_owned()));
        }
    }
    Ok(row)
}

/// The cells of a row, quotes removed (RFC 4180).
fn cells(text: &[u8], delimiter: u8, quoting: bool) -> Vec<String> {
    let (mut cells, mut cell, mut quoted) = (Vec::new(), Vec::new(), false);
    let mut bytes = text.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' if quoted && bytes.peek() == Some(&b'"') => {
                cell.push(b'"');
                bytes.next();
            }
            b'"' if quoted || quoting && cell.is_empty() => quoted = !quoted,
            _ if byte == delimiter && !quoted => {
                cells.push(decode_single_byte(&cell, None));
                cell.clear();
            }
            _ => cell.push(byte),
        }
    }
    cells.push(decode_single_byte(&cell, None));
    cells
}
