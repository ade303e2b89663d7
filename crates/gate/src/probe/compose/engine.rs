//! The Docker engine's API: one connection a request, its answer bounded.

use std::io::ErrorKind;
use std::path::PathBuf;
use std::str::FromStr;

use bytes::Bytes;
use gha::text;
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::header::{HOST, HeaderValue};
use hyper::{Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

use crate::expect::quoted;
use crate::trouble::{About, Trouble};

/// The most that is read of an answer.
const BODY_LIMIT: usize = 8 * 1024 * 1024;

/// Where it listens when nothing is said.
const USUAL: &str = "/var/run/docker.sock";

/// Where an engine listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Engine {
    /// On a socket of this machine.
    Unix(PathBuf),
    /// At a host and port, in the clear.
    Tcp(String),
}

/// The text is no address of an engine that is spoken with.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is no engine's address; write `unix:///path/to.sock` or `tcp://host:port`")]
pub struct HostError(String);

impl FromStr for Engine {
    type Err = HostError;

    fn from_str(written: &str) -> Result<Self, Self::Err> {
        let refuse = || HostError(text::cut(&text::visible(written), 100));
        let written = written.trim();
        if written.is_empty() {
            return Ok(Self::Unix(USUAL.into()));
        }
        if let Some(path) = written.strip_prefix("unix://") {
            return if path.starts_with('/') {
                Ok(Self::Unix(path.into()))
            } else {
                Err(refuse())
            };
        }
        let address = written.strip_prefix("tcp://").ok_or_else(refuse)?;
        let address = address.strip_suffix('/').unwrap_or(address);
        let parsed: hyper::http::uri::Authority = address.parse().map_err(|_| refuse())?;
        let usable = parsed.port_u16().is_some_and(|port| port != 0) && !address.contains('@');
        if usable && !parsed.host().is_empty() {
            Ok(Self::Tcp(address.to_owned()))
        } else {
            Err(refuse())
        }
    }
}

/// What the engine says of an error.
#[derive(Deserialize)]
struct Refusal {
    message: String,
}

impl Engine {
    fn shown(&self) -> String {
        match self {
            Self::Unix(path) => text::visible(&path.to_string_lossy()),
            Self::Tcp(address) => address.clone(),
        }
    }

    /// Asks for a path; nothing where the engine knows no such thing.
    pub(super) async fn get(&self, path: &str) -> Result<Option<Bytes>, Trouble> {
        let (status, body) = match self {
            Self::Unix(socket) => {
                let stream = UnixStream::connect(socket).await;
                self.exchange(stream.map_err(|error| self.unreachable(&error))?, path)
                    .await?
            }
            Self::Tcp(address) => {
                let stream = TcpStream::connect(address).await;
                self.exchange(stream.map_err(|error| self.unreachable(&error))?, path)
                    .await?
            }
        };
        if status == StatusCode::OK {
            return Ok(Some(body));
        }
        let said = serde_json::from_slice(&body)
            .map(|refusal: Refusal| format!(": {}", quoted(&refusal.message)))
            .unwrap_or_default();
        let reason = format!(
            "the engine at `{}` answered {}{said}",
            self.shown(),
            status.as_u16()
        );
        match status {
            StatusCode::NOT_FOUND => Ok(None),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(Trouble::access(reason)),
            _ if status.is_client_error() => Err(Trouble::question(reason).about(About::Target)),
            _ => Err(Trouble::passing(reason)),
        }
    }

    async fn exchange(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin,
        path: &str,
    ) -> Result<(StatusCode, Bytes), Trouble> {
        let broken = |error: &dyn std::fmt::Display| {
            let reason = text::cut(&text::visible(&error.to_string()), 120);
            Trouble::passing(format!(
                "the engine at `{}` did not answer: {reason}",
                self.shown()
            ))
        };
        let uri: Uri = path.parse().map_err(|error| broken(&error))?;
        let mut request = Request::new(Empty::<Bytes>::new());
        *request.uri_mut() = uri;
        request
            .headers_mut()
            .insert(HOST, HeaderValue::from_static("docker"));
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| broken(&error))?;
        let answer = async {
            let response = sender
                .send_request(request)
                .await
                .map_err(|error| broken(&error))?;
            let status = response.status();
            let body = Limited::new(response.into_body(), BODY_LIMIT).collect().await;
            Ok((status, body.map_err(|error| broken(&error))?.to_bytes()))
        };
        tokio::pin!(answer);
        tokio::select! {
            answer = &mut answer => answer,
            // What came before the end can still be read.
            _ = connection => answer.await,
        }
    }

    /// Why there is no connection. A socket that is missing or shut does not come by waiting.
    fn unreachable(&self, error: &std::io::Error) -> Trouble {
        let shown = self.shown();
        match (error.kind(), self) {
            (ErrorKind::NotFound, Self::Unix(_)) => {
                Trouble::question(format!("there is no Docker engine's socket at `{shown}`"))
                    .about(About::Target)
            }
            (ErrorKind::PermissionDenied, _) => Trouble::access(format!(
                "the Docker engine's socket `{shown}` may not be used by this user"
            )),
            _ => Trouble::passing(format!(
                "failed to connect to the Docker engine at `{shown}`: {error}"
            )),
        }
    }
}
