//! The message as Courier would send it: the data file.

use crate::evidence::{Message, PartKind, Sign};
use crate::plan::Refusal;
use crate::read::disk::Root;
use crate::sources::{Extent, handing};
use std::io::Write;

/// Writes the data file.
///
/// # Errors
/// When there is none, or it is not whole.
pub fn write(root: &Root, message: &Message, extent: Extent, out: &mut dyn Write) -> Result<(), Refusal> {
    let Some(path) = handing::part(message, PartKind::Content) else {
        return Err(Refusal::new(
            "its data file is missing",
            "look in a backup for the D file of this number",
        ));
    };
    if message.signs.iter().any(|signed| signed.sign == Sign::Unfinished) {
        return Err(Refusal::new(
            "submit did not finish it: how much of it is missing is not known",
            "copy its files out of `tmp`: courierd deletes them after 48 hours",
        ));
    }
    if handing::open(root, &path)?.stat.size == 0 {
        return Err(Refusal::new("its data file has no bytes", "look in the log for what became of it"));
    }
    handing::copy(root, &path, 0, extent, out)
}
