//! To whom a message still has to go, read from all of its control file.
//!
//! Source: Courier `courier/libs/comctlfile.h` (letters), `comctlfile.c` (`ctlfile_openfn`: the n-th `r`, `R` and `N` belong
//! together; `S` and `F` name a recipient by its number), `courier/submit2.C` (what submit writes, and in which order),
//! `courier/cdmsgq3.C` (what is appended after an attempt).

use super::control;
use crate::evidence::Text;
use crate::plan::{Notify, Outgoing, OutgoingRecipient, Refusal, Ret};
use crate::read::disk::Root;
use crate::sources::handing;
use std::path::Path;

/// A longer one has more recipients than a command line takes.
const MAX_BYTES: u64 = 16 << 20;

/// A control file that is whole.
#[derive(Debug, Default)]
pub struct Queued {
    /// The queue ID, if it is one.
    pub id: Option<String>,
    /// When it is planned to be tried next: the last record `A`.
    pub planned: Option<u64>,
    /// Whether somebody cancelled it.
    pub cancelled: bool,
    /// Those who wait, and those who do not any more.
    pub outgoing: Outgoing,
}

/// What is known of a recipient.
#[derive(Debug, Default)]
struct Recipient {
    recipient: OutgoingRecipient,
    done: bool,
}

/// Reads a control file. `tried`: courierd has taken the message over, so that the file ends with the plan for the next
/// attempt; what stands behind one is an attempt of which the end is not known.
///
/// # Errors
/// When it is damaged, or does not say for certain who waits.
pub fn read(root: &Root, path: &Path, tried: bool) -> Result<Queued, Refusal> {
    of(&handing::whole(root, path, MAX_BYTES)?, tried)
}

fn of(bytes: &[u8], tried: bool) -> Result<Queued, Refusal> {
    let hint = "read it (s: sender, r: recipients, S and F: who is done), and look in the log";
    let reading = control::read_pieces(bytes.len() as u64, |at, limit| {
        let rest = usize::try_from(at).ok().and_then(|at| bytes.get(at..)).unwrap_or_default();
        Ok(rest.get(..limit.min(rest.len())).unwrap_or_default().to_vec())
    });
    let fault = reading.ok().and_then(|reading| reading.fault);
    if let Some(fault) = fault {
        let reason = format!("its control file is not whole: {} (byte {})", fault.text, fault.start);
        return Err(Refusal::new(reason, hint));
    }
    let lines = || bytes.split(|byte| *byte == b'\n').filter_map(|line| line.split_first());
    if tried && lines().next_back().is_none_or(|(letter, _)| *letter != b'A') {
        return Err(Refusal::new(
            "its control file does not end with the plan for a next attempt: an attempt was broken off, and who was served in \
             it is not certain",
            hint,
        ));
    }
    let mut queued = Queued::default();
    let mut recipients: Vec<Recipient> = Vec::new();
    for (letter, value) in lines() {
        match letter {
            b'r' => {
                let recipient =
                    OutgoingRecipient { address: Text::new(value), ..OutgoingRecipient::default() };
                recipients.push(Recipient { recipient, done: false });
            }
            b'R' | b'N' => with_last(&mut recipients, *letter, value),
            b'S' | b'F' => outcome(&mut recipients, value).ok_or_else(|| {
                Refusal::new("a record of its control file names a recipient that is not there", hint)
            })?,
            b'I' => reason(&mut recipients, value),
            letter => queued.take(*letter, value),
        }
    }
    queued.finish(recipients)
}

impl Queued {
    fn take(&mut self, letter: u8, value: &[u8]) {
        match letter {
            b's' => self.outgoing.sender = Some(Text::new(value)),
            b'M' => self.id = std::str::from_utf8(value).ok().filter(|id| is_queue_id(id)).map(str::to_owned),
            b'A' => self.planned = std::str::from_utf8(value).ok().and_then(|time| time.parse().ok()),
            b'X' => self.cancelled = true,
            b'm' => self.outgoing.smtputf8 = true,
            b'e' if !value.is_empty() => self.outgoing.envid = handing::xtext(value).map(Text::new),
            // `submit2.C`: the first letter of RET; `V` for VERP may follow.
            b't' => match value.first() {
                Some(b'F') => self.outgoing.ret = Some(Ret::Full),
                Some(b'H') => self.outgoing.ret = Some(Ret::Hdrs),
                _ => {}
            },
            _ => {}
        }
    }

    fn finish(mut self, recipients: Vec<Recipient>) -> Result<Self, Refusal> {
        for Recipient { recipient, done } in recipients {
            if done {
                self.outgoing.delivered.push(recipient.address);
            } else {
                handing::plain_address(recipient.address.bytes())?;
                self.outgoing.recipients.push(recipient);
            }
        }
        if let Some(sender) = self.outgoing.sender.as_ref().filter(|sender| !sender.is_empty()) {
            handing::plain_address(sender.bytes())?;
        }
        if self.outgoing.recipients.is_empty() {
            return Err(Refusal::new("nobody waits for it any more", "let courierd remove it"));
        }
        Ok(self)
    }
}

