//! The envelope at the start of a queue file: a line with the sender, a line for each recipient, an empty line. The message
//! follows. Source: nullmailer `src/queue.cc`, `copyenv`.

use crate::evidence::{Recipient, RecipientState, Text};

/// The envelope is read so far: some tens of thousands of recipients.
pub const MAX_ENVELOPE_BYTES: usize = 1 << 20;
/// Recipients that are kept.
const MAX_RECIPIENTS: usize = 1_000;
/// No address is longer: 320 characters by RFC 5321 section 4.5.3.1, and there is room for a route.
const MAX_ADDRESS_BYTES: usize = 4_096;

/// What was read of an envelope.
#[derive(Debug, Default)]
pub struct Reading {
    /// The sender; empty for a bounce.
    pub sender: Option<Text>,
    /// Recipients that are kept.
    pub recipients: Vec<Recipient>,
    /// Recipients in all.
    pub count: u64,
    /// Where the message begins.
    pub content_at: Option<usize>,
    /// What is wrong.
    pub fault: Option<Fault>,
}

/// Something in an envelope that nullmailer would not have written.
#[derive(Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where it begins.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
    /// What was expected and what was found.
    pub text: String,
}

/// Reads the envelope at the start of these bytes; `whole`: the file ends with them.
pub fn read(bytes: &[u8], whole: bool) -> Reading {
    let mut reading = Reading::default();
    let mut at = 0;
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        let Some(length) = memchr::memchr(b'\n', rest) else { break };
        let line = rest.get(..length).unwrap_or_default();
        let end = at + length;
        if reading.sender.is_none() {
            if let Some(text) = strange(line, true) {
                reading.fault = Some(Fault { start: at, end, text: format!("the sender {text}") });
                return reading;
            }
            reading.sender = Some(Text::new(line));
        } else if line.is_empty() {
            reading.content_at = Some(end + 1);
            break;
        } else {
            if let Some(text) = strange(line, false) {
                reading.fault = Some(Fault { start: at, end, text: format!("a recipient {text}") });
                return reading;
            }
            reading.count += 1;
            if reading.recipients.len() < MAX_RECIPIENTS {
                let address = Text::new(line);
                reading.recipients.push(Recipient { address, state: RecipientState::Pending, reason: None });
            }
        }
        at = end + 1;
    }
    reading.fault = fault_at_end(&reading, bytes, at, whole);
    reading
}

/// What is wrong with an envelope whose lines are right.
fn fault_at_end(reading: &Reading, bytes: &[u8], at: usize, whole: bool) -> Option<Fault> {
    let end = bytes.len();
    match reading.content_at {
        Some(_) if reading.count == 0 => {
            Some(Fault { start: 0, end: at, text: "the envelope has no recipient".to_owned() })
        }
        // `makereceived` writes a Received field before anything else.
        Some(content) if whole && content >= end => Some(Fault {
            start: end,
            end,
            text: "nothing follows the envelope: the message is missing".to_owned(),
        }),
        None if whole => Some(Fault {
            start: at,
            end,
            text: "the file ends within the envelope, before the empty line".to_owned(),
        }),
        _ => None,
    }
}

/// What no address is: `validate_addr` asks for an `@` with something before it, and addresses of the administrator, which
/// replace others unchecked, are at least printable.
fn strange(line: &[u8], sender: bool) -> Option<&'static str> {
    if line.len() > MAX_ADDRESS_BYTES {
        return Some("is longer than any address");
    }
    if line.iter().any(u8::is_ascii_control) {
        return Some("has control characters in it");
    }
    let at = memchr::memchr(b'@', line);
    match at {
        Some(0) => Some("has nothing before its `@`"),
        None if sender && !line.is_empty() => Some("is no address: it has no `@`"),
        None if line.iter().any(|byte| matches!(byte, b' ' | b':')) => Some("is no address: it has no `@`"),
        _ => None,
    }
}

/// Says of a line of the envelope what no address is.
///
/// # Errors
/// What is wrong with it.
pub fn check(line: &[u8], sender: bool) -> Result<(), &'static str> {
    strange(line, sender).map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &[u8] = b"a@b.example\nc@d.example\ne@f.example\n\nReceived: x\n\nbody\n";

    #[test]
    fn sender_and_recipients_stand_before_the_empty_line() {
        let reading = read(WHOLE, true);
        assert_eq!(reading.fault, None);
        assert_eq!(reading.sender, Some(Text::from("a@b.example")));
        assert_eq!(reading.count, 2);
        assert_eq!(reading.content_at.and_then(|at| WHOLE.get(at..at + 8)), Some(&b"Received"[..]));
        let bounce = read(b"\nroot\n\nReceived: x\n", true);
        assert_eq!((bounce.sender, bounce.fault), (Some(Text::default()), None));
    }

    #[test]
    fn an_envelope_cut_at_any_byte_is_noticed_and_what_is_there_is_kept() {
        let content = WHOLE.iter().position(|byte| *byte == b'R').unwrap();
        for cut in 0..=content {
            let reading = read(&WHOLE[..cut], true);
            assert!(reading.fault.is_some(), "cut at {cut}");
            assert_eq!(reading.sender.is_some(), cut > 11);
        }
        assert!(read(&WHOLE[..=content], true).fault.is_none());
        assert!(read(&WHOLE[..20], false).fault.is_none(), "the rest was only not read");
    }

    #[test]
    fn what_is_no_address_is_damage_at_its_byte() {
        let fault = read(b"a@b.example\nFrom: somebody\n\nx", true).fault.unwrap();
        assert_eq!((fault.start, fault.end), (12, 26));
        assert!(read(b"\0\0\0\0\n", true).fault.unwrap().text.contains("control"));
        assert!(read(b"a@b.example\n\nReceived: x\n", true).fault.unwrap().text.contains("no recipient"));
    }
}
