//! Weights of routes, as requests see them.

use serde_json::json;

use super::*;

#[test]
fn calls_of_grpc_are_split_and_taken_too() {
    let route = json!({ "apiVersion": "gateway.networking.k8s.io/v1", "kind": "GRPCRoute", "metadata": { "name": "shop" },
        "spec": { "parentRefs": [{ "name": "gateway" }], "rules": [
            { "backendRefs": [{ "name": "web", "port": 80, "weight": 3 }, { "name": "api", "port": 80 }] },
        ] } });
    let cluster = with(&[
        deployment("web", "web:1", 2),
        service("web"),
        deployment("api", "web:2", 1),
        service("api"),
        route,
    ]);
    cluster.skip(Duration::from_secs(10));
    let shares = cluster.world(|world| world.route_shares("grpcroutes", "default", "shop"));
    assert_eq!(shares, [("web:1".to_owned(), 0.75), ("web:2".to_owned(), 0.25)]);
    let taken = cluster.world(|world| {
        let route = world.get("grpcroutes", "default", "shop").unwrap();
        route["status"]["parents"][0]["conditions"][1]["status"].clone()
    });
    assert_eq!(taken, "True");
}

#[test]
fn weights_split_the_requests_and_a_gateway_takes_each_version() {
    let route = json!({ "apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": { "name": "shop" },
        "spec": { "parentRefs": [{ "name": "gateway" }], "rules": [
            { "matches": [{ "headers": [{ "name": "x-canary", "value": "1" }] }], "backendRefs": [{ "name": "api", "port": 80 }] },
            { "backendRefs": [{ "name": "web", "port": 80, "weight": 90 }, { "name": "api", "port": 80, "weight": 10 }] },
        ] } });
    let cluster = with(&[
        deployment("web", "web:1", 2),
        service("web"),
        deployment("api", "web:2", 1),
        service("api"),
        route,
    ]);
    cluster.skip(Duration::from_secs(10));
    let shares = cluster.world(|world| world.route_shares("httproutes", "default", "shop"));
    assert_eq!(shares, [("web:1".to_owned(), 0.9), ("web:2".to_owned(), 0.1)]);
    let taken = |cluster: &Cluster| {
        cluster.world(|world| {
            let route = world.get("httproutes", "default", "shop").unwrap();
            let conditions = object::items(route, "/status/parents/0/conditions");
            let now = object::number(route, "/metadata/generation");
            conditions
                .iter()
                .filter(|known| {
                    known["status"] == "True" && object::number(known, "/observedGeneration") == now
                })
                .count()
        })
    };
    assert_eq!(taken(&cluster), 2);
    cluster.world(|world| {
        world.merge(
            "httproutes",
            "default",
            "shop",
            json!({ "spec": { "hostnames": ["a.example"] } }),
        )
    });
    assert_eq!(taken(&cluster), 0);
    cluster.skip(Duration::from_secs(2));
    assert_eq!(taken(&cluster), 2);
    cluster.world(|world| world.delete("services", "default", "api"));
    cluster.skip(Duration::from_secs(2));
    assert_eq!(taken(&cluster), 1);
}
