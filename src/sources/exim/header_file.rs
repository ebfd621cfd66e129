//! An envelope file, `ID-H`, read as Exim reads it: line by line, up to the first thing that is not as it should be.
//!
//! Source: Exim `spool_in.c`, `spool_read_header`; `spool_out.c`, `spool_write_header`.

use super::cursor::{Cursor, Line};
use super::done::Done;
use super::options::{self, Options};
use super::recipient;
use crate::evidence::{Attribute, Confidence, Text, Time};
use crate::sources::Fault;
use std::io::{self, Read};

/// Recipients that Exim's reader accepts ("arbitrary sanity check").
const MAX_READ_RECIPIENTS: u64 = 16_384;
/// Recipients that are kept; all are counted.
const MAX_RECIPIENTS: usize = 1_000;
/// Header text that is kept.
const MAX_HEADER_BYTES: usize = 64 << 10;

/// What was read of an envelope file.
#[derive(Debug, Default)]
pub struct HeaderFile {
    /// Whose process wrote it: login, user ID and group ID as they stand.
    pub login: Option<Text>,
    /// The envelope sender without angle brackets.
    pub sender: Option<Text>,
    /// When the message was received, and the text of that.
    pub received: Option<(Time, Text)>,
    /// What the optional lines say.
    pub options: Options,
    /// Addresses that need no delivery any more.
    pub done: Done,
    /// The recipients that are kept.
    pub recipients: Vec<Text>,
    /// Original recipients and addresses for errors, as attributes.
    pub marks: Vec<Attribute>,
    /// Recipients that the file states.
    pub stated: Option<u64>,
    /// Recipients that were read.
    pub read: u64,
    /// Bytes of the header that would be sent.
    pub header_size: u64,
    /// The start of that header.
    pub header: Vec<u8>,
    /// Whether the envelope was read to its end.
    pub envelope_whole: bool,
    /// Whether the header was read to its end.
    pub header_whole: bool,
    /// The first thing that is not as Exim writes it.
    pub fault: Option<Fault>,
}

/// Hears of all that is read, where a [`HeaderFile`] keeps only so much of it.
pub trait Listen {
    /// An address that needs no delivery any more.
    fn done(&mut self, _address: &[u8]) {}

    /// A recipient.
    fn recipient(&mut self, _line: &recipient::Line<'_>) {}

    /// A piece of a header field that would be sent; `wire`: the body has the line ends of SMTP.
    ///
    /// # Errors
    /// Reading ends with the error.
    fn field(&mut self, _piece: &[u8], _wire: bool) -> io::Result<()> {
        Ok(())
    }
}

/// Hears nothing.
struct Deaf;

impl Listen for Deaf {}

/// Why reading stops.
enum Stop {
    /// The file is not as Exim writes it.
    Fault(Fault),
    /// The system refuses.
    Io(io::Error),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Reads an envelope file of so many bytes whose name is that of this ID.
///
/// # Errors
/// When the file cannot be read.
pub fn read(input: impl Read, size: u64, id: &[u8]) -> io::Result<HeaderFile> {
    follow(Cursor::sized(input, size), id, &mut Deaf)
}

/// The same, while somebody listens.
///
/// # Errors
/// When the file cannot be read, or the listener fails.
pub fn listen(input: impl Read, id: &[u8], listener: &mut dyn Listen) -> io::Result<HeaderFile> {
    follow(Cursor::new(input), id, listener)
}

fn follow(cursor: Cursor<impl Read>, id: &[u8], listener: &mut dyn Listen) -> io::Result<HeaderFile> {
    let mut reader = Reader { cursor, listener, file: HeaderFile::default(), begun: 0 };
    match reader.all(id) {
        Ok(()) => {}
        Err(Stop::Fault(fault)) => {
            // The first fault is the one that Exim stops at.
            reader.file.fault.get_or_insert(fault);
        }
        Err(Stop::Io(error)) => return Err(error),
    }
    Ok(reader.file)
}

struct Reader<'l, R> {
    cursor: Cursor<R>,
    listener: &'l mut dyn Listen,
    file: HeaderFile,
    /// Where what is being read begins.
    begun: u64,
}

impl<R: Read> Reader<'_, R> {
    fn all(&mut self, id: &[u8]) -> Result<(), Stop> {
        self.identity(id)?;
        self.origin()?;
        let after = self.optional_lines()?;
        self.tree(after)?;
        self.recipients()?;
        self.file.envelope_whole = true;
        self.headers()
    }

