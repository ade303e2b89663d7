//! What `verify` came to: each check with what was found, as lines of the log, a table of the summary, and a result. All that
//! is wrong is told, not only the first of it.

use gha::outcome::Outcome;
use gha::summary::Summary;
use gha::{Exit, Failure, Status, accounts, markdown, text};
use serde_json::{Value, json};

use crate::api::Refused;
use crate::place::Place;

/// How much of a name or an answer is shown, in characters.
const SHOWN: usize = 400;

/// One check.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Check {
    /// The kind of thing.
    pub(super) what: &'static str,
    /// Which one. Foreign text.
    pub(super) on: String,
    /// What was found.
    pub(super) found: Found,
}

/// What was found.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Found {
    /// It is as a deploy needs it.
    Well(String),
    /// A deploy would fail by it.
    Wrong {
        /// Why.
        why: String,
        /// The exit code of a run that finds nothing else wrong.
        exit: Exit,
        /// What to do.
        help: Option<String>,
    },
    /// It is not known, and why.
    NotAsked(String),
}

impl Check {
    pub(super) fn new(what: &'static str, on: impl Into<String>, found: Found) -> Self {
        let on = on.into();
        Self { what, on, found }
    }

    /// The check as one line.
    fn line(&self) -> String {
        format!("{}: {}", self.found.word(), self.told())
    }

    /// What was found of what, without account numbers.
    fn told(&self) -> String {
        let says = inert(self.found.says());
        let on = match self.on.is_empty() {
            true => String::new(),
            false => format!(" `{}`", inert(&self.on)),
        };
        let says = match says.is_empty() {
            true => String::new(),
            false => format!(": {says}"),
        };
        format!("{}{on}{says}", self.what)
    }
}

impl Found {
    /// What is wrong, and what to do.
    pub(super) fn wrong(why: impl Into<String>, help: &str) -> Self {
        Self::Wrong {
            why: why.into(),
            exit: Exit::Usage,
            help: Some(help.to_owned()),
        }
    }

    /// A question whose answer a deploy can do without.
    pub(super) fn not_asked(refused: &Refused) -> Self {
        Self::NotAsked(refused.to_string())
    }

    /// The word for it, as in the result.
    fn word(&self) -> &'static str {
        match self {
            Self::Well(_) => "ok",
            Self::Wrong { .. } => "wrong",
            Self::NotAsked(_) => "not asked",
        }
    }

    fn says(&self) -> &str {
        match self {
            Self::Well(says) | Self::NotAsked(says) | Self::Wrong { why: says, .. } => says,
        }
    }
}

impl From<Failure> for Found {
    fn from(failure: Failure) -> Self {
        Self::Wrong {
            why: gha::failure::chain(failure.error.as_ref()),
            exit: failure.exit,
            help: failure.help,
        }
    }
}

/// Tells them all, and what they come to; `target` is what a deploy would change, in words.
pub(super) fn conclude(checks: &[Check], target: &str, place: &Place<'_>) -> Result<Outcome, Failure> {
    for check in checks {
        place.runner.info(&check.line());
    }
    let ended = verdict(checks, target);
    let (mark, headline) = match &ended {
        Ok(outcome) => ("✅", &outcome.headline),
        Err(failure) => ("❌", &failure.outcome.headline),
    };
    let mut summary = Summary::default();
    summary.push(format!("### {mark} {}\n", markdown::plain(headline)));
    summary.table(&["Check", "Of", "Found", "More"], &rows(checks));
    place.runner.summary(&summary);
    let about = |outcome: Outcome| Outcome {
        environment: place.environment.clone(),
        dry_run: true,
        ..outcome.target(place.target()).fact("checks", values(checks))
    };
    match ended {
        Ok(outcome) => {
            place.runner.info(&outcome.headline);
            Ok(about(outcome))
        }
        Err(failure) => {
            let known = about((*failure.outcome).clone());
            Err(failure.knowing(known))
        }
    }
}

