//! The live view: what the mail system's own listing shows, indexed.

use super::keys::{self, Key, MatchedBy};
use crate::evidence::{EntryState, ListingEnd, ListingEntry, Locus, Message, Text, Time, TimeKind};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock};

/// Delay reasons are kept for this many entries; they are for show only.
const MAX_REASONS: usize = 100_000;

/// One listing, indexed. About 50 bytes an entry, and its queue ID.
#[derive(Debug, Default)]
pub struct LiveView {
    origins: Vec<Text>,
    entries: Vec<Entry>,
    names: Vec<u8>,
    queues: Vec<String>,
    reasons: std::collections::HashMap<u32, Text>,
    index: Vec<(Key, u32, MatchedBy)>,
    claims: RwLock<BTreeMap<usize, Vec<u8>>>,
    shared: bool,
    end: ListingEnd,
    taken: Option<Time>,
    live: bool,
}

#[derive(Debug)]
struct Entry {
    line: u32,
    name: u32,
    origin: u16,
    queue: u16,
    name_length: u16,
    state: EntryState,
    on_request: bool,
    has_message_id: bool,
    size: Option<u64>,
    seen: AtomicBool,
    /// A second entry of the same ID: a listing can show a message twice (postqueue(1), BUGS), and two listings can be
    /// of one mail system.
    again: bool,
}

/// An entry that a message was found under.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// Its number within the view.
    pub number: u32,
    /// How many entries of the listing have the same in common with the message.
    pub entries: u8,
    /// Where in the listing.
    pub locus: Locus,
    /// What the two have in common.
    pub matched_by: MatchedBy,
    /// The state that the listing shows.
    pub state: EntryState,
    /// Whether only a listing other than the default one shows it.
    pub on_request: bool,
    /// The delay reason.
    pub reason: Option<Text>,
}

/// An entry that no message was found for.
#[derive(Debug, Clone, PartialEq)]
pub struct Unseen {
    /// Where in the listing.
    pub locus: Locus,
    /// The queue ID.
    pub native: Text,
    /// The queue.
    pub queue: String,
}

impl LiveView {
    /// An empty view; `live`: ghostq takes the listings itself.
    pub fn new(live: bool) -> Self {
        Self { live, ..Self::default() }
    }

    /// Begins a listing from this file or command, taken at this time. Entries that are added from now on belong to it.
    /// Of several listings the oldest time counts: what came in after it, one of them cannot show.
    pub fn begin(&mut self, origin: Text, taken: Option<Time>) {
        self.origins.push(origin);
        self.taken = match (self.taken, taken) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
    }

    /// Takes an entry in.
    pub fn add(&mut self, entry: &ListingEntry) {
        let Ok(number) = u32::try_from(self.entries.len()) else { return };
        let native = entry.native.clone().unwrap_or_default();
        let name = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        self.names.extend_from_slice(native.bytes());
        let queue = self.queue_number(entry.queue.as_deref().unwrap_or_default());
        self.entries.push(Entry {
            line: u32::try_from(entry.line).unwrap_or(u32::MAX),
            name,
            origin: u16::try_from(self.origins.len().saturating_sub(1)).unwrap_or(u16::MAX),
            queue,
            name_length: u16::try_from(native.bytes().len()).unwrap_or(u16::MAX),
            state: entry.state,
            on_request: entry.on_request,
            has_message_id: entry.message_id.as_ref().and_then(keys::message_id).is_some(),
            size: entry.size,
            seen: AtomicBool::new(false),
            again: false,
        });
        if let Some(reason) = entry.reason.clone().filter(|_| self.reasons.len() < MAX_REASONS) {
            self.reasons.insert(number, reason);
        }
        let mut index = |key, matched_by| self.index.push((key, number, matched_by));
        if !native.is_empty() {
            index(keys::native("", &native), MatchedBy::Native);
        }
        if let Some(key) = entry.message_id.as_ref().and_then(keys::message_id) {
            index(key, MatchedBy::MessageId);
        }
        let recipients: Vec<&Text> = entry.recipients.iter().collect();
        for key in keys::content(entry.subject.as_ref(), entry.arrived, &recipients).into_iter().flatten() {
            index(key, MatchedBy::Content);
        }
        if let Some(key) = keys::subject(entry.subject.as_ref(), entry.sender.as_ref()) {
            index(key, MatchedBy::Subject);
        }
        let nameless = native.is_empty() && entry.message_id.is_none() && entry.subject.is_none();
        if let Some(key) = keys::moment(entry.arrived, entry.size).filter(|_| nameless) {
            index(key, MatchedBy::Moment);
        }
    }

