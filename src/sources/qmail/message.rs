//! One file in `mess` as a message.

use super::draft::{Draft, modified};
use super::envelope::Kind;
use super::headers;
use super::layout::Layout;
use super::name;
use super::owner::Owner;
use super::pieces::{Piece, Pieces, State, part_of};
use crate::evidence::{
    Confidence, Damage, Fact, Live, Locus, Message, PartKind, Sign, Signed, Text, Time, TimeKind, Timed,
};
use crate::read::disk::{EntryKind, Root};
use std::path::Path;

/// qmail-queue needs no longer than this between two steps, once its client has said all; a running queue may hold so
/// young a file in any state.
const IN_THE_MAKING: i64 = 60;
/// qmail-send looks into `todo` every 25 minutes, trigger or not (`qmail-send.c`, `SLEEP_TODO`); a busy one is late.
const PREPROCESSED_WITHIN: i64 = 1_500 + 300;
/// The patience where the trigger is seen to be broken, so that there is no doubt why it waits.
const WITHOUT_TRIGGER: i64 = 300;
/// A clock that is read in seconds since the machine started is off by as much (`/proc/stat`, btime).
const CLOCK_SLACK: i64 = 2;
/// Between the last write to a file and the last change of its inode lies less than this, unless somebody changed it.
const WRITTEN_WITHIN: i64 = 10;

/// What a queue's files are judged by.
#[derive(Debug)]
pub struct Queue {
    /// Where files belong.
    pub layout: Layout,
    /// Who must be able to read them.
    pub owner: Owner,
    /// The running qmail-send.
    pub live: Option<Live>,
    /// When qmail-send read `info`, if that can be held against the times of the inodes here.
    pub indexed: Option<Time>,
    /// Inodes changed after this are those of a copy, not of the queue.
    pub inodes_until: Option<Time>,
    /// The latest time that the queue is known to have reached.
    pub reached: Option<Time>,
    /// Whether every message is read beyond its envelope.
    pub deep: bool,
    /// Folders that every queue has and this copy lacks.
    pub missing: Vec<&'static str>,
    /// What is wrong with the trigger.
    pub trigger: Option<Fact>,
}

/// A file in a folder of the queue.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// The queue.
    pub root: &'a Root,
    /// Its path below the queue.
    pub path: &'a Path,
    /// The folder: `mess`, `info` and so on.
    pub folder: &'a str,
    /// Its name.
    pub name: &'a [u8],
}

/// What a file turned out to be.
pub enum Outcome {
    /// A message.
    Message(Box<Message>),
    /// Nothing to be reported.
    Passed,
}

impl Queue {
    /// Reads a file in `mess`.
    ///
    /// # Errors
    /// [`Damage`] if it is not there any more or cannot be looked at.
    pub fn message(&self, entry: Entry<'_>, damages: &mut Vec<Damage>) -> Result<Outcome, Damage> {
        let piece = piece_of(entry)?;
        let part = part_of(entry.path);
        let Some(number) = name::number(entry.name) else {
            return Ok(Outcome::Message(Box::new(self.foreign(entry, &piece, PartKind::Content))));
        };
        let pieces = Pieces::of(entry.root, &self.layout, number, part);
        let state = pieces.state();
        if self.is_in_the_making(&piece, &pieces, state) {
            return Ok(Outcome::Passed);
        }
        let mut draft = Draft::new(entry, Some(number), &piece, PartKind::Content);
        if state == State::Queued {
            "todo".clone_into(&mut draft.message.queue);
        }
        draft.message.size = Some(piece.stat.size);
        draft.message.parts.extend(pieces.parts());
        self.judge_place(&mut draft.message, number, &piece, &pieces, part);
        Self::read_envelope(&mut draft, entry.root, &pieces, state);
        self.judge_state(&mut draft, &piece, &pieces, state);
        self.judge_owners(&mut draft.message, &piece, &pieces, state);
        self.judge_index(&mut draft.message, &piece, &pieces);
        self.add_times(&mut draft.message, &piece, &pieces);
        draft.add_bounces(entry.root, &pieces);
        self.explain(&mut draft, entry)?;
        damages.append(&mut draft.damages);
        Ok(Outcome::Message(Box::new(draft.finish())))
    }

