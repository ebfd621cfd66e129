//! A line of `postqueue -j`. Source: Postfix `postqueue/showq_json.c`.

use super::{MAX_RECIPIENTS, sender_text};
use crate::evidence::{EntryState, ListingEntry, Text, Time};
use serde::Deserialize;

/// Reads a line; `None` if the object has no queue ID.
///
/// # Errors
/// When it is no such object.
pub fn entry(line: &[u8], cut: bool, number: u64) -> serde_json::Result<Option<ListingEntry>> {
    let text = String::from_utf8_lossy(line);
    let object = serde_json::from_str::<Object>(&text).or_else(|error| {
        // A message with very many recipients makes a line longer than is kept; what stands before them is whole.
        let recipients = if cut { text.find("\"recipients\": [") } else { None };
        let head = recipients.and_then(|at| text.get(..at)).ok_or(error)?;
        serde_json::from_str(&format!("{head}\"recipients\": []}}"))
    })?;
    Ok(object.queue_id.is_some().then(|| object.entry(number)))
}

/// One object of the JSON form. Members that are not known are passed over.
#[derive(Deserialize)]
struct Object {
    queue_name: Option<String>,
    queue_id: Option<String>,
    arrival_time: Option<i64>,
    message_size: Option<i64>,
    sender: Option<String>,
    #[serde(default)]
    recipients: Vec<ObjectRecipient>,
}

#[derive(Deserialize)]
struct ObjectRecipient {
    address: Option<String>,
    delay_reason: Option<String>,
    bounce_reason: Option<String>,
    other_reason: Option<String>,
}

impl Object {
    fn entry(self, line: u64) -> ListingEntry {
        let held = self.queue_name.as_deref() == Some("hold");
        let reason = self.recipients.iter().find_map(|recipient| {
            let reasons = [&recipient.delay_reason, &recipient.bounce_reason, &recipient.other_reason];
            reasons.into_iter().find_map(Clone::clone)
        });
        ListingEntry {
            line,
            queue: self.queue_name,
            native: self.queue_id.map(Text::from),
            sender: self.sender.map(|sender| sender_text(sender.as_bytes())),
            size: self.message_size.and_then(|size| u64::try_from(size).ok()),
            arrived: self.arrival_time.map(Time::from_unix),
            recipients: self
                .recipients
                .into_iter()
                .filter_map(|recipient| recipient.address.map(Text::from))
                .take(MAX_RECIPIENTS)
                .collect(),
            state: if held { EntryState::Held } else { EntryState::Normal },
            reason: reason.map(Text::from),
            ..ListingEntry::default()
        }
    }
}
