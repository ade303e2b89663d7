//! A webhook's address is a secret: it is in no log, file or command line of ours, whatever goes wrong.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use black_box::Place;
use rustix::process::Signal;
use sandbox::http::{Reply, Script, Server};

use crate::process::{Finished, Running, finish};
use crate::step::{in_run, notify};

/// Shaped like Slack's; the address of each test's server stands before it.
const PATH: &str = "/services/T0123ABCD/B0123ABCD/qwertyuiopasdfghjklzxcvb";
const TOKEN: &str = "qwertyuiopasdfghjklzxcvb";
/// [`TOKEN`] in base64, as `base64` prints it.
const ENCODED: &str = "cXdlcnR5dWlvcGFzZGZnaGprbHp4Y3Zi";

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] })
        .collect()
}

/// Checks that neither the streams, but for the lines that register a mask, nor any file hold the secret.
#[track_caller]
fn kept(place: &Place, finished: &Finished) {
    let masks = |line: &&str| !line.starts_with("::add-mask::");
    let log: String = finished
        .log()
        .lines()
        .filter(masks)
        .collect::<Vec<_>>()
        .join("\n");
    let mut texts = vec![("the log".to_owned(), log)];
    for file in files(place.path()) {
        let text = String::from_utf8_lossy(&fs::read(&file).unwrap()).into_owned();
        texts.push((file.display().to_string(), text));
    }
    for (name, text) in texts {
        for part in [TOKEN, "B0123ABCD", ENCODED] {
            assert!(!text.contains(part), "{name} holds `{part}`:\n{text}");
        }
    }
}

/// A step that posts to this server in both ways, its own addresses the secret.
fn post(place: &Place, server: &Server, flags: &[&str]) -> Command {
    let mut command = notify(place, &["--timeout", "600ms", "--try-timeout", "200ms"]);
    command
        .args(flags)
        .env("SLACK_WEBHOOK_URL", server.url(PATH))
        .env("NOTIFY_WEBHOOK_URL", format!("{}?sig={TOKEN}", server.url(PATH)));
    command
}

#[test]
fn whatever_the_receiver_does() {
    let echo = format!("no such hook: http://x{PATH} {ENCODED}");
    for reply in [
        Reply::text(200, "ok"),
        Reply::text(404, echo.clone()),
        Reply::redirect(302, &format!("https://login.example{PATH}")),
        Reply::text(200, echo),
        Reply::hang(),
        Reply::reset(),
        Reply::text(200, "ok").cut_after(1),
    ] {
        for flags in [
            &[][..],
            &["--require"],
            &["--output", "json"],
            &["--log-format", "json"],
            &["--dry-run"],
        ] {
            let place = Place::new();
            let server = Server::start(Script::new().any([reply.clone()])).unwrap();
            let finished = finish(post(&place, &server, flags));
            assert!(matches!(finished.code, Some(0 | 3)), "{}", finished.log());
            kept(&place, &finished);
        }
    }
}

/// The password stands in the header behind a name, and so at any place of four characters of base64.
#[test]
fn where_the_receiver_repeats_a_login() {
    for (name, header) in [
        ("bob", "Basic Ym9iOkhvb2tQYXNzOTl4"),
        ("anna", "Basic YW5uYTpIb29rUGFzczk5eA=="),
        ("david", "Basic ZGF2aWQ6SG9va1Bhc3M5OXg="),
    ] {
        let server = Server::start(Script::new().any([Reply::text(404, header)])).unwrap();
        let place = Place::new();
        let address = server
            .url("/events")
            .replace("http://", &format!("http://{name}:HookPass99x@"));
        let mut command = in_run(place.step("notify"));
        command
            .args(["send", "--status", "failure"])
            .env("NOTIFY_WEBHOOK_URL", address);
        let finished = finish(command).expect(0);
        assert_eq!(server.requests()[0].header("authorization"), Some(header));
        let said = finished.log() + &place.read("output") + &place.read("summary");
        let shown: Vec<&str> = said
            .lines()
            .filter(|line| !line.contains("::add-mask::"))
            .collect();
        for part in ["b29rUGFzcz", "hvb2tQYXNz", "9va1Bhc3M", "HookPass"] {
            assert!(!shown.join("\n").contains(part), "{name}: {shown:?}");
        }
    }
}

