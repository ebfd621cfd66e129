//! Plans: what is to be done about a message, as plain data.
//!
//! A source proposes, [`crate::run`] prints the proposal or has it carried out, and only [`crate::act`] does. Paths are
//! relative to the root of the place they belong to.

pub mod course;
mod door;
pub mod entry;
mod job;
mod step;

pub use door::{Choice, Door};
pub use job::{Digest, Guarded, Job};
pub use step::{Change, Command, Lock, Step, Submission};

use crate::evidence::{Envelope, RecipientState, Text};
use serde::{Deserialize, Serialize};

/// What the operator wants done with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// Send it on to the recipients that do not have it yet.
    Requeue,
    /// Return it to its envelope sender with a non-delivery report.
    Ndr,
}

impl Verb {
    /// The verb of the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Requeue => "requeue",
            Self::Ndr => "ndr",
        }
    }
}

/// What a source proposes for one message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// How it is done.
    pub way: Way,
    /// The lock by which the mail system itself keeps others away from this message; taken before anything is touched.
    pub lock: Option<Lock>,
    /// What the operator has to know before: sentences, lower-case, without a full stop.
    pub warnings: Vec<String>,
}

/// How a remedy is done; the first that applies is the best.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "way", rename_all = "snake_case")]
pub enum Way {
    /// The mail system does it itself, since it can see the message.
    Native {
        /// Its commands, in this order.
        commands: Vec<Command>,
    },
    /// The message is put right where it lies, so that the mail system sees it again and delivers it itself.
    Repair {
        /// What is changed, in this order: side files first, the message last.
        changes: Vec<Change>,
        /// Commands of the mail system by which it takes notice, after that.
        then: Vec<Command>,
    },
    /// The message is taken out of the mail system's reach, and then handed in anew, or returned.
    HandOver {
        /// The files that are taken away, in this order: the one without which the mail system does not touch the others
        /// goes first. Files of other messages are never among them.
        parts: Vec<Text>,
        /// To whom it goes.
        outgoing: Outgoing,
    },
}

/// Why nothing is proposed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The reason: lower-case, without a full stop.
    pub reason: String,
    /// What the operator can do: imperative, without a full stop; empty if there is nothing.
    pub hint: String,
}

impl Refusal {
    /// A refusal with a hint.
    pub fn new(reason: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { reason: reason.into(), hint: hint.into() }
    }
}

/// A message about which nothing can be done, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The finding, or what was typed where there is none.
    pub finding: String,
    /// The queue ID, or what stands for it.
    pub called: String,
    /// The rule that leads; empty where there is no finding.
    pub rule: String,
    /// The place, in people's words.
    pub place: String,
    /// The reason.
    pub reason: String,
    /// What the operator can do; empty if there is nothing.
    pub hint: String,
}

/// The envelope with which a message is sent on: only recipients that do not have it yet.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outgoing {
    /// The envelope sender without angle brackets; empty is the null sender. `None`: unknown, as in a half.
    pub sender: Option<Text>,
    /// The recipients.
    pub recipients: Vec<OutgoingRecipient>,
    /// Recipients that have the message already and are left out.
    pub delivered: Vec<Text>,
    /// `RET` of RFC 3461: `FULL` or `HDRS`.
    pub ret: Option<Ret>,
    /// `ENVID` of RFC 3461, decoded from xtext.
    pub envid: Option<Text>,
    /// Whether the sender demanded SMTPUTF8 (RFC 6531).
    pub smtputf8: bool,
}

/// `RET` of RFC 3461 section 4.3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Ret {
    /// The whole message.
    Full,
    /// Its header only.
    Hdrs,
}

/// `NOTIFY` of RFC 3461 section 4.1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "they are the keywords of RFC 3461")]
pub struct Notify {
    /// `NEVER`; the others are false then.
    pub never: bool,
    /// `SUCCESS`.
    pub success: bool,
    /// `FAILURE`.
    pub failure: bool,
    /// `DELAY`.
    pub delay: bool,
}

impl Notify {
    /// The value of the parameter, or `None` where nothing was asked for.
    pub fn parameter(self) -> Option<String> {
        if self.never {
            return Some("NEVER".to_owned());
        }
        let words = [(self.success, "SUCCESS"), (self.failure, "FAILURE"), (self.delay, "DELAY")];
        let asked: Vec<_> = words.into_iter().filter_map(|(set, word)| set.then_some(word)).collect();
        (!asked.is_empty()).then(|| asked.join(","))
    }

    /// Whether the sender wants to hear of a failure (RFC 3461 section 4.1: `NOTIFY` without `FAILURE` is a no).
    pub fn wants_failure(self) -> bool {
        self.failure || self.parameter().is_none()
    }
}

/// One recipient to whom a message is sent on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutgoingRecipient {
    /// The address without angle brackets.
    pub address: Text,
    /// What the sender wants to be told.
    pub notify: Notify,
    /// `ORCPT`: the type and the original address (`rfc822;a@b.example`), decoded from xtext.
    pub orcpt: Option<Text>,
    /// What the last attempt said.
    pub reason: Option<Text>,
}

/// What the operator gave beyond the selection.
#[derive(Debug, Clone, Default)]
pub struct Given {
    /// The envelope sender of a half that has none (`--mail-from`; empty is the null sender).
    pub sender: Option<Text>,
    /// The recipients of a half that has none (`--to`).
    pub recipients: Vec<Text>,
    /// The spool belongs to no running mail system: a copy, or a mounted disk (`--offline`).
    pub offline: bool,
}

impl Outgoing {
    /// The outgoing envelope of a message, without delivery options.
    ///
    /// # Errors
    /// When it is not known for certain who still has to get the message.
    pub fn of(envelope: &Envelope, given: &Given) -> Result<Self, Refusal> {
        let mut outgoing = Self { sender: envelope.sender.clone(), ..Self::default() };
        let known = envelope.recipients.len() as u64;
        if let Some(count) = envelope.recipient_count.filter(|count| *count > known) {
            return Err(Refusal::new(
                format!("only {known} of its {count} recipients are known"),
                "hand it to those who wait for it by hand: `ghostq requeue --via export:DIR` writes it into a folder",
            ));
        }
        for recipient in &envelope.recipients {
            match recipient.state {
                RecipientState::Pending => outgoing.recipients.push(OutgoingRecipient {
                    address: recipient.address.clone(),
                    reason: recipient.reason.clone(),
                    ..OutgoingRecipient::default()
                }),
                RecipientState::Done => outgoing.delivered.push(recipient.address.clone()),
                RecipientState::Unknown => {
                    return Err(Refusal::new(
                        format!("it is not known whether `{}` has it already", recipient.address.lossy()),
                        "look into the logs of the mail system who waits for it; `ghostq requeue --via export:DIR` writes it into a folder for them",
                    ));
                }
            }
        }
        Ok(outgoing.with(given, known == 0))
    }

    /// Fills in what the operator gave. Recipients replace those of the envelope only where it has none (`half`).
    #[must_use]
    pub fn with(mut self, given: &Given, half: bool) -> Self {
        if self.sender.is_none() {
            self.sender.clone_from(&given.sender);
        }
        if half {
            let recipient =
                |address: &Text| OutgoingRecipient { address: address.clone(), ..Default::default() };
            self.recipients = given.recipients.iter().map(recipient).collect();
        }
        self
    }
}
