//! `name-inode-mismatch`: the file name encodes an inode that is not the file's.

use super::Rule;
use super::on_sign;
use crate::correlate::case::{Case, Verdict};
use crate::evidence::Sign;
use crate::findings::Class;

/// The rule `name-inode-mismatch`.
pub static RULE: Rule = Rule {
    name: "name-inode-mismatch",
    class: Class::Note,
    counted: true,
    title: "the file name encodes an inode that is not the file's",
    means: "Postfix and qmail write the inode number of a queue file into its name. After a restore or a \
        copy the numbers no longer match. Postfix lists and delivers such messages, and renames all of \
        them at its next start, so that queue IDs in the logs no longer match; until then a new message \
        can be given the same name, which is a risk of collision. To qmail such a message is lost sight \
        of.",
    seen: "A note, not a ghost. On a copy of a spool every name mismatches, and that says nothing about the \
        original: give the original's inode numbers with `--manifest`.",
    source: "Postfix global/mail_queue.h and postsuper(1); 197 of 200 files after a tar restore on Postfix \
        3.7.11",
    judge,
};

fn judge(case: &Case<'_>) -> Verdict {
    on_sign(
        case,
        |sign| matches!(sign, Sign::NameInode { .. }),
        "its name holds the inode number of another file: it was restored or copied",
    )
}
