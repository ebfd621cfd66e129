//! A report as one message: `multipart/report` (RFC 6522).

use super::{Notice, field, id, status, text};
use crate::plan::Ret;
use memchr::memmem;
use std::io::{self, Read, Seek, SeekFrom, Write};

/// The original is read in pieces of this many bytes, whatever its size.
const PIECE: usize = 64 << 10;
/// How often another boundary is tried. One that occurs by chance would be the first ever seen.
const BOUNDARIES: u32 = 16;

/// What can be read again from its beginning.
pub trait Rewind: Read + Seek {}

impl<T: Read + Seek> Rewind for T {}

/// The original, byte for byte. It is read twice: before a report begins it has to be known whether it holds bytes of more than
/// seven bits, and that no line of it is taken for the end of its part.
pub struct Original<'a> {
    /// Its header, or all of it. Where [`Notice::ret`] asks for the header only, nothing behind the first blank line is used.
    pub content: &'a mut dyn Rewind,
}

/// What is known of the original before it is written.
#[derive(Debug, Default)]
struct Look {
    crlf: bool,
    eight_bit: bool,
    blank: bool,
}

/// Writes a report. Its lines end as those of the original do (with a line feed where there is none), so that a program which turns
/// line feeds into the line ends of SMTP finds one kind; the bytes of the original are not changed.
///
/// # Errors
/// `InvalidInput` where no correct report is possible: no recipient, an addressee that cannot stand in a header, a time
/// without a date. Otherwise what reading and writing meet with.
pub fn compose(notice: &Notice, original: Option<Original<'_>>, out: &mut dyn Write) -> io::Result<()> {
    let unfit = |why: &str| io::Error::new(io::ErrorKind::InvalidInput, why.to_owned());
    if notice.recipients.is_empty() {
        return Err(unfit("a report has to name a recipient"));
    }
    let to =
        field::mailbox(&notice.addressee).ok_or_else(|| unfit("the addressee cannot stand in a header"))?;
    let date = notice.now.rfc5322().ok_or_else(|| unfit("the time of the report has no date"))?;

    let mut original = original;
    let fields = status::fields(notice);
    let plain = |returned| text::text(notice, returned);
    let (boundary, look) = boundary(notice, [&fields, &plain(true)], original.as_mut())?;
    // A header of no field is no header.
    let original = original.filter(|_| !look.blank);
    let text = plain(original.is_some());

    let wide = [!text.is_ascii(), !fields.is_ascii(), original.is_some() && look.eight_bit];
    let mut head = header(notice, &to, &date);
    for line in
        ["Content-Type: multipart/report; report-type=delivery-status;\n boundary=\"", &boundary, "\"\n"]
    {
        head.push_str(line);
    }
    head.push_str(&encoding(wide.contains(&true)));
    head.push_str("\nThis is a report in several parts (RFC 3464).\n");

    head.push_str(&part(&boundary, "Notification", "text/plain; charset=utf-8", wide.first() == Some(&true)));
    head.push_str(&text);
    // RFC 3464 section 2.1: seven bits. With an address of more than ASCII it is another type, of eight (RFC 6533 section 4).
    let international = notice.is_international();
    let kind = if international { "message/global-delivery-status" } else { "message/delivery-status" };
    head.push_str(&part(&boundary, "Delivery report", kind, international));
    head.push_str(&fields);
    let mut lines = Lines { crlf: look.crlf, out };
    if let Some(original) = original {
        head.push_str(&part(&boundary, described(notice.ret), third(notice, &look), look.eight_bit));
        lines.write(&head)?;
        pieces(&mut *original.content, notice.ret, &mut |piece| lines.out.write_all(piece))?;
    } else {
        lines.write(&head)?;
    }
    lines.write(&format!("\n--{boundary}--\n"))?;
    lines.out.flush()
}

/// Writes lines with the line ends of this report.
struct Lines<'a> {
    crlf: bool,
    out: &'a mut dyn Write,
}

impl Lines<'_> {
    fn write(&mut self, text: &str) -> io::Result<()> {
        if self.crlf {
            self.out.write_all(text.replace('\n', "\r\n").as_bytes())
        } else {
            self.out.write_all(text.as_bytes())
        }
    }
}

fn header(notice: &Notice, to: &str, date: &str) -> String {
    let host = field::host(&notice.host);
    let mut head = format!("From: Mail Delivery System <MAILER-DAEMON@{host}>\n");
    head.push_str(&field::unfolded("To", "", to));
    head.push_str("Subject: Undelivered mail returned to its sender\n");
    head.push_str(&field::folded("Date", date));
    let own = field::reference(&notice.message_id.as_str().into()).map(str::to_owned);
    let own = own.unwrap_or_else(|| id::unique_id(&notice.host, notice.now));
    head.push_str(&field::folded("Message-ID", &own));
    if let Some(id) = notice.original_id.as_ref().and_then(field::reference) {
        head.push_str(&field::folded("In-Reply-To", id));
        head.push_str(&field::folded("References", id));
    }
    // RFC 3834 section 5.
    head.push_str("Auto-Submitted: auto-replied\nMIME-Version: 1.0\n");
    // A field of another mail system's name makes Sisimai take the report for one of that.
    let what = format!("{} {}", field::ascii(&notice.source.as_str().into()), field::ascii(&notice.queue_id));
    head.push_str(&field::folded("X-Ghostq-Returned", &what));
    head
}

