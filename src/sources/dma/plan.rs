//! What can be done about a message of dma.
//!
//! Each recipient has a Q file and a name of its own for the content: `linkspool` (`spool.c`) links the content once for every
//! Q file, so that taking away the pair of one recipient leaves the others theirs. The Q file goes first: an M file without one
//! is never looked at (`load_queue`), a Q file without its M file is complained of at every run. dma locks the Q file while it
//! works at a message (`acquirespool`, `flock`), and gives up if the file is gone by then.

use super::content;
use super::place::{Name, judge};
use crate::evidence::{Stat, Text};
use crate::plan::{Change, Command, Lock, Outgoing, Proposal, Refusal, Submission, Verb, Way};
use crate::read::disk::EntryKind;
use crate::sources::verbatim::{self, NAME_THEM};
use crate::sources::{Ask, Extent, Remedies};
use std::path::{Path, PathBuf};

/// The mode of both files (`spool.c`, `newspoolf`, `writequeuef`: `fchmod(…, 0660)`; Debian keeps it).
const MODE: u32 = 0o660;

/// What a run does besides (`dma.c`, `run_queue`, `deliver`; `spool.c`, `load_queue`).
const WHOLE_SPOOL: &str = "it tries the whole spool: what is too old and fails is returned, an empty M file is sent empty, and a Q \
                           file whose last line has no end goes to a wrong address";

/// What is known of a spool.
pub struct Spool {
    /// The group with whose rights dma works.
    pub group: Option<u32>,
    /// dma, if this is the spool that it reads.
    pub program: Option<PathBuf>,
}

/// The remedies of a spool.
pub fn remedies(spool: Spool) -> Remedies {
    let submission = spool.program.as_deref().map(submission);
    Remedies {
        propose: Box::new(move |ask| propose(&spool, ask)),
        content: Box::new(content::write),
        submission,
    }
}

/// How mail is handed in. dma drops `Bcc`, and adds `Date`, `Message-ID` and `From` where they are missing (`mail.c`, `readmail`): it has
/// done so with its own mail already, which it takes byte for byte (observed on 0.13). No version of dma can be told the null sender: an empty one becomes the name of the user, and `<>`
/// the local part of an address (`dma.c`, `set_from`; 0.13 makes `@HOST` and `<>@HOST` of them).
fn submission(program: &Path) -> Submission {
    Submission {
        program: program.display().to_string(),
        arguments: vec!["-i".to_owned()],
        null_sender: None,
        envelope_on_top: false,
        dsn: false,
    }
}

fn propose(spool: &Spool, ask: &Ask<'_>) -> Result<Proposal, Refusal> {
    verbatim::really_offline(ask.instance, ask.given)?;
    let place = &ask.message.place.path;
    let name = judge(place.bytes());
    if name == Name::Temporary {
        return Err(temporary(ask));
    }
    if ask.says("listed-not-on-disk") || ask.says("duplicate-message") {
        return Err(Refusal::new(
            "what is on disk of it is not all that the listing or another place shows",
            "list again with `dma -bp`, and look into the log whether it was delivered",
        ));
    }
    match name {
        Name::Envelope(_) => {}
        Name::Content(id) => {
            if ask.root.exists(&Text::new([b"Q", id].concat()).to_path()) {
                return Err(Refusal::new("it has its Q file by now", "scan again"));
            }
            return hand_over(ask, None);
        }
        Name::Temporary | Name::Flush | Name::Foreign => {
            return Err(Refusal::new(
                "it has a name that dma passes over, and its other half is not known",
                "read it: it may be a message that was renamed by hand",
            ));
        }
    }
    let path = place.to_path();
    let body = body(ask)?;
    match (ask.verb, &body) {
        (Verb::Ndr, _) => hand_over(ask, Some(&path)),
        (Verb::Requeue, None) => Err(Refusal::new(
            "its content is gone",
            "return it with `ghostq ndr`, or look for the content under the name of another recipient: the number before the \
             dot in the ID is its inode; but inodes are used again",
        )),
        (Verb::Requeue, Some(stat)) if stat.size == 0 => Err(Refusal::new(
            "its content has no bytes: dma would send an empty message and delete both files",
            "return it with `ghostq ndr` before the next `dma -q`",
        )),
        (Verb::Requeue, Some(_)) if ask.given.offline => hand_over(ask, Some(&path)),
        (Verb::Requeue, Some(stat)) => visible(spool, ask, &path, stat),
    }
}

fn temporary(ask: &Ask<'_>) -> Refusal {
    if ask.says("duplicate-message") {
        return Refusal::new(
            "it is a second name of a message that is queued under others",
            "remove this name once one of the others is seen to begin with M and to have its Q file",
        );
    }
    Refusal::new(
        "it was never queued: the program that handed it in was not told that it was accepted, and its recipients were only in \
         the process",
        "save it with `cp -a`, look whether its end is there, and ask its sender",
    )
}

/// The M file as it is now.
fn body(ask: &Ask<'_>) -> Result<Option<Stat>, Refusal> {
    let Some(path) = content::place(ask.message) else { return Ok(None) };
    match ask.root.stat(&path) {
        Ok((EntryKind::Regular, stat)) => Ok(Some(stat)),
        Ok((kind, _)) => Err(verbatim::unreadable(&crate::read::disk::not_regular(&path, kind))),
        Err(error) => Err(verbatim::unreadable(&ask.root.refused(&path, &error))),
    }
}

