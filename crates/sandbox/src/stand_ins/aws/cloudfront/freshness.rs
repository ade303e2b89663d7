//! How long an edge keeps an answer without asking again
//! ([how long content stays](https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/Expiration.html)), with a least
//! TTL of zero.
//!
//! Limits: `Expires` and `stale-…` are not looked at.

use std::time::Duration;

/// What is done with an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Freshness {
    /// It is kept so long, and asked about after that.
    For(Duration),
    /// It is not kept.
    Never,
}

/// As `Cache-Control` says; `otherwise` where it says nothing about that.
pub(super) fn freshness(cache_control: Option<&str>, otherwise: Duration) -> Freshness {
    let directives = cache_control.unwrap_or_default().split(',');
    let directives: Vec<(String, &str)> = directives
        .map(|directive| {
            let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
            (name.trim().to_ascii_lowercase(), value.trim().trim_matches('"'))
        })
        .collect();
    let has = |name: &str| directives.iter().any(|(known, _)| known == name);
    let seconds = |name: &str| {
        let (_, value) = directives.iter().find(|(known, _)| known == name)?;
        value.parse().ok().map(Duration::from_secs)
    };
    if has("no-store") || has("private") {
        return Freshness::Never;
    }
    if has("no-cache") {
        return Freshness::For(Duration::ZERO);
    }
    Freshness::For(
        seconds("s-maxage")
            .or_else(|| seconds("max-age"))
            .unwrap_or(otherwise),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directives_say_how_long() {
        let kept = |seconds| Freshness::For(Duration::from_secs(seconds));
        for (header, expected) in [
            (None, kept(7)),
            (Some(""), kept(7)),
            (Some("public"), kept(7)),
            (Some("public, max-age=31536000, immutable"), kept(31_536_000)),
            (Some("max-age=60, s-maxage=\"5\""), kept(5)),
            (Some("No-Cache"), kept(0)),
            (Some("max-age=60,no-cache"), kept(0)),
            (Some("no-store"), Freshness::Never),
            (Some("private, max-age=60"), Freshness::Never),
            (Some("max-age=soon"), kept(7)),
        ] {
            assert_eq!(freshness(header, Duration::from_secs(7)), expected, "{header:?}");
        }
    }
}
