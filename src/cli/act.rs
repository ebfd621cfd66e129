//! `ghostq requeue` and `ghostq ndr`.

use super::scan::EvidenceArgs;
use super::{output, settings};
use crate::act::ndr::field;
use crate::act::work::Went;
use crate::evidence::Text;
use crate::plan::course::Operation;
use crate::plan::{Choice, Given, Job, Refused, Ret, Verb};
use crate::report::plan as report;
use crate::run::act::apply::{self, Applied};
use crate::run::act::plan::{Planned, plan};
use crate::run::act::resume::log_hint;
use crate::run::act::{ActRequest, NdrRequest, Selection, WITHOUT_MAX, content, select, state};
use crate::run::exit::Exit;
use crate::run::filter::Filter;
use crate::run::interrupt;
use crate::run::scene::Scene;
use anyhow::{Result, bail};
use clap::Args;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Send messages on that nobody would deliver.
#[derive(Debug, Clone, Args)]
pub struct RequeueArgs {
    #[command(flatten)]
    common: ActArgs,
}

/// Return messages to their senders with a non-delivery report.
#[derive(Debug, Clone, Args)]
pub struct NdrArgs {
    #[command(flatten)]
    common: ActArgs,

    #[command(flatten)]
    report: NdrReportArgs,
}

/// What is returned, and to whom.
#[derive(Debug, Default, Clone, Args)]
#[command(next_help_heading = "Report to the sender")]
struct NdrReportArgs {
    /// Print the reports as they would be sent, and nothing else
    #[arg(long, conflicts_with = "apply")]
    preview: bool,

    /// How much of the message is returned where its sender did not say: hdrs or full
    #[arg(long, value_name = "hdrs|full")]
    ret: Option<String>,

    /// Send the report to this address instead of the envelope sender
    #[arg(long, value_name = "ADDRESS")]
    ndr_to: Option<String>,

    /// Send reports also to senders for whom nothing vouches
    #[arg(long)]
    allow_backscatter: bool,
}

/// What both verbs take.
#[derive(Debug, Clone, Args)]
#[command(mut_arg("paths", |arg| arg.long("spool").help(
    "Spools, mailroots, or folders above them; without one, the mail systems of this host (can be repeated)"
).help_heading("Evidence")))]
pub struct ActArgs {
    /// Queue IDs, Message-IDs, paths or IDs of findings; without one, all findings that the selection lets through
    #[arg(value_name = "ID")]
    ids: Vec<String>,

    #[command(flatten)]
    selection: SelectionArgs,

    #[command(flatten)]
    execution: ExecutionArgs,

    #[command(flatten)]
    evidence: EvidenceArgs,
}

/// Which messages.
#[derive(Debug, Default, Clone, Args)]
#[command(next_help_heading = "Selection")]
struct SelectionArgs {
    /// The findings of this report, written with `ghostq scan --format jsonl` (- is stdin)
    #[arg(long, value_name = "REPORT")]
    from: Option<PathBuf>,

    /// Only findings of this rule (can be repeated)
    #[arg(long, value_name = "NAME")]
    rule: Vec<String>,

    /// Only findings in this queue (can be repeated)
    #[arg(long, value_name = "NAME")]
    queue: Vec<String>,

    /// Only messages whose sender contains this
    #[arg(long, value_name = "TEXT")]
    sender: Option<String>,

    /// Only messages of which a recipient contains this
    #[arg(long, value_name = "TEXT")]
    recipient: Option<String>,

    /// Only messages that came in at least this long ago
    #[arg(long, value_name = "DURATION")]
    older_than: Option<String>,

    /// Not messages that came in or were changed less than this long ago
    #[arg(long, value_name = "DURATION")]
    min_age: Option<String>,
}

/// How it is done.
#[derive(Debug, Default, Clone, Args)]
#[command(next_help_heading = "Execution")]
struct ExecutionArgs {
    /// Do it. Without this the plan is printed, and nothing is written anywhere
    #[arg(long)]
    apply: bool,

    /// The format of the plan and of what came of it: table or json
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    format: String,

