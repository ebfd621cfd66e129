//! `ghostq resume`: what was begun is carried on from the journal alone; what was not begun is planned anew.

use super::apply::{Applied, Told, carry_out, folder_of};
use super::content::Writer;
use super::plan;
use super::undo::Target;
use super::{ActRequest, Selection};
use crate::act::faults::Faults;
use crate::act::journal::{self, Journal};
use crate::act::lock;
use crate::act::work::Workshop;
use crate::evidence::Text;
use crate::plan::course::{Course, Operation, StepState};
use crate::plan::entry::{Entry, LogMark, Outcome};
use crate::plan::{Job, Refused};
use anyhow::{Result, bail};
use std::collections::HashSet;
use std::io::{Read as _, Seek as _};
use std::path::Path;

/// What the operator knows of a message of which the journal does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// It was handed in.
    Sent,
    /// It was not.
    NotSent,
}

/// What would be resumed.
///
/// # Errors
/// When the journal cannot be read, or nothing is open.
pub fn pending(state: &Path, target: &Target) -> Result<Operation> {
    let told = journal::read(state)?;
    Ok(target.find(&told, true)?.clone())
}

/// What a log tells about a message since the operation began, for a person to decide: the first line with its Message-ID.
pub fn log_hint(operation: &Operation, job: &Job) -> Option<String> {
    let id = job.message_id.as_ref()?.lossy().trim_matches(['<', '>']).to_owned();
    operation.logs.iter().filter(|_| id.len() > 3).find_map(|mark| line_since(mark, &id))
}

/// The part of a log that is read.
const MAX_LOG: u64 = 64 << 20;

fn line_since(mark: &LogMark, id: &str) -> Option<String> {
    use std::os::unix::fs::MetadataExt as _;
    let mut file = std::fs::File::open(mark.path.to_path()).ok()?;
    let now = file.metadata().ok()?;
    // A log that was rotated begins anew.
    let start = if now.ino() == mark.inode && now.len() >= mark.size { mark.size } else { 0 };
    file.seek(std::io::SeekFrom::Start(start)).ok()?;
    let mut bytes = Vec::new();
    file.take(MAX_LOG).read_to_end(&mut bytes).ok()?;
    let line = bytes
        .split(|byte| *byte == b'\n')
        .find(|line| memchr::memmem::find(line, id.as_bytes()).is_some())?;
    Some(String::from_utf8_lossy(line).chars().take(300).collect())
}

/// Carries on what was begun.
///
/// # Errors
/// When another operator acts, or the journal cannot be written.
pub fn begun(
    state: &Path,
    host: &str,
    target: &Target,
    known: Option<Known>,
    told: &mut Told<'_>,
) -> Result<Applied> {
    let _only_one = lock::operator(state)?;
    let (mut journal, before) = Journal::open(state, Faults::none())?;
    let mut operation = target.find(&before, true)?.clone();
    let name = operation.name.clone();
    if known.is_some() && target.job.is_none() {
        bail!("say which message: `ghostq resume {name}.NUMBER --sent`");
    }
    if let Some(number) = target.job {
        let Some(course) = operation.jobs.get(&number) else {
            bail!("operation {name} has no message {number}")
        };
        // Whoever says what became of a message means one of which nobody knows, and does not want any other to be begun.
        if known.is_some() && course.unknown().is_none() {
            bail!(
                "it is known what became of {name}.{number}: nothing is to be decided; `ghostq journal {name}` shows it"
            );
        }
    }
    let mut workshop = Workshop { journal: &mut journal, operation: &name, host, faults: Faults::none() };
    let mut applied = Applied { operation: name.clone(), went: Vec::new(), left: 0, why: String::new() };
    for course in operation.jobs.values_mut().filter(|course| target.takes(course.job.number)) {
        let finished = course.end.is_some() && course.remaining.is_none();
        if finished || !course.touched() {
            applied.left += usize::from(!finished);
            continue;
        }
        if let Some(known) = known {
            decide(&mut workshop, course, known)?;
        }
        let went = workshop.carry_on(course, &mut |_| bail!("what is handed in is not in the vault"))?;
        told(&name, &course.job, &went);
        applied.went.push((course.job.clone(), went));
    }
    Ok(applied)
}

/// Writes down what the operator knows.
fn decide(workshop: &mut Workshop<'_>, course: &mut Course, known: Known) -> Result<()> {
    let Some((step, _)) = course.unknown() else {
        bail!("it is known what became of {}: nothing is to be decided", course.job.called());
    };
    let number = course.job.number;
    let entry = match known {
        Known::Sent => {
            let note = "the operator says that it was handed in".to_owned();
            Entry::Done { job: number, step, outcome: Outcome { note, ..Outcome::default() } }
        }
        Known::NotSent => {
            let why = "the operator says that it was not handed in".to_owned();
            Entry::NotDone { job: number, step, why }
        }
    };
    workshop.journal.append(workshop.operation, &entry)?;
    course.apply(&entry);
    debug_assert!(!matches!(course.steps.get(step), Some(StepState::Unknown { .. })));
    Ok(())
}

