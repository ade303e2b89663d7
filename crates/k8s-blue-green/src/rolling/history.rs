//! The templates that a workload has had, as its ReplicaSets or ControllerRevisions hold them. Pure.

use gha::text;
use serde_json::Value;

use super::mark::Mark;
use crate::object;
use crate::workload::{Sort, Workload};

/// Where a Deployment and its ReplicaSets carry the number of their revision
/// (<https://kubernetes.io/docs/reference/labels-annotations-taints/#deployment-kubernetes-io-revision>).
const REVISION: &str = "deployment.kubernetes.io/revision";

/// The label by which a ReplicaSet tells its pods from those of the others.
const HASH: &str = "pod-template-hash";

/// The same for StatefulSets and DaemonSets.
const REVISION_HASH: &str = "controller-revision-hash";

/// A template that a workload had.
#[derive(Clone, Debug, PartialEq)]
pub struct Revision {
    /// Its number; the highest is the latest.
    pub number: u64,
    /// The name of the object that holds it.
    pub name: String,
    /// The template, without what its controller put into it.
    pub template: Value,
    /// The label, and its value, that its pods have.
    pub mark: (&'static str, String),
}

/// The revisions of a workload, the latest first, from objects of [`Sort::history`].
#[must_use]
pub fn of(sort: Sort, workload: &Value, objects: &[Value]) -> Vec<Revision> {
    let uid = object::uid(workload);
    let ours = objects
        .iter()
        .filter(|one| !uid.is_empty() && object::owner(one).is_some_and(|owner| owner.uid == uid));
    let mut found: Vec<Revision> = match sort {
        Sort::Deployment => ours.filter_map(of_replica_set).collect(),
        Sort::StatefulSet | Sort::DaemonSet => {
            ours.filter_map(|one| of_revision(sort, workload, one)).collect()
        }
    };
    found.sort_by_key(|revision| std::cmp::Reverse(revision.number));
    found
}

fn of_replica_set(set: &Value) -> Option<Revision> {
    let mut template = set.pointer("/spec/template")?.clone();
    if let Some(labels) = template
        .pointer_mut("/metadata/labels")
        .and_then(Value::as_object_mut)
    {
        labels.shift_remove(HASH);
    }
    Some(Revision {
        number: object::annotation(set, REVISION)?.parse().ok()?,
        name: object::name(set).to_owned(),
        template,
        mark: (HASH, object::labels(set).remove(HASH)?),
    })
}

fn of_revision(sort: Sort, workload: &Value, one: &Value) -> Option<Revision> {
    let mut template = one.pointer("/data/spec/template")?.clone();
    // It is kept as a strategic merge patch.
    template.as_object_mut()?.shift_remove("$patch");
    let name = object::name(one);
    // Pods of a StatefulSet have the whole name, those of a DaemonSet only what it ends in.
    let mark = match sort {
        Sort::DaemonSet => name
            .strip_prefix(&format!("{}-", object::name(workload)))
            .unwrap_or(name),
        _ => name,
    };
    Some(Revision {
        number: object::number(one, "/revision")?,
        name: name.to_owned(),
        template,
        mark: (REVISION_HASH, mark.to_owned()),
    })
}

/// Which of them the workload is at now, as far as its controller has seen its template.
#[must_use]
pub fn current<'a>(sort: Sort, workload: &Value, revisions: &'a [Revision]) -> Option<&'a Revision> {
    let observed = object::number(workload, "/status/observedGeneration");
    if observed < object::number(workload, "/metadata/generation") {
        return None;
    }
    match sort {
        Sort::Deployment => {
            let number = object::annotation(workload, REVISION)?.parse::<u64>().ok()?;
            revisions.iter().find(|revision| revision.number == number)
        }
        Sort::StatefulSet => {
            let name = object::text(workload, "/status/updateRevision");
            revisions.iter().find(|revision| revision.name == name)
        }
        Sort::DaemonSet => revisions.first(),
    }
}

/// Why there is nothing to go back to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoWay {
    /// Somebody holds it.
    #[error("{0} is paused: its pods would not follow")]
    Paused(String),
    /// No earlier one.
    #[error("{0} has no earlier revision: its history holds none (`revisionHistoryLimit` is {1})")]
    Nothing(String, u64),
    /// It has not been seen what it is at.
    #[error("which revision {0} is at is not known yet: its controller has not seen its last change")]
    Unseen(String),
}

