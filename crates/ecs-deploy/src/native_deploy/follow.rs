//! Looks at a service deployment as often as [`crate::native`] asks for it, tells what happens, and answers its pauses.

use std::pin::Pin;
use std::time::Duration;

use gha::{accounts, duration, text};
use tokio::time::sleep;

use crate::api::deployments::AtPause;
use crate::events::Shown;
use crate::gates::Gates;
use crate::native::{Decision, Limits, Look, Says, State, Step, describe};
use crate::observed::{Service, ServiceDeployment};
use crate::place::Place;
use crate::shift::GateSays;
use crate::task_definition::TaskDefinition;

use super::failing::Failing;
use super::stop::{Stop, stop};

/// Who answers a pause.
#[derive(Clone, Copy)]
pub enum Answers<'a> {
    /// Somebody else, such as a person who approves.
    Others,
    /// What a gate says.
    Gates(&'a Gates),
    /// Every pause is to go on: it is the way back to what served before.
    GoOn,
}

/// What is followed.
#[derive(Clone, Copy)]
pub struct Course<'a> {
    /// The ARN of the service deployment.
    pub arn: &'a str,
    /// The id of the service's deployment, by which its tasks are known; empty where it is not known.
    pub deployment: &'a str,
    /// What its tasks are.
    pub definition: &'a TaskDefinition,
    /// Who answers its pauses.
    pub answers: Answers<'a>,
    /// Whether a failure changes nothing more.
    pub leave: bool,
}

/// How it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// The new version serves.
    Succeeded,
    /// The earlier version serves again, and why.
    RolledBack(String),
    /// It was stopped where it was, and why.
    Stopped(String),
    /// It failed, and nothing was changed any more; why.
    Left(String),
    /// It failed and could not be taken back; why.
    RollbackFailed(String),
    /// How it went is not known, and why.
    Unknown(String),
}

/// A service deployment that is followed, as far as it is known.
pub struct Followed {
    /// Its tasks that failed.
    pub failing: Failing,
    /// Whether it was taken back because a gate could not say.
    pub is_inconclusive: bool,
    /// The share of the production traffic that the new version has, in percent.
    pub weight: Option<f64>,
    /// When traffic moved, from the start of the run, for the timeline.
    pub moves: Vec<(Duration, String)>,
    /// How many tasks of it are wanted.
    pub wanted: Option<u32>,
    state: State,
    shown: Shown,
    /// The pause that was told.
    told: String,
    /// Why it is to be stopped, where the call was not answered yet.
    stop_due: Option<String>,
}

/// What to do after a decision.
enum Next {
    Wait(Duration),
    RunGate,
    End(End),
}

type Gate<'a> = Pin<Box<dyn Future<Output = GateSays> + 'a>>;

impl Followed {
    /// Begins to follow; messages of the service until now are old.
    #[must_use]
    pub fn new(limits: Limits, service: &Service, place: &Place<'_>) -> Self {
        Self {
            failing: Failing::default(),
            is_inconclusive: false,
            weight: None,
            moves: Vec::new(),
            wanted: None,
            state: State::new(limits, place.runner.elapsed()),
            shown: Shown::before(&service.events),
            told: String::new(),
            stop_due: None,
        }
    }

    /// Follows it to its end. It can be dropped half way, and what is known stays.
    pub async fn run(&mut self, course: Course<'_>, limits: Limits, place: &Place<'_>) -> End {
        let mut pause = Duration::ZERO;
        let mut gate: Option<Gate<'_>> = None;
        loop {
            let decision = match &mut gate {
                None => {
                    sleep(pause).await;
                    self.look(course, place).await
                }
                // A deployment may end while its gate runs.
                Some(running) => tokio::select! {
                    biased;
                    says = running => self.gate_said(says, place),
                    () = sleep(pause) => self.look(course, place).await,
                },
            };
            if !self.state.asks() {
                gate = None;
            }
            pause = match self.act(decision, course, limits, place).await {
                Next::Wait(pause) => pause,
                Next::RunGate => {
                    if let Answers::Gates(gates) = course.answers {
                        gate = Some(Box::pin(gates.run(place, None)));
                    }
                    limits.poll
                }
                Next::End(end) => return end,
            };
        }
    }

    async fn look(&mut self, course: Course<'_>, place: &Place<'_>) -> Decision {
        let seen = place.api.service_deployment(&[course.arn.to_owned()]).await;
        let deployment = match seen {
            Ok(seen) => match seen.into_iter().next() {
                Some(deployment) => deployment,
                None => return self.take(Look::Missing, place),
            },
            Err(refused) => return self.take(Look::Unreadable(&refused.to_string()), place),
        };
        self.tell(&deployment, place).await;
        let decision = self.take(Look::Deployment(&deployment), place);
        if !matches!(decision, Decision::Wait { .. } | Decision::Gate { .. }) {
            return decision;
        }
        let failing = self
            .failing
            .look(course.deployment, course.definition, place)
            .await;
        match failing {
            Some(why) if self.state.refusal().is_none() => self.take(Look::Failing(&why), place),
            _ => decision,
        }
    }

    fn gate_said(&mut self, says: GateSays, place: &Place<'_>) -> Decision {
        match says {
            GateSays::Pass => {
                place.runner.info("the gate passed");
                self.take(Look::Gate(Says::Pass), place)
            }
            GateSays::Fail(why) => {
                self.take(Look::Gate(Says::Fail(&format!("the gate failed: {why}"))), place)
            }
            GateSays::Inconclusive(why) => {
                self.is_inconclusive = true;
                let why = format!("the gate is inconclusive: {why}");
                self.take(Look::Gate(Says::Fail(&why)), place)
            }
            GateSays::Running => {
                self.is_inconclusive = true;
                self.take(Look::Gate(Says::Fail("the gate ended without a verdict")), place)
            }
        }
    }

