//! One envelope file as a message, with what lies beside it.

use super::done::{self, Done};
use super::generation::Generation;
use super::header_file::{self, HeaderFile};
use super::journal::{self, Said};
use super::message_id::{self, MessageId};
use super::message_log::Log;
use super::name::Half;
use super::owner::Owner;
use super::spot::{Content, Spot};
use crate::evidence::{
    Confidence, Damage, Fact, Locus, Message, Part, PartKind, Recipient, RecipientState, Sign, Signed, Stat,
    Text, Time, TimeKind, Timed,
};
use crate::read::content::add_headers;
use crate::read::disk::{EntryKind, OpenFile, Root};
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// What Exim calls damage to an envelope; damage to a body it does not notice.
pub const FORMAT_ERROR: &str = "Exim calls it a spool format error";

/// What a spool's files are judged by.
#[derive(Debug)]
pub struct Spool {
    /// Whether it is an `input` folder without the rest of its spool.
    pub bare: bool,
    /// The queue whose folder was given in place of the whole spool.
    pub within: Option<String>,
    /// Whose the files should be.
    pub owner: Owner,
    /// Which IDs its Exim reads.
    pub generation: Generation,
    /// Whether every body is read.
    pub deep: bool,
    /// Rules that have nothing to go by where an envelope is not read.
    pub blind_to: &'static [&'static str],
    /// Whether Exim runs here, so that a second look shows what is in the making.
    pub live: bool,
    /// The newest time that the kernel stamped on its folders.
    pub last_activity: Option<Time>,
}

/// A file of a message.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// The spool.
    pub root: &'a Root,
    /// Its path below the spool.
    pub path: &'a Path,
    /// Where that is.
    pub spot: &'a Spot,
    /// The ID in its name.
    pub id: &'a [u8],
    /// What the ID says.
    pub made: MessageId,
    /// What stands behind the name.
    pub tail: &'a [u8],
}

impl Entry<'_> {
    /// The file itself as a locus.
    pub fn locus(&self) -> Locus {
        Locus::whole(Text::from_path(self.path))
    }

    /// The name of another file of the message.
    pub fn name_of(&self, half: Half) -> Text {
        Text::joined(&[self.id, half.ending(), self.tail])
    }

    /// Another file of the message: beside this one, or where Exim looks for it.
    pub fn find(&self, half: Half) -> Option<(PathBuf, EntryKind, Stat)> {
        let name = self.name_of(half);
        let look = |path: PathBuf| self.root.stat(&path).ok().map(|(kind, stat)| (path, kind, stat));
        look(self.spot.sibling(name.bytes())).or_else(|| {
            let known = self.tail.is_empty() && self.spot.is_listed();
            let homes = self.spot.homes(self.id, name.bytes());
            homes.into_iter().filter(|_| known).find_map(look)
        })
    }
}

impl Spool {
    /// Reads a message by its envelope file.
    ///
    /// # Errors
    /// [`Damage`] if the file cannot be read.
    pub fn message(&self, entry: Entry<'_>) -> Result<Message, Damage> {
        self.read_message(entry, self.deep)
    }

    /// The same; `explained`: with header and log, though nothing seems to be wrong with it.
    ///
    /// # Errors
    /// [`Damage`] if the file cannot be read.
    pub fn read_message(&self, entry: Entry<'_>, explained: bool) -> Result<Message, Damage> {
        let file = entry.root.open_file(entry.path)?;
        let failed = |error: std::io::Error| entry.root.refused(entry.path, &error);
        let mut read = header_file::read(file.stream(), file.stat.size, entry.id).map_err(failed)?;
        let mut message = self.blank(&entry, PartKind::Envelope, &file.stat);
        let body = entry.find(Half::Data).filter(|(_, kind, _)| *kind == EntryKind::Regular);
        // Who is done by the journal counts for everything that follows.
        let journal = if is_plain(&entry, &file.stat, &read, body.as_ref()) && !journal::may_be(&entry) {
            None
        } else {
            take_journals(&entry, body.as_ref().map(|(path, _, _)| path), &mut read, &mut message)?
        };
        let mut signs = self.content_signs(&entry, &file, &read, body.as_ref());
        signs.extend(self.refusal(&entry, &file.stat));
        signs.extend(held(&entry, &read));
        signs.extend(journal);
        let unseen = self.unseen(&entry);
        message.signs = settle_signs(unseen, signs);
        message.signs.extend(self.place_signs(&entry));
        if let Some((path, _, stat)) = &body {
            message.parts.push(Part::file(PartKind::Content, path, stat));
        }
        fill(&mut message, &entry, &mut read, body.as_ref().map(|(_, _, stat)| stat));
        if explained || !message.signs.is_empty() {
            add_headers(&mut message, &read.header);
            self.add_log(&mut message, &entry, &read.done);
        }
        Ok(message)
    }

