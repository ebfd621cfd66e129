//! Carrying out a plan.

use super::content::{self, Writer};
use super::plan::Planned;
use super::{ActRequest, state};
use crate::act::faults::Faults;
use crate::act::journal::Journal;
use crate::act::lock;
use crate::act::pace::Pace;
use crate::act::work::{Went, Workshop};
use crate::evidence::{Text, Time};
use crate::plan::Job;
use crate::plan::course::{Course, Operation};
use crate::plan::entry::{End, Entry, LogMark};
use crate::run::interrupt;
use crate::run::scene::Scene;
use anyhow::{Result, bail};
use sha2::Digest as _;
use std::path::Path;
use std::time::{Duration, Instant};

/// Logs in which a mail system may tell what became of a message.
const LOGS: [&str; 5] = [
    "/var/log/mail.log",
    "/var/log/maillog",
    "/var/log/postfix.log",
    "/var/log/exim4/mainlog",
    "/var/log/exim/main.log",
];

/// What was done.
#[derive(Debug)]
pub struct Applied {
    /// The name of the operation.
    pub operation: String,
    /// Each job and how it went.
    pub went: Vec<(Job, Went)>,
    /// Jobs that were not begun.
    pub left: usize,
    /// Why it ended before all were done; empty if they were.
    pub why: String,
}

impl Applied {
    /// Whether everything that was begun is done.
    pub fn complete(&self) -> bool {
        self.left == 0 && self.went.iter().all(|(_, went)| matches!(went, Went::Ended(End::Done, _)))
    }
}

/// Called after each message, with the name of the operation.
pub type Told<'a> = dyn FnMut(&str, &Job, &Went) + 'a;

/// Carries out a plan from its beginning.
///
/// # Errors
/// When another operator acts, an earlier operation was broken off in the middle of a message, or the journal cannot be written.
pub fn apply(
    request: &ActRequest,
    scene: &Scene<'_>,
    planned: &Planned,
    told: &mut Told<'_>,
) -> Result<Applied> {
    apply_in(request, scene, planned, told, &Faults::none())
}

/// The same in a world that may break.
pub(super) fn apply_in(
    request: &ActRequest,
    scene: &Scene<'_>,
    planned: &Planned,
    told: &mut Told<'_>,
    faults: &Faults,
) -> Result<Applied> {
    state::make(&request.state)?;
    let _only_one = lock::operator(&request.state)?;
    let (mut journal, before) = Journal::open(&request.state, faults.clone())?;
    if let Some(broken) = before.operations.iter().find(|operation| was_broken_off(operation)) {
        bail!(
            "operation {} was broken off in the middle of a message; run `ghostq resume {}` first",
            broken.name,
            broken.name
        );
    }
    let operation = new_name(&before.operations);
    journal.append(&operation, &opening(request))?;
    let mut courses = Vec::new();
    for planned in &planned.jobs {
        let mut job = planned.job.clone();
        job.vault = folder_of(&job, &operation);
        journal.append(&operation, &Entry::Planned { job: Box::new(job.clone()) })?;
        courses.push((
            Course::new(job),
            Writer::new(request, scene, &planned.finding, planned.reported.clone()),
        ));
    }
    let limit = if request.canary { 1 } else { courses.len() };
    let mut workshop = Workshop {
        journal: &mut journal,
        operation: &operation,
        host: &request.mail_name,
        faults: faults.clone(),
    };
    carry_out(request, &mut workshop, &mut courses, limit, told)
}

/// Where the copies of a job lie.
pub(super) fn folder_of(job: &Job, operation: &str) -> Text {
    Text::from_path(&job.vault.to_path().join(operation).join(job.number.to_string()))
}

