//! The caller reference: what makes a repeated request the same invalidation.
//!
//! CloudFront answers a known reference with the same paths by the invalidation that it made before, at no cost, and refuses
//! one with other paths (<https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_InvalidationBatch.html>).

use sha2::{Digest as _, Sha256};

/// The reference of these items. `basis` stands for the change, such as the release with the run that makes it: the same
/// change gives the same reference, so that a lost answer can be asked for again.
///
/// A basis must never come back for a later change. A release that is published again after a rollback needs another one,
/// or CloudFront answers with the old invalidation and the cache stays as it is.
#[must_use]
pub fn reference(distribution: &str, basis: &str, items: &[String]) -> String {
    let mut items: Vec<&str> = items.iter().map(String::as_str).collect();
    items.sort_unstable();
    let mut hash = Sha256::new();
    for part in [distribution, basis].into_iter().chain(items) {
        // Lengths keep parts apart.
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let digest: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("s3-cdn-publish-{digest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|&text| text.to_owned()).collect()
    }

    #[test]
    fn the_same_change_has_the_same_reference_and_another_one_has_not() {
        let one = reference("E1", "r1", &items(&["/", "/index.html"]));
        assert_eq!(one, reference("E1", "r1", &items(&["/index.html", "/"])));
        assert!(one.len() <= 128 && one.bytes().all(|byte| byte.is_ascii_graphic()));
        for other in [
            reference("E2", "r1", &items(&["/", "/index.html"])),
            reference("E1", "r2", &items(&["/", "/index.html"])),
            reference("E1", "r1", &items(&["/"])),
            reference("E1", "r1", &items(&["//index.html"])),
            reference("E1r", "1", &items(&["/", "/index.html"])),
        ] {
            assert_ne!(one, other);
        }
    }

    #[test]
    fn a_reference_stays_the_same_from_version_to_version() {
        // A run of a later version completes what an earlier one left.
        assert_eq!(
            reference("E1", "r1", &items(&["/*"])),
            "s3-cdn-publish-ed3bb17d85068bd80907dce9693b00e467c53e429e466bee6db455c403588672"
        );
    }
}
