//! The edge to the cluster. Nothing is decided here.
//!
//! Every try of a call has an end of its own; kube's own retries are off (with them a call to a server that is overloaded takes
//! minutes, and one to a server that never answers has no end). Reads are tried again while they may pass. Writes are sent once,
//! and once more only where they certainly were not done; one whose answer is not known has perhaps been done, and its caller
//! looks before it does anything else ([`Refused::unknown`]).

use std::time::Duration;

use http::{Method, Request};
use http_body_util::{BodyExt as _, Limited};
use kube::Client;
use kube::client::Body;
use serde_json::Value;
use tokio::time::{sleep, timeout};

mod change;
pub mod kind;
pub mod refused;

pub use change::{Apply, Still};
pub use kind::Kind;
pub use refused::{Refused, Trouble};

/// The longest that one try of a call may take.
const TRY: Duration = Duration::from_secs(10);

/// How often a read is tried, and a write that was certainly not done.
const TRIES: u32 = 4;

/// From the first try to the second; each pause is twice as long as the one before.
const PAUSE: Duration = Duration::from_millis(250);

/// The longest pause that a server is granted by its `Retry-After`.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// The most that is read of an answer: a page of 500 pods has some MiB.
const LARGEST: usize = 64 * 1024 * 1024;

/// How many objects are asked for at once.
const PAGE: usize = 500;

/// Who owns the fields that this program applies
/// (<https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management>).
pub const MANAGER: &str = "k8s-blue-green";

/// The way to a cluster.
#[derive(Clone)]
pub struct Api {
    client: Client,
}

/// Which objects of a kind are asked for.
#[derive(Clone, Debug, Default)]
pub struct Which<'a> {
    /// By labels: `app=web`.
    pub labels: Option<&'a str>,
    /// By fields: `involvedObject.uid=…`.
    pub fields: Option<&'a str>,
}

