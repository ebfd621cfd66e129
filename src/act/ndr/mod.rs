//! Non-delivery reports by RFC 3464, written by hand.
//!
//! A report is what a person, a mailing list manager and a program all have to understand, so that its three parts say the same
//! thing: a text, the fields of `message/delivery-status`, and the header of the original (or all of it). Builders of mail
//! re-encode parts that must not be encoded (RFC 3464 section 2.1, RFC 2046 section 5.2), hence no library writes it.

pub mod cause;
pub mod field;
pub mod gate;
mod id;
mod origin;
mod report;
mod status;
mod text;
mod vouch;

#[cfg(test)]
mod tests;

pub use cause::Cause;
pub use gate::{Case, Verdict};
pub use id::unique_id;
pub use report::{Original, Rewind, compose};

use crate::evidence::{Text, Time};
use crate::plan::{Notify, Outgoing, OutgoingRecipient, Ret};

/// What a report says.
#[derive(Debug, Clone)]
pub struct Notice {
    /// The name of the host that reports: `mail.contoso.example`.
    pub host: String,
    /// The report's own Message-ID, with its angle brackets: [`unique_id`].
    pub message_id: String,
    /// When it is written.
    pub now: Time,
    /// Who gets it, without angle brackets: the envelope sender, or whom the operator named with `--ndr-to`.
    pub addressee: Text,
    /// The envelope sender of the original; empty is the null sender.
    pub sender: Text,
    /// The mail system's own name for the message.
    pub queue_id: Text,
    /// The mail system that held it: `postfix`.
    pub source: String,
    /// Whether its own listing did not show it; `None` where no listing was taken.
    pub unlisted: Option<bool>,
    /// Since when it is known to lie there untouched or unseen, if that is known: the start of the live epoch.
    pub since: Option<Time>,
    /// `ENVID` of RFC 3461, decoded from xtext.
    pub envid: Option<Text>,
    /// When the mail system took the original in.
    pub arrival: Option<Time>,
    /// When delivery was last tried.
    pub last_attempt: Option<Time>,
    /// To whom it was not delivered; never empty.
    pub recipients: Vec<Failed>,
    /// Why: [`cause::of`] gives it for the rule that leads the finding.
    pub cause: &'static Cause,
    /// The Message-ID of the original, with its angle brackets.
    pub original_id: Option<Text>,
    /// How much of the original goes with it. Where neither the sender nor the operator asked for more, that is its header:
    /// less to leak, and less to send to somebody who never wrote it.
    pub ret: Ret,
}

/// One recipient to whom the original was not delivered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Failed {
    /// The address without angle brackets.
    pub address: Text,
    /// `ORCPT`: type and address, decoded from xtext.
    pub orcpt: Option<Text>,
    /// The enhanced status code (RFC 3463), if it is to be another than that of the cause: `5.1.1`. Anything that is not of
    /// class 5 is passed over, since a report is final.
    pub status: Option<String>,
    /// What the remote system answered last, or what the mail system noted about the last attempt.
    pub diagnostic: Option<Text>,
    /// A sentence for people, if it is to be another than that of the cause.
    pub reason: Option<String>,
}

impl From<&OutgoingRecipient> for Failed {
    fn from(recipient: &OutgoingRecipient) -> Self {
        Self {
            address: recipient.address.clone(),
            orcpt: recipient.orcpt.clone(),
            diagnostic: recipient.reason.clone(),
            ..Self::default()
        }
    }
}

impl Notice {
    /// Whether an address in it is written in more than ASCII, so that the report itself needs SMTPUTF8 (RFC 6533).
    pub fn is_international(&self) -> bool {
        let beyond_ascii = |text: &Text| text.as_str().is_some_and(|text| !text.is_ascii());
        beyond_ascii(&self.addressee)
            || self.recipients.iter().any(|failed| {
                beyond_ascii(&failed.address) || failed.orcpt.as_ref().is_some_and(beyond_ascii)
            })
    }
}

/// The envelope of a report: from nobody, to its addressee, and no report about the report (RFC 3461 section 5.2.9: the null
/// sender alone forbids it; `NOTIFY=NEVER` says so to those who look at that).
pub fn envelope(notice: &Notice) -> Outgoing {
    let never = Notify { never: true, ..Notify::default() };
    let recipient = OutgoingRecipient {
        address: notice.addressee.clone(),
        notify: never,
        ..OutgoingRecipient::default()
    };
    Outgoing {
        sender: Some(Text::default()),
        recipients: vec![recipient],
        smtputf8: notice.is_international(),
        ..Outgoing::default()
    }
}
