//! A service as a deploy finds it: cluster, task definition, load balancer, tasks that run.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::call::Answer;
use super::cloud::Cloud;
use super::world::World;

/// How long a service may take to become steady.
const LIMIT: Duration = Duration::from_secs(600);
/// The port of the container.
const PORT: u16 = 8080;

/// What is to be there.
#[derive(Clone, Debug)]
pub struct Setup {
    cluster: String,
    service: String,
    image: String,
    sidecar: Option<String>,
    desired: u64,
    balanced: bool,
    pair: bool,
    by_default: bool,
    checked: bool,
    configuration: Map<String, Value>,
    more: Map<String, Value>,
    definition: Map<String, Value>,
}

/// What was made, by name and ARN. What is not there is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shop {
    /// The cluster's name.
    pub cluster: String,
    /// The service's name; of a pair the blue one.
    pub service: String,
    /// The green service of a pair.
    pub green: String,
    /// The family of the task definition, which is the service's name as it was asked for.
    pub family: String,
    /// The task definition that runs.
    pub task_definition: String,
    /// The target group that serves.
    pub group: String,
    /// The other one, of a pair or of a native strategy.
    pub other_group: String,
    /// The listener.
    pub listener: String,
    /// Its rule for the service.
    pub rule: String,
    /// Its rule for tests of the new version.
    pub test_rule: String,
}

impl Setup {
    /// One task of `shop:1.0.0` on Fargate, with no load balancer.
    #[must_use]
    pub fn new(cluster: &str, service: &str) -> Self {
        Self {
            cluster: cluster.to_owned(),
            service: service.to_owned(),
            image: "shop:1.0.0".to_owned(),
            sidecar: None,
            desired: 1,
            balanced: false,
            pair: false,
            by_default: false,
            checked: false,
            configuration: Map::new(),
            more: Map::new(),
            definition: Map::new(),
        }
    }

    /// The image of the container `app`.
    #[must_use]
    pub fn image(mut self, image: &str) -> Self {
        image.clone_into(&mut self.image);
        self
    }

    /// A second container `sidecar`, which is not essential.
    #[must_use]
    pub fn sidecar(mut self, image: &str) -> Self {
        self.sidecar = Some(image.to_owned());
        self
    }

    /// How many tasks.
    #[must_use]
    pub fn desired(mut self, desired: u64) -> Self {
        self.desired = desired;
        self
    }

    /// Behind a load balancer: a target group that the rule sends everything to, and a second one with weight 0.
    #[must_use]
    pub fn balanced(mut self) -> Self {
        self.balanced = true;
        self
    }

    /// Two services behind one rule, for a tool that moves weights: `NAME-blue` with all tasks and traffic, `NAME-green` with
    /// none.
    #[must_use]
    pub fn pair(mut self) -> Self {
        (self.balanced, self.pair) = (true, true);
        self
    }

    /// The traffic comes by the listener's default actions, and not by a rule: [`Shop::rule`] is the listener's ARN.
    #[must_use]
    pub fn default_rule(mut self) -> Self {
        self.by_default = true;
        self
    }

    /// The container has a health check of its own.
    #[must_use]
    pub fn health_checked(mut self) -> Self {
        self.checked = true;
        self
    }

    /// With the circuit breaker, that takes the service back or does not.
    #[must_use]
    pub fn breaker(self, rollback: bool) -> Self {
        self.configured(
            "deploymentCircuitBreaker",
            json!({ "enable": true, "rollback": rollback }),
        )
    }

    /// With a strategy that shifts traffic: `BLUE_GREEN`, `LINEAR`, `CANARY`.
    #[must_use]
    pub fn strategy(mut self, strategy: &str) -> Self {
        self.balanced = true;
        self.configured("strategy", json!(strategy))
    }

    /// Another member of `deploymentConfiguration`.
    #[must_use]
    pub fn configured(mut self, member: &str, value: Value) -> Self {
        self.configuration.insert(member.to_owned(), value);
        self
    }

    /// Another member of `CreateService`.
    #[must_use]
    pub fn with(mut self, member: &str, value: Value) -> Self {
        self.more.insert(member.to_owned(), value);
        self
    }

    /// Another member of the task definition.
    #[must_use]
    pub fn defined(mut self, member: &str, value: Value) -> Self {
        self.definition.insert(member.to_owned(), value);
        self
    }

    /// Makes it, and lets time pass until it is steady.
    ///
    /// # Panics
    /// When a service refuses it or it does not become steady: a wrong set-up fails its test.
    pub fn build(self, cloud: &Cloud) -> Shop {
        let shop = match cloud.world(|world| self.make(world)) {
            Ok(shop) => shop,
            Err(refusal) => panic!("the set-up was refused: {refusal:?}"),
        };
        let names = [&shop.service, &shop.green];
        let steady = cloud.until(LIMIT, |world| {
            let mut services = names.into_iter().filter(|name| !name.is_empty());
            services.all(|name| world.ecs.is_steady(&shop.cluster, name))
        });
        assert!(steady, "the set-up did not become steady: {shop:?}");
        shop
    }

