//! Why a call failed, in plain words, and whether asking again can help. Pure.
//!
//! Account numbers, request ids and signatures stay out: a reason is printed in logs that others read.

use std::error::Error;
use std::iter::successors;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::{ConnectorError, SdkError};
use aws_smithy_types::error::metadata::{ErrorMetadata, ProvideErrorMetadata};
use gha::{accounts, text};

/// How much of a service's own words is quoted, in characters.
const QUOTED: usize = 240;

/// Why a call failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// Whether it may pass, and whose fault it is.
    pub kind: Kind,
    /// A lower-case fragment that names the call. Holds foreign text, made inert.
    pub text: String,
}

/// Kinds of reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It may pass: no answer, a fault of the service, throttling.
    Passing,
    /// The request or the set-up is wrong.
    Question,
    /// Credentials are missing, have ended or do not suffice.
    Access,
}

/// Codes of refused credentials and permissions
/// (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CommonErrors.html> and the pages like it).
const DENIED: [&str; 9] = [
    "AccessDenied",
    "AccessDeniedException",
    "AuthorizationError",
    "AuthorizationErrorException",
    "Forbidden",
    "NotAuthorized",
    "OptInRequired",
    "UnauthorizedAccess",
    "UnauthorizedOperation",
];

/// Codes of credentials whose time is over.
const ENDED: [&str; 5] = [
    "ExpiredToken",
    "ExpiredTokenException",
    "RequestExpired",
    "TokenRefreshRequired",
    "CredentialsExpired",
];

/// Codes of credentials that nobody knows or that do not fit.
const UNKNOWN: [&str; 11] = [
    "AuthFailure",
    "IncompleteSignature",
    "IncompleteSignatureException",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "InvalidToken",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
];

/// Codes of throttling (<https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html>).
const THROTTLED: [&str; 9] = [
    "BandwidthLimitExceeded",
    "PriorRequestNotComplete",
    "RequestLimitExceeded",
    "RequestThrottled",
    "SlowDown",
    "Throttling",
    "ThrottledException",
    "ThrottlingException",
    "TooManyRequestsException",
];

/// Codes of faults on the service's side that come with a 4xx too.
const FAULTS: [&str; 7] = [
    "InternalError",
    "InternalFailure",
    "InternalServiceError",
    "InternalServiceFault",
    "RequestTimeout",
    "RequestTimeoutException",
    "ServiceUnavailable",
];

/// Why a call failed. `call` is named as IAM names it: `cloudwatch:GetMetricData`.
#[must_use]
pub fn of<E>(call: &str, error: &SdkError<E, HttpResponse>) -> Reason
where
    E: ProvideErrorMetadata + Error + 'static,
{
    if let Some(reason) = credentials(call, error) {
        return reason;
    }
    match error {
        SdkError::ServiceError(service) => {
            answered(call, service.err().meta(), service.raw().status().as_u16())
        }
        SdkError::ResponseError(response) => {
            let status = response.raw().status().as_u16();
            let kind = if status < 500 {
                Kind::Question
            } else {
                Kind::Passing
            };
            let text = format!(
                "the answer {status} to `{call}` can't be read: is there another service at that address?"
            );
            Reason { kind, text }
        }
        SdkError::TimeoutError(_) => passing(format!("no answer to `{call}` in time")),
        SdkError::DispatchFailure(failure) if failure.is_timeout() => {
            passing(format!("no answer to `{call}` in time"))
        }
        SdkError::DispatchFailure(failure) if failure.is_user() => question(call, error),
        SdkError::DispatchFailure(_) => {
            passing(format!("could not reach AWS for `{call}`: {}", innermost(error)))
        }
        _ => question(call, error),
    }
}

