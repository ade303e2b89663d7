//! What becomes of a container, by its image: it runs, crashes, can't be pulled, fails its checks, or is never placed.
//!
//! A test may say it for an image by name; an image that nobody spoke of does what its tag's end says: `shop:1.4.0-crash`
//! crashes, `shop:crash` too, `shop:1.4.0` is well. Ends are `crash` (1 after 2 s), `crash-139`, `crash-139-30s`, `slow-crash` (1
//! after 40 s), `oom`, `segfault`, `wrong-arch`, `unpullable`, `missing-secret`, `unhealthy` (to the load balancer), `sick` (by its
//! own check), `stuck` (pending), `unplaced`, `job-fails` and `job-hangs` (as one-off tasks; well in a service), `good`. Reasons are worded as
//! [stopped tasks error messages](https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html) and
//! its sub-pages word them.

use std::time::Duration;

use crate::stand_ins::aws::elb::Checks;

/// What becomes of a container.
#[derive(Clone, Debug, PartialEq)]
pub struct Behaviour {
    pub(super) start: Start,
    /// How long pulling takes.
    pub(super) pull: Duration,
    /// How it ends in a service.
    pub(super) exit: Option<Exit>,
    /// How it ends as a one-off task; without one it runs on.
    pub(super) job: Option<Exit>,
    /// What the load balancer's checks find.
    pub(super) checks: Checks,
    /// What the container's own health check finds, if its definition has one: fails from then on.
    pub(super) sick_after: Option<Duration>,
    /// What it prints, and when since its start.
    pub(super) lines: Vec<(Duration, String)>,
    /// How long it takes to end when it is asked to.
    pub(super) leave: Duration,
}

/// Whether a container starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Start {
    Runs,
    /// The reason, of task and container.
    Fails(String),
    /// Its task stays pending.
    Sticks,
    /// No task of it is placed: what an event says, and what `RunTask` answers as a failure's reason.
    Unplaced(String, String),
}

/// The end of a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Exit {
    pub(super) after: Duration,
    pub(super) code: i64,
    pub(super) reason: Option<String>,
}

impl Behaviour {
    /// Starts and stays; as a one-off task it ends with 0 after three seconds.
    #[must_use]
    pub fn good() -> Self {
        Self {
            start: Start::Runs,
            pull: Duration::from_secs(3),
            exit: None,
            job: Some(Exit::of(Duration::from_secs(3), 0)),
            checks: Checks::default(),
            sick_after: None,
            lines: vec![(Duration::ZERO, "starting".to_owned())],
            leave: Duration::from_secs(1),
        }
    }

    /// Ends with this code so long after its start, again and again.
    #[must_use]
    pub fn crash(code: i64, after: Duration) -> Self {
        let exit = Exit::of(after, code);
        Self {
            exit: Some(exit.clone()),
            job: Some(exit),
            ..Self::good()
        }
        .saying(after, "fatal: can't go on")
    }

    /// Is killed for its memory so long after its start.
    #[must_use]
    pub fn oom(after: Duration) -> Self {
        let mut behaviour = Self::crash(137, after);
        let reason = Some("OutOfMemoryError: Container killed due to memory usage".to_owned());
        for exit in [&mut behaviour.exit, &mut behaviour.job].into_iter().flatten() {
            exit.reason.clone_from(&reason);
        }
        behaviour
    }

    /// Never starts, for this reason: `CannotPullContainerError: …`, `ResourceInitializationError: …`.
    #[must_use]
    pub fn failing_to_start(reason: &str) -> Self {
        Self {
            start: Start::Fails(reason.to_owned()),
            ..Self::good()
        }
    }

    /// Can't be pulled: there is no such image.
    #[must_use]
    pub fn unpullable(image: &str) -> Self {
        Self::failing_to_start(&format!(
            "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref {image}: {image}: not found"
        ))
    }

    /// Its secret can't be read.
    #[must_use]
    pub fn missing_secret() -> Self {
        Self::failing_to_start(
            "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable to \
             retrieve secret from asm: service call has been retried 1 time(s): failed to fetch secret \
             arn:aws:secretsmanager:eu-central-1:123456789012:secret:shop/database from secrets manager: AccessDeniedException: \
             User: arn:aws:sts::123456789012:assumed-role/execution/task is not authorized to perform: \
             secretsmanager:GetSecretValue",
        )
    }

    /// Runs, but the load balancer's checks fail so long after they began.
    #[must_use]
    pub fn unhealthy(after: Duration) -> Self {
        let checks = Checks::unhealthy_after(
            after,
            "Target.ResponseCodeMismatch",
            "Health checks failed with these codes: [503]",
        );
        Self {
            checks,
            ..Self::good()
        }
    }

    /// Runs, but its own health check fails from then on, where its definition has one.
    #[must_use]
    pub fn sick(after: Duration) -> Self {
        Self {
            sick_after: Some(after),
            ..Self::good()
        }
    }

