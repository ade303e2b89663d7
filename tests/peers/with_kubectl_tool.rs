//! `k8s-blue-green` before `kubectl`: what the one did, the other sees, waits for, and goes on with.

use std::fs;

use sandbox::stand_ins::kubernetes::{Clock, Cluster, Login};
use serde_json::{Value, json};

use crate::with_kubectl::{Judge, done};

/// A judge, and the tool on the same cluster.
struct Court {
    /// It stops with this.
    _cluster: Cluster,
    judge: Judge,
    home: black_box::Place,
}

impl Court {
    /// A cluster with what a person applied, when its pods are ready.
    fn of(objects: &[Value], flags: &str) -> Self {
        let cluster = Cluster::open(Clock::compressed(30)).unwrap();
        let config = cluster.kubeconfig(Login::Token).unwrap();
        let judge = Judge::of(&config);
        done("apply", judge.applies(flags, objects));
        judge.does("wait --for=condition=Available deployment --all --timeout=30s");
        let home = black_box::Place::new();
        fs::write(home.path().join("kubeconfig"), config).unwrap();
        Self {
            _cluster: cluster,
            judge,
            home,
        }
    }

    /// Runs the tool; what it says when it succeeds.
    fn tool(&self, line: &str) -> String {
        let (code, said) = self.says(line);
        assert_eq!(code, Some(0), "{line}: {said}");
        said
    }

    fn says(&self, line: &str) -> (Option<i32>, String) {
        self.says_to(&line.split(' ').collect::<Vec<_>>())
    }

    fn says_to(&self, words: &[&str]) -> (Option<i32>, String) {
        let mut command = self.home.command("k8s-blue-green");
        // On a laptop each command is a run of its own; these are of one.
        command
            .env("KUBECONFIG", self.home.path().join("kubeconfig"))
            .env("GITHUB_REPOSITORY", "acme/shop")
            .env("GITHUB_RUN_ID", "7")
            .args(words);
        let output = command.output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8_lossy(&said).into_owned())
    }

    /// The names of the pods that a Service's slices have as ready.
    fn behind(&self, service: &str) -> Vec<String> {
        let line = format!("get endpointslices -l kubernetes.io/service-name={service} -o json");
        let slices: Value = serde_json::from_str(&self.judge.does(&line)).unwrap();
        let slices = slices["items"].as_array().unwrap().clone();
        let mut pods: Vec<String> = slices
            .iter()
            .flat_map(|slice| slice["endpoints"].as_array().cloned().unwrap_or_default())
            .filter(|endpoint| endpoint["conditions"]["ready"] == true)
            .map(|endpoint| endpoint["targetRef"]["name"].as_str().unwrap().to_owned())
            .collect();
        pods.sort();
        pods
    }

    /// All pods behind a Service are of a Deployment.
    #[track_caller]
    fn leads_to(&self, deployment: &str, pods: usize) {
        let behind = self.behind("web");
        let of = format!("{deployment}-");
        assert!(
            behind.len() == pods && behind.iter().all(|pod| pod.starts_with(&of)),
            "{behind:?}"
        );
    }
}

fn web(image: &str) -> Vec<Value> {
    vec![
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "web", "labels": { "team": "shop" } },
            "spec": {
                "replicas": 2, "selector": { "matchLabels": { "app": "web" } },
                "template": {
                    "metadata": { "labels": { "app": "web" } },
                    "spec": { "containers": [{ "name": "web", "image": image,
                        "ports": [{ "name": "http", "containerPort": 8080 }], "env": [{ "name": "A", "value": "1" }] }] },
                },
            },
        }),
        json!({
            "apiVersion": "v1", "kind": "Service", "metadata": { "name": "web" },
            "spec": { "selector": { "app": "web" }, "ports": [{ "name": "http", "port": 80, "targetPort": "http" }] },
        }),
    ]
}

const DEPLOY: &str = "deploy --service web --image web:2 --soak 0s --drain 10m";

