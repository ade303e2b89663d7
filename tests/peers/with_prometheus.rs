//! Prometheus scraping a real exporter: the answers that make a gate's queries wrong, each shown by Prometheus itself
//! before the gate is asked for its verdict. The first scrape takes seconds, so each test looks at several facts.

use std::time::Duration;

use sandbox::peers::{Exporter, Nginx, Place, Prometheus, Scrapes};

use crate::gate::{Gate, run, wait_url};

/// Between two scrapes.
const INTERVAL: Duration = Duration::from_millis(200);
const FAST: Duration = Duration::from_millis(20);

/// What most services count, over the last minute, whatever the window: the tests' own traffic lies before it.
const BAD: &str = r#"sum(increase(http_requests_total{code=~"5.."}[1m]))"#;
const TOTAL: &str = "sum(increase(http_requests_total[1m]))";

struct World {
    exporter: Exporter,
    prometheus: Prometheus,
    _places: (Place, Place),
}

impl World {
    fn new() -> Self {
        Self::with(Prometheus::start)
    }

    fn with(
        start: impl Fn(&Place, &[std::net::SocketAddr], Duration) -> std::io::Result<Prometheus>,
    ) -> Self {
        let places = (Place::new().unwrap(), Place::new().unwrap());
        let exporter = Exporter::start(&places.0).unwrap();
        let prometheus = start(&places.1, &[exporter.address()], INTERVAL).unwrap();
        let world = Self {
            exporter,
            prometheus,
            _places: places,
        };
        world.becomes("up", Some(1.0));
        world
    }

    #[track_caller]
    fn becomes(&self, expression: &str, value: Option<f64>) {
        self.prometheus
            .wait_for(expression, |found| found == value)
            .unwrap();
    }

    /// Requests with this status, as Prometheus sees them too.
    #[track_caller]
    fn serves(&self, code: u16, count: u32, took: Duration) {
        let series = format!("http_requests_total{{code=\"{code}\"}}");
        let before = self.prometheus.value(&series).unwrap().unwrap_or_default();
        self.exporter.serve(code, count, took).unwrap();
        self.becomes(&series, Some(before + f64::from(count)));
    }

    #[track_caller]
    fn value(&self, expression: &str) -> Option<f64> {
        self.prometheus.value(expression).unwrap()
    }

    fn address(&self) -> String {
        format!("http://{}", self.prometheus.address())
    }

    /// A short watch of this Prometheus under one rule.
    fn judged(&self, rule: &str) -> Gate {
        watch(&self.address(), "", "1s", rule)
    }
}

