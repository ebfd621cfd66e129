//! Whether a file or folder is an export.

use super::dialect::{Shape, mapi_shape};
use super::header_row::{Likeness, likeness};
use super::jsonlines;
use super::labels::FOLDER_FILE;
use super::{delimited, folder};
use crate::read::lines::decode_head;
use crate::sources::{Detected, Place};

/// The variant of a whole folder.
pub const FOLDER: &str = "mfcmapi-folder";
/// The variant of a folder that the user named, which is read whatever it is called.
pub const NAMED_FOLDER: &str = "mfcmapi-folder-named";
/// The variant of a file that the user says is an export; opening it says why it is none.
const UNKNOWN: &str = "unknown";

/// What a file is, by its first bytes.
#[derive(Debug)]
pub enum Verdict {
    /// An export that nothing else could be, and what it was recognised by.
    Certain(Shape, String),
    /// Something that could be one.
    Weak(Shape, String),
    /// Not one; what it looks like instead, and what to do.
    Other(String),
}

/// Judges the first bytes of a file.
pub fn judge(head: &[u8]) -> Verdict {
    let text = decode_head(head, None);
    if let Some((shape, era)) = mapi_shape(&text) {
        return Verdict::Certain(shape, era.to_owned());
    }
    let start = text.trim_start();
    if start.is_empty() {
        return Verdict::Other("it is empty".into());
    }
    if head.starts_with(b"\xd0\xcf\x11\xe0") {
        return Verdict::Other("it is an Outlook message (.msg), which is not read; export it as XML".into());
    }
    if start.starts_with('<') {
        return Verdict::Other(format!("it starts like XML of another kind: `{}`", first_element(start)));
    }
    if let Some(keys) = jsonlines::first_keys(start) {
        let why = format!("JSON lines with the keys {}", keys.join(", "));
        return verdict(Shape::JsonLines, why, likeness(keys.iter().map(String::as_str)), &keys);
    }
    if start.starts_with('[') {
        return Verdict::Other("it is a JSON array; write one object a line, as `jq -c '.[]'` does".into());
    }
    if start.starts_with('{') {
        return Verdict::Other(
            "it is JSON over several lines; write one object a line, as `jq -c .` does".into(),
        );
    }
    let binary = text.chars().take(512).any(|c| c.is_control() && !c.is_whitespace());
    match delimited::header(&text).filter(|_| !binary) {
        Some((delimiter, names)) => {
            let why = format!("a table with the columns {}", super::value::cut(&names.join(", "), 200));
            verdict(Shape::Delimited(delimiter), why, likeness(names.iter().map(String::as_str)), &names)
        }
        None => Verdict::Other("it is neither XML nor text of a kind that is known".into()),
    }
}

fn verdict(shape: Shape, why: String, likeness: Likeness, names: &[String]) -> Verdict {
    match likeness {
        Likeness::Certain => Verdict::Certain(shape, why),
        Likeness::Weak => Verdict::Weak(shape, why),
        Likeness::Listing(what) => Verdict::Other(format!("it is {what}; give it with `--listing`")),
        Likeness::None => {
            let names = super::value::cut(&names.join(", "), 200).to_owned();
            Verdict::Other(format!(
                "none of its columns is known: {names}; say what they are with `--map COLUMN=FIELD`"
            ))
        }
    }
}

fn first_element(text: &str) -> &str {
    let element = text.lines().map(str::trim).find(|line| line.starts_with('<') && !line.starts_with("<?"));
    super::value::cut(element.unwrap_or_default(), 60)
}

/// Recognises a folder by the files that MFCMAPI writes into it, and a file by its first bytes.
pub fn detect(place: &Place<'_>) -> Option<Detected> {
    let detected =
        |why: String, variant| Some(Detected { root: place.path.to_owned(), why, config: None, variant });
    if place.is_directory {
        let file = [FOLDER_FILE, "CONTENTS_TABLE.xml"].into_iter().find(|file| place.has(file))?;
        let named = place.named || place.chosen;
        let has_queue = place.entries.iter().any(|(name, _)| name.to_str().is_some_and(folder::is_queue));
        if !named && !has_queue && folder::says_queue(place.path) == Some(false) {
            return None;
        }
        let why = format!("folder exported by MFCMAPI: `{file}` is in it");
        return detected(why, if named { NAMED_FOLDER } else { FOLDER });
    }
    match judge(place.head) {
        // A label alone is an export of nothing; found on the way it is left to the exports that it labels.
        Verdict::Certain(shape, _) if shape.is_label() && !(place.named || place.chosen) => None,
        // A table of somebody's inbox, found on the way, is no queue.
        Verdict::Certain(..) if !(place.named || place.chosen) && lies_in_another_folder(place) => None,
        Verdict::Certain(shape, why) => detected(why, shape.name()),
        Verdict::Weak(shape, why) if place.named || place.chosen => detected(why, shape.name()),
        Verdict::Weak(..) => None,
        Verdict::Other(what) => place.chosen.then(|| detected(what, UNKNOWN)).flatten(),
    }
}

fn lies_in_another_folder(place: &Place<'_>) -> bool {
    place.path.parent().is_some_and(|folder| folder::says_queue(folder) == Some(false))
}
