//! The envelope that stands in a message file of Pickup, Replay and Drop, as fields at its very top.
//!
//! IIS and Exchange 2000/2003: `x-sender: ADDRESS`, then one `x-receiver: ADDRESS` for each recipient (KB Q201314,
//! Q221384). Exchange 2007 and later, Replay only: `X-Sender: <ADDRESS> BODY=7bit RET=HDRS ENVID=… auth=<…>` and
//! `X-Receiver: <ADDRESS> NOTIFY=NEVER ORcpt=…`, among other fields that also must come first (Microsoft,
//! "Pickup directory and Replay directory").

use crate::evidence::{Attribute, Envelope, Recipient, RecipientState, Text};
use crate::plan::{Notify, Outgoing, OutgoingRecipient, Refusal, Ret};
use crate::read::mime::{Field, Headers};

/// Recipients of one message that are kept; the rest is counted.
const MAX_RECIPIENTS: usize = 1_000;
/// Parameters of one message that are kept as attributes.
const MAX_PARAMETERS: usize = 100;

/// Fields that Replay wants before all others. Source: Microsoft, "Pickup directory and Replay directory".
const OTHER_TOP_FIELDS: [&str; 6] = [
    "X-CreatedBy",
    "X-EndOfInjectedXHeaders",
    "X-ExtendedMessageProps",
    "X-HeloDomain",
    "X-Source",
    "X-SourceIPAddress",
];

/// What stands at the top of a file.
#[derive(Debug, Default)]
pub struct TopFields {
    /// Sender and recipients; `None` if neither is named there.
    pub envelope: Option<Envelope>,
    /// Whether the list goes on where the headers were cut off.
    pub cut: bool,
    /// Parameters of the addresses and the other fields, by name.
    pub attributes: Vec<Attribute>,
}

/// Reads the envelope at the top of a message file.
pub fn read(headers: &Headers, state: RecipientState) -> TopFields {
    let mut top = TopFields::default();
    let (mut envelope, mut any, mut count) = (Envelope::default(), false, 0_u64);
    top.cut = headers.body_at.is_none();
    for field in headers.fields() {
        if field.is("X-Sender") {
            let (address, parameters) = address_and_parameters(field);
            keep(&mut top.attributes, "envelope", &parameters);
            envelope.sender.get_or_insert(address);
        } else if field.is("X-Receiver") {
            let (address, parameters) = address_and_parameters(field);
            count += 1;
            keep(&mut top.attributes, &format!("recipient {}", address.lossy()), &parameters);
            if envelope.recipients.len() < MAX_RECIPIENTS {
                envelope.recipients.push(Recipient { address, state, reason: None });
            }
        } else if OTHER_TOP_FIELDS.iter().any(|name| field.is(name)) {
            if top.attributes.len() < MAX_PARAMETERS {
                let name = field.name.lossy().into_owned();
                top.attributes.push((name.into(), field.value.clone()));
            }
            continue;
        } else {
            top.cut = false;
            break;
        }
        any = true;
    }
    envelope.recipient_count = (count > envelope.recipients.len() as u64).then_some(count);
    top.envelope = any.then_some(envelope);
    top
}

/// The envelope at the top with all that decides about a later report, and where the message begins below it; `replay`: the
/// other fields of Replay count as well. Without an `X-Receiver` it is no envelope: programs write `X-Sender` fields of their own.
///
/// # Errors
/// [`Refusal`] if it does not end within what was read, or is more than is kept.
pub fn outgoing(headers: &Headers, replay: bool) -> Result<(Option<Outgoing>, u64), Refusal> {
    let mut outgoing = Outgoing::default();
    let (mut end, mut others) = (0, false);
    for field in headers.fields() {
        if field.is("X-Sender") {
            if outgoing.sender.is_some() {
                return Err(strange("two senders stand at its top"));
            }
            let (address, parameters) = address_and_parameters(field);
            plain(&parameters)?;
            outgoing.sender = Some(address);
            sender_options(&mut outgoing, &parameters);
        } else if field.is("X-Receiver") {
            let (address, parameters) = address_and_parameters(field);
            plain(&parameters)?;
            outgoing.recipients.push(recipient(address, &parameters));
        } else if OTHER_TOP_FIELDS.iter().any(|name| field.is(name)) {
            others = true;
        } else {
            break;
        }
        end = field.end;
    }
    if headers.stray_at.is_some_and(|at| at < end) {
        return Err(strange("a line that is no field stands among the fields at its top"));
    }
    // Only so many fields are kept: where none follows, the blank line has to.
    let all = headers.fields().last().is_some_and(|last| last.end == end);
    if all && headers.body_at.is_none_or(|body| body.saturating_sub(end) > 2) {
        return Err(strange("the list of recipients at its top does not end where a header may"));
    }
    match (outgoing.recipients.is_empty(), others && !replay) {
        (true, _) if !replay => Ok((None, 0)),
        (_, true) => Err(strange("fields of Replay stand among the sender and recipients at its top")),
        (empty, _) => Ok(((!empty).then_some(outgoing), end)),
    }
}

