//! The gate that runs beside the looks.

use std::fmt;
use std::future::pending;
use std::pin::Pin;
use std::time::Duration;

use gha::Failure;

use crate::gates::told::Told;
use crate::gates::{Candidate, Gates};
use crate::place::Place;
use crate::shift::{Gate, GateSays, Plan};

/// A plan with its gates: what waits for something is asked before the first step, and what watches does so during each step
/// that lasts.
///
/// # Errors
/// When a gate can't judge in the time of a step.
pub(crate) fn judged(plan: Plan, gates: &Gates, place: &Place<'_>) -> Result<Plan, Failure> {
    let lasting = plan.rungs.iter().map(|rung| rung.hold);
    for hold in lasting.filter(|hold| !hold.is_zero()) {
        gates.fits(hold, place)?;
    }
    Ok(Plan {
        gate_before: gates.waits(place),
        gate_during: gates.watches(place),
        ..plan
    })
}

type Running<'a> = Pin<Box<dyn Future<Output = GateSays> + 'a>>;

/// What was asked, and what it says.
pub(crate) struct Asked<'a> {
    gates: &'a Gates,
    place: &'a Place<'a>,
    gate: Option<Gate>,
    says: Option<GateSays>,
    running: Option<Running<'a>>,
}

impl<'a> Asked<'a> {
    pub(crate) fn new(gates: &'a Gates, place: &'a Place<'a>) -> Self {
        Self {
            gates,
            place,
            gate: None,
            says: None,
            running: None,
        }
    }

    /// Asks a gate about a version, once. `hold` is how long its step lasts; without one only that is asked which must be
    /// ready before there is traffic.
    pub(crate) fn ask(&mut self, gate: Gate, hold: Option<Duration>, candidate: &Candidate<'_>) {
        if self.gate == Some(gate) {
            return;
        }
        let (gates, place) = (self.gates, self.place);
        gates.about(candidate, place);
        self.begin(
            gate,
            Box::pin(async move {
                match hold {
                    Some(hold) => gates.run(place, Some(hold)).await,
                    None => gates.ready(place).await,
                }
            }),
        );
    }

    fn begin(&mut self, gate: Gate, running: Running<'a>) {
        self.gate = Some(gate);
        self.says = None;
        self.running = Some(running);
    }

    /// What the gates came to that have ended.
    pub(crate) fn told(&self) -> Vec<Told> {
        self.gates.told()
    }

    /// Ends what runs.
    pub(crate) fn nothing(&mut self) {
        self.gate = None;
        self.says = None;
        self.running = None;
    }

    /// Waits until the gate says something; for ever where none runs.
    pub(crate) async fn says(&mut self) {
        let Some(running) = &mut self.running else {
            return pending().await;
        };
        self.says = Some(running.await);
        self.running = None;
    }

    /// The gate that was asked last, and what it says so far.
    pub(crate) fn so_far(&self) -> Option<(Gate, GateSays)> {
        let says = self.says.clone().unwrap_or(GateSays::Running);
        self.gate.map(|gate| (gate, says))
    }
}

impl fmt::Debug for Asked<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Asked")
            .field("gate", &self.gate)
            .field("says", &self.says)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use aws::config::SdkConfig;
    use tokio::time::{sleep, timeout};

    use super::*;
    use crate::api::Api;
    use crate::cli::INTERFACE;
    use crate::task_definition::TaskDefinition;

    #[tokio::test(start_paused = true)]
    async fn a_gate_says_something_once() {
        let (runner, _) = gha::edge::testing::runner_of(INTERFACE, &[]);
        let latest = aws_config::BehaviorVersion::v2026_01_12();
        let config = SdkConfig::builder().behavior_version(latest).build();
        let flags = crate::cli::Place {
            cluster: "prod".to_owned(),
            service: Some("web".to_owned()),
            region: None,
            role_arn: None,
            endpoint_url: None,
            environment: None,
        };
        let place = Place::with(Api::new(&config, "prod"), &flags, &runner);
        let gates = Gates::none(&place);
        let mut asked = Asked::new(&gates, &place);
        assert_eq!(asked.so_far(), None);
        let minute = Duration::from_secs(60);
        let definition =
            TaskDefinition::from_file(br#"{"family": "web", "containerDefinitions": []}"#).unwrap();
        let candidate = Candidate {
            revision: "web:2",
            definition: &definition,
            deployment: "ecs-svc/2",
        };
        asked.begin(
            Gate::Before,
            Box::pin(async move {
                sleep(minute).await;
                GateSays::Pass
            }),
        );
        // A look in between does not end it.
        assert!(timeout(minute / 2, asked.says()).await.is_err());
        asked.ask(Gate::Before, None, &candidate);
        assert_eq!(asked.so_far(), Some((Gate::Before, GateSays::Running)));
        assert!(timeout(minute, asked.says()).await.is_ok());
        assert_eq!(asked.so_far(), Some((Gate::Before, GateSays::Pass)));
        assert!(
            timeout(minute, asked.says()).await.is_err(),
            "nothing runs any more"
        );
        asked.ask(Gate::During(0), Some(minute), &candidate);
        assert_eq!(asked.so_far(), Some((Gate::During(0), GateSays::Running)));
        asked.nothing();
        assert_eq!(asked.so_far(), None);
    }
}
