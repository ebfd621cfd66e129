//! A Q file: `ID:`, `Sender:` and `Recipient:`, a line each. Source: dma `spool.c`, `writequeuef`, `readqueuef`.

use crate::evidence::Text;

/// What is said of the one fault that dma does not refuse.
pub const CUT: &str = "the last line does not end";

/// dma writes three short lines.
pub const MAX_BYTES: usize = 64 << 10;
/// A longer line is read in pieces of this size, which are then no lines any more (`fgets` into `line[1000]`).
const LINE_BYTES: usize = 999;

/// What was read of a Q file.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// The ID that it gives itself.
    pub id: Option<Text>,
    /// The sender; empty for a bounce.
    pub sender: Option<Text>,
    /// The one recipient.
    pub recipient: Option<Text>,
    /// What is wrong.
    pub fault: Option<Fault>,
}

/// Something in a Q file that dma would not have written.
#[derive(Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where it begins.
    pub start: u64,
    /// Where it ends.
    pub end: u64,
    /// What was expected and what was found.
    pub text: String,
    /// Whether dma refuses the file because of it; if not, it takes it for whole.
    pub refused: bool,
}

/// Reads a Q file.
pub fn read(bytes: &[u8]) -> Reading {
    let mut reading = Reading::default();
    let mut at = 0_usize;
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        let ended = memchr::memchr(b'\n', rest);
        let length = ended.unwrap_or(rest.len());
        let line = rest.get(..length).unwrap_or_default();
        let end = at + length;
        let fault = |text: String, refused: bool| Fault { start: at as u64, end: end as u64, text, refused };
        if reading.fault.is_none() {
            reading.fault = if line.len() >= LINE_BYTES {
                Some(fault("a line is longer than dma reads".to_owned(), true))
            } else if line.contains(&0) {
                Some(fault("a line has a zero byte in it".to_owned(), true))
            } else if !line.contains(&b':') {
                Some(fault("a line has no colon".to_owned(), true))
            } else {
                None
            };
        }
        take(&mut reading, line);
        if ended.is_none() && reading.fault.is_none() {
            let short = line.get(..line.len().saturating_sub(1)).unwrap_or_default();
            let text = format!(
                "{CUT}: dma takes its last character off and reads `{}`",
                String::from_utf8_lossy(short)
            );
            reading.fault = Some(fault(text, false));
        }
        at = end + 1;
    }
    let missing = |field: &Option<Text>, may_be_empty: bool| {
        field.as_ref().is_none_or(|text| text.is_empty() && !may_be_empty)
    };
    let incomplete = [
        ("ID", missing(&reading.id, false)),
        ("Sender", missing(&reading.sender, true)),
        ("Recipient", missing(&reading.recipient, false)),
    ];
    let lacking: Vec<&str> =
        incomplete.iter().filter(|(_, missing)| *missing).map(|(name, _)| *name).collect();
    if !lacking.is_empty() && reading.fault.as_ref().is_none_or(|fault| !fault.refused) {
        let end = bytes.len() as u64;
        let text = format!("there is no {}", lacking.join(", no "));
        reading.fault = Some(Fault { start: end, end, text, refused: true });
    }
    reading
}

fn take(reading: &mut Reading, line: &[u8]) {
    let Some(colon) = memchr::memchr(b':', line) else { return };
    let (name, value) = line.split_at_checked(colon).unwrap_or_default();
    let value = Text::new(value.get(1..).unwrap_or_default().trim_ascii_start());
    match name {
        b"ID" => reading.id = Some(value),
        b"Sender" => reading.sender = Some(value),
        b"Recipient" => reading.recipient = Some(value),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &[u8] = b"ID: 9f6e4f.55b2b8040f40\nSender: sender@lab.test\nRecipient: grey1@grey.test\n";

    #[test]
    fn a_whole_file_has_three_fields() {
        let reading = read(WHOLE);
        assert_eq!(reading.fault, None);
        assert_eq!(reading.id, Some(Text::from("9f6e4f.55b2b8040f40")));
        assert_eq!(reading.sender, Some(Text::from("sender@lab.test")));
        assert_eq!(reading.recipient, Some(Text::from("grey1@grey.test")));
        let bounce = read(b"ID: 1.2\nSender: \nRecipient: root\nLater: what a newer dma may add\n");
        assert_eq!((bounce.sender, bounce.fault), (Some(Text::default()), None));
    }

    #[test]
    fn a_file_cut_at_any_byte_is_noticed() {
        for cut in 0..WHOLE.len() {
            let fault = read(&WHOLE[..cut]).fault.unwrap_or_else(|| panic!("cut at {cut}"));
            let recipient_begun = cut > WHOLE.len() - 16;
            assert!(fault.refused || recipient_begun, "cut at {cut}: {fault:?}");
        }
        let short = read(&WHOLE[..WHOLE.len() - 1]).fault.unwrap();
        assert!(!short.refused && short.text.contains("`Recipient: grey1@grey.tes`"), "{}", short.text);
    }

    #[test]
    fn what_dma_refuses_is_named() {
        assert_eq!(read(b"").fault.unwrap().text, "there is no ID, no Sender, no Recipient");
        let fault = read(b"ID: 1.2\nnonsense\n").fault.unwrap();
        assert_eq!((fault.start, fault.end, fault.refused), (8, 16, true));
        assert!(read(&[b'x'; 5_000]).fault.unwrap().text.contains("longer"));
    }
}
