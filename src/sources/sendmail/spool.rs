//! A spool that is ready to be read.

use super::folder::{self, Folders};
use super::halves;
use super::live;
use super::message::Entry;
use super::name::{self, Kind};
use super::plan::Host;
use super::settings::Settings;
use crate::evidence::{Damage, Fact, Instance, Live, Locus, Record, Text, Time};
use crate::read::disk::{EntryKind, not_regular};
use crate::sources::{Detected, Emit, Opened, Options, Unit};
use std::path::{Path, PathBuf};

/// Folders below a spool that are walked. Host status (`.hoststat`) has one for each part of a domain name.
const MAX_DEPTH: usize = 32;
/// What a control file under any other name begins with.
const HEAD_BYTES: usize = 64;
/// The queue folder of sendmail, for a spool whose own folder is called otherwise.
const USUAL_NAME: &str = "mqueue";

/// What a spool's files are judged by.
#[derive(Debug)]
pub struct Spool {
    /// Its queue folders, and names in them that matter before a file is judged.
    pub folders: Folders,
    /// Whether every message is read in full.
    pub deep: bool,
    /// Whether it is the queue of the submission program.
    pub client: bool,
    /// Whether the group may write control files; `None` if no configuration says so.
    pub group_may_write: Option<bool>,
    /// `MaxQueueAge`, if it is set.
    pub max_queue_age: Option<i64>,
    /// The newest time the kernel stamped on a copy; `None` where sendmail runs.
    pub copied_at: Option<Time>,
    label: String,
    settings: Settings,
}

impl Spool {
    /// What sendmail's listing calls a queue folder: the last part of its path.
    pub fn label(&self, folder: &Path) -> String {
        folder.file_name().map_or_else(|| self.label.clone(), |name| name.to_string_lossy().into_owned())
    }

    /// Whether the listing reads this folder; `None` if no configuration says so.
    pub fn reads(&self, folder: &Path) -> Option<bool> {
        self.settings.reads(folder)
    }
}

/// Prepares a spool for reading.
///
/// # Errors
/// When its folder cannot be opened.
pub fn open(detected: &Detected, options: &Options) -> anyhow::Result<Opened> {
    let root = detected.open_root(options)?;
    let settings = Settings::of(&detected.root, options.config.as_deref().or(detected.config.as_deref()));
    let folders = Folders::of(&root);
    let live = live::owner(&root, &settings);
    let last_activity = live::last_activity(&root, &folders.paths, options.now);
    let live_listing = live.and_then(|_| live::listing(&settings));
    let remedies = Host::of(&settings, live.is_some(), folders.paths.clone()).remedies();
    let spool = Spool {
        deep: options.deep,
        client: settings.client,
        group_may_write: settings.group_may_write(),
        max_queue_age: settings.max_queue_age(),
        copied_at: last_activity.filter(|_| live.is_none()),
        label: label(&detected.root),
        folders,
        settings,
    };
    let mut instance = instance(detected, options, &spool, live);
    instance.last_activity = last_activity;
    let read = Box::new(move |unit: Unit<'_>, emit: &mut Emit<'_>| {
        // There is one record a file, so that it does not matter whether anybody wants more.
        let _ = emit(read_unit(&spool, unit));
    });
    Ok(Opened {
        instance,
        root,
        tops: vec![PathBuf::from(".")],
        depth: MAX_DEPTH,
        read,
        live_listing,
        remedies,
    })
}

