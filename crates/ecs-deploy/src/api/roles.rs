//! IAM: whether a role is there, and whom it trusts.

use aws::signed_call::{IAM, Question, element};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::{Api, Refused};

impl Api {
    /// The trust policy of a role by its name; `None` where there is no such role
    /// (<https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRole.html>).
    ///
    /// # Errors
    /// When it can't be asked.
    pub async fn trust(&self, role: &str) -> Result<Option<Value>, Refused> {
        let region = self.region();
        let input = json!({ "RoleName": role });
        let asked = self.ask(Question {
            service: IAM,
            operation: "GetRole",
            region: &region,
            input: &input,
        });
        match asked.await {
            Ok(answer) => Ok(Some(policy(answer.as_str().unwrap_or_default()))),
            Err(refused) if refused.is("NoSuchEntity") => Ok(None),
            Err(refused) => Err(refused),
        }
    }
}

/// The trust policy of an answer, which is JSON as it stands in an address; nothing where it can't be read.
fn policy(xml: &str) -> Value {
    let written = element(xml, "AssumeRolePolicyDocument").unwrap_or_default();
    let document = percent_decode_str(written).decode_utf8_lossy();
    serde_json::from_str(&document).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::*;

    #[test]
    fn a_policy_is_read() {
        let xml = "<Role><AssumeRolePolicyDocument>%7B%22Statement%22%3A%5B%5D%7D</AssumeRolePolicyDocument></Role>";
        assert_eq!(policy(xml), json!({ "Statement": [] }));
        assert_eq!(policy("<Role/>"), Value::Null);
    }

    proptest! {
        #[test]
        fn no_answer_panics(xml in any::<String>()) {
            let _ = policy(&format!("<AssumeRolePolicyDocument>{xml}</AssumeRolePolicyDocument>"));
        }
    }
}
