//! Keys under which two sightings of one message meet.

use crate::evidence::{Confidence, Message, Text, Time};
use sha2::{Digest as _, Sha256};

/// A key, reduced to eight bytes. Two different keys meet by accident once in 2^64 pairs.
pub type Key = u64;

/// What two sightings have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum MatchedBy {
    /// The mail system's own ID, within one instance.
    Native,
    /// The Internet Message-ID.
    MessageId,
    /// Subject, time (to two seconds) and recipients.
    Content,
    /// Time and size, where a listing has neither IDs nor subjects.
    Moment,
    /// Subject and sender.
    Subject,
}

impl MatchedBy {
    /// What people call it.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Native => "queue ID",
            Self::MessageId => "Message-ID",
            Self::Content => "subject, time and recipients",
            Self::Moment => "time and size",
            Self::Subject => "subject and sender",
        }
    }

    /// How far it carries.
    pub fn confidence(self) -> Confidence {
        match self {
            Self::Native | Self::MessageId => Confidence::Certain,
            Self::Content | Self::Moment => Confidence::Likely,
            Self::Subject => Confidence::Possible,
        }
    }
}

/// The key of a mail system's own ID within one instance.
pub fn native(scope: &str, id: &Text) -> Key {
    digest(b'n', &[scope.as_bytes(), id.bytes()])
}

/// The key of a mail system's own ID within the instance of this number.
pub fn native_of(instance: usize, id: &Text) -> Key {
    digest(b'n', &[&(instance as u64).to_be_bytes(), id.bytes()])
}

/// The key of an Internet Message-ID, without regard to brackets, spaces and the case of the domain. `None` for what is no
/// Message-ID but stands where one should (`(null)`, `N/A`, `<@>`): it would make one message of many.
pub fn message_id(id: &Text) -> Option<Key> {
    let text = id.lossy();
    let bare = text.trim().trim_start_matches('<').trim_end_matches('>').trim();
    let (local, domain) = bare.rsplit_once('@')?;
    let sound = !local.is_empty() && !domain.is_empty() && !bare.contains(char::is_whitespace);
    sound.then(|| digest(b'm', &[local.as_bytes(), domain.to_ascii_lowercase().as_bytes()]))
}

/// The keys of subject, time and recipients: two of them, so that two clocks that differ by a second share one.
pub fn content(subject: Option<&Text>, time: Option<Time>, recipients: &[&Text]) -> Option<[Key; 2]> {
    let (subject, time) = (subject.filter(|subject| !subject.is_empty())?, time?);
    let mut addresses: Vec<String> = recipients.iter().map(|address| fold(address)).collect();
    addresses.sort_unstable();
    let addresses = addresses.join(",");
    let subject = fold(subject);
    let key = |phase: u8, seconds: i64| {
        let bucket = seconds.div_euclid(2).to_be_bytes();
        digest(b'c', &[&[phase], &bucket, subject.as_bytes(), addresses.as_bytes()])
    };
    Some([key(0, time.seconds), key(1, time.seconds.saturating_add(1))])
}

/// The key of time and size, for listings that show neither an ID nor a subject. Such a listing prints the local time of
/// its own host, and offsets are multiples of a quarter of an hour: only the time within one counts, so that a listing
/// from another zone meets its messages as well.
pub fn moment(time: Option<Time>, size: Option<u64>) -> Option<Key> {
    let within = time?.seconds.rem_euclid(QUARTER).to_be_bytes();
    Some(digest(b't', &[&within, &size?.to_be_bytes()]))
}

/// A quarter of an hour in seconds.
const QUARTER: i64 = 900;

/// The key of subject and sender: weak, and never enough to call two messages one.
pub fn subject(subject: Option<&Text>, sender: Option<&Text>) -> Option<Key> {
    let subject = subject.filter(|subject| !subject.is_empty())?;
    let sender = sender.filter(|sender| !sender.is_empty())?;
    Some(digest(b's', &[fold(subject).as_bytes(), fold(sender).as_bytes()]))
}

/// The keys under which other sources would know this message: its Message-ID and, for those that do not know that, its
/// content.
pub fn across_sources(message: &Message) -> Vec<(Key, MatchedBy)> {
    let mut keys: Vec<(Key, MatchedBy)> = Vec::new();
    keys.extend(own_message_id(message).map(|key| (key, MatchedBy::MessageId)));
    let recipients: Vec<&Text> =
        message.envelope.recipients.iter().map(|recipient| &recipient.address).collect();
    let content = content(message.header("Subject"), message.arrived(), &recipients);
    keys.extend(content.into_iter().flatten().map(|key| (key, MatchedBy::Content)));
    keys
}

/// The key of the message's own Message-ID.
pub fn own_message_id(message: &Message) -> Option<Key> {
    message.ids.message_id.as_ref().and_then(message_id)
}

/// Whether two sizes can be those of one message: a store counts its own properties, a queue file its headers, so that they
/// differ, but not by more than a factor of two and some kilobytes (a guess).
pub fn sizes_agree(one: Option<u64>, other: Option<u64>) -> bool {
    const SLACK: u64 = 16 << 10;
    match (one, other) {
        (Some(one), Some(other)) => {
            let (less, more) = (one.min(other), one.max(other));
            more <= less.saturating_mul(2).saturating_add(SLACK)
        }
        _ => true,
    }
}

fn fold(text: &Text) -> String {
    text.lossy().split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

fn digest(kind: u8, fields: &[&[u8]]) -> Key {
    let mut hash = Sha256::new();
    hash.update([kind]);
    for field in fields {
        hash.update((field.len() as u64).to_be_bytes());
        hash.update(field);
    }
    hash.finalize().iter().take(8).fold(0, |key, byte| key << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_id_is_the_same_with_and_without_brackets() {
        let with = message_id(&Text::from("<A1@Mail.Example>"));
        assert_eq!(with, message_id(&Text::from(" A1@mail.example ")));
        assert_ne!(with, message_id(&Text::from("<a1@mail.example>")), "the local part keeps its case");
        for placeholder in ["<>", "(null)", "-", "N/A", "<@>", "a b@c"] {
            assert_eq!(message_id(&Text::from(placeholder)), None, "{placeholder}");
        }
    }

    #[test]
    fn a_listing_in_another_time_zone_shows_the_same_moment() {
        let at = |hours: i64| moment(Some(Time::from_unix(1_795_480_088 + hours * 1_800)), Some(818));
        assert_eq!(at(0), at(11), "five and a half hours further east");
        assert_ne!(at(0), moment(Some(Time::from_unix(1_795_480_089)), Some(818)));
        assert_ne!(at(0), moment(Some(Time::from_unix(1_795_480_088)), Some(819)));
        assert_eq!(moment(None, Some(818)), None);
    }

    #[test]
    fn clocks_that_differ_by_a_second_still_meet() {
        let subject = Text::from("Quarterly figures");
        let keys = |seconds| content(Some(&subject), Some(Time::from_unix(seconds)), &[]).unwrap();
        for second in [100, 101] {
            let (one, next) = (keys(second), keys(second + 1));
            assert!(one.iter().any(|key| next.contains(key)));
            assert!(!one.iter().any(|key| keys(second + 2).contains(key)));
        }
    }
}