    /// Where messages are handed in that ghostq has to hand in itself
    ///
    /// `sendmail` (the default: the command of the mail system that holds the message), `sendmail:/PATH`,
    /// `smtp://[USER@]HOST[:PORT]`, `smtps://…`, `lmtp://HOST:PORT`, `lmtp:/SOCKET`, `pickup:DIR` (IIS), `replay:DIR` (Exchange), or
    /// `export:DIR`, which writes each message and its envelope into a folder and leaves the spool as it is.
    #[arg(long, value_name = "DOOR", default_value = "sendmail")]
    via: String,

    /// The password for `--via smtp://USER@…`, in a file that only its owner can read
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,

    /// Further certificate authorities for `--via smtp://…` and `smtps://…` (PEM)
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,

    /// The recipients of a half that has lost its own (can be repeated)
    #[arg(long, value_name = "ADDRESS")]
    to: Vec<String>,

    /// The envelope sender of a half that has lost its own; '' is the null sender
    #[arg(long, value_name = "ADDRESS")]
    mail_from: Option<String>,

    /// The spool belongs to no running mail system: a mounted disk, the only copy
    #[arg(long)]
    offline: bool,

    /// How many messages at most; without this, no more than 100
    #[arg(long, value_name = "NUMBER")]
    max: Option<usize>,

    /// Only the first message; `ghostq resume` does the others
    #[arg(long)]
    canary: bool,

    /// How many messages in a time: 60/m, 2/s, 500/h
    #[arg(long, value_name = "RATE")]
    rate: Option<String>,

    /// The same for each recipient domain
    #[arg(long, value_name = "RATE")]
    per_domain: Option<String>,

    /// The name of this host in reports and trace fields; without it that of /etc/mailname, or the host name
    #[arg(long, value_name = "NAME")]
    mail_name: Option<String>,

    /// The folder of the journal and the vault
    #[arg(long, value_name = "DIR", env = "GHOSTQ_STATE")]
    state: Option<PathBuf>,
}

impl RequeueArgs {
    /// The same for what was not begun of an earlier operation.
    #[must_use]
    pub fn again(self, operation: &Operation) -> Self {
        Self { common: self.common.again(operation) }
    }

    /// What is asked for.
    ///
    /// # Errors
    /// When a value that was typed cannot be understood.
    pub fn request(&self, words: Vec<String>) -> Result<ActRequest> {
        self.common.request(Verb::Requeue, NdrRequest::default(), words)
    }
}

impl NdrArgs {
    /// The same for what was not begun of an earlier operation.
    #[must_use]
    pub fn again(self, operation: &Operation) -> Self {
        Self { common: self.common.again(operation), ..self }
    }

    /// What is asked for.
    ///
    /// # Errors
    /// When a value that was typed cannot be understood.
    pub fn request(&self, words: Vec<String>) -> Result<ActRequest> {
        let report = NdrRequest {
            ret: match self.report.ret.as_deref() {
                None => None,
                Some("hdrs") => Some(Ret::Hdrs),
                Some("full") => Some(Ret::Full),
                Some(other) => bail!("`--ret {other}` is neither hdrs nor full"),
            },
            to: self.report.ndr_to.as_deref().map(Text::from),
            allow_backscatter: self.report.allow_backscatter,
        };
        self.common.request(Verb::Ndr, report, words)
    }
}

impl ActArgs {
    /// Which messages are meant is in the journal: the report was read then, and may have been on stdin.
    fn again(mut self, operation: &Operation) -> Self {
        if self.selection.from.take().is_some() && self.evidence.paths.is_empty() {
            let roots: BTreeSet<PathBuf> =
                operation.jobs.values().map(|course| course.job.root.to_path()).collect();
            self.evidence.paths = roots.into_iter().collect();
        }
        self
    }

