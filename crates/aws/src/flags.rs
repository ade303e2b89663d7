//! Values of flags that the AWS tools share, checked before anything is asked: each refuses in one way, and says what to write
//! instead. Pure.
//!
//! A value is never repeated in a refusal: an address may hold a password.

use gha::edge::http::Url;

/// The longest name of a role (<https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html>).
const ROLE: usize = 64;

/// An address of services in place of AWS, as it was written.
///
/// # Errors
/// When it is no address of HTTP, or holds what an SDK would drop or sign wrongly: credentials, a query, a fragment.
pub fn endpoint_url(text: &str) -> Result<String, String> {
    let example = "write for example `--endpoint-url http://127.0.0.1:9000`";
    let url = address(text).map_err(|why| format!("{why}; {example}"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("an address holds no credentials: give them by `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY` or a profile; \
             write the address without them"
            .to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(format!(
            "requests bring a query of their own, so an endpoint has neither `?` nor `#`; {example}"
        ));
    }
    Ok(text.to_owned())
}

/// An address of HTTP.
///
/// # Errors
/// When it is none, in words.
pub fn address(text: &str) -> Result<Url, String> {
    let none = || "an address begins with `https://` or `http://`".to_owned();
    let url = Url::parse(text).map_err(|_| none())?;
    // The parser takes `https:example.com` and blanks around it too.
    let is_http = ["http://", "https://"].iter().any(|begin| {
        text.get(..begin.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(begin))
    });
    if !is_http {
        return Err(none());
    }
    if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err("an address has no blanks".to_owned());
    }
    Ok(url)
}

/// A role's ARN (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html>).
///
/// # Errors
/// When it is none.
pub fn role_arn(text: &str) -> Result<String, String> {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let why = match parts[..] {
        ["arn", partition, "iam", "", account, resource] => {
            let is_partition = partition == "aws"
                || partition
                    .strip_prefix("aws-")
                    .is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'));
            let is_account = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
            match resource.strip_prefix("role/") {
                _ if !is_partition => Some("its partition is `aws`, `aws-cn`, `aws-us-gov` or the like"),
                _ if !is_account => Some("its account has 12 digits"),
                None => Some("it is none of a role"),
                Some(role) if !is_role(role) => Some("its role has no such name"),
                Some(_) => None,
            }
        }
        ["arn", "aws", "sts", ..] => Some("it is that of a session, which nobody can take"),
        _ => Some("it is no ARN of a role"),
    };
    match why {
        Some(why) => Err(format!(
            "{why}; write it as `arn:aws:iam::123456789012:role/deploy`"
        )),
        None => Ok(text.to_owned()),
    }
}

/// Whether this is a name of a role, with the path that may stand before it.
fn is_role(text: &str) -> bool {
    let (path, name) = text.rsplit_once('/').unwrap_or(("", text));
    let is_of_name = |b: u8| b.is_ascii_alphanumeric() || b"+=,.@_-".contains(&b);
    (1..=ROLE).contains(&name.len())
        && name.bytes().all(is_of_name)
        && path.bytes().all(|b| b.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, proptest};

    #[test]
    fn an_endpoint_is_an_address_and_no_more() {
        for good in [
            "http://127.0.0.1:9000",
            "http://[::1]:9000/",
            "https://0123.r2.cloudflarestorage.com",
            "HTTPS://s3.example.com/tenant/a",
            "http://minio:9000",
        ] {
            assert_eq!(endpoint_url(good).as_deref(), Ok(good));
        }
        for (wrong, why) in [
            ("", "begins with `https://`"),
            ("nope", "begins with `https://`"),
            ("localhost:9000", "begins with `https://`"),
            ("ftp://x", "begins with `https://`"),
            ("https:x", "begins with `https://`"),
            ("http://", "begins with `https://`"),
            (" http://x", "begins with `https://`"),
            ("http://x/a b", "no blanks"),
            ("http://x/\n", "no blanks"),
            ("http://x?a=b", "neither `?` nor `#`"),
            ("http://x/#a", "neither `?` nor `#`"),
            ("http://key:s3cret@x", "no credentials"),
            ("http://key@x", "no credentials"),
        ] {
            let said = endpoint_url(wrong).unwrap_err();
            assert!(said.contains(why) && said.contains("; write "), "{wrong}: {said}");
            assert!(!said.contains("s3cret"), "{said}");
        }
    }

    #[test]
    fn a_role_is_named_by_its_arn() {
        for good in [
            "arn:aws:iam::123456789012:role/deploy",
            "arn:aws-us-gov:iam::123456789012:role/team/a+b/Deploy=1,x.y@z_-",
            "arn:aws-cn:iam::000000000000:role/x",
        ] {
            assert_eq!(role_arn(good).as_deref(), Ok(good));
        }
        for (wrong, why) in [
            ("", "no ARN of a role"),
            ("foo", "no ARN of a role"),
            ("role/deploy", "no ARN of a role"),
            ("arn:aws:s3:::bucket", "no ARN of a role"),
            ("arn:aws:iam:eu-west-1:123456789012:role/x", "no ARN of a role"),
            ("arn:aws:sts::123456789012:assumed-role/x/y", "of a session"),
            ("arn:aws:iam::123456789012:user/x", "none of a role"),
            ("arn:aws:iam::12345678901:role/x", "12 digits"),
            ("arn:aws:iam::12345678901a:role/x", "12 digits"),
            ("arn:gcp:iam::123456789012:role/x", "partition"),
            ("arn:awsx:iam::123456789012:role/x", "partition"),
            ("arn:aws:iam::123456789012:role/", "no such name"),
            ("arn:aws:iam::123456789012:role/a/", "no such name"),
            ("arn:aws:iam::123456789012:role/a b", "no such name"),
            ("arn:aws:iam::123456789012:role/a:b", "no such name"),
            ("arn:aws:iam::123456789012:role/x\n", "no such name"),
        ] {
            let said = role_arn(wrong).unwrap_err();
            assert!(
                said.contains(why) && said.contains("; write it as"),
                "{wrong}: {said}"
            );
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(text in any::<String>()) {
            let _ = endpoint_url(&text);
            let _ = role_arn(&format!("arn:aws:iam::123456789012:role/{text}"));
            let _ = role_arn(&text);
        }
    }
}
