//! Exchange and IIS SMTP: mailroots, Pickup and Replay, Badmail, and what Exchange's own tools list.

use super::{About, Detected, ListingFormat, Opened, Options, Place, Source, UsualPlace};
use crate::evidence::{Fact, Habits, Instance, Locus, Text, Time, Treatment};
use crate::read::disk::Root;
use layout::{Folder, Layout};
use queue::StreamsSeen;
use std::path::{Path, PathBuf};

mod badmail;
mod content;
mod eml;
mod envelope;
mod fates;
mod layout;
mod listing;
mod names;
mod pickup;
mod plan;
mod queue;
mod read;
#[cfg(test)]
mod tests;
mod treatments;

/// Exchange and IIS SMTP.
pub struct Exchange;

static ABOUT: About = About {
    title: "IIS SMTP and Exchange mailroots: Queue, Pickup, Replay, Drop, Badmail, with their NTFS streams",
    text: "\
Recognised by its folders, in any case: two of Queue, Pickup, Drop, Badmail, Route, SortTemp, Mailbox; folders called \
`vsi N` (Exchange 2000 and 2003, one for each virtual server); Pickup and Replay of TransportRoles (Exchange 2007 and \
later). A single folder is read when it is named.

In Queue each message is one `NTFS_….EML` whose envelope is kept in named streams of that file. The layout of those \
streams is not public: ghostq lists them with size and SHA-256, shows what looks like addresses in them, and interprets \
nothing. A file without any stream has lost its envelope; if no file of the tree has one, the copy has lost them, and \
ghostq says so. Streams are seen through ntfs-3g (extended attributes, or `streams_interface=windows`), Samba's \
streams_xattr, tar archives made with `--xattrs`, and files called `FILE:STREAM`. On Windows the streams of a file cannot be \
listed from safe code; the names PROPERTIES, PROPERTIES-LIVE and FAST, which are guesses, are tried. The Linux kernel's \
own ntfs3 driver shows no streams: mount with ntfs-3g.

Not read: the queue database `mail.que` of Exchange 2007 and later (its layout is not public; its presence is \
reported), AppleDouble files, messages in the store's TempTables (see the source `temptable`).",
    checked: "\
Streams: real NTFS images made with mkntfs, mounted with ntfs-3g 2022.10.3 in all three stream interfaces, and a GNU \
tar with `--xattrs` of such a mount; through extended attributes a stream over 64 KiB is seen without size or content. Messages, Badmail, Pickup and listings: files made by hand after the vendor's \
documentation; no queue file of a production server was at hand.",
    formats: &[
        "Microsoft KB 250040 (folders), Q201314 and Q221384 (x-sender, x-receiver), Q319285 and 884068 (Badmail), 934709",
        "TechNet aa998408 (NTFSDrv.dll keeps content and envelope on the file system)",
        "Microsoft, Exchange Server documentation: Pickup directory and Replay directory; Properties of messages in queues; \
         Properties of queues; Queue database",
        "NTFS streams: ntfs-3g(8), vfs_streams_xattr(8)",
    ],
};

impl Source for Exchange {
    fn name(&self) -> &'static str {
        "exchange"
    }

    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn detect(&self, place: &Place<'_>) -> Option<Detected> {
        let (variant, why) = layout::recognise(place)?;
        Some(Detected { root: place.path.to_owned(), why, config: None, variant })
    }

    fn usual_places(&self) -> Vec<UsualPlace> {
        if cfg!(windows) { usual_places() } else { Vec::new() }
    }

    fn open(&self, detected: &Detected, options: &Options) -> anyhow::Result<Opened> {
        let root = detected.open_root(options)?;
        let mut layout = layout::find(&root, detected.variant)?;
        let streams = queue::survey(&root, &mut layout.folders);
        let instance = instance(&root, detected, &layout, &streams, options);
        let tops = layout.folders.iter().map(top).collect();
        let remedies = plan::remedies(layout.folders.clone());
        let state = read::State { folders: layout.folders, streams, deep: options.deep };
        let read = Box::new(move |unit: super::Unit<'_>, emit: &mut super::Emit<'_>| {
            read::unit(&state, unit, emit);
        });
        Ok(Opened { instance, root, tops, depth: 1, read, live_listing: None, remedies })
    }

    fn listings(&self) -> &'static [ListingFormat] {
        &listing::ALL
    }

    fn treatments(&self) -> &'static [Treatment] {
        treatments::ALL
    }

    fn habits(&self) -> &'static Habits {
        &fates::HABITS
    }
}

