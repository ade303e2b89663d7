//! The short hash in the name of a Job. Pure.

use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// Eight hexadecimal digits of values, whatever the order of their keys.
pub(super) fn hash(values: &[&Value]) -> String {
    let mut hasher = Sha256::new();
    for value in values {
        feed(value, &mut hasher);
    }
    let digest = hasher.finalize();
    digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

fn feed(value: &Value, hasher: &mut Sha256) {
    match value {
        Value::Object(map) => {
            let mut keys: Vec<&String> = map.keys().collect();
            keys.sort();
            hasher.update(b"{");
            for key in keys {
                feed(&Value::from(key.as_str()), hasher);
                feed(&map[key], hasher);
            }
            hasher.update(b"}");
        }
        Value::Array(items) => {
            hasher.update(b"[");
            items.iter().for_each(|item| feed(item, hasher));
            hasher.update(b"]");
        }
        other => {
            hasher.update(other.to_string().as_bytes());
            hasher.update(b",");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_order_of_keys_is_nothing_and_that_of_items_is() {
        assert_eq!(
            hash(&[&json!({"a": 1, "b": 2})]),
            hash(&[&json!({"b": 2, "a": 1})])
        );
        let others = [
            json!([1, 2]),
            json!([2, 1]),
            json!([12]),
            json!(["1", 2]),
            json!({"1": 2}),
            json!([[1], 2]),
        ];
        let mut hashes: Vec<String> = others.iter().map(|value| hash(&[value])).collect();
        hashes.sort();
        hashes.dedup();
        assert_eq!(hashes.len(), others.len());
    }
}
