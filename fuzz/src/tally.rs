//! What was understood of the seeds, counted: a target that reaches nothing finds nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

static COUNTING: AtomicBool = AtomicBool::new(false);
static INPUT: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Whether the seeds are counted: then each goes every way, not one that depends on its bytes.
pub fn counting() -> bool {
    COUNTING.load(Ordering::Relaxed)
}

/// This input yielded something of this kind.
pub fn saw(kind: &str, what: &str) {
    if counting() {
        INPUT.lock().expect("one thread").insert(format!("{kind}: {what}"));
    }
}

/// Runs all inputs, and says how many of them yielded what; what is expected and missing is an error.
pub fn count<T>(inputs: &[T], expected: BTreeSet<String>, run: impl Fn(&T)) -> Result<(), String> {
    COUNTING.store(true, Ordering::Relaxed);
    let mut counts: BTreeMap<String, usize> = expected.into_iter().map(|what| (what, 0)).collect();
    for input in inputs {
        run(input);
        for what in std::mem::take(&mut *INPUT.lock().expect("one thread")) {
            *counts.entry(what).or_default() += 1;
        }
    }
    COUNTING.store(false, Ordering::Relaxed);
    println!("{} seeds; how many of them yield", inputs.len());
    counts.iter().for_each(|(what, count)| println!("{count:6}  {what}"));
    let missing: Vec<&str> =
        counts.iter().filter(|(_, count)| **count == 0).map(|(what, _)| what.as_str()).collect();
    if missing.is_empty() { Ok(()) } else { Err(format!("no seed reaches {}", missing.join(", "))) }
}
