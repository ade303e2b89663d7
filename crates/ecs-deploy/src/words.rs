//! Words of the API that may grow: what is not known here is kept, so that it can be shown.

/// An enumeration of the API that may grow: words that are not known here are kept.
macro_rules! open_enum {
    ($(#[$meta:meta])* $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum $name {
            $($(#[$variant_meta])* $variant,)+
            /// A word that is not known here.
            Other(String),
        }

        impl $name {
            /// The value of the API's word.
            #[must_use]
            pub fn of(word: &str) -> Self {
                match word {
                    $($word => Self::$variant,)+
                    other => Self::Other(other.to_owned()),
                }
            }

            /// The API's word. Foreign text where it is not known here.
            #[must_use]
            pub fn word(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)+
                    Self::Other(word) => word,
                }
            }
        }
    };
}

open_enum! {
    /// The state of a service (<https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Service.html>).
    ServiceStatus {
        /// It runs.
        Active = "ACTIVE",
        /// It was deleted and its tasks stop.
        Draining = "DRAINING",
        /// It was deleted.
        Inactive = "INACTIVE",
    }
}

open_enum! {
    /// Who deploys a service. An absent one is [`Controller::Ecs`].
    Controller {
        /// ECS itself.
        Ecs = "ECS",
        /// CodeDeploy.
        CodeDeploy = "CODE_DEPLOY",
        /// Something else, by task sets.
        External = "EXTERNAL",
    }
}

open_enum! {
    /// How ECS deploys a service. An absent one is [`Strategy::Rolling`].
    Strategy {
        /// Tasks are replaced a few at a time.
        Rolling = "ROLLING",
        /// All traffic at once, between two sets of tasks.
        BlueGreen = "BLUE_GREEN",
        /// Traffic in equal steps.
        Linear = "LINEAR",
        /// One small step, then the rest.
        Canary = "CANARY",
    }
}

open_enum! {
    /// How many tasks a service has. An absent one is [`Scheduling::Replica`].
    Scheduling {
        /// As many as are wanted.
        Replica = "REPLICA",
        /// One for each instance.
        Daemon = "DAEMON",
    }
}

open_enum! {
    /// The place of a deployment among those of its service.
    DeploymentStatus {
        /// The latest.
        Primary = "PRIMARY",
        /// An earlier one that still has tasks.
        Active = "ACTIVE",
        /// An earlier one that has none.
        Inactive = "INACTIVE",
    }
}

open_enum! {
    /// How far a rolling deployment is (<https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Deployment.html>).
    RolloutState {
        /// Under way.
        InProgress = "IN_PROGRESS",
        /// It reached a steady state.
        Completed = "COMPLETED",
        /// The circuit breaker or an alarm ended it.
        Failed = "FAILED",
    }
}

open_enum! {
    /// How far a service deployment is
    /// (<https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ServiceDeployment.html>).
    ServiceDeploymentStatus {
        /// Not begun.
        Pending = "PENDING",
        /// Under way.
        InProgress = "IN_PROGRESS",
        /// Done.
        Successful = "SUCCESSFUL",
        /// Ended by someone, and not rolled back.
        Stopped = "STOPPED",
        /// Someone asked for its end.
        StopRequested = "STOP_REQUESTED",
        /// Someone asked for a rollback.
        RollbackRequested = "ROLLBACK_REQUESTED",
        /// ECS rolls back.
        RollbackInProgress = "ROLLBACK_IN_PROGRESS",
        /// ECS rolled back.
        RollbackSuccessful = "ROLLBACK_SUCCESSFUL",
        /// ECS tried to roll back and could not.
        RollbackFailed = "ROLLBACK_FAILED",
    }
}

open_enum! {
    /// The state of a hook of a service deployment.
    HookStatus {
        /// It pauses the deployment until someone says how to go on.
        AwaitingAction = "AWAITING_ACTION",
        /// It runs.
        InProgress = "IN_PROGRESS",
        /// It said yes.
        Succeeded = "SUCCEEDED",
        /// It said no.
        Failed = "FAILED",
        /// Nobody answered in time.
        TimedOut = "TIMED_OUT",
    }
}

open_enum! {
    /// Why a task stopped (<https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html>).
    StopCode {
        /// It never ran.
        TaskFailedToStart = "TaskFailedToStart",
        /// A container that it can't be without ended.
        EssentialContainerExited = "EssentialContainerExited",
        /// Someone stopped it.
        UserInitiated = "UserInitiated",
        /// The service stopped it: it scaled or deployed, or the task was unhealthy.
        ServiceSchedulerInitiated = "ServiceSchedulerInitiated",
        /// Spot capacity was taken back.
        SpotInterruption = "SpotInterruption",
        /// Its instance was about to end.
        TerminationNotice = "TerminationNotice",
        /// Its host was unhealthy.
        InfrastructureHealth = "InfrastructureHealth",
    }
}

open_enum! {
    /// The health of a target
    /// (<https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetHealth.html>).
    TargetState {
        /// Registered, and not judged yet.
        Initial = "initial",
        /// It gets requests.
        Healthy = "healthy",
        /// It fails its checks.
        Unhealthy = "unhealthy",
        /// It failed its checks and is on its way out.
        UnhealthyDraining = "unhealthy.draining",
        /// No listener leads to its group.
        Unused = "unused",
        /// On its way out.
        Draining = "draining",
        /// Health checks are switched off.
        Unavailable = "unavailable",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, proptest};

    #[test]
    fn known_words_are_known() {
        assert_eq!(RolloutState::of("FAILED"), RolloutState::Failed);
        assert_eq!(
            TargetState::of("unhealthy.draining"),
            TargetState::UnhealthyDraining
        );
    }

    proptest! {
        #[test]
        fn every_word_is_kept(word in any::<String>()) {
            assert_eq!(ServiceDeploymentStatus::of(&word).word(), word);
            assert_eq!(StopCode::of(&word).word(), word);
        }
    }
}
