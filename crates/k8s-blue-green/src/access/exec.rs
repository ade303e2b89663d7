//! Credentials by a program that a kubeconfig names
//! (<https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins>).
//!
//! kube would run it three times for each client, without an end, with its standard error in our log, and would print what it
//! says, tokens included, where it fails. Limits: it has no terminal, its answer must be JSON, and a client certificate that it
//! gives is not renewed.

use std::io::ErrorKind;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::time::Duration;

use gha::edge::cancel::Cancel;
use gha::edge::process::{ProcessError, Surroundings, Watched, watch};
use gha::edge::runner::Masks;
use gha::{duration, text};
use jiff::Timestamp;
use kube::config::{ExecAuthCluster, ExecConfig, ExecInteractiveMode};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::json;

/// The longest that it may take.
const LIMIT: Duration = Duration::from_secs(60);

/// The most that is read of what it says: a credential has some KiB.
const LARGEST: usize = 1024 * 1024;

/// How much of its last words is quoted, in characters.
const QUOTED: usize = 240;

/// A program that gives credentials.
#[derive(Clone)]
pub(super) struct Plugin {
    config: ExecConfig,
    cluster: Option<ExecAuthCluster>,
    masks: Masks,
}

/// What it gave.
#[derive(Debug)]
pub(super) struct Given {
    /// A token.
    pub(super) token: Option<SecretString>,
    /// A certificate and its key, in PEM.
    pub(super) certificate: Option<(String, SecretString)>,
    /// When it ends.
    pub(super) ends: Option<Timestamp>,
}

/// Why it gave nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub(super) struct Nothing {
    /// Why.
    pub(super) reason: String,
    /// What to do, in the words of whoever wrote the kubeconfig.
    pub(super) hint: Option<String>,
}

/// What a program says (<https://kubernetes.io/docs/reference/config-api/client-authentication.v1/>).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Credential {
    kind: Option<String>,
    status: Option<Status>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    expiration_timestamp: Option<String>,
    token: Option<String>,
    client_certificate_data: Option<String>,
    client_key_data: Option<String>,
}

impl Plugin {
    /// The program of a kubeconfig's user. It is told of the cluster where its kubeconfig says so.
    #[must_use]
    pub(super) fn new(config: ExecConfig, cluster: Option<ExecAuthCluster>, masks: Masks) -> Self {
        let cluster = cluster.filter(|_| config.provide_cluster_info);
        Self {
            config,
            cluster,
            masks,
        }
    }

    /// Runs it. It is ended when this is dropped.
    ///
    /// # Errors
    /// When it can't be run, fails, or gives nothing that can be used.
    pub(super) async fn ask(&self) -> Result<Given, Nothing> {
        let config = &self.config;
        let nothing = |reason: String| Nothing { reason, hint: None };
        let program = config.command.as_deref().unwrap_or_default();
        if program.is_empty() {
            return Err(nothing("`exec` names no `command`".to_owned()));
        }
        let shown = shown(program);
        if config.interactive_mode == Some(ExecInteractiveMode::Always) {
            return Err(nothing(format!(
                "{shown} wants a terminal (`interactiveMode: Always`)"
            )));
        }
        let info = json!({
            "apiVersion": config.api_version, "kind": "ExecCredential",
            "spec": match &self.cluster {
                Some(cluster) => json!({"interactive": false, "cluster": cluster}),
                None => json!({"interactive": false}),
            },
        });
        let mut set = vec![("KUBERNETES_EXEC_INFO".to_owned(), info.to_string())];
        for entry in config.env.iter().flatten() {
            if let (Some(name), Some(value)) = (entry.get("name"), entry.get("value")) {
                set.push((name.clone(), value.clone()));
            }
        }
        let surroundings = Surroundings {
            set,
            unset: Vec::new(),
        };
        let arguments = config.args.clone().unwrap_or_default();
        // A cancelled run still has calls to make, and needs credentials for them: only the time ends this.
        let uncancelled = Cancel::default();
        let ran = watch(program, &arguments, &surroundings, LARGEST, LIMIT, &uncancelled);
        let ended = ran.await.map_err(|error| self.not_run(&shown, &error))?;
        let end = self.last_words(&ended);
        match ended.status {
            Some(status) if status.success() => {}
            Some(status) => {
                let how = match (status.code(), status.signal()) {
                    (Some(code), _) => format!("exited with {code}"),
                    (None, signal) => format!("was ended by signal {}", signal.unwrap_or_default()),
                };
                return Err(nothing(format!("{shown} {how}{end}")));
            }
            None => {
                let limit = duration::display(LIMIT);
                return Err(nothing(format!("{shown} did not end within {limit}{end}")));
            }
        }
        given(&ended.stdout, &self.masks).map_err(|why| nothing(format!("{shown} {why}{end}")))
    }

    fn not_run(&self, shown: &str, error: &ProcessError) -> Nothing {
        let is_missing =
            matches!(error, ProcessError::Start(_, error) if error.kind() == ErrorKind::NotFound);
        let hint = self.config.install_hint.as_deref().filter(|_| is_missing);
        let hint = hint.map(|hint| text::cut(&text::line(hint.trim()), QUOTED * 2));
        let reason = if is_missing {
            format!("the kubeconfig wants the program {shown}, which is not on this machine")
        } else {
            gha::failure::chain(error)
        };
        Nothing {
            hint: hint.or_else(|| {
                is_missing
                    .then(|| "install it in an earlier step, or use a kubeconfig with a token".to_owned())
            }),
            reason,
        }
    }

