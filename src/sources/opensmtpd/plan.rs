//! What is proposed for a message of OpenSMTPD.
//!
//! smtpd knows its mail from memory and has no lock on a file, so that nothing is taken away that it may hold: only what it
//! cannot see, or all of a spool on which no smtpd runs. Source: OpenSMTPD `smtpctl.c` and smtpctl(8) (commands), `queue.c`
//! and `scheduler.c` (what they do), `enqueue.c` (sendmail(1)); commands observed on 6.8.0p2.

use super::content::{self, is_offline};
use super::folder::CONTENT;
use super::outgoing::{self, Waiting};
use super::reader::Reader;
use super::recoded;
use super::repair::Files;
use super::{id, live};
use crate::evidence::{PartKind, Text};
use crate::plan::{Change, Command, Outgoing, Proposal, Refusal, Submission, Verb, Way};
use crate::read::disk::Root;
use crate::read::mime;
use crate::sources::{Ask, Remedies, handing};
use std::path::{Path, PathBuf};

/// Where smtpd keeps it.
const IN_MEMORY: &str = "smtpd may hold it in memory, and delivers from there";
/// How to take it out of there.
const STOP: &str = "stop smtpd, and give `--offline`; save what lies in `incoming` and `temporary` first, which its start deletes";
/// What stands against acting on a message of these rules, whatever else is the case.
const REFUSED: &[(&str, &str, &str)] = &[
    (
        "listed-not-on-disk",
        "smtpd lists it from memory, and there is nothing on disk to act on",
        "write down what `smtpctl show envelope ID` says before a restart, and look in a backup for its folder",
    ),
    (
        "unfinished",
        "it was not finished: the client was not told that it was accepted, and probably sent it again",
        "copy `incoming`, `temporary` and `offline` out of the spool before smtpd is started, which deletes what is unfinished",
    ),
    (
        "empty-file",
        "a file of it has no bytes, as when the disk was full: who or what it was for is lost",
        "copy its folder out of the spool, and look in the log for sender and recipients",
    ),
    (
        "corrupt",
        "an envelope of it is damaged, and smtpd passes over it",
        "copy its folder out of the spool, read the envelope, and look in the log for its recipient",
    ),
    (
        "foreign-name",
        "its name is none of smtpd's, and whether its recipients have it is not known",
        "look in the log; an envelope gets its name back by hand, and is then discovered",
    ),
    (
        "duplicate-message",
        "it is there more than once, and the two may not have the same recipients left",
        "compare their envelopes, and pause one of them until then",
    ),
    ("orphan-side-file", "it is no message", "look at it by hand"),
];

/// What is known of the smtpd whose spool this is.
#[derive(Debug, Clone)]
pub struct Host {
    /// smtpctl, if it speaks to the smtpd that runs on this spool.
    pub smtpctl: Option<String>,
    /// Whether smtpd runs on this spool.
    pub runs: bool,
    /// Whom it is when it reads its queue.
    pub reader: Reader,
    /// Its sendmail(1).
    pub sendmail: Option<String>,
}

impl Host {
    /// Looks for it.
    pub fn of(root: &Root, runs: bool, reader: &Reader) -> Self {
        let smtpctl = if runs { live::program(root) } else { None };
        let sendmail = smtpctl.as_deref().and_then(live::sendmail);
        let shown = |path: PathBuf| path.display().to_string();
        Self { smtpctl: smtpctl.map(shown), runs, reader: reader.clone(), sendmail: sendmail.map(shown) }
    }

