//! The control file of a message: envelope and header, one item a line, the code of each in its first byte.
//!
//! Source: sendmail `sendmail/queue.c` (`queueup` writes it, `readqf` reads it), `sendmail/util.c` (`fgetfolded`),
//! `sendmail/savemail.c` (`xtextok`); `doc/op/op.me`, appendix "Queue file formats".

use super::reading::{Fate, Reading};
use crate::evidence::{Confidence, Text};

/// The newest version that is known (`QF_VERSION`, since 8.13).
pub const NEWEST: u64 = 8;
/// Why a control file is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownVersion(pub u64);

/// One item: a line and the lines below it that begin with white space.
struct Item<'a> {
    start: usize,
    end: usize,
    bytes: &'a [u8],
}

impl Item<'_> {
    fn code(&self) -> u8 {
        self.bytes.first().copied().unwrap_or(0)
    }

    fn value(&self) -> &[u8] {
        self.bytes.get(1..).unwrap_or_default()
    }

    fn text(&self) -> Text {
        Text::new(self.value())
    }
}

/// Reads a control file. `whole`: nothing follows behind these bytes.
///
/// # Errors
/// When it says that it is of a version that is not known.
pub fn read(bytes: &[u8], whole: bool) -> Result<Reading, UnknownVersion> {
    let mut reader = Reader { reading: Reading::default(), reason: None };
    let mut at = 0;
    while let Some(item) = next(bytes, at) {
        at = item.end;
        if reader.reading.ended {
            let text = "something follows behind the line `.` that ends a control file";
            reader.reading.fault(item.start, item.end, Confidence::Certain, Fate::Lost, text);
            break;
        }
        if !whole && item.end == bytes.len() {
            break;
        }
        reader.item(&item)?;
        if reader.reading.version.is_none() && !reader.reading.faults.is_empty() {
            break;
        }
    }
    reader.finish(bytes, whole);
    Ok(reader.reading)
}

/// The items of a control file, each with its code in front and without its line end.
pub fn items(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let item = next(bytes, at)?;
        at = item.end;
        Some(item.bytes)
    })
}

/// The item at this place (`fgetfolded`).
fn next(bytes: &[u8], start: usize) -> Option<Item<'_>> {
    bytes.get(start).filter(|_| start < bytes.len())?;
    let mut end = start;
    loop {
        let rest = bytes.get(end..)?;
        end += memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
        if !matches!(bytes.get(end), Some(b' ' | b'\t')) {
            break;
        }
    }
    let line = bytes.get(start..end)?;
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    Some(Item { start, end, bytes: line.strip_suffix(b"\r").unwrap_or(line) })
}

struct Reader {
    reading: Reading,
    /// What the last attempt said of the recipient that follows.
    reason: Option<Text>,
}

impl Reader {
    fn item(&mut self, item: &Item<'_>) -> Result<(), UnknownVersion> {
        match item.code() {
            b'V' => self.version(item)?,
            b'T' | b'K' | b'N' | b'P' => self.number(item),
            b'I' => self.data_file(item),
            b'q' => self.quarantine(item),
            b'M' => self.message(item),
            b'S' => self.reading.sender = Some(address(item.value())),
            b'R' => self.recipient(item),
            b'H' => self.reading.header(item.value()),
            b'A' => {
                self.reading.attribute("auth_sender", item.text());
                if !is_xtext(item.value()) {
                    let text = "expected xtext in the line `A` (the AUTH parameter)";
                    self.reading.fault(item.start, item.end, Confidence::Certain, Fate::Lost, text);
                }
            }
            b'B' => {
                self.reading.attribute("body_type", item.text());
                let known =
                    ["7BIT", "8BITMIME"].iter().any(|t| item.value().eq_ignore_ascii_case(t.as_bytes()));
                if !known {
                    let text = "expected `7BIT` or `8BITMIME` in the line `B`";
                    self.reading.fault(item.start, item.end, Confidence::Certain, Fate::Lost, text);
                }
            }
            b'F' => self.flags(item),
            b'd' => {
                self.reading.data_folder = Some(item.text());
                self.reading.attribute("data_folder", item.text());
            }
            b'$' => self.macro_value(item),
            b'C' if !item.value().is_empty() => self.reading.attribute("controlling_user", item.text()),
            b'Z' => self.reading.attribute("envelope_id", item.text()),
            b'!' => self.reading.attribute("deliver_by", item.text()),
            // The data file of old versions, the error recipient, the content length of Solaris, the original and the final
            // recipient of the line `R` that follows.
            b'D' | b'E' | b'L' | b'Q' | b'r' | b'C' => {}
            b'.' => self.reading.ended = true,
            other => {
                let text = format!("no version that is known has lines that begin with {}", shown(other));
                self.reading.fault(item.start, item.end, Confidence::Likely, Fate::Lost, text);
            }
        }
        Ok(())
    }

