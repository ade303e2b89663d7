//! What becomes of a container, by its image: it gets ready, crashes, can't be pulled, ends as a job does.
//!
//! An image that no test spoke of does what its tag's end says: `shop:1.4.0-crash` crashes, `shop:1.4.0` is well. Ends are `ready-2s`,
//! `crash`, `crash-5s` (5 s after each start), `oom`, `unready`, `flapping` (ready and not in turn, 5 s each), `lost-after-20s` (not ready
//! any more from then on), `unpullable`, `configerror`, `unschedulable`, `jobok`, `jobok-5s`, `jobfail`, `jobfail-5s`, `jobhang`,
//! `stubborn` (only killed at the end of its grace).

use std::time::Duration;

/// What becomes of a container.
#[derive(Clone, Debug, PartialEq)]
pub struct Behaviour {
    pub(super) start: Start,
    /// From being placed to its start.
    pub(super) pull: Duration,
    /// From its start to being ready; never without one.
    pub(super) ready: Option<Duration>,
    /// Ready and not in turn, so long each.
    pub(super) flaps: Option<Duration>,
    /// How long it stays ready.
    pub(super) lost: Option<Duration>,
    /// How it ends where it is to run on.
    pub(super) exit: Option<Exit>,
    /// How it ends where it is to end; without one it runs on.
    pub(super) job: Option<Exit>,
    /// What it prints, and when since its start.
    pub(super) lines: Vec<(Duration, String)>,
    /// How long it takes to end when it is asked to.
    pub(super) leave: Duration,
}

/// Whether it starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Start {
    Runs,
    Unpullable,
    /// What is missing, in words.
    Misconfigured(String),
    Unschedulable,
}

/// Its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Exit {
    pub(super) after: Duration,
    pub(super) code: i64,
    pub(super) reason: &'static str,
}

impl Behaviour {
    /// Is ready so long after its start; as a job it ends well after two seconds.
    #[must_use]
    pub fn ready_after(time: Duration) -> Self {
        Self {
            start: Start::Runs,
            pull: Duration::from_secs(1),
            ready: Some(time),
            flaps: None,
            lost: None,
            exit: None,
            job: Some(Exit::of(Duration::from_secs(2), 0)),
            lines: vec![(Duration::ZERO, "starting".to_owned())],
            leave: Duration::from_secs(1),
        }
    }

    /// Starts and stays.
    #[must_use]
    pub fn good() -> Self {
        Self::ready_after(Duration::from_secs(1))
    }

    /// Ends with this code so long after each start, and is never ready before.
    #[must_use]
    pub fn crash(code: i64, after: Duration) -> Self {
        let exit = Exit::of(after, code);
        Self {
            ready: None,
            exit: Some(exit.clone()),
            job: Some(exit),
            ..Self::good()
        }
        .saying(after, "fatal: can't go on")
    }

    /// Is killed for its memory so long after each start.
    #[must_use]
    pub fn oom(after: Duration) -> Self {
        let mut behaviour = Self::crash(137, after);
        for exit in [&mut behaviour.exit, &mut behaviour.job].into_iter().flatten() {
            exit.reason = "OOMKilled";
        }
        behaviour.lines.truncate(1);
        behaviour
    }

    /// Runs and is never ready.
    #[must_use]
    pub fn unready() -> Self {
        Self {
            ready: None,
            ..Self::good()
        }
    }

    /// Is ready and not in turn, so long each.
    #[must_use]
    pub fn flapping(time: Duration) -> Self {
        Self {
            flaps: Some(time),
            ..Self::good()
        }
    }

    /// Is ready for so long, and then never again.
    #[must_use]
    pub fn lost_after(time: Duration) -> Self {
        Self {
            lost: Some(time),
            ..Self::good()
        }
    }

    /// Can't be pulled: there is no such image.
    #[must_use]
    pub fn unpullable() -> Self {
        Self {
            start: Start::Unpullable,
            ..Self::good()
        }
    }

    /// Can't be made for want of this: `secret "database" not found`.
    #[must_use]
    pub fn misconfigured(what: &str) -> Self {
        Self {
            start: Start::Misconfigured(what.to_owned()),
            ..Self::good()
        }
    }

    /// No node takes it.
    #[must_use]
    pub fn unschedulable() -> Self {
        Self {
            start: Start::Unschedulable,
            ..Self::good()
        }
    }

    /// As a job it ends with this code so long after its start.
    #[must_use]
    pub fn job(mut self, code: i64, after: Duration) -> Self {
        self.job = Some(Exit::of(after, code));
        self
    }

    /// As a job it runs on.
    #[must_use]
    pub fn endless_job(mut self) -> Self {
        self.job = None;
        self
    }

    /// Prints a line so long after each start.
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

    /// Takes so long to end when it is asked to; longer than its grace is a kill.
    #[must_use]
    pub fn leaving_in(mut self, time: Duration) -> Self {
        self.leave = time;
        self
    }

