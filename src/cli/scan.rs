//! `ghostq scan`.

use super::{output, settings};
use crate::evidence::Text;
use crate::findings::Summary;
use crate::report::{self, ReportOptions};
use crate::run::exit::Exit;
use crate::run::filter::Filter;
use crate::run::{ScanRequest, interrupt, scan};
use anyhow::{Result, bail};
use clap::Args;
use std::path::PathBuf;

/// Scan spools and exports, and report what is held but invisible.
#[derive(Debug, Default, Args)]
pub struct ScanArgs {
    #[command(flatten)]
    evidence: EvidenceArgs,

    /// Open no message of Postfix and Exim unless its name, place, owner, mode or times give a rule cause to
    ///
    /// A first look at a queue that has exploded. Whatever is reported was read; rules that need the envelope of the rest
    /// (`corrupt`, `expired`, `future-time`, of Exim also `held` and `duplicate-message`) are named as not judged. What other
    /// mail systems hold is read as always, and so is that of Exim where more than one place is scanned.
    #[arg(long, conflicts_with = "deep", help_heading = "Evidence")]
    no_envelopes: bool,

    #[command(flatten)]
    filter: FilterArgs,
    #[command(flatten)]
    report: ReportArgs,
}

/// What is looked at, and by what light.
#[derive(Debug, Default, Clone, Args)]
#[command(next_help_heading = "Evidence")]
pub struct EvidenceArgs {
    /// Spools, mailroots, exports, or folders above them; without one, the mail systems of this host
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,

    /// Read only this kind of source (`ghostq sources` lists them), or auto
    #[arg(long, value_name = "NAME")]
    pub source: Option<String>,

    /// An export of an SMTP temporary table: MFCMAPI XML or text, CSV, TSV, JSON lines (can be repeated)
    #[arg(long, value_name = "FILE")]
    pub temp_table: Vec<PathBuf>,

    /// What to hold the disk against: a listing file (can be repeated), live, none, or auto
    ///
    /// `live` runs the mail system's own tool before and after the scan. `auto`, the default, does so where a mail system
    /// that runs on this host was found and its tool changes nothing.
    #[arg(long, value_name = "FILE|live|none|auto")]
    pub listing: Vec<String>,

    /// The stamp of the live epoch: a GUID, a FILETIME, both, an RFC 3339 time, or hex (can be repeated)
    #[arg(long, value_name = "VALUE")]
    pub epoch: Vec<String>,

    /// A file with the stamp of the live epoch, one a line
    #[arg(long, value_name = "FILE")]
    pub epoch_file: Option<PathBuf>,

    /// When the live mail system started (RFC 3339 with offset, or @SECONDS)
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,

    /// The column or property of an export that holds the stamp: a name, or a property tag as 0xTAG
    #[arg(long, value_name = "NAME|0xTAG")]
    pub stamp: Option<String>,

    /// Which field a column of a CSV, TSV or JSON export holds (can be repeated)
    #[arg(long, value_name = "COLUMN=FIELD")]
    pub map: Vec<String>,

    /// The encoding of single-byte exports, e.g. windows-1251
    #[arg(long, value_name = "LABEL")]
    pub encoding: Option<String>,

    /// Judge by this clock instead of the real one: when a dead disk died (RFC 3339 with offset, or @SECONDS)
    #[arg(long, value_name = "TIME")]
    pub as_of: Option<String>,

    /// Inodes, modes, owners and times of the original, for a copy that could not keep them
    ///
    /// One line an entry, as printed in the spool folder by
    /// find . -printf '%i\t%#m\t%U:%G\t%n\t%s\t%T@\t%y\t%P\n'
    #[arg(long, value_name = "FILE")]
    pub manifest: Option<PathBuf>,

    /// The configuration of the mail system (Postfix: main.cf or its folder)
    #[arg(long, value_name = "PATH")]
    pub config: Option<PathBuf>,

    /// The longest wait between two attempts, if no configuration says it (Postfix: `maximal_backoff_time`)
    #[arg(long, value_name = "DURATION")]
    pub maximal_backoff: Option<String>,

    /// The time between queue runs, if no configuration says it (Postfix: `queue_run_delay`)
    #[arg(long, value_name = "DURATION")]
    pub queue_run_delay: Option<String>,

    /// The age at which a message is returned, if no configuration says it (Postfix: `maximal_queue_lifetime`)
    #[arg(long, value_name = "DURATION")]
    pub queue_lifetime: Option<String>,

    /// The same for bounces (Postfix: `bounce_queue_lifetime`)
    #[arg(long, value_name = "DURATION")]
    pub bounce_lifetime: Option<String>,

    /// Read every message from end to end, not only its envelope and its seams
    #[arg(long)]
    pub deep: bool,

    /// Read on below mount points
    #[arg(long)]
    pub cross_file_systems: bool,

    /// How many seconds to wait between the two looks at a running mail system
    #[arg(long, value_name = "SECONDS")]
    pub settle: Option<u64>,

    /// Reader threads
    #[arg(long, value_name = "NUMBER")]
    pub threads: Option<usize>,

    /// No progress, and no summary on stderr
    #[arg(long, short)]
    pub quiet: bool,
}