    /// The message without opening it, if names, places and metadata show nothing that calls for that. Its size is that of
    /// its two files, which is more than that of its content.
    pub fn glance(&self, entry: &Entry<'_>) -> Option<Message> {
        let (kind, stat) = entry.root.stat(entry.path).ok()?;
        let (path, body_kind, body) = entry.find(Half::Data)?;
        let regular = kind == EntryKind::Regular && body_kind == EntryKind::Regular;
        let whole = regular && stat.size > 0 && body.size >= first_line(entry);
        let beside = path.parent() == Some(entry.spot.folder.as_path());
        if !(whole && beside)
            || journal::is_there(entry)
            || self.owner.refusal(&stat).is_some()
            || self.unseen(entry).is_some()
            || !self.place_signs(entry).is_empty()
        {
            return None;
        }
        let mut message = self.blank(entry, PartKind::Envelope, &stat);
        message.parts.push(Part::file(PartKind::Content, &path, &body));
        message.size = Some(stat.size.saturating_add(body.size));
        message.blind_to = self.blind_to;
        Some(message)
    }

    /// A message of which only its file and the name of that are known.
    pub fn blank(&self, entry: &Entry<'_>, kind: PartKind, stat: &Stat) -> Message {
        let mut message = Message::at(self.queue_name(entry.spot), entry.locus());
        message.ids.native = Some(Text::new(entry.id));
        message.parts.push(Part::file(kind, entry.path, stat));
        if let Some(seconds) = entry.made.seconds {
            message.times.push(Timed {
                kind: TimeKind::IdTime,
                at: Time::from_unix(seconds),
                original: Text::new(entry.id).into(),
            });
        }
        message.times.push(Timed::mtime(TimeKind::Modified, stat));
        message
    }

    /// The queue in the words of Exim.
    pub fn queue_name(&self, spot: &Spot) -> String {
        match &self.within {
            Some(queue) if spot.queue.as_os_str().is_empty() => queue.clone(),
            _ => spot.queue_name(),
        }
    }

    /// Why Exim passes over a file, whatever is in it: its name, its folder, the length of its ID.
    pub fn unseen(&self, entry: &Entry<'_>) -> Option<Signed> {
        let mut facts = Vec::new();
        let mut add = |text: String| facts.push(Fact::new(text, entry.locus()));
        if !entry.tail.is_empty() {
            add(format!(
                "Exim looks at names that end in `-H` only; `{}` hides this one",
                String::from_utf8_lossy(entry.tail)
            ));
        }
        if !entry.spot.is_listed() {
            add(format!(
                "Exim looks into `input` and its folders of one letter or figure, not into `{}`",
                entry.spot.below.display()
            ));
        }
        if facts.is_empty() {
            let fact = self.generation.refusal(entry.root, &entry.made)?;
            return Some(Signed::likely(Sign::ForeignName, fact));
        }
        Some(Signed { sign: Sign::ForeignName, confidence: Confidence::Certain, facts })
    }

    /// What the queue and the folder say.
    pub fn place_signs(&self, entry: &Entry<'_>) -> Vec<Signed> {
        let mut signs = Vec::new();
        let named = !entry.spot.queue.as_os_str().is_empty() || self.within.is_some();
        let frozen = entry.spot.content == Content::Frozen;
        let mut other = |text: String| {
            signs.push(Signed::certain(Sign::OtherQueue, Fact::new(text, entry.locus())));
        };
        if frozen {
            other(
                "messages were moved to `Finput` when they froze; no listing and no queue run looks there"
                    .into(),
            );
        } else if named {
            let queue = self.queue_name(entry.spot);
            other(format!("`exim -bp` and queue runs without `-qG{queue}` read the default queue only"));
        }
        signs.extend(misfiled(entry));
        signs
    }

