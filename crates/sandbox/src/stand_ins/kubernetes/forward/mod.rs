//! Connections to pods by port-forward: a WebSocket that carries either channels, as `kube` speaks them, or SPDY, as `kubectl` does.
//!
//! What a pod's port leads to is an address on loopback that a test names.

mod channels;
mod inflate;
mod spdy;
#[cfg(test)]
mod tests;
mod tunnel;

use std::net::SocketAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest as _, Sha1};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::Role;

use super::ask::Ask;
use super::object;
use super::refusal::Refusal;
use super::settings::matches;
use super::store::Key;
use super::world::World;
use crate::http::Request;

/// One port-forward that may begin.
#[derive(Clone, Debug)]
pub(crate) struct Forwarding {
    /// The ports that were asked for.
    pub(super) ports: Vec<u16>,
    pub(super) pod: String,
    /// What its ports lead to.
    targets: Vec<(u16, SocketAddr)>,
}

/// What the WebSocket carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Channels,
    Spdy,
}

impl Forwarding {
    /// Where a port leads; why nowhere, in a kubelet's words.
    pub(super) fn target(&self, port: u16) -> Result<SocketAddr, String> {
        let found = self.targets.iter().rev().find(|(known, _)| *known == port);
        found
            .map(|(_, address)| *address)
            .ok_or_else(|| self.refused(port))
    }

    /// What a kubelet says when nothing listens.
    pub(super) fn refused(&self, port: u16) -> String {
        format!(
            "error forwarding port {port} to pod {}, uid : failed to execute portforward in network namespace: failed to connect to \
             localhost:{port} inside namespace, IPv4: dial tcp4 127.0.0.1:{port}: connect: connection refused",
            self.pod
        )
    }
}

/// Looks whether the pod can be connected to.
pub(crate) fn begin(world: &World, ask: &Ask) -> Result<Forwarding, Refusal> {
    let key = Key::new("pods", &ask.namespace, &ask.name);
    let Some(pod) = world.store.get(&key) else {
        return Err(Refusal::not_found(ask.kind, &ask.name));
    };
    let phase = object::text(pod, "/status/phase");
    if phase != "Running" {
        let words = format!("unable to forward port because pod is not running. Current status={phase}");
        return Err(Refusal::new(500, "InternalError", words));
    }
    let written = ask.query.all("ports").iter();
    let ports = written
        .flat_map(|ports| ports.split(','))
        .filter_map(|port| port.parse().ok());
    let listeners = world.settings.listeners.iter();
    let targets = listeners
        .filter(|(pattern, ..)| matches(pattern, &ask.name))
        .map(|(_, port, address)| (*port, *address));
    Ok(Forwarding {
        ports: ports.collect(),
        pod: object::uid(pod).to_owned(),
        targets: targets.collect(),
    })
}

/// The protocol that a client is answered with, and the headers of the answer; none where it does not ask for a WebSocket.
pub(crate) fn handshake(request: &Request) -> Option<(Protocol, Vec<(String, String)>)> {
    /// The end of every key, by [RFC 6455](https://www.rfc-editor.org/rfc/rfc6455#section-1.3).
    const END: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    let key = request.header("sec-websocket-key")?;
    let offered: Vec<&str> = request
        .headers
        .iter()
        .filter(|(name, _)| name.eq_ignore_ascii_case("sec-websocket-protocol"))
        .flat_map(|(_, value)| value.split(','))
        .map(str::trim)
        .collect();
    let known = [
        ("SPDY/3.1+portforward.k8s.io", Protocol::Spdy),
        // The newest that kubelets speak here; a client that offers version 5 as well is answered with this one.
        ("v4.channel.k8s.io", Protocol::Channels),
        ("v5.channel.k8s.io", Protocol::Channels),
    ];
    let (name, protocol) = known.into_iter().find(|(name, _)| offered.contains(name))?;
    let accept = STANDARD.encode(Sha1::digest(format!("{key}{END}")));
    let headers = [
        ("connection", "Upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-accept", &accept),
        ("sec-websocket-protocol", name),
    ];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
    Some((protocol, headers.to_vec()))
}

/// Carries bytes both ways until either side ends.
pub(crate) async fn carry<S>(stream: S, protocol: Protocol, forwarding: Forwarding)
where
    S: AsyncRead + AsyncWrite + Unpin + 'static,
{
    let socket = WebSocketStream::from_raw_socket(stream, Role::Server, None).await;
    match protocol {
        Protocol::Channels => channels::carry(socket, forwarding).await,
        Protocol::Spdy => tunnel::carry(socket, forwarding).await,
    }
}
