//! From the values of a row to a message.

use super::columns::{Field, IdKind, of_property};
use super::export::Context;
use super::property::Property;
use super::transport;
use super::value::{Clock, Value, cut};
use crate::evidence::{
    Header, Locus, Message, Part, PartKind, Recipient, RecipientState, Stamp, Text, Time, TimeKind, Timed,
};

/// Longest text of a message that is kept from one value.
const MAX_TEXT_BYTES: usize = 4_096;
/// Recipients that are kept; the rest is counted.
const MAX_RECIPIENTS: usize = 1_000;
/// Longest recipient.
const MAX_RECIPIENT_BYTES: usize = 512;
/// An Internet message line has at most 998 characters (RFC 5322 section 2.1.1).
const MAX_MESSAGE_ID_BYTES: usize = 998;
/// Pieces of evidence beside the fields that are kept.
const MAX_ATTRIBUTES: usize = 32;

/// A message in the making.
pub struct Draft {
    message: Message,
    row: u64,
    best_id: Option<IdKind>,
    from: Option<String>,
    from_address: Option<String>,
    sender_kind: Option<String>,
    sender: Option<String>,
    shown_recipients: Recipients,
    exact_recipients: Recipients,
    reason: Option<Text>,
    date: Option<String>,
    header_arrival: Option<(Time, String)>,
    no_message: bool,
    anything: bool,
}

#[derive(Default)]
struct Recipients {
    kept: Vec<Text>,
    count: u64,
}

/// The recipient of a message file.
#[derive(Default)]
pub struct RecipientDraft {
    smtp: Option<String>,
    address: Option<String>,
    name: Option<String>,
}

impl Draft {
    pub fn new(row: u64, context: &Context) -> Self {
        let locus = Locus::row(context.file.clone(), row);
        Self {
            message: Message::at(context.queue.clone(), locus),
            row,
            best_id: None,
            from: None,
            from_address: None,
            sender_kind: None,
            sender: None,
            shown_recipients: Recipients::default(),
            exact_recipients: Recipients::default(),
            reason: None,
            date: None,
            header_arrival: None,
            no_message: false,
            anything: false,
        }
    }

    /// Takes a property in.
    pub fn property(&mut self, property: &Property, context: &Context) {
        let stamp = self.message.stamp.is_none() && context.stamp.is_property(property);
        let field = of_property(property.id());
        if field.is_none() && !stamp {
            return;
        }
        let Some(value) = property.to_value(context.encoding) else { return };
        if stamp {
            self.message.stamp = value.to_stamp();
        }
        if let Some(field) = field {
            self.set(field, &property.title(), &value);
        }
    }

    /// Takes a value in; what is already known is not overwritten. `title` is the name of the column or property.
    pub fn set(&mut self, field: Field, title: &str, value: &Value) {
        if value.is_empty() {
            return;
        }
        self.anything = true;
        match field {
            Field::Subject => self.header("Subject", value),
            Field::From => keep(&mut self.from, value),
            Field::FromAddress => keep(&mut self.from_address, value),
            Field::Sender => keep(&mut self.sender, value),
            Field::SenderKind => keep(&mut self.sender_kind, value),
            Field::Recipients => self.shown_recipients.add_list(&value.to_text()),
            Field::MessageId => self.message_id(&value.to_text()),
            Field::Id(kind) => self.identifier(kind, value),
            Field::Time(kind) => self.time(kind, title, value),
            Field::Size => self.message.size = self.message.size.or_else(|| value.to_size()),
            Field::Stamp => self.message.stamp = self.message.stamp.take().or_else(|| value.to_stamp()),
            Field::Queue => cut(value.to_text().trim(), 256).clone_into(&mut self.message.queue),
            Field::Reason => self.reason = Some(value.to_evidence(MAX_TEXT_BYTES)),
            Field::TransportHeaders => self.transport_headers(&value.to_text()),
            // TBL_LEAF_ROW is 1; the others are headings of a grouped view (mapidefs.h).
            Field::RowType => self.no_message |= !matches!(value, Value::Number(1) | Value::Text(_)),
            // MAPI_MESSAGE is 5 (mapidefs.h).
            Field::ObjectType => self.no_message |= !matches!(value, Value::Number(5) | Value::Text(_)),
            Field::Flags => self.note("message flags", Text::from(describe_flags(value))),
            Field::Note(name) => self.note(name, value.to_evidence(MAX_TEXT_BYTES)),
        }
    }

