use proptest::prelude::proptest;
use serde_json::json;

use super::*;
use crate::fixture::{deployment, pod, replica_set, service};
use crate::{live, object};

const APP: &[(&str, &str)] = &[("app", "web")];

struct World {
    deployment: Value,
    sets: Vec<Value>,
    pods: Vec<Value>,
}

fn world() -> World {
    let hashed = [("app", "web"), ("pod-template-hash", "web-1")];
    World {
        deployment: deployment("web", 2, APP),
        sets: vec![replica_set("web-1", "web")],
        pods: vec![pod("web-1-x", "web-1", &hashed), pod("web-1-y", "web-1", &hashed)],
    }
}

impl World {
    fn adopted(&self) -> Result<String, AdoptionError> {
        let deployments = [self.deployment.clone()];
        let live = live::of(&service(APP), "color", &self.pods, &self.sets, &deployments).unwrap();
        selector(&live, &self.pods, &self.sets).map(|labels| object::written(&labels))
    }
}

#[test]
fn the_selector_is_narrowed_to_the_revision_that_serves() {
    assert_eq!(
        world().adopted().as_deref(),
        Ok("app=web,pod-template-hash=web-1")
    );
}

#[test]
fn what_is_narrowed_stays() {
    let World {
        deployment,
        sets,
        pods,
    } = world();
    for labels in [
        &[("app", "web"), ("pod-template-hash", "web-1")][..],
        &[("app", "web"), ("color", "blue")],
    ] {
        let mut service = service(labels);
        service["spec"]["selector"] = json!(object::labels_at(&service, "/spec/selector"));
        let mut deployment = deployment.clone();
        deployment["spec"]["template"]["metadata"]["labels"]["color"] = "blue".into();
        let mut pods = pods.clone();
        for pod in &mut pods {
            pod["metadata"]["labels"]["color"] = "blue".into();
        }
        let live = live::of(&service, "color", &pods, &sets, &[deployment]).unwrap();
        assert!(is_done(&live));
        assert_eq!(selector(&live, &pods, &sets).as_ref(), Ok(&live.selector));
    }
}

#[test]
fn a_rollout_under_way_refuses_also_before_its_first_pod() {
    let mut two = world();
    two.sets.push(replica_set("web-2", "web"));
    two.pods.push(pod("web-2-x", "web-2", APP));
    let mut unseen = world();
    unseen.deployment["metadata"]["generation"] = json!(8);
    let mut none_updated = world();
    none_updated.deployment["status"]["updatedReplicas"] = json!(0);
    let mut newer = world();
    newer.deployment["metadata"]["annotations"] = json!({REVISION: "5"});
    newer.sets[0]["metadata"]["annotations"] = json!({REVISION: "4"});
    for (world, why) in [
        (two, "its pods are of 2 revisions"),
        (unseen, "the cluster has not taken up its last change"),
        (none_updated, "0 of 2 pods are updated"),
        (newer, "its pods are of revision 4 and its newest is 5"),
    ] {
        let error = world.adopted().expect_err(why).to_string();
        assert!(
            error.contains(why) && error.contains("rollout of deployment `web`"),
            "{error}"
        );
    }
}

#[test]
fn a_selector_that_leads_to_other_pods_is_refused() {
    let mut unlabelled = world();
    unlabelled.pods[1] = pod("web-1-y", "web-1", APP);
    let error = unlabelled.adopted().expect_err("fewer").to_string();
    assert_eq!(
        error,
        "service `web` would lead to other pods with `app=web,pod-template-hash=web-1` than it does: 2 before, 1 after"
    );
}

proptest! {
    #[test]
    fn nothing_foreign_panics(deployment in object::any_json(), sets in proptest::collection::vec(object::any_json(), 0..3)) {
        let mut world = world();
        let live = live::of(&service(APP), "color", &world.pods, &world.sets, &[world.deployment.take()]).unwrap();
        let mut live = live;
        live.side.deployment = deployment;
        let _ = selector(&live, &world.pods, &sets);
        let _ = selector(&live, &sets, &world.sets);
    }
}
