//! Preparing an export for reading: whose it is, what its columns mean.

use super::columns::{self, Field};
use super::detect::{FOLDER, NAMED_FOLDER, Verdict, judge};
use super::dialect::Shape;
use super::export::Context;
use super::folder::{self, Folders};
use super::labels::{self, Labels};
use super::stamp_choice::StampChoice;
use super::{build, delimited, read, read_unit};
use crate::evidence::{Fact, Instance, Locus, Record, Text};
use crate::read::disk::Root;
use crate::read::lines::Encoding;
use crate::read::lines::decode_head;
use crate::read::lines::encoding_by_label;
use crate::sources::{Detected, Opened, Options, Remedies};
use anyhow::{Context as _, Result, anyhow, bail};
use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How much of a file is looked at before it is read.
const HEAD_BYTES: usize = 64 << 10;

/// What is the same for every file of an opened place.
#[derive(Debug)]
pub struct Plan {
    /// What is known of the table; the file is filled in for each.
    pub context: Context,
    /// The folders of the tree, if it is a folder, in which other files lie as well.
    pub folders: Option<Folders>,
}

/// Opens an export, or a folder of them.
pub fn open(detected: &Detected, options: &Options) -> Result<Opened> {
    let is_folder = [FOLDER, NAMED_FOLDER].contains(&detected.variant);
    let path = &detected.root;
    let (folder, name) = if is_folder {
        (path.clone(), None)
    } else {
        let name = path.file_name().ok_or_else(|| anyhow!("`{}` names no file", path.display()))?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        (folder.unwrap_or(Path::new(".")).to_owned(), Some(PathBuf::from(name)))
    };
    let root = Root::open(&folder)
        .with_context(|| format!("could not open `{}`", folder.display()))?
        .with_manifest(options.manifest.clone())
        // The operator named this very file; that it may be mounted from elsewhere is no surprise.
        .crossing_file_systems(true);
    let mut context = context(options)?;
    let (labels, facts) = match &name {
        Some(name) => open_file(&root, name, path, &mut context)?,
        None => (labels::around(&root), Vec::new()),
    };
    let mut instance = instance(path, &labels, facts, &mut context, options);
    let folders = is_folder.then(|| Folders::new(detected.variant == NAMED_FOLDER));
    if is_folder {
        let queues = folder::queues(&root);
        instance.queues = if queues.is_empty() { instance.queues } else { queues };
    }
    let plan = Arc::new(Plan { context, folders });
    Ok(Opened {
        instance,
        root,
        tops: vec![name.unwrap_or_else(|| PathBuf::from("."))],
        depth: if is_folder { folder::MAX_DEPTH } else { 0 },
        read: Box::new(move |unit, emit| read_unit(unit, &plan, emit)),
        live_listing: None,
        remedies: Remedies::none(
            "an export tells of the message and does not hold it: it lies in the Exchange store, and the next start of the \
             SMTP service sends or returns it",
            "`ghostq explain stale-stamp` says how to have the server send it",
        ),
    })
}

fn context(options: &Options) -> Result<Context> {
    let map = options.map.iter().map(|(column, field)| Ok((column.clone(), columns::by_name(field)?)));
    Ok(Context {
        file: Text::default(),
        queue: String::new(),
        stamp: StampChoice::new(options.stamp.as_deref()),
        stamp_option: options.stamp.clone(),
        encoding: encoding(options.encoding.as_deref())?,
        expected: None,
        map: map.collect::<Result<Vec<(String, Field)>>>()?,
    })
}

fn encoding(label: Option<&str>) -> Result<Option<&'static Encoding>> {
    let Some(label) = label else { return Ok(None) };
    match encoding_by_label(label) {
        Some(encoding) => Ok(Some(encoding)),
        None => bail!("there is no encoding `{label}`; try `windows-1252`, `windows-1251` or `shift_jis`"),
    }
}

fn open_file(root: &Root, name: &Path, path: &Path, context: &mut Context) -> Result<(Labels, Vec<Fact>)> {
    let file = root
        .open_file(name)
        .map_err(|damage| anyhow!("could not read `{}`: {}", path.display(), damage.what))?;
    let head = file.head(HEAD_BYTES).with_context(|| format!("could not read `{}`", path.display()))?;
    let locus = Locus::whole(Text::from_path(name));
    let (shape, why) = match judge(&head) {
        Verdict::Certain(shape, why) | Verdict::Weak(shape, why) => (shape, why),
        Verdict::Other(what) => match mapped_shape(&head, context) {
            Some(shape) => (shape, "columns that `--map` names".to_owned()),
            None => bail!("`{}` is no export of a TempTable: {what}", path.display()),
        },
    };
    context.file = Text::from_path(name);
    let mut facts = vec![Fact::new(format!("read as {why}"), locus.clone())];
    if let Shape::Delimited(_) = shape {
        check_map(&head, context)?;
    }
    if matches!(shape, Shape::Delimited(_) | Shape::JsonLines) {
        facts.extend(times_without_zone(&head, shape, context, &locus));
    }
    let labels = if shape.is_label() { labels::of_file(root, name) } else { labels::around(root) };
    Ok((labels, facts))
}

