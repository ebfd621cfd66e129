//! A spool that is ready to be read.

use super::message::{Entry, Spool};
use super::place::FOLDERS;
use super::{live, plan, settings};
use crate::evidence::{Damage, Fact, Instance, Locus, Record, Text};
use crate::read::disk::{EntryKind, Root, not_regular};
use crate::sources::{Detected, Emit, Opened, Options, Unit};
use std::path::{Component, Path, PathBuf};

/// Prepares a spool for reading.
///
/// # Errors
/// When its folder cannot be opened, or has no folder of messages in it.
pub fn open(detected: &Detected, options: &Options) -> anyhow::Result<Opened> {
    let root = detected.open_root(options)?;
    let is_folder =
        |name: &str| matches!(root.stat(Path::new(name)).map(|(kind, _)| kind), Ok(EntryKind::Directory));
    let folders: Vec<&str> = FOLDERS.into_iter().filter(|name| is_folder(name)).collect();
    if folders.is_empty() {
        anyhow::bail!("`{}` has none of the folders of nullmailer", detected.root.display());
    }
    // Root's folder is a copy that kept no owners: nullmailer never runs as root.
    let owner = root.stat(Path::new("queue")).ok().map(|(_, stat)| stat.uid).filter(|uid| *uid != 0);
    let live_listing = live::listing(&detected.root, owner);
    let mut instance = instance(&root, detected, options, &folders);
    // The place is compiled into the programs of this host.
    instance.at_home = live_listing.is_some();
    let tops = folders.iter().map(PathBuf::from).collect();
    let spool = Spool { owner };
    let read = Box::new(move |unit: Unit<'_>, emit: &mut Emit<'_>| read_unit(&spool, unit, emit));
    let remedies = plan::remedies(owner, live::submission(&detected.root, owner));
    Ok(Opened { instance, root, tops, depth: 0, read, live_listing, remedies })
}

fn instance(root: &Root, detected: &Detected, options: &Options, folders: &[&str]) -> Instance {
    let config = options.config.as_deref().or(detected.config.as_deref());
    let (limits, limit_facts) = settings::limits(&detected.root, config, &options.limits);
    let mut facts = vec![Fact::new(detected.why.clone(), Locus::whole("."))];
    facts.extend(limit_facts);
    facts.extend(missing(root));
    let live = live::sender(root);
    let mut epochs = options.epochs.clone();
    epochs.extend(live.map(|live| live.epoch("nullmailer-send, process")));
    Instance {
        source: "nullmailer",
        label: detected.label("nullmailer"),
        root: Text::from_path(&detected.root),
        queues: folders.iter().map(|name| (*name).to_owned()).collect(),
        live,
        at_home: false,
        epochs,
        limits,
        last_activity: live::last_activity(root, options.now),
        facts,
        // `mailq` reads `queue` only. Source: nullmailer `src/mailq.cc`.
        unlisted_queues: vec!["failed", "tmp"],
        listing_blind_spot: None,
    }
}

/// Parts without which nullmailer does not work as it should.
fn missing(root: &Root) -> Vec<Fact> {
    let fact = |text: &str, path: &str| Fact::new(text, Locus::whole(path));
    let mut facts = Vec::new();
    let kind = |name: &str| root.stat(Path::new(name)).map(|(kind, _)| kind).ok();
    if kind("failed") != Some(EntryKind::Directory) {
        facts.push(fact(
            "there is no folder `failed`: what is refused for good or too old can not be set aside, and is tried for ever",
            "failed",
        ));
    }
    if kind("tmp") != Some(EntryKind::Directory) {
        facts.push(fact("there is no folder `tmp`: nullmailer-queue accepts no mail", "tmp"));
    }
    match kind("trigger") {
        Some(EntryKind::Special) => {}
        Some(_) => {
            facts.push(fact("`trigger` is no FIFO: new mail does not wake nullmailer-send", "trigger"));
        }
        None => facts.push(fact("there is no FIFO `trigger`: nullmailer-send does not start", "trigger")),
    }
    facts
}

fn read_unit(spool: &Spool, unit: Unit<'_>, emit: &mut Emit<'_>) {
    let mut parts = unit.path.components();
    let (Some(Component::Normal(queue)), Some(Component::Normal(name))) = (parts.next(), parts.next_back())
    else {
        return;
    };
    let Some(queue) = queue.to_str() else { return };
    let name = Text::from_path(Path::new(name));
    let record = match unit.kind {
        EntryKind::Directory => return,
        EntryKind::Regular => {
            let entry = Entry { root: unit.root, path: unit.path, queue, name: name.bytes() };
            Record::of(spool.message(entry).map(Some))
        }
        other => Record::Damage(strange(unit.path, other)),
    };
    // Whether anybody wants more is of no use here: there is one record a file.
    let _ = emit(record);
}

/// nullmailer-send opens whatever has a name without a dot (`src/send.cc`, `send_one`); a FIFO would stop it for good.
fn strange(path: &Path, kind: EntryKind) -> Damage {
    let mut damage = not_regular(path, kind);
    damage.hint =
        "look at it by hand and move it out of the spool: nullmailer-send opens it, and may wait for ever"
            .into();
    damage
}