    fn take(&mut self, look: Look<'_>, place: &Place<'_>) -> Decision {
        let (state, Step { decision, line }) = self.state.clone().next(look, place.runner.elapsed());
        self.state = state;
        if let Some(line) = line {
            place.runner.info(&accounts::without(&line));
        }
        decision
    }

    /// What is new of the service and of the weights.
    async fn tell(&mut self, deployment: &ServiceDeployment, place: &Place<'_>) {
        let runner = place.runner;
        runner.heartbeat(format!(
            "still deploying after {}: {}",
            duration::display(runner.elapsed()),
            accounts::without(&describe(deployment))
        ));
        if let Some(target) = &deployment.target {
            self.wanted = Some(target.requested);
            let weight = target.production_weight.filter(|weight| weight.is_finite());
            if weight.is_some() && weight != self.weight {
                self.weight = weight;
                let share = weight.unwrap_or_default().to_string();
                runner.output("live-weight", &share);
                let line = format!("traffic: {share}% to the new version");
                self.moves.push((runner.elapsed(), line));
            }
        }
        // Its messages explain and decide nothing.
        if let Ok(Some(described)) = place.api.service(&place.service).await {
            for line in self.shown.fresh(&described.service.events).lines {
                runner.info(&format!("ECS: {}", accounts::without(&line.text)));
            }
        }
    }

    async fn act(
        &mut self,
        decision: Decision,
        course: Course<'_>,
        limits: Limits,
        place: &Place<'_>,
    ) -> Next {
        match decision {
            Decision::Wait { next } => match self.stop_due.take() {
                Some(reason) => self.stop(reason, course, limits, place).await,
                None => Next::Wait(next),
            },
            Decision::Gate { hook, stage, .. } => match course.answers {
                Answers::Gates(_) => {
                    place.runner.info(&format!(
                        "the deployment pauses at `{}`; the gate runs",
                        text::line(&stage)
                    ));
                    Next::RunGate
                }
                Answers::Others => {
                    self.ask(&hook, &stage, course, place);
                    Next::Wait(limits.poll)
                }
                Answers::GoOn => {
                    let go_on = self.take(Look::Gate(Says::Pass), place);
                    match go_on {
                        Decision::Continue { hook } => {
                            self.answer(&hook, AtPause::Continue, course, limits, place).await
                        }
                        _ => Next::Wait(limits.poll),
                    }
                }
            },
            Decision::Continue { hook } => self.answer(&hook, AtPause::Continue, course, limits, place).await,
            Decision::RollBack { reason, .. } | Decision::Stop { reason } if course.leave => {
                Next::End(End::Left(reason))
            }
            Decision::RollBack { hook, reason } => {
                place.runner.warn(&format!("going back: {reason}"));
                self.answer(&hook, AtPause::RollBack, course, limits, place).await
            }
            Decision::Stop { reason } => {
                place.runner.warn(&format!("going back: {reason}"));
                self.stop(reason, course, limits, place).await
            }
            Decision::Succeeded => Next::End(End::Succeeded),
            Decision::RolledBack { reason } => Next::End(End::RolledBack(reason)),
            Decision::Stopped { reason } => Next::End(End::Stopped(reason)),
            Decision::RollbackFailed { reason } => Next::End(End::RollbackFailed(reason)),
            Decision::Unknown { reason } => Next::End(End::Unknown(reason)),
        }
    }

    /// Says that somebody has to answer.
    fn ask(&mut self, hook: &str, stage: &str, course: Course<'_>, place: &Place<'_>) {
        let pause = format!("{hook} {stage}");
        if self.told == pause {
            return;
        }
        self.told = pause;
        let id = course.arn.rsplit('/').next().unwrap_or(course.arn);
        place.runner.warn(&format!(
            "service deployment `{}` pauses at `{}` until somebody answers hook `{}`, by `aws ecs \
             continue-service-deployment` or the console; a deploy with `--gate` answers by itself",
            text::line(id),
            text::line(stage),
            text::line(hook)
        ));
    }

    async fn answer(
        &mut self,
        hook: &str,
        answer: AtPause,
        course: Course<'_>,
        limits: Limits,
        place: &Place<'_>,
    ) -> Next {
        let Err(refused) = place.api.answer_pause(course.arn, hook, answer).await else {
            return Next::Wait(limits.poll);
        };
        // One that got lost is repeated if the pause lasts, and one that came too late shows in what ECS does.
        place
            .runner
            .warn(&format!("the answer to hook `{}`: {refused}", text::line(hook)));
        if !refused.is_access() {
            return Next::Wait(limits.poll);
        }
        let why = match self.state.refusal() {
            Some(why) => why.to_owned(),
            None => format!("the pause could not be answered: {refused}"),
        };
        match self.take(Look::Failing(&why), place) {
            Decision::Stop { reason } if course.leave => Next::End(End::Left(reason)),
            Decision::Stop { reason } => self.stop(reason, course, limits, place).await,
            _ => Next::Wait(limits.poll),
        }
    }

    async fn stop(&mut self, reason: String, course: Course<'_>, limits: Limits, place: &Place<'_>) -> Next {
        match stop(course.arn, place).await {
            Stop::Begun | Stop::Ended(_) => Next::Wait(limits.poll.min(Duration::from_secs(1))),
            Stop::Refused(refused) if refused.is_access() => Next::End(End::RollbackFailed(format!(
                "{reason}; and it could not be stopped: {refused}"
            ))),
            Stop::Refused(refused) => {
                place
                    .runner
                    .warn(&format!("the deployment could not be stopped yet: {refused}"));
                self.stop_due = Some(reason);
                Next::Wait(limits.poll)
            }
        }
    }
}
