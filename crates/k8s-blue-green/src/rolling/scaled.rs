//! What scales by load keeps its number of pods when a manifest is applied.

use serde_json::Value;

use crate::api::{Kind, Which};
use crate::object;
use crate::place::Place;
use crate::workload::{Sort, Workload};

/// Puts the live number of pods into a manifest that names none, or whose workload an autoscaler scales: what a manifest leaves out
/// falls back to one pod where this program has applied it before.
pub(super) async fn keep(manifest: &mut Value, live: &Value, named: &Workload, place: &Place<'_>) {
    if named.sort == Sort::DaemonSet {
        return;
    }
    let Some(replicas) = object::number(live, "/spec/replicas") else {
        return;
    };
    let says = object::number(manifest, "/spec/replicas");
    if says == Some(replicas) {
        return;
    }
    if says.is_none() || is_scaled(named, place).await {
        manifest["spec"]["replicas"] = replicas.into();
    }
}

async fn is_scaled(named: &Workload, place: &Place<'_>) -> bool {
    let asked = place
        .api
        .list(&Kind::autoscaler(), &place.namespace, &Which::default())
        .await;
    let Ok(scalers) = asked else { return false };
    scalers.iter().any(|scaler| {
        object::text(scaler, "/spec/scaleTargetRef/kind") == named.sort.kind().kind
            && object::text(scaler, "/spec/scaleTargetRef/name") == named.name
    })
}