fn instance(detected: &Detected, options: &Options, spool: &Spool, live: Option<Live>) -> Instance {
    let (limits, limit_facts) = spool.settings.limits(&options.limits);
    let mut facts = vec![Fact::new(detected.why.clone(), Locus::whole("."))];
    facts.extend(spool.settings.facts());
    facts.extend(limit_facts);
    let mut epochs = options.epochs.clone();
    epochs.extend(live.map(|live| live.epoch("sendmail, process")));
    let mut queues: Vec<String> = spool.folders.paths.iter().map(|folder| spool.label(folder)).collect();
    queues.extend(["quarantined", "lost"].map(str::to_owned));
    let client = "plain `mailq` reads the MTA's queue only: use `mailq -Ac`";
    Instance {
        source: "sendmail",
        label: detected.root.display().to_string(),
        root: Text::from_path(&detected.root),
        queues,
        live,
        at_home: false,
        epochs,
        limits,
        last_activity: None,
        facts,
        // `-bp` shows `qf` only; `hf` needs `-qQ`, `Qf` needs `-qL` (`queue.c`, `gatherq`, `QueueMode`).
        unlisted_queues: vec!["quarantined", "lost"],
        listing_blind_spot: spool.client.then(|| client.to_owned()),
    }
}

fn label(root: &Path) -> String {
    let name = root.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    if name.contains("mqueue") || name.starts_with('q') { name.to_owned() } else { USUAL_NAME.to_owned() }
}

fn read_unit(spool: &Spool, unit: Unit<'_>) -> Record {
    let hidden = |path: &Path| {
        let mut folders = path.parent().into_iter().flat_map(Path::components);
        folders.any(|part| part.as_os_str().as_encoded_bytes().starts_with(b"."))
    };
    if hidden(unit.path) {
        // `.hoststat`: what sendmail remembers of other hosts.
        return Record::Passed;
    }
    let bytes = Text::from_path(unit.path.file_name().map_or(Path::new(""), Path::new));
    let name = name::judge(bytes.bytes());
    match unit.kind {
        EntryKind::Regular => {}
        EntryKind::Symlink => return Record::refused(linked(unit.path)),
        EntryKind::Special if name.is_some() => return Record::refused(not_regular(unit.path, unit.kind)),
        // Its control socket may lie here (`ControlSocketName`).
        _ => return Record::Passed,
    }
    let folder = folder::folder_of(unit.path);
    let entry = |id| Entry { root: unit.root, path: unit.path, folder: &folder, id };
    let read = match name {
        Some((Kind::Control(_), id)) if bytes.bytes().len() > name::LONGEST => {
            let text = format!("sendmail passes over names of more than {} bytes", name::LONGEST);
            spool.foreign(entry(id), &text).map(Some)
        }
        Some((Kind::Control(queue), id)) => spool.message(entry(id), queue),
        Some((Kind::Data, id)) => spool.lone_data(entry(id)),
        Some((Kind::Transcript, id)) => spool.lone_transcript(entry(id)),
        Some((Kind::Temporary, id)) if halves::has_control(entry(id)) => Ok(None),
        Some((Kind::Temporary, id)) => spool.unfinished(entry(id)).map(Some),
        Some((Kind::Mark, _)) => Ok(None),
        None => other_name(spool, entry(bytes.bytes())),
    };
    Record::of(read)
}

/// A file of any other name is a control file only if it begins like one: pid and statistics files lie here, too.
fn other_name(spool: &Spool, entry: Entry<'_>) -> Result<Option<crate::evidence::Message>, Damage> {
    let file = entry.root.open_file(entry.path)?;
    let head = file.head(HEAD_BYTES).map_err(|error| entry.root.refused(entry.path, &error))?;
    let begins = head.strip_prefix(b"V").and_then(|rest| {
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        rest.get(digits..).filter(|rest| digits > 0 && rest.starts_with(b"\nT"))
    });
    if begins.is_none() {
        return Ok(None);
    }
    spool
        .foreign(
            entry,
            "it begins like a control file, but sendmail looks only at names that begin with `qf`",
        )
        .map(Some)
}

/// `doc/op/op.me` lets queue folders be links to other disks, and ghostq follows none.
fn linked(path: &Path) -> Damage {
    let mut damage = not_regular(path, EntryKind::Symlink);
    damage.hint =
        "if it leads to a queue folder on another disk, name that folder as a path to scan as well".into();
    damage
}
