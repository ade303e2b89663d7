//! Drives [`crate::shift`]: looks, hands what was seen to the machine, and carries out what it decides, until it ends.

use std::time::Duration;

use gha::{duration, text};
use tokio::time::sleep;

use crate::cli::{self, Undo};
use crate::gates::{Candidate, Gates};
use crate::rolling::Limits;
use crate::shift::{Cause, Decision, Gate, Look, Plan, Refusal, Side, State, Weights, Why};
use crate::state::Stage;
use crate::story::Story;

use super::asked::Asked;
use super::held::{self, Held};
use super::new_side::{NewSide, scale};
use super::rule::Found;
use super::sides::Sides;

/// A shift under way.
pub(crate) struct Drive<'a> {
    pub(crate) sides: &'a Sides<'a>,
    pub(crate) state: State,
    pub(crate) plan: Plan,
    pub(crate) held: Held<'a>,
    pub(crate) new: NewSide<'a>,
    pub(crate) story: Story,
    pub(super) found: Found,
    pub(super) asked: Asked<'a>,
    /// The two sides as they were seen last, the one that served first.
    pub(super) last: Option<[Side; 2]>,
    /// Whether there is no time for more than what moves the traffic.
    pub(super) hurries: bool,
    /// Whether the traffic may go back by the rule alone, although nothing else could be read.
    pub(super) blind: bool,
    /// The weights that the last look showed, whoever wrote them; none where the rule does not lead to the two.
    pub(super) seen: Option<Weights>,
    /// Whether the last look showed that the lock is this run's.
    pub(super) locks: bool,
    /// The flags with which `promote` goes on as this run would have, behind those that name the two sides.
    pub(super) again: String,
    /// What a failure does.
    on_failure: Undo,
    told: Option<Weights>,
    says_keep: bool,
}

impl<'a> Drive<'a> {
    /// A shift that begins.
    pub(crate) fn new(
        sides: &'a Sides<'a>,
        plan: Plan,
        held: Held<'a>,
        gates: &'a Gates,
        limits: Limits,
    ) -> Self {
        let mut found = Found::new(sides.groups.clone(), sides.actions.clone());
        if let Some(seconds) = sides.left().and_then(|left| left.sticky) {
            found.may_stick(seconds);
        }
        let idle = sides.under_way().and_then(|held| held.idle);
        let runner = sides.place.runner;
        let now = runner.elapsed();
        let mut new = NewSide::new(&sides.new.place, &sides.new.described.service, limits);
        new.takes = sides
            .under_way()
            .is_some_and(|state| held::is_of(state, runner) || held::is_expired(state, runner));
        Self {
            state: State::new(plan.clone(), now).again(idle),
            held,
            new,
            story: Story::default(),
            found,
            asked: Asked::new(gates, &sides.new.place),
            last: None,
            hurries: false,
            blind: false,
            seen: None,
            locks: false,
            again: String::new(),
            on_failure: Undo::Rollback,
            told: None,
            says_keep: false,
            plan,
            sides,
        }
    }

    /// With what a failure does.
    pub(crate) fn on_failure(mut self, undo: Undo) -> Self {
        self.on_failure = undo;
        self
    }

    /// With the flags with which `promote` goes on: without them it would move all traffic at once, past the gates.
    pub(crate) fn going_on(mut self, shift: &cli::Shift, gates: &cli::Gates) -> Self {
        self.again = shift.again() + &gates.again();
        self
    }

    /// Looks once, and says whether anything may be begun. Nothing is changed.
    pub(crate) async fn check(&mut self) -> Option<Decision> {
        let before = self.state.clone();
        let decision = match Box::pin(self.look()).await {
            Ok(facts) => self.state.clone().next(Look::Facts(&facts), self.now()).1,
            Err(why) => Decision::Unreadable { reason: why },
        };
        self.state = before;
        matches!(decision, Decision::Refuse { .. } | Decision::Unreadable { .. }).then_some(decision)
    }

