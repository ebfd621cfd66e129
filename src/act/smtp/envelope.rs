//! The envelope in the words of SMTP, or why it has none.

use super::connect::Offers;
use super::content::Survey;
use super::verdict::Failure;
use crate::act::address;
use crate::evidence::Text;
use crate::plan::{Outgoing, OutgoingRecipient, Ret};
use std::fmt::Write as _;

/// The longest `ENVID` (RFC 3461 section 4.4) and `ORCPT` (section 4.2), as they are sent.
const LONGEST_ENVID: usize = 100;
const LONGEST_ORCPT: usize = 500;
/// The longest line of RFC 5322 section 2.1.1, without its end.
const LONGEST_LINE: u64 = 998;

/// The commands that carry an envelope.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Commands {
    pub mail: String,
    /// In the order of the recipients.
    pub rcpt: Vec<String>,
    pub notes: Vec<String>,
}

/// The commands, if the server offers what the message needs.
pub(super) fn commands(outgoing: &Outgoing, offers: &Offers, survey: &Survey) -> Result<Commands, Failure> {
    check_content(offers, survey)?;
    let mut mail = format!("MAIL FROM:<{}>", sender(outgoing)?);
    if offers.size {
        let _ = write!(mail, " SIZE={}", survey.size);
    }
    if survey.eight_bit {
        mail.push_str(" BODY=8BITMIME");
    }
    let addresses = outgoing.recipients.iter().map(|recipient| &recipient.address);
    if outgoing.smtputf8 || addresses.chain(&outgoing.sender).any(|address| !address.bytes().is_ascii()) {
        if !offers.smtputf8 {
            return Err(unfit("the message needs SMTPUTF8, which this server does not offer"));
        }
        mail.push_str(" SMTPUTF8");
    }
    let mut left_out = Vec::new();
    if let Some(ret) = outgoing.ret {
        let value = if ret == Ret::Full { "FULL" } else { "HDRS" };
        parameter(&mut mail, ("RET", Some(value.to_owned())), offers, &mut left_out);
    }
    if let Some(envid) = &outgoing.envid {
        parameter(&mut mail, ("ENVID", xtext(envid.bytes(), LONGEST_ENVID)), offers, &mut left_out);
    }
    let mut rcpt = Vec::with_capacity(outgoing.recipients.len());
    for recipient in &outgoing.recipients {
        rcpt.push(rcpt_command(recipient, offers, &mut left_out)?);
    }
    // Of mail from nobody, nobody is told (RFC 5321 section 4.5.5).
    if outgoing.sender.as_ref().is_some_and(Text::is_empty) {
        left_out.clear();
    }
    if rcpt.is_empty() {
        return Err(Failure::lasting("there is no recipient", ""));
    }
    Ok(Commands { mail, rcpt, notes: notes(&left_out, offers, survey) })
}

fn check_content(offers: &Offers, survey: &Survey) -> Result<(), Failure> {
    if let Some(at) = survey.bare_cr {
        return Err(Failure::lasting(
            format!(
                "the message has a CR at byte {at} that ends no line, which SMTP forbids (RFC 5321 section 2.3.8)"
            ),
            INSTEAD,
        ));
    }
    if let Some(at) = survey.nul {
        return Err(Failure::lasting(
            format!("the message has a NUL at byte {at}, at which servers cut a line off"),
            INSTEAD,
        ));
    }
    if survey.eight_bit && !offers.eight_bit_mime {
        return Err(unfit("the message has bytes above 127, and this server does not offer 8BITMIME"));
    }
    match offers.largest {
        Some(largest) if survey.size > largest => Err(unfit(&format!(
            "the message has {} bytes on the way, and this server takes {largest} at most",
            survey.size
        ))),
        _ => Ok(()),
    }
}

const INSTEAD: &str = "write it out with `--via export:DIR`, and look at it";

fn unfit(why: &str) -> Failure {
    Failure::lasting(why, "hand it to a server that does, or to the `sendmail` command of this host")
}

/// The address between the angle brackets; empty is the null sender.
fn sender(outgoing: &Outgoing) -> Result<&str, Failure> {
    match &outgoing.sender {
        None => Err(Failure::lasting("its envelope sender is not known", "give it with `--mail-from`")),
        Some(sender) if sender.is_empty() => Ok(""),
        Some(sender) => fit(sender, "sender"),
    }
}

fn fit<'a>(text: &'a Text, whose: &str) -> Result<&'a str, Failure> {
    let cannot =
        |why: &str| Failure::lasting(format!("the address of its {whose} cannot be sent: {why}"), INSTEAD);
    address::check(text).map_err(|why| cannot(&why))?;
    text.as_str().ok_or_else(|| cannot("it is not text"))
}

