//! Jobs of templates and of manifests.

use proptest::prelude::{any, proptest};

use super::*;

const LIMIT: Duration = Duration::from_secs(900);

fn template() -> Value {
    json!({
        "metadata": {
            "labels": {"app": "web", "color": "green", "azure.workload.identity/use": "true", "pod-template-hash": "x"},
            "annotations": {"kubectl.kubernetes.io/restartedAt": "2026-01-01", "a": "b"},
        },
        "spec": {
            "serviceAccountName": "web", "restartPolicy": "Always", "newField": {"x": 1},
            "topologySpreadConstraints": [{}], "affinity": {"nodeAffinity": {"n": 1}, "podAntiAffinity": {"p": 1}},
            "volumes": [{"name": "v", "configMap": {"name": "c"}}],
            "initContainers": [{"name": "proxy", "restartPolicy": "Always"}],
            "containers": [
                {"name": "web", "image": "shop:2", "command": ["serve"], "args": ["-p"], "ports": [{"containerPort": 80}],
                 "env": [{"name": "A", "value": "1"}], "livenessProbe": {}, "readinessProbe": {}, "startupProbe": {}, "lifecycle": {}, "newer": 1},
                {"name": "log", "image": "log:1"},
            ],
        },
    })
}

fn selectors() -> Vec<Labels> {
    vec![
        [
            ("app".to_owned(), "web".to_owned()),
            ("color".to_owned(), "green".to_owned()),
        ]
        .into(),
    ]
}

fn job(line: &str, template: &Value) -> Result<Job, JobError> {
    let Asked::Command(command) = Asked::parse(line)? else {
        panic!("{line}")
    };
    Job::of_template(template, &command, "web", Way::Up, &selectors(), LIMIT)
}

#[test]
fn the_container_is_kept_and_what_serves_is_not() {
    let job = job("web=bin/migrate --all", &template()).unwrap();
    let name = job.name().to_owned();
    assert!(
        name.starts_with("web-migrate-") && name.len() == "web-migrate-".len() + 8,
        "{name}"
    );
    let expected = json!({
        "apiVersion": "batch/v1", "kind": "Job",
        "metadata": {"name": name, "labels": {LABEL: "web"}, "annotations": {WAY: "up"}},
        "spec": {
            "backoffLimit": 0, "activeDeadlineSeconds": 900, "ttlSecondsAfterFinished": 86400,
            "template": {
                "metadata": {
                    "labels": {"azure.workload.identity/use": "true", "sidecar.istio.io/inject": "false", LABEL: "web"},
                    "annotations": {"a": "b", "linkerd.io/inject": "disabled", "sidecar.istio.io/inject": "false"},
                },
                "spec": {
                    "serviceAccountName": "web", "restartPolicy": "Never", "newField": {"x": 1}, "affinity": {"nodeAffinity": {"n": 1}},
                    "volumes": [{"name": "v", "configMap": {"name": "c"}}],
                    "initContainers": [{"name": "proxy", "restartPolicy": "Always"}],
                    "containers": [{"name": "web", "image": "shop:2", "env": [{"name": "A", "value": "1"}], "newer": 1, "command": ["bin/migrate", "--all"]}],
                },
            },
        },
    });
    assert_eq!(job.object, expected);
    assert_eq!(
        job.notes,
        ["the migration runs without `log`: a Job ends when all of its containers do"]
    );
}

#[test]
fn the_name_says_what_is_run_and_not_when_or_for_how_long() {
    let of = |line: &str, template: &Value| job(line, template).unwrap().name().to_owned();
    let first = of("web=a", &template());
    let mut restarted = template();
    restarted["metadata"]["annotations"]["kubectl.kubernetes.io/restartedAt"] = "later".into();
    restarted["metadata"]["labels"]["color"] = "blue".into();
    assert_eq!(of("web=a", &restarted), first);
    assert_ne!(of("web=b", &template()), first);
    let mut image = template();
    image["spec"]["containers"][0]["image"] = "shop:3".into();
    assert_ne!(of("web=a", &image), first);
    let Ok(Asked::Command(command)) = Asked::parse("web=a") else {
        panic!()
    };
    let named = |base: &str, way, limit| {
        Job::of_template(&template(), &command, base, way, &selectors(), limit)
            .unwrap()
            .name()
            .to_owned()
    };
    assert_eq!(named("web", Way::Up, LIMIT * 2), first);
    assert!(named("web", Way::Down, LIMIT).starts_with("web-migrate-down-"));
    let long = "a-".repeat(60);
    let (one, other) = (
        named(&long, Way::Down, LIMIT),
        named(&format!("{long}b"), Way::Down, LIMIT),
    );
    assert!(one.len() <= 63 && one != other && !one.contains("--"), "{one}");
}

#[test]
fn a_job_of_the_manifests_keeps_what_it_says() {
    let manifest = json!({
        "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "db", "labels": {"team": "shop"}},
        "spec": {"backoffLimit": 2, "suspend": true, "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "m", "image": "shop:2"}, {"name": "n"}]}}},
    });
    let job = Job::of_manifest(&manifest, Way::Up, LIMIT).unwrap();
    assert!(job.name().starts_with("db-migrate-"));
    assert_eq!(
        job.object["metadata"]["labels"],
        json!({LABEL: "db", "team": "shop"})
    );
    assert_eq!(job.object["spec"]["backoffLimit"], 2);
    assert_eq!(job.object["spec"]["suspend"], Value::Null);
    assert_eq!(
        job.object["spec"]["template"]["spec"],
        manifest["spec"]["template"]["spec"]
    );
    assert_eq!(
        Job::of_manifest(&json!({"metadata": {"name": "x"}}), Way::Up, LIMIT),
        Err(JobError::Empty("x".to_owned()))
    );
}

#[test]
fn what_is_no_migration_is_told() {
    for (line, words) in [
        (
            "db=x",
            "there is no container `db` in the new version, but `web`, `log`",
        ),
        (
            "bin/migrate",
            "several containers, `web`, `log`; name one as in `web=bin/migrate`",
        ),
        ("web=", "is empty"),
        ("job/", "`job/` needs the name"),
    ] {
        let said = job(line, &template()).unwrap_err().to_string();
        assert!(said.contains(words), "{said}");
    }
    assert_eq!(Asked::parse("job/db"), Ok(Asked::Job("db".to_owned())));
}

proptest! {
    #[test]
    fn any_json_becomes_a_job_or_a_reason(bytes in any::<Vec<u8>>(), base in any::<String>(), key in "(spec|metadata|containers|affinity|labels)") {
        let value: Value = serde_json::from_slice(&bytes).unwrap_or_else(|_| json!({&key: {&key: [{"name": base}]}, "spec": {&key: 5, "containers": [{"name": "c"}]}}));
        let command = ContainerCommand { container: None, words: vec![] };
        let _ = Job::of_template(&value, &command, &base, Way::Down, &[], LIMIT);
        let _ = Job::of_manifest(&value, Way::Up, LIMIT);
    }
}
