//! Why a server can't be reached, in words. Pure.
//!
//! The layers of the client wrap each other's errors; what helps is at the bottom, and its own words are those of a library
//! ("invalid peer certificate: UnknownIssuer").

use std::error::Error;
use std::fmt;
use std::io;
use std::iter::successors;

use gha::text;
use rustls::{AlertDescription, CertificateError};

/// How much is quoted of an error that is not known here.
const QUOTED: usize = 240;

/// Why a server can't be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nobody listens.
    Refused,
    /// The name has no address.
    Name(String),
    /// No answer to the opening of a connection, or none at all.
    Silent,
    /// The connection was closed.
    Closed,
    /// Its certificate is signed by an authority that is not trusted.
    Authority,
    /// Its certificate has ended, or has not begun.
    Dates(&'static str),
    /// Its certificate is another host's.
    OtherHost(String),
    /// It is refused for another reason.
    Certificate(String),
    /// The server refuses our own certificate.
    OurCertificate(String),
    /// It speaks no TLS.
    Plain,
    /// The proxy on the way says no.
    Proxy(String),
    /// Anything else.
    Other(String),
}

impl Fault {
    /// What is at the bottom of an error.
    #[must_use]
    pub fn of(error: &(dyn Error + 'static)) -> Self {
        let mut words = String::new();
        for layer in layers(error) {
            let said = layer.to_string();
            if let Some(known) = known(layer, &said) {
                return known;
            }
            words = said;
        }
        Self::Other(text::cut(&text::line(&words), QUOTED))
    }

    /// Whether it may pass.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        matches!(
            self,
            Self::Refused | Self::Name(_) | Self::Silent | Self::Closed | Self::Proxy(_) | Self::Other(_)
        )
    }

    /// What to do about it. `trust` is where the authorities are from that are trusted.
    #[must_use]
    pub fn help(&self, trust: &str) -> Option<String> {
        Some(match self {
            Self::Refused | Self::Silent => {
                "is the address right, and reachable from here? a private one needs a runner in its network, or a `proxy-url`"
                    .to_owned()
            }
            Self::Name(_) => "is the address right? a private name is known in its own network only".to_owned(),
            Self::Authority => format!(
                "trusted are {trust}; a kubeconfig names the cluster's own as `certificate-authority-data`, and `SSL_CERT_FILE` one \
                 for a server without"
            ),
            Self::OtherHost(_) => "a kubeconfig's `tls-server-name` says which name the certificate has".to_owned(),
            Self::OurCertificate(_) => "client certificates end after a year in most clusters: get a new kubeconfig".to_owned(),
            Self::Plain => "an address of `https` needs a server of TLS; is it the port of something else?".to_owned(),
            Self::Proxy(_) => "correct `proxy-url` of the kubeconfig, or `HTTPS_PROXY` and `NO_PROXY`".to_owned(),
            Self::Dates(_) => "renew the server's certificate, and compare the clocks".to_owned(),
            Self::Closed | Self::Certificate(_) | Self::Other(_) => return None,
        })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused => f.write_str("the connection was refused: nothing listens there"),
            Self::Name(why) => write!(f, "its name has no address: {why}"),
            Self::Silent => f.write_str("no answer in time"),
            Self::Closed => f.write_str("the connection was closed"),
            Self::Authority => f.write_str("its certificate is signed by an authority that is not trusted"),
            Self::Dates(why) => write!(f, "its certificate {why}"),
            Self::OtherHost(names) => write!(f, "its certificate is for another host{names}"),
            Self::Certificate(why) => write!(f, "its certificate is refused: {why}"),
            Self::OurCertificate(why) => write!(f, "it refuses the client certificate ({why})"),
            Self::Plain => f.write_str("it does not speak TLS"),
            Self::Proxy(why) => write!(f, "the proxy says: {why}"),
            Self::Other(why) => f.write_str(why),
        }
    }
}

/// An error and all that it wraps. One of I/O does not give what it wraps as its source.
fn layers<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    // The layer is copied out of the reference to it, so that it lives as long as the error.
    successors(Some(error), |layer: &&'a (dyn Error + 'static)| {
        let layer: &'a (dyn Error + 'static) = *layer;
        match layer.downcast_ref::<io::Error>() {
            Some(io) => io.get_ref().map(|inner| inner as &(dyn Error + 'static)),
            None => layer.source(),
        }
    })
}

