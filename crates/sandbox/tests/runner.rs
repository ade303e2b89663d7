//! The fake runner from outside: small workflows with known answers.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails as the test does")]

use std::fs;
use std::path::Path;

use sandbox::runner::{Level, Outcome, Report, Setup};
use serde_json::json;
use tempfile::TempDir;

/// A workflow of one job with these steps, indented by two.
fn workflow(steps: &str) -> String {
    let steps: String = steps.lines().map(|line| format!("      {line}\n")).collect();
    format!("name: Test\non: push\njobs:\n  deploy:\n    runs-on: ubuntu-latest\n    steps:\n{steps}")
}

fn checkout() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn run(steps: &str) -> Report {
    let folder = checkout();
    Setup::new(folder.path()).run(&workflow(steps)).unwrap()
}

fn write(root: &Path, path: &str, text: &str) {
    let file = root.join(path);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, text).unwrap();
}

fn conclusions(report: &Report) -> Vec<&'static str> {
    report.steps.iter().map(|step| step.conclusion.as_str()).collect()
}

#[test]
fn outputs_env_and_path_reach_later_steps() {
    let report = run(r#"
- id: one
  run: |
    mkdir -p "$RUNNER_TEMP/bin"
    printf '#!/bin/sh\necho from-path\n' > "$RUNNER_TEMP/bin/tool"
    chmod +x "$RUNNER_TEMP/bin/tool"
    echo "$RUNNER_TEMP/bin" >> "$GITHUB_PATH"
    echo "GREETING=hello" >> "$GITHUB_ENV"
    echo "NODE_OPTIONS=--inspect" >> "$GITHUB_ENV"
    printf 'text<<E\na\nb\nE\n' >> "$GITHUB_OUTPUT"
- id: two
  run: |
    echo "$GREETING ${{ env.GREETING }} $(tool) ${NODE_OPTIONS-unset}"
    echo "${{ steps.one.outputs.text }}"
    test ! -s "$GITHUB_OUTPUT"
"#);
    assert_eq!(conclusions(&report), ["success", "success"], "{}", report.text());
    assert_eq!(report.step("one").unwrap().output("text"), "a\nb");
    assert!(
        report
            .step("two")
            .unwrap()
            .text()
            .contains("\nhello hello from-path unset\na\nb"),
        "{}",
        report.text()
    );
    let refused = &report.step("one").unwrap().annotations[0];
    assert!(refused.message.contains("NODE_OPTIONS"), "{refused:?}");
}

#[test]
fn the_environment_is_scrubbed_and_githubs() {
    let folder = checkout();
    let report = Setup::new(folder.path())
        .event("release", json!({"release": {"tag_name": "v1"}}))
        .github("ref_name", "v1")
        .env("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
        .run(&workflow(
            r#"
- env: {MINE: "1", CI: "no"}
  run: |
    env | cut -d= -f1 | grep -v '^GITHUB_\|^RUNNER_' | sort | tr '\n' ' '; echo
    echo "$CI $GITHUB_ACTIONS $RUNNER_OS $GITHUB_REF_NAME $GITHUB_EVENT_NAME $GITHUB_JOB $GITHUB_WORKFLOW"
    grep -c tag_name "$GITHUB_EVENT_PATH"
    test "$PWD" = "$GITHUB_WORKSPACE"; test -d "$RUNNER_TOOL_CACHE"; test -z "${RUNNER_DEBUG-}"
    test -z "${GITHUB_TOKEN-}"
"#,
        ))
        .unwrap();
    let text = report.text();
    assert_eq!(report.conclusion, Outcome::Success, "{text}");
    assert!(
        text.contains("\nAWS_ENDPOINT_URL CI HOME MINE PATH PWD SANDBOX_STEP_MARKER SHLVL _ \n"),
        "{text}"
    );
    assert!(
        text.contains("\nno true Linux v1 release deploy Test\n1"),
        "{text}"
    );
}

#[test]
fn shells_fail_as_on_github() {
    let report = run("
- run: 'false | true'
- {shell: bash, run: 'false | true', continue-on-error: true}
- {shell: sh, run: 'false; echo not here', continue-on-error: true}
- run: exit 4
- run: echo skipped
- {if: failure(), run: echo cleanup}
- {if: always(), run: 'exit 5'}
");
    let outcomes: Vec<_> = report.steps.iter().map(|step| step.outcome.as_str()).collect();
    assert_eq!(
        outcomes,
        [
            "success", "failure", "failure", "failure", "skipped", "success", "failure"
        ]
    );
    assert_eq!(conclusions(&report)[..3], ["success"; 3]);
    let codes: Vec<_> = report.steps.iter().map(|step| step.exit_code).collect();
    assert_eq!(
        codes,
        [Some(0), Some(1), Some(1), Some(4), None, Some(0), Some(5)]
    );
    assert_eq!(report.conclusion, Outcome::Failure);
    assert!(
        report.steps[3]
            .text()
            .ends_with("##[error]Process completed with exit code 4.")
    );
}

#[test]
fn a_broken_output_file_fails_the_step_and_keeps_what_came_before() {
    let report = run(r#"
- {id: one, run: "printf 'good=1\nbad<<E\nxE' >> \"$GITHUB_OUTPUT\""}
"#);
    let step = report.step("one").unwrap();
    assert_eq!(
        (step.outcome, step.exit_code),
        (Outcome::Failure, Some(0)),
        "{}",
        step.text()
    );
    assert_eq!(step.output("good"), "1");
    assert!(
        step.text()
            .contains("##[error]Invalid value. EOF marker missing new line.")
    );
}

#[test]
fn outputs_of_a_failed_step_count() {
    let report = run(r#"
- {id: one, run: 'echo "a=1" >> "$GITHUB_OUTPUT"; exit 1'}
- {if: always(), run: 'echo "got ${{ steps.one.outputs.a }} ${{ steps.one.outcome }} ${{ job.status }}"'}
"#);
    assert!(
        report.text().contains("\ngot 1 failure failure"),
        "{}",
        report.text()
    );
}

#[test]
fn annotations_have_a_budget() {
    let report = run("
- run: |
    for i in 1 2 3 4 5 6 7 8 9 10 11 12; do echo \"::warning::w$i\"; done
    printf '::notice::'; head -c 5000 /dev/zero | tr '\\0' n; echo
    echo '::debug::not shown'; echo 'x ##[error]old form' >&2
");
    let step = &report.steps[0];
    let count = |level| step.annotations.iter().filter(|a| a.level == level).count();
    assert_eq!(
        [count(Level::Warning), count(Level::Notice), count(Level::Error)],
        [10, 1, 1]
    );
    assert!(step.log.contains(&"##[warning]w12".to_owned()));
    assert!(!step.log.iter().any(|line| line.starts_with("##[debug]")));
    let notice = step
        .annotations
        .iter()
        .find(|a| a.level == Level::Notice)
        .unwrap();
    assert_eq!(notice.message.len(), 4096);
}

#[test]
fn debug_shows_what_is_hidden() {
    let folder = checkout();
    let setup = Setup::new(folder.path()).debug();
    let report = setup
        .run(&workflow(
            "- run: 'echo ::debug::deep; echo \"debug=$RUNNER_DEBUG\"'",
        ))
        .unwrap();
    assert!(
        report.text().contains("\n##[debug]deep\ndebug=1"),
        "{}",
        report.text()
    );
}

#[test]
fn an_oversized_summary_is_dropped() {
    let report = run("
- id: big
  run: head -c 1048577 /dev/zero | tr '\\0' x >> \"$GITHUB_STEP_SUMMARY\"
- id: fits
  run: head -c 1048576 /dev/zero | tr '\\0' x >> \"$GITHUB_STEP_SUMMARY\"
");
    assert_eq!(conclusions(&report), ["success", "success"]);
    assert_eq!(report.step("big").unwrap().summary, "");
    assert!(
        report.step("big").unwrap().annotations[0]
            .message
            .contains("upload aborted")
    );
    assert_eq!(report.step("fits").unwrap().summary.len(), 1_048_576);
}

#[test]
fn job_and_workflow_env_and_defaults() {
    let folder = checkout();
    fs::create_dir(folder.path().join("sub")).unwrap();
    let text = r#"
on: push
env: {A: one, B: "${{ github.ref_name }}"}
defaults: {run: {shell: sh, working-directory: sub}}
jobs:
  deploy:
    runs-on: x
    env: {A: two, C: "${{ env.B }}-c", N: 8080, T: true}
    steps:
      - run: echo "$A $B $C $N $T ${PWD##*/} ${BASH_VERSION-sh}"
"#;
    let report = Setup::new(folder.path()).run(text).unwrap();
    assert!(
        report.text().contains("\ntwo main main-c 8080 true sub sh"),
        "{}",
        report.text()
    );
}

#[test]
fn inputs_variables_and_a_kept_temp() {
    let (folder, temp) = (checkout(), checkout());
    fs::write(temp.path().join("left-behind"), "earlier").unwrap();
    let setup = Setup::new(folder.path())
        .temp(temp.path())
        .input("target", "prod")
        .var("REGION", "eu-west-1");
    let report = setup
        .run(&workflow(
            r#"
- run: echo "${{ inputs.target }} ${{ vars.REGION }} $(cat "$RUNNER_TEMP/left-behind")"
- run: echo kept > "$RUNNER_TEMP/ledger"
"#,
        ))
        .unwrap();
    assert!(
        report.text().contains("\nprod eu-west-1 earlier"),
        "{}",
        report.text()
    );
    assert_eq!(report.temp, temp.path());
    assert_eq!(fs::read_to_string(temp.path().join("ledger")).unwrap(), "kept\n");
    let own = Setup::new(folder.path())
        .run(&workflow("- run: echo x > $RUNNER_TEMP/x"))
        .unwrap();
    assert!(own.temp.join("x").is_file());
    let gone = own.temp.clone();
    drop(own);
    assert!(!gone.exists());
}

#[test]
fn what_cannot_be_started_fails_the_step() {
    let report = run(r#"
- {run: echo never, env: {A: "nul \0 byte"}, continue-on-error: true}
- {run: echo never, working-directory: nowhere, continue-on-error: true}
- {run: echo never, shell: nope, continue-on-error: true}
- {run: 'echo ${{ nope.x }}', continue-on-error: true}
- {run: echo never, if: nope(), continue-on-error: true}
- {if: always(), run: 'printf "::error::first\r::error::second\n\n"'}
"#);
    let outcomes: Vec<_> = report.steps.iter().map(|step| step.outcome.as_str()).collect();
    assert_eq!(
        outcomes,
        ["failure", "failure", "failure", "failure", "failure", "success"],
        "{}",
        report.text()
    );
    assert!(
        report.steps[1].text().contains("nowhere"),
        "{}",
        report.steps[1].text()
    );
    assert!(report.steps[2].text().contains("nope: command not found"));
    assert!(
        report.steps[3].text().contains("'nope'"),
        "{}",
        report.steps[3].text()
    );
    let messages: Vec<_> = report.steps[5]
        .annotations
        .iter()
        .map(|issue| issue.message.as_str())
        .collect();
    assert_eq!(messages, ["first", "second"], "a carriage return ends a line");
}

#[test]
fn what_is_not_supported_is_refused() {
    let folder = checkout();
    let table = [
        ("- uses: docker://alpine", "`uses: alpine`"),
        (
            "- uses: org/other@v1",
            "no local tree was given for `uses: org/other@v1`",
        ),
    ];
    for (steps, expected) in table {
        let error = Setup::new(folder.path())
            .run(&workflow(steps))
            .unwrap_err()
            .to_string();
        assert!(error.contains(expected), "{error}");
    }
    let services = "on: push\njobs: {a: {runs-on: x, services: {db: {image: pg}}, steps: []}}";
    let error = Setup::new(folder.path()).run(services).unwrap_err().to_string();
    assert!(error.contains("`services:`"), "{error}");
    let two = "on: push\njobs: {a: {runs-on: x, steps: []}, b: {runs-on: x, steps: []}}";
    let error = Setup::new(folder.path()).run(two).unwrap_err().to_string();
    assert!(error.contains("a, b"), "{error}");
    assert!(Setup::new(folder.path()).job("b").run(two).is_ok());
    write(
        folder.path(),
        "js/action.yml",
        "runs: {using: node24, main: x.js}",
    );
    let report = Setup::new(folder.path())
        .run(&workflow("- uses: ./js\n- uses: ./none"))
        .unwrap();
    assert!(
        report.steps[0].text().contains("not composite"),
        "{}",
        report.text()
    );
    assert_eq!(conclusions(&report), ["failure", "skipped"]);
}
