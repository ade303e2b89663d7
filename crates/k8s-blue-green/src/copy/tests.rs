use proptest::prelude::{Just, proptest};
use serde_json::json;

use super::*;
use crate::fixture::{self, deployment, labels};
use crate::object::any_json;

fn made(from: &Value, color: Color) -> Result<Value, CopyError> {
    let (base, marks) = (labels(&[("app", "web")]), labels(&[("deploy-actions/run", "7")]));
    let make = Make {
        name: &crate::color::name(object::name(from), color),
        label: "color",
        color,
        base: &base,
        replicas: 5,
        marks: &marks,
    };
    of(from, &make)
}

/// A live Deployment with much that must stay and much that must go.
fn live() -> Value {
    let mut live = deployment(
        "web-blue",
        3,
        &[("app", "web"), ("color", "blue"), ("tier", "front")],
    );
    live["metadata"]["labels"] = json!({
        "app": "web", "color": "blue", "app.kubernetes.io/managed-by": "Helm", "app.kubernetes.io/instance": "shop",
        "kustomize.toolkit.fluxcd.io/name": "shop",
    });
    live["metadata"]["annotations"] = json!({
        "team": "shop", "deployment.kubernetes.io/revision": "4", "meta.helm.sh/release-name": "shop",
        "kubectl.kubernetes.io/last-applied-configuration": "{}", "argocd.argoproj.io/tracking-id": "x",
        "deploy-actions/delete-after": "2026-01-01T00:00:00Z", "deploy-actions/run": "6",
    });
    live["metadata"]["finalizers"] = json!(["x"]);
    live["metadata"]["resourceVersion"] = json!("9");
    live["metadata"]["ownerReferences"] = json!([{"kind": "X"}]);
    live["spec"]["paused"] = json!(true);
    live["spec"]["progressDeadlineSeconds"] = json!(77);
    live["spec"]["newField"] = json!({"of": ["a", "later", "release"]});
    live["spec"]["template"]["spec"]["topologySpreadConstraints"] = json!([
        {"maxSkew": 1, "labelSelector": {"matchLabels": {"app": "web", "color": "blue"}}},
        {"maxSkew": 1, "labelSelector": {"matchLabels": {"app": "web"}}},
    ]);
    let unlike = json!({"key": "color", "operator": "In", "values": ["green"]});
    live["spec"]["template"]["spec"]["affinity"] = json!({"podAntiAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": [
            {"topologyKey": "zone", "labelSelector": {"matchLabels": {"app": "web"}, "matchExpressions": [unlike]}},
            {"topologyKey": "zone", "labelSelector": {"matchLabels": {"app": "paint", "color": "blue"}}},
        ],
        "preferredDuringSchedulingIgnoredDuringExecution": [
            {"weight": 1, "podAffinityTerm": {"labelSelector": {"matchLabels": {"color": "blue"}}}},
        ],
    }});
    live
}

#[test]
fn the_copy_is_the_live_one_but_for_its_colour_and_whose_it_is() {
    let copy = made(&live(), Color::Green).unwrap();
    let mut template = live()["spec"]["template"].take();
    template["metadata"]["labels"]["color"] = "green".into();
    template["spec"]["topologySpreadConstraints"][0]["labelSelector"]["matchLabels"]["color"] =
        "green".into();
    let terms = &mut template["spec"]["affinity"]["podAntiAffinity"];
    let own = &mut terms["requiredDuringSchedulingIgnoredDuringExecution"][0]["labelSelector"];
    own["matchExpressions"][0]["values"][0] = "blue".into();
    terms["preferredDuringSchedulingIgnoredDuringExecution"][0]["podAffinityTerm"]["labelSelector"]["matchLabels"]
        ["color"] = "green".into();
    let expected = json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {
            "name": "web-green", "namespace": "shop",
            "labels": {
                "app": "web", "color": "green", "app.kubernetes.io/managed-by": "Helm", "app.kubernetes.io/instance": "shop",
            },
            "annotations": {"team": "shop", "deploy-actions/run": "7"},
        },
        "spec": {
            "replicas": 5, "progressDeadlineSeconds": 77, "newField": {"of": ["a", "later", "release"]},
            "selector": {"matchLabels": {"app": "web", "color": "green", "tier": "front"}},
            "template": template,
        },
    });
    assert_eq!(copy, expected);
}

#[test]
fn what_argo_cd_tracks_by_a_label_is_copied_without_it() {
    let mut tracked = live();
    tracked["metadata"]["managedFields"] = json!([{"manager": "argocd-controller"}]);
    let copy = made(&tracked, Color::Green).unwrap();
    assert_eq!(copy["metadata"]["labels"].get("app.kubernetes.io/instance"), None);
}

