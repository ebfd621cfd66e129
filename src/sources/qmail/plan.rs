//! What can be done about a message of qmail.
//!
//! There are no locks for single messages, and qmail-send keeps the queue in memory: while it runs, only owners and modes are
//! put right and its trigger is pulled. Whatever is taken away or given another time needs it to be stopped. That it is, and
//! stays so meanwhile, is made certain by the lock that it takes when it starts (`qmail-send.c`, `main`: `lock/sendmutex`,
//! `flock`).
//!
//! `mess` is taken away first. What is left then is complained of and kept: qmail-send passes over `todo` whose `mess` it cannot
//! see (`todo_do`), and cannot deliver what `info` and the lists speak of. The other way round the content would be left alone,
//! which qmail-send has deleted once it was last read 36 hours ago (`cleanup_do`), and `info` without lists is taken for done
//! (`pqadd`). Lists without `info` are never looked at, so that `info` goes second.

use super::layout::Layout;
use super::message::piece_of;
use super::name;
use super::owner::Owner;
use super::pieces::{Piece, Pieces, State, part_of};
use super::virtual_domains::VirtualDomains;
use super::{message::Entry, whole};
use crate::evidence::{At, Message, PartKind, Text};
use crate::plan::{Change, Lock, Proposal, Refusal, Submission, Verb, Way};
use crate::read::disk::{EntryKind, Root};
use crate::sources::verbatim::{self, End};
use crate::sources::{Ask, Extent, Remedies};
use std::io::Write;
use std::path::{Path, PathBuf};

/// The FIFO by which qmail-queue wakes qmail-send.
const TRIGGER: &str = "lock/trigger";
/// What a running qmail-send holds locked.
const MUTEX: &str = "lock/sendmutex";
const STOP: &str =
    "stop it first: `svc -d /service/qmail-send` or `systemctl stop qmail-send`, by whatever supervises it";

/// What is known of a queue.
pub struct Queue {
    /// Where files belong.
    pub layout: Layout,
    /// Who must be able to read them.
    pub owner: Owner,
    /// Names that stand before recipients of virtual domains, if the control files are known.
    pub domains: Option<VirtualDomains>,
}

/// The remedies of a queue.
pub fn remedies(queue: Queue, submission: Option<Submission>) -> Remedies {
    Remedies { propose: Box::new(move |ask| propose(&queue, ask)), content: Box::new(write), submission }
}

/// Writes the file in `mess`.
fn write(root: &Root, message: &Message, extent: Extent, out: &mut dyn Write) -> Result<(), Refusal> {
    match content(message) {
        Some(path) => verbatim::write(root, &path, 0, extent, End::OfLine, out),
        None => Err(Refusal::new("its content is not there", "look for it in a backup")),
    }
}

fn content(message: &Message) -> Option<PathBuf> {
    let part = message.parts.iter().find(|part| part.kind == PartKind::Content)?;
    (part.locus.at == At::Whole).then(|| part.locus.path.to_path())
}

fn propose(queue: &Queue, ask: &Ask<'_>) -> Result<Proposal, Refusal> {
    verbatim::really_offline(ask.instance, ask.given)?;
    hopeless(ask)?;
    let path = ask.message.place.path.to_path();
    let folder = path.components().next().and_then(|folder| folder.as_os_str().to_str()).unwrap_or_default();
    let own_name = path.file_name().map(|name| Text::from_path(Path::new(name))).unwrap_or_default();
    let entry = Entry { root: ask.root, path: &path, folder, name: own_name.bytes() };
    let piece = piece_of(entry).map_err(|damage| verbatim::unreadable(&damage))?;
    let Some(number) = name::number(own_name.bytes()) else { return foreign(queue, ask, &piece) };
    let found = Found::of(queue, ask.root, folder, number, piece)?;
    if ask.verb == Verb::Requeue
        && let Some(proposal) = in_place(queue, ask, &found)?
    {
        return Ok(proposal);
    }
    if let Some(live) = ask.instance.live {
        let hint = if ask.says("unindexed") {
            "restart qmail-send: it reads the queue anew when it starts, and then delivers this one"
        } else {
            STOP
        };
        return Err(Refusal::new(
            format!("qmail-send (process {}) runs, and keeps the queue in memory", live.pid),
            hint,
        ));
    }
    hand_over(queue, ask, &found)
}

