//! Routes that nobody thought of.

use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop, prop_oneof, proptest};

use super::*;
use crate::route::subsets as parts;

/// Any JSON, of names and keys that routes have.
fn any_of_routes() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        prop::sample::select(vec![
            "web",
            "web-canary",
            "web.shop",
            "api",
            "",
            "Service",
            "true"
        ])
        .prop_map(Value::from),
    ];
    let keys = vec![
        "metadata",
        "spec",
        "rules",
        "http",
        "route",
        "backendRefs",
        "destination",
        "host",
        "subset",
        "name",
        "weight",
        "match",
        "matches",
        "headers",
        "canary",
        "kind",
        "uid",
        "annotations",
        ORIGINAL,
        "paths",
        "backend",
        "service",
        "subsets",
        "labels",
        "status",
        "parents",
        "conditions",
        "parentRefs",
    ];
    leaf.prop_recursive(6, 60, 6, move |inner| {
        let key = prop::sample::select(keys.clone());
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((key, inner), 0..6).prop_map(|fields| {
                fields
                    .into_iter()
                    .map(|(key, value)| (key.to_owned(), value))
                    .collect()
            }),
        ]
    })
}

/// A foreign field of a destination or a rule.
fn extra() -> impl Strategy<Value = Option<(&'static str, u32)>> {
    prop::option::of((
        prop::sample::select(vec!["filters", "timeouts", "x-new"]),
        any::<u32>(),
    ))
}

fn with_extra(mut object: Value, extra: Option<(&str, u32)>) -> Value {
    if let Some((key, value)) = extra {
        object[key] = json!({"deep": [value]});
    }
    object
}

/// Destinations in a rule: at most one of the Service, any of others, weights or none.
fn destinations(is_mesh: bool) -> impl Strategy<Value = Value> {
    let weight = prop::option::of(0u32..1000);
    let other = (
        prop::sample::select(vec!["api", "static", "webs"]),
        weight.clone(),
        extra(),
    );
    let own = prop::option::of((prop::option::of(1u32..1000), extra()));
    (vec(other, 0..3), own, any::<prop::sample::Index>()).prop_map(move |(others, own, at)| {
        let one = |name: &str, weight: Option<u32>, extra| {
            let mut one = match is_mesh {
                true => json!({"destination": {"host": name, "port": {"number": 80}}}),
                false => json!({"name": name, "port": 80}),
            };
            if let Some(weight) = weight {
                one["weight"] = weight.into();
            }
            with_extra(one, extra)
        };
        let mut all: Vec<Value> = others
            .into_iter()
            .map(|(name, weight, extra)| one(name, weight, extra))
            .collect();
        if let Some((weight, extra)) = own {
            // Among several, a destination of Istio without a weight has none, which is refused.
            let weight = if is_mesh { weight.or(Some(100)) } else { weight };
            all.insert(at.index(all.len() + 1), one("web", weight, extra));
        }
        all.into()
    })
}

fn any_route(is_mesh: bool) -> impl Strategy<Value = Value> {
    let matches = prop::option::of(prop::sample::select(vec!["/", "/api", "/web"]));
    let rule = (destinations(is_mesh), matches, extra());
    let annotations = prop::option::of(prop::sample::select(vec!["a", "deploy-actions/x"]));
    (vec(rule, 0..6), annotations, extra()).prop_map(move |(rules, annotations, more)| {
        let rules: Value = rules
            .into_iter()
            .map(|(destinations, path, extra)| {
                let (key, matches) = match is_mesh {
                    true => ("route", "match"),
                    false => ("backendRefs", "matches"),
                };
                let mut rule = json!({});
                rule[key] = destinations;
                if let Some(path) = path {
                    rule[matches] = json!([{"path": {"value": path}}]);
                }
                with_extra(rule, extra)
            })
            .collect();
        let mut object = json!({"kind": "Route", "metadata": {"name": "r", "uid": "u", "resourceVersion": "1"}, "spec": {"hosts": ["h"]}});
        object["spec"][if is_mesh { "http" } else { "rules" }] = rules;
        if let Some(key) = annotations {
            object["metadata"]["annotations"] = json!({key: "b"});
        }
        with_extra(object, more)
    })
}

