//! The rules `type=pep440` and `type=match`: what docker/metadata-action answered in recorded runs, what no version or
//! match says, and what holds for any text.

#![expect(clippy::unwrap_used, reason = "a fixture that can't be read fails the test")]

use image_tag::{Error, Facts, Repository, Request, Warning, derive};
use proptest::prelude::*;
use serde_json::json;

fn facts(git_ref: &str) -> Facts {
    let payload = json!({"repository": {"default_branch": "master"}});
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

/// Tags in one line, and the warnings.
fn ask(git_ref: &str, tags: &str, flavor: &str) -> (String, Vec<Warning>) {
    let derived = derive(&request(tags, flavor), &facts(git_ref)).unwrap();
    (derived.tag_names.join(" "), derived.warnings)
}

#[test]
fn recorded_runs() {
    for (git_ref, tags, flavor, expected) in [
        // suite/meta/push/21
        (
            "refs/heads/master",
            "type=semver,pattern={{version}},value=v1.2.3\ntype=pep440,pattern={{version}},value=v1.2.3\ntype=edge",
            "",
            "1.2.3 edge latest",
        ),
        // suite/meta/push/22
        (
            "refs/heads/master",
            "type=match,pattern=v(.*),group=1,value=v1.2.3\ntype=edge",
            "",
            "1.2.3 edge latest",
        ),
        // suite/meta/push/23
        (
            "refs/heads/master",
            "type=match,enable=false,pattern=v(.*),group=1,value=v1.2.3\ntype=edge",
            "",
            "edge",
        ),
        // suite/meta/tag/33
        (
            "refs/tags/20200110-RC2",
            "type=match,pattern=(.*)-RC,group=1",
            "latest=false",
            "20200110",
        ),
        // suite/meta/tag/37
        (
            "refs/tags/v2.0.8-beta.67",
            "type=match,\"pattern=\\d.\\d\"",
            "",
            "2.0 latest",
        ),
        // suite/meta/tag/38
        (
            "refs/tags/v2.0.8-beta.67",
            "type=match,\"pattern=v(.*)-beta.(.*)\",group=1\ntype=match,\"pattern=v(.*)-beta.(.*)\",group=2",
            "",
            "2.0.8 67 latest",
        ),
        // suite/meta/tag/44
        (
            "refs/tags/v2.0.8-beta.67",
            "type=raw,priority=2000,foo\ntype=semver,pattern={{version}}\ntype=match,\"pattern=\\d.\\d\"",
            "",
            "foo 2.0.8-beta.67 2.0",
        ),
        // suite/meta/tag/47
        (
            "refs/tags/p1/v1.0.0",
            "type=match,pattern=p1/v(\\d.\\d.\\d),group=1\ntype=match,pattern=p1/v(\\d.\\d),group=1\ntype=match,pattern=p1/v(\\d.\\d),group=3\ntype=ref,event=pr\ntype=sha",
            "",
            "1.0.0 1.0 sha-860c190 latest",
        ),
        // suite/meta/tag/54
        (
            "refs/tags/1.1beta2",
            "type=pep440,pattern={{major}}.{{minor}}\ntype=pep440,pattern={{major}}",
            "",
            "1.1b2",
        ),
        // suite/meta/tag/55
        (
            "refs/tags/1.0dev4",
            "type=pep440,pattern={{major}}.{{minor}}\ntype=pep440,pattern={{major}}",
            "",
            "1.0.dev4",
        ),
        // suite/meta/tag/56
        (
            "refs/tags/1.2.3rc2",
            "type=pep440,pattern={{raw}}\ntype=pep440,pattern={{version}}\ntype=pep440,pattern={{major}}.{{minor}}\ntype=pep440,pattern={{major}}",
            "",
            "1.2.3rc2",
        ),
        // suite/meta/tag/58
        (
            "refs/tags/1.2post1",
            "type=pep440,pattern={{version}}\ntype=pep440,pattern={{major}}.{{minor}}\ntype=pep440,pattern={{major}}",
            "",
            "1.2.post1",
        ),
        // suite/meta/tag/59
        (
            "refs/tags/sometag",
            "type=ref,event=tag\ntype=pep440,pattern={{version}}\ntype=pep440,pattern={{major}}.{{minor}}\ntype=pep440,pattern={{major}}",
            "latest=false",
            "sometag",
        ),
        // suite/meta/tag/61
        (
            "refs/tags/v1.2.3rc2",
            "type=pep440,pattern={{raw}}\ntype=pep440,pattern={{major}}.{{minor}}",
            "",
            "v1.2.3rc2 1.2.3rc2",
        ),
        // suite/meta/tag/62
        (
            "refs/tags/v1.1.1",
            "type=pep440,pattern={{version}}\ntype=pep440,pattern={{major}}.{{minor}}.{{patch}}\ntype=pep440,pattern={{major}}.{{minor}}\ntype=pep440,pattern={{major}}",
            "",
            "1.1.1 1.1 1 latest",
        ),
        // suite/meta/tag/63
        (
            "refs/tags/p1/v1.0.0",
            "type=semver,pattern={{version}},\"match=v(\\d.\\d.\\d)$\"",
            "",
            "1.0.0 latest",
        ),
        // suite/meta/latest/67
        (
            "refs/tags/20200110-RC2",
            "type=match,pattern=\\d{8}",
            "",
            "20200110 latest",
        ),
        // suite/meta/latest/68
        (
            "refs/tags/v1.1.1",
            "type=match,\"pattern=\\d.\\d.\\d\"",
            "",
            "1.1.1 latest",
        ),
        // suite/meta/latest/70, suite/meta/latest/74
        (
            "refs/tags/v2.0.8-beta.67",
            "type=match,\"pattern=\\d.\\d.\\d\"",
            "",
            "2.0.8 latest",
        ),
        // suite/meta/raw/113, suite/meta/json/123, suite/meta/bakeFile/130
        (
            "refs/tags/20200110-RC2",
            "type=match,pattern=\\d{8}\ntype=raw,my\ntype=raw,custom\ntype=raw,tags",
            "latest=false",
            "20200110 my custom tags",
        ),
        // suite/meta/raw/118
        (
            "refs/heads/dev",
            "type=match,pattern=\\d{8}\ntype=raw,my,prefix=foo-,suffix=-bar\ntype=raw,custom\ntype=raw,tags",
            "latest=false\nprefix=glo-\nsuffix=-bal",
            "foo-my-bar glo-custom-bal glo-tags-bal",
        ),
        // probe/pep440/1.0.post1
        (
            "refs/tags/v1.2.3",
            "type=pep440,pattern={{version}},value=1.0.post1\ntype=pep440,pattern={{raw}},value=1.0.post1\ntype=pep440,pattern={{major}},value=1.0.post1\ntype=pep440,pattern={{major}}.{{minor}},value=1.0.post1\ntype=pep440,pattern={{patch}},value=1.0.post1",
            "",
            "1.0.post1",
        ),
        // probe/pep440/2012.4
        (
            "refs/tags/v1.2.3",
            "type=pep440,pattern={{version}},value=2012.4\ntype=pep440,pattern={{raw}},value=2012.4\ntype=pep440,pattern={{major}},value=2012.4\ntype=pep440,pattern={{major}}.{{minor}},value=2012.4\ntype=pep440,pattern={{patch}},value=2012.4",
            "",
            "2012.4 2012 0 latest",
        ),
        // probe/pep440/1.2.3.4
        (
            "refs/tags/v1.2.3",
            "type=pep440,pattern={{version}},value=1.2.3.4\ntype=pep440,pattern={{raw}},value=1.2.3.4\ntype=pep440,pattern={{major}},value=1.2.3.4\ntype=pep440,pattern={{major}}.{{minor}},value=1.2.3.4\ntype=pep440,pattern={{patch}},value=1.2.3.4",
            "",
            "1.2.3.4 1 1.2 3 latest",
        ),
        // probe/pep440/1.0a1
        (
            "refs/tags/v1.2.3",
            "type=pep440,pattern={{version}},value=1.0a1\ntype=pep440,pattern={{raw}},value=1.0a1\ntype=pep440,pattern={{major}},value=1.0a1\ntype=pep440,pattern={{major}}.{{minor}},value=1.0a1\ntype=pep440,pattern={{patch}},value=1.0a1",
            "",
            "1.0a1",
        ),
        // probe/semver/match-miss
        (
            "refs/tags/v1.2.3",
            "type=semver,pattern={{version}},value=1.0.0,match=^z(.*)",
            "",
            "1.0.0 latest",
        ),
    ] {
        assert_eq!(
            ask(git_ref, tags, flavor).0,
            expected,
            "{git_ref} {tags} {flavor}"
        );
    }
}

#[test]
fn patterns_of_pep440() {
    for (value, pattern, expected) in [
        (
            "v1.2.3",
            "{{raw}}|{{version}}|{{major}}.{{minor}}.{{patch}}",
            "v1.2.3-1.2.3-1.2.3 latest",
        ),
        ("1!2.3+ubuntu.1", "{{version}}", "1-2.3-ubuntu-1 latest"),
        ("1.0+local", "{{major}}", "1 latest"),
        ("1.2.3rc2", "{{major}}", "1.2.3rc2"),
        ("v1.2.3RC2", "{{raw}}", "v1.2.3RC2"),
        ("v1.2.3RC2", "v{{raw}}", "1.2.3rc2"),
        ("1.2-1", "{{major}}.{{minor}}", "1.2.post1"),
        ("1.2.dev4", "{{major}}", "1.2.dev4"),
        ("1.2", "{{branch}}{{prerelease}}x", "x latest"),
        ("1.2", "", ""),
    ] {
        let rule = format!("type=pep440,pattern={pattern},value={value}");
        assert_eq!(ask("refs/heads/dev", &rule, "").0, expected, "{rule}");
    }
}

#[test]
fn version_within_a_name() {
    let rule = r"type=pep440,pattern={{version}},match=^svc/v(.*)$";
    assert_eq!(ask("refs/tags/svc/v1.2post1", rule, "").0, "1.2.post1");
    let (tags, warnings) = ask("refs/tags/v1.2", rule, "");
    assert_eq!(tags, "1.2 latest");
    let expected = Warning::NoMatch {
        pattern: "^svc/v(.*)$".to_owned(),
        value: "v1.2".to_owned(),
    };
    assert_eq!(warnings, [expected]);
}

#[test]
fn what_is_no_version_gives_no_tag() {
    let (tags, warnings) = ask("refs/tags/svc/v1.2", "type=pep440,pattern={{version}}", "");
    assert_eq!(tags, "");
    let expected = Warning::NotPep440 {
        value: "svc-v1.2".to_owned(),
    };
    assert_eq!(
        expected.to_string(),
        "`svc-v1.2` is not a version of PEP 440 (https://peps.python.org/pep-0440/), so `type=pep440` gives no tag"
    );
    assert_eq!(warnings, [expected, Warning::NoTag]);
    assert_eq!(
        ask(
            "refs/heads/1.2",
            "type=pep440,pattern={{version}}\ntype=match,pattern=.*",
            ""
        )
        .1,
        [Warning::NoTag]
    );
}

#[test]
fn matches() {
    for (rule, expected) in [
        (r"pattern=\d+", "2 latest"),
        (r"pattern=/V(\d)/i,group=1", "2 latest"),
        (r"pattern=/\d+/g,group=2", "8 latest"),
        (r"pattern=/\d/y", ""),
        (r"pattern=.*", "svc-v2.0.8 latest"),
        (r"pattern=(?<=/v)(?<major>\d+),group=1,prefix=m-", "m-2 latest"),
        (r"pattern=v(.*),group=01", ""),
        (r"pattern=v(.*),group=", ""),
        (r"pattern=v(.*),group=1e400", ""),
        (r"pattern=(z)|v,group=1", ""),
        (r"pattern=(v),value=", "v latest"),
        (r"pattern=^$,value={{branch}}", ""),
        (r"pattern=", ""),
        (r"pattern=\p{L}+", ""),
        (r"pattern=/\p{L}+/u", "svc latest"),
        ("\"pattern=\\d{1,2}\"", "2 latest"),
        ("\"\"\"pattern=\\d{1,2}\"\"\"", "2 latest"),
        (r"pattern=\d+,value={{sha}}", "860 latest"),
    ] {
        let tags = ask("refs/tags/svc/v2.0.8", &format!("type=match,{rule}"), "").0;
        assert_eq!(tags, expected, "{rule}");
    }
    // Characters that no tag may have are replaced afterwards, half a character as a whole one.
    for (pattern, expected) in [("^.", "-x"), ("/^./u", "-x"), ("^..", "-x")] {
        let tags = ask(
            "refs/tags/😀b",
            &format!("type=match,pattern={pattern},prefix=_,suffix=x"),
            "",
        )
        .0;
        assert_eq!(tags, format!("_{expected} latest"), "{pattern}");
    }
}

#[test]
fn what_does_not_match_is_told() {
    for (rule, expected) in [
        (
            "type=match,pattern=/^x/i",
            "`pattern=/^x/i` does not fit `v1.2`, so `type=match` gives no tag",
        ),
        (
            r"type=match,pattern=v(\d),group=3",
            r"`pattern=v(\d)` has no group `3` in `v1.2`, so `type=match` gives no tag",
        ),
    ] {
        let (tags, warnings) = ask("refs/tags/v1.2", rule, "");
        assert_eq!((&*tags, warnings.len()), ("", 2), "{rule}");
        assert_eq!(warnings[0].to_string(), expected);
    }
}

#[test]
fn unusable_patterns_are_errors() {
    for (rule, message) in [
        (
            "type=match,pattern=/a/x",
            "`/a/x` that can't be used: there is no flag `x`",
        ),
        ("type=match,pattern=/a/uv", "exclude each other"),
        (
            "type=match,pattern=v(",
            "`v(` that can't be used: Unbalanced parenthesis",
        ),
        (
            "type=pep440,pattern={{version}},match=v.*",
            "it has no group to take the version from",
        ),
    ] {
        let error = derive(&request(rule, ""), &facts("refs/tags/v1.2")).unwrap_err();
        assert!(matches!(error, Error::Regex { .. }), "{error}");
        assert!(error.to_string().contains(message), "{error}");
        let attribute = if rule.contains("match=") {
            "`match="
        } else {
            "`pattern="
        };
        assert!(error.help().contains(attribute), "{}", error.help());
        // As in the original, an expression that is not needed is not read.
        assert!(derive(&request(rule, ""), &facts("refs/heads/dev")).is_ok());
    }
}

proptest! {
    #[test]
    fn any_tag_is_read_or_told(name in any::<String>(), version in "v?[0-9.]{1,6}[a-z+-]{0,4}[0-9]{0,2}") {
        let tags = "type=pep440,pattern={{raw}}-{{version}}\ntype=match,pattern=/^(.)(.*)$/su,group=2\ntype=match,pattern=(.)$";
        for name in [&name, &version] {
            let derived = derive(&request(tags, ""), &facts(&format!("refs/tags/{name}"))).unwrap();
            prop_assert!(!derived.tag_names.is_empty() || !derived.warnings.is_empty());
        }
    }

    #[test]
    fn any_rule_is_read_or_refused(pattern in "[^\",\n\r#]{0,12}", group in any::<String>(), value in "[^\",\n\r]{0,8}") {
        for kind in ["match", "pep440"] {
            let tags = format!("type={kind},pattern={pattern},value={value}\ntype=pep440,pattern=x,match={pattern},value={value}");
            if let Err(error) = derive(&request(&tags, ""), &facts("refs/tags/v1.2")) {
                prop_assert!(!error.help().is_empty());
            }
        }
        let tags = format!("type=match,pattern=.,\"group={}\"", group.replace('"', "\"\""));
        if let Err(error) = derive(&request(&tags, ""), &facts("refs/tags/v1.2")) {
            prop_assert!(!error.help().is_empty());
        }
    }
}
