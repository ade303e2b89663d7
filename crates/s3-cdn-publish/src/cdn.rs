//! The CDN before the bucket: what it is made of, and the drive of an invalidation.

use std::time::Duration;

use gha::duration::display;
use gha::reproduce::quote;
use gha::{Runner, text};
use tokio::time::sleep;

use crate::api::cloudfront::{CloudFront, Distribution};
use crate::cli;
use crate::error::Error;
use crate::held::Held;
use crate::invalidation::wait::{Batch, End, Patience, State, Step};
use crate::invalidation::{Invalidation, Kept, Limits, Web, plan, reference, tags};
use crate::lock::{Pending, Stage};
use crate::place::Place;
use crate::report::counted;

/// The CDN before the bucket.
pub struct Cdn {
    client: CloudFront,
    /// The distribution's id.
    pub id: String,
    /// What it is made of, where that may be read.
    distribution: Option<Distribution>,
    web: Web,
    limits: Limits,
    tag: Option<String>,
    patience: Duration,
    complete: bool,
}

impl Cdn {
    /// The CDN that the flags name; none where they name none.
    ///
    /// # Errors
    /// When there is no such distribution, or it is not one of this bucket.
    pub async fn of(place: &Place<'_>, flags: &cli::Cdn) -> Result<Option<Self>, Error> {
        let Some(id) = &place.flags.distribution_id else {
            return Ok(None);
        };
        let client = CloudFront::new(&place.config);
        let (bucket, prefix) = (place.bucket.name(), place.bucket.prefix());
        let distribution = match client.distribution(id).await {
            Ok(distribution) => Some(distribution),
            // Without credentials nothing else works either.
            Err(reason) if reason.text.starts_with("access denied") => {
                place.runner.info(&format!(
                    "{}: paths are those of the bucket; with `cloudfront:GetDistribution` they follow the distribution",
                    reason.text
                ));
                None
            }
            Err(reason) => {
                return Err(Error::Cdn {
                    id: id.clone(),
                    reason,
                });
            }
        };
        let mut web = match &distribution {
            Some(distribution) => {
                if distribution.origins_of(bucket).is_empty() && place.flags.endpoint_url.is_none() {
                    place.runner.warn(&format!(
                        "distribution `{}` has no origin that is bucket `{}`",
                        text::line(id),
                        text::line(bucket)
                    ));
                }
                for remark in distribution.remarks(bucket) {
                    place.runner.info(&text::line(&remark));
                }
                distribution.web(bucket, prefix)
            }
            None => Web::new(prefix),
        };
        web.url_path.clone_from(&flags.url_path);
        let tag = flags.cache_tag.clone();
        if tag.is_some()
            && distribution
                .as_ref()
                .is_some_and(|distribution| distribution.tag_metadata().is_none())
        {
            return Err(Error::Flag {
                flag: "cache-tag",
                reason: format!("distribution `{}` has no cache tags by metadata", text::line(id)),
            });
        }
        Ok(Some(Self {
            client,
            id: id.clone(),
            distribution,
            web,
            limits: Limits::of(flags.max_paths),
            tag,
            patience: flags.wait_timeout,
            complete: flags.wait,
        }))
    }

    /// The flags that say how it is told, for a command line that goes on or undoes; with a space before them.
    #[must_use]
    pub fn words(&self) -> String {
        let path = self.web.url_path.as_deref();
        path.map(|path| format!(" --url-path {}", quote(path)))
            .unwrap_or_default()
    }

    /// The address of the site, as far as the distribution tells it.
    #[must_use]
    pub fn site_url(&self) -> Option<String> {
        self.distribution
            .as_ref()
            .map(|distribution| distribution.site_url(&self.web))
    }