fn known(layer: &(dyn Error + 'static), said: &str) -> Option<Fault> {
    if let Some(tls) = layer.downcast_ref::<rustls::Error>() {
        return Some(of_tls(tls));
    }
    if let Some(io) = layer.downcast_ref::<io::Error>() {
        // What an error of I/O wraps says more.
        return match io.kind() {
            _ if io.get_ref().is_some_and(|inner| inner.is::<rustls::Error>()) => None,
            io::ErrorKind::ConnectionRefused => Some(Fault::Refused),
            io::ErrorKind::TimedOut => Some(Fault::Silent),
            io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::UnexpectedEof => Some(Fault::Closed),
            _ => of_words(said),
        };
    }
    of_words(said)
}

/// Errors whose types their crates keep to themselves.
fn of_words(said: &str) -> Option<Fault> {
    let inert = || text::cut(&text::line(said), QUOTED);
    let is = |words: &[&str]| words.iter().any(|word| said.contains(word));
    if is(&[
        "failed to lookup address",
        "Name or service not known",
        "Name does not resolve",
    ]) {
        let why = said.strip_prefix("failed to lookup address information: ");
        return Some(Fault::Name(text::cut(&text::line(why.unwrap_or(said)), QUOTED)));
    }
    // hyper-util's tunnel and its SOCKS client.
    if is(&["tunnel", "proxy", "SOCKS"]) && !is(&["error trying to connect", "client error"]) {
        return Some(Fault::Proxy(inert()));
    }
    is(&["connection closed before message completed"]).then_some(Fault::Closed)
}

fn of_tls(error: &rustls::Error) -> Fault {
    use CertificateError as Bad;
    match error {
        rustls::Error::InvalidCertificate(bad) => match bad {
            Bad::UnknownIssuer | Bad::BadSignature => Fault::Authority,
            Bad::Expired | Bad::ExpiredContext { .. } => Fault::Dates("has ended"),
            Bad::NotValidYet | Bad::NotValidYetContext { .. } => Fault::Dates("is not valid yet"),
            Bad::NotValidForName => Fault::OtherHost(String::new()),
            Bad::NotValidForNameContext { presented, .. } => {
                let names: Vec<String> = presented.iter().take(4).map(|name| text::line(name)).collect();
                Fault::OtherHost(format!(": {}", text::cut(&names.join(", "), QUOTED)))
            }
            // A certificate that is its own authority, and is none.
            Bad::Other(other) if other.to_string().contains("CaUsedAsEndEntity") => Fault::Authority,
            other => Fault::Certificate(text::cut(&text::line(&other.to_string()), QUOTED)),
        },
        rustls::Error::AlertReceived(alert) => {
            use AlertDescription as Alert;
            match alert {
                Alert::BadCertificate
                | Alert::UnsupportedCertificate
                | Alert::CertificateRevoked
                | Alert::CertificateExpired
                | Alert::CertificateUnknown
                | Alert::UnknownCA
                | Alert::CertificateRequired
                | Alert::AccessDenied => Fault::OurCertificate(alert_word(*alert).to_owned()),
                other => Fault::Other(format!("TLS alert `{}`", alert_word(*other))),
            }
        }
        rustls::Error::InvalidMessage(_) => Fault::Plain,
        other => Fault::Other(text::cut(&text::line(&other.to_string()), QUOTED)),
    }
}

/// An alert's name (<https://www.rfc-editor.org/rfc/rfc8446#section-6>).
fn alert_word(alert: AlertDescription) -> &'static str {
    alert.as_str().unwrap_or("unknown")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("client error (Connect)")]
    struct Layer(#[source] io::Error);

    fn wrapped(error: impl Into<Box<dyn Error + Send + Sync>>) -> Fault {
        Fault::of(&Layer(io::Error::other(error)))
    }

    #[test]
    fn what_is_at_the_bottom_is_told() {
        let bad = |bad| rustls::Error::InvalidCertificate(bad);
        for (fault, words) in [
            (
                Fault::of(&Layer(io::ErrorKind::ConnectionRefused.into())),
                "the connection was refused",
            ),
            (
                Fault::of(&Layer(io::ErrorKind::TimedOut.into())),
                "no answer in time",
            ),
            (
                Fault::of(&Layer(io::ErrorKind::ConnectionReset.into())),
                "was closed",
            ),
            (wrapped(bad(CertificateError::UnknownIssuer)), "not trusted"),
            (wrapped(bad(CertificateError::Expired)), "has ended"),
            (wrapped(bad(CertificateError::NotValidForName)), "another host"),
            (
                wrapped(rustls::Error::AlertReceived(AlertDescription::CertificateExpired)),
                "it refuses the client certificate (",
            ),
            (
                wrapped("failed to lookup address information: Name or service not known"),
                "its name has no address: Name or service not known",
            ),
            (
                wrapped("tunnel error: unsuccessful"),
                "the proxy says: tunnel error",
            ),
            (wrapped("a\n::error::b"), "a\\n"),
        ] {
            let said = fault.to_string();
            assert!(said.contains(words) && !said.contains('\n'), "{said}");
        }
    }

    #[test]
    fn certificates_do_not_mend_themselves() {
        assert!(Fault::Refused.may_pass() && Fault::Silent.may_pass());
        assert!(!Fault::Authority.may_pass() && !Fault::Dates("").may_pass());
        assert!(
            Fault::Authority
                .help("those of the kubeconfig")
                .is_some_and(|help| help.contains("those of"))
        );
    }
}
