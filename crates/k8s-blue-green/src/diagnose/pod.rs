//! What is wrong with a pod, told from its own status. Pure.
//!
//! The reasons of waiting containers are the kubelet's words
//! (<https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#container-states>).

use gha::text;
use serde_json::Value;

use crate::object;

/// How much is quoted of what a node says.
const QUOTED: usize = 300;

/// What is wrong, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trouble {
    /// Its image can't be pulled.
    Image,
    /// A container can't be made: what it refers to is missing, or wrong.
    Setup,
    /// A container ends again and again.
    Crash,
    /// It was put out of its node, or has failed as a whole.
    Failed,
    /// No node takes it.
    Unschedulable,
    /// A container ended once, and was started again.
    Restarted,
    /// It runs, and its probes or gates say no.
    Unready,
    /// It is coming up.
    Starting,
    /// It is on its way out.
    Leaving,
    /// Nothing.
    Fine,
}

impl Trouble {
    /// Whether waiting is not likely to help.
    #[must_use]
    pub fn is_certain(self) -> bool {
        matches!(self, Self::Image | Self::Setup | Self::Crash | Self::Failed)
    }
}

/// A pod, judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Its name.
    pub pod: String,
    /// Its unique id.
    pub uid: String,
    /// The node that it is on; empty where there is none.
    pub node: String,
    /// Its phase.
    pub phase: String,
    /// How many of its containers are ready, of how many.
    pub ready: (usize, usize),
    /// How often its containers were started again.
    pub restarts: u64,
    /// What is wrong.
    pub trouble: Trouble,
    /// The container that it is wrong with.
    pub container: Option<String>,
    /// The vendor's word for it, such as `ImagePullBackOff`.
    pub reason: String,
    /// What the node says, inert.
    pub message: String,
    /// What the container ended with last.
    pub exit_code: Option<i64>,
    /// Whether it was killed for its memory.
    pub out_of_memory: bool,
    /// The image of that container, or of the first one.
    pub image: String,
    /// What its registry calls it, where it runs.
    pub digest: String,
}

/// What is wrong with a pod.
#[must_use]
pub fn verdict(pod: &Value) -> Verdict {
    let specs = object::entries(pod, "/spec/containers");
    let statuses = object::entries(pod, "/status/containerStatuses");
    let inits = object::entries(pod, "/status/initContainerStatuses");
    let ready = statuses.iter().filter(|status| status["ready"] == true).count();
    let restarts = statuses.iter().chain(inits);
    let restarts = restarts.filter_map(|status| object::number(status, "/restartCount"));
    let mut verdict = Verdict {
        pod: text::line(object::name(pod)),
        uid: object::uid(pod).to_owned(),
        node: text::line(object::text(pod, "/spec/nodeName")),
        phase: text::line(object::text(pod, "/status/phase")),
        ready: (ready, specs.len()),
        restarts: restarts.fold(0, u64::saturating_add),
        trouble: Trouble::Fine,
        container: None,
        reason: String::new(),
        message: String::new(),
        exit_code: None,
        out_of_memory: false,
        image: specs
            .first()
            .map(|one| shown(object::text(one, "/image")))
            .unwrap_or_default(),
        digest: statuses
            .first()
            .map(|one| shown(object::text(one, "/imageID")))
            .unwrap_or_default(),
    };
    let worst = inits
        .iter()
        .map(|status| container(pod, status, true))
        .chain(statuses.iter().map(|status| container(pod, status, false)))
        .min_by_key(|found| found.trouble);
    let whole = whole(pod);
    // What ends because it was asked to is no trouble; else a container says more than the pod as a whole.
    let says_more = |found: &Found<'_>, whole: &Found<'_>| {
        whole.trouble != Trouble::Leaving && found.trouble <= whole.trouble
    };
    let found = match (worst, whole) {
        (Some(found), Some(whole)) if says_more(&found, &whole) => Some(found),
        (found, None) => found,
        (_, whole) => whole,
    };
    if let Some(found) = found {
        found.into(&mut verdict);
    }
    verdict
}

