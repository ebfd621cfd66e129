//! `table`: the verdict, the worst findings, and what to do. The one door to comfy-table.

use super::closing::Closing;
use super::{Report, ReportOptions, escape, place, verdict};
use crate::evidence::{Confidence, format_duration};
use crate::findings::{Class, Finding, Summary};
use anstyle::{AnsiColor, Style};
use comfy_table::{Cell, CellAlignment, Color, ColumnConstraint, ContentArrangement, Width};
use std::io::{self, Write};

/// Rows of the first screen.
const SCREEN: usize = 40;
/// Columns where there is no terminal to ask.
const USUAL_WIDTH: usize = 100;
/// What a table needs at least; a narrower terminal wraps it.
const LEAST_WIDTH: usize = 60;
/// Spaces between two columns of the table.
const GAP: u16 = 2;

/// A table for people.
pub struct Table {
    width: usize,
    colour: bool,
    all: bool,
    page: Vec<Row>,
    widths: Vec<u16>,
    shown: u64,
    more: u64,
    closing: Closing,
}

/// What is kept of a finding until its page is laid out.
struct Row {
    class: Class,
    cells: [String; 6],
    why: String,
}

impl Table {
    /// The format with these options.
    ///
    /// # Errors
    /// When fields are asked for: the columns of the table are made for the eye.
    pub fn new(options: &ReportOptions) -> anyhow::Result<Self> {
        if options.fields.is_some() {
            anyhow::bail!("the table has no fields to choose from; use the format csv, json or jsonl");
        }
        Ok(Self {
            width: options.width.unwrap_or_else(terminal_width).max(LEAST_WIDTH),
            colour: options.colour,
            all: options.all,
            page: Vec::new(),
            widths: Vec::new(),
            shown: 0,
            more: 0,
            closing: Closing::default(),
        })
    }

    /// Prints the rows that wait. Later pages keep the columns of the first one.
    fn write_page(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if self.page.is_empty() {
            return Ok(());
        }
        let mut grid = self.grid();
        let first = self.widths.is_empty();
        if first {
            grid.set_header(["CLASS", "RULE", "AGE", "ID", "SENDER → RECIPIENTS", "SIZE"]);
            self.widths = grid.column_max_content_widths();
        }
        let own = grid.column_max_content_widths();
        for ((own, first), column) in own.into_iter().zip(&self.widths).zip(grid.column_iter_mut()) {
            column.set_padding((0, GAP));
            column.set_constraint(ColumnConstraint::Absolute(Width::Fixed(own.max(*first) + GAP)));
        }
        for column in [2, 5] {
            if let Some(column) = grid.column_mut(column) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        let mut lines = grid.lines();
        if first && let Some(header) = lines.next() {
            writeln!(out, "\n{}", header.trim_end())?;
        }
        for (row, line) in self.page.iter().zip(lines) {
            writeln!(out, "{}\n{}", line.trim_end(), row.why)?;
        }
        self.page.clear();
        Ok(())
    }

    fn grid(&self) -> comfy_table::Table {
        let mut grid = comfy_table::Table::new();
        grid.load_style(comfy_table::presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
        grid.force_no_tty();
        if self.colour {
            grid.enforce_styling();
        }
        for row in &self.page {
            let mut cells = row.cells.iter().map(Cell::new).collect::<Vec<_>>();
            if let Some(class) = cells.first_mut() {
                let plain = std::mem::replace(class, Cell::new(""));
                *class = plain.fg(colour_of(row.class));
            }
            grid.add_row(cells);
        }
        grid
    }

    fn row(&self, finding: &Finding, summary: &Summary) -> Row {
        let message = &finding.message;
        let age = finding.age(summary.as_of).map_or("unknown".to_owned(), format_duration);
        let size = message.size.map_or("unknown".to_owned(), place::size_in_words);
        let class = place::name_of(finding.class);
        let rule = escape::clip(finding.rule(), 24);
        let id = escape::clip(&finding.id, 32);
        // What is left of a line once the longest usual values stand in the other columns.
        let room = self.width.saturating_sub(75).max(24);
        let who = escape::clip(&place::sender_and_recipients(message), room);
        Row {
            class: finding.class,
            cells: [class, rule, age, id, who, size],
            why: self.why(finding, summary),
        }
    }

    /// The second line of a row: `certain, deferred/7ABC: the file name …`.
    fn why(&self, finding: &Finding, summary: &Summary) -> String {
        let mut words = match finding.confidence {
            Confidence::Certain => "certain, ",
            Confidence::Likely => "likely, ",
            Confidence::Possible => "possible, ",
        }
        .as_bytes()
        .to_vec();
        if let (true, Some((_, label))) =
            (summary.instances.len() > 1, place::instance_names(summary, finding.message.instance))
        {
            words.extend_from_slice(label.as_bytes());
            words.extend_from_slice(b", ");
        }
        words.extend_from_slice(place::in_words(&finding.message.place).bytes());
        words.extend_from_slice(b": ");
        words.extend_from_slice(finding.opinions.first().map_or("", |opinion| &opinion.why).as_bytes());
        format!("    {}", escape::clip(words.as_slice(), self.width.saturating_sub(4)))
    }
}

impl Report for Table {
    fn begin(&mut self, summary: &Summary, out: &mut dyn Write) -> io::Result<()> {
        verdict(summary).iter().try_for_each(|line| writeln!(out, "{line}"))
    }

    fn finding(&mut self, finding: &Finding, summary: &Summary, out: &mut dyn Write) -> io::Result<()> {
        self.closing.note(finding, summary);
        if !self.all && self.shown >= SCREEN as u64 {
            self.more += 1;
            return Ok(());
        }
        self.shown += 1;
        self.page.push(self.row(finding, summary));
        if self.page.len() >= SCREEN { self.write_page(out) } else { Ok(()) }
    }

    fn end(&mut self, summary: &Summary, out: &mut dyn Write) -> io::Result<()> {
        self.write_page(out)?;
        if self.more > 0 {
            writeln!(out, "… and {} more: `ghostq scan --format csv -o FILE`", self.more)?;
        }
        std::mem::take(&mut self.closing).write(summary, self.colour, out)
    }
}

/// A line that must not be missed.
pub fn painted(line: &str, colour: bool) -> String {
    let style = if colour { Style::new().bold().fg_color(Some(AnsiColor::Red.into())) } else { Style::new() };
    format!("{style}{line}{style:#}")
}

/// A heading.
pub fn strong(line: &str, colour: bool) -> String {
    let style = if colour { Style::new().bold() } else { Style::new() };
    format!("{style}{line}{style:#}")
}

fn colour_of(class: Class) -> Color {
    match class {
        Class::Blocker => Color::Red,
        Class::Ghost => Color::Yellow,
        Class::Stuck => Color::Cyan,
        Class::Note => Color::Grey,
    }
}

fn terminal_width() -> usize {
    let told = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let seen = || comfy_table::Table::new().width().map(usize::from);
    told.or_else(seen).filter(|width| *width > 0).unwrap_or(USUAL_WIDTH)
}
