//! `table`: the verdict, the worst findings, and what to do. The one door to comfy-table.

use super::closing::Closing;
use super::{Report, ReportOptions, escape, place, verdict};
use crate::evidence::{Confidence, format_duration};
use crate::findings::{Class, Finding, Summary};
use anstyle::{AnsiColor, Style};
use comfy_table::{Cell, CellAlignment, Color, ColumnConstraint, ContentArrangement, Width};
use std::io::{self, Write};
use unicode_width::UnicodeWidthStr as _;

/// Rows of the first screen.
const SCREEN: usize = 40;
/// Columns where there is no terminal to ask.
const USUAL_WIDTH: usize = 100;
/// What a table needs at least; a narrower terminal wraps it.
const LEAST_WIDTH: usize = 60;
/// Spaces between two columns of the table.
const GAP: u16 = 2;
/// What sender and recipients get at least.
const LEAST_ROOM: usize = 12;
/// Columns that a rule or an ID may take; those of ghostq are shorter.
const LONGEST_NAME: usize = 40;
/// What the columns take at least, so that they seldom move from one page to the next.
const LEAST_WIDTHS: [usize; 5] = [7, 4, 7, 7, 2];
const HEADER: [&str; 5] = ["CLASS", "RULE", "AGE", "SIZE", "ID"];
const WHO: &str = "SENDER → RECIPIENTS";
const ARROW: &str = " → ";

/// Labels of instances beyond this are too long for a line that has more to say.
const LONGEST_LABEL: usize = 20;

/// A table for people.
pub struct Table {
    width: usize,
    colour: bool,
    all: bool,
    page: Vec<Row>,
    widths: [usize; 5],
    begun: bool,
    shown: u64,
    more: u64,
    closing: Closing,
}

/// What is kept of a finding until its page is laid out.
struct Row {
    class: Class,
    cells: [String; 5],
    sender: String,
    recipient: String,
    more: String,
    /// Shown where neither a sender nor a recipient is known.
    subject: Option<String>,
    why: String,
}

impl Row {
    /// Sender and recipients in so many columns; the shorter of the two leaves what it does not need to the other.
    fn who(&self, room: usize) -> String {
        if let Some(subject) = &self.subject {
            return escape::clip(&format!("“{subject}”"), room);
        }
        let room = room.saturating_sub(ARROW.width() + self.more.width());
        let of_sender = room.saturating_sub(self.recipient.width()).max(room / 2);
        let sender = escape::clip(&self.sender, of_sender);
        let recipient = escape::clip(&self.recipient, room.saturating_sub(sender.width()));
        format!("{sender}{ARROW}{recipient}{}", self.more)
    }
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
            widths: LEAST_WIDTHS,
            begun: false,
            shown: 0,
            more: 0,
            closing: Closing::default(),
        })
    }

    /// Prints the rows that wait. Later pages keep at least the columns of the first one.
    fn write_page(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if self.page.is_empty() {
            return Ok(());
        }
        for row in &self.page {
            for (width, cell) in self.widths.iter_mut().zip(&row.cells) {
                *width = cell.width().max(*width);
            }
        }
        let grid = self.grid();
        let mut lines = grid.lines();
        if let Some(header) = lines.next()
            && !self.begun
        {
            writeln!(out, "\n{}", header.trim_end())?;
        }
        for (row, line) in self.page.iter().zip(lines) {
            writeln!(out, "{}\n{}", line.trim_end(), row.why)?;
        }
        self.page.clear();
        self.begun = true;
        Ok(())
    }

    fn grid(&self) -> comfy_table::Table {
        let mut grid = comfy_table::Table::new();
        grid.load_style(comfy_table::presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
        grid.force_no_tty();
        if self.colour {
            grid.enforce_styling();
        }
        let taken: usize = self.widths.iter().map(|width| width + usize::from(GAP)).sum();
        let room = self.width.saturating_sub(taken).max(LEAST_ROOM);
        grid.set_header(HEADER.map(str::to_owned).into_iter().chain([escape::clip(WHO, room)]));
        for row in &self.page {
            let cells = row.cells.iter().enumerate().map(|(column, cell)| match column {
                0 => Cell::new(cell).fg(colour_of(row.class)),
                _ => Cell::new(cell),
            });
            grid.add_row(cells.chain([Cell::new(row.who(room))]));
        }
        for (index, column) in grid.column_iter_mut().enumerate() {
            column.set_padding((0, 0));
            if let Some(width) = self.widths.get(index).and_then(|width| u16::try_from(*width).ok()) {
                column.set_padding((0, GAP));
                column.set_constraint(ColumnConstraint::Absolute(Width::Fixed(width + GAP)));
            }
            if matches!(index, 2 | 3) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        grid
    }

    fn row(&self, finding: &Finding, summary: &Summary) -> Row {
        let message = &finding.message;
        let age = finding.age(summary.as_of).map_or("unknown".to_owned(), format_duration);
        let size = message.size.map_or("unknown".to_owned(), place::size_in_words);
        let class = place::name_of(finding.class);
        let (sender, recipient) = (place::sender_in_words(message), place::recipient_in_words(message));
        let nobody = sender.bytes() == b"?" && recipient.bytes() == b"?";
        let rule = escape::clip(finding.rule(), LONGEST_NAME);
        let id = escape::clip(&place::id_in_words(finding), LONGEST_NAME);
        Row {
            class: finding.class,
            cells: [class, rule, age, size, id],
            sender: escape::clip(&sender, self.width),
            recipient: escape::clip(&recipient, self.width),
            subject: message.header("Subject").filter(|_| nobody).map(|s| escape::clip(s, self.width)),
            more: place::more_recipients_in_words(message),
            why: self.why(finding, summary),
        }
    }

    /// The second line of a row: `certain: the file name … (deferred/7ABC)`. The reason leads, the place gives way.
    fn why(&self, finding: &Finding, summary: &Summary) -> String {
        let confidence = match finding.confidence {
            Confidence::Certain => "certain: ",
            Confidence::Likely => "likely: ",
            Confidence::Possible => "possible: ",
        };
        let mut words = Vec::new();
        if summary.instances.len() > 1 {
            let label =
                place::instance_names(summary, finding.message.instance).map_or("", |(_, label)| label);
            let label = if label.width() <= LONGEST_LABEL { label } else { finding.message.queue.as_str() };
            words.extend_from_slice(label.as_bytes());
            words.extend_from_slice(b": ");
        }
        words.extend_from_slice(place::in_words(&finding.message.place).bytes());
        let place = format!(" ({})", escape::clip(words.as_slice(), self.width / 2));
        let room = self.width.saturating_sub(4 + confidence.len() + place.width());
        let why = finding.opinions.first().map_or("", |opinion| &opinion.why);
        format!("    {confidence}{}{place}", escape::clip(why, room))
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
