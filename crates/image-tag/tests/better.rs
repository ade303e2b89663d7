//! What docker/metadata-action never gave: tags that only move forward, services of one repository, versions without a
//! tag, guards, one reference to deploy, and the native mode.

#![expect(clippy::unwrap_used, reason = "a case that can't be derived fails the test")]

use gha::Exit;
use image_tag::{Derived, Error, Facts, History, Mode, Outcome, Repository, Request, Warning, derive};
use serde_json::{Value, json};

const SHA: &str = "860c1904a1ce19322e91ac35af1ab07466440c37";
const SEMVER: &str = "type=semver,pattern={{version}}\ntype=semver,pattern={{major}}.{{minor}}\n\
                      type=semver,pattern={{major}}\ntype=sha";

fn facts(git_ref: &str) -> Facts {
    let payload = json!({"repository": {"default_branch": "main", "full_name": "org/app"}});
    Facts {
        event_name: "push".to_owned(),
        git_ref: git_ref.to_owned(),
        sha: SHA.to_owned(),
        repository: Repository::from_json(&payload["repository"], "org/app", "https://github.com"),
        payload,
        now: "2020-01-10T00:30:00Z".parse().unwrap(),
        ..Facts::default()
    }
}

fn with_tags(git_ref: &str, tags: &[&str]) -> Facts {
    Facts {
        tags: Some(tags.iter().map(|&tag| tag.to_owned()).collect()),
        ..facts(git_ref)
    }
}

fn request(tags: &str, flavor: &str) -> Request {
    Request {
        images: "org/app".to_owned(),
        tags: tags.to_owned(),
        flavor: flavor.to_owned(),
        ..Request::default()
    }
}

fn native(tags: &str, flavor: &str) -> Request {
    Request {
        mode: Mode::Native,
        ..request(tags, flavor)
    }
}

fn names(request: &Request, facts: &Facts) -> String {
    derive(request, facts).unwrap().tag_names.join(" ")
}

fn reasons(derived: &Derived) -> Vec<&str> {
    let silent = derived.rules.iter().filter_map(|rule| match &rule.outcome {
        Outcome::Nothing(reason) => Some(reason.as_str()),
        Outcome::Tag { .. } => None,
    });
    silent.collect()
}

#[test]
fn a_back_port_moves_nothing_but_its_own_line() {
    let tags = ["v1.0.0", "v1.2.9", "v1.10.0", "v2.0.0", "v3.0.0-rc.1", "nightly"];
    for (git_ref, expected) in [
        ("refs/tags/v2.0.0", "2.0.0 2.0 2 sha-860c190 latest"),
        ("refs/tags/v2.0.1", "2.0.1 2.0 2 sha-860c190 latest"),
        ("refs/tags/v1.10.1", "1.10.1 1.10 1 sha-860c190"),
        ("refs/tags/v1.2.10", "1.2.10 1.2 sha-860c190"),
        ("refs/tags/v1.2.8", "1.2.8 sha-860c190"),
        ("refs/tags/v3.0.0-rc.1", "3.0.0-rc.1 sha-860c190"),
    ] {
        let facts = with_tags(git_ref, &tags);
        assert_eq!(
            names(&request(SEMVER, "latest=highest"), &facts),
            expected,
            "{git_ref}"
        );
    }
}

#[test]
fn who_holds_a_line_is_said() {
    let facts = with_tags("refs/tags/v1.2.8", &["v1.2.9", "v2.0.0"]);
    let derived = derive(&request(SEMVER, "latest=highest"), &facts).unwrap();
    assert_eq!(
        reasons(&derived),
        [
            "`1.2` belongs to `v1.2.9`",
            "`1` belongs to `v1.2.9`",
            "`latest` belongs to `v2.0.0`"
        ]
    );
}

#[test]
fn tags_that_nobody_knows_move_nothing() {
    let derived = derive(&request(SEMVER, "latest=highest"), &facts("refs/tags/v1.2.3")).unwrap();
    assert_eq!(derived.tag_names, ["1.2.3", "sha-860c190"]);
    assert_eq!(derived.warnings, [Warning::TagsUnknown]);
}

