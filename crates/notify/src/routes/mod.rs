//! Which message goes to whom: by how bad it is, how it ended, where, and what was deployed. Pure, but for reading the file.

use std::path::PathBuf;
use std::str::FromStr;

use crate::error::Error;
use crate::message::Message;
use crate::phase::Phase;
use crate::severity::Severity;
use crate::subject::Subject;

pub(crate) mod file;

use crate::channel::{email, slack, slack_bot};

/// What the flag holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The preset.
    BySeverity,
    /// A file.
    File(PathBuf),
}

impl FromStr for Source {
    type Err = String;

    fn from_str(written: &str) -> Result<Self, String> {
        match written {
            "" => Err("it is empty".to_owned()),
            "severity" => Ok(Self::BySeverity),
            path if path.contains("://") => Err("it is an address, and no file".to_owned()),
            path => Ok(Self::File(path.into())),
        }
    }
}

/// What was given.
pub(crate) enum Given {
    /// The preset.
    BySeverity,
    /// What a file says.
    File(file::Read),
}

/// Reads what the flag names.
///
/// # Errors
/// When the file can't be read, or says something else than it may.
pub(crate) fn given(source: &Source) -> Result<Given, Error> {
    match source {
        Source::BySeverity => Ok(Given::BySeverity),
        Source::File(path) => file::read(path).map(Given::File),
    }
}

/// Routes. A message takes each that fits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Routes {
    routes: Option<Vec<Route>>,
    /// Whether a receiver that no route names hears everything.
    others: bool,
}

/// One route; what it does not name may be anything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) severity: Vec<Severity>,
    pub(crate) phase: Vec<Phase>,
    pub(crate) environment: Vec<String>,
    pub(crate) service: Vec<String>,
    /// The names of receivers.
    pub(crate) to: Vec<String>,
}

impl Routes {
    /// Everything goes to everybody.
    pub(crate) fn everything() -> Self {
        Self {
            routes: None,
            others: true,
        }
    }

    /// These alone.
    pub(crate) fn of(routes: Vec<Route>) -> Self {
        Self {
            routes: Some(routes),
            others: false,
        }
    }

    /// Critical pages (where nobody can be paged it goes the way of high), high is mailed and stands in Slack, medium stands in Slack, and low in a channel of Slack for information; in the
    /// others' where there is none. Who is told by other ways hears everything.
    pub(crate) fn by_severity(configured: &[&str]) -> Self {
        let route = |severity: Severity, to: &[&str]| Route {
            severity: vec![severity],
            to: to.iter().map(|name| (*name).to_owned()).collect(),
            ..Route::default()
        };
        let chat = [slack::NAME, slack_bot::NAME];
        let info = [slack::INFO, slack_bot::INFO];
        let high = [email::NAME, slack::NAME, slack_bot::NAME];
        let has_pages = configured.contains(&"pagerduty");
        let has_info = configured.iter().any(|name| info.contains(name));
        Self {
            routes: Some(vec![
                route(Severity::Critical, if has_pages { &["pagerduty"] } else { &high }),
                route(Severity::High, &high),
                route(Severity::Medium, &chat),
                route(Severity::Low, if has_info { &info } else { &chat }),
            ]),
            others: true,
        }
    }

    /// Whether there are any.
    pub(crate) fn are_given(&self) -> bool {
        self.routes.is_some()
    }

    /// Whether a receiver can be told anything at all. What GitHub shows is a record, and needs no route.
    pub(crate) fn lead_to(&self, receiver: &str) -> bool {
        let Some(routes) = &self.routes else {
            return true;
        };
        let is_named = routes
            .iter()
            .any(|route| route.to.iter().any(|to| to == receiver));
        is_named || self.others || receiver.starts_with("github-")
    }

    /// Whether a receiver could be told anything about this, however it goes.
    pub(crate) fn concern(&self, about: &Subject, receiver: &str) -> bool {
        let routes = self.routes.iter().flatten();
        let to_it: Vec<&Route> = routes
            .filter(|route| route.to.iter().any(|to| to == receiver))
            .collect();
        match to_it.is_empty() {
            true => self.lead_to(receiver),
            false => to_it.iter().any(|route| route.is_about(about)),
        }
    }

    /// Whom routes that fit a message name.
    pub(crate) fn named(&self, message: &Message) -> impl Iterator<Item = &str> {
        let routes = self.routes.iter().flatten();
        let fitting = routes.filter(|route| route.fits(message));
        fitting.flat_map(|route| &route.to).map(String::as_str)
    }

    /// Whether a message goes to a receiver.
    pub(crate) fn take(&self, message: &Message, receiver: &str) -> bool {
        let Some(routes) = &self.routes else {
            return true;
        };
        let mut to_it = routes
            .iter()
            .filter(|route| route.to.iter().any(|to| to == receiver))
            .peekable();
        match to_it.peek() {
            Some(_) => to_it.any(|route| route.fits(message)),
            None => self.lead_to(receiver),
        }
    }
}

