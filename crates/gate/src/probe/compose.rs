//! A Docker Compose project as its engine sees it: all containers of every service run and are healthy, and what was to
//! complete has exited with 0.
//!
//! Asked is the engine's API over its socket, `unix://` or `tcp://`; TLS and `ssh://` are not spoken. A container
//! without a health check counts as soon as it runs. What `docker compose run` starts is left out.
//! <https://docs.docker.com/reference/api/engine/>

mod engine;
mod project;

use std::time::Duration;

use gha::mask::Masker;
use gha::text;

use crate::finding::Finding;
use crate::probe::{Look, Looking, Probe};
use crate::trouble::{About, Trouble};
use engine::Engine;
pub use engine::HostError;
use project::{Container, Listed, Services};

/// The most containers of a project; each is asked about on its own.
const CONTAINERS: usize = 200;

/// Which project, and what of it.
#[derive(Clone, Default)]
pub struct ComposeOptions {
    /// The project's name, as `docker compose ls` shows it.
    pub project: String,
    /// The services that must run; without any, all that have containers, but not those that complete.
    pub services: Vec<String>,
    /// The services that must have ended with exit code 0, such as migrations.
    pub completed: Vec<String>,
    /// Where the engine listens, as `DOCKER_HOST` has it; the usual socket without.
    pub host: Option<String>,
    /// What is hidden in all that is said of health checks.
    pub masker: Masker,
}

/// A Compose project.
pub struct Compose {
    engine: Engine,
    project: String,
    services: Services,
    masker: Masker,
    shown: String,
}

impl Compose {
    /// A project.
    ///
    /// # Errors
    /// When the engine's address is none that is spoken.
    pub fn new(options: ComposeOptions) -> Result<Self, HostError> {
        Ok(Self {
            engine: options.host.as_deref().unwrap_or_default().parse()?,
            shown: format!("compose {}", text::visible(&options.project)),
            project: options.project,
            services: Services {
                running: options.services,
                completed: options.completed,
            },
            masker: options.masker,
        })
    }

    /// How often the engine has restarted the project's containers, all together.
    ///
    /// # Errors
    /// When the engine does not answer.
    pub async fn restarts(&self) -> Result<u64, Trouble> {
        Ok(self
            .restart_counts()
            .await?
            .into_iter()
            .map(|(_, count)| count)
            .sum())
    }

    /// The same for each container by its identity.
    pub(crate) async fn restart_counts(&self) -> Result<Vec<(String, u64)>, Trouble> {
        let containers = self.containers().await?;
        let count = |container: Container| (container.id, container.restarts);
        Ok(containers.into_iter().map(count).collect())
    }

    async fn containers(&self) -> Result<Vec<Container>, Trouble> {
        let listed = self.engine.get(&project::list_path(&self.project)).await?;
        let listed = project::listed(&listed.unwrap_or_default())?;
        if listed.len() > CONTAINERS {
            return Err(Trouble::question(format!(
                "the project has {} containers, at most {CONTAINERS} are looked at",
                listed.len()
            ))
            .about(About::Target));
        }
        let mut containers = Vec::with_capacity(listed.len());
        for Listed { id, service } in listed {
            // It may be gone by now.
            if let Some(body) = self.engine.get(&format!("/containers/{id}/json")).await? {
                containers.push(project::container(id, service, &body)?);
            }
        }
        Ok(containers)
    }
}

impl Probe for Compose {
    fn target(&self) -> &str {
        &self.shown
    }

    fn look(&self, _limit: Duration) -> Looking<'_> {
        Box::pin(async {
            let containers = match self.containers().await {
                Ok(containers) => containers,
                Err(trouble) => return Look::without_answer(Finding::Unmeasured(trouble)),
            };
            let finding = project::judge(&self.project, &self.services, &containers, &self.masker);
            Look::without_answer(finding).showing(project::overview(&containers))
        })
    }
}

#[cfg(test)]
mod tests;
