//! The arrows between the crates point one way: tools to `gate` and `aws`, these to `gha`. Nothing depends on a tool, what
//! ships never on `sandbox`, and what a tool does not use is not linked into it.
//!
//! Direct arrows are read from `cargo metadata`. What a crate reaches is read from `cargo tree --package`, because the
//! features in `cargo metadata` are those of the whole workspace at once, in which each tool seems to reach all.
#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test that can't go on fails where it stands"
)]

use std::collections::BTreeSet;

use serde_json::Value;
use xtask::{command, environment, tools};

/// A crate of ours that names another of ours in its manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Arrow {
    from: String,
    to: String,
    dev: bool,
    optional: bool,
}

/// What a crate is, which says where its arrows may point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Runner,
    Gate,
    Cloud,
    Tool,
    StandIns,
    /// Automation and tests from outside.
    Outside,
}

fn place(name: &str, tools: &[String]) -> Option<Place> {
    match name {
        "gha" => Some(Place::Runner),
        "gate" => Some(Place::Gate),
        "aws" => Some(Place::Cloud),
        "sandbox" => Some(Place::StandIns),
        "xtask" | "black-box" => Some(Place::Outside),
        tool if tools.iter().any(|known| known == tool) => Some(Place::Tool),
        _ => None,
    }
}

fn may_point(arrow: &Arrow, from: Place, to: Place) -> bool {
    match (from, to) {
        (_, Place::Tool) => false,
        // A stand-in made of what it tests would share its mistakes.
        (Place::StandIns, _) => false,
        (Place::Outside, _) => true,
        _ if arrow.dev => true,
        (Place::Gate, Place::Cloud) => arrow.optional,
        (Place::Gate | Place::Cloud, Place::Runner) => true,
        (Place::Tool, Place::Gate | Place::Cloud | Place::Runner) => true,
        _ => false,
    }
}

fn members(metadata: &Value) -> Vec<String> {
    let packages = metadata["packages"].as_array().expect("a list of packages");
    packages
        .iter()
        .map(|package| package["name"].as_str().expect("a name").to_owned())
        .collect()
}

fn arrows(metadata: &Value) -> Vec<Arrow> {
    let mut arrows = Vec::new();
    for package in metadata["packages"].as_array().expect("a list of packages") {
        for dependency in package["dependencies"]
            .as_array()
            .expect("a list of dependencies")
        {
            // Ours are the only ones that are found by a path.
            if !dependency["path"].is_null() {
                arrows.push(Arrow {
                    from: package["name"].as_str().expect("a name").to_owned(),
                    to: dependency["name"].as_str().expect("a name").to_owned(),
                    dev: dependency["kind"] == "dev",
                    optional: dependency["optional"] == true,
                });
            }
        }
    }
    arrows
}

fn findings(members: &[String], arrows: &[Arrow], tools: &[String]) -> Vec<String> {
    let mut findings = Vec::new();
    for name in members.iter().filter(|name| place(name, tools).is_none()) {
        findings.push(format!(
            "`{name}` is neither a tool nor a crate that this test knows"
        ));
    }
    for arrow in arrows {
        if let (Some(from), Some(to)) = (place(&arrow.from, tools), place(&arrow.to, tools))
            && !may_point(arrow, from, to)
        {
            findings.push(format!("`{}` must not depend on `{}`", arrow.from, arrow.to));
        }
    }
    findings
}

/// The names of all crates that a build of this package takes, itself included, for whatever machine.
fn reached(package: &str, features: &[&str]) -> BTreeSet<String> {
    let mut cargo = environment::cargo(&environment::workspace_root().unwrap());
    cargo
        .args([
            "tree",
            "--locked",
            "--package",
            package,
            "--edges",
            "normal,build",
        ])
        .args(["--target", "all", "--prefix", "none", "--format", "{p}"])
        .args(features);
    let tree = command::read_text(&mut cargo).unwrap();
    tree.lines()
        .filter_map(|line| line.split_whitespace().next())
        .map(str::to_owned)
        .collect()
}

fn is_cloud(name: &str) -> bool {
    ["aws", "kube", "k8s-openapi"].contains(&name)
        || ["aws-", "kube-"].iter().any(|prefix| name.starts_with(prefix))
}

fn which(reached: &BTreeSet<String>, rule: fn(&str) -> bool) -> Vec<&str> {
    reached
        .iter()
        .map(String::as_str)
        .filter(|name| rule(name))
        .collect()
}

const NONE: [&str; 0] = [];

#[test]
fn arrows_point_one_way() {
    let root = environment::workspace_root().unwrap();
    let mut cargo = environment::cargo(&root);
    cargo.args(["metadata", "--locked", "--no-deps", "--format-version", "1"]);
    let metadata: Value = serde_json::from_slice(&command::read(&mut cargo).unwrap()).unwrap();
    let (members, arrows, tools) = (
        members(&metadata),
        arrows(&metadata),
        tools::names(&root).unwrap(),
    );
    assert!(
        members.len() > tools.len() && arrows.len() >= tools.len(),
        "{arrows:?}"
    );
    assert_eq!(findings(&members, &arrows, &tools), NONE);
}

