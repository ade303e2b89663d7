//! The course of a deployment that shifts traffic: its stages, weights, bake times, and the hooks that hold it.
//!
//! After [Amazon ECS blue/green deployments](https://docs.aws.amazon.com/AmazonECS/latest/developerguide/blue-green-deployment-how-it-works.html)
//! and the canary and linear pages beside it. Limits: a stage without work takes a second; Lambda hooks succeed after two; hooks
//! of `PRODUCTION_TRAFFIC_SHIFT` hold each step before its shift.

use std::time::Duration;

use serde_json::{Value, json};

use crate::stand_ins::aws::home::Home;

/// The stages in their order. `PRE_PRODUCTION_TRAFFIC_SHIFT` has hooks, but no name among the stages that are shown.
const STAGES: [&str; 10] = [
    "PRE_SCALE_UP",
    "SCALE_UP",
    "POST_SCALE_UP",
    "TEST_TRAFFIC_SHIFT",
    "POST_TEST_TRAFFIC_SHIFT",
    "PRE_PRODUCTION_TRAFFIC_SHIFT",
    "PRODUCTION_TRAFFIC_SHIFT",
    "POST_PRODUCTION_TRAFFIC_SHIFT",
    "BAKE_TIME",
    "CLEAN_UP",
];
/// How long a Lambda hook takes.
const LAMBDA: Duration = Duration::from_secs(2);
/// How long a pause lasts that nobody ends, if its hook says nothing: a day.
const PAUSE_MINUTES: u64 = 1440;

/// Where a deployment stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Course {
    stage: usize,
    since: Duration,
    /// Percentages of the new revision.
    production: f64,
    test: f64,
    /// Weights with the time that each is held.
    steps: Vec<(f64, Duration)>,
    step: usize,
    shifted: Option<Duration>,
    bake: Duration,
    hooks: Vec<Hook>,
    /// Whether the hooks of this stage, or step, were made.
    held: bool,
    number: u32,
}

#[derive(Clone, Debug, PartialEq)]
struct Hook {
    id: String,
    kind: &'static str,
    target: Option<String>,
    status: &'static str,
    begun: Duration,
    expires: Duration,
    then: &'static str,
}

/// What a second of the course asks for.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Turn {
    /// Nothing, or that what was asked for is waited for.
    Wait,
    /// The new revision's weights changed.
    Shift,
    /// The deployment is over and well.
    Done,
    /// It goes back, for this reason.
    Back(String),
}

impl Course {
    /// The course that a configuration asks for; none for a rolling one.
    pub(super) fn of(configuration: &Value, now: Duration) -> Option<Self> {
        let minutes = |value: &Value, usual: u64| Duration::from_secs(value.as_u64().unwrap_or(usual) * 60);
        let steps = match configuration["strategy"].as_str()? {
            "BLUE_GREEN" => vec![(100.0, Duration::ZERO)],
            "CANARY" => {
                let canary = &configuration["canaryConfiguration"];
                let percent = canary["canaryPercent"].as_f64().unwrap_or(5.0);
                vec![
                    (percent, minutes(&canary["canaryBakeTimeInMinutes"], 10)),
                    (100.0, Duration::ZERO),
                ]
            }
            "LINEAR" => {
                let linear = &configuration["linearConfiguration"];
                let percent = linear["stepPercent"].as_f64().unwrap_or(10.0).max(3.0);
                linear_steps(percent, minutes(&linear["stepBakeTimeInMinutes"], 6))
            }
            _ => return None,
        };
        Some(Self {
            stage: 0,
            since: now,
            production: 0.0,
            test: 0.0,
            steps,
            step: 0,
            shifted: None,
            bake: minutes(&configuration["bakeTimeInMinutes"], 0),
            hooks: Vec::new(),
            held: false,
            number: 0,
        })
    }

    /// Whether the new revision has, or gets, its tasks.
    pub(super) fn scales(&self) -> bool {
        self.stage >= 1
    }

    /// Whether the old revision gives its tasks up.
    pub(super) fn cleans(&self) -> bool {
        STAGES[self.stage] == "CLEAN_UP"
    }

    /// Percentages of the new revision: production and test.
    pub(super) fn weights(&self) -> (f64, f64) {
        (self.production, self.test)
    }

    /// All traffic goes back.
    pub(super) fn back(&mut self) {
        (self.production, self.test) = (0.0, 0.0);
        for hook in self.hooks.iter_mut().filter(|hook| hook.is_open()) {
            hook.status = "FAILED";
        }
    }

