//! Lines of the journal.

use super::{Digest, Job};
use crate::evidence::{Stat, Text, Time};
use serde::{Deserialize, Serialize};

/// One line of the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Its number in the journal, from 1.
    pub n: u64,
    /// When it was written.
    pub at: Time,
    /// The operation.
    pub op: String,
    /// What it says.
    #[serde(flatten)]
    pub entry: Entry,
}

/// What a line of the journal says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "snake_case")]
pub enum Entry {
    /// An operation begins.
    Opened {
        /// Version of ghostq.
        tool_version: String,
        /// The host.
        host: String,
        /// The user who runs it.
        uid: u32,
        /// `requeue` or `ndr`.
        verb: String,
        /// The words of the command line, so that what was not begun can be taken up again.
        words: Vec<String>,
        /// The folder in which it was run, since words may name paths below it.
        #[serde(default)]
        folder: Option<Text>,
        /// Logs as they were then: what is written into them later may tell what became of a message.
        logs: Vec<LogMark>,
    },
    /// A message is to be acted upon.
    Planned {
        /// The plan.
        job: Box<Job>,
    },
    /// A part was copied into the vault.
    Kept {
        /// The job.
        job: u32,
        /// Which part of it, from 0.
        part: usize,
        /// The file in the vault.
        file: String,
    },
    /// What will be handed in lies in the vault.
    Extracted {
        /// The job.
        job: u32,
        /// What the content looks like, without the trace field on top of it.
        content: Digest,
    },
    /// A step is about to be done.
    Intent {
        /// The job.
        job: u32,
        /// The step, from 0.
        step: usize,
        /// The metadata of the file before, where the step changes it.
        was: Option<Stat>,
    },
    /// All bytes were handed over; what says that they end is about to be sent. Before this line, nothing was taken.
    Committing {
        /// The job.
        job: u32,
        /// The step.
        step: usize,
    },
    /// A step was done.
    Done {
        /// The job.
        job: u32,
        /// The step.
        step: usize,
        /// What came of it.
        outcome: Outcome,
    },
    /// A step was not done, and nothing came of it.
    NotDone {
        /// The job.
        job: u32,
        /// The step.
        step: usize,
        /// Why.
        why: String,
    },
    /// A step may have been done or not.
    Unknown {
        /// The job.
        job: u32,
        /// The step.
        step: usize,
        /// Why that cannot be told.
        why: String,
    },
    /// A step is about to be taken back.
    Undoing {
        /// The job.
        job: u32,
        /// The step.
        step: usize,
    },
    /// A step was taken back.
    Undone {
        /// The job.
        job: u32,
        /// The step.
        step: usize,
    },
    /// A message is finished with.
    Closed {
        /// The job.
        job: u32,
        /// How.
        end: End,
        /// What to say about it.
        note: String,
    },
    /// The operation is at its end, or was left off by the operator.
    Ended {
        /// Why it ended before all messages were done; empty if they were.
        why: String,
    },
    /// The line before this one was torn by a crash.
    Torn {
        /// How many bytes of it there are.
        bytes: u64,
    },
}

/// A log as it was when the operation began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogMark {
    /// The file.
    pub path: Text,
    /// Its inode.
    pub inode: u64,
    /// Its size.
    pub size: u64,
}

/// What came of a step.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// What to tell: the reply, the exit code; tamed, one line.
    pub note: String,
    /// The queue ID under which the message is known now.
    pub queue_id: Option<String>,
    /// Recipients that were refused while others were taken.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<Text>,
    /// Whether it was found out by looking, after a crash.
    #[serde(default)]
    pub by_looking: bool,
}

/// How a job ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// What was planned was done.
    Done,
    /// It was handed in, but not to all recipients; the rest waits in the vault.
    Partly,
    /// Nothing was done, and everything is as it was.
    Untouched,
    /// It could not be done and could not be put back either: the message lies in the vault.
    Held,
    /// It was done and taken back.
    Undone,
}

impl End {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Partly => "partly done",
            Self::Untouched => "not done",
            Self::Held => "held in the vault",
            Self::Undone => "undone",
        }
    }
}
