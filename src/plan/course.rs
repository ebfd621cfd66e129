//! How far a job has come, told from the journal alone.

use super::entry::{End, Entry, LogMark, Outcome};
use super::{Digest, Job, Step};
use crate::evidence::{Stat, Text};
use std::collections::BTreeMap;

/// An operation as the journal tells it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Operation {
    /// Its name.
    pub name: String,
    /// `requeue` or `ndr`.
    pub verb: String,
    /// When it began, RFC 3339.
    pub began: String,
    /// The user who ran it.
    pub uid: u32,
    /// The words of the command line.
    pub words: Vec<String>,
    /// The folder in which it was run.
    pub folder: Option<Text>,
    /// Logs as they were when it began.
    pub logs: Vec<LogMark>,
    /// Its jobs by number.
    pub jobs: BTreeMap<u32, Course>,
    /// Whether it came to its end; `Some` with a reason if it was left off.
    pub ended: Option<String>,
}

/// How far a job has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Course {
    /// The plan.
    pub job: Job,
    /// Copies in the vault, by part.
    pub kept: BTreeMap<usize, String>,
    /// What lies ready to be handed in.
    pub extracted: Option<Digest>,
    /// How far each step has come.
    pub steps: Vec<StepState>,
    /// Recipients that were refused when others were taken; only to them it is handed in again.
    pub remaining: Option<Vec<Text>>,
    /// How it ended.
    pub end: Option<(End, String)>,
}

/// How far a step has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepState {
    /// Not begun.
    Waiting,
    /// The intent is there, the outcome is not.
    Intended {
        /// The metadata of the file before.
        was: Option<Stat>,
        /// Whether the end of the data may have been sent.
        committing: bool,
    },
    /// Done.
    Done {
        /// The metadata of the file before.
        was: Option<Stat>,
        /// What came of it.
        outcome: Outcome,
    },
    /// It may have been done or not: only the operator can tell.
    Unknown {
        /// Why.
        why: String,
    },
    /// It is being taken back.
    Undoing {
        /// The metadata of the file before the step.
        was: Option<Stat>,
    },
    /// It was done and taken back, or was not done.
    Undone,
}

impl StepState {
    /// The word for it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Waiting => "to do",
            Self::Intended { .. } => "begun",
            Self::Done { .. } => "done",
            Self::Unknown { .. } => "UNKNOWN",
            Self::Undoing { .. } => "being taken back",
            Self::Undone => "not done",
        }
    }
}

impl Course {
    /// The course of a job of which nothing has been done.
    pub fn new(job: Job) -> Self {
        let steps = vec![StepState::Waiting; job.steps.len()];
        Self { job, kept: BTreeMap::new(), extracted: None, steps, remaining: None, end: None }
    }

    /// Whether a step was begun, so that the spool may no longer be as it was.
    pub fn touched(&self) -> bool {
        self.steps.iter().any(|state| *state != StepState::Waiting)
    }

    /// Whether the spool is not as it was, or may not be.
    fn is_under_way(&self) -> bool {
        self.touched() && !matches!(self.end, Some((End::Untouched | End::Undone, _)))
    }

    /// Whether everything that the steps need lies in the vault.
    pub fn prepared(&self) -> bool {
        self.kept.len() == self.job.parts.len() && (self.extracted.is_some() || !self.job.hands_in())
    }

    /// The step of which nobody knows whether it was done.
    pub fn unknown(&self) -> Option<(usize, &str)> {
        self.steps.iter().enumerate().find_map(|(number, state)| match state {
            StepState::Unknown { why } => Some((number, why.as_str())),
            _ => None,
        })
    }

    /// What is known of the file before a step changed it.
    pub fn was(&self, step: usize) -> Option<Stat> {
        match self.steps.get(step)? {
            StepState::Intended { was, .. } | StepState::Done { was, .. } | StepState::Undoing { was } => {
                *was
            }
            _ => None,
        }
    }

