//! A spool that is ready to be read.

use super::generation::Generation;
use super::live;
use super::message::{Entry, Spool};
use super::name::{self, Half, Name};
use super::owner::Owner;
use super::place::BARE;
use super::plan;
use super::queues;
use super::settings;
use super::spot::{Content, Home, Spot};
use crate::evidence::{Damage, Fact, Instance, Limits, Live, Locus, Record, Text};
use crate::read::disk::{EntryKind, not_regular};
use crate::read::memory::Memory;
use crate::sources::{Detected, Emit, Opened, Options, Unit};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How deep below `input` is walked: one folder of a letter, and what somebody put there.
const DEPTH: usize = 8;

/// Messages that are remembered for the sake of their logs: in `input` and its folders of one letter.
const MESSAGES: Memory = Memory {
    scope: |folder| {
        let home = Home::of(folder, false)?;
        let messages = matches!(home.content, Content::Messages | Content::Frozen) && home.is_listed();
        messages.then(|| home.input.clone())
    },
    id: |name| name.strip_suffix(b"-H"),
};

/// Prepares a spool for reading.
///
/// # Errors
/// When its folder cannot be opened, or has no folder of messages in it.
pub fn open(detected: &Detected, options: &Options) -> anyhow::Result<Opened> {
    let bare = detected.variant == BARE;
    let root = detected.open_root(options)?.keeping_names();
    let root = if bare { root } else { root.remembering(MESSAGES) };
    let queues = if bare { vec![PathBuf::new()] } else { queues::find(&root) };
    let tops = if bare { vec![PathBuf::from(".")] } else { queues::tops(&root, &queues) };
    if tops.is_empty() {
        anyhow::bail!("`{}` has no folder `input`, where Exim keeps its messages", detected.root.display());
    }
    let live = live::daemon(&root);
    let last_activity = live::last_activity(&root, &tops, options.now);
    let within = if bare { None } else { named_queue(&detected.root) };
    let spool = Arc::new(Spool {
        bare,
        within,
        owner: Owner::of(&root, &if bare { PathBuf::new() } else { PathBuf::from("input") }),
        generation: Generation::new(queues.clone(), bare, last_activity),
        deep: options.deep,
        blind_to: blind_to(&options.limits),
        live: live.is_some(),
        last_activity,
    });
    let instance = instance(detected, options, &spool, &queues, live);
    let program = live::program(&detected.root, live.as_ref());
    let live_listing = program.clone().map(live::listing);
    let remedies = plan::remedies(Arc::clone(&spool), program);
    let read = Box::new(move |unit: Unit<'_>, emit: &mut Emit<'_>| read_unit(&spool, unit, emit));
    Ok(Opened { instance, root, tops, depth: DEPTH, read, live_listing, remedies })
}

fn instance(
    detected: &Detected,
    options: &Options,
    spool: &Spool,
    queues: &[PathBuf],
    live: Option<Live>,
) -> Instance {
    let mut facts = vec![Fact::new(detected.why.clone(), Locus::whole("."))];
    let config = options.config.as_deref().or(detected.config.as_deref());
    facts.extend(settings::facts(&detected.root, config));
    facts.push(spool.owner.fact.clone());
    if spool.bare {
        let text =
            "only a folder of messages was given: logs, and what other queues hold, are not looked for";
        facts.push(Fact::new(text, Locus::whole(".")));
    }
    if let Some(queue) = &spool.within {
        let text = format!("it is the folder of the named queue `{queue}` of the spool in which it lies");
        facts.push(Fact::new(text, Locus::whole(".")));
    }
    let named = queues.iter().filter(|queue| !queue.as_os_str().is_empty());
    let named: Vec<String> = named.map(|queue| queue.to_string_lossy().into_owned()).collect();
    let mut all = vec![spool.within.clone().unwrap_or_else(|| "input".to_owned())];
    all.extend(named);
    let mut epochs = options.epochs.clone();
    epochs.extend(live.map(|live| live.epoch("exim, process")));
    Instance {
        source: "exim",
        label: detected.label("exim"),
        root: Text::from_path(&detected.root),
        queues: all,
        live,
        at_home: false,
        epochs,
        // When Exim gives up is decided by retry rules, address by address: there is no one lifetime to take for granted.
        limits: Limits { ..options.limits },
        last_activity: spool.last_activity,
        facts,
        unlisted_queues: vec!["Finput"],
        listing_blind_spot: None,
    }
}

/// Rules that go by what is in an envelope file: damage, whether the message is frozen, its Message-ID, when it came in. How old
/// it may become only the operator can say.
fn blind_to(limits: &Limits) -> &'static [&'static str] {
    match (limits.queue_lifetime, limits.bounce_lifetime) {
        (None, None) => &["corrupt", "held", "future-time", "duplicate-message"],
        _ => &["corrupt", "held", "future-time", "duplicate-message", "expired"],
    }
}

/// The name of the queue, if the folder of a named queue was given: it lies in a spool.
fn named_queue(root: &Path) -> Option<String> {
    let parent = root.canonicalize().ok()?.parent()?.to_owned();
    let is_spool =
        parent.join("input").is_dir() && (parent.join("db").is_dir() || parent.join("msglog").is_dir());
    is_spool.then(|| root.file_name()?.to_str().map(str::to_owned)).flatten()
}

fn read_unit(spool: &Spool, unit: Unit<'_>, emit: &mut Emit<'_>) {
    let Some(spot) = Spot::of(unit.path, spool.bare) else { return };
    let record = match unit.kind {
        EntryKind::Directory => return,
        EntryKind::Regular => match read_file(spool, &unit, &spot) {
            Ok(record) => record,
            Err(damage) => Record::refused(damage),
        },
        other => Record::Damage(not_regular(unit.path, other)),
    };
    // Whether anybody wants more is of no use here: there is one record a file.
    let _ = emit(record);
}

fn read_file(spool: &Spool, unit: &Unit<'_>, spot: &Spot) -> Result<Record, Damage> {
    let (root, path) = (unit.root, unit.path);
    if spot.content == Content::Logs {
        return spool.log(root, path, spot);
    }
    match name::judge(&spot.name) {
        Name::Half { id, made, half, tail } => {
            let entry = Entry { root, path, spot, id, made, tail };
            match half {
                Half::Header => {
                    let glanced = unit.lean.then(|| spool.glance(&entry)).flatten();
                    let message = glanced.map_or_else(|| spool.message(entry), Ok);
                    message.map(|message| Record::Message(Box::new(message)))
                }
                Half::Data => spool.body(entry),
                Half::Journal => spool.journal(entry),
            }
        }
        Name::HeaderInMaking { id, made } => spool.in_making(Entry { root, path, spot, id, made, tail: b"" }),
        Name::Signing { id, made } => spool.signing(Entry { root, path, spot, id, made, tail: b"" }),
        Name::Other => spool.other(root, path, spot),
    }
}
