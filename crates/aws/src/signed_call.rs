//! One signed call to a service whose SDK crate is not linked: ECR, IAM, Secrets Manager, SSM and EKS are asked six questions in
//! all, and the crates of these have more than half a million lines of Rust. The way is the SDK's own: its client with proxies
//! and authorities, its credentials, its signature, retries and time-outs.
//!
//! Limits: reads only; what is asked is JSON of one level or two, or a path; no dual-stack addresses. An answer that does not
//! come soon counts as none: nobody waits long for a question whose answer is a help.

use std::fmt;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_runtime::auth::sigv4::{SCHEME_ID, SigV4AuthScheme};
use aws_runtime::auth::{SigV4OperationSigningConfig, SigningOptions};
use aws_runtime::retries::classifiers::AwsErrorCodeClassifier;
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime::client::retries::classifiers::{HttpStatusCodeClassifier, TransientErrorClassifier};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::auth::static_resolver::StaticAuthSchemeOptionResolver;
use aws_smithy_runtime_api::client::auth::{
    AuthSchemeOptionResolverParams, SharedAuthScheme, SharedAuthSchemeOptionResolver,
};
use aws_smithy_runtime_api::client::identity::SharedIdentityResolver;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
use aws_smithy_runtime_api::client::runtime_plugin::StaticRuntimePlugin;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::Layer;
use aws_smithy_types::error::metadata::{ErrorMetadata, ProvideErrorMetadata};
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SigningName;
use aws_types::region::{Region, SigningRegion};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use crate::config::endpoint;

mod addresses;

pub use addresses::{ECR, EKS, IAM, Protocol, SECRETS, SSM, STS, Service, address};

/// How often a call is tried.
const ATTEMPTS: u32 = 2;

/// The longest that one attempt may take.
const ATTEMPT: Duration = Duration::from_secs(5);

/// The longest that a call may take with all its attempts.
const CALL: Duration = Duration::from_secs(12);

/// A question to a service.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// Who is asked.
    pub service: Service,
    /// What, by the service's own name for it.
    pub operation: &'static str,
    /// Where it is asked.
    pub region: &'a str,
    /// An object: of any depth for JSON, of texts for a query. For REST the path as a text, encoded.
    pub input: &'a Value,
}

impl Question<'_> {
    /// The call as policies name it, such as `ecr:DescribeImages`.
    #[must_use]
    pub fn call(&self) -> String {
        format!("{}:{}", self.service.name, self.operation)
    }
}

/// Why there is no answer. [`crate::reason::of`] says it in words.
pub type Unanswered = SdkError<Said, HttpResponse>;

/// Asks. The answer is a value of JSON, or for a query the XML as one text.
///
/// # Errors
/// When the service refuses, or does not answer in time.
pub async fn ask(config: &SdkConfig, question: Question<'_>) -> Result<Value, Unanswered> {
    let Question {
        service, operation, ..
    } = question;
    let (usual, signed_for) = address(service, question.region, config.use_fips().unwrap_or_default());
    let url = endpoint(config, service.id).unwrap_or(usual);
    let request = request(question, config);
    Operation::builder()
        .service_name(service.name)
        .operation_name(operation)
        .endpoint_url(&url)
        .timeout_config(
            TimeoutConfig::builder()
                .operation_attempt_timeout(ATTEMPT)
                .operation_timeout(CALL)
                .build(),
        )
        .standard_retry(&RetryConfig::standard().with_max_attempts(ATTEMPTS))
        .retry_classifier(TransientErrorClassifier::<Said>::new())
        .retry_classifier(AwsErrorCodeClassifier::<Said>::new())
        .retry_classifier(HttpStatusCodeClassifier::default())
        .runtime_plugin(signed(config, service, signed_for))
        .serializer(move |()| request.build())
        .deserializer(move |response| answered(service.protocol, operation, response))
        .build()
        .invoke(())
        .await
}

