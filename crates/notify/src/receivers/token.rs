//! Tokens and keys: one word, and none that is another service's, so that a secret in the wrong input is not sent to somebody else. No
//! error repeats one.

use secrecy::{ExposeSecret as _, SecretString};

use crate::error::Error;

/// What tokens of Slack begin with (<https://docs.slack.dev/authentication/tokens>); those of an app itself can post nothing.
pub(super) const SLACK: &[&str] = &["xox"];
/// What tokens of GitHub begin with
/// (<https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/about-authentication-to-github#githubs-token-formats>).
pub(super) const GITHUB: &[&str] = &["ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"];
/// PagerDuty's keys have no mark of their own.
pub(super) const PAGERDUTY: &[&str] = &[];

/// What keys begin with that are none of these.
const OTHERS: &[&str] = &["xapp-", "whsec_", "AKIA", "ASIA"];

/// The token as it is, where it may be one of a service whose tokens begin with one of `own`. `said` is what the user calls it.
pub(super) fn checked(said: &str, token: SecretString, own: &[&str]) -> Result<SecretString, Error> {
    let written = token.expose_secret();
    if !written.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Error::Token(said.to_owned()));
    }
    let begins_with = |all: &[&str]| all.iter().any(|mark| written.starts_with(mark));
    let is_known = [SLACK, GITHUB, OTHERS].into_iter().any(begins_with);
    if written.contains("://") || is_known && !begins_with(own) {
        return Err(Error::Swapped(said.to_owned()));
    }
    Ok(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_of_its_service() {
        for (token, own, good) in [
            ("xoxb-1-s3cret", SLACK, true),
            ("xoxe.xoxb-1-s3cret", SLACK, true),
            ("s3cret", SLACK, true),
            ("xapp-1-s3cret", SLACK, false),
            ("ghs_s3cret", SLACK, false),
            ("https://hooks.slack.com/services/s3cret", SLACK, false),
            ("ghs_s3cret", GITHUB, true),
            ("0123s3cret", GITHUB, true),
            ("xoxb-s3cret", GITHUB, false),
            ("R0s3cret", PAGERDUTY, true),
            ("whsec_s3cret", PAGERDUTY, false),
            ("xoxb-s3cret", PAGERDUTY, false),
            ("two s3crets", PAGERDUTY, false),
            ("s3cret\ns3cret", GITHUB, false),
            ("sécret", SLACK, false),
        ] {
            let checked = checked("slack-token", token.into(), own);
            assert_eq!(checked.is_ok(), good, "{token}");
            let said = checked.err().map(|error| error.to_string()).unwrap_or_default();
            assert!(!said.contains("s3cret"), "{said}");
        }
    }
}
