//! Mail: one connection a try, and for each person what the server said. Until the end of the letter is sent nothing has arrived; after
//! that, without an answer, it may have.

use std::time::{Duration, Instant};

use gha::edge::{environment, http};
use gha::failure::chain;
use gha::{Runner, text};
use lettre::Address;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use secrecy::ExposeSecret as _;
use tokio::time::timeout;

use super::{Delivery, Limits};
use crate::channel::email::{Email, Security, Server};
use crate::delivery::{Answer, Next, next};
use crate::message::Message;

/// What became of a try for one person.
#[derive(Clone, Debug)]
enum Fate {
    /// The server has it.
    Taken,
    /// It does not have it now, or it is not known.
    Open(Answer),
    /// It won't have it, for this reason.
    Never(String),
}

/// Mails all persons, each until the server has it, it is known why it won't, or `budget` is used up.
pub async fn deliver(
    (name, email): (&str, &Email),
    message: &Message,
    limits: Limits,
    runner: &Runner,
) -> Delivery {
    let begin = Instant::now();
    let (mut tries, mut reasons) = (0, Vec::new());
    let letter = email.letter(message).map(|letter| letter.formatted());
    let mut open: Vec<Address> = email.to.iter().map(|one| one.email.clone()).collect();
    match letter {
        Err(error) => reasons.push(format!("the letter can't be made: {error}")),
        Ok(letter) => {
            while !open.is_empty() {
                tries += 1;
                let left = || limits.budget.saturating_sub(begin.elapsed());
                let fates = attempt(email, &letter, &open, limits.one_try.min(left())).await;
                let (again, wait) = judged(open, fates, (tries, left()), &mut reasons, (name, runner));
                open = again;
                if !open.is_empty() {
                    tokio::time::sleep(wait).await;
                }
            }
        }
    }
    reasons.dedup();
    let delivered = reasons.is_empty();
    Delivery {
        receiver: name.to_owned(),
        delivered,
        how: if delivered { "sent" } else { "failed" },
        tries,
        reason: reasons.join("; "),
        posted: None,
    }
}

/// Whether the server lets us in; no letter is sent.
///
/// # Errors
/// With the reason why not.
pub async fn log_in(server: &Server, limit: Duration) -> Result<(), String> {
    let late = || Fate::Open(Answer::NotSent("the server did not answer in time".to_owned()));
    let line = timeout(limit, connected(server, limit)).await;
    match line.unwrap_or_else(|_| Err(late())) {
        Ok(mut line) => {
            drop(timeout(Duration::from_secs(1), line.quit()).await);
            Ok(())
        }
        Err(Fate::Never(reason) | Fate::Open(Answer::NotSent(reason) | Answer::Unknown(reason))) => {
            Err(reason)
        }
        Err(Fate::Taken | Fate::Open(Answer::Status { .. })) => Ok(()),
    }
}

/// Who is tried again, and after how long; for the others that can't be helped the reason is kept.
fn judged(
    open: Vec<Address>,
    fates: Vec<Fate>,
    (tries, left): (u32, Duration),
    reasons: &mut Vec<String>,
    (name, runner): (&str, &Runner),
) -> (Vec<Address>, Duration) {
    let (mut again, mut longest) = (Vec::new(), Duration::ZERO);
    let jitter = f64::from(environment::random()[0]) / 255.0;
    for (person, fate) in open.into_iter().zip(fates) {
        let answer = match fate {
            Fate::Taken => continue,
            Fate::Never(reason) => {
                reasons.push(runner.hide(&reason));
                continue;
            }
            Fate::Open(answer) => answer,
        };
        match next(&answer, false, false, tries, left, jitter) {
            Next::Again(wait) => {
                longest = longest.max(wait);
                again.push(person);
                if let Answer::NotSent(reason) = &answer
                    && again.len() == 1
                {
                    let wait = gha::duration::display(wait);
                    runner.info(&format!(
                        "{name}: {}; trying again in {wait}",
                        runner.hide(reason)
                    ));
                }
            }
            Next::GiveUp(reason) => reasons.push(runner.hide(&reason)),
            Next::Delivered => {}
        }
    }
    (again, longest)
}

/// One connection, and what became of the letter for each of these persons.
async fn attempt(email: &Email, letter: &[u8], to: &[Address], limit: Duration) -> Vec<Fate> {
    let all = |fate: Fate| vec![fate; to.len()];
    let end = Instant::now() + limit;
    let left = || end.saturating_duration_since(Instant::now());
    let late = || Fate::Open(Answer::NotSent("the server did not answer in time".to_owned()));
    let mut line = match timeout(left(), connected(&email.server, left())).await {
        Ok(Ok(line)) => line,
        Ok(Err(fate)) => return all(fate),
        Err(_) => return all(late()),
    };
    let named = timeout(left(), addressed(&mut line, &email.from.email, to)).await;
    let mut fates = match named {
        Ok(Ok(fates)) => fates,
        Ok(Err(fate)) => return all(fate),
        Err(_) => return all(late()),
    };
    let taken = |fate: &Fate| matches!(fate, Fate::Taken);
    if !fates.iter().any(taken) {
        return fates;
    }
    let unknown = "the server did not say whether it has the letter";
    let sent = match timeout(left(), line.command(Data)).await {
        Err(_) => Some(late()),
        Ok(Err(error)) => Some(fate(&error)),
        Ok(Ok(_)) => match timeout(left(), line.message(letter)).await {
            Ok(Ok(_)) => None,
            Ok(Err(error)) if error.status().is_some() => Some(fate(&error)),
            Ok(Err(_)) | Err(_) => Some(Fate::Open(Answer::Unknown(unknown.to_owned()))),
        },
    };
    // What is said from here on changes nothing.
    drop(timeout(left().min(Duration::from_secs(1)), line.quit()).await);
    if let Some(sent) = sent {
        fates
            .iter_mut()
            .filter(|fate| taken(fate))
            .for_each(|fate| *fate = sent.clone());
    }
    fates
}

