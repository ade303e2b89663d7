//! `cargo xtask check-actions`: every `action.yml` is what the program's own interface makes it.
//!
//! The program is asked with `--describe`; the file is rendered from the answer and compared as text, so that inputs,
//! outputs, defaults and descriptions can't drift apart.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use crate::command;

/// Compares the `action.yml` of each tool with its program; with `write`, makes it so instead.
///
/// # Errors
/// When a program can't be asked, or a file differs; the first differing line is shown.
pub fn check(root: &Path, tools: &[String], program: impl Fn(&str) -> PathBuf, write: bool) -> Result<()> {
    let mut findings = Vec::new();
    for tool in tools {
        let described = command::read_text(Command::new(program(tool)).arg("--describe"))?;
        let interface: Value = serde_json::from_str(&described)
            .with_context(|| format!("`{tool} --describe` printed no JSON"))?;
        let wanted = render(&interface).with_context(|| format!("the interface of `{tool}`"))?;
        let path = root.join("actions").join(tool).join("action.yml");
        let found = std::fs::read_to_string(&path).unwrap_or_default();
        if found == wanted {
            continue;
        }
        if write {
            std::fs::write(&path, &wanted)
                .with_context(|| format!("failed to write `{}`", path.display()))?;
        } else {
            findings.push(format!(
                "actions/{tool}/action.yml: {}",
                difference(&found, &wanted)
            ));
        }
    }
    if !findings.is_empty() {
        bail!("{}; run `cargo xtask check-actions --write`", findings.join("; "));
    }
    Ok(())
}

/// The action of a tool.
fn render(interface: &Value) -> Result<String> {
    let text = |value: &Value, key: &str| -> Result<String> {
        let text = value[key]
            .as_str()
            .with_context(|| format!("`{key}` is missing"))?;
        // The runner reads an expression wherever it stands, and refuses it in most places.
        ensure!(!text.contains("${{"), "an expression in `{text}`");
        ensure!(!text.is_empty(), "`{key}` is empty in {value}");
        Ok(text.to_owned())
    };
    let list = |key: &str| interface[key].as_array().cloned().unwrap_or_default();
    let name = text(interface, "name")?;
    let mut file = format!(
        "# Made by `cargo xtask check-actions --write` from the program's own interface.\nname: {name}\ndescription: {}\ninputs:\n",
        quoted(&text(interface, "description")?)
    );
    for input in list("inputs") {
        file.push_str(&format!(
            "  {}:\n    description: {}\n    required: false\n",
            text(&input, "name")?,
            quoted(&text(&input, "description")?)
        ));
        if input.get("default").is_some() {
            let default = text(&input, "default")?;
            // Any other default would be given for an input that nobody set, and so override a file.
            ensure!(
                is_github_context(&default),
                "`{default}` is no value of GitHub's context"
            );
            file.push_str(&format!("    default: ${{{{ {default} }}}}\n"));
        }
    }
    file.push_str("outputs:\n");
    for output in list("outputs") {
        let output_name = text(&output, "name")?;
        file.push_str(&format!(
            "  {output_name}:\n    description: {}\n    value: ${{{{ steps.run.outputs.{output_name} }}}}\n",
            quoted(&text(&output, "description")?)
        ));
    }
    file.push_str(&format!(
        "runs:\n  using: composite\n  steps:\n    - name: Run {name}\n      id: run\n      shell: sh\n      env:\n"
    ));
    for input in list("inputs") {
        let input = text(&input, "name")?;
        let variable = input.to_ascii_uppercase().replace('-', "_");
        file.push_str(&format!("        INPUT_{variable}: ${{{{ inputs.{input} }}}}\n"));
    }
    file.push_str(&format!(
        r#"      run: |
        for dist in "${{GITHUB_ACTION_PATH}}/../dist" "${{GITHUB_ACTION_PATH}}/../../dist"; do
          if [ -f "${{dist}}/launch.sh" ]; then exec sh "${{dist}}/launch.sh" {name}; fi
        done
        echo "::error title={name}::no dist/launch.sh near ${{GITHUB_ACTION_PATH}}: use a released version (@v1)"
        exit 1
"#
    ));
    Ok(file)
}

/// Whether this is the path of a value in the `github` context, and no expression that computes something
/// (<https://docs.github.com/en/actions/reference/workflows-and-actions/contexts#github-context>).
fn is_github_context(path: &str) -> bool {
    path.strip_prefix("github.")
        .is_some_and(|name| !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c == '_'))
}

/// A string as YAML: JSON's form is YAML's double-quoted one (<https://yaml.org/spec/1.2.2/#732-double-quoted-style>).
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// The first line in which two texts differ.
fn difference(found: &str, wanted: &str) -> String {
    let mut lines = found.lines().zip(wanted.lines()).zip(1..);
    match lines.find(|((found, wanted), _)| found != wanted) {
        Some(((found, wanted), number)) => {
            format!(
                "line {number} is `{}`, the program says `{}`",
                found.trim(),
                wanted.trim()
            )
        }
        None => format!(
            "it has {} lines, the program's has {}",
            found.lines().count(),
            wanted.lines().count()
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn interface() -> Value {
        json!({
            "name": "demo", "description": "Does \"it\": now.",
            "inputs": [{"name": "dry-run", "description": "Change nothing."}],
            "outputs": [{"name": "verdict", "description": "The verdict."}],
        })
    }

    #[test]
    fn the_file_maps_every_input_and_output() {
        let file = render(&interface()).unwrap();
        for line in [
            "description: \"Does \\\"it\\\": now.\"\n",
            "  dry-run:\n    description: \"Change nothing.\"\n",
            "    value: ${{ steps.run.outputs.verdict }}\n",
            "        INPUT_DRY_RUN: ${{ inputs.dry-run }}\n",
            "exec sh \"${dist}/launch.sh\" demo; fi\n",
        ] {
            assert!(file.contains(line), "{line} in {file}");
        }
    }

    #[test]
    fn an_expression_in_a_description_is_refused() {
        let mut interface = interface();
        interface["inputs"][0]["description"] = json!("As ${{ job.status }}.");
        assert!(
            render(&interface)
                .unwrap_err()
                .to_string()
                .contains("an expression in")
        );
    }

    #[test]
    fn a_default_comes_from_the_context_alone() {
        let mut interface = interface();
        interface["inputs"][0]["default"] = json!("github.token");
        let file = render(&interface).unwrap();
        assert!(
            file.contains("    required: false\n    default: ${{ github.token }}\noutputs:"),
            "{file}"
        );
        for default in [
            "false",
            "github.",
            "secrets.TOKEN",
            "github.token || 'x'",
            "${{ github.token }}",
            "",
            "github.a.b",
        ] {
            interface["inputs"][0]["default"] = json!(default);
            assert!(render(&interface).is_err(), "{default}");
        }
    }

    #[test]
    fn a_difference_is_shown_by_its_line() {
        assert_eq!(
            difference("a\nb\n", "a\nc\n"),
            "line 2 is `b`, the program says `c`"
        );
        assert_eq!(difference("a\n", "a\nb\n"), "it has 1 lines, the program's has 2");
    }
}
