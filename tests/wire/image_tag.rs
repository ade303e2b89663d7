//! `image-tag` where it touches the world: GitHub's API, the files for later steps, other CI systems, and the exit codes.

use std::collections::BTreeMap;
use std::process::Command;

use black_box::Place;
use sandbox::runner::parse_entries;
use sandbox::stand_ins::github::{COMMIT, GitHub, REPOSITORY, refusal};
use serde_json::{Value, json};

use crate::process::finish;
use crate::step::outputs;

const TOKEN: &str = "ghs_0123456789abcdefghijABCDEFGHIJ012345";

/// A step on a tag of the stand-in's repository, without a payload.
fn step(place: &Place, git_ref: &str, flags: &[&str]) -> Command {
    let mut command = place.step("image-tag");
    command
        .args(["--images", "ghcr.io/org/shop"])
        .args(flags)
        .env("GITHUB_ENV", place.path().join("env"))
        .env("GITHUB_EVENT_NAME", "push")
        .env("GITHUB_REPOSITORY", REPOSITORY)
        .env("GITHUB_SERVER_URL", "https://github.com")
        .env("GITHUB_REF", git_ref)
        .env("GITHUB_SHA", COMMIT);
    command
}

fn asking(mut command: Command, github: &GitHub) -> Command {
    command
        .env("GITHUB_API_URL", github.api())
        .env("INPUT_GITHUB_TOKEN", TOKEN);
    command
}

fn variables(place: &Place) -> BTreeMap<String, String> {
    let read = parse_entries(&place.read("env"));
    assert_eq!(read.broken, None);
    read.pairs.into_iter().collect()
}

#[test]
fn the_api_fills_what_the_event_does_not_say() {
    let github = GitHub::open(TOKEN)
        .unwrap()
        .about("description", json!("Buys things"))
        .committed("2024-11-13T13:42:28Z")
        .tagged(["v1.2.3", "v2.0.0"]);
    let place = Place::new();
    let rules =
        "type=semver,pattern={{version}}\ntype=semver,pattern={{major}}\ntype=raw,{{commit_date 'YYYYMMDD'}}";
    let flags = ["--tags", rules, "--flavor", "latest=highest"];
    let finished = finish(asking(step(&place, "refs/tags/v1.2.3", &flags), &github)).expect(0);
    let outputs = outputs(&place);
    assert_eq!(outputs["tag-names"], "1.2.3\n1\n20241113");
    assert!(
        outputs["labels"].contains("org.opencontainers.image.description=Buys things\n"),
        "{}",
        outputs["labels"]
    );
    let asked: Vec<String> = github
        .requests()
        .iter()
        .map(|request| request.path.clone())
        .collect();
    assert_eq!(asked.len(), 3, "{asked:?}");
    for text in [
        finished.log(),
        place.read("output"),
        place.read("summary"),
        place.read("env"),
    ] {
        let hidden = text.replace(&format!("::add-mask::{TOKEN}"), "");
        assert!(!hidden.contains(TOKEN), "{text}");
    }
}

#[test]
fn nothing_is_asked_where_the_payload_says_all() {
    let github = GitHub::open(TOKEN).unwrap();
    let place = Place::new();
    let about = json!({"name": "shop", "full_name": REPOSITORY, "description": null, "license": null,
        "html_url": "https://github.com/org/shop", "default_branch": "main"});
    let event = place.path().join("event.json");
    std::fs::write(&event, json!({"repository": about}).to_string()).unwrap();
    let mut command = asking(step(&place, "refs/heads/main", &[]), &github);
    command.env("GITHUB_EVENT_PATH", event);
    finish(command).expect(0);
    assert_eq!(github.requests().len(), 0);
    assert_eq!(outputs(&place)["version"], "main");
}

#[test]
fn an_api_that_fails_is_a_warning() {
    let limit = || refusal(403, "API rate limit exceeded");
    let github = GitHub::open(TOKEN).unwrap().replying(limit()).replying(limit());
    let place = Place::new();
    let flags = [
        "--tags",
        "type=semver,pattern={{version}}",
        "--flavor",
        "latest=highest",
    ];
    let finished = finish(asking(step(&place, "refs/tags/v1.2.3", &flags), &github)).expect(0);
    assert!(
        finished.log().contains("API rate limit exceeded"),
        "{}",
        finished.log()
    );
    assert_eq!(
        outputs(&place)["tag-names"],
        "1.2.3",
        "what nobody knows moves nothing"
    );
}

