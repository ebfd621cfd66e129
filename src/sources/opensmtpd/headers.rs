//! Header fields of a message file. The content stands in it as it will be sent, but with bare line ends.

use crate::evidence::{Header, Message, TimeKind, Timed};
use crate::read::mime;

/// Where reading of headers stops.
pub const MAX_HEADER_BYTES: usize = 16 << 10;

/// Adds to the message what is worth showing of the header that begins these bytes.
pub fn add(message: &mut Message, head: &[u8]) {
    let headers = mime::headers(head);
    message.ids.message_id = headers.message_id;
    let shown = [("Subject", headers.subject), ("From", headers.from), ("To", headers.to)];
    message.headers.extend(
        shown.into_iter().filter_map(|(name, value)| Some(Header { name: name.to_owned(), value: value? })),
    );
    if let Some((at, original)) = headers.date {
        message.headers.push(Header { name: "Date".to_owned(), value: original.as_str().into() });
        message.times.push(Timed { kind: TimeKind::HeaderDate, at, original });
    }
}
