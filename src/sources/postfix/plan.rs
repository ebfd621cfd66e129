//! What is to be done about a message of Postfix: what Postfix does itself, what is put right where it lies, what is handed
//! over, and what is left alone.
//!
//! Source: postsuper(1), postqueue(1), sendmail(1) of Postfix 3.7; what each remedy does was observed on 3.7.11.

use super::content::{self, Whole};
use super::layout::{self, SCANNED};
use super::live::Tools;
use super::message::{Entry, Spool};
use super::name::{self, Name};
use super::queue_id;
use super::settings::Settings;
use crate::evidence::{Confidence, Message, Sign, Signed, Stat, Text};
use crate::plan::{Change, Command, Lock, Outgoing, Proposal, Refusal, Submission, Verb, Way};
use crate::read::disk::Root;
use crate::sources::{Ask, Remedies, refusals};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// `postsuper` is looked into so far for what it can do.
const MAX_PROGRAM_BYTES: usize = 8 << 20;
/// What the usage of `postsuper` says since Postfix 3.5 and nothing before that says.
const EXPIRES: &[u8] = b"-f queue_id";
/// Settings by which Postfix sends a copy of every new message to somebody.
const COPIES: [&str; 3] = ["always_bcc", "sender_bcc_maps", "recipient_bcc_maps"];
/// Bits of a file that the queue manager opens, and of one that pickup opens (`global/mail_queue.h`).
const READY: u32 = 0o700;
const READY_IN_MAILDROP: u32 = 0o744;

/// Proposes what to do in one spool.
pub struct Planner {
    /// How its files are read.
    pub spool: Arc<Spool>,
    /// The commands of its Postfix, if that is the one of this machine.
    pub tools: Option<Tools>,
    /// Which of the settings that make copies are set.
    pub copies: Vec<&'static str>,
    /// Whether its `postsuper` can return a message; looked up when it is first asked.
    pub expires: OnceLock<bool>,
}

/// What can be done about the messages of a spool.
pub fn remedies(spool: Arc<Spool>, tools: Option<Tools>, settings: &Settings) -> Remedies {
    let submission = tools.as_ref().and_then(submission);
    let set = |name: &&str| {
        let value = settings.config.as_ref().and_then(|config| config.main_cf.value(name));
        value.is_some_and(|value| !value.is_empty())
    };
    let copies = COPIES.into_iter().filter(set).collect();
    let planner = Planner { spool, tools, copies, expires: OnceLock::new() };
    Remedies {
        propose: Box::new(move |ask| planner.propose(ask)),
        content: Box::new(content::write),
        submission,
    }
}

/// `-i`: a line with a single dot does not end the message. `-G`: it was submitted before, so that Postfix neither completes
/// its addresses nor adds header fields that it lacks, which would break its signatures (sendmail(1), "Gateway (relay)
/// submission").
fn submission(tools: &Tools) -> Option<Submission> {
    Some(Submission {
        program: tools.sendmail.as_ref()?.to_str()?.to_owned(),
        arguments: tools.arguments("-C", &["-i", "-G"]),
        null_sender: Some("<>".into()),
        envelope_on_top: false,
        dsn: true,
    })
}

/// A message as it is now.
struct Found<'a> {
    ask: &'a Ask<'a>,
    path: PathBuf,
    place: Text,
    queue: &'a str,
    name: Name,
    /// Its queue ID, or the one that it had.
    id: Option<String>,
    stat: Stat,
    signs: Vec<Signed>,
    message: Message,
    whole: Whole,
}

impl Found<'_> {
    fn sign(&self, wanted: impl Fn(&Sign) -> bool) -> Option<&Signed> {
        self.signs.iter().find(|signed| wanted(&signed.sign))
    }

    fn has(&self, wanted: impl Fn(&Sign) -> bool) -> bool {
        self.sign(wanted).is_some()
    }

    fn is_foreign(&self) -> bool {
        matches!(self.name, Name::Foreign | Name::HalfRenamed)
    }

    /// Whether its owner, mode, name or place hide it from Postfix.
    fn is_hidden(&self) -> bool {
        self.is_foreign()
            || self.has(|sign| matches!(sign, Sign::OwnerOrMode | Sign::BlocksQueue | Sign::Misfiled { .. }))
    }

    /// Whether Postfix would refuse what is in it. Of a recipient count that is wrong it only warns.
    fn is_damaged(&self) -> bool {
        let certain = |signed: &Signed| signed.confidence == Confidence::Certain;
        self.sign(|sign| matches!(sign, Sign::Corrupt { .. })).is_some_and(certain)
    }

    /// Whether a record of it is damaged for certain: what was set aside as damaged may be whole.
    fn has_damaged_records(&self) -> bool {
        self.whole.reading.faults.iter().any(|fault| fault.confidence == Confidence::Certain)
    }

    fn outgoing(&self) -> Result<Outgoing, Refusal> {
        self.whole.outgoing(self.ask.given, &self.message.envelope.recipients)
    }

    /// Whether the mail system of the spool, and not a copy of it, lies here.
    fn is_here(&self) -> bool {
        !self.ask.given.offline && (self.ask.instance.live.is_some() || self.ask.instance.at_home)
    }

    fn runs(&self) -> bool {
        !self.ask.given.offline && self.ask.instance.live.is_some()
    }
}

