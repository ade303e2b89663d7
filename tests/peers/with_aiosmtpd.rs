//! Mail; as a server made of aiosmtpd takes it, refuses it, puts it off, and is silent.

use std::process::Output;

use sandbox::peers::certificate::{Certificate, Valid};
use sandbox::peers::{Line, MailServer, Place};
use serde_json::{Value, json};

/// The name and the password, and the password as an address has it.
const LOGIN: (&str, &str, &str) = ("ci", "p@ss:w/rd-not-to-be-seen", "p%40ss%3Aw%2Frd-not-to-be-seen");

struct Run {
    home: black_box::Place,
    output: Output,
}

/// Tells these people of a failure by this server.
fn mailed(address: &str, to: &[&str], flags: &[&str], authority: Option<&str>) -> Run {
    let home = black_box::Place::new();
    let mut command = home.step("notify");
    command
        .args([
            "--status",
            "failure",
            "--service",
            "shop",
            "--text",
            ".\r\nBcc: eve@example.com\n<b>not bold</b>",
        ])
        .args(["--email-from", "Deploys <ci@example.com>"])
        .args(to.iter().flat_map(|one| ["--email-to", one]))
        .args(flags)
        .env("SMTP_URL", address);
    if let Some(authority) = authority {
        let file = home.path().join("authority.pem");
        std::fs::write(&file, authority).unwrap();
        command.env("SSL_CERT_FILE", file);
    }
    let output = command.output().unwrap();
    Run { home, output }
}

impl Run {
    #[track_caller]
    fn ends(&self, code: i32, says: &str) {
        let log = self.log();
        assert_eq!(self.output.status.code(), Some(code), "{log}");
        assert!(log.contains(says), "{log}");
        let written = [log, self.home.read("summary"), self.home.read("output")].concat();
        let mut lines = written.lines();
        let shown = lines.find(|line| line.contains("not-to-be-seen") && !line.contains("::add-mask::"));
        assert_eq!(shown, None);
    }

    fn log(&self) -> String {
        let (out, err) = (&self.output.stdout, &self.output.stderr);
        String::from_utf8_lossy(&[out.as_slice(), err].concat()).into_owned()
    }
}

fn server(place: &Place, line: Line, wanted: &Value) -> MailServer {
    MailServer::start(place, line, wanted).unwrap()
}

#[test]
fn a_letter_arrives_over_every_line() {
    let certificate = Certificate::signed(Valid::Now).unwrap();
    for (line, scheme) in [
        (Line::Plain, "smtp"),
        (Line::StartTls, "smtp"),
        (Line::Tls, "smtps"),
    ] {
        let place = Place::new().unwrap();
        certificate.write(&place).unwrap();
        let server = server(&place, line, &json!({"login": [LOGIN.0, LOGIN.1]}));
        let address = format!("{scheme}://{}:{}@{}", LOGIN.0, LOGIN.2, server.address());
        let run = mailed(
            &address,
            &["ops@example.com", "Ada <ada@example.com>"],
            &[],
            Some(certificate.authority()),
        );
        run.ends(0, "email: delivered");
        let letters = server.letters();
        assert_eq!(letters.len(), 1, "{line:?}: {letters:?}");
        let letter = &letters[0];
        assert_eq!(letter["to"], json!(["ops@example.com", "ada@example.com"]));
        assert_eq!(
            (&letter["login"], &letter["safe"]),
            (&json!(true), &json!(line != Line::Plain)),
            "{line:?}"
        );
        let content = letter["content"].as_str().unwrap();
        let (head, body) = content
            .split_once("\r\n\r\n")
            .or_else(|| content.split_once("\n\n"))
            .unwrap();
        assert!(
            !head.contains("eve@example.com") && body.contains("eve@example.com"),
            "{content}"
        );
        assert!(
            body.contains("&lt;b&gt;not bold&lt;/b&gt;") && body.contains("text/html"),
            "{content}"
        );
    }
}

#[test]
fn a_line_that_is_not_safe_enough_carries_nothing() {
    let (certificate, other) = (
        Certificate::signed(Valid::Now).unwrap(),
        Certificate::signed(Valid::Now).unwrap(),
    );
    let place = Place::new().unwrap();
    certificate.write(&place).unwrap();
    let safe = server(&place, Line::Tls, &json!({}));
    let run = mailed(
        &format!("smtps://{}", safe.address()),
        &["ops@example.com"],
        &["--require"],
        Some(other.authority()),
    );
    run.ends(3, "no safe connection");
    assert!(safe.letters().is_empty());
    // TLS from the first byte is not what this one speaks.
    let plain = Place::new().unwrap();
    let plain = server(&plain, Line::Plain, &json!({}));
    let flags = ["--require", "--timeout", "3s"];
    mailed(
        &format!("smtps://{}", plain.address()),
        &["ops@example.com"],
        &flags,
        None,
    )
    .ends(3, "the server does not begin with TLS at port ");
    assert!(plain.letters().is_empty());
}

#[test]
fn one_who_is_refused_does_not_keep_others_from_it() {
    let place = Place::new().unwrap();
    let server = server(&place, Line::Plain, &json!({"refused": ["nobody@example.com"]}));
    let address = format!("smtp://{}", server.address());
    let run = mailed(
        &address,
        &["nobody@example.com", "ops@example.com"],
        &["--require"],
        None,
    );
    run.ends(3, "`nobody@example.com`: the server refused it: ");
    assert!(run.log().contains("no such person"), "{}", run.log());
    assert_eq!(server.letters()[0]["to"], json!(["ops@example.com"]));
    assert_eq!(server.letters().len(), 1);
}

#[test]
fn a_letter_that_is_put_off_comes_again_and_a_wrong_password_does_not() {
    let place = Place::new().unwrap();
    let grey = server(&place, Line::Plain, &json!({"later": 1}));
    let run = mailed(
        &format!("smtp://{}", grey.address()),
        &["ops@example.com"],
        &["--require"],
        None,
    );
    run.ends(0, "greylisted");
    assert_eq!(grey.letters().len(), 1);
    let place = Place::new().unwrap();
    let locked = server(&place, Line::Plain, &json!({"login": [LOGIN.0, LOGIN.1]}));
    let address = format!("smtp://ci:another-not-to-be-seen@{}", locked.address());
    mailed(&address, &["ops@example.com"], &["--require"], None).ends(3, "check the name and the password");
    assert!(locked.letters().is_empty());
}

#[test]
fn a_letter_of_which_nothing_is_known_is_not_sent_twice() {
    let place = Place::new().unwrap();
    let server = server(&place, Line::Plain, &json!({"silent": true}));
    let flags = ["--require", "--timeout", "20s", "--try-timeout", "2s"];
    let run = mailed(
        &format!("smtp://{}", server.address()),
        &["ops@example.com"],
        &flags,
        None,
    );
    run.ends(3, "it may have arrived, so it is not sent again");
    assert_eq!(server.letters().len(), 1);
}
