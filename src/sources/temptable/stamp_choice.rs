//! Which column or property holds the stamp.

use super::columns::{STAMP_NAMES, normalise};
use super::property::Property;

/// Which column or property holds the stamp.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StampChoice {
    /// None was named: the names that are recognised.
    Usual,
    /// This name, normalised.
    Named(String),
    /// This property: its identifier, and its type if that was given too.
    Tagged { id: u16, kind: Option<u16> },
}

impl StampChoice {
    /// What `--stamp` says: a name, `0x6001`, or `0x6001001F`.
    pub fn new(option: Option<&str>) -> Self {
        let Some(name) = option else { return Self::Usual };
        let digits = name.trim().strip_prefix("0x").or_else(|| name.trim().strip_prefix("0X"));
        let half =
            |at| digits.and_then(|digits| digits.get(at)).and_then(|half| u16::from_str_radix(half, 16).ok());
        match (digits.map(str::len), half(0..4), half(4..8)) {
            (Some(4), Some(id), _) => Self::Tagged { id, kind: None },
            (Some(8), Some(id), Some(kind)) => Self::Tagged { id, kind: Some(kind) },
            _ => Self::Named(normalise(name)),
        }
    }

    /// Whether a column of this name holds the stamp.
    pub fn is_column(&self, name: &str) -> bool {
        match self {
            Self::Usual => STAMP_NAMES.contains(&normalise(name).as_str()),
            Self::Named(wanted) => normalise(name) == *wanted,
            // A column may be headed by the tag.
            Self::Tagged { .. } => Self::new(Some(name)) == *self,
        }
    }

    /// Whether this property holds the stamp.
    pub fn is_property(&self, property: &Property) -> bool {
        match self {
            Self::Tagged { id, kind } => {
                *id == property.id() && kind.is_none_or(|kind| kind == property.kind())
            }
            _ => property.names.iter().any(|name| self.is_column(name)),
        }
    }
}

/// Whether a column of this name would be taken for a stamp without being named.
pub fn is_usual(name: &str) -> bool {
    StampChoice::Usual.is_column(name)
}
