//! Amazon ECR: whether an image is there. It is described and not got: a look must not count as a pull, on which lifecycle
//! rules may depend.

use aws::signed_call::{ECR, Question};
use serde_json::{Value, json};

use crate::task_definition::registry::{At, Place};

use super::{Api, Refused};

/// The longest page of rules, which is more than a registry has
/// (<https://docs.aws.amazon.com/AmazonECR/latest/userguide/service-quotas.html>).
const RULES: u32 = 1000;

/// What ECR knows of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// It is there.
    There,
    /// The repository has no such image.
    NoImage,
    /// There is no such repository.
    NoRepository,
}

impl Api {
    /// Whether an image is in its repository
    /// (<https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DescribeImages.html>).
    ///
    /// # Errors
    /// When it can't be asked.
    pub async fn image(&self, place: &Place) -> Result<Known, Refused> {
        let id = match &place.at {
            At::Tag(tag) => json!({ "imageTag": tag }),
            At::Digest(digest) => json!({ "imageDigest": digest }),
        };
        let input = json!({
            "registryId": place.account, "repositoryName": place.repository, "imageIds": [id],
        });
        let asked = self.ask(Question {
            service: ECR,
            operation: "DescribeImages",
            region: &place.region,
            input: &input,
        });
        match asked.await {
            Ok(answer) => {
                let details = answer.get("imageDetails").and_then(Value::as_array);
                let is_there = details.is_some_and(|details| !details.is_empty());
                Ok(if is_there { Known::There } else { Known::NoImage })
            }
            Err(refused) if refused.is("ImageNotFoundException") => Ok(Known::NoImage),
            Err(refused) if refused.is("RepositoryNotFoundException") => Ok(Known::NoRepository),
            Err(refused) => Err(refused),
        }
    }

    /// The prefixes of repositories that the registry fills from elsewhere when an image is pulled
    /// (<https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DescribePullThroughCacheRules.html>).
    ///
    /// # Errors
    /// When they can't be asked for.
    pub async fn cache_prefixes(&self, place: &Place) -> Result<Vec<String>, Refused> {
        let input = json!({ "registryId": place.account, "maxResults": RULES });
        let answer = self
            .ask(Question {
                service: ECR,
                operation: "DescribePullThroughCacheRules",
                region: &place.region,
                input: &input,
            })
            .await?;
        let rules = answer.get("pullThroughCacheRules").and_then(Value::as_array);
        let prefix = |rule: &Value| Some(rule.get("ecrRepositoryPrefix")?.as_str()?.to_owned());
        Ok(rules.into_iter().flatten().filter_map(prefix).collect())
    }
}
