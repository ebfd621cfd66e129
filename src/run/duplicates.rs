//! Sightings of one message in several places become one case.
//!
//! What joins two findings hides one of them behind the other, so that it takes more than a common key: in each place
//! exactly one message has it. Several messages of one place with the same key stay several findings, each of which names
//! the others.

use super::look::{identity, keys_of};
use super::scene::Scene;
use super::settle::{Settling, is_listed};
use crate::correlate::keys::{Key, MatchedBy, sizes_agree};
use crate::correlate::{rules, weigh};
use crate::evidence::{Fact, Locus, Message, Record, Text};
use crate::findings::{Class, Finding, Opinion, Sighting, Store, Visibility};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::ops::ControlFlow;

/// Keys that are seen more than once, beyond which nothing is joined: what repeats that often is no sighting but a copy of a
/// whole store, and joining it would take its memory.
const MAX_REPEATED: usize = 10_000;
/// Messages with such keys.
const MAX_BRIEFS: usize = 50_000;
/// Other places that one finding names.
const MAX_SIGHTINGS: usize = 20;

/// One place in which a message with a repeated key was seen.
#[derive(Debug, Clone)]
struct Brief {
    instance: usize,
    queue: String,
    place: Locus,
    identity: u64,
    listed: bool,
    size: Option<u64>,
    has_message_id: bool,
    /// All of its recipients, whatever became of them, if they are known.
    recipients: Option<BTreeSet<Text>>,
    keys: Vec<(Key, MatchedBy)>,
}

/// Briefs by number, and the number of each (instance, identity).
struct Copies {
    briefs: Vec<Brief>,
    number_of: HashMap<(usize, u64), usize>,
    by_key: BTreeMap<(MatchedBy, Key), Vec<usize>>,
    /// The case to which each brief belongs: the number of its first brief.
    case_of: Vec<usize>,
    /// The briefs of each case.
    members: BTreeMap<usize, Vec<usize>>,
}

/// Joins findings that are sightings of one message, and adds the sightings in which nothing was wrong.
///
/// # Errors
/// When findings cannot be kept.
pub fn join(scene: &Scene<'_>, settling: &mut Settling) -> io::Result<()> {
    let repeated = settling.look.ledger.repeated(MAX_REPEATED + 1);
    if repeated.is_empty() {
        return Ok(());
    }
    let briefs = if repeated.len() > MAX_REPEATED { None } else { recall(scene, &repeated) };
    let Some(briefs) = briefs else {
        settling.warn(format!(
            "more than {MAX_REPEATED} IDs are there more than once; sightings of one message were not joined, and each is \
             reported by itself"
        ));
        return Ok(());
    };
    let copies = Copies::new(briefs);
    let mut found = std::mem::take(&mut settling.findings);
    let mut kept = Store::default();
    let mut joined: BTreeMap<usize, Vec<Finding>> = BTreeMap::new();
    found.each(|finding| {
        let place = (finding.message.instance, identity(&finding.message));
        match copies.number_of.get(&place) {
            None => kept.push(&finding)?,
            Some(number) => joined.entry(copies.case(*number)).or_default().push(finding),
        }
        Ok(())
    })?;
    for (_, mut findings) in joined {
        // Readers finish in any order; the order of the case must not depend on it.
        findings
            .sort_by_key(|finding| (leads(finding), finding.message.instance, identity(&finding.message)));
        let Some(mut finding) = findings.into_iter().reduce(merge) else { continue };
        copies.add_sightings(&mut finding);
        if !finding.opinions.is_empty() {
            kept.push(&finding)?;
        }
    }
    settling.findings = kept;
    Ok(())
}

