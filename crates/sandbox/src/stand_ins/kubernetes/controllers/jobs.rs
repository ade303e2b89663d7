//! Jobs: pods until enough have ended well, too many have failed, or the time is up.

use std::time::Duration;

use serde_json::{Value, json};

use super::pods;
use super::rollout::without_zeros;
use crate::stand_ins::kubernetes::events::{self, Source};
use crate::stand_ins::kubernetes::object;
use crate::stand_ins::kubernetes::world::World;

/// The first pause after a pod that failed, and the longest.
const BACK_OFF: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(600));

pub(super) fn run(world: &mut World) -> Option<Duration> {
    let all: Vec<Value> = world.store.list("jobs", "").cloned().collect();
    all.into_iter()
        .filter(|job| !object::is_leaving(job))
        .filter_map(|job| one(world, job))
        .min()
}

fn one(world: &mut World, job: Value) -> Option<Duration> {
    if is_over(&job) {
        return clean(world, &job);
    }
    let now = world.now;
    let all = pods::of(world, &job);
    let phase = |wanted: &str| {
        all.iter()
            .filter(|pod| object::text(pod, "/status/phase") == wanted)
            .count()
    };
    let (succeeded, failed) = (phase("Succeeded"), phase("Failed"));
    let active: Vec<&Value> = all.iter().filter(|pod| pods::is_active(pod)).collect();
    let number = |name: &str, or: usize| object::count(&job, &format!("/spec/{name}")).unwrap_or(or);
    let (completions, parallelism, limit) = (
        number("completions", 1),
        number("parallelism", 1),
        number("backoffLimit", 6),
    );
    let restarts: usize = active.iter().map(|pod| restarts(pod)).sum();
    let started = object::since_beginning(object::text(&job, "/status/startTime")).unwrap_or(now);
    let deadline = object::count(&job, "/spec/activeDeadlineSeconds")
        .map(|seconds| started + Duration::from_secs(seconds as u64));
    if succeeded >= completions {
        finish(
            world,
            job,
            &all,
            true,
            ("CompletionsReached", "Reached expected number of succeeded pods"),
        );
        return None;
    }
    if failed > limit || restarts > 0 && restarts >= limit.max(1) {
        let why = (
            "BackoffLimitExceeded",
            "Job has reached the specified backoff limit",
        );
        finish(world, job, &all, false, why);
        return None;
    }
    if deadline.is_some_and(|deadline| deadline <= now) {
        let why = (
            "DeadlineExceeded",
            "Job was active longer than specified deadline",
        );
        finish(world, job, &all, false, why);
        return None;
    }
    if object::flag(&job, "/spec/suspend") {
        return None;
    }
    let again = last_failure(&all).map(|last| last + pause(failed));
    let may_start = again.is_none_or(|again| again <= now) && pods::refused_until(world, &job).is_none();
    if may_start {
        let wanted = parallelism.min(completions - succeeded);
        for _ in active.len()..wanted {
            if pods::make(world, &job, &format!("{}-", object::name(&job)), |_| ()).is_err() {
                break;
            }
        }
    }
    report(world, job, started);
    [again.filter(|again| *again > now), deadline]
        .into_iter()
        .flatten()
        .min()
}

fn is_over(job: &Value) -> bool {
    object::has_condition(job, "Complete", "True") || object::has_condition(job, "Failed", "True")
}

/// A job that is over goes after its time to live; when that is.
fn clean(world: &mut World, job: &Value) -> Option<Duration> {
    let seconds = object::count(job, "/spec/ttlSecondsAfterFinished")?;
    let over = object::condition(job, "Complete").or_else(|| object::condition(job, "Failed"))?;
    let since = object::since_beginning(object::text(over, "/lastTransitionTime"))?;
    let due = since + Duration::from_secs(seconds as u64);
    if due > world.now {
        return Some(due);
    }
    world.delete("jobs", object::namespace(job), object::name(job));
    None
}

fn report(world: &mut World, mut job: Value, started: Duration) {
    let counts = counts(world, &job);
    for (name, value) in counts {
        object::put(&mut job, &["status", name], json!(value));
    }
    object::put(&mut job, &["status", "startTime"], json!(object::moment(started)));
    let status = without_zeros(job["status"].clone());
    object::put(&mut job, &["status"], status);
    world.save(job);
}

fn counts(world: &World, job: &Value) -> [(&'static str, usize); 4] {
    let all = pods::of(world, job);
    let count = |fits: &dyn Fn(&Value) -> bool| all.iter().filter(|pod| fits(pod)).count();
    [
        ("active", count(&pods::is_active)),
        ("ready", count(&|pod| pods::is_active(pod) && pods::is_ready(pod))),
        (
            "succeeded",
            count(&|pod| object::text(pod, "/status/phase") == "Succeeded"),
        ),
        (
            "failed",
            count(&|pod| object::text(pod, "/status/phase") == "Failed"),
        ),
    ]
}

fn finish(world: &mut World, mut job: Value, all: &[Value], well: bool, why: (&str, &str)) {
    let now = world.now;
    for pod in all.iter().filter(|pod| pods::is_active(pod)) {
        pods::end(world, pod.clone(), &job);
    }
    let moment = json!(object::moment(now));
    // The first condition says that it will end so, the second that it has.
    let kinds = if well {
        ["SuccessCriteriaMet", "Complete"]
    } else {
        ["FailureTarget", "Failed"]
    };
    let conditions = kinds.map(|kind| {
        json!({ "type": kind, "status": "True", "lastProbeTime": moment, "lastTransitionTime": moment, "reason": why.0, "message": why.1 })
    });
    let counts = counts(world, &job);
    for (name, value) in counts {
        object::put(&mut job, &["status", name], json!(value));
    }
    object::put(&mut job, &["status", "conditions"], json!(conditions));
    if well {
        object::put(&mut job, &["status", "completionTime"], moment);
    }
    let status = without_zeros(job["status"].clone());
    object::put(&mut job, &["status"], status);
    let job = world.save(job);
    let source = Source("job-controller");
    match well {
        true => events::record(world, &job, "Normal", "Completed", "Job completed", source),
        false => events::record(world, &job, "Warning", why.0, why.1, source),
    }
}

fn restarts(pod: &Value) -> usize {
    let statuses = object::items(pod, "/status/containerStatuses").iter();
    statuses
        .filter_map(|status| object::count(status, "/restartCount"))
        .sum()
}

fn last_failure(all: &[Value]) -> Option<Duration> {
    let failed = all
        .iter()
        .filter(|pod| object::text(pod, "/status/phase") == "Failed");
    let ends = failed.filter_map(|pod| {
        let end = object::text(pod, "/status/containerStatuses/0/state/terminated/finishedAt");
        object::since_beginning(end)
    });
    ends.max()
}

fn pause(failed: usize) -> Duration {
    let times = u32::try_from(failed.saturating_sub(1)).unwrap_or(6).min(6);
    BACK_OFF.0.saturating_mul(1 << times).min(BACK_OFF.1)
}
