//! Writing down who owns what after a change by a request.

use serde_json::Value;

use crate::stand_ins::kubernetes::ask::Ask;
use crate::stand_ins::kubernetes::object;
use crate::stand_ins::kubernetes::patch::owned::Owners;
use crate::stand_ins::kubernetes::schema::Field;
use crate::stand_ins::kubernetes::world::World;

/// After a create, an update or a patch by a manager that does not apply.
pub(super) fn updated(world: &World, ask: &Ask, before: Option<&Value>, after: &mut Value, manager: &str) {
    // An empty list or one with an empty entry is a wish to forget all owners.
    let forgets = before.is_some()
        && after
            .pointer("/metadata/managedFields")
            .and_then(Value::as_array)
            .is_some_and(|entries| {
                entries
                    .iter()
                    .all(|entry| entry.as_object().is_some_and(serde_json::Map::is_empty))
            });
    let mut owners = match before {
        Some(before) if !forgets => Owners::of(before),
        _ => Owners::default(),
    };
    object::take(after, &["metadata", "managedFields"]);
    if forgets {
        return;
    }
    let kind = Field::Struct(ask.kind.type_name(), false);
    let api_version = ask.kind.api_version_in(&ask.version);
    let part = if ask.part == "status" { "status" } else { "" };
    owners.updated(before, after, &kind, (manager, part, &api_version, world.now));
    owners.write(after);
}
