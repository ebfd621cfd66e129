//! A queue that is ready to be read.

use super::layout::{FOLDERS, Layout};
use super::message::{Entry, Outcome, Queue};
use super::owner::Owner;
use super::settings;
use super::split::{self, Split};
use super::virtual_domains::VirtualDomains;
use super::{live, plan};
use crate::evidence::{Damage, Fact, Instance, Limits, Locus, Record, Text};
use crate::read::disk::{EntryKind, Root, not_regular};
use crate::sources::{Detected, Emit, Opened, Options, Unit};
use std::path::{Component, Path, PathBuf};

/// Names of `todo` that are looked at to tell whether it is split.
const MAX_TODO_NAMES: usize = 2_048;

/// Prepares a queue for reading.
///
/// # Errors
/// When its folder cannot be opened, or has no folder of a queue in it.
pub fn open(detected: &Detected, options: &Options) -> anyhow::Result<Opened> {
    let root = detected.open_root(options)?;
    let there = |folder: &str| matches!(root.stat(Path::new(folder)), Ok((EntryKind::Directory, _)));
    let (found, missing): (Vec<&str>, Vec<&str>) = FOLDERS.into_iter().partition(|folder| there(folder));
    if found.is_empty() {
        anyhow::bail!("`{}` has none of the folders of a qmail queue", detected.root.display());
    }
    let layout = Layout { split: Split::of(&root), todo_is_split: is_split(&root, "todo") };
    let queue = queue(&root, layout, missing, options);
    let instance = instance(&root, detected, options, &queue, &found);
    let live_listing = queue.live.and_then(|_| live::listing(&detected.root));
    let config = options.config.as_deref().or(detected.config.as_deref());
    let acting = plan::Queue {
        layout: queue.layout.clone(),
        owner: queue.owner.clone(),
        domains: VirtualDomains::of(&detected.root, config),
    };
    let remedies = plan::remedies(acting, live::submission(&detected.root));
    let tops = found.iter().map(PathBuf::from).collect();
    let read = Box::new(move |unit: Unit<'_>, emit: &mut Emit<'_>| read_unit(&queue, unit, emit));
    Ok(Opened { instance, root, tops, depth: 1, read, live_listing, remedies })
}

fn queue(root: &Root, layout: Layout, missing: Vec<&'static str>, options: &Options) -> Queue {
    let live = live::sender(root);
    let active = live::last_activity(root, layout.split.folders, options.now);
    let given = options.epochs.iter().find_map(|epoch| epoch.since);
    // A manifest has no inode times; the copy's own say when it was copied.
    let indexed = live.map(|live| live.since).or(given).filter(|_| !root.has_manifest());
    Queue {
        owner: Owner::of(root),
        live,
        indexed,
        inodes_until: if live.is_some() { None } else { active },
        reached: if live.is_some() || options.now_given { Some(options.now) } else { active },
        deep: options.deep,
        missing,
        trigger: live::trigger(root),
        layout,
    }
}

/// Whether a flat folder has numbered folders instead: the big-todo patch.
fn is_split(root: &Root, folder: &str) -> bool {
    let Ok(entries) = root.list(Path::new(folder)) else { return false };
    entries
        .flatten()
        .take(MAX_TODO_NAMES)
        .any(|(name, kind)| kind == EntryKind::Directory && name.to_str().and_then(split::part).is_some())
}

fn instance(root: &Root, detected: &Detected, options: &Options, queue: &Queue, found: &[&str]) -> Instance {
    let config = options.config.as_deref().or(detected.config.as_deref());
    let (limits, limit_facts): (Limits, Vec<Fact>) =
        settings::limits(&detected.root, config, &options.limits);
    let mut facts = vec![Fact::new(detected.why.clone(), Locus::whole("."))];
    facts.extend(queue.layout.split.facts.iter().cloned());
    if queue.layout.todo_is_split {
        facts.push(Fact::new("`todo` is split as well, as by the big-todo patch", Locus::whole("todo")));
    }
    facts.extend(limit_facts);
    facts.push(queue.owner.fact.clone());
    facts.extend(queue.trigger.clone());
    let mut epochs = options.epochs.clone();
    epochs.extend(queue.live.map(|live| live.epoch("qmail-send, process")));
    let folders = found.iter().map(|folder| (*folder).to_owned()).collect();
    // Numbers are inodes, used again within a second under load, and qmail-qread reads the same disk: an entry without a
    // file says nothing while qmail runs.
    Instance {
        source: "qmail",
        label: detected.root.display().to_string(),
        root: Text::from_path(&detected.root),
        queues: if queue.live.is_some() { Vec::new() } else { folders },
        live: queue.live,
        at_home: false,
        epochs,
        limits,
        last_activity: live::last_activity(root, queue.layout.split.folders, options.now),
        facts,
        // qmail-qread goes by `info`. Source: qmail-qread.c, main.
        unlisted_queues: vec!["todo", "intd", "pid"],
        listing_blind_spot: None,
    }
}

fn read_unit(queue: &Queue, unit: Unit<'_>, emit: &mut Emit<'_>) {
    let Some((folder, name)) = folder_and_name(unit.path) else { return };
    match unit.kind {
        EntryKind::Directory => return,
        EntryKind::Regular => {}
        other => return refused(not_regular(unit.path, other), emit),
    }
    let entry = Entry { root: unit.root, path: unit.path, folder, name: &name };
    let mut damages = Vec::new();
    let outcome = if folder == "mess" {
        queue.message(entry, &mut damages)
    } else {
        queue.leftover(entry, &mut damages)
    };
    for damage in damages {
        refused(damage, emit);
    }
    match outcome {
        // Whether anybody wants more is of no use here: there is one message a file.
        Ok(Outcome::Message(message)) => drop(emit(Record::Message(message))),
        Ok(Outcome::Passed) => drop(emit(Record::Passed)),
        Err(damage) => refused(damage, emit),
    }
}

fn refused(damage: Damage, emit: &mut Emit<'_>) {
    let _more = emit(Record::refused(damage));
}

/// The queue folder and the name of a path below a queue.
fn folder_and_name(path: &Path) -> Option<(&str, Vec<u8>)> {
    let mut parts = path.components();
    let Some(Component::Normal(folder)) = parts.next() else { return None };
    let Some(Component::Normal(name)) = parts.next_back() else { return None };
    Some((folder.to_str()?, Text::from_path(Path::new(name)).bytes().to_vec()))
}
