//! Secrets Manager and SSM: whether a secret or a parameter is there. Neither call can answer with a value.

use aws::signed_call::{Question, SECRETS, SSM};
use serde_json::{Value, json};

use super::{Api, Refused};

/// The most pages that are asked for: SSM may answer with empty ones on the way
/// (<https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeParameters.html>).
const PAGES: usize = 20;

/// What Secrets Manager says of a secret.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Secret {
    /// Whether it is on its way out, so that it can't be read any more.
    pub is_deleted: bool,
    /// Its versions and their stages.
    pub versions: Vec<(String, Vec<String>)>,
}

impl Api {
    /// A secret by its ARN, without its value; `None` where there is none
    /// (<https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DescribeSecret.html>).
    ///
    /// # Errors
    /// When it can't be asked.
    pub async fn secret(&self, arn: &str, region: &str) -> Result<Option<Secret>, Refused> {
        let input = json!({ "SecretId": arn });
        let asked = self.ask(Question {
            service: SECRETS,
            operation: "DescribeSecret",
            region,
            input: &input,
        });
        match asked.await {
            Ok(answer) => Ok(Some(secret(&answer))),
            Err(refused) if refused.is("ResourceNotFoundException") => Ok(None),
            Err(refused) => Err(refused),
        }
    }

    /// Whether there is a parameter of one of these names. `GetParameters` could tell it with less reach, but answers with
    /// the value of a parameter that is not encrypted.
    ///
    /// # Errors
    /// When it can't be asked.
    pub async fn has_parameter(&self, names: &[String], region: Option<&str>) -> Result<bool, Refused> {
        let own = self.region();
        let region = region.unwrap_or(&own);
        let mut input = json!({
            "ParameterFilters": [{ "Key": "Name", "Option": "Equals", "Values": names }],
        });
        for _ in 0..PAGES {
            let answer = self
                .ask(Question {
                    service: SSM,
                    operation: "DescribeParameters",
                    region,
                    input: &input,
                })
                .await?;
            let found = answer.get("Parameters").and_then(Value::as_array);
            if found.is_some_and(|found| !found.is_empty()) {
                return Ok(true);
            }
            match answer.get("NextToken").and_then(Value::as_str) {
                Some(next) if !next.is_empty() => input["NextToken"] = Value::from(next),
                _ => break,
            }
        }
        Ok(false)
    }
}

fn secret(answer: &Value) -> Secret {
    let stages = answer.get("VersionIdsToStages").and_then(Value::as_object);
    let texts = |value: &Value| {
        let texts = value.as_array().into_iter().flatten();
        texts.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    Secret {
        is_deleted: answer.get("DeletedDate").is_some_and(|date| !date.is_null()),
        versions: stages
            .into_iter()
            .flatten()
            .map(|(version, stages)| (version.clone(), texts(stages)))
            .collect(),
    }
}
