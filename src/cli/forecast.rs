//! `ghostq forecast`.

use super::scan::EvidenceArgs;
use super::{output, settings};
use crate::evidence::Text;
use crate::report::{self, ReportOptions};
use crate::run::exit::Exit;
use crate::run::filter::Filter;
use crate::run::{forecast, interrupt};
use anyhow::{Result, bail};
use clap::Args;
use std::path::PathBuf;

/// Say what a restart or a queue run would do to the mail on disk.
#[derive(Debug, Args)]
pub struct ForecastArgs {
    #[command(flatten)]
    evidence: EvidenceArgs,

    /// The format: table or json
    #[arg(long, value_name = "FORMAT", default_value = "table", help_heading = "Report")]
    format: String,

    /// Write the report into this file, readable by its owner only (- is stdout)
    #[arg(long, short, value_name = "FILE", help_heading = "Report")]
    output: Option<PathBuf>,

    /// Print the details of what is tried as usual and of what stays, too
    #[arg(long, help_heading = "Report")]
    all: bool,

    /// Exit with 0 even if something would happen
    #[arg(long, help_heading = "Report")]
    exit_zero: bool,
}

/// Looks at everything, prints what would happen.
///
/// # Errors
/// When nothing could be scanned, or the report could not be written.
pub fn run(args: &ForecastArgs, colour: settings::Colour) -> Result<Exit> {
    interrupt::listen();
    if !["table", "json"].contains(&args.format.as_str()) {
        bail!("there is no format `{}`; there are table and json", args.format);
    }
    let request = settings::request(&args.evidence, Filter::default())?;
    let forecast = forecast::forecast(&request)?;
    let options = ReportOptions {
        width: Some(settings::width()),
        colour: args.output.is_none() && colour.for_stdout(),
        all: args.all,
        ..ReportOptions::default()
    };
    let roots: Vec<Text> = forecast.summary.instances.iter().map(|instance| instance.root.clone()).collect();
    let mut out = output::Report::open(args.output.as_deref(), &roots)?;
    match args.format.as_str() {
        "json" => report::forecast_json(&forecast, out.writer())?,
        _ => report::forecast(&forecast, &options, out.writer())?,
    }
    out.finish()?;
    if !args.evidence.quiet {
        for warning in &forecast.summary.warnings {
            output::tell(&format!("warning: {warning}"));
        }
        if forecast.interrupted {
            output::tell("interrupted: the forecast holds what was seen until then");
        }
    }
    Ok(Exit::of_forecast(&forecast, args.exit_zero))
}