/// What the checks come to. Of several exit codes it is the lowest: a wrong flag is mended before a permission.
fn verdict(checks: &[Check], target: &str) -> Result<Outcome, Failure> {
    let wrong: Vec<&Check> = checks
        .iter()
        .filter(|check| matches!(check.found, Found::Wrong { .. }))
        .collect();
    let unknown = checks
        .iter()
        .filter(|check| matches!(check.found, Found::NotAsked(_)))
        .count();
    let Some(first) = wrong.first() else {
        let known = checks.len() - unknown;
        let rest = match unknown {
            0 => String::new(),
            count => format!(", {count} could not be asked for"),
        };
        let things = if known == 1 { "thing is" } else { "things are" };
        let headline = format!("a deploy to {target} could work: {known} {things} as it needs them{rest}");
        return Ok(Outcome::new(Status::Unchanged, headline));
    };
    let more = match wrong.len() {
        1 => String::new(),
        2 => "; and 1 more thing is wrong".to_owned(),
        count => format!("; and {} more things are wrong", count - 1),
    };
    let exits = wrong.iter().filter_map(|check| match &check.found {
        Found::Wrong { exit, help, .. } => Some((*exit, help.clone())),
        _ => None,
    });
    let (exit, help) = exits
        .min_by_key(|(exit, _)| exit.code())
        .unwrap_or((Exit::Usage, None));
    let why = first.told();
    let failure = Failure::new(exit, format!("a deploy to {target} would fail: {why}{more}"));
    let help = if wrong.len() > 1 {
        Some("see the lines above that begin with `wrong`".to_owned())
    } else {
        help
    };
    Err(match help {
        Some(help) => failure.help(help),
        None => failure,
    })
}

fn rows(checks: &[Check]) -> Vec<Vec<String>> {
    let row = |check: &Check| {
        let on = match check.on.is_empty() {
            true => String::new(),
            false => markdown::code(&inert(&check.on)),
        };
        let word = match &check.found {
            Found::Wrong { .. } => format!("**{}**", check.found.word()),
            _ => check.found.word().to_owned(),
        };
        vec![
            markdown::plain(check.what),
            on,
            word,
            markdown::plain(&inert(check.found.says())),
        ]
    };
    checks.iter().map(row).collect()
}

fn values(checks: &[Check]) -> Vec<Value> {
    let value = |check: &Check| {
        json!({
            "what": check.what,
            "of": inert(&check.on),
            "found": check.found.word().replace(' ', "-"),
            "says": inert(check.found.says()),
        })
    };
    checks.iter().map(value).collect()
}

/// Foreign text as one bounded line without account numbers.
fn inert(foreign: &str) -> String {
    text::cut(&accounts::without(&text::line(foreign)), SHOWN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(why: &str, exit: Exit) -> Check {
        let found = Found::Wrong {
            why: why.to_owned(),
            exit,
            help: Some(format!("mend {why}")),
        };
        Check::new("thing", "x", found)
    }

    fn well() -> Check {
        Check::new("thing", "y", Found::Well("is there".to_owned()))
    }

    #[test]
    fn what_is_wrong_is_counted_and_the_lowest_code_wins() {
        let asked = Check::new("role", "z", Found::NotAsked("access denied".to_owned()));
        let outcome = verdict(&[well(), asked], "service `web`").expect("nothing is wrong");
        assert_eq!(
            outcome.headline,
            "a deploy to service `web` could work: 1 thing is as it needs them, 1 could not be asked for"
        );
        let failure = verdict(&[well(), wrong("a", Exit::Access)], "service `web`").expect_err("a");
        assert_eq!(failure.exit, Exit::Access);
        assert_eq!(
            failure.error.to_string(),
            "a deploy to service `web` would fail: thing `x`: a"
        );
        assert_eq!(failure.help.as_deref(), Some("mend a"));
        let all = [
            wrong("a", Exit::Access),
            wrong("b", Exit::Usage),
            wrong("c", Exit::Locked),
        ];
        let failure = verdict(&all, "service `web`").expect_err("a, b, c");
        assert_eq!(failure.exit, Exit::Usage);
        assert!(
            failure
                .error
                .to_string()
                .ends_with("thing `x`: a; and 2 more things are wrong")
        );
    }

    #[test]
    fn foreign_text_is_one_line_without_an_account() {
        let on = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/a:1\n::error::x";
        let line = Check::new("image", on, Found::Well(String::new())).line();
        assert!(!line.contains('\n') && !line.contains("123456789012"), "{line}");
        assert!(line.starts_with("ok: image `<account>.dkr.ecr"), "{line}");
    }
}