/// What no remedy helps.
fn hopeless(ask: &Ask<'_>) -> Result<(), Refusal> {
    let refused = [
        (
            "listed-not-on-disk",
            "there is no file of it",
            "list again with `qmail-qread`, and look into the log for `end msg`",
        ),
        (
            "duplicate-message",
            "there is another copy of it, and both would be sent",
            "look into the log who was served, keep the copy in the right folder and move the other out of the queue",
        ),
        (
            "orphan-side-file",
            "it is a note of a message that is not there any more",
            "read it and look into the log what became of the message",
        ),
        (
            "corrupt",
            "its envelope is damaged, so that it is not certain who still waits for it",
            "with qmail-send stopped, write the file anew from the log of qmail-send, or submit the content by hand to those \
             that the log does not show as served",
        ),
    ];
    match refused.into_iter().find(|(rule, ..)| ask.says(rule)) {
        Some((_, reason, hint)) => Err(Refusal::new(reason, hint)),
        None => Ok(()),
    }
}

/// The files of a message as they lie there now.
struct Found {
    mess: Option<Piece>,
    pieces: Pieces,
}

impl Found {
    fn of(queue: &Queue, root: &Root, folder: &str, number: u64, own: Piece) -> Result<Self, Refusal> {
        let part = part_of(&own.path).map(str::to_owned);
        let mut pieces = Pieces::of(root, &queue.layout, number, part.as_deref());
        let mess = match folder {
            "mess" => Some(own),
            "pid" => return Err(never_accepted()),
            _ => {
                let slot = match folder {
                    "intd" => &mut pieces.intd,
                    "todo" => &mut pieces.todo,
                    "info" => &mut pieces.info,
                    "local" => &mut pieces.local,
                    "remote" => &mut pieces.remote,
                    _ => &mut pieces.bounce,
                };
                *slot = Some(own);
                Piece::find(root, &queue.layout, "mess", number, part.as_deref())
            }
        };
        let found = Self { mess, pieces };
        found.only(queue, root, number)?;
        Ok(found)
    }

    /// Numbers are used again: of two files in different folders nobody can tell which belongs to which message, and of halves in
    /// different folders not whether they are of one.
    fn only(&self, queue: &Queue, root: &Root, number: u64) -> Result<(), Refusal> {
        let own = [&self.mess, &self.pieces.info, &self.pieces.local, &self.pieces.remote];
        for (folder, own) in ["mess", "info", "local", "remote"].into_iter().zip(own) {
            let elsewhere = queue
                .layout
                .likely(folder, number, None)
                .into_iter()
                .chain(queue.layout.anywhere(folder, number));
            let mut others = elsewhere.filter(|path| own.as_ref().is_none_or(|own| own.path != *path));
            if let Some(other) = others.find(|path| root.exists(path)) {
                return Err(Refusal::new(
                    format!("`{}` has the same number: it may be of another message", other.display()),
                    "look at both, and move what is left over out of the queue, with qmail-send stopped",
                ));
            }
        }
        let own = [&self.mess, &self.pieces.info, &self.pieces.local, &self.pieces.remote];
        let mut parts = own.into_iter().flatten().map(|piece| part_of(&piece.path));
        let first = parts.next();
        if parts.any(|part| Some(part) != first) {
            return Err(Refusal::new(
                "its files lie in folders of different numbers: they may be of two messages",
                "look at all of them, and put what belongs together into one folder, with qmail-send stopped",
            ));
        }
        Ok(())
    }

    /// In the order in which they must go.
    fn parts(&self) -> Vec<Text> {
        let Pieces { intd, todo, info, local, remote, bounce } = &self.pieces;
        // What there is of `bounce` before a message is preprocessed was left by an earlier one of this number.
        let bounce = if todo.is_some() { &None } else { bounce };
        let all = [&self.mess, info, todo, intd, local, remote, bounce];
        all.into_iter().flatten().map(Piece::place).collect()
    }
}

fn never_accepted() -> Refusal {
    Refusal::new(
        "qmail-queue did not accept it: its client was told so or lost the connection, and has probably sent it again",
        "save it with `cp -a`, and look whether a message with the same Message-ID came in later",
    )
}

