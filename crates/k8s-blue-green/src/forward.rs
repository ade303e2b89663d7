//! A port on this machine that leads into pods, by the API server: it works where no pod can be reached from here, and before a
//! pod has any traffic.
//!
//! Each connection is a forward of its own, to the next pod in turn; one that is gone is passed over. Limits: a half of a
//! connection can't be closed (the protocol has no such thing), so one whose near end stopped writing stays until the pod has
//! been silent for a while; any program on this machine may connect.

use std::collections::VecDeque;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use gha::text;
use k8s_openapi::api::core::v1::Pod;
use kube::api::Portforwarder;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

use crate::access::fault::Fault;
use crate::api::Api;

/// The longest that the opening of one forward may take.
const OPEN: Duration = Duration::from_secs(10);

/// How many connections there may be at once; more of them wait.
const CONNECTIONS: usize = 64;

/// How long a pod may be silent on a connection whose near end writes no more.
const SILENCE: Duration = Duration::from_secs(10);

/// How much is quoted of a server's words, in characters.
const QUOTED: usize = 300;

/// Why nothing is forwarded.
#[derive(Debug, thiserror::Error)]
pub enum ForwardError {
    /// There is no pod to forward to.
    #[error("there is no ready pod to forward to")]
    NoPod,
    /// Not permitted.
    #[error("not permitted to forward a port to pod `{pod}`: {said}")]
    Denied {
        /// The pod.
        pod: String,
        /// The server's words.
        said: String,
    },
    /// No pod could be forwarded to.
    #[error("failed to forward port {port} to pod `{pod}`: {why}")]
    Failed {
        /// The last pod that was tried.
        pod: String,
        /// The port.
        port: u16,
        /// Why.
        why: String,
    },
    /// No port on this machine.
    #[error("failed to listen on this machine")]
    Listen(#[source] io::Error),
}

impl ForwardError {
    /// What to do about it.
    #[must_use]
    pub fn help(&self) -> Option<&'static str> {
        match self {
            Self::Denied { .. } => Some(
                "the Role needs the verbs `get` and `create` on `pods/portforward`; Kubernetes 1.35 and later ask for both",
            ),
            Self::Failed { .. } => Some(
                "proxies on the way to the API server must let WebSockets through, and it must reach the nodes' kubelets",
            ),
            Self::NoPod | Self::Listen(_) => None,
        }
    }

    /// Whether it is about permissions.
    #[must_use]
    pub fn is_access(&self) -> bool {
        matches!(self, Self::Denied { .. })
    }

    /// Whether another pod may do.
    fn is_of_this_pod(&self) -> bool {
        matches!(self, Self::Failed { .. })
    }
}

/// A port on this machine that leads into pods. All of it ends when this is dropped.
#[derive(Debug)]
pub struct Forward {
    address: SocketAddr,
    task: JoinHandle<()>,
    trouble: Trouble,
}

/// Why the last connection failed that did.
type Trouble = Arc<Mutex<Option<String>>>;

