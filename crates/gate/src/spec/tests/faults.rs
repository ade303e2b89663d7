//! What is wrong with files, each told at its line and column.

use proptest::prelude::{any, proptest};

use super::{EXAMPLE, env, spec, wrong};
use crate::spec::read;

/// The first line about a file that is a wait with one target.
fn target(written: &str) -> String {
    wrong(&format!("version: 1\nwait:\n  targets:\n  - {written}\n")).remove(0)
}

#[test]
fn the_whole_file() {
    for (file, said) in [
        ("", "gate.yml:1:1: a gate file is empty, expected a map"),
        ("[]", "gate.yml:1:1: a gate file is a list"),
        (
            "wait: {targets: [{tcp: 'a:1'}]}",
            "gate.yml:1:1: a gate file needs `version: 1`",
        ),
        (
            "version: 2\nwait: {targets: [{tcp: 'a:1'}]}",
            "gate.yml:1:10: `version` is 2",
        ),
        ("version: 1", "gate.yml:1:1: a gate file needs `wait` or `watch`"),
        (
            "version: 1\nwiat: {}",
            "gate.yml:2:1: unknown key `wiat`; did you mean `wait`?",
        ),
        ("version: 1\nwait:\n", "gate.yml:2:"),
        ("version: 1\nwait: {}", "gate.yml:2:7: `wait` needs `targets`"),
        (
            "version: 1\nwait: {targets: []}",
            "gate.yml:2:17: `targets` is an empty list",
        ),
        (
            "version: 1\nwait: {targets: {tcp: 'a:1'}}",
            "gate.yml:2:17: `targets` is a map, expected a list",
        ),
        (
            "version: 1\ntimeout: 5m\nwait: {targets: [{tcp: 'a:1'}], timeout: 6m}",
            "gate.yml:2:10: `timeout` is 5m, and `wait` and `watch` may take 6m",
        ),
        (
            "version: 1\non_inconclusive: pass\nwait: {targets: [{tcp: 'a:1'}]}",
            "gate.yml:2:18: `on_inconclusive`: `pass` is unknown",
        ),
        (
            "version: 1\ncompare: [{}]\nwait: {targets: [{tcp: 'a:1'}]}",
            "gate.yml:2:10: `compare` needs a `watch`",
        ),
    ] {
        let lines = wrong(file);
        assert!(
            lines.iter().any(|line| line.starts_with(said)),
            "{file}: {lines:?}"
        );
    }
}

