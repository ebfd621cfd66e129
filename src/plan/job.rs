//! The plan for one message, complete enough to be carried out by somebody who has nothing but the journal.

use super::{Door, Lock, Outgoing, Step, Verb};
use crate::evidence::{Stat, Text};
use serde::{Deserialize, Serialize};

/// The plan for one message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// Its number within the operation, from 1.
    pub number: u32,
    /// The name of the finding: `postfix:7c9f2ab1`.
    pub finding: String,
    /// The rule that leads.
    pub rule: String,
    /// The source: `postfix`.
    pub source: String,
    /// What people call the place.
    pub place: String,
    /// The folder of the place, absolute. Paths of steps and parts are below it.
    pub root: Text,
    /// The folder of the vault for this job, absolute; in a plan that is not carried out, the folder in which it would be made.
    pub vault: Text,
    /// The queue, in the mail system's own words.
    pub queue: String,
    /// The queue ID, or what stands for it.
    pub native: Option<Text>,
    /// The Message-ID with its angle brackets.
    pub message_id: Option<Text>,
    /// What the operator wants.
    pub verb: Verb,
    /// Every file of the message as it was when this was planned.
    pub parts: Vec<Guarded>,
    /// The lock that is taken first.
    pub lock: Option<Lock>,
    /// What is done, in this order.
    pub steps: Vec<Step>,
    /// To whom the message goes, where ghostq hands it in: for a report, that is the sender.
    pub outgoing: Option<Outgoing>,
    /// Where it is handed in.
    pub door: Option<Door>,
    /// What is handed in, as it was when this was planned.
    pub content: Option<Digest>,
    /// What the operator has to know before.
    pub warnings: Vec<String>,
}

/// A file of a message as it was when the plan was made. Nothing is done to a file that is no longer this one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guarded {
    /// The file, below the root.
    pub path: Text,
    /// Its metadata.
    pub stat: Stat,
    /// SHA-256 of its bytes in lower-case hex.
    pub sha256: String,
}

/// What a content looks like from outside.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest {
    /// Bytes.
    pub size: u64,
    /// SHA-256 of all of it in lower-case hex.
    pub sha256: String,
    /// SHA-256 of the body as DKIM hashes it with `simple` canonicalisation (RFC 6376 section 3.4.3: CRLF line ends, one CRLF at
    /// the end), in lower-case hex: the same before and after, or a signature would break.
    pub body_sha256: String,
    /// Whether a byte above 127 is in it.
    pub eight_bit: bool,
}

impl Job {
    /// The job as people and commands name it: `20261126-044658-1f2e.3`.
    pub fn label(&self, operation: &str) -> String {
        format!("{operation}.{}", self.number)
    }

    /// The message as people know it: its queue ID, else the finding's name.
    pub fn called(&self) -> String {
        self.native.as_ref().map_or_else(|| self.finding.clone(), |native| native.lossy().into_owned())
    }

    /// Whether something is handed in.
    pub fn hands_in(&self) -> bool {
        self.steps.contains(&Step::HandIn)
    }
}