    /// What can be done about the messages of this spool.
    pub fn remedies(self) -> Remedies {
        let submission = self.submission();
        let propose = Box::new(move |ask: &Ask<'_>| propose(&self, ask));
        Remedies { propose, content: Box::new(content::write), submission }
    }

    /// `-G` is none of its options (`enqueue.c`, `getopt`); `-i` is, and is what it does anyway. The null sender is an empty
    /// argument: of `<>` it cuts off the end before it writes its arguments into `offline` (`build_from`), where smtpd may
    /// go down meanwhile, and smtpd then never takes that file. It knows `-N`, `-R` and `-V`, but smtpd refuses a message
    /// with any of them unless `smtpd.conf` says otherwise (503, `Unsupported option RET=HDRS`; observed on 6.8.0p2). There
    /// is none while smtpd is down: it would keep the mail in `offline` and exit with 75, as if it had not.
    fn submission(&self) -> Option<Submission> {
        Some(Submission {
            program: self.sendmail.clone()?,
            arguments: vec!["-i".to_owned()],
            null_sender: Some(String::new()),
            envelope_on_top: false,
            dsn: false,
        })
    }
}

fn command(program: &str, words: &[&str], id: &str, what: &str) -> Command {
    let arguments = words.iter().copied().chain([id]).map(str::to_owned).collect();
    let (program, what) = (program.to_owned(), what.to_owned());
    Command { program, arguments, what, expect: None, undo: String::new() }
}

/// By the message ID. By the IDs of its envelopes only the first would be taken in, although each is said to be discovered:
/// then the scheduler knows the message, and it asks for no more than that (`scheduler.c`, `scheduler_ramqueue.c`,
/// `scheduler_ram_query`; observed on 6.8.0p2). What it knows already it leaves as it is, and says the same.
fn discover(program: &str, message: &str, envelopes: usize) -> Command {
    let plural = if envelopes == 1 { "" } else { "s" };
    let expect = Some(format!("{envelopes} envelope{plural} discovered"));
    Command { expect, ..command(program, &["discover"], message, "has smtpd take it in, and try it at once") }
}

/// Of a message that it does not know, smtpd schedules no envelope, and smtpctl exits with 0 all the same.
fn schedule(program: &str, message: &str, envelopes: usize) -> Command {
    let plural = if envelopes == 1 { "" } else { "s" };
    let expect = Some(format!("{envelopes} envelope{plural} scheduled"));
    Command { expect, ..command(program, &["schedule"], message, "tries it now") }
}

fn propose(host: &Host, ask: &Ask<'_>) -> Result<Proposal, Refusal> {
    let refused = ask.rules.iter().find_map(|rule| REFUSED.iter().find(|(name, ..)| name == rule));
    if let Some((_, reason, hint)) = refused {
        return Err(Refusal::new(*reason, *hint));
    }
    if host.runs && ask.given.offline {
        return Err(Refusal::new("smtpd runs on this spool", "leave `--offline` out, or stop smtpd first"));
    }
    if is_offline(ask.message) {
        return handed_in(host, ask);
    }
    if ask.message.queue != "queue" {
        return Err(Refusal::new("it is not in the queue", "copy it out of the spool"));
    }
    let subject = Subject::of(host, ask)?;
    match ask.verb {
        _ if ask.says("body-without-envelope") => subject.body_alone(),
        Verb::Requeue if ask.says("envelope-without-body") => Err(Refusal::new(
            "its content is missing",
            "look in a backup for its folder; `smtpctl pause envelope ID` keeps it from being returned meanwhile",
        )),
        _ if ask.given.offline && !host.runs => subject.hand_over(),
        Verb::Ndr => subject.give_back(),
        Verb::Requeue => subject.requeue(),
    }
}

/// What was handed to sendmail(1) while smtpd was down: smtpd looks for it when it starts and at no other time.
fn handed_in(host: &Host, ask: &Ask<'_>) -> Result<Proposal, Refusal> {
    if !host.runs && !ask.given.offline {
        return Err(Refusal::new(
            "smtpd does not run, and takes it as soon as it is started",
            "start smtpd; or give `--offline` if this spool belongs to no smtpd any more",
        ));
    }
    let path = handing::part(ask.message, PartKind::Content);
    let path = path.ok_or_else(|| Refusal::new("there is no file of it", ""))?;
    handing::with_links(ask.root, &path, 1)?;
    let outgoing = outgoing::of_arguments(ask.root, &path)?.with(ask.given, false);
    if outgoing.sender.is_none() {
        return Err(Refusal::new(
            "it was handed in without a sender, which smtpd makes from the user to whom the file belongs",
            "give the sender with `--mail-from`",
        ));
    }
    let warning =
        "the program that handed it in was told that it failed (exit code 75), and may have sent it again";
    let parts = vec![Text::from_path(&path)];
    Ok(Proposal { way: Way::HandOver { parts, outgoing }, lock: None, warnings: vec![warning.to_owned()] })
}

/// A message in `queue`.
struct Subject<'a> {
    host: &'a Host,
    ask: &'a Ask<'a>,
    message: String,
    folder: PathBuf,
    envelopes: Vec<PathBuf>,
}

