//! All of a message: every recipient with what the sender asked for, who is done, and the message as it would be sent.
//!
//! Source: Exim `transport.c` (`transport_headers_send`: header fields marked `*` are not sent; `internal_transport_write_message`:
//! an empty line, then the body behind its first line), `macros.h` (`rf_notify_*`, `dsn_ret_*`), `smtp_in.c` (ENVID and ORCPT
//! are kept as the client coded them).

use super::done;
use super::header_file::{self, HeaderFile, Listen};
use super::message::{Entry, Spool, both, take_journals};
use super::message_id::{self, MessageId};
use super::name::{self, Half, Name};
use super::recipient::Line;
use super::spot::Spot;
use crate::evidence::{Damage, Envelope, Locus, Message, PartKind, Recipient, RecipientState, Stat, Text};
use crate::plan::{Given, Notify, Outgoing, OutgoingRecipient, Refusal, Ret};
use crate::read::disk::{EntryKind, OpenFile, Root};
use crate::sources::Extent;
use std::collections::HashSet;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// Recipients that are kept; the reader of Exim accepts 16,384.
const MAX_RECIPIENTS: usize = 100_000;
/// The same in bytes of their addresses, and of those that are done.
const MAX_ADDRESS_BYTES: usize = 16 << 20;
/// What to do where a message is not whole.
const SAVE: &str = "save what there is of it with `ghostq requeue --via export:DIR`";

/// What a file of a spool is, by its name or its first line.
#[derive(Debug)]
pub struct Named {
    /// Its path.
    pub path: PathBuf,
    /// Where that is.
    pub spot: Spot,
    /// The ID.
    pub id: Vec<u8>,
    /// What the ID says.
    pub made: MessageId,
    /// What stands behind the name.
    pub tail: Vec<u8>,
    /// Whether its name is that of an envelope in the making.
    pub in_making: bool,
}

impl Named {
    /// The envelope file of a message. `None`: the message has none here.
    pub fn envelope_of(message: &Message, bare: bool) -> Option<Self> {
        let path = message.place.path.to_path();
        let spot = Spot::of(&path, bare)?;
        let (id, made, tail, in_making) = match name::judge(&spot.name) {
            Name::Half { id, made, half: Half::Header, tail } => (id.to_vec(), made, tail.to_vec(), false),
            Name::HeaderInMaking { id, made } => (id.to_vec(), made, Vec::new(), true),
            Name::Other => {
                let envelope = message.parts.first().is_some_and(|part| part.kind == PartKind::Envelope);
                let id = message.ids.native.as_ref().filter(|_| envelope)?.bytes().to_vec();
                let made = message_id::decode(&id)?;
                (id, made, Vec::new(), false)
            }
            Name::Half { .. } | Name::Signing { .. } => return None,
        };
        Some(Self { path, spot, id, made, tail, in_making })
    }

    /// As the reader of the spool takes it.
    pub fn entry<'a>(&'a self, root: &'a Root) -> Entry<'a> {
        Entry { root, path: &self.path, spot: &self.spot, id: &self.id, made: self.made, tail: &self.tail }
    }
}

/// What the sender asked for one recipient.
#[derive(Debug, Default)]
struct Asked {
    notify: Notify,
    orcpt: Option<Text>,
}

/// All recipients, and all addresses that are done.
#[derive(Debug, Default)]
struct Heard {
    recipients: Vec<Text>,
    asked: Vec<Asked>,
    done: HashSet<Vec<u8>>,
    bytes: usize,
    /// Why not all of them are here.
    unknown: Option<&'static str>,
}

impl Listen for Heard {
    fn done(&mut self, address: &[u8]) {
        self.bytes = self.bytes.saturating_add(address.len());
        if self.bytes <= MAX_ADDRESS_BYTES {
            self.done.insert(done::key(address));
        } else {
            self.unknown = Some("more of its addresses are done than ghostq keeps");
        }
    }

    fn recipient(&mut self, line: &Line<'_>) {
        self.bytes = self.bytes.saturating_add(line.address.len());
        if self.recipients.len() >= MAX_RECIPIENTS || self.bytes > MAX_ADDRESS_BYTES {
            self.unknown = Some("it has more recipients than ghostq keeps");
        } else if !is_address(line.address) {
            self.unknown = Some("one of its recipients is no address, as damage leaves them");
        } else {
            self.recipients.push(Text::new(line.address));
            let orcpt = line.original.map(|original| Text::new(decoded(original)));
            self.asked.push(Asked { notify: notify(line.notify), orcpt });
        }
    }
}

