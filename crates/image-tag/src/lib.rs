//! Image tags and labels from the event of a run: what docker/metadata-action gives, without its surprises.
//!
//! [`derive()`] is a function of values: it reads no environment, file or clock, and prints nothing. Text from outside
//! (branch names, descriptions) is data throughout: it is never read as an expression, and every tag is valid whatever
//! a branch is called.

mod attributes;
pub mod cli;
mod collation;
mod derive;
mod derived;
mod entry;
mod error;
mod expression;
mod facts;
mod flavor;
mod git;
mod image_name;
mod images;
mod labels;
mod list;
mod moment;
mod request;
mod run;
mod tag_name;
mod types;
mod version;
mod warning;

pub use derive::derive;
pub use derived::{Derived, Outcome, Rule};
pub use error::{Error, Input};
pub use facts::{Facts, Repository};
pub use labels::Label;
pub use list::ListError;
pub use request::Request;
pub use run::run;
pub use tag_name::Mended;
pub use warning::Warning;
