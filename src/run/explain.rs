//! `ghostq explain`, `ghostq rules`, `ghostq sources`: what ghostq knows.

use crate::correlate::outlook;
use crate::correlate::rules::{self, Rule};
use crate::evidence::{Condition, Confidence, Fate, Measure, Text, Treatment, Trigger, format_duration};
use crate::sources::{self, Source};
use anyhow::{Result, bail};
use std::fmt::Write as _;

/// Everything about one rule.
///
/// # Errors
/// When there is no rule of this name.
pub fn rule(name: &str) -> Result<String> {
    let Some(rule) = rules::by_name(name) else {
        let names: Vec<_> = rules::ALL.iter().map(|rule| rule.name).collect();
        bail!("there is no rule `{name}`; there are {}", names.join(", "))
    };
    let mut text = format!("{} ({}): {}\n\n", rule.name, class(rule), rule.title);
    let _written = writeln!(text, "{}\n\n{}\n\nsource: {}", rule.means, rule.seen, rule.source);
    for source in sources::ALL {
        for treatment in source.treatments().iter().filter(|treatment| treatment.rule == rule.name) {
            let filled = outlook::fill(treatment, None, &Text::from("SPOOL"));
            let shown = match treatment.shown {
                crate::evidence::Shown::Always => "its own listing shows such a message",
                crate::evidence::Shown::Never => "its own listing never shows such a message",
                crate::evidence::Shown::Depends => "whether its own listing shows such a message depends",
            };
            let _written = writeln!(text, "\n{}: {shown}\n  next: {}", source.name(), filled.next);
            for advice in &filled.remedies {
                let line = if advice.command.is_empty() {
                    advice.what.clone()
                } else {
                    format!("`{}`: {}", advice.command, advice.what)
                };
                let _written = writeln!(text, "  remedy: {line}");
            }
            for destroyer in &filled.destroyers {
                let _written = writeln!(text, "  would destroy it: {destroyer}");
            }
            for line in fates(*source, treatment) {
                let _written = writeln!(text, "  forecast: {line}");
            }
            let _written = writeln!(text, "  known from: {}", filled.source);
        }
    }
    Ok(text)
}

/// What becomes of such a message when something is set going, a line for each fate.
fn fates(source: &dyn Source, treatment: &Treatment) -> Vec<String> {
    if treatment.fates.is_empty() {
        return vec!["not known".to_owned()];
    }
    let happens = |trigger: &Trigger| {
        let occasions = source.habits().occasions.iter();
        occasions.clone().find(|occasion| occasion.trigger == *trigger).map(|occasion| occasion.happens)
    };
    let line = |fate: &Fate| {
        let on: Vec<_> = fate.on.iter().filter_map(happens).collect();
        let only = fate.only.map(|only| format!(" ({})", only.about)).unwrap_or_default();
        let when: Vec<_> = fate.when.iter().map(|condition| condition_in_words(*condition)).collect();
        let when = if when.is_empty() { String::new() } else { format!(", once {}", when.join(" and ")) };
        let effect = crate::report::place::name_of(fate.effect).replace('_', " ");
        let doubt = match fate.confidence {
            Confidence::Certain => "",
            Confidence::Likely => " (likely)",
            Confidence::Possible => " (possible)",
        };
        format!("if {}: {effect}{only}{when}: {}{doubt}", on.join("; or "), fate.why)
    };
    treatment.fates.iter().map(line).collect()
}

fn condition_in_words(condition: Condition) -> String {
    match condition {
        Condition::OlderThan(age, measure) => {
            let of = match measure {
                Measure::Modified => "the time of its file (mtime)",
                Measure::Accessed => "the time at which it was last read (atime)",
                Measure::Changed => "the time at which its inode was changed (ctime)",
                Measure::Arrival => "the time at which it came in",
            };
            format!("{of} is {} past", format_duration(age))
        }
        Condition::Due => "its next attempt is due".to_owned(),
        Condition::Expired => "it is older than the lifetime of the queue".to_owned(),
    }
}

/// One line a rule: name, class, title.
pub fn all_rules() -> Vec<(&'static str, &'static str, &'static str)> {
    rules::ALL.iter().map(|rule| (rule.name, class(rule), rule.title)).collect()
}

/// Everything about one source.
///
/// # Errors
/// When there is no source of this name.
pub fn source(name: &str) -> Result<String> {
    let Some(source) = sources::by_name(name) else {
        let names: Vec<_> = sources::ALL.iter().map(|source| source.name()).collect();
        bail!("there is no source `{name}`; there are {}", names.join(", "))
    };
    Ok(describe(source))
}

/// One line a source: name and title.
pub fn all_sources() -> Vec<(&'static str, &'static str)> {
    sources::ALL.iter().map(|source| (source.name(), source.about().title)).collect()
}

fn describe(source: &dyn Source) -> String {
    let about = source.about();
    let mut text =
        format!("{}: {}\n\n{}\n\nchecked on: {}\n", source.name(), about.title, about.text, about.checked);
    for format in about.formats {
        let _written = writeln!(text, "format: {format}");
    }
    for listing in source.listings() {
        let _written = writeln!(text, "listing: {} ({})", listing.name, listing.about);
    }
    let mut known: Vec<_> = source.treatments().iter().map(|treatment| treatment.rule).collect();
    known.dedup();
    let _written = writeln!(text, "rules: {}", known.join(", "));
    text
}

fn class(rule: &Rule) -> &'static str {
    match rule.class {
        crate::findings::Class::Blocker => "blocker",
        crate::findings::Class::Ghost => "ghost",
        crate::findings::Class::Stuck => "stuck",
        crate::findings::Class::Note => "note",
    }
}
