//! A small spool with a message in it, a vault, a journal, and fake programs of a mail system.

use crate::act::faults::Faults;
use crate::act::journal::{self, Journal};
use crate::act::vault::{self, Measuring};
use crate::act::work::{Went, Workshop};
use crate::evidence::Text;
use crate::plan::course::Course;
use crate::plan::entry::Entry;
use crate::plan::{Command, Digest, Guarded, Job, Outgoing, OutgoingRecipient, Step, Submission, Verb};
use crate::read::disk::Root;
use anyhow::{Context as _, Result};
use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

pub const OPERATION: &str = "20261126-044658-1f2e";
/// Stands in the body of the message and nowhere else.
pub const TOKEN: &str = "The invoice of October, 4711 pieces";

/// The message as it lies in the spool.
pub const MESSAGE: &str = "Return-Path: <anna@a.example>\n\
    DKIM-Signature: v=1; a=rsa-sha256; d=a.example; s=s1; bh=QUFB; b=QUFB\n\
    From: Anna <anna@a.example>\n\
    To: Bert <bert@b.example>\n\
    Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\n\
    Message-ID: <1@a.example>\n\
    \n\
    The invoice of October, 4711 pieces.\n\
    .\n\
    A line with a single full stop stands above, and two empty ones below.\n\n\n";

/// Where a world lies: on a disk in memory where there is one, since a thousand worlds are made.
pub fn near() -> PathBuf {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() }
}

/// Another file system, if this host has one.
pub fn far() -> Option<PathBuf> {
    let (near, far) = (near(), std::env::temp_dir());
    (fs::metadata(&near).ok()?.dev() != fs::metadata(&far).ok()?.dev()).then_some(far)
}

/// A file as it can be told from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub kind: char,
    pub inode: u64,
    pub mode: u32,
    pub owner: (u32, u32),
    pub modified: (i64, i64),
    pub links: u64,
    pub bytes: Vec<u8>,
}

pub type Snapshot = BTreeMap<PathBuf, Seen>;

/// One host.
pub struct World {
    _folder: tempfile::TempDir,
    _far: Option<tempfile::TempDir>,
    pub root: PathBuf,
    pub state: PathBuf,
    pub vault: PathBuf,
    /// Where mail goes that was handed in.
    pub out: PathBuf,
}

impl World {
    /// A host whose vault lies on another file system, or not.
    pub fn new(vault_is_far: bool) -> Self {
        let folder = tempfile::tempdir_in(near()).unwrap();
        let far = vault_is_far.then(|| tempfile::tempdir_in(far().unwrap()).unwrap());
        let root = folder.path().join("spool");
        let state = folder.path().join("state");
        let out = folder.path().join("out");
        let vault = far.as_ref().map_or_else(|| state.join("vault"), |far| far.path().join("vault"));
        let vault = vault.join(OPERATION).join("1");
        for name in ["stuck", "hold", "queue", "tmp", "public"] {
            fs::create_dir_all(root.join(name)).unwrap();
        }
        for name in ["new", "tmp", "env"] {
            fs::create_dir_all(out.join(name)).unwrap();
        }
        fs::create_dir(&state).unwrap();
        let world = Self { _folder: folder, _far: far, root, state, vault, out };
        fs::write(world.out.join("runs"), "").unwrap();
        world
    }

    /// Puts a file into the spool, old enough that nobody writes to it any more.
    pub fn put(&self, path: &str, bytes: &[u8], mode: u32) {
        let path = self.root.join(path);
        fs::write(&path, bytes).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let old = std::time::UNIX_EPOCH + std::time::Duration::new(1_764_000_000, 123_456_000);
        fs::File::options().write(true).open(&path).unwrap().set_modified(old).unwrap();
    }

    /// A plan of these parts and steps.
    pub fn job(&self, parts: &[&str], steps: Vec<Step>) -> Job {
        let root = Root::open(&self.root).unwrap();
        let guard = |path: &&str| -> Guarded { vault::guard(&root, &Text::from(*path)).unwrap() };
        Job {
            number: 1,
            finding: "nullmailer:7c9f2ab1".to_owned(),
            rule: "unlisted".to_owned(),
            source: "nullmailer".to_owned(),
            place: "nullmailer".to_owned(),
            root: Text::from_path(&self.root),
            vault: Text::from_path(&self.vault),
            queue: "stuck".to_owned(),
            native: Some(Text::from("M1")),
            message_id: Some(Text::from("<1@a.example>")),
            verb: Verb::Requeue,
            parts: parts.iter().map(guard).collect(),
            lock: None,
            steps,
            outgoing: None,
            door: None,
            content: None,
            warnings: Vec::new(),
        }
    }

    /// A shell script outside the spool, as a program with its first argument: a program that was just written cannot always be
    /// run (`ETXTBSY`).
    pub fn script(&self, name: &str, text: &str) -> (String, Vec<String>) {
        let path = self.out.join(name);
        fs::write(&path, text).unwrap();
        ("/bin/sh".to_owned(), vec![path.to_str().unwrap().to_owned()])
    }

    /// A command of the mail system that counts its runs and then does this.
    pub fn tool(&self, name: &str, text: &str) -> Step {
        let text =
            format!("cd '{}'\necho {name} >> '{}/runs'\n{text}\n", self.root.display(), self.out.display());
        let (program, arguments) = self.script(name, &text);
        let command =
            Command { program, arguments, what: name.to_owned(), expect: None, undo: "by hand".to_owned() };
        Step::Run { command }
    }

