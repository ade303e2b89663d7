//! How a plan ends: as the deploy would that is refused before it changes anything; and what it shows of that.

use gha::Exit;
use k8s_blue_green::permissions;
use sandbox::stand_ins::kubernetes::{Role, User};
use serde_json::{Value, json};

use crate::cluster::World;
use crate::shop::{blue, deployment, object, plain, service_of};

/// The same line as a plan and as a deploy, each by a fresh run.
async fn both(world: &World, line: &[&str]) -> (Exit, Exit) {
    let exit = async |command: &str| {
        let line = [&[command], line].concat();
        let ended = world.other("9").run(&line).await;
        match ended.result {
            Ok(_) => Exit::Done,
            Err(failure) => failure.exit,
        }
    };
    (exit("plan").await, exit("deploy").await)
}

#[tokio::test(start_paused = true)]
async fn a_plan_ends_as_the_deploy_would() {
    let of_web = ["--service", "web", "--image", "shop:2"];
    let manifest = std::env::temp_dir().join(format!("plan-ends-{}.yaml", std::process::id()));
    std::fs::write(
        &manifest,
        "apiVersion: example.com/v1\nkind: Unknown\nmetadata: {name: a}\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: other}\n",
    )
    .unwrap();
    let manifest = manifest.to_str().unwrap();
    for (line, exit) in [
        (vec!["--service", "nope", "--image", "shop:2"], Exit::Usage),
        (vec!["--service", "web", "--image", "other=shop:2"], Exit::Usage),
        (
            [&of_web[..], &["--gate", "/no/such/file.yml"]].concat(),
            Exit::Usage,
        ),
        ([&of_web[..], &["--migrate", "'"]].concat(), Exit::Usage),
        ([&of_web[..], &["--manifests", manifest]].concat(), Exit::Failed),
        (
            vec![
                "--strategy",
                "rolling",
                "--workload",
                "deployment/nope",
                "--image",
                "shop:2",
            ],
            Exit::Usage,
        ),
    ] {
        let world = blue().await;
        assert_eq!(both(&world, &line).await, (exit, exit), "{line:?}");
    }
    // A quota, another's deploy that waits, and another's lock.
    let world = blue().await;
    world.cluster.world(|cluster| {
        cluster.put(json!({
            "apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "small", "namespace": "default"},
            "spec": {"hard": {"pods": "4"}}, "status": {"hard": {"pods": "4"}, "used": {"pods": "3"}},
        }))
    });
    assert_eq!(both(&world, &of_web).await, (Exit::Usage, Exit::Usage));
    let world = blue().await;
    let prepared = [&["deploy"], &of_web[..], &["--until", "preview"]].concat();
    world.run(&prepared).await.good();
    let other = ["--service", "web", "--image", "shop:3"];
    assert_eq!(both(&world, &other).await, (Exit::Locked, Exit::Locked));
    let plan = world.other("9").run(&[&["plan"], &other[..]].concat()).await;
    assert!(plan.says().contains("waits to be promoted"), "{}", plan.says());
}

#[tokio::test(start_paused = true)]
async fn every_manifest_that_is_refused_is_told() {
    let world = blue().await;
    let manifest = std::env::temp_dir().join(format!("plan-all-{}.yaml", std::process::id()));
    std::fs::write(
        &manifest,
        "apiVersion: example.com/v1\nkind: Unknown\nmetadata: {name: a}\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: other}\n---\n\
         apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {password: correct-horse}\n",
    )
    .unwrap();
    let line = [
        "plan",
        "--service",
        "web",
        "--image",
        "shop:2",
        "--manifests",
        manifest.to_str().unwrap(),
    ];
    let plan = world.run(&line).await;
    for says in [
        "no kind `Unknown`",
        "Namespace `other` is in no namespace",
        "Secret s: would be created",
    ] {
        assert!(plan.log.contains(says), "{says}: {}", plan.log);
    }
    let all = format!("{}{:?}", plan.log, plan.fact("steps"));
    assert!(!all.contains("correct-horse"), "{all}");
}

