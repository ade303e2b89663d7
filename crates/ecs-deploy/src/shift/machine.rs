//! The states of a shift, and what leads from one to the next.

use std::time::Duration;

use gha::duration::display;
use gha::text;

use super::{Cause, Decision, Facts, Gate, GateSays, Lock, Look, Plan, Rollout, Weights, Why};

/// What is known so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    pub(super) plan: Plan,
    pub(super) started: Duration,
    pub(super) phase: Phase,
    /// When the phase began.
    pub(super) since: Duration,
    /// The weights that were seen last and are this run's.
    pub(super) confirmed: Weights,
    /// Weights that were written and not seen yet: any of them may come.
    pub(super) written: Vec<Weights>,
    /// How many tasks the new side gets, and how many it had.
    pub(super) size: u32,
    pub(super) new_before: u32,
    /// How many the old side had before it was scaled to nothing.
    pub(super) old_before: u32,
    /// What the new side had before an earlier run of the same deploy, where there was one.
    pub(super) idle: Option<u32>,
    pub(super) tries: u32,
    pub(super) tried: Option<Duration>,
    pub(super) write_failed: Option<String>,
    pub(super) unreadable_since: Option<Duration>,
    /// Since when looks show what would end the shift.
    pub(super) doubted: Option<Duration>,
    /// Whether the lock was seen to be this run's.
    pub(super) held: bool,
    pub(super) left: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Check,
    /// Take the lock, then go on with this step, or from the beginning.
    Claim(Option<usize>),
    Prepare,
    Warm,
    GateBefore,
    Raise(usize),
    /// More tasks for the new side before this step, because the old side has more by now.
    Grow(usize),
    Hold(usize),
    Keep,
    RetireOld,
    /// More tasks for the old side again, before all else of the way back.
    ReviveOld(Cause),
    Back(Cause),
    RetireNew(Cause),
    Release(Option<Cause>),
    Over(Decision),
}

impl State {
    /// Begins a shift.
    #[must_use]
    pub fn new(plan: Plan, now: Duration) -> Self {
        let confirmed = plan.before;
        Self {
            plan,
            started: now,
            phase: Phase::Check,
            since: now,
            confirmed,
            written: Vec::new(),
            size: 0,
            new_before: 0,
            old_before: 0,
            idle: None,
            tries: 0,
            tried: None,
            write_failed: None,
            unreadable_since: None,
            doubted: None,
            held: false,
            left: Vec::new(),
        }
    }

    /// The same for a deploy that an earlier run began and left before any traffic moved: the new side had so many tasks.
    #[must_use]
    pub fn again(mut self, idle: Option<u32>) -> Self {
        self.idle = idle;
        self
    }

    /// Goes on after a step that an earlier run completed, by its place among the steps. The new side had `new_before` tasks
    /// before that run.
    #[must_use]
    pub fn promote(plan: Plan, done: usize, new_before: u32, now: Duration) -> Self {
        let confirmed = plan.rungs.get(done).map_or(plan.before, |rung| rung.weights);
        Self {
            phase: Phase::Claim(Some(done.saturating_add(1))),
            confirmed,
            new_before,
            ..Self::new(plan, now)
        }
    }

    /// Undoes what an earlier run left. Its tag was written before the weights, so either of `weights` may be there.
    #[must_use]
    pub fn undo(plan: Plan, weights: &[Weights], new_before: u32, cause: Cause, now: Duration) -> Self {
        Self {
            phase: Phase::Back(cause),
            written: weights.to_vec(),
            new_before,
            ..Self::new(plan, now)
        }
    }

    /// Turns back, at a signal or because a person asks. What is over stays over.
    #[must_use]
    pub fn turned_back(mut self, cause: Cause, now: Duration) -> Self {
        let late = matches!(
            self.phase,
            Phase::Back(_)
                | Phase::ReviveOld(_)
                | Phase::RetireNew(_)
                | Phase::Release(_)
                | Phase::RetireOld
                | Phase::Over(_)
        );
        match self.phase {
            _ if late => {}
            // Nothing was looked at, so nothing was changed, and what the new side had is not known.
            Phase::Check => self.enter(Phase::Release(Some(cause)), now),
            _ => self.enter(Phase::Back(cause), now),
        }
        self
    }

