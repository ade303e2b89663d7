//! Kubeconfigs as text: what they hold, and what a context of theirs leads to. Pure.
//!
//! kube's own types read them, and kube merges several. kube's way from a context to a client is not taken: it reads the
//! environment of the process, and asks `NO_PROXY` about the proxy where it should ask about the server.

use std::borrow::Cow;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gha::text;
use kube::config::{AuthInfo, Cluster, Kubeconfig, KubeconfigError};

use super::error::AccessError;

/// How many names are told of contexts that there are.
const NAMES: usize = 12;

/// What a context leads to.
#[derive(Clone, Debug)]
pub(super) struct Chosen {
    /// The context's name.
    pub(super) context: String,
    /// Its namespace.
    pub(super) namespace: Option<String>,
    /// The server, and how it is reached.
    pub(super) cluster: Cluster,
    /// The name of the one who asks; empty where there is none.
    pub(super) user_name: String,
    /// By what the server knows them.
    pub(super) user: AuthInfo,
}

/// A kubeconfig: YAML or JSON, or that in Base64. `from` names it for people. Nothing of the text is ever in an error.
///
/// # Errors
/// When it is none.
pub(super) fn read(content: &str, from: &str) -> Result<Kubeconfig, AccessError> {
    let refuse = |reason: String| AccessError::Unreadable {
        from: from.to_owned(),
        reason,
    };
    let plain = unwrapped(content.trim_start_matches('\u{feff}'));
    let config = Kubeconfig::from_yaml(&plain).map_err(|error| match error {
        KubeconfigError::Parse(error) => refuse(match error.location() {
            Some(at) => format!(
                "it is no kubeconfig, at line {}, column {}",
                at.line(),
                at.column()
            ),
            None => "it is no kubeconfig".to_owned(),
        }),
        KubeconfigError::KindMismatch => refuse("it holds documents of several kinds".to_owned()),
        KubeconfigError::ApiVersionMismatch => refuse("it holds documents of several versions".to_owned()),
        _ => refuse("it is no kubeconfig".to_owned()),
    })?;
    if config.kind.as_deref().is_some_and(|kind| kind != "Config") {
        return Err(refuse("its `kind` is not `Config`".to_owned()));
    }
    Ok(config)
}

/// What is in Base64, or the text itself.
fn unwrapped(content: &str) -> Cow<'_, str> {
    let is_base64 = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '+' | '/' | '=');
    let packed: String = content.split_whitespace().collect();
    if packed.is_empty() || !packed.chars().all(is_base64) {
        return Cow::Borrowed(content);
    }
    let bytes = STANDARD.decode(&packed).ok();
    match bytes.and_then(|bytes| String::from_utf8(bytes).ok()) {
        Some(text) => Cow::Owned(text),
        None => Cow::Borrowed(content),
    }
}

/// Makes the files that it names relative to the folder that it is in, and its programs that are named by a path.
pub(super) fn rooted(config: &mut Kubeconfig, folder: &Path) {
    let root = |path: &mut Option<String>| {
        let found = path
            .as_deref()
            .filter(|path| !path.is_empty() && Path::new(path).is_relative());
        if let Some(rooted) = found.and_then(|found| folder.join(found).to_str().map(str::to_owned)) {
            *path = Some(rooted);
        }
    };
    for cluster in config
        .clusters
        .iter_mut()
        .filter_map(|named| named.cluster.as_mut())
    {
        root(&mut cluster.certificate_authority);
    }
    for user in config
        .auth_infos
        .iter_mut()
        .filter_map(|named| named.auth_info.as_mut())
    {
        root(&mut user.client_certificate);
        root(&mut user.client_key);
        root(&mut user.token_file);
        if let Some(exec) = &mut user.exec
            && exec
                .command
                .as_deref()
                .is_some_and(|command| command.contains('/'))
        {
            root(&mut exec.command);
        }
    }
}

/// What a context leads to: the one that is named, or the current one.
///
/// # Errors
/// When it is not there, or names what is not there.
pub(super) fn choose(config: &Kubeconfig, context: Option<&str>, from: &str) -> Result<Chosen, AccessError> {
    let from = from.to_owned();
    let current = config.current_context.as_deref().filter(|name| !name.is_empty());
    let Some(name) = context.or(current) else {
        let there = there(config);
        return Err(AccessError::NoCurrent { from, there });
    };
    let found = config.contexts.iter().find(|named| named.name == name);
    let Some(found) = found.and_then(|named| named.context.clone()) else {
        let (name, there) = (text::line(name), there(config));
        return Err(AccessError::NoContext { from, name, there });
    };
    let dangling = |what, missing: &str| AccessError::Dangling {
        from: from.clone(),
        context: text::line(name),
        what,
        name: text::line(missing),
    };
    let cluster = config.clusters.iter().find(|named| named.name == found.cluster);
    let cluster = cluster
        .and_then(|named| named.cluster.clone())
        .ok_or_else(|| dangling("cluster", &found.cluster))?;
    let user_name = found.user.unwrap_or_default();
    let user = match user_name.as_str() {
        "" => AuthInfo::default(),
        wanted => {
            let user = config.auth_infos.iter().find(|named| named.name == wanted);
            let user = user.ok_or_else(|| dangling("user", wanted))?;
            user.auth_info.clone().unwrap_or_default()
        }
    };
    Ok(Chosen {
        context: name.to_owned(),
        namespace: found.namespace.filter(|namespace| !namespace.is_empty()),
        cluster,
        user_name,
        user,
    })
}

