//! Which certificate authorities a client of the SDK trusts: the same as every other client of ours.
//!
//! The SDK's own rule differs: it trusts nobody where there is no store, and ends the program over a certificate that
//! it can't read. It takes certificates as PEM only.

use aws_smithy_http_client::tls::TrustStore;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gha::edge::http::{HttpError, authorities};
use rustls::pki_types::CertificateDer;
use webpki_root_certs::TLS_SERVER_ROOT_CERTS;

/// The authorities of `SSL_CERT_FILE` and `SSL_CERT_DIR` or the system's; the built-in ones where there is no store.
///
/// # Errors
/// When what the variables name can't be used.
pub(crate) fn store() -> Result<TrustStore, HttpError> {
    let of_machine = authorities()?;
    let trusted = if of_machine.is_empty() {
        TLS_SERVER_ROOT_CERTS
    } else {
        &of_machine
    };
    Ok(TrustStore::empty().with_pem_certificate(pem(trusted)))
}

/// Certificates as PEM (RFC 7468). The base64 is one line; what reads it here takes lines of any length.
fn pem(certificates: &[CertificateDer<'_>]) -> String {
    let one = |certificate: &CertificateDer<'_>| {
        format!(
            "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
            STANDARD.encode(certificate)
        )
    };
    certificates.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::RootCertStore;
    use rustls::pki_types::pem::PemObject as _;

    #[test]
    fn the_built_in_authorities_are_read_back_whole() {
        let pem = pem(TLS_SERVER_ROOT_CERTS);
        let read: Vec<_> = CertificateDer::pem_slice_iter(pem.as_bytes())
            .collect::<Result<_, _>>()
            .unwrap();
        assert_eq!(read, TLS_SERVER_ROOT_CERTS);
        let (good, bad) = RootCertStore::empty().add_parsable_certificates(read);
        assert!(good > 50 && bad == 0, "{good} {bad}");
    }
}
