//! Conditions that a source can see by itself.

use super::{Fact, Text};
use serde::{Deserialize, Serialize};

/// How far the evidence carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// One explanation among several.
    Possible,
    /// The best explanation; something that would settle it is missing.
    Likely,
    /// The evidence shows it.
    Certain,
}

/// A condition together with the facts that show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signed {
    /// The condition.
    pub sign: Sign,
    /// How sure the source is.
    pub confidence: Confidence,
    /// What shows it.
    pub facts: Vec<Fact>,
}

impl Signed {
    /// A condition that one fact proves.
    pub fn certain(sign: Sign, fact: Fact) -> Self {
        Self { sign, confidence: Confidence::Certain, facts: vec![fact] }
    }

    /// A condition that one fact makes likely.
    pub fn likely(sign: Sign, fact: Fact) -> Self {
        Self { sign, confidence: Confidence::Likely, facts: vec![fact] }
    }
}

/// A condition that the source itself can see, without a listing, an epoch or a clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Sign {
    /// The file name encodes an inode that is not the file's.
    NameInode {
        /// The inode in the name.
        named: u64,
        /// The inode of the file.
        actual: u64,
    },
    /// A name that this mail system cannot own.
    ForeignName,
    /// The right name in the wrong place.
    Misfiled {
        /// Where the mail system would look for it.
        expected: Text,
    },
    /// The mail system cannot or will not open it because of its owner or mode.
    OwnerOrMode,
    /// This one file stops every delivery.
    BlocksQueue,
    /// A writer has not finished it. Whether the writer lives is for the second look.
    Unfinished,
    /// Zero bytes where a message should be.
    EmptyFile,
    /// Damaged or cut off.
    Corrupt {
        /// Byte at which reading failed.
        offset: u64,
    },
    /// Somebody decided to hold it.
    Held,
    /// It was handed in, and waits to be picked up.
    Unclaimed,
    /// There is content and no envelope.
    EnvelopeLost,
    /// There is an envelope and no content.
    BodyLost,
    /// A log or note without its message.
    SideFileAlone,
    /// Its name holds the number of a process; the second look says whether that process lives.
    OwnedByProcess {
        /// The process.
        pid: u32,
    },
    /// It lies in a queue that the default listing does not read.
    OtherQueue,
    /// It was set down after the live process built its index, where that process looks only at start. `Possible` where
    /// mail that came in the regular way looks the same; a listing decides then.
    AfterIndex,
    /// A journal of finished deliveries that are not yet taken over into the envelope.
    JournalLeft,
    /// A part of the queue's own bookkeeping is missing, without which it is not tried.
    PartMissing,
    /// It is a second copy of a message in the same source (a second name of one file, a resubmitted copy).
    SecondCopy,
}
