//! `ghostq show`.

use super::scan::EvidenceArgs;
use super::{output, settings};
use crate::report::{self, ReportOptions};
use crate::run::exit::Exit;
use crate::run::filter::Filter;
use crate::run::{interrupt, show};
use anyhow::{Result, bail};
use clap::Args;

/// Show everything about one message.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// A queue ID, a Message-ID, a path within the spool, or the ID of a finding
    #[arg(value_name = "ID")]
    id: String,

    /// The format: text or json
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: String,

    #[command(flatten)]
    evidence: EvidenceArgs,
}

/// Finds the message and shows it.
///
/// # Errors
/// When nothing could be scanned, or there is no such message.
pub fn run(args: &ShowArgs, colour: settings::Colour) -> Result<Exit> {
    interrupt::listen();
    let request = settings::request(&args.evidence, Filter::default())?;
    let (summary, findings) = show::show(&args.id, &request)?;
    if findings.is_empty() {
        let places: Vec<_> = summary.instances.iter().map(|instance| instance.label.clone()).collect();
        bail!("there is no message `{}` in {}", args.id, places.join(", "));
    }
    let options = ReportOptions {
        width: Some(settings::width()),
        colour: colour.for_stdout(),
        ..ReportOptions::default()
    };
    let mut out = output::Report::open(None, &[])?;
    match args.format.as_str() {
        "text" => {
            for finding in &findings {
                report::show(finding, &summary, &options, out.writer())?;
            }
        }
        "json" => {
            let mut report = report::make("jsonl", &options)?;
            for finding in &findings {
                report.finding(finding, &summary, out.writer())?;
            }
        }
        other => bail!("there is no format `{other}`; there are text and json"),
    }
    out.finish()?;
    if !summary.complete() {
        let unread = summary.damage_count;
        output::tell(&format!("warning: {unread} files could not be read; `ghostq scan` names them"));
        return Ok(Exit::Incomplete);
    }
    Ok(Exit::Clean)
}
