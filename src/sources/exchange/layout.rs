//! The folders of a mailroot.
//!
//! IIS: `\Inetpub\Mailroot\{Badmail,Drop,Pickup,Queue,SortTemp}` (KB 250040; `Route` in texts of NT 4 only). Exchange 2000
//! and 2003: `\Exchsrvr\Mailroot\vsi N\{Badmail,Pickup,Queue}`, N being the virtual server. Exchange 2007 and later:
//! `TransportRoles\{Pickup,Replay}` and the queue database in `TransportRoles\data\Queue`. All of them can be moved
//! (metabase `QueueDirectory`, `PickupDirectory`; `Set-TransportService -PickupDirectoryPath`).

use super::names;
use crate::evidence::{Fact, Locus, Text};
use crate::read::disk::{EntryKind, Root};
use crate::read::streams::Beside;
use crate::sources::Place;
use std::path::{Path, PathBuf};

/// Folders that one mailroot is believed to have at most; a hostile tree could have any number.
const MAX_FOLDERS: usize = 1_000;

/// What a folder is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FolderKind {
    /// Messages on their way, each with its envelope in named streams.
    Queue,
    /// A folder beside the queue whose name says that it was one: `Queue.old`.
    QueueAside,
    /// Where programs put messages to be sent.
    Pickup,
    /// Where administrators and gateways put messages with a full envelope (Exchange 2007 and later).
    Replay,
    /// Where IIS puts messages for its own domains, for some program to fetch.
    Drop,
    /// Messages that could be neither delivered nor returned.
    Badmail,
    /// A temporary folder of IIS; what it leaves there is not documented.
    Temporary,
    /// The queue database of Exchange 2007 and later.
    Database,
}

/// A folder that is to be read.
#[derive(Debug, Clone)]
pub struct Folder {
    /// Its path below the root; empty for the root itself.
    pub path: PathBuf,
    /// What it is for.
    pub kind: FolderKind,
    /// What reports call it: `Queue`, `vsi 1/Queue`.
    pub label: String,
    /// The streams that lie in it as files.
    pub beside: Beside,
    /// Whether transcripts of IIS 4 were seen in it.
    pub has_transcripts: bool,
}

/// The folders that were found, and what else there was to say.
#[derive(Debug, Default)]
pub struct Layout {
    /// Folders to be read.
    pub folders: Vec<Folder>,
    /// What was noticed.
    pub facts: Vec<Fact>,
}

/// The whole tree of one mail server.
pub const MAILROOT: &str = "mailroot";
/// `TransportRoles` of Exchange 2007 and later.
pub const TRANSPORT_ROLES: &str = "transport-roles";
/// A single folder.
pub const FOLDER: &str = "folder";

/// Which kind of place this is, and by what it is recognised.
pub fn recognise(place: &Place<'_>) -> Option<(&'static str, String)> {
    if !place.is_directory {
        return None;
    }
    let has_folder = |wanted: &str| {
        place.entries.iter().any(|(name, kind)| {
            can_be_folder(*kind) && name.to_str().is_some_and(|name| name.eq_ignore_ascii_case(wanted))
        })
    };
    let present = |names: &[&str]| -> Vec<String> {
        names.iter().filter(|name| has_folder(name)).map(|name| format!("`{name}`")).collect()
    };
    let intake = present(&["Pickup", "Replay"]);
    let named_so = folder_name(place.path).eq_ignore_ascii_case("TransportRoles");
    if has_folder("Replay") && intake.len() == 2
        || !intake.is_empty() && (named_so || has_folder("data") && has_folder("Logs"))
    {
        return Some((TRANSPORT_ROLES, format!("it has {}", intake.join(" and "))));
    }
    let virtual_servers = place
        .entries
        .iter()
        .filter(|(name, kind)| can_be_folder(*kind) && is_virtual_server(Path::new(name)));
    let virtual_servers = virtual_servers.count();
    if virtual_servers > 0 {
        return Some((MAILROOT, format!("it has folders called `vsi N`: {virtual_servers}")));
    }
    let usual = present(&["Queue", "Pickup", "Drop", "Badmail", "Route", "SortTemp", "Mailbox"]);
    if usual.len() >= 2 {
        return Some((MAILROOT, format!("it has {}", usual.join(", "))));
    }
    single_folder(place).map(|why| (FOLDER, why))
}

/// One folder alone is weak evidence: other mail systems have a `queue` too, with folders in it.
fn single_folder(place: &Place<'_>) -> Option<String> {
    if !place.named && !place.chosen {
        return None;
    }
    let any = |test: fn(&Path) -> bool| place.entries.iter().any(|(name, _)| test(Path::new(name)));
    let known = kind_by_name(folder_name(place.path)).is_some();
    let has_folders = place.entries.iter().any(|(_, kind)| *kind == EntryKind::Directory);
    if known && (place.chosen || any(is_mail_file) && !has_folders) {
        return Some(format!("it is called `{}`", folder_name(place.path)));
    }
    if any(names::is_queue_file) {
        return Some("it holds files called `NTFS_….EML`".to_owned());
    }
    let holds = any(|name| names::kind_of(name) == names::NameKind::Message);
    (holds && (place.chosen || !has_folders)).then(|| "it holds `.EML` files".to_owned())
}

fn is_mail_file(name: &Path) -> bool {
    use names::NameKind as K;
    !matches!(names::kind_of(name), K::Other | K::Foreign)
}

