//! Writing a message and its envelope into a folder, for a person. The spool stays as it is.

use super::mark;
use crate::act::journal::sync_folder;
use crate::act::vault::{MESSAGE, Vault};
use crate::plan::Job;
use crate::plan::Outgoing;
use crate::plan::entry::Outcome;
use serde_json::json;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::Path;

/// Writes `NAME.eml`, if there is a content, and `NAME.json` with the envelope.
///
/// # Errors
/// As the system reports.
pub fn hand_in(
    job: &Job,
    operation: &str,
    vault: &Vault,
    folder: &Path,
    outgoing: &Outgoing,
) -> io::Result<Outcome> {
    fs::create_dir_all(folder)?;
    let name = mark(job, operation);
    let mut message = match File::open(vault.file(MESSAGE)) {
        Ok(file) => Some(file).filter(|file| file.metadata().is_ok_and(|known| known.len() > 0)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let eml = format!("{name}.eml");
    if let Some(message) = &mut message {
        write(&folder.join(&eml), message)?;
    }
    let envelope = json!({
        "schema": "ghostq.envelope/1",
        "finding": job.finding,
        "rule": job.rule,
        "source": job.source,
        "queue_id": job.native,
        "message_id": job.message_id,
        "message": message.is_some().then_some(&eml),
        "whole": job.content.is_some(),
        "envelope": outgoing,
        "content": job.content,
        "parts": job.parts,
    });
    let envelope = serde_json::to_vec_pretty(&envelope)?;
    write(&folder.join(format!("{name}.json")), &mut envelope.as_slice())?;
    sync_folder(folder)?;
    Ok(Outcome { note: format!("written as `{}`", folder.join(name).display()), ..Outcome::default() })
}

/// A file for its owner only, under a name that nobody else uses.
fn write(path: &Path, from: &mut dyn io::Read) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600).custom_flags(crate::act::spool::nofollow());
    }
    let mut file = options.open(path)?;
    io::copy(from, &mut file)?;
    file.sync_all()
}
