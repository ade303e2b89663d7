//! [AWS query](https://smithy.io/2.0/aws/protocols/aws-query-protocol.html): `Actions.member.1.Type=forward` in, XML out.
//!
//! A form has no types; the members named in [`NUMBERS`] and [`FLAGS`] become what the models say they are.

use percent_encoding::percent_decode;
use serde_json::{Map, Value};

use super::{Asked, Wire, unreadable, xml};
use crate::http::{Reply, Request};
use crate::stand_ins::aws::call::Refusal;

/// The namespace of an answer to nobody.
pub(super) const NAMESPACE: &str = "http://webservices.amazon.com/AWSFault/2005-15-09";

/// The `Version` of each service, what IAM calls it, and its namespace.
const SERVICES: [(&str, &str, &str); 3] = [
    (
        "2015-12-01",
        "elasticloadbalancing",
        "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/",
    ),
    ("2011-06-15", "sts", "https://sts.amazonaws.com/doc/2011-06-15/"),
    ("2010-05-08", "iam", "https://iam.amazonaws.com/doc/2010-05-08/"),
];

/// Members that are numbers in the models of these services.
const NUMBERS: [&str; 13] = [
    "DurationSeconds",
    "HealthCheckIntervalSeconds",
    "HealthCheckTimeoutSeconds",
    "HealthyThresholdCount",
    "MaxItems",
    "Order",
    "PageSize",
    "Port",
    "Priority",
    "SessionTimeout",
    "UnhealthyThresholdCount",
    "Weight",
    "TargetControlPort",
];

/// Members that are true or false.
const FLAGS: [&str; 4] = [
    "Enabled",
    "HealthCheckEnabled",
    "IncludeContextEntries",
    "UseExistingClientSecret",
];

/// What the query format calls a refusal that all services share.
const CODES: [(&str, &str, u16); 6] = [
    ("AccessDeniedException", "AccessDenied", 403),
    ("ExpiredTokenException", "ExpiredToken", 403),
    ("InvalidSignatureException", "SignatureDoesNotMatch", 403),
    (
        "MissingAuthenticationTokenException",
        "MissingAuthenticationToken",
        403,
    ),
    ("ThrottlingException", "Throttling", 400),
    ("UnrecognizedClientException", "InvalidClientTokenId", 403),
];

/// No input of these services is as deep.
const DEEPEST: usize = 16;

pub(super) fn decode(request: &Request) -> Result<Asked, Refusal> {
    let mut input = Value::Object(Map::new());
    let (mut action, mut version) = (String::new(), String::new());
    for pair in request
        .body
        .split(|byte| *byte == b'&')
        .filter(|pair| !pair.is_empty())
    {
        let at = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
        let (name, value) = (
            decoded(&pair[..at]),
            decoded(pair.get(at + 1..).unwrap_or_default()),
        );
        match name.as_str() {
            "Action" => action = value,
            "Version" => version = value,
            _ => put(&mut input, &name, value)?,
        }
    }
    let known = SERVICES.iter().find(|(known, ..)| *known == version);
    let Some((_, service, namespace)) = known.filter(|_| !action.is_empty()) else {
        let message = format!("Could not find operation {action} for version {version}");
        return Err(Refusal::new("InvalidAction", message));
    };
    Ok(Asked {
        service,
        operation: action,
        input: tidy("", input)?,
        wire: Wire::Query(namespace),
    })
}

pub(super) fn output(namespace: &str, operation: &str, output: &Value, id: &str) -> Reply {
    let (members, id) = (xml::members(output), xml::leaf("RequestId", id));
    respond(
        200,
        format!(
            "<{operation}Response xmlns=\"{namespace}\"><{operation}Result>{members}</{operation}Result>\
             <ResponseMetadata>{id}</ResponseMetadata></{operation}Response>"
        ),
    )
}

pub(super) fn error(namespace: &str, refusal: &Refusal, id: &str) -> Reply {
    let shared = CODES.iter().find(|(code, ..)| *code == refusal.code);
    let (code, status) = shared.map_or((refusal.code.as_str(), refusal.status), |(_, code, status)| {
        (code, *status)
    });
    let fault = if status < 500 { "Sender" } else { "Receiver" };
    let parts = [
        xml::leaf("Type", fault),
        xml::leaf("Code", code),
        xml::leaf("Message", &refusal.message),
    ];
    let (parts, id) = (parts.concat(), xml::leaf("RequestId", id));
    respond(
        status,
        format!("<ErrorResponse xmlns=\"{namespace}\"><Error>{parts}</Error>{id}</ErrorResponse>"),
    )
}

fn respond(status: u16, body: String) -> Reply {
    Reply::bytes(status, body.into_bytes()).header("content-type", "text/xml")
}

fn decoded(text: &[u8]) -> String {
    let spaced: Vec<u8> = text
        .iter()
        .map(|byte| if *byte == b'+' { b' ' } else { *byte })
        .collect();
    percent_decode(&spaced).decode_utf8_lossy().into_owned()
}

/// Puts `A.member.1.B` where it belongs, with `member` and the numbers as names still.
fn put(input: &mut Value, name: &str, value: String) -> Result<(), Refusal> {
    let steps: Vec<&str> = name.split('.').collect();
    if steps.len() > DEEPEST {
        return Err(unreadable("too deep"));
    }
    let mut place = input;
    for step in steps {
        if !place.is_object() {
            *place = Value::Object(Map::new());
        }
        place = &mut place[step];
    }
    *place = Value::from(value);
    Ok(())
}

/// Lists and maps in place of `member` and `entry`, and types by name.
fn tidy(name: &str, value: Value) -> Result<Value, Refusal> {
    let mut members = match value {
        Value::String(text) => return typed(name, text),
        Value::Object(members) => members,
        other => return Ok(other),
    };
    if members.len() == 1 {
        if let Some(items) = members.shift_remove("member") {
            let items = in_order(items).into_iter().map(|item| tidy(name, item));
            return Ok(Value::Array(items.collect::<Result<_, _>>()?));
        }
        if let Some(entries) = members.shift_remove("entry") {
            let entry = |entry: Value| Some((entry["key"].as_str()?.to_owned(), entry["value"].clone()));
            return Ok(Value::Object(
                in_order(entries).into_iter().filter_map(entry).collect(),
            ));
        }
    }
    let tidied = members.into_iter().map(|(name, value)| {
        let value = tidy(&name, value)?;
        Ok((name, value))
    });
    Ok(Value::Object(tidied.collect::<Result<_, _>>()?))
}

/// The items of `{"1": …, "2": …}` by their numbers.
fn in_order(items: Value) -> Vec<Value> {
    let Value::Object(items) = items else {
        return Vec::new();
    };
    let mut items: Vec<(u32, Value)> = items
        .into_iter()
        .map(|(number, item)| (number.parse().unwrap_or(u32::MAX), item))
        .collect();
    items.sort_by_key(|(number, _)| *number);
    items.into_iter().map(|(_, item)| item).collect()
}

fn typed(name: &str, text: String) -> Result<Value, Refusal> {
    if NUMBERS.contains(&name) {
        // A rule's priority is a number in the input of one operation and text, `default` among it, in the output.
        return text
            .parse::<i64>()
            .map(Value::from)
            .map_err(|_| malformed(name, &text));
    }
    if FLAGS.contains(&name) {
        return text
            .parse::<bool>()
            .map(Value::from)
            .map_err(|_| malformed(name, &text));
    }
    Ok(Value::from(text))
}

fn malformed(name: &str, text: &str) -> Refusal {
    Refusal::new("MalformedInput", format!("`{text}` is no value of `{name}`"))
}
