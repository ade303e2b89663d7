//! Mail: who gets it by which server, and the letter: text and HTML of the same content
//! (<https://www.rfc-editor.org/rfc/rfc2046#section-5.1.4>). Pure.

use std::time::SystemTime;

use gha::text;
use lettre::Message as Letter;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use reqwest::Url;
use secrecy::SecretString;

use crate::message::Message;

/// The name in results.
pub const NAME: &str = "email";

/// Longest subject, in characters: one line of a list of mails.
const SUBJECT: usize = 150;

/// Longest paragraph, in characters, and longest command that undoes: half a one would undo something else.
const PARAGRAPH: usize = 4_000;

/// Most commands that undo.
const UNDO: usize = 20;

/// What is between us and the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte (<https://www.rfc-editor.org/rfc/rfc8314#section-3.3>).
    Tls,
    /// Plain until STARTTLS, without which nothing is sent (<https://www.rfc-editor.org/rfc/rfc3207>).
    StartTls,
    /// STARTTLS where it is offered: on this machine, or where the user says that the network is theirs.
    Offered,
}

/// A server that takes mail.
pub struct Server {
    /// Its name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// What is between us.
    pub security: Security,
    /// Who we are there, with the password.
    pub credentials: Option<(String, SecretString)>,
}

/// Why an address is none of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoServer {
    /// It is no address of the two schemes.
    Address,
    /// There is a name without a password.
    Password,
}

impl Server {
    /// Reads `smtps://user:password@host:465`, or `smtp://…:587` for STARTTLS. `plain` says that a server without TLS may be used.
    ///
    /// # Errors
    /// When it is something else. The error does not repeat it.
    pub fn read(address: &str, plain: impl Fn(&Url) -> bool) -> Result<Self, NoServer> {
        let url = Url::parse(address).map_err(|_| NoServer::Address)?;
        // Behind the host stands nothing, so what does is the rest of a password with `@` and `/` in it as they are,
        // and the host the middle of it.
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err(NoServer::Address);
        }
        let host = url
            .host_str()
            .filter(|host| !host.is_empty())
            .ok_or(NoServer::Address)?;
        let (security, port) = match url.scheme() {
            "smtps" => (Security::Tls, 465),
            "smtp" if plain(&url) => (Security::Offered, 587),
            "smtp" => (Security::StartTls, 587),
            _ => return Err(NoServer::Address),
        };
        let decoded = |part: &str| {
            let decoded = percent_encoding::percent_decode_str(part).decode_utf8();
            decoded
                .map(|part| part.into_owned())
                .map_err(|_| NoServer::Address)
        };
        let credentials = match (url.username(), url.password()) {
            ("", _) => None,
            (_, None) => return Err(NoServer::Password),
            (user, Some(password)) => Some((decoded(user)?, decoded(password)?.into())),
        };
        Ok(Self {
            host: host.trim_matches(['[', ']']).to_owned(),
            port: url.port().unwrap_or(port),
            security,
            credentials,
        })
    }
}

/// Who gets mail.
pub struct Email {
    /// By which server.
    pub server: Server,
    /// From whom.
    pub from: Mailbox,
    /// To whom.
    pub to: Vec<Mailbox>,
    /// What no other mail has.
    pub id: String,
    /// What all mails of this run about the same thing refer to, so that a reader sees them as one conversation.
    pub thread: String,
    /// When.
    pub date: SystemTime,
}

impl Email {
    /// The letter, as it goes over the wire.
    ///
    /// # Errors
    /// When it can't be made.
    pub fn letter(&self, message: &Message) -> Result<Letter, lettre::error::Error> {
        let domain = self.from.email.domain();
        let named = |id: &str| format!("<{id}@{domain}>");
        let mut letter = Letter::builder()
            .from(self.from.clone())
            .date(self.date)
            .subject(subject(message))
            .message_id(Some(named(&self.id)))
            .in_reply_to(named(&self.thread))
            .references(named(&self.thread))
            // No holiday notice comes back (https://www.rfc-editor.org/rfc/rfc3834#section-5).
            .raw_header(HeaderValue::new(
                HeaderName::new_from_ascii_str("Auto-Submitted"),
                "auto-generated".to_owned(),
            ));
        for one in &self.to {
            letter = letter.to(one.clone());
        }
        letter.multipart(MultiPart::alternative_plain_html(plain(message), html(message)))
    }
}

