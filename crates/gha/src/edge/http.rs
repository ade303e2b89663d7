//! The shared HTTP client: proxies, private certificate authorities and limits, the same for every request.

use std::net::IpAddr;
use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use hyper_util::client::proxy::matcher::{Intercept, Matcher};
pub use reqwest::Url;
use reqwest::header::HeaderValue;
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, Proxy};
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore, crypto::ring};

use crate::env::Env;
use crate::failure::chain;
use crate::interface::Interface;

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// What `SSL_CERT_FILE` or `SSL_CERT_DIR` names can't be used.
    #[error("failed to read the certificate authorities from `{0}`: {1}")]
    Certificates(String, String),
    /// The TLS settings are refused.
    #[error("failed to set up TLS")]
    Tls(#[from] rustls::Error),
    /// The client's settings are refused, such as a proxy's address.
    #[error("failed to set up the HTTP client")]
    Client(#[source] reqwest::Error),
}

/// Whether a client for these addresses has to speak TLS: to one of them, or to a proxy on the way. Where it has not,
/// the certificate authorities are not read, which takes longer than all the rest of a request to a neighbour.
#[must_use]
pub fn speaks_tls<'a>(addresses: impl IntoIterator<Item = &'a Url>, env: &Env) -> bool {
    let proxies = [
        "HTTPS_PROXY",
        "https_proxy",
        "HTTP_PROXY",
        "http_proxy",
        "ALL_PROXY",
        "all_proxy",
    ];
    let secure = |address: &str| address.trim_start().to_ascii_lowercase().starts_with("https:");
    addresses.into_iter().any(|url| url.scheme() != "http")
        || proxies.into_iter().filter_map(|name| env.get(name)).any(secure)
}

/// The proxy through which a request to an address goes, as `host:port`; `None` where it goes straight. Decided by the
/// code that decides it for the request itself.
#[must_use]
pub fn proxy(url: &Url) -> Option<String> {
    let uri = intercepted(url)?.uri().clone();
    let host = uri.host()?;
    Some(
        uri.port_u16()
            .map_or(host.to_owned(), |port| format!("{host}:{port}")),
    )
}

/// A proxy on the way, for a client that makes its own connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Via {
    /// Its host, an IPv6 address without brackets.
    pub host: String,
    /// Its port; the scheme's own where none is written.
    pub port: u16,
    /// `http`, `https`, `socks5` and its kin.
    pub scheme: String,
    /// The value of `Proxy-Authorization`, marked as sensitive.
    pub credentials: Option<HeaderValue>,
}

/// The proxy of [`proxy()`] with what it takes to connect to it.
#[must_use]
pub fn via(url: &Url) -> Option<Via> {
    let proxy = intercepted(url)?;
    let scheme = proxy.uri().scheme_str().unwrap_or("http");
    let port = match scheme {
        "https" => 443,
        "http" => 80,
        _ => 1080,
    };
    Some(Via {
        host: proxy.uri().host()?.trim_matches(['[', ']']).to_owned(),
        port: proxy.uri().port_u16().unwrap_or(port),
        scheme: scheme.to_owned(),
        credentials: proxy.basic_auth().cloned(),
    })
}

/// The address of the proxy that an environment names for an address, as it is written there, with its password where it has
/// one; `None` where the address is reached without. For a client that is told its proxy.
#[must_use]
pub fn proxy_in(env: &Env, url: &Url) -> Option<String> {
    if is_this_machine(url) {
        return None;
    }
    let first = |names: [&str; 2]| {
        names
            .into_iter()
            .find_map(|name| env.get(name))
            .map(str::to_owned)
    };
    let all = first(["ALL_PROXY", "all_proxy"]);
    let named = match url.scheme() {
        "https" => first(["HTTPS_PROXY", "https_proxy"]).or(all)?,
        _ => first(["HTTP_PROXY", "http_proxy"]).or(all)?,
    };
    let no = first(["NO_PROXY", "no_proxy"]).unwrap_or_default();
    let matcher = Matcher::builder().all(named.clone()).no(no).build();
    matcher.intercept(&url.as_str().parse().ok()?)?;
    Some(named)
}

