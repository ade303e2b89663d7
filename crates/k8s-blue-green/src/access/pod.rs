//! The way from a pod to the cluster that it is in, by the account that it runs as
//! (<https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/>).

use std::path::{Path, PathBuf};

use gha::env::Env;
use http::Uri;

use super::error::AccessError;
use super::server::{self, Server};

/// Where the account's files are.
pub(super) const FOLDER: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// The way from a pod.
#[derive(Debug)]
pub(super) struct Inside {
    /// The server.
    pub(super) server: Server,
    /// The file with the account's token, which is renewed.
    pub(super) token: PathBuf,
    /// The pod's namespace.
    pub(super) namespace: String,
}

/// The way from this pod; `None` where this is none, or one without an account.
///
/// # Errors
/// When the account's files can't be used.
pub(super) fn of(env: &Env, folder: &Path) -> Result<Option<Inside>, AccessError> {
    let named = env
        .get("KUBERNETES_SERVICE_HOST")
        .zip(env.get("KUBERNETES_SERVICE_PORT"));
    let token = folder.join("token");
    let Some((host, port)) = named.filter(|_| token.is_file()) else {
        return Ok(None);
    };
    let wrong = |reason: String| AccessError::Setting {
        whose: "the pod's own account".to_owned(),
        reason,
    };
    let host = if host.contains(':') {
        format!("[{host}]")
    } else {
        host.to_owned()
    };
    let address = format!("https://{host}:{port}");
    let uri: Uri = address.parse().map_err(|_| {
        wrong("`KUBERNETES_SERVICE_HOST` and `KUBERNETES_SERVICE_PORT` are no address".to_owned())
    })?;
    let file = folder.join("ca.crt");
    let pem = std::fs::read(&file)
        .map_err(|error| wrong(format!("`{}` can't be read: {error}", file.display())))?;
    if server::certificates(&pem).is_empty() {
        return Err(wrong(format!("`{}` holds no certificate in PEM", file.display())));
    }
    let mut config = server::limited(uri);
    // kube reads it again every minute.
    config.root_cert_file = Some(file);
    let namespace = std::fs::read_to_string(folder.join("namespace")).unwrap_or_default();
    let namespace = match namespace.trim() {
        "" => "default".to_owned(),
        namespace => namespace.to_owned(),
    };
    Ok(Some(Inside {
        server: Server {
            config,
            address,
            through: String::new(),
            trust: "the authorities of the pod's own account".to_owned(),
        },
        token,
        namespace,
    }))
}
