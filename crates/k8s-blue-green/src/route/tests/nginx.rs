//! The second Ingress of ingress-nginx.

use super::*;
use crate::route::nginx::{CANARY_OF, SETTLE};

const WEIGHT: &str = "nginx.ingress.kubernetes.io/canary-weight";
const TOTAL: &str = "nginx.ingress.kubernetes.io/canary-weight-total";

fn main() -> Value {
    let path = |path: &str, service: &str| json!({"path": path, "pathType": "Prefix", "backend": {"service": {"name": service, "port": {"number": 80}}}});
    json!({
        "apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
        "metadata": {"name": "shop", "namespace": "shop", "uid": "u1", "annotations": {
            "nginx.ingress.kubernetes.io/affinity": "cookie", "nginx.ingress.kubernetes.io/rewrite-target": "/", "kubernetes.io/ingress.class": "nginx",
        }},
        "spec": {"ingressClassName": "nginx", "tls": [{"hosts": ["a.example"], "secretName": "t"}], "rules": [
            {"host": "a.example", "http": {"paths": [path("/", "web"), path("/api", "api")]}},
            {"host": "b.example", "http": {"paths": [path("/", "api")]}},
        ]},
    })
}

fn with<'a>(object: &'a Value, ingresses: &'a [Value]) -> Seen<'a> {
    Seen { object, ingresses }
}

fn made(header: Option<&Header>) -> Value {
    let (main, marks) = (
        main(),
        Labels::from([("deploy-actions/run".to_owned(), "7".to_owned())]),
    );
    let change =
        route("ingress/shop").enter(with(&main, std::slice::from_ref(&main)), &sides(), header, &marks);
    match change.unwrap() {
        Change::Create { mut object, .. } => {
            object["metadata"]["uid"] = "u2".into();
            object
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_canary_has_only_the_paths_of_the_service() {
    let canary = made(Some(&header()));
    assert_eq!(
        canary,
        json!({
            "apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
            "metadata": {"name": "shop-canary", "namespace": "shop", "uid": "u2", "annotations": {
                "deploy-actions/run": "7", CANARY_OF: "shop/web",
                "nginx.ingress.kubernetes.io/canary": "true", WEIGHT: "0",
                "nginx.ingress.kubernetes.io/canary-by-header": "canary", "nginx.ingress.kubernetes.io/canary-by-header-value": "true",
                "nginx.ingress.kubernetes.io/affinity-canary-behavior": "legacy", "kubernetes.io/ingress.class": "nginx",
            }},
            "spec": {"ingressClassName": "nginx", "tls": [{"hosts": ["a.example"], "secretName": "t"}], "rules": [
                {"host": "a.example", "http": {"paths": [
                    {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "web-canary", "port": {"number": 80}}}},
                ]}},
            ]},
        })
    );
}

#[test]
fn the_weight_is_an_annotation() {
    let (route, main) = (route("ingress/shop"), main());
    let mut canary = made(None);
    for (to, weight, total) in [
        ("5%", "5", None),
        ("0.5%", "5", Some("1000")),
        ("100%", "100", Some("100")),
        ("0%", "0", Some("100")),
    ] {
        let to = if to == "0%" {
            Weight::NONE
        } else {
            to.parse().unwrap()
        };
        let all = [main.clone(), canary.clone()];
        let change = route.shift(with(&main, &all), &sides(), to).unwrap().unwrap();
        if let Change::Patch { name, .. } = &change {
            assert_eq!(name, "shop-canary");
        }
        canary = sent(&canary, change);
        let annotations = &canary["metadata"]["annotations"];
        assert_eq!(
            (annotations[WEIGHT].as_str(), annotations[TOTAL].as_str()),
            (Some(weight), total)
        );
        let all = [canary.clone()];
        let read = route.read(with(&main, &all), &sides()).unwrap();
        assert!(read.entered && read.is_at(to));
        assert_eq!(route.shift(with(&main, &all), &sides(), to), Ok(None));
        let leave = route.leave(with(&main, &all), &sides());
        assert_eq!(leave.is_ok(), to == Weight::NONE);
    }
    let all = [canary];
    let change = route.leave(with(&main, &all), &sides()).unwrap().unwrap();
    assert!(matches!(change, Change::Delete { name, uid, .. } if name == "shop-canary" && uid == "u2"));
    assert_eq!(route.taken(&main), Taken::Settle(SETTLE));
}

#[test]
fn canaries_of_others_are_not_touched() {
    let (route, main) = (route("ingress/shop"), main());
    let mut other = made(None);
    other["metadata"]["annotations"][CANARY_OF] = "shop/api".into();
    let all = [other.clone()];
    let seen = with(&main, &all);
    let enter = |seen: Seen<'_>| route.enter(seen, &sides(), None, &Labels::new());
    assert!(matches!(enter(seen), Err(RouteError::NotOurs { .. })));
    assert!(matches!(
        route.shift(seen, &sides(), weight("5%")),
        Err(RouteError::NotOurs { .. })
    ));
    assert!(matches!(
        route.leave(seen, &sides()),
        Err(RouteError::NotOurs { .. })
    ));
    other["metadata"]["name"] = "theirs".into();
    assert_eq!(
        enter(with(&main, &[other])),
        Err(RouteError::OtherCanary("theirs".to_owned()))
    );
    let ours = [made(None)];
    assert!(matches!(
        enter(with(&main, &ours)),
        Err(RouteError::Entered { .. })
    ));
    let patch = route
        .shift(with(&main, &ours), &sides(), weight("5%"))
        .unwrap()
        .unwrap();
    let patch = operations(patch);
    for (key, value) in [(WEIGHT, "50"), (CANARY_OF, "shop/api")] {
        let mut changed = ours[0].clone();
        changed["metadata"]["annotations"][key] = value.into();
        assert!(patched(&changed, &patch).is_err(), "{key}");
    }
    let nothing = with(&main, &[]);
    assert_eq!(route.leave(nothing, &sides()), Ok(None));
    assert_eq!(route.shift(nothing, &sides(), Weight::NONE), Ok(None));
    assert!(matches!(
        route.shift(nothing, &sides(), weight("5%")),
        Err(RouteError::NotEntered { .. })
    ));
    let elsewhere = Sides {
        stable: "x".to_owned(),
        ..sides()
    };
    let error = route.read(nothing, &elsewhere).unwrap_err().to_string();
    assert!(error.contains("they lead to `api`, `web`"), "{error}");
}
