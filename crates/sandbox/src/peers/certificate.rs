//! Certificates for real servers: good, self-signed, expired. They live as long as a test.

use std::io;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};

use super::Place;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A certificate for `127.0.0.1` and `localhost` with its key, and what a client has to trust, as PEM.
#[derive(Debug, Clone)]
pub struct Certificate {
    chain: String,
    key: String,
    authority: String,
}

/// When a certificate is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Valid {
    /// Now and for long.
    Now,
    /// Until the end of January 2020.
    Once,
    /// From the year 4000 on.
    Later,
    /// For so many more days, and half a day.
    Days(u32),
}

impl Certificate {
    /// One of an authority made for it.
    ///
    /// # Errors
    /// When it can't be made.
    pub fn signed(valid: Valid) -> io::Result<Self> {
        Self::make_signed(valid).map_err(io::Error::other)
    }

    /// One that signs itself.
    ///
    /// # Errors
    /// When it can't be made.
    pub fn self_signed() -> io::Result<Self> {
        Self::make_self_signed().map_err(io::Error::other)
    }

    fn make_signed(valid: Valid) -> Result<Self, rcgen::Error> {
        let mut ca = CertificateParams::default();
        ca.distinguished_name
            .push(DnType::CommonName, "peers' throw-away CA");
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca = CertifiedIssuer::self_signed(ca, KeyPair::generate()?)?;
        let key = KeyPair::generate()?;
        let chain = params(valid)?.signed_by(&key, &ca)?.pem();
        Ok(Self {
            chain,
            key: key.serialize_pem(),
            authority: ca.pem(),
        })
    }

    fn make_self_signed() -> Result<Self, rcgen::Error> {
        let key = KeyPair::generate()?;
        let chain = params(Valid::Now)?.self_signed(&key)?.pem();
        Ok(Self {
            authority: chain.clone(),
            chain,
            key: key.serialize_pem(),
        })
    }

    /// The authority's certificate, for `SSL_CERT_FILE`.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Writes `cert.pem` and `key.pem` for a server, and `authority.pem` for who checks the other side.
    ///
    /// # Errors
    /// When they can't be written.
    pub fn write(&self, place: &Place) -> io::Result<()> {
        place.write("cert.pem", &self.chain)?;
        place.write("key.pem", &self.key)?;
        place.write("authority.pem", &self.authority).map(drop)
    }
}

fn params(valid: Valid) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(["localhost".to_owned(), "127.0.0.1".to_owned()])?;
    (params.not_before, params.not_after) = match valid {
        Valid::Now => (date_time_ymd(2020, 1, 1), date_time_ymd(4096, 1, 1)),
        Valid::Once => (date_time_ymd(2020, 1, 1), date_time_ymd(2020, 1, 31)),
        Valid::Later => (date_time_ymd(4000, 1, 1), date_time_ymd(4096, 1, 1)),
        Valid::Days(days) => {
            let end = now() + DAY * days + DAY / 2;
            (date_time_ymd(2020, 1, 1), date_time_ymd(1970, 1, 1) + end)
        }
    };
    Ok(params)
}

/// The time since 1970.
#[expect(
    clippy::disallowed_methods,
    reason = "who judges the certificate looks at this clock too"
)]
fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
