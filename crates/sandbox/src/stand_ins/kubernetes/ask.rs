//! What a request asks for: address, query and method as one value.
//!
//! As [API concepts](https://kubernetes.io/docs/reference/using-api/api-concepts/) has addresses and verbs.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::kinds::{self, Kind};
use super::protobuf;
use super::refusal::Refusal;
use crate::http::Request;

/// A request for objects.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Ask {
    pub(crate) verb: &'static str,
    pub(crate) kind: &'static Kind,
    pub(crate) version: String,
    pub(crate) namespace: String,
    pub(crate) name: String,
    /// Such as `status`; empty for the object itself.
    pub(crate) part: String,
    pub(crate) query: Query,
}

/// The query of an address; of a name that comes twice, all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Query(BTreeMap<String, Vec<String>>);

/// What an address is about.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Address {
    Objects(Ask),
    /// What the server says about itself, by the path.
    Server(String),
}

impl Query {
    pub(crate) fn parse(written: &str) -> Self {
        let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for pair in written.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            all.entry(decoded(name)).or_default().push(decoded(value));
        }
        Self(all)
    }

    /// The first value of a name; empty where there is none.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.all(name).first().map(String::as_str).unwrap_or_default()
    }

    pub(crate) fn all(&self, name: &str) -> &[String] {
        self.0.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    pub(crate) fn flag(&self, name: &str) -> bool {
        matches!(self.text(name), "true" | "1")
    }

    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        self.text(name).parse().ok()
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        !self.text(name).is_empty()
    }
}

impl Ask {
    /// For messages: `services "web"`.
    pub(crate) fn resource(&self) -> String {
        match self.part.as_str() {
            "" => self.kind.plural.to_owned(),
            part => format!("{}/{part}", self.kind.plural),
        }
    }

    pub(crate) fn is_dry(&self) -> bool {
        self.query.all("dryRun").iter().any(|value| value == "All")
    }

    /// Who is to own what it writes.
    pub(crate) fn manager(&self, request: &Request) -> String {
        match self.query.text("fieldManager") {
            "" => {
                let agent = request.header("user-agent").unwrap_or("unknown");
                agent.split('/').next().unwrap_or("unknown").to_owned()
            }
            named => named.to_owned(),
        }
    }
}

/// Whether a verb is one that changes something.
pub(crate) fn is_write(verb: &str) -> bool {
    matches!(
        verb,
        "create" | "update" | "patch" | "delete" | "deletecollection"
    )
}

/// Reads the address of a request.
pub(crate) fn read(request: &Request) -> Result<Address, Refusal> {
    let (path, query) = request
        .path
        .split_once('?')
        .unwrap_or((request.path.as_str(), ""));
    let parts: Vec<String> = path
        .split('/')
        .filter(|part| !part.is_empty())
        .map(decoded)
        .collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let (group, version, rest) = match parts.as_slice() {
        ["api", version, rest @ ..] if !rest.is_empty() => ("", *version, rest),
        ["apis", group, version, rest @ ..] if !rest.is_empty() => (*group, *version, rest),
        _ => return Ok(Address::Server(path.to_owned())),
    };
    let (namespace, rest) = match rest {
        ["namespaces", _] | ["namespaces", _, "status" | "finalize"] => ("", rest),
        ["namespaces", namespace, rest @ ..] if !rest.is_empty() => (*namespace, rest),
        rest => ("", rest),
    };
    let [plural, rest @ ..] = rest else {
        return Err(Refusal::no_such_address());
    };
    if let Some(kind) = review(group, plural) {
        let ask = ask_of(request, kind, version, "", rest, query)?;
        return Ok(Address::Objects(ask));
    }
    let kind = kinds::by_plural(group, plural).filter(|kind| kind.serves(version));
    let kind = kind.ok_or_else(Refusal::no_such_address)?;
    let ask = ask_of(request, kind, version, namespace, rest, query)?;
    Ok(Address::Objects(ask))
}

/// The kinds that are only asked and never stored.
fn review(group: &str, plural: &str) -> Option<&'static Kind> {
    REVIEWS
        .iter()
        .find(|kind| kind.group == group && kind.plural == plural)
}

pub(crate) static REVIEWS: [Kind; 3] = [
    reviewed(
        "authorization.k8s.io",
        "selfsubjectaccessreviews",
        "SelfSubjectAccessReview",
    ),
    reviewed(
        "authorization.k8s.io",
        "selfsubjectrulesreviews",
        "SelfSubjectRulesReview",
    ),
    reviewed("authentication.k8s.io", "selfsubjectreviews", "SelfSubjectReview"),
];

