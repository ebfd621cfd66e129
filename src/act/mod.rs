//! Acting: the only code that writes to a spool.

pub mod address;
pub mod smtp;
