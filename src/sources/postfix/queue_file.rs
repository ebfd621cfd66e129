//! Reading a queue file as the queue manager reads it: the envelope, a jump over the content, what follows it.
//!
//! Source: Postfix `qmgr/qmgr_message.c` (`qmgr_message_read`), `pickup/pickup.c` (`copy_segment`), `showq/showq.c`
//! (`showq_report`), `global/rec_type.h`.

use super::reading::{Reading, SizeRecord};
use super::records::{Gap, Record, Window};
use crate::evidence::{Confidence, RecipientState, Text, Time};
use std::io;
use std::ops::ControlFlow;

/// `REC_TYPE_ENVELOPE` and `REC_TYPE_EXTRACT`, which the queue manager accepts alike.
const ENVELOPE_KINDS: &[u8] = b"MCTcFILSDRO/WVA>K<ionEPre";
/// `REC_TYPE_CONTENT`.
const CONTENT_KINDS: &[u8] = b"XLNw";
/// Backward jumps that `rec_goto` allows.
const MAX_BACKWARD_JUMPS: u32 = 10_000;
/// Longest address or attribute that is kept.
pub const MAX_VALUE_BYTES: usize = 2 << 10;
/// The content is handed on in pieces of this size.
const PIECE_BYTES: u64 = 32 << 10;

/// Which program will read the file, and so what must be in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// The queue manager.
    QueueManager,
    /// The pickup service, which reads `maildrop`.
    Pickup,
}

impl Reader {
    /// Who reads the files of this queue.
    pub fn of(queue: &str) -> Self {
        if queue == "maildrop" { Self::Pickup } else { Self::QueueManager }
    }
}

/// Hears of all that is read, where a [`Reading`] keeps only so much of it.
pub trait Listen {
    /// A record of the envelope, or of what follows the content. `value` is cut at [`MAX_VALUE_BYTES`].
    fn envelope(&mut self, _record: &Record, _value: &[u8]) {}

    /// Whether it wants to hear of the content.
    fn wants_content(&self) -> bool {
        false
    }

    /// A piece of a line of the content.
    ///
    /// # Errors
    /// Reading ends with the error.
    fn content(&mut self, _piece: &[u8]) -> io::Result<()> {
        Ok(())
    }