fn rcpt_command(
    recipient: &OutgoingRecipient,
    offers: &Offers,
    left_out: &mut Vec<&'static str>,
) -> Result<String, Failure> {
    let mut command = format!("RCPT TO:<{}>", fit(&recipient.address, "recipient")?);
    if let Some(notify) = recipient.notify.parameter() {
        parameter(&mut command, ("NOTIFY", Some(notify)), offers, left_out);
    }
    if let Some(orcpt) = &recipient.orcpt {
        parameter(&mut command, ("ORCPT", original_recipient(orcpt.bytes())), offers, left_out);
    }
    Ok(command)
}

/// Appends a parameter, or notes that it is left out: because the server does not offer DSN, or since it has no valid value.
fn parameter(
    command: &mut String,
    (keyword, value): (&'static str, Option<String>),
    offers: &Offers,
    left_out: &mut Vec<&'static str>,
) {
    match value {
        Some(value) if offers.dsn => {
            let _ = write!(command, " {keyword}={value}");
        }
        _ if left_out.contains(&keyword) => {}
        _ => left_out.push(keyword),
    }
}

/// `rfc822;a@b` with the address in xtext. The forms of RFC 6533 for other alphabets are not written.
fn original_recipient(value: &[u8]) -> Option<String> {
    let at = value.iter().position(|byte| *byte == b';')?;
    let (kind, address) = value.split_at(at);
    let is_atom = !kind.is_empty() && kind.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-');
    let address = xtext(address.get(1..)?, LONGEST_ORCPT)?;
    let value = format!("{};{address}", std::str::from_utf8(kind).ok().filter(|_| is_atom)?);
    (!address.is_empty() && value.len() <= LONGEST_ORCPT).then_some(value)
}

/// xtext of RFC 3461 section 4: `+` and `=` and what is not printable as `+XX`. What is to be coded must be printable ASCII
/// itself (sections 4.2 and 4.4), or `None`; also when it gets longer than this.
fn xtext(bytes: &[u8], longest: usize) -> Option<String> {
    let mut coded = String::with_capacity(bytes.len());
    for byte in bytes {
        match byte {
            b'+' | b'=' | b' ' => {
                let _ = write!(coded, "+{byte:02X}");
            }
            b'!'..=b'~' => coded.push(char::from(*byte)),
            _ => return None,
        }
    }
    (!coded.is_empty() && coded.len() <= longest).then_some(coded)
}

fn notes(left_out: &[&str], offers: &Offers, survey: &Survey) -> Vec<String> {
    let mut notes = Vec::new();
    if !left_out.is_empty() {
        let why = if offers.dsn { "they have no valid value" } else { "this server does not offer DSN" };
        notes.push(format!("what the sender asked of reports is lost ({}): {why}", left_out.join(", ")));
    }
    if survey.longest_line > LONGEST_LINE {
        notes.push(format!(
            "a line of {} bytes is sent as it is; SMTP allows {LONGEST_LINE}",
            survey.longest_line
        ));
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::{commands, xtext};
    use crate::act::smtp::connect::Offers;
    use crate::act::smtp::content::Survey;
    use crate::evidence::Text;
    use crate::plan::{Notify, Outgoing, OutgoingRecipient, Ret};

    fn everything() -> Offers {
        Offers { eight_bit_mime: true, smtputf8: true, dsn: true, size: true, ..Offers::default() }
    }

    fn asked() -> Outgoing {
        Outgoing {
            sender: Some(Text::from("a@example.org")),
            recipients: vec![OutgoingRecipient {
                address: Text::from("b@example.org"),
                notify: Notify { success: true, failure: true, ..Notify::default() },
                orcpt: Some(Text::from("rfc822;b+c=d@example.org")),
                reason: None,
            }],
            ret: Some(Ret::Hdrs),
            envid: Some(Text::from("QQ 31+4")),
            ..Outgoing::default()
        }
    }

    #[test]
    fn what_the_sender_asked_of_reports_goes_on_in_xtext() {
        let survey = Survey { size: 123, ..Survey::default() };
        let commands = commands(&asked(), &everything(), &survey).unwrap();
        assert_eq!(commands.mail, "MAIL FROM:<a@example.org> SIZE=123 RET=HDRS ENVID=QQ+2031+2B4");
        assert_eq!(
            commands.rcpt,
            ["RCPT TO:<b@example.org> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;b+2Bc+3Dd@example.org"]
        );
        assert!(commands.notes.is_empty());
    }

    #[test]
    fn what_the_sender_asked_of_reports_is_left_out_with_a_note_where_the_server_does_not_offer_it() {
        let commands = commands(&asked(), &Offers::default(), &Survey::default()).unwrap();
        assert_eq!(commands.mail, "MAIL FROM:<a@example.org>");
        assert_eq!(commands.rcpt, ["RCPT TO:<b@example.org>"]);
        assert_eq!(
            commands.notes,
            [
                "what the sender asked of reports is lost (RET, ENVID, NOTIFY, ORCPT): this server does not offer DSN"
            ]
        );
    }

    #[test]
    fn nothing_is_said_to_be_lost_of_a_report_whose_own_fate_nobody_is_told() {
        let report = Outgoing { sender: Some(Text::default()), ..asked() };
        let commands = commands(&report, &Offers::default(), &Survey::default()).unwrap();
        assert_eq!(commands.mail, "MAIL FROM:<>");
        assert!(commands.notes.is_empty(), "{:?}", commands.notes);
    }

    #[test]
    fn hostile_values_of_parameters_cannot_begin_another_command() {
        for hostile in ["a\r\nRSET", "caf\u{e9}", "", "\0", &"x".repeat(101)] {
            assert_eq!(xtext(hostile.as_bytes(), 100), None, "{hostile:?}");
        }
        for orcpt in
            ["no type", "rfc822", "rfc822;", ";a@b", "rfc 822;a@b", "rfc822;a\r\nRSET", "utf-8;\u{e9}@b"]
        {
            let mut outgoing = asked();
            outgoing.recipients[0].orcpt = Some(Text::from(orcpt));
            let commands = commands(&outgoing, &everything(), &Survey::default()).unwrap();
            assert_eq!(commands.rcpt, ["RCPT TO:<b@example.org> NOTIFY=SUCCESS,FAILURE"], "{orcpt:?}");
            assert!(commands.notes[0].contains("(ORCPT): they have no valid value"), "{:?}", commands.notes);
        }
    }

    #[test]
    fn what_the_server_does_not_offer_is_refused_and_never_made_up_for() {
        let plain = |size| Survey { size, ..Survey::default() };
        let refused = |outgoing: &Outgoing, offers: &Offers, survey: &Survey| {
            commands(outgoing, offers, survey).unwrap_err().reason
        };
        let eight_bit = Survey { eight_bit: true, ..Survey::default() };
        assert!(refused(&asked(), &Offers::default(), &eight_bit).contains("does not offer 8BITMIME"));
        let sent = commands(&asked(), &everything(), &eight_bit).unwrap();
        assert!(sent.mail.contains(" BODY=8BITMIME"), "{}", sent.mail);

        let mut abroad = asked();
        abroad.recipients[0].address = Text::from("bücher@example.org");
        let flagged = Outgoing { smtputf8: true, ..asked() };
        for outgoing in [abroad, flagged] {
            let offers = Offers { smtputf8: false, ..everything() };
            assert!(refused(&outgoing, &offers, &plain(1)).contains("needs SMTPUTF8"));
            let sent = commands(&outgoing, &everything(), &plain(1)).unwrap();
            assert!(sent.mail.contains(" SMTPUTF8"), "{}", sent.mail);
        }

        let small = Offers { largest: Some(100), ..everything() };
        assert!(refused(&asked(), &small, &plain(101)).contains("takes 100 at most"));
        assert!(commands(&asked(), &small, &plain(100)).is_ok());

        let cr = Survey { bare_cr: Some(7), ..Survey::default() };
        assert!(refused(&asked(), &everything(), &cr).contains("CR at byte 7"));
        let nul = Survey { nul: Some(9), ..Survey::default() };
        assert!(refused(&asked(), &everything(), &nul).contains("NUL at byte 9"));
    }

    #[test]
    fn an_envelope_that_is_not_known_or_hostile_is_not_sent() {
        let reason = |change: fn(&mut Outgoing)| {
            let mut outgoing = asked();
            change(&mut outgoing);
            commands(&outgoing, &everything(), &Survey::default()).map(|sent| sent.mail).map_err(|f| f.reason)
        };
        assert!(reason(|o| o.sender = None).unwrap_err().contains("sender is not known"));
        assert!(reason(|o| o.recipients.clear()).unwrap_err().contains("no recipient"));
        assert!(
            reason(|o| o.sender = Some(Text::from("a@b> SIZE=1"))).unwrap_err().contains("sender cannot be")
        );
        assert!(
            reason(|o| o.recipients[0].address = Text::from("b\r\nRCPT TO:<x>"))
                .unwrap_err()
                .contains("a line end")
        );
        assert!(reason(|o| o.sender = Some(Text::default())).unwrap().starts_with("MAIL FROM:<> "));
    }
}