/// What follows an address is `NAME=VALUE`, or it is no single address.
fn plain(parameters: &[Text]) -> Result<(), Refusal> {
    let known = |word: &Text| word.bytes().contains(&b'=') || word.bytes().eq_ignore_ascii_case(b"SMTPUTF8");
    if parameters.iter().all(known) {
        Ok(())
    } else {
        Err(strange("an address at its top is followed by something else"))
    }
}

fn strange(what: &str) -> Refusal {
    Refusal::new(what, "look at the top of the file, and hand it in by hand")
}

/// RET and ENVID of RFC 3461; BODY and AUTH are renewed by whoever sends it.
fn sender_options(outgoing: &mut Outgoing, parameters: &[Text]) {
    for (name, value) in parameters.iter().filter_map(name_and_value) {
        match name.to_ascii_uppercase().as_slice() {
            b"RET" if value.eq_ignore_ascii_case(b"HDRS") => outgoing.ret = Some(Ret::Hdrs),
            b"RET" if value.eq_ignore_ascii_case(b"FULL") => outgoing.ret = Some(Ret::Full),
            b"ENVID" => outgoing.envid = xtext(value),
            _ => {}
        }
    }
    outgoing.smtputf8 = parameters.iter().any(|word| word.bytes().eq_ignore_ascii_case(b"SMTPUTF8"));
}

/// NOTIFY and ORCPT of RFC 3461.
fn recipient(address: Text, parameters: &[Text]) -> OutgoingRecipient {
    let mut recipient = OutgoingRecipient { address, ..OutgoingRecipient::default() };
    for (name, value) in parameters.iter().filter_map(name_and_value) {
        match name.to_ascii_uppercase().as_slice() {
            b"NOTIFY" => {
                let asked =
                    |word: &[u8]| value.split(|byte| *byte == b',').any(|w| w.eq_ignore_ascii_case(word));
                let never = asked(b"NEVER");
                let [success, failure, delay] =
                    [&b"SUCCESS"[..], b"FAILURE", b"DELAY"].map(|word| !never && asked(word));
                recipient.notify = Notify { never, success, failure, delay };
            }
            b"ORCPT" => recipient.orcpt = xtext(value),
            _ => {}
        }
    }
    recipient
}

fn name_and_value(parameter: &Text) -> Option<(&[u8], &[u8])> {
    let equals = memchr::memchr(b'=', parameter.bytes())?;
    let (name, value) = parameter.bytes().split_at_checked(equals)?;
    Some((name, value.get(1..)?))
}

/// xtext of RFC 3461 section 4: `+` and two upper-case hexadecimal digits stand for a byte. `None` for what is none.
fn xtext(coded: &[u8]) -> Option<Text> {
    let mut plain = Vec::with_capacity(coded.len());
    let mut bytes = coded.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'+' => {
                let digits = [*bytes.next()?, *bytes.next()?];
                let upper = digits.iter().all(|digit| matches!(digit, b'0'..=b'9' | b'A'..=b'F'));
                let digits = std::str::from_utf8(&digits).ok().filter(|_| upper)?;
                plain.push(u8::from_str_radix(digits, 16).ok()?);
            }
            b'!'..=b'~' if *byte != b'=' => plain.push(*byte),
            _ => return None,
        }
    }
    Some(Text::new(plain))
}

/// `<ADDRESS> PARAMETERS`, or the address alone without brackets.
fn address_and_parameters(field: &Field) -> (Text, Vec<Text>) {
    let value = field.value.bytes();
    let (address, rest) = match value.strip_prefix(b"<").and_then(|inner| {
        let end = memchr::memchr(b'>', inner)?;
        Some((inner.get(..end)?, inner.get(end + 1..)?))
    }) {
        Some(bracketed) => bracketed,
        None => match memchr::memchr2(b' ', b'\t', value).and_then(|end| value.split_at_checked(end)) {
            Some(parts) => parts,
            None => (value, &b""[..]),
        },
    };
    let words = rest.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    (Text::new(address), words.take(MAX_PARAMETERS).map(Text::new).collect())
}

/// `NAME=VALUE` as attributes `envelope NAME`; ENVID, RET, NOTIFY and `ORcpt` decide about a later NDR (RFC 3461).
fn keep(attributes: &mut Vec<Attribute>, whose: &str, parameters: &[Text]) {
    for parameter in parameters {
        if attributes.len() >= MAX_PARAMETERS {
            return;
        }
        let bytes = parameter.bytes();
        let equals = memchr::memchr(b'=', bytes).unwrap_or(bytes.len());
        let name = String::from_utf8_lossy(bytes.get(..equals).unwrap_or_default()).into_owned();
        let value = bytes.get(equals + 1..).unwrap_or_default();
        attributes.push((format!("{whose} {name}").into(), Text::new(value)));
    }
}