    /// Goes on until something is decided. It can be dropped half way, and what is known stays.
    pub(crate) async fn run(&mut self) -> Decision {
        loop {
            let decision = match Box::pin(self.look()).await {
                Ok(facts) => self.take(Look::Facts(&facts)),
                Err(why) => {
                    self.heartbeat(&format!("can't look: {why}"));
                    self.unread(&why).await
                }
            };
            if let Some(cause) = self.left_alone() {
                return self.as_it_is(&cause);
            }
            match self.obey(decision).await {
                Next::Pause(time) => self.pause(time).await,
                Next::Look => {}
                Next::End(end) => return end,
            }
        }
    }

    /// Nothing could be read. Before the run gives up with both versions in service, the traffic goes back by what was seen
    /// last, if the rule at least can be read.
    async fn unread(&mut self, why: &str) -> Decision {
        let serves_both = self.state.is_split() && self.state.cause().is_none();
        if serves_both && self.held.touched && self.state.gives_up(self.now()) {
            self.blind = true;
            let looked = Box::pin(self.look()).await;
            self.blind = false;
            if let Ok(facts) = looked {
                let grace = duration::display(self.plan.limits.api_grace);
                let cause = Cause {
                    why: Why::Timeout,
                    reason: format!(
                        "the services could not be read for {grace}: {}",
                        text::line(&text::cut(why, 300))
                    ),
                };
                self.state = self.state.clone().turned_back(cause, self.now());
                self.asked.nothing();
                return self.take(Look::Facts(&facts));
            }
        }
        self.take(Look::Unreadable(why))
    }

    /// Turns back, for this reason.
    pub(crate) fn turn_back(&mut self, cause: Cause) {
        self.state = self.state.clone().turned_back(cause, self.now());
        // A claim that the signal cut off may have come to be.
        self.held.leaves();
        self.hurries = true;
        self.asked.nothing();
    }

    /// A failure, where failures are left as they are.
    fn left_alone(&self) -> Option<Cause> {
        let leaves = self.on_failure == Undo::Leave && !self.hurries;
        self.state.cause().filter(|_| leaves).cloned()
    }

    fn as_it_is(&self, cause: &Cause) -> Decision {
        Decision::NeedsHuman {
            reason: format!(
                "{}; it was left as it is, as was asked; weights are {}",
                cause.reason,
                self.state.weights()
            ),
        }
    }

    async fn obey(&mut self, decision: Decision) -> Next {
        let done = match decision {
            Decision::Wait { next } => {
                self.renew().await;
                self.heartbeat("waiting for the new side");
                return Next::Pause(next);
            }
            Decision::AskGate { gate, next } => {
                self.renew().await;
                self.heartbeat("a gate looks at the new side");
                self.ask(gate, None);
                return Next::Pause(next);
            }
            Decision::Hold { until, gate, next } => {
                self.renew().await;
                let left = duration::display(until.saturating_sub(self.now()));
                self.heartbeat(&format!("this step lasts {left} more"));
                if let Some(gate) = gate {
                    self.ask(gate, self.hold_of(gate));
                }
                return Next::Pause(next);
            }
            Decision::Keep { until, next } => {
                self.keeps(until).await;
                return Next::Pause(next);
            }
            Decision::Claim => {
                let before = self.before();
                self.held.claim(before).await
            }
            Decision::Prepare { tasks } => self.prepare(tasks).await,
            Decision::Write { weights, expected } => self.write(weights, expected).await,
            Decision::RetireOld => self.retire_old().await,
            Decision::ReviveOld { tasks } => scale(&self.sides.old.place, tasks).await,
            Decision::Grow(tasks) => self.new.scale(tasks).await,
            Decision::RetireNew { tasks } => {
                self.held.tell().await;
                self.new.scale(tasks).await
            }
            Decision::Release => {
                self.held.tell().await;
                self.release().await
            }
            end => return Next::End(self.end(end).await),
        };
        if let Err(why) = done {
            self.take(Look::WriteFailed(&why));
        }
        Next::Look
    }

    /// Asks a gate about the version that is there.
    fn ask(&mut self, gate: Gate, hold: Option<Duration>) {
        let (Some(version), Some(deployment)) = (&self.new.version, self.new.deployment()) else {
            return;
        };
        let candidate = Candidate {
            revision: &version.arn,
            definition: &version.definition,
            deployment,
        };
        self.asked.ask(gate, hold, &candidate);
    }

