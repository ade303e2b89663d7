//! Calls that change an object: sent once, and once more only where they certainly were not done.

use http::Method;
use serde_json::Value;
use tokio::time::sleep;

use super::{Api, Kind, LONGEST_PAUSE, MANAGER, PAUSE, Refused, TRIES, json, with_query};

/// How an object is applied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Apply {
    /// Whether fields are taken from other managers.
    pub force: bool,
    /// Whether the server only says what would come of it.
    pub dry_run: bool,
}

/// What must still hold of an object that is deleted.
#[derive(Clone, Debug, Default)]
pub struct Still<'a> {
    /// Its unique id.
    pub uid: Option<&'a str>,
    /// Its resource version.
    pub version: Option<&'a str>,
}

impl Api {
    /// Creates an object.
    ///
    /// # Errors
    /// When it was not created, or that is not known.
    pub async fn create(&self, kind: &Kind, namespace: &str, object: &Value) -> Result<Value, Refused> {
        self.created(kind, namespace, object, false).await
    }

    /// What would come of creating an object; nothing is stored.
    ///
    /// # Errors
    /// When the server would not take it.
    pub async fn would_create(&self, kind: &Kind, namespace: &str, object: &Value) -> Result<Value, Refused> {
        self.created(kind, namespace, object, true).await
    }

    async fn created(
        &self,
        kind: &Kind,
        namespace: &str,
        object: &Value,
        dry_run: bool,
    ) -> Result<Value, Refused> {
        let call = format!("create {} `{}`", kind.kind, crate::object::name(object));
        let path = with_query(&kind.collection(namespace), &managed(dry_run));
        self.write(&call, Method::POST, &path, Some(("application/json", object)))
            .await
    }

    /// Replaces an object; its resource version is the condition.
    ///
    /// # Errors
    /// When it was not replaced, or that is not known.
    pub async fn replace(&self, kind: &Kind, namespace: &str, object: &Value) -> Result<Value, Refused> {
        self.replaced(kind, namespace, object, false).await
    }

    /// What would come of replacing an object; nothing is stored.
    ///
    /// # Errors
    /// When the server would not take it.
    pub async fn would_replace(
        &self,
        kind: &Kind,
        namespace: &str,
        object: &Value,
    ) -> Result<Value, Refused> {
        self.replaced(kind, namespace, object, true).await
    }

    async fn replaced(
        &self,
        kind: &Kind,
        namespace: &str,
        object: &Value,
        dry_run: bool,
    ) -> Result<Value, Refused> {
        let name = crate::object::name(object);
        let call = format!("replace {} `{name}`", kind.kind);
        let path = with_query(&kind.address(namespace, name), &managed(dry_run));
        self.write(&call, Method::PUT, &path, Some(("application/json", object)))
            .await
    }

    /// Changes an object by a JSON patch (<https://www.rfc-editor.org/rfc/rfc6902>), whose `test`s are its conditions.
    ///
    /// # Errors
    /// When it was not changed, or that is not known.
    pub async fn patch(
        &self,
        kind: &Kind,
        namespace: &str,
        name: &str,
        operations: &Value,
        dry_run: bool,
    ) -> Result<Value, Refused> {
        let call = format!("patch {} `{name}`", kind.kind);
        let path = with_query(&kind.address(namespace, name), &managed(dry_run));
        let body = Some(("application/json-patch+json", operations));
        self.write(&call, Method::PATCH, &path, body).await
    }

    /// Applies an object, or a part of it (<https://kubernetes.io/docs/reference/using-api/server-side-apply/>).
    ///
    /// # Errors
    /// When it was not applied, or that is not known.
    pub async fn apply(
        &self,
        kind: &Kind,
        namespace: &str,
        object: &Value,
        how: Apply,
    ) -> Result<Value, Refused> {
        let name = crate::object::name(object);
        let call = format!("apply {} `{name}`", kind.kind);
        let mut query = managed(how.dry_run);
        query.push(("force", how.force.to_string()));
        query.push(("fieldValidation", "Strict".to_owned()));
        let path = with_query(&kind.address(namespace, name), &query);
        // JSON is YAML, and this is the type that the server knows apply by.
        let body = Some(("application/apply-patch+yaml", object));
        self.write(&call, Method::PATCH, &path, body).await
    }

    /// Deletes an object, and what it owns in the background. One that is not there is deleted.
    ///
    /// # Errors
    /// When it was not deleted, or that is not known.
    pub async fn delete(
        &self,
        kind: &Kind,
        namespace: &str,
        name: &str,
        still: &Still<'_>,
    ) -> Result<(), Refused> {
        let call = format!("delete {} `{name}`", kind.kind);
        let mut options = serde_json::json!({
            "apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background",
        });
        for (key, value) in [("uid", still.uid), ("resourceVersion", still.version)] {
            if let Some(value) = value {
                options["preconditions"][key] = value.into();
            }
        }
        let path = kind.address(namespace, name);
        let done = self
            .write(&call, Method::DELETE, &path, Some(("application/json", &options)))
            .await;
        match done {
            Err(refused) if refused.is_missing() => Ok(()),
            done => done.map(drop),
        }
    }

    /// Sends a write; again only where the server certainly did not do it (429).
    async fn write(
        &self,
        call: &str,
        method: Method,
        path: &str,
        body: Option<(&'static str, &Value)>,
    ) -> Result<Value, Refused> {
        let body = body.map(|(kind, value)| (kind, serde_json::to_vec(value).unwrap_or_default()));
        let mut pause = PAUSE;
        for _ in 1..TRIES {
            match self.once(call, method.clone(), path, body.clone()).await {
                Err(refused) if refused.status == Some(429) => {
                    sleep(refused.retry_after.unwrap_or(pause).min(LONGEST_PAUSE)).await;
                }
                done => return json(call, &done?),
            }
            pause *= 2;
        }
        json(call, &self.once(call, method, path, body).await?)
    }
}

fn managed(dry_run: bool) -> Vec<(&'static str, String)> {
    let mut query = vec![("fieldManager", MANAGER.to_owned())];
    if dry_run {
        query.push(("dryRun", "All".to_owned()));
    }
    query
}
