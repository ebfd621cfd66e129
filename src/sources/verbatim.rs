//! A message as it lies in a file: written out byte for byte, and what else has to be certain before it is taken out of a mail
//! system and handed in anew.

use super::Extent;
use crate::evidence::{Damage, Text};
use crate::plan::{Given, Outgoing, OutgoingRecipient, Refusal};
use crate::read::disk::Root;
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write};
use std::path::Path;

/// Read at once.
const CHUNK: usize = 64 << 10;
/// A header that has no end within this is none. Exchange allows 64 KiB, Postfix keeps 100 KiB; this is for everything beyond.
const MAX_HEADER_BYTES: u64 = 1 << 20;

/// What the operator has to name where the envelope is lost.
pub const NAME_THEM: &str = "name those who are to get it with `--to`, and its envelope sender with `--mail-from`, from the logs of the mail system";

/// What tells that the end of a message is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The last line has no end. Whatever was cut off between two lines cannot be told from the bytes.
    OfLine,
    /// The same, or a zero byte: what a power loss leaves of a file on NTFS, and text mail never holds.
    OfLineWithoutNul,
}

/// Writes the message that begins at this byte of a file.
///
/// # Errors
/// [`Refusal`] if it cannot be read, is not there, or is certainly not whole; of [`Extent::Header`] only the header counts.
pub fn write(
    root: &Root,
    path: &Path,
    from: u64,
    extent: Extent,
    end: End,
    out: &mut dyn Write,
) -> Result<(), Refusal> {
    let file = root.open_file(path).map_err(|damage| unreadable(&damage))?;
    let failed = |error: io::Error| unreadable(&root.refused(path, &error));
    let mut reader = file.reader().map_err(failed)?;
    reader.seek(SeekFrom::Start(from)).map_err(failed)?;
    let length = file.stat.size.saturating_sub(from);
    let mut reader = BufReader::with_capacity(CHUNK, reader.take(length));
    match extent {
        Extent::Whole => whole(&mut reader, length, end, out, &failed),
        Extent::Header => header(&mut reader, end, out, &failed),
    }
}

fn whole(
    reader: &mut BufReader<io::Take<std::fs::File>>,
    length: u64,
    end: End,
    out: &mut dyn Write,
    failed: &dyn Fn(io::Error) -> Refusal,
) -> Result<(), Refusal> {
    let mut written = 0_u64;
    // The end of what came before: a line end counts as one, so that a message may begin with the blank line.
    let (mut before, mut blank_line) = (vec![b'\n'], false);
    loop {
        let chunk = reader.fill_buf().map_err(failed)?;
        if chunk.is_empty() {
            break;
        }
        no_nul(chunk, end)?;
        out.write_all(chunk).map_err(|error| unwritable(&error))?;
        let count = chunk.len();
        before.extend_from_slice(chunk);
        blank_line = blank_line || has_blank_line(&before);
        before.drain(..before.len().saturating_sub(2));
        written += count as u64;
        reader.consume(count);
    }
    if written == 0 {
        return Err(Refusal::new("there is no content in it", "ask the sender to send it again"));
    }
    if written < length {
        return Err(Refusal::new("it became shorter while it was read", "scan again"));
    }
    if !blank_line {
        return Err(Refusal::new(
            "it ends within its header: its body is missing",
            "copy it, and read what there is of it by hand",
        ));
    }
    if before.last() != Some(&b'\n') {
        return Err(Refusal::new(
            "its last line has no end: the end of the message is missing",
            "copy it and look at its end by hand; its sender has all of it",
        ));
    }
    Ok(())
}

/// Whether a blank line ends the header in these bytes. A header without one may be whole (RFC 5322 section 2.1), but what
/// was cut off after it cannot be told then.
fn has_blank_line(bytes: &[u8]) -> bool {
    [&b"\n\n"[..], b"\n\r\n"].iter().any(|end| memchr::memmem::find(bytes, end).is_some())
}

fn header(
    reader: &mut BufReader<io::Take<std::fs::File>>,
    end: End,
    out: &mut dyn Write,
    failed: &dyn Fn(io::Error) -> Refusal,
) -> Result<(), Refusal> {
    let mut reader = reader.take(MAX_HEADER_BYTES);
    let mut line = Vec::new();
    loop {
        line.clear();
        reader.read_until(b'\n', &mut line).map_err(failed)?;
        if !line.ends_with(b"\n") {
            return Err(Refusal::new(
                "its header has no end",
                "copy it and read what there is of it by hand",
            ));
        }
        no_nul(&line, end)?;
        out.write_all(&line).map_err(|error| unwritable(&error))?;
        if matches!(line.as_slice(), b"\n" | b"\r\n") {
            return Ok(());
        }
    }
}

fn no_nul(bytes: &[u8], end: End) -> Result<(), Refusal> {
    if end == End::OfLineWithoutNul && memchr::memchr(0, bytes).is_some() {
        return Err(Refusal::new(
            "it has zero bytes in it, as a power loss leaves them in place of the content",
            "save the readable part, and look for the message at its sender or in a backup",
        ));
    }
    Ok(())
}

/// What could not be read, as a refusal.
pub fn unreadable(damage: &Damage) -> Refusal {
    Refusal::new(format!("`{}`: {}", damage.locus.path.lossy(), damage.what), damage.hint.clone())
}

fn unwritable(error: &io::Error) -> Refusal {
    Refusal::new(
        format!("it could not be written out: {error}"),
        "look whether there is room where it is to be put",
    )
}

