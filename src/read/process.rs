//! What the kernel says about running processes. Linux only; elsewhere nothing is known, and nothing is claimed.

use crate::evidence::Live;
#[cfg(target_os = "linux")]
use crate::evidence::Time;
use std::collections::HashSet;

/// The device and inode numbers of a file.
pub type FileId = (u64, u64);

/// A set of files.
pub type Files = HashSet<FileId>;

/// Which files are open or locked, as far as that can be seen.
#[derive(Debug, Default)]
pub struct InUse {
    /// Those that are.
    pub files: Files,
    /// Whether there are processes that did not let their open files be seen, so that the others may be open as well.
    pub partial: bool,
}

/// Whether this process exists; `None` where that cannot be known.
pub fn alive(pid: u32) -> Option<bool> {
    let exists = |name: &str| std::path::Path::new("/proc").join(name).exists();
    if cfg!(target_os = "linux") && exists(&pid.to_string()) {
        return Some(true);
    }
    // Mounted with `hidepid`, /proc leaves out what belongs to others, process 1 among it (`proc(5)`).
    (cfg!(target_os = "linux") && exists("1")).then_some(false)
}

/// The oldest process of this name that has this folder as its working directory, as a mail system's master process has its
/// spool. This holds across containers and chroots, where process numbers in pid files mean something else.
#[cfg(target_os = "linux")]
pub fn working_in(folder: FileId, name: &str) -> Option<Live> {
    use std::os::unix::fs::MetadataExt as _;
    let boot = boot_time()?;
    let mut oldest: Option<Live> = None;
    for entry in std::fs::read_dir("/proc").ok()?.flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        let Ok(at) = std::fs::metadata(entry.path().join("cwd")) else { continue };
        if (at.dev(), at.ino()) != folder {
            continue;
        }
        let Some((command, ticks)) = command_and_start(pid) else { continue };
        let live = Live { pid, since: start_time(boot, ticks) };
        if command == name && oldest.is_none_or(|oldest| live.since < oldest.since) {
            oldest = Some(live);
        }
    }
    oldest
}

/// The process of this name that has this folder as its working directory: unknown on this system.
#[cfg(not(target_os = "linux"))]
pub fn working_in(_folder: FileId, _name: &str) -> Option<Live> {
    None
}

/// The process of this name that holds a lock on this file. Locks are seen by everybody, and so is the start of a process
/// unless /proc hides it; then it is taken to run since `otherwise`, whatever its name.
///
/// The device is not compared (see `locks`): a name and an inode that both fit by chance are no danger here.
#[cfg(target_os = "linux")]
pub fn locking(file: FileId, name: &str, otherwise: Time) -> Option<Live> {
    let boot = boot_time()?;
    let holders = locks().into_iter().filter(|(_, inode)| *inode == file.1);
    holders.filter_map(|(pid, _)| pid).find_map(|pid| match command_and_start(pid) {
        Some((command, ticks)) if command == name => Some(Live { pid, since: start_time(boot, ticks) }),
        None if alive(pid).is_none() => Some(Live { pid, since: otherwise }),
        _ => None,
    })
}

/// The process of this name that holds a lock on this file: unknown on this system.
#[cfg(not(target_os = "linux"))]
pub fn locking(_file: FileId, _name: &str, _otherwise: Time) -> Option<Live> {
    None
}

/// The command line of this process; `None` where that cannot be known.
pub fn arguments(pid: u32) -> Option<Vec<Vec<u8>>> {
    const MAX_BYTES: u64 = 64 << 10;
    let file = std::fs::File::open(format!("/proc/{pid}/cmdline")).ok()?;
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut std::io::Read::take(file, MAX_BYTES), &mut bytes).ok()?;
    Some(bytes.split(|byte| *byte == 0).filter(|argument| !argument.is_empty()).map(<[u8]>::to_vec).collect())
}

/// Whether this process sees the same file system as this one, so that a path means the same to both: no container and no
/// chroot lies between them. `None` where that cannot be known.
#[cfg(unix)]
pub fn shares_root(pid: u32) -> Option<bool> {
    use std::os::unix::fs::MetadataExt as _;
    let its = std::fs::metadata(format!("/proc/{pid}/root")).ok()?;
    let own = std::fs::metadata("/").ok()?;
    Some((its.dev(), its.ino()) == (own.dev(), own.ino()))
}

/// Whether this process sees the same file system as this one: unknown on this system.
#[cfg(not(unix))]
pub fn shares_root(_pid: u32) -> Option<bool> {
    None
}

