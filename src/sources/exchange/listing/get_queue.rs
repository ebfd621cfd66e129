//! `Get-Queue | Export-Csv`: how many messages each queue holds, and none of them.

use super::table::{self, Field};
use crate::evidence::ListingEnd;
use crate::sources::{EmitEntry, ListingFormat};
use std::io::{self, BufRead};

/// The format.
pub const FORMAT: ListingFormat = ListingFormat {
    name: "Get-Queue CSV",
    about: "Get-Queue | Export-Csv FILE: a number of messages for each queue, nothing about any one of them",
    looks_like,
    parse,
};

fn looks_like(head: &[u8]) -> bool {
    table::sniff(head).is_some_and(|headings| {
        let queue = [Field::Identity, Field::DeliveryType, Field::NextHop];
        headings.has(Field::MessageCount) && queue.into_iter().any(|field| headings.has(field))
    })
}

/// Copies in shadow queues are no undelivered mail and are not counted.
fn parse(input: &mut dyn BufRead, _emit: &mut EmitEntry<'_>) -> io::Result<ListingEnd> {
    let mut declared = 0_u64;
    let mut end = table::rows(input, &mut |row| {
        let count = row.get(Field::MessageCount).and_then(super::plain_number);
        let count = count.ok_or_else(|| "no number of messages".to_owned())?;
        let delivery = row.get(Field::DeliveryType).unwrap_or_default();
        if !delivery.eq_ignore_ascii_case("ShadowRedundancy") {
            declared = declared.saturating_add(count);
        }
        Ok(())
    })?;
    end.declared = Some(declared);
    end.cut = end.cut.or_else(|| Some("it lists queues, not messages".to_owned()));
    Ok(end)
}
