//! Load balancers: application ones, active at once.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::call::{Answer, Refusal};
use super::super::input::{text, texts};
use super::{Balancers, PAGES, invalid, missing};

impl Balancers {
    pub(super) fn create_balancer(&mut self, input: &Value, now: Duration) -> Answer {
        let name = text(input, "Name");
        if name.is_empty() {
            return Err(missing("Name"));
        }
        if !matches!(text(input, "Type"), "" | "application") {
            return Err(invalid("the stand-in has application load balancers alone"));
        }
        if self
            .balancers
            .iter()
            .any(|known| known["LoadBalancerName"] == name)
        {
            return Err(Refusal::new(
                "DuplicateLoadBalancerName",
                format!("A load balancer with the same name '{name}' exists, but with different settings"),
            ));
        }
        let id = self.next_id();
        let arn = self
            .home
            .arn("elasticloadbalancing", &format!("loadbalancer/app/{name}/{id}"));
        let scheme = match text(input, "Scheme") {
            "" => "internet-facing",
            given => given,
        };
        let balancer = json!({
            "LoadBalancerArn": arn,
            "DNSName": format!("{name}-{}.{}.elb.amazonaws.com", self.made, self.home.region),
            "CanonicalHostedZoneId": "Z215JYRZR1TBD5",
            "CreatedTime": self.home.time(now),
            "LoadBalancerName": name,
            "Scheme": scheme,
            "VpcId": "vpc-0sandbox",
            "State": { "Code": "active" },
            "Type": "application",
            "AvailabilityZones": texts(input, "Subnets").into_iter().map(|subnet| {
                json!({ "ZoneName": format!("{}a", self.home.region), "SubnetId": subnet, "LoadBalancerAddresses": [] })
            }).collect::<Vec<_>>(),
            "SecurityGroups": texts(input, "SecurityGroups"),
            "IpAddressType": "ipv4",
        });
        self.balancers.push(balancer.clone());
        self.tag_new(&arn, input);
        Ok(json!({ "LoadBalancers": [balancer] }))
    }

    pub(super) fn describe_balancers(&self, input: &Value) -> Answer {
        let (arns, names) = (texts(input, "LoadBalancerArns"), texts(input, "Names"));
        let shown = self.balancers.iter().filter(|balancer| {
            (arns.is_empty() && names.is_empty())
                || arns.contains(&text(balancer, "LoadBalancerArn"))
                || names.contains(&text(balancer, "LoadBalancerName"))
        });
        let shown: Vec<Value> = shown.cloned().collect();
        if shown.len() < arns.len() + names.len() {
            return Err(balancer_not_found());
        }
        Ok(PAGES.of(input, "LoadBalancers", shown))
    }

    pub(super) fn has_balancer(&self, arn: &str) -> bool {
        self.balancers.iter().any(|known| known["LoadBalancerArn"] == arn)
    }
}

pub(super) fn balancer_not_found() -> Refusal {
    Refusal::new("LoadBalancerNotFound", "One or more load balancers not found")
}
