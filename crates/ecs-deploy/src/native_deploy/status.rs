//! The service deployment of a service whose traffic ECS shifts, for the command `status`.

use gha::{accounts, text};

use crate::native::describe;
use crate::observed::Service;
use crate::place::Place;
use crate::words::Strategy;

/// Shows stage and weights of the latest service deployment; gives the share of the production traffic that its version
/// has, in percent.
pub async fn show(service: &Service, place: &Place<'_>) -> Option<f64> {
    if service.strategy == Strategy::Rolling {
        return None;
    }
    let listed = place.api.service_deployments(&place.service, None).await;
    let latest = match listed {
        Ok(listed) => listed.into_iter().next()?.arn,
        Err(refused) => {
            place
                .runner
                .warn(&format!("service deployments can't be shown: {refused}"));
            return None;
        }
    };
    let seen = place.api.service_deployment(&[latest]).await;
    let deployment = match seen {
        Ok(seen) => seen.into_iter().next()?,
        Err(refused) => {
            place
                .runner
                .warn(&format!("the service deployment can't be shown: {refused}"));
            return None;
        }
    };
    let id = deployment.arn.rsplit('/').next().unwrap_or_default();
    let reason = deployment
        .reason
        .as_deref()
        .map(|reason| format!(": {}", text::line(reason)));
    let line = format!(
        "service deployment `{}` ({}) is {}, {}{}",
        text::line(id),
        text::line(&service.strategy.word().to_lowercase()),
        text::line(&deployment.status.word().to_lowercase()),
        describe(&deployment),
        reason.unwrap_or_default(),
    );
    place.runner.info(&accounts::without(&line));
    deployment
        .target?
        .production_weight
        .filter(|weight| weight.is_finite())
}
