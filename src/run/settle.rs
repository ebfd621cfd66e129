//! Settling: the second look at suspects, and what becomes of those that stand it.

use super::interrupt;
use super::look::Look;
use super::scene::Scene;
use crate::correlate::case::Listed;
use crate::correlate::keys;
use crate::correlate::{outlook, rules, weigh};
use crate::evidence::{Confidence, Damage, DamageKind, Fact, Locus, Sign, Text};
use crate::findings::{Class, Counts, Finding, Note, Opinion, Silent, Store, Summary, Visibility};
use crate::read::process::Files;
use crate::scan::listing;
use crate::scan::second_look::{self, SecondLook};
use anyhow::Result;
use std::collections::{BTreeMap, HashSet};
use std::io;

/// Examples of a note.
const EXAMPLES: usize = 5;
/// A listing and a spool that have nothing in common prove little if either of them holds less than this.
const ENOUGH: u64 = 3;

/// Findings on their way to the report.
pub struct Settling {
    /// What the first look saw, apart from the suspects, which move on to `findings`.
    pub look: Look,
    /// Findings that stood the second look.
    pub findings: Store,
    /// Places whose listing was taken live, and what the second one showed of the IDs that matter.
    pub second: BTreeMap<usize, SecondListing>,
    /// Entries that the listing shows and the disk does not have.
    pub extra: Vec<Finding>,
    warnings: Vec<String>,
}

/// What a second live listing showed.
#[derive(Debug, Default)]
pub struct SecondListing {
    /// Keys of the IDs in it, of those that were asked for.
    shown: HashSet<keys::Key>,
    /// Whether it could be taken, and is whole.
    whole: bool,
}

impl SecondListing {
    /// Whether it shows this ID.
    pub fn shows(&self, id: &Text) -> bool {
        self.shown.contains(&keys::native("", id))
    }

    /// Whether it could be taken, and is whole.
    pub fn whole(&self) -> bool {
        self.whole
    }
}

impl Settling {
    /// Looks at the suspects a second time: after a pause, with a second listing where the first was live, and only then
    /// at the files, so that a file which was touched at any time in between is dropped.
    ///
    /// # Errors
    /// When findings cannot be kept.
    pub fn second_look(scene: &Scene<'_>, mut look: Look) -> Result<Self> {
        scene.progress.stage("looking again");
        let mut suspects = std::mem::take(&mut look.suspects);
        let asked = asked_for(scene, &mut suspects)?;
        let running = scene.prepared.places.iter().any(|place| place.instance.live.is_some());
        if running && !(suspects.is_empty() && asked.is_empty()) {
            std::thread::sleep(scene.request.settle);
        }
        let mut settling = Self {
            look,
            findings: Store::default(),
            second: BTreeMap::new(),
            extra: Vec::new(),
            warnings: Vec::new(),
        };
        for (number, ids) in asked {
            let second = settling.list_again(scene, number, &ids);
            settling.second.insert(number, second);
        }
        settling.look_again(scene, &mut suspects)?;
        Ok(settling)
    }

    fn list_again(&mut self, scene: &Scene<'_>, number: usize, ids: &HashSet<keys::Key>) -> SecondListing {
        let mut second = SecondListing::default();
        let tool = scene.prepared.places.get(number).and_then(|place| place.live_listing.as_ref());
        let Some(tool) = tool else { return second };
        let read = listing::read_live(tool, interrupt::interrupted, &mut |entry| {
            let key = entry.native.as_ref().map(|id| keys::native("", id));
            second.shown.extend(key.filter(|key| ids.contains(key)));
        });
        match read {
            Ok(end) => second.whole = end.cut.is_none(),
            Err(error) => self.warnings.push(format!("no second listing: {error:#}")),
        }
        second
    }

