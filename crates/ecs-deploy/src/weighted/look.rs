//! One look at everything that a shift is decided on.

use std::time::Duration;

use tokio::time::timeout;

use crate::actions::traffic;
use crate::api::Refused;
use crate::api::services::Described;
use crate::observed::TargetHealth;
use crate::place::Place;
use crate::shift::{Facts, GateSays, Health, Lock, Rollout, Rule, Side, Weights};
use crate::state::{State, TAG, UNDONE};

use super::drive::Drive;
use super::new_side::{under_way, words};
use super::sides::weights;

/// How long a look may take for what is not the rule, where there is no time.
const HURRY: Duration = Duration::from_millis(700);

impl Drive<'_> {
    /// Looks at the rule, both services, their targets and the tag.
    ///
    /// # Errors
    /// Why it can't be looked at.
    pub(super) async fn look(&mut self) -> Result<Facts, String> {
        self.locks = false;
        // What was seen last must do then: the one call that counts does not wait for the rest.
        let presses = self.last.is_some() && self.presses();
        let (rule, around) = if presses {
            let time = if self.hurries {
                HURRY
            } else {
                self.plan.limits.poll
            };
            tokio::join!(self.rule(), async {
                timeout(time, Box::pin(self.around())).await.ok()
            })
        } else {
            tokio::join!(self.rule(), async { Some(Box::pin(self.around()).await) })
        };
        let (rule, seen) = rule?;
        self.seen = seen;
        let is_fresh = matches!(around, Some(Ok(_)));
        let (sides, tag) = match (around, self.last.clone()) {
            (Some(Ok(around)), _) => {
                let sides = self.sides_of(&around).await;
                (sides, around.tag)
            }
            (None | Some(Err(_)), Some(last)) if presses => {
                (last, Tag::Read(self.held.state.clone(), self.held.mark.clone()))
            }
            (Some(Err(why)), _) => return Err(why),
            (None, _) => return Err("no answer".to_owned()),
        };
        // Who is undone may be live, and move on.
        if let Tag::Read(Some(state), _) = &tag
            && let Some(noted) = self.held.noted(state)
        {
            self.state = self.state.clone().may_show(noted);
        }
        self.last = Some(sides.clone());
        let [old, new] = sides;
        let (lock, rule) = match tag {
            Tag::Read(state, mark) => match self.held.look(state, mark) {
                Ok(lock) => {
                    self.locks = is_fresh && lock == Lock::Ours;
                    (lock, rule)
                }
                Err(taken) => (Lock::Free, Rule::Foreign(taken)),
            },
            Tag::Odd(why) => {
                self.held.lost();
                (Lock::Free, Rule::Foreign(why))
            }
        };
        Ok(Facts {
            rule,
            old,
            new,
            lock,
            gate: self.asked.so_far(),
        })
    }

    /// Whether traffic goes back, or is to: then the rule alone is enough.
    fn presses(&self) -> bool {
        let gate = self.asked.so_far().map(|(_, says)| says);
        let says_no = matches!(gate, Some(GateSays::Fail(_) | GateSays::Inconclusive(_)));
        self.hurries || self.blind || self.state.moves_back() || says_no
    }

    /// The rule, and what weights are in it, whoever wrote it.
    async fn rule(&self) -> Result<(Rule, Option<Weights>), String> {
        let read = self.sides.place.api.rule(&self.sides.rule).await;
        let Some(rule) = read.map_err(|refused| refused.to_string())? else {
            return Ok((Rule::Foreign("the rule is gone".to_owned()), None));
        };
        let actions = rule.actions();
        let found = traffic(&actions, self.found.groups()).ok();
        Ok((
            self.found.seen(&actions),
            found.map(|found| weights(found.weights)),
        ))
    }

    async fn around(&self) -> Result<Around, String> {
        let (old, new) = (&self.sides.old, &self.sides.new);
        let groups = self.found.groups();
        let api = &self.sides.place.api;
        let (old_service, new_service, old_health, new_health, tags) = tokio::join!(
            api.service(&old.place.service),
            api.service(&new.place.service),
            api.target_health(&groups.old),
            api.target_health(&groups.new),
            api.tags(&old.described.arn),
        );
        let text = |refused: Refused| refused.to_string();
        let tags = tags.map_err(text)?;
        let mark = tags.get(UNDONE).cloned();
        let tag = match tags.get(TAG).map(|value| value.parse::<State>()) {
            None => Tag::Read(None, mark),
            Some(Ok(state)) => Tag::Read(Some(state), mark),
            Some(Err(error)) => Tag::Odd(error.to_string()),
        };
        Ok(Around {
            old: old_service.map_err(text)?,
            new: new_service.map_err(text)?,
            old_health: health(old_health, &old.place)?,
            new_health: health(new_health, &new.place)?,
            tag,
        })
    }

    async fn sides_of(&mut self, around: &Around) -> [Side; 2] {
        let known = self
            .sides
            .old
            .described
            .service
            .primary()
            .map(|primary| &primary.id);
        let old = around.old.as_ref().map_or_else(gone, |described| {
            let service = &described.service;
            let primary = service.primary();
            let foreign = primary.and_then(|primary| {
                let theirs = Some(&primary.id) != known;
                if theirs {
                    Some(words(primary))
                } else {
                    under_way(primary)
                }
            });
            Side {
                desired: service.desired,
                running: service.running,
                rollout: Rollout::Ready,
                foreign: foreign.map(|foreign| format!("{foreign} on `{}`", service.name)),
                health: around.old_health.clone(),
            }
        });
        let new = match &around.new {
            None => gone(),
            Some(described) => {
                let service = &described.service;
                let (rollout, foreign) = match &self.last {
                    Some([_, last]) if self.hurries => (last.rollout.clone(), last.foreign.clone()),
                    _ => self.new.see(service).await,
                };
                Side {
                    desired: service.desired,
                    running: self.new.running(service),
                    rollout,
                    foreign: foreign.map(|foreign| format!("{foreign} on `{}`", service.name)),
                    health: around.new_health.clone(),
                }
            }
        };
        [old, new]
    }
}

/// What is around the rule.
struct Around {
    old: Option<Described>,
    new: Option<Described>,
    old_health: Option<Health>,
    new_health: Option<Health>,
    tag: Tag,
}

/// The tag on the old side.
enum Tag {
    /// With what the tag beside it says that was undone.
    Read(Option<State>, Option<String>),
    /// It is not what this version writes.
    Odd(String),
}

/// Health is for reasons and for care: who may not read it deploys by what ECS says of the tasks.
fn health(read: Result<Vec<TargetHealth>, Refused>, place: &Place<'_>) -> Result<Option<Health>, String> {
    match read {
        Ok(targets) => Ok(Some(Health::of(&targets))),
        Err(refused) if refused.is_access() => {
            place
                .runner
                .quiet_progress(&format!("targets are not looked at: {refused}"));
            Ok(None)
        }
        Err(refused) => Err(refused.to_string()),
    }
}

fn gone() -> Side {
    Side {
        desired: 0,
        running: 0,
        rollout: Rollout::None,
        foreign: Some("the service is gone".to_owned()),
        health: None,
    }
}