    /// What the image's own tag says.
    pub(crate) fn by_name(image: &str) -> Self {
        let name = image.rsplit('/').next().unwrap_or_default();
        let tag = name.split('@').next().unwrap_or_default();
        let tag = tag.split_once(':').map_or("", |(_, tag)| tag);
        let ends = std::iter::once(tag).chain(tag.match_indices('-').map(|(at, _)| &tag[at + 1..]));
        ends.filter_map(Self::named).next().unwrap_or_else(Self::good)
    }

    fn named(name: &str) -> Option<Self> {
        let secs = Duration::from_secs;
        let timed = |begin: &str| {
            let number = name.strip_prefix(begin)?.strip_suffix('s')?;
            number.parse().ok().map(secs)
        };
        let found = match name {
            "crash" => Self::crash(1, secs(2)),
            "oom" => Self::oom(secs(2)),
            "unready" => Self::unready(),
            "flapping" => Self::flapping(secs(5)),
            "unpullable" => Self::unpullable(),
            "configerror" => Self::misconfigured("secret \"database\" not found"),
            "unschedulable" => Self::unschedulable(),
            "jobok" => Self::good().job(0, secs(2)).saying(secs(1), "migrated"),
            "jobfail" => Self::failing_job(secs(2)),
            "jobhang" => Self::good().endless_job(),
            "stubborn" => Self::good().leaving_in(secs(100_000)),
            _ => {
                if let Some(time) = timed("ready-") {
                    Self::ready_after(time)
                } else if let Some(time) = timed("crash-") {
                    Self::crash(1, time)
                } else if let Some(time) = timed("lost-after-") {
                    Self::lost_after(time)
                } else if let Some(time) = timed("jobok-") {
                    Self::good().job(0, time)
                } else {
                    Self::failing_job(timed("jobfail-")?)
                }
            }
        };
        Some(found)
    }

    fn failing_job(after: Duration) -> Self {
        Self::good()
            .job(1, after)
            .saying(after.saturating_sub(Duration::from_secs(1)), "migration 7 failed")
    }

    /// Whether it is ready so long after its start.
    pub(super) fn is_ready(&self, running: Duration) -> bool {
        let Some(since) = self.ready.and_then(|ready| running.checked_sub(ready)) else {
            return false;
        };
        if self.lost.is_some_and(|lost| since >= lost) {
            return false;
        }
        self.flaps
            .is_none_or(|flaps| (since.as_millis() / flaps.as_millis().max(1)).is_multiple_of(2))
    }

    /// When, since its start, its being ready changes after this.
    pub(super) fn next_change(&self, running: Duration) -> Option<Duration> {
        let ready = self.ready?;
        let lost = self.lost.map(|lost| ready + lost);
        let flap = self.flaps.and_then(|flaps| {
            let since = running.checked_sub(ready)?;
            let turns = u32::try_from(since.as_millis() / flaps.as_millis().max(1)).ok()?;
            Some(ready + flaps * (turns + 1))
        });
        [Some(ready), lost, flap]
            .into_iter()
            .flatten()
            .filter(|time| *time > running)
            .min()
    }
}

impl Exit {
    fn of(after: Duration, code: i64) -> Self {
        Self {
            after,
            code,
            reason: if code == 0 { "Completed" } else { "Error" },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tags_end_says_what_becomes_of_it() {
        let secs = Duration::from_secs;
        for (image, expected) in [
            ("shop", Behaviour::good()),
            ("registry:5000/org/shop:1.4.0", Behaviour::good()),
            ("shop:1-ready-7s", Behaviour::ready_after(secs(7))),
            ("shop:crash", Behaviour::crash(1, secs(2))),
            ("shop:1-crash-5s@sha256:00", Behaviour::crash(1, secs(5))),
            ("shop:1.0.0-lost-after-20s", Behaviour::lost_after(secs(20))),
            ("shop:rc-1-unpullable", Behaviour::unpullable()),
            ("shop:jobfail-xs", Behaviour::good()),
        ] {
            assert_eq!(Behaviour::by_name(image), expected, "{image}");
        }
    }

    #[test]
    fn being_ready_comes_and_goes() {
        let secs = Duration::from_secs;
        let flapping = Behaviour::flapping(secs(5));
        let ready: Vec<bool> = [0, 1, 5, 6, 11]
            .map(|second| flapping.is_ready(secs(second)))
            .to_vec();
        assert_eq!(ready, [false, true, true, false, true]);
        assert_eq!(flapping.next_change(secs(6)), Some(secs(11)));
        let lost = Behaviour::lost_after(secs(20));
        assert!(lost.is_ready(secs(20)) && !lost.is_ready(secs(21)));
        assert_eq!(lost.next_change(secs(21)), None);
    }
}
