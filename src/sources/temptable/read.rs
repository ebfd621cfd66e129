//! Reading one file of an opened place.

use super::columns::IdKind;
use super::detect::{Verdict, judge};
use super::dialect::Shape;
use super::export::{Context, Sink};
use super::folder::messages_beside;
use super::open::Plan;
use super::{delimited, jsonlines, mrmapi, rows, text2007};
use crate::evidence::{Record, Text};
use crate::read::disk::OpenFile;
use crate::read::lines::Lines;
use crate::read::lines::decode_head;
use crate::sources::{Emit, Unit};
use std::collections::HashSet;
use std::io::{self, Read};
use std::ops::ControlFlow;

/// How much of a file is looked at before it is read.
const HEAD_BYTES: usize = 64 << 10;

/// Reads one file.
pub fn read(unit: Unit<'_>, plan: &Plan, emit: &mut Emit<'_>) -> ControlFlow<()> {
    let mut context = plan.context.clone();
    context.file = Text::from_path(unit.path);
    if let Some(folders) = &plan.folders {
        let (label, is_queue) = folders.label(unit.root, unit.path);
        if !is_queue {
            return emit(Record::Passed);
        }
        context.expected = label.expected();
        if let Some(name) = &label.folder {
            context.queue.clone_from(name);
        }
    }
    let file = match unit.root.open_file(unit.path) {
        Ok(file) => file,
        Err(damage) => return emit(Record::Damage(damage)),
    };
    let outcome = shape_of(&file, plan).and_then(|shape| match shape {
        Some(shape) if !shape.is_label() => read_file(&file, shape, unit, plan, context, emit),
        _ => Ok(emit(Record::Passed)),
    });
    outcome.unwrap_or_else(|error| emit(Record::Damage(unit.root.refused(unit.path, &error))))
}

fn read_file(
    file: &OpenFile,
    shape: Shape,
    unit: Unit<'_>,
    plan: &Plan,
    mut context: Context,
    emit: &mut Emit<'_>,
) -> io::Result<ControlFlow<()>> {
    if !shape.is_whole_folder() {
        context.expected = None;
    }
    if plan.folders.is_some() && shape.is_single() {
        // That one message has no stamp is no mistake in `--stamp`.
        context.stamp_option = None;
    }
    let reader = file.reader()?;
    if plan.folders.is_none() || shape != Shape::ContentsTable {
        return read_as(shape, reader, &context, emit);
    }
    let beside = messages_beside(unit.root, unit.path);
    read_as(shape, reader, &context, &mut |record| emit(without_own_file(record, &beside)))
}

fn shape_of(file: &OpenFile, plan: &Plan) -> io::Result<Option<Shape>> {
    let head = file.head(HEAD_BYTES)?;
    Ok(match judge(&head) {
        Verdict::Certain(shape, _) => Some(shape),
        // In a folder of files, one with a subject column may be anything.
        Verdict::Weak(shape, _) => plan.folders.is_none().then_some(shape),
        Verdict::Other(_) if plan.folders.is_some() => None,
        Verdict::Other(_) => {
            let text = decode_head(&head, plan.context.encoding);
            match jsonlines::first_keys(&text) {
                Some(_) => Some(Shape::JsonLines),
                None => delimited::header(&text).map(|(delimiter, _)| Shape::Delimited(delimiter)),
            }
        }
    })
}

/// The row of a message that is exported in full beside the table says nothing that its own file does not.
fn without_own_file(record: Record, beside: &HashSet<String>) -> Record {
    let Record::Message(message) = &record else { return record };
    let key = message.attributes.iter().find(|(name, _)| name == IdKind::Record.describe());
    match key {
        Some((_, key)) if beside.contains(key.lossy().as_ref()) => Record::Passed,
        _ => record,
    }
}

/// Reads an input of a known shape from its first byte to its last.
///
/// # Errors
/// When the input cannot be read.
pub fn read_as(
    shape: Shape,
    input: impl Read + Send + 'static,
    context: &Context,
    emit: &mut Emit<'_>,
) -> io::Result<ControlFlow<()>> {
    let mut sink = Sink::new(context, emit);
    match shape {
        Shape::Delimited(delimiter) => delimited::read(input, delimiter, &mut sink),
        Shape::JsonLines => jsonlines::read(&mut Lines::new(input)?, &mut sink),
        Shape::Text => text2007::read(&mut Lines::new(input)?, &mut sink),
        Shape::MrMapiList => mrmapi::read(&mut Lines::new(input)?, &mut sink),
        _ => rows::read(&mut Lines::new(input)?, shape, &mut sink),
    }
}
