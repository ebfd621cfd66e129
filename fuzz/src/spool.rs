//! A spool, or a folder of exports: everything that ghostq does with it short of acting.

use crate::input::Input;
use crate::{tally, tame};
use ghostq::evidence::{Epoch, EpochOrigin, Fact, Live, Locus, Message, Record, Text, Time};
use ghostq::findings::Finding;
use ghostq::findings::Prospect;
use ghostq::plan::{Change, Choice, Given, Proposal, Ret, Verb, Way};
use ghostq::read::disk::EntryKind;
use ghostq::read::manifest::Manifest;
use ghostq::report::{self, ReportOptions};
use ghostq::run::act::plan::{Planned, plan};
use ghostq::run::act::{ActRequest, NdrRequest, Selection, content};
use ghostq::run::filter::Filter;
use ghostq::run::{ListingChoice, ScanRequest};
use ghostq::sources::{ALL, Ask, Detected, Extent, Opened, Options, Source, Unit};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// What lies outside of every spool, and must never be seen.
const SECRET: &str = "ghostq-secret-5f0c9a";
/// Messages that are proposed for one by one.
const ASKED: usize = 12;

/// A spool in a folder of its own.
struct World {
    folder: tempfile::TempDir,
    request: ScanRequest,
    source: &'static dyn Source,
}

/// Lays the spool out, asks for each message, and goes one of the ways that a user can go.
pub fn run(input: &Input) {
    let world = World::of(input);
    let before = world.names();
    let way =
        input.bytes().iter().fold(0_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(usize::from(*byte)));
    world.ask_each(way);
    if tally::counting() {
        world.scan(way);
    }
    match way / 7 % 5 {
        _ if tally::counting() => {
            world.forecast();
            world.plan(Verb::Requeue, way);
            world.plan(Verb::Ndr, way);
        }
        0 => world.forecast(),
        1 => world.plan(Verb::Requeue, way),
        2 => world.plan(Verb::Ndr, way),
        _ => world.scan(way),
    }
    assert_eq!(world.names(), before, "scanning and planning changed the spool");
    let stray = std::fs::read_dir(world.folder.path().join("home")).map(Iterator::count);
    assert_eq!(stray.ok(), Some(0), "something was written outside");
}

impl World {
    fn of(input: &Input) -> Self {
        let source = ALL[usize::from(input.choice) % ALL.len()];
        let base = if Path::new("/dev/shm").is_dir() { Path::new("/dev/shm") } else { Path::new("/tmp") };
        let folder = tempfile::tempdir_in(base).expect("a folder");
        let spool = folder.path().join("spool");
        std::fs::create_dir(&spool).expect("a spool");
        at_home(&folder.path().join("home"));
        let secret = format!("{SECRET}@x\n{SECRET}@y\n\nFrom: {SECRET}@x\nSubject: {SECRET}\n\n{SECRET}\n");
        std::fs::write(folder.path().join("secret"), secret).expect("a secret");
        for (name, bytes) in input.parts.iter().take(64) {
            lay_out(folder.path(), name, bytes);
        }
        let beside = |name: &str| folder.path().join(name);
        let mut options = Options {
            now: Time::parse("2026-11-24T12:00:00Z").expect("a time"),
            now_given: true,
            deep: input.parts.len() % 3 != 0,
            ..Options::default()
        };
        for line in input.part("@options").into_iter().flat_map(|text| text.split(|byte| *byte == b'\n')) {
            set(&mut options, &String::from_utf8_lossy(line));
        }
        if beside("config").is_dir() {
            options.config = Some(beside("config"));
        }
        if input.part("@manifest").is_some() {
            options.manifest = Manifest::read(&beside("@manifest")).ok().map(Arc::new);
        }
        let listing = match input.part("@listing") {
            Some(_) => ListingChoice::Files(vec![beside("@listing")]),
            None => ListingChoice::None,
        };
        let request = ScanRequest {
            no_envelopes: false,
            paths: vec![spool],
            temp_tables: Vec::new(),
            source: Some(source.name().to_owned()),
            listing,
            options,
            filter: Filter::default(),
            settle: Duration::ZERO,
            threads: 1,
            progress: false,
            host: "host.example".to_owned(),
            again: Vec::new(),
        };
        Self { folder, request, source }
    }

    fn spool(&self) -> PathBuf {
        self.folder.path().join("spool")
    }

    /// Every name below the folder, with sizes, and when anything about it was changed.
    fn names(&self) -> Vec<(PathBuf, u64, (i64, i64))> {
        use std::os::unix::fs::MetadataExt as _;
        let mut found = vec![(self.folder.path().to_owned(), 0, (0, 0))];
        let mut next = 0;
        while let Some((path, _, _)) = found.get(next).cloned() {
            let data = std::fs::symlink_metadata(&path).expect("it is still there");
            if data.is_dir() {
                found.extend(
                    std::fs::read_dir(&path)
                        .expect("a folder")
                        .map(|entry| (entry.expect("a name").path(), 0, (0, 0))),
                );
            } else {
                found[next].1 = data.len();
            }
            found[next].2 = (data.ctime(), data.ctime_nsec());
            next += 1;
        }
        found.sort();
        found
    }