    /// A file whose name is no number: qmail passes over it.
    pub fn foreign(&self, entry: Entry<'_>, piece: &Piece, kind: PartKind) -> Message {
        let mut draft = Draft::new(entry, name::stem(entry.name), piece, kind);
        let text = "qmail looks only for names that are plain numbers, and passes over every other";
        let fact = Fact::new(text, Locus::whole(piece.place()));
        draft.message.signs.push(Signed::certain(Sign::ForeignName, fact));
        draft.message.size = Some(piece.stat.size);
        draft.message.times.push(modified(TimeKind::Modified, piece));
        if kind == PartKind::Content {
            // What cannot be read of it is not needed to say what it is.
            let _unread = self.explain(&mut draft, entry);
        }
        draft.finish()
    }

    /// Whether it may be on its way right now. Of a copy that cannot be said; the rules take account of it.
    fn is_in_the_making(&self, mess: &Piece, pieces: &Pieces, state: State) -> bool {
        let age = |piece: &Piece| Time::now().since(piece.stat.changed);
        self.live.is_some()
            && match (state, &pieces.todo) {
                (State::Content | State::Envelope, _) => age(mess) < IN_THE_MAKING,
                (State::Queued, Some(todo)) => {
                    // With an `info` qmail-send has begun with it, and the listing shows it.
                    age(todo) < IN_THE_MAKING || (pieces.info.is_none() && self.is_awaited(todo))
                }
                _ => false,
            }
    }

    /// Whether a running qmail-send may not yet have looked at it.
    fn is_awaited(&self, todo: &Piece) -> bool {
        let patience = if self.trigger.is_some() { WITHOUT_TRIGGER } else { PREPROCESSED_WITHIN };
        self.live.is_some() && Time::now().since(todo.stat.changed) < patience
    }

    /// Whether a leftover may be in use right now.
    pub fn is_young(&self, piece: &Piece) -> bool {
        self.live.is_some() && Time::now().since(piece.stat.changed) < IN_THE_MAKING
    }

    /// What name and folder say.
    fn judge_place(
        &self,
        message: &mut Message,
        number: u64,
        mess: &Piece,
        pieces: &Pieces,
        part: Option<&str>,
    ) {
        let place = mess.place();
        let inode = mess.stat.inode;
        if inode != 0 && inode != number {
            let text = format!("the name says inode {number}, the file has inode {inode}");
            let sign = Sign::NameInode { named: number, actual: inode };
            message.signs.push(Signed::certain(sign, Fact::new(text, Locus::metadata(place))));
        }
        let fits = part.is_some_and(|part| self.layout.split.fits(number, part));
        let wrong = if fits {
            let halves = pieces.info.iter().chain(pieces.channels());
            halves.chain(&pieces.todo).find(|piece| !self.is_in_place(number, piece))
        } else {
            Some(mess)
        };
        message.signs.extend(wrong.and_then(|piece| self.misfiled(number, piece)));
    }

    fn is_in_place(&self, number: u64, piece: &Piece) -> bool {
        let folder = folder_of(&piece.path);
        match part_of(&piece.path) {
            Some(part) if matches!(folder, "mess" | "info" | "local" | "remote") => {
                self.layout.split.fits(number, part)
            }
            _ => self.layout.path(folder, number).is_none_or(|expected| expected == piece.path),
        }
    }

    /// A file that lies where qmail does not look.
    pub fn misfiled(&self, number: u64, piece: &Piece) -> Option<Signed> {
        let expected = self.layout.path(folder_of(&piece.path), number).filter(|path| *path != piece.path)?;
        let text = format!("qmail looks for this file at `{}` only", expected.display());
        let mut facts = vec![Fact::new(text, Locus::whole(piece.place()))];
        facts.extend(self.layout.split.facts.first().cloned());
        let confidence = self.layout.split.confidence.unwrap_or(Confidence::Possible);
        Some(Signed { sign: Sign::Misfiled { expected: Text::from_path(&expected) }, confidence, facts })
    }

    fn read_envelope(draft: &mut Draft, root: &Root, pieces: &Pieces, state: State) {
        let files: Vec<(&Piece, Kind)> = match state {
            State::Queued => pieces.todo.iter().map(|piece| (piece, Kind::Todo)).collect(),
            State::Envelope => pieces.intd.iter().map(|piece| (piece, Kind::Todo)).collect(),
            State::Preprocessed | State::Stripped => {
                let info = pieces.info.iter().map(|piece| (piece, Kind::Info));
                info.chain(pieces.channels().map(|piece| (piece, Kind::Channel))).collect()
            }
            State::Content => Vec::new(),
        };
        let mut faults = Vec::new();
        for (piece, kind) in files {
            faults.extend(draft.read(root, piece, kind).into_iter().map(|fault| (piece, fault)));
        }
        // An envelope that is being written is not damaged by being unfinished.
        if state != State::Envelope {
            draft.damaged(&faults);
        }
    }

