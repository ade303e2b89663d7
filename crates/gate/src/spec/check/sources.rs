//! Sources: keys that fit the type, and queries that fit the source.

use std::time::Duration;

use gha::env::Env;
use gha::text;

use crate::source::pick::Pick;
use crate::source::{Metric, Query};
use crate::spec::check::text::{filled, header_pairs};
use crate::spec::fault::{Faults, Place};
use crate::spec::file::leaf::Leaf;
use crate::spec::file::query as file_query;
use crate::spec::file::read::{Context, Named, TextOr};
use crate::spec::file::sources as file;
use crate::spec::file::words::SourceType;
use crate::spec::names::{is_name, nearest};
use crate::spec::secret::SecretName;
use crate::spec::sources::{Credentials, EcsMetric, Kind, Selection, Source};
use crate::spec::target::Filter;

/// The longest one asking may take where nothing else is said.
const TIMEOUT: Duration = Duration::from_secs(10);

/// How far in the past CloudWatch is asked where nothing else is said: its newest minutes are incomplete.
const CLOUDWATCH_OFFSET: Duration = Duration::from_secs(120);

/// What a Compose source is asked where nothing else is said.
const RESTARTS: &str = "restarts";

/// Which types a key belongs to; a key that is not here belongs to all.
pub(crate) const KEYS: [(&str, &[&str]); 16] = [
    ("url", &["prometheus", "datadog", "http_json"]),
    ("bearer_env", &["prometheus"]),
    ("basic_env", &["prometheus"]),
    ("headers_env", &["prometheus", "http_json"]),
    ("offset", &["prometheus", "cloudwatch"]),
    ("region", &["cloudwatch"]),
    ("endpoint", &["cloudwatch"]),
    ("site", &["datadog"]),
    ("api_key_env", &["datadog"]),
    ("app_key_env", &["datadog"]),
    ("value", &["http_json", "exec"]),
    ("program", &["exec"]),
    ("args", &["exec"]),
    ("project", &["compose"]),
    ("socket", &["compose"]),
    ("metric", &["ecs"]),
];

/// The sources by name, as far as they are known.
pub(crate) struct Table(Vec<Entry>);

struct Entry {
    name: String,
    kind: Option<SourceType>,
    /// What it tells where a rule asks for nothing else.
    value: Option<String>,
    /// The same of a service on ECS.
    metric: EcsMetric,
}

