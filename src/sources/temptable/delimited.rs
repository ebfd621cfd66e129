//! CSV and TSV exports.

use super::columns::Field;
use super::export::{Context, Ending, Sink};
use super::header_row::meaning;
use super::row_reader::{MAX_ROW_BYTES, Row, RowReader};
use super::value::{Value, cut};
use crate::evidence::DamageKind;
use crate::read::lines::{decode_single_byte, utf8_input};
use std::io::{self, BufRead, Read};
use std::ops::ControlFlow;

/// Longest text of a cell that is looked at.
const MAX_CELL_BYTES: usize = 64 << 10;

/// The delimiter and the names of the columns, from the first bytes of a file (as UTF-8). Rows before the header that
/// other programs put there (`#TYPE …` of Windows PowerShell, `sep=;` of Excel) are passed over.
pub fn header(head: &str) -> Option<(u8, Vec<String>)> {
    let mut lines = head.lines().map(|line| line.trim_start_matches('\u{feff}'));
    let line = lines.find(|line| !line.trim().is_empty() && !is_preamble(line))?;
    let delimiter = sniff(line);
    let names = header_names(&mut RowReader::new(head.as_bytes(), delimiter)).ok().flatten()?;
    Some((delimiter, names))
}

/// The one of `,`, `;` and tab that stands most often outside quotation marks.
fn sniff(line: &str) -> u8 {
    let mut quoted = false;
    let mut counts = [(b'\t', 0), (b';', 0), (b',', 0)];
    for byte in line.bytes() {
        quoted ^= byte == b'"';
        for (delimiter, count) in &mut counts {
            *count += usize::from(!quoted && byte == *delimiter);
        }
    }
    counts.into_iter().max_by_key(|(_, count)| *count).map_or(b',', |(delimiter, _)| delimiter)
}

fn is_preamble(line: &str) -> bool {
    line.starts_with("#TYPE") || line.starts_with("sep=")
}

fn header_names<R: BufRead>(rows: &mut RowReader<R>) -> io::Result<Option<Vec<String>>> {
    while let Some(row) = rows.next_row()? {
        let names: Vec<String> = row.cells.iter().map(|cell| decode_single_byte(cell, None)).collect();
        if !names.first().is_some_and(|first| is_preamble(first.trim_start_matches('\u{feff}'))) {
            return Ok(Some(names));
        }
    }
    Ok(None)
}

/// The columns that `--map` names and the header does not have.
pub fn missing_columns<'m>(names: &[String], context: &'m Context) -> Vec<&'m str> {
    let has = |wanted: &str| {
        names.iter().any(|name| {
            name.trim() == wanted.trim()
                || super::columns::normalise(name) == super::columns::normalise(wanted)
        })
    };
    context.map.iter().map(|(column, _)| column.as_str()).filter(|column| !has(column)).collect()
}

/// Reads an export from its first byte to its last.
///
/// # Errors
/// When the file cannot be read.
pub fn read(
    input: impl Read + Send + 'static,
    delimiter: u8,
    sink: &mut Sink<'_, '_>,
) -> io::Result<ControlFlow<()>> {
    let mut rows = RowReader::new(utf8_input(input)?, delimiter);
    let Some(names) = header_names(&mut rows)? else { return Ok(sink.close(&Ending::Whole)) };
    for name in &names {
        sink.saw_column(name);
    }
    let columns: Vec<Column> = names
        .into_iter()
        .map(|name| Column { field: meaning(&name, sink.context), name: cut(&name, 128).to_owned() })
        .collect();
    while let Some(row) = rows.next_row()? {
        if row.unclosed || (row.last && row.cells.len() < columns.len()) {
            let what = format!("the export ends within row {}", sink.rows() + 1);
            return Ok(sink.close(&Ending::Cut(what)));
        }
        if take(&row, &columns, sink).is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(sink.close(&Ending::Whole))
}

struct Column {
    name: String,
    field: Option<Field>,
}

fn take(row: &Row, columns: &[Column], sink: &mut Sink<'_, '_>) -> ControlFlow<()> {
    let mut draft = sink.begin();
    if row.too_long {
        let what = format!("row {} is longer than {MAX_ROW_BYTES} bytes and was passed over", sink.rows());
        return sink.trouble(DamageKind::Limit, what, "look for a quotation mark that is not closed");
    }
    // Excel leaves out empty cells at the end of a row; cells beyond the header mean that the others have moved.
    if row.cells.iter().skip(columns.len()).any(|cell| !cell.is_empty()) {
        let what =
            format!("row {} has {} cells, the header has {}", sink.rows(), row.cells.len(), columns.len());
        return sink.trouble(
            DamageKind::Malformed,
            what,
            "put cells that hold the delimiter in quotation marks",
        );
    }
    let encoding = sink.context.encoding;
    for (column, cell) in columns.iter().zip(&row.cells) {
        if let Some(field) = column.field {
            let text = decode_single_byte(cell.get(..MAX_CELL_BYTES).unwrap_or(cell), encoding);
            draft.set(field, &column.name, &Value::Text(text));
        }
    }
    sink.finish(draft)
}
