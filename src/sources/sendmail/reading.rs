//! What was read from a control file.

use crate::evidence::{Attribute, Confidence, Recipient, RecipientState, Text};

/// Recipients that are kept; all are counted.
const MAX_RECIPIENTS: usize = 1_000;
/// Attributes that are kept.
const MAX_ATTRIBUTES: usize = 48;
/// Faults that are kept; the first ones say what happened.
const MAX_FAULTS: usize = 8;
/// Header lines are kept up to this many bytes in all.
const MAX_HEADER_BYTES: usize = 64 << 10;

/// What the next queue run makes of a fault. Source: `queue.c`, `readqf`; observed on 8.17.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It renames the file to `Qf…` (`loseqfile`).
    Lost,
    /// It gives up on the file, again and again, and leaves it as it is.
    GivenUp,
    /// It sends the message as it stands.
    Sent,
    /// It dies on the file (`SM_ASSERT` in `deliver.c`).
    Dies,
    /// It removes the control file and the data file.
    Deleted,
}

/// Something in a control file that is not as sendmail would write it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where it begins.
    pub start: u64,
    /// Where it ends.
    pub end: u64,
    /// What was expected and what was found.
    pub text: String,
    /// How sure it is that this is damage.
    pub confidence: Confidence,
    /// What comes of it.
    pub fate: Fate,
}

/// What was read from a control file.
#[derive(Debug, Default)]
pub struct Reading {
    /// Version of the format.
    pub version: Option<u64>,
    /// When the message came in, and the line that says so.
    pub arrival: Option<(i64, String)>,
    /// When it was last tried, and the line that says so.
    pub last_attempt: Option<(i64, String)>,
    /// How often it was tried.
    pub attempts: Option<i64>,
    /// Its priority.
    pub priority: Option<i64>,
    /// The envelope sender.
    pub sender: Option<Text>,
    /// The recipients that are kept.
    pub recipients: Vec<Recipient>,
    /// All recipients.
    pub recipient_count: u64,
    /// What is said of the message as a whole.
    pub status: Option<Text>,
    /// Why it is quarantined.
    pub quarantine: Option<Text>,
    /// Where that stands.
    pub quarantine_at: (usize, usize),
    /// Whether that line stands so early that the listing leaves the message out.
    pub hidden_by_quarantine: bool,
    /// The folder of the data file, if it is another one.
    pub data_folder: Option<Text>,
    /// The inode that the data file had.
    pub data_inode: Option<u64>,
    /// What else the envelope says.
    pub attributes: Vec<Attribute>,
    /// The header as it would be sent.
    pub headers: Vec<u8>,
    /// Whether the content was passed over, being of a version that is not known.
    pub unread: bool,
    /// Whether the line `.` was found.
    pub ended: bool,
    /// What is wrong, in the order in which it was met.
    pub faults: Vec<Fault>,
}

impl Reading {
    /// Notes a fault.
    pub fn fault(
        &mut self,
        start: usize,
        end: usize,
        confidence: Confidence,
        fate: Fate,
        text: impl Into<String>,
    ) {
        if self.faults.len() < MAX_FAULTS {
            let (start, end) = (start as u64, end as u64);
            self.faults.push(Fault { start, end, text: text.into(), confidence, fate });
        }
    }

    /// Notes a recipient. Only those that are not delivered are in a control file: it is written anew after each attempt.
    pub fn recipient(&mut self, address: Text, reason: Option<Text>) {
        self.recipient_count += 1;
        if self.recipients.len() < MAX_RECIPIENTS {
            self.recipients.push(Recipient { address, state: RecipientState::Pending, reason });
        }
    }

    /// Takes over how many recipients there are in a file that was not read to its end. Where that is not known, none of those
    /// that were read are kept: their number would be taken for that of all.
    pub fn count_of_all(&mut self, counted: Option<u64>) {
        if let Some(count) = counted {
            self.recipient_count = count;
        } else {
            self.attribute("recipients_read", Text::from(format!("{}, and not all", self.recipient_count)));
            self.recipient_count = 0;
            self.recipients.clear();
        }
    }

    /// Notes an attribute.
    pub fn attribute(&mut self, name: impl Into<String>, value: Text) {
        if self.attributes.len() < MAX_ATTRIBUTES {
            self.attributes.push((name.into().into(), value));
        }
    }

    /// Notes a header line: `?flags?Field: value`, continuations included.
    pub fn header(&mut self, value: &[u8]) {
        let field = value.strip_prefix(b"?").and_then(|rest| {
            let end = memchr::memchr(b'?', rest)?;
            rest.get(end + 1..)
        });
        let field = field.unwrap_or(value);
        if self.headers.len() + field.len() < MAX_HEADER_BYTES {
            self.headers.extend_from_slice(field);
            self.headers.push(b'\n');
        }
    }

    /// The fault that counts: the first certain one, else the first.
    pub fn leading_fault(&self) -> Option<&Fault> {
        let certain = self.faults.iter().find(|fault| fault.confidence == Confidence::Certain);
        certain.or_else(|| self.faults.first())
    }

    /// What can still be read of a damaged file; `None` of one that was not read.
    pub fn salvage(&self) -> Option<String> {
        if self.unread {
            return None;
        }
        let sender = if self.sender.is_some() { "the sender" } else { "no sender" };
        let recipients = match self.recipient_count {
            1 => "1 recipient".to_owned(),
            count => format!("{count} recipients"),
        };
        let header = if self.headers.is_empty() { "no header" } else { "header lines" };
        Some(format!("can still be read: {sender}, {recipients}, {header}"))
    }
}

impl Fate {
    /// What the next queue run does, for people.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Lost => "the next queue run renames it to `Qf…`, and the listing does not show it any more",
            Self::GivenUp => {
                "the listing shows it, and every queue run gives up on it: it is neither sent nor returned"
            }
            Self::Sent => "the next queue run takes it as it stands, which is not as it was meant",
            Self::Dies => "the listing shows no sender for it, and the queue run that takes it up dies on it",
            Self::Deleted => "the next queue run deletes it together with its data file, and says nothing",
        }
    }
}
