//! `ghostq explain`, `rules`, `sources`, `completions`, `schema`.

use super::output;
use crate::report;
use crate::run::exit::Exit;
use crate::run::explain;
use anyhow::Result;
use clap::{Args, Command, ValueEnum};
use clap_complete::Shell;

/// Say what a rule means.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// The rule
    #[arg(value_name = "RULE")]
    rule: String,
}

/// List what can be read.
#[derive(Debug, Args)]
pub struct SourcesArgs {
    /// Say everything about this one
    #[arg(value_name = "NAME")]
    name: Option<String>,
}

/// Print a completion script.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

/// Print a JSON Schema.
#[derive(Debug, Args)]
pub struct SchemaArgs {
    /// Which one
    #[arg(value_name = "NAME", default_value = "finding")]
    name: SchemaName,
}

/// The schemas.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum SchemaName {
    /// One finding, as in --format jsonl
    Finding,
    /// The whole document, as in --format json
    Report,
    /// The document of forecast --format json
    Forecast,
    /// What requeue, ndr and undo would do, as in their --format json
    Plan,
    /// What they did, and resume did
    Result,
    /// What the journal holds
    Journal,
}

pub fn explain(args: &ExplainArgs) -> Result<Exit> {
    output::print(&wrapped(&explain::rule(&args.rule)?))?;
    Ok(Exit::Clean)
}

pub fn rules() -> Result<Exit> {
    let rules = explain::all_rules();
    let rows: Vec<_> =
        rules.iter().map(|(name, class, title)| format!("{name:<22} {class:<8} {title}\n")).collect();
    output::print(&rows.concat())?;
    Ok(Exit::Clean)
}

pub fn sources(args: &SourcesArgs) -> Result<Exit> {
    let text = if let Some(name) = &args.name {
        wrapped(&explain::source(name)?)
    } else {
        let sources = explain::all_sources();
        sources.iter().map(|(name, title)| format!("{name:<12} {title}\n")).collect::<Vec<_>>().concat()
    };
    output::print(&text)?;
    Ok(Exit::Clean)
}

pub fn completions(args: &CompletionsArgs, command: &mut Command) -> Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, command, "ghostq", &mut script);
    output::print(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Clean)
}

pub fn schema(args: &SchemaArgs) -> Result<Exit> {
    output::print(match args.name {
        SchemaName::Finding => report::FINDING_SCHEMA,
        SchemaName::Report => report::REPORT_SCHEMA,
        SchemaName::Forecast => report::FORECAST_SCHEMA,
        SchemaName::Plan => report::PLAN_SCHEMA,
        SchemaName::Result => report::RESULT_SCHEMA,
        SchemaName::Journal => report::JOURNAL_SCHEMA,
    })?;
    Ok(Exit::Clean)
}

/// Paragraphs broken at 96 columns. Lines that start with a word and a colon hang below it; prose does not.
fn wrapped(text: &str) -> String {
    const WIDTH: usize = 96;
    let mut out = String::new();
    for paragraph in text.lines() {
        let indent: String = paragraph.chars().take_while(|c| *c == ' ').collect();
        let label = paragraph.split_once(": ").is_some_and(|(label, _)| label.trim().len() < 16);
        let hang = if label { format!("{indent}  ") } else { indent.clone() };
        let mut line = indent.clone();
        for word in paragraph.split_whitespace() {
            if line.len() > indent.len() && line.len() + 1 + word.len() > WIDTH {
                out.push_str(line.trim_end());
                out.push('\n');
                line.clone_from(&hang);
            }
            if !line.trim().is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}
