//! Real spools of sendmail 8.17.1, opened through the door that a scan uses.