impl Planner {
    /// Proposes what to do about a message.
    ///
    /// # Errors
    /// Why nothing is to be done, and what the operator can do.
    pub fn propose(&self, ask: &Ask<'_>) -> Result<Proposal, Refusal> {
        refusals::said(ask)?;
        let found = self.look(ask)?;
        self.left_alone(&found)?;
        if !ask.given.offline && !found.is_here() {
            return Err(Refusal::new(
                "this spool belongs to no Postfix that is known to be the one of this machine",
                "act where that Postfix runs, or add `--offline` if this is a copy or a mounted disk",
            ));
        }
        match ask.verb {
            Verb::Requeue => self.requeue(&found),
            Verb::Ndr => self.ndr(&found),
        }
    }

    /// The message as it is now: whatever is proposed rests on this and not on what a scan kept.
    fn look<'a>(&self, ask: &'a Ask<'a>) -> Result<Found<'a>, Refusal> {
        let path = ask.message.place.path.to_path();
        let bytes = path.file_name().map(|name| Text::from_path(Path::new(name))).unwrap_or_default();
        let queue = ask.message.queue.as_str();
        let entry = Entry { root: ask.root, path: &path, queue, name: bytes.bytes() };
        let refused = |damage: crate::evidence::Damage| Refusal::new(damage.what, damage.hint);
        let file = ask.root.open_file(&path).map_err(refused)?;
        let failed = |error: std::io::Error| refused(ask.root.refused(&path, &error));
        let whole = Whole::read(&file, queue).map_err(failed)?;
        let mut message = self.spool.read_message(entry, true).map_err(refused)?;
        let name = name::judge(bytes.bytes());
        let id = message.ids.native.as_ref().and_then(Text::as_str).map(str::to_owned);
        let signs = std::mem::take(&mut message.signs);
        let place = Text::from_path(&path);
        Ok(Found { ask, path, place, queue, name, id, stat: file.stat, signs, message, whole })
    }

    /// What ghostq keeps its hands off.
    fn left_alone(&self, found: &Found<'_>) -> Result<(), Refusal> {
        let refuse = |reason: &str, hint: &str| Err(Refusal::new(reason, hint));
        if found.name == Name::OneLetter {
            return refuse(
                "it has a name of one letter, which Postfix takes for a folder: no plan can give it a queue ID",
                "move it out of the spool by hand (`mv -n`), and deliver the rest first",
            );
        }
        if found.has(|sign| matches!(sign, Sign::EmptyFile)) {
            return refuse(
                "there is no mail in it: the file has no bytes",
                "look into the mail log whose it was to be",
            );
        }
        if found.has(|sign| matches!(sign, Sign::Unfinished)) {
            return refuse(
                "its reception was never finished: the client was not told that it was accepted and sends it again, so that \
                 it would arrive twice",
                "look for its Message-ID in the mail log; `ghostq requeue --via export:DIR` saves a copy before Postfix \
                 deletes it",
            );
        }
        if found.stat.links > 1 || found.has(|sign| matches!(sign, Sign::SecondCopy)) {
            return refuse(
                "the file has more than one name: what is done under one is not done under the other, and both may be sent",
                "find the others with `find -samefile` and decide which is to stay",
            );
        }
        // The queue manager moves a file to `active` before it opens it, and dies then on one that it may not open.
        let blocker = found.has(|sign| matches!(sign, Sign::BlocksQueue));
        if found.queue == "active" && !found.ask.given.offline && !blocker {
            return if found.runs() {
                refuse(
                    "the queue manager is delivering it now, as far as can be told",
                    "wait; if it stays there, `postfix reload` puts it back into `incoming`",
                )
            } else {
                refuse("Postfix was stopped while it delivered it", "start Postfix: it goes on with it then")
            };
        }
        match self.others(found).first() {
            Some(other) => refuse(
                &format!(
                    "there is another file of this queue ID, `{}`: they may be the same message",
                    other.display()
                ),
                "compare both with `postcat`, and move one of them out of the spool",
            ),
            None => Ok(()),
        }
    }

