//! What is to be done about a message of Exim: what Exim does itself, what is put right where it lies, what is handed over,
//! and what is left alone.
//!
//! Source: Exim specification, `The Exim command line` (`-M`, `-Mg`, `-MG`, `-qG`); `spool_out.c`
//! (`spool_move_message`: it takes the message along, and not its journal); what is done when was observed on 4.96.

use super::content::{self, Named, Whole};
use super::message::{Entry, Spool};
use super::message_id;
use super::name::Half;
use super::spot::Content;
use crate::evidence::{Damage, Sign, Signed, Text};
use crate::plan::{
    Change, Command, Lock, Outgoing, OutgoingRecipient, Proposal, Refusal, Submission, Verb, Way,
};
use crate::read::disk::EntryKind;
use crate::sources::{Ask, Remedies, refusals};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How Exim makes its files (`SPOOL_MODE`).
const MODE: u32 = 0o640;

/// Proposes what to do in one spool.
pub struct Planner {
    /// How its files are read.
    pub spool: Arc<Spool>,
    /// The program of its Exim, if that is the one of this machine.
    pub program: Option<PathBuf>,
}

/// What can be done about the messages of a spool.
pub fn remedies(spool: Arc<Spool>, program: Option<PathBuf>) -> Remedies {
    // A line with a single dot does not end the message (`-i`), and Exim adds none of From, Date and Message-ID to it (`-G`,
    // specification, `control = suppress_local_fixups`; observed on 4.96). `-R` and `-N` mean other things to Exim than to sendmail.
    let submission = program.as_ref().and_then(|program| program.to_str()).map(|program| Submission {
        program: program.to_owned(),
        arguments: vec!["-i".into(), "-G".into()],
        null_sender: Some("<>".into()),
        envelope_on_top: false,
        dsn: false,
    });
    let reader = Arc::clone(&spool);
    let planner = Planner { spool, program };
    Remedies {
        propose: Box::new(move |ask| planner.propose(ask)),
        content: Box::new(move |root, message, extent, out| {
            content::write(&reader, root, message, extent, out)
        }),
        submission,
    }
}

/// A message as it is now.
struct Found<'a> {
    ask: &'a Ask<'a>,
    named: &'a Named,
    whole: Whole,
    signs: Vec<Signed>,
}

impl<'a> Found<'a> {
    fn entry(&self) -> Entry<'a> {
        self.named.entry(self.ask.root)
    }

    fn has(&self, wanted: impl Fn(&Sign) -> bool) -> bool {
        self.signs.iter().any(|signed| wanted(&signed.sign))
    }

    /// Whether its name or folder is one that Exim knows.
    fn is_well_named(&self) -> bool {
        let name = self.named.spot.name.as_slice();
        name == [self.named.id.as_slice(), b"-H"].concat() && self.named.spot.is_listed()
    }

    fn is_in_finput(&self) -> bool {
        self.named.spot.content == Content::Frozen
    }

    /// Whether Exim does not see it, or sees it and does not find or read its files.
    fn is_hidden(&self) -> bool {
        !self.is_well_named()
            || self.is_in_finput()
            || self.has(|sign| matches!(sign, Sign::ForeignName | Sign::Misfiled { .. } | Sign::OwnerOrMode))
    }

    fn is_damaged(&self) -> bool {
        self.has(|sign| matches!(sign, Sign::Corrupt { .. }))
    }

    fn body_trouble(&self) -> Option<Refusal> {
        self.whole.body(&self.entry(), &mut io::sink()).err()
    }

    fn body(&self) -> Option<&Path> {
        self.whole.body.as_ref().map(|(path, _)| path.as_path())
    }

    /// Exim locks the body of a message that it works on (`spool_in.c`, `spool_open_datafile`).
    fn lock(&self) -> Option<Lock> {
        self.body().map(|path| Lock::Fcntl { path: Text::from_path(path) })
    }

    /// Its files in the order in which they go, so that Exim passes over what a crash leaves: without its envelope file it
    /// looks at none of the others. The log stays.
    fn parts(&self) -> Vec<Text> {
        let journals = self.whole.journals.iter().map(PathBuf::as_path);
        let parts = std::iter::once(self.named.path.as_path()).chain(journals).chain(self.body());
        parts.map(Text::from_path).collect()
    }
}

