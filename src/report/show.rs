//! Everything about one finding, for people: what `ghostq show` prints.

use super::page::{LONGEST, Page};
use super::{ReportOptions, escape, place};
use crate::evidence::{Message, Part, Stamp, Text, Time, format_duration};
use crate::findings::{Finding, Summary, Visibility};
use std::io::{self, Write};

/// Prints everything about one finding.
///
/// # Errors
/// When the output cannot be written.
pub fn show(
    finding: &Finding,
    summary: &Summary,
    options: &ReportOptions,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut page = Page::new(options, out);
    show_judgement(finding, &mut page)?;
    show_place(finding, summary, &mut page)?;
    show_envelope(&finding.message, &mut page)?;
    show_headers(&finding.message, &mut page)?;
    show_times(finding, summary, &mut page)?;
    show_stamps(finding, summary, &mut page)?;
    show_evidence(finding, &mut page)?;
    show_listing(finding, summary, &mut page)?;
    show_sightings(finding, summary, &mut page)?;
    show_silent(finding, &mut page)?;
    show_outlook(finding, &mut page)
}

fn show_judgement(finding: &Finding, page: &mut Page<'_>) -> io::Result<()> {
    let class = place::name_of(finding.class);
    let rule = escape::clip(finding.rule(), LONGEST);
    let confidence = place::name_of(finding.confidence);
    let id = escape::clip(&finding.id, LONGEST);
    if finding.opinions.is_empty() {
        return page.title(&format!("{id}: no rule finds anything wrong with it"));
    }
    page.title(&format!("{id}: {class}, {rule} ({confidence})"))?;
    page.each(&finding.opinions, |page, opinion| {
        let class = place::name_of(opinion.class);
        let confidence = place::name_of(opinion.confidence);
        page.line(&format!("{} ({class}, {confidence}): {}", opinion.rule, opinion.why))
    })
}

fn show_place(finding: &Finding, summary: &Summary, page: &mut Page<'_>) -> io::Result<()> {
    let message = &finding.message;
    page.heading("where it is")?;
    if let Some(instance) = summary.instances.get(message.instance) {
        page.value("source", instance.source)?;
        page.value("instance", &instance.label)?;
        page.value("root", &instance.root)?;
    }
    page.value("host", &summary.host)?;
    page.value("queue", &message.queue)?;
    page.value("place", &place::in_words(&message.place))?;
    page.optional("native ID", message.ids.native.as_ref(), "it has no ID of its own")?;
    let size = message.size.map(|size| format!("{} ({size} bytes)", place::size_in_words(size)));
    page.value("size", &size.unwrap_or("unknown (its source does not state a size)".to_owned()))?;
    page.each(&message.parts, show_part)
}

fn show_part(page: &mut Page<'_>, part: &Part) -> io::Result<()> {
    page.value(&place::name_of(part.kind).replace('_', " "), &place::in_words(&part.locus))?;
    if let Some(size) = part.size {
        page.value("", &format!("{size} bytes"))?;
    }
    if let Some(sha256) = &part.sha256 {
        page.value("", &format!("sha256 {sha256}"))?;
    }
    let Some(stat) = &part.stat else { return Ok(()) };
    page.value(
        "",
        &format!(
            "inode {}, device {}, mode {}, owner {}, group {}, links {}, {} bytes",
            stat.inode,
            stat.device,
            place::mode(stat),
            stat.uid,
            stat.gid,
            stat.links,
            stat.size
        ),
    )?;
    page.value(
        "",
        &format!(
            "modified {}, changed {}, read {}",
            stat.modified.local(),
            stat.changed.local(),
            stat.accessed.local()
        ),
    )
}

