//! What each phase of a shift does about what was seen.

use std::time::Duration;

use gha::duration::display;

use super::machine::{Attempt, Phase, State, inert};
use super::{Cause, Decision, Facts, Gate, GateSays, Lock, Refusal, Rollout, Side, Why};

impl State {
    pub(super) fn act(&mut self, facts: &Facts, now: Duration) -> Decision {
        match self.phase.clone() {
            Phase::Claim(step) => self.claim(step, facts, now),
            Phase::Prepare => self.prepare(facts, now),
            Phase::Warm => self.warm(facts, now),
            Phase::GateBefore => match &facts.gate {
                Some((Gate::Before, GateSays::Pass)) => self.go(Phase::Raise(0), facts, now),
                _ => Decision::AskGate {
                    gate: Gate::Before,
                    next: self.plan.limits.poll,
                },
            },
            Phase::Raise(step) => self.raise(step, facts, now),
            Phase::Hold(step) => self.hold(step, facts, now),
            Phase::Keep => {
                let until = self.since.saturating_add(self.plan.keep);
                match (now < until, self.plan.retire) {
                    (true, _) => Decision::Keep {
                        until,
                        next: self.until(until, now),
                    },
                    (false, true) => self.go(Phase::RetireOld, facts, now),
                    (false, false) => self.go(Phase::Release(None), facts, now),
                }
            }
            Phase::RetireOld if facts.old.desired == 0 => self.go(Phase::Release(None), facts, now),
            Phase::RetireOld => {
                let left = "the old side could not be scaled down";
                self.tidy(Decision::RetireOld, left, Phase::Release(None), facts, now)
            }
            Phase::Back(cause) => self.back(cause, facts, now),
            Phase::RetireNew(cause) if facts.new.desired <= self.new_before => {
                self.go(Phase::Release(Some(cause)), facts, now)
            }
            Phase::RetireNew(cause) if facts.new.foreign.is_some() => {
                self.left
                    .push("the new side is left as it is, because someone else deploys to it".to_owned());
                self.go(Phase::Release(Some(cause)), facts, now)
            }
            Phase::RetireNew(cause) => {
                let tasks = self.new_before;
                let left = "the new side could not be scaled back";
                self.tidy(
                    Decision::RetireNew { tasks },
                    left,
                    Phase::Release(Some(cause)),
                    facts,
                    now,
                )
            }
            Phase::Release(cause) => self.release(cause, facts, now),
            Phase::Over(end) => end,
            Phase::Check => self.wait(),
        }
    }

    fn claim(&mut self, step: Option<usize>, facts: &Facts, now: Duration) -> Decision {
        if let Some(locked) = self.locked(&facts.lock) {
            return locked;
        }
        if facts.lock == Lock::Ours {
            if step.is_some() {
                self.size = facts.new.desired;
            }
            return self.go(step.map_or(Phase::Prepare, Phase::Raise), facts, now);
        }
        match self.attempt(now) {
            Attempt::Go => Decision::Claim,
            Attempt::TooSoon => self.wait(),
            Attempt::Spent => Decision::Refuse {
                why: Refusal::Locked,
                reason: format!("the lock could not be taken{}", self.write_reason()),
            },
        }
    }

    fn prepare(&mut self, facts: &Facts, now: Duration) -> Decision {
        if facts.new.desired >= self.size && facts.new.rollout != Rollout::None {
            return self.go(Phase::Warm, facts, now);
        }
        match self.attempt(now) {
            Attempt::Go => Decision::Prepare { tasks: self.size },
            Attempt::TooSoon => self.wait(),
            Attempt::Spent => {
                let reason = format!(
                    "the new side could not be given the new version{}",
                    self.write_reason()
                );
                self.turn(Why::Write, reason, facts, now)
            }
        }
    }

    fn warm(&mut self, facts: &Facts, now: Duration) -> Decision {
        match self.cold(facts) {
            None if self.plan.gate_before => self.go(Phase::GateBefore, facts, now),
            None => self.go(Phase::Raise(0), facts, now),
            Some(cold) => self.warming(&cold, facts, now),
        }
    }

    fn warming(&mut self, cold: &str, facts: &Facts, now: Duration) -> Decision {
        let took = now.saturating_sub(self.since);
        if took < self.plan.limits.warm_up {
            return self.wait();
        }
        let reason = format!("the new side is not healthy after {}: {cold}", display(took));
        self.turn(Why::Unhealthy, reason, facts, now)
    }

