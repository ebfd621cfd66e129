//! To whom a message still has to go, read from all of its envelopes, or from the line that begins a file in `offline`.
//!
//! Source: OpenSMTPD `envelope.c` (`ascii_dump_field`), `smtpd.h` (`DSN_SUCCESS` and the like), `smtp_session.c` (ENVID and
//! ORCPT are kept as xtext); `enqueue.c` (`enqueue`, `build_from`, `rcpt_add`), `smtpd.c` (`offline_enqueue`).

use super::arguments::MAX_LINE_BYTES;
use super::coding::Coding;
use super::envelope::{CURRENT, Envelope};
use super::id;
use crate::evidence::Text;
use crate::plan::{Notify, Outgoing, OutgoingRecipient, Refusal, Ret, Verb};
use crate::read::disk::Root;
use crate::sources::handing;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// Names of one folder; a message with more recipients is not handed over.
const MAX_NAMES: usize = 100_000;
/// An envelope takes a few KiB.
const MAX_ENVELOPE_BYTES: u64 = 64 << 10;
/// Options of sendmail(1) without a value that change nothing here: `-i`, `-m`, `-S`, `-v`, `-x`.
const WITHOUT_VALUE: &[u8] = b"imSvx";
/// Options with a value that change nothing here. `-F` is the name in a field `From:` that is made if there is none.
const WITH_VALUE: &[u8] = b"ABFLop";

/// A message and those who wait for it.
#[derive(Debug)]
pub struct Waiting {
    /// The envelope files, sorted.
    pub envelopes: Vec<PathBuf>,
    /// The envelope as a whole.
    pub outgoing: Outgoing,
    /// Whether some of it is for users of this machine.
    pub is_local: bool,
}