impl Planner {
    /// Proposes what to do about a message.
    ///
    /// # Errors
    /// Why nothing is to be done, and what the operator can do.
    pub fn propose(&self, ask: &Ask<'_>) -> Result<Proposal, Refusal> {
        refusals::said(ask)?;
        if content::is_plain(ask.message) {
            return plain(ask);
        }
        let Some(named) = Named::envelope_of(ask.message, self.spool.bare) else {
            return Err(without_envelope(ask));
        };
        let refused = |damage: Damage| Refusal::new(damage.what, damage.hint);
        let entry = named.entry(ask.root);
        let whole = Whole::read(&self.spool, entry).map_err(refused)?;
        let message = self.spool.read_message(entry, true).map_err(refused)?;
        let found = Found { ask, named: &named, whole, signs: message.signs };
        left_alone(&found)?;
        let here = self.program.is_some() || ask.instance.live.is_some() || ask.instance.at_home;
        if !ask.given.offline && !here {
            return Err(Refusal::new(
                "this spool belongs to no Exim that is known to be the one of this machine",
                "act where that Exim runs, or add `--offline` if this is a copy or a mounted disk",
            ));
        }
        match ask.verb {
            Verb::Requeue => self.requeue(&found),
            Verb::Ndr => self.ndr(&found),
        }
    }

    fn requeue(&self, found: &Found<'_>) -> Result<Proposal, Refusal> {
        if found.ask.given.offline || found.is_damaged() {
            return hand_over(found);
        }
        if found.is_hidden() {
            // An ID that this Exim does not read gets another one only by being handed in.
            let unread = self.spool.generation.refusal(found.ask.root, &found.named.made).is_some();
            return if unread { hand_over(found) } else { self.repair(found) };
        }
        if let Some(trouble) = found.body_trouble() {
            return Err(trouble);
        }
        if found.ask.says("unlisted") { hand_over(found) } else { self.native(found) }
    }

    /// What Exim does about a message that it sees.
    fn native(&self, found: &Found<'_>) -> Result<Proposal, Refusal> {
        let mut warnings = Vec::new();
        if found.ask.says("expired") {
            let text = "it is old: if this attempt fails and the retry rules say so, Exim returns it";
            warnings.push(text.to_owned());
        }
        let queue = self.queue(found)?;
        if queue.is_some() && !found.whole.journals.is_empty() {
            let text = "it stays in its named queue, since moving it would leave its journal behind: whoever cannot be \
                        reached now waits until that queue is run again";
            warnings.push(text.to_owned());
        }
        let commands = self.deliver(found, queue.as_deref())?;
        Ok(Proposal { way: Way::Native { commands }, lock: None, warnings })
    }

    /// The named queue in which it lies, if its name can be given to a command. A slash would begin a time there.
    fn queue(&self, found: &Found<'_>) -> Result<Option<String>, Refusal> {
        let queue = match &self.spool.within {
            Some(queue) => queue.clone(),
            None => found.named.spot.queue.to_string_lossy().into_owned(),
        };
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
        if queue.is_empty() {
            Ok(None)
        } else if queue.bytes().all(plain) {
            Ok(Some(queue))
        } else {
            let text = format!("the name of its queue, `{queue}`, is not given to a command");
            Err(Refusal::new(text, "run that queue by hand: `exim -qGQUEUE`"))
        }
    }

    /// Has it delivered now. Nobody may be there to run a named queue: unless it has a journal it goes to the default one.
    ///
    /// `-M` thaws what is frozen, and ends in success whether there is a message left or not. `-Mt` fails on what is thawed
    /// already, and so would fail when it is run again after a crash (observed on 4.96).
    fn deliver(&self, found: &Found<'_>, queue: Option<&str>) -> Result<Vec<Command>, Refusal> {
        let id = strict(found)?;
        let frozen = found.whole.header.options.frozen.is_some();
        let (what, undo) = if frozen {
            ("thaws it and has it delivered now", format!("exim -Mf {id}"))
        } else {
            ("has it delivered now", String::new())
        };
        let Some(queue) = queue else { return Ok(vec![self.command(&["-M", id], what, &undo)?]) };
        let within = format!("-qG{queue}");
        if !found.whole.journals.is_empty() {
            return Ok(vec![self.command(&[&within, "-M", id], what, &undo)?]);
        }
        let back = format!("exim -MG {queue} {id}");
        let moved = self.command(&[&within, "-MG", "", id], "moves it to the default queue", &back)?;
        Ok(vec![moved, self.command(&["-M", id], what, &undo)?])
    }

