//! A TLS target: its certificates are accepted, and valid for long enough. Nothing is said over the connection, so
//! whatever speaks TLS from the first byte can be looked at; protocols that begin in the clear (STARTTLS) can't.
//!
//! A server that demands a client certificate is good: its own certificates were shown and accepted before it hung up.

use std::time::Duration;

use crate::finding::{Fault, FaultKind, Finding};
use crate::net::host_port::HostPort;
use crate::net::progress::Progress;
use crate::net::tls::Handshake;
use crate::net::{Network, Origin, Stream, fault};
use crate::probe::{Look, Looking, Probe};

/// A TLS target.
pub struct Tls {
    network: Network,
    origin: Origin,
    shown: String,
    server_name: Option<String>,
    min_days: Option<i64>,
    protocols: Vec<String>,
}

impl Tls {
    /// A look at the certificates at a host and port.
    #[must_use]
    pub fn new(network: Network, at: HostPort) -> Self {
        Self {
            network,
            shown: at.to_string(),
            origin: Origin { at, secure: true },
            server_name: None,
            min_days: None,
            protocols: Vec::new(),
        }
    }

    /// Another name than the host's to ask for (SNI, RFC 6066) and to find in the certificate.
    #[must_use]
    pub fn server_name(self, name: impl Into<String>) -> Self {
        Self {
            server_name: Some(name.into()),
            ..self
        }
    }

    /// The fewest whole days for which every certificate that is presented must still be valid.
    #[must_use]
    pub fn min_days(self, min_days: i64) -> Self {
        let min_days = Some(min_days);
        Self { min_days, ..self }
    }

    /// The protocols of which the server must agree to one, by ALPN (RFC 7301), such as `h2`.
    #[must_use]
    pub fn protocols(self, protocols: Vec<String>) -> Self {
        Self { protocols, ..self }
    }

    async fn looked(&self, progress: &Progress) -> Result<Look, Fault> {
        let name = self.server_name.as_ref().unwrap_or(&self.origin.at.host);
        let protocols: Vec<&str> = self.protocols.iter().map(String::as_str).collect();
        let ways = self.network.ways(&self.origin, progress).await?;
        let mut excerpt = None;
        for way in &ways {
            progress.again(way.place(&ways));
            let shaken = self
                .network
                .shake_hands(&self.origin, way, name, &protocols, progress)
                .await;
            let judged = shaken.and_then(|handshake| judge(handshake, &protocols));
            excerpt = judged.map_err(|fault| progress.placed(fault))?;
        }
        Ok(Look {
            excerpt,
            ..Look::without_answer(Finding::Good)
        })
    }
}

/// What a handshake says: the certificate in one line, or what is wrong.
fn judge(handshake: Handshake<Box<dyn Stream>>, protocols: &[&str]) -> Result<Option<String>, Fault> {
    let summary = handshake.chain.as_ref().and_then(|chain| chain.summary());
    let demands = handshake.accepted && handshake.asked;
    match handshake.outcome {
        Err(fault) if !demands => return Err(fault),
        Ok(stream) if !protocols.is_empty() && stream.get_ref().1.alpn_protocol().is_none() => {
            let offered = protocols.join("`, `");
            let reason = format!("TLS works, and the server agreed to none of `{offered}`");
            return Err(fault(FaultKind::Tls, reason));
        }
        _ => {}
    }
    let asks = if demands {
        "; it asks for a client certificate"
    } else {
        ""
    };
    Ok(summary.map(|summary| format!("{summary}{asks}")))
}

impl Probe for Tls {
    fn target(&self) -> &str {
        &self.shown
    }

    fn look(&self, limit: Duration) -> Looking<'_> {
        let progress = Progress::wanting(self.min_days);
        Box::pin(async move { progress.look(limit, Box::pin(self.looked(&progress))).await })
    }
}

#[cfg(test)]
mod tests;
