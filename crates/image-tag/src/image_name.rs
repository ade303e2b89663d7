//! The grammar of image names
//! (<https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pulling-manifests>), with the host and
//! port that clients allow before it.

use crate::error::{Error, shown};

/// Host and path together, by the limit clients share.
const LONGEST: usize = 255;

/// Refuses what no registry takes; the name comes lower-cased.
pub(crate) fn check(name: &str) -> Result<(), Error> {
    match problem(name) {
        None => Ok(()),
        Some(problem) => Err(Error::ImageName {
            name: shown(name),
            problem,
        }),
    }
}

fn problem(name: &str) -> Option<&'static str> {
    if name.is_empty() {
        return Some("it is empty");
    }
    if name.len() > LONGEST {
        return Some("it is longer than 255 characters");
    }
    if name.contains('@') {
        return Some("a digest is no part of a name");
    }
    if name.contains("://") {
        return Some("an address such as `https://…` is no name");
    }
    let path = match name.split_once('/') {
        Some((first, rest)) if is_host(first) => rest,
        _ => name,
    };
    if path.contains(':') {
        return Some("a tag is no part of a name");
    }
    (!path.split('/').all(is_component))
        .then_some("a part of it is empty or has characters that are not allowed")
}

/// A first part is a host when it can't be a plain path component's place: it has a dot or a port, or is `localhost`.
fn is_host(part: &str) -> bool {
    let (host, port) = match part.rsplit_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (part, None),
    };
    let bracketed = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let named = |label: &str| {
        let inner = label
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        inner && !label.is_empty() && !label.starts_with('-') && !label.ends_with('-')
    };
    let valid = match bracketed {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => host.split('.').all(named),
    };
    let port_valid = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
    valid
        && port_valid
        && (port.is_some() || host.contains('.') || host == "localhost" || bracketed.is_some())
}

/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`
fn is_component(part: &str) -> bool {
    let is_word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let ends_in_word =
        |part: &str| part.bytes().next().is_some_and(is_word) && part.bytes().last().is_some_and(is_word);
    ends_in_word(part)
        && part
            .split(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
            .all(|separator| match separator {
                "" | "." | "_" | "__" => true,
                dashes => dashes.bytes().all(|b| b == b'-'),
            })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn valid_names() {
        for name in [
            "a",
            "app",
            "org/app",
            "ghcr.io/org/app",
            "localhost/app",
            "localhost:5000/app",
            "10.0.0.1:443/a/b/c",
            "[::1]:5000/app",
            "123456789012.dkr.ecr.eu-central-1.amazonaws.com/team/app",
            "a.b/c_d/e__f/g-h/i---j",
            "1.2/3",
        ] {
            assert_eq!(problem(name), None, "{name}");
        }
    }

    #[test]
    fn invalid_names() {
        let long = "a".repeat(256);
        for name in [
            "",
            "/",
            "a/",
            "/a",
            "a//b",
            "A",
            "a b",
            "a:1",
            "a@sha256:00",
            "https://ghcr.io/a",
            "a..b",
            "a___b",
            "a._b",
            "-a",
            "a-",
            "ü",
            "a\n",
            "host:99999/a",
            "host:/a",
            "ghcr.io/",
            "a/b:c/d",
            long.as_str(),
        ] {
            assert!(problem(name).is_some(), "{name:?}");
        }
    }

    proptest! {
        #[test]
        fn names_of_the_grammar_are_valid(name in "([a-z0-9]{1,5}(\\.|_|__|-{1,3})){0,2}[a-z0-9]{1,5}(/[a-z0-9]{1,5}){0,3}") {
            prop_assert_eq!(problem(&name), None);
        }

        #[test]
        fn what_is_valid_is_safe_to_print(name in "[a-z./:_@ \n-]{0,20}") {
            if problem(&name).is_none() {
                prop_assert!(name.bytes().all(|b| b.is_ascii_graphic()));
            }
        }
    }
}
