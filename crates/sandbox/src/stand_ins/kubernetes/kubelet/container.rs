//! One container's life: waiting, running, ended, and begun again with a pause that grows.

use std::time::Duration;

use super::behaviour::{Behaviour, Exit, Start};

/// The first pause between a second end and the start after it, and the longest.
const BACK_OFF: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(300));
/// Between the first end and the start after it.
const AT_ONCE: Duration = Duration::from_secs(1);
/// Between a pull that failed and the words that it is to be tried again.
const PULL_AGAIN: Duration = Duration::from_secs(2);

/// A container as it is.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(super) behaviour: Behaviour,
    pub(super) state: State,
    pub(super) restarts: u32,
    /// How it ended before.
    pub(super) last: Option<Ended>,
    /// Every start so far.
    pub(super) starts: Vec<Duration>,
    pub(super) due: Option<Duration>,
    restarted: Restarted,
    is_to_end: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Restarted {
    Always,
    OnFailure,
    Never,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Not begun.
    Idle,
    Waiting(&'static str, String),
    Running(Duration),
    Ended(Ended),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ended {
    pub(super) code: i64,
    pub(super) reason: &'static str,
    pub(super) started: Duration,
    pub(super) finished: Duration,
}

/// What a node writes down of a step: type, reason, words.
pub(super) type Note = (&'static str, &'static str, String);

impl Run {
    /// One that has not begun. One that is to end does as a job does.
    pub(super) fn new(behaviour: Behaviour, policy: &str, is_to_end: bool) -> Self {
        let restarted = match policy {
            "OnFailure" => Restarted::OnFailure,
            "Never" => Restarted::Never,
            _ => Restarted::Always,
        };
        Self {
            behaviour,
            state: State::Idle,
            restarts: 0,
            last: None,
            starts: Vec::new(),
            due: None,
            restarted,
            is_to_end: is_to_end || restarted != Restarted::Always,
        }
    }

    /// Its image begins to be pulled.
    pub(super) fn begin(&mut self, now: Duration) {
        if self.state == State::Idle {
            self.state = State::Waiting("ContainerCreating", String::new());
            self.due = Some(now + self.behaviour.pull);
        }
    }

    /// Does what is due, once; the notes of it.
    pub(super) fn step(&mut self, now: Duration, name: &str, image: &str) -> Vec<Note> {
        if self.due.is_none_or(|due| due > now) {
            return Vec::new();
        }
        self.due = None;
        match self.state.clone() {
            State::Waiting("ContainerCreating", _) => self.first(now, name, image),
            State::Waiting("ErrImagePull", _) => {
                let message = format!("Back-off pulling image \"{image}\"");
                self.state = State::Waiting("ImagePullBackOff", format!("{message}: not found"));
                vec![
                    ("Normal", "BackOff", message),
                    ("Warning", "Failed", "Error: ImagePullBackOff".to_owned()),
                ]
            }
            State::Running(since) => match self.exit() {
                Some(exit) if since + exit.after <= now => self.end(now, since, &exit, name),
                _ => {
                    self.set_due(since, now);
                    Vec::new()
                }
            },
            State::Waiting(..) | State::Ended(_) => {
                self.restarts += 1;
                self.start(now, name, image)
            }
            State::Idle => Vec::new(),
        }
    }

    pub(super) fn is_ready(&self, now: Duration) -> bool {
        match &self.state {
            State::Running(since) => self.behaviour.is_ready(now.saturating_sub(*since)),
            _ => false,
        }
    }

    /// Whether it has ended for good, and how.
    pub(super) fn is_over(&self) -> Option<bool> {
        match &self.state {
            State::Ended(ended) if self.due.is_none() => Some(ended.code == 0),
            _ => None,
        }
    }

    /// Ends it from outside.
    pub(super) fn stop(&mut self, now: Duration, code: i64) {
        if let State::Running(since) = self.state {
            self.state = State::Ended(Ended {
                code,
                reason: if code == 0 { "Completed" } else { "Error" },
                started: since,
                finished: now,
            });
        }
        self.due = None;
    }

    fn first(&mut self, now: Duration, name: &str, image: &str) -> Vec<Note> {
        match self.behaviour.start.clone() {
            Start::Unpullable => {
                let why = format!(
                    "failed to pull and unpack image \"{image}\": failed to resolve reference \"{image}\": {image}: not found"
                );
                self.state = State::Waiting("ErrImagePull", why.clone());
                self.due = Some(now + PULL_AGAIN);
                vec![
                    ("Normal", "Pulling", format!("Pulling image \"{image}\"")),
                    (
                        "Warning",
                        "Failed",
                        format!("Failed to pull image \"{image}\": {why}"),
                    ),
                    ("Warning", "Failed", "Error: ErrImagePull".to_owned()),
                ]
            }
            Start::Misconfigured(why) => {
                self.state = State::Waiting("CreateContainerConfigError", why.clone());
                vec![("Warning", "Failed", format!("Error: {why}"))]
            }
            Start::Runs | Start::Unschedulable => self.start(now, name, image),
        }
    }

    fn start(&mut self, now: Duration, name: &str, image: &str) -> Vec<Note> {
        self.state = State::Running(now);
        self.starts.push(now);
        self.set_due(now, now);
        vec![
            (
                "Normal",
                "Pulled",
                format!("Container image \"{image}\" already present on machine"),
            ),
            ("Normal", "Created", format!("Container created: {name}")),
            ("Normal", "Started", format!("Container started: {name}")),
        ]
    }

    fn end(&mut self, now: Duration, since: Duration, exit: &Exit, name: &str) -> Vec<Note> {
        let ended = Ended {
            code: exit.code,
            reason: exit.reason,
            started: since,
            finished: now,
        };
        let again = match self.restarted {
            Restarted::Always => !(self.is_to_end && exit.code == 0),
            Restarted::OnFailure => exit.code != 0,
            Restarted::Never => false,
        };
        if !again {
            self.state = State::Ended(ended);
            return Vec::new();
        }
        self.last = Some(ended.clone());
        if self.restarts == 0 {
            self.state = State::Ended(ended);
            self.due = Some(now + AT_ONCE);
            return Vec::new();
        }
        let pause = BACK_OFF
            .0
            .saturating_mul(1 << (self.restarts - 1).min(10))
            .min(BACK_OFF.1);
        let words = format!("back-off {}s restarting failed container={name}", pause.as_secs());
        self.state = State::Waiting("CrashLoopBackOff", words);
        self.due = Some(now + pause);
        vec![(
            "Warning",
            "BackOff",
            format!("Back-off restarting failed container {name}"),
        )]
    }

    fn exit(&self) -> Option<Exit> {
        if self.is_to_end {
            self.behaviour.job.clone()
        } else {
            self.behaviour.exit.clone()
        }
    }

    fn set_due(&mut self, since: Duration, now: Duration) {
        let exit = self.exit().map(|exit| since + exit.after);
        let change = self.behaviour.next_change(now.saturating_sub(since));
        self.due = [exit, change.map(|change| since + change)]
            .into_iter()
            .flatten()
            .min();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reasons(image: &str, policy: &str, seconds: u64) -> Vec<String> {
        let mut run = Run::new(Behaviour::by_name(image), policy, false);
        run.begin(Duration::ZERO);
        let mut seen: Vec<String> = Vec::new();
        for second in 0..=seconds {
            run.step(Duration::from_secs(second), "web", image);
            let state = match &run.state {
                State::Idle => "Idle".to_owned(),
                State::Waiting(reason, _) => (*reason).to_owned(),
                State::Running(_) => format!("Running {}", run.restarts),
                State::Ended(ended) => format!("{} {}", ended.reason, ended.code),
            };
            if seen.last() != Some(&state) {
                seen.push(state);
            }
        }
        seen
    }

    #[test]
    fn a_crash_is_tried_again_with_a_pause_that_grows() {
        assert_eq!(
            reasons("web:crash", "Always", 20),
            [
                "ContainerCreating",
                "Running 0",
                "Error 1",
                "Running 1",
                "CrashLoopBackOff",
                "Running 2",
                "CrashLoopBackOff"
            ]
        );
    }

    #[test]
    fn jobs_end_as_their_images_say() {
        for (image, policy, last) in [
            ("db:jobok", "Never", "Completed 0"),
            ("db:jobfail", "Never", "Error 1"),
            ("db:oom", "Never", "OOMKilled 137"),
            ("db:jobhang", "Never", "Running 0"),
        ] {
            assert_eq!(
                reasons(image, policy, 30).last().map(String::as_str),
                Some(last),
                "{image}"
            );
        }
    }

    #[test]
    fn what_does_not_start_says_why() {
        assert_eq!(
            reasons("web:unpullable", "Always", 10),
            ["ContainerCreating", "ErrImagePull", "ImagePullBackOff"]
        );
        assert_eq!(
            reasons("web:configerror", "Always", 10),
            ["ContainerCreating", "CreateContainerConfigError"]
        );
    }
}
