//! What is run: start-ups, and one real unit of work of each tool beside the same work by a peer.
//!
//! Servers are the project's stand-ins on loopback, in this process; both sides talk to the same one.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use sandbox::http::{Reply, Script, Server};
use serde_json::json;

use super::image_tag;
use super::peer::Peers;
use super::subject::Subject;
use crate::command;

/// Commands that are measured in one loop and compared with each other.
#[derive(Debug)]
pub struct Stage {
    /// What is compared.
    pub title: String,
    /// The commands.
    pub subjects: Vec<Subject>,
    /// Listens as long as the stage is there, and both sides ask it the same.
    server: Option<Server>,
    /// Listens as long as the stage is there, for a peer that asks more than we do.
    beside: Option<Server>,
}

impl Stage {
    /// The same with a server that only a peer asks.
    pub(super) fn with_server_beside(mut self, server: Server) -> Self {
        self.beside = Some(server);
        self
    }

    /// How many requests its server has answered.
    #[must_use]
    pub fn requests(&self) -> Option<usize> {
        self.server.as_ref().map(|server| server.requests().len())
    }
}

/// Start-up: every tool's `--version` and `--help`, and the least that a peer can do.
#[must_use]
pub fn start_up(programs: &[(String, PathBuf)], peers: &Peers, home: &Path) -> Stage {
    let mut subjects = Vec::new();
    for (tool, program) in programs {
        for flag in ["--version", "--help"] {
            subjects.push(Subject::ours(format!("{tool} {flag}"), program, &[flag]));
        }
    }
    let least = [
        ("sh", "sh -c :", &peers.sh, &["-c", ":"][..]),
        ("curl", "curl --version", &peers.curl, &["--version"]),
        ("python3", "python3 -c 0", &peers.python3, &["-c", "0"]),
        ("node", "node -e 0", &peers.node, &["-e", "0"]),
    ];
    subjects.extend(
        least
            .into_iter()
            .filter_map(|(short, name, program, words)| peer(short, name, program, words)),
    );
    stage("start-up", subjects, None, home)
}

/// The stages of a tool's real work; none for a tool that has none here.
///
/// # Errors
/// When a fixture can't be read or no server started.
pub fn real(tool: &str, program: &Path, peers: &Peers, root: &Path, scratch: &Path) -> Result<Vec<Stage>> {
    match tool {
        "image-tag" => image_tag::stages(program, peers, root, scratch),
        "health-gate" => health_gate(program, peers, scratch).map(|stage| vec![stage]),
        "notify" => notify(program, peers, scratch).map(|stage| vec![stage]),
        _ => Ok(Vec::new()),
    }
}

/// One look at a service that is ready.
fn health_gate(program: &Path, peers: &Peers, scratch: &Path) -> Result<Stage> {
    let server = Server::start(Script::new().on("GET /health", [Reply::text(200, "ok")]))
        .context("failed to start a server")?;
    let url = server.url("/health");
    let look = format!("import urllib.request; urllib.request.urlopen('{url}').read()");
    let candidates = [
        Some(Subject::ours(
            "health-gate wait --url URL",
            program,
            &["wait", "--url", &url],
        )),
        peer("curl", "curl -fsS URL", &peers.curl, &["-fsS", &url]),
        peer(
            "python3",
            "python3, urllib.request",
            &peers.python3,
            &["-c", &look],
        ),
    ];
    let subjects = candidates.into_iter().flatten().collect();
    let title = "health-gate: one pass against a server on loopback";
    Ok(stage(title, subjects, Some(server), scratch))
}

/// One delivery. The peer posts the same bytes.
fn notify(program: &Path, peers: &Peers, scratch: &Path) -> Result<Stage> {
    let server = Server::start(Script::new().on("POST /hook", [Reply::text(200, "ok")]))
        .context("failed to start a server")?;
    let url = server.url("/hook");
    let ledger = scratch.join("told.jsonl");
    let ours = Subject::ours(
        "notify --status success",
        program,
        &["--status", "success", "--require"],
    )
    .env("NOTIFY_WEBHOOK_URL", &url)
    .env("DEPLOY_LEDGER", &ledger)
    .with_file(&ledger, format!("{}\n", deploy()).as_bytes());
    // Once before all, for the bytes that the peer is to send.
    ours.prepare()?;
    command::read(&mut ours.command())?;
    let sent = server.requests().pop().context("`notify` has posted nothing")?;
    ensure!(
        sent.json().is_object(),
        "`notify` has posted no JSON object: {}",
        sent.text()
    );
    let body = scratch.join("body.json");
    let mut at_body = OsString::from("@");
    at_body.push(&body);
    let curl = peer(
        "curl",
        "curl -fsS -d @BODY URL",
        &peers.curl,
        &["-fsS", "-H", "content-type: application/json", "-d"],
    );
    let curl = curl.map(|curl| curl.arg(at_body).arg(url).with_file(&body, &sent.body));
    let title = format!(
        "notify: one webhook delivery of {} bytes to a server on loopback",
        sent.body.len()
    );
    let subjects = Some(ours).into_iter().chain(curl).collect();
    Ok(stage(title, subjects, Some(server), scratch))
}

/// What a gate leaves in the ledger, so that there is something to tell.
fn deploy() -> serde_json::Value {
    json!({
        "schema": "deploy-actions/result@1",
        "tool": "health-gate",
        "version": "1.2.3",
        "status": "done",
        "exit": 0,
        "started_at": "2026-01-02T03:04:05Z",
        "duration_ms": 4200,
        "headline": "https://shop.example/health is ready and serves 1.2.3",
        "facts": { "attempts": 2 },
        "links": [],
        "undo": null,
        "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
        "target": "https://shop.example/health",
        "environment": "production"
    })
}

pub(super) fn stage(
    title: impl Into<String>,
    subjects: Vec<Subject>,
    server: Option<Server>,
    home: &Path,
) -> Stage {
    // Where a settings file of a person's would be looked for, there is none.
    let subjects = subjects
        .into_iter()
        .map(|subject| subject.env("HOME", home))
        .collect();
    Stage {
        title: title.into(),
        subjects,
        server,
        beside: None,
    }
}

pub(super) fn peer(
    short: &'static str,
    name: &str,
    program: &Option<PathBuf>,
    words: &[&str],
) -> Option<Subject> {
    program
        .as_deref()
        .map(|program| Subject::peer(short, name, program, words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_without_work_here_has_only_its_start_up() {
        let (program, scratch) = (Path::new("/bin/true"), tempfile::tempdir().unwrap());
        let peers = Peers {
            sh: Some(PathBuf::from("/bin/sh")),
            ..Peers::default()
        };
        let none = real("new-tool", program, &peers, Path::new("."), scratch.path()).unwrap();
        assert!(none.is_empty());
        let stage = start_up(
            &[("new-tool".to_owned(), program.to_owned())],
            &peers,
            scratch.path(),
        );
        let names: Vec<_> = stage.subjects.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["new-tool --version", "new-tool --help", "sh -c :"]);
        assert_eq!(stage.requests(), None);
    }

    #[test]
    fn a_delivery_that_did_not_happen_is_not_measured() {
        let scratch = tempfile::tempdir().unwrap();
        let error = notify(Path::new("/bin/true"), &Peers::default(), scratch.path()).unwrap_err();
        assert_eq!(error.to_string(), "`notify` has posted nothing");
    }
}
