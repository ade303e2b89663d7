//! SPDY in a WebSocket, as `kubectl port-forward` speaks it: two streams for each connection, one of which tells of errors.

use std::collections::BTreeMap;

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinSet;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

use super::Forwarding;
use super::spdy::{Codec, Frame, data, pong};

/// Frames that wait on either way.
const WAITING: usize = 64;

/// The streams of a tunnel.
struct Tunnel {
    forwarding: Forwarding,
    codec: Codec,
    /// The stream for errors by the number of its request.
    errors: BTreeMap<String, u32>,
    /// Where the bytes of a stream go.
    to_pod: BTreeMap<u32, Sender<Vec<u8>>>,
    to_client: Sender<Vec<u8>>,
    connections: JoinSet<()>,
}

pub(super) async fn carry<S>(mut socket: WebSocketStream<S>, forwarding: Forwarding)
where
    S: AsyncRead + AsyncWrite + Unpin + 'static,
{
    let (to_client, mut out) = channel::<Vec<u8>>(WAITING);
    let mut tunnel = Tunnel {
        forwarding,
        codec: Codec::new(),
        errors: BTreeMap::new(),
        to_pod: BTreeMap::new(),
        to_client,
        connections: JoinSet::new(),
    };
    loop {
        tokio::select! {
            message = socket.next() => {
                let Some(Ok(message)) = message else { break };
                if message.is_close() {
                    break;
                }
                if !message.is_binary() {
                    continue;
                }
                tunnel.codec.push(&message.into_data());
                let Some(answers) = tunnel.read().await else { break };
                let mut lost = false;
                for answer in answers {
                    lost |= socket.send(Message::binary(answer)).await.is_err();
                }
                if lost {
                    break;
                }
            }
            Some(frame) = out.recv() => {
                if socket.send(Message::binary(frame)).await.is_err() {
                    break;
                }
            }
        }
    }
    // Whether the client still hears it does not matter.
    let _ = socket.close(None).await;
}

impl Tunnel {
    /// Does what the frames say that have come; the answers. None where there is nothing more to say.
    async fn read(&mut self) -> Option<Vec<Vec<u8>>> {
        let mut answers = Vec::new();
        loop {
            match self.codec.next() {
                Err(()) | Ok(Some(Frame::GoAway)) => return None,
                Ok(None) => return Some(answers),
                Ok(Some(Frame::Open { stream, headers })) => {
                    answers.push(self.codec.reply(stream));
                    self.open(stream, &headers);
                }
                Ok(Some(Frame::Data { stream, bytes, last })) => {
                    if let Some(pod) = self.to_pod.get(&stream)
                        && !bytes.is_empty()
                    {
                        // A connection that has ended takes nothing any more.
                        let _ = pod.send(bytes).await;
                    }
                    if last {
                        self.to_pod.remove(&stream);
                    }
                }
                Ok(Some(Frame::Reset(stream))) => {
                    self.to_pod.remove(&stream);
                }
                Ok(Some(Frame::Ping(payload))) => answers.push(pong(&payload)),
                Ok(Some(Frame::Other)) => {}
            }
            while self.connections.try_join_next().is_some() {}
        }
    }

    fn open(&mut self, stream: u32, headers: &[(String, String)]) {
        let header = |name: &str| {
            let found = headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
            found.map(|(_, value)| value.as_str()).unwrap_or_default()
        };
        let request = header("requestid").to_owned();
        if header("streamtype") == "error" {
            self.errors.insert(request, stream);
            return;
        }
        let errors = self.errors.remove(&request).unwrap_or_default();
        let port = header("port").parse().unwrap_or_default();
        let (sender, receiver) = channel(WAITING);
        self.to_pod.insert(stream, sender);
        let connection = Connection {
            stream,
            errors,
            port,
            forwarding: self.forwarding.clone(),
            to_client: self.to_client.clone(),
        };
        self.connections.spawn_local(connection.carry(receiver));
    }
}

/// One connection to a port.
struct Connection {
    stream: u32,
    errors: u32,
    port: u16,
    forwarding: Forwarding,
    to_client: Sender<Vec<u8>>,
}

impl Connection {
    async fn carry(self, mut from_client: Receiver<Vec<u8>>) {
        let connected = match self.forwarding.target(self.port) {
            Ok(address) => TcpStream::connect(address)
                .await
                .map_err(|_| self.forwarding.refused(self.port)),
            Err(why) => Err(why),
        };
        match connected {
            Err(why) => {
                self.send(data(self.errors, why.as_bytes(), true)).await;
            }
            Ok(stream) => {
                let (mut read, mut write) = stream.into_split();
                let up = async {
                    while let Some(bytes) = from_client.recv().await {
                        if write.write_all(&bytes).await.is_err() {
                            break;
                        }
                    }
                    let _ = write.shutdown().await;
                };
                let down = async {
                    let mut buffer = vec![0; 16 * 1024];
                    while let Ok(count @ 1..) = read.read(&mut buffer).await {
                        if !self.send(data(self.stream, &buffer[..count], false)).await {
                            break;
                        }
                    }
                };
                tokio::pin!(up);
                tokio::pin!(down);
                // What the pod says is over when it ends, whatever the client still has to say.
                tokio::select! {
                    () = &mut down => {}
                    () = &mut up => down.await,
                }
                self.send(data(self.errors, b"", true)).await;
            }
        }
        self.send(data(self.stream, b"", true)).await;
    }

    /// Whether it could be sent.
    async fn send(&self, frame: Vec<u8>) -> bool {
        self.to_client.send(frame).await.is_ok()
    }
}
