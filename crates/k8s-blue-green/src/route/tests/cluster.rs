//! Against a cluster: the shares of requests follow the weights.

use sandbox::http::Request;
use sandbox::stand_ins::kubernetes::{Clock, Cluster, Heard};

use super::*;

fn cluster(route: Value) -> Cluster {
    let cluster = Cluster::unheard(Clock::manual());
    let deployment = |color: &str, image: &str| {
        let labels = json!({"app": "web", "color": color});
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": format!("web-{color}"), "namespace": "shop"},
            "spec": {"replicas": 2, "selector": {"matchLabels": labels}, "template": {
                "metadata": {"labels": labels}, "spec": {"containers": [{"name": "web", "image": image, "ports": [{"containerPort": 8080}]}]},
            }},
        })
    };
    let service = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"selector": {"app": "web", "color": "blue"}, "ports": [{"name": "http", "port": 80, "targetPort": 8080, "protocol": "TCP"}]},
    });
    let green = [("app", "web"), ("color", "green")].map(|(key, value)| (key.to_owned(), value.to_owned()));
    let canary = canary_service::of(&service, &sides(), &green.into(), &Labels::new());
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}});
    cluster.world(|world| {
        for object in [
            namespace,
            deployment("blue", "shop:1"),
            deployment("green", "shop:2"),
            service,
            canary,
            route,
        ] {
            world.put(object);
        }
    });
    cluster.skip(Duration::from_secs(10));
    cluster
}

fn send(cluster: &Cluster, route: &Route, change: Change) -> u16 {
    let (method, kind, path, body) = match change {
        Change::Patch {
            kind,
            name,
            operations,
        } => (
            "PATCH",
            "application/json-patch+json",
            kind.address("shop", &name),
            operations,
        ),
        Change::Create { kind, object } => ("POST", "application/json", kind.collection("shop"), object),
        Change::Delete { kind, name, uid } => {
            let body = json!({"kind": "DeleteOptions", "apiVersion": "v1", "preconditions": {"uid": uid}});
            ("DELETE", "application/json", kind.address("shop", &name), body)
        }
    };
    let token = format!("Bearer {}", cluster.token());
    let request = Request {
        method: method.to_owned(),
        path,
        headers: vec![
            ("authorization".to_owned(), token),
            ("content-type".to_owned(), kind.to_owned()),
        ],
        body: body.to_string().into_bytes(),
        at: Duration::ZERO,
    };
    match cluster.hear(&request) {
        Heard::Answer { status, .. } => status,
        other => panic!("{route}: {other:?}"),
    }
}

fn now(cluster: &Cluster, route: &Route) -> Value {
    let plural = route.kind().plural;
    cluster.world(|world| world.get(&plural, "shop", &route.name).unwrap().clone())
}

/// The share of the new version in percent.
fn share(cluster: &Cluster, route: &Route) -> f64 {
    let plural = route.kind().plural;
    let shares = cluster.world(|world| world.route_shares(&plural, "shop", &route.name));
    let whole: f64 = shares.iter().map(|(_, share)| share).sum();
    assert!(
        (whole - 1.0).abs() < 1e-9 && shares.iter().all(|(image, _)| !image.is_empty()),
        "{shares:?}"
    );
    let new = shares.iter().find(|(image, _)| image == "shop:2");
    new.map_or(0.0, |(_, share)| share * 100.0)
}

