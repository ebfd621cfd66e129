//! For the tests of sources: what is proposed for a message of a spool, and what is written of it.

use super::samples::Sample;
pub use super::samples::offline;
use super::{Ask, Extent};
use crate::evidence::{Message, Text, Time};
use crate::plan::{Change, Given, Outgoing, Proposal, Refusal, Verb, Way};

/// Nothing was given.
pub fn nothing() -> Given {
    Given::default()
}

/// The operator named sender and recipient.
pub fn named() -> Given {
    Given {
        sender: Some(Text::from("s@given.example")),
        recipients: vec![Text::from("r@given.example")],
        offline: false,
    }
}

/// What is proposed for the message at this place.
pub fn propose(
    sample: &Sample,
    verb: Verb,
    place: &str,
    rules: &[&str],
    given: &Given,
) -> Result<Proposal, Refusal> {
    propose_for(sample, sample.message(place), verb, rules, given)
}

/// What is proposed for this message.
pub fn propose_for(
    sample: &Sample,
    message: &Message,
    verb: Verb,
    rules: &[&str],
    given: &Given,
) -> Result<Proposal, Refusal> {
    let (instance, root) = (&sample.opened.instance, &sample.opened.root);
    let now = Time::parse("2026-11-24T12:00:00Z").unwrap();
    (sample.opened.remedies.propose)(&Ask { verb, rules, listed: None, message, instance, root, given, now })
}

/// What is written of the message at this place.
pub fn content(sample: &Sample, place: &str, extent: Extent) -> Result<Vec<u8>, Refusal> {
    sample.content(place, extent)
}

/// The files that go, and to whom the message goes.
pub fn handed_over(proposal: &Proposal) -> (Vec<String>, &Outgoing) {
    match &proposal.way {
        Way::HandOver { parts, outgoing } => {
            (parts.iter().map(|part| part.lossy().into_owned()).collect(), outgoing)
        }
        other => panic!("not handed over: {other:?}"),
    }
}

/// The recipients of an outgoing envelope.
pub fn recipients(outgoing: &Outgoing) -> Vec<String> {
    outgoing.recipients.iter().map(|recipient| recipient.address.lossy().into_owned()).collect()
}

/// What is changed, in words.
pub fn changes(proposal: &Proposal) -> Vec<String> {
    let Way::Repair { changes, .. } = &proposal.way else { panic!("no repair: {:?}", proposal.way) };
    let word = |change: &Change| match change {
        Change::Owner { path, uid, gid } => format!("owner {} {uid}:{gid:?}", path.lossy()),
        Change::Mode { path, mode } => format!("mode {} {mode:o}", path.lossy()),
        Change::Modified { path, .. } => format!("time {}", path.lossy()),
        Change::Rename { from, to } => format!("rename {} {}", from.lossy(), to.lossy()),
        Change::Wake { path } => format!("wake {}", path.lossy()),
        other => format!("{other:?}"),
    };
    changes.iter().map(word).collect()
}
