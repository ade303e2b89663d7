//! Canaries: the shares of requests while a deploy goes up its steps, and while it is taken back.

use std::time::Duration;

use gha::edge::cancel::Signal;
use gha::{Exit, Status};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::cluster::{Ended, How, World};
use crate::faults::WAYS;
use crate::shop::{blue, object, plain, replicas, selector, serves, serving};

const STEPS: &str = "10% 20s, 50% 20s, 100% 20s";

const DEPLOY: [&str; 13] = [
    "deploy",
    "--service",
    "web",
    "--image",
    "shop:2",
    "--strategy",
    "canary",
    "--route",
    "httproute/web",
    "--steps",
    STEPS,
    "--soak",
    "5s",
];

fn gateway_route() -> Value {
    json!({
        "apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute",
        "metadata": {"name": "web", "namespace": "default", "annotations": {"team": "shop"}},
        "spec": {"parentRefs": [{"name": "edge"}], "rules": [
            {"matches": [{"path": {"type": "PathPrefix", "value": "/"}}], "backendRefs": [{"name": "web", "port": 80}], "timeouts": {"request": "5s"}},
        ]},
    })
}

fn mesh_route() -> Value {
    json!({
        "apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {"name": "web", "namespace": "default"},
        "spec": {"hosts": ["web"], "http": [{"name": "main", "route": [{"destination": {"host": "web"}}], "retries": {"attempts": 2}}]},
    })
}

fn ingress() -> Value {
    json!({
        "apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "web", "namespace": "default"},
        "spec": {"ingressClassName": "nginx", "rules": [{"host": "a.example", "http": {"paths": [
            {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "web", "port": {"number": 80}}}},
        ]}}]},
    })
}

/// A shop whose version has a colour, with an object that routes to it.
async fn shop(route: Value) -> World {
    let world = blue().await;
    world.cluster.world(|cluster| cluster.put(route));
    sleep(Duration::from_secs(5)).await;
    world
}

/// The share of requests through the route that the new version answers, in percent; each request is answered.
#[track_caller]
pub(crate) fn share(world: &World, plural: &str) -> f64 {
    let shares = world
        .cluster
        .world(|cluster| cluster.route_shares(plural, "default", "web"));
    let whole: f64 = shares.iter().map(|(_, share)| share).sum();
    assert!(
        (whole - 1.0).abs() < 1e-9 && shares.iter().all(|(image, _)| image.starts_with("shop:")),
        "{shares:?}"
    );
    let new = shares.iter().find(|(image, _)| image == "shop:2");
    (new.map_or(0.0, |(_, share)| share * 100.0) * 10.0).round() / 10.0
}

/// Runs a command and looks at the shares meanwhile, ten times a second.
pub(crate) async fn watched(world: &World, line: &[&str], plural: &str) -> (Ended, Vec<f64>) {
    let mut shares = vec![share(world, plural)];
    let running = world.run(line);
    tokio::pin!(running);
    loop {
        let ended = tokio::select! {
            biased;
            ended = &mut running => Some(ended),
            () = sleep(Duration::from_millis(100)) => None,
        };
        let now = share(world, plural);
        if shares.last() != Some(&now) {
            shares.push(now);
        }
        if let Some(ended) = ended {
            return (ended, shares);
        }
    }
}

/// What is left of a canary beside the two versions.
pub(crate) fn left(world: &World) -> Vec<String> {
    let mut left = Vec::new();
    for (plural, name) in [
        ("services", "web-canary"),
        ("services", "web-preview"),
        ("ingresses", "web-canary"),
        ("destinationrules", "web-rule-canary"),
    ] {
        if object(world, plural, name).is_some() {
            left.push(name.to_owned());
        }
    }
    left
}

