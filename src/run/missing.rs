//! What the listing shows and the disk does not have.

use super::scene::Scene;
use super::settle::Settling;
use crate::correlate::live_view::Unseen;
use crate::correlate::{outlook, rules, weigh};
use crate::evidence::{Confidence, Fact, Message, Record, Text};
use crate::findings::{Class, Finding, ListedAs, Opinion, Visibility};
use std::collections::HashSet;
use std::ops::ControlFlow;

/// More entries than this without a file are one trouble, not so many.
const MAX_MISSING: usize = 10_000;
/// A message that moves between queues can slip past one walk; hardly past this many more.
const WALKS: usize = 3;

/// Finds entries of the listings for which no message was found, and looks for them again where mail is moving.
pub fn find(scene: &Scene<'_>, settling: &mut Settling) {
    let rule = &rules::listed_not_on_disk::RULE;
    // What was not looked at, or could not be read, is not missing.
    if super::interrupt::interrupted() {
        return;
    }
    if settling.look.damage_count > 0 {
        let why = "something could not be read, and what the listing shows may lie there";
        settling.look.silent.insert((rule.name, why.into()), u64::MAX);
        return;
    }
    for number in 0..scene.prepared.places.len() {
        let (Some(view), Some(instance)) = (scene.view(number), scene.instance(number)) else { continue };
        let Some(source) = scene.prepared.sources.get(number) else { continue };
        let treatment = source.treatments().iter().find(|treatment| treatment.rule == rule.name);
        let (Some(treatment), false) = (treatment, instance.queues.is_empty()) else { continue };
        let hits = settling.look.tally.get(number).map_or(0, |tally| tally.listed);
        if (hits == 0 && !view.live()) || shared(scene, number, settling) {
            continue;
        }
        if !view.live() && instance.live.is_some() {
            let why = "the listing is a file and the mail system runs: what it showed may have been delivered since";
            settling.look.silent.insert((rule.name, why.into()), u64::MAX);
            continue;
        }
        let there = |entry: &Unseen| {
            entry.queue.is_empty()
                || instance.queues.iter().any(|queue| queue.eq_ignore_ascii_case(&entry.queue))
        };
        let mut missing: Vec<Unseen> = view.unseen().filter(there).take(MAX_MISSING).collect();
        if view.live() {
            let second = settling.second.get(&number);
            missing
                .retain(|entry| second.is_some_and(|second| second.whole() && second.shows(&entry.native)));
            look_for(scene, number, &mut missing);
        }
        let confidence = if view.live() { Confidence::Certain } else { Confidence::Likely };
        let found = missing.into_iter().map(|entry| {
            let mut finding = finding(number, entry, confidence);
            finding.id = weigh::id(instance, &finding.message);
            finding.outlook = vec![outlook::fill(treatment, Some(&finding.message), &instance.root)];
            finding
        });
        settling.extra.extend(found.collect::<Vec<_>>());
    }
}

/// Whether several places share the listing and show messages of it: whose the missing ones are cannot be told then.
fn shared(scene: &Scene<'_>, number: usize, settling: &Settling) -> bool {
    let own = scene.view(number);
    let same = |other: usize| match (own, scene.view(other)) {
        (Some(one), Some(two)) => std::ptr::eq(one, two),
        _ => false,
    };
    let places = 0..scene.prepared.places.len();
    places
        .filter(|other| *other != number && same(*other))
        .any(|other| settling.look.tally.get(other).is_some_and(|tally| tally.listed > 0))
}

fn look_for(scene: &Scene<'_>, number: usize, missing: &mut Vec<Unseen>) {
    for _ in 0..WALKS {
        if missing.is_empty() {
            return;
        }
        let mut there: HashSet<Text> = HashSet::new();
        scene.read("looking for what is listed", |record| {
            if let Record::Message(message) = record
                && message.instance == number
            {
                there.extend(message.ids.native.clone());
            }
            ControlFlow::Continue(())
        });
        missing.retain(|entry| !there.contains(&entry.native));
    }
}

fn finding(number: usize, entry: Unseen, confidence: Confidence) -> Finding {
    let rule = &rules::listed_not_on_disk::RULE;
    let mut message = Message::at(entry.queue, entry.locus.clone());
    message.instance = number;
    message.ids.native = Some(entry.native);
    Finding {
        id: String::new(),
        class: Class::Stuck,
        visibility: Visibility::Listed,
        confidence,
        opinions: vec![Opinion {
            rule: rule.name.to_owned(),
            class: Class::Stuck,
            confidence,
            why: "the listing shows it, and no file of this ID is on disk".into(),
            facts: vec![Fact::new("the entry of the listing", entry.locus.clone())],
        }],
        silent: Vec::new(),
        message,
        sightings: Vec::new(),
        listed_as: Some(ListedAs {
            locus: entry.locus,
            state: crate::evidence::EntryState::Normal,
            matched_by: "queue ID".into(),
            reason: None,
        }),
        outlook: Vec::new(),
    }
}
