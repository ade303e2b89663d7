//! The two services behind one rule: which of them serves, which is to get the new version, and what an earlier run left.
//!
//! The one that serves is read from the rule, or from the tag of a run that has not ended: that tag is on the service that
//! served before. A tag that only notes that stickiness is off says nothing of that: it can be on either.

use gha::{Exit, Failure, text};
use serde_json::Value;

use crate::actions::{self, Groups, Traffic};
use crate::api::services::Described;
use crate::cli;
use crate::error::Error;
use crate::pair::Pair;
use crate::place::Place;
use crate::shift::Weights;
use crate::state::{Stage, State, StateError, TAG, TRIED};
use crate::words::Strategy;

/// The two services.
pub(crate) struct Sides<'a> {
    /// Both, as one place, for messages and the ledger.
    pub(crate) place: Place<'a>,
    /// The one that serves, or served before a run that has not ended.
    pub(crate) old: One<'a>,
    /// The other one.
    pub(crate) new: One<'a>,
    /// The ARN of the rule.
    pub(crate) rule: String,
    /// Their target groups.
    pub(crate) groups: Groups,
    /// The actions of the rule.
    pub(crate) actions: Vec<Value>,
    /// The weights of the two sides.
    pub(crate) weights: Weights,
    /// For how many seconds clients stay with their target group, where that is on.
    pub(crate) sticky: Option<u32>,
    /// What an earlier run left on the old side.
    pub(crate) held: Option<State>,
    /// The note that an earlier run left on the new side: it is over, but for stickiness.
    pub(crate) note: Option<State>,
    /// The revision, by name, that a deploy brought to the new side and that never served; and what the same tag says that
    /// is on the new side, from when that one served.
    pub(crate) tried: [Option<String>; 2],
    flags: String,
}

/// One of the two.
pub(crate) struct One<'a> {
    /// Where it is.
    pub(crate) place: Place<'a>,
    /// What it is.
    pub(crate) described: Described,
}

impl<'a> Sides<'a> {
    /// Reads both services, the rule and their tags.
    pub(crate) async fn of(flags: &cli::Traffic, place: &Place<'a>) -> Result<Self, Failure> {
        let (sides, odd) = Box::pin(Self::seen(flags, place)).await?;
        match odd {
            None => Ok(sides),
            Some(odd) => Err(odd),
        }
    }

