//! What is known of the configuration of a spool: which `main.cf` is its own, and what that says.

use super::layout::Layout;
use super::main_cf::{self, MainCf};
use crate::evidence::{Fact, Limits, Locus, Text};
use crate::read::disk::Root;
use std::path::{Component, Path, PathBuf};

/// Where Postfix has its configuration unless it was built otherwise (`DEF_CONFIG_DIR`), and where FreeBSD has it.
const ETC_FOLDERS: [&str; 2] = ["etc", "usr/local/etc"];
/// Names below `/etc` that are looked at, at most.
const MAX_ETC_NAMES: usize = 4_096;

/// A `main.cf`, and where it was read.
#[derive(Debug)]
pub struct Config {
    /// Its folder.
    pub folder: PathBuf,
    /// What it says.
    pub main_cf: MainCf,
}

/// What is known of the configuration of a spool.
#[derive(Debug, Default)]
pub struct Settings {
    /// Its own configuration.
    pub config: Option<Config>,
    /// Whether that configuration names this very spool.
    pub names_this_spool: bool,
    /// The folder in which the system lies whose spool it is: `/`, or where a dead disk is mounted.
    pub tree: Option<PathBuf>,
    /// The spool of the default instance, if that is another one.
    pub default_spool: Option<PathBuf>,
    /// A configuration that was given and could not be read.
    pub unread: Option<PathBuf>,
}

impl Config {
    /// Reads `main.cf` in this folder, or the file itself.
    pub fn read(path: &Path) -> Option<Self> {
        let folder =
            if path.file_name().is_some_and(|name| name == "main.cf") { path.parent()? } else { path };
        // The way to the configuration may lead through links; the file itself may not, so that a link on a dead disk
        // does not lead into the configuration of this machine.
        let root = Root::open(folder).ok()?;
        let bytes = root.open_file(Path::new("main.cf")).ok()?.all(main_cf::MAX_BYTES).ok()?;
        Some(Self { folder: folder.to_owned(), main_cf: MainCf::parse(&bytes) })
    }

    /// The path of the file.
    pub fn path(&self) -> PathBuf {
        self.folder.join("main.cf")
    }

    /// Its spool, by the paths of its own system.
    pub fn queue_directory(&self) -> Option<PathBuf> {
        self.main_cf.value("queue_directory").map(PathBuf::from)
    }

    /// Whether this is the folder of the default instance.
    pub fn is_default_folder(&self) -> bool {
        self.folder.file_name().is_some_and(|name| name == "postfix")
    }

    fn fact(&self, name: &str) -> Option<Fact> {
        let setting = self.main_cf.setting(name)?;
        let locus = Locus::line(Text::from_path(&self.path()), setting.line);
        Some(Fact::new(format!("{name} is `{}`", setting.value), locus))
    }
}

/// All configurations of Postfix in a system that lies below `tree`, the default instance first.
pub fn configs_below(tree: &Path) -> Vec<Config> {
    let mut found = Vec::new();
    for etc in ETC_FOLDERS.map(|folder| tree.join(folder)) {
        let Ok(root) = Root::open(&etc) else { continue };
        let Ok(entries) = root.list(Path::new(".")) else { continue };
        let mut names: Vec<PathBuf> = entries
            .flatten()
            .take(MAX_ETC_NAMES)
            .map(|(name, _)| name)
            .filter(|name| name.to_str().is_some_and(|name| name.starts_with("postfix")))
            .collect();
        names.sort();
        found.extend(names.iter().filter_map(|name| Config::read(&etc.join(name))));
    }
    found
}

impl Settings {
    /// Looks for the configuration of a spool: the one that was given, else one that names this spool, in the system in
    /// which it lies or on this machine, else the default instance's.
    pub fn of(spool: &Path, given: Option<&Path>) -> Self {
        let spool = std::fs::canonicalize(spool).unwrap_or_else(|_| spool.to_owned());
        let tree = tree_of(&spool);
        if let Some(config) = given.and_then(Config::read) {
            let named = config.queue_directory();
            let names_this_spool = named.as_deref() == Some(&below(tree.as_deref(), &spool))
                || named.is_some_and(|named| is_same(&named, &spool));
            return Self { config: Some(config), names_this_spool, tree, ..Self::default() };
        }
        let mut candidates: Vec<PathBuf> = tree.clone().into_iter().collect();
        if tree.as_deref() != Some(Path::new("/")) {
            candidates.push(PathBuf::from("/"));
        }
        let found = candidates
            .iter()
            .find_map(|candidate| Self::search(candidate, &spool, tree.as_ref() == Some(candidate)));
        let unread = given.map(Path::to_owned);
        Self { tree, unread, ..found.unwrap_or_default() }
    }

    /// Looks below one system. The default instance's configuration serves only within the system of the spool itself.
    fn search(candidate: &Path, spool: &Path, in_its_tree: bool) -> Option<Self> {
        let wanted = below(Some(candidate), spool);
        let mut configs = configs_below(candidate);
        // On this machine the path may lead through links.
        let names_it = |path: PathBuf| path == wanted || candidate == Path::new("/") && is_same(&path, spool);
        let own = configs.iter().position(|config| config.queue_directory().is_some_and(names_it));
        let default_spool = configs
            .iter()
            .find(|config| config.is_default_folder())
            .and_then(Config::queue_directory)
            .filter(|default| *default != wanted);
        let index = own.or_else(|| (in_its_tree && !configs.is_empty()).then_some(0))?;
        let config = Some(configs.swap_remove(index));
        Some(Self { config, names_this_spool: own.is_some(), default_spool, ..Self::default() })
    }

