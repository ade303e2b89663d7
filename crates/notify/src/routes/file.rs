//! The file of routes: YAML, or JSON, which is YAML too. What it does not know is refused, and so is a secret that stands in it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::ValueEnum as _;
use gha::text;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _};

use super::{Route, Routes};
use crate::channel::teams::Envelope;
use crate::error::Error;
use crate::phase::Phase;
use crate::receivers::NAMES;
use crate::severity::Severity;

/// The largest file that is read, in bytes.
const LARGEST: u64 = 256 * 1024;

/// What a file says.
#[derive(Debug)]
pub(crate) struct Read {
    /// Its name, for errors.
    pub(crate) name: String,
    /// The receivers that it names.
    pub(crate) receivers: BTreeMap<String, Declared>,
    /// The routes.
    pub(crate) routes: Routes,
}

impl Read {
    /// The variables that hold the secrets of its receivers.
    pub(crate) fn variables(&self) -> Vec<String> {
        self.receivers.values().flat_map(Declared::variables).collect()
    }
}

impl Declared {
    /// The variables that hold its secrets.
    pub(crate) fn variables(&self) -> Vec<String> {
        let named = match self {
            Self::Slack { webhook_env, .. }
            | Self::Teams { webhook_env, .. }
            | Self::Discord { webhook_env, .. } => {
                vec![webhook_env]
            }
            Self::SlackToken { token_env, .. } => vec![token_env],
            Self::Pagerduty { key_env, .. } => vec![key_env],
            Self::Email { smtp_url_env, .. } => vec![smtp_url_env],
            Self::Webhook {
                url_env, secret_env, ..
            } => vec![url_env, secret_env],
        };
        named.into_iter().flatten().cloned().collect()
    }
}

/// The whole of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Whole {
    #[serde(default)]
    receivers: BTreeMap<String, Declared>,
    routes: Vec<Written>,
}

/// A route, as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default)]
    severity: Words,
    #[serde(default)]
    phase: Words,
    #[serde(default)]
    environment: Words,
    #[serde(default)]
    service: Words,
    to: Words,
}

/// A receiver. Its secrets are named by variables or files.
#[derive(Debug, Deserialize)]
#[serde(
    tag = "type",
    rename_all = "kebab-case",
    rename_all_fields = "kebab-case",
    deny_unknown_fields
)]
pub(crate) enum Declared {
    Slack {
        #[serde(rename = "webhook")]
        _webhook: Option<Literal>,
        webhook_env: Option<String>,
        webhook_file: Option<PathBuf>,
        #[serde(default)]
        mention: Words,
    },
    SlackToken {
        #[serde(rename = "token")]
        _token: Option<Literal>,
        token_env: Option<String>,
        token_file: Option<PathBuf>,
        /// Where the API is; without it that of the input.
        url: Option<String>,
        channel: String,
        #[serde(default)]
        mention: Words,
    },
    Teams {
        #[serde(rename = "webhook")]
        _webhook: Option<Literal>,
        webhook_env: Option<String>,
        webhook_file: Option<PathBuf>,
        #[serde(default)]
        envelope: Envelope,
    },
    Discord {
        #[serde(rename = "webhook")]
        _webhook: Option<Literal>,
        webhook_env: Option<String>,
        webhook_file: Option<PathBuf>,
    },
    Pagerduty {
        #[serde(rename = "key")]
        _key: Option<Literal>,
        key_env: Option<String>,
        key_file: Option<PathBuf>,
        /// Where events go; without it that of the input.
        url: Option<String>,
    },
    Email {
        #[serde(rename = "smtp-url")]
        _smtp_url: Option<Literal>,
        smtp_url_env: Option<String>,
        smtp_url_file: Option<PathBuf>,
        from: String,
        to: Words,
    },
    Webhook {
        #[serde(rename = "url")]
        _url: Option<Literal>,
        url_env: Option<String>,
        url_file: Option<PathBuf>,
        #[serde(rename = "secret")]
        _secret: Option<Literal>,
        secret_env: Option<String>,
        secret_file: Option<PathBuf>,
    },
}

/// A secret in the file itself, which is refused whatever it is.
#[derive(Debug)]
pub(crate) struct Literal;

impl<'de> Deserialize<'de> for Literal {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        let help = "a secret must not stand in this file; name the variable that holds it, as `webhook-env: SLACK_OPS`";
        Err(D::Error::custom(help))
    }
}

/// A word, or a list of them.
#[derive(Debug, Default, Deserialize)]
#[serde(from = "OneOrMore")]
pub(crate) struct Words(pub(crate) Vec<String>);

