use super::*;
use crate::http::Request;
use crate::stand_ins::aws::protocol::{Asked, Wire};

const ROLE: &str = "arn:aws:iam::123456789012:role/deploy";

fn sts() -> Sts {
    let mut sts = Sts::new(Keys::new("eu-central-1"), 1_000_000.0);
    sts.add(Role::of_repository(ROLE, "org/shop"));
    sts
}

fn token(claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!(
        "{}.{}.c2lnbmF0dXJl",
        part(&json!({ "alg": "RS256" })),
        part(claims)
    )
}

fn by_token(sts: &mut Sts, token: &str, seconds: u64) -> Answer {
    let input = json!({ "RoleArn": ROLE, "RoleSessionName": "run-1", "WebIdentityToken": token, "DurationSeconds": seconds });
    sts.answer(&call("AssumeRoleWithWebIdentity", input), None)
}

fn call(operation: &str, input: Value) -> Call {
    Call {
        service: "sts",
        operation: operation.to_owned(),
        input,
        now: Duration::from_secs(100),
    }
}

#[test]
fn a_token_of_the_repository_assumes_the_role_for_a_while() {
    let mut sts = sts();
    let claims = json!({ "aud": "sts.amazonaws.com", "sub": "repo:org/shop:ref:refs/heads/main", "exp": 1_000_200, "iss": "x" });
    let output = by_token(&mut sts, &token(&claims), 900).unwrap();
    assert_eq!(output["Credentials"]["Expiration"], 1_001_000.0);
    assert_eq!(
        output["AssumedRoleUser"]["Arn"],
        "arn:aws:sts::123456789012:assumed-role/deploy/run-1"
    );
    for (name, value, code) in [
        ("aud", json!("other"), "InvalidIdentityToken"),
        (
            "sub",
            json!("repo:org/shopping:ref:refs/heads/main"),
            "AccessDenied",
        ),
        ("exp", json!(1_000_100), "ExpiredTokenException"),
    ] {
        let mut wrong = claims.clone();
        wrong[name] = value;
        assert_eq!(
            by_token(&mut sts, &token(&wrong), 900).unwrap_err().code,
            code,
            "{name}"
        );
    }
    assert_eq!(
        by_token(&mut sts, "a.b", 900).unwrap_err().code,
        "InvalidIdentityToken"
    );
    for seconds in [899, 3601] {
        assert_eq!(
            by_token(&mut sts, &token(&claims), seconds).unwrap_err().code,
            "ValidationError"
        );
    }
}

#[test]
fn a_role_is_assumed_by_those_it_trusts() {
    let mut sts = sts();
    let by = session_of(&Role::of_repository(ROLE, "x"), "first");
    let input = |arn: &str| json!({ "RoleArn": arn, "RoleSessionName": "next" });
    assert!(sts.answer(&call("AssumeRole", input(ROLE)), Some(&by)).is_ok());
    let refusal = sts
        .answer(&call("AssumeRole", input("arn:aws:iam::1:role/no")), Some(&by))
        .unwrap_err();
    assert_eq!((refusal.code.as_str(), refusal.status), ("AccessDenied", 403));
    let who = sts
        .answer(&call("GetCallerIdentity", json!({})), Some(&by))
        .unwrap();
    assert_eq!(who["UserId"], "AROASANDBOXROLE00001:first");
}

#[test]
fn a_request_without_a_right_signature_is_refused_by_its_fault() {
    let keys = Keys::new("eu-central-1").with(
        "AKIA1",
        "secret",
        session_of(&Role::of_repository(ROLE, "x"), "s"),
    );
    let asked = Asked {
        service: "ecs",
        operation: "ListClusters".to_owned(),
        input: json!({}),
        wire: Wire::Json,
    };
    let signed = |key: &str, region: &str, service: &str, headers: &str| {
        format!(
            "AWS4-HMAC-SHA256 Credential={key}/20261122/{region}/{service}/aws4_request, SignedHeaders={headers}, Signature=00"
        )
    };
    let all = "host;x-amz-date;x-amz-target";
    for (authorization, code) in [
        (String::new(), "MissingAuthenticationTokenException"),
        ("Bearer x".to_owned(), "MissingAuthenticationTokenException"),
        (
            signed("AKIA2", "eu-central-1", "ecs", all),
            "UnrecognizedClientException",
        ),
        (
            signed("AKIA1", "us-east-1", "ecs", all),
            "InvalidSignatureException",
        ),
        (
            signed("AKIA1", "eu-central-1", "logs", all),
            "InvalidSignatureException",
        ),
        (
            signed("AKIA1", "eu-central-1", "ecs", "host;x-amz-date"),
            "InvalidSignatureException",
        ),
        (
            signed("AKIA1", "eu-central-1", "ecs", all),
            "InvalidSignatureException",
        ),
    ] {
        let headers = [
            ("host", "127.0.0.1"),
            ("x-amz-date", "20261122T000000Z"),
            ("x-amz-target", "x"),
            ("authorization", &authorization),
        ];
        let request = Request {
            method: "POST".to_owned(),
            path: "/".to_owned(),
            headers: headers
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .to_vec(),
            body: Vec::new(),
            at: Duration::ZERO,
        };
        let refusal = keys.check(&request, &asked, Duration::ZERO).unwrap_err();
        assert_eq!(refusal.code, code, "{authorization}");
    }
}
