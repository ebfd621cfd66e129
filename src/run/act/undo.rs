//! `ghostq undo`.

use super::apply::Applied;
use crate::act::faults::Faults;
use crate::act::journal::{self, Journal};
use crate::act::lock;
use crate::act::undo::obstacle;
use crate::act::work::{Went, Workshop};
use crate::plan::Job;
use crate::plan::course::Operation;
use crate::plan::entry::End;
use anyhow::{Result, bail};
use std::path::Path;

/// Names an operation and, with a number behind a full stop, one message of it: `20261126-044658-1f2e.3`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The operation; `None` is the newest.
    pub operation: Option<String>,
    /// The message; `None` is all of them.
    pub job: Option<u32>,
}

impl Target {
    /// Reads what was typed.
    ///
    /// # Errors
    /// When the number is none.
    pub fn parse(text: Option<&str>) -> Result<Self> {
        let Some(text) = text else { return Ok(Self { operation: None, job: None }) };
        let Some((operation, number)) = text.rsplit_once('.') else {
            return Ok(Self { operation: Some(text.to_owned()), job: None });
        };
        match number.parse() {
            Ok(number) => Ok(Self { operation: Some(operation.to_owned()), job: Some(number) }),
            Err(_) => bail!("`{text}` is neither an operation nor a message of one (OPERATION.NUMBER)"),
        }
    }

    /// The operation that is meant.
    ///
    /// # Errors
    /// When there is none.
    pub fn find<'t>(&self, told: &'t journal::Told, open: bool) -> Result<&'t Operation> {
        let newest = || told.operations.iter().rev().find(|operation| !open || operation.is_open());
        let found = match &self.operation {
            Some(name) => told.operation(name),
            None => newest(),
        };
        match (found, &self.operation) {
            (Some(operation), _) => Ok(operation),
            (None, Some(name)) => {
                bail!("the journal knows no operation `{name}`; `ghostq journal` lists them")
            }
            (None, None) if open => bail!("nothing is left to do: no operation is open"),
            (None, None) => bail!("the journal is empty"),
        }
    }

    /// Whether a message is meant.
    pub fn takes(&self, number: u32) -> bool {
        self.job.is_none_or(|job| job == number)
    }
}

/// A job and, if it cannot be taken back, why.
pub type Undoable = (Job, Option<String>);

/// What would be taken back: each job, and why not.
///
/// # Errors
/// When the journal cannot be read, or knows no such operation.
pub fn plan(state: &Path, target: &Target) -> Result<(Operation, Vec<Undoable>)> {
    let told = journal::read(state)?;
    let operation = target.find(&told, false)?.clone();
    let courses = operation.jobs.values().rev().filter(|course| target.takes(course.job.number));
    let jobs: Vec<_> = courses.map(|course| (course.job.clone(), obstacle(course))).collect();
    if jobs.is_empty() {
        bail!("operation {} has no such message", operation.name);
    }
    Ok((operation, jobs))
}

/// Takes an operation back, the last message first.
///
/// # Errors
/// When another operator acts, or the journal cannot be written.
pub fn apply(state: &Path, host: &str, target: &Target) -> Result<Applied> {
    let _only_one = lock::operator(state)?;
    let (mut journal, told) = Journal::open(state, Faults::none())?;
    let mut operation = target.find(&told, false)?.clone();
    let name = operation.name.clone();
    if !operation.jobs.keys().any(|number| target.takes(*number)) {
        bail!("operation {name} has no such message");
    }
    let mut workshop = Workshop { journal: &mut journal, operation: &name, host, faults: Faults::none() };
    let mut went = Vec::new();
    for course in operation.jobs.values_mut().rev().filter(|course| target.takes(course.job.number)) {
        let outcome = match obstacle(course) {
            Some(why) => Went::Ended(End::Untouched, why),
            None => workshop.undo(course)?,
        };
        went.push((course.job.clone(), outcome));
    }
    Ok(Applied { operation: name, went, left: 0, why: String::new() })
}
