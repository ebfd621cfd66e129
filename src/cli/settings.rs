//! Every default, decided once.

use crate::evidence::{Epoch, EpochOrigin, Fact, Limits, Locus, Time, parse_duration, parse_stamp};
use crate::run::{ListingChoice, ScanRequest, filter::Filter};
use crate::sources::Options;
use anyhow::{Context as _, Result, bail};
use clap::ValueEnum;
use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::sync::Arc;

use super::scan::EvidenceArgs;

/// The pause between the two looks at a running mail system: long enough for a message to be moved on, short enough to
/// wait for.
const SETTLE: std::time::Duration = std::time::Duration::from_millis(1_500);
/// More readers than this only wait for the disk.
const MAX_THREADS: usize = 8;
/// The width where there is no terminal.
const WIDTH: usize = 100;

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Colour {
    /// On a terminal, unless `NO_COLOR` is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

impl Colour {
    /// Whether what goes to stdout is coloured.
    pub fn for_stdout(self) -> bool {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto if set("NO_COLOR") => false,
            Self::Auto if std::env::var_os("CLICOLOR_FORCE").is_some_and(|v| !v.is_empty() && v != "0") => {
                true
            }
            Self::Auto => {
                std::io::stdout().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
            }
        }
    }
}

/// The width for tables: `COLUMNS`, else that of the terminal, else a hundred.
pub fn width() -> usize {
    let columns =
        std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok()).filter(|width| *width >= 40);
    let terminal = || terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
    columns.or_else(|| std::io::stdout().is_terminal().then(terminal).flatten()).unwrap_or(WIDTH)
}

/// What a scan is asked to do.
///
/// # Errors
/// When a value that was typed cannot be understood, or a file that was named cannot be read.
pub fn request(args: &EvidenceArgs, filter: Filter) -> Result<ScanRequest> {
    Ok(ScanRequest {
        paths: args.paths.clone(),
        temp_tables: args.temp_table.clone(),
        source: args.source.clone(),
        listing: listing(&args.listing)?,
        options: options(args)?,
        no_envelopes: false,
        filter,
        settle: args.settle.map_or(SETTLE, std::time::Duration::from_secs),
        threads: args.threads.unwrap_or_else(threads).clamp(1, 64),
        progress: !args.quiet && std::io::stderr().is_terminal(),
        host: host(),
        again: again(args),
    })
}

/// The words by which the same evidence is looked at again.
fn again(args: &EvidenceArgs) -> Vec<String> {
    let mut words: Vec<String> = args.paths.iter().map(|path| path.display().to_string()).collect();
    let mut option = |name: &str, value: &str| words.extend([name.to_owned(), value.to_owned()]);
    for path in &args.temp_table {
        option("--temp-table", &path.display().to_string());
    }
    for (name, values) in [("--listing", &args.listing), ("--epoch", &args.epoch), ("--map", &args.map)] {
        for value in values {
            option(name, value);
        }
    }
    let texts = [
        ("--source", &args.source),
        ("--since", &args.since),
        ("--stamp", &args.stamp),
        ("--encoding", &args.encoding),
        ("--as-of", &args.as_of),
    ];
    for (name, value) in texts {
        if let Some(value) = value {
            option(name, value);
        }
    }
    for (name, value) in
        [("--epoch-file", &args.epoch_file), ("--manifest", &args.manifest), ("--config", &args.config)]
    {
        if let Some(path) = value {
            option(name, &path.display().to_string());
        }
    }
    if args.cross_file_systems {
        words.push("--cross-file-systems".into());
    }
    words
}

fn options(args: &EvidenceArgs) -> Result<Options> {
    let manifest = args.manifest.as_deref().map(crate::read::manifest::Manifest::read).transpose()?;
    Ok(Options {
        stamp: args.stamp.clone(),
        map: args.map.iter().map(|pair| column(pair)).collect::<Result<_>>()?,
        encoding: args.encoding.clone(),
        limits: Limits {
            maximal_backoff: args.maximal_backoff.as_deref().map(|text| duration(text, 's')).transpose()?,
            queue_run_delay: args.queue_run_delay.as_deref().map(|text| duration(text, 's')).transpose()?,
            queue_lifetime: args.queue_lifetime.as_deref().map(|text| duration(text, 'd')).transpose()?,
            bounce_lifetime: args.bounce_lifetime.as_deref().map(|text| duration(text, 'd')).transpose()?,
        },
        epochs: epochs(args)?,
        config: args.config.clone(),
        now: args.as_of.as_deref().map_or_else(|| Ok(Time::now()), time)?,
        now_given: args.as_of.is_some(),
        deep: args.deep,
        manifest: manifest.map(Arc::new),
        cross_file_systems: args.cross_file_systems,
    })
}

