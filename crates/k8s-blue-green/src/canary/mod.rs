//! Canaries: a part of the traffic goes to the new version, step by step, before it gets all. What one is, as values; the objects
//! that divide the traffic are written by [`division`], and given back by [`undo`].
//!
//! The order keeps every request answered: the canary's Service is there and leads to ready pods before a route leads to it, with
//! the weight 0; weights rise; at the end the main Service takes the new version over while all requests of the route still go to
//! the canary's, and only then the route leads to the main Service again. On the way back weights go first.

use gha::steps::{Step, Steps, Weight};

use crate::cli::{Deploy, Strategy};
use crate::color;
use crate::error::Error;
use crate::route::{Divider, Header, Route, RouteError, Sides, pods};
use crate::state::Canary;

pub mod division;
pub mod mesh;
pub mod undo;

/// The steps where none are asked for.
pub const STEPS: &str = "10% 5m, 50% 5m, 100%";

/// A canary, as a state keeps it.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What divides the traffic; nothing where pods do.
    pub routes: Vec<Route>,
    /// The header whose requests always reach the canary.
    pub header: Option<Header>,
    /// The steps.
    pub steps: Steps,
    /// The weight that it has.
    pub weight: Option<Weight>,
    /// The canary's Service.
    service: String,
}

/// The canary that flags ask for; nothing where the strategy has none.
///
/// # Errors
/// When flags do not fit each other.
pub fn asked(flags: &Deploy) -> Result<Option<Canary>, Error> {
    let refuse = |flag, reason: &str| {
        Err(Error::Flag {
            flag,
            reason: reason.to_owned(),
        })
    };
    let canary = &flags.canary;
    if flags.strategy != Strategy::Canary {
        let given = [
            ("route", !canary.route.is_empty()),
            ("steps", canary.steps.is_some()),
            ("header", canary.header.is_some()),
        ];
        return match given.iter().find(|(_, given)| *given) {
            Some((flag, _)) => refuse(flag, "it is for `--strategy canary`"),
            None => Ok(None),
        };
    }
    let [service] = &flags.target.service[..] else {
        return refuse(
            "service",
            "a canary is of one Service; deploy the others by a step each",
        );
    };
    let steps = canary.steps.clone().map_or_else(|| STEPS.parse(), Ok);
    let steps: Steps = steps.map_err(|error| Error::Flag {
        flag: "steps",
        reason: gha::failure::chain(&error),
    })?;
    let by_pods = canary.route.contains(&Divider::Pods);
    match &canary.route[..] {
        [] => {
            return refuse(
                "route",
                "name what divides the traffic: `httproute/NAME`, `grpcroute/NAME`, `virtualservice/NAME`, `ingress/NAME`, or \
                 `pods` for an approximation by their number",
            );
        }
        [Divider::Pods] | [Divider::Route(_), ..] if !by_pods || canary.route.len() == 1 => {}
        _ => {
            return refuse(
                "route",
                "`pods` divides what no route does, so that it stands alone",
            );
        }
    }
    if by_pods && canary.header.is_some() {
        return refuse("header", "pods can't tell requests apart; it needs a route");
    }
    let last = steps.as_slice().last();
    if by_pods && last.is_some_and(|last| last.hold.is_some()) {
        return refuse(
            "steps",
            "with `pods` the last step is the switch itself; say with `--soak` how long it is watched",
        );
    }
    Ok(Some(Canary {
        routes: canary.route.iter().map(ToString::to_string).collect(),
        service: if by_pods {
            String::new()
        } else {
            color::canary(service)
        },
        header: canary.header.as_ref().map(ToString::to_string),
        steps: steps.to_string(),
        weight: None,
        waits: false,
    }))
}

/// Checks that the canary that flags ask for can wait with a weight.
///
/// # Errors
/// When there is none, or it has no such step.
pub fn waits_at(flags: &Deploy, weight: Weight) -> Result<(), Error> {
    let refuse = |reason: String| {
        Err(Error::Flag {
            flag: "until",
            reason,
        })
    };
    let Some(canary) = asked(flags)? else {
        return refuse(format!(
            "there are no steps here, so that nothing has {weight}; write `preview`, or deploy with `--strategy canary`"
        ));
    };
    let plan = Plan::of(&canary)?;
    if plan.by_pods() && weight == Weight::FULL {
        return refuse("with `--route pods` all of the traffic is the switch itself".to_owned());
    }
    match plan.steps.until(weight) {
        Ok(_) => Ok(()),
        Err(error) => refuse(error.to_string()),
    }
}

