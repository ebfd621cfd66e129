//! The verdict: what the listing shows, what the disk holds, and the difference, in the words of those who ask.

use super::escape::for_terminal;
use super::place::count_in_words;
use crate::evidence::{Instance, format_duration};
use crate::findings::{ListingSummary, Summary};

/// One line for each instance and, where there are several, one for all of them.
pub fn verdict(summary: &Summary) -> Vec<String> {
    let mut instances = summary.instances.iter().enumerate();
    let mut lines: Vec<String> = match (instances.next(), instances.next()) {
        (None, _) => vec!["no mail system was found: nothing was scanned".to_owned()],
        (Some((index, only)), None) => {
            vec![format!("{}{}", held(summary, index, only), outcome(summary, is_listed(summary, index)))]
        }
        (Some(_), Some(_)) => several(summary),
    };
    if let Some(unread) = unread(summary) {
        lines.push(unread);
    }
    lines
}

fn several(summary: &Summary) -> Vec<String> {
    let instances = summary.instances.iter().enumerate();
    // A listing that speaks for several places is said once, before all of them.
    let mut lines: Vec<String> =
        summary.listings.iter().filter(|l| l.instances.len() > 1).map(shown).collect();
    lines.extend(instances.map(|(index, one)| held(summary, index, one)));
    let listed = (0..summary.instances.len()).all(|index| is_listed(summary, index));
    lines.push(format!("in all{}", outcome(summary, listed)));
    lines
}

fn is_listed(summary: &Summary, index: usize) -> bool {
    summary.listings.iter().any(|listing| listing.instances.contains(&index))
}

/// `postqueue -j shows 412 messages, the disk holds 449 in /var/spool/postfix`.
fn held(summary: &Summary, index: usize, instance: &Instance) -> String {
    let root = for_terminal(&instance.root);
    let label = for_terminal(&instance.label);
    let at = if label == root { root } else { format!("{root} ({label})") };
    let count = summary.messages.get(index).copied();
    let of_listings: Vec<String> =
        summary.listings.iter().filter(|listing| listing.instances == [index]).map(shown).collect();
    let number = |many: &str| match count {
        Some(count) if many.is_empty() => count.to_string(),
        Some(count) => count_in_words(count, "message", many),
        None => "an unknown number of messages".to_owned(),
    };
    if of_listings.is_empty() && is_listed(summary, index) {
        return format!("the disk holds {} in {at}", number("messages"));
    }
    if of_listings.is_empty() {
        return format!("the disk holds {} in {at}; no listing was held against it", number("messages"));
    }
    format!("{}, the disk holds {} in {at}", of_listings.join(" and "), number(""))
}

fn shown(listing: &ListingSummary) -> String {
    let entries = count_in_words(listing.entries, "message", "messages");
    let origin = for_terminal(&listing.origin);
    let name = if listing.live || origin.is_empty() || origin == listing.format {
        listing.format.to_owned()
    } else {
        format!("{} in {origin}", listing.format)
    };
    match &listing.cut {
        Some(cut) => format!("{name} shows {entries} (not all: {})", for_terminal(cut)),
        None => format!("{name} shows {entries}"),
    }
}

/// `: 37 are invisible, the oldest 9d 4h; 1 file stops every delivery`.
fn outcome(summary: &Summary, listed: bool) -> String {
    let counts = &summary.counts;
    let mut clauses = Vec::new();
    if counts.hidden > 0 {
        clauses.push(hidden(summary, listed));
    }
    let maybe = counts.ghosts.saturating_sub(counts.hidden);
    if maybe > 0 {
        let more = if counts.hidden > 0 { " more" } else { "" };
        clauses.push(format!("{maybe}{more} may be invisible"));
    }
    if counts.blockers > 0 {
        let verb = if counts.blockers == 1 { "stops" } else { "stop" };
        clauses.push(format!("{} {verb} every delivery", count_in_words(counts.blockers, "file", "files")));
    }
    if counts.stuck > 0 {
        let verb = if counts.stuck == 1 { "is" } else { "are" };
        clauses.push(format!("{} {verb} stuck", counts.stuck));
    }
    if clauses.is_empty() {
        let nothing = if listed {
            "nothing is hidden and nothing is stuck"
        } else {
            "without one it cannot be told whether any is hidden"
        };
        clauses.push(nothing.to_owned());
    }
    let shown = summary.reported;
    if shown < counts.total() {
        clauses.push(format!("the filter lets {shown} of {} findings through", counts.total()));
    }
    if counts.notes > 0 {
        let verb = if counts.notes == 1 { "is" } else { "are" };
        clauses.push(format!("{} {verb} worth knowing of", counts.notes));
    }
    let colon = if listed { ":" } else { "," };
    format!("{colon} {}", clauses.join("; "))
}

fn hidden(summary: &Summary, listed: bool) -> String {
    let count = summary.counts.hidden;
    let verb = if count == 1 { "is" } else { "are" };
    let what = if listed { "invisible" } else { "of a kind that the listing never shows" };
    match (summary.counts.oldest_hidden.map(format_duration), count) {
        (Some(age), 1) => format!("1 is {what}, {age} old"),
        (Some(age), _) => format!("{count} {verb} {what}, the oldest {age}"),
        (None, _) => format!("{count} {verb} {what}, of unknown age"),
    }
}

fn unread(summary: &Summary) -> Option<String> {
    let what = count_in_words(summary.damage_count, "file or entry", "files or entries");
    match (summary.interrupted, summary.damage_count) {
        (false, 0) => None,
        (false, _) => Some(format!("this is not the whole truth: {what} could not be read")),
        (true, 0) => Some("this is not the whole truth: the scan was interrupted".to_owned()),
        (true, _) => Some(format!(
            "this is not the whole truth: the scan was interrupted, and {what} could not be read"
        )),
    }
}
