//! The target of a command line: what is looked at, how, and what is expected of it.

use gha::duration::exact;

use crate::cli::target::Target;
use crate::document::Document;
use crate::error::Error;

/// The keys of a target.
pub(super) fn target(document: &mut Document, flags: &Target) -> Result<(), Error> {
    kind(document, flags)?;
    if let Some(method) = &flags.method {
        document.value("method", "method", method);
    }
    pairs(document, "headers", "header", &flags.header, ':')?;
    pairs(document, "headers_env", "header-env", &flags.header_env, '=')?;
    document.maybe(
        "follow",
        "follow",
        flags.follow.map(|follow| follow.to_string()).as_deref(),
    );
    document.maybe("ip", "ip", flags.ip.as_deref());
    document.list("resolve", "resolve", &flags.resolve);
    document.maybe(
        "max_latency",
        "max-latency",
        flags.max_latency.map(exact).as_deref(),
    );
    document.maybe(
        "min_days",
        "min-days",
        flags.min_days.map(|days| days.to_string()).as_deref(),
    );
    document.maybe("send", "send", flags.send.as_deref());
    document.maybe("service", "grpc-service", flags.grpc_service.as_deref());
    document.maybe("password_env", "password-env", flags.password_env.as_deref());
    document.maybe("record", "record", flags.record.as_deref());
    document.list("resolvers", "resolver", &flags.resolver);
    document.list("equals", "expect-record", &flags.expect_record);
    document.list("services", "service", &flags.service);
    document.list("args", "exec-arg", &flags.exec_arg);
    if flags.secure && flags.tls.is_none() {
        document.value("tls", "secure", "true");
    }
    expect(document, flags)
}

/// What is looked at; clap lets one of them through.
fn kind(document: &mut Document, flags: &Target) -> Result<(), Error> {
    let kinds = [
        ("http", "url", &flags.url),
        ("tcp", "tcp", &flags.tcp),
        ("tls", "tls", &flags.tls),
        ("dns", "dns", &flags.dns),
        ("grpc", "grpc", &flags.grpc),
        ("postgres", "postgres", &flags.postgres),
        ("redis", "redis", &flags.redis),
        ("compose", "compose", &flags.compose),
        ("exec", "exec", &flags.exec),
    ];
    let mut given = kinds
        .into_iter()
        .filter_map(|(key, flag, value)| Some((key, flag, value.as_ref()?)));
    let (key, flag, value) = given.next().ok_or(Error::NoTarget)?;
    document.value(key, flag, value);
    Ok(())
}

/// Names and values.
fn pairs(
    document: &mut Document,
    key: &str,
    flag: &'static str,
    written: &[String],
    between: char,
) -> Result<(), Error> {
    if written.is_empty() {
        return Ok(());
    }
    document.open(key, flag);
    for pair in written {
        let (name, value) = pair
            .split_once(between)
            .ok_or_else(|| Error::NoPair { flag, between })?;
        document.value(name.trim(), flag, value.trim());
    }
    document.close();
    Ok(())
}

/// What is expected.
fn expect(document: &mut Document, flags: &Target) -> Result<(), Error> {
    let version = version(flags)?;
    if flags.tcp.is_some()
        && let [pattern] = &flags.expect_body[..]
    {
        document.value("expect", "expect-body", pattern);
        if let Some(flag) = first_expectation(flags).filter(|flag| *flag != "expect-body") {
            return Err(Error::NoAnswer(flag));
        }
        return Ok(());
    }
    let Some(flag) = first_expectation(flags) else {
        return Ok(());
    };
    if flags.url.is_none() {
        return Err(Error::NoAnswer(flag));
    }
    document.open("expect", flag);
    document.maybe(
        "status",
        "expect-status",
        flags.expect_status.as_ref().map(ToString::to_string).as_deref(),
    );
    document.list("body", "expect-body", &flags.expect_body);
    document.list("json", "expect-json", &flags.expect_json);
    headers(document, &flags.expect_header);
    document.maybe("version", "expect-version", version);
    document.maybe("version_at", "version-at", flags.version_at.as_deref());
    document.close();
    Ok(())
}

/// Headers; without a colon a name alone.
fn headers(document: &mut Document, written: &[String]) {
    if written.is_empty() {
        return;
    }
    document.open("headers", "expect-header");
    for header in written {
        let (name, value) = header.split_once(':').unwrap_or((header, ""));
        document.value(name.trim(), "expect-header", value.trim());
    }
    document.close();
}

/// A version that is empty, or that has to be there and is not, would let any version pass.
fn version(flags: &Target) -> Result<Option<&str>, Error> {
    match flags.expect_version.as_ref().map(|wanted| wanted.trim()) {
        Some("") => Err(Error::EmptyVersion),
        None if flags.require_version => Err(Error::VersionRequired),
        wanted => Ok(wanted),
    }
}

/// The first flag that says what an answer must look like.
fn first_expectation(flags: &Target) -> Option<&'static str> {
    let given = [
        ("expect-body", !flags.expect_body.is_empty()),
        ("expect-json", !flags.expect_json.is_empty()),
        ("expect-header", !flags.expect_header.is_empty()),
        ("expect-version", flags.expect_version.is_some()),
        ("require-version", flags.require_version),
        ("expect-status", flags.expect_status.is_some()),
    ];
    given.into_iter().find(|(_, given)| *given).map(|(flag, _)| flag)
}
