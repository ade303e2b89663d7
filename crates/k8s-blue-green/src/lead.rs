//! A Service as this run knows it, and the one way in which it is changed: by a patch whose conditions are what was read, and one
//! whose answer was lost is looked for before it is sent again.

use std::time::Duration;

use gha::text;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::api::{Kind, Refused};
use crate::error::Error;
use crate::object::{self, Labels};
use crate::place::Place;
use crate::state::{Phase, State, StateError};
use crate::switch::{Expected, Shows};

/// From one try to the next.
const PAUSE: Duration = Duration::from_millis(500);

/// A Service.
#[derive(Clone, Debug)]
pub struct Lead {
    /// Its name.
    pub name: String,
    /// How it was when it was read or written last.
    pub object: Value,
}

impl Lead {
    /// The Service of that name.
    ///
    /// # Errors
    /// When it is not there, or can't be read.
    pub async fn read(name: &str, place: &Place<'_>) -> Result<Self, Error> {
        let kind = Kind::service();
        let found = place.api.get(&kind, &place.namespace, name).await;
        match found.map_err(Error::refused(format!("read Service `{}`", text::line(name))))? {
            Some(object) => Ok(Self {
                name: name.to_owned(),
                object,
            }),
            None => Err(Error::NoService {
                service: text::line(name),
                namespace: text::line(&place.namespace),
                close: close(name, place).await,
            }),
        }
    }

    /// What its annotation says of a deploy.
    ///
    /// # Errors
    /// When it can't be acted on.
    pub fn state(&self) -> Result<Option<State>, Error> {
        State::of(&self.object).map_err(|error: StateError| Error::State {
            service: self.name.clone(),
            error,
        })
    }

    /// Its selector.
    #[must_use]
    pub fn selector(&self) -> Labels {
        object::labels_at(&self.object, "/spec/selector")
    }

    /// Reads it again.
    ///
    /// # Errors
    /// When it is gone, or can't be read.
    pub async fn look(&mut self, place: &Place<'_>) -> Result<(), Error> {
        *self = Self::read(&self.name, place).await?;
        Ok(())
    }

    /// Whether it still selects what its state says; not without a state that can be read.
    #[must_use]
    pub fn is_as_left(&self) -> bool {
        let Ok(Some(state)) = self.state() else {
            return false;
        };
        let by_pods = state
            .canary
            .as_ref()
            .is_some_and(|canary| canary.service.is_empty());
        let now = self.selector();
        let both = || object::common(&state.old.selector, &state.new.selector);
        match state.phase {
            Phase::Canary if by_pods && now != state.old.selector => now == both(),
            Phase::Overlap => now == both(),
            _ => now == state.serving().selector,
        }
    }

    /// Whether it still is as this run wrote it, at a look.
    #[must_use]
    pub fn is_still(&self, seen: &Value) -> bool {
        let (known, now) = (Expected::of(&self.object), Expected::of(seen));
        (known.uid, known.selector, known.state) == (now.uid, now.selector, now.state)
    }

    /// Gives it a selector and a state, if it still is as this run knows it. What may pass is tried again for so long.
    ///
    /// # Errors
    /// When somebody else changed it, or it can't be written.
    pub async fn turn(
        &mut self,
        selector: &Labels,
        state: Option<&State>,
        patience: Duration,
        place: &Place<'_>,
    ) -> Result<(), Error> {
        let began = Instant::now();
        let mut expected = Expected::of(&self.object);
        loop {
            let refused = match self.send(&expected, selector, state, place).await {
                Ok(object) => {
                    self.object = object;
                    return Ok(());
                }
                Err(refused) => refused,
            };
            if !refused.unknown && !refused.is_condition() && !refused.may_pass() {
                return Err(Error::Refused {
                    what: format!("change Service `{}`", self.name),
                    refused,
                });
            }
            let now = match self.now(place).await {
                Ok(now) => now,
                Err(_) if began.elapsed() < patience => {
                    sleep(PAUSE).await;
                    continue;
                }
                Err(_) => {
                    return Err(Error::Unknown {
                        what: format!("Service `{}` was changed", self.name),
                        refused,
                    });
                }
            };
            match expected.shows(now.as_ref(), selector, state) {
                Shows::Done => {
                    self.object = now.unwrap_or_default();
                    return Ok(());
                }
                Shows::NotYet if began.elapsed() < patience => {
                    // What the condition need not have been about may have changed: the resource version.
                    self.object = now.unwrap_or_default();
                    expected = Expected::of(&self.object);
                    sleep(PAUSE).await;
                }
                Shows::NotYet => {
                    return Err(Error::Refused {
                        what: format!("change Service `{}`", self.name),
                        refused,
                    });
                }
                Shows::Foreign => {
                    return Err(Error::Foreign {
                        what: self.told(now.as_ref()),
                    });
                }
            }
        }
    }

    async fn send(
        &self,
        expected: &Expected,
        selector: &Labels,
        state: Option<&State>,
        place: &Place<'_>,
    ) -> Result<Value, Refused> {
        let patch = expected.patch(selector, state);
        let kind = Kind::service();
        place
            .api
            .patch(&kind, &place.namespace, &self.name, &patch, false)
            .await
    }

    async fn now(&self, place: &Place<'_>) -> Result<Option<Value>, Refused> {
        place
            .api
            .get(&Kind::service(), &place.namespace, &self.name)
            .await
    }

    /// How somebody else left it, in words.
    fn told(&self, now: Option<&Value>) -> String {
        let name = &self.name;
        let Some(now) = now else {
            return format!("Service `{name}` is gone: it");
        };
        let selector = text::line(&object::written(&object::labels_at(now, "/spec/selector")));
        let by = managers(now);
        let by = if by.is_empty() {
            String::new()
        } else {
            format!(", last written by {by}")
        };
        format!("Service `{name}` (it selects `{selector}` now{by})")
    }
}

/// Who wrote a selector, as the server keeps account of it
/// (<https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management>).
#[must_use]
pub fn managers(service: &Value) -> String {
    let entries = object::entries(service, "/metadata/managedFields").iter();
    let owners: Vec<String> = entries
        .filter(|entry| entry.pointer("/fieldsV1/f:spec/f:selector").is_some())
        .map(|entry| {
            format!(
                "`{}`",
                text::cut(&text::line(object::text(entry, "/manager")), 80)
            )
        })
        .collect();
    owners.join(" and ")
}

/// Services that there are, for a name that is none.
async fn close(name: &str, place: &Place<'_>) -> String {
    let listed = place
        .api
        .list(&Kind::service(), &place.namespace, &crate::api::Which::default())
        .await;
    let Ok(services) = listed else {
        return String::new();
    };
    let mut names: Vec<&str> = services.iter().map(object::name).collect();
    names.sort_by(|a, b| strsim::jaro_winkler(b, name).total_cmp(&strsim::jaro_winkler(a, name)));
    names.truncate(3);
    let shown: Vec<String> = names
        .iter()
        .map(|name| format!("`{}`", text::line(name)))
        .collect();
    match shown.len() {
        0 => "; there is none at all".to_owned(),
        _ => format!("; there is {}", shown.join(", ")),
    }
}
