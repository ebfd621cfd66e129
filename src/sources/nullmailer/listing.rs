//! What `mailq` prints: a line with time, size and sender, and a line for each recipient. Source: nullmailer `src/mailq.cc`.

use crate::evidence::{ListingEnd, ListingEntry, Text, Time};
use crate::read::lines::{first_line, is_remark, read_line};
use crate::sources::{EmitEntry, ListingFormat};
use std::io::{self, BufRead};

/// The name of the format.
pub const MAILQ: &str = "nullmailer mailq";
/// Recipients that are kept of one entry.
const MAX_RECIPIENTS: usize = 1_000;
/// `%Y-%m-%d %H:%M:%S` and a space.
const TIME_BYTES: usize = 20;

/// The listing of nullmailer.
pub static FORMATS: &[ListingFormat] = &[ListingFormat {
    name: MAILQ,
    about: "what `mailq` of nullmailer prints: no IDs, so that messages are recognised by time and size",
    looks_like: |head| first_line(head).is_some_and(|line| row(line, 1).is_some()),
    parse,
}];

fn parse(input: &mut dyn BufRead, emit: &mut EmitEntry<'_>) -> io::Result<ListingEnd> {
    let mut end = ListingEnd::default();
    let mut entry: Option<ListingEntry> = None;
    let mut number = 0;
    while let Some((line, _)) = read_line(input)? {
        number += 1;
        if is_remark(&line) {
            continue;
        }
        if let (Some(recipient), Some(entry)) = (bracketed(&line, b"  to <"), entry.as_mut()) {
            if entry.recipients.len() < MAX_RECIPIENTS {
                entry.recipients.push(recipient);
            }
            continue;
        }
        if let Some(before) = entry.take() {
            emit(before);
        }
        entry = row(&line, number);
        if line.starts_with(b"Cannot ") {
            end.cut = Some(format!("the tool gave up: {}", String::from_utf8_lossy(&line)));
        } else if entry.is_none() {
            end.misread(number, "expected a time, a size and a sender");
        }
    }
    if let Some(last) = entry {
        emit(last);
    }
    Ok(end)
}

/// `2026-11-24 00:28:14 818 bytes from <sender>`; the sender is missing where the file could not be read, and the size is
/// `?????` where it was gone.
fn row(line: &[u8], number: u64) -> Option<ListingEntry> {
    let (time, rest) = line.split_at_checked(TIME_BYTES)?;
    let arrived = Time::parse_local(std::str::from_utf8(time).ok()?, "%Y-%m-%d %H:%M:%S")?;
    let space = memchr::memchr(b' ', rest)?;
    let (size, rest) = rest.split_at_checked(space)?;
    let rest = rest.strip_prefix(b" bytes")?;
    let sender = bracketed(rest, b" from <");
    if sender.is_none() && !rest.is_empty() {
        return None;
    }
    let size = match size {
        b"?????" => None,
        digits => Some(std::str::from_utf8(digits).ok()?.parse().ok()?),
    };
    Some(ListingEntry {
        line: number,
        queue: Some("queue".to_owned()),
        sender,
        size,
        arrived: Some(arrived),
        ..ListingEntry::default()
    })
}

fn bracketed(line: &[u8], start: &[u8]) -> Option<Text> {
    line.strip_prefix(start)?.strip_suffix(b">").map(Text::new)
}