#[test]
fn a_deploy_and_a_rollback_are_seen_as_they_are_told() {
    let court = Court::of(&web("web:1"), "");
    court.leads_to("web", 2);
    let said = court.tool(DEPLOY);
    assert!(said.contains("Service `web` leads to `web-green`"), "{said}");
    let judge = &court.judge;
    judge.does("rollout status deployment/web-green --timeout=10s");
    judge.does("wait --for=condition=Available deployment/web-green --timeout=10s");
    judge.does("wait --for=jsonpath={.status.readyReplicas}=2 deployment/web-green --timeout=10s");
    judge.does("wait --for=jsonpath={.spec.selector.color}=green service/web --timeout=10s");
    court.leads_to("web-green", 2);
    let image = "{.spec.template.spec.containers[0].image}";
    assert_eq!(judge.reads("deployment/web-green", image), "web:2");
    assert_eq!(
        judge.reads("deployment/web", image),
        "web:1",
        "the old one is as it was"
    );
    let pods = judge.does("get pods -l app=web,color=green");
    assert_eq!(pods.matches("Running").count(), 2, "{pods}");
    // What the tool says of the cluster is what kubectl reads there.
    let status = court.tool("status --service web --output json");
    let status: Value = serde_json::from_str(status.lines().next().unwrap()).unwrap();
    let fact = &status["facts"]["services"][0];
    assert_eq!(fact["live"], "web-green", "{status}");
    let selector: Value = serde_json::from_str(&judge.reads("service/web", "{.spec.selector}")).unwrap();
    assert_eq!(selector, json!({ "app": "web", "color": "green" }));
    assert_eq!(fact["selector"], "app=web,color=green");
    court.tool("rollback --service web");
    court.leads_to("web", 2);
    judge.does("wait --for=jsonpath={.spec.replicas}=0 deployment/web-green --timeout=10s");
    judge.does("rollout status deployment/web --timeout=10s");
    assert_eq!(judge.says("get service web-preview").code, 1);
}

#[test]
fn what_was_applied_is_applied_again_and_the_traffic_stays() {
    for flags in ["", "--server-side"] {
        let court = Court::of(&web("web:1"), flags);
        court.tool(DEPLOY);
        court.leads_to("web-green", 2);
        // The person's own Deployment has nothing of ours that would be lost or fought over.
        let documents: Vec<String> = web("web:1").iter().take(1).map(Value::to_string).collect();
        let words: Vec<&str> = "diff"
            .split(' ')
            .chain(flags.split_whitespace())
            .chain(["-f", "-"])
            .collect();
        let diff = court
            .judge
            .kubectl
            .run_with(&words, &documents.join("\n---\n"))
            .unwrap();
        assert_eq!((diff.code, diff.out.as_str()), (0, ""), "{flags}: {}", diff.err);
        // The same again, and another label: neither conflicts, neither moves the traffic.
        let mut again = web("web:1");
        again.truncate(1);
        again[0]["metadata"]["labels"]["tier"] = json!("front");
        let said = court.judge.applies(flags, &again);
        assert_eq!(said.code, 0, "{flags}: {}", said.err);
        court.leads_to("web-green", 2);
        court.judge.does("rollout status deployment/web --timeout=10s");
        court.tool("rollback --service web");
        court.leads_to("web", 2);
        assert_eq!(
            court.judge.reads("deployment/web", "{.metadata.labels.tier}"),
            "front"
        );
    }
}

#[test]
fn a_service_that_is_applied_again_keeps_the_traffic_or_is_told_of() {
    // Client-side: what the file does not name is left, and the colour is not in the file.
    let court = Court::of(&web("web:1"), "");
    court.tool(DEPLOY);
    done("apply", court.judge.applies("", &web("web:1")[1..]));
    court.leads_to("web-green", 2);
    assert_eq!(
        court.judge.reads("service/web", "{.spec.selector.color}"),
        "green"
    );
    // Server-side the selector is one field with one owner: it conflicts, and nothing is lost in silence.
    let court = Court::of(&web("web:1"), "--server-side");
    court.tool(DEPLOY);
    let refused = court.judge.applies("--server-side", &web("web:1")[1..]);
    assert_ne!(refused.code, 0);
    assert!(refused.err.contains(".spec.selector"), "{}", refused.err);
    court.leads_to("web-green", 2);
    // Who forces it leads the Service to both versions again. The tool says so, names who it was, deploys nothing over it, and the
    // way back mends it.
    done(
        "apply",
        court
            .judge
            .applies("--server-side --force-conflicts", &web("web:1")[1..]),
    );
    let said = court.tool("status --service web");
    assert!(
        said.contains("which is not what the deploy of run `acme/shop/7` left") && said.contains("kubectl"),
        "{said}"
    );
    let (code, said) = court.says("deploy --service web --image web:3");
    assert_ne!(code, Some(0), "{said}");
    assert_eq!(
        court.judge.reads("service/web", "{.spec.selector}"),
        r#"{"app":"web"}"#
    );
    court.tool("rollback --service web");
    court.leads_to("web", 2);
}