    fn version(&mut self, item: &Item<'_>) -> Result<(), UnknownVersion> {
        match leading_number(item.value()) {
            Some(version) if version > NEWEST => return Err(UnknownVersion(version)),
            Some(version) => self.reading.version = Some(version),
            None => {
                let text = "expected the version of the format as a number behind `V`";
                self.reading.fault(item.start, item.end, Confidence::Likely, Fate::Sent, text);
            }
        }
        Ok(())
    }

    fn number(&mut self, item: &Item<'_>) {
        let value = String::from_utf8_lossy(item.value());
        let Ok(number) = value.trim().parse::<i64>() else {
            let code = char::from(item.code());
            let text = format!("expected a number in the line `{code}`");
            self.reading.fault(item.start, item.end, Confidence::Likely, Fate::Sent, text);
            return;
        };
        let original = String::from_utf8_lossy(item.bytes).into_owned();
        match item.code() {
            b'T' => self.reading.arrival = Some((number, original)).filter(|(time, _)| *time != 0),
            b'K' => self.reading.last_attempt = Some((number, original)).filter(|(time, _)| *time != 0),
            b'N' => {
                self.reading.attempts = Some(number);
                self.reading.attribute("attempts", item.text());
            }
            _ => self.reading.priority = Some(number),
        }
    }

    /// `gatherq` reads on until it has found the lines `P` and `T`; a line `q` before that hides the message.
    fn quarantine(&mut self, item: &Item<'_>) {
        let seen = self.reading.priority.is_none() || self.reading.arrival.is_none();
        self.reading.quarantine = Some(item.text());
        self.reading.quarantine_at = (item.start, item.end);
        self.reading.hidden_by_quarantine |= seen;
    }

    fn message(&mut self, item: &Item<'_>) {
        let text = item.text();
        // Before the sender it is about the message, behind it about the recipient that follows (`queueup`).
        if self.reading.sender.is_none() {
            self.reading.status = Some(text);
        } else {
            self.reason = Some(text);
        }
    }

    fn recipient(&mut self, item: &Item<'_>) {
        let value = item.value();
        let versioned = self.reading.version.is_some_and(|version| version >= 1);
        let found = if versioned {
            memchr::memchr(b':', value).and_then(|colon| value.get(colon + 1..))
        } else {
            Some(value)
        };
        let reason = self.reason.take();
        if let Some(found) = found.filter(|found| !found.is_empty()) {
            self.reading.recipient(address(found), reason);
        } else {
            let text =
                "expected flags, `:` and an address in the line `R`: sendmail leaves this recipient out";
            self.reading.fault(item.start, item.end, Confidence::Certain, Fate::Sent, text);
        }
    }

    fn flags(&mut self, item: &Item<'_>) {
        if item.bytes.starts_with(b"From ") {
            let text = "a line that begins with `From `, as in a mailbox";
            self.reading.fault(item.start, item.end, Confidence::Certain, Fate::Lost, text);
            return;
        }
        self.reading.attribute("flags", item.text());
    }

