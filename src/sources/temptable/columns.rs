//! What columns and properties mean.

use crate::evidence::TimeKind;
use anyhow::{Result, bail};

/// What a column or property says about a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// The subject.
    Subject,
    /// A name, an address, or both, of the author.
    From,
    /// The author's address alone.
    FromAddress,
    /// The address of who sent it.
    Sender,
    /// The kind of that address: `SMTP`, `EX`.
    SenderKind,
    /// Names or addresses, separated by `;`.
    Recipients,
    /// The Internet Message-ID.
    MessageId,
    /// An identifier of the message in the store.
    Id(IdKind),
    /// A time.
    Time(TimeKind),
    /// Size in bytes.
    Size,
    /// The stamp.
    Stamp,
    /// The queue or folder.
    Queue,
    /// What the last attempt said.
    Reason,
    /// The header of the message.
    TransportHeaders,
    /// Whether a row stands for an item or for a group.
    RowType,
    /// Whether the object is a message, a folder or a store.
    ObjectType,
    /// What MAPI says of its state.
    Flags,
    /// Kept as evidence under this name.
    Note(&'static str),
}

/// Identifiers, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum IdKind {
    /// `PR_ENTRYID`.
    Entry,
    /// `PR_LONGTERM_ENTRYID_FROM_TABLE`.
    LongTermEntry,
    /// `PR_SEARCH_KEY`.
    Search,
    /// `PR_RECORD_KEY`.
    Record,
    /// `PR_INSTANCE_KEY`.
    Instance,
}

impl IdKind {
    /// What it is, for people.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Entry => "PR_ENTRYID",
            Self::LongTermEntry => "PR_LONGTERM_ENTRYID_FROM_TABLE",
            Self::Search => "PR_SEARCH_KEY",
            Self::Record => "PR_RECORD_KEY",
            Self::Instance => "PR_INSTANCE_KEY (weak: it names a row of one opened table, not the message)",
        }
    }
}

/// The meaning of a property, by the upper half of its tag: whether a string is Unicode or not makes no difference.
/// Source of the tags: MFCMAPI `core/mapi/columnTags.h`, [MS-OXPROPS].
pub fn of_property(id: u16) -> Option<Field> {
    Some(match id {
        0x000F => Field::Time(TimeKind::NextAttempt), // PR_DEFERRED_DELIVERY_TIME
        0x001A => Field::Note("message class"),
        0x0037 => Field::Subject,
        0x0039 => Field::Time(TimeKind::Submitted), // PR_CLIENT_SUBMIT_TIME
        0x0042 => Field::From,                      // PR_SENT_REPRESENTING_NAME
        0x0065 => Field::FromAddress,               // PR_SENT_REPRESENTING_EMAIL_ADDRESS
        0x007D => Field::TransportHeaders,
        0x0C1A => Field::Note("sender name"),
        0x0C1E => Field::SenderKind,
        0x0C1F | 0x5D01 => Field::Sender, // PR_SENDER_EMAIL_ADDRESS, PR_SENDER_SMTP_ADDRESS
        0x0E02..=0x0E04 => Field::Recipients, // PR_DISPLAY_BCC, PR_DISPLAY_CC, PR_DISPLAY_TO
        0x0E06 => Field::Time(TimeKind::Arrival), // PR_MESSAGE_DELIVERY_TIME
        0x0E07 => Field::Flags,
        0x0E08 => Field::Size,
        0x0E14 => Field::Note("submit flags"),
        0x0E1B => Field::Note("has attachments"),
        0x0FF5 => Field::RowType,
        0x0FF6 => Field::Id(IdKind::Instance),
        0x0FF9 => Field::Id(IdKind::Record),
        0x0FFE => Field::ObjectType,
        0x0FFF => Field::Id(IdKind::Entry),
        0x1035 => Field::MessageId,
        0x3007 => Field::Time(TimeKind::Created),
        0x3008 => Field::Time(TimeKind::Modified),
        0x300B => Field::Id(IdKind::Search),
        0x3FFA => Field::Note("last modified by"),
        0x4076 => Field::Note("SCL"),
        0x6670 => Field::Id(IdKind::LongTermEntry),
        0x674A => Field::Note("MID"),
        _ => return None,
    })
}