/// What is reported.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Filter")]
struct FilterArgs {
    /// Only findings of this rule (can be repeated)
    #[arg(long, value_name = "NAME")]
    rule: Vec<String>,

    /// Only findings in this queue (can be repeated)
    #[arg(long, value_name = "NAME")]
    queue: Vec<String>,

    /// Only messages whose sender contains this
    #[arg(long, visible_alias = "sender", value_name = "TEXT")]
    from: Option<String>,

    /// Only messages of which a recipient contains this
    #[arg(long, visible_alias = "recipient", value_name = "TEXT")]
    to: Option<String>,

    /// Only messages that came in at least this long ago
    #[arg(long, value_name = "DURATION")]
    older_than: Option<String>,

    /// Not messages that came in or were changed less than this long ago
    #[arg(long, value_name = "DURATION")]
    min_age: Option<String>,
}

/// How it is reported.
#[expect(clippy::struct_excessive_bools, reason = "each of them is one switch of the command line")]
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Report")]
struct ReportArgs {
    /// The format: table, json, jsonl or csv
    #[arg(long, value_name = "FORMAT")]
    format: Option<String>,

    /// Write the report into this file, readable by its owner only (- is stdout)
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,

    /// The members (json, jsonl) or columns (csv) to print, separated by commas
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    fields: Vec<String>,

    /// Print every row of the table
    #[arg(long)]
    all: bool,

    /// Leave CSV cells as they are, even if a spreadsheet would run them
    #[arg(long)]
    csv_raw: bool,

    /// Print each finding as a JSON line as soon as it has stood the second look (implies --format jsonl)
    #[arg(long)]
    stream: bool,

    /// Exit with 0 even if there are findings
    #[arg(long)]
    exit_zero: bool,
}

/// Runs the scan and prints the report.
///
/// # Errors
/// When nothing could be scanned, or the report could not be written.
pub fn run(args: ScanArgs, colour: settings::Colour) -> Result<Exit> {
    interrupt::listen();
    let format = format(&args.report)?;
    let options = ReportOptions {
        width: Some(settings::width()),
        colour: args.report.output.is_none() && colour.for_stdout(),
        all: args.report.all,
        csv_raw: args.report.csv_raw,
        fields: Some(args.report.fields.clone()).filter(|fields| !fields.is_empty()),
    };
    let mut report = report::make(&format, &options)?;
    let request = settings::request(&args.evidence, filter(args.filter)?)?;
    let request = ScanRequest { no_envelopes: args.no_envelopes, ..request };
    let mut outcome = scan::scan(&request)?;
    let roots: Vec<Text> = outcome.summary.instances.iter().map(|instance| instance.root.clone()).collect();
    let mut out = output::Report::open(args.report.output.as_deref(), &roots)?;
    report.begin(&outcome.summary, out.writer())?;
    let summary = &outcome.summary;
    let print = |finding| report.finding(&finding, summary, out.writer());
    if args.report.stream {
        outcome.findings.each(print)?;
    } else {
        outcome.findings.each_sorted(print)?;
    }
    report.end(&outcome.summary, out.writer())?;
    out.finish()?;
    if !args.evidence.quiet {
        tell(&outcome.summary, &format, outcome.interrupted);
    }
    Ok(Exit::of(&outcome.summary, outcome.interrupted, args.report.exit_zero))
}

fn format(args: &ReportArgs) -> Result<String> {
    match (&args.format, args.stream) {
        (Some(format), true) if format != "jsonl" => {
            bail!("`--stream` prints JSON lines; `--format {format}` does not go with it")
        }
        (_, true) => Ok("jsonl".into()),
        (Some(format), false) => Ok(format.clone()),
        (None, false) => Ok("table".into()),
    }
}

fn filter(args: FilterArgs) -> Result<Filter> {
    Ok(Filter {
        rules: settings::known_rules(&args.rule)?,
        queues: args.queue,
        from: args.from,
        to: args.to,
        older_than: args.older_than.as_deref().map(|text| settings::duration(text, 's')).transpose()?,
        min_age: args.min_age.as_deref().map(|text| settings::duration(text, 's')).transpose()?,
    })
}

/// What goes to stderr: for data formats the verdict; for every format what went wrong.
fn tell(summary: &Summary, format: &str, interrupted: bool) {
    if format != "table" {
        let counts = &summary.counts;
        output::tell(&format!(
            "{}, {}, {} hidden",
            report::place::count_in_words(summary.messages.iter().sum::<u64>(), "message", "messages"),
            report::place::count_in_words(counts.total(), "finding", "findings"),
            counts.hidden
        ));
        for damage in summary.damages.iter().take(10) {
            let hint = if damage.hint.is_empty() { String::new() } else { format!("; {}", damage.hint) };
            output::tell(&format!("error: `{}`: {}{hint}", damage.locus.path.lossy(), damage.what));
        }
        if summary.damage_count > 10 {
            output::tell(&format!("error: {} more could not be read", summary.damage_count - 10));
        }
    }
    for warning in &summary.warnings {
        output::tell(&format!("warning: {warning}"));
    }
    if interrupted {
        output::tell("interrupted: the report holds what was found until then");
    }
}