fn goes_up_and_back(route: &Route, object: Value) {
    let cluster = cluster(object);
    let before = now(&cluster, route);
    let change = route
        .enter(seen(&before), &sides(), Some(&header()), &Labels::new())
        .unwrap();
    assert_eq!(send(&cluster, route, change.clone()), 200);
    assert_eq!(send(&cluster, route, change), 422, "a patch is not done twice");
    assert_eq!(share(&cluster, route), 0.0);
    for to in ["5%", "12.5%", "50%", "100%"] {
        let change = route
            .shift(seen(&now(&cluster, route)), &sides(), weight(to))
            .unwrap()
            .unwrap();
        if route.provider == Provider::HttpRoute {
            assert_eq!(send(&cluster, route, change), 200);
            assert!(matches!(route.taken(&now(&cluster, route)), Taken::Waiting(_)));
            cluster.skip(Duration::from_secs(2));
            assert_eq!(route.taken(&now(&cluster, route)), Taken::Accepted);
        } else {
            assert_eq!(send(&cluster, route, change), 200);
        }
        assert!(
            (share(&cluster, route) - weight(to).percent()).abs() < 1e-9,
            "{to}"
        );
    }
    let stale = now(&cluster, route);
    let down = route
        .shift(seen(&stale), &sides(), Weight::NONE)
        .unwrap()
        .unwrap();
    assert_eq!(send(&cluster, route, down), 200);
    assert_eq!(share(&cluster, route), 0.0);
    // What was read before the way down can't raise it again.
    let up = route
        .shift(seen(&stale), &sides(), weight("50%"))
        .unwrap()
        .unwrap();
    assert_eq!(send(&cluster, route, up), 422);
    let leave = route
        .leave(seen(&now(&cluster, route)), &sides())
        .unwrap()
        .unwrap();
    assert_eq!(send(&cluster, route, leave), 200);
    assert_eq!(now(&cluster, route)["spec"], before["spec"]);
    assert!(
        now(&cluster, route)
            .pointer("/metadata/annotations")
            .is_none_or(|all| *all == json!({}))
    );
    cluster.skip(Duration::from_secs(2));
    assert_eq!(share(&cluster, route), 0.0);
}

#[test]
fn the_shares_of_an_http_route_follow() {
    let object = json!({
        "apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"parentRefs": [{"name": "edge"}], "rules": [{"backendRefs": [{"name": "web", "port": 80}]}]},
    });
    goes_up_and_back(&route("httproute/web"), object);
}

#[test]
fn the_shares_of_a_virtual_service_follow() {
    let object = json!({
        "apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"hosts": ["web"], "http": [{"route": [{"destination": {"host": "web"}}]}]},
    });
    goes_up_and_back(&route("virtualservice/web"), object);
}

#[test]
fn a_server_takes_the_second_ingress() {
    let main = json!({
        "apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"ingressClassName": "nginx", "rules": [{"host": "a.example", "http": {"paths": [
            {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "web", "port": {"number": 80}}}},
        ]}}]},
    });
    let (cluster, route) = (cluster(main), route("ingress/web"));
    let main = now(&cluster, &route);
    let all = || {
        cluster.world(|world| {
            world
                .list("ingresses", "shop")
                .into_iter()
                .cloned()
                .collect::<Vec<_>>()
        })
    };
    let change = {
        let ingresses = all();
        let seen = Seen {
            object: &main,
            ingresses: &ingresses,
        };
        route
            .enter(seen, &sides(), Some(&header()), &Labels::new())
            .unwrap()
    };
    assert_eq!(send(&cluster, &route, change), 201);
    for to in [weight("12.5%"), weight("50%"), Weight::NONE] {
        let ingresses = all();
        let seen = Seen {
            object: &main,
            ingresses: &ingresses,
        };
        let change = route.shift(seen, &sides(), to).unwrap().unwrap();
        assert_eq!(send(&cluster, &route, change), 200);
        let ingresses = all();
        let seen = Seen {
            object: &main,
            ingresses: &ingresses,
        };
        assert!(route.read(seen, &sides()).unwrap().is_at(to));
    }
    let ingresses = all();
    let seen = Seen {
        object: &main,
        ingresses: &ingresses,
    };
    let change = route.leave(seen, &sides()).unwrap().unwrap();
    assert_eq!(send(&cluster, &route, change), 200);
    assert_eq!(all().len(), 1);
}
