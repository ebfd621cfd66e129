//! Handing in through the Pickup folder of the IIS SMTP service and the Replay folder of Exchange.
//!
//! Both poll for names that end in `.eml`. The message is written beside under another name, which neither touches (`.tmp` they
//! do: it is renamed back to `.eml` at their start), and then renamed: so after a crash it can always be told whether it was
//! handed in.

use super::{Committing, mark};
use crate::act::journal::sync_folder;
use crate::act::vault::{MESSAGE, Vault};
use crate::plan::Door;
use crate::plan::Job;
use crate::plan::Outgoing;
use crate::plan::entry::Outcome;
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

/// Writes the message and gives it its name.
///
/// # Errors
/// As the system reports: the message was not handed in.
pub fn hand_in(
    job: &Job,
    operation: &str,
    vault: &Vault,
    folder: &Path,
    committing: &mut Committing<'_>,
) -> io::Result<Outcome> {
    let (making, ready) = names(job, operation, folder);
    let mut out = BufWriter::new(OpenOptions::new().write(true).create(true).truncate(true).open(&making)?);
    with_crlf(&mut BufReader::new(File::open(vault.file(MESSAGE))?), &mut out)?;
    out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
    committing()?;
    fs::rename(&making, &ready)?;
    sync_folder(folder)?;
    Ok(Outcome { note: format!("written as `{}`", ready.display()), ..Outcome::default() })
}

/// What became of it: only the last act takes the first name away.
pub fn settle(job: &Job, operation: &str, folder: &Path) -> Option<Outcome> {
    let (making, ready) = names(job, operation, folder);
    let note = format!("`{}` was written", ready.display());
    (!making.exists()).then(|| Outcome { note, by_looking: true, ..Outcome::default() })
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
