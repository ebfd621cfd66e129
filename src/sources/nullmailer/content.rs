//! The message behind its envelope, and all of the envelope, however long.

use super::envelope;
use crate::evidence::{Message, Text};
use crate::plan::Refusal;
use crate::read::disk::Root;
use crate::sources::Extent;
use crate::sources::verbatim::{self, End};
use std::io::{BufRead as _, BufReader, Read as _, Write};
use std::path::Path;

/// More than this is not read of an envelope: a million recipients need half of it.
const MAX_BYTES: u64 = 64 << 20;

/// An envelope that was read to its end.
#[derive(Debug, PartialEq, Eq)]
pub struct Whole {
    /// The sender; empty for a bounce.
    pub sender: Text,
    /// Every recipient. nullmailer keeps no record of who was served: a server takes a message for all of them or for none
    /// (`protocols/smtp.cc`, `send_envelope`).
    pub recipients: Vec<Text>,
    /// Where the message begins.
    pub content_at: u64,
}

/// Reads all of the envelope of a file.
///
/// # Errors
/// [`Refusal`] if it cannot be read, or is not as nullmailer-queue writes it.
pub fn envelope(root: &Root, path: &Path) -> Result<Whole, Refusal> {
    let file = root.open_file(path).map_err(|damage| verbatim::unreadable(&damage))?;
    let failed = |error: std::io::Error| verbatim::unreadable(&root.refused(path, &error));
    let mut input = BufReader::new(file.reader().map_err(failed)?.take(MAX_BYTES));
    let (mut sender, mut recipients, mut at) = (None, Vec::new(), 0_u64);
    let mut line = Vec::new();
    loop {
        line.clear();
        input.read_until(b'\n', &mut line).map_err(failed)?;
        let Some(text) = line.strip_suffix(b"\n") else {
            return Err(damaged(&format!("it ends within its envelope, at byte {}", at + line.len() as u64)));
        };
        let content_at = at + line.len() as u64;
        match sender {
            None => {
                envelope::check(text, true).map_err(|what| damaged(&format!("the sender {what}")))?;
                sender = Some(Text::new(text));
            }
            Some(sender) if text.is_empty() => {
                if recipients.is_empty() {
                    return Err(damaged("the envelope has no recipient"));
                }
                return Ok(Whole { sender, recipients, content_at });
            }
            Some(_) => {
                envelope::check(text, false).map_err(|what| damaged(&format!("a recipient {what}")))?;
                recipients.push(Text::new(text));
            }
        }
        at = content_at;
    }
}

fn damaged(what: &str) -> Refusal {
    Refusal::new(
        format!("its envelope is damaged: {what}"),
        "copy the file, and write sender and recipients anew from the logs of the program that sent it",
    )
}

/// Writes the message of a file.
///
/// # Errors
/// [`Refusal`] if envelope or message are not whole.
pub fn write(root: &Root, message: &Message, extent: Extent, out: &mut dyn Write) -> Result<(), Refusal> {
    let path = message.place.path.to_path();
    let whole = envelope(root, &path)?;
    verbatim::write(root, &path, whole.content_at, extent, End::OfLine, out)
}