/// What was found of a container, or of the pod as a whole.
struct Found<'a> {
    trouble: Trouble,
    container: Option<&'a Value>,
    reason: &'a str,
    message: &'a str,
    ended: Option<&'a Value>,
}

impl Found<'_> {
    fn into(self, verdict: &mut Verdict) {
        verdict.trouble = self.trouble;
        verdict.reason = text::cut(&text::line(self.reason), 60);
        verdict.message = text::cut(&text::line(self.message.trim()), QUOTED);
        if let Some(ended) = self.ended {
            verdict.exit_code = ended["exitCode"].as_i64();
            verdict.out_of_memory = object::text(ended, "/reason") == "OOMKilled";
            if verdict.message.is_empty() {
                verdict.message = text::cut(&text::line(object::text(ended, "/message").trim()), QUOTED);
            }
        }
        if let Some(status) = self.container {
            verdict.container = Some(text::line(object::text(status, "/name")));
            verdict.image = shown(object::text(status, "/image"));
            verdict.digest = shown(object::text(status, "/imageID"));
        }
    }
}

fn container<'a>(pod: &'a Value, status: &'a Value, is_init: bool) -> Found<'a> {
    let mut found = Found {
        trouble: Trouble::Fine,
        container: Some(status),
        reason: "",
        message: "",
        ended: None,
    };
    let restarts = object::number(status, "/restartCount").unwrap_or_default();
    let last = status.pointer("/lastState/terminated");
    if let Some(waiting) = status.pointer("/state/waiting") {
        found.reason = object::text(waiting, "/reason");
        found.message = object::text(waiting, "/message");
        found.trouble = match found.reason {
            "ErrImagePull"
            | "ImagePullBackOff"
            | "InvalidImageName"
            | "ErrImageNeverPull"
            | "RegistryUnavailable"
            | "ImageInspectError"
            | "SignatureValidationFailed" => Trouble::Image,
            "CreateContainerConfigError"
            | "CreateContainerError"
            | "RunContainerError"
            | "StartError"
            | "PreStartHookError"
            | "PostStartHookError"
            | "PreCreateHookError" => Trouble::Setup,
            "CrashLoopBackOff" => {
                found.ended = last;
                // That it backs off is what its name says already.
                found.message = "";
                Trouble::Crash
            }
            _ => Trouble::Starting,
        };
        return found;
    }
    if let Some(ended) = status.pointer("/state/terminated") {
        let is_good = ended["exitCode"].as_i64() == Some(0);
        found.reason = object::text(ended, "/reason");
        if is_init && is_good {
            return found;
        }
        found.ended = Some(ended);
        found.trouble = if restarts > 0 || object::text(pod, "/status/phase") == "Failed" {
            Trouble::Crash
        } else {
            Trouble::Restarted
        };
        return found;
    }
    let is_running = status.pointer("/state/running").is_some();
    if is_running && status["ready"] == true {
        return found;
    }
    if is_init {
        // One that stays beside the others has started; the others are to end.
        if status["started"] != true && is_running {
            (found.trouble, found.reason) = (Trouble::Starting, "Initializing");
        }
        if let Some(last) = last.filter(|_| restarts > 0) {
            found.ended = Some(last);
            found.reason = object::text(last, "/reason");
            found.trouble = if restarts > 1 {
                Trouble::Crash
            } else {
                Trouble::Restarted
            };
        }
        return found;
    }
    if let Some(last) = last.filter(|_| restarts > 0) {
        found.ended = Some(last);
        found.reason = object::text(last, "/reason");
        found.trouble = if restarts > 1 {
            Trouble::Crash
        } else {
            Trouble::Restarted
        };
    } else if is_running {
        (found.trouble, found.reason) = (Trouble::Unready, "NotReady");
    } else {
        (found.trouble, found.reason) = (Trouble::Starting, "ContainerCreating");
    }
    found
}

