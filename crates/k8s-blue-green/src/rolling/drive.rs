//! Looks at a rollout again and again, as [`super::follow`] asks for it.

use std::collections::BTreeSet;
use std::time::Duration;

use gha::edge::cancel::Cancelled;
use gha::text;
use serde_json::Value;
use tokio::time::sleep;

use super::find;
use super::follow::{Decision, Limits, Look, Ours, State};
use super::history::{self, Revision};
use super::progress::{self, Progress};
use crate::api::{Kind, Refused, Still, Which};
use crate::diagnose::pod;
use crate::object;
use crate::place::Place;
use crate::workload::{self, Sort, Workload};

/// A rollout that is followed.
pub struct Follower<'a> {
    place: &'a Place<'a>,
    named: Workload,
    state: State,
    /// The workload as it was seen last.
    pub object: Value,
    /// The revision that it is at, once that is known.
    pub revision: Option<Revision>,
    /// Whether an earlier version is brought back: pods of the one that is left need not be spared.
    pub is_way_back: bool,
    /// When it was begun to follow.
    began: Duration,
    /// How long pods of an earlier version are left to mend themselves.
    grace: Duration,
    /// Those that were sent away.
    gone: BTreeSet<String>,
    /// Whether pods can't be read: counts decide alone.
    blind: bool,
}

/// What one look brought.
enum Seen {
    Workload(Value, Vec<Value>),
    Gone,
    Unreadable(Refused),
}

impl<'a> Follower<'a> {
    /// Begins to follow a workload, as it was after a write.
    #[must_use]
    pub fn new(named: &Workload, object: &Value, limits: Limits, place: &'a Place<'a>) -> Self {
        let ours = Ours {
            sort: named.sort,
            uid: object::uid(object).to_owned(),
            template: object["spec"]["template"].clone(),
        };
        Self {
            place,
            named: named.clone(),
            state: State::new(ours, limits, place.runner.elapsed()),
            object: object.clone(),
            revision: None,
            is_way_back: false,
            began: place.runner.elapsed(),
            grace: limits.grace,
            gone: BTreeSet::new(),
            blind: false,
        }
    }

    /// Follows to the end.
    ///
    /// # Errors
    /// When the run is cancelled.
    pub async fn run(&mut self) -> Result<Decision, Cancelled> {
        let cancel = self.place.runner.cancel().clone();
        loop {
            let seen = cancel.guard(self.look()).await?;
            let now = self.place.runner.elapsed();
            let look = match &seen {
                Seen::Workload(workload, pods) => Look::Seen(workload, pods),
                Seen::Gone => Look::Gone,
                Seen::Unreadable(refused) => Look::Unreadable(refused),
            };
            let step = self.state.next(look, now);
            if let Some(note) = step.note {
                self.place.runner.info(&note);
            }
            match step.decision {
                Decision::Wait(time) => cancel.guard(sleep(time)).await?,
                end => return Ok(end),
            }
        }
    }

    async fn look(&mut self) -> Seen {
        let workload = match find::read(&self.named, self.place).await {
            Ok(Some(workload)) => workload,
            Ok(None) => return Seen::Gone,
            Err(refused) => return Seen::Unreadable(refused),
        };
        self.object.clone_from(&workload);
        let is_done = matches!(progress::of(self.named.sort, &workload), Progress::Ready(_));
        if self.revision.is_none() {
            self.find_revision(&workload).await;
        }
        let pods = if is_done || self.blind {
            Vec::new()
        } else {
            self.pods(&workload).await
        };
        Seen::Workload(workload, pods)
    }

    /// The revisions that there are, and the one it is at. What can't be read is not known.
    async fn find_revision(&mut self, workload: &Value) {
        if let Ok(revisions) = revisions(&self.named, workload, self.place).await {
            let current = history::current(self.named.sort, workload, &revisions);
            let template = workload.pointer("/spec/template");
            // One that is observed and whose template is another is one of before.
            let current = current
                .filter(|current| template == Some(&current.template) || self.named.sort == Sort::Deployment);
            self.revision = current.cloned();
        }
    }

    /// The pods of the new template.
    async fn pods(&mut self, workload: &Value) -> Vec<Value> {
        let Some((label, value)) = self.revision.as_ref().map(|revision| revision.mark.clone()) else {
            return Vec::new();
        };
        let selector = workload::selector(workload);
        let which = Which {
            labels: Some(&selector),
            ..Which::default()
        };
        let mut pods = match self
            .place
            .api
            .list(&Kind::pod(), &self.place.namespace, &which)
            .await
        {
            Ok(pods) => pods,
            Err(refused) => {
                if refused.is_access() {
                    let why =
                        format!("pods can't be read, so that only the workload's counts decide: {refused}");
                    self.place.runner.warn(&why);
                    self.blind = true;
                }
                return Vec::new();
            }
        };
        if self.named.sort == Sort::StatefulSet {
            self.release(&pods, label, &value).await;
        }
        pods.retain(|pod| object::labels(pod).get(label) == Some(&value));
        pods
    }

    /// Sends pods of another version away that do not come up: the controller of a StatefulSet waits for them before it goes on, for
    /// ever (<https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#forced-rollback>). On the way forward only those
    /// that certainly will not, and not at once.
    async fn release(&mut self, pods: &[Value], label: &str, value: &str) {
        let now = self.place.runner.elapsed();
        if !self.is_way_back && now.saturating_sub(self.began) < self.grace {
            return;
        }
        for pod in pods {
            let is_ready = object::condition(pod, "Ready").is_some_and(|ready| ready.status == "True");
            let is_other = object::labels(pod).get(label).is_some_and(|of| of != value);
            let is_lost = self.is_way_back || pod::verdict(pod).trouble.is_certain();
            let uid = object::uid(pod);
            if !is_other || is_ready || !is_lost || object::is_leaving(pod) || self.gone.contains(uid) {
                continue;
            }
            let still = Still {
                uid: Some(uid),
                ..Still::default()
            };
            let name = object::name(pod);
            let shown = text::line(name);
            match self
                .place
                .api
                .delete(&Kind::pod(), &self.place.namespace, name, &still)
                .await
            {
                Ok(()) => {
                    let line = format!(
                        "deleted pod `{shown}` of another version, which does not come up and is waited for"
                    );
                    self.place.runner.info(&line);
                    self.gone.insert(uid.to_owned());
                }
                Err(refused) if refused.may_pass() => {}
                Err(refused) => {
                    self.place.runner.warn(&format!(
                        "the StatefulSet waits for pod `{shown}` of another version; delete it with `kubectl delete pod {shown}`: {refused}"
                    ));
                    self.gone.insert(uid.to_owned());
                }
            }
        }
    }
}

/// The revisions of a workload, the latest first.
///
/// # Errors
/// When they can't be read.
pub async fn revisions(
    named: &Workload,
    workload: &Value,
    place: &Place<'_>,
) -> Result<Vec<Revision>, Refused> {
    let selector = workload::selector(workload);
    let which = Which {
        labels: Some(&selector)
            .filter(|selector| !selector.is_empty())
            .map(String::as_str),
        ..Which::default()
    };
    let objects = place
        .api
        .list(&named.sort.history(), &place.namespace, &which)
        .await?;
    Ok(history::of(named.sort, workload, &objects))
}
