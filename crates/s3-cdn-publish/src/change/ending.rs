//! A change that can't go on: what is brought back, and what is said.

use std::time::Duration;

use gha::{Exit, Failure, Status, duration, text};
use tokio::time::timeout;

use super::{Broken, Change, Done, Far, leave};
use crate::cdn::Cdn;
use crate::error::{Error, advice};
use crate::held::{Held, Over};
use crate::lock::{Pending, Stage};
use crate::report;
use crate::undo;

/// How long the way back may take after a cancel: the run leaves within five seconds, of which what is under way and the lock
/// take two at most.
const CANCELLED: Duration = Duration::from_millis(2800);

/// How long it may take otherwise.
const FAILED: Duration = Duration::from_secs(300);

/// What visitors see after a run that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Serves {
    /// The earlier release, whole: nothing that was there before was changed.
    Earlier {
        /// Whether files may have come that visitors can find.
        is_more: bool,
    },
    /// The earlier release again, whole; whether the CDN knows it.
    Back {
        /// Whether the CDN knows it.
        is_told: bool,
    },
    /// What a run before this one left, which did not finish either.
    Left,
    /// The new release.
    New,
    /// Files of both, each with all that it refers to. Why it could not be brought back.
    Between(String),
    /// What another run makes of it.
    Unknown,
}