    /// Reads every unit by itself, and asks for each message what to do and what it holds.
    fn ask_each(&self, way: usize) {
        let mut places: Vec<Detected> = ghostq::scan::detect::at_paths(&[self.spool()], Some(self.source))
            .map(|found| found.places.into_iter().map(|(_, place)| place).collect())
            .unwrap_or_default();
        if places.is_empty() {
            places.push(Detected { root: self.spool(), why: String::new(), config: None, variant: "" });
        }
        for place in places {
            let Ok(opened) = self.source.open(&place, &self.request.options) else { continue };
            let config = self.folder.path().join("config");
            let read = |fact: &Fact| fact.locus.path.to_path().starts_with(&config);
            if opened.instance.facts.iter().any(read) {
                tally::saw("configuration", self.source.name());
            }
            let mut units = Vec::new();
            let _ended = ghostq::scan::walk::walk(&opened.root, &opened.tops, opened.depth, &mut |step| {
                if let ghostq::scan::walk::Step::Entry { folder, name, kind } = step {
                    let path = folder.map_or_else(|| name.to_owned(), |folder| folder.path().join(name));
                    units.push((path, kind));
                }
                ControlFlow::Continue(())
            });
            let mut asked = 0;
            for (path, kind) in units {
                for message in messages(&opened, &path, kind) {
                    tally::saw("message", self.source.name());
                    if !place.variant.is_empty() {
                        tally::saw("place", &format!("{} {}", self.source.name(), place.variant));
                    }
                    asked += 1;
                    if asked <= ASKED {
                        self.ask(&opened, &message, way);
                    }
                }
            }
        }
    }

    fn ask(&self, opened: &Opened, message: &Message, way: usize) {
        let mut rules: Vec<Vec<&str>> = vec![Vec::new()];
        rules.extend(self.source.treatments().iter().map(|treatment| vec![treatment.rule]));
        let given = [
            Given::default(),
            Given {
                sender: Some(Text::from("given@sender.example")),
                recipients: vec![Text::from("given@recipient.example")],
                offline: true,
            },
        ];
        let listed = [None, Some(false), Some(true)];
        // A copy, the spool of this host, and one whose mail system runs.
        let mut instances = [opened.instance.clone(), opened.instance.clone(), opened.instance.clone()];
        instances[1].at_home = true;
        instances[2].live = Some(Live { pid: std::process::id(), since: Time::from_unix(1_700_000_000) });
        for (number, rules) in rules.iter().enumerate() {
            let verb = if (way + number) % 3 == 0 { Verb::Ndr } else { Verb::Requeue };
            let (given, listed) = (&given[(way + number) / 2 % 2], listed[(way + number) % 3]);
            let (instance, root, now) =
                (&instances[(way + number) / 3 % 3], &opened.root, self.request.options.now);
            let ask = Ask { verb, rules, listed, message, instance, root, given, now };
            match (opened.remedies.propose)(&ask) {
                Ok(proposal) => {
                    tally::saw("proposal", self.source.name());
                    check(&proposal);
                }
                Err(refusal) => assert!(!refusal.reason.is_empty(), "a refusal without a reason"),
            }
        }
        for extent in [Extent::Whole, Extent::Header] {
            let mut bytes = Vec::new();
            if (opened.remedies.content)(&opened.root, message, extent, &mut bytes).is_ok() {
                tally::saw("content", self.source.name());
            }
            unseen("the content", &bytes);
        }
    }

    /// Scans, and prints in every format; now and then once more, by several threads: they have to say the same.
    fn scan(&self, way: usize) {
        let Some(said) = self.scanned(&self.request) else { return };
        if way % 8 == 0 || tally::counting() {
            let by_three = ScanRequest { threads: 3, ..self.request.clone() };
            let again = self.scanned(&by_three).expect("it was scanned before");
            for (one, other) in said.iter().zip(&again) {
                let (one, other) = (String::from_utf8_lossy(one), String::from_utf8_lossy(other));
                assert_eq!(one, other, "three threads say something else");
            }
        }
    }

