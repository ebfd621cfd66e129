//! The kill test of every source: real ghosts of each mail system, the machine dying at every point of what is done about them.
//!
//! The ghosts lie on a copy, so that each of them is handed over; `act/tests` kills every other kind of step.

use super::apply::{apply_in, domains};
use super::build::Builder;
use super::content::Writer;
use super::plan::plan;
use super::resume::{begun, pending};
use super::undo::Target;
use super::{ActRequest, NdrRequest, Selection};
use crate::act::faults::Faults;
use crate::act::faults::testing::Kind;
use crate::act::work::Went;
use crate::evidence::Live;
use crate::plan::{Choice, Door, Given, Job, Submission, Verb};
use crate::run::filter::Filter;
use crate::run::{ListingChoice, ScanRequest};
use crate::sources::samples::{fixture_options, lay_out_fixture};
use crate::sources::{Source, by_name};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::Duration;

/// A copy of a spool, a state folder, and a `sendmail` that keeps what it is given.
struct Desk {
    folder: tempfile::TempDir,
    request: ActRequest,
}

/// How a run ended, as the spool and the `sendmail` show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Ending {
    /// It arrived, once.
    Arrived,
    /// It is as it was.
    Untouched,
    /// It is in the vault, and the journal says that somebody has to decide.
    Open,
}