/// A watch by one rule of a Prometheus at an address.
fn watch(url: &str, keys: &str, duration: &str, rule: &str) -> Gate {
    run(&format!(
        "version: 1
sources:
  prom: {{ type: prometheus, url: \"{url}\", timeout: 2s {keys} }}
watch:
  duration: {duration}
  interval: 500ms
  rules:
    - {{ name: it, {rule} }}
"
    ))
}

/// A rule's subject: the share of errors.
fn ratio() -> String {
    format!("ratio: {{ source: prom, bad: '{BAD}', total: '{TOTAL}' }}")
}

fn value(query: &str) -> String {
    format!("value: {{ source: prom, query: '{query}' }}")
}

#[test]
fn errors_are_told_from_none_and_from_no_traffic() {
    let world = World::new();
    wait_url(&format!("http://{}/-/ready", world.prometheus.address())).passes();
    wait_url(&format!("http://{}/metrics", world.exporter.address())).passes();
    let at_most = |limit: &str| format!("{}, require: \"< {limit}\", min_samples: 100", ratio());

    // Nothing was counted: neither good nor bad.
    assert_eq!(world.value(TOTAL), None);
    world
        .judged(&at_most("1%"))
        .ends(4)
        .says(&["no data", "no such series"]);

    // A healthy service has no series of errors. It is not 0: there is nothing at all.
    world.serves(200, 1, FAST);
    world.serves(200, 500, FAST);
    assert_eq!(world.value(BAD), None);
    let seen = world.judged(&at_most("1%")).ends(0);
    assert_eq!(seen.rule("it")["require"]["value"], 0.0, "{:#}", seen.report);
    // Dividing by hand gives nothing then, which is no pass.
    let division = format!("{}, require: \"< 0.01\"", value(&format!("{BAD} / {TOTAL}")));
    world.judged(&division).ends(4).says(&["no data"]);

    // Too few for what is asked.
    world
        .judged(&format!("{}, require: \"< 1%\", min_samples: 100000", ratio()))
        .ends(4)
        .says(&["of the 100000 samples it takes"]);

    world.serves(503, 1, FAST);
    world.serves(503, 100, FAST);
    let truth = world.value(&format!("{BAD} / {TOTAL}")).unwrap();
    assert!((0.1..0.25).contains(&truth), "{truth}");
    world.judged(&division).ends(3);
    world.judged(&at_most("50%")).ends(0);
    world.judged(&at_most("1%")).ends(3);
    // An abort does not wait for the end: ten minutes would be over too late for this test.
    let abort = format!("{}, abort: {{ when: \"> 5%\", window: 1m }}", ratio());
    let prometheus = world.address();
    let seen = watch(&prometheus, "", "10m", &abort).ends(3);
    let found = seen.rule("it")["abort"]["value"].as_f64().unwrap();
    assert!((found - truth).abs() < 0.02, "{found}, {truth}");
    let burst = format!("count: {{ source: prom, query: '{BAD}' }}, abort: \">= 10\"");
    watch(&prometheus, "", "10m", &burst).ends(3);
}

#[test]
fn a_histogram_is_judged_by_its_buckets_alone() {
    let world = World::new();
    world.becomes("http_request_duration_seconds_count", Some(0.0));
    // The 95th of a hundred took 272 ms.
    world.serves(200, 90, Duration::from_millis(90));
    world.serves(200, 10, Duration::from_millis(272));
    world.becomes("http_request_duration_seconds_bucket{le=\"0.25\"}", Some(90.0));
    world.becomes("http_request_duration_seconds_bucket{le=\"0.5\"}", Some(100.0));
    // It says 375 ms: a gate that believes it fails a healthy service.
    let p95 = "histogram_quantile(0.95, sum by (le) (increase(http_request_duration_seconds_bucket[1m])))";
    let guessed = world.value(p95).unwrap();
    assert!((guessed - 0.375).abs() < 1e-6, "{guessed}");
    world
        .judged(&format!("{}, require: \"< 0.3\"", value(p95)))
        .ends(3);

    // Its windows are as long as the watch, so the traffic must go on.
    let selector = "histogram: { source: prom, selector: http_request_duration_seconds_bucket }";
    let judged = |rules: &str| {
        let mut watching = watch(&world.address(), "", "4s", &format!("{selector}, {rules}")).start();
        while !watching.is_over() {
            world.serves(200, 90, Duration::from_millis(90));
            world.serves(200, 10, Duration::from_millis(272));
        }
        watching
    };
    judged("require: \"p95 < 300ms\"")
        .ends(4)
        .says(&["in the bucket from 250ms to 500ms, and the limit 300ms inside it"]);
    // A limit that is a bucket's bound is exact.
    let errors = BAD.replace("1m", "{{window}}");
    let total = TOTAL.replace("1m", "{{window}}");
    let errors = format!(
        "}}\n    - {{ name: errors, ratio: {{ source: prom, bad: '{errors}', total: '{total}' }}, require: \"< 1%\", min_samples: 100"
    );
    let others = [
        ("low", "p95 <= 250ms"),
        ("high", "p95 <= 500ms"),
        ("median", "p50 <= 100ms"),
    ];
    let others = others
        .map(|(name, condition)| format!("}}\n    - {{ name: {name}, {selector}, require: \"{condition}\""));
    let seen = judged(&format!("require: \"p95 < 300ms\" {}{errors}", others.concat())).ends(3);
    let verdicts = ["it", "low", "high", "median", "errors"].map(|name| seen.rule(name)["verdict"].clone());
    assert_eq!(
        verdicts,
        ["inconclusive", "fail", "pass", "pass", "pass"],
        "{:#}",
        seen.report
    );
}

#[test]
fn a_restart_fakes_no_errors_and_hides_none() {
    let world = World::new();
    for (code, count) in [(200, 1), (500, 1), (200, 1000), (500, 4)] {
        world.serves(code, count, FAST);
    }
    world.exporter.restart().unwrap();
    world.exporter.serve(500, 0, FAST).unwrap();
    world.exporter.serve(200, 100, FAST).unwrap();
    world.becomes("http_requests_total{code=\"200\"}", Some(100.0));
    world.becomes("sum(resets(http_requests_total[1m]))", Some(2.0));
    let naive = r#"sum(delta(http_requests_total{code=~"5.."}[1m]))"#;
    assert!(world.value(naive).unwrap() < 0.0);
    let rule = format!("{}, require: \"< 1%\", min_samples: 100", ratio());
    let seen = world.judged(&rule).ends(0);
    let errors = seen.rule("it")["require"]["bad"].as_f64().unwrap();
    assert!((3.0..8.0).contains(&errors), "{errors}");
    world.serves(500, 100, FAST);
    world.judged(&rule).ends(3);
}

#[test]
fn what_is_not_scraped_is_not_known() {
    let world = World::new();
    let queue = |more: &str| format!("{}, require: \"< 100\" {more}", value("shop_queue_length"));
    let up = format!("{}, require: \"== 1\"", value("up"));
    world.exporter.queue(7.5).unwrap();
    world.becomes("shop_queue_length", Some(7.5));
    world.judged(&queue("")).ends(0);

    // A series that is exposed no more is stale at once, while the service is up.
    world.serves(500, 1, FAST);
    let errors = format!(
        "{}, require: \"< 100\"",
        value("http_requests_total{code=\"500\"}")
    );
    world.judged(&errors).ends(0);
    world.exporter.forget(500).unwrap();
    world.becomes("http_requests_total{code=\"500\"}", None);
    world.judged(&errors).ends(4).says(&["no data", "no such series"]);
    world.judged(&up).ends(0);

    // A gap while it is watched is no failure, and over when it is over.
    let prometheus = world.address();
    let mut watching = watch(&prometheus, "", "8s", &queue("")).start();
    watching.wait_for("it: 7.5");
    world.exporter.scrapes(Scrapes::Error).unwrap();
    watching.wait_for("it: not known yet");
    assert_eq!(world.value("up"), Some(0.0));
    world.exporter.scrapes(Scrapes::Good).unwrap();
    watching.wait_for("it: well again");
    watching.ends(0);

    // One that stays is no pass, unless the file says what it means; the exporter may hang or be ill.
    for answer in [Scrapes::Error, Scrapes::None] {
        world.exporter.scrapes(answer).unwrap();
        world.becomes("up", Some(0.0));
        world.becomes("shop_queue_length", None);
        world.judged(&queue("")).ends(4).says(&["no data"]);
        world.exporter.scrapes(Scrapes::Good).unwrap();
        world.becomes("up", Some(1.0));
    }
    world.exporter.scrapes(Scrapes::Error).unwrap();
    world.becomes("shop_queue_length", None);
    world.judged(&queue(", no_data: fail")).ends(3);
    world.judged(&queue(", no_data: zero")).ends(0);
    world.judged(&up).ends(3);

    // Nor is it one that nobody answers.
    let queue = queue(", max_errors: 0");
    let World { prometheus: gone, .. } = world;
    drop(gone);
    watch(&prometheus, "", "1s", &queue)
        .ends(4)
        .says(&["not measured"]);
}

#[test]
fn what_will_never_be_answered_ends_it_at_once() {
    let world = World::with(Prometheus::start_warning);
    let prometheus = world.address();
    let forever = |rule: &str| watch(&prometheus, "", "10m", rule);
    let refused = world.prometheus.query("sum(").unwrap_err().to_string();
    assert!(refused.contains("bad_data"), "{refused}");
    for (rule, reason) in [
        (value("sum("), "the query is refused"),
        (value("http_request_duration_seconds_bucket"), "aggregate them"),
        (value("up[1m]"), "over a range"),
        (
            "histogram: { source: prom, selector: up }".to_owned(),
            "no label `le`",
        ),
    ] {
        let require = if rule.starts_with("value") {
            "< 1"
        } else {
            "p95 < 300ms"
        };
        forever(&format!("{rule}, require: \"{require}\""))
            .ends(2)
            .says(&[reason]);
    }
    watch(&format!("{prometheus}/no/such/path"), "", "10m", &value("up")).ends(2);

    // A name that nobody knows may come yet: it is only no pass.
    world
        .judged(&format!("{}, require: \"< 1\"", value("no_such_metric")))
        .ends(4)
        .says(&["no such series"]);
    let selector = "histogram: { source: prom, selector: no_such_bucket }, require: \"p95 < 300ms\"";
    world
        .judged(selector)
        .ends(4)
        .says(&["no such series within a day"]);

    // What it warns of is told.
    let answer = world.prometheus.value("up").unwrap();
    assert_eq!(answer, Some(1.0));
    let seen = world
        .judged(&format!("{}, require: \"== 1\"", value("up")))
        .ends(0);
    let notes = seen.rule("it")["notes"].to_string();
    assert!(notes.contains("remote_read"), "{:#}", seen.report);
}

#[test]
fn a_door_in_front_of_it_is_told_from_its_answers() {
    let world = World::new();
    let place = Place::new().unwrap();
    place.write("users", "gate:{PLAIN}a-right-password\n").unwrap();
    let behind = format!("proxy_pass http://{}/;", world.prometheus.address());
    let server = format!(
        "location /token/ {{ if ($http_authorization != \"Bearer a-right-token\") {{ return 401 \"who is it?\\n\"; }} {behind} }}
        location /user/ {{ auth_basic prom; auth_basic_user_file users; {behind} }}
        location /closed/ {{ return 403; }}
        location /moved/ {{ return 302 /login; }}
        location /page/ {{ return 200 \"<title>Please log in</title>\\n\"; }}
        location /gone/ {{ proxy_pass http://127.0.0.1:1/; }}"
    );
    let nginx = Nginx::start(&place, &server).unwrap();
    let rule = format!("{}, require: \"== 1\", max_errors: 0", value("up"));
    let ask =
        |path: &str, keys: &str| watch(&format!("http://{}/{path}/", nginx.address()), keys, "1s", &rule);
    let token = |token: &str| ask("token", ", bearer_env: TOKEN").env("TOKEN", token);

    token("a-right-token").ends(0).hides("a-right-token");
    token("a-wrong-token")
        .ends(7)
        .says(&["access denied"])
        .hides("a-wrong-token");
    ask("token", "").ends(7);
    ask("closed", "").ends(7);
    ask("moved", "").ends(2).says(&["302", "/login"]);
    ask("page", "").ends(2).says(&["is it a login page"]);
    // That may pass; as long as it lasts nothing is known.
    ask("gone", "").ends(4).says(&["502"]);
    let basic = |pair: &str| ask("user", ", basic_env: PAIR").env("PAIR", pair);
    basic("gate:a-right-password").ends(0).hides("a-right-password");
    basic("gate:a-wrong-password").ends(7).hides("a-wrong-password");
    let user = |password: &str| {
        watch(
            &format!("http://gate:{password}@{}/user/", nginx.address()),
            "",
            "1s",
            &rule,
        )
    };
    user("a-right-password").ends(0).hides("a-right-password");
    user("a-wrong-password").ends(7).hides("a-wrong-password");
}
