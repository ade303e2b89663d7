//! What a presented chain of certificates says, and what is wrong with it, in words. Pure; whether a chain is accepted
//! is decided by webpki, and only told here.
//!
//! Limits: a certificate that can't be parsed is left out, and nothing is said of revocation.

use jiff::Timestamp;
use rustls::{CertificateError, OtherError};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::x509::X509Name;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::expect::quoted;

/// How many names of a certificate are kept; the others are counted.
const NAMES: usize = 3;

/// How many certificates of a chain are read. Real chains have two to five.
const MOST_CERTIFICATES: usize = 16;

const DAY: i64 = 24 * 60 * 60;

/// One certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Whom it is for: the common name, or the whole subject. Foreign text.
    pub subject: String,
    /// Who signed it, likewise.
    pub issuer: String,
    /// Whether the two are the same.
    pub self_signed: bool,
    /// From when it is valid, in seconds since 1970.
    pub not_before: i64,
    /// Until when it is valid, likewise.
    pub not_after: i64,
    /// The first of the hosts it is for. Foreign text.
    pub names: Vec<String>,
    /// How many more hosts it is for.
    pub more: usize,
}

/// A chain as it was presented, the server's own certificate first, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// The certificates that could be parsed; never empty.
    certificates: Vec<Certificate>,
    /// When it was seen, in seconds since 1970.
    seen: i64,
}

impl Chain {
    /// Reads a chain of DER certificates that was seen at a time. `None` when the first can't be read.
    #[must_use]
    pub fn read<D: AsRef<[u8]>>(der: &[D], seen: i64) -> Option<Self> {
        let (leaf, rest) = der.split_first()?;
        let mut certificates = vec![Certificate::read(leaf.as_ref())?];
        let rest = rest.iter().take(MOST_CERTIFICATES - 1);
        certificates.extend(rest.filter_map(|der| Certificate::read(der.as_ref())));
        Some(Self { certificates, seen })
    }

    /// The server's own.
    #[must_use]
    pub fn leaf(&self) -> Option<&Certificate> {
        self.certificates.first()
    }

    /// The one that ends first; of two that end together, the server's own.
    #[must_use]
    pub fn first_to_end(&self) -> Option<&Certificate> {
        self.certificates
            .iter()
            .min_by_key(|certificate| certificate.not_after)
    }

    /// Whole days until the first of them ends. Where one has ended it is the whole days since then, negative, and -1 also
    /// within the first day: 0 is one that ends today.
    #[must_use]
    pub fn days_left(&self) -> Option<i64> {
        let left = self.first_to_end()?.not_after.saturating_sub(self.seen);
        Some(if left < 0 {
            (left / DAY).min(-1)
        } else {
            left / DAY
        })
    }

    /// Why there are fewer days left than wanted, if so.
    #[must_use]
    pub fn too_few_days(&self, wanted: i64) -> Option<String> {
        let left = self.days_left().filter(|left| *left < wanted)?;
        let first = self.first_to_end()?;
        let end = if left < 0 {
            self.ended(first)
        } else {
            let subject = self.subject(first);
            format!("{subject} ends in {}, on {}", days(left), date(first.not_after))
        };
        Some(format!("{end}; at least {} are expected", days(wanted)))
    }

    /// The server's own certificate in one line.
    #[must_use]
    pub fn summary(&self) -> Option<String> {
        let (leaf, left) = (self.leaf()?, self.days_left()?);
        let left = if left < 0 {
            "ended".to_owned()
        } else {
            format!("{} left", days(left))
        };
        Some(format!(
            "certificate for {}, signed by {}, until {}, {left}",
            leaf.hosts(),
            quoted(&leaf.issuer),
            date(leaf.not_after)
        ))
    }

    /// Why the chain is not accepted for a server of this name.
    #[must_use]
    pub fn refused(&self, error: &CertificateError, name: &str) -> String {
        let Some(leaf) = self.leaf() else {
            return refused_unread(error);
        };
        match error {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                let ended = |one: &&Certificate| one.not_after < self.seen;
                let culprit = self.certificates.iter().find(ended).unwrap_or(leaf);
                self.ended(culprit)
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                let early = |one: &&Certificate| one.not_before > self.seen;
                let culprit = self.certificates.iter().find(early).unwrap_or(leaf);
                format!(
                    "{} is not valid before {}",
                    self.subject(culprit),
                    date(culprit.not_before)
                )
            }
            CertificateError::UnknownIssuer if leaf.self_signed => {
                format!(
                    "the certificate's authority is not trusted (UnknownIssuer): it is self-signed, for {}",
                    leaf.hosts()
                )
            }
            CertificateError::UnknownIssuer => {
                let last = self.certificates.last().unwrap_or(leaf);
                let issuer = quoted(&last.issuer);
                format!("the certificate's authority is not trusted (UnknownIssuer): {issuer}")
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                format!(
                    "the certificate is for {}, not for {}",
                    leaf.hosts(),
                    quoted(name)
                )
            }
            other => refused_unread(other),
        }
    }

    /// A certificate of the chain in a sentence.
    fn subject(&self, certificate: &Certificate) -> String {
        if self.leaf() == Some(certificate) {
            "the certificate".to_owned()
        } else {
            format!("the chain's certificate of {}", quoted(&certificate.subject))
        }
    }

    fn ended(&self, certificate: &Certificate) -> String {
        let ago = self.seen.saturating_sub(certificate.not_after) / DAY;
        let ago = if ago == 0 {
            "less than a day".to_owned()
        } else {
            days(ago)
        };
        let subject = self.subject(certificate);
        format!("{subject} ended on {}, {ago} ago", date(certificate.not_after))
    }
}

