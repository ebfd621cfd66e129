//! Single steps.

use crate::evidence::{Text, Time};
use serde::{Deserialize, Serialize};

/// A command of the mail system. It must be harmless when it is run a second time: after a crash it is, since nobody can
/// tell whether it ran.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// Absolute path of the program.
    pub program: String,
    /// Its arguments; never an address or other text of a message, only what a strict parser accepted as a queue ID.
    pub arguments: Vec<String>,
    /// What it does: `releases it from hold`.
    pub what: String,
    /// What its output must hold, where its exit code does not tell success (`1 envelope discovered`).
    pub expect: Option<String>,
    /// How it is taken back by hand; empty where that is impossible.
    pub undo: String,
}

/// A change to a file of a spool that can be taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Change {
    /// Gives a file to its owner and group.
    Owner {
        /// The file.
        path: Text,
        /// The owner.
        uid: u32,
        /// The group; `None` leaves it.
        gid: Option<u32>,
    },
    /// Sets the permission bits.
    Mode {
        /// The file.
        path: Text,
        /// The bits, `0o7777` at most.
        mode: u32,
    },
    /// Sets the time of last modification.
    Modified {
        /// The file.
        path: Text,
        /// The time.
        at: Time,
    },
    /// Makes a folder, if there is none.
    Folder {
        /// The folder; the one above it exists.
        path: Text,
        /// Its owner.
        uid: u32,
        /// Its group.
        gid: u32,
        /// Its permission bits.
        mode: u32,
    },
    /// Renames within the spool; never replaces what is there.
    Rename {
        /// The name it has.
        from: Text,
        /// The name it gets.
        to: Text,
    },
    /// Gives a file a second name; never replaces what is there.
    Link {
        /// The name it has.
        from: Text,
        /// The name it gets as well.
        to: Text,
    },
    /// Wakes the mail system by writing one byte into a FIFO, if somebody reads there. Nothing is lost if nobody does.
    Wake {
        /// The FIFO.
        path: Text,
    },
}

/// The lock by which a mail system keeps others away from a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "lock", rename_all = "snake_case")]
pub enum Lock {
    /// `flock(2)`, exclusive.
    Flock {
        /// The file.
        path: Text,
    },
    /// `fcntl(2)`, a write lock of the whole file.
    Fcntl {
        /// The file.
        path: Text,
    },
}

impl Lock {
    /// The same lock on another file.
    #[must_use]
    pub fn on(&self, path: &Text) -> Self {
        match self {
            Self::Flock { .. } => Self::Flock { path: path.clone() },
            Self::Fcntl { .. } => Self::Fcntl { path: path.clone() },
        }
    }

    /// The file that is locked.
    pub fn path(&self) -> &Text {
        match self {
            Self::Flock { path } | Self::Fcntl { path } => path,
        }
    }
}

/// How mail is handed in to the mail system of a place, on this host: its `sendmail` command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Submission {
    /// Absolute path of the program.
    pub program: String,
    /// Arguments before `-f SENDER -- RECIPIENT…` (`-i`, `-G`, `-C DIR`).
    pub arguments: Vec<String>,
    /// How the null sender is written after `-f`; `None` if the command has no way to say it.
    pub null_sender: Option<String>,
    /// Whether it understands `-N`, `-R` and `-V` of RFC 3461. For Exim `-R` starts a queue run.
    pub dsn: bool,
    /// Whether it takes the envelope from its standard input, in front of the message, and no arguments: the sender, each
    /// recipient on a line, an empty line (`nullmailer-queue(8)`).
    #[serde(default)]
    pub envelope_on_top: bool,
}

/// One step of a plan that is carried out under the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Step {
    /// A command of the mail system.
    Run {
        /// The command.
        command: Command,
    },
    /// A change in the spool.
    Change {
        /// The change.
        change: Change,
    },
    /// Moves a file into the vault.
    Withdraw {
        /// The file.
        path: Text,
    },
    /// Hands in the message, or the report, that lies in the vault.
    HandIn,
}

impl Step {
    /// Whether a step of this kind can be taken back.
    pub fn is_reversible(&self) -> bool {
        matches!(self, Self::Change { .. } | Self::Withdraw { .. })
    }

    /// The step in words, lower-case, without a full stop. Hostile text in it is not tamed.
    pub fn describe(&self) -> String {
        match self {
            Self::Run { command } => command.line(),
            Self::HandIn => "hand it in".to_owned(),
            Self::Withdraw { path } => format!("move `{}` into the vault", path.lossy()),
            Self::Change { change } => change.describe(),
        }
    }
}

impl Command {
    /// The command as people type it.
    pub fn line(&self) -> String {
        std::iter::once(self.program.as_str())
            .chain(self.arguments.iter().map(String::as_str))
            .collect::<Vec<_>>()
            .join(" ")
    }
}

impl Change {
    /// The change in words, lower-case, without a full stop. Hostile text in it is not tamed.
    pub fn describe(&self) -> String {
        match self {
            Self::Owner { path, uid, gid } => {
                let group = gid.map_or_else(String::new, |gid| format!(":{gid}"));
                format!("chown {uid}{group} `{}`", path.lossy())
            }
            Self::Mode { path, mode } => format!("chmod {mode:o} `{}`", path.lossy()),
            Self::Modified { path, at } => format!("set the mtime of `{}` to {}", path.lossy(), at.rfc3339()),
            Self::Folder { path, .. } => format!("make the folder `{}`", path.lossy()),
            Self::Rename { from, to } => format!("rename `{}` to `{}`", from.lossy(), to.lossy()),
            Self::Link { from, to } => format!("link `{}` to `{}`", to.lossy(), from.lossy()),
            Self::Wake { path } => format!("wake the mail system through `{}`", path.lossy()),
        }
    }
}
