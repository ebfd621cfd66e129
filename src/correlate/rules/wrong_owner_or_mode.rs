//! `wrong-owner-or-mode`: the mail system cannot or will not open it because of its owner or mode.

use super::Rule;
use crate::correlate::case::{Case, Reason, Verdict};
use crate::evidence::Sign;
use crate::findings::Class;

/// The rule `wrong-owner-or-mode`.
pub static RULE: Rule = Rule {
    name: "wrong-owner-or-mode",
    class: Class::Ghost,
    counted: false,
    title: "the mail system cannot or will not open it because of its owner or mode",
    means: "A restore as another user, a copy without its modes, a repair by hand: the file is whole, but \
        the mail system passes over it because of who owns it or what its mode bits say. On Postfix the \
        mode is not only a permission: it is the mark of a finished message.",
    seen: "Mode and owner of the file, compared with what the mail system asks for. Give `--manifest` for a \
        copy that could not keep them.",
    source: "Postfix global/mail_open_ok.c; modes 0644 and 0600 in deferred/ on Postfix 3.7.11",
    judge,
};

fn judge(case: &Case<'_>) -> Verdict {
    let Some(signed) = case.sign(|sign| matches!(sign, Sign::OwnerOrMode)) else { return Verdict::Nothing };
    let first = signed.facts.first().map_or("its owner or mode", |fact| fact.text.as_str());
    Reason::of(signed, format!("the mail system passes over it: {first}"))
}
