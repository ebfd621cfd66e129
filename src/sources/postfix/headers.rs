//! Header fields of a message in a queue file: its first N and L records, put together to the lines that they are.

use super::records::Window;
use crate::evidence::{Header, Message, TimeKind, Timed};
use crate::read::mime;
use std::io;

/// Where reading of headers stops, counted from the start of the content.
const MAX_HEADER_BYTES: usize = 16 << 10;
/// The same for records of any kind, padding among them.
const MAX_SPAN_BYTES: u64 = 64 << 10;

/// Reads the header of the content that begins at `start`, and adds to the message what is worth showing. It stops quietly
/// where the records are damaged.
///
/// # Errors
/// When the file cannot be read.
pub fn add(message: &mut Message, window: &mut Window<'_>, start: u64) -> io::Result<()> {
    let headers = mime::headers(&lines(window, start)?);
    message.ids.message_id = headers.message_id;
    let shown = [("Subject", headers.subject), ("From", headers.from), ("To", headers.to)];
    message.headers.extend(
        shown.into_iter().filter_map(|(name, value)| Some(Header { name: name.to_owned(), value: value? })),
    );
    if let Some((at, original)) = headers.date {
        message.headers.push(Header { name: "Date".to_owned(), value: original.as_str().into() });
        message.times.push(Timed { kind: TimeKind::HeaderDate, at, original: original.into() });
    }
    Ok(())
}

/// The header as lines. An L record is a piece of a line that an N record ends (`global/rec_type.h`, `REC_TYPE_CONT`).
fn lines(window: &mut Window<'_>, start: u64) -> io::Result<Vec<u8>> {
    let mut lines = Vec::new();
    let mut position = start;
    let mut line_begins = true;
    while lines.len() < MAX_HEADER_BYTES && position - start < MAX_SPAN_BYTES {
        let Ok(record) = window.record(position)? else { break };
        position = record.end();
        match record.kind {
            b'N' | b'L' => {}
            // A place holder or padding after a header that a milter may change.
            b'p' | b'w' => continue,
            _ => break,
        }
        let data = window.data(&record, MAX_HEADER_BYTES - lines.len())?;
        lines.extend_from_slice(data);
        if record.kind == b'N' {
            lines.push(b'\n');
            if line_begins && record.length == 0 {
                break;
            }
        }
        line_begins = record.kind == b'N';
    }
    Ok(lines)
}
