//! What is proposed for a message of Courier.
//!
//! courierd knows its mail from memory and has no lock on a file, so that nothing is taken away that it may hold. Source:
//! Courier `courier/cdmsgq.C` (`queuescan3`, `tmpscan`), `cdmsgq3.C` (`flushmsg`), `libs/comctlfile.c` (`ctlfile_openfn`),
//! `libs/commsgcancel.c`, `sendmail.C`; courier(8), cancelmsg(1).

use super::content;
use super::live::Programs;
use super::message::regular;
use super::name::{self, Name};
use super::outgoing::{self, Queued};
use crate::evidence::{PartKind, Text};
use crate::plan::{Change, Command, Outgoing, Proposal, Refusal, Submission, Verb, Way};
use crate::read::disk::Root;
use crate::read::mime;
use crate::sources::{Ask, Remedies, handing};
use std::path::{Path, PathBuf};

/// A control file has a name in `msgs` and one in `msgq` (`ctlfile_openfn`).
const NAMES: u64 = 2;
/// What submit gives a file (observed on 1.0.16).
const FILE_MODE: u32 = 0o660;
/// `cdmsgq.C`, `tmpscan`: `mkdir(qmsgqdir(…), 0755)`.
const FOLDER_MODE: u32 = 0o755;
/// How to have courierd let go of a message.
const STOP: &str = "stop courierd (`courier stop`), and give `--offline`";
/// What stands against acting on a message of these rules, whatever else is the case.
const REFUSED: &[(&str, &str, &str)] = &[
    ("listed-not-on-disk", "there is nothing on disk to act on", "list again, and look in the log"),
    (
        "orphan-side-file",
        "a name in `msgq` is all that is left of it: it was delivered or removed",
        "read it, and look in the log, before courierd starts and removes it",
    ),
    (
        "unfinished",
        "submit did not finish it: the client was not told that it was accepted, and probably sent it again",
        "copy its folder out of `tmp`: courierd deletes it after 48 hours",
    ),
    (
        "owner-gone",
        "the process that was to finish it is gone, and the client was not told that it was accepted",
        "copy its folder out of `tmp`: courierd deletes it after 48 hours",
    ),
    (
        "empty-file",
        "a file of it has no bytes, as when the disk was full",
        "copy what there is of it out of the queue; courierd would send an empty message",
    ),
    (
        "corrupt",
        "its control file is damaged, and courierd would remove it or give it up",
        "stop courierd, copy C and D out of the queue, and read who still waits",
    ),
    (
        "foreign-name",
        "Courier gives no file such a name, and whether its recipients have it is not known",
        "look in the log",
    ),
    (
        "duplicate-message",
        "it is there more than once, and the two may not have the same recipients left",
        "compare their control files, and cancel one of them",
    ),
];

/// What is known of the courierd whose queue this is.
#[derive(Debug, Clone, Default)]
pub struct Host {
    /// Its programs, where it runs on this system.
    pub programs: Programs,
    /// Whether courierd runs on this queue.
    pub runs: bool,
    /// User and group of courierd.
    pub owner: Option<(u32, u32)>,
}

