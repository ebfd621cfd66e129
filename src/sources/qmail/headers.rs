//! What the content of a message says: its header, and the line that qmail-queue put in front of it.
//!
//! Source: notqmail `qmail-queue.c`, `receivedfmt`: `Received: (qmail PID invoked by …); DATE`.

use crate::evidence::{Message, Text, Time, TimeKind, Timed};
use crate::read::content::add_headers;
use crate::read::disk::OpenFile;
use crate::read::mime::MAX_HEAD_BYTES;
use std::io;

/// Adds what is worth showing. Returns whether the header is there to its end.
///
/// # Errors
/// When the file cannot be read.
pub fn add(message: &mut Message, file: &OpenFile) -> io::Result<bool> {
    let bytes = file.head(MAX_HEAD_BYTES)?;
    let headers = add_headers(message, &bytes);
    if let Some((invoked, at, original)) = headers.raw("Received").and_then(received) {
        message.attributes.push(("qmail_queue".into(), invoked));
        message.times.push(Timed { kind: TimeKind::Submitted, at, original: original.into() });
    }
    Ok(headers.body_at.is_some())
}

fn received(value: &Text) -> Option<(Text, Time, String)> {
    let text = value.as_str()?;
    let (invoked, date) = text.strip_prefix("(qmail ")?.split_once("); ")?;
    Some((Text::from(format!("process {invoked}")), Time::parse_rfc2822(date)?, date.to_owned()))
}
