//! What is known of the configuration of a spool: which `sendmail.cf` or `submit.cf` names it, and what that says.
//!
//! Source: sendmail `sendmail/readcf.c` (options `O Name=value`, queue groups `Qname, P=path`), `doc/op/op.me` sections
//! 5.6 and 5.9.

use crate::evidence::{Fact, Limits, Locus, Text, parse_duration};
use crate::read::disk::Root;
use std::path::{Component, Path, PathBuf};

/// Where the configurations lie below a system, with whether they are those of the submission program.
const FILES: [(&str, &str, bool); 4] = [
    ("etc/mail", "sendmail.cf", false),
    ("etc/mail", "submit.cf", true),
    ("etc", "sendmail.cf", false),
    ("usr/local/etc/mail", "sendmail.cf", false),
];
/// A configuration is read so far; the ones that m4 makes have 60 KiB.
const MAX_BYTES: usize = 1 << 20;
/// Settings that are kept.
const MAX_SETTINGS: usize = 10_000;
/// Folders above a spool in which its system may begin.
const MAX_ANCESTORS: usize = 32;
/// Names of the submission program's queue: the default, and Debian's.
const CLIENT_NAMES: [&str; 2] = ["clientmqueue", "mqueue-client"];
/// `Timeout.queuereturn` where nothing is configured (`sendmail/conf.c`, `doc/op/op.me`).
const DEFAULT_RETURN: i64 = 5 * 86_400;
/// The time between queue runs stands on the command line of the daemon (`-q`), where a copy does not have it. The
/// longest that a distribution uses is taken.
const ASSUMED_RUN_DELAY: i64 = 3_600;

/// One option or queue group.
#[derive(Debug)]
struct Setting {
    name: String,
    value: String,
    line: u64,
}

/// A configuration file.
#[derive(Debug)]
pub struct Config {
    /// Where it was read.
    pub path: PathBuf,
    /// Whether it is that of the submission program (`submit.cf`).
    pub client: bool,
    settings: Vec<Setting>,
}

/// What is known of the configuration of a spool.
#[derive(Debug)]
pub struct Settings {
    /// The configuration that names this spool, or that was given.
    pub config: Option<Config>,
    /// Whether it names this very spool.
    pub names_this_spool: bool,
    /// Whether the spool is the queue of the submission program.
    pub client: bool,
    /// The folder in which the system lies whose spool this is.
    pub tree: Option<PathBuf>,
    /// The path of the spool as its own system writes it.
    own_path: PathBuf,
}

impl Config {
    /// Reads a configuration file.
    pub fn read(path: &Path, client: bool) -> Option<Self> {
        // The way to the configuration may lead through links; the file itself may not, so that a link on a dead disk does
        // not lead into the configuration of this machine.
        let root = Root::open(path.parent()?).ok()?;
        let bytes = root.open_file(Path::new(path.file_name()?)).ok()?.all(MAX_BYTES).ok()?;
        Some(Self { path: path.to_owned(), client, settings: parse(&bytes) })
    }

    fn setting(&self, name: &str) -> Option<&Setting> {
        // The last one counts, as `setoption` overwrites.
        self.settings.iter().rev().find(|setting| setting.name == name)
    }

    /// `QueueDirectory`, by the paths of its own system.
    fn queue_directory(&self) -> Option<&str> {
        self.setting("queuedirectory").map(|setting| setting.value.as_str())
    }

    /// The folder that a running sendmail works in: `QueueDirectory`, without a wildcard in its last part.
    pub fn base(&self) -> Option<PathBuf> {
        let value = Path::new(self.queue_directory()?);
        let wild = self.queue_directory()?.ends_with('*');
        Some(if wild { value.parent()?.to_owned() } else { value.to_owned() })
    }

    /// Paths of all queue groups: `QueueDirectory` and every `P=`.
    fn patterns(&self) -> impl Iterator<Item = &str> {
        let groups = self.settings.iter().filter(|setting| setting.name == "p=");
        self.queue_directory().into_iter().chain(groups.map(|setting| setting.value.as_str()))
    }

    fn seconds(&self, name: &str) -> Option<i64> {
        duration(&self.setting(name)?.value)
    }

    fn fact(&self, name: &str) -> Option<Fact> {
        let setting = self.setting(name)?;
        let locus = Locus::line(Text::from_path(&self.path), setting.line);
        Some(Fact::new(format!("{} is `{}`", setting.name, setting.value), locus))
    }
}

