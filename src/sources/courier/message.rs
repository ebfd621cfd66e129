//! A control file with its data file, or what is left of the two, as a message.

use super::control::{self, Reading};
use super::name::{self, Name};
use crate::evidence::{
    Confidence, Damage, Fact, Locus, Message, Part, PartKind, Sign, Signed, Stat, Text, Time, TimeKind, Timed,
};
use crate::read::content;
use crate::read::disk::{EntryKind, OpenFile, Root};
use crate::read::mime::MAX_HEAD_BYTES;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

/// The owner may read and write, as courierd opens a control file (`ctlfile_openfn`).
const OWNER: u32 = 0o600;
/// The group may.
const GROUP: u32 = 0o060;
/// Anybody may.
const OTHERS: u32 = 0o006;
/// courierd takes a message over in three steps, link and two renames, within a moment (`cdmsgq.C`, `tmpscan`).
const TAKING_OVER: i64 = 5;
/// A control file has two names, one in `msgs` and one in `msgq` (`ctlfile_openfn`, `chk`).
const NAMES: u64 = 2;
/// Links are looked for through all of `msgq` so often in one scan.
const MAX_SEARCHES: usize = 100;

/// What the files of a queue are judged by.
#[derive(Debug)]
pub struct Spool {
    /// User and group of courierd; `None` if they are not known.
    pub owner: Option<(u32, u32)>,
    /// Whether hard links were kept; a copy without them has lost what `msgq` is.
    pub links_kept: bool,
    /// Since when a file may be in the making; `None` on a copy.
    pub in_making_since: Option<Time>,
    /// Searches through `msgq` so far.
    pub searches: AtomicUsize,
}

/// A file of the queue.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// The queue.
    pub root: &'a Root,
    /// Its path below the root.
    pub path: &'a Path,
    /// Its name.
    pub name: &'a str,
}

impl Spool {
    /// What files of a queue are judged by, as of a scan that began then.
    pub fn new(owner: Option<(u32, u32)>, links_kept: bool, running_now: Option<Time>) -> Self {
        let in_making_since = running_now.map(|now| now.plus(-TAKING_OVER));
        Self { owner, links_kept, in_making_since, searches: AtomicUsize::new(0) }
    }

    /// Reads a control file in `msgs`, and looks for its data file and its link.
    ///
    /// # Errors
    /// [`Damage`] if the file cannot be read.
    pub fn control(&self, entry: Entry<'_>, inode: u64) -> Result<Message, Damage> {
        let file = entry.root.open_file(entry.path)?;
        let reading = entry.read_control(&file)?;
        let data_path = entry.path.with_file_name(format!("D{inode}"));
        let data = regular(entry.root, &data_path);
        let link = link_of(entry.root, inode, &reading);

        let mut message = entry.message("msgs", PartKind::Envelope, &file.stat);
        let mut signs: Vec<Signed> = content_signs(&entry, &file.stat, &reading).into_iter().collect();
        signs.extend(data_sign(&entry, &data_path, data.as_ref()));
        signs.extend(place_signs(&entry, inode, &file.stat));
        if !self.may_be_in_making(&file.stat) {
            signs.extend(self.link_sign(&entry, inode, &file.stat, link.as_ref()));
        }
        signs.extend(self.owner_sign(&entry, &file.stat));
        let next = link.as_ref().map(|(_, time, _)| *time).or_else(|| reading.attempts.last().copied());
        fill(&mut message, reading, inode, next);
        message.times.push(Timed::mtime(TimeKind::Modified, &file.stat));
        message.size = data.map(|stat| stat.size);
        if let Some(stat) = data {
            message.parts.push(Part::file(PartKind::Content, &data_path, &stat));
        }
        if let Some((path, _, stat)) = &link {
            message.parts.push(Part::file(PartKind::Side, path, stat));
        }
        if signs.iter().any(|signed| !matches!(signed.sign, Sign::NameInode { .. })) && data.is_some() {
            header(&mut message, entry.root, &data_path);
        }
        message.signs = signs;
        Ok(message)
    }

