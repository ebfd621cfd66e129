//! What the configuration says about time. Source: nullmailer `src/send.cc`, `load_config`: one number in a file of its own.

use crate::evidence::{Fact, Limits, Locus, Text};
use crate::read::disk::Root;
use std::path::{Path, PathBuf};

/// A file that holds one number is no longer.
const MAX_BYTES: usize = 64;

/// Name, what it is, and the default in seconds.
const NUMBERS: [(&str, &str, i64); 3] = [
    ("queuelifetime", "lifetime of a message", 7 * 86_400),
    ("maxpause", "longest pause between two runs", 86_400),
    ("pausetime", "shortest pause between two runs", 60),
];

/// The limits, and where each is from. What the operator gave wins.
pub fn limits(spool: &Path, config: Option<&Path>, given: &Limits) -> (Limits, Vec<Fact>) {
    let folder = config.map(Path::to_owned).or_else(|| beside(spool));
    let mut facts = Vec::new();
    let [lifetime, longest, shortest] = NUMBERS.map(|(name, what, default)| {
        let read = folder.as_deref().and_then(|folder| number(folder, name));
        facts.push(match (&folder, read) {
            (Some(folder), Some(seconds)) => {
                let place = Locus::whole(Text::from_path(&folder.join(name)));
                Fact::new(format!("{name}: {what} is {seconds} s"), place)
            }
            _ => Fact::new(format!("{name} is not configured: {what} is {default} s"), Locus::whole(".")),
        });
        read.unwrap_or(default)
    });
    let limits = Limits {
        maximal_backoff: given.maximal_backoff.or(Some(longest)),
        queue_run_delay: given.queue_run_delay.or(Some(shortest)),
        queue_lifetime: given.queue_lifetime.or(Some(lifetime)),
        bounce_lifetime: given.bounce_lifetime.or(Some(lifetime)),
    };
    (limits, facts)
}

/// `etc/nullmailer` of the system in which the spool lies.
fn beside(spool: &Path) -> Option<PathBuf> {
    let spool = std::fs::canonicalize(spool).ok()?;
    let tree = spool.ends_with("var/spool/nullmailer").then(|| spool.ancestors().nth(3)).flatten()?;
    Some(tree.join("etc/nullmailer"))
}

fn number(folder: &Path, name: &str) -> Option<i64> {
    let bytes = Root::open(folder).ok()?.open_file(Path::new(name)).ok()?.all(MAX_BYTES).ok()?;
    std::str::from_utf8(&bytes).ok()?.trim().parse().ok().filter(|seconds| *seconds >= 0)
}
