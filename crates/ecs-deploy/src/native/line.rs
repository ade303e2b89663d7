//! A service deployment as a line.

use crate::observed::{RevisionSeen, ServiceDeployment};
use crate::words::HookStatus;

use super::inert;

/// One line: status, stage, weights and tasks.
#[must_use]
pub fn describe(deployment: &ServiceDeployment) -> String {
    let mut line = match &deployment.stage {
        Some(stage) => format!("stage `{}`", inert(stage)),
        None => format!("`{}`", inert(deployment.status.word())),
    };
    if let Some(target) = &deployment.target {
        line.push_str(&traffic(target));
        line.push_str(&format!(", {} of {} tasks run", target.running, target.requested));
    }
    if let Some(hook) = deployment
        .hooks
        .iter()
        .find(|hook| hook.status == HookStatus::AwaitingAction)
    {
        line.push_str(&format!(", hook `{}` waits for an answer", inert(&hook.id)));
    }
    line
}

fn traffic(target: &RevisionSeen) -> String {
    let share = |weight: Option<f64>, of: &str| {
        let weight = weight.filter(|weight| weight.is_finite());
        weight.map(|weight| format!(", {weight:.4}% of {of} traffic to the new version"))
    };
    let test = share(target.test_weight, "test").filter(|_| target.test_weight != Some(0.0));
    // Four places are more than ECS has; none are shown where they are zero.
    [share(target.production_weight, "production"), test]
        .into_iter()
        .flatten()
        .map(|part| part.replace(".0000%", "%"))
        .collect()
}
