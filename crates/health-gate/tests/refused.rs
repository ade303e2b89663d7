//! Command lines that are refused before anything is looked at: what they leave behind, and what they say.

#![expect(clippy::unwrap_used, reason = "a test that can't go on fails where it stands")]

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// The exit code and what was said, of a command line in a folder.
fn run(folder: &Path, words: &[&str]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_health-gate"));
    command.env_clear().current_dir(folder).stdin(Stdio::null());
    let output = command.args(words).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code().unwrap(), said)
}

/// What an earlier run wrote.
fn earlier(folder: &Path) {
    let report = "{\n  \"schema\": \"deploy-actions/health-gate@1\",\n  \"verdict\": \"pass\"\n}\n";
    fs::write(folder.join("report.json"), report).unwrap();
    let junit =
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"health-gate\" tests=\"1\"/>\n";
    fs::write(folder.join("junit.xml"), junit).unwrap();
}

#[test]
fn no_verdict_of_an_earlier_run_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let read = |name: &str| fs::read_to_string(folder.join(name));
    fs::write(folder.join("gate.yml"), "version: 1\nwait: {}\n").unwrap();
    let files = ["--report", "report.json", "--junit", "junit.xml"];
    for (words, reason) in [
        (
            &["watch", "--url", "http://127.0.0.1:1", "--rate", "5"][..],
            "`--rate`: `5` is no rate",
        ),
        (&["wait"], "there is nothing to look at"),
        (&["run", "-f", "gate.yml"], "`wait` needs `targets`"),
        (
            &["run", "-f", "none.yml"],
            "failed to read the gate file `none.yml`",
        ),
        (
            &[
                "wait",
                "--url",
                "http://127.0.0.1:1",
                "--expect-json",
                ".status = \"ok\"",
            ],
            "`=` at column 9 assigns; write `==` to compare",
        ),
    ] {
        earlier(folder);
        let (exit, said) = run(folder, &[words, &files].concat());
        assert!(exit == 2 && said.contains(reason), "{words:?}: {said}");
        let report: serde_json::Value = serde_json::from_str(&read("report.json").unwrap()).unwrap();
        assert_eq!(report["verdict"], "error", "{words:?}");
        assert!(report["reason"].as_str().unwrap().contains(reason), "{report}");
        let junit = read("junit.xml").unwrap();
        assert!(
            junit.contains("errors=\"1\"") && junit.contains("before the run"),
            "{junit}"
        );
    }
    earlier(folder);
    let (exit, said) = run(folder, &[&["wait", "--nope"][..], &files].concat());
    assert!(exit == 2 && said.contains("no flag `--nope`"), "{said}");
    assert!(read("report.json").is_err() && read("junit.xml").is_err());
    // A dry run gives no verdict, and touches none.
    earlier(folder);
    let (exit, _) = run(folder, &[&["wait", "--dry-run"][..], &files].concat());
    assert!(exit == 2 && read("report.json").unwrap().contains("pass"));
}

#[test]
fn nothing_is_called_good_before_all_of_it_was_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let asks = |program: &str| {
        let rules = "watch: {duration: 5m, rules: [{name: a, value: {source: q}, require: '< 1'}]}\n";
        let file = format!("version: 1\nsources: {{q: {{type: exec, program: {program}}}}}\n{rules}");
        fs::write(folder.join("gate.yml"), file).unwrap();
    };
    // `run` refuses it before it asks for the first time.
    asks("./none.sh");
    for command in ["validate", "run"] {
        let (exit, said) = run(folder, &[command, "-f", "gate.yml"]);
        assert!(
            exit == 2 && said.contains("gate.yml:2:36: `./none.sh` can't be run"),
            "{said}"
        );
    }
    asks("'false'");
    let (exit, said) = run(folder, &["validate", "-f", "gate.yml"]);
    assert!(
        exit == 0 && said.trim_end().ends_with("the gate file is good"),
        "{said}"
    );
    let (exit, said) = run(folder, &["validate", "-f", "gate.yml", "--ask"]);
    assert!(exit != 0 && !said.contains("is good"), "{said}");
    let assigns = "version: 1\nwait:\n  targets:\n    - http: http://127.0.0.1:1\n      expect: {json: ['.status = \"ok\"']}\n";
    fs::write(folder.join("gate.yml"), assigns).unwrap();
    let (exit, said) = run(folder, &["validate", "-f", "gate.yml"]);
    assert!(
        exit == 2 && said.contains("gate.yml:5:23: ") && said.contains("`=` at column 9"),
        "{said}"
    );
    assert!(!said.contains("is good"), "{said}");
}

#[test]
fn a_report_is_not_overwritten_by_the_junit_file() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for command in ["wait", "check"] {
        for junit in ["x", "./x"] {
            let words = [
                command,
                "--url",
                "http://127.0.0.1:1",
                "--report",
                "x",
                "--junit",
                junit,
            ];
            let (exit, said) = run(folder, &words);
            assert_eq!(exit, 2, "{said}");
            assert!(
                said.contains("`--report` and `--junit` name the same file"),
                "{said}"
            );
            let written: serde_json::Value =
                serde_json::from_slice(&fs::read(folder.join("x")).unwrap()).unwrap();
            assert_eq!(written["verdict"], "error");
        }
    }
}

#[test]
fn an_address_of_two_joined_texts_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let (exit, said) = run(folder.path(), &["wait", "--url", "http://127.0.0.1:1/ x"]);
    assert!(
        exit == 2 && said.contains("`http://127.0.0.1:1/ x` is no address: it holds a space"),
        "{said}"
    );
}

#[test]
fn a_warning_names_what_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let file = "version: 1\nwait: {timeout: 5s, targets: [{tcp: '127.0.0.1:1'}]}\n";
    fs::write(folder.path().join("gate.yml"), file).unwrap();
    let (exit, said) = run(folder.path(), &["validate", "-f", "gate.yml"]);
    assert!(
        exit == 0 && said.contains("`timeout` 5s leaves time for one try only; lower `interval` (5s)"),
        "{said}"
    );
}
