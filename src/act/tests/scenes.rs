//! One plan of every kind.

use super::world::{MESSAGE, TOKEN, World, digest, outgoing};
use crate::evidence::{Text, Time};
use crate::plan::{Change, Door, Job, Step, Verb};
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

/// What the plan leads to if nothing breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aim {
    /// The message is on its way, once.
    Delivered,
    /// It cannot be done, and everything is as it was.
    Refused,
}

/// A plan, and how to tell what came of it.
pub struct Scene {
    pub name: &'static str,
    pub world: World,
    pub job: Job,
    /// What is handed in.
    pub content: String,
    pub aim: Aim,
    /// Folders or files in which it is found once it is on its way.
    pub targets: Vec<PathBuf>,
    /// Whether the disk cannot rename over nothing in one call.
    pub old_disk: bool,
    /// Whether the message stays in the spool as well.
    pub stays: bool,
    /// The mode of the message by which it is seen by the mail system, where that is what is put right.
    pub seen_by_mode: Option<u32>,
}

impl Scene {
    fn new(name: &'static str, world: World, job: Job, targets: &[PathBuf]) -> Self {
        Self {
            name,
            world,
            job,
            content: MESSAGE.to_owned(),
            aim: Aim::Delivered,
            targets: targets.to_vec(),
            old_disk: false,
            stays: false,
            seen_by_mode: None,
        }
    }

    /// How often the message is on its way.
    pub fn delivered(&self) -> usize {
        let found = self
            .targets
            .iter()
            .flat_map(|target| if target.is_dir() { World::holding(target) } else { vec![target.clone()] });
        found
            .filter(|path| {
                let Ok(stat) = fs::symlink_metadata(path) else { return false };
                // What is not yet under its final name is seen by nobody.
                let ready = path.extension().is_none_or(|end| end != "new" && end != "ghostq-unfinished");
                ready && self.seen_by_mode.is_none_or(|mode| stat.mode() & 0o7777 == mode)
            })
            .count()
    }

    /// The files in which it is on its way.
    pub fn arrived(&self) -> Vec<PathBuf> {
        self.targets.iter().flat_map(|target| World::holding(target)).collect()
    }
}

/// The names of all scenes that this host can show.
pub fn all() -> Vec<&'static str> {
    let far = ["far vault, three parts", "far vault, refused"];
    let far = far.into_iter().filter(|_| super::world::far().is_some());
    NEAR.iter().copied().chain(far).collect()
}

const NEAR: [&str; 18] = [
    "native",
    "native, refused",
    "native, two commands",
    "attributes",
    "move",
    "move, name taken",
    "link",
    "one part",
    "three parts",
    "elsewhere",
    "three parts, refused",
    "pickup",
    "replay",
    "export",
    "ndr",
    "old disk, move",
    "old disk, three parts",
    "old disk, refused",
];

/// The scene of this name, from its beginning.
pub fn scene(name: &str) -> Scene {
    match name {
        "native" => native("native", "mv hold/M1 queue/M1 2>/dev/null; echo released", true),
        "native, refused" => native("native, refused", "echo 'no such message'; exit 1", false),
        "native, two commands" => {
            let mut scene = native("native, two commands", "mv hold/M1 queue/M1 2>/dev/null; echo ok", true);
            let second = scene.world.tool("wake", "exit 0");
            scene.job.steps.push(second);
            scene
        }
        "attributes" => attributes(),
        "move" => moved("move", false, false),
        "move, name taken" => moved("move, name taken", true, false),
        "old disk, move" => moved("old disk, move", false, true),
        "link" => link(),
        "one part" => over("one part", 1, Out::OwnQueue, false),
        "three parts" => over("three parts", 3, Out::OwnQueue, false),
        "elsewhere" => over("elsewhere", 1, Out::Elsewhere, false),
        "three parts, refused" => over("three parts, refused", 3, Out::Refusing, false),
        "far vault, three parts" => over("far vault, three parts", 3, Out::OwnQueue, true),
        "far vault, refused" => over("far vault, refused", 3, Out::Refusing, true),
        "old disk, three parts" => old(over("old disk, three parts", 3, Out::OwnQueue, false)),
        "old disk, refused" => old(over("old disk, refused", 3, Out::Refusing, false)),
        "pickup" => drop_folder("pickup", |folder| Door::Pickup { folder }),
        "replay" => drop_folder("replay", |folder| Door::Replay { folder }),
        "export" => export(),
        "ndr" => ndr(),
        other => panic!("no scene {other}"),
    }
}

fn old(scene: Scene) -> Scene {
    Scene { old_disk: true, ..scene }
}

fn native(name: &'static str, text: &str, taken: bool) -> Scene {
    let world = World::new(false);
    world.put("hold/M1", MESSAGE.as_bytes(), 0o600);
    let steps = vec![world.tool("release", text)];
    let job = world.job(&["hold/M1"], steps);
    let target = world.root.join("queue");
    let scene = Scene::new(name, world, job, &[target]);
    Scene { aim: if taken { Aim::Delivered } else { Aim::Refused }, ..scene }
}

fn change(change: Change) -> Step {
    Step::Change { change }
}

