//! `ghostq journal`, `undo` and `resume`.

use super::{act, output, settings};
use crate::plan::Refused;
use crate::plan::course::Operation;
use crate::report::plan as report;
use crate::run::act::apply::Applied;
use crate::run::act::resume::{self, Known};
use crate::run::act::undo::{self, Target};
use crate::run::act::{ActRequest, state};
use crate::run::exit::Exit;
use crate::run::interrupt;
use anyhow::{Context as _, Result};
use clap::Args;
use std::path::{Path, PathBuf};

/// Where the journal is, and how it is printed.
#[derive(Debug, Clone, Args)]
struct JournalPlace {
    /// The format: table or json
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    format: String,

    /// The folder of the journal and the vault
    #[arg(long, value_name = "DIR", env = "GHOSTQ_STATE")]
    state: Option<PathBuf>,
}

impl JournalPlace {
    fn folder(&self) -> PathBuf {
        self.state.clone().unwrap_or_else(state::default_folder)
    }
}

/// Show what was done.
#[derive(Debug, Args)]
pub struct JournalArgs {
    /// Only this operation, step by step
    #[arg(value_name = "OPERATION")]
    operation: Option<String>,

    #[command(flatten)]
    place: JournalPlace,
}

/// Take back what was done.
#[derive(Debug, Args)]
pub struct UndoArgs {
    /// The operation, or one message of it; without it, the newest operation
    #[arg(value_name = "OPERATION[.NUMBER]")]
    target: Option<String>,

    /// Do it. Without this it is only said what would be done
    #[arg(long)]
    apply: bool,

    #[command(flatten)]
    place: JournalPlace,
}

/// Carry on what was broken off.
#[derive(Debug, Args)]
pub struct ResumeArgs {
    /// The operation, or one message of it; without it, the newest that is open
    #[arg(value_name = "OPERATION[.NUMBER]")]
    target: Option<String>,

    /// This message was handed in: it is finished with
    #[arg(long, requires = "target", conflicts_with = "not_sent")]
    sent: bool,

    /// This message was not handed in: it goes back to where it was
    #[arg(long, requires = "target")]
    not_sent: bool,

    #[command(flatten)]
    place: JournalPlace,
}

/// `ghostq journal`.
///
/// # Errors
/// When the journal cannot be read.
pub fn journal(args: &JournalArgs) -> Result<Exit> {
    let json = act::is_json(&args.place.format)?;
    let told = crate::act::journal::read(&args.place.folder())?;
    if told.torn.is_some() {
        output::tell("note: the last line of the journal was torn by a crash; `ghostq resume` carries on");
    }
    let chosen: Vec<_> = match &args.operation {
        Some(name) => vec![
            told.operation(name)
                .with_context(|| {
                    format!("the journal knows no operation `{name}`; `ghostq journal` lists them")
                })?
                .clone(),
        ],
        None => told.operations,
    };
    if json {
        output::print_json(&report::journal_json(&chosen))?;
    } else if let (Some(_), [operation]) = (&args.operation, chosen.as_slice()) {
        output::print(&report::operation_text(operation, settings::width()))?;
    } else {
        output::print(&report::journal_text(&chosen, settings::width()))?;
    }
    Ok(Exit::Clean)
}

/// `ghostq undo`.
///
/// # Errors
/// When the journal cannot be read or written, or knows no such operation.
pub fn undo(args: &UndoArgs) -> Result<Exit> {
    let json = act::is_json(&args.place.format)?;
    let (folder, target) = (args.place.folder(), Target::parse(args.target.as_deref())?);
    if args.apply {
        let applied = undo::apply(&folder, &settings::mail_name(), &target)?;
        let undone = |went: &crate::act::work::Went| went.parts().0 == Some(crate::plan::entry::End::Undone);
        let complete = applied.went.iter().all(|(_, went)| undone(went));
        print_applied(&applied, json)?;
        return Ok(if complete { Exit::Clean } else { Exit::Incomplete });
    }
    let (operation, jobs) = undo::plan(&folder, &target)?;
    if json {
        output::print_json(&report::undo_json(&operation.name, &jobs))?;
    } else {
        output::print(&report::undo_text(&operation.name, &jobs, settings::width()))?;
    }
    let whole = jobs.iter().all(|(_, obstacle)| obstacle.is_none());
    Ok(if whole { Exit::Clean } else { Exit::Incomplete })
}

/// `ghostq resume`. `request` makes a request out of the words of an operation.
///
/// # Errors
/// When the journal cannot be read or written, nothing is open, or nothing can be scanned.
pub fn resume(args: &ResumeArgs, request: impl Fn(&Operation) -> Result<ActRequest>) -> Result<Exit> {
    interrupt::listen();
    let json = act::is_json(&args.place.format)?;
    let (folder, target) =
        (std::path::absolute(args.place.folder())?, Target::parse(args.target.as_deref())?);
    let operation = resume::pending(&folder, &target)?;
    let known = match (args.sent, args.not_sent) {
        (true, _) => Some(Known::Sent),
        (_, true) => Some(Known::NotSent),
        _ => None,
    };
    let exact = Target { operation: Some(operation.name.clone()), job: target.job };
    let mut applied = resume::begun(&folder, &settings::mail_name(), &exact, known, &mut act::teller(json))?;
    let mut refused = Vec::new();
    let mut trouble = None;
    if applied.left > 0 && known.is_none() && !interrupt::interrupted() {
        match anew(&operation, &exact, &folder, json, request) {
            Ok((more, gone)) => {
                applied.went.extend(more.went);
                applied.left = more.left;
                applied.why = more.why;
                refused = gone;
            }
            Err(error) => trouble = Some(error),
        }
    }
    let complete = applied.complete() && refused.is_empty();
    if applied.went.is_empty() && applied.left == 0 && refused.is_empty() {
        output::tell(&format!(
            "nothing is left to do in {}",
            args.target.as_deref().unwrap_or(&operation.name)
        ));
    }
    if !applied.went.is_empty() || !refused.is_empty() || trouble.is_none() {
        act::tell_applied(&folder, &applied, &refused, json)?;
    }
    match trouble {
        Some(error) => Err(error),
        None => Ok(if complete { Exit::Clean } else { Exit::Incomplete }),
    }
}

/// Plans what was not begun as it was planned then: its words may name paths below the folder in which it was run.
fn anew(
    operation: &Operation,
    target: &Target,
    state: &Path,
    json: bool,
    request: impl Fn(&Operation) -> Result<ActRequest>,
) -> Result<(Applied, Vec<Refused>)> {
    if let Some(folder) = &operation.folder {
        std::env::set_current_dir(folder.to_path())
            .with_context(|| format!("could not go to `{}`, where the operation was run", folder.lossy()))?;
    }
    let mut request = request(operation).context("the words of the operation are no longer understood")?;
    state.clone_into(&mut request.state);
    resume::not_begun(&request, operation, target, &mut act::teller(json))
}

fn print_applied(applied: &Applied, json: bool) -> Result<()> {
    let went: Vec<_> = applied
        .went
        .iter()
        .map(|(job, went)| {
            let (end, note) = went.parts();
            report::Went { label: job.label(&applied.operation), job, end, note, hint: None }
        })
        .collect();
    if json {
        return output::print_json(&report::went_json(&applied.operation, &went, 0, "", &[]));
    }
    went.iter().try_for_each(|one| output::print(&format!("{}\n", report::went_line(one))))
}
