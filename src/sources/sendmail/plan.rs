//! What is proposed for a message of sendmail.
//!
//! Sources: sendmail `sendmail/main.c` (`-q`, `-Q`, `-G`, `-f`), `sendmail/queue.c` (`gatherq`: `-qI` and `-qQ` with `-Q`;
//! `readqf`), `sendmail/conf.c` (`lockfile`), `doc/op/op.me`; the commands were run on 8.17.1 as they stand here.

use super::folder;
use super::name::{self, Kind, Queue};
use super::queued::{Queued, is_final_name};
use super::{content, live, settings::Settings};
use crate::evidence::{PartKind, Sign, Text};
use crate::plan::{Change, Command, Lock, Outgoing, Proposal, Refusal, Submission, Verb, Way};
use crate::read::disk::{EntryKind, Root};
use crate::sources::{Ask, Remedies, handing};
use std::path::{Path, PathBuf};

/// Names of a folder that are looked at to see that `-qI` means one message only.
const MAX_NAMES: usize = 1_000_000;
/// What others than the owner may not do with a control file.
const PRIVATE: u32 = 0o600;
/// The submission program works by its group (`QueueFileMode` 0660).
const OF_GROUP: u32 = 0o660;
/// To whom a copy belongs.
const OFFLINE: &str =
    "name the folder as its sendmail.cf does; or give `--offline` if no sendmail owns this spool any more";

/// What stands against acting on a message of these rules, whatever else is the case.
const REFUSED: &[(&str, &str, &str)] = &[
    ("listed-not-on-disk", "there is nothing on disk to act on", "look into the log, and list again"),
    (
        "orphan-side-file",
        "a transcript is all that is left: there is no message to act on",
        "read it, and look into the log",
    ),
    (
        "unfinished",
        "its control file was not finished: the client was not told that it was accepted and probably sent it again, or \
         whom an attempt served is not known",
        "copy it out of the spool, and compare it with what came in under the same Message-ID",
    ),
    (
        "delivery-journal-left",
        "an attempt was killed, and who was served in it stands neither in the old control file nor for certain in the new",
        "compare the lines `R` of both files with the log first",
    ),
    (
        "body-without-envelope",
        "a data file alone has no header fields, no sender and no recipients",
        "look in a backup for the control file of this ID, and in the log for who was served since",
    ),
    (
        "empty-file",
        "its control file has no bytes, and a queue run would delete the data file with it",
        "copy both out of the spool now; sender and recipients are in the log",
    ),
    (
        "duplicate-message",
        "it is a copy of another control file, and its recipients are served by that",
        "compare the two, and move the copy out of the spool",
    ),
    (
        "foreign-name",
        "it may be an old copy of a control file, so that those whom it names may have the message",
        "compare it with the log; then give it its name back if it is the only one",
    ),
    (
        "queue-blocker",
        "it has no line `S`: the sender is not known, and every queue run dies on it",
        "move it out of the spool, write the line `S` into it from the log, and put it back",
    ),
];

/// What is known of the sendmail whose spool this is.
#[derive(Debug, Clone, Default)]
pub struct Host {
    /// Its program, if it runs on this machine and the configuration of this machine names this spool.
    pub program: Option<String>,
    /// Whether sendmail works in this spool, on this system or in a container of it.
    pub runs: bool,
    /// Whether this is the queue of the submission program.
    pub client: bool,
    /// The queue folders.
    pub folders: Vec<PathBuf>,
}

impl Host {
    /// Looks for it.
    pub fn of(settings: &Settings, runs: bool, folders: Vec<PathBuf>) -> Self {
        let program = if runs { live::program(settings) } else { None };
        let program = program.map(|program| program.display().to_string());
        Self { program, runs, client: settings.client, folders }
    }

