//! Composite actions in the fake runner, from outside.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails as the test does")]

use std::fs;
use std::path::Path;

use sandbox::runner::{Level, Outcome, Report, Setup};
use tempfile::TempDir;

/// Runs a job with these steps.
fn run(setup: &Setup, steps: &str) -> Report {
    let steps: String = steps.lines().map(|line| format!("      {line}\n")).collect();
    setup
        .run(&format!(
            "on: push\njobs:\n  deploy:\n    runs-on: x\n    steps:\n{steps}"
        ))
        .unwrap()
}

fn checkout() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn write(root: &Path, path: &str, text: &str) {
    let file = root.join(path);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, text).unwrap();
}

fn conclusions(report: &Report) -> Vec<&'static str> {
    report.steps.iter().map(|step| step.conclusion.as_str()).collect()
}

const GREET: &str = r###"
name: Greet
inputs:
  who: {description: whom, required: true}
  times: {description: how often, default: 2}
  sha: {description: of what, default: "${{ github.sha }}"}
outputs:
  said: {value: "${{ steps.say.outputs.said }}"}
runs:
  using: composite
  steps:
    - id: say
      shell: sh
      env: {WHO: "${{ inputs.who }}", REF: "${{ github.action_ref }}"}
      run: |
        echo "hi $WHO x${{ inputs.times }} ${{ inputs.sha }} ref=$REF env-ref=${GITHUB_ACTION_REF-}"
        test -f "$GITHUB_ACTION_PATH/action.yml"
        env | grep -c '^INPUT_' && exit 9
        echo "said=hi $WHO" >> "$GITHUB_OUTPUT"
        echo "## hi $WHO" >> "$GITHUB_STEP_SUMMARY"
        i=0; while [ $i -lt 6 ]; do echo "::error::e$i"; i=$((i+1)); done
    - {if: "inputs.who == 'nobody'", shell: sh, run: exit 3}
    - {if: failure(), shell: sh, run: echo inner-cleanup}
    - uses: ./inner
      with: {x: "${{ steps.say.outputs.said }}"}
"###;

const INNER: &str = r#"
inputs: {x: {default: ""}}
runs:
  using: composite
  steps:
    - {shell: bash, run: 'for i in 1 2 3 4 5 6; do echo "::error::$i"; done; echo "inner ${{ inputs.x }} $OUTER"'}
"#;

#[test]
fn composite_actions() {
    let (folder, tree) = (checkout(), checkout());
    write(tree.path(), "greet/action.yml", GREET);
    write(folder.path(), "inner/action.yaml", INNER);
    let setup = Setup::new(folder.path()).action("org/tools@v1", tree.path());
    let report = run(
        &setup,
        "
- {id: ok, uses: org/tools/greet@v1, with: {who: Ann, nope: 1}, env: {OUTER: outer}}
- {id: bad, uses: org/tools/greet@v1, with: {who: nobody}}
- {if: always(), run: 'echo \"said=${{ steps.ok.outputs.said }}, ${{ steps.bad.outputs.said }}.\"'}
",
    );
    let text = report.text();
    assert_eq!(conclusions(&report), ["success", "failure", "success"], "{text}");
    let ok = report.step("ok").unwrap();
    assert!(
        ok.text()
            .contains("\nhi Ann x2 ffac537e6cbbf934b08745a378932722df287a53 ref=v1 env-ref=\n"),
        "{text}"
    );
    assert!(ok.text().contains("\ninner hi Ann outer"), "{text}");
    assert_eq!(
        ok.warnings,
        ["Unexpected input(s) 'nope', valid inputs are ['who', 'times', 'sha']"]
    );
    assert_eq!(
        ok.annotations.iter().filter(|a| a.level == Level::Error).count(),
        10
    );
    assert_eq!(ok.steps.len(), 4);
    assert_eq!(ok.steps[3].name, "Run ./inner");
    assert!(
        ok.steps[3].text().contains("inner hi Ann"),
        "{:?}",
        ok.steps[3].log
    );
    assert_eq!(ok.summary, "## hi Ann\n");
    let bad = report.step("bad").unwrap();
    let inner: Vec<_> = bad.steps.iter().map(|step| step.outcome.as_str()).collect();
    assert_eq!(
        inner,
        ["success", "failure", "success", "skipped"],
        "{}",
        bad.text()
    );
    assert_eq!(
        bad.exit_code,
        Some(0),
        "the last process of the action was its clean-up"
    );
    assert!(text.contains("\nsaid=hi Ann, hi nobody."), "{text}");
}

#[test]
fn composite_actions_see_no_secrets() {
    let folder = checkout();
    let action = "runs: {using: composite, steps: [{shell: sh, run: 'echo ${{ secrets.TOKEN }}'}]}";
    write(folder.path(), "a/action.yml", action);
    let setup = Setup::new(folder.path()).secret("TOKEN", "hunter2");
    let report = run(&setup, "- uses: ./a");
    assert_eq!(report.conclusion, Outcome::Failure);
    assert!(
        report.text().contains("Unrecognized named-value: 'secrets'"),
        "{}",
        report.text()
    );
}

#[test]
fn contexts_end_where_githubs_end() {
    let folder = checkout();
    let action = "inputs: {a: {default: '${{ inputs.b }}'}}\nruns: {using: composite, steps: []}";
    write(folder.path(), "a/action.yml", action);
    let setup = Setup::new(folder.path()).secret("TOKEN", "hunter2");
    let report = run(
        &setup,
        "
- uses: ./a
- {if: \"always() && secrets.TOKEN != ''\", run: echo never}
",
    );
    assert_eq!(conclusions(&report), ["failure", "failure"], "{}", report.text());
    assert!(
        report.steps[0]
            .text()
            .contains("Unrecognized named-value: 'inputs'"),
        "{}",
        report.text()
    );
    assert!(
        report.steps[1]
            .text()
            .contains("Unrecognized named-value: 'secrets'"),
        "{}",
        report.text()
    );
}
