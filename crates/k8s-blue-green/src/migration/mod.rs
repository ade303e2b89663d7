//! Runs a migration as a Job before anything else of a deploy, and waits for its end. A Job that is there already is not run a
//! second time. Dropped half way, as a cancel does, the Job runs on; [`Ran`] knows its name, and the next run waits for it.

use std::time::Duration;

use gha::duration::display;
use gha::text;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::api::{Kind, Refused, Still, Which};
use crate::object;
use crate::place::Place;

pub mod decide;
mod hash;
pub mod job;
mod pods;

use decide::{Decision, STUCK, Stand, decide, never_ran, stand, stuck};
use job::{Job, LABEL};

/// The pauses before a look after a call whose answer is unknown.
const PAUSES: [Duration; 3] = [
    Duration::from_millis(500),
    Duration::from_secs(2),
    Duration::from_secs(5),
];

/// How long the Job controller may take to end a Job whose deadline is over.
const ENDS: Duration = Duration::from_secs(60);

/// How long a Job may take to go that was deleted.
const GOES: Duration = Duration::from_secs(60);

/// How long before its deadline the lines of a Job are read: with the deadline its pods go.
const LAST_LOOK: Duration = Duration::from_secs(15);

/// A migration to run.
#[derive(Clone, Copy, Debug)]
pub struct Migration<'a> {
    /// Its Job.
    pub job: &'a Job,
    /// Annotations for the Job: owner, run.
    pub marks: &'a [(String, String)],
    /// Whether one that failed is run again.
    pub retry: bool,
    /// From one look to the next.
    pub poll: Duration,
    /// How long it may take.
    pub limit: Duration,
    /// How long the API may be out of reach.
    pub api_grace: Duration,
}

/// How it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// It did what it had to in this run, or an earlier run's Job did while this one waited.
    Succeeded,
    /// It was done before this run.
    Before,
    /// It did not; nothing else was changed. A run with `--retry-migration` tries again.
    Failed(String),
    /// It failed in an earlier run, and was not run again.
    FailedBefore(String),
    /// The server refused what is needed to start it.
    NotStarted(Refused),
    /// A Job of its name is there that this program did not make.
    Foreign,
    /// What became of it is not known.
    Unknown {
        /// Why, as one line.
        reason: String,
        /// Whether credentials or permissions were refused.
        denied: bool,
    },
}

/// How far a migration was begun, for a run that ends before it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ran {
    job: Option<String>,
    asked: bool,
}

impl Ran {
    /// What is left of it, to be put behind a sentence.
    #[must_use]
    pub fn left(&self) -> String {
        match &self.job {
            Some(job) if self.asked => format!("; whether Job `{job}` was created is not known"),
            Some(job) => format!("; Job `{job}` goes on, and the next run waits for it"),
            None => String::new(),
        }
    }
}

/// What there is of a migration's Job, and what is to be done about it.
///
/// # Errors
/// When the Jobs can't be read.
pub async fn decided(
    job: &Job,
    retry: bool,
    place: &Place<'_>,
) -> Result<(Option<Value>, Decision), Refused> {
    let (api, namespace) = (&place.api, &place.namespace);
    let there = api.get(&Kind::job(), namespace, job.name()).await?;
    let all = match there.as_ref().map(stand) {
        Some(Stand::Complete) => {
            let labels = format!("{LABEL}={}", job.base);
            let which = Which {
                labels: Some(&labels),
                fields: None,
            };
            api.list(&Kind::job(), namespace, &which).await?
        }
        _ => Vec::new(),
    };
    let decision = decide(there.as_ref(), &all, job.way, retry);
    Ok((there, decision))
}

