//! What a container printed last. Pure.

use gha::text;

/// Last lines of a container. Foreign; known secrets are hidden in them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tail {
    /// The pod.
    pub pod: String,
    /// The container.
    pub container: String,
    /// Whether they are of the run before the present one.
    pub previous: bool,
    /// The lines.
    pub lines: Vec<String>,
}

impl Tail {
    /// What it is of: "container `web` of pod `web-1`, before it was started again".
    #[must_use]
    pub fn title(&self) -> String {
        let before = if self.previous {
            ", before it was started again"
        } else {
            ""
        };
        format!(
            "container `{}` of pod `{}`{before}",
            text::line(&self.container),
            text::line(&self.pod)
        )
    }
}