    /// Why traffic goes back, or went back, where it does.
    #[must_use]
    pub fn cause(&self) -> Option<&Cause> {
        match &self.phase {
            Phase::ReviveOld(cause)
            | Phase::Back(cause)
            | Phase::RetireNew(cause)
            | Phase::Release(Some(cause)) => Some(cause),
            _ => None,
        }
    }

    /// The weights as they were seen last.
    #[must_use]
    pub fn weights(&self) -> Weights {
        self.confirmed
    }

    /// Whether both versions serve, or a write is not confirmed.
    #[must_use]
    pub fn is_split(&self) -> bool {
        !self.written.is_empty() || (self.confirmed.old > 0 && self.confirmed.new > 0)
    }

    /// Whether traffic is on its way back.
    #[must_use]
    pub fn moves_back(&self) -> bool {
        matches!(self.phase, Phase::Back(_))
    }

    /// Whether a look at `now` that fails is the last one.
    #[must_use]
    pub fn gives_up(&self, now: Duration) -> bool {
        let silent = |since: Duration| now.saturating_sub(since) >= self.plan.limits.api_grace;
        self.unreadable_since.is_some_and(silent)
    }

    /// Takes in a look at `now`, and says what to do.
    #[must_use]
    pub fn next(mut self, look: Look<'_>, now: Duration) -> (Self, Decision) {
        if let Phase::Over(end) = &self.phase {
            let end = end.clone();
            return (self, end);
        }
        let decision = match look {
            Look::Facts(facts) => self.facts(facts, now),
            Look::Unreadable(why) => self.unreadable(why, now),
            Look::WriteFailed(why) => {
                self.write_failed = Some(inert(why));
                Decision::Wait { next: Duration::ZERO }
            }
        };
        if is_end(&decision) {
            self.phase = Phase::Over(decision.clone());
        }
        (self, decision)
    }

    fn unreadable(&mut self, why: &str, now: Duration) -> Decision {
        let since = *self.unreadable_since.get_or_insert(now);
        let silent = now.saturating_sub(since);
        if silent < self.plan.limits.api_grace {
            return self.wait();
        }
        let reason = format!(
            "rule and services could not be read for {}; {} as seen last: {}",
            display(silent),
            self.confirmed,
            inert(why)
        );
        Decision::Unreadable { reason }
    }

    fn facts(&mut self, facts: &Facts, now: Duration) -> Decision {
        self.unreadable_since = None;
        self.held |= facts.lock == Lock::Ours;
        if self.phase == Phase::Check {
            return self.check(facts, now);
        }
        if self.is_undone(facts) {
            return self.undone(facts, now);
        }
        let seen = match self.ours(&facts.rule) {
            Ok(seen) => seen,
            Err(what) => return self.not_ours(&what, now),
        };
        if self.written.contains(&seen) {
            self.confirmed = seen;
            // What was written before that is over; an answer that is lost may still take effect until then.
            self.written.clear();
        }
        if self.is_unlocked(&facts.lock) {
            return self.unlocked(facts, now);
        }
        self.doubted = None;
        // What is undone may have been written once more meanwhile.
        if let Phase::RetireNew(cause) | Phase::Release(Some(cause)) = &self.phase
            && self.confirmed != self.plan.before
        {
            self.enter(Phase::Back(cause.clone()), now);
        }
        if let Some(cause) = self.trouble(facts, now) {
            self.enter(Phase::Back(cause), now);
        }
        self.act(facts, now)
    }

