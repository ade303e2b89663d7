//! Brings the earlier revision back to a service that deploys by rolling: one update, and only while the service still is
//! as this run left it.

use std::time::Duration;

use gha::text;
use tokio::time::sleep;

use crate::api::DENIALS;
use crate::api::services::Update;
use crate::follow::Followed;
use crate::observed::{Deployment, Service, revision_name};
use crate::place::Place;
use crate::prepare;
use crate::rolling::{Decision, Limits, Plan, Why};
use crate::serving;
use crate::task_definition::TaskDefinition;
use crate::words::ServiceStatus;

/// How long a way back may take to begin after a signal, or the write that makes up a way back may take: with what comes
/// after it the run leaves within five seconds. A runner sends the next signal after 7.5.
pub const LEAVE: Duration = Duration::from_secs(4);

/// From the first try to the second; each pause is twice as long as the one before, up to the longest.
const PAUSE: Duration = Duration::from_secs(1);

/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// What is brought back.
#[derive(Clone, Copy, Debug)]
pub struct Earlier<'a> {
    /// The ARN of the revision, or `family:revision`.
    pub task_definition: &'a str,
    /// What it is, for where it was deregistered meanwhile.
    pub definition: &'a TaskDefinition,
    /// The service's settings as they were before this run changed them; the task definition is left to this module.
    pub settings: &'a Update,
    /// How long AWS may be out of reach.
    pub patience: Duration,
}

/// A deployment that brings the earlier revision back, and the service as it was seen then.
#[derive(Clone, Debug)]
pub struct Begun {
    /// The deployment.
    pub deployment: Deployment,
    /// The service.
    pub service: Service,
}

/// What a rollback came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Undone {
    /// The earlier revision serves.
    Restored {
        /// With how many tasks.
        tasks: u32,
    },
    /// It is on its way, and was not waited for to the end.
    Begun,
    /// Someone else changed the service; nothing was written over it.
    Foreign(String),
    /// It could not be brought back.
    Failed(Trouble),
}

/// Why the earlier revision could not be brought back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// Why, as one line.
    pub why: String,
    /// Whether no update was ever taken: the service is as it was.
    pub untouched: bool,
    /// Whether credentials or permissions were refused.
    pub denied: bool,
    /// What runs, as far as it was seen.
    pub serving: Option<String>,
}

impl Trouble {
    /// A trouble of which only the reason is known: something was changed, and what runs was not seen.
    #[must_use]
    pub fn because(why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            untouched: false,
            denied: false,
            serving: None,
        }
    }
}

/// What one try came to.
enum Tried {
    Begun(Box<Begun>),
    Ended(Undone),
    /// It may be better later.
    Again,
}

/// A rollback that is being begun.
struct Attempt<'a> {
    ours: &'a str,
    earlier: Earlier<'a>,
    /// What is deployed: the earlier revision, or its content under a new number.
    to: String,
    denials: u32,
    trouble: Trouble,
}

