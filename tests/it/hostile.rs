//! Hostile input: no panic, no hang, no link followed; what could not be read is named, and the exit code says so.

use crate::acting::Desk;
use crate::support::*;
use rustix::fs::{Mode, OFlags, mkdirat, openat};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// A small deterministic generator: the same bytes in every run.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.next().to_le_bytes()[0]).collect()
    }
}

fn first_message(spool: &Path) -> PathBuf {
    paths_below(&spool.join("deferred")).into_iter().find(|path| path.is_file()).unwrap()
}

fn scan(path: &Path) -> Ran {
    ghostq([Path::new("scan"), path, Path::new("--deep"), Path::new("--format"), Path::new("json")])
}

#[test]
fn a_queue_file_cut_at_any_byte_is_corrupt_or_empty_and_never_whole() {
    let spool = restore("postfix/deferred");
    let message = first_message(spool.path());
    let whole = std::fs::read(&message).unwrap();
    let id = message.file_name().unwrap().to_str().unwrap().to_owned();
    // Every cut in one spool: one name each, so that one scan sees them all.
    for cut in 0..whole.len() {
        let name = format!("{:05X}{:X}", cut, 0xABCDE);
        let path = message.parent().unwrap().with_file_name(&name[..1]).join(&name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &whole[..cut]).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
        if is_root() {
            let owner = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(&message).unwrap());
            std::os::unix::fs::chown(&path, Some(owner), None).unwrap();
        }
    }
    let ran = scan(spool.path());
    let document = ran.document();
    let findings = document["findings"].as_array().unwrap();
    assert_eq!(findings.len(), whole.len(), "one for each cut, none for the whole ones: {}", ran.err);
    for finding in findings {
        let rule = text(&finding["rule"]);
        assert!(rule == "corrupt" || rule == "empty-file", "{rule}: {finding:#}");
        assert_ne!(finding["message"]["native_id"], id.as_str());
    }
}

#[test]
fn random_bytes_under_good_names_neither_panic_nor_pass_for_mail() {
    let spool = restore("postfix/deferred");
    let folder = first_message(spool.path()).parent().unwrap().to_owned();
    let letter = folder.file_name().unwrap().to_str().unwrap().to_owned();
    let mut noise = Noise(7);
    for number in 0..500 {
        let size = usize::try_from(noise.next() % 3_000).unwrap() + 1;
        let path = folder.join(format!("{letter}{:04X}{:X}", number, 0xFACE));
        std::fs::write(&path, noise.bytes(size)).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
    }
    let ran = scan(spool.path());
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(!ran.out.contains("fault of ghostq"), "{}", ran.out);
    assert!(ran.document()["findings"].as_array().unwrap().len() >= 500);
}

#[test]
fn links_fifos_and_sockets_are_named_and_never_opened() {
    let spool = restore("postfix/deferred");
    let secret = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(secret.path(), "S secret sender").unwrap();
    let deferred = spool.path().join("deferred");
    std::os::unix::fs::symlink(secret.path(), deferred.join("0000012345")).unwrap();
    std::os::unix::fs::symlink("/", deferred.join("Z")).unwrap();
    let fifo = deferred.join("0000112345");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let _socket = std::os::unix::net::UnixListener::bind(deferred.join("0000212345")).unwrap();
    let ran = scan(spool.path());
    assert_eq!(ran.code, 3, "incomplete");
    let document = ran.document();
    let damage = document["damage"].as_array().unwrap();
    assert_eq!(damage.len(), 4, "{document:#}");
    for (name, what) in [
        ("0000012345", "symbolic link"),
        ("Z", "symbolic link"),
        ("0000112345", "FIFO"),
        ("0000212345", "FIFO"),
    ] {
        let one = damage.iter().find(|one| text(&one["locus"]["path"]).ends_with(name));
        let one = one.unwrap_or_else(|| panic!("{name} is not named: {damage:#?}"));
        assert!(text(&one["what"]).contains(what), "{one:#}");
        assert!(ran.err.contains(name), "{}", ran.err);
    }
    assert!(!ran.out.contains("secret sender"));
}

#[test]
fn a_folder_that_may_not_be_read_is_named_and_the_rest_is_scanned() {
    if is_root() {
        return left_out("root may read everything; run as another user");
    }
    let spool = restore("postfix/deferred");
    let closed = spool.path().join("hold");
    std::fs::create_dir_all(&closed).unwrap();
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o0)).unwrap();
    let ran = scan(spool.path());
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!(ran.code, 3);
    assert!(ran.err.contains("hold") && ran.err.contains("permission denied"), "{}", ran.err);
}

