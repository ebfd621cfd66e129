//! The stamp that ties a message to one life of its mail system.
//!
//! The layout of Exchange's GuidTimestamp is not public: KB 950757 names it and shows nothing of it. A stamp is therefore
//! read in any form in which an export can show it, and two stamps are compared only in what both of them have.

use super::Time;
use serde::{Deserialize, Serialize};

/// A stamp in whatever form it came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// As it stood in the source.
    pub original: String,
    /// The GUID in it, as 32 lower-case hex digits in the order in which it is written.
    pub guid: Option<String>,
    /// The time in it.
    pub time: Option<Time>,
    /// All of it as lower-case hex, for a form of which the meaning is not known.
    pub hex: Option<String>,
}

/// The outcome of comparing two stamps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StampMatch {
    /// Everything that both have is equal.
    Same,
    /// Something that both have differs.
    Different,
    /// They have nothing in common that could be compared.
    Incomparable,
}

/// Longer texts are no stamp.
const MAX_STAMP_CHARS: usize = 4_096;
/// Between a GUID and a time these may stand, any number of them.
const SEPARATORS: [char; 9] = [' ', '\t', ',', ';', '_', '-', ':', '+', '/'];

impl Stamp {
    /// Compares two stamps in what both of them have: all of their bytes, else GUID and time.
    ///
    /// Bytes are also held against a GUID or a time, in each order in which Windows writes them, since the first three
    /// fields of a GUID and a FILETIME lie in memory with their lowest byte first ([MS-DTYP] sections 2.3.4.2 and 2.3.3).
    /// That 24 bytes are a GUID and a FILETIME is a guess: equal in some order they are the same stamp, but when they
    /// differ nothing follows.
    ///
    /// Times are compared as finely as the coarser of the two is written, so that RFC 3339 without decimals meets a
    /// FILETIME.
    pub fn compare(&self, other: &Self) -> StampMatch {
        let checks = [
            bytes_against_bytes(self, other),
            both(self.guid.as_ref(), other.guid.as_ref(), PartialEq::eq),
            both(self.time.as_ref(), other.time.as_ref(), same_time),
            bytes_against(self, other),
            bytes_against(other, self),
        ];
        let mut outcome = StampMatch::Incomparable;
        for equal in checks.into_iter().flatten() {
            if !equal {
                return StampMatch::Different;
            }
            outcome = StampMatch::Same;
        }
        outcome
    }

    /// A stamp of bytes whose meaning is not known.
    pub fn from_hex(original: impl Into<String>, hex: &str) -> Self {
        Self { original: original.into(), guid: None, time: None, hex: Some(hex.to_ascii_lowercase()) }
    }

    /// A stamp that is a point in time and nothing else.
    pub fn from_time(original: impl Into<String>, time: Time) -> Self {
        Self { original: original.into(), guid: None, time: Some(time), hex: None }
    }

    /// A stamp that could not be understood: it is shown, and compares with nothing.
    pub fn opaque(original: impl Into<String>) -> Self {
        Self { original: original.into(), guid: None, time: None, hex: None }
    }
}

fn both<T>(one: Option<&T>, other: Option<&T>, equal: fn(&T, &T) -> bool) -> Option<bool> {
    Some(equal(one?, other?))
}

fn same_time(one: &Time, other: &Time) -> bool {
    let step = step_nanos(*one).max(step_nanos(*other));
    one.seconds == other.seconds && one.nanos / step == other.nanos / step
}

/// The step in which a time seems to be written: a FILETIME ends in whole seconds once in ten million.
fn step_nanos(time: Time) -> u32 {
    match time.nanos {
        0 => 1_000_000_000,
        nanos if nanos % 1_000_000 == 0 => 1_000_000,
        nanos if nanos % 1_000 == 0 => 1_000,
        _ => 100,
    }
}