    /// Its task stays pending.
    #[must_use]
    pub fn stuck() -> Self {
        Self {
            start: Start::Sticks,
            ..Self::good()
        }
    }

    /// No task of it is placed: for want of memory.
    #[must_use]
    pub fn unplaced() -> Self {
        let event = "no container instance met all of its requirements. The closest matching container-instance \
                     8ff0c1b1a2a24b1e8f0000000000abcd has insufficient memory available. For more information, see the Troubleshooting \
                     section of the Amazon ECS Developer Guide";
        Self {
            start: Start::Unplaced(event.to_owned(), "RESOURCE:MEMORY".to_owned()),
            ..Self::good()
        }
    }

    /// What the load balancer's checks find.
    #[must_use]
    pub fn checked(mut self, checks: Checks) -> Self {
        self.checks = checks;
        self
    }

    /// As a one-off task it ends with this code so long after its start.
    #[must_use]
    pub fn job(mut self, code: i64, after: Duration) -> Self {
        self.job = Some(Exit::of(after, code));
        self
    }

    /// As a one-off task it runs on.
    #[must_use]
    pub fn endless_job(mut self) -> Self {
        self.job = None;
        self
    }

    /// Prints a line so long after its start.
    #[must_use]
    pub fn saying(mut self, after: Duration, line: &str) -> Self {
        self.lines.push((after, line.to_owned()));
        self
    }

    /// Takes so long to be pulled.
    #[must_use]
    pub fn pulled_in(mut self, time: Duration) -> Self {
        self.pull = time;
        self
    }

    /// Takes so long to end when it is asked to; longer than its `stopTimeout` is a kill.
    #[must_use]
    pub fn leaving_in(mut self, time: Duration) -> Self {
        self.leave = time;
        self
    }

    /// What the image's own tag says.
    pub(super) fn by_name(image: &str) -> Self {
        let name = image.rsplit('/').next().unwrap_or_default();
        let tag = name
            .split('@')
            .next()
            .unwrap_or_default()
            .split_once(':')
            .map_or("", |(_, tag)| tag);
        let ends = std::iter::once(tag).chain(tag.match_indices('-').map(|(at, _)| &tag[at + 1..]));
        ends.filter_map(|end| Self::named(end, image))
            .next()
            .unwrap_or_else(Self::good)
    }

    fn named(name: &str, image: &str) -> Option<Self> {
        let seconds = Duration::from_secs;
        let found = match name {
            "good" => Self::good(),
            "crash" => Self::crash(1, seconds(2)),
            "slow-crash" => Self::crash(1, seconds(40)),
            "oom" => Self::oom(seconds(2)),
            "segfault" => Self::crash(139, seconds(2)),
            // The program never runs, so the runtime's complaint is all there is.
            "wrong-arch" => Self {
                lines: vec![(seconds(1), "exec /app: exec format error".to_owned())],
                ..Self::crash(255, seconds(1))
            },
            "unpullable" => Self::unpullable(image),
            "missing-secret" => Self::missing_secret(),
            "unhealthy" => Self::unhealthy(seconds(10)),
            "sick" => Self::sick(seconds(10)),
            "stuck" => Self::stuck(),
            "unplaced" => Self::unplaced(),
            "job-fails" => Self::good()
                .job(1, seconds(3))
                .saying(seconds(2), "migration 7 failed"),
            "job-hangs" => Self::good().endless_job(),
            // `crash-139` and `crash-139-30s`.
            other => {
                let mut parts = other.strip_prefix("crash-")?.splitn(2, '-');
                let code = parts.next()?.parse().ok()?;
                let after = match parts.next() {
                    Some(after) => after.strip_suffix('s')?.parse().ok()?,
                    None => 2,
                };
                Self::crash(code, seconds(after))
            }
        };
        Some(found)
    }
}

impl Exit {
    fn of(after: Duration, code: i64) -> Self {
        Self {
            after,
            code,
            reason: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tags_end_says_what_becomes_of_it() {
        let secs = Duration::from_secs;
        let cases = [
            ("shop", Behaviour::good()),
            ("shop:1.4.0", Behaviour::good()),
            ("registry:5000/org/shop:good", Behaviour::good()),
            ("shop:crash", Behaviour::crash(1, secs(2))),
            ("org/shop:1.4.0-crash", Behaviour::crash(1, secs(2))),
            ("shop:1.4.0-slow-crash", Behaviour::crash(1, secs(40))),
            ("shop:rc-1-crash-139-30s", Behaviour::crash(139, secs(30))),
            ("shop:crash-139", Behaviour::crash(139, secs(2))),
            ("shop:crash-x", Behaviour::good()),
            ("shop:2-unpullable", Behaviour::unpullable("shop:2-unpullable")),
            ("shop:oom@sha256:00", Behaviour::oom(secs(2))),
        ];
        for (image, expected) in cases {
            assert_eq!(Behaviour::by_name(image), expected, "{image}");
        }
    }
}
