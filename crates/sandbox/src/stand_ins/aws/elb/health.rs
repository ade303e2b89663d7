//! What a target's health checks find, as a script on the cloud's clock, and the state that follows from it.
//!
//! Limits: one target is one script; the interval and thresholds of the group are not computed with, the script says when
//! a verdict is reached. States, reasons and texts are those of
//! [`TargetHealth`](https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetHealth.html).

use std::time::Duration;

/// What the checks of a target find, each from a moment after they began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checks {
    turns: Vec<(Duration, Finding)>,
}

/// What a check has found.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Finding {
    Healthy,
    /// A reason code such as `Target.Timeout`, and its text.
    Unhealthy(String, String),
}

/// A state of [`TargetHealth`](https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetHealth.html).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Registered, and not judged yet.
    Initial,
    /// It gets requests.
    Healthy,
    /// It gets none, unless all targets of the group are so.
    Unhealthy,
    /// No rule of a listener refers to its group, or it is not registered.
    Unused,
    /// It ends what it has begun, and gets nothing new.
    Draining,
}

/// The health of one target at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// The state.
    pub state: State,
    /// Why it is not healthy, such as `Target.ResponseCodeMismatch`; empty for a healthy one.
    pub reason: String,
    /// The same for a person.
    pub description: String,
}

impl Checks {
    /// Passes so long after the checks began, and ever after.
    #[must_use]
    pub fn healthy_after(wait: Duration) -> Self {
        Self {
            turns: vec![(wait, Finding::Healthy)],
        }
    }

    /// Fails so long after the checks began, and ever after: `Target.Timeout`, `Target.ResponseCodeMismatch`,
    /// `Target.FailedHealthChecks` with its text (`Health checks failed with these codes: [404]`).
    #[must_use]
    pub fn unhealthy_after(wait: Duration, reason: &str, description: &str) -> Self {
        Self { turns: Vec::new() }.then_unhealthy(wait, reason, description)
    }

    /// Passes from this moment on, counted from when the checks began.
    #[must_use]
    pub fn then_healthy(mut self, at: Duration) -> Self {
        self.turns.push((at, Finding::Healthy));
        self
    }

    /// Fails from this moment on, counted from when the checks began.
    #[must_use]
    pub fn then_unhealthy(mut self, at: Duration, reason: &str, description: &str) -> Self {
        self.turns
            .push((at, Finding::Unhealthy(reason.to_owned(), description.to_owned())));
        self
    }

    /// The health so long after the checks began.
    pub(crate) fn at(&self, elapsed: Duration) -> Health {
        let past = self.turns.iter().filter(|(from, _)| *from <= elapsed);
        match past.max_by_key(|(from, _)| *from) {
            None => Health::of(
                State::Initial,
                "Elb.InitialHealthChecking",
                "Initial health checks in progress",
            ),
            Some((_, Finding::Healthy)) => Health::of(State::Healthy, "", ""),
            Some((_, Finding::Unhealthy(reason, description))) => {
                Health::of(State::Unhealthy, reason, description)
            }
        }
    }
}

impl Default for Checks {
    /// Healthy after ten seconds: two checks, five seconds apart.
    fn default() -> Self {
        Self::healthy_after(Duration::from_secs(10))
    }
}

impl Health {
    pub(crate) fn of(state: State, reason: &str, description: &str) -> Self {
        Self {
            state,
            reason: reason.to_owned(),
            description: description.to_owned(),
        }
    }
}

impl State {
    /// As the API writes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Initial => "initial",
            Self::Healthy => "healthy",
            Self::Unhealthy => "unhealthy",
            Self::Unused => "unused",
            Self::Draining => "draining",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn the_latest_turn_that_has_come_is_the_health() {
        let checks = Checks::healthy_after(seconds(10)).then_unhealthy(seconds(40), "Target.Timeout", "late");
        let states = [0, 9, 10, 39, 40, 400].map(|at| checks.at(seconds(at)).state);
        assert_eq!(
            states,
            [
                State::Initial,
                State::Initial,
                State::Healthy,
                State::Healthy,
                State::Unhealthy,
                State::Unhealthy
            ]
        );
        assert_eq!(checks.at(seconds(41)).reason, "Target.Timeout");
        let late =
            Checks::unhealthy_after(seconds(5), "Target.FailedHealthChecks", "x").then_healthy(seconds(6));
        assert_eq!(
            [5, 6].map(|at| late.at(seconds(at)).state),
            [State::Unhealthy, State::Healthy]
        );
    }
}
