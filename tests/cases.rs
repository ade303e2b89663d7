//! Command lines as data.
