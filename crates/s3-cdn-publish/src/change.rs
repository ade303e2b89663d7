//! Bringing a release about: the lock, what is kept, the phases with a barrier after each, the CDN, the manifest, and the
//! deletes; and the way back where one of them fails.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use gha::Failure;
use gha::edge::cancel::Cancelled;
use tokio::time::timeout;

use crate::api::Refused;
use crate::api::deletes::Kept;
use crate::cdn::Cdn;
use crate::diff::{Diff, Step};
use crate::error::Error;
use crate::groups;
use crate::held::{Held, Over};
use crate::invalidation::Invalidation;
use crate::invalidation::wait::End;
use crate::lock::{LASTS, Stage};
use crate::look::Seen;
use crate::manifest::Release;
use crate::pace::Pace;
use crate::phase::Phase;
use crate::place::Place;
use crate::plan::Plan;
use crate::publish::site_url;
use crate::report::Told;
use crate::side_by_side::all;
use crate::target::Target;
use crate::write::Source;

mod after;
mod ending;
mod steps;

/// A release, and all that is needed to bring it about.
pub struct Change<'a> {
    /// Where.
    pub place: &'a Place<'a>,
    /// The command, such as `publish`.
    pub command: &'static str,
    /// What is in the bucket.
    pub seen: Seen,
    /// What it is to hold.
    pub target: Target,
    /// How the two differ.
    pub diff: Diff,
    /// What is done.
    pub plan: Plan,
    /// Where contents come from.
    pub source: Source<'a>,
    /// The release as it will be recorded.
    pub release: Release,
    /// The release from which this one is come back to.
    pub rolled_back_from: Option<String>,
    /// The CDN.
    pub cdn: Option<Cdn>,
    /// What it is told.
    pub invalidation: Invalidation,
    /// How many requests are under way at once.
    pub pace: Rc<RefCell<Pace>>,
    /// The longest time.
    pub timeout: Duration,
}

/// How far a run came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Far {
    /// No visitor sees a difference.
    Adding,
    /// Visitors may see some of it.
    Switching,
    /// The manifest is being written, by which its release becomes the current one.
    Committing,
    /// The release is the current one.
    Committed,
}

/// What a run did.
#[derive(Clone, Debug, Default)]
pub struct Done {
    /// Files that were sent.
    pub uploaded: u64,
    /// Bytes that were sent.
    pub bytes: u64,
    /// Objects that were deleted.
    pub deleted: u64,
    /// Objects that the store did not delete.
    pub not_deleted: Vec<Kept>,
    /// The invalidation.
    pub invalidation: Option<End>,
}

/// Why a run did not come to its end.
#[derive(Debug)]
enum Broken {
    /// Requests failed.
    Refused(String, Refused),
    /// Before or beside them.
    Error(Error),
    /// A signal.
    Cancelled(Cancelled),
    /// Its time is over.
    TimedOut,
}

impl From<Error> for Broken {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

/// How long what is under way may take to arrive, after a run is to end.
const ARRIVES: Duration = Duration::from_secs(1);

/// How long a cancelled run takes to give the lock back.
const LEAVES: Duration = Duration::from_secs(1);

/// Gives the lock back; a cancelled run does not wait for long.
async fn leave(place: &Place<'_>, held: Held<'_>, over: Over) {
    let mut leaving = Box::pin(held.give_back(over));
    if place.runner.cancel().guard(&mut leaving).await.is_err() && timeout(LEAVES, leaving).await.is_err() {
        place.runner.warn(&format!(
            "the lock of this run stays, as there was no time to take it off; it holds nobody up after {} s",
            LASTS.as_secs()
        ));
    }
}

impl<'a> Change<'a> {
    /// What the summary tells of it.
    #[must_use]
    pub fn told(&self) -> Told {
        Told {
            counts: Some(self.plan.counts),
            groups: groups::of(&self.target, &self.diff, &self.plan, self.seen.current()),
            invalidation: self.invalidation.clone(),
            site_url: site_url(self.place, self.cdn.as_ref()),
        }
    }

