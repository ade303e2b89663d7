//! Headers of objects in the words of the API.

use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::types::ServerSideEncryption;

use crate::headers::{Encryption, Headers};

/// Sets the headers of a request that writes an object: three requests do, and the SDK has a type for each.
macro_rules! headed {
    ($request:expr, $headers:expr) => {{
        let headers: &$crate::headers::Headers = $headers;
        let mut request = $request
            .content_type(&headers.content_type)
            .set_cache_control(headers.cache_control.clone())
            .set_content_encoding(headers.content_encoding.clone())
            .set_content_disposition(headers.content_disposition.clone())
            .set_content_language(headers.content_language.clone())
            .set_website_redirect_location(headers.website_redirect.clone())
            .set_storage_class(
                headers
                    .storage_class
                    .as_deref()
                    .map(aws_sdk_s3::types::StorageClass::from),
            )
            .set_acl(
                headers
                    .acl
                    .as_deref()
                    .map(aws_sdk_s3::types::ObjectCannedAcl::from),
            );
        if !headers.metadata.is_empty() {
            request = request.set_metadata(Some(headers.metadata.clone().into_iter().collect()));
        }
        if let Some(encryption) = &headers.encryption {
            let (algorithm, key) = $crate::api::headers::encryption(encryption);
            request = request.server_side_encryption(algorithm).set_ssekms_key_id(key);
        }
        request
    }};
}
pub(super) use headed;

/// An encryption in the words of the API.
pub(super) fn encryption(encryption: &Encryption) -> (ServerSideEncryption, Option<String>) {
    match encryption {
        Encryption::Aes256 => (ServerSideEncryption::Aes256, None),
        Encryption::Kms { key } => (ServerSideEncryption::AwsKms, key.clone()),
        Encryption::KmsDsse { key } => (ServerSideEncryption::AwsKmsDsse, key.clone()),
    }
}

/// What an object is served with.
pub(super) fn of(answer: &HeadObjectOutput) -> Headers {
    let text = |said: Option<&str>| said.map(str::to_owned);
    let key = || text(answer.ssekms_key_id());
    Headers {
        content_type: answer.content_type().unwrap_or_default().to_owned(),
        cache_control: text(answer.cache_control()),
        content_encoding: text(answer.content_encoding()),
        content_disposition: text(answer.content_disposition()),
        content_language: text(answer.content_language()),
        website_redirect: text(answer.website_redirect_location()),
        metadata: answer
            .metadata()
            .map(|metadata| metadata.clone().into_iter().collect())
            .unwrap_or_default(),
        storage_class: text(
            answer
                .storage_class()
                .map(aws_sdk_s3::types::StorageClass::as_str),
        ),
        encryption: answer
            .server_side_encryption()
            .and_then(|algorithm| match algorithm {
                ServerSideEncryption::Aes256 => Some(Encryption::Aes256),
                ServerSideEncryption::AwsKms => Some(Encryption::Kms { key: key() }),
                ServerSideEncryption::AwsKmsDsse => Some(Encryption::KmsDsse { key: key() }),
                _ => None,
            }),
        acl: None,
    }
}
