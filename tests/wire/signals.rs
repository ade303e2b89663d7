//! Real signals: a run that is cancelled says so and leaves its outputs, whatever it waits for.

use std::fs;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use black_box::Place;
use rustix::process::{Pid, Signal, kill_process};
use sandbox::http::{Reply, Script, Server};

use crate::process::{DEADLINE, Finished, Running};
use crate::step::{gate, ledger, notify, outputs};

/// Much less than the five seconds that the contract gives, and the seven and a half that the runner does.
const SOON: Duration = Duration::from_secs(2);

/// Sends a signal, and gives the end of the run and how long that took.
fn cancel(running: Running, signal: Signal) -> (Finished, Duration) {
    let sent = Instant::now();
    running.signal(signal);
    (running.finish(), sent.elapsed())
}

/// A gate that waits for a service which does not come, cancelled after its second try.
fn cancelled_gate(signal: Signal, code: i32, name: &str) {
    let place = Place::new();
    let server = Server::start(Script::new().any([Reply::status(503)])).unwrap();
    let running = Running::start(gate(&place, &server.url("/health"), &[]));
    assert!(server.wait_for(2, DEADLINE).is_some());
    let (finished, took) = cancel(running, signal);
    assert!(took < SOON, "{took:?}");
    finished
        .expect(code)
        .says(&[&format!("{name}: stopping"), &format!("cancelled by {name}")]);
    let outputs = outputs(&place);
    assert_eq!(outputs["verdict"], "inconclusive");
    assert!(
        outputs["reason"].starts_with(&format!("cancelled by {name} after ")),
        "{outputs:?}"
    );
    assert!(outputs["attempts"].parse::<u32>().unwrap() >= 1, "{outputs:?}");
    let line = ledger(&place).pop().unwrap();
    assert_eq!(
        (line["status"].as_str(), line["exit"].as_i64()),
        (Some("cancelled"), Some(i64::from(code)))
    );
    assert!(
        place.read("summary").contains("⚠️ health-gate: inconclusive"),
        "{}",
        place.read("summary")
    );
}

#[test]
fn an_interrupt_ends_a_gate() {
    cancelled_gate(Signal::INT, 130, "SIGINT");
}

#[test]
fn a_termination_ends_a_gate() {
    cancelled_gate(Signal::TERM, 143, "SIGTERM");
}

#[test]
fn a_hang_up_ends_a_gate() {
    cancelled_gate(Signal::HUP, 143, "SIGHUP");
}

#[test]
fn a_gate_is_ended_while_the_target_hangs() {
    let place = Place::new();
    let server = Server::start(Script::new().any([Reply::hang()])).unwrap();
    let running = Running::start(gate(&place, &server.url("/"), &["--try-timeout", "25s"]));
    assert!(server.wait_for(1, DEADLINE).is_some());
    let (finished, took) = cancel(running, Signal::INT);
    assert!(took < SOON, "{took:?}");
    finished.expect(130);
    assert_eq!(outputs(&place)["verdict"], "inconclusive");
}

#[test]
fn the_second_signal_leaves_at_once() {
    let place = Place::new();
    let server = Server::start(Script::new().any([Reply::status(503)])).unwrap();
    let running = Running::start(gate(&place, &server.url("/"), &[]));
    assert!(server.wait_for(1, DEADLINE).is_some());
    // A stopped process gets both when it goes on, before anything else of it runs.
    running.signal(Signal::STOP);
    running.signal(Signal::INT);
    running.signal(Signal::TERM);
    let (finished, took) = cancel(running, Signal::CONT);
    assert!(took < SOON, "{took:?}");
    assert!(matches!(finished.code, Some(130 | 143)), "{}", finished.log());
    finished.says(&["it left at once, because a second signal came"]);
    assert_eq!(ledger(&place).pop().unwrap()["status"], "cancelled");
}

#[test]
fn a_message_is_given_up_while_the_receiver_hangs() {
    let place = Place::new();
    let server = Server::start(Script::new().any([Reply::hang()])).unwrap();
    let mut command = notify(&place, &["--try-timeout", "30s"]);
    command.env("NOTIFY_WEBHOOK_URL", server.url("/events"));
    let running = Running::start(command);
    assert!(server.wait_for(1, DEADLINE).is_some());
    let (finished, took) = cancel(running, Signal::INT);
    assert!(took < SOON, "{took:?}");
    finished.expect(130);
    let outputs = outputs(&place);
    assert_eq!(outputs["delivered"], "false");
    assert!(outputs["results"].contains("it may have arrived"), "{outputs:?}");
    assert_eq!(ledger(&place).pop().unwrap()["status"], "cancelled");
}

