//! Targets: one kind each, keys that fit it, and values that fit each other.

use crate::expect::{Expect, Header, JsonField, JsonRule};
use crate::probe::dns::Kind as RecordKind;
use crate::spec::check::text::{filled, header_pairs, plain_headers, texts};
use crate::spec::choice::{Method, PostgresTls};
use crate::spec::fault::Faults;
use crate::spec::file::leaf::{Leaf, Meaning};
use crate::spec::file::read::{Many, TextOr};
use crate::spec::file::targets as file;
use crate::spec::target::{Compose, Dns, Exec, Filter, Grpc, Http, Kind, Postgres, Redis, Target, Tcp, Tls};
use crate::status_set::StatusSet;
use crate::version::Version;

/// The keys that say what a target is.
pub(crate) const KINDS: [&str; 9] = [
    "http", "tcp", "tls", "dns", "grpc", "postgres", "redis", "exec", "compose",
];

/// Kinds for which `tls` is a setting.
pub(crate) const TLS_IS_A_SETTING: [&str; 3] = ["grpc", "postgres", "redis"];

/// Which kinds a key belongs to; a key that is not here belongs to all.
pub(crate) const KEYS: [(&str, &[&str]); 32] = [
    ("method", &["http"]),
    ("headers", &["http"]),
    ("headers_env", &["http"]),
    ("body", &["http"]),
    ("follow", &["http"]),
    ("ip", &["http"]),
    ("resolve", &["http"]),
    ("give_up_on", &["http"]),
    ("max_latency", &["http"]),
    ("min_days", &["http", "tls"]),
    ("expect", &["http", "tcp"]),
    ("send", &["tcp"]),
    ("server_name", &["tls"]),
    ("record", &["dns"]),
    ("resolvers", &["dns"]),
    ("equals", &["dns"]),
    ("contains", &["dns"]),
    ("count", &["dns"]),
    ("service", &["grpc"]),
    ("authority", &["grpc"]),
    ("user", &["postgres"]),
    ("database", &["postgres"]),
    ("room", &["postgres"]),
    ("user_env", &["redis"]),
    ("password_env", &["redis"]),
    ("allow_noauth", &["redis"]),
    ("args", &["exec"]),
    ("services", &["compose"]),
    ("completed", &["compose"]),
    ("socket", &["compose"]),
    // A second kind is told on its own.
    ("rate", &KINDS),
    ("name", &KINDS),
];

/// How many redirects may be followed at most, as curl and browsers do.
const MOST_REDIRECTS: u32 = 20;

/// The largest number of days that a certificate can be asked to last.
const MOST_DAYS: u32 = 3650;

/// Checks a target.
pub(crate) fn target(raw: &file::Target, faults: &mut Faults) -> Option<Target> {
    let kind = kind(raw, faults)?;
    raw.given.fit(&KEYS, "target", kind, faults);
    let kind = match kind {
        "http" => Kind::Http(Box::new(http(raw, faults)?)),
        "tcp" => Kind::Tcp(tcp(raw, faults)?),
        "tls" => Kind::Tls(tls(raw, faults)?),
        "dns" => Kind::Dns(dns(raw, faults)?),
        "grpc" => Kind::Grpc(Grpc {
            address: raw.grpc.clone()?.value,
            service: raw
                .service
                .clone()
                .map_or_else(String::new, |service| service.value),
            tls: setting(raw.tls.as_ref(), faults).unwrap_or_default(),
            authority: filled(raw.authority.as_ref(), "authority", faults),
        }),
        "postgres" => Kind::Postgres(Postgres {
            address: raw.postgres.clone()?.value,
            user: filled(raw.user.as_ref(), "user", faults),
            database: filled(raw.database.as_ref(), "database", faults),
            tls: setting::<PostgresTls>(raw.tls.as_ref(), faults).unwrap_or_default(),
            room: raw.room.as_ref().is_some_and(|room| room.value),
        }),
        "redis" => Kind::Redis(Redis {
            address: raw.redis.clone()?.value,
            user: raw.user_env.clone(),
            password: raw.password_env.clone(),
            tls: setting(raw.tls.as_ref(), faults).unwrap_or_default(),
            allow_noauth: raw.allow_noauth.as_ref().is_some_and(|allow| allow.value),
        }),
        "exec" => Kind::Exec(Exec {
            program: filled(raw.exec.as_ref(), "exec", faults)?,
            args: raw.args.iter().flatten().map(|arg| arg.value.clone()).collect(),
        }),
        _ => Kind::Compose(Compose {
            project: filled(raw.compose.as_ref(), "compose", faults)?,
            services: texts(raw.services.as_ref(), "services", faults),
            completed: texts(raw.completed.as_ref(), "completed", faults),
            socket: filled(raw.socket.as_ref(), "socket", faults),
        }),
    };
    let mut target = Target::new(kind);
    if let Some(name) = filled(raw.name.as_ref(), "name", faults) {
        target.name = name;
    }
    Some(target)
}

