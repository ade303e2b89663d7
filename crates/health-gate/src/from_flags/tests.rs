//! Command lines to the gate files that they stand for.

use super::*;
use crate::cli::{Cli, Command, INTERFACE};
use clap::{CommandFactory as _, Parser as _};
use gate::condition::Measure;
use gate::spec::{self, Spec};
use gha::env::Env;

/// The spec of a command line, or what is wrong with it.
fn read(words: &[&str]) -> Result<Spec, String> {
    let words = ["health-gate"].iter().chain(words);
    let document = match Cli::try_parse_from(words).expect("clap takes it").command {
        Command::Wait(flags) => wait(&flags),
        Command::Watch(flags) => watch(&flags),
        Command::Check(flags) => check(&flags),
        _ => panic!("no target"),
    }
    .map_err(|error| error.to_string())?;
    let env: Env = [("AUTH", "Bearer 0123456789")].into_iter().collect();
    spec::read(document.name(), document.file().as_bytes(), &env, document.vars())
        .map_err(|faults| document.told(&faults))
}

fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

#[test]
fn flags_that_contradict_each_other_name_themselves() {
    for (line, reason) in [
        ("wait", "there is nothing to look at"),
        ("wait --url example.com", "`--url`: `example.com` is no address"),
        (
            "wait --url http://x --require-version",
            "`--require-version` is set",
        ),
        (
            "wait --url http://x --expect-version=",
            "`--expect-version` is empty",
        ),
        ("check --url http://x --var a=b", "`--var` is for a gate file"),
        ("wait --tcp db", "`--tcp`: `db` is no host with a port"),
        (
            "wait --tcp db:1 --expect-json /a=b",
            "`--expect-json` looks at an answer",
        ),
        (
            "wait --redis r:1 --expect-status 200",
            "`--expect-status` looks at an answer",
        ),
        (
            "wait --url http://x --interval 99ms",
            "`--interval`: `interval` is 99ms, and must be at least 100ms",
        ),
        ("wait --url http://x --timeout 0s", "`--timeout`"),
        (
            "wait --url http://x --success-threshold 5 --timeout 20s",
            "`--success-threshold`: 5 good tries in a row, 5s apart, do not fit",
        ),
        ("wait --url http://x --min-days 3", "`--min-days`"),
        (
            "wait --tcp x:1 --follow 2",
            "`--follow`: `follow` belongs to `http`",
        ),
        (
            "wait --url http://x --header nope",
            "`--header`: what is given is no name and value",
        ),
        ("wait --url http://x --header-env a=NOT_SET", "`--header-env`"),
        ("watch --url http://x --rate 5", "`--rate`: `5` is no rate"),
        ("watch --url http://x --abort p95<3", "`--abort`"),
        ("watch --url http://x --preset stedy", "`--preset`"),
        (
            "watch --url http://x --preset canary",
            "`canary` judges crashes too",
        ),
        ("watch --url http://x --min-samples 9", "there is none"),
        (
            "watch --url http://x --abort count(5xx)>=9 --min-samples 9",
            "there is none",
        ),
        (
            "watch --url http://x --duration 9s --require p95<1s --min-samples 10",
            "`--min-samples`: `require` of rule `p95` needs 10 samples",
        ),
        (
            "watch --url http://x --duration 20s --require p95<1s",
            "raise its `--rate` at least 3.0 times, raise `--duration`, or lower `--min-samples`",
        ),
        (
            "watch --url http://x --rate 20/m --abort p95>1s",
            "raise its `--rate` at least 3.0 times, raise `window` (in a gate file), or lower `--min-samples`",
        ),
        (
            "watch --url http://x --require error_rate>1%",
            "`--require`: `error_rate>1%` requires errors",
        ),
        (
            "watch --url http://x --abort error_rate<1%",
            "`--abort`: `error_rate<1%` ends it where there are few errors",
        ),
    ] {
        let error = read(&words(line)).expect_err(line);
        assert!(error.contains(reason), "{line}: {error}");
    }
    assert!(read(&words("wait --url http://x --success-threshold 5 --timeout 21s")).is_ok());
}

#[test]
fn conditions_about_one_measure_are_one_rule() {
    let line = [
        "watch",
        "--url",
        "http://x",
        "--require",
        "error_rate < 1%",
        "--abort",
        "error_rate > 2%",
        "--abort",
        "count(5xx) >= 10",
        "--abort",
        "failing for 2m",
        "--abort",
        "error_rate > 5%",
    ];
    let watch = read(&line).unwrap().watch.unwrap();
    let names: Vec<&str> = watch.rules.iter().map(|rule| rule.name.as_str()).collect();
    assert_eq!(names, ["error-rate", "count-5xx", "failing", "error-rate-2"]);
    let first = &watch.rules[0];
    assert!(first.require.is_some() && first.abort.is_some());
    let failing = watch.rules[2].abort.as_ref().unwrap();
    assert_eq!(
        (&failing.test.measure, failing.hold.as_secs()),
        (&Measure::Failing, 120)
    );
}

#[test]
fn fewer_samples_may_be_enough() {
    let line = "watch --url http://x --duration 20s --require p95<1s --require error_rate<1% --abort p95>2s \
                --abort error_rate>5% --min-samples 10";
    let watch = read(&words(line)).unwrap().watch.unwrap();
    let clauses = watch.rules.iter().flat_map(|rule| [&rule.require, &rule.abort]);
    let samples: Vec<u32> = clauses.flatten().map(|clause| clause.min_samples).collect();
    assert_eq!(
        samples,
        [10, 10, 10, 0],
        "an abort on a share comes no later for it"
    );
}

#[test]
fn without_rules_the_steady_ones_are_taken() {
    let watch = read(&words("watch --url http://x")).unwrap().watch.unwrap();
    let names: Vec<&str> = watch.rules.iter().map(|rule| rule.name.as_str()).collect();
    assert_eq!(names, ["health", "error-rate", "server-errors"]);
    let short = read(&words("watch --tcp x:1 --duration 20s"))
        .unwrap()
        .watch
        .unwrap();
    assert_eq!(short.rules.len(), 1, "{:?}", short.rules);
}

#[test]
fn every_flag_has_a_sample_that_works() {
    assert_eq!(gha::interface::faulty_sample(&INTERFACE, &Cli::command()), None);
}