impl Migration<'_> {
    /// Runs it, or finds that it was run.
    pub async fn run(&self, ran: &mut Ran, place: &Place<'_>) -> End {
        self.job.notes.iter().for_each(|note| place.runner.info(note));
        match self.begun(ran, place).await {
            Ok(()) => {}
            Err(end) => {
                if !matches!(end, End::Unknown { .. }) {
                    *ran = Ran::default();
                }
                return end;
            }
        }
        ran.job = Some(self.job.name().to_owned());
        ran.asked = false;
        let end = self.follow(place).await;
        if !matches!(end, End::Unknown { .. }) {
            *ran = Ran::default();
        }
        end
    }

    /// Brings its Job about.
    async fn begun(&self, ran: &mut Ran, place: &Place<'_>) -> Result<(), End> {
        let name = self.job.name();
        let decided = decided(self.job, self.retry, place).await;
        let (there, decision) = decided.map_err(End::NotStarted)?;
        match decision {
            Decision::Create => {}
            Decision::Again { uid, why } => {
                place
                    .runner
                    .info(&format!("Job `{name}` is run again, because {why}"));
                self.delete(&uid, place).await?;
            }
            Decision::Wait => {
                place
                    .runner
                    .info(&format!("Job `{name}` runs already; waiting for it"));
                return Ok(());
            }
            Decision::Done => {
                place.runner.info(&format!("Job `{name}` was done before"));
                return Err(End::Before);
            }
            Decision::Failed { reason } => {
                self.show(there.as_ref(), &pods::of(name, place).await, None, place)
                    .await;
                return Err(End::FailedBefore(reason));
            }
            Decision::Foreign => return Err(End::Foreign),
        }
        ran.job = Some(name.to_owned());
        ran.asked = true;
        self.create(place).await?;
        place.runner.info(&format!("the migration runs as Job `{name}`"));
        Ok(())
    }

    async fn there(&self, place: &Place<'_>) -> Result<Option<Value>, Refused> {
        place
            .api
            .get(&Kind::job(), &place.namespace, self.job.name())
            .await
    }

    async fn create(&self, place: &Place<'_>) -> Result<(), End> {
        let mut object = self.job.object.clone();
        for (key, value) in self.marks {
            object["metadata"]["annotations"][key.as_str()] = value.as_str().into();
        }
        let mut pauses = PAUSES.into_iter();
        loop {
            let refused = match place.api.create(&Kind::job(), &place.namespace, &object).await {
                Ok(_) => return Ok(()),
                // Its name is its content: whoever created it created this.
                Err(refused) if refused.is_there_already() => return Ok(()),
                Err(refused) if !refused.unknown && !refused.may_pass() => {
                    return Err(End::NotStarted(refused));
                }
                Err(refused) => refused,
            };
            let Some(pause) = pauses.next() else {
                return Err(unknown(&refused));
            };
            sleep(pause).await;
            if let Ok(Some(_)) = self.there(place).await {
                return Ok(());
            }
        }
    }

    /// Deletes the Job of a unique id, and waits until its name is free.
    async fn delete(&self, uid: &str, place: &Place<'_>) -> Result<(), End> {
        let still = Still {
            uid: Some(uid),
            version: None,
        };
        let begin = Instant::now();
        loop {
            let deleted = place
                .api
                .delete(&Kind::job(), &place.namespace, self.job.name(), &still)
                .await;
            match deleted {
                Err(refused) if refused.unknown || refused.may_pass() || refused.is_condition() => {}
                Err(refused) => return Err(End::NotStarted(refused)),
                Ok(()) => {}
            }
            let there = self.there(place).await.map_err(End::NotStarted)?;
            match there {
                None => return Ok(()),
                // Somebody else ran it again at the same moment; what they created is the same.
                Some(other) if object::uid(&other) != uid => return Ok(()),
                Some(_) if begin.elapsed() >= GOES => {
                    let reason = format!(
                        "Job `{}` was deleted and did not go within {}",
                        self.job.name(),
                        display(GOES)
                    );
                    let denied = false;
                    return Err(End::Unknown { reason, denied });
                }
                Some(_) => sleep(self.poll).await,
            }
        }
    }

    async fn follow(&self, place: &Place<'_>) -> End {
        let begin = Instant::now();
        let (mut silent_since, mut stuck_since, mut tail) = (None, None, None);
        loop {
            let took = begin.elapsed();
            let job = match self.there(place).await {
                Ok(Some(job)) => job,
                Ok(None) => {
                    let reason = format!("Job `{}` was deleted while it ran", self.job.name());
                    let denied = false;
                    return End::Unknown { reason, denied };
                }
                Err(refused) => {
                    let since = *silent_since.get_or_insert_with(Instant::now);
                    if refused.is_access() || since.elapsed() >= self.api_grace {
                        return unknown(&refused);
                    }
                    sleep(self.poll).await;
                    continue;
                }
            };
            silent_since = None;
            match stand(&job) {
                Stand::Complete => return End::Succeeded,
                Stand::Failed(reason) => {
                    let pods = pods::of(self.job.name(), place).await;
                    self.show(Some(&job), &pods, tail, place).await;
                    let how = pods.iter().find_map(pods::ending);
                    let how = how.map(|how| format!("; {how}")).unwrap_or_default();
                    return End::Failed(format!("{reason}{how}"));
                }
                Stand::Runs => {}
            }
            if took >= self.limit + ENDS {
                let reason = format!("Job `{}` did not end within {}", self.job.name(), display(took));
                let denied = false;
                return End::Unknown { reason, denied };
            }
            let pods = pods::of(self.job.name(), place).await;
            if tail.is_none() && took + LAST_LOOK >= self.limit {
                tail = pods::lines(&pods, place).await;
            }
            match pods.iter().find_map(stuck) {
                Some(stuck) => {
                    let since = *stuck_since.get_or_insert_with(Instant::now);
                    if since.elapsed() >= STUCK && pods.iter().all(never_ran) {
                        return self.given_up(&job, &stuck.text, place).await;
                    }
                    place
                        .runner
                        .heartbeat(format!("the migration waits: {}", stuck.text));
                }
                None => {
                    stuck_since = None;
                    place.runner.heartbeat("the migration still runs".to_owned());
                }
            }
            sleep(self.poll).await;
        }
    }

    /// Ends a migration of which nothing ever ran: its Job goes, so that the next run begins anew.
    async fn given_up(&self, job: &Value, why: &str, place: &Place<'_>) -> End {
        let still = Still {
            uid: Some(object::uid(job)),
            version: None,
        };
        let name = self.job.name();
        let deleted = place
            .api
            .delete(&Kind::job(), &place.namespace, name, &still)
            .await;
        if let Err(refused) = deleted {
            place.runner.warn(&format!("Job `{name}` is left: {refused}"));
        }
        End::Failed(why.to_owned())
    }

    /// Shows the last lines of a migration that failed.
    async fn show(&self, job: Option<&Value>, pods: &[Value], tail: Option<String>, place: &Place<'_>) {
        let said = match pods::lines(pods, place).await {
            Some(lines) => Some(lines),
            None => tail,
        };
        let name = text::line(job.map_or(self.job.name(), object::name));
        match said {
            Some(lines) => {
                place.runner.info(&format!("the last lines of Job `{name}`:"));
                place.runner.block(&lines, pods::LINES);
            }
            None => place.runner.info(&format!("Job `{name}` has no lines to show")),
        }
    }
}

fn unknown(refused: &Refused) -> End {
    End::Unknown {
        reason: refused.to_string(),
        denied: refused.is_access(),
    }
}
