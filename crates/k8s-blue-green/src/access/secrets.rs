//! Which values of a kubeconfig are secrets. Pure.

use kube::config::{AuthInfo, ExecConfig, Kubeconfig};
use secrecy::ExposeSecret as _;

/// The shortest value that is hidden: hiding a shorter one would hide parts of ordinary words.
const SHORTEST: usize = 6;

/// What the name of a variable, a flag or a setting has in it whose value is a secret.
const TELLING: [&str; 6] = ["token", "secret", "password", "passwd", "credential", "private"];

/// Every secret of all users and proxies, those of other contexts too.
#[must_use]
pub(super) fn values(config: &Kubeconfig) -> Vec<String> {
    let mut found = Vec::new();
    for user in config
        .auth_infos
        .iter()
        .filter_map(|named| named.auth_info.as_ref())
    {
        of_user(user, &mut found);
    }
    for cluster in config.clusters.iter().filter_map(|named| named.cluster.as_ref()) {
        let addresses = [&cluster.proxy_url, &cluster.server];
        found.extend(
            addresses
                .into_iter()
                .flatten()
                .filter_map(|address| password(address)),
        );
    }
    found.retain(|value| value.trim().len() >= SHORTEST);
    found.sort();
    found.dedup();
    found
}

fn of_user(user: &AuthInfo, found: &mut Vec<String>) {
    let secrets = [&user.token, &user.password, &user.client_key_data];
    found.extend(
        secrets
            .into_iter()
            .flatten()
            .map(|secret| secret.expose_secret().to_owned()),
    );
    if let Some(exec) = &user.exec {
        of_program(exec, found);
    }
    if let Some(provider) = &user.auth_provider {
        let settings = provider.config.iter().filter(|(name, _)| is_telling(name));
        found.extend(settings.map(|(_, value)| value.clone()));
    }
}

fn of_program(exec: &ExecConfig, found: &mut Vec<String>) {
    for entry in exec.env.iter().flatten() {
        if let (Some(name), Some(value)) = (entry.get("name"), entry.get("value"))
            && is_telling(name)
        {
            found.push(value.clone());
        }
    }
    let mut arguments = exec.args.iter().flatten().peekable();
    while let Some(argument) = arguments.next() {
        match argument.split_once('=') {
            Some((flag, value)) if flag.starts_with('-') && is_telling(flag) => found.push(value.to_owned()),
            None if argument.starts_with('-') && is_telling(argument) => {
                let next = arguments.peek().filter(|next| !next.starts_with('-'));
                found.extend(next.map(|value| (*value).clone()));
            }
            _ => {}
        }
    }
}

/// Whether a name tells of a secret. `AWS_ACCESS_KEY_ID` is none, `AWS_SECRET_ACCESS_KEY` and `API_KEY` are.
fn is_telling(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    // Files and ids are named after the secret that they lead to.
    let is_other = ["file", "path", "_id", "-id", "url", "uri", "expir", "type"]
        .iter()
        .any(|end| name.contains(end));
    let is_key = name.ends_with("key") || name.ends_with("-pwd") || name.ends_with("_pwd");
    (is_key || TELLING.iter().any(|word| name.contains(word)))
        && (!is_other || matches!(name.as_str(), "id-token" | "idp-token"))
}

/// The password in an address.
#[must_use]
pub(super) fn password(address: &str) -> Option<String> {
    let (_, rest) = address.split_once("://").unwrap_or(("", address));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let (user, _) = authority.rsplit_once('@')?;
    let (_, password) = user.split_once(':')?;
    Some(password.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_are_found_wherever_they_stand() {
        let config: Kubeconfig = serde_json::from_value(json!({
            "users": [
                {"name": "a", "user": {"token": "token-of-a", "password": "pass-of-a", "client-key-data": "a2V5LW9mLWE="}},
                {"name": "b", "user": {"exec": {
                    "command": "kubelogin",
                    "args": ["get-token", "--client-secret", "arg-of-b", "--token=arg2-of-b", "--token-cache", "--client-id", "id-of-b"],
                    "env": [
                        {"name": "AWS_SECRET_ACCESS_KEY", "value": "env-of-b"},
                        {"name": "AWS_PROFILE", "value": "profile-of-b"},
                        {"name": "AWS_ACCESS_KEY_ID", "value": "id2-of-b"},
                        {"name": "GOOGLE_CREDENTIALS_FILE", "value": "file-of-b"},
                        {"name": "X_TOKEN", "value": "short"},
                    ],
                }}},
                {"name": "c", "user": {"auth-provider": {"name": "oidc", "config": {"id-token": "id-token-of-c", "client-id": "id-of-c"}}}},
                {"name": "d"},
            ],
            "clusters": [{"name": "a", "cluster": {"server": "https://a", "proxy-url": "http://u:proxy-pass@p:3128"}}],
        }))
        .unwrap();
        let expected = [
            "a2V5LW9mLWE=",
            "arg-of-b",
            "arg2-of-b",
            "env-of-b",
            "id-token-of-c",
            "pass-of-a",
            "proxy-pass",
            "token-of-a",
        ];
        assert_eq!(values(&config), expected);
    }

    #[test]
    fn an_address_may_have_a_password() {
        for (address, expected) in [
            ("http://u:p@ss@h/", Some("p@ss")),
            ("u:p@h", Some("p")),
            ("http://u@h", None),
            ("http://h/a:b@c", None),
        ] {
            assert_eq!(password(address).as_deref(), expected, "{address}");
        }
    }
}
