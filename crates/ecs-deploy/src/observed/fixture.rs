//! Plain values for tests, to be changed where a test says something of them.

use jiff::Timestamp;

use super::{Deployment, Service};
use crate::words::{Controller, DeploymentStatus, Scheduling, ServiceStatus, Strategy};

impl Service {
    /// The service `web`, which deploys by rolling: two tasks are wanted and run, and no deployment is known.
    pub(crate) fn fixture() -> Self {
        Self {
            name: "web".to_owned(),
            status: ServiceStatus::Active,
            desired: 2,
            running: 2,
            pending: 0,
            task_definition: None,
            controller: Controller::Ecs,
            strategy: Strategy::Rolling,
            scheduling: Scheduling::Replica,
            deployments: Vec::new(),
            events: Vec::new(),
            breaker: None,
            alarms_roll_back: false,
            load_balancers: Vec::new(),
            health_check_grace: None,
            current_service_deployment: None,
            created_at: None,
        }
    }
}

impl Deployment {
    /// The deployment `ecs-svc/N` of `web:N`, created in second N: two tasks are wanted, and how far it is is not said.
    pub(crate) fn fixture(number: u32, status: DeploymentStatus) -> Self {
        Self {
            id: format!("ecs-svc/{number}"),
            status,
            task_definition: format!("arn:aws:ecs:eu-west-1:123456789012:task-definition/web:{number}"),
            desired: 2,
            pending: 0,
            running: 0,
            failed: 0,
            rollout_state: None,
            reason: None,
            created_at: Timestamp::from_second(i64::from(number)).ok(),
        }
    }
}
