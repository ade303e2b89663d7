//! The file with every key, and the values that come of it.

use std::time::Duration;

use super::{EXAMPLE, spec};
use crate::expect::JsonRule;
use crate::probe::dns::Kind as RecordKind;
use crate::rule::{NoData, Subject};
use crate::source::Query;
use crate::spec::choice::{Addresses, Method, OnInconclusive, PostgresTls};
use crate::spec::sources;
use crate::spec::target::{Http, Kind, Target, Tcp};
use crate::spec::wait::{LIMITS, Wait, Waited};
use crate::version::VersionAt;

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn every_key_arrives() {
    let spec = spec(EXAMPLE).unwrap();
    assert_eq!(spec.timeout, secs(3600));
    assert_eq!(spec.on_inconclusive, OnInconclusive::Fail);
    let vars: Vec<&str> = spec.vars.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(vars, ["base", "sha", "quick"]);

    let wait = spec.wait.unwrap();
    let names: Vec<&str> = wait
        .targets
        .iter()
        .map(|waited| waited.target.name.as_str())
        .collect();
    assert_eq!(
        names,
        [
            "api",
            "db:5432",
            "tls example.com:443",
            "dns example.com AAAA",
            "grpc api:50051/shop.Cart",
            "postgres db:5432",
            "redis cache:6379",
            "./check.sh",
            "compose shop"
        ]
    );
    assert_eq!(
        (
            wait.targets[0].limits.interval,
            wait.targets[0].limits.success_threshold
        ),
        (secs(1), 3)
    );
    assert_eq!(
        (
            wait.targets[1].limits.interval,
            wait.targets[1].limits.success_threshold
        ),
        (secs(5), 2)
    );
    let Kind::Http(http) = &wait.targets[0].target.kind else {
        panic!()
    };
    assert_eq!(http.address.url().path(), "/health");
    assert_eq!(
        (http.method, http.follow, http.addresses),
        (Method::Post, 2, Addresses::V4)
    );
    assert_eq!(
        http.headers,
        [
            ("X-Probe".to_owned(), "1".to_owned()),
            ("X-Sha".to_owned(), "dev".to_owned())
        ]
    );
    assert_eq!(http.secret_headers[0].1.name, "API_AUTH");
    assert_eq!((http.min_days, http.max_latency), (Some(14), Some(secs(2))));
    assert!(http.give_up_on.as_ref().unwrap().holds(403));
    assert_eq!(
        (
            http.expect.body.len(),
            http.expect.matches.len(),
            http.expect.headers.len()
        ),
        (2, 1, 2)
    );
    assert_eq!(
        http.expect.headers[1].contains, None,
        "an empty text is any value"
    );
    let [
        JsonRule::Expression(first),
        JsonRule::Field(second),
        JsonRule::Expression(_),
    ] = &http.expect.json[..]
    else {
        panic!("{:?}", http.expect.json)
    };
    assert_eq!(
        (first.text.as_str(), first.at.line, first.at.column),
        (".status == \"ok\"", 37, 16)
    );
    assert_eq!(second.pointer, "/db");
    let version = http.expect.version.as_ref().unwrap();
    assert_eq!(
        (version.wanted.as_str(), &version.at),
        ("dev", &VersionAt::Header("x-version".to_owned()))
    );
    let Kind::Dns(dns) = &wait.targets[3].target.kind else {
        panic!()
    };
    assert_eq!(
        (dns.record, dns.resolvers[0].port(), dns.resolvers[1].port()),
        (RecordKind::Aaaa, 53, 5353)
    );
    let Kind::Grpc(grpc) = &wait.targets[4].target.kind else {
        panic!()
    };
    assert!(grpc.tls);
    let Kind::Postgres(postgres) = &wait.targets[5].target.kind else {
        panic!()
    };
    assert_eq!((postgres.tls, postgres.room), (PostgresTls::Require, true));
}

