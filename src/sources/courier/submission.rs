//! What is in `tmp`: messages that submit writes, and messages that it has finished and courierd has not yet taken over.
//! Source: Courier `courier/submit2.C` (names, order), `courier/cdmsgq.C`, `tmpscan`.

use super::message::{self, Entry};
use super::name::{self, Name};
use crate::evidence::{
    Confidence, Damage, Fact, Locus, Message, Part, PartKind, Sign, Signed, Stat, Text, TimeKind, Timed,
};
use crate::read::disk::Root;
use std::path::{Path, PathBuf};

/// Unnamed control files that are looked at to find the one of a data file; more are not written at a time.
const MAX_BEGUN: usize = 64;

/// Reads a file in `tmp`; `None` if it is part of another message, or of none.
///
/// # Errors
/// [`Damage`] if the file cannot be read.
pub fn read(entry: Entry<'_>) -> Result<Option<Message>, Damage> {
    match name::judge(entry.name) {
        Name::Control(inode) => handed_in(entry, inode).map(Some),
        Name::Several(inode) => {
            // The first of several is renamed last, and until then none of them is taken over.
            let first = entry.path.with_file_name(format!("C{inode}.1"));
            if entry.root.exists(&first) {
                begun(entry, None).map(Some)
            } else {
                handed_in(entry, inode).map(Some)
            }
        }
        Name::Begun { pid } => begun(entry, Some(pid)).map(Some),
        Name::Data(inode, rest) => alone(entry, inode, rest),
        Name::Foreign => Ok(None),
    }
}

/// A control file with its final name: the message was accepted, and its sender told so.
fn handed_in(entry: Entry<'_>, inode: u64) -> Result<Message, Damage> {
    let file = entry.root.open_file(entry.path)?;
    let reading = entry.read_control(&file)?;
    let data_path = data_of(&entry);
    let data = message::regular(entry.root, &data_path);
    let mut found = entry.message("tmp", PartKind::Envelope, &file.stat);
    let text = "submit has finished it and told the sender so, and courierd has not taken it over";
    let fact = Fact::new(text, Locus::whole(Text::from_path(entry.path)));
    found.signs.push(Signed::certain(Sign::Unclaimed, fact));
    found.signs.extend(message::data_sign(&entry, &data_path, data.as_ref()));
    message::fill(&mut found, reading, inode, None);
    finish(&mut found, &entry, &file.stat, &data_path, data.as_ref());
    Ok(found)
}

/// A control file that submit was still writing.
fn begun(entry: Entry<'_>, pid: Option<u32>) -> Result<Message, Damage> {
    let file = entry.root.open_file(entry.path)?;
    let reading = entry.read_control(&file)?;
    // Its data file is named after the inode that it had, and that inode stands in the queue ID, too.
    let inode = reading.inode().unwrap_or(file.stat.inode);
    let data_path = match pid {
        Some(_) => entry.path.with_file_name(format!("D{inode}")),
        None => data_of(&entry),
    };
    let data = message::regular(entry.root, &data_path);
    let place = Text::from_path(entry.path);
    let mut found = entry.message("tmp", PartKind::Envelope, &file.stat);
    let recipients = match reading.count {
        1 => "1 recipient".to_owned(),
        count => format!("{count} recipients"),
    };
    let size = data.map_or(0, |stat| stat.size);
    let facts = vec![
        Fact::new(
            "submit gives the control file its final name when the message is whole, and did not come to that",
            Locus::whole(place.clone()),
        ),
        Fact::new(
            format!("can still be read: {recipients}, {size} bytes of content"),
            Locus::whole(Text::from_path(&data_path)),
        ),
    ];
    found.signs.push(Signed { sign: Sign::Unfinished, confidence: Confidence::Certain, facts });
    if let Some(pid) = pid {
        let text = format!("the name has the number of the process that wrote it, {pid}");
        found.signs.push(Signed::certain(Sign::OwnedByProcess { pid }, Fact::new(text, Locus::whole(place))));
    }
    message::fill(&mut found, reading, inode, None);
    finish(&mut found, &entry, &file.stat, &data_path, data.as_ref());
    Ok(found)
}

/// A data file whose control file is nowhere in the folder.
fn alone(entry: Entry<'_>, inode: u64, rest: &str) -> Result<Option<Message>, Damage> {
    let controls = [format!("C{rest}"), format!("C{inode}.1")];
    let beside = controls.iter().any(|control| entry.root.exists(&entry.path.with_file_name(control)));
    if beside || is_of_begun(entry.root, entry.path, inode) {
        return Ok(None);
    }
    let file = entry.root.open_file(entry.path)?;
    let mut found = entry.message("tmp", PartKind::Content, &file.stat);
    found.ids.native = Some(Text::from(entry.name));
    let text =
        "a data file without its control file: submit was interrupted, and sender and recipients are lost";
    let fact = Fact::new(text, Locus::whole(Text::from_path(entry.path)));
    found.signs.push(Signed::certain(Sign::Unfinished, fact));
    found.size = Some(file.stat.size);
    found.times.push(Timed::mtime(TimeKind::Modified, &file.stat));
    message::header(&mut found, entry.root, entry.path);
    Ok(Some(found))
}

/// Whether an unnamed control file in the same folder has this inode, or had it when its queue ID was made.
fn is_of_begun(root: &Root, path: &Path, inode: u64) -> bool {
    let Some(folder) = path.parent() else { return false };
    let Ok(names) = root.list(folder) else { return false };
    let begun = names
        .filter_map(Result::ok)
        .map(|(name, _)| name)
        .filter(|name| name.to_str().is_some_and(|name| matches!(name::judge(name), Name::Begun { .. })));
    begun.take(MAX_BEGUN).any(|name| {
        let path = folder.join(&name);
        let Ok(file) = root.open_file(&path) else { return false };
        let reading = Entry { root, path: &path, name: "" }.read_control(&file);
        file.stat.inode == inode || reading.is_ok_and(|reading| reading.inode() == Some(inode))
    })
}

/// `D…` beside `C…`.
fn data_of(entry: &Entry<'_>) -> PathBuf {
    entry.path.with_file_name(format!("D{}", entry.name.get(1..).unwrap_or_default()))
}

fn finish(found: &mut Message, entry: &Entry<'_>, stat: &Stat, data_path: &Path, data: Option<&Stat>) {
    found.times.push(Timed::mtime(TimeKind::Modified, stat));
    found.size = data.map(|data| data.size);
    if let Some(data) = data {
        found.parts.push(Part::file(PartKind::Content, data_path, data));
        message::header(found, entry.root, data_path);
    }
}
