//! The shared HTTP client: proxies, private certificate authorities and limits, the same for every request.

use std::sync::Arc;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder};
use rustls::{ClientConfig, RootCertStore, crypto::ring};

use crate::failure::chain;
use crate::interface::Interface;

/// The longest time that opening a connection may take.
const CONNECT: Duration = Duration::from_secs(10);

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// A certificate file is there and can't be used.
    #[error("failed to read the certificate authorities: {0}")]
    Certificates(String),
    /// The TLS settings are refused.
    #[error("failed to set up TLS")]
    Tls(#[from] rustls::Error),
    /// The client's settings are refused, such as a proxy's address.
    #[error("failed to set up the HTTP client")]
    Client(#[source] reqwest::Error),
}

/// A client: HTTPS with ring, the system's certificate authorities or those of `SSL_CERT_FILE`, `HTTPS_PROXY` and
/// `NO_PROXY` obeyed, no redirects followed, because a login page that answers 200 is a classic false pass.
///
/// # Errors
/// When the certificate authorities or the proxy can't be used.
pub fn client(interface: &Interface) -> Result<Client, HttpError> {
    builder(interface)?.build().map_err(HttpError::Client)
}

/// The settings of [`client`], for a tool that adds its own.
///
/// # Errors
/// When the certificate authorities can't be used.
pub fn builder(interface: &Interface) -> Result<ClientBuilder, HttpError> {
    let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots()?)
        .with_no_client_auth();
    Ok(Client::builder()
        .tls_backend_preconfigured(tls)
        .user_agent(format!("deploy-actions/{} {}", interface.version, interface.name))
        .redirect(Policy::none())
        .connect_timeout(CONNECT))
}

/// The certificate authorities to trust: those of `SSL_CERT_FILE` and `SSL_CERT_DIR` or the system's; where there is
/// no store at all, as in an empty container, the built-in ones.
fn roots() -> Result<RootCertStore, HttpError> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        // A store that is named and can't be read is not an absent one: trusting others instead would surprise.
        let named = crate::edge::environment::of_process();
        if let Some(error) = found
            .errors
            .first()
            .filter(|_| named.get("SSL_CERT_FILE").is_some())
        {
            return Err(HttpError::Certificates(chain(error)));
        }
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    Ok(roots)
}

/// An error of a request as one line without the address, which may hold a secret.
#[must_use]
pub fn reason(error: reqwest::Error) -> String {
    let error = error.without_url();
    match (error.is_timeout(), error.is_connect()) {
        (true, true) => "could not connect in time".to_owned(),
        (true, false) => "no complete answer in time".to_owned(),
        _ => chain(&error),
    }
}
