//! Whether our deployment still is the latest: a rollback, a newer deployment and an answer that lags behind are told
//! apart.

use std::time::Duration;

use gha::duration::display;

use super::{Decision, Newer, State, Undoer, Why, inert};
use crate::observed::{Deployment, Service, ServiceDeployment, revision_name};
use crate::words::{RolloutState, ServiceDeploymentStatus, ServiceStatus};

/// How long a new deployment may be missing from answers.
const VISIBLE: Duration = Duration::from_secs(30);

/// How long ECS may take to begin a rollback that it is configured for.
const ROLLBACK_BEGINS: Duration = Duration::from_secs(2 * 60);

impl State {
    /// Whether it is over for our deployment, or it can't be judged by this look.
    pub(super) fn ended(
        &mut self,
        service: &Service,
        deployment: Option<&ServiceDeployment>,
        now: Duration,
    ) -> Option<Decision> {
        if matches!(service.status, ServiceStatus::Draining | ServiceStatus::Inactive) {
            let reason = format!("the service is `{}`", service.status.word());
            return Some(Decision::Gone { reason });
        }
        let Some(primary) = service.primary() else {
            return Some(self.lags(now));
        };
        if primary.id != self.plan.deployment {
            return Some(self.replaced(primary, service, deployment, now));
        }
        self.seen = true;
        self.last_primary = now;
        self.ended_by_ecs(primary, service, deployment, now)
    }

    fn ended_by_ecs(
        &mut self,
        ours: &Deployment,
        service: &Service,
        deployment: Option<&ServiceDeployment>,
        now: Duration,
    ) -> Option<Decision> {
        use ServiceDeploymentStatus as Is;
        let failed = |why, reason| {
            Some(Decision::Failed {
                why,
                reason,
                ours_to_roll_back: true,
            })
        };
        if let Some(status) = deployment.map(|deployment| &deployment.status) {
            let said = self.because(ours, deployment);
            match status {
                Is::Stopped => return failed(Why::Stopped, format!("the deployment was stopped{said}")),
                Is::RollbackFailed => {
                    return failed(Why::RollbackFailed, format!("ECS could not roll back{said}"));
                }
                Is::RollbackSuccessful => {
                    return Some(Decision::RolledBack {
                        by: self.undoer(service, deployment),
                        reason: format!("ECS rolled back{said}"),
                        deployment: None,
                    });
                }
                Is::StopRequested | Is::RollbackRequested | Is::RollbackInProgress => {
                    return Some(self.announced(ours, deployment, now));
                }
                Is::Pending | Is::InProgress | Is::Successful | Is::Other(_) => {}
            }
        }
        if ours.rollout_state != Some(RolloutState::Failed) {
            return None;
        }
        if ecs_rolls_back(service) {
            return Some(self.announced(ours, deployment, now));
        }
        let said = self.because(ours, deployment);
        failed(Why::Rollout, format!("ECS calls the deployment failed{said}"))
    }

    /// ECS is about to roll back: whether it begins.
    fn announced(
        &mut self,
        ours: &Deployment,
        deployment: Option<&ServiceDeployment>,
        now: Duration,
    ) -> Decision {
        self.complete = None;
        self.failed_reason = ours.reason.clone().or(self.failed_reason.take());
        let since = *self.failed_since.get_or_insert(now);
        let said = self.because(ours, deployment);
        self.tell(&format!("the deployment failed, and ECS is to roll back{said}"));
        if now.saturating_sub(since) < ROLLBACK_BEGINS {
            return self.wait(now);
        }
        Decision::Failed {
            why: Why::Rollout,
            reason: format!(
                "the deployment failed, and ECS did not begin to roll back within {}{said}",
                display(ROLLBACK_BEGINS)
            ),
            ours_to_roll_back: true,
        }
    }

