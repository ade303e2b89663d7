//! Tags of a service, where the state lives that is needed to undo.

use std::collections::BTreeMap;

use aws_sdk_ecs::types as sdk;

use super::{Api, Refused, refused, written};

impl Api {
    /// The tags of a resource.
    ///
    /// # Errors
    /// When they can't be listed.
    pub async fn tags(&self, arn: &str) -> Result<BTreeMap<String, String>, Refused> {
        let answer = self
            .ecs
            .list_tags_for_resource()
            .resource_arn(arn)
            .send()
            .await
            .map_err(|error| refused("ecs:ListTagsForResource", &error))?;
        let tags = answer.tags.unwrap_or_default().into_iter();
        Ok(tags
            .filter_map(|tag| Some((tag.key?, tag.value.unwrap_or_default())))
            .collect())
    }

    /// Sets a tag.
    ///
    /// # Errors
    /// When it is refused, or no answer came.
    pub async fn tag(&self, arn: &str, key: &str, value: &str) -> Result<(), Refused> {
        written(|| async {
            self.ecs_write
                .tag_resource()
                .resource_arn(arn)
                .tags(sdk::Tag::builder().key(key).value(value).build())
                .send()
                .await
                .map(drop)
                .map_err(|error| refused("ecs:TagResource", &error))
        })
        .await
    }

    /// Takes a tag away; one that is not there is no error.
    ///
    /// # Errors
    /// When it is refused, or no answer came.
    pub async fn untag(&self, arn: &str, key: &str) -> Result<(), Refused> {
        written(|| async {
            self.ecs_write
                .untag_resource()
                .resource_arn(arn)
                .tag_keys(key)
                .send()
                .await
                .map(drop)
                .map_err(|error| refused("ecs:UntagResource", &error))
        })
        .await
    }
}
