//! `csv`: one finding a row, RFC 4180 with CRLF and a fixed header.

use super::{Report, ReportOptions, escape, place};
use crate::evidence::{RecipientState, Text, Time, TimeKind};
use crate::findings::{Finding, Summary};
use std::io::{self, Write};

/// What separates several values in one cell.
const SEPARATOR: &[u8] = b"; ";

/// The columns, in their order: name, and what it holds. New columns come last.
///
/// An empty cell is an unknown value, never a zero. Several values in one cell are separated by `; `. Times are RFC 3339
/// in UTC. In cells that hold text, characters that are not seen are shown as `\x1b` or `\u{202e}`, and what a
/// spreadsheet would run is made harmless by a leading `'`; `--csv-raw` leaves both as they were found.
pub const COLUMNS: &[(&str, &str)] = &[
    ("class", "how bad it is: blocker, ghost, stuck or note"),
    ("rule", "the leading rule"),
    ("rules", "all rules that spoke, the leading one first"),
    ("confidence", "how far the evidence carries: certain, likely or possible"),
    ("visibility", "whether the listing shows it: hidden, listed or unknown"),
    ("source", "the kind of mail system or export"),
    ("instance", "which one of them"),
    ("queue", "the queue or folder"),
    ("native_id", "the mail system's own ID"),
    ("message_id", "the Message-ID"),
    ("sender", "the envelope sender; `<>` is the null sender"),
    ("recipients", "the envelope recipients that are not done"),
    ("recipient_count", "how many recipients there are, done or not"),
    ("subject", "the Subject"),
    ("size_bytes", "the size in bytes as the source states it"),
    ("arrived", "when it came in, by the best evidence there is"),
    ("age_seconds", "how long before as_of that was"),
    ("next_attempt", "when it will next be tried"),
    ("place", "where the message lies"),
    ("locus", "where the first fact of the leading rule can be checked"),
    ("why", "the reason, in one sentence"),
    ("next", "what the mail system will do with it"),
    ("remedy", "the first thing that can be done"),
    ("finding_id", "the ID that `ghostq show` takes"),
    ("scan_id", "the scan"),
    ("host", "the host on which it ran"),
    ("as_of", "the clock by which it judged"),
];

/// One finding a row.
pub struct Csv {
    columns: Vec<&'static str>,
    raw: bool,
}

impl Csv {
    /// The format with these options.
    ///
    /// # Errors
    /// When a column is asked for that there is not.
    pub fn new(options: &ReportOptions) -> anyhow::Result<Self> {
        let known: Vec<&str> = COLUMNS.iter().map(|(name, _)| *name).collect();
        super::check_fields(options, &known)?;
        let columns = match &options.fields {
            Some(fields) => {
                fields.iter().filter_map(|f| known.iter().copied().find(|name| name == f)).collect()
            }
            None => known,
        };
        Ok(Self { columns, raw: options.csv_raw })
    }

    fn write_row<'a>(
        cells: impl Iterator<Item = std::borrow::Cow<'a, [u8]>>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        // A writer of the csv crate flushes what it writes to; the row goes to `out` by itself, which may be buffered.
        let mut builder = ::csv::WriterBuilder::new();
        let mut row =
            builder.terminator(::csv::Terminator::CRLF).buffer_capacity(1024).from_writer(Vec::new());
        for cell in cells {
            row.write_field(cell)?;
        }
        row.write_record(None::<&[u8]>)?;
        out.write_all(&row.into_inner().map_err(|error| io::Error::other(error.to_string()))?)
    }

    fn cell(&self, cell: Cell) -> Vec<u8> {
        let texts = match cell {
            Cell::Ours(text) => return text.into_bytes(),
            Cell::Theirs(texts) => texts,
        };
        let joined = texts.iter().map(Text::bytes).collect::<Vec<_>>().join(SEPARATOR);
        if self.raw { joined } else { escape::for_csv_cell(joined.as_slice()).into_bytes() }
    }
}

impl Report for Csv {
    fn begin(&mut self, _summary: &Summary, out: &mut dyn Write) -> io::Result<()> {
        Self::write_row(self.columns.iter().map(|name| name.as_bytes().into()), out)
    }

