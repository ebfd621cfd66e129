//! What the tests share: running ghostq, and laying out a fixture as the mail system left it.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

/// How a run of ghostq ended.
#[derive(Debug)]
pub struct Ran {
    /// The exit code.
    pub code: i32,
    /// What it printed.
    pub out: String,
    /// What it said on stderr.
    pub err: String,
}

impl Ran {
    /// The findings of `--format jsonl`.
    pub fn findings(&self) -> Vec<serde_json::Value> {
        self.out.lines().map(|line| serde_json::from_str(line).expect("a JSON line")).collect()
    }

    /// The document of `--format json`.
    pub fn document(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}\n{}", self.out, self.err))
    }

    /// Queue ID → leading rule, of a `--format jsonl` run.
    pub fn rules(&self) -> BTreeMap<String, String> {
        self.findings()
            .iter()
            .map(|finding| (text(&finding["message"]["native_id"]), text(&finding["rule"])))
            .collect()
    }
}

/// A JSON string, or nothing.
pub fn text(value: &serde_json::Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// The program under test, away from the user's environment.
pub fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ghostq"));
    command
        .env_clear()
        .env("TZ", "UTC")
        .env("COLUMNS", "110")
        .env("LC_ALL", "C")
        .env("PATH", "/usr/bin:/bin");
    command
}

/// Runs ghostq.
pub fn ghostq<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Ran {
    finish(command().args(arguments))
}

/// Runs a prepared command.
pub fn finish(command: &mut Command) -> Ran {
    let output = command.output().expect("ghostq runs");
    Ran {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// The path of a fixture case: `postfix/deferred`.
pub fn fixture(case: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(case)
}

/// Whether the tests run as root: only root can give files away, and only root can be kept from nothing.
pub fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|data| data.uid() == 0)
}

/// Whether the file belongs to the user who runs the tests, or that user is root.
pub fn is_mine(path: &Path) -> bool {
    let user = std::fs::metadata("/proc/self").unwrap().uid();
    user == 0 || std::fs::metadata(path).unwrap().uid() == user
}

/// Says that a test was left out, where `cargo test` shows it.
pub fn left_out(why: &str) {
    eprintln!("left out: {why}");
}

/// Copies a folder, file by file.
pub fn copy_tree(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_tree(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// A fixture's tree laid out in a temporary folder with the modes, owners and times of its manifest. Owners only as root;
/// folders that git does not keep are made.
pub fn restore(case: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    copy_tree(&fixture(case).join("tree"), folder.path());
    let manifest = std::fs::read_to_string(fixture(case).join("manifest.tsv")).unwrap();
    let lines = manifest.lines().filter(|line| !line.starts_with('#'));
    let mut entries: Vec<Vec<&str>> = lines.map(|line| line.splitn(8, '\t').collect()).collect();
    // The deepest first: a folder's time moves when something in it is made.
    entries.sort_by_key(|entry| {
        std::cmp::Reverse(entry[7].matches('/').count() + usize::from(!entry[7].is_empty()))
    });
    for entry in &entries {
        if entry[6] == "d" {
            std::fs::create_dir_all(folder.path().join(entry[7])).unwrap();
        }
    }
    for entry in entries {
        let path = folder.path().join(entry[7]);
        if !path.exists() {
            continue;
        }
        if is_root() {
            let (uid, gid) = entry[2].split_once(':').unwrap();
            std::os::unix::fs::chown(&path, Some(uid.parse().unwrap()), Some(gid.parse().unwrap())).unwrap();
        }
        let mode = u32::from_str_radix(entry[1], 8).unwrap();
        set_modified(&path, entry[5]);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    }
    folder
}

fn set_modified(path: &Path, seconds: &str) {
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs_f64(seconds.parse().unwrap());
    let times = std::fs::FileTimes::new().set_modified(time).set_accessed(time);
    std::fs::File::open(path).unwrap().set_times(times).unwrap();
}

/// Every path below a folder, and the folder itself.
pub fn paths_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = vec![folder.to_owned()];
    let mut next = 0;
    while let Some(path) = found.get(next).cloned() {
        if std::fs::symlink_metadata(&path).unwrap().is_dir() {
            found.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
        next += 1;
    }
    found.sort();
    found
}

/// All that `stat` says of a path, links not followed.
pub fn metadata(path: &Path) -> String {
    let data = std::fs::symlink_metadata(path).unwrap();
    format!(
        "device {} inode {} mode {:o} links {} owner {}:{} size {} atime {}.{:09} mtime {}.{:09} ctime {}.{:09}",
        data.dev(),
        data.ino(),
        data.mode(),
        data.nlink(),
        data.uid(),
        data.gid(),
        data.size(),
        data.atime(),
        data.atime_nsec(),
        data.mtime(),
        data.mtime_nsec(),
        data.ctime(),
        data.ctime_nsec(),
    )
}
