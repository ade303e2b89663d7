//! Why a route can't be divided.

use gha::steps::Weight;

use super::ORIGINAL;

/// Why a route can't be divided.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum RouteError {
    /// Not a route.
    #[error(
        "`{0}` is no route; write `httproute/NAME`, `grpcroute/NAME`, `virtualservice/NAME`, `ingress/NAME` or `pods`; rules of the \
         first three may follow, as `virtualservice/NAME/RULE`"
    )]
    Grammar(String),
    /// Not a header.
    #[error("`{0}` is no header with a value; write for example `canary: true`")]
    Header(String),
    /// It does not lead to the Service.
    #[error("no rule of {route} leads to the Service `{service}`; they lead to {leads}")]
    NoReference {
        /// The route.
        route: String,
        /// The Service.
        service: String,
        /// Where they lead instead.
        leads: String,
    },
    /// Several rules lead to the Service, and it must be said which are meant.
    #[error(
        "{count} rules of {route} lead to the Service `{service}`, by name {names}; say which are meant, as `virtualservice/NAME/RULE`, \
         or `virtualservice/NAME/*` for all"
    )]
    Several {
        /// The route.
        route: String,
        /// The Service.
        service: String,
        /// How many.
        count: usize,
        /// Their names.
        names: String,
    },
    /// No rule of that name leads to the Service.
    #[error(
        "no rule of {route} that leads to the Service `{service}` has the name `{name}`; there are {names}"
    )]
    NoRule {
        /// The route.
        route: String,
        /// The Service.
        service: String,
        /// The name that was asked for.
        name: String,
        /// The names that there are.
        names: String,
    },
    /// A rule leads to a Service more than once.
    #[error("rule {at} of {route} leads to `{service}` more than once, so that its weight is not one number")]
    Twice {
        /// The route.
        route: String,
        /// The rule's place.
        at: usize,
        /// The Service.
        service: String,
    },
    /// The Service has no weight.
    #[error("rule {at} of {route} gives `{service}` the weight 0, so that there is nothing to divide")]
    NoWeight {
        /// The route.
        route: String,
        /// The rule's place.
        at: usize,
        /// The Service.
        service: String,
    },
    /// What the two versions have together can't be divided so.
    #[error(
        "{share} of the weight {pool} that rule {at} of {route} gives the Service is no whole number near enough; other destinations \
         have weights too, so multiply all of them by 10 or more"
    )]
    TooCoarse {
        /// The route.
        route: String,
        /// The rule's place.
        at: usize,
        /// The share.
        share: Weight,
        /// What both have.
        pool: u64,
    },
    /// Something leads to the canary that is not ours.
    #[error(
        "{route} leads to `{canary}` already, without the annotation `{ORIGINAL}` of this program; take that out, or finish what put it \
         there"
    )]
    NotOurs {
        /// The route.
        route: String,
        /// Where it leads.
        canary: String,
    },
    /// The canary is there from an earlier run.
    #[error("{route} leads to the canary `{canary}` already, by an earlier run that did not end")]
    Entered {
        /// The route.
        route: String,
        /// Where it leads.
        canary: String,
    },
    /// The canary is not there.
    #[error("{route} does not lead to the canary `{canary}`; somebody else took it out")]
    NotEntered {
        /// The route.
        route: String,
        /// Where it should lead.
        canary: String,
    },
    /// The canary still has traffic.
    #[error("{route} still gives the canary `{canary}` a weight; it must be 0 first")]
    StillTraffic {
        /// The route.
        route: String,
        /// The canary.
        canary: String,
    },
    /// Somebody else changed the route.
    #[error("{route} was changed by somebody else: {what}")]
    Changed {
        /// The route.
        route: String,
        /// What is not as it was left.
        what: String,
    },
    /// The annotation can't be read.
    #[error("the annotation `{ORIGINAL}` of {route} is damaged: {why}")]
    Damaged {
        /// The route.
        route: String,
        /// Why.
        why: String,
    },
    /// A rule asks for that header itself.
    #[error(
        "rule {at} of {route} asks for the header `{header}` itself, so that it can't lead to the canary; choose another name"
    )]
    HeaderTaken {
        /// The route.
        route: String,
        /// The rule's place.
        at: usize,
        /// The header.
        header: String,
    },
    /// Another canary Ingress.
    #[error(
        "Ingress `{0}` is a canary of the same host and path, and ingress-nginx takes one; it is not of this program"
    )]
    OtherCanary(String),
    /// A DestinationRule without the subset.
    #[error("no DestinationRule of `{service}` has the subset `{subset}` that the VirtualService leads to")]
    NoSubset {
        /// The Service.
        service: String,
        /// The subset.
        subset: String,
    },
    /// A DestinationRule that is there and not ours.
    #[error(
        "DestinationRule `{0}` is there and not of this program, and the canary's policies would take its place; rename it, or delete it"
    )]
    OtherRule(String),
    /// A share that pods can't approximate.
    #[error("{share} can't be had by pods: {why}")]
    Pods {
        /// The share.
        share: Weight,
        /// Why.
        why: String,
    },
}
