//! `corrupt`: it is damaged or cut off.

use super::Rule;
use crate::correlate::case::{Case, Reason, Verdict};
use crate::evidence::Sign;
use crate::findings::Class;

/// The rule `corrupt`.
pub static RULE: Rule = Rule {
    name: "corrupt",
    class: Class::Ghost,
    counted: false,
    title: "it is damaged or cut off",
    means: "The message cannot be read to its end by the rules of its format. Mail systems set such files \
        aside, skip them, or remove them; no tool of theirs lists or repairs them.",
    seen: "The finding says at which byte, what was expected, what was found, and what can still be saved.",
    source: "Postfix qmgr/qmgr_active.c qmgr_active_corrupt (queue folder `corrupt`); truncated and damaged \
        files on Postfix 3.7.11",
    judge,
};

fn judge(case: &Case<'_>) -> Verdict {
    let Some((signed, offset)) = case.message.signs.iter().find_map(|signed| match signed.sign {
        Sign::Corrupt { offset } => Some((signed, offset)),
        _ => None,
    }) else {
        return Verdict::Nothing;
    };
    let facts: Vec<&str> = signed.facts.iter().take(2).map(|fact| fact.text.as_str()).collect();
    let why = if facts.is_empty() { "it is damaged".to_owned() } else { facts.join(": ") };
    let why = if offset == 0 { why } else { format!("{why} (byte {offset})") };
    Reason::of(signed, why)
}