#[test]
fn every_arrow_the_other_way_is_found() {
    let tools = ["notify", "ecs-deploy"].map(str::to_owned);
    let found = |from: &str, to: &str, dev, optional| {
        let arrow = Arrow {
            from: from.to_owned(),
            to: to.to_owned(),
            dev,
            optional,
        };
        !findings(&[], &[arrow], &tools).is_empty()
    };
    for (from, to) in [
        ("gha", "gate"),
        ("gha", "aws"),
        ("gha", "notify"),
        ("gha", "sandbox"),
        ("gate", "aws"),
        ("gate", "sandbox"),
        ("gate", "notify"),
        ("aws", "gate"),
        ("aws", "sandbox"),
        ("notify", "ecs-deploy"),
        ("notify", "sandbox"),
        ("notify", "xtask"),
        ("sandbox", "gha"),
        ("xtask", "notify"),
    ] {
        assert!(found(from, to, false, false), "{from} to {to}");
    }
    for (from, to, dev, optional) in [
        ("gate", "gha", false, false),
        ("gate", "aws", false, true),
        ("aws", "gha", false, false),
        ("notify", "gha", false, false),
        ("ecs-deploy", "gate", false, false),
        ("ecs-deploy", "aws", false, false),
        ("gha", "sandbox", true, false),
        ("notify", "sandbox", true, false),
        ("xtask", "sandbox", false, false),
        ("black-box", "sandbox", false, false),
    ] {
        assert!(!found(from, to, dev, optional), "{from} to {to}");
    }
    // Not even its tests make one tool a part of another, nor a stand-in a part of what it stands in front of.
    assert!(found("notify", "ecs-deploy", true, false));
    assert!(found("sandbox", "gha", true, false));
    assert_eq!(
        findings(&["new-one".to_owned()], &[], &tools),
        ["`new-one` is neither a tool nor a crate that this test knows"]
    );
}

#[test]
fn arrows_are_read_from_metadata() {
    let metadata = serde_json::json!({ "packages": [{ "name": "gate", "dependencies": [
        { "name": "serde", "kind": null, "optional": false, "path": null },
        { "name": "aws", "kind": null, "optional": true, "path": "/crates/aws" },
        { "name": "sandbox", "kind": "dev", "optional": false, "path": "/crates/sandbox" },
    ]}]});
    let arrow = |to: &str, dev, optional| Arrow {
        from: "gate".to_owned(),
        to: to.to_owned(),
        dev,
        optional,
    };
    assert_eq!(members(&metadata), ["gate"]);
    assert_eq!(
        arrows(&metadata),
        [arrow("aws", false, true), arrow("sandbox", true, false)]
    );
}

#[test]
fn the_runner_knows_no_cloud() {
    let reached = reached("gha", &["--all-features"]);
    assert_eq!(which(&reached, is_cloud), NONE);
    assert_eq!(which(&reached, |name| ["gate", "sandbox"].contains(&name)), NONE);
}

#[test]
fn image_tag_and_notify_link_no_cloud() {
    for tool in ["image-tag", "notify"] {
        let reached = reached(tool, &[]);
        assert!(
            reached.contains("gha") && reached.contains("clap"),
            "{tool} has lost its tree"
        );
        assert_eq!(which(&reached, is_cloud), NONE, "{tool}");
    }
}

/// Questions to GitHub and messages go over `gha`'s HTTP client, with its proxies and certificate authorities: octocrab too, without
/// the client, the time-outs and the keys of apps that it would bring.
#[test]
fn what_asks_over_http_has_the_one_client() {
    for tool in ["image-tag", "notify"] {
        let reached = reached(tool, &[]);
        assert!(
            ["reqwest", "rustls", "ring"]
                .iter()
                .all(|name| reached.contains(*name)),
            "{tool}"
        );
        let other = |name: &str| {
            [
                "ureq",
                "isahc",
                "curl",
                "openssl",
                "native-tls",
                "aws-lc-rs",
                "hyper-timeout",
                "jsonwebtoken",
            ]
            .contains(&name)
        };
        assert_eq!(which(&reached, other), NONE, "{tool}");
    }
}

#[test]
fn clouds_are_known_by_their_names() {
    for name in [
        "aws-config",
        "aws-sdk-ecs",
        "aws",
        "kube",
        "kube-client",
        "k8s-openapi",
    ] {
        assert!(is_cloud(name), "{name}");
    }
    for name in ["gha", "awscii", "kubernetes", "octo"] {
        assert!(!is_cloud(name), "{name}");
    }
}
