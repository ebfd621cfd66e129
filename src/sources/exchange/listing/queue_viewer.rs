//! "Export List" of Queue Viewer (Exchange 2007 and later) and of System Manager (Exchange 2000 and 2003): text, tab- or
//! comma-delimited, in the machine's code page or in UTF-16, cells not quoted.

use super::table::{self, Field, Headings};
use super::{PAGE, read_messages};
use crate::evidence::ListingEnd;
use crate::sources::{EmitEntry, ListingFormat};
use std::io::{self, BufRead};

/// Queue Viewer. Columns: Microsoft, "Queue Viewer" (From Address, Status, Size (KB), SCL, Queue ID, Message Source Name,
/// Subject, Last Error, and others that can be added).
pub const FORMAT: ListingFormat = ListingFormat {
    name: "Queue Viewer export",
    about: "Queue Viewer, tab Messages, Export List; raise the number of items per page first (1,000 by default)",
    looks_like: |head| {
        table::sniff(head).is_some_and(|headings| headings.spaced && is_message_list(&headings))
    },
    parse,
};

/// System Manager of Exchange 2000 and 2003. No export was at hand: the headings are inferred from what it shows.
pub const SYSTEM_MANAGER: ListingFormat = ListingFormat {
    name: "System Manager export",
    about: "System Manager (Exchange 2000 and 2003), Queues, Find Messages, Export List (headings inferred)",
    looks_like: |head| {
        table::sniff(head).is_some_and(|headings| {
            headings.has(Field::Sender) && headings.has(Field::Subject) && headings.known() >= 3
        })
    },
    parse,
};

fn is_message_list(headings: &Headings) -> bool {
    headings.known() >= 3
        && headings.has_name(&["fromaddress", "queueid", "internetmessageid", "messagesourcename"])
        && (headings.has(Field::Sender) || headings.has(Field::Subject))
}

fn parse(input: &mut dyn BufRead, emit: &mut EmitEntry<'_>) -> io::Result<ListingEnd> {
    read_messages(input, emit, |rows| {
        (rows > 0 && rows % PAGE == 0).then(|| {
            format!("{rows} messages are full pages of {PAGE}, the number that is shown by default: more may follow")
        })
    })
}
