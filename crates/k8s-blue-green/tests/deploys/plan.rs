//! Plans: what a deploy would do is shown, nothing is stored, and what the account may not do is named.

use std::collections::BTreeSet;
use std::time::Duration;

use gha::Exit;
use k8s_blue_green::permissions::{self, Rule};
use k8s_blue_green::route::Provider;
use sandbox::stand_ins::kubernetes::{Entry, Role, User};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::cluster::{How, World};
use crate::shop::{blue, plain};

const PLAN: [&str; 5] = ["plan", "--service", "web", "--image", "shop:2"];

/// Everything that the cluster stores but what its own controllers write.
fn stored(world: &World) -> Vec<Value> {
    world.cluster.world(|cluster| {
        [
            "services",
            "deployments",
            "leases",
            "jobs",
            "httproutes",
            "ingresses",
            "configmaps",
        ]
        .iter()
        .flat_map(|plural| {
            cluster
                .list(plural, "default")
                .into_iter()
                .cloned()
                .collect::<Vec<_>>()
        })
        .collect()
    })
}

#[tokio::test(start_paused = true)]
async fn a_plan_shows_every_object_and_stores_none() {
    for world in [blue().await, plain().await] {
        let before = stored(&world);
        let plan = world.run(&PLAN).await;
        let outcome = plan.good();
        assert!(
            outcome.headline.starts_with("the deploy can go: "),
            "{}",
            outcome.headline
        );
        assert_eq!(stored(&world), before);
        let writes: Vec<&Entry> = plan.calls.iter().filter(|call| call.writes()).collect();
        assert!(
            writes
                .iter()
                .all(|call| call.path.contains("dryRun=All") || call.resource.contains("accessreviews")),
            "{:?}",
            plan.writes()
        );
        for says in [
            "`shop:1` → `shop:2`",
            "-green` would be created",
            "`web-preview` would be created",
            "is switched to",
        ] {
            assert!(plan.log.contains(says), "{says}\n{}", plan.log);
        }
        let steps = outcome.facts["steps"].as_array().unwrap();
        assert!(
            steps
                .iter()
                .all(|step| step["sent"].is_object() || step["sent"].is_array()),
            "{steps:?}"
        );
        // What was shown is what is done.
        world
            .run(&["deploy", "--service", "web", "--image", "shop:2", "--soak", "5s"])
            .await
            .good();
        let again = world.run(&PLAN).await;
        assert!(
            again.good().headline.starts_with("nothing to do"),
            "{}",
            again.says()
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_plan_of_a_canary_shows_its_route() {
    let world = blue().await;
    world.cluster.world(|cluster| {
        cluster.put(json!({
            "apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": {"name": "web", "namespace": "default"},
            "spec": {"parentRefs": [{"name": "edge"}], "rules": [{"backendRefs": [{"name": "web", "port": 80}]}]},
        }))
    });
    sleep(Duration::from_secs(3)).await;
    let before = stored(&world);
    let line = [&PLAN[..], &["--strategy", "canary", "--route", "httproute/web"]].concat();
    let plan = world.run(&line).await;
    plan.good();
    assert!(
        plan.log
            .contains("`httproute/web` leads to `web-canary` with the weight 0"),
        "{}",
        plan.log
    );
    assert_eq!(stored(&world), before);
}

#[tokio::test(start_paused = true)]
async fn a_plan_of_a_rolling_deploy_shows_its_patch() {
    let world = blue().await;
    let before = stored(&world);
    let line = [
        "plan",
        "--strategy",
        "rolling",
        "--workload",
        "deployment/web-blue",
        "--image",
        "shop:2",
    ];
    let plan = world.run(&line).await;
    assert_eq!(plan.good().facts["steps"].as_array().unwrap().len(), 1);
    assert!(plan.log.contains("shop:2"), "{}", plan.log);
    assert_eq!(stored(&world), before);
}

#[tokio::test(start_paused = true)]
async fn a_plan_names_what_stands_in_the_way() {
    let world = blue().await;
    world.cluster.world(|cluster| {
        cluster.put(json!({
            "apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "web", "namespace": "default"},
            "spec": {"minAvailable": 3, "selector": {"matchLabels": {"app": "web"}}},
        }));
        cluster.put(json!({
            "apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "small", "namespace": "default"},
            "spec": {"hard": {"pods": "4"}}, "status": {"hard": {"pods": "4"}, "used": {"pods": "3"}},
        }))
    });
    let plan = world.run(&PLAN).await;
    plan.failed(Exit::Usage);
    assert!(plan.says().contains("small"), "{}", plan.says());
    assert!(
        plan.log.contains("counts the pods of both versions"),
        "{}",
        plan.log
    );
    // The deploy refuses the same before it changes anything.
    let deploy = world
        .run(&["deploy", "--service", "web", "--image", "shop:2"])
        .await;
    assert!(deploy.result.is_err());
    assert!(deploy.says().contains("small"), "{}", deploy.says());
    assert!(
        deploy.writes().iter().all(|write| write.contains("leases")),
        "{:?}",
        deploy.writes()
    );
}

#[tokio::test(start_paused = true)]
async fn a_plan_of_a_cluster_that_says_no_tells_that() {
    for how in [500, 503, 403] {
        for nth in 1..=6 {
            let world = blue().await;
            let before = stored(&world);
            world.strike(nth, How::Always(how));
            let plan = world.run(&PLAN).await;
            assert!(
                plan.result
                    .as_ref()
                    .is_err_and(|failure| failure.exit.code() != 1),
                "{how} {nth}: {}",
                plan.says()
            );
            assert_eq!(stored(&world), before);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_account_that_lacks_a_permission_is_told_the_role_that_it_needs() {
    let mut world = blue().await;
    let lacks = |group: &str, resource: &str, verb: &str| {
        (group, resource, verb) == ("apps", "deployments", "create")
            || (group, resource) == ("coordination.k8s.io", "leases")
    };
    let mut role = Role::nothing();
    for rule in permissions::BLUE_GREEN {
        let verbs: Vec<&str> = rule
            .verbs
            .iter()
            .copied()
            .filter(|verb| !lacks(rule.group, rule.resource, verb))
            .collect();
        role = role.rule(rule.group, rule.resource, &verbs);
    }
    world.cluster.allow(User::new("deployer", "t0ken").role(role));
    world.token = Some("t0ken".to_owned());
    let before = stored(&world);
    let plan = world.run(&PLAN).await;
    plan.failed(Exit::Access);
    let role = plan.fact("missing-role");
    for line in [
        "  - apiGroups: [\"apps\"]\n    resources: [\"deployments\"]\n    verbs: [\"create\"]\n",
        "    resources: [\"leases\"]\n    verbs: [\"get\", \"create\", \"update\"]\n",
    ] {
        assert!(role.contains(line), "{role}");
    }
    assert!(!role.contains("services"), "{role}");
    assert_eq!(stored(&world), before);
}

#[tokio::test(start_paused = true)]
async fn the_least_role_is_enough() {
    let mut world = blue().await;
    let mut role = Role::nothing();
    for rule in permissions::BLUE_GREEN {
        role = role.rule(rule.group, rule.resource, rule.verbs);
    }
    world.cluster.allow(User::new("deployer", "t0ken").role(role));
    world.token = Some("t0ken".to_owned());
    world.run(&PLAN).await.good();
    world
        .run(&["deploy", "--service", "web", "--image", "shop:2", "--soak", "5s"])
        .await
        .good();
    world.run(&["rollback", "--service", "web"]).await.good();
    // A failure is told with less.
    let crash = world
        .run(&["deploy", "--service", "web", "--image", "shop:crash"])
        .await;
    crash.failed(Exit::Failed);
}

/// What calls did, as `patch services`.
fn done(calls: &[Entry]) -> BTreeSet<String> {
    calls
        .iter()
        .filter(|call| !call.resource.contains("reviews") && !call.resource.is_empty())
        .map(|call| format!("{} {}", call.verb, call.resource))
        .collect()
}

fn allowed(rules: &[&[Rule]]) -> BTreeSet<String> {
    rules
        .iter()
        .flat_map(|rules| rules.iter())
        .flat_map(|rule| {
            rule.verbs
                .iter()
                .map(move |verb| format!("{verb} {}", rule.resource))
        })
        .collect()
}

#[track_caller]
fn assert_least(calls: &BTreeSet<String>, must: &BTreeSet<String>, may: &BTreeSet<String>) {
    let more: Vec<_> = calls
        .iter()
        .filter(|call| !must.contains(*call) && !may.contains(*call))
        .collect();
    assert!(more.is_empty(), "calls that no rule allows: {more:?}");
    let unused: Vec<_> = must.difference(calls).collect();
    assert!(unused.is_empty(), "rules that no call needs: {unused:?}");
}

#[tokio::test(start_paused = true)]
async fn the_roles_allow_what_is_called_and_nothing_else() {
    let may = allowed(&[permissions::LOOKS, permissions::DIAGNOSE]);
    let mut calls = BTreeSet::new();
    let shop = async || {
        let world = blue().await;
        world.cluster.world(|cluster| {
            cluster.put(json!({
                "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "web", "namespace": "default"},
                "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web-blue"}, "minReplicas": 3, "maxReplicas": 9},
            }));
            cluster.put(json!({
                "apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": {"name": "web", "namespace": "default"},
                "spec": {"parentRefs": [{"name": "edge"}], "rules": [{"backendRefs": [{"name": "web", "port": 80}]}]},
            }))
        });
        sleep(Duration::from_secs(3)).await;
        world
    };
    let world = shop().await;
    for line in [
        &["deploy", "--service", "web", "--image", "shop:2", "--soak", "5s"][..],
        &["rollback", "--service", "web"],
        &[
            "deploy",
            "--service",
            "web",
            "--image",
            "shop:3",
            "--soak",
            "5s",
            "--drain",
            "10s",
        ],
        &["gc"],
        &["status", "--service", "web"],
        &["recover", "--service", "web"],
        &["deploy", "--service", "web", "--image", "shop:crash"],
        &["diagnose", "--service", "web"],
    ] {
        calls.extend(done(&world.run(line).await.calls));
    }
    // A run that ends between the preview and the switch leaves one, which the next replaces.
    let switch = {
        let world = shop().await;
        let deploy = world
            .run(&["deploy", "--service", "web", "--image", "shop:2"])
            .await;
        let calls = deploy
            .calls
            .iter()
            .filter(|call| !call.resource.contains("reviews"));
        calls
            .enumerate()
            .filter(|(_, call)| call.verb == "create" && call.resource == "services")
            .map(|(nth, _)| nth + 1)
            .last()
            .unwrap()
    };
    let world = shop().await;
    world.strike(switch, How::KilledAfter);
    calls.extend(done(
        &world
            .run(&["deploy", "--service", "web", "--image", "shop:2"])
            .await
            .calls,
    ));
    let next = world
        .run(&["deploy", "--service", "web", "--image", "shop:2", "--soak", "5s"])
        .await;
    next.good();
    calls.extend(done(&next.calls));
    assert_least(&calls, &allowed(&[permissions::BLUE_GREEN]), &may);
    let world = shop().await;
    let canary = [
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
        "10% 5s, 100%",
        "--soak",
        "5s",
    ];
    let deploy = world.run(&canary).await;
    deploy.good();
    let more = &done(&deploy.calls) - &calls;
    assert_least(&more, &allowed(&[permissions::canary(Provider::HttpRoute)]), &may);
}
