//! A journal, `ID-J`: a line for each finished delivery that the envelope does not know of yet.
//!
//! Source: Exim `deliver.c`, `post_process_one` ("write all successful addresses immediately to the journal").

use super::cursor::{Cursor, Line};
use super::message::Entry;
use super::message_id;
use super::name::Half;
use crate::evidence::{Damage, DamageKind, Fact, Locus, Text};
use crate::read::disk::{EntryKind, OpenFile};
use std::io::{self, Read};
use std::path::PathBuf;

/// A journal is read so far, line by line: millions of deliveries.
const MAX_BYTES: u64 = 256 << 20;

/// A line of a journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said<'a> {
    /// This address is done.
    Done(&'a [u8]),
    /// An address that begins so is done; the line breaks off.
    Start(&'a [u8]),
    /// Something that is no address: whoever stood there is not known.
    Unreadable,
}

/// How a journal was read.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// Addresses that it names.
    pub count: u64,
    /// Addresses among them that are no recipients of the envelope.
    pub others: u64,
    /// Whether it has lines that are no addresses.
    pub damaged: bool,
}

impl Reading {
    /// What a journal of this size says.
    pub fn fact(self, path: &std::path::Path, size: u64) -> Fact {
        let mut text = match self.count {
            0 if size == 0 => "its journal is empty: a delivery was begun, and none was finished".to_owned(),
            0 => "its journal names nobody".to_owned(),
            1 => "its journal names 1 finished delivery that the envelope does not know of".to_owned(),
            count => {
                format!("its journal names {count} finished deliveries that the envelope does not know of")
            }
        };
        if self.damaged {
            text.push_str("; parts of it cannot be read, so that others may be done as well");
        }
        if self.others > 0 {
            text.push_str(
                "; it names addresses that are no recipients, as what an alias stands for is named: which recipients are \
                 done with them is not known",
            );
        }
        Fact::new(text, Locus::bytes(Text::from_path(path), 0, size))
    }
}

/// Where the journal of a message may lie: beside its files, under their tail or its own name, and where Exim looks for it.
fn places(entry: &Entry<'_>, body: Option<&PathBuf>) -> Vec<PathBuf> {
    let plain = Text::joined(&[entry.id, Half::Journal.ending()]);
    let name = plain.to_path();
    let tailed = Some(entry.name_of(Half::Journal)).filter(|tailed| *tailed != plain);
    let tailed = tailed.map(|tailed| tailed.to_path());
    let own = entry.spot.folder.as_path();
    let mut places = Vec::with_capacity(4);
    for folder in body.and_then(|path| path.parent()).filter(|folder| *folder != own).into_iter().chain([own])
    {
        places.extend(tailed.as_ref().map(|tailed| folder.join(tailed)));
        places.push(folder.join(&name));
    }
    for home in entry.spot.homes(entry.id, plain.bytes()) {
        if !places.contains(&home) {
            places.push(home);
        }
    }
    places
}

/// Whether there may be a journal of a message whose body lies beside it: the folders were not listed, or had one.
pub fn may_be(entry: &Entry<'_>) -> bool {
    // Where every message of a spool that is split should lie: its homes are this folder and the one above.
    if entry.tail.is_empty()
        && entry.spot.letter().is_some_and(|own| Some(own) == message_id::letter(entry.id))
    {
        let name = Text::joined(&[entry.id, Half::Journal.ending()]);
        let absent = |listed| listed == Some(false);
        return !(absent(entry.root.listed_here(name.bytes()))
            && absent(entry.root.listed_above(name.bytes())));
    }
    places(entry, None).iter().any(|path| entry.root.listed(path) != Some(false))
}

/// Whether there is a journal of such a message, or may be: where the folders were not listed they are asked.
pub fn is_there(entry: &Entry<'_>) -> bool {
    may_be(entry) && places(entry, None).iter().any(|path| entry.root.exists(path))
}

/// The journals of a message.
#[derive(Debug, Default)]
pub struct Found {
    /// Those that can be read.
    pub files: Vec<(PathBuf, OpenFile)>,
    /// The place of one that is no file, and is never opened.
    pub odd: Option<PathBuf>,
}

/// Finds the journals of a message. A message that was moved or renamed may have left its own where it was.
///
/// # Errors
/// [`Damage`] if one of them cannot be read.
pub fn find(entry: &Entry<'_>, body: Option<&PathBuf>) -> Result<Found, Damage> {
    let mut found = Found::default();
    for path in places(entry, body) {
        match entry.root.stat(&path) {
            Ok((EntryKind::Regular, _)) => {}
            Ok(_) => {
                found.odd = Some(path);
                continue;
            }
            Err(_) => continue,
        }
        match entry.root.open_file(&path) {
            Ok(file) => found.files.push((path, file)),
            // A delivery has ended in between.
            Err(damage) if damage.kind == DamageKind::Vanished => {}
            Err(damage) => return Err(damage),
        }
    }
    Ok(found)
}

/// Reads a journal and gives on what each line says, so that none of it need be kept.
///
/// # Errors
/// When the file cannot be read.
pub fn read(file: &OpenFile, said: impl FnMut(Said<'_>)) -> io::Result<Reading> {
    let reading = read_lines(file.reader()?.take(MAX_BYTES), said)?;
    Ok(Reading { damaged: reading.damaged || file.stat.size > MAX_BYTES, ..reading })
}

fn read_lines(input: impl Read, mut said: impl FnMut(Said<'_>)) -> io::Result<Reading> {
    let mut cursor = Cursor::new(input);
    let mut reading = Reading::default();
    loop {
        let (line, last) = match cursor.line()? {
            Line::Whole(line) => (line, false),
            Line::Cut(line) if line.is_empty() => return Ok(reading),
            Line::Cut(line) => (line, true),
            Line::TooLong => {
                reading.damaged = true;
                said(Said::Unreadable);
                // What follows is not aligned with lines; Exim writes none of such length.
                return Ok(reading);
            }
        };
        if line.is_empty() || memchr::memchr(0, &line).is_some() {
            reading.damaged = true;
            said(Said::Unreadable);
        } else if last {
            reading.damaged = true;
            said(Said::Start(&line));
        } else {
            reading.count += 1;
            said(Said::Done(&line));
        }
        if last {
            return Ok(reading);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> (Vec<String>, Reading) {
        let mut lines = Vec::new();
        let reading = read_lines(bytes, |said| {
            lines.push(match said {
                Said::Done(line) => format!("done {}", String::from_utf8_lossy(line)),
                Said::Start(line) => format!("start {}", String::from_utf8_lossy(line)),
                Said::Unreadable => "unreadable".into(),
            });
        });
        (lines, reading.unwrap())
    }

    #[test]
    fn a_line_that_breaks_off_and_one_that_is_none_are_told_from_addresses() {
        assert_eq!(read(b"a@x.test\n").1, Reading { count: 1, ..Reading::default() });
        let (lines, reading) = read(b"a@x.test\n\0\0\0\nb@x.t");
        assert_eq!(lines, ["done a@x.test", "unreadable", "start b@x.t"]);
        assert_eq!(reading, Reading { count: 1, others: 0, damaged: true });
        assert!(read(&vec![b'x'; 70_000]).1.damaged);
        assert_eq!(read(b"").1, Reading::default());
    }
}
