//! What follows when the release is the current one: the CDN, and the deletes.

use std::cell::RefCell;

use gha::text;

use super::{Broken, Change, Done};
use crate::held::Held;
use crate::invalidation::wait::End;
use crate::lock::Stage;
use crate::manifest::Row;
use crate::phase::Phase;
use crate::plan;
use crate::report::counted;
use crate::store;

impl Change<'_> {
    /// What follows when it is the current release: the CDN, and the deletes.
    pub(super) async fn finish(&self, held: &Held<'_>, done: &RefCell<Done>) -> Result<(), Broken> {
        let runner = self.place.runner;
        let rest = async {
            if let (Some(cdn), Some(owed)) = (&self.cdn, held.pending()) {
                let end = cdn.settle(&owed, held, runner).await?;
                done.borrow_mut().invalidation = Some(end);
            }
            self.deletes(held, done).await
        };
        match runner.cancel().guard(Box::pin(held.during(rest))).await {
            Err(cancelled) => Err(Broken::Cancelled(cancelled)),
            Ok(Err(lost)) => Err(lost.into()),
            Ok(Ok(said)) => said,
        }
    }

    /// What may be deleted now: not what pages need that the CDN may still have.
    fn due(&self, held: &Held<'_>, done: &RefCell<Done>) -> Vec<&Row> {
        let runner = self.place.runner;
        if let Some(owed) = held.pending() {
            runner.warn(&format!(
                "distribution `{}` is owed an invalidation by an earlier run, and nothing is deleted before: name it with \
                 `--distribution-id`",
                text::line(&owed.distribution)
            ));
            return Vec::new();
        }
        let is_told_alone = matches!(done.borrow().invalidation, Some(End::Created { .. }));
        let is_due = |row: &&Row| {
            let leaves_now = row
                .retired
                .as_ref()
                .is_none_or(|retired| retired.last == self.seen.current());
            !(is_told_alone && leaves_now)
        };
        let due: Vec<&Row> = self.plan.deletes.iter().filter(is_due).collect();
        let later = self.plan.deletes.len() - due.len();
        if later > 0 {
            runner.info(&format!(
                "{later} files that leave the site now are deleted by the next run: the CDN may still have pages that need them"
            ));
        }
        due
    }

    /// Pages, and then the rest. What an unfinished run left is not known to be one of the two, and goes first.
    fn in_order<'r>(&self, deletes: &[&'r Row]) -> [Vec<&'r str>; 2] {
        let header = self.seen.header.as_ref();
        let is_rest = |row: &&Row| {
            let look = header.and_then(|header| header.looks.get(row.look));
            row.sha256.is_some() && look.is_some_and(|look| look.phase < Phase::Pages)
        };
        let (rest, pages): (Vec<&'r Row>, Vec<&'r Row>) = deletes.iter().copied().partition(is_rest);
        [pages, rest].map(|rows| rows.into_iter().map(|row| row.key.as_ref()).collect())
    }

    /// Deletes what no release that is kept has any more.
    pub(super) async fn deletes(&self, held: &Held<'_>, done: &RefCell<Done>) -> Result<(), Broken> {
        let bucket = &self.place.bucket;
        let runner = self.place.runner;
        let deletes = self.due(held, done);
        if !deletes.is_empty() {
            let before = self.seen.header.as_ref().map(|header| &header.looks);
            let gone: Vec<&str> = plan::gone(deletes.iter().copied(), |number| {
                before.and_then(|looks| looks.get(number))
            })
            .collect();
            let owed =
                self.cdn.as_ref().filter(|_| !gone.is_empty()).and_then(|cdn| {
                    cdn.owed(&cdn.plan(&gone, []), &format!("{} deletes", self.release_basis()))
                });
            if owed.is_some() {
                held.stage(Stage::Switching, owed.clone()).await?;
            }
            // What refers goes before what it refers to, so that no page stays without its assets.
            for keys in self.in_order(&deletes) {
                if keys.is_empty() || !done.borrow().not_deleted.is_empty() {
                    continue;
                }
                let kept = self
                    .one("delete files of earlier releases", || bucket.delete(&keys))
                    .await?;
                let mut done = done.borrow_mut();
                done.deleted += (keys.len() - kept.len()) as u64;
                done.not_deleted = kept;
            }
            let deleted = counted(done.borrow().deleted, "object");
            runner.info(&format!("deleted {deleted} of earlier releases"));
            if let (Some(cdn), Some(owed)) = (&self.cdn, owed) {
                cdn.settle(&owed, held, runner).await?;
            }
        }
        if let Err(error) = store::tidy(self.place, &self.plan, &self.seen, &self.release.id).await {
            // What stays is found and taken off by the next run.
            runner.warn(&format!(
                "earlier contents that nobody needs any more stay: {error}"
            ));
        }
        Ok(())
    }
}
