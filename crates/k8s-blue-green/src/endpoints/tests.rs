use proptest::prelude::proptest;
use serde_json::json;

use super::*;
use crate::fixture;
use crate::object::any_json;

fn pods(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| format!("uid-{name}")).collect()
}

fn endpoint(pod: &str) -> Value {
    json!({
        "addresses": ["10.0.0.1"], "conditions": {"ready": true, "serving": true, "terminating": false},
        "targetRef": {"kind": "Pod", "name": pod, "uid": format!("uid-{pod}")},
    })
}

fn unlike(pod: &str, condition: &str, value: Value) -> Value {
    let mut endpoint = endpoint(pod);
    endpoint["conditions"][condition] = value;
    endpoint
}

fn slice(family: &str, endpoints: Vec<Value>) -> Value {
    json!({
        "metadata": {"name": "web-x", "labels": {"kubernetes.io/service-name": "web"}}, "addressType": family,
        "ports": [{"name": "web", "port": 8080, "protocol": "TCP"}], "endpoints": endpoints,
    })
}

fn service() -> Value {
    fixture::service(&[("app", "web")])
}

fn waiting(text: &str) -> Endpoints {
    Endpoints::Waiting(text.to_owned())
}

#[test]
fn all_wanted_pods_must_be_ready_behind_the_port() {
    let two = pods(&["a", "b"]);
    let ipv4 = |endpoints| [slice("IPv4", endpoints)];
    let one_of_two = waiting("1 of 2 pods behind service `web`, port `web` (IPv4)");
    let mut untold = endpoint("b");
    untold["conditions"] = json!({});
    for (slices, expected) in [
        (ipv4(vec![endpoint("a"), endpoint("b")]), Endpoints::Ready),
        (ipv4(vec![endpoint("a"), untold]), Endpoints::Ready),
        (
            ipv4(vec![endpoint("a"), unlike("b", "ready", json!(false))]),
            one_of_two.clone(),
        ),
        (
            ipv4(vec![endpoint("a"), unlike("b", "terminating", json!(true))]),
            one_of_two.clone(),
        ),
        // A pod twice is one pod.
        (ipv4(vec![endpoint("a"), endpoint("a")]), one_of_two),
        (
            ipv4(vec![endpoint("a"), endpoint("b"), endpoint("c")]),
            Endpoints::Wrong("service `web` leads to `c`, which is no pod of this version".to_owned()),
        ),
        // One that is on its way out is no matter.
        (
            ipv4(vec![
                endpoint("a"),
                endpoint("b"),
                unlike("c", "ready", json!(false)),
            ]),
            Endpoints::Ready,
        ),
    ] {
        assert_eq!(judge(&service(), &slices, &two, 2), expected);
    }
    assert_eq!(
        judge(&service(), &[], &two, 0),
        waiting("0 of 1 pods behind service `web`, port `web` (IPv4)")
    );
    let mut other = slice("IPv4", vec![endpoint("c")]);
    other["metadata"]["labels"][SERVICE] = "shop".into();
    assert_eq!(leads_to(&service(), &[other], &two), Leads::Nowhere);
}

#[test]
fn a_port_that_no_pod_has_leads_nowhere() {
    let two = pods(&["a", "b"]);
    let mut service = service();
    let second = json!({"name": "metrics", "port": 9090, "targetPort": "prom"});
    service["spec"]["ports"].as_array_mut().unwrap().push(second);
    let all = || vec![endpoint("a"), endpoint("b")];
    let renamed = Endpoints::Wrong(
        "port `metrics` of service `web` does not lead to 2 ready pods: none of their containers has a port of the name `prom`"
            .to_owned(),
    );
    assert_eq!(judge(&service, &[slice("IPv4", all())], &two, 2), renamed);
    let with = |port: Value| {
        let mut slice = slice("IPv4", all());
        slice["ports"].as_array_mut().unwrap().push(port);
        [slice]
    };
    let null = with(json!({"name": "metrics", "port": null}));
    assert_eq!(judge(&service, &null, &two, 2), renamed);
    let good = with(json!({"name": "metrics", "port": 9090}));
    assert_eq!(judge(&service, &good, &two, 2), Endpoints::Ready);
    let mut nothing = slice("IPv4", all());
    nothing["ports"] = Value::Null;
    assert!(matches!(
        judge(&service, &[nothing], &two, 2),
        Endpoints::Wrong(_)
    ));
    service["spec"]["ports"] = json!([]);
    assert_eq!(
        judge(&service, &[slice("IPv4", all())], &two, 2),
        Endpoints::Ready
    );
}

