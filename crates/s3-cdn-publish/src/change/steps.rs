//! The steps of a change up to where its release is the current one.

use std::cell::{Cell, RefCell};
use std::path::Path;

use bytes::Bytes;
use gha::text;

use super::{Broken, Change, Done};
use crate::api::Refused;
use crate::api::copies::Copy;
use crate::api::writes::{Condition, Put};
use crate::commit::Commit;
use crate::diff::Step;
use crate::error::Error;
use crate::headers::Headers;
use crate::intent::Intent;
use crate::lock::Pending;
use crate::look::{INTENT, MANIFEST, RELEASES};
use crate::phase::Phase;
use crate::progress;
use crate::side_by_side::all;
use crate::write::{self, Source, object};

impl Change<'_> {
    /// Says what it is about to write, for whoever finds that this run never finished.
    pub(super) async fn say_intent(&self) -> Result<(), Broken> {
        let items = || self.diff.found.iter().zip(&self.target.items);
        let written = items()
            .filter(|(found, _)| matches!(found.step, Step::Add | Step::Replace))
            .map(|(_, item)| (item.key.as_ref(), item.size));
        let touched = items()
            .filter(|(found, _)| found.step == Step::Headers)
            .map(|(_, item)| item.key.as_ref());
        let intent = Intent::new(&self.seen.left, written, touched);
        if intent.is_empty() {
            return Ok(());
        }
        let bytes = Bytes::from(intent.bytes()?);
        let headers = Headers::of_state("application/gzip");
        let put = object(INTENT, &bytes, &headers);
        self.one("say what it is about to write", || self.place.bucket.put(put))
            .await?;
        Ok(())
    }

    /// Keeps what is about to be overwritten, and the manifest of the release that is current now.
    pub(super) async fn keep_former(&self) -> Result<(), Broken> {
        let bucket = &self.place.bucket;
        let keeps = &self.plan.keeps;
        let one = |at: usize| {
            let former = &keeps[at];
            let item = &self.target.items[former.item];
            async move {
                let to = former.store_key(&item.key);
                bucket
                    .copy(Copy {
                        from: &item.key,
                        to: &to,
                        size: former.size,
                        headers: None,
                        source: former.etag.as_ref(),
                        there: Condition::None,
                    })
                    .await
            }
        };
        let ended = all(keeps.len(), &self.pace, one, |_, _| {}).await;
        if let Some((at, refused)) = ended.failed.into_iter().next() {
            let key = text::line(&self.target.items[keeps[at].item].key);
            return Err(Broken::Refused(
                format!("keep the earlier content of `{key}`"),
                refused,
            ));
        }
        if let Some(header) = self
            .seen
            .header
            .as_ref()
            .filter(|header| header.release.id != self.release.id)
        {
            let to = format!("{RELEASES}{}", header.release.id);
            let size = self.seen.manifest.as_ref();
            let copy = Copy {
                from: MANIFEST,
                to: &to,
                size: size.map_or(0, |content| content.bytes.len() as u64),
                headers: None,
                source: self.seen.base(),
                there: Condition::None,
            };
            self.one("keep the manifest of the earlier release", || bucket.copy(copy))
                .await?;
        }
        Ok(())
    }

    /// Writes all of a phase.
    pub(super) async fn phase(&mut self, phase: Phase, done: &RefCell<Done>) -> Result<(), Broken> {
        let numbers = std::mem::take(&mut self.plan.writes[phase as usize]);
        if numbers.is_empty() {
            return Ok(());
        }
        let runner = self.place.runner;
        let began = runner.elapsed();
        let sent = Cell::new((0_u64, 0_u64));
        let (target, found, bucket, source) =
            (&self.target, &self.diff.found, &self.place.bucket, self.source);
        let one = |at: usize| {
            let number = numbers[at];
            let item = &target.items[number];
            let found = &found[number];
            async move {
                let look = target.looks.get(item.look);
                let look = look.ok_or_else(|| Refused::unread(Path::new(&*item.key), "it has no headers"))?;
                write::item(bucket, source, item, look, found).await
            }
        };
        let ended = all(numbers.len(), &self.pace, one, |at, _| {
            let number = numbers[at];
            let (mut files, mut bytes) = sent.get();
            files += 1;
            if self.is_sent(number) {
                bytes += target.items[number].size;
            }
            sent.set((files, bytes));
            let took = runner.elapsed().saturating_sub(began);
            runner.live(|| progress::live(phase, files, numbers.len(), bytes, took));
            runner.heartbeat(progress::line(phase, files, numbers.len(), bytes, took));
        })
        .await;
        for &(at, _) in &ended.done {
            let number = numbers[at];
            if self.is_sent(number) {
                let mut done = done.borrow_mut();
                done.uploaded += 1;
                done.bytes += self.target.items[number].size;
            }
        }
        for (at, etag) in ended.done {
            self.diff.found[numbers[at]].etag = Some(etag);
        }
        runner.end_live();
        if let Some((at, refused)) = ended.failed.into_iter().next() {
            let key = text::line(&self.target.items[numbers[at]].key);
            return Err(Broken::Refused(format!("write `{key}`"), refused));
        }
        let (files, bytes) = sent.get();
        let took = runner.elapsed().saturating_sub(began);
        runner.info(&progress::line(phase, files, numbers.len(), bytes, took));
        Ok(())
    }

    /// Whether the content of an item goes over the network.
    pub(super) fn is_sent(&self, number: usize) -> bool {
        matches!(self.source, Source::Folder(_))
            && matches!(self.diff.found[number].step, Step::Add | Step::Replace)
    }

    /// Makes it the current release.
    pub(super) async fn commit(&self) -> Result<(), Broken> {
        let commit = Commit {
            release: self.release.clone(),
            rolled_back_from: self.rolled_back_from.clone(),
            target: &self.target,
            found: &self.diff.found,
            plan: &self.plan,
            before: self.seen.header.as_ref().map(|header| &header.looks),
        };
        let bytes = Bytes::from(commit.bytes()?);
        let bucket = &self.place.bucket;
        let headers = Headers::of_state("application/gzip");
        let condition = match self.seen.base() {
            Some(etag) => Condition::Same(etag),
            None => Condition::New,
        };
        let put = Put {
            condition,
            ..object(MANIFEST, &bytes, &headers)
        };
        let said = self.one("write the manifest", || bucket.put(put)).await;
        let Err(Broken::Refused(what, refused)) = said else {
            return said.map(|_| ());
        };
        // The answer to the write may have been lost: then what is there is what was written.
        match bucket.get(MANIFEST).await {
            Ok(Some(content)) if content.bytes == bytes => Ok(()),
            // Nothing of the other run's is to be overwritten, not even by what was there before.
            Ok(Some(content)) if self.seen.base() != Some(&content.etag) => Err(Error::Changed.into()),
            _ => Err(Broken::Refused(what, refused)),
        }
    }

    /// Whether the release is the current one, where the answer to the last write was not heard. None where nobody says.
    pub(super) async fn is_committed(&self) -> Option<bool> {
        let bucket = &self.place.bucket;
        let is_same = bucket.is_as_it_was(MANIFEST, self.seen.base()).await;
        is_same.ok().map(|is_same| !is_same)
    }

    /// What is owed to the CDN: what this run changes, and what an earlier one still owes.
    pub(super) fn owed(&self) -> Option<Pending> {
        let earlier = self.seen.pending().cloned();
        let Some(cdn) = &self.cdn else {
            // Nobody here can pay it; it stays.
            return earlier;
        };
        let Some(earlier) = earlier.filter(|earlier| earlier.distribution == cdn.id) else {
            return cdn.owed(&self.invalidation, &self.release_basis());
        };
        if self.invalidation.items.is_empty() {
            return Some(earlier);
        }
        let mut both = self.invalidation.clone();
        both.items.extend(earlier.items);
        both.items.sort();
        both.items.dedup();
        cdn.owed(&both, &self.release_basis())
    }

    /// Tells a distribution that is not this run's what an earlier run owes it: there is room for one debt alone.
    pub(super) async fn pay_elsewhere(&self) {
        let (Some(cdn), Some(owed)) = (&self.cdn, self.seen.pending()) else {
            return;
        };
        if owed.distribution != cdn.id && !cdn.pay_at_once(owed).await {
            self.place.runner.warn(&format!(
                "distribution `{}` was not told what an earlier run changed: invalidate {} there",
                text::line(&owed.distribution),
                text::cut(&text::line(&owed.items.join(" ")), 300)
            ));
        }
    }

    /// What stands for this change and for no later one: a release may become the current one more than once.
    pub(super) fn release_basis(&self) -> String {
        format!("{} {}", self.release.id, self.place.runner.now())
    }
}
