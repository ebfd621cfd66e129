//! Sources: places where mail rests, and how each is read.
//!
//! A new mail system is one folder here and one line in [`ALL`]. Everything about it is in its folder: what it is called,
//! how it is recognised, how its files are parsed, what its listings look like, what it does with damaged mail.

use crate::evidence::{
    Epoch, Habits, Instance, Limits, ListingEnd, ListingEntry, Message, Record, Time, Treatment,
};
use crate::plan::{Given, Proposal, Refusal, Submission, Verb};
use crate::read::disk::{EntryKind, Root};
use anyhow::Context as _;
use std::io::BufRead;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub mod courier;
pub mod dma;
pub mod exchange;
pub mod exim;
mod fault;
mod handing;
pub mod nullmailer;
pub mod opensmtpd;
pub mod postfix;
#[cfg(test)]
mod proposals;
pub mod qmail;
mod refusals;
pub mod sendmail;
pub mod temptable;
#[cfg(test)]
pub(crate) mod samples;
mod verbatim;

pub use fault::Fault;
pub use verbatim::really_offline;

/// Every source. The order is the order in which a place is offered to them.
pub static ALL: &[&dyn Source] = &[
    &postfix::Postfix,
    &exim::Exim,
    &sendmail::Sendmail,
    &opensmtpd::OpenSmtpd,
    &qmail::Qmail,
    &courier::Courier,
    &nullmailer::Nullmailer,
    &dma::Dma,
    &exchange::Exchange,
    &temptable::TempTable,
];

/// A kind of place where mail rests.
pub trait Source: Sync {
    /// Its name on the command line and in reports: lower-case, one word.
    fn name(&self) -> &'static str;

    /// What `ghostq sources` and the manual say of it.
    fn about(&self) -> &'static About;

    /// Says whether this directory or file is a place of this source, and why.
    fn detect(&self, place: &Place<'_>) -> Option<Detected>;

    /// Places to look at on a host when none is named, with the reason; also those that do not exist, so that the
    /// report can say what was looked for in vain.
    fn usual_places(&self) -> Vec<UsualPlace> {
        Vec::new()
    }

    /// Prepares a detected place for reading.
    ///
    /// # Errors
    /// When the place cannot be read at all.
    fn open(&self, detected: &Detected, options: &Options) -> anyhow::Result<Opened>;

    /// Listings of this mail system that can be read.
    fn listings(&self) -> &'static [ListingFormat] {
        &[]
    }

    /// The source whose listings show the messages of this one, where it has none of its own.
    fn listed_by(&self) -> &'static str {
        self.name()
    }

    /// What the mail system does with what the rules find.
    fn treatments(&self) -> &'static [Treatment];

    /// What it does when it starts, or its queue is run.
    fn habits(&self) -> &'static Habits;

    /// Whether it makes use of [`Unit::lean`], by which no more than the rules of [`Message::blind_to`] is lost; `alone`: no
    /// other place is looked at in which its messages may lie as well.
    fn is_lean(&self, _alone: bool) -> bool {
        false
    }
}

/// What there is to say about a source.
#[derive(Debug, Clone, Copy)]
pub struct About {
    /// One line: what it reads.
    pub title: &'static str,
    /// A paragraph or more: layout, versions, what is recognised, what is not.
    pub text: &'static str,
    /// Versions on which it was checked, and how.
    pub checked: &'static str,
    /// Documents and source files of the formats.
    pub formats: &'static [&'static str],
}

/// A directory or file offered to a source.
#[derive(Debug)]
pub struct Place<'a> {
    /// Its path.
    pub path: &'a Path,
    /// Names of its entries if it is a directory (bounded), with their kinds.
    pub entries: &'a [(std::ffi::OsString, EntryKind)],
    /// The first 8 KiB if it is a file.
    pub head: &'a [u8],
    /// Whether it is a directory.
    pub is_directory: bool,
    /// Whether the user named this very path (rather than one above it).
    pub named: bool,
    /// Whether the user chose this source with `--source`, so that weak evidence is enough.
    pub chosen: bool,
}