    /// What the new side lacks before it can take more traffic.
    fn cold(&self, facts: &Facts) -> Option<String> {
        let new = &facts.new;
        if new.rollout != Rollout::Ready || new.running < self.size {
            return Some(format!("{} of {} tasks run", new.running, self.size));
        }
        let health = new.health.as_ref().filter(|health| health.healthy < self.size)?;
        let trouble = health
            .trouble
            .as_ref()
            .map(|trouble| format!(", {}", inert(trouble)));
        Some(format!(
            "{} of {} targets are healthy{}",
            health.healthy,
            self.size,
            trouble.unwrap_or_default()
        ))
    }

    fn raise(&mut self, step: usize, facts: &Facts, now: Duration) -> Decision {
        let Some(rung) = self.plan.rungs.get(step).copied() else {
            return self.go(Phase::Keep, facts, now);
        };
        if self.confirmed == rung.weights {
            return self.go(Phase::Hold(step), facts, now);
        }
        if let Some(cold) = self.cold(facts) {
            return self.warming(&cold, facts, now);
        }
        match self.attempt(now) {
            Attempt::Go => self.write(rung.weights),
            Attempt::TooSoon => self.wait(),
            Attempt::Spent => {
                let reason = format!(
                    "weights {} were written and do not show{}",
                    rung.weights,
                    self.write_reason()
                );
                self.turn(Why::Write, reason, facts, now)
            }
        }
    }

    fn hold(&mut self, step: usize, facts: &Facts, now: Duration) -> Decision {
        let hold = self.plan.rungs.get(step).map_or(Duration::ZERO, |rung| rung.hold);
        let until = self.since.saturating_add(hold);
        // A step without a duration is no time in which a gate could watch.
        let gate = (self.plan.gate_during && !hold.is_zero()).then_some(Gate::During(step));
        let passed = gate.is_none_or(|gate| facts.gate == Some((gate, GateSays::Pass)));
        if now < until || !passed {
            return Decision::Hold {
                until,
                gate,
                next: self.until(until, now),
            };
        }
        let last = step + 1 >= self.plan.rungs.len();
        if self.plan.until == Some(step) && !last {
            return Decision::Paused {
                weights: self.confirmed,
            };
        }
        self.go(
            if last { Phase::Keep } else { Phase::Raise(step + 1) },
            facts,
            now,
        )
    }

    fn back(&mut self, cause: Cause, facts: &Facts, now: Duration) -> Decision {
        if self.confirmed == self.plan.before && self.written.is_empty() {
            return self.go(Phase::RetireNew(cause), facts, now);
        }
        let healthy = |side: &Side| side.health.as_ref().map(|health| health.healthy);
        let old_is_dead =
            healthy(&facts.old) == Some(0) || (facts.old.health.is_none() && facts.old.running == 0);
        if old_is_dead && self.confirmed.new > 0 && healthy(&facts.new) != Some(0) {
            return Decision::NeedsHuman {
                reason: format!(
                    "{}; traffic is not moved back, because no target of the old side is healthy; weights are {}",
                    cause.reason, self.confirmed
                ),
            };
        }
        match self.attempt(now) {
            Attempt::Go => self.write(self.plan.before),
            Attempt::TooSoon => self.wait(),
            Attempt::Spent => Decision::NeedsHuman {
                reason: format!(
                    "{}; the weights before, {}, were written back and do not show{}; weights are {}",
                    cause.reason,
                    self.plan.before,
                    self.write_reason(),
                    self.confirmed
                ),
            },
        }
    }

    fn release(&mut self, cause: Option<Cause>, facts: &Facts, now: Duration) -> Decision {
        if facts.lock == Lock::Ours {
            match self.attempt(now) {
                Attempt::Go => return Decision::Release,
                Attempt::TooSoon => return self.wait(),
                Attempt::Spent => self
                    .left
                    .push(format!("the tag could not be taken off{}", self.write_reason())),
            }
        }
        let left = self.left.clone();
        match cause {
            None => Decision::Done { left },
            Some(cause) => Decision::RolledBack { cause, left },
        }
    }

    /// A write after which all goes on, whether it shows or not.
    fn tidy(&mut self, write: Decision, left: &str, then: Phase, facts: &Facts, now: Duration) -> Decision {
        match self.attempt(now) {
            Attempt::Go => write,
            Attempt::TooSoon => self.wait(),
            Attempt::Spent => {
                self.left.push(format!("{left}{}", self.write_reason()));
                self.go(then, facts, now)
            }
        }
    }
}
