//! Images in a private registry of Amazon ECR: the question that a reference comes to. All other registries are not asked:
//! each has a way of its own to be asked, and credentials that a deploy does not have.

use gha::image::Image;

/// The tag of a reference that names neither tag nor digest.
const LATEST: &str = "latest";

/// An image of ECR.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// The account of the registry, twelve digits.
    pub account: String,
    /// The region of the registry.
    pub region: String,
    /// The repository.
    pub repository: String,
    /// Which of its images.
    pub at: At,
}

/// What names an image in its repository. Where a reference has both, the digest is what is pulled.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum At {
    /// A tag.
    Tag(String),
    /// A digest, with its algorithm.
    Digest(String),
}

impl Place {
    /// Where a reference leads to; `None` where that is no private registry of ECR
    /// (<https://docs.aws.amazon.com/AmazonECR/latest/userguide/Registries.html>), or the reference is none.
    #[must_use]
    pub fn of(reference: &str) -> Option<Self> {
        let image = Image::parse(reference).ok()?;
        let (host, repository) = image.name.split_once('/')?;
        let (account, region) = registry(host)?;
        Some(Self {
            account: account.to_owned(),
            region: region.to_owned(),
            repository: repository.to_owned(),
            at: match image.digest {
                Some(digest) => At::Digest(digest.to_owned()),
                None => At::Tag(image.tag.unwrap_or(LATEST).to_owned()),
            },
        })
    }

    /// Whether a rule with this prefix brings what the repository lacks: a prefix ends at a `/`, and `ROOT` is every
    /// repository (<https://docs.aws.amazon.com/AmazonECR/latest/userguide/pull-through-cache-private-wildcards.html>).
    #[must_use]
    pub fn is_below(&self, prefix: &str) -> bool {
        let rest = self.repository.strip_prefix(prefix);
        prefix == "ROOT" || rest.is_some_and(|rest| rest.starts_with('/'))
    }

    /// The image in words, without the account.
    #[must_use]
    pub fn told(&self) -> String {
        match &self.at {
            At::Tag(tag) => format!("image `{tag}` in repository `{}`", self.repository),
            At::Digest(digest) => format!("image `{digest}` in repository `{}`", self.repository),
        }
    }
}

/// The account and the region of a registry's host: `ACCOUNT.dkr.ecr.REGION.amazonaws.com`, its kin with FIPS and in other
/// partitions, and `ACCOUNT.dkr-ecr.REGION.on.aws`.
fn registry(host: &str) -> Option<(&str, &str)> {
    let (account, rest) = host.split_once('.')?;
    let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    let begins = ["dkr.ecr.", "dkr.ecr-fips.", "dkr-ecr.", "dkr-ecr-fips."];
    let rest = begins.into_iter().find_map(|begin| rest.strip_prefix(begin))?;
    let (region, suffix) = rest.split_once('.')?;
    let is_region = !region.is_empty()
        && region
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    // No port: what listens there is something else.
    let is_suffix = [
        "amazonaws.com",
        "amazonaws.com.cn",
        "amazonaws.eu",
        "c2s.ic.gov",
        "sc2s.sgov.gov",
        "csp.hci.ic.gov",
        "cloud.adc-e.uk",
        "on.aws",
        "on.amazonwebservices.com.cn",
        "on.amazonwebservices.eu",
    ]
    .contains(&suffix);
    (is_account && is_region && is_suffix).then_some((account, region))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::*;

    const DIGEST: &str = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

    #[test]
    fn a_reference_leads_to_a_question() {
        let tag = |tag: &str| At::Tag(tag.to_owned());
        for (reference, region, repository, at) in [
            (
                "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop:1.2.3",
                "eu-west-1",
                "shop",
                tag("1.2.3"),
            ),
            (
                "123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/shop",
                "eu-west-1",
                "team/shop",
                tag("latest"),
            ),
            (
                "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/shop:1",
                "cn-north-1",
                "shop",
                tag("1"),
            ),
            (
                "123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com/shop:1",
                "us-gov-west-1",
                "shop",
                tag("1"),
            ),
            (
                "123456789012.dkr-ecr.eu-west-1.on.aws/shop:1",
                "eu-west-1",
                "shop",
                tag("1"),
            ),
            (
                "123456789012.dkr-ecr-fips.us-east-1.on.aws/shop:1",
                "us-east-1",
                "shop",
                tag("1"),
            ),
            (
                "123456789012.dkr.ecr.eusc-de-east-1.amazonaws.eu/shop:1",
                "eusc-de-east-1",
                "shop",
                tag("1"),
            ),
        ] {
            let place = Place::of(reference).expect(reference);
            assert_eq!(
                (
                    place.account.as_str(),
                    place.region.as_str(),
                    place.repository.as_str(),
                    &place.at
                ),
                ("123456789012", region, repository, &at),
                "{reference}"
            );
            let both = format!("{reference}@{DIGEST}");
            assert_eq!(Place::of(&both).expect(&both).at, At::Digest(DIGEST.to_owned()));
        }
    }

    #[test]
    fn other_registries_are_not_asked() {
        for reference in [
            "shop:1.2.3",
            "ghcr.io/acme/shop:1",
            "public.ecr.aws/acme/shop:1",
            "docker.io/library/nginx:1",
            "123456789012.dkr.ecr.eu-west-1.amazonaws.com:5000/shop:1",
            "12345678901.dkr.ecr.eu-west-1.amazonaws.com/shop:1",
            "123456789012.dkr.ecr.eu-west-1.amazonaws.com.evil.example/shop:1",
            "123456789012.dkr.ecr.evil.example/shop:1",
            "123456789012.dkr.ecr.eu-west-1.amazonaws.com/",
            "123456789012.dkr.ecr.eu-west-1.amazonaws.com",
            "x.123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop:1",
        ] {
            assert_eq!(Place::of(reference), None, "{reference}");
        }
    }

    #[test]
    fn a_prefix_ends_at_a_slash() {
        let place =
            Place::of("123456789012.dkr.ecr.eu-west-1.amazonaws.com/docker-hub/nginx:1").expect("ECR");
        for (prefix, is) in [
            ("docker-hub", true),
            ("docker", false),
            ("ROOT", true),
            ("docker-hub/nginx", false),
            ("quay", false),
        ] {
            assert_eq!(place.is_below(prefix), is, "{prefix}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(reference in any::<String>(), prefix in any::<String>()) {
            if let Some(place) = Place::of(&reference) {
                let _ = place.is_below(&prefix);
            }
        }

        #[test]
        fn only_what_names_an_account_and_a_region_is_asked(reference in "[0-9]{11,13}\\.dkr\\.ecr\\.[a-z0-9-]{0,9}\\.amazonaws\\.com/[a-z/]{0,6}(:[a-z0-9.]{0,4})?") {
            if let Some(place) = Place::of(&reference) {
                assert_eq!(place.account.len(), 12);
                assert!(!place.region.is_empty() && !place.repository.is_empty());
            }
        }
    }
}
