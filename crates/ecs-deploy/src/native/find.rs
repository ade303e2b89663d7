//! Which service deployment a run created.

use jiff::Timestamp;

use crate::observed::ServiceDeployment;

/// Which of the listed service deployments a run created.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Found<'a> {
    /// This one.
    One(&'a ServiceDeployment),
    /// It is not listed yet.
    None,
    /// There are several, and nothing tells them apart.
    Several,
}

/// Finds the service deployment that this run created: one that was not listed before its call, brings the revision that it
/// asked for where that is known, and was not created earlier than the deployment in the answer to the call (both on the
/// vendor's clock). The latest is never taken just for being the latest.
#[must_use]
pub fn find<'a>(
    listed: &'a [ServiceDeployment],
    before: &[String],
    revision: Option<&str>,
    created_at: Option<Timestamp>,
) -> Found<'a> {
    let mut ours = listed.iter().filter(|deployment| {
        let target = deployment.target.as_ref().map(|target| target.arn.as_str());
        let early = created_at
            .zip(deployment.created_at)
            .is_some_and(|(call, created)| created < call);
        !before.contains(&deployment.arn)
            && !early
            && revision.is_none_or(|revision| target == Some(revision))
    });
    match (ours.next(), ours.next()) {
        (Some(one), None) => Found::One(one),
        (None, _) => Found::None,
        (Some(_), Some(_)) => Found::Several,
    }
}
