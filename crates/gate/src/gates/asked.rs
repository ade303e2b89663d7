//! One `--gate`: a gate file, or `PRESET URL [DURATION]`, which stands for one.

use std::fs::File;
use std::io::Read as _;

use gha::text;
use serde_json::json;

use super::FlagError;

/// The most that is read of a file. The reader of gate files refuses less, and says so.
const LONGEST: u64 = 2 * 1024 * 1024;

/// How long a preset watches where nothing is said.
const DURATION: &str = "5m";

/// How often a preset looks: a rate at which five minutes are enough samples for a share of 1 %.
const RATE: &str = "2/s";

/// The presets that judge crashes, which a tool may tell.
const JUDGE_CRASHES: [&str; 2] = ["canary", "slo-default"];

/// A gate as it was asked for.
#[derive(Debug)]
pub(super) struct Asked {
    /// Its name, for people: the file's, or the preset.
    pub(super) name: String,
    /// A gate file.
    pub(super) content: Vec<u8>,
    pub(super) is_file: bool,
}

impl Asked {
    pub(super) fn of(value: &str, tells_crashes: bool) -> Result<Self, FlagError> {
        let words: Vec<&str> = value.split_whitespace().collect();
        match words[..] {
            // No path has an address as its second word.
            [preset, url, ref rest @ ..] if url.contains("://") && rest.len() < 2 => {
                let duration = rest.first().copied().unwrap_or(DURATION);
                Ok(Self {
                    name: text::cut(&text::line(preset), 40),
                    content: preset_file(preset, url, duration, tells_crashes).into_bytes(),
                    is_file: false,
                })
            }
            _ => Self::file(value.trim()),
        }
    }

    fn file(path: &str) -> Result<Self, FlagError> {
        // The whole path where it can't be read; its last part is enough for what follows.
        let shown = text::cut(&text::line(path), 200);
        let mut content = Vec::new();
        let read = File::open(path).and_then(|file| file.take(LONGEST).read_to_end(&mut content));
        read.map_err(|error| FlagError {
            flag: "gate",
            reason: format!(
                "failed to read the gate file `{shown}`: {error}; a preset is written with its address, such as `steady \
                 https://shop.example.com/health`"
            ),
        })?;
        Ok(Self {
            name: text::cut(&text::line(path.rsplit('/').next().unwrap_or(path)), 80),
            content,
            is_file: true,
        })
    }
}

/// A gate file for a preset. JSON is YAML, and its texts are quoted.
fn preset_file(preset: &str, url: &str, duration: &str, tells_crashes: bool) -> String {
    let mut watch = json!({ "duration": duration, "preset": preset, "probe": { "http": url, "rate": RATE } });
    let mut file = json!({ "version": 1 });
    if tells_crashes && JUDGE_CRASHES.contains(&preset) {
        file["sources"] = json!({ "ecs": { "type": "ecs" } });
        watch["signals"] = json!({ "crashes": { "count": { "source": "ecs" } } });
    }
    file["watch"] = watch;
    file.to_string()
}

/// `NAME=VALUE` of `--gate-var`.
pub(super) fn variable(pair: &str) -> Result<(String, String), FlagError> {
    let (name, value) = pair.split_once('=').ok_or_else(|| FlagError {
        flag: "gate-var",
        reason: format!(
            "`{}` is no name and value with `=` between them",
            text::cut(&text::line(pair), 20)
        ),
    })?;
    Ok((name.trim().to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use gha::env::Env;

    use super::*;
    use crate::spec::{self, Offer};

    /// The rules of a preset, or what is wrong.
    fn rules(value: &str) -> Result<Vec<String>, String> {
        let asked = Asked::of(value, true).map_err(|error| error.to_string())?;
        assert!(!asked.is_file);
        let offer = Offer {
            ecs: true,
            ..Offer::default()
        };
        let spec = spec::read_with(&asked.name, &asked.content, &Env::default(), &[], &offer);
        let spec = spec.map_err(|faults| faults.to_string())?;
        let rules = spec.watch.unwrap().rules.into_iter();
        Ok(rules.map(|rule| rule.name).collect())
    }

    #[test]
    fn a_preset_and_an_address_are_a_gate() {
        for (value, expected) in [
            (
                "steady https://x.test/health",
                vec!["health", "error-rate", "server-errors"],
            ),
            (
                "canary https://x.test/health 15m",
                vec!["error-rate", "p95", "server-errors", "crashes"],
            ),
            (
                "severity http://x.test",
                vec!["error-rate-high", "error-rate-critical", "p95-high"],
            ),
            (
                " slo-default   https://x.test/?a=\"b\" 20m ",
                vec!["error-rate", "p95", "server-errors", "health", "crashes"],
            ),
        ] {
            assert_eq!(rules(value).unwrap(), expected, "{value}");
        }
        assert!(
            rules("stedy https://x.test")
                .unwrap_err()
                .contains("did you mean `steady`")
        );
        assert!(rules("steady https://x.test 5").unwrap_err().contains("duration"));
    }

    #[test]
    fn anything_else_is_a_file() {
        for value in ["no such file.yml", "steady", "steady https://x 5m more"] {
            let error = Asked::of(value, true).unwrap_err().to_string();
            assert!(error.contains(&format!("gate file `{value}`")), "{error}");
        }
    }

    #[test]
    fn a_variable_is_a_name_and_a_value() {
        assert_eq!(variable("a = b=c").unwrap(), ("a".to_owned(), " b=c".to_owned()));
        assert!(variable("secret").unwrap_err().to_string().contains("`secret`"));
    }
}
