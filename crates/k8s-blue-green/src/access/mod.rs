//! The way to a cluster: by an EKS cluster's name, a kubeconfig, or the account of the pod that this runs in; the first that is
//! there. kube makes the client; what it is made of is read here.
//!
//! Limits: a proxy of `https` must have a certificate of the same authorities as the server; a client certificate is not renewed
//! during a run; the `auth-provider`s of old are not run, but an ID token that one of them left is used.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use aws::config::SdkConfig;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gha::{Runner, text};
use kube::Client;
use kube::client::ClientBuilder;
use kube::config::{AuthInfo, ExecAuthCluster};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use crate::cli;
use kubeconfig::Chosen;
use server::Server;
use token::{Fresh, Source, Tokens};

mod eks;
mod error;
mod exec;
pub mod fault;
mod files;
mod kubeconfig;
mod pod;
mod secrets;
mod server;
mod token;

pub use error::AccessError;

/// The longest that one try of the first question may take.
const TRY: Duration = Duration::from_secs(10);

/// The pauses between tries of the first question.
const PAUSES: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(1)];

/// A cluster that can be reached.
pub struct Reached {
    /// The way to it.
    pub client: Client,
    /// The namespace where no flag names one: the context's, the pod's, or `default`.
    pub namespace: String,
    /// The server's address, for people.
    pub server: String,
    /// Who asks, for people: the name by which the server knows them, or whose credentials they are.
    pub who: String,
}

/// A way, before anybody has gone it.
struct Way {
    server: Server,
    /// What kube itself knows how to use.
    user: AuthInfo,
    tokens: Option<Arc<Tokens>>,
    namespace: String,
    /// Whose credentials they are, for people.
    whose: String,
}

/// The way that the flags, the secret and the environment name, gone once: the server is reached, and takes the credentials.
/// It may be dropped at any time; what it started ends with it.
///
/// # Errors
/// When there is none, or it leads nowhere.
pub async fn client(flags: &cli::Place, runner: &Runner) -> Result<Reached, AccessError> {
    install_tls();
    let way = match &flags.eks_cluster {
        Some(name) => by_eks(name, flags, runner).await?,
        None => match files::found(flags, runner).await? {
            Some((config, from)) => {
                let chosen = kubeconfig::choose(&config, flags.context.as_deref(), &from)?;
                by_kubeconfig(chosen, &from, runner).await?
            }
            None => match pod::of(runner.env(), Path::new(pod::FOLDER))? {
                Some(inside) => by_pod(inside, runner)?,
                None => return Err(AccessError::Nowhere),
            },
        },
    };
    gone(way).await
}

/// Names ring as the provider of rustls: with two in a program, kube would panic. Another part may have done so already.
fn install_tls() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// What is in Base64.
fn decoded(data: &str) -> Option<Vec<u8>> {
    let packed: String = data.split_whitespace().collect();
    STANDARD.decode(packed).ok()
}

/// The way of a kubeconfig's context.
async fn by_kubeconfig(chosen: Chosen, from: &str, runner: &Runner) -> Result<Way, AccessError> {
    let whose = match chosen.user_name.as_str() {
        "" => format!("context `{}` of {from}", text::line(&chosen.context)),
        user => format!("user `{}` of {from}", text::line(user)),
    };
    let server = server::of(&chosen.cluster, runner.env(), from)?;
    if server.config.accept_invalid_certs {
        runner.warn(&format!(
            "{from} says `insecure-skip-tls-verify`: whoever is on the way to `{}` can read and change everything",
            server.address
        ));
    }
    let (user, source) = credentials(chosen.user.clone(), &chosen, &whose, runner).await?;
    Ok(Way {
        server,
        user,
        tokens: source.map(Arc::new),
        namespace: chosen.namespace.unwrap_or_else(|| "default".to_owned()),
        whose,
    })
}