/// A table of which the operator explained the columns is an export even if none is known by name.
fn mapped_shape(head: &[u8], context: &Context) -> Option<Shape> {
    if context.map.is_empty() && context.stamp_option.is_none() {
        return None;
    }
    let text = decode_head(head, context.encoding);
    if super::jsonlines::first_keys(&text).is_some() {
        return Some(Shape::JsonLines);
    }
    let (delimiter, names) = delimited::header(&text)?;
    let mapped = context.map.iter().any(|(column, _)| names.iter().any(|name| name.trim() == column.trim()));
    let stamped = context.stamp_option.is_some() && names.iter().any(|name| context.stamp.is_column(name));
    (mapped || stamped).then_some(Shape::Delimited(delimiter))
}

fn check_map(head: &[u8], context: &Context) -> Result<()> {
    let text = decode_head(head, context.encoding);
    let Some((_, names)) = delimited::header(&text) else { return Ok(()) };
    match delimited::missing_columns(&names, context).first() {
        None => Ok(()),
        Some(column) => bail!("there is no column `{column}` for `--map`; there are {}", names.join(", ")),
    }
}

/// Says once, of the rows at the start of a file, which columns hold times that nobody can place.
fn times_without_zone(head: &[u8], shape: Shape, context: &Context, locus: &Locus) -> Vec<Fact> {
    let mut columns = BTreeSet::new();
    let mut emit = |record: Record| {
        if let Record::Message(message) = record {
            let names =
                message.attributes.iter().filter_map(|(name, _)| name.strip_suffix(build::NO_TIME_ZONE));
            columns.extend(names.map(str::to_owned));
        }
        ControlFlow::Continue(())
    };
    let input = std::io::Cursor::new(head.to_vec());
    let _peek = read::read_as(shape, input, context, &mut emit);
    let fact = |column| {
        let text = format!("times in the column `{column}` have no time zone: they are shown, and not used");
        Fact::new(text, locus.clone())
    };
    columns.into_iter().map(fact).collect()
}

fn instance(
    path: &Path,
    labels: &Labels,
    mut facts: Vec<Fact>,
    context: &mut Context,
    options: &Options,
) -> Instance {
    facts.extend(labels.facts.iter().cloned());
    let folder = labels.folder.clone().or_else(|| folder_by_name(path, &mut facts));
    context.queue = folder.clone().unwrap_or_else(|| "TempTable".to_owned());
    context.expected = labels.expected();
    let label = match (&labels.store, &folder) {
        (Some(store), Some(folder)) => format!("{store} {folder}"),
        (Some(store), None) => store.clone(),
        (None, Some(folder)) => format!("{folder} ({})", path.display()),
        (None, None) => path.display().to_string(),
    };
    facts.push(Fact::new(
        "Exchange System Manager shows the queues in memory, not the items that are left in a TempTable (KB 950757)",
        Locus::whole(Text::from_path(path)),
    ));
    Instance {
        source: "temptable",
        label,
        root: Text::from_path(path),
        queues: vec![context.queue.clone()],
        live: None,
        at_home: false,
        epochs: options.epochs.clone(),
        limits: options.limits,
        last_activity: None,
        facts,
        unlisted_queues: Vec::new(),
        listing_blind_spot: None,
    }
}

/// Where no label says what the folder is called, the name of the file or its folder may.
fn folder_by_name(path: &Path, facts: &mut Vec<Fact>) -> Option<String> {
    let stem = path.file_stem().and_then(|stem| stem.to_str());
    let parent = path.parent().and_then(Path::file_name).and_then(|name| name.to_str());
    let name = [stem, parent]
        .into_iter()
        .flatten()
        .find(|name| name.get(..9).is_some_and(|head| head.eq_ignore_ascii_case("TempTable")))?;
    let text = format!("the folder is taken to be `{name}` from the name on disk (a guess)");
    facts.push(Fact::new(text, Locus::whole(Text::from_path(path))));
    Some(name.to_owned())
}