fn top(folder: &Folder) -> PathBuf {
    if folder.path.as_os_str().is_empty() { PathBuf::from(".") } else { folder.path.clone() }
}

fn instance(
    root: &Root,
    detected: &Detected,
    layout: &Layout,
    streams: &StreamsSeen,
    options: &Options,
) -> Instance {
    let here = Text::from_path(&detected.root);
    let mut facts =
        vec![Fact::new(format!("recognised because {}", detected.why), Locus::whole(here.clone()))];
    facts.extend(layout.facts.iter().cloned());
    facts.extend(about_streams(streams, &here));
    facts.push(Fact::new(blind_spot(detected.variant), Locus::whole(here.clone())));
    let label = match layout::folder_name(&detected.root) {
        "" => here.lossy().into_owned(),
        name => name.to_owned(),
    };
    Instance {
        source: "exchange",
        label,
        root: here,
        queues: layout.folders.iter().map(|folder| folder.label.clone()).collect(),
        live: None,
        at_home: false,
        epochs: options.epochs.clone(),
        limits: options.limits,
        last_activity: last_activity(root, &layout.folders, options.now),
        facts,
        unlisted_queues: Vec::new(),
        listing_blind_spot: None,
    }
}

fn about_streams(streams: &StreamsSeen, here: &Text) -> Option<Fact> {
    match streams {
        StreamsSeen::Yes { file, stream } => {
            let text = format!("queue files kept their named streams: this one has `{}`", stream.lossy());
            Some(Fact::new(text, Locus::whole(file.clone())))
        }
        StreamsSeen::No { looked_at: 0, .. } => None,
        StreamsSeen::No { looked_at, all } => {
            let which = if *all { "any of the" } else { "the first" };
            let text = format!(
                "no named stream was found on {which} {looked_at} queue files: the copy has probably lost them, and \
                 with them every envelope; copy with robocopy to NTFS, or tar --xattrs from an ntfs-3g mount"
            );
            Some(Fact::new(text, Locus::whole(here.clone())))
        }
    }
}

/// When files were last added to or taken from a folder, which Windows and Unix both stamp on the folder.
fn last_activity(root: &Root, folders: &[Folder], now: Time) -> Option<Time> {
    let newest = folders.iter().filter_map(|folder| Some(root.stat(&top(folder)).ok()?.1.modified)).max()?;
    Some(newest.min(now))
}

fn blind_spot(variant: &str) -> &'static str {
    if variant == layout::TRANSPORT_ROLES {
        "Get-Message and Queue Viewer show the queue database; what lies in Pickup and Replay is in no listing"
    } else {
        "System Manager shows what the SMTP service holds in memory; Pickup, Drop and Badmail are in no listing, and IIS \
         without Exchange has none at all"
    }
}

/// Folders of the installers. Source: the setup documentation of each version.
fn usual_places() -> Vec<UsualPlace> {
    let at = |path: &str, why: &str| UsualPlace { path: PathBuf::from(path), why: why.to_owned() };
    let mut places = vec![
        at(r"C:\Inetpub\mailroot", "the mailroot of IIS SMTP"),
        at(r"C:\Program Files\Exchsrvr\Mailroot", "the mailroot of Exchange 2000 and 2003"),
        at(r"C:\Program Files\Microsoft\Exchange Server\TransportRoles", "Exchange 2007"),
        at(r"C:\Program Files\Microsoft\Exchange Server\V14\TransportRoles", "Exchange 2010"),
        at(r"C:\Program Files\Microsoft\Exchange Server\V15\TransportRoles", "Exchange 2013 and later"),
    ];
    if let Some(path) = std::env::var_os("ExchangeInstallPath") {
        let path = Path::new(&path).join("TransportRoles");
        places.insert(0, UsualPlace { path, why: "the variable `ExchangeInstallPath`".to_owned() });
    }
    places
}