/// A message as far as its envelope file and its journal tell.
#[derive(Debug)]
pub struct Whole {
    /// How the envelope file was read; with what the journals say of who is done.
    pub header: HeaderFile,
    /// Metadata of the envelope file.
    pub stat: Stat,
    /// The body, if there is one.
    pub body: Option<(PathBuf, Stat)>,
    /// The journals.
    pub journals: Vec<PathBuf>,
    /// Whether it has a log, which Exim begins when it has accepted a message.
    pub logged: bool,
    recipients: Vec<Recipient>,
    asked: Vec<Asked>,
    unknown: Option<&'static str>,
}

impl Whole {
    /// Reads everything of a message but its body.
    ///
    /// # Errors
    /// [`Damage`] if one of its files cannot be read.
    pub fn read(spool: &Spool, entry: Entry<'_>) -> Result<Self, Damage> {
        let file = entry.root.open_file(entry.path)?;
        let mut heard = Heard::default();
        let mut header = file
            .reader()
            .and_then(|reader| header_file::listen(reader, entry.id, &mut heard))
            .map_err(|error| entry.root.refused(entry.path, &error))?;
        // The envelope file alone may have been renamed.
        let untailed = || Entry { tail: b"", ..entry }.find(Half::Data);
        let body = entry.find(Half::Data).or_else(untailed);
        let body = body.filter(|(_, kind, _)| *kind == EntryKind::Regular);
        let body = body.map(|(path, _, stat)| (path, stat));
        header.recipients = std::mem::take(&mut heard.recipients);
        // What an alias stands for is done under its own name, and which of the recipients that was is not known.
        let known: HashSet<_> = header.recipients.iter().map(|address| done::key(address.bytes())).collect();
        if !heard.done.is_subset(&known) {
            header.done.lack_some();
        }
        let mut scratch = Message::at("", Locus::whole(""));
        let bodied = body.as_ref().map(|(path, _)| path);
        take_journals(&entry, bodied, &mut header, &mut scratch)?;
        let journals = scratch.parts.iter().map(|part| part.locus.path.to_path()).collect();
        let log = spool.log_of(&entry).map(|(_, _, log)| log);
        let recipients = header.recipients.iter().map(|address| {
            let mut state = header.done.state(address);
            let logged = log.as_ref().and_then(|log| log.of(address));
            // The log is no part of what Exim works by: where the two differ one of them must be wrong.
            if let (RecipientState::Pending, Some(RecipientState::Done)) =
                (state, logged.map(|logged| logged.state))
            {
                state = both(state, RecipientState::Unknown);
            }
            let reason = logged.and_then(|logged| logged.reason.clone());
            Recipient { address: address.clone(), state, reason }
        });
        let recipients = recipients.collect();
        let (asked, unknown) = (heard.asked, heard.unknown);
        let logged = log.is_some();
        Ok(Self { header, stat: file.stat, body, journals, logged, recipients, asked, unknown })
    }

    /// Why the envelope file is not whole, if it is not.
    pub fn header_trouble(&self) -> Option<Refusal> {
        if self.header.header_whole {
            return None;
        }
        let why = self.header.fault.as_ref().map_or_else(
            || "it has no header".to_owned(),
            |fault| format!("damaged at byte {} ({})", fault.start, fault.text),
        );
        Some(Refusal::new(format!("its envelope file is not whole: {why}"), SAVE))
    }

    /// Why it is not known to whom it goes, if it is not.
    pub fn envelope_trouble(&self) -> Option<Refusal> {
        if let Some(unknown) = self.unknown {
            return Some(Refusal::new(unknown, SAVE));
        }
        let sender = self.header.sender.as_ref().map(Text::bytes).unwrap_or_default();
        if !sender.is_empty() && !is_address(sender) {
            return Some(Refusal::new("its sender is no address, as damage leaves them", SAVE));
        }
        let whole = self.header.envelope_whole && self.header.read == self.recipients.len() as u64;
        if whole { None } else { self.header_trouble() }
    }