/// Reads everything once more, and keeps what has a repeated key. `None`: that is too much.
fn recall(scene: &Scene<'_>, repeated: &HashMap<Key, MatchedBy>) -> Option<Vec<Brief>> {
    let mut briefs = Vec::new();
    scene.read("joining sightings", |record| {
        let Record::Message(message) = record else { return ControlFlow::Continue(()) };
        let keys: Vec<_> =
            keys_of(scene, message).into_iter().filter(|(key, _)| repeated.contains_key(key)).collect();
        if !keys.is_empty() {
            briefs.push(brief(scene, message, keys));
        }
        if briefs.len() <= MAX_BRIEFS { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    briefs.sort_by_key(order);
    briefs.dedup_by(|one, other| order(one) == order(other));
    (briefs.len() <= MAX_BRIEFS).then_some(briefs)
}

fn order(brief: &Brief) -> (usize, u64) {
    (brief.instance, brief.identity)
}

fn brief(scene: &Scene<'_>, message: &Message, keys: Vec<(Key, MatchedBy)>) -> Brief {
    Brief {
        instance: message.instance,
        queue: message.queue.clone(),
        place: message.place.clone(),
        identity: identity(message),
        listed: scene.case(message).is_some_and(|case| is_listed(&case.listed)),
        size: message.size,
        recipients: all_recipients(message),
        has_message_id: crate::correlate::keys::own_message_id(message).is_some(),
        keys,
    }
}

fn all_recipients(message: &Message) -> Option<BTreeSet<Text>> {
    let envelope = &message.envelope;
    let whole = envelope.recipient_count.is_none_or(|count| count == envelope.recipients.len() as u64);
    (whole && !envelope.recipients.is_empty())
        .then(|| envelope.recipients.iter().map(|recipient| recipient.address.clone()).collect())
}

/// Whether a mail system queues a message for some recipients here and for others there, as dma does for each: that it lies in
/// its spool several times is how it works, and nobody gets it twice.
fn are_shares(one: &Brief, two: &Brief) -> bool {
    let apart = |one: &BTreeSet<Text>, two: &BTreeSet<Text>| one.is_disjoint(two);
    one.instance == two.instance
        && one.recipients.as_ref().zip(two.recipients.as_ref()).is_some_and(|(one, two)| apart(one, two))
}

impl Copies {
    fn new(briefs: Vec<Brief>) -> Self {
        let mut by_key: BTreeMap<(MatchedBy, Key), Vec<usize>> = BTreeMap::new();
        for (number, brief) in briefs.iter().enumerate() {
            for (key, matched_by) in &brief.keys {
                by_key.entry((*matched_by, *key)).or_default().push(number);
            }
        }
        by_key.retain(|_, numbers| numbers.len() > 1);
        let number_of = briefs.iter().enumerate().map(|(number, brief)| (order(brief), number)).collect();
        let case_of = (0..briefs.len()).collect();
        let members = (0..briefs.len()).map(|number| (number, vec![number])).collect();
        let mut copies = Self { briefs, number_of, by_key, case_of, members };
        // In the order of the strength of keys: what a Message-ID has joined, content does not join otherwise.
        let groups: Vec<(MatchedBy, Vec<usize>)> =
            copies.by_key.iter().map(|((by, _), numbers)| (*by, numbers.clone())).collect();
        for (matched_by, numbers) in groups {
            copies.join_group(matched_by, &numbers);
        }
        copies
    }

    fn case(&self, number: usize) -> usize {
        self.case_of.get(number).copied().unwrap_or(number)
    }

    /// One message of each place, and no more, may be one case.
    fn join_group(&mut self, matched_by: MatchedBy, numbers: &[usize]) {
        let fits = |one: &usize, two: &usize| self.fit(matched_by, *one, *two);
        if matched_by == MatchedBy::Native
            || !self.of_different_places(numbers)
            || !numbers.iter().all(|one| numbers.iter().all(|two| fits(one, two)))
        {
            return;
        }
        let cases: BTreeSet<usize> = numbers.iter().map(|number| self.case(*number)).collect();
        let members: Vec<usize> =
            cases.iter().filter_map(|case| self.members.get(case)).flatten().copied().collect();
        let Some(first) = cases.first().copied().filter(|_| self.of_different_places(&members)) else {
            return;
        };
        for case in &cases {
            self.members.remove(case);
        }
        for number in &members {
            if let Some(case) = self.case_of.get_mut(*number) {
                *case = first;
            }
        }
        self.members.insert(first, members);
    }

    fn of_different_places(&self, numbers: &[usize]) -> bool {
        let mut seen = BTreeSet::new();
        numbers.iter().all(|number| self.briefs.get(*number).is_some_and(|brief| seen.insert(brief.instance)))
    }

    /// Whether two briefs can be one message by this key: content does not join what has two different Message-IDs, or sizes
    /// that do not agree.
    fn fit(&self, matched_by: MatchedBy, one: usize, two: usize) -> bool {
        let (Some(one), Some(two)) = (self.briefs.get(one), self.briefs.get(two)) else { return false };
        matched_by < MatchedBy::Content
            || order(one) == order(two)
            || (!(one.has_message_id && two.has_message_id) && sizes_agree(one.size, two.size))
    }

    fn add_sightings(&self, finding: &mut Finding) {
        let own = (finding.message.instance, identity(&finding.message));
        let Some(own) = self.number_of.get(&own).copied() else { return };
        let mut others: BTreeMap<usize, MatchedBy> = BTreeMap::new();
        let mut keys = self.briefs.get(own).map(|brief| brief.keys.clone()).unwrap_or_default();
        keys.sort_unstable_by_key(|(key, matched_by)| (*matched_by, *key));
        for (key, matched_by) in keys {
            let numbers = self.by_key.get(&(matched_by, key)).map(Vec::as_slice).unwrap_or_default();
            let briefs = |number: usize| self.briefs.get(own).zip(self.briefs.get(number));
            let share = |number: usize| briefs(number).is_some_and(|(one, two)| are_shares(one, two));
            let fitting = numbers
                .iter()
                .filter(|number| **number != own && self.fit(matched_by, own, **number) && !share(**number));
            for number in fitting.take(MAX_SIGHTINGS + 1) {
                others.entry(*number).or_insert(matched_by);
            }
        }
        let same_case = |number: &usize| self.case(*number) == self.case(own);
        if others
            .keys()
            .filter(|number| same_case(number))
            .any(|n| self.briefs.get(*n).is_some_and(|b| b.listed))
        {
            heed_listed_sighting(finding);
        }
        for (number, matched_by) in others.iter().take(MAX_SIGHTINGS) {
            let Some(brief) = self.briefs.get(*number) else { continue };
            finding.sightings.push(Sighting {
                instance: brief.instance,
                queue: brief.queue.clone(),
                place: brief.place.clone(),
                matched_by: matched_by.describe().to_owned(),
                confidence: matched_by.confidence(),
            });
        }
        add_opinion(finding, others.len());
        weigh::settle(finding);
    }
}

fn add_opinion(finding: &mut Finding, others: usize) {
    let rule = &rules::duplicate_message::RULE;
    let Some(confidence) = finding.sightings.iter().map(|sighting| sighting.confidence).max() else { return };
    if finding.opinions.is_empty() || finding.opinions.iter().any(|opinion| opinion.rule == rule.name) {
        return;
    }
    let many =
        if others > MAX_SIGHTINGS { format!("more than {MAX_SIGHTINGS}") } else { (others + 1).to_string() };
    finding.opinions.push(Opinion {
        rule: rule.name.to_owned(),
        class: Class::Note,
        confidence,
        why: format!(
            "the same message lies in {many} places; sending each of them would deliver it more than once"
        ),
        facts: finding
            .sightings
            .iter()
            .take(5)
            .map(|s| Fact::new("the same message", s.place.clone()))
            .collect(),
    });
}

fn leads(finding: &Finding) -> (Class, usize) {
    (finding.class, rules::rank(finding.rule()))
}

/// Two findings of one message: the first one leads, and takes over what only the second one says.
fn merge(mut first: Finding, second: Finding) -> Finding {
    for opinion in second.opinions {
        match first.opinions.iter_mut().find(|known| known.rule == opinion.rule) {
            Some(known) => known.facts.extend(opinion.facts),
            None => first.opinions.push(opinion),
        }
    }
    for outlook in second.outlook {
        if !first.outlook.contains(&outlook) {
            first.outlook.push(outlook);
        }
    }
    first.message.ids.message_id = first.message.ids.message_id.or(second.message.ids.message_id);
    first.message.envelope.sender = first.message.envelope.sender.or(second.message.envelope.sender);
    first.listed_as = first.listed_as.or(second.listed_as);
    weigh::settle(&mut first);
    first
}

/// The listing shows this message under what is known of it elsewhere: what rests on its absence falls.
fn heed_listed_sighting(finding: &mut Finding) {
    let absent = [rules::unlisted::RULE.name, rules::older_than_epoch::RULE.name];
    finding.opinions.retain(|opinion| !absent.contains(&opinion.rule.as_str()));
    if finding.visibility != Visibility::Listed {
        finding.visibility = Visibility::Listed;
        finding.opinions.iter_mut().filter(|o| o.class == Class::Ghost).for_each(|o| o.class = Class::Stuck);
    }
}