    /// One second of it. `healthy`: all new tasks serve. `cleaned`: no old one is left.
    pub(super) fn tick(
        &mut self,
        now: Duration,
        configuration: &Value,
        healthy: bool,
        cleaned: bool,
    ) -> Turn {
        if !self.held {
            self.held = true;
            self.hold(now, configuration);
        }
        for hook in &mut self.hooks {
            hook.tick(now);
        }
        if let Some(hook) = self.hooks.iter().find(|hook| hook.is_against()) {
            return Turn::Back(format!("lifecycle hook {} ended as {}", hook.id, hook.status));
        }
        if self.hooks.iter().any(Hook::is_open) {
            return Turn::Wait;
        }
        match STAGES[self.stage] {
            "SCALE_UP" if !healthy => Turn::Wait,
            "TEST_TRAFFIC_SHIFT" => {
                self.test = 100.0;
                self.enter(now);
                Turn::Shift
            }
            "PRODUCTION_TRAFFIC_SHIFT" => self.shift(now),
            "BAKE_TIME" if now.saturating_sub(self.since) < self.bake => Turn::Wait,
            "CLEAN_UP" => {
                if cleaned {
                    Turn::Done
                } else {
                    Turn::Wait
                }
            }
            _ => {
                self.enter(now);
                Turn::Wait
            }
        }
    }

    /// Ends a pause: goes on, or goes back. False when no such hook waits.
    pub(super) fn resume(&mut self, hook: &str, on: bool) -> bool {
        let waiting = self
            .hooks
            .iter_mut()
            .find(|known| known.id == hook && known.status == "AWAITING_ACTION");
        let Some(waiting) = waiting else {
            return false;
        };
        waiting.status = if on { "SUCCEEDED" } else { "FAILED" };
        true
    }

    /// Adds stage, weights and hooks to what is shown of a record.
    pub(super) fn show(&self, shown: &mut Value, home: &Home) {
        let stage = match STAGES[self.stage] {
            "PRE_PRODUCTION_TRAFFIC_SHIFT" => "POST_TEST_TRAFFIC_SHIFT",
            stage => stage,
        };
        shown["lifecycleStage"] = json!(stage);
        shown["lifecycleHookDetails"] = self.hooks.iter().map(|hook| hook.shown(home)).collect();
        shown["targetServiceRevision"]["requestedProductionTrafficWeight"] = json!(self.production);
        shown["targetServiceRevision"]["requestedTestTrafficWeight"] = json!(self.test);
        let sources = shown["sourceServiceRevisions"].as_array_mut();
        if let Some(source) = sources.and_then(|sources| sources.first_mut()) {
            source["requestedProductionTrafficWeight"] = json!(100.0 - self.production);
            source["requestedTestTrafficWeight"] = json!(100.0 - self.test);
        }
    }

    fn shift(&mut self, now: Duration) -> Turn {
        let Some((weight, hold)) = self.steps.get(self.step).copied() else {
            self.enter(now);
            return Turn::Wait;
        };
        match self.shifted {
            None => {
                self.production = weight;
                self.shifted = Some(now);
                Turn::Shift
            }
            Some(since) if now.saturating_sub(since) >= hold => {
                self.step += 1;
                self.shifted = None;
                // The end of the last step is the end of the stage, which holds nobody again.
                self.held = self.step == self.steps.len();
                Turn::Wait
            }
            Some(_) => Turn::Wait,
        }
    }

    fn enter(&mut self, now: Duration) {
        self.stage = (self.stage + 1).min(STAGES.len() - 1);
        self.since = now;
        self.held = false;
    }

    fn hold(&mut self, now: Duration, configuration: &Value) {
        self.hooks.clear();
        let stage = json!(STAGES[self.stage]);
        let hooks = configuration["lifecycleHooks"].as_array().into_iter().flatten();
        for asked in hooks.filter(|hook| {
            hook["lifecycleStages"]
                .as_array()
                .is_some_and(|stages| stages.contains(&stage))
        }) {
            self.number += 1;
            let pauses = asked["targetType"] == "PAUSE";
            let limit = &asked["timeoutConfiguration"];
            self.hooks.push(Hook {
                id: format!("hook-{}", self.number),
                kind: if pauses { "PAUSE" } else { "AWS_LAMBDA" },
                target: asked["hookTargetArn"].as_str().map(str::to_owned),
                status: if pauses { "AWAITING_ACTION" } else { "IN_PROGRESS" },
                begun: now,
                expires: now
                    + Duration::from_secs(limit["timeoutInMinutes"].as_u64().unwrap_or(PAUSE_MINUTES) * 60),
                then: if limit["action"] == "CONTINUE" {
                    "CONTINUE"
                } else {
                    "ROLLBACK"
                },
            });
        }
    }
}