/// The contexts that there are, in words.
fn there(config: &Kubeconfig) -> String {
    let names = config
        .contexts
        .iter()
        .map(|named| format!("`{}`", text::line(&named.name)));
    let shown: Vec<String> = names.take(NAMES).collect();
    let more = config.contexts.len().saturating_sub(shown.len());
    match (shown.is_empty(), more) {
        (true, _) => "; it has no contexts".to_owned(),
        (false, 0) => format!("; there is {}", shown.join(", ")),
        (false, more) => format!("; there is {}, and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::*;

    const TWO: &str = "
apiVersion: v1
kind: Config
current-context: b
clusters:
- {name: one, cluster: {server: 'https://one', certificate-authority: ca.pem}}
users:
- name: deployer
  user:
    token: hunter2-hunter2
    client-key: /etc/key.pem
    exec: {command: ./login, apiVersion: client.authentication.k8s.io/v1}
contexts:
- {name: a, context: {cluster: one, user: deployer, namespace: shop}}
- {name: b, context: {cluster: one}}
- {name: c, context: {cluster: two, user: deployer}}
- {name: d, context: {cluster: one, user: nobody}}
";

    #[test]
    fn a_context_leads_to_a_server_and_a_user() {
        let config = read(TWO, "x").unwrap();
        let chosen = choose(&config, Some("a"), "x").unwrap();
        assert_eq!(chosen.cluster.server.as_deref(), Some("https://one"));
        assert_eq!(
            (chosen.namespace.as_deref(), chosen.user_name.as_str()),
            (Some("shop"), "deployer")
        );
        let current = choose(&config, None, "x").unwrap();
        assert_eq!((current.context.as_str(), current.namespace), ("b", None));
        for (context, words) in [
            ("e", "x has no context `e`; there is `a`, `b`, `c`, `d`"),
            ("c", "context `c` of x names cluster `two`, which is not there"),
            ("d", "context `d` of x names user `nobody`, which is not there"),
        ] {
            assert_eq!(
                choose(&config, Some(context), "x").unwrap_err().to_string(),
                words
            );
        }
        let none = read("{}", "x").unwrap();
        let words = "x has no `current-context`; it has no contexts";
        assert_eq!(choose(&none, None, "x").unwrap_err().to_string(), words);
    }

    #[test]
    fn base64_is_taken_whatever_its_lines() {
        let packed = STANDARD.encode(TWO);
        let lines: Vec<&str> = packed
            .as_bytes()
            .chunks(76)
            .map(|line| std::str::from_utf8(line).unwrap())
            .collect();
        for packed in [packed.clone(), format!("{}\n", lines.join("\n"))] {
            assert_eq!(read(&packed, "x").unwrap().contexts.len(), 4);
        }
    }

    #[test]
    fn what_it_names_is_beside_it() {
        let mut config = read(TWO, "x").unwrap();
        rooted(&mut config, Path::new("/home/me"));
        let cluster = config.clusters[0].cluster.as_ref().unwrap();
        assert_eq!(cluster.certificate_authority.as_deref(), Some("/home/me/ca.pem"));
        let user = config.auth_infos[0].auth_info.as_ref().unwrap();
        assert_eq!(user.client_key.as_deref(), Some("/etc/key.pem"));
        let exec = user.exec.as_ref().unwrap();
        assert_eq!(exec.command.as_deref(), Some("/home/me/./login"));
    }

    #[test]
    fn what_is_none_is_told_without_its_text() {
        for content in [
            "hunter2-hunter2",
            "users: hunter2-hunter2",
            "users: [{name: a, user: {token: [hunter2-hunter2]}}]",
            "a: b: hunter2-hunter2",
            "kind: hunter2-hunter2",
        ] {
            let error = read(content, "`KUBECONFIG`").unwrap_err();
            let said = gha::failure::chain(&error);
            assert!(
                said.starts_with("failed to read `KUBECONFIG`: it") && !said.contains("hunter2"),
                "{said}"
            );
        }
    }

    proptest! {
        #[test]
        fn foreign_text_never_panics(content in any::<String>(), context in any::<Option<String>>()) {
            if let Ok(config) = read(&content, "x") {
                let _ = choose(&config, context.as_deref(), "x");
                let _ = crate::access::secrets::values(&config);
            }
        }
    }
}