/// submit writes `r`, `R` and `N` of each recipient one after the other.
fn with_last(recipients: &mut [Recipient], letter: u8, value: &[u8]) {
    let Some(Recipient { recipient, .. }) = recipients.last_mut() else { return };
    if letter == b'N' {
        let has = |flag: u8| value.contains(&flag);
        recipient.notify =
            Notify { never: has(b'N'), success: has(b'S'), failure: has(b'F'), delay: has(b'D') };
    } else if !value.is_empty() {
        recipient.orcpt = Some(Text::new(value));
    }
}

/// `S0 1795480046 …`, `F2 …`.
fn outcome(recipients: &mut [Recipient], value: &[u8]) -> Option<()> {
    numbered(value).and_then(|(number, _)| recipients.get_mut(number))?.done = true;
    Some(())
}

/// `I0 R 451 …`.
fn reason(recipients: &mut [Recipient], value: &[u8]) {
    let Some((number, text)) = numbered(value) else { return };
    let said = text.strip_prefix(b"R ").or_else(|| text.strip_prefix(b"C "));
    if let (Some(said), Some(recipient)) = (said, recipients.get_mut(number)) {
        recipient.recipient.reason = Some(Text::new(said));
    }
}

fn numbered(value: &[u8]) -> Option<(usize, &[u8])> {
    let end = memchr::memchr(b' ', value)?;
    let number = std::str::from_utf8(value.get(..end)?).ok()?.parse().ok()?;
    Some((number, value.get(end + 1..)?))
}

/// `INODE.TIME.PID` in capital hexadecimal figures (`submit2.C`, `basemsgid`; `comparseqid.c`).
fn is_queue_id(id: &str) -> bool {
    let figures = |part: &str| {
        (1..=16).contains(&part.len()) && part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'A'..=b'F'))
    };
    id.split('.').count() == 3 && id.split('.').all(figures)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::courier::Courier;
    use crate::sources::samples::{Random, file};

    fn addresses(recipients: &[OutgoingRecipient]) -> Vec<String> {
        recipients.iter().map(|recipient| recipient.address.lossy().into_owned()).collect()
    }

    #[test]
    fn whoever_was_served_or_given_up_is_left_out() {
        let queued = of(&file(&Courier, "delivered/tree/msgs/21/C1360121"), true).unwrap();
        assert_eq!(addresses(&queued.outgoing.recipients), ["labuser-def@lab.test"]);
        assert_eq!(
            queued.outgoing.delivered,
            [Text::from("labuser@lab.test"), Text::from("labuser-bad@lab.test")]
        );
        assert_eq!(queued.outgoing.recipients[0].reason, Some(Text::from("4.7.1 come again")));
        assert_eq!(queued.id.as_deref(), Some("000000000014C0F9.000000006B054606.000000C2"));
        assert_eq!(queued.planned, Some(1_795_508_018));
    }

    #[test]
    fn what_the_sender_asked_for_is_kept() {
        let text =
            b"s\neid+2B\ntH\nM65.6B04D9F0.326\nra@b\nRrfc822;o@b\nNFD\nrc@d\nR\nNN\nm\nE1796084848\nA1\n";
        let outgoing = of(text, true).unwrap().outgoing;
        assert_eq!((outgoing.sender, outgoing.envid), (Some(Text::default()), Some(Text::from("id+"))));
        assert_eq!((outgoing.ret, outgoing.smtputf8), (Some(Ret::Hdrs), true));
        assert_eq!(outgoing.recipients[0].notify.parameter().as_deref(), Some("FAILURE,DELAY"));
        assert_eq!(outgoing.recipients[0].orcpt, Some(Text::from("rfc822;o@b")));
        assert_eq!(outgoing.recipients[1].notify.parameter().as_deref(), Some("NEVER"));
    }

    #[test]
    fn a_control_file_that_ends_in_the_middle_of_an_attempt_is_refused() {
        let whole = file(&Courier, "delivered/tree/msgs/21/C1360121");
        for cut in 0..whole.len() {
            if let Ok(queued) = of(&whole[..cut], true) {
                // As it stood before the first attempt, which is whole: a plan for that attempt, and nobody served.
                assert!(whole[..cut].ends_with(b"\nA1795507718\n"), "cut at {cut}");
                assert_eq!(queued.outgoing.recipients.len(), 3);
            }
        }
        assert!(of(b"s\nM1.1.1\nra@b\nE1\nS7 1 x\nA1\n", true).is_err(), "there is no eighth recipient");
        assert!(of(b"s\nM1.1.1\nra@b\nE1\nS0 1 x\nA1\n", true).unwrap_err().reason.contains("nobody waits"));
    }

    #[test]
    fn whatever_is_in_it_reading_ends() {
        let whole = file(&Courier, "delivered/tree/msgs/21/C1360121");
        let mut random = Random::new(5);
        for round in 0..2_000 {
            let bytes = if round % 2 == 0 { random.bytes(300) } else { random.overwritten(&whole) };
            let _read = of(&bytes, round % 3 == 0);
        }
    }

    #[test]
    fn only_a_queue_id_of_courier_goes_onto_a_command_line() {
        assert!(is_queue_id("000000000014C0F9.000000006B054606.000000C2"));
        for other in ["", "1.2", "1.2.3.4", "a.b.c", "-1.2.3", "1..3", "1.2.3 --x", "1.2.\n"] {
            assert!(!is_queue_id(other), "{other}");
        }
    }
}
