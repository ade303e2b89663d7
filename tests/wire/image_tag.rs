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

/// A checkout made by the real git, in a folder of the place.
fn git(folder: &std::path::Path, arguments: &[&str]) {
    let mut command = Command::new("git");
    command
        .args([
            "-c",
            "user.name=Ada",
            "-c",
            "user.email=ada@example.com",
            "-c",
            "init.defaultBranch=main",
        ])
        .args(["-c", "commit.gpgsign=false", "-c", "tag.gpgsign=false"])
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("HOME", folder)
        .env("GIT_CONFIG_NOSYSTEM", "1");
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// A repository in which `v1.2.9` and `v2.0.0` are out, and `v1.2.8` is built late.
fn origin(place: &Place) -> std::path::PathBuf {
    let origin = place.path().join("origin");
    std::fs::create_dir(&origin).unwrap();
    git(&origin, &["init", "--quiet"]);
    for tag in ["v1.2.8", "v1.2.9", "v2.0.0"] {
        git(&origin, &["commit", "--quiet", "--allow-empty", "--message", tag]);
        git(&origin, &["tag", tag]);
    }
    origin
}

#[test]
fn a_checkout_that_may_lack_tags_moves_nothing() {
    let place = Place::new();
    let origin = origin(&place);
    let source = origin.to_str().unwrap();
    let rules = "type=semver,pattern={{version}}\ntype=semver,pattern={{major}}.{{minor}}";
    // As `org/shop` of github.com, where the remote's address says so.
    let address = "https://github.com/org/shop.git";
    for (name, clone, remote, expected) in [
        ("whole", &["clone", "--quiet"][..], address, "1.2.8"),
        (
            "single",
            &["clone", "--quiet", "--single-branch"],
            address,
            "1.2.8",
        ),
        ("untagged", &["clone", "--quiet", "--no-tags"], address, "1.2.8"),
        (
            "foreign",
            &["clone", "--quiet"],
            "https://github.com/org/other.git",
            "1.2.8",
        ),
        (
            "elsewhere",
            &["clone", "--quiet"],
            "https://gitlab.example/org/shop.git",
            "1.2.8",
        ),
    ] {
        let folder = place.path().join(name);
        git(place.path(), &[clone, &[source, name]].concat());
        git(&folder, &["remote", "set-url", "origin", remote]);
        let flags = ["--tags", rules, "--flavor", "latest=highest", "--dry-run"];
        let mut command = step(&place, "refs/tags/v1.2.8", &flags);
        command.current_dir(&folder);
        let finished = finish(command).expect(0);
        assert!(
            finished
                .stdout
                .contains(&format!("ghcr.io/org/shop:{expected}\n")),
            "{name}: {}",
            finished.log()
        );
        let said = if name == "whole" {
            "`1.2` belongs to `v1.2.9`"
        } else {
            "tags are not known"
        };
        assert!(finished.log().contains(said), "{name}: {}", finished.log());
        assert!(!finished.stdout.contains(":latest"), "{name}: {}", finished.log());
    }
}

#[test]
fn a_list_without_the_tag_that_is_built_is_not_believed() {
    let github = GitHub::open(TOKEN).unwrap().tagged(["v0.1.0"]);
    let place = Place::new();
    let flags = [
        "--tags",
        "type=semver,pattern={{version}}",
        "--flavor",
        "latest=highest",
    ];
    let finished = finish(asking(step(&place, "refs/tags/v1.2.8", &flags), &github)).expect(0);
    assert_eq!(outputs(&place)["tag-names"], "1.2.8");
    assert!(
        finished.log().contains("lacks the tag that is built"),
        "{}",
        finished.log()
    );
}

#[test]
fn a_branch_that_is_called_like_a_version_passes_no_guard() {
    let github = GitHub::open(TOKEN).unwrap().tagged(["v1.2.3"]);
    let place = Place::new();
    let event = place.path().join("event.json");
    let run = |branch: &str, sha: &str| {
        let run = json!({"event": "push", "head_branch": branch, "head_sha": sha, "pull_requests": [],
            "head_repository": {"full_name": REPOSITORY}});
        json!({"workflow_run": run, "repository": {"full_name": REPOSITORY}}).to_string()
    };
    let other = "0123456789abcdef0123456789abcdef01234567";
    for (branch, sha, code) in [("v9.9.9", COMMIT, 3), ("v1.2.3", other, 3), ("v1.2.3", COMMIT, 0)] {
        std::fs::write(&event, run(branch, sha)).unwrap();
        let flags = ["--mode", "native", "--require", "semver-tag"];
        let mut command = asking(step(&place, "refs/heads/main", &flags), &github);
        command
            .env("GITHUB_EVENT_NAME", "workflow_run")
            .env("GITHUB_EVENT_PATH", &event);
        finish(command).expect(code);
    }
}

#[test]
fn another_repository_is_not_compared_with_this_ones_tags() {
    let github = GitHub::open(TOKEN).unwrap().tagged(["v0.1.0", "v1.2.8"]);
    let place = Place::new();
    origin(&place);
    let folder = place.path().join("origin");
    git(
        &folder,
        &["remote", "add", "origin", "https://github.com/org/other.git"],
    );
    git(&folder, &["checkout", "--quiet", "v1.2.8"]);
    let rules = "type=semver,pattern={{version}}\ntype=semver,pattern={{major}}.{{minor}}";
    let flags = [
        "--context",
        "git:origin",
        "--tags",
        rules,
        "--flavor",
        "latest=highest",
    ];
    finish(asking(step(&place, "refs/heads/main", &flags), &github)).expect(0);
    assert_eq!(outputs(&place)["tag-names"], "1.2.8");
    assert!(
        github
            .requests()
            .iter()
            .all(|request| !request.path.contains("refs"))
    );
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
    assert!(
        place.read("summary").contains("image-tag: refused"),
        "{}",
        place.read("summary")
    );
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
