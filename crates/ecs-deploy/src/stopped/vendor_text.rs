//! What the vendor's texts say: prefixes and phrases of `stoppedReason` and of a container's `reason`.

use super::Class;

/// What a reason of a task or container says.
pub(super) fn class(reason: &str) -> Option<Class> {
    let text = reason.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if has(&["exec format error"]) {
        return Some(Class::WrongArchitecture);
    }
    if has(&["cannotpull", "unable to pull image"]) {
        return Some(pull_fault(&text));
    }
    if has(&["outofmemory", "oomkilled", "out of memory"]) {
        return Some(Class::OutOfMemory);
    }
    if has(&[
        "resourceinitializationerror",
        "unable to pull secrets",
        "unable to retrieve secret",
    ]) {
        return Some(initialization_fault(&text));
    }
    if has(&["scaling activity initiated by"]) {
        return Some(Class::Scaling);
    }
    if has(&["capacity is unavailable", "capacity unavailable", "resource:"]) {
        return Some(Class::Capacity);
    }
    if has(&["spot interruption"]) {
        return Some(Class::Spot);
    }
    if has(&[
        "cannotstartcontainererror",
        "cannotcreatecontainererror",
        "containerruntimeerror",
        "containerruntimetimeouterror",
    ]) {
        return Some(Class::CannotStart);
    }
    has(&[
        "cannotcreatevolumeerror",
        "cannotinspectcontainererror",
        "internalerror",
    ])
    .then_some(Class::Resource)
}

/// What kept an image from being pulled
/// (<https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_cannot_pull_image.html>).
fn pull_fault(text: &str) -> Class {
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    // The network comes first: its errors quote addresses, in which any word may stand.
    if has(&[
        "i/o timeout",
        "client.timeout",
        "deadline exceeded",
        "connection refused",
        "connection reset",
        "no such host",
        "context canceled",
        "tls handshake",
    ]) {
        return Class::ImagePull;
    }
    if has(&["toomanyrequests", "too many requests", "pull rate limit"]) {
        return Class::ImageRateLimit;
    }
    if has(&["matching platform", "matching manifest", "no match for platform"]) {
        return Class::ImagePlatform;
    }
    if has(&[
        "access denied",
        "accessdenied",
        "denied:",
        "forbidden",
        "unauthorized",
        "(403)",
        "not authorized",
    ]) {
        return Class::ImageDenied;
    }
    if has(&[
        "not found",
        "manifest unknown",
        "name unknown",
        "does not exist",
        "invalid reference",
    ]) {
        return Class::ImageNotFound;
    }
    Class::ImagePull
}

/// What kept a task from getting what it needs
/// (<https://docs.aws.amazon.com/AmazonECS/latest/developerguide/resource-initialization-error.html>).
fn initialization_fault(text: &str) -> Class {
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let network = [
        "timeout",
        "deadline exceeded",
        "requesterror",
        "connection issue",
        "context canceled",
    ];
    if has(&network) {
        return Class::Resource;
    }
    if has(&["registry auth from amazon ecr", "ecr:getauthorizationtoken"]) {
        return Class::ImageDenied;
    }
    if has(&["log group", "log stream", "logger args"]) {
        return Class::LogGroup;
    }
    let kept = ["secret", "from asm", "from ssm", "parameter"];
    if has(&kept)
        && has(&[
            "accessdenied",
            "not authorized",
            "notfound",
            "can't find",
            "invalid",
            "did not contain",
        ])
    {
        return Class::Secret;
    }
    Class::Resource
}