    /// Whether a system that lies below `host` (`/` for this machine) has this configuration as its own, and the
    /// configuration names this very spool. A configuration that was found elsewhere, or that came with a copy, proves
    /// nothing: it names a path of its own system.
    pub fn is_at_home(&self, spool: &Path, host: &Path) -> bool {
        let Some(config) = &self.config else { return false };
        let own_folders = ETC_FOLDERS.map(|folder| host.join(folder));
        let is_own = std::fs::canonicalize(&config.folder).is_ok_and(|folder| {
            own_folders.iter().any(|etc| folder.parent().is_some_and(|parent| is_same(etc, parent)))
        });
        is_own && config.queue_directory().is_some_and(|named| is_same(&named, spool))
    }

    /// The name of the instance, if it has one.
    pub fn instance_name(&self) -> Option<String> {
        let name =
            self.config.as_ref().filter(|_| self.names_this_spool)?.main_cf.value("multi_instance_name")?;
        Some(name).filter(|name| !name.is_empty())
    }

    /// How the queues are hashed.
    pub fn layout(&self) -> Layout {
        let Some(config) = self.config.as_ref() else { return Layout::default() };
        let names = config.main_cf.value("hash_queue_names");
        let depth = config.main_cf.value("hash_queue_depth").and_then(|depth| depth.parse().ok());
        match (names, depth) {
            (Some(names), Some(depth)) => {
                let mut layout = Layout::new(&names, depth);
                layout.configured = self.names_this_spool;
                layout
            }
            _ => Layout::default(),
        }
    }

    /// The limits, those given on the command line first, and facts that say where each comes from.
    pub fn limits(&self, given: &Limits) -> (Limits, Vec<Fact>) {
        let mut facts = Vec::new();
        let mut limit = |name: &str, given: Option<i64>| {
            if given.is_some() {
                return given;
            }
            let read = self.config.as_ref().and_then(|config| config.main_cf.duration(name));
            let stated = self.config.as_ref().and_then(|config| config.fact(name)).filter(|_| read.is_some());
            facts.push(stated.unwrap_or_else(|| self.default_fact(name)));
            read.or_else(|| MainCf::default().duration(name))
        };
        let limits = Limits {
            maximal_backoff: limit("maximal_backoff_time", given.maximal_backoff),
            queue_run_delay: limit("queue_run_delay", given.queue_run_delay),
            queue_lifetime: limit("maximal_queue_lifetime", given.queue_lifetime),
            bounce_lifetime: limit("bounce_queue_lifetime", given.bounce_lifetime),
        };
        (limits, facts)
    }

    /// Facts about the other settings that matter here. What the spool itself shows of its hashing stands for a default.
    pub fn facts(&self, hashing: &[Fact]) -> Vec<Fact> {
        let mut facts = Vec::new();
        if let Some(unread) = &self.unread {
            let text = "no main.cf could be read at the place that was given";
            facts.push(Fact::new(text, Locus::whole(Text::from_path(unread))));
        }
        if let Some(config) = &self.config {
            let path = Text::from_path(&config.path());
            facts.push(Fact::new(
                if self.names_this_spool {
                    "this main.cf names this spool as its queue_directory"
                } else {
                    "the nearest main.cf, which does not name this spool: its settings may be another instance's"
                },
                Locus::whole(path),
            ));
            facts.extend(
                ["queue_directory", "multi_instance_name"].iter().filter_map(|name| config.fact(name)),
            );
            if let Some(others) = config.main_cf.value("multi_instance_directories").filter(|v| !v.is_empty())
                && let Some(mut fact) = config.fact("multi_instance_directories")
            {
                fact.text = format!("there are more instances, configured in `{others}`");
                facts.push(fact);
            }
        }
        facts.extend_from_slice(hashing);
        let names = ["hash_queue_names", "hash_queue_depth", "enable_long_queue_ids", "mail_owner"];
        for name in names.into_iter().filter(|name| hashing.is_empty() || !name.starts_with("hash_queue")) {
            let stated = self.config.as_ref().and_then(|config| config.fact(name));
            facts.push(stated.unwrap_or_else(|| self.default_fact(name)));
        }
        facts
    }

    fn default_fact(&self, name: &str) -> Fact {
        let value = main_cf::default(name).unwrap_or_default();
        match &self.config {
            Some(config) => Fact::new(
                format!("{name} is `{value}`, the default of Postfix"),
                Locus::whole(Text::from_path(&config.path())),
            ),
            None => Fact::new(
                format!("{name} is taken to be `{value}`, the default of Postfix: no main.cf was found"),
                Locus::whole("."),
            ),
        }
    }

    /// The user of Postfix.
    pub fn mail_owner(&self) -> String {
        let configured = self.config.as_ref().and_then(|config| config.main_cf.value("mail_owner"));
        configured.unwrap_or_else(|| "postfix".to_owned())
    }
}

/// The folder in which the whole system lies, if the spool lies where Postfix has it: below `var/spool`.
fn tree_of(spool: &Path) -> Option<PathBuf> {
    let parent = spool.parent()?;
    parent.ends_with("var/spool").then(|| parent.parent()?.parent().map(Path::to_owned)).flatten()
}

/// Whether both paths lead to the same place, and there is one.
pub fn is_same(one: &Path, other: &Path) -> bool {
    matches!((std::fs::canonicalize(one), std::fs::canonicalize(other)), (Ok(one), Ok(other)) if one == other)
}

/// The path of the spool as its own system writes it.
fn below(tree: Option<&Path>, spool: &Path) -> PathBuf {
    let relative = tree.and_then(|tree| spool.strip_prefix(tree).ok()).unwrap_or(spool);
    let plain = relative.components().filter(|part| matches!(part, Component::Normal(_)));
    std::iter::once(Component::RootDir).chain(plain).collect()
}
