//! Runs an observation: starts looks at their rate, asks the sources at every tick, and lets [`crate::observation`]
//! judge. The clock is tokio's, so that tests run it without waiting.
//!
//! Looks start on a fixed grid whatever the earlier ones do (an open model), so that a target that hangs is seen as often as
//! one that answers. A point of the grid at which too many looks are under way waits for the next of them to end: behind
//! one that hung it counts as one that did not answer in time, behind one that answered it was not measured, because the
//! limit is this program's own. A point that this program came late for is left out and counted apart, never made up for
//! by a burst.

use std::pin::{Pin, pin};
use std::time::Duration;

use futures_util::future::{OptionFuture, join_all};
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use jiff::{SignedDuration, Timestamp};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::finding::Finding;
use crate::observation::{Answered, Asked, Observation};
use crate::probe::{Look, Probe, look_within};
use crate::source::{Question, Source};
use crate::tape::{Sample, State};
use crate::trouble::Trouble;

/// The most looks of one probe that may be under way: they fit into the 1,024 open files that a process usually may have,
/// and at about 40 KB each into the memory that the whole may take. What a probe needs beyond that for single answers it
/// limits for all its looks together.
pub const MOST_LOOKS: u32 = 512;

/// How late a point of the grid may be started: after a pause of this program, a burst of what it missed would be another
/// load than was asked for.
const LATE: Duration = Duration::from_millis(10);

/// How late a look starts by the clock's own grain; its latency is not counted from before it started.
const GRAIN: Duration = Duration::from_millis(5);

/// From one asking to the next after trouble that may pass.
const AGAIN: Duration = Duration::from_secs(1);

/// A probe and how often it looks.
pub struct Load<'a> {
    /// What looks.
    pub probe: &'a dyn Probe,
    /// From the start of one look to the start of the next.
    pub interval: Duration,
    /// The longest that one look may take.
    pub try_timeout: Duration,
}

/// A source and how long it may take.
pub struct Asker<'a> {
    /// The source.
    pub source: &'a dyn Source,
    /// The longest that asking may take, repetitions after trouble included.
    pub timeout: Duration,
}

/// How long to observe, and with what.
pub struct Plan<'a> {
    /// How long.
    pub duration: Duration,
    /// From one judgement to the next.
    pub interval: Duration,
    /// The probes of the observation, in its order.
    pub loads: Vec<Load<'a>>,
    /// The sources of the observation, in its order.
    pub askers: Vec<Asker<'a>>,
    /// The time on the wall at which it begins.
    pub begin: Timestamp,
}

/// What happens while it runs.
#[derive(Debug)]
pub enum Told<'a> {
    /// A look ended.
    Look {
        /// The probe.
        probe: usize,
        /// When it was due.
        due: Duration,
        /// What it found.
        look: &'a Look,
    },
    /// The rules were judged.
    Judged {
        /// When.
        at: Duration,
        /// How everything stands.
        observation: &'a Observation,
    },
}

/// One round of asking all sources about a time.
type Round<'a> = Pin<Box<dyn Future<Output = (Duration, Vec<Answered>)> + 'a>>;

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ending {
    /// Whether it came to its end; otherwise it was settled before.
    pub complete: bool,
    /// How long it took.
    pub took: Duration,
    /// Looks that were not started because too many that hung were under way; they count as bad.
    pub dropped: u64,
    /// Looks that were not started because too many that answered were under way: too slow an answer for the rate. What
    /// depends on them is not known.
    pub crowded: u64,
    /// Looks that were left out because this program came late for them.
    pub skipped: u64,
}

