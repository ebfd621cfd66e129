//! One mail system, or one store of it, that is being looked at.

use super::{Fact, Locus, Stamp, Text, Time};
use serde::{Deserialize, Serialize};

/// One mail system, or one store of it, that is being looked at.
#[derive(Debug, Clone)]
pub struct Instance {
    /// The source's name: `postfix`.
    pub source: &'static str,
    /// What people call it: `postfix-out`, `SMTP (GW-{…}) TempTable#1`; the path where it has no name.
    pub label: String,
    /// Its folder or file.
    pub root: Text,
    /// Queues or folders that were there to be looked at; an empty list means that the question makes no sense here.
    /// A listing entry of another queue is not "missing on disk".
    pub queues: Vec<String>,
    /// The running mail system, if one was seen to own this spool.
    pub live: Option<Live>,
    /// Whether the configuration of this very host names this place as its own, so that it is no copy even while nothing
    /// runs there.
    pub at_home: bool,
    /// The live epoch as far as it is known.
    pub epochs: Vec<Epoch>,
    /// What its configuration says about time.
    pub limits: Limits,
    /// The newest time that the system itself stamped on this spool (never one that a mail system set by hand). On a copy
    /// this is the nearest thing to "now".
    pub last_activity: Option<Time>,
    /// What was read about it, and where: version, configuration, start time.
    pub facts: Vec<Fact>,
    /// Queues that its own listing never reads.
    pub unlisted_queues: Vec<&'static str>,
    /// What its own listing leaves out by design, e.g. `the default listing does not show this second instance`.
    pub listing_blind_spot: Option<String>,
}

/// A running mail system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Live {
    /// Its master process.
    pub pid: u32,
    /// When that process started.
    pub since: Time,
}

impl Live {
    /// The life of the mail system that this process began; `process` is what to call it (`courierd, process`).
    pub fn epoch(&self, process: &str) -> Epoch {
        let text = format!("{process} {}, runs since {}", self.pid, self.since.rfc3339());
        Epoch {
            stamp: None,
            since: Some(self.since),
            origin: EpochOrigin::Process,
            witnesses: 1,
            fact: Fact::new(text, Locus::whole(format!("/proc/{}", self.pid))),
        }
    }
}

/// One life of the mail system: its stamp, or the time since which it runs, or both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Epoch {
    /// The stamp of that life.
    pub stamp: Option<Stamp>,
    /// Since when it runs.
    pub since: Option<Time>,
    /// How it became known.
    pub origin: EpochOrigin,
    /// How many observations speak for it: rows that the listing shows, for an epoch that was learnt from them; 0 for one
    /// that the operator gave and every listed row contradicts.
    pub witnesses: u64,
    /// Where it became known.
    pub fact: Fact,
}

/// How an epoch became known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EpochOrigin {
    /// The operator said so (`--epoch`, `--epoch-file`).
    Given,
    /// The running process was seen.
    Process,
    /// Learnt from an export row that the listing shows to be live.
    LiveRow,
}

/// What the configuration says about time. `None`: neither configured nor given; a default of the mail system is filled
/// in by its source, with a fact that says so.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// Longest wait between two attempts, in seconds.
    pub maximal_backoff: Option<i64>,
    /// Time between queue runs, in seconds.
    pub queue_run_delay: Option<i64>,
    /// Age at which a message is returned, in seconds.
    pub queue_lifetime: Option<i64>,
    /// The same for bounces.
    pub bounce_lifetime: Option<i64>,
}