    fn request(&self, verb: Verb, report: NdrRequest, words: Vec<String>) -> Result<ActRequest> {
        let (select, how) = (&self.selection, &self.execution);
        let mut evidence = self.evidence.clone();
        let mut findings = None;
        if let Some(path) = &select.from {
            let known = select::from_report(path)?;
            if evidence.paths.is_empty() && !known.elsewhere {
                evidence.paths = known.roots.iter().map(Text::to_path).collect();
            }
            findings = Some(known.findings);
        }
        let filter = Filter {
            rules: settings::known_rules(&select.rule)?,
            queues: select.queue.clone(),
            from: select.sender.clone(),
            to: select.recipient.clone(),
            older_than: select.older_than.as_deref().map(|text| settings::duration(text, 's')).transpose()?,
            min_age: select.min_age.as_deref().map(|text| settings::duration(text, 's')).transpose()?,
        };
        let mail_name = match &how.mail_name {
            Some(name) if field::host(name) == *name => name.clone(),
            Some(name) => bail!("`--mail-name {}` is no name of a host", name.escape_debug()),
            None => field::host(&settings::mail_name()),
        };
        let via = Choice::parse(&how.via, how.password_file.clone(), how.ca_file.clone())?;
        Ok(ActRequest {
            scan: settings::request(&evidence, filter)?,
            verb,
            selection: Selection { ids: self.ids.clone(), findings, again: false },
            given: Given {
                sender: how.mail_from.as_deref().map(|text| Text::from(text.trim_matches(['<', '>']))),
                recipients: how.to.iter().map(|text| Text::from(text.trim_matches(['<', '>']))).collect(),
                offline: how.offline,
            },
            via,
            state: how.state.clone().map_or_else(|| Ok(state::default_folder()), std::path::absolute)?,
            max: how.max,
            canary: how.canary,
            rate: how.rate.as_deref().map(settings::rate).transpose()?,
            per_domain: how.per_domain.as_deref().map(settings::rate).transpose()?,
            mail_name,
            report,
            words,
        })
    }
}

/// `ghostq requeue`.
///
/// # Errors
/// When nothing could be scanned, or nothing may be done.
pub fn requeue(args: &RequeueArgs, words: Vec<String>) -> Result<Exit> {
    let request = args.request(words)?;
    run(&request, &args.common.execution)
}

/// `ghostq ndr`.
///
/// # Errors
/// When nothing could be scanned, or nothing may be done.
pub fn ndr(args: &NdrArgs, words: Vec<String>) -> Result<Exit> {
    let request = args.request(words)?;
    if args.report.preview {
        return preview(&request);
    }
    run(&request, &args.common.execution)
}

fn run(request: &ActRequest, how: &ExecutionArgs) -> Result<Exit> {
    interrupt::listen();
    let json = is_json(&how.format)?;
    let (scene, planned) = plan(request)?;
    if !how.apply {
        let shown = shown(request, &planned, how.apply);
        if json {
            output::print_json(&report::plan_json(&shown))?;
        } else {
            output::print(&report::plan_text(&shown, settings::width()))?;
        }
        tell_scan(&planned);
        return Ok(exit_of_plan(&planned));
    }
    if planned.beyond > 0 && request.max.is_none() {
        bail!(
            "{} messages are selected; to act on more than {WITHOUT_MAX}, say how many with `--max N`",
            planned.jobs.len() as u64 + planned.beyond
        );
    }
    if planned.jobs.is_empty() && json {
        output::print_json(&report::went_json("", &[], 0, "", &planned.refused))?;
        return Ok(exit_of_plan(&planned));
    }
    if planned.jobs.is_empty() {
        output::print(&report::plan_text(&shown(request, &planned, true), settings::width()))?;
        tell_scan(&planned);
        return Ok(exit_of_plan(&planned));
    }
    let applied = apply::apply(request, &scene, &planned, &mut teller(json))?;
    tell_applied(&request.state, &applied, &planned.refused, json)?;
    if planned.beyond > 0 {
        output::tell(&format!("{} more are selected, beyond `--max`: run it again for them", planned.beyond));
    }
    tell_scan(&planned);
    Ok(if applied.complete() { exit_of_plan(&planned) } else { Exit::Incomplete })
}

