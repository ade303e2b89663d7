//! What is known of a rolling deployment, and how each kind of look adds to it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::{Decision, Look, Plan, Step, Why, inert, judge};
use crate::observed::{Deployment, Service, ServiceDeployment, TargetHealth, Task};
use crate::stopped::{self, Severity, Stop};
use crate::words::TargetState;

/// What is known so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    pub(super) plan: Plan,
    /// Failed tasks of our deployment, by their ARNs.
    pub(super) stops: BTreeMap<String, Stop>,
    /// Failed tasks by ECS's own count, which is all there is where tasks can't be read.
    pub(super) failed_sum: u32,
    pub(super) last_failed: u32,
    /// Whether our deployment was ever seen as the latest.
    pub(super) seen: bool,
    /// When it was last seen to be.
    pub(super) last_primary: Duration,
    /// Since when ECS calls it failed.
    pub(super) failed_since: Option<Duration>,
    /// What ECS said then.
    pub(super) failed_reason: Option<String>,
    pub(super) complete: Option<Complete>,
    /// Since when there was no room without progress.
    pub(super) short_since: Option<Duration>,
    pub(super) most_running: u32,
    /// Tasks that found no room, by their ARNs.
    pub(super) had_no_room: BTreeSet<String>,
    pub(super) placement: Option<String>,
    pub(super) unreadable_since: Option<Duration>,
    pub(super) unreadable: u32,
    pub(super) missing: u32,
    pub(super) last_look: Duration,
    pub(super) tasks_read: Option<Duration>,
    pub(super) tasks_readable: bool,
    /// Counts at the last look at stopped tasks: a change is a reason for another.
    pub(super) counts_read: Option<(u32, u32, u32)>,
    /// The deployment and the service as they were seen last.
    pub(super) last: Option<(Deployment, u32)>,
    pub(super) unhealthy: Option<String>,
    pub(super) told: Vec<String>,
}

/// A complete deployment that must stay so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Complete {
    pub(super) since: Duration,
    /// How many tasks it had to have then: one that is scaled up later has not become worse.
    pub(super) tasks: u32,
}

impl State {
    /// Begins to follow a deployment.
    #[must_use]
    pub fn new(plan: Plan) -> Self {
        let started = plan.started;
        Self {
            plan,
            stops: BTreeMap::new(),
            failed_sum: 0,
            last_failed: 0,
            seen: false,
            last_primary: started,
            failed_since: None,
            failed_reason: None,
            complete: None,
            short_since: None,
            most_running: 0,
            had_no_room: BTreeSet::new(),
            placement: None,
            unreadable_since: None,
            unreadable: 0,
            missing: 0,
            last_look: started,
            tasks_read: None,
            tasks_readable: true,
            counts_read: None,
            last: None,
            unhealthy: None,
            told: Vec::new(),
        }
    }

    /// What is followed.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The failed tasks of our deployment.
    pub fn stops(&self) -> impl Iterator<Item = &Stop> {
        self.stops.values()
    }

    /// Our deployment as it was seen last.
    #[must_use]
    pub fn deployment(&self) -> Option<&Deployment> {
        self.last.as_ref().map(|(deployment, _)| deployment)
    }

    /// Takes in a look at `now`, and says what to do.
    #[must_use]
    pub fn next(mut self, look: Look<'_>, now: Duration) -> (Self, Step) {
        let told_before = self.told.len();
        let decision = match look {
            Look::Service(service, deployment) => self.service(service, deployment, now),
            Look::Missing => self.missing(now),
            Look::Unreadable(why) => self.unreadable(why, now),
            Look::Stopped(tasks) => self.stopped(tasks, now),
            Look::StoppedUnreadable(why) => self.stopped_unreadable(why, now),
            Look::Targets(targets) => self.targets(targets, now),
        };
        let notes = self.told[told_before..].to_vec();
        (self, Step { decision, notes })
    }

    fn service(
        &mut self,
        service: &Service,
        deployment: Option<&ServiceDeployment>,
        now: Duration,
    ) -> Decision {
        self.unreadable_since = None;
        self.unreadable = 0;
        self.missing = 0;
        self.last_look = now;
        if let Some(end) = self.ended(service, deployment, now) {
            return end;
        }
        let Some(ours) = service.deployment(&self.plan.deployment).cloned() else {
            return self.wait(now);
        };
        self.count(&ours);
        self.watch_placement(&ours, service, now);
        self.watch_completion(&ours, service, now);
        self.last = Some((ours, service.desired));
        self.wants_tasks(now).unwrap_or_else(|| self.judge(now))
    }

