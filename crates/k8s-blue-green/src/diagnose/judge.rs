//! What the objects around a workload say together: what is wrong, the worst first. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use gha::text;
use jiff::Timestamp;
use serde_json::Value;

use super::collect::Facts;
use super::pod::{self, Trouble, Verdict};
use super::tail::Tail;
use crate::object;

/// How old an event may be to be shown.
const RECENT: Duration = Duration::from_secs(60 * 60);

/// How much is quoted of an event.
const QUOTED: usize = 300;

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// A line for each workload.
    pub workloads: Vec<String>,
    /// Why a workload's pods can't be made at all.
    pub blocked: Vec<String>,
    /// The pods, the worst first.
    pub pods: Vec<Verdict>,
    /// What was noticed, one of each kind.
    pub events: Vec<Noticed>,
    /// Last lines of containers.
    pub tails: Vec<Tail>,
    /// A line for each Service: what it selects, and what it leads to.
    pub services: Vec<String>,
    /// Autoscalers, disruption budgets and quotas, as far as they have a say.
    pub others: Vec<String>,
    /// What could not be read.
    pub missing: Vec<String>,
}

/// Events of one reason about one kind of object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Noticed {
    /// What it was about: `Pod web-1`, the one of the latest.
    pub about: String,
    /// The unique id of that.
    pub uid: String,
    /// The word for it.
    pub reason: String,
    /// The latest words, inert.
    pub message: String,
    /// How often.
    pub count: u64,
    /// How long ago it was last.
    pub age: Option<Duration>,
}

/// What the facts say at a time.
#[must_use]
pub fn findings(facts: &Facts, now: Timestamp) -> Findings {
    let mut pods: Vec<Verdict> = facts.pods.iter().map(pod::verdict).collect();
    pods.sort_by(|one, other| (one.trouble, &one.pod).cmp(&(other.trouble, &other.pod)));
    let slices = |service: &Value| -> Vec<&Value> {
        let name = object::name(service);
        let is_its = |slice: &&Value| {
            object::labels(slice)
                .get("kubernetes.io/service-name")
                .is_some_and(|of| of == name)
        };
        facts.slices.iter().filter(is_its).collect()
    };
    Findings {
        workloads: facts.workloads.iter().map(workload).collect(),
        blocked: facts.workloads.iter().filter_map(blocked).collect(),
        events: noticed(&facts.events, now),
        tails: facts.tails.clone(),
        services: facts
            .services
            .iter()
            .map(|service| leads(service, &slices(service)))
            .collect(),
        others: others(facts, &pods),
        missing: facts.missing.clone(),
        pods,
    }
}

fn workload(workload: &Value) -> String {
    let count = |pointers: &[&str]| {
        let found = pointers
            .iter()
            .find_map(|pointer| object::number(workload, pointer));
        found.unwrap_or_default()
    };
    let mut line = format!(
        "{} `{}`: {} wanted, {} updated, {} ready, {} available",
        text::line(object::text(workload, "/kind")),
        text::line(object::name(workload)),
        count(&["/spec/replicas", "/status/desiredNumberScheduled"]),
        count(&["/status/updatedReplicas", "/status/updatedNumberScheduled"]),
        count(&["/status/readyReplicas", "/status/numberReady"]),
        count(&["/status/availableReplicas", "/status/numberAvailable"]),
    );
    for kind in ["Progressing", "Available", "ReplicaFailure"] {
        let Some(condition) = object::condition(workload, kind) else {
            continue;
        };
        if (condition.status == "True") == (kind == "ReplicaFailure") {
            let why = text::cut(&text::line(condition.message), QUOTED);
            line.push_str(&format!(
                "; {kind}={} {}: {why}",
                text::line(condition.status),
                text::line(condition.reason)
            ));
        }
    }
    line
}

fn blocked(workload: &Value) -> Option<String> {
    let failure = object::condition(workload, "ReplicaFailure").filter(|found| found.status == "True")?;
    let (kind, name) = (object::text(workload, "/kind"), object::name(workload));
    Some(format!(
        "pods of {} `{}` can't be created: {}",
        text::line(kind),
        text::line(name),
        text::cut(&text::line(failure.message), QUOTED)
    ))
}

