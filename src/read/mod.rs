//! The only ways in: everything that ghostq reads comes through here, bounded and without following links.

pub mod content;
pub mod disk;
pub mod lines;
pub mod manifest;
pub mod memory;
pub mod mime;
pub mod process;
pub mod streams;
