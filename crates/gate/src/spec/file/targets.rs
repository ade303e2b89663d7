//! A target, in `wait` and as a probe: exactly one key says its kind.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::time::Duration;

use regex::Regex;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::json;

use crate::net::host_port::HostPort;
use crate::net::place::Place;
use crate::net::resolve::Override;
use crate::probe::dns::Kind as RecordKind;
use crate::spec::address::Address;
use crate::spec::choice::{Addresses, Method};
use crate::spec::file::amounts::Rate;
use crate::spec::file::leaf::Leaf;
use crate::spec::file::read::{Context, Many, Named, Read, TextOr, keys};
use crate::spec::node::Node;
use crate::spec::secret::SecretName;
use crate::status_set::StatusSet;
use crate::version::VersionAt;

keys! {
    /// Something that can be looked at. Exactly one of `http`, `tcp`, `tls`, `dns`, `grpc`, `postgres`, `redis`, `exec` and
    /// `compose` says what it is.
    #[schemars(transform = crate::spec::schema::target)]
    Target {
        /// Its name, unique. Default: its address.
        name: Leaf<String>,

        /// An HTTP target: its address.
        http: Leaf<Address>,
        /// A TCP target: host and port, or `unix:/path`. That a port is open does not mean that the service is ready.
        tcp: Leaf<Place>,
        /// A TLS target: host and port, whose certificate is looked at. With `grpc` or `redis`: whether the connection is
        /// encrypted. With `postgres`: `disable`, `prefer` (the default), `require` or `verify-full`.
        #[schemars(extend("type" = ["string", "boolean"]))]
        tls: Leaf<String>,
        /// A DNS target: the name that is asked for.
        dns: Leaf<String>,
        /// A gRPC target: host and port of a server with the standard health service.
        grpc: Leaf<HostPort>,
        /// A PostgreSQL target: host and port, or `unix:/path`. Ready means what `pg_isready` means.
        postgres: Leaf<Place>,
        /// A Redis target: host and port, or `unix:/path`.
        redis: Leaf<Place>,
        /// A program that says by its exit code whether the target is good. Run without a shell.
        exec: Leaf<String>,
        /// A Docker Compose project: its name.
        compose: Leaf<String>,

        /// http: the method. Default: `GET`.
        method: Leaf<Method>,
        /// http: headers to send. Secrets belong in `headers_env`.
        headers: Named<Leaf<String>>,
        /// http: headers to send whose values stand in environment variables: header to variable.
        headers_env: Named<SecretName>,
        /// http: a body to send.
        body: Leaf<String>,
        /// http: how many redirects are followed, at most 20. Default: 0, because a login page answers 200 too.
        follow: Leaf<u32>,
        /// http: which addresses of the host: `any` (the default), `4`, `6`, or `all`, each of which must be good.
        ip: Leaf<Addresses>,
        /// http: addresses to use instead of what a name resolves to: `host:port:address`.
        resolve: Many<Leaf<Override>>,
        /// http: statuses that end the wait at once with a no, such as `401,403`.
        give_up_on: Leaf<StatusSet>,
        /// http, tls: for how many more days the certificate must be valid.
        min_days: Leaf<u32>,
        /// http: the longest a good answer may take.
        max_latency: Leaf<Duration>,
        /// http: what the answer must look like. tcp: a regular expression that must match what the target says.
        expect: TextOr<Leaf<String>, Expect>,

        /// tcp: what is sent; `\r`, `\n`, `\t` and `\xNN` stand for bytes.
        send: Leaf<String>,

        /// tls: the name that is asked for and must be in the certificate. Default: the host.
        server_name: Leaf<String>,

        /// dns: the kind of record. Default: `A`.
        record: Leaf<RecordKind>,
        /// dns: resolvers that must agree: `1.1.1.1`, `127.0.0.1:5353`. Default: the system's.
        resolvers: Many<Leaf<SocketAddr>>,
        /// dns: the values there must be, and no other.
        equals: Many<Leaf<String>>,
        /// dns: a value that must be there, among others.
        contains: Leaf<String>,
        /// dns: how many values there must be at least.
        count: Leaf<u32>,

        /// grpc: the service that is asked about. Default: the whole server.
        service: Leaf<String>,
        /// grpc: the authority of the request. Default: the address.
        authority: Leaf<String>,

        /// postgres: the user of the connection; no password is needed. Default: `postgres`.
        user: Leaf<String>,
        /// postgres: the database. Default: `postgres`.
        database: Leaf<String>,
        /// postgres: whether a server without free connections is bad. Default: false.
        room: Leaf<bool>,

        /// redis: the environment variable with the user.
        user_env: SecretName,
        /// redis: the environment variable with the password.
        password_env: SecretName,
        /// redis: whether a server that asks for a password is good. Default: false.
        allow_noauth: Leaf<bool>,

        /// exec: the program's arguments.
        args: Vec<Leaf<String>>,

        /// compose: the services that must run. Default: all there are.
        services: Many<Leaf<String>>,
        /// compose: services that must have ended with exit code 0.
        completed: Many<Leaf<String>>,
        /// compose: where Docker listens: `unix:///var/run/docker.sock`. Default: `DOCKER_HOST`, or that.
        socket: Leaf<String>,

        /// From the start of one try to the start of the next. Default: the wait's.
        interval: Leaf<Duration>,
        /// The longest one try may take. Default: the wait's; for a probe `5s`.
        try_timeout: Leaf<Duration>,
        /// How many good tries in a row are a yes. Default: the wait's.
        success_threshold: Leaf<u32>,
        /// How often a probe looks: `2/s`, `30/m`. Default: `1/s`.
        rate: Leaf<Rate>,
    }
}