    /// Brings it about.
    ///
    /// # Errors
    /// When it did not come about, or not whole; the failure says what visitors see.
    pub async fn carry_out(mut self, may_resume: bool) -> Result<(Done, Release), Failure> {
        let place = self.place;
        let held = Box::pin(self.take(may_resume)).await?;
        if place.bucket.is_unconditional() {
            place.runner.warn(
                "this store has no conditional writes: two runs at the very same moment may both believe to have the lock, so let \
                 only one publish at a time",
            );
        }
        let far = Cell::new(Far::Adding);
        let done = RefCell::new(Done::default());
        let pace = Rc::clone(&self.pace);
        let ended = {
            let longest = self.timeout;
            let mut steps = Box::pin(self.bring_about(&held, &far, &done));
            let during = Box::pin(held.during(timeout(longest, &mut steps)));
            let ended = match place.runner.cancel().guard(during).await {
                Err(cancelled) => Err(Broken::Cancelled(cancelled)),
                Ok(Err(lost)) => Err(Broken::Error(lost)),
                Ok(Ok(Err(_))) => Err(Broken::TimedOut),
                Ok(Ok(Ok(ended))) => ended,
            };
            if matches!(ended, Err(Broken::Cancelled(_) | Broken::TimedOut)) {
                // What is under way arrives whoever waits for it: what is brought back must come after it.
                pace.borrow_mut().stop();
                let _ = timeout(ARRIVES, &mut steps).await;
                pace.borrow_mut().go_on();
            }
            ended
        };
        place.runner.end_live();
        let broken = match ended {
            Ok(()) => match Box::pin(self.finish(&held, &done)).await {
                Ok(()) => {
                    leave(place, held, Over::Committed).await;
                    return Ok((done.into_inner(), self.release));
                }
                Err(broken) => broken,
            },
            Err(broken) => broken,
        };
        Err(Box::pin(self.give_up(held, broken, far.get(), &done.into_inner())).await)
    }

    /// Takes the lock. A cancelled run that was about to have it gives it back.
    async fn take(&self, may_resume: bool) -> Result<Held<'a>, Failure> {
        let place = self.place;
        let take = Held::take(place, &self.seen, self.command, &self.release.id, may_resume);
        let mut taking = Box::pin(take);
        match place.runner.cancel().guard(&mut taking).await {
            Ok(taken) => Ok(taken?),
            Err(cancelled) => {
                if let Ok(Ok(held)) = timeout(ARRIVES, taking).await {
                    leave(place, held, Over::Back).await;
                }
                Err(cancelled.into())
            }
        }
    }

    /// All up to where the release is the current one.
    async fn bring_about(
        &mut self,
        held: &Held<'_>,
        far: &Cell<Far>,
        done: &RefCell<Done>,
    ) -> Result<(), Broken> {
        self.say_intent().await?;
        self.pay_elsewhere().await;
        self.keep_former().await?;
        let owed = self.owed();
        for phase in Phase::ALL {
            // What only adds files that nothing refers to yet is no switch, and nothing has to be brought back for it.
            if far.get() == Far::Adding && self.is_seen(phase) {
                held.stage(Stage::Switching, owed.clone()).await?;
                far.set(Far::Switching);
            }
            self.phase(phase, done).await?;
        }
        if far.get() == Far::Adding && owed.is_some() {
            held.stage(Stage::Switching, owed).await?;
        }
        far.set(Far::Committing);
        self.commit().await?;
        far.set(Far::Committed);
        Ok(())
    }

    /// Whether visitors see what a phase writes: pages, and whatever takes the place of something.
    fn is_seen(&self, phase: Phase) -> bool {
        let writes = &self.plan.writes[phase as usize];
        let replaces = |&number: &usize| self.diff.found[number].step != Step::Add;
        !writes.is_empty() && (phase >= Phase::Pages || writes.iter().any(replaces))
    }

    /// One request, again where it may pass.
    async fn one<T, F: Future<Output = Result<T, Refused>>>(
        &self,
        what: &str,
        request: impl Fn() -> F,
    ) -> Result<T, Broken> {
        let ended = all(1, &self.pace, |_| request(), |_, _| {}).await;
        if let Some((_, refused)) = ended.failed.into_iter().next() {
            return Err(Broken::Refused(what.to_owned(), refused));
        }
        let done = ended.done.into_iter().next();
        done.map(|(_, value)| value)
            .ok_or_else(|| Broken::Error(Error::State(format!("nothing was done to {what}"))))
    }
}
