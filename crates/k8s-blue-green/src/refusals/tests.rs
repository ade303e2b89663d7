use proptest::prelude::proptest;
use serde_json::json;

use super::*;
use crate::fixture::{deployment, pod, replica_set, service};
use crate::live;
use crate::object::any_json;

const BLUE: &[(&str, &str)] = &[("app", "web"), ("color", "blue")];
const GREEN: &[(&str, &str)] = &[("app", "web"), ("color", "green")];

/// A deploy of two pods beside two, that nothing stands in the way of.
struct Scene {
    service: Value,
    live: Live,
    new: Value,
    there: u64,
    services: Vec<Value>,
    claims: Option<Vec<Value>>,
    quotas: Vec<Value>,
    rules: Vec<Value>,
    routes: Vec<Value>,
    divided: Vec<&'static str>,
    nodes: Option<u64>,
}

fn scene(pods: usize) -> Scene {
    let pods: Vec<Value> = (0..pods)
        .map(|nth| pod(&format!("web-blue-1-{nth}"), "web-blue-1", BLUE))
        .collect();
    let deployments = [deployment("web-blue", u64::try_from(pods.len()).unwrap(), BLUE)];
    let sets = [replica_set("web-blue-1", "web-blue")];
    let service = service(BLUE);
    Scene {
        live: live::of(&service, "color", &pods, &sets, &deployments).unwrap(),
        services: vec![service.clone()],
        service,
        new: deployment("web-green", 2, GREEN),
        there: 0,
        claims: None,
        quotas: Vec::new(),
        rules: Vec::new(),
        routes: Vec::new(),
        divided: Vec::new(),
        nodes: None,
    }
}

impl Scene {
    fn told(&self) -> Vec<String> {
        let around = Around {
            service: &self.service,
            live: &self.live,
            new: &self.new,
            there: self.there,
            services: &self.services,
            together: &["web-front".to_owned()],
            claims: self.claims.as_deref(),
            quotas: &self.quotas,
            mesh: Meshed {
                rules: &self.rules,
                routes: &self.routes,
                divided: &self.divided,
            },
            nodes: self.nodes,
        };
        let told = |concern: Concern| match concern.grade {
            Grade::Refusal => format!("refused: {}", concern.text),
            Grade::Warning => concern.text,
        };
        preflight(&around).into_iter().map(told).collect()
    }

    fn only(&self) -> String {
        let mut told = self.told();
        assert_eq!(told.len(), 1, "{told:?}");
        told.remove(0)
    }

    fn pod_spec(&mut self) -> &mut Value {
        &mut self.new["spec"]["template"]["spec"]
    }
}

#[test]
fn nothing_is_said_where_nothing_is_in_the_way() {
    assert_eq!(scene(2).told(), [""; 0]);
}

#[test]
fn services_of_other_kinds() {
    let mut headless = scene(2);
    headless.service["spec"]["clusterIP"] = "None".into();
    assert!(headless.only().contains("has no address of its own"));
    let mut lenient = scene(2);
    lenient.service["spec"]["publishNotReadyAddresses"] = json!(true);
    assert!(lenient.only().contains("publishNotReadyAddresses"));
}

#[test]
fn a_live_version_that_is_not_whole() {
    let mut broken = scene(3);
    broken.live.side.ready = 1;
    assert_eq!(
        broken.only(),
        "1 of 3 pods of the live deployment `web-blue` are ready: the way back leads to no more than these"
    );
}

/// A scene where a route of the mesh leads to a subset of the Service.
fn meshed(subset: &[(&str, &str)]) -> Scene {
    let labels: Value = subset
        .iter()
        .map(|(key, value)| ((*key).to_owned(), json!(value)))
        .collect();
    let mut scene = scene(2);
    scene.rules = vec![
        json!({"metadata": {"name": "web-rule"}, "spec": {"host": "web", "subsets": [
        {"name": "stable", "labels": labels}, {"name": "none", "labels": {"color": "blue"}}]}}),
    ];
    scene.routes = vec![json!({"metadata": {"name": "shop"}, "spec": {"http": [
        {"route": [{"destination": {"host": "web", "subset": "stable"}}]}]}})];
    scene
}

