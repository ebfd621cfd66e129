//! Hostile input: no panic, no hang, no link followed; what could not be read is named, and the exit code says so.

use crate::support::*;
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