/// The first line.
#[must_use]
pub fn subject(message: &Message) -> String {
    text::cut(&text::visible(&message.headline), SUBJECT)
}

/// What is said, a paragraph each.
fn paragraphs(message: &Message) -> impl Iterator<Item = String> {
    let shown = |paragraph: String| {
        let lines: Vec<String> = paragraph.lines().map(text::visible).collect();
        text::cut(&lines.join("\n"), PARAGRAPH)
    };
    message.paragraphs().map(shown)
}

/// The commands that undo what was done.
fn undo(message: &Message) -> impl Iterator<Item = String> {
    let undo = message
        .undo
        .iter()
        .filter(|undo| undo.chars().count() <= PARAGRAPH);
    undo.take(UNDO).map(|undo| text::visible(undo))
}

/// As text.
#[must_use]
pub fn plain(message: &Message) -> String {
    let head = text::visible(&message.headline);
    let fields = message.fields.iter();
    let fields: Vec<String> = fields
        .map(|(name, value)| format!("{name}: {}", text::visible(value)))
        .collect();
    let undo = undo(message).map(|undo| format!("To undo: {undo}"));
    let links = message.links.iter();
    let links: Vec<String> = links
        .map(|link| format!("{}: {}", text::visible(&link.text), text::visible(&link.url)))
        .collect();
    let parts = [head]
        .into_iter()
        .chain(paragraphs(message))
        .chain(undo)
        .chain([fields.join("\n"), links.join("\n")]);
    let parts: Vec<String> = parts.filter(|part| !part.is_empty()).collect();
    format!("{}\n", parts.join("\n\n"))
}

/// As HTML, in which foreign text is text.
#[must_use]
pub fn html(message: &Message) -> String {
    let lines = |text: &str| {
        let lines: Vec<String> = text.lines().map(escape).collect();
        lines.join("<br>")
    };
    let mut body = format!("<h2>{}</h2>\n", escape(&text::visible(&message.headline)));
    for paragraph in paragraphs(message) {
        body.push_str(&format!("<p>{}</p>\n", lines(&paragraph)));
    }
    for undo in undo(message) {
        body.push_str(&format!("<p>To undo: <code>{}</code></p>\n", escape(&undo)));
    }
    let row = |(name, value): &(&str, String)| {
        format!(
            "<tr><th align=\"left\">{}</th><td>{}</td></tr>\n",
            escape(name),
            escape(&text::visible(value))
        )
    };
    let rows: String = message.fields.iter().map(row).collect();
    if !rows.is_empty() {
        body.push_str(&format!("<table>\n{rows}</table>\n"));
    }
    let link = |link: &gha::outcome::Link| {
        format!(
            "<a href=\"{}\">{}</a>",
            escape(&link.url),
            escape(&text::visible(&link.text))
        )
    };
    let links: Vec<String> = message.links.iter().map(link).collect();
    if !links.is_empty() {
        body.push_str(&format!("<p>{}</p>\n", links.join(" · ")));
    }
    format!("<!DOCTYPE html>\n<html><body>\n{body}</body></html>\n")
}

