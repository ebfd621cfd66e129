//! One value of a row, whatever export it comes from.

use crate::evidence::{Stamp, Text, Time, parse_filetime, parse_stamp};

/// A value with as much meaning as its export gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Text: a string property, a cell of a CSV file.
    Text(String),
    /// Bytes, as upper-case hex in the manner of MFCMAPI.
    Bytes(String),
    /// A FILETIME, and how the export prints it.
    Time { ticks: u64, original: String },
    /// An integer of at most 32 bits.
    Number(i64),
    /// An integer of 64 bits, in which a FILETIME may hide.
    Wide(u64),
    /// A GUID in braces.
    Guid(String),
}

/// What a cell says about time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// A point in time.
    Known(Time),
    /// A wall clock of a place that nobody names, or no time at all.
    Unusable,
    /// Nothing.
    Empty,
}

impl Value {
    /// The value as people read it.
    pub fn to_text(&self) -> String {
        match self {
            Self::Text(text) | Self::Bytes(text) | Self::Guid(text) => text.clone(),
            Self::Time { original, .. } => original.clone(),
            Self::Number(number) => number.to_string(),
            Self::Wide(number) => format!("0x{number:016X}"),
        }
    }

    /// Text for a message, cut to `limit` bytes at a character.
    pub fn to_evidence(&self, limit: usize) -> Text {
        let text = self.to_text();
        Text::from(cut(text.trim(), limit))
    }

    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Text(text) | Self::Bytes(text) | Self::Guid(text) => text.trim().is_empty(),
            _ => false,
        }
    }

    /// An identifier: bytes as hex in one spelling, so that it can be compared and searched for; other text as it is.
    pub fn to_identifier(&self) -> Option<String> {
        let text = self.to_text();
        let text = text.trim();
        if text.is_empty() {
            return None;
        }
        let bare =
            text.strip_prefix("cb:").and_then(|rest| rest.split_once("lpb:")).map_or(text, |(_, hex)| hex);
        let bare = bare.trim();
        let bare = bare.strip_prefix("0x").unwrap_or(bare);
        let is_hex = bare.len() >= 8 && bare.bytes().all(|byte| byte.is_ascii_hexdigit());
        Some(if is_hex { bare.to_ascii_uppercase() } else { cut(text, 1_024).to_owned() })
    }

    /// The point in time.
    pub fn to_clock(&self) -> Clock {
        match self {
            // MAPI has no "unset" but zero, and a FILETIME of zero is a day in 1601.
            Self::Time { ticks: 0, .. } | Self::Wide(0) => Clock::Empty,
            Self::Time { ticks, .. } | Self::Wide(ticks) => Clock::Known(Time::from_filetime(*ticks)),
            Self::Text(text) => clock_of(text.trim()),
            _ => Clock::Unusable,
        }
    }

    /// A count of bytes; `None` for what is negative or rounded.
    pub fn to_size(&self) -> Option<u64> {
        match self {
            Self::Number(number) => u64::try_from(*number).ok(),
            Self::Wide(number) => Some(*number),
            Self::Text(text) => size_of(text.trim()),
            _ => None,
        }
    }

    /// The stamp in it: bytes stay bytes, a time is a time, text is read in every form that there is.
    pub fn to_stamp(&self) -> Option<Stamp> {
        match self {
            value if value.is_empty() => None,
            Self::Bytes(hex) => Some(Stamp::from_hex(hex.clone(), hex)),
            Self::Time { ticks, original } => {
                Some(Stamp::from_time(original.clone(), Time::from_filetime(*ticks)))
            }
            Self::Wide(ticks) => Some(Stamp::from_time(self.to_text(), Time::from_filetime(*ticks))),
            Self::Number(number) => {
                let number = u64::try_from(*number).ok()?;
                Some(Stamp::from_hex(number.to_string(), &format!("{number:08x}")))
            }
            Self::Text(text) | Self::Guid(text) => {
                Some(parse_stamp(text).unwrap_or_else(|| Stamp::opaque(cut(text.trim(), 256))))
            }
        }
    }
}

/// Reads FILETIME, `@SECONDS`, RFC 3339, and the form in which Windows PowerShell's `ConvertTo-Json` writes a date,
/// `/Date(MILLISECONDS)/`. A bare date is a day of an unnamed place, and not used.
fn clock_of(text: &str) -> Clock {
    if text.is_empty() {
        return Clock::Empty;
    }
    if let Some(ticks) = parse_filetime(text) {
        return if ticks == 0 { Clock::Empty } else { Clock::Known(Time::from_filetime(ticks)) };
    }
    if let Some(time) = powershell_date(text) {
        return Clock::Known(time);
    }
    let bare_date = text.len() == 10 && !text.starts_with('@');
    match Time::parse(text) {
        Some(time) if !bare_date => Clock::Known(time),
        _ => Clock::Unusable,
    }
}

fn powershell_date(text: &str) -> Option<Time> {
    let inner = text.strip_prefix("/Date(")?.strip_suffix(")/")?;
    let milliseconds: i64 = inner.parse().ok()?;
    let nanos = u32::try_from(milliseconds.rem_euclid(1_000)).ok()? * 1_000_000;
    Some(Time::new(milliseconds.div_euclid(1_000), nanos))
}

/// Digits, `5120 bytes`, or the exact number in Exchange's `5 KB (5,120 bytes)` (the form is common knowledge, and not
/// documented). A rounded `5 KB` is no size.
fn size_of(text: &str) -> Option<u64> {
    let exact = match text.split_once('(') {
        Some((_, inner)) => inner.strip_suffix(')')?.trim_end().strip_suffix("bytes")?.trim_end(),
        None => text.strip_suffix("bytes").unwrap_or(text).trim_end(),
    };
    let grouped = text.contains('(');
    let digits: String =
        exact.chars().filter(|c| !(grouped && matches!(c, ',' | '.' | ' ' | '\u{a0}'))).collect();
    digits.parse().ok()
}

/// The text, cut to `limit` bytes at a character.
pub fn cut(text: &str, limit: usize) -> &str {
    let mut end = limit.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}
