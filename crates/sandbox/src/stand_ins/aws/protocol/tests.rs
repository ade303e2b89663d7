use std::time::Duration;

use proptest::prelude::{any, prop, proptest};
use serde_json::json;

use super::*;
use crate::http::reply::Kind;

fn request(path: &str, headers: &[(&str, &str)], body: &[u8]) -> Request {
    let headers = headers.iter();
    Request {
        method: "POST".to_owned(),
        path: path.to_owned(),
        headers: headers
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        body: body.to_vec(),
        at: Duration::ZERO,
    }
}

fn form(body: &str) -> Result<Asked, Reply> {
    decode(&request("/", &[], body.as_bytes()))
}

/// Status, headers but the id, and body.
fn heard(reply: Reply) -> (u16, Vec<(String, String)>, Vec<u8>) {
    match reply.kind {
        Kind::Response(mut response) => {
            response.headers.retain(|(name, _)| name != "x-amzn-requestid");
            (response.status, response.headers, response.body)
        }
        other => panic!("no answer: {other:?}"),
    }
}

fn text(reply: Reply) -> String {
    String::from_utf8(heard(reply).2).unwrap()
}

#[test]
fn a_target_names_service_and_operation() {
    for (target, service) in [
        ("AmazonEC2ContainerServiceV20141113.UpdateService", "ecs"),
        ("Logs_20140328.GetLogEvents", "logs"),
        (
            "AnyScaleFrontendService.RegisterScalableTarget",
            "application-autoscaling",
        ),
        ("AmazonEC2ContainerRegistry_V20150921.BatchGetImage", "ecr"),
        ("GraniteServiceVersion20100801.GetMetricData", "cloudwatch"),
    ] {
        let asked = decode(&request(
            "/",
            &[("x-amz-target", target)],
            b"{\"a\":[1,{\"futureKey\":true}]}",
        ))
        .unwrap();
        assert_eq!((asked.service, asked.wire), (service, Wire::Json));
        assert!(target.ends_with(&format!(".{}", asked.operation)));
        assert_eq!(asked.input, json!({ "a": [1, { "futureKey": true }] }));
    }
    for (target, body, code) in [
        (
            "AmazonEC2ContainerServiceV20141113.X",
            "[1]",
            "SerializationException",
        ),
        (
            "AmazonEC2ContainerServiceV20141113.X",
            "{",
            "SerializationException",
        ),
        ("Nobody.X", "{}", "UnknownOperationException"),
    ] {
        let reply = decode(&request("/", &[("x-amz-target", target)], body.as_bytes())).unwrap_err();
        assert!(text(reply).contains(code), "{target} {body}");
    }
}

#[test]
fn a_form_becomes_what_the_model_says() {
    let body = "Action=ModifyRule&Version=2015-12-01&RuleArn=arn%3Aaws&Actions.member.2.Type=forward\
                &Actions.member.2.ForwardConfig.TargetGroups.member.1.Weight=90\
                &Actions.member.2.ForwardConfig.TargetGroups.member.10.TargetGroupArn=ten\
                &Actions.member.2.ForwardConfig.TargetGroups.member.2.TargetGroupArn=two+%2B+one\
                &Actions.member.1.AuthenticateOidcConfig.UseExistingClientSecret=true\
                &Actions.member.1.AuthenticateOidcConfig.AuthenticationRequestExtraParams.entry.1.key=a\
                &Actions.member.1.AuthenticateOidcConfig.AuthenticationRequestExtraParams.entry.1.value=1";
    let asked = form(body).unwrap();
    assert_eq!(
        (asked.service, asked.operation.as_str()),
        ("elasticloadbalancing", "ModifyRule")
    );
    let oidc = json!({ "UseExistingClientSecret": true, "AuthenticationRequestExtraParams": { "a": "1" } });
    let groups = json!([{ "Weight": 90 }, { "TargetGroupArn": "two + one" }, { "TargetGroupArn": "ten" }]);
    let actions = json!([
        { "AuthenticateOidcConfig": oidc },
        { "Type": "forward", "ForwardConfig": { "TargetGroups": groups } },
    ]);
    assert_eq!(asked.input, json!({ "RuleArn": "arn:aws", "Actions": actions }));
    for (body, code) in [
        ("Action=X&Version=1999-01-01", "InvalidAction"),
        ("Version=2015-12-01", "InvalidAction"),
        ("", "InvalidAction"),
        ("Action=X&Version=2015-12-01&Weight=much", "MalformedInput"),
    ] {
        assert!(
            text(form(body).unwrap_err()).contains(&format!("<Code>{code}</Code>")),
            "{body}"
        );
    }
}