/// The longest running process of one of these names that has one of these files open, as the parts of a mail system
/// without a working directory of its own have their lock or the message they work at.
#[cfg(target_os = "linux")]
pub fn holding(files: &Files, names: &[&str]) -> Option<Live> {
    if files.is_empty() {
        return None;
    }
    let boot = boot_time()?;
    let mut oldest: Option<Live> = None;
    for entry in std::fs::read_dir("/proc").ok()?.flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        let Some((command, ticks)) = command_and_start(pid) else { continue };
        if !names.contains(&command.as_str()) {
            continue;
        }
        let mut found = Files::new();
        let _seen = opened_by(&entry.path().join("fd"), files, &mut found);
        let live = Live { pid, since: start_time(boot, ticks) };
        if !found.is_empty() && oldest.is_none_or(|known| live.since < known.since) {
            oldest = Some(live);
        }
    }
    oldest
}

/// The longest running process of one of these names that has one of these files open: unknown on this system.
#[cfg(not(target_os = "linux"))]
pub fn holding(_files: &Files, _names: &[&str]) -> Option<Live> {
    None
}

/// The user and the group whose rights a program takes on, by its set-user-ID and set-group-ID bits.
#[cfg(unix)]
pub fn set_ids(program: &std::path::Path) -> (Option<u32>, Option<u32>) {
    use std::os::unix::fs::MetadataExt as _;
    match std::fs::metadata(program) {
        Ok(data) if data.is_file() => {
            let (user, group) = (data.mode() & 0o4000 != 0, data.mode() & 0o2000 != 0);
            (user.then_some(data.uid()), group.then_some(data.gid()))
        }
        _ => (None, None),
    }
}

/// The user and the group whose rights a program takes on: there is no such thing on this system.
#[cfg(not(unix))]
pub fn set_ids(_program: &std::path::Path) -> (Option<u32>, Option<u32>) {
    (None, None)
}

/// The user who runs ghostq.
#[cfg(unix)]
pub fn user() -> u32 {
    rustix::process::getuid().as_raw()
}

/// Whether ghostq runs as root, to whom tools show the mail of everybody.
pub fn is_root() -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        std::fs::metadata("/proc/self").is_ok_and(|data| data.uid() == 0)
    }
    #[cfg(not(unix))]
    {
        false
    }
}

/// Which of these files some process holds open or locked now. Locks are seen for all processes, open files only for those
/// that ghostq may look into.
#[cfg(target_os = "linux")]
pub fn in_use(files: &Files) -> InUse {
    let mut found = InUse::default();
    if files.is_empty() {
        return found;
    }
    found
        .files
        .extend(locks().into_iter().flat_map(|(_, inode)| files.iter().filter(move |file| file.1 == inode)));
    // Without /proc, or with `hidepid`, the processes of others do not even show.
    found.partial = !std::path::Path::new("/proc/1").exists();
    let Ok(processes) = std::fs::read_dir("/proc") else { return found };
    for process in processes.flatten() {
        if process.file_name().to_str().is_some_and(|name| name.bytes().all(|byte| byte.is_ascii_digit())) {
            found.partial |= !opened_by(&process.path().join("fd"), files, &mut found.files);
        }
    }
    found
}

/// Which of these files some process holds open or locked now: unknown on this system.
#[cfg(not(target_os = "linux"))]
pub fn in_use(files: &Files) -> InUse {
    InUse { files: Files::new(), partial: !files.is_empty() }
}

/// The name of this host.
#[cfg(unix)]
pub fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// Adds the files that a process has open. False: it does not let them be seen.
#[cfg(target_os = "linux")]
fn opened_by(descriptors: &std::path::Path, files: &Files, found: &mut Files) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let own = std::path::PathBuf::from(format!("/proc/{}/fd", std::process::id()));
    if descriptors == own {
        return true;
    }
    let opened = match std::fs::read_dir(descriptors) {
        Ok(opened) => opened,
        // Anything else is a process that has ended meanwhile.
        Err(error) => return error.kind() != std::io::ErrorKind::PermissionDenied,
    };
    for descriptor in opened.flatten() {
        if let Ok(at) = std::fs::metadata(descriptor.path()) {
            let id = (at.dev(), at.ino());
            if files.contains(&id) {
                found.insert(id);
            }
        }
    }
    true
}

/// Process and inode of each lock in `/proc/locks`: `1: FLOCK ADVISORY WRITE PID MAJOR:MINOR:INODE 0 EOF`, with `->` after
/// the number for those that only wait (`proc_locks(5)`). The device there is not always the one that stat reports (btrfs,
/// overlay), so that only the inode is used: too careful rather than too sure. A lock of an open file description has -1
/// for a process.
#[cfg(target_os = "linux")]
fn locks() -> Vec<(Option<u32>, u64)> {
    let text = std::fs::read_to_string("/proc/locks").unwrap_or_default();
    let lock = |line: &str| {
        let mut before = None;
        for field in line.split_whitespace().filter(|_| !line.contains(" -> ")) {
            if field.matches(':').count() == 2 {
                return Some((before?, field.rsplit(':').next()?.parse().ok()?));
            }
            before = Some(field.parse().ok());
        }
        None
    };
    text.lines().filter_map(lock).collect()
}

