//! Members of a JSON object, in the order in which they are set, with the reasons for what is not known.

use super::escape::for_json;
use crate::evidence::{At, Fact, Locus, Stamp, Text, Time};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::{Map, Value, json};

/// An object under construction.
#[derive(Default)]
pub struct Members {
    all: Map<String, Value>,
    unknown: Map<String, Value>,
}

impl Members {
    /// Sets a member.
    pub fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.all.insert(name.to_owned(), value.into());
    }

    /// Sets a member to one of a fixed set of names.
    pub fn set_name(&mut self, name: &str, value: impl Serialize) {
        self.set(name, serde_json::to_value(value).unwrap_or_default());
    }

    /// Sets a member to the bytes as text; where they are not UTF-8, `…_b64` beside it has them as they are.
    pub fn set_text(&mut self, name: &str, text: &Text) {
        self.set(name, for_json(text));
        if text.as_str().is_none() {
            self.set(&format!("{name}_b64"), STANDARD.encode(text.bytes()));
        }
    }

    /// Sets a member that may be unknown: null then, with the reason under `unknown`.
    pub fn set_or(&mut self, name: &str, value: Option<impl Into<Value>>, why_not: &str) {
        match value {
            Some(value) => self.set(name, value),
            None => self.set_unknown(name, why_not),
        }
    }

    /// The same for text.
    pub fn set_text_or(&mut self, name: &str, text: Option<&Text>, why_not: &str) {
        match text {
            Some(text) => self.set_text(name, text),
            None => self.set_unknown(name, why_not),
        }
    }

    /// Gives the reason why a member is not known, whatever its value.
    pub fn explain(&mut self, name: &str, why_not: &str) {
        self.unknown.insert(name.to_owned(), why_not.into());
    }

    /// The object; `unknown` is its last member.
    pub fn finish(mut self) -> Value {
        self.all.insert("unknown".to_owned(), Value::Object(self.unknown));
        Value::Object(self.all)
    }

    /// The object of something in which nothing can be unknown.
    pub fn finish_known(self) -> Value {
        Value::Object(self.all)
    }

    fn set_unknown(&mut self, name: &str, why_not: &str) {
        self.set(name, Value::Null);
        self.explain(name, why_not);
    }
}

/// A place: the path, and where in it.
pub fn locus(locus: &Locus) -> Value {
    let mut members = Members::default();
    members.set_text("path", &locus.path);
    match &locus.at {
        At::Whole => {}
        At::Metadata => members.set("metadata", true),
        At::Bytes(start, end) => members.set("bytes", json!([start, end])),
        At::Row(row) => members.set("row", *row),
        At::Line(line) => members.set("line", *line),
        At::Stream(name) => members.set("stream", name.as_str()),
    }
    members.finish_known()
}

/// Facts with their places.
pub fn facts(facts: &[Fact]) -> Value {
    facts.iter().map(fact).collect()
}

/// A fact with its place.
pub fn fact(fact: &Fact) -> Value {
    json!({ "text": fact.text, "locus": locus(&fact.locus) })
}

/// A stamp.
pub fn stamp(stamp: &Stamp) -> Value {
    json!({
        "original": stamp.original,
        "guid": stamp.guid,
        "time": stamp.time.map(Time::rfc3339),
        "hex": stamp.hex,
    })
}
