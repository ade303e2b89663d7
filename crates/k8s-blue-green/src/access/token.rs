//! Bearer tokens that end: read from a file, given by a program, or signed for EKS. Each is renewed before its end, and once
//! more when the server does not take it (401): such a request was not done, so it is sent again.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use gha::edge::environment;
use gha::edge::runner::Masks;
use gha::text;
use http::header::AUTHORIZATION;
use http::{HeaderValue, Request, StatusCode};
use kube::Client;
use kube::client::{AuthError, Body};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::eks::Signer;
use super::exec::{Given, Plugin};

/// How often a file is read again, as kube and Kubernetes' own client do: the kubelet renews it long before its end.
const FILE: Duration = Duration::from_secs(60);

/// How long before its end a token is renewed.
const MARGIN: Duration = Duration::from_secs(60);

/// How long a token is kept that could not be renewed, before that is tried again.
const AGAIN: Duration = Duration::from_secs(10);

/// The largest file of a token that is read.
const LARGEST: usize = 1024 * 1024;

/// Where tokens come from.
pub(super) enum Source {
    /// A file.
    File(PathBuf),
    /// A program.
    Program(Box<Plugin>),
    /// A signature.
    Eks(Box<Signer>),
}

/// A new token.
#[derive(Debug)]
pub(super) struct Fresh {
    /// The token.
    pub(super) token: SecretString,
    /// How long it is used before the next is asked for; `None` for as long as it is taken.
    pub(super) good_for: Option<Duration>,
    /// How long it is taken; `None` where that is not known.
    pub(super) ends_in: Option<Duration>,
}

impl Fresh {
    /// The token that a program gave, if it is one.
    #[must_use]
    pub(super) fn of(given: Given) -> Option<Self> {
        let left = given.ends.map(|ends| {
            let left = ends.duration_since(environment::now());
            Duration::try_from(left).unwrap_or_default()
        });
        Some(Self {
            token: given.token?,
            good_for: left.map(|left| left.saturating_sub(MARGIN)),
            ends_in: left,
        })
    }
}

/// The token that is used now.
struct Held {
    header: HeaderValue,
    renew_at: Option<Instant>,
    ends_at: Option<Instant>,
    /// How many there have been before it.
    number: u64,
}

/// Tokens of one source.
pub(super) struct Tokens {
    source: Source,
    masks: Masks,
    held: Mutex<Option<Held>>,
}

impl Tokens {
    /// Tokens of a source, and the first of them where it is there already.
    ///
    /// # Errors
    /// When that one can't be sent.
    pub(super) fn new(source: Source, first: Option<Fresh>, masks: Masks) -> Result<Self, String> {
        let held = first.map(|first| held(&first, 0)).transpose()?;
        Ok(Self {
            source,
            masks,
            held: Mutex::new(held),
        })
    }

    /// The token's header, and its number.
    ///
    /// # Errors
    /// When there is none, and none can be had; why, in words.
    pub(super) async fn current(&self) -> Result<(HeaderValue, u64), String> {
        let mut held = self.held.lock().await;
        let now = Instant::now();
        if let Some(kept) = &*held
            && kept.renew_at.is_none_or(|at| now < at)
        {
            return Ok((kept.header.clone(), kept.number));
        }
        match self.renewed(&mut held).await {
            Ok(found) => Ok(found),
            // What was good a moment ago may be good still: the way to the next one is down for a while.
            Err(why) => match &mut *held {
                Some(kept) if kept.ends_at.is_none_or(|at| now < at) => {
                    kept.renew_at = Some(now + AGAIN);
                    Ok((kept.header.clone(), kept.number))
                }
                _ => Err(why),
            },
        }
    }

    /// Another token than the one of this number, which the server did not take.
    ///
    /// # Errors
    /// When none can be had.
    pub(super) async fn another(&self, refused: u64) -> Result<(HeaderValue, u64), String> {
        let mut held = self.held.lock().await;
        match &*held {
            Some(kept) if kept.number != refused => Ok((kept.header.clone(), kept.number)),
            _ => self.renewed(&mut held).await,
        }
    }

