//! Presets: rules that come with the program. A preset names what it judges; a signal of that name is judged where there
//! is one, and the probe where it can tell.

use std::time::Duration;

use schemars::{Schema, json_schema};

use gha::text;

use crate::spec::file::leaf::Meaning;
use crate::spec::names::nearest;

/// The presets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Name {
    /// A canary that gets traffic step by step: error rate and latency must hold, any crash or 5xx ends it.
    Canary,
    /// A service at any time: what calls for a rollback.
    Steady,
    /// Two grades: `high` fails at the end, `critical` at once.
    Severity,
    /// The objectives that most services start with.
    SloDefault,
}

/// What presets judge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Judged {
    Errors,
    Latency,
    ServerErrors,
    Health,
    Crashes,
}

/// A rule of a preset. Conditions are written for every subject that can be behind the signal.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PresetRule {
    /// The rule's name.
    pub(crate) name: &'static str,
    /// What it judges.
    pub(crate) judged: Judged,
    /// What must hold at the end.
    pub(crate) require: Option<&'static str>,
    /// What ends the observation.
    pub(crate) abort: Option<&'static str>,
    /// Whether it is left out where nothing measures it.
    pub(crate) optional: bool,
    /// The one window that its `abort` looks at; without it, the usual two of a minute.
    pub(crate) window: Option<Duration>,
}

/// Two minutes of requests, for a limit that a rate to be stopped within two minutes is only twice as high as: at one
/// request a second 10 % can't be told from 5 % by less. The usual two windows of a minute must both be over the limit,
/// which chance denies a sick service too often.
const TWO_MINUTES: Duration = Duration::from_secs(120);

const NAMES: [(&str, Name); 4] = [
    ("canary", Name::Canary),
    ("steady", Name::Steady),
    ("severity", Name::Severity),
    ("slo-default", Name::SloDefault),
];

impl Name {
    /// As it is written.
    pub(crate) fn word(self) -> &'static str {
        NAMES
            .iter()
            .find(|(_, name)| *name == self)
            .map_or("", |(word, _)| word)
    }

    /// The rules.
    pub(crate) fn rules(self) -> Vec<PresetRule> {
        match self {
            Self::Canary => vec![
                rule("error-rate", Judged::Errors, Some("< 1%"), Some("> 2%")),
                rule("p95", Judged::Latency, Some("p95 < 300ms"), Some("p95 > 500ms")),
                rule("server-errors", Judged::ServerErrors, None, Some("> 0")),
                rule("crashes", Judged::Crashes, Some("== 0"), Some("> 0")),
            ],
            Self::Steady => vec![
                rule("health", Judged::Health, None, Some("failing")),
                PresetRule {
                    window: Some(TWO_MINUTES),
                    ..rule("error-rate", Judged::Errors, None, Some("> 5%"))
                },
                rule("server-errors", Judged::ServerErrors, None, Some(">= 10")),
            ],
            Self::Severity => vec![
                rule("error-rate-high", Judged::Errors, Some("<= 5%"), None),
                rule("error-rate-critical", Judged::Errors, None, Some("> 10%")),
                rule("p95-high", Judged::Latency, Some("p95 <= 3s"), None),
            ],
            Self::SloDefault => vec![
                rule("error-rate", Judged::Errors, Some("< 1%"), Some("> 2%")),
                rule("p95", Judged::Latency, Some("p95 < 300ms"), Some("p95 > 500ms")),
                rule("server-errors", Judged::ServerErrors, None, Some(">= 10")),
                rule("health", Judged::Health, None, Some("failing")),
                PresetRule {
                    optional: true,
                    ..rule("crashes", Judged::Crashes, Some("== 0"), Some("> 0"))
                },
            ],
        }
    }
}

fn rule(
    name: &'static str,
    judged: Judged,
    require: Option<&'static str>,
    abort: Option<&'static str>,
) -> PresetRule {
    PresetRule {
        name,
        judged,
        require,
        abort,
        optional: false,
        window: None,
    }
}

impl Judged {
    /// The signal that rules and files name.
    pub(crate) fn signal(self) -> &'static str {
        match self {
            Self::Errors => "errors",
            Self::Latency => "latency",
            Self::ServerErrors => "server-errors",
            Self::Health => "health",
            Self::Crashes => "crashes",
        }
    }

    /// Whether a probe can tell; `status` is whether its samples have one.
    pub(crate) fn probe_tells(self, status: bool) -> bool {
        match self {
            Self::Errors | Self::Latency | Self::Health => true,
            Self::ServerErrors => status,
            Self::Crashes => false,
        }
    }

    /// The measure that a probe's samples are put to where the condition names none.
    pub(crate) fn on_probe(self) -> Option<&'static str> {
        match self {
            Self::Errors => Some("error_rate"),
            Self::ServerErrors => Some("count(5xx)"),
            Self::Latency | Self::Health | Self::Crashes => None,
        }
    }
}

impl Meaning for Name {
    fn mean(written: &str) -> Result<Self, String> {
        let found = NAMES
            .iter()
            .find(|(word, _)| *word == written)
            .map(|(_, name)| *name);
        found.ok_or_else(|| {
            let shown = text::cut(&text::visible(written), 60);
            format!(
                "there is no preset `{shown}`{}",
                nearest(&shown, NAMES.map(|(word, _)| word))
            )
        })
    }

    fn schema() -> Schema {
        json_schema!({"enum": NAMES.map(|(word, _)| word)})
    }
}
