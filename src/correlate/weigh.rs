//! Weighing a case: every rule is asked, and what they say becomes a finding.

use super::case::{Case, Listed, Verdict};
use super::keys::MatchedBy;
use super::live_view::Hit;
use super::outlook;
use super::rules::{self, Rule};
use crate::evidence::{Confidence, Instance, Message, Shown, Sign, Text};
use crate::findings::{Class, Finding, ListedAs, Opinion, Outlook, Silent, Visibility};
use sha2::{Digest as _, Sha256};

/// Why a rule has nothing to say of a message that was not opened.
const NOT_READ: &str = "envelopes were not read (`--no-envelopes`)";

/// What the rules say of one case.
#[derive(Debug, Default)]
pub struct Weighed {
    /// The finding, if any rule fires.
    pub finding: Option<Finding>,
    /// Rules that could not speak.
    pub silent: Vec<(&'static Rule, std::borrow::Cow<'static, str>)>,
}

/// Asks every rule.
pub fn weigh(case: &Case<'_>) -> Weighed {
    let mut opinions = Vec::new();
    let mut silent = Vec::new();
    for rule in rules::ALL {
        match (rule.judge)(case) {
            Verdict::Nothing | Verdict::Silent(_) if case.message.blind_to.contains(&rule.name) => {
                silent.push((*rule, NOT_READ.into()));
            }
            Verdict::Nothing => {}
            Verdict::Silent(why) => silent.push((*rule, why)),
            Verdict::Fires(reason) => {
                let base = reason.class.unwrap_or(rule.class);
                let visibility = visibility(case, rule.name, reason.confidence);
                opinions.push(Opinion {
                    rule: rule.name.to_owned(),
                    class: class_of(base, visibility),
                    confidence: reason.confidence,
                    why: reason.why,
                    facts: reason.facts,
                });
            }
        }
    }
    let finding = (!opinions.is_empty()).then(|| finding(case, opinions, &silent));
    Weighed { finding, silent }
}

/// Says what is known of a case, whether or not a rule fires.
pub fn describe(case: &Case<'_>) -> Finding {
    let weighed = weigh(case);
    weighed.finding.unwrap_or_else(|| finding(case, Vec::new(), &weighed.silent))
}

/// Puts the opinions in order and makes a finding of them. `unlisted` explains nothing: it speaks only where no other rule
/// of its rank does.
pub fn settle(finding: &mut Finding) {
    let explained =
        finding.opinions.iter().any(|o| o.class < Class::Note && o.rule != rules::unlisted::RULE.name);
    if explained {
        finding.opinions.retain(|opinion| opinion.rule != rules::unlisted::RULE.name);
    }
    finding.opinions.sort_by_key(|opinion| (opinion.class, rules::rank(&opinion.rule)));
    let opinions = &finding.opinions;
    finding.outlook.retain(|outlook| opinions.iter().any(|opinion| opinion.rule == outlook.rule));
    if let Some(leading) = finding.opinions.first() {
        finding.class = leading.class;
        finding.confidence = leading.confidence;
    }
}

fn finding(
    case: &Case<'_>,
    opinions: Vec<Opinion>,
    silent: &[(&'static Rule, std::borrow::Cow<'static, str>)],
) -> Finding {
    let mut finding = Finding {
        id: id(case.instance, case.message),
        class: Class::Note,
        visibility: Visibility::Unknown,
        confidence: Confidence::Possible,
        opinions,
        silent: silent
            .iter()
            .map(|(rule, why)| Silent { rule: rule.name.to_owned(), why: why.clone().into_owned() })
            .collect(),
        message: case.message.clone(),
        sightings: Vec::new(),
        listed_as: match &case.listed {
            Listed::Yes(hit) | Listed::Maybe(hit) | Listed::Crowded { hit, .. } => Some(listed_as(hit)),
            _ => None,
        },
        outlook: Vec::new(),
    };
    settle(&mut finding);
    finding.visibility = visibility(case, finding.rule(), finding.confidence);
    if let (Listed::Yes(hit), Visibility::Hidden) = (&case.listed, finding.visibility)
        && is_weak(hit)
    {
        finding.listed_as = None;
    }
    finding.outlook = finding
        .opinions
        .iter()
        .filter_map(|opinion| case.treatment(&opinion.rule))
        .map(|treatment| outlook::fill(treatment, Some(case.message), &case.instance.root))
        .collect::<Vec<Outlook>>();
    finding
}

fn listed_as(hit: &Hit) -> ListedAs {
    ListedAs {
        locus: hit.locus.clone(),
        state: hit.state,
        matched_by: hit.matched_by.describe().to_owned(),
        reason: hit.reason.clone(),
    }
}

/// A listing decides. Without one, or with one that is cut, what the mail system is known to do decides, if the condition
/// itself is beyond doubt.
fn visibility(case: &Case<'_>, rule: &str, confidence: Confidence) -> Visibility {
    let unread = case.instance.unlisted_queues.contains(&case.message.queue.as_str())
        || case.sign(|sign| matches!(sign, Sign::OtherQueue)).is_some();
    let known = match case.shown(rule) {
        _ if unread => Visibility::Hidden,
        Shown::Never if confidence > Confidence::Possible => Visibility::Hidden,
        Shown::Always => Visibility::Listed,
        _ => Visibility::Unknown,
    };
    match &case.listed {
        Listed::Yes(hit) if hit.on_request => Visibility::Hidden,
        Listed::Yes(hit) if is_weak(hit) && known == Visibility::Hidden => Visibility::Hidden,
        Listed::Yes(_) => Visibility::Listed,
        Listed::No if case.view.is_some_and(|view| view.cut().is_none()) => Visibility::Hidden,
        Listed::No if known == Visibility::Listed => Visibility::Unknown,
        _ => known,
    }
}

/// Another message of the same size may have come in at the same time: that does not outweigh what is known for certain.
fn is_weak(hit: &Hit) -> bool {
    hit.matched_by == MatchedBy::Moment
}

/// What is hidden is a ghost, what is listed is stuck; a blocker and a note stay what they are.
fn class_of(base: Class, visibility: Visibility) -> Class {
    match (base, visibility) {
        (Class::Blocker | Class::Note, _) => base,
        (_, Visibility::Hidden) => Class::Ghost,
        (_, Visibility::Listed) => Class::Stuck,
        (base, Visibility::Unknown) => base,
    }
}

/// A short name for a finding, the same in every scan of the same evidence.
pub fn id(instance: &Instance, message: &Message) -> String {
    let name = |text: &Text| text.bytes().to_vec();
    let mut hash = Sha256::new();
    for field in [
        instance.label.as_bytes().to_vec(),
        message.ids.native.as_ref().map(name).unwrap_or_default(),
        name(&message.place.path),
        format!("{:?}", message.place.at).into_bytes(),
    ] {
        hash.update((field.len() as u64).to_be_bytes());
        hash.update(&field);
    }
    let digest = hash.finalize();
    let short = digest.iter().take(5).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    format!("{}:{short:010x}", instance.source)
}