    /// Ends the listing that was begun last.
    pub fn end(&mut self, end: ListingEnd) {
        self.end.misread.extend(end.misread);
        self.end.cut = self.end.cut.take().or(end.cut);
    }

    /// Closes the view; lookups work from here on.
    pub fn finish(&mut self) {
        self.index.sort_unstable();
        let mut first: Option<(Key, u32)> = None;
        for (key, number, matched_by) in &self.index {
            if *matched_by != MatchedBy::Native {
                continue;
            }
            let Some((_, leader)) = first.filter(|(known, _)| known == key) else {
                first = Some((*key, *number));
                continue;
            };
            let Some(entry) = self.entries.get_mut(*number as usize) else { continue };
            entry.again = true;
            let plain = !entry.on_request;
            if let Some(leader) = self.entries.get_mut(leader as usize).filter(|_| plain) {
                leader.on_request = false;
            }
        }
        self.shared = self.index.iter().any(|(_, _, matched_by)| *matched_by != MatchedBy::Native);
        self.index.shrink_to_fit();
        self.names.shrink_to_fit();
    }

    /// The best entry for this message: by ID, by Message-ID, by content, by subject and sender.
    pub fn find(&self, message: &Message) -> Option<Hit> {
        let (number, matched_by, entries) = self.lookup(message)?;
        let entry = self.entries.get(number as usize)?;
        Some(Hit {
            number,
            entries,
            locus: self.locus(entry),
            matched_by,
            state: entry.state,
            on_request: entry.on_request,
            reason: self.reasons.get(&number).cloned(),
        })
    }

    /// Takes down that the message of this entry is on disk.
    pub fn mark(&self, hit: &Hit) {
        if let Some(entry) = self.entries.get(hit.number as usize) {
            entry.seen.store(true, Ordering::Relaxed);
        }
    }

    /// Whether its entries can be found under anything but the mail system's own ID, so that several messages may lay claim
    /// to one entry.
    pub fn is_shared(&self) -> bool {
        self.shared
    }

    /// Takes down that a message of this instance lays claim to an entry.
    pub fn claim(&self, instance: usize, hit: &Hit) {
        let mut claims = self.claims.write().unwrap_or_else(PoisonError::into_inner);
        let claims = claims.entry(instance).or_insert_with(|| vec![0; self.entries.len()]);
        if let Some(count) = claims.get_mut(hit.number as usize) {
            *count = count.saturating_add(1);
        }
    }

    /// How many messages of an instance lay claim to this entry, if they are more than there are entries.
    pub fn crowd(&self, instance: usize, hit: &Hit) -> Option<u8> {
        if !self.shared {
            return None;
        }
        let claims = self.claims.read().unwrap_or_else(PoisonError::into_inner);
        let count = *claims.get(&instance)?.get(hit.number as usize)?;
        (count > hit.entries).then_some(count)
    }

    fn lookup(&self, message: &Message) -> Option<(u32, MatchedBy, u8)> {
        if let Some(found) =
            message.ids.native.as_ref().and_then(|id| self.by_key(keys::native("", id), message))
        {
            return Some(found);
        }
        for (key, _) in keys::across_sources(message) {
            if let Some(found) = self.by_key(key, message) {
                return Some(found);
            }
        }
        let time = message.time(TimeKind::IdTime).or_else(|| message.arrived());
        if let Some(found) = keys::moment(time, message.size).and_then(|key| self.by_key(key, message)) {
            return Some(found);
        }
        let key = keys::subject(message.header("Subject"), message.envelope.sender.as_ref())?;
        self.by_key(key, message)
    }

