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

/// Hides what may be a secret in an address: user, password, their form in a header, and the values of the query, as they
/// are written and as they are meant.
fn of_address(url: &Url, runner: &Runner) {
    let (user, password) = (url.username(), url.password().unwrap_or_default());
    let basic = if user.is_empty() && password.is_empty() {
        String::new()
    } else {
        STANDARD.encode(format!("{user}:{password}"))
    };
    [user.to_owned(), password.to_owned(), basic]
        .into_iter()
        .filter(|secret| secret.len() >= SECRET_PART)
        .chain(values(url))
        .for_each(|secret| runner.mask(&secret));
}

/// The values of the query that may be secrets. What is shown of the address anyway is none, and hiding it would hide the
/// address; a name without a value is one of an option, if it is a word.
fn values(url: &Url) -> Vec<String> {
    let query = url.query().unwrap_or_default();
    let written = query.split('&').filter_map(|pair| match pair.split_once('=') {
        Some((_, value)) => Some(value),
        None => Some(pair).filter(|name| !is_word(name)),
    });
    let meant = url.query_pairs().filter_map(|(name, value)| match &*value {
        "" => Some(name).filter(|name| !is_word(name)),
        _ => Some(value),
    });
    let shown = crate::probe::http::shown(url);
    let may_be_secret =
        |part: &String| part.len() >= SECRET_PART && !part.contains("{{") && !shown.contains(part.as_str());
    let all = written
        .map(str::to_owned)
        .chain(meant.map(|value| value.into_owned()));
    all.filter(may_be_secret).collect()
}

/// Whether a text is made of a word's characters, and no longer than words are.
fn is_word(part: &str) -> bool {
    let plain = |c: char| c.is_alphabetic() || matches!(c, '-' | '_' | ' ' | '.');
    part.len() < SURELY_NO_WORD && part.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_long_value_of_a_query_may_be_a_secret() {
        for (address, secrets) in [
            ("https://x/?token=opensesame", &["opensesame"][..]),
            (
                "https://x/?a=Mixedcase&b=a-b-c-d-e-f",
                &["Mixedcase", "a-b-c-d-e-f"],
            ),
            ("https://x/?t=two%20words", &["two%20words", "two words"]),
            ("https://x/?t=two+words", &["two+words", "two words"]),
            ("https://x/?t=p%c3%a4ssword", &["p%c3%a4ssword", "pässword"]),
            ("https://x/?t=eight888&seven=seven77", &["eight888"]),
            ("https://x/?verbose_all", &[]),
            ("https://x/?s3cretkey", &["s3cretkey"]),
            ("https://x/?range={{window}}", &[]),
            (
                "https://checkout.example/orders?app=checkout&of=the-orders",
                &["the-orders"],
            ),
            ("https://x/", &[]),
        ] {
            let found: BTreeSet<String> = values(&Url::parse(address).unwrap()).into_iter().collect();
            let secrets = secrets.iter().map(|secret| (*secret).to_owned()).collect();
            assert_eq!(found, secrets, "{address}");
        }
    }
}
