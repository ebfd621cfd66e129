//! What happens to a message when something is set going: a start, a queue run, a purge.

use super::{Confidence, Duration, Message};
use serde::Serialize;

/// What an operator, a clock or a boot can set going in a mail system. The order is the order of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// It starts, or starts anew.
    Start,
    /// It reads its configuration anew without being stopped.
    Reload,
    /// Its queue is run as it is by the clock: what is due is tried.
    QueueRun,
    /// Everything is tried, due or not.
    Flush,
    /// The structure of its queue is checked and mended.
    StructureCheck,
    /// What it takes for left over is removed on request.
    Purge,
    /// Its queue is listed by a tool that does more than read.
    Listing,
    /// It clears up by itself, by the clock.
    Cleanup,
}

/// What becomes of a message. The order is that of the report: what cannot be made good comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// It stops every delivery.
    BlocksQueue,
    /// Mail that may have been accepted is deleted, and nobody is told.
    Destroyed,
    /// What the mail system takes for unfinished or left over is deleted without a word.
    Purged,
    /// It goes out without its content.
    SentEmpty,
    /// It goes out cut, to fewer recipients, or to a wrong address.
    SentDamaged,
    /// It goes out to recipients that have it, or will get it another time.
    SentTwice,
    /// It is returned to its sender, if one more attempt fails.
    Returned,
    /// It is moved out of sight: no listing shows it from then on, and nothing tries it.
    SetAside,
    /// It goes out, late.
    Released,
    /// It is renamed or moved to another place in the queue.
    Renamed,
    /// It is tried, as it should be.
    Tried,
    /// Nothing happens to it.
    Stays,
}

impl Effect {
    /// Whether it is anything but the daily work of a mail system.
    pub fn matters(self) -> bool {
        self < Self::Tried
    }

    /// Whether it comes of an attempt to deliver, which a message that is not tried does not see.
    pub fn needs_attempt(self) -> bool {
        !matches!(
            self,
            Self::BlocksQueue | Self::Destroyed | Self::Purged | Self::SetAside | Self::Renamed | Self::Stays
        )
    }
}

/// From what an age is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// The time at which the file was written last.
    Modified,
    /// The time at which the file was read last.
    Accessed,
    /// The time at which the inode was changed last.
    Changed,
    /// The time at which the message came in, by its best evidence.
    Arrival,
}

/// What must hold for it to happen now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// It is older than this.
    OlderThan(Duration, Measure),
    /// Its next attempt, if one is set, is due.
    Due,
    /// It is older than the lifetime of the queue.
    Expired,
}

/// The messages of a rule that a fate is for, where it is not for all of them.
#[derive(Debug, Clone, Copy)]
pub struct Only {
    /// Which ones, for people: `in maildrop`.
    pub about: &'static str,
    /// Whether a message is one of them.
    pub holds: fn(&Message) -> bool,
}

/// What happens to a message when something is set going: knowledge, kept beside the treatment that it belongs to.
#[derive(Debug, Clone, Copy)]
pub struct Fate {
    /// What sets it going.
    pub on: &'static [Trigger],
    /// What becomes of the message.
    pub effect: Effect,
    /// What must hold for that; all of these.
    pub when: &'static [Condition],
    /// The messages that it is for.
    pub only: Option<Only>,
    /// How far what is known carries.
    pub confidence: Confidence,
    /// Why, in one sentence, lower-case, without a full stop.
    pub why: &'static str,
}

impl Fate {
    /// What happens to every message of a rule, as far as is known for certain.
    pub const fn new(on: &'static [Trigger], effect: Effect, why: &'static str) -> Self {
        Self { on, effect, when: &[], only: None, confidence: Confidence::Certain, why }
    }

    /// The same, but not before all of these hold.
    #[must_use]
    pub const fn when(mut self, when: &'static [Condition]) -> Self {
        self.when = when;
        self
    }

    /// The same, of some messages only.
    #[must_use]
    pub const fn only(mut self, about: &'static str, holds: fn(&Message) -> bool) -> Self {
        self.only = Some(Only { about, holds });
        self
    }

    /// The same, inferred from what is known.
    #[must_use]
    pub const fn likely(mut self) -> Self {
        self.confidence = Confidence::Likely;
        self
    }

    /// The same, as one possibility among several.
    #[must_use]
    pub const fn possible(mut self) -> Self {
        self.confidence = Confidence::Possible;
        self
    }
}

/// Something that can be set going in one mail system, in its own words.
#[derive(Debug, Clone, Copy)]
pub struct Occasion {
    /// What it is.
    pub trigger: Trigger,
    /// What the operator types; empty where it happens by itself.
    pub command: &'static str,
    /// It as a condition: `Postfix starts`.
    pub happens: &'static str,
}

/// What a mail system does by habit.
#[derive(Debug, Clone, Copy)]
pub struct Habits {
    /// What can be set going.
    pub occasions: &'static [Occasion],
    /// What happens then to mail of which no rule says anything.
    pub healthy: &'static [Fate],
    /// Where that is known from.
    pub source: &'static str,
}