    async fn renewed(&self, kept: &mut Option<Held>) -> Result<(HeaderValue, u64), String> {
        let number = kept.as_ref().map_or(0, |kept| kept.number + 1);
        let fresh = self.fresh().await?;
        self.masks.mask(fresh.token.expose_secret());
        let new = held(&fresh, number)?;
        let found = (new.header.clone(), number);
        *kept = Some(new);
        Ok(found)
    }

    async fn fresh(&self) -> Result<Fresh, String> {
        match &self.source {
            Source::File(path) => {
                let shown = text::line(&path.display().to_string());
                let read = tokio::fs::read(path).await;
                let bytes =
                    read.map_err(|error| format!("the token file `{shown}` can't be read: {error}"))?;
                let token = String::from_utf8(bytes)
                    .ok()
                    .filter(|token| token.len() <= LARGEST);
                let token = token.map(|token| token.trim().to_owned());
                match token.filter(|token| !token.is_empty()) {
                    Some(token) => Ok(Fresh {
                        token: SecretString::from(token),
                        good_for: Some(FILE),
                        ends_in: None,
                    }),
                    None => Err(format!("the token file `{shown}` holds no token")),
                }
            }
            Source::Program(plugin) => {
                let given = plugin.ask().await.map_err(|nothing| nothing.reason)?;
                Fresh::of(given)
                    .ok_or_else(|| "the program of the kubeconfig gave no token this time".to_owned())
            }
            Source::Eks(signer) => signer.token().await,
        }
    }
}

fn held(fresh: &Fresh, number: u64) -> Result<Held, String> {
    let value = format!("Bearer {}", fresh.token.expose_secret());
    let mut header =
        HeaderValue::try_from(value).map_err(|_| "the token holds what no header can".to_owned())?;
    header.set_sensitive(true);
    let now = Instant::now();
    Ok(Held {
        header,
        renew_at: fresh.good_for.map(|time| now + time),
        ends_at: fresh.ends_in.map(|time| now + time),
        number,
    })
}

/// A client whose requests carry these tokens.
#[must_use]
pub(super) fn carried(base: &Client, tokens: Arc<Tokens>) -> Client {
    let namespace = base.default_namespace().to_owned();
    let base = base.clone();
    let service = tower::service_fn(move |request: Request<Body>| {
        let (base, tokens) = (base.clone(), Arc::clone(&tokens));
        async move { sent(&base, &tokens, request).await }
    });
    Client::new(service, namespace)
}

async fn sent(
    base: &Client,
    tokens: &Tokens,
    mut request: Request<Body>,
) -> Result<http::Response<Body>, kube::Error> {
    let again = copied(&request);
    let (header, number) = tokens.current().await.map_err(without)?;
    request.headers_mut().insert(AUTHORIZATION, header);
    let answer = base.send(request).await?;
    if answer.status() != StatusCode::UNAUTHORIZED {
        return Ok(answer);
    }
    let Some(mut again) = again else { return Ok(answer) };
    match tokens.another(number).await {
        Ok((header, _)) => {
            again.headers_mut().insert(AUTHORIZATION, header);
            base.send(again).await
        }
        // What the server said stands.
        Err(_) => Ok(answer),
    }
}

fn copied(request: &Request<Body>) -> Option<Request<Body>> {
    let mut copy = Request::new(request.body().try_clone()?);
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.version_mut() = request.version();
    *copy.headers_mut() = request.headers().clone();
    Some(copy)
}

/// A request that was not sent. Its words are at the bottom of the error, where [`crate::api`] looks for them.
fn without(why: String) -> kube::Error {
    kube::Error::Auth(AuthError::AuthExecStart(std::io::Error::other(why)))
}