/// What a service said.
fn answered(call: &str, said: &ErrorMetadata, status: u16) -> Reason {
    let code = said.code().map(plain_code).unwrap_or_default();
    let message = said.message().unwrap_or_default();
    let is = |codes: &[&str]| codes.contains(&code);
    let access = |text| Reason {
        kind: Kind::Access,
        text,
    };
    if is(&THROTTLED) || status == 429 {
        passing(format!("`{call}` is throttled"))
    } else if is(&FAULTS) || status >= 500 {
        passing(format!(
            "`{call}` failed on the side of AWS: {}",
            words(code, message, status)
        ))
    } else if code == "RequestTimeTooSkewed"
        || message.contains("Signature expired")
        || message.contains("Signature not yet current")
    {
        access(format!("this machine's clock is off, so `{call}` was refused"))
    } else if is(&ENDED) {
        access(format!("the credentials for `{call}` have expired"))
    } else if is(&UNKNOWN) {
        access(format!("the credentials for `{call}` are not accepted: `{code}`"))
    } else if is(&DENIED) || matches!(status, 401 | 403) {
        match lacking(message).filter(|action| *action != call) {
            Some(action) => access(format!("access denied for `{call}`: it needs `{action}` too")),
            None => access(format!("access denied for `{call}`")),
        }
    } else {
        Reason {
            kind: Kind::Question,
            text: format!("`{call}` was refused: {}", words(code, message, status)),
        }
    }
}

/// The action that a service says is not allowed: `… is not authorized to perform: kms:GenerateDataKey on resource …`
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html>).
fn lacking(message: &str) -> Option<&str> {
    let (_, behind) = message.split_once("not authorized to perform: ")?;
    let action = behind.split_ascii_whitespace().next()?;
    let (service, name) = action.split_once(':')?;
    let is_plain = |word: &str| {
        (1..=64).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    (is_plain(service) && is_plain(name)).then_some(action)
}

/// A code without what some protocols put around it: `namespace#Code`, `Code:http://…`.
fn plain_code(code: &str) -> &str {
    let code = code.rsplit('#').next().unwrap_or_default();
    code.split(':').next().unwrap_or_default()
}

/// What went wrong with credentials, if it was that.
fn credentials(call: &str, error: &(dyn Error + 'static)) -> Option<Reason> {
    let all = || causes(error).filter_map(|cause| cause.downcast_ref::<CredentialsError>());
    // Where a role is taken by other credentials, it is these that lack.
    let lacks = |found: &&CredentialsError| matches!(found, CredentialsError::CredentialsNotLoaded(_));
    let found = all().find(lacks).or_else(|| all().next())?;
    let unreached = || causes(found).any(|cause| cause.is::<ConnectorError>());
    Some(match found {
        CredentialsError::CredentialsNotLoaded(_) => Reason {
            kind: Kind::Access,
            text: format!(
                "no AWS credentials for `{call}`: none in the environment, no profile, no OIDC role, no role of this machine"
            ),
        },
        CredentialsError::ProviderTimedOut(_) => {
            passing(format!("the AWS credentials for `{call}` did not come in time"))
        }
        _ => Reason {
            kind: if unreached() { Kind::Passing } else { Kind::Access },
            text: format!("failed to get AWS credentials for `{call}`: {}", innermost(found)),
        },
    })
}

fn passing(text: String) -> Reason {
    Reason {
        kind: Kind::Passing,
        text,
    }
}

/// A request that could not be made.
fn question(call: &str, error: &(dyn Error + 'static)) -> Reason {
    Reason {
        kind: Kind::Question,
        text: format!("can't ask for `{call}`: {}", innermost(error)),
    }
}

/// The code and the message of a service, made inert; the status where it says neither.
fn words(code: &str, message: &str, status: u16) -> String {
    match (code, message) {
        ("", "") => status.to_string(),
        (code, "") => format!("`{}`", inert(code)),
        ("", message) => format!("{status}: `{}`", inert(message)),
        (code, message) => format!("{}: `{}`", inert(code), inert(message)),
    }
}

/// The cause below all others, which is the telling one: the layers above it are the SDK's.
fn innermost(error: &(dyn Error + 'static)) -> String {
    let said = causes(error).find_map(|cause| cause.downcast_ref::<ErrorMetadata>());
    match (said, causes(error).last()) {
        (Some(said), _) => words(
            said.code().map(plain_code).unwrap_or_default(),
            said.message().unwrap_or_default(),
            0,
        ),
        (None, Some(last)) => inert(&last.to_string()),
        (None, None) => String::new(),
    }
}

/// An error and what caused it, outermost first.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    successors(Some(error), |&error| error.source())
}

/// Foreign text as one bounded line without account numbers.
fn inert(text: &str) -> String {
    text::cut(&accounts::without(&text::line(text)), QUOTED)
}

#[cfg(test)]
mod tests;
