//! The flags that describe one target, the same for every command that looks at one.

use std::time::Duration;

use clap::Args;

use gate::status_set::StatusSet;

/// One target and what is expected of it. Equals a gate file with one target.
#[derive(Clone, Debug, Args)]
pub struct Target {
    /// Address to look at. Redirects are not followed unless `--follow` says so: a login page that answers 200 would
    /// pass.
    #[arg(long, value_name = "URL", group = "target", help_heading = "Target")]
    pub url: Option<String>,
    /// Host and port that must accept a connection, or `unix:/path`.
    #[arg(long, value_name = "HOST:PORT", group = "target", help_heading = "Target")]
    pub tcp: Option<String>,
    /// Host and port whose certificate must be accepted.
    #[arg(long, value_name = "HOST:PORT", group = "target", help_heading = "Target")]
    pub tls: Option<String>,
    /// Name that must be resolved.
    #[arg(long, value_name = "NAME", group = "target", help_heading = "Target")]
    pub dns: Option<String>,
    /// Host and port of a service that answers gRPC's health check.
    #[arg(long, value_name = "HOST:PORT", group = "target", help_heading = "Target")]
    pub grpc: Option<String>,
    /// Host and port of a PostgreSQL that must accept connections, as `pg_isready` says it. No password is needed.
    #[arg(long, value_name = "HOST:PORT", group = "target", help_heading = "Target")]
    pub postgres: Option<String>,
    /// Host and port of a Redis that must answer PING.
    #[arg(long, value_name = "HOST:PORT", group = "target", help_heading = "Target")]
    pub redis: Option<String>,
    /// Docker Compose project whose services must run and be healthy.
    #[arg(long, value_name = "PROJECT", group = "target", help_heading = "Target")]
    pub compose: Option<String>,
    /// Program that must end with 0: a name that is found in PATH, or a path, which counts from the working folder. It is
    /// run as it is, without a shell; its arguments come by `--exec-arg`.
    #[arg(long, value_name = "PROGRAM", group = "target", help_heading = "Target")]
    pub exec: Option<String>,
    /// Argument for the program of `--exec`.
    #[arg(
        long,
        value_name = "ARGUMENT",
        help_heading = "Target",
        allow_hyphen_values = true
    )]
    pub exec_arg: Vec<String>,

    /// Status codes that are good: codes, classes and ranges with commas [default: 2xx].
    #[arg(long, value_name = "CODES", help_heading = "Expectations")]
    pub expect_status: Option<StatusSet>,
    /// Text that the body must contain; with `--tcp` a regular expression for what is answered.
    #[arg(long, value_name = "TEXT", help_heading = "Expectations")]
    pub expect_body: Vec<String>,
    /// Expression of jq over the body that must be true, as `.status == "ok"`; or a JSON pointer and the value there, as
    /// `/status=ok`.
    #[arg(long, value_name = "EXPRESSION", help_heading = "Expectations")]
    pub expect_json: Vec<String>,
    /// Header that must be there, and after a colon a text that its value must contain.
    #[arg(long, value_name = "NAME[: TEXT]", help_heading = "Expectations")]
    pub expect_header: Vec<String>,
    /// Version or commit that must serve. Another one is tried again until the time is over. A leading `v` and a
    /// commit cut short to seven or more characters make no difference.
    #[arg(long, value_name = "VERSION", help_heading = "Expectations")]
    pub expect_version: Option<String>,
    /// Fail, with exit code 2, when `--expect-version` is not given: an input that is empty, because an earlier step gave
    /// no version, would otherwise let any version pass.
    #[arg(long, help_heading = "Expectations")]
    pub require_version: bool,
    /// Where the answer names its version: a JSON pointer, `header:NAME`, `body`, or `usual`. Usual are the header
    /// `x-version`, the JSON fields version and release, build where there is none of these, the commit in commit, sha,
    /// revision, git_sha, gitCommit or commit_sha, or a body that is nothing but a version [default: usual].
    #[arg(long, value_name = "PLACE", help_heading = "Expectations")]
    pub version_at: Option<String>,
    /// Longest time for a good answer.
    #[arg(long, value_name = "DURATION", value_parser = gha::duration::parse, help_heading = "Expectations")]
    pub max_latency: Option<Duration>,
    /// Least days that every certificate shown must still have.
    #[arg(long, value_name = "DAYS", help_heading = "Expectations")]
    pub min_days: Option<u32>,

    /// Method of the request [default: GET].
    #[arg(long, value_name = "METHOD", help_heading = "Request")]
    pub method: Option<String>,
    /// Header to send, as `name: value`. It is seen in logs; use `--header-env` for a secret.
    #[arg(long, value_name = "NAME: VALUE", help_heading = "Request")]
    pub header: Vec<String>,
    /// Header to send whose value is a secret, as `authorization=VARIABLE`.
    #[arg(long, value_name = "NAME=VARIABLE", help_heading = "Request")]
    pub header_env: Vec<String>,
    /// Most redirects to follow; to another origin no header of yours is sent [default: 0].
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(0..=20), help_heading = "Request")]
    pub follow: Option<u32>,
    /// Addresses of the host to look at: `any` that answers first, `4`, `6`, or `all`, of which each must be good
    /// [default: any].
    #[arg(long, value_name = "WHICH", help_heading = "Request")]
    pub ip: Option<String>,
    /// Address to take for a host and port instead of asking DNS, as `host:443:10.0.0.1`.
    #[arg(long, value_name = "HOST:PORT:ADDRESS", help_heading = "Request")]
    pub resolve: Vec<String>,
    /// Text to send to `--tcp` before reading; knows `\r`, `\n`, `\t`, `\\` and `\xNN`.
    #[arg(
        long,
        value_name = "TEXT",
        help_heading = "Request",
        allow_hyphen_values = true
    )]
    pub send: Option<String>,
    /// Service that `--grpc` asks about [default: the whole server].
    #[arg(long, value_name = "NAME", help_heading = "Request")]
    pub grpc_service: Option<String>,
    /// Speak TLS to `--grpc` or `--redis`.
    #[arg(long, help_heading = "Request")]
    pub secure: bool,
    /// Variable with the password for `--redis`.
    #[arg(long, value_name = "VARIABLE", help_heading = "Request")]
    pub password_env: Option<String>,
    /// Kind of record that `--dns` asks for: A, AAAA, CNAME, TXT, SRV, MX, NS [default: A].
    #[arg(long, value_name = "KIND", help_heading = "Request")]
    pub record: Option<String>,
    /// Resolver that `--dns` asks, as `1.1.1.1` or `127.0.0.1:5353`; several must agree [default: the system's].
    #[arg(long, value_name = "ADDRESS", help_heading = "Request")]
    pub resolver: Vec<String>,
    /// Value that `--dns` must give; with several these and no others.
    #[arg(long, value_name = "VALUE", help_heading = "Expectations")]
    pub expect_record: Vec<String>,
    /// Service of `--compose` that must be there [default: all that are].
    #[arg(long, value_name = "NAME", help_heading = "Expectations")]
    pub service: Vec<String>,
}
