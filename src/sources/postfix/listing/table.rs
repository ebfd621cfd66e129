//! A row of `postqueue -p`. Source: Postfix `postqueue/showq_compat.c`: `"%-11s %7ld %20.20s %s"` for short queue IDs,
//! `"%-17s %8ld %19.19s %s"` for long ones.

use super::{has, sender_text};
use crate::evidence::{EntryState, ListingEntry, Text};

/// `ID[*!#] SIZE DAY MONTH DATE TIME SENDER`. The year is missing, so that the time of arrival is not taken from here.
pub fn row(line: &[u8], number: u64) -> Option<ListingEntry> {
    let (id, rest) = word(line)?;
    let (size, rest) = word(rest)?;
    let (_weekday, rest) = word(rest)?;
    let (_month, rest) = word(rest)?;
    let (_day, rest) = word(rest)?;
    let (time, sender) = word(rest)?;
    let size = std::str::from_utf8(size).ok()?.parse().ok()?;
    if !has(time, b":") {
        return None;
    }
    let marks = id.iter().rev().take_while(|byte| matches!(byte, b'*' | b'!' | b'#')).count();
    let (id, marks) = id.split_at(id.len() - marks);
    if id.is_empty() {
        return None;
    }
    let held = marks.contains(&b'!');
    let queue =
        if held { Some("hold".to_owned()) } else { marks.contains(&b'*').then(|| "active".to_owned()) };
    Some(ListingEntry {
        line: number,
        queue,
        native: Some(Text::new(id)),
        sender: Some(sender_text(sender.trim_ascii())),
        size: Some(size),
        state: if held { EntryState::Held } else { EntryState::Normal },
        ..ListingEntry::default()
    })
}

/// The first word, and what follows it.
fn word(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let line = line.trim_ascii_start();
    let end = line.iter().position(u8::is_ascii_whitespace).unwrap_or(line.len());
    if end == 0 { None } else { line.split_at_checked(end) }
}

/// The number of messages in `-- N Kbytes in M Request[s].`
pub fn total(line: &[u8]) -> Option<u64> {
    let text = String::from_utf8_lossy(line);
    text.split_whitespace().skip_while(|word| *word != "in").nth(1)?.parse().ok()
}
