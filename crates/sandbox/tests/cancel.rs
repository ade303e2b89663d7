//! Cancelling a job: who gets which signal, what still runs, what is left behind.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails as the test does")]

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use sandbox::runner::{CancelWhen, Grace, Outcome, Report, Setup};
use tempfile::TempDir;

fn checkout() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn run(setup: &Setup, steps: &str) -> Report {
    let steps: String = steps.lines().map(|line| format!("      {line}\n")).collect();
    setup
        .run(&format!(
            "on: push\njobs:\n  deploy:\n    runs-on: x\n    steps:\n{steps}"
        ))
        .unwrap()
}

fn short() -> Grace {
    let [interrupt, terminate, pipes] = [400, 400, 2000].map(Duration::from_millis);
    Grace {
        interrupt,
        terminate,
        pipes,
    }
}

fn outcomes(report: &Report) -> Vec<&'static str> {
    report.steps.iter().map(|step| step.outcome.as_str()).collect()
}

#[test]
fn an_exec_tool_gets_sigint_and_late_outputs_count() {
    let folder = checkout();
    let setup = Setup::new(folder.path()).cancel_when(CancelWhen::LogShows("rea-dy".to_owned()));
    std::fs::write(
        folder.path().join("tool.sh"),
        r#"trap 'echo stopped=yes >> "$GITHUB_OUTPUT"; exit 130' INT
echo "rea-dy"
while :; do :; done"#,
    )
    .unwrap();
    let report = run(
        &setup,
        "
- {id: tool, run: 'exec sh ./tool.sh'}
- run: echo never
- {if: always(), run: 'echo \"always ${{ steps.tool.outputs.stopped }} ${{ job.status }}\"'}
- {if: cancelled(), run: echo on-cancel}
- {if: failure(), run: echo on-failure}
",
    );
    assert_eq!(
        outcomes(&report),
        ["cancelled", "skipped", "success", "success", "skipped"],
        "{}",
        report.text()
    );
    let tool = report.step("tool").unwrap();
    assert_eq!((tool.exit_code, tool.output("stopped")), (Some(130), "yes"));
    assert!(tool.duration < Duration::from_secs(5), "{:?}", tool.duration);
    assert_eq!(tool.annotations[0].message, "The operation was canceled.");
    assert!(
        report.text().contains("\nalways yes cancelled"),
        "{}",
        report.text()
    );
    assert_eq!(report.conclusion, Outcome::Cancelled);
    assert!(tool.survivors.is_empty());
}

#[test]
fn a_child_of_the_shell_gets_nothing_and_survives() {
    let folder = checkout();
    let flag = folder.path().join("started");
    let setup = Setup::new(folder.path())
        .cancel_when(CancelWhen::FileAppears(flag))
        .grace(short());
    // The signal is to meet a bash that waits, which on a busy machine its child may be ahead of.
    let report = run(
        &setup,
        "
- id: tool
  run: |
    sh -c 'trap \"echo child-int >> child.log\" INT; until grep -q \") S\" /proc/$PPID/stat; do :; done; touch started; while :; do :; done' > /dev/null 2>&1
    echo after
",
    );
    let tool = report.step("tool").unwrap();
    assert_eq!(tool.outcome, Outcome::Cancelled, "{}", tool.text());
    // bash waits for its child before it acts on SIGINT, then dies of SIGTERM or SIGKILL.
    assert!(tool.duration >= Duration::from_millis(400), "{:?}", tool.duration);
    assert_eq!(tool.survivors.len(), 1, "{:?}", tool.survivors);
    assert!(
        tool.survivors[0].command.starts_with("sh -c trap"),
        "{:?}",
        tool.survivors
    );
    assert!(
        !folder.path().join("child.log").exists(),
        "the signal reached the child"
    );
    let gone = || {
        !std::path::Path::new(&format!("/proc/{}/environ", tool.survivors[0].pid)).exists()
            || std::fs::read(format!("/proc/{}/environ", tool.survivors[0].pid))
                .unwrap_or_default()
                .is_empty()
    };
    let deadline = Instant::now() + Duration::from_secs(10);
    while !gone() {
        assert!(Instant::now() < deadline, "the survivor was not killed");
        std::thread::yield_now();
    }
}