    /// Takes a recipient of a message file in.
    pub fn recipient(&mut self, recipient: RecipientDraft) {
        if let Some(address) = recipient.smtp.or(recipient.address).or(recipient.name) {
            self.exact_recipients.add(&address);
        }
    }

    /// A few words by which people know the row.
    pub fn describe(&self) -> String {
        match self.message.header("Subject") {
            Some(subject) => format!("row {} (`{}`)", self.row, cut(&subject.lossy(), 80)),
            None => format!("row {}", self.row),
        }
    }

    /// Its stamp, if it has one.
    pub fn stamp(&self) -> Option<&Stamp> {
        self.message.stamp.as_ref()
    }

    /// Whether anything at all was read into it.
    pub fn has_anything(&self) -> bool {
        self.anything
    }

    /// The message, or `None` for a row that stands for something else: a heading, a folder, a store.
    pub fn finish(mut self) -> Option<Message> {
        if self.no_message {
            return None;
        }
        self.finish_sender();
        self.finish_recipients();
        // The store's own delivery time, where there is one, was known first.
        if let Some((at, original)) = self.header_arrival.take() {
            self.known_time(TimeKind::Arrival, at, original);
        }
        let size = self.message.size;
        let locus = self.message.place.clone();
        self.message.parts.push(Part { kind: PartKind::Whole, locus, size, sha256: None, stat: None });
        Some(self.message)
    }

    fn header(&mut self, name: &str, value: &Value) {
        if self.message.header(name).is_none() {
            let value = value.to_evidence(MAX_TEXT_BYTES);
            self.message.headers.push(Header { name: name.to_owned(), value });
        }
    }

    fn note(&mut self, name: &str, value: Text) {
        let attributes = &mut self.message.attributes;
        if attributes.len() < MAX_ATTRIBUTES && !attributes.iter().any(|(known, _)| known == name) {
            attributes.push((name.to_owned().into(), value));
        }
    }

    fn identifier(&mut self, kind: IdKind, value: &Value) {
        let Some(id) = value.to_identifier() else { return };
        if self.best_id.is_none_or(|best| kind < best) {
            self.best_id = Some(kind);
            self.message.ids.native = Some(Text::from(id.as_str()));
        }
        self.note(kind.describe(), Text::from(id));
    }

    fn message_id(&mut self, text: &str) {
        let id = cut(text.trim(), MAX_MESSAGE_ID_BYTES);
        if self.message.ids.message_id.is_none() && !id.is_empty() {
            let bare = !id.starts_with('<');
            self.message.ids.message_id =
                Some(if bare { Text::from(format!("<{id}>")) } else { Text::from(id) });
        }
    }

    fn time(&mut self, kind: TimeKind, title: &str, value: &Value) {
        let original = cut(value.to_text().trim(), 256).to_owned();
        match value.to_clock() {
            Clock::Known(at) => self.known_time(kind, at, original),
            Clock::Unusable => self.note(&format!("{title}{NO_TIME_ZONE}"), Text::from(original)),
            Clock::Empty => {}
        }
    }

    fn known_time(&mut self, kind: TimeKind, at: Time, original: String) {
        if self.message.time(kind).is_none() {
            self.message.times.push(Timed { kind, at, original: original.into() });
        }
    }

    fn transport_headers(&mut self, text: &str) {
        let header = transport::parse(text);
        if let Some(id) = header.message_id {
            self.message_id(&id);
        }
        self.header_arrival = self.header_arrival.take().or(header.arrival);
        if self.date.is_none() {
            self.date = header.date;
        }
        if self.from_address.is_none() {
            self.from_address = header.from;
        }
    }

