//! Scanning: finding places, walking them, reading them in parallel, and looking a second time.

mod batch;
pub mod detect;
pub mod listing;
pub mod pool;
pub mod progress;
pub mod second_look;
pub mod walk;
