//! Who still has to get a message: its envelope files, read anew and to their end, or not at all.
//!
//! What is cut off between two records cannot be told from the bytes: no file of qmail says how many recipients it has. What
//! is cut off anywhere else is refused, and so is an empty list, and every record that qmail-send itself does not know.

use super::bounce_log;
use super::envelope::Kind;
use super::pieces::{Piece, Pieces, State};
use super::records::{self, MAX_BYTES, Record};
use super::virtual_domains::VirtualDomains;
use crate::evidence::Text;
use crate::plan::{Given, Outgoing, Refusal, Verb};
use crate::read::disk::Root;
use crate::sources::verbatim::{self, NAME_THEM};
use std::collections::HashSet;

/// qmail-queue takes no longer address (`qmail-queue.c`, `ADDR`).
const MAX_ADDRESS_BYTES: usize = 1_003;
/// A bounce log that is longer is not read: recipients in it would be left out of a report.
const MAX_LOG_BYTES: usize = bounce_log::MAX_LOG_BYTES;

/// What the envelope files of a message say.
#[derive(Debug, Default)]
struct Reading {
    sender: Option<Text>,
    /// Recipients still to be delivered to.
    pending: Vec<Text>,
    /// Recipients that are done: delivered, or given up.
    done: Vec<Text>,
}

/// The envelope of a message with which it is handed in, or returned.
///
/// # Errors
/// [`Refusal`] if it is not certain who still waits for the message, or as whom.
pub fn outgoing(
    root: &Root,
    pieces: &Pieces,
    domains: Option<&VirtualDomains>,
    verb: Verb,
    given: &Given,
) -> Result<Outgoing, Refusal> {
    let state = pieces.state();
    let mut reading = Reading::default();
    match state {
        State::Queued => {
            // Nothing is delivered before `todo` is gone (`qmail-send.c`, `todo_do`), so that it holds all of them.
            if let Some(todo) = &pieces.todo {
                reading.take(root, todo, Kind::Todo)?;
            }
        }
        State::Preprocessed | State::Stripped => {
            if let Some(info) = &pieces.info {
                reading.take(root, info, Kind::Info)?;
            }
            if let Some(list) = &pieces.remote {
                reading.take(root, list, Kind::Channel)?;
            }
            if let Some(local) = &pieces.local {
                local_recipients(&mut reading, root, local, domains, given)?;
            }
        }
        State::Content | State::Envelope => {}
    }
    let lists = state == State::Queued || pieces.channels().next().is_some();
    let mut outgoing = Outgoing {
        sender: reading.sender,
        recipients: reading.pending.into_iter().map(verbatim::recipient).collect(),
        delivered: reading.done,
        ..Outgoing::default()
    }
    .with(given, !lists);
    special_sender(outgoing.sender.as_ref())?;
    // In the state before, a log of this number is of an earlier message.
    if verb == Verb::Ndr
        && state != State::Queued
        && let Some(bounce) = &pieces.bounce
    {
        given_up(&mut outgoing, root, bounce)?;
    }
    Ok(outgoing)
}

fn local_recipients(
    reading: &mut Reading,
    root: &Root,
    local: &Piece,
    domains: Option<&VirtualDomains>,
    given: &Given,
) -> Result<(), Refusal> {
    let (pending, done) = (reading.pending.len(), reading.done.len());
    reading.take(root, local, Kind::Channel)?;
    let Some(domains) = domains else {
        if reading.pending.len() == pending {
            return Ok(());
        }
        if given.recipients.is_empty() {
            return Err(Refusal::new(
                "it waits for local recipients, and without the control files of this qmail it cannot be told whether they \
                 stand there as they were written, or with the name of a virtual domain before them",
                "give the folder with `control` with `--config`, or name all who wait for it with `--to`",
            ));
        }
        reading.pending.clone_from(&given.recipients);
        return Ok(());
    };
    for address in reading.pending.iter_mut().skip(pending).chain(reading.done.iter_mut().skip(done)) {
        *address = domains.strip(address);
    }
    Ok(())
}

