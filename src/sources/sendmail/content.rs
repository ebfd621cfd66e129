//! The message as sendmail would send it: the header is in the control file, the body in the data file.

use super::queued::Queued;
use crate::evidence::{Message, PartKind};
use crate::plan::Refusal;
use crate::read::disk::Root;
use crate::sources::{Extent, handing};
use std::io::Write;

/// Writes the header, and the body if that is wanted.
///
/// # Errors
/// When the control file is not whole, or the data file is missing.
pub fn write(root: &Root, message: &Message, extent: Extent, out: &mut dyn Write) -> Result<(), Refusal> {
    let Some(control) = handing::part(message, PartKind::Envelope) else {
        return Err(Refusal::new(
            "the header was in the control file, which is lost: this is a body without one",
            "look in a backup for the control file of this ID (`qf…`)",
        ));
    };
    let queued = Queued::read(root, &control)?;
    let body = match (extent, handing::part(message, PartKind::Content)) {
        (Extent::Header, _) => None,
        (Extent::Whole, Some(body)) => Some(body),
        (Extent::Whole, None) => {
            return Err(Refusal::new(
                "its data file is missing: there is a header and no body",
                "look in a backup for the data file of this ID (`df…`)",
            ));
        }
    };
    queued.write_header(out)?;
    body.map_or(Ok(()), |body| handing::copy(root, &body, 0, Extent::Whole, out))
}