impl Route {
    /// Whether something about this could fit, however it goes. What is not known yet may be anything.
    fn is_about(&self, about: &Subject) -> bool {
        let may_be = |all: &[String], word: Option<&String>| {
            all.is_empty() || word.is_none_or(|word| all.contains(word))
        };
        may_be(&self.environment, about.environment.as_ref()) && may_be(&self.service, about.service.as_ref())
    }

    fn fits(&self, message: &Message) -> bool {
        let word = |all: &[String], word: Option<&str>| {
            all.is_empty() || word.is_some_and(|word| all.iter().any(|one| one == word))
        };
        (self.severity.is_empty() || self.severity.contains(&message.severity))
            && (self.phase.is_empty() || self.phase.contains(&message.phase))
            && word(&self.environment, message.environment.as_deref())
            && word(&self.service, message.service.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::JobStatus;
    use crate::message::tests::message;
    use crate::subject::tests::subject;

    fn of(severity: Severity) -> Message {
        let mut message = message(Some(JobStatus::Failure), vec![]).unwrap();
        message.severity = severity;
        message
    }

    #[test]
    fn an_environment_concerns_those_to_whom_a_route_of_it_leads() {
        let route = |environment: &str, to: &str| Route {
            severity: vec![Severity::Critical],
            environment: vec![environment.to_owned()],
            to: vec![to.to_owned()],
            ..Route::default()
        };
        let routes = Routes::of(vec![route("production", "oncall"), route("staging", "team")]);
        for (about, concerned) in [
            ("acme/shop - production", "oncall"),
            ("acme/shop - staging", "team"),
            ("acme/shop - -", "oncall team"),
            ("acme/shop - preview", ""),
        ] {
            let names = ["oncall", "team", "nobody"].into_iter();
            let found: Vec<&str> = names
                .filter(|name| routes.concern(&subject(about), name))
                .collect();
            assert_eq!(found.join(" "), concerned, "{about}");
        }
        assert!(Routes::everything().concern(&subject("- - -"), "slack"));
    }

    #[test]
    fn the_preset_is_by_severity() {
        let all = [
            "pagerduty",
            "email",
            "slack",
            "slack-token",
            "slack-info",
            "teams",
            "github-status",
        ];
        let told = |configured: &[&str], severity| {
            let routes = Routes::by_severity(configured);
            let message = of(severity);
            let told: Vec<&str> = configured
                .iter()
                .copied()
                .filter(|name| routes.take(&message, name))
                .collect();
            told.join(" ")
        };
        assert_eq!(told(&all, Severity::Critical), "pagerduty teams github-status");
        assert_eq!(
            told(&all, Severity::High),
            "email slack slack-token teams github-status"
        );
        assert_eq!(
            told(&all, Severity::Medium),
            "slack slack-token teams github-status"
        );
        assert_eq!(told(&all, Severity::Low), "slack-info teams github-status");
        assert_eq!(told(&["slack", "email"], Severity::Critical), "slack email");
        // Without a channel for information it is said where the rest is.
        assert_eq!(told(&["pagerduty", "slack"], Severity::Low), "slack");
        assert_eq!(
            told(&["slack-token", "slack-token-info"], Severity::Low),
            "slack-token-info"
        );
    }

    #[test]
    fn a_route_fits_by_all_that_it_names() {
        let route = |route: Route| {
            Routes::of(vec![Route {
                to: vec!["ops".to_owned()],
                ..route
            }])
        };
        let words = |all: &[&str]| all.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let high = of(Severity::High);
        for (named, takes) in [
            (Route::default(), true),
            (
                Route {
                    severity: vec![Severity::Low, Severity::High],
                    ..Route::default()
                },
                true,
            ),
            (
                Route {
                    severity: vec![Severity::Low],
                    ..Route::default()
                },
                false,
            ),
            (
                Route {
                    phase: vec![Phase::Failed],
                    ..Route::default()
                },
                true,
            ),
            (
                Route {
                    phase: vec![Phase::Succeeded],
                    ..Route::default()
                },
                false,
            ),
            (
                Route {
                    environment: words(&["staging", "production"]),
                    ..Route::default()
                },
                true,
            ),
            (
                Route {
                    environment: words(&["staging"]),
                    ..Route::default()
                },
                false,
            ),
            (
                Route {
                    service: words(&["shop"]),
                    ..Route::default()
                },
                false,
            ),
        ] {
            assert_eq!(route(named.clone()).take(&high, "ops"), takes, "{named:?}");
        }
        let routes = route(Route::default());
        assert!(!routes.take(&high, "teams") && !routes.lead_to("teams"));
        assert!(routes.take(&high, "github-status"));
        assert!(Routes::everything().take(&high, "teams"));
    }
}