#[test]
fn sources_and_queries_arrive() {
    let spec = spec(EXAMPLE).unwrap();
    let names: Vec<&str> = spec.sources.iter().map(|source| source.name.as_str()).collect();
    assert_eq!(names, ["prom", "cw", "dd", "json", "sh", "dock"]);
    let sources::Kind::CloudWatch { offset, .. } = &spec.sources[1].kind else {
        panic!()
    };
    assert_eq!(*offset, secs(120));
    let watch = spec.watch.unwrap();
    let rule = |name: &str| watch.rules.iter().find(|rule| rule.name == name).unwrap();

    let Subject::Ratio {
        source: 0,
        bad: Query::Text(bad),
        ..
    } = &rule("error-share").subject
    else {
        panic!()
    };
    assert!(bad.contains("[{{window}}]"), "{bad}");
    let share = rule("error-share");
    assert_eq!(
        (share.no_data, share.advisory, share.max_errors),
        (NoData::Fail, true, 2)
    );
    assert_eq!(share.require.as_ref().unwrap().min_samples, 300);
    let abort = share.abort.as_ref().unwrap();
    assert_eq!(
        (abort.min_samples, abort.consecutive, abort.min_bad, abort.certain),
        (300, 2, 5, None)
    );

    let Subject::Ratio {
        source: 1,
        bad: Query::Metric(bad),
        ..
    } = &rule("error-rate").subject
    else {
        panic!()
    };
    assert_eq!((bad.statistic.as_str(), bad.dimensions.len()), ("Sum", 1));
    assert_eq!(
        rule("crashes").subject,
        Subject::Number {
            source: 5,
            query: Query::Text("restarts".to_owned())
        }
    );
    assert_eq!(
        rule("queue").subject,
        Subject::Number {
            source: 4,
            query: Query::Text("/x".to_owned())
        }
    );
    assert!(matches!(
        &rule("latency").subject,
        Subject::Histogram {
            source: 0,
            selector: Query::Buckets(_)
        }
    ));
    assert_eq!(rule("db").subject, Subject::Probe(1));
    assert_eq!(
        rule("slow").subject,
        Subject::Probe(0),
        "a signal that is a probe"
    );
    let slow = rule("slow").abort.clone().unwrap();
    assert_eq!(
        (slow.window, slow.certain, slow.consecutive),
        (Some(secs(120)), None, 2)
    );

    assert_eq!(
        (watch.probes[0].interval, watch.probes[1].interval),
        (Duration::from_millis(500), secs(2))
    );
    assert_eq!(
        (watch.probes[0].try_timeout, watch.probes[1].try_timeout),
        (secs(3), secs(5))
    );
    assert_eq!(watch.judged(), secs(14 * 60));
    let compared = &spec.comparisons[0];
    assert!((compared.fail_ratio - 1.5).abs() < 1e-9 && (compared.alpha - 0.05).abs() < 1e-9);
}

#[test]
fn no_secret_can_be_shown() {
    let shown = format!("{:?}", spec(EXAMPLE).unwrap());
    // Variables are a person's own texts, and stand in expressions; what is shown of addresses is without a password.
    let without_vars = shown.replacen("hunter22", "", 1);
    assert!(!without_vars.contains("hunter22"), "{shown}");
}

#[test]
fn a_file_of_one_target_is_what_flags_make() {
    let from_flags = |kind| {
        let wait = Wait {
            targets: vec![Waited {
                target: Target::new(kind),
                limits: LIMITS,
            }],
            timeout: LIMITS.timeout,
            until: crate::wait::Until::All,
        };
        assert_eq!(wait.check(), []);
        format!("{wait:?}")
    };
    let from_file = |target: &str| {
        let spec = spec(&format!("version: 1\nwait: {{targets: [{target}]}}\n")).unwrap();
        assert_eq!(spec.timeout, LIMITS.timeout + secs(1800));
        format!("{:?}", spec.wait.unwrap())
    };
    let address = crate::probe::http::address("https://example.com/health").unwrap();
    let mut http = Http::new(address.into(), "2xx".parse().unwrap());
    http.expect.body = vec!["ready".to_owned()];
    http.expect.json = vec![JsonRule::Field("/db=true".parse().unwrap())];
    http.expect.headers = vec!["x-id: 5".parse().unwrap()];
    assert_eq!(
        from_file(
            "{http: 'https://example.com/health', expect: {body: ready, json: /db=true, headers: {x-id: 5}}}"
        ),
        from_flags(Kind::Http(Box::new(http)))
    );
    assert_eq!(
        from_file("{tcp: 'db:5432'}"),
        from_flags(Kind::Tcp(Tcp::new("db:5432".parse().unwrap())))
    );
}