#[test]
fn folders_nested_without_end_are_cut_off_and_said_so() {
    let spool = restore("postfix/deferred");
    let mut deep = spool.path().join("deferred");
    for _ in 0..40 {
        deep = deep.join("A");
    }
    std::fs::create_dir_all(&deep).unwrap();
    let ran = scan(spool.path());
    assert_eq!(ran.code, 3);
    assert!(ran.err.contains("deeper than any mail system"), "{}", ran.err);
}

#[test]
fn an_export_cut_at_any_byte_never_panics_and_says_that_it_was_cut() {
    let case = fixture("temptable/eras/export-table_2011-01_to_2014-03.txt");
    let whole = std::fs::read(case).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.txt");
    // Every 97th byte: a process for each; the parser itself is tried at every byte in its own tests.
    for cut in (200..whole.len() - 20).step_by(97) {
        std::fs::write(&path, &whole[..cut]).unwrap();
        let ran = ghostq([
            "scan".as_ref(),
            "--temp-table".as_ref(),
            path.as_os_str(),
            "--format".as_ref(),
            "json".as_ref(),
        ]);
        assert_eq!(ran.code, 3, "cut at {cut}: {}{}", ran.out, ran.err);
        assert!(ran.err.contains("table.txt"), "{}", ran.err);
    }
}

#[test]
fn a_line_of_any_length_is_survived() {
    let folder = tempfile::tempdir().unwrap();
    let csv = folder.path().join("table.csv");
    let mut file = std::io::BufWriter::new(std::fs::File::create(&csv).unwrap());
    file.write_all(b"EntryID,Subject,MessageID,Size\r\n01,first,<1@a>,10\r\n02,").unwrap();
    let chunk = vec![b'x'; 1 << 20];
    for _ in 0..64 {
        file.write_all(&chunk).unwrap();
    }
    file.write_all(b",<2@a>,10\r\n03,third,<3@a>,10\r\n").unwrap();
    drop(file);
    let ran = ghostq([
        "scan".as_ref(),
        "--temp-table".as_ref(),
        csv.as_os_str(),
        "--format".as_ref(),
        "json".as_ref(),
    ]);
    assert_eq!(ran.code, 3, "{}{}", ran.out, ran.err);
    assert!(ran.err.contains("table.csv"), "{}", ran.err);

    let spool = restore("postfix/deferred");
    let listing = folder.path().join("listing.json");
    let mut file = std::io::BufWriter::new(std::fs::File::create(&listing).unwrap());
    file.write_all(b"{\"queue_name\": \"deferred\", \"queue_id\": \"3B367B0C773\", \"sender\": \"").unwrap();
    for _ in 0..64 {
        file.write_all(&chunk).unwrap();
    }
    file.write_all(b"\"}\n").unwrap();
    drop(file);
    let ran = ghostq([Path::new("scan"), spool.path(), Path::new("--listing"), &listing]);
    assert_eq!(ran.code, 3, "a listing that cannot be used leaves the scan incomplete: {}", ran.err);
}

#[test]
fn nothing_in_a_subject_or_a_name_reaches_the_terminal_as_a_command() {
    let spool = restore("postfix/deferred");
    let message = first_message(spool.path());
    let hostile = message.with_file_name("evil\x1b[2J\x1b]0;owned\x07\u{202e}.bak");
    std::fs::rename(&message, &hostile).unwrap();
    for format in ["table", "json", "jsonl", "csv"] {
        let ran = ghostq([Path::new("scan"), spool.path(), Path::new("--format"), Path::new(format)]);
        for (stream, name) in [(&ran.out, "stdout"), (&ran.err, "stderr")] {
            assert!(
                !stream.contains('\x1b') && !stream.contains('\x07') && !stream.contains('\u{202e}'),
                "{format} {name}"
            );
        }
        assert!(ran.out.contains("foreign-name"), "{format}: {}", ran.out);
    }
}

