//! Whose the files of a spool should be.

use super::settings::Settings;
use crate::evidence::{Fact, Locus, Text};
use crate::read::disk::Root;
use std::path::Path;

/// The user database is read so far.
const MAX_PASSWD_BYTES: usize = 1 << 20;

/// Whose the files of a spool should be.
#[derive(Debug, Clone)]
pub struct Owner {
    /// The user ID; `None` if it could not be found out, and then owners are not judged.
    pub uid: Option<u32>,
    /// Where that is known from.
    pub fact: Fact,
}

impl Owner {
    /// Asks the user database of the system in which the spool lies, and if that does not know the user, the queue
    /// folders themselves, which belong to the user of Postfix (`postfix check` sees to it).
    ///
    /// Elsewhere than on this machine the user database counts only if a queue folder belongs to that user: a copy that a
    /// person made of a whole system belongs to that person throughout, and would otherwise look wrong throughout.
    pub fn of(root: &Root, settings: &Settings) -> Self {
        let owners = folder_owners(root);
        let name = settings.mail_owner();
        if let Some(tree) = &settings.tree
            && let Some((uid, line)) = look_up(tree, &name)
            && (tree == Path::new("/") || owners.iter().any(|(_, owner)| *owner == uid))
        {
            let passwd = Text::from_path(&tree.join("etc/passwd"));
            let text = format!("the user of Postfix, `{name}`, is uid {uid}");
            return Self { uid: Some(uid), fact: Fact::new(text, Locus::line(passwd, line)) };
        }
        // The user of Postfix is never root; root's folders are a copy that kept no owners.
        if let Some((folder, uid)) = owners.into_iter().find(|(_, uid)| *uid != 0) {
            let text = format!("the folder `{folder}` belongs to uid {uid}, and so should the files");
            return Self { uid: Some(uid), fact: Fact::new(text, Locus::metadata(folder)) };
        }
        let text =
            "owners are not judged: the queue folders belong to root, as in a copy that kept no owners";
        Self { uid: None, fact: Fact::new(text, Locus::whole(".")) }
    }
}

fn folder_owners(root: &Root) -> Vec<(&'static str, u32)> {
    ["deferred", "incoming", "active", "hold"]
        .into_iter()
        .filter_map(|folder| Some((folder, root.stat(Path::new(folder)).ok()?.1.uid)))
        .collect()
}

/// The user ID of this name in `etc/passwd`, and its line.
fn look_up(tree: &Path, name: &str) -> Option<(u32, u64)> {
    let root = Root::open(&tree.join("etc")).ok()?;
    let bytes = root.open_file(Path::new("passwd")).ok()?.all(MAX_PASSWD_BYTES).ok()?;
    (1_u64..).zip(bytes.split(|byte| *byte == b'\n')).find_map(|(number, line)| {
        let text = std::str::from_utf8(line).ok()?;
        let mut fields = text.split(':');
        let uid = (fields.next()? == name).then(|| fields.nth(1)?.parse().ok()).flatten()?;
        Some((uid, number))
    })
}