impl Hook {
    fn is_open(&self) -> bool {
        matches!(self.status, "AWAITING_ACTION" | "IN_PROGRESS")
    }

    fn is_against(&self) -> bool {
        self.status == "FAILED" || (self.status == "TIMED_OUT" && self.then == "ROLLBACK")
    }

    fn tick(&mut self, now: Duration) {
        if self.status == "IN_PROGRESS" && now.saturating_sub(self.begun) >= LAMBDA {
            self.status = "SUCCEEDED";
        } else if self.is_open() && now >= self.expires {
            self.status = "TIMED_OUT";
        }
    }

    fn shown(&self, home: &Home) -> Value {
        let mut shown = json!({
            "hookId": self.id,
            "targetType": self.kind,
            "status": self.status,
            "expiresAt": home.time(self.expires),
            "timeoutAction": self.then,
        });
        if let Some(target) = &self.target {
            shown["targetArn"] = json!(target);
        }
        shown
    }
}

fn linear_steps(percent: f64, bake: Duration) -> Vec<(f64, Duration)> {
    let mut steps = Vec::new();
    let mut weight = percent;
    while weight < 100.0 {
        steps.push((weight, bake));
        weight += percent;
    }
    steps.push((100.0, Duration::ZERO));
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seconds at which weights changed, and how it ended.
    fn play(configuration: &Value, mut act: impl FnMut(u64, &mut Course)) -> (Vec<(u64, f64)>, Turn) {
        let mut course = Course::of(configuration, Duration::ZERO).unwrap();
        let mut shifts = Vec::new();
        for second in 1..200_000 {
            act(second, &mut course);
            let turn = course.tick(Duration::from_secs(second), configuration, true, true);
            match turn {
                Turn::Shift => shifts.push((second, course.production)),
                Turn::Wait => {}
                end => return (shifts, end),
            }
        }
        (shifts, Turn::Wait)
    }

    #[test]
    fn strategies_shift_in_their_steps() {
        let weights = |configuration: Value| {
            let (shifts, end) = play(&configuration, |_, _| ());
            assert_eq!(end, Turn::Done);
            // The test shift comes before, with a production weight of none.
            shifts.into_iter().map(|(_, weight)| weight).collect::<Vec<_>>()
        };
        assert_eq!(
            weights(json!({ "strategy": "BLUE_GREEN", "bakeTimeInMinutes": 1 })),
            [0.0, 100.0]
        );
        assert_eq!(weights(json!({ "strategy": "CANARY" })), [0.0, 5.0, 100.0]);
        let linear = json!({ "strategy": "LINEAR", "linearConfiguration": { "stepPercent": 40.0, "stepBakeTimeInMinutes": 2 } });
        assert_eq!(weights(linear.clone()), [0.0, 40.0, 80.0, 100.0]);
        let (shifts, _) = play(&linear, |_, _| ());
        assert!(shifts[2].0 - shifts[1].0 >= 120, "{shifts:?}");
        assert_eq!(
            Course::of(&json!({ "strategy": "ROLLING" }), Duration::ZERO),
            None
        );
    }

    #[test]
    fn a_pause_holds_until_somebody_ends_it_or_its_time_is_over() {
        let paused = |then: &str| {
            json!({
                "strategy": "BLUE_GREEN",
                "lifecycleHooks": [{
                    "targetType": "PAUSE",
                    "lifecycleStages": ["POST_TEST_TRAFFIC_SHIFT"],
                    "timeoutConfiguration": { "timeoutInMinutes": 5, "action": then },
                }],
            })
        };
        let (shifts, end) = play(&paused("CONTINUE"), |_, _| ());
        assert!(end == Turn::Done && shifts[1].0 > 300, "{shifts:?}");
        let (shifts, end) = play(&paused("ROLLBACK"), |_, _| ());
        assert!(shifts.len() == 1 && matches!(end, Turn::Back(_)));
        let (shifts, end) = play(&paused("ROLLBACK"), |second, course| {
            course.resume("hook-1", second < 60);
        });
        assert!(end == Turn::Done && shifts[1].0 < 60, "{shifts:?}");
        let (_, end) = play(&paused("CONTINUE"), |_, course| {
            course.resume("hook-1", false);
        });
        assert!(matches!(end, Turn::Back(_)));
    }
}