    fn scanned(&self, request: &ScanRequest) -> Option<Vec<Vec<u8>>> {
        let mut outcome = ghostq::run::scan::scan(request).ok()?;
        // It tells one scan from another.
        outcome.summary.scan_id = "scan".into();
        let mut said = Vec::new();
        let mut findings: Vec<Finding> = Vec::new();
        outcome
            .findings
            .each_sorted(|finding| {
                findings.push(finding);
                Ok(())
            })
            .expect("findings can be read back");
        if !findings.is_empty() {
            tally::saw("finding", self.source.name());
        }
        let options = ReportOptions { width: Some(100), all: true, ..ReportOptions::default() };
        for format in report::ALL {
            let mut report = report::make(format.name, &options).expect("a format");
            let mut out = Vec::new();
            report.begin(&outcome.summary, &mut out).expect("memory");
            for finding in &findings {
                report.finding(finding, &outcome.summary, &mut out).expect("memory");
            }
            report.end(&outcome.summary, &mut out).expect("memory");
            unseen(format.name, &out);
            match format.name {
                "table" => tame::terminal("the table", &out),
                "csv" => tame::spreadsheet(&out),
                _ => tame::json(&out),
            }
            said.push(out);
        }
        for finding in findings.iter().take(ASKED) {
            let mut page = Vec::new();
            report::show(finding, &outcome.summary, &options, &mut page).expect("memory");
            tame::terminal("the page of a message", &page);
        }
        Some(said)
    }

    /// Says what would happen.
    fn forecast(&self) {
        let options = ReportOptions { width: Some(100), all: true, ..ReportOptions::default() };
        if let Ok(forecast) = ghostq::run::forecast::forecast(&self.request) {
            let says = |prospect: &Prospect| !prospect.outcomes.is_empty();
            if forecast.places.iter().flatten().any(says) {
                tally::saw("forecast", self.source.name());
            }
            let (mut text, mut json) = (Vec::new(), Vec::new());
            report::forecast(&forecast, &options, &mut text).expect("memory");
            report::forecast_json(&forecast, &mut json).expect("memory");
            tame::terminal("the forecast", &text);
            tame::json(&json);
        }
    }

    /// Plans, and prints the plan; reports to senders are written as they would be sent.
    fn plan(&self, verb: Verb, way: usize) {
        let state = self.folder.path().join("state");
        let request = ActRequest {
            scan: self.request.clone(),
            verb,
            selection: Selection::default(),
            given: Given { offline: true, ..Given::default() },
            via: Choice::parse("sendmail:/usr/sbin/sendmail", None, None).expect("a door"),
            state: state.clone(),
            max: Some(20),
            canary: false,
            rate: None,
            per_domain: None,
            mail_name: "host.example".to_owned(),
            report: NdrRequest {
                allow_backscatter: true,
                ret: Some(if way % 2 == 0 { Ret::Full } else { Ret::Hdrs }),
                ..NdrRequest::default()
            },
            words: Vec::new(),
        };
        let Ok((scene, planned)) = plan(&request) else { return };
        self.print(&planned);
        for planned in &planned.jobs {
            tally::saw("plan", self.source.name());
            let job = &planned.job;
            for part in &job.parts {
                tame::below_the_root("a part", &part.path);
            }
            if let Some(reported) = &planned.reported {
                let mut report = Vec::new();
                if content::preview(&request, &scene, &planned.finding, reported, &mut report).is_ok() {
                    tally::saw("report about a message of", self.source.name());
                }
                let head =
                    report.split(|byte| *byte == b'\n').take_while(|line| !line.trim_ascii().is_empty());
                for line in head {
                    tame::terminal("the header of a report", line.trim_ascii_end());
                }
            }
        }
        assert!(!state.exists(), "planning wrote a state");
    }

    fn print(&self, planned: &Planned) {
        let shown = report::plan::Plan {
            verb: "requeue",
            host: "host.example",
            jobs: planned.jobs.iter().map(|planned| &planned.job).collect(),
            refused: &planned.refused,
            beyond: planned.beyond,
            complete: true,
            apply: "ghostq requeue --apply".to_owned(),
        };
        let text = report::plan::plan_text(&shown, 100) + &report::plan::refused_text(&planned.refused, 100);
        tame::terminal("the plan", text.as_bytes());
        let json = report::plan::plan_json(&shown).to_string();
        tame::json(json.as_bytes());
    }
}

