//! A spool that is ready to be read.

use super::hashing;
use super::layout::{self, Content, QUEUES};
use super::live;
use super::main_cf;
use super::message::{Entry, Spool};
use super::one_letter;
use super::owner::Owner;
use super::plan;
use super::settings::Settings;
use super::side_log;
use crate::evidence::{Damage, Fact, Instance, Locus, Record, Text};
use crate::read::disk::{EntryKind, Root, not_regular};
use crate::read::memory::Memory;
use crate::read::process;
use crate::sources::{Detected, Emit, Opened, Options, Unit};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

/// Messages that are remembered for the sake of their logs, in whatever queue they are.
const MESSAGES: Memory = Memory {
    scope: |folder| {
        let queue = folder.iter().next()?.to_str()?;
        (layout::content_of(queue) == Some(Content::Messages)).then(PathBuf::new)
    },
    id: |name| Some(name),
};

/// Prepares a spool for reading.
///
/// # Errors
/// When its folder cannot be opened, or has no queue folder in it.
pub fn open(detected: &Detected, options: &Options) -> anyhow::Result<Opened> {
    let root = detected.open_root(options)?.remembering(MESSAGES);
    let queues: Vec<&str> = QUEUES
        .into_iter()
        .filter(|queue| {
            let kind = root.stat(Path::new(queue)).map(|(kind, _)| kind);
            matches!(kind, Ok(EntryKind::Directory))
        })
        .collect();
    if queues.is_empty() {
        anyhow::bail!("`{}` has none of the queue folders of Postfix", detected.root.display());
    }
    let settings = Settings::of(&detected.root, options.config.as_deref().or(detected.config.as_deref()));
    let owner = Owner::of(&root, &settings);
    let mut layout = settings.layout();
    let hashing = if settings.config.is_none() { hashing::infer(&mut layout, &root) } else { Vec::new() };
    let (depth, tops) = (layout.walk_depth(), queues.iter().map(PathBuf::from).collect());
    let live = live::master(&root);
    let instance = instance(&root, detected, options, (&settings, &hashing), &owner, &queues, live);
    let tools = live::tools(&settings, &detected.root);
    let asked = live::may_be_asked(live, instance.at_home, process::is_root());
    let live_listing = tools.as_ref().filter(|_| asked).map(live::listing);
    let missing = layout::SCANNED.into_iter().filter(|queue| !queues.contains(queue)).collect();
    let hash_folders = side_log::hash_folders(&root);
    let spool = Arc::new(Spool { layout, owner, deep: options.deep, missing, hash_folders });
    let remedies = plan::remedies(Arc::clone(&spool), tools, &settings);
    let read = Box::new(move |unit: Unit<'_>, emit: &mut Emit<'_>| read_unit(&spool, unit, emit));
    Ok(Opened { instance, root, tops, depth, read, live_listing, remedies })
}

fn instance(
    root: &Root,
    detected: &Detected,
    options: &Options,
    (settings, hashing): (&Settings, &[Fact]),
    owner: &Owner,
    queues: &[&str],
    live: Option<crate::evidence::Live>,
) -> Instance {
    let (limits, limit_facts) = settings.limits(&options.limits);
    let mut facts = vec![Fact::new(detected.why.clone(), Locus::whole("."))];
    facts.extend(settings.facts(hashing));
    facts.extend(limit_facts);
    facts.push(owner.fact.clone());
    let mut epochs = options.epochs.clone();
    epochs.extend(live.map(|live| live.epoch("master, process")));
    Instance {
        source: "postfix",
        label: label(&detected.root, settings),
        root: Text::from_path(&detected.root),
        queues: queues.iter().map(|queue| (*queue).to_owned()).collect(),
        live,
        at_home: settings.is_at_home(&detected.root, Path::new("/")),
        epochs,
        limits,
        last_activity: live::last_activity(root, options.now),
        facts,
        // showq reads maildrop, active, incoming, deferred and hold. Source: showq/showq.c, showq_service.
        unlisted_queues: vec!["corrupt", "saved"],
        listing_blind_spot: blind_spot(&detected.root, settings),
    }
}