    fn make(&self, world: &mut World) -> Result<Shop, super::call::Refusal> {
        let mut shop = Shop {
            cluster: self.cluster.clone(),
            family: self.service.clone(),
            service: if self.pair {
                format!("{}-blue", self.service)
            } else {
                self.service.clone()
            },
            ..Shop::default()
        };
        world.act("ecs", "CreateCluster", json!({ "clusterName": self.cluster }))?;
        let log_group = format!("/ecs/{}", self.service);
        world.logs.create_group(&log_group, world.now());
        if self.balanced {
            self.balance(world, &mut shop)?;
        }
        let definition = world.act("ecs", "RegisterTaskDefinition", self.task_definition(&log_group))?;
        shop.task_definition = text(&definition["taskDefinition"]["taskDefinitionArn"]);
        self.create(world, &shop, &shop.service, &shop.group, self.desired)?;
        if self.pair {
            shop.green = format!("{}-green", self.service);
            self.create(world, &shop, &shop.green, &shop.other_group, 0)?;
        }
        Ok(shop)
    }

    fn balance(&self, world: &mut World, shop: &mut Shop) -> Result<(), super::call::Refusal> {
        let mut elb = |operation: &str, input: Value| world.act("elasticloadbalancing", operation, input);
        let balancer =
            json!({ "Name": self.service, "Subnets": ["subnet-a", "subnet-b"], "Type": "application" });
        let balancer = text(&elb("CreateLoadBalancer", balancer)?["LoadBalancers"][0]["LoadBalancerArn"]);
        let mut group = |end: &str| {
            let name = format!("{}-{end}", self.service);
            let input = json!({ "Name": name, "Protocol": "HTTP", "Port": PORT, "TargetType": "ip", "VpcId": "vpc-1" });
            Ok(text(
                &elb("CreateTargetGroup", input)?["TargetGroups"][0]["TargetGroupArn"],
            ))
        };
        shop.group = group("a")?;
        shop.other_group = group("b")?;
        let groups = json!([
            { "TargetGroupArn": shop.group, "Weight": 100 },
            { "TargetGroupArn": shop.other_group, "Weight": 0 },
        ]);
        let forward = json!({ "Type": "forward", "ForwardConfig": { "TargetGroups": groups } });
        let nothing = json!({ "Type": "fixed-response", "FixedResponseConfig": { "StatusCode": "404" } });
        let listener = json!({
            "LoadBalancerArn": balancer, "Protocol": "HTTP", "Port": 80,
            "DefaultActions": [if self.by_default { &forward } else { &nothing }],
        });
        shop.listener = text(&elb("CreateListener", listener)?["Listeners"][0]["ListenerArn"]);
        if self.by_default {
            shop.rule.clone_from(&shop.listener);
            return Ok(());
        }
        let mut rule = |priority: u32, path: &str| {
            let input = json!({
                "ListenerArn": shop.listener, "Priority": priority,
                "Conditions": [{ "Field": "path-pattern", "PathPatternConfig": { "Values": [path] } }],
                "Actions": [forward],
            });
            Ok(text(&elb("CreateRule", input)?["Rules"][0]["RuleArn"]))
        };
        shop.rule = rule(10, "/*")?;
        if self.configuration.contains_key("strategy") {
            shop.test_rule = rule(5, "/test/*")?;
        }
        Ok(())
    }

    fn task_definition(&self, log_group: &str) -> Value {
        let mut app = json!({
            "name": "app", "image": self.image, "essential": true,
            "portMappings": [{ "containerPort": PORT, "protocol": "tcp" }],
            "logConfiguration": {
                "logDriver": "awslogs",
                "options": { "awslogs-group": log_group, "awslogs-region": "eu-central-1", "awslogs-stream-prefix": "ecs" },
            },
        });
        if self.checked {
            app["healthCheck"] = json!({ "command": ["CMD-SHELL", "curl -f http://localhost:8080/health"] });
        }
        let sidecar = self.sidecar.as_ref();
        let sidecar = sidecar.map(|image| json!({ "name": "sidecar", "image": image, "essential": false }));
        let containers: Vec<Value> = std::iter::once(app).chain(sidecar).collect();
        let mut definition = json!({
            "family": self.service, "networkMode": "awsvpc", "cpu": "256", "memory": "512",
            "requiresCompatibilities": ["FARGATE"], "containerDefinitions": containers,
            "executionRoleArn": "arn:aws:iam::123456789012:role/execution",
        });
        for (key, value) in &self.definition {
            definition[key] = value.clone();
        }
        definition
    }

    fn create(&self, world: &mut World, shop: &Shop, name: &str, group: &str, desired: u64) -> Answer {
        let mut input = json!({
            "cluster": self.cluster, "serviceName": name, "taskDefinition": shop.task_definition, "desiredCount": desired,
            "launchType": "FARGATE", "platformVersion": "LATEST",
            "networkConfiguration": { "awsvpcConfiguration": {
                "subnets": ["subnet-a", "subnet-b"], "securityGroups": ["sg-1"], "assignPublicIp": "DISABLED",
            } },
        });
        if !self.configuration.is_empty() {
            input["deploymentConfiguration"] = Value::Object(self.configuration.clone());
        }
        if self.balanced {
            let mut balancer =
                json!({ "targetGroupArn": group, "containerName": "app", "containerPort": PORT });
            if !shop.test_rule.is_empty() {
                balancer["advancedConfiguration"] = json!({
                    "alternateTargetGroupArn": shop.other_group, "productionListenerRule": shop.rule,
                    "testListenerRule": shop.test_rule, "roleArn": "arn:aws:iam::123456789012:role/balancers",
                });
            }
            input["loadBalancers"] = json!([balancer]);
        }
        for (key, value) in &self.more {
            input[key] = value.clone();
        }
        world.act("ecs", "CreateService", input)
    }
}

impl Shop {
    /// The names of its services.
    #[must_use]
    pub fn services(&self) -> Vec<&str> {
        [self.service.as_str(), self.green.as_str()]
            .into_iter()
            .filter(|name| !name.is_empty())
            .collect()
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
