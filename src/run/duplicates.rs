//! Sightings of one message in several places become one case.

use super::look::{identity, keys_of};
use super::scene::Scene;
use super::settle::{Settling, is_listed};
use crate::correlate::keys::{Key, MatchedBy};
use crate::correlate::{rules, weigh};
use crate::evidence::{Fact, Locus, Message, Record};
use crate::findings::{Class, Finding, Opinion, Sighting, Store, Visibility};
use std::collections::{BTreeMap, HashMap};
use std::io;
use std::ops::ControlFlow;

/// Messages that are seen more than once, beyond which they are not joined any more but only counted.
const MAX_JOINED: usize = 200_000;

/// One place in which a message with a repeated key was seen.
#[derive(Debug, Clone)]
struct Brief {
    instance: usize,
    queue: String,
    place: Locus,
    identity: u64,
    listed: bool,
    keys: Vec<(Key, MatchedBy)>,
    group: usize,
}

/// Joins findings that are sightings of one message, and adds the sightings in which nothing was wrong.
///
/// # Errors
/// When findings cannot be kept.
pub fn join(scene: &Scene<'_>, settling: &mut Settling) -> io::Result<()> {
    let repeated = settling.look.ledger.repeated(MAX_JOINED);
    if repeated.is_empty() {
        return Ok(());
    }
    let mut briefs = recall(scene, &repeated);
    group(&mut briefs);
    let mut members: BTreeMap<usize, Vec<&Brief>> = BTreeMap::new();
    for brief in &briefs {
        members.entry(brief.group).or_default().push(brief);
    }
    members.retain(|_, group| group.len() > 1);
    let group_of: HashMap<(usize, u64), usize> =
        members.values().flatten().map(|brief| ((brief.instance, brief.identity), brief.group)).collect();

    let mut found = std::mem::take(&mut settling.findings);
    let mut kept = Store::default();
    let mut joined: BTreeMap<usize, Vec<Finding>> = BTreeMap::new();
    found.each(|finding| {
        let place = (finding.message.instance, identity(&finding.message));
        match group_of.get(&place) {
            None => kept.push(&finding)?,
            Some(group) => joined.entry(*group).or_default().push(finding),
        }
        Ok(())
    })?;
    for (group, mut findings) in joined {
        // Readers finish in any order; the order of the case must not depend on it.
        findings
            .sort_by_key(|finding| (leads(finding), finding.message.instance, identity(&finding.message)));
        let Some(mut finding) = findings.into_iter().reduce(merge) else { continue };
        if let Some(members) = members.get(&group) {
            add_sightings(&mut finding, members);
        }
        if !finding.opinions.is_empty() {
            kept.push(&finding)?;
        }
    }
    settling.findings = kept;
    Ok(())
}

/// Reads everything once more, and keeps what has a repeated key.
fn recall(scene: &Scene<'_>, repeated: &HashMap<Key, MatchedBy>) -> Vec<Brief> {
    let mut briefs = Vec::new();
    scene.read("joining sightings", |record| {
        let Record::Message(message) = record else { return ControlFlow::Continue(()) };
        let keys: Vec<_> =
            keys_of(scene, &message).into_iter().filter(|(key, _)| repeated.contains_key(key)).collect();
        if !keys.is_empty() {
            briefs.push(brief(scene, &message, keys));
        }
        if briefs.len() < MAX_JOINED { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    briefs.sort_by_key(order);
    briefs.dedup_by(|one, other| one.instance == other.instance && one.identity == other.identity);
    briefs
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
        keys,
        group: 0,
    }
}

/// Gives all that hang together by keys the same number: that of the first of them.
fn group(briefs: &mut [Brief]) {
    let mut parent: Vec<usize> = (0..briefs.len()).collect();
    let mut first: HashMap<Key, usize> = HashMap::new();
    for (number, brief) in briefs.iter().enumerate() {
        for (key, _) in &brief.keys {
            let other = *first.entry(*key).or_insert(number);
            let (one, two) = (root(&mut parent, number), root(&mut parent, other));
            if let Some(link) = parent.get_mut(one.max(two)) {
                *link = one.min(two);
            }
        }
    }
    for (number, brief) in briefs.iter_mut().enumerate() {
        brief.group = root(&mut parent, number);
    }
}

/// The first of the group. Every step is halved on the way, so that a long chain is walked only once.
fn root(parent: &mut [usize], mut number: usize) -> usize {
    while let Some(up) = parent.get(number).copied().filter(|up| *up != number) {
        let next = parent.get(up).copied().unwrap_or(up);
        if let Some(link) = parent.get_mut(number) {
            *link = next;
        }
        number = next;
    }
    number
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

fn add_sightings(finding: &mut Finding, members: &[&Brief]) {
    let own = (finding.message.instance, identity(&finding.message));
    let own_keys: Vec<(Key, MatchedBy)> =
        members.iter().filter(|brief| order(brief) == own).flat_map(|brief| brief.keys.clone()).collect();
    for brief in members.iter().filter(|brief| order(brief) != own) {
        let common = own_keys.iter().filter(|(key, _)| brief.keys.iter().any(|(other, _)| other == key));
        // Members of a group can hang together through a third one only.
        let matched_by = common.map(|(_, by)| *by).min().unwrap_or(MatchedBy::Content);
        finding.sightings.push(Sighting {
            instance: brief.instance,
            queue: brief.queue.clone(),
            place: brief.place.clone(),
            matched_by: matched_by.describe().to_owned(),
            confidence: matched_by.confidence(),
        });
    }
    if members.iter().any(|brief| brief.listed) {
        heed_listed_sighting(finding);
    }
    let rule = &rules::duplicate_message::RULE;
    let confidence = finding.sightings.iter().map(|sighting| sighting.confidence).max();
    if let Some(confidence) = confidence
        && !finding.opinions.iter().any(|opinion| opinion.rule == rule.name)
        && !finding.opinions.is_empty()
    {
        finding.opinions.push(Opinion {
            rule: rule.name.to_owned(),
            class: Class::Note,
            confidence,
            why: format!(
                "the same message lies in {} places; sending each of them would deliver it twice",
                members.len()
            ),
            facts: finding
                .sightings
                .iter()
                .take(5)
                .map(|s| Fact::new("the same message", s.place.clone()))
                .collect(),
        });
    }
    weigh::settle(finding);
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