/// Warnings, one for each reason and kind of object, with how often; those of pods of this look first in time.
fn noticed(events: &[Value], now: Timestamp) -> Vec<Noticed> {
    let mut found: BTreeMap<(String, String), Noticed> = BTreeMap::new();
    for event in events.iter().filter(|event| event["type"] == "Warning") {
        let age = when(event).map(|at| Duration::try_from(now.duration_since(at)).unwrap_or_default());
        if age.is_some_and(|age| age > RECENT) {
            continue;
        }
        let kind = text::line(object::text(event, "/involvedObject/kind"));
        let reason = text::cut(&text::line(object::text(event, "/reason")), 60);
        let count = object::number(event, "/series/count").or_else(|| object::number(event, "/count"));
        let count = count.unwrap_or(1).max(1);
        let name = text::line(object::text(event, "/involvedObject/name"));
        let next = Noticed {
            about: format!("{kind} {name}"),
            uid: object::text(event, "/involvedObject/uid").to_owned(),
            reason: reason.clone(),
            message: text::cut(&text::line(object::text(event, "/message").trim()), QUOTED),
            count,
            age,
        };
        let slot = found.entry((kind, reason)).or_insert_with(|| Noticed {
            count: 0,
            ..next.clone()
        });
        let total = slot.count.saturating_add(count);
        // "Error: ImagePullBackOff" says less than the words before it.
        let says_more = next.message.len() > slot.message.len() || slot.message.starts_with("Error: ");
        let (about, uid, message) = if says_more && !next.message.starts_with("Error: ") {
            (next.about, next.uid, next.message)
        } else {
            (slot.about.clone(), slot.uid.clone(), slot.message.clone())
        };
        *slot = Noticed {
            about,
            uid,
            message,
            count: total,
            age: slot.age.into_iter().chain(next.age).min(),
            reason: next.reason,
        };
    }
    let mut found: Vec<Noticed> = found.into_values().collect();
    found.sort_by_key(|one| (one.age.unwrap_or(RECENT), one.reason.clone()));
    found
}

/// When an event was last, by whichever of its fields is set.
fn when(event: &Value) -> Option<Timestamp> {
    [
        "/series/lastObservedTime",
        "/lastTimestamp",
        "/eventTime",
        "/metadata/creationTimestamp",
    ]
    .iter()
    .find_map(|pointer| object::text(event, pointer).parse().ok())
}

fn leads(service: &Value, slices: &[&Value]) -> String {
    let selector = object::labels_at(service, "/spec/selector");
    let endpoints = slices
        .iter()
        .flat_map(|slice| object::entries(slice, "/endpoints"));
    let (mut ready, mut unready) = (0_usize, 0_usize);
    for endpoint in endpoints {
        // Not known is ready: https://kubernetes.io/docs/reference/kubernetes-api/service-resources/endpoint-slice-v1/
        if endpoint.pointer("/conditions/ready") == Some(&Value::Bool(false)) {
            unready += 1;
        } else {
            ready += 1;
        }
    }
    format!(
        "Service `{}` selects `{}`: {ready} ready endpoints, {unready} not ready",
        text::line(object::name(service)),
        text::line(&object::written(&selector))
    )
}

fn others(facts: &Facts, pods: &[Verdict]) -> Vec<String> {
    let mut lines = Vec::new();
    for scaler in &facts.scalers {
        let count = |pointer: &str| object::number(scaler, pointer).unwrap_or_default();
        let mut line = format!(
            "autoscaler `{}` of {} `{}`: {} to {} pods, now {}",
            text::line(object::name(scaler)),
            text::line(object::text(scaler, "/spec/scaleTargetRef/kind")),
            text::line(object::text(scaler, "/spec/scaleTargetRef/name")),
            object::number(scaler, "/spec/minReplicas").unwrap_or(1),
            count("/spec/maxReplicas"),
            count("/status/currentReplicas"),
        );
        if let Some(active) =
            object::condition(scaler, "ScalingActive").filter(|found| found.status == "False")
        {
            line.push_str(&format!(
                ", not scaling: {}",
                text::cut(&text::line(active.message), QUOTED)
            ));
        }
        lines.push(line);
    }
    for budget in &facts.budgets {
        if object::number(budget, "/status/disruptionsAllowed") == Some(0) {
            lines.push(format!(
                "disruption budget `{}` allows no eviction now: {} of {} pods are healthy",
                text::line(object::name(budget)),
                object::number(budget, "/status/currentHealthy").unwrap_or_default(),
                object::number(budget, "/status/expectedPods").unwrap_or_default(),
            ));
        }
    }
    let is_short = facts.workloads.iter().any(|one| blocked(one).is_some()) || pods.is_empty();
    for quota in facts.quotas.iter().filter(|_| is_short) {
        let hard = quota.pointer("/status/hard").and_then(Value::as_object);
        let used = hard.into_iter().flatten().map(|(name, hard)| {
            let used = quota
                .pointer("/status/used")
                .and_then(|used| used.get(name)?.as_str());
            format!(
                "{} {} of {}",
                text::line(name),
                text::line(used.unwrap_or("?")),
                text::line(hard.as_str().unwrap_or("?"))
            )
        });
        let used: Vec<String> = used.take(10).collect();
        lines.push(format!(
            "quota `{}`: {}",
            text::line(object::name(quota)),
            used.join(", ")
        ));
    }
    lines
}