    fn look_again(&mut self, scene: &Scene<'_>, suspects: &mut Store) -> io::Result<()> {
        let mut files = Files::new();
        suspects.each(|finding| {
            files.extend(second_look::files_of(&finding.message));
            Ok(())
        })?;
        let again = SecondLook::new(&files);
        drop(files);
        suspects.each(|mut finding| {
            let number = finding.message.instance;
            let Some(place) = scene.prepared.places.get(number) else { return Ok(()) };
            if !place.root.has_manifest() && again.at(&finding.message, place).is_some() {
                return Ok(());
            }
            self.heed_second_listing(number, &mut finding);
            self.heed_overlap(scene, number, &mut finding);
            if finding.opinions.is_empty() {
                return Ok(());
            }
            self.findings.push(&finding)
        })?;
        if let unseen @ 1.. = again.unseen.get() {
            self.warn(format!(
                "unfinished messages that may be in the making were left out ({unseen}): run as root to tell"
            ));
        }
        Ok(())
    }

    /// What the second listing shows is not unlisted; without a second listing one live listing proves less.
    fn heed_second_listing(&self, number: usize, finding: &mut Finding) {
        let (Some(second), Some(id)) = (self.second.get(&number), &finding.message.ids.native) else {
            return;
        };
        let rule = rules::unlisted::RULE.name;
        if second.shows(id) {
            // Where only its absence told it from mail that came in the regular way, nothing is left of it.
            let inferred =
                finding.message.signs.iter().any(|signed| {
                    signed.sign == Sign::AfterIndex && signed.confidence == Confidence::Possible
                });
            let unindexed = |opinion: &Opinion| inferred && opinion.rule == rules::unindexed::RULE.name;
            finding.opinions.retain(|opinion| opinion.rule != rule && !unindexed(opinion));
            if finding.visibility == Visibility::Hidden {
                finding.visibility = Visibility::Listed;
                finding
                    .opinions
                    .iter_mut()
                    .filter(|o| o.class == Class::Ghost)
                    .for_each(|o| o.class = Class::Stuck);
            }
        } else if !second.whole {
            let doubted = finding.opinions.iter_mut().filter(|opinion| opinion.rule == rule);
            doubted.for_each(|opinion| opinion.confidence = Confidence::Likely);
        }
        weigh::settle(finding);
    }

    /// A listing of which not one entry lies in this place is of another instance, or of another server.
    fn heed_overlap(&self, scene: &Scene<'_>, number: usize, finding: &mut Finding) {
        let (Some(view), Some(tally)) = (scene.view(number), self.look.tally.get(number)) else { return };
        let Some(source) = scene.prepared.sources.get(number) else { return };
        if tally.listed > 0 || view.is_empty() || view.live() {
            return;
        }
        let why = format!("not one of the {} entries of the listing lies in this place", view.len());
        let treatment = source.treatments().iter().find(|t| t.rule == rules::other_queue::RULE.name);
        let few = view.len().min(tally.messages) < ENOUGH;
        let fact = Fact::new(why.clone(), Locus::whole(view.origin()));
        for opinion in finding.opinions.iter_mut().filter(|o| o.rule == rules::unlisted::RULE.name) {
            opinion.facts = vec![fact.clone()];
            if let Some(treatment) = treatment.filter(|_| !view.is_shared()) {
                rules::other_queue::RULE.name.clone_into(&mut opinion.rule);
                opinion.confidence = if few { Confidence::Possible } else { Confidence::Likely };
                opinion.why = format!("{why}: it is of another instance");
                let root = scene.instance(number).map(|of| of.root.clone()).unwrap_or_default();
                finding.outlook.push(outlook::fill(treatment, Some(&finding.message), &root));
            } else {
                opinion.confidence = Confidence::Possible;
                opinion.why = format!("{why}: it may be of another server, or of another time");
                finding.visibility = Visibility::Unknown;
            }
        }
        let mut known = HashSet::new();
        finding.opinions.retain(|opinion| known.insert(opinion.rule.clone()));
        weigh::settle(finding);
    }

    /// Says something about the scan itself.
    pub fn warn(&mut self, warning: String) {
        self.warnings.push(warning);
    }

