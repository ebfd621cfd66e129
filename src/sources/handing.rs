//! What sources share when a message is handed over: its bytes as they are, parameters of RFC 3461, and addresses that fit
//! on the command line of sendmail(1).

use super::Extent;
use crate::evidence::{Damage, Message, Part, PartKind};
use crate::plan::Refusal;
use crate::read::disk::{OpenFile, Root};
use std::io::Write;
use std::path::{Path, PathBuf};

/// So much of a file is held at a time.
const PIECE_BYTES: usize = 64 << 10;
/// What starts an argument that is no address: an option, a program, a file, a list, an alias that is not to be expanded.
/// Source: sendmail `sendmail/parseaddr.c` and `doc/op/op.me`, "Mail to files and programs".
const NO_ADDRESS: &[u8] = b"-|/:\\@";
/// What makes several addresses of one argument, or a comment. Source: sendmail `sendtolist`; OpenSMTPD `enqueue.c`,
/// `rcpt_add`, which splits at every comma.
const SPLITTING: &[u8] = b",;()<>\"\\|`";
/// What to do where ghostq cannot hand a message in.
const BY_HAND: &str = "send it by hand: copy its files out of the spool first";

/// Writes a file from this byte on, as it is on disk.
///
/// # Errors
/// When it cannot be read or written, or is not as long any more as it was when it was opened.
pub fn copy(
    root: &Root,
    path: &Path,
    start: u64,
    extent: Extent,
    out: &mut dyn Write,
) -> Result<(), Refusal> {
    let file = open(root, path)?;
    match extent {
        Extent::Whole => copy_all(&file, path, start, out),
        Extent::Header => copy_header(&file, path, start, out),
    }
}

fn copy_all(file: &OpenFile, path: &Path, start: u64, out: &mut dyn Write) -> Result<(), Refusal> {
    let mut at = start;
    while at < file.stat.size {
        let wanted = usize::try_from(file.stat.size - at).unwrap_or(PIECE_BYTES).min(PIECE_BYTES);
        let bytes = piece(file, path, at, wanted)?;
        if bytes.is_empty() {
            return Err(changed(path));
        }
        out.write_all(&bytes).map_err(|error| unwritten(&error))?;
        at += bytes.len() as u64;
    }
    Ok(())
}

fn copy_header(file: &OpenFile, path: &Path, start: u64, out: &mut dyn Write) -> Result<(), Refusal> {
    let (mut at, mut line) = (start, Line::Empty);
    loop {
        let bytes = piece(file, path, at, PIECE_BYTES)?;
        if bytes.is_empty() {
            // A message without a body may end with its last field.
            let end: &[u8] = if line == Line::Empty { b"\n" } else { b"\n\n" };
            return out.write_all(end).map_err(|error| unwritten(&error));
        }
        let end = line.end_in(&bytes);
        let header = bytes.get(..end.unwrap_or(bytes.len())).unwrap_or_default();
        out.write_all(header).map_err(|error| unwritten(&error))?;
        if end.is_some() {
            return Ok(());
        }
        at += bytes.len() as u64;
    }
}

/// What stands in the present line so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    Empty,
    CarriageReturn,
    Text,
}

impl Line {
    /// Goes on over these bytes; where the blank line behind a header ends, if it is among them.
    fn end_in(&mut self, bytes: &[u8]) -> Option<usize> {
        for (at, byte) in bytes.iter().enumerate() {
            *self = match (*byte, *self) {
                (b'\n', Self::Empty | Self::CarriageReturn) => return Some(at + 1),
                (b'\n', Self::Text) => Self::Empty,
                (b'\r', Self::Empty) => Self::CarriageReturn,
                _ => Self::Text,
            };
        }
        None
    }
}

fn piece(file: &OpenFile, path: &Path, at: u64, limit: usize) -> Result<Vec<u8>, Refusal> {
    file.at(at, limit)
        .map_err(|error| Refusal::new(format!("`{}` could not be read: {error}", path.display()), ""))
}

/// All of a file that is no longer than this.
///
/// # Errors
/// When it cannot be read, or is longer.
pub fn whole(root: &Root, path: &Path, limit: u64) -> Result<Vec<u8>, Refusal> {
    let file = open(root, path)?;
    if file.stat.size > limit {
        let reason = format!("`{}` has {} bytes, more than are read", path.display(), file.stat.size);
        return Err(Refusal::new(reason, BY_HAND));
    }
    // One byte more than it may have tells whether it grew.
    let bytes = piece(&file, path, 0, usize::try_from(file.stat.size).unwrap_or(0).saturating_add(1))?;
    if bytes.len() as u64 == file.stat.size { Ok(bytes) } else { Err(changed(path)) }
}

/// Opens a file of a message.
///
/// # Errors
/// With what stands against it.
pub fn open(root: &Root, path: &Path) -> Result<OpenFile, Refusal> {
    root.open_file(path).map_err(|damage| unread(&damage))
}

/// A refusal for want of a file.
pub fn unread(damage: &Damage) -> Refusal {
    Refusal::new(
        format!("`{}` could not be read: {}", damage.locus.path.lossy(), damage.what),
        damage.hint.clone(),
    )
}

