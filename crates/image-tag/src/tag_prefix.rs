//! The prefix by which one repository holds the tags of several services: `svc/v1.2.3`, `svc-v1.2.3`.

/// The tag without the prefix; `None` when it belongs to another service.
///
/// After a prefix that ends in no `/`, a version must follow: of the tags `api-v1.2.3` and `api-gateway-v1.2.3` only the
/// first belongs to `api-`.
pub(crate) fn strip<'a>(tag: &'a str, prefix: &str) -> Option<&'a str> {
    let rest = tag.strip_prefix(prefix)?;
    if prefix.is_empty() || prefix.ends_with('/') {
        return Some(rest).filter(|rest| !rest.is_empty());
    }
    let number = rest.strip_prefix(['v', 'V']).unwrap_or(rest);
    number.starts_with(|c: char| c.is_ascii_digit()).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_tags_of_the_service_count() {
        for (tag, prefix, expected) in [
            ("v1.2.3", "", Some("v1.2.3")),
            ("", "", None),
            ("svc/v1.2.3", "svc/", Some("v1.2.3")),
            ("svc/nightly", "svc/", Some("nightly")),
            ("svc/", "svc/", None),
            ("other/v1.2.3", "svc/", None),
            ("v1.2.3", "svc/", None),
            ("api-v1.2.3", "api-", Some("v1.2.3")),
            ("api-1.2.3", "api-", Some("1.2.3")),
            ("api-gateway-v1.2.3", "api-", None),
            ("api-vnext", "api-", None),
        ] {
            assert_eq!(strip(tag, prefix), expected, "{tag} {prefix}");
        }
    }
}
