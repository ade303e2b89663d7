//! From the flags of one target to a gate file with one target. Pure.

use std::time::Duration;

use gha::duration::exact;

use crate::cli::target::Target;
use crate::cli::{Check, Wait, Watch};
use crate::document::Document;
use crate::error::Error;

/// For how long a probe fails before `steady` calls it off; a shorter watch could never see that.
const STEADY_FAILING: Duration = Duration::from_secs(120);

/// The gate file that `wait` stands for.
///
/// # Errors
/// When flags contradict each other.
pub fn wait(flags: &Wait) -> Result<Document, Error> {
    let mut document = Document::default();
    // The wait is the whole command. A time for both would let chance say which of the two ends it.
    document.open("wait", "");
    document.value("timeout", "timeout", &exact(flags.timeout));
    document.value("interval", "interval", &exact(flags.interval));
    document.value("try_timeout", "try-timeout", &exact(flags.try_timeout));
    document.value(
        "success_threshold",
        "success-threshold",
        &flags.success_threshold.to_string(),
    );
    document.open("targets", "");
    document.open("", "");
    target(&mut document, &flags.target)?;
    if let Some(codes) = &flags.give_up_on {
        document.value("give_up_on", "give-up-on", &codes.to_string());
    }
    Ok(document)
}

/// The gate file that `check` stands for.
///
/// # Errors
/// When flags contradict each other.
pub fn check(flags: &Check) -> Result<Document, Error> {
    if !flags.var.is_empty() {
        return Err(Error::NoFile);
    }
    let mut document = Document::default();
    document.open("wait", "");
    document.maybe(
        "try_timeout",
        "try-timeout",
        flags.try_timeout.map(exact).as_deref(),
    );
    document.open("targets", "");
    document.open("", "");
    target(&mut document, &flags.target)?;
    Ok(document)
}

/// The gate file that `watch` stands for.
///
/// # Errors
/// When flags contradict each other.
pub fn watch(flags: &Watch) -> Result<Document, Error> {
    let mut document = Document::default();
    if let Some(timeout) = flags.timeout {
        document.value("timeout", "timeout", &exact(timeout));
    }
    document.open("watch", "");
    document.value("duration", "duration", &exact(flags.duration));
    document.value("warmup", "warmup", &exact(flags.warmup));
    document.maybe("interval", "interval", flags.interval.map(exact).as_deref());
    document.open("probe", "");
    target(&mut document, &flags.target)?;
    document.value("rate", "rate", &flags.rate);
    document.value("try_timeout", "try-timeout", &exact(flags.try_timeout));
    document.close();
    if flags.require.is_empty() && flags.abort.is_empty() && flags.preset.is_empty() {
        steady(&mut document, flags);
    }
    document.list("preset", "preset", &flags.preset);
    rules(&mut document, flags);
    Ok(document)
}

/// The rules where none are given: the preset `steady`, without what this target or this time can't show.
fn steady(document: &mut Document, flags: &Watch) {
    let mut without = Vec::new();
    if flags.duration.saturating_sub(flags.warmup) <= STEADY_FAILING {
        without.push("health".to_owned());
    }
    if flags.target.url.is_none() {
        without.push("server-errors".to_owned());
    }
    document.open("preset", "preset");
    document.value("name", "preset", "steady");
    document.list("without", "preset", &without);
    document.close();
}