    /// MAPI's sender is the author of the submission. Only an SMTP address can stand for the envelope sender.
    fn finish_sender(&mut self) {
        let name = self.from.take();
        let address = self.from_address.take().or_else(|| self.sender.clone());
        let from = match (name, address) {
            (Some(name), Some(address)) if name.contains('@') || address.contains(&name) => {
                Some(longer(name, address))
            }
            (Some(name), Some(address)) if address.contains('@') => Some(format!("{name} <{address}>")),
            (name, address) => name.or(address),
        };
        if let Some(from) = from {
            self.header("From", &Value::Text(from));
        }
        if let Some(date) = self.date.take() {
            if let Some(at) = Time::parse_rfc2822(&date) {
                self.known_time(TimeKind::HeaderDate, at, date.clone());
            }
            self.header("Date", &Value::Text(date));
        }
        let Some(sender) = self.sender.take() else { return };
        let smtp = self.sender_kind.as_deref().is_none_or(|kind| kind.trim().eq_ignore_ascii_case("SMTP"));
        let address = address_in(sender.trim());
        if smtp && (address.contains('@') || sender.trim() == "<>") {
            self.message.envelope.sender = Some(Text::from(cut(address, MAX_TEXT_BYTES)));
        } else {
            self.note("sender address", Value::Text(sender).to_evidence(MAX_TEXT_BYTES));
        }
    }

    fn finish_recipients(&mut self) {
        let exact = self.exact_recipients.count > 0;
        let from = if exact { &mut self.exact_recipients } else { &mut self.shown_recipients };
        let (kept, count) = (std::mem::take(&mut from.kept), from.count);
        let reason = self.reason.take();
        if let Some(reason) = &reason {
            self.note("last error", reason.clone());
        }
        if count > kept.len() as u64 {
            self.message.envelope.recipient_count = Some(count);
        }
        self.message.envelope.recipients = kept
            .into_iter()
            .map(|address| Recipient { address, state: RecipientState::Unknown, reason: reason.clone() })
            .collect();
    }
}

/// Ends the name of an attribute that holds a time which could not be used.
pub const NO_TIME_ZONE: &str = ": no time zone, not used";

impl Recipients {
    /// `PR_DISPLAY_TO` and its like separate names by `;` ([MS-OXOMSG] section 2.2.1.7); other tools by `,`.
    fn add_list(&mut self, list: &str) {
        let commas = !list.contains(';') && list.split(',').all(|piece| piece.contains('@'));
        let separator = if commas { ',' } else { ';' };
        for piece in list.split(separator) {
            self.add(piece);
        }
    }

    fn add(&mut self, piece: &str) {
        // Outlook puts quotes round a display name that is an address.
        let address = address_in(piece.trim()).trim_matches(['\'', '"']);
        if address.is_empty() {
            return;
        }
        self.count += 1;
        if self.kept.len() < MAX_RECIPIENTS {
            self.kept.push(Text::from(cut(address, MAX_RECIPIENT_BYTES)));
        }
    }
}

impl RecipientDraft {
    /// Takes a property of a recipient in. Source of the tags: MFCMAPI `core/mapi/columnTags.h`.
    pub fn property(&mut self, property: &Property, context: &Context) {
        let slot = match property.id() {
            0x39FE => &mut self.smtp,    // PR_SMTP_ADDRESS
            0x3003 => &mut self.address, // PR_EMAIL_ADDRESS
            0x3001 => &mut self.name,    // PR_DISPLAY_NAME
            _ => return,
        };
        if let Some(value) = property.to_value(context.encoding).filter(|value| !value.is_empty()) {
            keep(slot, &value);
        }
    }
}

fn keep(slot: &mut Option<String>, value: &Value) {
    if slot.is_none() {
        *slot = Some(cut(value.to_text().trim(), MAX_TEXT_BYTES).to_owned());
    }
}

fn longer(one: String, other: String) -> String {
    if one.len() >= other.len() { one } else { other }
}

/// `addr` of `Name <addr>`, else the text itself.
fn address_in(text: &str) -> &str {
    let inner = text.strip_suffix('>').and_then(|open| open.rsplit_once('<')).map(|(_, address)| address);
    inner.unwrap_or(text).trim()
}

/// Names of the bits of `PR_MESSAGE_FLAGS`. Source: [MS-OXCMSG] section 2.2.1.6, and mapidefs.h.
fn describe_flags(value: &Value) -> String {
    let Value::Number(flags) = value else { return cut(&value.to_text(), 256).to_owned() };
    let names = [
        (0x01, "read"),
        (0x02, "unmodified"),
        (0x04, "submitted"),
        (0x08, "unsent"),
        (0x10, "has attachments"),
        (0x20, "from me"),
        (0x40, "associated"),
        (0x80, "resend"),
    ];
    let set: Vec<_> = names.iter().filter(|(bit, _)| flags & bit != 0).map(|(_, name)| *name).collect();
    format!("0x{flags:X} ({})", if set.is_empty() { "none known".to_owned() } else { set.join(", ") })
}
