//! What is wrong with a file of a spool.

use crate::evidence::Confidence;

/// Something in a file that is not as its mail system would write it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The byte at which it begins.
    pub start: u64,
    /// The byte at which it ends.
    pub end: u64,
    /// What was expected and what was found, or what the mail system makes of it.
    pub text: String,
    /// How sure it is that this is damage.
    pub confidence: Confidence,
}
