//! Events as GitHub sends them, and what they give. The payloads follow the documented shapes
//! (<https://docs.github.com/en/webhooks/webhook-events-and-payloads>); beside each stands the runner's environment.

#![expect(clippy::unwrap_used, reason = "a fixture that can't be read fails the test")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use image_tag::{Derived, Facts, Outcome, Repository, Request, Warning, derive};

/// Every type at once, and every expression.
const WIDE: &str = "
type=schedule
type=ref,event=branch
type=ref,event=tag
type=ref,event=pr
type=semver,pattern={{version}}
type=semver,pattern={{major}}.{{minor}}
type=edge
type=sha
type=raw,value=b-{{branch}}
type=raw,value=t-{{tag}}
type=raw,value=base-{{base_ref}}
type=raw,value=d-{{is_default_branch}}-{{is_not_default_branch}}
type=raw,value=c-{{commit_date 'YYYYMMDD-HHmm' tz='Europe/Berlin'}}
";

fn facts(name: &str) -> Facts {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/events");
    let read = |extension: &str| fs::read_to_string(folder.join(name).with_extension(extension)).unwrap();
    let text = read("env");
    let env: BTreeMap<&str, &str> = text.lines().map(|line| line.split_once('=').unwrap()).collect();
    let payload: serde_json::Value = serde_json::from_str(&read("json")).unwrap();
    Facts {
        event_name: env["GITHUB_EVENT_NAME"].to_owned(),
        git_ref: env["GITHUB_REF"].to_owned(),
        sha: env["GITHUB_SHA"].to_owned(),
        repository: Repository::from_json(
            &payload["repository"],
            env["GITHUB_REPOSITORY"],
            env["GITHUB_SERVER_URL"],
        ),
        payload,
        now: "2026-11-22T09:10:11Z".parse().unwrap(),
        ..Facts::default()
    }
}

fn request(tags: &str) -> Request {
    Request {
        images: "ghcr.io/Acme/shop".to_owned(),
        tags: tags.to_owned(),
        ..Request::default()
    }
}

fn names(event: &str, tags: &str) -> String {
    derive(&request(tags), &facts(event)).unwrap().tag_names.join(" ")
}

#[test]
fn default_tags() {
    for (event, expected) in [
        ("push-branch", "main"),
        ("push-tag", "v1.2.3 latest"),
        ("pull-request", "pr-42"),
        ("schedule", "nightly main"),
        ("workflow-dispatch", "release-1.x"),
        ("release", "v2.0.0-rc.1 latest"),
        (
            "merge-group",
            "gh-readonly-queue-main-pr-42-0a1b2c3d4e5f60718293a4b5c6d7e8f901234567",
        ),
        ("push-hostile", "wip-id-x-b-0A-25-sha-gnp-"),
    ] {
        assert_eq!(names(event, ""), expected, "{event}");
    }
}

#[test]
fn every_type() {
    for (event, expected) in [
        (
            "push-branch",
            "edge main b-main t- base- d-true-false c-20261121-1115 sha-7c1f0f2",
        ),
        (
            "push-tag",
            "1.2.3 1.2 v1.2.3 b- t-v1.2.3 base-main d-false-true c-20261121-1115 sha-7c1f0f2 latest",
        ),
        (
            "pull-request",
            "pr-42 b- t- base-main d-false-true c-20261122-1010 sha-7c1f0f2",
        ),
        (
            "schedule",
            "nightly edge main b-main t- base- d-true-false c-20261122-1010 sha-7c1f0f2",
        ),
        (
            "workflow-dispatch",
            "release-1.x b-release-1.x t- base- d-false-true c-20261122-1010 sha-7c1f0f2",
        ),
        (
            "release",
            "2.0.0-rc.1 v2.0.0-rc.1 b- t-v2.0.0-rc.1 base- d-false-true c-20261122-1010 sha-7c1f0f2",
        ),
    ] {
        assert_eq!(names(event, WIDE), expected, "{event}");
    }
}

