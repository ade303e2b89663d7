//! Which run this is: what locks and states know it by, and where a person finds it.

use gha::env::Env;
use gha::links::GitHub;
use gha::{Runner, text};

/// This run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Repository, run and job, such as `acme/shop/42/deploy`: the same for each attempt of it, and for its later steps. On a
    /// laptop, the trace of this one command.
    pub name: String,
    /// Its page.
    pub link: Option<String>,
    /// Its trace id.
    pub trace: String,
}

impl Run {
    /// The run that a runner runs.
    #[must_use]
    pub fn of(runner: &Runner) -> Self {
        let env = runner.env();
        let trace = runner.trace().to_string();
        let (name, link) = match workflow(env) {
            Some((name, link)) => (name, Some(link)),
            None => (format!("local/{trace}"), None),
        };
        Self { name, link, trace }
    }
}

fn workflow(env: &Env) -> Option<(String, String)> {
    let word = |name: &str| env.get(name).map(text::line).filter(|word| !word.is_empty());
    let (repository, id) = (word("GITHUB_REPOSITORY")?, word("GITHUB_RUN_ID")?);
    let attempt = word("GITHUB_RUN_ATTEMPT").unwrap_or_else(|| "1".to_owned());
    let link = GitHub::of(env).run(&repository, &id, &attempt);
    let job = word("GITHUB_JOB")
        .map(|job| format!("/{job}"))
        .unwrap_or_default();
    Some((format!("{repository}/{id}{job}"), link))
}

#[cfg(test)]
mod tests {
    use gha::edge::testing::runner;

    use super::*;

    #[test]
    fn attempts_and_steps_of_one_job_are_one_run() {
        let name = |attempt: &str, job: &str| {
            let (runner, _) = runner(&[
                ("GITHUB_REPOSITORY", "acme/shop"),
                ("GITHUB_RUN_ID", "42"),
                ("GITHUB_RUN_ATTEMPT", attempt),
                ("GITHUB_JOB", job),
            ]);
            Run::of(&runner).name
        };
        assert_eq!(name("1", "deploy"), "acme/shop/42/deploy");
        assert_eq!(name("1", "deploy"), name("2", "deploy"));
        assert_ne!(name("1", "api"), name("1", "web"));
    }
}
