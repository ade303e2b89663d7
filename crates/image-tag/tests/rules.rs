//! How rules and flavor come together, and what holds for any names and inputs.

#![expect(clippy::unwrap_used, reason = "a fixture that can't be read fails the test")]

use image_tag::{Error, Facts, Repository, Request, Warning, derive};
use proptest::prelude::*;
use serde_json::{Value, json};

fn facts(git_ref: &str) -> Facts {
    let payload = json!({"repository": {"default_branch": "main"}});
    Facts {
        event_name: "push".to_owned(),
        git_ref: git_ref.to_owned(),
        sha: "860c1904a1ce19322e91ac35af1ab07466440c37".to_owned(),
        repository: Repository::from_json(&payload["repository"], "org/app", "https://github.com"),
        payload,
        now: "2020-01-10T00:30:00Z".parse().unwrap(),
        ..Facts::default()
    }
}

fn request(tags: &str, flavor: &str) -> Request {
    Request {
        tags: tags.to_owned(),
        flavor: flavor.to_owned(),
        ..Request::default()
    }
}

/// The tag grammar of the OCI distribution specification, written down once more.
fn is_valid(tag: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut characters = tag.chars();
    characters.next().is_some_and(word)
        && tag.len() <= 128
        && characters.all(|c| word(c) || c == '.' || c == '-')
}

#[test]
fn prefix_suffix_and_latest() {
    let semver = "type=semver,pattern={{version}}\ntype=sha";
    for (tags, flavor, expected) in [
        (semver, "", "1.2.3 sha-860c190 latest"),
        (semver, "latest=false", "1.2.3 sha-860c190"),
        (semver, "prefix=p-", "p-1.2.3 sha-860c190 latest"),
        (semver, "prefix=p-,onlatest=true", "p-1.2.3 sha-860c190 p-latest"),
        (
            semver,
            "suffix=-alpine,onlatest=true",
            "1.2.3-alpine sha-860c190-alpine latest-alpine",
        ),
        (semver, "suffix=a=b", "1.2.3a-b sha-860c190a-b latest"),
        (
            semver,
            "suffix=-{{sha}},onlatest=true",
            "1.2.3-860c190 sha-860c190-860c190 latest--sha-",
        ),
        ("type=sha\ntype=raw,x", "latest=true", "x sha-860c190 latest"),
        ("type=raw,x,priority=950\ntype=ref,event=tag", "", "x v1.2.3"),
        (
            "type=raw,my,prefix=foo-,suffix=\ntype=raw,b",
            "prefix=glo-\nsuffix=-bal",
            "foo-my glo-b-bal",
        ),
        ("type=raw,latest\ntype=ref,event=tag", "", "v1.2.3 latest"),
        ("type=raw,latest", "latest=true", "latest"),
        ("type=raw,a\ntype=raw,a\ntype=raw,a/\ntype=raw,a-", "", "a a-"),
        ("type=raw,value=", "", ""),
        ("type=raw,value=,prefix=x", "", "x"),
        ("type=raw,\"value=a,b\"", "", "a-b"),
        (
            "type=sha,prefix=,format=long",
            "",
            "860c1904a1ce19322e91ac35af1ab07466440c37",
        ),
        (
            "type=semver,pattern={{version}},value=v2.0.0-rc.1\ntype=ref,event=tag",
            "",
            "2.0.0-rc.1 v1.2.3",
        ),
        (
            "type=semver,pattern={{version}},value=nothing\ntype=ref,event=tag",
            "",
            "v1.2.3 latest",
        ),
    ] {
        let names = derive(&request(tags, flavor), &facts("refs/tags/v1.2.3"))
            .unwrap()
            .tag_names
            .join(" ");
        assert_eq!(names, expected, "{tags} {flavor}");
    }
}

#[test]
fn edge_needs_a_branch() {
    for (tags, expected) in [("type=edge", "edge"), ("type=edge,branch=dev", "")] {
        assert_eq!(
            derive(&request(tags, ""), &facts("refs/heads/main"))
                .unwrap()
                .version,
            expected,
            "{tags}"
        );
    }
    let unknown = Facts {
        repository: Repository::default(),
        payload: Value::Null,
        ..facts("refs/heads/main")
    };
    let derived = derive(&request("type=edge", ""), &unknown).unwrap();
    assert_eq!(derived.warnings, [Warning::NoDefaultBranch, Warning::NoTag]);
}

#[test]
fn short_hash_has_the_length_asked_for() {
    for (length, expected) in [
        (7, "sha-860c190"),
        (12, "sha-860c1904a1ce"),
        (0, "sha-"),
        (99, "sha-860c1904a1ce19322e91ac35af1ab07466440c37"),
    ] {
        let request = Request {
            short_sha_length: length,
            ..request("type=sha", "")
        };
        assert_eq!(
            derive(&request, &facts("refs/heads/main")).unwrap().version,
            expected
        );
    }
}