#[test]
fn devices_are_named_and_never_opened() {
    if !is_root() {
        return left_out("only root makes devices");
    }
    let spool = restore("postfix/deferred");
    let deferred = spool.path().join("deferred");
    // The console, a tape that rewinds when it is opened and closed, and a disk.
    for (name, kind, major, minor) in
        [("0000312345", "c", "5", "1"), ("0000412345", "c", "9", "0"), ("0000512345", "b", "7", "250")]
    {
        let made =
            std::process::Command::new("mknod").arg(deferred.join(name)).args([kind, major, minor]).status();
        if !made.unwrap().success() {
            return left_out("this file system has no devices");
        }
    }
    let ran = scan(spool.path());
    assert_eq!(ran.code, 3);
    let document = ran.document();
    let damage = document["damage"].as_array().unwrap();
    for name in ["0000312345", "0000412345", "0000512345"] {
        let one = damage.iter().find(|one| text(&one["locus"]["path"]).ends_with(name));
        assert!(text(&one.unwrap()["what"]).contains("device"), "{damage:#?}");
    }
}

#[test]
fn folders_named_like_messages_are_no_messages_and_hide_none() {
    let spool = restore("postfix/deferred");
    let message = first_message(spool.path());
    let before = scan(spool.path()).document()["findings"].as_array().unwrap().len();
    let inside = message.with_file_name("3A36DB0E999");
    std::fs::create_dir(&inside).unwrap();
    std::fs::copy(&message, inside.join(message.file_name().unwrap())).unwrap();
    let ran = scan(spool.path());
    assert!(matches!(ran.code, 1 | 3), "{}", ran.err);
    let document = ran.document();
    let found = document["findings"].as_array().unwrap();
    assert_eq!(found.len(), before + 1, "what lies in it is where no message belongs: {}", ran.out);
    assert!(found.iter().any(|finding| text(&finding["message"]["place"]["path"]).contains("3A36DB0E999/")));

    let desk = Desk::of_ghosts(1);
    std::fs::create_dir(desk.spool.path().join("queue/.1700000001.7")).unwrap();
    let ran = desk.act("requeue --apply");
    assert!(
        desk.letters().len() == 1 && desk.spool.path().join("queue/.1700000001.7").is_dir(),
        "{}",
        ran.out
    );
}

#[test]
fn names_that_are_not_utf8_are_found_shown_and_acted_upon() {
    use std::os::unix::ffi::OsStrExt as _;
    let desk = Desk::of_ghosts(0);
    let name = std::ffi::OsStr::from_bytes(b".caf\xe9\xff\x80.1");
    let path = desk.spool.path().join("queue").join(name);
    std::fs::write(&path, "a@a.example\nb@b.example\n\nSubject: x\n\nbody\n").unwrap();
    let ran = scan(desk.spool.path());
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(ran.document()["findings"].to_string().contains("xe9"), "its bytes can be told: {}", ran.out);
    let table = ghostq([Path::new("scan"), desk.spool.path()]);
    assert!(table.out.contains(r"caf\xe9\xff\x80"), "{}", table.out);
    let ran = desk.act("requeue --apply");
    assert_eq!((ran.code, desk.letters().len(), path.exists()), (0, 1, false), "{}{}", ran.out, ran.err);
    let again = desk.journal("undo");
    assert!(again.out.contains("second time"), "the journal names it as well: {}{}", again.out, again.err);
}

#[test]
fn paths_longer_than_the_system_takes_are_cut_off_and_said_so() {
    let spool = restore("postfix/deferred");
    let deferred = spool.path().join("deferred");
    let mut folder = std::os::fd::OwnedFd::from(std::fs::File::open(&deferred).unwrap());
    let name = "N".repeat(250);
    for _ in 0..24 {
        mkdirat(&folder, &name, Mode::RWXU).unwrap();
        folder = openat(&folder, &name, OFlags::DIRECTORY, Mode::empty()).unwrap();
    }
    let ran = scan(spool.path());
    assert_eq!(ran.code, 3, "{}", ran.err);
    assert!(ran.err.contains("deeper than any mail system"), "{}", ran.err);
    // A folder above it is searched for spools: the path is too long for the system long before the search ends.
    let above = ghostq([Path::new("scan"), &deferred, Path::new("--source"), Path::new("postfix")]);
    assert!((0..=3).contains(&above.code) && !above.err.contains("panicked"), "{}", above.err);
    let removed = std::process::Command::new("rm").arg("-rf").arg(&deferred).status();
    assert!(removed.unwrap().success());
}

