//! The stand-in of Kubernetes, driven by `kubectl`.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use sandbox::http::{Reply, Script, Server};
use sandbox::peers::{Kubectl, Place, Said};
use sandbox::stand_ins::kubernetes::{Clock, Cluster, Login, Role, User};
use serde_json::{Value, json};

/// A cluster whose clock is so fast that a rollout takes a second.
fn cluster() -> Cluster {
    Cluster::open(Clock::compressed(30)).unwrap()
}

pub(crate) struct Judge {
    pub(crate) kubectl: Kubectl,
    place: Place,
}

impl Judge {
    pub(crate) fn of(kubeconfig: &str) -> Self {
        let place = Place::new().unwrap();
        let kubectl = Kubectl::new(&place, kubeconfig).unwrap();
        Self { kubectl, place }
    }

    pub(crate) fn says(&self, line: &str) -> Said {
        self.kubectl.run(&line.split(' ').collect::<Vec<_>>()).unwrap()
    }

    /// What it prints when it succeeds.
    pub(crate) fn does(&self, line: &str) -> String {
        done(line, self.says(line))
    }

    pub(crate) fn applies(&self, flags: &str, objects: &[Value]) -> Said {
        let line = format!("apply {flags} -f -");
        let words: Vec<&str> = line.split_whitespace().collect();
        self.kubectl.run_with(&words, &documents(objects)).unwrap()
    }

    pub(crate) fn reads(&self, what: &str, path: &str) -> String {
        self.does(&format!("get {what} -o jsonpath={path}"))
    }
}

pub(crate) fn done(line: &str, said: Said) -> String {
    assert_eq!(said.code, 0, "kubectl {line}\n{}{}", said.out, said.err);
    assert!(
        !said.err.contains("warning: error calculating patch"),
        "{}",
        said.err
    );
    said.out
}

/// Objects as documents of one file.
fn documents(objects: &[Value]) -> String {
    let documents: Vec<String> = objects.iter().map(Value::to_string).collect();
    documents.join("\n---\n")
}

fn web(image: &str) -> Vec<Value> {
    vec![
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "web" },
            "spec": {
                "replicas": 2, "selector": { "matchLabels": { "app": "web" } },
                "template": {
                    "metadata": { "labels": { "app": "web" } },
                    "spec": { "containers": [{ "name": "web", "image": image, "ports": [{ "name": "http", "containerPort": 8080 }],
                        "env": [{ "name": "A", "value": "1" }] }] },
                },
            },
        }),
        json!({
            "apiVersion": "v1", "kind": "Service", "metadata": { "name": "web" },
            "spec": { "selector": { "app": "web" }, "ports": [{ "port": 80, "targetPort": "http" }] },
        }),
    ]
}

#[test]
fn a_deployment_is_applied_rolled_out_and_undone() {
    let cluster = cluster();
    let judge = Judge::of(&cluster.kubeconfig(Login::Certificate).unwrap());
    done("apply", judge.applies("", &web("web:1")));
    judge.does("rollout status deployment/web --timeout=30s");
    let again = done("apply", judge.applies("", &web("web:1")));
    assert_eq!(again, "deployment.apps/web unchanged\nservice/web unchanged\n");
    done("apply", judge.applies("", &web("web:2")));
    judge.does("rollout status deployment/web --timeout=30s");
    judge.does("set image deployment/web web=web:3");
    judge.does("rollout status deployment/web --timeout=30s");
    let history = judge.does("rollout history deployment/web");
    assert!(history.contains("\n3 "), "{history}");
    judge.does("rollout undo deployment/web");
    judge.does("rollout status deployment/web --timeout=30s");
    let image = "{.spec.template.spec.containers[0].image}";
    assert_eq!(judge.reads("deployment/web", image), "web:2");
    judge.does("scale deployment/web --replicas=3");
    judge.does("wait --for=condition=Available deployment/web --timeout=30s");
    judge.does("wait --for=jsonpath={.status.readyReplicas}=3 deployment/web --timeout=30s");
    let pods = judge.does("get pods --selector app=web");
    assert_eq!(pods.matches("Running").count(), 3, "{pods}");
    judge.does("set image deployment/web web=web:4-crash");
    let stuck = judge.says("rollout status deployment/web --timeout=1s");
    assert_eq!(stuck.code, 1, "{stuck:?}");
    judge.does("delete deployment web --wait --timeout=30s");
    assert_eq!(judge.says("get deployment web").code, 1);
}

