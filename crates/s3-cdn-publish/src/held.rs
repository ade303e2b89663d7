//! Holding the lock: taking it, keeping it, saying how far the run is, and giving it back.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join;
use gha::edge::environment;
use gha::text;
use jiff::Timestamp;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::api::writes::{Condition, Put};
use crate::api::{Bucket, Refused};
use crate::error::Error;
use crate::etag::Etag;
use crate::headers::Headers;
use crate::hex::Hex;
use crate::intent::Intent;
use crate::lock::{Holder, LASTS, Lock, Pending, SCHEMA, Stage};
use crate::look::{INTENT, LOCK, MANIFEST, Seen};
use crate::pace::pause;
use crate::place::Place;
use crate::write::object;

/// How often a lock is written again.
const AGAIN: Duration = Duration::from_secs(LASTS.as_secs() / 4);

/// For how long a run trusts a lock that it could not write again: others take it soon after.
const HOLDS: Duration = Duration::from_secs(LASTS.as_secs() * 5 / 6);

/// How long an answer may take where there is no more time.
const ANSWERS: Duration = Duration::from_secs(5);

/// How often a write of it is tried.
const TRIES: u32 = 6;

/// The lock, held.
pub struct Held<'a> {
    place: &'a Place<'a>,
    now: RefCell<(Lock, Etag)>,
    /// When it was written.
    written: Cell<Instant>,
}

/// How a run ends that holds the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// The manifest says all that was done.
    Committed,
    /// What visitors see is as it was.
    Back,
    /// Something is left for `recover` or the next publish.
    Unfinished,
}

/// Whose lock is there.
enum There {
    /// This run's.
    Mine(Etag),
    /// Another's, or nobody's.
    Else,
    /// Nobody says.
    Unknown,
}

impl<'a> Held<'a> {
    /// Takes the lock, if nobody has it, and looks once more whether all is as it was read.
    ///
    /// # Errors
    /// When another run has it, or was faster; when it can't be written.
    pub async fn take(
        place: &'a Place<'a>,
        seen: &Seen,
        command: &str,
        release: &str,
        may_resume: bool,
    ) -> Result<Self, Error> {
        let now = place.runner.now();
        free(seen, place, may_resume)?;
        let mut lock = new(place, command, release, now);
        lock.base = seen.base().map(ToString::to_string);
        // What an earlier run owes stays owed until it is paid.
        lock.pending = seen.pending().cloned();
        let condition = match &seen.lock {
            Some((_, etag)) => Condition::Same(etag),
            None => Condition::New,
        };
        let written = Cell::new(Instant::now());
        let etag = taken(place, &lock, condition).await?;
        let held = Self {
            place,
            now: RefCell::new((lock, etag)),
            written,
        };
        // What was listed is of a time when others could write.
        let looks = join(
            place.bucket.is_as_it_was(MANIFEST, seen.base()),
            place.bucket.is_as_it_was(INTENT, seen.intent.as_ref()),
        );
        let (is_same, is_alone) = looks.await;
        match is_same.and_then(|is_same| Ok(is_same && is_alone?)) {
            Ok(true) => Ok(held),
            Ok(false) => {
                held.give_back(Over::Back).await;
                Err(Error::Changed)
            }
            Err(refused) => {
                held.give_back(Over::Back).await;
                Err(Error::refused("look at the manifest again")(refused))
            }
        }
    }

    /// Does something while the lock is kept; ends when it is lost.
    ///
    /// # Errors
    /// When the lock is another's now, or may be.
    pub async fn during<T>(&self, work: impl Future<Output = T>) -> Result<T, Error> {
        tokio::select! {
            biased;
            done = work => Ok(done),
            lost = self.keep() => Err(lost),
        }
    }

    /// Writes the lock again and again, until it is lost.
    async fn keep(&self) -> Error {
        loop {
            sleep(AGAIN).await;
            // A machine that stood still finds out at once whose the lock is.
            let until = (self.written.get() + HOLDS).max(Instant::now() + ANSWERS);
            match timeout_at(until, self.change(|_| {})).await {
                Ok(Ok(())) => {}
                Ok(Err(error @ Error::Lost(_))) => return error,
                Ok(Err(error)) => self
                    .place
                    .runner
                    .info(&format!("the lock was not written again: {error}")),
                Err(_) => return self.unkept().await,
            }
        }
    }

