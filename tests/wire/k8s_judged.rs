//! `k8s-blue-green` and what judges: several Services of which one version is no good, and rolling deploys, whose judges are programs
//! and watches in real time.

use std::fs;
use std::time::Duration;

use black_box::Place;
use sandbox::http::{Reply, Script, Server};
use sandbox::stand_ins::kubernetes::Cluster;
use serde_json::json;

use crate::k8s_deploy::{cluster, deployment, replicas, serving, settled, step, writes};
use crate::process::{Finished, finish};
use crate::step::{ledger, outputs};

/// The Service `web`, and `api` beside it with a Deployment of its own, of which the next pods of `web` answer a
/// preview.
fn two() -> (Cluster, Server) {
    let cluster = cluster();
    let labels = json!({ "app": "api", "color": "blue" });
    cluster.world(|world| {
        world.put(deployment("api-blue", &labels));
        world.put(json!({
            "apiVersion": "v1", "kind": "Service", "metadata": { "name": "api", "namespace": "default" },
            "spec": { "selector": labels, "ports": [{ "name": "http", "port": 80, "targetPort": "http" }] },
        }));
    });
    for _ in 0..60 {
        if behind_api(&cluster) == ["shop:1.0.0"] {
            break;
        }
        cluster.skip(Duration::from_secs(1));
    }
    let server = Server::start(Script::new().any([Reply::text(200, "ok")])).unwrap();
    cluster.listen("web-green-*", 8080, server.address());
    (cluster, server)
}

fn behind_api(cluster: &Cluster) -> Vec<String> {
    let shares = cluster.world(|world| world.shares("default", "api"));
    shares.into_iter().map(|(image, _)| image).collect()
}

fn deploy_both(place: &Place, cluster: &Cluster, flags: &[&str]) -> Finished {
    let both = ["--service", "web", "--service", "api", "--image", "shop:1.1.0"];
    finish(step(place, cluster, "deploy", &[&both[..], flags].concat()))
}

/// Both lead to the old version as before, and no pod of a new one is left.
#[track_caller]
fn all_are_back(cluster: &Cluster) {
    settled(cluster, "shop:1.0.0");
    assert_eq!(behind_api(cluster), ["shop:1.0.0"]);
    for name in ["web", "api"] {
        let selector = cluster.world(|world| {
            let service = world.get("services", "default", name).unwrap();
            service["spec"]["selector"].clone()
        });
        assert_eq!(selector, json!({ "app": name, "color": "blue" }));
        assert_eq!(replicas(cluster, &format!("{name}-green")), Some(0), "{name}");
    }
}

#[test]
fn each_new_version_is_judged_and_one_that_is_no_good_keeps_all_where_they_are() {
    for fails in ["api", "web", "nobody"] {
        let (place, (cluster, _server)) = (Place::new(), two());
        let smoke =
            format!("sh -c 'echo $PREVIEW_SERVICE $PREVIEW_URL >> seen; test $PREVIEW_SERVICE != {fails}'");
        let finished = deploy_both(
            &place,
            &cluster,
            &["--smoke", &smoke, "--soak", "0s", "--drain", "10m"],
        );
        let seen = place.read("seen");
        let services: Vec<&str> = seen.lines().filter_map(|line| line.split(' ').next()).collect();
        if fails == "nobody" {
            finished.expect(0);
            assert_eq!(services, ["web", "api"]);
            settled(&cluster, "shop:1.1.0");
            assert_eq!(behind_api(&cluster), ["shop:1.1.0"]);
            continue;
        }
        finished
            .expect(3)
            .says(&["the smoke command failed", "no traffic had moved"]);
        // The first that is no good ends it.
        let asked: &[&str] = if fails == "web" { &["web"] } else { &["web", "api"] };
        assert_eq!(services, asked, "{fails}");
        all_are_back(&cluster);
        assert_eq!(outputs(&place)["status"], "failed");
    }
}

