//! Pipelines: what each verb does, from the places to the exit code.

#[cfg(unix)]
pub mod act;
pub mod duplicates;
pub mod exit;
pub mod explain;
pub mod filter;
pub mod forecast;
pub mod interrupt;
pub mod learn;
pub mod look;
pub mod missing;
pub mod prepare;
pub mod report_file;
pub mod scan;
pub mod scene;
pub mod settle;
pub mod show;
pub mod views;

use crate::sources::Options;
use filter::Filter;
use std::path::PathBuf;
use std::time::Duration;

/// What a scan is asked to do. Every default has been decided before it comes here.
#[derive(Debug, Clone)]
pub struct ScanRequest {
    /// Paths to look at; none: the usual places of this host.
    pub paths: Vec<PathBuf>,
    /// Exports of temporary tables.
    pub temp_tables: Vec<PathBuf>,
    /// The source that was named.
    pub source: Option<String>,
    /// What to hold the disk against.
    pub listing: ListingChoice,
    /// What the sources are told.
    pub options: Options,
    /// Open no message in which nothing seems wrong by names and metadata, where the source can tell.
    pub no_envelopes: bool,
    /// What to report.
    pub filter: Filter,
    /// How long to wait between the two looks at a running mail system.
    pub settle: Duration,
    /// Reader threads.
    pub threads: usize,
    /// Whether to show progress.
    pub progress: bool,
    /// The name of this host, for the report.
    pub host: String,
    /// The arguments by which the same evidence is scanned again, for commands that the report proposes.
    pub again: Vec<String>,
}

/// Where listings come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListingChoice {
    /// Live where the mail system runs here and its tool changes nothing, else none.
    Auto,
    /// Live, or it is an error.
    Live,
    /// None.
    None,
    /// These files.
    Files(Vec<PathBuf>),
}