/// Begins to bring the earlier revision back, if the latest deployment still is `ours`; gives the deployment that does it.
///
/// # Errors
/// What it came to instead.
pub async fn begin(ours: &str, earlier: Earlier<'_>, place: &Place<'_>) -> Result<Begun, Undone> {
    let mut attempt = Attempt {
        ours,
        earlier,
        to: earlier.task_definition.to_owned(),
        denials: 0,
        trouble: Trouble {
            why: String::new(),
            untouched: true,
            denied: false,
            serving: None,
        },
    };
    let started = place.runner.elapsed();
    let mut pause = PAUSE;
    loop {
        match attempt.once(place).await {
            Tried::Begun(begun) => return Ok(*begun),
            Tried::Ended(undone) => return Err(undone),
            Tried::Again => {}
        }
        let over = place.runner.elapsed().saturating_sub(started) >= earlier.patience;
        if over || attempt.denials >= DENIALS {
            return Err(Undone::Failed(attempt.trouble));
        }
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

impl Attempt<'_> {
    /// Looks at the service, and updates it if it still is ours. An update whose answer was lost shows at the next look.
    async fn once(&mut self, place: &Place<'_>) -> Tried {
        let service = match place.api.service(&place.service).await {
            Ok(Some(described)) => described.service,
            Ok(None) => return Tried::Ended(Undone::Foreign("the service is gone".to_owned())),
            Err(refused) => return self.again(&refused),
        };
        if service.status != ServiceStatus::Active {
            let why = format!("the service is `{}`", text::line(service.status.word()));
            return Tried::Ended(Undone::Foreign(why));
        }
        self.trouble.serving = Some(serving::running(&service));
        let Some(primary) = service.primary() else {
            "the service has no deployment".clone_into(&mut self.trouble.why);
            return Tried::Again;
        };
        if primary.id != self.ours {
            // An update of ours whose answer was lost, or the circuit breaker's.
            if is_revision(&primary.task_definition, &self.to) {
                let deployment = primary.clone();
                return Tried::Begun(Box::new(Begun { deployment, service }));
            }
            let name = text::line(revision_name(&primary.task_definition));
            let why = format!("`{name}` was deployed meanwhile by someone else");
            return Tried::Ended(Undone::Foreign(why));
        }
        self.update(place).await
    }

    async fn update(&mut self, place: &Place<'_>) -> Tried {
        let update = Update {
            task_definition: Some(self.to.clone()),
            ..self.earlier.settings.clone()
        };
        let refused = match place.api.update_service(&place.service, &update).await {
            Ok(described) => {
                let service = described.service;
                let newer = service.primary().filter(|primary| primary.id != self.ours);
                if let Some(deployment) = newer.cloned() {
                    return Tried::Begun(Box::new(Begun { deployment, service }));
                }
                self.trouble.untouched = false;
                "ECS took the update and began no deployment".clone_into(&mut self.trouble.why);
                return Tried::Again;
            }
            Err(refused) => refused,
        };
        self.trouble.untouched &= !refused.unknown;
        if refused.unknown || refused.may_pass() || refused.is_access() {
            return self.again(&refused);
        }
        self.trouble.why = refused.to_string();
        // A deregistered revision can't be deployed any more; the same content under a new number can.
        let deregistered = refused.is("ClientException") || refused.is("InvalidParameterException");
        if deregistered && self.to == self.earlier.task_definition {
            match registered_again(self.earlier.definition, place).await {
                Ok(arn) => {
                    self.to = arn;
                    return Tried::Again;
                }
                Err(why) => self.trouble.why.push_str(&format!("; {why}")),
            }
        }
        Tried::Ended(Undone::Failed(self.trouble.clone()))
    }

    fn again(&mut self, refused: &crate::api::Refused) -> Tried {
        self.trouble.why = refused.to_string();
        self.trouble.denied = refused.is_access();
        self.denials = if refused.is_access() { self.denials + 1 } else { 0 };
        Tried::Again
    }
}

/// The ARN of a new revision with the content of a deregistered one.
async fn registered_again(definition: &TaskDefinition, place: &Place<'_>) -> Result<String, String> {
    let wanted = prepare::Wanted {
        definition: definition.clone(),
        current: definition.clone(),
        known: None,
        notes: Vec::new(),
    };
    let registered = prepare::registered(&place.api, wanted).await;
    let revision = registered.map_err(|error| error.to_string())?;
    let name = text::line(revision_name(&revision.arn));
    place.runner.warn(&format!(
        "the earlier revision was deregistered; its content is registered again as `{name}`"
    ));
    Ok(revision.arn)
}

/// Waits until the earlier revision serves.
pub async fn wait(begun: &Begun, definition: &TaskDefinition, limits: Limits, place: &Place<'_>) -> Undone {
    let Begun { deployment, service } = begun;
    let plan = Plan {
        deployment: deployment.id.clone(),
        task_definition: deployment.task_definition.clone(),
        previous: None,
        created_at: deployment.created_at,
        started: place.runner.elapsed(),
        limits,
    };
    let mut followed = Followed::new(plan, service);
    let ended = followed.run(definition, place).await;
    let failed = |why: String, denied| {
        Undone::Failed(Trouble {
            why,
            untouched: false,
            denied,
            serving: followed.serving(),
        })
    };
    match ended {
        Decision::Succeeded { tasks } => Undone::Restored { tasks },
        Decision::ScaledToZero => Undone::Restored { tasks: 0 },
        Decision::Failed {
            why: Why::Draining, ..
        } => Undone::Restored {
            tasks: deployment.desired,
        },
        Decision::Failed { why, reason, .. } => failed(reason, why == Why::Access),
        Decision::RolledBack { reason, .. } => failed(reason, false),
        Decision::Superseded { by } => {
            let name = text::line(revision_name(&by.task_definition));
            Undone::Foreign(format!("`{name}` was deployed meanwhile by someone else"))
        }
        Decision::Gone { reason } => Undone::Foreign(reason),
        Decision::Wait { .. } | Decision::Steady { .. } | Decision::FetchStopped => Undone::Begun,
    }
}

/// Whether two names are of one revision: an ARN, or `family:revision`.
#[must_use]
pub fn is_revision(one: &str, other: &str) -> bool {
    revision_name(one) == revision_name(other)
}
