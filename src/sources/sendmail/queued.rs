//! A control file read from end to end, for acting on it: all recipients, and the header as it would be sent.
//!
//! Nothing is acted on by a control file that sendmail itself would not read to its end, or of which a single line is not as
//! sendmail writes it. Source: sendmail `sendmail/queue.c` (`queueup` writes it, `readqf` reads it), `sendmail/headers.c`
//! (`dochompheader`, `putheader`, `put_vanilla_header`), `sendmail/conf.c` (`HdrInfo`).

use super::control_file;
use super::name::{self, Kind};
use crate::evidence::Text;
use crate::plan::{Notify, Outgoing, OutgoingRecipient, Refusal, Ret};
use crate::read::disk::Root;
use crate::sources::handing;
use std::io::Write;
use std::path::Path;

/// A longer one has some two hundred thousand recipients, and no command line takes them.
const MAX_BYTES: u64 = 16 << 20;
/// Fields that a mailer gets only if it asks for them, which those that send mail on do not: `H_ACHECK` in `HdrInfo`.
const ON_REQUEST: [&str; 3] = ["return-path", "full-name", "content-length"];
/// Fields of which the value is not sent: `H_BCC` in `HdrInfo`.
const BLIND: [&str; 2] = ["bcc", "resent-bcc"];
/// Flags of the mailers that send mail on (`cf/mailer/smtp.m4`, `mDFMuX`): a field with none of them in front is for others.
const MAILER_FLAGS: &[u8] = b"mDFMuX";
/// Stands before a byte that would otherwise mean something to sendmail (`METAQUOTE` in `sendmail.h`); `putxline` takes it
/// away.
const QUOTE: u8 = 0xff;

/// A control file that is whole.
#[derive(Debug)]
pub struct Queued {
    bytes: Vec<u8>,
}

impl Queued {
    /// Reads it.
    ///
    /// # Errors
    /// When it is damaged, cut off, or longer than is read.
    pub fn read(root: &Root, path: &Path) -> Result<Self, Refusal> {
        let bytes = handing::whole(root, path, MAX_BYTES)?;
        Self::of(bytes)
    }

    fn of(bytes: Vec<u8>) -> Result<Self, Refusal> {
        let hint = "read it, set it right by hand from the log and a backup, and scan again";
        let reading = control_file::read(&bytes, true).map_err(|unknown| {
            let reason = format!("its control file is of version {}, which is not known", unknown.0);
            Refusal::new(reason, "look for a newer ghostq")
        })?;
        if let Some(fault) = reading.leading_fault() {
            let reason = format!("its control file is not whole: {} (byte {})", fault.text, fault.start);
            return Err(Refusal::new(reason, hint));
        }
        // sendmail handles lines as strings that end with the first such byte.
        if bytes.is_empty() || bytes.contains(&0) {
            return Err(Refusal::new("its control file is empty, or has a NUL byte in it", hint));
        }
        Ok(Self { bytes })
    }

    fn items(&self) -> impl Iterator<Item = (u8, &[u8])> {
        control_file::items(&self.bytes)
            .filter_map(|item| item.split_first().map(|(code, value)| (*code, value)))
    }

    /// The letters of the lines `F`.
    fn flag(&self, flag: u8) -> bool {
        self.items().any(|(code, value)| code == b'F' && value.contains(&flag))
    }

    /// Whether mail is to go into programs or files, or under the rights of a user: what only an expansion of aliases by
    /// sendmail itself may say, and nobody who could write into the file.
    pub fn has_programs(&self) -> bool {
        self.items().any(|(code, value)| match code {
            b'C' => !value.is_empty(),
            b'R' => !handing::is_plain_address(recipient(value).bytes()),
            _ => false,
        })
    }

    /// The envelope, with every recipient. Who has the message is not in a control file any more (`queueup`).
    ///
    /// # Errors
    /// When one of them is no plain address.
    pub fn outgoing(&self) -> Result<Outgoing, Refusal> {
        let mut outgoing = Outgoing { smtputf8: self.flag(b'e'), ..Outgoing::default() };
        // `EF_RET_PARAM`, and with it `EF_NO_BODY_RETN`.
        if self.flag(b'd') {
            outgoing.ret = Some(if self.flag(b'n') { Ret::Hdrs } else { Ret::Full });
        }
        let (mut orcpt, mut reason, mut status) = (None, None, None);
        for (code, value) in self.items() {
            match code {
                b'S' => outgoing.sender = Some(control_file::address(value)),
                b'Z' => outgoing.envid = handing::xtext(value).map(Text::new),
                b'Q' => orcpt = handing::xtext(value).map(Text::new),
                b'M' if outgoing.sender.is_none() => status = Some(Text::new(value)),
                b'M' => reason = Some(Text::new(value)),
                b'R' => {
                    let address = recipient(value);
                    handing::plain_address(address.bytes())?;
                    let (notify, reason) = (notify(value), reason.take().or_else(|| status.clone()));
                    let orcpt = orcpt.take();
                    outgoing.recipients.push(OutgoingRecipient { address, notify, orcpt, reason });
                }
                _ => {}
            }
        }
        // A report has `MAILER-DAEMON` here, and goes out with the null sender (`usersmtp.c`, `smtpmailinit`: `EF_RESPONSE`).
        if self.flag(b'r') {
            outgoing.sender = Some(Text::default());
        }
        if let Some(sender) = outgoing.sender.as_ref().filter(|sender| !sender.is_empty()) {
            handing::plain_address(sender.bytes())?;
        }
        Ok(outgoing)
    }

