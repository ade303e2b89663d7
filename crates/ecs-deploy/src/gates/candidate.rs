//! The version that gates judge, and what it is called in gate files.

use gha::text;

use crate::history;
use crate::observed::revision_name;
use crate::place::Place;
use crate::task_definition::TaskDefinition;

/// What an image without a tag or digest is of.
const LATEST: &str = "latest";

/// The version that is judged.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// The ARN of its revision.
    pub revision: &'a str,
    /// What it is.
    pub definition: &'a TaskDefinition,
    /// The id of the deployment that starts its tasks, `ecs-svc/…`.
    pub deployment: &'a str,
}

impl Candidate<'_> {
    /// The variables that gate files know of it.
    pub(super) fn facts(&self, place: &Place<'_>) -> Vec<(String, String)> {
        let containers = || self.definition.containers();
        let main = containers().find(|container| container.is_essential());
        let image = main
            .or_else(|| containers().next())
            .and_then(|container| container.image());
        // Tags and digests of images come first, in their order.
        let version = history::versions(self.definition).into_iter().next();
        let values = [
            version.unwrap_or_else(|| LATEST.to_owned()),
            image.unwrap_or_default().to_owned(),
            revision_name(self.revision).to_owned(),
        ];
        named(values, place)
    }
}

/// The same where the new version is not known yet: texts of the same form.
pub(super) fn unknown(place: &Place<'_>) -> Vec<(String, String)> {
    named(["0.0.0", "image:0.0.0", "family:0"].map(str::to_owned), place)
}

fn named([version, image, revision]: [String; 3], place: &Place<'_>) -> Vec<(String, String)> {
    let cluster = place.cluster.rsplit('/').next().unwrap_or(&place.cluster);
    [
        ("version", version),
        ("image", image),
        ("revision", revision),
        ("service", place.service.clone()),
        ("cluster", cluster.to_owned()),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), text::line(&value)))
    .collect()
}