impl Place<'_> {
    /// Whether the directory has an entry of this name, without regard to case.
    pub fn has(&self, name: &str) -> bool {
        self.entries.iter().any(|(entry, _)| entry.to_str().is_some_and(|e| e.eq_ignore_ascii_case(name)))
    }

    /// Whether the directory has a folder of this very name, or what may be one where the directory does not tell.
    pub fn has_folder(&self, name: &str) -> bool {
        let folder = |kind: &EntryKind| matches!(kind, EntryKind::Directory | EntryKind::Unknown);
        self.entries.iter().any(|(entry, kind)| entry == name && folder(kind))
    }
}

/// A place that a source recognised.
#[derive(Debug, Clone)]
pub struct Detected {
    /// The spool folder, or the export file.
    pub root: PathBuf,
    /// What it was recognised by, for people.
    pub why: String,
    /// A configuration file or folder that belongs to it, if the source or the user knows one.
    pub config: Option<PathBuf>,
    /// Which reader of the source is to read it, where a source has several (a dialect, a folder kind).
    pub variant: &'static str,
}

impl Detected {
    /// What people call it: its folder, if the name of that begins with `program`; else its path.
    pub fn label(&self, program: &str) -> String {
        let folder = self.root.file_name().and_then(|name| name.to_str());
        folder
            .filter(|name| name.starts_with(program))
            .map_or_else(|| self.root.display().to_string(), str::to_owned)
    }

    /// Opens the spool folder as the user wants it read.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn open_root(&self, options: &Options) -> anyhow::Result<Root> {
        let root =
            Root::open(&self.root).with_context(|| format!("could not open `{}`", self.root.display()))?;
        Ok(root.with_manifest(options.manifest.clone()).crossing_file_systems(options.cross_file_systems))
    }
}

/// A place where this mail system usually lives.
#[derive(Debug, Clone)]
pub struct UsualPlace {
    /// The path.
    pub path: PathBuf,
    /// Why it is looked at: `queue_directory in /etc/postfix/main.cf`.
    pub why: String,
}

/// What the operator told about the sources. Plain values; every default is decided by the command line.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The column or property that holds the stamp: a name, or a property tag.
    pub stamp: Option<String>,
    /// Columns of a CSV, TSV or JSON export and the fields they hold.
    pub map: Vec<(String, String)>,
    /// Encoding of single-byte exports (an encoding label, e.g. `windows-1252`).
    pub encoding: Option<String>,
    /// Time limits given on the command line; they win over the configuration.
    pub limits: Limits,
    /// Epochs given on the command line.
    pub epochs: Vec<Epoch>,
    /// A configuration file or folder given on the command line.
    pub config: Option<PathBuf>,
    /// The clock.
    pub now: Time,
    /// Whether the operator set the clock.
    pub now_given: bool,
    /// Read every message from end to end, not only where the envelope and the seams are.
    pub deep: bool,
    /// Inodes, modes and owners of the original, for a copy that could not keep them.
    pub manifest: Option<Arc<crate::read::manifest::Manifest>>,
    /// Follow mount points below a root.
    pub cross_file_systems: bool,
}

impl Default for Time {
    fn default() -> Self {
        Self::from_unix(0)
    }
}

/// One file or folder entry to be read.
#[derive(Debug, Clone, Copy)]
pub struct Unit<'a> {
    /// The root below which it lies.
    pub root: &'a Root,
    /// Its path relative to the root.
    pub path: &'a Path,
    /// What it is; never unknown: the walk looks where the directory does not say.
    pub kind: EntryKind,
    /// Whether a message need not be opened of which name, place and metadata show that nothing is wrong. What it then cannot
    /// be judged by stands in [`Message::blind_to`].
    pub lean: bool,
}

/// Receives records; `Break` means that nobody wants more.
pub type Emit<'a> = dyn FnMut(Record) -> ControlFlow<()> + 'a;

