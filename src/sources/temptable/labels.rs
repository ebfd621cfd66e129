//! Files beside an export that say whose it is: `FOLDER_PROPS.xml` names the folder, `MAILBOX_TABLE.xml` the store.

use super::scanner::{Event, Scanner, attribute};
use crate::evidence::{Fact, Locus, Text};
use crate::read::disk::Root;
use crate::read::lines::{Lines, decode_single_byte};
use std::io::Read as _;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// What `dumpStore.cpp` calls the properties of a folder.
pub const FOLDER_FILE: &str = "FOLDER_PROPS.xml";
/// What it calls the list of mailboxes.
pub const MAILBOX_FILE: &str = "MAILBOX_TABLE.xml";
/// Label files are small; a hostile one is not read further.
const MAX_LABEL_BYTES: u64 = 16 << 20;
/// "Export server contents" puts `MAILBOX_TABLE.xml` above the folder of each mailbox, which is above its folders.
const MAX_LEVELS_UP: usize = 3;
/// Mailboxes of one table that are looked at.
const MAX_MAILBOXES: usize = 10_000;

/// What the files beside an export say.
#[derive(Debug, Default)]
pub struct Labels {
    /// Display name of the folder: `TempTable#1`.
    pub folder: Option<String>,
    /// How many messages the folder held.
    pub count: Option<u64>,
    /// Display name of the mailbox: `SMTP (SERVER-{GUID})`.
    pub store: Option<String>,
    /// Both, and where they were read.
    pub facts: Vec<Fact>,
}

impl Labels {
    /// How many messages there should be, and who says so.
    pub fn expected(&self) -> Option<(u64, String)> {
        self.count.map(|count| (count, format!("`{FOLDER_FILE}` (PR_CONTENT_COUNT)")))
    }
}

/// Looks beside the export, and for the mailbox table also above it.
pub fn around(root: &Root) -> Labels {
    let mut labels = Labels::default();
    folder(root, Path::new(FOLDER_FILE), &mut labels);
    let mut above = root.path().to_owned();
    for _ in 0..=MAX_LEVELS_UP {
        let found = Root::open(&above).ok().is_some_and(|place| mailbox(&place, root.path(), &mut labels));
        if found {
            break;
        }
        above.push("..");
    }
    labels
}

/// Reads the label of one folder below the root.
pub fn of_folder(root: &Root, path: &Path) -> Labels {
    let mut labels = Labels::default();
    folder(root, &path.join(FOLDER_FILE), &mut labels);
    labels
}

/// Reads one label file that was itself given.
pub fn of_file(root: &Root, name: &Path) -> Labels {
    let mut labels = Labels::default();
    folder(root, name, &mut labels);
    if labels.folder.is_none() {
        mailboxes(root, name, root.path(), &mut labels);
    }
    labels
}

fn folder(root: &Root, name: &Path, labels: &mut Labels) {
    let mut within = false;
    scan(root, name, &mut |event| {
        match event {
            Event::Open("folderprops", _) => within = true,
            // What follows are the folders below this one.
            Event::Open("HierarchyTable", _) => return ControlFlow::Break(()),
            Event::Property(property) if within => {
                let text = property.to_value(None).map(|value| value.to_text());
                match property.id() {
                    0x3001 => labels.folder = labels.folder.take().or(text), // PR_DISPLAY_NAME
                    0x3602 => labels.count = labels.count.or_else(|| text?.parse().ok()), // PR_CONTENT_COUNT
                    _ => {}
                }
            }
            _ => {}
        }
        ControlFlow::Continue(())
    });
    let locus = || Locus::whole(Text::from_path(name));
    if let Some(folder) = &labels.folder {
        labels.facts.push(Fact::new(format!("the folder is called `{folder}`"), locus()));
    }
    if let Some(count) = labels.count {
        labels.facts.push(Fact::new(format!("the folder held {count} messages (PR_CONTENT_COUNT)"), locus()));
    }
}

fn mailbox(place: &Root, export: &Path, labels: &mut Labels) -> bool {
    place.exists(Path::new(MAILBOX_FILE)) && mailboxes(place, Path::new(MAILBOX_FILE), export, labels)
}

/// Picks the SMTP mailbox: the only one, or the one after which a folder on the way to the export is named.
fn mailboxes(place: &Root, name: &Path, export: &Path, labels: &mut Labels) -> bool {
    let mut names: Vec<String> = Vec::new();
    scan(place, name, &mut |event| {
        if let Event::Open("mailbox", line) = event {
            names.extend(display_name(line).map(str::to_owned));
        }
        if names.len() < MAX_MAILBOXES { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    names.retain(|name| name.get(..6).is_some_and(|head| head.eq_ignore_ascii_case("SMTP (")));
    let folders = folder_names(export);
    let matching: Vec<&String> = names.iter().filter(|name| folders.contains(&sanitise(name))).collect();
    let store = match (matching.as_slice(), names.as_slice()) {
        ([only], _) => Some((*only).clone()),
        (_, [only]) => Some(only.clone()),
        _ => None,
    };
    let path = place.path().join(name);
    let what = match (&store, names.len()) {
        (Some(store), _) => format!("the store's SMTP mailbox is called `{store}`"),
        (None, 0) => "no SMTP mailbox is among the mailboxes".to_owned(),
        (None, count) => format!("{count} SMTP mailboxes are listed; which of them was exported is not said"),
    };
    labels.facts.push(Fact::new(what, Locus::whole(Text::from_path(&path))));
    labels.store = labels.store.take().or(store);
    true
}

fn folder_names(export: &Path) -> Vec<String> {
    let path: PathBuf = export.canonicalize().unwrap_or_else(|_| export.to_owned());
    let names = path.ancestors().take(MAX_LEVELS_UP + 1).filter_map(Path::file_name);
    names.map(|name| name.to_string_lossy().into_owned()).collect()
}

/// `prdisplayname="…" premailaddress="…"`, neither escaped (`DoMailboxTablePerRowWork` in dumpStore.cpp).
fn display_name(line: &str) -> Option<&str> {
    let start = line.split_once("prdisplayname=\"")?.1;
    start.split_once("\" premailaddress=").map(|(name, _)| name).or_else(|| attribute(line, "prdisplayname"))
}

/// `strings::SanitizeFileName` in MFCMAPI.
fn sanitise(name: &str) -> String {
    name.chars().map(|c| if "^&*-+=[]\\|;:\",<>/?\r\n".contains(c) { '_' } else { c }).collect()
}

fn scan(root: &Root, name: &Path, take: &mut super::scanner::Take<'_>) {
    let Ok(file) = root.open_file(name) else { return };
    let Ok(mut lines) = file.reader().and_then(|reader| Lines::new(reader.take(MAX_LABEL_BYTES))) else {
        return;
    };
    let mut scanner = Scanner::default();
    while let Ok(Some(line)) = lines.next_line() {
        let text = decode_single_byte(&line.bytes, None);
        if scanner.line(&text, line.cut > 0, take).is_break() {
            return;
        }
    }
}
