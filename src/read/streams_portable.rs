//! Systems without extended attributes that could be read safely: there are none to be seen.

use super::{Named, OpenFile};

pub const AVAILABLE: bool = false;

pub fn list(_file: &OpenFile) -> (Vec<Named>, Option<String>) {
    (Vec::new(), None)
}

pub fn streams_list(_file: &OpenFile) -> Vec<Vec<u8>> {
    Vec::new()
}

pub fn value(_file: &OpenFile, _key: &[u8]) -> Result<Vec<u8>, (Option<u64>, String)> {
    Err((None, "extended attributes cannot be read on this system".to_owned()))
}