/// A refusal because what was to be written could not be written.
pub fn unwritten(error: &std::io::Error) -> Refusal {
    Refusal::new(format!("its content could not be written: {error}"), "look whether the disk is full")
}

fn changed(path: &Path) -> Refusal {
    Refusal::new(
        format!("`{}` changed while it was read", path.display()),
        "try again: somebody is at work on it",
    )
}

/// The path of the first part of this kind.
pub fn part(message: &Message, kind: PartKind) -> Option<PathBuf> {
    parts(message, kind).next().map(|part| part.locus.path.to_path())
}

/// All parts of this kind.
pub fn parts(message: &Message, kind: PartKind) -> impl Iterator<Item = &Part> {
    message.parts.iter().filter(move |part| part.kind == kind)
}

/// Refuses a file that has another number of names than it should have: what is taken away under one name stays under the
/// other.
///
/// # Errors
/// When it has more, or cannot be looked at.
pub fn with_links(root: &Root, path: &Path, expected: u64) -> Result<(), Refusal> {
    let (_, stat) = root
        .stat(path)
        .map_err(|error| Refusal::new(format!("`{}` could not be looked at: {error}", path.display()), ""))?;
    if stat.links > expected {
        let reason =
            format!("`{}` has {} names, and {expected} at most are expected", path.display(), stat.links);
        return Err(Refusal::new(reason, "find the others with `find -samefile`, and see what they are for"));
    }
    Ok(())
}

/// Whether sendmail(1) takes this argument for one address and nothing else.
pub fn is_plain_address(address: &[u8]) -> bool {
    let plain = |byte: &u8| (byte.is_ascii_graphic() && !SPLITTING.contains(byte)) || !byte.is_ascii();
    address.first().is_some_and(|first| !NO_ADDRESS.contains(first)) && address.iter().all(plain)
}

/// Refuses an address that sendmail(1) would take for something else: an option, a program, a file, or several addresses.
///
/// # Errors
/// When it is none that can be given to a program as it is.
pub fn plain_address(address: &[u8]) -> Result<(), Refusal> {
    if is_plain_address(address) {
        return Ok(());
    }
    let shown = String::from_utf8_lossy(address).into_owned();
    Err(Refusal::new(
        format!("`{shown}` is no plain address, and cannot be handed in again as it is"),
        BY_HAND,
    ))
}

/// Decodes xtext (RFC 3461 section 4); `None`: it is none.
pub fn xtext(value: &[u8]) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(value.len());
    let mut bytes = value.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'+' => {
                let mut digit = || char::from(*bytes.next()?).to_digit(16);
                let (high, low) = (digit()?, digit()?);
                decoded.push(u8::try_from(16 * high + low).ok()?);
            }
            b'!'..=b'~' if *byte != b'=' => decoded.push(*byte),
            _ => return None,
        }
    }
    Some(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::samples::lay_out;

    fn copied(content: &[u8], start: u64, extent: Extent) -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        lay_out(folder.path(), &[], &[("m", content)]);
        let (root, mut out) = (Root::open(folder.path()).unwrap(), Vec::new());
        copy(&root, Path::new("m"), start, extent, &mut out).unwrap();
        out
    }

    #[test]
    fn content_is_copied_to_the_byte_whatever_its_length_and_line_ends() {
        for length in [0, 1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 3 * PIECE_BYTES] {
            let content: Vec<u8> = (0..length).map(|at| u8::try_from(at % 251).unwrap()).collect();
            assert_eq!(copied(&content, 0, Extent::Whole), content);
        }
        assert_eq!(copied(b"-i|x\nA: b\r\n\r\nc", 5, Extent::Whole), b"A: b\r\n\r\nc");
    }

    #[test]
    fn a_header_ends_with_its_blank_line() {
        for (content, header) in [
            (&b"A: b\n c\n\nbody\n\n"[..], &b"A: b\n c\n\n"[..]),
            (b"A: b\r\n\r\nbody", b"A: b\r\n\r\n"),
            (b"A: b\n", b"A: b\n\n"),
            (b"A: b", b"A: b\n\n"),
        ] {
            assert_eq!(copied(content, 0, Extent::Header), header);
        }
        let long = [b"A: ".to_vec(), vec![b'x'; PIECE_BYTES - 4], b"\n\nbody".to_vec()].concat();
        assert_eq!(copied(&long, 0, Extent::Header), long[..long.len() - 4]);
    }

    #[test]
    fn an_address_is_not_an_option_nor_a_program_nor_two() {
        for plain in ["a@b.example", "root", "o'brien+x=y@b.example", "m\u{fc}ller@b.example"] {
            assert!(is_plain_address(plain.as_bytes()), "{plain}");
        }
        let others = [
            "",
            "-fx@b",
            "|/bin/sh",
            "/tmp/x",
            ":include:/x",
            "\\a",
            "a@b,c@d",
            "a b@c",
            "\"a b\"@c",
            "a\n@b",
        ];
        for other in others {
            assert!(!is_plain_address(other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn xtext_is_decoded_or_none() {
        assert_eq!(xtext(b"rfc822;a+2Bb@c"), Some(b"rfc822;a+b@c".to_vec()));
        for other in [&b"a+2"[..], b"a+zz", b"a=b", b"a b", b"\xff"] {
            assert_eq!(xtext(other), None);
        }
    }
}
