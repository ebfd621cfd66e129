//! Handing a message in: the one step that cannot be taken back, and the one of which may be unknown whether it was done.

mod drop_folder;
mod export;
mod sendmail;
mod smtp;

use super::address;
use super::ndr::field;
use super::seek;
use super::vault::{MESSAGE, Vault};
use crate::evidence::{Stat, Text, Time};
use crate::plan::Door;
use crate::plan::Job;
use crate::plan::entry::Outcome;
use crate::plan::{Outgoing, Verb};
use std::io;

/// What came of handing a message in.
#[derive(Debug)]
pub enum Handed {
    /// It was taken.
    Taken(Outcome),
    /// It was not taken, for certain.
    NotTaken(String),
    /// Nobody knows.
    Unknown(String),
}

/// Called when everything was handed over and only the word that it ends is missing. If it fails, the message must not be
/// committed.
pub type Committing<'a> = dyn FnMut() -> io::Result<()> + 'a;

/// What marks a message that was handed in, so that it can be found again. A full stop or a semicolon ends it, so that job 1
/// is not found in job 12.
pub fn mark(job: &Job, operation: &str) -> String {
    format!("ghostq-{operation}-{}", job.number)
}

/// The lines that go on top of the message: one trace field (RFC 5321 section 4.4), which breaks no signature, and where the
/// door wants the envelope there, the envelope. A report has its own Message-ID instead of the trace field.
pub fn top(job: &Job, operation: &str, host: &str, carriage: bool) -> Vec<u8> {
    let end = if carriage { "\r\n" } else { "\n" };
    let mut top = Vec::new();
    if let (Some(door), Some(outgoing)) = (&job.door, &job.outgoing) {
        top = match door {
            Door::Sendmail { submission } => sendmail::envelope_on_top(submission, outgoing),
            _ => drop_folder::envelope(door, outgoing),
        };
    }
    let export = job.door.as_ref().is_some_and(Door::is_export);
    if job.verb == Verb::Requeue && !export {
        let now = Time::now();
        let host = field::host(host);
        let date = now.rfc5322().unwrap_or_else(|| now.rfc3339());
        let field = format!(
            "Received: by {host} (ghostq, requeued from {}){end}\tid {};{end}\t{date}{end}",
            job.source,
            mark(job, operation)
        );
        top.extend_from_slice(field.as_bytes());
    }
    top
}

/// Checks, before anything is touched, that the door can be told to whom the message goes, and nothing else.
///
/// # Errors
/// Why not.
pub fn check(job: &Job) -> Result<(), String> {
    let (Some(door), Some(outgoing)) = (&job.door, &job.outgoing) else {
        return Err("the plan does not say where to hand it in".to_owned());
    };
    match door {
        Door::Sendmail { submission } => sendmail::arguments(submission, outgoing).map(|_| ()),
        Door::Pickup { .. } | Door::Replay { .. } => drop_folder::check(outgoing),
        Door::Smtp { .. } => addresses(outgoing).try_for_each(address::check),
        Door::Export { .. } => Ok(()),
    }
}

/// Every address that the other side is told; the null sender is none.
fn addresses(outgoing: &Outgoing) -> impl Iterator<Item = &Text> {
    let sender = outgoing.sender.as_ref().filter(|sender| !sender.is_empty());
    outgoing.recipients.iter().map(|recipient| &recipient.address).chain(sender)
}