#[test]
fn highest_looks_at_every_type_about_versions() {
    let tags = ["v1.2", "v2.0", "release-1.2.4", "20200110"];
    for (rule, git_ref, expected) in [
        ("type=match,pattern=v(\\d+)\\.\\d+,group=1", "refs/tags/v1.1", ""),
        (
            "type=match,pattern=v(\\d+)\\.\\d+,group=1",
            "refs/tags/v2.1",
            "2 latest",
        ),
        ("type=pep440,pattern={{major}}", "refs/tags/v1.1", ""),
        ("type=pep440,pattern={{major}}", "refs/tags/v1.3", "1"),
        ("type=ref,event=tag", "refs/tags/v1.1", "v1.1"),
        ("type=ref,event=tag", "refs/tags/v2.0", "v2.0 latest"),
        ("type=ref,event=tag", "refs/tags/nightly", "nightly"),
    ] {
        let facts = with_tags(git_ref, &tags[..2]);
        assert_eq!(
            names(&request(rule, "latest=highest"), &facts),
            expected,
            "{rule} {git_ref}"
        );
    }
}

#[test]
fn versions_of_different_kinds_stand_in_one_order() {
    // Two numbers are no semantic version, and still higher.
    let facts = with_tags("refs/tags/v1.0.1", &["v1.0.0", "v2.0"]);
    assert_eq!(
        names(&request(SEMVER, "latest=highest"), &facts),
        "1.0.1 1.0 1 sha-860c190"
    );
}

#[test]
fn expressions_about_a_version_follow_the_highest_too() {
    let facts = with_tags("refs/tags/v1.2.8", &["v1.2.8", "v1.2.9", "v2.0.0"]);
    let tags = "type=raw,value={{major}}.{{minor}}\ntype=raw,value={{major}}\ntype=raw,value={{version}}\n\
                type=raw,value=stable\ntype=raw,value=t-{{tag}}";
    assert_eq!(names(&native(tags, ""), &facts), "1.2.8 stable t-v1.2.8");
    let derived = derive(&native(tags, ""), &facts).unwrap();
    assert_eq!(
        reasons(&derived)[..2],
        ["`1.2` belongs to `v1.2.9`", "`1` belongs to `v1.2.9`"]
    );
}

#[test]
fn versions_within_tags_have_their_order() {
    let tags = [
        "api/v5.0.0",
        "api/v6.0.0",
        "web/v9.0.0",
        "release-7.1",
        "release-7.2",
    ];
    let semver = "type=semver,pattern={{major}}.{{minor}},match=^api/v(.*)$";
    let found = "type=match,pattern=release-(\\d+),group=1";
    for (rule, git_ref, expected) in [
        (semver, "refs/tags/api/v5.0.0", "5.0"),
        (semver, "refs/tags/api/v6.0.0", "6.0 latest"),
        (found, "refs/tags/release-7.1", ""),
        (found, "refs/tags/release-7.2", "7 latest"),
    ] {
        let facts = with_tags(git_ref, &tags);
        assert_eq!(
            names(&request(rule, "latest=highest"), &facts),
            expected,
            "{rule} {git_ref}"
        );
    }
}

#[test]
fn a_day_among_the_tags_holds_nothing() {
    let facts = with_tags("refs/tags/v1.0.0", &["v1.0.0", "20240101", "nightly-9"]);
    let rule = "type=semver,pattern={{version}}";
    assert_eq!(names(&request(rule, "latest=highest"), &facts), "1.0.0 latest");
}

#[test]
fn a_release_that_is_marked_as_none_moves_nothing() {
    let mut facts = with_tags("refs/tags/v3.0.0", &["v2.0.0", "v3.0.0"]);
    facts.event_name = "release".to_owned();
    facts.payload["release"] = json!({"tag_name": "v3.0.0", "prerelease": true});
    assert_eq!(names(&native(SEMVER, ""), &facts), "3.0.0 sha-860c190");
}