impl Findings {
    /// The pods that something is wrong with.
    pub fn troubled(&self) -> impl Iterator<Item = &Verdict> {
        self.pods.iter().filter(|pod| pod.trouble < Trouble::Starting)
    }

    /// The one line that says why, for a headline.
    #[must_use]
    pub fn cause(&self) -> Option<String> {
        if let Some(worst) = self.troubled().next() {
            let pulled = self.why_not_pulled(worst);
            let why = pulled.as_ref().unwrap_or(worst).why();
            return Some(format!("pod `{}`: {why}{}", worst.pod, self.hint(worst)));
        }
        if let Some(blocked) = self.blocked.first() {
            return Some(blocked.clone());
        }
        // Who makes pods without a condition to say so in says it in an event.
        let failed = self.events.iter().find(|event| event.reason == "FailedCreate");
        let stuck = self
            .pods
            .iter()
            .find(|pod| pod.trouble == Trouble::Starting)
            .and_then(|starting| {
                let events = self.events.iter().filter(|event| event.uid == starting.uid);
                let mut failing = events.filter(|event| event.reason.starts_with("Failed"));
                Some(format!("pod `{}`: {}", starting.pod, failing.next()?.message))
            });
        failed
            .map(|event| format!("{}: {}", event.about, event.message))
            .or(stuck)
    }

    /// The verdict on an image with the registry's words: once a node only backs off, they are in an event.
    fn why_not_pulled(&self, pod: &Verdict) -> Option<Verdict> {
        let backs_off = pod.message.is_empty() || pod.message.starts_with("Back-off");
        let events = self.events.iter().filter(|event| event.uid == pod.uid);
        let mut failed =
            events.filter(|event| event.reason == "Failed" && event.message.starts_with("Failed to pull"));
        let said = failed
            .next()
            .filter(|_| pod.trouble == Trouble::Image && backs_off)?;
        // Which image it is has been said.
        let words = said
            .message
            .split_once("\": ")
            .map_or(said.message.as_str(), |(_, words)| words);
        Some(Verdict {
            message: words.to_owned(),
            ..pod.clone()
        })
    }

    /// What else is known of why: what the kubelet noticed, or the container's own last words.
    fn hint(&self, pod: &Verdict) -> String {
        let of_pod = |reason: &str| {
            self.events
                .iter()
                .find(|event| event.reason == reason && event.uid == pod.uid)
        };
        match pod.trouble {
            Trouble::Unready => of_pod("Unhealthy")
                .map(|event| format!(": {}", event.message))
                .unwrap_or_default(),
            Trouble::Crash | Trouble::Restarted => {
                let its =
                    |tail: &&Tail| tail.pod == pod.pod && Some(&tail.container) == pod.container.as_ref();
                let tail = self.tails.iter().filter(its).min_by_key(|tail| !tail.previous);
                let last = tail.and_then(|tail| tail.lines.iter().rev().find(|line| !line.trim().is_empty()));
                last.map(|line| format!("; its last line: {}", text::cut(&text::line(line.trim()), QUOTED)))
                    .unwrap_or_default()
            }
            _ => String::new(),
        }
    }
}

#[cfg(test)]
mod tests;