#[test]
fn pods_of_two_slices_count_together_where_each_has_the_port() {
    let two = pods(&["a", "b"]);
    let mut renamed = slice("IPv4", vec![endpoint("b")]);
    renamed["ports"][0]["port"] = json!(9999);
    let slices = [slice("IPv4", vec![endpoint("a")]), renamed.clone()];
    assert_eq!(judge(&service(), &slices, &two, 2), Endpoints::Ready);
    renamed["ports"] = json!([]);
    let slices = [slice("IPv4", vec![endpoint("a")]), renamed];
    assert_eq!(
        judge(&service(), &slices, &two, 2),
        Endpoints::Wrong(
            "port `web` of service `web` does not lead to a ready pod: none of their containers has a port of the name `http`"
                .to_owned()
        )
    );
}

#[test]
fn a_service_of_two_families_is_judged_in_both() {
    let mut service = service();
    service["spec"]["ipFamilies"] = json!(["IPv4", "IPv6"]);
    let one = pods(&["a"]);
    let ipv4 = slice("IPv4", vec![endpoint("a")]);
    let ipv6 = slice("IPv6", vec![endpoint("a")]);
    assert_eq!(
        judge(&service, std::slice::from_ref(&ipv4), &one, 1),
        waiting("0 of 1 pods behind service `web`, port `web` (IPv6)")
    );
    let both = [ipv4, ipv6];
    assert_eq!(judge(&service, &both, &one, 1), Endpoints::Ready);
    assert_eq!(leads_to(&service, &both, &one), Leads::Only(1));
}

#[test]
fn a_service_that_publishes_what_is_not_ready_is_judged_by_what_serves() {
    let mut service = service();
    let slices = [slice("IPv4", vec![unlike("a", "serving", json!(false))])];
    let one = pods(&["a"]);
    assert_eq!(judge(&service, &slices, &one, 1), Endpoints::Ready);
    service["spec"]["publishNotReadyAddresses"] = json!(true);
    assert!(matches!(judge(&service, &slices, &one, 1), Endpoints::Waiting(_)));
}

#[test]
fn where_it_leads_after_a_switch() {
    let slices = |names: &[&str]| [slice("IPv4", names.iter().map(|name| endpoint(name)).collect())];
    let green = pods(&["g1", "g2"]);
    for (names, expected) in [
        (&["g1", "g2"][..], Leads::Only(2)),
        (&["g1", "b1", "b2"], Leads::Mixed { these: 1, others: 2 }),
        (&["b1"], Leads::Others(1)),
        (&[], Leads::Nowhere),
    ] {
        assert_eq!(leads_to(&service(), &slices(names), &green), expected);
    }
    // An address that somebody wrote by hand is no pod.
    let by_hand = slice("IPv4", vec![json!({"addresses": ["192.0.2.1"]})]);
    assert_eq!(leads_to(&service(), &[by_hand], &green), Leads::Others(1));
}

proptest! {
    #[test]
    fn nothing_foreign_panics(service in any_json(), slices in proptest::collection::vec(any_json(), 0..4), wanted in 0_usize..3) {
        let _ = judge(&service, &slices, &pods(&["a"]), wanted);
        let _ = leads_to(&service, &slices, &pods(&["a"]));
    }
}
