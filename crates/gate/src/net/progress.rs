//! How far a look has come: its phases so far and what it waits for, so that a look which runs out of time can say where
//! it hung.

use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use gha::duration;

use crate::finding::{Fault, FaultKind, Finding};
use crate::probe::{Look, Phases};

use super::certificate::Chain;
use super::fault;
use super::tls::Recorder;

/// How long before its limit a look stops by itself and tells where it hung. The engine drops it at the limit, and the
/// clock of the run time ticks in milliseconds.
const TELLING: Duration = Duration::from_millis(2);

/// When a look with this limit stops by itself.
pub(crate) fn told_after(limit: Duration) -> Duration {
    limit.saturating_sub(TELLING).max(limit / 2)
}

/// What a look is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Resolving the name.
    Naming,
    /// Connecting.
    Connecting,
    /// Asking the proxy for a tunnel.
    Tunnel,
    /// Agreeing on TLS.
    Handshake,
    /// Asked, and nothing came back yet.
    Asked,
    /// Something came back, and the answer's head is not complete.
    Head,
    /// Reading the body, so many bytes so far.
    Body(usize),
    /// Reading an answer of another protocol than HTTP, so many bytes so far.
    Answer(usize),
}

/// How far a look has come. The clock starts when this is made, which may be before the look is first polled: the
/// engine's has started by then.
#[derive(Debug)]
pub struct Progress {
    begin: Instant,
    stage: Cell<Stage>,
    phases: Cell<Phases>,
    /// The presented chain that ends first, and where it was presented.
    chain: RefCell<Option<(Chain, Option<String>)>>,
    shaking: RefCell<Option<Arc<Recorder>>>,
    proxy: RefCell<Option<String>>,
    place: RefCell<Option<String>>,
    min_days: Option<i64>,
}

impl Default for Progress {
    fn default() -> Self {
        Self {
            begin: Instant::now(),
            stage: Cell::new(Stage::Naming),
            phases: Cell::new(Phases::default()),
            chain: RefCell::new(None),
            shaking: RefCell::new(None),
            proxy: RefCell::new(None),
            place: RefCell::new(None),
            min_days: None,
        }
    }
}

impl Progress {
    /// A look that is only good when every certificate that is presented is still valid for so many whole days.
    #[must_use]
    pub fn wanting(min_days: Option<i64>) -> Self {
        Self {
            min_days,
            ..Self::default()
        }
    }

    /// What it is doing.
    #[must_use]
    pub fn stage(&self) -> Stage {
        self.stage.get()
    }

    /// The phases so far.
    #[must_use]
    pub fn phases(&self) -> Phases {
        self.phases.get()
    }

