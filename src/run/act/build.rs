//! Making a job out of what a source proposes.

use super::{ActRequest, content, state};
use crate::act::{hand_in, vault};
use crate::evidence::{At, Envelope, Message, PartKind, RecipientState, Text};
use crate::findings::{Finding, Summary, Visibility};
use crate::plan::{
    Change, Choice, Door, Guarded, Job, Outgoing, OutgoingRecipient, Proposal, Refusal, Refused, Step, Verb,
    Way,
};
use crate::read::disk::Root;
use crate::run::scene::Scene;
use crate::sources::{Ask, Opened, really_offline};
use std::path::Path;

/// Makes jobs.
pub struct Builder<'a> {
    request: &'a ActRequest,
    scene: &'a Scene<'a>,
    labels: Vec<String>,
}

impl<'a> Builder<'a> {
    /// Makes jobs for the findings of this scan.
    pub fn new(request: &'a ActRequest, scene: &'a Scene<'a>, summary: &Summary) -> Self {
        let labels = summary.instances.iter().map(|instance| instance.label.clone()).collect();
        Self { request, scene, labels }
    }

    /// The refusal, with what it is about.
    pub fn refused(&self, finding: &Finding, refusal: Refusal) -> Refused {
        let native = finding.message.ids.native.as_ref();
        Refused {
            finding: finding.id.clone(),
            called: native.map_or_else(|| finding.id.clone(), |native| native.lossy().into_owned()),
            rule: finding.rule().to_owned(),
            place: self.labels.get(finding.message.instance).cloned().unwrap_or_default(),
            reason: refusal.reason,
            hint: refusal.hint,
        }
    }

    /// Makes the job for one finding.
    ///
    /// # Errors
    /// Why there is none.
    pub fn build(&self, number: u32, finding: &Finding) -> Result<(Job, Option<Outgoing>), Refusal> {
        let message = &finding.message;
        let place = self
            .scene
            .prepared
            .places
            .get(message.instance)
            .ok_or_else(|| Refusal::new("its place is not known", ""))?;
        let root =
            std::path::absolute(place.root.path()).map_err(|error| Refusal::new(error.to_string(), ""))?;
        let vault = state::vault_for(&self.request.state, &root);
        for folder in [&self.request.state, &vault] {
            vault::vault_is_outside(&root, folder).map_err(|error| Refusal::new(format!("{error:#}"), ""))?;
        }
        let export = matches!(&self.request.via, Choice::This(door) if door.is_export());
        let proposal = if export { export_of(message) } else { self.propose(finding, place)? };
        let mut job = Job {
            number,
            finding: finding.id.clone(),
            rule: finding.rule().to_owned(),
            source: place.instance.source.to_owned(),
            place: place.instance.label.clone(),
            root: Text::from_path(&root),
            vault: Text::from_path(&vault),
            queue: message.queue.clone(),
            native: message.ids.native.clone(),
            message_id: message.ids.message_id.clone(),
            verb: self.request.verb,
            parts: parts(&root, message, &proposal.way)?,
            lock: proposal.lock.clone().filter(|_| !matches!(proposal.way, Way::Native { .. })),
            steps: steps(&proposal.way),
            outgoing: None,
            door: None,
            content: None,
            warnings: proposal.warnings.clone(),
        };
        let outgoing = match proposal.way {
            Way::HandOver { outgoing, .. } => Some(outgoing),
            Way::Native { .. } | Way::Repair { .. } => None,
        };
        if self.request.verb == Verb::Ndr {
            let known = content::ask_gate(self.request, self.scene, finding, place, outgoing.as_ref())?;
            job.warnings.extend(known);
            if let (None, Some(to)) = (&outgoing, &self.request.report.to) {
                return Err(Refusal::new(
                    format!("the mail system itself returns it, and to its sender, not to `{}`", to.lossy()),
                    "leave out `--ndr-to`",
                ));
            }
        }
        let reported = outgoing.clone().filter(|_| self.request.verb == Verb::Ndr);
        if let Some(outgoing) = outgoing {
            self.hand_over(&mut job, finding, place, outgoing)?;
        }
        Ok((job, reported))
    }

    fn propose(&self, finding: &Finding, place: &Opened) -> Result<Proposal, Refusal> {
        let rules: Vec<&str> = finding.opinions.iter().map(|opinion| opinion.rule.as_str()).collect();
        let listed = match finding.visibility {
            Visibility::Hidden => Some(false),
            Visibility::Listed => Some(true),
            Visibility::Unknown => None,
        };
        // A report would say that nobody sends it any more.
        if !finding.sightings.is_empty() {
            return Err(Refusal::new(
                "the same message was seen in another place as well, from where it may be sent too",
                "`ghostq show` names both; act on one of them by hand once you know that the other is not sent",
            ));
        }
        let given = &self.request.given;
        really_offline(&place.instance, given)?;
        if !given.offline && !place.instance.at_home && place.instance.live.is_none() {
            return Err(Refusal::new(
                "this spool is not that of a mail system on this host: what it holds may have been delivered from elsewhere since",
                "if you know that it was not (a dead disk, the only copy), say `--offline` and where to hand it in with `--via`",
            ));
        }
        let ask = Ask {
            verb: self.request.verb,
            rules: &rules,
            listed,
            message: &finding.message,
            instance: &place.instance,
            root: &place.root,
            given,
            now: self.scene.clock.now,
        };
        (place.remedies.propose)(&ask)
    }

