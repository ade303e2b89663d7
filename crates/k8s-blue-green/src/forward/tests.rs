//! Ports that lead into the pods of a stand-in, over HTTPS and WebSockets.

use gha::edge::testing::runner_of;
use sandbox::http::{Reply, Script, Server};
use sandbox::stand_ins::aws::{Clock, Turn};
use sandbox::stand_ins::kubernetes::{Cluster, Fault, Login, Role, User};
use serde_json::json;

use super::*;
use crate::{access, cli};

/// A cluster with ready pods of these names.
fn cluster(pods: &[&str]) -> Cluster {
    let cluster = Cluster::open(Clock::compressed(60)).unwrap();
    for pod in pods {
        cluster.world(|world| {
            world.put(json!({
                "apiVersion": "v1", "kind": "Pod", "metadata": {"name": pod, "namespace": "default"},
                "spec": {"containers": [{"name": "web", "image": "web:1"}]},
            }));
        });
    }
    let is_running = |name: &&str, world: &sandbox::stand_ins::kubernetes::World| {
        world
            .get("pods", "default", name)
            .is_some_and(|pod| pod["status"]["phase"] == "Running")
    };
    assert!(cluster.until(Duration::from_secs(60), |world| {
        pods.iter().all(|name| is_running(name, world))
    }));
    cluster
}

async fn api(content: &str) -> Api {
    let (runner, _) = runner_of(cli::INTERFACE, &[("KUBE_CONFIG", content)]);
    Api::new(
        access::client(&cli::Place::default(), &runner)
            .await
            .unwrap()
            .client,
    )
}

async fn of(cluster: &Cluster) -> Api {
    api(&cluster.kubeconfig(Login::Token).unwrap()).await
}

fn names(pods: &[&str]) -> Vec<String> {
    pods.iter().map(|pod| (*pod).to_owned()).collect()
}

async fn asked(forward: &Forward) -> io::Result<String> {
    let mut stream = TcpStream::connect(forward.address()).await?;
    stream
        .write_all(b"GET / HTTP/1.1\r\nhost: web\r\nconnection: close\r\n\r\n")
        .await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

#[tokio::test]
async fn connections_take_turns_among_the_pods_and_pass_over_what_is_gone() {
    let cluster = cluster(&["web-1", "web-2"]);
    let servers =
        ["one", "two"].map(|word| Server::start(Script::new().any([Reply::text(200, word)])).unwrap());
    cluster.listen("web-1", 8080, servers[0].address());
    cluster.listen("web-2", 8080, servers[1].address());
    let forward = open(
        &of(&cluster).await,
        "default",
        names(&["web-0", "web-1", "web-2"]),
        8080,
    )
    .await
    .unwrap();
    assert!(forward.url().starts_with("http://127.0.0.1:"));
    for _ in 0..6 {
        asked(&forward).await.unwrap();
    }
    let counts = servers.each_ref().map(|server| server.requests().len());
    assert!(
        counts[0] >= 2 && counts[1] >= 2 && counts[0] + counts[1] == 6,
        "{counts:?}"
    );
    cluster.world(|world| world.delete("pods", "default", "web-1"));
    for _ in 0..3 {
        assert!(asked(&forward).await.unwrap().ends_with("two"));
    }
    assert_eq!(forward.trouble(), None);
}

#[tokio::test]
async fn a_near_end_that_writes_no_more_still_hears_the_answer() {
    let cluster = cluster(&["web-1"]);
    let body = "x".repeat(300_000);
    let server =
        Server::start(Script::new().any([Reply::text(200, body.clone()).delay(Duration::from_millis(50))]))
            .unwrap();
    cluster.listen("web-1", 8080, server.address());
    let forward = open(&of(&cluster).await, "default", names(&["web-1"]), 8080)
        .await
        .unwrap();
    let mut stream = TcpStream::connect(forward.address()).await.unwrap();
    stream
        .write_all(b"GET / HTTP/1.1\r\nhost: web\r\nconnection: close\r\n\r\n")
        .await
        .unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with(&body), "{}", answer.len());
}

#[tokio::test]
async fn a_port_that_nothing_listens_at_is_told() {
    let cluster = cluster(&["web-1"]);
    let forward = open(&of(&cluster).await, "default", names(&["web-1"]), 9)
        .await
        .unwrap();
    assert_eq!(asked(&forward).await.unwrap_or_default(), "");
    // The connection is closed before its reason is noted.
    while forward.trouble().is_none() {
        tokio::task::yield_now().await;
    }
    let why = forward.trouble().unwrap();
    assert!(
        why.starts_with("pod `web-1`: error forwarding port 9") && why.contains("connection refused"),
        "{why}"
    );
}

#[tokio::test]
async fn what_is_not_permitted_is_told_at_once() {
    let cluster = cluster(&["web-1"]);
    for verbs in [&["get"][..], &["create"]] {
        cluster.allow(
            User::new("deployer", "token-of-deployer").role(Role::nothing().rule(
                "",
                "pods/portforward",
                verbs,
            )),
        );
        let api = api(&cluster.kubeconfig_of("deployer", Login::Token).unwrap()).await;
        let error = open(&api, "default", names(&["web-1"]), 8080).await.unwrap_err();
        let said = error.to_string();
        assert!(
            said.starts_with("not permitted to forward a port to pod `web-1`: "),
            "{said}"
        );
        assert!(
            said.contains("portforward") && error.is_access() && error.help().is_some(),
            "{said}"
        );
    }
}

#[tokio::test]
async fn where_no_pod_takes_one_the_last_reason_is_told() {
    let cluster = cluster(&["web-1"]);
    let api = of(&cluster).await;
    let none = open(&api, "default", Vec::new(), 8080).await.unwrap_err();
    assert_eq!(none.to_string(), "there is no ready pod to forward to");
    let gone = open(&api, "default", names(&["web-8", "web-9"]), 8080)
        .await
        .unwrap_err();
    assert_eq!(
        gone.to_string(),
        "failed to forward port 8080 to pod `web-9`: pods \"web-9\" not found"
    );
    cluster.fault("* pods/portforward *", Turn::Nth(3), Fault::BadGateway);
    let proxy = open(&api, "default", names(&["web-1"]), 8080).await.unwrap_err();
    assert!(
        proxy
            .to_string()
            .starts_with("failed to forward port 8080 to pod `web-1`: "),
        "{proxy}"
    );
    assert!(!proxy.to_string().contains('\n'));
}

#[tokio::test]
async fn nothing_outlives_it() {
    let cluster = cluster(&["web-1"]);
    let server = Server::start(Script::new().any([Reply::hang()])).unwrap();
    cluster.listen("web-1", 8080, server.address());
    let forward = open(&of(&cluster).await, "default", names(&["web-1"]), 8080)
        .await
        .unwrap();
    let mut stream = TcpStream::connect(forward.address()).await.unwrap();
    stream
        .write_all(b"GET / HTTP/1.1\r\nhost: web\r\n\r\n")
        .await
        .unwrap();
    while server.requests().is_empty() {
        tokio::task::yield_now().await;
    }
    let address = forward.address();
    drop(forward);
    let mut rest = Vec::new();
    // It ends, well or not; before that, this would wait for ever.
    let _ = timeout(Duration::from_secs(20), stream.read_to_end(&mut rest))
        .await
        .unwrap();
    assert_eq!(rest, b"");
    assert!(TcpStream::connect(address).await.is_err());
}
