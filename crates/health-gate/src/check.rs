//! One look at every target.

use std::cell::RefCell;
use std::time::Duration;

use futures_util::future::join_all;
use gate::finding::Finding;
use gate::probe::{Look, look_within};
use gate::run::{Made, Seen};
use gate::setup::Setup;
use gate::spec::Spec;
use gate::spec::target::{Kind, Target};
use gate::spec::wait::{LIMITS, Wait, Waited};
use gate::until_ready::{Attempt, End, Ending};
use gate::wait::{Limits, Progress, Until};
use gha::outcome::Outcome;
use gha::{Failure, Runner, text};
use tokio::time::Instant;

use crate::asked::Asked;
use crate::error::Error;
use crate::intent;
use crate::publish::{self, Cut};
use crate::report::record::{Named, Record};

/// Looks once.
///
/// # Errors
/// When there is no target, one is not good, or the run was cancelled.
pub async fn run(mut asked: Asked, limit: Option<Duration>, runner: &Runner) -> Result<Outcome, Failure> {
    let wait = once(&asked.spec, limit);
    if wait.targets.is_empty() {
        return Err(Error::NothingAtOnce.into());
    }
    asked.spec = Spec {
        wait: Some(wait.clone()),
        watch: None,
        sources: Vec::new(),
        comparisons: Vec::new(),
        ..asked.spec
    };
    let setup = Setup::new(&asked.spec, runner);
    let made = Made::of(&asked.spec, &setup)
        .await
        .map_err(|error| asked.failed(error))?;
    if asked.results.dry_run {
        let headline = intent::headline(&asked.spec);
        runner.info(&headline);
        return Ok(publish::dry_run(&asked, &headline));
    }
    publish::check_places(&asked)?;
    let named = wait.targets.iter().map(|waited| Named {
        name: waited.target.name.clone(),
        address: waited.target.kind.shown(),
        wanted: 1,
    });
    let record = RefCell::new(Record::new(named.collect(), Vec::new()));
    let begin = Instant::now();
    let looks = wait
        .targets
        .iter()
        .zip(&made.targets)
        .enumerate()
        .map(|(target, (waited, probe))| {
            let record = &record;
            async move {
                let look = look_within(probe.as_ref(), waited.limits.try_timeout).await;
                let finding = look.finding.clone();
                let streak = u32::from(finding.is_good());
                let attempt = Attempt {
                    target,
                    number: 1,
                    started: Duration::ZERO,
                    took: begin.elapsed(),
                    look,
                    streak,
                };
                if let Some(line) = record.borrow_mut().attempt(&attempt) {
                    runner.info(&line);
                }
                if let Some(line) = certificate(&waited.target.kind, &attempt.look) {
                    runner.info(&line);
                }
                finding
            }
        });
    let looked = runner.cancel().guard(join_all(looks)).await;
    let (waited, cut) = match looked {
        Ok(found) => (Some(ending(&found, begin.elapsed())), None),
        Err(cancelled) => (None, Some(Cut::Cancelled(cancelled))),
    };
    let seen = Seen {
        waited,
        ..Seen::default()
    };
    publish::finish(&asked, &record.into_inner(), None, seen, cut, runner)
}

/// The certificate of a target that is good: what it is, or of an answer over TLS how long it lasts.
fn certificate(kind: &Kind, look: &Look) -> Option<String> {
    let days = look.days_left.filter(|_| look.finding.is_good())?;
    match (kind, &look.excerpt) {
        (Kind::Tls(_), Some(summary)) => Some(text::cut(&text::visible(summary), 400)),
        // A protocol that takes any certificate, such as PostgreSQL's preferred encryption.
        _ if days < 0 => None,
        _ if days == 1 => Some("the first certificate to end has 1 day left".to_owned()),
        _ => Some(format!("the first certificate to end has {days} days left")),
    }
}

/// The targets and probes of a file, each looked at once.
fn once(spec: &Spec, limit: Option<Duration>) -> Wait {
    let waited = spec.wait.iter().flat_map(|wait| wait.targets.iter().cloned());
    let probes = spec
        .watch
        .iter()
        .flat_map(|watch| &watch.probes)
        .map(|probe| Waited {
            target: named(&probe.name, probe.target.clone()),
            limits: Limits {
                try_timeout: probe.try_timeout,
                ..LIMITS
            },
        });
    let mut targets: Vec<Waited> = Vec::new();
    for mut waited in waited.chain(probes) {
        waited.limits.try_timeout = limit.unwrap_or(waited.limits.try_timeout);
        waited.limits.success_threshold = 1;
        let mut known = targets.iter().map(|known| &known.target);
        if known.any(|known| known.name == waited.target.name && is_same(known, &waited.target)) {
            continue;
        }
        waited.target.name = free(waited.target.name, &targets);
        targets.push(waited);
    }
    let timeout = targets
        .iter()
        .map(|waited| waited.limits.try_timeout)
        .max()
        .unwrap_or_default();
    Wait {
        targets,
        timeout,
        until: Until::All,
    }
}

