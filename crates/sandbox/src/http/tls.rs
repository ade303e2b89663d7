//! A throw-away certificate authority, server certificates from it, and client certificates by name.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio_rustls::TlsAcceptor;

/// A server's TLS, and the authority that a client must trust.
pub(crate) struct Tls {
    pub(crate) acceptor: TlsAcceptor,
    pub(crate) ca_pem: String,
}

/// An authority. Nothing of it outlives the process.
pub(crate) struct Authority {
    ca: CertifiedIssuer<'static, KeyPair>,
    /// The client certificates that it gave, and to whom.
    given: Mutex<Vec<(CertificateDer<'static>, String)>>,
}

/// Makes an authority and a server's TLS for these names and addresses.
pub(crate) fn make(names: &[&str]) -> io::Result<Tls> {
    let authority = Authority::new()?;
    let (certificate, key) = authority.server_certificate(names)?;
    let config = builder()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .map_err(io::Error::other)?;
    Ok(Tls {
        acceptor: TlsAcceptor::from(Arc::new(config)),
        ca_pem: authority.ca_pem(),
    })
}

impl Authority {
    pub(crate) fn new() -> io::Result<Self> {
        let mut ca = CertificateParams::default();
        ca.distinguished_name
            .push(DnType::CommonName, "sandbox throw-away CA");
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let ca = CertifiedIssuer::self_signed(ca, KeyPair::generate().map_err(io::Error::other)?)
            .map_err(io::Error::other)?;
        Ok(Self {
            ca,
            given: Mutex::default(),
        })
    }

    pub(crate) fn ca_pem(&self) -> String {
        self.ca.pem()
    }

    /// A server's TLS for these names and addresses, which asks for a client certificate and takes none as well.
    pub(crate) fn server(&self, names: &[&str]) -> io::Result<TlsAcceptor> {
        let (certificate, key) = self.server_certificate(names)?;
        let mut roots = RootCertStore::empty();
        roots.add(self.ca.der().clone()).map_err(io::Error::other)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
            .allow_unauthenticated()
            .build()
            .map_err(io::Error::other)?;
        let config = builder()?
            .with_client_cert_verifier(verifier)
            .with_single_cert(vec![certificate], key)
            .map_err(io::Error::other)?;
        Ok(TlsAcceptor::from(Arc::new(config)))
    }

    /// A client certificate for a common name, and its key, as PEM.
    pub(crate) fn client(&self, name: &str) -> io::Result<(String, String)> {
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let certificate = params.signed_by(&key, &self.ca).map_err(io::Error::other)?;
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        given.push((certificate.der().clone(), name.to_owned()));
        Ok((certificate.pem(), key.serialize_pem()))
    }

    /// To whom it gave a client certificate.
    pub(crate) fn whose(&self, certificate: &CertificateDer<'_>) -> Option<String> {
        let given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        let found = given
            .iter()
            .find(|(known, _)| known.as_ref() == certificate.as_ref());
        found.map(|(_, name)| name.clone())
    }

    fn server_certificate(
        &self,
        names: &[&str],
    ) -> io::Result<(CertificateDer<'static>, PrivateKeyDer<'static>)> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let certificate = CertificateParams::new(names)
            .and_then(|params| params.signed_by(&key, &self.ca))
            .map_err(io::Error::other)?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        Ok((certificate.der().clone(), key))
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Authority").finish_non_exhaustive()
    }
}

fn builder() -> io::Result<rustls::ConfigBuilder<ServerConfig, rustls::WantsVerifier>> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)
}
