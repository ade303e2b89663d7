//! The two ways to read the same inputs: as docker/metadata-action does, or without its surprises.

/// How inputs and events are read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mode {
    /// Tag for tag what docker/metadata-action gives, its bugs aside.
    #[default]
    Compatible,
    /// The better defaults, for those who come without a history.
    Native,
}

impl Mode {
    /// The rules in force when the input `tags` is blank.
    #[must_use]
    pub fn default_tags(self) -> &'static str {
        match self {
            Self::Compatible => "type=schedule\ntype=ref,event=branch\ntype=ref,event=tag\ntype=ref,event=pr",
            Self::Native => {
                "type=schedule\ntype=semver,pattern={{version}}\ntype=semver,pattern={{major}}.{{minor}}\n\
                 type=ref,event=branch\ntype=ref,event=pr\ntype=sha"
            }
        }
    }

    /// The versions to take where the ref is no tag, when the input `version-from` is blank.
    #[must_use]
    pub fn default_version_from(self) -> &'static str {
        match self {
            Self::Compatible => "",
            Self::Native => "release\nworkflow-run\ndispatch:version",
        }
    }

    pub(crate) fn is_native(self) -> bool {
        self == Self::Native
    }
}
