//! What the elements of an MFCMAPI export mean: rows, messages, recipients.

use super::build::{Draft, RecipientDraft};
use super::dialect::Shape;
use super::export::{Ending, Sink};
use super::scanner::{Event, Scanner, attribute};
use crate::evidence::DamageKind;
use crate::read::lines::{Lines, decode_single_byte};
use std::io;
use std::ops::ControlFlow;

/// Reads an export from its first line to its last.
///
/// # Errors
/// When the file cannot be read.
pub fn read(lines: &mut Lines, shape: Shape, sink: &mut Sink<'_, '_>) -> io::Result<ControlFlow<()>> {
    let mut scanner = Scanner::default();
    let encoding = sink.context.encoding;
    let mut rows =
        Rows { shape, sink, draft: None, recipient: None, attachments: false, closed: false, declared: None };
    while let Some(line) = lines.next_line()? {
        let cut = line.cut > 0;
        let text = String::from_utf8(line.bytes)
            .unwrap_or_else(|error| decode_single_byte(error.as_bytes(), encoding));
        if scanner.line(&text, cut, &mut |event| rows.take(event)).is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(rows.end(scanner.is_within()))
}

struct Rows<'r, 'a, 'e> {
    shape: Shape,
    sink: &'r mut Sink<'a, 'e>,
    draft: Option<Draft>,
    recipient: Option<RecipientDraft>,
    attachments: bool,
    closed: bool,
    declared: Option<u64>,
}

impl Rows<'_, '_, '_> {
    fn take(&mut self, event: Event<'_>) -> ControlFlow<()> {
        match event {
            Event::Open(element, line) => self.open(element, line),
            Event::Close(element) => self.close(element),
            Event::Property(property) => {
                self.sink.saw_property(&property);
                if let Some(recipient) = &mut self.recipient {
                    recipient.property(&property, self.sink.context);
                } else if let Some(draft) = self.draft.as_mut().filter(|_| !self.attachments) {
                    draft.property(&property, self.sink.context);
                }
                ControlFlow::Continue(())
            }
            Event::Broken(what) => {
                let row = self.draft.as_ref().map_or_else(|| "a row".to_owned(), Draft::describe);
                self.sink.trouble(
                    DamageKind::Malformed,
                    format!("{what} in {row}"),
                    "look at the row by hand",
                )
            }
        }
    }

    fn open(&mut self, element: &str, line: &str) -> ControlFlow<()> {
        match element {
            "recipient" => self.recipient = Some(RecipientDraft::default()),
            "attachments" => self.attachments = true,
            _ if element == self.shape.item() => return self.begin(element),
            _ if element == self.shape.root() => {
                self.closed = false;
                let count = attribute(line, "messagecount").and_then(|count| count.strip_prefix("0x"));
                self.declared = count.and_then(|digits| u64::from_str_radix(digits, 16).ok());
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn begin(&mut self, element: &str) -> ControlFlow<()> {
        if self.shape.is_single() {
            // `<properties>` comes again within a message file; only the first element of a file begins the message.
            if self.draft.is_none() && !self.closed {
                self.draft = Some(self.sink.begin());
            }
            return ControlFlow::Continue(());
        }
        if let Some(draft) = self.draft.take() {
            let what = format!("{} is not closed by `</{element}>`", draft.describe());
            self.sink.trouble(DamageKind::Malformed, what, "look at the row by hand")?;
            self.sink.finish(draft)?;
        }
        self.draft = Some(self.sink.begin());
        ControlFlow::Continue(())
    }

    fn close(&mut self, element: &str) -> ControlFlow<()> {
        match element {
            "recipient" => {
                if let (Some(recipient), Some(draft)) = (self.recipient.take(), &mut self.draft) {
                    draft.recipient(recipient);
                }
            }
            "attachments" => self.attachments = false,
            _ if element == self.shape.item() => {
                self.recipient = None;
                self.attachments = false;
                self.closed |= self.shape.is_single();
                if let Some(draft) = self.draft.take() {
                    return self.sink.finish(draft);
                }
            }
            _ if element == self.shape.root() => self.closed = true,
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn end(mut self, within: bool) -> ControlFlow<()> {
        let ending = match self.draft.take() {
            Some(draft) => {
                let what =
                    format!("the export ends within {}, before `</{}>`", draft.describe(), self.shape.item());
                // The one message of a file is worth having without its end; a row of a table is incomplete.
                if self.shape.is_single() && draft.has_anything() {
                    self.sink.finish(draft)?;
                }
                Ending::Cut(what)
            }
            None if !self.closed || within => Ending::Cut(format!(
                "the export ends after row {} without `</{}>`",
                self.sink.rows(),
                self.shape.root()
            )),
            None => Ending::Whole,
        };
        if let (Ending::Whole, Some(declared)) =
            (&ending, self.declared.filter(|count| *count > self.sink.rows()))
        {
            let what = format!("its first line states {declared} messages, it holds {}", self.sink.rows());
            self.sink.trouble(
                DamageKind::Truncated,
                what,
                "export it again: the export may be incomplete",
            )?;
        }
        self.sink.close(&ending)
    }
}