impl Host {
    /// What can be done about the messages of this queue.
    pub fn remedies(self) -> Remedies {
        let submission = self.submission();
        let propose = Box::new(move |ask: &Ask<'_>| propose(&self, ask));
        Remedies { propose, content: Box::new(content::write), submission }
    }

    /// `sendmail.C`: `-i` and `--` are passed over, and an address may not begin with a dash; an empty sender after `-f` is
    /// the null sender. `-N`, `-R` and `-V` are those of RFC 3461.
    fn submission(&self) -> Option<Submission> {
        Some(Submission {
            program: self.programs.sendmail.as_ref()?.display().to_string(),
            arguments: vec!["-i".to_owned()],
            null_sender: Some(String::new()),
            envelope_on_top: false,
            dsn: true,
        })
    }

    /// Observed on 1.0.16: `From: "A"   <a@b>` becomes `From: "A" <a@b>`; missing `From`, `To`, `Date` and `Message-ID` are added.
    fn warned(&self, verb: Verb, mut proposal: Proposal) -> Proposal {
        if verb == Verb::Requeue && self.programs.sendmail.is_some() {
            proposal.warnings.push(
                "Courier's sendmail writes the field `From` anew and adds what is missing of the header, which may break a \
                 signature; `--via smtp://localhost:25` hands it to esmtpd instead, if that runs"
                    .to_owned(),
            );
        }
        proposal
    }

    /// A message that is gone is not found, and nothing happens (`flushmsg`).
    fn flush(&self, id: &str) -> Option<Command> {
        Some(Command {
            program: self.programs.courier.as_ref()?.display().to_string(),
            arguments: vec!["flush".to_owned(), id.to_owned()],
            what: "has courierd try it now".to_owned(),
            expect: None,
            undo: String::new(),
        })
    }

    /// A message that is cancelled already is not cancelled again (`msgcancel`).
    fn cancel(&self, id: &str) -> Option<Command> {
        Some(Command {
            program: self.programs.cancel.as_ref()?.display().to_string(),
            arguments: vec![id.to_owned()],
            what: "cancels it, and courierd returns it to its sender".to_owned(),
            expect: Some("scheduled for cancellation".to_owned()),
            undo: String::new(),
        })
    }
}

fn propose(host: &Host, ask: &Ask<'_>) -> Result<Proposal, Refusal> {
    let refused = ask.rules.iter().find_map(|rule| REFUSED.iter().find(|(name, ..)| name == rule));
    if let Some((_, reason, hint)) = refused {
        return Err(Refusal::new(*reason, *hint));
    }
    if host.runs && ask.given.offline {
        return Err(Refusal::new(
            "courierd runs on this queue",
            "leave `--offline` out, or stop courierd first",
        ));
    }
    if ask.says("body-without-envelope") {
        if !host.runs && !ask.given.offline {
            return Err(Refusal::new("no courierd runs on this queue: it may be a copy", STOP));
        }
        return body_alone(ask).map(|proposal| host.warned(ask.verb, proposal));
    }
    let subject = Subject::of(host, ask)?;
    if subject.body.is_none() {
        return subject.without_body();
    }
    match ask.message.queue.as_str() {
        _ if ask.given.offline => subject.hand_over(),
        "tmp" => Err(subject.handed_in()),
        _ => subject.in_queue(),
    }
}

/// A message with a control file that is whole.
struct Subject<'a> {
    host: &'a Host,
    ask: &'a Ask<'a>,
    control: PathBuf,
    inode: u64,
    queued: Queued,
    body: Option<PathBuf>,
}

impl<'a> Subject<'a> {
    fn of(host: &'a Host, ask: &'a Ask<'a>) -> Result<Self, Refusal> {
        let control = handing::part(ask.message, PartKind::Envelope);
        let control = control.ok_or_else(|| Refusal::new("there is no control file of it", ""))?;
        let name = control.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let (Name::Control(inode) | Name::Several(inode)) = name::judge(name) else {
            return Err(Refusal::new("its control file has not got its name yet", "copy it out of `tmp`"));
        };
        let body = control.with_file_name(format!("D{}", name.get(1..).unwrap_or_default()));
        let queued = outgoing::read(ask.root, &control, ask.message.queue == "msgs")?;
        let body = regular(ask.root, &body).map(|_| body);
        Ok(Self { host, ask, control, inode, queued, body })
    }

    fn without_body(self) -> Result<Proposal, Refusal> {
        if self.ask.verb == Verb::Requeue {
            return Err(Refusal::new(
                "its data file is missing: there is nothing to send",
                "look in a backup for its D file; or tell its sender with `ndr`",
            ));
        }
        if !self.ask.given.offline {
            return Err(Refusal::new("courierd may hold it in memory", STOP));
        }
        self.hand_over()
    }

