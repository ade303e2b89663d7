use super::*;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};

fn container(name: &str, exit_code: Option<i64>, reason: &str) -> Container {
    Container {
        name: name.to_owned(),
        exit_code,
        reason: (!reason.is_empty()).then(|| reason.to_owned()),
        essential: None,
        image: None,
        log: None,
        log_tail: Vec::new(),
    }
}

fn task(code: &str, stopped: &str, containers: Vec<Container>) -> Task {
    Task {
        arn: "arn:aws:ecs:eu-west-1:123456789012:task/shop/0a1b2c".to_owned(),
        started_by: Some("ecs-svc/1".to_owned()),
        last_status: "STOPPED".to_owned(),
        stop_code: (!code.is_empty()).then(|| StopCode::of(code)),
        stopped_reason: Some(stopped.to_owned()),
        containers,
        stopped_at: None,
    }
}

fn web(exit_code: Option<i64>, reason: &str) -> Vec<Container> {
    vec![container("web", exit_code, reason)]
}

#[test]
fn reasons_of_the_vendor_are_classified() {
    use Severity::{Capacity, Counted, Fatal, Ignored};
    let start = "TaskFailedToStart";
    let exited = "EssentialContainerExited";
    let scheduler = "ServiceSchedulerInitiated";
    for (code, text, class, severity) in [
        (
            start,
            "CannotPullContainerError: pull image manifest has been retried 5 time(s): failed to resolve ref registry.example/web:9: registry.example/web:9: not found",
            Class::ImageNotFound,
            Fatal,
        ),
        (
            start,
            "CannotPullContainerError: Error response from daemon: manifest for web:9 not found: manifest unknown",
            Class::ImageNotFound,
            Fatal,
        ),
        (
            start,
            "CannotPullContainerError: pull access denied for web, repository does not exist or may require 'docker login'",
            Class::ImageDenied,
            Fatal,
        ),
        (
            start,
            "CannotPullContainerError: API error (403): Forbidden",
            Class::ImageDenied,
            Fatal,
        ),
        (
            start,
            "CannotPullContainerError: image Manifest does not contain descriptor matching platform 'linux/arm64'",
            Class::ImagePlatform,
            Fatal,
        ),
        (
            start,
            "CannotPullContainerError: toomanyrequests: You have reached your pull rate limit",
            Class::ImageRateLimit,
            Counted,
        ),
        (
            start,
            "CannotPullContainerError: ref pull has been retried 5 time(s): failed to copy: httpReadSeeker: failed open: dial tcp 10.0.0.1:443: i/o timeout",
            Class::ImagePull,
            Counted,
        ),
        (
            start,
            "CannotPullContainerError: write /var/lib/x: no space left on device",
            Class::ImagePull,
            Counted,
        ),
        (
            start,
            "CannotPullImageManifestError: Error response from daemon: no such host",
            Class::ImagePull,
            Counted,
        ),
        (
            start,
            "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable to retrieve secret from asm: service call has been retried 1 time(s): failed to fetch secret arn:x from secrets manager: AccessDeniedException: not authorized",
            Class::Secret,
            Fatal,
        ),
        (
            start,
            "ResourceInitializationError: unable to pull secrets or registry auth: unable to retrieve secret from asm: ResourceNotFoundException: Secrets Manager can't find the specified secret.",
            Class::Secret,
            Fatal,
        ),
        (
            start,
            "ResourceInitializationError: unable to pull secrets or registry auth: unable to retrieve secrets from ssm: invalid parameters: /x",
            Class::Secret,
            Fatal,
        ),
        (
            start,
            "ResourceInitializationError: unable to pull secrets or registry auth: unable to retrieve secret from asm: RequestError: send request failed caused by: dial tcp: i/o timeout",
            Class::Resource,
            Counted,
        ),
        (
            start,
            "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: failed to create Cloudwatch log stream: ResourceNotFoundException: The specified log group does not exist.",
            Class::LogGroup,
            Fatal,
        ),
        (
            start,
            "ResourceInitializationError: failed to invoke EFS utils commands to set up EFS volumes: stderr: mount failed",
            Class::Resource,
            Counted,
        ),
        (
            start,
            "Capacity is unavailable at this time. Please try again later or in a different availability zone",
            Class::Capacity,
            Capacity,
        ),
        (
            start,
            "CannotStartContainerError: exec: \"/ap\": stat /ap: no such file or directory",
            Class::CannotStart,
            Counted,
        ),
        (
            start,
            "CannotStartContainerError: exec /app: exec format error",
            Class::WrongArchitecture,
            Fatal,
        ),
        (
            start,
            "ContainerRuntimeTimeoutError: Could not transition to created; timed out",
            Class::CannotStart,
            Counted,
        ),
        (start, "CannotCreateVolumeError: mount", Class::Resource, Counted),
        (
            exited,
            "Essential container in task exited",
            Class::Crash,
            Counted,
        ),
        (
            scheduler,
            "Task failed ELB health checks in (target-group arn:aws:elasticloadbalancing:x)",
            Class::ElbHealth,
            Counted,
        ),
        (
            scheduler,
            "Task failed container health checks",
            Class::ContainerHealth,
            Counted,
        ),
        (
            scheduler,
            "Scaling activity initiated by (deployment ecs-svc/1)",
            Class::Scaling,
            Ignored,
        ),
        ("UserInitiated", "Task stopped by user", Class::User, Ignored),
        (
            "SpotInterruption",
            "Your Spot Task was interrupted.",
            Class::Spot,
            Ignored,
        ),
        ("TerminationNotice", "x", Class::Host, Ignored),
        ("NewCode", "nobody knows", Class::Crash, Counted),
    ] {
        let stop = classify(&task(code, text, web(Some(1), "")));
        assert_eq!((stop.class, stop.class.severity()), (class, severity), "{text}");
        assert_eq!(stop.class.help().is_some(), severity != Ignored, "{text}");
        assert!(
            stop.reason.contains(&text[..20.min(text.len())]),
            "{}",
            stop.reason
        );
    }
}

