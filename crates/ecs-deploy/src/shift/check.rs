//! Whether a shift may begin at all.

use std::time::Duration;

use gha::duration::display;

use super::machine::{Phase, State, inert};
use super::{Decision, Facts, Lock, Plan, Refusal, Rule};

impl State {
    pub(super) fn check(&mut self, facts: &Facts, now: Duration) -> Decision {
        let refuse = |why, reason: String| Decision::Refuse { why, reason };
        if let Err(reason) = rising(&self.plan) {
            return refuse(Refusal::Plan, reason);
        }
        match &facts.rule {
            Rule::Foreign(what) => {
                return refuse(
                    Refusal::Rule,
                    format!("the rule can't be shifted: {}", inert(what)),
                );
            }
            Rule::Weights(seen) if seen.old > 0 && seen.new > 0 => {
                let reason = format!("both sides get traffic already: {seen}; another run was interrupted");
                return refuse(Refusal::MixedWeights, reason);
            }
            Rule::Weights(seen) if *seen != self.plan.before => {
                let reason = format!(
                    "the rule has weights {seen}, where {} was read before",
                    self.plan.before
                );
                return refuse(Refusal::Rule, reason);
            }
            Rule::Weights(_) => {}
        }
        if let Some(locked) = self.locked(&facts.lock) {
            return locked;
        }
        let foreign = facts.old.foreign.as_ref().or(facts.new.foreign.as_ref());
        if let Some(foreign) = foreign {
            return refuse(
                Refusal::Deployment,
                format!("someone else deploys: {}", inert(foreign)),
            );
        }
        if facts.old.running == 0 {
            let reason = "no task of the old side runs, so there is nothing to compare with or to go back to"
                .to_owned();
            return refuse(Refusal::NothingRuns, reason);
        }
        self.size = facts.old.running;
        self.new_before = self.idle.unwrap_or(facts.new.desired);
        self.enter(Phase::Claim(None), now);
        self.act(facts, now)
    }

    pub(super) fn locked(&self, lock: &Lock) -> Option<Decision> {
        match lock {
            Lock::Other { run, age } if *age < self.plan.limits.lock_lasts => Some(Decision::Refuse {
                why: Refusal::Locked,
                reason: format!("{} holds the lock since {}", inert(run), display(*age)),
            }),
            _ => None,
        }
    }
}

/// Whether the steps rise from nothing to all.
fn rising(plan: &Plan) -> Result<(), String> {
    if plan.before.new != 0 || plan.before.old == 0 {
        return Err(format!(
            "the weights before must be all for the old side, and are {}",
            plan.before
        ));
    }
    let mut last = 0.0;
    for rung in &plan.rungs {
        let percent = rung.weights.percent();
        if percent <= last {
            return Err(format!("step {} does not rise", rung.weights));
        }
        last = percent;
    }
    match plan.rungs.last() {
        Some(rung) if rung.weights.old == 0 => Ok(()),
        _ => Err("the last step must be all for the new side".to_owned()),
    }
}
