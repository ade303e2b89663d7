//! The repository's remotes, as its configuration has them.

use std::collections::BTreeSet;

use gix_config::File;

/// Names of the remotes that have an address, in byte order.
pub(super) fn names(config: &File) -> Vec<String> {
    let sections = config.sections_by_name("remote").into_iter().flatten();
    let names: BTreeSet<String> = sections
        .filter_map(|section| {
            let name = section.header().subsection_name()?.to_vec();
            String::from_utf8(name).ok()
        })
        .filter(|name| first_url(config, name).is_some())
        .collect();
    names.into_iter().collect()
}

/// Address of `origin`, else of the only remote, without credentials.
pub(super) fn address(config: &File, remotes: &[String]) -> Option<String> {
    let only = match remotes {
        [only] => Some(only.as_str()),
        _ => None,
    };
    let url = first_url(config, "origin").or_else(|| first_url(config, only?))?;
    Some(without_credentials(&url))
}

/// Whether the remote that [`address()`] names brings all branches, and with them the tags on these
/// (<https://git-scm.com/docs/git-fetch#Documentation/git-fetch.txt---tags>).
pub(super) fn fetches_all(config: &File, remotes: &[String]) -> bool {
    let name = match remotes {
        [only] => only.as_str(),
        _ => "origin",
    };
    let specs = config.strings_by("remote", name, "fetch").unwrap_or_default();
    let all = specs.iter().any(|spec| {
        let spec = spec.strip_prefix(b"+").unwrap_or(spec);
        spec.starts_with(b"refs/heads/*:") || spec.starts_with(b"refs/*:")
    });
    let without_tags = config
        .string_by("remote", name, "tagOpt")
        .is_some_and(|option| **option == *b"--no-tags");
    all && !without_tags
}

/// The first of a remote's addresses is the one that git fetches from.
fn first_url(config: &File, remote: &str) -> Option<String> {
    let urls = config.strings_by("remote", remote, "url")?;
    let url = String::from_utf8(urls.into_iter().next()?.into()).ok()?;
    (!url.is_empty()).then_some(url)
}

/// An address without password, and over HTTP also without user: CI systems clone by
/// `https://gitlab-ci-token:SECRET@host/…`, and a token may also stand in the user's place.
fn without_credentials(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned(); // a path or `git@host:path`, which has no place for a password
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let Some((credentials, host)) = authority.rsplit_once('@') else {
        return url.to_owned();
    };
    let user = credentials.split(':').next().unwrap_or_default();
    if scheme.to_ascii_lowercase().starts_with("http") || user.is_empty() {
        format!("{scheme}://{host}{path}")
    } else {
        format!("{scheme}://{user}@{host}{path}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_credentials_are_kept() {
        for (url, expected) in [
            (
                "https://github.com/acme/shop.git",
                "https://github.com/acme/shop.git",
            ),
            ("https://ci:s3cret@host:8443/a@b?c@d", "https://host:8443/a@b?c@d"),
            ("HTTPS://t0ken@host", "HTTPS://host"),
            ("https://a:b@c:d@host/x", "https://host/x"),
            ("ssh://git:pw@host/x", "ssh://git@host/x"),
            ("git@github.com:acme/shop.git", "git@github.com:acme/shop.git"),
            ("/srv/git/shop", "/srv/git/shop"),
        ] {
            assert_eq!(without_credentials(url), expected);
        }
    }
}