#[test]
fn variables_and_bake_files_of_the_original() {
    let place = Place::new();
    finish(step(&place, "refs/tags/v1.2.3", &["--bake-target", "app"])).expect(0);
    let outputs = outputs(&place);
    let variables = variables(&place);
    assert_eq!(variables.len(), 10);
    for (name, value) in &variables {
        let output = name.strip_prefix("DOCKER_METADATA_OUTPUT_").unwrap();
        let output = output.to_ascii_lowercase().replace('_', "-");
        assert_eq!(*value, outputs[&output], "{name}");
    }
    let bake: Value = serde_json::from_str(&std::fs::read_to_string(&outputs["bake-file"]).unwrap()).unwrap();
    let target = &bake["target"]["app"];
    assert_eq!(
        target["tags"],
        json!(["ghcr.io/org/shop:v1.2.3", "ghcr.io/org/shop:latest"])
    );
    assert_eq!(target["args"]["DOCKER_META_VERSION"], "v1.2.3");
    assert!(outputs["bake-file"].starts_with(place.path().join("temp").to_str().unwrap()));
}

#[test]
fn variables_can_be_switched_off_and_are_off_in_native_mode() {
    for (flags, value) in [(&[][..], "false"), (&["--mode", "native"], "")] {
        let place = Place::new();
        let mut command = step(&place, "refs/heads/main", flags);
        command.env("DOCKER_METADATA_SET_OUTPUT_ENV", value);
        finish(command).expect(0);
        assert_eq!(place.read("env"), "", "{flags:?}");
    }
    let place = Place::new();
    let mut command = step(&place, "refs/heads/main", &[]);
    command.env("DOCKER_METADATA_SET_OUTPUT_ENV", "maybe");
    assert!(finish(command).expect(2).log().contains("`true` or `false`"));
}

#[test]
fn a_variable_that_would_stop_every_later_step_is_not_set() {
    let place = Place::new();
    let images: Vec<String> = (0..3000)
        .map(|number| format!("ghcr.io/org/shop-{number}"))
        .collect();
    let finished = finish(step(&place, "refs/heads/main", &["--images", &images.join("\n")])).expect(0);
    assert!(
        finished
            .log()
            .contains("`DOCKER_METADATA_OUTPUT_TAGS` is not set"),
        "{}",
        finished.log()
    );
    assert_eq!(outputs(&place)["tags"].lines().count(), 3001);
    assert_eq!(variables(&place)["DOCKER_METADATA_OUTPUT_VERSION"], "main");
}

#[test]
fn explain_leaves_nothing_behind() {
    let place = Place::new();
    let mut command = step(&place, "refs/heads/main", &[]);
    command.env("INPUT_COMMAND", "explain");
    let finished = finish(command).expect(0);
    assert!(
        finished
            .log()
            .contains("- type=ref,event=tag gives nothing: the ref is not a tag"),
        "{}",
        finished.log()
    );
    for file in ["output", "env", "summary"] {
        assert_eq!(place.read(file), "", "{file}");
    }
}

#[test]
fn a_guard_ends_the_step_before_anything_is_written() {
    let place = Place::new();
    let finished = finish(step(&place, "refs/heads/main", &["--require", "semver-tag"])).expect(3);
    assert!(
        finished
            .log()
            .contains("`refs/heads/main` is refused by `semver-tag`"),
        "{}",
        finished.log()
    );
    assert!(!outputs(&place).contains_key("tags"));
    assert_eq!(place.read("env"), "");
}

#[test]
fn other_systems_are_asked_for_ref_and_commit() {
    let gitlab = [
        ("GITLAB_CI", "true"),
        ("CI_COMMIT_TAG", "v1.2.3"),
        ("CI_COMMIT_SHA", COMMIT),
        ("CI_PROJECT_PATH", "group/shop"),
    ];
    let buildkite = [
        ("BUILDKITE", "true"),
        ("BUILDKITE_TAG", "v1.2.3"),
        ("BUILDKITE_COMMIT", COMMIT),
        ("BUILDKITE_PULL_REQUEST", "false"),
    ];
    for variables in [gitlab, buildkite] {
        let place = Place::new();
        let mut command = place.command("image-tag");
        command
            .args(["--tags", "type=semver,pattern={{version}}\ntype=sha"])
            .envs(variables);
        let finished = finish(command).expect(0);
        assert_eq!(finished.stdout, "1.2.3\nsha-7c1f0f2\nlatest\n", "{variables:?}");
    }
}
