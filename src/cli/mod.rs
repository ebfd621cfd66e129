//! The command line: what was typed, what it means, what is printed.

#[cfg(unix)]
mod act;
mod forecast;
mod info;
#[cfg(unix)]
mod journal;
mod man;
mod output;
mod scan;
mod settings;
mod show;

use crate::plan::course::Operation;
#[cfg(unix)]
use crate::run::act::ActRequest;
use crate::run::exit::Exit;
use anyhow::Result;
use clap::{CommandFactory as _, Parser, Subcommand};
use std::process::ExitCode;

/// Find mail that is on your disk but not in your queue, and say why
///
/// ghostq reads a mail spool, an export of an SMTP temporary table or a pickup folder, holds it against the mail system's
/// own listing, and reports the messages that are held but invisible, or stuck for good, each with the evidence and the
/// reason. A scan changes nothing: no file is written, renamed or removed, and not even access times move.
///
/// `ghostq forecast` says what a restart would do to that mail; `ghostq requeue` sends it on, `ghostq ndr` returns it to its
/// sender: both print a plan, and act with `--apply` only, under a journal from which `ghostq resume` carries on and
/// `ghostq undo` takes back.
///
/// Without a verb it finds the mail systems of this host and scans them.
#[derive(Debug, Parser)]
#[command(name = "ghostq", version, max_term_width = 100, after_help = AFTER_HELP)]
struct Cli {
    #[command(subcommand)]
    verb: Option<Verb>,

    /// When to use colour: auto, always or never
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: settings::Colour,
}

const AFTER_HELP: &str = "\
Exit codes: 0 nothing found; 1 findings; 2 could not run; 3 something could not be read;
130 interrupted. `ghostq rules` lists what is looked for, `ghostq explain RULE` says
what it means, `ghostq sources` lists what can be read.";

#[derive(Debug, Subcommand)]
enum Verb {
    /// Scan spools and exports, and report what is held but invisible
    Scan(Box<scan::ScanArgs>),
    /// Say what a restart or a queue run would do to the mail that is on disk now
    ///
    /// The places are read as `ghostq scan` reads them, and nothing is started, changed or sent. For each place, and for each
    /// thing that can be set going there (a start, a reload, a queue run, `postsuper -s`, a listing that does more than list),
    /// it says how many messages would be deleted, sent empty, returned, set aside, sent late or renamed, which one is the
    /// oldest, who sent them, and why. What would not happen now but later says in how long. Where it is not known what the mail
    /// system does, that is said, and counted.
    ///
    /// A copy of a spool is judged by `--as-of`.
    ///
    /// Exit codes: 0 nothing would be lost, changed or sent late; 1 something would, now or later, or it is not known; 2 could not
    /// run; 3 something could not be read; 130 interrupted.
    Forecast(Box<forecast::ForecastArgs>),
    /// Show everything about one message
    Show(Box<show::ShowArgs>),
    /// Send messages on that nobody would deliver (prints the plan; --apply does it)
    ///
    /// For each message its source proposes what to do, or says why nothing: the mail system's own command where it sees the
    /// message; else a change of owner, mode, name or place, after which it sees it again; else the message is moved into the vault and
    /// handed in anew, its bytes unchanged, to those only who do not have it yet (`--via` says where).
    ///
    /// Every file is copied into the vault before anything is done, and each step stands in the journal before it is done. Whatever
    /// is not as it was planned is left alone.
    ///
    /// Exit codes: 0 all that was selected can be done, or is done; 2 could not run; 3 something was refused, failed, or is not known;
    /// 130 interrupted.
    #[cfg(unix)]
    Requeue(Box<act::RequeueArgs>),
    /// Return messages to their senders with a non-delivery report (prints the plan; --apply does it)
    ///
    /// The report follows RFC 3464 and goes to the envelope sender, from nobody: never for a message without a sender, for a report or
    /// an automatic answer, and only where something vouches for the sender, since most mail from strangers has a forged one. The message
    /// itself is moved into the vault first. Where the mail system can return it by itself, it does.
    #[cfg(unix)]
    Ndr(Box<act::NdrArgs>),
    /// Take back what was done, as far as it can be (prints the plan; --apply does it)
    ///
    /// Files come back with their bytes, names, owners, modes and times. What was handed in is not put back: it would be sent twice.
    #[cfg(unix)]
    Undo(journal::UndoArgs),
    /// Carry on what was broken off, and settle what is not known
    ///
    /// Where ghostq was stopped between the end of a message and the answer, it looks for the message in the queue. If that does not
    /// settle it, the operator has to: `--sent` closes it, `--not-sent` puts it back to where it was. It is never sent again by itself.
    #[cfg(unix)]
    Resume(journal::ResumeArgs),
    /// Show what was done, message by message
    #[cfg(unix)]
    Journal(journal::JournalArgs),
    /// Say what a rule means, how it was seen, what the mail system does, and what to do
    Explain(info::ExplainArgs),
    /// List the rules
    Rules,
    /// List what can be read, or say everything about one source
    Sources(info::SourcesArgs),
    /// Print a completion script for a shell
    Completions(info::CompletionsArgs),
    /// Print the manual page, or write all of them into a folder
    Man(man::ManArgs),
    /// Print the JSON Schema of the report or of a finding
    Schema(info::SchemaArgs),
}