#[test]
fn targets() {
    for (written, said) in [
        ("{}", "4:5: a target needs one of `http`, `tcp`"),
        (
            "{http: 'https://x', tcp: 'x:1'}",
            "4:30: a target is one thing, and this one has `http` and `tcp`",
        ),
        ("{htpp: 'https://x'}", "4:5: "),
        (
            "{http: 'ftp://u:pw@x'}",
            "4:12: `http`: `ftp://***@x` is no address",
        ),
        ("{tcp: db}", "4:11: `tcp`: `db` is no host with a port"),
        ("{tls: db}", "4:11: `tls`: `db` is no host with a port"),
        (
            "{tcp: 'db:1', record: A}",
            "4:27: `record` belongs to `dns`, and this target is `tcp`",
        ),
        (
            "{tcp: 'db:1', interval: 5}",
            "4:29: `interval`: `5` has no unit; write `5s`",
        ),
        (
            "{tcp: 'db:1', interval: 50ms}",
            "4:29: `interval` is 50ms, and must be at least 100ms",
        ),
        (
            "{tcp: 'db:1', success_threshold: 100}",
            "4:38: 100 good tries in a row, 5s apart",
        ),
        ("{tcp: 'db:1', rate: 1/s}", "4:25: `rate` belongs to a probe"),
        (
            "{tcp: 'db:1', expect: 'a('}",
            "4:27: `expect`: `a(` is no regular expression",
        ),
        (
            "{tcp: 'db:1', expect: {status: 200}}",
            "4:27: `expect` of a `tcp` target is a regular expression",
        ),
        (
            "{http: 'https://x', expect: ready}",
            "4:33: `expect` of an `http` target is a map",
        ),
        (
            "{http: 'https://x', expect: {status: 2x}}",
            "4:42: `status`: `2x` is no set of status codes",
        ),
        (
            "{http: 'https://x', expect: {json: /db}}",
            "4:40: `/db` is no JSON pointer with a value",
        ),
        (
            "{http: 'https://x', expect: {version: ''}}",
            "4:43: `version` is empty",
        ),
        (
            "{http: 'https://x', expect: {version_at: body}}",
            "4:46: `version_at` says where",
        ),
        (
            "{http: 'https://x', headers: {Authorization: x}}",
            "4:50: `Authorization` carries a secret",
        ),
        (
            "{http: 'https://x', headers: {'a b': x}}",
            "4:35: `a b` is no header",
        ),
        (
            "{http: 'https://x', headers_env: {Authorization: NO_SUCH}}",
            "4:54: `Authorization`: the environment variable `NO_SUCH` is not set or empty",
        ),
        (
            "{http: 'https://x', headers_env: {Authorization: Bearer xyz}}",
            "4:54: `Authorization` takes the name of an environment variable",
        ),
        (
            "{http: 'https://x', headers_env: {Authorization: secretxyz}}",
            "4:54: `Authorization`: the environment variable named here is not set",
        ),
        (
            "{http: 'https://x', body: x}",
            "4:31: `body` is sent with another `method`",
        ),
        ("{http: 'https://x', follow: 21}", "4:33: `follow` is 21"),
        (
            "{http: 'http://x', min_days: 5}",
            "4:34: `min_days` is about a certificate",
        ),
        (
            "{http: 'https://x', method: get}",
            "4:33: `method`: `get` is unknown",
        ),
        (
            "{http: 'https://x', resolve: ['x:443']}",
            "4:35: `resolve`: `x:443` is no host with a port and an address",
        ),
        (
            "{dns: x, resolvers: [dns.example]}",
            "4:26: `resolvers`: `dns.example` is no address",
        ),
        ("{dns: x, count: 0}", "4:21: `count` must be at least 1"),
        ("{postgres: 'x:1', tls: yes}", "4:28: `tls`: `yes` is unknown"),
        (
            "{redis: 'x:1', tls: on}",
            "4:25: `tls`: `on` is neither `true` nor `false`",
        ),
        ("{exec: ./x, args: a}", "4:23: `args` is a text, expected a list"),
        (
            "{http: '{{nope}}/x'}",
            "4:12: there is no variable `nope` in `vars`",
        ),
    ] {
        let line = target(written);
        assert!(line.starts_with(&format!("gate.yml:{said}")), "{written}: {line}");
    }
}

#[test]
fn two_targets_of_one_name() {
    let lines = wrong("version: 1\nwait:\n  targets:\n  - {tcp: 'a:1'}\n  - {tcp: 'a:1'}\n");
    assert_eq!(
        lines,
        ["gate.yml:5:5: a second target is named `a:1`; give them a `name` each"]
    );
}

#[test]
fn sources() {
    for (written, said) in [
        ("{P: {type: exec, program: x}}", "2:11: `P` can't name a source"),
        ("{p: {url: 'http://x'}}", "2:14: a source needs `type`"),
        (
            "{p: {type: prometeus}}",
            "2:21: `type`: `prometeus` is unknown; did you mean `prometheus`?",
        ),
        ("{p: {type: prometheus}}", "2:14: this source needs `url`"),
        (
            "{p: {type: prometheus, url: 'http://p', region: x}}",
            "2:58: `region` belongs to `cloudwatch`, and this source is `prometheus`",
        ),
        (
            "{p: {type: prometheus, url: 'http://p', bearer_env: NO}}",
            "2:62: `bearer_env`: the environment variable `NO` is not set",
        ),
        (
            "{p: {type: prometheus, url: 'http://p', bearer_env: TENANT, basic_env: TENANT}}",
            "2:81: `basic_env` and `bearer_env` exclude",
        ),
        (
            "{p: {type: prometheus, url: '${NO}'}}",
            "2:38: the environment variable `NO` is not set",
        ),
        (
            "{p: {type: datadog, site: 'https://x'}}",
            "2:36: `site`: `https://x` is no site",
        ),
        ("{p: {type: exec}}", "2:14: an `exec` source needs `program`"),
        (
            "{p: {type: http_json, url: 'http://p', value: '.value['}}",
            "2:56: `.value[` is no jq expression: expected",
        ),
        (
            "{p: {type: exec, program: x, value: '.n |'}}",
            "2:46: `.n |` is no jq expression: expected",
        ),
    ] {
        let lines = wrong(&format!(
            "version: 1\nsources: {written}\nwait: {{targets: [{{tcp: 'a:1'}}]}}\n"
        ));
        assert!(
            lines[0].starts_with(&format!("gate.yml:{said}")),
            "{written}: {lines:?}"
        );
    }
}

