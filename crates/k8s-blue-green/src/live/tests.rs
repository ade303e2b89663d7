use proptest::prelude::proptest;
use serde_json::json;

use super::*;
use crate::fixture::{deployment, pod, replica_set, service};

fn message(error: &LiveError) -> String {
    assert!(!error.help().is_empty());
    error.to_string()
}

#[test]
fn the_live_deployment_is_found_by_who_owns_the_pods() {
    // Another Deployment has the same labels, and comes first by name: it owns none of the pods.
    let deployments = [
        deployment("a-twin", 3, &[("app", "web")]),
        deployment("web", 3, &[("app", "web")]),
    ];
    let sets = [replica_set("web-1a", "web"), replica_set("a-twin-2b", "a-twin")];
    let pods = [
        pod("web-1a-x", "web-1a", &[("app", "web")]),
        pod("web-1a-y", "web-1a", &[("app", "web")]),
    ];
    let live = of(&service(&[("app", "web")]), "color", &pods, &sets, &deployments).unwrap();
    assert_eq!((live.side.name(), live.side.uid()), ("web", "uid-web"));
    assert_eq!((live.side.pods.len(), live.side.ready, live.color), (2, 2, None));
    assert_eq!(live.hash(), Some("web-1a"));
    assert_eq!(live.next(), Color::Green);
    assert_eq!(
        object::written(&live.selector_of(Color::Green)),
        "app=web,color=green"
    );
}

#[test]
fn the_colour_is_the_selectors() {
    let labels = [("app", "web"), ("color", "green")];
    let deployments = [deployment("web-green", 1, &labels)];
    let sets = [replica_set("web-green-1", "web-green")];
    let pods = [pod("web-green-1-x", "web-green-1", &labels)];
    let live = of(&service(&labels), "color", &pods, &sets, &deployments).unwrap();
    assert_eq!((live.color, live.next()), (Some(Color::Green), Color::Blue));
    assert_eq!(object::written(&live.base()), "app=web");
    let others = [deployment("web-green", 1, &[("app", "web")])];
    let error = of(&service(&labels), "color", &pods, &sets, &others).unwrap_err();
    assert_eq!(
        message(&error),
        "service `web` selects `color=green`, but its deployment `web-green` does not give its pods that label"
    );
}

#[test]
fn what_leaves_or_has_finished_is_not_live() {
    let labels = [("app", "web")];
    let deployments = [deployment("web", 2, &labels), deployment("old", 0, &labels)];
    let sets = [replica_set("web-1", "web"), replica_set("old-1", "old")];
    let mut leaving = pod("old-1-x", "old-1", &labels);
    leaving["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
    let mut finished = pod("old-1-y", "old-1", &labels);
    finished["status"]["phase"] = "Failed".into();
    let pods = [pod("web-1-x", "web-1", &labels), leaving, finished];
    let live = of(&service(&labels), "color", &pods, &sets, &deployments).unwrap();
    assert_eq!((live.side.name(), live.side.pods.len()), ("web", 1));
    let error = of(&service(&labels), "color", &pods[1..], &sets, &deployments).unwrap_err();
    assert_eq!(
        message(&error),
        "nothing runs behind service `web`: no pod has the labels `app=web`; deployment `web` would, and wants 2 pods; \
         deployment `old` would, and wants 0 pods"
    );
}

#[test]
fn pods_of_others_are_named() {
    let labels = [("app", "web")];
    let deployments = [deployment("web", 1, &labels)];
    let mut rollout = replica_set("canary-1", "canary");
    rollout["metadata"]["ownerReferences"][0]["kind"] = "Rollout".into();
    let mut bare_set = replica_set("bare-1", "bare");
    bare_set["metadata"]["ownerReferences"] = json!([]);
    let sets = [
        replica_set("web-1", "web"),
        replica_set("lost-1", "lost"),
        rollout,
        bare_set,
    ];
    let mut bare = pod("debug", "", &labels);
    bare["metadata"]
        .as_object_mut()
        .unwrap()
        .remove("ownerReferences");
    let mut job = pod("task-x", "task", &labels);
    job["metadata"]["ownerReferences"][0]["kind"] = "Job".into();
    let pods = [
        pod("web-1-x", "web-1", &labels),
        bare,
        job,
        pod("canary-1-x", "canary-1", &labels),
        pod("bare-1-x", "bare-1", &labels),
        pod("lost-1-x", "lost-1", &labels),
        pod("gone-1-x", "gone-1", &labels),
    ];
    let error = of(&service(&labels), "color", &pods, &sets, &deployments).unwrap_err();
    assert_eq!(
        message(&error),
        "service `web` leads to pod `bare-1-x` of ReplicaSet `bare-1`, which no deployment owns, pod `canary-1-x` of \
         Rollout `canary`, pod `debug` of nobody, pod `gone-1-x` of ReplicaSet `gone-1`, which is gone, pod `lost-1-x` of \
         Deployment `lost`, which is gone, pod `task-x` of Job `task`, which a switch would cut off"
    );
}

#[test]
fn several_deployments_are_told_and_kept() {
    let labels = [("app", "web")];
    let deployments = [
        deployment("web-green", 1, &[("app", "web"), ("color", "green")]),
        deployment("web-blue", 1, &[("app", "web"), ("color", "blue")]),
    ];
    let sets = [
        replica_set("web-blue-1", "web-blue"),
        replica_set("web-green-1", "web-green"),
    ];
    let mut starting = pod("web-green-1-x", "web-green-1", &labels);
    starting["status"]["conditions"] = json!([]);
    let pods = [pod("web-blue-1-x", "web-blue-1", &labels), starting];
    let error = of(&service(&labels), "color", &pods, &sets, &deployments).unwrap_err();
    assert_eq!(
        message(&error),
        "service `web` leads to pods of several Deployments: `web-blue` (1 pods, 1 ready), `web-green` (1 pods, 0 ready)"
    );
    let LiveError::Several { sides, .. } = error else {
        panic!("several");
    };
    let colors: Vec<_> = sides.iter().map(|side| side.color("color")).collect();
    assert_eq!(colors, [Some(Color::Blue), Some(Color::Green)]);
}

#[test]
fn a_service_that_selects_nothing_itself_is_refused() {
    let mut external = service(&[("app", "web")]);
    external["spec"]["type"] = "ExternalName".into();
    let error = of(&external, "color", &[], &[], &[]).unwrap_err();
    assert!(matches!(error, LiveError::ExternalName(_)), "{error}");
    let error = of(&service(&[]), "color", &[], &[], &[]).unwrap_err();
    assert!(matches!(error, LiveError::NoSelector(_)), "{error}");
    let error = of(&service(&[("color", "red")]), "color", &[], &[], &[]).unwrap_err();
    assert!(message(&error).contains("`red`"), "{error}");
}

proptest! {
    #[test]
    fn nothing_foreign_panics(
        service in object::any_json(),
        pods in proptest::collection::vec(object::any_json(), 0..3),
        sets in proptest::collection::vec(object::any_json(), 0..3),
    ) {
        let _ = of(&service, "color", &pods, &sets, &sets);
        let _ = behind(&labels_at(&service, ""), &pods, &sets, &pods);
    }
}
