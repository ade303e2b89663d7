//! `notify wrap`: a command runs in the program's place, with its streams, signals and exit code, and people hear of its beginning and
//! its end.

use std::fs;
use std::time::{Duration, Instant};

use black_box::Place;
use rustix::process::Signal;
use sandbox::http::{Reply, Script, Server};
use sandbox::stand_ins::slack::{TOKEN, Workspace};

use crate::process::{Running, finish};
use crate::step::{in_run, ledger, outputs};

fn wrapped(place: &Place, slack: &Workspace, flags: &[&str], script: &str) -> std::process::Command {
    let mut command = in_run(place.step("notify"));
    command
        .args(["wrap", "--slack-channel", "#deploys", "--service", "shop"])
        .args(["--slack-url", &slack.url()])
        .args(flags)
        .args(["--", "/bin/sh", "-c", script])
        .env("SLACK_TOKEN", TOKEN);
    command
}

/// The first line of the message, and of the answer in its thread if there is one.
fn told(slack: &Workspace) -> Vec<String> {
    let messages = slack.messages().into_iter();
    let text = |message: sandbox::stand_ins::slack::Posted| {
        message.body["blocks"][0]["text"]["text"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    messages.map(text).collect()
}

#[test]
fn it_ends_as_the_command_did() {
    for (script, code, begins) in [
        ("echo out; echo err >&2", 0, "✅ shop "),
        ("echo out; exit 7", 7, "❌ deploy of shop "),
        ("kill -KILL $$", 137, "❌ deploy of shop "),
    ] {
        let (place, slack) = (Place::new(), Workspace::open().unwrap());
        let finished = finish(wrapped(&place, &slack, &[], script)).expect(code);
        assert_eq!(
            finished.stdout.contains("out\n"),
            script.contains("echo out"),
            "{finished:?}"
        );
        let told = told(&slack);
        assert!(told[0].starts_with(begins), "{told:?}");
        assert_eq!(told.len(), if code == 0 { 1 } else { 2 });
        let line = ledger(&place).pop().unwrap();
        assert_eq!(line["exit"], code);
        assert_eq!(line["status"], if code == 0 { "done" } else { "failed" });
    }
}

#[test]
fn the_cause_is_that_of_the_tool_which_it_ran() {
    let (place, slack) = (Place::new(), Workspace::open().unwrap());
    let script = r#"trace=${TRACEPARENT#00-}; printf '%s\n' '{"schema":"deploy-actions/result@1","tool":"health-gate","version":"1","status":"failed","exit":3,"started_at":"2026-11-22T04:45:00Z","duration_ms":1,"headline":"the database is gone","trace_id":"'"${trace%%-*}"'"}' >> "$DEPLOY_LEDGER"; exit 3"#;
    let mut command = wrapped(&place, &slack, &[], script);
    command.env("DEPLOY_LEDGER", place.path().join("ledger.jsonl"));
    finish(command).expect(3);
    assert!(
        told(&slack)[0].ends_with("the database is gone"),
        "{:?}",
        told(&slack)
    );
}

#[test]
fn signals_reach_the_command_and_its_end_is_told() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let (place, slack) = (Place::new(), Workspace::open().unwrap());
        let script = "trap 'echo stopped; exit 42' INT TERM; echo ready; while :; do sleep 0.05; done";
        let running = Running::start(wrapped(&place, &slack, &[], script));
        running.wait_for("ready");
        let sent = Instant::now();
        running.signal(signal);
        let finished = running.finish().expect(42);
        assert!(sent.elapsed() < Duration::from_secs(5));
        assert!(finished.stdout.contains("stopped"), "{finished:?}");
        assert!(
            told(&slack)[0].contains(" cancelled after "),
            "{:?}",
            told(&slack)
        );
        assert_eq!(outputs(&place)["phase"], "cancelled");
        // One that hears nothing is ended.
        let script = "trap '' INT TERM; echo ready; while :; do sleep 0.05; done";
        let running = Running::start(wrapped(&place, &slack, &[], script));
        running.wait_for("ready");
        let sent = Instant::now();
        running.signal(signal);
        running.finish().expect(137);
        assert!(sent.elapsed() < Duration::from_secs(5), "{code}");
    }
}

