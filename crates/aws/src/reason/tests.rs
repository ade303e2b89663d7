use super::*;
use aws_sdk_cloudwatch::operation::get_metric_data::GetMetricDataError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use proptest::prelude::{any, proptest};

type Failed = SdkError<GetMetricDataError, HttpResponse>;

const CALL: &str = "cloudwatch:GetMetricData";

fn response(status: u16) -> HttpResponse {
    HttpResponse::new(StatusCode::try_from(status).unwrap(), SdkBody::empty())
}

fn refused(status: u16, code: &str, message: &str) -> Reason {
    let mut said = ErrorMetadata::builder();
    if !code.is_empty() {
        said = said.code(code);
    }
    if !message.is_empty() {
        said = said.message(message);
    }
    let error = Failed::service_error(GetMetricDataError::generic(said.build()), response(status));
    of(CALL, &error)
}

#[test]
fn the_action_that_lacks_is_named_where_it_is_another_one() {
    let says = |action: &str| {
        format!(
            "User: arn:aws:sts::123456789012:assumed-role/x/y is not authorized to perform: {action} on resource: z"
        )
    };
    for (action, text) in [
        (
            "kms:GenerateDataKey",
            "access denied for `cloudwatch:GetMetricData`: it needs `kms:GenerateDataKey` too",
        ),
        (
            "cloudwatch:GetMetricData",
            "access denied for `cloudwatch:GetMetricData`",
        ),
        ("::error::x", "access denied for `cloudwatch:GetMetricData`"),
        ("", "access denied for `cloudwatch:GetMetricData`"),
    ] {
        let reason = refused(403, "AccessDenied", &says(action));
        assert_eq!((reason.kind, reason.text.as_str()), (Kind::Access, text));
    }
}

#[test]
fn answers_are_told_apart() {
    let denied = "User: arn:aws:sts::123456789012:assumed-role/x/y is not authorized";
    for (status, code, message, kind, text) in [
        (
            403,
            "AccessDenied",
            denied,
            Kind::Access,
            "access denied for `cloudwatch:GetMetricData`",
        ),
        (
            400,
            "AccessDeniedException",
            denied,
            Kind::Access,
            "access denied for `cloudwatch:GetMetricData`",
        ),
        (
            403,
            "",
            "",
            Kind::Access,
            "access denied for `cloudwatch:GetMetricData`",
        ),
        (
            403,
            "ExpiredToken",
            "The security token included in the request is expired",
            Kind::Access,
            "the credentials for `cloudwatch:GetMetricData` have expired",
        ),
        (
            403,
            "com.amazon#InvalidClientTokenId:http://internal/",
            "invalid",
            Kind::Access,
            "the credentials for `cloudwatch:GetMetricData` are not accepted: `InvalidClientTokenId`",
        ),
        (
            403,
            "SignatureDoesNotMatch",
            "Signature expired: 20261122T1 is now earlier than 20261122T2",
            Kind::Access,
            "this machine's clock is off, so `cloudwatch:GetMetricData` was refused",
        ),
        (
            400,
            "ValidationError",
            "Error in expression 'q0': Syntax error",
            Kind::Question,
            "`cloudwatch:GetMetricData` was refused: ValidationError: `Error in expression 'q0': Syntax error`",
        ),
        (
            400,
            "ValidationError",
            "no such arn:aws:x:eu-west-1:123456789012:y\n::error::z",
            Kind::Question,
            "`cloudwatch:GetMetricData` was refused: ValidationError: `no such arn:aws:x:eu-west-1:<account>:y\\n::error::z`",
        ),
        (
            404,
            "",
            "",
            Kind::Question,
            "`cloudwatch:GetMetricData` was refused: 404",
        ),
        (
            400,
            "Throttling",
            "Rate exceeded",
            Kind::Passing,
            "`cloudwatch:GetMetricData` is throttled",
        ),
        (
            429,
            "",
            "",
            Kind::Passing,
            "`cloudwatch:GetMetricData` is throttled",
        ),
        (
            500,
            "InternalServiceFault",
            "",
            Kind::Passing,
            "`cloudwatch:GetMetricData` failed on the side of AWS: `InternalServiceFault`",
        ),
        (
            503,
            "",
            "",
            Kind::Passing,
            "`cloudwatch:GetMetricData` failed on the side of AWS: 503",
        ),
    ] {
        let reason = refused(status, code, message);
        assert_eq!(
            (reason.kind, reason.text.as_str()),
            (kind, text),
            "{status} {code}"
        );
    }
}

#[test]
fn calls_without_an_answer_may_pass() {
    let late = Failed::timeout_error("deadline");
    let slow = Failed::dispatch_failure(ConnectorError::timeout("connect".into()));
    for error in [late, slow] {
        assert_eq!(
            of(CALL, &error),
            passing(format!("no answer to `{CALL}` in time"))
        );
    }
    let refused = std::io::Error::other("connection refused");
    let broken = Failed::dispatch_failure(ConnectorError::io(refused.into()));
    assert_eq!(
        of(CALL, &broken),
        passing(format!("could not reach AWS for `{CALL}`: connection refused"))
    );
}

#[test]
fn another_service_at_the_address_is_no_passing_trouble() {
    for (status, kind) in [(200, Kind::Question), (404, Kind::Question), (502, Kind::Passing)] {
        let error = Failed::response_error("no cbor", response(status));
        let reason = of(CALL, &error);
        assert_eq!(reason.kind, kind);
        assert!(
            reason.text.starts_with(&format!("the answer {status} to ")),
            "{reason:?}"
        );
    }
}

#[test]
fn a_request_that_can_not_be_made_is_a_wrong_question() {
    let reason = of(CALL, &Failed::construction_failure("a region must be set"));
    assert_eq!(reason.kind, Kind::Question);
    assert_eq!(
        reason.text,
        format!("can't ask for `{CALL}`: a region must be set")
    );
}

#[test]
fn credentials_are_told_from_the_call() {
    let failed = |error: CredentialsError| {
        of(
            CALL,
            &Failed::dispatch_failure(ConnectorError::other(error.into(), None)),
        )
    };
    let none = failed(CredentialsError::not_loaded("none in chain"));
    assert_eq!(none.kind, Kind::Access);
    assert!(none.text.starts_with("no AWS credentials for "), "{none:?}");
    let late = failed(CredentialsError::provider_timed_out(
        std::time::Duration::from_secs(5),
    ));
    assert_eq!(late.kind, Kind::Passing);

    let said = ErrorMetadata::builder()
        .code("AccessDenied")
        .message("not authorized to assume arn:aws:iam::123456789012:role/x")
        .build();
    let refused = failed(CredentialsError::provider_error(said));
    assert_eq!(refused.kind, Kind::Access);
    assert_eq!(
        refused.text,
        format!(
            "failed to get AWS credentials for `{CALL}`: AccessDenied: `not authorized to assume arn:aws:iam::<account>:role/x`"
        )
    );
    let unreached = failed(CredentialsError::provider_error(ConnectorError::io(
        "no route".into(),
    )));
    assert_eq!(unreached.kind, Kind::Passing);
}

proptest! {
    #[test]
    fn no_answer_breaks_a_line(code in any::<String>(), message in any::<String>(), status in 100..600_u16) {
        let text = refused(status, &code, &message).text;
        assert!(!text.contains(['\n', '\r', '\u{1b}']), "{text:?}");
        assert!(text.chars().count() < 2 * QUOTED + 200, "{text:?}");
    }
}
