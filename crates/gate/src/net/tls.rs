//! TLS whose presented chain is kept, whether it is accepted or not.
//!
//! A verifier of ours writes the chain down and leaves the decision to webpki. Sessions are not resumed, so every
//! handshake presents its chain. The trusted authorities are those of `gha::edge::http::roots`.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ResolvesClientCert, Resumption, WebPkiServerVerifier};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, ring, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{
    AlertDescription, CertificateError, ClientConfig, DigitallySignedStruct, Error, InvalidMessage,
    RootCertStore, SignatureScheme,
};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use gha::edge::http::HttpError;

use crate::expect::quoted;
use crate::finding::{Fault, FaultKind};

use super::certificate::{Chain, refused_unread};
use super::fault;

/// Whose certificates are accepted.
#[derive(Clone)]
pub struct Trust {
    provider: Arc<CryptoProvider>,
    accepted: Accepted,
}

#[derive(Clone)]
enum Accepted {
    Nobody,
    Anyone,
    SignedBy(Arc<WebPkiServerVerifier>),
}

impl Trust {
    /// The system's authorities, or those that `SSL_CERT_FILE` and `SSL_CERT_DIR` name.
    ///
    /// # Errors
    /// When what they name can't be used.
    pub fn system() -> Result<Self, HttpError> {
        Self::of(gha::edge::http::roots()?)
    }

    /// These authorities.
    ///
    /// # Errors
    /// When there are none.
    pub fn of(roots: RootCertStore) -> Result<Self, HttpError> {
        let provider = Arc::new(ring::default_provider());
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            .build()
            .map_err(|error| Error::General(error.to_string()))?;
        let accepted = Accepted::SignedBy(verifier);
        Ok(Self { provider, accepted })
    }

    /// Nobody: for targets without TLS, where reading the authorities would take longer than all the rest.
    #[must_use]
    pub fn nobody() -> Self {
        Self {
            provider: Arc::new(ring::default_provider()),
            accepted: Accepted::Nobody,
        }
    }

    /// Anyone: the connection is encrypted, and who is at its other end is not known. For questions without a secret.
    pub(crate) fn anyone() -> Self {
        Self {
            provider: Arc::new(ring::default_provider()),
            accepted: Accepted::Anyone,
        }
    }

    /// For one handshake.
    pub(crate) fn recorder(&self) -> Arc<Recorder> {
        Arc::new(Recorder {
            trust: self.clone(),
            record: Mutex::default(),
        })
    }
}

impl fmt::Debug for Trust {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = match self.accepted {
            Accepted::Nobody => "nobody",
            Accepted::Anyone => "anyone",
            Accepted::SignedBy(_) => "authorities",
        };
        write!(formatter, "Trust({known})")
    }
}

/// What one handshake showed.
pub(crate) struct Recorder {
    trust: Trust,
    record: Mutex<Record>,
}

#[derive(Default)]
struct Record {
    chain: Vec<CertificateDer<'static>>,
    /// Seconds since 1970.
    seen: i64,
    accepted: bool,
    /// Whether the server asked for a client's certificate.
    asked: bool,
}

impl fmt::Debug for Recorder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Recorder")
    }
}

impl Recorder {
    fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The chain, if one has been presented and can be read.
    pub(crate) fn chain(&self) -> Option<Chain> {
        let record = self.record();
        Chain::read(&record.chain, record.seen)
    }

    /// Whether the server has its certificate's key. Whoever accepts any certificate gains nothing by that, and would
    /// refuse the old ones that libpq takes.
    fn signed(
        &self,
        verify: impl FnOnce(&WebPkiSupportedAlgorithms) -> Result<HandshakeSignatureValid, Error>,
    ) -> Result<HandshakeSignatureValid, Error> {
        match self.trust.accepted {
            Accepted::Anyone => Ok(HandshakeSignatureValid::assertion()),
            Accepted::Nobody | Accepted::SignedBy(_) => {
                verify(&self.trust.provider.signature_verification_algorithms)
            }
        }
    }
}

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let owned = |one: &CertificateDer<'_>| one.clone().into_owned();
        {
            let mut record = self.record();
            record.chain = [end_entity].into_iter().chain(intermediates).map(owned).collect();
            record.seen = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        }
        let verified = match &self.trust.accepted {
            Accepted::Nobody => return Err(Error::InvalidCertificate(CertificateError::UnknownIssuer)),
            Accepted::Anyone => ServerCertVerified::assertion(),
            Accepted::SignedBy(verifier) => {
                verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)?
            }
        };
        self.record().accepted = true;
        Ok(verified)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signed(|algorithms| verify_tls12_signature(message, cert, dss, algorithms))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signed(|algorithms| verify_tls13_signature(message, cert, dss, algorithms))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let algorithms = &self.trust.provider.signature_verification_algorithms;
        algorithms.supported_schemes()
    }
}

