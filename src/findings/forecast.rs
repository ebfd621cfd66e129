//! What would happen to the messages of each place, counted: memory does not grow with the number of messages.

use super::Summary;
use crate::evidence::{Confidence, Duration, Effect, Occasion, Text, Time};
use std::collections::{BTreeMap, HashMap};

/// Different senders that are told apart; beyond that the most frequent ones stay, and their numbers are lower bounds.
const MAX_SENDERS: usize = 4_096;
/// Bytes of a sender that are kept: an address has 320 at most (RFC 5321 section 4.5.3.1).
const MAX_SENDER_BYTES: usize = 320;

/// What would happen.
#[derive(Debug)]
pub struct Forecast {
    /// The frame of the scan behind it.
    pub summary: Summary,
    /// What would happen in each place, in the order of the instances.
    pub places: Vec<Vec<Prospect>>,
    /// Whether it was interrupted.
    pub interrupted: bool,
}

impl Forecast {
    /// Whether anything would happen that is not the daily work of a mail system, or of which nothing is known.
    pub fn matters(&self) -> bool {
        self.places.iter().flatten().any(Prospect::matters)
    }
}

/// What would happen in one place if one thing was set going.
#[derive(Debug)]
pub struct Prospect {
    /// What is set going.
    pub occasion: Occasion,
    /// What happens then, and when.
    pub outcomes: BTreeMap<(Effect, Moment), Outcome>,
    /// Messages of which it is not known what happens, by the rule that has no forecast.
    pub unknown: BTreeMap<String, u64>,
}

impl Prospect {
    /// Nothing yet.
    pub fn new(occasion: Occasion) -> Self {
        Self { occasion, outcomes: BTreeMap::new(), unknown: BTreeMap::new() }
    }

    /// Whether the same happens to the same messages.
    pub fn is_like(&self, other: &Self) -> bool {
        self.outcomes == other.outcomes && self.unknown == other.unknown
    }

    /// Whether anything would happen that is not the daily work of a mail system, or of which nothing is known.
    pub fn matters(&self) -> bool {
        !self.unknown.is_empty() || self.outcomes.keys().any(|(effect, _)| effect.matters())
    }
}

/// When it happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Moment {
    /// If it is set going now.
    Now,
    /// Not yet: only if it is set going some time later.
    Later,
    /// It depends on a time that is not known here.
    Undated,
}

/// One thing that happens to one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occurrence {
    /// What becomes of it.
    pub effect: Effect,
    /// When.
    pub moment: Moment,
    /// In how many seconds, where that is later.
    pub wait: Option<Duration>,
    /// The rule that it comes from; `None`: no rule says anything of the message.
    pub rule: Option<String>,
    /// How far that carries.
    pub confidence: Confidence,
    /// Why.
    pub why: &'static str,
    /// Where that is known from.
    pub source: &'static str,
}

/// A message as it is entered.
#[derive(Debug, Clone)]
pub struct Entry<'a> {
    /// Its own name.
    pub id: Option<&'a Text>,
    /// Where it lies.
    pub path: &'a Text,
    /// Its sender, from the envelope, else from the header; empty text is the null sender.
    pub sender: Option<&'a Text>,
    /// When it came in.
    pub arrived: Option<Time>,
}

/// The messages to which one thing happens.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// How many.
    pub count: u64,
    /// Of how many it is not known when they came in.
    pub undated: u64,
    /// The oldest of them.
    pub oldest: Option<Oldest>,
    /// When the youngest of them came in.
    pub youngest: Option<Time>,
    /// In how many seconds it happens, where that is later.
    pub wait: Option<Span>,
    /// Who sent them.
    pub senders: Senders,
    /// Why.
    pub reasons: BTreeMap<(Option<String>, &'static str), Reason>,
}

/// The least and the most of some seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The least.
    pub least: Duration,
    /// The most.
    pub most: Duration,
}

/// The oldest message; of those without a time the one whose path comes first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Oldest {
    /// When it came in.
    pub arrived: Option<Time>,
    /// Where it lies.
    pub path: Text,
    /// Its own name.
    pub id: Option<Text>,
}

