//! Everything secret in a gate file or in flags is hidden before anything is said about it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gha::Runner;
use gha::edge::http::Url;

use crate::spec::Spec;
use crate::spec::secret::SecretName;
use crate::spec::sources::{Credentials, Kind as SourceKind};
use crate::spec::target::{Kind, Target};

/// A part of an address that is as long as this may be a secret; shorter ones would be hidden inside other words, and are
/// printed nowhere by us.
const SECRET_PART: usize = 8;

/// A part that is as long as this is hidden whatever it is made of.
const SURELY_NO_WORD: usize = 20;

/// Hides every secret.
pub(super) fn hide(spec: &Spec, runner: &Runner) {
    for target in spec.targets() {
        of_target(target, runner);
    }
    for source in &spec.sources {
        of_source(&source.kind, runner);
    }
}

fn of_target(target: &Target, runner: &Runner) {
    match &target.kind {
        Kind::Http(http) => {
            of_address(http.address.url(), runner);
            named(http.secret_headers.iter().map(|(_, name)| name), runner);
        }
        Kind::Redis(redis) => named(redis.user.iter().chain(&redis.password), runner),
        Kind::Tcp(_)
        | Kind::Tls(_)
        | Kind::Dns(_)
        | Kind::Grpc(_)
        | Kind::Postgres(_)
        | Kind::Exec(_)
        | Kind::Compose(_) => {}
    }
}

fn of_source(kind: &SourceKind, runner: &Runner) {
    match kind {
        SourceKind::Prometheus {
            url,
            credentials,
            headers,
            ..
        } => {
            of_address(url.url(), runner);
            let credentials = credentials.iter().map(|credentials| match credentials {
                Credentials::Bearer(name) | Credentials::Basic(name) => name,
            });
            named(credentials.chain(headers.iter().map(|(_, name)| name)), runner);
        }
        SourceKind::Datadog {
            url,
            api_key,
            app_key,
            ..
        } => {
            url.iter().for_each(|url| of_address(url.url(), runner));
            named([api_key, app_key], runner);
        }
        SourceKind::HttpJson { url, headers, .. } => {
            of_address(url.url(), runner);
            named(headers.iter().map(|(_, name)| name), runner);
        }
        SourceKind::CloudWatch { .. }
        | SourceKind::Exec { .. }
        | SourceKind::Compose { .. }
        | SourceKind::Ecs { .. } => {}
    }
}

/// Hides the values of variables; of `user:password` and `Bearer token` also what is secret in them.
fn named<'a>(names: impl IntoIterator<Item = &'a SecretName>, runner: &Runner) {
    for value in names.into_iter().filter_map(|name| runner.env().get(&name.name)) {
        runner.mask(value);
        value
            .split([' ', ':'])
            .filter(|part| part.len() >= SECRET_PART)
            .for_each(|part| runner.mask(part));
    }
}

/// Whether a value of a query looks like a secret: a word such as `production` would be hidden in all that the job says from
/// then on, and a runner drops outputs that hold it.
fn may_be_secret(part: &str) -> bool {
    let is_word = part
        .chars()
        .all(|c| c.is_alphabetic() || matches!(c, '-' | '_' | ' ' | '.'));
    part.len() >= SECRET_PART && !part.contains("{{") && (!is_word || part.len() >= SURELY_NO_WORD)
}

/// Hides what may be a secret in an address: user, password, their form in a header, and the values of the query.
fn of_address(url: &Url, runner: &Runner) {
    let (user, password) = (url.username(), url.password().unwrap_or_default());
    let basic = if user.is_empty() && password.is_empty() {
        String::new()
    } else {
        STANDARD.encode(format!("{user}:{password}"))
    };
    let values = url.query_pairs().map(|(_, value)| value.into_owned());
    [user.to_owned(), password.to_owned(), basic]
        .into_iter()
        .filter(|secret| secret.len() >= SECRET_PART)
        .chain(values.filter(|value| may_be_secret(value)))
        .for_each(|secret| runner.mask(&secret));
}
