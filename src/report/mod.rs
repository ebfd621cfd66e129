//! Reports: the formats in which findings are printed, and what they have in common.
//!
//! A new format is one file here and one line in [`ALL`]. A report is handed one finding at a time and keeps none of
//! them beyond the first screen.

use crate::findings::{Finding, Summary};
use std::io::{self, Write};

mod closing;
mod csv;
pub mod escape;
mod forecast;
mod forecast_json;
mod frame;
mod json;
pub mod json_text;
mod jsonl;
mod members;
mod page;
pub mod place;
pub mod plan;
mod record;
mod show;
mod table;
mod verdict;

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;

pub use csv::COLUMNS as CSV_COLUMNS;
pub use forecast::forecast;
pub use forecast_json::forecast_json;
pub use record::MEMBERS as FINDING_MEMBERS;
pub use show::show;
pub use verdict::verdict;

/// JSON Schema of one finding, `ghostq.finding/1`.
pub const FINDING_SCHEMA: &str = include_str!("../../schema/ghostq.finding-1.schema.json");
/// JSON Schema of the `json` document, `ghostq.report/1`. It refers to the schema of a finding by its `$id`.
pub const REPORT_SCHEMA: &str = include_str!("../../schema/ghostq.report-1.schema.json");
/// JSON Schema of the forecast, `ghostq.forecast/1`. It refers to the schema of a finding by its `$id`.
pub const FORECAST_SCHEMA: &str = include_str!("../../schema/ghostq.forecast-1.schema.json");
/// JSON Schema of a plan, `ghostq.plan/1`.
pub const PLAN_SCHEMA: &str = include_str!("../../schema/ghostq.plan-1.schema.json");
/// JSON Schema of what came of it, `ghostq.result/1`.
pub const RESULT_SCHEMA: &str = include_str!("../../schema/ghostq.result-1.schema.json");
/// JSON Schema of the journal, `ghostq.journal/1`.
pub const JOURNAL_SCHEMA: &str = include_str!("../../schema/ghostq.journal-1.schema.json");

/// Every format. The first is the default.
pub static ALL: &[Format] = &[
    Format {
        name: "table",
        about: "for people: the verdict, the worst findings, what to type next",
        make: |options| Ok(Box::new(table::Table::new(options)?)),
    },
    Format {
        name: "json",
        about: "one document: sources, listings, findings, notes, damage (ghostq.report/1)",
        make: |options| Ok(Box::new(json::Json::new(options)?)),
    },
    Format {
        name: "jsonl",
        about: "one finding a line and nothing else (ghostq.finding/1)",
        make: |options| Ok(Box::new(jsonl::Jsonl::new(options)?)),
    },
    Format {
        name: "csv",
        about: "one finding a row, RFC 4180, safe to open in a spreadsheet",
        make: |options| Ok(Box::new(csv::Csv::new(options)?)),
    },
];

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

/// A format as the command line and the manual name it.
pub struct Format {
    /// Its name.
    pub name: &'static str,
    /// One line about it.
    pub about: &'static str,
    make: fn(&ReportOptions) -> anyhow::Result<Box<dyn Report>>,
}

/// How to print.
#[derive(Debug, Clone, Default)]
pub struct ReportOptions {
    /// Columns of the terminal; `None` is `COLUMNS`, else the width of the terminal on stdout, else 100.
    pub width: Option<usize>,
    /// Whether to use colour.
    pub colour: bool,
    /// Whether to show every row, not only the first screen.
    pub all: bool,
    /// Whether CSV cells hold the bytes as found, control characters and formulas included.
    pub csv_raw: bool,
    /// The columns of CSV, or the members of each finding in JSON, in the order in which they are wanted.
    pub fields: Option<Vec<String>>,
}

/// The format of this name.
pub fn by_name(name: &str) -> Option<&'static Format> {
    ALL.iter().find(|format| format.name == name)
}

/// A report in the format of this name.
///
/// # Errors
/// When there is no such format, or it cannot do what the options ask for.
pub fn make(name: &str, options: &ReportOptions) -> anyhow::Result<Box<dyn Report>> {
    let Some(format) = by_name(name) else {
        let names: Vec<_> = ALL.iter().map(|format| format.name).collect();
        anyhow::bail!(
            "there is no format `{}`; choose from {}",
            escape::for_terminal(name),
            names.join(", ")
        );
    };
    (format.make)(options)
}

fn check_fields(options: &ReportOptions, known: &[&str]) -> anyhow::Result<()> {
    let fields = options.fields.iter().flatten();
    let strange: Vec<_> = fields
        .filter(|field| !known.contains(&field.as_str()))
        .map(|field| format!("`{}`", escape::for_terminal(field)))
        .collect();
    if strange.is_empty() {
        return Ok(());
    }
    anyhow::bail!("there is no field {}; choose from {}", strange.join(", "), known.join(","))
}