/// The fields that `--map COLUMN=FIELD` can name, each with the column names that need no `--map`, normalised.
static FIELDS: &[(&str, Field, &[&str])] = &[
    ("subject", Field::Subject, &["messagesubject", "normalizedsubject"]),
    ("from", Field::From, &["fromaddress", "sentrepresentingname", "author"]),
    (
        "sender",
        Field::Sender,
        &["senderaddress", "senderemailaddress", "envelopesender", "mailfrom", "returnpath"],
    ),
    (
        "recipients",
        Field::Recipients,
        &[
            "to",
            "cc",
            "bcc",
            "recipient",
            "recipientaddress",
            "recipientaddresses",
            "displayto",
            "displaycc",
            "displaybcc",
        ],
    ),
    ("message-id", Field::MessageId, &["internetmessageid", "msgid", "rfc822messageid"]),
    ("entry-id", Field::Id(IdKind::Entry), &["eid"]),
    ("long-term-entry-id", Field::Id(IdKind::LongTermEntry), &["longtermentryidfromtable"]),
    ("search-key", Field::Id(IdKind::Search), &[]),
    ("record-key", Field::Id(IdKind::Record), &[]),
    ("instance-key", Field::Id(IdKind::Instance), &[]),
    (
        "submitted",
        Field::Time(TimeKind::Submitted),
        &["submittime", "clientsubmittime", "submissiontime", "submitted", "sent", "datesent"],
    ),
    (
        "delivered",
        Field::Time(TimeKind::Arrival),
        &[
            "deliverytime",
            "messagedeliverytime",
            "received",
            "datereceived",
            "arrival",
            "arrivaltime",
            "arrived",
        ],
    ),
    ("created", Field::Time(TimeKind::Created), &["creationtime", "datecreated"]),
    (
        "modified",
        Field::Time(TimeKind::Modified),
        &["lastmodified", "lastmodificationtime", "modificationtime", "datemodified"],
    ),
    (
        "next-attempt",
        Field::Time(TimeKind::NextAttempt),
        &["nextretry", "nextretrytime", "deferreddeliverytime"],
    ),
    ("last-attempt", Field::Time(TimeKind::LastAttempt), &["lastretry", "lastretrytime"]),
    ("expires", Field::Time(TimeKind::Expires), &["expirationtime", "expirytime"]),
    ("size", Field::Size, &["messagesize", "bytes", "sizebytes", "totalbytes"]),
    ("stamp", Field::Stamp, &[]),
    ("queue", Field::Queue, &["folder", "queuename", "temptable", "table"]),
    ("last-error", Field::Reason, &["lasterror", "error", "reason", "deferreason", "delayreason"]),
    ("headers", Field::TransportHeaders, &["transportmessageheaders", "internetheaders"]),
    ("flags", Field::Flags, &["messageflags"]),
    ("class", Field::Note("message class"), &["messageclass"]),
    ("retry-count", Field::Note("retry count"), &["retries", "attempts"]),
    ("status", Field::Note("status"), &["state"]),
];

/// Names by which a stamp is recognised when `--stamp` names none, normalised: `GuidTimestamp`, `GUID-Timestamp`,
/// `PR_GUID_TIMESTAMP`, `ptagGuidTimestamp`, `stamp`. Only the first is public (KB 950757), and only as a word; the
/// others are what an export might make of it.
pub const STAMP_NAMES: [&str; 2] = ["guidtimestamp", "stamp"];

/// A name without case, spaces, underscores and hyphens, and without what MAPI puts before and after (`PR_…_W`,
/// `PidTag…`, `ptag…`).
pub fn normalise(name: &str) -> String {
    let name = name.trim().trim_start_matches('\u{feff}');
    let bare = strip_prefix_ignoring_case(name, "PR_")
        .map(|rest| rest.strip_suffix("_W").or_else(|| rest.strip_suffix("_A")).unwrap_or(rest));
    let bare = bare
        .or_else(|| strip_prefix_ignoring_case(name, "PidTag"))
        .or_else(|| strip_prefix_ignoring_case(name, "ptag"))
        .unwrap_or(name);
    bare.chars().filter(|c| !matches!(c, ' ' | '_' | '-')).flat_map(char::to_lowercase).collect()
}

fn strip_prefix_ignoring_case<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    let head = text.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then(|| text.get(prefix.len()..)).flatten()
}

/// The meaning of a column by its name, or by a property tag in place of a name (`0x0037001F`).
pub fn of_column(name: &str) -> Option<Field> {
    if let Some(digits) = name.trim().strip_prefix("0x").filter(|digits| matches!(digits.len(), 4 | 8)) {
        let id = digits.get(..4).and_then(|id| u16::from_str_radix(id, 16).ok())?;
        return of_property(id);
    }
    let name = normalise(name);
    FIELDS
        .iter()
        .find(|(field, _, aliases)| normalise(field) == name || aliases.contains(&name.as_str()))
        .map(|(_, field, _)| *field)
}

/// The field that the operator means by the right side of `--map COLUMN=FIELD`.
///
/// # Errors
/// When there is none of this name; the error lists them all.
pub fn by_name(name: &str) -> Result<Field> {
    let wanted = normalise(name);
    if let Some((_, field, _)) = FIELDS.iter().find(|(field, ..)| normalise(field) == wanted) {
        return Ok(*field);
    }
    let names: Vec<_> = FIELDS.iter().map(|(field, ..)| *field).collect();
    bail!("there is no field `{name}` for `--map`; there are {}", names.join(", "))
}
