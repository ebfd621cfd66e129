//! The envelope that stands in a message file of Pickup, Replay and Drop, as fields at its very top.
//!
//! IIS and Exchange 2000/2003: `x-sender: ADDRESS`, then one `x-receiver: ADDRESS` for each recipient (KB Q201314,
//! Q221384). Exchange 2007 and later, Replay only: `X-Sender: <ADDRESS> BODY=7bit RET=HDRS ENVID=… auth=<…>` and
//! `X-Receiver: <ADDRESS> NOTIFY=NEVER ORcpt=…`, among other fields that also must come first (Microsoft,
//! "Pickup directory and Replay directory").

use crate::evidence::{Envelope, Recipient, RecipientState, Text};
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
    pub attributes: Vec<(String, Text)>,
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
                top.attributes.push((name, field.value.clone()));
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
fn keep(attributes: &mut Vec<(String, Text)>, whose: &str, parameters: &[Text]) {
    for parameter in parameters {
        if attributes.len() >= MAX_PARAMETERS {
            return;
        }
        let bytes = parameter.bytes();
        let equals = memchr::memchr(b'=', bytes).unwrap_or(bytes.len());
        let name = String::from_utf8_lossy(bytes.get(..equals).unwrap_or_default()).into_owned();
        let value = bytes.get(equals + 1..).unwrap_or_default();
        attributes.push((format!("{whose} {name}"), Text::new(value)));
    }
}
