//! Extended attributes (xattr(7)).

use super::{Carrier, MAX_STREAMS, Named, OpenFile};
use rustix::fs::{fgetxattr, fgetxattr_query, flistxattr, flistxattr_query};
use rustix::io::Errno;

pub const AVAILABLE: bool = true;

/// Linux hands out no longer list and no longer value (xattr(7), `XATTR_LIST_MAX` and `XATTR_SIZE_MAX`).
const MAX_ATTRIBUTE_BYTES: usize = 64 << 10;

/// The Samba module `vfs_streams_xattr` keeps streams under this name (its manual page, `streams_xattr:prefix`).
const SAMBA_PREFIX: &[u8] = b"user.DosStream.";

/// Attributes under `user.` that desktop programs, Samba, rsync and overlay file systems set, and that are no stream.
/// Sources: freedesktop.org "Extended attributes" and shared-mime-info; smb.conf(5) `store dos attributes`; rsync(1)
/// `--fake-super`; the Linux overlayfs documentation.
const NO_STREAM: [&[u8]; 14] = [
    b"xdg.",
    b"mime_type",
    b"charset",
    b"creator",
    b"DOSATTRIB",
    b"SAMBA_PAI",
    b"rsync.",
    b"overlay.",
    b"fuseoverlayfs.",
    b"containers.",
    b"baloo.",
    b"dublincore.",
    b"checksum.",
    b"com.dropbox.",
];

/// The streams among the attributes, and why there may be more.
pub fn list(file: &OpenFile) -> (Vec<Named>, Option<String>) {
    let (keys, unsure) = match keys(file) {
        Ok(keys) => (keys, None),
        // The file system has no attributes: then there is nothing to be seen, and nothing is missed.
        Err(Errno::NOTSUP) => (Vec::new(), None),
        Err(error) => (Vec::new(), Some(format!("its extended attributes could not be listed: {error}"))),
    };
    let mut named: Vec<Named> =
        keys.split(|byte| *byte == 0).filter_map(as_stream).take(MAX_STREAMS + 1).collect();
    named.sort_by(|one, other| one.label().cmp(other.label()));
    (named, unsure)
}

fn keys(file: &OpenFile) -> Result<Vec<u8>, Errno> {
    let file = file.as_file();
    let size = flistxattr_query(file)?;
    if size == 0 {
        return Ok(Vec::new());
    }
    let mut keys = vec![0; size.min(MAX_ATTRIBUTE_BYTES)];
    let count = flistxattr(file, keys.as_mut_slice())?;
    keys.truncate(count);
    Ok(keys)
}

fn as_stream(key: &[u8]) -> Option<Named> {
    let (name, carrier) = match key.strip_prefix(SAMBA_PREFIX) {
        Some(name) => (name, Carrier::SambaAttribute),
        None => (key.strip_prefix(b"user.")?, Carrier::Attribute),
    };
    let foreign = carrier == Carrier::Attribute && NO_STREAM.iter().any(|start| name.starts_with(start));
    (!name.is_empty() && !foreign).then(|| Named::Attribute {
        key: key.to_vec(),
        name: name.to_vec(),
        carrier,
    })
}

/// The names that ntfs-3g gives with `streams_interface=windows`, NUL-separated. A name with a slash would lead elsewhere.
pub fn streams_list(file: &OpenFile) -> Vec<Vec<u8>> {
    let Ok(names) = value(file, b"ntfs.streams.list") else { return Vec::new() };
    names
        .split(|byte| *byte == 0)
        .filter(|name| !name.is_empty() && !name.contains(&b'/'))
        .take(MAX_STREAMS + 1)
        .map(<[u8]>::to_vec)
        .collect()
}

/// The value of an attribute, or its size as far as that is known and why it could not be read.
///
/// Linux states no size above `XATTR_SIZE_MAX`: a stream of 80 KiB on ntfs-3g is said to have 64 KiB, and reading it is
/// refused (fs/fuse/xattr.c, `fuse_getxattr`; seen with ntfs-3g 2022.10.3). Then the size is not known.
pub fn value(file: &OpenFile, key: &[u8]) -> Result<Vec<u8>, (Option<u64>, String)> {
    let file = file.as_file();
    let size = fgetxattr_query(file, key).map_err(|error| (None, error.to_string().to_lowercase()))?;
    let too_large = || {
        let why = format!(
            "{MAX_ATTRIBUTE_BYTES} bytes or more, which the system does not hand out as an attribute; mount with \
             `streams_interface=windows` to read it"
        );
        (None, why)
    };
    if size > MAX_ATTRIBUTE_BYTES {
        return Err(too_large());
    }
    let mut value = vec![0; size];
    if size > 0 {
        let count = fgetxattr(file, key, value.as_mut_slice()).map_err(|error| {
            if size == MAX_ATTRIBUTE_BYTES {
                too_large()
            } else {
                (Some(size as u64), error.to_string().to_lowercase())
            }
        })?;
        value.truncate(count);
    }
    Ok(value)
}
