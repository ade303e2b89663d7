//! Shifts in a small world that obeys, loses writes, and changes by itself, on virtual time.

use super::*;

mod any_world;
mod interrupted;
mod stories;

const BEFORE: Weights = Weights { old: 100, new: 0 };
const TASKS: u32 = 3;

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn rung(new: u16, hold: u64) -> Rung {
    Rung {
        weights: Weights { old: 100 - new, new },
        hold: secs(hold),
    }
}

fn plan() -> Plan {
    Plan {
        before: BEFORE,
        rungs: vec![rung(10, 300), rung(50, 300), rung(100, 0)],
        gate_before: true,
        gate_during: true,
        until: None,
        keep: secs(600),
        retire: true,
        limits: Limits {
            poll: secs(5),
            warm_up: secs(300),
            timeout: secs(2400),
            api_grace: secs(300),
            lock_lasts: secs(7200),
            tries: 3,
        },
    }
}

fn side(tasks: u32, rollout: Rollout) -> Side {
    Side {
        desired: tasks,
        running: tasks,
        rollout,
        foreign: None,
        health: Some(Health {
            healthy: tasks,
            trouble: None,
        }),
    }
}

/// What happens by itself at a second.
#[derive(Clone, Debug)]
enum Event {
    /// Someone writes the rule.
    Rule(Rule),
    /// No target of the new side is healthy any more.
    NewDies,
    /// No target of the old side is healthy any more.
    OldDies,
    /// Someone deploys to the old side.
    Deploys,
    /// Rule and services can't be read until this second.
    Silent(u64),
    /// The next writes, so many, are not carried out.
    Loses(u32),
    /// A signal.
    Cancel,
}

/// How the gates are.
#[derive(Clone, Debug)]
struct Gates {
    /// The gate that is not a pass, and what it says.
    bad: Option<(Gate, GateSays)>,
}

struct World {
    facts: Facts,
    /// When the new side is healthy, after it was prepared.
    warm: u64,
    prepared: Option<Duration>,
    gates: Gates,
    /// When which gate was asked.
    asked: Option<(Gate, Duration)>,
    silent_until: Duration,
    loses: u32,
    writes: Vec<Weights>,
    /// Each decision but waits, once in a row.
    story: Vec<String>,
}

fn world() -> World {
    World {
        facts: Facts {
            rule: Rule::Weights(BEFORE),
            old: side(TASKS, Rollout::Ready),
            new: side(0, Rollout::None),
            lock: Lock::Free,
            gate: None,
        },
        warm: 60,
        prepared: None,
        gates: Gates { bad: None },
        asked: None,
        silent_until: Duration::ZERO,
        loses: 0,
        writes: Vec::new(),
        story: Vec::new(),
    }
}

impl World {
    fn weights(&self) -> Option<Weights> {
        match &self.facts.rule {
            Rule::Weights(weights) => Some(*weights),
            Rule::Foreign(_) => None,
        }
    }

    /// Runs from `state` to the end. `events` are in order of time.
    fn play(&mut self, mut state: State, events: &[(u64, Event)]) -> (Decision, Duration, State) {
        let mut now = Duration::ZERO;
        let mut events = events.iter().peekable();
        let mut foreign = false;
        loop {
            assert!(now < secs(6 * 3600), "it never ends: {:?}", self.story);
            while let Some((_, event)) = events.next_if(|(at, _)| secs(*at) <= now) {
                match event {
                    Event::Rule(rule) => {
                        foreign |= *rule != self.facts.rule;
                        self.facts.rule = rule.clone();
                    }
                    Event::NewDies => self.warm = u64::MAX / 2,
                    Event::OldDies => {
                        self.facts.old.health = Some(Health {
                            healthy: 0,
                            trouble: None,
                        });
                    }
                    Event::Deploys => self.facts.old.foreign = Some("deployment `ecs-svc/9`".to_owned()),
                    Event::Silent(until) => self.silent_until = secs(*until),
                    Event::Loses(writes) => self.loses = *writes,
                    Event::Cancel => {
                        let cause = Cause {
                            why: Why::Cancelled,
                            reason: "SIGINT".to_owned(),
                        };
                        state = state.turned_back(cause, now);
                    }
                }
            }
            self.live(now);
            let look = if now < self.silent_until {
                Look::Unreadable("rate exceeded")
            } else {
                Look::Facts(&self.facts)
            };
            let (next, decision) = state.next(look, now);
            state = next;
            let told = format!("{decision:?}");
            let word = told.split([' ', '{']).next().unwrap().to_owned();
            if word != "Wait" && self.story.last() != Some(&word) {
                self.story.push(word);
            }
            match self.obey(&decision, now, foreign) {
                Some(wait) => now += wait,
                None => return (decision, now, state),
            }
        }
    }

