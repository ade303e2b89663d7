//! HTTPRoute and GRPCRoute.

use super::*;

fn http(rules: Value) -> Value {
    json!({
        "apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute",
        "metadata": {"name": "web", "namespace": "shop", "uid": "u1", "resourceVersion": "7", "generation": 3},
        "spec": {"parentRefs": [{"name": "edge"}], "rules": rules},
    })
}

fn ordinary() -> Value {
    http(json!([
        {"matches": [{"path": {"type": "PathPrefix", "value": "/api"}}], "timeouts": {"request": "5s"},
         "backendRefs": [{"group": "", "kind": "Service", "name": "web", "port": 80, "weight": 1}]},
        {"backendRefs": [{"name": "static", "port": 80}]},
        {"matches": [{"path": {"type": "PathPrefix", "value": "/"}}], "sessionPersistence": {"sessionName": "s"},
         "backendRefs": [{"name": "web", "port": 80, "filters": []}, {"name": "web", "namespace": "other", "weight": 0}]},
    ]))
}

#[test]
fn the_first_patch_leads_to_the_canary_with_nothing() {
    let (route, before) = (route("httproute/web"), ordinary());
    let read = route.read(seen(&before), &sides()).unwrap();
    assert_eq!(read.rules.iter().map(|rule| rule.at).collect::<Vec<_>>(), [0, 2]);
    assert!(!read.entered && read.keeps.is_some());
    let after = entered(&route, &before, None);
    assert_eq!(
        after["spec"]["rules"][0]["backendRefs"],
        json!([
            {"group": "", "kind": "Service", "name": "web", "port": 80, "weight": 100},
            {"group": "", "kind": "Service", "name": "web-canary", "port": 80, "weight": 0},
        ])
    );
    assert_eq!(after["spec"]["rules"][1], before["spec"]["rules"][1]);
    assert_eq!(after["spec"]["rules"][0]["timeouts"], json!({"request": "5s"}));
    let read = route.read(seen(&after), &sides()).unwrap();
    assert!(read.entered && read.is_at(Weight::NONE));
    assert_eq!(left(&route, &after), before);
}

#[test]
fn weights_rise_and_come_back() {
    let (route, before) = (route("httproute/web"), ordinary());
    let mut now = entered(&route, &before, Some(&header()));
    for (to, stable, canary) in [
        ("5%", 95, 5),
        ("12.5%", 875, 125),
        ("100%", 0, 100),
        ("0%", 100, 0),
    ] {
        now = shifted(&route, &now, to);
        let read = route.read(seen(&now), &sides()).unwrap();
        assert!(
            read.rules
                .iter()
                .all(|rule| rule.weights == Weights { stable, canary }),
            "{to}"
        );
        let again = Weight::of_tenths((canary * 1000 / (canary + stable)).try_into().unwrap()).unwrap();
        assert!(read.is_at(again));
        assert_eq!(route.shift(seen(&now), &sides(), again), Ok(None));
    }
    assert_eq!(left(&route, &now), before);
}

#[test]
fn the_share_of_others_stays() {
    let route = route("httproute/web");
    let before =
        http(json!([{"backendRefs": [{"name": "api", "weight": 10}, {"name": "web", "weight": 90}]}]));
    let now = shifted(&route, &entered(&route, &before, None), "50%");
    assert_eq!(
        now["spec"]["rules"][0]["backendRefs"],
        json!([
            {"name": "api", "weight": 10}, {"name": "web", "weight": 45}, {"name": "web-canary", "weight": 45},
        ])
    );
    let coarse = http(json!([{"backendRefs": [{"name": "api"}, {"name": "web"}]}]));
    let coarse = entered(&route, &coarse, None);
    let error = route.shift(seen(&coarse), &sides(), weight("50%")).unwrap_err();
    assert!(matches!(error, RouteError::TooCoarse { pool: 1, .. }), "{error}");
    assert_eq!(route.shift(seen(&coarse), &sides(), Weight::NONE), Ok(None));
}

#[test]
fn a_rule_for_the_header_stands_before_each() {
    let (route, before) = (route("httproute/web"), ordinary());
    let after = entered(&route, &before, Some(&header()));
    let rules = after["spec"]["rules"].as_array().unwrap();
    assert_eq!(rules.len(), 5);
    let asked = json!([{"type": "Exact", "name": "canary", "value": "true"}]);
    let canary = json!({"group": "", "kind": "Service", "name": "web-canary", "port": 80, "weight": 100});
    assert_eq!(
        rules[0],
        json!({
            "matches": [{"path": {"type": "PathPrefix", "value": "/api"}, "headers": asked}], "timeouts": {"request": "5s"},
            "backendRefs": [canary],
        })
    );
    assert_eq!(rules[3]["matches"][0]["headers"], asked);
    assert!(rules[3].get("sessionPersistence").is_none());
    assert_eq!(rules[4]["sessionPersistence"], json!({"sessionName": "s"}));
    assert_eq!(left(&route, &after), before);
    // What others put in meanwhile stays.
    let mut changed = after.clone();
    let foreign = json!({"matches": [{"path": {"value": "/new"}}], "backendRefs": [{"name": "new"}]});
    changed["spec"]["rules"]
        .as_array_mut()
        .unwrap()
        .insert(0, foreign.clone());
    let mut wanted = before.clone();
    wanted["spec"]["rules"].as_array_mut().unwrap().insert(0, foreign);
    assert_eq!(left(&route, &changed), wanted);
}

