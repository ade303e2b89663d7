//! What serves, in words and as a table: how many tasks of which revision run, as one look at the service saw it.
//!
//! A rolling deployment has no weights: each running task has its part of the requests.

use std::collections::BTreeMap;

use gha::edge::live::{Line, Tone};
use gha::text;

use crate::observed::{Deployment, Service, revision_name};
use crate::words::RolloutState;

/// What runs: ``2 tasks of `web:1` and 1 of `web:2` run``.
#[must_use]
pub fn running(service: &Service) -> String {
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for deployment in service
        .deployments
        .iter()
        .filter(|deployment| deployment.running > 0)
    {
        *counts
            .entry(revision_name(&deployment.task_definition))
            .or_default() += deployment.running;
    }
    let parts: Vec<String> = counts
        .iter()
        .enumerate()
        .map(|(at, (name, count))| {
            let tasks = match (at, count) {
                (0, 1) => " task",
                (0, _) => " tasks",
                _ => "",
            };
            format!("{count}{tasks} of `{}`", text::line(name))
        })
        .collect();
    match parts.as_slice() {
        [] => "no task runs".to_owned(),
        [one] if counts.values().sum::<u32>() == 1 => format!("{one} runs"),
        all => format!("{} run", all.join(" and ")),
    }
}

/// How far a deployment is, as a word; empty where ECS does not say.
#[must_use]
pub fn rollout(deployment: &Deployment) -> String {
    let state = deployment.rollout_state.as_ref().map_or("", |state| state.word());
    text::line(&state.to_lowercase().replace('_', " "))
}

/// A table of the deployments for a terminal, the latest first.
#[must_use]
pub fn table(service: &Service) -> Vec<Line> {
    let row = |cells: [&str; 6]| {
        let [revision, desired, running, pending, failed, rollout] = cells;
        format!("{revision:<24} {desired:>7} {running:>7} {pending:>7} {failed:>6}  {rollout}")
    };
    let head = Line {
        tone: Tone::Faint,
        text: row(["revision", "desired", "running", "pending", "failed", "rollout"]),
    };
    let rows = service.deployments.iter().map(|deployment| Line {
        tone: match deployment.rollout_state {
            Some(RolloutState::Failed) => Tone::Bad,
            Some(RolloutState::Completed) => Tone::Good,
            _ if deployment.failed > 0 => Tone::Unsure,
            _ => Tone::Plain,
        },
        text: row([
            &text::line(revision_name(&deployment.task_definition)),
            &deployment.desired.to_string(),
            &deployment.running.to_string(),
            &deployment.pending.to_string(),
            &deployment.failed.to_string(),
            &rollout(deployment),
        ]),
    });
    std::iter::once(head).chain(rows).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::DeploymentStatus;

    fn service(deployments: &[(&str, u32)]) -> Service {
        let deployment = |(at, (name, running)): (u32, &(&str, u32))| Deployment {
            task_definition: format!("arn:aws:ecs:eu-west-1:123456789012:task-definition/{name}"),
            desired: 3,
            running: *running,
            rollout_state: Some(RolloutState::InProgress),
            ..Deployment::fixture(at, DeploymentStatus::Active)
        };
        Service {
            deployments: (0..).zip(deployments).map(deployment).collect(),
            ..Service::fixture()
        }
    }

    #[test]
    fn what_runs_is_counted_by_revision() {
        for (deployments, words) in [
            (vec![], "no task runs"),
            (vec![("web:2", 0)], "no task runs"),
            (vec![("web:2", 1)], "1 task of `web:2` runs"),
            (vec![("web:2", 3)], "3 tasks of `web:2` run"),
            (
                vec![("web:2", 1), ("web:1", 2)],
                "2 tasks of `web:1` and 1 of `web:2` run",
            ),
            // The breaker's way back is a deployment of its own.
            (
                vec![("web:1", 1), ("web:2", 1), ("web:1", 2)],
                "3 tasks of `web:1` and 1 of `web:2` run",
            ),
        ] {
            assert_eq!(running(&service(&deployments)), words);
        }
    }

    #[test]
    fn a_table_has_a_row_for_each_deployment_and_no_account() {
        let lines = table(&service(&[("web:2", 1), ("web:1", 2)]));
        let texts: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
        assert_eq!(texts.len(), 3, "{texts:?}");
        assert!(texts[1].starts_with("web:2  "), "{texts:?}");
        assert!(texts[1].ends_with("in progress"), "{texts:?}");
        assert!(!texts.concat().contains("123456789012"), "{texts:?}");
    }
}
