//! One MAPI property as MFCMAPI prints it.
//!
//! Each is printed twice: as people read it, and in an alternative form. Which of the two is exact depends on the type.

use super::value::Value;
use crate::evidence::parse_filetime;
use crate::read::lines::decode_single_byte;
use crate::read::lines::{Encoding, UTF_16LE};

/// Text of a value that is kept; the rest of a longer one (a body, a picture) is passed over.
const MAX_VALUE_BYTES: usize = 64 << 10;
/// The alternative form of a text is four hex digits a character.
const MAX_ALTERNATIVE_BYTES: usize = 4 * MAX_VALUE_BYTES;
/// Names of one property that are kept.
const MAX_NAMES: usize = 32;
/// Longest name that is kept.
const MAX_NAME_BYTES: usize = 128;

/// Property types. Source: [MS-OXCDATA] section 2.11.1.
mod kind {
    pub const SHORT: u16 = 0x0002;
    pub const LONG: u16 = 0x0003;
    pub const ERROR: u16 = 0x000A;
    pub const I8: u16 = 0x0014;
    pub const STRING8: u16 = 0x001E;
    pub const UNICODE: u16 = 0x001F;
    pub const SYSTIME: u16 = 0x0040;
    pub const CLSID: u16 = 0x0048;
    pub const SERVER_ID: u16 = 0x00FB;
    pub const BINARY: u16 = 0x0102;
}

/// One property.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Property {
    /// Its tag: the identifier in the upper half, the type in the lower.
    pub tag: u32,
    /// Every name that the export gives it.
    pub names: Vec<String>,
    /// The value as people read it.
    pub value: Slot,
    /// The other form.
    pub alternative: Slot,
}

/// One of the two forms of a value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Slot {
    /// As it stands in the export.
    pub text: String,
    /// The number of bytes that the export says it has.
    pub declared: Option<usize>,
    /// Whether some of it was left out.
    pub cut: bool,
}

impl Property {
    /// The upper half of the tag.
    pub fn id(&self) -> u16 {
        u16::try_from(self.tag >> 16).unwrap_or_default()
    }

    /// The lower half of the tag.
    pub fn kind(&self) -> u16 {
        u16::try_from(self.tag & 0xFFFF).unwrap_or_default()
    }

    /// Keeps the names in a list that is separated by commas.
    pub fn add_names(&mut self, list: &str) {
        for name in list.split(',').map(str::trim) {
            if !name.is_empty() && name.len() <= MAX_NAME_BYTES && self.names.len() < MAX_NAMES {
                self.names.push(name.to_owned());
            }
        }
    }

    /// What it is called in a message: its first name, else its tag.
    pub fn title(&self) -> String {
        self.names.first().cloned().unwrap_or_else(|| format!("0x{:08X}", self.tag))
    }

    /// The value, read from whichever form is exact. `None`: absent (`PT_ERROR`), or not whole.
    pub fn to_value(&self, encoding: Option<&'static Encoding>) -> Option<Value> {
        match self.kind() {
            kind::ERROR => None,
            kind::UNICODE | kind::STRING8 => Some(Value::Text(self.string(encoding))),
            kind::BINARY | kind::SERVER_ID => {
                self.value.hex().map(|hex| Value::Bytes(hex.to_ascii_uppercase()))
            }
            kind::SYSTIME => self.time(),
            kind::SHORT | kind::LONG => self.number(),
            kind::I8 => self.wide(),
            kind::CLSID => {
                // GUIDToStringAndName puts ` = NAME` behind a GUID that it knows.
                let end = self.value.text.find('}')?;
                self.value.text.get(..=end).map(|guid| Value::Guid(guid.trim().to_owned()))
            }
            _ => Some(Value::Text(self.value.text.clone())),
        }
    }

    /// The bytes of a string are exact; its text has dots for control characters (`strings::ScrubStringForXML`).
    fn string(&self, encoding: Option<&'static Encoding>) -> String {
        let bytes = self.alternative.hex().and_then(decode_hex);
        let text = match (bytes, self.kind()) {
            (Some(bytes), kind::UNICODE) => UTF_16LE.decode_without_bom_handling(&bytes).0.into_owned(),
            (Some(bytes), _) => decode_single_byte(&bytes, encoding),
            (None, _) => self.value.text.clone(),
        };
        text.trim_end_matches('\0').to_owned()
    }

    /// Only the FILETIME counts: the other form is a UTC clock in the date format of whoever ran MFCMAPI.
    fn time(&self) -> Option<Value> {
        let ticks = parse_filetime(&self.alternative.text)?;
        let original = match self.value.text.trim() {
            "" => self.alternative.text.trim().to_owned(),
            shown => format!("{shown} ({})", self.alternative.text.trim()),
        };
        Some(Value::Time { ticks, original })
    }

    fn number(&self) -> Option<Value> {
        let decimal = self.value.text.trim().parse().ok();
        let number = decimal.or_else(|| {
            let digits = self.alternative.text.trim().strip_prefix("0x")?;
            i64::from_str_radix(digits, 16).ok()
        });
        number.map(Value::Number)
    }

    /// `0xHIGH:0xLOW` stood in the alternative form in 2007 and stands in the value now.
    fn wide(&self) -> Option<Value> {
        let forms = [&self.value.text, &self.alternative.text];
        forms
            .into_iter()
            .find(|text| text.contains(':'))
            .and_then(|text| parse_filetime(text))
            .map(Value::Wide)
    }
}

impl Slot {
    /// Adds text as far as there is room.
    pub fn push(&mut self, text: &str, limit: usize) {
        let room = super::value::cut(text, limit.saturating_sub(self.text.len()));
        self.cut |= room.len() < text.len();
        self.text.push_str(room);
    }

    /// The hex digits, if they are whole: `HEX`, or `cb: 8 lpb: HEX` as printed until 2014.
    fn hex(&self) -> Option<&str> {
        let text = self.text.trim();
        let (declared, hex) = match text.strip_prefix("cb:").and_then(|rest| rest.split_once("lpb:")) {
            Some((count, hex)) => (count.trim().parse().ok(), hex.trim()),
            None => (self.declared, text),
        };
        let whole = declared.is_none_or(|bytes: usize| bytes.checked_mul(2) == Some(hex.len()));
        let sound = !self.cut && whole && !hex.is_empty() && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
        sound.then_some(hex)
    }
}

/// How much of a form is kept.
pub fn room_for(alternative: bool) -> usize {
    if alternative { MAX_ALTERNATIVE_BYTES } else { MAX_VALUE_BYTES }
}

fn decode_hex(hex: &str) -> Option<Vec<u8>> {
    let digits = hex.as_bytes();
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}
