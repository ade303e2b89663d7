//! Logs of containers: whole, from their end, of the run before, or as they come.

use std::time::Duration;

use serde_json::Value;

use super::ask::Ask;
use super::kubelet::{self, Line};
use super::object;
use super::refusal::Refusal;
use super::store::Key;
use super::world::World;

/// A log that is read.
#[derive(Clone, Debug)]
pub(crate) struct Following {
    key: Key,
    uid: String,
    container: String,
    follows: bool,
    with_times: bool,
    left: Option<usize>,
    /// What has been told: the moment of the last line, and how many of that moment.
    told: Option<(Duration, usize)>,
    begin: Vec<Line>,
    is_over: bool,
    round: u64,
}

/// Begins to read the log that a request asks for.
pub(crate) fn read(world: &World, ask: &Ask) -> Result<Following, Refusal> {
    let key = Key::new("pods", &ask.namespace, &ask.name);
    let Some(pod) = world.store.get(&key) else {
        return Err(Refusal::not_found(ask.kind, &ask.name));
    };
    let container = container(pod, ask)?;
    let previous = ask.query.flag("previous");
    let place = format!("container \"{container}\" in pod \"{}\"", ask.name);
    if object::text(pod, "/spec/nodeName").is_empty() {
        return Err(Refusal::bad_request(format!(
            "pod {} does not have a host assigned",
            ask.name
        )));
    }
    let printed = kubelet::printed(world, pod, &container, previous);
    let lines = match printed {
        Some(lines) => lines,
        None if previous => {
            return Err(Refusal::bad_request(format!(
                "previous terminated {place} not found"
            )));
        }
        None => {
            let reason = kubelet::waits(pod, &container).unwrap_or_else(|| "PodInitializing".to_owned());
            let why = match reason.as_str() {
                "ErrImagePull" | "ImagePullBackOff" => "trying and failing to pull image".to_owned(),
                other => other.to_owned(),
            };
            return Err(Refusal::bad_request(format!(
                "{place} is waiting to start: {why}"
            )));
        }
    };
    let tail = ask
        .query
        .number("tailLines")
        .and_then(|lines| usize::try_from(lines).ok());
    let skipped = tail.map_or(0, |tail| lines.len().saturating_sub(tail));
    let since = ask
        .query
        .number("sinceSeconds")
        .map(|seconds| world.now.saturating_sub(Duration::from_secs(seconds)));
    let told = lines.last().map(|last| {
        let count = lines.iter().filter(|line| line.at == last.at).count();
        (last.at, count)
    });
    let begin = lines
        .into_iter()
        .skip(skipped)
        .filter(|line| since.is_none_or(|since| line.at >= since));
    Ok(Following {
        uid: object::uid(pod).to_owned(),
        key,
        container,
        follows: ask.query.flag("follow") && !previous,
        with_times: ask.query.flag("timestamps"),
        left: ask
            .query
            .number("limitBytes")
            .and_then(|bytes| usize::try_from(bytes).ok()),
        told,
        begin: begin.collect(),
        is_over: false,
        round: world.round,
    })
}

impl Following {
    /// What has been printed since it was asked last; none when that was all.
    pub(crate) fn take(&mut self, world: &World) -> Option<Vec<u8>> {
        if self.is_over {
            return None;
        }
        let mut lines = std::mem::take(&mut self.begin);
        let pod = world
            .store
            .get(&self.key)
            .filter(|pod| object::uid(pod) == self.uid);
        if self.follows
            && let Some(pod) = pod
        {
            lines.extend(self.new_lines(world, pod));
        }
        let still_prints = pod.is_some_and(|pod| {
            let statuses = object::items(pod, "/status/containerStatuses").iter();
            let status = statuses
                .chain(object::items(pod, "/status/initContainerStatuses"))
                .find(|status| object::text(status, "/name") == self.container);
            status.is_some_and(|status| status.pointer("/state/running").is_some())
        });
        self.is_over = !self.follows || !still_prints || world.round > self.round;
        Some(self.written(&lines))
    }

    fn new_lines(&mut self, world: &World, pod: &Value) -> Vec<Line> {
        let all = kubelet::printed(world, pod, &self.container, false).unwrap_or_default();
        let told = self.told;
        let mut at_once = told.map_or(0, |(_, count)| count);
        let new: Vec<Line> = all
            .into_iter()
            .filter(|line| match told {
                None => true,
                Some((moment, _)) if line.at == moment && at_once > 0 => {
                    at_once -= 1;
                    false
                }
                Some((moment, _)) => line.at >= moment,
            })
            .collect();
        for line in &new {
            self.told = match self.told {
                Some((moment, count)) if moment == line.at => Some((moment, count + 1)),
                _ => Some((line.at, 1)),
            };
        }
        new
    }

    fn written(&mut self, lines: &[Line]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for line in lines {
            if self.with_times {
                bytes.extend_from_slice(object::precise_moment(line.at).as_bytes());
                bytes.push(b' ');
            }
            bytes.extend_from_slice(line.text.as_bytes());
            bytes.push(b'\n');
        }
        if let Some(left) = &mut self.left {
            bytes.truncate(*left);
            *left -= bytes.len();
            self.is_over |= *left == 0;
        }
        bytes
    }
}

fn container(pod: &Value, ask: &Ask) -> Result<String, Refusal> {
    let names = |pointer: &str| -> Vec<&str> {
        object::items(pod, pointer)
            .iter()
            .map(|container| object::text(container, "/name"))
            .collect()
    };
    let (own, inits) = (names("/spec/containers"), names("/spec/initContainers"));
    let asked = ask.query.text("container");
    match own.as_slice() {
        [one] if asked.is_empty() => Ok((*one).to_owned()),
        many if asked.is_empty() => Err(Refusal::bad_request(format!(
            "a container name must be specified for pod {}, choose one of: [{}]",
            ask.name,
            many.join(" ")
        ))),
        _ if own.contains(&asked) || inits.contains(&asked) => Ok(asked.to_owned()),
        _ => Err(Refusal::bad_request(format!(
            "container {asked} is not valid for pod {}",
            ask.name
        ))),
    }
}
