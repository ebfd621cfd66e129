//! Findings: cases with the opinions of the rules, and the frame in which they are reported.

use crate::evidence::{Confidence, Damage, Duration, EntryState, Fact, Instance, Locus, Message, Text, Time};
use serde::{Deserialize, Serialize};

mod forecast;
mod store;

pub use forecast::{Entry, Forecast, Moment, Occurrence, Oldest, Outcome, Prospect, Reason, Senders, Span};
pub use store::Store;

/// How bad it is; the order is the order of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// One file that stops every delivery.
    Blocker,
    /// Held and invisible.
    Ghost,
    /// Listed, but never tried again.
    Stuck,
    /// Worth knowing; nothing is held because of it.
    Note,
}

/// Whether the mail system's own listing shows the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    /// It is not in the listing, or of a kind that the listing never shows.
    Hidden,
    /// It is in the listing, or of a kind that the listing always shows.
    Listed,
    /// No listing was given, and its kind does not decide.
    Unknown,
}

/// What one rule says of one case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opinion {
    /// The rule's name.
    pub rule: String,
    /// How bad the rule finds it.
    pub class: Class,
    /// How far the evidence carries.
    pub confidence: Confidence,
    /// The reason in one sentence, lower-case, without a full stop.
    pub why: String,
    /// What shows it.
    pub facts: Vec<Fact>,
}

/// A rule that could not speak, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silent {
    /// The rule's name.
    pub rule: String,
    /// What was missing.
    pub why: String,
}

/// Another place in which the same message was seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sighting {
    /// Index of the instance.
    pub instance: usize,
    /// The queue there.
    pub queue: String,
    /// Where it lies there.
    pub place: Locus,
    /// What the two have in common: `queue ID`, `Message-ID`, `subject, time and recipients`.
    pub matched_by: String,
    /// How far that carries.
    pub confidence: Confidence,
}

/// The entry of the listing that shows this message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ListedAs {
    /// Where in the listing.
    pub locus: Locus,
    /// The state it shows.
    pub state: EntryState,
    /// What the two have in common.
    pub matched_by: String,
    /// The delay reason it gives.
    pub reason: Option<Text>,
}

/// What the mail system will do next, and what the operator can do, filled in for one message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outlook {
    /// The rule it belongs to.
    pub rule: String,
    /// What the mail system will do with it.
    pub next: String,
    /// Commands and advice, the mail system's own first.
    pub remedies: Vec<Advice>,
    /// What would destroy it.
    pub destroyers: Vec<String>,
    /// Where this is known from.
    pub source: String,
}

/// One remedy, filled in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Advice {
    /// A command to type; empty when there is none.
    pub command: String,
    /// What it does, or what to do.
    pub what: String,
}

/// One case and what the rules say of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Finding {
    /// A short name, the same in every scan of the same evidence: `postfix:7c9f2ab1`.
    pub id: String,
    /// The worst class among the opinions.
    pub class: Class,
    /// Whether the listing shows it.
    pub visibility: Visibility,
    /// The confidence of the leading opinion.
    pub confidence: Confidence,
    /// Opinions, the leading one first.
    pub opinions: Vec<Opinion>,
    /// Rules that could not speak.
    pub silent: Vec<Silent>,
    /// The message.
    pub message: Message,
    /// Where else it was seen.
    pub sightings: Vec<Sighting>,
    /// Its entry in the listing.
    pub listed_as: Option<ListedAs>,
    /// What will happen, what can be done.
    pub outlook: Vec<Outlook>,
}

impl Finding {
    /// Age in seconds at `clock`, if it is known when the message came in and that was before `clock`.
    pub fn age(&self, clock: Time) -> Option<Duration> {
        self.message.arrived().map(|arrived| clock.since(arrived)).filter(|age| *age >= 0)
    }

    /// The name of the leading rule.
    pub fn rule(&self) -> &str {
        self.opinions.first().map_or("", |opinion| &opinion.rule)
    }
}

/// Something worth knowing about a whole instance: a rule of class `note`, counted.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Note {
    /// The rule's name.
    pub rule: String,
    /// Index of the instance.
    pub instance: usize,
    /// How many messages.
    pub count: u64,
    /// The reason in one sentence, lower-case, without a full stop.
    pub why: String,
    /// Up to five examples.
    pub examples: Vec<Fact>,
    /// What will happen, what can be done.
    pub outlook: Option<Outlook>,
}

/// A listing as it was used.
#[derive(Debug, Clone)]
pub struct ListingSummary {
    /// Indices of the instances it was held against.
    pub instances: Vec<usize>,
    /// `postqueue -j`, `Get-Message CSV`.
    pub format: &'static str,
    /// The file, or the command that was run.
    pub origin: Text,
    /// Messages in it.
    pub entries: u64,
    /// How many of them were found on disk.
    pub on_disk: u64,
    /// Why it is not, or may not be, whole.
    pub cut: Option<String>,
    /// Whether it was taken live, before and after the scan.
    pub live: bool,
}

/// The frame around the findings.
#[derive(Debug, Clone)]
pub struct Summary {
    /// Version of ghostq.
    pub tool_version: &'static str,
    /// A name for this scan.
    pub scan_id: String,
    /// The host on which it ran.
    pub host: String,
    /// The clock by which it judged.
    pub as_of: Time,
    /// Whether the operator set that clock.
    pub as_of_given: bool,
    /// What was looked at.
    pub instances: Vec<Instance>,
    /// Messages per instance.
    pub messages: Vec<u64>,
    /// Bytes per instance, as far as sizes are known.
    pub bytes: Vec<u64>,
    /// The listings that were used.
    pub listings: Vec<ListingSummary>,
    /// Findings per class: blocker, ghost, stuck, note; whatever the filter.
    pub counts: Counts,
    /// How many of them the filter lets through.
    pub reported: u64,
    /// The arguments by which the same evidence is looked at again.
    pub again: Vec<String>,
    /// Notes about whole instances.
    pub notes: Vec<Note>,
    /// What could not be read (the first thousand).
    pub damages: Vec<Damage>,
    /// How much could not be read.
    pub damage_count: u64,
    /// Whether the scan was broken off.
    pub interrupted: bool,
    /// Rules that could not speak in the whole scan, and why.
    pub silent: Vec<Silent>,
    /// What was noticed about the scan itself: atime could not be kept, a listing was refused.
    pub warnings: Vec<String>,
}

/// How many findings of each class, and the oldest of the hidden ones.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Findings of class blocker.
    pub blockers: u64,
    /// Findings of class ghost.
    pub ghosts: u64,
    /// Findings of class stuck.
    pub stuck: u64,
    /// Findings of class note that are reported one by one.
    pub notes: u64,
    /// Findings that the listing does not show, of whatever class.
    pub hidden: u64,
    /// Age of the oldest of those in seconds.
    pub oldest_hidden: Option<Duration>,
}

impl Counts {
    /// All findings.
    pub fn total(&self) -> u64 {
        self.blockers + self.ghosts + self.stuck + self.notes
    }
}

impl Summary {
    /// Whether everything that should have been read was read.
    pub fn complete(&self) -> bool {
        self.damage_count == 0 && !self.interrupted
    }
}