    fn ndr(&self, found: &Found<'_>) -> Result<Proposal, Refusal> {
        if let Some(trouble) = found.whole.envelope_trouble() {
            return Err(trouble);
        }
        refusals::may_be_returned(&found.whole.asked()?)?;
        let readable = found.whole.header_trouble().is_none() && found.body_trouble().is_none();
        let visible = !found.is_damaged() && !found.is_hidden() && !found.ask.says("unlisted");
        if found.ask.given.offline || self.program.is_none() || !visible || !readable {
            return hand_over(found);
        }
        let (id, queue) = (strict(found)?, self.queue(found)?);
        let within = queue.map(|queue| format!("-qG{queue}"));
        let within: Vec<&str> = within.as_deref().into_iter().collect();
        let what = "gives it up, so that its sender is told";
        let commands = vec![self.command(&[&within[..], &["-Mg", id]].concat(), what, "")?];
        Ok(Proposal { way: Way::Native { commands }, lock: None, warnings: Vec::new() })
    }

    /// Puts a whole message right where it lies: its journal first, or who has the message gets it again, and the envelope
    /// file last, since that is what Exim looks for.
    fn repair(&self, found: &Found<'_>) -> Result<Proposal, Refusal> {
        let trouble = found.whole.header_trouble().or_else(|| found.body_trouble());
        if let Some(trouble) = trouble {
            return Err(trouble);
        }
        let (mut changes, mut warnings) = (Vec::new(), Vec::new());
        self.owners(found, &mut changes)?;
        if !found.is_well_named()
            || found.is_in_finput()
            || found.has(|sign| matches!(sign, Sign::Misfiled { .. }))
        {
            renames(found, &mut changes)?;
        }
        if !found.whole.logged && !self.spool.bare {
            let text = "it has no log, as if it were a copy: the original may have been delivered, which the main log says";
            warnings.push(text.to_owned());
        }
        let queue = self.queue(found)?;
        let then = match self.program {
            Some(_) => self.deliver(found, queue.as_deref())?,
            None => Vec::new(),
        };
        Ok(Proposal { way: Way::Repair { changes, then }, lock: found.lock(), warnings })
    }

    fn owners(&self, found: &Found<'_>, changes: &mut Vec<Change>) -> Result<(), Refusal> {
        let journals = found.whole.journals.iter().map(PathBuf::as_path);
        for path in journals.chain(found.body()).chain([found.named.path.as_path()]) {
            let Ok((EntryKind::Regular, stat)) = found.ask.root.stat(path) else { continue };
            if self.spool.owner.refusal(&stat).is_none() {
                continue;
            }
            let Some((uid, gid)) = self.spool.owner.ids else {
                let hint = "give it the owner of its folder by hand: `chown --reference`";
                return Err(Refusal::new("whose the files of this spool are to be is not known", hint));
            };
            let path = Text::from_path(path);
            if (stat.uid, stat.gid) != (uid, gid) {
                changes.push(Change::Owner { path: path.clone(), uid, gid: Some(gid) });
            }
            if stat.mode & MODE != MODE {
                changes.push(Change::Mode { path, mode: MODE });
            }
        }
        Ok(())
    }

    fn command(&self, arguments: &[&str], what: &str, undo: &str) -> Result<Command, Refusal> {
        let program = self.program.as_ref().filter(|program| program.is_absolute());
        let Some(program) = program.and_then(|program| program.to_str()) else {
            return Err(Refusal::new(
                "the program of its Exim was not found on this machine",
                "use `exim -M` or `exim -Mg` where it runs",
            ));
        };
        let arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        let (program, what, undo) = (program.to_owned(), what.to_owned(), undo.to_owned());
        Ok(Command { program, arguments, what, expect: None, undo })
    }
}

