//! What can be done about a message of IIS SMTP or Exchange.
//!
//! Their own tools are a snap-in and PowerShell, which cannot be run from here, and while their service runs, nobody can see from
//! outside what it is doing with a file. So nothing but what lies on a disk that no service uses is handed over. `.EML` goes
//! first: the service reads no other file.

use super::content;
use super::layout::{Folder, FolderKind};
use super::names::{self, NameKind};
use crate::evidence::{At, PartKind, Text};
use crate::plan::{Outgoing, Proposal, Refusal, Verb, Way};
use crate::sources::verbatim::{self, NAME_THEM};
use crate::sources::{Ask, Extent, Remedies};
use std::path::Path;

/// The remedies of a mailroot with these folders.
pub fn remedies(folders: Vec<Folder>) -> Remedies {
    let known = folders.clone();
    Remedies {
        propose: Box::new(move |ask| propose(&folders, ask)),
        content: Box::new(move |root, message, extent, out| {
            content::write(&known, root, message, extent, out)
        }),
        submission: None,
    }
}

fn propose(folders: &[Folder], ask: &Ask<'_>) -> Result<Proposal, Refusal> {
    let path = content::place(ask.message).unwrap_or_else(|| ask.message.place.path.to_path());
    let kind = content::folder_of(folders, &path).map(|folder| folder.kind);
    hopeless(ask, kind, &path)?;
    if !ask.given.offline {
        return Err(in_service(ask, kind));
    }
    let missing = content::place(ask.message).is_none();
    if ask.verb == Verb::Requeue && (missing || ask.message.size == Some(0)) {
        let what = if missing { "its content is gone" } else { "its content has no bytes" };
        return Err(Refusal::new(what, "return it with `ghostq ndr`, or look for it in a backup"));
    }
    let mut warnings = Vec::new();
    let outgoing = outgoing(ask, kind.unwrap_or(FolderKind::Queue), &path, missing, &mut warnings)?;
    verbatim::complete(&outgoing)?;
    if ask.verb == Verb::Requeue {
        content::write(folders, ask.root, ask.message, Extent::Whole, &mut std::io::sink())?;
    }
    let way = Way::HandOver { parts: parts(ask), outgoing };
    Ok(Proposal { way, lock: None, warnings })
}

/// What no remedy helps.
fn hopeless(ask: &Ask<'_>, folder: Option<FolderKind>, path: &Path) -> Result<(), Refusal> {
    if ask.says("held") {
        return Err(Refusal::new(
            "Exchange holds it, and its commands cannot be run from here",
            "run `Resume-Message -Identity ID` in the Exchange Management Shell",
        ));
    }
    if ask.says("listed-not-on-disk") {
        return Err(Refusal::new(
            "there is no file of it: it rests in the queue database or in the store",
            "run `Suspend-Message`, then `Export-Message … | AssembleMessage`, while it is still listed",
        ));
    }
    if ask.says("duplicate-message") {
        return Err(Refusal::new(
            "there is another copy of it, and both would be sent",
            "compare Message-ID and tracking log, and keep one copy",
        ));
    }
    if ask.says("orphan-side-file") {
        return Err(Refusal::new(
            "it is a note of a message that is not there any more",
            "read the reason in the `.BDR`, and look for the message in the tracking log by its time",
        ));
    }
    let taken = names::kind_of(path) == NameKind::Taken;
    if taken && matches!(folder, Some(FolderKind::Pickup | FolderKind::Replay)) {
        return Err(Refusal::new(
            "a `.tmp` may have been taken in before the crash, and is named `.eml` again at the next start: sent from here \
             as well, its recipients would get it twice",
            "look in the tracking log (`Get-MessageTrackingLog -MessageId`); move it out of the folder if it was taken in, else \
             name it `.eml`",
        ));
    }
    if taken || folder == Some(FolderKind::Temporary) || ask.says("unfinished") {
        return Err(Refusal::new(
            "the service had not finished with it, and what it leaves there is not documented",
            "copy it with its streams, and look for it in the tracking log by its Message-ID",
        ));
    }
    Ok(())
}

/// What the service itself can do with what it has.
fn in_service(ask: &Ask<'_>, folder: Option<FolderKind>) -> Refusal {
    let hint = match folder {
        Some(FolderKind::Pickup | FolderKind::Replay) => {
            "start the service (smtpsvc, MSExchangeTransport) and let it read and delete in the folder; of a disk that no service \
             uses say `--offline`"
        }
        Some(FolderKind::Badmail | FolderKind::Drop) => {
            "of a disk that no service uses say `--offline`; otherwise copy the folder and name the copy"
        }
        _ => {
            "restart the SMTP service once the evidence is saved (`net stop smtpsvc && net start smtpsvc`), or run `Retry-Queue \
             -Resubmit $true` on Exchange 2007 and later; of a disk that no service uses say `--offline`"
        }
    };
    let what =
        if ask.says("older-than-epoch") { "it idles until the service is restarted, and then " } else { "" };
    Refusal::new(
        format!("{what}a running service may take it at any moment, which cannot be seen from here"),
        hint,
    )
}

/// The envelope. Only `.eml` in Pickup and Replay certainly waits for all of its recipients; of everything else the operator has
/// to say who does not have it.
fn outgoing(
    ask: &Ask<'_>,
    folder: FolderKind,
    path: &Path,
    missing: bool,
    warnings: &mut Vec<String>,
) -> Result<Outgoing, Refusal> {
    let top = if missing { None } else { content::top(ask.root, folder, path)?.0 };
    let waits = names::kind_of(path) == NameKind::Message
        && matches!(folder, FolderKind::Pickup | FolderKind::Replay);
    if let Some(top) = top.clone().filter(|top| waits && !top.recipients.is_empty()) {
        return Ok(top.with(ask.given, false));
    }
    if ask.given.recipients.is_empty() {
        return Err(Refusal::new(unknown(ask, folder, top.as_ref()), NAME_THEM));
    }
    let of_top = top.is_some();
    let outgoing = top.map_or_else(
        || verbatim::named_by_hand(None, ask.given),
        |top| Outgoing { recipients: Vec::new(), ..top }.with(ask.given, true),
    );
    if of_top {
        warnings.push(
            "the recipients that you named are taken in place of those at the top of the file".to_owned(),
        );
    }
    Ok(outgoing)
}

/// Why it is not certain who waits for it.
fn unknown(ask: &Ask<'_>, folder: FolderKind, top: Option<&Outgoing>) -> String {
    if let Some(recipient) = top.and_then(|top| top.recipients.first()) {
        return format!("it is not known whether `{}` has it already", recipient.address.lossy());
    }
    let streams = ask.message.parts.iter().any(|part| part.kind == PartKind::OpaqueStream);
    match folder {
        FolderKind::Queue | FolderKind::QueueAside if streams => {
            "its envelope is in a named stream whose layout is not public: who waits for it cannot be read"
                .to_owned()
        }
        FolderKind::Pickup | FolderKind::Replay => {
            "no x-sender and x-receiver stand at its top: who waits for it cannot be told from its header"
                .to_owned()
        }
        _ => "its envelope is gone".to_owned(),
    }
}

/// The files of a message, each once; a stream goes with its file where it is part of it.
fn parts(ask: &Ask<'_>) -> Vec<Text> {
    let mut parts: Vec<Text> = Vec::new();
    for part in ask.message.parts.iter().filter(|part| part.locus.at == At::Whole) {
        if !parts.contains(&part.locus.path) {
            parts.push(part.locus.path.clone());
        }
    }
    parts
}