impl Change<'_> {
    /// Leaves what can't go on in the best state that can be had, and says which.
    pub(super) async fn give_up(&self, held: Held<'_>, broken: Broken, far: Far, done: &Done) -> Failure {
        let budget = if matches!(broken, Broken::Cancelled(_)) {
            CANCELLED
        } else {
            FAILED
        };
        let serves = match &broken {
            Broken::Error(Error::Lost(_) | Error::Changed) => Serves::Unknown,
            // Somebody else may write from now on.
            Broken::Error(error @ Error::Unkept(_)) if matches!(far, Far::Switching | Far::Committing) => {
                Serves::Between(error.to_string())
            }
            _ => {
                let serves = timeout(budget, Box::pin(held.during(self.now_serves(&held, far)))).await;
                match serves {
                    Ok(Ok(serves)) => serves,
                    Ok(Err(Error::Unkept(_))) | Err(_) => {
                        Serves::Between("there was no time for all of it".to_owned())
                    }
                    Ok(Err(_)) => Serves::Unknown,
                }
            }
        };
        let over = match &serves {
            Serves::New => Over::Committed,
            Serves::Earlier { .. } | Serves::Back { .. } => Over::Back,
            Serves::Left | Serves::Between(_) | Serves::Unknown => Over::Unfinished,
        };
        if !matches!(broken, Broken::Error(Error::Lost(_) | Error::Unkept(_))) {
            leave(self.place, held, over).await;
        }
        self.failure(broken, &serves, done)
    }

    /// What serves, once what was overwritten is brought back.
    async fn now_serves(&self, held: &Held<'_>, far: Far) -> Serves {
        match far {
            Far::Adding if self.diff.is_mixed => Serves::Left,
            Far::Adding => Serves::Earlier { is_more: false },
            Far::Switching => self.go_back(held).await,
            Far::Committing => match self.is_committed().await {
                Some(true) => Serves::New,
                Some(false) => self.go_back(held).await,
                None => Serves::Between("whether its manifest was written is not known".to_owned()),
            },
            Far::Committed => Serves::New,
        }
    }

    /// Brings back what was overwritten.
    async fn go_back(&self, held: &Held<'_>) -> Serves {
        if self.plan.counts.unkept > 0 {
            return Serves::Between("files over 5 GiB are not kept".to_owned());
        }
        if !self.plan.keeps.is_empty() {
            // Where another run has the lock by now, what is there is not this run's to overwrite.
            if let Err(error) = held.stage(Stage::Switching, held.pending()).await {
                return match error {
                    Error::Lost(_) => Serves::Unknown,
                    error => Serves::Between(error.to_string()),
                };
            }
            self.place.runner.goes_back();
            self.place.runner.info("bringing the earlier release back");
            if let Err(why) = undo::formers(self).await {
                return Serves::Between(why);
            }
        }
        let is_told = match (&self.cdn, held.pending()) {
            (Some(cdn), Some(owed)) => {
                let again = Pending {
                    reference: format!("{}-back", owed.reference),
                    ..owed
                };
                cdn.pay_at_once(&again).await && held.stage(Stage::Left, None).await.is_ok()
            }
            (None, Some(_)) => false,
            (_, None) => true,
        };
        if self.diff.is_mixed {
            Serves::Left
        } else if self.plan.keeps.is_empty() {
            Serves::Earlier { is_more: true }
        } else {
            Serves::Back { is_told }
        }
    }

    /// What is said.
    fn failure(&self, broken: Broken, serves: &Serves, done: &Done) -> Failure {
        let (exit, what, help) = match broken {
            Broken::Cancelled(cancelled) => (cancelled.0.exit(), cancelled.to_string(), None),
            Broken::TimedOut => (
                Exit::Failed,
                format!("it was not done in {}", duration::display(self.timeout)),
                Some("allow it more with `--timeout`".to_owned()),
            ),
            Broken::Refused(what, refused) => {
                let exit = if refused.is_condition() {
                    Exit::Locked
                } else {
                    Exit::Failed
                };
                let what = format!("failed to {what}: {refused}");
                (exit, what, Some(advice(&refused).to_owned()))
            }
            Broken::Error(error) => {
                let exit = match error {
                    Error::Lost(_) | Error::Changed => Exit::Locked,
                    Error::Unconfirmed(_) => Exit::Inconclusive,
                    _ => Exit::Failed,
                };
                (exit, error.to_string(), None)
            }
        };
        let earlier = match self.seen.current() {
            "" if matches!(serves, Serves::Back { .. }) => "what was there before serves".to_owned(),
            "" => "nothing was published before".to_owned(),
            id => format!("release `{}` serves", text::line(id)),
        };
        let recover = format!(
            "s3-cdn-publish recover {}{}",
            self.place.words(),
            self.cdn.as_ref().map(Cdn::words).unwrap_or_default()
        );
        let (says, exit, help) = match serves {
            Serves::Earlier { is_more } => (
                if *is_more {
                    format!("{earlier}, and nothing that was there before was changed")
                } else {
                    format!("{earlier}, and nothing that visitors see was changed")
                },
                exit,
                help,
            ),
            Serves::Back { is_told: true } => (format!("{earlier} again"), exit, help),
            Serves::Back { is_told: false } => (
                format!("{earlier} again from the bucket, and the CDN has not been told"),
                needs_human(exit),
                Some(format!("tell it with `{recover}`, or publish again")),
            ),
            Serves::Left => (
                format!("{earlier}, but for files of a run before this one that did not finish"),
                needs_human(exit),
                Some(format!("bring it back whole with `{recover}`, or publish again")),
            ),
            Serves::New => (
                format!("release `{}` serves all the same", self.release.id),
                needs_human(exit),
                Some(format!("finish it with `{recover}`")),
            ),
            Serves::Between(why) => (
                format!(
                    "some files are of `{}` already ({why}), each with all that it refers to",
                    self.release.id
                ),
                needs_human(exit),
                Some(format!(
                    "bring the earlier release back with `{recover}`, or publish again"
                )),
            ),
            Serves::Unknown => ("the other run decides what serves".to_owned(), exit, help),
        };
        let mut failure = Failure::new(exit, format!("{what}; {says}"));
        if exit == Exit::Failed && matches!(serves, Serves::Back { .. }) {
            failure.outcome.status = Status::RolledBack;
        }
        let failure = match help {
            Some(help) => failure.help(help),
            None => failure,
        };
        let release = if *serves == Serves::New {
            Some(self.release.id.as_str())
        } else {
            Some(self.seen.current()).filter(|id| !id.is_empty())
        };
        let mut known = report::known(self.place, release, done);
        known = match serves {
            Serves::Earlier { .. } | Serves::Back { .. } => known.fact("changed", false),
            Serves::New | Serves::Between(_) => known.fact("changed", true),
            Serves::Left | Serves::Unknown => known,
        };
        let before = self.seen.current();
        known.undo = match serves {
            Serves::New if self.plan.earlier.iter().any(|release| release.id == before) => {
                Some(report::way_back(self.place, self.cdn.as_ref(), before))
            }
            Serves::Left | Serves::Between(_) => Some(recover),
            _ => None,
        };
        failure.knowing(known)
    }
}

/// A failure that a person must look at; a cancel stays one, and so does what is not known.
fn needs_human(exit: Exit) -> Exit {
    match exit {
        Exit::Interrupted | Exit::Terminated | Exit::Inconclusive => exit,
        _ => Exit::NeedsHuman,
    }
}