/// All configurations of sendmail in a system that lies below `tree`.
pub fn configs_below(tree: &Path) -> Vec<Config> {
    FILES
        .iter()
        .filter_map(|(folder, file, client)| Config::read(&tree.join(folder).join(file), *client))
        .collect()
}

impl Settings {
    /// Looks for the configuration that names a spool: the one that was given, or one in a system above the spool.
    pub fn of(spool: &Path, given: Option<&Path>) -> Self {
        let spool = std::fs::canonicalize(spool).unwrap_or_else(|_| spool.to_owned());
        let named_client =
            spool.file_name().is_some_and(|name| CLIENT_NAMES.iter().any(|client| name == *client));
        let mut settings = Self {
            config: None,
            names_this_spool: false,
            client: named_client,
            tree: None,
            own_path: spool.clone(),
        };
        for tree in spool.ancestors().skip(1).take(MAX_ANCESTORS) {
            let own_path = below(tree, &spool);
            let mut configs: Vec<Config> = given.map_or_else(|| configs_below(tree), read_given);
            let own = configs.iter().position(|config| config.base().as_deref() == Some(&own_path));
            if let Some(own) = own {
                let config = configs.swap_remove(own);
                settings.client = config.client;
                settings.tree = Some(tree.to_owned());
                settings.own_path = own_path;
                settings.names_this_spool = true;
                settings.config = Some(config);
                return settings;
            }
        }
        settings.config = given.and_then(|given| read_given(given).into_iter().next());
        settings
    }

    /// Whether the listing and the queue runs read this queue folder. `None`: no configuration says so.
    pub fn reads(&self, folder: &Path) -> Option<bool> {
        let config = self.config.as_ref().filter(|_| self.names_this_spool)?;
        let folder = self.own_path.join(folder);
        Some(config.patterns().any(|pattern| matches(pattern, &folder)))
    }

    /// Whether control files may be writable by their group (`QueueFileMode`). `None`: no configuration says so.
    pub fn group_may_write(&self) -> Option<bool> {
        let config = self.config.as_ref()?;
        let mode = config.setting("queuefilemode").and_then(|s| u32::from_str_radix(s.value.trim(), 8).ok());
        // The default is 0660 with a submission program, 0600 otherwise (`doc/op/op.me`, QueueFileMode).
        Some(mode.map_or(config.client, |mode| mode & 0o020 != 0))
    }

    /// `MaxQueueAge`, if it is set: the longest wait between two attempts.
    pub fn max_queue_age(&self) -> Option<i64> {
        self.config.as_ref()?.seconds("maxqueueage").filter(|age| *age > 0)
    }

    /// The limits, those given on the command line first, and facts that say where each comes from.
    pub fn limits(&self, given: &Limits) -> (Limits, Vec<Fact>) {
        let mut facts = Vec::new();
        let lifetime = given.queue_lifetime.or_else(|| {
            let names = ["timeout.queuereturn", "timeout.queuereturn.normal", "timeout.queuereturn.urgent"];
            let more = ["timeout.queuereturn.non-urgent"];
            let config = self.config.as_ref();
            let longest = names
                .iter()
                .chain(&more)
                .filter_map(|name| Some((config?.seconds(name)?, config?.fact(name)?)))
                .max_by_key(|(seconds, _)| *seconds);
            let (seconds, fact) =
                longest.unwrap_or_else(|| (DEFAULT_RETURN, self.default_fact("Timeout.queuereturn", "5d")));
            facts.push(fact);
            Some(seconds)
        });
        let bounces = self.config.as_ref().and_then(|config| config.seconds("timeout.queuereturn.dsn"));
        let run_delay = given.queue_run_delay.or_else(|| {
            let text =
                "the time between queue runs is taken to be 1h: it stands on the command line of the daemon";
            facts.push(Fact::new(text, Locus::whole(".")));
            Some(ASSUMED_RUN_DELAY)
        });
        let limits = Limits {
            maximal_backoff: given.maximal_backoff.or_else(|| self.max_queue_age()),
            queue_run_delay: run_delay,
            queue_lifetime: lifetime,
            bounce_lifetime: given.bounce_lifetime.or(bounces).or(lifetime),
        };
        (limits, facts)
    }

