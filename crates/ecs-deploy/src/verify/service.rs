//! The service that is to be deployed to: whether it is there and can be driven, its target groups, and whether the new
//! version has the container and the port that requests are sent to.

use gha::{Failure, text};
use serde_json::Value;

use crate::api::services::Described;
use crate::cli::Deploy;
use crate::native_deploy::settings;
use crate::observed::{LoadBalancer, Service, TargetHealth, revision_name};
use crate::place::Place;
use crate::serving;
use crate::task_definition::TaskDefinition;
use crate::weighted;
use crate::words::{RolloutState, TargetState};

use super::checks::{Check, Found};

/// What is known of the services.
#[derive(Default)]
pub(super) struct Known {
    /// The one whose version serves.
    pub(super) live: Option<Described>,
    /// Where requests come from, of each service that was found.
    pub(super) balancers: Vec<LoadBalancer>,
}

/// The one service of a deploy.
pub(super) async fn one(flags: &Deploy, place: &Place<'_>, checks: &mut Vec<Check>) -> Known {
    let described = match place.described().await {
        Ok(described) => described,
        Err(error) => {
            checks.push(Check::new("service", &place.service, Failure::from(error).into()));
            return Known::default();
        }
    };
    checks.push(Check::new(
        "service",
        &place.service,
        standing(&described.service),
    ));
    let gated = !flags.gates.gate.is_empty();
    let set = &described.configuration;
    let way = settings::wanted(
        &flags.strategy,
        set,
        &described.service,
        gated,
        flags.times.timeout(),
    );
    let found = match way {
        Ok(way) => Found::Well(text::line(way.strategy.word())),
        Err(error) => Failure::from(error).into(),
    };
    checks.push(Check::new("strategy", "", found));
    Known {
        balancers: described.service.load_balancers.clone(),
        live: Some(described),
    }
}

/// The two services of a weighted deploy.
pub(super) async fn two(flags: &Deploy, place: &Place<'_>, checks: &mut Vec<Check>) -> Known {
    let steps = flags.shift.steps.as_deref().unwrap_or("100%");
    let found = match weighted::verify::flags(flags) {
        Ok(()) => Found::Well(String::new()),
        Err(error) => Failure::from(error).into(),
    };
    checks.push(Check::new("steps", steps, found));
    let names = [&flags.traffic.blue_service, &flags.traffic.green_service];
    let mut known = Known::default();
    for name in names.into_iter().flatten() {
        let beside = place.beside(name);
        match beside.described().await {
            Ok(described) => {
                checks.push(Check::new("service", name, standing(&described.service)));
                known.balancers.extend(described.service.load_balancers);
            }
            Err(error) => checks.push(Check::new("service", name, Failure::from(error).into())),
        }
    }
    let are_there = checks.iter().filter(|check| check.what == "service");
    let are_there = are_there
        .filter(|check| matches!(check.found, Found::Well(_)))
        .count()
        == 2;
    let rule = flags.traffic.traffic_rule.as_deref().unwrap_or_default();
    let found = match weighted::verify::look(&flags.traffic, place).await {
        Ok(seen) => {
            known.live = Some(seen.live);
            Found::Well(seen.says)
        }
        // Why a service can't be deployed to is told already.
        Err(_) if !are_there => Found::NotAsked("it needs both services".to_owned()),
        Err(failure) => failure.into(),
    };
    checks.push(Check::new("traffic rule", rule, found));
    known
}

/// A service that can be deployed to.
fn standing(service: &Service) -> Found {
    let coming = service
        .primary()
        .filter(|primary| primary.rollout_state == Some(RolloutState::InProgress));
    let coming = coming.map(|primary| {
        let name = text::line(revision_name(&primary.task_definition));
        format!("; `{name}` is being deployed, and a deploy of anything else is refused until it has ended")
    });
    Found::Well(format!(
        "{}, {} wanted{}",
        serving::running(service),
        service.desired,
        coming.unwrap_or_default()
    ))
}

/// The target groups of the services.
pub(super) async fn groups(known: &Known, place: &Place<'_>, checks: &mut Vec<Check>) {
    let mut seen: Vec<&String> = Vec::new();
    let all = known
        .balancers
        .iter()
        .flat_map(|balancer| [&balancer.target_group, &balancer.alternate_target_group]);
    for group in all.flatten() {
        if seen.contains(&group) {
            continue;
        }
        seen.push(group);
        let found = match place.api.target_health(group).await {
            Ok(targets) => Found::Well(healthy(&targets)),
            Err(refused) if refused.is("TargetGroupNotFound") => Found::wrong(
                "there is no such target group",
                "create it again, or take it off the service",
            ),
            Err(refused) => Found::not_asked(&refused),
        };
        // `arn:…:targetgroup/name/id`
        let name = group.rsplit('/').nth(1).unwrap_or(group);
        checks.push(Check::new("target group", name, found));
    }
}

fn healthy(targets: &[TargetHealth]) -> String {
    let healthy = targets
        .iter()
        .filter(|target| target.state == TargetState::Healthy);
    format!("{} of {} targets are healthy", healthy.count(), targets.len())
}

/// Whether the containers and ports that requests are sent to are in the task definition
/// (<https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_LoadBalancer.html>).
pub(super) fn receives(definition: &TaskDefinition, balancers: &[LoadBalancer], checks: &mut Vec<Check>) {
    let mut seen = Vec::new();
    for balancer in balancers {
        let (Some(container), Some(port)) = (&balancer.container, balancer.port) else {
            continue;
        };
        if seen.contains(&(container, port)) {
            continue;
        }
        seen.push((container, port));
        let found = match receiver(definition, container, port) {
            Ok(()) => Found::Well(String::new()),
            Err(why) => Found::wrong(
                why,
                "add it to the task definition, or change the service's load balancer",
            ),
        };
        checks.push(Check::new(
            "container of the load balancer",
            format!("{container}:{port}"),
            found,
        ));
    }
}

fn receiver(definition: &TaskDefinition, name: &str, port: u16) -> Result<(), &'static str> {
    let mut containers = definition.containers();
    let Some(container) = containers.find(|container| container.name() == Some(name)) else {
        return Err("the task definition has no such container");
    };
    let mapped = container.content().get("portMappings").and_then(Value::as_array);
    let is_mapped = mapped.into_iter().flatten().any(|mapping| {
        let is_range = mapping
            .get("containerPortRange")
            .is_some_and(|range| !range.is_null());
        is_range || mapping.get("containerPort").and_then(Value::as_u64) == Some(u64::from(port))
    });
    if is_mapped {
        Ok(())
    } else {
        Err("the container does not have this port among its `portMappings`")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_need_a_container_with_their_port() {
        let file = r#"{"family":"web","containerDefinitions":[{"name":"app","portMappings":[{"containerPort":8080}]},
            {"name":"wide","portMappings":[{"containerPortRange":"1-9"}]},{"name":"none"}]}"#;
        let definition = TaskDefinition::from_file(file.as_bytes()).expect("a task definition");
        for (container, port, is) in [
            ("app", 8080, true),
            ("app", 80, false),
            ("wide", 5, true),
            ("none", 80, false),
            ("other", 80, false),
        ] {
            assert_eq!(
                receiver(&definition, container, port).is_ok(),
                is,
                "{container}:{port}"
            );
        }
    }
}
