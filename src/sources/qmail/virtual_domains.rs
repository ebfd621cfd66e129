//! Names that qmail-send put before recipients of virtual domains, and how they are taken off again.
//!
//! A recipient at a virtual domain stands in `local` as `PREPEND-USER@DOMAIN` (notqmail `qmail-send.c`, `rewrite`). Handed in
//! like that, it would be given the name a second time. qmail-send takes it off for bounces (`stripvdomprepend`); so does this.

use crate::evidence::Text;
use crate::read::disk::Root;
use std::path::{Path, PathBuf};

/// A control file that is read as far as this.
const MAX_BYTES: usize = 16 << 20;

/// `control/virtualdomains`: domain and name, one a line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VirtualDomains(Vec<(Vec<u8>, Vec<u8>)>);

impl VirtualDomains {
    /// Those of a queue; `None` if its control folder is not known, or the file cannot be read. A control folder without the
    /// file has no virtual domains (`getcontrols`).
    pub fn of(queue: &Path, config: Option<&Path>) -> Option<Self> {
        let home = std::fs::canonicalize(queue).ok().and_then(|queue| queue.parent().map(Path::to_owned));
        let given = config.into_iter().flat_map(|folder| [folder.join("control"), folder.to_owned()]);
        let folders: Vec<PathBuf> = given.chain(home.map(|home| home.join("control"))).collect();
        // qmail-send does not start without `control/me` or `control/locals` (`control_init`, `getcontrols`).
        let is_control = |folder: &PathBuf| ["me", "locals"].iter().any(|name| folder.join(name).is_file());
        let folder = folders.into_iter().find(is_control)?;
        let root = Root::open(&folder).ok()?;
        let path = Path::new("virtualdomains");
        if !root.exists(path) {
            return Some(Self::default());
        }
        let file = root.open_file(path).ok()?;
        if file.stat.size > MAX_BYTES as u64 {
            return None;
        }
        Some(Self::parse(&file.all(MAX_BYTES).ok()?))
    }

    /// `control_readfile` (`control.c`), `constmap_init` with colons (`constmap.c`): blanks at the end of a line do not count,
    /// nor do lines that begin with `#` or have no colon.
    fn parse(bytes: &[u8]) -> Self {
        let lines = bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_end);
        let entries = lines.filter(|line| !line.starts_with(b"#")).filter_map(|line| {
            let colon = memchr::memchr(b':', line)?;
            let (domain, name) = line.split_at_checked(colon)?;
            Some((domain.to_ascii_lowercase(), name.get(1..)?.to_vec()))
        });
        Self(entries.collect())
    }

    /// The later of two lines for one domain counts (`constmap.c`: the chain begins with the one added last).
    fn name_of(&self, domain: &[u8]) -> Option<&[u8]> {
        let found = self.0.iter().rev().find(|(known, _)| domain.eq_ignore_ascii_case(known));
        found.map(|(_, name)| name.as_slice())
    }

    /// The address as it was handed in.
    pub fn strip(&self, address: &Text) -> Text {
        let bytes = address.bytes();
        let Some(at) = memchr::memrchr(b'@', bytes) else { return address.clone() };
        let domain = bytes.get(at + 1..).unwrap_or_default();
        for start in 0..=domain.len() {
            let rest = domain.get(start..).unwrap_or_default();
            if start > 0 && start < domain.len() && !rest.starts_with(b".") {
                continue;
            }
            let Some(name) = self.name_of(rest) else { continue };
            let stripped = bytes.strip_prefix(name).and_then(|rest| rest.strip_prefix(b"-"));
            return stripped.filter(|_| !name.is_empty()).map_or_else(|| address.clone(), Text::new);
        }
        address.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stripped(control: &[u8], address: &str) -> String {
        VirtualDomains::parse(control).strip(&Text::from(address)).lossy().into_owned()
    }

    #[test]
    fn the_name_before_a_recipient_of_a_virtual_domain_is_taken_off() {
        let control = b"# comment\nvirtual.example:alias-virtual \n.sub.example:joe\nexcept.sub.example:\n";
        assert_eq!(stripped(control, "alias-virtual-bob@Virtual.Example"), "bob@Virtual.Example");
        assert_eq!(stripped(control, "joe-bob@a.sub.example"), "bob@a.sub.example");
        assert_eq!(stripped(control, "joe-bob@except.sub.example"), "joe-bob@except.sub.example");
        assert_eq!(stripped(control, "bob@virtual.example"), "bob@virtual.example");
        assert_eq!(stripped(control, "joe-bob@elsewhere.example"), "joe-bob@elsewhere.example");
        assert_eq!(stripped(b":all", "all-bob@any.example"), "bob@any.example");
        assert_eq!(stripped(control, "bob"), "bob");
    }

    #[test]
    fn without_a_control_folder_nothing_is_known() {
        let home = tempfile::tempdir().unwrap();
        let queue = home.path().join("queue");
        std::fs::create_dir_all(&queue).unwrap();
        assert_eq!(VirtualDomains::of(&queue, None), None);
        std::fs::create_dir_all(home.path().join("control")).unwrap();
        assert_eq!(VirtualDomains::of(&queue, None), None, "an empty folder is none of a qmail that runs");
        std::fs::write(home.path().join("control/me"), "host.example\n").unwrap();
        assert_eq!(VirtualDomains::of(&queue, None), Some(VirtualDomains::default()));
        std::fs::write(home.path().join("control/virtualdomains"), "a.example:b\n").unwrap();
        assert_eq!(VirtualDomains::of(&queue, None).unwrap().0.len(), 1);
    }
}