/// What kube itself knows how to use, and where tokens come from that it would not renew as we do.
async fn credentials(
    mut user: AuthInfo,
    chosen: &Chosen,
    whose: &str,
    runner: &Runner,
) -> Result<(AuthInfo, Option<Tokens>), AccessError> {
    let none = |reason: String, hint: Option<String>| AccessError::Credentials {
        whose: whose.to_owned(),
        reason,
        hint,
    };
    let tokens = |source, first| Tokens::new(source, first, runner.masks()).map_err(|why| none(why, None));
    let (exec, file) = (user.exec.take(), user.token_file.take());
    if let Some(provider) = user.auth_provider.take() {
        let old = provider.config.get("id-token").filter(|token| !token.is_empty());
        let old = old.map(|token| SecretString::from(token.clone()));
        let name = text::line(&provider.name);
        user.token = user.token.take().or(old);
        if user.token.is_none() {
            let reason =
                format!("its `auth-provider` `{name}` is one that Kubernetes' clients no longer run");
            let hint = "get a new kubeconfig: those of today name a program by `exec`, such as `gke-gcloud-auth-plugin` or `kubelogin`";
            return Err(none(reason, Some(hint.to_owned())));
        }
    }
    user.token = user.token.take().and_then(|token| {
        let token = token.expose_secret().trim().to_owned();
        (!token.is_empty()).then(|| SecretString::from(token))
    });
    if user.token.is_some() || user.username.as_ref().zip(user.password.as_ref()).is_some() {
        return Ok((user, None));
    }
    if let Some(path) = file.filter(|path| !path.is_empty()) {
        return Ok((user, Some(tokens(Source::File(PathBuf::from(path)), None)?)));
    }
    let Some(exec) = exec else { return Ok((user, None)) };
    let cluster = ExecAuthCluster::try_from(&chosen.cluster).ok();
    let plugin = exec::Plugin::new(exec, cluster, runner.masks());
    let mut given = plugin
        .ask()
        .await
        .map_err(|nothing| none(nothing.reason, nothing.hint))?;
    if let Some((certificate, key)) = given.certificate.take() {
        user.client_certificate_data = Some(STANDARD.encode(certificate));
        user.client_key_data = Some(SecretString::from(STANDARD.encode(key.expose_secret())));
    }
    match Fresh::of(given) {
        Some(first) => Ok((
            user,
            Some(tokens(Source::Program(Box::new(plugin)), Some(first))?),
        )),
        None => Ok((user, None)),
    }
}

/// The way from a pod.
fn by_pod(inside: pod::Inside, runner: &Runner) -> Result<Way, AccessError> {
    let whose = "the pod's own account".to_owned();
    let tokens = Tokens::new(Source::File(inside.token), None, runner.masks());
    let tokens = tokens.map_err(|reason| AccessError::Credentials {
        whose: whose.clone(),
        reason,
        hint: None,
    })?;
    Ok(Way {
        server: inside.server,
        user: AuthInfo::default(),
        tokens: Some(Arc::new(tokens)),
        namespace: inside.namespace,
        whose,
    })
}

/// The way to an EKS cluster.
async fn by_eks(name: &str, flags: &cli::Place, runner: &Runner) -> Result<Way, AccessError> {
    let settings = aws::config::Settings {
        interface: runner.interface(),
        region: flags.region.as_deref(),
        endpoint: None,
        connect: Duration::from_secs(5),
        attempt: Duration::from_secs(10),
        call: Duration::from_secs(30),
        attempts: 3,
    };
    let mut config = aws::config::load(&settings).await?;
    if let Some(arn) = &flags.role_arn {
        config = aws::role::assume(config, arn, runner).await?;
    }
    by_aws(&config, name, runner).await
}

/// The same over a way to AWS that is there already.
async fn by_aws(config: &SdkConfig, name: &str, runner: &Runner) -> Result<Way, AccessError> {
    let Some(region) = config.region().map(ToString::to_string) else {
        return Err(AccessError::Setting {
            whose: "`--region`".to_owned(),
            reason: "no region is known: name it here, in `AWS_REGION` or in the profile".to_owned(),
        });
    };
    let whose = format!("EKS cluster `{}`", text::line(name));
    let cluster = eks::find(config, &region, name).await?;
    let server = server::of(&cluster, runner.env(), &whose)?;
    let signer = eks::Signer::new(config, &region, name);
    let none = |reason: String| AccessError::Credentials {
        whose: whose.clone(),
        reason,
        hint: None,
    };
    let first = signer.token().await.map_err(none)?;
    runner.mask(first.token.expose_secret());
    let tokens = Tokens::new(Source::Eks(Box::new(signer)), Some(first), runner.masks()).map_err(none)?;
    Ok(Way {
        server,
        user: AuthInfo::default(),
        tokens: Some(Arc::new(tokens)),
        namespace: "default".to_owned(),
        whose: format!("the AWS credentials at hand for {whose}"),
    })
}

