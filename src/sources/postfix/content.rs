//! All of a queue file: every recipient with what the sender asked for, and the message as it would be sent.
//!
//! Source: Postfix `qmgr/qmgr_message.c` (`qmgr_message_read`), `global/rec_attr_map.c`, `global/dsn_mask.h`,
//! `global/smtputf8.h` (the numbers of DSN and SMTPUTF8), `smtp/smtp_proto.c` and `global/record.c` (an N record is a line,
//! L records are pieces of one).

use super::queue_file::{self, Listen, MAX_VALUE_BYTES, Reader};
use super::reading::Reading;
use super::records::{Record, Window};
use crate::evidence::{Confidence, Envelope, Message, Recipient, RecipientState, Text};
use crate::plan::{Given, Notify, Outgoing, Refusal, Ret};
use crate::read::disk::{OpenFile, Root};
use crate::sources::Extent;
use std::io::{self, Write};

/// Recipients that are kept. Postfix delivers to more; nobody is known to have sent to so many at once.
const MAX_RECIPIENTS: usize = 100_000;
/// The same in bytes of their addresses.
const MAX_RECIPIENT_BYTES: usize = 16 << 20;
/// What to do where a message is not whole.
const SAVE: &str =
    "save what there is of it with `ghostq requeue --via export:DIR`, or read it with `postcat`";

/// What the sender asked for one recipient.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Asked {
    notify: Notify,
    orcpt: Option<Text>,
}

/// All that a queue file says of its envelope, and how its content was read.
#[derive(Debug, Default)]
pub struct Whole {
    /// How it was read.
    pub reading: Reading,
    recipients: Vec<Recipient>,
    asked: Vec<Asked>,
    /// What the next recipient was asked for: these records stand before it.
    next: Asked,
    bytes: usize,
    /// Why the recipients are not known, though every record was read.
    unknown: Option<&'static str>,
    ret: Option<Ret>,
    envid: Option<Text>,
    smtputf8: bool,
    redirected: bool,
}

impl Listen for Whole {
    fn envelope(&mut self, record: &Record, value: &[u8]) {
        match record.kind {
            b'R' => self.recipient(record, value, RecipientState::Pending),
            b'D' | b'/' => self.recipient(record, value, RecipientState::Done),
            b'S' if record.length > MAX_VALUE_BYTES as u64 || value.iter().any(u8::is_ascii_control) => {
                self.unknown = Some("its sender is no address, as damage leaves them");
            }
            b'A' => match queue_file::split_attribute(value) {
                Some((b"dsn_orig_rcpt", value)) => self.named(b'o', value),
                Some((b"notify_flags", value)) => self.named(b'n', value),
                Some((b"envelope_id", value)) => self.named(b'i', value),
                Some((b"ret_flags", value)) => self.named(b'<', value),
                Some((b"smtputf8", value)) => {
                    self.smtputf8 |= number(value).is_some_and(|bits| bits & 1 != 0);
                }
                _ => {}
            },
            b'>' => self.redirected = true,
            // The sixth number: what the message needs on its way; bit 0 is SMTPUTF8 as the client asked for it.
            b'C' => {
                let sixth = value.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).nth(5);
                self.smtputf8 |= sixth.and_then(number).is_some_and(|bits| bits & 1 != 0);
            }
            kind => self.named(kind, value),
        }
    }
}