    async fn keeps(&mut self, until: Duration) {
        if !self.says_keep {
            self.says_keep = true;
            let left = duration::display(until.saturating_sub(self.now()));
            let old = &self.sides.old.place.service;
            self.story
                .note(format!("`{old}` is kept for {left}"), self.sides.place.runner);
        }
        if let Err(why) = self.held.stay(Stage::Kept).await {
            self.sides
                .place
                .runner
                .warn(&format!("the tag could not be renewed: {why}"));
        }
        self.renew().await;
        self.heartbeat("the earlier version is kept");
    }

    /// Renews the lock, but never over one that may be another's by now.
    async fn renew(&mut self) {
        if self.locks {
            self.held.renew().await;
        }
    }

    /// What is tidied up although the machine is at its end.
    async fn end(&mut self, end: Decision) -> Decision {
        match &end {
            Decision::Paused { .. } => {
                self.waits().await;
                if let Some(undone) = Box::pin(self.undone_meanwhile()).await {
                    return undone;
                }
            }
            // What was to be promoted can be promoted still.
            Decision::Refuse {
                why: Refusal::Unclaimed,
                ..
            } if self.was_paused() && self.serves_both() => self.waits().await,
            // What this run took is given back; the rule is not this run's any more, or never was. While both versions
            // serve, the tag is all that says which of them served before.
            Decision::Refuse { .. } | Decision::ForeignChange { .. }
                if self.held.touched && !self.serves_both() =>
            {
                if let Err(why) = self.held.release(false, false).await {
                    let warning = format!("what this run held could not be given back: {why}");
                    self.sides.place.runner.warn(&warning);
                }
            }
            _ => {}
        }
        end
    }

    /// Notes that the deploy waits to be promoted.
    async fn waits(&mut self) {
        let mut why = None;
        for _ in 0..self.plan.limits.tries.max(1) {
            why = self.held.stay(Stage::Paused).await.err();
            if why.is_none() {
                return;
            }
        }
        if let Some(why) = why {
            let warning = format!("it could not be noted that the deploy waits to be promoted: {why}");
            self.sides.place.runner.warn(&warning);
        }
    }

    fn was_paused(&self) -> bool {
        let found = self.sides.held.as_ref();
        found.is_some_and(|found| found.stage == Some(Stage::Paused))
    }

    /// Whether both versions get traffic.
    pub(super) fn serves_both(&self) -> bool {
        self.seen
            .is_some_and(|weights| weights.old > 0 && weights.new > 0)
    }

    /// Whether a signal finds what waits to be promoted as it was: nothing of it was touched.
    pub(super) fn is_unbegun(&self) -> bool {
        self.was_paused() && !self.held.touched && !self.state.moves_back()
    }

    /// Hands a look to the machine, and tells of weights that changed.
    fn take(&mut self, look: Look<'_>) -> Decision {
        let (state, decision) = self.state.clone().next(look, self.now());
        self.state = state;
        if self.state.cause().is_some() {
            self.held.leaves();
        }
        self.tell();
        decision
    }

    fn tell(&mut self) {
        let weights = self.state.weights();
        if self.last.is_none() || self.told == Some(weights) {
            return;
        }
        let runner = self.sides.place.runner;
        let share = weights.share();
        if self.told.is_some() {
            let new = &self.sides.new.place.service;
            self.story.note(
                format!("traffic: {share}% to `{new}` (weights {weights})"),
                runner,
            );
        }
        self.told = Some(weights);
        runner.output("live-weight", &share);
    }

    async fn pause(&mut self, time: Duration) {
        tokio::select! {
            biased;
            () = self.asked.says() => {}
            () = sleep(time) => {}
        }
    }

    fn heartbeat(&self, what: &str) {
        let share = self.state.weights().share();
        let new = &self.sides.new.place.service;
        self.sides
            .place
            .runner
            .heartbeat(format!("{share}% of the traffic goes to `{new}`; {what}"));
    }

    pub(super) fn now(&self) -> Duration {
        self.sides.place.runner.elapsed()
    }
}

enum Next {
    Pause(Duration),
    Look,
    End(Decision),
}