/// Rules from conditions. Those about the same measure are one rule, which is named like the measure.
fn rules(document: &mut Document, flags: &Watch) {
    let requires = flags.require.iter().map(|written| (written.as_str(), true));
    let aborts = flags.abort.iter().map(|written| (written.as_str(), false));
    let mut rules: Vec<(String, Option<&str>, Option<&str>)> = Vec::new();
    for (written, is_require) in requires.chain(aborts) {
        let name = rule_name(written);
        // A rule of a preset's name would take its place, and here nobody gave a name.
        let name = if flags.preset.is_empty() {
            name
        } else {
            format!("own-{name}")
        };
        let has_room = |rule: &(String, Option<&str>, Option<&str>)| {
            rule.0 == name
                && if is_require {
                    rule.1.is_none()
                } else {
                    rule.2.is_none()
                }
        };
        let known = rules.iter().position(has_room);
        let index = known.unwrap_or_else(|| {
            let same = rules.iter().filter(|rule| rule.0.starts_with(&name)).count();
            let name = if same == 0 {
                name
            } else {
                format!("{name}-{}", same + 1)
            };
            rules.push((name, None, None));
            rules.len() - 1
        });
        if is_require {
            rules[index].1 = Some(written);
        } else {
            rules[index].2 = Some(written);
        }
    }
    if rules.is_empty() {
        return;
    }
    document.open("rules", "");
    for (name, require, abort) in rules {
        let flag = if require.is_some() { "require" } else { "abort" };
        document.open("", flag);
        document.value("name", flag, &name);
        document.value("from", flag, "probe");
        for (key, clause) in [("require", require), ("abort", abort)] {
            let Some(written) = clause else { continue };
            let flag = if key == "require" { "require" } else { "abort" };
            match written.split_once(" for ") {
                Some((when, time)) => {
                    document.open(key, flag);
                    document.value("when", flag, when.trim());
                    document.value("for", flag, time.trim());
                    document.close();
                }
                None => document.value(key, flag, written),
            }
        }
        document.close();
    }
    document.close();
}

/// The name of a rule: what its condition measures, in letters that a name may have.
fn rule_name(condition: &str) -> String {
    let measure = condition
        .split(['<', '>', '=', '!'])
        .next()
        .unwrap_or_default()
        .split(" for ")
        .next()
        .unwrap_or_default();
    let mut name = String::new();
    for c in measure.trim().to_ascii_lowercase().chars() {
        if c.is_ascii_alphanumeric() {
            name.push(c);
        } else if !name.ends_with('-') {
            name.push('-');
        }
    }
    let name = name.trim_matches('-');
    if name.starts_with(|c: char| c.is_ascii_lowercase()) && name.len() < 40 {
        name.to_owned()
    } else {
        "rule".to_owned()
    }
}

/// The keys of a target.
fn target(document: &mut Document, flags: &Target) -> Result<(), Error> {
    kind(document, flags)?;
    if let Some(method) = &flags.method {
        document.value("method", "method", method);
    }
    pairs(document, "headers", "header", &flags.header, ':')?;
    pairs(document, "headers_env", "header-env", &flags.header_env, '=')?;
    document.maybe(
        "follow",
        "follow",
        flags.follow.map(|follow| follow.to_string()).as_deref(),
    );
    document.maybe("ip", "ip", flags.ip.as_deref());
    document.list("resolve", "resolve", &flags.resolve);
    document.maybe(
        "max_latency",
        "max-latency",
        flags.max_latency.map(exact).as_deref(),
    );
    document.maybe(
        "min_days",
        "min-days",
        flags.min_days.map(|days| days.to_string()).as_deref(),
    );
    document.maybe("send", "send", flags.send.as_deref());
    document.maybe("service", "grpc-service", flags.grpc_service.as_deref());
    document.maybe("password_env", "password-env", flags.password_env.as_deref());
    document.maybe("record", "record", flags.record.as_deref());
    document.list("resolvers", "resolver", &flags.resolver);
    document.list("equals", "expect-record", &flags.expect_record);
    document.list("services", "service", &flags.service);
    document.list("args", "exec-arg", &flags.exec_arg);
    if flags.secure && flags.tls.is_none() {
        document.value("tls", "secure", "true");
    }
    expect(document, flags)
}

