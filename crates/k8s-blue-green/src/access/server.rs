//! How a server is reached: its address, the authorities that are trusted, and the proxy on the way.

use std::time::Duration;

use gha::edge::http::{Url, authorities, proxy_in};
use gha::env::Env;
use gha::text;
use http::Uri;
use kube::Config;
use kube::config::Cluster;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use super::error::AccessError;

/// The longest that opening a connection may take.
const CONNECT: Duration = Duration::from_secs(5);

/// The longest that a write may be stuck. There is no such limit for reads: a watch and a port-forward are silent for long, and
/// every call has an end of its own.
const WRITE: Duration = Duration::from_secs(30);

/// A server, and how it is reached.
#[derive(Clone, Debug)]
pub(super) struct Server {
    /// What kube makes a client of; without credentials.
    pub(super) config: Config,
    /// The address, for people.
    pub(super) address: String,
    /// The proxy on the way, for people: ` through the proxy …`, or nothing.
    pub(super) through: String,
    /// Where the trusted authorities are from, for people.
    pub(super) trust: String,
}

/// What kube makes a client of, with our limits and without its own retries.
#[must_use]
pub(super) fn limited(address: Uri) -> Config {
    let mut config = Config::new(address);
    config.connect_timeout = Some(CONNECT);
    config.read_timeout = None;
    config.write_timeout = Some(WRITE);
    config.default_retry = false;
    config
}

/// The server of a kubeconfig's cluster. `whose` names the kubeconfig for people.
///
/// # Errors
/// When an address can't be used, or the authorities can't be read.
pub(super) fn of(cluster: &Cluster, env: &Env, whose: &str) -> Result<Server, AccessError> {
    let wrong = |reason: String| AccessError::Setting {
        whose: whose.to_owned(),
        reason,
    };
    let written = cluster.server.as_deref().unwrap_or_default();
    let (uri, url) = parsed(written).map_err(|why| wrong(format!("its `server` {why}")))?;
    let mut config = limited(uri);
    config.tls_server_name = cluster.tls_server_name.clone().filter(|name| !name.is_empty());
    config.accept_invalid_certs = cluster.insecure_skip_tls_verify.unwrap_or_default();
    let own = authority(cluster).map_err(wrong)?;
    let (roots, trust) = match own {
        Some(own) => (own, format!("the authorities of {whose}")),
        None if url.scheme() == "https" => (roots()?, roots_in_words(env)),
        None => (Vec::new(), "none".to_owned()),
    };
    config.root_cert = Some(roots);
    let proxy = match cluster.proxy_url.as_deref().filter(|proxy| !proxy.is_empty()) {
        Some(proxy) => Some((proxy.to_owned(), "its `proxy-url`")),
        None => proxy_in(env, &url).map(|proxy| (proxy, "the proxy of the environment")),
    };
    if let Some((proxy, what)) = &proxy {
        config.proxy_url = Some(proxied(proxy).map_err(|why| wrong(format!("{what} {why}")))?);
    }
    let through = config.proxy_url.as_ref().and_then(Uri::authority);
    let through = through.map(|authority| {
        let host = authority.as_str().rsplit('@').next().unwrap_or_default();
        format!(" through the proxy `{}`", text::line(host))
    });
    Ok(Server {
        config,
        address: shown(&url),
        through: through.unwrap_or_default(),
        trust,
    })
}

/// An address of a server.
fn parsed(written: &str) -> Result<(Uri, Url), String> {
    if written.is_empty() {
        return Err("is not said".to_owned());
    }
    let url: Option<Url> = written.parse().ok();
    let url = url.filter(|url| matches!(url.scheme(), "https" | "http") && url.host().is_some());
    let uri = written.trim().parse().ok();
    url.and_then(|url| Some((uri?, url)))
        .ok_or_else(|| "is no address of `https://host:port`".to_owned())
}

/// An address without what may be secret in it.
fn shown(url: &Url) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    let path = url.path().trim_end_matches('/');
    let host = url.host_str().unwrap_or_default();
    text::line(&format!("{}://{host}{port}{path}", url.scheme()))
}

/// A proxy in the form that kube takes.
fn proxied(written: &str) -> Result<Uri, String> {
    let (scheme, rest) = written
        .trim()
        .split_once("://")
        .unwrap_or(("http", written.trim()));
    // hyper-util's SOCKS client leaves names to the proxy, which is what the `h` is for.
    let scheme = match scheme.to_ascii_lowercase().as_str() {
        "socks5h" | "socks5" => "socks5",
        "http" => "http",
        "https" => "https",
        _ => return Err("is none of `http`, `https` and `socks5`".to_owned()),
    };
    if scheme == "socks5" && rest.contains('@') {
        return Err("has a password, which is supported for `http` and `https` only".to_owned());
    }
    format!("{scheme}://{rest}")
        .parse()
        .ok()
        .filter(|uri: &Uri| uri.host().is_some_and(|host| !host.is_empty()))
        .ok_or_else(|| "is no address of `http://host:port`".to_owned())
}