#[test]
fn no_branch_takes_the_name_of_a_version() {
    for (git_ref, expected) in [
        ("refs/heads/latest", "sha-860c190"),
        ("refs/heads/1.2", "sha-860c190"),
        ("refs/heads/1.2.9", "sha-860c190"),
        ("refs/heads/v1.2", "sha-860c190"),
        ("refs/heads/1.2.3-rc.1", "sha-860c190"),
        ("refs/heads/1.x", "1.x sha-860c190"),
    ] {
        assert_eq!(
            names(&native("", ""), &with_tags(git_ref, &[])),
            expected,
            "{git_ref}"
        );
    }
    let derived = derive(&native("", ""), &with_tags("refs/heads/1.2", &[])).unwrap();
    assert!(reasons(&derived).contains(&"`1.2` is kept for versions"));
}

#[test]
fn the_head_of_a_pull_request_is_not_what_was_built() {
    let mut facts = facts("refs/pull/7/merge");
    facts.event_name = "pull_request".to_owned();
    facts.payload["pull_request"] = json!({"number": 7, "head": {"sha": "3370e228f220"}});
    let image = &derive(&native("", ""), &facts).unwrap().images[0];
    assert_eq!(image.immutable, Vec::<String>::new());
    assert_eq!(image.reference, "org/app:pr-7");
}

#[test]
fn what_is_named_by_hand_is_taken() {
    let mut facts = facts("refs/tags/v1.2.3");
    facts.event_name = "pull_request".to_owned();
    facts.payload["pull_request"] = json!({"number": 7, "head": {"sha": "3370e228f220"}});
    (facts.ref_given, facts.sha_given) = (true, true);
    assert_eq!(
        names(&native("type=ref,event=tag\ntype=sha", ""), &facts),
        "v1.2.3 sha-860c190"
    );
}

#[test]
fn a_rule_for_no_image_says_so() {
    let derived = derive(
        &request("type=sha\ntype=raw,x,image=nomatch/**", ""),
        &facts("refs/heads/main"),
    );
    assert_eq!(reasons(&derived.unwrap()), ["no image is the one it is for"]);
}

#[test]
fn a_digest_is_of_one_image() {
    for images in ["", "a/b\nc/d"] {
        let request = Request {
            images: images.to_owned(),
            digest: format!("sha256:{}", "0a".repeat(32)),
            ..Request::default()
        };
        assert!(matches!(
            derive(&request, &facts("refs/heads/x")),
            Err(Error::DigestOfOne { .. })
        ));
    }
}

#[test]
fn a_prefix_makes_a_repository_of_its_own() {
    let tags = ["api/v1.0.0", "api/v2.0.0", "web/v9.0.0", "v7.0.0"];
    let prefixed = |tags: &str, prefix: &str| Request {
        tag_prefix: prefix.to_owned(),
        ..request(tags, "latest=highest")
    };
    let wide = "type=semver,pattern={{version}}\ntype=semver,pattern={{major}}\ntype=ref,event=tag\ntype=raw,t-{{tag}}";
    for (git_ref, expected) in [
        ("refs/tags/api/v2.0.0", "2.0.0 2 v2.0.0 t-v2.0.0 latest"),
        ("refs/tags/api/v1.0.1", "1.0.1 1 v1.0.1 t-v1.0.1"),
        ("refs/tags/web/v9.0.0", "t-"),
        ("refs/tags/v7.0.0", "t-"),
    ] {
        let facts = with_tags(git_ref, &tags);
        assert_eq!(names(&prefixed(wide, "api/"), &facts), expected, "{git_ref}");
    }
    let facts = with_tags("refs/tags/web/v9.0.0", &tags);
    let derived = derive(&prefixed("type=semver,pattern={{version}}", "api/"), &facts).unwrap();
    assert_eq!(reasons(&derived), ["the tag `web/v9.0.0` is none of `api/`"]);
}

