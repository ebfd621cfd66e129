//! What name, owner, mode and content of a message say of its fate.
//!
//! Source: sendmail `sendmail/queue.c` (`readqf`, `gatherq`, `loseqfile`), `sendmail/envelope.c` (`dropenvelope`).

use super::control_file::{NEWEST, UnknownVersion};
use super::message::{Control, Data, Entry};
use super::name::{self, Queue};
use super::reading::{Fate, Reading};
use super::spool::Spool;
use crate::evidence::{Confidence, Fact, Locus, Message, Sign, Signed, Stat, Text};
use std::path::Path;

/// Others may write.
const WRITABLE_BY_OTHERS: u32 = 0o002;
/// The group may write.
const WRITABLE_BY_GROUP: u32 = 0o020;

/// The signs of a message with a control file.
pub fn of_message(
    spool: &Spool,
    entry: Entry<'_>,
    queue: Queue,
    control: &Control,
    data: Option<&Data>,
    temporary: Option<&Path>,
    message: &mut Message,
) {
    let signs = &mut message.signs;
    let damaged = content(entry, queue, control, data, signs);
    let empty = control.stat.size == 0;
    if data.is_none() && !empty {
        signs.push(body_lost(entry, spool));
    }
    let loose = loose_mode(spool, entry, &control.stat);
    match queue {
        Queue::Lost if !damaged => signs.push(set_aside(entry, loose)),
        Queue::Quarantined => signs.push(held(entry, &control.reading)),
        _ => signs.extend(loose.map(|fact| Signed::certain(Sign::OwnerOrMode, fact))),
    }
    if queue == Queue::Normal {
        signs.extend(half_quarantined(entry, &control.reading));
        signs.extend(blocks_queue(entry, &control.reading));
    }
    signs.extend(second_copy(entry));
    signs.extend(other_queue(spool, entry));
    if let Some(temporary) = temporary {
        let text = "a process died while it rewrote the control file after an attempt: whoever was delivered to in that \
                    attempt is still in the old one";
        signs.push(Signed::likely(
            Sign::JournalLeft,
            Fact::new(text, Locus::whole(Text::from_path(temporary))),
        ));
    }
}

/// What the bytes of a control file say; whether that is damage.
fn content(
    entry: Entry<'_>,
    queue: Queue,
    control: &Control,
    data: Option<&Data>,
    signs: &mut Vec<Signed>,
) -> bool {
    let place = entry.place();
    if control.stat.size == 0 {
        let mut facts = vec![Fact::new("the control file has no bytes", Locus::metadata(place))];
        facts.push(match data {
            Some(data) => Fact::new(
                format!("its body is there, {} bytes", data.stat.size),
                Locus::metadata(Text::from_path(&data.path)),
            ),
            None => Fact::new("there is no data file either", Locus::whole(entry.place())),
        });
        signs.push(Signed { sign: Sign::EmptyFile, confidence: Confidence::Certain, facts });
        return true;
    }
    let reading = &control.reading;
    let Some(leading) = reading.leading_fault() else { return false };
    let faults = std::iter::once(leading).chain(reading.faults.iter().filter(|fault| *fault != leading));
    let mut facts: Vec<Fact> = faults
        .map(|fault| Fact::new(fault.text.clone(), Locus::bytes(place.clone(), fault.start, fault.end)))
        .collect();
    if queue != Queue::Lost {
        facts.insert(1, Fact::new(leading.fate.describe(), Locus::whole(place.clone())));
    }
    let salvage = reading.salvage();
    facts.extend(salvage.map(|text| Fact::new(text, Locus::bytes(place, 0, control.stat.size))));
    signs.push(Signed {
        sign: Sign::Corrupt { offset: leading.start },
        confidence: leading.confidence,
        facts,
    });
    true
}