/// The revision before the one that a workload is at: the one with the next lower number whose template is another, and that was
/// not taken back by an earlier deploy or rollback.
///
/// # Errors
/// When there is none, or going there would do nothing.
pub fn before<'a>(
    workload: &Value,
    revisions: &'a [Revision],
    named: &Workload,
) -> Result<&'a Revision, NoWay> {
    if is_paused(workload) {
        return Err(NoWay::Paused(format!("`{named}`")));
    }
    let current =
        current(named.sort, workload, revisions).ok_or_else(|| NoWay::Unseen(format!("`{named}`")))?;
    let limit = object::number(workload, "/spec/revisionHistoryLimit").unwrap_or(10);
    let left = Mark::on(workload).ok().flatten().map(|mark| mark.left);
    let left = left.unwrap_or_default();
    let earlier = revisions.iter().find(|one| {
        one.number < current.number && one.template != current.template && !left.contains(&one.name)
    });
    earlier.ok_or_else(|| NoWay::Nothing(format!("`{named}`"), limit))
}

/// Whether somebody holds its rollout.
#[must_use]
pub fn is_paused(workload: &Value) -> bool {
    workload.pointer("/spec/paused") == Some(&Value::Bool(true))
}

/// What a workload is at, for people and the output: `web@3`.
#[must_use]
pub fn written(name: &str, revision: Option<&Revision>) -> String {
    match revision {
        Some(revision) => format!("{}@{}", text::line(name), revision.number),
        None => text::line(name),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};
    use serde_json::json;

    use super::*;

    fn set(number: u64, hash: &str, image: &str) -> Value {
        json!({
            "metadata": {
                "name": format!("web-{hash}"), "labels": {"app": "web", "pod-template-hash": hash},
                "annotations": {REVISION: number.to_string()},
                "ownerReferences": [{"controller": true, "kind": "Deployment", "name": "web", "uid": "u"}],
            },
            "spec": {"template": {
                "metadata": {"labels": {"app": "web", "pod-template-hash": hash}},
                "spec": {"containers": [{"name": "web", "image": image}]},
            }},
        })
    }

    fn deployment(revision: u64) -> Value {
        json!({
            "kind": "Deployment",
            "metadata": {"name": "web", "uid": "u", "generation": 4, "annotations": {REVISION: revision.to_string()}},
            "spec": {"revisionHistoryLimit": 2}, "status": {"observedGeneration": 4},
        })
    }

    fn web() -> Workload {
        Workload::parse("deployment/web").unwrap()
    }

    #[test]
    fn the_one_before_has_the_next_lower_number_and_no_hash() {
        let sets = [set(1, "a", "x:1"), set(3, "c", "x:3"), set(2, "b", "x:2")];
        let revisions = of(Sort::Deployment, &deployment(3), &sets);
        let before = before(&deployment(3), &revisions, &web()).unwrap();
        assert_eq!((before.number, before.name.as_str()), (2, "web-b"));
        assert_eq!(before.template["metadata"]["labels"], json!({"app": "web"}));
        assert_eq!(before.mark, (HASH, "b".to_owned()));
    }

    #[test]
    fn there_is_no_way_without_one_or_into_a_pause() {
        let revisions = of(Sort::Deployment, &deployment(3), &[set(3, "c", "x:3")]);
        let none = before(&deployment(3), &revisions, &web()).unwrap_err();
        assert!(none.to_string().contains("`revisionHistoryLimit` is 2"), "{none}");
        let mut paused = deployment(3);
        paused["spec"]["paused"] = true.into();
        assert!(matches!(
            before(&paused, &revisions, &web()),
            Err(NoWay::Paused(_))
        ));
        let mut unseen = deployment(3);
        unseen["metadata"]["generation"] = 5.into();
        assert!(matches!(
            before(&unseen, &revisions, &web()),
            Err(NoWay::Unseen(_))
        ));
    }

    #[test]
    fn a_daemon_sets_pods_have_the_end_of_the_name() {
        let agent = json!({"metadata": {"name": "agent", "uid": "u"}});
        let revision = json!({
            "metadata": {"name": "agent-abc", "ownerReferences": [{"controller": true, "uid": "u"}]},
            "revision": 7, "data": {"spec": {"template": {"$patch": "replace", "spec": {}}}},
        });
        let found = of(Sort::DaemonSet, &agent, &[revision]);
        assert_eq!(found[0].mark, (REVISION_HASH, "abc".to_owned()));
        assert_eq!(found[0].template, json!({"spec": {}}));
    }

    proptest! {
        #[test]
        fn any_objects_are_read(text in any::<String>(), number in any::<i64>()) {
            let odd = json!({
                "metadata": {"name": text, "uid": text, "ownerReferences": [{"controller": true, "uid": text}]},
                "revision": number, "data": {"spec": {"template": text}}, "spec": {"template": number},
            });
            for sort in Sort::ALL {
                let revisions = of(sort, &odd, std::slice::from_ref(&odd));
                let _ = before(&odd, &revisions, &web());
            }
        }
    }
}
