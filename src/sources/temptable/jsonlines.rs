//! Exports of one JSON object a line.

use super::export::{Ending, Sink};
use super::header_row::meaning;
use super::value::{Value, cut};
use crate::evidence::DamageKind;
use crate::read::lines::{Lines, MAX_LINE_BYTES, decode_single_byte};
use serde_json::{Map, Value as Json};
use std::io;
use std::ops::ControlFlow;

/// Elements of a list (recipients) that are looked at.
const MAX_ELEMENTS: usize = 10_000;

const WHOLE_OBJECTS: &str = "write one whole JSON object a line";

/// The keys of the first object in the first bytes of a file, if it is JSON lines. An object that is longer than the
/// head gives the keys that are in it.
pub fn first_keys(head: &str) -> Option<Vec<String>> {
    let line = head.lines().map(str::trim).find(|line| !line.is_empty())?;
    if !line.starts_with('{') {
        return None;
    }
    match serde_json::from_str::<Map<String, Json>>(line) {
        Ok(object) => Some(object.into_iter().map(|(key, _)| key).collect()),
        Err(error) if error.is_eof() && line.len() > 1 && !head.contains('\n') => Some(keys_in(line)),
        Err(_) => None,
    }
}

/// Every quoted text before a colon: enough to see what a long object is about.
fn keys_in(text: &str) -> Vec<String> {
    let pieces: Vec<&str> = text.split('"').collect();
    let keys = pieces.windows(2).filter_map(|pair| match pair {
        [key, after] if after.trim_start().starts_with(':') => Some((*key).to_owned()),
        _ => None,
    });
    keys.take(64).collect()
}

/// Reads an export from its first line to its last.
///
/// # Errors
/// When the file cannot be read.
pub fn read(lines: &mut Lines, sink: &mut Sink<'_, '_>) -> io::Result<ControlFlow<()>> {
    let mut unseen: Vec<&str> = sink.context.map.iter().map(|(column, _)| column.as_str()).collect();
    // An object that ends too early means that the file was cut, but only if nothing comes after it.
    let mut open_ended: Option<String> = None;
    while let Some(line) = lines.next_line()? {
        let text = decode_single_byte(&line.bytes, sink.context.encoding);
        if text.trim().is_empty() {
            continue;
        }
        if let Some(what) = open_ended.take()
            && sink.trouble(DamageKind::Malformed, what, WHOLE_OBJECTS).is_break()
        {
            return Ok(ControlFlow::Break(()));
        }
        let flow = match serde_json::from_str::<Map<String, Json>>(&text) {
            _ if line.cut > 0 => too_long(sink),
            Ok(object) => take(&object, &mut unseen, sink),
            Err(error) => {
                let _row = sink.begin();
                let what = format!("row {} is no JSON object: {error}", sink.rows());
                if error.is_eof() {
                    open_ended = Some(what);
                    ControlFlow::Continue(())
                } else {
                    sink.trouble(DamageKind::Malformed, what, WHOLE_OBJECTS)
                }
            }
        };
        if flow.is_break() {
            return Ok(flow);
        }
    }
    Ok(end(open_ended.is_some(), &unseen, sink))
}

fn too_long(sink: &mut Sink<'_, '_>) -> ControlFlow<()> {
    let _row = sink.begin();
    let what = format!("row {} is longer than {MAX_LINE_BYTES} bytes and was passed over", sink.rows());
    sink.trouble(DamageKind::Limit, what, "leave the bodies of the messages out of the export")
}

fn end(open_ended: bool, unseen: &[&str], sink: &mut Sink<'_, '_>) -> ControlFlow<()> {
    if !unseen.is_empty() && sink.rows() > 0 {
        let what = format!("no row has the columns that `--map` names: {}", unseen.join(", "));
        sink.trouble(DamageKind::Malformed, what, "name a key as it is spelt in the export")?;
    }
    let ending = if open_ended {
        Ending::Cut(format!("the export ends within row {}", sink.rows()))
    } else {
        Ending::Whole
    };
    sink.close(&ending)
}

fn take(object: &Map<String, Json>, unseen: &mut Vec<&str>, sink: &mut Sink<'_, '_>) -> ControlFlow<()> {
    let mut draft = sink.begin();
    for (key, json) in object {
        sink.saw_column(key);
        unseen.retain(|column| column.trim() != key.trim());
        if let (Some(field), Some(text)) = (meaning(key, sink.context), to_text(json)) {
            draft.set(field, cut(key, 128), &Value::Text(text));
        }
    }
    sink.finish(draft)
}

/// A JSON value as a cell. Lists become `;`-separated text; the two halves of a FILETIME its usual form.
fn to_text(json: &Json) -> Option<String> {
    match json {
        Json::Null => None,
        Json::String(text) => Some(text.clone()),
        Json::Bool(_) | Json::Number(_) => Some(json.to_string()),
        Json::Array(items) => {
            let texts: Vec<String> = items.iter().take(MAX_ELEMENTS).filter_map(element_text).collect();
            Some(texts.join(";"))
        }
        Json::Object(object) => match (half(object, "low"), half(object, "high")) {
            (Some(low), Some(high)) => Some(format!("Low: {low} High: {high}")),
            _ => element_text(json).or_else(|| Some(json.to_string())),
        },
    }
}

/// A recipient is text, or an object that holds its address.
fn element_text(json: &Json) -> Option<String> {
    match json {
        Json::String(text) => Some(text.clone()),
        Json::Object(object) => object
            .iter()
            .find(|(key, _)| {
                matches!(super::columns::normalise(key).as_str(), "address" | "emailaddress" | "smtpaddress")
            })
            .and_then(|(_, value)| value.as_str())
            .map(str::to_owned),
        Json::Number(_) => Some(json.to_string()),
        _ => None,
    }
}

fn half(object: &Map<String, Json>, name: &str) -> Option<String> {
    let (_, value) = object.iter().find(|(key, _)| key.eq_ignore_ascii_case(name))?;
    match value {
        Json::Number(number) => number.as_u64().map(|half| format!("0x{half:X}")),
        Json::String(text) => Some(text.clone()),
        _ => None,
    }
}
