//! Reports.

use crate::findings::{Finding, Summary};
use std::io::{self, Write};

/// A way to print findings.
pub trait Report {
    /// Prints what comes before the findings.
    ///
    /// # Errors
    /// When the output cannot be written.
    fn begin(&mut self, summary: &Summary, out: &mut dyn Write) -> io::Result<()>;

    /// Prints one finding.
    ///
    /// # Errors
    /// When the output cannot be written.
    fn finding(&mut self, finding: &Finding, summary: &Summary, out: &mut dyn Write) -> io::Result<()>;

    /// Prints what comes after the findings.
    ///
    /// # Errors
    /// When the output cannot be written.
    fn end(&mut self, summary: &Summary, out: &mut dyn Write) -> io::Result<()>;
}