/// Runs ghostq with so many KiB of address space at most: what needs more dies.
pub fn scan_within(kib: u64, path: &Path, more: &[&str]) -> Ran {
    let script = format!("ulimit -v {kib}; exec \"$@\"");
    let mut limited = std::process::Command::new("sh");
    limited.args(["-c", &script, "sh", env!("CARGO_BIN_EXE_ghostq"), "scan", "--threads", "2"]);
    finish(limited.arg(path).args(more).env_clear().env("TZ", "UTC").env("PATH", "/usr/bin:/bin"))
}

/// Of a healthy message sixteen bytes stay, of a finding 48: so many names fit into so much memory, whatever is in the files. Ten
/// million would take 160 MB, or 480 if each of them were a finding.
fn many_names(count: u32, kib: u64) {
    let spool = tempfile::tempdir().unwrap();
    for folder in ["queue", "tmp", "failed"] {
        std::fs::create_dir(spool.path().join(folder)).unwrap();
    }
    let queue = spool.path().join("queue");
    let mut first = PathBuf::new();
    for number in 0..count {
        let path = queue.join(format!("{}.{}", 1_700_000_000 + number, number % 30_000 + 1));
        // A file has 65,000 names at most on ext4.
        if number % 50_000 == 0 {
            std::fs::write(&path, format!("a@a.example\nb@b.example\n\nMessage-ID: <{number}@a>\n\nx\n"))
                .unwrap();
            first = path;
        } else {
            std::fs::hard_link(&first, path).unwrap();
        }
    }
    let begun = std::time::Instant::now();
    let ran = scan_within(kib, spool.path(), &["--format", "json"]);
    assert!(matches!(ran.code, 0 | 1 | 3), "{}: {}", ran.code, ran.err);
    let document = ran.document();
    assert_eq!(document["sources"][0]["messages"], count, "all of them were read: {}", ran.err);
    eprintln!("{count} names in {kib} KiB of address space: {:?}", begun.elapsed());
}

#[test]
fn thirty_thousand_names_in_one_folder_fit_into_little_memory() {
    many_names(30_000, 400_000);
}

/// Slow: `cargo test --test it -- --ignored three_hundred_thousand`.
#[test]
#[ignore = "it makes 300,000 files"]
fn three_hundred_thousand_names_in_one_folder_fit_into_the_same_memory() {
    many_names(300_000, 400_000);
}

#[test]
fn another_file_system_inside_of_a_spool_is_named_and_read_only_when_asked_for() {
    if !is_root() {
        return left_out("only root mounts");
    }
    let spool = restore("postfix/deferred");
    let message = first_message(spool.path());
    let folder = message.parent().unwrap().to_owned();
    let run = |more: &str| {
        let script = format!(
            "mkdir /tmp/ghostq-mount.$$ && cp -a \"$1\"/. /tmp/ghostq-mount.$$ && mount -t tmpfs none \"$1\" \
             && cp -a /tmp/ghostq-mount.$$/. \"$1\" && rm -r /tmp/ghostq-mount.$$ && exec \"$2\" scan \"$3\" --format json {more}"
        );
        let mut inside = std::process::Command::new("unshare");
        inside.args(["-m", "sh", "-c", &script, "sh"]).arg(&folder);
        finish(inside.arg(env!("CARGO_BIN_EXE_ghostq")).arg(spool.path()))
    };
    let ran = run("");
    if ran.out.is_empty() {
        return left_out(&format!("a mount needs more than root here: {}", ran.err));
    }
    assert_eq!(ran.code, 3, "{}", ran.err);
    assert!(ran.err.contains("another file system"), "{}", ran.err);
    let crossed = run("--cross-file-systems");
    assert!(!crossed.err.contains("another file system"), "{}", crossed.err);
    let count = |ran: &Ran| ran.document()["sources"][0]["messages"].as_u64().unwrap();
    assert!(count(&crossed) > count(&ran));
}