    /// The first entry under this key that can be the message, and how many can. What has another Message-ID, or a size that
    /// does not fit, is another message whatever its subject.
    fn by_key(&self, key: Key, message: &Message) -> Option<(u32, MatchedBy, u8)> {
        let has_message_id = keys::own_message_id(message).is_some();
        let fits = |number: u32, matched_by: MatchedBy| {
            matched_by <= MatchedBy::MessageId
                || self.entries.get(number as usize).is_some_and(|entry| {
                    !(has_message_id && entry.has_message_id) && keys::sizes_agree(entry.size, message.size)
                })
        };
        let mut found: Option<(u32, MatchedBy, u8)> = None;
        for (_, number, matched_by) in self.under(key).filter(|(_, number, by)| fits(*number, *by)) {
            found = match found {
                None => Some((*number, *matched_by, 1)),
                Some((first, by, count)) => Some((first, by, count.saturating_add(1))),
            };
            if found.is_some_and(|(_, _, count)| count == u8::MAX) {
                break;
            }
        }
        found
    }

    fn under(&self, key: Key) -> impl Iterator<Item = &(Key, u32, MatchedBy)> {
        let start = self.index.partition_point(|(indexed, _, _)| *indexed < key);
        self.index.get(start..).unwrap_or_default().iter().take_while(move |(indexed, _, _)| *indexed == key)
    }

    /// Entries with an ID for which no message came by, in the order of the listing.
    pub fn unseen(&self) -> impl Iterator<Item = Unseen> + '_ {
        self.entries
            .iter()
            .filter(|entry| !entry.again && !entry.seen.load(Ordering::Relaxed) && entry.name_length > 0)
            .map(|entry| Unseen {
                locus: self.locus(entry),
                native: self.name(entry),
                queue: self.queues.get(usize::from(entry.queue)).cloned().unwrap_or_default(),
            })
    }

    /// Whether this ID is in the listing.
    pub fn shows(&self, native: &Text) -> bool {
        self.under(keys::native("", native)).next().is_some()
    }

    /// How many messages it shows.
    pub fn len(&self) -> u64 {
        self.entries.iter().filter(|entry| !entry.again).count() as u64
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many entries a message was found for.
    pub fn seen(&self) -> u64 {
        self.entries.iter().filter(|entry| entry.seen.load(Ordering::Relaxed)).count() as u64
    }

    /// Why it is not, or may not be, whole.
    pub fn cut(&self) -> Option<&str> {
        self.end.cut.as_deref()
    }

    /// Lines that could not be understood.
    pub fn misread(&self) -> &[(u64, String)] {
        &self.end.misread
    }

    /// When it was taken.
    pub fn taken(&self) -> Option<Time> {
        self.taken
    }

    /// Whether ghostq took it itself, live.
    pub fn live(&self) -> bool {
        self.live
    }

    /// The first file or command.
    pub fn origin(&self) -> Text {
        self.origins.first().cloned().unwrap_or_default()
    }

    fn locus(&self, entry: &Entry) -> Locus {
        let origin = self.origins.get(usize::from(entry.origin)).cloned().unwrap_or_default();
        Locus::line(origin, u64::from(entry.line))
    }

    fn name(&self, entry: &Entry) -> Text {
        let start = entry.name as usize;
        Text::new(self.names.get(start..start + usize::from(entry.name_length)).unwrap_or_default())
    }

    fn queue_number(&mut self, queue: &str) -> u16 {
        let known = self.queues.iter().position(|known| known == queue);
        let number = known.unwrap_or_else(|| {
            // A hostile listing could name a queue a line; the last number stands for all that are too many.
            if self.queues.len() < 4_096 {
                self.queues.push(queue.to_owned());
            }
            self.queues.len() - 1
        });
        u16::try_from(number).unwrap_or(u16::MAX)
    }
}