    /// Files of the same queue ID in the queues that Postfix delivers from.
    fn others(&self, found: &Found<'_>) -> Vec<PathBuf> {
        let Some(id) = &found.id else { return Vec::new() };
        let places = SCANNED.into_iter().flat_map(|queue| {
            [self.spool.layout.path(queue, id.as_bytes()), layout::path_at_depth(queue, id.as_bytes(), 0)]
        });
        let mut others: Vec<_> =
            places.filter(|path| *path != found.path && found.ask.root.exists(path)).collect();
        others.dedup();
        others
    }

    fn requeue(&self, found: &Found<'_>) -> Result<Proposal, Refusal> {
        if found.ask.given.offline || found.is_damaged() || matches!(found.queue, "corrupt" | "saved") {
            return self.hand_over(found);
        }
        if found.is_hidden() {
            return self.repair(found);
        }
        if found.queue == "maildrop" || found.ask.says("unlisted") {
            return self.hand_over(found);
        }
        let only_renamed = found.ask.rules.iter().all(|rule| *rule == "name-inode-mismatch");
        if only_renamed && found.has(|sign| matches!(sign, Sign::NameInode { .. })) && found.queue != "hold" {
            return Err(Refusal::new(
                "Postfix delivers it as it is: only its name does not fit its inode",
                "run `postsuper -s` while Postfix is stopped, before new mail takes the same name",
            ));
        }
        self.native(found)
    }

    fn ndr(&self, found: &Found<'_>) -> Result<Proposal, Refusal> {
        let outgoing = found.outgoing()?;
        refusals::may_be_returned(&outgoing)?;
        let visible = !found.is_damaged() && !found.is_hidden() && !found.ask.says("unlisted");
        let queued = matches!(found.queue, "hold" | "incoming" | "deferred");
        match self.tools.as_ref().filter(|_| visible && queued && found.runs()) {
            Some(tools) if self.can_expire(tools) => {
                let id = strict(found)?;
                let what = "has it returned to its sender at its next attempt";
                let arguments = tools.arguments("-c", &["-f", id, found.queue]);
                let commands = vec![command(tools, "postsuper", arguments, what, "")?, try_now(tools, id)?];
                let warning =
                    "Postfix tries it once more before it returns it: whoever can be reached then gets it";
                Ok(Proposal { way: Way::Native { commands }, lock: None, warnings: vec![warning.into()] })
            }
            _ => self.hand_over(found),
        }
    }

    /// What Postfix does about a message that it sees.
    fn native(&self, found: &Found<'_>) -> Result<Proposal, Refusal> {
        let id = strict(found)?;
        let none = || {
            Refusal::new(
                "the commands of its Postfix were not found on this machine",
                "use `postsuper -H` or `postqueue -i` where it runs",
            )
        };
        let mut warnings = Vec::new();
        if found.ask.says("expired") {
            warnings
                .push("it is older than its lifetime: if this attempt fails, Postfix returns it".to_owned());
        }
        if !found.runs() && found.queue != "hold" {
            if !found.ask.says("future-time") {
                return Err(Refusal::new(
                    "Postfix does not run, and tries it by itself when it does",
                    "start Postfix",
                ));
            }
            let changes = vec![Change::Modified { path: found.place.clone(), at: found.ask.now }];
            let way = Way::Repair { changes, then: Vec::new() };
            return Ok(Proposal { way, lock: Some(lock(found)), warnings });
        }
        let tools = self.tools.as_ref().ok_or_else(none)?;
        let commands =
            if found.queue == "hold" { release(found, tools, id)? } else { vec![try_now(tools, id)?] };
        Ok(Proposal { way: Way::Native { commands }, lock: None, warnings })
    }

    fn can_expire(&self, tools: &Tools) -> bool {
        *self.expires.get_or_init(|| {
            let bytes = Root::open(&tools.folder)
                .ok()
                .and_then(|root| root.open_file(Path::new("postsuper")).ok()?.all(MAX_PROGRAM_BYTES).ok());
            bytes.is_some_and(|bytes| memchr::memmem::find(&bytes, EXPIRES).is_some())
        })
    }