/// Holds bytes against bytes. Of the same number they are the same stamp if they are equal in some order in which Windows
/// writes a GUID and a FILETIME; bytes of different numbers have nothing in common that could be compared.
fn bytes_against_bytes(one: &Stamp, other: &Stamp) -> Option<bool> {
    let (one, other) = (one.hex.as_deref()?, other.hex.as_deref()?);
    (one.len() == other.len()).then(|| {
        let orders = orders(other);
        one == other || orders.iter().any(|order| order == one)
    })
}

/// The orders in which these bytes may stand if they are a GUID, a FILETIME, or both.
fn orders(hex: &str) -> Vec<String> {
    let filetime =
        |hex: &str| u64::from_str_radix(hex, 16).map(|ticks| format!("{:016x}", ticks.swap_bytes())).ok();
    let both_ways = |hex: &str| match hex.len() {
        32 => [Some(hex.to_owned()), swap_guid(hex)],
        _ => [Some(hex.to_owned()), filetime(hex)],
    };
    match hex.len() {
        16 | 32 => both_ways(hex).into_iter().flatten().collect(),
        48 => {
            let mut found = Vec::new();
            for at in [16, 32] {
                let Some((first, second)) = halves(hex, at) else { continue };
                for one in both_ways(first).into_iter().flatten() {
                    for two in both_ways(second).into_iter().flatten() {
                        found.push(format!("{one}{two}"));
                        found.push(format!("{two}{one}"));
                    }
                }
            }
            found
        }
        _ => Vec::new(),
    }
}

/// Holds bytes of unknown meaning against a GUID, a time, or both.
fn bytes_against(bytes: &Stamp, known: &Stamp) -> Option<bool> {
    let hex = bytes.hex.as_deref()?;
    match (hex.len(), &known.guid, known.time) {
        (32, Some(guid), _) => Some(is_guid(hex, guid)),
        (16, None, Some(time)) => Some(is_filetime(hex, time)),
        (48, Some(guid), Some(time)) => {
            let guid_first = halves(hex, 32).is_some_and(|(a, b)| is_guid(a, guid) && is_filetime(b, time));
            let time_first = halves(hex, 16).is_some_and(|(a, b)| is_filetime(a, time) && is_guid(b, guid));
            (guid_first || time_first).then_some(true)
        }
        _ => None,
    }
}

fn halves(hex: &str, at: usize) -> Option<(&str, &str)> {
    Some((hex.get(..at)?, hex.get(at..)?))
}

fn is_guid(hex: &str, guid: &str) -> bool {
    hex == guid || swap_guid(hex).as_deref() == Some(guid)
}

fn is_filetime(hex: &str, time: Time) -> bool {
    u64::from_str_radix(hex, 16).is_ok_and(|ticks| {
        [ticks, ticks.swap_bytes()].into_iter().any(|ticks| same_time(&Time::from_filetime(ticks), &time))
    })
}

/// The digits of a GUID with its first three fields turned round: from the order of memory to that of print, or back.
fn swap_guid(hex: &str) -> Option<String> {
    let mut turned = String::with_capacity(32);
    for field in [hex.get(..8)?, hex.get(8..12)?, hex.get(12..16)?] {
        let mut end = field.len();
        while end >= 2 {
            turned.push_str(field.get(end - 2..end)?);
            end -= 2;
        }
    }
    turned.push_str(hex.get(16..32)?);
    Some(turned)
}