/// Observes until the time is over or the verdict can't change. What was seen stays in `observation` also when this is
/// dropped half way.
pub async fn observe(
    plan: &Plan<'_>,
    observation: &mut Observation,
    mut told: impl FnMut(Told<'_>),
) -> Ending {
    let begin = Instant::now();
    observation.begin(plan.begin);
    let mut grids: Vec<Grid> = plan.loads.iter().map(Grid::new).collect();
    let mut looks = FuturesUnordered::new();
    let mut tick = plan.interval.min(plan.duration);
    let mut asking = pin!(OptionFuture::from(None::<Round<'_>>));
    let mut is_asking = false;
    let mut ending = Ending {
        complete: false,
        took: Duration::ZERO,
        dropped: 0,
        crowded: 0,
        skipped: 0,
    };
    let (mut own_is_over, mut last_is_asked) = (false, false);
    loop {
        if own_is_over && !is_asking {
            if last_is_asked {
                ending.complete = true;
                break;
            }
            last_is_asked = true;
            is_asking = start_asking(plan, observation, plan.duration, &mut asking);
            continue;
        }
        let is_last = tick >= plan.duration;
        let next_look = grids
            .iter()
            .map(|grid| grid.next)
            .filter(|next| *next < plan.duration)
            .min();
        // The last judgement waits for the looks that are under way.
        let judging = !own_is_over && (!is_last || looks.is_empty());
        let wake = next_look.into_iter().chain(judging.then_some(tick)).min();
        tokio::select! {
            biased;
            () = sleep_until(begin + wake.unwrap_or_default()), if wake.is_some() => {
                let now = begin.elapsed();
                for (probe, grid) in grids.iter_mut().enumerate() {
                    for due in grid.start(now, plan.duration, &mut ending) {
                        looks.push(look(&plan.loads[probe], probe, due, begin));
                    }
                }
                if judging && now >= tick {
                    // The own samples wait for no source: one that hangs must not hold up what they show.
                    let at = tick.min(plan.duration);
                    observation.judge_own(at);
                    told(Told::Judged { at, observation });
                    if observation.settled().is_some() {
                        break;
                    }
                    own_is_over = is_last;
                    if !is_asking && !own_is_over {
                        is_asking = start_asking(plan, observation, at, &mut asking);
                    }
                    tick = next_tick(plan, at, begin.elapsed());
                }
            }
            Some((at, answers)) = &mut asking, if is_asking => {
                is_asking = false;
                observation.judge_asked(at, &answers);
                told(Told::Judged { at, observation });
                if observation.settled().is_some() {
                    break;
                }
            }
            Some(seen) = looks.next(), if !looks.is_empty() => {
                let (probe, due, took, look) = seen;
                let limit = plan.loads[probe].try_timeout;
                if let Finding::Unmeasured(trouble) = &look.finding {
                    observation.trouble(probe, trouble.clone());
                }
                let sample = Sample::new(due, took, limit, &look);
                observation.sample(probe, sample);
                let beside = Beside { probe, state: sample.state(), limit, now: begin.elapsed() };
                grids[probe].end(beside, observation, &mut ending);
                told(Told::Look { probe, due, look: &look });
            }
        }
    }
    ending.took = begin.elapsed();
    ending
}

/// Starts to ask what must be asked about a time; whether there is anything.
fn start_asking<'a>(
    plan: &'a Plan<'a>,
    observation: &Observation,
    at: Duration,
    asking: &mut Pin<&mut OptionFuture<Round<'a>>>,
) -> bool {
    let questions = observation.questions(at);
    if questions.is_empty() {
        return false;
    }
    asking.set(Some(Box::pin(ask(plan, questions, at)) as Round<'a>).into());
    true
}

/// The next point of the judgements' grid that has not passed; the end at the latest.
fn next_tick(plan: &Plan<'_>, at: Duration, now: Duration) -> Duration {
    let interval = plan.interval.as_nanos().max(1);
    let passed = u32::try_from(now.as_nanos() / interval).unwrap_or(u32::MAX - 1);
    let next = plan
        .interval
        .saturating_mul(passed + 1)
        .max(at.saturating_add(Duration::from_millis(1)));
    next.min(plan.duration)
}

/// The grid of one probe's looks.
struct Grid {
    interval: Duration,
    next: Duration,
    under_way: u32,
    most: u32,
    /// The points at which too many looks were under way, until one of these ends.
    crowded: Vec<Duration>,
}

impl Grid {
    fn new(load: &Load<'_>) -> Self {
        let interval = load.interval.max(Duration::from_micros(1));
        let most = load.try_timeout.as_nanos() / interval.as_nanos() + 2;
        Self {
            interval,
            next: Duration::ZERO,
            under_way: 0,
            most: u32::try_from(most).unwrap_or(u32::MAX).min(MOST_LOOKS),
            crowded: Vec::new(),
        }
    }

    /// The points at which a look starts now.
    fn start(&mut self, now: Duration, end: Duration, ending: &mut Ending) -> Vec<Duration> {
        let mut due = Vec::new();
        while self.next <= now && self.next < end {
            let at = self.next;
            self.next += self.interval;
            if now - at > LATE.max(self.interval) {
                ending.skipped += 1;
            } else if self.under_way < self.most {
                self.under_way += 1;
                due.push(at);
            } else {
                self.crowded.push(at);
            }
        }
        due
    }

    /// A look has ended. What it was says what the points are that found no room beside it: where it hung, they would have
    /// too; where it did not, a look would have taken at least the time until then.
    fn end(&mut self, ended: Beside, observation: &mut Observation, ending: &mut Ending) {
        self.under_way -= 1;
        let points = std::mem::take(&mut self.crowded);
        let count = u64::try_from(points.len()).unwrap_or(u64::MAX);
        let hung = ended.state == State::TimedOut;
        if hung {
            ending.dropped += count;
        } else if count > 0 {
            ending.crowded += count;
            observation.trouble(ended.probe, crowded(self.most));
        }
        for due in points {
            let sample = if hung {
                Sample::of(due, ended.limit, State::TimedOut, None)
            } else {
                Sample::of(due, ended.now.saturating_sub(due), State::NoRoom, None)
            };
            observation.sample(ended.probe, sample);
        }
    }
}

/// A look that ended beside points that found no room.
#[derive(Clone, Copy)]
struct Beside {
    probe: usize,
    state: State,
    /// The longest that a look may take.
    limit: Duration,
    /// When it ended.
    now: Duration,
}

/// Why a point of the grid was not looked at.
fn crowded(most: u32) -> Trouble {
    Trouble::passing(format!(
        "{most} looks were under way, and the gate makes no more at once; lower the rate: the target answers too slowly for it, or this machine is too busy to keep it"
    ))
}

/// One look of a probe. Its time counts from when it was due, so that waiting for a start is not forgotten.
async fn look(
    load: &Load<'_>,
    probe: usize,
    due: Duration,
    begin: Instant,
) -> (usize, Duration, Duration, Look) {
    let started = begin.elapsed();
    let from = if started.saturating_sub(due) > GRAIN {
        due
    } else {
        started
    };
    let look = look_within(load.probe, load.try_timeout).await;
    (probe, due, begin.elapsed().saturating_sub(from), look)
}

/// Asks every source its questions; those about the same instant at once, and all side by side.
async fn ask(plan: &Plan<'_>, asked: Vec<Asked>, at: Duration) -> (Duration, Vec<Answered>) {
    let mut rounds: Vec<(&Asker<'_>, Duration, Vec<Asked>)> = Vec::new();
    for (index, asker) in plan.askers.iter().enumerate() {
        for asked in asked.iter().filter(|asked| asked.source == index) {
            match rounds
                .iter_mut()
                .find(|(_, at, round)| round[0].source == index && *at == asked.at)
            {
                Some((_, _, round)) => round.push(asked.clone()),
                None => rounds.push((asker, asked.at, vec![asked.clone()])),
            }
        }
    }
    let each = rounds.into_iter().map(|(asker, at, asked)| {
        let instant = instant(plan, at);
        async move {
            let questions: Vec<Question> = asked.iter().map(|asked| asked.question.clone()).collect();
            let answers = ask_one(asker, &questions, instant).await;
            asked.into_iter().zip(answers).collect::<Vec<_>>()
        }
    });
    let all: Vec<Pin<Box<dyn Future<Output = Vec<Answered>> + '_>>> =
        each.map(|one| Box::pin(one) as _).collect();
    (at, join_all(all).await.into_iter().flatten().collect())
}

/// A time of the observation as one on the wall.
fn instant(plan: &Plan<'_>, at: Duration) -> Timestamp {
    let from_begin = SignedDuration::try_from(at).unwrap_or(SignedDuration::MAX);
    plan.begin.saturating_add(from_begin).unwrap_or(plan.begin)
}

/// Asks one source, and again what met trouble that may pass, as far as its time goes.
async fn ask_one(
    asker: &Asker<'_>,
    questions: &[Question],
    at: Timestamp,
) -> Vec<Result<crate::source::Reading, Trouble>> {
    let end = Instant::now() + asker.timeout;
    let silent = || Trouble::passing(format!("{} did not answer in time", asker.source.shown()));
    let mut answers = vec![Err(silent()); questions.len()];
    let mut open: Vec<usize> = (0..questions.len()).collect();
    while !open.is_empty() {
        let now: Vec<Question> = open.iter().map(|index| questions[*index].clone()).collect();
        let left = end.saturating_duration_since(Instant::now());
        let Ok(got) = timeout(left, asker.source.ask(&now, at)).await else {
            break;
        };
        for (index, answer) in open.iter().zip(got) {
            answers[*index] = answer;
        }
        open.retain(|index| answers[*index].as_ref().is_err_and(|trouble| !trouble.lasts()));
        let pause = open
            .iter()
            .filter_map(|index| answers[*index].as_ref().err()?.pause)
            .max();
        let pause = pause.unwrap_or(AGAIN);
        if pause >= end.saturating_duration_since(Instant::now()) {
            break;
        }
        if !open.is_empty() {
            sleep(pause).await;
        }
    }
    answers
}
