//! Exit codes.

use crate::findings::{Forecast, Summary};
use std::process::ExitCode;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Complete, and nothing was found.
    Clean,
    /// Complete, and there are findings.
    Findings,
    /// It could not run.
    Failed,
    /// Something could not be read; the findings so far are printed.
    Incomplete,
    /// It was interrupted; the findings so far are printed.
    Interrupted,
}

impl Exit {
    /// How a scan ended. Incomplete evidence never ends in 0, and not in 1 either: more may be hidden.
    pub fn of(summary: &Summary, interrupted: bool, exit_zero: bool) -> Self {
        if interrupted {
            Self::Interrupted
        } else if !summary.complete() {
            Self::Incomplete
        } else if summary.reported > 0 && !exit_zero {
            Self::Findings
        } else {
            Self::Clean
        }
    }

    /// How a forecast ended: as a scan does, whose finding is that something would happen, or that it is not known.
    pub fn of_forecast(forecast: &Forecast, exit_zero: bool) -> Self {
        if forecast.interrupted {
            Self::Interrupted
        } else if !forecast.summary.complete() {
            Self::Incomplete
        } else if forecast.matters() && !exit_zero {
            Self::Findings
        } else {
            Self::Clean
        }
    }

    /// The number, as documented in the manual.
    pub fn code(self) -> u8 {
        match self {
            Self::Clean => 0,
            Self::Findings => 1,
            Self::Failed => 2,
            Self::Incomplete => 3,
            Self::Interrupted => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