#[test]
fn grpc_asks_for_no_path() {
    let route = route("grpcroute/web");
    assert_eq!(
        route.kind().collection("shop"),
        "/apis/gateway.networking.k8s.io/v1/namespaces/shop/grpcroutes"
    );
    let mut before = http(json!([{"backendRefs": [{"name": "web", "port": 80}]}]));
    before["kind"] = "GRPCRoute".into();
    let after = entered(&route, &before, Some(&header()));
    let matches = &after["spec"]["rules"][0]["matches"];
    assert_eq!(
        *matches,
        json!([{"headers": [{"type": "Exact", "name": "canary", "value": "true"}]}])
    );
    assert_eq!(left(&route, &after), before);
}

#[test]
fn what_can_not_be_divided_is_refused() {
    let enter = |object: &Value| {
        route("httproute/web").enter(seen(object), &sides(), Some(&header()), &Labels::new())
    };
    for (rules, says) in [
        (
            json!([{"backendRefs": [{"name": "api"}]}]),
            "no rule of HTTPRoute `web` leads to the Service `web`; they lead to `api`",
        ),
        (json!([]), "they lead to nothing"),
        (
            json!([{"backendRefs": [{"name": "web", "namespace": "x"}]}]),
            "no rule",
        ),
        (
            json!([{"backendRefs": [{"name": "web", "kind": "ServiceImport"}]}]),
            "no rule",
        ),
        (
            json!([{"backendRefs": [{"name": "web", "port": 1}, {"name": "web", "port": 2}]}]),
            "more than once",
        ),
        (
            json!([{"backendRefs": [{"name": "web", "weight": 0}]}]),
            "the weight 0",
        ),
        (
            json!([{"backendRefs": [{"name": "web"}, {"name": "web-canary", "weight": 0}]}]),
            "leads to `web-canary` already, without the annotation",
        ),
        (
            json!([{"backendRefs": [{"name": "web"}], "matches": [{"headers": [{"name": "Canary", "value": "x"}]}]}]),
            "rule 0 of HTTPRoute `web` asks for the header `canary` itself",
        ),
    ] {
        let error = enter(&http(rules)).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
    let mut named =
        http(json!([{"name": "a", "backendRefs": [{"name": "web"}]}, {"backendRefs": [{"name": "web"}]}]));
    let one = route("httproute/web/a").read(seen(&named), &sides()).unwrap();
    assert_eq!((one.rules.len(), one.rules[0].name.as_deref()), (1, Some("a")));
    let error = route("httproute/web/b").read(seen(&named), &sides()).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("has the name `b`; there are `a`, `(none)`"),
        "{error}"
    );
    named["metadata"]["annotations"] = json!({ORIGINAL: "{\"schema\":9}"});
    assert!(matches!(enter(&named), Err(RouteError::Damaged { .. })));
}

#[test]
fn the_way_down_asks_for_no_mark_and_the_rest_does() {
    let route = route("httproute/web");
    let mut now = shifted(&route, &entered(&route, &ordinary(), None), "25%");
    assert!(matches!(
        route.leave(seen(&now), &sides()),
        Err(RouteError::StillTraffic { .. })
    ));
    assert!(matches!(
        route.enter(seen(&now), &sides(), None, &Labels::new()),
        Err(RouteError::Entered { .. })
    ));
    now["metadata"]
        .as_object_mut()
        .unwrap()
        .shift_remove("annotations");
    assert!(matches!(
        route.shift(seen(&now), &sides(), weight("50%")),
        Err(RouteError::NotOurs { .. })
    ));
    let down = shifted(&route, &now, "0%");
    assert!(route.read(seen(&down), &sides()).unwrap().is_at(Weight::NONE));
    assert!(matches!(
        route.leave(seen(&down), &sides()),
        Err(RouteError::NotOurs { .. })
    ));
    let before = ordinary();
    assert!(matches!(
        route.shift(seen(&before), &sides(), weight("5%")),
        Err(RouteError::NotEntered { .. })
    ));
    assert_eq!(route.shift(seen(&before), &sides(), Weight::NONE), Ok(None));
    assert_eq!(route.leave(seen(&before), &sides()), Ok(None));
}

