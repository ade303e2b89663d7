use serde_json::json;

use super::super::input::{list, text};
use super::*;

/// A load balancer with a listener, a rule, and two groups.
struct Front {
    elb: Balancers,
    listener: String,
    rule: String,
    blue: String,
    green: String,
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

impl Front {
    fn new() -> Self {
        let mut front = Self {
            elb: Balancers::new(Home::default()),
            listener: String::new(),
            rule: String::new(),
            blue: String::new(),
            green: String::new(),
        };
        let balancer = front.made(
            "CreateLoadBalancer",
            json!({ "Name": "shop" }),
            "/LoadBalancers/0/LoadBalancerArn",
        );
        front.blue = front.made(
            "CreateTargetGroup",
            json!({ "Name": "blue", "Port": 8080 }),
            "/TargetGroups/0/TargetGroupArn",
        );
        front.green = front.made(
            "CreateTargetGroup",
            json!({ "Name": "green" }),
            "/TargetGroups/0/TargetGroupArn",
        );
        let fixed = json!([{ "Type": "fixed-response", "FixedResponseConfig": { "StatusCode": "404" } }]);
        let listener =
            json!({ "LoadBalancerArn": balancer, "Port": 80, "Protocol": "HTTP", "DefaultActions": fixed });
        front.listener = front.made("CreateListener", listener, "/Listeners/0/ListenerArn");
        let rule = json!({
            "ListenerArn": front.listener,
            "Priority": 10,
            "Conditions": [{ "Field": "path-pattern", "Values": ["/*"] }],
            "Actions": [{ "Type": "forward", "TargetGroupArn": front.blue }],
        });
        front.rule = front.made("CreateRule", rule, "/Rules/0/RuleArn");
        front
    }

    fn made(&mut self, operation: &str, input: Value, arn: &str) -> String {
        let output = self.ask(operation, input, 0).unwrap();
        output.pointer(arn).and_then(Value::as_str).unwrap().to_owned()
    }

    fn ask(&mut self, operation: &str, input: Value, now: u64) -> Answer {
        self.elb.answer(&Call {
            service: "elasticloadbalancing",
            operation: operation.to_owned(),
            input,
            now: seconds(now),
        })
    }

    fn actions(&mut self) -> Value {
        let described = self
            .ask("DescribeRules", json!({ "RuleArns": [self.rule] }), 0)
            .unwrap();
        described["Rules"][0]["Actions"].clone()
    }

    fn write(&mut self, actions: &Value, now: u64) -> Answer {
        let input = json!({ "RuleArn": self.rule, "Actions": actions });
        self.ask("ModifyRule", input, now)
    }

    fn split(&self, blue: i64, green: i64) -> Value {
        let groups = json!([
            { "TargetGroupArn": self.blue, "Weight": blue },
            { "TargetGroupArn": self.green, "Weight": green },
        ]);
        json!([{ "Type": "forward", "ForwardConfig": { "TargetGroups": groups } }])
    }