fn epochs(args: &EvidenceArgs) -> Result<Vec<Epoch>> {
    let mut epochs = Vec::new();
    for value in &args.epoch {
        epochs.push(epoch(value, &format!("`--epoch {value}`"), Locus::whole("--epoch"))?);
    }
    if let Some(path) = &args.epoch_file {
        let bytes = std::fs::read(path).with_context(|| format!("could not read `{}`", path.display()))?;
        let text = crate::read::lines::decode_head(&bytes, None);
        let text = text.trim_start_matches('\u{feff}');
        let lines = text
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.trim().is_empty() && !line.trim_start().starts_with('#'));
        for (number, line) in lines {
            let locus = Locus::line(crate::evidence::Text::from_path(path), number as u64 + 1);
            epochs.push(epoch(line.trim(), &format!("`{}`", path.display()), locus)?);
        }
        if epochs.is_empty() {
            bail!("`{}` holds no epoch", path.display());
        }
    }
    if let Some(since) = &args.since {
        let time = time(since)?;
        let fact = Fact::new(
            format!("the mail system runs since {} (`--since`)", time.rfc3339()),
            Locus::whole("--since"),
        );
        epochs.push(Epoch { stamp: None, since: Some(time), origin: EpochOrigin::Given, witnesses: 1, fact });
    }
    Ok(epochs)
}

fn epoch(value: &str, from: &str, locus: Locus) -> Result<Epoch> {
    let Some(stamp) = parse_stamp(value) else {
        bail!("`{value}` is not an epoch; it can be a GUID, a FILETIME, both, an RFC 3339 time, or hex bytes")
    };
    let fact = Fact::new(format!("the live epoch is `{value}` ({from})"), locus);
    Ok(Epoch { since: stamp.time, stamp: Some(stamp), origin: EpochOrigin::Given, witnesses: 1, fact })
}

fn listing(values: &[String]) -> Result<ListingChoice> {
    let word = |wanted: &str| values.iter().any(|value| value == wanted);
    match values {
        [] => Ok(ListingChoice::Auto),
        [one] if one == "auto" => Ok(ListingChoice::Auto),
        [one] if one == "live" => Ok(ListingChoice::Live),
        [one] if one == "none" => Ok(ListingChoice::None),
        _ if word("live") || word("none") || word("auto") => {
            bail!("`--listing` takes files, or one of live, none and auto; not both")
        }
        files => Ok(ListingChoice::Files(files.iter().map(PathBuf::from).collect())),
    }
}

fn column(pair: &str) -> Result<(String, String)> {
    match pair.rsplit_once('=') {
        Some((column, field)) if !column.is_empty() && !field.is_empty() => {
            Ok((column.to_owned(), field.to_owned()))
        }
        _ => bail!("`--map {pair}` is not of the form COLUMN=FIELD"),
    }
}

/// A length of time that was typed, with the unit that a bare number takes.
///
/// # Errors
/// When it cannot be understood.
pub fn duration(text: &str, unit: char) -> Result<i64> {
    parse_duration(text, unit)
        .with_context(|| format!("`{text}` is not a length of time; write 90s, 5m, 3h, 2d or 1w"))
}

fn time(text: &str) -> Result<Time> {
    Time::parse(text).with_context(|| {
        format!("`{text}` is not a time with its offset; write 2026-11-24T07:46:48Z, 2026-11-24T08:46:48+01:00 or @SECONDS")
    })
}

fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(MAX_THREADS)
}

/// A rate that was typed.
///
/// # Errors
/// When it cannot be understood.
#[cfg(unix)]
pub fn rate(text: &str) -> Result<crate::act::pace::Rate> {
    crate::act::pace::Rate::parse(text)
        .with_context(|| format!("`{text}` is not a rate; write 60/m, 2/s or 500/h"))
}

/// Rules that were typed.
///
/// # Errors
/// When one of them does not exist.
pub fn known_rules(names: &[String]) -> Result<Vec<String>> {
    if let Some(unknown) = names.iter().find(|name| crate::correlate::rules::by_name(name).is_none()) {
        bail!("there is no rule `{unknown}`; `ghostq rules` lists them");
    }
    Ok(names.to_vec())
}

/// The name of this host in mail: what `/etc/mailname` says (Debian policy section 11.6), else its own name.
#[cfg(unix)]
pub fn mail_name() -> String {
    let written = std::fs::read_to_string("/etc/mailname").unwrap_or_default();
    let name = written.lines().next().unwrap_or_default().trim();
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || ".-".contains(c));
    if is_name { name.to_owned() } else { host() }
}

/// The name of this host.
pub fn host() -> String {
    #[cfg(unix)]
    {
        crate::read::process::host_name()
    }
    #[cfg(not(unix))]
    {
        std::env::var("COMPUTERNAME").unwrap_or_else(|_| "localhost".into())
    }
}
