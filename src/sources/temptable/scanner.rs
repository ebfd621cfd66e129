//! The XML of MFCMAPI, line by line.
//!
//! It looks like XML and is none: from 2020 to 2026 it is UTF-16 that declares ISO-8859-1, in 2016 there was an element
//! `<Other Names>`, names and attribute values are written without escapes, and so is `]]>` within CDATA
//! (`core/property/property.cpp`, `core/mapi/processor/dumpStore.cpp`). An XML parser stops at the first of these, and
//! the messages behind it would be lost. But MFCMAPI puts every element on a line of its own, and that always holds. So
//! lines are read; after damage, reading goes on at the next element that closes a property, row or message.
//!
//! Nothing in the format keeps a subject with line breaks from imitating the elements that follow it. Such text can add
//! rows; it cannot hide one, since reading never ends before the file does.

use super::property::{Property, Slot, room_for};
use std::ops::ControlFlow;

/// What a line amounts to.
#[derive(Debug)]
pub enum Event<'l> {
    /// An element opens: its name, and the whole line for its attributes.
    Open(&'l str, &'l str),
    /// An element closes.
    Close(&'l str),
    /// A property is complete.
    Property(Property),
    /// Something was not as it should be; reading goes on.
    Broken(&'static str),
}

/// Takes events in.
pub type Take<'t> = dyn FnMut(Event<'_>) -> ControlFlow<()> + 't;

/// Where the scanner is.
#[derive(Debug, Default)]
pub struct Scanner {
    property: Option<Property>,
    /// The value whose CDATA goes on over several lines.
    open: Option<Open>,
    /// Within a value that has several values (`mv="true"`), each in a `<row>` of its own.
    many: bool,
    body: Body,
    after_property: bool,
}

#[derive(Debug)]
struct Open {
    element: String,
    form: Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Value,
    Alternative,
    Other,
}

/// A body is passed over, however long it is.
#[derive(Debug, Default, PartialEq, Eq)]
enum Body {
    #[default]
    Outside,
    Before,
    Within,
}

impl Scanner {
    /// Reads one line; `cut` says that its end is missing because it was too long.
    pub fn line(&mut self, text: &str, cut: bool, take: &mut Take<'_>) -> ControlFlow<()> {
        if self.body != Body::Outside {
            self.body_line(text);
            return ControlFlow::Continue(());
        }
        if self.open.is_some() && !self.go_on(text, cut, take)? {
            return ControlFlow::Continue(());
        }
        let line = text.trim_matches([' ', '\t', '\r']);
        let Some((closing, name)) = name_of(line) else { return ControlFlow::Continue(()) };
        match (closing, name) {
            (false, "property") => {
                self.flush(take)?;
                self.property = Some(begin(line));
            }
            (true, "property") => self.flush(take)?,
            (true, "Value") => self.many = false,
            (_, "row") if self.many => {}
            (false, "body") => {
                self.body = if line.contains("<![CDATA[") { Body::Within } else { Body::Before }
            }
            (false, element) if self.property.is_some() && is_part(element) => {
                self.element(element, line, cut);
            }
            (false, element) => {
                self.flush(take)?;
                take(Event::Open(element, line))?;
                if line.ends_with("/>") {
                    take(Event::Close(element))?;
                }
            }
            (true, element) if is_part(element) => {}
            (true, element) => {
                self.flush(take)?;
                take(Event::Close(element))?;
            }
        }
        ControlFlow::Continue(())
    }

    /// Whether the file ends in the middle of a property or a body.
    pub fn is_within(&self) -> bool {
        self.property.is_some() || self.body != Body::Outside
    }

    fn flush(&mut self, take: &mut Take<'_>) -> ControlFlow<()> {
        self.many = false;
        match self.property.take() {
            Some(property) => take(Event::Property(property)),
            None => ControlFlow::Continue(()),
        }
    }

    fn body_line(&mut self, text: &str) {
        let line = text.trim_end();
        match self.body {
            // A body that could not be read has an error in place of CDATA (`OutputBody` in dumpStore.cpp).
            Body::Before if line == "</body>" => self.body = Body::Outside,
            Body::Before if line.starts_with("<![CDATA[") => self.body = Body::Within,
            _ => {}
        }
        if self.body == Body::Within && line.ends_with("]]></body>") {
            self.body = Body::Outside;
        }
    }

    /// Goes on with a value of several lines. Returns whether the line is still to be read as an element.
    fn go_on(&mut self, text: &str, cut: bool, take: &mut Take<'_>) -> ControlFlow<(), bool> {
        let Some(open) = self.open.take() else { return ControlFlow::Continue(true) };
        let line = text.trim_end();
        let end = format!("]]></{}>", open.element);
        if let Some(last) = line.strip_suffix(end.as_str()) {
            self.push(open.form, last, false);
            self.after_property = false;
            return ControlFlow::Continue(false);
        }
        // The end of the value was lost: a property closes, and behind it comes what only comes behind a property.
        let element = line.trim_start();
        if self.after_property && (element.starts_with("<property ") || is_end(element)) {
            self.after_property = false;
            if let Some(slot) = self.slot(open.form) {
                slot.cut = true;
            }
            take(Event::Broken("a value is too long or not closed; reading went on behind it,"))?;
            self.flush(take)?;
            return ControlFlow::Continue(true);
        }
        self.after_property = element == "</property>";
        self.push(open.form, text.trim_end_matches('\r'), cut);
        self.push(open.form, "\n", false);
        self.open = Some(open);
        ControlFlow::Continue(false)
    }