/// Goes a way once.
async fn gone(way: Way) -> Result<Reached, AccessError> {
    let mut config = way.server.config.clone();
    config.default_namespace.clone_from(&way.namespace);
    config.auth_info = way.user.clone();
    let unusable = |error: kube::Error| AccessError::Setting {
        whose: way.whose.clone(),
        reason: unusable(&error),
    };
    let base = ClientBuilder::try_from(config).map_err(unusable)?.build();
    let client = match &way.tokens {
        Some(tokens) => token::carried(&base, Arc::clone(tokens)),
        None => base,
    };
    for pause in PAUSES {
        match known(&client, &way).await {
            Err(error) if error.may_pass() => sleep(pause).await,
            known => return Ok(reached(client, way, known?)),
        }
    }
    let known = known(&client, &way).await?;
    Ok(reached(client, way, known))
}

fn reached(client: Client, way: Way, name: Option<String>) -> Reached {
    Reached {
        client,
        namespace: way.namespace,
        server: way.server.address,
        who: name.unwrap_or(way.whose),
    }
}

/// What is wrong with what a client was to be made of.
fn unusable(error: &kube::Error) -> String {
    let said = match error {
        kube::Error::InferKubeconfig(inner) => inner.to_string(),
        kube::Error::RustlsTls(inner) => inner.to_string(),
        other => other.to_string(),
    };
    text::cut(&text::line(&said), 240)
}

/// The name by which the server knows us. It needs no permission but to be known
/// (<https://kubernetes.io/docs/reference/access-authn-authz/authentication/#self-subject-review>); `None` where the server
/// does not say.
async fn known(client: &Client, way: &Way) -> Result<Option<String>, AccessError> {
    let review = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"});
    let unreachable = |fault| AccessError::Unreachable {
        server: way.server.address.clone(),
        through: way.server.through.clone(),
        fault,
        trust: way.server.trust.clone(),
    };
    let request = http::Request::post("/apis/authentication.k8s.io/v1/selfsubjectreviews")
        .header(http::header::CONTENT_TYPE, "application/json")
        .header(http::header::ACCEPT, "application/json")
        .body(kube::client::Body::from(review.to_string().into_bytes()))
        .map_err(|error| unreachable(fault::Fault::Other(error.to_string())))?;
    let asked = async {
        let answer = client.send(request).await?;
        let status = answer.status();
        let limited = http_body_util::Limited::new(answer.into_body(), 64 * 1024);
        let body = http_body_util::BodyExt::collect(limited).await;
        Ok::<_, kube::Error>((status, body.map(|body| body.to_bytes()).unwrap_or_default()))
    };
    match timeout(TRY, asked).await {
        Err(_) => Err(unreachable(fault::Fault::Silent)),
        Ok(Err(kube::Error::Auth(error))) => Err(AccessError::Credentials {
            whose: way.whose.clone(),
            reason: crate::api::refused::innermost(&error),
            hint: None,
        }),
        Ok(Err(error)) => Err(unreachable(fault::Fault::of(&error))),
        Ok(Ok((status, body))) if !is_of_kubernetes(status, &body) => Err(AccessError::Elsewhere {
            server: way.server.address.clone(),
            through: way.server.through.clone(),
            status: status.as_u16(),
        }),
        Ok(Ok((status, body))) if status == http::StatusCode::UNAUTHORIZED => {
            let body: Value = serde_json::from_slice(&body).unwrap_or_default();
            let said = text::cut(&text::line(body["message"].as_str().unwrap_or_default()), 240);
            let says_more = !said.is_empty() && said != "Unauthorized";
            Err(AccessError::Denied {
                server: way.server.address.clone(),
                whose: way.whose.clone(),
                said: if says_more {
                    format!(": {said}")
                } else {
                    String::new()
                },
            })
        }
        Ok(Ok((status, body))) => {
            let body: Value = serde_json::from_slice(&body).unwrap_or_default();
            let name = body["status"]["userInfo"]["username"]
                .as_str()
                .filter(|name| !name.is_empty());
            Ok(name.filter(|_| status.is_success()).map(text::line))
        }
    }
}

/// Whether an answer may be one of an API server: an object of its API, or the plain words that it has for an address that it does
/// not know (one without `SelfSubjectReview`, before 1.28) and for a faulty login. A success is always an object. A page and a
/// redirection are somebody else's; one of a gateway before the server, by its 5xx, may pass.
fn is_of_kubernetes(status: http::StatusCode, body: &[u8]) -> bool {
    if status.is_server_error() {
        return true;
    }
    let is_object = serde_json::from_slice::<Value>(body).is_ok_and(|body| body.is_object());
    let is_page = body.trim_ascii_start().starts_with(b"<");
    is_object || (status.is_client_error() && !is_page)
}

#[cfg(test)]
mod tests;