    /// What can be done about the messages of this spool.
    pub fn remedies(self) -> Remedies {
        let submission = self.submission();
        let propose = Box::new(move |ask: &Ask<'_>| propose(&self, ask));
        Remedies { propose, content: Box::new(content::write), submission }
    }

    /// `-i` takes a line with one dot for what it is, `-G` has sendmail change nothing (`op.me`: "will not do any
    /// canonicalization in this mode"), and `-Am` hands it to the queue of the MTA rather than to the submission program's,
    /// which it is up to other processes to run. `-f <>` is how sendmail itself writes the null sender (`main.c`, case `f`).
    fn submission(&self) -> Option<Submission> {
        let mode = if self.client { "-Ac" } else { "-Am" };
        Some(Submission {
            program: self.program.clone()?,
            arguments: [mode, "-i", "-G"].map(str::to_owned).to_vec(),
            null_sender: Some("<>".to_owned()),
            envelope_on_top: false,
            dsn: true,
        })
    }

    fn command(&self, program: &str, arguments: Vec<String>, what: &str, undo: &str) -> Command {
        let client = if self.client { vec!["-Ac".to_owned()] } else { Vec::new() };
        let arguments = [client, arguments].concat();
        Command {
            program: program.to_owned(),
            arguments,
            what: what.to_owned(),
            expect: None,
            undo: undo.to_owned(),
        }
    }

    /// One attempt, now. A message that is gone matches nothing: it is harmless a second time.
    fn attempt(&self, program: &str, id: &str) -> Command {
        self.command(program, vec![format!("-qI{id}")], "tries to deliver it now", "")
    }

    /// `deliver.c`: with `Timeout.queuereturn=now` it is returned without an attempt. That option speaks of reports as well
    /// (`readcf.c`, `TO_QUEUERETURN`): without the second one a report that the sender's server puts off is given up at once,
    /// and ends in `dead.letter` (observed on 8.17.1). A message that is gone matches nothing a second time.
    fn give_back(&self, program: &str, id: &str) -> Command {
        let options = ["-OTimeout.queuereturn=now", "-OTimeout.queuereturn.dsn=5d"].map(str::to_owned);
        let arguments = options.into_iter().chain([format!("-qI{id}")]).collect();
        self.command(program, arguments, "returns it to its sender now", "")
    }

    /// `-qI` takes every name that holds the ID (`gatherq`, `strcontainedin`), and one process number may begin another.
    fn is_unique(&self, root: &Root, id: &str) -> bool {
        let own = |name: &[u8]| name.get(2..) == Some(id.as_bytes());
        let folders = self.folders.iter().flat_map(|folder| [folder.clone(), folder.join("qf")]);
        folders.into_iter().all(|folder| {
            let folder = if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder };
            let Ok(names) = root.list(&folder) else { return folder.ends_with("qf") };
            let mut names = names.flatten().take(MAX_NAMES);
            names.all(|(name, _)| {
                let name = name.as_os_str().as_encoded_bytes();
                own(name) || memchr::memmem::find(name, id.as_bytes()).is_none()
            })
        })
    }
}

/// A message with a control file that is whole.
struct Subject<'a> {
    host: &'a Host,
    ask: &'a Ask<'a>,
    control: PathBuf,
    queue: Queue,
    id: &'a str,
    outgoing: Outgoing,
    has_programs: bool,
    body: Option<PathBuf>,
}

fn propose(host: &Host, ask: &Ask<'_>) -> Result<Proposal, Refusal> {
    let half = ask.says("envelope-without-body");
    let refused = ask.rules.iter().find_map(|rule| REFUSED.iter().find(|(name, ..)| name == rule));
    if let Some((_, reason, hint)) = refused {
        return Err(Refusal::new(*reason, *hint));
    }
    if !host.runs && !ask.given.offline {
        return Err(Refusal::new("no sendmail works in this spool: it may be a copy", OFFLINE));
    }
    let control = handing::part(ask.message, PartKind::Envelope);
    let control = control.filter(|path| is_final_name(path)).ok_or_else(|| {
        Refusal::new(
            "it has no control file under a name of sendmail's own",
            "copy it out of the spool first",
        )
    })?;
    let name = Text::from_path(control.file_name().map_or(Path::new(""), Path::new));
    let Some((Kind::Control(queue), id)) = name::judge(name.bytes()) else {
        return Err(Refusal::new("it has no control file", ""));
    };
    let id = std::str::from_utf8(id).map_err(|_| Refusal::new("its queue ID is none of sendmail's", ""))?;
    handing::with_links(ask.root, &control, 1)?;
    // One that came since the scan: an attempt is under way, or was killed.
    let folder = folder::folder_of(&control);
    let rewritten =
        folder::candidates(&folder, 't', id.as_bytes()).into_iter().find(|path| ask.root.exists(path));
    if let Some(rewritten) = rewritten {
        let reason = format!(
            "an attempt rewrites its control file, or was killed: there is `{}`",
            rewritten.display()
        );
        return Err(Refusal::new(reason, "scan again when that file is gone"));
    }
    let queued = Queued::read(ask.root, &control)?;
    let has_programs = queued.has_programs();
    let outgoing = if has_programs { Outgoing::default() } else { queued.outgoing()? };
    let body = handing::part(ask.message, PartKind::Content).filter(|path| is_regular(ask.root, path));
    let subject = Subject { host, ask, control, queue, id, outgoing, has_programs, body };
    if half || subject.body.is_none() {
        return subject.without_body();
    }
    subject.with_body()
}

