//! `envelope-without-body`: there is an envelope, and no content.

use super::Rule;
use super::on_sign;
use crate::correlate::case::{Case, Verdict};
use crate::evidence::Sign;
use crate::findings::Class;

/// The rule `envelope-without-body`.
pub static RULE: Rule = Rule {
    name: "envelope-without-body",
    class: Class::Ghost,
    counted: false,
    title: "there is an envelope, and no content",
    means: "What says who sent it and who is to have it is there, but the content is gone. Some mail systems \
        send an empty message in its place at the next queue run.",
    seen: "A named stream without the file that it belongs to; a control file without its data file.",
    source: "observed on real queues; see `ghostq sources`",
    judge,
};

fn judge(case: &Case<'_>) -> Verdict {
    on_sign(case, |sign| matches!(sign, Sign::BodyLost), "there is an envelope, and no content")
}
