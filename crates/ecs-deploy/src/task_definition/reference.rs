//! What the input `task-definition` names: a file, a family, a revision of it, or nothing, which is the service's own.
//!
//! A family is of letters, digits, `_` and `-`
//! (<https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RegisterTaskDefinition.html>), so whatever has a
//! dot or a slash is a file. A file without either is written `./file`.

use std::fmt;
use std::path::PathBuf;

use gha::text;

/// Where a task definition comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reference {
    /// The one that the service runs.
    Own,
    /// A file of JSON or YAML.
    File(PathBuf),
    /// The newest active revision of a family.
    Family(String),
    /// A revision.
    Revision(Revision),
}

/// A revision of a family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision {
    /// The family.
    pub family: String,
    /// The number, from 1.
    pub number: u64,
    /// The whole ARN, where it was given.
    pub arn: Option<String>,
}

/// What is wrong with a reference.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ReferenceError {
    /// No number where a revision stands.
    #[error("`{revision}` in `{reference}` is no revision, which is a number from 1")]
    Revision {
        /// All of it.
        reference: String,
        /// What stands for the revision.
        revision: String,
    },
    /// Another kind of ARN.
    #[error(
        "`{0}` is no ARN of a task definition; it ends in `:task-definition/FAMILY:REVISION` and is one of the service `ecs`"
    )]
    Arn(String),
    /// Neither.
    #[error("`{0}` is neither a file (a path with a dot or a slash) nor a family or `FAMILY:REVISION`")]
    Grammar(String),
}

impl Reference {
    /// Reads the input; an empty one is the service's own.
    ///
    /// # Errors
    /// When it can be none of the forms.
    pub fn parse(reference: &str) -> Result<Self, ReferenceError> {
        let reference = reference.trim();
        if reference.is_empty() {
            return Ok(Self::Own);
        }
        if reference.starts_with("arn:") {
            return Revision::from_arn(reference).map(Self::Revision);
        }
        if is_family(reference) {
            return Ok(Self::Family(reference.to_owned()));
        }
        match reference.split_once(':') {
            Some((family, number)) if is_family(family) && !reference.contains(['/', '\\', '.']) => {
                let number = number_of(number).ok_or_else(|| ReferenceError::Revision {
                    reference: shown(reference),
                    revision: shown(number),
                })?;
                Ok(Self::Revision(Revision {
                    family: family.to_owned(),
                    number,
                    arn: None,
                }))
            }
            _ if reference.contains(['/', '\\', '.']) && !reference.contains(char::is_control) => {
                Ok(Self::File(PathBuf::from(reference)))
            }
            _ => Err(ReferenceError::Grammar(shown(reference))),
        }
    }
}

impl Revision {
    /// Reads an ARN as ECS gives it: `arn:PARTITION:ecs:REGION:ACCOUNT:task-definition/FAMILY:REVISION`.
    ///
    /// # Errors
    /// When it is the ARN of something else.
    pub fn from_arn(arn: &str) -> Result<Self, ReferenceError> {
        let fields: Vec<&str> = arn.splitn(6, ':').collect();
        let [prefix, partition, service, region, account, resource] = fields[..] else {
            return Err(ReferenceError::Arn(shown(arn)));
        };
        let plain =
            |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        let is_ecs =
            prefix == "arn" && service == "ecs" && [partition, region, account].into_iter().all(plain);
        let name = resource.strip_prefix("task-definition/").filter(|_| is_ecs);
        let (family, number) = name
            .and_then(|name| name.split_once(':'))
            .filter(|(family, _)| is_family(family))
            .ok_or_else(|| ReferenceError::Arn(shown(arn)))?;
        let number = number_of(number).ok_or_else(|| ReferenceError::Revision {
            reference: shown(arn),
            revision: shown(number),
        })?;
        Ok(Self {
            family: family.to_owned(),
            number,
            arn: Some(arn.to_owned()),
        })
    }

    /// How the API takes it: the ARN, or `FAMILY:REVISION`.
    #[must_use]
    pub fn for_api(&self) -> String {
        self.arn.clone().unwrap_or_else(|| self.to_string())
    }
}

/// `FAMILY:REVISION`, without an account.
impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.family, self.number)
    }
}

/// Whether a text can name a family.
fn is_family(text: &str) -> bool {
    (1..=255).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

/// The number of a revision, as ECS writes it.
fn number_of(text: &str) -> Option<u64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    text.parse().ok().filter(|number| digits && *number > 0)
}

fn shown(reference: &str) -> String {
    text::cut(&text::visible(&gha::accounts::without(reference)), 160)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, proptest};

    const ARN: &str = "arn:aws-cn:ecs:cn-north-1:123456789012:task-definition/web_a-1:41";

    fn revision(family: &str, number: u64, arn: Option<&str>) -> Reference {
        Reference::Revision(Revision {
            family: family.to_owned(),
            number,
            arn: arn.map(str::to_owned),
        })
    }

    #[test]
    fn forms() {
        for (text, reference) in [
            ("", Reference::Own),
            ("  ", Reference::Own),
            ("web", Reference::Family("web".to_owned())),
            ("web:41", revision("web", 41, None)),
            (ARN, revision("web_a-1", 41, Some(ARN))),
            ("task.json", Reference::File("task.json".into())),
            ("./web", Reference::File("./web".into())),
            ("ecs/web", Reference::File("ecs/web".into())),
            ("C:\\ecs\\web.yml", Reference::File("C:\\ecs\\web.yml".into())),
            ("ecs/my task.yaml", Reference::File("ecs/my task.yaml".into())),
        ] {
            assert_eq!(Reference::parse(text), Ok(reference), "{text}");
        }
    }

    #[test]
    fn refuses_the_rest_without_its_account() {
        for (text, says) in [
            ("web:latest", "`latest` in `web:latest` is no revision"),
            ("web:0", "`0`"),
            ("web:", "is no revision"),
            ("web:041", "`041`"),
            ("web:99999999999999999999", "is no revision"),
            ("my web", "neither a file"),
            ("web\n.json", "neither a file"),
            (
                "arn:aws:ecs:eu-west-1:123456789012:service/prod/web",
                "<account>:service/prod/web` is no ARN",
            ),
            (
                "arn:aws:ecs:eu-west-1:123456789012:task-definition/web",
                "is no ARN",
            ),
            (
                "arn:aws:ecs:eu-west-1:123456789012:task-definition/web:x",
                "is no revision",
            ),
            (
                "arn:aws:ec2:eu-west-1:123456789012:task-definition/web:1",
                "is no ARN",
            ),
            ("arn:", "is no ARN"),
        ] {
            let error = Reference::parse(text).expect_err(text).to_string();
            assert!(error.contains(says) && !error.contains("123456789012"), "{error}");
        }
    }

    #[test]
    fn a_revision_is_shown_without_its_account_and_sent_whole() {
        let revision = Revision::from_arn(ARN).unwrap();
        assert_eq!(
            (revision.to_string().as_str(), revision.for_api().as_str()),
            ("web_a-1:41", ARN)
        );
    }

    proptest! {
        #[test]
        fn never_panics(text in any::<String>()) {
            let _ = Reference::parse(&text);
        }

        #[test]
        fn what_is_written_is_read_back(family in "[A-Za-z0-9_-]{1,20}", number in 1u64..) {
            let written = format!("{family}:{number}");
            assert_eq!(Reference::parse(&written), Ok(revision(&family, number, None)));
        }
    }
}