impl Subject<'_> {
    /// The next queue run would send it without its body: only its sender can be told.
    fn without_body(self) -> Result<Proposal, Refusal> {
        if self.ask.verb == Verb::Requeue {
            return Err(Refusal::new(
                "its data file is missing, and what is sent would have no body",
                "look in a backup for `df…` of this ID; or return it with `ndr` before the next queue run sends it empty",
            ));
        }
        self.hand_over()
    }

    fn with_body(self) -> Result<Proposal, Refusal> {
        let offline = self.ask.given.offline;
        let program = self.host.program.clone().filter(|_| !offline);
        let loose = self.ask.says("wrong-owner-or-mode");
        match (program, self.queue) {
            _ if offline || self.is_invisible() => self.hand_over(),
            (Some(program), Queue::Normal) if loose => self.tighten(&program),
            (Some(program), Queue::Normal) => self.run(&program),
            (Some(program), Queue::Quarantined) if self.ask.verb == Verb::Requeue => self.release(&program),
            (Some(program), Queue::Lost) if self.ask.verb == Verb::Requeue => self.take_back(&program),
            // An attempt between the release and the return would deliver it.
            (_, Queue::Quarantined | Queue::Lost) => self.hand_over(),
            (None, Queue::Normal) => {
                Err(Refusal::new("the sendmail that works in this spool is not that of this system", OFFLINE))
            }
        }
    }

    /// No queue run takes it up: its folder is none of the configuration, or it is hidden by its line `q`.
    fn is_invisible(&self) -> bool {
        let hidden = self.queue == Queue::Normal && self.ask.says("held");
        // The rule speaks of the submission program's queue as well, which that program itself reads.
        let elsewhere = self.ask.message.signs.iter().any(|signed| signed.sign == Sign::OtherQueue);
        hidden || elsewhere || self.ask.says("unlisted")
    }

    fn run(self, program: &str) -> Result<Proposal, Refusal> {
        let command = match self.ask.verb {
            Verb::Requeue => self.host.attempt(program, self.id),
            Verb::Ndr => {
                self.unique()?;
                self.host.give_back(program, self.id)
            }
        };
        Ok(proposal(Way::Native { commands: vec![command] }, None))
    }

    /// `-Q` without a reason, with `-qQ` and `-qI`, turns `hf` into `qf`; `-qQI` would look for the ID among the reasons.
    fn release(self, program: &str) -> Result<Proposal, Refusal> {
        self.unique()?;
        let arguments = ["-Q".to_owned(), format!("-qI{}", self.id), "-qQ".to_owned()].to_vec();
        let undo = format!("{program} -Qheld -qI{}", self.id);
        let release = self.host.command(program, arguments, "releases it from quarantine", &undo);
        let commands = vec![release, self.host.attempt(program, self.id)];
        Ok(proposal(Way::Native { commands }, None))
    }

    /// sendmail set it aside for its mode: with that put right, and its name, it takes it again.
    fn take_back(self, program: &str) -> Result<Proposal, Refusal> {
        self.trusted()?;
        let folder = folder::folder_of(&self.control);
        let there =
            ['q', 'h'].into_iter().flat_map(|letter| folder::candidates(&folder, letter, self.id.as_bytes()));
        if let Some(there) = there.into_iter().find(|path| self.ask.root.exists(path)) {
            return Err(Refusal::new(
                format!("there is another control file of this ID, `{}`", there.display()),
                "compare the two: the one that was set aside may be an older state of it",
            ));
        }
        let to = self.control.with_file_name(format!("qf{}", self.id));
        let rename = Change::Rename { from: Text::from_path(&self.control), to: Text::from_path(&to) };
        let changes = self.private()?.into_iter().chain([rename]).collect();
        let then = vec![self.host.attempt(program, self.id)];
        let loose =
            "others could write into its control file: see that it is what sendmail wrote before it is sent";
        let lock = self.lock();
        let mut proposal = proposal(Way::Repair { changes, then }, Some(lock));
        proposal.warnings.push(loose.to_owned());
        Ok(proposal)
    }

    /// A control file into which others may write, and which the next queue run would set aside.
    fn tighten(self, program: &str) -> Result<Proposal, Refusal> {
        self.trusted()?;
        let then = match self.ask.verb {
            Verb::Requeue => self.host.attempt(program, self.id),
            Verb::Ndr => {
                self.unique()?;
                self.host.give_back(program, self.id)
            }
        };
        let (changes, lock) = (self.private()?, self.lock());
        let mut proposal = proposal(Way::Repair { changes, then: vec![then] }, Some(lock));
        let loose =
            "others could write into its control file: see that it is what sendmail wrote before it is sent";
        proposal.warnings.push(loose.to_owned());
        Ok(proposal)
    }

    /// Owner and mode of the control file. Whoever wrote the data file wrote the control file, too.
    fn private(&self) -> Result<Vec<Change>, Refusal> {
        let stat = |path: &Path| {
            let found = self.ask.root.stat(path).map(|(_, stat)| stat);
            found.map_err(|error| {
                Refusal::new(format!("`{}` could not be looked at: {error}", path.display()), "")
            })
        };
        let own = stat(&self.control)?;
        let body = self.body.as_deref().map_or(Ok(own), stat)?;
        let path = Text::from_path(&self.control);
        let owner = Change::Owner { path: path.clone(), uid: body.uid, gid: Some(body.gid) };
        let differs = (own.uid, own.gid) != (body.uid, body.gid);
        let mode = if self.host.client { OF_GROUP } else { PRIVATE };
        Ok(differs.then_some(owner).into_iter().chain([Change::Mode { path, mode }]).collect())
    }

    /// Whether what others could have written is of a kind that may be trusted once more.
    fn trusted(&self) -> Result<(), Refusal> {
        if self.has_programs {
            return Err(Refusal::new(
                "others could write into its control file, and it names a program, a file or a user under whose rights to deliver",
                "read it, and compare it with the log, before you put it back by hand",
            ));
        }
        Ok(())
    }

    fn unique(&self) -> Result<(), Refusal> {
        if self.host.is_unique(self.ask.root, self.id) {
            return Ok(());
        }
        Err(Refusal::new(
            format!(
                "`{}` is part of the name of another message as well, and sendmail would take both",
                self.id
            ),
            "wait until the other one is gone, or give `--offline` while sendmail does not run",
        ))
    }

    /// The control file goes first: without it nothing looks at the data file, while a control file without its data file
    /// is sent empty (`queue.c`, `gatherq` and `readqf`).
    fn hand_over(self) -> Result<Proposal, Refusal> {
        if self.has_programs {
            return Err(Refusal::new(
                "it is for a program, a file, or a user under whose rights to deliver: that cannot be handed in again",
                "give it back its place in the queue of the sendmail that it belongs to",
            ));
        }
        let mut parts = vec![Text::from_path(&self.control)];
        if let Some(body) = &self.body {
            handing::with_links(self.ask.root, body, 1)?;
            parts.push(Text::from_path(body));
        }
        let transcripts =
            handing::parts(self.ask.message, PartKind::Side).map(|part| part.locus.path.clone());
        parts.extend(transcripts.filter(|path| self.ask.root.exists(&path.to_path())));
        let empty = self.body.as_deref().and_then(|body| self.ask.root.stat(body).ok());
        let empty = empty.is_some_and(|(_, stat)| stat.size <= 1);
        let (lock, outgoing) = (self.lock(), self.outgoing.clone());
        let mut proposal = proposal(Way::HandOver { parts, outgoing }, Some(lock));
        if empty {
            let text =
                "its data file is empty: a queue run may have made it so, in place of one that was lost";
            proposal.warnings.push(text.to_owned());
        }
        Ok(proposal)
    }

    /// `conf.c`, `lockfile`: `flock(2)` where the build says `HASFLOCK`, as on the BSDs (`include/sm/conf.h`), in Debian
    /// (`debian/configure.ac`) and in what is made for Linux by those who package it; a sendmail that was built by hand on
    /// Linux may lock by `fcntl(2)`, and then does not see this lock.
    fn lock(&self) -> Lock {
        Lock::Flock { path: Text::from_path(&self.control) }
    }
}

fn proposal(way: Way, lock: Option<Lock>) -> Proposal {
    Proposal { way, lock, warnings: Vec::new() }
}

fn is_regular(root: &Root, path: &Path) -> bool {
    matches!(root.stat(path), Ok((EntryKind::Regular, _)))
}