    /// Reads a data file in `msgs` that has no control file beside it; `None`: it has one, and is part of that message.
    ///
    /// # Errors
    /// [`Damage`] if the file cannot be read.
    pub fn data(&self, entry: Entry<'_>, inode: u64) -> Result<Option<Message>, Damage> {
        let beside = entry.path.with_file_name(format!("C{inode}"));
        if entry.root.exists(&beside) {
            return Ok(None);
        }
        let file = entry.root.open_file(entry.path)?;
        if self.may_be_in_making(&file.stat) {
            return Ok(None);
        }
        let mut message = entry.message("msgs", PartKind::Content, &file.stat);
        let missing = format!("there is no `{}`", beside.display());
        let mut facts = vec![Fact::new(missing, Locus::whole(Text::from_path(entry.path)))];
        if let Some((path, stat, reading)) = self.search_link(entry.root, inode) {
            let text = "its other name is still here: sender and recipients can be read, until courierd starts and removes it";
            facts.push(Fact::new(text, Locus::whole(Text::from_path(&path))));
            fill(&mut message, reading, inode, None);
            message.parts.push(Part::file(PartKind::Envelope, &path, &stat));
        }
        message.ids.native.get_or_insert_with(|| Text::from(entry.name));
        message.size = Some(file.stat.size);
        message.times.push(Timed::mtime(TimeKind::Modified, &file.stat));
        header(&mut message, entry.root, entry.path);
        message.signs.push(Signed { sign: Sign::EnvelopeLost, confidence: Confidence::Certain, facts });
        Ok(Some(message))
    }

    /// Reads a link in `msgq` whose control file and data file are gone; `None`: they are not, or it is what a delivered
    /// message leaves for a moment.
    ///
    /// # Errors
    /// [`Damage`] if the file cannot be read.
    pub fn link(&self, entry: Entry<'_>) -> Result<Option<Message>, Damage> {
        let Some((inode, time)) = name::of_link(entry.name) else { return foreign(entry, "msgq").map(Some) };
        let there =
            entry.root.exists(&name::in_msgs('C', inode)) || entry.root.exists(&name::in_msgs('D', inode));
        if there || name::anywhere_in_msgs(inode).any(|path| entry.root.exists(&path)) {
            return Ok(None);
        }
        let file = entry.root.open_file(entry.path)?;
        if self.may_be_in_making(&file.stat) {
            return Ok(None);
        }
        let reading = entry.read_control(&file)?;
        let mut message = entry.message("msgq", PartKind::Side, &file.stat);
        fill(&mut message, reading, inode, Some(time));
        message.times.push(Timed::mtime(TimeKind::Modified, &file.stat));
        let text = "neither control file nor data file is in `msgs`: it was delivered or removed, and only this name is left";
        let fact = Fact::new(text, Locus::whole(Text::from_path(entry.path)));
        message.signs.push(Signed::certain(Sign::SideFileAlone, fact));
        Ok(Some(message))
    }

    fn may_be_in_making(&self, stat: &Stat) -> bool {
        self.in_making_since.is_some_and(|since| stat.changed > since)
    }

    /// courierd tries what has exactly two names, and removes the one in `msgq` of what has one only (`ctlfile_openfn`).
    fn link_sign(
        &self,
        entry: &Entry<'_>,
        inode: u64,
        stat: &Stat,
        link: Option<&(PathBuf, u64, Stat)>,
    ) -> Option<Signed> {
        let place = Text::from_path(entry.path);
        let text = match link {
            None if stat.links >= NAMES => return None,
            None => format!(
                "the control file has one name only, and `msgq` has no `C{inode}.TIME` for any of its planned attempts"
            ),
            Some((_, _, other)) if (other.device, other.inode) != (stat.device, stat.inode) => {
                if !self.links_kept {
                    return None;
                }
                "the name in `msgq` is a file of its own and not the same file: courierd removes it when it comes to it"
                    .to_owned()
            }
            Some(_) if stat.links > NAMES => {
                format!("the file has {} names, and courierd tries only what has exactly two", stat.links)
            }
            Some(_) => return None,
        };
        Some(Signed::certain(Sign::PartMissing, Fact::new(text, Locus::metadata(place))))
    }

