//! From values of the flag to objects, on files in temporary folders.

use std::fs;
use std::path::PathBuf;

use gha::edge::testing::runner_of;

use super::*;
use crate::cli::INTERFACE;
use crate::object;

const WEB: &str = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\n";

struct Folder(tempfile::TempDir);

impl Folder {
    fn with(files: &[(&str, &str)]) -> Self {
        let base = tempfile::tempdir().unwrap();
        for (path, content) in files {
            let path = base.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        Self(base)
    }

    fn at(&self, path: &str) -> String {
        let path: PathBuf = self.0.path().join(path);
        path.display().to_string()
    }
}

async fn read(values: &[String]) -> Result<Vec<Manifest>, ManifestsError> {
    let (runner, _) = runner_of(INTERFACE, &[]);
    gather(values, "shop", &runner).await
}

#[tokio::test]
async fn files_become_objects_with_their_places() {
    let folder = Folder::with(&[
        ("web.yaml", WEB),
        (
            "a/config.json",
            r#"{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": "shop"}}"#,
        ),
    ]);
    let mut found = read(&[folder.at("")]).await.unwrap();
    let listed: Vec<String> = found
        .iter()
        .map(|manifest| {
            format!(
                "{} {}",
                object::text(&manifest.object, "/kind"),
                manifest.from.line
            )
        })
        .collect();
    assert_eq!(listed, ["ConfigMap 1", "Service 1", "Deployment 5"]);
    assert!(found[2].from.to_string().ends_with("web.yaml:5 (document 2)"));
    assert!(take_out(&mut found, "Deployment", "web").is_some());
    assert!(take_out(&mut found, "Deployment", "web").is_none());
    assert_eq!(found.len(), 2);
}

#[tokio::test]
async fn all_faults_are_told_at_once_and_no_value_of_a_secret() {
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: other}\nstringData: {password: hunter2}\n";
    let folder = Folder::with(&[("a.yaml", secret), ("b.yaml", "kind: X\n"), ("c.yaml", "a: [\n")]);
    let said = read(&[folder.at("")]).await.unwrap_err().to_string();
    assert_eq!(said.lines().count(), 3, "{said}");
    for words in [
        "a.yaml:1 (document 1): Secret `s` is of namespace `other`",
        "b.yaml:1 (document 1): it has no `apiVersion`",
        "c.yaml:",
    ] {
        assert!(said.contains(words), "{said}");
    }
    assert!(!said.contains("hunter2"));
}

#[tokio::test]
async fn an_object_that_two_values_give_is_refused() {
    let folder = Folder::with(&[("a.yaml", WEB), ("b.yaml", WEB)]);
    let said = read(&[folder.at("a.yaml"), folder.at("b.yaml")])
        .await
        .unwrap_err()
        .to_string();
    assert!(
        said.contains("Service `web` is there a second time, first in "),
        "{said}"
    );
}

#[tokio::test]
async fn values_that_name_nothing_are_told() {
    let said = read(&["helm:web".to_owned()]).await.unwrap_err().to_string();
    assert!(
        said.starts_with("`--manifests helm:web`: needs a release and a chart"),
        "{said}"
    );
    let said = read(&["no/such.yaml".to_owned()]).await.unwrap_err().to_string();
    assert!(said.contains("No such file"), "{said}");
}

#[test]
fn what_a_program_says_is_one_inert_line() {
    let (runner, _) = runner_of(INTERFACE, &[]);
    runner.mask("hunter2hunter2");
    let ended = Finished {
        code: Some(1),
        stdout: Vec::new(),
        stderr: b"::error::no\nvalue hunter2hunter2".to_vec(),
    };
    let arguments = ["template", "web", "./chart", "--set", "password=x"].map(str::to_owned);
    let said = printed("helm", &arguments, Ok(ended), &runner)
        .unwrap_err()
        .to_string();
    assert!(
        said.starts_with("`helm template web ./chart` failed to render the manifests: exit code 1: "),
        "{said}"
    );
    assert!(
        !said.contains("hunter2") && !said.contains("password") && !said.contains('\n'),
        "{said}"
    );
}