keys! {
    /// What an answer must look like. Everything must hold.
    Expect {
        /// The statuses that are good. Default: `2xx`.
        status: Leaf<StatusSet>,
        /// Texts that the body must contain.
        body: Many<Leaf<String>>,
        /// Regular expressions that the body must match.
        matches: Many<Leaf<Regex>>,
        /// Rules for a JSON body: a jq expression that must be true, such as `.status == "ok"`, or a pointer with a value,
        /// such as `/db=true`. Variables stand in expressions as `$name` too.
        json: Many<Leaf<String>>,
        /// Headers that must be there, each with a text that its value must contain; an empty text for any value.
        headers: Named<Leaf<String>>,
        /// The version that must answer.
        version: Leaf<String>,
        /// Where the answer names its version: `usual` (the default), `/pointer`, `header:name` or `body`.
        version_at: Leaf<VersionAt>,
    }
}

/// A target of a wait.
#[derive(Clone, Debug)]
pub(crate) struct WaitTarget(pub(crate) Target);

/// A target of an observation.
#[derive(Clone, Debug)]
pub(crate) struct Probe(pub(crate) Target);

/// Keys that only a probe has.
pub(crate) const PROBE_ONLY: [&str; 1] = ["rate"];

/// Keys that only a target of a wait has.
pub(crate) const WAIT_ONLY: [&str; 3] = ["interval", "success_threshold", "give_up_on"];

impl Read for WaitTarget {
    fn read(node: &Node, _: &str, context: &mut Context<'_>) -> Option<Self> {
        let target = Target::read(node, "target", context)?;
        refuse(
            &target,
            &PROBE_ONLY,
            "belongs to a probe of `watch`, not to a target of `wait`",
            context,
        );
        Some(Self(target))
    }
}

impl Read for Probe {
    fn read(node: &Node, _: &str, context: &mut Context<'_>) -> Option<Self> {
        let target = Target::read(node, "probe", context)?;
        refuse(
            &target,
            &WAIT_ONLY,
            "belongs to a target of `wait`; a probe looks by its `rate` until the end",
            context,
        );
        Some(Self(target))
    }
}

fn refuse(target: &Target, keys: &[&'static str], why: &str, context: &mut Context<'_>) {
    for key in keys.iter().filter(|key| target.given.has(key)) {
        let at = target.given.place(key);
        context.faults.add(at, format!("`{key}` {why}"));
    }
}

/// The schema of a target without the keys that do not belong there.
fn without(generator: &mut SchemaGenerator, keys: &[&str]) -> Schema {
    let target = generator.subschema_for::<Target>();
    let refused: serde_json::Map<_, _> = keys.iter().map(|key| ((*key).to_owned(), json!(false))).collect();
    schemars::json_schema!({"allOf": [target], "properties": refused})
}

impl JsonSchema for WaitTarget {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "WaitTarget".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        without(generator, &PROBE_ONLY)
    }
}

impl JsonSchema for Probe {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Probe".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        without(generator, &WAIT_ONLY)
    }
}