/// What is known of the pod as a whole.
fn whole(pod: &Value) -> Option<Found<'_>> {
    let found = |trouble, reason, message| {
        Some(Found {
            trouble,
            container: None,
            reason,
            message,
            ended: None,
        })
    };
    if object::is_leaving(pod) {
        return found(Trouble::Leaving, "Terminating", "");
    }
    if object::text(pod, "/status/phase") == "Failed" {
        let reason = object::text(pod, "/status/reason");
        return found(Trouble::Failed, reason, object::text(pod, "/status/message"));
    }
    if let Some(placed) = object::condition(pod, "PodScheduled")
        && placed.status == "False"
    {
        // A gate is somebody's own wish to wait.
        let trouble = if placed.reason == "SchedulingGated" {
            Trouble::Starting
        } else {
            Trouble::Unschedulable
        };
        return found(trouble, placed.reason, placed.message);
    }
    match object::condition(pod, "Ready") {
        Some(ready) if ready.status == "True" => None,
        Some(ready) if ready.reason == "ReadinessGatesNotReady" => {
            found(Trouble::Unready, ready.reason, ready.message)
        }
        _ => found(Trouble::Starting, "", ""),
    }
}

fn shown(image: &str) -> String {
    text::cut(&text::line(image), 300)
}

impl Verdict {
    /// What is wrong, as one line without the pod's name: "container `web` can't pull `shop:2`: not found".
    #[must_use]
    pub fn why(&self) -> String {
        let container = self.container.as_deref().unwrap_or_default();
        let more = if self.message.is_empty() {
            String::new()
        } else {
            format!(": {}", self.message)
        };
        match self.trouble {
            Trouble::Image => format!("container `{container}` can't pull `{}`{more}", self.image),
            Trouble::Setup => format!("container `{container}` can't be made ({}){more}", self.reason),
            Trouble::Crash | Trouble::Restarted => {
                let how = self.how_it_ended();
                let times = match self.restarts {
                    0 => String::new(),
                    1 => ", started again once".to_owned(),
                    many => format!(", started again {many} times"),
                };
                format!("container `{container}` {how}{times}{more}")
            }
            Trouble::Failed if self.reason.is_empty() => format!("it failed{more}"),
            Trouble::Failed => format!("it failed ({}){more}", self.reason),
            Trouble::Unschedulable => format!("no node takes it{more}"),
            Trouble::Unready => match &self.container {
                Some(container) => format!("container `{container}` runs and is not ready{more}"),
                None => format!("it is not ready ({}){more}", self.reason),
            },
            Trouble::Starting => match (&self.container, self.reason.as_str()) {
                (Some(container), reason) if !reason.is_empty() => {
                    format!("container `{container}` is coming up ({reason}){more}")
                }
                _ => format!("it is coming up{more}"),
            },
            Trouble::Leaving => "it is on its way out".to_owned(),
            Trouble::Fine => "ready".to_owned(),
        }
    }

    fn how_it_ended(&self) -> String {
        match (self.out_of_memory, self.exit_code) {
            (true, _) => "was killed for using more memory than its limit (OOMKilled)".to_owned(),
            (false, Some(0)) => "ends by itself (exit code 0)".to_owned(),
            (false, Some(code)) => format!("crashes (exit code {code}{})", meaning(code)),
            (false, None) => "crashes".to_owned(),
        }
    }
}

/// What shells and kernels mean by an exit code (<https://tldp.org/LDP/abs/html/exitcodes.html>).
fn meaning(code: i64) -> &'static str {
    match code {
        126 => ", its command can't be executed",
        127 => ", its command was not found",
        132 => ", SIGILL: built for another processor?",
        134 => ", SIGABRT",
        137 => ", SIGKILL",
        139 => ", SIGSEGV",
        143 => ", SIGTERM",
        _ => "",
    }
}

#[cfg(test)]
mod tests;