/// Without a sender the queue run dies in `deliver.c` (`SM_ASSERT(e->e_from.q_mailer != NULL)`). It is tried again and
/// again, since nothing moves it back in the order, and what stands behind it is never tried. Observed on 8.17.1.
fn blocks_queue(entry: Entry<'_>, reading: &Reading) -> Option<Signed> {
    let leading = reading.leading_fault()?;
    let blocks = reading.ended && leading.fate == Fate::Dies && reading.recipient_count > 0;
    let text = "it has recipients and no line `S` with a sender: every queue run dies on it, and what is behind it waits";
    blocks.then(|| Signed::likely(Sign::BlocksQueue, Fact::new(text, Locus::whole(entry.place()))))
}

fn body_lost(entry: Entry<'_>, spool: &Spool) -> Signed {
    let places = if spool.folders.paths.len() > 1 { "any queue folder" } else { "its folder" };
    let text = format!("there is no data file `df{}` in {places}", String::from_utf8_lossy(entry.id));
    Signed::certain(Sign::BodyLost, Fact::new(text, Locus::whole(entry.place())))
}

/// `readqf` refuses a control file that others than its owner may write. Whose it is does not matter to a sendmail that
/// runs as root; on 8.17.1 a file of another user was delivered.
fn loose_mode(spool: &Spool, entry: Entry<'_>, stat: &Stat) -> Option<Fact> {
    // A system that knows neither inodes nor modes.
    if stat.inode == 0 && stat.mode & 0o777 == 0o666 {
        return None;
    }
    let group = || {
        spool.group_may_write.unwrap_or_else(|| {
            // Where the submission program works by its group, the folder is writable by it as well.
            spool.client
                || entry.root.stat(entry.folder).is_ok_and(|(_, stat)| stat.mode & WRITABLE_BY_GROUP != 0)
        })
    };
    let who = if stat.mode & WRITABLE_BY_OTHERS != 0 {
        "anybody"
    } else if stat.mode & WRITABLE_BY_GROUP != 0 && !group() {
        "its group"
    } else {
        return None;
    };
    let text = format!("mode {:04o}: sendmail does not trust a control file that {who} may write", stat.mode);
    Some(Fact::new(text, Locus::metadata(entry.place())))
}

fn set_aside(entry: Entry<'_>, loose: Option<Fact>) -> Signed {
    let place = Locus::whole(entry.place());
    let renamed = "the name begins with `Qf`: sendmail set it aside as lost";
    if let Some(fact) = loose {
        let facts = vec![fact, Fact::new(renamed, place)];
        return Signed { sign: Sign::OwnerOrMode, confidence: Confidence::Certain, facts };
    }
    let text =
        format!("{renamed}, and neither its mode nor its content says why any more; its log line does");
    Signed::likely(Sign::OwnerOrMode, Fact::new(text, place))
}

fn held(entry: Entry<'_>, reading: &Reading) -> Signed {
    let (start, end) = reading.quarantine_at;
    let fact = match &reading.quarantine {
        Some(reason) => Fact::new(
            format!("it is quarantined: {}", reason.lossy()),
            Locus::bytes(entry.place(), start as u64, end as u64),
        ),
        None => Fact::new("the name begins with `hf`: it is quarantined", Locus::whole(entry.place())),
    };
    Signed::certain(Sign::Held, fact)
}

/// `qfID.bak` beside `qfID`: sendmail takes `ID.bak` for an ID like any other, lists it and tries it. Observed on 8.17.1.
fn second_copy(entry: Entry<'_>) -> Option<Signed> {
    let stem = name::stem(entry.id)?;
    let original = Entry { id: stem, ..entry };
    let original = ['q', 'h', 'Q'].into_iter().find_map(|letter| original.beside(letter))?;
    let text = format!(
        "a copy of `{}` by its name; sendmail lists it and sends it as a message of its own",
        original.display()
    );
    Some(Signed::likely(Sign::SecondCopy, Fact::new(text, Locus::whole(entry.place()))))
}

