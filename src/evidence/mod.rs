//! Evidence: what was seen, as plain data.
//!
//! Everything here is a value without behaviour that reaches outside: no file is opened, no clock is read. Sources make
//! these values, the rules weigh them, the reports print them.

mod damage;
mod fate;
mod instance;
mod listing;
mod locus;
mod message;
mod sign;
mod stamp;
mod text;
mod time;
mod treatment;

pub use damage::{Damage, DamageKind};
pub use fate::{Condition, Effect, Fate, Habits, Measure, Occasion, Only, Trigger};
pub use instance::{Epoch, EpochOrigin, Instance, Limits, Live};
pub use listing::{EntryState, ListingEnd, ListingEntry};
pub use locus::{At, Fact, Locus};
pub use message::{
    Attribute, Envelope, Header, Ids, Message, Original, Part, PartKind, Recipient, RecipientState, Stat,
    TimeKind, Timed,
};
pub use sign::{Confidence, Sign, Signed};
pub use stamp::{Stamp, StampMatch, parse_filetime, parse_stamp};
pub use text::{Text, as_path, split_path};
pub use time::{Duration, Time, format_duration, parse_duration};
pub use treatment::{Remedy, Shown, Treatment};

/// One thing that a source read: a message, or damage that kept it from reading one.
#[derive(Debug, Clone)]
pub enum Record {
    /// One message as this source holds it. Boxed: a record travels through channels by the thousand.
    Message(Box<Message>),
    /// Something that could not be read. The scan goes on, and its exit code says that it was incomplete.
    Damage(Damage),
    /// A regular part of the spool that was looked at and holds no message (a log of a living message, a lock).
    Passed,
}

impl Record {
    /// What came of reading a file, which may hold no message.
    pub fn of(read: Result<Option<Message>, Damage>) -> Self {
        match read {
            Ok(Some(message)) => Self::Message(Box::new(message)),
            Ok(None) => Self::Passed,
            Err(damage) => Self::refused(damage),
        }
    }

    /// What could not be read. Nobody is to be told of a file that was delivered meanwhile.
    pub fn refused(damage: Damage) -> Self {
        if damage.kind == DamageKind::Vanished { Self::Passed } else { Self::Damage(damage) }
    }
}