    fn element(&mut self, element: &str, line: &str, cut: bool) {
        let Some(start) = line.find('>') else { return };
        let (tag, content) =
            (line.get(..start).unwrap_or_default(), line.get(start + 1..).unwrap_or_default());
        let form = match element {
            "Value" => Form::Value,
            "AltValue" => Form::Alternative,
            "SmartView" | "Flags" => Form::Other,
            _ => {
                self.names(content);
                return;
            }
        };
        if form == Form::Value && attribute(tag, "mv").is_some() {
            self.many = true;
            return;
        }
        if let Some(slot) = self.slot(form) {
            slot.declared = attribute(tag, "cb").and_then(|count| count.parse().ok());
            if !slot.text.is_empty() {
                slot.push("; ", room_for(form == Form::Alternative));
            }
        }
        self.content(element, form, content, cut);
    }

    fn content(&mut self, element: &str, form: Form, content: &str, cut: bool) {
        let Some(text) = content.strip_prefix("<![CDATA[") else {
            let whole = content.rfind("</").and_then(|end| content.get(..end));
            self.push(form, whole.unwrap_or(content), cut || whole.is_none());
            return;
        };
        if let Some(text) = text.strip_suffix(format!("]]></{element}>").as_str()) {
            self.push(form, text, cut);
        } else {
            self.push(form, text, cut);
            self.push(form, "\n", false);
            self.open = Some(Open { element: element.to_owned(), form });
            self.after_property = false;
        }
    }

    fn names(&mut self, content: &str) {
        let content = content.rfind("</").and_then(|end| content.get(..end)).unwrap_or(content);
        let content =
            content.strip_prefix("<![CDATA[").and_then(|text| text.strip_suffix("]]>")).unwrap_or(content);
        if let Some(property) = &mut self.property {
            property.add_names(content);
        }
    }

    fn push(&mut self, form: Form, text: &str, cut: bool) {
        if let Some(slot) = self.slot(form) {
            slot.push(text, room_for(form == Form::Alternative));
            slot.cut |= cut;
        }
    }

    fn slot(&mut self, form: Form) -> Option<&mut Slot> {
        let property = self.property.as_mut()?;
        match form {
            Form::Value => Some(&mut property.value),
            Form::Alternative => Some(&mut property.alternative),
            Form::Other => None,
        }
    }
}

/// The elements within a property, in all dialects: `PropXMLNames` in `core/mapi/columnTags.h`, before 2016-11
/// `ExactNames` and `PartialNames`, for five weeks of 2016 `Other Names`.
fn is_part(element: &str) -> bool {
    matches!(
        element,
        "Value"
            | "AltValue"
            | "SmartView"
            | "Flags"
            | "Name"
            | "OtherNames"
            | "Other"
            | "ExactNames"
            | "PartialNames"
            | "NamedPropGUID"
            | "NamedPropName"
    )
}

fn is_end(element: &str) -> bool {
    ["</row>", "</message>", "</properties>", "</propertypane>", "</recipient>", "</mailbox>"]
        .contains(&element)
}

fn begin(line: &str) -> Property {
    let tag = attribute(line, "tag").and_then(|tag| tag.strip_prefix("0x"));
    let tag = tag.and_then(|digits| u32::from_str_radix(digits, 16).ok()).unwrap_or_default();
    Property { tag, ..Property::default() }
}

/// Whether an element closes, and its name.
fn name_of(line: &str) -> Option<(bool, &str)> {
    let rest = line.strip_prefix('<')?;
    let (closing, rest) = rest.strip_prefix('/').map_or((false, rest), |rest| (true, rest));
    // At the end of a cut file `</table` is not yet `</table>`.
    if closing && !rest.contains('>') {
        return None;
    }
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
    rest.get(..end).filter(|name| !name.is_empty()).map(|name| (closing, name))
}

/// The value of an attribute, written `name="value"` or `name = "value"`, up to the next quotation mark: no attribute
/// that is read with this can hold one.
pub fn attribute<'l>(line: &'l str, name: &str) -> Option<&'l str> {
    let mut rest = line;
    while let Some(at) = rest.find(name) {
        let starts_word = rest.get(..at)?.ends_with([' ', '\t']);
        rest = rest.get(at + name.len()..)?;
        if let Some(value) = rest.trim_start().strip_prefix('=').filter(|_| starts_word) {
            return value.trim_start().strip_prefix('"')?.split('"').next();
        }
    }
    None
}
