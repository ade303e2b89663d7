//! What the user asks for: the text of the inputs, unread.

use crate::list;
use crate::mode::Mode;

/// The inputs. The defaults are those of docker/metadata-action
/// (<https://github.com/docker/metadata-action#inputs>).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// How inputs and events are read.
    pub mode: Mode,
    /// One image name a line, or `name=…,enable=…`. Empty: tags are given without a name.
    pub images: String,
    /// One rule a line, `type=…,key=value…`. Blank: [`Mode::default_tags`].
    pub tags: String,
    /// `latest=`, `prefix=` and `suffix=` for all tags.
    pub flavor: String,
    /// Labels of the user's own, `key=value` a line; they win over those from the event.
    pub labels: String,
    /// Annotations of the user's own, `key=value` a line; they win over those from the event.
    pub annotations: String,
    /// What annotations are about, such as `manifest` or `index`, separated by commas
    /// (<https://docs.docker.com/build/metadata/annotations/#specify-annotation-level>).
    pub annotation_levels: String,
    /// Only git tags that begin so count, and what follows is the tag.
    pub tag_prefix: String,
    /// What must hold of the ref, one rule a line.
    pub require: String,
    /// Where a version comes from when the ref is no tag, one source a line. Blank: [`Mode::default_version_from`].
    pub version_from: String,
    /// The digest that the build gave, `sha256:…`; empty before there is one.
    pub digest: String,
    /// What stands between two tags in the outputs of tags.
    pub sep_tags: String,
    /// What stands between two labels in the `labels` output.
    pub sep_labels: String,
    /// What stands between two annotations in the `annotations` output.
    pub sep_annotations: String,
    /// The target that bake files are about.
    pub bake_target: String,
    /// Characters of a short commit hash; 0 gives none, more than there are gives all.
    pub short_sha_length: usize,
    /// On pull requests, take the head commit of the branch instead of the merge commit that is built. `None`: in
    /// native mode the head, otherwise the merge commit.
    pub pull_request_head: Option<bool>,
    /// What would refuse the run is a warning instead, so that all else can be shown.
    pub explaining: bool,
}

impl Request {
    /// Characters of a short commit hash unless asked otherwise.
    pub const SHORT_SHA_LENGTH: usize = 7;

    /// The rules in force.
    pub(crate) fn rules(&self) -> &str {
        or_default(&self.tags, self.mode.default_tags())
    }

    /// The sources of a version in force.
    pub(crate) fn version_sources(&self) -> &str {
        or_default(&self.version_from, self.mode.default_version_from())
    }

    /// Whether any expression is about the commit's history.
    pub(crate) fn mentions_history(&self) -> bool {
        ["describe", "distance", "commit_count"]
            .iter()
            .any(|word| self.mentions(word))
    }

    /// Whether any input that may hold expressions holds this word; facts that cost something are only asked for then.
    pub(crate) fn mentions(&self, word: &str) -> bool {
        let texts = [
            self.rules(),
            &self.flavor,
            &self.labels,
            &self.annotations,
            self.version_sources(),
        ];
        texts.iter().any(|text| text.contains(word))
    }
}

fn or_default<'a>(given: &'a str, default: &'a str) -> &'a str {
    if list::is_empty(given) { default } else { given }
}

impl Default for Request {
    fn default() -> Self {
        let line_end = || "\n".to_owned();
        Self {
            mode: Mode::default(),
            images: String::new(),
            tags: String::new(),
            flavor: String::new(),
            labels: String::new(),
            annotations: String::new(),
            annotation_levels: "manifest".to_owned(),
            tag_prefix: String::new(),
            require: String::new(),
            version_from: String::new(),
            digest: String::new(),
            sep_tags: line_end(),
            sep_labels: line_end(),
            sep_annotations: line_end(),
            bake_target: "docker-metadata-action".to_owned(),
            short_sha_length: Self::SHORT_SHA_LENGTH,
            pull_request_head: None,
            explaining: false,
        }
    }
}
