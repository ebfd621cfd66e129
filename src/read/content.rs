//! The header of a message that lies in a file as plain lines.

use super::mime::{self, Headers};
use crate::evidence::{Header, Message, TimeKind, Timed};

/// Adds to the message what is worth showing of the header at the start of these bytes, and hands over what was read of it.
pub fn add_headers(message: &mut Message, bytes: &[u8]) -> Headers {
    let headers = mime::headers(bytes);
    message.ids.message_id.clone_from(&headers.message_id);
    for (name, value) in [("Subject", &headers.subject), ("From", &headers.from), ("To", &headers.to)] {
        message.headers.extend(value.clone().map(|value| Header { name: name.to_owned(), value }));
    }
    if let Some((at, original)) = &headers.date {
        message.headers.push(Header { name: "Date".to_owned(), value: original.as_str().into() });
        message.times.push(Timed { kind: TimeKind::HeaderDate, at: *at, original: original.clone().into() });
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::Locus;

    #[test]
    fn what_people_look_for_is_taken_from_the_header() {
        let mut message = Message::at("queue", Locus::whole("M1"));
        let bytes = b"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\nTo: b@b.example\nMessage-ID: <1@a.example>\n\
                      Date: Tue, 24 Nov 2026 00:25:19 +0000\n\nSubject: not this one\n";
        add_headers(&mut message, bytes);
        assert_eq!(message.header("subject").unwrap().lossy(), "Grüße");
        assert_eq!(message.ids.message_id.as_ref().unwrap().lossy(), "<1@a.example>");
        assert_eq!(message.time(TimeKind::HeaderDate).unwrap().rfc3339(), "2026-11-24T00:25:19Z");
    }
}