fn encoding(eight_bit: bool) -> String {
    format!("Content-Transfer-Encoding: {}\n", if eight_bit { "8bit" } else { "7bit" })
}

fn part(boundary: &str, description: &str, kind: &str, eight_bit: bool) -> String {
    let encoding = encoding(eight_bit);
    format!("\n--{boundary}\nContent-Description: {description}\nContent-Type: {kind}\n{encoding}\n")
}

fn described(ret: Ret) -> &'static str {
    match ret {
        Ret::Full => "Undelivered message",
        Ret::Hdrs => "Header of the undelivered message",
    }
}

fn third(notice: &Notice, look: &Look) -> &'static str {
    // RFC 6533 section 4: with these types the header may be UTF-8. Elsewhere 8 bits in a header are what the sender wrote.
    match (notice.is_international() && look.eight_bit, notice.ret) {
        (false, Ret::Full) => "message/rfc822",
        (false, Ret::Hdrs) => "text/rfc822-headers",
        (true, Ret::Full) => "message/global",
        (true, Ret::Hdrs) => "message/global-headers",
    }
}

/// A boundary that occurs nowhere in the parts, and what else the look at the original showed.
fn boundary(
    notice: &Notice,
    own: [&str; 2],
    mut original: Option<&mut Original<'_>>,
) -> io::Result<(String, Look)> {
    for number in 0..BOUNDARIES {
        let boundary = format!("ghostq-{}", id::digest(&format!("{} {number}", notice.message_id)));
        if own.iter().any(|text| text.contains(&boundary)) {
            continue;
        }
        let look = match &mut original {
            Some(original) => look(&mut *original.content, notice.ret, &boundary)?,
            None => Some(Look { blank: true, ..Look::default() }),
        };
        if let Some(look) = look {
            return Ok((boundary, look));
        }
    }
    Err(io::Error::other("no boundary that does not occur in the message"))
}

/// Looks at the original; `None` where the boundary occurs in it.
fn look(content: &mut dyn Rewind, ret: Ret, boundary: &str) -> io::Result<Option<Look>> {
    let mut has_boundary = false;
    let mut look = Look { blank: true, ..Look::default() };
    let mut window: Vec<u8> = Vec::new();
    let mut in_first_line = true;
    let finder = memmem::Finder::new(boundary);
    pieces(content, ret, &mut |piece| {
        look.eight_bit |= !piece.is_ascii();
        look.blank &= piece.trim_ascii().is_empty();
        window.extend_from_slice(piece);
        if in_first_line && let Some(end) = memchr::memchr(b'\n', &window) {
            look.crlf = end.checked_sub(1).and_then(|at| window.get(at)) == Some(&b'\r');
            in_first_line = false;
        }
        has_boundary |= finder.find(&window).is_some();
        let kept = boundary.len().min(window.len());
        window.drain(..window.len() - kept);
        Ok(())
    })?;
    Ok((!has_boundary).then_some(look))
}

/// Reads what goes into the report, piece by piece: all of it, or as far as the blank line that ends the header.
fn pieces(
    content: &mut dyn Rewind,
    ret: Ret,
    take: &mut dyn FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    content.seek(SeekFrom::Start(0))?;
    let mut buffer = vec![0; PIECE];
    let mut end = HeaderEnd::default();
    loop {
        let length = match content.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let piece = buffer.get(..length).unwrap_or_default();
        let stop = if ret == Ret::Hdrs { end.find(piece) } else { None };
        take(piece.get(..stop.unwrap_or(length)).unwrap_or_default())?;
        if stop.is_some() {
            return Ok(());
        }
    }
}

/// Finds the blank line that ends a header, across pieces.
#[derive(Debug, Default)]
struct HeaderEnd {
    /// Whether the line holds anything yet, other than a carriage return at its start.
    in_line: bool,
}

impl HeaderEnd {
    /// Where the line behind the header starts, if it is in this piece.
    fn find(&mut self, piece: &[u8]) -> Option<usize> {
        for (at, byte) in piece.iter().enumerate() {
            match byte {
                b'\n' if !self.in_line => return Some(at + 1),
                b'\n' => self.in_line = false,
                b'\r' => {}
                _ => self.in_line = true,
            }
        }
        None
    }
}
