//! Somebody else at work in the spool: the mail system, or a user who may write there.

use super::scenes::{Scene, scene};
use super::world::{MESSAGE, World, outgoing};
use crate::act::faults::Faults;
use crate::act::faults::testing::Kind;
use crate::act::vault::vault_is_outside;
use crate::act::work::Went;
use crate::evidence::Text;
use crate::plan::course::StepState;
use crate::plan::entry::End;
use crate::plan::{Change, Door, Lock, Step};
use std::fs;
use std::io::{BufRead as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A file that must stay as it is whatever happens in the spool.
fn passwd(world: &World) -> PathBuf {
    world.out.join("passwd")
}

type Act = fn(&Path, &Path);

/// What is done to the message; the second path is a file that matters elsewhere.
const ACTS: [(&str, Act); 8] = [
    ("it is delivered and removed", |file, _| {
        let _gone = fs::remove_file(file);
    }),
    ("it is renamed", |file, _| {
        let _moved = fs::rename(file, file.with_extension("active"));
    }),
    ("other bytes are written, and the time is set back", |file, _| {
        let Ok(stat) = fs::metadata(file) else { return };
        let text = fs::read_to_string(file).unwrap().replace("4711", "4712");
        let mut open = fs::File::options().write(true).open(file).unwrap();
        open.write_all(text.as_bytes()).unwrap();
        open.set_modified(stat.modified().unwrap()).unwrap();
    }),
    ("it is written anew by rename", |file, _| {
        if file.exists() {
            fs::write(file.with_extension("tmp"), MESSAGE).unwrap();
            fs::rename(file.with_extension("tmp"), file).unwrap();
        }
    }),
    ("a symbolic link takes its place", |file, passwd| {
        if fs::remove_file(file).is_ok() {
            std::os::unix::fs::symlink(passwd, file).unwrap();
        }
    }),
    ("a FIFO takes its place", |file, _| {
        if fs::remove_file(file).is_ok() {
            let mode = rustix::fs::Mode::from_raw_mode(0o600);
            rustix::fs::mknodat(rustix::fs::CWD, file, rustix::fs::FileType::Fifo, mode, 0).unwrap();
        }
    }),
    ("a second name of another file takes its place", |file, passwd| {
        if fs::remove_file(file).is_ok() {
            fs::hard_link(passwd, file).unwrap();
        }
    }),
    ("a folder takes its place", |file, _| {
        if fs::remove_file(file).is_ok() {
            fs::create_dir(file).unwrap();
        }
    }),
];

fn with_passwd(name: &str) -> Scene {
    let scene = scene(name);
    let path = passwd(&scene.world);
    fs::write(&path, "root:x:0:0::/root:/bin/sh\n").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    scene
}

fn of_passwd(world: &World) -> (Vec<u8>, u32, u32, u32, i64) {
    let path = passwd(world);
    let stat = fs::metadata(&path).unwrap();
    (fs::read(&path).unwrap(), stat.mode(), stat.uid(), stat.gid(), stat.mtime())
}

fn message_of(scene: &Scene) -> PathBuf {
    let part = scene.job.parts.iter().find(|part| part.path.lossy().ends_with("M1")).unwrap();
    scene.world.root.join(part.path.to_path())
}

#[test]
fn a_message_that_changed_after_it_was_planned_is_left_alone() {
    for name in ["attributes", "move", "link", "one part", "three parts", "pickup", "ndr"] {
        for (what, act) in ACTS {
            let scene = with_passwd(name);
            act(&message_of(&scene), &passwd(&scene.world));
            let before = (World::snapshot(&scene.world.root), of_passwd(&scene.world));
            let went = scene.world.apply(&scene.job, &scene.content, &Faults::none()).unwrap();
            assert!(matches!(went, Went::Ended(End::Untouched, _)), "{name}, {what}: {went:?}");
            let after = (World::snapshot(&scene.world.root), of_passwd(&scene.world));
            assert_eq!(after, before, "{name}, {what}");
            assert_eq!(World::holding(&scene.world.out).len(), 0, "{name}, {what}: nothing was handed in");
        }
    }
}

#[test]
fn whoever_interferes_at_any_point_gets_no_second_delivery_and_no_file_but_his_own() {
    for name in ["attributes", "move", "link", "three parts"] {
        for (what, act) in ACTS {
            for at in 0.. {
                let scene = with_passwd(name);
                let before = of_passwd(&scene.world);
                let (file, other) = (message_of(&scene), passwd(&scene.world));
                let original = fs::metadata(&file).unwrap().ino();
                // Whether the mail system had the message when it acted, so that it may have delivered it.
                let (had, acted) = (scene.world.out.join("had"), file.clone());
                let faults = Faults::meanwhile(at, move || {
                    if fs::metadata(&acted).is_ok_and(|stat| stat.ino() == original) {
                        act(&acted, &other);
                        fs::write(&had, "").unwrap();
                    }
                });
                let context = format!("{name}, {what} at {at}");
                let went = scene.world.apply(&scene.job, &scene.content, &faults);
                let went = went.unwrap_or_else(|error| panic!("{context}: {error:#}"));
                assert_eq!(of_passwd(&scene.world), before, "{context}: {went:?}");
                let had = scene.world.out.join("had").exists();
                if name == "three parts" && had {
                    assert_eq!(scene.delivered(), 0, "{context}: {went:?}");
                    assert!(!matches!(went, Went::Ended(End::Done, _)), "{context}: {went:?}");
                }
                assert!(scene.delivered() <= 1, "{context}");
                if faults.passed() <= at {
                    break;
                }
            }
        }
    }
}

#[test]
fn a_file_with_a_second_name_elsewhere_never_changes_hands() {
    let world = World::new(false);
    fs::write(passwd(&world), MESSAGE).unwrap();
    fs::hard_link(passwd(&world), world.root.join("queue/M1")).unwrap();
    let path = || Text::from("queue/M1");
    for change in
        [Change::Owner { path: path(), uid: 1, gid: None }, Change::Mode { path: path(), mode: 0o666 }]
    {
        let before = of_passwd(&world);
        let job = world.job(&["queue/M1"], vec![Step::Change { change }]);
        fs::remove_file(world.state.join("journal.jsonl")).ok();
        let went = world.apply(&job, MESSAGE, &Faults::none()).unwrap();
        assert!(
            matches!(&went, Went::Ended(End::Untouched, why) if why.contains("further names")),
            "{went:?}"
        );
        assert_eq!(of_passwd(&world), before);
    }
}

/// Another process that has the mail system's lock.
struct Locker(Child);

impl Locker {
    fn new(path: &Path, way: &str) -> Option<Self> {
        let text = "import fcntl, sys\nf = open(sys.argv[1], 'r+')\ngetattr(fcntl, sys.argv[2])(f, fcntl.LOCK_EX)\n\
                    print('locked', flush=True)\nsys.stdin.read()";
        let mut child = Command::new("python3")
            .args(["-c", text, path.to_str().unwrap(), way])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .ok()?;
        let mut line = String::new();
        std::io::BufReader::new(child.stdout.take()?).read_line(&mut line).ok()?;
        (line == "locked\n").then_some(Self(child))
    }

    fn unlock(mut self) {
        drop(self.0.stdin.take());
        self.0.wait().unwrap();
    }
}

fn lock(way: &str, path: &str) -> Lock {
    let path = Text::from(path);
    if way == "flock" { Lock::Flock { path } } else { Lock::Fcntl { path } }
}

#[test]
fn a_message_that_the_mail_system_has_locked_is_left_alone() {
    for way in ["flock", "lockf"] {
        let mut scene = scene("three parts");
        scene.job.lock = Some(lock(way, "stuck/M1"));
        let before = World::snapshot(&scene.world.root);
        let Some(locker) = Locker::new(&scene.world.root.join("stuck/M1"), way) else { return };
        let went = scene.world.apply(&scene.job, &scene.content, &Faults::none()).unwrap();
        assert!(matches!(&went, Went::Ended(End::Untouched, why) if why.contains("is locked")), "{went:?}");
        assert_eq!(World::snapshot(&scene.world.root), before);
        locker.unlock();
    }
}

#[test]
fn a_message_that_was_begun_and_is_locked_when_it_is_carried_on_stays_open() {
    for way in ["flock", "lockf"] {
        let mut seen_busy = 0;
        for at in 20..60 {
            let mut scene = scene("three parts");
            scene.job.lock = Some(lock(way, "stuck/M1"));
            let died = Faults::at(at, Kind::Death);
            let _died = scene.world.apply(&scene.job, &scene.content, &died);
            let begun = scene.world.course().is_some_and(|course| course.touched());
            let file = scene.world.root.join("stuck/M1");
            if !begun || !file.exists() {
                continue;
            }
            let Some(locker) = Locker::new(&file, way) else { return };
            let before = World::snapshot(&scene.world.root);
            let went = scene.world.apply(&scene.job, &scene.content, &Faults::none()).unwrap();
            assert!(matches!(&went, Went::Busy(why) if why.contains("is locked")), "{at}: {went:?}");
            let undone = scene.world.undo(&scene.job, &Faults::none()).unwrap();
            assert!(matches!(undone, Went::Busy(_)), "{at}: {undone:?}");
            assert_eq!(World::snapshot(&scene.world.root), before);
            seen_busy += 1;
            locker.unlock();
            let went = scene.world.apply(&scene.job, &scene.content, &Faults::none()).unwrap();
            assert!(matches!(went, Went::Ended(End::Done, _)), "{at}: {went:?}");
            assert_eq!(scene.delivered(), 1);
        }
        assert!(seen_busy > 0);
    }
}

#[test]
fn the_lock_of_the_mail_system_is_held_while_ghostq_works_and_is_free_for_its_commands() {
    // Who takes the message in tries to get it: fcntl(2) would have lost it by the close of any descriptor.
    let test = |way: &str| {
        let world = World::new(false);
        world.put("stuck/M1", MESSAGE.as_bytes(), 0o600);
        let path = || Text::from("stuck/M1");
        let text = format!(
            "python3 -c 'import fcntl; f = open(\"stuck/M1\", \"r+\"); \
             fcntl.{way}(f, fcntl.LOCK_EX | fcntl.LOCK_NB)' 2>/dev/null && echo got >> '{}/got'; exit 0",
            world.out.display()
        );
        let mut steps = vec![
            Step::Change { change: Change::Mode { path: path(), mode: 0o640 } },
            Step::Change { change: Change::Modified { path: path(), at: crate::evidence::Time::new(1, 0) } },
            Step::HandIn,
        ];
        let in_spool = format!("cd '{}'; {text}", world.root.display());
        let submission = world.sendmail(&world.out.join("tmp"), &world.out.join("new"), &in_spool);
        let mut job = world.job(&["stuck/M1"], steps.clone());
        job.lock = Some(lock(way, "stuck/M1"));
        job.door = Some(Door::Sendmail { submission });
        job.outgoing = Some(outgoing(&["bert@b.example"]));
        let went = world.apply(&job, MESSAGE, &Faults::none()).unwrap();
        assert!(matches!(went, Went::Ended(End::Done, _)), "{went:?}");
        assert!(!world.out.join("got").exists(), "{way}: somebody else got the lock");

        // A mail system that is told to look at the message takes this very lock.
        let world = World::new(false);
        world.put("stuck/M1", MESSAGE.as_bytes(), 0o600);
        let text = format!("{} >> '{}/got'; exit 0", text.split(" >> ").next().unwrap(), world.out.display());
        steps[2] = world.tool("look", &text);
        let mut job = world.job(&["stuck/M1"], steps);
        job.lock = Some(lock(way, "stuck/M1"));
        let went = world.apply(&job, MESSAGE, &Faults::none()).unwrap();
        assert!(matches!(went, Went::Ended(End::Done, _)), "{went:?}");
        assert_eq!(world.runs(), 1);
        assert!(world.out.join("got").exists(), "{way}: the command of the mail system has to get it");
    };
    if Command::new("python3").arg("--version").output().is_ok() {
        test("flock");
        test("lockf");
    }
}

#[test]
fn paths_that_lead_out_of_the_spool_lead_nowhere() {
    for path in ["../out/passwd", "/etc/passwd", "queue/../../out/passwd", "", "."] {
        let scene = with_passwd("one part");
        let before = of_passwd(&scene.world);
        let root = World::snapshot(&scene.world.root);
        let mut job = scene.job.clone();
        let hostile = || Text::from(path);
        job.parts[0].path = hostile();
        for step in [
            Step::Withdraw { path: hostile() },
            Step::Change { change: Change::Rename { from: hostile(), to: Text::from("queue/x") } },
            Step::Change { change: Change::Mode { path: hostile(), mode: 0o777 } },
        ] {
            job.steps = vec![step];
            fs::remove_file(scene.world.state.join("journal.jsonl")).ok();
            let went = scene.world.apply(&job, MESSAGE, &Faults::none()).unwrap();
            assert!(matches!(went, Went::Ended(End::Untouched, _)), "{path}: {went:?}");
        }
        job.parts = scene.job.parts.clone();
        for to in ["../out/x", "/tmp/ghostq-must-not-be-there", "missing/x"] {
            let change = Change::Rename { from: Text::from("stuck/M1"), to: Text::from(to) };
            job.steps = vec![Step::Change { change }];
            fs::remove_file(scene.world.state.join("journal.jsonl")).ok();
            let went = scene.world.apply(&job, MESSAGE, &Faults::none()).unwrap();
            assert!(matches!(went, Went::Ended(End::Untouched, _)), "{to}: {went:?}");
        }
        assert_eq!(of_passwd(&scene.world), before);
        assert_eq!(World::snapshot(&scene.world.root), root);
    }
}

#[test]
fn names_that_are_no_text_go_into_the_vault_and_back() {
    for name in [&b"stuck/a\nb"[..], b"stuck/caf\xe9", b"stuck/\x1b[31m", b"stuck/-rf", b"stuck/$(reboot)"] {
        let world = World::new(false);
        let text = Text::new(name);
        fs::write(world.root.join(text.to_path()), MESSAGE).unwrap();
        let before = World::snapshot(&world.root);
        let mut job = world.job(&[], vec![Step::Withdraw { path: text.clone() }]);
        let root = crate::read::disk::Root::open(&world.root).unwrap();
        job.parts = vec![crate::act::vault::guard(&root, &text).unwrap()];
        let went = world.apply(&job, MESSAGE, &Faults::none()).unwrap();
        assert!(matches!(went, Went::Ended(End::Done, _)), "{went:?}");
        assert!(World::holding(&world.root).is_empty());
        let went = world.undo(&job, &Faults::none()).unwrap();
        assert!(matches!(went, Went::Ended(End::Undone, _)), "{went:?}");
        assert_eq!(World::snapshot(&world.root), before);
    }
}

#[test]
fn a_vault_into_which_others_can_write_is_refused() {
    let scene = scene("one part");
    let operation = scene.world.vault.parent().unwrap();
    fs::create_dir_all(operation).unwrap();
    fs::set_permissions(operation, fs::Permissions::from_mode(0o777)).unwrap();
    let went = scene.world.apply(&scene.job, &scene.content, &Faults::none()).unwrap();
    assert!(
        matches!(&went, Went::Ended(End::Untouched, why) if why.contains("others can write")),
        "{went:?}"
    );
    // A link in place of the folder of the job is none.
    let scene = super::scenes::scene("one part");
    fs::create_dir_all(scene.world.vault.parent().unwrap()).unwrap();
    std::os::unix::fs::symlink(&scene.world.out, &scene.world.vault).unwrap();
    let went = scene.world.apply(&scene.job, &scene.content, &Faults::none()).unwrap();
    assert!(matches!(went, Went::Ended(End::Untouched, _)), "{went:?}");
    assert!(scene.world.root.join("stuck/M1").exists());
}

#[test]
fn a_vault_within_the_spool_is_refused_however_it_is_named() {
    let scene = scene("one part");
    let root = &scene.world.root;
    vault_is_outside(root, &scene.world.vault).unwrap();
    vault_is_outside(root, &root.with_file_name("spool-vault/x")).unwrap();
    vault_is_outside(root, &root.join("vault/1")).unwrap_err();
    vault_is_outside(root, &root.join("../state/vault")).unwrap_err();
    let link = scene.world.out.join("link");
    std::os::unix::fs::symlink(root, &link).unwrap();
    vault_is_outside(root, &link.join("vault")).unwrap_err();
    vault_is_outside(&link, &root.join("vault")).unwrap_err();
    let mut job = scene.job.clone();
    job.vault = Text::from_path(&root.join("vault/1"));
    let went = scene.world.apply(&job, &scene.content, &Faults::none()).unwrap();
    assert!(
        matches!(&went, Went::Ended(End::Untouched, why) if why.contains("would lie in the spool")),
        "{went:?}"
    );
}

#[test]
fn a_drop_folder_that_is_no_longer_mounted_tells_nothing() {
    for at in 0.. {
        let scene = scene("pickup");
        let died = Faults::at(at, Kind::Death);
        let _died = scene.world.apply(&scene.job, &scene.content, &died);
        let folder = scene.world.out.join("new");
        let committing = scene.world.course().is_some_and(|course| {
            matches!(course.steps.last(), Some(StepState::Intended { committing: true, .. }))
        });
        if committing {
            // An empty mount point where the disk was.
            fs::rename(&folder, scene.world.out.join("unmounted")).unwrap();
            fs::create_dir(&folder).unwrap();
            let went = scene.world.apply(&scene.job, &scene.content, &Faults::none()).unwrap();
            assert!(matches!(&went, Went::Unknown(why) if why.contains("another folder")), "{at}: {went:?}");
        }
        if died.passed() <= at {
            assert!(at > 10);
            break;
        }
    }
}

#[test]
fn what_a_mail_system_left_unfinished_is_not_taken_for_the_message() {
    let mut scene = scene("three parts");
    // The command writes a part of it and is stopped, as by a full disk.
    let tmp = scene.world.root.join("tmp");
    let text = format!("head -c 300 > '{}'/partial; exit 75", tmp.display());
    let (_, arguments) = scene.world.script("sendmail", &text);
    if let Some(Door::Sendmail { submission }) = &mut scene.job.door {
        submission.arguments = arguments;
    }
    let went = scene.world.apply(&scene.job, &scene.content, &Faults::none()).unwrap();
    assert!(matches!(&went, Went::Unknown(why) if why.contains("tmp/partial")), "{went:?}");
    // The same in the queue itself is the message.
    let mut scene = super::scenes::scene("three parts");
    let queue = scene.world.root.join("queue");
    let (_, arguments) = scene.world.script("sendmail", &format!("cat > '{}'/1; exit 75", queue.display()));
    if let Some(Door::Sendmail { submission }) = &mut scene.job.door {
        submission.arguments = arguments;
    }
    let went = scene.world.apply(&scene.job, &scene.content, &Faults::none()).unwrap();
    assert!(matches!(went, Went::Ended(End::Done, _)), "{went:?}");
}

#[test]
fn an_address_that_would_be_another_recipient_is_never_written_down() {
    let hostile = [
        "bert@b.example\r\nx-receiver: eve@e.example",
        "bert@b.example\nBcc: eve@e.example",
        "bert@b.example\0",
        "<bert@b.example>",
        "",
    ];
    for name in ["pickup", "replay", "one part"] {
        for address in hostile {
            let mut scene = scene(name);
            let before = World::snapshot(&scene.world.root);
            scene.job.outgoing = Some(outgoing(&["anna@a.example", address]));
            let went = scene.world.apply(&scene.job, &scene.content, &Faults::none()).unwrap();
            assert!(matches!(went, Went::Ended(End::Untouched, _)), "{name}, {address:?}: {went:?}");
            let course = scene.world.course().unwrap();
            assert!(!course.touched(), "{name}, {address:?}: it was not even taken out of the spool");
            assert_eq!(World::snapshot(&scene.world.root), before);
            assert!(World::holding(&scene.world.out).is_empty());
        }
    }
}

#[test]
fn a_message_whose_sender_is_not_known_is_not_sent_as_if_it_had_none() {
    for name in ["pickup", "replay", "one part"] {
        let mut scene = scene(name);
        scene.job.outgoing = Some(crate::plan::Outgoing { sender: None, ..outgoing(&["bert@b.example"]) });
        let went = scene.world.apply(&scene.job, &scene.content, &Faults::none()).unwrap();
        assert!(matches!(&went, Went::Ended(End::Untouched, why) if why.contains("--mail-from")), "{went:?}");
        assert!(World::holding(&scene.world.out).is_empty());
    }
}

#[test]
fn a_command_that_does_not_say_how_it_ended_is_not_taken_for_one_that_failed() {
    // Killed by a signal, it may have taken the message before.
    let mut scene = scene("elsewhere");
    let new = scene.world.out.join("new");
    let (_, arguments) = scene.world.script("sendmail", &format!("cat > '{}'/1; kill -9 $$", new.display()));
    if let Some(Door::Sendmail { submission }) = &mut scene.job.door {
        submission.arguments = arguments;
    }
    let went = scene.world.apply(&scene.job, &scene.content, &Faults::none()).unwrap();
    assert!(matches!(went, Went::Unknown(_)), "{went:?}");
    assert!(!scene.world.root.join("stuck/M1").exists());
    assert_eq!(scene.delivered(), 1);
}
