//! What `MrMAPI -List` prints: subject, class and file name of each message.
//!
//! Source: `OutputMessageList` in `core/mapi/processor/dumpStore.cpp`. Quotation marks within are not doubled, and a
//! subject may hold line breaks. The file name cannot hold a quotation mark (`SanitizeFileName` in
//! `core/utility/strings.cpp`), so a line is read from its end.

use super::columns::{Field, IdKind};
use super::export::{Ending, Sink};
use super::value::{Value, cut};
use crate::evidence::DamageKind;
use crate::read::lines::{Lines, decode_single_byte};
use std::io;
use std::ops::ControlFlow;

/// Longest entry, line breaks and all.
const MAX_ENTRY_BYTES: usize = 64 << 10;

/// Reads a list from its first line to its last.
///
/// # Errors
/// When the file cannot be read.
pub fn read(lines: &mut Lines, sink: &mut Sink<'_, '_>) -> io::Result<ControlFlow<()>> {
    let encoding = sink.context.encoding;
    let _header = lines.next_line()?;
    let mut entry = String::new();
    while let Some(line) = lines.next_line()? {
        let text = decode_single_byte(&line.bytes, encoding);
        if entry.is_empty() && (text.trim().is_empty() || is_header(&text)) {
            continue;
        }
        if !entry.is_empty() {
            entry.push('\n');
        }
        let room = MAX_ENTRY_BYTES.saturating_sub(entry.len());
        entry.push_str(cut(&text, room));
        let flow = match split(&entry) {
            Some((subject, class, file)) => row(subject, class, file, sink),
            None if entry.len() >= MAX_ENTRY_BYTES => {
                let _row = sink.begin();
                let what = format!("an entry is longer than {MAX_ENTRY_BYTES} bytes");
                sink.trouble(DamageKind::Limit, what, "look at it by hand")
            }
            None => continue,
        };
        entry.clear();
        if flow.is_break() {
            return Ok(flow);
        }
    }
    let ending = if entry.is_empty() {
        Ending::Whole
    } else {
        Ending::Cut(format!("the list ends within row {}", sink.rows() + 1))
    };
    Ok(sink.close(&ending))
}

/// The header comes again for each folder of a recursive list.
fn is_header(line: &str) -> bool {
    line.trim() == "Subject, Message Class, Filename"
}

fn split(entry: &str) -> Option<(&str, Option<&str>, &str)> {
    let inner = entry.strip_prefix('"')?.strip_suffix('"')?;
    let (rest, file) = inner.rsplit_once("\",\"").filter(|(_, file)| is_export(file))?;
    // A message without a class has two columns.
    Some(match rest.rsplit_once("\",\"") {
        Some((subject, class)) => (subject, Some(class), file),
        None => (rest, None, file),
    })
}

fn row(subject: &str, class: Option<&str>, file: &str, sink: &mut Sink<'_, '_>) -> ControlFlow<()> {
    let mut draft = sink.begin();
    let text = |text: &str| Value::Text(text.to_owned());
    draft.set(Field::Subject, "Subject", &text(subject));
    if let Some(class) = class {
        draft.set(Field::Note("message class"), "Message Class", &text(class));
    }
    draft.set(Field::Note("exported to"), "Filename", &text(file));
    if let Some(key) = record_key(file) {
        draft.set(Field::Id(IdKind::Record), "Filename", &Value::Bytes(key));
    }
    sink.finish(draft)
}

/// The `PR_RECORD_KEY` at the end of an exported file's name (`BuildFileNameAndPath` in `core/utility/file.cpp`): missing
/// if the name had to be shortened.
pub fn record_key(file: &str) -> Option<String> {
    let (stem, extension) = file.rsplit_once('.')?;
    let (_, key) = stem.rsplit_once('_').filter(|_| is_extension(extension))?;
    let sound = key.len() >= 16 && key.len() % 2 == 0 && key.bytes().all(|byte| byte.is_ascii_hexdigit());
    sound.then(|| key.to_ascii_uppercase())
}

/// `OutputMessageList` gives every file an extension. Without this, a subject such as `a","b` would end an entry at its
/// own line break.
fn is_export(file: &str) -> bool {
    file.rsplit_once('.').is_some_and(|(_, extension)| is_extension(extension))
}

fn is_extension(extension: &str) -> bool {
    ["xml", "msg"].iter().any(|known| extension.eq_ignore_ascii_case(known))
}