/// A request before it has an address.
struct Unsent {
    method: &'static str,
    path: String,
    headers: Vec<(&'static str, String)>,
    body: String,
}

impl Unsent {
    fn build(&self) -> Result<HttpRequest, BoxError> {
        let mut request = HttpRequest::new(SdkBody::from(self.body.as_str()));
        request.set_method(self.method)?;
        request.set_uri(self.path.as_str())?;
        for (name, value) in &self.headers {
            request.headers_mut().insert(*name, value.clone());
        }
        if self.method == "POST" {
            let length = self.body.len().to_string();
            request.headers_mut().insert("content-length", length);
        }
        Ok(request)
    }
}

fn request(question: Question<'_>, config: &SdkConfig) -> Unsent {
    let agent = config.app_name().map_or("deploy-actions", |name| name.as_ref());
    let mut headers = vec![("user-agent", agent.to_owned())];
    let operation = question.operation;
    let (mut method, mut path) = ("POST", "/".to_owned());
    let body = match question.service.protocol {
        Protocol::Rest => {
            method = "GET";
            question.input.as_str().unwrap_or("/").clone_into(&mut path);
            String::new()
        }
        Protocol::Json(target) => {
            headers.push(("content-type", "application/x-amz-json-1.1".to_owned()));
            headers.push(("x-amz-target", format!("{target}.{operation}")));
            question.input.to_string()
        }
        Protocol::Query(version) => {
            headers.push(("content-type", "application/x-www-form-urlencoded".to_owned()));
            let members = question.input.as_object().into_iter().flatten();
            let members = members.filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)));
            let all = [("Action", operation), ("Version", version)]
                .into_iter()
                .chain(members);
            let pairs: Vec<String> = all
                .map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)))
                .collect();
            pairs.join("&")
        }
    };
    Unsent {
        method,
        path,
        headers,
        body,
    }
}

/// What signs it: the credentials of every other call.
fn signed(config: &SdkConfig, service: Service, region: String) -> StaticRuntimePlugin {
    let mut settings = Layer::new("signed-call");
    let mut options = SigningOptions::default();
    options.double_uri_encode = true;
    options.normalize_uri_path = true;
    settings.store_put(SigV4OperationSigningConfig {
        region: Some(SigningRegion::from(Region::new(region))),
        name: Some(SigningName::from_static(service.name)),
        signing_options: options,
        ..SigV4OperationSigningConfig::default()
    });
    settings.store_put(AuthSchemeOptionResolverParams::new(()));
    let mut components = RuntimeComponentsBuilder::new("signed-call");
    components.set_http_client(config.http_client());
    components.set_sleep_impl(config.sleep_impl());
    components.set_time_source(config.time_source());
    if let Some(cache) = config.identity_cache() {
        components.set_identity_cache(Some(cache));
    }
    if let Some(provider) = config.credentials_provider() {
        components.set_identity_resolver(SCHEME_ID, SharedIdentityResolver::new(provider));
    }
    components.push_auth_scheme(SharedAuthScheme::new(SigV4AuthScheme::new()));
    let only = StaticAuthSchemeOptionResolver::new(vec![SCHEME_ID]);
    components.set_auth_scheme_option_resolver(Some(SharedAuthSchemeOptionResolver::new(only)));
    StaticRuntimePlugin::new()
        .with_config(settings.freeze())
        .with_runtime_components(components)
}

/// What a service said in place of an answer.
#[derive(Debug)]
pub struct Said(ErrorMetadata);

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Said {}

impl ProvideErrorMetadata for Said {
    fn meta(&self) -> &ErrorMetadata {
        &self.0
    }
}

fn answered(
    protocol: Protocol,
    operation: &str,
    response: &HttpResponse,
) -> Result<Value, OrchestratorError<Said>> {
    let body = response.body().bytes().unwrap_or_default();
    if response.status().is_success() {
        answer(protocol, operation, body).ok_or_else(|| OrchestratorError::other("no answer of this service"))
    } else {
        let header = response.headers().get("x-amzn-errortype");
        Err(OrchestratorError::operation(Said(said(protocol, header, body))))
    }
}

