//! Why a task stopped, what that means, and what to do about it.
//!
//! The texts that are looked for are those of
//! <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html> and of the pages that it
//! links to. A text that is not known is counted like a crash and shown as it is: to know one more is better advice, never
//! another verdict on the deploy as a whole.

use gha::{accounts, text};

use crate::observed::{Container, Task};
use crate::words::StopCode;

pub mod exit_code;
mod vendor_text;

/// The most that is shown of a vendor's text.
const VENDOR_TEXT: usize = 600;

/// A stopped task, judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    /// The last part of the task's ARN.
    pub task: String,
    /// The kind.
    pub class: Class,
    /// The container that it was about, if it was about one.
    pub container: Option<String>,
    /// Its exit code.
    pub exit_code: Option<i64>,
    /// One line: container, code and meaning, and the vendor's words, inert.
    pub reason: String,
}

/// Kinds of stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// The image is not there.
    ImageNotFound,
    /// The registry refuses to give the image.
    ImageDenied,
    /// The image is not for this processor or system.
    ImagePlatform,
    /// The registry gives no more images for now.
    ImageRateLimit,
    /// The image could not be pulled for another reason; the network is the usual one.
    ImagePull,
    /// A secret is not there, or may not be read.
    Secret,
    /// The log group is not there, or may not be written.
    LogGroup,
    /// Something else that a task needs before it starts: a volume, a network interface, a registry's credentials.
    Resource,
    /// The container could not be started: no such program, a wrong mount.
    CannotStart,
    /// The program is for another processor.
    WrongArchitecture,
    /// It took more memory than it may.
    OutOfMemory,
    /// A container ended with an error.
    Crash,
    /// A container that should run on ended without one.
    Ended,
    /// The load balancer's checks failed.
    ElbHealth,
    /// The container's own check failed.
    ContainerHealth,
    /// There was no room for it.
    Capacity,
    /// Spot capacity was taken back.
    Spot,
    /// Its host went away.
    Host,
    /// The service scaled or deployed.
    Scaling,
    /// Someone stopped it.
    User,
    /// Nothing is known of it.
    Unknown,
}

/// What a stop says about the deploy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Severity {
    /// No other task can do better.
    Fatal,
    /// Several of them are a failure.
    Counted,
    /// There may be room later.
    Capacity,
    /// It is normal.
    Ignored,
}

impl Class {
    /// What a stop of this kind says about the deploy.
    #[must_use]
    pub fn severity(self) -> Severity {
        match self {
            Self::ImageNotFound
            | Self::ImageDenied
            | Self::ImagePlatform
            | Self::Secret
            | Self::LogGroup
            | Self::WrongArchitecture => Severity::Fatal,
            Self::ImageRateLimit
            | Self::ImagePull
            | Self::Resource
            | Self::CannotStart
            | Self::OutOfMemory
            | Self::Crash
            | Self::Ended
            | Self::ElbHealth
            | Self::ContainerHealth
            | Self::Unknown => Severity::Counted,
            Self::Capacity => Severity::Capacity,
            Self::Spot | Self::Host | Self::Scaling | Self::User => Severity::Ignored,
        }
    }

    /// A few words for a table.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::ImageNotFound => "image not found",
            Self::ImageDenied => "image refused",
            Self::ImagePlatform => "image for another platform",
            Self::ImageRateLimit => "image pull limit",
            Self::ImagePull => "image not pulled",
            Self::Secret => "secret not readable",
            Self::LogGroup => "log group not usable",
            Self::Resource => "resource not ready",
            Self::CannotStart => "container not started",
            Self::WrongArchitecture => "wrong architecture",
            Self::OutOfMemory => "out of memory",
            Self::Crash => "crashed",
            Self::Ended => "ended by itself",
            Self::ElbHealth => "failed the load balancer's checks",
            Self::ContainerHealth => "failed its own health check",
            Self::Capacity => "no capacity",
            Self::Spot => "Spot interruption",
            Self::Host => "host went away",
            Self::Scaling => "stopped by the service",
            Self::User => "stopped by someone",
            Self::Unknown => "unknown",
        }
    }

    /// What to do about it, where something can be done.
    #[must_use]
    pub fn help(self) -> Option<&'static str> {
        Some(match self {
            Self::ImageNotFound => {
                "check that the image was pushed under this name and tag, to the registry of this region"
            }
            Self::ImageDenied => {
                "give the execution role `ecr:GetAuthorizationToken`, `ecr:BatchGetImage` and `ecr:GetDownloadUrlForLayer`, or set `repositoryCredentials`; a private registry also answers this where there is no such repository"
            }
            Self::ImagePlatform | Self::WrongArchitecture => {
                "build the image for the platform of `runtimePlatform.cpuArchitecture` (`docker buildx build --platform linux/amd64` or `linux/arm64`)"
            }
            Self::ImageRateLimit => {
                "log in to the registry by `repositoryCredentials`, or pull through an ECR cache"
            }
            Self::ImagePull => {
                "check that the task's subnets reach the registry: NAT or VPC endpoints for ECR and S3, security groups"
            }
            Self::Secret => {
                "check the ARN of the secret or parameter, its region, and that the execution role may read it (`secretsmanager:GetSecretValue`, `ssm:GetParameters`, `kms:Decrypt`)"
            }
            Self::LogGroup => {
                "create the log group, or give the execution role `logs:CreateLogGroup`, `logs:CreateLogStream` and `logs:PutLogEvents`"
            }
            Self::Resource => "look at the vendor's words: network interface, volume, registry login",
            Self::CannotStart => "check `command`, `entryPoint`, mounts and user of the container",
            Self::OutOfMemory => "raise `memory` of the container or task, or look for the leak",
            Self::Crash | Self::Ended => "look at the container's last log lines",
            Self::ElbHealth => {
                "check the path, port and expected status of the target group's health check, and `healthCheckGracePeriodSeconds` for slow starts"
            }
            Self::ContainerHealth => {
                "run the command of `healthCheck` inside the image, and check its `startPeriod`"
            }
            Self::Capacity => "add instances or another capacity provider, or ask for less CPU and memory",
            Self::Unknown => "look at the task in the console",
            Self::Spot | Self::Host | Self::Scaling | Self::User => return None,
        })
    }
}