    fn fault<T>(&self, text: impl Into<String>) -> Result<T, Stop> {
        let (start, end) = (self.begun, self.cursor.at());
        Err(Stop::Fault(Fault { start, end, text: text.into(), confidence: Confidence::Certain }))
    }

    fn line(&mut self, what: &str) -> Result<Vec<u8>, Stop> {
        self.begun = self.cursor.at();
        match self.cursor.line()? {
            Line::Whole(line) => Ok(line),
            Line::Cut(line) if line.is_empty() => self.fault(format!("expected {what}, and the file ends")),
            Line::Cut(_) => self.fault(format!("the file ends within {what}")),
            Line::TooLong => self.fault(format!("{what} is longer than Exim reads")),
        }
    }

    /// The first line is the name of the file.
    fn identity(&mut self, id: &[u8]) -> Result<(), Stop> {
        let line = self.line("the first line, which is the name of the file,")?;
        if line.strip_suffix(b"-H") == Some(id) {
            self.cursor.give_back(line);
            return Ok(());
        }
        let expected = format!("{}-H", String::from_utf8_lossy(id));
        match line.strip_suffix(b"-H").filter(|id| super::message_id::decode(id).is_some()) {
            Some(other) => self.fault(format!(
                "expected the name of the file, `{expected}`, on its first line, found `{}-H`: it is of another message",
                String::from_utf8_lossy(other)
            )),
            None => self.fault(format!(
                "expected the name of the file, `{expected}`, on its first line, found other bytes"
            )),
        }
    }

    /// Who wrote it, the sender, and when it was received.
    fn origin(&mut self) -> Result<(), Stop> {
        let line = self.line("login, user and group")?;
        let mut words = line.trim_ascii_end().rsplitn(3, |byte| *byte == b' ');
        let (group, user, login) = (words.next(), words.next(), words.next());
        let is_number = |word: Option<&[u8]>| {
            word.and_then(|word| std::str::from_utf8(word).ok())
                .is_some_and(|word| word.parse::<i64>().is_ok())
        };
        if !is_number(group) || !is_number(user) || login.is_none() {
            return self.fault("expected login, user ID and group ID");
        }
        self.file.login = Some(Text::new(&line));
        self.cursor.give_back(line);

        let line = self.line("the sender")?;
        match line.strip_prefix(b"<").and_then(|rest| rest.strip_suffix(b">")) {
            Some(sender) => self.file.sender = Some(Text::new(sender)),
            None => return self.fault("expected the sender in angle brackets"),
        }
        self.cursor.give_back(line);

        let line = self.line("the time of reception")?;
        let numbers = options::leading_number(&line)
            .and_then(|(seconds, rest)| Some((seconds, options::leading_number(rest)?.0)));
        match numbers {
            Some((seconds, _warnings)) => {
                self.file.received = Some((Time::from_unix(seconds), Text::new(&line)));
                self.cursor.give_back(line);
                Ok(())
            }
            None => self.fault("expected the time of reception and the number of warnings"),
        }
    }

    /// The lines that begin with `-`; gives back the first that does not.
    fn optional_lines(&mut self) -> Result<Vec<u8>, Stop> {
        loop {
            let line = self.line("a line of the envelope")?;
            if line.first() != Some(&b'-') {
                return Ok(line);
            }
            match options::parse(&line) {
                Err(text) => return self.fault(text),
                Ok(options::Parsed::Value { name, value, length }) => {
                    let taken = self.cursor.counted(length.saturating_add(1), &mut |_| Ok(()))?;
                    if taken.count < length {
                        let text = format!(
                            "the ACL variable `{}` is said to be {length} bytes long, and the file ends after {}",
                            String::from_utf8_lossy(value),
                            taken.count
                        );
                        return self.fault(text);
                    }
                    self.file.options.count(name);
                }
                Ok(options::Parsed::Option { name, value }) => {
                    if let Err(text) = self.file.options.take(name, value) {
                        return self.fault(text);
                    }
                    if name == b"received_time_usec" {
                        self.add_fraction(value);
                    }
                }
            }
            self.cursor.give_back(line);
        }
    }

    fn add_fraction(&mut self, value: &[u8]) {
        let micros = value.strip_prefix(b".").and_then(options::leading_number).map(|(micros, _)| micros);
        if let (Some(micros), Some((time, text))) = (micros, &mut self.file.received)
            && let Ok(micros) = u32::try_from(micros)
        {
            *time = Time::new(time.seconds, micros.saturating_mul(1_000));
            *text = format!("{} .{micros:06}", text.lossy()).into();
        }
    }