#[test]
fn versions_where_the_ref_is_no_tag() {
    let at = |event: &str, git_ref: &str, more: Value| {
        let mut facts = with_tags(git_ref, &["v1.2.3"]);
        facts.event_name = event.to_owned();
        for (key, value) in more.as_object().unwrap() {
            facts.payload[key] = value.clone();
        }
        facts
    };
    let run = json!({"workflow_run": {"event": "push", "head_branch": "v1.2.3", "head_sha": SHA,
        "head_repository": {"full_name": "org/app"}, "pull_requests": []}});
    let rule = "type=semver,pattern={{version}}\ntype=raw,value=pre,enable={{is_prerelease}}";
    for (facts, sources, compatible, in_native) in [
        (
            at("release", "", json!({"release": {"tag_name": "v1.2.3"}})),
            "release",
            "1.2.3 latest",
            "1.2.3 latest",
        ),
        (
            at("workflow_run", "refs/heads/main", run),
            "workflow-run",
            "1.2.3 latest",
            "1.2.3 latest",
        ),
        (
            at(
                "workflow_dispatch",
                "refs/heads/main",
                json!({"inputs": {"version": "2.0.0-rc.1"}}),
            ),
            "dispatch:version",
            "2.0.0-rc.1 pre",
            "2.0.0-rc.1 pre",
        ),
    ] {
        let asked = Request {
            version_from: sources.to_owned(),
            ..request(rule, "")
        };
        assert_eq!(names(&asked, &facts), compatible);
        assert_eq!(
            names(&request(rule, ""), &facts),
            "",
            "compatible mode does not look by itself"
        );
        assert_eq!(names(&native(rule, ""), &facts), in_native);
    }
}

#[test]
fn history_in_expressions() {
    let tags =
        "type=raw,{{describe}}\ntype=raw,c{{commit_count}}-{{distance}}\ntype=semver,pattern={{version}}";
    let history = History {
        tag: Some("v1.2.3".to_owned()),
        distance: 4,
        commit_count: 90,
        describe: "v1.2.3-4-g860c190".to_owned(),
    };
    let known = Facts {
        history: Some(history),
        ..facts("refs/heads/main")
    };
    let asked = Request {
        version_from: "describe".to_owned(),
        ..request(tags, "")
    };
    assert_eq!(names(&asked, &known), "1.2.3-4-g860c190 v1.2.3-4-g860c190 c90-4");
    let image = &derive(&asked, &known).unwrap().images[0];
    assert_eq!(
        image.floating,
        ["org/app:c90-4"],
        "a description names its commit"
    );
    let derived = derive(&request("type=raw,x{{distance}}", ""), &facts("refs/heads/main")).unwrap();
    assert_eq!(
        (derived.version.as_str(), &derived.warnings[..]),
        ("x", &[Warning::NoHistory][..])
    );
}

#[test]
fn parts_of_a_version_everywhere() {
    let tags = "type=raw,value={{prerelease}}_{{build}}_{{is_prerelease}}";
    assert_eq!(
        names(&request(tags, ""), &facts("refs/tags/v1.2.3-rc.1+b.5")),
        "rc.1_b.5_true"
    );
    assert_eq!(names(&request(tags, ""), &facts("refs/heads/main")), "__false");
    let parts = "type=raw,value={{version}}_{{major}}_{{minor}}_{{patch}}";
    assert_eq!(names(&request(parts, ""), &facts("refs/tags/v1.2.3")), "___");
    assert_eq!(
        names(&native(parts, ""), &facts("refs/tags/v1.2.3")),
        "1.2.3_1_2_3"
    );
}