    /// To whom it is to be sent on, with what its sender asked for.
    ///
    /// # Errors
    /// When it is not certain who still has to get it.
    pub fn outgoing(&self, given: &Given) -> Result<Outgoing, Refusal> {
        if let Some(trouble) = self.envelope_trouble() {
            return Err(trouble);
        }
        let envelope = Envelope {
            sender: self.header.sender.clone(),
            recipients: self.recipients.clone(),
            recipient_count: Some(self.header.read),
        };
        if envelope.recipients.is_empty() {
            return Err(Refusal::new("it has no recipients", "add one with `exim -Mar ID ADDRESS`"));
        }
        let mut outgoing = Outgoing::of(&envelope, given)?;
        let pending = self.recipients.iter().zip(&self.asked);
        let pending = pending.filter(|(recipient, _)| recipient.state == RecipientState::Pending);
        for (to, (_, asked)) in outgoing.recipients.iter_mut().zip(pending) {
            to.notify = asked.notify;
            to.orcpt.clone_from(&asked.orcpt);
        }
        let value = |name: &str| self.header.options.attributes.iter().find(|(known, _)| known == name);
        outgoing.ret = value("dsn_ret").and_then(|(_, value)| match value.bytes() {
            b"1" => Some(Ret::Full),
            b"2" => Some(Ret::Hdrs),
            _ => None,
        });
        outgoing.envid = value("dsn_envid").map(|(_, value)| Text::new(decoded(value.bytes())));
        outgoing.smtputf8 = value("smtputf8").is_some();
        if outgoing.recipients.is_empty() {
            return Err(nobody_left());
        }
        Ok(outgoing)
    }

    /// What the senders of a report need to know, where Exim itself knows who is done.
    ///
    /// # Errors
    /// When nobody is left of whom to report.
    pub fn asked(&self) -> Result<Outgoing, Refusal> {
        let left = self.recipients.iter().zip(&self.asked);
        let left = left.filter(|(recipient, _)| recipient.state != RecipientState::Done);
        let recipients: Vec<_> = left
            .map(|(_, asked)| OutgoingRecipient { notify: asked.notify, ..OutgoingRecipient::default() })
            .collect();
        if recipients.is_empty() {
            return Err(nobody_left());
        }
        Ok(Outgoing { sender: self.header.sender.clone(), recipients, ..Outgoing::default() })
    }

    /// Writes the body.
    ///
    /// # Errors
    /// What is missing of it.
    pub fn body(&self, entry: &Entry<'_>, out: &mut dyn Write) -> Result<(), Refusal> {
        let Some((path, _)) = &self.body else {
            return Err(Refusal::new(
                "its body is lost",
                "put `ID-D` back from a backup, or ask the sender to send it again",
            ));
        };
        let file = entry.root.open_file(path).map_err(|damage| Refusal::new(damage.what, damage.hint))?;
        let wanted = self.header.options.body_lines.filter(|_| !self.header.options.wire_format);
        let lines = copy_body(&file, entry.id, out)?;
        match wanted.filter(|wanted| *wanted != lines) {
            Some(wanted) => {
                let text = format!("its body has {lines} lines, and {wanted} were counted on reception");
                Err(Refusal::new(text, SAVE))
            }
            None => Ok(()),
        }
    }
}

fn nobody_left() -> Refusal {
    Refusal::new(
        "every one of its recipients has it already",
        "let Exim clear it away with `exim -M ID`: there is nobody left to deliver it to",
    )
}

fn failed(error: &io::Error) -> Refusal {
    Refusal::new(format!("it could not be read or written: {error}"), "")
}

/// Copies a body without its first line, which is the name of its file. Gives back its lines.
fn copy_body(file: &OpenFile, id: &[u8], out: &mut dyn Write) -> Result<u64, Refusal> {
    let mut reader = file.reader().map_err(|error| failed(&error))?;
    let first_line = [id, b"-D\n"].concat();
    let mut first = Vec::new();
    Read::by_ref(&mut reader)
        .take(first_line.len() as u64)
        .read_to_end(&mut first)
        .map_err(|error| failed(&error))?;
    if first != first_line {
        let text = "its body is damaged: its first line is not the name of its file";
        return Err(Refusal::new(text, SAVE));
    }
    let mut lines = 0;
    copy(&mut reader, out, |piece| lines += memchr::memchr_iter(b'\n', piece).count() as u64)?;
    Ok(lines)
}

fn copy(reader: &mut dyn Read, out: &mut dyn Write, mut seen: impl FnMut(&[u8])) -> Result<(), Refusal> {
    let mut buffer = vec![0; 1 << 16];
    loop {
        let count = reader.read(&mut buffer).map_err(|error| failed(&error))?;
        let piece = buffer.get(..count).unwrap_or_default();
        if piece.is_empty() {
            return Ok(());
        }
        seen(piece);
        out.write_all(piece).map_err(|error| failed(&error))?;
    }
}

