//! Channels from a client's side, over a pipe in memory, to a real port of loopback.

use std::net::SocketAddr;

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::io::{DuplexStream, duplex};
use tokio::runtime::Builder;
use tokio::task::LocalSet;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;

use super::{Forwarding, Protocol, carry, handshake};
use crate::http::{Reply, Request, Script, Server};

/// Everything that comes until the other side closes, as channel and bytes, after this was sent.
fn talk(ports: &[u16], targets: Vec<(u16, SocketAddr)>, sent: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let forwarding = Forwarding {
        ports: ports.to_vec(),
        pod: "pod".to_owned(),
        targets,
    };
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    LocalSet::new().block_on(&runtime, async move {
        let (client, server) = duplex(64 * 1024);
        let carrying = tokio::task::spawn_local(carry(server, Protocol::Channels, forwarding));
        let mut client: WebSocketStream<DuplexStream> =
            WebSocketStream::from_raw_socket(client, Role::Client, None).await;
        if !sent.is_empty() {
            client.send(Message::binary(sent.to_vec())).await.unwrap();
        }
        let mut heard = Vec::new();
        while let Some(Ok(message)) = client.next().await {
            if !message.is_binary() {
                break;
            }
            let bytes = message.into_data();
            heard.push((bytes[0], bytes[1..].to_vec()));
        }
        // The other side waits for the close to be answered.
        drop(client);
        carrying.await.unwrap();
        heard
    })
}

#[test]
fn each_port_has_a_channel_for_data_and_one_for_its_error() {
    let server = Server::start(Script::new().any([Reply::text(200, "hello")])).unwrap();
    let mut sent = vec![0];
    sent.extend_from_slice(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    let heard = talk(&[8080], vec![(8080, server.address())], &sent);
    assert_eq!(heard[..2], [(0, vec![0x90, 0x1f]), (1, vec![0x90, 0x1f])]);
    let answer: Vec<u8> = heard[2..].iter().flat_map(|(_, bytes)| bytes.clone()).collect();
    assert!(String::from_utf8(answer).unwrap().ends_with("hello"));
}

#[test]
fn a_port_that_nobody_listens_on_is_an_error_of_that_port() {
    let heard = talk(&[9999], Vec::new(), &[]);
    assert_eq!(heard[2].0, 1);
    let words = String::from_utf8(heard[2].1.clone()).unwrap();
    assert!(
        words.contains("127.0.0.1:9999: connect: connection refused"),
        "{words}"
    );
}

#[test]
fn the_opening_is_answered_as_rfc_6455_has_it() {
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let request = Request {
        method: "GET".to_owned(),
        path: "/".to_owned(),
        headers: vec![
            header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
            header("sec-websocket-protocol", "v5.channel.k8s.io, v4.channel.k8s.io"),
        ],
        body: Vec::new(),
        at: std::time::Duration::ZERO,
    };
    let (protocol, headers) = handshake(&request).unwrap();
    assert_eq!(protocol, Protocol::Channels);
    assert!(headers.contains(&header("sec-websocket-accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")));
    assert!(headers.contains(&header("sec-websocket-protocol", "v4.channel.k8s.io")));
}