#[test]
fn a_file_that_cannot_be_read_to_its_end_is_named_and_not_acted_upon() {
    if !is_root() {
        return left_out("only root mounts");
    }
    // The kernel says that this file has 4,096 bytes, and fails when they are read: as a bad disk does.
    let bad = ["/sys/class/net/lo/speed", "/sys/class/net/lo/duplex", "/sys/class/net/lo/phys_port_id"]
        .into_iter()
        .find(|path| {
            std::fs::metadata(path).is_ok_and(|data| data.len() > 0) && std::fs::read(path).is_err()
        });
    let Some(bad) = bad else { return left_out("there is no such file here") };
    let desk = Desk::of_ghosts(2);
    let message = desk.spool.path().join("queue/.1700000000.100");
    let run = |command: &str| {
        let script = format!("mount --bind {bad} \"$1\" && {command}");
        let mut inside = std::process::Command::new("unshare");
        inside.args(["-m", "sh", "-c", &script, "sh"]).arg(&message).arg(env!("CARGO_BIN_EXE_ghostq"));
        finish(inside.arg(desk.spool.path()).arg(desk.state()))
    };
    let ran = run("exec \"$2\" scan \"$3\" --cross-file-systems --deep --format json");
    if ran.out.is_empty() {
        return left_out(&format!("a mount needs more than root here: {}", ran.err));
    }
    assert_eq!(ran.code, 3, "{}{}", ran.out, ran.err);
    assert!(ran.err.contains("1700000000.100"), "{}", ran.err);
    let words = desk.words("requeue --apply").join(" ");
    let ran = run(&format!("exec \"$2\" {words} --cross-file-systems --state \"$4\""));
    assert_eq!(ran.code, 3, "{}{}", ran.out, ran.err);
    assert_eq!(desk.letters().len(), 1, "the other one went: {}{}", ran.out, ran.err);
    assert!(message.exists());
}

#[test]
fn what_another_user_may_not_read_is_named_with_exit_code_three() {
    if !is_root() {
        return left_out("root becomes another user for this");
    }
    let spool = restore("postfix/deferred");
    let message = first_message(spool.path());
    for path in paths_below(spool.path()) {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    std::fs::set_permissions(&message, std::fs::Permissions::from_mode(0o700)).unwrap();
    let closed = spool.path().join("hold");
    std::fs::create_dir_all(&closed).unwrap();
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o700)).unwrap();
    let ran = scan_as_another_user(spool.path(), &["--format", "json"]);
    assert_eq!(ran.code, 3, "{}{}", ran.out, ran.err);
    let name = message.file_name().unwrap().to_str().unwrap();
    for what in [name, "hold"] {
        assert!(ran.err.contains(what), "{what} is not named: {}", ran.err);
    }
}

#[test]
fn a_body_behind_a_closed_door_is_not_called_lost_however_many_recipients_wait_for_it() {
    if !is_root() {
        return left_out("root becomes another user for this");
    }
    let spool = tempfile::tempdir().unwrap();
    let closed = spool.path().join("input/d");
    std::fs::create_dir_all(&closed).unwrap();
    let recipients = "b@b.example\n".repeat(1_000);
    for number in 0..10 {
        let id = format!("1xVf{number}d-00002O-0X");
        let envelope = format!(
            "{id}-H\nmail 8 8\n<a@a.example>\n1790000000 0\n-local\nXX\n1000\n{recipients}\n008F From: a\n"
        );
        std::fs::write(spool.path().join(format!("input/{id}-H")), envelope).unwrap();
        std::fs::write(closed.join(format!("{id}-D")), format!("{id}-D\nHello\n")).unwrap();
    }
    let open = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(spool.path(), open).unwrap();
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o700)).unwrap();
    let ran =
        scan_as_another_user(spool.path(), &["--source", "exim", "--listing", "none", "--format", "json"]);
    assert_eq!(ran.code, 3, "{}{}", ran.out, ran.err);
    let report = ran.document();
    assert_eq!(report["findings"].as_array().unwrap().len(), 0, "{}", ran.out);
    for number in 0..10 {
        assert!(ran.out.contains(&format!("1xVf{number}d-00002O-0X-D` belongs to it: permission denied")));
    }
}

/// Scans as a user who owns nothing.
fn scan_as_another_user(spool: &Path, arguments: &[&str]) -> Ran {
    let public = tempfile::tempdir().unwrap();
    let program = public.path().join("ghostq");
    std::fs::copy(env!("CARGO_BIN_EXE_ghostq"), &program).unwrap();
    for path in [public.path(), &program] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let mut other = std::process::Command::new("setpriv");
    other.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]).arg(&program);
    finish(other.arg("scan").arg(spool).args(arguments))
}

