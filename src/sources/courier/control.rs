//! A control file: a letter and a value in each line, in the order in which they were written; what happens to the message is
//! appended. Source: Courier `courier/libs/comctlfile.h` (letters), `comctlfile.c` (`ctlfile_openfn`,
//! `ctlfile_append_replyfd`), `courier/submit2.C`.

use crate::evidence::{Recipient, RecipientState, Text, Time};

/// A control file is read so far; one with a hundred recipients that were tried a hundred times has about 1 MiB.
pub const MAX_BYTES: usize = 4 << 20;
/// Recipients that are kept.
const MAX_RECIPIENTS: usize = 1_000;
/// Attributes that are kept.
const MAX_ATTRIBUTES: usize = 32;
/// Planned attempts that are kept, the latest ones: the last of them counts.
const MAX_ATTEMPTS: usize = 64;

/// What was read of a control file.
#[derive(Debug, Default)]
pub struct Reading {
    /// The queue ID: inode, time and process in hexadecimal.
    pub id: Option<Text>,
    /// When the message came in, as the queue ID says.
    pub arrival: Option<Time>,
    /// The sender; empty for a bounce.
    pub sender: Option<Text>,
    /// Recipients that are kept.
    pub recipients: Vec<Recipient>,
    /// Recipients in all.
    pub count: u64,
    /// Planned attempts, in the order in which they were written.
    pub attempts: Vec<u64>,
    /// The last attempt.
    pub last_attempt: Option<Time>,
    /// When the message is given up.
    pub expires: Option<Time>,
    /// Whether the first attempt was put off on purpose.
    pub delayed: bool,
    /// What else it says.
    pub attributes: Vec<(String, Text)>,
    /// What is wrong.
    pub fault: Option<Fault>,
}

/// Something in a control file that Courier would not have written.
#[derive(Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where it begins.
    pub start: u64,
    /// Where it ends.
    pub end: u64,
    /// What was expected and what was found.
    pub text: String,
}

/// Reads a control file; `whole`: the file ends with these bytes.
pub fn read(bytes: &[u8], whole: bool) -> Reading {
    let mut reading = Reading::default();
    let mut at = 0_usize;
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        let ended = memchr::memchr(b'\n', rest);
        let line = rest.get(..ended.unwrap_or(rest.len())).unwrap_or_default();
        let end = at + line.len();
        if reading.fault.is_none()
            && let Some(text) = strange(line, ended.is_some() || !whole)
        {
            reading.fault = Some(Fault { start: at as u64, end: end as u64, text: text.to_owned() });
        }
        if let Some((letter, value)) = line.split_first() {
            reading.take(*letter, value);
        }
        at = end + 1;
    }
    if let (true, Some(lacking)) = (whole, reading.lacking()) {
        match &mut reading.fault {
            Some(fault) => fault.text = format!("{}; {lacking}", fault.text),
            None => reading.fault = Some(Fault { start: 0, end: bytes.len() as u64, text: lacking }),
        }
    }
    reading
}

/// What no line is: letters are letters and figures, and `ctlfile_openfn` ends at the first zero byte.
fn strange(line: &[u8], ended: bool) -> Option<&'static str> {
    if line.contains(&0) {
        Some("a zero byte: courierd reads no further")
    } else if line.first().is_some_and(|letter| !letter.is_ascii_alphanumeric()) {
        Some("a line begins with what is no record letter")
    } else if !ended {
        Some("the last line does not end")
    } else {
        None
    }
}

impl Reading {
    /// Records without which courierd does not treat the message as it should (`cdmsgq3.C`, `done_message`).
    fn lacking(&self) -> Option<String> {
        let mut missing = Vec::new();
        if self.sender.is_none() {
            missing.push("no sender");
        }
        if self.count == 0 {
            missing.push("no recipient, so that courierd takes it for delivered and removes it");
        }
        if self.id.is_none() {
            missing.push("no queue ID");
        }
        if self.expires.is_none() {
            missing.push("no time of expiry, so that courierd gives it up at the next attempt");
        }
        (!missing.is_empty()).then(|| format!("there is {}", missing.join(", ")))
    }

    fn take(&mut self, letter: u8, value: &[u8]) {
        match letter {
            b's' => self.sender = Some(Text::new(value)),
            b'r' => {
                self.count += 1;
                if self.recipients.len() < MAX_RECIPIENTS {
                    let address = Text::new(value);
                    self.recipients.push(Recipient { address, state: RecipientState::Pending, reason: None });
                }
            }
            b'M' => {
                self.arrival = time_in_id(value);
                self.id = Some(Text::new(value));
            }
            b'E' => self.expires = number(value).map(Time::from_unix),
            b'L' => self.delayed = true,
            b'A' => {
                if let Some(time) = number(value).and_then(|time| u64::try_from(time).ok()) {
                    if self.attempts.len() >= MAX_ATTEMPTS {
                        self.attempts.remove(0);
                    }
                    self.attempts.push(time);
                }
            }
            b'S' | b'F' | b'D' => self.outcome(letter, value),
            b'I' => self.information(value),
            b'i' => self.attribute("authenticated sender", value),
            b'f' => self.attribute("client", value),
            b'e' => self.attribute("envelope ID", value),
            b'u' => self.attribute("source", value),
            b'X' => self.attribute("cancelled", value),
            b'U' => self.attribute("security", value),
            b'v' => self.attribute("virtual host", value),
            _ => {}
        }
    }

