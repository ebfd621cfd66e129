//! JSON as text that is safe to `cat`.

use super::escape::is_unfit;
use serde_json::Value;
use serde_json::ser::{CompactFormatter, Formatter, Serializer};
use std::io::{self, Write};

/// Writes a value on one line. A character that could harm a terminal goes out as `\u…`; whoever parses the JSON gets
/// it back unchanged.
pub fn write(value: &Value, out: &mut dyn Write) -> io::Result<()> {
    use serde::Serialize as _;
    value.serialize(&mut Serializer::with_formatter(out, Tame)).map_err(io::Error::from)
}

/// The compact form of JSON with more characters escaped than JSON asks for.
struct Tame;

impl Formatter for Tame {
    fn write_string_fragment<W: Write + ?Sized>(&mut self, out: &mut W, fragment: &str) -> io::Result<()> {
        let mut rest = fragment;
        while let Some((at, unfit)) = rest.char_indices().find(|(_, character)| is_unfit(*character)) {
            let (plain, found) = rest.split_at(at);
            CompactFormatter.write_string_fragment(out, plain)?;
            for unit in unfit.encode_utf16(&mut [0; 2]) {
                write!(out, "\\u{unit:04x}")?;
            }
            rest = found.get(unfit.len_utf8()..).unwrap_or_default();
        }
        CompactFormatter.write_string_fragment(out, rest)
    }
}