/// The authorities that a cluster names itself.
fn authority(cluster: &Cluster) -> Result<Option<Vec<Vec<u8>>>, String> {
    let data = cluster
        .certificate_authority_data
        .as_deref()
        .filter(|data| !data.is_empty());
    let file = cluster
        .certificate_authority
        .as_deref()
        .filter(|file| !file.is_empty());
    let (pem, what) = match (data, file) {
        (Some(data), _) => {
            let what = "its `certificate-authority-data`".to_owned();
            let pem = super::decoded(data).ok_or_else(|| format!("{what} is no Base64"))?;
            (pem, what)
        }
        (None, Some(file)) => {
            let what = format!("its `certificate-authority` `{}`", text::line(file));
            let pem = std::fs::read(file).map_err(|error| format!("{what} can't be read: {error}"))?;
            (pem, what)
        }
        (None, None) => return Ok(None),
    };
    let found = certificates(&pem);
    match found.is_empty() {
        true => Err(format!("{what} holds no certificate in PEM")),
        false => Ok(Some(found)),
    }
}

/// The certificates of a text in PEM that can be used.
#[must_use]
pub(super) fn certificates(pem: &[u8]) -> Vec<Vec<u8>> {
    let mut store = rustls::RootCertStore::empty();
    CertificateDer::pem_slice_iter(pem)
        .filter_map(Result::ok)
        .filter(|certificate| store.add(certificate.clone()).is_ok())
        .map(|certificate| certificate.to_vec())
        .collect()
}

/// Those that every other client of ours trusts.
fn roots() -> Result<Vec<Vec<u8>>, AccessError> {
    let machine = authorities()?;
    let trusted = if machine.is_empty() {
        webpki_root_certs::TLS_SERVER_ROOT_CERTS
    } else {
        &machine
    };
    Ok(trusted.iter().map(|certificate| certificate.to_vec()).collect())
}

fn roots_in_words(env: &Env) -> String {
    match env.get("SSL_CERT_FILE") {
        Some(file) => format!("the authorities of `SSL_CERT_FILE` `{}`", text::line(file)),
        None => "the authorities of this machine".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_address(server: &str, proxy: Option<&str>, env: &[(&str, &str)]) -> Result<Server, AccessError> {
        let cluster = Cluster {
            server: Some(server.to_owned()),
            proxy_url: proxy.map(str::to_owned),
            ..Cluster::default()
        };
        of(&cluster, &env.iter().copied().collect(), "`KUBECONFIG`")
    }

    #[test]
    fn an_address_is_shown_without_its_password() {
        let server = of_address("http://u:p@host:8080/k8s/clusters/c-1", None, &[]).unwrap();
        assert_eq!(server.address, "http://host:8080/k8s/clusters/c-1");
        assert!(!server.config.default_retry && server.config.read_timeout.is_none());
    }

    #[test]
    fn the_proxy_is_the_cluster_s_own_else_the_environment_s() {
        let environment = [("HTTP_PROXY", "proxy:3128"), ("NO_PROXY", "inside")];
        for (server, own, expected) in [
            ("http://outside", None, Some("http://proxy:3128/")),
            ("http://inside", None, None),
            (
                "http://inside",
                Some("http://u:p@own:1"),
                Some("http://u:p@own:1/"),
            ),
            ("http://outside", Some("socks5h://own:1"), Some("socks5://own:1/")),
        ] {
            let server = of_address(server, own, &environment).unwrap();
            let proxy = server.config.proxy_url.map(|uri| uri.to_string());
            assert_eq!(proxy.as_deref(), expected);
            assert!(!server.through.contains("u:p"), "{}", server.through);
        }
    }

    #[test]
    fn what_can_t_be_used_is_told() {
        for (server, proxy, words) in [
            ("", None, "`KUBECONFIG`: its `server` is not said"),
            (
                "host:6443",
                None,
                "`KUBECONFIG`: its `server` is no address of `https://host:port`",
            ),
            (
                "https://",
                None,
                "`KUBECONFIG`: its `server` is no address of `https://host:port`",
            ),
            (
                "http://h",
                Some("ftp://x"),
                "`KUBECONFIG`: its `proxy-url` is none of `http`, `https` and `socks5`",
            ),
            (
                "http://h",
                Some("socks5://u:p@x"),
                "`KUBECONFIG`: its `proxy-url` has a password, which is supported for `http` and `https` only",
            ),
        ] {
            assert_eq!(of_address(server, proxy, &[]).unwrap_err().to_string(), words);
        }
    }

    #[test]
    fn authorities_must_be_some() {
        for (data, words) in [("!", "is no Base64"), ("aGVsbG8K", "holds no certificate in PEM")] {
            let cluster = Cluster {
                server: Some("https://h".to_owned()),
                certificate_authority_data: Some(data.to_owned()),
                ..Cluster::default()
            };
            let error = of(&cluster, &Env::default(), "x").unwrap_err().to_string();
            assert_eq!(error, format!("x: its `certificate-authority-data` {words}"));
        }
    }
}
