//! From flags to a plan: what is looked at, what is expected, and within which limits. Pure.

use std::time::Duration;

use gate::expect::Expect;
use gate::probe::http;
use gate::probe::tcp::Tcp;
use gate::version::Version;
use gate::wait::Limits;
use gha::edge::http::Url;
use gha::{duration, text};

use crate::cli::Wait;
use crate::error::Error;

/// The shortest time between two tries.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(100);

/// What `wait` will do.
#[derive(Debug)]
pub struct Plan {
    /// What is looked at.
    pub target: Target,
    /// Within which limits.
    pub limits: Limits,
}

/// What is looked at.
#[derive(Debug)]
pub enum Target {
    /// An address, and what its answer must look like.
    Http {
        /// The address.
        url: Url,
        /// The rules.
        expect: Box<Expect>,
    },
    /// A port.
    Tcp(Tcp),
}

impl Target {
    /// The target for people.
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Self::Http { url, .. } => http::shown(url),
            Self::Tcp(tcp) => gate::probe::Probe::target(tcp).to_owned(),
        }
    }

    /// What an answer must look like, as one line: a check that is not made is seen not to be made.
    #[must_use]
    pub fn expected(&self) -> String {
        let Self::Http { expect, .. } = self else {
            return "a connection".to_owned();
        };
        let mut rules = vec![format!("status {}", expect.status)];
        rules.extend(expect.headers.iter().map(|header| match &header.contains {
            Some(part) => format!("header {}: {part}", header.name),
            None => format!("header {}", header.name),
        }));
        rules.extend(
            expect
                .body
                .iter()
                .map(|part| format!("body with `{}`", text::cut(part, 80))),
        );
        rules.extend(
            expect
                .json
                .iter()
                .map(|field| format!("{}={}", field.pointer, field.value)),
        );
        rules.push(match &expect.version {
            Some(version) => format!("version {}", version.wanted),
            None => "any version".to_owned(),
        });
        rules.join(", ")
    }
}

/// Checks the flags against each other.
///
/// # Errors
/// When they make no plan.
pub fn plan(flags: &Wait) -> Result<Plan, Error> {
    let limits = limits(flags)?;
    let target = match (&flags.url, &flags.tcp) {
        (Some(url), _) => {
            check_version(flags)?;
            Target::Http {
                url: http::address(url)?,
                expect: Box::new(expect(flags)),
            }
        }
        (None, Some(tcp)) => {
            if let Some(rule) = rule_for_answers(flags) {
                return Err(Error::NoAnswer(rule));
            }
            Target::Tcp(tcp.parse()?)
        }
        (None, None) => return Err(Error::NoTarget),
    };
    Ok(Plan { target, limits })
}

/// A version that is empty, or that has to be there and is not, would let any version pass.
fn check_version(flags: &Wait) -> Result<(), Error> {
    match flags.expect_version.as_ref().map(|wanted| wanted.trim()) {
        Some("") => Err(Error::EmptyVersion),
        None if flags.require_version => Err(Error::VersionRequired),
        _ => Ok(()),
    }
}

fn limits(flags: &Wait) -> Result<Limits, Error> {
    if flags.interval < SHORTEST_INTERVAL {
        return Err(Error::Interval);
    }
    for (name, value) in [("timeout", flags.timeout), ("try-timeout", flags.try_timeout)] {
        if value.is_zero() {
            return Err(Error::Zero(name));
        }
    }
    let last = flags.interval.saturating_mul(flags.success_threshold - 1);
    if last >= flags.timeout {
        return Err(Error::TooShort {
            threshold: flags.success_threshold,
            interval: duration::display(flags.interval),
            timeout: duration::display(flags.timeout),
        });
    }
    Ok(Limits {
        interval: flags.interval,
        try_timeout: flags.try_timeout,
        timeout: flags.timeout,
        success_threshold: flags.success_threshold,
    })
}

fn expect(flags: &Wait) -> Expect {
    let version = flags
        .expect_version
        .as_ref()
        .map(|wanted| wanted.trim())
        .filter(|wanted| !wanted.is_empty());
    Expect {
        status: flags.expect_status.clone(),
        body: flags.expect_body.clone(),
        json: flags.expect_json.clone(),
        headers: flags.expect_header.clone(),
        version: version.map(|wanted| Version {
            wanted: wanted.to_owned(),
            at: flags.version_at.clone(),
        }),
    }
}

/// A rule that only an answer could meet.
fn rule_for_answers(flags: &Wait) -> Option<&'static str> {
    let given = [
        ("expect-body", !flags.expect_body.is_empty()),
        ("expect-json", !flags.expect_json.is_empty()),
        ("expect-header", !flags.expect_header.is_empty()),
        ("expect-version", flags.expect_version.is_some()),
        ("require-version", flags.require_version),
        ("expect-status", flags.expect_status.to_string() != "2xx"),
    ];
    given.into_iter().find(|(_, given)| *given).map(|(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Cli, Command, INTERFACE};
    use clap::{CommandFactory as _, Parser as _};

    fn planned(line: &str) -> Result<Plan, Error> {
        let words = ["health-gate", "wait"].into_iter().chain(line.split_whitespace());
        let Command::Wait(flags) = Cli::try_parse_from(words).expect(line).command;
        plan(&flags)
    }

    #[test]
    fn flags_that_contradict_each_other_make_no_plan() {
        for (line, reason) in [
            ("", "there is nothing to look at: give `--url` or `--tcp`"),
            ("--url example.com", "`--url`: `example.com` is no address"),
            (
                "--url http://x --require-version",
                "`--require-version` is set and there is no `--expect-version`",
            ),
            ("--url http://x --expect-version=", "`--expect-version` is empty"),
            ("--tcp db", "`--tcp`: `db` is no host with a port"),
            (
                "--tcp db:1 --expect-json /a=b",
                "`--expect-json` looks at an answer",
            ),
            (
                "--tcp db:1 --expect-status 200",
                "`--expect-status` looks at an answer",
            ),
            (
                "--url http://x --interval 99ms",
                "`--interval` must be at least 100ms",
            ),
            (
                "--url http://x --timeout 0s",
                "`--timeout` must be longer than 0s",
            ),
            (
                "--url http://x --success-threshold 5 --timeout 20s",
                "5 good tries, 5s apart, do not fit into `--timeout` 20s",
            ),
        ] {
            let error = planned(line).expect_err(line).to_string();
            assert!(error.contains(reason), "{error}");
        }
        assert!(planned("--url http://x --success-threshold 5 --timeout 21s").is_ok());
    }

    #[test]
    fn an_address_is_shown_without_its_query() {
        let plan = planned("--url https://u:p@example.com/health?key=secret").unwrap();
        assert_eq!(plan.target.shown(), "https://example.com/health?…");
    }

    #[test]
    fn every_flag_has_a_sample_that_works() {
        assert_eq!(gha::interface::faulty_sample(&INTERFACE, &Cli::command()), None);
    }
}