/// Reads a stamp as one of:
///
/// * a GUID with dashes, with or without braces;
/// * a FILETIME: `0x` and 16 hex digits, 18 decimal digits, `Low: 0x… High: 0x…`, or `0xHIGH:0xLOW` as MFCMAPI prints an
///   8-byte integer;
/// * a GUID and a FILETIME (beside a GUID also as 16 bare hex digits) or RFC 3339, in either order, with or without
///   separators;
/// * a time in RFC 3339, or `@SECONDS`; a bare date says nothing about a stamp and is refused;
/// * hex bytes of any number, kept as they are. 32 digits without dashes are bytes and not a GUID, since nobody says in
///   which order they stand; 48 digits may be a GUID and a FILETIME, and may not.
///
/// # Errors
/// `None` when the text is empty or none of these.
pub fn parse_stamp(text: &str) -> Option<Stamp> {
    let original = text.trim();
    if original.is_empty() || original.len() > MAX_STAMP_CHARS || !original.is_ascii() {
        return None;
    }
    let stamp = |guid, time| Some(Stamp { original: original.to_owned(), guid, time, hex: None });
    if let Some((guid, rest)) = take_guid(original) {
        let rest = rest.trim_matches(SEPARATORS);
        return match rest {
            "" => stamp(Some(guid), None),
            _ => stamp(Some(guid), Some(parse_time_beside_guid(rest)?)),
        };
    }
    if let Some((before, guid)) = take_last_guid(original) {
        let time = parse_time_beside_guid(before.trim_matches(SEPARATORS))?;
        return stamp(Some(guid), Some(time));
    }
    let clock = || Time::parse(original).filter(|_| original.starts_with('@') || original.contains(':'));
    if let Some(time) = parse_filetime(original).map(Time::from_filetime).or_else(clock) {
        return stamp(None, Some(time));
    }
    parse_hex(original).map(|hex| Stamp::from_hex(original, &hex))
}

/// Reads a Windows FILETIME in the forms in which tools print it: `0x` and 16 hex digits, 18 decimal digits,
/// `Low: 0x… High: 0x…`, or `0xHIGH:0xLOW`.
pub fn parse_filetime(text: &str) -> Option<u64> {
    let text = text.trim();
    if let Some(ticks) = parse_low_high(text) {
        return Some(ticks);
    }
    if let Some((high, low)) = text.split_once(':') {
        return Some(u64::from(hex_word(high)?) << 32 | u64::from(hex_word(low)?));
    }
    if let Some(digits) = strip_0x(text) {
        return bare_filetime(digits);
    }
    let decimal = text.len() == 18 && text.bytes().all(|byte| byte.is_ascii_digit());
    decimal.then(|| text.parse().ok()).flatten()
}

/// `Low: 0xF44FA680 High: 0x01C885B3`: `IDS_FILETIMEALTFORMAT` in MFCMAPI's `MFCMapi.rc2`, from 2007 on.
fn parse_low_high(text: &str) -> Option<u64> {
    let lower = text.to_ascii_lowercase();
    let (low, high) = lower.strip_prefix("low:")?.split_once("high:")?;
    let low = low.trim_matches([' ', ',', ';']);
    Some(u64::from(hex_word(high)?) << 32 | u64::from(hex_word(low)?))
}

fn hex_word(text: &str) -> Option<u32> {
    let digits = strip_0x(text.trim())?;
    let sound = (1..=8).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    sound.then(|| u32::from_str_radix(digits, 16).ok()).flatten()
}

fn strip_0x(text: &str) -> Option<&str> {
    text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"))
}

fn bare_filetime(digits: &str) -> Option<u64> {
    let sound = digits.len() == 16 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    sound.then(|| u64::from_str_radix(digits, 16).ok()).flatten()
}

fn parse_time_beside_guid(text: &str) -> Option<Time> {
    parse_filetime(text)
        .or_else(|| bare_filetime(text))
        .map(Time::from_filetime)
        .or_else(|| Time::parse(text))
}

/// A GUID with dashes at the start, and what follows it.
fn take_guid(text: &str) -> Option<(String, &str)> {
    let (inner, closing) = match text.strip_prefix('{') {
        Some(inner) => (inner, Some('}')),
        None => (text, None),
    };
    let guid = guid_digits(inner.get(..36)?)?;
    let rest = inner.get(36..)?;
    match closing {
        Some(closing) => Some((guid, rest.strip_prefix(closing)?)),
        // A 37th digit would mean that this is no GUID but a longer row of digits.
        None if rest.starts_with(|next: char| next.is_ascii_hexdigit()) => None,
        None => Some((guid, rest)),
    }
}