    /// What the bytes say, and whether the body is there.
    fn content_signs(
        &self,
        entry: &Entry<'_>,
        file: &OpenFile,
        read: &HeaderFile,
        body: Option<&(PathBuf, EntryKind, Stat)>,
    ) -> Vec<Signed> {
        let place = Text::from_path(entry.path);
        let mut signs = Vec::new();
        if file.stat.size == 0 {
            let text = "the envelope file has no bytes, as when the disk was full";
            signs.push(Signed::certain(Sign::EmptyFile, Fact::new(text, Locus::metadata(place.clone()))));
        } else if let Some(fault) = &read.fault {
            let fact = Fact::new(fault.text.clone(), Locus::bytes(place.clone(), fault.start, fault.end));
            let refused = Fact::new(FORMAT_ERROR, entry.locus());
            let facts = vec![refused, fact, salvage(&place, read, body)];
            let sign = Sign::Corrupt { offset: fault.start };
            signs.push(Signed { sign, confidence: fault.confidence, facts });
        }
        match body {
            None => signs.push(body_lost(entry, read)),
            Some(body) => signs.extend(self.body_signs(entry, read, body)),
        }
        signs
    }

    /// Damage to the body: nothing in Exim looks for it before the message is sent.
    fn body_signs(
        &self,
        entry: &Entry<'_>,
        read: &HeaderFile,
        body: &(PathBuf, EntryKind, Stat),
    ) -> Option<Signed> {
        let (path, _, stat) = body;
        let place = Text::from_path(path);
        let first_line = first_line(entry);
        if stat.size < first_line {
            let text = format!(
                "its body file has {} bytes, fewer than its first line alone ({first_line}): an empty message would be sent",
                stat.size
            );
            let fact = Fact::new(text, Locus::metadata(place));
            return Some(cut_off(stat, Confidence::Certain, fact));
        }
        let wanted = read.options.body_lines.filter(|_| self.deep && !read.options.wire_format)?;
        let body = entry.root.open_file(path).ok()?;
        let lines =
            count_lines(&body).map_err(|error| entry.root.unread(path, &error)).ok()?.saturating_sub(1);
        (lines != wanted).then(|| {
            let text = format!("its body file has {lines} lines, and {wanted} were counted on reception");
            let fact = Fact::new(text, Locus::bytes(place, first_line, stat.size));
            cut_off(stat, Confidence::Likely, fact)
        })
    }

    /// Why the listing cannot read it.
    fn refusal(&self, entry: &Entry<'_>, stat: &Stat) -> Option<Signed> {
        let text = self.owner.refusal(stat)?;
        let mut signed =
            Signed::certain(Sign::OwnerOrMode, Fact::new(text, Locus::metadata(Text::from_path(entry.path))));
        signed.facts.push(self.owner.fact.clone());
        Some(signed)
    }

    /// What the log of the message says of its recipients.
    fn add_log(&self, message: &mut Message, entry: &Entry<'_>, done: &Done) {
        let Some((path, file, log)) = self.log_of(entry) else { return };
        let envelope = &mut message.envelope;
        if envelope.recipients.is_empty() {
            // A damaged envelope: whom it was to reach stands in the log, if anywhere.
            envelope.sender = envelope.sender.take().or_else(|| log.sender.clone());
            envelope.recipients.clone_from(&log.recipients);
            for recipient in &mut envelope.recipients {
                recipient.state = both(recipient.state, done.state(&recipient.address));
            }
        }
        for recipient in &mut envelope.recipients {
            let Some(logged) = log.of(&recipient.address) else { continue };
            recipient.reason.clone_from(&logged.reason);
            if recipient.state == RecipientState::Pending && logged.state == RecipientState::Done {
                // The log is no part of what Exim works by, and one of the two must be wrong.
                recipient.state = RecipientState::Unknown;
            }
        }
        let held = message.signs.iter_mut().find(|signed| signed.sign == Sign::Held);
        if let (Some(held), Some(why)) = (held, log.freezing) {
            let text = format!("its log says: {}", why.lossy());
            held.facts.push(Fact::new(text, Locus::whole(Text::from_path(&path))));
        }
        attach_log(message, &path, &file);
    }

    /// The log of a message.
    pub fn log_of(&self, entry: &Entry<'_>) -> Option<(PathBuf, OpenFile, Log)> {
        if self.bare {
            return None;
        }
        let mut homes = entry.spot.log_homes(entry.id).to_vec();
        homes.extend(message_id::converted(entry.id).into_iter().flat_map(|id| entry.spot.log_homes(&id)));
        homes.into_iter().find_map(|path| {
            let file = entry.root.open_file(&path).ok()?;
            let log = Log::read(&file).map_err(|error| entry.root.unread(&path, &error)).ok()?;
            Some((path, file, log))
        })
    }
}

/// What two sources that each know of some finished deliveries say together.
pub fn both(one: RecipientState, other: RecipientState) -> RecipientState {
    use RecipientState as R;
    match (one, other) {
        (R::Done, _) | (_, R::Done) => R::Done,
        (R::Unknown, _) | (_, R::Unknown) => R::Unknown,
        (R::Pending, R::Pending) => R::Pending,
    }
}

