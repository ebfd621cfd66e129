//! Header fields of a message in a queue file: its first N and L records.

use super::records::Window;
use crate::evidence::{Header, Text, Time};
use std::io;

/// Where reading of headers stops, counted from the start of the content.
const MAX_HEADER_BYTES: u64 = 16 << 10;
/// Longest value that is kept.
const MAX_VALUE_BYTES: usize = 1 << 10;
/// Fields that are shown.
const SHOWN: [&str; 4] = ["Subject", "From", "To", "Date"];

/// What the header of a message says.
#[derive(Debug, Default)]
pub struct Headers {
    /// The fields that are shown, unfolded. Encoded words are left as they are.
    pub shown: Vec<Header>,
    /// The Message-ID with its angle brackets.
    pub message_id: Option<Text>,
    /// The Date field, and its text.
    pub date: Option<(Time, String)>,
}

/// Reads the header of the content that begins at `start`. It stops quietly where the records are damaged.
///
/// # Errors
/// When the file cannot be read.
pub fn read(window: &mut Window<'_>, start: u64) -> io::Result<Headers> {
    let mut headers = Headers::default();
    let mut field: Vec<u8> = Vec::new();
    let mut position = start;
    let mut continued = false;
    while position.saturating_sub(start) < MAX_HEADER_BYTES {
        let Ok(record) = window.record(position)? else { break };
        position = record.end();
        match record.kind {
            b'N' | b'L' => {}
            // A place holder or padding after a header that a milter may change.
            b'p' | b'w' => continue,
            _ => break,
        }
        let line = window.data(&record, MAX_VALUE_BYTES)?;
        let folded = line.first().is_some_and(|byte| matches!(byte, b' ' | b'\t'));
        if !continued && !folded {
            headers.keep(&field);
            field.clear();
            if line.is_empty() {
                return Ok(headers);
            }
        }
        let room = MAX_VALUE_BYTES.saturating_sub(field.len());
        field.extend_from_slice(line.get(..room.min(line.len())).unwrap_or_default());
        continued = record.kind == b'L';
    }
    headers.keep(&field);
    Ok(headers)
}

impl Headers {
    fn keep(&mut self, field: &[u8]) {
        let Some(colon) = memchr::memchr(b':', field) else { return };
        let (name, value) = field.split_at(colon);
        let name = name.trim_ascii();
        let value = value.get(1..).unwrap_or_default().trim_ascii();
        if name.eq_ignore_ascii_case(b"message-id") && self.message_id.is_none() {
            self.message_id = Some(Text::new(value)).filter(|id| !id.is_empty());
        }
        let Some(known) = SHOWN.iter().find(|known| known.as_bytes().eq_ignore_ascii_case(name)) else {
            return;
        };
        if self.shown.iter().any(|header| header.name == *known) {
            return;
        }
        self.shown.push(Header { name: (*known).to_owned(), value: Text::new(value) });
        if *known == "Date"
            && let Ok(text) = std::str::from_utf8(value)
        {
            self.date = Time::parse_rfc2822(text).map(|time| (time, text.to_owned()));
        }
    }
}
