//! What a plan says of the migration: the same decision as the deploy's, by the same Jobs.

use serde_json::Value;

use gha::{Exit, text};

use super::{Drawn, Refusal};
use crate::api::Kind;
use crate::cli::Deploy;
use crate::error::Error;
use crate::manifests::Manifest;
use crate::migrate::Asking;
use crate::migration::decide::Decision;
use crate::migration::decided;
use crate::migration::job::Way;
use crate::place::Place;

impl Drawn {
    /// What the migration would be.
    ///
    /// # Errors
    /// When there can be none.
    pub async fn migration(
        &mut self,
        asking: &Asking,
        job: Option<&Manifest>,
        (service, new): (&str, &Value),
        flags: &Deploy,
        place: &Place<'_>,
    ) -> Result<(), Error> {
        let made = asking.made(job, new, Way::Up, flags.migration.migrate_timeout)?;
        let called = format!("Job `{}`", text::line(made.name()));
        self.uses.name(&Kind::job(), made.name());
        let decided = decided(&made, flags.migration.retry_migration, place).await;
        match decided.map(|(_, decision)| decision) {
            Err(refused) => self.no(&called, refused),
            Ok(Decision::Create) => {
                let (api, namespace) = (&place.api, &place.namespace);
                match api.would_create(&Kind::job(), namespace, &made.object).await {
                    Ok(_) => {
                        let service = text::line(service);
                        let what = format!("{called} migrates for Service `{service}` first");
                        self.step(what, made.object.clone());
                    }
                    Err(refused) => self.no(&called, refused),
                }
            }
            Ok(Decision::Again { why, .. }) => {
                self.say(format!("{called} would be deleted and run again: {why}"));
            }
            Ok(Decision::Wait) => self.say(format!("{called} runs already, and would be waited for")),
            Ok(Decision::Done) => self.say(format!("{called} was done before, and would not run again")),
            Ok(Decision::Failed { reason }) => self.refuse(Refusal {
                exit: Exit::Failed,
                text: format!("the migration, {called}, failed before: {reason}"),
                help: Some("it runs again with `--retry-migration`".to_owned()),
            }),
            Ok(Decision::Foreign) => self.error(Error::Foreign { what: called }),
        }
        Ok(())
    }
}
