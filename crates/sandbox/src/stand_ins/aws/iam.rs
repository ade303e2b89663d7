//! [IAM](https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRole.html) as much as one asks whether a role is there and
//! whom it trusts.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::call::{Answer, Call, Refusal};
use super::home::Home;
use super::input::text;

/// The roles of the account.
#[derive(Clone, Debug)]
pub struct Iam {
    home: Home,
    roles: Vec<(String, Value)>,
}

impl Iam {
    /// None yet.
    #[must_use]
    pub fn new(home: Home) -> Self {
        Self {
            home,
            roles: Vec::new(),
        }
    }

    /// Adds a role that a service may take, such as `ecs-tasks.amazonaws.com`.
    pub fn role(&mut self, name: &str, service: &str) {
        let policy = json!({
            "Version": "2012-10-17",
            "Statement": [{ "Effect": "Allow", "Principal": { "Service": service }, "Action": "sts:AssumeRole" }],
        });
        self.roles.push((name.to_owned(), policy));
    }

    /// Answers one call.
    pub fn answer(&self, call: &Call) -> Answer {
        let name = text(&call.input, "RoleName");
        if call.operation != "GetRole" {
            return Err(Refusal::new("InvalidAction", &call.operation));
        }
        let found = self.roles.iter().find(|(known, _)| known == name);
        let Some((_, policy)) = found else {
            let message = format!("The role with name {name} cannot be found.");
            return Err(Refusal::new("NoSuchEntity", message).status(404));
        };
        let account = &self.home.account;
        let policy = policy.to_string();
        Ok(json!({ "Role": {
            "Path": "/",
            "RoleName": name,
            "RoleId": "AROASANDBOXROLE000001",
            "Arn": format!("arn:aws:iam::{account}:role/{name}"),
            "CreateDate": self.home.began,
            "AssumeRolePolicyDocument": utf8_percent_encode(&policy, NON_ALPHANUMERIC).to_string(),
            "MaxSessionDuration": 3600,
        } }))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_role_is_there_with_its_trust_or_is_not() {
        let mut iam = Iam::new(Home::default());
        iam.role("execution", "ecs-tasks.amazonaws.com");
        let ask = |name: &str| {
            iam.answer(&Call {
                service: "iam",
                operation: "GetRole".to_owned(),
                input: json!({ "RoleName": name }),
                now: Duration::ZERO,
            })
        };
        let policy = ask("execution").unwrap()["Role"]["AssumeRolePolicyDocument"].clone();
        assert!(
            policy.as_str().unwrap().contains("ecs%2Dtasks%2Eamazonaws%2Ecom"),
            "{policy}"
        );
        assert_eq!(ask("none").unwrap_err().code, "NoSuchEntity");
    }
}
