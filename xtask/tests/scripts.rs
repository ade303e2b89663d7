//! Runs `dist/launch.sh` and `dist/setup.sh` in every shell they must work in: the system's `sh`, dash, and busybox with
//! nothing but busybox on PATH, as in an Alpine job container.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that can't go on fails where it stands")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;
use xtask::needs::{BUSYBOX, DASH, Need, ensure};
use xtask::{checksums, git};

/// A tree with the two scripts, and a tool for this machine that shows its arguments.
struct Tree {
    folder: TempDir,
    target: String,
}

impl Tree {
    fn new(libc: &str) -> Self {
        let tree = Self {
            folder: tempfile::tempdir().unwrap(),
            target: format!("{}-unknown-linux-{libc}", std::env::consts::ARCH),
        };
        fs::create_dir_all(tree.bin()).unwrap();
        for script in ["launch.sh", "setup.sh"] {
            fs::copy(
                workspace().join("dist").join(script),
                tree.path().join("dist").join(script),
            )
            .unwrap();
        }
        tree.add(
            "notify",
            "#!/bin/sh\nfor word in \"$@\"; do echo \"<$word>\"; done\nexit 7\n",
        );
        tree.seal();
        tree
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn bin(&self) -> PathBuf {
        self.path().join("dist").join(&self.target)
    }

    fn add(&self, name: &str, text: &str) {
        fs::write(self.bin().join(name), text).unwrap();
        git::make_executable(&self.bin().join(name)).unwrap();
    }

    /// Writes `SHA256SUMS` over the binaries as they are.
    fn seal(&self) {
        let mut sums = checksums::Checksums::new();
        for entry in fs::read_dir(self.bin()).unwrap() {
            let entry = entry.unwrap();
            let path = format!("dist/{}/{}", self.target, entry.file_name().to_str().unwrap());
            sums.insert(path, checksums::sha256(&fs::read(entry.path()).unwrap()));
        }
        fs::write(self.path().join("dist/SHA256SUMS"), checksums::write(&sums)).unwrap();
    }

    fn launch(&self, shell: &Shell, args: &[&str]) -> Output {
        shell
            .script(&self.path().join("dist/launch.sh"))
            .args(args)
            .output()
            .unwrap()
    }

    /// What the root action prints, and what it leaves in the files for PATH and outputs.
    fn setup(&self, shell: &Shell) -> (Output, String, String) {
        let files = tempfile::tempdir().unwrap();
        let file = |name: &str| files.path().join(name);
        let mut command = shell.script(&self.path().join("dist/setup.sh"));
        command
            .env("GITHUB_PATH", file("path"))
            .env("GITHUB_OUTPUT", file("output"));
        let output = command.output().unwrap();
        let read = |name: &str| fs::read_to_string(file(name)).unwrap_or_default();
        (output, read("path"), read("output"))
    }
}

fn workspace() -> PathBuf {
    xtask::environment::workspace_root().unwrap()
}

/// A shell and the programs it finds.
struct Shell {
    words: Vec<PathBuf>,
    path: PathBuf,
    _applets: TempDir,
}

impl Shell {
    fn script(&self, script: &Path) -> Command {
        let mut command = Command::new(&self.words[0]);
        command
            .args(&self.words[1..])
            .arg(script)
            .env_clear()
            .env("PATH", &self.path);
        command
    }
}

fn shells() -> Vec<Shell> {
    let shell = |words: Vec<PathBuf>, path: &str| Shell {
        words,
        path: path.into(),
        _applets: tempfile::tempdir().unwrap(),
    };
    let find = |need: Need| match ensure(&workspace(), need) {
        Ok(available) => Some(available.program),
        Err(missing) => missing.skip().map(|()| None).unwrap(),
    };
    let mut shells = vec![shell(vec!["/bin/sh".into()], "/usr/bin:/bin")];
    shells.extend(find(DASH).map(|dash| shell(vec![dash], "/usr/bin:/bin")));
    if let Some(busybox) = find(BUSYBOX) {
        let applets = tempfile::tempdir().unwrap();
        let installed = Command::new(&busybox)
            .args(["--install", "-s"])
            .arg(applets.path())
            .status()
            .unwrap();
        assert!(installed.success());
        shells.push(Shell {
            words: vec![busybox, "sh".into()],
            path: applets.path().to_owned(),
            _applets: applets,
        });
    }
    shells
}

#[track_caller]
fn assert_refuses(output: &Output, title: &str, reason: &str) {
    let text = String::from_utf8_lossy(&output.stdout);
    let errors: Vec<_> = text.lines().filter(|line| line.starts_with("::error")).collect();
    assert_eq!(errors.len(), 1, "{output:?}");
    assert!(
        errors[0].starts_with(&format!("::error title={title}::")) && errors[0].contains(reason),
        "{errors:?}"
    );
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn the_tool_takes_the_place_of_the_shell_with_its_arguments_as_they_are() {
    for shell in shells() {
        for libc in ["musl", "gnu"] {
            let output =
                Tree::new(libc).launch(&shell, &["notify", "two words", "", "$HOME `x` \"q\" 'q'", "*"]);
            let text = String::from_utf8(output.stdout).unwrap();
            assert_eq!(text, "<two words>\n<>\n<$HOME `x` \"q\" 'q'>\n<*>\n");
            assert_eq!(output.status.code(), Some(7));
        }
    }
}

#[test]
fn the_tool_has_the_shells_own_process_id() {
    for shell in shells() {
        let tree = Tree::new("musl");
        tree.add("notify", "#!/bin/sh\necho $$\n");
        let child = shell
            .script(&tree.path().join("dist/launch.sh"))
            .arg("notify")
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let id = child.id().to_string();
        assert_eq!(
            String::from_utf8(child.wait_with_output().unwrap().stdout)
                .unwrap()
                .trim(),
            id
        );
    }
}

#[test]
fn musl_is_taken_before_glibc() {
    let (tree, other) = (Tree::new("musl"), Tree::new("gnu"));
    tree.add("notify", "#!/bin/sh\necho musl\n");
    let gnu = tree.path().join("dist").join(&other.target);
    fs::create_dir(&gnu).unwrap();
    fs::copy(other.bin().join("notify"), gnu.join("notify")).unwrap();
    for shell in shells() {
        assert_eq!(tree.launch(&shell, &["notify"]).stdout, b"musl\n");
        let (_, path, _) = tree.setup(&shell);
        assert!(
            path.is_empty(),
            "the tool was changed after the checksums were made"
        );
    }
}

#[test]
fn what_cannot_be_launched_is_one_error_with_its_remedy() {
    for shell in shells() {
        let tree = Tree::new("musl");
        assert_refuses(
            &tree.launch(&shell, &["health-gate"]),
            "health-gate",
            "run: cargo xtask dist health-gate",
        );
        fs::set_permissions(tree.bin().join("notify"), fs::Permissions::from_mode(0o644)).unwrap();
        assert_refuses(
            &tree.launch(&shell, &["notify"]),
            "notify",
            "lost its file modes; run chmod +x",
        );
        assert!(!tree.launch(&shell, &[]).status.success());
    }
}

#[test]
fn another_system_is_named() {
    for mut shell in shells() {
        let programs = tempfile::tempdir().unwrap();
        let uname = programs.path().join("uname");
        fs::write(
            &uname,
            "#!/bin/sh\nif [ \"$1\" = -s ]; then echo Plan9; else echo mips; fi\n",
        )
        .unwrap();
        git::make_executable(&uname).unwrap();
        shell.path = format!("{}:{}", programs.path().display(), shell.path.display()).into();
        let tree = Tree::new("musl");
        assert_refuses(
            &tree.launch(&shell, &["notify"]),
            "notify",
            "no binary for Plan9 on mips: run this step on Linux",
        );
        assert_refuses(
            &tree.setup(&shell).0,
            "deploy-actions",
            "no binaries for Plan9 on mips: run this step on Linux",
        );
    }
}

#[test]
fn the_root_action_checks_and_then_adds_the_folder() {
    for shell in shells() {
        let tree = Tree::new("musl");
        tree.add("image-tag", "#!/bin/sh\n");
        tree.seal();
        let (output, path, outputs) = tree.setup(&shell);
        let bin = tree.bin().canonicalize().unwrap().display().to_string();
        assert!(output.status.success(), "{output:?}");
        assert_eq!((path, outputs), (format!("{bin}\n"), format!("bin-dir={bin}\n")));
    }
}

#[test]
fn the_root_action_adds_nothing_that_it_could_not_check() {
    type Spoil = (fn(&Tree), &'static str);
    let spoils: [Spoil; 6] = [
        (
            |tree| tree.add("notify", "#!/bin/sh\nexit 0\n"),
            "does not match dist/SHA256SUMS",
        ),
        (
            |tree| tree.add("curl", "#!/bin/sh\n"),
            "curl is not in dist/SHA256SUMS",
        ),
        (
            |tree| fs::remove_file(tree.path().join("dist/SHA256SUMS")).unwrap(),
            "SHA256SUMS, so the binaries can't be checked",
        ),
        (
            |tree| fs::remove_dir_all(tree.bin()).unwrap(),
            "run: cargo xtask dist",
        ),
        (
            |tree| {
                tree.add("image-tag", "#!/bin/sh\n");
                tree.seal();
                fs::remove_file(tree.bin().join("image-tag")).unwrap();
            },
            "does not match dist/SHA256SUMS",
        ),
        (
            |tree| fs::set_permissions(tree.bin().join("notify"), fs::Permissions::from_mode(0o644)).unwrap(),
            "lost its file modes",
        ),
    ];
    for shell in shells() {
        for (spoil, reason) in spoils {
            let tree = Tree::new("musl");
            spoil(&tree);
            let (output, path, outputs) = tree.setup(&shell);
            assert_refuses(&output, "deploy-actions", reason);
            assert_eq!((path.as_str(), outputs.as_str()), ("", ""));
        }
    }
}
