//! VirtualService, by subsets of one Service.

use super::*;
use crate::route::subsets::{are_there, close, forget, named, of_canary, open};

fn mesh() -> Value {
    json!({
        "kind": "VirtualService", "metadata": {"name": "web", "namespace": "shop", "uid": "u1"},
        "spec": {"http": [
            {"name": "main", "route": [{"destination": {"host": "web", "subset": "stable"}}]},
            {"name": "other", "route": [{"destination": {"host": "api", "subset": "v1"}}]},
        ]},
    })
}

fn rule() -> Value {
    json!({
        "apiVersion": "networking.istio.io/v1", "kind": "DestinationRule",
        "metadata": {"name": "web-rule", "namespace": "shop", "uid": "u2", "resourceVersion": "4"},
        "spec": {"host": "web.shop.svc.cluster.local", "trafficPolicy": {"tls": {"mode": "ISTIO_MUTUAL"}}, "subsets": [
            {"name": "all", "labels": {"color": "blue"}},
            {"name": "stable", "labels": {"app": "web", "color": "blue", "a/b": "1"}, "trafficPolicy": {"connectionPool": {}}},
        ]},
    })
}

fn labels(color: &str) -> Labels {
    [("app", "web"), ("color", color), ("a/b", "1")]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into()
}

fn names() -> Vec<String> {
    named(seen(&mesh()), &sides())
}

#[test]
fn the_subsets_are_those_to_which_it_leads() {
    assert_eq!(names(), ["stable"]);
    assert_eq!(are_there(&names(), [&rule()], &sides()), Ok(()));
    let none: [&Value; 0] = [];
    assert!(matches!(
        are_there(&names(), none, &sides()),
        Err(RouteError::NoSubset { .. })
    ));
    let mut tls = mesh();
    tls["spec"] = json!({"tls": [{"route": [{"destination": {"host": "web.shop", "subset": "raw"}}]}]});
    assert_eq!(named(seen(&tls), &sides()), ["raw"]);
}

#[test]
fn a_label_that_new_pods_lack_is_taken_out_and_given_back() {
    // Pods that have them all are in it already.
    assert_eq!(open(&rule(), &names(), &labels("blue")), Ok(None));
    let operations = open(&rule(), &names(), &labels("green")).unwrap().unwrap();
    let opened = patched(&rule(), &operations).unwrap();
    assert_eq!(
        opened["spec"]["subsets"],
        json!([
            {"name": "all", "labels": {"color": "blue"}},
            {"name": "stable", "labels": {"app": "web", "a/b": "1"}, "trafficPolicy": {"connectionPool": {}}},
        ])
    );
    assert_eq!(open(&opened, &names(), &labels("green")), Ok(None));
    // Going back gives it back; going on leaves it out.
    let closed = patched(&opened, &close(&opened).unwrap().unwrap()).unwrap();
    assert_eq!(closed["spec"], rule()["spec"]);
    assert_eq!(close(&closed), Ok(None));
    let through = patched(&opened, &forget(&opened).unwrap()).unwrap();
    assert_eq!(through["spec"], opened["spec"]);
    assert_eq!(forget(&through), None);
}

#[test]
fn what_somebody_else_did_to_a_subset_stays() {
    let operations = open(&rule(), &names(), &labels("green")).unwrap().unwrap();
    let mut other = rule();
    other["spec"]["subsets"][1]["labels"]["color"] = "red".into();
    assert!(patched(&other, &operations).is_err());
    let mut opened = patched(&rule(), &operations).unwrap();
    opened["spec"]["subsets"][1]["labels"]["tier"] = "x".into();
    let closed = patched(&opened, &close(&opened).unwrap().unwrap()).unwrap();
    assert_eq!(closed["spec"], opened["spec"]);
    // Put back by others while the canary lasts: it is opened again, and what it was first is known still.
    let mut reverted = patched(&rule(), &operations).unwrap();
    reverted["spec"] = rule()["spec"].clone();
    let again = open(&reverted, &names(), &labels("green")).unwrap().unwrap();
    let again = patched(&reverted, &again).unwrap();
    let closed = patched(&again, &close(&again).unwrap().unwrap()).unwrap();
    assert_eq!(closed["spec"], rule()["spec"]);
    let mut damaged = opened;
    damaged["metadata"]["annotations"][ORIGINAL] = "{}".into();
    assert!(matches!(close(&damaged), Err(RouteError::Damaged { .. })));
}

#[test]
fn the_canary_has_the_policies_of_the_service() {
    let marks = Labels::from([("made".to_owned(), "by".to_owned())]);
    let canary = of_canary(&rule(), &names(), &sides(), &marks);
    assert_eq!(
        canary,
        json!({
            "apiVersion": "networking.istio.io/v1", "kind": "DestinationRule",
            "metadata": {"name": "web-rule-canary", "namespace": "shop", "annotations": {"made": "by"}},
            "spec": {"host": "web-canary.shop.svc.cluster.local", "trafficPolicy": {"tls": {"mode": "ISTIO_MUTUAL"}}, "subsets": [
                {"name": "stable", "trafficPolicy": {"connectionPool": {}}},
            ]},
        })
    );
}

#[test]
fn a_route_is_divided_by_subset() {
    let (route, sides) = (route("virtualservice/web"), sides());
    let before = mesh();
    let now = entered(&route, &before, Some(&header()));
    assert_eq!(
        now["spec"]["http"][1]["route"],
        json!([
            {"destination": {"host": "web", "subset": "stable"}, "weight": 100},
            {"destination": {"host": "web-canary", "subset": "stable"}, "weight": 0},
        ])
    );
    assert_eq!(
        now["spec"]["http"][0]["route"][0]["destination"],
        json!({"host": "web-canary", "subset": "stable"})
    );
    assert_eq!(named(seen(&now), &sides), ["stable"]);
    let up = shifted(&route, &now, "30%");
    assert_eq!(route.read(seen(&up), &sides).unwrap().percent(), 30.0);
    let down = shifted(&route, &up, "0%");
    assert_eq!(left(&route, &down), before);
}