/// Judges a stopped task.
#[must_use]
pub fn classify(task: &Task) -> Stop {
    let stopped = task.stopped_reason.as_deref().unwrap_or_default();
    let container = culprit(task);
    let said = container.and_then(|container| container.reason.as_deref());
    // A task that its service stops gets SIGTERM, and its containers' exit codes mean nothing.
    let class = by_service(task, stopped)
        .or_else(|| said.and_then(vendor_text::class))
        .or_else(|| vendor_text::class(stopped))
        .or_else(|| container.and_then(by_container))
        .unwrap_or(Class::Unknown);
    let about_container = !matches!(class.severity(), Severity::Ignored | Severity::Capacity)
        && !matches!(class, Class::ElbHealth);
    let container = container.filter(|_| about_container);
    Stop {
        task: inert(task.id()),
        class,
        container: container.map(|container| inert(&container.name)),
        exit_code: container.and_then(|container| container.exit_code),
        reason: reason(class, container, stopped),
    }
}

/// The container that a task stopped for: others of the task are killed after it, with 137 or 143.
fn culprit(task: &Task) -> Option<&Container> {
    let rank = |container: &&Container| {
        let reason = container.reason.as_deref().unwrap_or_default();
        let cause = match container.exit_code {
            _ if !reason.is_empty() => 0,
            Some(code) if !matches!(code, 0 | 137 | 143) => 1,
            Some(137 | 143) => 2,
            Some(_) => 3,
            None => 4,
        };
        (container.essential == Some(false), cause)
    };
    task.containers.iter().min_by_key(rank)
}

/// What its service, its host or a person did to a task.
fn by_service(task: &Task, stopped: &str) -> Option<Class> {
    let text = stopped.to_ascii_lowercase();
    if text.contains("failed elb health checks") {
        return Some(Class::ElbHealth);
    }
    if text.contains("failed container health checks") {
        return Some(Class::ContainerHealth);
    }
    match task.stop_code.as_ref()? {
        StopCode::ServiceSchedulerInitiated => Some(Class::Scaling),
        StopCode::UserInitiated => Some(Class::User),
        StopCode::SpotInterruption => Some(Class::Spot),
        StopCode::TerminationNotice | StopCode::InfrastructureHealth => Some(Class::Host),
        StopCode::TaskFailedToStart | StopCode::EssentialContainerExited | StopCode::Other(_) => None,
    }
}

/// What a container's end says where nobody gave a reason.
fn by_container(container: &Container) -> Option<Class> {
    let lines: Vec<&String> = container
        .log_tail
        .iter()
        .filter(|line| !line.trim().is_empty())
        .collect();
    // On Fargate the runtime's complaint is the log's only line; among others it is the program's own.
    if let [line] = lines[..]
        && container.exit_code != Some(0)
        && line.trim_end().ends_with("exec format error")
    {
        return Some(Class::WrongArchitecture);
    }
    match container.exit_code? {
        0 => Some(Class::Ended),
        _ => Some(Class::Crash),
    }
}

/// One line for a person.
fn reason(class: Class, container: Option<&Container>, stopped: &str) -> String {
    let mut line = String::new();
    if let Some(container) = container {
        line.push_str(&format!("container `{}` ", inert(&container.name)));
        match (class, container.exit_code) {
            (Class::Crash | Class::Ended | Class::OutOfMemory | Class::WrongArchitecture, Some(code)) => {
                line.push_str(&format!("ended with exit code {code}"));
                if let Some(meaning) = exit_code::meaning(code) {
                    line.push_str(&format!(" ({meaning})"));
                }
            }
            _ => line.push_str(class.words()),
        }
    } else {
        line.push_str(class.words());
    }
    if matches!(class, Class::OutOfMemory | Class::WrongArchitecture) && container.is_some() {
        line.push_str(&format!(", {}", class.words()));
    }
    let said = container.and_then(|container| container.reason.as_deref());
    let vendor = said.filter(|said| !said.trim().is_empty()).unwrap_or(stopped);
    if !vendor.trim().is_empty() {
        line.push_str(&format!(": {}", inert(vendor)));
    }
    line
}

/// Foreign text as a short part of a line, without account numbers.
fn inert(foreign: &str) -> String {
    text::line(&text::cut(&accounts::without(foreign.trim()), VENDOR_TEXT))
}

#[cfg(test)]
mod tests;
