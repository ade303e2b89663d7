//! What one look is not enough for: that the rule is someone else's, and that the lock is gone. Both APIs answer with what was
//! there a moment ago at times, so that the next look must show the same.

use std::time::Duration;

use super::machine::{Phase, State, inert};
use super::{Cause, Decision, Facts, Lock, Rule, Weights, Why};

/// How long until it counts where a signal leaves little time.
const SHORT: Duration = Duration::from_millis(500);

impl State {
    /// The weights, where they are this run's; else what was seen.
    pub(super) fn ours(&self, rule: &Rule) -> Result<Weights, String> {
        match rule {
            Rule::Foreign(what) => Err(inert(what)),
            Rule::Weights(seen) if *seen == self.confirmed || self.written.contains(seen) => Ok(*seen),
            Rule::Weights(seen) => Err(format!("{seen}, where this run left {}", self.confirmed)),
        }
    }

    /// The rule is someone else's.
    pub(super) fn not_ours(&mut self, what: &str, now: Duration) -> Decision {
        if let Some(wait) = self.doubts(now) {
            return wait;
        }
        let back = match &self.phase {
            Phase::Back(cause) => format!("; {}", cause.reason),
            _ => String::new(),
        };
        Decision::ForeignChange {
            reason: format!("the rule was changed by someone else: {what}{back}"),
        }
    }

    /// The run that is undone has noted that it writes these weights, so that they may come.
    #[must_use]
    pub fn may_show(mut self, weights: Weights) -> Self {
        if self.confirmed != weights && !self.written.contains(&weights) {
            self.written.push(weights);
        }
        self
    }

    /// Whether another run has undone this one, which goes on as if nothing were: it left word of it, or the traffic is back
    /// with the old side that this run scaled to nothing.
    pub(super) fn is_undone(&self, facts: &Facts) -> bool {
        let goes_on = !matches!(
            self.phase,
            Phase::ReviveOld(_)
                | Phase::Back(_)
                | Phase::RetireNew(_)
                | Phase::Release(Some(_))
                | Phase::Over(_)
        );
        let is_emptied = matches!(self.phase, Phase::RetireOld | Phase::Release(None))
            && self.old_before > 0
            && facts.old.desired == 0
            && facts.rule == Rule::Weights(self.plan.before);
        goes_on && (facts.lock == Lock::Undone || is_emptied)
    }

    /// Ends as the other run wants it: the old version serves, and what this run took since then is given back.
    pub(super) fn undone(&mut self, facts: &Facts, now: Duration) -> Decision {
        if facts.rule == Rule::Weights(self.plan.before) {
            self.confirmed = self.plan.before;
            self.written.clear();
        } else if let Err(what) = self.ours(&facts.rule) {
            return self.not_ours(&what, now);
        }
        self.doubted = None;
        let cause = Cause {
            why: Why::Undone,
            reason: "another run undid this deploy".to_owned(),
        };
        // Who has no tasks and gets all traffic comes first.
        let is_emptied = facts.old.desired == 0 && self.old_before > 0;
        let phase = if is_emptied {
            Phase::ReviveOld(cause)
        } else {
            Phase::Back(cause)
        };
        self.go(phase, facts, now)
    }

    /// Whether the lock that this run had is gone, where that matters.
    pub(super) fn is_unlocked(&self, lock: &Lock) -> bool {
        let needs_it = matches!(
            self.phase,
            Phase::Prepare
                | Phase::Warm
                | Phase::GateBefore
                | Phase::Raise(_)
                | Phase::Grow(_)
                | Phase::Hold(_)
                | Phase::Keep
        );
        needs_it && self.held && *lock == Lock::Free
    }

    /// The lock is gone: another run undid this one, or somebody took the tag off.
    pub(super) fn unlocked(&mut self, facts: &Facts, now: Duration) -> Decision {
        if let Some(wait) = self.doubts(now) {
            return wait;
        }
        if self.phase == Phase::Keep {
            self.left
                .push("the old side is left as it is, because the lock of this run is gone".to_owned());
            return self.go(Phase::Release(None), facts, now);
        }
        let reason =
            "the tag that holds the lock of this run is gone: another run undid it, or somebody took it off";
        self.turn(Why::Deployment, reason.to_owned(), facts, now)
    }

    /// Another look first, where this is the first one that shows it.
    fn doubts(&mut self, now: Duration) -> Option<Decision> {
        let since = *self.doubted.get_or_insert(now);
        let poll = self.plan.limits.poll;
        let next = match &self.phase {
            Phase::Back(cause) if cause.why == Why::Cancelled => poll.min(SHORT),
            _ => poll,
        };
        (now.saturating_sub(since) < next).then_some(Decision::Wait { next })
    }
}