/// A GUID with dashes at the end, and what stands before it.
fn take_last_guid(text: &str) -> Option<(&str, String)> {
    let (inner, opened) = match text.strip_suffix('}') {
        Some(inner) => (inner, true),
        None => (text, false),
    };
    let at = inner.len().checked_sub(36)?;
    let guid = guid_digits(inner.get(at..)?)?;
    let before = inner.get(..at)?;
    Some((if opened { before.strip_suffix('{')? } else { before }, guid))
}

fn guid_digits(text: &str) -> Option<String> {
    let groups: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    let sound = lengths == [8, 4, 4, 4, 12]
        && groups.iter().all(|group| group.bytes().all(|byte| byte.is_ascii_hexdigit()));
    sound.then(|| groups.concat().to_ascii_lowercase())
}

/// Hex bytes, bare, behind `0x`, in braces, or as MFCMAPI prints binary before 2014 (`cb: 8 lpb: …`).
fn parse_hex(text: &str) -> Option<String> {
    let text = text.strip_prefix('{').and_then(|inner| inner.strip_suffix('}')).unwrap_or(text);
    let text = match text.strip_prefix("cb:") {
        Some(counted) => counted.split_once("lpb:")?.1.trim(),
        None => text,
    };
    let (digits, marked) = strip_0x(text).map_or((text, false), |digits| (digits, true));
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    match digits.len() % 2 {
        0 => Some(digits.to_ascii_lowercase()),
        _ if marked => Some(format!("0{}", digits.to_ascii_lowercase())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GUID: &str = "{5B2A9C10-7F3E-4D21-9A44-0C1D2E3F4A5B}";
    const DIGITS: &str = "5b2a9c107f3e4d219a440c1d2e3f4a5b";
    /// 2008-03-14T09:15:32.456Z, as in MFCMAPI's own output.
    const TICKS: u64 = 0x01C8_85B3_F44F_A680;

    fn read(text: &str) -> Stamp {
        parse_stamp(text).unwrap_or_else(|| panic!("`{text}` was not read"))
    }

    #[test]
    fn a_guid_is_read_with_and_without_braces_in_either_case() {
        for text in [GUID, &GUID.to_lowercase(), GUID.trim_matches(['{', '}'])] {
            assert_eq!(read(text).guid.as_deref(), Some(DIGITS), "{text}");
            assert_eq!(read(text).compare(&read(GUID)), StampMatch::Same);
        }
    }

    #[test]
    fn a_filetime_is_read_in_every_form_in_which_tools_print_it() {
        let decimal = TICKS.to_string();
        assert_eq!(decimal.len(), 18);
        for text in [
            "0x01C885B3F44FA680",
            &decimal,
            "Low: 0xF44FA680 High: 0x01C885B3",
            "0x01C885B3:0xF44FA680",
            "2008-03-14T09:15:32.456Z",
            "2008-03-14T10:15:32.456+01:00",
        ] {
            assert_eq!(read(text).time, Some(Time::from_filetime(TICKS)), "{text}");
        }
    }

    #[test]
    fn a_guid_and_a_time_are_both_read_whatever_stands_between_them() {
        for separator in [" ", ",", "; ", "_", "-", ":", "+", ""] {
            for time in ["0x01C885B3F44FA680", "Low: 0xF44FA680 High: 0x01C885B3", "128499597324560000"] {
                let text = format!("{GUID}{separator}{time}");
                let stamp = read(&text);
                assert_eq!(stamp.guid.as_deref(), Some(DIGITS), "{text}");
                assert_eq!(stamp.time, Some(Time::from_filetime(TICKS)), "{text}");
                let turned = read(&format!("{time}{separator}{GUID}"));
                assert_eq!(turned.compare(&stamp), StampMatch::Same, "{text} turned round");
            }
        }
        let bare = format!("{}-01C885B3F44FA680", GUID.trim_matches(['{', '}']));
        assert_eq!(read(&bare).time, Some(Time::from_filetime(TICKS)));
    }

    #[test]
    fn another_time_or_another_guid_is_another_life() {
        let stamp = read(&format!("{GUID} 0x01C885B3F44FA680"));
        let later = read(&format!("{GUID} 0x01C885B3F44FCD90"));
        let other = read("{00000000-7F3E-4D21-9A44-0C1D2E3F4A5B} 0x01C885B3F44FA680");
        assert_eq!(stamp.compare(&later), StampMatch::Different);
        assert_eq!(stamp.compare(&other), StampMatch::Different);
        assert_eq!(stamp.compare(&read(GUID)), StampMatch::Same, "the GUID is all that both have");
    }

    #[test]
    fn a_time_to_the_second_meets_a_filetime_of_that_second() {
        let fine = read("0x01C885B3F44FA680");
        assert_eq!(fine.compare(&read("2008-03-14T09:15:32Z")), StampMatch::Same);
        assert_eq!(fine.compare(&read("2008-03-14T09:15:33Z")), StampMatch::Different);
        assert_eq!(fine.compare(&read("2008-03-14T09:15:32.455Z")), StampMatch::Different);
    }

    #[test]
    fn bytes_meet_a_guid_in_the_order_of_print_and_in_that_of_memory() {
        let guid = read(GUID);
        for bytes in [DIGITS, "109C2A5B3E7F214D9A440C1D2E3F4A5B", "0x109c2a5b3e7f214d9a440c1d2e3f4a5b"] {
            let stamp = read(bytes);
            assert!(stamp.guid.is_none(), "nobody says that `{bytes}` is a GUID");
            assert_eq!(stamp.compare(&guid), StampMatch::Same, "{bytes}");
            assert_eq!(guid.compare(&stamp), StampMatch::Same, "{bytes}");
        }
        assert_eq!(guid.compare(&read(&"ab".repeat(16))), StampMatch::Different);
    }

    #[test]
    fn twenty_four_bytes_prove_equality_but_never_difference() {
        let known = read(&format!("{GUID} 0x01C885B3F44FA680"));
        let memory = read("109C2A5B3E7F214D9A440C1D2E3F4A5B80A64FF4B385C801");
        assert!(memory.guid.is_none() && memory.time.is_none());
        assert_eq!(memory.compare(&known), StampMatch::Same);
        assert_eq!(read(&"cd".repeat(24)).compare(&known), StampMatch::Incomparable);
    }

    #[test]
    fn stamps_with_nothing_in_common_are_incomparable() {
        assert_eq!(read(GUID).compare(&read("0x01C885B3F44FA680")), StampMatch::Incomparable);
        assert_eq!(read(GUID).compare(&read("DEADBEEF")), StampMatch::Incomparable);
        assert_eq!(Stamp::opaque("x").compare(&Stamp::opaque("x")), StampMatch::Incomparable);
        assert_eq!(read("DEADBEEF").compare(&read("0xdeadbeef")), StampMatch::Same);
        assert_eq!(read("DEADBEEF").compare(&read("deadbee5")), StampMatch::Different);
    }

    #[test]
    fn what_is_no_stamp_is_refused() {
        for text in
            ["", "  ", "none", "2008-03-14T09:15:32", "{5B2A9C10", "abc", "0x", &format!("{GUID} soon")]
        {
            assert_eq!(parse_stamp(text), None, "{text}");
        }
        assert_eq!(parse_stamp(&"ab".repeat(3_000)), None, "longer than any stamp");
        assert_eq!(parse_stamp("5B2A9C10-7F3E-4D21-9A44-0C1D2E3F4A5B7"), None);
    }
}
