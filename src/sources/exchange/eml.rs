//! A message file: its headers, times, envelope and streams.

use super::envelope::{self, TopFields};
use super::layout::Folder;
use crate::evidence::{
    Confidence, Envelope, Fact, Header, Ids, Locus, Message, Part, PartKind, RecipientState, Sign, Signed,
    Text, Time, TimeKind, Timed,
};
use crate::read::disk::{OpenFile, Root};
use crate::read::mime::{self, Field, Headers};
use crate::read::streams::{self, Stream, Streams};
use std::io;
use std::path::Path;

/// Values that are kept as attributes are cut here.
const MAX_ATTRIBUTE_BYTES: usize = 2 << 10;

/// A message file that has been looked into.
pub struct Eml {
    /// The message, still without the signs of its folder.
    pub message: Message,
    /// Its streams.
    pub streams: Streams,
    /// Whether the file holds nothing.
    pub empty: bool,
}

impl Eml {
    /// Whether sender or recipients are known, or stand in a stream that is kept.
    pub fn has_envelope(&self) -> bool {
        self.message.envelope != Envelope::default()
            || self.streams.found.iter().any(|stream| !streams::is_bystander(&stream.name))
    }
}

/// Looks into a message file.
///
/// # Errors
/// As the system reports.
pub fn read(
    root: &Root,
    folder: &Folder,
    path: &Path,
    recipients: RecipientState,
    deep: bool,
) -> Result<Eml, crate::evidence::Damage> {
    let file = root.open_file(path)?;
    let refused = |error: io::Error| root.refused(path, &error);
    let limit = usize::try_from(file.stat.size).unwrap_or(usize::MAX).min(mime::MAX_HEAD_BYTES);
    let head = file.head(limit).map_err(refused)?;
    let headers = mime::headers(&head);
    let top = envelope::read(&headers, recipients);
    let place = Locus::whole(Text::from_path(path));
    let mut message = Message::at(folder.label.clone(), place.clone());
    message.ids = Ids {
        native: path.file_name().map(|name| Text::from_path(Path::new(name))),
        message_id: headers.message_id.clone(),
    };
    message.size = Some(file.stat.size);
    message.times = times(&headers, file.stat.modified);
    let kind = if top.envelope.is_some() { PartKind::Whole } else { PartKind::Content };
    let content = Part { kind, locus: place, size: message.size, sha256: None, stat: Some(file.stat) };
    message.parts.push(content);
    message.headers = shown(&headers);
    take_top(&mut message, top);
    let empty = file.stat.size == 0;
    if empty {
        message.signs.push(empty_file(path));
    } else if deep {
        read_through(&mut message, &file, path).map_err(refused)?;
    } else if let Some(at) = memchr::memchr(0, &head) {
        message.signs.push(nul(path, at as u64));
    }
    let streams = streams::of(root, path, &file, &folder.beside);
    for stream in &streams.found {
        add_stream(&mut message, stream);
    }
    add_attributes(&mut message, &headers);
    Ok(Eml { message, streams, empty })
}

/// A zero-byte file.
pub fn empty_file(path: &Path) -> Signed {
    let text = "it has zero bytes, as a full disk or a crash leaves a file";
    Signed::certain(Sign::EmptyFile, Fact::new(text, Locus::metadata(Text::from_path(path))))
}

/// A named stream as evidence: a part, and what can be seen in it.
pub fn add_stream(message: &mut Message, stream: &Stream) {
    message.parts.push(Part {
        kind: PartKind::OpaqueStream,
        locus: stream.locus.clone(),
        size: stream.size,
        sha256: stream.sha256.clone(),
        stat: stream.stat,
    });
    let name = stream.name.lossy();
    message.attributes.push((format!("stream {name}").into(), stream.carrier.describe().into()));
    if let Some(why) = &stream.unread {
        message.attributes.push((format!("stream {name} not read").into(), why.clone().into()));
    }
    seen(message, &format!("stream {name}"), &stream.addresses);
}

/// Addresses that were seen in opaque bytes.
pub fn seen(message: &mut Message, what: &str, addresses: &[String]) {
    let room = streams::MAX_ADDRESSES
        .saturating_sub(message.attributes.iter().filter(|(name, _)| name.ends_with(UNVERIFIED)).count());
    for address in addresses.iter().take(room) {
        message.attributes.push((format!("{what}: {UNVERIFIED}").into(), address.clone().into()));
    }
}