#[cfg(target_os = "linux")]
fn boot_time() -> Option<i64> {
    let text = std::fs::read_to_string("/proc/stat").ok()?;
    text.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()
}

/// Fields 2 and 22 of `/proc/PID/stat` (`proc_pid_stat(5)`); the command may hold spaces and parentheses, so that the last
/// `)` ends it.
#[cfg(target_os = "linux")]
fn command_and_start(pid: u32) -> Option<(String, i64)> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (head, rest) = text.rsplit_once(')')?;
    let command = head.split_once('(')?.1.to_owned();
    let ticks = rest.split_whitespace().nth(19)?.parse().ok()?;
    Some((command, ticks))
}

/// The kernel counts in ticks of 1/100 s towards user space on every architecture that Linux runs on today (`USER_HZ`).
#[cfg(target_os = "linux")]
fn start_time(boot: i64, ticks: i64) -> Time {
    const USER_HZ: i64 = 100;
    let nanos = u32::try_from(ticks % USER_HZ).unwrap_or(0) * 10_000_000;
    Time::new(boot + ticks / USER_HZ, nanos)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt as _;

    #[test]
    fn the_kernel_knows_this_process_and_its_open_files() {
        assert_eq!(alive(std::process::id()), Some(true));
        let (_, ticks) = command_and_start(std::process::id()).unwrap();
        let started = start_time(boot_time().unwrap(), ticks);
        assert!(Time::now().since(started).abs() < 3_600, "a test run takes less than an hour");
    }

    #[test]
    fn the_command_line_and_the_root_of_a_process_are_known() {
        let own = std::process::id();
        let words = arguments(own).unwrap();
        assert_eq!(words[0], std::env::args().next().unwrap().as_bytes());
        assert_eq!(shares_root(own), Some(true));
        assert_eq!(arguments(u32::MAX), None);
    }

    #[test]
    fn a_file_that_another_process_holds_is_in_use() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let at = file.as_file().metadata().unwrap();
        let id = (at.dev(), at.ino());
        let files = HashSet::from([id]);
        assert!(!in_use(&files).files.contains(&id), "what ghostq itself holds does not count");
        let mut holder = std::process::Command::new("sleep")
            .arg("30")
            .stdin(std::fs::File::open(file.path()).unwrap())
            .spawn()
            .unwrap();
        let seen = in_use(&files).files.contains(&id);
        holder.kill().unwrap();
        holder.wait().unwrap();
        assert!(seen);
    }

    #[test]
    fn a_lock_tells_who_runs_to_everybody() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let at = file.as_file().metadata().unwrap();
        let (id, own) = ((at.dev(), at.ino()), std::process::id());
        let (name, ticks) = command_and_start(own).unwrap();
        let never = Time::from_unix(0);
        assert_eq!(locking(id, &name, never), None);
        file.as_file().lock().unwrap();
        let since = start_time(boot_time().unwrap(), ticks);
        assert_eq!(locking(id, &name, never), Some(Live { pid: own, since }));
        assert_eq!(locking(id, "master", never), None, "another program has locked it");
    }

    #[test]
    fn a_process_that_may_not_be_looked_into_is_not_taken_for_one_that_has_nothing_open() {
        let (files, mut found) = (Files::from([(1, 1)]), Files::new());
        let own_folder = tempfile::tempdir().unwrap();
        assert!(opened_by(own_folder.path(), &files, &mut found));
        assert!(opened_by(&own_folder.path().join("gone"), &files, &mut found), "it has ended meanwhile");
        std::fs::set_permissions(own_folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o000))
            .unwrap();
        // Root may look into everything.
        assert_eq!(opened_by(own_folder.path(), &files, &mut found), is_root());
    }

    #[test]
    fn a_program_is_known_by_the_file_that_it_holds() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let at = file.as_file().metadata().unwrap();
        let files = HashSet::from([(at.dev(), at.ino())]);
        let mut holder = std::process::Command::new("sleep")
            .arg("30")
            .stdin(std::fs::File::open(file.path()).unwrap())
            .spawn()
            .unwrap();
        let (seen, other) = (holding(&files, &["sleep"]), holding(&files, &["courierd"]));
        holder.kill().unwrap();
        holder.wait().unwrap();
        assert_eq!(seen.map(|live| live.pid), Some(holder.id()));
        assert_eq!(other, None);
        assert_eq!(set_ids(file.path()), (None, None), "a plain file takes on nobody's rights");
    }
}
