//! Named streams of a file (NTFS alternate data streams), however the file reached this machine.
//!
//! | carrier | what is read |
//! |---|---|
//! | ntfs-3g, and GNU tar `--xattrs` of such a mount | extended attribute `user.STREAM` |
//! | ntfs-3g `streams_interface=windows` | attribute `ntfs.streams.list`, then the path `FILE:STREAM` |
//! | Samba `vfs_streams_xattr` | extended attribute `user.DosStream.STREAM:$DATA` |
//! | a tool that wrote each stream beside its file | a file called `FILE:STREAM` |
//! | Windows | the path `FILE:STREAM`, for names that are guessed: see [`GUESSED_NAMES`] |
//!
//! A stream's content is never interpreted: its size, its SHA-256 and the addresses that can be seen in it are evidence
//! enough. macOS keeps streams of foreign volumes in `._FILE` (AppleDouble): recognised, not read, unverified.

use super::disk::{OpenFile, Root};
use crate::evidence::{At, Locus, Stat, Text};
use sha2::{Digest as _, Sha256};
use std::io;
use std::path::{Path, PathBuf};

#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
#[path = "streams_xattr.rs"]
mod attributes;
#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
#[path = "streams_portable.rs"]
mod attributes;

/// Streams of one file beyond this number are not looked at.
pub const MAX_STREAMS: usize = 64;
/// Larger streams are reported by their size, without a hash.
pub const MAX_HASHED_BYTES: u64 = 16 << 20;
/// Addresses are looked for in this much of a stream.
const MAX_SCANNED_BYTES: usize = 1 << 20;
/// Addresses of one stream that are kept.
pub const MAX_ADDRESSES: usize = 20;

/// Names under which a mailroot's envelope is said to be kept. A guess: widely repeated, and in no vendor document that
/// could be found. They are tried only on Windows, where the standard library can open a stream by name but not list
/// the streams of a file (`FindFirstStreamW` has no safe binding that is well kept).
pub const GUESSED_NAMES: [&str; 3] = ["PROPERTIES", "PROPERTIES-LIVE", "FAST"];

/// One named stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    /// Its name, without `:$DATA`.
    pub name: Text,
    /// By what it was carried here.
    pub carrier: Carrier,
    /// Where it can be looked at.
    pub locus: Locus,
    /// Its size in bytes, if it could be learnt.
    pub size: Option<u64>,
    /// SHA-256 of all of it.
    pub sha256: Option<String>,
    /// Metadata, where the carrier is a file of its own.
    pub stat: Option<Stat>,
    /// What looks like mail addresses in it. Their meaning is not known.
    pub addresses: Vec<String>,
    /// Why it could not be read whole.
    pub unread: Option<String>,
}

/// By what a stream was carried to this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carrier {
    /// An extended attribute `user.STREAM`.
    Attribute,
    /// An extended attribute `user.DosStream.STREAM:$DATA`.
    SambaAttribute,
    /// A path `FILE:STREAM`.
    ColonPath,
}

/// The streams of one file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Streams {
    /// What was found, by name.
    pub found: Vec<Stream>,
    /// Why there may be more than was found.
    pub unsure: Option<String>,
}

/// What the names in a folder say about streams: which streams lie there as files `FILE:STREAM`.
#[derive(Debug, Clone)]
pub struct Beside {
    suffixes: Vec<Vec<u8>>,
    too_many: bool,
    apple_double: bool,
}

impl Default for Beside {
    fn default() -> Self {
        let guessed: &[&str] = if cfg!(windows) { &GUESSED_NAMES } else { &[] };
        let suffixes = guessed.iter().map(|name| name.as_bytes().to_vec()).collect();
        Self { suffixes, too_many: false, apple_double: false }
    }
}

impl Beside {
    /// Takes note of one name in the folder.
    pub fn note(&mut self, name: &Path) {
        let name = Text::from_path(name);
        self.apple_double |= is_apple_double(name.bytes());
        let Some((_, suffix)) = split_colon_name(name.bytes()) else { return };
        if self.suffixes.iter().any(|known| known == suffix) {
            return;
        }
        if self.suffixes.len() < MAX_STREAMS {
            self.suffixes.push(suffix.to_vec());
        } else {
            self.too_many = true;
        }
    }
}

impl Carrier {
    /// What people call it.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Attribute => "an extended attribute `user.STREAM` (ntfs-3g, tar --xattrs)",
            Self::SambaAttribute => "an extended attribute `user.DosStream.STREAM` (Samba)",
            Self::ColonPath => "`FILE:STREAM`",
        }
    }
}

/// Where streams are looked for on this system, for people.
pub fn looked_for() -> &'static str {
    if cfg!(windows) {
        "no stream called PROPERTIES, PROPERTIES-LIVE or FAST (guessed names; others cannot be listed), no file `FILE:STREAM`"
    } else if attributes::AVAILABLE {
        "no named stream in extended attributes, no file `FILE:STREAM`"
    } else {
        "no file `FILE:STREAM`; extended attributes cannot be read on this system"
    }
}

/// Whether all streams of a file can be seen here, and not only those whose names are known.
pub const fn all_can_be_seen() -> bool {
    attributes::AVAILABLE
}