    /// It is courierd that takes it over, at any moment.
    fn handed_in(&self) -> Refusal {
        if self.host.runs {
            return Refusal::new(
                "courierd takes it over by itself",
                "look in the log why it does not (`QUEUE FILE CORRUPTION`); after 48 hours it is deleted, so copy it",
            );
        }
        Refusal::new(
            "courierd takes it over when it starts, unless it is older than 48 hours by then: it deletes it then",
            "copy it out of `tmp`, give its files a new time (`touch`), and start courierd; or give `--offline`",
        )
    }

    fn in_queue(self) -> Result<Proposal, Refusal> {
        if self.queued.cancelled && self.ask.verb == Verb::Requeue {
            return Err(Refusal::new("somebody cancelled it, and courierd returns it to its sender", ""));
        }
        if self.ask.says("misfiled") {
            return Err(Refusal::new(
                "it is not where courierd looks for it, which may hold it in memory",
                STOP,
            ));
        }
        let mut changes = Vec::new();
        if self.ask.says("wrong-owner-or-mode") {
            changes.extend(self.owned()?);
        }
        if self.ask.says("missing-part") {
            changes.extend(self.linked()?);
        }
        let then = self.command()?;
        if changes.is_empty() {
            return Ok(Proposal {
                way: Way::Native { commands: vec![then] },
                lock: None,
                warnings: Vec::new(),
            });
        }
        // Asked for one message, courierd makes its name in `msgq` of the inode that the file has now (`flushmsg`,
        // `ctlfile_getnextattempt`); at its start it goes by the names that are there (`queuescan`).
        let found = regular(self.ask.root, &self.control).is_some_and(|stat| stat.inode == self.inode);
        let then = if found || self.ask.verb == Verb::Ndr { vec![then] } else { Vec::new() };
        let later =
            "its number is not its inode, as after a restore: courierd takes it in when it is started next";
        let warnings = (!found).then(|| later.to_owned()).into_iter().collect();
        Ok(Proposal { way: Way::Repair { changes, then }, lock: None, warnings })
    }

    fn command(&self) -> Result<Command, Refusal> {
        let id = self.queued.id.as_deref();
        let id = id.ok_or_else(|| Refusal::new("its queue ID is none that Courier makes", STOP))?;
        let command = match self.ask.verb {
            Verb::Requeue => self.host.flush(id),
            Verb::Ndr => self.host.cancel(id),
        };
        command.ok_or_else(|| {
            Refusal::new(
                "no courierd of this system runs on this queue",
                "start it; or give `--offline` if the queue belongs to no courierd any more",
            )
        })
    }

    /// Both files belong to the user of courierd.
    fn owned(&self) -> Result<Vec<Change>, Refusal> {
        let (user, group) = self.host.owner.ok_or_else(|| {
            Refusal::new(
                "whom courierd is is not known: the folder `msgs` belongs to root",
                "give it to Courier first",
            )
        })?;
        let mut changes = Vec::new();
        // The control file by each of its names, so that all of them stand in the plan: a name that does not is none of Courier's.
        let names = links(self.ask.root, &self.control, self.inode, self.queued.planned)?;
        for path in self.body.iter().chain(&names).chain([&self.control]) {
            let stat = regular(self.ask.root, path);
            let stat =
                stat.ok_or_else(|| Refusal::new(format!("`{}` went away", path.display()), "scan again"))?;
            let path = Text::from_path(path);
            if (stat.uid, stat.gid) != (user, group) {
                changes.push(Change::Owner { path: path.clone(), uid: user, gid: Some(group) });
            }
            if stat.mode & FILE_MODE != FILE_MODE {
                changes.push(Change::Mode { path, mode: FILE_MODE });
            }
        }
        Ok(changes)
    }