/// The one key that says the kind.
fn kind(raw: &file::Target, faults: &mut Faults) -> Option<&'static str> {
    let mut kinds: Vec<&str> = KINDS.into_iter().filter(|kind| raw.given.has(kind)).collect();
    if kinds.iter().any(|kind| TLS_IS_A_SETTING.contains(kind)) {
        kinds.retain(|kind| *kind != "tls");
    }
    match kinds[..] {
        [kind] => KINDS.into_iter().find(|known| *known == kind),
        [] => {
            let known: Vec<String> = KINDS.iter().map(|kind| format!("`{kind}`")).collect();
            faults.add(
                raw.given.at,
                format!("a target needs one of {}", known.join(", ")),
            );
            None
        }
        [first, second, ..] => {
            faults.add(
                raw.given.place(second),
                format!(
                    "a target is one thing, and this one has `{first}` and `{second}`; make two targets of it"
                ),
            );
            None
        }
    }
}

/// `tls` as a setting.
fn setting<T: Meaning>(raw: Option<&Leaf<String>>, faults: &mut Faults) -> Option<T> {
    let raw = raw?;
    faults.keep(
        raw.at,
        T::mean(&raw.value).map_err(|reason| format!("`tls`: {reason}")),
    )
}

fn http(raw: &file::Target, faults: &mut Faults) -> Option<Http> {
    let default = TextOr::Map(None);
    let written = raw.expect.as_ref().map_or(default, |expect| match expect {
        TextOr::Text(text) => TextOr::Text(text),
        TextOr::Map(expect) => TextOr::Map(Some(expect)),
    });
    let expect = match written {
        TextOr::Map(expect) => expect,
        TextOr::Text(text) => {
            faults.add(
                text.at,
                "`expect` of an `http` target is a map, such as `{status: 2xx, body: ready}`",
            );
            None
        }
    };
    let method = raw
        .method
        .as_ref()
        .map_or(Method::default(), |method| method.value);
    if let Some(body) = raw
        .body
        .as_ref()
        .filter(|_| matches!(method, Method::Get | Method::Head))
    {
        faults.add(
            body.at,
            "`body` is sent with another `method` than `GET` and `HEAD`, such as `POST`",
        );
    }
    let follow = raw.follow.as_ref().map_or(0, |follow| follow.value);
    if follow > MOST_REDIRECTS {
        faults.add(
            raw.given.place("follow"),
            format!("`follow` is {follow}, and may be at most {MOST_REDIRECTS}"),
        );
    }
    let headers = plain_headers(raw.headers.as_ref(), faults);
    let secret_headers = header_pairs(raw.headers_env.as_ref(), "headers_env", faults);
    if let Some(twice) = secret_headers.iter().find(|(secret, _)| {
        headers
            .iter()
            .any(|(plain, _)| plain.eq_ignore_ascii_case(secret))
    }) {
        faults.add(
            twice.1.at,
            format!("the header `{}` stands in `headers` too", twice.0),
        );
    }
    let usual: StatusSet = faults.keep(raw.given.at, "2xx".parse())?;
    let mut http = Http::new(raw.http.clone()?.value, usual);
    http.method = method;
    http.headers = headers;
    http.secret_headers = secret_headers;
    http.body = raw.body.clone().map(|body| body.value);
    http.follow = follow;
    http.addresses = raw.ip.as_ref().map(|ip| ip.value).unwrap_or_default();
    http.resolve = raw
        .resolve
        .iter()
        .flat_map(|many| &many.0)
        .map(|one| one.value.clone())
        .collect();
    http.give_up_on = raw.give_up_on.clone().map(|codes| codes.value);
    http.min_days = days(raw, faults);
    http.max_latency = raw.max_latency.as_ref().map(|limit| limit.value);
    if let Some(limit) = raw.max_latency.as_ref().filter(|limit| limit.value.is_zero()) {
        faults.add(limit.at, "`max_latency` must be more than zero");
    }
    if http.min_days.is_some() && http.address.url().scheme() == "http" {
        faults.add(
            raw.given.place("min_days"),
            "`min_days` is about a certificate, and an `http://` address has none",
        );
    }
    if let Some(expect) = expect {
        fill_expect(&mut http.expect, expect, faults);
    }
    Some(http)
}

