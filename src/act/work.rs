//! Carrying out a job, from wherever it stands: `apply` and `resume` are the same way.

use super::faults::Faults;
use super::hand_in::{self, Handed, Trace};
use super::journal::Journal;
use super::lock;
use super::spool::Spool;
use super::steps::{Bench, Seen};
use super::tool;
use super::vault::{Changed, Vault, vault_is_outside};
use crate::plan::course::{Course, StepState};
use crate::plan::entry::{End, Entry, Outcome};
use crate::plan::{Change, Command, Door, Job, Step};
use anyhow::{Context as _, Result};
use std::io::Write;

/// Writes what a job hands in: the message, or the report about it.
pub type WriteMessage<'a> = dyn FnMut(&mut dyn Write) -> Result<()> + 'a;

/// Carries out the jobs of one operation.
#[derive(Debug)]
pub struct Workshop<'a> {
    /// The journal.
    pub journal: &'a mut Journal,
    /// The name of the operation.
    pub operation: &'a str,
    /// The name of this host, for the trace field.
    pub host: &'a str,
    /// Where the world can break.
    pub faults: Faults,
}

/// How a job went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Went {
    /// It is at its end.
    Ended(End, String),
    /// Nobody knows whether it was handed in: only the operator can tell.
    Unknown(String),
    /// It was begun before, and just now the mail system has its own lock on it: nothing was done, and it stays open.
    Busy(String),
}

impl Went {
    /// How it ended, if that is known, and what to say of it.
    pub fn parts(&self) -> (Option<End>, &str) {
        match self {
            Self::Ended(end, note) => (Some(*end), note),
            Self::Unknown(why) | Self::Busy(why) => (None, why),
        }
    }
}

/// Why a step was not simply done.
enum Trouble {
    /// The journal or the vault failed: nothing more may be done.
    Fatal(anyhow::Error),
    /// It was not done, and nothing came of it.
    NotDone(String),
    /// It was done at least in part, and has to be taken back.
    HalfDone(String),
    /// Nobody knows.
    Unknown(String),
}

impl From<anyhow::Error> for Trouble {
    fn from(error: anyhow::Error) -> Self {
        Self::Fatal(error)
    }
}

