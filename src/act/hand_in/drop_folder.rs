//! Handing in through the Pickup folder of the IIS SMTP service and the Replay folder of Exchange.
//!
//! Both poll for names that end in `.eml`. The message is written beside under another name, which neither touches (`.tmp` they
//! do: it is renamed back to `.eml` at their start), and then renamed: so after a crash it can always be told whether it was
//! handed in.

use super::{Committing, Handed, mark};
use crate::act::address;
use crate::act::journal::sync_folder;
use crate::act::vault::{MESSAGE, Vault};
use crate::evidence::Stat;
use crate::plan::Door;
use crate::plan::Job;
use crate::plan::Outgoing;
use crate::plan::entry::Outcome;
use crate::read::disk::Root;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

/// The envelope as the first lines of the file. Pickup: `x-sender`, `x-receiver` as the Drop folder writes them (Microsoft KB 306043;
/// that Pickup honours them is known from practice only). Replay: `X-Sender`, `X-Receiver` with delivery options, and `X-CreatedBy`, by which
/// the fields are trusted (Exchange Server documentation, `Pickup directory and Replay directory`).
pub fn envelope(door: &Door, outgoing: &Outgoing) -> Vec<u8> {
    let replay = matches!(door, Door::Replay { .. });
    if !replay && !matches!(door, Door::Pickup { .. }) {
        return Vec::new();
    }
    let (sender, receiver) = if replay { ("X-Sender", "X-Receiver") } else { ("x-sender", "x-receiver") };
    let mut lines = Vec::new();
    let mut line = |name: &str, address: &[u8], options: &str| {
        lines.extend_from_slice(name.as_bytes());
        lines.extend_from_slice(b": ");
        if replay {
            lines.extend_from_slice(&[b"<", address, b">"].concat());
        } else {
            lines.extend_from_slice(address);
        }
        lines.extend_from_slice(options.as_bytes());
        lines.extend_from_slice(b"\r\n");
    };
    let null: &[u8] = if replay { b"" } else { b"<>" };
    let from =
        outgoing.sender.as_ref().map_or(null, |sender| if sender.is_empty() { null } else { sender.bytes() });
    line(sender, from, "");
    for recipient in &outgoing.recipients {
        let notify = recipient.notify.parameter().filter(|_| replay);
        let options = notify.map_or_else(String::new, |notify| format!(" NOTIFY={notify}"));
        line(receiver, recipient.address.bytes(), &options);
    }
    if replay {
        lines.extend_from_slice(b"X-CreatedBy: ghostq\r\n");
    }
    lines
}

/// Checks that no address breaks out of its line: what follows would be another recipient.
///
/// # Errors
/// Why the envelope cannot be written.
pub fn check(outgoing: &Outgoing) -> Result<(), String> {
    if outgoing.sender.is_none() {
        return Err("its envelope sender is not known; give one with `--mail-from`".to_owned());
    }
    if outgoing.recipients.is_empty() {
        return Err("it has no recipients".to_owned());
    }
    for address in super::addresses(outgoing) {
        address::check(address).map_err(|why| format!("`{}`: {why}", address.lossy().escape_debug()))?;
    }
    Ok(())
}

/// Writes the message and gives it its name.
pub fn hand_in(
    job: &Job,
    operation: &str,
    vault: &Vault,
    folder: &Path,
    committing: &mut Committing<'_>,
) -> Handed {
    let (making, ready) = names(job, operation, folder);
    let failed = |error: io::Error| format!("could not write into `{}`: {error}", folder.display());
    if let Err(error) = write(&making, vault, folder) {
        // It was not announced yet: its absence cannot be taken for a sign that it was handed in.
        let _rest = fs::remove_file(&making);
        return Handed::NotTaken(failed(error));
    }
    if let Err(error) = committing() {
        return Handed::NotTaken(failed(error));
    }
    if let Err(error) = fs::rename(&making, &ready) {
        // Over a network, a call can do its work and fail all the same.
        return match is_there(&making) {
            Ok(true) => Handed::NotTaken(failed(error)),
            _ => Handed::Unknown(failed(error)),
        };
    }
    // It is there for the service to take, which does not wait until the disk has it.
    match sync_folder(folder) {
        Ok(()) => {
            Handed::Taken(Outcome { note: format!("written as `{}`", ready.display()), ..Outcome::default() })
        }
        Err(error) => Handed::Unknown(failed(error)),
    }
}

/// Writes all of it under the name that nobody takes up; the name is on the disk before it is announced, since later its
/// absence tells that the message was handed in.
fn write(making: &Path, vault: &Vault, folder: &Path) -> io::Result<()> {
    match fs::remove_file(making) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut out = BufWriter::new(OpenOptions::new().write(true).create_new(true).open(making)?);
    with_crlf(&mut BufReader::new(File::open(vault.file(MESSAGE))?), &mut out)?;
    out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
    sync_folder(folder)
}

/// What became of it: only the last act takes the first name away.
///
/// # Errors
/// Why that cannot be told: it is not the folder `was`, or cannot be looked at.
pub fn settle(
    job: &Job,
    operation: &str,
    folder: &Path,
    was: Option<&Stat>,
) -> Result<Option<Outcome>, String> {
    let (making, ready) = names(job, operation, folder);
    let dark = |why: String| format!("ghostq died while it handed the message in, and {why}");
    let now = Root::open(folder).and_then(|root| root.stat(Path::new(".")));
    let (_, now) =
        now.map_err(|error| dark(format!("`{}` cannot be looked at: {error}", folder.display())))?;
    // An empty mount point tells nothing.
    if was.is_none_or(|was| was.inode != now.inode) {
        return Err(dark(format!("`{}` is another folder by now", folder.display())));
    }
    let unfinished = is_there(&making)
        .map_err(|error| dark(format!("`{}` cannot be looked at: {error}", making.display())))?;
    let note = format!("`{}` was written", ready.display());
    Ok((!unfinished).then(|| Outcome { note, by_looking: true, ..Outcome::default() }))
}

fn is_there(path: &Path) -> io::Result<bool> {
    match fs::symlink_metadata(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

fn names(job: &Job, operation: &str, folder: &Path) -> (PathBuf, PathBuf) {
    let name = mark(job, operation);
    (folder.join(format!("{name}.new")), folder.join(format!("{name}.eml")))
}

/// Both services want CRLF.
fn with_crlf(from: &mut impl BufRead, to: &mut impl Write) -> io::Result<()> {
    let mut before = 0;
    loop {
        let block = from.fill_buf()?;
        if block.is_empty() {
            return Ok(());
        }
        for byte in block {
            if *byte == b'\n' && before != b'\r' {
                to.write_all(b"\r")?;
            }
            to.write_all(&[*byte])?;
            before = *byte;
        }
        let length = block.len();
        from.consume(length);
    }
}