    /// The tree of addresses that need no delivery any more: `XX`, or nodes in pre-order, each with two letters that say
    /// whether it has a left and a right branch (`read_nonrecipients_tree`).
    fn tree(&mut self, first: Vec<u8>) -> Result<(), Stop> {
        if first == b"XX" {
            self.cursor.give_back(first);
            return Ok(());
        }
        let mut line = first;
        let mut open: u64 = 1;
        loop {
            let Some(address) = line.get(3..).filter(|_| line.len() >= 4) else {
                return self.fault("expected `XX`, or `YN ADDRESS` for an address that is done");
            };
            self.file.done.add(address);
            self.listener.done(address);
            open = open - 1 + line.iter().take(2).filter(|letter| **letter == b'Y').count() as u64;
            if open == 0 {
                return Ok(());
            }
            line = self.line("another address that is done")?;
        }
    }

    fn recipients(&mut self) -> Result<(), Stop> {
        let line = self.line("the number of recipients")?;
        let Some(count) = options::leading_number(&line).and_then(|(count, _)| u64::try_from(count).ok())
        else {
            return self.fault("expected the number of recipients");
        };
        self.file.stated = Some(count);
        if count > MAX_READ_RECIPIENTS {
            self.file.fault = Some(Fault {
                start: self.begun,
                end: self.cursor.at(),
                text: format!(
                    "it has {count} recipients, and Exim's reader accepts no more than {MAX_READ_RECIPIENTS}"
                ),
                confidence: Confidence::Certain,
            });
        }
        for _ in 0..count {
            let line = self.line("a recipient")?;
            let Some(recipient) = recipient::parse(&line) else {
                return self.fault("expected a recipient, found an empty line");
            };
            self.file.read += 1;
            self.listener.recipient(&recipient);
            if self.file.recipients.len() < MAX_RECIPIENTS {
                self.file.recipients.push(Text::new(recipient.address));
                let mut mark = |name: &'static str, value: Option<&[u8]>| {
                    self.file.marks.extend(value.map(|value| (name.into(), Text::new(value))));
                };
                mark("orcpt", recipient.original);
                mark("errors_to", recipient.errors_to);
            }
            self.cursor.give_back(line);
        }
        Ok(())
    }

    /// The header: each field with its length before it, so that a lost byte shows.
    fn headers(&mut self) -> Result<(), Stop> {
        if !self.line("an empty line before the header")?.is_empty() {
            return self.fault("expected an empty line before the header");
        }
        self.file.header.reserve(self.cursor.at_hand());
        let mut fields = 0_u64;
        while let Some(first) = self.cursor.peek()? {
            self.begun = self.cursor.at();
            if !first.is_ascii_digit() {
                return self.fault("expected the length of a header field");
            }
            let (length, kind) = self.field_start()?;
            let wire = self.file.options.wire_format;
            let (listener, header) = (&mut self.listener, &mut self.file.header);
            let begun = header.len();
            let field = self.cursor.counted(length, &mut |piece| {
                if kind == b'*' {
                    return Ok(());
                }
                let room = MAX_HEADER_BYTES.saturating_sub(header.len()).min(piece.len());
                header.extend_from_slice(piece.get(..room).unwrap_or_default());
                listener.field(piece, wire)
            })?;
            if field.count < length || field.has_nul {
                header.truncate(begun);
            }
            if field.count < length {
                let text = format!(
                    "a header field has {length} bytes, but the file ends after {} of them",
                    field.count
                );
                return self.fault(text);
            }
            if field.has_nul {
                return self.fault("there is a NUL in a header field");
            }
            if kind != b'*' {
                self.file.header_size = self.file.header_size.saturating_add(length);
            }
            fields += 1;
        }
        self.file.header_whole = fields > 0;
        if fields == 0 {
            let at = self.cursor.at();
            let text =
                "there is no header: Exim puts a Received line on every message unless it is told not to";
            self.file.fault.get_or_insert(Fault {
                start: at,
                end: at,
                text: text.into(),
                confidence: Confidence::Possible,
            });
        }
        Ok(())
    }

    /// `%03d%c `: length, letter, space.
    fn field_start(&mut self) -> Result<(u64, u8), Stop> {
        let mut length = 0_u64;
        loop {
            let Some(byte) = self.cursor.byte()? else {
                return self.fault("the file ends within the length of a header field");
            };
            if byte.is_ascii_digit() {
                length = length.saturating_mul(10).saturating_add(u64::from(byte - b'0'));
                continue;
            }
            if self.cursor.peek()? == Some(b' ') {
                self.cursor.byte()?;
            }
            return Ok((length, byte));
        }
    }
}
