//! Secrets in the fake runner's log, annotations, summaries and job outputs, from outside.

use sandbox::runner::Setup;

#[test]
fn masks_and_job_outputs() {
    let folder = tempfile::tempdir().unwrap();
    let text = r##"
on: push
jobs:
  deploy:
    runs-on: x
    outputs:
      plain: ${{ steps.one.outputs.plain }}
      secret: ${{ steps.one.outputs.secret }}
      empty: ${{ steps.one.outputs.nothing }}
    steps:
      - id: one
        env: {TOKEN: "${{ secrets.TOKEN }}"}
        run: |
          echo "::add-mask::line-one%0Aline-two"
          echo "x line-two x $TOKEN $(printf %s "$TOKEN" | base64)"
          echo "plain=yes" >> "$GITHUB_OUTPUT"
          echo "secret=a-$TOKEN" >> "$GITHUB_OUTPUT"
          echo "# $TOKEN" >> "$GITHUB_STEP_SUMMARY"
          echo "::error title=t $TOKEN::m $TOKEN"
"##;
    let report = Setup::new(folder.path())
        .secret("TOKEN", "hunter2hunter2")
        .run(text)
        .unwrap();
    assert!(
        !format!("{:?}", report.steps[0].log).contains("hunter2"),
        "{}",
        report.text()
    );
    assert!(report.text().contains("\nx *** x *** ***\n"), "{}", report.text());
    assert_eq!(report.outputs.keys().collect::<Vec<_>>(), ["plain"]);
    assert!(
        report
            .log
            .iter()
            .any(|line| line.contains("Skip output 'secret'")),
        "{:?}",
        report.log
    );
    assert_eq!(report.summary(), "# ***\n");
    let issue = &report.steps[0].annotations[0];
    assert_eq!(
        (issue.title.as_deref(), issue.message.as_str()),
        (Some("t ***"), "m ***")
    );
    assert_eq!(report.step("one").unwrap().output("secret"), "a-hunter2hunter2");
}
