//! The flags of `image-tag`; in an action each is an input of the same name.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::{Parser, Subcommand, ValueEnum};

use gha::flags::Common;
use gha::interface::{HELP_TEMPLATE, Interface, NETWORK, OutputSpec, SecretSpec};

use crate::mode::Mode;

/// What GitHub's API is asked with. GitHub issues no token of under 40 characters
/// (<https://github.blog/engineering/behind-githubs-new-authentication-token-formats/>); stand-ins for it do.
pub const GITHUB_TOKEN: SecretSpec = SecretSpec {
    name: "github-token",
    env: "GITHUB_TOKEN",
    description: "Token to ask GitHub's API for what the event does not say; needs `contents: read`.",
    default: Some("github.token"),
    short: true,
};

/// What the tool offers beside its flags.
pub const INTERFACE: Interface = Interface {
    name: "image-tag",
    version: gha::version!(),
    default_command: Some("derive"),
    outputs: &[
        OutputSpec {
            name: "version",
            description: "The first tag, without an image's name.",
        },
        OutputSpec {
            name: "tags",
            description: "All tags with the image's name, one a line.",
        },
        OutputSpec {
            name: "tag-names",
            description: "All tags without the image's name, one a line.",
        },
        OutputSpec {
            name: "labels",
            description: "OCI labels as `key=value`, one a line.",
        },
        OutputSpec {
            name: "annotations",
            description: "OCI annotations as `level:key=value`, one a line.",
        },
        OutputSpec {
            name: "json",
            description: "The same as JSON: tags, tag-names, labels, annotations.",
        },
        OutputSpec {
            name: "immutable-tags",
            description: "The tags that stand for this build alone, with the image's name, one a line.",
        },
        OutputSpec {
            name: "floating-tags",
            description: "The tags that later builds move, with the image's name, one a line.",
        },
        OutputSpec {
            name: "image",
            description: "The one reference to deploy, of the first image: by `digest`, else its firmest tag.",
        },
        OutputSpec {
            name: "images",
            description: "For each image by its name, as JSON: image, version, tags, immutable-tags, floating-tags.",
        },
        OutputSpec {
            name: "bake-file-tags",
            description: "File for `docker buildx bake` with the tags.",
        },
        OutputSpec {
            name: "bake-file-labels",
            description: "File for `docker buildx bake` with the labels.",
        },
        OutputSpec {
            name: "bake-file-annotations",
            description: "File for `docker buildx bake` with the annotations.",
        },
        OutputSpec {
            name: "bake-file",
            description: "File for `docker buildx bake` with tags and labels.",
        },
    ],
    secrets: &[GITHUB_TOKEN],
    samples: &[
        ("mode", "native"),
        ("images", "ghcr.io/org/app"),
        ("tags", "type=semver,pattern={{version}}"),
        ("flavor", "latest=auto"),
        ("labels", "org.opencontainers.image.title=App"),
        ("annotations", "org.opencontainers.image.title=App"),
        ("sep-tags", ","),
        ("sep-labels", ","),
        ("sep-annotations", ","),
        ("bake-target", "app"),
        ("require", "semver-tag"),
        ("tag-prefix", "api/"),
        ("version-from", "dispatch:version"),
        (
            "digest",
            "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        ),
        ("metadata", "event"),
        ("context", "git"),
        ("ref", "refs/tags/v1.2.3"),
        ("sha", "0123456789abcdef0123456789abcdef01234567"),
        ("event", "push"),
        ("repository", "org/app"),
        ("default-branch", "main"),
        ("github-token-file", "/run/secrets/github"),
        ("output", "json"),
        ("log-format", "json"),
    ],
    environment: &[
        (
            "SOURCE_DATE_EPOCH",
            "seconds since 1970 to take for now, in labels and `date`",
        ),
        (
            "DOCKER_METADATA_SHORT_SHA_LENGTH",
            "characters of a short commit [default: 7]",
        ),
        (
            "DOCKER_METADATA_PR_HEAD_SHA",
            "`true`: on pull requests the branch's head, not the merge commit [default: by mode]",
        ),
        (
            "DOCKER_METADATA_ANNOTATIONS_LEVELS",
            "what annotations are about, by commas [default: manifest]",
        ),
        (
            "DOCKER_METADATA_SET_OUTPUT_ENV",
            "whether DOCKER_METADATA_OUTPUT_* are set for later steps [default: by mode]",
        ),
        ("GITHUB_API_URL", "GitHub's API [default: https://api.github.com]"),
        NETWORK[0],
        NETWORK[1],
    ],
    whole: &[
        "images",
        "tags",
        "flavor",
        "labels",
        "annotations",
        "require",
        "version-from",
        "sep-tags",
        "sep-labels",
        "sep-annotations",
    ],
    // The names under which docker/metadata-action hands its outputs to later steps.
    exports: &["DOCKER_METADATA_OUTPUT_"],
};

/// Derives image tags, OCI labels and annotations from the event of a run, as docker/metadata-action does, and better.
#[derive(Debug, Parser)]
#[command(
    name = "image-tag",
    disable_help_subcommand = true,
    override_usage = "image-tag [COMMAND] [OPTIONS]",
    before_help = "Examples:
  image-tag --images ghcr.io/org/app
  image-tag --mode native --images ghcr.io/org/app --require semver-tag
  image-tag --images ghcr.io/org/app --ref refs/tags/v1.2.3 --tags 'type=semver,pattern={{version}}'
  image-tag --images ghcr.io/org/api --images ghcr.io/org/web --tags type=sha,prefix= \\
            --tags 'type=raw,value=latest,enable={{is_default_branch}}'
  image-tag explain --mode native --images ghcr.io/org/app",
    help_template = HELP_TEMPLATE
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// `compatible`: tag for tag what docker/metadata-action gives; `native`: better defaults for new users.
    #[arg(
        long,
        global = true,
        value_enum,
        value_name = "MODE",
        default_value = "compatible",
        hide_possible_values = true
    )]
    pub mode: CliMode,
    /// Image names; `name=…,enable=…` to switch one off. Without any, tags have no name in front.
    #[arg(long, global = true, value_name = "NAME")]
    pub images: Vec<String>,
    /// Rules that give tags: `type=schedule|semver|pep440|match|edge|ref|raw|sha` with its attributes. Without any, in
    /// compatible mode: type=schedule; type=ref,event=branch; type=ref,event=tag; type=ref,event=pr.
    #[arg(long, global = true, value_name = "RULE")]
    pub tags: Vec<String>,
    /// What all tags have in common: `latest=auto|true|false|highest`, `prefix=…`, `suffix=…`.
    #[arg(long, global = true, value_name = "SETTING")]
    pub flavor: Vec<String>,
    /// Labels of your own, `key=value`; they win over those from the event.
    #[arg(long, global = true, value_name = "KEY=VALUE")]
    pub labels: Vec<String>,
    /// Annotations of your own, `key=value`; they win over those from the event.
    #[arg(long, global = true, value_name = "KEY=VALUE")]
    pub annotations: Vec<String>,
    /// Fail with exit 3 unless this holds: `semver-tag`, `prerelease-tag`, `tag:GLOB`, `default-branch`, `branch:GLOB`,
    /// `pull-request`, `event:NAME`. Every line must hold; `|` stands between alternatives.
    #[arg(long, global = true, value_name = "RULE")]
    pub require: Vec<String>,
    /// Only git tags that begin so count, such as `api/` in a repository of several services; rules see the rest.
    #[arg(long, global = true, value_name = "PREFIX")]
    pub tag_prefix: Option<String>,
    /// Where a version comes from when the ref is no tag: `release`, `workflow-run`, `dispatch:NAME`, `describe`. Without
    /// any, in native mode: release; workflow-run; dispatch:version.
    #[arg(long, global = true, value_name = "SOURCE")]
    pub version_from: Vec<String>,
    /// Digest that the build step gave; the output `image` is then `name@sha256:…`.
    #[arg(long, global = true, value_name = "DIGEST")]
    pub digest: Option<String>,
    /// Where labels about the repository come from: `event`, `api`, `none`, or `auto`, which asks GitHub's API only for
    /// what the event lacks.
    #[arg(
        long,
        global = true,
        value_enum,
        value_name = "SOURCE",
        default_value = "auto",
        hide_possible_values = true
    )]
    pub metadata: Metadata,
    /// File that holds the token for GitHub's API; `-` is standard input.
    #[arg(long, global = true, value_name = "FILE")]
    pub github_token_file: Option<PathBuf>,
    /// Where ref and commit come from: `workflow` for the run's event, `git` or `git:FOLDER` for a checkout. Without it the
    /// event in a runner or another CI system, and the checkout elsewhere.
    #[arg(long, global = true, value_name = "CONTEXT")]
    pub context: Option<Context>,
    /// Full ref to take instead, such as `refs/tags/v1.2.3`.
    #[arg(long = "ref", global = true, value_name = "REF")]
    pub git_ref: Option<String>,
    /// Commit to take instead.
    #[arg(long, global = true, value_name = "SHA")]
    pub sha: Option<String>,
    /// Name of the event to take instead, such as `schedule`.
    #[arg(long, global = true, value_name = "EVENT")]
    pub event: Option<String>,
    /// Repository to take instead, `owner/name`.
    #[arg(long, global = true, value_name = "REPOSITORY")]
    pub repository: Option<String>,
    /// Default branch to take instead.
    #[arg(long, global = true, value_name = "BRANCH")]
    pub default_branch: Option<String>,
    /// What stands between two tags in outputs; without it a line end.
    #[arg(long, global = true, value_name = "TEXT")]
    pub sep_tags: Option<String>,
    /// What stands between two labels in the output `labels`; without it a line end.
    #[arg(long, global = true, value_name = "TEXT")]
    pub sep_labels: Option<String>,
    /// What stands between two annotations in the output `annotations`; without it a line end.
    #[arg(long, global = true, value_name = "TEXT")]
    pub sep_annotations: Option<String>,
    /// Target of the bake files; without it `docker-metadata-action`.
    #[arg(long, global = true, value_name = "TARGET")]
    pub bake_target: Option<String>,
    /// Print the tags, and write no outputs.
    #[arg(long, global = true)]
    pub dry_run: bool,
    /// Flags of all tools.
    #[command(flatten)]
    pub common: Common,
}

