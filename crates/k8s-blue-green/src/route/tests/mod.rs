//! Changes of routes, applied as a server applies them.

use serde_json::{Value, json};

use super::*;

mod any;
mod cluster;
mod gateway;
mod istio;
mod nginx;
mod subsets;

fn route(text: &str) -> Route {
    match text.parse().unwrap() {
        Divider::Route(route) => route,
        Divider::Pods => panic!("{text} is no route"),
    }
}

fn sides() -> Sides {
    Sides {
        namespace: "shop".to_owned(),
        stable: "web".to_owned(),
        canary: "web-canary".to_owned(),
    }
}

fn header() -> Header {
    "canary: true".parse().unwrap()
}

fn weight(text: &str) -> Weight {
    text.parse().unwrap()
}

fn seen(object: &Value) -> Seen<'_> {
    Seen {
        object,
        ingresses: &[],
    }
}

fn operations(change: Change) -> Value {
    match change {
        Change::Patch { operations, .. } => operations,
        other => panic!("{other:?}"),
    }
}

/// A patch as a server does it: all or nothing, and a map of annotations that is empty is not stored.
fn patched(object: &Value, operations: &Value) -> Result<Value, json_patch::PatchError> {
    let patch: json_patch::Patch = serde_json::from_value(operations.clone()).unwrap();
    let mut after = object.clone();
    json_patch::patch(&mut after, &patch)?;
    if after.pointer("/metadata/annotations") == Some(&json!({})) {
        after["metadata"]
            .as_object_mut()
            .unwrap()
            .shift_remove("annotations");
    }
    Ok(after)
}

fn sent(object: &Value, change: Change) -> Value {
    patched(object, &operations(change)).unwrap()
}

fn entered(route: &Route, object: &Value, header: Option<&Header>) -> Value {
    let change = route
        .enter(seen(object), &sides(), header, &Labels::new())
        .unwrap();
    sent(object, change)
}

fn shifted(route: &Route, object: &Value, to: &str) -> Value {
    let to = if to == "0%" { Weight::NONE } else { weight(to) };
    match route.shift(seen(object), &sides(), to).unwrap() {
        Some(change) => sent(object, change),
        None => object.clone(),
    }
}

fn left(route: &Route, object: &Value) -> Value {
    let change = route.leave(seen(object), &sides()).unwrap();
    sent(object, change.unwrap())
}

#[test]
fn routes_by_name() {
    for (text, provider, rules) in [
        ("httproute/web", Provider::HttpRoute, Rules::Obvious),
        ("grpcroute/web/*", Provider::GrpcRoute, Rules::All),
        (
            "virtualservice/web/main,api",
            Provider::VirtualService,
            Rules::Named(vec!["main".to_owned(), "api".to_owned()]),
        ),
        ("ingress/web", Provider::Ingress, Rules::Obvious),
    ] {
        let read: Divider = text.parse().unwrap();
        let name = "web".to_owned();
        assert_eq!(
            read,
            Divider::Route(Route {
                provider,
                name,
                rules
            })
        );
        assert_eq!(read.to_string(), text);
    }
    assert_eq!("pods".parse(), Ok(Divider::Pods));
    assert_eq!(Divider::Pods.to_string(), "pods");
    for text in [
        "",
        "web",
        "httproute",
        "httproute/",
        "trafficsplit/web",
        "ingress/web/x",
        "httproute/web/",
        "httproute/web/a,,b",
        "pods/web",
    ] {
        assert!(text.parse::<Divider>().is_err(), "{text}");
    }
}
