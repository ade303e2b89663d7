//! Objects without what may be secret, for an archive that is passed on. Pure.
//!
//! Values of variables go, wherever they stand; so do words of commands that look secret, headers of probes, and annotations that
//! hold an object again. References to Secrets stay: they are names. What a Secret holds goes whole.

use serde_json::Value;

/// What stands in place of what was taken out.
pub const LEFT_OUT: &str = "(left out)";

/// Annotations that hold a whole object.
const COPIES: [&str; 2] = [
    "kubectl.kubernetes.io/last-applied-configuration",
    "deploy-actions/original",
];

/// Parts of names of what is secret.
const SECRET: [&str; 12] = [
    "password",
    "passwd",
    "pwd",
    "secret",
    "token",
    "apikey",
    "api-key",
    "api_key",
    "credential",
    "private",
    "auth",
    "dsn",
];

/// Takes out of an object what may be secret, and what only takes room.
pub fn redact(object: &mut Value) {
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.shift_remove("managedFields");
    }
    if object.get("kind").and_then(Value::as_str) == Some("Secret") {
        for key in ["data", "stringData"] {
            leave_out(object, key);
        }
    }
    walk(object);
}

fn walk(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(walk),
        Value::Object(fields) => {
            for (key, field) in fields.iter_mut() {
                match (key.as_str(), &mut *field) {
                    ("env" | "httpHeaders", Value::Array(entries)) => {
                        entries.iter_mut().for_each(|one| leave_out(one, "value"));
                    }
                    ("args" | "command", Value::Array(words)) => hide_words(words),
                    ("annotations", Value::Object(notes)) => {
                        for (name, note) in notes.iter_mut() {
                            if COPIES.contains(&name.as_str()) || looks_secret(name) {
                                *note = LEFT_OUT.into();
                            }
                        }
                    }
                    _ => walk(field),
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn leave_out(entry: &mut Value, key: &str) {
    if let Some(value) = entry.get_mut(key) {
        *value = LEFT_OUT.into();
    }
    walk(entry);
}

/// `--password=x`, `--password x`, `PASSWORD=x`, addresses with a password, and scripts that hold such a word.
fn hide_words(words: &mut [Value]) {
    let mut is_value = false;
    for word in words {
        let Some(text) = word.as_str() else { continue };
        let is_flag = text.starts_with('-');
        let holds = has_password(text) || (text.contains(char::is_whitespace) && looks_secret(text));
        if is_value && !is_flag || holds {
            (*word, is_value) = (LEFT_OUT.into(), false);
            continue;
        }
        is_value = false;
        match text.split_once('=') {
            Some((name, _)) if looks_secret(name) => *word = format!("{name}={LEFT_OUT}").into(),
            None if is_flag && looks_secret(text) => is_value = true,
            _ => {}
        }
    }
}

/// An address with a user and a password: `postgres://app:secret@db/shop`.
fn has_password(text: &str) -> bool {
    text.split("://").skip(1).any(|rest| {
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        host.rsplit_once('@').is_some_and(|(user, _)| user.contains(':'))
    })
}

fn looks_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET.iter().any(|part| name.contains(part))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};
    use serde_json::json;

    use super::*;

    #[test]
    fn what_may_be_secret_goes_and_the_rest_stays() {
        let mut pod = json!({
            "metadata": {"name": "web", "managedFields": [{}], "annotations": {
                "kubectl.kubernetes.io/last-applied-configuration": "{\"env\": \"hunter2\"}", "team": "shop", "vault-token": "hunter2",
            }},
            "spec": {"template": {"spec": {"containers": [{
                "env": [{"name": "A", "value": "hunter2"}, {"name": "B", "valueFrom": {"secretKeyRef": {"name": "db", "key": "k"}}}],
                "args": ["--db-password=hunter2", "--token", "hunter2", "--port", "80", "postgres://app:hunter2@db/shop", "DB_PASSWORD=hunter2"],
                "command": ["sh", "-c", "export TOKEN=hunter2; run"],
                "livenessProbe": {"httpGet": {"httpHeaders": [{"name": "Authorization", "value": "hunter2"}]}},
                "image": "shop:1",
            }]}}},
        });
        redact(&mut pod);
        let text = pod.to_string();
        assert!(
            !text.contains("hunter2") && !text.contains("managedFields"),
            "{text}"
        );
        for kept in [
            "shop:1",
            "secretKeyRef",
            "\"--port\",\"80\"",
            "\"team\":\"shop\"",
            "--db-password=(left out)",
        ] {
            assert!(text.contains(kept), "{kept}: {text}");
        }
    }

    proptest! {
        #[test]
        fn variables_are_gone_at_any_depth(secret in "[A-Z]{12}", depth in 0usize..6) {
            let mut object = json!({"env": [{"name": "x", "value": secret}]});
            for level in 0..depth {
                object = if level % 2 == 0 { json!({"spec": object}) } else { json!([object]) };
            }
            redact(&mut object);
            assert!(!object.to_string().contains(&secret));
        }

        #[test]
        fn any_words_are_taken(words in proptest::collection::vec(any::<String>(), 0..5)) {
            redact(&mut json!({"args": words}));
        }
    }
}