fn preview(request: &ActRequest) -> Result<Exit> {
    let (scene, planned): (Scene<'_>, Planned) = plan(request)?;
    let mut out = Vec::new();
    for planned in &planned.jobs {
        match &planned.reported {
            Some(outgoing) => content::preview(request, &scene, &planned.finding, outgoing, &mut out)?,
            None => output::tell(&format!(
                "{} is returned by the mail system itself, which writes its own report",
                planned.job.called()
            )),
        }
        output::print_raw(&out)?;
        out.clear();
    }
    for refused in &planned.refused {
        output::tell(&format!("{}: {}", refused.called, refused.reason));
    }
    Ok(exit_of_plan(&planned))
}

fn shown<'a>(request: &'a ActRequest, planned: &'a Planned, applied: bool) -> report::Plan<'a> {
    let mut words: Vec<String> =
        std::iter::once("ghostq").chain(request.words.iter().map(String::as_str)).map(quoted).collect();
    // Behind `--`, it would be the name of a message.
    let end = request.words.iter().position(|word| word == "--").map_or(words.len(), |at| at + 1);
    words.insert(end, "--apply".to_owned());
    let apply = words.join(" ");
    report::Plan {
        verb: request.verb.name(),
        host: &request.scan.host,
        jobs: planned.jobs.iter().map(|planned| &planned.job).collect(),
        refused: &planned.refused,
        beyond: planned.beyond,
        complete: planned.summary.complete() && !planned.interrupted,
        apply: if applied { String::new() } else { apply },
    }
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@,+%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

/// Tells of each message as soon as it is done, since a slow pace can take hours: a line on stdout, unless that is for JSON.
pub fn teller(json: bool) -> impl FnMut(&str, &Job, &Went) {
    move |operation, job, went| {
        if !json {
            let (end, note) = went.parts();
            let one = report::Went { label: job.label(operation), job, end, note, hint: None };
            // If nobody reads it, it is in the journal all the same.
            let _told = output::print(&format!("{}\n", report::went_line(&one)));
        }
    }
}

/// Prints what is left to be said when all is done, or all of it as JSON.
///
/// # Errors
/// When stdout cannot be written.
pub fn tell_applied(state: &Path, applied: &Applied, refused: &[Refused], json: bool) -> Result<()> {
    let told = crate::act::journal::read(state)?;
    let operation = told.operation(&applied.operation);
    let hint = |job: &Job, end: Option<crate::plan::entry::End>| {
        operation.filter(|_| end.is_none()).and_then(|operation| log_hint(operation, job))
    };
    let went: Vec<_> = applied
        .went
        .iter()
        .map(|(job, went)| {
            let (end, note) = went.parts();
            report::Went { label: job.label(&applied.operation), job, end, note, hint: hint(job, end) }
        })
        .collect();
    if json {
        return output::print_json(&report::went_json(
            &applied.operation,
            &went,
            applied.left,
            &applied.why,
            refused,
        ));
    }
    output::print(&report::refused_text(refused, settings::width()))?;
    if applied.left > 0 {
        let (left, operation) = (applied.left, &applied.operation);
        let why = if applied.why.is_empty() { "not begun" } else { &applied.why };
        output::tell(&format!("{left} left: {why}: ghostq resume {operation}"));
    }
    for one in went.iter().filter(|one| one.end.is_none()) {
        let log = one.hint.as_ref().map_or_else(String::new, |hint| format!("; a log says: {hint}"));
        output::tell(&format!(
            "{}: look whether it was sent, then say so: `ghostq resume {} --sent` or `--not-sent`{log}",
            one.job.called(),
            one.label
        ));
    }
    Ok(())
}

fn tell_scan(planned: &Planned) {
    for damage in planned.summary.damages.iter().take(10) {
        output::tell(&format!("error: `{}`: {}", damage.locus.path.lossy(), damage.what));
    }
    for warning in &planned.summary.warnings {
        output::tell(&format!("warning: {warning}"));
    }
}

fn exit_of_plan(planned: &Planned) -> Exit {
    let whole = planned.summary.complete() && !planned.interrupted;
    if whole && planned.refused.is_empty() { Exit::Clean } else { Exit::Incomplete }
}

/// Whether JSON is wanted.
///
/// # Errors
/// When there is no such format.
pub fn is_json(format: &str) -> Result<bool> {
    match format {
        "table" => Ok(false),
        "json" => Ok(true),
        other => bail!("there is no format `{other}`; there are table and json"),
    }
}
