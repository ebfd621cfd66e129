//! The logs of a message in `defer`, `bounce` and `trace`: who could not be reached, and why.
//!
//! Source: Postfix `bounce/bounce_append_service.c` (what is written), `global/bounce_log.c` (`bounce_log_read`: blocks
//! parted by blank lines; `<recipient>: reason`, then `name=value`).

use crate::evidence::{Recipient, RecipientState, Text};

/// How much of a log is read.
pub const MAX_LOG_BYTES: usize = 256 << 10;
/// Entries that are kept.
const MAX_ENTRIES: usize = 1_000;

/// One entry of a log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entry {
    /// The recipient.
    pub recipient: Text,
    /// `delayed`, `failed`, `delivered`, …
    pub action: String,
    /// The enhanced status code, `4.7.1`.
    pub status: String,
    /// Why.
    pub reason: Text,
}

/// Reads a log, or the beginning of one.
pub fn parse(bytes: &[u8]) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut entry: Option<Entry> = None;
    for line in bytes.split(|byte| *byte == b'\n') {
        if line.is_empty() {
            entries.extend(entry.take());
            if entries.len() >= MAX_ENTRIES {
                return entries;
            }
            continue;
        }
        read_line(line, entry.get_or_insert_default());
    }
    entries.extend(entry);
    entries
}

fn read_line(line: &[u8], entry: &mut Entry) {
    if let Some(rest) = line.strip_prefix(b"<") {
        if let Some(end) = memchr::memmem::find(rest, b">: ") {
            let (recipient, reason) = rest.split_at(end);
            entry.recipient = Text::new(recipient);
            entry.reason = Text::new(reason.get(3..).unwrap_or_default().trim_ascii());
        }
        return;
    }
    let Some(equals) = memchr::memchr(b'=', line) else { return };
    let (name, value) = line.split_at(equals);
    let value = value.get(1..).unwrap_or_default().trim_ascii();
    match name {
        b"recipient" => entry.recipient = Text::new(value),
        b"reason" => entry.reason = Text::new(value),
        b"action" => entry.action = String::from_utf8_lossy(value).into_owned(),
        b"status" => entry.status = String::from_utf8_lossy(value).into_owned(),
        _ => {}
    }
}

impl Entry {
    /// The recipient with the state in which the log leaves it. In a defer log nobody was delivered to; a bounce log names
    /// those who will not be tried again; a trace log tells all sorts of things.
    pub fn to_recipient(&self) -> Recipient {
        let state = match self.action.as_str() {
            "delayed" | "" => RecipientState::Pending,
            "delivered" | "relayed" | "expanded" => RecipientState::Done,
            _ => RecipientState::Unknown,
        };
        let reason = Some(self.reason.clone()).filter(|reason| !reason.is_empty());
        Recipient { address: self.recipient.clone(), state, reason }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_generations_of_entries_are_read() {
        let log =
            b"\n<a@b.test>: connect: refused\nrecipient=a@b.test\noffset=243\nstatus=4.4.1\naction=delayed\n\
                    reason=connect: refused\n\n\n<old@b.test>: no route\n\n";
        let entries = parse(log);
        assert_eq!(entries.len(), 2);
        assert_eq!(entries[0].status, "4.4.1");
        assert_eq!(entries[0].to_recipient().state, RecipientState::Pending);
        assert_eq!(entries[1].recipient, Text::from("old@b.test"));
        assert_eq!(entries[1].reason, Text::from("no route"));
    }
}
