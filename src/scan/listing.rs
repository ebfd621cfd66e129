//! Listings: from a file, or from the mail system's own tool.

use crate::evidence::{ListingEnd, ListingEntry};
use crate::read::lines::utf8_input;
use crate::sources::{ALL, ListingFormat, LiveListing, Source};
use anyhow::{Context as _, Result, bail};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// A listing of ten million messages is about 4 GiB; more is not believed.
const MAX_LISTING_BYTES: u64 = 8 << 30;
/// How much is looked at to tell the format.
const HEAD_BYTES: usize = 8 << 10;
/// A tool that takes longer than this hangs.
const TOOL_TIMEOUT: Duration = Duration::from_mins(10);

/// The format that the head of a listing looks like, with the name of its source. Listings of different mail systems can look
/// alike: those of the `wanted` sources come first.
pub fn recognise(head: &[u8], wanted: &[&str]) -> Option<(&'static str, &'static ListingFormat)> {
    let of = |source: &'static dyn Source| {
        let format = source.listings().iter().find(|format| (format.looks_like)(head))?;
        Some((source.name(), format))
    };
    let (first, others): (Vec<_>, Vec<_>) =
        ALL.iter().copied().partition(|source| wanted.contains(&source.name()));
    first.into_iter().chain(others).find_map(of)
}

/// A listing that was opened and recognised. It is read once, so that it may come through a pipe.
pub struct Opened {
    /// The name of its source.
    pub source: &'static str,
    /// Its format.
    pub format: &'static ListingFormat,
    input: Box<dyn BufRead + Send>,
}

/// Opens a listing file (`-` is stdin) and tells its format.
///
/// # Errors
/// When it cannot be read, is empty, or looks like no listing that is known.
pub fn open_file(path: &Path, wanted: &[&str]) -> Result<Opened> {
    let raw: Box<dyn Read + Send> =
        if path == Path::new("-") { Box::new(std::io::stdin()) } else { Box::new(open(path)?) };
    let mut input = utf8_input(raw.take(MAX_LISTING_BYTES)).with_context(|| unreadable(path))?;
    let mut head = Vec::new();
    input.by_ref().take(HEAD_BYTES as u64).read_to_end(&mut head).with_context(|| unreadable(path))?;
    if head.is_empty() {
        bail!(
            "the listing `{}` is empty; `postqueue -j` prints nothing for an empty queue: give what `postqueue -p` prints instead",
            path.display()
        );
    }
    let Some((source, format)) = recognise(&head, wanted) else {
        bail!("`{}` is not a listing that ghostq knows; `ghostq sources` lists them", path.display())
    };
    let input = Box::new(BufReader::with_capacity(1 << 16, std::io::Cursor::new(head).chain(input)));
    Ok(Opened { source, format, input })
}

/// Reads a listing to its end.
///
/// # Errors
/// When it cannot be read.
pub fn read_file(path: &Path, mut listing: Opened, emit: &mut dyn FnMut(ListingEntry)) -> Result<ListingEnd> {
    (listing.format.parse)(&mut listing.input, emit).with_context(|| unreadable(path))
}

fn open(path: &Path) -> Result<std::fs::File> {
    let file = std::fs::File::open(path).with_context(|| unreadable(path))?;
    if file.metadata().with_context(|| unreadable(path))?.is_dir() {
        bail!("`{}` is a folder, not a listing", path.display());
    }
    Ok(file)
}

fn unreadable(path: &Path) -> String {
    format!("could not read the listing `{}`", path.display())
}

/// Runs the mail system's own tool and reads what it prints, until `interrupted`.
///
/// # Errors
/// When it cannot be run, fails, hangs, or prints nothing that can be understood.
pub fn read_live(
    tool: &LiveListing,
    interrupted: fn() -> bool,
    emit: &mut dyn FnMut(ListingEntry),
) -> Result<ListingEnd> {
    let shown = command_line(tool);
    let format = ALL
        .iter()
        .flat_map(|source| source.listings())
        .find(|format| format.name == tool.format)
        .with_context(|| format!("no listing format is called `{}`", tool.format))?;
    let mut child = Command::new(&tool.program)
        .args(&tool.arguments)
        .env_clear()
        .env("LC_ALL", "C")
        .env("TZ", std::env::var("TZ").unwrap_or_default())
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("could not run `{shown}`"))?;
    let complaints = child.stderr.take().map(|errors| std::thread::spawn(move || first_complaint(errors)));
    let output = child.stdout.take().context("the tool has no output")?;
    let end = read_with_timeout(&mut child, output, format, interrupted, emit);
    if end.is_err() {
        // It may still be printing; without this the wait below could last forever.
        let _killed = child.kill();
    }
    let status = child.wait().with_context(|| format!("could not wait for `{shown}`"))?;
    let complaint = complaints.and_then(|thread| thread.join().ok()).unwrap_or_default();
    let end = end.with_context(|| format!("could not read what `{shown}` prints"))?;
    if !status.success() {
        bail!("`{shown}` failed ({status}): {complaint}");
    }
    Ok(end)
}

/// The command as the user would type it.
pub fn command_line(tool: &LiveListing) -> String {
    let program = tool.program.to_string_lossy();
    std::iter::once(program.as_ref())
        .chain(tool.arguments.iter().map(String::as_str))
        .collect::<Vec<_>>()
        .join(" ")
}

/// The tool's output is read on another thread, so that a tool that hangs can be given up.
fn read_with_timeout(
    child: &mut Child,
    output: std::process::ChildStdout,
    format: &'static ListingFormat,
    interrupted: fn() -> bool,
    emit: &mut dyn FnMut(ListingEntry),
) -> Result<ListingEnd> {
    let (send, receive) = mpsc::sync_channel::<Vec<ListingEntry>>(4);
    let reader = std::thread::spawn(move || {
        let mut batch = Vec::new();
        let mut input: Box<dyn BufRead> =
            Box::new(BufReader::with_capacity(1 << 16, output.take(MAX_LISTING_BYTES)));
        let end = (format.parse)(&mut *input, &mut |entry| {
            batch.push(entry);
            if batch.len() >= 256 {
                let _given_up = send.send(std::mem::take(&mut batch));
            }
        });
        let _given_up = send.send(batch);
        end
    });
    let deadline = Instant::now() + TOOL_TIMEOUT;
    loop {
        match receive.recv_timeout(Duration::from_millis(200)) {
            Ok(batch) => batch.into_iter().for_each(&mut *emit),
            Err(mpsc::RecvTimeoutError::Disconnected) => break,
            Err(mpsc::RecvTimeoutError::Timeout) if interrupted() || Instant::now() >= deadline => {
                let _killed = child.kill();
                bail!("it did not end within {} seconds, or was interrupted", TOOL_TIMEOUT.as_secs());
            }
            Err(mpsc::RecvTimeoutError::Timeout) => {}
        }
    }
    match reader.join() {
        Ok(end) => Ok(end?),
        Err(_) => bail!("reading it failed inside ghostq, which is a fault of ghostq"),
    }
}

/// The first line that a tool prints on stderr, bounded; the rest is drained so that the tool never blocks.
fn first_complaint(errors: std::process::ChildStderr) -> String {
    let mut errors = BufReader::new(errors);
    let mut first = String::new();
    while let Ok(Some((line, _))) = crate::read::lines::read_line(&mut errors) {
        if first.is_empty() {
            first = String::from_utf8_lossy(&line).chars().filter(|c| !c.is_control()).take(200).collect();
        }
    }
    first
}
