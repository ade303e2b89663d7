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
            Phase::Grow(step) => self.grow(step, facts, now),
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
            Phase::RetireOld if facts.old.foreign.is_some() => {
                self.left
                    .push("the old side is left as it is, because someone else deploys to it".to_owned());
                self.go(Phase::Release(None), facts, now)
            }
            Phase::RetireOld => {
                self.old_before = facts.old.desired;
                let left = "the old side could not be scaled down";
                self.tidy(Decision::RetireOld, left, Phase::Release(None), facts, now)
            }
            Phase::ReviveOld(cause) if facts.old.desired > 0 => self.go(Phase::Back(cause), facts, now),
            Phase::ReviveOld(cause) => {
                let tasks = self.old_before;
                let left = "the old side could not be scaled up again";
                let then = Phase::Back(cause);
                self.tidy(Decision::ReviveOld { tasks }, left, then, facts, now)
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
            Phase::RetireNew(cause) if dead(&facts.old).is_some() => {
                self.left
                    .push("the new side is left as it is, because the old one is dead".to_owned());
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
            return match step {
                None => self.go(Phase::Prepare, facts, now),
                Some(step) => self.go_on(step, facts, now),
            };
        }
        match self.attempt(now) {
            Attempt::Go => Decision::Claim,
            Attempt::TooSoon => self.wait(),
            Attempt::Spent => Decision::Refuse {
                why: match self.write_failed {
                    Some(_) => Refusal::Unclaimed,
                    None => Refusal::Locked,
                },
                reason: format!("the lock could not be taken{}", self.write_reason()),
            },
        }
    }

    /// What another run brought may have died since, so that it is looked at before it gets more, or is all there is.
    fn go_on(&mut self, step: usize, facts: &Facts, now: Duration) -> Decision {
        let is_over = step >= self.plan.rungs.len();
        self.enter(if is_over { Phase::Keep } else { Phase::Raise(step) }, now);
        self.size = facts.new.desired.max(1);
        if let Some(cause) = self.trouble(facts, now) {
            self.enter(Phase::Back(cause), now);
        }
        self.act(facts, now)
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
        let trouble = new.health.as_ref().and_then(|health| health.trouble.as_ref());
        let trouble = trouble.map(|trouble| format!(", {}", inert(trouble)));
        let trouble = trouble.unwrap_or_default();
        // Nothing is never enough.
        let size = self.size.max(1);
        if new.rollout != Rollout::Ready || new.running < size {
            return Some(format!("{} of {size} tasks run{trouble}", new.running));
        }
        let health = new.health.as_ref().filter(|health| health.healthy < size)?;
        Some(format!(
            "{} of {size} targets are healthy{trouble}",
            health.healthy
        ))
    }

    fn raise(&mut self, step: usize, facts: &Facts, now: Duration) -> Decision {
        let Some(rung) = self.plan.rungs.get(step).copied() else {
            return self.go(Phase::Keep, facts, now);
        };
        if self.confirmed == rung.weights {
            return self.go(Phase::Hold(step), facts, now);
        }
        // Who serves may have been scaled out since the last step.
        self.size = self.size.max(facts.old.running);
        if facts.new.desired < self.size {
            return self.go(Phase::Grow(step), facts, now);
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

    fn grow(&mut self, step: usize, facts: &Facts, now: Duration) -> Decision {
        if facts.new.desired >= self.size {
            return self.go(Phase::Raise(step), facts, now);
        }
        match self.attempt(now) {
            Attempt::Go => Decision::Grow(self.size),
            Attempt::TooSoon => self.wait(),
            Attempt::Spent => {
                let reason = format!(
                    "the new side could not be given the {} tasks that the old one has{}",
                    self.size,
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
        let dead = dead(&facts.old);
        let moves_to_it = self.confirmed.new > 0 && healthy(&facts.new) != Some(0);
        if let Some(dead) = dead.filter(|_| moves_to_it) {
            return Decision::NeedsHuman {
                reason: format!(
                    "{}; traffic is not moved back, because {dead}; weights are {}",
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
        // Where somebody took the tag off, scaling is still held.
        let is_gone = self.held && facts.lock == Lock::Free && self.tries == 0;
        if matches!(facts.lock, Lock::Ours | Lock::Undone) || is_gone {
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

fn healthy(side: &Side) -> Option<u32> {
    side.health.as_ref().map(|health| health.healthy)
}

/// Why the old side can't serve, where it can't.
fn dead(old: &Side) -> Option<&'static str> {
    if old.desired == 0 {
        // Its targets are healthy until they are drained.
        Some("the old side is scaled to 0")
    } else if healthy(old) == Some(0) || (old.health.is_none() && old.running == 0) {
        Some("no target of the old side is healthy")
    } else {
        None
    }
}
