//! What happens where nobody can tell whether a message was handed in.

use super::support::{ghostq, paths_below, restore};
use std::os::unix::fs::PermissionsExt as _;

#[test]
fn after_one_message_of_which_nobody_knows_the_others_are_left_where_they_are() {
    let (spool, outside) = (restore("postfix/hold-half-maildrop"), tempfile::tempdir().unwrap());
    let command = outside.path().join("sendmail");
    // EX_TEMPFAIL: smtpctl(8) ends with it although it has taken the message, Postfix where its disk is full.
    std::fs::write(&command, "#!/bin/sh\ncat >/dev/null\nexit 75\n").unwrap();
    std::fs::set_permissions(&command, std::fs::Permissions::from_mode(0o755)).unwrap();
    let held = || paths_below(&spool.path().join("hold")).len();
    let before = held();
    let via = format!("sendmail:{}", command.display());
    let state = outside.path().join("state");
    let arguments = ["requeue", "--rule", "held", "--offline", "--apply", "--quiet", "--via", &via];
    let places = ["--spool", spool.path().to_str().unwrap(), "--state", state.to_str().unwrap()];
    let ran = ghostq(arguments.into_iter().chain(places));
    assert_eq!(ran.code, 3, "{}{}", ran.out, ran.err);
    assert_eq!(ran.out.matches(": UNKNOWN: ").count(), 1, "{}", ran.out);
    assert!(ran.err.contains("nobody knows whether the last one was handed in"), "{}", ran.err);
    assert_eq!(held(), before - 1, "only the first was taken out of the spool");
}
