//! What the engine says of a project's containers, and whether that is good. Pure.
//!
//! The labels are those that Compose sets on what it creates:
//! <https://github.com/docker/compose/blob/main/pkg/api/labels.go>.

use std::collections::BTreeMap;

use gha::mask::Masker;
use gha::text;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use crate::expect::quoted;
use crate::finding::{FaultKind, Finding};
use crate::trouble::Trouble;

/// How many services are named in a reason.
const NAMED: usize = 3;

/// How many containers an overview names.
const OVERVIEW: usize = 20;

/// What is expected of a project.
#[derive(Clone, Debug, Default)]
pub(super) struct Services {
    pub(super) running: Vec<String>,
    pub(super) completed: Vec<String>,
}

/// A container of a service in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) id: String,
    pub(super) service: String,
}

/// A container as it was inspected.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Container {
    pub(super) id: String,
    pub(super) service: String,
    pub(super) restarts: u64,
    /// As `docker ps` has it, such as `shop-web-1`.
    name: String,
    state: State,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct State {
    /// `created`, `running`, `paused`, `restarting`, `removing`, `exited`, `dead`.
    status: String,
    exit_code: i64,
    #[serde(rename = "OOMKilled")]
    oom_killed: bool,
    /// Why it did not start.
    error: Option<String>,
    health: Option<Health>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Health {
    /// `none`, `starting`, `healthy`, `unhealthy`.
    status: String,
    log: Option<Vec<HealthLog>>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct HealthLog {
    output: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Summary {
    id: String,
    labels: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Inspected {
    #[serde(default)]
    name: String,
    #[serde(default)]
    restart_count: u64,
    state: State,
}

/// The request for a project's containers, stopped ones too.
pub(super) fn list_path(project: &str) -> String {
    let label = format!("com.docker.compose.project={project}");
    let filters = serde_json::json!({ "label": [label] }).to_string();
    let filters = utf8_percent_encode(&filters, NON_ALPHANUMERIC);
    format!("/containers/json?all=1&filters={filters}")
}

/// Reads the list; what `docker compose run` started is left out.
pub(super) fn listed(body: &[u8]) -> Result<Vec<Listed>, Trouble> {
    let summaries: Vec<Summary> = serde_json::from_slice(body).map_err(|_| unreadable())?;
    let services = summaries.into_iter().filter_map(|summary| {
        let mut labels = summary.labels?;
        let oneoff = labels.get("com.docker.compose.oneoff");
        if oneoff.is_some_and(|value| value.eq_ignore_ascii_case("true")) {
            return None;
        }
        let service = labels.remove("com.docker.compose.service")?;
        // It becomes a part of a path.
        let valid = !summary.id.is_empty() && summary.id.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let id = summary.id;
        valid.then_some(Listed { id, service })
    });
    Ok(services.collect())
}

/// Reads a container.
pub(super) fn container(id: String, service: String, body: &[u8]) -> Result<Container, Trouble> {
    let inspected: Inspected = serde_json::from_slice(body).map_err(|_| unreadable())?;
    Ok(Container {
        id,
        service,
        restarts: inspected.restart_count,
        name: inspected.name.trim_start_matches('/').to_owned(),
        state: inspected.state,
    })
}

fn unreadable() -> Trouble {
    Trouble::passing("the Docker engine's answer can't be read")
}

/// Whether a project is as expected; the reason names what is not.
pub(super) fn judge(
    project: &str,
    services: &Services,
    containers: &[Container],
    masker: &Masker,
) -> Finding {
    if containers.is_empty() {
        let reason = format!("the project {} has no containers", quoted(project));
        return Finding::bad(FaultKind::NotReady, reason);
    }
    let mut found: Vec<&str> = containers.iter().map(|one| one.service.as_str()).collect();
    found.sort_unstable();
    found.dedup();
    let completes = |service: &str| services.completed.iter().any(|known| known == service);
    let running: Vec<&str> = if services.running.is_empty() {
        found.into_iter().filter(|service| !completes(service)).collect()
    } else {
        services.running.iter().map(String::as_str).collect()
    };
    let of = |service: &str| {
        containers
            .iter()
            .filter(|one| one.service == service)
            .collect::<Vec<_>>()
    };
    let running = running
        .into_iter()
        .filter_map(|service| not_running(service, &of(service), masker));
    let completed = services
        .completed
        .iter()
        .filter_map(|service| not_completed(service, &of(service), masker));
    let faults: Vec<String> = running.chain(completed).collect();
    if faults.is_empty() {
        return Finding::Good;
    }
    let more = faults.len().saturating_sub(NAMED);
    let mut reason = faults[..faults.len().min(NAMED)].join("; ");
    if more > 0 {
        reason.push_str(&format!("; and {more} more"));
    }
    Finding::bad(FaultKind::NotReady, reason)
}

/// Why not all containers of a service are ready. A live one does not stand for another that restarts or has ended.
fn not_running(service: &str, containers: &[&Container], masker: &Masker) -> Option<String> {
    if containers.is_empty() {
        return Some(format!("{} has no container", quoted(service)));
    }
    let waiting = || containers.iter().filter(|container| !container.ready());
    let first = waiting().next()?;
    let hint = |container: &Container| {
        let ended = container.state.status == "exited" && container.state.exit_code == 0;
        if ended {
            "; name it as completed if it should end"
        } else {
            ""
        }
    };
    let service = quoted(service);
    let told = format!("{}{}", first.told(masker), hint(first));
    Some(if containers.len() == 1 {
        format!("{service} {told}")
    } else {
        format!(
            "{service} has {} of {} containers not ready: {} {told}",
            waiting().count(),
            containers.len(),
            quoted(&first.name)
        )
    })
}

/// Why a service has not completed.
fn not_completed(service: &str, containers: &[&Container], masker: &Masker) -> Option<String> {
    let done = |container: &&&Container| container.state.status == "exited" && container.state.exit_code == 0;
    let first = containers.iter().find(|container| !done(container));
    match (containers, first) {
        ([], _) => Some(format!("{} has no container", quoted(service))),
        (_, Some(container)) if container.ready() => {
            Some(format!("{} still runs, it has to complete", quoted(service)))
        }
        (_, Some(container)) => Some(format!("{} {}", quoted(service), container.told(masker))),
        (_, None) => None,
    }
}

impl Container {
    /// Running, and healthy or without a health check.
    fn ready(&self) -> bool {
        self.state.status == "running" && matches!(self.health(), "" | "none" | "healthy")
    }

    fn health(&self) -> &str {
        self.state.health.as_ref().map_or("", |health| &health.status)
    }

    /// What state it is in, with what is known of why.
    fn told(&self, masker: &Masker) -> String {
        let state = &self.state;
        let exit = || {
            let memory = if state.oom_killed { ", out of memory" } else { "" };
            format!("{}{memory}", state.exit_code)
        };
        let said = |text: Option<&str>| {
            let last = text.and_then(|text| text.lines().rev().find(|line| !line.trim().is_empty()));
            last.map_or_else(String::new, |line| {
                format!(": {}", quoted(masker.hide(line).trim()))
            })
        };
        let log = state
            .health
            .as_ref()
            .and_then(|health| health.log.as_ref()?.last());
        let checked = said(log.map(|log| log.output.as_str()));
        let error = said(state.error.as_deref());
        match (state.status.as_str(), self.health()) {
            ("running", "starting") => format!("is starting, its health check has not passed yet{checked}"),
            ("running", "unhealthy") => format!("is unhealthy{checked}"),
            ("running", other) => format!("runs with the unknown health {}", quoted(other)),
            ("restarting", _) => {
                format!(
                    "is restarting, {} times by now, last exit code {}{error}",
                    self.restarts,
                    exit()
                )
            }
            ("exited" | "dead", _) => format!("exited with {}{error}", exit()),
            ("created", _) => format!("is created and not started{error}"),
            (other, _) => format!("is {}{error}", quoted(other)),
        }
    }
}

/// Each container in a word, for an excerpt.
pub(super) fn overview(containers: &[Container]) -> String {
    let word = |container: &Container| {
        let health = match container.health() {
            "" | "none" => String::new(),
            health => format!(" ({})", text::cut(&text::visible(health), 20)),
        };
        let state = text::cut(&text::visible(&container.state.status), 20);
        format!(
            "{} {state}{health}",
            text::cut(&text::visible(&container.service), 60)
        )
    };
    let mut words: Vec<String> = containers.iter().take(OVERVIEW).map(word).collect();
    words.sort();
    let more = containers.len().saturating_sub(OVERVIEW);
    if more > 0 {
        words.push(format!("and {more} more"));
    }
    words.join(", ")
}