#[test]
fn enable_is_exactly_true_or_false() {
    let enabled = |enable: &str| {
        derive(
            &request(&format!("type=raw,x,enable={enable}"), ""),
            &facts("refs/heads/main"),
        )
    };
    assert_eq!(enabled("{{is_default_branch}}").unwrap().version, "x");
    assert_eq!(enabled("{{is_not_default_branch}}").unwrap().version, "");
    for wrong in ["TRUE", "yes", "", "{{branch}}"] {
        let error = enabled(wrong).unwrap_err();
        assert!(
            matches!(error, Error::AttributeValue { key: "enable", .. }),
            "{wrong}: {error}"
        );
    }
}

#[test]
fn the_same_warning_comes_once() {
    let derived = derive(
        &request("type=semver,pattern=x\ntype=semver,pattern=y", ""),
        &facts("refs/tags/x"),
    )
    .unwrap();
    assert_eq!(
        derived.warnings,
        [
            Warning::NotSemver {
                value: "x".to_owned()
            },
            Warning::NoTag
        ]
    );
}

#[test]
fn nothing_known_is_an_error() {
    let nothing = Facts {
        git_ref: String::new(),
        sha: String::new(),
        repository: Repository::default(),
        ..facts("")
    };
    let error = derive(&Request::default(), &nothing).unwrap_err();
    assert!(matches!(error, Error::NothingKnown));
    assert!(error.help().contains("--ref refs/tags/v1.2.3"));
}

#[test]
fn a_megabyte_is_text_like_any_other() {
    let branch = "日\n\"{{sha}}\0".repeat(100_000);
    let payload = json!({"repository": {"description": branch, "name": branch}});
    let facts = Facts {
        repository: Repository::from_json(&payload["repository"], "org/app", ""),
        payload,
        ..facts(&format!("refs/heads/{branch}"))
    };
    let request = Request {
        labels: "b={{branch}}".to_owned(),
        ..request("type=ref,event=branch\ntype=raw,{{branch}}", "")
    };
    let derived = derive(&request, &facts).unwrap();
    assert_eq!(derived.tag_names.len(), 1);
    assert!(
        is_valid(&derived.version) && derived.version.len() == 128,
        "{}",
        derived.version
    );
    assert_eq!(derived.outputs(&request)[3].1.lines().count(), 9);
    assert!(
        derived
            .warnings
            .iter()
            .all(|warning| warning.to_string().len() < 1000)
    );
}

proptest! {
    #[test]
    fn any_ref_gives_valid_tags(
        kind in prop::sample::select(vec!["refs/heads/", "refs/tags/", "refs/pull/", ""]),
        name in any::<String>(),
        suffix in "[^\",\n\r{]{0,10}",
    ) {
        let tags = "type=ref,event=branch\ntype=ref,event=tag\ntype=ref,event=pr\ntype=semver,pattern={{raw}}\n\
                    type=raw,{{branch}}{{tag}}{{base_ref}}\ntype=sha";
        let request = Request { images: "org/app".to_owned(), ..request(tags, &format!("suffix={suffix},onlatest=true")) };
        let derived = derive(&request, &facts(&format!("{kind}{name}"))).unwrap();
        prop_assert!(derived.tag_names.iter().all(|tag| is_valid(tag)), "{:?}", derived.tag_names);
        prop_assert_eq!(&derived.version, &derived.tag_names[0]);
        let expected: Vec<String> = derived.tag_names.iter().map(|tag| format!("org/app:{tag}")).collect();
        prop_assert_eq!(&derived.tags, &expected);
        prop_assert_eq!(derived.outputs(&request)[1].1.lines().count(), derived.tags.len());
    }

    #[test]
    fn any_input_is_read_or_refused(
        images in any::<String>(), tags in any::<String>(), flavor in any::<String>(), labels in any::<String>(),
    ) {
        let request = Request { images, tags, flavor, labels, ..Request::default() };
        if let Err(error) = derive(&request, &facts("refs/tags/v1.2.3")) {
            prop_assert!(!error.help().is_empty());
        }
    }

    #[test]
    fn rules_of_known_words_are_read_or_refused(
        tags in "((type=(ref|semver|sha|raw|edge|schedule)|event=(branch|tag|pr)|pattern=|value=|enable=|\\{\\{(version|raw|tag|date)|'YYYY'|\\}\\}|true|,|\n|\"|x)){0,12}",
    ) {
        if let Ok(derived) = derive(&request(&tags, ""), &facts("refs/tags/v1.2.3")) {
            prop_assert!(derived.tag_names.iter().all(|tag| is_valid(tag)));
        }
    }
}