/// What is put right where it lies.
fn in_place(queue: &Queue, ask: &Ask<'_>, found: &Found) -> Result<Option<Proposal>, Refusal> {
    if ask.given.offline {
        return Ok(None);
    }
    let mut lock = None;
    let (changes, warnings) = if ask.says("wrong-owner-or-mode") {
        (owners(queue, ask, found)?, Vec::new())
    } else if ask.says("unclaimed") {
        match (ask.instance.live, ask.root.stat(Path::new(TRIGGER))) {
            (Some(_), Ok((EntryKind::Special, _))) => {
                (vec![Change::Wake { path: Text::from(TRIGGER) }], Vec::new())
            }
            (Some(_), _) => {
                return Err(Refusal::new(
                    "there is no FIFO `lock/trigger` by which qmail-send could be woken; it looks into `todo` every 25 minutes",
                    "make the FIFO anew: owner qmails, mode 622",
                ));
            }
            (None, _) => {
                return Err(Refusal::new(
                    "it waits for qmail-send, which does not run",
                    "start qmail-send; if this is a copy, say `--offline`",
                ));
            }
        }
    } else if ask.instance.live.is_none() && (ask.says("future-time") || ask.says("expired")) {
        lock = stopped(ask.root);
        times(ask, found)
    } else {
        return if is_in_sight(ask, found) { Err(in_sight()) } else { Ok(None) };
    };
    if changes.is_empty() {
        return Err(in_sight());
    }
    let way = Way::Repair { changes, then: Vec::new() };
    Ok(Some(Proposal { way, lock, warnings }))
}

/// The lock that keeps qmail-send from starting; a copy may lack it.
fn stopped(root: &Root) -> Option<Lock> {
    let there = matches!(root.stat(Path::new(MUTEX)), Ok((EntryKind::Regular, _)));
    there.then(|| Lock::Flock { path: Text::from(MUTEX) })
}

/// Whether a qmail-send that is started would find it and deliver it as it is.
fn is_in_sight(ask: &Ask<'_>, found: &Found) -> bool {
    const HIDDEN: [&str; 4] = ["unindexed", "misfiled", "missing-part", "unlisted"];
    let whole = found.mess.is_some()
        && found.pieces.state() == State::Preprocessed
        && found.pieces.channels().next().is_some();
    ask.instance.live.is_none() && whole && !HIDDEN.iter().any(|rule| ask.says(rule))
}

fn in_sight() -> Refusal {
    Refusal::new(
        "qmail-send finds it when it is started, and delivers it as it is",
        "start qmail-send; if this is a copy, say `--offline`",
    )
}

/// qmail-send reads `info`, `local` and `remote` as their owner, `todo` through its group, and those who deliver read `mess`
/// through theirs (`qmail-send.c`, `open_excl`; `qmail-queue.c`: mode 0644; observed on notqmail 1.09: 0600 and 0644).
fn owners(queue: &Queue, ask: &Ask<'_>, found: &Found) -> Result<Vec<Change>, Refusal> {
    let unknown = || {
        Refusal::new(
            "it is not known as whom qmail-send runs",
            "give the files to that user by hand: see `qmail-showctl`",
        )
    };
    let (uid, gid) = queue.owner.ids().ok_or_else(unknown)?;
    let (_, queuer) = ask.root.stat(Path::new("mess")).map_err(|_| unknown())?;
    let mut changes = Vec::new();
    let mut give = |piece: &Piece, uid: u32, mode: u32| {
        changes.push(Change::Owner { path: piece.place(), uid, gid: Some(gid) });
        changes.push(Change::Mode { path: piece.place(), mode });
    };
    let refused =
        |piece: &Piece, marks: bool| queue.owner.refusal(&piece.place(), &piece.stat, marks).is_some();
    if let Some(mess) = &found.mess
        && queue.owner.refusal_to_deliver(&mess.place(), &mess.stat).is_some()
    {
        give(mess, queuer.uid, 0o644);
    }
    if let Some(todo) = &found.pieces.todo
        && refused(todo, false)
    {
        give(todo, queuer.uid, 0o644);
    }
    for list in found.pieces.channels().filter(|list| refused(list, true)) {
        give(list, uid, 0o600);
    }
    if let Some(info) = &found.pieces.info
        && refused(info, false)
    {
        give(info, uid, 0o600);
    }
    if changes.is_empty() {
        return Err(Refusal::new("owner and mode are right by now", "scan again"));
    }
    Ok(changes)
}