impl Desk {
    fn new(source: &dyn Source, case: &str, verb: Verb) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (spool, state, taken) =
            (folder.path().join("spool"), folder.path().join("state"), folder.path().join("taken"));
        lay_out_fixture(source, case, &spool);
        fs::create_dir(&taken).unwrap();
        let sendmail = folder.path().join("sendmail");
        let script = format!(
            "f=$(mktemp {0}/.new.XXXXXX)\n{{ echo \"$*\"; cat; }} >$f\nmv $f {0}/$(basename $f | cut -c6-)\n",
            taken.display()
        );
        fs::write(&sendmail, script).unwrap();
        // Not run itself: a program that was just written cannot always be (`ETXTBSY`).
        let submission = Submission {
            program: "/bin/sh".to_owned(),
            arguments: vec![sendmail.display().to_string()],
            null_sender: Some("<>".to_owned()),
            dsn: false,
            envelope_on_top: false,
        };
        let options = crate::sources::Options { now_given: true, ..fixture_options(source, case) };
        let scan = ScanRequest {
            no_envelopes: false,
            paths: vec![spool],
            temp_tables: Vec::new(),
            source: Some(source.name().to_owned()),
            listing: ListingChoice::None,
            options,
            filter: Filter::default(),
            settle: Duration::ZERO,
            threads: 1,
            progress: false,
            host: "host.example".to_owned(),
            again: Vec::new(),
        };
        let request = ActRequest {
            scan,
            verb,
            selection: Selection::default(),
            given: Given { offline: true, ..Given::default() },
            via: Choice::This(Door::Sendmail { submission }),
            state,
            max: Some(1),
            canary: false,
            rate: None,
            per_domain: None,
            mail_name: "host.example".to_owned(),
            report: NdrRequest { allow_backscatter: true, ..NdrRequest::default() },
            words: Vec::new(),
        };
        Self { folder, request }
    }

    /// Plans and acts in a world that breaks, then carries on in one that does not. `None` where nothing can be done.
    fn run(&self, faults: &Faults) -> Option<Job> {
        let (scene, planned) = plan(&self.request).unwrap();
        let job = planned.jobs.first()?.job.clone();
        let _outcome = apply_in(&self.request, &scene, &planned, &mut |_, _, _| {}, faults);
        self.resume();
        Some(job)
    }

    fn resume(&self) {
        let target = Target { operation: None, job: None };
        // A child that another test starts has a copy of every lock of this process until it is another program.
        for _ in 0..100 {
            match begun(&self.request.state, "host.example", &target, None, &mut |_, _, _| {}) {
                Ok(applied) if applied.went.iter().any(|(_, went)| matches!(went, Went::Busy(_))) => {}
                Err(error) if error.to_string().contains("another ghostq is acting") => {}
                _ => break,
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The arguments with which the `sendmail` was called.
    fn arrivals(&self) -> usize {
        let files = fs::read_dir(self.folder.path().join("taken")).unwrap();
        files.filter(|file| !file.as_ref().unwrap().file_name().to_string_lossy().starts_with('.')).count()
    }

    /// What became of the message.
    ///
    /// # Panics
    /// When it is lost, or was sent twice, or is in the spool and was sent as well.
    fn ending(&self, job: &Job, at: &str) -> Ending {
        let spool = self.folder.path().join("spool");
        let there =
            |path: &Path, inode: u64| fs::symlink_metadata(path).is_ok_and(|data| data.ino() == inode);
        let parts = || job.parts.iter().map(|part| there(&spool.join(part.path.to_path()), part.stat.inode));
        let (all, any) = (parts().all(|there| there), parts().any(|there| there));
        let open = pending(&self.request.state, &Target { operation: None, job: None });
        let unknown =
            open.is_ok_and(|operation| operation.jobs.values().any(|course| course.unknown().is_some()));
        match (self.arrivals(), all, any) {
            (1, _, false) if unknown => Ending::Open,
            (1, _, false) => Ending::Arrived,
            (0, true, _) => Ending::Untouched,
            (0, _, false) if unknown => Ending::Open,
            (arrivals, all, any) => panic!(
                "{at}: it arrived {arrivals} times, and of its parts {} are in the spool",
                if all {
                    "all"
                } else if any {
                    "some"
                } else {
                    "none"
                }
            ),
        }
    }
}

/// Kills at every point what is done about the worst ghost of each of these fixtures.
#[expect(clippy::print_stderr, reason = "how often each ending came is a result of the test")]
fn kill(source: &str, cases: &[&str]) {
    let source = by_name(source).unwrap();
    let mut endings: BTreeMap<Ending, usize> = BTreeMap::new();
    for case in cases {
        for verb in [Verb::Requeue, Verb::Ndr] {
            let whole = Faults::at(usize::MAX, Kind::Death);
            let desk = Desk::new(source, case, verb);
            let Some(job) = desk.run(&whole) else { continue };
            assert_eq!(desk.ending(&job, case), Ending::Arrived, "{case}: undisturbed");
            for point in 0..whole.passed() {
                let kind = if point % 5 == 4 { Kind::TornWrite } else { Kind::Death };
                let at = format!("{} {case} {verb:?}, killed at point {point}", source.name());
                let desk = Desk::new(source, case, verb);
                let job = desk.run(&Faults::at(point, kind)).unwrap();
                let ending = desk.ending(&job, &at);
                *endings.entry(ending).or_default() += 1;
                desk.resume();
                assert_eq!(desk.ending(&job, &at), ending, "{at}: a second resume changes nothing");
            }
        }
    }
    eprintln!("{}: {endings:?}", source.name());
    assert!(
        endings.contains_key(&Ending::Arrived) && endings.contains_key(&Ending::Untouched),
        "{endings:?}"
    );
}

#[test]
fn a_spool_in_which_a_process_works_is_not_offline() {
    for (name, case) in [("postfix", "corrupt"), ("exim", "frozen-halves-named"), ("courier", "ghosts")] {
        for verb in [Verb::Requeue, Verb::Ndr] {
            let desk = Desk::new(by_name(name).unwrap(), case, verb);
            let (mut scene, planned) = plan(&desk.request).unwrap();
            let ready = &planned.jobs.first().unwrap().finding;
            let live = Live { pid: 4711, since: scene.clock.now };
            scene.prepared.places.iter_mut().for_each(|place| place.instance.live = Some(live));
            let refusal = Builder::new(&desk.request, &scene, &planned.summary).build(1, ready).unwrap_err();
            assert!(refusal.reason.contains("process 4711 works in this spool"), "{name}: {refusal:?}");
        }
    }
}

#[test]
fn what_the_mail_system_sends_itself_counts_for_the_pace_of_a_domain() {
    let desk = Desk::new(by_name("postfix").unwrap(), "corrupt", Verb::Requeue);
    let (scene, planned) = plan(&desk.request).unwrap();
    let planned = planned.jobs.first().unwrap();
    let writer = Writer::new(&desk.request, &scene, &planned.finding, None);
    let native = Job { outgoing: None, ..planned.job.clone() };
    assert_eq!(domains(&native, &writer), ["grey.test"]);
    assert_eq!(domains(&native, &writer), domains(&planned.job, &writer));
}

#[test]
fn postfix_killed_at_every_point() {
    kill("postfix", &["corrupt"]);
}

#[test]
fn exim_killed_at_every_point() {
    kill("exim", &["frozen-halves-named"]);
}

#[test]
fn sendmail_killed_at_every_point() {
    kill("sendmail", &["quarantine-lost-bad"]);
}

#[test]
fn opensmtpd_killed_at_every_point() {
    kill("opensmtpd", &["offline"]);
}

#[test]
fn qmail_killed_at_every_point() {
    kill("qmail", &["ghosts"]);
}

#[test]
fn courier_killed_at_every_point() {
    kill("courier", &["ghosts"]);
}

#[test]
fn nullmailer_killed_at_every_point() {
    kill("nullmailer", &["ghosts"]);
}

#[test]
fn dma_killed_at_every_point() {
    kill("dma", &["ghosts"]);
}