#[test]
fn what_stands_for_one_build_alone_is_told_from_what_floats() {
    let tags = "type=semver,pattern={{version}}\ntype=semver,pattern={{major}}.{{minor}}\ntype=semver,pattern={{patch}}\n\
                type=semver,pattern=x{{raw}}\ntype=match,pattern=v\\d+\\.\\d+\ntype=match,pattern=v(.*),group=1,prefix=m\n\
                type=ref,event=tag\ntype=sha\ntype=raw,stable\ntype=raw,{{sha}}\ntype=raw,x-{{tag}}\n\
                type=raw,{{date 'YYYYMMDD'}}\ntype=raw,s,suffix=-{{sha}}\n\
                type=semver,pattern={{major}}.{{minor}},value=3.4.5\ntype=semver,pattern={{version}},value=3.4.5";
    let derived = derive(&request(tags, ""), &facts("refs/tags/v1.2.3")).unwrap();
    let image = &derived.images[0];
    assert_eq!(
        image.immutable.join(" ").replace("org/app:", ""),
        "1.2.3 xv1.2.3 3.4.5 m1.2.3 v1.2.3 860c190 x-v1.2.3 s-860c190 sha-860c190"
    );
    assert_eq!(
        image.floating.join(" ").replace("org/app:", ""),
        "1.2 3 3.4 v1.2 stable 20200110 latest"
    );
    let branch = derive(
        &request("type=ref,event=branch\ntype=edge\ntype=sha", ""),
        &facts("refs/heads/main"),
    );
    let image = &branch.unwrap().images[0];
    assert_eq!(image.floating, ["org/app:edge", "org/app:main"]);
    assert_eq!(image.reference, "org/app:sha-860c190");
}

#[test]
fn one_reference_to_deploy() {
    let digest = format!("sha256:{}", "0a".repeat(32));
    let by_digest = Request {
        digest: digest.clone(),
        ..request(SEMVER, "")
    };
    let output = |request: &Request, git_ref: &str| {
        let outputs = derive(request, &facts(git_ref)).unwrap().outputs(request);
        outputs.into_iter().find(|(name, _)| *name == "image").unwrap().1
    };
    assert_eq!(
        output(&by_digest, "refs/tags/v1.2.3"),
        format!("org/app@{digest}")
    );
    assert_eq!(output(&request(SEMVER, ""), "refs/tags/v1.2.3"), "org/app:1.2.3");
    assert_eq!(
        output(&request("type=edge", ""), "refs/heads/main"),
        "org/app:edge"
    );
    assert_eq!(output(&request("type=edge", ""), "refs/heads/x"), "");
    let nameless = Request {
        images: String::new(),
        ..request(SEMVER, "")
    };
    assert_eq!(output(&nameless, "refs/tags/v1.2.3"), "");
    let wrong = Request {
        digest: "sha256:0a".to_owned(),
        ..request("", "")
    };
    assert!(matches!(
        derive(&wrong, &facts("refs/heads/x")),
        Err(Error::Digest { .. })
    ));
}

#[test]
fn each_image_has_its_own_tags() {
    let request = Request {
        images: "ghcr.io/org/api\nghcr.io/org/web\nname=ghcr.io/org/off,enable=false\norg/worker".to_owned(),
        ..request(
            "type=ref,event=branch\ntype=sha,image=ghcr.io/**\ntype=raw,nightly,image=ghcr.io/org/web;org/worker\n\
             type=raw,never,image=ghcr.io/org/none",
            "",
        )
    };
    let derived = derive(&request, &facts("refs/heads/main")).unwrap();
    let by_image: Vec<String> = derived
        .images
        .iter()
        .map(|image| format!("{}: {}", image.name, image.tag_names.join(" ")))
        .collect();
    assert_eq!(
        by_image,
        [
            "ghcr.io/org/api: main sha-860c190",
            "ghcr.io/org/web: main nightly sha-860c190",
            "org/worker: main nightly",
        ]
    );
    assert_eq!(derived.tag_names, ["main", "sha-860c190", "nightly"]);
    let json: Value = serde_json::from_str(&derived.by_image()).unwrap();
    assert_eq!(json["ghcr.io/org/web"]["image"], "ghcr.io/org/web:sha-860c190");
    assert_eq!(
        json["org/worker"]["tags"],
        json!(["org/worker:main", "org/worker:nightly"])
    );
}

#[test]
fn an_image_that_no_rule_is_for_is_told() {
    let two = Request {
        images: "org/api\norg/web".to_owned(),
        ..request("type=sha,image=org/api", "")
    };
    let derived = derive(&two, &facts("refs/heads/main")).unwrap();
    let expected = Warning::NoTagForImage {
        image: "org/web".to_owned(),
    };
    assert_eq!(derived.warnings, [expected]);
    assert_eq!(derived.tags, ["org/api:sha-860c190"]);
}