#[test]
fn standard_input_that_never_comes_does_not_hold_it_up() {
    let place = Place::new();
    let (input, _kept_open) = std::io::pipe().unwrap();
    let mut command = notify(&place, &["--slack-webhook-file", "-", "--log-format", "json"]);
    // A payload that is not there makes it say something when it has started.
    command.stdin(input).env("GITHUB_EVENT_PATH", "no-such-file");
    let running = Running::start(command);
    running.wait_for("payload can't be read");
    wait_until("it listens to signals", || catches_interrupts(running.pid()));
    let (finished, took) = cancel(running, Signal::INT);
    assert!(took < SOON, "{took:?}");
    finished.expect(130);
}

#[test]
fn a_disk_that_never_answers_does_not_hold_it_up() {
    let place = Place::new();
    let git = place.path().join(".git");
    for folder in ["objects", "refs"] {
        fs::create_dir_all(git.join(folder)).unwrap();
    }
    fs::write(git.join("HEAD"), "ref: refs/heads/main\n").unwrap();
    let config = git.join("config");
    assert!(Command::new("mkfifo").arg(&config).status().unwrap().success());
    let _kept_open = fs::File::options().read(true).write(true).open(&config).unwrap();
    let running = Running::start(place.command("image-tag"));
    wait_until("it listens to signals", || catches_interrupts(running.pid()));
    let files = format!("/proc/{}/fd", running.pid());
    wait_until("it reads the repository", || {
        let mut files = fs::read_dir(&files).into_iter().flatten().flatten();
        files.any(|file| fs::read_link(file.path()).is_ok_and(|path| path.ends_with(".git/config")))
    });
    let (finished, took) = cancel(running, Signal::INT);
    assert!(took < SOON, "{took:?}");
    finished.expect(130);
}

/// Waits for a condition that nobody tells of, with a deadline.
pub(crate) fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let until = Instant::now() + DEADLINE;
    while !condition() {
        assert!(Instant::now() < until, "it did not come to this: {what}");
        thread::yield_now();
    }
}

/// Whether a process has a handler for SIGINT (`SigCgt` of proc_pid_status(5), bit 1).
fn catches_interrupts(pid: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let caught = status
        .lines()
        .find_map(|line| line.strip_prefix("SigCgt:"))
        .unwrap();
    u64::from_str_radix(caught.trim(), 16).unwrap() & 0b10 != 0
}

/// A tool that hears nothing by itself: the runner's two signals end it all the same.
fn left(mut command: Command, stuck: impl FnOnce()) {
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    stuck();
    let handles = || {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let caught = status
            .lines()
            .find_map(|line| line.strip_prefix("SigCgt:"))
            .unwrap_or("0")
            .trim();
        u64::from_str_radix(caught, 16).is_ok_and(|mask| mask & 0b10 != 0)
    };
    let until = Instant::now() + DEADLINE;
    while !handles() {
        assert!(Instant::now() < until, "it does not listen to signals");
        thread::yield_now();
    }
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    kill_process(pid, Signal::INT).unwrap();
    // The first signal has been heard when it has; there is nothing to see of that from outside.
    let until = Instant::now() + DEADLINE;
    let code = loop {
        let _ = kill_process(pid, Signal::TERM);
        if let Some(status) = child.try_wait().unwrap() {
            break status.code();
        }
        assert!(Instant::now() < until, "it did not end");
        thread::yield_now();
    };
    assert!(matches!(code, Some(130 | 143)), "{code:?}");
}

#[test]
fn a_tool_that_is_stuck_in_a_write_is_left() {
    let place = Place::new();
    let mut command = place.command("image-tag");
    let names: String = (0..2000)
        .map(|number| format!("ghcr.io/org/an-image-with-a-long-name-{number}\n"))
        .collect();
    let summary = place.path().join("summary");
    command
        .env("INPUT_IMAGES", names)
        .env("GITHUB_STEP_SUMMARY", &summary)
        .args(["--ref", "refs/heads/main"]);
    // The summary is written before the product, which is more than a pipe holds.
    left(command, || {
        let until = Instant::now() + DEADLINE;
        while !summary.exists() {
            assert!(Instant::now() < until, "no summary");
            thread::yield_now();
        }
    });
}

#[test]
fn a_rule_without_end_hears_a_signal() {
    let place = Place::new();
    let mut command = place.command("image-tag");
    let tag = format!("refs/tags/{}!", "a".repeat(60));
    command.args([
        "--ref",
        &tag,
        "--tags",
        "type=semver,pattern={{version}},match=(a+)+$",
    ]);
    command.env("DEPLOY_LEDGER", place.path().join("ledger"));
    left(command, || {});
}
