//! What is around a deploy: what stands in its way in the namespace, read and judged before anything is changed. What may not be
//! read is not judged.

use serde_json::Value;

use super::look::Found;
use super::stopped::Stopped;
use crate::api::{Kind, Which};
use crate::budgets;
use crate::canary::mesh;
use crate::cli::Deploy;
use crate::color;
use crate::error::Error;
use crate::object;
use crate::place::Place;
use crate::refusals::{Around, Concern, Grade, Meshed, preflight};
use crate::route::{Divider, subsets};

/// All that stands in the way of a new version, or may.
pub(super) async fn concerns(one: &Found, new: &Value, flags: &Deploy, place: &Place<'_>) -> Vec<Concern> {
    let services = listed(&Kind::service(), place).await.unwrap_or_default();
    let quotas = listed(&Kind::resource_quota(), place).await.unwrap_or_default();
    let has_claims = object::entries(new, "/spec/template/spec/volumes")
        .iter()
        .any(|volume| volume["persistentVolumeClaim"].is_object());
    let claims = if has_claims {
        listed(&Kind::volume_claim(), place).await
    } else {
        Some(Vec::new())
    };
    let there = place
        .api
        .get(&Kind::deployment(), &place.namespace, object::name(new))
        .await;
    let there = there.ok().flatten();
    let there = there.and_then(|there| object::number(&there, "/status/replicas"));
    let mut together = flags.target.service.clone();
    for service in &flags.target.service {
        together.extend([color::preview(service), color::canary(service)]);
    }
    let (rules, routes) = meshed(&one.lead.name, place).await;
    let divided: Vec<&str> = flags.canary.route.iter().filter_map(Divider::of_mesh).collect();
    let mut all = preflight(&Around {
        service: &one.lead.object,
        live: &one.live,
        new,
        there: there.unwrap_or(0),
        services: &services,
        together: &together,
        claims: claims.as_deref(),
        quotas: &quotas,
        mesh: Meshed {
            rules: &rules,
            routes: &routes,
            divided: &divided,
        },
        nodes: None,
    });
    let replicas = object::number(new, "/spec/replicas").unwrap_or(1);
    let budgets = listed(&Kind::disruption_budget(), place)
        .await
        .unwrap_or_default();
    let notes = budgets::notes(&budgets, &one.live.side.deployment, new, replicas);
    all.extend(notes.into_iter().map(|note| Concern {
        grade: Grade::Warning,
        text: note.text,
    }));
    all
}

/// Says what may go wrong, and refuses what would.
pub(super) async fn heeded(
    one: &Found,
    new: &Value,
    flags: &Deploy,
    place: &Place<'_>,
) -> Result<(), Stopped> {
    for concern in concerns(one, new, flags, place).await {
        match concern.grade {
            Grade::Refusal => {
                return Err(Error::Unfit {
                    reason: concern.text,
                    help: Some(
                        "`k8s-blue-green plan` with the same flags shows all that stands in the way"
                            .to_owned(),
                    ),
                }
                .into());
            }
            Grade::Warning => place.runner.warn(&concern.text),
        }
    }
    Ok(())
}

/// The DestinationRules of the namespace, and its VirtualServices where one of the rules has subsets of the Service.
async fn meshed(service: &str, place: &Place<'_>) -> (Vec<Value>, Vec<Value>) {
    let (_, rules) = mesh::rules(place)
        .await
        .unwrap_or_else(|_| (Kind::destination_rule(), Vec::new()));
    let has_subsets = |rule: &Value| {
        subsets::is_of(rule, service, &place.namespace) && !object::entries(rule, "/spec/subsets").is_empty()
    };
    if !rules.iter().any(has_subsets) {
        return (rules, Vec::new());
    }
    let routes = mesh::routes(place).await.unwrap_or_default();
    (rules, routes)
}

async fn listed(kind: &Kind, place: &Place<'_>) -> Option<Vec<Value>> {
    let listed = place.api.list(kind, &place.namespace, &Which::default()).await;
    listed.ok()
}
