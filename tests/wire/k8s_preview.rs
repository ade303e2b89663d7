//! `k8s-blue-green` and the version that has no traffic yet: gates and the smoke command reach it by a port-forward, and never
//! through a proxy.

use std::fs;

use black_box::Place;
use sandbox::http::{Proxy, Reply, Script, Server};
use sandbox::stand_ins::kubernetes::{Cluster, Fault, Turn};

use crate::k8s_deploy::{SOON, cluster, is_silent, is_silent_about, of_web, replicas, serving, settled};
use crate::process::finish;
use crate::step::outputs;

/// A cluster in which the pods of the next version answer so, and a proxy that would lead to another place.
fn shop(health: Reply) -> (Cluster, Server, Proxy) {
    let cluster = cluster();
    let script = Script::new()
        .on("/health", [health])
        .any([Reply::text(200, "the new shop")]);
    let server = Server::start(script).unwrap();
    cluster.listen("web-green-*", 8080, server.address());
    let elsewhere = Server::start(Script::new().any([Reply::text(200, "the portal of a proxy")])).unwrap();
    let proxy = Proxy::start(elsewhere.address()).unwrap();
    (cluster, server, proxy)
}

/// A gate on the preview.
fn gate(place: &Place) {
    let file = "version: 1
wait: { timeout: 4s, interval: 100ms, targets: [{ http: '{{preview_url}}/health', expect: { status: 200 } }] }
";
    fs::write(place.path().join("gate.yml"), file).unwrap();
}

/// A smoke command that asks the preview, by a client that obeys the environment's proxies.
fn smoke(place: &Place) -> String {
    let script = place.path().join("smoke.py");
    let text = "import os, urllib.request as r
print('seen:', r.urlopen(os.environ['PREVIEW_URL'] + '/').read().decode())
print('no proxy:', os.environ.get('NO_PROXY'), os.environ.get('no_proxy'), os.environ.get('KUBE_CONFIG'))
";
    fs::write(&script, text).unwrap();
    format!("python3 {}", script.display())
}

#[test]
fn gates_and_the_smoke_command_see_the_new_version_and_no_proxy() {
    let (place, (cluster, server, proxy)) = (Place::new(), shop(Reply::text(200, "ok")));
    gate(&place);
    let smoke = smoke(&place);
    let flags = [
        "--image",
        "shop:1.1.0",
        "--gate",
        "gate.yml",
        "--smoke",
        smoke.as_str(),
    ];
    let mut command = of_web(&place, &cluster, "deploy", &[&flags[..], &SOON].concat());
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "ALL_PROXY"] {
        command.env(
            name,
            proxy.url().replace("http://", "http://user:s3cr3t-of-the-proxy@"),
        );
    }
    command.env("NO_PROXY", "registry.example.com");
    let finished = finish(command).expect(0).says(&[
        "seen: the new shop",
        "no proxy: registry.example.com,127.0.0.1 registry.example.com,127.0.0.1 None",
        "the gates let the new version pass",
    ]);
    is_silent(&cluster, &place, &finished);
    is_silent_about(&["s3cr3t-of-the-proxy"], &place, &finished);
    let asked: Vec<String> = server
        .requests()
        .into_iter()
        .map(|request| request.path)
        .collect();
    assert!(
        asked.contains(&"/".to_owned()) && asked.contains(&"/health".to_owned()),
        "{asked:?}"
    );
    assert_eq!(
        proxy.requests().len(),
        0,
        "not even the API server's address, which is here"
    );
    settled(&cluster, "shop:1.1.0");
}

#[test]
fn a_gate_that_says_no_keeps_the_traffic_where_it_is() {
    let (place, (cluster, server, _)) = (Place::new(), shop(Reply::text(500, "no database")));
    gate(&place);
    let flags = ["--image", "shop:1.1.0", "--gate", "gate.yml"];
    let finished = finish(of_web(&place, &cluster, "deploy", &flags))
        .expect(3)
        .says(&[
            "the gate said no",
            "500",
            "no traffic had moved, `web-blue` serves",
        ]);
    is_silent(&cluster, &place, &finished);
    assert!(!server.requests().is_empty());
    assert_eq!(serving(&cluster), ["shop:1.0.0"]);
    assert_eq!(outputs(&place)["status"], "failed");
    assert_eq!(replicas(&cluster, "web-green"), Some(0));
}

#[test]
fn a_smoke_command_that_fails_keeps_the_traffic_where_it_is() {
    let (place, (cluster, _, _)) = (Place::new(), shop(Reply::text(200, "ok")));
    let flags = [
        "--image",
        "shop:1.1.0",
        "--smoke",
        "sh -c 'echo the cart is empty; exit 4'",
    ];
    finish(of_web(&place, &cluster, "deploy", &flags))
        .expect(3)
        .says(&[
            "the smoke command failed: smoke: `sh` exited with 4: `the cart is empty`",
            "no traffic had moved, `web-blue` serves",
        ]);
    assert_eq!(serving(&cluster), ["shop:1.0.0"]);
}

#[test]
fn a_preview_that_may_not_be_looked_at_is_told_so() {
    let (place, (cluster, _, _)) = (Place::new(), shop(Reply::text(200, "ok")));
    cluster.fault("* pods/portforward", Turn::Every, Fault::Denied);
    let flags = ["--image", "shop:1.1.0", "--smoke", "true"];
    finish(of_web(&place, &cluster, "deploy", &flags))
        .says(&["pods/portforward", "no traffic had moved, `web-blue` serves"]);
    assert_eq!(serving(&cluster), ["shop:1.0.0"]);
}