/// Plans anew what was not begun, and carries it out. `request` is made from the words of the operation.
///
/// # Errors
/// When nothing can be scanned, another operator acts, or the journal cannot be written.
pub fn not_begun(
    request: &ActRequest,
    operation: &Operation,
    target: &Target,
    told: &mut Told<'_>,
) -> Result<(Applied, Vec<Refused>)> {
    let waiting: Vec<&Course> = operation
        .jobs
        .values()
        .filter(|course| target.takes(course.job.number) && course.end.is_none() && !course.touched())
        .collect();
    let findings: HashSet<String> = waiting.iter().map(|course| course.job.finding.clone()).collect();
    let request = ActRequest {
        selection: Selection { ids: Vec::new(), findings: Some(findings), again: true },
        max: Some(waiting.len().max(1)),
        canary: false,
        ..request.clone()
    };
    let (scene, planned) = plan::plan(&request)?;
    let _only_one = lock::operator(&request.state)?;
    let (mut journal, now) = Journal::open(&request.state, Faults::none())?;
    // Another ghostq may have carried on with it while this one planned.
    let still = |number: u32| {
        let course = now.operation(&operation.name).and_then(|operation| operation.jobs.get(&number));
        course.is_some_and(|course| course.end.is_none() && !course.touched())
    };
    let mut courses = Vec::new();
    // What is not found any more is named below, by its queue ID.
    let mut gone: Vec<Refused> = planned.refused.iter().filter(|one| !one.rule.is_empty()).cloned().collect();
    for course in waiting.into_iter().filter(|course| still(course.job.number)) {
        let number = course.job.number;
        let anew = planned.jobs.iter().find(|planned| planned.job.finding == course.job.finding);
        if let Some(other) = anew.and_then(|planned| difference(&course.job, &planned.job)) {
            // It stays open: where it was planned, it may be there.
            gone.push(refused(
                &course.job,
                other,
                "run `ghostq resume` as the operation was run, or plan it anew",
            ));
        } else if let Some(planned) = anew {
            let mut job = Job { number, ..planned.job.clone() };
            job.vault = folder_of(&job, &operation.name);
            journal.append(&operation.name, &Entry::Planned { job: Box::new(job.clone()) })?;
            courses.push((
                Course::new(job),
                Writer::new(&request, &scene, &planned.finding, planned.reported.clone()),
            ));
        } else {
            let note = "it is no longer found, or nothing can be done about it any more".to_owned();
            let end = crate::plan::entry::End::Untouched;
            journal.append(&operation.name, &Entry::Closed { job: number, end, note: note.clone() })?;
            if !gone.iter().any(|refused| refused.finding == course.job.finding) {
                gone.push(refused(&course.job, note, ""));
            }
        }
    }
    let limit = courses.len();
    let mut workshop = Workshop {
        journal: &mut journal,
        operation: &operation.name,
        host: &request.mail_name,
        faults: Faults::none(),
    };
    let applied = carry_out(&request, &mut workshop, &mut courses, limit, told)?;
    Ok((applied, gone))
}

/// In what a plan made anew is not the plan of the same message: a finding is known by a short name, which says neither in which folder
/// it lies nor whether its queue ID was given to another message since.
fn difference(before: &Job, now: &Job) -> Option<String> {
    let address = |job: &Job| -> HashSet<Text> {
        let outgoing = job.outgoing.iter().flat_map(|outgoing| &outgoing.recipients);
        outgoing.map(|recipient| recipient.address.clone()).collect()
    };
    let content = before.content.as_ref().zip(now.content.as_ref());
    if before.root != now.root {
        return Some(format!(
            "it was planned in `{}`, and not in `{}`",
            before.root.lossy(),
            now.root.lossy()
        ));
    }
    if (&before.native, &before.message_id) != (&now.native, &now.message_id)
        || content.is_some_and(|(before, now)| before != now)
    {
        return Some("another message lies there by now".to_owned());
    }
    if before.hands_in() && now.hands_in() && before.door != now.door {
        return Some("it was to be handed in elsewhere".to_owned());
    }
    let more = before.outgoing.is_some() && !address(now).is_subset(&address(before));
    more.then(|| "it would go to others than was planned".to_owned())
}

fn refused(job: &Job, reason: String, hint: &str) -> Refused {
    Refused {
        finding: job.finding.clone(),
        called: job.called(),
        rule: job.rule.clone(),
        place: job.place.clone(),
        reason,
        hint: hint.to_owned(),
    }
}