#[test]
fn patches_of_every_kind_do_what_they_do_in_a_real_cluster() {
    let cluster = cluster();
    let judge = Judge::of(&cluster.kubeconfig(Login::Token).unwrap());
    done("apply", judge.applies("", &web("web:1")));
    let run = |words: &[&str]| judge.kubectl.run(words).unwrap();
    let test = r#"[{"op":"test","path":"/spec/selector","value":{"app":"x"}},{"op":"remove","path":"/spec/selector"}]"#;
    let failed = run(&["patch", "service", "web", "--type=json", "-p", test]);
    assert_eq!(
        failed.err,
        "The request is invalid: the server rejected our request due to an error in our request\n"
    );
    let merged = r#"{"spec":{"selector":{"color":"blue"}}}"#;
    done(
        "patch",
        run(&["patch", "service", "web", "--type=merge", "-p", merged]),
    );
    let selector: Value = serde_json::from_str(&judge.reads("service/web", "{.spec.selector}")).unwrap();
    assert_eq!(selector, json!({ "app": "web", "color": "blue" }));
    let by_key =
        r#"{"spec":{"template":{"spec":{"containers":[{"name":"web","env":[{"name":"B","value":"2"}]}]}}}}"#;
    done("patch", run(&["patch", "deployment", "web", "-p", by_key]));
    let names = judge.reads(
        "deployment/web",
        "{.spec.template.spec.containers[0].env[*].name}",
    );
    assert_eq!(names, "A B");
    let before = judge.reads("service/web", "{.metadata.resourceVersion}");
    let dry = [
        "patch",
        "service",
        "web",
        "--dry-run=server",
        "--type=merge",
        "-p",
        merged,
    ];
    done("patch", run(&dry));
    assert_eq!(judge.reads("service/web", "{.metadata.resourceVersion}"), before);
    let stale = format!(
        r#"{{"metadata":{{"resourceVersion":"1"}},"spec":{{"selector":{{"color":"{}"}}}}}}"#,
        "red"
    );
    let refused = run(&["patch", "service", "web", "--type=merge", "-p", &stale]);
    assert!(
        refused.err.contains("the object has been modified"),
        "{}",
        refused.err
    );
}

#[test]
fn server_side_apply_knows_owners() {
    let cluster = cluster();
    let judge = Judge::of(&cluster.kubeconfig(Login::Token).unwrap());
    done("apply", judge.applies("--server-side", &web("web:1")));
    let refused = judge.applies("--server-side --field-manager=other", &web("web:2"));
    assert!(
        refused
            .err
            .contains("conflict with \"kubectl\": .spec.template.spec.containers[name=\"web\"].image"),
        "{}",
        refused.err
    );
    let forced = "--server-side --force-conflicts --field-manager=other";
    done("apply", judge.applies(forced, &web("web:2")));
    let words = ["diff", "--server-side", "--force-conflicts", "-f", "-"];
    let diff = judge.kubectl.run_with(&words, &documents(&web("web:3"))).unwrap();
    assert_eq!(diff.code, 1, "{}", diff.err);
    assert!(
        diff.out.contains("-        image: web:2\n+        image: web:3"),
        "{}",
        diff.out
    );
    let mut wrong = web("web:3");
    wrong[1]["spec"]["selectors"] = json!({});
    let strict = judge.applies("--server-side", &wrong);
    assert!(
        strict
            .err
            .contains(".spec.selectors: field not declared in schema"),
        "{}",
        strict.err
    );
}

