//! Lines of `sendmail -bp`. Source: `sendmail/queue.c`, `print_single_queue`.

use crate::evidence::{ListingEntry, Text};

/// An entry as its first line shows it.
#[derive(Debug)]
pub struct Row {
    /// What the line says.
    pub entry: ListingEntry,
    /// The mark behind the ID: `*` locked, `-` too young, `X` load, `?` lost.
    pub flag: Option<u8>,
    /// Whether the message was done before its line was printed.
    pub completed: bool,
}

/// Size and sender.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Columns {
    /// The size of the body; `None` is shown as -1.
    pub size: Option<u64>,
    /// The sender, which the listing may have cut short.
    pub sender: Option<Text>,
}

/// `DIR (N requests[, only M printed])`, and `Mail Queue (N requests)` before 8.12.
pub fn heading(line: &[u8]) -> Option<(String, u64, Option<u64>)> {
    let line = line.strip_prefix(b"\t\t").or_else(|| line.strip_prefix(b"Mail Queue").map(|_| line))?;
    let text = std::str::from_utf8(line).ok()?.trim_end();
    let (path, counts) = text.rsplit_once(" (")?;
    let counts = counts.strip_suffix(')')?;
    let (count, rest) = counts.split_once(" request")?;
    let only = rest.split_once("only ").and_then(|(_, rest)| rest.split_whitespace().next()?.parse().ok());
    Some((folder(path), count.parse().ok()?, only))
}

/// `DIR is empty`; of Postfix's `Mail queue is empty` it differs by the path.
pub fn empty_queue(line: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(line).ok()?.trim();
    text.strip_suffix(" is empty").filter(|path| path.starts_with('/')).map(folder)
}

/// The last part of a path. With subfolders the path of the data files is printed (`qid_printqueue`).
fn folder(path: &str) -> String {
    let mut parts = path.trim_end_matches('/').rsplit('/').filter(|part| !matches!(*part, "df" | "qf"));
    parts.next().unwrap_or(path).to_owned()
}

/// `ID[flag] SIZE TIME SENDER`, with `-v` `ID[flag] SIZE PRIORITY[+]TIME SENDER`, or the ID and what was wrong.
pub fn entry(line: &[u8]) -> Option<Row> {
    let (word, rest) = word(line)?;
    let indented = line.first().is_some_and(u8::is_ascii_whitespace);
    // `syserr` may have been printed right behind the ID.
    let (word, glued) = match memchr::memmem::find(word, b"readqf:") {
        Some(at) => (word.get(..at)?, true),
        None => (word, false),
    };
    let flag =
        word.last().copied().filter(|last| matches!(last, b'*' | b'-' | b'?') || is_load_mark(word, *last));
    let id = word.get(..word.len() - usize::from(flag.is_some()))?;
    if id.is_empty()
        || !id.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
    {
        return None;
    }
    let note = rest.trim_ascii();
    let bare = glued || note.is_empty() || note.starts_with(b"(");
    let columns = columns(rest);
    // A short ID of an old version is printed to the right.
    if (columns.is_none() && (!bare || indented)) || (bare && !looks_like_id(id)) {
        return None;
    }
    let columns = columns.unwrap_or_default();
    let entry = ListingEntry {
        native: Some(Text::new(id)),
        size: columns.size,
        sender: columns.sender,
        reason: note.starts_with(b"(").then(|| Text::new(reason(note).unwrap_or(note))),
        ..ListingEntry::default()
    };
    Some(Row { entry, flag, completed: note == b"(job completed)" })
}

/// `X` may end an ID as well: an ID ends with a process number, a mark follows it.
fn is_load_mark(word: &[u8], last: u8) -> bool {
    let before = word.len().checked_sub(2).and_then(|at| word.get(at));
    last == b'X' && before.is_some_and(u8::is_ascii_digit)
}

fn looks_like_id(id: &[u8]) -> bool {
    let stem = id.split(|byte| !byte.is_ascii_alphanumeric()).next().unwrap_or_default();
    crate::sources::sendmail::name::is_queue_id(stem)
}

/// Columns on a line of their own, below a complaint.
pub fn late_columns(line: &[u8]) -> Option<Columns> {
    columns(line)
}

fn columns(rest: &[u8]) -> Option<Columns> {
    let (size, rest) = word(rest)?;
    let size: i64 = std::str::from_utf8(size).ok()?.parse().ok()?;
    let (second, after) = word(rest)?;
    let sender = if is_weekday(second) {
        let (_month, rest) = word(after)?;
        let (_day, rest) = word(rest)?;
        let (time, sender) = word(rest)?;
        memchr::memchr(b':', time)?;
        sender
    } else {
        // `PRIORITY[+]Mon DD HH:MM`; a plus mark stands without a blank on either side.
        let digits = second.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'-').count();
        let tail = second.get(digits..)?;
        let rest = if tail.is_empty() { word(after)?.1 } else { tail.strip_prefix(b"+").map(|_| after)? };
        let (_day, rest) = word(rest)?;
        let (time, sender) = word(rest)?;
        memchr::memchr(b':', time)?;
        sender
    };
    Some(Columns { size: u64::try_from(size).ok(), sender: Some(address(sender.trim_ascii())) })
}

fn is_weekday(word: &[u8]) -> bool {
    [&b"Mon"[..], b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun"].contains(&word)
}

/// What stands in parentheses, behind a body type or alone.
pub fn reason(line: &[u8]) -> Option<&[u8]> {
    let line =
        ["8BITMIME", "7BIT"].iter().find_map(|kind| line.strip_prefix(kind.as_bytes())).unwrap_or(line);
    let inner = line.trim_ascii().strip_prefix(b"(")?;
    Some(inner.strip_suffix(b")").unwrap_or(inner))
}

/// An address without its angle brackets and without the note that may follow the last one.
pub fn address(text: &[u8]) -> Text {
    let text = text.strip_suffix(b" (no control file)").unwrap_or(text).trim_ascii();
    let bare = text.strip_prefix(b"<").and_then(|rest| rest.strip_suffix(b">"));
    Text::new(bare.unwrap_or(text))
}

/// The first word, and what follows it.
fn word(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let line = line.trim_ascii_start();
    let end = line.iter().position(u8::is_ascii_whitespace).unwrap_or(line.len());
    if end == 0 { None } else { line.split_at_checked(end) }
}