    /// Hands on every finding, applies the filter, counts the notes, and makes the summary.
    ///
    /// # Errors
    /// When findings cannot be kept.
    pub fn finish(mut self, scene: &Scene<'_>, each: &mut dyn FnMut(&Finding)) -> Result<(Summary, Store)> {
        let mut reported = Store::default();
        let mut counts = Counts::default();
        let mut notes: BTreeMap<(usize, String), Note> = BTreeMap::new();
        let now = scene.clock.now;
        let filter = &scene.request.filter;
        let mut found = std::mem::take(&mut self.findings);
        for finding in std::mem::take(&mut self.extra) {
            found.push(&finding)?;
        }
        let stems = foreign_stems(&mut found)?;
        found.each(|mut finding| {
            drop_explained_remnant(&mut finding, &stems);
            each(&finding);
            for opinion in &finding.opinions {
                // What another place of the same message has added is counted there.
                if is_counted(opinion) && knows(scene, finding.message.instance, &opinion.rule) {
                    let key = (finding.message.instance, opinion.rule.clone());
                    let note = notes.entry(key).or_insert_with(|| new_note(scene, &finding, opinion));
                    note.count += 1;
                    add_example(&mut note.examples, opinion.facts.first());
                }
            }
            let only_counted = finding
                .opinions
                .iter()
                .all(|opinion| is_counted(opinion) && !filter.wants_each(&opinion.rule));
            if only_counted {
                return Ok(());
            }
            count(&mut counts, &finding, now);
            if filter.accepts(&finding, now) { reported.push(&finding) } else { Ok(()) }
        })?;
        let mut summary = self.summary(scene, counts, notes.into_values().collect());
        summary.reported = reported.len() as u64;
        Ok((summary, reported))
    }

    fn summary(mut self, scene: &Scene<'_>, counts: Counts, notes: Vec<Note>) -> Summary {
        let request = scene.request;
        let places = &scene.prepared.places;
        let mut warnings = scene.remarks.clone();
        warnings.extend(scene.views.warnings.iter().cloned());
        warnings.append(&mut self.warnings);
        warnings.extend(scene.views.misread());
        for place in places.iter().filter(|place| place.root.atime_lost()) {
            let why = if cfg!(unix) {
                "ghostq neither owns the files nor has CAP_FOWNER"
            } else {
                "this system has no way to do that"
            };
            warnings.push(format!(
                "the access times below `{}` could not be protected: {why}",
                place.root.path().display()
            ));
        }
        // What a reader could not look at for one file it has told; this is of the first look at the place, and of the second.
        let missed = places.iter().map(|place| place.root.take_missed());
        for damage in missed.flat_map(|missed| missed.unseen.into_iter().chain(missed.unread)) {
            self.look.damaged(damage);
        }
        let foreign = places.iter().filter(|place| place.root.manifest_is_foreign());
        for root in foreign.map(|place| place.instance.root.clone()).collect::<Vec<_>>() {
            self.look.damaged(Damage::new(
                DamageKind::Malformed,
                Locus::whole(root),
                "the manifest knows none of the files that lie here",
                "give the manifest that was made in this very folder",
            ));
        }
        let now = crate::evidence::Time::now();
        let messages = self.look.tally.iter().map(|tally| tally.messages).sum();
        Summary {
            tool_version: env!("CARGO_PKG_VERSION"),
            scan_id: format!("{:x}-{:x}-{:x}", now.seconds, now.nanos, std::process::id()),
            host: request.host.clone(),
            as_of: scene.clock.now,
            as_of_given: scene.clock.given,
            instances: places.iter().map(|place| place.instance.clone()).collect(),
            messages: self.look.tally.iter().map(|tally| tally.messages).collect(),
            bytes: self.look.tally.iter().map(|tally| tally.bytes).collect(),
            listings: scene.views.summaries(&scene.prepared),
            counts,
            reported: 0,
            again: request.again.clone(),
            notes,
            damages: self.look.damages.into_iter().map(|(damage, _)| damage).collect(),
            damage_count: self.look.damage_count,
            interrupted: interrupt::interrupted(),
            silent: self
                .look
                .silent
                .into_iter()
                .map(|((rule, why), count)| Silent {
                    rule: rule.to_owned(),
                    why: of_how_many(&why, count, messages),
                })
                .collect(),
            warnings,
        }
    }
}

