//! `Get-Message … | Export-Csv`. The order of the columns is not documented: they go by their headings.

use super::table::{self, Field};
use super::{PAGE, read_messages};
use crate::evidence::ListingEnd;
use crate::sources::{EmitEntry, ListingFormat};
use std::io::{self, BufRead};

/// The format.
pub const FORMAT: ListingFormat = ListingFormat {
    name: "Get-Message CSV",
    about: "Get-Message -ResultSize Unlimited | Select-Object Identity,Queue,Status,InternetMessageId,FromAddress,Subject,\
            @{n='DateReceivedUtc';e={$_.DateReceived.ToUniversalTime().ToString('o')}} | Export-Csv -Encoding UTF8 FILE",
    looks_like,
    parse,
};

/// Property names have no spaces, the headings that people read have.
fn looks_like(head: &[u8]) -> bool {
    table::sniff(head).is_some_and(|headings| {
        let named =
            headings.has(Field::Identity) || headings.has(Field::MessageId) || headings.has(Field::Queue);
        let known = [Field::Sender, Field::MessageId, Field::Subject, Field::Received];
        let message = known.into_iter().any(|field| headings.has(field));
        !headings.spaced && named && message && !headings.has(Field::MessageCount)
    })
}

fn parse(input: &mut dyn BufRead, emit: &mut EmitEntry<'_>) -> io::Result<ListingEnd> {
    read_messages(input, emit, |rows| {
        (rows == PAGE).then(|| {
            format!("exactly {PAGE} messages are what Get-Message shows without `-ResultSize Unlimited`")
        })
    })
}