/// The time of the lists is the next attempt (`pqadd`), that of `info` the birth of the message (`getinfo`).
fn times(ask: &Ask<'_>, found: &Found) -> (Vec<Change>, Vec<String>) {
    let lists = found.pieces.channels().filter(|list| list.stat.modified > ask.now);
    let mut changes: Vec<Change> =
        lists.map(|list| Change::Modified { path: list.place(), at: ask.now }).collect();
    if ask.says("expired")
        && let Some(info) = &found.pieces.info
    {
        changes.push(Change::Modified { path: info.place(), at: ask.now });
    }
    (changes, vec!["it is tried when qmail-send starts; it does not run now".to_owned()])
}

/// A file whose name is no number, in `mess`: its envelope is under no name at all.
fn foreign(queue: &Queue, ask: &Ask<'_>, piece: &Piece) -> Result<Proposal, Refusal> {
    let path = piece.place();
    if !path.bytes().starts_with(b"mess/") {
        return Err(Refusal::new(
            "its name is no number, so that it belongs to no message",
            "read it, and look into the log what became of the message",
        ));
    }
    let own_name = path.bytes().rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    if let Some(number) = name::stem(own_name) {
        let part = part_of(&piece.path);
        let taken = Piece::find(ask.root, &queue.layout, "mess", number, part)
            .or_else(|| Piece::search(ask.root, &queue.layout, "mess", number));
        if let Some(other) = taken {
            return Err(Refusal::new(
                format!(
                    "`{}` has the number in its name: this is probably a copy of it",
                    other.path.display()
                ),
                "compare the two before you move this one out of the queue",
            ));
        }
    }
    let outgoing = verbatim::named_by_hand(None, ask.given);
    verbatim::complete(&outgoing)?;
    if ask.verb == Verb::Requeue {
        write(ask.root, ask.message, Extent::Whole, &mut std::io::sink())?;
    }
    let way = Way::HandOver { parts: vec![path], outgoing };
    let warnings = vec!["whether it was delivered under its number, only the log says".to_owned()];
    Ok(Proposal { way, lock: stopped(ask.root), warnings })
}

fn hand_over(queue: &Queue, ask: &Ask<'_>, found: &Found) -> Result<Proposal, Refusal> {
    let state = found.pieces.state();
    if state == State::Envelope {
        return Err(never_accepted());
    }
    let empty = found.mess.as_ref().is_some_and(|mess| mess.stat.size == 0);
    if ask.verb == Verb::Requeue && (found.mess.is_none() || empty) {
        let what = if empty { "its content has no bytes" } else { "its content is gone" };
        return Err(Refusal::new(what, "return it with `ghostq ndr`, or look for its content in a backup"));
    }
    let outgoing = whole::outgoing(ask.root, &found.pieces, queue.domains.as_ref(), ask.verb, ask.given)?;
    if outgoing.recipients.is_empty() && outgoing.delivered.is_empty() {
        return Err(whole::unnamed());
    }
    verbatim::complete(&outgoing)?;
    if ask.verb == Verb::Requeue {
        write(ask.root, ask.message, Extent::Whole, &mut std::io::sink())?;
    }
    let mut warnings = Vec::new();
    if state == State::Content {
        warnings.push(
            "qmail-queue may have died before it accepted it: then its client has probably sent it again, and its end may be \
             missing"
                .to_owned(),
        );
    }
    if state == State::Preprocessed && found.pieces.channels().next().is_none() {
        warnings.push(
            "qmail-send may have served its last recipient just before it stopped: see the log".to_owned(),
        );
    }
    if ask.verb == Verb::Requeue && found.pieces.bounce.is_some() {
        warnings
            .push("its sender was not yet told of the recipients in `bounce`, and will not be".to_owned());
    }
    if outgoing.sender != ask.message.envelope.sender && ask.message.envelope.sender.is_some() {
        return Err(Refusal::new("its envelope changed since it was scanned", "scan again"));
    }
    let way = Way::HandOver { parts: found.parts(), outgoing };
    Ok(Proposal { way, lock: stopped(ask.root), warnings })
}