#[test]
fn a_subset_of_the_mesh_that_would_be_empty() {
    for kept in [
        &[][..],
        &[("app", "web")],
        &[("color", "red")],
        &[("color", "blue"), ("else", "1")],
    ] {
        // All pods are in it before and after, or none was in it before: that is not the deploy's doing.
        assert_eq!(meshed(kept).told(), [""; 0], "{kept:?}");
    }
    let told = meshed(&[("app", "web"), ("color", "blue")]).only();
    assert!(
        told.starts_with(
            "refused: VirtualService `shop` leads to subset `stable` of service `web`, for which DestinationRule `web-rule` asks for \
             `color=blue`: the pods of `web-green` do not have that"
        ),
        "{told}"
    );
    let mut divided = meshed(BLUE);
    divided.divided = vec!["shop"];
    assert_eq!(divided.told(), [""; 0]);
    // Another route to a subset that is opened finds the pods there too; a route of its own to another subset does not.
    divided
        .routes
        .push(json!({"metadata": {"name": "also"}, "spec": {"tcp": [
        {"route": [{"destination": {"host": "web", "subset": "stable"}}]}]}}));
    assert_eq!(divided.told(), [""; 0]);
    divided.routes[1]["spec"]["tcp"][0]["route"][0]["destination"]["subset"] = json!("none");
    assert!(
        divided
            .only()
            .starts_with("refused: VirtualService `also` leads to subset `none`")
    );
    let mut elsewhere = meshed(BLUE);
    elsewhere.rules[0]["spec"]["host"] = json!("web.other");
    assert_eq!(elsewhere.told(), [""; 0]);
}

#[test]
fn pods_without_a_probe() {
    let mut scene = scene(2);
    scene.pod_spec()["containers"][0]
        .as_object_mut()
        .unwrap()
        .remove("readinessProbe");
    assert!(scene.only().contains("has a readiness probe"));
}

#[test]
fn volumes_that_one_node_or_one_pod_may_have() {
    let with = |pods, mode: Option<&str>| {
        let mut scene = scene(pods);
        scene.pod_spec()["volumes"] = json!([
            {"name": "data", "persistentVolumeClaim": {"claimName": "data"}}, {"name": "tmp", "emptyDir": {}},
        ]);
        scene.claims =
            mode.map(|mode| vec![json!({"metadata": {"name": "data"}, "spec": {"accessModes": [mode]}})]);
        scene.told().join("; ")
    };
    assert!(
        with(1, Some("ReadWriteOnce")).starts_with("refused: deployment `web-green` mounts the claim `data`")
    );
    assert!(
        with(2, Some("ReadWriteOnce")).ends_with("the new version has to fit on the node of the old one")
    );
    assert!(with(2, Some("ReadWriteOncePod")).starts_with("refused: "));
    assert_eq!(with(2, Some("ReadWriteMany")), "");
    assert_eq!(with(2, Some("ReadOnlyMany")), "");
    assert!(with(2, None).contains("it is not known"));
}

#[test]
fn pods_of_which_a_node_takes_one() {
    let mut port = scene(2);
    port.pod_spec()["containers"][0]["ports"][0]["hostPort"] = json!(80);
    let mut away = scene(2);
    away.pod_spec()["affinity"] = json!({"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
        {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": "web"}}},
    ]}});
    for scene in [&mut port, &mut away] {
        assert!(scene.only().ends_with("so that both versions need 4 nodes"));
        scene.nodes = Some(3);
        let told = scene.only();
        assert!(
            told.starts_with("refused: ") && told.ends_with("and there are 3"),
            "{told}"
        );
        scene.nodes = Some(4);
        assert_eq!(scene.told(), [""; 0]);
    }
    // Away from its own colour alone: the two new pods need two nodes, wherever the old ones are.
    let terms = "/affinity/podAntiAffinity/requiredDuringSchedulingIgnoredDuringExecution/0/labelSelector/matchLabels";
    away.pod_spec().pointer_mut(terms).unwrap()["color"] = "green".into();
    away.nodes = Some(2);
    assert_eq!(away.told(), [""; 0]);
}

