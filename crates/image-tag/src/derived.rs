//! What comes out: tags and labels as values, and as the text of the outputs.

use serde_json::{Map, Value, json};

use crate::labels::Label;
use crate::request::Request;
use crate::warning::Warning;

/// Everything that follows from a request and the facts.
#[derive(Debug, Clone, PartialEq)]
pub struct Derived {
    /// The first tag; empty when there is none.
    pub version: String,
    /// Tags with their image's name, all of the first image first; without names when no image is given.
    pub tags: Vec<String>,
    /// Tags without a name.
    pub tag_names: Vec<String>,
    /// Labels, sorted.
    pub labels: Vec<Label>,
    /// Tags and labels in one object: `tags`, `tag-names`, `labels`.
    pub json: Value,
    /// What may not be as it was meant.
    pub warnings: Vec<Warning>,
    /// What each rule of `tags` said, in the order they were asked.
    pub rules: Vec<Rule>,
}

/// What became of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The rule as written, cut to a readable length.
    pub text: String,
    /// What it gave.
    pub outcome: Outcome,
}

/// What a rule gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// A tag, which another rule may have given before.
    Tag(String),
    /// No tag, for this reason.
    Nothing(&'static str),
}

impl Derived {
    /// The outputs by name, in the order in which they are written. `request` says what stands between items.
    #[must_use]
    pub fn outputs(&self, request: &Request) -> [(&'static str, String); 5] {
        let labels: Vec<String> = self.labels.iter().map(Label::line).collect();
        [
            ("version", self.version.clone()),
            ("tags", self.tags.join(&request.sep_tags)),
            ("tag-names", self.tag_names.join(&request.sep_tags)),
            ("labels", labels.join(&request.sep_labels)),
            ("json", self.json.to_string()),
        ]
    }
}

/// The object of the `json` output.
pub(crate) fn json(tags: &[String], tag_names: &[String], labels: &[Label]) -> Value {
    let labels: Map<String, Value> = labels
        .iter()
        .map(|label| (label.key.clone(), Value::String(label.value.clone())))
        .collect();
    json!({ "tags": tags, "tag-names": tag_names, "labels": labels })
}