#[tokio::test(start_paused = true)]
async fn values_of_variables_are_not_shown() {
    let world = blue().await;
    let plan = world
        .run(&["plan", "--service", "web", "--image", "shop:2"])
        .await;
    plan.good();
    let steps = plan.fact("steps");
    assert!(steps.contains("MODE") && !steps.contains("production"), "{steps}");
    assert!(!plan.log.contains("production"), "{}", plan.log);
}

#[tokio::test(start_paused = true)]
async fn one_of_several_that_is_refused_hides_none_of_the_others() {
    let world = plain().await;
    world.cluster.world(|cluster| {
        cluster.put(deployment("api", &[("app", "api")], "api:1"));
        cluster.put(service_of("api", &[("app", "api")]));
    });
    let line = [
        "plan",
        "--service",
        "nope",
        "--service",
        "web",
        "--image",
        "shop:2",
    ];
    let plan = world.run(&line).await;
    plan.failed(Exit::Usage);
    assert!(plan.log.contains("no Service `nope`"), "{}", plan.log);
    assert!(
        plan.log.contains("`web-preview` would be created"),
        "{}",
        plan.log
    );
}

#[tokio::test(start_paused = true)]
async fn the_autoscaler_and_the_mesh_are_steps_too() {
    let world = plain().await;
    world.cluster.world(|cluster| {
        cluster.put(json!({
            "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "web", "namespace": "default"},
            "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}, "minReplicas": 1, "maxReplicas": 9},
        }));
        cluster.put(json!({
            "apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {"name": "web", "namespace": "default"},
            "spec": {"hosts": ["web"], "http": [{"route": [{"destination": {"host": "web", "subset": "stable"}}]}]},
        }));
        cluster.put(json!({
            "apiVersion": "networking.istio.io/v1", "kind": "DestinationRule", "metadata": {"name": "web", "namespace": "default"},
            "spec": {"host": "web", "subsets": [{"name": "stable", "labels": {"version": "v1"}}]},
        }));
    });
    let line = [
        "plan",
        "--service",
        "web",
        "--image",
        "shop:2",
        "--strategy",
        "canary",
        "--route",
        "virtualservice/web",
    ];
    let before = object(&world, "destinationrules", "web");
    let plan = world.run(&line).await;
    plan.good();
    let steps: Value = serde_json::from_str(&plan.fact("steps")).unwrap();
    let steps: Vec<&str> = steps
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["what"].as_str().unwrap())
        .collect();
    for what in [
        "a patch of HorizontalPodAutoscaler `web` points it at the new version when that has the traffic",
        "a patch of DestinationRule `web` opens its subsets for the new version",
        "DestinationRule `web-canary` would be created",
    ] {
        assert!(steps.contains(&what), "{what}: {steps:?}");
    }
    assert_eq!(object(&world, "destinationrules", "web"), before);
}

#[tokio::test(start_paused = true)]
async fn a_role_for_named_objects_is_enough() {
    let mut world = blue().await;
    let names = |resource: &str| match resource {
        "services" => &["web", "web-preview"][..],
        "deployments" => &["web-blue", "web-green"],
        "leases" => &["web-deploy"],
        _ => &[],
    };
    let lease = {
        world
            .run(&["deploy", "--service", "web", "--image", "shop:2", "--soak", "0s"])
            .await
            .good();
        world.run(&["rollback", "--service", "web"]).await.good();
        let leases = world.cluster.world(|cluster| {
            let all = cluster.list("leases", "default");
            all.iter()
                .map(|lease| lease["metadata"]["name"].as_str().unwrap().to_owned())
                .collect::<Vec<_>>()
        });
        leases.into_iter().next().unwrap()
    };
    let mut role = Role::nothing();
    for rule in permissions::BLUE_GREEN {
        for verb in rule.verbs {
            role = role.rule(rule.group, rule.resource, &[verb]);
            if ["get", "update", "patch", "delete"].contains(verb) {
                let named = names(rule.resource);
                for name in named {
                    role = role.for_name(if rule.resource == "leases" { &lease } else { name });
                }
            }
        }
    }
    world.cluster.allow(User::new("deployer", "t0ken").role(role));
    world.token = Some("t0ken".to_owned());
    let plan = world
        .run(&["plan", "--service", "web", "--image", "shop:3"])
        .await;
    plan.good();
    world
        .run(&["deploy", "--service", "web", "--image", "shop:3", "--soak", "5s"])
        .await
        .good();
}