fn show_envelope(message: &Message, page: &mut Page<'_>) -> io::Result<()> {
    page.heading("envelope")?;
    let sender = message.envelope.sender.as_ref();
    if sender.is_some_and(Text::is_empty) {
        page.value("sender", "<> (the null sender: a bounce or a notice)")?;
    } else {
        page.optional("sender", sender, "no envelope sender was found in it")?;
    }
    match place::recipient_count(message) {
        Some(count) => page.value("recipients", &count.to_string())?,
        None => page.value("recipients", "unknown (no envelope recipient was found in it)")?,
    }
    page.each(&message.envelope.recipients, |page, recipient| {
        let mut words = recipient.address.bytes().to_vec();
        if let Some(reason) = &recipient.reason {
            words.extend_from_slice(b": ");
            words.extend_from_slice(reason.bytes());
        }
        page.value(&format!("  {}", place::name_of(recipient.state)), words.as_slice())
    })
}

fn show_headers(message: &Message, page: &mut Page<'_>) -> io::Result<()> {
    page.heading("header")?;
    page.optional("Message-ID", message.ids.message_id.as_ref(), "no Message-ID was found in it")?;
    if message.headers.is_empty() {
        page.line("nothing else of its header was found")?;
    }
    page.each(&message.headers, |page, header| page.value(&header.name, &header.value))?;
    if !message.attributes.is_empty() {
        page.heading("attributes")?;
    }
    page.each(&message.attributes, |page, (name, value)| page.value(name, value))
}

fn show_times(finding: &Finding, summary: &Summary, page: &mut Page<'_>) -> io::Result<()> {
    page.heading("times")?;
    let age = match (finding.age(summary.as_of), finding.message.arrived()) {
        (Some(age), _) => format_duration(age),
        (None, Some(_)) => "unknown (it is dated later than the clock of this scan)".to_owned(),
        (None, None) => "unknown (no time in the evidence says when it came in)".to_owned(),
    };
    page.value("age", &age)?;
    page.value("judged at", &summary.as_of.local())?;
    page.each(&finding.message.times, |page, timed| {
        let words = format!("{} (read from: {})", timed.at.local(), timed.original());
        page.value(&place::name_of(timed.kind).replace('_', " "), &words)
    })
}

fn show_stamps(finding: &Finding, summary: &Summary, page: &mut Page<'_>) -> io::Result<()> {
    let instance = summary.instances.get(finding.message.instance);
    let epochs = instance.map_or(&[][..], |instance| &instance.epochs);
    let live = instance.and_then(|instance| instance.live);
    if finding.message.stamp.is_none() && epochs.is_empty() && live.is_none() {
        return Ok(());
    }
    page.heading("stamp and epoch")?;
    match &finding.message.stamp {
        Some(stamp) => page.value("stamp", &stamp_in_words(stamp))?,
        None => page.value("stamp", "unknown (the evidence carries no stamp for it)")?,
    }
    if let Some(live) = live {
        page.value("running", &format!("process {} since {}", live.pid, live.since.local()))?;
    }
    page.each(epochs, |page, epoch| {
        let since = epoch.since.map(|since| format!("since {}", since.local()));
        let words = epoch.stamp.as_ref().map(stamp_in_words).into_iter().chain(since).collect::<Vec<_>>();
        let origin = place::name_of(epoch.origin).replace('_', " ");
        page.value("live epoch", &format!("{} ({origin})", words.join(", ")))?;
        page.fact(&epoch.fact)
    })
}

fn stamp_in_words(stamp: &Stamp) -> String {
    let guid = stamp.guid.as_ref().map(|guid| format!("GUID {guid}"));
    let time = stamp.time.map(|time| format!("time {}", Time::rfc3339(time)));
    let parts = guid.into_iter().chain(time).collect::<Vec<_>>();
    if parts.is_empty() {
        stamp.original.clone()
    } else {
        format!("{} ({})", stamp.original, parts.join(", "))
    }
}

