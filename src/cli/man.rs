//! `ghostq man`: the manual pages, made from the same texts as help and `explain`.

use super::output;
use crate::run::exit::Exit;
use crate::run::explain;
use anyhow::{Context as _, Result};
use clap::{Args, Command};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};
use std::path::PathBuf;

/// Print the manual page.
#[derive(Debug, Args)]
pub struct ManArgs {
    /// Write ghostq.1, ghostq-rules.7 and ghostq-sources.7 into this folder
    #[arg(long, value_name = "FOLDER")]
    output: Option<PathBuf>,
}

pub fn run(args: &ManArgs, command: &Command) -> Result<Exit> {
    match &args.output {
        None => output::print(&program(command)?)?,
        Some(folder) => {
            for (name, page) in pages(command)? {
                let path = folder.join(name);
                std::fs::write(&path, page)
                    .with_context(|| format!("could not write `{}`", path.display()))?;
            }
        }
    }
    Ok(Exit::Clean)
}

/// All manual pages with their file names.
///
/// # Errors
/// When a page cannot be made.
fn pages(command: &Command) -> Result<Vec<(&'static str, String)>> {
    Ok(vec![("ghostq.1", program(command)?), ("ghostq-rules.7", rules()?), ("ghostq-sources.7", sources()?)])
}

/// ghostq(1): the program, then each verb with its options.
fn program(command: &Command) -> Result<String> {
    let mut page = Vec::new();
    let command = command.clone();
    let man = Man::new(command.clone()).date("").manual("ghostq manual");
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    let mut built = command;
    built.build();
    for verb in built.get_subcommands().filter(|verb| verb.get_name() != "help") {
        let mut roff = Roff::new();
        roff.control("SH", [format!("ghostq {}", verb.get_name()).to_uppercase().as_str()]);
        page.extend_from_slice(roff.render().as_bytes());
        let about =
            verb.get_long_about().or_else(|| verb.get_about()).map(ToString::to_string).unwrap_or_default();
        let mut text = Roff::new();
        text.text([roman(about)]);
        for argument in
            verb.get_arguments().filter(|argument| !["help", "color"].contains(&argument.get_id().as_str()))
        {
            text.control("TP", []);
            text.text([bold(spelling(argument))]);
            let help = argument.get_long_help().or_else(|| argument.get_help()).map(ToString::to_string);
            text.text([roman(help.unwrap_or_default())]);
        }
        page.extend_from_slice(text.render().as_bytes());
    }
    page.extend_from_slice(closing().render().as_bytes());
    Ok(String::from_utf8_lossy(&page).into_owned())
}

fn spelling(argument: &clap::Arg) -> String {
    let value = argument
        .get_value_names()
        .filter(|_| argument.get_action().takes_values())
        .map(|names| names.iter().map(clap::builder::Str::as_str).collect::<Vec<_>>().join(" "));
    let flag = match (argument.get_short(), argument.get_long()) {
        (Some(short), Some(long)) => format!("-{short}, --{long}"),
        (Some(short), None) => format!("-{short}"),
        (None, Some(long)) => format!("--{long}"),
        (None, None) => String::new(),
    };
    [flag, value.unwrap_or_default()]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

fn closing() -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["EXIT STATUS"]);
    for (code, meaning) in [
        ("0", "the scan is complete, and nothing was found"),
        ("1", "the scan is complete, and there are findings (--exit-zero turns it off)"),
        ("2", "it could not run: usage, no such source, nothing scanned"),
        ("3", "incomplete: something could not be read; the findings so far are printed"),
        ("130", "interrupted; the findings so far are printed"),
    ] {
        roff.control("TP", []);
        roff.text([bold(code)]);
        roff.text([roman(meaning)]);
    }
    roff.control("SH", ["CSV"]);
    roff.text([roman("The columns of --format csv, in this order:")]);
    for (name, meaning) in crate::report::CSV_COLUMNS {
        roff.control("TP", []);
        roff.text([bold(*name)]);
        roff.text([roman(*meaning)]);
    }
    roff.control("SH", ["ENVIRONMENT"]);
    roff.control("TP", []);
    roff.text([bold("NO_COLOR, CLICOLOR_FORCE, TERM, COLUMNS, TMPDIR")]);
    roff.text([roman("As usual. Findings of a large scan are parked in an unnamed file in TMPDIR.")]);
    roff.control("SH", ["SEE ALSO"]);
    roff.text([roman("ghostq-rules(7), ghostq-sources(7), postqueue(1), postsuper(1), postcat(1)")]);
    roff
}

fn rules() -> Result<String> {
    let mut roff = head("GHOSTQ-RULES", "ghostq-rules", "the conditions that ghostq looks for");
    for (name, _, _) in explain::all_rules() {
        section(&mut roff, name, &explain::rule(name)?);
    }
    Ok(roff.to_roff())
}

fn sources() -> Result<String> {
    let mut roff = head("GHOSTQ-SOURCES", "ghostq-sources", "the places of mail that ghostq reads");
    for (name, _) in explain::all_sources() {
        section(&mut roff, name, &explain::source(name)?);
    }
    Ok(roff.to_roff())
}

fn head(title: &str, name: &str, what: &str) -> Roff {
    let mut roff = Roff::new();
    roff.control("TH", [title, "7", "", concat!("ghostq ", env!("CARGO_PKG_VERSION")), "ghostq manual"]);
    roff.control("SH", ["NAME"]);
    roff.text([roman(format!("{name} - {what}"))]);
    roff
}

fn section(roff: &mut Roff, name: &str, text: &str) {
    roff.control("SH", [name]);
    for paragraph in text.lines().filter(|line| !line.trim().is_empty()) {
        if paragraph.starts_with(' ') {
            roff.control("IP", []);
        } else {
            roff.control("PP", []);
        }
        roff.text([roman(paragraph.trim())]);
    }
}