    fn finding(&mut self, finding: &Finding, summary: &Summary, out: &mut dyn Write) -> io::Result<()> {
        let cells = self.columns.iter().map(|name| self.cell(cell_of(name, finding, summary)).into());
        Self::write_row(cells, out)
    }

    fn end(&mut self, _summary: &Summary, _out: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }
}

/// What a cell is made of.
enum Cell {
    /// A number, a time or a name that ghostq made: a `-5` here is a number, not a formula.
    Ours(String),
    /// Texts of others.
    Theirs(Vec<Text>),
}

impl Cell {
    fn number(number: Option<impl ToString>) -> Self {
        Self::Ours(number.map(|number| number.to_string()).unwrap_or_default())
    }

    fn time(time: Option<Time>) -> Self {
        Self::Ours(time.map(Time::rfc3339).unwrap_or_default())
    }

    fn name(name: impl serde::Serialize) -> Self {
        Self::Ours(place::name_of(name))
    }

    fn text(text: Option<&Text>) -> Self {
        Self::Theirs(text.into_iter().cloned().collect())
    }

    fn words(words: Option<&str>) -> Self {
        Self::Theirs(words.into_iter().map(Text::from).collect())
    }
}

fn cell_of(column: &str, finding: &Finding, summary: &Summary) -> Cell {
    let message = &finding.message;
    match column {
        "class" => Cell::name(finding.class),
        "confidence" => Cell::name(finding.confidence),
        "visibility" => Cell::name(finding.visibility),
        "recipient_count" => Cell::number(place::recipient_count(message)),
        "size_bytes" => Cell::number(message.size),
        "arrived" => Cell::time(message.arrived()),
        "age_seconds" => Cell::number(finding.age(summary.as_of)),
        "next_attempt" => Cell::time(message.time(TimeKind::NextAttempt)),
        "as_of" => Cell::time(Some(summary.as_of)),
        "native_id" => Cell::text(message.ids.native.as_ref()),
        "message_id" => Cell::text(message.ids.message_id.as_ref()),
        "sender" => match &message.envelope.sender {
            Some(null) if null.is_empty() => Cell::words(Some("<>")),
            sender => Cell::text(sender.as_ref()),
        },
        "recipients" => Cell::Theirs(
            message
                .envelope
                .recipients
                .iter()
                .filter(|recipient| recipient.state != RecipientState::Done)
                .map(|recipient| recipient.address.clone())
                .collect(),
        ),
        "subject" => Cell::text(message.header("Subject")),
        "place" => Cell::text(Some(&place::in_words(&message.place))),
        _ => judgement_of(column, finding, summary),
    }
}

fn judgement_of(column: &str, finding: &Finding, summary: &Summary) -> Cell {
    let leading = finding.opinions.first();
    let outlook = finding.outlook.first();
    let names = place::instance_names(summary, finding.message.instance);
    match column {
        "rule" => Cell::words(leading.map(|opinion| opinion.rule.as_str())),
        "rules" => Cell::Theirs(finding.opinions.iter().map(|o| Text::from(o.rule.as_str())).collect()),
        "source" => Cell::words(names.map(|(source, _)| source)),
        "instance" => Cell::words(names.map(|(_, label)| label)),
        "queue" => Cell::words(Some(&finding.message.queue)),
        "locus" => {
            let fact = leading.and_then(|opinion| opinion.facts.first());
            Cell::text(fact.map(|fact| place::in_words(&fact.locus)).as_ref())
        }
        "why" => Cell::words(leading.map(|opinion| opinion.why.as_str())),
        "next" => Cell::words(outlook.map(|outlook| outlook.next.as_str())),
        "remedy" => Cell::words(outlook.and_then(|outlook| outlook.remedies.first()).map(|advice| {
            if advice.command.is_empty() { advice.what.as_str() } else { advice.command.as_str() }
        })),
        "finding_id" => Cell::words(Some(&finding.id)),
        "scan_id" => Cell::words(Some(&summary.scan_id)),
        "host" => Cell::words(Some(&summary.host)),
        _ => Cell::Ours(String::new()),
    }
}