#[test]
fn jobs_logs_and_ports_are_reached() {
    let cluster = cluster();
    let judge = Judge::of(&cluster.kubeconfig(Login::Token).unwrap());
    let server = Server::start(Script::new().any([Reply::text(200, "hello from a pod")])).unwrap();
    cluster.listen("web-*", 8080, server.address());
    let made = judge.does("create job migrate --image=db:jobok --dry-run=client -o json");
    let job: Value = serde_json::from_str(&made).unwrap();
    done("apply", judge.applies("", &[job]));
    judge.does("wait --for=condition=complete job/migrate --timeout=30s");
    assert_eq!(judge.does("logs job/migrate --tail=1"), "migrated\n");
    assert_eq!(judge.does("logs -f job/migrate"), "starting\nmigrated\n");
    done("apply", judge.applies("", &web("web:1")));
    judge.does("rollout status deployment/web --timeout=30s");
    let forwarded = judge
        .kubectl
        .forward(&judge.place, "deployment/web", 8080)
        .unwrap();
    for _ in 0..3 {
        let mut stream = TcpStream::connect(("127.0.0.1", forwarded.port)).unwrap();
        stream
            .write_all(b"GET / HTTP/1.1\r\nhost: web\r\nconnection: close\r\n\r\n")
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.ends_with("hello from a pod"), "{answer}");
    }
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn who_may_do_what_is_told_and_held() {
    let cluster = cluster();
    let role = Role::nothing()
        .rule("", "pods/portforward", &["get"])
        .rule("", "services", &["get", "list"]);
    cluster.allow(User::new("deployer", "secret").role(role));
    let judge = Judge::of(&cluster.kubeconfig_of("deployer", Login::Token).unwrap());
    assert_eq!(
        judge.does("auth can-i get pods --subresource=portforward"),
        "yes\n"
    );
    let refused = judge.says("auth can-i create pods --subresource=portforward");
    assert_eq!((refused.code, refused.out.as_str()), (1, "no\n"));
    let list = judge.does("auth can-i --list");
    assert!(list.contains("pods/portforward"), "{list}");
    let refused = judge.says("delete service web");
    assert!(
        refused
            .err
            .contains("User \"deployer\" cannot delete resource \"services\""),
        "{}",
        refused.err
    );
    let wrong = cluster
        .kubeconfig(Login::Token)
        .unwrap()
        .replace(cluster.token(), "wrong");
    let refused = Judge::of(&wrong).says("get services");
    assert!(
        refused.err.contains("You must be logged in to the server"),
        "{}",
        refused.err
    );
}

#[test]
fn routes_of_other_groups_are_found_and_patched() {
    let cluster = cluster();
    let judge = Judge::of(&cluster.kubeconfig(Login::Token).unwrap());
    let route = json!({
        "apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": { "name": "web" },
        "spec": { "rules": [{ "backendRefs": [{ "name": "web", "port": 80 }] }] },
    });
    done("apply", judge.applies("", &[route]));
    let weight = r#"[{"op":"add","path":"/spec/rules/0/backendRefs/0/weight","value":1000001}]"#;
    let words = ["patch", "httproute", "web", "--type=json", "-p", weight];
    let refused = judge.kubectl.run(&words).unwrap();
    assert!(
        refused.err.contains("less than or equal to 1000000"),
        "{}",
        refused.err
    );
    assert_eq!(judge.does("get virtualservices.networking.istio.io"), "");
}

#[test]
fn other_workloads_are_rolled_out_and_undone() {
    let cluster = cluster();
    let judge = Judge::of(&cluster.kubeconfig(Login::Token).unwrap());
    let mut sets = vec![web("web:1").remove(0), web("web:1").remove(0)];
    for (set, kind) in sets.iter_mut().zip(["StatefulSet", "DaemonSet"]) {
        set["kind"] = json!(kind);
    }
    sets[1]["spec"].as_object_mut().unwrap().remove("replicas");
    done("apply", judge.applies("", &sets));
    for kind in ["statefulset", "daemonset"] {
        let what = format!("{kind}/web");
        judge.does(&format!("rollout status {what} --timeout=30s"));
        judge.does(&format!("set image {what} web=web:2"));
        judge.does(&format!("rollout status {what} --timeout=30s"));
        judge.does(&format!("rollout undo {what}"));
        judge.does(&format!("rollout status {what} --timeout=30s"));
        let image = "{.spec.template.spec.containers[0].image}";
        assert_eq!(judge.reads(&what, image), "web:1");
        judge.does(&format!("rollout restart {what}"));
        judge.does(&format!("rollout status {what} --timeout=30s"));
    }
    judge.does("wait --for=condition=Ready pod/web-0 --timeout=30s");
    let told = judge.does("describe statefulset web");
    assert!(told.contains("SuccessfulCreate"), "{told}");
    judge.does("annotate statefulset web a=b");
    judge.does("label statefulset web a=b");
    assert_eq!(
        judge.does("get statefulsets -l a=b,!c -o name"),
        "statefulset.apps/web\n"
    );
    judge.does("delete statefulset web --cascade=foreground --timeout=30s");
    judge.does("delete daemonset web --cascade=orphan --timeout=30s");
    assert_eq!(judge.does("get pods -o name").lines().count(), 3);
    judge.does("delete pods --all --timeout=30s");
    let namespace = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "shop" } });
    let inside =
        json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "c", "namespace": "shop" } });
    done("apply", judge.applies("", &[namespace, inside]));
    judge.does("delete namespace shop --timeout=30s");
}
