//! The request: flags and inputs as they are, and the variables that docker/metadata-action reads from its environment.

use gha::env::Env;
use gha::{Exit, Failure, text};

use crate::cli::Cli;
use crate::mode::Mode;
use crate::number;
use crate::request::Request;

/// Reads the request.
pub(crate) fn request(cli: &Cli, env: &Env) -> Result<Request, Failure> {
    let defaults = Request::default();
    let or = |given: &Option<String>, default: String| given.clone().unwrap_or(default);
    let head = env
        .get("DOCKER_METADATA_PR_HEAD_SHA")
        .map(|value| value.to_ascii_lowercase().contains("true"));
    let levels = env.get("DOCKER_METADATA_ANNOTATIONS_LEVELS");
    Ok(Request {
        mode: cli.mode.into(),
        images: cli.images.join("\n"),
        tags: cli.tags.join("\n"),
        flavor: cli.flavor.join("\n"),
        labels: cli.labels.join("\n"),
        annotations: cli.annotations.join("\n"),
        annotation_levels: or(&levels.map(str::to_owned), defaults.annotation_levels),
        tag_prefix: or(&cli.tag_prefix, defaults.tag_prefix),
        require: cli.require.join("\n"),
        version_from: cli.version_from.join("\n"),
        digest: or(&cli.digest, defaults.digest),
        sep_tags: or(&cli.sep_tags, defaults.sep_tags),
        sep_labels: or(&cli.sep_labels, defaults.sep_labels),
        sep_annotations: or(&cli.sep_annotations, defaults.sep_annotations),
        bake_target: or(&cli.bake_target, defaults.bake_target),
        short_sha_length: short_sha_length(env)?,
        pull_request_head: head,
        explaining: false,
    })
}

/// JavaScript's `Number(text)` as an end for `substring`, as the original has it.
fn short_sha_length(env: &Env) -> Result<usize, Failure> {
    const NAME: &str = "DOCKER_METADATA_SHORT_SHA_LENGTH";
    let Some(given) = env.get(NAME) else {
        return Ok(Request::SHORT_SHA_LENGTH);
    };
    let length = number::read(given);
    if length.is_nan() {
        let reason = format!("`{NAME}` is `{}`, which is no number", text::visible(given));
        return Err(Failure::new(Exit::Usage, reason).help(format!("write for example `{NAME}: 12`")));
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the number is between 0 and 1000"
    )]
    Ok(length.clamp(0.0, 1000.0) as usize)
}

/// Whether outputs are set as variables for later steps too: in compatible mode unless switched off, in native mode
/// where asked for.
pub(crate) fn sets_variables(mode: Mode, env: &Env) -> Result<bool, Failure> {
    const NAME: &str = "DOCKER_METADATA_SET_OUTPUT_ENV";
    match env.get(NAME) {
        None => Ok(mode == Mode::Compatible),
        // Those of Go's `strconv.ParseBool`, which the original takes.
        Some("1" | "t" | "T" | "true" | "TRUE" | "True") => Ok(true),
        Some("0" | "f" | "F" | "false" | "FALSE" | "False") => Ok(false),
        Some(other) => Err(Failure::new(
            Exit::Usage,
            format!(
                "`{NAME}` must be `true` or `false`, not `{}`",
                text::cut(&text::visible(other), 40)
            ),
        )
        .help(format!("write for example `{NAME}: false`"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(name: &str, value: &str) -> Env {
        [(name, value)].into_iter().collect()
    }

    #[test]
    fn lengths_are_numbers_of_javascript() {
        for (text, expected) in [
            ("12", 12),
            (" 8 ", 8),
            ("0", 0),
            ("-1", 0),
            ("7.5", 7),
            ("1e1", 10),
        ] {
            let length = short_sha_length(&env("DOCKER_METADATA_SHORT_SHA_LENGTH", text));
            assert_eq!(length.unwrap(), expected, "{text}");
        }
        assert!(short_sha_length(&env("DOCKER_METADATA_SHORT_SHA_LENGTH", "x")).is_err());
        assert_eq!(short_sha_length(&Env::default()).unwrap(), 7);
    }

    #[test]
    fn variables_are_set_by_mode_unless_said_otherwise() {
        let set = |mode, value: Option<&str>| {
            let env = value.map_or_else(Env::default, |value| env("DOCKER_METADATA_SET_OUTPUT_ENV", value));
            sets_variables(mode, &env)
        };
        assert!(set(Mode::Compatible, None).unwrap());
        assert!(!set(Mode::Native, None).unwrap());
        assert!(set(Mode::Native, Some("true")).unwrap());
        assert!(!set(Mode::Compatible, Some("f")).unwrap());
        assert!(set(Mode::Compatible, Some("yes")).is_err());
    }
}