/// The names of all envelopes of this message in a folder, sorted.
///
/// # Errors
/// When the folder cannot be listed, or has too many names.
pub fn envelopes(root: &Root, folder: &Path, message: &str) -> Result<Vec<PathBuf>, Refusal> {
    let names = root.list(folder).map_err(|damage| handing::unread(&damage))?;
    let mut found = Vec::new();
    for (count, entry) in names.enumerate() {
        let refused = |error| handing::unread(&root.refused(folder, &error));
        let (name, _) = entry.map_err(refused)?;
        if count >= MAX_NAMES {
            return Err(Refusal::new("there are too many files in its folder", "look at them by hand"));
        }
        if id::envelope(id::last(&name).bytes()).is_some_and(|(_, of)| of == message) {
            found.push(folder.join(name));
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// Reads all of these envelopes.
///
/// # Errors
/// When one of them is not whole, or is for what cannot be handed in again.
pub fn of_envelopes(root: &Root, envelopes: Vec<PathBuf>, verb: Verb) -> Result<Waiting, Refusal> {
    let mut waiting = Waiting { envelopes, outgoing: Outgoing::default(), is_local: false };
    let mut known = HashSet::new();
    for path in &waiting.envelopes {
        let envelope = read(root, path)?;
        let sender = envelope.address("sender").unwrap_or_default();
        if !sender.is_empty() {
            handing::plain_address(sender.bytes())?;
        }
        if waiting.outgoing.sender.as_ref().is_some_and(|known| *known != sender) {
            return Err(Refusal::new("its envelopes name several senders", "read them, and send it by hand"));
        }
        waiting.outgoing.sender = Some(sender);
        waiting.is_local |= kind(&envelope) == b"mda";
        waiting.outgoing.ret = ret(&envelope);
        waiting.outgoing.envid = text(&envelope, "dsn-envid");
        let recipient = recipient(&envelope, verb)?;
        if !known.insert(recipient.address.clone()) {
            let reason = format!("`{}` stands in two of its envelopes", recipient.address.lossy());
            return Err(Refusal::new(
                reason,
                "read them: an alias or a `.forward` file made them of one recipient",
            ));
        }
        waiting.outgoing.recipients.push(recipient);
    }
    Ok(waiting)
}

/// One envelope that smtpd itself would take, of the version in which its fields are known to mean what is read here.
///
/// # Errors
/// When it is not that.
pub fn read(root: &Root, path: &Path) -> Result<Envelope, Refusal> {
    let bytes = handing::whole(root, path, MAX_ENVELOPE_BYTES)?;
    let name = id::last(path);
    let refused = |text: &str| {
        Refusal::new(
            format!("the envelope {} {text}", name.lossy()),
            "read it, and look in the log for its recipient",
        )
    };
    match Coding::of(&bytes) {
        Coding::Plain => {}
        coding => return Err(refused(&format!("is {}", coding.describe()))),
    }
    let envelope = Envelope::parse(&bytes);
    if let Some(fault) = &envelope.fault {
        return Err(refused(&format!("is not whole: {} (byte {})", fault.text, fault.start)));
    }
    if envelope.version() != Some(CURRENT) {
        return Err(refused("is not of version 3"));
    }
    // It is the last of those that are always written. Behind it stand only what else the sender asked for and why it waits,
    // and, of a local recipient, what it is delivered by.
    if envelope.number("dsn-notify").is_none() {
        return Err(refused("has no field `dsn-notify`: it ends too early"));
    }
    if kind(&envelope) == b"mda" && envelope.get("mda-user").is_none() {
        return Err(refused("has no field `mda-user`: it ends too early"));
    }
    Ok(envelope)
}

fn kind(envelope: &Envelope) -> &[u8] {
    envelope.get("type").map_or(&b""[..], Text::bytes)
}

/// An alias makes several envelopes of one recipient: `rcpt` is whom the client named, `dest` whom this envelope is for.
fn recipient(envelope: &Envelope, verb: Verb) -> Result<OutgoingRecipient, Refusal> {
    if kind(envelope) == b"bounce" {
        let failed = envelope.get("bounce-type").is_some_and(|kind| kind.bytes() == b"failed");
        if verb == Verb::Requeue || !failed {
            return Err(Refusal::new(
                "one of its envelopes is for a report that smtpd has to send, and not for the message",
                "leave it to smtpd, or return it with `ndr` if all of it has failed",
            ));
        }
    }
    if envelope.get("mda-exec").is_some_and(|command| !command.is_empty()) {
        return Err(Refusal::new(
            "it is for a program that an alias or a `.forward` file names: that cannot be handed in again",
            "leave it to the smtpd that it belongs to",
        ));
    }
    let address = envelope.address("dest").unwrap_or_default();
    handing::plain_address(address.bytes())?;
    let bits = envelope.number("dsn-notify").unwrap_or(0);
    let notify =
        Notify { success: bits & 1 != 0, failure: bits & 2 != 0, delay: bits & 4 != 0, never: bits & 8 != 0 };
    let reason = envelope.get("errorline").cloned().filter(|reason| !reason.is_empty());
    Ok(OutgoingRecipient { address, notify, orcpt: text(envelope, "dsn-orcpt"), reason })
}

fn ret(envelope: &Envelope) -> Option<Ret> {
    ret_of(envelope.get("dsn-ret")?.bytes())
}

fn ret_of(value: &[u8]) -> Option<Ret> {
    match value {
        value if value.eq_ignore_ascii_case(b"FULL") => Some(Ret::Full),
        value if value.eq_ignore_ascii_case(b"HDRS") => Some(Ret::Hdrs),
        _ => None,
    }
}

fn text(envelope: &Envelope, field: &str) -> Option<Text> {
    let value = envelope.get(field).filter(|value| !value.is_empty())?;
    handing::xtext(value.bytes()).map(Text::new)
}

/// Reads the arguments of a file in `offline`, to the letter: an option that is not known may change what the others mean.
///
/// # Errors
/// When there is one, when recipients stand in the header (`-t`), or when there is none.
pub fn of_arguments(root: &Root, path: &Path) -> Result<Outgoing, Refusal> {
    let file = handing::open(root, path)?;
    let unread = |error| handing::unread(&root.refused(path, &error));
    let head = file.head(MAX_LINE_BYTES).map_err(unread)?;
    let line = memchr::memchr(b'\n', &head).and_then(|end| head.get(..end));
    let Some(line) = line else {
        return Err(Refusal::new("the line of arguments with which it begins has no end", "read it by hand"));
    };
    // `parse_message` ends every line, the last one, too.
    let tail = file.at(file.stat.size.saturating_sub(1), 1).map_err(unread)?;
    if tail != b"\n" {
        return Err(Refusal::new(
            "its last line has no end: sendmail(1) did not finish it",
            "read it by hand",
        ));
    }
    arguments(line)
}

/// The words of a command line, to the letter.
fn arguments(line: &[u8]) -> Result<Outgoing, Refusal> {
    let strange = |word: &[u8]| {
        let reason =
            format!("its arguments have `{}`, which ghostq does not know", String::from_utf8_lossy(word));
        Refusal::new(reason, "start smtpd anew, which takes it; or send it by hand")
    };
    let (mut outgoing, mut notify) = (Outgoing::default(), Notify::default());
    let mut words = line.split(|byte| *byte == b'|');
    let mut options = true;
    while let Some(word) = words.next() {
        let Some(letters) = word.strip_prefix(b"-").filter(|_| options) else {
            // Whether options go on behind an address is up to the C library.
            options = false;
            add_recipients(&mut outgoing, word)?;
            continue;
        };
        if letters == b"-" {
            options = false;
            continue;
        }
        let at = letters.iter().position(|letter| !WITHOUT_VALUE.contains(letter));
        let Some((letter, attached)) = at.and_then(|at| letters.get(at..)?.split_first()) else {
            if letters.is_empty() {
                return Err(strange(word));
            }
            continue;
        };
        // `E` and `J` have a value only if it is attached (`getopt`).
        if matches!(letter, b'E' | b'J') {
            continue;
        }
        if *letter == b't' {
            return Err(Refusal::new(
                "its recipients stand in its header (`-t`), and which of them were meant only sendmail(1) knows",
                "start smtpd anew, which takes it",
            ));
        }
        let value = if attached.is_empty() { words.next() } else { Some(attached) };
        let value = value.ok_or_else(|| strange(word))?;
        match letter {
            b'f' | b'r' => outgoing.sender = Some(sender(value)?),
            b'N' => notify = notify_of(value).ok_or_else(|| strange(value))?,
            b'R' => outgoing.ret = Some(ret_of(value).ok_or_else(|| strange(value))?),
            b'V' => outgoing.envid = Some(Text::new(handing::xtext(value).ok_or_else(|| strange(value))?)),
            b'b' if value == b"m" => {}
            b'e' if value.len() == 1 => {}
            letter if WITH_VALUE.contains(letter) => {}
            _ => return Err(strange(word)),
        }
    }
    outgoing.recipients.iter_mut().for_each(|recipient| recipient.notify = notify);
    if outgoing.recipients.is_empty() {
        return Err(Refusal::new("its arguments name no recipient", "read it by hand"));
    }
    Ok(outgoing)
}

/// `build_from` takes angle brackets off, the last one in the argument itself, so that it is missing here: `-f|<a@b.example`.
/// smtpd itself never takes such a file (`leading < but no trailing >`; observed on 6.8.0p2).
fn sender(value: &[u8]) -> Result<Text, Refusal> {
    let bare = value.strip_prefix(b"<").map_or(value, |rest| rest.strip_suffix(b">").unwrap_or(rest));
    if !bare.is_empty() {
        handing::plain_address(bare)?;
    }
    Ok(Text::new(bare))
}

/// `rcpt_add`: a comma stands between two addresses, whatever else it may be.
fn add_recipients(outgoing: &mut Outgoing, word: &[u8]) -> Result<(), Refusal> {
    for address in word.split(|byte| *byte == b',') {
        handing::plain_address(address)?;
        let address = Text::new(address);
        if outgoing.recipients.iter().all(|known| known.address != address) {
            outgoing.recipients.push(OutgoingRecipient { address, ..OutgoingRecipient::default() });
        }
    }
    Ok(())
}

fn notify_of(value: &[u8]) -> Option<Notify> {
    let mut notify = Notify::default();
    for word in value.split(|byte| *byte == b',') {
        match word.to_ascii_uppercase().as_slice() {
            b"NEVER" => notify.never = true,
            b"SUCCESS" => notify.success = true,
            b"FAILURE" => notify.failure = true,
            b"DELAY" => notify.delay = true,
            _ => return None,
        }
    }
    Some(notify)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::opensmtpd::OpenSmtpd;
    use crate::sources::samples::{Random, file, lay_out};

    fn envelope() -> Vec<u8> {
        file(&OpenSmtpd, "ghosts/tree/queue/32/3252b9b1/3252b9b1cdfe3647")
    }

    fn of(files: &[&[u8]], verb: Verb) -> Result<Waiting, Refusal> {
        let folder = tempfile::tempdir().unwrap();
        for (number, bytes) in files.iter().enumerate() {
            lay_out(folder.path(), &[], &[(&format!("3252b9b1{number:08x}"), bytes)]);
        }
        let root = Root::open(folder.path()).unwrap();
        of_envelopes(&root, envelopes(&root, Path::new("."), "3252b9b1")?, verb)
    }

    fn with(from: &str, to: &str) -> Vec<u8> {
        String::from_utf8(envelope()).unwrap().replace(from, to).into_bytes()
    }

    #[test]
    fn every_envelope_of_a_message_is_a_recipient_who_waits() {
        let second = with("dest: ", "dest: another-");
        let waiting = of(&[&envelope(), &second], Verb::Requeue).unwrap();
        assert_eq!((waiting.envelopes.len(), waiting.outgoing.recipients.len()), (2, 2));
        assert_eq!(waiting.outgoing.sender, Some(Text::from("sender@lab.test")));
        let many: Vec<Vec<u8>> =
            (0..1_200).map(|number| with("dest: ", &format!("dest: r{number}-"))).collect();
        let many: Vec<&[u8]> = many.iter().map(Vec::as_slice).collect();
        assert_eq!(
            of(&many, Verb::Requeue).unwrap().outgoing.recipients.len(),
            1_200,
            "more than a scan keeps"
        );
    }

    #[test]
    fn what_the_sender_asked_for_is_kept() {
        let asked = with(
            "dsn-notify: 0",
            "dsn-notify: 6\ndsn-ret: HDRS\ndsn-envid: a+2B\ndsn-orcpt: rfc822;x@y.test",
        );
        let outgoing = of(&[&asked], Verb::Requeue).unwrap().outgoing;
        assert_eq!((outgoing.ret, outgoing.envid), (Some(Ret::Hdrs), Some(Text::from("a+"))));
        assert_eq!(outgoing.recipients[0].notify.parameter().as_deref(), Some("FAILURE,DELAY"));
        assert_eq!(outgoing.recipients[0].orcpt, Some(Text::from("rfc822;x@y.test")));
    }

    #[test]
    fn programs_reports_and_expanded_aliases_are_not_handed_in_again() {
        let program = with("dsn-notify: 0", "mda-exec: /usr/bin/vacation\ndsn-notify: 0");
        assert!(of(&[&program], Verb::Requeue).unwrap_err().reason.contains("program"));
        assert!(
            of(&[&envelope(), &envelope()], Verb::Requeue)
                .unwrap_err()
                .reason
                .contains("two of its envelopes")
        );
        let report = with("type: mta", "type: bounce\nbounce-type: failed");
        assert!(of(&[&report], Verb::Requeue).unwrap_err().reason.contains("report"));
        assert_eq!(of(&[&report], Verb::Ndr).unwrap().outgoing.recipients.len(), 1);
        let delay = with("type: mta", "type: bounce\nbounce-type: delayed");
        assert!(of(&[&delay], Verb::Ndr).is_err(), "a report of a delay is not a failure");
    }

    #[test]
    fn an_envelope_cut_at_any_byte_is_refused_or_goes_to_the_same() {
        let whole = envelope();
        let address = |waiting: &Waiting| waiting.outgoing.recipients[0].address.clone();
        let all = address(&of(&[&whole], Verb::Requeue).unwrap());
        let asked = memchr::memmem::find(&whole, b"esc-class").unwrap();
        for cut in 0..whole.len() {
            match of(&[&whole[..cut]], Verb::Requeue) {
                Ok(waiting) => assert!(cut >= asked && address(&waiting) == all, "cut at {cut}"),
                Err(refusal) => assert!(!refusal.hint.is_empty()),
            }
        }
        let local = with("type: mta", "type: mda");
        assert!(
            of(&[&local], Verb::Requeue).unwrap_err().reason.contains("mda-user"),
            "a program may be cut off"
        );
        let mut random = Random::new(3);
        for round in 0..1_000 {
            let bytes = if round % 2 == 0 { random.bytes(300) } else { random.overwritten(&whole) };
            let _read = of(&[&bytes], Verb::Ndr);
        }
    }

    #[test]
    fn the_arguments_of_sendmail_are_read_to_the_letter() {
        let outgoing =
            arguments(b"-i|-f|<>|-N|failure,delay|-R|HDRS|-Vid+2B|--|off3@grey.test|a@b,c@d").unwrap();
        assert_eq!((outgoing.sender, outgoing.envid), (Some(Text::default()), Some(Text::from("id+"))));
        let addresses: Vec<_> =
            outgoing.recipients.iter().map(|one| one.address.lossy().into_owned()).collect();
        assert_eq!(addresses, ["off3@grey.test", "a@b", "c@d"]);
        assert_eq!(outgoing.recipients[2].notify.parameter().as_deref(), Some("FAILURE,DELAY"));
        assert_eq!(
            arguments(b"-oi|-bm|-F|Some One|x@y").unwrap().sender,
            None,
            "smtpd makes it from the user"
        );
        let strange: [&[u8]; 10] =
            [b"", b"-i", b"-t|x@y", b"-it|x@y", b"-Z|x@y", b"x@y|-f|a@b", b"-q", b"-f", b"--|-x@y", b"-|x@y"];
        for line in strange {
            assert!(arguments(line).is_err(), "{}", String::from_utf8_lossy(line));
        }
    }
}
