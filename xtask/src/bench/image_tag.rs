//! What `image-tag` is measured by: the event of a pushed tag with three rules, and with 500 rules and 20 images; beside
//! docker/metadata-action on the same inputs where its bundle is given.

use std::path::Path;

use anyhow::{Context as _, Result};
use sandbox::http::{Reply, Script, Server};
use serde_json::json;

use super::peer::Peers;
use super::subject::Subject;
use super::work::{Stage, peer, stage};

const THREE_RULES: &str =
    "type=semver,pattern={{version}}\ntype=semver,pattern={{major}}.{{minor}}\ntype=sha";

/// Tags of a pushed version. Python and Node.js only start and read the same event: what docker/metadata-action must do
/// before its first own line.
///
/// # Errors
/// When a fixture can't be read or no server started.
pub fn stages(program: &Path, peers: &Peers, root: &Path, scratch: &Path) -> Result<Vec<Stage>> {
    let events = root.join("tests/fixtures/events");
    let reads_in_node = "JSON.parse(require('fs').readFileSync(process.env.GITHUB_EVENT_PATH, 'utf8'))";
    let reads_in_python =
        "import json, os; json.load(open(os.environ['GITHUB_EVENT_PATH'], encoding='utf-8'))";
    let starts = [
        peer(
            "python3",
            "python3, reads the event",
            &peers.python3,
            &["-c", reads_in_python],
        ),
        peer(
            "node",
            "node, reads the event",
            &peers.node,
            &["-e", reads_in_node],
        ),
    ];
    let plain = "image-tag: three rules for the event in tests/fixtures/events/push-tag.json";
    let many = "image-tag: 500 rules and 20 images for the same event";
    Ok(vec![
        on_event(
            plain,
            program,
            peers,
            &events,
            scratch,
            THREE_RULES,
            "ghcr.io/acme/shop",
            starts.to_vec(),
        )?,
        on_event(
            many,
            program,
            peers,
            &events,
            scratch,
            &many_rules(),
            &many_images(),
            Vec::new(),
        )?,
    ])
}

/// Rules of every kind that a tag gives rise to, each with a tag of its own.
fn many_rules() -> String {
    let rule = |number: u32| match number % 5 {
        0 => format!("type=semver,pattern={{{{version}}}}-{number}"),
        1 => format!("type=match,pattern=v(\\d+)\\.(\\d+),group=2,suffix=-{number}"),
        2 => format!("type=ref,event=tag,suffix=-{number}"),
        3 => format!("type=raw,value={{{{tag}}}}-{{{{sha}}}}-{number}"),
        _ => format!("type=sha,prefix=c{number}-"),
    };
    (0..500).map(rule).collect::<Vec<_>>().join("\n")
}

fn many_images() -> String {
    (0..20)
        .map(|number| format!("ghcr.io/acme/shop-{number}"))
        .collect::<Vec<_>>()
        .join("\n")
}

#[expect(clippy::too_many_arguments, reason = "one stage, said in full")]
fn on_event(
    title: &str,
    program: &Path,
    peers: &Peers,
    events: &Path,
    scratch: &Path,
    rules: &str,
    images: &str,
    others: Vec<Option<Subject>>,
) -> Result<Stage> {
    let variables = events.join("push-tag.env");
    let variables = std::fs::read_to_string(&variables)
        .with_context(|| format!("failed to read `{}`", variables.display()))?;
    let event = events.join("push-tag.json");
    // It asks for the repository on every run, and fails without an answer.
    let about = json!({"name": "Shop", "description": "", "html_url": "https://github.com/acme/Shop",
        "license": {"spdx_id": "Apache-2.0"}, "default_branch": "main"});
    let server =
        Server::start(Script::new().any([Reply::json(200, &about)])).context("failed to start a server")?;
    let original = peers.metadata_action.as_deref().and_then(|bundle| {
        let original = peer(
            "metadata-action",
            "node, docker/metadata-action",
            &peers.node,
            &[],
        )?;
        Some(original.arg(bundle))
    });
    let ours = Subject::ours("image-tag", program, &[]);
    let subjects = [Some(ours), original].into_iter().chain(others).flatten();
    let subjects = subjects.map(|subject| {
        let pairs = variables.lines().filter_map(|line| line.split_once('='));
        let subject = pairs.fold(subject, |subject, (name, value)| subject.env(name, value));
        let files = [
            "GITHUB_OUTPUT",
            "GITHUB_ENV",
            "GITHUB_STATE",
            "GITHUB_STEP_SUMMARY",
        ];
        let subject = files
            .into_iter()
            .fold(subject.env("GITHUB_EVENT_PATH", &event), |subject, name| {
                let file = scratch.join(name);
                subject.with_file(&file, b"").env(name, file)
            });
        subject
            .env("RUNNER_TEMP", scratch)
            .env("DEPLOY_LEDGER", scratch.join("ledger.jsonl"))
            .with_file(&scratch.join("ledger.jsonl"), b"")
            .env("GITHUB_API_URL", server.url(""))
            // The defaults that a runner hands to docker/metadata-action; ours have no such names.
            .env("INPUT_GITHUB-TOKEN", "a-token-for-nobody")
            .env("INPUT_BAKE-TARGET", "docker-metadata-action")
            .env("INPUT_CONTEXT", "workflow")
            .env("INPUT_TAGS", rules)
            .env("INPUT_IMAGES", images)
    });
    Ok(stage(title, subjects.collect(), None, scratch).with_server_beside(server))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::command;

    #[test]
    fn both_sides_read_the_event_of_the_fixture() {
        let (root, scratch) = (
            crate::environment::workspace_root().unwrap(),
            tempfile::tempdir().unwrap(),
        );
        let shell = Path::new("/bin/sh");
        let peers = Peers {
            node: Some(PathBuf::from(shell)),
            metadata_action: Some(PathBuf::from("index.cjs")),
            ..Peers::default()
        };
        // A shell in the place of each program tells what it was given.
        let stages = stages(shell, &peers, &root, scratch.path()).unwrap();
        assert_eq!(
            stages
                .iter()
                .map(|stage| stage.subjects.len())
                .collect::<Vec<_>>(),
            [3, 2]
        );
        for subject in stages.iter().flat_map(|stage| &stage.subjects) {
            let script = r#"test -s "$GITHUB_EVENT_PATH" && echo "$GITHUB_REF""#;
            let mut told = subject.command_behind(shell, &["-c", script]);
            assert_eq!(command::read_text(&mut told).unwrap(), "refs/tags/v1.2.3");
        }
    }

    #[test]
    fn many_rules_are_all_different() {
        let rules = many_rules();
        let mut lines: Vec<&str> = rules.lines().collect();
        lines.sort_unstable();
        lines.dedup();
        assert_eq!((lines.len(), many_images().lines().count()), (500, 20));
    }
}
