//! `jsonl`: one finding a line, and nothing else, so that a million of them can be cut, sorted and appended.

use super::{Report, ReportOptions, json_text, record};
use crate::findings::{Finding, Summary};
use std::io::{self, Write};

/// One finding a line.
pub struct Jsonl {
    fields: Option<Vec<String>>,
}

impl Jsonl {
    /// The format with these options.
    ///
    /// # Errors
    /// When a field is asked for that a finding does not have.
    pub fn new(options: &ReportOptions) -> anyhow::Result<Self> {
        super::check_fields(options, record::MEMBERS)?;
        Ok(Self { fields: options.fields.clone() })
    }
}

impl Report for Jsonl {
    fn begin(&mut self, _summary: &Summary, _out: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }

    fn finding(&mut self, finding: &Finding, summary: &Summary, out: &mut dyn Write) -> io::Result<()> {
        let record = record::choose(record::of_finding(finding, summary), self.fields.as_deref());
        json_text::write(&record, out)?;
        out.write_all(b"\n")
    }

    fn end(&mut self, _summary: &Summary, _out: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }
}
