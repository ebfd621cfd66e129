//! Badmail: `.BAD` is the message, `.BDR` says why in words, `.BDP` holds what else was known, in a layout that is not
//! documented. The three share a stem. Exchange 2003 SP1 and later write none of them by default (KB 884068).

use super::eml;
use super::layout::Folder;
use super::names::{self, NameKind};
use super::read::{Outcome, State, add_modified, readable, side_file};
use crate::evidence::{Fact, Ids, Locus, Message, PartKind, RecipientState, Sign, Signed, Text};
use crate::read::disk::Root;
use std::path::{Path, PathBuf};

/// A reason is a few lines; this much of it is kept.
const MAX_REASON_BYTES: usize = 4 << 10;

/// Reads one file of a Badmail folder.
pub fn read(state: &State, root: &Root, folder: &Folder, path: &Path) -> Outcome {
    match names::kind_of(path) {
        NameKind::Bad | NameKind::Message => message(state, root, folder, path),
        NameKind::BadReason => alone(root, folder, path, &["BAD"]),
        NameKind::BadProperties => alone(root, folder, path, &["BAD", "BDR"]),
        _ => Ok(None),
    }
}

fn message(state: &State, root: &Root, folder: &Folder, path: &Path) -> Outcome {
    let mut eml = eml::read(root, folder, path, RecipientState::Unknown, state.deep)?;
    add_companions(&mut eml.message, root, path, &["BDR", "BDP"]);
    if !eml.empty {
        let text = "it could be neither delivered nor returned, and nothing takes files out of this folder";
        let fact = Fact::new(text, Locus::whole(Text::from_path(path)));
        eml.message.signs.push(Signed::certain(Sign::Unclaimed, fact));
    }
    Ok(Some(eml.message))
}

/// A `.BDR` or `.BDP` whose leading file (the first of these that is there) is not there.
fn alone(root: &Root, folder: &Folder, path: &Path, leaders: &[&str]) -> Outcome {
    readable(root, path)?;
    if leaders.iter().any(|ending| companion(root, path, ending).is_some()) {
        return Ok(None);
    }
    let mut message = Message::at(folder.label.clone(), Locus::whole(Text::from_path(path)));
    let native = path.file_stem().map(|stem| Text::from_path(Path::new(stem)));
    message.ids = Ids { native, message_id: None };
    let own = names::extension_upper(path);
    add_companions(&mut message, root, path, if own == "BDR" { &["BDR", "BDP"] } else { &["BDP"] });
    add_modified(&mut message);
    let text = format!("a `.{own}` is here and the `.BAD` of the same name, which holds the message, is not");
    let fact = Fact::new(text, Locus::whole(Text::from_path(path)));
    message.signs.push(Signed::certain(Sign::SideFileAlone, fact));
    Ok(Some(message))
}

fn add_companions(message: &mut Message, root: &Root, path: &Path, endings: &[&str]) {
    for ending in endings {
        let Some(beside) = companion(root, path, ending) else { continue };
        if *ending == "BDR" {
            side_file(message, root, &beside, PartKind::Side);
            add_reason(message, root, &beside);
        } else {
            side_file(message, root, &beside, PartKind::OpaqueStream);
        }
    }
}

/// The file of the same stem with this ending, in the cases in which copies spell it.
fn companion(root: &Root, path: &Path, ending: &str) -> Option<PathBuf> {
    if names::extension_upper(path) == ending {
        return Some(path.to_owned());
    }
    [ending.to_owned(), ending.to_ascii_lowercase()]
        .iter()
        .map(|ending| path.with_extension(ending))
        .find(|beside| root.exists(beside))
}

/// `… the following error was encountered: "…" … The specific error code was 0xC00402C7.` (KB Q319285; aspfaq.com)
fn add_reason(message: &mut Message, root: &Root, path: &Path) {
    let bytes = root.open_file(path).ok().and_then(|file| file.head(MAX_REASON_BYTES).ok());
    let Some(bytes) = bytes else { return };
    if let Some(code) = error_code(&bytes) {
        message.attributes.push(("error code".into(), code.into()));
    }
    message.attributes.push(("reason".into(), Text::new(bytes.trim_ascii())));
}

fn error_code(text: &[u8]) -> Option<String> {
    const BEFORE: &[u8] = b"error code was ";
    let at = memchr::memmem::find(text, BEFORE)? + BEFORE.len();
    let digits = text.get(at..)?.strip_prefix(b"0x")?;
    let length = digits.iter().take(8).take_while(|byte| byte.is_ascii_hexdigit()).count();
    let digits = digits.get(..length).filter(|digits| !digits.is_empty())?;
    Some(format!("0x{}", String::from_utf8_lossy(digits)))
}