#[test]
fn a_deaf_tool_is_killed() {
    let folder = checkout();
    let setup = Setup::new(folder.path())
        .cancel_when(CancelWhen::LogShows("rea-dy".to_owned()))
        .grace(short());
    let report = run(
        &setup,
        "
- run: exec sh -c 'trap \"\" INT TERM; echo rea\"-dy\"; while :; do :; done'
",
    );
    assert_eq!(report.steps[0].exit_code, Some(137));
    let took = report.steps[0].duration;
    assert!(took >= Duration::from_millis(800), "{took:?}");
}

#[test]
fn an_always_step_is_not_stopped() {
    let folder = checkout();
    let flag = folder.path().join("started");
    let setup = Setup::new(folder.path())
        .cancel_when(CancelWhen::FileAppears(flag))
        .grace(short());
    let report = run(&setup, "
- {id: tool, if: always(), run: 'touch started; i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; echo finished'}
- run: echo never
");
    assert_eq!(outcomes(&report), ["success", "skipped"], "{}", report.text());
    assert!(report.text().contains("finished"));
    assert_eq!(report.conclusion, Outcome::Cancelled);
}

#[test]
fn a_cancel_reaches_into_an_action() {
    let folder = checkout();
    std::fs::create_dir(folder.path().join("a")).unwrap();
    std::fs::write(
        folder.path().join("a/action.yml"),
        r#"
outputs: {seen: {value: "${{ steps.tool.outputs.seen }}"}}
runs:
  using: composite
  steps:
    - {shell: sh, id: tool, run: 'trap "echo seen=int >> $GITHUB_OUTPUT; exit 130" INT; echo rea"-dy"; while :; do :; done'}
    - {shell: sh, run: 'echo next'}
"#,
    )
    .unwrap();
    let setup = Setup::new(folder.path()).cancel_when(CancelWhen::LogShows("rea-dy".to_owned()));
    let report = run(
        &setup,
        "
- {id: use, uses: ./a}
- {if: 'cancelled() || failure()', run: 'echo \"recover ${{ steps.use.outputs.seen }}\"'}
",
    );
    assert_eq!(outcomes(&report), ["cancelled", "success"], "{}", report.text());
    let inner: Vec<_> = report.steps[0]
        .steps
        .iter()
        .map(|step| step.outcome.as_str())
        .collect();
    assert_eq!(inner, ["cancelled", "skipped"]);
    assert_eq!(report.steps[0].exit_code, Some(130));
    assert!(report.text().contains("\nrecover int"), "{}", report.text());
}

#[test]
fn by_hand_from_the_sink() {
    let folder = checkout();
    let lines = Arc::new(Mutex::new(Vec::new()));
    let setup = Setup::new(folder.path());
    let (cancel, heard) = (setup.cancel_handle(), Arc::clone(&lines));
    let setup = setup.sink(move |line| {
        heard.lock().unwrap().push(format!("{}|{}", line.step, line.text));
        if line.text == "go" {
            cancel.cancel();
        }
    });
    let report = run(
        &setup,
        "
- {name: Wait, run: 'exec sh -c \"echo go; while :; do :; done\"'}
",
    );
    assert_eq!(report.steps[0].exit_code, Some(130));
    assert!(lines.lock().unwrap().contains(&"Wait|go".to_owned()));
}

#[test]
fn a_daemon_is_reported_and_killed_and_pipes_are_not_waited_for() {
    let folder = checkout();
    let setup = Setup::new(folder.path()).grace(Grace {
        pipes: Duration::from_millis(200),
        ..Grace::default()
    });
    let report = run(
        &setup,
        "
- run: sleep 300 & echo done
- run: echo next
",
    );
    assert_eq!(outcomes(&report), ["success", "success"]);
    assert_eq!(report.steps[0].survivors.len(), 1);
    assert_eq!(report.steps[0].survivors[0].command, "sleep 300");
    assert!(report.steps[0].duration < Duration::from_secs(60));
    assert!(report.steps[1].survivors.is_empty());
}