    fn missing(&mut self, now: Duration) -> Decision {
        self.missing += 1;
        self.last_look = now;
        self.complete = None;
        // One answer may come from a place that lags behind.
        if self.missing >= 3 {
            let reason = "ECS knows no such service any more".to_owned();
            return Decision::Gone { reason };
        }
        self.wait(now)
    }

    fn unreadable(&mut self, why: &str, now: Duration) -> Decision {
        let since = *self.unreadable_since.get_or_insert(now);
        self.last_look = now;
        // What was not seen is not known to have stayed.
        self.complete = None;
        self.tell(&format!("the service can't be read for now: {}", inert(why)));
        let silent = now.saturating_sub(since);
        if silent >= self.plan.limits.api_grace {
            let reason = format!(
                "the service could not be read for {}, so how the deployment went is not known: {}",
                gha::duration::display(silent),
                inert(why)
            );
            return Decision::Failed {
                why: Why::Unreadable,
                reason,
                ours_to_roll_back: false,
            };
        }
        let factor = 1 << self.unreadable.min(3);
        self.unreadable = self.unreadable.saturating_add(1);
        let longest = Duration::from_secs(30).max(self.plan.limits.poll);
        Decision::Wait {
            next: self.plan.limits.poll.saturating_mul(factor).min(longest),
        }
    }

    fn stopped(&mut self, tasks: &[Task], now: Duration) -> Decision {
        self.tasks_readable = true;
        self.tasks_read = Some(now);
        let mut failed_now = false;
        for task in tasks {
            let ours = task.started_by.as_deref() == Some(self.plan.deployment.as_str());
            if !ours || !task.is_stopped() || self.stops.contains_key(&task.arn) {
                continue;
            }
            let stop = stopped::classify(task);
            match stop.class.severity() {
                Severity::Fatal | Severity::Counted => {
                    self.tell(&format!("a task failed: {}", stop.reason));
                    self.stops.insert(task.arn.clone(), stop);
                    failed_now = true;
                }
                // It is listed for an hour; only a new one says that there still is no room.
                Severity::Capacity if self.had_no_room.insert(task.arn.clone()) => {
                    self.short_of_room(&stop.reason, now);
                }
                Severity::Capacity | Severity::Ignored => {}
            }
        }
        if failed_now {
            // What was thought complete lost a task.
            self.complete = self.complete.map(|complete| Complete {
                since: now,
                ..complete
            });
        }
        self.judge(now)
    }

    fn stopped_unreadable(&mut self, why: &str, now: Duration) -> Decision {
        self.tasks_readable = false;
        self.tasks_read = Some(now);
        self.tell(&format!(
            "stopped tasks can't be read, so a failure will have no reason: {}",
            inert(why)
        ));
        self.judge(now)
    }

    fn targets(&mut self, targets: &[TargetHealth], now: Duration) -> Decision {
        let all_good = targets.iter().all(|target| target.state == TargetState::Healthy);
        // One that failed its checks goes away, and what it failed by is the reason still.
        self.unhealthy = judge::unhealthy(targets).or_else(|| self.unhealthy.take().filter(|_| !all_good));
        let judged = now.saturating_sub(self.plan.started) >= self.plan.limits.health_grace;
        if judged && let Some(unhealthy) = self.unhealthy.clone() {
            self.tell(&unhealthy);
        }
        self.wait(now)
    }

    /// A warning, told once.
    pub(super) fn tell(&mut self, note: &str) {
        // Texts of errors may differ each time.
        if self.told.len() < 50 && !self.told.iter().any(|told| told == note) {
            self.told.push(note.to_owned());
        }
    }

    /// What is left until the next look at the service is due.
    pub(super) fn wait(&self, now: Duration) -> Decision {
        let passed = now.saturating_sub(self.last_look);
        Decision::Wait {
            next: self.plan.limits.poll.saturating_sub(passed),
        }
    }
}
