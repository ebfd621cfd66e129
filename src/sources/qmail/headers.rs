//! What the content of a message says: its header, and the line that qmail-queue put in front of it.
//!
//! Source: notqmail `qmail-queue.c`, `receivedfmt`: `Received: (qmail PID invoked by …); DATE`.

use crate::evidence::{Header, Message, Text, Time, TimeKind, Timed};
use crate::read::disk::OpenFile;
use crate::read::mime::{self, MAX_HEAD_BYTES};
use std::io;

/// Adds what is worth showing. Returns whether the header is there to its end.
///
/// # Errors
/// When the file cannot be read.
pub fn add(message: &mut Message, file: &OpenFile) -> io::Result<bool> {
    let bytes = file.head(MAX_HEAD_BYTES)?;
    let headers = mime::headers(&bytes);
    message.ids.message_id.clone_from(&headers.message_id);
    let shown = [("Subject", &headers.subject), ("From", &headers.from), ("To", &headers.to)];
    message.headers.extend(
        shown
            .into_iter()
            .filter_map(|(name, value)| Some(Header { name: name.to_owned(), value: value.clone()? })),
    );
    if let Some((at, original)) = &headers.date {
        message.headers.push(Header { name: "Date".to_owned(), value: original.as_str().into() });
        message.times.push(Timed { kind: TimeKind::HeaderDate, at: *at, original: original.clone() });
    }
    if let Some((invoked, at, original)) = headers.raw("Received").and_then(received) {
        message.attributes.push(("qmail_queue".to_owned(), invoked));
        message.times.push(Timed { kind: TimeKind::Submitted, at, original });
    }
    Ok(headers.body_at.is_some())
}

fn received(value: &Text) -> Option<(Text, Time, String)> {
    let text = value.as_str()?;
    let (invoked, date) = text.strip_prefix("(qmail ")?.split_once("); ")?;
    Some((Text::from(format!("process {invoked}")), Time::parse_rfc2822(date)?, date.to_owned()))
}
