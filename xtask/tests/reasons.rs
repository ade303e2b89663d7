//! Every dependency has its reason beside it: a `#` comment on its own line of the root `Cargo.toml`. Crates take their
//! versions from there and nowhere else.
#![expect(clippy::unwrap_used, reason = "a test that can't go on fails where it stands")]

use std::path::Path;

use xtask::environment;

/// What every program of this kind stands on, and needs no word.
const PLAIN: [&str; 4] = ["clap", "serde_json", "thiserror", "tokio"];

/// The lines of a table with their numbers, from its header to the next one.
fn table<'a>(manifest: &'a str, header: &str) -> Vec<(usize, &'a str)> {
    let lines = manifest.lines().enumerate();
    lines
        .skip_while(|(_, line)| line.trim() != header)
        .skip(1)
        .take_while(|(_, line)| !line.starts_with('['))
        .map(|(index, line)| (index + 1, line.trim()))
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        .collect()
}

/// What a line says to cargo, and the comment behind it: from the first `#` that no string holds.
fn split(line: &str) -> (&str, &str) {
    let mut string = None;
    for (index, letter) in line.char_indices() {
        match (letter, string) {
            ('#', None) => {
                let (code, comment) = line.split_at(index);
                return (code.trim(), comment.trim_start_matches('#').trim());
            }
            ('"' | '\'', None) => string = Some(letter),
            (end, Some(begin)) if end == begin => string = None,
            _ => {}
        }
    }
    (line, "")
}

/// What is wrong with the workspace's dependencies.
fn unexplained(manifest: &str) -> Vec<String> {
    let mut findings = Vec::new();
    for (number, line) in manifest.lines().enumerate() {
        if line.starts_with("[workspace.dependencies.") {
            findings.push(format!("line {}: write the dependency as one line", number + 1));
        }
    }
    for (number, line) in table(manifest, "[workspace.dependencies]") {
        match line.split_once(" = ") {
            Some((name, value)) if value.starts_with(['"', '{']) => {
                let ours = value.starts_with("{ path = ");
                if !ours && !PLAIN.contains(&name) && split(value).1.is_empty() {
                    findings.push(format!("line {number}: `{name}` has no reason beside it"));
                }
            }
            _ => findings.push(format!("line {number}: write the dependency as one line")),
        }
    }
    findings
}

/// The dependencies of a crate that do not come from the workspace.
fn private(manifest: &str) -> Vec<String> {
    let mut findings = Vec::new();
    let headers = manifest
        .lines()
        .map(str::trim)
        .filter(|line| line.starts_with('[') && line.contains("dependencies"));
    for header in headers {
        if !header.ends_with("dependencies]") {
            findings.push(format!("{header}: write the dependency as one line"));
        }
        for (number, line) in table(manifest, header) {
            let name = line.split([' ', '.']).next().unwrap_or(line);
            let (code, _) = split(line);
            if !code.ends_with(".workspace = true") && !code.contains("{ workspace = true") {
                findings.push(format!(
                    "line {number}: `{name}` does not come from the workspace"
                ));
            }
        }
    }
    findings
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn every_dependency_has_its_reason() {
    let manifest = read(&environment::workspace_root().unwrap().join("Cargo.toml"));
    assert!(table(&manifest, "[workspace.dependencies]").len() > PLAIN.len());
    assert_eq!(unexplained(&manifest), [""; 0]);
}

#[test]
fn crates_take_their_dependencies_from_the_workspace() {
    let root = environment::workspace_root().unwrap();
    let mut folders = vec![root.join("xtask"), root.join("tests")];
    folders.extend(
        root.join("crates")
            .read_dir()
            .unwrap()
            .map(|entry| entry.unwrap().path()),
    );
    assert!(folders.len() > 4);
    for folder in folders {
        let manifest = folder.join("Cargo.toml");
        assert_eq!(private(&read(&manifest)), [""; 0], "{}", manifest.display());
    }
}

#[test]
fn a_missing_reason_is_found() {
    let found = |line: &str| {
        unexplained(&format!(
            "[workspace.dependencies]\n# section\n{line}\n[profile.dev]\nx = 1\n"
        ))
    };
    for (line, finding) in [
        ("url = \"2\"", "line 3: `url` has no reason beside it"),
        ("url = \"2\" #", "line 3: `url` has no reason beside it"),
        (
            "url = { version = \"2 # no\" }",
            "line 3: `url` has no reason beside it",
        ),
        (
            "url = { version = '2 # no' }",
            "line 3: `url` has no reason beside it",
        ),
        (
            "[workspace.dependencies.url]",
            "line 3: write the dependency as one line",
        ),
    ] {
        assert_eq!(found(line), [finding], "{line}");
    }
    for line in [
        "url = \"2\" # addresses",
        "url.version = \"2\" # addresses",
        "url = { version = \"#\" } # addresses",
        "clap = \"4\"",
        "gha = { path = \"crates/gha\" }",
        "# url = \"2\"",
    ] {
        assert_eq!(found(line), [""; 0], "{line}");
    }
    // A list over several lines would hide where the comment belongs.
    assert!(!found("url = { version = \"2\", features = [\n  \"std\",\n] }").is_empty());
}

#[test]
fn a_version_of_a_crate_s_own_is_found() {
    for (table, line) in [
        ("dependencies", "url = \"2\""),
        ("dev-dependencies", "url = { version = \"2\" }"),
        ("target.'cfg(unix)'.dependencies", "nix = \"0.31\""),
        ("build-dependencies", "cc = \"1\" # .workspace = true"),
    ] {
        let manifest =
            format!("[package]\nname = \"x\"\n\n[{table}]\nserde.workspace = true\n{line}\n[lints]\n");
        let name = line.split(' ').next().unwrap();
        assert_eq!(
            private(&manifest),
            [format!("line 6: `{name}` does not come from the workspace")]
        );
    }
    assert!(!private("[dependencies.url]\nversion = \"2\"\n").is_empty());
    assert_eq!(
        private("[dependencies]\na.workspace = true # why\nb = { workspace = true, features = [\"c\"] }\n"),
        [""; 0]
    );
}
