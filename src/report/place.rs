//! Places and values in words. What is made of hostile parts is [`Text`] still: the caller tames it.

use crate::evidence::{At, Locus, Message, RecipientState, Stat, Text};
use crate::findings::{Finding, Summary};

/// A place in words: `deferred/7ABC, bytes 12 to 39`, both of them included.
pub fn in_words(locus: &Locus) -> Text {
    let mut words = locus.path.bytes().to_vec();
    words.extend_from_slice(
        match &locus.at {
            At::Whole => String::new(),
            At::Metadata => ", metadata".to_owned(),
            At::Bytes(start, end) => format!(", bytes {start} to {}", end.saturating_sub(1).max(*start)),
            At::Row(row) => format!(", row {row}"),
            At::Line(line) => format!(", line {line}"),
            At::Stream(name) => format!(", stream {name}"),
        }
        .as_bytes(),
    );
    Text::new(words)
}

/// The name of the source of an instance, and what people call the instance.
pub fn instance_names(summary: &Summary, index: usize) -> Option<(&'static str, &str)> {
    summary.instances.get(index).map(|instance| (instance.source, instance.label.as_str()))
}

/// Queue IDs are this long at most; longer names (an entry ID, a file name) are harder to type than the finding's own.
const LONGEST_ID: usize = 23;

/// What to call a finding: the queue ID that the user knows from the logs, else the name that ghostq gave it. `ghostq show`
/// takes either.
pub fn id_in_words(finding: &Finding) -> Text {
    let native =
        finding.message.ids.native.as_ref().filter(|id| !id.is_empty() && id.bytes().len() <= LONGEST_ID);
    native.filter(|id| id.as_str().is_some()).cloned().unwrap_or_else(|| Text::from(finding.id.as_str()))
}

/// How many recipients there are, where anything is known of them.
pub fn recipient_count(message: &Message) -> Option<u64> {
    let kept = message.envelope.recipients.len() as u64;
    message.envelope.recipient_count.or((kept > 0).then_some(kept))
}

/// The sender as it is best known: from the envelope, else from the header, else `?`.
pub fn sender_in_words(message: &Message) -> Text {
    match (&message.envelope.sender, message.header("From")) {
        (Some(null), _) if null.is_empty() => Text::from("<>"),
        (Some(sender), _) | (None, Some(sender)) => sender.clone(),
        (None, None) => Text::from("?"),
    }
}

/// The first recipient that is not done; from the header where the envelope is unknown, else `?`.
pub fn recipient_in_words(message: &Message) -> Text {
    let recipients = &message.envelope.recipients;
    let waiting = recipients.iter().find(|recipient| recipient.state != RecipientState::Done);
    let first = waiting.or(recipients.first()).map(|recipient| &recipient.address);
    first.or(message.header("To")).cloned().unwrap_or(Text::from("?"))
}

/// How many recipients there are beside that one: ` +3`.
pub fn more_recipients_in_words(message: &Message) -> String {
    let others = recipient_count(message).map_or(0, |count| count.saturating_sub(1));
    if others > 0 { format!(" +{others}") } else { String::new() }
}

/// Bytes for people: `340 B`, `1.2 KiB`.
pub fn size_in_words(bytes: u64) -> String {
    let (mut tenths, mut unit) = (u128::from(bytes) * 10, "B");
    for larger in ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"] {
        if tenths < 10_240 {
            break;
        }
        (tenths, unit) = (tenths / 1024, larger);
    }
    if unit == "B" { format!("{bytes} B") } else { format!("{}.{} {unit}", tenths / 10, tenths % 10) }
}

/// Permission bits as people write them: `0600`.
pub fn mode(stat: &Stat) -> String {
    format!("{:04o}", stat.mode)
}

/// Why it is not known whether the listing shows this message.
pub fn why_visibility_unknown(finding: &Finding, summary: &Summary) -> &'static str {
    if was_listed(finding, summary) { "the listing does not settle it" } else { "no listing was given" }
}

/// Whether a listing was held against the instance of this message.
pub fn was_listed(finding: &Finding, summary: &Summary) -> bool {
    summary.listings.iter().any(|listing| listing.instances.contains(&finding.message.instance))
}

/// The name of a class, state or kind, as the JSON formats spell it.
pub fn name_of(value: impl serde::Serialize) -> String {
    let name = serde_json::to_value(value).unwrap_or_default();
    name.as_str().unwrap_or_default().to_owned()
}

/// `1 message`, `2 messages`.
pub fn count_in_words(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