    /// Takes in a line of the journal.
    pub fn apply(&mut self, entry: &Entry) {
        match entry {
            Entry::Kept { part, file, .. } => {
                self.kept.insert(*part, file.clone());
            }
            Entry::Extracted { content, .. } => self.extracted = Some(content.clone()),
            Entry::Intent { step, was, .. } => {
                self.set(*step, StepState::Intended { was: *was, committing: false });
            }
            Entry::Committing { step, .. } => {
                let was = self.was(*step);
                self.set(*step, StepState::Intended { was, committing: true });
            }
            Entry::Done { step, outcome, .. } => {
                if self.hands_in(*step) {
                    self.remaining = Some(outcome.refused.clone()).filter(|refused| !refused.is_empty());
                }
                let was = self.was(*step);
                self.set(*step, StepState::Done { was, outcome: outcome.clone() });
            }
            Entry::NotDone { step, .. } => {
                // What others have taken stays taken: those who were refused still wait.
                let refused = self.remaining.clone().filter(|_| self.hands_in(*step));
                let state = refused.map_or(StepState::Undone, |refused| StepState::Done {
                    was: self.was(*step),
                    outcome: Outcome { refused, ..Outcome::default() },
                });
                self.set(*step, state);
            }
            Entry::Undone { step, .. } => self.set(*step, StepState::Undone),
            Entry::Unknown { step, why, .. } => self.set(*step, StepState::Unknown { why: why.clone() }),
            Entry::Undoing { step, .. } => {
                let was = self.was(*step);
                self.set(*step, StepState::Undoing { was });
                // Until all of it is back, it is at no end.
                self.end = None;
            }
            Entry::Closed { end, note, .. } => self.end = Some((*end, note.clone())),
            Entry::Opened { .. } | Entry::Planned { .. } | Entry::Ended { .. } | Entry::Torn { .. } => {}
        }
    }

    fn hands_in(&self, step: usize) -> bool {
        self.job.steps.get(step) == Some(&Step::HandIn)
    }

    /// Whether somebody has the message, or may have it, so that the original must not go back.
    pub fn handed_in(&self) -> bool {
        if self.job.door.as_ref().is_some_and(super::Door::is_export) {
            return false;
        }
        self.remaining.is_some()
            || self.steps.iter().enumerate().any(|(number, state)| {
                self.hands_in(number)
                    && match state {
                        StepState::Done { .. } | StepState::Unknown { .. } => true,
                        StepState::Intended { committing, .. } => *committing,
                        StepState::Waiting | StepState::Undoing { .. } | StepState::Undone => false,
                    }
            })
    }

    fn set(&mut self, step: usize, state: StepState) {
        if let Some(known) = self.steps.get_mut(step) {
            *known = state;
        }
    }
}

impl Entry {
    /// The job that a line is about.
    pub fn job(&self) -> Option<u32> {
        match self {
            Self::Planned { job } => Some(job.number),
            Self::Kept { job, .. }
            | Self::Extracted { job, .. }
            | Self::Intent { job, .. }
            | Self::Committing { job, .. }
            | Self::Done { job, .. }
            | Self::NotDone { job, .. }
            | Self::Unknown { job, .. }
            | Self::Undoing { job, .. }
            | Self::Undone { job, .. }
            | Self::Closed { job, .. } => Some(*job),
            Self::Opened { .. } | Self::Ended { .. } | Self::Torn { .. } => None,
        }
    }
}

impl Operation {
    /// Takes in a line of the journal.
    pub fn apply(&mut self, entry: &Entry) {
        match entry {
            Entry::Opened { verb, words, folder, logs, uid, .. } => {
                self.verb.clone_from(verb);
                self.folder.clone_from(folder);
                self.words.clone_from(words);
                self.logs.clone_from(logs);
                self.uid = *uid;
                self.ended = None;
            }
            // A job that was begun is not planned anew before it is back where it was.
            Entry::Planned { job } if self.jobs.get(&job.number).is_some_and(Course::is_under_way) => {}
            Entry::Planned { job } => {
                self.jobs.insert(job.number, Course::new((**job).clone()));
            }
            Entry::Ended { why } => self.ended = Some(why.clone()),
            other => {
                if let Some(course) = other.job().and_then(|number| self.jobs.get_mut(&number)) {
                    course.apply(other);
                }
            }
        }
    }

    /// Whether something is left to do or to decide.
    pub fn is_open(&self) -> bool {
        self.jobs.values().any(|course| course.end.as_ref().is_none_or(|(end, _)| *end == End::Partly))
    }
}
