//! Correlation: evidence in, opinions out. Pure.