impl Workshop<'_> {
    /// Carries a job on to its end, or to where only the operator can decide.
    ///
    /// # Errors
    /// When the journal cannot be written: the caller has to stop.
    pub fn carry_on(&mut self, course: &mut Course, message: &mut WriteMessage<'_>) -> Result<Went> {
        if let Some((end, note)) = &course.end
            && *end != End::Partly
        {
            return Ok(Went::Ended(*end, note.clone()));
        }
        if let Some((_, why)) = course.unknown() {
            return Ok(Went::Unknown(why.to_owned()));
        }
        let job = course.job.clone();
        let vault = Vault::of(&job, self.faults.clone());
        let spool = match Spool::open(&job.root.to_path(), self.faults.clone()) {
            Ok(spool) => spool,
            Err(error) if !course.touched() => {
                return self.close(course, End::Untouched, format!("`{}`: {error}", job.root.lossy()));
            }
            Err(error) => {
                return Err(error).with_context(|| format!("could not open `{}`", job.root.lossy()));
            }
        };
        let bench = Bench { job: &job, spool: &spool, vault: &vault };
        let held = if course.touched() {
            match lock::again(&spool, &job) {
                Ok(held) => held,
                Err(why) => return Ok(Went::Busy(why)),
            }
        } else {
            match self.begin(course, &bench, message) {
                Ok(held) => held,
                Err(why) => return self.close(course, End::Untouched, why),
            }
        };
        self.steps(course, &bench, held)
    }

    /// Gets everything ready and takes the lock, before anything is touched.
    fn begin(
        &mut self,
        course: &mut Course,
        bench: &Bench<'_>,
        message: &mut WriteMessage<'_>,
    ) -> Result<Option<lock::Held>, String> {
        self.prepare(course, bench, message).map_err(|why| format!("{why:#}"))?;
        let held = match &bench.job.lock {
            Some(wanted) => Some(lock::message(bench.spool, wanted)?),
            None => None,
        };
        // Nobody may have touched them between the copy and the lock; opening them again would end a lock of fcntl.
        unchanged(bench)?;
        Ok(held)
    }

    /// Copies everything that the steps need into the vault.
    fn prepare(
        &mut self,
        course: &mut Course,
        bench: &Bench<'_>,
        message: &mut WriteMessage<'_>,
    ) -> Result<()> {
        let job = bench.job;
        if job.hands_in() {
            hand_in::check(job).map_err(anyhow::Error::msg)?;
        }
        vault_is_outside(&job.root.to_path(), &job.vault.to_path())?;
        let vault = Vault::make(job, self.faults.clone())?;
        for (number, part) in job.parts.iter().enumerate() {
            let file = vault.keep(bench.spool, part, number)?;
            self.write(course, &Entry::Kept { job: job.number, part: number, file })?;
        }
        if job.hands_in() {
            let top = |carriage| hand_in::top(job, self.operation, self.host, carriage);
            let content = vault.extract(&top, message)?;
            if job.content.as_ref().is_some_and(|planned| *planned != content) {
                anyhow::bail!(Changed("the content is no longer what was planned".to_owned()));
            }
            if content.size == 0 && !is_export(job) {
                anyhow::bail!("there is nothing to hand in: the content is empty");
            }
            self.write(course, &Entry::Extracted { job: job.number, content })?;
        }
        Ok(())
    }

    fn steps(
        &mut self,
        course: &mut Course,
        bench: &Bench<'_>,
        mut held: Option<lock::Held>,
    ) -> Result<Went> {
        let mut notes = Vec::new();
        for (number, step) in bench.job.steps.iter().enumerate() {
            if matches!(step, Step::Run { .. }) {
                // The mail system is to work on the message now.
                drop(held.take());
            }
            let state = course.steps.get(number).cloned().unwrap_or(StepState::Waiting);
            let outcome = match state {
                StepState::Done { ref outcome, .. } if outcome.refused.is_empty() => continue,
                StepState::Undone if only_tells(step) && something_was_done(course) => continue,
                StepState::Undoing { .. } | StepState::Undone => {
                    return self.roll_back(course, bench, "it was being put back when ghostq was stopped");
                }
                StepState::Unknown { why } => return Ok(Went::Unknown(why)),
                state => self.step(course, bench, number, &state),
            };
            match outcome {
                Ok(outcome) => {
                    notes.extend(Some(outcome.note.clone()).filter(|note| !note.is_empty()));
                    self.write(course, &Entry::Done { job: bench.job.number, step: number, outcome })?;
                }
                Err(Trouble::Fatal(error)) => return Err(error),
                Err(Trouble::Unknown(why)) => {
                    let entry = Entry::Unknown { job: bench.job.number, step: number, why: why.clone() };
                    self.write(course, &entry)?;
                    return Ok(Went::Unknown(why));
                }
                Err(Trouble::HalfDone(why)) => {
                    self.write(course, &Entry::Undoing { job: bench.job.number, step: number })?;
                    return self.roll_back(course, bench, &why);
                }
                Err(Trouble::NotDone(why)) => {
                    let entry = Entry::NotDone { job: bench.job.number, step: number, why: why.clone() };
                    self.write(course, &entry)?;
                    // Some have it, and the rest goes on waiting in the vault.
                    let partly = matches!(step, Step::HandIn) && course.remaining.is_some();
                    if !(partly || only_tells(step) && something_was_done(course)) {
                        return self.roll_back(course, bench, &why);
                    }
                    // The message is where it belongs; only the mail system was not told, and finds it by itself.
                    notes.push(why);
                }
            }
        }
        let end = if course.remaining.is_some() { End::Partly } else { End::Done };
        self.close(course, end, notes.join("; "))
    }

    /// Does one step, or finds out what became of it.
    fn step(
        &mut self,
        course: &mut Course,
        bench: &Bench<'_>,
        number: usize,
        state: &StepState,
    ) -> Result<Outcome, Trouble> {
        let Some(step) = bench.job.steps.get(number) else { return Ok(Outcome::default()) };
        if let StepState::Intended { was, committing } = state {
            match step {
                Step::HandIn => {
                    let trace =
                        Trace { committing: *committing, folder: *was, again: course.remaining.is_some() };
                    let settled = hand_in::settle(bench.job, self.operation, bench.vault, &trace);
                    if let Some(settled) = settled.map_err(Trouble::Unknown)? {
                        return Ok(settled);
                    }
                }
                _ => match bench.look(step, was.as_ref()) {
                    Ok(Seen::Done) => {
                        bench.check(step).map_err(|error| Trouble::HalfDone(format!("{error:#}")))?;
                        return Ok(Outcome { by_looking: true, ..Outcome::default() });
                    }
                    Ok(Seen::NotDone) => {}
                    Err(error) => return Err(Trouble::Unknown(format!("{error:#}"))),
                },
            }
        }
        let was = match state {
            StepState::Intended { was, .. } => *was,
            _ => bench.before(step).map_err(|error| Trouble::NotDone(format!("{error:#}")))?,
        };
        self.journal.reserve(room_for_outcome(bench.job))?;
        self.write(course, &Entry::Intent { job: bench.job.number, step: number, was })?;
        match step {
            Step::Run { command } => self.run(command),
            Step::HandIn => self.hand_in(course, bench, number),
            Step::Change { .. } | Step::Withdraw { .. } => match bench.perform(step, was.as_ref()) {
                Ok(()) => Ok(Outcome::default()),
                Err(error) => Err(self.after_failure(bench, step, was.as_ref(), &error)),
            },
        }
    }

    /// A call that failed may have done its work before it did: whoever fails to sync a rename has renamed.
    fn after_failure(
        &self,
        bench: &Bench<'_>,
        step: &Step,
        was: Option<&crate::evidence::Stat>,
        error: &anyhow::Error,
    ) -> Trouble {
        // Dead men do not look.
        if let Err(dead) = self.faults.pass("look after a failure") {
            return Trouble::Fatal(dead.into());
        }
        let why = format!("{error:#}");
        match bench.look(step, was) {
            Ok(Seen::NotDone) if !Bench::may_be_half_done(step) => Trouble::NotDone(why),
            Ok(_) => Trouble::HalfDone(why),
            Err(lost) => Trouble::Unknown(format!("{why}; {lost:#}")),
        }
    }

    fn run(&self, command: &Command) -> Result<Outcome, Trouble> {
        self.faults.pass("run a command").map_err(anyhow::Error::from)?;
        let ran = tool::run(&command.program, &command.arguments, None)
            .map_err(|error| Trouble::NotDone(format!("could not run `{}`: {error}", command.program)))?;
        self.faults.pass("the command has run").map_err(anyhow::Error::from)?;
        let as_expected = command.expect.as_ref().is_none_or(|expected| ran.output.contains(expected));
        let line = ran.line();
        match ran.status {
            Some(status) if status.success() && as_expected => {
                Ok(Outcome { note: line, ..Outcome::default() })
            }
            Some(status) => Err(Trouble::NotDone(format!("`{}` failed ({status}): {line}", command.program))),
            None => Err(Trouble::Unknown(format!("`{}`: {line}", command.program))),
        }
    }

    fn hand_in(&mut self, course: &mut Course, bench: &Bench<'_>, number: usize) -> Result<Outcome, Trouble> {
        let job = bench.job;
        let remaining = course.remaining.clone();
        let faults = self.faults.clone();
        faults.pass("hand the message in").map_err(anyhow::Error::from)?;
        let (operation, host) = (self.operation, self.host);
        let mut fatal = None;
        let mut committing = || {
            let told = self.write(course, &Entry::Committing { job: job.number, step: number });
            told.and_then(|()| Ok(faults.pass("the end of the data")?)).map_err(|error| {
                let text = format!("{error:#}");
                fatal = Some(error);
                std::io::Error::other(text)
            })
        };
        let handed =
            hand_in::hand_in(job, operation, host, bench.vault, remaining.as_deref(), &mut committing);
        if let Some(error) = fatal {
            return Err(Trouble::Fatal(error));
        }
        self.faults.pass("the message was handed in").map_err(anyhow::Error::from)?;
        match handed {
            Handed::Taken(outcome) => Ok(outcome),
            Handed::NotTaken(why) => Err(Trouble::NotDone(why)),
            Handed::Unknown(why) => Err(Trouble::Unknown(why)),
        }
    }

    /// Puts everything back that was changed, so that the message is as it was.
    fn roll_back(&mut self, course: &mut Course, bench: &Bench<'_>, why: &str) -> Result<Went> {
        if course.handed_in() {
            // Whoever put it back now would send it a second time.
            let end = if course.remaining.is_some() { End::Partly } else { End::Done };
            return self.close(course, end, why.to_owned());
        }
        match self.take_back_all(course, bench)? {
            Ok(()) => self.close(course, End::Untouched, why.to_owned()),
            Err(stuck) => {
                let note = format!("{why}; {stuck}; it lies in `{}`", bench.vault.path().display());
                self.close(course, End::Held, note)
            }
        }
    }

    /// Takes back every step that was done, the last one first.
    ///
    /// # Errors
    /// The inner error says why a step cannot be taken back; the outer one that the journal failed.
    pub(super) fn take_back_all(
        &mut self,
        course: &mut Course,
        bench: &Bench<'_>,
    ) -> Result<Result<(), String>> {
        for (number, step) in bench.job.steps.iter().enumerate().rev() {
            let begun =
                matches!(course.steps.get(number), Some(StepState::Done { .. } | StepState::Undoing { .. }));
            if !begun || !step.is_reversible() {
                continue;
            }
            let was = course.was(number);
            self.journal.reserve(0)?;
            self.write(course, &Entry::Undoing { job: bench.job.number, step: number })?;
            if let Err(error) = bench.take_back(step, was.as_ref()) {
                self.faults.pass("look after a failure")?;
                return Ok(Err(format!("{error:#}")));
            }
            self.write(course, &Entry::Undone { job: bench.job.number, step: number })?;
        }
        Ok(Ok(()))
    }

    pub(super) fn close(&mut self, course: &mut Course, end: End, note: String) -> Result<Went> {
        let entry = Entry::Closed { job: course.job.number, end, note: note.clone() };
        self.write(course, &entry)?;
        Ok(Went::Ended(end, note))
    }

    pub(super) fn write(&mut self, course: &mut Course, entry: &Entry) -> Result<()> {
        self.journal.append(self.operation, entry)?;
        course.apply(entry);
        Ok(())
    }
}

