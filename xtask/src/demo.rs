//! `cargo xtask demo`: a deploy chain that runs on a laptop, through the packaged actions and the built programs, with
//! stand-ins on loopback. The event is a push of this repository's own HEAD.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use sandbox::runner::{Report, Setup};
use sandbox::stand_ins::chat::Channel;
use sandbox::stand_ins::web::Release;
use serde_json::{Value, json};

use crate::stage::Stage;
use crate::{command, console};

/// The workflow that the demo runs.
const WORKFLOW: &str = include_str!("../demo/deploy.yml");

/// Runs the chain and shows all of it; the exit code of the step that failed, 0 where none did.
///
/// # Errors
/// When the stand-ins or the runner can't be set up.
pub fn show(root: &Path, stage: &Stage, broken: bool) -> Result<u8> {
    let told = run(root, stage, broken, true)?;
    console::line("\n===== job summary =====");
    console::line(told.report.summary());
    console::line("===== ledger =====");
    console::line(told.ledger.trim_end());
    console::line("\n===== the message as it arrived =====");
    for message in &told.messages {
        console::line(serde_json::to_string_pretty(message).unwrap_or_default());
    }
    for (service, body) in &told.rendered {
        console::line(format!("\n===== the same message for {service} ====="));
        console::line(body.trim_end());
    }
    let exit = exit_code(&told.report);
    console::line(format!(
        "\nthe job ended with {}, exit code {exit}",
        told.report.conclusion
    ));
    Ok(exit)
}

/// Runs the chain and checks that it did what the demo promises.
///
/// # Errors
/// When it did not.
pub fn held(root: &Path, stage: &Stage, broken: bool) -> Result<()> {
    let told = run(root, stage, broken, false)?;
    let log = told.report.text();
    let expected = if broken { 3 } else { 0 };
    ensure!(
        exit_code(&told.report) == expected,
        "the chain ended with {}:\n{log}",
        exit_code(&told.report)
    );
    ensure!(
        told.messages.len() == 1,
        "{} messages arrived:\n{log}",
        told.messages.len()
    );
    let message = told.messages.iter().map(Value::to_string).collect::<String>();
    let summary = told.report.summary();
    let expected = if broken {
        [(&message, " to demo failed"), (&summary, "the database is gone")]
    } else {
        [(&message, "deployed to demo"), (&summary, "✅ health-gate: pass")]
    };
    for (place, words) in expected {
        ensure!(place.contains(words), "`{words}` is missing in:\n{place}");
    }
    for (service, body) in &told.rendered {
        ensure!(
            body.contains(expected[0].1),
            "`{}` is missing for {service}:\n{body}",
            expected[0].1
        );
    }
    ensure!(
        told.ledger.lines().count() == 3,
        "the ledger has not three lines:\n{}",
        told.ledger
    );
    Ok(())
}

/// What a run of the chain left behind.
struct Told {
    report: Report,
    ledger: String,
    messages: Vec<Value>,
    /// The message as each service would be sent it.
    rendered: Vec<(&'static str, String)>,
}

/// The services whose messages are shown.
const SERVICES: [&str; 9] = [
    "slack",
    "teams",
    "discord",
    "pagerduty",
    "email",
    "webhook",
    "github-comment",
    "github-status",
    "summary",
];

fn run(root: &Path, stage: &Stage, broken: bool, aloud: bool) -> Result<Told> {
    let head = Head::of(root)?;
    let mut release = Release::new("0000000", &head.sha).starting(2).old_for(3);
    if broken {
        release = release.broken("the database is gone");
    }
    let service = release.serve().context("failed to start the web service")?;
    let chat = Channel::open().context("failed to start the chat")?;
    let temp = tempfile::tempdir().context("failed to create a temporary folder")?;
    let mut setup = Setup::new(&stage.folder)
        .temp(temp.path())
        .event("push", head.event())
        .github("sha", head.sha.as_str())
        .github("ref", "refs/heads/main")
        .github("actor", head.author.as_str())
        .github("repository", "org/deploy-actions")
        .github("repository_owner", "org")
        .var("HEALTH_URL", &service.health())
        .secret("SLACK_WEBHOOK_URL", &chat.webhook());
    if aloud {
        setup = setup.sink(|line| console::line(line.text));
    }
    let report = setup.run(WORKFLOW).context("failed to run the workflow")?;
    let path = temp.path().join("deploy-actions/ledger.jsonl");
    let ledger = std::fs::read_to_string(&path).unwrap_or_default();
    let notify = stage.program("notify");
    let render = |service| Ok((service, rendered(&notify, service, &path, &report)?));
    let rendered: Result<Vec<_>> = SERVICES.into_iter().map(render).collect();
    Ok(Told {
        rendered: rendered?,
        report,
        ledger,
        messages: chat.messages(),
    })
}

/// The message that this chain's ledger makes for a service.
fn rendered(notify: &Path, service: &str, ledger: &Path, report: &Report) -> Result<String> {
    let status = if exit_code(report) == 0 {
        "success"
    } else {
        "failure"
    };
    let mut command = Command::new(notify);
    command
        .args([
            "render",
            "--to",
            service,
            "--status",
            status,
            "--service",
            "deploy-actions",
        ])
        .arg("--results")
        .arg(ledger)
        .env_clear();
    command::read_text(&mut command)
}

/// The exit code of the first step that failed.
fn exit_code(report: &Report) -> u8 {
    let failed = report.steps.iter().find(|step| !step.conclusion.is_success());
    failed.map_or(0, |step| {
        step.exit_code
            .and_then(|code| u8::try_from(code).ok())
            .unwrap_or(1)
    })
}

/// The commit that is checked out here.
struct Head {
    sha: String,
    author: String,
    email: String,
    date: String,
    message: String,
}

impl Head {
    fn of(root: &Path) -> Result<Self> {
        let ask = |format: &str| {
            command::read_text(
                Command::new("git")
                    .args(["show", "--no-patch", format, "HEAD"])
                    .current_dir(root),
            )
        };
        Ok(Self {
            sha: ask("--format=%H")?,
            author: ask("--format=%an")?,
            email: ask("--format=%ae")?,
            date: ask("--format=%cI")?,
            message: ask("--format=%B")?,
        })
    }

    /// The payload of a push of this commit
    /// (<https://docs.github.com/en/webhooks/webhook-events-and-payloads#push>).
    fn event(&self) -> Value {
        let person = json!({"name": self.author, "email": self.email});
        let commit = json!({
            "id": self.sha, "message": self.message, "timestamp": self.date, "author": person, "committer": person,
        });
        json!({
            "ref": "refs/heads/main", "before": "0000000000000000000000000000000000000000", "after": self.sha,
            "head_commit": commit, "commits": [commit], "pusher": person,
            "repository": {
                "name": "deploy-actions", "full_name": "org/deploy-actions", "default_branch": "main",
                "html_url": "https://github.com/org/deploy-actions",
                "description": "The last mile of a pipeline", "license": {"spdx_id": "Apache-2.0"},
            },
        })
    }
}
