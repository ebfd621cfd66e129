//! A spool that is ready to be read.

use super::coding::Coding;
use super::live;
use super::message::Spool;
use super::place::FOLDERS;
use super::plan::Host;
use super::reader::Reader;
use super::sample::Sample;
use super::{offline, queue, unfinished};
use crate::evidence::{Damage, DamageKind, Epoch, Fact, Instance, Live, Locus, Record, Text, Time};
use crate::read::disk::{EntryKind, Root, not_regular};
use crate::sources::{Detected, Emit, Opened, Options, Unit};
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

/// A message lies two folders below `queue`; what was set down deeper by mistake is seen as well.
const WALK_DEPTH: usize = 8;
/// Entries of `purge` that are counted.
const MAX_PURGED: usize = 10_000;

/// Prepares a spool for reading.
///
/// # Errors
/// When its folder cannot be opened, or has no folder of OpenSMTPD in it.
pub fn open(detected: &Detected, options: &Options) -> anyhow::Result<Opened> {
    let root = detected.open_root(options)?;
    let is_folder = |folder: &&str| matches!(root.stat(Path::new(folder)), Ok((EntryKind::Directory, _)));
    let folders: Vec<&str> = FOLDERS.into_iter().filter(is_folder).collect();
    if folders.is_empty() {
        anyhow::bail!("`{}` has none of the folders of OpenSMTPD", detected.root.display());
    }
    let live = live::queue_process(&root);
    let loading = live.is_some_and(|live| live::may_be_loading(&root, &live, Time::now()));
    let live_listing = live.and_then(|_| live::listing(&root, loading));
    let (reader, sample) = (Reader::of(&root), Sample::of(&root));
    let mut instance = instance(&root, detected, options, (&reader, &sample), &folders, live);
    if loading {
        instance.facts.push(Fact::new(
            format!("its listing is asked for only with `--listing live`: {}", live::LOADING),
            Locus::whole("."),
        ));
    }
    let remedies = Host::of(&root, live.is_some(), &reader).remedies();
    let spool = Spool {
        indexed: indexed(&instance.epochs),
        live_since: live.map(|live| live.since),
        last_activity: instance.last_activity,
        offline_gid: offline_group(&root),
        deep: options.deep,
        reader,
        sample,
    };
    let coded = AtomicBool::new(spool.sample.coding() != Coding::Plain);
    let read = Box::new(move |unit: Unit<'_>, emit: &mut Emit<'_>| {
        // Once: the content of a coded queue is nobody's fault, and yet the scan saw less than there is.
        if coded.swap(false, Ordering::Relaxed) && emit(Record::Damage(not_judged(&spool.sample))).is_break()
        {
            return;
        }
        read_unit(&spool, unit, emit);
    });
    let tops = folders.iter().map(PathBuf::from).collect();
    Ok(Opened { instance, root, tops, depth: WALK_DEPTH, read, live_listing, remedies })
}

fn instance(
    root: &Root,
    detected: &Detected,
    options: &Options,
    (reader, sample): (&Reader, &Sample),
    folders: &[&str],
    live: Option<Live>,
) -> Instance {
    let mut facts = vec![Fact::new(detected.why.clone(), Locus::whole(".")), reader.fact.clone()];
    facts.extend(sample.facts());
    facts.extend(purged(root));
    let mut epochs = options.epochs.clone();
    epochs.extend(live.map(|live| live.epoch("smtpd, queue process")));
    // Without `queue` the listing cannot be held against anything.
    let queues = if folders.contains(&"queue") { folders } else { &[] };
    Instance {
        source: "opensmtpd",
        label: detected.root.display().to_string(),
        root: Text::from_path(&detected.root),
        queues: queues.iter().map(|folder| (*folder).to_owned()).collect(),
        live,
        at_home: false,
        epochs,
        limits: options.limits,
        last_activity: live::last_activity(root, options.now),
        facts,
        unlisted_queues: vec!["incoming", "temporary", "offline", "corrupt", "purge"],
        listing_blind_spot: None,
    }
}

/// When the index of the live process was built: its start.
fn indexed(epochs: &[Epoch]) -> Option<(Time, Fact)> {
    epochs.iter().find_map(|epoch| Some((epoch.since?, epoch.fact.clone())))
}

fn offline_group(root: &Root) -> Option<u32> {
    let gid = root.stat(Path::new("offline")).ok()?.1.gid;
    // The group of the queue is never that of root; root's folder is a copy that kept no owners.
    Some(gid).filter(|gid| *gid != 0)
}

/// What smtpd removes in the background: leftovers of `incoming` and `temporary` at its start.
fn purged(root: &Root) -> Option<Fact> {
    let count = root.list(Path::new("purge")).ok()?.take(MAX_PURGED).count();
    let entries = if count == 1 { "1 entry lies".to_owned() } else { format!("{count} entries lie") };
    let text = format!("{entries} in `purge`: smtpd removes what is there, unless it is stopped before that");
    (count > 0).then(|| Fact::new(text, Locus::whole("purge")))
}

fn not_judged(sample: &Sample) -> Damage {
    Damage::new(
        DamageKind::Malformed,
        Locus::whole("queue"),
        format!("the queue is {}: what is in its files cannot be judged", sample.coding().describe()),
        "give `smtpctl show queue` as listing to see which messages smtpd itself cannot read",
    )
}

fn read_unit(spool: &Spool, unit: Unit<'_>, emit: &mut Emit<'_>) {
    let Some(Component::Normal(top)) = unit.path.components().next() else { return };
    let Some(top) = top.to_str() else { return };
    let records = match unit.kind {
        EntryKind::Directory => return,
        EntryKind::Regular => match top {
            "queue" | "corrupt" => queue::read(unit.root, spool, top, unit.path),
            "incoming" | "temporary" => unfinished::read(unit.root, spool, top, unit.path),
            "offline" => offline::read(unit.root, spool, unit.path),
            _ => vec![Record::Passed],
        },
        kind => vec![Record::Damage(not_regular(unit.path, kind))],
    };
    for record in records {
        let record = match record {
            Record::Damage(damage) => Record::refused(damage),
            record => record,
        };
        if emit(record).is_break() {
            return;
        }
    }
}
