//! The header row of a CSV or TSV export, and the keys of a JSON one.

use super::columns::{Field, IdKind, normalise, of_column};
use super::export::Context;
use super::stamp_choice::is_usual;

/// Whether names of columns look like an export of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Likeness {
    /// A listing of a mail system, which is read elsewhere.
    Listing(&'static str),
    /// Identifiers of a store, or a stamp: nothing else writes these.
    Certain,
    /// A subject or a Message-ID.
    Weak,
    /// Nothing of the kind.
    None,
}

/// Judges names of columns.
pub fn likeness<'n>(names: impl Iterator<Item = &'n str>) -> Likeness {
    let names: Vec<&str> = names.collect();
    let has = |wanted: &str| names.iter().any(|name| normalise(name) == wanted);
    let fields: Vec<Field> = names.iter().filter_map(|name| of_column(name)).collect();
    let stamped = names.iter().any(|name| is_usual(name));
    let identified = fields.iter().any(|field| matches!(field, Field::Id(kind) if *kind != IdKind::Instance));
    let told = fields.contains(&Field::Subject) || fields.contains(&Field::MessageId);
    if has("identity") && has("queue") && has("status") {
        return Likeness::Listing("a `Get-Message` listing");
    }
    if has("queueid") && has("queuename") && has("recipients") {
        return Likeness::Listing("a `postqueue -j` listing");
    }
    // Queue Viewer, "Export List": TechNet and formats of the viewer name these columns.
    if has("status")
        && has("lasterror")
        && (has("queueid") || has("messagesourcename"))
        && !stamped
        && !identified
    {
        return Likeness::Listing("an exported list of Queue Viewer");
    }
    // The headings of Exchange System Manager's list are not documented; these two stand in no export of a table.
    if (has("messagestate") || has("queuestate")) && !stamped && !identified {
        return Likeness::Listing("an exported list of Exchange System Manager");
    }
    if identified || (stamped && (told || fields.len() > 1)) {
        Likeness::Certain
    } else if told || stamped {
        Likeness::Weak
    } else {
        Likeness::None
    }
}

/// What each column means: the operator's word first, then the stamp, then the well-known names.
pub fn meaning(name: &str, context: &Context) -> Option<Field> {
    let mapped = context.map.iter().find(|(column, _)| column.trim() == name.trim());
    let mapped =
        mapped.or_else(|| context.map.iter().find(|(column, _)| normalise(column) == normalise(name)));
    if let Some((_, field)) = mapped {
        return Some(*field);
    }
    if context.stamp.is_column(name) {
        return Some(Field::Stamp);
    }
    // Another column than the one that `--stamp` names is not the stamp, whatever it is called.
    of_column(name).filter(|field| *field != Field::Stamp)
}
