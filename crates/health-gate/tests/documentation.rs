//! The documentation, run: every gate file in it is validated, every workflow step and every command line of health-gate
//! is started as a dry run, and the published schema is the program's.

#![expect(clippy::unwrap_used, reason = "a test that can't go on fails where it stands")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Output, Stdio};

use sandbox::pages::{Block, blocks, root};
use serde_json::Value;

/// The program.
const PROGRAM: &str = env!("CARGO_BIN_EXE_health-gate");

/// What the examples take from the environment.
const VARIABLES: [(&str, &str); 12] = [
    ("API_AUTH", "Bearer api-token-1"),
    ("BASE_URL", "https://shop.example.com"),
    ("DD_API_KEY", "datadog-api-key-1"),
    ("DD_APP_KEY", "datadog-app-key-1"),
    ("GITHUB_SHA", "0123456789abcdef0123456789abcdef01234567"),
    ("LLM_AUTHORIZATION", "Bearer llm-token-1"),
    ("PROM_LOGIN", "gate:prometheus-password-1"),
    ("PROM_TOKEN", "prometheus-token-1"),
    ("PROM_URL", "https://prometheus.internal.example"),
    ("REDIS_PASSWORD", "redis-password-1"),
    ("REDIS_USER", "redis-user-1"),
    ("TENANT", "tenant-1"),
];

fn of_language(language: &str) -> Vec<Block> {
    let mut blocks = blocks().unwrap();
    blocks.retain(|block| block.language == language);
    blocks
}

fn gate_files() -> Vec<Block> {
    let mut files = of_language("yaml");
    // Those of ecs-deploy and k8s-blue-green know more variables and sources, and are read by their own tests; those of s3-cdn-publish are rules.
    files.retain(|block| {
        block.content.starts_with("version: 1\n")
            && !["ecs-deploy.md:", "k8s-blue-green.md:", "s3-cdn-publish.md:"]
                .iter()
                .any(|page| block.place.starts_with(page))
    });
    files
}

/// The first gate file of a page.
fn shown_first(page: &str) -> String {
    let file = gate_files().into_iter().find(|file| file.place.starts_with(page));
    file.unwrap().content
}

/// A command with the environment of the examples and no other.
fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("PATH", env!("PATH")).envs(VARIABLES);
    command.stdin(Stdio::null());
    command
}

fn assert_good(place: &str, output: &Output) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{place}: {}\n{said}", output.status);
}

#[test]
fn every_gate_file_is_valid() {
    let folder = tempfile::tempdir().unwrap();
    let files = gate_files();
    assert!(files.len() > 10, "{} files are few", files.len());
    // A program that a source asks has to be there.
    let script = folder.path().join("queue-length.sh");
    fs::write(&script, "").unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    for file in files {
        let path = folder.path().join("gate.yml");
        fs::write(&path, &file.content).unwrap();
        let mut command = command(PROGRAM);
        let command = command.current_dir(folder.path());
        let output = command.args(["validate", "-f"]).arg(&path).output();
        assert_good(&file.place, &output.unwrap());
    }
}

/// A value as the runner hands it on. Expressions have the value that such ones have.
fn input(value: &Value) -> String {
    match value {
        Value::String(text) if text.starts_with("${{") => "0123456789abcdef".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[test]
fn every_step_has_inputs_that_work() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("gate.yml"), shown_first("gate-file.md")).unwrap();
    let mut ran = 0;
    for block in of_language("yaml") {
        if !block.content.contains("deploy-actions/health-gate@") {
            continue;
        }
        for step in block.steps().unwrap() {
            let uses = step["uses"].as_str().unwrap_or_default();
            let Some(with) = step["with"]
                .as_object()
                .filter(|_| uses.contains("deploy-actions/health-gate@"))
            else {
                continue;
            };
            let mut command = command(PROGRAM);
            for (name, value) in with {
                let name = name.to_uppercase().replace('-', "_");
                command.env(format!("INPUT_{name}"), input(value));
            }
            command.env("INPUT_DRY_RUN", "true").current_dir(folder.path());
            assert_good(&block.place, &command.output().unwrap());
            ran += 1;
        }
    }
    assert!(ran > 10, "{ran} steps are few");
}

#[test]
fn every_command_line_works() {
    let folder = tempfile::tempdir().unwrap();
    let script = |name: &str, content: String| {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    };
    // Stands in front of the program: makes a dry run of what would look at something, and notes every end.
    script(
        "health-gate",
        format!(
            "#!/bin/sh\ncase $1 in wait|watch|run|check) set -- \"$@\" --dry-run ;; esac\n'{PROGRAM}' \"$@\" 2>said\n\
             code=$?\n[ $code = 0 ] && echo good >>ends || {{ echo \"$*: $code\"; cat said; }} >>ends\n"
        ),
    );
    // The other programs of the chain are not what is tested here.
    for other in ["image-tag", "notify"] {
        script(other, "#!/bin/sh\n".to_owned());
    }
    script(
        "git",
        "#!/bin/sh\necho 0123456789abcdef0123456789abcdef01234567\n".to_owned(),
    );
    fs::write(folder.path().join("gate.yml"), shown_first("gate-file.md")).unwrap();
    let path = format!("{}:{}", folder.path().display(), env!("PATH"));
    let mut ran = 0;
    for block in of_language("sh") {
        if !block.content.contains("health-gate ") || block.content.contains("cargo ") {
            continue;
        }
        let ends = folder.path().join("ends");
        fs::write(&ends, "").unwrap();
        let mut shell = command("sh");
        shell
            .args(["-c", &block.content])
            .env("PATH", &path)
            .current_dir(folder.path());
        assert_good(&block.place, &shell.output().unwrap());
        let ends = fs::read_to_string(ends).unwrap();
        assert!(!ends.is_empty(), "{}: nothing ran", block.place);
        for end in ends.lines() {
            assert_eq!(end, "good", "{}: {ends}", block.place);
            ran += 1;
        }
    }
    assert!(ran > 8, "{ran} command lines are few");
}

#[test]
fn the_published_schema_is_the_programs() {
    let output = command(PROGRAM).arg("schema").output().unwrap();
    let published = fs::read_to_string(root().join("docs/gate.schema.json")).unwrap();
    let same = String::from_utf8_lossy(&output.stdout) == published;
    assert!(
        same,
        "make it anew: `cargo run -p health-gate -- schema > docs/gate.schema.json`"
    );
}
