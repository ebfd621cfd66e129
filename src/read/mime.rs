//! Mail headers. The one door to mail-parser.
//!
//! Fields are split here, by hand, so that every raw value keeps its place in the file and no input can make the split
//! fail. mail-parser decodes the few values that people read (RFC 2047 words, addresses); it is given only those.

use crate::evidence::{Text, Time};
use mail_parser::{Address, HeaderValue, MessageParser};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Headers are looked for in this many bytes of a message.
pub const MAX_HEAD_BYTES: usize = 64 << 10;
/// Fields beyond this number are not kept.
const MAX_FIELDS: usize = 2_000;
/// A value is decoded as far as this; Exchange refuses single fields over 64 KiB, people read the first line.
const MAX_DECODED_BYTES: usize = 16 << 10;
/// Addresses of one field that are shown.
const MAX_ADDRESSES: usize = 100;

/// The header fields of a message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers {
    /// Subject, decoded.
    pub subject: Option<Text>,
    /// From, decoded: `Name <address>`, comma-separated.
    pub from: Option<Text>,
    /// To, decoded.
    pub to: Option<Text>,
    /// Cc, decoded.
    pub cc: Option<Text>,
    /// The Message-ID with its angle brackets, as it stands.
    pub message_id: Option<Text>,
    /// The Date field as a time, if it is one (RFC 5322 section 3.3), and its text.
    pub date: Option<(Time, String)>,
    /// Where the body starts; `None` if the headers do not end within what was looked at.
    pub body_at: Option<u64>,
    /// Where the first line starts that is neither a field nor its continuation.
    pub stray_at: Option<u64>,
    fields: Vec<Field>,
}

/// One header field as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its name as it stands.
    pub name: Text,
    /// Its value, unfolded, without surrounding white space; bytes as they stand otherwise.
    pub value: Text,
    /// Where its name starts.
    pub start: u64,
    /// Where the next line starts.
    pub end: u64,
}

impl Headers {
    /// The first field of this name, without regard to case.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.is(name))
    }

    /// The raw value of the first field of this name.
    pub fn raw(&self, name: &str) -> Option<&Text> {
        self.field(name).map(|field| &field.value)
    }

    /// All fields of this name, in the order in which they stand.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Field> {
        self.fields.iter().filter(move |field| field.is(name))
    }

    /// All fields.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }
}

impl Field {
    /// Whether this is its name, without regard to case.
    pub fn is(&self, name: &str) -> bool {
        self.name.bytes().eq_ignore_ascii_case(name.as_bytes())
    }
}

/// Reads the headers at the start of a message, in its first [`MAX_HEAD_BYTES`].
pub fn headers(bytes: &[u8]) -> Headers {
    let head = bytes.get(..MAX_HEAD_BYTES.min(bytes.len())).unwrap_or_default();
    let mut headers = split(head);
    headers.message_id = headers.raw("Message-ID").and_then(message_id);
    headers.date = headers.raw("Date").and_then(date);
    let [subject, from, to, cc] = ["Subject", "From", "To", "Cc"].map(|name| decoded(&headers, name));
    Headers { subject, from, to, cc, ..headers }
}

fn split(head: &[u8]) -> Headers {
    let mut headers = Headers::default();
    let mut open: Option<(Text, Vec<u8>, usize)> = None;
    let mut at = 0;
    while let Some(rest) = head.get(at..).filter(|rest| !rest.is_empty()) {
        let length = memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
        let line = trim_line_end(rest.get(..length).unwrap_or_default());
        let next = at + length;
        if line.first().is_some_and(|byte| matches!(byte, b' ' | b'\t')) && open.is_some() {
            if let Some((_, value, _)) = &mut open {
                value.push(b' ');
                value.extend_from_slice(line.trim_ascii());
            }
        } else {
            close(&mut headers, &mut open, at);
            let ended = rest.get(..length).is_some_and(|line| line.ends_with(b"\n"));
            match (line.is_empty(), name_of(line)) {
                // The first half of a line end that was cut off ends nothing.
                (true, _) if !ended => {}
                (true, _) => {
                    headers.body_at = Some(next as u64);
                    return headers;
                }
                (false, Some((name, value))) => open = Some((Text::new(name), value.to_vec(), at)),
                (false, None) => {
                    headers.stray_at.get_or_insert(at as u64);
                }
            }
        }
        at = next;
    }
    close(&mut headers, &mut open, at);
    headers
}

