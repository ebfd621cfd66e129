//! The header of a message, as `PR_TRANSPORT_MESSAGE_HEADERS` holds it.

use super::value::cut;
use crate::evidence::{Time, parse_filetime};

/// Header fields that are looked at; a header is much shorter, and hostile ones are cut.
const MAX_FIELDS: usize = 512;
/// Longest value of one field.
const MAX_FIELD_BYTES: usize = 2_048;

/// What is read from a header.
#[derive(Debug, Default)]
pub struct Header {
    /// `Message-ID`, unchanged.
    pub message_id: Option<String>,
    /// `Date`, unchanged.
    pub date: Option<String>,
    /// `From`, unfolded.
    pub from: Option<String>,
    /// `X-OriginalArrivalTime`: the time and the whole value.
    pub arrival: Option<(Time, String)>,
}

/// Reads a header leniently; the first field of each name counts. No parser for whole messages is asked: there is no body
/// here, and the text has been through a store and an export.
pub fn parse(text: &str) -> Header {
    let mut header = Header::default();
    for (name, value) in fields(text) {
        let slot = match name.to_ascii_lowercase().as_str() {
            "message-id" => &mut header.message_id,
            "date" => &mut header.date,
            "from" => &mut header.from,
            "x-originalarrivaltime" => {
                header.arrival = header.arrival.take().or_else(|| Some((arrival_time(&value)?, value)));
                continue;
            }
            _ => continue,
        };
        slot.get_or_insert(value);
    }
    header
}

fn fields(text: &str) -> Vec<(&str, String)> {
    let mut fields: Vec<(&str, String)> = Vec::new();
    for line in text.lines() {
        if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = fields.last_mut() {
                let room = MAX_FIELD_BYTES.saturating_sub(value.len());
                value.push(' ');
                value.push_str(cut(line.trim(), room));
            }
        } else if line.is_empty() || fields.len() == MAX_FIELDS {
            break;
        } else if let Some((name, value)) = line.split_once(':') {
            fields.push((name.trim_end(), cut(value.trim(), MAX_FIELD_BYTES).to_owned()));
        }
    }
    fields
}

/// `14 Mar 2008 09:15:32.0456 (UTC) FILETIME=[F44FA680:01C885B3]`. That the low half comes first is not documented, but
/// the two halves cannot be mistaken: one of them lies between 01A00000 (1992) and 02600000 (2114).
fn arrival_time(value: &str) -> Option<Time> {
    let inner = value.split_once("FILETIME=[")?.1.split_once(']')?.0;
    let (one, other) = inner.split_once(':')?;
    let plausible = |high: &str| {
        u32::from_str_radix(high, 16).is_ok_and(|high| (0x01A0_0000..0x0260_0000).contains(&high))
    };
    let (low, high) = if plausible(other) { (one, other) } else { (other, one) };
    if !plausible(high) {
        return None;
    }
    parse_filetime(&format!("0x{high}:0x{low}")).map(Time::from_filetime)
}
