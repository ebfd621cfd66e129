//! The rules: one named condition each.
//!
//! A rule is a static value with its texts and one pure function. Rules know no mail system: what a mail system does in a
//! condition, and whether a rule that has to infer applies to it at all, stands in the treatments of its source.

use super::case::{Case, Reason, Verdict};
use crate::evidence::Sign;
use crate::findings::Class;

pub mod body_without_envelope;
pub mod corrupt;
pub mod delivery_journal_left;
pub mod duplicate_message;
pub mod empty_file;
pub mod envelope_without_body;
pub mod expired;
pub mod foreign_name;
pub mod future_time;
pub mod held;
pub mod listed_not_on_disk;
pub mod misfiled;
pub mod missing_part;
pub mod name_inode_mismatch;
pub mod older_than_epoch;
pub mod orphan_side_file;
pub mod other_queue;
pub mod overdue;
pub mod owner_gone;
pub mod queue_blocker;
pub mod stale_stamp;
pub mod unclaimed;
pub mod unfinished;
pub mod unindexed;
pub mod unlisted;
pub mod wrong_owner_or_mode;

/// Every rule, in the order in which they lead a finding: what explains most comes first.
pub static ALL: &[&Rule] = &[
    &queue_blocker::RULE,
    &stale_stamp::RULE,
    &corrupt::RULE,
    &empty_file::RULE,
    &unfinished::RULE,
    &owner_gone::RULE,
    &body_without_envelope::RULE,
    &envelope_without_body::RULE,
    &foreign_name::RULE,
    &misfiled::RULE,
    &wrong_owner_or_mode::RULE,
    &missing_part::RULE,
    &unindexed::RULE,
    &other_queue::RULE,
    &older_than_epoch::RULE,
    &held::RULE,
    &unclaimed::RULE,
    &future_time::RULE,
    &expired::RULE,
    &overdue::RULE,
    &unlisted::RULE,
    &listed_not_on_disk::RULE,
    &delivery_journal_left::RULE,
    &orphan_side_file::RULE,
    &duplicate_message::RULE,
    &name_inode_mismatch::RULE,
];

/// One named condition.
#[derive(Debug)]
pub struct Rule {
    /// The name that users see, filter on and look up. It names the pattern, not the cure.
    pub name: &'static str,
    /// How bad it is where nothing else decides.
    pub class: Class,
    /// Whether a message of which only this is to be said is counted in a note rather than reported by itself.
    pub counted: bool,
    /// One line.
    pub title: &'static str,
    /// What it means: a paragraph or more.
    pub means: &'static str,
    /// How it was seen, and what it must not be confused with.
    pub seen: &'static str,
    /// Where it is known from.
    pub source: &'static str,
    /// Judges a case.
    pub judge: fn(&Case<'_>) -> Verdict,
}

/// The rule of this name.
pub fn by_name(name: &str) -> Option<&'static Rule> {
    ALL.iter().copied().find(|rule| rule.name == name)
}

/// The place of a rule in the order; unknown ones come last.
pub fn rank(name: &str) -> usize {
    ALL.iter().position(|rule| rule.name == name).unwrap_or(usize::MAX)
}

/// Fires on a sign of the source, with its facts and its confidence.
fn on_sign(case: &Case<'_>, wanted: impl Fn(&Sign) -> bool, why: impl Into<String>) -> Verdict {
    case.sign(wanted).map_or(Verdict::Nothing, |signed| Reason::of(signed, why))
}