#[test]
fn a_deployment_without_colour_gets_one_in_its_selector_too() {
    let mut plain = deployment("web", 3, &[("app", "web")]);
    plain["spec"]["template"]["metadata"]["labels"]["pod-template-hash"] = "1".into();
    let copy = made(&plain, Color::Green).unwrap();
    let colored = json!({"app": "web", "color": "green"});
    assert_eq!(copy["spec"]["selector"], json!({"matchLabels": colored}));
    assert_eq!(copy["spec"]["template"]["metadata"]["labels"], colored);
    assert_eq!(copy["metadata"]["name"], "web-green");
}

#[test]
fn what_the_service_would_not_lead_to_is_refused() {
    let other = deployment("shop", 3, &[("app", "shop")]);
    let error = made(&other, Color::Green).expect_err("unselected").to_string();
    assert_eq!(
        error,
        "the pods of deployment `shop` lack `app=web`, by which the service selects its pods"
    );
    let mut set = deployment("db", 1, &[("app", "web")]);
    set["kind"] = "StatefulSet".into();
    let error = made(&set, Color::Green).expect_err("kind").to_string();
    assert_eq!(error, "StatefulSet `db` is no deployment with a pod template");
}

#[test]
fn the_same_pods_are_the_same_in_either_colour() {
    for live in [live(), deployment("web", 1, &[("app", "web"), ("tier", "front")])] {
        let green = made(&live, Color::Green).unwrap();
        assert!(same(&live, &green, "color"));
        assert!(same(&made(&green, Color::Blue).unwrap(), &live, "color"));
        let mut restarted = live.clone();
        let when = json!({"kubectl.kubernetes.io/restartedAt": "2026-01-01T00:00:00Z"});
        restarted["spec"]["template"]["metadata"]["annotations"] = when;
        assert!(same(&restarted, &green, "color"));
        let mut other = green.clone();
        other["spec"]["template"]["spec"]["containers"][0]["image"] = "registry.example.com/web:2".into();
        assert!(!same(&live, &other, "color"));
        let mut noted = green;
        noted["spec"]["template"]["metadata"]["annotations"] = json!({"config": "2"});
        assert!(!same(&live, &noted, "color"));
    }
}

#[test]
fn the_preview_has_the_ports_and_nothing_that_belongs_to_the_live_one() {
    let mut service = fixture::service(&[("app", "web"), ("color", "blue")]);
    service["metadata"]["labels"] = json!({"app": "web"});
    service["metadata"]["annotations"] = json!({"cloud.google.com/neg": "{}"});
    service["spec"]["type"] = "LoadBalancer".into();
    service["spec"]["ports"][0]["nodePort"] = json!(30_080);
    service["spec"]["externalTrafficPolicy"] = "Local".into();
    service["spec"]["publishNotReadyAddresses"] = json!(true);
    let selector = labels(&[("app", "web"), ("color", "green")]);
    let preview = preview_service(
        &service,
        &selector,
        "web-preview",
        &labels(&[("deploy-actions/run", "7")]),
    );
    assert_eq!(
        preview,
        json!({
            "apiVersion": "v1", "kind": "Service",
            "metadata": {"name": "web-preview", "namespace": "shop", "annotations": {"deploy-actions/run": "7"}},
            "spec": {
                "type": "ClusterIP", "selector": {"app": "web", "color": "green"}, "ipFamilies": ["IPv4"],
                "ipFamilyPolicy": "SingleStack",
                "ports": [{"name": "web", "port": 80, "targetPort": "http", "protocol": "TCP"}],
            },
        })
    );
    service["spec"]["ports"] = json!([]);
    let headless = preview_service(&service, &selector, "web-preview", &Labels::new());
    assert_eq!(headless["spec"]["clusterIP"], "None");
}

proptest! {
    #[test]
    fn neither_colour_selects_the_others_pods(kind in Just("Deployment"), spec in any_json()) {
        let mut from = json!({"kind": kind, "metadata": {"name": "web"}, "spec": {"template": spec}});
        let template = &mut from["spec"]["template"];
        if template.is_object() {
            template["metadata"] = json!({"labels": {"app": "web"}});
            let green = made(&from, Color::Green).unwrap();
            let blue = made(&green, Color::Blue).unwrap();
            for (one, other) in [(&blue, &green), (&green, &blue)] {
                let selector = labels_at(one, "/spec/selector/matchLabels");
                assert!(object::selects(&selector, &labels_at(one, "/spec/template/metadata/labels")));
                assert!(!object::selects(&selector, &labels_at(other, "/spec/template/metadata/labels")));
            }
            assert!(same(&blue, &green, "color"));
            assert_eq!(made(&blue, Color::Green).unwrap(), green);
        }
    }

    #[test]
    fn nothing_foreign_panics(from in any_json(), other in any_json()) {
        let _ = made(&from, Color::Green);
        let _ = same(&from, &other, "color");
        let _ = preview_service(&from, &Labels::new(), "web-preview", &Labels::new());
    }
}