impl Whole {
    /// Reads a file of this queue to its end.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(file: &OpenFile, queue: &str) -> io::Result<Self> {
        let mut heard = Self::default();
        let read_at = |offset: u64, length: usize, into: &mut Vec<u8>| file.read_at(offset, length, into);
        let mut window = Window::new(file.stat.size, &read_at);
        let reading = queue_file::listen(&mut window, Reader::of(queue), &mut heard)?;
        Ok(Self { reading, ..heard })
    }

    fn recipient(&mut self, record: &Record, address: &[u8], state: RecipientState) {
        let asked = std::mem::take(&mut self.next);
        self.bytes = self.bytes.saturating_add(address.len());
        if self.recipients.len() >= MAX_RECIPIENTS || self.bytes > MAX_RECIPIENT_BYTES {
            self.unknown = Some("it has more recipients than ghostq keeps");
        } else if record.length > MAX_VALUE_BYTES as u64 || address.is_empty() {
            self.unknown = Some("one of its recipients is no address");
        } else if address.iter().any(u8::is_ascii_control) {
            self.unknown = Some("one of its recipients has a control character in it, as damage leaves them");
        } else {
            self.recipients.push(Recipient { address: Text::new(address), state, reason: None });
            self.asked.push(asked);
        }
    }

    /// Records that have a type of their own, or stand in an attribute.
    fn named(&mut self, kind: u8, value: &[u8]) {
        match kind {
            b'o' if !value.is_empty() => self.next.orcpt = Some(Text::new(value)),
            b'n' => self.next.notify = number(value).map(notify).unwrap_or_default(),
            b'i' if !value.is_empty() => self.envid = Some(Text::new(value)),
            b'<' => {
                self.ret = match number(value) {
                    Some(1) => Some(Ret::Full),
                    Some(2) => Some(Ret::Hdrs),
                    _ => None,
                }
            }
            _ => {}
        }
    }

    /// Why this is not the whole envelope, if it is not.
    pub fn envelope_trouble(&self) -> Option<Refusal> {
        let refuse = |reason: String| Some(Refusal::new(reason, SAVE));
        if let Some(unknown) = self.unknown {
            return refuse(unknown.to_owned());
        }
        if self.reading.sender.is_none() {
            return refuse("its envelope sender is lost".into());
        }
        let counted = self.reading.recipient_count();
        let stated = self.reading.size.and_then(|size| size.recipients);
        if let Some(stated) = stated.filter(|stated| counted < *stated) {
            return refuse(format!("only {counted} of its {stated} recipients can be read"));
        }
        // Where something is damaged, only the count can say that nobody is missing.
        let damaged = self.reading.faults.iter().any(|fault| fault.confidence == Confidence::Certain);
        if (damaged || !self.reading.ended) && stated != Some(counted) {
            return refuse(format!("{}, and whether all of its recipients are known is not", self.damage()));
        }
        None
    }

    /// Why this is not the whole content, if it is not.
    pub fn content_trouble(&self) -> Option<Refusal> {
        let reading = &self.reading;
        let refuse = |reason: String| Some(Refusal::new(reason, SAVE));
        let (Some(start), Some(end), true) = (reading.content_start, reading.content_end, reading.ended)
        else {
            return refuse(format!("its content is not whole: {}", self.damage()));
        };
        let size = reading.size?;
        let seam = match size.content_offset {
            Some(offset) if offset == start => offset.checked_add(size.content_size),
            Some(_) => None,
            // Postfix before 1.0 wrote where the content ends (`qmgr_message_oldstyle_scan`).
            None => Some(size.content_size),
        };
        if seam == Some(end) {
            return None;
        }
        refuse(format!("its content is not whole: it ends at byte {end}, and its size record says otherwise"))
    }

    /// Why there is not the whole header, if there is not.
    pub fn header_trouble(&self) -> Option<Refusal> {
        let trouble = self.content_trouble().filter(|_| !self.reading.header_complete)?;
        Some(Refusal { reason: format!("its header is not whole: {}", self.damage()), ..trouble })
    }

    fn damage(&self) -> String {
        self.reading.leading_fault().map_or_else(
            || "its end record is missing".to_owned(),
            |fault| format!("damaged at byte {} ({})", fault.start, fault.text),
        )
    }

    /// The envelope as far as it was read.
    fn envelope(&self) -> Envelope {
        let count = self.reading.recipient_count();
        Envelope {
            sender: self.reading.sender.clone(),
            recipients: self.recipients.clone(),
            recipient_count: Some(count).filter(|count| *count > self.recipients.len() as u64),
        }
    }

    /// To whom it is to be sent on, with what its sender asked for. `reasons` are what the last attempts said.
    ///
    /// # Errors
    /// When it is not certain who still has to get it.
    pub fn outgoing(&self, given: &Given, reasons: &[Recipient]) -> Result<Outgoing, Refusal> {
        if self.redirected {
            return Err(Refusal::new(
                "a REDIRECT action sends it to another address than those of its envelope",
                "let Postfix deliver it, or export it and decide by hand",
            ));
        }
        if let Some(trouble) = self.envelope_trouble() {
            return self.instead(given).ok_or(trouble);
        }
        let mut outgoing = Outgoing::of(&self.envelope(), given)?;
        let pending = self.recipients.iter().zip(&self.asked);
        let pending = pending.filter(|(recipient, _)| recipient.state == RecipientState::Pending);
        let reasons: std::collections::HashMap<_, _> =
            reasons.iter().map(|known| (&known.address, &known.reason)).collect();
        for (to, (_, asked)) in outgoing.recipients.iter_mut().zip(pending) {
            to.notify = asked.notify;
            to.orcpt.clone_from(&asked.orcpt);
            to.reason = reasons.get(&to.address).and_then(|reason| (*reason).clone());
        }
        for to in &mut outgoing.recipients {
            to.address = quoted(&to.address);
        }
        outgoing.sender = outgoing.sender.as_ref().map(quoted);
        outgoing.ret = self.ret;
        outgoing.envid.clone_from(&self.envid);
        outgoing.smtputf8 = self.smtputf8;
        if outgoing.recipients.is_empty() {
            let hint = "let Postfix clear it away: there is nobody left to deliver it to";
            return Err(Refusal::new("every one of its recipients has it already", hint));
        }
        Ok(outgoing)
    }

    /// An envelope that the operator gave for one that is lost, while the message itself is whole. Nobody who has the
    /// message already may be in it.
    fn instead(&self, given: &Given) -> Option<Outgoing> {
        let done = |address: &Text| {
            self.recipients.iter().any(|known| {
                known.state == RecipientState::Done
                    && known.address.bytes().eq_ignore_ascii_case(address.bytes())
            })
        };
        if given.recipients.is_empty() || given.recipients.iter().any(done) {
            return None;
        }
        let sender = self.reading.sender.as_ref().map(quoted);
        let outgoing = Outgoing { sender, ..Outgoing::default() };
        let outgoing = outgoing.with(given, true);
        outgoing.sender.is_some().then_some(outgoing)
    }
}

