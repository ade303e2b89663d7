//! All that is looked at and registered before a service is changed.

use gha::outcome::Outcome;
use gha::{Failure, text};

use crate::api::services::{Described, Update};
use crate::cli::Deploy;
use crate::error::Error;
use crate::history::{self, Depth};
use crate::native_deploy::settings as strategy;
use crate::observed::{Deployment, revision_name};
use crate::place::Place;
use crate::prepare::{self, Revision};
use crate::rollback_target;
use crate::serving;
use crate::story::Story;
use crate::task_definition::{TaskDefinition, keys};
use crate::undo::is_revision;

use super::native::{Resumes, Shifting, shifting};
use super::settings;

/// What is about to be changed.
pub(crate) struct Ready {
    pub(crate) described: Described,
    pub(crate) revision: Revision,
    pub(crate) target: Option<Target>,
    pub(crate) update: Update,
    /// Of a deploy whose traffic ECS shifts.
    pub(crate) shifting: Option<Shifting>,
    /// The settings that [`Ready::update`] changes, as they are.
    pub(crate) settings_before: Update,
}

/// The revision to go back to.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) arn: String,
    pub(crate) definition: TaskDefinition,
}

impl Ready {
    /// What a failure goes back to; none where the new tasks are of the revision that served before, with the same settings.
    pub(crate) fn earlier(&self) -> Option<&Target> {
        let differs = |target: &&Target| {
            !is_revision(&target.arn, &self.revision.arn) || self.settings_before != Update::default()
        };
        self.target.as_ref().filter(differs)
    }

    /// Whether nothing but the number of tasks changes, which starts no deployment.
    pub(crate) fn only_scales(&self) -> bool {
        let others = Update {
            desired: None,
            ..self.update.clone()
        };
        others == Update::default() && self.update.desired.is_some()
    }
}

/// What preparing came to.
pub(super) enum Prepared {
    Ready(Box<Ready>),
    /// A deployment of the same revision is under way already.
    Resumed(Box<Ready>, Deployment),
    Unchanged(Outcome),
}

pub(super) async fn prepare(
    flags: &Deploy,
    gated: bool,
    story: &mut Story,
    place: &Place<'_>,
) -> Result<Prepared, Failure> {
    let runner = place.runner;
    let mut update = settings(&flags.settings)?;
    let described = place.described().await?;
    let service = &described.service;
    let set = &described.configuration;
    let way = strategy::wanted(&flags.strategy, set, service, gated, flags.times.timeout())?;
    update.configuration = way.change.clone();
    let wanted = prepare::wanted(&place.api, &flags.version, service).await?;
    if let Some(line) = &flags.migrate {
        let command = wanted.definition.command_of(line);
        command.map_err(|error| Error::Edit {
            flag: "migrate",
            error,
        })?;
    }
    for warning in keys::warnings(&wanted.definition) {
        runner.warn(&warning);
    }
    wanted.notes.iter().for_each(|note| runner.info(note));
    let known = wanted.known.as_deref();
    let under_way_means = Resumes {
        may_resume: update == Update::default(),
        replace: flags.replace,
    };
    let shifting = shifting(&way, &described, known, under_way_means, place).await?;
    let history = history::read(Depth::Revisions, place).await;
    let found = rollback_target::at_start(service, &history).map(|target| target.task_definition);
    story.previous = found.clone().or_else(|| service.task_definition.clone());
    story.has_images(&wanted.definition);
    let under_way = service.under_way();
    let may_follow = shifting.is_none() || under_way_means.may_resume;
    let same_is_under_way = under_way.filter(|_| may_follow).filter(|deployment| {
        wanted
            .known
            .as_deref()
            .is_some_and(|known| is_revision(known, &deployment.task_definition))
    });
    let resumes = shifting
        .as_ref()
        .is_some_and(|shifting| shifting.resumes.is_some());
    if let (Some(deployment), None, false) = (under_way, same_is_under_way, resumes)
        && !flags.replace
    {
        return Err(busy(deployment, place).into());
    }
    if wanted.is_current() && update == Update::default() && same_is_under_way.is_none() && !resumes {
        if let Some(failed) = service.failed() {
            return Err(Error::FailedBefore {
                service: place.service.clone(),
                revision: text::line(revision_name(&failed.task_definition)),
                serving: serving::running(service),
            }
            .into());
        }
        let who = format!("service `{}` has", place.service);
        return Ok(Prepared::Unchanged(story.nothing_to_do(
            &who,
            wanted.known,
            place,
        )));
    }
    let target = match found {
        Some(arn) => target(arn, &wanted.current, place).await?,
        None => None,
    };
    if target.is_none() {
        runner.warn("a failure has nothing to go back to: no revision is known to have served");
    }
    for difference in wanted.differences() {
        runner.info(&format!("changes {difference}"));
    }
    let is_current = wanted.is_current();
    let revision = prepare::registered(&place.api, wanted).await?;
    let name = text::line(revision_name(&revision.arn));
    if revision.is_new {
        story.note(format!("registered `{name}`"), runner);
    } else {
        runner.info(&format!(
            "`{name}` has this content already; no revision is registered"
        ));
    }
    story.revision = Some(revision.arn.clone());
    story.publish(place);
    if !is_current {
        update.task_definition = Some(revision.arn.clone());
    }
    let resumed = same_is_under_way
        .filter(|_| update.task_definition.is_none() && update == Update::default())
        .or_else(|| service.primary().filter(|_| resumes))
        .cloned();
    let ready = Box::new(Ready {
        settings_before: described.before(&update),
        revision,
        target,
        update,
        described,
        shifting,
    });
    Ok(match resumed {
        Some(deployment) => {
            let name = text::line(revision_name(&deployment.task_definition));
            story.note(
                format!("`{name}` is being deployed already; this run follows it"),
                runner,
            );
            Prepared::Resumed(ready, deployment)
        }
        None => Prepared::Ready(ready),
    })
}

/// The revision to go back to with its content, which is registered again where someone deregisters it meanwhile.
async fn target(arn: String, current: &TaskDefinition, place: &Place<'_>) -> Result<Option<Target>, Error> {
    let is_current = current.arn().is_some_and(|known| is_revision(known, &arn));
    let definition = if is_current {
        current.clone()
    } else {
        match prepare::described(&place.api, &arn).await {
            Ok(definition) => definition,
            Err(Error::NoTaskDefinition(name)) => {
                place
                    .runner
                    .warn(&format!("the earlier revision `{name}` was deleted"));
                return Ok(None);
            }
            Err(error) => return Err(error),
        }
    };
    Ok(Some(Target { arn, definition }))
}

pub(super) fn busy(deployment: &Deployment, place: &Place<'_>) -> Error {
    Error::Busy {
        service: place.service.clone(),
        revision: text::line(revision_name(&deployment.task_definition)),
        since: deployment.created_at.map_or_else(
            || "begun at an unknown time".to_owned(),
            |begun| format!("begun at {begun}"),
        ),
    }
}