#[test]
fn a_patch_is_refused_where_somebody_else_was_faster() {
    let route = route("httproute/web");
    let before = ordinary();
    let enter = operations(
        route
            .enter(seen(&before), &sides(), None, &Labels::new())
            .unwrap(),
    );
    let now = entered(&route, &before, None);
    let up = operations(route.shift(seen(&now), &sides(), weight("5%")).unwrap().unwrap());
    let leave = operations(route.leave(seen(&now), &sides()).unwrap().unwrap());
    let changes: [fn(&mut Value); 4] = [
        |object| object["metadata"]["uid"] = "u2".into(),
        |object| object["spec"]["rules"][0]["backendRefs"][0]["port"] = 81.into(),
        |object| object["spec"]["rules"][0]["backendRefs"][0]["weight"] = 7.into(),
        |object| {
            object["spec"]["rules"].as_array_mut().unwrap().remove(0);
        },
    ];
    for change in changes {
        for (object, patch) in [(&before, &enter), (&now, &up), (&now, &leave)] {
            let mut other = object.clone();
            change(&mut other);
            assert!(patched(&other, patch).is_err(), "{other} {patch}");
        }
    }
    let mut annotated = before.clone();
    annotated["metadata"]["annotations"] = json!({"a": "b"});
    annotated["metadata"]["resourceVersion"] = "8".into();
    assert!(
        patched(&annotated, &enter).is_err(),
        "an annotation that came meanwhile would be lost"
    );
    // A status, or a label, hinders nothing.
    let mut touched = now.clone();
    touched["metadata"]["resourceVersion"] = "9".into();
    touched["status"] = json!({"parents": []});
    assert!(patched(&touched, &up).is_ok() && patched(&touched, &leave).is_ok());
}

#[test]
fn two_services_on_one_route_do_not_disturb_each_other() {
    let route = route("httproute/web");
    let other = Sides {
        stable: "static".to_owned(),
        canary: "static-canary".to_owned(),
        ..sides()
    };
    let first = entered(&route, &ordinary(), None);
    let change = route.enter(seen(&first), &other, None, &Labels::new()).unwrap();
    let both = sent(&first, change);
    let without_first = left(&route, &both);
    let read = route.read(seen(&without_first), &other).unwrap();
    assert!(read.entered && !route.read(seen(&without_first), &sides()).unwrap().entered);
    let change = route.leave(seen(&without_first), &other).unwrap().unwrap();
    assert_eq!(sent(&without_first, change), ordinary());
}

#[test]
fn a_route_that_others_changed_is_not_put_back() {
    let route = route("httproute/web");
    let now = entered(&route, &ordinary(), None);
    let mut fewer = now.clone();
    fewer["spec"]["rules"].as_array_mut().unwrap().remove(0);
    let error = route.leave(seen(&fewer), &sides()).unwrap_err().to_string();
    assert!(
        error.contains("1 of its rules lead to `web-canary`, and 2 were led to it"),
        "{error}"
    );
    let mut another = now.clone();
    another["spec"]["rules"][0]["backendRefs"][0]["port"] = 81.into();
    let error = route.leave(seen(&another), &sides()).unwrap_err().to_string();
    assert!(error.contains("rule 0 leads to `web` in another way"), "{error}");
    // Somebody applied the manifest again: only the annotation is left.
    let mut again = ordinary();
    again["metadata"]["annotations"] = now["metadata"]["annotations"].clone();
    assert_eq!(left(&route, &again), ordinary());
}

#[test]
fn a_gateway_says_whether_it_has_taken_it() {
    let says = |conditions: Value| {
        let mut object = ordinary();
        object["status"] = json!({"parents": [{"parentRef": {"name": "edge", "namespace": "shop"}, "conditions": conditions}]});
        route("httproute/web").taken(&object)
    };
    let one = |kind: &str, status: &str, seen: u64| json!({"type": kind, "status": status, "observedGeneration": seen, "reason": "R", "message": "m"});
    let (accepted, resolved) = (one("Accepted", "True", 3), one("ResolvedRefs", "True", 3));
    assert_eq!(says(json!([accepted, resolved])), Taken::Accepted);
    let waiting = Taken::Waiting("gateway `edge` has not answered yet".to_owned());
    assert_eq!(says(json!([accepted, one("ResolvedRefs", "True", 2)])), waiting);
    assert_eq!(says(json!([accepted])), waiting);
    assert_eq!(says(json!([one("Accepted", "False", 2), resolved])), waiting);
    assert_eq!(
        says(json!([accepted, one("ResolvedRefs", "False", 3)])),
        Taken::Refused("gateway `edge` says `ResolvedRefs` is `False`: R: m".to_owned())
    );
    assert!(matches!(
        says(json!([accepted, resolved, one("PartiallyInvalid", "True", 3)])),
        Taken::Refused(_)
    ));
    assert_eq!(route("httproute/web").taken(&ordinary()), waiting);
    let mut alone = ordinary();
    alone["spec"]["parentRefs"] = json!([]);
    assert!(matches!(route("httproute/web").taken(&alone), Taken::Refused(_)));
}