const UNVERIFIED: &str = "strings seen, meaning unverified";

fn take_top(message: &mut Message, top: TopFields) {
    if let Some(envelope) = top.envelope {
        if top.cut {
            let text = format!("the list goes on beyond the first {} bytes, not read", mime::MAX_HEAD_BYTES);
            message.attributes.push(("recipients".into(), text.into()));
        }
        message.envelope = envelope;
    }
    message.attributes.extend(top.attributes);
}

fn times(headers: &Headers, modified: Time) -> Vec<Timed> {
    let mut times = Vec::new();
    if let Some(field) = headers.field("X-OriginalArrivalTime")
        && let Some(at) = original_arrival(field)
    {
        times.push(Timed { kind: TimeKind::Arrival, at, original: field.value.clone().into() });
    }
    times.push(Timed { kind: TimeKind::Modified, at: modified, original: modified.rfc3339().into() });
    if let Some((at, original)) = headers.date.clone() {
        times.push(Timed { kind: TimeKind::HeaderDate, at, original: original.into() });
    }
    times
}

/// `X-OriginalArrivalTime: … (UTC) FILETIME=[LOW:HIGH]`, which IIS and Exchange 2000/2003 write when they receive a
/// message. That the low half stands first is from memory, and agrees with every value seen; a result that lies before
/// 1990 or after 2100 is taken for a misunderstanding, and no time at all is better than a wrong one.
fn original_arrival(field: &Field) -> Option<Time> {
    const YEARS: std::ops::RangeInclusive<i32> = 1990..=2100;
    let text = field.value.as_str()?;
    let (_, rest) = text.split_once("FILETIME=[")?;
    let (low, rest) = rest.split_once(':')?;
    let (high, _) = rest.split_once(']')?;
    let half = |digits: &str| u32::from_str_radix(digits.trim(), 16).ok().map(u64::from);
    let time = Time::from_filetime(half(high)? << 32 | half(low)?);
    YEARS.contains(&time.year()).then_some(time)
}

fn shown(headers: &Headers) -> Vec<Header> {
    let date = headers.raw("Date").cloned();
    [
        ("Subject", headers.subject.clone()),
        ("From", headers.from.clone()),
        ("To", headers.to.clone()),
        ("Cc", headers.cc.clone()),
        ("Date", date),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some(Header { name: name.to_owned(), value: value? }))
    .collect()
}

/// What the newest `Received` field says is kept as it stands: it is a claim in the content, and no measured time.
fn add_attributes(message: &mut Message, headers: &Headers) {
    let mut add = |name: &str, value: &Text| {
        let bytes = value.bytes();
        let cut = bytes.get(..MAX_ATTRIBUTE_BYTES.min(bytes.len())).unwrap_or_default();
        message.attributes.push((name.to_owned().into(), Text::new(cut)));
    };
    if let Some(value) = headers.raw("Received") {
        add("Received (newest)", value);
    }
    if let Some(value) = headers.raw("X-OriginalArrivalTime") {
        add("X-OriginalArrivalTime", value);
    }
    if let Some(value) = headers.raw("Bcc") {
        add("Bcc header", value);
    }
}

/// All of the file: its SHA-256, and the first NUL, which no mail has (RFC 5321 section 2.3.8 with RFC 5322 section 2.3).
fn read_through(message: &mut Message, file: &OpenFile, path: &Path) -> io::Result<()> {
    let (mut at, mut first) = (0_u64, None);
    let sha256 = streams::hash(file.reader()?, |read| {
        first = first.or_else(|| memchr::memchr(0, read).map(|place| at + place as u64));
        at += read.len() as u64;
    })?;
    if let Some(part) = message.parts.first_mut() {
        part.sha256 = Some(sha256);
    }
    if let Some(first) = first {
        message.signs.push(nul(path, first));
    }
    Ok(())
}

/// NTFS journals metadata only: after a power loss a file can have its full length and NUL bytes in place of its content.
/// Binary mail (BINARYMIME, RFC 3030) may hold NUL too, hence no more than likely.
fn nul(path: &Path, at: u64) -> Signed {
    let text =
        format!("byte {at} is NUL, which text mail never holds; a power loss leaves such files on NTFS");
    let locus = Locus::bytes(Text::from_path(path), at, at + 1);
    Signed {
        sign: Sign::Corrupt { offset: at },
        confidence: Confidence::Likely,
        facts: vec![Fact::new(text, locus)],
    }
}
