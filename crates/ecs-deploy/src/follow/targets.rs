//! What the load balancer thinks of a service's tasks, and how long it lets old ones drain. It explains and decides
//! nothing; where it may not be read, that is told once.

use std::time::Duration;

use gha::duration;

use crate::observed::{Deployment, Service, TargetHealth};
use crate::place::Place;

/// The shortest from one look to the next: a target that fails its checks is gone soon.
const EVERY: Duration = Duration::from_secs(4);

/// What is known of the targets.
#[derive(Debug, Default)]
pub(super) struct Watched {
    looked: Option<Duration>,
    is_refused: bool,
    told_draining: bool,
}

impl Watched {
    /// The health of the service's targets, if it is time for a look; `ours` is the deployment that is followed.
    pub(super) async fn look(
        &mut self,
        service: &Service,
        ours: Option<&Deployment>,
        place: &Place<'_>,
    ) -> Option<Vec<TargetHealth>> {
        let groups: Vec<&str> = service
            .load_balancers
            .iter()
            .filter_map(|balancer| balancer.target_group.as_deref())
            .collect();
        let ours = ours.filter(|_| !groups.is_empty() && !self.is_refused)?;
        if ours.running > 0 && ours.running >= ours.desired && service.running > ours.running {
            self.tell_draining(groups[0], service.running - ours.running, place)
                .await;
        }
        let now = place.runner.elapsed();
        let due = self.looked.is_none_or(|last| now.saturating_sub(last) >= EVERY);
        if !due || (ours.running == 0 && ours.failed == 0) {
            return None;
        }
        self.looked = Some(now);
        let mut targets = Vec::new();
        for group in groups {
            match place.api.target_health(group).await {
                Ok(seen) => targets.extend(seen),
                Err(refused) => {
                    self.is_refused = refused.is_access();
                    if self.is_refused {
                        place
                            .runner
                            .warn(&format!("the health of targets can't be shown: {refused}"));
                    }
                    return None;
                }
            }
        }
        Some(targets)
    }

    /// Says, once, what the rest of the time is spent on.
    async fn tell_draining(&mut self, group: &str, tasks: u32, place: &Place<'_>) {
        if std::mem::replace(&mut self.told_draining, true) {
            return;
        }
        let delay = match place.api.draining_time(group).await {
            Ok(Some(delay)) => format!(
                "; the target group lets a target drain for {}",
                duration::display(delay)
            ),
            // It explains a wait and nothing else.
            Ok(None) | Err(_) => String::new(),
        };
        place
            .runner
            .info(&format!("tasks of earlier revisions drain: {tasks}{delay}"));
    }
}
