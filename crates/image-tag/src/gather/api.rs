//! What neither event nor checkout say, from GitHub's API. An answer that fails to come is a warning.

use gha::{Failure, Runner, failure};

use super::{Gathered, has_own};
use crate::api::{Api, ApiError};
use crate::cli::{Cli, GITHUB_TOKEN, Metadata};
use crate::facts::Repository;
use crate::metadata::Needs;
use crate::request::Request;
use crate::subject;

/// Asks for what is needed and still missing; gives back whom it asked.
pub(super) async fn fill(
    cli: &Cli,
    request: &Request,
    runner: &Runner,
    needs: Needs,
    gathered: &mut Gathered,
) -> Result<Option<Api>, Failure> {
    let facts = &mut gathered.facts;
    // The API knows the run's own repository, not one that was checked out beside it.
    let is_own = !gathered.of_other_repository;
    let wants_tags = needs.tags && is_own;
    let undated = subject::undated(facts, request).filter(|_| needs.commit_date && is_own);
    let may_ask = matches!(cli.metadata, Metadata::Auto | Metadata::Api);
    if !may_ask || !(needs.repository || wants_tags || undated.is_some()) {
        return Ok(None);
    }
    let full_name = facts.repository.full_name.clone();
    let server = runner.context().github.server.trim_end_matches('/');
    // A project of another host is none of GitHub's.
    let of_github = facts.repository.html_url.starts_with(&format!("{server}/"));
    if full_name.is_empty() || !of_github {
        return Ok(None);
    }
    let Some(token) = runner
        .secret(&GITHUB_TOKEN, cli.github_token_file.as_deref())
        .await?
    else {
        if cli.metadata == Metadata::Api {
            runner.warn("`metadata: api` has no token to ask with: set `github-token`");
        }
        return Ok(None);
    };
    let told = |what: &str, error: &ApiError| {
        runner.warn(&format!("{what}: {}; {}", failure::chain(error), error.help()));
    };
    let api = match Api::new(runner, token, &full_name) {
        Ok(api) => api,
        Err(error) => {
            told("GitHub's API can't be asked", &error);
            return Ok(None);
        }
    };
    if needs.repository {
        match runner.cancel().guard(api.repository()).await? {
            Ok(about) => {
                let asked = Repository::from_json(&about, &full_name, "");
                let known = std::mem::take(&mut facts.repository);
                facts.repository = match cli.metadata {
                    Metadata::Api => asked,
                    _ => known.or(asked),
                };
            }
            Err(error) => told("labels are as the event has them", &error),
        }
    }
    if let Some(sha) = undated {
        match runner.cancel().guard(api.commit_date(&sha)).await? {
            Ok(date) => facts.commit_date = Some(date),
            Err(error) => told("the commit's time is not known", &error),
        }
    }
    if wants_tags {
        match runner.cancel().guard(api.tags(&request.tag_prefix)).await? {
            Ok(tags) => {
                if has_own(&facts.git_ref, &tags, &request.tag_prefix) {
                    facts.tags = Some(tags);
                    gathered.tags_from = "GitHub's API";
                } else {
                    runner
                        .warn("GitHub's list of git tags lacks the tag that is built, so it is not believed");
                }
            }
            Err(error) => told("the repository's tags are not known", &error),
        }
    }
    Ok(Some(api))
}