#[test]
fn queries_that_can_t_be_asked() {
    let sources = "sources:\n  web: {type: http_json, url: 'http://p'}\n  own: {type: exec, program: x}\n  shop: {type: compose, project: shop}\n";
    for (rule, said) in [
        (
            "ratio: {source: web, bad: '.errors[', total: '.all'}, abort: '> 5%'",
            "9:55: `.errors[` is no jq expression: expected",
        ),
        (
            "ratio: {source: web, bad: '.errors', total: '.all +'}, abort: '> 5%'",
            "9:73: `.all +` is no jq expression: expected",
        ),
        (
            "count: {source: own, query: '.a | nope'}, abort: '> 5'",
            "9:57: `.a | nope` is no jq expression: there is no filter `nope` (column 6)",
        ),
        (
            "count: {source: shop, query: cpu}, abort: '> 5'",
            "9:58: `cpu` can't be asked: a `compose` source answers `restarts` only",
        ),
    ] {
        let lines = wrong(&format!(
            "version: 1\n{sources}watch:\n  duration: 5m\n  rules:\n  - {{name: broken,          {rule}}}\n"
        ));
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].starts_with(&format!("gate.yml:{said}")), "{lines:?}");
    }
}

#[test]
fn everything_wrong_is_told_in_one_run() {
    let lines = wrong(
        "version: 1\nwait:\n  timeout: 5\n  intervall: 5s\n  targets:\n  - {http: ftp://x, follow: x}\n  - {tcp: 'db:1', port: 1}\nwatch:\n  duration: x\n  preset: cannary\n",
    );
    let places: Vec<&str> = lines
        .iter()
        .map(|line| line.split(": ").next().unwrap())
        .collect();
    assert_eq!(
        places,
        [
            "gate.yml:3:12",
            "gate.yml:4:3",
            "gate.yml:6:12",
            "gate.yml:6:29",
            "gate.yml:7:19",
            "gate.yml:9:13",
            "gate.yml:10:11"
        ],
        "{lines:#?}"
    );
}

#[test]
fn what_follows_from_a_fault_is_not_told() {
    for (file, said) in [
        (
            "version: 1\nvars: {base: '${NO_BASE}'}\nwait: {targets: [{http: '{{base}}/ok'}]}",
            &["gate.yml:2:14: the environment variable `NO_BASE` is not set"][..],
        ),
        (
            "version: 1\nvars: {a: x, b: '{{a}}'}\nwait: {targets: [{http: '{{b}}/ok'}]}",
            &["gate.yml:2:17: variable `b` can't name another"],
        ),
        (
            "version: 1\nwait: {targets: [{http: x}, {http: y}, {http: z}]}",
            &["gate.yml:2:25: `http`: `x`", "gate.yml:2:36:", "gate.yml:2:47:"],
        ),
        (
            "version: 1\ntimeout: 1m\nwait: {timeout: 3, success_threshold: 100, targets: [{tcp: 'a:1'}]}",
            &["gate.yml:3:17: `timeout`: `3` has no unit"],
        ),
        (
            "version: 1\nwait: {targets: [{tcp: 'a:1', interval: 3, success_threshold: 100}]}",
            &["gate.yml:2:41: `interval`: `3` has no unit"],
        ),
    ] {
        let lines = wrong(file);
        let is_said =
            lines.len() == said.len() && lines.iter().zip(said).all(|(line, said)| line.starts_with(said));
        assert!(is_said, "{file}: {lines:#?}");
    }
}