    /// Another deployment is the latest.
    fn replaced(
        &mut self,
        primary: &Deployment,
        service: &Service,
        deployment: Option<&ServiceDeployment>,
        now: Duration,
    ) -> Decision {
        let before = self.last.as_ref().and_then(|(ours, _)| ours.created_at);
        let order = self
            .plan
            .created_at
            .or(before)
            .and_then(|ours| primary.created_at.map(|theirs| theirs.cmp(&ours)));
        let hidden = !self.seen && now.saturating_sub(self.plan.started) < VISIBLE;
        let stale = order.map_or(hidden, |order| order.is_lt() || (order.is_eq() && hidden));
        if stale {
            return self.lags(now);
        }
        self.complete = None;
        let ours = service.deployment(&self.plan.deployment);
        let called_failed = |ours: &Deployment| ours.rollout_state == Some(RolloutState::Failed);
        let failed = self.failed_since.is_some()
            || ours.is_some_and(called_failed)
            || deployment.is_some_and(is_rollback);
        if let Some(reason) = ours.and_then(|ours| ours.reason.clone()) {
            self.failed_reason = Some(reason);
        }
        let newer = Newer {
            id: primary.id.clone(),
            task_definition: primary.task_definition.clone(),
            created_at: primary.created_at,
        };
        let back = self.plan.previous.as_deref() == Some(primary.task_definition.as_str());
        let same = primary.task_definition == self.plan.task_definition;
        let undone = if failed {
            back || (ecs_rolls_back(service) && !same)
        } else {
            back && !same
        };
        if !undone {
            return Decision::Superseded { by: newer };
        }
        let by = if failed {
            self.undoer(service, deployment)
        } else {
            Undoer::Someone
        };
        let said = self.because(ours.unwrap_or(primary), deployment);
        Decision::RolledBack {
            by,
            reason: format!(
                "{}, `{}` comes back{}",
                match by {
                    Undoer::Breaker => "the circuit breaker ended the deployment",
                    Undoer::Alarm => "an alarm ended the deployment",
                    Undoer::Someone => "someone ended the deployment",
                },
                inert(revision_name(&primary.task_definition)),
                if failed { said.as_str() } else { "" }
            ),
            deployment: Some(newer),
        }
    }

    /// An answer that shows an earlier state than one before it.
    fn lags(&mut self, now: Duration) -> Decision {
        self.complete = None;
        let silent = now.saturating_sub(self.last_primary);
        if silent < self.plan.limits.api_grace {
            return self.wait(now);
        }
        Decision::Failed {
            why: Why::Unreadable,
            reason: format!(
                "ECS does not show deployment `{}` for {}, and no newer one either",
                inert(&self.plan.deployment),
                display(silent)
            ),
            ours_to_roll_back: false,
        }
    }

    fn undoer(&self, service: &Service, deployment: Option<&ServiceDeployment>) -> Undoer {
        if let Some(deployment) = deployment.filter(|deployment| is_rollback(deployment)) {
            let triggered = |status: &str| status == "TRIGGERED";
            return match &deployment.breaker {
                _ if !deployment.triggered_alarms.is_empty() => Undoer::Alarm,
                Some(breaker) if triggered(&breaker.status) => Undoer::Breaker,
                _ => Undoer::Someone,
            };
        }
        let breaker = service
            .breaker
            .is_some_and(|breaker| breaker.enable && breaker.rollback);
        match (breaker, service.alarms_roll_back) {
            (true, _) => Undoer::Breaker,
            (false, true) => Undoer::Alarm,
            (false, false) => Undoer::Someone,
        }
    }
}

/// Whether ECS is configured to bring the last completed deployment back by itself.
fn ecs_rolls_back(service: &Service) -> bool {
    let breaker = service
        .breaker
        .is_some_and(|breaker| breaker.enable && breaker.rollback);
    breaker || service.alarms_roll_back
}

/// Whether a service deployment is being rolled back, or was.
fn is_rollback(deployment: &ServiceDeployment) -> bool {
    use ServiceDeploymentStatus as Is;
    matches!(
        deployment.status,
        Is::RollbackRequested | Is::RollbackInProgress | Is::RollbackSuccessful | Is::RollbackFailed
    )
}