/// Owner, mode and time are wrong; the mail system is woken, and told.
fn attributes() -> Scene {
    let world = World::new(false);
    world.put("queue/M1", MESSAGE.as_bytes(), 0o000);
    let fifo = world.root.join("public/pickup");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &fifo,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::from_raw_mode(0o600),
        0,
    )
    .unwrap();
    let own = fs::metadata(&world.root).unwrap();
    let uid = if own.uid() == 0 { 12_345 } else { own.uid() };
    let gid = if own.uid() == 0 { 12_346 } else { own.gid() };
    let path = || Text::from("queue/M1");
    let steps = vec![
        change(Change::Owner { path: path(), uid, gid: Some(gid) }),
        change(Change::Modified { path: path(), at: Time::new(1_764_100_000, 5) }),
        change(Change::Mode { path: path(), mode: 0o640 }),
        change(Change::Wake { path: Text::from("public/pickup") }),
        world.tool("flush", "exit 0"),
    ];
    let job = world.job(&["queue/M1"], steps);
    let target = world.root.join("queue/M1");
    Scene { seen_by_mode: Some(0o640), ..Scene::new("attributes", world, job, &[target]) }
}

fn moved(name: &'static str, taken: bool, old_disk: bool) -> Scene {
    let world = World::new(false);
    world.put("stuck/M1", MESSAGE.as_bytes(), 0o600);
    world.put("stuck/M1.log", b"deferred: connection refused\n", 0o600);
    let own = fs::metadata(&world.root).unwrap();
    let folder = |path: &str| {
        change(Change::Folder { path: Text::from(path), uid: own.uid(), gid: own.gid(), mode: 0o750 })
    };
    let rename = |from: &str, to: &str| change(Change::Rename { from: Text::from(from), to: Text::from(to) });
    let mut steps = vec![
        folder("queue/a"),
        rename("stuck/M1.log", "queue/a/M1.log"),
        change(Change::Mode { path: Text::from("stuck/M1"), mode: 0o640 }),
        rename("stuck/M1", if taken { "tmp/taken" } else { "queue/a/M1" }),
    ];
    if taken {
        world.put("tmp/taken", b"another message\n", 0o600);
    } else {
        steps.push(world.tool("flush", "exit 1"));
    }
    let job = world.job(&["stuck/M1", "stuck/M1.log"], steps);
    let target = world.root.join("queue");
    let aim = if taken { Aim::Refused } else { Aim::Delivered };
    Scene { aim, old_disk, ..Scene::new(name, world, job, &[target]) }
}

fn link() -> Scene {
    let world = World::new(false);
    world.put("stuck/M1", MESSAGE.as_bytes(), 0o600);
    let steps = vec![change(Change::Link { from: Text::from("stuck/M1"), to: Text::from("queue/M1") })];
    let job = world.job(&["stuck/M1"], steps);
    let target = world.root.join("queue");
    Scene::new("link", world, job, &[target])
}

/// Who takes what is handed in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Out {
    /// The mail system of this spool, which has it in its queue then.
    OwnQueue,
    /// It is gone at once.
    Elsewhere,
    /// Nobody.
    Refusing,
}

fn over(name: &'static str, parts: usize, out: Out, vault_is_far: bool) -> Scene {
    let world = World::new(vault_is_far);
    let names = ["stuck/M1.env", "stuck/M1", "stuck/M1.log"];
    let names = if parts == 1 { &names[1..2] } else { &names[..] };
    world.put("stuck/M1", MESSAGE.as_bytes(), 0o640);
    if parts > 1 {
        world.put("stuck/M1.env", b"anna@a.example\nbert@b.example\n", 0o600);
        world.put("stuck/M1.log", b"deferred: connection refused\n", 0o604);
    }
    let mut steps: Vec<Step> = names.iter().map(|name| Step::Withdraw { path: Text::from(*name) }).collect();
    steps.push(Step::HandIn);
    let mut job = world.job(names, steps);
    let (tmp, new) = match out {
        Out::OwnQueue => (world.root.join("tmp"), world.root.join("queue")),
        _ => (world.out.join("tmp"), world.out.join("new")),
    };
    let submission = match out {
        Out::Refusing => {
            let (program, arguments) =
                world.script("sendmail", "cat > /dev/null; echo 'no such user'; exit 67");
            let null_sender = "<>".to_owned();
            crate::plan::Submission {
                program,
                arguments,
                null_sender: Some(null_sender),
                dsn: false,
                envelope_on_top: false,
            }
        }
        _ => world.sendmail(&tmp, &new, "exit 0"),
    };
    job.door = Some(Door::Sendmail { submission });
    job.outgoing = Some(outgoing(&["bert@b.example"]));
    job.content = Some(digest(MESSAGE.as_bytes()));
    let aim = if out == Out::Refusing { Aim::Refused } else { Aim::Delivered };
    Scene { aim, ..Scene::new(name, world, job, &[new]) }
}

fn drop_folder(name: &'static str, door: impl Fn(PathBuf) -> Door) -> Scene {
    let mut scene = over("one part", 1, Out::Elsewhere, false);
    let folder = scene.world.out.join("new");
    scene.job.door = Some(door(folder));
    Scene { name, ..scene }
}

fn export() -> Scene {
    let mut scene = over("one part", 1, Out::Elsewhere, false);
    scene.job.door = Some(Door::Export { folder: scene.world.out.join("new") });
    scene.job.steps = vec![Step::HandIn];
    Scene { name: "export", stays: true, ..scene }
}

/// A report about the message goes to its sender, with its own Message-ID.
fn ndr() -> Scene {
    let mut scene = over("three parts", 3, Out::OwnQueue, false);
    scene.job.verb = Verb::Ndr;
    scene.job.outgoing =
        Some(crate::plan::Outgoing { sender: Some(Text::default()), ..outgoing(&["anna@a.example"]) });
    scene.content = format!(
        "From: MAILER-DAEMON@mx.example\nTo: anna@a.example\nMessage-ID: <ghostq-{}-1@mx.example>\n\n\
         Your message was not delivered: {TOKEN}.\n",
        super::world::OPERATION
    );
    scene.job.content = Some(digest(scene.content.as_bytes()));
    Scene { name: "ndr", ..scene }
}
