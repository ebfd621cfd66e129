//! One message: its control file, with the data file found by its name.

use super::control_file;
use super::folder;
use super::name::{self, Queue};
use super::reading::Reading;
use super::signs;
use super::spool::Spool;
use crate::evidence::{
    Damage, DamageKind, Locus, Message, Part, PartKind, Stat, Text, Time, TimeKind, Timed,
};
use crate::read::content::add_headers;
use crate::read::disk::{OpenFile, Root};
use std::path::{Path, PathBuf};

/// A control file is read so far; one with a hundred thousand recipients has 6 MiB.
const MAX_BYTES: u64 = 8 << 20;
/// Of a longer one the recipients are counted so far, a piece at a time.
const MAX_COUNTED_BYTES: u64 = 1 << 30;
/// A piece.
const PIECE_BYTES: usize = 1 << 20;
/// The end of a longer one.
const TAIL_BYTES: u64 = 64;

/// A file in a queue folder.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// The spool.
    pub root: &'a Root,
    /// Its path below the spool.
    pub path: &'a Path,
    /// Its queue folder below the spool.
    pub folder: &'a Path,
    /// What stands behind the two letters of its name.
    pub id: &'a [u8],
}

/// A control file as it was read.
#[derive(Debug)]
pub struct Control {
    /// Its metadata.
    pub stat: Stat,
    /// Its content.
    pub reading: Reading,
}

/// A data file as it was found.
#[derive(Debug)]
pub struct Data {
    /// Where it is.
    pub path: PathBuf,
    /// Its metadata.
    pub stat: Stat,
}

impl Entry<'_> {
    /// Its path as text.
    pub fn place(&self) -> Text {
        Text::from_path(self.path)
    }

    /// The first of the places at which a file of this letter and ID may lie in this folder.
    pub fn beside(&self, letter: char) -> Option<PathBuf> {
        folder::candidates(self.folder, letter, self.id).into_iter().find(|path| self.root.exists(path))
    }
}

impl Spool {
    /// Reads a message; `None` if it went away while it was read.
    ///
    /// # Errors
    /// [`Damage`] if the file cannot be read, or is of a version that is not known.
    pub fn message(&self, entry: Entry<'_>, queue: Queue) -> Result<Option<Message>, Damage> {
        let control = read_control(entry, queue)?;
        let wanted = control.reading.data_folder.as_ref();
        let data = self.data(entry, wanted);
        // The data file goes first when a message is done: nobody is to be told of one that was just delivered.
        if data.is_none() && !entry.root.exists(entry.path) {
            return Ok(None);
        }
        let temporary = ['t', 'T'].into_iter().find_map(|letter| entry.beside(letter));
        let mut message = self.envelope(entry, &control, data.as_ref());
        if let Some(label) = queue.label() {
            label.clone_into(&mut message.queue);
        }
        signs::of_message(self, entry, queue, &control, data.as_ref(), temporary.as_deref(), &mut message);
        if self.deep || !message.signs.is_empty() || temporary.is_some() {
            add_headers(&mut message, &control.reading.headers);
            add_sides(&mut message, entry, temporary.as_deref());
        }
        Ok(Some(message))
    }

    /// A control file that was begun and not finished, and has no other one beside it.
    ///
    /// # Errors
    /// [`Damage`] if the file cannot be read.
    pub fn unfinished(&self, entry: Entry<'_>) -> Result<Message, Damage> {
        let control = read_control(entry, Queue::Lost)?;
        let data = self.data(entry, control.reading.data_folder.as_ref());
        let mut message = self.envelope(entry, &control, data.as_ref());
        signs::of_unfinished(self, entry, &control, data.as_ref(), &mut message);
        add_headers(&mut message, &control.reading.headers);
        Ok(message)
    }

    /// A control file under a name that sendmail passes over.
    ///
    /// # Errors
    /// [`Damage`] if the file cannot be read.
    pub fn foreign(&self, entry: Entry<'_>, why: &str) -> Result<Message, Damage> {
        let control = read_control(entry, Queue::Lost)?;
        let stem = name::stem(entry.id).map(|stem| Entry { id: stem, ..entry });
        // Beside its own control file it is a copy, and not the message of that ID.
        let own = stem.filter(|stem| ['q', 'h', 'Q'].into_iter().all(|letter| stem.beside(letter).is_none()));
        let data = own.and_then(|own| self.data(own, control.reading.data_folder.as_ref()));
        let mut message = self.envelope(entry, &control, data.as_ref());
        message.ids.native = own.map(|own| Text::new(own.id));
        signs::of_foreign(entry, why, &mut message);
        add_headers(&mut message, &control.reading.headers);
        Ok(message)
    }

    /// The data file: in the folder of the control file, in the one that the control file names, or in any other.
    fn data(&self, entry: Entry<'_>, wanted: Option<&Text>) -> Option<Data> {
        let look = |folder: &Path| {
            let found = folder::candidates(folder, 'd', entry.id);
            found.into_iter().find_map(|path| {
                let (_, stat) = entry.root.stat(&path).ok()?;
                Some(Data { path, stat })
            })
        };
        let named = wanted.map(Text::to_path);
        let named = named.as_deref().and_then(Path::file_name);
        look(entry.folder).or_else(|| {
            let others = self.folders.paths.iter().filter(|folder| folder.as_path() != entry.folder);
            let (first, rest): (Vec<_>, Vec<_>) = others.partition(|folder| folder.file_name() == named);
            first.into_iter().chain(rest).find_map(|folder| look(folder))
        })
    }

