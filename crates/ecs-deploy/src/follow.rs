//! Looks at the service as often as [`crate::rolling`] asks for it, and tells what happens.

use std::collections::BTreeSet;
use std::time::Duration;

use gha::{accounts, duration, text};
use tokio::time::sleep;

use crate::api::{DENIALS, Refused};
use crate::details::{self, Tails};
use crate::events::Shown;
use crate::observed::{Deployment, Service, revision_name};
use crate::place::Place;
use crate::rolling::{Decision, Look, Plan, State, Step, Why};
use crate::serving;
use crate::task_definition::TaskDefinition;
use targets::Watched;

mod record;
mod targets;

/// A deployment that is followed, as far as it is known.
#[derive(Debug)]
pub struct Followed {
    /// What is known of it.
    pub state: State,
    /// The last lines of its containers that failed.
    pub tails: Tails,
    /// The service as it was seen last.
    last: Option<Service>,
    /// The service's targets.
    targets: Watched,
    /// Which messages of the service were told.
    shown: Shown,
    /// Stopped tasks that were read to the end.
    read: BTreeSet<String>,
    /// The line that was told last of its counts.
    told: String,
    /// Failed tasks that were told.
    told_stops: BTreeSet<String>,
    /// How often in a row credentials were refused.
    denials: u32,
}

impl Followed {
    /// Begins to follow a deployment; messages of the service until now are old.
    #[must_use]
    pub fn new(plan: Plan, service: &Service) -> Self {
        Self {
            state: State::new(plan),
            tails: Tails::default(),
            last: None,
            targets: Watched::default(),
            shown: Shown::before(&service.events),
            read: BTreeSet::new(),
            told: String::new(),
            told_stops: BTreeSet::new(),
            denials: 0,
        }
    }

    /// What runs, as it was seen last.
    #[must_use]
    pub fn serving(&self) -> Option<String> {
        self.last.as_ref().map(serving::running)
    }

    /// Follows it until something is decided. It can be dropped half way, and what is known stays.
    pub async fn run(&mut self, definition: &TaskDefinition, place: &Place<'_>) -> Decision {
        let mut pause = Duration::ZERO;
        loop {
            sleep(pause).await;
            let mut decision = self.look(place).await;
            while decision == Decision::FetchStopped {
                decision = self.fetch(definition, place).await;
            }
            if let Decision::Wait { .. } = decision {
                decision = self.look_at_targets(decision, place).await;
            }
            pause = match decision {
                Decision::Wait { next } | Decision::Steady { next, .. } => next,
                decided => return decided,
            };
        }
    }

    /// Looks at a deployment that is complete, until something about it is not well any more. The time for deploying is
    /// over by then, and does not count.
    pub async fn stay(&mut self, definition: &TaskDefinition, place: &Place<'_>) -> Decision {
        let poll = self.state.plan().limits.poll;
        loop {
            sleep(poll).await;
            match Box::pin(self.run(definition, place)).await {
                Decision::Succeeded { .. } | Decision::ScaledToZero => {}
                Decision::Failed {
                    why: Why::Timeout | Why::Draining,
                    ..
                } => {}
                decided => return decided,
            }
        }
    }

    /// Takes in a look at the service that was made already.
    pub async fn see(
        &mut self,
        service: &Service,
        definition: &TaskDefinition,
        place: &Place<'_>,
    ) -> Decision {
        self.tell(service, place);
        let mut decision = self.take(Look::Service(service, None), place);
        while decision == Decision::FetchStopped {
            decision = self.fetch(definition, place).await;
        }
        decision
    }

    async fn look(&mut self, place: &Place<'_>) -> Decision {
        let asked = place.api.service(&place.service).await;
        self.denials = match &asked {
            Err(refused) if refused.is_access() => self.denials + 1,
            _ => 0,
        };
        match asked {
            Ok(Some(described)) => {
                self.tell(&described.service, place);
                let record = record::ours(self.state.plan(), &described.service, place).await;
                let look = Look::Service(&described.service, record.as_ref());
                let decision = self.take(look, place);
                self.last = Some(described.service);
                decision
            }
            Ok(None) => self.take(Look::Missing, place),
            Err(refused) if self.denials >= DENIALS => denied(&refused),
            Err(refused) => self.take(Look::Unreadable(&refused.to_string()), place),
        }
    }

    /// The stopped tasks of the deployment that were not read before.
    async fn fetch(&mut self, definition: &TaskDefinition, place: &Place<'_>) -> Decision {
        let by = &self.state.plan().deployment;
        let mut tasks = match details::stopped(&place.api, by, definition, &self.read).await {
            Ok(tasks) => tasks,
            Err(refused) => return self.take(Look::StoppedUnreadable(&refused.to_string()), place),
        };
        for task in tasks.iter_mut().filter(|task| task.is_stopped()) {
            self.read.insert(task.arn.clone());
            self.tails.read(task, place).await;
        }
        self.take(Look::Stopped(&tasks), place)
    }

    /// What the load balancer thinks of the tasks, now and then, while the deployment is not complete.
    async fn look_at_targets(&mut self, decision: Decision, place: &Place<'_>) -> Decision {
        let Some(service) = &self.last else {
            return decision;
        };
        let ours = service.deployment(&self.state.plan().deployment);
        let seen = self.targets.look(service, ours, place).await;
        match seen {
            Some(targets) => self.take(Look::Targets(&targets), place),
            None => decision,
        }
    }

    fn take(&mut self, look: Look<'_>, place: &Place<'_>) -> Decision {
        let (state, Step { decision, notes }) = self.state.clone().next(look, place.runner.elapsed());
        self.state = state;
        for note in notes {
            place.runner.warn(&accounts::without(&note));
        }
        for stop in self.state.stops() {
            if self.told_stops.insert(stop.task.clone()) {
                let line = format!("task {} stopped: {}", text::line(&stop.task), stop.reason);
                place.runner.info(&accounts::without(&line));
            }
        }
        decision
    }

    /// What is new of the service.
    fn tell(&mut self, service: &Service, place: &Place<'_>) {
        let runner = place.runner;
        for line in self.shown.fresh(&service.events).lines {
            runner.info(&format!("ECS: {}", accounts::without(&line.text)));
        }
        let plan = self.state.plan();
        let Some(ours) = service.deployment(&plan.deployment) else {
            return;
        };
        let line = counts(ours, service);
        let now = duration::display(runner.elapsed().saturating_sub(plan.started));
        runner.heartbeat(format!("still deploying after {now}: {line}"));
        if line != self.told {
            runner.info(&line);
            self.told = line;
        }
        runner.live(|| serving::table(service));
    }
}

/// Nobody may look any more.
fn denied(refused: &Refused) -> Decision {
    Decision::Failed {
        why: Why::Access,
        reason: refused.to_string(),
        ours_to_roll_back: false,
    }
}

/// How far a deployment is.
pub(crate) fn counts(ours: &Deployment, service: &Service) -> String {
    let name = text::line(revision_name(&ours.task_definition));
    let of_others = service.running.saturating_sub(ours.running);
    let others = match of_others {
        0 => String::new(),
        more => format!("; {more} of earlier revisions"),
    };
    let failed = match ours.failed {
        0 => String::new(),
        count => format!(", {count} failed"),
    };
    let state = serving::rollout(ours);
    let state = Some(state).filter(|state| !state.is_empty());
    format!(
        "{name}{}: {} of {} running, {} pending{failed}{others}",
        state.map(|state| format!(" {state}")).unwrap_or_default(),
        ours.running,
        ours.desired,
        ours.pending,
    )
}