/// Carries out jobs in their order, as fast as the pace allows.
pub(super) fn carry_out(
    request: &ActRequest,
    workshop: &mut Workshop<'_>,
    courses: &mut [(Course, Writer<'_>)],
    limit: usize,
    told: &mut Told<'_>,
) -> Result<Applied> {
    let operation = workshop.operation.to_owned();
    let mut applied = Applied { operation: operation.clone(), went: Vec::new(), left: 0, why: String::new() };
    let mut pace = Pace::new(request.rate, request.per_domain);
    let mut waiting: Vec<_> =
        courses.iter_mut().map(|(course, writer)| (domains(&course.job, writer), (course, writer))).collect();
    while !waiting.is_empty() {
        if interrupt::interrupted() {
            "it was interrupted".clone_into(&mut applied.why);
        } else if applied.went.len() >= limit {
            "only the first was to be done; look what became of it, and go on with `ghostq resume`"
                .clone_into(&mut applied.why);
        } else if matches!(applied.went.last(), Some((_, Went::Unknown(_)))) {
            // A full disk would make one of each.
            "nobody knows whether the last one was handed in; settle that, so that the others do not go the same way"
                .clone_into(&mut applied.why);
        }
        if !applied.why.is_empty() {
            break;
        }
        let next = next(&waiting, &pace);
        let (domains, (course, writer)) = waiting.remove(next);
        let mark = content::mark(&course.job, &operation);
        let went = workshop.carry_on(course, &mut |out| writer.write(&mark, out))?;
        pace.gone(&domains, Instant::now());
        told(&operation, &course.job, &went);
        applied.went.push((course.job.clone(), went));
    }
    applied.left = waiting.len();
    workshop.journal.append(&operation, &Entry::Ended { why: applied.why.clone() })?;
    Ok(applied)
}

/// The first job that may go now; if none may, the one that may soonest, when it may.
fn next<T>(waiting: &[(Vec<String>, T)], pace: &Pace) -> usize {
    loop {
        let now = Instant::now();
        let waits = || waiting.iter().map(|(domains, _)| pace.wait(domains, now));
        if let Some(number) = waits().position(|wait| wait.is_zero()) {
            return number;
        }
        let (wait, number) = waits().zip(0..).min().unwrap_or_default();
        if interrupt::interrupted() {
            return number;
        }
        std::thread::sleep(wait.min(Duration::from_millis(200)));
    }
}

/// The domains to which a job sends, or lets the mail system send.
pub(super) fn domains(job: &Job, writer: &Writer<'_>) -> Vec<String> {
    let addresses: Vec<&Text> = match &job.outgoing {
        Some(outgoing) => outgoing.recipients.iter().map(|recipient| &recipient.address).collect(),
        None => writer.addresses(),
    };
    let domain = |address: &Text| Some(address.lossy().rsplit_once('@')?.1.to_ascii_lowercase());
    let mut domains: Vec<String> = addresses.into_iter().filter_map(domain).collect();
    domains.sort();
    domains.dedup();
    domains
}

/// Whether somebody has to carry on before anything else is done.
fn was_broken_off(operation: &Operation) -> bool {
    operation
        .jobs
        .values()
        .any(|course| course.touched() && course.end.is_none() && course.unknown().is_none())
}

fn opening(request: &ActRequest) -> Entry {
    Entry::Opened {
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        host: request.scan.host.clone(),
        uid: crate::read::process::user(),
        verb: request.verb.name().to_owned(),
        words: request.words.clone(),
        folder: std::env::current_dir().ok().map(|folder| Text::from_path(&folder)),
        logs: LOGS.iter().filter_map(|path| log_mark(Path::new(path))).collect(),
    }
}

fn log_mark(path: &Path) -> Option<LogMark> {
    use std::os::unix::fs::MetadataExt as _;
    let data = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file)?;
    Some(LogMark { path: Text::from_path(path), inode: data.ino(), size: data.len() })
}

/// A name for an operation: when it began, and four digits that tell it from another of the same second.
fn new_name(known: &[Operation]) -> String {
    let now = Time::now();
    let time: String = now.rfc3339().chars().take(19).filter(|c| c.is_ascii_digit() || *c == 'T').collect();
    let mut seed = format!("{} {}", now.rfc3339(), std::process::id());
    loop {
        let digest = crate::read::streams::hex(&sha2::Sha256::digest(&seed));
        let digits: String = digest.chars().take(4).collect();
        let name = format!("{}-{digits}", time.replace('T', "-"));
        if known.iter().all(|operation| operation.name != name) {
            return name;
        }
        seed = digest;
    }
}
