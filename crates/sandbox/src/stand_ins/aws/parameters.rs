//! The [Parameter Store of SSM](https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeParameters.html) as
//! much as one asks whether a parameter is there. As the real one, it may answer with empty pages before the one that has
//! something. Limits: one filter, by names that are equal; no values.

use serde_json::{Value, json};

use super::call::{Answer, Call, Refusal};
use super::home::Home;
use super::input::{list, text, texts};

/// The parameters of the account.
#[derive(Clone, Debug)]
pub struct Parameters {
    home: Home,
    names: Vec<String>,
    empty_pages: usize,
}

impl Parameters {
    /// None yet.
    #[must_use]
    pub fn new(home: Home) -> Self {
        Self {
            home,
            names: Vec::new(),
            empty_pages: 0,
        }
    }

    /// Adds a parameter.
    pub fn add(&mut self, name: &str) {
        self.names.push(name.to_owned());
    }

    /// From now on so many empty pages come first.
    pub fn empty_pages(&mut self, pages: usize) {
        self.empty_pages = pages;
    }

    /// Answers one call.
    pub fn answer(&self, call: &Call) -> Answer {
        if call.operation != "DescribeParameters" {
            return Err(Refusal::new("UnknownOperationException", &call.operation));
        }
        let page: usize = text(&call.input, "NextToken").parse().unwrap_or(0);
        if page < self.empty_pages {
            return Ok(json!({ "Parameters": [], "NextToken": (page + 1).to_string() }));
        }
        let [filter] = list(&call.input, "ParameterFilters") else {
            let message = "the stand-in takes one filter";
            return Err(Refusal::new("InvalidFilterValue", message));
        };
        if text(filter, "Key") != "Name" || text(filter, "Option") != "Equals" {
            return Err(Refusal::new(
                "InvalidFilterKey",
                "the stand-in filters by equal names",
            ));
        }
        let asked = texts(filter, "Values");
        let found = self.names.iter().filter(|name| asked.contains(&name.as_str()));
        let shown: Vec<Value> = found
            .map(|name| {
                json!({
                    "Name": name,
                    "ARN": self.home.arn("ssm", &format!("parameter/{}", name.trim_start_matches('/'))),
                    "Type": "SecureString",
                    "LastModifiedDate": self.home.began,
                    "Version": 1,
                    "Tier": "Standard",
                    "DataType": "text",
                })
            })
            .collect();
        Ok(json!({ "Parameters": shown }))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_parameter_comes_after_its_empty_pages() {
        let mut parameters = Parameters::new(Home::default());
        parameters.add("/shop/db");
        parameters.empty_pages(1);
        let ask = |token: &str, name: &str| {
            let input = json!({
                "ParameterFilters": [{ "Key": "Name", "Option": "Equals", "Values": [name] }],
                "NextToken": token,
            });
            let call = Call {
                service: "ssm",
                operation: "DescribeParameters".to_owned(),
                input,
                now: Duration::ZERO,
            };
            parameters.answer(&call).unwrap()
        };
        let first = ask("", "/shop/db");
        assert_eq!(
            (list(&first, "Parameters").len(), text(&first, "NextToken")),
            (0, "1")
        );
        assert_eq!(list(&ask("1", "/shop/db"), "Parameters")[0]["Name"], "/shop/db");
        assert!(list(&ask("1", "/shop/other"), "Parameters").is_empty());
    }
}