fn messages(opened: &Opened, path: &Path, kind: EntryKind) -> Vec<Message> {
    let mut messages = Vec::new();
    (opened.read)(Unit { root: &opened.root, path, kind, lean: false }, &mut |record| {
        if let Record::Message(message) = record {
            messages.push(*message);
        }
        if messages.len() < ASKED { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    messages
}

/// A plan touches what lies below the root, and its commands hold nothing that a stranger wrote.
fn check(proposal: &Proposal) {
    let commands = match &proposal.way {
        Way::Native { commands } => commands.as_slice(),
        Way::HandOver { parts, .. } => {
            parts.iter().for_each(|part| tame::below_the_root("a part", part));
            &[]
        }
        Way::Repair { changes, then } => {
            for change in changes {
                let paths = match change {
                    Change::Rename { from, to } | Change::Link { from, to } => vec![from, to],
                    Change::Owner { path, .. }
                    | Change::Mode { path, .. }
                    | Change::Modified { path, .. }
                    | Change::Folder { path, .. }
                    | Change::Wake { path } => vec![path],
                };
                paths.into_iter().for_each(|path| tame::below_the_root("a change", path));
            }
            then.as_slice()
        }
    };
    if let Some(lock) = &proposal.lock {
        tame::below_the_root("a lock", lock.path());
    }
    for command in commands {
        assert!(Path::new(&command.program).is_absolute(), "`{}` is looked up", command.program);
        for argument in &command.arguments {
            assert!(!argument.chars().any(char::is_control), "{command:?}");
        }
    }
}

fn unseen(what: &str, bytes: &[u8]) {
    let seen = bytes.windows(SECRET.len()).any(|window| window == SECRET.as_bytes());
    assert!(!seen, "{what} was read through a link");
}

fn set(options: &mut Options, line: &str) {
    let Some((name, value)) = line.split_once('=') else { return };
    match name {
        "stamp" => options.stamp = Some(value.to_owned()),
        "encoding" => options.encoding = Some(value.to_owned()),
        "map" => options
            .map
            .extend(value.split_once(':').map(|(field, column)| (field.to_owned(), column.to_owned()))),
        "epoch" => options.epochs.extend(Time::parse(value).map(|since| Epoch {
            stamp: None,
            since: Some(since),
            origin: EpochOrigin::Given,
            witnesses: 1,
            fact: Fact::new("given", Locus::whole("options")),
        })),
        _ => {}
    }
}

/// Where programs write that write where they should not: it is empty, and stays so.
fn at_home(home: &Path) {
    std::fs::create_dir(home).expect("a folder");
    // Safety: inputs are run one after the other, and no thread of the one before is left.
    unsafe {
        for name in ["HOME", "XDG_STATE_HOME", "TMPDIR"] {
            std::env::set_var(name, home);
        }
    }
    std::env::set_current_dir(home).expect("a folder");
}

/// Makes one part: `@…` beside the spool, `@c …` a file of the configuration, `@x …:…` a named stream of a file that is there;
/// below the spool a folder (`name/`), a link, a socket, or a file.
fn lay_out(folder: &Path, name: &[u8], bytes: &[u8]) {
    if let Some(name) = name.strip_prefix(b"@c ") {
        let fit = !name.is_empty() && name.len() < 64 && !name.contains(&b'/') && !name.starts_with(b".");
        let config = folder.join("config");
        if fit && (config.is_dir() || std::fs::create_dir(&config).is_ok()) {
            let _made = std::fs::write(config.join(Text::new(name).to_path()), bytes);
        }
        return;
    }
    if let Some((file, stream)) = name.strip_prefix(b"@x ").and_then(|name| {
        let colon = name.iter().position(|byte| *byte == b':')?;
        Some((&name[..colon], &name[colon + 1..]))
    }) {
        let inside = file.split(|byte| *byte == b'/').all(|word| !word.is_empty() && word != b"..");
        let key = [b"user.".as_slice(), stream].concat();
        let path = folder.join("spool").join(Text::new(file).to_path());
        if inside && !key.contains(&0) && path.is_file() {
            let _made = rustix::fs::lsetxattr(&path, key.as_slice(), bytes, rustix::fs::XattrFlags::empty());
        }
        return;
    }
    if name.starts_with(b"@") && !name.contains(&b'/') && !name.contains(&b' ') && name.len() < 64 {
        let _made = std::fs::write(folder.join(Text::new(name).to_path()), bytes);
        return;
    }
    let (kind, name) = match name {
        [b'@', b'l', b' ', rest @ ..] => (b'l', rest),
        [b'@', b'p', b' ', rest @ ..] => (b'p', rest),
        [.., b'/'] => (b'd', name),
        _ => (b'f', name),
    };
    let mut path = folder.join("spool");
    let words: Vec<&[u8]> = name
        .split(|byte| *byte == b'/')
        .filter(|word| !word.is_empty() && *word != b"." && *word != b".." && word.len() <= 255)
        .take(12)
        .collect();
    let Some((last, above)) = words.split_last() else { return };
    path.extend(above.iter().map(|word| Text::new(*word).to_path()));
    if std::fs::create_dir_all(&path).is_err() {
        return;
    }
    path.push(Text::new(*last).to_path());
    let _made = match kind {
        b'd' => std::fs::create_dir(&path),
        b'l' => std::os::unix::fs::symlink(folder.join("secret"), &path),
        // A socket stands for all that is neither file nor folder.
        b'p' => std::os::unix::net::UnixListener::bind(&path).map(drop),
        _ => std::fs::write(&path, bytes),
    };
}