    /// Device and inode of the data file: `queueup` writes them, `readqf` passes over them.
    fn data_file(&mut self, item: &Item<'_>) {
        let value = String::from_utf8_lossy(item.value());
        self.reading.data_inode = value.rsplit('/').next().and_then(|inode| inode.trim().parse().ok());
    }

    /// `$rESMTP`, `${client_addr}192.0.2.1`.
    fn macro_value(&mut self, item: &Item<'_>) {
        let value = item.value();
        let (name, text) = if let Some(long) = value.strip_prefix(b"{") {
            let end = memchr::memchr(b'}', long).unwrap_or(long.len());
            (long.get(..end), long.get(end + 1..))
        } else {
            (value.get(..1), value.get(1..))
        };
        let name = String::from_utf8_lossy(name.unwrap_or_default());
        let name = match name.as_ref() {
            "r" => "protocol",
            "s" => "helo_name",
            "_" => "client",
            other => other,
        };
        self.reading.attribute(name.to_owned(), Text::new(text.unwrap_or_default()));
    }

    /// The checks at the end of `readqf`, and the lines without which a message cannot be sent as it was meant.
    fn finish(&mut self, bytes: &[u8], whole: bool) {
        let end = bytes.len();
        let reading = &mut self.reading;
        if whole && !reading.ended && end > 0 {
            if memchr::memchr(b'\n', bytes).is_none() {
                let text = "it does not hold one whole line";
                reading.fault(0, end, Confidence::Certain, Fate::Deleted, text);
            } else if reading.faults.iter().all(|fault| fault.fate != Fate::Lost) {
                let text = "the line `.` that ends a control file is missing";
                reading.fault(end, end, Confidence::Certain, Fate::GivenUp, text);
            }
        }
        if reading.version.is_none() {
            reading.fault(0, end, Confidence::Likely, Fate::Sent, "there is no line `V` with the version");
        }
        if !reading.ended {
            return;
        }
        if reading.arrival.is_none() {
            let text = "there is no line `T` with the time of arrival: the listing says `no control file`";
            reading.fault(0, end, Confidence::Likely, Fate::Sent, text);
        }
        if reading.sender.is_none() {
            reading.fault(0, end, Confidence::Likely, Fate::Dies, "there is no line `S` with the sender");
        }
        if reading.recipient_count == 0 {
            let text = "there is no line `R` with a recipient";
            reading.fault(0, end, Confidence::Likely, Fate::Deleted, text);
        }
    }
}

/// An address without its angle brackets; `<>` is the null sender.
pub fn address(value: &[u8]) -> Text {
    let value = value.trim_ascii();
    let bare = value.strip_prefix(b"<").and_then(|rest| rest.strip_suffix(b">"));
    Text::new(bare.unwrap_or(value))
}

/// RFC 3461 section 4, as `xtextok` reads it.
fn is_xtext(value: &[u8]) -> bool {
    let mut bytes = value.iter();
    while let Some(byte) = bytes.next() {
        let valid = match byte {
            b'+' => (0..2).all(|_| bytes.next().is_some_and(u8::is_ascii_hexdigit)),
            byte => (b'!'..=b'~').contains(byte) && *byte != b'=',
        };
        if !valid {
            return false;
        }
    }
    true
}

/// The figures at the start, as `atoi` reads them.
fn leading_number(value: &[u8]) -> Option<u64> {
    let end = value.iter().take_while(|byte| byte.is_ascii_digit()).count();
    std::str::from_utf8(value.get(..end)?).ok()?.parse().ok()
}

/// A code for people.
fn shown(code: u8) -> String {
    if code.is_ascii_graphic() { format!("`{}`", char::from(code)) } else { format!("the byte 0x{code:02x}") }
}