/// Splits `FILE:STREAM` or `FILE:STREAM:$DATA`; `FILE` and the stream's part as it stands.
pub fn split_colon_name(name: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = memchr::memchr(b':', name)?;
    let (file, suffix) = (name.get(..colon)?, name.get(colon + 1..)?);
    (!file.is_empty() && !stream_name(suffix).is_empty()).then_some((file, suffix))
}

/// Whether this is the name that macOS gives to a file with the foreign attributes of another.
pub fn is_apple_double(name: &[u8]) -> bool {
    name.len() > 2 && name.starts_with(b"._")
}

/// Whether a stream of this name is known to be no part of a message: marks that Windows and macOS put on any file.
pub fn is_bystander(name: &Text) -> bool {
    let name = name.lossy().to_ascii_lowercase();
    ["zone.identifier", "smartscreen"].contains(&&*name)
        || ["afp_", "com.apple.", "ms-properties"].iter().any(|start| name.starts_with(start))
}

/// All streams of a file, each with its size, hash and the addresses seen in it.
pub fn of(root: &Root, path: &Path, file: &OpenFile, beside: &Beside) -> Streams {
    let (mut named, mut unsure) = attributes::list(file);
    named.extend(colon_paths(root, path, file, beside));
    named.sort_by(|one, other| one.label().cmp(other.label()));
    if named.len() > MAX_STREAMS {
        unsure = Some(format!("it has {} streams, of which {MAX_STREAMS} were looked at", named.len()));
    } else if beside.too_many {
        unsure = Some("the folder has more stream names than are looked at".to_owned());
    } else if beside.apple_double && root.exists(&sibling(path, b"._", b"")) {
        unsure = Some(
            "an AppleDouble file `._FILE` lies beside it, which may hold streams and is not read".into(),
        );
    }
    let found = named.into_iter().take(MAX_STREAMS).map(|name| read(root, path, file, name)).collect();
    Streams { found, unsure }
}

/// The name of the first stream that may hold part of a message, without reading any.
pub fn any(root: &Root, path: &Path, file: &OpenFile, beside: &Beside) -> Option<Text> {
    let mut named = attributes::list(file).0;
    named.extend(colon_paths(root, path, file, beside));
    named.iter().map(|name| stream_name_text(name.label())).find(|name| !is_bystander(name))
}

/// A stream that is lying there as a file called `FILE:STREAM`, by its own name.
pub fn beside(file: &OpenFile, path: &Path, suffix: &[u8]) -> Stream {
    let locus = Locus::whole(Text::from_path(path));
    let (name, carrier, size) = (stream_name_text(suffix), Carrier::ColonPath, Some(file.stat.size));
    let mut stream = empty(name, carrier, locus);
    stream.stat = Some(file.stat);
    match file.reader().and_then(|reader| digest(reader, file.stat.size)) {
        Ok(Some((sha256, addresses))) => Stream { size, sha256: Some(sha256), addresses, ..stream },
        Ok(None) => Stream { size, unread: Some(too_large(file.stat.size)), ..stream },
        Err(error) => Stream { size, unread: Some(error.to_string().to_lowercase()), ..stream },
    }
}

/// SHA-256 of a file of at most [`MAX_HASHED_BYTES`], with the addresses that can be seen in it; `None` if it is larger.
///
/// # Errors
/// As the system reports.
pub fn digest(reader: impl io::Read, size: u64) -> io::Result<Option<(String, Vec<String>)>> {
    if size > MAX_HASHED_BYTES {
        return Ok(None);
    }
    let mut start = Vec::new();
    let sha256 = hash(reader.take(MAX_HASHED_BYTES), |read| {
        let room = MAX_SCANNED_BYTES - start.len();
        start.extend_from_slice(read.get(..room.min(read.len())).unwrap_or_default());
    })?;
    Ok(Some((sha256, addresses(&start))))
}

/// Reads to the end: SHA-256 in lower-case hex of all that is handed over to `see`, piece by piece.
///
/// # Errors
/// As the system reports.
pub fn hash(mut reader: impl io::Read, mut see: impl FnMut(&[u8])) -> io::Result<String> {
    let (mut hash, mut chunk) = (Sha256::new(), vec![0; 1 << 16]);
    loop {
        let count = reader.read(&mut chunk)?;
        let read = chunk.get(..count).unwrap_or_default();
        if read.is_empty() {
            return Ok(hex(&hash.finalize()));
        }
        hash.update(read);
        see(read);
    }
}

/// A stream by name, before it is read.
enum Named {
    /// An extended attribute by its full name, and the stream's part of that.
    #[cfg_attr(
        not(any(target_os = "linux", target_os = "android", target_vendor = "apple")),
        expect(dead_code, reason = "only systems whose attributes can be read make these")
    )]
    Attribute { key: Vec<u8>, name: Vec<u8>, carrier: Carrier },
    /// What follows `FILE:`.
    Colon(Vec<u8>),
}

impl Named {
    fn label(&self) -> &[u8] {
        match self {
            Self::Attribute { name, .. } | Self::Colon(name) => name,
        }
    }
}

