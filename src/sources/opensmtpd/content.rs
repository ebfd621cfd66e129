//! The message as smtpd would send it.

use super::arguments::MAX_LINE_BYTES;
use super::coding::Coding;
use crate::evidence::{Message, PartKind, Sign};
use crate::plan::Refusal;
use crate::read::disk::Root;
use crate::sources::{Extent, handing};
use std::io::Write;
use std::path::Path;

/// What is looked at to tell how a file is written.
const HEAD_BYTES: usize = 16;

/// Writes the content file; of one in `offline` what stands behind its line of arguments.
///
/// # Errors
/// When there is no content, or it is not whole or not plain.
pub fn write(root: &Root, message: &Message, extent: Extent, out: &mut dyn Write) -> Result<(), Refusal> {
    let Some(path) = handing::part(message, PartKind::Content) else {
        return Err(Refusal::new(
            "there is no content: the file `message` is missing",
            "look in a backup for the folder of this message",
        ));
    };
    if message.signs.iter().any(|signed| signed.sign == Sign::Unfinished) {
        return Err(Refusal::new(
            "it was never finished: how much of it is missing is not known",
            "copy its files out of the spool before smtpd is started, which deletes them",
        ));
    }
    let start = start(root, message, &path)?;
    handing::copy(root, &path, start, extent, out)
}

/// Where the content begins.
fn start(root: &Root, message: &Message, path: &Path) -> Result<u64, Refusal> {
    let file = handing::open(root, path)?;
    let read = |limit| {
        file.head(limit)
            .map_err(|error| Refusal::new(format!("`{}` could not be read: {error}", path.display()), ""))
    };
    if file.stat.size == 0 {
        return Err(Refusal::new("its content has no bytes", "look in the log for what became of it"));
    }
    if is_offline(message) {
        let line = read(MAX_LINE_BYTES)?;
        let end = memchr::memchr(b'\n', &line);
        let end = end.ok_or_else(|| Refusal::new("its line of arguments has no end", "read it by hand"))?;
        return Ok(end as u64 + 1);
    }
    match Coding::of(&read(HEAD_BYTES)?) {
        Coding::Plain => Ok(0),
        coding => Err(Refusal::new(
            format!("its content is {}, which ghostq does not undo", coding.describe()),
            "`smtpctl show message ID` prints it, where smtpd has the key",
        )),
    }
}

/// Whether it is a message that was handed to sendmail(1) while smtpd was down.
pub fn is_offline(message: &Message) -> bool {
    message.queue == "offline"
}
