//! The plain text of "Export table…" from 2007-08 to 2011-01.
//!
//! Source: `_OutputTable` and `_OutputProperty` in `MFCOutput.cpp`, `TagToString` in `InterpretProp.cpp`, and the strings
//! `IDS_TAGMULTILINE` to `IDS_DASLNAMED` in `Res/MFCMapi.rc2`, all of microsoft/mfcmapi at 84544a51. Behind the last line
//! of a property's names follow `, "value", "alternative"` and perhaps `, "flags"`, with nothing escaped. `Row 0x1 of
//! 0x14` counts within one batch of twenty rows, and so does its second number.

use super::build::Draft;
use super::export::{Ending, Sink};
use super::property::{Property, room_for};
use super::value::cut;
use crate::read::lines::{Lines, decode_single_byte};
use std::io;
use std::ops::ControlFlow;

/// Both forms of a value, and what stands between them.
const MAX_VALUES_BYTES: usize = 400 << 10;

#[derive(Default)]
struct Row {
    draft: Option<Draft>,
    properties: usize,
    property: Option<Property>,
    values: Option<String>,
}

/// Reads an export from its first line to its last.
///
/// # Errors
/// When the file cannot be read.
pub fn read(lines: &mut Lines, sink: &mut Sink<'_, '_>) -> io::Result<ControlFlow<()>> {
    let encoding = sink.context.encoding;
    let mut row = Row::default();
    // Every row of a table has the same columns, so a last row with fewer of them was cut off.
    let mut columns = 0;
    while let Some(line) = lines.next_line()? {
        let text = String::from_utf8(line.bytes)
            .unwrap_or_else(|error| decode_single_byte(error.as_bytes(), encoding));
        // The strings hold `\r\n`, and text mode makes `\r\r\n` of it.
        let text = text.trim_end_matches('\r');
        if text.starts_with("Row 0x") && text.contains(" of 0x") {
            row.flush(sink);
            columns = columns.max(row.properties);
            if let Some(draft) = row.draft.take()
                && sink.finish(draft).is_break()
            {
                return Ok(ControlFlow::Break(()));
            }
            row = Row { draft: Some(sink.begin()), ..Row::default() };
        } else if text.starts_with("Tag: 0x") {
            row.flush(sink);
            row.property = Some(begin(text));
        } else {
            row.line(text);
        }
    }
    Ok(end(row, columns, sink))
}

fn end(mut row: Row, columns: usize, sink: &mut Sink<'_, '_>) -> ControlFlow<()> {
    let next_begun = row.drop_begun_row();
    let whole = match (&row.property, &row.values) {
        (None, _) => true,
        (Some(_), Some(values)) => values.ends_with('"'),
        (Some(_), None) => false,
    };
    row.flush(sink);
    let ending = match row.draft.take() {
        Some(draft) if whole && row.properties > 0 && row.properties >= columns => {
            sink.finish(draft)?;
            if next_begun {
                Ending::Cut(format!("the export ends within row {}", sink.rows() + 1))
            } else {
                Ending::Whole
            }
        }
        Some(draft) => Ending::Cut(format!("the export ends within {}", draft.describe())),
        None => Ending::Whole,
    };
    sink.close(&ending)
}

fn begin(line: &str) -> Property {
    let digits = line.strip_prefix("Tag: 0x").unwrap_or_default().trim();
    Property { tag: u32::from_str_radix(digits, 16).unwrap_or_default(), ..Property::default() }
}

impl Row {
    /// Takes away the first letters of the next row, with which a cut file may end: they would pass for a value's last line.
    fn drop_begun_row(&mut self) -> bool {
        let Some(values) = &mut self.values else { return false };
        let Some((before, last)) = values.rsplit_once('\n') else { return false };
        let begun = !last.is_empty() && ("Row 0x".starts_with(last) || last.starts_with("Row 0x"));
        if begun {
            let length = before.len();
            values.truncate(length);
        }
        begun
    }

    fn line(&mut self, text: &str) {
        let Some(property) = &mut self.property else { return };
        if let Some(values) = &mut self.values {
            let room = MAX_VALUES_BYTES.saturating_sub(values.len() + 1);
            values.push('\n');
            values.push_str(cut(text, room));
            return;
        }
        let (name, rest) = text.split_once(": ").unwrap_or((text, ""));
        let is_last = matches!(name, "DASL" | "Named Prop Name" | "Named Prop Guid");
        let (names, values) = match rest.split_once(", \"").filter(|_| is_last) {
            Some((names, values)) => (names, Some(values)),
            None => (rest, None),
        };
        match name {
            "Property Name(s)" | "Other Names" => property.add_names(names),
            "Named Prop Name" => {
                // `id: 0x8582=34178 = dispidName` or a bare string.
                for piece in names.split(" = ") {
                    property.add_names(piece);
                }
            }
            _ => {}
        }
        self.values = values.map(|values| cut(values, MAX_VALUES_BYTES).to_owned());
    }

    fn flush(&mut self, sink: &mut Sink<'_, '_>) {
        let (property, values) = (self.property.take(), self.values.take());
        let Some(mut property) = property else { return };
        self.properties += 1;
        let values = values.unwrap_or_default();
        let (value, alternative) = split(values.strip_suffix('"').unwrap_or(&values));
        property.value.push(value, room_for(false));
        property.alternative.push(alternative, room_for(true));
        sink.saw_property(&property);
        if let Some(draft) = &mut self.draft {
            draft.property(&property, sink.context);
        }
    }
}

/// The two forms. A text may hold what separates them; the bytes behind it cannot, so they are looked for from the end.
fn split(values: &str) -> (&str, &str) {
    let text = values.rfind("\", \"cb: ").filter(|_| !values.starts_with("cb: "));
    let at = text.or_else(|| values.find("\", \""));
    let Some(at) = at else { return (values, "") };
    let (value, rest) = (values.get(..at).unwrap_or_default(), values.get(at + 4..).unwrap_or_default());
    (value, rest.split_once("\", \"").map_or(rest, |(alternative, _flags)| alternative))
}