    /// The part of courierd that schedules does not run as root.
    fn owner_sign(&self, entry: &Entry<'_>, stat: &Stat) -> Option<Signed> {
        let (user, group) = self.owner?;
        let may = |bits: u32| stat.mode & bits == bits;
        let open = stat.uid == user && may(OWNER) || stat.gid == group && may(GROUP) || may(OTHERS);
        if open || stat.mode == 0 && stat.inode == 0 {
            return None;
        }
        let text = format!(
            "mode {:04o}, owner {}:{}: courierd schedules as {user}:{group}, and may not read and write it",
            stat.mode, stat.uid, stat.gid
        );
        let fact = Fact::new(text, Locus::metadata(Text::from_path(entry.path)));
        Some(Signed::certain(Sign::OwnerOrMode, fact))
    }

    /// Looks through `msgq` for the other name of a control file.
    fn search_link(&self, root: &Root, inode: u64) -> Option<(PathBuf, Stat, Reading)> {
        if self.searches.fetch_add(1, Ordering::Relaxed) >= MAX_SEARCHES {
            return None;
        }
        let start = format!("C{inode}.");
        let folders = root.list(Path::new("msgq")).ok()?.filter_map(Result::ok);
        for (folder, _) in folders {
            let folder = Path::new("msgq").join(folder);
            let Ok(names) = root.list(&folder) else { continue };
            let found = names
                .filter_map(Result::ok)
                .find(|(name, _)| name.to_str().is_some_and(|name| name.starts_with(&start)));
            if let Some((name, _)) = found {
                let path = folder.join(&name);
                let file = root.open_file(&path).ok()?;
                let reading = Entry { root, path: &path, name: "" }.read_control(&file).ok()?;
                return Some((path, file.stat, reading));
            }
        }
        None
    }
}

impl Entry<'_> {
    /// Reads the file as a control file.
    ///
    /// # Errors
    /// [`Damage`] if it cannot be read.
    pub fn read_control(&self, file: &OpenFile) -> Result<Reading, Damage> {
        control::read_pieces(file.stat.size, |at, limit| file.at(at, limit))
            .map_err(|error| self.root.refused(self.path, &error))
    }

    /// A message that has this file as its main part.
    pub fn message(&self, queue: &str, kind: PartKind, stat: &Stat) -> Message {
        let mut message = Message::at(queue, Locus::whole(Text::from_path(self.path)));
        message.parts.push(Part::file(kind, self.path, stat));
        message
    }
}

/// The name in `msgq` of one of the planned attempts, its time and its metadata; the last plan counts
/// (`ctlfile_getnextattempt`).
fn link_of(root: &Root, inode: u64, reading: &Reading) -> Option<(PathBuf, u64, Stat)> {
    reading.attempts.iter().rev().find_map(|time| {
        let path = name::in_msgq(inode, *time);
        let stat = regular(root, &path)?;
        Some((path, *time, stat))
    })
}

/// The metadata of a regular file.
pub fn regular(root: &Root, path: &Path) -> Option<Stat> {
    root.stat(path).ok().filter(|(kind, _)| *kind == EntryKind::Regular).map(|(_, stat)| stat)
}

fn content_signs(entry: &Entry<'_>, stat: &Stat, reading: &Reading) -> Option<Signed> {
    let place = Text::from_path(entry.path);
    let fault = reading.fault.as_ref()?;
    let mut facts = vec![Fact::new(fault.text.clone(), Locus::bytes(place.clone(), fault.start, fault.end))];
    if stat.size == 0 {
        let text =
            "the control file has no bytes, as when the disk was full: it is listed without ID and sender";
        facts.insert(0, Fact::new(text, Locus::metadata(place)));
    }
    let offset = if fault.end == stat.size && fault.start == 0 { stat.size } else { fault.start };
    Some(Signed { sign: Sign::Corrupt { offset }, confidence: Confidence::Certain, facts })
}