fn close(headers: &mut Headers, open: &mut Option<(Text, Vec<u8>, usize)>, end: usize) {
    if let Some((name, value, start)) = open.take()
        && headers.fields.len() < MAX_FIELDS
    {
        let value = Text::new(value.trim_ascii());
        headers.fields.push(Field { name, value, start: start as u64, end: end as u64 });
    }
}

fn trim_line_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// RFC 5322 section 2.2: printable US-ASCII without the colon; section 4.5.2 tolerates white space before the colon.
fn name_of(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = memchr::memchr(b':', line)?;
    let name = line.get(..colon)?.trim_ascii_end();
    let valid = !name.is_empty() && name.iter().all(u8::is_ascii_graphic);
    valid.then(|| (name, line.get(colon + 1..).unwrap_or_default()))
}

fn message_id(value: &Text) -> Option<Text> {
    let bytes = value.bytes();
    let bracketed = memchr::memchr(b'<', bytes).and_then(|start| {
        let end = memchr::memchr(b'>', bytes.get(start..)?)?;
        bytes.get(start..=start + end)
    });
    let id = bracketed.unwrap_or(bytes);
    (!id.is_empty()).then(|| Text::new(id))
}

fn date(value: &Text) -> Option<(Time, String)> {
    let text = value.lossy();
    let bare = text.split_once('(').map_or(&*text, |(bare, _comment)| bare);
    Some((Time::parse_rfc2822(bare)?, text.to_string()))
}

/// The value for people: decoded by mail-parser, or as it stands where mail-parser finds nothing in it or fails.
fn decoded(headers: &Headers, name: &str) -> Option<Text> {
    let raw = headers.raw(name)?;
    let start = raw.bytes().get(..MAX_DECODED_BYTES.min(raw.bytes().len()))?;
    let mut small = Vec::with_capacity(start.len() + name.len() + 6);
    small.extend_from_slice(name.as_bytes());
    small.extend_from_slice(b": ");
    small.extend_from_slice(start);
    small.extend_from_slice(b"\r\n\r\n");
    let text = catch_unwind(AssertUnwindSafe(|| decode(&small))).ok().flatten();
    Some(text.map_or_else(|| Text::new(start), Text::from))
}

fn decode(field: &[u8]) -> Option<String> {
    let message = MessageParser::default().parse_headers(field)?;
    let text = match message.headers().first()?.value() {
        HeaderValue::Text(text) => text.to_string(),
        HeaderValue::Address(addresses) => join(addresses),
        _ => return None,
    };
    (!text.trim().is_empty()).then_some(text)
}

fn join(addresses: &Address<'_>) -> String {
    let mut shown = Vec::new();
    for address in addresses.iter().take(MAX_ADDRESSES) {
        match (address.name(), address.address()) {
            (Some(name), Some(mail)) => shown.push(format!("{name} <{mail}>")),
            (Some(one), None) | (None, Some(one)) => shown.push(one.to_owned()),
            (None, None) => {}
        }
    }
    shown.join(", ")
}

/// One MIME part as mail-parser sees it; for tests of what ghostq writes.
#[cfg(test)]
#[derive(Debug, PartialEq, Eq)]
pub struct Part {
    /// How deep it lies: 0 for the message itself.
    pub depth: usize,
    /// Its content type in lower-case: `multipart/report`.
    pub kind: String,
    /// Its transfer encoding as it stands, in lower-case.
    pub encoding: String,
    /// Its content as it stands in the message.
    pub raw: Vec<u8>,
    /// Whether mail-parser could not decode it.
    pub is_broken: bool,
}