    /// Why it can't go on, where the lock was not written for long.
    async fn unkept(&self) -> Error {
        let lock = self.now.borrow().0.clone();
        match timeout(ANSWERS, there(&self.place.bucket, &lock)).await {
            Ok(There::Else) => Error::Lost(self.whose().await),
            _ => Error::Unkept(HOLDS.as_secs()),
        }
    }

    /// Says how far the run is, and what it owes.
    ///
    /// # Errors
    /// When the lock is another's now, or can't be written.
    pub async fn stage(&self, stage: Stage, pending: Option<Pending>) -> Result<(), Error> {
        self.change(|lock| {
            lock.stage = stage;
            lock.pending = pending;
        })
        .await
    }

    /// What is owed.
    #[must_use]
    pub fn pending(&self) -> Option<Pending> {
        self.now.borrow().0.pending.clone()
    }

    async fn change(&self, change: impl FnOnce(&mut Lock)) -> Result<(), Error> {
        let (mut lock, etag) = self.now.borrow().clone();
        change(&mut lock);
        let mut condition = etag;
        let mut tried = 0;
        loop {
            tried += 1;
            lock.seen = self.place.runner.now();
            let begun = Instant::now();
            let refused = match write(&self.place.bucket, &lock, Condition::Same(&condition)).await {
                Ok(etag) => {
                    self.now.replace((lock, etag));
                    self.written.set(begun);
                    return Ok(());
                }
                Err(refused) => refused,
            };
            let is_another = refused.is_condition() || refused.is_missing();
            if !is_another && !refused.may_pass() {
                return Err(Error::refused("write the lock")(refused));
            }
            // The answer to this write or to one before may have been lost: then it is ours, with another ETag.
            match there(&self.place.bucket, &lock).await {
                There::Mine(etag) => condition = etag,
                There::Else => return Err(Error::Lost(self.whose().await)),
                There::Unknown => {}
            }
            if tried == TRIES {
                return Err(Error::refused("write the lock")(refused));
            }
            sleep(pause(tried, 0)).await;
        }
    }

    /// Who has it now.
    async fn whose(&self) -> String {
        match self.place.bucket.get(LOCK).await {
            Ok(Some(content)) => {
                Lock::read(&content.bytes).map_or_else(|error| error.to_string(), |lock| lock.whose())
            }
            _ => "another run".to_owned(),
        }
    }

    /// Gives it back. What is owed to the CDN stays until it is paid, and what is unfinished until somebody finishes it.
    pub async fn give_back(self, over: Over) {
        let said = self.end(over).await;
        if let Err(why) = said {
            self.place.runner.warn(&format!(
                "the lock of this run stays: {why}; it holds nobody up after {} s",
                LASTS.as_secs()
            ));
        }
    }

    async fn end(&self, over: Over) -> Result<(), String> {
        let words = |error: Error| error.to_string();
        let bucket = &self.place.bucket;
        let pending = self.pending();
        let stays = pending.is_some() || over == Over::Unfinished;
        // Nobody else's is deleted: one that was written a moment ago nobody can have taken.
        if !stays && self.written.get().elapsed() >= HOLDS / 2 {
            self.change(|_| {}).await.map_err(words)?;
        }
        let intent = (over == Over::Committed).then_some(INTENT);
        let lock = (!stays).then_some(LOCK);
        let keys: Vec<&str> = intent.into_iter().chain(lock).collect();
        let deleted = match keys.as_slice() {
            [] => Ok(()),
            keys => match bucket.delete(keys).await {
                Ok(kept) => kept.first().map_or(Ok(()), |kept| Err(kept.why.clone())),
                Err(refused) => Err(refused.to_string()),
            },
        };
        if !stays && deleted.is_ok() {
            return Ok(());
        }
        match (self.stage(Stage::Left, pending).await, deleted) {
            (Ok(()), Ok(())) => Ok(()),
            (Ok(()), Err(why)) => {
                // Who may not delete may still say that nothing is left.
                if over == Over::Committed {
                    let nothing = Bytes::from(Intent::default().bytes().map_err(words)?);
                    let headers = Headers::of_state("application/gzip");
                    let put = bucket.put(object(INTENT, &nothing, &headers)).await;
                    put.map_err(|refused| refused.to_string())?;
                }
                self.place.runner.info(&format!(
                    "the lock of this run stays, and says that it is over: it was not deleted: {why}"
                ));
                Ok(())
            }
            // It was deleted, and the answer was lost.
            (Err(Error::Lost(_)), Err(_)) if matches!(bucket.get(LOCK).await, Ok(None)) => Ok(()),
            (Err(error), _) => Err(words(error)),
        }
    }
}

