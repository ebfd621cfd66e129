//! One test binary: what a user can see of ghostq.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test that meets the unexpected should stop right there, and say so"
)]

mod support;

mod acting;
mod cli;
mod fixtures;
mod forecast;
mod gate;
mod hostile;
mod hostile_bombs;
mod hostile_faults;
#[cfg(target_os = "linux")]
mod hostile_fuse;
mod hostile_queues;
mod hostile_races;
mod incident;
mod invariants;
mod joining;
mod listings;
mod manual;
mod no_envelopes;
mod tidy;
mod unknown_outcome;
