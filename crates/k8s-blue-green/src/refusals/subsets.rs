//! Subsets of Istio that would be empty once the Service leads to the new version: proxies answer 503 to what a VirtualService leads
//! there (<https://istio.io/latest/docs/reference/config/networking/destination-rule/#Subset>).

use serde_json::Value;

use super::{Around, Concern};
use crate::color;
use crate::object::{Labels, entries, labels_at, name, shown, text};
use crate::route::{Seen, Sides, subsets};

/// What the mesh of a namespace leads to a Service.
#[derive(Clone, Copy, Debug, Default)]
pub struct Meshed<'a> {
    /// The DestinationRules of the namespace.
    pub rules: &'a [Value],
    /// Its VirtualServices.
    pub routes: &'a [Value],
    /// The names of the VirtualServices that a canary divides: it opens the subsets to which these lead.
    pub divided: &'a [&'a str],
}

pub(super) fn concerns(around: &Around<'_>) -> Vec<Concern> {
    let service = name(around.service);
    let sides = Sides {
        namespace: text(around.service, "/metadata/namespace").to_owned(),
        stable: service.to_owned(),
        canary: color::canary(service),
    };
    let mesh = around.mesh;
    let is_divided = |route: &&Value| mesh.divided.contains(&name(route));
    let opened: Vec<String> = mesh
        .routes
        .iter()
        .filter(is_divided)
        .flat_map(|route| named(route, &sides))
        .collect();
    let pods = |deployment| labels_at(deployment, "/spec/template/metadata/labels");
    let (old, new) = (pods(&around.live.side.deployment), pods(around.new));
    let mut concerns = Vec::new();
    let own = mesh
        .rules
        .iter()
        .filter(|rule| subsets::is_of(rule, service, &sides.namespace));
    for (rule, subset) in
        own.flat_map(|rule| entries(rule, "/spec/subsets").iter().map(move |one| (rule, one)))
    {
        let called = text(subset, "/name");
        let asked = labels_at(subset, "/labels");
        let Some((key, value)) = lost(&asked, &old, &new) else {
            continue;
        };
        if opened.iter().any(|name| name == called) {
            continue;
        }
        let mut routes = mesh.routes.iter();
        let leads = routes.find(|route| named(route, &sides).iter().any(|name| name == called));
        if let Some(route) = leads {
            let route = shown(name(route));
            concerns.push(Concern::refusal(format!(
                "VirtualService `{route}` leads to subset `{}` of service `{}`, for which DestinationRule `{}` asks for `{}={}`: the \
                 pods of `{}` do not have that, so that the mesh would answer 503 after the switch. Take the label out of the subset: \
                 the Service's selector alone says which version serves. Or deploy with `--strategy canary --route \
                 virtualservice/{route}`, which opens it",
                shown(called),
                shown(service),
                shown(name(rule)),
                shown(key),
                shown(value),
                shown(name(around.new)),
            )));
        }
    }
    concerns
}

/// The label for which a subset has pods now, and would have none.
fn lost<'a>(asked: &'a Labels, old: &Labels, new: &Labels) -> Option<(&'a String, &'a String)> {
    let lacks = |pods: &Labels, (key, value): &(&String, &String)| pods.get(*key) != Some(*value);
    if asked.iter().any(|label| lacks(old, &label)) {
        return None;
    }
    asked.iter().find(|label| lacks(new, label))
}

fn named(route: &Value, sides: &Sides) -> Vec<String> {
    let seen = Seen {
        object: route,
        ingresses: &[],
    };
    subsets::named(seen, sides)
}