/// Senders that only qmail-send understands.
fn special_sender(sender: Option<&Text>) -> Result<(), Refusal> {
    let Some(sender) = sender.map(Text::bytes) else { return Ok(()) };
    if sender == b"#@[]" {
        return Err(Refusal::new(
            "its sender is `#@[]`: it is a bounce of a bounce, which only qmail itself may send",
            "let qmail-send deliver it, or read it and move it out of the queue",
        ));
    }
    if sender.ends_with(b"-@[]") {
        return Err(Refusal::new(
            "its sender ends in `-@[]`: qmail-send makes a sender of its own out of it for each recipient (VERP), which no one \
             submission can",
            "let qmail-send deliver it: put it right with qmail-send stopped, then start it",
        ));
    }
    Ok(())
}

/// Recipients that were given up and of whom the sender was not told yet: the log is sent and removed when the message is done
/// (`qmail-send.c`, `messdone`, `injectbounce`). They did not get it.
fn given_up(outgoing: &mut Outgoing, root: &Root, bounce: &Piece) -> Result<(), Refusal> {
    let file = root.open_file(&bounce.path).map_err(|damage| verbatim::unreadable(&damage))?;
    let told = file.all(MAX_LOG_BYTES + 1);
    let told = told.map_err(|error| verbatim::unreadable(&root.refused(&bounce.path, &error)))?;
    if told.len() > MAX_LOG_BYTES {
        return Err(Refusal::new(
            "the log of its failures is longer than is read",
            "read `bounce` by hand, and let qmail-send return it",
        ));
    }
    let told = bounce_log::parse(&told);
    let known: HashSet<&Text> = told.iter().map(|recipient| &recipient.address).collect();
    outgoing.delivered.retain(|address| !known.contains(address));
    let mut listed: HashSet<Text> =
        outgoing.recipients.iter().map(|recipient| recipient.address.clone()).collect();
    for failed in told {
        if listed.insert(failed.address.clone()) {
            let mut recipient = verbatim::recipient(failed.address);
            recipient.reason = failed.reason;
            outgoing.recipients.push(recipient);
        }
    }
    Ok(())
}

impl Reading {
    fn take(&mut self, root: &Root, piece: &Piece, kind: Kind) -> Result<(), Refusal> {
        let file = root.open_file(&piece.path).map_err(|damage| verbatim::unreadable(&damage))?;
        let failed = |error: std::io::Error| verbatim::unreadable(&root.refused(&piece.path, &error));
        let mut fault = None;
        let mut first = true;
        let length = records::each(file.reader().map_err(failed)?, |record| {
            // qmail-send reads no further than the first record of `info`; what patches add there is their own.
            if fault.is_none() && (first || kind != Kind::Info) {
                fault = self.record(kind, record).err();
            }
            first = false;
        })
        .map_err(failed)?;
        let what = match fault {
            Some(what) => what,
            None if length == 0 => "it is empty",
            None if length >= MAX_BYTES => "it is longer than is read",
            None if kind == Kind::Todo && self.sender.is_none() => "there is no sender in it",
            None => return Ok(()),
        };
        Err(Refusal::new(
            format!("`{}` does not say for certain who waits for it: {what}", piece.path.display()),
            NAMED_IN_LOG,
        ))
    }

    fn record(&mut self, kind: Kind, record: Record<'_>) -> Result<(), &'static str> {
        if !record.ended {
            return Err("its last record has no end");
        }
        if record.value.len() > MAX_ADDRESS_BYTES {
            return Err("a record is longer than any address that qmail takes");
        }
        let address = || Text::new(record.value);
        match (kind, record.kind) {
            (Kind::Info | Kind::Todo, Some(b'F')) if self.sender.is_none() => self.sender = Some(address()),
            (Kind::Info, _) => return Err("it does not begin with a sender"),
            (Kind::Todo, Some(b'F')) => return Err("it has two senders"),
            (Kind::Todo, Some(b'u' | b'p')) => {}
            (Kind::Channel | Kind::Todo, Some(b'T')) => self.pending.push(address()),
            (Kind::Channel, Some(b'D')) => self.done.push(address()),
            (Kind::Channel | Kind::Todo, _) => return Err("a record is of an unknown kind"),
        }
        Ok(())
    }
}

/// What to do about a damaged envelope.
const NAMED_IN_LOG: &str = "with qmail-send stopped, write the file anew from the log of qmail-send; each record is its letter, \
                            the address, and a zero byte";

/// What the operator has to name of a message that has no list of recipients.
pub fn unnamed() -> Refusal {
    Refusal::new("its recipients are not known", NAME_THEM)
}