#[test]
fn xml_holds_lists_maps_times_and_foreign_text() {
    let output = json!({
        "Rules": [{ "Priority": "1", "IsDefault": false, "Nothing": null }, { "Weight": 7 }],
        "AuthenticationRequestExtraParams": { "a&b": "<c>\u{1}" },
        "CreatedTime": 1_767_225_600.25,
        "Empty": [],
    });
    let body = text(
        form("Action=DescribeRules&Version=2015-12-01")
            .unwrap()
            .wire
            .encode("DescribeRules", Ok(output)),
    );
    let expected = "<DescribeRulesResponse xmlns=\"http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/\"><DescribeRulesResult>\
         <Rules><member><Priority>1</Priority><IsDefault>false</IsDefault></member><member><Weight>7</Weight></member></Rules>\
         <AuthenticationRequestExtraParams><entry><key>a&amp;b</key><value>&lt;c&gt;\u{fffd}</value></entry>\
         </AuthenticationRequestExtraParams><CreatedTime>2026-01-01T00:00:00.250Z</CreatedTime><Empty></Empty>\
         </DescribeRulesResult><ResponseMetadata><RequestId>";
    assert!(body.starts_with(expected), "{body}");
}

#[test]
fn each_format_has_its_own_envelope_for_a_refusal() {
    let expired = || Err(Refusal::new("ExpiredTokenException", "it is \"expired\""));
    let (status, _, body) = heard(Wire::Json.encode("X", expired()));
    assert_eq!(status, 400);
    assert_eq!(
        serde_json::from_slice::<Value>(&body).unwrap(),
        json!({ "__type": "ExpiredTokenException", "message": "it is \"expired\"" })
    );
    let (status, _, body) = heard(Wire::Query("urn:x").encode("X", expired()));
    let body = String::from_utf8(body).unwrap();
    assert_eq!(status, 403);
    assert!(
        body.contains("<Type>Sender</Type><Code>ExpiredToken</Code><Message>it is \"expired\"</Message>"),
        "{body}"
    );
    let (status, headers, _) = heard(Wire::Cbor.encode("X", expired()));
    assert_eq!(status, 400);
    assert!(headers.contains(&(
        "x-amzn-query-error".to_owned(),
        "ExpiredTokenException;Sender".to_owned()
    )));
}

#[test]
fn cbor_is_read_and_written_with_its_times() {
    // {"StartTime": 1(600), "List": [_ 1.5(half), -1], _ text in parts: true}
    let body = b"\xbf\x69StartTime\xc1\x19\x02\x58\x64List\x9f\xf9\x3e\x00\x20\xff\x7f\x61a\x61b\xff\xf5\xff";
    let headers = [("smithy-protocol", "rpc-v2-cbor")];
    let path = "/service/GraniteServiceVersion20100801/operation/GetMetricData";
    let asked = decode(&request(path, &headers, body)).unwrap();
    assert_eq!(
        (asked.service, asked.operation.as_str()),
        ("cloudwatch", "GetMetricData")
    );
    assert_eq!(
        asked.input,
        json!({ "StartTime": 600, "List": [1.5, -1], "ab": true })
    );
    let output = json!({ "Timestamps": [600.0], "Values": [1.0], "Nothing": null });
    let (_, headers, body) = heard(Wire::Cbor.encode("GetMetricData", Ok(output)));
    assert!(headers.contains(&("smithy-protocol".to_owned(), "rpc-v2-cbor".to_owned())));
    assert_eq!(
        body,
        b"\xa2\x6aTimestamps\x81\xc1\xfb\x40\x82\xc0\x00\x00\x00\x00\x00\x66Values\x81\xfb\x3f\xf0\x00\x00\x00\x00\x00\x00"
    );
    let deep = [vec![0x81; 100_000], vec![0x00]].concat();
    assert!(decode(&request(path, &[("smithy-protocol", "rpc-v2-cbor")], &deep)).is_err());
}

proptest! {
    #[test]
    fn foreign_bytes_never_panic(body in prop::collection::vec(any::<u8>(), 0..200), text in ".{0,200}") {
        let path = "/service/GraniteServiceVersion20100801/operation/GetMetricData";
        let _ = decode(&request(path, &[("smithy-protocol", "rpc-v2-cbor")], &body));
        let _ = decode(&request("/", &[("x-amz-target", &text)], &body));
        let _ = decode(&request("/", &[], &body));
        let _ = form(&format!("Action=X&Version=2015-12-01&{text}"));
    }

    #[test]
    fn foreign_names_of_members_never_panic(names in prop::collection::vec("(member|entry|key|1|2|Weight|[.]){1,8}=x?", 0..6)) {
        let _ = form(&format!("Action=X&Version=2015-12-01&{}", names.join("&")));
    }
}
