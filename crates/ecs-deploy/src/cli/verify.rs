//! The flags of `verify`.

use clap::Args;

use super::Deploy;

/// What stands first in its help.
pub(super) const EXAMPLES: &str = "Examples:
  ecs-deploy verify --cluster production --service api --image registry.example.com/api:1.2.3
  ecs-deploy verify --cluster production --service api --task-definition task.json --gate gate.yml";

/// The flags of `verify`: those of the deploy that it is to judge, so that a workflow has nothing to change but `command`.
#[derive(Clone, Debug, Args)]
pub struct Verify {
    /// The deploy.
    #[command(flatten)]
    pub deploy: Deploy,
}