    /// What makes traffic go back, in the phases that can.
    pub(super) fn trouble(&self, facts: &Facts, now: Duration) -> Option<Cause> {
        let cause = |why, reason: String| Some(Cause { why, reason });
        let (deployed, shifting) = match self.phase {
            Phase::Prepare => (false, true),
            Phase::Warm | Phase::GateBefore | Phase::Raise(_) | Phase::Grow(_) | Phase::Hold(_) => {
                (true, true)
            }
            Phase::Keep => (true, false),
            _ => return None,
        };
        if let (true, Rollout::Failed(why)) = (deployed, &facts.new.rollout) {
            return cause(Why::Rollout, format!("the new side failed: {}", inert(why)));
        }
        if let (true, Some((gate, says))) = (deployed, &facts.gate) {
            let asked = match (self.phase.clone(), gate) {
                (Phase::GateBefore, Gate::Before) => true,
                (Phase::Hold(step), Gate::During(of)) => step == *of,
                _ => false,
            };
            let at = match gate {
                Gate::Before => String::new(),
                Gate::During(_) => format!(" at {}%", self.confirmed.share()),
            };
            match says {
                GateSays::Fail(why) if asked => {
                    return cause(Why::Gate, format!("the gate said no{at}: {}", inert(why)));
                }
                GateSays::Inconclusive(why) if asked => {
                    let reason = format!("the gate could not say{at}: {}", inert(why));
                    return cause(Why::Inconclusive, reason);
                }
                _ => {}
            }
        }
        let dead = facts.new.health.as_ref().filter(|health| health.healthy == 0);
        if let (true, Some(dead)) = (self.confirmed.new > 0, dead) {
            let more = dead
                .trouble
                .as_ref()
                .map(|trouble| format!(": {}", inert(trouble)));
            let reason = format!(
                "no target of the new side is healthy any more{}",
                more.unwrap_or_default()
            );
            return cause(Why::Unhealthy, reason);
        }
        let foreign = facts.old.foreign.as_ref().or(facts.new.foreign.as_ref());
        if let (true, Some(foreign)) = (shifting, foreign) {
            return cause(
                Why::Deployment,
                format!("someone else deploys: {}", inert(foreign)),
            );
        }
        let took = now.saturating_sub(self.started);
        if shifting && took >= self.plan.limits.timeout {
            return cause(
                Why::Timeout,
                format!("the shift is not complete after {}", display(took)),
            );
        }
        None
    }

    pub(super) fn write(&mut self, weights: Weights) -> Decision {
        if !self.written.contains(&weights) {
            self.written.push(weights);
        }
        Decision::Write {
            weights,
            expected: self.confirmed,
        }
    }

    pub(super) fn turn(&mut self, why: Why, reason: String, facts: &Facts, now: Duration) -> Decision {
        self.go(Phase::Back(Cause { why, reason }), facts, now)
    }

    pub(super) fn go(&mut self, phase: Phase, facts: &Facts, now: Duration) -> Decision {
        self.enter(phase, now);
        self.act(facts, now)
    }

    pub(super) fn enter(&mut self, phase: Phase, now: Duration) {
        self.phase = phase;
        self.since = now;
        self.tries = 0;
        self.tried = None;
        self.write_failed = None;
    }

    /// Whether a write may be made now: not before a look had time to show the last one, and not for ever.
    pub(super) fn attempt(&mut self, now: Duration) -> Attempt {
        let soon = |tried: Duration| now.saturating_sub(tried) < self.plan.limits.poll;
        if self.tried.is_some_and(soon) {
            return Attempt::TooSoon;
        }
        if self.tries >= self.plan.limits.tries.max(1) {
            return Attempt::Spent;
        }
        self.tries += 1;
        self.tried = Some(now);
        Attempt::Go
    }

    pub(super) fn write_reason(&self) -> String {
        self.write_failed
            .as_ref()
            .map(|why| format!(": {why}"))
            .unwrap_or_default()
    }

    pub(super) fn wait(&self) -> Decision {
        Decision::Wait {
            next: self.plan.limits.poll,
        }
    }

    pub(super) fn until(&self, until: Duration, now: Duration) -> Duration {
        let left = until.saturating_sub(now);
        if left.is_zero() {
            self.plan.limits.poll
        } else {
            left.min(self.plan.limits.poll)
        }
    }
}

pub(super) enum Attempt {
    Go,
    TooSoon,
    Spent,
}

fn is_end(decision: &Decision) -> bool {
    matches!(
        decision,
        Decision::Refuse { .. }
            | Decision::Done { .. }
            | Decision::Paused { .. }
            | Decision::RolledBack { .. }
            | Decision::ForeignChange { .. }
            | Decision::NeedsHuman { .. }
            | Decision::Unreadable { .. }
    )
}

/// Foreign text as a short part of a line.
pub(super) fn inert(foreign: &str) -> String {
    text::line(&text::cut(foreign.trim(), 300))
}