    /// Puts a whole message right where it lies.
    fn repair(&self, found: &Found<'_>) -> Result<Proposal, Refusal> {
        if let Some(trouble) = found.whole.content_trouble().or_else(|| found.whole.envelope_trouble()) {
            return Err(trouble);
        }
        let target = if found.is_foreign() {
            match self.named_again(found) {
                Some(target) => target,
                None => return self.hand_over(found),
            }
        } else {
            filed(found)?
        };
        let mut changes = Vec::new();
        self.owner_and_mode(found, &mut changes)?;
        if target != found.path {
            if found.ask.root.exists(&target) {
                let reason = format!("its place `{}` is taken", target.display());
                return Err(Refusal::new(
                    reason,
                    "compare both files with `postcat` and decide which is to stay",
                ));
            }
            self.folders(found, &target, &mut changes);
            changes.push(Change::Rename { from: found.place.clone(), to: Text::from_path(&target) });
        }
        let then = match (&self.tools, strict_id(found)) {
            (Some(tools), Some(id)) if found.queue == "hold" => release(found, tools, id)?,
            (Some(tools), Some(id)) if found.queue != "maildrop" && found.runs() => {
                vec![try_now(tools, id)?]
            }
            _ => Vec::new(),
        };
        let mut warnings = Vec::new();
        if found.queue == "hold" && then.is_empty() {
            warnings.push("it stays on hold: release it with `postsuper -H`".to_owned());
        }
        Ok(Proposal { way: Way::Repair { changes, then }, lock: Some(lock(found)), warnings })
    }

    /// The name that a renamed file had, if that is certain: the inode in it is still its own.
    fn named_again(&self, found: &Found<'_>) -> Option<PathBuf> {
        let id = found.id.as_ref()?;
        let fits = queue_id::decode(id.as_bytes()).is_some_and(|id| id.inode == found.stat.inode);
        let queue = if found.queue == "active" { "deferred" } else { found.queue };
        fits.then(|| self.spool.layout.path(queue, id.as_bytes()))
    }

    fn owner_and_mode(&self, found: &Found<'_>, changes: &mut Vec<Change>) -> Result<(), Refusal> {
        let path = || found.place.clone();
        let wrong = found.has(|sign| matches!(sign, Sign::OwnerOrMode | Sign::BlocksQueue));
        if found.queue == "maildrop" {
            // The file belongs to whoever handed it in, and pickup reads it as anybody may.
            if found.stat.mode & READY_IN_MAILDROP != READY_IN_MAILDROP {
                changes.push(Change::Mode { path: path(), mode: READY_IN_MAILDROP });
            }
            return Ok(());
        }
        match self.spool.owner.uid {
            Some(uid) if uid != found.stat.uid => {
                changes.push(Change::Owner { path: path(), uid, gid: None });
            }
            None if wrong => {
                return Err(Refusal::new(
                    "whose the files of this spool are to be is not known",
                    "give it to the user of Postfix by hand: `chown postfix`, `chmod 700`",
                ));
            }
            _ => {}
        }
        // Ready is the last thing that it becomes.
        if found.stat.mode & READY != READY {
            changes.push(Change::Mode { path: path(), mode: READY });
        }
        Ok(())
    }

    /// Folders of the hashed queue that are not there yet, made like the queue itself.
    fn folders(&self, found: &Found<'_>, target: &Path, changes: &mut Vec<Change>) {
        let like = found.ask.root.stat(Path::new(found.queue)).map_or(found.stat, |(_, stat)| stat);
        let uid = self.spool.owner.uid.unwrap_or(like.uid);
        let mut above: Vec<&Path> =
            target.ancestors().skip(1).filter(|path| !path.as_os_str().is_empty()).collect();
        above.reverse();
        let missing = above.into_iter().filter(|path| !found.ask.root.exists(path));
        changes.extend(missing.map(|path| Change::Folder {
            path: Text::from_path(path),
            uid,
            gid: like.gid,
            mode: READY,
        }));
    }

