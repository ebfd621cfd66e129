//! The first look: every message once.

use super::scene::Scene;
use crate::correlate::case::Listed;
use crate::correlate::keys::{self, MatchedBy};
use crate::correlate::ledger::Ledger;
use crate::correlate::weigh::weigh;
use crate::evidence::{At, Damage, DamageKind, Message, Record, Sign};
use crate::findings::{Finding, Store};
use smallvec::SmallVec;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::ops::ControlFlow;

/// Damages that are kept for the report; all are counted.
const MAX_DAMAGES: usize = 1_000;

/// The mail system whose numbers are inodes and are used again: two files of one number in two folders may well be two
/// messages (notqmail `INTERNALS.md`, section 2).
const USES_NUMBERS_AGAIN: &str = "qmail";

/// Different reasons for silence; there are a dozen.
const MAX_REASONS: usize = 100;

/// What the first look saw.
#[derive(Default)]
pub struct Look {
    /// Findings so far.
    pub suspects: Store,
    /// Keys of all messages.
    pub ledger: Ledger,
    /// What was counted per place.
    pub tally: Vec<Tally>,
    /// What could not be read: of too much the first in order, so that it does not matter which reader came first. Those that are
    /// alike are told apart by their numbers.
    pub damages: BTreeSet<(Damage, u64)>,
    /// How much could not be read.
    pub damage_count: u64,
    /// Rules that could not speak, why, and of how many messages.
    pub silent: BTreeMap<Silence, u64>,
}

/// A rule that could not speak, and why.
type Silence = (&'static str, Cow<'static, str>);

/// What is counted per place.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tally {
    /// Messages.
    pub messages: u64,
    /// Their bytes, as far as known.
    pub bytes: u64,
    /// Messages that the listing shows, or may show.
    pub listed: u64,
}

/// What a reader notes of the messages of one batch: of most of them no more than that they are there.
#[derive(Default)]
struct Sheet {
    /// The place in which they lie; a batch is of one.
    instance: usize,
    tally: Tally,
    keys: Vec<(keys::Key, MatchedBy, u64)>,
    silent: Vec<(Silence, u64)>,
    suspects: Vec<Finding>,
    healthy: Vec<Message>,
    damages: Vec<Damage>,
}

impl Look {
    /// Looks at every message once.
    ///
    /// # Errors
    /// When suspects cannot be kept.
    pub fn first(scene: &Scene<'_>) -> io::Result<Self> {
        Self::take(scene, false, &mut |_| ())
    }

    /// The same, and hands on those messages of which no rule says anything.
    ///
    /// # Errors
    /// When suspects cannot be kept.
    pub fn first_with_healthy(scene: &Scene<'_>, healthy: &mut dyn FnMut(&Message)) -> io::Result<Self> {
        Self::take(scene, true, healthy)
    }

    fn take(scene: &Scene<'_>, all: bool, healthy: &mut dyn FnMut(&Message)) -> io::Result<Self> {
        let mut look = Self { tally: vec![Tally::default(); scene.prepared.places.len()], ..Self::default() };
        let damages = scene.prepared.damages.iter().chain(&scene.views.damages);
        damages.for_each(|damage| look.damaged(damage.clone()));
        let note = |sheet: &mut Sheet, record| match record {
            Record::Message(message) => sheet.note(scene, message, all),
            Record::Damage(damage) => sheet.damages.push(damage),
            Record::Passed => {}
        };
        let mut trouble = None;
        scene.judge("scanning", &note, |sheet: Sheet| {
            for message in &sheet.healthy {
                healthy(message);
            }
            match look.add(sheet) {
                Ok(()) => ControlFlow::Continue(()),
                Err(error) => {
                    trouble = Some(error);
                    ControlFlow::Break(())
                }
            }
        });
        match trouble {
            Some(error) => Err(error),
            None => Ok(look),
        }
    }

    /// Writes down something that could not be read. A file that went away while a running mail system was scanned is
    /// its daily work, and no damage.
    pub fn damaged(&mut self, damage: Damage) {
        if damage.kind == DamageKind::Vanished {
            return;
        }
        self.damage_count += 1;
        self.damages.insert((damage, self.damage_count));
        if self.damages.len() > MAX_DAMAGES {
            self.damages.pop_last();
        }
    }

