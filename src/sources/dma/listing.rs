//! What `dma -bp` and `mailq` print: three lines a recipient, `--` between them. Source: dma `dma.c`, `show_queue`.

use crate::evidence::{ListingEnd, ListingEntry, Text};
use crate::read::lines::{first_line, is_remark, read_line};
use crate::sources::{EmitEntry, ListingFormat};
use std::io::{self, BufRead};

/// The name of the format.
pub const MAILQ: &str = "dma -bp";

/// The listing of dma.
pub static FORMATS: &[ListingFormat] = &[ListingFormat {
    name: MAILQ,
    about: "what `dma -bp` and dma's `mailq` print: ID, sender and recipient",
    looks_like: |head| first_line(head).is_some_and(|line| line.starts_with(b"ID\t: ")),
    parse,
}];

fn parse(input: &mut dyn BufRead, emit: &mut EmitEntry<'_>) -> io::Result<ListingEnd> {
    let mut end = ListingEnd::default();
    let mut entry: Option<ListingEntry> = None;
    let mut number = 0;
    while let Some((line, _)) = read_line(input)? {
        number += 1;
        if let Some(id) = line.strip_prefix(b"ID\t: ") {
            finish(&mut entry, &mut end, emit);
            // A star would mark a locked one; no version has ever found out which those are.
            let id = id.strip_suffix(b"*").unwrap_or(id);
            entry = Some(ListingEntry {
                line: number,
                queue: Some("queue".to_owned()),
                native: Some(Text::new(id)),
                ..ListingEntry::default()
            });
        } else if let (Some(sender), Some(entry)) = (line.strip_prefix(b"From\t: "), entry.as_mut()) {
            entry.sender = Some(Text::new(sender));
        } else if let (Some(recipient), Some(entry)) = (line.strip_prefix(b"To\t: "), entry.as_mut()) {
            entry.recipients = vec![Text::new(recipient)];
        } else if line == b"--" {
            finish(&mut entry, &mut end, emit);
        } else if line == b"Mail queue is empty" {
            end.declared = Some(0);
        } else if !is_remark(&line) {
            end.misread(number, "expected `ID`, `From`, `To` or `--`");
        }
    }
    finish(&mut entry, &mut end, emit);
    Ok(end)
}

fn finish(entry: &mut Option<ListingEntry>, end: &mut ListingEnd, emit: &mut EmitEntry<'_>) {
    let Some(entry) = entry.take() else { return };
    if entry.recipients.is_empty() {
        end.cut = Some(format!("the entry at line {} breaks off", entry.line));
    }
    emit(entry);
}
