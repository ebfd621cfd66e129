//! What qmail's control files say about time.
//!
//! Source: notqmail `qmail-send.c`: `getcontrols`, `lifetime`, `nextretry`, `chanskip`; `control.c`, `control_readint`.

use crate::evidence::{Fact, Limits, Locus, Text};
use crate::read::disk::Root;
use std::path::{Path, PathBuf};

/// `lifetime` in `qmail-send.c`: a week.
const DEFAULT_LIFETIME: i64 = 604_800;
/// `chanskip[1]` in `qmail-send.c`: the remote channel waits longer than the local one.
const REMOTE_SKIP: i64 = 20;
/// A control file that holds a number is one short line.
const MAX_CONTROL_BYTES: usize = 4 << 10;

/// The limits, those given on the command line first, and facts that say where each comes from.
pub fn limits(queue: &Path, config: Option<&Path>, given: &Limits) -> (Limits, Vec<Fact>) {
    let mut facts = Vec::new();
    let lifetime = given.queue_lifetime.unwrap_or_else(|| {
        let (lifetime, fact) = lifetime(queue, config);
        facts.push(fact);
        lifetime
    });
    let longest = given.maximal_backoff.unwrap_or_else(|| {
        let longest = longest_wait(lifetime);
        let text = format!(
            "qmail has no longest back-off; the last wait within the lifetime, {longest} s, is longer than all before it"
        );
        facts.push(Fact::new(text, Locus::whole(".")));
        longest
    });
    let limits = Limits {
        maximal_backoff: Some(longest),
        queue_run_delay: given.queue_run_delay,
        queue_lifetime: Some(lifetime),
        // A bounce is a message like any other to qmail-send.
        bounce_lifetime: given.bounce_lifetime.or(Some(lifetime)),
    };
    (limits, facts)
}

/// The wait that follows an attempt at this age. The next one is due when the square root of the age has grown by
/// `chanskip`: after `2 · skip · √age + skip²` seconds.
fn longest_wait(lifetime: i64) -> i64 {
    let root = lifetime.max(0).isqrt();
    (2 * REMOTE_SKIP).saturating_mul(root.saturating_add(1)).saturating_add(REMOTE_SKIP * REMOTE_SKIP)
}

/// `queuelifetime` in the control folder that was given, or in the one beside the queue.
fn lifetime(queue: &Path, config: Option<&Path>) -> (i64, Fact) {
    let home = std::fs::canonicalize(queue).ok().and_then(|queue| queue.parent().map(Path::to_owned));
    let given = config.into_iter().flat_map(|folder| [folder.join("control"), folder.to_owned()]);
    let folders: Vec<PathBuf> = given.chain(home.map(|home| home.join("control"))).collect();
    for folder in &folders {
        if let Some(seconds) = read(folder) {
            let path = Text::from_path(&folder.join("queuelifetime"));
            return (seconds, Fact::new(format!("queuelifetime is {seconds} s"), Locus::line(path, 1)));
        }
    }
    let (text, place) = match folders.iter().find(|folder| folder.is_dir()) {
        Some(folder) => ("queuelifetime is 604800 s, the default of qmail", Text::from_path(folder)),
        None => (
            "queuelifetime is taken to be 604800 s, the default of qmail: no control folder was found",
            ".".into(),
        ),
    };
    (DEFAULT_LIFETIME, Fact::new(text, Locus::whole(place)))
}

fn read(folder: &Path) -> Option<i64> {
    let root = Root::open(folder).ok()?;
    let bytes = root.open_file(Path::new("queuelifetime")).ok()?.head(MAX_CONTROL_BYTES).ok()?;
    let line = bytes.split(|byte| *byte == b'\n').next()?;
    let digits: Vec<u8> = line.iter().copied().take_while(u8::is_ascii_digit).collect();
    std::str::from_utf8(&digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_wait_within_the_lifetime_is_longer_than_the_bound() {
        let bound = longest_wait(DEFAULT_LIFETIME);
        // `nextretry` for every age at which a remote recipient can be tried, as qmail-send computes it.
        for age in (0..=DEFAULT_LIFETIME).step_by(7) {
            let next = age.isqrt() + REMOTE_SKIP;
            assert!(next * next - age <= bound, "at the age of {age}");
        }
        assert!(bound < 9 * 3_600, "{bound}");
    }

    #[test]
    fn the_control_file_beside_the_queue_counts() {
        let home = tempfile::tempdir().unwrap();
        let queue = home.path().join("queue");
        std::fs::create_dir_all(&queue).unwrap();
        std::fs::create_dir_all(home.path().join("control")).unwrap();
        let (limits_by_default, facts) = limits(&queue, None, &Limits::default());
        assert_eq!(limits_by_default.queue_lifetime, Some(DEFAULT_LIFETIME));
        assert!(facts[0].text.contains("the default of qmail"));
        std::fs::write(home.path().join("control/queuelifetime"), "1209600\n").unwrap();
        let (limits, _) = limits(&queue, None, &Limits::default());
        assert_eq!((limits.queue_lifetime, limits.bounce_lifetime), (Some(1_209_600), Some(1_209_600)));
        assert!(limits.maximal_backoff > limits_by_default.maximal_backoff);
    }
}
