//! One export while it is read: what is known about it beforehand, and what is counted on the way.

use super::build::Draft;
use super::property::Property;
use super::stamp_choice::StampChoice;
use crate::evidence::{Damage, DamageKind, Locus, Record, Text};
use crate::read::lines::Encoding;
use crate::sources::Emit;
use std::collections::BTreeSet;
use std::ops::ControlFlow;

/// Names of columns or properties that are kept to be shown when the stamp is not among them.
const MAX_SEEN: usize = 40;
/// Damaged rows of one export that are reported one by one.
const MAX_DAMAGES: u64 = 1_000;

/// What is known about an export before its first row.
#[derive(Debug, Clone)]
pub struct Context {
    /// The file, relative to the root.
    pub file: Text,
    /// The queue of its rows.
    pub queue: String,
    /// Which column or property holds the stamp.
    pub stamp: StampChoice,
    /// What `--stamp` says, in the operator's spelling.
    pub stamp_option: Option<String>,
    /// The encoding of what is neither UTF-8 nor UTF-16.
    pub encoding: Option<&'static Encoding>,
    /// How many rows there should be, and who says so.
    pub expected: Option<(u64, String)>,
    /// `--map`: columns and fields.
    pub map: Vec<(String, super::columns::Field)>,
}

/// How an export ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// As it should.
    Whole,
    /// Too early, within or behind this row.
    Cut(String),
}

/// Takes in the rows of one export and hands on what they are.
pub struct Sink<'a, 'e> {
    /// What is known beforehand.
    pub context: &'a Context,
    emit: &'a mut Emit<'e>,
    rows: u64,
    stamped: bool,
    stamp_column: bool,
    seen: BTreeSet<String>,
    damages: u64,
}

impl<'a, 'e> Sink<'a, 'e> {
    pub fn new(context: &'a Context, emit: &'a mut Emit<'e>) -> Self {
        Self {
            context,
            emit,
            rows: 0,
            stamped: false,
            stamp_column: false,
            seen: BTreeSet::new(),
            damages: 0,
        }
    }

    /// Starts the next row.
    pub fn begin(&mut self) -> Draft {
        self.rows += 1;
        Draft::new(self.rows, self.context)
    }

    /// Rows so far.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Notes a property that was there, for the day on which the stamp is not among them.
    pub fn saw_property(&mut self, property: &Property) {
        if self.context.stamp_option.is_some() && self.seen.len() < MAX_SEEN {
            self.seen.insert(property.title());
        }
    }

    /// Notes a column that was there.
    pub fn saw_column(&mut self, name: &str) {
        self.stamp_column |= self.context.stamp.is_column(name);
        if self.seen.len() < MAX_SEEN {
            self.seen.insert(super::value::cut(name.trim(), 128).to_owned());
        }
    }

    /// Hands a complete row on.
    pub fn finish(&mut self, draft: Draft) -> ControlFlow<()> {
        self.stamped |= draft.stamp().is_some();
        match draft.finish() {
            Some(message) => (self.emit)(Record::Message(Box::new(message))),
            None => (self.emit)(Record::Passed),
        }
    }

    /// Reports trouble with the current row; after a thousand only the number is kept.
    pub fn trouble(&mut self, kind: DamageKind, what: impl Into<String>, hint: &str) -> ControlFlow<()> {
        self.damages += 1;
        if self.damages > MAX_DAMAGES {
            return ControlFlow::Continue(());
        }
        let locus = match self.rows {
            0 => Locus::whole(self.context.file.clone()),
            row => Locus::row(self.context.file.clone(), row),
        };
        (self.emit)(Record::Damage(Damage::new(kind, locus, what, hint)))
    }

    /// Says what only the end can tell: it came too early, rows are missing, the stamp was nowhere.
    pub fn close(&mut self, ending: &Ending) -> ControlFlow<()> {
        if self.damages > MAX_DAMAGES {
            let what =
                format!("{} more damaged rows are not reported one by one", self.damages - MAX_DAMAGES);
            self.at_end(DamageKind::Malformed, what, String::new())?;
        }
        match ending {
            Ending::Cut(what) => {
                let hint = "export it again; what stood before this place was read";
                self.trouble(DamageKind::Truncated, what, hint)?;
            }
            Ending::Whole => self.count_rows()?,
        }
        self.look_for_stamp()
    }

    fn count_rows(&mut self) -> ControlFlow<()> {
        let Some((expected, said_by)) = &self.context.expected else { return ControlFlow::Continue(()) };
        if self.rows >= *expected {
            return ControlFlow::Continue(());
        }
        let what = format!("{said_by} states {expected} messages, the export holds {}", self.rows);
        let hint = "export it again if the messages are still there: the export may be incomplete, or taken at another time";
        self.at_end(DamageKind::Truncated, what, hint.into())
    }

    fn look_for_stamp(&mut self) -> ControlFlow<()> {
        let Some(name) = self.context.stamp_option.as_deref().filter(|_| !self.stamped) else {
            return ControlFlow::Continue(());
        };
        if self.rows == 0 && self.seen.is_empty() {
            return ControlFlow::Continue(());
        }
        let what = if self.stamp_column {
            format!("the column `{name}` that `--stamp` names is empty in every row")
        } else {
            format!("no row has the column `{name}` that `--stamp` names")
        };
        let names: Vec<_> = self.seen.iter().map(String::as_str).collect();
        let hint = format!("name one of those that are there: {}", names.join(", "));
        self.at_end(DamageKind::Malformed, what, hint)
    }

    fn at_end(&mut self, kind: DamageKind, what: String, hint: String) -> ControlFlow<()> {
        let locus = Locus::whole(self.context.file.clone());
        (self.emit)(Record::Damage(Damage::new(kind, locus, what, hint)))
    }
}
