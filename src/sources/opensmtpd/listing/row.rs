//! One line of `smtpctl show queue`:
//! `EVPID|SOURCE|AGENT|FLAGS|SENDER|RCPT|DEST|CREATED|EXPIRES|LAST|RETRY|STATE|SECONDS|ERROR`.
//!
//! Neither addresses nor the error are quoted (`strnvis` leaves `|` alone), so that the figures and the state in the middle
//! are looked for, and what stands before and after them is taken as it is.

use crate::evidence::{EntryState, ListingEntry, Text, Time};
use crate::sources::opensmtpd::id;

/// Fields before the addresses.
const LEADING: usize = 4;
/// Figures before the state.
const FIGURES: usize = 4;
/// Run states (`show_queue_envelope`).
const STATES: [&[u8]; 4] = [b"pending", b"inflight", b"offline", b"invalid"];

/// Reads a line.
pub fn read(line: &[u8], number: u64) -> Option<ListingEntry> {
    let fields: Vec<&[u8]> = line.split(|byte| *byte == b'|').collect();
    let (_, message) = id::envelope(fields.first()?)?;
    let agent = *fields.get(2)?;
    if ![&b"mta"[..], b"mda", b"bounce", b"?"].contains(&agent) {
        return None;
    }
    let figures = (LEADING..fields.len()).find(|start| {
        let all = fields.get(*start..start + FIGURES).unwrap_or_default();
        let state = fields.get(start + FIGURES);
        all.len() == FIGURES
            && all.iter().all(|field| is_number(field))
            && state.is_some_and(|state| STATES.contains(state))
    })?;
    // The seconds, which are empty for two of the states, and the error.
    let error = fields.get(figures + FIGURES + 2..).filter(|rest| !rest.is_empty())?.join(&b'|');
    let addresses = fields.get(LEADING..figures).unwrap_or_default();
    // With a `|` in one of them it cannot be told where the next one begins.
    let (sender, recipient) = match addresses {
        [sender, recipient, _destination] => (Some(address(sender)), Some(address(recipient))),
        _ => (None, None),
    };
    let created = std::str::from_utf8(fields.get(figures)?).ok()?.parse().ok().filter(|time| *time > 0);
    let suspended = fields.get(3)?.split(|byte| *byte == b',').any(|flag| flag == b"suspend");
    Some(ListingEntry {
        line: number,
        native: Some(Text::from(message)),
        sender,
        recipients: recipient.into_iter().collect(),
        arrived: created.map(Time::from_unix),
        // `hold` is the limit of smtpd for one destination, which it lifts by itself.
        state: if suspended { EntryState::Held } else { EntryState::Normal },
        reason: Some(Text::new(error)).filter(|reason| !reason.is_empty()),
        ..ListingEntry::default()
    })
}

fn is_number(field: &[u8]) -> bool {
    !field.is_empty() && field.iter().all(u8::is_ascii_digit)
}

/// An address as `smtpctl` prints it; `@` is the null sender.
fn address(field: &[u8]) -> Text {
    Text::new(field.strip_suffix(b"@").unwrap_or(field))
}