#[test]
fn a_guard_refuses_before_anything_is_built() {
    let guarded = Request {
        require: "semver-tag".to_owned(),
        ..request("type=sha", "")
    };
    assert!(derive(&guarded, &facts("refs/tags/v1.2.3")).is_ok());
    let error = derive(&guarded, &facts("refs/heads/main")).unwrap_err();
    assert_eq!(error.exit(), Exit::Failed);
    assert_eq!(
        error.to_string(),
        "`refs/heads/main` is refused by `semver-tag`: the ref is not a tag"
    );
}

#[test]
fn native_defaults() {
    let tags = ["v1.2.3", "v1.3.0"];
    for (event, git_ref, payload, expected) in [
        ("push", "refs/tags/v1.2.3", json!({}), "1.2.3 1.2 sha-860c190"),
        (
            "push",
            "refs/tags/v1.3.0",
            json!({}),
            "1.3.0 1.3 sha-860c190 latest",
        ),
        (
            "push",
            "refs/tags/v2.0.0-rc.1",
            json!({}),
            "2.0.0-rc.1 sha-860c190",
        ),
        ("push", "refs/heads/main", json!({}), "main sha-860c190"),
        (
            "schedule",
            "refs/heads/main",
            json!({}),
            "nightly main sha-860c190",
        ),
        (
            "pull_request",
            "refs/pull/7/merge",
            json!({"pull_request": {"number": 7, "head": {"sha": "3370e228f220"}}}),
            "pr-7 sha-3370e22",
        ),
        (
            "pull_request",
            "refs/heads/main",
            json!({"action": "closed", "pull_request": {"number": 7, "head": {"sha": "3370e228f220"}}}),
            "pr-7 sha-3370e22",
        ),
        (
            "merge_group",
            "refs/heads/gh-readonly-queue/main/pr-104-aabbcc",
            json!({}),
            "pr-104 sha-860c190",
        ),
        (
            "create",
            "refs/tags/v1.3.0",
            json!({}),
            "1.3.0 1.3 sha-860c190 latest",
        ),
    ] {
        let facts = Facts {
            event_name: event.to_owned(),
            payload,
            ..with_tags(git_ref, &tags)
        };
        assert_eq!(names(&native("", ""), &facts), expected, "{event} {git_ref}");
    }
}

#[test]
fn native_flavor_is_around_every_tag() {
    let flavor = "prefix=p-\nsuffix=-{{branch}}";
    let facts = facts("refs/heads/main");
    let tags = "type=sha\ntype=raw,x,prefix=own-\ntype=raw,y,suffix=";
    assert_eq!(
        names(&native(tags, flavor), &facts),
        "p-own-x-main p-y-main p-sha-860c190-main"
    );
    assert_eq!(
        names(&native("type=raw,x", &format!("{flavor}\nlatest=true")), &facts),
        "p-x-main p-latest-main"
    );
    assert_eq!(
        names(
            &native("type=raw,x", "latest=true\nsuffix=-alpine,onlatest=false"),
            &facts
        ),
        "x-alpine latest"
    );
}

#[test]
fn native_mode_takes_no_misspelt_expression() {
    let error = derive(&native("type=raw,{{brnch}}", ""), &facts("refs/heads/main")).unwrap_err();
    assert!(error.to_string().contains("brnch"), "{error}");
    assert!(derive(&request("type=raw,{{brnch}}x", ""), &facts("refs/heads/main")).is_ok());
}

#[test]
fn no_tag_is_an_error_in_native_mode_and_a_warning_else() {
    let tags = "type=semver,pattern={{version}}\ntype=raw,x,enable=false";
    let error = derive(&native(tags, ""), &facts("refs/heads/main")).unwrap_err();
    assert_eq!(error.exit(), Exit::Usage);
    assert_eq!(
        error.to_string(),
        "no rule of input `tags` gave a tag for `refs/heads/main`: `type=semver,pattern={{version}}`: the ref is not a \
         tag; `type=raw,x,enable=false`: it is not enabled"
    );
    let derived = derive(&request(tags, ""), &facts("refs/heads/main")).unwrap();
    assert_eq!(derived.warnings, [Warning::NoTag]);
}
