//! ResourceQuotas on the number of pods.

use serde_json::{Value, json};

use super::pods;
use crate::stand_ins::kubernetes::object;
use crate::stand_ins::kubernetes::world::World;

const COUNTS: [&str; 2] = ["pods", "count/pods"];

/// Whether one more pod may be; why not, in the words of the admission.
pub(super) fn admit(world: &World, pod: &Value) -> Result<(), String> {
    let namespace = object::namespace(pod);
    for quota in world.store.list("resourcequotas", namespace) {
        for name in COUNTS {
            let Some(most) = hard(quota, name) else { continue };
            let used = used(world, namespace);
            if used >= most {
                return Err(format!(
                    "pods \"{}\" is forbidden: exceeded quota: {}, requested: {name}=1, used: {name}={used}, limited: {name}={most}",
                    object::name(pod),
                    object::name(quota)
                ));
            }
        }
    }
    Ok(())
}

pub(super) fn run(world: &mut World) {
    let all: Vec<Value> = world.store.list("resourcequotas", "").cloned().collect();
    for mut quota in all {
        let used = used(world, object::namespace(&quota)).to_string();
        for name in COUNTS {
            if hard(&quota, name).is_some() {
                object::put(&mut quota, &["status", "used", name], json!(used));
            }
        }
        let hard = quota["spec"]["hard"].clone();
        object::put(&mut quota, &["status", "hard"], hard);
        world.save(quota);
    }
}

fn hard(quota: &Value, name: &str) -> Option<usize> {
    match object::map(quota, "/spec/hard")?.get(name)? {
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => usize::try_from(number.as_u64()?).ok(),
        _ => None,
    }
}

fn used(world: &World, namespace: &str) -> usize {
    let pods = world.store.list("pods", namespace);
    pods.filter(|pod| pods::is_active(pod)).count()
}