/// There is no certificate of ours to show; that one is asked for is written down.
impl ResolvesClientCert for Recorder {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.record().asked = true;
        None
    }

    fn has_certs(&self) -> bool {
        false
    }
}

/// A handshake that ended, well or not, and what it showed.
pub(crate) struct Handshake<S> {
    /// The secured connection, or what is wrong.
    pub(crate) outcome: Result<TlsStream<S>, Fault>,
    /// What the server presented.
    pub(crate) chain: Option<Chain>,
    /// Whether that was accepted, whatever came after it.
    pub(crate) accepted: bool,
    /// Whether the server asked for a certificate of the client.
    pub(crate) asked: bool,
}

/// The name that a certificate must be for.
pub(crate) fn server_name(host: &str) -> Result<ServerName<'static>, Fault> {
    ServerName::try_from(host.to_owned()).map_err(|_| {
        let reason = format!("TLS failed: {} is no name a certificate can be for", quoted(host));
        fault(FaultKind::Tls, reason)
    })
}

/// Secures a connection to a server of this name, for one of the protocols of `alpn`, the preferred first.
pub(crate) async fn handshake<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    name: ServerName<'static>,
    alpn: &[&str],
    trust: &Trust,
    recorder: Arc<Recorder>,
) -> Result<Handshake<S>, Fault> {
    let shown = name.to_str().into_owned();
    let mut config = ClientConfig::builder_with_provider(Arc::clone(&trust.provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| fault(FaultKind::Tls, format!("TLS failed: {error}")))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(&recorder) as Arc<dyn ServerCertVerifier>)
        .with_client_cert_resolver(Arc::clone(&recorder) as Arc<dyn ResolvesClientCert>);
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    config.resumption = Resumption::disabled();
    let shaken = TlsConnector::from(Arc::new(config)).connect(name, stream).await;
    let chain = recorder.chain();
    let (accepted, asked) = {
        let record = recorder.record();
        (record.accepted, record.asked)
    };
    let outcome = shaken.map_err(|error| {
        let reason = broken(&error, chain.as_ref(), &shown, asked);
        fault(FaultKind::Tls, format!("TLS failed: {reason}"))
    });
    Ok(Handshake {
        outcome,
        chain,
        accepted,
        asked,
    })
}

/// The error of rustls in one of a connection, which may be layers down.
pub(crate) fn of_rustls<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<Error>() {
            return Some(found);
        }
        // The source of an I/O error is the source of what it wraps, not what it wraps.
        let wrapped = error
            .downcast_ref::<io::Error>()
            .and_then(|error| error.get_ref())
            .map(|inner| inner as &(dyn std::error::Error + 'static));
        next = wrapped.or_else(|| error.source());
    }
    None
}

/// Why a handshake broke off.
fn broken(error: &io::Error, chain: Option<&Chain>, name: &str, asked: bool) -> String {
    match of_rustls(error) {
        Some(Error::InvalidCertificate(refused)) => {
            chain.map_or_else(|| refused_unread(refused), |chain| chain.refused(refused, name))
        }
        Some(Error::AlertReceived(alert)) => alerted(*alert, name, asked),
        Some(Error::InvalidMessage(InvalidMessage::InvalidContentType)) => {
            "the server does not speak it at this port".to_owned()
        }
        Some(Error::PeerIncompatible(_)) => {
            format!("the server and this program have no way to speak it in common: {error}")
        }
        Some(other) => quoted(&other.to_string()),
        None if error.kind() == io::ErrorKind::UnexpectedEof => {
            "the server hung up in the handshake".to_owned()
        }
        None => format!("the connection broke in the handshake: {error}"),
    }
}

/// Why a connection broke after its handshake with a server of this name.
pub(crate) fn broken_off(error: &Error, name: &str) -> String {
    match error {
        Error::AlertReceived(alert) => alerted(*alert, name, false),
        other => quoted(&other.to_string()),
    }
}

/// What an alert of the server says, in its own name where words of ours would say no more (RFC 8446, section 6.2).
pub(crate) fn alerted(alert: AlertDescription, name: &str, asked: bool) -> String {
    match alert {
        AlertDescription::CertificateRequired => "the server demands a client certificate".to_owned(),
        AlertDescription::UnrecognisedName => format!("the server knows no {}", quoted(name)),
        AlertDescription::NoApplicationProtocol => {
            "the server speaks none of the protocols that were offered".to_owned()
        }
        AlertDescription::ProtocolVersion => "the server speaks only older versions of it".to_owned(),
        _ => {
            let alert = alert.as_str().unwrap_or("an unknown alert");
            if asked {
                format!("the server asked for a client certificate and hung up ({alert})")
            } else {
                format!("the server broke it off ({alert})")
            }
        }
    }
}
