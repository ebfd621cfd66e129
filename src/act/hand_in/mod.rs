//! Handing a message in: the one step that cannot be taken back, and the one of which may be unknown whether it was done.

mod drop_folder;
mod export;
mod sendmail;
mod smtp;

pub use sendmail::arguments as sendmail_arguments;

use super::seek;
use super::vault::{MESSAGE, Vault};
use crate::evidence::{Text, Time};
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
    let result = match door {
        Door::Sendmail { submission } => {
            return sendmail::hand_in(job, operation, vault, submission, &outgoing, committing);
        }
        Door::Smtp { url, password_file, ca_file } => {
            let server = smtp::Server {
                url,
                password_file: password_file.as_deref(),
                ca_file: ca_file.as_deref(),
                hello: host,
            };
            return smtp::hand_in(vault, &server, &outgoing, committing);
        }
        Door::Pickup { folder } | Door::Replay { folder } => {
            drop_folder::hand_in(job, operation, vault, folder, committing)
        }
        Door::Export { folder } => export::hand_in(job, operation, vault, folder, &outgoing),
    };
    match result {
        Ok(outcome) => Handed::Taken(outcome),
        Err(error) => Handed::NotTaken(format!("could not write into `{}`: {error}", door.describe())),
    }
}

/// What became of a message that was about to be handed in when ghostq died: `Ok(None)` if it certainly was not taken.
///
/// # Errors
/// Why nobody knows.
pub fn settle(
    job: &Job,
    operation: &str,
    vault: &Vault,
    committing: bool,
) -> Result<Option<Outcome>, String> {
    let Some(door) = &job.door else { return Ok(None) };
    if !committing || door.is_export() {
        return Ok(None);
    }
    match door {
        Door::Pickup { folder } | Door::Replay { folder } => {
            Ok(drop_folder::settle(job, operation, folder))
        }
        Door::Sendmail { .. } => found(job, operation).map_or_else(
            || {
                Err(format!(
                    "ghostq died while it handed the message in; it is no longer in the spool, where it may never have \
                     come or which it may have left already. The copy is `{}`",
                    vault.file(MESSAGE).display()
                ))
            },
            |outcome| Ok(Some(outcome)),
        ),
        _ => Err(format!(
            "ghostq died before the answer of {} came. The copy is `{}`",
            door.describe(),
            vault.file(MESSAGE).display()
        )),
    }
}

/// Whether the spool holds the message that was handed in.
fn found(job: &Job, operation: &str) -> Option<Outcome> {
    let mark = mark(job, operation);
    let ends = [";", "@"].map(|end| format!("{mark}{end}"));
    let path = ends.iter().find_map(|mark| seek::seek(&job.root.to_path(), mark).ok().flatten())?;
    let note = format!("it was taken: `{}` holds it", path.display());
    let queue_id = path.file_name().map(|name| name.to_string_lossy().into_owned());
    Some(Outcome { note, queue_id, by_looking: true, ..Outcome::default() })
}
