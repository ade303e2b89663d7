//! Reads what a diagnosis needs: bounded in calls, bytes and time. What may not be read makes it shorter, and is told once.

use std::collections::BTreeSet;
use std::time::Duration;

use gha::text;
use serde_json::Value;
use tokio::time::timeout;

use super::pod::{self, Trouble};
use super::tail::Tail;
use crate::api::{Kind, Refused, Which};
use crate::object;
use crate::place::Place;
use crate::workload::{self, Sort};

/// The longest that all of it may take; what has come by then is what there is.
const LIMIT: Duration = Duration::from_secs(20);

/// How many pods' events and logs are read, of the worst.
const PODS: usize = 3;

/// How many containers' logs are read of each.
const CONTAINERS: usize = 3;

/// How many ReplicaSets' events are read, of the latest.
const SETS: usize = 2;

/// How many events are kept of one object.
const EVENTS: usize = 100;

/// The last lines of a container that are read.
const LINES: usize = 50;

/// The most bytes of them.
const BYTES: usize = 16 * 1024;

/// What a diagnosis is about.
#[derive(Clone, Debug, Default)]
pub struct About {
    /// Workloads, by kind and name.
    pub workloads: Vec<(Kind, String)>,
    /// Services, by name. What they lead to belongs to it.
    pub services: Vec<String>,
}

/// What was read.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The workloads.
    pub workloads: Vec<Value>,
    /// Their ReplicaSets.
    pub sets: Vec<Value>,
    /// Their pods, and those behind the Services.
    pub pods: Vec<Value>,
    /// Events about these.
    pub events: Vec<Value>,
    /// Last lines of the worst pods' containers.
    pub tails: Vec<Tail>,
    /// The Services.
    pub services: Vec<Value>,
    /// What they lead to.
    pub slices: Vec<Value>,
    /// Autoscalers of the workloads.
    pub scalers: Vec<Value>,
    /// Disruption budgets that select their pods.
    pub budgets: Vec<Value>,
    /// Quotas of the namespace.
    pub quotas: Vec<Value>,
    /// What could not be read, and why.
    pub missing: Vec<String>,
    /// Whether nothing could be read because the credentials were refused or the server did not answer.
    pub refused: Option<Refused>,
}

/// Reads what there is.
pub async fn collect(place: &Place<'_>, about: &About) -> Facts {
    let mut facts = Facts::default();
    let mut reader = Reader {
        place,
        denied: BTreeSet::new(),
    };
    if timeout(LIMIT, reader.all(about, &mut facts)).await.is_err() {
        facts
            .missing
            .push(format!("what did not come within {} s", LIMIT.as_secs()));
    }
    facts
}

struct Reader<'a> {
    place: &'a Place<'a>,
    /// Kinds that may not be read: they are asked for once.
    denied: BTreeSet<String>,
}

