//! What became of a message, as exactly as it can be known.

use super::reply::Reply;
use crate::evidence::Text;
use serde::{Deserialize, Serialize};

/// Why something did not happen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The reason: lower-case, without a full stop.
    pub reason: String,
    /// What the operator can do: imperative, without a full stop; empty if there is nothing.
    pub hint: String,
    /// What the server said, if it was its answer.
    pub reply: Option<Reply>,
    /// Whether the same may well succeed later, with nothing changed: a 4xx reply, a connection that broke.
    pub temporary: bool,
}

impl Failure {
    /// The connection does not serve, or the server does not keep to the protocol; it may be better later.
    pub(super) fn broken(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), hint: String::new(), reply: None, temporary: true }
    }

    /// It will not be better later.
    pub(super) fn lasting(reason: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { reason: reason.into(), hint: hint.into(), reply: None, temporary: false }
    }

    /// The server said no to this.
    pub(super) fn refused(what: &str, reply: Reply) -> Self {
        let temporary = reply.is_temporary() || !reply.is_negative();
        Self { reason: format!("{what}: {reply}"), hint: String::new(), reply: Some(reply), temporary }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.reason)?;
        if self.hint.is_empty() { Ok(()) } else { write!(f, "; {}", self.hint) }
    }
}

/// What became of the message as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    /// The server has it for no recipient: it said no, or the end of the message was never sent, without which it must not
    /// deliver (RFC 5321 section 4.1.1.4).
    NotTaken {
        /// Why.
        failure: Failure,
    },
    /// The server has it, for those recipients that are accepted.
    Taken {
        /// Its words.
        reply: Reply,
        /// The ID under which it has it, if it said one in a usual way.
        queue_id: Option<String>,
    },
    /// The end of the message was sent, perhaps in part, and no answer came that can be understood: the server may have it or
    /// not. Whoever sends it again may send it twice.
    Unknown {
        /// Why it is not known.
        why: String,
    },
}

/// What became of one recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// The server does not have the message for it, though it did not refuse this recipient.
    NotTaken,
    /// The server refused this recipient, and does not have the message for it.
    Refused,
    /// The server has the message for it.
    Accepted,
    /// The server may have the message for it or not.
    Unknown,
}

/// One recipient and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecipientResult {
    /// The address, as it was asked for.
    pub address: Text,
    /// What became of it.
    pub fate: Fate,
    /// What the server said of it last.
    pub reply: Option<Reply>,
}

/// How handing in one message ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handed {
    /// What became of the message.
    pub verdict: Verdict,
    /// What became of each recipient, in the order of the envelope. With a verdict of `NotTaken` none is accepted or unknown,
    /// with one of `Taken` none is unknown. With `Unknown`, LMTP may still have accepted or refused some for certain.
    pub recipients: Vec<RecipientResult>,
    /// What the operator should know besides: sentences, lower-case, without a full stop.
    pub notes: Vec<String>,
}
