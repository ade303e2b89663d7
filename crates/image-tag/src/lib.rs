//! Image tags and labels from the event of a run: what docker/metadata-action gives, without its surprises.
//!
//! [`derive()`] is a function of values: it reads no environment, file or clock, and prints nothing. Text from outside
//! (branch names, descriptions) is data throughout: it is never read as an expression, and every tag is valid whatever
//! a branch is called.

mod api;
mod asking;
mod attributes;
mod bake;
mod checkout;
mod ci;
pub mod cli;
mod collation;
mod derive;
mod derived;
mod digest;
mod entry;
mod error;
mod event_ref;
mod explain;
mod expression;
mod facts;
mod files;
mod flavor;
mod gather;
mod guard;
mod image_name;
mod images;
mod inputs;
mod labels;
mod lines;
mod list;
mod metadata;
mod mode;
mod moment;
mod number;
mod remote;
mod request;
mod run;
mod story;
mod subject;
mod tag_name;
mod tag_prefix;
mod types;
mod version;
mod version_from;
mod version_order;
mod warning;
mod worlds;

pub use derive::derive;
pub use derived::{About, Derived, ImageTags, Outcome, Rule};
pub use error::{Error, Input};
pub use facts::{Facts, History, Repository};
pub use labels::Label;
pub use list::ListError;
pub use mode::Mode;
pub use request::Request;
pub use run::run;
pub use tag_name::Mended;
pub use warning::Warning;
