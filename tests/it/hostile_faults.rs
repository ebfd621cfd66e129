//! Every system call of a scan may fail. A scan that says that it is complete has seen what there is to be seen.

use crate::support::{left_out, restore};
use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// How a scan ended.
struct Scanned {
    code: Option<i32>,
    out: String,
    err: String,
}

/// Scans with one thread that reads; the calls of this kind from the n-th on, one in `step`, fail in each thread.
fn scan(spool: &Path, fault: Option<(&str, &str, usize)>) -> Scanned {
    let mut command = Command::new(if fault.is_some() { "timeout" } else { env!("CARGO_BIN_EXE_ghostq") });
    if let Some((calls, errno, at)) = fault {
        command.args(["-s", "KILL", "60", "strace", "-f", "-qq", "-o", "/dev/null", "-e"]);
        command.arg(format!("trace={calls}"));
        command.args(["-e", &format!("inject={calls}:error={errno}:when={at}")]);
        command.arg(env!("CARGO_BIN_EXE_ghostq"));
    }
    command.arg("scan").arg(spool).args(["--format", "json", "--threads", "1", "--listing", "none"]);
    let output = command.args(["--as-of", "2026-11-25T00:00:00Z"]).env("TZ", "UTC").output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Scanned { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
}

/// What is found, and how much was read.
fn told(scanned: &Scanned) -> (Value, Value) {
    let mut document: Value = serde_json::from_str(&scanned.out)
        .unwrap_or_else(|error| panic!("{error}: {:?} {} {}", scanned.code, scanned.out, scanned.err));
    for finding in document["findings"].as_array_mut().unwrap() {
        finding.as_object_mut().unwrap().remove("scan_id");
    }
    (document["findings"].clone(), document["sources"][0]["messages"].clone())
}

#[test]
fn whichever_system_call_fails_a_report_that_says_it_is_complete_is() {
    if Command::new("strace").arg("-V").output().is_err() {
        return left_out("strace is not installed");
    }
    for case in ["postfix/corrupt", "exim/frozen-halves-named", "dma/ghosts"] {
        let spool = restore(case);
        let whole = scan(spool.path(), None);
        let expected = told(&whole);
        let (mut complete, mut incomplete, mut failed) = (0, 0, 0);
        for (calls, places) in [
            ("openat2", [1, 2, 5, 11, 23].as_slice()),
            ("openat", &[6, 9, 14]),
            ("pread64", &[1, 3, 8]),
            ("read", &[2, 5, 9]),
            ("fstat,newfstatat,statx", &[1, 2, 4, 9, 17]),
            ("getdents64", &[1, 2, 5, 9]),
        ] {
            for at in places {
                let ran = scan(spool.path(), Some((calls, "EIO", *at)));
                if ran.err.contains("ptrace") {
                    return left_out("strace may not trace here");
                }
                let fault = format!("{case}: the {at}. {calls}");
                assert!(
                    !ran.err.contains("panicked") && !ran.out.contains("fault of ghostq"),
                    "{fault}: {}",
                    ran.err
                );
                match ran.code {
                    Some(0 | 1) => {
                        assert_eq!(told(&ran), expected, "{fault}: {}", ran.err);
                        complete += 1;
                    }
                    Some(3) => {
                        assert!(!ran.err.trim().is_empty(), "{fault} is not told");
                        incomplete += 1;
                    }
                    // The program could not be loaded, or not begin.
                    Some(2 | 127) => {
                        assert!(!ran.err.trim().is_empty(), "{fault} is not told");
                        failed += 1;
                    }
                    other => panic!("{fault}: {other:?}: {}", ran.err),
                }
            }
        }
        eprintln!("{case}: {complete} complete, {incomplete} incomplete, {failed} not begun");
        assert!(incomplete > 5, "the faults reach the spool");
    }
}
