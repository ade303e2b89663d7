//! The receivers that the file of routes names.

use std::path::PathBuf;

use gha::edge::runner::SecretFrom;
use gha::{Failure, text};
use lettre::message::Mailbox;

use super::making::Making;
use super::{Receiver, Way};
use crate::channel::slack::Mention;
use crate::error::Error;
use crate::routes::file::{Declared, Read, Words};
use crate::subject::Subject;

/// Those whom something about this may concern, and the names of the others: an environment has only its own secrets. One whose secret is
/// not there is an error: it would be missed at night.
pub(super) async fn all(
    file: &Read,
    about: &Subject,
    making: &Making<'_>,
) -> Result<(Vec<Receiver>, Vec<String>), Failure> {
    let (mut all, mut aside) = (Vec::new(), Vec::new());
    for (name, declared) in &file.receivers {
        // One to which no route leads at all is told of below.
        if file.routes.lead_to(name) && !file.routes.concern(about, name) {
            let about = text::line(&about.to_string());
            making.runner.info(&format!(
                "{name}: left out, because no route leads there from {about}"
            ));
            aside.push(name.clone());
            continue;
        }
        let place = Place {
            file: &file.name,
            receiver: name,
        };
        let withheld = super::withheld(making.runner.context());
        let is_there = |name: &String| {
            making
                .runner
                .env()
                .get(name)
                .is_some_and(|value| !value.trim().is_empty())
        };
        if let Some(who) = withheld.filter(|_| !declared.variables().iter().all(is_there)) {
            making
                .runner
                .info(&format!("{name}: {who} has no secrets, so it is not told"));
            continue;
        }
        let way = one(declared, &place, making).await?;
        all.push(Receiver {
            name: name.clone(),
            way,
        });
    }
    Ok((all, aside))
}

/// Where in a file something stands.
struct Place<'a> {
    file: &'a str,
    receiver: &'a str,
}

impl Place<'_> {
    /// What the user calls a part of the receiver.
    fn of(&self, part: &str) -> String {
        format!("receivers.{}.{part}", self.receiver)
    }

    fn refuse(&self, part: &str, reason: &str) -> Error {
        Error::Routes {
            name: self.file.to_owned(),
            reason: format!("`{}` {reason}", self.of(part)),
        }
    }

    /// Where a secret is.
    fn secret(
        &self,
        part: &str,
        variable: Option<&String>,
        file: Option<&PathBuf>,
    ) -> Result<SecretFrom, Error> {
        match (variable, file) {
            (Some(name), None) if is_variable(name) => Ok(SecretFrom::Variable(name.clone())),
            // It may be the secret itself, and is not repeated.
            (Some(_), None) => Err(self.refuse(&format!("{part}-env"), "is not the name of a variable; if it is the secret itself, take it out of the file, and name the variable that holds it")),
            (None, Some(path)) if !path.to_string_lossy().contains("://") => {
                Ok(SecretFrom::File(path.clone()))
            }
            (None, Some(_)) => Err(self.refuse(&format!("{part}-file"), "is an address, and no file")),
            _ => Err(self.refuse(part, &format!("needs one of `{part}-env` and `{part}-file`"))),
        }
    }

    fn mentions(&self, words: &Words) -> Result<Vec<Mention>, Error> {
        let mentions = words.0.iter().map(|word| word.parse());
        let mentions: Result<Vec<Mention>, String> = mentions.collect();
        mentions.map_err(|reason| self.refuse("mention", &format!("can't be used: {reason}")))
    }

    fn person(&self, part: &str, written: &str) -> Result<Mailbox, Error> {
        let wrong = |_| self.refuse(part, "is no address of mail, such as `ops@example.com`");
        written.parse().map_err(wrong)
    }
}

/// A name as variables have it: in capitals, and of several words where it is long. What looks otherwise may be the secret itself.
fn is_variable(name: &str) -> bool {
    let mut bytes = name.bytes();
    let is_first = |byte: u8| byte.is_ascii_uppercase() || byte == b'_';
    let is_name =
        bytes.next().is_some_and(is_first) && bytes.all(|byte| is_first(byte) || byte.is_ascii_digit());
    is_name && (name.len() <= 20 || name.contains('_'))
}

async fn one(declared: &Declared, place: &Place<'_>, making: &Making<'_>) -> Result<Way, Failure> {
    let secret = async |part: &str, variable: &Option<String>, file: &Option<PathBuf>| {
        let from = place.secret(part, variable.as_ref(), file.as_ref())?;
        making.runner.named_secret(&place.of(part), &from).await
    };
    Ok(match declared {
        Declared::Slack {
            webhook_env,
            webhook_file,
            mention,
            ..
        } => {
            let webhook = secret("webhook", webhook_env, webhook_file).await?;
            let slack = making.slack(&place.of("webhook"), &webhook, place.mentions(mention)?)?;
            Way::Http(Box::new(slack))
        }
        Declared::SlackToken {
            token_env,
            token_file,
            url,
            channel,
            mention,
            ..
        } => {
            let said = place.of("url");
            let token = secret("token", token_env, token_file).await?;
            let bot = making.slack_bot(
                &place.of("token"),
                token,
                url.as_deref().map(|url| (said.as_str(), url)),
                channel,
                place.mentions(mention)?,
            )?;
            Way::Http(Box::new(bot))
        }
        Declared::Teams {
            webhook_env,
            webhook_file,
            envelope,
            ..
        } => {
            let webhook = secret("webhook", webhook_env, webhook_file).await?;
            Way::Http(Box::new(making.teams(
                &place.of("webhook"),
                &webhook,
                *envelope,
            )?))
        }
        Declared::Discord {
            webhook_env,
            webhook_file,
            ..
        } => {
            let webhook = secret("webhook", webhook_env, webhook_file).await?;
            Way::Http(Box::new(making.discord(&place.of("webhook"), &webhook)?))
        }
        Declared::Pagerduty {
            key_env,
            key_file,
            url,
            ..
        } => {
            let key = secret("key", key_env, key_file).await?;
            let said = place.of("url");
            let url = url.as_deref().map(|url| (said.as_str(), url));
            Way::Http(Box::new(making.pagerduty(&place.of("key"), key, url)?))
        }
        Declared::Email {
            smtp_url_env,
            smtp_url_file,
            from,
            to,
            ..
        } => {
            let server = secret("smtp-url", smtp_url_env, smtp_url_file).await?;
            let people: Result<Vec<Mailbox>, Error> =
                to.0.iter().map(|one| place.person("to", one)).collect();
            let people = people?;
            if people.is_empty() {
                return Err(place.refuse("to", "names nobody").into());
            }
            let from = place.person("from", from)?;
            Way::Mail(Box::new(making.email(
                &place.of("smtp-url"),
                &server,
                from,
                people,
            )?))
        }
        Declared::Webhook {
            url_env,
            url_file,
            secret_env,
            secret_file,
            ..
        } => {
            let url = secret("url", url_env, url_file).await?;
            let keys = match (secret_env, secret_file) {
                (None, None) => None,
                _ => Some(secret("secret", secret_env, secret_file).await?),
            };
            Way::Http(Box::new(making.webhook(&place.of("url"), &url, keys.as_ref())?))
        }
    })
}