#[test]
fn where_it_is_escaped_or_cut() {
    let secret = "abc_DEF_12345678_xyz~!";
    for padding in [0, 185, 195, 505] {
        let place = Place::new();
        let echo = format!("{}/hook/{secret} is gone", "x".repeat(padding));
        let server = Server::start(Script::new().any([Reply::text(404, echo)])).unwrap();
        let mut command = notify(&place, &[]);
        command.env("NOTIFY_WEBHOOK_URL", server.url(&format!("/hook/{secret}")));
        let finished = finish(command).expect(0);
        let masks = |line: &&str| !line.starts_with("::add-mask::");
        let log: Vec<String> = finished.log().lines().filter(masks).map(str::to_owned).collect();
        let mut texts = vec![log.join("\n")];
        texts.extend(
            files(place.path())
                .iter()
                .map(|file| fs::read_to_string(file).unwrap()),
        );
        for text in texts {
            let plain = text.replace('\\', "");
            assert!(
                !plain.contains("abc_D") && !plain.contains("12345678"),
                "{padding}: {text}"
            );
        }
    }
}

#[test]
fn where_nobody_listens() {
    let place = Place::new();
    let server = Server::start(Script::new()).unwrap();
    let command = post(&place, &server, &["--require"]);
    drop(server);
    kept(&place, &finish(command).expect(3));
}

#[test]
fn where_the_address_is_wrong() {
    for wrong in [
        &PATH[1..],
        &format!("http://hooks.example{PATH}"),
        &format!("https://[{PATH}"),
    ] {
        let place = Place::new();
        let mut command = notify(&place, &[]);
        command.env("SLACK_WEBHOOK_URL", wrong);
        kept(&place, &finish(command).expect(2));
    }
}

#[test]
fn where_it_stands_on_the_command_line() {
    let url = format!("https://hooks.example{PATH}");
    let equals = format!("--slack-webhook={url}");
    let misspelt = format!("--slack-webhook-uri={url}");
    for words in [
        vec!["--slack-webhook", &url],
        vec![&equals],
        vec![&misspelt],
        vec!["--webhook", &url],
        vec![&url],
    ] {
        let place = Place::new();
        kept(&place, &finish(notify(&place, &words)).expect(2));
    }
}

#[test]
fn where_it_comes_from_a_file_or_standard_input() {
    let place = Place::new();
    let secrets = tempfile::tempdir().unwrap();
    let server = Server::start(Script::new().any([Reply::text(404, "no_service")])).unwrap();
    let file = secrets.path().join("hook");
    fs::write(&file, format!("{}\n", server.url(PATH))).unwrap();
    let mut command = notify(
        &place,
        &[
            "--slack-webhook-file",
            file.to_str().unwrap(),
            "--webhook-url-file",
            "-",
        ],
    );
    command.stdin(Stdio::from(fs::File::open(&file).unwrap()));
    kept(&place, &finish(command).expect(0));
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn it_is_masked_before_anything_else_is_said() {
    let place = Place::new();
    let server = Server::start(Script::new().any([Reply::text(200, "ok")])).unwrap();
    let finished = finish(post(&place, &server, &[])).expect(0);
    let lines: Vec<&str> = finished.stdout.lines().collect();
    let masks = lines
        .iter()
        .take_while(|line| line.starts_with("::add-mask::"))
        .count();
    assert!(
        masks > 0
            && lines[masks..]
                .iter()
                .all(|line| !line.starts_with("::add-mask::")),
        "{lines:?}"
    );
    for form in [server.url(PATH).as_str(), TOKEN, ENCODED] {
        assert!(
            lines.contains(&format!("::add-mask::{form}").as_str()),
            "`{form}` is not masked: {lines:?}"
        );
    }
}

/// The runner hides each masked text in the whole job's log, and drops every job output that holds one.
#[test]
fn words_that_are_no_secret_are_not_masked() {
    let place = Place::new();
    let server = Server::start(Script::new().any([Reply::text(200, "ok")])).unwrap();
    let mut command = notify(&place, &["--text", "all services are up"]);
    command.env("SLACK_WEBHOOK_URL", server.url(PATH));
    let finished = finish(command).expect(0);
    assert!(
        !finished.stdout.lines().any(|line| line == "::add-mask::services"),
        "{}",
        finished.stdout
    );
    let message = server.requests()[0].json();
    assert_eq!(message["blocks"][1]["text"]["text"], "all services are up");
    assert!(
        place.read("summary").contains("all services are up"),
        "{}",
        place.read("summary")
    );
}

#[test]
fn the_process_list_does_not_have_it() {
    let place = Place::new();
    let server = Server::start(Script::new().any([Reply::hang()])).unwrap();
    let mut command = notify(&place, &["--try-timeout", "30s"]);
    command.env("SLACK_WEBHOOK_URL", server.url(PATH));
    let running = Running::start(command);
    assert!(server.wait_for(1, crate::process::DEADLINE).is_some());
    let line = fs::read(format!("/proc/{}/cmdline", running.pid())).unwrap();
    let line = String::from_utf8_lossy(&line).into_owned();
    assert!(line.contains("--service") && !line.contains(TOKEN), "{line}");
    running.signal(Signal::INT);
    kept(&place, &running.finish().expect(130));
}
