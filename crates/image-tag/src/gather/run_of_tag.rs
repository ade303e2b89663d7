//! Whether a `workflow_run` follows the run of a tag: its payload names branches and tags alike, and a branch may be called
//! like a tag that is there. So the tag must lead to the very commit.

use gha::{Failure, Runner};

use super::{Gathered, beside};
use crate::api::Api;
use crate::cli::Cli;

/// Takes a name that is not confirmed out of the known tags.
pub(super) async fn confirm(
    cli: &Cli,
    runner: &Runner,
    api: Option<Api>,
    gathered: &mut Gathered,
) -> Result<(), Failure> {
    let facts = &gathered.facts;
    let run = &facts.payload["workflow_run"];
    let (Some(name), Some(sha)) = (run["head_branch"].as_str(), run["head_sha"].as_str()) else {
        return Ok(());
    };
    if facts.event_name != "workflow_run" || !facts.has_tag(name) {
        return Ok(());
    }
    let (name, sha) = (name.to_owned(), sha.to_owned());
    let there = match api {
        Some(api) => runner
            .cancel()
            .guard(api.commit_of(&format!("tags/{name}")))
            .await?
            .ok(),
        None => {
            let at = beside::commit_at(cli, &format!("refs/tags/{name}"), runner).await?;
            at.map(|(sha, _)| sha)
        }
    };
    if there.as_deref() != Some(sha.as_str())
        && let Some(tags) = &mut gathered.facts.tags
    {
        tags.retain(|tag| *tag != name);
        runner.warn(&format!(
            "the run before was at commit `{sha}`, which is not that of the tag `{}`: it is taken for a branch",
            gha::text::visible(&name)
        ));
    }
    Ok(())
}
