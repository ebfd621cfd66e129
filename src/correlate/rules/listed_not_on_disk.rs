//! `listed-not-on-disk`: the listing shows it, and the disk does not have it.

use super::Rule;
use crate::correlate::case::{Case, Verdict};
use crate::findings::Class;

/// The rule `listed-not-on-disk`.
pub static RULE: Rule = Rule {
    name: "listed-not-on-disk",
    class: Class::Stuck,
    counted: false,
    title: "the listing shows it, and the disk does not have it",
    means: "The mail system's own listing shows a message of which no file was found. It may have been \
        removed by hand, or the mail system lists its memory and not its disk: the entry goes when it \
        restarts, and the message is lost.",
    seen: "Only entries of queues that were there to be read count. With a live listing the entry must \
        still be listed after the scan, and still not be found in a second walk.",
    source: "the difference of two sets: what the listing shows, and what is on disk",
    judge,
};

/// Found from the other side, after all messages have been seen (`run::missing`): a case is a message on disk.
fn judge(_case: &Case<'_>) -> Verdict {
    Verdict::Nothing
}
