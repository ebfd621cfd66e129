//! What can be done about a message of nullmailer: nearly always to put it where nullmailer-send finds it.
//!
//! There are no locks: nullmailer-send opens a file by its name, sends it, and removes that name (`src/send.cc`, `send_one`,
//! `send_all`). Nobody can tell from outside whether a file of `queue` is under way, so that none which it can see is ever
//! taken away while it runs. What it cannot see is put right with renames, each of which happens at once or not at all.

use super::content;
use crate::evidence::{Stat, Text};
use crate::plan::{Change, Outgoing, Proposal, Refusal, Submission, Verb, Way};
use crate::read::disk::{EntryKind, Root};
use crate::sources::verbatim;
use crate::sources::{Ask, Extent, Remedies};
use std::path::Path;

/// The mode with which nullmailer-queue makes files (`src/queue.cc`, `deliver`).
const MODE: u32 = 0o600;
/// Names that are tried before it is given up to find a free one.
const NAMES: u32 = 100;
/// What nullmailer-send waits at.
const TRIGGER: &str = "trigger";

/// The remedies of a spool whose folders belong to this user.
pub fn remedies(owner: Option<u32>, submission: Option<Submission>) -> Remedies {
    Remedies {
        propose: Box::new(move |ask| propose(owner, ask)),
        content: Box::new(content::write),
        submission,
    }
}

fn propose(owner: Option<u32>, ask: &Ask<'_>) -> Result<Proposal, Refusal> {
    verbatim::really_offline(ask.instance, ask.given)?;
    hopeless(ask)?;
    let path = ask.message.place.path.to_path();
    let stat = alone(ask.root, &path)?;
    match ask.verb {
        Verb::Ndr => {
            returnable(owner, ask, &stat)?;
            hand_over(ask, &path)
        }
        Verb::Requeue if ask.given.offline => hand_over(ask, &path),
        Verb::Requeue => repair(owner, ask, &path, &stat),
    }
}

/// What no remedy helps.
fn hopeless(ask: &Ask<'_>) -> Result<(), Refusal> {
    if ask.says("listed-not-on-disk") {
        return Err(Refusal::new("there is no file of it", "list again: it was most likely sent meanwhile"));
    }
    if ask.says("duplicate-message") {
        return Err(Refusal::new(
            "there is another copy of it, and both would be sent",
            "look which one is queued, and move the other out of the spool",
        ));
    }
    if ask.message.queue == "tmp" {
        return Err(Refusal::new(
            "it was never queued: the program that handed it in was not told that it was accepted, and has probably tried \
             again",
            "save it with `cp -a` before a new process with the number in its name writes over it, and ask its sender",
        ));
    }
    if ask.says("empty-file") || ask.message.size == Some(0) {
        return Err(Refusal::new(
            "it has no bytes: nullmailer-send takes such a file for sent, and deletes it at its next run",
            "write down its name and times before that: they lead to the message in the logs of the program that sent it",
        ));
    }
    Ok(())
}

/// The file, if it has one name only.
fn alone(root: &Root, path: &Path) -> Result<Stat, Refusal> {
    let (kind, stat) = root.stat(path).map_err(|error| verbatim::unreadable(&root.refused(path, &error)))?;
    if kind != EntryKind::Regular {
        return Err(verbatim::unreadable(&crate::read::disk::not_regular(path, kind)));
    }
    if stat.links > 1 {
        return Err(Refusal::new(
            format!("the file has {} names: under another one it may be on its way", stat.links),
            "find the others with `find SPOOL -samefile FILE`, and remove those that are left over",
        ));
    }
    Ok(stat)
}

/// Whether a message may be taken away and returned.
fn returnable(owner: Option<u32>, ask: &Ask<'_>, stat: &Stat) -> Result<(), Refusal> {
    let null = ask.message.envelope.sender.as_ref().is_some_and(Text::is_empty);
    if ask.message.queue == "failed" && !null {
        return Err(Refusal::new(
            "nullmailer itself returns to its sender what it sets aside (since 2.0)",
            "requeue it if it is to be tried again, or move it out of the spool",
        ));
    }
    // It never looks into `failed` again (`src/send.cc`, `load_messages`).
    let hidden = ask.message.queue == "failed"
        || is_hidden(&ask.message.place.path)
        || owner.is_some_and(|owner| is_closed(stat, owner));
    match ask.instance.live.filter(|_| !hidden) {
        Some(live) => Err(Refusal::new(
            format!("nullmailer-send (process {}) can see it, and may be sending it right now", live.pid),
            "stop nullmailer-send first",
        )),
        None => Ok(()),
    }
}

/// `send.cc`, `load_messages`: a name with a dot before it is passed over.
fn is_hidden(path: &Text) -> bool {
    name(path).starts_with(b".")
}

fn name(path: &Text) -> &[u8] {
    path.bytes().rsplit(|byte| *byte == b'/').next().unwrap_or_default()
}