    /// Writes the header, with the blank line that ends it.
    ///
    /// # Errors
    /// When a line of it is no field, or cannot be written.
    pub fn write_header(&self, out: &mut dyn Write) -> Result<(), Refusal> {
        let delete_blind = self.flag(b'b');
        let written = |result: std::io::Result<()>| result.map_err(|error| handing::unwritten(&error));
        for (_, value) in self.items().filter(|(code, _)| *code == b'H') {
            let (condition, field) = condition(value);
            let Some(colon) = memchr::memchr(b':', field) else {
                let shown = String::from_utf8_lossy(field).into_owned();
                return Err(Refusal::new(format!("a line of its header is no field: `{shown}`"), ""));
            };
            let name = field.get(..colon).unwrap_or_default().trim_ascii();
            let is_one_of =
                |names: &[&str]| names.iter().any(|one| name.eq_ignore_ascii_case(one.as_bytes()));
            if is_one_of(&ON_REQUEST) || !is_for_mailers(condition) || is_one_of(&BLIND) && delete_blind {
                continue;
            }
            let shown = if is_one_of(&BLIND) { field.get(..=colon).unwrap_or_default() } else { field };
            written(out.write_all(&unquoted(shown)))?;
            written(out.write_all(b"\n"))?;
        }
        written(out.write_all(b"\n"))
    }
}

/// Flags and field of a line `H?flags?Field: value`.
fn condition(value: &[u8]) -> (&[u8], &[u8]) {
    let parts = value.strip_prefix(b"?").and_then(|rest| {
        let end = memchr::memchr(b'?', rest)?;
        Some((rest.get(..end)?, rest.get(end + 1..)?))
    });
    parts.unwrap_or((b"", value))
}

/// A field under the condition of a macro (`$m`, `${name}`) is kept: which macros are set is known to sendmail only, and a
/// field too many is better than one that is lost. That is a guess.
fn is_for_mailers(condition: &[u8]) -> bool {
    condition.is_empty()
        || condition.starts_with(b"$")
        || condition.iter().any(|flag| MAILER_FLAGS.contains(flag))
}

fn unquoted(field: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(field.len());
    let mut quoted = false;
    for byte in field {
        if *byte == QUOTE && !quoted {
            quoted = true;
            continue;
        }
        quoted = false;
        bytes.push(*byte);
    }
    bytes
}

/// The address in a line `R`: behind the flags since version 1.
fn recipient(value: &[u8]) -> Text {
    let address = memchr::memchr(b':', value).and_then(|colon| value.get(colon + 1..));
    control_file::address(address.unwrap_or(value))
}

/// `N` tells that the sender said something; nothing else beside it is `NEVER` (`queueup`: `QHASNOTIFY`, `QPINGONSUCCESS`,
/// `QPINGONFAILURE`, `QPINGONDELAY`).
fn notify(value: &[u8]) -> Notify {
    let flags = value.split(|byte| *byte == b':').next().unwrap_or_default();
    let has = |flag: u8| flags.contains(&flag);
    if !has(b'N') {
        return Notify::default();
    }
    let (success, failure, delay) = (has(b'S'), has(b'F'), has(b'D'));
    Notify { never: !(success || failure || delay), success, failure, delay }
}

