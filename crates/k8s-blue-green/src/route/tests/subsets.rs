//! VirtualService, by subsets of one Service.

use super::*;
use crate::route::subsets::{Division, division, enter, leave, take_over};

fn mesh() -> Value {
    json!({
        "kind": "VirtualService", "metadata": {"name": "web", "namespace": "shop", "uid": "u1"},
        "spec": {"http": [{"route": [{"destination": {"host": "web", "subset": "stable"}}]}]},
    })
}

fn rule() -> Value {
    json!({
        "kind": "DestinationRule", "metadata": {"name": "web-rule", "namespace": "shop", "uid": "u2"},
        "spec": {"host": "web.shop.svc.cluster.local", "trafficPolicy": {}, "subsets": [
            {"name": "all", "labels": {}},
            {"name": "stable", "labels": {"color": "blue"}, "trafficPolicy": {"connectionPool": {}}},
        ]},
    })
}

fn service(selector: Value) -> Value {
    json!({"kind": "Service", "metadata": {"name": "web"}, "spec": {"selector": selector}})
}

fn divided() -> Division {
    let found = division(
        &mesh(),
        &[rule()],
        &service(json!({"app": "web"})),
        &sides(),
        "color",
    );
    found.unwrap().unwrap()
}

#[test]
fn subsets_that_tell_colours_apart_divide() {
    assert_eq!(
        divided(),
        Division {
            rule: "web-rule".to_owned(),
            stable: "stable".to_owned(),
            canary: "stable-canary".to_owned(),
        }
    );
    let both = service(json!({"app": "web"}));
    let missing = division(&mesh(), &[], &both, &sides(), "color");
    assert!(matches!(missing, Err(RouteError::NoSubset { .. })));
    let one = division(
        &mesh(),
        &[rule()],
        &service(json!({"color": "blue"})),
        &sides(),
        "color",
    );
    assert!(matches!(one, Err(RouteError::OneVersion { .. })));
    let mut several = mesh();
    let routes = several["spec"]["http"].as_array_mut().unwrap();
    routes.push(json!({"route": [{"destination": {"host": "web", "subset": "v2"}}]}));
    let several = division(&several, &[rule()], &both, &sides(), "color");
    assert!(several.unwrap_err().to_string().contains("`stable`, `v2`"));
    // Subsets of something else leave it to Services.
    assert_eq!(division(&mesh(), &[rule()], &both, &sides(), "version"), Ok(None));
    let mut plain = mesh();
    plain["spec"]["http"][0]["route"][0]["destination"] = json!({"host": "web"});
    assert_eq!(division(&plain, &[rule()], &both, &sides(), "color"), Ok(None));
}

#[test]
fn a_subset_comes_takes_over_and_goes() {
    let division = divided();
    let with = patched(
        &rule(),
        &enter(&rule(), &division, "color", "green").unwrap().unwrap(),
    )
    .unwrap();
    assert_eq!(
        with["spec"]["subsets"][2],
        json!({"name": "stable-canary", "labels": {"color": "green"}, "trafficPolicy": {"connectionPool": {}}})
    );
    assert_eq!(enter(&with, &division, "color", "green"), Ok(None));
    assert!(matches!(
        enter(&with, &division, "color", "red"),
        Err(RouteError::SubsetThere { .. })
    ));
    let taken = take_over(&with, &division, "color", "green").unwrap().unwrap();
    let taken = patched(&with, &taken).unwrap();
    assert_eq!(taken["spec"]["subsets"][1]["labels"], json!({"color": "green"}));
    assert_eq!(take_over(&taken, &division, "color", "green"), Ok(None));
    let back = take_over(&taken, &division, "color", "blue").unwrap().unwrap();
    let back = patched(&taken, &back).unwrap();
    assert_eq!(patched(&back, &leave(&back, &division).unwrap()).unwrap(), rule());
    assert_eq!(leave(&rule(), &division), None);
    // What somebody else changed meanwhile is not written over.
    let late = enter(&rule(), &division, "color", "green").unwrap().unwrap();
    let mut other = rule();
    other["spec"]["subsets"][1]["labels"]["color"] = "green".into();
    assert!(patched(&other, &late).is_err());
}

#[test]
fn a_route_is_divided_by_subset() {
    let (route, sides) = (
        route("virtualservice/web"),
        Sides {
            subset: Some(divided().canary),
            ..sides()
        },
    );
    let before = mesh();
    let change = route
        .enter(seen(&before), &sides, Some(&header()), &Labels::new())
        .unwrap();
    let now = sent(&before, change);
    assert_eq!(
        now["spec"]["http"][1]["route"],
        json!([
            {"destination": {"host": "web", "subset": "stable"}, "weight": 100},
            {"destination": {"host": "web", "subset": "stable-canary"}, "weight": 0},
        ])
    );
    assert_eq!(
        now["spec"]["http"][0]["route"][0]["destination"]["subset"],
        "stable-canary"
    );
    let change = route.shift(seen(&now), &sides, weight("30%")).unwrap().unwrap();
    let up = sent(&now, change);
    assert_eq!(route.read(seen(&up), &sides).unwrap().percent(), 30.0);
    let down = sent(
        &up,
        route.shift(seen(&up), &sides, Weight::NONE).unwrap().unwrap(),
    );
    let change = route.leave(seen(&down), &sides).unwrap().unwrap();
    assert_eq!(sent(&down, change), before);
    // The canary's subset is not taken for the one that has the traffic.
    let again = division(&now, &[rule()], &service(json!({"app": "web"})), &sides, "color");
    assert_eq!(again, Ok(Some(divided())));
}
