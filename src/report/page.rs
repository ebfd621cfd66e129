//! A page of text for people: headings, and values with their names.

use super::{ReportOptions, escape, place, table};
use crate::evidence::{Fact, Text};
use std::io::{self, Write};

/// Columns that one value may take: a subject of a megabyte is no help to anybody.
pub const LONGEST: usize = 2_000;
/// Values of one kind that are shown unless all are asked for.
const MOST: usize = 100;
/// Columns of the names in front of the values.
const NAMES: usize = 15;

/// The paper: headings, and values with their names.
pub struct Page<'a> {
    options: &'a ReportOptions,
    out: &'a mut dyn Write,
}

impl<'a> Page<'a> {
    /// An empty page.
    pub fn new(options: &'a ReportOptions, out: &'a mut dyn Write) -> Self {
        Self { options, out }
    }

    /// The first line.
    pub fn title(&mut self, title: &str) -> io::Result<()> {
        writeln!(self.out, "{}", table::strong(title, self.options.colour))
    }

    /// Starts a section that must not be missed.
    pub fn warning(&mut self, heading: &str) -> io::Result<()> {
        writeln!(self.out, "\n{}", table::painted(heading, self.options.colour))
    }

    /// Starts a section.
    pub fn heading(&mut self, heading: &str) -> io::Result<()> {
        writeln!(self.out, "\n{}", table::strong(heading, self.options.colour))
    }

    /// A value with its name.
    pub fn value<'v>(&mut self, name: &str, value: impl Into<escape::Raw<'v>>) -> io::Result<()> {
        let (name, value) = (escape::clip(name, LONGEST), escape::clip(value, LONGEST));
        writeln!(self.out, "  {name:<NAMES$} {value}")
    }

    /// A value that may be unknown.
    pub fn optional(&mut self, name: &str, value: Option<&Text>, why_not: &str) -> io::Result<()> {
        match value {
            Some(value) => self.value(name, value),
            None => self.value(name, &format!("unknown ({why_not})")),
        }
    }

    /// A line of text.
    pub fn line<'v>(&mut self, text: impl Into<escape::Raw<'v>>) -> io::Result<()> {
        writeln!(self.out, "  {}", escape::clip(text, LONGEST))
    }

    /// Shows each of these, or the first hundred and how many there are besides.
    pub fn each<T>(
        &mut self,
        values: &[T],
        mut show: impl FnMut(&mut Self, &T) -> io::Result<()>,
    ) -> io::Result<()> {
        let most = if self.options.all { values.len() } else { MOST };
        values.iter().take(most).try_for_each(|value| show(self, value))?;
        match values.len().saturating_sub(most) {
            0 => Ok(()),
            more => self.line(&format!("… and {more} more")),
        }
    }

    /// A fact with its place, below the line it belongs to.
    pub fn fact(&mut self, fact: &Fact) -> io::Result<()> {
        let mut words = fact.text.clone().into_bytes();
        words.extend_from_slice(b" [");
        words.extend_from_slice(place::in_words(&fact.locus).bytes());
        words.extend_from_slice(b"]");
        writeln!(self.out, "    {}", escape::clip(words.as_slice(), LONGEST))
    }
}
