//! Task definitions as raw JSON, in and out: the SDK's types would drop every key that is newer than they are.
//!
//! A request's body is replaced before it is signed, and an answer's is kept as it came.

use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_ecs::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_ecs::error::BoxError;
use aws_sdk_ecs::types as sdk;
use aws_smithy_runtime_api::client::interceptors::context::{
    AfterDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextMut,
};
use aws_smithy_types::body::SdkBody;

use super::{Api, Refused, refused, written};

impl Api {
    /// The answer to `DescribeTaskDefinition` as it came: `{"taskDefinition": {…}, "tags": […]}`. `None` where there is no
    /// such revision.
    ///
    /// # Errors
    /// When it can't be asked.
    pub async fn task_definition(&self, reference: &str) -> Result<Option<Vec<u8>>, Refused> {
        let kept = Kept::default();
        let asked = self
            .ecs
            .describe_task_definition()
            .task_definition(reference)
            .include(sdk::TaskDefinitionField::Tags)
            .customize()
            .interceptor(kept.clone())
            .send()
            .await;
        match asked {
            Ok(_) => Ok(Some(kept.taken())),
            // The API has no code of its own for this: `ClientException: Unable to describe task definition.`
            Err(error) => {
                let refused = refused("ecs:DescribeTaskDefinition", &error);
                if refused.is("ClientException") {
                    Ok(None)
                } else {
                    Err(refused)
                }
            }
        }
    }

    /// Registers a task definition, which is JSON, and gives the answer as it came.
    ///
    /// # Errors
    /// When it is refused, or no answer came.
    pub async fn register(&self, family: &str, definition: &str) -> Result<Vec<u8>, Refused> {
        let empty = sdk::ContainerDefinition::builder().build();
        written(|| async {
            let kept = Kept::default();
            self.ecs_write
                .register_task_definition()
                .family(family)
                .container_definitions(empty.clone())
                .customize()
                .interceptor(Raw(definition.to_owned()))
                .interceptor(kept.clone())
                .send()
                .await
                .map_err(|error| refused("ecs:RegisterTaskDefinition", &error))?;
            Ok(kept.taken())
        })
        .await
    }

    /// The ARNs of a family's active revisions, newest first.
    ///
    /// # Errors
    /// When they can't be listed.
    pub async fn revisions(&self, family: &str, most: i32) -> Result<Vec<String>, Refused> {
        let answer = self
            .ecs
            .list_task_definitions()
            .family_prefix(family)
            .status(sdk::TaskDefinitionStatus::Active)
            .sort(sdk::SortOrder::Desc)
            .max_results(most)
            .send()
            .await
            .map_err(|error| refused("ecs:ListTaskDefinitions", &error))?;
        Ok(answer.task_definition_arns.unwrap_or_default())
    }
}

/// Puts a body of our own in the place of the SDK's.
#[derive(Debug)]
struct Raw(String);

impl Intercept for Raw {
    fn name(&self) -> &'static str {
        "RawRequest"
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        _settings: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request_mut();
        let length = self.0.len().to_string();
        request.headers_mut().insert("content-length", length);
        *request.body_mut() = SdkBody::from(self.0.as_str());
        Ok(())
    }
}

/// Keeps an answer as it came.
#[derive(Clone, Debug, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Kept {
    fn taken(&self) -> Vec<u8> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Intercept for Kept {
    fn name(&self) -> &'static str {
        "KeptAnswer"
    }

    // The body is not there before: the hooks ahead of it see a stream.
    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _settings: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(bytes) = context.response().body().bytes() {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = bytes.to_vec();
        }
        Ok(())
    }
}