/// Whether an address is on this machine, where no proxy of an environment leads: it would look for it on its own. What a tool
/// opens here itself, such as the way to a preview, needs no `NO_PROXY` so. The rule is that of
/// [Go](https://pkg.go.dev/net/http#ProxyFromEnvironment), by which the programs of Kubernetes go.
fn is_this_machine(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let name = host.trim_end_matches('.');
    name == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn intercepted(url: &Url) -> Option<Intercept> {
    if is_this_machine(url) {
        return None;
    }
    // Read once: nothing here changes the environment, and a probe asks for every look.
    static PROXIES: LazyLock<Matcher> = LazyLock::new(Matcher::from_env);
    PROXIES.intercept(&url.as_str().parse().ok()?)
}

/// How a program names itself to servers.
#[must_use]
pub fn user_agent(interface: &Interface) -> String {
    format!("deploy-actions/{} {}", interface.version, interface.name)
}

/// A client: HTTPS with ring, the system's certificate authorities or those of `SSL_CERT_FILE`, `HTTPS_PROXY` and
/// `NO_PROXY` obeyed, no redirects followed, because a login page that answers 200 is a classic false pass. Without
/// `tls` no certificate is trusted. `connect` is the longest that opening a connection may take, and every request opens
/// its own: behind a balancer a kept one would meet the same instance again and again.
///
/// # Errors
/// When the certificate authorities or the proxy can't be used.
pub fn client(interface: &Interface, tls: bool, connect: Duration) -> Result<Client, HttpError> {
    builder(interface, tls, connect)?
        .build()
        .map_err(HttpError::Client)
}

/// The settings of [`client`], for a test that adds its own.
///
/// # Errors
/// When the certificate authorities can't be used.
pub fn builder(interface: &Interface, tls: bool, connect: Duration) -> Result<ClientBuilder, HttpError> {
    let roots = if tls { roots()? } else { RootCertStore::empty() };
    let env = crate::edge::environment::of_process();
    Ok(Client::builder()
        .proxy(Proxy::custom(move |url| proxy_in(&env, url)))
        .tls_backend_preconfigured(config(roots)?)
        .user_agent(user_agent(interface))
        .redirect(Policy::none())
        .connect_timeout(connect)
        .pool_max_idle_per_host(0))
}

/// TLS with ring that trusts these authorities.
fn config(roots: RootCertStore) -> Result<ClientConfig, rustls::Error> {
    Ok(
        ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth(),
    )
}

/// The certificate authorities that this machine trusts: those of `SSL_CERT_FILE` and `SSL_CERT_DIR` or the system's.
/// None where there is no store at all, as in an empty container; a client then takes built-in ones. A file or folder that
/// is named and holds none is an error: trusting others instead would surprise.
///
/// # Errors
/// When what is named holds no certificate that can be used.
pub fn authorities() -> Result<Vec<CertificateDer<'static>>, HttpError> {
    let env = crate::edge::environment::of_process();
    if let Some(file) = env.get("SSL_CERT_FILE") {
        let named = rustls_native_certs::load_certs_from_paths(Some(Path::new(file)), None);
        if named.certs.is_empty() {
            let reason = named
                .errors
                .first()
                .map_or("it holds no certificate".to_owned(), |error| chain(error));
            return Err(HttpError::Certificates(file.to_owned(), reason));
        }
    }
    let mut usable = rustls_native_certs::load_native_certs().certs;
    usable.retain(|certificate| RootCertStore::empty().add(certificate.clone()).is_ok());
    match env.get("SSL_CERT_DIR") {
        Some(folder) if usable.is_empty() => Err(HttpError::Certificates(
            folder.to_owned(),
            "it holds no certificate".to_owned(),
        )),
        _ => Ok(usable),
    }
}

/// What [`authorities`] gives; the built-in ones where that is none.
///
/// # Errors
/// When what is named holds no certificate that can be used.
pub fn roots() -> Result<RootCertStore, HttpError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(authorities()?);
    if roots.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    Ok(roots)
}

/// An error of a request as one line without the address, which may hold a secret, and without the layers of the
/// library, which help nobody.
#[must_use]
pub fn reason(error: reqwest::Error) -> String {
    reason_of(&error.without_url())
}

/// The same of an error that somebody else holds, with its address where nothing else says what went wrong.
#[must_use]
pub fn reason_of(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return if error.is_connect() {
            "could not connect in time"
        } else {
            "no complete answer in time"
        }
        .to_owned();
    }
    let mut causes = vec![error.to_string()];
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        causes.push(cause.to_string());
        source = cause.source();
    }
    let layer = |text: &str| text.starts_with("error ") || text.starts_with("client error (");
    let telling: Vec<String> = causes.iter().filter(|cause| !layer(cause)).cloned().collect();
    if telling.is_empty() {
        causes.join(": ")
    } else {
        telling.join(": ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_environment_names_a_proxy_and_who_is_reached_without() {
        let env = |pairs: &[(&str, &str)]| pairs.iter().copied().collect::<Env>();
        let url = Url::parse("https://k8s.example.com:6443/").unwrap();
        for (pairs, expected) in [
            (&[][..], None),
            (
                &[("HTTPS_PROXY", "http://u:p@proxy:3128")],
                Some("http://u:p@proxy:3128"),
            ),
            (&[("all_proxy", "proxy:3128")], Some("proxy:3128")),
            (&[("HTTP_PROXY", "http://proxy:3128")], None),
            (
                &[
                    ("HTTPS_PROXY", "http://proxy:3128"),
                    ("NO_PROXY", "a,,.example.com"),
                ],
                None,
            ),
            (
                &[("HTTPS_PROXY", "http://proxy:3128"), ("no_proxy", "proxy")],
                Some("http://proxy:3128"),
            ),
        ] {
            assert_eq!(proxy_in(&env(pairs), &url).as_deref(), expected, "{pairs:?}");
        }
    }

    #[test]
    fn no_proxy_leads_to_this_machine() {
        let env: Env = [("ALL_PROXY", "http://proxy:3128")].into_iter().collect();
        for (address, is_here) in [
            ("http://127.0.0.1:8080/", true),
            ("https://127.8.0.1/", true),
            ("http://[::1]:8080/", true),
            ("http://LOCALHOST./", true),
            ("http://localhost.example.com/", false),
            ("http://10.0.0.1/", false),
        ] {
            let url = Url::parse(address).unwrap();
            assert_eq!(is_this_machine(&url), is_here, "{address}");
            assert_eq!(proxy_in(&env, &url).is_none(), is_here, "{address}");
        }
    }

    #[test]
    fn plain_addresses_need_no_certificates() {
        for (address, proxy, tls) in [
            ("http://127.0.0.1:8080/", ("X", ""), false),
            ("https://example.com/", ("X", ""), true),
            ("http://example.com/", ("HTTP_PROXY", "http://proxy:3128"), false),
            ("http://example.com/", ("http_proxy", "HTTPS://proxy:3128"), true),
        ] {
            let env: Env = [proxy].into_iter().collect();
            let url = Url::parse(address).unwrap();
            assert_eq!(speaks_tls([&url], &env), tls, "{address} {proxy:?}");
        }
    }
}