#[test]
fn what_can_t_come_in_the_time_is_told() {
    let rule = |abort: &str| {
        format!(
            "version: 1\nwatch:\n  duration: 3s\n  probe: {{tcp: 'a:1', rate: 10/s}}\n  rules:\n  - {{name: a, from: probe, abort: {abort}}}\n"
        )
    };
    let lines = wrong(&rule("{when: 'error_rate > 2%', consecutive: 2}"));
    assert_eq!(
        lines,
        [
            "gate.yml:6:74: `abort` of rule `a`: `consecutive` is 2, and so many windows of 3s in a row can't come within the 3s that are judged"
        ]
    );
    let require = rule("'error_rate > 2%', require: {when: 'p50 < 1s', window: 2s, consecutive: 9}");
    assert!(spec(&require).is_ok(), "its last window is judged in any case");
    for (abort, row) in [
        ("'error_rate > 2%'", (3, 1)),
        ("{when: 'error_rate > 2%', window: 1s}", (1, 2)),
        ("{when: 'error_rate > 2%', window: 1s, consecutive: 3}", (1, 3)),
    ] {
        let watch = spec(&rule(abort)).unwrap().watch.unwrap();
        let clause = watch.rules[0].abort.as_ref().unwrap();
        let window = clause.window.unwrap().as_secs();
        assert_eq!((window, clause.consecutive), row, "{abort}");
        assert_eq!(watch.interval.as_secs(), 3, "no longer than the observation");
    }
}

#[test]
fn too_much_of_something_is_told_and_not_read() {
    let targets = |count, target: &str| {
        let targets = format!("{target}, ").repeat(count);
        wrong(&format!("version: 1\nwait: {{targets: [{targets}]}}")).join("\n")
    };
    let numbered: String = (0..201).map(|n| format!("{{tcp: 'x:1', name: n{n}}},")).collect();
    let many = wrong(&format!("version: 1\nwait: {{targets: [{numbered}]}}"));
    assert_eq!(many, ["gate.yml:2:17: there must be 1 to 200 targets"]);
    assert!(targets(501, "{}").contains("`targets` has 501 entries, and may have 500"));
    let patterns = format!(
        "{{http: 'https://x', expect: {{matches: [{}]}}}}",
        "a, ".repeat(401)
    );
    assert!(targets(1, &patterns).contains("a file may hold 400 regular expressions"));
}

#[test]
fn no_secret_is_told() {
    for file in [
        "version: 1\nvars: {a: x, b: '{{a}}'}\nwait: {targets: [{http: 'http://{{b}}'}]}",
        "version: 1\nvars: {b: '${BASE_URL}'}\nwait: {targets: [{http: '{{b}}:x'}]}",
        "version: 1\nvars: {b: '${BASE_URL}'}\nwait: {targets: [{http: '{{b}}'}, {http: '{{b}}'}]}",
        "version: 1\nsources: {p: {type: prometheus, url: 'ftp${BASE_URL}'}}\nwait: {targets: [{tcp: 'a:1'}]}",
    ] {
        let lines = wrong(file).join("\n");
        assert!(!lines.contains("hunter22"), "{lines}");
    }
}

proptest! {
    #[test]
    fn no_change_of_a_good_file_panics(at in 0..EXAMPLE.len(), length in 0usize..12, put in "[a-z0-9{}:\\[\\]&*'\"%$ \n-]{0,6}", any in any::<Vec<u8>>()) {
        let mut bytes = EXAMPLE.as_bytes().to_vec();
        let end = (at + length).min(bytes.len());
        bytes.splice(at..end, put.bytes());
        for bytes in [bytes, any] {
            if let Err(faults) = read("gate.yml", &bytes, &env(), &[]) {
                let said = faults.to_string();
                proptest::prop_assert!(!said.is_empty() && said.lines().count() <= 11);
                proptest::prop_assert!(said.lines().all(|line| line.starts_with("gate.yml:") && line.len() < 2000));
            }
        }
    }
}

#[test]
fn the_example_is_good() {
    assert!(spec(EXAMPLE).is_ok());
}
