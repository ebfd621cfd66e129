//! `empty-file`: zero bytes where a message should be.

use super::Rule;
use super::on_sign;
use crate::correlate::case::{Case, Verdict};
use crate::evidence::Sign;
use crate::findings::Class;

/// The rule `empty-file`.
pub static RULE: Rule = Rule {
    name: "empty-file",
    class: Class::Ghost,
    counted: false,
    title: "zero bytes where a message should be",
    means: "A full disk or a crash left a file of no length. The message it stood for is lost unless its \
        sender still has it; the name, the times and logs may say which one it was.",
    seen: "The size of the file.",
    source: "observed after disk-full crashes; reports of users",
    judge,
};

fn judge(case: &Case<'_>) -> Verdict {
    on_sign(case, |sign| matches!(sign, Sign::EmptyFile), "there are zero bytes where a message should be")
}