fn colon_paths(root: &Root, path: &Path, file: &OpenFile, beside: &Beside) -> Vec<Named> {
    let listed = attributes::streams_list(file);
    let probed = beside.suffixes.iter().filter(|suffix| root.exists(&sibling(path, b"", suffix))).cloned();
    let mut all: Vec<Vec<u8>> = listed.into_iter().chain(probed).collect();
    all.sort();
    all.dedup();
    all.into_iter().map(Named::Colon).collect()
}

fn read(root: &Root, path: &Path, file: &OpenFile, named: Named) -> Stream {
    match named {
        Named::Colon(suffix) => {
            let there = sibling(path, b"", &suffix);
            match root.open_file(&there) {
                Ok(open) => beside(&open, &there, &suffix),
                Err(damage) => {
                    let locus = Locus::whole(Text::from_path(&there));
                    let stream = empty(stream_name_text(&suffix), Carrier::ColonPath, locus);
                    Stream { unread: Some(damage.what), ..stream }
                }
            }
        }
        Named::Attribute { key, name, carrier } => {
            let name = stream_name_text(&name);
            let at = At::Stream(String::from_utf8_lossy(&key).into_owned());
            let stream = empty(name, carrier, Locus { path: Text::from_path(path), at });
            match attributes::value(file, &key) {
                Ok(value) => with_value(stream, &value, carrier),
                Err((size, why)) => Stream { size, unread: Some(why), ..stream },
            }
        }
    }
}

/// Samba ends every such value with a NUL that is no part of the stream (`vfs_streams_xattr(8)`).
fn with_value(stream: Stream, value: &[u8], carrier: Carrier) -> Stream {
    let value = match carrier {
        Carrier::SambaAttribute => value.strip_suffix(b"\0").unwrap_or(value),
        _ => value,
    };
    let (sha256, size) = (Some(hex(&Sha256::digest(value))), Some(value.len() as u64));
    Stream { size, sha256, addresses: addresses(value), ..stream }
}

fn empty(name: Text, carrier: Carrier, locus: Locus) -> Stream {
    Stream { name, carrier, locus, size: None, sha256: None, stat: None, addresses: Vec::new(), unread: None }
}

fn too_large(size: u64) -> String {
    format!("{size} bytes, more than the {MAX_HASHED_BYTES} that are hashed")
}

fn stream_name(suffix: &[u8]) -> &[u8] {
    let end = suffix.len().saturating_sub(b":$DATA".len());
    match suffix.split_at_checked(end) {
        Some((name, kind)) if kind.eq_ignore_ascii_case(b":$DATA") => name,
        _ => suffix,
    }
}

fn stream_name_text(suffix: &[u8]) -> Text {
    Text::new(stream_name(suffix))
}

/// The path of `FILE:SUFFIX` (or `._FILE`) beside a file.
fn sibling(path: &Path, before: &[u8], suffix: &[u8]) -> PathBuf {
    let file = path.file_name().map(|name| Text::from_path(Path::new(name))).unwrap_or_default();
    let colon: &[u8] = if suffix.is_empty() { b"" } else { b":" };
    let name = Text::new([before, file.bytes(), colon, suffix].concat());
    path.parent().map_or_else(|| name.to_path(), |parent| parent.join(name.to_path()))
}

/// Bytes as lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// What looks like mail addresses in opaque bytes, as ASCII or UTF-16LE.
fn addresses(bytes: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    scan(bytes, &mut found);
    for skip in [0, 1] {
        let wide = bytes.get(skip..).unwrap_or_default();
        let narrow: Vec<u8> = wide
            .chunks_exact(2)
            .map(|pair| match pair {
                [low, 0] => *low,
                _ => 0,
            })
            .collect();
        scan(&narrow, &mut found);
    }
    found
}

fn scan(bytes: &[u8], found: &mut Vec<String>) {
    // RFC 5321 section 4.5.3.1: 64 octets of local part, 255 of domain.
    const LOCAL: usize = 64;
    const DOMAIN: usize = 255;
    for at in memchr::memchr_iter(b'@', bytes) {
        if found.len() >= MAX_ADDRESSES {
            return;
        }
        let before = bytes.get(at.saturating_sub(LOCAL)..at).unwrap_or_default();
        let after = bytes.get(at + 1..(at + 1 + DOMAIN).min(bytes.len())).unwrap_or_default();
        let local = before.len() - before.iter().rev().take_while(|byte| is_local(**byte)).count();
        let domain = after.iter().take_while(|byte| is_domain(**byte)).count();
        let (Some(local), Some(domain)) = (before.get(local..), after.get(..domain)) else { continue };
        let local = String::from_utf8_lossy(local);
        let domain = String::from_utf8_lossy(domain);
        let (local, domain) = (local.trim_matches('.'), domain.trim_end_matches(['.', '-']));
        if !local.is_empty() && domain.contains('.') && !domain.starts_with(['.', '-']) {
            let address = format!("{local}@{domain}");
            if !found.contains(&address) {
                found.push(address);
            }
        }
    }
}

fn is_local(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+/=?^_`{|}~.-".contains(&byte)
}

fn is_domain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.'
}