#[test]
fn the_second_signal_leaves_nothing_behind() {
    let (place, slack) = (Place::new(), Workspace::open().unwrap());
    let script = "trap '' INT TERM; echo $$ > pid; echo ready; while :; do sleep 0.05; done";
    let running = Running::start(wrapped(&place, &slack, &[], script));
    running.wait_for("ready");
    let pid = fs::read_to_string(place.path().join("pid")).unwrap();
    // One that ended and of which nobody has taken note yet does not run.
    let stat = format!("/proc/{}/stat", pid.trim());
    let runs = || fs::read_to_string(&stat).is_ok_and(|stat| !stat.contains(") Z "));
    assert!(runs());
    // A stopped process gets both when it goes on, before anything else of it runs.
    running.signal(Signal::STOP);
    running.signal(Signal::INT);
    running.signal(Signal::TERM);
    running.signal(Signal::CONT);
    let finished = running.finish();
    finished.says(&["it left at once, because a second signal came"]);
    let left = Instant::now();
    while runs() {
        assert!(left.elapsed() < Duration::from_secs(5));
        std::thread::yield_now();
    }
}

#[test]
fn a_receiver_that_is_not_there_keeps_nobody_from_working() {
    let place = Place::new();
    let run = |flags: &[&str], script: &str| {
        let mut command = in_run(place.step("notify"));
        command
            .args(["wrap", "--service", "shop", "--timeout", "1s"])
            .args(flags)
            .args(["--", "/bin/sh", "-c", script])
            .env("SLACK_WEBHOOK_URL", "http://127.0.0.1:1/services/x-y-z");
        finish(command)
    };
    run(&[], "echo done > worked")
        .expect(0)
        .says(&["the beginning was not told"]);
    run(&["--require"], "exit 9")
        .expect(9)
        .says(&["the message was not delivered"]);
    run(&["--require"], "exit 0").expect(3);
}

/// How long a command took is not how long it took to say that it begins.
#[test]
fn the_time_for_telling_is_not_the_commands() {
    let (place, slack) = (Place::new(), Workspace::open().unwrap());
    let silent = Server::start(Script::new().any([Reply::hang()])).unwrap();
    let mut command = wrapped(&place, &slack, &["--timeout", "1s"], "true");
    command.env("NOTIFY_WEBHOOK_URL", silent.url("/events"));
    finish(command)
        .expect(0)
        .says(&["the beginning was not told: webhook: "]);
    let line = told(&slack).remove(0);
    assert!(line.contains("ms") || !line.contains(" in "), "{line}");
}

#[test]
fn cancelled_while_it_says_that_it_begins_it_says_that_too() {
    let (place, slack) = (Place::new(), Workspace::open().unwrap());
    let silent = Server::start(Script::new().any([Reply::hang()])).unwrap();
    let mut command = wrapped(&place, &slack, &[], "echo ran > ran");
    command.env("NOTIFY_WEBHOOK_URL", silent.url("/events"));
    let running = Running::start(command);
    let begun = Instant::now();
    while slack.messages().is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(5), "nothing was told");
        std::thread::yield_now();
    }
    running.signal(Signal::INT);
    running.finish().expect(130);
    let last = told(&slack).pop().unwrap();
    assert!(last.contains(" cancelled"), "{last}");
    assert!(!place.path().join("ran").exists());
}

#[test]
fn what_can_not_be_run_is_told_too() {
    let (place, slack) = (Place::new(), Workspace::open().unwrap());
    let mut command = wrapped(&place, &slack, &[], "");
    let file = place.path().join("plain");
    fs::write(&file, "no program").unwrap();
    for (program, code) in [
        (&*place.path().join("nowhere").display().to_string(), 127),
        (&*file.display().to_string(), 126),
    ] {
        let mut command = in_run(place.step("notify"));
        command
            .args([
                "wrap",
                "--slack-channel",
                "#deploys",
                "--slack-url",
                &slack.url(),
                "--",
                program,
            ])
            .env("SLACK_TOKEN", TOKEN);
        finish(command).expect(code).says(&["failed to start"]);
    }
    assert!(told(&slack)[0].contains("failed to start"), "{:?}", told(&slack));
    command.args(["more"]);
    finish(command).expect(0);
    let mut without = in_run(place.step("notify"));
    without.arg("wrap");
    finish(without).expect(2).says(&["name it after `--`"]);
}
