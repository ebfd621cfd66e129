//! Pickup, Replay, Drop and the temporary folders: mail that was handed over and waits for somebody to take it.
//!
//! Exchange 2007 and later look every five seconds: `.eml` becomes `.tmp` (or `NAMEDATE.tmp`) while it is taken in, then
//! goes away; what is refused becomes `.bad`; at a start every `.tmp` is named `.eml` again, so that a message which had
//! already been taken in is sent twice (Microsoft, "Pickup directory and Replay directory").

use super::eml::{self, Eml};
use super::layout::{Folder, FolderKind};
use super::names::{self, NameKind};
use super::read::{Outcome, State};
use crate::evidence::{Confidence, Envelope, Fact, Locus, RecipientState, Sign, Signed, Text};
use crate::read::disk::Root;
use std::path::Path;

/// Reads one file of such a folder.
pub fn read(state: &State, root: &Root, folder: &Folder, path: &Path) -> Outcome {
    let kind = names::kind_of(path);
    match (kind, folder.kind) {
        (NameKind::Foreign | NameKind::Database, _) | (NameKind::Other, FolderKind::Drop) => Ok(None),
        _ => message(state, root, folder, path, kind),
    }
}

fn message(state: &State, root: &Root, folder: &Folder, path: &Path, kind: NameKind) -> Outcome {
    // What lies as `.eml` has not been taken in; of a `.tmp` or `.bad` only the server's log knows.
    let recipients = match (kind, folder.kind) {
        (NameKind::Message, FolderKind::Pickup | FolderKind::Replay) => RecipientState::Pending,
        _ => RecipientState::Unknown,
    };
    let mut eml = eml::read(root, folder, path, recipients, state.deep)?;
    if !eml.empty || kind == NameKind::Taken {
        let sign = sign(folder.kind, kind, path);
        eml.message.signs.push(sign);
        say_whence_the_envelope(&mut eml, folder.kind);
    }
    Ok(Some(eml.message))
}

fn sign(folder: FolderKind, kind: NameKind, path: &Path) -> Signed {
    use Confidence::{Certain, Likely, Possible};
    let (sign, confidence, text) = match (folder, kind) {
        (FolderKind::Temporary, _) => (
            Sign::Unfinished,
            Possible,
            "it lies in a temporary folder of the SMTP service; what a crash leaves there is not documented",
        ),
        (FolderKind::Drop, _) => (
            Sign::Unclaimed,
            Likely,
            "it was delivered into Drop, where some program should fetch it and did not",
        ),
        (_, NameKind::Taken) => (
            Sign::Unfinished,
            Certain,
            "a `.tmp` is a message that was being taken in; one that stays was left by a crash, is named `.eml` \
             again at the next start, and may then be sent a second time",
        ),
        (_, NameKind::Bad) => {
            (Sign::Unclaimed, Certain, "it was refused and renamed to `.bad`, and nobody is told about that")
        }
        (_, NameKind::Message) => (
            Sign::Unclaimed,
            Certain,
            "it was handed in for sending and has not been taken; a running service takes it within seconds",
        ),
        // Exchange 2007 and later take `.eml` only; that IIS takes any name is from memory.
        _ => (
            Sign::Unclaimed,
            Possible,
            "it was put where mail is handed in, under a name that Exchange 2007 and later never take",
        ),
    };
    Signed { sign, confidence, facts: vec![Fact::new(text, Locus::whole(Text::from_path(path)))] }
}

/// Without x-sender and x-receiver the service takes the addresses from the headers (KB Q201314). That is what it would
/// do, and no envelope that anybody gave.
fn say_whence_the_envelope(eml: &mut Eml, folder: FolderKind) {
    let intake = matches!(folder, FolderKind::Pickup | FolderKind::Replay);
    if !intake || eml.message.envelope != Envelope::default() {
        return;
    }
    let text = "no x-sender and x-receiver at its top: sender and recipients will be taken from From, To, Cc and Bcc";
    let place = eml.message.place.clone();
    if let Some(signed) = eml.message.signs.last_mut() {
        signed.facts.push(Fact::new(text, place));
    }
}
