//! Where a message is handed in.

use super::Submission;
use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Where a message is handed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "door", rename_all = "snake_case")]
pub enum Door {
    /// The `sendmail` command of the mail system itself.
    Sendmail {
        /// The command.
        submission: Submission,
    },
    /// A server that speaks SMTP or LMTP.
    Smtp {
        /// As it was typed: `smtp://mx.example:25`.
        url: String,
        /// The file with the password, if it wants one.
        password_file: Option<PathBuf>,
        /// A file with further certificate authorities.
        ca_file: Option<PathBuf>,
    },
    /// The Pickup folder of the IIS SMTP service, which takes `x-sender` and `x-receiver` from the top of the file.
    Pickup {
        /// The folder.
        folder: PathBuf,
    },
    /// The Replay folder of Exchange 2007 and later, which takes `X-Sender` and `X-Receiver` from the top of the file.
    Replay {
        /// The folder.
        folder: PathBuf,
    },
    /// A folder into which the message and its envelope are written for a person; the spool stays as it is.
    Export {
        /// The folder.
        folder: PathBuf,
    },
}

/// What the operator chose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// The `sendmail` command of the mail system that holds the message.
    Own,
    /// This door.
    This(Door),
}

impl Choice {
    /// Reads what was typed after `--via`.
    ///
    /// # Errors
    /// When it is none of the known kinds.
    pub fn parse(text: &str, password_file: Option<PathBuf>, ca_file: Option<PathBuf>) -> Result<Self> {
        let folder = |path: &str| -> Result<PathBuf> { Ok(std::path::absolute(path)?) };
        let (kind, rest) = text.split_once(':').unwrap_or((text, ""));
        Ok(Self::This(match kind {
            "sendmail" if rest.is_empty() => return Ok(Self::Own),
            "sendmail" if Path::new(rest).is_absolute() => Door::Sendmail {
                submission: Submission {
                    program: rest.to_owned(),
                    arguments: vec!["-i".to_owned()],
                    null_sender: Some("<>".to_owned()),
                    dsn: false,
                    envelope_on_top: false,
                },
            },
            "smtp" | "smtps" | "lmtp" => Door::Smtp { url: text.to_owned(), password_file, ca_file },
            "pickup" if !rest.is_empty() => Door::Pickup { folder: folder(rest)? },
            "replay" if !rest.is_empty() => Door::Replay { folder: folder(rest)? },
            "export" if !rest.is_empty() => Door::Export { folder: folder(rest)? },
            _ => bail!(
                "`--via {text}` is none of sendmail, sendmail:/PATH, smtp://[USER@]HOST[:PORT], smtps://…, lmtp://HOST:PORT, \
                 lmtp:/SOCKET, pickup:DIR, replay:DIR and export:DIR"
            ),
        }))
    }
}

impl Door {
    /// What people call it.
    pub fn describe(&self) -> String {
        match self {
            Self::Sendmail { submission } => submission.program.clone(),
            Self::Smtp { url, .. } => url.clone(),
            Self::Pickup { folder } | Self::Replay { folder } | Self::Export { folder } => {
                folder.display().to_string()
            }
        }
    }

    /// Whether the message goes nowhere, so that it stays in the spool as well.
    pub fn is_export(&self) -> bool {
        matches!(self, Self::Export { .. })
    }
}