impl Reader<'_> {
    async fn all(&mut self, about: &About, facts: &mut Facts) {
        for name in &about.services {
            if let Some(service) = self.get(&Kind::service(), name, facts).await {
                facts.services.push(service);
            }
        }
        for (kind, name) in &about.workloads {
            if let Some(found) = self.get(kind, name, facts).await {
                facts.workloads.push(found);
            }
        }
        self.pods(facts).await;
        // The log is what is wanted most; events say the rest.
        self.tails(facts).await;
        self.events(facts).await;
        for service in &about.services {
            let labels = format!("kubernetes.io/service-name={service}");
            let slices = self
                .list(&Kind::endpoint_slice(), Some(&labels), None, facts)
                .await;
            facts.slices.extend(slices);
        }
        self.around(facts).await;
    }

    /// The pods of the workloads and of the Services; where only Services were named, the workloads that their pods belong to.
    async fn pods(&mut self, facts: &mut Facts) {
        let mut selectors: Vec<String> = facts.workloads.iter().map(workload::selector).collect();
        let services = facts
            .services
            .iter()
            .map(|service| object::labels_at(service, "/spec/selector"));
        selectors.extend(services.map(|labels| object::written(&labels)));
        let mut seen = BTreeSet::new();
        for selector in selectors.into_iter().filter(|selector| !selector.is_empty()) {
            for pod in self.list(&Kind::pod(), Some(&selector), None, facts).await {
                if seen.insert(object::uid(&pod).to_owned()) {
                    facts.pods.push(pod);
                }
            }
        }
        let owners: BTreeSet<(String, String)> = facts
            .pods
            .iter()
            .filter_map(object::owner)
            .map(|owner| (owner.kind, owner.name))
            .collect();
        for (kind, name) in owners {
            self.owner(&kind, &name, facts).await;
        }
        let own: BTreeSet<&str> = facts.workloads.iter().map(object::uid).collect();
        let selectors: Vec<String> = facts
            .workloads
            .iter()
            .filter(|one| one["kind"] == "Deployment")
            .map(workload::selector)
            .filter(|selector| !selector.is_empty())
            .collect();
        let own: BTreeSet<String> = own.into_iter().map(str::to_owned).collect();
        let mut sets: Vec<Value> = Vec::new();
        for selector in selectors {
            sets.extend(
                self.list(&Kind::replica_set(), Some(&selector), None, facts)
                    .await,
            );
        }
        sets.retain(|set| object::owner(set).is_some_and(|owner| own.contains(&owner.uid)));
        sets.sort_by_key(|set| std::cmp::Reverse(revision(set)));
        facts.sets = sets;
    }

    /// Reads the workload that a pod's owner is, or belongs to.
    async fn owner(&mut self, kind: &str, name: &str, facts: &mut Facts) {
        let (sort, name) = if kind == "ReplicaSet" {
            let Some(set) = self.get(&Kind::replica_set(), name, facts).await else {
                return;
            };
            let Some(owner) = object::owner(&set).filter(|owner| owner.kind == "Deployment") else {
                return;
            };
            (Sort::Deployment, owner.name)
        } else {
            let Some(sort) = Sort::of_kind(kind) else { return };
            (sort, name.to_owned())
        };
        let known = |one: &Value| one["kind"] == sort.kind().kind && object::name(one) == name;
        if facts.workloads.iter().any(known) {
            return;
        }
        if let Some(found) = self.get(&sort.kind(), &name, facts).await {
            facts.workloads.push(found);
        }
    }

    async fn tails(&mut self, facts: &mut Facts) {
        for pod in worst(&facts.pods) {
            let statuses = ["/status/initContainerStatuses", "/status/containerStatuses"];
            let statuses = statuses.iter().flat_map(|pointer| object::entries(&pod, pointer));
            let sick = statuses.filter(|status| {
                let has_run = status.pointer("/state/waiting").is_none()
                    || object::number(status, "/restartCount").unwrap_or_default() > 0;
                let is_over = status
                    .pointer("/state/terminated/exitCode")
                    .and_then(Value::as_i64)
                    == Some(0);
                status["ready"] != true && !is_over && has_run
            });
            for status in sick.take(CONTAINERS) {
                let restarts = object::number(status, "/restartCount").unwrap_or_default();
                self.tail(
                    object::name(&pod),
                    object::text(status, "/name"),
                    restarts > 0,
                    facts,
                )
                .await;
            }
        }
    }

    async fn tail(&mut self, pod: &str, container: &str, previous: bool, facts: &mut Facts) {
        if self.denied.contains("logs") {
            return;
        }
        let name = percent_encoding::utf8_percent_encode(container, percent_encoding::NON_ALPHANUMERIC);
        let mut path = format!(
            "{}/log?container={name}&tailLines={LINES}&limitBytes={BYTES}",
            Kind::pod().address(&self.place.namespace, pod)
        );
        if previous {
            path.push_str("&previous=true");
        }
        let call = format!("read the log of pod `{}`", text::line(pod));
        match self.place.api.read_bytes(&call, &path).await {
            Ok(bytes) => {
                let bytes = &bytes[..bytes.len().min(BYTES)];
                // Before anything is cut: half a secret would not be known.
                let shown = self.place.runner.hide(&String::from_utf8_lossy(bytes));
                let lines: Vec<String> = shown.lines().map(str::to_owned).collect();
                if !lines.is_empty() {
                    facts.tails.push(Tail {
                        pod: text::line(pod),
                        container: text::line(container),
                        previous,
                        lines: lines[lines.len().saturating_sub(LINES)..].to_vec(),
                    });
                }
            }
            // The run before may be gone from the node.
            Err(refused) if refused.status == Some(400) && previous => {
                Box::pin(self.tail(pod, container, false, facts)).await;
            }
            Err(refused) if refused.status == Some(400) || refused.is_missing() => {}
            Err(refused) => {
                self.denied.insert("logs".to_owned());
                facts.missing.push(format!("logs: {refused}"));
            }
        }
    }

    async fn events(&mut self, facts: &mut Facts) {
        let pods = worst(&facts.pods);
        let uids: Vec<String> = facts
            .workloads
            .iter()
            .chain(facts.sets.iter().take(SETS))
            .chain(&pods)
            .map(|one| object::uid(one).to_owned())
            .filter(|uid| !uid.is_empty())
            .collect();
        for uid in uids {
            let fields = format!("involvedObject.uid={uid}");
            let mut events = self.list(&Kind::event(), None, Some(&fields), facts).await;
            events.truncate(EVENTS);
            facts.events.extend(events);
        }
    }

    /// What has a say in how many pods there are.
    async fn around(&mut self, facts: &mut Facts) {
        let is_of = |scaler: &Value, facts: &Facts| {
            let target = (
                object::text(scaler, "/spec/scaleTargetRef/kind"),
                object::text(scaler, "/spec/scaleTargetRef/name"),
            );
            let mut all = facts.workloads.iter();
            all.any(|one| (object::text(one, "/kind"), object::name(one)) == target)
        };
        let mut scalers = self.list(&Kind::autoscaler(), None, None, facts).await;
        scalers.retain(|scaler| is_of(scaler, facts));
        facts.scalers = scalers;
        let mut budgets = self.list(&Kind::disruption_budget(), None, None, facts).await;
        budgets.retain(|budget| {
            let selector = object::labels_at(budget, "/spec/selector/matchLabels");
            facts
                .pods
                .iter()
                .any(|pod| object::selects(&selector, &object::labels(pod)))
        });
        facts.budgets = budgets;
        facts.quotas = self.list(&Kind::resource_quota(), None, None, facts).await;
    }

    async fn get(&mut self, kind: &Kind, name: &str, facts: &mut Facts) -> Option<Value> {
        if self.denied.contains(&kind.kind) {
            return None;
        }
        match self.place.api.get(kind, &self.place.namespace, name).await {
            Ok(Some(mut found)) => {
                // Objects that come alone say what they are; those of lists do not.
                name_kind(&mut found, kind);
                Some(found)
            }
            Ok(None) => {
                facts
                    .missing
                    .push(format!("{} `{}`: there is none", kind.kind, text::line(name)));
                None
            }
            Err(refused) => {
                self.deny(kind, refused, facts);
                None
            }
        }
    }

    async fn list(
        &mut self,
        kind: &Kind,
        labels: Option<&str>,
        fields: Option<&str>,
        facts: &mut Facts,
    ) -> Vec<Value> {
        if self.denied.contains(&kind.kind) {
            return Vec::new();
        }
        let which = Which { labels, fields };
        match self.place.api.list(kind, &self.place.namespace, &which).await {
            Ok(mut found) => {
                found.iter_mut().for_each(|one| name_kind(one, kind));
                found
            }
            Err(refused) => {
                self.deny(kind, refused, facts);
                Vec::new()
            }
        }
    }

    fn deny(&mut self, kind: &Kind, refused: Refused, facts: &mut Facts) {
        self.denied.insert(kind.kind.clone());
        facts.missing.push(format!("{}: {refused}", kind.plural));
        facts.refused.get_or_insert(refused);
    }
}

/// The pods that something is wrong with, the worst first, so many as are looked at.
fn worst(pods: &[Value]) -> Vec<Value> {
    let mut sick: Vec<(Trouble, &Value)> = pods
        .iter()
        .map(|pod| (pod::verdict(pod).trouble, pod))
        .filter(|(trouble, _)| *trouble < Trouble::Leaving)
        .collect();
    sick.sort_by_key(|(trouble, pod)| (*trouble, object::name(pod)));
    sick.into_iter().take(PODS).map(|(_, pod)| pod.clone()).collect()
}

fn revision(set: &Value) -> u64 {
    let number = object::annotation(set, "deployment.kubernetes.io/revision");
    number.and_then(|number| number.parse().ok()).unwrap_or_default()
}

fn name_kind(object: &mut Value, kind: &Kind) {
    if let Some(fields) = object.as_object_mut() {
        fields.entry("kind").or_insert_with(|| kind.kind.clone().into());
        fields
            .entry("apiVersion")
            .or_insert_with(|| kind.api_version().into());
    }
}
