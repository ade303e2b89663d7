//! The call that ends a service deployment and has ECS put the earlier revision back.

use crate::api::Refused;
use crate::place::Place;
use crate::words::ServiceDeploymentStatus as Is;

/// How often it is tried while its answers get lost.
const TRIES: u32 = 3;

/// What the call came to.
#[derive(Debug)]
pub enum Stop {
    /// ECS goes back.
    Begun,
    /// The deployment had ended already, like this.
    Ended(Is),
    /// It was refused, or nobody answered.
    Refused(Refused),
}

/// Stops a service deployment. An answer that was lost is looked for before the call is made again.
pub async fn stop(arn: &str, place: &Place<'_>) -> Stop {
    let mut attempt = 1;
    loop {
        let refused = match place.api.stop_service_deployment(arn).await {
            Ok(()) => return Stop::Begun,
            Err(refused) => refused,
        };
        if !refused.unknown && !refused.is("ConflictException") {
            return Stop::Refused(refused);
        }
        let seen = place.api.service_deployment(&[arn.to_owned()]).await;
        let status = seen.ok().and_then(|seen| Some(seen.into_iter().next()?.status));
        match status {
            Some(Is::StopRequested | Is::RollbackRequested | Is::RollbackInProgress) => return Stop::Begun,
            Some(status) if is_over(&status) => return Stop::Ended(status),
            _ if attempt >= TRIES => return Stop::Refused(refused),
            _ => attempt += 1,
        }
    }
}

/// Whether nothing more comes.
#[must_use]
pub fn is_over(status: &Is) -> bool {
    matches!(
        status,
        Is::Successful | Is::Stopped | Is::RollbackSuccessful | Is::RollbackFailed
    )
}
