//! Scanning: finding places, walking them, reading them in parallel.