    /// Facts about the settings that matter here.
    pub fn facts(&self) -> Vec<Fact> {
        let Some(config) = &self.config else {
            let text = "no sendmail.cf was found that names this spool: which folders the listing reads is not known";
            return vec![Fact::new(text, Locus::whole("."))];
        };
        let text = if self.names_this_spool {
            "this configuration names this spool"
        } else {
            "the configuration that was given does not name this spool"
        };
        let mut facts = vec![Fact::new(text, Locus::whole(Text::from_path(&config.path)))];
        let names = ["queuedirectory", "queuefilemode", "minqueueage", "maxqueueage", "pidfile"];
        facts.extend(names.iter().filter_map(|name| config.fact(name)));
        facts
    }

    fn default_fact(&self, name: &str, value: &str) -> Fact {
        let place =
            self.config.as_ref().map_or_else(|| Text::from("."), |config| Text::from_path(&config.path));
        Fact::new(format!("{name} is taken to be `{value}`, the default of sendmail"), Locus::whole(place))
    }
}

/// A configuration that was given: a file, or a folder with one or both.
fn read_given(given: &Path) -> Vec<Config> {
    let client = |path: &Path| path.file_name().is_some_and(|name| name == "submit.cf");
    if given.is_dir() {
        let files = ["sendmail.cf", "submit.cf"].map(|file| given.join(file));
        files.iter().filter_map(|file| Config::read(file, client(file))).collect()
    } else {
        Config::read(given, client(given)).into_iter().collect()
    }
}

fn parse(bytes: &[u8]) -> Vec<Setting> {
    let mut settings = Vec::new();
    for (number, line) in (1_u64..).zip(bytes.split(|byte| *byte == b'\n')) {
        let line = String::from_utf8_lossy(line);
        let line = line.trim_end();
        if settings.len() >= MAX_SETTINGS {
            break;
        }
        if let Some(option) = line.strip_prefix("O ") {
            let Some((name, value)) = option.split_once('=') else { continue };
            let (name, value) = (name.trim().to_ascii_lowercase(), value.trim().to_owned());
            settings.push(Setting { name, value, line: number });
        } else if let Some(group) = line.strip_prefix('Q') {
            let paths = group.split(',').filter_map(|field| {
                let (name, value) = field.split_once('=')?;
                name.trim().eq_ignore_ascii_case("p").then(|| value.trim().to_owned())
            });
            settings.extend(paths.map(|value| Setting { name: "p=".into(), value, line: number }));
        }
    }
    settings
}

/// `5d`, `1d12h`, `4` (days, as `settimeout` reads it).
fn duration(text: &str) -> Option<i64> {
    let mut total = 0_i64;
    let mut rest = text.trim();
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let letters =
            rest.get(digits..)?.find(|c: char| c.is_ascii_digit()).map_or(rest.len(), |at| digits + at);
        total = total.checked_add(parse_duration(rest.get(..letters)?, 'd')?)?;
        rest = rest.get(letters..)?;
    }
    (!text.trim().is_empty()).then_some(total)
}

fn matches(pattern: &str, folder: &Path) -> bool {
    let path = Path::new(pattern);
    match pattern.strip_suffix('*') {
        None => path == folder,
        Some(open) => {
            let start = open.rsplit('/').next().unwrap_or_default();
            let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            path.parent() == folder.parent() && name.starts_with(start)
        }
    }
}

/// The path of the spool as its own system writes it.
fn below(tree: &Path, spool: &Path) -> PathBuf {
    let relative = spool.strip_prefix(tree).unwrap_or(spool);
    let plain = relative.components().filter(|part| matches!(part, Component::Normal(_)));
    std::iter::once(Component::RootDir).chain(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_sendmail_writes_them() {
        assert_eq!(duration("5d"), Some(432_000));
        assert_eq!(duration("1d12h"), Some(129_600));
        assert_eq!(duration("4"), Some(345_600));
        assert_eq!(duration("soon"), None);
        assert_eq!(duration(""), None);
    }

    #[test]
    fn a_wildcard_stands_for_folders_that_begin_so() {
        let settings =
            parse(b"O QueueDirectory=/var/spool/mqueue/q*\nQslow, P=/var/spool/mqueue/slow, F=f\n#O X=y\n");
        let config = Config { path: PathBuf::new(), client: false, settings };
        assert_eq!(config.base().unwrap(), Path::new("/var/spool/mqueue"));
        let read = |folder: &str| config.patterns().any(|pattern| matches(pattern, Path::new(folder)));
        assert!(
            read("/var/spool/mqueue/q1") && read("/var/spool/mqueue/qa") && read("/var/spool/mqueue/slow")
        );
        assert!(
            !read("/var/spool/mqueue") && !read("/var/spool/mqueue/old") && !read("/var/spool/mqueue/q1/q2")
        );
    }
}
