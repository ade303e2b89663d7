//! What the targets of a side come to: how many get requests, and what is wrong with the others.

use crate::observed::TargetHealth;
use crate::words::TargetState;

use super::Health;

impl Health {
    /// Counts targets.
    #[must_use]
    pub fn of(targets: &[TargetHealth]) -> Self {
        // A target whose checks are switched off gets requests too.
        let served =
            |target: &&TargetHealth| matches!(target.state, TargetState::Healthy | TargetState::Unavailable);
        let healthy = targets.iter().filter(served).count();
        let trouble = targets
            .iter()
            .find(|target| {
                !matches!(
                    target.state,
                    TargetState::Healthy | TargetState::Unavailable | TargetState::Draining
                )
            })
            .map(|target| {
                let why = target.reason.as_deref().unwrap_or("no reason given");
                let more = target
                    .description
                    .as_deref()
                    .map(|more| format!(", {more}"))
                    .unwrap_or_default();
                let text = format!("a target is `{}`: {why}{more}", target.state.word());
                gha::text::line(&gha::text::cut(&text, 300))
            });
        Self {
            healthy: u32::try_from(healthy).unwrap_or(u32::MAX),
            trouble,
        }
    }
}
