//! The first look: every message once.

use super::scene::Scene;
use crate::correlate::case::Listed;
use crate::correlate::keys::{self, MatchedBy};
use crate::correlate::ledger::Ledger;
use crate::correlate::weigh::weigh;
use crate::evidence::{At, Damage, DamageKind, Message, Record, Sign};
use crate::findings::Store;
use std::borrow::Cow;
use std::collections::BTreeMap;
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
    /// What could not be read.
    pub damages: Vec<Damage>,
    /// How much could not be read.
    pub damage_count: u64,
    /// Rules that could not speak, why, and of how many messages.
    pub silent: BTreeMap<(&'static str, Cow<'static, str>), u64>,
    trouble: Option<io::Error>,
}

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

impl Look {
    /// Looks at every message once, and hands on those of which no rule says anything.
    ///
    /// # Errors
    /// When suspects cannot be kept.
    pub fn first(scene: &Scene<'_>, healthy: &mut dyn FnMut(&Message)) -> io::Result<Self> {
        let mut look = Self { tally: vec![Tally::default(); scene.prepared.places.len()], ..Self::default() };
        let damages = scene.prepared.damages.iter().chain(&scene.views.damages);
        damages.for_each(|damage| look.damaged(damage.clone()));
        scene.read("scanning", |record| {
            match record {
                Record::Message(message) => look.seen(scene, message, healthy),
                Record::Damage(damage) => look.damaged(damage.clone()),
                Record::Passed => {}
            }
            if look.trouble.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        match look.trouble.take() {
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
        if self.damages.len() < MAX_DAMAGES {
            self.damages.push(damage);
        }
    }

    fn seen(&mut self, scene: &Scene<'_>, message: &Message, healthy: &mut dyn FnMut(&Message)) {
        let Some(case) = scene.case(message) else { return };
        if let Some(tally) = self.tally.get_mut(message.instance).filter(|_| !is_log(message)) {
            tally.messages += 1;
            tally.bytes += message.size.unwrap_or(0);
            if let (Listed::Yes(hit) | Listed::Crowded { hit, .. }, Some(view)) = (&case.listed, case.view) {
                view.mark(hit);
                tally.listed += 1;
            }
        }
        self.note(scene, message);
        let weighed = weigh(&case);
        for (rule, why) in weighed.silent {
            let known = self.silent.len();
            let reason = (rule.name, why);
            if known < MAX_REASONS || self.silent.contains_key(&reason) {
                *self.silent.entry(reason).or_default() += 1;
            }
        }
        match weighed.finding {
            None => healthy(message),
            Some(finding) => {
                if let Err(error) = self.suspects.push(&finding) {
                    self.trouble = Some(error);
                }
            }
        }
    }

    fn note(&mut self, scene: &Scene<'_>, message: &Message) {
        let identity = identity(message);
        for (key, matched_by) in keys_of(scene, message) {
            self.ledger.note(key, message.instance, matched_by, identity);
        }
    }
}

/// The keys under which a message meets its copies. Those by content are for sources that do not know Message-IDs, and are
/// kept only where there is more than one place.
pub fn keys_of(scene: &Scene<'_>, message: &Message) -> Vec<(keys::Key, MatchedBy)> {
    let mut found = Vec::new();
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
