//! Values of headers: what S3 and caches take, and nothing that could become a second header.

use gha::text;

use crate::headers::Encryption;

use super::Set;
use super::names::{close, nearest};

/// The longest value, in bytes: S3 takes 2 KB of system-defined and 2 KB of user-defined metadata
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html>).
pub(super) const LONGEST: usize = 2048;

/// Storage classes that can be read at once
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-class-intro.html>).
pub(super) const STORAGE_CLASSES: &[&str] = &[
    "STANDARD",
    "STANDARD_IA",
    "ONEZONE_IA",
    "INTELLIGENT_TIERING",
    "GLACIER_IR",
    "REDUCED_REDUNDANCY",
    "EXPRESS_ONEZONE",
];

/// Canned ACLs of objects (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#canned-acl>).
pub(super) const ACLS: &[&str] = &[
    "private",
    "public-read",
    "public-read-write",
    "authenticated-read",
    "aws-exec-read",
    "bucket-owner-read",
    "bucket-owner-full-control",
];

/// Kinds of server-side encryption.
pub(super) const ENCRYPTIONS: &[&str] = &["AES256", "aws:kms", "aws:kms:dsse"];

/// Directives of answers whose value is a number of seconds.
const SECONDS: &[&str] = &["max-age", "s-maxage", "stale-while-revalidate", "stale-if-error"];

/// Directives without one. Others are let through, as RFC 9111 asks, unless they are near one of these.
const PLAIN: &[&str] = &[
    "immutable",
    "must-revalidate",
    "must-understand",
    "no-cache",
    "no-store",
    "no-transform",
    "private",
    "proxy-revalidate",
    "public",
];

/// Encodings that browsers take
/// (<https://www.iana.org/assignments/http-parameters/http-parameters.xhtml#content-coding>).
const CODINGS: &[&str] = &["br", "compress", "dcb", "dcz", "deflate", "gzip", "zstd"];

/// How many tags CloudFront takes of an object, and how long one may be
/// (<https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/invalidation-specifying-tags.html>).
const MOST_TAGS: usize = 50;
const LONGEST_TAG: usize = 256;

/// One line of printable ASCII.
pub(super) fn plain(value: &str) -> Result<String, String> {
    if value.is_empty() {
        return Err("an empty value; leave the key out".to_owned());
    }
    if value.len() > LONGEST {
        return Err(format!("{} bytes, and S3 takes {LONGEST}", value.len()));
    }
    let shown = text::cut(&text::visible(value), 80);
    if value.contains(['\r', '\n']) {
        return Err(format!(
            "`{shown}` has a line break in it, which would begin another header"
        ));
    }
    if let Some(odd) = value.chars().find(|c| !matches!(c, ' '..='~')) {
        let odd = text::visible(&odd.to_string());
        return Err(format!(
            "`{shown}` has `{odd}` in it; headers are printable ASCII"
        ));
    }
    if value.trim() != value {
        return Err(format!("`{shown}` has a blank at an end"));
    }
    Ok(value.to_owned())
}

/// `Cache-Control`, or `none`.
pub(super) fn cache_control(value: &str) -> Result<Set, String> {
    let value = plain(value)?;
    if value == "none" {
        return Ok(Set::Nothing);
    }
    for directive in directives(&value) {
        let (name, given) = match directive.split_once('=') {
            Some((name, given)) => (name, Some(given)),
            None => (directive, None),
        };
        if !is_token(name) {
            let shown = text::cut(directive, 80);
            return Err(format!(
                "`{shown}` is no directive; write such as `public, max-age=600`"
            ));
        }
        let lower = name.to_ascii_lowercase();
        if SECONDS.contains(&lower.as_str()) {
            let seconds = given.unwrap_or_default();
            if seconds.is_empty() || seconds.len() > 10 || !seconds.bytes().all(|b| b.is_ascii_digit()) {
                let shown = text::cut(directive, 80);
                return Err(format!(
                    "`{shown}` needs a number of seconds, such as `{lower}=600`"
                ));
            }
        } else if !PLAIN.contains(&lower.as_str())
            && let Some(near) = close(&lower, SECONDS).or_else(|| close(&lower, PLAIN))
        {
            return Err(format!(
                "`{name}` is no directive that caches know; did you mean `{near}`?"
            ));
        }
    }
    Ok(Set::To(value))
}

/// Whether a `Cache-Control` has a directive.
pub(super) fn has_directive(value: &str, name: &str) -> bool {
    directives(value).any(|directive| directive.eq_ignore_ascii_case(name))
}

/// The directives; a comma in quotes does not end one.
fn directives(value: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    value
        .split(move |c| {
            quoted ^= c == '"';
            c == ',' && !quoted
        })
        .map(str::trim)
}

/// `Content-Type`.
pub(super) fn content_type(value: &str) -> Result<String, String> {
    let value = plain(value)?;
    let essence = value.split(';').next().unwrap_or_default().trim_end();
    let fits = essence
        .split_once('/')
        .is_some_and(|(kind, subtype)| is_token(kind) && is_token(subtype));
    if !fits {
        let shown = text::cut(&value, 80);
        return Err(format!(
            "`{shown}` is no type; write such as `text/html; charset=utf-8`"
        ));
    }
    Ok(value)
}

