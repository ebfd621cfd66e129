//! The first part of a report: what a person reads.

use super::status::said;
use super::{Notice, field};
use crate::evidence::Time;
use crate::plan::Ret;

/// Columns of a line; a word that is longer stands alone.
const WIDTH: usize = 76;

/// The text.
pub fn text(notice: &Notice, returned: bool) -> String {
    let host = field::host(&notice.host);
    let mut text = paragraph("", &format!("This is the mail system at host {host}."));
    text.push('\n');
    text.push_str(&paragraph("", &happened(notice, &host)));
    text.push_str("\nIt was NOT delivered to:\n\n");
    for failed in &notice.recipients {
        let said = said(notice, failed);
        let line = format!("<{}>: {} ({})", field::address(&failed.address), said.reason, said.status);
        text.push_str(&paragraph("    ", &line));
        if let Some(answer) = said.last_answer {
            text.push_str(&paragraph("    ", &format!("    The last attempt ended with: {answer}")));
        }
    }
    text.push('\n');
    text.push_str(&paragraph("", advice(notice)));
    text.push('\n');
    text.push_str(&times(notice));
    text.push('\n');
    let ask = format!(
        "If you have questions, write to <postmaster@{host}>, and give the queue ID or the Message-ID.{}",
        match (returned, notice.ret) {
            (false, _) => "",
            (true, Ret::Full) => " The message itself follows below.",
            (true, Ret::Hdrs) => " The header of the message follows below.",
        }
    );
    text.push_str(&paragraph("", &ask));
    text
}

fn happened(notice: &Notice, host: &str) -> String {
    let sender = field::address(&notice.sender);
    let whose = if notice.addressee == notice.sender {
        "A message with your address as its sender".to_owned()
    } else if sender.is_empty() {
        "A message without a sender (this report goes to you by decision of the operator)".to_owned()
    } else {
        format!("A message from <{sender}> (this report goes to you by decision of the operator)")
    };
    let source = field::ascii(&notice.source.as_str().into());
    let mut text = format!("{whose} was found on {host}, held by {source}");
    let since = notice.since.map(|since| format!(" since {}", time(since))).unwrap_or_default();
    if notice.unlisted == Some(true) {
        text.push_str(", invisible to its queue listing");
    }
    text.push_str(&since);
    text.push_str(". ");
    text.push_str(notice.cause.what);
    text
}

fn advice(notice: &Notice) -> &'static str {
    if notice.addressee == notice.sender {
        "The message has been taken out of the queue: nothing is on its way to these recipients any more, and nobody will \
         try again. If it still matters, please send it again. If you did not send it, somebody used your address, and \
         there is nothing you have to do."
    } else {
        "The message has been taken out of the queue: nothing is on its way to these recipients any more, and nobody will \
         try again. Its sender was not told."
    }
}

fn times(notice: &Notice) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: &str| {
        if !value.is_empty() {
            text.push_str(&paragraph("    ", &format!("{name}: {value}")));
        }
    };
    line("Came in", &notice.arrival.map(time).unwrap_or_default());
    line("Last tried", &notice.last_attempt.map(time).unwrap_or_default());
    line("Returned", &time(notice.now));
    line("Queue ID", &field::ascii(&notice.queue_id));
    line("Message-ID", &notice.original_id.as_ref().map(field::ascii).unwrap_or_default());
    text
}

/// In UTC, and as the clocks show it where the mail was found.
fn time(time: Time) -> String {
    let utc = Time::from_unix(time.seconds).rfc3339().replace('T', " ").replace('Z', " UTC");
    format!("{utc} ({} local time)", time.local())
}

/// Text in lines, those after the first indented. Blanks are kept where no line is broken, since an address may hold some.
fn paragraph(indent: &str, text: &str) -> String {
    let mut lines = String::new();
    let mut width = 0;
    for (number, word) in text.split(' ').enumerate() {
        let length = word.chars().count();
        if number > 0 && width + 1 + length > WIDTH && width > 0 {
            lines.push('\n');
            lines.push_str(indent);
            width = indent.len();
        } else if number > 0 {
            lines.push(' ');
            width += 1;
        }
        lines.push_str(word);
        width += length;
    }
    lines.push('\n');
    lines
}