/// An address as it stands in an envelope and on a command line. Queue files hold it in another form, without quotes, in
/// which a blank or a comma is part of its local part (`global/quote_822_local.c`).
fn quoted(address: &Text) -> Text {
    let bytes = address.bytes();
    let at = memchr::memrchr(b'@', bytes).unwrap_or(bytes.len());
    let (local, domain) = bytes.split_at_checked(at).unwrap_or((bytes, b""));
    // What an atom may hold (RFC 5322 section 3.2.3), and what is no ASCII (RFC 6532).
    let plain =
        |byte: &u8| byte.is_ascii_alphanumeric() || !byte.is_ascii() || b"!#$%&'*+-/=?^_`{|}~".contains(byte);
    let is_atom = |word: &[u8]| !word.is_empty() && word.iter().all(plain);
    if bytes.is_empty() || local.split(|byte| *byte == b'.').all(is_atom) {
        return address.clone();
    }
    let mut quoted = vec![b'"'];
    for byte in local {
        if matches!(byte, b'"' | b'\\') {
            quoted.push(b'\\');
        }
        quoted.push(*byte);
    }
    quoted.push(b'"');
    quoted.extend_from_slice(domain);
    Text::new(quoted)
}

/// Bits of `dsn_mask.h`.
fn notify(bits: u64) -> Notify {
    let has = |bit: u64| bits & bit != 0;
    Notify { never: has(1), success: has(2), failure: has(4), delay: has(8) }
}

fn number(text: &[u8]) -> Option<u64> {
    std::str::from_utf8(text).ok()?.trim_ascii().parse().ok()
}

/// Writes the message of a queue file.
///
/// # Errors
/// When it is not whole, cannot be read, or cannot be written.
pub fn write(root: &Root, message: &Message, extent: Extent, out: &mut dyn Write) -> Result<(), Refusal> {
    let path = message.place.path.to_path();
    let file = root.open_file(&path).map_err(|damage| Refusal::new(damage.what, damage.hint))?;
    let failed = |error: io::Error| Refusal::new(format!("it could not be read or written: {error}"), "");
    let mut copy = Copy { whole: Whole::default(), out, extent, line_is_empty: true, header_ended: false };
    let read_at = |offset: u64, length: usize, into: &mut Vec<u8>| file.read_at(offset, length, into);
    let mut window = Window::new(file.stat.size, &read_at);
    let reading = queue_file::listen(&mut window, Reader::of(&message.queue), &mut copy).map_err(failed)?;
    let header_ended = copy.header_ended;
    let mut whole = copy.whole;
    whole.reading = reading;
    match extent {
        Extent::Whole => whole.content_trouble().map_or(Ok(()), Err),
        Extent::Header if header_ended => Ok(()),
        // A message may be all header.
        Extent::Header if whole.content_trouble().is_none() => out.write_all(b"\n").map_err(failed),
        Extent::Header => Err(Refusal::new(format!("its header is not whole: {}", whole.damage()), SAVE)),
    }
}

/// Writes the content down while it is read.
struct Copy<'a> {
    whole: Whole,
    out: &'a mut dyn Write,
    extent: Extent,
    line_is_empty: bool,
    header_ended: bool,
}

impl Copy<'_> {
    fn is_done(&self) -> bool {
        self.extent == Extent::Header && self.header_ended
    }
}

impl Listen for Copy<'_> {
    fn envelope(&mut self, record: &Record, value: &[u8]) {
        Listen::envelope(&mut self.whole, record, value);
    }

    fn wants_content(&self) -> bool {
        true
    }

    fn content(&mut self, piece: &[u8]) -> io::Result<()> {
        if self.is_done() {
            return Ok(());
        }
        self.line_is_empty &= piece.is_empty();
        self.out.write_all(piece)
    }

    fn line_end(&mut self) -> io::Result<()> {
        if self.is_done() {
            return Ok(());
        }
        self.header_ended |= self.line_is_empty;
        self.line_is_empty = true;
        self.out.write_all(b"\n")
    }
}