/// Why a chain that can't be read is not accepted.
pub(crate) fn refused_unread(error: &CertificateError) -> String {
    let known = match error {
        CertificateError::UnknownIssuer => "the certificate's authority is not trusted (UnknownIssuer)",
        CertificateError::BadEncoding => "the certificate can't be read (BadEncoding)",
        CertificateError::Other(other) if says(other, "CaUsedAsEndEntity") => {
            "the server shows a certificate of an authority (CA:TRUE) as its own (CaUsedAsEndEntity); give it one made with `basicConstraints = CA:FALSE`"
        }
        CertificateError::Other(other) if says(other, "UnsupportedCertVersion") => {
            "the certificate is of an old version, without names in it (UnsupportedCertVersion)"
        }
        CertificateError::Revoked => "the certificate is revoked",
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "the certificate is not for servers"
        }
        // Also where a private authority was made anew under its old name.
        CertificateError::BadSignature => {
            "the certificate's signature is not by the key of the authority that is known by its issuer's name"
        }
        other => return quoted(&format!("invalid certificate: {other}")),
    };
    known.to_owned()
}

/// webpki's own errors are told apart by their names only.
fn says(error: &OtherError, name: &str) -> bool {
    error.to_string().contains(name)
}

impl Certificate {
    fn read(der: &[u8]) -> Option<Self> {
        let (_, certificate) = x509_parser::parse_x509_certificate(der).ok()?;
        let validity = certificate.validity();
        let (names, more) = names(&certificate);
        Some(Self {
            subject: shown(certificate.subject()),
            issuer: shown(certificate.issuer()),
            self_signed: certificate.subject() == certificate.issuer(),
            not_before: validity.not_before.timestamp(),
            not_after: validity.not_after.timestamp(),
            names,
            more,
        })
    }

    /// The hosts it is for, a few of them by name.
    #[must_use]
    pub fn hosts(&self) -> String {
        if self.names.is_empty() {
            return "no host at all".to_owned();
        }
        let named: Vec<String> = self.names.iter().map(|name| quoted(name)).collect();
        let more = match self.more {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        format!("{}{more}", named.join(", "))
    }
}

/// The first names of a certificate, and how many more there are.
fn names(certificate: &X509Certificate<'_>) -> (Vec<String>, usize) {
    let extension = certificate.subject_alternative_name().ok().flatten();
    let Some(extension) = extension else {
        return (Vec::new(), 0);
    };
    let mut hosts = extension.value.general_names.iter().filter_map(host);
    let names = hosts.by_ref().take(NAMES).collect();
    (names, hosts.count())
}

/// A name that a host can have.
fn host(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(octets) => {
            let v4 = <[u8; 4]>::try_from(*octets).map(|octets| IpAddr::V4(Ipv4Addr::from(octets)));
            let v6 = <[u8; 16]>::try_from(*octets).map(|octets| IpAddr::V6(Ipv6Addr::from(octets)));
            v4.or(v6).ok().map(|address| address.to_string())
        }
        _ => None,
    }
}

/// A subject or an issuer.
fn shown(name: &X509Name<'_>) -> String {
    let common = name
        .iter_common_name()
        .next()
        .and_then(|attribute| attribute.as_str().ok());
    common.map_or_else(|| name.to_string(), str::to_owned)
}

/// A day in UTC. The end of a certificate that never ends (RFC 5280, section 4.1.2.5) is beyond what is counted here.
fn date(seconds: i64) -> String {
    let seconds = seconds.clamp(Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
    Timestamp::from_second(seconds).map_or_else(
        |_| "an unknown day".to_owned(),
        |at| at.strftime("%Y-%m-%d").to_string(),
    )
}

fn days(count: i64) -> String {
    if count == 1 {
        "1 day".to_owned()
    } else {
        format!("{count} days")
    }
}

#[cfg(test)]
#[path = "certificate_tests.rs"]
mod tests;
