//! VirtualService, by Services.

use super::*;
use crate::route::istio::{SETTLE, is_host};

fn mesh(http: Value) -> Value {
    json!({
        "apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
        "metadata": {"name": "web", "namespace": "shop", "uid": "u1", "generation": 2, "annotations": {"team": "shop"}},
        "spec": {"hosts": ["web"], "http": http},
    })
}

fn ordinary() -> Value {
    mesh(json!([
        {"name": "old", "match": [{"uri": {"prefix": "/old"}}], "redirect": {"uri": "/"}},
        {"name": "main", "retries": {"attempts": 3}, "route": [
            {"destination": {"host": "web.shop.svc.cluster.local", "subset": "v1", "port": {"number": 80}}, "headers": {}},
        ]},
    ]))
}

#[test]
fn hosts_are_names_of_services() {
    for (host, is) in [
        ("web", true),
        ("web.shop", true),
        ("web.shop.svc", true),
        ("web.shop.svc.cluster.local", true),
        ("web.other", false),
        ("web.shop.example", false),
        ("webs", false),
        ("", false),
    ] {
        assert_eq!(is_host(host, "web", "shop"), is, "{host}");
    }
}

#[test]
fn weights_are_a_hundred_together() {
    let (route, before) = (route("virtualservice/web"), ordinary());
    let mut now = entered(&route, &before, Some(&header()));
    let http = &now["spec"]["http"];
    assert_eq!(
        http[1],
        json!({
            "name": "deploy-actions-header", "retries": {"attempts": 3}, "match": [{"headers": {"canary": {"exact": "true"}}}],
            "route": [{"destination": {"host": "web-canary.shop.svc.cluster.local", "subset": "v1", "port": {"number": 80}}, "headers": {}, "weight": 100}],
        })
    );
    assert_eq!(http[2]["route"][0]["weight"], 100);
    assert_eq!(
        http[2]["route"][1],
        json!({
            "destination": {"host": "web-canary.shop.svc.cluster.local", "subset": "v1", "port": {"number": 80}}, "headers": {}, "weight": 0,
        })
    );
    for (to, weights) in [
        ("25%", [75, 25]),
        ("0.5%", [995, 5]),
        ("100%", [0, 100]),
        ("0%", [100, 0]),
    ] {
        now = shifted(&route, &now, to);
        let route = &now["spec"]["http"][2]["route"];
        assert_eq!([&route[0]["weight"], &route[1]["weight"]], weights, "{to}");
    }
    assert_eq!(left(&route, &now), before);
}

#[test]
fn several_rules_need_names() {
    let rule = |name: &str| json!({"name": name, "match": [{"uri": {"prefix": name}}], "route": [{"destination": {"host": "web"}}]});
    let object = mesh(
        json!([rule("a"), rule("b"), {"route": [{"destination": {"host": "web"}, "weight": 90}, {"destination": {"host": "api"}, "weight": 10}]}]),
    );
    let error = route("virtualservice/web")
        .read(seen(&object), &sides())
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with(
            "3 rules of VirtualService `web` lead to the Service `web`, by name `a`, `b`, `(none)`;"
        ),
        "{error}"
    );
    let all = route("virtualservice/web/*");
    assert_eq!(all.read(seen(&object), &sides()).unwrap().rules.len(), 3);
    let now = shifted(&all, &entered(&all, &object, None), "50%");
    assert_eq!(now["spec"]["http"][2]["route"][0]["weight"], 45);
    assert_eq!(now["spec"]["http"][2]["route"][1]["weight"], 10);
    assert_eq!(left(&all, &shifted(&all, &now, "0%")), object);
    let one = route("virtualservice/web/b");
    let now = entered(&one, &object, Some(&header()));
    assert_eq!(now["spec"]["http"][0], object["spec"]["http"][0]);
    // From here on the rules are known without a name.
    let now = shifted(&route("virtualservice/web"), &now, "10%");
    assert_eq!(now["spec"]["http"][2]["route"][1]["weight"], 10);
    assert_eq!(
        left(&route("virtualservice/web"), &shifted(&one, &now, "0%")),
        object
    );
}

#[test]
fn a_rule_that_asks_for_the_header_is_refused() {
    let object = mesh(
        json!([{"match": [{"headers": {"canary": {"exact": "1"}}}], "route": [{"destination": {"host": "web"}}]}]),
    );
    let error = route("virtualservice/web").enter(seen(&object), &sides(), Some(&header()), &Labels::new());
    assert!(matches!(error, Err(RouteError::HeaderTaken { at: 0, .. })));
    let none = mesh(
        json!([{"route": [{"destination": {"host": "web"}, "weight": 0}, {"destination": {"host": "api"}, "weight": 100}]}]),
    );
    let error = route("virtualservice/web").read(seen(&none), &sides());
    assert!(matches!(error, Err(RouteError::NoWeight { at: 0, .. })));
}

#[test]
fn istio_mostly_tells_nothing() {
    let told = |status: Value| {
        let mut object = ordinary();
        object["status"] = status;
        route("virtualservice/web").taken(&object)
    };
    assert_eq!(told(Value::Null), Taken::Settle(SETTLE));
    let reconciled = |status: &str| json!([{"type": "Reconciled", "status": status, "message": "1/2 proxies up to date."}]);
    assert_eq!(
        told(json!({"observedGeneration": "2", "conditions": reconciled("True")})),
        Taken::Accepted
    );
    assert!(matches!(
        told(json!({"observedGeneration": 1, "conditions": reconciled("True")})),
        Taken::Waiting(_)
    ));
    assert!(matches!(
        told(json!({"observedGeneration": 2, "conditions": reconciled("False")})),
        Taken::Waiting(_)
    ));
    let error =
        json!([{"level": "ERROR", "type": {"code": "IST0101"}, "documentationUrl": "https://istio.io/x"}]);
    assert_eq!(
        told(json!({"observedGeneration": "2", "validationMessages": error})),
        Taken::Refused("Istio says `IST0101`: https://istio.io/x".to_owned())
    );
}