/// Why it happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reason {
    /// To how many messages.
    pub count: u64,
    /// How far that carries for the least certain of them.
    pub confidence: Confidence,
    /// Where that is known from.
    pub source: &'static str,
}

impl Outcome {
    /// Enters a message.
    pub fn enter(&mut self, entry: &Entry<'_>, occurrence: &Occurrence) {
        self.count += 1;
        match entry.arrived {
            None => self.undated += 1,
            Some(at) => self.youngest = Some(self.youngest.map_or(at, |known| known.max(at))),
        }
        let rank = |arrived: Option<Time>, path: &Text| (arrived.is_none(), arrived, path.clone());
        let older = self
            .oldest
            .as_ref()
            .is_none_or(|oldest| rank(entry.arrived, entry.path) < rank(oldest.arrived, &oldest.path));
        if older {
            let (path, id) = (entry.path.clone(), entry.id.cloned());
            self.oldest = Some(Oldest { arrived: entry.arrived, path, id });
        }
        if let Some(wait) = occurrence.wait {
            let span = self.wait.get_or_insert(Span { least: wait, most: wait });
            *span = Span { least: span.least.min(wait), most: span.most.max(wait) };
        }
        self.senders.enter(entry.sender);
        let key = (occurrence.rule.clone(), occurrence.why);
        let confidence = occurrence.confidence;
        let reason =
            self.reasons.entry(key).or_insert(Reason { count: 0, confidence, source: occurrence.source });
        reason.count += 1;
        reason.confidence = reason.confidence.min(confidence);
    }

    /// To how many messages it happens with no more than this confidence.
    pub fn doubted(&self, confidence: Confidence) -> u64 {
        let reasons = self.reasons.values().filter(|reason| reason.confidence == confidence);
        reasons.map(|reason| reason.count).sum()
    }
}

/// Senders and how often each was seen. Where there are more than can be told apart, the frequent ones stay: whoever sent more
/// than one in [`MAX_SENDERS`] of the messages is among them (J. Misra, D. Gries, "Finding repeated elements", 1982).
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Senders {
    counts: HashMap<Text, u64>,
    different: u64,
    crowded: bool,
    unknown: u64,
}

impl Senders {
    fn enter(&mut self, sender: Option<&Text>) {
        let Some(sender) = sender else {
            self.unknown += 1;
            return;
        };
        let kept = sender.bytes().get(..MAX_SENDER_BYTES).map_or_else(|| sender.clone(), Text::new);
        if let Some(count) = self.counts.get_mut(&kept) {
            *count += 1;
        } else if self.counts.len() < MAX_SENDERS {
            self.counts.insert(kept, 1);
            if !self.crowded {
                self.different += 1;
            }
        } else {
            self.crowded = true;
            self.counts.retain(|_, count| {
                *count -= 1;
                *count > 0
            });
        }
    }

    /// The most frequent ones, so many of them, with their numbers.
    pub fn top(&self, most: usize) -> Vec<(&Text, u64)> {
        let mut all: Vec<_> = self.counts.iter().map(|(sender, count)| (sender, *count)).collect();
        all.sort_by(|one, other| other.1.cmp(&one.1).then(one.0.cmp(other.0)));
        all.truncate(most);
        all
    }

    /// How many different ones there are.
    pub fn different(&self) -> u64 {
        self.different
    }

    /// Whether there are more, and all numbers are lower bounds.
    pub fn at_least(&self) -> bool {
        self.crowded
    }

    /// Messages whose sender is not known.
    pub fn unknown(&self) -> u64 {
        self.unknown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_million_senders_take_no_more_memory_than_four_thousand_and_the_frequent_ones_stay() {
        let mut senders = Senders::default();
        for number in 0..200_000 {
            senders.enter(Some(&Text::from(format!("once{number}@a.test"))));
            if number % 100 == 0 {
                senders.enter(Some(&Text::from("often@a.test")));
            }
        }
        assert!(senders.counts.len() <= MAX_SENDERS);
        assert!(senders.at_least(), "the report must say that the numbers are lower bounds");
        assert_eq!(senders.top(1)[0].0, &Text::from("often@a.test"));
    }
}