fn show_evidence(finding: &Finding, page: &mut Page<'_>) -> io::Result<()> {
    page.heading("evidence")?;
    page.each(&finding.opinions, |page, opinion| {
        page.line(&format!("{}:", opinion.rule))?;
        page.each(&opinion.facts, Page::fact)
    })
}

fn show_listing(finding: &Finding, summary: &Summary, page: &mut Page<'_>) -> io::Result<()> {
    page.heading("listing")?;
    match (&finding.listed_as, finding.visibility) {
        (Some(listed), _) => {
            page.value("listed in", &place::in_words(&listed.locus))?;
            page.value("state there", &place::name_of(listed.state))?;
            page.value("matched by", &listed.matched_by)?;
            listed.reason.as_ref().map_or(Ok(()), |reason| page.value("reason there", reason))
        }
        (None, Visibility::Hidden) if place::was_listed(finding, summary) => {
            page.line("the listing does not show it")
        }
        (None, Visibility::Hidden) => page.line("the listing never shows messages of this kind"),
        (None, Visibility::Listed) => page.line("the listing always shows messages of this kind"),
        (None, Visibility::Unknown) => {
            let why = place::why_visibility_unknown(finding, summary);
            page.line(&format!("unknown whether it is shown ({why})"))
        }
    }
}

fn show_sightings(finding: &Finding, summary: &Summary, page: &mut Page<'_>) -> io::Result<()> {
    if finding.sightings.is_empty() {
        return Ok(());
    }
    page.heading("also seen in")?;
    page.each(&finding.sightings, |page, sighting| {
        let label = place::instance_names(summary, sighting.instance).map_or("", |(_, label)| label);
        let mut words = format!("{label}, queue {}, ", sighting.queue).into_bytes();
        words.extend_from_slice(place::in_words(&sighting.place).bytes());
        let confidence = place::name_of(sighting.confidence);
        words.extend_from_slice(format!(" (same {}, {confidence})", sighting.matched_by).as_bytes());
        page.line(words.as_slice())
    })
}

fn show_silent(finding: &Finding, page: &mut Page<'_>) -> io::Result<()> {
    let silent = &finding.silent;
    if silent.is_empty() {
        return Ok(());
    }
    page.heading("what could not be judged")?;
    page.each(silent, |page, silent| page.line(&format!("{}: {}", silent.rule, silent.why)))
}

/// What several rules say alike is said once.
fn once<'a, T: PartialEq>(all: impl Iterator<Item = &'a T>) -> Vec<&'a T> {
    let mut found: Vec<&T> = Vec::new();
    for one in all {
        if !found.contains(&one) {
            found.push(one);
        }
    }
    found
}

fn show_outlook(finding: &Finding, page: &mut Page<'_>) -> io::Result<()> {
    let outlook = &finding.outlook;
    if outlook.is_empty() {
        page.heading("what happens next")?;
        return page.line("unknown (nothing is recorded about this condition of this mail system)");
    }
    page.heading("what the mail system will do next")?;
    page.each(outlook, |page, one| page.line(&format!("{}: {}", one.rule, one.next)))?;
    let remedies = once(outlook.iter().flat_map(|one| &one.remedies));
    if !remedies.is_empty() {
        page.heading("what you can do")?;
    }
    page.each(&remedies, |page, advice| {
        if !advice.command.is_empty() {
            page.line(&advice.command)?;
        }
        page.line(&if advice.command.is_empty() {
            advice.what.clone()
        } else {
            format!("    {}", advice.what)
        })
    })?;
    let destroyers = once(outlook.iter().flat_map(|one| &one.destroyers));
    if !destroyers.is_empty() {
        page.warning("WARNING: what would destroy it")?;
    }
    page.each(&destroyers, |page, destroyer| page.line(*destroyer))?;
    let sources = once(outlook.iter().map(|one| &one.source).filter(|source| !source.is_empty()));
    if !sources.is_empty() {
        page.heading("where this is known from")?;
    }
    page.each(&sources, |page, source| page.line(*source))
}
