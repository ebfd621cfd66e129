//! fixtures.