/// What is looked at; clap lets one of them through.
fn kind(document: &mut Document, flags: &Target) -> Result<(), Error> {
    let kinds = [
        ("http", "url", &flags.url),
        ("tcp", "tcp", &flags.tcp),
        ("tls", "tls", &flags.tls),
        ("dns", "dns", &flags.dns),
        ("grpc", "grpc", &flags.grpc),
        ("postgres", "postgres", &flags.postgres),
        ("redis", "redis", &flags.redis),
        ("compose", "compose", &flags.compose),
        ("exec", "exec", &flags.exec),
    ];
    let mut given = kinds
        .into_iter()
        .filter_map(|(key, flag, value)| Some((key, flag, value.as_ref()?)));
    let (key, flag, value) = given.next().ok_or(Error::NoTarget)?;
    document.value(key, flag, value);
    Ok(())
}

/// Names and values.
fn pairs(
    document: &mut Document,
    key: &str,
    flag: &'static str,
    written: &[String],
    between: char,
) -> Result<(), Error> {
    if written.is_empty() {
        return Ok(());
    }
    document.open(key, flag);
    for pair in written {
        let (name, value) = pair.split_once(between).ok_or_else(|| Error::NoPair {
            flag,
            between,
            // It may hold a secret.
            name: gha::text::cut(&gha::text::visible(pair), 20),
        })?;
        document.value(name.trim(), flag, value.trim());
    }
    document.close();
    Ok(())
}

/// What is expected.
fn expect(document: &mut Document, flags: &Target) -> Result<(), Error> {
    let version = version(flags)?;
    if flags.tcp.is_some()
        && let [pattern] = &flags.expect_body[..]
    {
        document.value("expect", "expect-body", pattern);
        if let Some(flag) = first_expectation(flags).filter(|flag| *flag != "expect-body") {
            return Err(Error::NoAnswer(flag));
        }
        return Ok(());
    }
    let Some(flag) = first_expectation(flags) else {
        return Ok(());
    };
    if flags.url.is_none() {
        return Err(Error::NoAnswer(flag));
    }
    document.open("expect", flag);
    document.maybe(
        "status",
        "expect-status",
        flags.expect_status.as_ref().map(ToString::to_string).as_deref(),
    );
    document.list("body", "expect-body", &flags.expect_body);
    document.list("json", "expect-json", &flags.expect_json);
    headers(document, &flags.expect_header);
    document.maybe("version", "expect-version", version);
    document.maybe("version_at", "version-at", flags.version_at.as_deref());
    document.close();
    Ok(())
}

/// Headers; without a colon a name alone.
fn headers(document: &mut Document, written: &[String]) {
    if written.is_empty() {
        return;
    }
    document.open("headers", "expect-header");
    for header in written {
        let (name, value) = header.split_once(':').unwrap_or((header, ""));
        document.value(name.trim(), "expect-header", value.trim());
    }
    document.close();
}

/// A version that is empty, or that has to be there and is not, would let any version pass.
fn version(flags: &Target) -> Result<Option<&str>, Error> {
    match flags.expect_version.as_ref().map(|wanted| wanted.trim()) {
        Some("") => Err(Error::EmptyVersion),
        None if flags.require_version => Err(Error::VersionRequired),
        wanted => Ok(wanted),
    }
}

/// The first flag that says what an answer must look like.
fn first_expectation(flags: &Target) -> Option<&'static str> {
    let given = [
        ("expect-body", !flags.expect_body.is_empty()),
        ("expect-json", !flags.expect_json.is_empty()),
        ("expect-header", !flags.expect_header.is_empty()),
        ("expect-version", flags.expect_version.is_some()),
        ("require-version", flags.require_version),
        ("expect-status", flags.expect_status.is_some()),
    ];
    given.into_iter().find(|(_, given)| *given).map(|(flag, _)| flag)
}

#[cfg(test)]
mod tests {
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
                "`--header`: `nope` is no name and value",
            ),
            ("wait --url http://x --header-env a=NOT_SET", "`--header-env`"),
            ("watch --url http://x --rate 5", "`--rate`: `5` is no rate"),
            ("watch --url http://x --abort p95<3", "`--abort`"),
            ("watch --url http://x --preset stedy", "`--preset`"),
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
}
