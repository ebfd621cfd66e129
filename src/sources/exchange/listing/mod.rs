//! What Exchange's own tools list: Get-Message and Get-Queue through Export-Csv, Queue Viewer and System Manager through
//! "Export List".

use crate::evidence::{EntryState, ListingEnd, ListingEntry, Text, Time};
use crate::sources::{EmitEntry, ListingFormat};
use std::io::{self, BufRead};
use table::{Field, Row};

mod get_message;
mod get_queue;
mod queue_viewer;
mod table;
#[cfg(test)]
mod tests;

/// All of them; the first that recognises a file reads it.
pub static ALL: [ListingFormat; 4] =
    [get_queue::FORMAT, get_message::FORMAT, queue_viewer::FORMAT, queue_viewer::SYSTEM_MANAGER];

/// The tools show this many objects unless told otherwise: `-ResultSize` of Get-Message, "number of items per page" of
/// Queue Viewer. Source: Microsoft, "Get-Message" and "Queue Viewer" of the Exchange Server documentation.
pub const PAGE: u64 = 1_000;

/// Recipients of one entry that are kept.
const MAX_RECIPIENTS: usize = 1_000;

/// Reads rows as messages; `rows` is how many there were.
fn read_messages(
    input: &mut dyn BufRead,
    emit: &mut EmitEntry<'_>,
    page_full: fn(rows: u64) -> Option<String>,
) -> io::Result<ListingEnd> {
    let mut count = 0;
    let mut end = table::rows(input, &mut |row| {
        count += 1;
        let entry = entry(&row);
        if entry.native.is_none()
            && entry.message_id.is_none()
            && entry.sender.is_none()
            && entry.subject.is_none()
        {
            return Err("neither identity nor sender nor subject".to_owned());
        }
        emit(entry);
        Ok(())
    })?;
    end.cut = end.cut.or_else(|| page_full(count));
    Ok(end)
}

fn entry(row: &Row) -> ListingEntry {
    let identity = row.get(Field::Identity);
    // `SERVER\QUEUE\NUMBER` names the queue too.
    let queue = row.get(Field::Queue).or_else(|| Some(identity?.rsplit_once('\\')?.0));
    ListingEntry {
        line: row.line,
        queue: queue.map(str::to_owned),
        native: identity.map(Text::from),
        message_id: row.get(Field::MessageId).map(with_brackets),
        sender: row.get(Field::Sender).map(without_brackets),
        subject: row.get(Field::Subject).map(Text::from),
        size: row.get(Field::Bytes).and_then(plain_number).or_else(|| exact_size(row.get(Field::Size)?)),
        arrived: row.get(Field::Received).and_then(exact_time),
        recipients: row.get(Field::Recipients).map(recipients).unwrap_or_default(),
        state: state(row.get(Field::Status), queue),
        on_request: false,
        reason: row.get(Field::LastError).map(Text::from),
    }
}

/// The poison message queue never moves by itself; `SERVER\Shadow\NUMBER` holds copies that are no undelivered mail
/// (Microsoft, "Queues and messages in queues", "Shadow redundancy").
fn state(status: Option<&str>, queue: Option<&str>) -> EntryState {
    let parts = || queue.unwrap_or_default().split('\\');
    let is = |name: &str| parts().any(|part| part.trim().eq_ignore_ascii_case(name));
    if is("Shadow") {
        return EntryState::Shadow;
    }
    if is("Poison") || is("Poison message") {
        return EntryState::Poison;
    }
    let held = ["suspended", "pendingsuspend", "pending suspend", "frozen"];
    match status.map(str::to_ascii_lowercase) {
        Some(status) if held.contains(&status.as_str()) => EntryState::Held,
        _ => EntryState::Normal,
    }
}

fn with_brackets(id: &str) -> Text {
    if id.starts_with('<') || !id.contains('@') { id.into() } else { format!("<{id}>").into() }
}

/// `<>` is the null sender.
fn without_brackets(address: &str) -> Text {
    let inner = address.strip_prefix('<').and_then(|rest| rest.strip_suffix('>'));
    inner.unwrap_or(address).into()
}

fn plain_number(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// `5 KB (5,120 bytes)`: the number in parentheses, however it is grouped (from memory; the same in all versions seen).
/// Without parentheses the size is rounded, and a rounded size is none.
fn exact_size(text: &str) -> Option<u64> {
    let (_, inner) = text.rsplit_once('(')?;
    let number = inner.trim_start().split(char::is_alphabetic).next()?;
    let grouping = |c: char| c.is_ascii_digit() || c.is_whitespace() || ",.'’\u{a0}\u{202f}".contains(c);
    if !number.chars().all(grouping) {
        return None;
    }
    plain_number(&number.chars().filter(char::is_ascii_digit).collect::<String>())
        .filter(|_| !number.is_empty())
}

/// Only a time with its offset (`ToString('o')` in UTC): a date in the operator's locale has neither a known order nor a
/// known offset.
fn exact_time(text: &str) -> Option<Time> {
    (text.contains('T') && text.contains(':')).then(|| Time::parse(text)).flatten()
}

/// `a;b`, or `{ADDRESS;2;2;ERROR;16;<CONNECTOR>;0, …}` as Get-Message shows recipients: addresses lead each part. A
/// collection that was exported as such is only the name of its type.
fn recipients(text: &str) -> Vec<Text> {
    let mut found = Vec::new();
    for part in text.trim_matches(['{', '}']).split(", ") {
        let words = part.split(';').map(|word| word.trim_matches(['{', '}', ' ', '<', '>']));
        found.extend(words.take_while(|word| is_address(word)).map(Text::from));
        if found.len() >= MAX_RECIPIENTS {
            break;
        }
    }
    found.truncate(MAX_RECIPIENTS);
    found
}

fn is_address(word: &str) -> bool {
    word.matches('@').count() == 1
        && !word.starts_with('@')
        && !word.ends_with('@')
        && !word.contains([' ', ':'])
}