    /// The end of a line of the content.
    ///
    /// # Errors
    /// Reading ends with the error.
    fn line_end(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Hears nothing.
struct Deaf;

impl Listen for Deaf {}

/// Reads a queue file. With `deep` the content is read record by record; without, only if the SIZE record does not lead
/// to where the content ends.
///
/// # Errors
/// When the file cannot be read.
pub fn read(window: &mut Window<'_>, reader: Reader, deep: bool) -> io::Result<Reading> {
    walk(window, reader, deep, &mut Deaf)
}

/// Reads a queue file record by record, while somebody listens.
///
/// # Errors
/// When the file cannot be read, or the listener fails.
pub fn listen(window: &mut Window<'_>, reader: Reader, listener: &mut dyn Listen) -> io::Result<Reading> {
    walk(window, reader, true, listener)
}

fn walk(
    window: &mut Window<'_>,
    reader: Reader,
    deep: bool,
    listener: &mut dyn Listen,
) -> io::Result<Reading> {
    let mut walk = Walk {
        window,
        reader,
        deep,
        listener,
        reading: Reading::default(),
        position: 0,
        passed: 0,
        backward_jumps: 0,
        last_jump: 0,
        lost: false,
    };
    while walk.step()?.is_continue() {}
    walk.finish();
    Ok(walk.reading)
}

struct Walk<'w, 'f> {
    window: &'w mut Window<'f>,
    reader: Reader,
    deep: bool,
    listener: &'w mut dyn Listen,
    reading: Reading,
    position: u64,
    /// Bytes of records read so far: more than the file has, and pointer records lead in circles.
    passed: u64,
    backward_jumps: u32,
    last_jump: u64,
    /// Whether the last record was of a type that has no place in an envelope.
    lost: bool,
}

impl Walk<'_, '_> {
    fn step(&mut self) -> io::Result<ControlFlow<()>> {
        let at_content = self.reading.size.and_then(|size| size.content_offset);
        if at_content == Some(self.position) && self.reading.content_end.is_none() {
            return self.cross_content();
        }
        let Some(record) = self.next("an envelope record")? else { return Ok(ControlFlow::Break(())) };
        if record.kind == b'p' {
            return self.jump(&record);
        }
        let lost = !ENVELOPE_KINDS.contains(&record.kind);
        // The queue manager gives up at the first record that it does not know. Behind one damaged type the rest can still
        // be saved; two in a row are no records at all, as in a file that the disk filled with zeros.
        if lost && self.lost || self.reading.is_full_of_faults() {
            return Ok(ControlFlow::Break(()));
        }
        self.lost = lost;
        if lost {
            let text = format!("expected an envelope record, found {}", shown(record.kind));
            self.reading.fault(record.offset, record.end(), text);
        }
        self.position = record.end();
        match record.kind {
            b'E' => {
                self.reading.ended = true;
                Ok(ControlFlow::Break(()))
            }
            b'M' => self.start_content(&record),
            // Content where an envelope should be: guessing on would make up an envelope.
            b'N' => Ok(ControlFlow::Break(())),
            _ => {
                self.note(&record)?;
                Ok(ControlFlow::Continue(()))
            }
        }
    }

    /// The record at the present position; a fault if there is none.
    fn next(&mut self, expected: &str) -> io::Result<Option<Record>> {
        let allowed = self.window.size().saturating_mul(2).saturating_add(4_096);
        if self.passed > allowed {
            self.reading.fault(self.position, self.position, "pointer records lead in circles");
            return Ok(None);
        }
        let at = self.position;
        let gap = match self.window.record(at)? {
            Ok(record) => {
                self.passed += record.end() - at;
                return Ok(Some(record));
            }
            Err(gap) => gap,
        };
        let size = self.window.size();
        let (end, text) = match gap {
            Gap::End if at > size => (at, format!("expected {expected}, but the file ends at byte {size}")),
            Gap::End => {
                (at, format!("expected {expected}, but the file ends here: the end record is missing"))
            }
            Gap::HeadCut { kind } => (size, format!("the file ends within the length of {}", shown(kind))),
            Gap::BadLength { kind } => {
                (at + 5, format!("the length of {} is too long to be one", shown(kind)))
            }
            Gap::DataCut(record) => (size, cut(&record, size)),
        };
        self.reading.fault(at.min(size), end.min(size), text);
        Ok(None)
    }

    /// Follows a pointer record (`rec_goto`); 0 is a place holder.
    fn jump(&mut self, record: &Record) -> io::Result<ControlFlow<()>> {
        let target = number(self.window.data(record, 32)?);
        self.position = match target {
            Some(0) => record.end(),
            Some(target) => {
                if target <= self.last_jump {
                    self.backward_jumps += 1;
                }
                self.last_jump = target;
                target
            }
            None => {
                let text = "expected the offset of a pointer record, found no number";
                self.reading.fault(record.data, record.end(), text);
                return Ok(ControlFlow::Break(()));
            }
        };
        if self.backward_jumps > MAX_BACKWARD_JUMPS {
            self.reading.fault(record.offset, record.end(), "too many backward pointer records");
            return Ok(ControlFlow::Break(()));
        }
        Ok(ControlFlow::Continue(()))
    }

    /// The M record: the content begins behind it, where the SIZE record should say that it does.
    fn start_content(&mut self, record: &Record) -> io::Result<ControlFlow<()>> {
        let start = record.end();
        self.reading.content_start = Some(start);
        if self.reader == Reader::Pickup {
            return self.cross_maildrop_content();
        }
        match self.reading.size.map(|size| size.content_offset) {
            Some(Some(offset)) if offset == start => return Ok(ControlFlow::Continue(())),
            // Postfix before 1.0 wrote only where the content ends (`qmgr_message_oldstyle_scan`). Zero is what cleanup
            // begins with; `finish` speaks of it.
            Some(None | Some(0)) | None => {}
            Some(Some(offset)) => {
                let text = format!("the size record says that the content begins at byte {offset}");
                self.reading.fault(record.offset, start, text);
            }
        }
        self.walk_content()
    }

    /// Jumps to the X record if the SIZE record leads to it.
    fn cross_content(&mut self) -> io::Result<ControlFlow<()>> {
        let start = self.position;
        self.reading.content_start = Some(start);
        let length = self.reading.size.map_or(0, |size| size.content_size);
        let seam = start.saturating_add(length);
        if !self.deep
            && let Ok(record) = self.window.record(seam)?
            && record.kind == b'X'
        {
            self.reading.content_end = Some(seam);
            self.position = record.end();
            return Ok(ControlFlow::Continue(()));
        }
        let flow = self.walk_content()?;
        if self.reading.content_end != Some(seam) {
            let end = self.reading.content_end.unwrap_or(self.window.size());
            let text = format!(
                "the size record says that the content ends at byte {seam}, but it ends at byte {end}"
            );
            self.reading.fault(end, end, text);
        }
        Ok(flow)
    }

    /// A file that `postdrop` finished ends in an empty X and an empty E record, unless recipients follow the content.
    fn cross_maildrop_content(&mut self) -> io::Result<ControlFlow<()>> {
        let tail = self.window.size().saturating_sub(4);
        if !self.deep && tail >= self.position && self.window.bytes(tail, 4)? == b"X\0E\0" {
            self.reading.content_end = Some(tail);
            self.position = tail + 2;
            return Ok(ControlFlow::Continue(()));
        }
        self.walk_content()
    }

    /// Reads the content record by record, to the X record or to where it is damaged.
    fn walk_content(&mut self) -> io::Result<ControlFlow<()>> {
        let mut line_begins = true;
        loop {
            self.reading.content_read_to = Some(self.position);
            let Some(record) = self.next("a content record")? else { return Ok(ControlFlow::Break(())) };
            if record.kind == b'p' {
                if self.jump(&record)?.is_break() {
                    return Ok(ControlFlow::Break(()));
                }
                continue;
            }
            if !CONTENT_KINDS.contains(&record.kind) {
                let text = format!("expected a content record, found {}", shown(record.kind));
                self.reading.fault(record.offset, record.offset + 1, text);
                return Ok(ControlFlow::Break(()));
            }
            self.position = record.end();
            if record.kind == b'X' {
                self.reading.content_end = Some(record.offset);
                return Ok(ControlFlow::Continue(()));
            }
            self.pass_on(&record)?;
            self.reading.header_complete |= line_begins && record.kind == b'N' && record.length == 0;
            line_begins = record.kind == b'N';
        }
    }

    /// Lets the listener hear a record of the content. Padding and deleted text (`w`) is none of it.
    fn pass_on(&mut self, record: &Record) -> io::Result<()> {
        if !self.listener.wants_content() || !matches!(record.kind, b'N' | b'L') {
            return Ok(());
        }
        let mut at = record.data;
        while at < record.end() {
            let length = usize::try_from((record.end() - at).min(PIECE_BYTES)).unwrap_or(0);
            let piece = self.window.bytes(at, length)?;
            if piece.is_empty() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.listener.content(piece)?;
            at += piece.len() as u64;
        }
        if record.kind == b'N' { self.listener.line_end() } else { Ok(()) }
    }

    fn note(&mut self, record: &Record) -> io::Result<()> {
        let value = self.window.data(record, MAX_VALUE_BYTES)?;
        self.listener.envelope(record, value);
        let reading = &mut self.reading;
        let kept = || Text::new(value);
        match record.kind {
            b'C' => reading.note_size(record, value),
            b'T' => {
                let text = String::from_utf8_lossy(value);
                if reading.arrival.is_none()
                    && let Some(time) = arrival_time(&text)
                {
                    reading.arrival = Some((time, Text::from(&*text)));
                }
            }
            b'S' => reading.note_sender(record, kept()),
            b'R' => reading.recipient(kept(), RecipientState::Pending),
            b'D' | b'/' => reading.recipient(kept(), RecipientState::Done),
            b'A' => reading.note_attribute(record, value),
            b'F' => reading.attribute(b"full_name", kept()),
            b'c' => reading.attribute(b"create_time", kept()),
            b'L' => reading.attribute(b"content_filter", kept()),
            b'>' => reading.attribute(b"redirect", kept()),
            _ => {}
        }
        Ok(())
    }

    /// The checks at the end of `qmgr_message_read` and `pickup_copy`.
    fn finish(&mut self) {
        let (end, for_queue) = (self.window.size(), self.reader == Reader::QueueManager);
        let reading = &mut self.reading;
        if for_queue && reading.arrival.is_none() {
            reading.fault(0, end, "there is no record with the arrival time");
        }
        if reading.sender.is_none() {
            reading.fault(0, end, "there is no record with the sender");
        }
        match reading.size {
            None if for_queue => reading.fault(0, end, "there is no size record"),
            Some(size) if for_queue && (size.content_offset == Some(0) || size.content_size == 0) => {
                reading.fault(0, end, "the size record is still as it was when the file was begun");
            }
            _ => {}
        }
        if reading.ended && reading.content_start.is_none() {
            reading.fault(0, end, "there is no record that begins the content");
        }
        let counted = reading.size.and_then(|size| size.recipients);
        if let Some(counted) = counted.filter(|counted| *counted != reading.recipient_count())
            && for_queue
            && reading.faults.is_empty()
        {
            let text = format!(
                "the size record counts {counted} recipients, the file has {}: the queue manager logs a mismatch and \
                 delivers to those that it finds",
                reading.recipient_count()
            );
            reading.doubtful_fault(0, end, Confidence::Possible, text);
        }
    }
}

impl Reading {
    /// The queue manager takes three numbers or one (`sscanf` in `qmgr_message_read`). What cleanup writes first is all
    /// zeros, so that zeros are no fault of a file that it has not finished; `finish` looks at that.
    fn note_size(&mut self, record: &Record, value: &[u8]) {
        if self.size.is_some_and(|size| size.content_offset != Some(0)) {
            return;
        }
        let text = String::from_utf8_lossy(value);
        let mut numbers = text.split_whitespace().map_while(|field| field.parse::<u64>().ok());
        self.size = match [numbers.next(), numbers.next(), numbers.next()] {
            [Some(content_size), Some(offset), Some(recipients)] => {
                Some(SizeRecord { content_size, content_offset: Some(offset), recipients: Some(recipients) })
            }
            [Some(end), None, _] => {
                Some(SizeRecord { content_size: end, content_offset: None, recipients: None })
            }
            _ => {
                let text = "expected sizes as numbers in the size record";
                self.fault(record.data, record.end(), text);
                None
            }
        };
    }

    fn note_sender(&mut self, record: &Record, sender: Text) {
        if self.sender.is_none() {
            if self.recipient_count() > 0 {
                // `showq_report` gives up on such a file. In 3.7.11 it was seen to crash, which ends the whole listing;
                // the queue manager delivers it all the same.
                let text = "the sender comes after a recipient: the listing leaves this file out, and showq may crash on \
                            it, so that all files behind it are left out too";
                self.fault(record.offset, record.end(), text);
            }
            self.sender = Some(sender);
        }
    }

    fn note_attribute(&mut self, record: &Record, bytes: &[u8]) {
        let Some((name, value)) = split_attribute(bytes) else {
            let text = "expected `name=value` in an attribute record, found no `=` after the name";
            self.fault(record.offset, record.end(), text);
            return;
        };
        // These belong to the next recipient, not to the message.
        if !matches!(name, b"dsn_orig_rcpt" | b"notify_flags") {
            self.attribute(name, Text::new(value));
        }
    }
}

fn cut(record: &Record, size: u64) -> String {
    format!(
        "{} has {} bytes of data, but the file ends after {} of them",
        shown(record.kind),
        record.length,
        size.saturating_sub(record.data)
    )
}

/// A record type for people: its letter where it is one.
fn shown(kind: u8) -> String {
    if kind.is_ascii_graphic() {
        format!("a record of type `{}`", char::from(kind))
    } else {
        format!("a record of type 0x{kind:02x}")
    }
}

fn number(bytes: &[u8]) -> Option<u64> {
    std::str::from_utf8(bytes).ok()?.trim_ascii().parse().ok()
}

/// `SECONDS MICROSECONDS`, of which older versions wrote only the first (`REC_TYPE_TIME_SCAN`).
fn arrival_time(text: &str) -> Option<Time> {
    let mut fields = text.split_ascii_whitespace();
    let seconds: i64 = fields.next()?.parse().ok().filter(|seconds| *seconds != 0)?;
    let microseconds: u32 = fields.next().and_then(|field| field.parse().ok()).unwrap_or(0);
    Some(Time::new(seconds, microseconds.saturating_mul(1_000)))
}

/// `name=value` as `split_nameval` takes it apart: blanks are allowed around the `=`.
pub fn split_attribute(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let equals = memchr::memchr(b'=', bytes)?;
    let name = bytes.get(..equals)?.trim_ascii();
    let value = bytes.get(equals + 1..)?.trim_ascii();
    let whole = !name.is_empty() && !name.iter().any(u8::is_ascii_whitespace);
    whole.then_some((name, value))
}