    fn envelope(&self, entry: Entry<'_>, control: &Control, data: Option<&Data>) -> Message {
        let reading = &control.reading;
        let mut message = Message::at(self.label(entry.folder), Locus::whole(entry.place()));
        message.ids.native = Some(Text::new(entry.id));
        message.parts.push(Part::file(PartKind::Envelope, entry.path, &control.stat));
        if let Some(data) = data {
            message.parts.push(Part::file(PartKind::Content, &data.path, &data.stat));
            if let Some(written) = reading.data_inode.filter(|inode| *inode != data.stat.inode) {
                let text = format!("{written} when it was written, {} now", data.stat.inode);
                message.attributes.push(("data_file_inode".into(), Text::from(text)));
            }
        }
        // `print_single_queue` shows the size of the data file.
        message.size = data.map(|data| data.stat.size);
        message.envelope.sender.clone_from(&reading.sender);
        message.envelope.recipients.clone_from(&reading.recipients);
        for recipient in &mut message.envelope.recipients {
            recipient.reason = recipient.reason.take().or_else(|| reading.status.clone());
        }
        if reading.recipient_count > reading.recipients.len() as u64 {
            message.envelope.recipient_count = Some(reading.recipient_count);
        }
        message.attributes.extend(reading.attributes.iter().cloned());
        if let Some(reason) = &reading.quarantine {
            message.attributes.push(("quarantine".into(), reason.clone()));
        }
        self.times(&mut message, entry, control);
        message
    }

    fn times(&self, message: &mut Message, entry: Entry<'_>, control: &Control) {
        let reading = &control.reading;
        let mut add = |kind: TimeKind, at: Time, original: &str| {
            message.times.push(Timed { kind, at, original: original.into() });
        };
        if let Some((seconds, original)) = &reading.arrival {
            add(TimeKind::Arrival, Time::from_unix(*seconds), original);
        }
        if let Some((seconds, original)) = &reading.last_attempt {
            add(TimeKind::LastAttempt, Time::from_unix(*seconds), original);
        }
        let tried = reading.attempts.is_some_and(|attempts| attempts > 0);
        if let (Some((arrival, _)), Some((last, original)), Some(longest), true) =
            (&reading.arrival, &reading.last_attempt, self.max_queue_age, tried)
        {
            // `gatherq`: as long again as it has waited so far, `MaxQueueAge` at most.
            let wait = last.saturating_sub(*arrival).min(longest);
            add(TimeKind::NextAttempt, Time::from_unix(last.saturating_add(wait)), original);
        }
        if let Some(made) = name::made(entry.id, control.stat.modified) {
            add(TimeKind::IdTime, made, &String::from_utf8_lossy(entry.id));
        }
        let modified = format!("mtime {}", control.stat.modified.rfc3339());
        add(TimeKind::Modified, control.stat.modified, &modified);
    }
}

/// The content, as far as it is read, and whether the very end of a longer file is that of a control file.
fn content(file: &OpenFile) -> std::io::Result<(Vec<u8>, bool)> {
    let size = file.stat.size;
    let bytes = file.at(0, usize::try_from(size.min(MAX_BYTES)).unwrap_or(0))?;
    if size <= MAX_BYTES {
        return Ok((bytes, true));
    }
    let tail = file.at(size.saturating_sub(TAIL_BYTES), usize::try_from(TAIL_BYTES).unwrap_or(0))?;
    Ok((bytes, tail.ends_with(b"\n.\n")))
}

/// The lines `R` of a file that is longer than what is read of it; `None` beyond what is counted.
fn recipients_of_long_file(file: &OpenFile) -> std::io::Result<Option<u64>> {
    if file.stat.size > MAX_COUNTED_BYTES {
        return Ok(None);
    }
    let (mut at, mut before, mut count) = (0_u64, b'\n', 0_u64);
    loop {
        let bytes = file.at(at, PIECE_BYTES)?;
        let Some(last) = bytes.last().copied() else { return Ok(Some(count)) };
        count += u64::from(before == b'\n' && bytes.first() == Some(&b'R'));
        count += memchr::memmem::find_iter(&bytes, b"\nR").count() as u64;
        at += bytes.len() as u64;
        before = last;
    }
}

fn read_control(entry: Entry<'_>, queue: Queue) -> Result<Control, Damage> {
    let file = entry.root.open_file(entry.path)?;
    let stat = file.stat;
    let (bytes, ended) = content(&file).map_err(|error| entry.root.refused(entry.path, &error))?;
    let whole = stat.size <= MAX_BYTES;
    let mut reading = match control_file::read(&bytes, whole) {
        Ok(reading) => reading,
        Err(unknown) if queue == Queue::Lost => signs::of_unknown_version(unknown, &bytes),
        Err(unknown) => {
            return Err(Damage::new(
                DamageKind::Malformed,
                Locus::line(entry.place(), 1),
                format!(
                    "it is of version {} of the format, and only versions up to {} are known",
                    unknown.0,
                    control_file::NEWEST
                ),
                "look for a newer ghostq; an older sendmail than the one that wrote it renames it to `Qf…`",
            ));
        }
    };
    if !whole && !reading.unread {
        let counted =
            recipients_of_long_file(&file).map_err(|error| entry.root.refused(entry.path, &error))?;
        reading.count_of_all(counted);
        signs::of_long_file(&mut reading, stat.size, MAX_BYTES, ended);
    }
    Ok(Control { stat, reading })
}

/// The transcript and a control file that was being rewritten.
fn add_sides(message: &mut Message, entry: Entry<'_>, temporary: Option<&Path>) {
    let transcript = entry.beside('x');
    for path in transcript.iter().map(PathBuf::as_path).chain(temporary) {
        if let Ok((_, stat)) = entry.root.stat(path) {
            message.parts.push(Part::file(PartKind::Side, path, &stat));
        }
    }
}
