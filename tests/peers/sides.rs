//! Our stand-in of AWS and moto, another one, each asked by botocore; and what deploys find there.

use sandbox::peers::{Botocore, Moto, Network, Place};
use sandbox::stand_ins::aws::{Clock, Cloud};
use serde_json::{Value, json};

/// How many tasks of a service run in moto from its beginning on.
pub(crate) const RUNNING: u32 = 3;

/// One of the two who are asked the same.
pub(crate) struct Side {
    botocore: Botocore,
    pub(crate) network: Network,
    /// ARNs of what was made, and their names in what is compared.
    pub(crate) made: Vec<(String, String)>,
}

impl Side {
    pub(crate) fn new(place: &Place, environment: Vec<(&'static str, String)>, network: Network) -> Self {
        Self {
            botocore: Botocore::start(place, environment).unwrap(),
            network,
            made: Vec::new(),
        }
    }

    /// The output of a call that is not refused.
    pub(crate) fn ask(&self, service: &str, operation: &str, input: Value) -> Value {
        let judged = self.botocore.call(service, operation, &input).unwrap();
        assert_eq!(judged.code, None, "{operation} {input}");
        judged.output
    }

    /// Makes something whose ARN stands at this place of the output.
    pub(crate) fn make(&mut self, name: &str, service: &str, operation: &str, input: Value, at: &str) {
        let output = self.ask(service, operation, input);
        let arn = output.pointer(at).and_then(Value::as_str).unwrap().to_owned();
        self.made.push((arn, format!("<{name}>")));
    }

    /// The ARN of what was made.
    pub(crate) fn arn(&self, name: &str) -> &str {
        let of = |(_, known): &&(String, String)| known.trim_matches(['<', '>']) == name;
        &self.made.iter().find(of).unwrap().0
    }

    /// What a call says, or the code of its refusal; ARNs by their names.
    pub(crate) fn tells(&self, service: &str, operation: &str, input: Value, at: &str) -> Value {
        let judged = self.botocore.call(service, operation, &input).unwrap();
        if let Some(code) = judged.code {
            return json!({ "refused": code });
        }
        let mut told = judged.output.pointer(at).cloned().unwrap_or_default();
        for action in told.as_array_mut().into_iter().flatten() {
            if let Some(oidc) = action
                .get_mut("AuthenticateOidcConfig")
                .and_then(Value::as_object_mut)
            {
                oidc.retain(|key, _| key != "ClientSecret" && key != "UseExistingClientSecret");
            }
        }
        let mut text = told.to_string();
        for (arn, name) in &self.made {
            text = text.replace(arn, name);
        }
        serde_json::from_str(&text).unwrap()
    }
}

/// Lets both be asked the same, and compares what they say.
pub(crate) fn asked(story: impl Fn(&mut Side) -> Vec<Value>) {
    let (ours, theirs, judge) = (
        Cloud::open(Clock::manual()).unwrap(),
        Place::new().unwrap(),
        Place::new().unwrap(),
    );
    let moto = Moto::start(&theirs, RUNNING).unwrap();
    // Ours takes any network.
    let network = moto.network();
    let ours = story(&mut Side::new(&judge, ours.environment(), network.clone()));
    let theirs = story(&mut Side::new(&theirs, moto.environment(), network.clone()));
    assert!(!ours.is_empty() && ours.len() == theirs.len());
    let differ = |(number, (ours, theirs)): (usize, (&Value, &Value))| {
        (ours != theirs).then(|| format!("answer {number}: {ours} here, {theirs} there"))
    };
    let differences: Vec<String> = ours.iter().zip(&theirs).enumerate().filter_map(differ).collect();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// A load balancer with a listener and two groups.
pub(crate) fn balancer(side: &mut Side) {
    let vpc = side.network.vpc.clone();
    let input = json!({ "Name": "shop", "Subnets": [side.network.subnet] });
    side.make(
        "balancer",
        "elbv2",
        "CreateLoadBalancer",
        input,
        "/LoadBalancers/0/LoadBalancerArn",
    );
    for name in ["blue", "green"] {
        let input =
            json!({ "Name": name, "Port": 8080, "Protocol": "HTTP", "VpcId": vpc, "TargetType": "ip" });
        side.make(
            name,
            "elbv2",
            "CreateTargetGroup",
            input,
            "/TargetGroups/0/TargetGroupArn",
        );
    }
    let input = json!({
        "LoadBalancerArn": side.arn("balancer"), "Port": 80, "Protocol": "HTTP",
        "DefaultActions": [{ "Type": "fixed-response", "FixedResponseConfig": { "StatusCode": "404" } }],
    });
    side.make(
        "listener",
        "elbv2",
        "CreateListener",
        input,
        "/Listeners/0/ListenerArn",
    );
}

/// An action that forwards by weights.
pub(crate) fn forward(side: &Side, blue: u16, green: u16, sticky: Value) -> Value {
    let groups = json!([
        { "TargetGroupArn": side.arn("blue"), "Weight": blue },
        { "TargetGroupArn": side.arn("green"), "Weight": green },
    ]);
    json!({ "Type": "forward", "Order": 2, "ForwardConfig": { "TargetGroups": groups, "TargetGroupStickinessConfig": sticky } })
}

/// An action that lets only those pass who sign in.
pub(crate) fn sign_in(secret: Value) -> Value {
    let mut oidc = json!({
        "Issuer": "https://id.example", "AuthorizationEndpoint": "https://id.example/a", "TokenEndpoint": "https://id.example/t",
        "UserInfoEndpoint": "https://id.example/u", "ClientId": "shop", "SessionCookieName": "shop", "Scope": "openid",
        "SessionTimeout": 3600, "OnUnauthenticatedRequest": "deny", "AuthenticationRequestExtraParams": { "prompt": "login" },
    });
    oidc.as_object_mut()
        .unwrap()
        .extend(secret.as_object().unwrap().clone());
    json!({ "Type": "authenticate-oidc", "Order": 1, "AuthenticateOidcConfig": oidc })
}

/// A task definition with what deploys copy from one revision to the next.
pub(crate) fn revision(family: &str, image: &str) -> Value {
    let container = json!({
        "name": "app", "image": image, "essential": true, "memory": 256, "memoryReservation": 128, "cpu": 10,
        "portMappings": [{ "containerPort": 8080, "hostPort": 8080, "protocol": "tcp", "name": "web" }],
        "environment": [{ "name": "A", "value": "" }], "secrets": [{ "name": "B", "valueFrom": "arn:aws:ssm:eu-central-1:123456789012:parameter/b" }],
        "command": ["serve", ""], "entryPoint": [], "stopTimeout": 30, "dockerLabels": { "a": "b" },
        "healthCheck": { "command": ["CMD-SHELL", "true"], "interval": 5 },
        "logConfiguration": { "logDriver": "awslogs", "options": { "awslogs-group": "/shop", "awslogs-region": "eu-central-1", "awslogs-stream-prefix": "ecs" } },
    });
    json!({
        "family": family, "networkMode": "awsvpc", "cpu": "256", "memory": "512", "requiresCompatibilities": ["FARGATE"],
        "taskRoleArn": "arn:aws:iam::123456789012:role/task", "executionRoleArn": "arn:aws:iam::123456789012:role/execution",
        "runtimePlatform": { "cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX" },
        "ephemeralStorage": { "sizeInGiB": 30 }, "volumes": [{ "name": "data" }], "pidMode": "task",
        "containerDefinitions": [container], "tags": [{ "key": "version", "value": "1.0.0" }],
    })
}

/// A service of three tasks of the newest revision, alone or behind a group.
pub(crate) fn service(side: &Side, name: &str, group: Option<&str>) {
    side.ask("ecs", "CreateCluster", json!({ "clusterName": "prod" }));
    if side.tells(
        "ecs",
        "DescribeTaskDefinition",
        json!({ "taskDefinition": "web" }),
        "",
    )["refused"]
        != Value::Null
    {
        side.ask("ecs", "RegisterTaskDefinition", revision("web", "shop:1.0.0"));
    }
    let balancers = group.map(
        |group| json!([{ "targetGroupArn": side.arn(group), "containerName": "app", "containerPort": 8080 }]),
    );
    let network = json!({ "subnets": [side.network.subnet], "securityGroups": [side.network.group] });
    let input = json!({
        "cluster": "prod", "serviceName": name, "taskDefinition": "web", "desiredCount": RUNNING, "launchType": "FARGATE",
        "networkConfiguration": { "awsvpcConfiguration": network }, "loadBalancers": balancers.unwrap_or(json!([])),
    });
    side.ask("ecs", "CreateService", input);
}