/// Whether two targets are looked at in the same way. Their debug texts hold every setting, and of secrets the names of
/// their variables; but not the query of an address, nor who asks there.
fn is_same(one: &Target, other: &Target) -> bool {
    let addresses = match (&one.kind, &other.kind) {
        (Kind::Http(one), Kind::Http(other)) => one.address == other.address,
        _ => true,
    };
    addresses && format!("{:?}", one.kind) == format!("{:?}", other.kind)
}

/// A name that no other target has: the name itself, or with a number from 2.
fn free(name: String, targets: &[Waited]) -> String {
    let is_taken = |name: &str| targets.iter().any(|known| known.target.name == name);
    let mut free = name.clone();
    let mut number = 2;
    while is_taken(&free) {
        free = format!("{name} ({number})");
        number += 1;
    }
    free
}

/// A probe's target under the probe's own name, so that two that look at one address are two. `probe`, which the only one
/// has, says less than its address.
fn named(name: &str, target: Target) -> Target {
    if name == "probe" {
        return target;
    }
    Target {
        name: name.to_owned(),
        ..target
    }
}

/// What the looks came to: the worst of them, as of verdicts. What is bad comes before what could not be looked at, and of
/// that what lasts before what may pass.
fn ending(found: &[Finding], took: Duration) -> Ending {
    let progress = |finding: &Finding| {
        let mut progress = Progress::default();
        progress.record(finding.is_good());
        progress
    };
    let trouble = |lasts: bool| {
        found
            .iter()
            .enumerate()
            .find_map(|(target, finding)| match finding {
                Finding::Unmeasured(trouble) if trouble.lasts() == lasts => Some(End::Trouble {
                    target,
                    trouble: trouble.clone(),
                }),
                _ => None,
            })
    };
    let bad = found.iter().position(|finding| finding.fault().is_some());
    let end = bad
        .map(|target| End::TimedOut { target })
        .or_else(|| trouble(true))
        .or_else(|| trouble(false));
    Ending {
        end: end.unwrap_or(End::Ready),
        progress: found.iter().map(progress).collect(),
        ready: found.iter().map(Finding::is_good).collect(),
        took,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gate::finding::FaultKind;
    use gate::spec;
    use gate::trouble::{Trouble, TroubleKind};
    use gha::env::Env;

    #[test]
    fn the_worst_look_counts() {
        let bad = || Finding::bad(FaultKind::Status, "answered 500");
        let passing = || Finding::Unmeasured(Trouble::passing("no answer"));
        let denied = || Finding::Unmeasured(Trouble::access("denied"));
        for (found, bad, trouble) in [
            (vec![Finding::Good, Finding::Good], None, None),
            (vec![denied(), bad(), passing()], Some(1), None),
            (
                vec![Finding::Good, passing(), denied()],
                None,
                Some((2, TroubleKind::Access)),
            ),
            (vec![passing()], None, Some((0, TroubleKind::Passing))),
        ] {
            let ending = ending(&found, Duration::ZERO);
            let (seen_bad, seen_trouble) = match ending.end {
                End::TimedOut { target } => (Some(target), None),
                End::Trouble { target, trouble } => (None, Some((target, trouble.kind))),
                End::Ready => (None, None),
                other => panic!("{other:?}"),
            };
            assert_eq!((seen_bad, seen_trouble), (bad, trouble), "{found:?}");
            let good: Vec<bool> = found.iter().map(Finding::is_good).collect();
            assert_eq!(ending.ready, good);
        }
    }

    /// Names of the looks at a file.
    fn names(targets: &str, probes: &str) -> Vec<String> {
        let file = format!(
            "version: 1\nwait: {{ targets: [{targets}] }}\nwatch: {{ duration: 5m, preset: steady, probes: {{ {probes} }} }}\n"
        );
        let spec = spec::read("g.yml", file.as_bytes(), &Env::default(), &[]).unwrap();
        let looks = once(&spec, None).targets;
        looks.into_iter().map(|waited| waited.target.name).collect()
    }

    #[test]
    fn only_a_look_that_is_the_same_in_all_is_made_once() {
        let ready = "{ name: api, http: 'http://a.test/ready' }";
        let probe = |rest: &str| format!("api: {{ http: 'http://a.test/{rest} }}");
        assert_eq!(names(ready, &probe("ready'")), ["api"]);
        assert_eq!(names(ready, &probe("live'")), ["api", "api (2)"]);
        assert_eq!(names(ready, &probe("ready?deep=1'")), ["api", "api (2)"]);
        assert_eq!(
            names(ready, &probe("ready', expect: { body: ok }")),
            ["api", "api (2)"]
        );
        let two = format!("{ready}, {{ name: 'api (2)', tcp: 'a.test:1' }}");
        assert_eq!(names(&two, &probe("live'")), ["api", "api (2)", "api (3)"]);
    }
}