impl<'a> Subject<'a> {
    fn of(host: &'a Host, ask: &'a Ask<'a>) -> Result<Self, Refusal> {
        let native = ask.message.ids.native.as_ref().and_then(|native| id::message(native.bytes()));
        let message = native.map(str::to_owned).ok_or_else(|| {
            Refusal::new("it has no message ID", "copy it out of the spool, and look at it by hand")
        })?;
        let path = ask.message.parts.first().map(|part| part.locus.path.to_path());
        let folder = path.as_deref().and_then(Path::parent).map(Path::to_owned);
        let folder = folder.ok_or_else(|| Refusal::new("there is no file of it", ""))?;
        // In any other folder the content may be that of another message.
        if id::message(id::last(&folder).bytes()) != Some(message.as_str()) {
            return Err(Refusal::new(
                "it does not lie in a folder that is named by its message ID, so that the content there may be another's",
                "compare it with the log, and move it by hand to where smtpd looks for it",
            ));
        }
        let envelopes = outgoing::envelopes(ask.root, &folder, &message)?;
        Ok(Self { host, ask, message, folder, envelopes })
    }

    fn smtpctl(&self) -> Result<&str, Refusal> {
        let program = self.host.smtpctl.as_deref().filter(|_| !self.ask.given.offline);
        program.ok_or_else(|| {
            let reason = if self.host.runs {
                "the smtpd that runs on this spool is not that of this system"
            } else {
                "no smtpd runs on this spool"
            };
            Refusal::new(reason, "start it; or stop it and give `--offline` if this spool is to be emptied")
        })
    }

    fn requeue(self) -> Result<Proposal, Refusal> {
        let program = self.smtpctl()?.to_owned();
        if ["wrong-owner-or-mode", "misfiled"].iter().any(|rule| self.ask.says(rule)) {
            return self.repair(&program);
        }
        let unknown = self.ask.listed == Some(false);
        let command = if self.ask.says("held") {
            let what = "resumes it: smtpd tries it when its time comes";
            let undo = format!("{program} pause envelope {}", self.message);
            Command { undo, ..command(&program, &["resume", "envelope"], &self.message, what) }
        } else if unknown || self.ask.says("unindexed") {
            outgoing::of_envelopes(self.ask.root, self.envelopes.clone(), self.ask.verb)?;
            discover(&program, &self.message, self.envelopes.len())
        } else {
            schedule(&program, &self.message, self.envelopes.len())
        };
        Ok(native(vec![command]))
    }

    fn repair(self, program: &str) -> Result<Proposal, Refusal> {
        // Nothing is given to smtpd that it would refuse, or that would go out without its content.
        outgoing::of_envelopes(self.ask.root, self.envelopes.clone(), self.ask.verb)?;
        let root = self.ask.root;
        let (reader, folder, envelopes) =
            (&self.host.reader, self.folder.as_path(), self.envelopes.as_slice());
        for path in envelopes.iter().cloned().chain([folder.join(CONTENT)]) {
            handing::with_links(root, &path, 1)?;
        }
        let files = Files { root, reader, folder, envelopes };
        let changes: Vec<Change> =
            files.readable()?.into_iter().chain(files.moved_to_bucket(&self.message)?).collect();
        if changes.is_empty() {
            return Err(Refusal::new("there is nothing to put right any more", "scan again"));
        }
        // smtpd asks for the message, not for the envelope: where it knows one of them it discovers no other (`scheduler.c`).
        let known = self.ask.listed != Some(false);
        let then = if known { Vec::new() } else { vec![discover(program, &self.message, envelopes.len())] };
        let warning = "smtpd may know another envelope of it: if it is not tried soon, the next start of smtpd takes it in";
        let warnings = known.then(|| warning.to_owned()).into_iter().collect();
        Ok(Proposal { way: Way::Repair { changes, then }, lock: None, warnings })
    }

    /// smtpctl has no command that returns a message.
    fn give_back(self) -> Result<Proposal, Refusal> {
        if self.is_unseen() {
            return self.hand_over();
        }
        if self.host.runs {
            return Err(Refusal::new(format!("{IN_MEMORY}, and no command of it returns a message"), STOP));
        }
        Err(Refusal::new(
            "no smtpd runs on this spool, and the next one that starts would try it",
            "give `--offline` if it is to be returned before that",
        ))
    }