    fn judge_state(&self, draft: &mut Draft, mess: &Piece, pieces: &Pieces, state: State) {
        let place = mess.place();
        let fact = |text: &str| Fact::new(text, Locus::whole(place.clone()));
        if mess.stat.size == 0 {
            let text = "the file has no bytes, as when the disk was full";
            let fact = Fact::new(text, Locus::metadata(place.clone()));
            draft.message.signs.push(Signed::certain(Sign::EmptyFile, fact));
        }
        let signed = match state {
            State::Content => Signed {
                sign: Sign::Unfinished,
                confidence: Confidence::Likely,
                facts: vec![
                    fact(
                        "its content, and nothing else of it: neither todo nor info, local, remote or bounce",
                    ),
                    fact(
                        "so qmail-queue leaves it when it is killed before it has the envelope; the loss of a whole \
                          envelope would look the same",
                    ),
                    accessed(mess),
                ],
            },
            State::Envelope => Signed {
                sign: Sign::Unfinished,
                confidence: Confidence::Certain,
                facts: vec![
                    fact(
                        "its envelope was begun in `intd` and never put into `todo`: qmail-queue did not accept it",
                    ),
                    accessed(mess),
                ],
            },
            State::Queued if pieces.todo.as_ref().is_some_and(|todo| self.is_awaited(todo)) => return,
            State::Queued => self.unclaimed(pieces, &place),
            State::Stripped => {
                let text = "it has recipients or a bounce, and no `info` that says who sent it";
                let facts = vec![fact(text), accessed(mess)];
                let confidence = self.unless_missing("info", Confidence::Certain);
                Signed { sign: Sign::EnvelopeLost, confidence, facts }
            }
            State::Preprocessed if pieces.channels().next().is_none() && pieces.bounce.is_none() => {
                let text = "neither `local` nor `remote` has recipients of it: they were lost, or qmail-send stopped just \
                            after the last one was served";
                let confidence =
                    self.unless_missing("local", self.unless_missing("remote", Confidence::Likely));
                Signed { sign: Sign::PartMissing, confidence, facts: vec![fact(text)] }
            }
            State::Preprocessed => return,
        };
        draft.message.signs.push(signed);
    }

    /// What a folder that this copy lacks could explain is possible at most.
    pub fn unless_missing(&self, folder: &str, confidence: Confidence) -> Confidence {
        if self.missing.contains(&folder) { Confidence::Possible } else { confidence }
    }

    fn unclaimed(&self, pieces: &Pieces, place: &Text) -> Signed {
        let text = "it lies in `todo`, whole, and qmail-send has not preprocessed it";
        let mut facts = vec![Fact::new(text, Locus::whole(place.clone()))];
        let todo = pieces.todo.as_ref().map(|todo| todo.stat.modified);
        let waited = self.reached.zip(todo).map(|(reached, handed_in)| reached.since(handed_in));
        let confidence = match (self.live.is_some(), waited) {
            (true, _) => Confidence::Certain,
            (false, Some(waited)) if waited > PREPROCESSED_WITHIN => Confidence::Likely,
            (false, _) => Confidence::Possible,
        };
        facts.extend(self.trigger.clone());
        Signed { sign: Sign::Unclaimed, confidence, facts }
    }

    fn judge_owners(&self, message: &mut Message, mess: &Piece, pieces: &Pieces, state: State) {
        let mut facts: Vec<Fact> = Vec::new();
        match state {
            State::Preprocessed => {
                let info = pieces.info.iter();
                facts.extend(info.filter_map(|info| self.owner.refusal(&info.place(), &info.stat, false)));
                let lists = pieces.channels();
                facts.extend(lists.filter_map(|list| self.owner.refusal(&list.place(), &list.stat, true)));
                facts.extend(self.owner.refusal_to_deliver(&mess.place(), &mess.stat));
            }
            State::Queued => {
                let todo = pieces.todo.iter();
                facts.extend(todo.filter_map(|todo| self.owner.refusal(&todo.place(), &todo.stat, false)));
            }
            State::Content | State::Envelope | State::Stripped => {}
        }
        if !facts.is_empty() {
            facts.push(self.owner.fact.clone());
            let signed = Signed { sign: Sign::OwnerOrMode, confidence: Confidence::Certain, facts };
            message.signs.push(signed);
        }
    }