/// What ghostq keeps its hands off.
fn left_alone(found: &Found<'_>) -> Result<(), Refusal> {
    let refuse = |reason: &str, hint: &str| Err(Refusal::new(reason, hint));
    if found.whole.stat.size == 0 {
        return refuse(
            "its envelope file has no bytes: who it is from, to whom it goes and its header are lost",
            "look into the main log, and read what is left of it with `exim -Mvb`",
        );
    }
    if found.named.in_making && !found.whole.logged {
        return refuse(
            "its reception was never finished: the client was not told that it was accepted and sends it again, so that it \
             would arrive twice",
            "look for its Message-ID in the main log; `ghostq requeue --via export:DIR` saves a copy",
        );
    }
    if let Some(other) = other_envelope(found) {
        let reason = format!(
            "there is another envelope file of this ID, `{}`: they may be the same message",
            other.display()
        );
        return Err(Refusal::new(reason, "compare both, and move one of them out of the spool"));
    }
    let body = found.whole.body.as_ref().map(|(_, stat)| stat.links);
    if found.whole.stat.links > 1 || body.is_some_and(|links| links > 1) {
        return refuse(
            "one of its files has more than one name: what is done under one is not done under the other, and both may be sent",
            "find the others with `find -samefile` and decide which is to stay",
        );
    }
    if found.whole.header.options.pretended {
        return refuse(
            "it was handed in with `-N`: Exim only pretends to deliver it, and then drops it",
            "export it and decide by hand: `ghostq requeue --via export:DIR`",
        );
    }
    Ok(())
}

/// An envelope file of the same ID where Exim sees it, to which the body may belong as well.
fn other_envelope(found: &Found<'_>) -> Option<PathBuf> {
    let (named, root) = (found.named, found.ask.root);
    let name = Text::new([named.id.as_slice(), b"-H"].concat()).to_path();
    let letter = message_id::letter(&named.id).map(String::from).unwrap_or_default();
    let inputs = [named.spot.input.clone(), named.spot.queue.join("input"), named.spot.queue.join("Finput")];
    let places = inputs.into_iter().flat_map(|input| [input.join(&name), input.join(&letter).join(&name)]);
    places.into_iter().find(|path| *path != named.path && root.exists(path))
}

/// Its files under the names and in the folder in which Exim looks for them, whether the spool is split or not.
fn renames(found: &Found<'_>, changes: &mut Vec<Change>) -> Result<(), Refusal> {
    let (named, spot) = (found.named, &found.named.spot);
    let name = |half: Half| [named.id.as_slice(), half.ending()].concat();
    let [journal, extra @ ..] = found.whole.journals.as_slice() else {
        return rename_all(found, &[], changes, name);
    };
    if !extra.is_empty() {
        return Err(Refusal::new(
            format!(
                "it has several journals in `{}`, and each names others who have it",
                spot.folder.display()
            ),
            "put them together by hand, line by line, before the message goes to where Exim sees it",
        ));
    }
    rename_all(found, &[(journal.as_path(), Half::Journal)], changes, name)
}

fn rename_all(
    found: &Found<'_>,
    journals: &[(&Path, Half)],
    changes: &mut Vec<Change>,
    name: impl Fn(Half) -> Vec<u8>,
) -> Result<(), Refusal> {
    let (named, root) = (found.named, found.ask.root);
    let input = if found.is_in_finput() { named.spot.queue.join("input") } else { named.spot.input.clone() };
    let own = found.body().map(|path| (path, Half::Data));
    let files: Vec<_> =
        journals.iter().copied().chain(own).chain([(named.path.as_path(), Half::Header)]).collect();
    let letter = message_id::letter(&named.id).map(String::from).unwrap_or_default();
    for half in [Half::Journal, Half::Data, Half::Header] {
        let name = Text::new(name(half)).to_path();
        let taken = [input.join(&name), input.join(&letter).join(&name)]
            .into_iter()
            .find(|path| root.exists(path) && !files.iter().any(|(file, _)| file == path));
        if let Some(taken) = taken {
            return Err(Refusal::new(
                format!(
                    "there is another file of this ID, `{}`: they may be the same message",
                    taken.display()
                ),
                "compare both, and move one of them out of the spool",
            ));
        }
    }
    for (from, half) in files {
        let to = input.join(Text::new(name(half)).to_path());
        if from != to {
            changes.push(Change::Rename { from: Text::from_path(from), to: Text::from_path(&to) });
        }
    }
    Ok(())
}