    /// Content without envelopes: whom it is for, only the operator can say.
    fn body_alone(self) -> Result<Proposal, Refusal> {
        if !self.envelopes.is_empty() {
            return Err(Refusal::new("there are envelopes of it by now", "scan again"));
        }
        let Some(content) = handing::part(self.ask.message, PartKind::Content) else {
            return Err(Refusal::new("there is no content", ""));
        };
        handing::with_links(self.ask.root, &content, 1)?;
        let head = handing::open(self.ask.root, &content)?.head(mime::MAX_HEAD_BYTES);
        let head =
            head.map_err(|error| Refusal::new(format!("its content could not be read: {error}"), ""))?;
        if mime::headers(&head).fields().is_empty() {
            return Err(Refusal::new("its content does not begin with header fields", "look at it by hand"));
        }
        let outgoing = Outgoing::default().with(self.ask.given, true);
        if outgoing.recipients.is_empty() || outgoing.sender.is_none() {
            return Err(Refusal::new(
                "it has no envelope: sender and recipients are not known",
                format!(
                    "look for them in the log (`grep {}`), and give them with `--mail-from` and `--to`",
                    self.message
                ),
            ));
        }
        let served = "smtpd removes the envelope of whoever has got it: see in the log who has, before you name recipients";
        let parts = vec![Text::from_path(&content)];
        self.allowed()?;
        let warnings = std::iter::once(served.to_owned()).chain(self.recoded()?).collect();
        Ok(Proposal { way: Way::HandOver { parts, outgoing }, lock: None, warnings })
    }

    /// Whether the running smtpd does not know it, as its listing, which shows its memory, says.
    fn is_unseen(&self) -> bool {
        self.host.runs && self.ask.listed == Some(false)
    }

    /// What sendmail(1) would make of it. Of what lies in `offline` it makes the same when smtpd hands that to it.
    fn recoded(&self) -> Result<Option<String>, Refusal> {
        if self.ask.verb == Verb::Ndr || self.host.sendmail.is_none() {
            return Ok(None);
        }
        recoded::warning(self.ask.root, self.ask.message)
    }

    fn allowed(&self) -> Result<(), Refusal> {
        let allowed = self.is_unseen() || self.ask.given.offline && !self.host.runs;
        if allowed { Ok(()) } else { Err(Refusal::new(IN_MEMORY, STOP)) }
    }

    /// A single envelope goes before the content, with which smtpd then does nothing. Of several the content goes first: the
    /// rest is not sent without it, while without one envelope it would be sent to the others (`queue_fs.c`,
    /// `queue_fs_message_fd_r`), and removed with the last of them (`queue_fs_envelope_delete`).
    fn hand_over(self) -> Result<Proposal, Refusal> {
        self.allowed()?;
        let (root, recoded) = (self.ask.root, self.recoded()?);
        let Waiting { envelopes, outgoing, is_local } =
            outgoing::of_envelopes(root, self.envelopes.clone(), self.ask.verb)?;
        if outgoing.recipients.is_empty() {
            return Err(Refusal::new("it has no envelope: sender and recipients are not known", ""));
        }
        let content = self.folder.join(CONTENT);
        let mut parts: Vec<PathBuf> = envelopes;
        if root.exists(&content) {
            let at = usize::from(parts.len() == 1);
            parts.insert(at, content);
        } else if self.ask.verb == Verb::Requeue {
            return Err(Refusal::new("its content is missing", "look in a backup for its folder"));
        }
        for path in &parts {
            handing::with_links(root, path, 1)?;
        }
        let parts = parts.iter().map(|path| Text::from_path(path)).collect();
        let local = "some of it is for users of this system: aliases and `.forward` files are applied anew";
        let warnings = is_local.then(|| local.to_owned()).into_iter().chain(recoded).collect();
        Ok(Proposal { way: Way::HandOver { parts, outgoing }, lock: None, warnings })
    }
}

fn native(commands: Vec<Command>) -> Proposal {
    Proposal { way: Way::Native { commands }, lock: None, warnings: Vec::new() }
}
