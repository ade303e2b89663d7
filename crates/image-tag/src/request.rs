//! What the user asks for: the text of the inputs, unread.

/// The inputs. The defaults are those of docker/metadata-action
/// (<https://github.com/docker/metadata-action#inputs>).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// One image name a line, or `name=…,enable=…`. Empty: tags are given without a name.
    pub images: String,
    /// One rule a line, `type=…,key=value…`. Blank: [`Request::DEFAULT_TAGS`].
    pub tags: String,
    /// `latest=`, `prefix=` and `suffix=` for all tags.
    pub flavor: String,
    /// Labels of the user's own, `key=value` a line; they win over those from the event.
    pub labels: String,
    /// What stands between two tags in the `tags` output.
    pub sep_tags: String,
    /// What stands between two labels in the `labels` output.
    pub sep_labels: String,
    /// Characters of a short commit hash; 0 gives none, more than there are gives all.
    pub short_sha_length: usize,
    /// On pull requests, take the head commit of the branch instead of the merge commit that is built.
    pub pull_request_head: bool,
}

impl Request {
    /// The rules in force when `tags` is blank.
    pub const DEFAULT_TAGS: &'static str =
        "type=schedule\ntype=ref,event=branch\ntype=ref,event=tag\ntype=ref,event=pr";

    /// Characters of a short commit hash unless asked otherwise.
    pub const SHORT_SHA_LENGTH: usize = 7;
}

impl Default for Request {
    fn default() -> Self {
        Self {
            images: String::new(),
            tags: String::new(),
            flavor: String::new(),
            labels: String::new(),
            sep_tags: "\n".to_owned(),
            sep_labels: "\n".to_owned(),
            short_sha_length: Self::SHORT_SHA_LENGTH,
            pull_request_head: false,
        }
    }
}