    /// `S0 1795480046 …`: what became of a recipient, and when.
    fn outcome(&mut self, letter: u8, value: &[u8]) {
        let mut words = value.split(|byte| *byte == b' ');
        let Some(which) = words.next().and_then(number).and_then(|number| usize::try_from(number).ok())
        else {
            return;
        };
        if let Some(at) = words.next().and_then(number).map(Time::from_unix) {
            self.last_attempt = self.last_attempt.max(Some(at));
        }
        if letter != b'D'
            && let Some(recipient) = self.recipients.get_mut(which)
        {
            recipient.state = RecipientState::Done;
        }
    }

    /// `I0 R 451 …`: what was said to a recipient (R), or why there was no connection (C).
    fn information(&mut self, value: &[u8]) {
        let mut words = value.splitn(3, |byte| *byte == b' ');
        let which = words.next().and_then(number).and_then(|number| usize::try_from(number).ok());
        let (kind, text) = (words.next(), words.next());
        if let (Some(which), Some(b"R" | b"C"), Some(text)) = (which, kind, text)
            && let Some(recipient) = self.recipients.get_mut(which)
        {
            recipient.reason = Some(Text::new(text));
        }
    }

    fn attribute(&mut self, name: &str, value: &[u8]) {
        let shown = !value.is_empty() || name == "cancelled";
        if shown && self.attributes.len() < MAX_ATTRIBUTES {
            self.attributes.push((name.to_owned(), Text::new(value)));
        }
    }

    /// The inode in the queue ID: that of the control file when it was made.
    pub fn inode(&self) -> Option<u64> {
        let id = self.id.as_ref()?.as_str()?;
        u64::from_str_radix(id.split('.').next()?, 16).ok()
    }
}

fn number(value: &[u8]) -> Option<i64> {
    std::str::from_utf8(value).ok()?.parse().ok()
}

/// `INODE.TIME.PID`, hexadecimal (`submit2.C`, `basemsgid`).
fn time_in_id(value: &[u8]) -> Option<Time> {
    let time = std::str::from_utf8(value).ok()?.split('.').nth(1)?;
    i64::from_str_radix(time, 16).ok().map(Time::from_unix)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &[u8] = b"sa@lab.test\nfdns; localhost\ne\nt\nM0000000000A62D68.000000006B04D9F0.00000326\n\
                           rone@lab.test\nR\nN\nrtwo@lab.test\nR\nN\nibob\nE1796084848\nA1795480048\n";

    #[test]
    fn a_control_file_tells_who_still_waits_and_why() {
        let tried = [WHOLE, b"S0 1795480050 d\nI1 P dns; [127.0.0.2]\nI1 R 451 4.7.1 Greylisted\nD1 1795480051\nA1795480351\n"];
        let reading = read(&tried.concat(), true);
        assert_eq!(reading.fault, None);
        assert_eq!(reading.arrival, Some(Time::from_unix(0x6B04_D9F0)));
        assert_eq!(reading.inode(), Some(10_890_600));
        let states: Vec<_> = reading.recipients.iter().map(|recipient| recipient.state).collect();
        assert_eq!(states, [RecipientState::Done, RecipientState::Pending]);
        assert_eq!(reading.recipients[1].reason, Some(Text::from("451 4.7.1 Greylisted")));
        assert_eq!(reading.attempts, [1_795_480_048, 1_795_480_351]);
        assert_eq!(reading.last_attempt, Some(Time::from_unix(1_795_480_051)));
        assert!(reading.attributes.contains(&("authenticated sender".to_owned(), Text::from("bob"))));
    }

    #[test]
    fn a_control_file_cut_at_any_byte_before_its_expiry_is_noticed() {
        let expiry = memchr::memmem::find(WHOLE, b"\nA").unwrap();
        for cut in 0..=expiry {
            assert!(read(&WHOLE[..cut], true).fault.is_some(), "cut at {cut}");
        }
        for cut in expiry + 2..WHOLE.len() {
            assert_eq!(
                read(&WHOLE[..cut], true).fault.unwrap().text,
                "the last line does not end",
                "cut at {cut}"
            );
        }
        assert!(read(&WHOLE[..=expiry], true).fault.is_none(), "only the next attempt is missing");
    }

    #[test]
    fn other_bytes_are_damage_at_their_place() {
        let fault = read(b"sa@lab.test\n\0\0\0", true).fault.unwrap();
        assert_eq!((fault.start, fault.end), (12, 15));
        assert!(read(b"\xff\xfe\n", true).fault.unwrap().text.contains("no record letter"));
        assert!(
            read(b"sa@lab.test\nMxyz\nE1\n", true).fault.unwrap().text.contains("takes it for delivered")
        );
        let many = b"A1\n".repeat(10_000);
        assert_eq!(read(&many, true).attempts.len(), 64);
    }
}
