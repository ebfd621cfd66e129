//! Taking back what was done.

use super::lock;
use super::spool::Spool;
use super::steps::Bench;
use super::vault::Vault;
use super::work::{Went, Workshop};
use crate::plan::course::{Course, StepState};
use crate::plan::entry::{End, Entry};
use crate::plan::{Door, Step};
use anyhow::{Context as _, Result};

/// Why a job cannot be taken back; `None` if it can.
pub fn obstacle(course: &Course) -> Option<String> {
    match &course.end {
        Some((End::Untouched, _)) => return Some("nothing was done".to_owned()),
        Some((End::Undone, _)) => return Some("it was undone already".to_owned()),
        None if !course.touched() => return Some("nothing was done yet".to_owned()),
        _ => {}
    }
    if let Some((number, why)) = course.unknown() {
        let what = match course.job.steps.get(number) {
            Some(Step::HandIn) | None => "it was handed in".to_owned(),
            Some(step) => format!("this was done: {}", step.describe()),
        };
        return Some(format!(
            "nobody knows whether {what} ({why}); settle that first: `ghostq resume --sent` or `--not-sent`"
        ));
    }
    if course.handed_in() {
        let why = "the message was handed in; to put the original back would send it a second time";
        return Some(why.to_owned());
    }
    course.job.steps.iter().zip(&course.steps).find_map(|(step, state)| {
        let done = matches!(state, StepState::Done { .. } | StepState::Intended { .. });
        match step {
            Step::Run { command } if done && command.undo.is_empty() => {
                Some(format!("`{}` cannot be taken back", step.describe()))
            }
            Step::Run { command } if done => {
                Some(format!("`{}` is taken back by hand: {}", step.describe(), command.undo))
            }
            _ => None,
        }
    })
}

impl Workshop<'_> {
    /// Takes a job back, step by step, the last one first.
    ///
    /// # Errors
    /// When the journal cannot be written, or the spool cannot be opened.
    pub fn undo(&mut self, course: &mut Course) -> Result<Went> {
        if let Some(why) = obstacle(course) {
            return Ok(Went::Ended(course.end.as_ref().map_or(End::Untouched, |(end, _)| *end), why));
        }
        let job = course.job.clone();
        let root = job.root.to_path();
        let spool = Spool::open(&root, self.faults.clone())
            .with_context(|| format!("could not open `{}`", root.display()))?;
        let vault = Vault::of(&job, self.faults.clone());
        let bench = Bench { job: &job, spool: &spool, vault: &vault };
        let _lock = match lock::again(&spool, &job) {
            Ok(held) => held,
            Err(why) => return Ok(Went::Busy(why)),
        };
        // A step whose outcome is not in the journal counts as done: what was not done is taken back by doing nothing.
        for (number, step) in job.steps.iter().enumerate() {
            if step.is_reversible() && matches!(course.steps.get(number), Some(StepState::Intended { .. })) {
                self.write(course, &Entry::Undoing { job: job.number, step: number })?;
            }
        }
        match self.take_back_all(course, &bench)? {
            Ok(()) => {
                let export = job.door.as_ref().is_some_and(Door::is_export);
                let note = if export {
                    "its spool is as it was; what was written into the folder stays there"
                } else {
                    "everything is as it was"
                };
                self.close(course, End::Undone, note.to_owned())
            }
            Err(why) => {
                let note =
                    format!("{why}; what is not back in the spool lies in `{}`", vault.path().display());
                self.close(course, End::Held, note)
            }
        }
    }
}