impl Forward {
    /// Where it is: `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The same as an address.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Why the last connection failed that did: who connects sees it closed, and no more.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        self.trouble
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Drop for Forward {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Opens a port on this machine that leads to a port of these pods. One forward is made at once, so that what is not permitted
/// is known here.
///
/// # Errors
/// When no pod can be forwarded to.
pub async fn open(api: &Api, namespace: &str, pods: Vec<String>, port: u16) -> Result<Forward, ForwardError> {
    let mut pods = Pods {
        api: kube::Api::namespaced(api.client().clone(), namespace),
        names: pods.into(),
        port,
    };
    drop(pods.next().await?);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .map_err(ForwardError::Listen)?;
    let address = listener.local_addr().map_err(ForwardError::Listen)?;
    let trouble = Trouble::default();
    let task = tokio::spawn(serve(listener, pods, Arc::clone(&trouble)));
    Ok(Forward {
        address,
        task,
        trouble,
    })
}

/// The pods in the order of their turns.
#[derive(Clone)]
struct Pods {
    api: kube::Api<Pod>,
    names: VecDeque<String>,
    port: u16,
}

/// A forward that ends when it is dropped; kube's own goes on until its streams end.
struct Tunnel(Portforwarder);

impl Drop for Tunnel {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Pods {
    /// A forward to the first pod that takes one.
    async fn next(&mut self) -> Result<Tunnel, ForwardError> {
        let mut last = ForwardError::NoPod;
        for _ in 0..self.names.len() {
            let Some(pod) = self.names.front().cloned() else {
                break;
            };
            self.names.rotate_left(1);
            let opened = timeout(OPEN, self.api.portforward(&pod, &[self.port])).await;
            let failed = match opened {
                Ok(Ok(forwarder)) => return Ok(Tunnel(forwarder)),
                Ok(Err(error)) => refused(&pod, self.port, &error),
                Err(_) => failed(&pod, self.port, Fault::Silent.to_string()),
            };
            if !failed.is_of_this_pod() {
                return Err(failed);
            }
            last = failed;
        }
        Err(last)
    }
}

fn failed(pod: &str, port: u16, why: String) -> ForwardError {
    ForwardError::Failed {
        pod: text::line(pod),
        port,
        why,
    }
}

fn refused(pod: &str, port: u16, error: &kube::Error) -> ForwardError {
    let inert = |said: &str| text::cut(&text::line(said), QUOTED);
    match error {
        kube::Error::Api(status) if matches!(status.code, 401 | 403) => ForwardError::Denied {
            pod: text::line(pod),
            said: inert(&status.message),
        },
        kube::Error::Api(status) => failed(pod, port, inert(&status.message)),
        kube::Error::UpgradeConnection(error) => failed(
            pod,
            port,
            format!("the server takes no WebSocket: {}", inert(&error.to_string())),
        ),
        other => failed(pod, port, Fault::of(other).to_string()),
    }
}

async fn serve(listener: TcpListener, mut pods: Pods, trouble: Trouble) {
    let mut connections = JoinSet::new();
    loop {
        while connections.len() >= CONNECTIONS {
            connections.join_next().await;
        }
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
        };
        let Ok((near, _)) = accepted else {
            // Out of descriptors: one that ends makes room.
            if connections.join_next().await.is_none() {
                return;
            }
            continue;
        };
        let mut turn = pods.clone();
        // The next connection begins with the next pod, whatever becomes of this one.
        pods.names.rotate_left(1.min(pods.names.len()));
        let trouble = Arc::clone(&trouble);
        connections.spawn(async move {
            if let Err(why) = connect(near, &mut turn).await {
                *trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
            }
        });
    }
}

/// One connection, to its end.
async fn connect(near: TcpStream, pods: &mut Pods) -> Result<(), String> {
    let mut tunnel = pods.next().await.map_err(|error| error.to_string())?;
    let pod = tunnel_of(pods);
    let streams = (tunnel.0.take_stream(pods.port), tunnel.0.take_error(pods.port));
    let (Some(far), Some(error)) = streams else {
        return Err(format!("pod `{pod}` has no such port"));
    };
    let (mut from_near, mut to_near) = near.into_split();
    let (mut from_far, mut to_far) = tokio::io::split(far);
    let there = async {
        // How it ends does not matter: what the pod says of it does.
        let _ = tokio::io::copy(&mut from_near, &mut to_far).await;
        to_far
    };
    let (tell, mut told) = tokio::sync::watch::channel(false);
    let back = async {
        let mut chunk = vec![0; 16 * 1024];
        loop {
            let read = tokio::select! {
                read = from_far.read(&mut chunk) => read,
                () = silence(&mut told) => break,
            };
            match read {
                Ok(0) | Err(_) => break,
                Ok(count) => to_near.write_all(&chunk[..count]).await?,
            }
        }
        to_near.shutdown().await
    };
    let there = async {
        let kept = there.await;
        let _ = tell.send(true);
        // Closing it would close the other direction, too.
        std::future::pending::<()>().await;
        drop(kept);
    };
    let mut error = std::pin::pin!(async {
        match error.await {
            Some(said) => said,
            None => std::future::pending().await,
        }
    });
    let said = tokio::select! {
        biased;
        said = &mut error => Some(said),
        // What is wrong is said before the connection is closed over it.
        _ = back => timeout(Duration::ZERO, &mut error).await.ok(),
        () = there => None,
    };
    match said {
        Some(said) => Err(format!(
            "pod `{pod}`: {}",
            text::cut(&text::line(said.trim()), QUOTED)
        )),
        None => Ok(()),
    }
}

/// The pod of the forward that was opened last.
fn tunnel_of(pods: &Pods) -> String {
    text::line(pods.names.back().map(String::as_str).unwrap_or_default())
}

/// Ends when the near end has stopped writing and then this long has passed; begun anew with each chunk from the pod.
async fn silence(stopped: &mut tokio::sync::watch::Receiver<bool>) {
    if stopped.wait_for(|stopped| *stopped).await.is_err() {
        std::future::pending::<()>().await;
    }
    tokio::time::sleep(SILENCE).await;
}

#[cfg(test)]
mod tests;