/// Finds the folders below a root.
///
/// # Errors
/// When the root cannot be listed.
pub fn find(root: &Root, variant: &str) -> anyhow::Result<Layout> {
    let mut layout = Layout::default();
    if variant == FOLDER {
        let name = folder_name(root.path());
        let kind = kind_by_name(name).unwrap_or(FolderKind::Queue);
        let label = canonical(kind).map_or_else(|| name.to_owned(), str::to_owned);
        layout.folders.push(Folder::new(PathBuf::new(), kind, label));
        return Ok(layout);
    }
    let names = folders_in(root, Path::new("."))
        .map_err(|damage| anyhow::anyhow!("could not list `{}`: {}", root.path().display(), damage.what))?;
    for (name, kind) in names {
        if is_virtual_server(&name) && can_be_folder(kind) {
            let label = name.to_string_lossy().to_ascii_lowercase();
            for (inner, kind) in folders_in(root, &name).unwrap_or_default() {
                layout.add(name.join(&inner), &inner, kind, &label);
            }
        } else if name.to_string_lossy().eq_ignore_ascii_case("data") && variant == TRANSPORT_ROLES {
            for (inner, kind) in folders_in(root, &name).unwrap_or_default() {
                layout.add_database(root, name.join(&inner), &inner, kind);
            }
        } else {
            layout.add(name.clone(), &name, kind, "");
        }
    }
    Ok(layout)
}

impl Folder {
    fn new(path: PathBuf, kind: FolderKind, label: String) -> Self {
        Self { path, kind, label, beside: Beside::default(), has_transcripts: false }
    }
}

impl Layout {
    fn add(&mut self, path: PathBuf, name: &Path, entry: EntryKind, below: &str) {
        let name = name.to_string_lossy();
        let aside = || name.to_ascii_lowercase().starts_with("queue").then_some(FolderKind::QueueAside);
        let Some(kind) = kind_by_name(&name).or_else(aside) else { return };
        if entry == EntryKind::Symlink {
            let text = "it is a link and was not followed; scan the folder it leads to by its own path";
            self.facts.push(Fact::new(text, Locus::whole(Text::from_path(&path))));
            return;
        }
        if !can_be_folder(entry) || self.folders.len() >= MAX_FOLDERS {
            return;
        }
        let shown = canonical(kind).unwrap_or(&name);
        let label = if below.is_empty() { shown.to_owned() } else { format!("{below}/{shown}") };
        self.folders.push(Folder::new(path, kind, label));
    }

    fn add_database(&mut self, root: &Root, path: PathBuf, name: &Path, entry: EntryKind) {
        let lower = name.to_string_lossy().to_ascii_lowercase();
        if is_old_database(&lower) {
            self.facts.push(old_database(&path));
        }
        if lower != "queue" || !can_be_folder(entry) {
            return;
        }
        for (inner, _) in folders_in(root, &path).unwrap_or_default() {
            let lower = inner.to_string_lossy().to_ascii_lowercase();
            let locus = Locus::whole(Text::from_path(&path.join(&inner)));
            if lower == "mail.que" {
                let text = "queue database `mail.que` is there; its layout is not public, not read";
                self.facts.push(Fact::new(text, locus));
            } else if is_old_database(&lower) {
                self.facts.push(old_database(&path.join(&inner)));
            }
        }
        let label = "data/Queue".to_owned();
        self.folders.push(Folder::new(path, FolderKind::Database, label));
    }
}

/// After a crash Exchange sets its queue database aside as `Messaging.old-DATE` and begins a new one. Source: Exchange
/// Server documentation, "Queue database"; microsoft/CSS-Exchange `ReplayQueueDatabases.ps1`.
fn is_old_database(lower: &str) -> bool {
    lower.starts_with("messaging.old")
}

fn old_database(path: &Path) -> Fact {
    Fact::new(
        "an old queue database was set aside here after a crash; messages in it are in no queue until it is replayed \
         (microsoft/CSS-Exchange `ReplayQueueDatabases.ps1`); its layout is not public, not read",
        Locus::whole(Text::from_path(path)),
    )
}

/// Names in a folder, at most [`MAX_FOLDERS`], sorted so that reports do not depend on the file system.
fn folders_in(root: &Root, path: &Path) -> Result<Vec<(PathBuf, EntryKind)>, crate::evidence::Damage> {
    let mut found: Vec<(PathBuf, EntryKind)> = root.list(path)?.flatten().take(MAX_FOLDERS).collect();
    found.sort_by(|one, other| one.0.cmp(&other.0));
    Ok(found)
}

fn kind_by_name(name: &str) -> Option<FolderKind> {
    Some(match name.to_ascii_lowercase().as_str() {
        "queue" => FolderKind::Queue,
        "pickup" => FolderKind::Pickup,
        "replay" => FolderKind::Replay,
        "drop" => FolderKind::Drop,
        "badmail" => FolderKind::Badmail,
        "sorttemp" | "route" => FolderKind::Temporary,
        _ => return None,
    })
}

fn canonical(kind: FolderKind) -> Option<&'static str> {
    Some(match kind {
        FolderKind::Queue => "Queue",
        FolderKind::Pickup => "Pickup",
        FolderKind::Replay => "Replay",
        FolderKind::Drop => "Drop",
        FolderKind::Badmail => "Badmail",
        FolderKind::QueueAside | FolderKind::Temporary | FolderKind::Database => return None,
    })
}

/// Last part of a path.
pub fn folder_name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}

fn is_virtual_server(name: &Path) -> bool {
    let name = name.to_string_lossy().to_ascii_lowercase();
    name.strip_prefix("vsi ").is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()))
}

fn can_be_folder(kind: EntryKind) -> bool {
    matches!(kind, EntryKind::Directory | EntryKind::Unknown)
}