impl Api {
    /// The way through a client, whose own retries are off.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self { client }
    }

    /// The client, for what is no call with an answer: a port-forward.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// An object, or nothing where there is none of that name.
    ///
    /// # Errors
    /// When it can't be read.
    pub async fn get(&self, kind: &Kind, namespace: &str, name: &str) -> Result<Option<Value>, Refused> {
        let call = format!("get {} `{name}`", kind.kind);
        match self.read(&call, &kind.address(namespace, name)).await {
            Ok(object) => Ok(Some(object)),
            Err(refused) if refused.is_missing() => Ok(None),
            Err(refused) => Err(refused),
        }
    }

    /// All objects of a kind in a namespace. A server that no longer knows where a list was cut (410) is asked from the
    /// beginning. A kind that the server does not have has none.
    ///
    /// # Errors
    /// When they can't be read.
    pub async fn list(&self, kind: &Kind, namespace: &str, which: &Which<'_>) -> Result<Vec<Value>, Refused> {
        let call = format!("list {}", kind.plural);
        let mut found = Vec::new();
        let mut from = String::new();
        loop {
            let mut query = vec![("limit", PAGE.to_string())];
            query.extend(which.labels.map(|labels| ("labelSelector", labels.to_owned())));
            query.extend(which.fields.map(|fields| ("fieldSelector", fields.to_owned())));
            if !from.is_empty() {
                query.push(("continue", from.clone()));
            }
            let path = with_query(&kind.collection(namespace), &query);
            let mut page = match self.read(&call, &path).await {
                Err(refused) if refused.status == Some(410) && !from.is_empty() => {
                    found.clear();
                    from.clear();
                    continue;
                }
                page => page?,
            };
            if let Some(Value::Array(items)) = page.get_mut("items").map(Value::take) {
                found.extend(items.into_iter().map(|item| named(item, kind)));
            }
            from = page["metadata"]["continue"]
                .as_str()
                .unwrap_or_default()
                .to_owned();
            if from.is_empty() {
                return Ok(found);
            }
        }
    }

    /// What is at an address that is no object's: discovery, versions.
    ///
    /// # Errors
    /// When it can't be read.
    pub async fn read(&self, call: &str, path: &str) -> Result<Value, Refused> {
        let bytes = self.read_bytes(call, path).await?;
        serde_json::from_slice(&bytes).map_err(|error| {
            // What stands between here and the server may have answered, or cut it.
            Refused::unanswered(call, &format!("the answer is no JSON: {error}"))
        })
    }

    /// The same, as it comes: logs.
    ///
    /// # Errors
    /// When it can't be read.
    pub async fn read_bytes(&self, call: &str, path: &str) -> Result<Vec<u8>, Refused> {
        let mut pause = PAUSE;
        for _ in 1..TRIES {
            match self.once(call, Method::GET, path, None).await {
                Err(refused) if refused.may_pass() => {
                    sleep(refused.retry_after.unwrap_or(pause).min(LONGEST_PAUSE)).await;
                }
                done => return done,
            }
            pause *= 2;
        }
        self.once(call, Method::GET, path, None).await
    }

    /// Asks something by creating an object that is not kept: an access review.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn review(&self, path: &str, question: &Value) -> Result<Value, Refused> {
        let call = "ask for permissions";
        let bytes = serde_json::to_vec(question).unwrap_or_default();
        let mut pause = PAUSE;
        for _ in 1..TRIES {
            let body = Some(("application/json", bytes.clone()));
            match self.once(call, Method::POST, path, body).await {
                Err(refused) if refused.may_pass() => sleep(pause).await,
                done => return json(call, &done?),
            }
            pause *= 2;
        }
        let answer = self
            .once(call, Method::POST, path, Some(("application/json", bytes)))
            .await?;
        json(call, &answer)
    }

    async fn once(
        &self,
        call: &str,
        method: Method,
        path: &str,
        body: Option<(&'static str, Vec<u8>)>,
    ) -> Result<Vec<u8>, Refused> {
        let mut request = Request::builder().method(method).uri(path);
        let content = match body {
            Some((kind, bytes)) => {
                request = request.header(http::header::CONTENT_TYPE, kind);
                bytes
            }
            None => Vec::new(),
        };
        let request = request.header(http::header::ACCEPT, "application/json");
        let request = request
            .body(Body::from(content))
            .map_err(|error| Refused::unsent(call, &error.to_string(), Trouble::Question))?;
        let answered = async {
            let answer = self
                .client
                .send(request)
                .await
                .map_err(|error| failed(call, &error))?;
            let status = answer.status().as_u16();
            let retry_after = answer
                .headers()
                .get(http::header::RETRY_AFTER)
                .and_then(|value| value.to_str().ok()?.trim().parse().ok())
                .map(Duration::from_secs);
            let body = Limited::new(answer.into_body(), LARGEST).collect().await;
            let body = body.map_err(|error| {
                let why = format!("the answer broke off: {}", refused::innermost(error.as_ref()));
                Refused::unanswered(call, &why)
            })?;
            let body = body.to_bytes();
            if (200..300).contains(&status) {
                Ok(Vec::from(body))
            } else {
                Err(Refused::answered(call, status, retry_after, &body))
            }
        };
        match timeout(TRY, answered).await {
            Ok(done) => done,
            Err(_) => Err(Refused::unanswered(call, "no answer in time")),
        }
    }
}

/// An object of a list, which leaves out what all of it have in common.
fn named(mut object: Value, kind: &Kind) -> Value {
    if let Some(fields) = object.as_object_mut() {
        fields
            .entry("apiVersion")
            .or_insert_with(|| kind.api_version().into());
        fields.entry("kind").or_insert_with(|| kind.kind.clone().into());
    }
    object
}

/// Why nothing came back.
fn failed(call: &str, error: &kube::Error) -> Refused {
    match error {
        kube::Error::Api(status) => Refused::answered(call, status.code, None, status.message.as_bytes()),
        kube::Error::Auth(auth) => Refused::unsent(call, &refused::innermost(auth), Trouble::Access),
        other => Refused::unanswered(call, &refused::innermost(other)),
    }
}

fn json(call: &str, bytes: &[u8]) -> Result<Value, Refused> {
    serde_json::from_slice(bytes).map_err(|error| {
        // It was done: what came back says so by its status.
        Refused::unanswered(call, &format!("the answer is no JSON: {error}"))
    })
}

/// An address with a query, whose values are encoded.
fn with_query(path: &str, query: &[(&str, String)]) -> String {
    let pairs = query.iter().map(|(key, value)| {
        let value = percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC);
        format!("{key}={value}")
    });
    format!("{path}?{}", pairs.collect::<Vec<_>>().join("&"))
}