    fn state(&self, group: &str, now: u64) -> Option<State> {
        Some(self.elb.health(group, "10.0.0.1", 8080, seconds(now))?.state)
    }
}

#[test]
fn a_single_group_is_shown_in_both_forms_and_two_in_one() {
    let mut front = Front::new();
    let single = json!([{
        "Type": "forward",
        "TargetGroupArn": front.blue,
        "ForwardConfig": {
            "TargetGroups": [{ "TargetGroupArn": front.blue, "Weight": 1 }],
            "TargetGroupStickinessConfig": { "Enabled": false },
        },
    }]);
    assert_eq!(front.actions(), single);
    // What is shown is taken back.
    front.write(&single, 1).unwrap();
    assert_eq!(front.actions(), single);
    let split = front.split(90, 10);
    front.write(&split, 1).unwrap();
    assert_eq!(front.actions()[0].get("TargetGroupArn"), None);
    assert_eq!(
        front.elb.shares(&front.rule),
        [(front.blue.clone(), 0.9), (front.green.clone(), 0.1)]
    );
    assert_eq!(front.elb.weights_of(&front.green), 0.1);
}

#[test]
fn wrong_actions_change_nothing() {
    let mut front = Front::new();
    let before = front.actions();
    let (blue, green) = (front.blue.clone(), front.green.clone());
    let forward = |groups: Value| json!([{ "Type": "forward", "ForwardConfig": { "TargetGroups": groups } }]);
    let sticky = |seconds: u64| {
        let config = json!({ "Enabled": true, "DurationSeconds": seconds });
        json!([{ "Type": "forward", "ForwardConfig": { "TargetGroups": [{ "TargetGroupArn": blue }], "TargetGroupStickinessConfig": config } }])
    };
    let six: Vec<Value> = (0..6)
        .map(|number| json!({ "TargetGroupArn": format!("{blue}{number}") }))
        .collect();
    for (actions, code) in [
        (front.split(1000, 0), "ValidationError"),
        (front.split(-1, 1), "ValidationError"),
        (
            forward(json!([{ "TargetGroupArn": blue }, { "TargetGroupArn": blue }])),
            "ValidationError",
        ),
        (forward(json!(six)), "ValidationError"),
        (forward(json!(["text"])), "ValidationError"),
        (
            forward(json!([{ "TargetGroupArn": "arn:none" }])),
            "TargetGroupNotFound",
        ),
        (sticky(0), "ValidationError"),
        (sticky(604_801), "ValidationError"),
        (json!([]), "ValidationError"),
        (json!(["text"]), "ValidationError"),
        (
            json!([{ "Type": "authenticate-cognito", "Order": 1 }]),
            "InvalidLoadBalancerAction",
        ),
        (
            json!([{ "Type": "forward", "TargetGroupArn": blue, "ForwardConfig": { "TargetGroups": [{ "TargetGroupArn": green }] } }]),
            "ValidationError",
        ),
    ] {
        assert_eq!(front.write(&actions, 1).unwrap_err().code, code, "{actions}");
    }
    assert_eq!(front.actions(), before);
    let none = json!({ "RuleArn": "arn:none", "Actions": front.split(1, 1) });
    assert_eq!(front.ask("ModifyRule", none, 1).unwrap_err().code, "RuleNotFound");
}

#[test]
fn a_client_secret_is_kept_and_never_shown() {
    let mut front = Front::new();
    let config = json!({
        "Issuer": "https://id.example", "AuthorizationEndpoint": "https://id.example/a", "TokenEndpoint": "https://id.example/t",
        "UserInfoEndpoint": "https://id.example/u", "ClientId": "shop", "ClientSecret": "hush",
    });
    let actions = |config: &Value, front: &Front| {
        json!([
            { "Type": "forward", "TargetGroupArn": front.blue, "Order": 2 },
            { "Type": "authenticate-oidc", "AuthenticateOidcConfig": config, "Order": 1 },
        ])
    };
    let given = actions(&config, &front);
    front.write(&given, 1).unwrap();
    let mut shown = front.actions();
    assert_eq!(shown[0]["Type"], "authenticate-oidc");
    assert!(!shown.to_string().contains("hush") && !shown.to_string().contains("ClientSecret"));
    // Written back as they are, they have no secret.
    assert_eq!(front.write(&shown, 2).unwrap_err().code, "ValidationError");
    shown[0]["AuthenticateOidcConfig"]["UseExistingClientSecret"] = json!(true);
    front.write(&shown, 2).unwrap();
    assert_eq!(front.elb.client_secret(&front.rule), Some("hush"));
    assert_eq!(front.elb.shares(&front.rule), [(front.blue.clone(), 1.0)]);
    let split = front.split(1, 1);
    front.write(&split, 3).unwrap();
    assert_eq!(front.write(&shown, 4).unwrap_err().code, "ValidationError");
}

#[test]
fn the_default_action_is_the_listeners() {
    let mut front = Front::new();
    let rules = front
        .ask("DescribeRules", json!({ "ListenerArn": front.listener }), 0)
        .unwrap();
    assert_eq!(rules["Rules"][0]["Priority"], "10");
    assert_eq!(rules["Rules"][1]["IsDefault"], true);
    let default = text(&rules["Rules"][1], "RuleArn").to_owned();
    let split = front.split(3, 1);
    let refusal = front
        .ask("ModifyRule", json!({ "RuleArn": default, "Actions": split }), 1)
        .unwrap_err();
    assert_eq!(refusal.code, "OperationNotPermitted");
    front
        .ask(
            "ModifyListener",
            json!({ "ListenerArn": front.listener, "DefaultActions": split }),
            1,
        )
        .unwrap();
    assert_eq!(front.elb.shares(&front.listener), front.elb.shares(&default));
    assert_eq!(
        front.elb.shares(&default),
        [(front.blue.clone(), 0.75), (front.green.clone(), 0.25)]
    );
    assert!(
        front
            .elb
            .shift(&front.listener.clone(), &[(&front.green.clone(), 1)], seconds(2))
    );
    let shown = front
        .ask(
            "DescribeListeners",
            json!({ "ListenerArns": [front.listener] }),
            2,
        )
        .unwrap();
    assert_eq!(
        shown["Listeners"][0]["DefaultActions"][0]["TargetGroupArn"],
        json!(front.green)
    );
}

mod targets;