    /// The same for who only looks: with what is wrong with a tag, where it can't be read. The tag counts for nothing then.
    pub(crate) async fn seen(
        flags: &cli::Traffic,
        place: &Place<'a>,
    ) -> Result<(Self, Option<Failure>), Failure> {
        let name = |flag: &Option<String>| flag.clone().unwrap_or_default();
        let (blue, green) = (name(&flags.blue_service), name(&flags.green_service));
        if blue == green {
            return Err(wrong(
                "green-service",
                "it is the same service as `--blue-service`",
            ));
        }
        let (blue, green) = tokio::try_join!(one(place.beside(&blue)), one(place.beside(&green)))?;
        let rule = rule_arn(&name(&flags.traffic_rule), &blue.described.arn)?;
        let read = Error::refused("read the traffic rule");
        let found = place.api.rule(&rule).await.map_err(read)?;
        let short = short(&rule);
        let Some(found) = found else {
            return Err(wrong("traffic-rule", &format!("there is no rule `{short}`")));
        };
        let actions = found.actions();
        let ((blue_held, blue_tried), (green_held, green_tried)) =
            tokio::try_join!(held(&blue), held(&green))?;
        let mut odd = None;
        let mut read = |held: Held, side: &One<'_>| match held {
            Ok(state) => state,
            Err(error) => {
                odd.get_or_insert_with(|| odd_tag(&error, &side.place.service));
                None
            }
        };
        let (blue_held, green_held) = (read(blue_held, &blue), read(green_held, &green));
        let (groups, weights, sticky) = traffic(&actions, &blue, &green)?;
        let is_under_way = |held: &Option<State>| held.as_ref().is_some_and(is_under_way);
        let green_is_old = match (is_under_way(&blue_held), is_under_way(&green_held)) {
            (true, true) => {
                let both = "both services have the tag of a run, so which one served before is not known";
                return Err(Failure::new(Exit::Locked, both)
                    .help(format!("take the tag `{TAG}` off the one that did not serve")));
            }
            (true, false) => false,
            (false, true) => true,
            (false, false) => weights.old == 0 && weights.new > 0,
        };
        if weights.old == 0 && weights.new == 0 {
            let nothing = format!("the rule `{short}` gives both sides the weight 0");
            return Err(
                Failure::new(Exit::Locked, nothing).help("give one of the two target groups the weight 100")
            );
        }
        let cluster = place.cluster.rsplit('/').next().unwrap_or(&place.cluster);
        let (blue_name, green_name) = (&blue.place.service, &green.place.service);
        let flags = format!(
            "--cluster {cluster} --traffic-rule {short} --blue-service {blue_name} --green-service {green_name}"
        );
        let both = place.beside(&format!("{blue_name}+{green_name}"));
        let sides = Self {
            place: both,
            old: blue,
            new: green,
            rule,
            groups,
            actions,
            weights,
            sticky,
            held: blue_held,
            note: green_held,
            tried: [blue_tried, green_tried],
            flags,
        };
        Ok((if green_is_old { sides.turned() } else { sides }, odd))
    }

    fn turned(self) -> Self {
        Self {
            old: self.new,
            new: self.old,
            groups: Groups {
                old: self.groups.new,
                new: self.groups.old,
            },
            weights: Weights {
                old: self.weights.new,
                new: self.weights.old,
            },
            held: self.note,
            note: self.held,
            tried: {
                let [old, new] = self.tried;
                [new, old]
            },
            ..self
        }
    }

    /// What a run left that has not ended.
    pub(crate) fn under_way(&self) -> Option<&State> {
        self.held.as_ref().filter(|held| is_under_way(held))
    }

    /// What is to be acted on: what a run left that has not ended, else the latest note that one is over.
    pub(crate) fn left(&self) -> Option<&State> {
        let notes = self.held.iter().chain(&self.note);
        self.under_way().or(notes.max_by_key(|note| note.seen))
    }

    /// The flags that name the two, for a command line that goes on or undoes; no account's number is in them.
    pub(crate) fn flags(&self) -> &str {
        &self.flags
    }

    /// The side that has all traffic, or the greater share.
    pub(crate) fn live(&self) -> &One<'a> {
        if self.weights.new > self.weights.old {
            &self.new
        } else {
            &self.old
        }
    }

    /// Whether both sides get traffic.
    pub(crate) fn is_split(&self) -> bool {
        self.weights.old > 0 && self.weights.new > 0
    }
}