/// Makes the log a part of the message; Exim writes to it at each attempt.
pub fn attach_log(message: &mut Message, path: &Path, file: &OpenFile) {
    message.parts.push(Part::file(PartKind::Side, path, &file.stat));
    message.times.push(Timed {
        kind: TimeKind::LastAttempt,
        at: file.stat.modified,
        original: format!("mtime {} of its log", file.stat.modified.rfc3339()).into(),
    });
}

/// What Exim does not see it cannot find damaged: all that is wrong with such a file becomes one sign.
fn settle_signs(unseen: Option<Signed>, signs: Vec<Signed>) -> Vec<Signed> {
    let Some(mut unseen) = unseen else { return signs };
    let (kept, told): (Vec<_>, Vec<_>) =
        signs.into_iter().partition(|signed| matches!(signed.sign, Sign::Held | Sign::JournalLeft));
    unseen.facts.extend(told.into_iter().flat_map(|signed| signed.facts));
    std::iter::once(unseen).chain(kept).collect()
}

/// A body file begins with its own name and a line feed.
fn first_line(entry: &Entry<'_>) -> u64 {
    entry.id.len() as u64 + 3
}

fn cut_off(stat: &Stat, confidence: Confidence, fact: Fact) -> Signed {
    let whose = Fact::new("its body is not as it was received", fact.locus.clone());
    Signed { sign: Sign::Corrupt { offset: stat.size }, confidence, facts: vec![whose, fact] }
}

/// Exim finds messages in any folder of one letter and lists them, but looks for their files where the ID says
/// (`queue.c`, `queue_get_spool_list`; `spool_in.c`, `spool_open_datafile`).
fn misfiled(entry: &Entry<'_>) -> Option<Signed> {
    let (letter, own) = (entry.spot.letter()?, message_id::letter(entry.id)?);
    if letter == own {
        return None;
    }
    let name = entry.spot.name.as_slice();
    let [flat, split] = entry.spot.homes(entry.id, name);
    let text = format!(
        "Exim lists it, and when it is to be delivered looks for it at `{}` and `{}` only",
        flat.display(),
        split.display()
    );
    let sign = Sign::Misfiled { expected: Text::from_path(&flat) };
    Some(Signed::certain(sign, Fact::new(text, entry.locus())))
}

fn held(entry: &Entry<'_>, read: &HeaderFile) -> Option<Signed> {
    let since = read.options.frozen?;
    let text = format!("frozen since {}", since.rfc3339());
    Some(Signed::certain(Sign::Held, Fact::new(text, entry.locus())))
}

fn body_lost(entry: &Entry<'_>, read: &HeaderFile) -> Signed {
    let name = entry.name_of(Half::Data).lossy().into_owned();
    let mut signed =
        Signed::certain(Sign::BodyLost, Fact::new(format!("there is no `{name}`"), entry.locus()));
    let done = read.recipients.iter().all(|recipient| read.done.has(recipient.bytes()));
    if read.envelope_whole && read.read > 0 && read.recipients.len() as u64 == read.read && done {
        // `deliver.c` removes the body first, then the envelope, then the journal.
        let text =
            "every recipient is done: Exim was stopped while it removed a message that it had delivered";
        signed.facts.push(Fact::new(text, entry.locus()));
    }
    signed
}

/// Whether nothing is wrong with a message so far, and its body lies beside it: its journals then need not be looked for
/// where the folders, when they were listed, had none. One that has come since is that of a delivery under way.
fn is_plain(
    entry: &Entry<'_>,
    stat: &Stat,
    read: &HeaderFile,
    body: Option<&(PathBuf, EntryKind, Stat)>,
) -> bool {
    let beside = body.is_some_and(|(path, _, _)| path.parent() == Some(entry.spot.folder.as_path()));
    beside && stat.size > 0 && read.fault.is_none() && read.options.frozen.is_none()
}

/// Recipients that the journals say are done.
///
/// # Errors
/// [`Damage`] if a journal cannot be read.
pub fn take_journals(
    entry: &Entry<'_>,
    body: Option<&PathBuf>,
    read: &mut HeaderFile,
    message: &mut Message,
) -> Result<Option<Signed>, Damage> {
    let mut facts = Vec::new();
    let found = journal::find(entry, body)?;
    if let Some(odd) = &found.odd {
        read.done.lack_some();
        let text = "where its journal should be is something that is no file: who is done is not known";
        facts.push(Fact::new(text, Locus::metadata(Text::from_path(odd))));
    }
    for (path, file) in found.files {
        let reading = take_journal(&file, read).map_err(|error| entry.root.refused(&path, &error))?;
        facts.push(reading.fact(&path, file.stat.size));
        message.parts.push(Part::file(PartKind::Side, &path, &file.stat));
    }
    let sign = Sign::JournalLeft;
    Ok((!facts.is_empty()).then_some(Signed { sign, confidence: Confidence::Certain, facts }))
}

