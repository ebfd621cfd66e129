//! A control file: a letter and a value in each line, in the order in which they were written; what happens to the message is
//! appended. Source: Courier `courier/libs/comctlfile.h` (letters), `comctlfile.c` (`ctlfile_openfn`,
//! `ctlfile_append_replyfd`), `courier/submit2.C`.

use crate::evidence::{Attribute, Recipient, RecipientState, Text, Time};

/// A control file is read so far, piece by piece: what became of the recipients stands at its end. One with a hundred
/// thousand recipients that were tried a hundred times each has about this much.
pub const MAX_BYTES: u64 = 1 << 30;
/// So much of it is held at a time; no line of it is as long (`comctlfile.c` appends a line per reply).
const PIECE_BYTES: usize = 1 << 20;
/// What is read beyond the size that the file had when it was opened.
const APPENDED_MEANWHILE: usize = 4 << 10;
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
    pub attributes: Vec<Attribute>,
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

/// Reads a control file that is held as a whole; `whole`: the file ends with these bytes.
#[cfg(test)]
pub fn read(bytes: &[u8], whole: bool) -> Reading {
    let mut reading = Reading::default();
    let taken = reading.lines(bytes, 0);
    reading.last_line(bytes.get(taken..).unwrap_or_default(), taken as u64, whole);
    if whole {
        reading.finish(bytes.len() as u64);
    }
    reading
}

/// Reads a control file of this size piece by piece; `piece` gives at most so many bytes from there on.
///
/// # Errors
/// As `piece` reports.
pub fn read_pieces(
    size: u64,
    mut piece: impl FnMut(u64, usize) -> std::io::Result<Vec<u8>>,
) -> std::io::Result<Reading> {
    let mut reading = Reading::default();
    let mut at = 0;
    while at < MAX_BYTES {
        // Most files are small; a running courierd may append a few lines meanwhile.
        let left = usize::try_from(size.saturating_sub(at)).unwrap_or(PIECE_BYTES);
        let limit = left.saturating_add(APPENDED_MEANWHILE).min(PIECE_BYTES);
        let bytes = piece(at, limit)?;
        let taken = reading.lines(&bytes, at);
        if bytes.len() < PIECE_BYTES {
            let rest = bytes.get(taken..).unwrap_or_default();
            at += taken as u64;
            let end = at + rest.len() as u64;
            reading.last_line(rest, at, end >= size && bytes.len() < limit);
            if end >= size {
                reading.finish(end);
            }
            return Ok(reading);
        }
        if taken == 0 {
            break;
        }
        at += taken as u64;
    }
    reading.break_off(at, size);
    Ok(reading)
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
    /// Takes the lines that end within these bytes, which begin there in the file; how many bytes that were.
    fn lines(&mut self, bytes: &[u8], offset: u64) -> usize {
        let mut at = 0_usize;
        while let Some(rest) = bytes.get(at..)
            && let Some(length) = memchr::memchr(b'\n', rest)
        {
            self.line(rest.get(..length).unwrap_or_default(), offset + at as u64, true);
            at += length + 1;
        }
        at
    }

    /// Takes what stands behind the last line end; `whole`: the file ends with it.
    fn last_line(&mut self, line: &[u8], offset: u64, whole: bool) {
        if !line.is_empty() {
            self.line(line, offset, !whole);
        }
    }

    fn line(&mut self, line: &[u8], offset: u64, ended: bool) {
        if self.fault.is_none()
            && let Some(text) = strange(line, ended)
        {
            let end = offset + line.len() as u64;
            self.fault = Some(Fault { start: offset, end, text: text.to_owned() });
        }
        if let Some((letter, value)) = line.split_first() {
            self.take(*letter, value);
        }
    }

    /// Says what a file of this size lacks.
    fn finish(&mut self, size: u64) {
        let Some(lacking) = self.lacking() else { return };
        match &mut self.fault {
            Some(fault) => fault.text = format!("{}; {lacking}", fault.text),
            None => self.fault = Some(Fault { start: 0, end: size, text: lacking }),
        }
    }

    /// The rest is not read: who was served by then is not known, since that is written at the end.
    fn break_off(&mut self, at: u64, size: u64) {
        let waiting = |recipient: &&mut Recipient| recipient.state == RecipientState::Pending;
        for recipient in self.recipients.iter_mut().filter(waiting) {
            recipient.state = RecipientState::Unknown;
        }
        let text = format!(
            "{size} bytes, which are no lines of a control file from here on or too many: they were not read, and who was \
             served by then is not known"
        );
        self.fault.get_or_insert(Fault { start: at, end: size, text });
    }

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
            self.attributes.push((name.to_owned().into(), Text::new(value)));
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
        assert!(reading.attributes.contains(&("authenticated sender".into(), Text::from("bob"))));
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

    fn in_pieces(bytes: &[u8]) -> Reading {
        let piece = |at: u64, limit: usize| {
            let at = usize::try_from(at).unwrap().min(bytes.len());
            Ok(bytes[at..bytes.len().min(at + limit)].to_vec())
        };
        read_pieces(bytes.len() as u64, piece).unwrap()
    }

    #[test]
    fn who_was_served_is_read_at_the_end_of_a_file_however_long() {
        let replies = b"I1 R 451 4.7.1 Greylisted\nD1 1795480051\n".repeat(150_000);
        let long = [WHOLE, &replies, b"S0 1795480050 d\n"].concat();
        assert!(long.len() > 4 * PIECE_BYTES);
        let reading = in_pieces(&long);
        assert_eq!(reading.fault, None);
        assert_eq!(reading.recipients[0].state, RecipientState::Done);
        assert_eq!(reading.recipients[1].state, RecipientState::Pending);
    }

    #[test]
    fn pieces_and_the_whole_read_alike() {
        for cut in 0..=WHOLE.len() {
            let (pieces, whole) = (in_pieces(&WHOLE[..cut]), read(&WHOLE[..cut], true));
            assert_eq!(format!("{pieces:?}"), format!("{whole:?}"), "cut at {cut}");
        }
    }

    #[test]
    fn nobody_waits_for_sure_where_the_end_cannot_be_read() {
        let endless = [WHOLE, b"I1 R ", &vec![b'x'; 3 * PIECE_BYTES][..], b"\nS0 1795480050 d\n"].concat();
        let reading = in_pieces(&endless);
        assert_eq!(reading.fault.unwrap().start, WHOLE.len() as u64);
        assert!(reading.recipients.iter().all(|recipient| recipient.state == RecipientState::Unknown));
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