/// A line `q` in a file that is not called `hf`: somebody renamed it, or a rename was interrupted.
fn half_quarantined(entry: Entry<'_>, reading: &Reading) -> Option<Signed> {
    let reason = reading.quarantine.as_ref()?.lossy();
    let (start, end) = reading.quarantine_at;
    let locus = Locus::bytes(entry.place(), start as u64, end as u64);
    let (confidence, text) = if reading.hidden_by_quarantine {
        let text =
            "stands so early in a file that is not called `hf` that listing and queue runs pass over it";
        (Confidence::Certain, text)
    } else {
        (Confidence::Possible, "stands in a file that is not called `hf`: the next queue run renames it so")
    };
    let fact = Fact::new(format!("the quarantine reason `{reason}` {text}"), locus);
    Some(Signed { sign: Sign::Held, confidence, facts: vec![fact] })
}

/// The sign of lying in a folder that the configuration does not name.
pub fn other_queue(spool: &Spool, entry: Entry<'_>) -> Option<Signed> {
    if spool.reads(entry.folder) != Some(false) {
        return None;
    }
    let folder = spool.label(entry.folder);
    let text =
        format!("no QueueDirectory and no queue group of its configuration takes in the folder `{folder}`");
    Some(Signed::certain(Sign::OtherQueue, Fact::new(text, Locus::whole(entry.place()))))
}

/// The signs of a control file that was begun and has no other beside it.
pub fn of_unfinished(
    spool: &Spool,
    entry: Entry<'_>,
    control: &Control,
    data: Option<&Data>,
    message: &mut Message,
) {
    let place = entry.place();
    let text = "the name begins with `tf` or `Tf`: sendmail renames it to `qf` as its last act, and did not come to that";
    let mut facts = vec![Fact::new(text, Locus::whole(place.clone()))];
    if let Some(fault) = control.reading.leading_fault() {
        facts.push(Fact::new(fault.text.clone(), Locus::bytes(place.clone(), fault.start, fault.end)));
        let salvage = control.reading.salvage();
        facts.extend(salvage.map(|text| Fact::new(text, Locus::bytes(place, 0, control.stat.size))));
    } else {
        let text = "every line is there, from the version to the final `.`: only the name is not set";
        facts.push(Fact::new(text, Locus::bytes(place, 0, control.stat.size)));
    }
    message.signs.push(Signed { sign: Sign::Unfinished, confidence: Confidence::Certain, facts });
    if data.is_none() {
        message.signs.push(body_lost(entry, spool));
    }
    message.signs.extend(other_queue(spool, entry));
}

/// The sign of a name that sendmail passes over.
pub fn of_foreign(entry: Entry<'_>, why: &str, message: &mut Message) {
    message.signs.push(Signed::certain(Sign::ForeignName, Fact::new(why, Locus::whole(entry.place()))));
}

/// A file that sendmail set aside, of a version that is not known: that is why, and its content is not judged.
pub fn of_unknown_version(unknown: UnknownVersion, bytes: &[u8]) -> Reading {
    let mut reading = Reading { unread: true, ..Reading::default() };
    let end = memchr::memchr(b'\n', bytes).unwrap_or(bytes.len());
    let text = format!(
        "it is of version {} of the format; sendmail 8.17 knows version {NEWEST} and sets such a file aside, and what \
         is in it is not known",
        unknown.0
    );
    reading.fault(0, end, Confidence::Likely, Fate::Lost, text);
    reading
}

/// A file that is longer than what was read of it.
pub fn of_long_file(reading: &mut Reading, size: u64, read: u64, ended: bool) {
    let text = format!("{size} bytes, of which the first {read} were read");
    reading.attribute("control_file", Text::from(text));
    if ended {
        reading.ended = true;
    } else {
        let end = usize::try_from(size).unwrap_or(usize::MAX);
        let text = "the line `.` that ends a control file is missing";
        reading.fault(end, end, Confidence::Certain, Fate::GivenUp, text);
    }
}
