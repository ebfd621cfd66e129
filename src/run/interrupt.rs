//! Ctrl-C: the scan stops at the next record, and what was found so far is reported.

use std::sync::atomic::{AtomicBool, Ordering};

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Listens for Ctrl-C. A second one ends the program at once, as without this.
pub fn listen() {
    // Without a handler Ctrl-C simply ends the program, which is no reason not to run.
    let _listening = ctrlc::set_handler(|| {
        if INTERRUPTED.swap(true, Ordering::SeqCst) {
            std::process::abort();
        }
    });
}

/// Whether Ctrl-C was pressed.
pub fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::SeqCst)
}