/// Takes its files out of the reach of Exim.
fn hand_over(found: &Found<'_>) -> Result<Proposal, Refusal> {
    if let Some(trouble) = found.whole.header_trouble() {
        return Err(trouble);
    }
    let body = found.body_trouble();
    if let (Verb::Requeue, Some(trouble)) = (found.ask.verb, &body) {
        return Err(trouble.clone());
    }
    let outgoing = found.whole.outgoing(found.ask.given)?;
    if found.ask.verb == Verb::Ndr {
        refusals::may_be_returned(&outgoing)?;
    }
    let warnings = hand_over_warnings(found, body.is_some(), &outgoing);
    let way = Way::HandOver { parts: found.parts(), outgoing };
    Ok(Proposal { way, lock: found.lock(), warnings })
}

/// What the operator has to know before a message is handed over.
fn hand_over_warnings(found: &Found<'_>, without_body: bool, outgoing: &Outgoing) -> Vec<String> {
    let mut warnings = Vec::new();
    let mut warn = |text: &str| warnings.push(text.to_owned());
    if without_body {
        warn("its body is lost or damaged: the report can return its header only");
    }
    if found.whole.header.options.wire_format {
        warn(
            "whether its body was cut off cannot be told: Exim counts no lines of a body that came in with CHUNKING",
        );
    }
    let field = |name: &[u8]| {
        let lines = found.whole.header.header.split(|byte| *byte == b'\n');
        lines
            .into_iter()
            .any(|line| line.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name)))
    };
    if !field(b"from:") || !field(b"date:") {
        warn(
            "its header lacks From or Date: it may have been cut off between two fields, which nothing else would show",
        );
    }
    if found.is_damaged() {
        warn(
            "it is damaged, if not where sender, recipients and message stand: compare them with the main log",
        );
    }
    let wishes = |to: &OutgoingRecipient| to.notify.parameter().is_some() || to.orcpt.is_some();
    if found.ask.verb == Verb::Requeue
        && (outgoing.recipients.iter().any(wishes) || outgoing.ret.is_some() || outgoing.envid.is_some())
    {
        warn(
            "its sender said which reports he wants (RFC 3461), which the command of Exim cannot be told; `--via \
             smtp://localhost` keeps it if `dsn_advertise_hosts` allows it",
        );
    }
    if !found.is_well_named() && !found.whole.logged {
        warn(
            "it has no log, as if it were a copy: the original may have been delivered, which the main log says",
        );
    }
    warnings
}

/// A file of another name with a whole message in it: the operator says to whom it goes.
fn plain(ask: &Ask<'_>) -> Result<Proposal, Refusal> {
    let outgoing = Outgoing::default().with(ask.given, true);
    if outgoing.sender.is_none() || outgoing.recipients.is_empty() {
        return Err(Refusal::new(
            "it is a message without an envelope: it is not known from whom it is and to whom it goes",
            "say so with `--mail-from` and `--to`, if nobody has it yet",
        ));
    }
    if ask.verb == Verb::Ndr {
        refusals::may_be_returned(&outgoing)?;
    }
    let stat = ask.message.stat().filter(|stat| stat.links == 1);
    if stat.is_none() {
        return Err(Refusal::new("the file has more than one name", "find the others with `find -samefile`"));
    }
    let warning =
        "it was never Exim's, as far as can be told: whether anybody has it already only the logs say";
    let way = Way::HandOver { parts: vec![ask.message.place.path.clone()], outgoing };
    Ok(Proposal { way, lock: None, warnings: vec![warning.into()] })
}

/// What is left of a message without its envelope file.
fn without_envelope(ask: &Ask<'_>) -> Refusal {
    let log = ask.message.parts.iter().any(|part| part.kind == crate::evidence::PartKind::Side);
    let reason = if log {
        "its envelope file is lost, and with it the header: what is left is a body, which is no message even if it is known \
         to whom it was to go"
    } else {
        "its envelope file is lost, and with it the header; it has no log, so that the client was perhaps never told that it \
         was accepted, and has sent it again"
    };
    let hint = "write the body into a folder with `ghostq requeue --via export:DIR`, and look into the main log whose it was";
    Refusal::new(reason, hint)
}

/// The ID for a command, if it is one beyond doubt.
fn strict<'a>(found: &'a Found<'_>) -> Result<&'a str, Refusal> {
    let id =
        std::str::from_utf8(&found.named.id).ok().filter(|id| message_id::decode(id.as_bytes()).is_some());
    id.ok_or_else(|| Refusal::new("its name is no message ID, and is not given to a command", ""))
}