#[test]
fn quotas_that_leave_no_room() {
    let quota = |key: &str, hard: &str, used: &str| json!({"metadata": {"name": "team"}, "spec": {"hard": {key: hard}}, "status": {"hard": {key: hard}, "used": {key: used}}});
    let mut scene = scene(2);
    scene.pod_spec()["containers"][0]["resources"] =
        json!({"requests": {"cpu": "500m"}, "limits": {"memory": "1Gi", "cpu": 1}});
    scene.pod_spec()["initContainers"] = json!([
        {"name": "proxy", "restartPolicy": "Always", "resources": {"requests": {"cpu": "100m"}}},
        {"name": "migrate", "resources": {"requests": {"cpu": "700m"}}},
    ]);
    for (key, hard, used, need) in [
        ("pods", "5", "4", Some("1")),
        ("pods", "6", "4", None),
        ("requests.cpu", "2", "500m", Some("800m")),
        ("requests.cpu", "2100m", "500m", None),
        ("cpu", "1", "0", Some("800m")),
        ("limits.cpu", "1", "0", Some("1")),
        // A request that is not there is the limit.
        ("requests.memory", "2Gi", "1Mi", Some("1024Mi")),
        ("requests.nvidia.com/gpu", "0", "0", None),
        ("requests.storage", "0", "0", None),
        ("count/secrets", "0", "0", None),
        ("pods", "many", "0", None),
    ] {
        scene.quotas = vec![quota(key, hard, used)];
        match need {
            Some(need) => {
                let told = scene.only();
                let begins = "refused: quota `team` has no room for 2 pods more: ";
                let ends = format!("of `{key}` is used, and a pod needs {need}");
                assert!(told.starts_with(begins) && told.ends_with(&ends), "{told}");
            }
            None => assert_eq!(scene.told(), [""; 0], "{key}"),
        }
    }
    scene.quotas = vec![quota("pods", "5", "4")];
    scene.there = 1;
    assert_eq!(scene.told(), [""; 0], "one of the two is there already");
    scene.there = 0;
    scene.quotas[0]["spec"]["scopes"] = json!(["BestEffort"]);
    assert_eq!(scene.told(), [""; 0]);
}

#[test]
fn others_who_lead_to_the_new_version_or_switch_back() {
    let mut others = scene(2);
    for (name, color) in [
        ("web-internal", None),
        ("web-front", None),
        ("web-other", Some("blue")),
    ] {
        let mut other = service(&[("app", "web")]);
        other["metadata"]["name"] = name.into();
        if let Some(color) = color {
            other["spec"]["selector"]["color"] = color.into();
        }
        others.services.push(other);
    }
    let told = others.only();
    assert!(
        told.starts_with("the new version gets requests through `web-internal` as soon"),
        "{told}"
    );
    let mut kept = scene(2);
    let selector = json!({"f:spec": {"f:selector": {}}});
    kept.service["metadata"]["managedFields"] = json!([
        {"manager": "argocd-controller", "fieldsV1": selector}, {"manager": "kubectl", "fieldsV1": selector},
        {"manager": "helm", "fieldsV1": {"f:spec": {"f:ports": {}}}},
    ]);
    assert!(kept.only().starts_with("Argo CD keeps service `web`"));
}

proptest! {
    #[test]
    fn nothing_foreign_panics(service in any_json(), new in any_json(), deployment in any_json(), others in proptest::collection::vec(any_json(), 0..3)) {
        let mut scene = scene(1);
        scene.service = service;
        scene.new = new;
        scene.live.side.deployment = deployment;
        scene.services = others.clone();
        scene.claims = Some(others.clone());
        scene.quotas = others.clone();
        scene.rules = others.clone();
        scene.routes = others;
        scene.nodes = Some(1);
        let _ = scene.told();
    }
}
