//! A queue that is ready to be read.

use super::live::Programs;
use super::message::{self, Entry, Spool};
use super::name::{self, Name};
use super::place::FOLDERS;
use super::plan::Host;
use super::{live, settings, submission};
use crate::evidence::{Fact, Instance, Live, Locus, Record, Text};
use crate::read::disk::{EntryKind, Root, not_regular};
use crate::sources::{Detected, Emit, Opened, Options, Unit};
use std::path::{Component, Path, PathBuf};

/// Names in `msgq` that are looked at to see whether a copy kept hard links.
const SAMPLE: usize = 64;

/// Prepares a queue for reading.
///
/// # Errors
/// When its folder cannot be opened, or has no queue folder in it.
pub fn open(detected: &Detected, options: &Options) -> anyhow::Result<Opened> {
    let root = detected.open_root(options)?;
    let is_folder =
        |name: &str| matches!(root.stat(Path::new(name)).map(|(kind, _)| kind), Ok(EntryKind::Directory));
    let folders: Vec<&str> = FOLDERS.into_iter().filter(|name| is_folder(name)).collect();
    if folders.is_empty() {
        anyhow::bail!("`{}` has none of the queue folders of Courier", detected.root.display());
    }
    let live = live::scheduler(&root);
    // Root's folder is a copy that kept no owners: courierd does not schedule as root.
    let owner = root.stat(Path::new("msgs")).ok().map(|(_, stat)| (stat.uid, stat.gid));
    let owner = owner.filter(|(uid, _)| *uid != 0);
    let links_kept = live.is_some() || links_kept(&root);
    let instance = instance(&root, detected, options, &folders, live, links_kept);
    let live_listing = live.and_then(|_| live::listing(&root));
    let spool = Spool::new(owner, links_kept, live.map(|_| options.now));
    let tops = folders.iter().map(PathBuf::from).collect();
    let read = Box::new(move |unit: Unit<'_>, emit: &mut Emit<'_>| read_unit(&spool, unit, emit));
    let programs = if live.is_some() { Programs::of(&root) } else { Programs::default() };
    let remedies = Host { programs, runs: live.is_some(), owner }.remedies();
    Ok(Opened { instance, root, tops, depth: 1, read, live_listing, remedies })
}

/// Whether any name in `msgq` has a second one.
fn links_kept(root: &Root) -> bool {
    let folders = root.list(Path::new("msgq")).into_iter().flatten().filter_map(Result::ok);
    let (mut seen, mut kept) = (0, false);
    for (folder, _) in folders {
        let folder = Path::new("msgq").join(folder);
        let names = root.list(&folder).into_iter().flatten().filter_map(Result::ok);
        for (name, _) in names {
            if seen >= SAMPLE || kept {
                return kept;
            }
            if let Some(stat) = message::regular(root, &folder.join(name)) {
                seen += 1;
                kept = stat.links > 1;
            }
        }
    }
    kept || seen == 0
}

fn instance(
    root: &Root,
    detected: &Detected,
    options: &Options,
    folders: &[&str],
    live: Option<Live>,
    links_kept: bool,
) -> Instance {
    let config = options.config.as_deref().or(detected.config.as_deref());
    let (limits, limit_facts) = settings::limits(&detected.root, config, &options.limits);
    let mut facts = vec![Fact::new(detected.why.clone(), Locus::whole("."))];
    facts.extend(limit_facts);
    if !links_kept {
        let text = "no name in `msgq` is a hard link any more: the copy lost them, and names are taken for links; started as it \
                    is, courierd would remove every name in `msgq`, and try nothing";
        facts.push(Fact::new(text, Locus::metadata("msgq")));
    }
    let mut epochs = options.epochs.clone();
    epochs.extend(live.map(|live| live.epoch("courierd, process")));
    Instance {
        source: "courier",
        label: detected.label("courier"),
        root: Text::from_path(&detected.root),
        // An entry of the listing is a message in `msgs`.
        queues: folders.iter().map(|name| (*name).to_owned()).collect(),
        live,
        at_home: false,
        epochs,
        limits,
        last_activity: live::last_activity(root, options.now),
        facts,
        // `mailq` reads `msgs` only. Source: Courier `courier/mailq.c`.
        unlisted_queues: vec!["tmp", "msgq"],
        listing_blind_spot: None,
    }
}

fn read_unit(spool: &Spool, unit: Unit<'_>, emit: &mut Emit<'_>) {
    let names: Vec<&str> = unit
        .path
        .components()
        .filter_map(|part| match part {
            Component::Normal(name) => Some(name.to_str().unwrap_or_default()),
            _ => None,
        })
        .collect();
    let (queue, folder, name) = match names.as_slice() {
        [queue, name] => (*queue, None, *name),
        [queue, folder, name] => (*queue, Some(*folder), *name),
        _ => return,
    };
    // Lock and trigger of courierd, which are never opened; folders that courierd passes over.
    let own = queue == "tmp" && folder.is_none_or(|folder| name::number(folder).is_none());
    let record = match unit.kind {
        EntryKind::Directory => return,
        EntryKind::Regular | EntryKind::Special if own => Record::Passed,
        EntryKind::Regular => {
            let entry = Entry { root: unit.root, path: unit.path, name };
            Record::of(match (queue, name::judge(name)) {
                ("msgs", Name::Control(inode)) if folder.is_some() => spool.control(entry, inode).map(Some),
                ("msgs", Name::Data(inode, rest)) if folder.is_some() && name::number(rest).is_some() => {
                    spool.data(entry, inode)
                }
                ("msgq", _) if folder.is_some() => spool.link(entry),
                ("tmp", _) => submission::read(entry),
                _ => message::foreign(entry, queue).map(Some),
            })
        }
        other => Record::Damage(not_regular(unit.path, other)),
    };
    // Whether anybody wants more is of no use here: there is one record a file.
    let _ = emit(record);
}
