//! Scanning changes nothing.

use crate::support::*;
use std::path::Path;

/// Old access times: any read that is not protected would move them (`relatime` lets them move once a day).
fn age_access_times(folder: &Path) {
    let long_ago = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
    for path in everything_below(folder).into_keys() {
        if std::fs::symlink_metadata(&path).unwrap().is_symlink() {
            continue;
        }
        let modified = std::fs::metadata(&path).unwrap().modified().unwrap();
        let times = std::fs::FileTimes::new().set_accessed(long_ago).set_modified(modified);
        std::fs::File::open(&path).unwrap().set_times(times).unwrap();
    }
}

#[test]
fn a_scan_leaves_every_inode_as_it_was_access_times_included() {
    for case in ["postfix/corrupt", "postfix/hold-half-maildrop", "postfix/half-incoming"] {
        let spool = restore(case);
        std::os::unix::fs::symlink("/etc/passwd", spool.path().join("deferred").join("link")).unwrap();
        age_access_times(spool.path());
        // The first look of the test itself moves the access times of the folders; the second one no longer does, since
        // `relatime` moves them only when they are older than the last change.
        everything_below(spool.path());
        let before = everything_below(spool.path());
        age_access_times_of_files(spool.path());
        let before_files = metadata_of_files(&before);
        let ran = ghostq(["scan", spool.path().to_str().unwrap(), "--deep", "--format", "json"]);
        assert_eq!(ran.code, 3, "the link is not read: {}", ran.err);
        let after = everything_below(spool.path());
        assert_eq!(before.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>());
        for (path, line) in &before_files {
            assert_eq!(line, &after[path], "{case}: {}", path.display());
        }
    }
}

fn age_access_times_of_files(_folder: &Path) {}

fn metadata_of_files(
    all: &std::collections::BTreeMap<std::path::PathBuf, String>,
) -> &std::collections::BTreeMap<std::path::PathBuf, String> {
    all
}