/// Reads one unit, from any of several threads.
pub type ReadUnit = Box<dyn Fn(Unit<'_>, &mut Emit<'_>) + Send + Sync>;

/// A place that is ready to be read.
pub struct Opened {
    /// What it is.
    pub instance: Instance,
    /// Its root.
    pub root: Root,
    /// Folders or files below the root that are to be walked, relative to it; `.` alone is all of it.
    pub tops: Vec<PathBuf>,
    /// How deep to go below each of them.
    pub depth: usize,
    /// Reads one unit.
    pub read: ReadUnit,
    /// The live listing that belongs to it, if its tool was found and is harmless.
    pub live_listing: Option<LiveListing>,
    /// What can be done about its messages.
    pub remedies: Remedies,
}

/// What a source is asked to propose for one message.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// What the operator wants.
    pub verb: Verb,
    /// The rules that speak of the message, the leading one first.
    pub rules: &'a [&'a str],
    /// Whether a listing shows it; `None` where no listing was given.
    pub listed: Option<bool>,
    /// The message, as the source itself read it.
    pub message: &'a Message,
    /// The place it lies in.
    pub instance: &'a Instance,
    /// Its root.
    pub root: &'a Root,
    /// What the operator gave.
    pub given: &'a Given,
    /// The clock.
    pub now: Time,
}

impl Ask<'_> {
    /// Whether a rule speaks of the message.
    pub fn says(&self, rule: &str) -> bool {
        self.rules.contains(&rule)
    }
}

/// Proposes what to do about a message, or says why nothing. Writes nothing and runs nothing.
pub type Propose = Box<dyn Fn(&Ask<'_>) -> Result<Proposal, Refusal> + Send + Sync>;

/// How much of a message is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// All of it, byte for byte as it would be sent.
    Whole,
    /// Its header fields, with the blank line that ends them.
    Header,
}

/// Writes the message (RFC 5322 bytes with the line ends they have on disk) that a source holds, without its envelope. A
/// refusal says what is missing or damaged; what was written until then is not used.
pub type WriteContent =
    Box<dyn Fn(&Root, &Message, Extent, &mut dyn std::io::Write) -> Result<(), Refusal> + Send + Sync>;

/// What can be done about the messages of a place.
pub struct Remedies {
    /// Proposes what to do.
    pub propose: Propose,
    /// Writes the content of a message.
    pub content: WriteContent,
    /// How mail is handed in to the mail system that owns this place, if that runs on this host.
    pub submission: Option<Submission>,
}

impl Remedies {
    /// None, for this reason.
    pub fn none(reason: &'static str, hint: &'static str) -> Self {
        Self {
            propose: Box::new(move |_| Err(Refusal::new(reason, hint))),
            content: Box::new(move |_, _, _, _| Err(Refusal::new(reason, hint))),
            submission: None,
        }
    }
}

/// How to get a listing from the mail system itself.
#[derive(Debug, Clone)]
pub struct LiveListing {
    /// Absolute path of the program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// The name of the [`ListingFormat`] it prints.
    pub format: &'static str,
    /// What running it may change, if it is not harmless. Such a tool runs only with `--listing live`.
    pub risk: Option<&'static str>,
}

/// Receives listing entries.
pub type EmitEntry<'a> = dyn FnMut(ListingEntry) + 'a;

/// A listing that can be read.
pub struct ListingFormat {
    /// Its name: `postqueue -j`.
    pub name: &'static str,
    /// One line about it.
    pub about: &'static str,
    /// Whether the first 8 KiB look like it.
    pub looks_like: fn(head: &[u8]) -> bool,
    /// Reads all of it, entry by entry.
    pub parse: fn(input: &mut dyn BufRead, emit: &mut EmitEntry<'_>) -> std::io::Result<ListingEnd>,
}

/// The source of this name.
pub fn by_name(name: &str) -> Option<&'static dyn Source> {
    ALL.iter().copied().find(|source| source.name() == name)
}
