//! One test binary: what a user can see of ghostq.

mod tidy;
