//! The program in a checkout, with an environment that would lead git astray: it takes none of it, and needs no git.

#![expect(clippy::unwrap_used, reason = "a checkout that can't be made fails the test")]

use std::fs;
use std::path::Path;
use std::process::Command;

fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .current_dir(folder)
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .args(["-c", "user.name=Ann", "-c", "user.email=ann@example.org"])
        .args(["-c", "commit.gpgsign=false"])
        .args(arguments)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

#[test]
fn the_environment_does_not_count() {
    let home = tempfile::tempdir().unwrap();
    let [folder, other] = ["shop", "other"].map(|name| {
        git(home.path(), &["init", "--quiet", "--initial-branch", name, name]);
        let folder = home.path().join(name);
        git(
            &folder,
            &["commit", "--quiet", "--allow-empty", "--message", name],
        );
        folder
    });
    let sha = git(&folder, &["rev-parse", "HEAD"]);
    fs::write(home.path().join(".gitconfig"), "this is [no configuration").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_image-tag"))
        .args(["--images", "org/app", "--tags", "type=ref,event=branch", "--tags"])
        .arg("type=sha,format=long,prefix=")
        .current_dir(&folder)
        .env_clear()
        .env("PATH", "/nonexistent")
        .env("HOME", home.path())
        .env("GIT_DIR", other.join(".git"))
        .env("GIT_COMMON_DIR", other.join(".git"))
        .env("GIT_OBJECT_DIRECTORY", other.join(".git/objects"))
        .env("GIT_NAMESPACE", "other")
        .env("GIT_CEILING_DIRECTORIES", &folder)
        .env("GIT_CONFIG_COUNT", "1")
        .env("GIT_CONFIG_KEY_0", "extensions.refStorage")
        .env("GIT_CONFIG_VALUE_0", "reftable")
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(text(&output.stdout), format!("org/app:shop\norg/app:{sha}\n"));
}