    /// The invalidation of these keys.
    #[must_use]
    pub fn plan<'a>(&self, changed: &[&'a str], kept: impl IntoIterator<Item = Kept<'a>>) -> Invalidation {
        match &self.tag {
            Some(tag) if !changed.is_empty() => tags::tags([tag.as_str()]).unwrap_or_default(),
            _ => plan(changed.iter().copied(), kept, &self.web, self.limits),
        }
    }

    /// An invalidation as something that is owed. `basis` stands for the change and never comes back for another.
    #[must_use]
    pub fn owed(&self, invalidation: &Invalidation, basis: &str) -> Option<Pending> {
        let items = &invalidation.items;
        (!items.is_empty()).then(|| Pending {
            distribution: self.id.clone(),
            reference: reference::reference(&self.id, basis, items),
            items: items.clone(),
        })
    }

    /// Creates what is owed, and waits for it as the flags say. Where too many are in progress, one wildcard takes its place.
    async fn pay(&self, owed: &Pending, runner: &Runner) -> End {
        let wide = Invalidation::of_items(owed.items.clone()).widened();
        let wide = wide.and_then(|wide| self.owed(&wide, &owed.reference));
        let patience = Patience {
            budget: self.patience,
            complete: self.complete,
            widens: wide.is_some(),
        };
        let mut state = State::create(patience, runner.elapsed());
        let mut step = state.first();
        let mut told = false;
        loop {
            let now = runner.elapsed();
            let answer = match step {
                Step::Over(end) => {
                    tell(&end, runner);
                    return end;
                }
                Step::Create { at, batch } => {
                    sleep(at.saturating_sub(now)).await;
                    let owed = match (batch, &wide) {
                        (Batch::Widened, Some(wide)) => wide,
                        _ => owed,
                    };
                    self.client.create(&self.id, &owed.reference, &owed.items).await
                }
                Step::Ask { at, id } => {
                    if !std::mem::replace(&mut told, true) {
                        runner.output("invalidation-id", &id);
                        runner.info(&format!(
                            "invalidation `{}` of {} is created; waiting until it is complete",
                            text::line(&id),
                            counted(owed.items.len() as u64, "path")
                        ));
                    }
                    sleep(at.saturating_sub(now)).await;
                    self.client.status(&self.id, &id).await
                }
            };
            let (next, turn) = state.next(answer, runner.elapsed(), 0.5);
            if let Some(tell) = turn.tell {
                runner.info(&tell);
            }
            (state, step) = (next, turn.step);
        }
    }

    /// Pays what is owed, records a wider one before it is sent, and that nothing is owed any more.
    ///
    /// # Errors
    /// When the lock is lost, or CloudFront does not take it; what is owed stays recorded then.
    pub async fn settle(&self, owed: &Pending, held: &Held<'_>, runner: &Runner) -> Result<End, Error> {
        let end = self.pay(owed, runner).await;
        match &end {
            End::Complete { .. } | End::Created { .. } => {
                held.stage(Stage::Switching, None).await?;
                Ok(end)
            }
            End::Pending { id: Some(_), why, .. } => {
                // It is created, so nothing is owed; only how long it takes is not known.
                held.stage(Stage::Switching, None).await?;
                Err(Error::Unconfirmed(why.clone()))
            }
            End::Pending { id: None, why, .. } => Err(Error::Invalidation(why.clone())),
            End::Refused { reason, .. } => Err(Error::Invalidation(reason.text.clone())),
        }
    }

    /// One request to create what is owed, for a run that has no time left.
    pub async fn pay_at_once(&self, owed: &Pending) -> bool {
        let created = self
            .client
            .create(&owed.distribution, &owed.reference, &owed.items);
        let answer = created.await;
        matches!(answer, crate::invalidation::wait::Answer::Created { .. })
    }
}

/// What became of an invalidation, where that is no failure.
fn tell(end: &End, runner: &Runner) {
    let (id, said) = match end {
        End::Complete { id, took, .. } => (id, format!("complete after {}", display(*took))),
        End::Created { id, .. } => (id, "created; it completes by itself".to_owned()),
        End::Pending { .. } | End::Refused { .. } => return,
    };
    runner.output("invalidation-id", id);
    runner.info(&format!("invalidation `{}` is {said}", text::line(id)));
}
