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

    /// Sets tags, each a key and its value.
    ///
    /// # Errors
    /// When it is refused, or no answer came.
    pub async fn tag(&self, arn: &str, tags: &[(&str, &str)]) -> Result<(), Refused> {
        written(|| async {
            self.ecs_write
                .tag_resource()
                .resource_arn(arn)
                .set_tags(Some(tags.iter().map(tag).collect()))
                .send()
                .await
                .map(drop)
                .map_err(|error| refused("ecs:TagResource", &error))
        })
        .await
    }

    /// Takes tags away, by their keys; one that is not there is no error.
    ///
    /// # Errors
    /// When it is refused, or no answer came.
    pub async fn untag(&self, arn: &str, keys: &[&str]) -> Result<(), Refused> {
        written(|| async {
            self.ecs_write
                .untag_resource()
                .resource_arn(arn)
                .set_tag_keys(Some(keys.iter().map(|key| (*key).to_owned()).collect()))
                .send()
                .await
                .map(drop)
                .map_err(|error| refused("ecs:UntagResource", &error))
        })
        .await
    }
}

fn tag((key, value): &(&str, &str)) -> sdk::Tag {
    sdk::Tag::builder().key(*key).value(*value).build()
}
