//! Correlation: evidence in, opinions out.
//!
//! Everything here is pure: the same evidence, epoch and clock give the same findings. What the mail system is known to
//! do comes with the evidence as [`crate::evidence::Treatment`].

pub mod case;
pub mod fates;
pub mod keys;
pub mod ledger;
pub mod live_view;
pub mod outlook;
pub mod rules;
#[cfg(test)]
pub(crate) mod samples;
pub mod weigh;