    /// How long it has been going on.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.begin.elapsed()
    }

    /// A whole look: what was found within its limit, or where it hung. The looking comes boxed, because a future that is
    /// handed on as it is lies in memory once for each hand, and hundreds of looks may be under way.
    pub(crate) async fn look<E: Into<Finding>>(
        &self,
        limit: Duration,
        looking: Pin<Box<impl Future<Output = Result<Look, E>>>>,
    ) -> Look {
        let hung = |fault| Look::without_answer(Finding::Bad(fault));
        self.look_or(limit, looking, hung).await
    }

    /// The same for a probe that knows more of a look which hung than where.
    pub(crate) async fn look_or<E: Into<Finding>>(
        &self,
        limit: Duration,
        looking: Pin<Box<impl Future<Output = Result<Look, E>>>>,
        hung: impl FnOnce(Fault) -> Look,
    ) -> Look {
        let end = self.begin + told_after(limit);
        let look = match timeout_at(end, looking).await {
            Ok(found) => found.unwrap_or_else(|wrong| Look::without_answer(wrong.into())),
            Err(_) => hung(self.placed(self.hung(limit))).hung(),
        };
        self.complete(look)
    }

    /// Makes a look whole: its phases, the days left of the presented certificates, and a fault where those are fewer
    /// than wanted and nothing else is wrong.
    fn complete(&self, look: Look) -> Look {
        // A chain that was presented in a handshake without end counts too.
        let shaking = self.shaking.borrow().as_ref().and_then(|shaking| shaking.chain());
        if shaking.is_some() {
            self.saw(shaking);
        }
        let chain = self.chain.borrow();
        let soon = chain.as_ref().and_then(|(chain, place)| {
            let reason = chain.too_few_days(self.min_days?)?;
            Some(
                place
                    .as_ref()
                    .map_or(reason.clone(), |place| format!("at `{place}`: {reason}")),
            )
        });
        let finding = match (look.finding, soon) {
            (Finding::Good, Some(reason)) => Finding::bad(FaultKind::Tls, reason),
            (finding, _) => finding,
        };
        Look {
            finding,
            phases: self.phases(),
            days_left: chain.as_ref().and_then(|(chain, _)| chain.days_left()),
            ..look
        }
    }

    /// Another connection of the same look begins, to a place that is worth naming or not: its phases are its own.
    pub(crate) fn again(&self, place: Option<String>) {
        self.place.replace(place);
        self.shaking.replace(None);
        let dns = self.phases.get().dns;
        self.phases.set(Phases {
            dns,
            ..Phases::default()
        });
        self.proxy.replace(None);
    }

    /// Goes on to a stage.
    pub(crate) fn goes_on(&self, stage: Stage) {
        self.stage.set(stage);
    }

    /// Goes through a stage and adds its time to its phase.
    pub(crate) async fn during<T>(&self, stage: Stage, work: impl Future<Output = T>) -> T {
        self.stage.set(stage);
        let begin = Instant::now();
        let done = work.await;
        let took = begin.elapsed();
        let mut phases = self.phases.get();
        match stage {
            Stage::Naming => *phases.dns.get_or_insert_default() += took,
            Stage::Connecting | Stage::Tunnel => *phases.connect.get_or_insert_default() += took,
            Stage::Handshake => *phases.tls.get_or_insert_default() += took,
            Stage::Asked | Stage::Head | Stage::Body(_) | Stage::Answer(_) => {}
        }
        self.phases.set(phases);
        done
    }

    /// The first byte came, so long after the asking.
    pub(crate) fn first_byte(&self, after: Duration) {
        let phases = self.phases.get();
        self.phases.set(Phases {
            first_byte: Some(after),
            ..phases
        });
    }

    /// A proxy is on the way.
    pub(crate) fn through(&self, proxy: String) {
        self.proxy.replace(Some(proxy));
    }

    /// A handshake begins, and what it shows is written down there.
    pub(crate) fn watches(&self, recorder: &Arc<Recorder>) {
        self.shaking.replace(Some(Arc::clone(recorder)));
    }

    /// A handshake ended and showed this. Of several chains the one that ends first is kept.
    pub(crate) fn saw(&self, chain: Option<Chain>) {
        self.shaking.replace(None);
        let Some(chain) = chain else { return };
        let mut kept = self.chain.borrow_mut();
        if kept
            .as_ref()
            .is_none_or(|(kept, _)| chain.days_left() < kept.days_left())
        {
            *kept = Some((chain, self.place.borrow().clone()));
        }
    }

    /// A fault as one of the place that is looked at.
    pub(crate) fn placed(&self, fault: Fault) -> Fault {
        match self.place.borrow().as_ref() {
            Some(place) => Fault {
                reason: format!("at `{place}`: {}", fault.reason),
                ..fault
            },
            None => fault,
        }
    }

    /// What it says of a target that a look of this limit found no end here.
    #[must_use]
    pub fn hung(&self, limit: Duration) -> Fault {
        let shown = duration::display(limit);
        let stage = self.stage.get();
        if let Some(proxy) = self.proxy.borrow().as_ref()
            && matches!(stage, Stage::Connecting | Stage::Tunnel)
        {
            return fault(
                FaultKind::Proxy,
                format!("the proxy `{proxy}` did not let the request through within {shown}"),
            );
        }
        let waiting = match stage {
            Stage::Naming => {
                let reason = format!("the host's name can't be resolved within {shown}");
                return fault(FaultKind::Name, reason);
            }
            Stage::Connecting | Stage::Tunnel => {
                let reason = format!("could not connect within {shown}");
                return fault(FaultKind::Connection, reason);
            }
            Stage::Handshake => "the TLS handshake goes on".to_owned(),
            Stage::Asked => "waiting for the first byte".to_owned(),
            Stage::Head => "the head goes on".to_owned(),
            Stage::Body(0) => "waiting for the body".to_owned(),
            Stage::Body(bytes) => format!("the body goes on after {bytes} bytes"),
            Stage::Answer(0) => "waiting for an answer".to_owned(),
            Stage::Answer(bytes) => format!("the answer goes on after {bytes} bytes"),
        };
        let phases = self.phases.get();
        let known = [
            ("connected in", phases.connect),
            ("TLS in", phases.tls),
            ("first byte after", phases.first_byte),
        ];
        let mut path: Vec<String> = known
            .into_iter()
            .filter_map(|(what, took)| Some(format!("{what} {}", duration::display(took?))))
            .collect();
        path.push(waiting);
        let path = path.join(", ");
        fault(
            FaultKind::Slow,
            format!("no complete answer within {shown} ({path})"),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::pending;
    use tokio::time::sleep;

    fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[tokio::test(start_paused = true)]
    async fn tells_where_it_hung() {
        for (stage, kind, reason) in [
            (
                Stage::Naming,
                FaultKind::Name,
                "the host's name can't be resolved within 5s",
            ),
            (
                Stage::Connecting,
                FaultKind::Connection,
                "could not connect within 5s",
            ),
            (
                Stage::Asked,
                FaultKind::Slow,
                "no complete answer within 5s (connected in 3ms, waiting for the first byte)",
            ),
            (
                Stage::Body(512),
                FaultKind::Slow,
                "no complete answer within 5s (connected in 3ms, the body goes on after 512 bytes)",
            ),
            (
                Stage::Answer(0),
                FaultKind::Slow,
                "no complete answer within 5s (connected in 3ms, waiting for an answer)",
            ),
        ] {
            let progress = Progress::default();
            let look = async {
                progress.during(Stage::Connecting, sleep(millis(3))).await;
                progress.during(stage, pending::<Result<Look, Fault>>()).await
            };
            // The engine's own clock must not be faster.
            let told = tokio::time::timeout(millis(5000), progress.look(millis(5000), Box::pin(look)));
            assert_eq!(told.await.unwrap().finding, Finding::bad(kind, reason));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn phases_add_up_and_begin_again() {
        let progress = Progress::default();
        for (stage, took) in [
            (Stage::Naming, 1),
            (Stage::Connecting, 2),
            (Stage::Tunnel, 3),
            (Stage::Handshake, 4),
        ] {
            progress.during(stage, sleep(millis(took))).await;
        }
        progress.first_byte(millis(9));
        let phases = Phases {
            dns: Some(millis(1)),
            connect: Some(millis(5)),
            tls: Some(millis(4)),
            first_byte: Some(millis(9)),
        };
        assert_eq!(progress.phases(), phases);
        progress.again(None);
        let dns = phases.dns;
        assert_eq!(
            progress.phases(),
            Phases {
                dns,
                ..Phases::default()
            }
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_proxy_that_hangs_is_the_reason() {
        let progress = Progress::default();
        progress.through("proxy:3128".to_owned());
        progress.goes_on(Stage::Tunnel);
        let hung = progress.hung(millis(300));
        assert_eq!(
            (hung.kind, hung.reason.as_str()),
            (
                FaultKind::Proxy,
                "the proxy `proxy:3128` did not let the request through within 300ms"
            )
        );
        progress.goes_on(Stage::Asked);
        assert_eq!(progress.hung(millis(300)).kind, FaultKind::Slow);
    }
}