/// Whether a step before the present one was done for good.
fn something_was_done(course: &Course) -> bool {
    course.steps.iter().any(|state| matches!(state, StepState::Done { .. }))
}

/// Whether a step only lets the mail system know: without it, it finds the message all the same.
fn only_tells(step: &Step) -> bool {
    matches!(step, Step::Run { .. } | Step::Change { change: Change::Wake { .. } })
}

fn is_export(job: &Job) -> bool {
    job.door.as_ref().is_some_and(Door::is_export)
}

/// Bytes that the outcome of a step may take beyond a note: the names of recipients that were refused.
fn room_for_outcome(job: &Job) -> u64 {
    let recipients = job.outgoing.iter().flat_map(|outgoing| &outgoing.recipients);
    // JSON takes six characters for the worst of bytes.
    recipients.map(|recipient| recipient.address.bytes().len() as u64 * 6 + 3).sum()
}

/// Whether every part is as it was planned, told without opening it.
fn unchanged(bench: &Bench<'_>) -> Result<(), String> {
    let job: &Job = bench.job;
    for part in &job.parts {
        let now =
            bench.spool.stat(&part.path).map_err(|error| format!("`{}`: {error}", part.path.lossy()))?;
        let same = now.is_some_and(|(_, now)| {
            crate::evidence::Stat { accessed: part.stat.accessed, ..now } == part.stat
        });
        if !same {
            return Err(format!("`{}` changed since it was planned", part.path.lossy()));
        }
    }
    Ok(())
}
