//! ghostq finds mail that is on your disk but not in your queue, says why with evidence, and helps you to send it or
//! return it without losing or duplicating any.
//!
//! The modules stand in the order in which data flows; `ARCHITECTURE.md` has the map, and a test holds them to it.

pub mod cli;
pub mod run;

pub mod evidence;
pub mod plan;
pub mod read;
pub mod sources;
pub mod scan;
pub mod findings;
pub mod correlate;
pub mod report;
#[cfg(unix)]
pub mod act;
