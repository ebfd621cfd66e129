//! Rows of CSV and TSV (RFC 4180), of any number and length, in bounded memory.
//!
//! A reader of its own, since the csv crate holds a row of any length and takes a quotation mark that is never closed for
//! the end of the file; here both have to be told.

use crate::read::lines::MAX_LINE_BYTES;
use std::io::{self, BufRead};

/// Longest row, in bytes. A quotation mark that is never closed would otherwise make one row of the rest of the file.
pub const MAX_ROW_BYTES: usize = MAX_LINE_BYTES;
/// Cells of a row that are kept.
const MAX_CELLS: usize = 1_024;

/// One row.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// Its cells, without their quotation marks.
    pub cells: Vec<Vec<u8>>,
    /// Whether it was too long; the rest was passed over up to the end of a line.
    pub too_long: bool,
    /// Whether the file ended within a quoted cell.
    pub unclosed: bool,
    /// Whether the file ended without a line end behind it.
    pub last: bool,
}

/// Reads rows.
pub struct RowReader<R> {
    input: R,
    delimiter: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    CellStart,
    Bare,
    Quoted,
    QuoteSeen,
    PassOver,
}

impl<R: BufRead> RowReader<R> {
    pub fn new(input: R, delimiter: u8) -> Self {
        Self { input, delimiter }
    }

    /// The next row that is not an empty line.
    ///
    /// # Errors
    /// When the input cannot be read.
    pub fn next_row(&mut self) -> io::Result<Option<Row>> {
        loop {
            match self.any_row()? {
                Some(row) if !row.too_long && row.cells.iter().all(Vec::is_empty) && row.cells.len() < 2 => {}
                row => return Ok(row),
            }
        }
    }

    fn any_row(&mut self) -> io::Result<Option<Row>> {
        let mut row = Row { cells: vec![Vec::new()], ..Row::default() };
        let (mut state, mut length) = (State::CellStart, 0);
        loop {
            let buffer = self.input.fill_buf()?;
            if buffer.is_empty() {
                row.unclosed = state == State::Quoted;
                row.last = true;
                return Ok((length > 0).then_some(row));
            }
            let mut used = 0;
            let mut ended = false;
            for byte in buffer {
                used += 1;
                length += 1;
                if length > MAX_ROW_BYTES {
                    row.too_long = true;
                    state = State::PassOver;
                }
                if *byte == b'\n' && state != State::Quoted {
                    ended = true;
                    break;
                }
                state = step(state, *byte, self.delimiter, &mut row.cells);
            }
            self.input.consume(used);
            if ended {
                strip_return(&mut row.cells, state);
                return Ok(Some(row));
            }
        }
    }
}

fn step(state: State, byte: u8, delimiter: u8, cells: &mut Vec<Vec<u8>>) -> State {
    match (state, byte) {
        (State::PassOver, _) => State::PassOver,
        (State::CellStart, b'"') => State::Quoted,
        (State::Quoted, b'"') => State::QuoteSeen,
        (State::CellStart | State::Bare | State::QuoteSeen, byte) if byte == delimiter => {
            if cells.len() <= MAX_CELLS {
                cells.push(Vec::new());
            }
            State::CellStart
        }
        (State::Quoted, byte) => {
            add(cells, byte);
            State::Quoted
        }
        (State::QuoteSeen, b'"') => {
            add(cells, b'"');
            State::Quoted
        }
        // The return before a line end; anything else there is kept, as the csv crate does.
        (State::QuoteSeen, b'\r') => State::QuoteSeen,
        (_, byte) => {
            add(cells, byte);
            State::Bare
        }
    }
}

fn add(cells: &mut [Vec<u8>], byte: u8) {
    if cells.len() <= MAX_CELLS
        && let Some(cell) = cells.last_mut()
    {
        cell.push(byte);
    }
}

fn strip_return(cells: &mut [Vec<u8>], state: State) {
    if let (State::Bare, Some(cell)) = (state, cells.last_mut())
        && cell.last() == Some(&b'\r')
    {
        cell.pop();
    }
}
