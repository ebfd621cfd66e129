//! What the envelope files say: `info`, `local`, `remote`, `todo` and `intd`.
//!
//! Source: notqmail `qmail-queue.c` (todo, intd), `qmail-send.c`: `getinfo` (info), `pass_dochan` (local, remote),
//! `markdone` (`T` becomes `D` once a recipient is delivered or given up), `todo_do` (todo).

use super::records::{self, MAX_BYTES, Record};
use crate::evidence::{Attribute, Confidence, Recipient, RecipientState, Text};
use crate::sources::Fault;
use std::io::{self, Read};

/// Recipients that are kept; all are counted.
const MAX_RECIPIENTS: usize = 1_000;
/// Faults that are kept; the first ones say what happened.
const MAX_FAULTS: usize = 4;

/// Which file it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `info`: the sender.
    Info,
    /// `local` or `remote`: recipients.
    Channel,
    /// `todo` or `intd`: who handed it in, sender, recipients.
    Todo,
}

/// What was read from the envelope files of one message.
#[derive(Debug, Clone, Default)]
pub struct Envelope {
    /// The envelope sender.
    pub sender: Option<Text>,
    /// The recipients that are kept.
    pub recipients: Vec<Recipient>,
    /// Recipients in all.
    pub count: u64,
    /// Recipients still to be delivered to.
    pub pending: u64,
    /// Who handed it in: user and process.
    pub attributes: Vec<Attribute>,
}

impl Envelope {
    /// Takes in one file. Returns what is wrong with it, in the order in which it was met.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read(&mut self, kind: Kind, input: impl Read) -> io::Result<Vec<Fault>> {
        let mut faults = Faults::default();
        let mut first = true;
        let length = records::each(input, |record| {
            match kind {
                Kind::Info if first => self.info(record, &mut faults),
                // Patches append records of their own; qmail-send reads no further than the first.
                Kind::Info => {}
                Kind::Channel => self.channel(record, &mut faults),
                Kind::Todo => self.todo(record, &mut faults),
            }
            first = false;
        })?;
        if length == 0 {
            faults.add(0, 0, kind.empty());
        }
        if length >= MAX_BYTES {
            faults.doubtful(length, length, format!("only the first {MAX_BYTES} bytes were read"));
        }
        if kind == Kind::Todo && length > 0 && self.sender.is_none() {
            faults.add(
                0,
                length,
                "there is no sender (`F`) in it: qmail-send would make an `info` without one",
            );
        }
        Ok(faults.0)
    }

    fn info(&mut self, record: Record<'_>, faults: &mut Faults) {
        if record.kind != Some(b'F') {
            let found = shown(record.kind);
            faults.add(
                record.start,
                record.end,
                format!("it begins with {found}, not with `F`: {CANNOT_READ}"),
            );
            return;
        }
        self.sender = Some(Text::new(record.value));
        if !record.ended {
            faults.add(record.start, record.end, format!("its sender has no end: {CANNOT_READ}"));
        }
    }

    fn channel(&mut self, record: Record<'_>, faults: &mut Faults) {
        let state = match record.kind {
            Some(b'T') => RecipientState::Pending,
            Some(b'D') => RecipientState::Done,
            kind => {
                let text = format!(
                    "{} where `T` or `D` should begin a recipient: qmail-send leaves off here (`unknown record type`), \
                     and tries nothing that follows",
                    shown(kind)
                );
                faults.add(record.start, record.end, text);
                return;
            }
        };
        if !record.ended {
            let text = "the last recipient has no end: qmail-send takes the ones before it for all there are";
            faults.add(record.start, record.end, text);
        }
        self.recipient(record.value, state);
    }

    fn todo(&mut self, record: Record<'_>, faults: &mut Faults) {
        let mut attribute =
            |name: &str| self.attributes.push((name.to_owned().into(), Text::new(record.value)));
        match record.kind {
            Some(b'u') => attribute("submitted_by_uid"),
            Some(b'p') => attribute("qmail_queue_process"),
            Some(b'F') => self.sender = Some(Text::new(record.value)),
            Some(b'T') => self.recipient(record.value, RecipientState::Pending),
            kind => {
                let text = format!(
                    "{} begins a record: qmail-send gives up (`unknown record type`) each time it tries, unless a patch \
                     taught it this record",
                    shown(kind)
                );
                // Letters are what patches use; anything else no program wrote.
                if kind.is_some_and(|kind| kind.is_ascii_lowercase()) {
                    faults.doubtful(record.start, record.end, text);
                } else {
                    faults.add(record.start, record.end, text);
                }
                return;
            }
        }
        if self.attributes.len() > MAX_FAULTS {
            self.attributes.truncate(MAX_FAULTS);
        }
        if !record.ended {
            let text = "the last record has no end: qmail-send leaves it out";
            faults.add(record.start, record.end, text);
        }
    }

    fn recipient(&mut self, address: &[u8], state: RecipientState) {
        self.count += 1;
        self.pending += u64::from(state == RecipientState::Pending);
        if self.recipients.len() < MAX_RECIPIENTS {
            self.recipients.push(Recipient { address: Text::new(address), state, reason: None });
        }
    }
}

