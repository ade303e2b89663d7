//! What is wrong with a rules file, and in which words it is told.

use super::*;

fn faults(text: &str) -> String {
    Rules::read(text.as_bytes(), "rules.yml").unwrap_err().to_string()
}

#[test]
fn everything_that_is_wrong_is_told_with_its_place() {
    let told = faults(
        "version: 2\nrules:\n- mtach: a\n  cache_control: x\n- match: ['[a', /b]\n  immutable: yes\n  phase: index\n  kms-key: k\n  metadata: {a b: c, A: 1, a: 2}\n- match: c\n  cache-control: \"a\\r\\nX: y\"\n  acl:\n  content-type: [a]\nrule: 1\n",
    );
    let expected = [
        "rules.yml:1:10: `version` is `2`, and this program reads 1",
        "rules.yml:3:3: unknown key `mtach` of a rule; did you mean `match`?",
        "rules.yml:4:3: unknown key `cache_control` of a rule; did you mean `cache-control`?",
        "rules.yml:5:11: `[a` is no pattern: unclosed character class; missing ']'",
        "rules.yml:5:17: `/b` would match no key, as keys begin with no `/` or `./`; write `b`",
        "rules.yml:6:14: `immutable`: `yes` is neither `true` nor `false`",
        "rules.yml:7:10: `phase`: `index` is no phase that a rule can give; there is `assets`, `others`, `pages`",
        "rules.yml:8:12: `kms-key` needs `encryption: aws:kms` or `aws:kms:dsse`",
        "rules.yml:9:14: `a b` is no name of metadata; it is sent as a part of a header's name",
        "rules.yml:9:28: the metadata `a` stands here a second time",
        "rules.yml: and 4 more",
    ];
    assert_eq!(told.lines().collect::<Vec<_>>(), expected, "{told}");
}

#[test]
fn what_is_no_rules_file_is_refused() {
    for (text, said) in [
        (
            "",
            "rules.yml:1:1: a rules file is empty, expected a map with keys such as `version`, `rules`",
        ),
        ("- a\n", "a rules file is a list"),
        ("version: 1\n", "a rules file needs `rules`"),
        ("rules: []\n", "`rules` is an empty list"),
        (
            "rules:\n- {phase: assets}\n",
            "rules.yml:2:3: a rule needs `match`",
        ),
        (
            "rules: {match: a, match: b}\n",
            "the key `match` stands here a second time",
        ),
        (
            "rules: {match: a}\n---\nrules: {match: b}\n",
            "a second document begins here",
        ),
        ("rules: [\n", "rules.yml:"),
        ("rules: &a [*a]\n", "rules.yml:"),
        (
            "rules: [[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]\n",
            "recursion limit exceeded",
        ),
        (
            "rules: {match: a, cache-tag: x, metadata: {Cache-Tag: y}}\n",
            "the tags stand in `cache-tag` and in `metadata`",
        ),
        (
            &format!(
                "rules: {{match: a, metadata: {{a: {0}, b: {0}}}}}\n",
                "x".repeat(1100)
            ),
            "the metadata has 2202 bytes, and S3 takes 2048",
        ),
        (
            &format!(
                "rules: {{match: a, website-redirect: /{0}, content-disposition: inline; {0}}}\n",
                "x".repeat(1100)
            ),
            "the headers have 2209 bytes together",
        ),
    ] {
        let told = faults(text);
        assert!(told.contains(said), "{told}");
    }
    let latin = Rules::read(b"rules:\n- match: \xe9\n", "r").unwrap_err();
    assert_eq!(latin.to_string(), "r:2:10: the file is not UTF-8");
    let large = Rules::read(&vec![b' '; 1024 * 1024 + 1], "r").unwrap_err();
    assert_eq!(large.to_string(), "r:1:1: the file is larger than 1 MiB");
}
