//! [Secrets Manager](https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DescribeSecret.html) as much as one
//! asks whether a secret is there. It has no values that could be given away.

use serde_json::{Map, Value, json};

use super::call::{Answer, Call, Refusal};
use super::home::Home;
use super::input::text;

/// The secrets of the account.
#[derive(Clone, Debug)]
pub struct Secrets {
    home: Home,
    known: Vec<Secret>,
}

#[derive(Clone, Debug)]
struct Secret {
    name: String,
    is_deleted: bool,
    stages: Vec<String>,
}

impl Secrets {
    /// None yet.
    #[must_use]
    pub fn new(home: Home) -> Self {
        Self {
            home,
            known: Vec::new(),
        }
    }

    /// Adds a secret that has a value for each of these stages, and gives its ARN.
    pub fn add(&mut self, name: &str, stages: &[&str]) -> String {
        self.known.push(Secret {
            name: name.to_owned(),
            is_deleted: false,
            stages: stages.iter().map(|&stage| stage.to_owned()).collect(),
        });
        self.arn(name)
    }

    /// Deletes a secret, which stays to be seen for its days of grace.
    pub fn delete(&mut self, name: &str) {
        for secret in self.known.iter_mut().filter(|secret| secret.name == name) {
            secret.is_deleted = true;
        }
    }

    /// Answers one call.
    pub fn answer(&self, call: &Call) -> Answer {
        if call.operation != "DescribeSecret" {
            return Err(Refusal::new("UnknownOperationException", &call.operation));
        }
        let id = text(&call.input, "SecretId");
        let found = self
            .known
            .iter()
            .find(|secret| id == secret.name || id == self.arn(&secret.name));
        let Some(secret) = found else {
            let message = "Secrets Manager can't find the specified secret.";
            return Err(Refusal::new("ResourceNotFoundException", message));
        };
        let versions = secret.stages.iter().enumerate().map(|(number, stage)| {
            let id = format!("00000000-0000-4000-8000-{:012}", number + 1);
            (id, json!([stage]))
        });
        let mut answer = json!({
            "ARN": self.arn(&secret.name),
            "Name": secret.name,
            "CreatedDate": self.home.began,
            "LastChangedDate": self.home.began,
            "VersionIdsToStages": Value::Object(versions.collect::<Map<_, _>>()),
        });
        if secret.is_deleted {
            answer["DeletedDate"] = json!(self.home.began);
        }
        Ok(answer)
    }

    fn arn(&self, name: &str) -> String {
        self.home.arn("secretsmanager", &format!("secret:{name}-AbCdEf"))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_secret_is_found_by_name_or_arn_and_seen_after_its_end() {
        let mut secrets = Secrets::new(Home::default());
        let arn = secrets.add("db", &["AWSCURRENT"]);
        secrets.delete("db");
        let ask = |id: &str| {
            secrets.answer(&Call {
                service: "secretsmanager",
                operation: "DescribeSecret".to_owned(),
                input: json!({ "SecretId": id }),
                now: Duration::ZERO,
            })
        };
        for id in ["db", &arn] {
            let secret = ask(id).unwrap();
            assert!(secret["DeletedDate"].is_number(), "{secret}");
            assert_eq!(secret["VersionIdsToStages"].as_object().unwrap().len(), 1);
        }
        assert_eq!(ask("none").unwrap_err().code, "ResourceNotFoundException");
    }
}
