//! `bounce/NUMBER`: recipients that were given up, and why.
//!
//! Source: notqmail `qmail-send.c`, `addbounce`: `<ADDRESS>:`, lines of text, an empty line.

use crate::evidence::{Recipient, RecipientState, Text};

/// So much of a log is read.
pub const MAX_LOG_BYTES: usize = 256 << 10;
/// Recipients that are kept.
const MAX_RECIPIENTS: usize = 1_000;
/// What is kept of one reason.
const MAX_REASON_BYTES: usize = 4_096;

/// Recipients with their reasons, in the order of the log. They are done with: never to be sent to again.
pub fn parse(bytes: &[u8]) -> Vec<Recipient> {
    let mut found: Vec<(Text, Vec<u8>)> = Vec::new();
    let mut begins = true;
    for line in bytes.split(|byte| *byte == b'\n') {
        let address = line.strip_prefix(b"<").and_then(|rest| rest.strip_suffix(b">:"));
        if let Some(address) = address.filter(|_| begins) {
            if found.len() >= MAX_RECIPIENTS {
                break;
            }
            found.push((Text::new(address), Vec::new()));
        } else if let Some((_, reason)) = found.last_mut() {
            if !reason.is_empty() && !line.is_empty() {
                reason.push(b' ');
            }
            let room = MAX_REASON_BYTES.saturating_sub(reason.len());
            reason.extend_from_slice(line.get(..line.len().min(room)).unwrap_or_default());
            reason.truncate(MAX_REASON_BYTES);
        }
        begins = line.is_empty();
    }
    let recipient = |(address, reason): (Text, Vec<u8>)| Recipient {
        address,
        state: RecipientState::Done,
        reason: (!reason.is_empty()).then(|| Text::new(reason)),
    };
    found.into_iter().map(recipient).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_recipient_keeps_the_lines_that_speak_of_it() {
        let log =
            b"<a@x>:\n127.0.0.5 does not like recipient.\nRemote host said: 550 no\n\n<b@x>:\nSorry.\n\n";
        let found = parse(log);
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].address, Text::from("a@x"));
        let reason = found[0].reason.as_ref().unwrap().lossy().into_owned();
        assert_eq!(reason, "127.0.0.5 does not like recipient. Remote host said: 550 no");
        assert_eq!(found[1].reason, Some(Text::from("Sorry.")));
    }

    #[test]
    fn a_log_of_any_bytes_is_survived() {
        assert_eq!(parse(b""), []);
        assert_eq!(parse(&vec![0xff; 100_000]), []);
        let endless: Vec<u8> = [&b"<a@x>:\n"[..], &b"line\n".repeat(50_000)].concat();
        assert!(parse(&endless)[0].reason.as_ref().unwrap().bytes().len() <= MAX_REASON_BYTES);
        assert_eq!(parse(&b"<a@x>:\n\n".repeat(9_000)).len(), MAX_RECIPIENTS);
    }
}
