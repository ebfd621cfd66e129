//! File names in a mailroot, and what each is. Windows does not tell upper from lower case, and neither does this.

use std::path::Path;

/// What a file is by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameKind {
    /// A message: `.EML`.
    Message,
    /// A message that is being taken in, or was when the server stopped: `.tmp`.
    Taken,
    /// A message that was refused: `.BAD` in Badmail, `.bad` in Pickup and Replay.
    Bad,
    /// Why a message is in Badmail: `.BDR`.
    BadReason,
    /// What else was known of a message in Badmail: `.BDP`. Its content is not documented.
    BadProperties,
    /// A transcript that IIS 4 kept beside a message: `.LTR` (local), `.RTR` (remote).
    Transcript,
    /// A named stream as a file of its own: `FILE:STREAM`.
    StreamFile,
    /// A file of the operating system: `desktop.ini`, `Thumbs.db`, `.DS_Store`, `._FILE`.
    Foreign,
    /// Part of the queue database of Exchange 2007 and later.
    Database,
    /// Anything else.
    Other,
}

/// What a file is by its name.
pub fn kind_of(path: &Path) -> NameKind {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    if crate::read::streams::is_apple_double(name.as_bytes())
        || ["desktop.ini", "thumbs.db", ".ds_store"].contains(&name.as_str())
    {
        return NameKind::Foreign;
    }
    if is_database(&name) {
        return NameKind::Database;
    }
    if crate::read::streams::split_colon_name(name.as_bytes()).is_some() {
        return NameKind::StreamFile;
    }
    match extension {
        "eml" => NameKind::Message,
        "tmp" => NameKind::Taken,
        "bad" => NameKind::Bad,
        "bdr" => NameKind::BadReason,
        "bdp" => NameKind::BadProperties,
        "ltr" | "rtr" => NameKind::Transcript,
        _ => NameKind::Other,
    }
}

/// Files of the queue database: `Mail.que`, `Tmp.edb`, `Trn*.log`, `Trn.chk`, `Trnres0000n.jrs`. Source: Exchange Server
/// documentation, "Queues and messages in queues", queue database files.
fn is_database(lower: &str) -> bool {
    ["mail.que", "tmp.edb", "trn.chk"].contains(&lower)
        || lower.starts_with("trn") && has_ending(lower, ".log")
        || lower.starts_with("trnres") && has_ending(lower, ".jrs")
}

fn has_ending(name: &str, ending: &str) -> bool {
    name.len() > ending.len() && name.as_bytes().ends_with(ending.as_bytes())
}

/// Whether a name is that of a queue file: begins with NTFS, ends in `.eml`. Source: itprotoday.com, "Clearing a Blocked
/// Exchange SMTP Message Queue". What lies between is not documented, and nothing is read from it.
pub fn is_queue_file(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    name.starts_with("ntfs") && kind_of(path) == NameKind::Message
}

/// The ending of a name in upper case, as Windows shows it.
pub fn extension_upper(path: &Path) -> String {
    path.extension().unwrap_or_default().to_string_lossy().to_ascii_uppercase()
}