/// The commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Give tags, labels and annotations; this runs when no command is named.
    Derive,
    /// Print for each rule why it did or did not give a tag, and write no outputs.
    Explain,
}

/// The modes as they are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CliMode {
    /// What docker/metadata-action gives.
    Compatible,
    /// The better defaults.
    Native,
}

impl From<CliMode> for Mode {
    fn from(mode: CliMode) -> Self {
        match mode {
            CliMode::Compatible => Self::Compatible,
            CliMode::Native => Self::Native,
        }
    }
}

/// Where labels about the repository come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Metadata {
    /// The event, and the API for what it lacks.
    Auto,
    /// The event alone.
    Event,
    /// The API first.
    Api,
    /// Nowhere.
    None,
}

/// Where ref and commit come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Context {
    /// The event of the run.
    Workflow,
    /// The checkout in a folder.
    Git(PathBuf),
}

impl FromStr for Context {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            None if text == "workflow" => Ok(Self::Workflow),
            None if text == "git" => Ok(Self::Git(Path::new(".").to_owned())),
            Some(("git", folder)) if !folder.is_empty() => Ok(Self::Git(folder.into())),
            _ => Err("it must be `workflow`, `git` or `git:FOLDER`".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn contexts() {
        assert_eq!("workflow".parse(), Ok(Context::Workflow));
        assert_eq!("git".parse(), Ok(Context::Git(".".into())));
        assert_eq!("git:a:b".parse(), Ok(Context::Git("a:b".into())));
        for wrong in ["", "Git", "git:", "workflow:x"] {
            assert!(wrong.parse::<Context>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn every_flag_has_a_sample_that_works() {
        assert_eq!(gha::interface::faulty_sample(&INTERFACE, &Cli::command()), None);
    }
}