    /// Time passes.
    fn live(&mut self, now: Duration) {
        let warm = self.prepared.is_some_and(|at| now >= at + secs(self.warm));
        let tasks = if warm { self.facts.new.desired } else { 0 };
        self.facts.new.running = tasks;
        self.facts.new.health = Some(Health {
            healthy: tasks,
            trouble: None,
        });
        if self.prepared.is_some() {
            self.facts.new.rollout = if warm { Rollout::Ready } else { Rollout::Running };
        }
        self.facts.gate = self.asked.map(|(gate, at)| match &self.gates.bad {
            Some((bad, says)) if *bad == gate && now >= at + secs(60) => (gate, says.clone()),
            _ if now >= at + secs(300) => (gate, GateSays::Pass),
            _ => (gate, GateSays::Running),
        });
    }

    fn ask(&mut self, gate: Gate, now: Duration) {
        if self.asked.is_none_or(|(asked, _)| asked != gate) {
            self.asked = Some((gate, now));
        }
    }

    /// Carries out a decision, and says how long until the next look; `None` at the end.
    fn obey(&mut self, decision: &Decision, now: Duration, foreign: bool) -> Option<Duration> {
        let lost = |world: &mut Self| {
            let lost = world.loses > 0;
            world.loses = world.loses.saturating_sub(1);
            lost
        };
        match decision {
            Decision::Wait { next } => return Some((*next).max(Duration::from_millis(200))),
            Decision::AskGate { gate, next } => {
                self.ask(*gate, now);
                return Some(*next);
            }
            Decision::Hold { gate, next, .. } => {
                if let Some(gate) = gate {
                    self.ask(*gate, now);
                }
                return Some(*next);
            }
            Decision::Keep { next, .. } => return Some(*next),
            Decision::Claim if !lost(self) => self.facts.lock = Lock::Ours,
            Decision::Prepare { tasks } if !lost(self) => {
                self.facts.new.desired = *tasks;
                self.prepared = Some(now);
            }
            Decision::Write { weights, expected } => {
                assert!(!foreign, "a foreign change was overwritten: {:?}", self.story);
                assert_eq!(
                    self.weights(),
                    Some(*expected),
                    "what was compared is what is there"
                );
                assert_eq!(self.facts.lock, Lock::Ours, "the tag comes first");
                self.writes.push(*weights);
                if !lost(self) {
                    self.facts.rule = Rule::Weights(*weights);
                }
            }
            Decision::RetireOld if !lost(self) => {
                assert_eq!(
                    self.weights().map(|weights| weights.old),
                    Some(0),
                    "what serves is never retired"
                );
                self.facts.old = side(0, Rollout::Ready);
            }
            Decision::RetireNew { tasks } if !lost(self) => {
                assert_eq!(
                    self.weights().map(|weights| weights.new),
                    Some(0),
                    "what serves is never retired"
                );
                self.facts.new.desired = *tasks;
            }
            Decision::Release if !lost(self) => self.facts.lock = Lock::Free,
            Decision::Grow(tasks) if !lost(self) => self.facts.new.desired = *tasks,
            Decision::Claim
            | Decision::Grow(_)
            | Decision::Prepare { .. }
            | Decision::RetireOld
            | Decision::RetireNew { .. }
            | Decision::Release => {}
            _ => return None,
        }
        Some(Duration::from_millis(200))
    }
}

fn weights(new: u16) -> Weights {
    Weights { old: 100 - new, new }
}

fn play(world: &mut World, events: &[(u64, Event)]) -> (Decision, Duration) {
    let (end, at, _) = world.play(State::new(plan(), Duration::ZERO), events);
    (end, at)
}

fn cause(end: &Decision) -> &Cause {
    match end {
        Decision::RolledBack { cause, .. } => cause,
        other => panic!("{other:?}"),
    }
}
