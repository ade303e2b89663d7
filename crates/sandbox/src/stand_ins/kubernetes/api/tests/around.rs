//! Who asks, what goes wrong, and who acts beside it.

use serde_json::{Value, json};

use super::{MERGE, WEB, ask, cluster, request};
use crate::stand_ins::kubernetes::object;
use crate::stand_ins::kubernetes::{End, Fault, Heard, Refusal, Role, Turn, User};

#[test]
fn who_asks_matters() {
    let cluster = cluster();
    let role = Role::nothing().rule("", "services", &["get"]);
    cluster.allow(User::new("deployer", "secret").role(role));
    let as_user = |token: &str, method: &str, path: &str, body: &Value| {
        let mut request = request(method, path, MERGE, body);
        request.headers[0].1 = format!("Bearer {token}");
        match cluster.hear(&request) {
            Heard::Answer { status, body, .. } => {
                (status, serde_json::from_slice::<Value>(&body).unwrap_or_default())
            }
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(as_user("wrong", "GET", WEB, &Value::Null).0, 401);
    assert_eq!(as_user("secret", "GET", WEB, &Value::Null).0, 200);
    let (status, refusal) = as_user("secret", "PATCH", WEB, &json!({}));
    assert_eq!(
        (status, refusal["message"].as_str().unwrap()),
        (
            403,
            "services \"web\" is forbidden: User \"deployer\" cannot patch resource \"services\" in API group \"\" in the namespace \
             \"default\""
        )
    );
    let review = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    for (verb, expected) in [("get", true), ("patch", false)] {
        let asked = json!({ "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
            "spec": { "resourceAttributes": { "namespace": "default", "verb": verb, "resource": "services" } } });
        assert_eq!(
            as_user("secret", "POST", review, &asked).1["status"]["allowed"],
            expected
        );
    }
}

#[test]
fn faults_strike_and_others_act_at_their_call() {
    let cluster = cluster();
    cluster.forget();
    cluster.fault("patch services web", Turn::Nth(1), Fault::Lost);
    cluster.fault(
        "patch services",
        Turn::Nth(2),
        Fault::Refused(Refusal::webhook("policy", "no")),
    );
    cluster.fault("get services", Turn::First(1), Fault::Throttled);
    cluster.before("patch services", 3, |world| {
        world.merge(
            "services",
            "default",
            "web",
            json!({ "spec": { "selector": { "color": "red" } } }),
        );
    });
    let green = json!({ "spec": { "selector": { "color": "green" } } });
    let lost = cluster.hear(&request("PATCH", WEB, MERGE, &green));
    assert!(matches!(lost, Heard::Reset));
    let color = || {
        cluster.world(|world| {
            let live = world.get("services", "default", "web").unwrap();
            object::text(live, "/spec/selector/color").to_owned()
        })
    };
    assert_eq!(color(), "green");
    let (status, refusal) = ask(&cluster, "PATCH", WEB, MERGE, &green);
    assert_eq!(
        (status, refusal["message"].as_str()),
        (403, Some("admission webhook \"policy\" denied the request: no"))
    );
    let guarded = json!([
        { "op": "test", "path": "/spec/selector/color", "value": "green" },
        { "op": "replace", "path": "/spec/selector/color", "value": "blue" },
    ]);
    assert_eq!(
        ask(&cluster, "PATCH", WEB, "application/json-patch+json", &guarded).0,
        422
    );
    assert_eq!(color(), "red");
    let (status, refusal) = ask(&cluster, "GET", WEB, "", &Value::Null);
    assert_eq!(
        (status, &refusal["details"]["retryAfterSeconds"]),
        (429, &json!(1))
    );
    let ends: Vec<End> = cluster
        .calls("patch services")
        .into_iter()
        .map(|entry| entry.end)
        .collect();
    assert_eq!(
        ends,
        [
            End::Lost,
            End::Refused("Forbidden".to_owned()),
            End::Refused("Invalid".to_owned())
        ]
    );
}