/// IDs that the second live listings are asked for: those of suspects, and those that the first one shows and the disk
/// did not.
fn asked_for(scene: &Scene<'_>, suspects: &mut Store) -> io::Result<BTreeMap<usize, HashSet<keys::Key>>> {
    let mut asked: BTreeMap<usize, HashSet<keys::Key>> = BTreeMap::new();
    let live = |number: usize| scene.view(number).filter(|view| view.live());
    for number in 0..scene.prepared.places.len() {
        let Some(view) = live(number) else { continue };
        let unseen: HashSet<_> = view.unseen().map(|entry| keys::native("", &entry.native)).collect();
        if !unseen.is_empty() {
            asked.insert(number, unseen);
        }
    }
    suspects.each(|finding| {
        let number = finding.message.instance;
        if let (Some(id), true) = (&finding.message.ids.native, live(number).is_some()) {
            asked.entry(number).or_default().insert(keys::native("", id));
        }
        Ok(())
    })?;
    Ok(asked)
}

/// IDs of messages that are there under a foreign name: their logs are not orphans.
fn foreign_stems(found: &mut Store) -> io::Result<HashSet<(usize, Text)>> {
    let mut stems = HashSet::new();
    found.each(|finding| {
        let foreign = finding
            .message
            .signs
            .iter()
            .any(|signed| matches!(signed.sign, Sign::ForeignName | Sign::Misfiled { .. }));
        stems.extend(finding.message.ids.native.filter(|_| foreign).map(|id| (finding.message.instance, id)));
        Ok(())
    })?;
    Ok(stems)
}

fn drop_explained_remnant(finding: &mut Finding, stems: &HashSet<(usize, Text)>) {
    let id = finding.message.ids.native.clone().unwrap_or_default();
    if stems.contains(&(finding.message.instance, id)) {
        finding.opinions.retain(|opinion| opinion.rule != rules::orphan_side_file::RULE.name);
    }
}

/// Whether a message of which only this is said is counted rather than reported: by nature of the rule, or because the rule
/// itself found it to be no more than a note.
pub fn is_counted(opinion: &Opinion) -> bool {
    let rule = rules::by_name(&opinion.rule);
    rule.is_some_and(|rule| rule.counted || (opinion.class == Class::Note && rule.class != Class::Note))
}

fn knows(scene: &Scene<'_>, instance: usize, rule: &str) -> bool {
    let source = scene.prepared.sources.get(instance);
    source.is_some_and(|source| source.treatments().iter().any(|treatment| treatment.rule == rule))
}

/// Keeps the first few in the order of their places: findings come in that of the readers.
fn add_example(examples: &mut Vec<Fact>, fact: Option<&Fact>) {
    let Some(fact) = fact else { return };
    let at = examples.partition_point(|known| (&known.locus, &known.text) <= (&fact.locus, &fact.text));
    if at < EXAMPLES {
        examples.insert(at, fact.clone());
        examples.truncate(EXAMPLES);
    }
}

fn new_note(scene: &Scene<'_>, finding: &Finding, opinion: &Opinion) -> Note {
    let number = finding.message.instance;
    let treatments = scene.prepared.sources.get(number).map_or(&[][..], |source| source.treatments());
    let treatment = treatments.iter().find(|treatment| treatment.rule == opinion.rule);
    let root = scene.instance(number).map(|of| of.root.clone()).unwrap_or_default();
    Note {
        rule: opinion.rule.clone(),
        instance: number,
        count: 0,
        why: opinion.why.clone(),
        examples: Vec::new(),
        outlook: treatment.map(|treatment| outlook::fill(treatment, None, &root)),
    }
}

fn count(counts: &mut Counts, finding: &Finding, now: crate::evidence::Time) {
    match finding.class {
        Class::Blocker => counts.blockers += 1,
        Class::Ghost => counts.ghosts += 1,
        Class::Stuck => counts.stuck += 1,
        Class::Note => counts.notes += 1,
    }
    if finding.visibility == Visibility::Hidden && finding.class < Class::Note {
        counts.hidden += 1;
        counts.oldest_hidden = counts.oldest_hidden.max(finding.age(now));
    }
}

fn of_how_many(why: &str, count: u64, all: u64) -> String {
    if count >= all { why.to_owned() } else { format!("{why} ({count} of {all} messages)") }
}

/// Whether a listing entry stands for the message, for those who join cases.
pub fn is_listed(listed: &Listed) -> bool {
    matches!(listed, Listed::Yes(_))
}
