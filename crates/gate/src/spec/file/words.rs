//! Settings that are one word of a few.

use schemars::{Schema, json_schema};

use gha::text;

use crate::probe::dns::Kind as RecordKind;
use crate::rule::NoData;
use crate::spec::choice::{Addresses, Method, OnInconclusive, PostgresTls};
use crate::spec::file::leaf::Meaning;
use crate::spec::names::nearest;
use crate::spec::sources::EcsMetric;
use crate::wait::Until;

/// Declares which word stands for which value.
macro_rules! words {
    ($($type:ident { $($word:literal => $value:ident,)* })*) => {
        $(impl Meaning for $type {
            fn mean(written: &str) -> Result<Self, String> {
                match written {
                    $($word => Ok(Self::$value),)*
                    other => Err(unknown(other, &[$($word,)*])),
                }
            }

            fn schema() -> Schema {
                words_schema(&[$($word,)*])
            }
        })*
    };
}

words! {
    Until { "all" => All, "any" => Any, }
    EcsMetric { "crashes" => Crashes, }
    OnInconclusive { "report" => Report, "fail" => Fail, }
    NoData { "inconclusive" => Inconclusive, "pass" => Pass, "fail" => Fail, "zero" => Zero, }
    Addresses { "any" => Any, "4" => V4, "6" => V6, "all" => All, }
    Method {
        "GET" => Get, "HEAD" => Head, "POST" => Post, "PUT" => Put, "PATCH" => Patch, "DELETE" => Delete,
        "OPTIONS" => Options,
    }
    PostgresTls { "disable" => Disable, "prefer" => Prefer, "require" => Require, "verify-full" => VerifyFull, }
    RecordKind {
        "A" => A, "AAAA" => Aaaa, "CNAME" => Cname, "TXT" => Txt, "SRV" => Srv, "MX" => Mx, "NS" => Ns,
    }
}

/// The kinds of sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SourceType {
    Prometheus,
    CloudWatch,
    Datadog,
    HttpJson,
    Exec,
    Compose,
    Ecs,
}

words! {
    SourceType {
        "prometheus" => Prometheus, "cloudwatch" => CloudWatch, "datadog" => Datadog, "http_json" => HttpJson,
        "exec" => Exec, "compose" => Compose, "ecs" => Ecs,
    }
}

impl SourceType {
    /// As it is written.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Prometheus => "prometheus",
            Self::CloudWatch => "cloudwatch",
            Self::Datadog => "datadog",
            Self::HttpJson => "http_json",
            Self::Exec => "exec",
            Self::Compose => "compose",
            Self::Ecs => "ecs",
        }
    }
}

/// The schema of some words; those that look like numbers may be written as such.
fn words_schema(words: &[&str]) -> Schema {
    let number = |word: &&str| word.parse::<f64>().ok().and_then(serde_json::Number::from_f64);
    let whole = |word: &&str| word.parse::<u64>().ok().map(serde_json::Value::from);
    let numbers = words
        .iter()
        .filter_map(|word| whole(word).or_else(|| number(word).map(serde_json::Value::from)));
    let all: Vec<serde_json::Value> = words.iter().map(|word| (*word).into()).chain(numbers).collect();
    json_schema!({"enum": all})
}

/// The message about a word that is none of the known ones.
fn unknown(word: &str, known: &[&str]) -> String {
    let word = text::cut(&text::visible(word), 60);
    format!("`{word}` is unknown{}", nearest(&word, known.iter().copied()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_word_is_answered_with_the_right_ones() {
        assert_eq!(Until::mean("any"), Ok(Until::Any));
        assert_eq!(
            SourceType::mean("prometeus"),
            Err("`prometeus` is unknown; did you mean `prometheus`?".to_owned())
        );
        assert_eq!(
            Addresses::mean("both").unwrap_err(),
            "`both` is unknown; there is `any`, `4`, `6`, `all`"
        );
    }
}