#[test]
fn a_change_by_hand_between_two_deploys_is_what_the_next_one_starts_from() {
    let court = Court::of(&web("web:1"), "");
    court.tool(DEPLOY);
    let judge = &court.judge;
    judge.does("set env deployment/web-green B=2");
    judge.does("rollout status deployment/web-green --timeout=10s");
    judge.does("scale deployment/web-green --replicas=3");
    judge.does("rollout status deployment/web-green --timeout=10s");
    court.tool("deploy --service web --image web:3 --soak 0s --drain 10m");
    court.leads_to("web-blue", 3);
    let names = judge.reads(
        "deployment/web-blue",
        "{.spec.template.spec.containers[0].env[*].name}",
    );
    assert_eq!(names, "A B");
    let image = judge.reads("deployment/web-blue", "{.spec.template.spec.containers[0].image}");
    assert_eq!(image, "web:3");
}

#[test]
fn a_rolling_deploy_is_a_rollout_and_undone_by_either() {
    let court = Court::of(&web("web:1"), "");
    let judge = &court.judge;
    let image = "{.spec.template.spec.containers[0].image}";
    court.tool("deploy --strategy rolling --workload deployment/web --image web:2");
    judge.does("rollout status deployment/web --timeout=10s");
    assert_eq!(judge.reads("deployment/web", image), "web:2");
    judge.does("rollout undo deployment/web");
    judge.does("rollout status deployment/web --timeout=10s");
    assert_eq!(judge.reads("deployment/web", image), "web:1");
    court.tool("rollback --workload deployment/web");
    assert_eq!(judge.reads("deployment/web", image), "web:2");
    let said = judge.applies("", &web("web:4"));
    assert_eq!(said.code, 0, "{}", said.err);
    judge.does("rollout status deployment/web --timeout=10s");
    assert_eq!(judge.reads("deployment/web", image), "web:4");
}

#[test]
fn a_canary_is_what_kubectl_sees_at_each_weight_and_leaves_the_route_as_it_was_applied() {
    let route = json!({
        "apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": { "name": "web" },
        "spec": { "parentRefs": [{ "name": "edge" }], "rules": [{ "backendRefs": [{ "name": "web", "port": 80 }] }] },
    });
    let court = Court::of(&[web("web:1"), vec![route.clone()]].concat(), "");
    let judge = &court.judge;
    let weights = || {
        let path = "{range.spec.rules[0].backendRefs[*]}{.name}={.weight},{end}";
        judge.reads("httproute/web", path)
    };
    let before = judge.reads("httproute/web", "{.spec}");
    let deploy =
        "deploy --service web --image web:2 --strategy canary --route httproute/web --until 25% --soak 0s";
    let mut words: Vec<&str> = deploy.split(' ').collect();
    words.extend(["--steps", "25% 1s, 50% 1s, 100%"]);
    let (code, said) = court.says_to(&words);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(weights(), "web=75,web-canary=25,");
    judge.does("rollout status deployment/web-green --timeout=10s");
    judge.does("wait --for=jsonpath={.spec.selector.color}=green service/web-canary --timeout=10s");
    court.leads_to("web", 2);
    court.tool("promote --service web --until 50%");
    assert_eq!(weights(), "web=50,web-canary=50,");
    court.tool("promote --service web --soak 0s --drain 10m");
    court.leads_to("web-green", 2);
    assert_eq!(judge.reads("httproute/web", "{.spec}"), before);
    for gone in ["service web-canary", "service web-preview"] {
        assert_eq!(judge.says(&format!("get {gone}")).code, 1, "{gone}");
    }
    // What a person applies again is theirs alone, and comes to the same.
    let said = judge.applies("", &[route]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    assert_eq!(judge.reads("httproute/web", "{.spec}"), before);
    court.tool("rollback --service web");
    court.leads_to("web", 2);
    assert_eq!(judge.reads("httproute/web", "{.spec}"), before);
}
