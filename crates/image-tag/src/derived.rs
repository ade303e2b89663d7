//! What comes out: tags, labels and annotations as values, and as the text of the outputs.

use std::collections::HashSet;

use serde::{Serialize, Serializer};

use crate::labels::Label;
use crate::request::Request;
use crate::subject::Subject;
use crate::version::Version;
use crate::warning::Warning;

/// Everything that follows from a request and the facts.
#[derive(Debug, Clone, PartialEq)]
pub struct Derived {
    /// What was built for.
    pub about: About,
    /// The first tag; empty when there is none.
    pub version: String,
    /// Tags with their image's name, all of the first image first; without names when no image is given.
    pub tags: Vec<String>,
    /// Tags without a name, each once.
    pub tag_names: Vec<String>,
    /// The same by image; one without a name when no image is given.
    pub images: Vec<ImageTags>,
    /// Labels, sorted.
    pub labels: Vec<Label>,
    /// Annotations as `level:key=value`, sorted by key within a level.
    pub annotations: Vec<String>,
    /// What may not be as it was meant.
    pub warnings: Vec<Warning>,
    /// What each rule of `tags` said, in the order they were asked.
    pub rules: Vec<Rule>,
}

/// What was built for, after the event's peculiarities.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct About {
    /// Full ref; empty where there is none.
    pub git_ref: String,
    /// The commit.
    pub sha: String,
    /// The version and where it is from, where the ref is no tag.
    pub version: Option<(String, String)>,
}

impl About {
    pub(crate) fn new(subject: &Subject<'_>) -> Self {
        let version = subject.version.as_ref();
        Self {
            git_ref: subject.git_ref.clone(),
            sha: subject.sha.clone(),
            version: version.map(|found| (found.text.clone(), found.place.clone())),
        }
    }
}

/// The tags of one image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageTags {
    /// The image's name; empty when no image is given.
    pub name: String,
    /// The first tag; empty when there is none.
    pub version: String,
    /// Tags without the name.
    pub tag_names: Vec<String>,
    /// Those that stand for this build alone, with the name.
    pub immutable: Vec<String>,
    /// Those that other builds get too, with the name.
    pub floating: Vec<String>,
    /// What to deploy: by digest where it is known, else by the first tag that stands for this build alone.
    pub reference: String,
}

impl ImageTags {
    pub(crate) fn new(name: &str, version: &Version, digest: &str) -> Self {
        let with_name = |floating: bool| -> Vec<String> {
            let tags = version.tags().iter().filter(|tag| tag.floating == floating);
            tags.map(|tag| named(name, &tag.name)).collect()
        };
        let reference = match version.firmest() {
            _ if name.is_empty() => String::new(),
            _ if !digest.is_empty() => format!("{name}@{digest}"),
            Some(tag) => named(name, tag),
            None => String::new(),
        };
        Self {
            name: name.to_owned(),
            version: version.main().to_owned(),
            tag_names: version.tags().iter().map(|tag| tag.name.clone()).collect(),
            immutable: with_name(false),
            floating: with_name(true),
            reference,
        }
    }

    fn tags(&self) -> impl Iterator<Item = String> {
        self.tag_names.iter().map(|tag| named(&self.name, tag))
    }
}

fn named(image: &str, tag: &str) -> String {
    if image.is_empty() {
        tag.to_owned()
    } else {
        format!("{image}:{tag}")
    }
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
    Tag {
        /// The tag without an image's name.
        tag: String,
        /// Other builds get it too.
        floating: bool,
    },
    /// No tag, for this reason.
    Nothing(String),
}

impl Derived {
    pub(crate) fn new(
        request: &Request,
        about: About,
        version: String,
        images: Vec<ImageTags>,
        [labels, annotations]: [Vec<Label>; 2],
        warnings: Vec<Warning>,
        rules: Vec<Rule>,
    ) -> Self {
        let mut seen = HashSet::new();
        let names = images.iter().flat_map(|image| &image.tag_names);
        let tag_names: Vec<String> = names.filter(|tag| seen.insert(*tag)).cloned().collect();
        let tags: Vec<String> = images.iter().flat_map(ImageTags::tags).collect();
        let levels = request.annotation_levels.split(',');
        let annotations: Vec<String> = levels
            .flat_map(|level| {
                annotations
                    .iter()
                    .map(move |annotation| format!("{level}:{}", annotation.line()))
            })
            .collect();
        Self {
            about,
            version,
            tags,
            tag_names,
            images,
            labels,
            annotations,
            warnings,
            rules,
        }
    }

    /// The outputs by name, in the order in which they are written, but those that name files. `request` says what
    /// stands between items.
    #[must_use]
    pub fn outputs(&self, request: &Request) -> Vec<(&'static str, String)> {
        let all = |of: fn(&ImageTags) -> &Vec<String>| -> String {
            let tags: Vec<String> = self.images.iter().flat_map(of).cloned().collect();
            tags.join(&request.sep_tags)
        };
        let lines: Vec<String> = self.labels.iter().map(Label::line).collect();
        let reference = self.images.first().map(|image| image.reference.clone());
        vec![
            ("version", self.version.clone()),
            ("tags", self.tags.join(&request.sep_tags)),
            ("tag-names", self.tag_names.join(&request.sep_tags)),
            ("labels", lines.join(&request.sep_labels)),
            ("annotations", self.annotations.join(&request.sep_annotations)),
            ("json", self.json()),
            ("immutable-tags", all(|image| &image.immutable)),
            ("floating-tags", all(|image| &image.floating)),
            ("image", reference.unwrap_or_default()),
            ("images", self.by_image()),
        ]
    }

    /// The object of the `json` output.
    #[must_use]
    pub fn json(&self) -> String {
        text(&Whole {
            tags: &self.tags,
            tag_names: &self.tag_names,
            labels: LabelMap(&self.labels),
            annotations: &self.annotations,
        })
    }

    /// The object of the `images` output: by an image's name its tags and what to deploy.
    #[must_use]
    pub fn by_image(&self) -> String {
        let mut seen = HashSet::new();
        let named = self.images.iter().filter(|image| !image.name.is_empty());
        text(&ByName(named.filter(|image| seen.insert(&image.name)).collect()))
    }
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Whole<'a> {
    tags: &'a [String],
    tag_names: &'a [String],
    labels: LabelMap<'a>,
    annotations: &'a [String],
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct OfImage<'a> {
    image: &'a str,
    version: &'a str,
    tags: Vec<String>,
    immutable_tags: &'a [String],
    floating_tags: &'a [String],
}

struct ByName<'a>(Vec<&'a ImageTags>);

impl Serialize for ByName<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|image| {
            let about = OfImage {
                image: &image.reference,
                version: &image.version,
                tags: image.tags().collect(),
                immutable_tags: &image.immutable,
                floating_tags: &image.floating,
            };
            (&image.name, about)
        }))
    }
}

/// Labels as an object, with their values whole.
#[derive(Clone, Copy)]
pub(crate) struct LabelMap<'a>(pub(crate) &'a [Label]);

impl Serialize for LabelMap<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|label| (&label.key, &label.value)))
    }
}

/// Text and lists of text always have a JSON form.
fn text(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