/// An answer, if it is one of this operation.
fn answer(protocol: Protocol, operation: &str, body: &[u8]) -> Option<Value> {
    match protocol {
        Protocol::Json(_) | Protocol::Rest => serde_json::from_slice(body).ok().filter(Value::is_object),
        Protocol::Query(_) => {
            let text = std::str::from_utf8(body).ok()?;
            let is = text.contains(&format!("<{operation}Response"));
            is.then(|| Value::from(text))
        }
    }
}

/// The code and the message of a refusal.
fn said(protocol: Protocol, header: Option<&str>, body: &[u8]) -> ErrorMetadata {
    let (code, message) = match protocol {
        Protocol::Json(_) | Protocol::Rest => {
            let body: Value = serde_json::from_slice(body).unwrap_or_default();
            let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
            let code = header
                .map(str::to_owned)
                .or_else(|| text("__type"))
                .or_else(|| text("code"));
            // `namespace#Code`, and in the header `Code:address`.
            let code = code.map(|code| {
                let code = code.rsplit('#').next().unwrap_or_default();
                code.split(':').next().unwrap_or_default().to_owned()
            });
            (code, text("message").or_else(|| text("Message")))
        }
        Protocol::Query(_) => {
            let body = String::from_utf8_lossy(body);
            let text = |name| element(&body, name).map(str::to_owned);
            (text("Code"), text("Message"))
        }
    };
    let mut said = ErrorMetadata::builder();
    if let Some(code) = code {
        said = said.code(code);
    }
    if let Some(message) = message {
        said = said.message(message);
    }
    said.build()
}

/// The text of the first element of this name, as it is written: what is asked for has no entities.
#[must_use]
pub fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    let (text, _) = rest.split_once(&format!("</{name}>"))?;
    Some(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::*;

    const JSON: Protocol = Protocol::Json("X");
    const QUERY: Protocol = Protocol::Query("1");

    #[test]
    fn a_refusal_has_its_code_wherever_it_stands() {
        let xml = "<ErrorResponse><Error><Type>Sender</Type><Code>NoSuchEntity</Code><Message>none</Message></Error></ErrorResponse>";
        for (protocol, header, body, code, message) in [
            (
                JSON,
                None,
                r#"{"__type":"a.b#Missing","message":"none"}"#,
                Some("Missing"),
                Some("none"),
            ),
            (
                JSON,
                Some("Missing:http://x"),
                r#"{"Message":"none"}"#,
                Some("Missing"),
                Some("none"),
            ),
            (JSON, None, "<html>", None, None),
            (QUERY, None, xml, Some("NoSuchEntity"), Some("none")),
            (QUERY, None, r#"{"__type":"x"}"#, None, None),
        ] {
            let said = said(protocol, header, body.as_bytes());
            assert_eq!((said.code(), said.message()), (code, message), "{body}");
        }
    }

    #[test]
    fn what_is_no_answer_is_none() {
        let xml = b"<GetRoleResponse xmlns=\"x\"><GetRoleResult/></GetRoleResponse>";
        assert!(answer(QUERY, "GetRole", xml).is_some());
        assert!(answer(JSON, "GetRole", b"{}").is_some());
        for (protocol, body) in [
            (JSON, "[]"),
            (JSON, "<x/>"),
            (QUERY, "<html/>"),
            (QUERY, "{}"),
            (JSON, ""),
        ] {
            assert!(answer(protocol, "GetRole", body.as_bytes()).is_none(), "{body}");
        }
    }

    proptest! {
        #[test]
        fn foreign_bytes_never_panic(body in any::<Vec<u8>>(), header in any::<Option<String>>()) {
            for protocol in [JSON, QUERY, Protocol::Rest] {
                let _ = said(protocol, header.as_deref(), &body);
                let _ = answer(protocol, "X", &body);
            }
        }
    }
}
