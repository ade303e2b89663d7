//! Kubeconfig files that lead to a cluster.

use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::auth::User;
use crate::http::tls::Authority;

/// How one logs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Login {
    /// By a bearer token.
    Token,
    /// By a client certificate.
    Certificate,
}

/// The file. It is JSON, which is YAML.
pub(super) fn write(
    url: &str,
    ca_pem: &str,
    user: &User,
    login: Login,
    authority: Option<&Authority>,
) -> io::Result<String> {
    let entry = match login {
        Login::Token => json!({ "token": user.token }),
        Login::Certificate => {
            let authority =
                authority.ok_or_else(|| io::Error::other("a cluster without an address has no authority"))?;
            let (certificate, key) = authority.client(&user.name)?;
            json!({ "client-certificate-data": STANDARD.encode(certificate), "client-key-data": STANDARD.encode(key) })
        }
    };
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "sandbox", "preferences": {},
        "clusters": [{ "name": "sandbox", "cluster": { "server": url, "certificate-authority-data": STANDARD.encode(ca_pem) } }],
        "users": [{ "name": user.name, "user": entry }],
        "contexts": [{ "name": "sandbox", "context": { "cluster": "sandbox", "user": user.name, "namespace": "default" } }],
    });
    Ok(format!("{config:#}\n"))
}
