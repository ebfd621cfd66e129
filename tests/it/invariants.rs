//! Scanning changes nothing.

use crate::support::*;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Access times of long ago, which any read that is not protected would move (`relatime` moves them once a day).
fn age(paths: &[PathBuf]) {
    let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    for path in paths.iter().filter(|path| !path.is_symlink()) {
        let modified = std::fs::metadata(path).unwrap().modified().unwrap();
        let times = std::fs::FileTimes::new().set_accessed(long_ago).set_modified(modified);
        std::fs::File::open(path).unwrap().set_times(times).unwrap();
    }
}

fn metadata_of(paths: &[PathBuf]) -> Vec<String> {
    paths.iter().map(|path| format!("{}: {}", path.display(), metadata(path))).collect()
}

#[test]
fn a_scan_leaves_every_inode_as_it_was_access_times_included() {
    for case in ["postfix/corrupt", "postfix/hold-half-maildrop", "postfix/half-incoming"] {
        let spool = restore(case);
        std::os::unix::fs::symlink("/etc/passwd", spool.path().join("deferred/link")).unwrap();
        let paths = paths_below(spool.path());
        age(&paths);
        let before = metadata_of(&paths);

        let ran = ghostq([Path::new("scan"), spool.path(), Path::new("--deep")]);
        assert_eq!(ran.code, 3, "the link is reported, not read: {}{}", ran.out, ran.err);
        assert_eq!(before, metadata_of(&paths), "{case}");
        assert_eq!(paths, paths_below(spool.path()), "{case}: nothing came, nothing went");
    }
}

#[test]
fn a_scan_makes_no_system_call_that_could_change_the_spool() {
    if std::process::Command::new("strace").arg("-V").output().is_err() {
        return left_out("strace is not installed");
    }
    let spool = restore("postfix/corrupt");
    let trace = tempfile::NamedTempFile::new().unwrap();
    let output = std::process::Command::new("strace")
        .args(["-f", "-qq", "-s", "4096", "-e", "trace=%file,%desc", "-o"])
        .arg(trace.path())
        .arg(env!("CARGO_BIN_EXE_ghostq"))
        .arg("scan")
        .arg(spool.path())
        .args(["--deep", "--listing"])
        .arg(fixture("postfix/corrupt").join("listing.txt"))
        .output()
        .unwrap();
    let text = std::fs::read_to_string(trace.path()).unwrap();
    if text.is_empty() {
        return left_out("strace may not trace here");
    }
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    let spool = spool.path().to_str().unwrap();
    assert!(text.contains(spool), "the trace saw the scan");
    let changing = [
        "rename",
        "unlink",
        "link",
        "symlink",
        "mkdir",
        "rmdir",
        "mknod",
        "chmod",
        "fchmod",
        "chown",
        "fchown",
        "lchown",
        "truncate",
        "ftruncate",
        "utime",
        "setxattr",
        "removexattr",
        "creat",
        "fallocate",
    ];
    for line in text.lines() {
        let call = line.split_whitespace().nth(1).unwrap_or_default().split('(').next().unwrap_or_default();
        let changes = changing.iter().any(|name| call.starts_with(name)) && !["readlink"].contains(&call);
        assert!(!changes, "{line}");
        let writes =
            ["O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC", "O_APPEND"].iter().any(|flag| line.contains(flag));
        // Findings may be parked in an unnamed file of the temporary folder; the fixture is far too small for that.
        assert!(!writes || !line.contains(spool), "{line}");
    }
    // Files of the spool are opened below its descriptor, without following and without touching.
    let below: Vec<_> =
        text.lines().filter(|line| line.contains("openat2(") && line.contains("RESOLVE_BENEATH")).collect();
    assert!(!below.is_empty(), "the spool was read");
    for line in below {
        assert!(line.contains("O_NOFOLLOW") && line.contains("O_RDONLY"), "{line}");
    }
}

#[test]
fn a_report_is_never_written_inside_the_scanned_tree() {
    let spool = restore("postfix/deferred");
    let report = spool.path().join("deferred/report.csv");
    let ran = ghostq([Path::new("scan"), spool.path(), Path::new("-o"), &report]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("which is being scanned"), "{}", ran.err);
    assert!(!report.exists());
}

#[test]
fn no_link_leads_a_report_into_a_spool() {
    let (spool, folder) = (restore("postfix/hold-half-maildrop"), tempfile::tempdir().unwrap());
    let queue_file = paths_below(&spool.path().join("hold")).into_iter().find(|path| path.is_file()).unwrap();
    let before = std::fs::read(&queue_file).unwrap();
    let (soft, hard, dangling) =
        (folder.path().join("soft"), folder.path().join("hard"), folder.path().join("dangling"));
    std::os::unix::fs::symlink(&queue_file, &soft).unwrap();
    std::os::unix::fs::symlink(spool.path().join("hold/NEW"), &dangling).unwrap();
    // Both temporary folders usually lie on one file system; where they do not, there can be no hard link either.
    let linked = std::fs::hard_link(&queue_file, &hard).is_ok();
    for (path, there) in [(&soft, true), (&dangling, true), (&hard, linked)] {
        if there {
            ghostq([Path::new("scan"), spool.path(), Path::new("-o"), path]);
            assert_eq!(std::fs::read(&queue_file).unwrap(), before, "{}", path.display());
            assert!(std::fs::symlink_metadata(path).unwrap().is_file(), "the report is a file of its own");
        }
    }
    assert!(!spool.path().join("hold/NEW").exists());
}

#[test]
fn a_report_file_can_be_read_by_its_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let (spool, folder) = (restore("postfix/deferred"), tempfile::tempdir().unwrap());
    let report = folder.path().join("report.csv");
    std::fs::write(&report, "an older report").unwrap();
    ghostq([
        Path::new("scan"),
        spool.path(),
        Path::new("--format"),
        Path::new("csv"),
        Path::new("-o"),
        &report,
    ]);
    assert_eq!(std::fs::metadata(&report).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(std::fs::read_to_string(&report).unwrap().starts_with("class,rule,"));
}

#[test]
fn the_number_of_threads_changes_nothing_but_the_time() {
    for case in ["postfix/corrupt", "postfix/restored", "exim/frozen-halves-named", "exim/half-journal"] {
        let folder = fixture(case);
        let scan = |threads: &str| {
            let ran = ghostq([
                Path::new("scan"),
                &folder.join("tree"),
                Path::new("--manifest"),
                &folder.join("manifest.tsv"),
                Path::new("--listing"),
                &folder.join("listing.txt"),
                Path::new("--format"),
                Path::new("csv"),
                Path::new("--as-of"),
                Path::new("2026-11-25T00:00:00Z"),
                Path::new("--threads"),
                Path::new(threads),
            ]);
            // The last three columns are those of the scan itself.
            let own = |line: &str| line.rsplitn(4, ',').last().unwrap_or_default().to_owned();
            (ran.code, ran.out.lines().map(own).collect::<Vec<_>>(), ran.err)
        };
        let alone = scan("1");
        assert!(alone.1.len() > 1, "{case}: there is something to be found: {}", alone.2);
        for threads in ["2", "3", "16"] {
            assert_eq!(alone, scan(threads), "{case} with {threads} threads");
        }
    }
}
