//! What the configuration says about time. Source: Courier `courier/libs/comreadtime.c`, `comconfig.c`, and for the pauses
//! `courier/cdmsgq3.C`: `retrygamma` doubled as often as `retrymaxdelta` says.

use crate::evidence::{Fact, Limits, Locus, Text, parse_duration};
use crate::read::disk::Root;
use std::path::{Path, PathBuf};

/// A file that holds one number is no longer.
const MAX_BYTES: usize = 256;
/// More doublings than this are a slip of the pen.
const MOST_DOUBLINGS: i64 = 20;
/// An attempt may end, and the next one be planned, after the clock of a scan was read.
const MARGIN: i64 = 60;

/// The limits, and where they are from. What the operator gave wins.
pub fn limits(spool: &Path, config: Option<&Path>, given: &Limits) -> (Limits, Vec<Fact>) {
    let folder = config.map(Path::to_owned).or_else(|| beside(spool));
    let mut facts = Vec::new();
    let mut value = |name: &str, default: i64| {
        let read = folder
            .as_deref()
            .and_then(|folder| line(folder, name))
            .and_then(|text| parse_duration(&text, 's'));
        facts.push(match (&folder, read) {
            (Some(folder), Some(value)) => {
                Fact::new(format!("{name} is {value}"), Locus::whole(Text::from_path(&folder.join(name))))
            }
            _ => Fact::new(format!("{name} is not configured, and so is {default}"), Locus::whole(".")),
        });
        read.unwrap_or(default)
    };
    let lifetime = value("queuetime", 7 * 86_400);
    let first = value("retryalpha", 300);
    let later = value("retrygamma", 900);
    let doublings = value("retrymaxdelta", 3).clamp(0, MOST_DOUBLINGS);
    let longest = later.saturating_mul(1 << doublings).max(first);
    let limits = Limits {
        maximal_backoff: given.maximal_backoff.or(Some(longest.saturating_add(MARGIN))),
        queue_run_delay: given.queue_run_delay.or(Some(first)),
        queue_lifetime: given.queue_lifetime.or(Some(lifetime)),
        bounce_lifetime: given.bounce_lifetime.or(Some(lifetime)),
    };
    (limits, facts)
}

/// `etc/courier` of the system in which the spool lies.
fn beside(spool: &Path) -> Option<PathBuf> {
    let spool = std::fs::canonicalize(spool).ok()?;
    let usual = spool.ends_with("var/lib/courier") || spool.ends_with("var/spool/courier");
    let tree = usual.then(|| spool.ancestors().nth(3)).flatten()?;
    Some(tree.join("etc/courier"))
}

fn line(folder: &Path, name: &str) -> Option<String> {
    let bytes = Root::open(folder).ok()?.open_file(Path::new(name)).ok()?.all(MAX_BYTES).ok()?;
    let first = bytes.split(|byte| *byte == b'\n').next()?;
    Some(std::str::from_utf8(first).ok()?.trim().to_owned())
}