#[test]
fn a_gate_file_on_the_preview_looks_at_each_new_version() {
    let (place, (cluster, good)) = (Place::new(), two());
    let bad = Server::start(Script::new().any([Reply::text(500, "no database")])).unwrap();
    cluster.listen("api-green-*", 8080, bad.address());
    let file = "version: 1
wait: { timeout: 3s, interval: 100ms, targets: [{ http: '{{preview_url}}/{{service}}', expect: { status: 200 } }] }
";
    fs::write(place.path().join("gate.yml"), file).unwrap();
    deploy_both(&place, &cluster, &["--gate", "gate.yml"])
        .expect(3)
        .says(&["the gate said no", "500", "no traffic had moved"]);
    let paths = |server: &Server| -> Vec<String> {
        let mut paths: Vec<String> = server
            .requests()
            .into_iter()
            .map(|request| request.path)
            .collect();
        paths.dedup();
        paths
    };
    assert_eq!(
        (paths(&good), paths(&bad)),
        (vec!["/web".to_owned()], vec!["/api".to_owned()])
    );
    all_are_back(&cluster);
}

#[test]
fn the_second_gate_that_says_no_in_the_soak_takes_all_of_them_back() {
    let (place, (cluster, good)) = (Place::new(), two());
    let bad = Server::start(Script::new().any([Reply::text(500, "no database")])).unwrap();
    for (name, url) in [("web.yml", good.url("/")), ("api.yml", bad.url("/"))] {
        let file = format!(
            "version: 1
watch:
  duration: 3s
  probe: {{ http: '{url}', rate: 20/s }}
  rules: [{{ name: errors, from: probe, require: 'error_rate < 50%', abort: 'count(5xx) >= 3' }}]
"
        );
        fs::write(place.path().join(name), file).unwrap();
    }
    let gates = ["--gate", "web.yml", "--gate", "api.yml", "--soak", "4s"];
    deploy_both(&place, &cluster, &gates)
        .expect(3)
        .says(&["the gate said no: api.yml"]);
    let switched = writes(&cluster);
    for service in ["web", "api"] {
        let patch = format!("patch services {service}");
        assert!(
            switched.iter().filter(|write| **write == patch).count() >= 2,
            "{switched:?}"
        );
    }
    all_are_back(&cluster);
    assert_eq!(outputs(&place)["status"], "rolled-back");
    let line = ledger(&place).pop().unwrap();
    assert!(line["facts"]["way-back-ms"].is_u64(), "{line}");
}

#[test]
fn the_smoke_command_judges_a_rolling_deploy_when_it_is_complete() {
    let (place, cluster) = (Place::new(), cluster());
    let rolling = |image: &'static str, smoke: &str| {
        let flags = [
            "--strategy",
            "rolling",
            "--workload",
            "deployment/web-blue",
            "--image",
            image,
            "--smoke",
            smoke,
        ];
        finish(step(&place, &cluster, "deploy", &flags))
    };
    // There is no preview, and what it judges has the traffic.
    let passes = "sh -c 'echo $PREVIEW_IMAGE url=$PREVIEW_URL. > seen; test $PREVIEW_IMAGE = shop:1.1.0'";
    rolling("shop:1.1.0", passes).expect(0);
    assert_eq!(place.read("seen"), "shop:1.1.0 url=.\n");
    settled(&cluster, "shop:1.1.0");
    assert_eq!(outputs(&place)["status"], "deployed");
    rolling("shop:1.2.0", "sh -c 'echo the cart is empty; exit 4'")
        .expect(3)
        .says(&["the smoke command failed: smoke: `sh` exited with 4: `the cart is empty`"]);
    assert_eq!(serving(&cluster), ["shop:1.1.0"]);
    assert_eq!(outputs(&place)["status"], "rolled-back");
    let image = cluster.world(|world| {
        let found = world.get("deployments", "default", "web-blue").unwrap();
        found["spec"]["template"]["spec"]["containers"][0]["image"].clone()
    });
    assert_eq!(image, "shop:1.1.0");
}