impl Plan {
    /// What a state says.
    ///
    /// # Errors
    /// When it is damaged.
    pub fn of(canary: &Canary) -> Result<Self, Error> {
        let damaged =
            |what: String| Error::unfit(format!("the canary of the deploy's state can't be read: {what}"));
        let mut routes = Vec::new();
        for route in &canary.routes {
            match route
                .parse()
                .map_err(|error: RouteError| damaged(error.to_string()))?
            {
                Divider::Route(route) => routes.push(route),
                Divider::Pods => {}
            }
        }
        let header = canary.header.as_deref().map(str::parse).transpose();
        let weight = canary.weight.as_deref().map(str::parse).transpose();
        Ok(Self {
            routes,
            header: header.map_err(|error: RouteError| damaged(error.to_string()))?,
            steps: canary
                .steps
                .parse()
                .map_err(|error| damaged(format!("{error}")))?,
            weight: weight.map_err(|error: gha::steps::StepsError| damaged(error.to_string()))?,
            service: canary.service.clone(),
        })
    }

    /// Whether the number of pods divides the traffic.
    #[must_use]
    pub fn by_pods(&self) -> bool {
        self.routes.is_empty()
    }

    /// The two versions, by what routes call them.
    #[must_use]
    pub fn sides(&self, service: &str, namespace: &str) -> Sides {
        Sides {
            namespace: namespace.to_owned(),
            stable: service.to_owned(),
            canary: self.service.clone(),
        }
    }

    /// The steps that are still to come.
    ///
    /// # Errors
    /// When the weight that it has is none of its steps.
    pub fn rest(&self) -> Result<&[Step], Error> {
        match self.weight {
            None => Ok(self.steps.as_slice()),
            Some(weight) => self
                .steps
                .after(weight)
                .map_err(|error| Error::unfit(error.to_string())),
        }
    }

    /// How many pods the new version needs for a share, beside `old` of the version that has the rest; `full` is what it needs for
    /// all.
    ///
    /// # Errors
    /// When pods can't come near it.
    pub fn pods(&self, share: Weight, old: u64, full: u64) -> Result<u64, Error> {
        if share == Weight::FULL {
            return Ok(full);
        }
        if self.by_pods() {
            let old = u32::try_from(old).unwrap_or(u32::MAX);
            let nearest = pods::nearest(share, old).map_err(|error| Error::Flag {
                flag: "steps",
                reason: error.to_string(),
            })?;
            return Ok(u64::from(nearest.canary));
        }
        Ok((full * u64::from(share.tenths())).div_ceil(1000).max(1))
    }

    /// Checks that pods can come near each step.
    ///
    /// # Errors
    /// When they can't, or two steps are the same number of them.
    pub fn fits(&self, old: u64) -> Result<(), Error> {
        if !self.by_pods() {
            return Ok(());
        }
        let old = u32::try_from(old).unwrap_or(u32::MAX);
        pods::nearest_of(self.steps.as_slice(), old).map_err(|error| Error::Flag {
            flag: "steps",
            reason: error.to_string(),
        })?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canary(route: &str, steps: &str) -> Plan {
        Plan::of(&Canary {
            routes: vec![route.to_owned()],
            service: "web-canary".to_owned(),
            header: None,
            steps: steps.to_owned(),
            weight: None,
            waits: false,
        })
        .unwrap()
    }

    #[test]
    fn a_share_needs_its_share_of_pods_and_at_least_one() {
        let plan = canary("httproute/web", STEPS);
        let pods = |share: &str| plan.pods(share.parse().unwrap(), 10, 10).unwrap();
        assert_eq!(["0.1%", "10%", "11%", "50%", "100%"].map(pods), [1, 1, 2, 5, 10]);
        let plan = canary("pods", "20% 1m, 50% 1m, 100%");
        let pods = |share: &str| plan.pods(share.parse().unwrap(), 4, 6).unwrap();
        assert_eq!(["20%", "50%", "100%"].map(pods), [1, 4, 6]);
        assert!(plan.fits(4).is_ok());
        assert!(plan.fits(1).is_err());
    }

    #[test]
    fn the_rest_begins_behind_the_weight_that_it_has() {
        let mut plan = canary("httproute/web", STEPS);
        assert_eq!(plan.rest().unwrap().len(), 3);
        plan.weight = Some("50%".parse().unwrap());
        assert_eq!(plan.rest().unwrap().len(), 1);
        plan.weight = Some("51%".parse().unwrap());
        assert!(plan.rest().is_err());
    }
}