/// What is wrong with the data file.
pub fn data_sign(entry: &Entry<'_>, path: &Path, data: Option<&Stat>) -> Option<Signed> {
    match data {
        None => {
            let text = format!("there is no `{}`", path.display());
            Some(Signed::certain(Sign::BodyLost, Fact::new(text, Locus::whole(Text::from_path(entry.path)))))
        }
        Some(stat) if stat.size == 0 => {
            let text = "the data file has no bytes, as when the disk was full";
            let fact = Fact::new(text, Locus::metadata(Text::from_path(path)));
            Some(Signed::certain(Sign::EmptyFile, fact))
        }
        Some(_) => None,
    }
}

/// Bucket and inode of the name.
fn place_signs(entry: &Entry<'_>, inode: u64, stat: &Stat) -> Vec<Signed> {
    let place = Text::from_path(entry.path);
    let mut signs = Vec::new();
    let expected = name::in_msgs('C', inode);
    if expected != entry.path {
        let text = format!("courierd looks for this message at `{}` only", expected.display());
        let sign = Sign::Misfiled { expected: Text::from_path(&expected) };
        signs.push(Signed::certain(sign, Fact::new(text, Locus::whole(place.clone()))));
    }
    if stat.inode != 0 && stat.inode != inode {
        let text = format!("the name was made for inode {inode}, the file has inode {}", stat.inode);
        let sign = Sign::NameInode { named: inode, actual: stat.inode };
        signs.push(Signed::certain(sign, Fact::new(text, Locus::metadata(place))));
    }
    signs
}

/// Reads a file whose name Courier passes over.
///
/// # Errors
/// [`Damage`] if the file cannot be read.
pub fn foreign(entry: Entry<'_>, queue: &str) -> Result<Message, Damage> {
    let file = entry.root.open_file(entry.path)?;
    let mut message = entry.message(queue, PartKind::Whole, &file.stat);
    message.size = Some(file.stat.size);
    message.times.push(Timed::mtime(TimeKind::Modified, &file.stat));
    let text = match name::judge(entry.name) {
        Name::Foreign => "Courier gives no file such a name",
        _ => "Courier gives no file in this folder such a name",
    };
    let fact = Fact::new(text, Locus::whole(Text::from_path(entry.path)));
    message.signs.push(Signed::certain(Sign::ForeignName, fact));
    Ok(message)
}

/// Takes over what a control file says.
pub fn fill(message: &mut Message, reading: Reading, inode: u64, next: Option<u64>) {
    let mut add = |kind: TimeKind, at: Option<Time>, original: String| {
        message.times.extend(at.map(|at| Timed { kind, at, original: original.into() }));
    };
    let id = reading.id.as_ref().map(|id| id.lossy().into_owned()).unwrap_or_default();
    add(TimeKind::Arrival, reading.arrival, id);
    let seconds = |time: Option<Time>| time.map(|time| time.seconds.to_string()).unwrap_or_default();
    add(TimeKind::LastAttempt, reading.last_attempt, seconds(reading.last_attempt));
    add(TimeKind::Expires, reading.expires, format!("E{}", seconds(reading.expires)));
    if let Some(time) = next.filter(|_| !reading.delayed || reading.last_attempt.is_some()) {
        let at = i64::try_from(time).ok().map(Time::from_unix);
        add(TimeKind::NextAttempt, at, format!("C{inode}.{time}"));
    }
    message.ids.native = Some(reading.id.unwrap_or_else(|| Text::from(format!("C{inode}"))));
    if reading.count > reading.recipients.len() as u64 {
        message.envelope.recipient_count = Some(reading.count);
    }
    message.envelope.sender = reading.sender;
    message.envelope.recipients = reading.recipients;
    message.attributes = reading.attributes;
}

/// Adds the header of the data file; what cannot be read of it says nothing against the message.
pub fn header(message: &mut Message, root: &Root, data: &Path) {
    if let Ok(file) = root.open_file(data)
        && let Ok(bytes) = file.head(MAX_HEAD_BYTES)
    {
        content::add_headers(message, &bytes);
    }
}
