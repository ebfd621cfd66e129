//! Mail headers. The one door to mail-parser.