    fn hand_over(
        &self,
        job: &mut Job,
        finding: &Finding,
        place: &Opened,
        outgoing: Outgoing,
    ) -> Result<(), Refusal> {
        let door = self.door(place)?;
        let outgoing = match self.request.verb {
            Verb::Requeue if door.is_export() => outgoing,
            Verb::Requeue => addressed(outgoing)?,
            Verb::Ndr => content::Report::of(self.request, self.scene, finding, place, &outgoing, "planned")?
                .envelope(),
        };
        if self.request.verb == Verb::Requeue {
            let digest = content::digest(place, &finding.message);
            job.content = if door.is_export() { digest.ok() } else { Some(digest?) };
        }
        job.outgoing = Some(outgoing);
        job.door = Some(door);
        hand_in::check(job).map_err(|why| Refusal::new(why, ""))
    }

    fn door(&self, place: &Opened) -> Result<Door, Refusal> {
        match &self.request.via {
            Choice::This(door) => Ok(door.clone()),
            Choice::Own => place
                .remedies
                .submission
                .clone()
                .map(|submission| Door::Sendmail { submission })
                .ok_or_else(|| {
                    Refusal::new(
                        "it has to be handed in anew, and no `sendmail` of its mail system is here",
                        "say where: `--via smtp://localhost:25`, `--via sendmail:/usr/sbin/sendmail`, `--via export:DIR`",
                    )
                }),
        }
    }
}

/// For a person: whatever there is, as it stands.
fn export_of(message: &Message) -> Proposal {
    Proposal {
        way: Way::HandOver { parts: Vec::new(), outgoing: envelope_as_is(&message.envelope) },
        lock: None,
        warnings: Vec::new(),
    }
}

fn envelope_as_is(envelope: &Envelope) -> Outgoing {
    let done = |state| state == RecipientState::Done;
    let recipient = |recipient: &crate::evidence::Recipient| OutgoingRecipient {
        address: recipient.address.clone(),
        reason: recipient.reason.clone(),
        ..OutgoingRecipient::default()
    };
    Outgoing {
        sender: envelope.sender.clone(),
        recipients: envelope.recipients.iter().filter(|r| !done(r.state)).map(recipient).collect(),
        delivered: envelope.recipients.iter().filter(|r| done(r.state)).map(|r| r.address.clone()).collect(),
        ..Outgoing::default()
    }
}

fn addressed(outgoing: Outgoing) -> Result<Outgoing, Refusal> {
    if outgoing.sender.is_none() {
        return Err(Refusal::new(
            "its envelope sender is not known",
            "give one with `--mail-from ADDRESS`; `--mail-from ''` is the null sender",
        ));
    }
    if outgoing.recipients.is_empty() && !outgoing.delivered.is_empty() {
        return Err(Refusal::new("all of its recipients have it already", ""));
    }
    if outgoing.recipients.is_empty() {
        return Err(Refusal::new("its recipients are not known", "give them with `--to ADDRESS`"));
    }
    Ok(outgoing)
}

fn steps(way: &Way) -> Vec<Step> {
    match way {
        Way::Native { commands } => commands.iter().map(|c| Step::Run { command: c.clone() }).collect(),
        Way::Repair { changes, then } => changes
            .iter()
            .map(|change| Step::Change { change: change.clone() })
            .chain(then.iter().map(|command| Step::Run { command: command.clone() }))
            .collect(),
        Way::HandOver { parts, .. } => parts
            .iter()
            .map(|path| Step::Withdraw { path: path.clone() })
            .chain(std::iter::once(Step::HandIn))
            .collect(),
    }
}

/// The files that are copied first and must not change: those that are taken away or changed, and the message itself. Logs beside
/// it grow while it waits, and count only if they are taken away.
fn parts(root: &Path, message: &Message, way: &Way) -> Result<Vec<Guarded>, Refusal> {
    // As they are here: a manifest speaks of the original.
    let root = Root::open(root).map_err(|error| Refusal::new(error.to_string(), ""))?;
    let root = &root.crossing_file_systems(true);
    let mut paths: Vec<Text> = match way {
        Way::HandOver { parts, .. } => parts.clone(),
        Way::Repair { changes, .. } => changes.iter().filter_map(changed).cloned().collect(),
        Way::Native { .. } => Vec::new(),
    };
    let whole = message.parts.iter().filter(|part| {
        part.kind != PartKind::Side && matches!(part.locus.at, At::Whole) && part.stat.is_some()
    });
    paths.extend(whole.map(|part| part.locus.path.clone()));
    let mut parts: Vec<Guarded> = Vec::new();
    for path in paths {
        // What a step makes under a new name is not there yet.
        let new = matches!(way, Way::Repair { .. }) && !root.exists(&path.to_path());
        let known = new || parts.iter().any(|part| part.path == path);
        let folder =
            root.stat(&path.to_path()).is_ok_and(|(kind, _)| kind != crate::read::disk::EntryKind::Regular);
        if known || (folder && !matches!(way, Way::HandOver { .. })) {
            continue;
        }
        let part = vault::guard(root, &path).map_err(|error| {
            Refusal::new(format!("{error:#}"), "scan again: it may have been delivered meanwhile")
        })?;
        parts.push(part);
    }
    Ok(parts)
}

fn changed(change: &Change) -> Option<&Text> {
    match change {
        Change::Owner { path, .. }
        | Change::Mode { path, .. }
        | Change::Modified { path, .. }
        | Change::Rename { from: path, .. }
        | Change::Link { from: path, .. } => Some(path),
        Change::Folder { .. } | Change::Wake { .. } => None,
    }
}
