//! `ghostq explain`, `ghostq rules`, `ghostq sources`: what ghostq knows.

use crate::correlate::outlook;
use crate::correlate::rules::{self, Rule};
use crate::evidence::Text;
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
            let _written = writeln!(text, "  known from: {}", filled.source);
        }
    }
    Ok(text)
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
