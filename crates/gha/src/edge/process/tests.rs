//! Children, their ends, and what they leave behind.

use super::*;
use crate::edge::cancel::Signal;

async fn sh(script: &str, limit: Duration, cancel: &Cancel) -> Result<Finished, ProcessError> {
    capture("sh", &["-c", script], Path::new("."), limit, cancel).await
}

/// Whether any process still carries the marker in its command line.
fn lives(marker: &str) -> bool {
    std::fs::read_dir("/proc").unwrap().flatten().any(|entry| {
        std::fs::read(entry.path().join("cmdline"))
            .is_ok_and(|line| String::from_utf8_lossy(&line).contains(marker))
            && std::fs::read_to_string(entry.path().join("stat")).is_ok_and(|stat| !stat.contains(") Z "))
    })
}

#[tokio::test]
async fn captures_both_streams_and_the_code() {
    let finished = sh(
        "echo out; echo err >&2; exit 3",
        Duration::from_secs(20),
        &Cancel::default(),
    )
    .await
    .unwrap();
    assert_eq!(
        finished,
        Finished {
            code: Some(3),
            stdout: b"out\n".to_vec(),
            stderr: b"err\n".to_vec()
        }
    );
}

#[tokio::test]
async fn what_a_child_leaves_behind_costs_neither_time_nor_result() {
    let finished = sh(
        "sleep 61.000723 & echo out",
        Duration::from_secs(60),
        &Cancel::default(),
    )
    .await
    .unwrap();
    assert_eq!(
        (finished.code, finished.stdout.as_slice()),
        (Some(0), &b"out\n"[..])
    );
    assert!(!lives("61.000723"));
}

#[tokio::test]
async fn last_words_are_kept_and_the_rest_is_read() {
    let script = "i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done; echo why >&2; kill -9 $$";
    let ended = last_words("sh", &["-c", script], 11).await.unwrap();
    assert_eq!(ended.stdout, b"line 19999\n");
    assert_eq!(ended.stderr, b"why\n");
    assert_eq!(ended.status.code(), None);
}

#[tokio::test]
async fn grandchildren_end_when_nobody_waits_any_more() {
    let script = "sleep 61.000724 & sleep 61.000724";
    let arguments = ["-c", script];
    let run = last_words("sh", &arguments, 11);
    let running = async {
        while !lives("61.000724") {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        _ = run => panic!("it ended"),
        () = running => {}
    }
    while lives("61.000724") {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn who_is_watched_has_other_surroundings_and_leaves_its_words() {
    let surroundings = Surroundings {
        set: vec![("MARK".to_owned(), "here".to_owned())],
        unset: vec!["CARGO_PKG_NAME".to_owned()],
    };
    let cancel = Cancel::default();
    let script = "echo $MARK/$(env | grep -c ^CARGO_PKG_NAME=); exit 3";
    let limit = Duration::from_secs(20);
    let watched = watch("/bin/sh", &["-c", script], &surroundings, 99, limit, &cancel).await;
    let watched = watched.unwrap();
    assert_eq!(watched.status.and_then(|status| status.code()), Some(3));
    assert_eq!(watched.stdout, b"here/0\n");
    let script = "echo last; sleep 61.000725 & sleep 61.000725";
    let limit = Duration::from_millis(300);
    let watched = watch("/bin/sh", &["-c", script], &surroundings, 99, limit, &cancel).await;
    let watched = watched.unwrap();
    assert_eq!(
        (watched.status, watched.stdout.as_slice()),
        (None, &b"last\n"[..])
    );
    assert!(!lives("61.000725"));
}

#[tokio::test]
async fn a_missing_program_is_named() {
    let error = capture(
        "no-such-program",
        &["x"],
        Path::new("."),
        Duration::from_secs(1),
        &Cancel::default(),
    )
    .await;
    assert_eq!(
        error.unwrap_err().to_string(),
        "failed to start `no-such-program`"
    );
}

#[tokio::test]
async fn grandchildren_end_with_the_time() {
    let error = sh(
        "sleep 61.000721 & sleep 61.000721",
        Duration::from_millis(300),
        &Cancel::default(),
    )
    .await;
    assert!(matches!(error, Err(ProcessError::TimedOut(..))), "{error:?}");
    assert!(!lives("61.000721"));
}

#[tokio::test]
async fn grandchildren_end_with_a_cancel() {
    let cancel = Cancel::default();
    let run = sh(
        "sleep 61.000722 & echo; sleep 61.000722",
        Duration::from_secs(60),
        &cancel,
    );
    let trigger = async {
        while !lives("61.000722") {
            tokio::task::yield_now().await;
        }
        cancel.trigger(Signal::Interrupt);
    };
    let (error, ()) = tokio::join!(run, trigger);
    assert!(matches!(error, Err(ProcessError::Cancelled(_))), "{error:?}");
    assert!(!lives("61.000722"));
}
