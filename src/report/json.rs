//! `json`: one document with the findings and all that stands around them, written as the findings come.

use super::{Report, ReportOptions, frame, json_text, record};
use crate::findings::{Finding, Summary};
use serde_json::Value;
use std::io::{self, Write};

/// One document.
pub struct Json {
    fields: Option<Vec<String>>,
    findings: u64,
}

impl Json {
    /// The format with these options; the fields are those of its findings.
    ///
    /// # Errors
    /// When a field is asked for that a finding does not have.
    pub fn new(options: &ReportOptions) -> anyhow::Result<Self> {
        super::check_fields(options, record::MEMBERS)?;
        Ok(Self { fields: options.fields.clone(), findings: 0 })
    }
}

impl Report for Json {
    fn begin(&mut self, summary: &Summary, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(b"{\n")?;
        for (name, value) in frame::head(summary) {
            write_member(name, &value, out)?;
            out.write_all(b",\n")?;
        }
        out.write_all(b"\"findings\":[")
    }

    fn finding(&mut self, finding: &Finding, summary: &Summary, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(if self.findings == 0 { b"\n" } else { b",\n" })?;
        self.findings += 1;
        json_text::write(&record::choose(record::of_finding(finding, summary), self.fields.as_deref()), out)
    }

    fn end(&mut self, summary: &Summary, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(if self.findings == 0 { b"]" } else { b"\n]" })?;
        for (name, value) in frame::tail(summary) {
            out.write_all(b",\n")?;
            write_member(name, &value, out)?;
        }
        out.write_all(b"\n}\n")
    }
}

fn write_member(name: &str, value: &Value, out: &mut dyn Write) -> io::Result<()> {
    json_text::write(&name.into(), out)?;
    out.write_all(b":")?;
    json_text::write(value, out)
}