/// Writes the message, or its header. Where the body stands as it came over the wire, with CRLF, the header gets the same
/// line ends, so that the message has one kind throughout.
///
/// # Errors
/// When it is not whole, cannot be read, or cannot be written.
pub fn write(
    spool: &Spool,
    root: &Root,
    message: &Message,
    extent: Extent,
    out: &mut dyn Write,
) -> Result<(), Refusal> {
    if is_plain(message) {
        return write_plain(root, &message.place.path.to_path(), extent, out);
    }
    let Some(named) = Named::envelope_of(message, spool.bare) else {
        return Err(Refusal::new(
            "its envelope file is lost, and with it the header of the message",
            "write the body that is left into a folder: `ghostq requeue --via export:DIR`",
        ));
    };
    let entry = named.entry(root);
    let refused = |damage: Damage| Refusal::new(damage.what, damage.hint);
    let whole = Whole::read(spool, entry).map_err(refused)?;
    if let Some(trouble) = whole.header_trouble() {
        return Err(trouble);
    }
    let reader = root.open_file(entry.path).map_err(refused)?.reader().map_err(|error| failed(&error))?;
    header_file::listen(reader, entry.id, &mut Copy { out }).map_err(|error| failed(&error))?;
    let end: &[u8] = if whole.header.options.wire_format { b"\r\n" } else { b"\n" };
    out.write_all(end).map_err(|error| failed(&error))?;
    if extent == Extent::Whole { whole.body(&entry, out) } else { Ok(()) }
}

/// Whether it is a file of a name that Exim does not know, with a whole message in it.
pub fn is_plain(message: &Message) -> bool {
    message.parts.first().is_some_and(|part| part.kind == PartKind::Whole)
}

fn write_plain(root: &Root, path: &Path, extent: Extent, out: &mut dyn Write) -> Result<(), Refusal> {
    let file = root.open_file(path).map_err(|damage| Refusal::new(damage.what, damage.hint))?;
    let mut reader = file.reader().map_err(|error| failed(&error))?;
    if extent == Extent::Whole {
        return copy(&mut reader, out, |_| {});
    }
    let mut cursor = super::cursor::Cursor::new(reader);
    loop {
        match cursor.line().map_err(|error| failed(&error))? {
            super::cursor::Line::Whole(line) => {
                out.write_all(&line).and_then(|()| out.write_all(b"\n")).map_err(|error| failed(&error))?;
                if line.is_empty() || line == b"\r" {
                    return Ok(());
                }
            }
            _ => return Err(Refusal::new("its header does not end", SAVE)),
        }
    }
}

/// Writes the header down while it is read.
struct Copy<'a> {
    out: &'a mut dyn Write,
}

impl Listen for Copy<'_> {
    fn field(&mut self, piece: &[u8], wire: bool) -> io::Result<()> {
        if !wire {
            return self.out.write_all(piece);
        }
        for line in piece.split_inclusive(|byte| *byte == b'\n') {
            match line.strip_suffix(b"\n") {
                Some(line) => self.out.write_all(line).and_then(|()| self.out.write_all(b"\r\n"))?,
                None => self.out.write_all(line)?,
            }
        }
        Ok(())
    }
}

/// Whether it can be an address: blanks stand in quotes only. Damage in what stands behind it on its line makes others.
fn is_address(text: &[u8]) -> bool {
    let quoted = text.first() == Some(&b'"');
    !text.is_empty() && !text.iter().any(|byte| byte.is_ascii_control() || *byte == b' ' && !quoted)
}

/// Bits of `macros.h`; bit 0 is not the sender's.
fn notify(bits: usize) -> Notify {
    let has = |bit: usize| bits & bit != 0;
    Notify { never: has(0x02), success: has(0x04), failure: has(0x08), delay: has(0x10) }
}

/// Decodes xtext (RFC 3461 section 4): `+` and two hexadecimal figures are one byte.
fn decoded(text: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        let coded = after.get(..2).filter(|_| *first == b'+').and_then(|digits| {
            let digits = std::str::from_utf8(digits).ok()?;
            let plain = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
            plain.then(|| u8::from_str_radix(digits, 16).ok()).flatten()
        });
        decoded.push(coded.unwrap_or(*first));
        rest = if coded.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    decoded
}