impl Table {
    /// The sources of a file, whether or not they are right.
    pub(crate) fn of(raw: Option<&Named<file::Source>>) -> Self {
        let entries = raw.into_iter().flat_map(|sources| &sources.0);
        let entry = |(name, source): &(crate::spec::node::Key, Option<file::Source>)| Entry {
            name: name.name.clone(),
            kind: source
                .as_ref()
                .and_then(|source| source.r#type.as_ref())
                .map(|kind| kind.value),
            value: source
                .as_ref()
                .and_then(|source| source.value.as_ref())
                .map(|value| value.value.clone()),
            metric: source
                .as_ref()
                .and_then(|source| source.metric.as_ref())
                .map(|metric| metric.value)
                .unwrap_or_default(),
        };
        Self(entries.map(entry).collect())
    }

    /// The index of a source.
    pub(crate) fn index(&self, name: &Leaf<String>, faults: &mut Faults) -> Option<usize> {
        let found = self.0.iter().position(|entry| entry.name == name.value);
        if found.is_none() {
            let hint = nearest(&name.value, self.0.iter().map(|entry| entry.name.as_str()));
            let shown = text::cut(&name.value, 80);
            faults.add(
                name.at,
                format!("there is no source `{shown}` in `sources`{hint}"),
            );
        }
        found
    }

    /// Whether this is CloudWatch, which counts whole minutes.
    pub(crate) fn counts_minutes(&self, index: usize) -> bool {
        self.kind(index) == Some(SourceType::CloudWatch)
    }

    /// A query as its source takes it. `at` is where it is missing.
    pub(crate) fn query(
        &self,
        index: usize,
        raw: Option<&file_query::Query>,
        at: Place,
        faults: &mut Faults,
    ) -> Option<Query> {
        let kind = self.kind(index)?;
        let own = self.0[index].value.clone();
        match (raw, kind) {
            (Some(TextOr::Text(query)), kind) => {
                let text = filled(Some(query), "query", faults)?;
                faults.keep(query.at, answerable(kind, &text))?;
                Some(Query::Text(text))
            }
            (Some(TextOr::Map(raw)), SourceType::CloudWatch) => metric(raw, faults).map(Query::Metric),
            (Some(TextOr::Map(raw)), _) => {
                faults.add(
                    raw.given.at,
                    "a map with `namespace` and `metric` is for `cloudwatch`; this source takes a text",
                );
                None
            }
            (None, SourceType::Ecs) => Some(Query::Text(self.0[index].metric.word().to_owned())),
            (None, SourceType::Compose) => Some(Query::Text(RESTARTS.to_owned())),
            // What a program prints may be the number itself.
            (None, SourceType::Exec) => Some(Query::Text(own.unwrap_or_default())),
            (None, SourceType::HttpJson) if own.is_some() => own.map(Query::Text),
            (None, SourceType::HttpJson) => {
                faults.add(at, "there is neither a `query` here nor a `value` at the source; write for example `query: .errors`");
                None
            }
            (None, _) => {
                faults.add(at, "this source needs a `query`");
                None
            }
        }
    }

    /// The buckets of a histogram.
    pub(crate) fn buckets(
        &self,
        index: usize,
        selector: &Leaf<String>,
        faults: &mut Faults,
    ) -> Option<Query> {
        if self.kind(index)? != SourceType::Prometheus {
            let name = &self.0[index].name;
            faults.add(
                selector.at,
                format!("a `histogram` reads the buckets of a `prometheus` source, which `{name}` is not"),
            );
            return None;
        }
        filled(Some(selector), "selector", faults).map(Query::Buckets)
    }

    fn kind(&self, index: usize) -> Option<SourceType> {
        self.0.get(index).and_then(|entry| entry.kind)
    }
}

/// Whether a source of this kind can make something of a query, as far as that can be told without asking it.
fn answerable(kind: SourceType, query: &str) -> Result<(), String> {
    let only = |word: &str| {
        let shown = text::cut(&text::visible(query), 80);
        let known = (query == word).then_some(());
        known.ok_or_else(|| {
            format!(
                "`{shown}` can't be asked: a `{}` source answers `{word}` only",
                kind.word()
            )
        })
    };
    match kind {
        SourceType::HttpJson | SourceType::Exec => Pick::parse(query).map(drop),
        SourceType::Compose => only(RESTARTS),
        SourceType::Ecs => only(EcsMetric::Crashes.word()),
        SourceType::Prometheus | SourceType::CloudWatch | SourceType::Datadog => Ok(()),
    }
}

fn metric(raw: &file_query::Metric, faults: &mut Faults) -> Option<Metric> {
    raw.given.need("namespace", "a metric", faults);
    raw.given.need("metric", "a metric", faults);
    let statistic = filled(raw.statistic.as_ref(), "statistic", faults).unwrap_or_else(|| "Sum".to_owned());
    let known = ["Sum", "Average", "Maximum", "Minimum", "SampleCount"];
    // Percentiles and trimmed statistics hold digits: `p95`, `tm90`, `PR(:300)`, `IQM` aside.
    let extended = statistic == "IQM" || statistic.contains(|c: char| c.is_ascii_digit());
    if !known.contains(&statistic.as_str()) && !extended {
        let hint = nearest(&statistic, known);
        let shown = text::cut(&statistic, 40);
        faults.add(
            raw.given.place("statistic"),
            format!("`{shown}` is no statistic{hint}"),
        );
    }
    let dimensions = raw.dimensions.iter().flat_map(Named::read);
    Some(Metric {
        namespace: filled(raw.namespace.as_ref(), "namespace", faults)?,
        name: filled(raw.metric.as_ref(), "metric", faults)?,
        dimensions: dimensions
            .map(|(name, value)| (name.name.clone(), value.value.clone()))
            .collect(),
        statistic,
    })
}

/// Checks the sources.
pub(crate) fn sources(raw: Option<&Named<file::Source>>, context: &mut Context<'_>) -> Vec<Source> {
    let Context {
        env,
        tells_ecs,
        faults,
        ..
    } = context;
    let mut sources = Vec::new();
    for (name, raw) in raw.into_iter().flat_map(Named::read) {
        if !is_name(&name.name) {
            let shown = text::cut(&name.name, 80);
            faults.add(
                name.at,
                format!(
                    "`{shown}` can't name a source; write small letters, digits, `_` and `-`, a letter first"
                ),
            );
        }
        let source = source(&name.name, raw, env, faults);
        sources.extend(source.filter(|source| offered(source, raw, *tells_ecs, faults)));
    }
    sources
}

fn source(name: &str, raw: &file::Source, env: &Env, faults: &mut Faults) -> Option<Source> {
    raw.given.need("type", "a source", faults);
    let kind = raw.r#type.as_ref()?.value;
    raw.given.fit(&KEYS, "source", kind.word(), faults);
    let timeout = raw.timeout.as_ref().map_or(TIMEOUT, |timeout| timeout.value);
    if timeout.is_zero() {
        faults.add(raw.given.place("timeout"), "`timeout` must be more than zero");
    }
    let offset = raw.offset.as_ref().map(|offset| offset.value);
    let address = |faults: &mut Faults| {
        raw.given.need("url", "this source", faults);
        raw.url.clone().map(|url| url.value)
    };
    let headers = |faults: &mut Faults| header_pairs(raw.headers_env.as_ref(), "headers_env", faults);
    let kind = match kind {
        SourceType::Prometheus => Kind::Prometheus {
            url: address(faults)?,
            credentials: credentials(raw, faults),
            headers: headers(faults),
            offset: offset.unwrap_or_default(),
        },
        SourceType::CloudWatch => Kind::CloudWatch {
            region: filled(raw.region.as_ref(), "region", faults),
            endpoint: raw.endpoint.clone().map(|endpoint| endpoint.value),
            offset: offset.unwrap_or(CLOUDWATCH_OFFSET),
        },
        SourceType::Datadog => Kind::Datadog {
            site: site(raw, faults)?,
            url: raw.url.clone().map(|url| url.value),
            api_key: key(
                raw,
                "api_key_env",
                "DD_API_KEY",
                raw.api_key_env.as_ref(),
                env,
                faults,
            )?,
            app_key: key(
                raw,
                "app_key_env",
                "DD_APP_KEY",
                raw.app_key_env.as_ref(),
                env,
                faults,
            )?,
        },
        SourceType::HttpJson => Kind::HttpJson {
            url: address(faults)?,
            headers: headers(faults),
            value: selection(raw.value.as_ref(), faults),
        },
        SourceType::Exec => {
            raw.given.need("program", "an `exec` source", faults);
            Kind::Exec {
                program: filled(raw.program.as_ref(), "program", faults)?,
                at: raw.given.place("program"),
                args: raw.args.iter().flatten().map(|arg| arg.value.clone()).collect(),
                value: selection(raw.value.as_ref(), faults),
            }
        }
        SourceType::Compose => {
            raw.given.need("project", "a `compose` source", faults);
            Kind::Compose {
                project: filled(raw.project.as_ref(), "project", faults)?,
                socket: filled(raw.socket.as_ref(), "socket", faults),
            }
        }
        SourceType::Ecs => Kind::Ecs {
            metric: raw.metric.as_ref().map(|metric| metric.value).unwrap_or_default(),
        },
    };
    Some(Source {
        name: name.to_owned(),
        timeout,
        kind,
    })
}

/// Whether the tool that reads the file can ask a source.
fn offered(source: &Source, raw: &file::Source, tells_ecs: bool, faults: &mut Faults) -> bool {
    let is_refused = matches!(source.kind, Kind::Ecs { .. }) && !tells_ecs;
    if is_refused {
        let reason =
            "`ecs` tells of the service that `ecs-deploy` is deploying: it is for gates of `ecs-deploy` only";
        faults.add(raw.given.place("type"), reason);
    }
    !is_refused
}

fn credentials(raw: &file::Source, faults: &mut Faults) -> Option<Credentials> {
    match (&raw.bearer_env, &raw.basic_env) {
        (Some(_), Some(basic)) => {
            faults.add(basic.at, "`basic_env` and `bearer_env` exclude each other");
            None
        }
        (Some(bearer), None) => Some(Credentials::Bearer(bearer.clone())),
        (None, Some(basic)) => Some(Credentials::Basic(basic.clone())),
        (None, None) => None,
    }
}

/// The site of Datadog (<https://docs.datadoghq.com/getting_started/site/>).
fn site(raw: &file::Source, faults: &mut Faults) -> Option<String> {
    let Some(site) = &raw.site else {
        return Some("datadoghq.com".to_owned());
    };
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-');
    if !site.value.contains('.') || !site.value.chars().all(plain) {
        let shown = text::cut(&site.value, 80);
        faults.add(
            site.at,
            format!("`site`: `{shown}` is no site; write for example `datadoghq.eu`"),
        );
        return None;
    }
    Some(site.value.clone())
}

/// The variable of a key, by default the usual one.
fn key(
    raw: &file::Source,
    name: &str,
    usual: &str,
    given: Option<&SecretName>,
    env: &Env,
    faults: &mut Faults,
) -> Option<SecretName> {
    if raw.given.has(name) {
        return given.cloned();
    }
    if env.get(usual).is_none() {
        let reason = format!(
            "the environment variable `{usual}` is not set or empty; set it, or name another in `{name}`"
        );
        faults.add(raw.given.at, reason);
        return None;
    }
    Some(SecretName {
        name: usual.to_owned(),
        at: raw.given.at,
    })
}

/// A text that starts with `/` is a pointer, any other an expression.
fn selection(raw: Option<&Leaf<String>>, faults: &mut Faults) -> Option<Selection> {
    let text = filled(raw, "value", faults)?;
    let at = raw?.at;
    faults.keep(at, Pick::parse(&text))?;
    Some(if text.starts_with('/') {
        Selection::Pointer(text)
    } else {
        Selection::Filter(Filter { text, at })
    })
}