/// Whether the lock is free for this run.
///
/// # Errors
/// When another run has it.
pub fn free(seen: &Seen, place: &Place<'_>, may_resume: bool) -> Result<(), Error> {
    let trace = place.runner.trace().to_string();
    let trace = may_resume.then_some(trace.as_str());
    match &seen.lock {
        Some((lock, _)) => match lock.holder(trace, lock.age(seen.lock_age, place.runner.now())) {
            Holder::Another => Err(Error::Locked(lock.whose())),
            Holder::This | Holder::Nobody => Ok(()),
        },
        None => Ok(()),
    }
}

fn new(place: &Place<'_>, command: &str, release: &str, now: Timestamp) -> Lock {
    let runner = place.runner;
    Lock {
        schema: SCHEMA,
        nonce: Hex(&environment::random()).to_string(),
        run: run(place),
        link: runner.context().run_url(),
        trace: runner.trace().to_string(),
        command: command.to_owned(),
        began: now,
        seen: now,
        stage: Stage::Adding,
        release: release.to_owned(),
        base: None,
        pending: None,
    }
}

/// The run, for people.
#[must_use]
pub fn run(place: &Place<'_>) -> String {
    let env = place.runner.env();
    match (env.get("GITHUB_REPOSITORY"), env.get("GITHUB_RUN_ID")) {
        (Some(repository), Some(id)) => {
            let attempt = env.get("GITHUB_RUN_ATTEMPT").unwrap_or("1");
            text::line(&format!("{repository}:{id}.{attempt}"))
        }
        _ => "local".to_owned(),
    }
}

async fn write(bucket: &Bucket, lock: &Lock, condition: Condition<'_>) -> Result<Etag, Refused> {
    let bytes = Bytes::from(lock.bytes().unwrap_or_default());
    let headers = Headers::of_state("application/json");
    let put = Put {
        condition,
        ..object(LOCK, &bytes, &headers)
    };
    bucket.put(put).await
}

/// Whose lock is there.
async fn there(bucket: &Bucket, lock: &Lock) -> There {
    match bucket.get(LOCK).await {
        Ok(Some(content)) => match Lock::read(&content.bytes) {
            Ok(found) if found.nonce == lock.nonce => There::Mine(content.etag),
            _ => There::Else,
        },
        Ok(None) => There::Else,
        Err(_) => There::Unknown,
    }
}

/// Writes a lock that is not there yet, or nobody's.
async fn taken(place: &Place<'_>, lock: &Lock, condition: Condition<'_>) -> Result<Etag, Error> {
    let mut tried = 0;
    loop {
        tried += 1;
        let refused = match write(&place.bucket, lock, condition).await {
            Ok(etag) => return Ok(etag),
            Err(refused) => refused,
        };
        let is_another = refused.is_condition() || refused.is_missing();
        // The answer to this write or to the one before may have been lost.
        if (refused.unknown || tried > 1)
            && let There::Mine(etag) = there(&place.bucket, lock).await
        {
            return Ok(etag);
        }
        if is_another {
            return Err(others(place, refused).await);
        }
        if !refused.may_pass() || tried == TRIES {
            return Err(Error::refused("take the lock")(refused));
        }
        sleep(pause(tried, 0)).await;
    }
}

/// Somebody else was faster.
async fn others(place: &Place<'_>, refused: Refused) -> Error {
    match place.bucket.get(LOCK).await {
        Ok(Some(content)) => match Lock::read(&content.bytes) {
            Ok(lock) => Error::Locked(lock.whose()),
            Err(error) => error.into(),
        },
        _ => Error::refused("take the lock")(refused),
    }
}