/// A pair in a spool in which dma works.
///
/// Observed on 0.13: a pair of root with mode 0600 is listed and sent once both files have the group and 0660.
fn visible(spool: &Spool, ask: &Ask<'_>, path: &Path, body: &Stat) -> Result<Proposal, Refusal> {
    let reading = content::envelope(ask.root, path)?;
    if reading.fault.is_some() {
        return hand_over(ask, Some(path));
    }
    content::write(ask.root, ask.message, Extent::Whole, &mut std::io::sink())?;
    let envelope =
        ask.root.stat(path).map_err(|error| verbatim::unreadable(&ask.root.refused(path, &error)))?.1;
    let mut changes = Vec::new();
    if ask.says("wrong-owner-or-mode") {
        let Some(group) = spool.group else {
            return Err(Refusal::new(
                "it is not known with the rights of which group dma works: the spool folder belongs to that of root",
                "give the folder and both files to that group by hand",
            ));
        };
        let content = content::place(ask.message).map(|path| (Text::from_path(&path), body));
        for (path, stat) in content.into_iter().chain([(Text::from_path(path), &envelope)]) {
            // The content is that of other recipients as well, and may be as it should be.
            if stat.gid != group {
                changes.push(Change::Owner { path: path.clone(), uid: stat.uid, gid: Some(group) });
            }
            if stat.gid != group || stat.mode & 0o7777 != MODE {
                changes.push(Change::Mode { path, mode: MODE });
            }
        }
    }
    // The lifetime counts from the time of the Q file (`dma.c`, `deliver`).
    if ask.says("expired") || ask.says("future-time") {
        changes.push(Change::Modified { path: Text::from_path(path), at: ask.now });
    }
    let hidden = ask.says("unlisted") || ask.listed == Some(false);
    if changes.is_empty() && hidden {
        return hand_over(ask, Some(path));
    }
    if !changes.is_empty() {
        // No run follows: it would try everything else in the spool as well, also what is to be put right after this one.
        let later = if spool.program.is_some() {
            format!(
                "dma sends it at its next run (`dma -q`, which cron starts every few minutes); {WHOLE_SPOOL}"
            )
        } else {
            "dma of this host reads another spool: run `dma -q` where this one is read".to_owned()
        };
        let lock = Some(Lock::Flock { path: Text::from_path(path) });
        return Ok(Proposal { way: Way::Repair { changes, then: Vec::new() }, lock, warnings: vec![later] });
    }
    let run = run(spool.program.as_deref().ok_or_else(elsewhere)?);
    let way = Way::Native { commands: vec![run] };
    Ok(Proposal { way, lock: None, warnings: vec![format!("`dma -q`: {WHOLE_SPOOL}")] })
}

fn elsewhere() -> Refusal {
    Refusal::new(
        "dma of this host reads another spool, and would not try it",
        "run `dma -q` where this spool is read, or say `--offline` if none reads it",
    )
}

/// One run over the spool (dma(8), `-q`).
fn run(program: &Path) -> Command {
    Command {
        program: program.display().to_string(),
        arguments: vec!["-q".to_owned()],
        what: "tries everything in the spool once".to_owned(),
        expect: None,
        undo: String::new(),
    }
}

/// `envelope`: its Q file, if there is one.
fn hand_over(ask: &Ask<'_>, envelope: Option<&Path>) -> Result<Proposal, Refusal> {
    let mut warnings = Vec::new();
    let outgoing = match envelope {
        Some(path) => outgoing(ask, path, &mut warnings)?,
        None => verbatim::named_by_hand(None, ask.given),
    };
    verbatim::complete(&outgoing)?;
    if ask.verb == Verb::Requeue {
        content::write(ask.root, ask.message, Extent::Whole, &mut std::io::sink())?;
    }
    if envelope.is_none() {
        if ask.message.stat().is_some_and(|stat| stat.links > 1) {
            warnings.push("the same content is still queued for other recipients".to_owned());
        }
        warnings.push("whether it was delivered before its Q file was lost, only the log says".to_owned());
    }
    let content = content::place(ask.message).map(|path| Text::from_path(&path));
    let parts = envelope.map(Text::from_path).into_iter().chain(content).collect();
    let lock = envelope.map(|path| Lock::Flock { path: Text::from_path(path) });
    Ok(Proposal { way: Way::HandOver { parts, outgoing }, lock, warnings })
}

/// The envelope in a Q file. Of a damaged one that dma passes over nothing is used, and the operator has to name both sides.
/// One that dma takes although its end is missing names an address that may lack its end as well.
fn outgoing(ask: &Ask<'_>, path: &Path, warnings: &mut Vec<String>) -> Result<Outgoing, Refusal> {
    let reading = content::envelope(ask.root, path)?;
    let Some(fault) = reading.fault else {
        return Ok(Outgoing {
            sender: reading.sender,
            recipients: reading.recipient.into_iter().map(verbatim::recipient).collect(),
            ..Outgoing::default()
        });
    };
    if ask.given.recipients.is_empty() || ask.given.sender.is_none() {
        return Err(Refusal::new(format!("its envelope is damaged: {}", fault.text), NAME_THEM));
    }
    warnings.push(format!("its envelope is damaged ({}): what you named is used in its place", fault.text));
    Ok(verbatim::named_by_hand(None, ask.given))
}
