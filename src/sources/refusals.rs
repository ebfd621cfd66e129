//! What no source proposes anything for, and why.

use super::Ask;
use crate::evidence::{Sign, Text};
use crate::plan::{Outgoing, Refusal};

/// What the rules say of a message that no look at its files could change.
///
/// # Errors
/// When nothing is to be done about it.
pub fn said(ask: &Ask<'_>) -> Result<(), Refusal> {
    if ask.says("listed-not-on-disk") {
        return Err(Refusal::new(
            "only the listing shows it, and there is nothing on disk to send",
            "list again, and look into the mail log: most likely it was delivered meanwhile",
        ));
    }
    let alone = ask.message.signs.iter().any(|signed| signed.sign == Sign::SideFileAlone);
    if ask.says("orphan-side-file") || alone {
        return Err(Refusal::new(
            "it is a log without its message: it names who waited for it, and has nothing of it to send",
            "write down whom it names, and look into the mail log what became of the message",
        ));
    }
    if ask.says("duplicate-message") {
        return Err(Refusal::new(
            "the same message is there more than once: the other copy may be alive, and both would be sent",
            "compare the recipients of both, and move one of them out of the spool",
        ));
    }
    Ok(())
}

/// A report on a message goes to its sender, if there is one who wants it.
///
/// # Errors
/// When nobody would be told, so that the message would only be gone.
pub fn may_be_returned(outgoing: &Outgoing) -> Result<(), Refusal> {
    if outgoing.sender.as_ref().is_some_and(Text::is_empty) {
        return Err(Refusal::new(
            "its sender is the null sender: it is a report itself, and nobody can be told",
            "requeue it, or keep a copy outside the spool",
        ));
    }
    if !outgoing.recipients.iter().any(|recipient| recipient.notify.wants_failure()) {
        return Err(Refusal::new(
            "its sender asked not to be told of failures (NOTIFY): the message would be gone, and nobody would know",
            "requeue it",
        ));
    }
    Ok(())
}
