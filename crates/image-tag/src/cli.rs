//! The flags of `image-tag`; in an action each is an input of the same name.

use clap::{Parser, ValueEnum};

use gha::flags::Common;
use gha::interface::{Interface, OutputSpec};

/// What the tool offers beside its flags.
pub const INTERFACE: Interface = Interface {
    name: "image-tag",
    version: gha::version!(),
    default_command: None,
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
            name: "json",
            description: "Tags and labels as JSON: tags, tag-names, labels.",
        },
    ],
    secrets: &[],
    samples: &[
        ("images", "ghcr.io/org/app"),
        ("tags", "type=semver,pattern={{version}}"),
        ("flavor", "latest=auto"),
        ("labels", "org.opencontainers.image.title=App"),
        ("sep-tags", ","),
        ("sep-labels", ","),
        ("context", "git"),
        ("ref", "refs/tags/v1.2.3"),
        ("sha", "0123456789abcdef0123456789abcdef01234567"),
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
            "`true`: on pull requests the branch's head, not the merge commit",
        ),
    ],
    whole: &["images", "tags", "flavor", "labels", "sep-tags", "sep-labels"],
};

/// Derives image tags and OCI labels from the event of a run, as docker/metadata-action does; needs no network.
#[derive(Debug, Parser)]
#[command(
    name = "image-tag",
    before_help = "Examples:
  image-tag --images ghcr.io/org/app
  image-tag --images ghcr.io/org/app --ref refs/tags/v1.2.3 --tags 'type=semver,pattern={{version}}'
  image-tag --images ghcr.io/org/api --images ghcr.io/org/web --tags type=sha,prefix= \\
            --tags 'type=raw,value=latest,enable={{is_default_branch}}'
  docker build $(image-tag --images ghcr.io/org/app | sed 's/^/-t /') .",
    help_template = "{about-with-newline}\n{before-help}{usage-heading} {usage}\n\n{all-args}{after-help}"
)]
pub struct Cli {
    /// Image names; `name=…,enable=…` to switch one off. Without any, tags have no name in front.
    #[arg(long, value_name = "NAME")]
    pub images: Vec<String>,
    /// Rules that give tags: `type=schedule|semver|edge|ref|raw|sha` with its attributes. Without any:
    /// type=schedule; type=ref,event=branch; type=ref,event=tag; type=ref,event=pr.
    #[arg(long, value_name = "RULE")]
    pub tags: Vec<String>,
    /// What all tags have in common: `latest=auto|true|false`, `prefix=…`, `suffix=…`.
    #[arg(long, value_name = "SETTING")]
    pub flavor: Vec<String>,
    /// Labels of your own, `key=value`; they win over those from the event.
    #[arg(long, value_name = "KEY=VALUE")]
    pub labels: Vec<String>,
    /// What stands between two tags in the output `tags`; without it a line end.
    #[arg(long, value_name = "TEXT")]
    pub sep_tags: Option<String>,
    /// What stands between two labels in the output `labels`; without it a line end.
    #[arg(long, value_name = "TEXT")]
    pub sep_labels: Option<String>,
    /// Where ref and commit come from: `workflow` for the run's event, `git` for the working tree. Without it the
    /// event in a runner and the working tree elsewhere.
    #[arg(long, value_enum, value_name = "CONTEXT", hide_possible_values = true)]
    pub context: Option<Source>,
    /// Full ref to take instead, such as `refs/tags/v1.2.3`.
    #[arg(long = "ref", value_name = "REF")]
    pub git_ref: Option<String>,
    /// Commit to take instead.
    #[arg(long, value_name = "SHA")]
    pub sha: Option<String>,
    /// Print the tags, and write no outputs.
    #[arg(long)]
    pub dry_run: bool,
    /// Flags of all tools.
    #[command(flatten)]
    pub common: Common,
}

/// Where ref and commit come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Source {
    /// The event of the run.
    Workflow,
    /// The working tree.
    Git,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn every_flag_has_a_sample_that_works() {
        assert_eq!(gha::interface::faulty_sample(&INTERFACE, &Cli::command()), None);
    }
}
