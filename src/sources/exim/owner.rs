//! Whose the files of a spool should be.

use crate::evidence::{Fact, Locus, Stat, Text};
use crate::read::disk::Root;
use std::path::Path;

/// The user of Exim, as far as the folders show him.
#[derive(Debug, Clone)]
pub struct Owner {
    /// User and group ID; `None` if they could not be found out, and then owners are not judged.
    pub ids: Option<(u32, u32)>,
    /// Where that is known from.
    pub fact: Fact,
}

impl Owner {
    /// Asks the folder of messages, which belongs to the user of Exim (`directory.c`, `directory_make`). Root's folders are
    /// a copy that kept no owners: Exim is not built to run as root.
    pub fn of(root: &Root, input: &Path) -> Self {
        let folder = if input.as_os_str().is_empty() { Path::new(".") } else { input };
        let name = Text::from_path(folder);
        let stat = root.stat(folder).ok().map(|(_, stat)| stat).filter(|stat| stat.uid != 0);
        let Some(stat) = stat else {
            let text = "owners are not judged: the folder of messages belongs to root, as in a copy that kept no owners";
            return Self { ids: None, fact: Fact::new(text, Locus::whole(".")) };
        };
        let text = format!(
            "`{}` belongs to {}:{}, which is taken for the user of Exim",
            name.lossy(),
            stat.uid,
            stat.gid
        );
        Self { ids: Some((stat.uid, stat.gid)), fact: Fact::new(text, Locus::metadata(name)) }
    }

    /// Why the user of Exim may not read a file, if he may not: the listing runs as that user.
    pub fn refusal(&self, stat: &Stat) -> Option<String> {
        let (user, group) = self.ids?;
        let needed = if stat.uid == user {
            0o400
        } else if stat.gid == group {
            0o040
        } else {
            0o004
        };
        (stat.mode & needed == 0).then(|| {
            format!(
                "the user of Exim ({user}:{group}) may not read it: mode {:04o}, owner {}:{}",
                stat.mode, stat.uid, stat.gid
            )
        })
    }
}