/// A connection that is as safe as it must be, with us logged in.
async fn connected(server: &Server, limit: Duration) -> Result<AsyncSmtpConnection, Fate> {
    let hello = ClientId::default();
    let tls = parameters(server).map_err(Fate::Never)?;
    let at_once = (server.security == Security::Tls).then(|| tls.clone());
    let place = (server.host.as_str(), server.port);
    let line = AsyncSmtpConnection::connect_tokio1(place, Some(limit), &hello, at_once, None).await;
    let mut line = line.map_err(|error| unconnected(&error, server))?;
    match server.security {
        Security::Tls => {}
        Security::Offered if !line.can_starttls() => {}
        Security::StartTls if !line.can_starttls() => {
            let reason = "the server offers no STARTTLS; use `smtps://`, or `--allow-http` if the network between is yours";
            return Err(Fate::Never(reason.to_owned()));
        }
        Security::StartTls | Security::Offered => {
            line.starttls(tls, &hello).await.map_err(|error| fate(&error))?;
        }
    }
    if let Some((user, password)) = &server.credentials {
        let credentials = Credentials::new(user.clone(), password.expose_secret().to_owned());
        let login = line.auth(DEFAULT_MECHANISMS, &credentials).await;
        login.map_err(|error| match fate(&error) {
            Fate::Never(reason) => {
                Fate::Never(format!("{reason}; check the name and the password in `smtp-url`"))
            }
            other => other,
        })?;
    }
    Ok(line)
}

/// What it means that there is no connection, with the server where it did not say so itself.
fn unconnected(error: &Error, server: &Server) -> Fate {
    let fate = fate(error);
    match fate {
        Fate::Open(Answer::NotSent(why)) if error.status().is_none() => {
            let Server { host, port, .. } = server;
            Fate::Open(Answer::NotSent(format!(
                "no connection to `{host}:{port}`: {why}"
            )))
        }
        // What rustls says of a greeting in plain text.
        Fate::Never(why) if why.contains("InvalidContentType") => Fate::Never(format!(
            "{why}: the server does not begin with TLS at port {}; `smtp://` begins without and uses STARTTLS",
            server.port
        )),
        fate => fate,
    }
}

/// What the server says of each person.
async fn addressed(
    line: &mut AsyncSmtpConnection,
    from: &Address,
    to: &[Address],
) -> Result<Vec<Fate>, Fate> {
    let sender = line.command(Mail::new(Some(from.clone()), Vec::new())).await;
    sender.map_err(|error| fate(&error))?;
    let mut fates = Vec::new();
    for one in to {
        fates.push(match line.command(Rcpt::new(one.clone(), Vec::new())).await {
            Ok(_) => Fate::Taken,
            Err(error) => match fate(&error) {
                Fate::Never(reason) => Fate::Never(format!("`{}`: {reason}", text::line(one.as_ref()))),
                other => other,
            },
        });
    }
    Ok(fates)
}

/// TLS that trusts what the other tools trust.
fn parameters(server: &Server) -> Result<TlsParameters, String> {
    let authorities = http::authorities().map_err(|error| chain(&error))?;
    let store = match authorities.is_empty() {
        true => CertificateStore::WebpkiRoots,
        false => CertificateStore::None,
    };
    let mut builder = TlsParameters::builder(server.host.clone()).certificate_store(store);
    for authority in authorities {
        if let Ok(certificate) = Certificate::from_der(authority.to_vec()) {
            builder = builder.add_root_certificate(certificate);
        }
    }
    builder.build_rustls().map_err(|error| chain(&error))
}

/// What an error before the end of the letter means: an answer of 4xx may pass, one of 5xx does not
/// (<https://www.rfc-editor.org/rfc/rfc5321#section-4.2.1>).
fn fate(error: &Error) -> Fate {
    let root = root(error);
    let why = text::cut(&text::visible(&root.to_string()), 200);
    // What rustls says against a certificate or a protocol, which stays as it is.
    let io = root.downcast_ref::<std::io::Error>();
    let is_unsafe = error.is_tls() || io.is_some_and(|io| io.kind() == std::io::ErrorKind::InvalidData);
    match error.status() {
        Some(code) if error.is_permanent() => Fate::Never(format!("the server refused it: {code} {why}")),
        Some(code) => Fate::Open(Answer::NotSent(format!("the server puts it off: {code} {why}"))),
        None if is_unsafe => Fate::Never(format!("no safe connection: {why}")),
        None => Fate::Open(Answer::NotSent(why)),
    }
}

/// The first cause, without the layers of the library. An error of a connection holds what went wrong inside, and is no cause of it.
fn root<'a>(error: &'a (dyn std::error::Error + 'static)) -> &'a (dyn std::error::Error + 'static) {
    let mut root = error;
    while let Some(cause) = root.source() {
        root = cause;
    }
    root
}