#[test]
fn the_container_that_ended_first_is_named() {
    let killed = |name| container(name, Some(137), "");
    for (containers, class, line) in [
        (
            vec![killed("proxy"), container("web", Some(127), "")],
            Class::Crash,
            "container `web` ended with exit code 127 (command not found): Essential container in task exited",
        ),
        (
            vec![
                killed("proxy"),
                container(
                    "web",
                    Some(137),
                    "OutOfMemoryError: Container killed due to memory usage",
                ),
            ],
            Class::OutOfMemory,
            "container `web` ended with exit code 137 (SIGKILL: often too little memory, or it did not stop in time), out of memory: OutOfMemoryError: Container killed due to memory usage",
        ),
        (
            vec![container("proxy", Some(143), ""), container("web", Some(0), "")],
            Class::Crash,
            "container `proxy` ended with exit code 143 (SIGTERM: it was asked to stop): Essential container in task exited",
        ),
        (
            web(Some(0), ""),
            Class::Ended,
            "container `web` ended with exit code 0 (no error): Essential container in task exited",
        ),
    ] {
        let stop = classify(&task(
            "EssentialContainerExited",
            "Essential container in task exited",
            containers,
        ));
        assert_eq!((stop.class, stop.reason.as_str()), (class, line));
    }
    let mut sidecar = container("proxy", Some(1), "");
    sidecar.essential = Some(false);
    let stop = classify(&task(
        "EssentialContainerExited",
        "",
        vec![sidecar, container("web", Some(2), "")],
    ));
    assert_eq!(
        (stop.container.as_deref(), stop.exit_code),
        (Some("web"), Some(2))
    );
}

#[test]
fn a_single_line_of_the_runtime_tells_the_architecture() {
    let with_log = |lines: &[&str]| {
        let mut web = container("web", Some(1), "");
        web.log_tail = lines.iter().map(|line| (*line).to_owned()).collect();
        classify(&task(
            "EssentialContainerExited",
            "Essential container in task exited",
            vec![web],
        ))
        .class
    };
    assert_eq!(
        with_log(&["exec /app: exec format error", ""]),
        Class::WrongArchitecture
    );
    assert_eq!(
        with_log(&["starting", "child said: exec format error"]),
        Class::Crash,
        "a program may log what it likes"
    );
}

#[test]
fn nothing_known_is_counted() {
    let mut nothing = task("", "", Vec::new());
    nothing.stopped_reason = None;
    let stop = classify(&nothing);
    assert_eq!((stop.class, stop.reason.as_str()), (Class::Unknown, "unknown"));
    assert_eq!(stop.class.severity(), Severity::Counted);
}

fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        Just("CannotPull\n::error::x".to_owned()),
        Just("ResourceInitializationError \u{202e}".to_owned()),
    ]
}

proptest! {
    #[test]
    fn any_task_is_judged_in_one_bounded_line(
        code in texts(), stopped in texts(),
        containers in vec((texts(), option::of(any::<i64>()), texts(), option::of(any::<bool>()), texts()), 0..4),
    ) {
        let containers = containers.into_iter().map(|(name, exit_code, reason, essential, line)| Container {
            essential,
            log_tail: vec![line],
            ..container(&name, exit_code, &reason)
        }).collect();
        let stop = classify(&task(&code, &stopped, containers));
        assert!(!stop.reason.contains(['\n', '\r', '\u{1b}', '\u{202e}']) && !stop.reason.trim_start().starts_with("::"));
        assert!(stop.reason.chars().count() < 20 * VENDOR_TEXT);
        assert!(!stop.reason.is_empty());
    }
}