/// Whether the owner of the spool certainly cannot read it: the groups of that user are not known.
fn is_closed(stat: &Stat, owner: u32) -> bool {
    stat.uid != owner && stat.mode & 0o044 == 0
}

fn hand_over(ask: &Ask<'_>, path: &Path) -> Result<Proposal, Refusal> {
    let whole = content::envelope(ask.root, path)?;
    let outgoing = Outgoing {
        sender: Some(whole.sender),
        recipients: whole.recipients.into_iter().map(verbatim::recipient).collect(),
        ..Outgoing::default()
    };
    verbatim::complete(&outgoing)?;
    if ask.verb == Verb::Requeue {
        content::write(ask.root, ask.message, Extent::Whole, &mut std::io::sink())?;
    }
    let way = Way::HandOver { parts: vec![ask.message.place.path.clone()], outgoing };
    Ok(Proposal { way, lock: None, warnings: set_aside(ask).into_iter().collect() })
}

/// What the sender was told of a message in `failed` (`send.cc`, `bounce_msg`).
fn set_aside(ask: &Ask<'_>) -> Option<String> {
    let told = ask.message.envelope.sender.as_ref().is_some_and(|sender| !sender.is_empty());
    (ask.message.queue == "failed" && told)
        .then(|| "nullmailer tells the sender of what it sets aside that it failed".to_owned())
}

/// Puts it right where it lies. The content is looked at as well: what is cut off would be sent as it is.
fn repair(owner: Option<u32>, ask: &Ask<'_>, path: &Path, stat: &Stat) -> Result<Proposal, Refusal> {
    content::write(ask.root, ask.message, Extent::Whole, &mut std::io::sink())?;
    let place = ask.message.place.path.clone();
    let mut changes = Vec::new();
    if ask.says("wrong-owner-or-mode") || owner.is_some_and(|owner| stat.uid != owner) {
        let Some(uid) = owner else {
            return Err(Refusal::new(
                "it is not known as whom nullmailer runs: `queue` belongs to root",
                "give `queue` and the file to that user by hand",
            ));
        };
        let gid = ask.root.stat(Path::new("queue")).ok().map(|(_, stat)| stat.gid);
        changes.push(Change::Owner { path: place.clone(), uid, gid });
        changes.push(Change::Mode { path: place.clone(), mode: MODE });
    }
    // The lifetime counts from the time of the file (`send_all`); what is too old would be set aside at its next failure.
    if ask.message.queue == "failed" || ask.says("expired") || ask.says("future-time") {
        changes.push(Change::Modified { path: place.clone(), at: ask.now });
    }
    if ask.message.queue == "failed" || is_hidden(&place) {
        changes.push(Change::Rename { from: place.clone(), to: free_name(ask, path)? });
    }
    let mut warnings: Vec<String> = set_aside(ask).into_iter().collect();
    if matches!(ask.root.stat(Path::new(TRIGGER)), Ok((EntryKind::Special, _))) {
        changes.push(Change::Wake { path: Text::from(TRIGGER) });
    } else {
        warnings.push("there is no FIFO `trigger`: nullmailer-send does not start without it".to_owned());
    }
    if ask.instance.live.is_none() {
        warnings.push(
            "no nullmailer-send is seen to work in this spool: it is sent when one starts; if this is a copy, say \
             `--offline`"
                .to_owned(),
        );
    }
    if changes.is_empty() {
        return Err(Refusal::new(
            "nullmailer can see it, and there is nobody to wake",
            "make the FIFO with `mkfifo`, give it to the user of nullmailer, and start nullmailer-send",
        ));
    }
    Ok(Proposal { way: Way::Repair { changes, then: Vec::new() }, lock: None, warnings })
}

/// A name in `queue` that nothing has, and that nothing has in `failed` either: nullmailer-send would replace it there
/// (`send.cc`, `bounce_msg`: `rename`). Any name without a dot before it is sent.
fn free_name(ask: &Ask<'_>, path: &Path) -> Result<Text, Refusal> {
    let place = Text::from_path(path);
    let plain = name(&place).iter().position(|byte| *byte != b'.');
    let stem = plain
        .and_then(|at| name(&place).get(at..))
        .map_or_else(|| format!("{}.0", ask.now.seconds).into_bytes(), <[u8]>::to_vec);
    for number in 0..NAMES {
        let suffix = if number == 0 { String::new() } else { format!(".{number}") };
        let of = |folder: &str| Text::new([folder.as_bytes(), &stem, suffix.as_bytes()].concat());
        let (queued, failed) = (of("queue/"), of("failed/"));
        let taken = |text: &Text| *text != place && ask.root.exists(&text.to_path());
        if !taken(&queued) && !taken(&failed) {
            return Ok(queued);
        }
    }
    Err(Refusal::new("no free name was found for it in `queue`", "look at the names in `queue` and `failed`"))
}