    /// The last line of what it complained of.
    fn last_words(&self, ended: &Watched) -> String {
        let said = self.masks.hide(&String::from_utf8_lossy(&ended.stderr));
        let last = said.lines().map(str::trim).rfind(|line| !line.is_empty());
        last.map(|line| format!(": {}", text::cut(&text::line(line), QUOTED)))
            .unwrap_or_default()
    }
}

/// A program for people: its file's name. Its arguments may hold secrets.
fn shown(program: &str) -> String {
    let file = Path::new(program).file_name();
    let file = file.map_or_else(|| program.into(), |file| file.to_string_lossy());
    format!("`{}`", text::line(&file))
}

/// What it gave, masked.
fn given(said: &[u8], masks: &Masks) -> Result<Given, String> {
    let credential: Credential =
        serde_json::from_slice(said).map_err(|_| "printed no `ExecCredential` in JSON".to_owned())?;
    if credential.kind.is_some_and(|kind| kind != "ExecCredential") {
        return Err("printed no `ExecCredential`".to_owned());
    }
    let status = credential
        .status
        .ok_or("printed an `ExecCredential` without a `status`")?;
    for secret in [&status.token, &status.client_key_data].into_iter().flatten() {
        masks.mask(secret);
    }
    let ends = status.expiration_timestamp.map(|at| at.parse());
    let ends = ends
        .transpose()
        .map_err(|_| "printed an `expirationTimestamp` that is no time".to_owned())?;
    let token = status.token.filter(|token| !token.trim().is_empty());
    let certificate = status.client_certificate_data.zip(status.client_key_data);
    if token.is_none() && certificate.is_none() {
        return Err("printed an `ExecCredential` with neither a token nor a certificate".to_owned());
    }
    Ok(Given {
        token: token.map(|token| SecretString::from(token.trim().to_owned())),
        certificate: certificate.map(|(certificate, key)| (certificate, SecretString::from(key))),
        ends,
    })
}

#[cfg(test)]
mod tests {
    use gha::edge::testing::runner;
    use proptest::prelude::{any, proptest};
    use secrecy::ExposeSecret as _;

    use super::*;

    fn plugin(script: &str) -> Plugin {
        let config: ExecConfig = serde_json::from_value(json!({
            "apiVersion": "client.authentication.k8s.io/v1", "command": "/bin/sh", "args": ["-c", script],
            "env": [{"name": "MARK", "value": "here"}],
        }))
        .unwrap();
        Plugin::new(config, None, runner(&[]).0.masks())
    }

    #[tokio::test]
    async fn a_program_s_token_is_taken() {
        let script = r#"printf '{"kind": "ExecCredential", "status": {"token": "%s-%s", "expirationTimestamp": "2030-01-01T00:00:00Z"}}' \
            "$MARK" "$(printf %s "$KUBERNETES_EXEC_INFO" | tr -cd 'a-z' | cut -c 1-10)""#;
        let given = plugin(script).ask().await.unwrap();
        assert_eq!(given.token.unwrap().expose_secret(), "here-apiersionc");
        assert_eq!(given.ends, "2030-01-01T00:00:00Z".parse().ok());
    }

    #[tokio::test]
    async fn why_it_gives_nothing_is_one_line_without_its_output() {
        for (script, words) in [
            (
                "echo token-of-stdout; echo a >&2; echo '::error::sign in first' >&2; exit 3",
                "`sh` exited with 3: ",
            ),
            ("kill -9 $$", "`sh` was ended by signal 9"),
            ("echo token-of-stdout", "`sh` printed no `ExecCredential` in JSON"),
            ("echo '{\"kind\": \"Pod\"}'", "`sh` printed no `ExecCredential`"),
            ("echo '{}'", "`sh` printed an `ExecCredential` without a `status`"),
            (
                "echo '{\"status\": {}}'",
                "`sh` printed an `ExecCredential` with neither a token nor a certificate",
            ),
            (
                "echo '{\"status\": {\"token\": \"a\", \"expirationTimestamp\": \"soon\"}}'",
                "`sh` printed an `expirationTimestamp` that is no time",
            ),
        ] {
            let said = plugin(script).ask().await.unwrap_err().to_string();
            assert!(
                said.starts_with(words) && !said.contains("token-of-stdout") && !said.contains('\n'),
                "{said}"
            );
        }
    }

    #[tokio::test]
    async fn a_missing_program_is_named_with_its_hint() {
        let mut missing = plugin("");
        missing.config.command = Some("/no/such/kubelogin".to_owned());
        let nothing = missing.ask().await.unwrap_err();
        assert_eq!(
            nothing.reason,
            "the kubeconfig wants the program `kubelogin`, which is not on this machine"
        );
        assert!(nothing.hint.is_some_and(|hint| hint.starts_with("install it")));
        missing.config.install_hint = Some("brew install\nkubelogin".to_owned());
        let nothing = missing.ask().await.unwrap_err();
        assert_eq!(nothing.hint.as_deref(), Some("brew install\\nkubelogin"));
        missing.config.interactive_mode = Some(ExecInteractiveMode::Always);
        assert!(
            missing
                .ask()
                .await
                .unwrap_err()
                .reason
                .contains("wants a terminal")
        );
    }

    proptest! {
        #[test]
        fn foreign_bytes_never_panic(said in any::<Vec<u8>>()) {
            let _ = given(&said, &runner(&[]).0.masks());
        }
    }
}