fn fill_expect(expect: &mut Expect<Filter>, raw: &file::Expect, faults: &mut Faults) {
    if let Some(status) = &raw.status {
        expect.status = status.value.clone();
    }
    expect.body = texts(raw.body.as_ref(), "body", faults);
    expect.matches = raw
        .matches
        .iter()
        .flat_map(|many| &many.0)
        .map(|one| one.value.clone())
        .collect();
    expect.json = json_rules(raw.json.as_ref(), faults);
    for (name, value) in raw.headers.iter().flat_map(|headers| headers.read()) {
        let rule = format!("{}: {}", name.name, value.value);
        expect
            .headers
            .extend(faults.keep(name.at, rule.parse::<Header>()));
    }
    let version = filled(raw.version.as_ref(), "version", faults);
    if let (None, Some(at)) = (&raw.version, &raw.version_at) {
        faults.add(
            at.at,
            "`version_at` says where a version stands, and there is no `version`",
        );
    }
    expect.version = version.map(|wanted| Version {
        wanted: wanted.trim().to_owned(),
        at: raw.version_at.clone().map(|at| at.value).unwrap_or_default(),
    });
}

/// A text that starts with `/` is a pointer with a value, any other an expression.
fn json_rules(raw: Option<&Many<Leaf<String>>>, faults: &mut Faults) -> Vec<JsonRule<Filter>> {
    let mut rules = Vec::new();
    for rule in raw.into_iter().flat_map(|many| &many.0) {
        if rule.value.trim_start().starts_with('/') {
            let field = rule.value.trim().parse::<JsonField>();
            rules.extend(faults.keep(rule.at, field).map(JsonRule::Field));
        } else if rule.value.trim().is_empty() {
            faults.add(rule.at, "`json` holds an empty text");
        } else {
            rules.push(JsonRule::Expression(Filter {
                text: rule.value.clone(),
                at: rule.at,
            }));
        }
    }
    rules
}

/// The days that a certificate must last.
fn days(raw: &file::Target, faults: &mut Faults) -> Option<u32> {
    let days = raw.min_days.as_ref()?;
    if days.value > MOST_DAYS {
        faults.add(
            days.at,
            format!("`min_days` is {}, and may be at most {MOST_DAYS}", days.value),
        );
    }
    Some(days.value)
}

fn tcp(raw: &file::Target, faults: &mut Faults) -> Option<Tcp> {
    let mut tcp = Tcp::new(raw.tcp.clone()?.value);
    tcp.send = raw.send.clone().map(|send| send.value);
    match &raw.expect {
        Some(TextOr::Text(pattern)) => {
            // Checked as text first: its message is the clearer one.
            let text = <regex::Regex as Meaning>::mean(&pattern.value)
                .map_err(|reason| format!("`expect`: {reason}"));
            faults.keep(pattern.at, text)?;
            tcp.expect = faults.keep(pattern.at, regex::bytes::Regex::new(&pattern.value));
        }
        Some(TextOr::Map(expect)) => {
            faults.add(
                expect.given.at,
                "`expect` of a `tcp` target is a regular expression",
            );
        }
        None => {}
    }
    Some(tcp)
}

fn tls(raw: &file::Target, faults: &mut Faults) -> Option<Tls> {
    let address = raw.tls.as_ref()?;
    Some(Tls {
        address: setting(Some(address), faults)?,
        server_name: filled(raw.server_name.as_ref(), "server_name", faults),
        min_days: days(raw, faults),
    })
}

fn dns(raw: &file::Target, faults: &mut Faults) -> Option<Dns> {
    if let Some(count) = raw.count.as_ref().filter(|count| count.value == 0) {
        faults.add(count.at, "`count` must be at least 1");
    }
    Some(Dns {
        name: filled(raw.dns.as_ref(), "dns", faults)?,
        record: raw.record.as_ref().map_or(RecordKind::A, |record| record.value),
        resolvers: raw
            .resolvers
            .iter()
            .flat_map(|many| &many.0)
            .map(|one| one.value)
            .collect(),
        equals: texts(raw.equals.as_ref(), "equals", faults),
        contains: filled(raw.contains.as_ref(), "contains", faults),
        count: raw.count.as_ref().map(|count| count.value),
    })
}
