//! Ctrl-C: the scan stops at the next record, and what was found so far is reported.

use std::sync::atomic::{AtomicBool, Ordering};

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Listens for Ctrl-C. A second one ends the program at once, as without this.
#[expect(clippy::exit, reason = "the user asked twice to end at once")]
pub fn listen() {
    // Without a handler Ctrl-C simply ends the program, which is no reason not to run.
    let _listening = ctrlc::set_handler(|| {
        if INTERRUPTED.swap(true, Ordering::SeqCst) {
            std::process::exit(i32::from(super::exit::Exit::Interrupted.code()));
        }
    });
}

/// Whether Ctrl-C was pressed.
pub fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::SeqCst)
}
