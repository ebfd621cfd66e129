//! What was read from a queue file.

use crate::evidence::{Attribute, Confidence, Fact, Locus, Recipient, RecipientState, Text, Time};
use crate::sources::Fault;
use std::borrow::Cow;
use std::path::Path;

/// Recipients that are kept; all are counted.
const MAX_RECIPIENTS: usize = 1_000;
/// Attributes that are kept.
const MAX_ATTRIBUTES: usize = 32;
/// A message from the network has so many.
const USUAL_ATTRIBUTES: usize = 14;
/// Names that nearly every message has, so that none is written out a million times (`global/mail_proto.h`).
const KNOWN_ATTRIBUTES: [&str; 17] = [
    "log_ident",
    "rewrite_context",
    "create_time",
    "log_client_name",
    "log_client_address",
    "log_client_port",
    "log_message_origin",
    "log_helo_name",
    "log_protocol_name",
    "client_name",
    "reverse_client_name",
    "client_address",
    "client_port",
    "server_address",
    "server_port",
    "helo_name",
    "protocol_name",
];
/// Faults that are kept; the first ones say what happened.
const MAX_FAULTS: usize = 8;

/// The SIZE record at the start of a queue file. Source: `global/rec_type.h`, `REC_TYPE_SIZE_FORMAT`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SizeRecord {
    /// Bytes between the end of the M record and the X record.
    pub content_size: u64,
    /// Where the content begins; `None` in files of Postfix before 1.0.
    pub content_offset: Option<u64>,
    /// Recipients when the file was made; `None` in files of Postfix before 1.0.
    pub recipients: Option<u64>,
}

/// What was read from a queue file.
#[derive(Debug, Default)]
pub struct Reading {
    /// The SIZE record.
    pub size: Option<SizeRecord>,
    /// When the message came in, and the text of that.
    pub arrival: Option<(Time, Text)>,
    /// The envelope sender.
    pub sender: Option<Text>,
    /// The recipients that are kept.
    pub recipients: Vec<Recipient>,
    /// Recipients still to be delivered to.
    pub pending: u64,
    /// Recipients that are delivered or cancelled.
    pub done: u64,
    /// What else the envelope says.
    pub attributes: Vec<Attribute>,
    /// Where the content begins, as the M record shows.
    pub content_start: Option<u64>,
    /// Where the X record stands, if it was found.
    pub content_end: Option<u64>,
    /// How far the content could be read, if it had to be read.
    pub content_read_to: Option<u64>,
    /// Whether the header of the content was read to its end, if it had to be read.
    pub header_complete: bool,
    /// Whether the E record was found.
    pub ended: bool,
    /// What is wrong, in the order in which it was met.
    pub faults: Vec<Fault>,
}

impl Reading {
    /// All recipients.
    pub fn recipient_count(&self) -> u64 {
        self.pending + self.done
    }

    /// Notes a fault.
    pub fn fault(&mut self, start: u64, end: u64, text: impl Into<String>) {
        self.doubtful_fault(start, end, Confidence::Certain, text);
    }

    /// Notes a fault that may be none.
    pub fn doubtful_fault(&mut self, start: u64, end: u64, confidence: Confidence, text: impl Into<String>) {
        if self.faults.len() < MAX_FAULTS {
            self.faults.push(Fault { start, end, text: text.into(), confidence });
        }
    }

    /// Whether no more faults are kept, so that reading on would say nothing new.
    pub fn is_full_of_faults(&self) -> bool {
        self.faults.len() >= MAX_FAULTS
    }

    /// Notes a recipient.
    pub fn recipient(&mut self, address: Text, state: RecipientState) {
        if state == RecipientState::Pending {
            self.pending += 1;
        } else {
            self.done += 1;
        }
        if self.recipients.len() < MAX_RECIPIENTS {
            self.recipients.push(Recipient { address, state, reason: None });
        }
    }

    /// Notes an attribute.
    pub fn attribute(&mut self, name: &[u8], value: Text) {
        if self.attributes.is_empty() {
            self.attributes.reserve(USUAL_ATTRIBUTES);
        }
        if self.attributes.len() < MAX_ATTRIBUTES {
            let known = KNOWN_ATTRIBUTES.into_iter().find(|known| known.as_bytes() == name);
            let name = known.map_or_else(|| String::from_utf8_lossy(name).into_owned().into(), Cow::Borrowed);
            self.attributes.push((name, value));
        }
    }

    /// The fault that counts: the first certain one, else the first.
    pub fn leading_fault(&self) -> Option<&Fault> {
        let certain = self.faults.iter().find(|fault| fault.confidence == Confidence::Certain);
        certain.or_else(|| self.faults.first())
    }

    /// What could be saved from a damaged or unfinished file.
    pub fn salvage(&self, path: &Path) -> Fact {
        let mut parts = vec![match &self.sender {
            Some(sender) if sender.is_empty() => "the sender (null)".to_owned(),
            Some(_) => "the sender".to_owned(),
            None => "no sender".to_owned(),
        }];
        let expected = self.size.and_then(|size| size.recipients).filter(|count| *count > 0);
        parts.push(match expected {
            Some(1) => format!("{} of 1 recipient", self.recipient_count()),
            Some(expected) => format!("{} of {expected} recipients", self.recipient_count()),
            None if self.recipient_count() == 1 => "1 recipient".to_owned(),
            None => format!("{} recipients", self.recipient_count()),
        });
        let (start, end) = (self.content_start, self.content_read_to.or(self.content_end));
        let range = start.zip(end).unwrap_or_default();
        parts.push(if start.is_none() || end.is_none() {
            "no content".to_owned()
        } else if self.content_end.is_some() || self.header_complete {
            format!("{} bytes of content with the whole header", range.1.saturating_sub(range.0))
        } else {
            format!("{} bytes of content, which end within the header", range.1.saturating_sub(range.0))
        });
        let locus = Text::from_path(path);
        Fact::new(format!("can still be read: {}", parts.join(", ")), Locus::bytes(locus, range.0, range.1))
    }
}
