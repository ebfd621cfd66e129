//! An envelope file: `field: value`, a line each, one file a recipient.
//!
//! Source: OpenSMTPD `envelope.c`, `envelope_dump_buffer` (what is written), `envelope_buffer_to_dict` and
//! `ascii_load_field` (what is accepted). smtpd refuses an envelope as a whole for one bad line, and says so at debug level
//! only.

use super::envelope_check;
use crate::evidence::{Confidence, Text, Time};
use crate::sources::Fault;

/// Fields that are kept; version 2 has at most 40.
const MAX_FIELDS: usize = 64;
/// Longer values are cut in what is kept; the longest that smtpd writes is that of `errorline` (`LINE_MAX`, 2048).
const MAX_VALUE_BYTES: usize = 4_096;
/// The version that OpenSMTPD 6.4 and later write and read (`smtpd.h`, `SMTPD_ENVELOPE_VERSION`).
pub const CURRENT: u64 = 3;
/// What smtpd calls the null sender: an address of which both halves are empty (`ascii_dump_mailaddr`).
const NULL_ADDRESS: &[u8] = b"@";

/// What was read from an envelope file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Envelope {
    /// The first thing that is wrong.
    pub fault: Option<Fault>,
    fields: Vec<(String, Text)>,
}

impl Envelope {
    /// Reads an envelope as far as it is one.
    pub fn parse(bytes: &[u8]) -> Self {
        let mut envelope = Self::default();
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            let end = memchr::memchr(b'\n', rest);
            let line = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
            let start = at;
            at += end.map_or(rest.len(), |end| end + 1);
            let cut = end.is_none().then(|| "the line has no end: the file is cut off within it".to_owned());
            match (cut, field(line)) {
                // A name that is cut off would look like one that smtpd does not know.
                (Some(text), read) => {
                    if let Ok((name, value)) = read
                        && envelope_check::is_known(name)
                    {
                        envelope.keep(name, value);
                    }
                    envelope.fail(start, at, text, Confidence::Certain);
                }
                (None, Ok((name, value))) => {
                    envelope.keep(name, value);
                    if let Some((text, confidence)) = envelope_check::field(name, value, envelope.version()) {
                        envelope.fail(start, at, text, confidence);
                    }
                }
                (None, Err(text)) => {
                    envelope.fail(start, at, text.to_owned(), Confidence::Certain);
                    // What follows a line that is none is garbage as a rule; a damaged file is not read for luck.
                    break;
                }
            }
        }
        if envelope.fault.is_none()
            && let Some((text, confidence)) = envelope_check::whole(&envelope)
        {
            envelope.fail(at, at, text, confidence);
        }
        envelope
    }

    /// The value of a field.
    pub fn get(&self, name: &str) -> Option<&Text> {
        self.fields.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// All fields, in the order in which they stand.
    pub fn fields(&self) -> &[(String, Text)] {
        &self.fields
    }

    /// The version that it says it has.
    pub fn version(&self) -> Option<u64> {
        self.number("version")
    }

    /// The version, if it is none that is known: what its fields mean is not known then either.
    pub fn unknown_version(&self) -> Option<u64> {
        self.version().filter(|version| !(1..=CURRENT).contains(version))
    }

    /// A field that is a number.
    pub fn number(&self, name: &str) -> Option<u64> {
        self.get(name)?.as_str()?.parse().ok()
    }

    /// A field that is a time, with its text. Zero stands for never.
    pub fn time(&self, name: &str) -> Option<(Time, String)> {
        let seconds = i64::try_from(self.number(name)?).ok().filter(|seconds| *seconds > 0)?;
        Some((Time::from_unix(seconds), format!("{name}: {seconds}")))
    }

    /// A field that is an address; empty for the null sender.
    pub fn address(&self, name: &str) -> Option<Text> {
        let value = self.get(name)?;
        if value.bytes() == NULL_ADDRESS {
            return Some(Text::default());
        }
        Some(Text::new(value.bytes().strip_suffix(b"@").unwrap_or(value.bytes())))
    }

    fn keep(&mut self, name: &str, value: &[u8]) {
        if self.fields.len() < MAX_FIELDS {
            let value = value.get(..MAX_VALUE_BYTES.min(value.len())).unwrap_or_default();
            self.fields.push((name.to_owned(), Text::new(value)));
        }
    }

    fn fail(&mut self, start: usize, end: usize, text: String, confidence: Confidence) {
        let worse = self.fault.as_ref().is_none_or(|known| known.confidence < confidence);
        if worse {
            self.fault = Some(Fault { start: start as u64, end: end as u64, text, confidence });
        }
    }
}

/// Name and value of a line (`envelope_buffer_to_dict`).
fn field(line: &[u8]) -> Result<(&str, &[u8]), &'static str> {
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
    let end = line.iter().position(|byte| !is_name(byte)).unwrap_or(line.len());
    let (name, rest) = line.split_at_checked(end).unwrap_or((line, b""));
    if memchr::memchr(0, line).is_some() {
        return Err("expected a line of text, found a NUL byte");
    }
    let value = rest.trim_ascii_start().strip_prefix(b":");
    match (std::str::from_utf8(name), value) {
        (Ok(name), Some(value)) => Ok((name, value.trim_ascii_start())),
        _ => Err("expected `field: value`, found something else"),
    }
}