#[derive(Deserialize)]
#[serde(untagged, expecting = "this is neither a word nor a list of words")]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl From<OneOrMore> for Words {
    fn from(words: OneOrMore) -> Self {
        match words {
            OneOrMore::One(word) => Self(vec![word]),
            OneOrMore::More(words) => Self(words),
        }
    }
}

/// Reads a file.
///
/// # Errors
/// When it can't be read, or says something else than it may. What it holds is not repeated.
pub(crate) fn read(path: &Path) -> Result<Read, Error> {
    let name = text::line(&path.display().to_string());
    let refuse = |reason: String| Error::Routes {
        name: name.clone(),
        reason,
    };
    let size = std::fs::metadata(path)
        .map_err(|error| refuse(error.to_string()))?
        .len();
    if size > LARGEST {
        return Err(refuse(format!("it is larger than {} KiB", LARGEST / 1024)));
    }
    let written = std::fs::read_to_string(path).map_err(|error| refuse(error.to_string()))?;
    let (receivers, routes) = parse(&written).map_err(refuse)?;
    Ok(Read {
        name,
        receivers,
        routes,
    })
}

/// What a text says.
fn parse(written: &str) -> Result<(BTreeMap<String, Declared>, Routes), String> {
    let mut options = serde_saphyr::options::Options::default();
    options.with_snippet = false;
    options.strict_booleans = true;
    let whole: Whole = serde_saphyr::from_str_with_options(written, options).map_err(|error| said(&error))?;
    for name in whole.receivers.keys() {
        let is_name = !name.is_empty()
            && name.len() <= 40
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        let shown = || text::cut(&text::visible(name), 40);
        if !is_name {
            return Err(format!(
                "the receiver `{}` needs a name of letters, digits, `-` and `_`",
                shown()
            ));
        }
        if NAMES.contains(&name.as_str()) || name.starts_with("github-") {
            return Err(format!(
                "the receiver `{}` has the name of one of the inputs; name it otherwise",
                shown()
            ));
        }
    }
    if whole.routes.is_empty() {
        return Err("it has no routes".to_owned());
    }
    let routes = whole.routes.into_iter().enumerate();
    let routes: Result<Vec<Route>, String> = routes
        .map(|(nth, route)| {
            route
                .read(&whole.receivers)
                .map_err(|reason| format!("route {}: {reason}", nth + 1))
        })
        .collect();
    Ok((whole.receivers, Routes::of(routes?)))
}

impl Written {
    fn read(self, receivers: &BTreeMap<String, Declared>) -> Result<Route, String> {
        let severity = |word: &String| {
            let wrong = || wrong("severity", word, &["low", "medium", "high", "critical"]);
            Severity::from_str(word, false).map_err(|_| wrong())
        };
        let phase = |word: &String| {
            let all = [
                Phase::Started,
                Phase::Succeeded,
                Phase::Failed,
                Phase::RolledBack,
                Phase::Cancelled,
            ];
            let known = all.into_iter().find(|phase| phase.word() == word);
            known.ok_or_else(|| wrong("phase", word, &all.map(Phase::word)))
        };
        if self.to.0.is_empty() {
            return Err("`to` names nobody".to_owned());
        }
        let is_known = |name: &&String| receivers.contains_key(*name) || NAMES.contains(&name.as_str());
        if let Some(stranger) = self.to.0.iter().find(|name| !is_known(name)) {
            let of_file = receivers.keys().map(String::as_str);
            let known: Vec<&str> = of_file.chain(NAMES).collect();
            if stranger.chars().count() > 20 {
                return Err(format!(
                    "`to` names who is no receiver; there are {}",
                    known.join(", ")
                ));
            }
            return Err(wrong("receiver", stranger, &known));
        }
        Ok(Route {
            severity: self.severity.0.iter().map(severity).collect::<Result<_, _>>()?,
            phase: self.phase.0.iter().map(phase).collect::<Result<_, _>>()?,
            environment: self.environment.0,
            service: self.service.0,
            to: self.to.0,
        })
    }
}

/// A word that is none of those that may stand there.
fn wrong(what: &str, word: &str, known: &[&str]) -> String {
    let word = text::cut(&text::visible(word), 40);
    format!("`{word}` is no {what}; there are {}", known.join(", "))
}

