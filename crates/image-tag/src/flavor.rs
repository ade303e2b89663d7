//! The `flavor` input: what all tags have in common.

use crate::error::{Error, Input, shown};
use crate::list;
use crate::mode::Mode;

const ATTRIBUTES: &str = "`latest`, `prefix`, `suffix`, `onlatest`";

/// When the tag `latest` is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Latest {
    /// As the rule decides that gave the first tag.
    Auto,
    /// Whenever there is a tag.
    Always,
    /// Never.
    Never,
    /// For the highest release among the repository's tags; floating tags follow the highest of their line.
    Highest,
}

/// Text put around tags.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Affix {
    /// The text, with its expressions.
    pub(crate) text: String,
    /// Whether `latest` gets it too; not said: in native mode alone.
    pub(crate) on_latest: Option<bool>,
}

/// The settings.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Flavor {
    latest: Option<Latest>,
    pub(crate) prefix: Affix,
    pub(crate) suffix: Affix,
}

impl Flavor {
    /// Reads the input; a later setting wins over an earlier one.
    pub(crate) fn read(input: &str) -> Result<Self, Error> {
        let records = list::records(input).map_err(|source| Error::List {
            input: Input::Flavor,
            source,
        })?;
        let mut flavor = Self::default();
        for record in &records {
            flavor.take(record)?;
        }
        Ok(flavor)
    }

    /// When the tag `latest` is given.
    pub(crate) fn latest(&self, mode: Mode) -> Latest {
        self.latest.unwrap_or(match mode {
            Mode::Compatible => Latest::Auto,
            Mode::Native => Latest::Highest,
        })
    }

    /// The tag `latest` with what it gets of prefix and suffix, expressions as they stand.
    pub(crate) fn latest_text(&self, mode: Mode) -> String {
        let on_latest = |affix: &Affix| {
            if affix.on_latest.unwrap_or(mode.is_native()) {
                affix.text.clone()
            } else {
                String::new()
            }
        };
        format!("{}latest{}", on_latest(&self.prefix), on_latest(&self.suffix))
    }

    fn take(&mut self, record: &list::Record) -> Result<(), Error> {
        let mut affix: Option<&mut Affix> = None;
        for field in &record.fields {
            let (key, value) = list::key_and_value(field);
            match key.as_deref() {
                Some("latest") => self.latest = Some(latest(record, value)?),
                Some(key @ ("prefix" | "suffix")) => {
                    let named = if key == "prefix" {
                        &mut self.prefix
                    } else {
                        &mut self.suffix
                    };
                    value.clone_into(&mut named.text);
                    affix = Some(named);
                }
                Some("onlatest") => {
                    let on_latest = on_latest(record, value)?;
                    // Without a prefix or suffix before it on the same line, it is about nothing.
                    if let Some(affix) = &mut affix {
                        affix.on_latest = Some(on_latest);
                    }
                }
                other => {
                    return Err(Error::UnknownAttribute {
                        input: Input::Flavor,
                        entry: shown(&record.text()),
                        key: shown(other.unwrap_or(value)),
                        known: ATTRIBUTES,
                    });
                }
            }
        }
        Ok(())
    }
}

fn latest(record: &list::Record, value: &str) -> Result<Latest, Error> {
    match value {
        "auto" => Ok(Latest::Auto),
        "true" => Ok(Latest::Always),
        "false" => Ok(Latest::Never),
        "highest" => Ok(Latest::Highest),
        _ => Err(wrong_value(
            record,
            "latest",
            value,
            "`auto`, `true`, `false` or `highest`",
        )),
    }
}

fn on_latest(record: &list::Record, value: &str) -> Result<bool, Error> {
    match value {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(wrong_value(record, "onlatest", value, "`true` or `false`")),
    }
}

fn wrong_value(record: &list::Record, key: &'static str, value: &str, allowed: &'static str) -> Error {
    let (entry, value) = (shown(&record.text()), shown(value));
    Error::AttributeValue {
        input: Input::Flavor,
        entry,
        key,
        value,
        allowed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn affix(text: &str, on_latest: Option<bool>) -> Affix {
        Affix {
            text: text.to_owned(),
            on_latest,
        }
    }

    #[test]
    fn settings() {
        let flavor = Flavor::read("latest=false\nprefix=glo-\nsuffix=-bal,onlatest=true").unwrap();
        let expected = Flavor {
            latest: Some(Latest::Never),
            prefix: affix("glo-", None),
            suffix: affix("-bal", Some(true)),
        };
        assert_eq!(flavor, expected);
        assert_eq!(flavor.latest_text(Mode::Compatible), "latest-bal");
        assert_eq!(flavor.latest_text(Mode::Native), "glo-latest-bal");
    }

    #[test]
    fn all_on_one_line() {
        let flavor = Flavor::read("prefix=a,onlatest=true,suffix=b,onlatest=false,latest=true").unwrap();
        assert_eq!(flavor.latest_text(Mode::Compatible), "alatest");
        assert_eq!(flavor.latest_text(Mode::Native), "alatest");
        assert_eq!(flavor.latest(Mode::Native), Latest::Always);
        assert_eq!(flavor.suffix, affix("b", Some(false)));
    }

    #[test]
    fn equals_sign_is_kept() {
        assert_eq!(Flavor::read("suffix=a=b").unwrap().suffix.text, "a=b");
    }

    #[test]
    fn without_settings_the_mode_decides() {
        assert_eq!(Flavor::read("onlatest=true").unwrap(), Flavor::default());
        let flavor = Flavor::read("").unwrap();
        assert_eq!(flavor, Flavor::default());
        assert_eq!(flavor.latest(Mode::Compatible), Latest::Auto);
        assert_eq!(flavor.latest(Mode::Native), Latest::Highest);
    }

    #[test]
    fn wrong_settings() {
        for (input, expected) in [
            ("foo=1", "unknown attribute `foo`"),
            ("latest", "unknown attribute `latest`"),
            ("latest=auto,", "unknown attribute ``"),
            ("latest=yes", "allowed is `auto`, `true`, `false` or `highest`"),
            ("prefix=a,onlatest=1", "allowed is `true` or `false`"),
            ("prefix=a\"b", "broken quotes"),
        ] {
            let message = Flavor::read(input).unwrap_err().to_string();
            assert!(message.contains(expected), "{input:?}: {message}");
        }
    }
}
