//! Acting: the only code that writes to a spool.
//!
//! A [`crate::plan::Job`] is the plan for one message, an operation is a number of them. [`work::Workshop`] carries a job out step by
//! step: it copies every part into the vault, writes into the journal what it is about to do, does it, and writes what came
//! of it. A crash at any point leaves the journal's last word, from which the same code carries on: `apply` and `resume` are
//! one. `ARCHITECTURE.md` says why each state is safe.

pub mod address;
pub mod body_hash;
pub mod faults;
pub mod hand_in;
pub mod journal;
pub mod lock;
pub mod ndr;
pub mod pace;
mod pinned;
pub mod seek;
pub mod smtp;
pub mod spool;
pub mod steps;
pub mod tool;
pub mod undo;
pub mod vault;
pub mod work;

#[cfg(test)]
mod tests;
