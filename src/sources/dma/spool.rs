//! A spool that is ready to be read.

use super::message::{Entry, Spool};
use super::place::{Name, judge};
use super::{live, plan};
use crate::evidence::{Fact, Instance, Limits, Locus, Record, Text};
use crate::read::disk::{EntryKind, Root, not_regular};
use crate::sources::{Detected, Emit, Opened, Options, Unit};
use std::path::{Path, PathBuf};

/// A message is given up after this. Source: dma `dma.h`, `MAX_TIMEOUT`.
const LIFETIME: i64 = 5 * 86_400;
/// The longest pause between two attempts of one process. Source: dma `dma.h`, `MAX_RETRY`.
const LONGEST_PAUSE: i64 = 3 * 3_600;
/// How often cron runs `dma -q` (Debian `/etc/cron.d/dma`).
const CRON: i64 = 300;

/// A Q file is on disk for a moment before its M file is (`spool.c`, `linkspool`).
const IN_MAKING: i64 = 5;

/// Prepares a spool for reading.
///
/// # Errors
/// When its folder cannot be opened.
pub fn open(detected: &Detected, options: &Options) -> anyhow::Result<Opened> {
    let root = detected.open_root(options)?;
    // Root's group is a copy that kept no owners: dma never runs with the rights of that group.
    let group = root.stat(Path::new(".")).ok().map(|(_, stat)| stat.gid).filter(|gid| *gid != 0);
    let live_listing = live::listing(&detected.root);
    let mut instance = instance(&root, detected, options, group);
    // dma of this host reads this spool, whether a process of it is there right now or not.
    instance.at_home = live_listing.is_some();
    let at_work = instance.live.is_some() || live_listing.is_some();
    let spool = Spool { group, in_making_since: at_work.then(|| options.now.plus(-IN_MAKING)) };
    let read = Box::new(move |unit: Unit<'_>, emit: &mut Emit<'_>| read_unit(&spool, unit, emit));
    let program = live_listing.as_ref().map(|listing| listing.program.clone());
    let remedies = plan::remedies(plan::Spool { group, program });
    Ok(Opened { instance, root, tops: vec![PathBuf::from(".")], depth: 0, read, live_listing, remedies })
}

fn instance(root: &Root, detected: &Detected, options: &Options, group: Option<u32>) -> Instance {
    let given = &options.limits;
    let fixed = |text: String| Fact::new(text, Locus::whole("."));
    let facts = vec![
        fixed(detected.why.clone()),
        fixed(format!("dma gives a message up {LIFETIME} s after the time of its Q file")),
        fixed(match group {
            Some(gid) => format!("the folder belongs to group {gid}, and so should the files"),
            None => "groups are not judged: the folder belongs to the group of root, as in a copy that kept no owners".into(),
        }),
    ];
    Instance {
        source: "dma",
        label: detected.label("dma"),
        root: Text::from_path(&detected.root),
        queues: vec!["queue".to_owned()],
        live: live::worker(root),
        at_home: false,
        epochs: options.epochs.clone(),
        limits: Limits {
            maximal_backoff: given.maximal_backoff.or(Some(LONGEST_PAUSE)),
            queue_run_delay: given.queue_run_delay.or(Some(CRON)),
            queue_lifetime: given.queue_lifetime.or(Some(LIFETIME)),
            bounce_lifetime: given.bounce_lifetime.or(Some(LIFETIME)),
        },
        last_activity: live::last_activity(root, options.now),
        facts,
        unlisted_queues: vec!["tmp"],
        listing_blind_spot: None,
    }
}

fn read_unit(spool: &Spool, unit: Unit<'_>, emit: &mut Emit<'_>) {
    let name = Text::from_path(unit.path);
    let name = judge(name.bytes());
    let record = match unit.kind {
        EntryKind::Directory => return,
        EntryKind::Regular => {
            let entry = Entry { root: unit.root, path: unit.path };
            Record::of(match name {
                Name::Flush => Ok(None),
                Name::Envelope(id) => spool.envelope(entry, id),
                Name::Content(id) => entry.content(id),
                Name::Temporary => entry.temporary().map(Some),
                Name::Foreign => entry.foreign(),
            })
        }
        other => Record::Damage(not_regular(unit.path, other)),
    };
    // Whether anybody wants more is of no use here: there is one record a file.
    let _ = emit(record);
}