/// The parts of a message in the order in which they stand. Messages in it are one part each.
#[cfg(test)]
pub fn parts(bytes: &[u8]) -> Vec<Part> {
    use mail_parser::{MimeHeaders as _, PartType};
    let message = MessageParser::default().parse(bytes).expect("a message");
    let mut found = Vec::new();
    let mut waiting = vec![(0_usize, 0_usize)];
    while let Some((depth, number)) = waiting.pop() {
        let part = &message.parts[number];
        let kind = part.content_type().map_or_else(String::new, |kind| {
            format!("{}/{}", kind.ctype(), kind.subtype().unwrap_or_default()).to_ascii_lowercase()
        });
        found.push(Part {
            depth,
            kind,
            encoding: part.content_transfer_encoding().unwrap_or_default().to_ascii_lowercase(),
            raw: bytes[part.raw_body_offset() as usize..part.raw_end_offset() as usize].to_vec(),
            is_broken: part.is_encoding_problem,
        });
        if let PartType::Multipart(inner) = &part.body {
            waiting.extend(inner.iter().rev().map(|inner| (depth + 1, *inner as usize)));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGE: &[u8] = b"Received: from a\r\n\tby b; Fri, 14 Mar 2008 09:15:32 +0000\r\n\
        Subject: =?utf-8?Q?caf=C3=A9?= =?iso-2022-jp?B?GyRCRnxLXBsoQg==?=\r\n\
        From: =?utf-8?B?w4RubmE=?= <anna@contoso.example>\r\nTo: bob@a.example, \"C, D\" <c@d.example>\r\n\
        Message-ID:\r\n <1@contoso.example>\r\nDate: Fri, 14 Mar 2008 10:15:32 +0100 (CET)\r\n\r\nbody: no field\r\n";

    #[test]
    fn people_read_decoded_values_and_evidence_stays_raw() {
        let found = headers(MESSAGE);
        assert_eq!(found.subject, Some("café日本".into()));
        assert_eq!(found.from, Some("Änna <anna@contoso.example>".into()));
        assert_eq!(found.to, Some("bob@a.example, C, D <c@d.example>".into()));
        assert_eq!(found.message_id, Some("<1@contoso.example>".into()));
        assert_eq!(found.date.as_ref().unwrap().0.rfc3339(), "2008-03-14T09:15:32Z");
        assert_eq!(found.raw("body"), None);
        let received = headers(MESSAGE).field("RECEIVED").unwrap().clone();
        assert_eq!(received.value, "from a by b; Fri, 14 Mar 2008 09:15:32 +0000".into());
        assert!(MESSAGE[usize::try_from(received.end).unwrap()..].starts_with(b"Subject"));
    }

    #[test]
    fn a_message_cut_anywhere_still_gives_what_is_there() {
        for length in 0..MESSAGE.len() {
            let found = headers(&MESSAGE[..length]);
            assert!(found.fields().iter().all(|field| field.end <= length as u64));
            assert_eq!(found.body_at.is_some(), length >= MESSAGE.len() - b"body: no field\r\n".len());
        }
    }

    #[test]
    fn hostile_headers_are_bounded() {
        let many = b"X: y\r\n".repeat(10_000);
        assert_eq!(headers(&many).fields().len(), MAX_FIELDS);
        let mut words = b"Subject: ".to_vec();
        words.extend(b"=?utf-8?Q?".repeat(6_000));
        assert!(headers(&words).subject.unwrap().bytes().len() <= 4 * MAX_DECODED_BYTES);
        let nested = [b"To: ".to_vec(), b"(<\"".repeat(20_000)].concat();
        assert!(headers(&nested).to.is_some());
        assert_eq!(headers(b"no field here\0\x1b[2J\r\nSubject: x\r\n").stray_at, Some(0));
    }
}