/// Parses the command line and runs what it asks for.
pub fn main() -> ExitCode {
    quiet_readers();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no errors, and go to stdout. An error repeats what was typed, which may have been pasted
            // from a hostile place.
            if error.use_stderr() {
                output::tell(error.to_string().trim_end());
                return Exit::Failed.into();
            }
            let _printed = error.print();
            return Exit::Clean.into();
        }
    };
    match run(cli) {
        Ok(exit) => exit.into(),
        Err(error) if output::is_broken_pipe(&error) => Exit::Clean.into(),
        Err(error) => {
            output::complain(&error);
            Exit::Failed.into()
        }
    }
}

fn run(cli: Cli) -> Result<Exit> {
    let colour = cli.color;
    let verb = cli.verb.unwrap_or_else(|| Verb::Scan(Box::default()));
    match verb {
        Verb::Scan(args) => scan::run(*args, colour),
        Verb::Forecast(args) => forecast::run(&args, colour),
        Verb::Show(args) => show::run(&args, colour),
        #[cfg(unix)]
        Verb::Requeue(args) => act::requeue(&args, words()),
        #[cfg(unix)]
        Verb::Ndr(args) => act::ndr(&args, words()),
        #[cfg(unix)]
        Verb::Undo(args) => journal::undo(&args),
        #[cfg(unix)]
        Verb::Resume(args) => journal::resume(&args, request_of),
        #[cfg(unix)]
        Verb::Journal(args) => journal::journal(&args),
        Verb::Explain(args) => info::explain(&args),
        Verb::Rules => info::rules(),
        Verb::Sources(args) => info::sources(&args),
        Verb::Completions(args) => info::completions(&args, &mut Cli::command()),
        Verb::Man(args) => man::run(&args, &Cli::command()),
        Verb::Schema(args) => info::schema(&args),
    }
}

#[cfg(unix)]
/// The words of the command line, without what only says when to do it.
fn words() -> Vec<String> {
    let mut only_values = false;
    std::env::args_os()
        .skip(1)
        .map(|word| word.to_string_lossy().into_owned())
        .filter(|word| {
            only_values |= word == "--";
            only_values || word != "--apply"
        })
        .collect()
}

#[cfg(unix)]
/// What the words of an earlier operation asked for.
fn request_of(operation: &Operation) -> Result<ActRequest> {
    let words = operation.words.clone();
    let cli = Cli::try_parse_from(std::iter::once("ghostq".to_owned()).chain(words.clone()))?;
    match cli.verb {
        Some(Verb::Requeue(args)) => args.again(operation).request(words),
        Some(Verb::Ndr(args)) => args.again(operation).request(words),
        _ => anyhow::bail!("it was neither requeue nor ndr"),
    }
}

/// A panic on one hostile file is contained and becomes a line of the report; a backtrace for each would bury it.
fn quiet_readers() {
    let loud = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if std::thread::current().name() != Some(crate::scan::pool::READER_THREAD) {
            loud(panic);
        }
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