/// Hands in what lies in the vault, to all recipients or, if some were refused before, to those.
pub fn hand_in(
    job: &Job,
    operation: &str,
    host: &str,
    vault: &Vault,
    remaining: Option<&[Text]>,
    committing: &mut Committing<'_>,
) -> Handed {
    let (Some(door), Some(outgoing)) = (&job.door, &job.outgoing) else {
        return Handed::NotTaken("the plan does not say where to hand it in".to_owned());
    };
    let mut outgoing: Outgoing = outgoing.clone();
    if let Some(remaining) = remaining {
        outgoing.recipients.retain(|recipient| remaining.contains(&recipient.address));
    }
    match door {
        Door::Sendmail { submission } => {
            let first = remaining.is_none();
            sendmail::hand_in(job, operation, vault, submission, &outgoing, first, committing)
        }
        Door::Smtp { url, password_file, ca_file } => {
            let server = smtp::Server {
                url,
                password_file: password_file.as_deref(),
                ca_file: ca_file.as_deref(),
                hello: host,
            };
            smtp::hand_in(vault, &server, &outgoing, committing)
        }
        Door::Pickup { folder } | Door::Replay { folder } => {
            drop_folder::hand_in(job, operation, vault, folder, committing)
        }
        Door::Export { folder } => match export::hand_in(job, operation, vault, folder, &outgoing) {
            Ok(outcome) => Handed::Taken(outcome),
            Err(error) => Handed::NotTaken(format!("could not write into `{}`: {error}", folder.display())),
        },
    }
}

/// What the journal tells of a message that was about to be handed in.
#[derive(Debug, Clone, Copy)]
pub struct Trace {
    /// Whether the end of the data may have been sent.
    pub committing: bool,
    /// The folder into which it was to be dropped.
    pub folder: Option<Stat>,
    /// Whether it was handed in before and refused for some: what is found then may be that.
    pub again: bool,
}

/// What became of a message that was about to be handed in when ghostq died: `Ok(None)` if it certainly was not taken.
///
/// # Errors
/// Why nobody knows.
pub fn settle(job: &Job, operation: &str, vault: &Vault, trace: &Trace) -> Result<Option<Outcome>, String> {
    let Some(door) = &job.door else { return Ok(None) };
    if !trace.committing || door.is_export() {
        return Ok(None);
    }
    match door {
        Door::Pickup { folder } | Door::Replay { folder } => {
            drop_folder::settle(job, operation, folder, trace.folder.as_ref())
        }
        Door::Sendmail { .. } => {
            let copy = vault.file(MESSAGE);
            let died = "ghostq died while it handed the message in";
            match found(job, operation, false) {
                Found::Taken(outcome) if !trace.again => Ok(Some(outcome)),
                Found::Taken(_) => Err(format!(
                    "{died} once more, and what lies in the spool may be from the first time. The copy is `{}`",
                    copy.display()
                )),
                Found::Perhaps(path) => Err(format!(
                    "{died}; `{path}` holds it, and may be unfinished. The copy is `{}`",
                    copy.display()
                )),
                Found::No => Err(format!(
                    "{died}; it is not in the spool, where it may never have come or which it may have left already. The \
                     copy is `{}`",
                    copy.display()
                )),
            }
        }
        _ => Err(format!(
            "ghostq died before the answer of {} came. The copy is `{}`",
            door.describe(),
            vault.file(MESSAGE).display()
        )),
    }
}

/// What the spool holds of a message that was handed in.
enum Found {
    /// It was taken.
    Taken(Outcome),
    /// This file holds it, which the mail system may have left unfinished.
    Perhaps(String),
    /// Nothing.
    No,
}

/// Looks for the message that was handed in, by a command that came to its end by itself (`ended`) or was stopped.
fn found(job: &Job, operation: &str, ended: bool) -> Found {
    let mark = mark(job, operation);
    let root = job.root.to_path();
    let mut perhaps = None;
    // In the trace field, or in the Message-ID of a report.
    let marks = [format!("{mark};"), format!("{mark}@")];
    for path in seek::seek(&root, &marks.each_ref().map(String::as_str)).unwrap_or_default() {
        let name = Text::from_path(&path).lossy().into_owned();
        if seek::is_finished(&job.source, &root, &path, ended) {
            let note = format!("it was taken: `{name}` holds it");
            let queue_id = path.file_name().map(|name| name.to_string_lossy().into_owned());
            return Found::Taken(Outcome { note, queue_id, by_looking: true, ..Outcome::default() });
        }
        perhaps.get_or_insert(name);
    }
    perhaps.map_or(Found::No, Found::Perhaps)
}