const fn reviewed(group: &'static str, plural: &'static str, kind: &'static str) -> Kind {
    Kind {
        group,
        version: "v1",
        plural,
        kind,
        namespaced: false,
        short: &[],
        parts: &[],
        custom: false,
        older: &[],
    }
}

fn ask_of(
    request: &Request,
    kind: &'static Kind,
    version: &str,
    namespace: &str,
    rest: &[&str],
    query: &str,
) -> Result<Ask, Refusal> {
    let query = Query::parse(query);
    let (name, part) = match rest {
        [] => ("", ""),
        [name] => (*name, ""),
        [name, part] if kind.has(part) => (*name, *part),
        _ => return Err(Refusal::no_such_address()),
    };
    let verb = match (request.method.as_str(), name) {
        ("GET" | "POST", _) if part == "portforward" => {
            if request.method == "GET" {
                "get"
            } else {
                "create"
            }
        }
        ("GET" | "HEAD", "") if query.flag("watch") => "watch",
        ("GET" | "HEAD", "") => "list",
        ("GET" | "HEAD", _) => "get",
        ("POST", "") => "create",
        ("PUT", name) if !name.is_empty() => "update",
        ("PATCH", name) if !name.is_empty() => "patch",
        ("DELETE", "") => "deletecollection",
        ("DELETE", _) => "delete",
        _ => return Err(Refusal::method_not_allowed()),
    };
    Ok(Ask {
        verb,
        kind,
        version: version.to_owned(),
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        part: part.to_owned(),
        query,
    })
}

/// The body as JSON, or as YAML where it says so; null for none.
pub(crate) fn body(request: &Request) -> Result<Value, Refusal> {
    if request.body.is_empty() {
        return Ok(Value::Null);
    }
    let kind = request.header("content-type").unwrap_or_default();
    if kind.contains("protobuf") {
        if let Some(review) = protobuf::review(&request.body) {
            return Ok(review);
        }
        let message = "the body of the request was in an unknown format - accepted media types include: application/json, application/yaml";
        return Err(Refusal::new(415, "UnsupportedMediaType", message));
    }
    if kind.contains("yaml") {
        return yaml_serde::from_slice(&request.body)
            .map_err(|error| Refusal::bad_request(format!("error decoding YAML: {error}")));
    }
    serde_json::from_slice(&request.body).map_err(|error| {
        Refusal::bad_request(format!("couldn't get version/kind; json parse error: {error}"))
    })
}

fn decoded(written: &str) -> String {
    percent_decode_str(&written.replace('+', " "))
        .decode_utf8_lossy()
        .into_owned()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn asked(method: &str, path: &str) -> Result<Address, Refusal> {
        read(&Request {
            method: method.to_owned(),
            path: path.to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
            at: Duration::ZERO,
        })
    }

    #[test]
    fn addresses_are_read() {
        for (method, path, expected) in [
            ("GET", "/api/v1/namespaces/a/services/web", "get services a web"),
            ("GET", "/api/v1/pods?watch=true", "watch pods  "),
            ("GET", "/api/v1/namespaces/a", "get namespaces  a"),
            (
                "PATCH",
                "/apis/apps/v1/namespaces/a/deployments/x/scale",
                "patch deployments/scale a x",
            ),
            (
                "POST",
                "/api/v1/namespaces/a/pods/x/portforward",
                "create pods/portforward a x",
            ),
            (
                "DELETE",
                "/apis/batch/v1/namespaces/a/jobs",
                "deletecollection jobs a ",
            ),
            (
                "GET",
                "/apis/networking.istio.io/v1beta1/namespaces/a/virtualservices",
                "list virtualservices a ",
            ),
        ] {
            let Ok(Address::Objects(ask)) = asked(method, path) else {
                panic!("{path}");
            };
            let read = format!("{} {} {} {}", ask.verb, ask.resource(), ask.namespace, ask.name);
            assert_eq!(read, expected);
        }
        assert_eq!(asked("GET", "/apis"), Ok(Address::Server("/apis".to_owned())));
        for (path, code) in [
            ("/api/v1/namespaces/a/nothing/x", 404),
            ("/apis/apps/v1/namespaces/a/deployments/x/logs", 404),
            ("/apis/apps/v2/namespaces/a/deployments", 404),
        ] {
            assert_eq!(asked("GET", path).unwrap_err().code, code, "{path}");
        }
    }
}