#[tokio::test(start_paused = true)]
async fn a_canary_of_a_gateway_goes_up_its_steps_and_leaves_the_route_as_it_was() {
    let world = shop(gateway_route()).await;
    let before = object(&world, "httproutes", "web").unwrap();
    let (deploy, shares) = watched(&world, &DEPLOY, "httproutes").await;
    assert_eq!(deploy.good().status, Status::Done);
    assert_eq!(shares, [0.0, 10.0, 50.0, 100.0], "{}", deploy.log);
    let after = object(&world, "httproutes", "web").unwrap();
    assert_eq!(after["spec"], before["spec"]);
    assert_eq!(
        after["metadata"]["annotations"],
        before["metadata"]["annotations"]
    );
    serves(&world, "shop:2");
    assert_eq!(left(&world), Vec::<String>::new());
    assert_eq!(deploy.fact("live-weight"), "100");
    assert!(deploy.took >= Duration::from_secs(65), "{:?}", deploy.took);
    // The next one goes the other way.
    let (back, shares) = watched(&world, &["rollback", "--service", "web"], "httproutes").await;
    back.good();
    assert_eq!(shares.last(), Some(&0.0));
    serves(&world, "shop:1");
}

#[tokio::test(start_paused = true)]
async fn a_canary_of_a_mesh_goes_up_its_steps() {
    let world = shop(mesh_route()).await;
    let before = object(&world, "virtualservices", "web").unwrap();
    let mut line = DEPLOY;
    line[8] = "virtualservice/web";
    let (deploy, shares) = watched(&world, &line, "virtualservices").await;
    deploy.good();
    assert_eq!(shares, [0.0, 10.0, 50.0, 100.0], "{}", deploy.log);
    assert_eq!(
        object(&world, "virtualservices", "web").unwrap()["spec"],
        before["spec"]
    );
    serves(&world, "shop:2");
    assert_eq!(left(&world), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_canary_of_an_ingress_is_a_second_one_while_it_lasts() {
    let world = shop(ingress()).await;
    let before = object(&world, "ingresses", "web").unwrap();
    let mut line = DEPLOY.to_vec();
    line[8] = "ingress/web";
    line.extend(["--header", "canary: true", "--until", "10%"]);
    let deploy = world.run(&line).await;
    assert_eq!(deploy.good().status, Status::Done);
    let canary = object(&world, "ingresses", "web-canary").unwrap();
    let annotations = &canary["metadata"]["annotations"];
    assert_eq!(annotations["nginx.ingress.kubernetes.io/canary-weight"], "10");
    assert_eq!(
        annotations["nginx.ingress.kubernetes.io/canary-by-header"],
        "canary"
    );
    let promote = world
        .other("8")
        .run(&["promote", "--service", "web", "--soak", "5s"])
        .await;
    promote.good();
    assert_eq!(object(&world, "ingresses", "web").unwrap(), before);
    serves(&world, "shop:2");
    assert_eq!(left(&world), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn pods_divide_the_traffic_where_no_route_does() {
    for world in [blue().await, plain().await] {
        let mut line = DEPLOY;
        (line[8], line[10]) = ("pods", "25% 20s, 50% 20s, 100%");
        let running = world.run(&line);
        tokio::pin!(running);
        let mut shares = Vec::new();
        let deploy = loop {
            tokio::select! {
                biased;
                ended = &mut running => break ended,
                () = sleep(Duration::from_millis(500)) => {}
            }
            let now = serving(&world);
            assert!(!now.is_empty());
            let new = now.iter().find(|(image, _)| image == "shop:2");
            let new = new.map_or(0.0, |(_, share)| (share * 100.0).round());
            if shares.last() != Some(&new) {
                shares.push(new);
            }
        };
        deploy.good();
        for step in [0.0, 25.0, 50.0] {
            assert!(shares.contains(&step), "{shares:?}\n{}", deploy.log);
        }
        serves(&world, "shop:2");
        assert_eq!(left(&world), Vec::<String>::new());
    }
}

#[tokio::test(start_paused = true)]
async fn a_canary_has_the_pods_of_its_share_and_the_old_version_keeps_its_own() {
    let world = shop(gateway_route()).await;
    let mut line = DEPLOY.to_vec();
    line.extend(["--until", "10%"]);
    let deploy = world.run(&line).await;
    assert_eq!(
        (deploy.fact("status"), deploy.fact("live-weight")),
        ("prepared".to_owned(), "10".to_owned()),
        "{}",
        deploy.log
    );
    assert_eq!(replicas(&world, "web-green"), Some(1));
    assert_eq!(replicas(&world, "web-blue"), Some(3));
    assert!(share(&world, "httproutes") > 9.0);
    // It is nobody's to undo but a person's.
    world
        .other("8")
        .run(&["recover", "--service", "web"])
        .await
        .failed(Exit::Locked);
    world.other("8").run(&DEPLOY).await.failed(Exit::Locked);
    let status = world.other("8").run(&["status", "--service", "web"]).await;
    assert!(status.log.contains("10%"), "{}", status.log);
    let promote = world
        .other("9")
        .run(&["promote", "--service", "web", "--until", "50%", "--soak", "5s"])
        .await;
    assert_eq!(promote.fact("live-weight"), "50", "{}", promote.says());
    assert_eq!(replicas(&world, "web-green"), Some(2));
    let (back, shares) = watched(
        &world.other("10"),
        &["rollback", "--service", "web"],
        "httproutes",
    )
    .await;
    assert_eq!(back.good().status, Status::RolledBack);
    assert_eq!(shares, [50.0, 0.0]);
    assert_eq!(replicas(&world, "web-green"), Some(0));
    as_before(&world, "");
    assert_eq!(left(&world), Vec::<String>::new());
    serves(&world, "shop:1");
}

#[tokio::test(start_paused = true)]
async fn an_autoscaler_takes_no_pods_of_the_old_version_while_the_canary_lasts() {
    let world = shop(gateway_route()).await;
    world.cluster.world(|cluster| {
        cluster.put(json!({
            "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "web", "namespace": "default"},
            "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web-blue"}, "minReplicas": 1, "maxReplicas": 9},
        }))
    });
    let spec = || object(&world, "horizontalpodautoscalers", "web").unwrap()["spec"].clone();
    let before = spec();
    let mut line = DEPLOY.to_vec();
    line.extend(["--until", "50%"]);
    world.run(&line).await.good();
    assert_eq!(spec()["scaleTargetRef"]["name"], "web-blue");
    assert_eq!(spec()["minReplicas"], 3);
    world
        .other("8")
        .run(&["rollback", "--service", "web"])
        .await
        .good();
    assert_eq!(spec(), before);
    world.run(&DEPLOY).await.good();
    assert_eq!(spec()["scaleTargetRef"]["name"], "web-green");
    assert_eq!(spec()["minReplicas"], 1);
}

#[tokio::test(start_paused = true)]
async fn a_canary_that_fails_in_a_step_is_taken_back() {
    let world = shop(gateway_route()).await;
    let mut line = DEPLOY;
    (line[4], line[10]) = ("shop:lost-after-20s", "10% 5m, 100%");
    let deploy = world.run(&line).await;
    let failure = deploy.failed(Exit::Failed);
    assert!(
        failure.error.to_string().contains("with the traffic on it"),
        "{}",
        deploy.says()
    );
    assert_eq!(deploy.fact("status"), "rolled-back");
    serves(&world, "shop:1");
    as_before(&world, "");
    assert_eq!(left(&world), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_weight_that_somebody_else_set_is_not_written_over() {
    let world = shop(gateway_route()).await;
    let other = world.other("8");
    let mut line = DEPLOY;
    line[10] = "10% 5m, 50% 5m, 100%";
    let running = world.run(&line);
    tokio::pin!(running);
    let mut set = false;
    let deploy = loop {
        tokio::select! {
            biased;
            ended = &mut running => break ended,
            () = sleep(Duration::from_secs(1)) => {}
        }
        if !set && share(&other, "httproutes") > 9.0 {
            set = true;
            let mut route = object(&other, "httproutes", "web").unwrap();
            route["spec"]["rules"][0]["backendRefs"][1]["weight"] = json!(70);
            route["spec"]["rules"][0]["backendRefs"][0]["weight"] = json!(30);
            other.cluster.world(|cluster| cluster.put(route));
        }
    };
    deploy.failed(Exit::Locked);
    assert!(deploy.says().contains("70.0 %"), "{}", deploy.says());
    assert!((share(&world, "httproutes") - 70.0).abs() < 0.1);
}

#[tokio::test(start_paused = true)]
async fn what_can_not_be_a_canary_is_refused_before_anything_is_changed() {
    let world = shop(gateway_route()).await;
    for (change, says) in [
        (
            &[(8, "httproute/nope")][..],
            "there is no HTTPRoute `nope` in namespace `default`",
        ),
        (&[(8, "virtualservice/web")], "there is no VirtualService `web`"),
        (&[(8, "pods"), (10, "5% 1m, 100%")], "can't be had by pods"),
        (&[(8, "pods"), (10, "50% 1m, 100% 5m")], "--soak"),
        (&[(6, "blue-green")], "it is for `--strategy canary`"),
    ] {
        let mut line = DEPLOY;
        for (at, word) in change {
            line[*at] = word;
        }
        let deploy = world.run(&line).await;
        deploy.failed(Exit::Usage);
        assert!(deploy.says().contains(says), "{}", deploy.says());
        let writes: Vec<String> = deploy.writes();
        assert!(writes.iter().all(|write| write.contains("leases")), "{writes:?}");
    }
    assert_eq!(selector(&world), json!({"app": "web", "color": "blue"}));
}

/// The HTTPRoute is as it was put there; its defaults are the server's.
#[track_caller]
fn as_before(world: &World, what: &str) {
    let fresh =
        sandbox::stand_ins::kubernetes::Cluster::unheard(sandbox::stand_ins::kubernetes::Clock::manual());
    let before = fresh.world(|cluster| cluster.put(gateway_route()));
    let now = object(world, "httproutes", "web").unwrap();
    assert_eq!(now["spec"], before["spec"], "{what}");
    assert_eq!(
        now["metadata"]["annotations"], before["metadata"]["annotations"],
        "{what}"
    );
}

/// One version has all of what goes through the route, and all of what goes to the Service.
#[track_caller]
fn whole(world: &World, images: &[&str], what: &str) {
    let shares = world
        .cluster
        .world(|cluster| cluster.route_shares("httproutes", "default", "web"));
    let now = serving(world);
    assert!(now.len() == 1 && images.contains(&&*now[0].0), "{what}: {now:?}");
    assert!(
        shares.iter().all(|(image, _)| images.contains(&&**image)),
        "{what}: {shares:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_cancel_at_each_call_of_a_canary_is_taken_back_or_finished_by_recover() {
    let line = short();
    let calls = {
        let world = shop(gateway_route()).await;
        let deploy = world.run(&line).await;
        deploy.good();
        deploy.calls.len()
    };
    for nth in 1..=calls {
        let what = format!("cancelled at call {nth} of {calls}");
        let world = shop(gateway_route()).await;
        world.strike(nth, How::Cancelled(Signal::Terminate));
        let (deploy, _) = watched(&world, &line, "httproutes").await;
        let is_over = deploy.fact("status") == "deployed";
        let goes_to = if is_over { "shop:2" } else { "shop:1" };
        if deploy.result.is_err() {
            sleep(Duration::from_secs(3)).await;
            if !is_over {
                assert_eq!(share(&world, "httproutes"), 0.0, "{what}: {}", deploy.says());
            }
            let recover = world.run(&["recover", "--service", "web"]).await;
            assert!(recover.result.is_ok(), "{what}: {}", recover.says());
        }
        sleep(Duration::from_secs(5)).await;
        whole(&world, &[goes_to], &what);
        as_before(&world, &what);
        assert_eq!(left(&world), Vec::<String>::new(), "{what}");
    }
}

/// A short canary: the faults of each of its calls are many.
fn short() -> Vec<&'static str> {
    let mut line = DEPLOY.to_vec();
    (line[10], line[12]) = ("10% 1s, 100%", "1s");
    line
}

/// Those of a whole canary: a call that is put off or hangs goes the way of one that is not done, or done and lost; that is seen at
/// each call of a deploy without a canary.
const OF_A_CANARY: [How; 6] = [
    How::KilledBefore,
    How::KilledAfter,
    How::Answered(500),
    How::Reset,
    How::Lost,
    How::Always(503),
];

#[tokio::test(start_paused = true)]
async fn a_canary_goes_through_every_fault() {
    let line = short();
    let calls = {
        let world = shop(gateway_route()).await;
        let deploy = world.run(&line).await;
        deploy.good();
        deploy.calls.len()
    };
    for how in OF_A_CANARY {
        for nth in 1..=calls {
            let what = format!("{how:?} at call {nth} of {calls}");
            let world = shop(gateway_route()).await;
            world.strike(nth, how);
            let struck = world.run(&line).await;
            if let Err(failure) = &struck.result
                && !struck.is_killed()
            {
                assert_ne!(failure.exit.code(), 1, "{what}: {}", struck.says());
            }
            sleep(Duration::from_secs(5)).await;
            let recover = world.run(&["recover", "--service", "web"]).await;
            assert!(recover.result.is_ok(), "{what}: recover: {}", recover.says());
            sleep(Duration::from_secs(5)).await;
            whole(&world, &["shop:1", "shop:2"], &what);
            if struck.result.is_ok() {
                whole(&world, &["shop:2"], &what);
                as_before(&world, &what);
                continue;
            }
            let again = world.run(&line).await;
            assert!(
                again.result.is_ok(),
                "{what}: again: {}\n{}",
                again.says(),
                again.log
            );
            sleep(Duration::from_secs(5)).await;
            whole(&world, &["shop:2"], &what);
            as_before(&world, &what);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_rollback_of_a_canary_that_waits_goes_through_every_fault() {
    let mut line = short();
    line.extend(["--until", "10%"]);
    let waiting = async || {
        let world = shop(gateway_route()).await;
        world.run(&line).await.good();
        world
    };
    let back = ["rollback", "--service", "web"];
    let calls = {
        let rollback = waiting().await.other("8").run(&back).await;
        rollback.good();
        rollback.calls.len()
    };
    for how in WAYS {
        for nth in 1..=calls {
            let what = format!("{how:?} at call {nth} of {calls}");
            let world = waiting().await;
            world.strike(nth, how);
            let struck = world.run(&back).await;
            if let Ok(outcome) = &struck.result {
                assert_eq!(outcome.status, Status::RolledBack, "{what}");
                assert_eq!(share(&world, "httproutes"), 0.0, "{what}");
            }
            sleep(Duration::from_secs(5)).await;
            let again = world.run(&back).await;
            assert!(again.result.is_ok(), "{what}: {}", again.says());
            let recover = world.run(&["recover", "--service", "web"]).await;
            assert!(recover.result.is_ok(), "{what}: recover: {}", recover.says());
            sleep(Duration::from_secs(5)).await;
            whole(&world, &["shop:1"], &what);
            as_before(&world, &what);
            assert_eq!(left(&world), Vec::<String>::new(), "{what}");
            assert_eq!(replicas(&world, "web-green"), Some(0), "{what}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_rollback_from_elsewhere_wins_at_every_call_of_a_canary() {
    let line = short();
    let calls = {
        let world = shop(gateway_route()).await;
        let deploy = world.run(&line).await;
        deploy.good();
        deploy.calls.len()
    };
    for nth in 1..=calls {
        let what = format!("rolled back at call {nth} of {calls}");
        let world = shop(gateway_route()).await;
        world.strike(nth, How::Held);
        let deploying = world.run(&line);
        tokio::pin!(deploying);
        tokio::select! {
            biased;
            ended = &mut deploying => panic!("{what}: {}", ended.says()),
            () = world.held() => {}
        }
        let announced = object(&world, "services", "web").unwrap();
        if announced["metadata"]["annotations"]["deploy-actions/state"].is_null() {
            world.go_on();
            continue;
        }
        // The deploy stands still with this call on its way, and everything of the rollback happens.
        let back = world.other("8").run(&["rollback", "--service", "web"]).await;
        world.go_on();
        let deploy = deploying.await;
        assert!(back.result.is_ok(), "{what}: {}", back.says());
        sleep(Duration::from_secs(30)).await;
        whole(&world, &["shop:1"], &format!("{what}: {}", deploy.says()));
    }
}