/// What the parser says, with the line.
fn said(error: &serde_saphyr::Error) -> String {
    let line = error.location().map(|location| location.line());
    let said = match error.without_snippet() {
        serde_saphyr::Error::DuplicateMappingKey { key: Some(key), .. } => {
            format!("the key `{key}` stands here a second time")
        }
        other => other.to_string(),
    };
    let said = said
        .split_once(" at line ")
        .map_or(said.as_str(), |(said, _)| said);
    // What stands there may be a secret.
    let said = match said.starts_with("invalid type") || said.starts_with("invalid value") {
        true => "a value of another kind is needed here",
        false => said,
    };
    let said = text::cut(&text::visible(said), 300);
    line.map_or(said.clone(), |line| format!("line {line}: {said}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, proptest};

    const GOOD: &str = "receivers:
  oncall: {type: pagerduty, key-env: PD_KEY}
  ops: {type: slack-token, token-env: SLACK_TOKEN, channel: C0123, mention: [S1, here]}
  mail: {type: email, smtp-url-file: /run/secrets/smtp, from: ci@example.com, to: ops@example.com}
routes:
  - severity: critical
    to: [oncall, ops]
  - severity: [high, medium]
    phase: [failed, rolled-back]
    environment: production
    to: mail
  - to: [teams]
";

    #[test]
    fn a_file_says_who_and_when() {
        let (receivers, routes) = parse(GOOD).unwrap();
        assert_eq!(
            receivers.keys().collect::<Vec<_>>(),
            ["mail", "ops", "oncall"]
                .iter()
                .collect::<std::collections::BTreeSet<_>>()
                .into_iter()
                .collect::<Vec<_>>()
        );
        assert!(
            ["oncall", "ops", "mail", "teams"]
                .iter()
                .all(|name| routes.lead_to(name))
        );
        assert!(!routes.lead_to("slack"));
        let as_json = r#"{"routes": [{"severity": "high", "to": ["slack"]}]}"#;
        assert!(parse(as_json).unwrap().1.lead_to("slack"));
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        for (file, reason) in [
            ("", "line 1: unexpected end of input"),
            ("receivers: {}", "missing field `routes`"),
            ("routes: []", "it has no routes"),
            (
                "routes: [{to: ops}]",
                "route 1: `ops` is no receiver; there are slack, ",
            ),
            ("routes: [{to: []}]", "route 1: `to` names nobody"),
            (
                "routes: [{to: {a: b}}]",
                "line 1: this is neither a word nor a list of words",
            ),
            (
                "routes: [{severity: bad, to: slack}]",
                "route 1: `bad` is no severity; there are low, medium",
            ),
            (
                "routes: [{phase: bad, to: slack}]",
                "route 1: `bad` is no phase; there are started, ",
            ),
            (
                "routes:\n- to: slack\n  to: teams\n",
                "line 3: the key `to` stands here a second time",
            ),
            (
                "routes:\n- to: slack\n  when: high\n",
                "line 3: unknown field `when`",
            ),
            (
                "receivers: {slack: {type: pagerduty, key-env: K}}\nroutes: [{to: slack}]",
                "has the name of one of the inputs",
            ),
            (
                "receivers: {'a b': {type: pagerduty, key-env: K}}\nroutes: [{to: slack}]",
                "needs a name of letters",
            ),
            (
                "receivers: {a: {type: pager, key-env: K}}\nroutes: [{to: a}]",
                "unknown variant `pager`",
            ),
            (
                "receivers: {a: {type: pagerduty, key-env: K, kay: x}}\nroutes: [{to: a}]",
                "unknown field `kay`",
            ),
        ] {
            let said = parse(file).unwrap_err();
            assert!(said.contains(reason), "{file}: {said}");
        }
    }

    #[test]
    fn a_secret_in_the_file_is_refused_and_not_repeated() {
        for receiver in [
            "{type: slack, webhook: https://hooks.slack.com/services/T/B/secret}",
            "{type: slack-token, token: xoxb-secret, channel: C1}",
            "{type: pagerduty, key: secret}",
            "{type: email, smtp-url: 'smtps://u:secret@h', from: a@b.example, to: c@d.example}",
            "{type: webhook, url: https://x.example/secret}",
        ] {
            let file = format!("receivers:\n  a: {receiver}\nroutes: [{{to: a}}]");
            let said = parse(&file).unwrap_err();
            assert!(said.contains("a secret must not stand in this file"), "{said}");
            assert!(
                !said.contains("xoxb") && said.matches("secret").count() == 1,
                "{said}"
            );
        }
    }

    proptest! {
        #[test]
        fn no_file_panics(text in any::<String>()) {
            let _ = parse(&text);
        }
    }
}