    /// qmail-send reads `info` once, when it starts (`pqstart`). A file that it or qmail-queue wrote has one time for its
    /// content and its inode, since nothing touches it again; one that was put there has an older time of its content.
    fn judge_index(&self, message: &mut Message, mess: &Piece, pieces: &Pieces) {
        let (Some(indexed), Some(info)) = (self.indexed, &pieces.info) else { return };
        let placed = |piece: &Piece| {
            let known = self.inodes_until.is_none_or(|until| piece.stat.changed <= until);
            known
                && piece.stat.changed.since(indexed) > CLOCK_SLACK
                && piece.stat.changed.since(piece.stat.modified) > WRITTEN_WITHIN
        };
        if !placed(info) || !placed(mess) || pieces.todo.is_some() {
            return;
        }
        let text = format!(
            "its content and its sender are of {} and before, but were put here or given another owner or mode at {}; \
             qmail-send read the queue at {}",
            mess.stat.modified.max(info.stat.modified).rfc3339(),
            info.stat.changed.rfc3339(),
            indexed.rfc3339()
        );
        message.signs.push(Signed::likely(Sign::AfterIndex, Fact::new(text, Locus::metadata(info.place()))));
    }

    fn add_times(&self, message: &mut Message, mess: &Piece, pieces: &Pieces) {
        match &pieces.info {
            // The time of `info` is the birth of the message (`INTERNALS.md`, section 7).
            Some(info) if pieces.todo.is_none() => message.times.push(modified(TimeKind::Arrival, info)),
            _ => message.times.push(modified(TimeKind::Created, mess)),
        }
        let misfiled = message.signs.iter().any(|signed| matches!(signed.sign, Sign::Misfiled { .. }));
        let tried = pieces.state() == State::Preprocessed && !misfiled;
        message.times.extend(self.attempts(pieces).into_iter().map(|timed| match timed.kind {
            TimeKind::NextAttempt if !tried => Timed { kind: TimeKind::Modified, ..timed },
            _ => timed,
        }));
    }

    /// The time of `local` and `remote` is the next attempt if qmail-send set it when it stopped (`pqfinish`: to whole
    /// seconds), and in any case if it lies ahead, since qmail-send takes it for that when it starts (`pqadd`). The later
    /// one comes first: it is what holds the message up.
    pub fn attempts(&self, pieces: &Pieces) -> Vec<Timed> {
        let ahead = |at: Time| self.reached.is_some_and(|reached| at > reached);
        let mut times: Vec<Timed> = pieces
            .channels()
            .map(|list| {
                let at = list.stat.modified;
                let planned = ahead(at) || (self.live.is_none() && at.nanos == 0);
                modified(if planned { TimeKind::NextAttempt } else { TimeKind::Modified }, list)
            })
            .collect();
        times.sort_by_key(|timed| std::cmp::Reverse(timed.at));
        times
    }

    /// For messages with signs only: what they are about. A name that does not match its inode holds nothing up, and a
    /// restored queue has one on every file.
    fn explain(&self, draft: &mut Draft, entry: Entry<'_>) -> Result<(), Damage> {
        let plain = draft.message.signs.iter().all(|signed| matches!(signed.sign, Sign::NameInode { .. }));
        if plain && !self.deep {
            return Ok(());
        }
        let file = entry.root.open_file(entry.path)?;
        let whole = headers::add(&mut draft.message, &file)
            .map_err(|error| entry.root.refused(entry.path, &error))?;
        let unfinished = draft.message.signs.iter_mut().find(|signed| signed.sign == Sign::Unfinished);
        if let Some(unfinished) = unfinished {
            let place = Text::from_path(entry.path);
            let text = if whole { "its header is whole" } else { "it ends within its header" };
            unfinished.facts.push(Fact::new(text, Locus::bytes(place, 0, file.stat.size)));
        }
        Ok(())
    }
}

/// The file of an entry.
///
/// # Errors
/// [`Damage`] if it cannot be looked at, or is not regular any more.
pub fn piece_of(entry: Entry<'_>) -> Result<Piece, Damage> {
    match entry.root.stat(entry.path) {
        Ok((EntryKind::Regular, stat)) => Ok(Piece { path: entry.path.to_owned(), stat }),
        Ok((kind, _)) => Err(crate::read::disk::not_regular(entry.path, kind)),
        Err(error) => Err(entry.root.refused(entry.path, &error)),
    }
}

/// When it was last read: qmail-clean decides by this.
fn accessed(mess: &Piece) -> Fact {
    let text = format!(
        "it was last read at {}; qmail-send has it deleted, when it starts or cleans up, once that is 36 hours ago",
        mess.stat.accessed.rfc3339()
    );
    Fact::new(text, Locus::metadata(mess.place()))
}

/// The queue folder in which a file lies.
fn folder_of(path: &Path) -> &str {
    path.components().next().and_then(|folder| folder.as_os_str().to_str()).unwrap_or_default()
}