/// A spool of nullmailer with this one ghost.
pub fn desk_of(write: impl FnOnce(&mut dyn std::io::Write)) -> Desk {
    let desk = Desk::of_ghosts(0);
    let file = std::fs::File::create(desk.spool.path().join("queue/.1700000000.1")).unwrap();
    let mut file = std::io::BufWriter::new(file);
    file.write_all(b"a@a.example\nb@b.example\n\n").unwrap();
    write(&mut file);
    file.flush().unwrap();
    desk
}

/// Scans deeply, plans a requeue and shows the report to the sender, in bounded memory and time; then sends it on as it is.
pub fn survives(desk: &Desk, what: &str) {
    let begun = std::time::Instant::now();
    let ran = scan_within(600_000, desk.spool.path(), &["--deep", "--format", "json"]);
    assert!(matches!(ran.code, 1 | 3), "{what}: {}: {}", ran.code, ran.err);
    assert_eq!(ran.document()["findings"].as_array().unwrap().len(), 1, "{what}");
    let plan = desk.act("requeue --format json");
    assert!(matches!(plan.code, 0 | 1 | 3), "{what}: {}: {}", plan.code, plan.err);
    let report = desk.act("ndr --preview --allow-backscatter");
    assert!(report.out.len() < 16 << 20, "{what}: a report of {} bytes", report.out.len());
    let size = std::fs::metadata(desk.spool.path().join("queue/.1700000000.1")).unwrap().len();
    let ran = desk.act("requeue --apply");
    let letters = desk.letters();
    assert_eq!((ran.code, letters.len()), (0, 1), "{what}: {}{}", ran.out, ran.err);
    let sent = letters[0].1.len() as u64;
    assert!(sent >= size - 30, "{what}: {sent} of {size} bytes were sent");
    assert!(begun.elapsed() < std::time::Duration::from_mins(2), "{what}: {:?}", begun.elapsed());
    eprintln!("{what}: {:?}", begun.elapsed());
}

#[test]
fn a_header_field_of_a_hundred_megabytes_is_survived() {
    let desk = desk_of(|file| {
        file.write_all(b"From: a@a.example\nSubject: ").unwrap();
        let chunk = vec![b'x'; 1 << 20];
        for _ in 0..100 {
            file.write_all(&chunk).unwrap();
        }
        file.write_all(b"\n\nbody\n").unwrap();
    });
    survives(&desk, "100 MB in one line");
}

#[test]
fn a_million_header_fields_are_survived() {
    let desk = desk_of(|file| {
        for number in 0..1_000_000 {
            writeln!(file, "X-{number}: {number}").unwrap();
        }
        file.write_all(b"Received: by a; Thu, 26 Nov 2026 05:00:00 +0000\nFrom: a@a.example\n\nbody\n")
            .unwrap();
    });
    survives(&desk, "a million fields");
}

#[test]
fn a_million_recipients_are_survived() {
    let desk = Desk::of_ghosts(0);
    let file = std::fs::File::create(desk.spool.path().join("queue/.1700000000.1")).unwrap();
    let mut file = std::io::BufWriter::new(file);
    writeln!(file, "a@a.example").unwrap();
    for number in 0..1_000_000 {
        writeln!(file, "b{number}@b.example").unwrap();
    }
    file.write_all(b"\nSubject: x\n\nbody\n").unwrap();
    drop(file);
    let ran = scan_within(900_000, desk.spool.path(), &["--format", "json"]);
    assert!(matches!(ran.code, 1 | 3), "{}: {}", ran.code, ran.err);
    // More recipients than a command takes: whatever becomes of it, it is not lost.
    let ran = desk.act("requeue --apply");
    assert!(!ran.err.contains("panicked"), "{}", ran.err);
    let stays = desk.spool.path().join("queue/.1700000000.1").exists();
    assert!(stays != (desk.letters().len() == 1), "{}{}", ran.out, ran.err);
}

#[test]
fn parts_within_parts_without_end_are_survived() {
    let desk = desk_of(|file| {
        file.write_all(b"From: a@a.example\n").unwrap();
        for number in 0..20_000 {
            write!(file, "Content-Type: multipart/mixed; boundary=b{number}\n\n--b{number}\n").unwrap();
        }
        file.write_all(b"Content-Type: message/rfc822\n\n".repeat(20_000).as_slice()).unwrap();
        file.write_all(b"\nend\n").unwrap();
    });
    survives(&desk, "40,000 parts within parts");
}