/// What people call it: the name of the instance, else the name of its folder if that speaks of Postfix.
fn label(root: &Path, settings: &Settings) -> String {
    let folder = root.file_name().and_then(|name| name.to_str()).filter(|name| name.starts_with("postfix"));
    settings
        .instance_name()
        .or_else(|| folder.map(str::to_owned))
        .unwrap_or_else(|| root.display().to_string())
}

/// `postqueue` without `-c` asks the default instance (`postqueue/postqueue.c`; multi-instance support in
/// `MULTI_INSTANCE_README`).
fn blind_spot(root: &Path, settings: &Settings) -> Option<String> {
    let default = main_cf::default("queue_directory").map(Path::new)?;
    let below_spool = root.parent().is_some_and(|parent| parent.ends_with("var/spool"));
    let other_name = below_spool && root.file_name() != default.file_name() && !settings.names_this_spool;
    let second = settings.instance_name().is_some()
        || settings.default_spool.is_some()
        || other_name
        || settings
            .config
            .as_ref()
            .is_some_and(|config| settings.names_this_spool && !config.is_default_folder());
    let folder = match &settings.config {
        Some(config) if settings.names_this_spool => config.folder.display().to_string(),
        _ => "DIR".to_owned(),
    };
    second
        .then(|| format!("plain `postqueue` reads the default instance only: use `postqueue -c {folder} -p`"))
}

fn read_unit(spool: &Spool, unit: Unit<'_>, emit: &mut Emit<'_>) {
    let Some((queue, name)) = queue_and_name(unit.path) else { return };
    let record = match (unit.kind, layout::content_of(queue)) {
        (EntryKind::Directory, _) | (_, None) => return,
        (EntryKind::Regular, Some(content)) => {
            let entry = Entry { root: unit.root, path: unit.path, queue, name };
            match content {
                Content::Messages => match unit.lean.then(|| spool.glance(&entry)).flatten() {
                    Some(message) => Record::Message(Box::new(message)),
                    None => Record::of(spool.message(entry).map(Some)),
                },
                Content::Logs => match spool.side_log(entry) {
                    Record::Damage(damage) => Record::refused(damage),
                    record => record,
                },
                // A name of one letter is judged like that of a log.
                Content::FlushLists if name.len() == 1 => spool.side_log(entry),
                Content::FlushLists => Record::Passed,
            }
        }
        (other, Some(_)) => Record::Damage(special(unit.path, queue, name, other)),
    };
    // Whether anybody wants more is of no use here: there is one record a file.
    let _ = emit(record);
}

/// `postsuper` removes whatever is no regular file, at any age (`postsuper/postsuper.c`, `super`), unless its name is one
/// that it fails on before it looks. A link to a folder it follows, and then fails to remove (observed on 3.7.11).
fn special(path: &Path, queue: &str, name: &[u8], kind: EntryKind) -> Damage {
    let mut damage = not_regular(path, kind);
    damage.hint = match one_letter::stops(queue).filter(|_| name.len() == 1) {
        Some(stops) if kind == EntryKind::Symlink => format!(
            "move it out of the spool: Postfix takes a name of one letter for a subfolder, and unless it leads to a \
             folder {stops}; `postsuper` and the next start fail even if it does"
        ),
        Some(stops) => format!(
            "move it out of the spool: Postfix takes a name of one letter for a subfolder, and this cannot be opened as \
             one: {stops}"
        ),
        None => "look at it by hand and move it out of the spool: the next start, reload or `postsuper` removes it".to_owned(),
    };
    damage
}

/// The queue folder and the name of a path below a spool.
fn queue_and_name(path: &Path) -> Option<(&str, &[u8])> {
    let mut parts = path.components();
    let Some(Component::Normal(queue)) = parts.next() else { return None };
    let Some(Component::Normal(name)) = parts.next_back() else { return None };
    Some((queue.to_str()?, name.as_encoded_bytes()))
}