/// A route without what is ours: the canary's destinations and rules, the Service's weights and the annotation.
fn foreign(object: &Value, is_mesh: bool) -> Value {
    let mut rest = object.clone();
    let (rules, destinations) = if is_mesh {
        ("http", "route")
    } else {
        ("rules", "backendRefs")
    };
    let name = |one: &Value| -> String {
        let name = if is_mesh {
            &one["destination"]["host"]
        } else {
            &one["name"]
        };
        name.as_str().unwrap_or_default().to_owned()
    };
    let all = rest["spec"][rules].as_array_mut().unwrap();
    for rule in all.iter_mut() {
        let own = rule[destinations].as_array_mut().unwrap();
        own.retain(|one| name(one) != "web-canary");
        for one in own.iter_mut().filter(|one| name(one) == "web") {
            one.as_object_mut().unwrap().shift_remove("weight");
        }
    }
    // The rules that were added for the header have nothing left.
    all.retain(|rule| rule[destinations] != json!([]) || rule.to_string().find("\"canary\"").is_none());
    if let Some(annotations) = rest["metadata"].get_mut("annotations") {
        annotations.as_object_mut().unwrap().shift_remove(ORIGINAL);
    }
    if rest["metadata"].get("annotations") == Some(&json!({})) {
        rest["metadata"]
            .as_object_mut()
            .unwrap()
            .shift_remove("annotations");
    }
    rest
}

/// Goes through a canary and back; says whether the route was one.
fn there_and_back(route: &Route, before: &Value, is_mesh: bool, with_header: bool, shares: &[u16]) -> bool {
    let header = header();
    let header = with_header.then_some(&header);
    let Ok(change) = route.enter(seen(before), &sides(), header, &Labels::new()) else {
        return false;
    };
    let mut now = sent(before, change);
    assert_eq!(foreign(&now, is_mesh), foreign(before, is_mesh));
    for tenths in shares {
        let share = Weight::of_tenths(*tenths).unwrap();
        match route.shift(seen(&now), &sides(), share) {
            Ok(Some(change)) => now = sent(&now, change),
            Ok(None) => {}
            Err(RouteError::TooCoarse { .. }) => continue,
            Err(other) => panic!("{other}"),
        }
        assert_eq!(foreign(&now, is_mesh), foreign(before, is_mesh));
        assert!(route.read(seen(&now), &sides()).unwrap().is_at(share));
    }
    if let Some(change) = route.shift(seen(&now), &sides(), Weight::NONE).unwrap() {
        now = sent(&now, change);
    }
    // As the bytes are, not only the values: the order of fields counts where nothing is ours.
    let after = left(route, &now);
    assert_eq!(&after, before);
    assert_eq!(
        foreign(&after, is_mesh).to_string(),
        foreign(before, is_mesh).to_string()
    );
    assert_eq!(route.leave(seen(&after), &sides()), Ok(None));
    true
}

#[test]
fn most_routes_of_these_can_be_divided() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut divided = 0;
    for _ in 0..200 {
        let object = proptest::strategy::ValueTree::current(&any_route(false).new_tree(&mut runner).unwrap());
        divided += u32::from(there_and_back(
            &route("httproute/r"),
            &object,
            false,
            false,
            &[50],
        ));
    }
    assert!(divided > 100, "{divided}");
}

proptest! {
    #[test]
    fn a_gateways_route_comes_back_as_it_was(object in any_route(false), header in any::<bool>(), shares in vec(0u16..=1000, 0..4)) {
        there_and_back(&route("httproute/r"), &object, false, header, &shares);
    }

    #[test]
    fn a_route_of_the_mesh_comes_back_as_it_was(object in any_route(true), header in any::<bool>(), shares in vec(0u16..=1000, 0..4)) {
        there_and_back(&route("virtualservice/r/*"), &object, true, header, &shares);
    }

    #[test]
    fn any_object_is_read_without_a_panic(object in any_of_routes(), beside in any_of_routes(), other in crate::object::any_json(), tenths in 0u16..=1000) {
        let share = Weight::of_tenths(tenths).unwrap();
        let ingresses = [beside.clone(), object.clone(), other];
        for name in ["httproute/web", "grpcroute/web/*", "virtualservice/web", "ingress/web"] {
            let (route, seen) = (route(name), Seen { object: &object, ingresses: &ingresses });
            let sides = sides();
            let _ = route.read(seen, &sides);
            let _ = route.enter(seen, &sides, Some(&header()), &Labels::new());
            let _ = route.shift(seen, &sides, share);
            let _ = route.leave(seen, &sides);
            let _ = route.taken(&object);
        }
        let names = parts::named(Seen { object: &object, ingresses: &[] }, &sides());
        for names in [&names[..], &["web".to_owned()]] {
            let _ = parts::are_there(names, [&beside], &sides());
            let _ = parts::open(&beside, names, &Labels::new());
            let _ = parts::of_canary(&beside, names, &sides(), &Labels::new());
        }
        let _ = parts::close(&beside);
        let _ = parts::forget(&beside);
        let _ = canary_service::of(&object, &sides(), &Labels::new(), &Labels::new());
    }

    #[test]
    fn any_words_are_read_without_a_panic(text in any::<String>()) {
        let _ = text.parse::<Divider>();
        let _ = text.parse::<Header>();
    }
}
