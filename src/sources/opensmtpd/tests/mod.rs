//! Real spools.
