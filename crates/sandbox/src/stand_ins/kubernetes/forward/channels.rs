//! Channels over a WebSocket: the first byte of a message says whose it is, twice a port's place for its data and one more for its error.

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinSet;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

use super::Forwarding;

/// Messages that wait on either way.
const WAITING: usize = 16;
/// By [version 5](https://kubernetes.io/docs/concepts/cluster-administration/), a message on this channel closes another.
const CLOSES: u8 = 255;

pub(super) async fn carry<S>(mut socket: WebSocketStream<S>, forwarding: Forwarding)
where
    S: AsyncRead + AsyncWrite + Unpin + 'static,
{
    let (to_client, mut out) = channel::<Vec<u8>>(WAITING);
    let mut to_pod: Vec<Option<Sender<Vec<u8>>>> = Vec::new();
    let mut ports = JoinSet::new();
    for (at, port) in forwarding.ports.iter().enumerate() {
        let Ok(data) = u8::try_from(at * 2) else { break };
        for number in [data, data + 1] {
            let [low, high] = port.to_le_bytes();
            if socket
                .send(Message::binary(vec![number, low, high]))
                .await
                .is_err()
            {
                return;
            }
        }
        let (sender, receiver) = channel(WAITING);
        to_pod.push(Some(sender));
        ports.spawn_local(one(data, *port, forwarding.clone(), receiver, to_client.clone()));
    }
    drop(to_client);
    loop {
        tokio::select! {
            message = socket.next() => {
                let Some(Ok(message)) = message else { break };
                if message.is_close() {
                    break;
                }
                let bytes = message.into_data();
                match bytes.split_first() {
                    Some((&CLOSES, [closed, ..])) => {
                        if let Some(port) = to_pod.get_mut(usize::from(*closed / 2)) {
                            port.take();
                        }
                    }
                    Some((number, bytes)) if number % 2 == 0 => {
                        if let Some(Some(port)) = to_pod.get(usize::from(number / 2)) {
                            // A port that has ended takes nothing any more.
                            let _ = port.send(bytes.to_vec()).await;
                        }
                    }
                    _ => {}
                }
            }
            message = out.recv() => {
                let Some(message) = message else { break };
                if socket.send(Message::binary(message)).await.is_err() {
                    break;
                }
            }
        }
    }
    // Whether the client still hears it does not matter.
    let _ = socket.close(None).await;
}

/// One port, until its pod ends it or the client does.
async fn one(
    number: u8,
    port: u16,
    forwarding: Forwarding,
    mut from_client: Receiver<Vec<u8>>,
    to_client: Sender<Vec<u8>>,
) {
    let connected = match forwarding.target(port) {
        Ok(address) => TcpStream::connect(address)
            .await
            .map_err(|_| forwarding.refused(port)),
        Err(why) => Err(why),
    };
    let stream = match connected {
        Ok(stream) => stream,
        Err(why) => {
            let _ = to_client.send(marked(number + 1, why.as_bytes())).await;
            return;
        }
    };
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
            if to_client.send(marked(number, &buffer[..count])).await.is_err() {
                break;
            }
        }
    };
    // What the pod says is over when it ends, whatever the client still has to say.
    tokio::pin!(up);
    tokio::pin!(down);
    tokio::select! {
        () = &mut down => {}
        () = &mut up => down.await,
    }
}

fn marked(number: u8, bytes: &[u8]) -> Vec<u8> {
    let mut message = Vec::with_capacity(bytes.len() + 1);
    message.push(number);
    message.extend_from_slice(bytes);
    message
}