/// The five characters that mean something in HTML, also within quotes.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::JobStatus;
    use crate::message::tests::{entry, message};
    use proptest::prelude::{any, proptest};
    use secrecy::ExposeSecret as _;

    fn server(address: &str) -> Result<Server, NoServer> {
        Server::read(address, |url| url.host_str() == Some("127.0.0.1"))
    }

    fn email() -> Email {
        Email {
            server: server("smtp://127.0.0.1:25").unwrap(),
            from: "Deploys <ci@example.com>".parse().unwrap(),
            to: vec![
                "ops@example.com".parse().unwrap(),
                "Ada <ada@example.com>".parse().unwrap(),
            ],
            id: "one".to_owned(),
            thread: "root".to_owned(),
            date: SystemTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn a_server_is_named_by_an_address() {
        for (address, host, port, security, user) in [
            (
                "smtps://u:p@mail.example.com",
                "mail.example.com",
                465,
                Security::Tls,
                Some(("u", "p")),
            ),
            (
                "smtp://u%40x:p%2F%3A@mail.example.com",
                "mail.example.com",
                587,
                Security::StartTls,
                Some(("u@x", "p/:")),
            ),
            (
                "smtp://127.0.0.1:2525",
                "127.0.0.1",
                2525,
                Security::Offered,
                None,
            ),
            ("smtps://[::1]:1", "::1", 1, Security::Tls, None),
            (
                "smtps://mail.example.com/",
                "mail.example.com",
                465,
                Security::Tls,
                None,
            ),
        ] {
            let server = server(address).unwrap_or_else(|_| panic!("{address}"));
            assert_eq!(
                (server.host.as_str(), server.port, server.security),
                (host, port, security)
            );
            let known = server
                .credentials
                .as_ref()
                .map(|(user, password)| (user.as_str(), password.expose_secret()));
            assert_eq!(known, user);
        }
        for (address, wrong) in [
            ("https://mail.example.com", NoServer::Address),
            ("mail.example.com:587", NoServer::Address),
            ("smtp://", NoServer::Address),
            ("smtp://u@mail.example.com", NoServer::Password),
            ("smtps://u:p@art/two@mail.example.com", NoServer::Address),
            ("smtps://u:p@art?two@mail.example.com", NoServer::Address),
            ("smtps://u:p@art#two@mail.example.com", NoServer::Address),
            ("smtps://u:p@art/?@mail.example.com", NoServer::Address),
        ] {
            assert_eq!(server(address).err(), Some(wrong), "{address}");
        }
    }

    #[test]
    fn a_letter_is_one_of_a_conversation() {
        let failed = message(
            Some(JobStatus::Failure),
            vec![entry("gate", "failed", "x <b> & 503")],
        )
        .unwrap();
        let letter = String::from_utf8(email().letter(&failed).unwrap().formatted()).unwrap();
        for line in [
            "From: Deploys <ci@example.com>\r\n",
            "To: ops@example.com, Ada <ada@example.com>\r\n",
            "Message-ID: <one@example.com>\r\n",
            "In-Reply-To: <root@example.com>\r\n",
            "References: <root@example.com>\r\n",
            "Auto-Submitted: auto-generated\r\n",
            "Content-Type: multipart/alternative;",
        ] {
            assert!(letter.contains(line), "{line} in {letter}");
        }
        assert!(html(&failed).contains("gate failed: x &lt;b&gt; &amp; 503"));
        assert!(plain(&failed).contains("gate failed: x <b> & 503"));
    }

    proptest! {
        #[test]
        fn foreign_text_is_neither_a_header_nor_markup(tool in any::<String>(), headline in any::<String>(), extra in any::<String>()) {
            let mut message = message(Some(JobStatus::Failure), vec![entry(&tool, "failed", &headline)]).unwrap();
            message.text = Some(format!("{extra}\r\nBcc: eve@example.com\r\n.\r\n<script>"));
            message.headline = format!("{headline}\r\nBcc: eve@example.com");
            let letter = String::from_utf8(email().letter(&message).unwrap().formatted()).unwrap();
            let (head, _) = letter.split_once("\r\n\r\n").unwrap();
            assert!(!head.lines().any(|line| line.starts_with("Bcc")), "{head}");
            assert!(head.lines().all(|line| line.len() <= 998));
            assert!(!html(&message).contains("<script>"));
            assert!(subject(&message).chars().count() <= SUBJECT);
        }
    }
}
