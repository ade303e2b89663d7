//! All services of the cloud together, moved on second by second.

use std::time::Duration;

use serde_json::Value;

use super::autoscaling::ScalableTargets;
use super::call::{Answer, Call, Refusal};
use super::ecr::Registry;
use super::ecs::{Around, Ecs};
use super::elb::Balancers;
use super::home::Home;
use super::iam::Iam;
use super::logs::Logs;
use super::metrics::Metrics;
use super::parameters::Parameters;
use super::protocol::{Identity, Keys};
use super::secrets::Secrets;
use super::sts::Sts;

/// The id of the keys that the cloud begins with.
pub(crate) const KEY_ID: &str = "AKIASANDBOX000000001";
/// Their secret.
pub(crate) const SECRET: &str = "sandbox/secret/of/the/first/pair";

/// How far the world moves at once: all that happens, happens at whole seconds.
const STEP: Duration = Duration::from_secs(1);

/// The services and what they keep.
#[derive(Clone, Debug)]
pub struct World {
    now: Duration,
    /// Where and when it is.
    pub home: Home,
    /// Containers.
    pub ecs: Ecs,
    /// Load balancers.
    pub elb: Balancers,
    /// Log groups.
    pub logs: Logs,
    /// Metrics and alarms.
    pub metrics: Metrics,
    /// What scales by itself.
    pub scaling: ScalableTargets,
    /// Images.
    pub registry: Registry,
    /// Roles of tasks.
    pub iam: Iam,
    /// Secrets.
    pub secrets: Secrets,
    /// Parameters.
    pub parameters: Parameters,
    /// Keys, and roles that are taken.
    pub sts: Sts,
}

impl World {
    pub(crate) fn new() -> Self {
        let home = Home::default();
        let keys = Keys::new(&home.region).with(KEY_ID, SECRET, owner(&home));
        Self {
            now: Duration::ZERO,
            ecs: Ecs::new(home.clone()),
            elb: Balancers::new(home.clone()),
            logs: Logs::new(home.clone()),
            metrics: Metrics::new(home.clone()),
            scaling: ScalableTargets::new(home.clone()),
            registry: Registry::new(home.clone()),
            iam: Iam::new(home.clone()),
            secrets: Secrets::new(home.clone()),
            parameters: Parameters::new(home.clone()),
            sts: Sts::new(keys, home.began),
            home,
        }
    }

    /// The time on the cloud's clock.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.now
    }

    /// Does one call as somebody whose calls are neither logged nor hindered: the second actor of a story, and a test's
    /// own hands. `service` as IAM names it.
    ///
    /// # Errors
    /// As the service refuses.
    pub fn act(&mut self, service: &'static str, operation: &str, input: Value) -> Answer {
        let call = Call {
            service,
            operation: operation.to_owned(),
            input,
            now: self.now,
        };
        let by = owner(&self.home);
        self.answer(&call, Some(&by))
    }

    /// Answers a call of somebody.
    pub(crate) fn answer(&mut self, call: &Call, by: Option<&Identity>) -> Answer {
        match call.service {
            "ecs" => self.ecs.answer(call),
            "elasticloadbalancing" => self.elb.answer(call),
            "logs" => self.logs.answer(call),
            "cloudwatch" => self.metrics.answer(call),
            "application-autoscaling" => self.scaling.answer(call),
            "ecr" => self.registry.answer(call),
            "iam" => self.iam.answer(call),
            "secretsmanager" => self.secrets.answer(call),
            "ssm" => self.parameters.answer(call),
            "sts" => self.sts.answer(call, by),
            other => Err(Refusal::new(
                "UnknownOperationException",
                format!("no stand-in for {other}"),
            )),
        }
    }

    /// Which images' containers get which share of the requests to these services: tasks that serve, weighed by the rules
    /// of the load balancer where there is one. Shares are 0 to 1; an image that gets nothing is not named.
    #[must_use]
    pub fn shares(&mut self, cluster: &str, services: &[&str]) -> Vec<(String, f64)> {
        let around = Around {
            elb: &mut self.elb,
            logs: &mut self.logs,
            metrics: &self.metrics,
        };
        self.ecs.shares(cluster, services, self.now, &around)
    }

    /// Moves the world on to this moment.
    pub(crate) fn advance(&mut self, to: Duration) {
        loop {
            let next = STEP * (u32::try_from(self.now.as_secs()).unwrap_or(u32::MAX) + 1);
            if next > to {
                break;
            }
            self.now = next;
            let mut around = Around {
                elb: &mut self.elb,
                logs: &mut self.logs,
                metrics: &self.metrics,
            };
            self.ecs.tick(next, &mut around);
        }
        self.now = self.now.max(to);
    }
}

fn owner(home: &Home) -> Identity {
    Identity {
        account: home.account.clone(),
        arn: format!("arn:aws:iam::{}:user/sandbox", home.account),
        user_id: "AIDASANDBOXUSER000001".to_owned(),
    }
}
