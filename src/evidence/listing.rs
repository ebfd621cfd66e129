//! What a mail system's own tool shows.

use super::{Text, Time};
use serde::{Deserialize, Serialize};

/// One message in a listing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListingEntry {
    /// Line of the listing on which the entry starts, counted from 1.
    pub line: u64,
    /// The queue in the mail system's own words.
    pub queue: Option<String>,
    /// The queue ID or identity.
    pub native: Option<Text>,
    /// The Internet Message-ID with its angle brackets.
    pub message_id: Option<Text>,
    /// The envelope sender without angle brackets.
    pub sender: Option<Text>,
    /// The subject.
    pub subject: Option<Text>,
    /// Size in bytes; `None` if it is not shown, or shown rounded.
    pub size: Option<u64>,
    /// When it came in.
    pub arrived: Option<Time>,
    /// The recipients that are shown.
    pub recipients: Vec<Text>,
    /// What state it is in.
    pub state: EntryState,
    /// Whether only a listing other than the default one shows it, as `sendmail -bp -qQ` does: people who look at the
    /// default listing do not see it.
    pub on_request: bool,
    /// What the listing says about the delay.
    pub reason: Option<Text>,
}

/// The state a listing shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryState {
    /// Waiting or being delivered: nothing unusual.
    #[default]
    Normal,
    /// Held, frozen or suspended by somebody's decision.
    Held,
    /// In a poison queue: it will never move by itself.
    Poison,
    /// A shadow or safety-net copy: not undelivered mail.
    Shadow,
}

/// How a listing ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListingEnd {
    /// The number of messages that the listing itself states.
    pub declared: Option<u64>,
    /// Why the listing is known or suspected not to be whole.
    pub cut: Option<String>,
    /// Lines that could not be understood: line number and what was wrong. At most [`Self::MAX_MISREAD`] are kept.
    pub misread: Vec<(u64, String)>,
}

impl ListingEnd {
    /// Misread lines that are kept.
    pub const MAX_MISREAD: usize = 100;

    /// Notes a line that could not be understood.
    pub fn misread(&mut self, line: u64, why: impl Into<String>) {
        if self.misread.len() < Self::MAX_MISREAD {
            self.misread.push((line, why.into()));
        }
    }
}
