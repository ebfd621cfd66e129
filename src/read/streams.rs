//! Named streams and extended attributes of a file.