/// Whether this is the name of a control file under which sendmail keeps it for good.
pub fn is_final_name(path: &Path) -> bool {
    let name = path.file_name().map_or(&b""[..], |name| name.as_encoded_bytes());
    matches!(name::judge(name), Some((Kind::Control(_), id)) if name::is_queue_id(id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::samples::{Random, file};
    use crate::sources::sendmail::Sendmail;

    const HEAD: &str = "V8\nT1795479085\nK1795479086\nN1\nP90\n";

    fn queued(text: &str) -> Queued {
        Queued::of(format!("{HEAD}{text}.\n").into_bytes()).unwrap()
    }

    fn header(text: &str) -> String {
        let mut out = Vec::new();
        queued(&format!("Sa@b\nRPFD:c@d\n{text}")).write_header(&mut out).unwrap();
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn the_header_is_that_which_a_mailer_is_given() {
        assert_eq!(
            header(
                "H?P?Return-Path: <g>\nH??Received: (from a)\n\tby b\nH?D?Date: today\nH?x?Full-Name: A\nH??To: c@d\n"
            ),
            "Received: (from a)\n\tby b\nDate: today\nTo: c@d\n\n"
        );
        assert_eq!(
            header("H??Subject: question? yes\nHOld: without flags\n"),
            "Subject: question? yes\nOld: without flags\n\n"
        );
        assert_eq!(header("H?${auth}?X-Auth: yes\n"), "X-Auth: yes\n\n");
    }

    #[test]
    fn fields_come_out_as_they_were_handed_in() {
        // What sendmail 8.17.1 wrote of a message that was handed in with `-i -G`.
        let fields: &[&[u8]] = &[
            b"From: \"A. B\" <a@b.example>\n",
            b"To: x@grey.test (comment)\n",
            b"Subject: =?utf-8?q?a?= \xc3\xa4\n",
            b"X-Long: a\n b\n\tc\n",
            b"DKIM-Signature: v=1; a=b;\n\tbh=x\n",
        ];
        let lines = fields.iter().flat_map(|field| [b"H??", *field].concat()).collect::<Vec<u8>>();
        let start = b"V8\nT1795671227\nK0\nN0\nP60180\nF8bdns\n${daemon_flags}CC f\nS<>\nRPNF:x@grey.test\n\
                      H?P?Return-Path: <\x81g>\nH??Bcc: hidden@grey.test\n";
        let queued = Queued::of([&start[..], &lines, b".\n"].concat()).unwrap();
        let mut header = Vec::new();
        queued.write_header(&mut header).unwrap();
        assert_eq!(header, [fields.concat(), b"\n".to_vec()].concat());
    }

    #[test]
    fn blind_recipients_stay_unseen() {
        assert_eq!(header("Fbs\nH??Bcc: secret@d\nH??To: c@d\n"), "To: c@d\n\n");
        assert_eq!(
            header("H??bcc: secret@d\n"),
            "bcc:\n\n",
            "as sendmail truncates it where no other field names recipients"
        );
    }

    #[test]
    fn quoted_bytes_are_sent_without_their_quote() {
        assert_eq!(unquoted(b"Subject: \xc3\xff\x81 \xff\xff"), b"Subject: \xc3\x81 \xff");
    }

    #[test]
    fn what_the_sender_asked_for_goes_with_the_message() {
        let outgoing = queued(
            "Fdne\nMall later\nS<>\nZid+2B1\nQrfc822;old+40x@d\nRPNSF:one@d\nMmine\nRPN:two@d\nRPFD:<three@d>\n",
        )
        .outgoing()
        .unwrap();
        assert_eq!((outgoing.sender, outgoing.envid), (Some(Text::default()), Some(Text::from("id+1"))));
        assert_eq!((outgoing.ret, outgoing.smtputf8), (Some(Ret::Hdrs), true));
        let [one, two, three] = &outgoing.recipients[..] else { panic!() };
        assert_eq!(one.notify.parameter().as_deref(), Some("SUCCESS,FAILURE"));
        assert_eq!(
            (&one.orcpt, &one.reason),
            (&Some(Text::from("rfc822;old@x@d")), &Some(Text::from("all later")))
        );
        assert_eq!(
            (two.notify.parameter().as_deref(), &two.reason),
            (Some("NEVER"), &Some(Text::from("mine")))
        );
        assert_eq!((three.notify.parameter(), &three.address), (None, &Text::from("three@d")));
        assert_eq!((&two.orcpt, &three.orcpt), (&None, &None));
    }

    #[test]
    fn a_report_goes_out_with_the_null_sender() {
        // What sendmail 8.17.1 writes of a report that was put off.
        let outgoing = queued("Frns\nSMAILER-DAEMON\nRPF:a@b.example\n").outgoing().unwrap();
        assert_eq!(outgoing.sender, Some(Text::default()));
    }

    #[test]
    fn mail_for_programs_and_files_is_not_handed_in_again() {
        for line in ["R:|/bin/sh", "RPFD:/var/mail/x", "RP:\"|/bin/sh\"", "RPFD::include:/x", "RPFD:-fx@y"] {
            let queued = queued(&format!("Sa@b\n{line}\n"));
            assert!(queued.outgoing().is_err() && queued.has_programs(), "{line}");
        }
        assert!(queued("Sa@b\nCuser\nRPFD:c@d\n").has_programs());
        assert!(!queued("Sa@b\nC\nRPFD:c@d\n").has_programs());
    }

    #[test]
    fn a_control_file_cut_at_any_byte_is_refused() {
        let whole = file(&Sendmail, "deferred/tree/qf6AO0BPC1001602");
        let outgoing = Queued::of(whole.clone()).unwrap().outgoing().unwrap();
        assert_eq!(outgoing.recipients.len(), 3);
        for cut in 0..whole.len() - 1 {
            assert!(Queued::of(whole[..cut].to_vec()).is_err(), "cut at {cut}");
        }
        let without_line_end = Queued::of(whole[..whole.len() - 1].to_vec()).unwrap();
        assert_eq!(without_line_end.outgoing().unwrap(), outgoing, "sendmail takes it, too");
    }

    #[test]
    fn whatever_is_in_it_reading_ends() {
        let whole = file(&Sendmail, "deferred/tree/qf6AO0BPC1001602");
        let mut random = Random::new(11);
        for round in 0..2_000 {
            let bytes = if round % 2 == 0 { random.bytes(400) } else { random.overwritten(&whole) };
            if let Ok(queued) = Queued::of(bytes) {
                let _outgoing = queued.outgoing();
                let _header = queued.write_header(&mut Vec::new());
            }
        }
    }
}
