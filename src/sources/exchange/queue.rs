//! The Queue folder: one message per `.EML`, its envelope in named streams.
//!
//! The NTFS store driver keeps content and envelope on the file system (`TechNet` aa998408, NTFSDrv.dll). That the envelope
//! is in named streams is widely repeated and not documented, and their layout is not public: streams are evidence of
//! an envelope, and are never read as one.

use super::eml::{self, Eml};
use super::layout::{Folder, FolderKind};
use super::names::{self, NameKind};
use super::read::{Outcome, State, add_modified, readable, side_file};
use crate::evidence::{Confidence, Fact, Locus, Message, PartKind, RecipientState, Sign, Signed, Text};
use crate::read::disk::Root;
use crate::read::streams;
use std::path::{Path, PathBuf};

/// Whether named streams survived the way to this machine, from a look at the first queue files of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StreamsSeen {
    /// A file that has one: then a file without has lost its own.
    Yes {
        /// That file.
        file: Text,
        /// Its stream.
        stream: Text,
    },
    /// None has: then it is more likely that the copy lost all of them.
    No {
        /// How many files were looked at.
        looked_at: u64,
        /// Whether those were all.
        all: bool,
    },
}

/// Queue files that are looked at before the scan.
const MAX_PROBED: u64 = 2_000;
/// Names of a folder that are looked at before the scan, for streams that lie there as files.
const MAX_NAMES: usize = 200_000;

/// Looks for named streams before the scan: which lie as files in the folders, and whether any queue file has one.
pub fn survey(root: &Root, folders: &mut [Folder]) -> StreamsSeen {
    let (mut looked_at, mut all, mut seen) = (0, true, None);
    for folder in folders {
        let list = || root.list(&listed(&folder.path)).into_iter().flatten().flatten().take(MAX_NAMES);
        let (mut beside, mut transcripts) = (std::mem::take(&mut folder.beside), false);
        list().for_each(|(name, _)| {
            beside.note(&name);
            transcripts |= names::kind_of(&name) == NameKind::Transcript;
        });
        (folder.beside, folder.has_transcripts) = (beside, transcripts);
        if !matches!(folder.kind, FolderKind::Queue | FolderKind::QueueAside) || seen.is_some() {
            continue;
        }
        for (name, _) in list().filter(|(name, _)| names::kind_of(name) == NameKind::Message) {
            if looked_at == MAX_PROBED {
                all = false;
                break;
            }
            let path = folder.path.join(&name);
            let Ok(file) = root.open_file(&path) else { continue };
            looked_at += 1;
            if let Some(stream) = streams::any(root, &path, &file, &folder.beside) {
                seen = Some(StreamsSeen::Yes { file: Text::from_path(&path), stream });
                break;
            }
        }
    }
    seen.unwrap_or(StreamsSeen::No { looked_at, all })
}

/// The root itself is listed as `.`.
fn listed(path: &Path) -> PathBuf {
    if path.as_os_str().is_empty() { PathBuf::from(".") } else { path.to_owned() }
}

/// Reads one file of a queue folder.
pub fn read(state: &State, root: &Root, folder: &Folder, path: &Path) -> Outcome {
    match names::kind_of(path) {
        NameKind::Message => message(state, root, folder, path),
        NameKind::Transcript => transcript(root, folder, path),
        NameKind::Foreign | NameKind::Database => Ok(None),
        _ if folder.kind == FolderKind::QueueAside => Ok(None),
        _ => stranger(state, root, folder, path),
    }
}

fn message(state: &State, root: &Root, folder: &Folder, path: &Path) -> Outcome {
    let mut eml = eml::read(root, folder, path, RecipientState::Unknown, state.deep)?;
    for ending in ["LTR", "RTR", "ltr", "rtr"] {
        let beside = path.with_extension(ending);
        if folder.has_transcripts && root.exists(&beside) {
            side_file(&mut eml.message, root, &beside, PartKind::Side);
        }
    }
    if !eml.empty && !eml.has_envelope() {
        let sign = envelope_lost(state, &eml, path);
        eml.message.signs.push(sign);
    }
    if folder.kind == FolderKind::QueueAside {
        let text = format!(
            "`{}` lies beside the queue and is named after it; the SMTP service reads only the folder that its \
             metabase names (`QueueDirectory`)",
            folder.label
        );
        let fact = Fact::new(text, Locus::whole(Text::from_path(&folder.path)));
        eml.message.signs.push(Signed::likely(Sign::OtherQueue, fact));
    }
    Ok(Some(eml.message))
}

/// A file without envelope, next to files that have theirs, has lost it; where no file has one, the copy lost them.
fn envelope_lost(state: &State, eml: &Eml, path: &Path) -> Signed {
    let mut facts = vec![Fact::new(
        format!("its envelope is gone: {}, no x-sender or x-receiver at its top", streams::looked_for()),
        Locus::whole(Text::from_path(path)),
    )];
    let mut confidence = Confidence::Possible;
    match &state.streams {
        StreamsSeen::Yes { file, stream } => {
            confidence = Confidence::Likely;
            let text = format!("other queue files kept their streams, this one has `{}`", stream.lossy());
            facts.push(Fact::new(text, Locus::whole(file.clone())));
        }
        StreamsSeen::No { looked_at, all } => {
            let which = if *all { "all" } else { "the first" };
            let text = format!(
                "no file in the whole tree has a stream ({which} {looked_at} queue files were looked at), so that this \
                 copy probably lost them all, as zip, FAT and a plain cp do"
            );
            facts.push(Fact::new(text, Locus::whole(Text::from_path(path.parent().unwrap_or(path)))));
        }
    }
    if let Some(why) = &eml.streams.unsure {
        confidence = Confidence::Possible;
        facts.push(Fact::new(why.clone(), Locus::metadata(Text::from_path(path))));
    }
    if !streams::all_can_be_seen() {
        confidence = Confidence::Possible;
    }
    Signed { sign: Sign::EnvelopeLost, confidence, facts }
}

/// `.LTR` and `.RTR` of IIS 4 (chilkatsoft.com, "IIS SMTP Service Overview"). That they share the stem of their message is
/// inferred from the pairs in Badmail.
fn transcript(root: &Root, folder: &Folder, path: &Path) -> Outcome {
    readable(root, path)?;
    if ["EML", "eml", "Eml"].iter().any(|ending| root.exists(&path.with_extension(ending))) {
        return Ok(None);
    }
    let mut message = Message::at(folder.label.clone(), Locus::whole(Text::from_path(path)));
    side_file(&mut message, root, path, PartKind::Side);
    add_modified(&mut message);
    let text = "a transcript of delivery is here and no message of the same name";
    let fact = Fact::new(text, Locus::whole(Text::from_path(path)));
    let sign = Sign::SideFileAlone;
    message.signs.push(Signed { sign, confidence: Confidence::Possible, facts: vec![fact] });
    Ok(Some(message))
}

/// A file whose name the SMTP service would not give: a copy that somebody set aside, or something else altogether.
fn stranger(state: &State, root: &Root, folder: &Folder, path: &Path) -> Outcome {
    let mut eml = eml::read(root, folder, path, RecipientState::Unknown, state.deep)?;
    if eml.message.headers.is_empty() && eml.message.ids.message_id.is_none() {
        return Ok(None);
    }
    let text = "it reads like a message, and queue files end in `.EML`, so that the SMTP service will not take it up";
    let fact = Fact::new(text, Locus::whole(Text::from_path(path)));
    eml.message.signs.push(Signed::likely(Sign::ForeignName, fact));
    Ok(Some(eml.message))
}
