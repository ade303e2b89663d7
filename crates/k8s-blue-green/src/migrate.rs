//! The migration of a deploy, before anything of the new version comes up, or of a way back, before traffic moves: a Job that must
//! succeed first.

use std::time::Duration;

use gha::Exit;
use serde_json::Value;

use crate::blue_green::stopped::Stopped;
use crate::color::base;
use crate::error::Error;
use crate::manifests::{Manifest, take_out};
use crate::marks::marks;
use crate::migration::job::{Asked, Job, Way};
use crate::migration::{End, Migration, Ran};
use crate::object::{self, Labels};
use crate::place::Place;
use crate::run::Run;
use crate::story::Story;

/// From one look at the Job to the next.
const LOOK: Duration = Duration::from_secs(2);

/// How it is run.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// Up, or down.
    pub way: Way,
    /// How long it may take.
    pub limit: Duration,
    /// Whether one that failed is run again.
    pub retry: bool,
    /// How long the API server may be out of reach.
    pub api_grace: Duration,
}

/// A migration that was asked for, read and checked.
pub struct Asking {
    asked: Asked,
}

impl Asking {
    /// What a flag asks for.
    ///
    /// # Errors
    /// When it is no command and no Job.
    pub fn of(flag: &'static str, line: Option<&String>) -> Result<Option<Self>, Error> {
        let Some(line) = line else { return Ok(None) };
        let asked = Asked::parse(line).map_err(|error| Error::Flag {
            flag,
            reason: error.to_string(),
        })?;
        Ok(Some(Self { asked }))
    }

    /// Takes the Job out of the manifests, where it is one of them, so that it is not applied with the others.
    ///
    /// # Errors
    /// When it is not among them.
    pub fn job(&self, manifests: &mut Vec<Manifest>) -> Result<Option<Manifest>, Error> {
        let Asked::Job(name) = &self.asked else {
            return Ok(None);
        };
        let found = take_out(manifests, "Job", name).ok_or_else(|| Error::Flag {
            flag: "migrate",
            reason: format!("there is no Job `{}` among the manifests", object::shown(name)),
        })?;
        Ok(Some(found))
    }

    /// The Job that it is, of a version.
    ///
    /// # Errors
    /// When there can be none.
    pub fn made(&self, job: Option<&Manifest>, new: &Value, way: Way, limit: Duration) -> Result<Job, Error> {
        let selectors = selectors(new);
        let made = match (&self.asked, job) {
            (Asked::Job(_), Some(manifest)) => Job::of_manifest(&manifest.object, way, limit),
            (Asked::Command(command), _) => {
                let template = &new["spec"]["template"];
                Job::of_template(template, command, base(object::name(new)), way, &selectors, limit)
            }
            (Asked::Job(name), None) => {
                return Err(Error::unfit(format!(
                    "Job `{}` is not among the manifests",
                    object::shown(name)
                )));
            }
        };
        made.map_err(|error| Error::Flag {
            flag: "migrate",
            reason: error.to_string(),
        })
    }

    /// Runs it to its end. `new` is the Deployment whose version migrates.
    ///
    /// # Errors
    /// When it did not succeed, or that is not known.
    pub async fn run(
        &self,
        job: Option<&Manifest>,
        (service, new): (&str, &Value),
        terms: &Terms,
        story: &mut Story,
        place: &Place<'_>,
    ) -> Result<(), Stopped> {
        let job = self.made(job, new, terms.way, terms.limit)?;
        let name = job.name().to_owned();
        story.note(format!("the migration runs as Job `{name}`"), place);
        let marks: Vec<(String, String)> = marks(service, &Run::of(place.runner)).into_iter().collect();
        let migration = Migration {
            job: &job,
            marks: &marks,
            retry: terms.retry,
            poll: LOOK,
            limit: terms.limit,
            api_grace: terms.api_grace,
        };
        let mut ran = Ran::default();
        let failed = |exit, reason: String| Err(Stopped::Failed { exit, reason });
        match migration.run(&mut ran, place).await {
            End::Succeeded => {
                story.note(format!("the migration succeeded: Job `{name}`"), place);
                Ok(())
            }
            End::Before => {
                story.note(format!("this migration succeeded before: Job `{name}`"), place);
                Ok(())
            }
            End::Failed(why) | End::FailedBefore(why) => failed(Exit::Failed, why),
            End::NotStarted(refused) => Err(Error::refused("start the migration")(refused).into()),
            End::Foreign => Err(Error::Foreign {
                what: format!("Job `{name}`"),
            }
            .into()),
            End::Unknown { reason, denied } => {
                failed(if denied { Exit::Access } else { Exit::Failed }, reason)
            }
        }
    }
}

/// The labels by which pods get traffic, or are counted as the new version's.
fn selectors(new: &Value) -> Vec<Labels> {
    vec![object::labels_at(new, "/spec/selector/matchLabels")]
}