/// `Content-Encoding`, or `none`.
pub(super) fn content_encoding(value: &str) -> Result<Set, String> {
    let value = plain(value)?;
    if value == "none" {
        return Ok(Set::Nothing);
    }
    for coding in value.split(',').map(str::trim) {
        if !CODINGS.contains(&coding) {
            let shown = text::cut(coding, 80);
            return Err(format!(
                "`{shown}` is no encoding that browsers take{}",
                nearest(coding, CODINGS)
            ));
        }
    }
    Ok(Set::To(value))
}

/// `Content-Disposition`.
pub(super) fn content_disposition(value: &str) -> Result<String, String> {
    if !value.is_ascii() {
        return Err(
            "headers are ASCII; write a name with other letters as `filename*=UTF-8''` and their bytes as `%C3%A9`"
                .to_owned(),
        );
    }
    let value = plain(value)?;
    let kind = value.split(';').next().unwrap_or_default().trim_end();
    if !matches!(kind.to_ascii_lowercase().as_str(), "inline" | "attachment") {
        let shown = text::cut(kind, 80);
        return Err(format!("`{shown}` is neither `inline` nor `attachment`"));
    }
    Ok(value)
}

/// `Content-Language`.
pub(super) fn content_language(value: &str) -> Result<String, String> {
    let value = plain(value)?;
    let fits = |tag: &str| {
        tag.split('-')
            .all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric()))
    };
    if value.split(',').map(str::trim).all(fits) {
        return Ok(value);
    }
    Err(format!(
        "`{}` is no language; write such as `en` or `de-AT`",
        text::cut(&value, 80)
    ))
}

/// Where a website endpoint sends visitors: a path, or an address.
pub(super) fn website_redirect(value: &str) -> Result<String, String> {
    let value = plain(value)?;
    if value.starts_with('/') || value.starts_with("https://") || value.starts_with("http://") {
        return Ok(value);
    }
    let shown = text::cut(&value, 80);
    Err(format!(
        "`{shown}` begins with none of `/`, `https://`, `http://`"
    ))
}

/// A storage class that visitors can read at once.
pub(super) fn storage_class(value: &str) -> Result<String, String> {
    if matches!(value, "GLACIER" | "DEEP_ARCHIVE") {
        return Err(format!(
            "`{value}` is an archive, of which visitors get nothing but errors"
        ));
    }
    one_of(value, STORAGE_CLASSES, "storage class")
}

/// A canned ACL.
pub(super) fn acl(value: &str) -> Result<String, String> {
    one_of(value, ACLS, "canned ACL")
}

fn one_of(value: &str, known: &[&str], what: &str) -> Result<String, String> {
    if known.contains(&value) {
        return Ok(value.to_owned());
    }
    let shown = text::cut(&text::visible(value), 80);
    Err(format!("`{shown}` is no {what}{}", nearest(value, known)))
}

/// Server-side encryption, without its key.
pub(super) fn encryption(value: &str) -> Result<Encryption, String> {
    Ok(match value {
        "AES256" => Encryption::Aes256,
        "aws:kms" => Encryption::Kms { key: None },
        "aws:kms:dsse" => Encryption::KmsDsse { key: None },
        _ => {
            let shown = text::cut(&text::visible(value), 80);
            return Err(format!(
                "`{shown}` is no encryption{}",
                nearest(value, ENCRYPTIONS)
            ));
        }
    })
}

/// A name of user-defined metadata, in lower case as S3 keeps it.
pub(super) fn metadata_name(name: &str) -> Result<String, String> {
    let shown = text::cut(&text::visible(name), 80);
    if !is_token(name) {
        return Err(format!(
            "`{shown}` is no name of metadata; it is sent as a part of a header's name"
        ));
    }
    let lower = name.to_ascii_lowercase();
    match lower.strip_prefix("x-amz-meta-") {
        Some(rest) => Err(format!(
            "`{shown}`: S3 puts `x-amz-meta-` in front itself; write `{rest}`"
        )),
        None => Ok(lower),
    }
}

/// Cache tags of CloudFront, as the value of the metadata that carries them.
pub(super) fn cache_tags(tags: &[&str]) -> Result<String, String> {
    if tags.len() > MOST_TAGS {
        return Err(format!(
            "{} tags, and CloudFront takes {MOST_TAGS} of an object",
            tags.len()
        ));
    }
    for tag in tags {
        let shown = text::cut(&text::visible(tag), 80);
        if tag.is_empty()
            || tag.len() > LONGEST_TAG
            || !tag.bytes().all(|b| b.is_ascii_graphic() && b != b',')
        {
            return Err(format!(
                "`{shown}` is no tag: up to {LONGEST_TAG} visible ASCII characters without commas"
            ));
        }
        if tag.starts_with('#') || tag.contains('*') {
            return Err(format!(
                "`{shown}`: a tag has no `*`, and gets its `#` when it is invalidated"
            ));
        }
    }
    plain(&tags.join(","))
}

/// A word of HTTP (<https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2>).
fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

#[cfg(test)]
mod tests;