#[test]
fn outputs_of_a_tag() {
    let facts = facts("push-tag");
    let request = Request {
        images: "acme/shop\nghcr.io/Acme/shop".to_owned(),
        sep_tags: ",".to_owned(),
        labels: "maintainer=Ada".to_owned(),
        ..request("type=semver,pattern={{version}}")
    };
    let outputs: BTreeMap<_, _> = derive(&request, &facts)
        .unwrap()
        .outputs(&request)
        .into_iter()
        .collect();
    assert_eq!(outputs["version"], "1.2.3");
    assert_eq!(
        outputs["tags"],
        "acme/shop:1.2.3,acme/shop:latest,ghcr.io/acme/shop:1.2.3,ghcr.io/acme/shop:latest"
    );
    assert_eq!(outputs["tag-names"], "1.2.3,latest");
    let labels = "maintainer=Ada
org.opencontainers.image.created=2026-11-22T09:10:11.000Z
org.opencontainers.image.description=The shop's web front end
org.opencontainers.image.licenses=Apache-2.0
org.opencontainers.image.revision=7c1f0f2e5b3d4a6988c7b6a5f4e3d2c1b0a99887
org.opencontainers.image.source=https://github.com/acme/Shop
org.opencontainers.image.title=Shop
org.opencontainers.image.url=https://github.com/acme/Shop
org.opencontainers.image.version=1.2.3";
    assert_eq!(outputs["labels"], labels);
    let json: serde_json::Value = serde_json::from_str(&outputs["json"]).unwrap();
    assert_eq!(json["tags"][3], "ghcr.io/acme/shop:latest");
    assert_eq!(json["labels"]["maintainer"], "Ada");
}

#[test]
fn hostile_text_stays_in_its_place() {
    let facts = facts("push-hostile");
    let request = Request {
        labels: "branch={{branch}}".to_owned(),
        ..request("")
    };
    let derived = derive(&request, &facts).unwrap();
    let outputs: BTreeMap<_, _> = derived.outputs(&request).into_iter().collect();
    assert_eq!(outputs["labels"].lines().count(), 9);
    let branch = facts.git_ref.strip_prefix("refs/heads/").unwrap();
    assert!(outputs["labels"].starts_with(&format!("branch={branch}\n")));
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&derived.json()).unwrap()["labels"]["org.opencontainers.image.description"],
        facts.repository.description
    );
    assert_eq!(outputs["json"].lines().count(), 1);
    let Derived { warnings, .. } = derived;
    assert!(matches!(&warnings[..], [Warning::Mended { .. }]), "{warnings:?}");
}

#[test]
fn head_commit_of_a_pull_request_on_demand() {
    let request = Request {
        pull_request_head: Some(true),
        ..request("type=sha,format=long")
    };
    let derived = derive(&request, &facts("pull-request")).unwrap();
    assert_eq!(derived.version, "sha-d4e5f60718293a4b5c6d7e8f9012345670a1b2c3");
    assert!(
        derived
            .labels
            .iter()
            .any(|label| label.value == "d4e5f60718293a4b5c6d7e8f9012345670a1b2c3")
    );
}

#[test]
fn rules_say_why_they_gave_nothing() {
    let derived = derive(
        &request("type=semver,pattern={{version}}\ntype=raw,x,enable=false"),
        &facts("push-branch"),
    );
    let derived = derived.unwrap();
    let outcomes: Vec<_> = derived.rules.iter().map(|rule| rule.outcome.clone()).collect();
    assert_eq!(
        outcomes,
        [
            Outcome::Nothing("the ref is not a tag".to_owned()),
            Outcome::Nothing("it is not enabled".to_owned())
        ]
    );
    assert_eq!(derived.warnings, [Warning::NoTag]);
    assert_eq!(derived.version, "");
}