    /// A `sendmail` that takes a message as a maildir does, and writes down for whom; then it does this.
    pub fn sendmail(&self, tmp: &Path, new: &Path, text: &str) -> Submission {
        let out = self.out.display();
        let text = format!(
            "printf '%s\\n' \"$@\" > '{out}/env/'$$\ncat > '{tmp}/'$$ && mv '{tmp}/'$$ '{new}/'$$\n{text}\n",
            tmp = tmp.display(),
            new = new.display()
        );
        let (program, arguments) = self.script("sendmail", &text);
        Submission {
            program,
            arguments,
            null_sender: Some("<>".to_owned()),
            dsn: false,
            envelope_on_top: false,
        }
    }

    /// How often the commands of the mail system were run.
    pub fn runs(&self) -> usize {
        fs::read_to_string(self.out.join("runs")).unwrap().lines().count()
    }

    /// The journal's account of the job.
    pub fn course(&self) -> Option<Course> {
        let told = journal::read(&self.state).expect("a journal that can be read");
        told.operation(OPERATION).and_then(|operation| operation.jobs.get(&1).cloned())
    }

    /// Begins, or carries on after a new start of the host, knowing nothing but the files.
    pub fn apply(&self, job: &Job, content: &str, faults: &Faults) -> Result<Went> {
        let (mut journal, mut course) = self.open(job, faults)?;
        let mut workshop = Workshop {
            journal: &mut journal,
            operation: OPERATION,
            host: "mx.example",
            faults: faults.clone(),
        };
        let mut write = |to: &mut dyn std::io::Write| -> Result<()> {
            content.as_bytes().chunks(50).try_for_each(|chunk| Ok(to.write_all(chunk)?))
        };
        workshop.carry_on(&mut course, &mut write)
    }

    /// Takes it back, knowing nothing but the files.
    pub fn undo(&self, job: &Job, faults: &Faults) -> Result<Went> {
        let (mut journal, mut course) = self.open(job, faults)?;
        let mut workshop = Workshop {
            journal: &mut journal,
            operation: OPERATION,
            host: "mx.example",
            faults: faults.clone(),
        };
        workshop.undo(&mut course)
    }

    fn open(&self, job: &Job, faults: &Faults) -> Result<(Journal, Course)> {
        let (mut journal, told) = Journal::open(&self.state, faults.clone())?;
        let known = told.operation(OPERATION);
        if known.is_none() {
            journal.append(OPERATION, &opened())?;
        }
        if known.is_none_or(|operation| operation.jobs.is_empty()) {
            journal.append(OPERATION, &Entry::Planned { job: Box::new(job.clone()) })?;
        }
        Ok((journal, self.course().context("the job is planned")?))
    }

    /// Everything below a folder.
    pub fn snapshot(folder: &Path) -> Snapshot {
        let mut seen = Snapshot::new();
        let mut waiting = vec![folder.to_owned()];
        while let Some(folder) = waiting.pop() {
            for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
                let path = entry.path();
                let stat = fs::symlink_metadata(&path).unwrap();
                let (kind, bytes) = if stat.is_dir() {
                    waiting.push(path.clone());
                    ('d', Vec::new())
                } else if stat.is_symlink() {
                    ('l', fs::read_link(&path).unwrap().as_os_str().as_bytes().to_vec())
                } else if stat.is_file() {
                    ('f', fs::read(&path).unwrap())
                } else {
                    ('s', Vec::new())
                };
                let folder = kind == 'd';
                let seen_now = Seen {
                    kind,
                    inode: stat.ino(),
                    mode: stat.mode() & 0o7777,
                    owner: (stat.uid(), stat.gid()),
                    modified: if folder { (0, 0) } else { (stat.mtime(), stat.mtime_nsec()) },
                    links: if folder { 0 } else { stat.nlink() },
                    bytes,
                };
                seen.insert(path, seen_now);
            }
        }
        seen
    }

    /// Files of a folder that hold the message.
    pub fn holding(folder: &Path) -> Vec<PathBuf> {
        let holds = |seen: &Seen| memchr::memmem::find(&seen.bytes, TOKEN.as_bytes()).is_some();
        Self::snapshot(folder).into_iter().filter(|(_, seen)| holds(seen)).map(|(path, _)| path).collect()
    }
}

pub fn opened() -> Entry {
    Entry::Opened {
        tool_version: "0.1.0".to_owned(),
        host: "mx.example".to_owned(),
        uid: 0,
        verb: "requeue".to_owned(),
        words: vec!["requeue".to_owned()],
        folder: None,
        logs: Vec::new(),
    }
}

/// From Anna to these.
pub fn outgoing(recipients: &[&str]) -> Outgoing {
    let recipient =
        |address: &&str| OutgoingRecipient { address: Text::from(*address), ..OutgoingRecipient::default() };
    Outgoing {
        sender: Some(Text::from("anna@a.example")),
        recipients: recipients.iter().map(recipient).collect(),
        ..Outgoing::default()
    }
}

pub fn digest(bytes: &[u8]) -> Digest {
    let mut measuring = Measuring::new(std::io::sink());
    measuring.write_all(bytes).unwrap();
    measuring.finish()
}