    fn add(&mut self, sheet: Sheet) -> io::Result<()> {
        if let Some(tally) = self.tally.get_mut(sheet.instance) {
            tally.messages += sheet.tally.messages;
            tally.bytes += sheet.tally.bytes;
            tally.listed += sheet.tally.listed;
        }
        for (key, matched_by, identity) in sheet.keys {
            self.ledger.note(key, sheet.instance, matched_by, identity);
        }
        for (silence, count) in sheet.silent {
            if self.silent.len() < MAX_REASONS || self.silent.contains_key(&silence) {
                *self.silent.entry(silence).or_default() += count;
            }
        }
        sheet.damages.into_iter().for_each(|damage| self.damaged(damage));
        sheet.suspects.iter().try_for_each(|suspect| self.suspects.push(suspect))
    }
}

impl Sheet {
    /// Notes a message; `keep_healthy`: and keeps it if no rule says anything of it.
    fn note(&mut self, scene: &Scene<'_>, message: Box<Message>, keep_healthy: bool) {
        let Some(case) = scene.case(&message) else { return };
        self.instance = message.instance;
        if !is_log(&message) {
            self.tally.messages += 1;
            self.tally.bytes += message.size.unwrap_or(0);
            if let (Listed::Yes(hit) | Listed::Crowded { hit, .. }, Some(view)) = (&case.listed, case.view) {
                view.mark(hit);
                self.tally.listed += 1;
            }
        }
        let identity = identity(&message);
        let keys = keys_of(scene, &message).into_iter();
        self.keys.extend(keys.map(|(key, matched_by)| (key, matched_by, identity)));
        let weighed = weigh(&case);
        for (rule, why) in weighed.silent {
            match self.silent.iter_mut().find(|((name, reason), _)| *name == rule.name && *reason == why) {
                Some((_, count)) => *count += 1,
                None => self.silent.push(((rule.name, why), 1)),
            }
        }
        match weighed.finding {
            Some(finding) => self.suspects.push(finding),
            None if keep_healthy => self.healthy.push(*message),
            None => {}
        }
    }
}

/// The keys under which a message meets its copies. Those by content are for sources that do not know Message-IDs, and are
/// kept only where there is more than one place.
pub fn keys_of(scene: &Scene<'_>, message: &Message) -> SmallVec<[(keys::Key, MatchedBy); 4]> {
    let mut found = SmallVec::new();
    // A log is no copy of its message.
    if is_log(message) {
        return found;
    }
    let source = scene.prepared.sources.get(message.instance).map(|source| source.name());
    let native = message.ids.native.as_ref().filter(|_| source != Some(USES_NUMBERS_AGAIN));
    if let Some(id) = native.filter(|id| is_identity(id, message)) {
        found.push((keys::native_of(message.instance, id), MatchedBy::Native));
    }
    if scene.prepared.places.len() > 1 {
        found.extend(keys::across_sources(message));
    } else {
        found.extend(keys::own_message_id(message).map(|key| (key, MatchedBy::MessageId)));
    }
    found
}

/// A queue ID is one message. What a row of an export calls its ID may be a placeholder (`System.Byte[]`) or count from the
/// start for each batch of rows; an entry ID is at least 20 bytes (`[MS-OXCDATA]` section 2.2.4), in hex.
fn is_identity(id: &crate::evidence::Text, message: &Message) -> bool {
    const LEAST_HEX_DIGITS: usize = 40;
    let bytes = id.bytes();
    !matches!(message.place.at, At::Row(_))
        || (bytes.len() >= LEAST_HEX_DIGITS && bytes.iter().all(u8::is_ascii_hexdigit))
}

/// Whether it is a log without its message, and so no message.
fn is_log(message: &Message) -> bool {
    message.signs.iter().any(|signed| signed.sign == Sign::SideFileAlone)
}

/// What tells two copies from one file or row that is seen twice: the inode, so that a file which is moved while it is
/// scanned stays one; else the place.
pub fn identity(message: &Message) -> u64 {
    let place = || keys::native(&format!("{:?}", message.place.at), &message.place.path);
    match (message.stat(), &message.place.at) {
        (Some(stat), at) if !matches!(at, At::Row(_)) && stat.inode != 0 => stat.inode,
        _ => place(),
    }
}