    /// Takes the file out of the reach of Postfix. Its defer log stays: it is a record, and nothing is sent because of it.
    fn hand_over(&self, found: &Found<'_>) -> Result<Proposal, Refusal> {
        let trouble = match found.ask.verb {
            Verb::Requeue => found.whole.content_trouble(),
            Verb::Ndr => found.whole.header_trouble(),
        };
        if let Some(trouble) = trouble {
            return Err(trouble);
        }
        let outgoing = found.outgoing()?;
        if found.ask.verb == Verb::Ndr {
            refusals::may_be_returned(&outgoing)?;
        }
        let warnings = self.warnings(found);
        let way = Way::HandOver { parts: vec![found.place.clone()], outgoing };
        Ok(Proposal { way, lock: Some(lock(found)), warnings })
    }

    fn warnings(&self, found: &Found<'_>) -> Vec<String> {
        let mut warnings = Vec::new();
        let mut warn = |text: &str| warnings.push(text.to_owned());
        if found.queue == "maildrop" {
            warn(
                "it was handed in and pickup did not take it: what is handed in through the same `sendmail` command ends in \
                  the same maildrop; see to it that Postfix and its pickup service run, and it goes by itself",
            );
        }
        if found.has_damaged_records() {
            warn(
                "the file is damaged: what can be read is complete, but compare sender and recipients with the mail log",
            );
        } else if found.queue == "corrupt" {
            warn("Postfix set it aside as damaged, and no damage was found in it: the mail log says why");
        }
        if found.is_foreign() && self.named_again(found).is_none() {
            warn(
                "it does not have the inode of its name, so that it is a copy: the original may have been delivered, which \
                  the mail log says",
            );
        }
        if found.whole.envelope_trouble().is_some() {
            warn("its own envelope is lost: it goes to those that you named, whoever has it already");
        }
        if found.ask.verb == Verb::Requeue && !self.copies.is_empty() {
            let text = "are set: whoever gets copies of new mail by them gets another one of this";
            warn(&format!("{} {text}", self.copies.join(" and ")));
        }
        warnings
    }
}

/// The queue ID for a command, if it is one beyond doubt.
fn strict_id<'a>(found: &'a Found<'_>) -> Option<&'a str> {
    let id = found.id.as_deref()?;
    queue_id::decode(id.as_bytes()).map(|_| id)
}

fn strict<'a>(found: &'a Found<'_>) -> Result<&'a str, Refusal> {
    let reason = "its name is no queue ID, and is not given to a command";
    strict_id(found)
        .ok_or_else(|| Refusal::new(reason, "`postsuper -s` gives it one, while Postfix is stopped"))
}

fn lock(found: &Found<'_>) -> Lock {
    Lock::Flock { path: found.place.clone() }
}

fn command(
    tools: &Tools,
    name: &str,
    arguments: Vec<String>,
    what: &str,
    undo: &str,
) -> Result<Command, Refusal> {
    let program = tools.path(name);
    let program = program.to_str().filter(|_| program.is_absolute() && program.exists());
    let program = program.ok_or_else(|| Refusal::new(format!("`{name}` of Postfix was not found"), ""))?;
    Ok(Command {
        program: program.to_owned(),
        arguments,
        what: what.to_owned(),
        expect: None,
        undo: undo.to_owned(),
    })
}

fn release(found: &Found<'_>, tools: &Tools, id: &str) -> Result<Vec<Command>, Refusal> {
    // The queue is named, so that a newer message of the same ID in another one is not meant.
    let arguments = tools.arguments("-c", &["-H", id, "hold"]);
    let undo = format!("postsuper -h {id}");
    let mut commands = vec![command(tools, "postsuper", arguments, "releases it from hold", &undo)?];
    if found.runs() {
        commands.push(try_now(tools, id)?);
    }
    Ok(commands)
}

fn try_now(tools: &Tools, id: &str) -> Result<Command, Refusal> {
    command(tools, "postqueue", tools.arguments("-c", &["-i", id]), "has it tried now", "")
}

/// Where it belongs by its name.
fn filed(found: &Found<'_>) -> Result<PathBuf, Refusal> {
    let misfiled = |signed: &&Signed| matches!(signed.sign, Sign::Misfiled { .. });
    let Some(signed) = found.signs.iter().find(misfiled) else { return Ok(found.path.clone()) };
    let Sign::Misfiled { expected } = &signed.sign else { return Ok(found.path.clone()) };
    if signed.confidence == Confidence::Possible {
        return Err(Refusal::new(
            "how deep its queue is hashed is not known, so that its place may be the right one",
            "give the configuration with `--config`, or run `postsuper -s`, which knows it",
        ));
    }
    Ok(expected.to_path())
}
