//! The one place that tames hostile text.
//!
//! Subjects, addresses, file names and what servers answered were written by strangers. What people read is made from
//! them here, so that nothing in a message can move the cursor, reverse a line, hide a character or start a formula.
//! The original bytes stay in the JSON formats.

use crate::evidence::Text;
use unicode_width::UnicodeWidthChar as _;

/// Marks of no width that one character may carry. Decomposed Vietnamese needs two and pointed Hebrew three; more than
/// this are stacked to spill over the neighbouring lines.
const MARKS: usize = 4;

/// Characters after which a spreadsheet reads a formula, with their full-width forms, which Excel takes for the same.
/// Source: OWASP, "CSV Injection".
const FORMULA_STARTS: &[char] = &['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'];

/// Bytes of unknown manners.
#[derive(Debug, Clone, Copy)]
pub struct Raw<'a>(&'a [u8]);

impl<'a> From<&'a [u8]> for Raw<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }
}

impl<'a> From<&'a str> for Raw<'a> {
    fn from(text: &'a str) -> Self {
        Self(text.as_bytes())
    }
}

impl<'a> From<&'a String> for Raw<'a> {
    fn from(text: &'a String) -> Self {
        Self(text.as_bytes())
    }
}

impl<'a> From<&'a Text> for Raw<'a> {
    fn from(text: &'a Text) -> Self {
        Self(text.bytes())
    }
}

/// Text that is safe on a terminal, on one line: everything that is not seen or does more than being seen becomes `\n`,
/// `\x1b` or `\u{202e}`, and a byte that is not UTF-8 becomes `\xe9`.
pub fn for_terminal<'a>(text: impl Into<Raw<'a>>) -> String {
    pieces(text.into().0).fold(String::new(), |mut tame, piece| {
        piece.append(&mut tame);
        tame
    })
}

/// The same, cut to so many columns of the terminal, with `…` for what is missing. Looks no further than it must.
pub fn clip<'a>(text: impl Into<Raw<'a>>, columns: usize) -> String {
    let mut tame = String::new();
    let (mut width, mut whole) = (0, 0);
    for piece in pieces(text.into().0) {
        width += piece.width();
        if width > columns {
            tame.truncate(whole);
            if columns > 0 {
                tame.push('…');
            }
            return tame;
        }
        piece.append(&mut tame);
        if width < columns {
            whole = tame.len();
        }
    }
    tame
}

/// Text for a cell that a spreadsheet will open: safe on a terminal, and never a formula.
///
/// A `;` counts as the start of a cell: where the decimal sign is a comma, spreadsheets split there, quoted or not.
pub fn for_csv_cell<'a>(text: impl Into<Raw<'a>>) -> String {
    let mut cell = String::new();
    for (number, field) in text.into().0.split(|byte| *byte == b';').enumerate() {
        if number > 0 {
            cell.push(';');
        }
        if starts_formula(field) {
            cell.push('\'');
        }
        cell.push_str(&for_terminal(field));
    }
    cell
}

/// Text from the bytes of a JSON value: bytes that are not UTF-8 become `\xe9`, all else stays as it is.
pub fn for_json<'a>(text: impl Into<Raw<'a>>) -> String {
    let mut tame = String::new();
    for chunk in text.into().0.utf8_chunks() {
        tame.push_str(chunk.valid());
        for byte in chunk.invalid() {
            Piece::Byte(*byte).append(&mut tame);
        }
    }
    tame
}

/// Whether a spreadsheet would take this for a formula, blanks and quotes in front of it notwithstanding.
fn starts_formula(field: &[u8]) -> bool {
    let mut start = pieces(field).map(Piece::character);
    start
        .find(|character| !matches!(character, Some(' ' | '"' | '\'' | '\u{a0}' | '\u{3000}' | '\n')))
        .flatten()
        .is_some_and(|character| FORMULA_STARTS.contains(&character))
}

/// Whether this character must not be shown as itself: a control, a separator of lines, one that changes the direction
/// of the text, one that is not seen, or one that is none.
///
/// Invisible are the "default ignorable" characters of Unicode (`DerivedCoreProperties.txt`), among them the tag
/// characters, the variation selectors and the fillers of Hangul; two addresses that differ in one of them look alike.
pub fn is_unfit(character: char) -> bool {
    let code = u32::from(character);
    character.is_control()
        || matches!(
            code,
            0x00AD | 0x034F | 0x061C | 0x115F..=0x1160 | 0x17B4..=0x17B5 | 0x180B..=0x180F | 0x200B..=0x200F
                | 0x2028..=0x202E | 0x2060..=0x206F | 0x3164 | 0xFDD0..=0xFDEF | 0xFE00..=0xFE0F | 0xFEFF
                | 0xFFA0 | 0xFFF0..=0xFFFB | 0x1_BCA0..=0x1_BCA3 | 0x1_D173..=0x1_D17A | 0xE_0000..=0xE_0FFF
        )
        || code & 0xFFFE == 0xFFFE
}

/// What one character or byte becomes.
#[derive(Clone, Copy)]
enum Piece {
    Shown(char),
    Escaped(char),
    Byte(u8),
}

impl Piece {
    fn append(self, tame: &mut String) {
        match self {
            Self::Shown(character) => tame.push(character),
            Self::Escaped(character) => match u8::try_from(character) {
                Ok(byte) if byte.is_ascii() => tame.extend(std::ascii::escape_default(byte).map(char::from)),
                _ => tame.extend(character.escape_unicode()),
            },
            Self::Byte(byte) => tame.extend(std::ascii::escape_default(byte).map(char::from)),
        }
    }

    fn width(self) -> usize {
        match self {
            Self::Shown(character) => character.width().unwrap_or(0),
            Self::Escaped(_) | Self::Byte(_) => {
                let mut escaped = String::new();
                self.append(&mut escaped);
                escaped.len()
            }
        }
    }

    fn character(self) -> Option<char> {
        match self {
            Self::Shown(character) | Self::Escaped(character) => Some(character),
            Self::Byte(_) => None,
        }
    }
}

fn pieces(bytes: &[u8]) -> impl Iterator<Item = Piece> + '_ {
    let mut marks = 0;
    let characters = bytes.utf8_chunks().flat_map(|chunk| {
        let valid = chunk.valid().chars().map(Piece::Shown);
        valid.chain(chunk.invalid().iter().copied().map(Piece::Byte))
    });
    characters.map(move |piece| match piece {
        Piece::Shown(character) => {
            marks = if character.width() == Some(0) { marks + 1 } else { 0 };
            if is_unfit(character) || marks > MARKS { Piece::Escaped(character) } else { piece }
        }
        other => other,
    })
}