/// Notes those recipients of the envelope that a journal names, or all that it names if the envelope is damaged.
fn take_journal(file: &OpenFile, read: &mut HeaderFile) -> std::io::Result<journal::Reading> {
    let wanted: HashSet<_> = read.recipients.iter().map(|address| done::key(address.bytes())).collect();
    let has_all = read.envelope_whole && read.recipients.len() as u64 == read.read;
    let done = &mut read.done;
    let mut others = 0;
    let reading = journal::read(file, |said| match said {
        Said::Done(address) if wanted.is_empty() || wanted.contains(&done::key(address)) => done.add(address),
        // What an alias stands for is named in place of the recipient, which may be done with it.
        Said::Done(_) if has_all => {
            others += 1;
            done.lack_some();
        }
        Said::Done(_) => {}
        Said::Start(start) => done.add_start(start),
        Said::Unreadable => done.lack_some(),
    })?;
    Ok(journal::Reading { others, ..reading })
}

/// What could be saved from a damaged envelope.
fn salvage(place: &Text, read: &HeaderFile, body: Option<&(PathBuf, EntryKind, Stat)>) -> Fact {
    let sender = match &read.sender {
        Some(sender) if sender.is_empty() => "the sender (null)",
        Some(_) => "the sender",
        None => "no sender",
    };
    let recipients = match (read.read, read.stated) {
        (read, Some(stated)) => format!("{read} of {stated} recipients"),
        (_, None) => "no recipients".to_owned(),
    };
    let body = match body {
        Some((path, _, stat)) => format!("the body ({} bytes in `{}`)", stat.size, path.display()),
        None => "no body".to_owned(),
    };
    let header = read.header.len();
    let text = format!("can still be read: {sender}, {recipients}, {header} bytes of header, {body}");
    Fact::new(text, Locus::whole(place.clone()))
}

fn fill(message: &mut Message, entry: &Entry<'_>, read: &mut HeaderFile, body: Option<&Stat>) {
    if let Some((at, original)) = read.received.take() {
        message.times.insert(0, Timed { kind: TimeKind::Arrival, at, original: original.into() });
    }
    // What the listing shows: header and body, with the empty line between them (`queue.c`, `queue_list`).
    let content = |stat: &Stat| stat.size.saturating_sub(first_line(entry));
    message.size = body.map(|stat| read.header_size.saturating_add(content(stat)).saturating_add(1));
    message.envelope.sender = read.sender.clone();
    if read.read > read.recipients.len() as u64 || read.stated.is_some_and(|stated| stated > read.read) {
        message.envelope.recipient_count = Some(read.stated.unwrap_or(0).max(read.read));
    }
    message.envelope.recipients = read
        .recipients
        .iter()
        .map(|address| Recipient { address: address.clone(), state: read.done.state(address), reason: None })
        .collect();
    // The header field that Exim itself marks as the Message-ID.
    message.ids.message_id = message_id_field(&read.header);
    message.attributes.extend(read.login.clone().map(|login| ("login".into(), login)));
    message.attributes.append(&mut read.options.attributes);
    message.attributes.append(&mut read.marks);
    if entry.made.process > 0 {
        message.attributes.push(("received_by_process".into(), Text::from(entry.made.process.to_string())));
    }
}

/// The Message-ID without the cost of decoding the whole header.
fn message_id_field(header: &[u8]) -> Option<Text> {
    let field = header.split(|byte| *byte == b'\n').find_map(|line| {
        let name = line.get(..11)?;
        name.eq_ignore_ascii_case(b"message-id:").then(|| line.get(11..).unwrap_or_default())
    })?;
    let field = field.trim_ascii();
    let whole = field.starts_with(b"<") && field.ends_with(b">");
    whole.then(|| Text::new(field))
}

/// Line feeds of a whole file.
fn count_lines(file: &OpenFile) -> std::io::Result<u64> {
    let mut reader = file.reader()?;
    let mut buffer = vec![0; 1 << 16];
    let mut lines = 0;
    loop {
        let count = std::io::Read::read(&mut reader, &mut buffer)?;
        if count == 0 {
            return Ok(lines);
        }
        lines += memchr::memchr_iter(b'\n', buffer.get(..count).unwrap_or_default()).count() as u64;
    }
}
