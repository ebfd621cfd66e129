//! Text as it was found.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use smallvec::SmallVec;
use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};

/// Bytes that are probably text: an address, a subject, a path.
///
/// Mail and file systems hand over bytes, not characters. They are kept exactly as found; what is printed is made
/// from them at the last moment.
#[derive(Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Text(SmallVec<[u8; INLINE]>);

/// Texts of this length lie where they are used, and take no memory of their own: queue IDs, most paths and addresses.
const INLINE: usize = 32;

impl Text {
    /// Keeps these bytes.
    pub fn new(bytes: impl AsRef<[u8]>) -> Self {
        Self(SmallVec::from_slice(bytes.as_ref()))
    }

    /// These bytes, one behind the other.
    pub fn joined(parts: &[&[u8]]) -> Self {
        let mut bytes = SmallVec::with_capacity(parts.iter().map(|part| part.len()).sum());
        for part in parts {
            bytes.extend_from_slice(part);
        }
        Self(bytes)
    }

    /// The bytes as found.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The text with every byte that is not UTF-8 replaced by U+FFFD.
    pub fn lossy(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.0)
    }

    /// The text, if it is UTF-8 throughout.
    pub fn as_str(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text as a file path of this system.
    pub fn to_path(&self) -> PathBuf {
        as_path(&self.0).into_owned()
    }

    /// A file path as text, byte for byte.
    pub fn from_path(path: &Path) -> Self {
        #[cfg(unix)]
        {
            use std::os::unix::ffi::OsStrExt as _;
            Self::new(path.as_os_str().as_bytes())
        }
        #[cfg(not(unix))]
        {
            Self::from(path.to_string_lossy().as_ref())
        }
    }
}

/// Bytes as a file path of this system.
pub fn as_path(bytes: &[u8]) -> Cow<'_, Path> {
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt as _;
        Path::new(std::ffi::OsStr::from_bytes(bytes)).into()
    }
    #[cfg(not(unix))]
    {
        PathBuf::from(String::from_utf8_lossy(bytes).into_owned()).into()
    }
}

/// The folder and the name of a path, if it has both. It is asked of every file, so that on Unix no component is looked at but
/// the last.
pub fn split_path(path: &Path) -> Option<(&Path, &Path)> {
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt as _;
        let bytes = path.as_os_str().as_bytes();
        let slash = memchr::memrchr(b'/', bytes).filter(|slash| *slash > 0)?;
        let part = |bytes| Path::new(std::ffi::OsStr::from_bytes(bytes));
        let name = bytes.get(slash + 1..).filter(|name| !name.is_empty())?;
        Some((part(bytes.get(..slash)?), part(name)))
    }
    #[cfg(not(unix))]
    {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty())?;
        Some((folder, Path::new(path.file_name()?)))
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.lossy())
    }
}

/// The form in which suspects are parked on disk during a scan: plain when it is UTF-8, otherwise base64 behind a NUL,
/// which no UTF-8 text from a spool is given a chance to imitate, since text with a leading NUL is encoded as well.
impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.as_str() {
            Some(text) if !text.starts_with('\0') => serializer.serialize_str(text),
            _ => serializer.serialize_str(&format!("\0{}", STANDARD.encode(&self.0))),
        }
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.strip_prefix('\0') {
            None => Ok(Self::from(text)),
            Some(coded) => STANDARD.decode(coded).map(Self::new).map_err(serde::de::Error::custom),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Text, split_path};
    use std::path::Path;

    #[test]
    fn a_path_has_a_folder_and_a_name_or_is_not_split() {
        let split = |path: &'static str| split_path(Path::new(path));
        assert_eq!(split("deferred/A/A1"), Some((Path::new("deferred/A"), Path::new("A1"))));
        for path in ["A1", "/A1", "", "/", "deferred/"] {
            assert_eq!(split(path), None, "{path}");
        }
    }

    #[test]
    fn bytes_that_are_not_utf8_survive_being_parked() {
        for bytes in [&b"plain"[..], b"caf\xe9", b"\0starts with nul", b""] {
            let text = Text::new(bytes);
            let parked = serde_json::to_string(&text).unwrap();
            assert_eq!(serde_json::from_str::<Text>(&parked).unwrap(), text);
        }
    }
}
