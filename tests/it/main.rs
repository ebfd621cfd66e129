//! One test binary: what a user can see of ghostq.

mod support;

mod cli;
mod fixtures;
mod hostile;
mod incident;
mod invariants;
mod listings;
mod manual;
mod tidy;
