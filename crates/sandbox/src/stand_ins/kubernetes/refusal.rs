//! What the API server answers in place of an object: a `Status` of its API.
//!
//! Worded as [its errors](https://pkg.go.dev/k8s.io/apimachinery/pkg/api/errors) are.

use serde_json::{Value, json};

use super::kinds::Kind;

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The status of HTTP.
    pub code: u16,
    /// Such as `Conflict`.
    pub reason: String,
    /// In words.
    pub message: String,
    /// What it is about, and its causes.
    pub details: Box<Value>,
    /// When to come again, in seconds.
    pub retry_after: Option<u32>,
}

impl Refusal {
    /// A refusal in a test's own words.
    #[must_use]
    pub fn new(code: u16, reason: &str, message: impl Into<String>) -> Self {
        Self {
            code,
            reason: reason.to_owned(),
            message: message.into(),
            details: Box::default(),
            retry_after: None,
        }
    }

    /// With details.
    #[must_use]
    pub fn details(mut self, details: Value) -> Self {
        *self.details = details;
        self
    }

    /// What an admission webhook says that denies a change.
    #[must_use]
    pub fn webhook(name: &str, message: &str) -> Self {
        Self::new(
            403,
            "Forbidden",
            format!("admission webhook \"{name}\" denied the request: {message}"),
        )
    }

    pub(crate) fn about(self, kind: &Kind, name: &str) -> Self {
        let details = json!({ "name": name, "group": kind.group, "kind": kind.plural });
        self.details(without_empty(details))
    }

    pub(crate) fn not_found(kind: &Kind, name: &str) -> Self {
        let message = format!("{} \"{name}\" not found", kind.qualified());
        Self::new(404, "NotFound", message).about(kind, name)
    }

    pub(crate) fn no_such_address() -> Self {
        Self::new(
            404,
            "NotFound",
            "the server could not find the requested resource",
        )
        .details(json!({}))
    }

    pub(crate) fn exists(kind: &Kind, name: &str) -> Self {
        let message = format!("{} \"{name}\" already exists", kind.qualified());
        Self::new(409, "AlreadyExists", message).about(kind, name)
    }

    pub(crate) fn conflict(kind: &Kind, name: &str, why: &str) -> Self {
        let message = format!(
            "Operation cannot be fulfilled on {} \"{name}\": {why}",
            kind.qualified()
        );
        Self::new(409, "Conflict", message).about(kind, name)
    }

    pub(crate) fn modified(kind: &Kind, name: &str) -> Self {
        let why =
            "the object has been modified; please apply your changes to the latest version and try again";
        Self::conflict(kind, name, why)
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    /// Fields that can't be so: each with its path and what is wrong with it.
    pub(crate) fn invalid(kind: &Kind, name: &str, causes: &[(String, String)]) -> Self {
        let listed: Vec<String> = causes
            .iter()
            .map(|(field, why)| format!("{field}: {why}"))
            .collect();
        let listed = match listed.as_slice() {
            [one] => one.clone(),
            many => format!("[{}]", many.join(", ")),
        };
        let message = format!("{} \"{name}\" is invalid: {listed}", kind.qualified_kind());
        let causes: Vec<Value> = causes
            .iter()
            .map(|(field, why)| {
                let reason = match why.split(':').next().unwrap_or_default() {
                    "Required value" => "FieldValueRequired",
                    "Forbidden" => "FieldValueForbidden",
                    "Unsupported value" => "FieldValueNotSupported",
                    "Duplicate value" => "FieldValueDuplicate",
                    _ => "FieldValueInvalid",
                };
                json!({ "reason": reason, "message": why, "field": field })
            })
            .collect();
        let details = json!({ "name": name, "group": kind.group, "kind": kind.kind, "causes": causes });
        Self::new(422, "Invalid", message).details(without_empty(details))
    }

    /// A patch that can't be made: one whose test failed and one whose path is missing read the same.
    pub(crate) fn unpatchable() -> Self {
        let message = "the server rejected our request due to an error in our request";
        Self::new(422, "Invalid", message).details(json!({}))
    }

    pub(crate) fn unauthorized() -> Self {
        Self::new(401, "Unauthorized", "Unauthorized")
    }

    pub(crate) fn gone(asked: u64, oldest: u64) -> Self {
        Self::new(
            410,
            "Expired",
            format!("too old resource version: {asked} ({oldest})"),
        )
    }

    pub(crate) fn method_not_allowed() -> Self {
        Self::new(
            405,
            "MethodNotAllowed",
            "the server does not allow this method on the requested resource",
        )
        .details(json!({}))
    }

    /// As an object of the API.
    #[must_use]
    pub fn status(&self) -> Value {
        let mut status = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": self.message, "reason": self.reason,
        });
        let mut details = self.details.as_ref().clone();
        if let Some(seconds) = self.retry_after {
            super::object::put(&mut details, &["retryAfterSeconds"], json!(seconds));
        }
        if !details.is_null() {
            super::object::put(&mut status, &["details"], details);
        }
        super::object::put(&mut status, &["code"], json!(self.code));
        status
    }
}

fn without_empty(mut details: Value) -> Value {
    if let Value::Object(fields) = &mut details {
        fields.retain(|_, value| value.as_str() != Some(""));
    }
    details
}
