//! What is found in a task definition, and where its references lead.

use proptest::prelude::{any, proptest};
use serde_json::json;

use super::*;

#[test]
fn each_thing_is_found_once() {
    let file = json!({
        "family": "web",
        "executionRoleArn": "arn:aws:iam::123456789012:role/ecs/execution",
        "taskRoleArn": "task",
        "containerDefinitions": [
            {
                "name": "app", "image": "shop:1",
                "secrets": [{ "name": "A", "valueFrom": "/shop/a" }, { "name": "B", "valueFrom": "/shop/a" }],
                "repositoryCredentials": { "credentialsParameter": "arn:aws:secretsmanager:eu-west-1:1:secret:pull" },
                "logConfiguration": {
                    "logDriver": "awslogs",
                    "options": { "awslogs-group": "/ecs/web", "awslogs-region": "eu-west-1" },
                    "secretOptions": [{ "name": "token", "valueFrom": "token" }],
                },
            },
            {
                "name": "proxy", "image": "shop:1",
                "logConfiguration": {
                    "logDriver": "awslogs",
                    "options": { "awslogs-group": "/ecs/new", "awslogs-create-group": "true" },
                },
            },
            { "name": "other", "image": "proxy:2", "logConfiguration": { "logDriver": "awsfirelens" } },
        ],
    });
    let definition = TaskDefinition::from_file(file.to_string().as_bytes()).expect("a task definition");
    let needs = Needs::of(&definition);
    assert_eq!(Vec::from_iter(&needs.images), ["proxy:2", "shop:1"]);
    let roles: Vec<_> = needs
        .roles
        .iter()
        .map(|role| (role.key, role.name(), role.account()))
        .collect();
    assert_eq!(
        roles,
        [
            ("executionRoleArn", "execution", Some("123456789012")),
            ("taskRoleArn", "task", None)
        ]
    );
    assert_eq!(
        Vec::from_iter(&needs.secrets),
        [
            "/shop/a",
            "arn:aws:secretsmanager:eu-west-1:1:secret:pull",
            "token"
        ]
    );
    let groups: Vec<_> = needs
        .log_groups
        .iter()
        .map(|group| (group.name.as_str(), group.region.as_deref(), group.is_made))
        .collect();
    assert_eq!(
        groups,
        [("/ecs/new", None, true), ("/ecs/web", Some("eu-west-1"), false)]
    );
}

#[test]
fn some_need_an_execution_role() {
    let ecr = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop:1";
    let logs = json!({ "logDriver": "awslogs", "options": { "awslogs-group": "x" } });
    let secrets = json!([{ "name": "A", "valueFrom": "a" }]);
    for (kind, role, container, lacks) in [
        (
            "EC2",
            None,
            json!({ "image": ecr, "logConfiguration": logs }),
            false,
        ),
        (
            "EC2",
            None,
            json!({ "image": "shop:1", "secrets": secrets }),
            true,
        ),
        ("FARGATE", None, json!({ "image": "shop:1" }), false),
        ("FARGATE", None, json!({ "image": ecr }), true),
        (
            "FARGATE",
            None,
            json!({ "image": "shop:1", "logConfiguration": logs }),
            true,
        ),
        (
            "FARGATE",
            Some("task"),
            json!({ "image": ecr, "secrets": secrets }),
            false,
        ),
    ] {
        let file = json!({
            "family": "web", "requiresCompatibilities": [kind], "executionRoleArn": role, "containerDefinitions": [container],
        });
        let definition = TaskDefinition::from_file(file.to_string().as_bytes()).expect("a task definition");
        assert_eq!(
            Needs::of(&definition).lacks_execution_role().is_some(),
            lacks,
            "{file}"
        );
    }
}

#[test]
fn a_reference_of_a_secret_leads_somewhere() {
    let manager = |stage: Option<&str>, version: Option<&str>| SecretAt::Manager {
        arn: "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-AbCdEf".to_owned(),
        region: "eu-west-1".to_owned(),
        stage: stage.map(str::to_owned),
        version: version.map(str::to_owned),
    };
    let parameter = |names: &[&str], region: Option<&str>| SecretAt::Parameter {
        names: names.iter().map(|&name| name.to_owned()).collect(),
        region: region.map(str::to_owned),
        account: region.map(|_| "123456789012".to_owned()),
    };
    let secret = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-AbCdEf";
    for (reference, expected) in [
        (secret.to_owned(), manager(None, None)),
        (format!("{secret}:password::"), manager(None, None)),
        (
            format!("{secret}:password:AWSPREVIOUS:"),
            manager(Some("AWSPREVIOUS"), None),
        ),
        (format!("{secret}:::v1"), manager(None, Some("v1"))),
        ("/shop/db".to_owned(), parameter(&["/shop/db"], None)),
        ("db:3".to_owned(), parameter(&["db"], None)),
        (
            "arn:aws:ssm:eu-west-1:123456789012:parameter/shop/db".to_owned(),
            parameter(&["/shop/db"], Some("eu-west-1")),
        ),
        (
            "arn:aws:ssm:eu-west-1:123456789012:parameter/db".to_owned(),
            parameter(&["db", "/db"], Some("eu-west-1")),
        ),
        ("arn:aws:s3:::bucket".to_owned(), SecretAt::Elsewhere),
        (
            "arn:aws:ssm:eu-west-1:1:document/x".to_owned(),
            SecretAt::Elsewhere,
        ),
    ] {
        assert_eq!(SecretAt::of(&reference), expected, "{reference}");
    }
}

#[test]
fn a_policy_trusts_tasks_or_does_not() {
    let with = |effect: &str, principal: Value| json!({ "Statement": { "Effect": effect, "Principal": principal, "Action": "sts:AssumeRole" } });
    for (policy, trusts) in [
        (
            with("Allow", json!({ "Service": "ecs-tasks.amazonaws.com" })),
            true,
        ),
        (
            with(
                "Allow",
                json!({ "Service": ["ec2.amazonaws.com", "ecs-tasks.amazonaws.com"] }),
            ),
            true,
        ),
        (with("Allow", json!("*")), true),
        (
            with("Deny", json!({ "Service": "ecs-tasks.amazonaws.com" })),
            false,
        ),
        (with("Allow", json!({ "Service": "ec2.amazonaws.com" })), false),
        (with("Allow", json!({ "AWS": "arn:aws:iam::1:root" })), false),
        (json!({ "Statement": [] }), false),
        (Value::Null, false),
    ] {
        assert_eq!(trusts_tasks(&policy), trusts, "{policy}");
    }
}

proptest! {
    #[test]
    fn no_reference_panics(reference in any::<String>()) {
        let _ = SecretAt::of(&reference);
        let _ = account(&reference);
    }

    #[test]
    fn no_arn_panics(reference in "arn:aws:(ssm|secretsmanager|x):[a-z]{0,3}:[0-9]{0,2}(:(secret|parameter/|[a-z:/]{0,9})){0,4}") {
        let _ = SecretAt::of(&reference);
    }
}