/// The envelope of a half: nothing but what the operator gave, besides a sender that is known.
pub fn named_by_hand(sender: Option<Text>, given: &Given) -> Outgoing {
    Outgoing { sender, ..Outgoing::default() }.with(given, true)
}

/// One recipient to whom nothing else belongs.
pub fn recipient(address: Text) -> OutgoingRecipient {
    OutgoingRecipient { address, ..OutgoingRecipient::default() }
}

/// Refuses an envelope with which nothing can be handed in, or returned. Whether the null sender, too, stands against a return is not
/// decided here: somebody else may be told (`act::ndr::gate`).
///
/// # Errors
/// [`Refusal`] if the sender or every recipient is unknown, nobody waits for the message any more, an address holds what no
/// address holds.
pub fn complete(outgoing: &Outgoing) -> Result<(), Refusal> {
    let Some(sender) = &outgoing.sender else {
        return Err(Refusal::new("its envelope sender is not known", NAME_THEM));
    };
    if outgoing.recipients.is_empty() {
        return Err(if outgoing.delivered.is_empty() {
            Refusal::new("its recipients are not known", NAME_THEM)
        } else {
            Refusal::new("all of its recipients have it already, or were given up", "")
        });
    }
    let addresses = outgoing.recipients.iter().map(|recipient| &recipient.address);
    for address in addresses.chain([sender]) {
        if address.bytes().iter().any(u8::is_ascii_control) {
            return Err(Refusal::new(
                "an address of its envelope has control characters in it",
                "look at the envelope by hand: something else than the mail system wrote it",
            ));
        }
    }
    if outgoing.recipients.iter().any(|recipient| recipient.address.is_empty()) {
        return Err(Refusal::new("a recipient of its envelope is empty", NAME_THEM));
    }
    Ok(())
}

/// Refuses to take a spool for one that no mail system uses while one is seen to.
///
/// # Errors
/// [`Refusal`] if the operator said so and a process works there.
pub fn really_offline(instance: &crate::evidence::Instance, given: &Given) -> Result<(), Refusal> {
    match instance.live.filter(|_| given.offline) {
        Some(live) => Err(Refusal::new(
            format!("process {} works in this spool, so that it is not offline", live.pid),
            "leave out `--offline`, or stop the mail system first",
        )),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(bytes: &[u8], extent: Extent, end: End) -> Result<Vec<u8>, Refusal> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("m"), bytes).unwrap();
        let root = Root::open(folder.path()).unwrap();
        let mut out = Vec::new();
        write(&root, Path::new("m"), 2, extent, end, &mut out).map(|()| out)
    }

    #[test]
    fn a_message_is_written_as_it_lies_there() {
        let bytes = b"..A: b\r\nC: d\r\n\r\nbody\0\n";
        assert_eq!(written(bytes, Extent::Whole, End::OfLine).unwrap(), &bytes[2..]);
        assert_eq!(written(bytes, Extent::Header, End::OfLine).unwrap(), b"A: b\r\nC: d\r\n\r\n");
        let refusal = written(bytes, Extent::Whole, End::OfLineWithoutNul).unwrap_err();
        assert!(refusal.reason.contains("zero bytes"), "{refusal:?}");
    }

    #[test]
    fn what_is_certainly_cut_off_is_refused() {
        for (bytes, reason) in [
            (&b".."[..], "no content"),
            (b"", "no content"),
            (b"..A: b\n\nbody", "end of the message"),
            (b"..A: b\n", "header"),
        ] {
            let refusal = written(bytes, Extent::Whole, End::OfLine).unwrap_err();
            assert!(refusal.reason.contains(reason), "{refusal:?}");
        }
        assert!(written(b"..A: b\n", Extent::Header, End::OfLine).unwrap_err().reason.contains("header"));
        assert!(written(b"..A: b\n\ncut", Extent::Header, End::OfLine).is_ok(), "the header is there");
        let endless = [&b".."[..], &b"A: b\n".repeat(400_000)].concat();
        assert!(written(&endless, Extent::Header, End::OfLine).is_err());
    }

    #[test]
    fn the_blank_line_is_found_wherever_it_is_read() {
        for padding in (CHUNK - 12)..(CHUNK + 4) {
            let header = [&b"..A: "[..], &vec![b'x'; padding], b"\r\n\r\n"].concat();
            assert!(written(&header, Extent::Whole, End::OfLine).is_ok(), "{padding}");
            assert!(written(&header[..header.len() - 2], Extent::Whole, End::OfLine).is_err(), "{padding}");
        }
    }

    #[test]
    fn nothing_is_returned_to_nobody_or_sent_to_what_is_no_address() {
        let outgoing = |sender: &str, recipients: &[&str]| Outgoing {
            sender: Some(Text::from(sender)),
            recipients: recipients.iter().map(|address| recipient(Text::from(*address))).collect(),
            ..Outgoing::default()
        };
        assert!(complete(&outgoing("", &["a@b"])).is_ok());
        assert!(complete(&outgoing("a@b", &["a@b\n"])).is_err());
        assert!(complete(&outgoing("a@b", &[""])).is_err());
        let nobody = complete(&outgoing("a@b", &[])).unwrap_err();
        assert!(nobody.hint.contains("`--to`"), "{nobody:?}");
        let served = Outgoing { delivered: vec![Text::from("c@d")], ..outgoing("a@b", &[]) };
        assert!(complete(&served).unwrap_err().reason.contains("already"));
    }
}