async fn one(place: Place<'_>) -> Result<One<'_>, Failure> {
    let described = place.described().await?;
    if described.service.strategy != Strategy::Rolling {
        return Err(Error::Strategy {
            service: place.service.clone(),
            strategy: text::line(described.service.strategy.word()),
        }
        .into());
    }
    Ok(One { place, described })
}

fn is_under_way(state: &State) -> bool {
    state.stage != Some(Stage::Over)
}

/// What an earlier run left on a service, or why that is not known.
type Held = Result<Option<State>, StateError>;

/// The same, and the revision that it tried.
async fn held(side: &One<'_>) -> Result<(Held, Option<String>), Failure> {
    let service = &side.place.service;
    let asked = side.place.api.tags(&side.described.arn).await;
    let tags = asked.map_err(Error::refused(format!("read the tags of service `{service}`")))?;
    let held = tags.get(TAG).map(|value| value.parse()).transpose();
    Ok((held, tags.get(TRIED).cloned()))
}

fn odd_tag(error: &StateError, service: &str) -> Failure {
    Failure::new(Exit::Locked, format!("service `{service}`: {error}")).help(format!(
        "where no run is under way and the weights are right, take the tag `{TAG}` off the service"
    ))
}

/// The target groups of the two that the rule leads to, and their weights, blue first.
fn traffic(
    actions: &[Value],
    blue: &One<'_>,
    green: &One<'_>,
) -> Result<(Groups, Weights, Option<u32>), Failure> {
    let groups = |side: &One<'_>| -> Vec<String> {
        let balancers = side.described.service.load_balancers.iter();
        balancers
            .filter_map(|balancer| balancer.target_group.clone())
            .collect()
    };
    let (mut why, mut found) = (None, Vec::new());
    for old in groups(blue) {
        for new in groups(green) {
            let groups = Groups {
                old: old.clone(),
                new,
            };
            match actions::traffic(actions, &groups) {
                Ok(traffic) => found.push((groups, traffic)),
                Err(error) => why = why.or(Some(error.to_string())),
            }
        }
    }
    // A group that the rule does not name has no weight, whichever of the service's groups it is.
    let names_both = |(groups, _): &(Groups, Traffic)| {
        let named = actions::named(actions);
        [&groups.old, &groups.new]
            .into_iter()
            .all(|group| named.contains(group))
    };
    if found.iter().any(names_both) {
        found.retain(names_both);
    }
    if let [(one, _), (other, _), ..] = &found[..] {
        let pairs = [one, other].map(|groups| format!("{} and {}", group(&groups.old), group(&groups.new)));
        let why = format!(
            "which target groups it weighs is not clear: {}, or {}; name one of each service in the rule",
            pairs[0], pairs[1]
        );
        return Err(wrong("traffic-rule", &why));
    }
    let found = found.pop();
    let found = found.map(|(groups, traffic)| (groups, weights(traffic.weights), traffic.sticky));
    let none = || "one of the services has no target group".to_owned();
    found.ok_or_else(|| wrong("traffic-rule", &why.unwrap_or_else(none)))
}

fn group(arn: &str) -> String {
    format!("`{}`", actions::name(arn))
}

/// The ARN of the rule; a short form gets the rest from the service's.
fn rule_arn(flag: &str, service: &str) -> Result<String, Failure> {
    if flag.starts_with("arn:") {
        return Ok(flag.to_owned());
    }
    let parts: Vec<&str> = service.split(':').collect();
    match parts[..] {
        [_, partition, _, region, account, ..]
            if flag.starts_with("listener-rule/") || flag.starts_with("listener/") =>
        {
            Ok(format!(
                "arn:{partition}:elasticloadbalancing:{region}:{account}:{flag}"
            ))
        }
        _ => {
            let flag = text::line(&text::cut(flag, 200));
            Err(wrong(
                "traffic-rule",
                &format!("`{flag}` is no ARN of a rule, nor its end from `listener-rule/` on"),
            ))
        }
    }
}

/// The end of the rule's ARN, without the account.
fn short(arn: &str) -> String {
    let end = arn.splitn(6, ':').nth(5).unwrap_or(arn);
    text::line(&text::cut(end, 200))
}

fn wrong(flag: &'static str, reason: &str) -> Failure {
    let reason = reason.to_owned();
    Error::Flag { flag, reason }.into()
}

/// As the machine has them.
pub(crate) fn weights(pair: Pair) -> Weights {
    Weights {
        old: pair.old,
        new: pair.new,
    }
}

/// As the rule and the tag have them.
pub(crate) fn pair(weights: Weights) -> Pair {
    Pair {
        old: weights.old,
        new: weights.new,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_rule_gets_the_rest_from_the_service() {
        let service = "arn:aws-cn:ecs:cn-north-1:123456789012:service/prod/web";
        let rule = "listener-rule/app/shop/1/2/3";
        let arn = "arn:aws-cn:elasticloadbalancing:cn-north-1:123456789012:listener-rule/app/shop/1/2/3";
        assert_eq!(rule_arn(rule, service).unwrap(), arn);
        assert_eq!(rule_arn(arn, "").unwrap(), arn);
        assert_eq!(short(arn), rule);
        for wrong in ["app/shop/1/2/3", "", "shop\u{1b}"] {
            let failure = rule_arn(wrong, service).unwrap_err();
            assert_eq!(failure.exit, Exit::Usage);
            assert!(!failure.error.to_string().contains('\u{1b}'));
        }
    }
}