    /// The second name, as courierd would look for it: made of the number in the name of the control file and the last plan
    /// in it (`ctlfile_getnextattempt`, `qmsgqname`). courierd may run: it knows of no message without that name.
    fn linked(&self) -> Result<Vec<Change>, Refusal> {
        let root = self.ask.root;
        handing::with_links(root, &self.control, 1)?;
        let planned = self.queued.planned;
        let planned =
            planned.ok_or_else(|| Refusal::new("no attempt is planned in its control file", STOP))?;
        let link = name::in_msgq(self.inode, planned);
        if root.exists(&link) {
            let reason = format!(
                "`{}` is a file of its own, which courierd removes when it comes to it",
                link.display()
            );
            return Err(Refusal::new(reason, STOP));
        }
        let folder = link.parent().unwrap_or(Path::new("msgq"));
        let (uid, gid) = self.host.owner.ok_or_else(|| {
            Refusal::new(
                "whom courierd is is not known: the folder `msgs` belongs to root",
                "give it to Courier first",
            )
        })?;
        let made = Change::Folder { path: Text::from_path(folder), uid, gid, mode: FOLDER_MODE };
        let made = (!root.exists(folder)).then_some(made);
        let linked = Change::Link { from: Text::from_path(&self.control), to: Text::from_path(&link) };
        Ok(made.into_iter().chain([linked]).collect())
    }

    /// The name in `msgq` goes first: when it comes to one whose control file is gone, courierd removes the data file as well
    /// (`queuescan3`), while a control file without it is only never tried. The data file goes last, and alone is let be.
    fn hand_over(self) -> Result<Proposal, Refusal> {
        let root = self.ask.root;
        let mut parts = links(root, &self.control, self.inode, self.queued.planned)?;
        parts.push(self.control.clone());
        if let Some(body) = &self.body {
            handing::with_links(root, body, 1)?;
            parts.push(body.clone());
        }
        Ok(handed_over(&parts, self.queued.outgoing))
    }
}

/// The names that the control file has in `msgq`. One that is not found may not stay behind.
fn links(root: &Root, control: &Path, inode: u64, planned: Option<u64>) -> Result<Vec<PathBuf>, Refusal> {
    handing::with_links(root, control, NAMES)?;
    let stat =
        regular(root, control).ok_or_else(|| Refusal::new("its control file went away", "scan again"))?;
    let link =
        planned.map(|planned| name::in_msgq(inode, planned)).filter(|path| regular(root, path).is_some());
    if stat.links >= NAMES && link.is_none() && control.starts_with("msgs") {
        return Err(Refusal::new(
            "its control file has a second name, which is not where the file says",
            "find it with `find msgq -samefile`: courierd would remove the data file with it",
        ));
    }
    Ok(link.into_iter().collect())
}

fn handed_over(parts: &[PathBuf], outgoing: Outgoing) -> Proposal {
    let parts = parts.iter().map(|path| Text::from_path(path)).collect();
    Proposal { way: Way::HandOver { parts, outgoing }, lock: None, warnings: Vec::new() }
}

/// A data file whose control file is gone from `msgs`: courierd can do nothing with it. If the name in `msgq` is left, the
/// envelope is there.
fn body_alone(ask: &Ask<'_>) -> Result<Proposal, Refusal> {
    let body = handing::part(ask.message, PartKind::Content);
    let body = body.ok_or_else(|| Refusal::new("there is no data file", ""))?;
    handing::with_links(ask.root, &body, 1)?;
    if let Some(link) = handing::part(ask.message, PartKind::Envelope) {
        handing::with_links(ask.root, &link, 1)?;
        let queued = outgoing::read(ask.root, &link, true)?;
        return Ok(handed_over(&[link, body], queued.outgoing));
    }
    let head = handing::open(ask.root, &body)?.head(mime::MAX_HEAD_BYTES);
    let head = head.map_err(|error| Refusal::new(format!("its content could not be read: {error}"), ""))?;
    if mime::headers(&head).fields().is_empty() {
        return Err(Refusal::new("its data file does not begin with header fields", "look at it by hand"));
    }
    let outgoing = Outgoing::default().with(ask.given, true);
    if outgoing.recipients.is_empty() || outgoing.sender.is_none() {
        return Err(Refusal::new(
            "its control file is lost: sender and recipients are not known",
            "look for them in the log, and give those who have not got it with `--mail-from` and `--to`",
        ));
    }
    Ok(handed_over(&[body], outgoing))
}