const CANNOT_READ: &str = "qmail-send cannot use it (`trouble opening`, again every 123 seconds)";

impl Kind {
    /// What an empty file of this kind means.
    fn empty(self) -> &'static str {
        match self {
            Self::Info => {
                "it is empty: qmail-send cannot use it (`trouble opening`, again every 123 seconds)"
            }
            Self::Channel => "it is empty: qmail-send takes all its recipients for done and removes it",
            Self::Todo => "it is empty: qmail-send makes a message without sender and recipients of it",
        }
    }
}

#[derive(Default)]
struct Faults(Vec<Fault>);

impl Faults {
    fn add(&mut self, start: u64, end: u64, text: impl Into<String>) {
        self.push(start, end, text.into(), Confidence::Certain);
    }

    fn doubtful(&mut self, start: u64, end: u64, text: impl Into<String>) {
        self.push(start, end, text.into(), Confidence::Possible);
    }

    fn push(&mut self, start: u64, end: u64, text: String, confidence: Confidence) {
        if self.0.len() < MAX_FAULTS {
            self.0.push(Fault { start, end, text, confidence });
        }
    }
}

fn shown(kind: Option<u8>) -> String {
    match kind {
        None => "an empty record".to_owned(),
        Some(byte) if byte.is_ascii_graphic() => format!("`{}`", char::from(byte)),
        Some(byte) => format!("the byte 0x{byte:02x}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(kind: Kind, bytes: &[u8]) -> (Envelope, Vec<Fault>) {
        let mut envelope = Envelope::default();
        let faults = envelope.read(kind, bytes).unwrap();
        (envelope, faults)
    }

    #[test]
    fn delivered_recipients_are_done() {
        let (envelope, faults) = read(Kind::Channel, b"Ta@x\0Db@x\0Tc@x\0");
        assert_eq!(faults, []);
        let states: Vec<_> = envelope.recipients.iter().map(|recipient| recipient.state).collect();
        assert_eq!(states, [RecipientState::Pending, RecipientState::Done, RecipientState::Pending]);
        assert_eq!((envelope.count, envelope.pending), (3, 2));
    }

    #[test]
    fn the_null_sender_is_known_and_a_missing_one_is_not() {
        assert_eq!(read(Kind::Info, b"F\0").0.sender, Some(Text::default()));
        assert_eq!(read(Kind::Info, b"").0.sender, None);
        let (envelope, faults) = read(Kind::Info, b"Fa@x\0eheader\0");
        assert_eq!((envelope.sender, faults.len()), (Some(Text::from("a@x")), 0), "patches add records");
    }

    #[test]
    fn a_file_cut_at_any_byte_is_damaged_unless_it_ends_with_a_record() {
        for (kind, whole) in [
            (Kind::Info, &b"Fsender@lab.test\0"[..]),
            (Kind::Channel, b"Tone@x\0Dtwo@x\0Tthree@x\0"),
            (Kind::Todo, b"u0\0p1443\0Fs@x\0Tone@x\0Ttwo@x\0"),
        ] {
            for cut in 0..=whole.len() {
                let bytes = &whole[..cut];
                let (envelope, faults) = read(kind, bytes);
                let plausible =
                    bytes.ends_with(b"\0") && (kind == Kind::Channel || envelope.sender.is_some());
                assert_eq!(faults.is_empty(), plausible, "{kind:?} cut at {cut}: {faults:?}");
                assert!(faults.iter().all(|fault| fault.end <= cut as u64));
            }
        }
    }

    #[test]
    fn blocks_of_zeros_after_a_crash_are_damage() {
        let (_, faults) = read(Kind::Channel, &[0; 4_096]);
        assert!(faults[0].text.starts_with("an empty record"), "{faults:?}");
        assert_eq!(faults.len(), MAX_FAULTS);
        assert_eq!(read(Kind::Info, &[0; 64]).1.len(), 1);
    }

    #[test]
    fn a_record_that_only_a_patch_knows_is_a_doubt() {
        let (_, faults) = read(Kind::Todo, b"u0\0p1\0Fa@x\0Tb@x\0eextra\0");
        assert_eq!(faults[0].confidence, Confidence::Possible);
        let (_, faults) = read(Kind::Todo, b"u0\0p1\0Fa@x\0Xb@x\0");
        assert_eq!(faults[0].confidence, Confidence::Certain);
    }

    #[test]
    fn recipients_beyond_what_is_kept_are_counted() {
        let (envelope, faults) = read(Kind::Channel, &b"Tx@x\0".repeat(20_000));
        assert_eq!(faults, []);
        assert_eq!((envelope.count, envelope.recipients.len()), (20_000, MAX_RECIPIENTS));
    }

    #[test]
    fn an_address_without_end_is_not_kept_whole() {
        let (envelope, faults) = read(Kind::Channel, &vec![b'T'; 3 << 20]);
        assert!(envelope.recipients[0].address.bytes().len() < 5_000);
        assert_eq!(faults[0].end, 3 << 20);
    }
}
