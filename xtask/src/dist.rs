//! `cargo xtask dist`: builds the tools as they ship and puts them into `dist/<target>/`.
//!
//! One package at a time, since one build of several would unify their features and link what a tool does not ask for.
//! Paths of the building machine are kept out of the programs, so that the same source gives the same bytes.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};

use crate::elf::{self, Machine};
use crate::needs::{self, QEMU_AARCH64};
use crate::provenance::Provenance;
use crate::target::{self, Target};
use crate::{checksums, command, console, environment, git, layout, size};

/// What to build.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The workspace.
    pub root: PathBuf,
    /// Names of tools, which are names of packages.
    pub tools: Vec<String>,
    /// For which machines.
    pub targets: Vec<Target>,
    /// A cargo profile; `dist` for what ships.
    pub profile: String,
}

/// A program that was built and is in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// For which machine.
    pub target: Target,
    /// The tool.
    pub tool: String,
    /// Its file's size in bytes.
    pub raw: u64,
    /// The same after `gzip -9`.
    pub gzip: u64,
}

/// Builds, checks and places every tool for every target, then writes `dist/VERSION` and `dist/SHA256SUMS`.
///
/// # Errors
/// Stops at the first program that does not build or is not static; what was placed before stays.
pub fn build(plan: &Plan) -> Result<Vec<Built>> {
    let provenance = Provenance::of_work_tree(&plan.root, &plan.profile)?;
    let dist = plan.root.join("dist");
    drop_other_sources(&dist, &provenance)?;
    let host = host_machine()?;
    let mut built = Vec::new();
    for &target in &plan.targets {
        target::ensure_std(&plan.root, target)?;
        for &need in target::needs(host, target) {
            needs::ensure(&plan.root, need)?;
        }
        for tool in &plan.tools {
            console::line(format!("building {tool} for {}", target.triple()));
            let program = compile(plan, &provenance, host, target, tool)?;
            let content =
                std::fs::read(&program).with_context(|| format!("failed to read `{}`", program.display()))?;
            check_static(target, tool, &content)?;
            place(&plan.root.join(layout::binary(target, tool)), &content)?;
            let gzip = size::gzip(&content)?;
            built.push(Built {
                target,
                tool: tool.clone(),
                raw: content.len() as u64,
                gzip,
            });
        }
    }
    write_records(&plan.root, &provenance)?;
    Ok(built)
}

pub(crate) fn host_machine() -> Result<Machine> {
    match std::env::consts::ARCH {
        "x86_64" => Ok(Machine::X86_64),
        "aarch64" => Ok(Machine::Aarch64),
        other => bail!("nothing can be built on {other}"),
    }
}

/// `dist/VERSION` speaks for all binaries, so those of another source go away.
fn drop_other_sources(dist: &Path, now: &Provenance) -> Result<()> {
    let earlier = std::fs::read_to_string(dist.join("VERSION")).ok();
    if earlier.as_deref() == Some(now.to_text().as_str()) {
        return Ok(());
    }
    for (_, folder) in target_folders(dist)? {
        console::line(format!(
            "removing `{}`: it was built from another source",
            folder.display()
        ));
        std::fs::remove_dir_all(&folder)
            .with_context(|| format!("failed to remove `{}`", folder.display()))?;
    }
    Ok(())
}

/// The folders of `dist` that hold binaries, by target.
pub(crate) fn target_folders(dist: &Path) -> Result<Vec<(Target, PathBuf)>> {
    let mut folders = Vec::new();
    for entry in dist
        .read_dir()
        .with_context(|| format!("failed to read `{}`", dist.display()))?
    {
        let entry = entry?;
        let target = entry.file_name().to_str().and_then(Target::from_triple);
        if let Some(target) = target.filter(|_| entry.path().is_dir()) {
            folders.push((target, entry.path()));
        }
    }
    folders.sort();
    Ok(folders)
}

fn compile(
    plan: &Plan,
    provenance: &Provenance,
    host: Machine,
    target: Target,
    tool: &str,
) -> Result<PathBuf> {
    let mut cargo = environment::cargo(&plan.root);
    cargo
        .args([
            "build",
            "--quiet",
            "--locked",
            "--message-format=json-render-diagnostics",
        ])
        .args([
            "--profile",
            &plan.profile,
            "--package",
            tool,
            "--bin",
            tool,
            "--target",
            target.triple(),
        ])
        .envs(target::build_environment(host, target))
        .env(
            "CARGO_ENCODED_RUSTFLAGS",
            rustflags(&plan.root, environment::cargo_home().as_deref(), target),
        )
        .env("DEPLOY_ACTIONS_VERSION", &provenance.version)
        .env("DEPLOY_ACTIONS_COMMIT", &provenance.commit)
        .env("DEPLOY_ACTIONS_RUSTC", &provenance.rustc)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit());
    let output = cargo.output().context("failed to start `cargo`")?;
    ensure!(
        output.status.success(),
        "failed to build `{tool}` for {}",
        target.triple()
    );
    executable(&output.stdout, tool).with_context(|| format!("cargo named no program for `{tool}`"))
}

/// Cargo's words for [`executable`](https://doc.rust-lang.org/cargo/reference/external-tools.html#artifact-messages).
pub(crate) fn executable(messages: &[u8], tool: &str) -> Option<PathBuf> {
    String::from_utf8_lossy(messages)
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|message| message["reason"] == "compiler-artifact" && message["target"]["name"] == tool)
        // A program's own tests are an executable of the same name.
        .filter(|message| message["profile"]["test"] != true)
        .filter_map(|message| message["executable"].as_str().map(PathBuf::from))
        .next_back()
}

/// Flags joined as cargo wants them; they take the place of any from the environment, so that a release does not depend on
/// who builds it.
pub(crate) fn rustflags(root: &Path, cargo_home: Option<&Path>, target: Target) -> String {
    let mut flags = vec![format!("--remap-path-prefix={}=/deploy-actions", root.display())];
    if let Some(home) = cargo_home {
        flags.push(format!("--remap-path-prefix={}=/cargo", home.display()));
    }
    if target.is_linux() {
        flags.push("-Ctarget-feature=+crt-static".to_owned());
    }
    flags.join("\u{1f}")
}

fn check_static(target: Target, tool: &str, content: &[u8]) -> Result<()> {
    if !target.is_linux() {
        // Programs of macOS always load the system's library; there is no other way in.
        return Ok(());
    }
    let program =
        elf::inspect(content).with_context(|| format!("failed to read what was built of `{tool}`"))?;
    ensure!(
        program.is_static(),
        "`{tool}` for {} is dynamic: interpreter `{}`, {} libraries needed",
        target.triple(),
        program.interpreter.as_deref().unwrap_or("none"),
        program.libraries
    );
    ensure!(
        program.machine == Some(target.machine()),
        "`{tool}` was built for another machine"
    );
    Ok(())
}

/// Puts a program at its path under a new inode, so that one that runs is not written into.
fn place(path: &Path, content: &[u8]) -> Result<()> {
    let folder = path.parent().context("a binary has no folder")?;
    std::fs::create_dir_all(folder).with_context(|| format!("failed to create `{}`", folder.display()))?;
    let mut file = tempfile::NamedTempFile::new_in(folder).context("failed to create a file in `dist`")?;
    file.write_all(content)?;
    git::make_executable(file.path())?;
    file.persist(path)
        .with_context(|| format!("failed to write `{}`", path.display()))?;
    Ok(())
}

pub(crate) fn write_records(root: &Path, provenance: &Provenance) -> Result<()> {
    let mut sums = checksums::Checksums::new();
    for (target, folder) in target_folders(&root.join("dist"))? {
        for entry in folder.read_dir()? {
            let Ok(tool) = entry?.file_name().into_string() else {
                bail!("a file of `dist` has no valid name")
            };
            let path = layout::binary(target, &tool);
            let hash = checksums::sha256(&std::fs::read(root.join(&path))?);
            sums.insert(path, hash);
        }
    }
    for (name, text) in [
        (layout::VERSION, provenance.to_text()),
        (layout::CHECKSUMS, checksums::write(&sums)),
    ] {
        std::fs::write(root.join(name), text).with_context(|| format!("failed to write `{name}`"))?;
    }
    Ok(())
}

/// Runs `TOOL --version` of every program for Linux, another machine's under qemu. Says what could not be run.
///
/// # Errors
/// When a program does not run or says another version.
pub fn try_out(root: &Path, built: &[Built]) -> Result<()> {
    let host = host_machine()?;
    for Built { target, tool, .. } in built {
        let program = root.join(layout::binary(*target, tool));
        let mut command = match (target.machine() == host, target.machine()) {
            (true, _) => Command::new(program),
            (false, Machine::Aarch64) => match needs::ensure(root, QEMU_AARCH64) {
                Ok(qemu) => {
                    let mut command = Command::new(qemu.program);
                    command.arg(program);
                    command
                }
                Err(missing) => {
                    missing.skip()?;
                    continue;
                }
            },
            (false, Machine::X86_64) => {
                console::line(format!("not run here: {tool} for {}", target.triple()));
                continue;
            }
        };
        let said = command::read_text(command.arg("--version"))?;
        ensure!(
            said.contains(env!("CARGO_PKG_VERSION")),
            "`{tool} --version` for {} says `{said}`",
            target.triple()
        );
    }
    Ok(())
}

/// The table of sizes, one program a line, with the sums.
#[must_use]
pub fn table(built: &[Built]) -> String {
    let mut rows = vec![["target", "tool", "bytes", "gzip -9"].map(str::to_owned)];
    for Built {
        target,
        tool,
        raw,
        gzip,
    } in built
    {
        rows.push([
            target.triple().to_owned(),
            tool.clone(),
            size::grouped(*raw),
            size::grouped(*gzip),
        ]);
    }
    let sum = |size: fn(&Built) -> u64| size::grouped(built.iter().map(size).sum());
    rows.push([
        "all".to_owned(),
        String::new(),
        sum(|one| one.raw),
        sum(|one| one.gzip),
    ]);
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or_default();
    let [a, b, c, d] = [0, 1, 2, 3].map(width);
    rows.iter()
        .map(|[target, tool, raw, gzip]| format!("{target:<a$}  {tool:<b$}  {raw:>c$}  {gzip:>d$}"))
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_the_one_cargo_names() {
        let messages = br#"{"reason":"compiler-artifact","target":{"name":"gha"},"executable":null}
{"reason":"compiler-artifact","target":{"name":"notify"},"profile":{"test":false},"executable":"/t/notify"}
{"reason":"compiler-artifact","target":{"name":"notify"},"profile":{"test":true},"executable":"/t/notify-tests"}
not json
{"reason":"build-finished","success":true}"#;
        assert_eq!(executable(messages, "notify"), Some(PathBuf::from("/t/notify")));
        assert_eq!(executable(messages, "gha"), None);
    }

    #[test]
    fn only_linux_is_asked_to_be_static() {
        let flags = |target| rustflags(Path::new("/work"), Some(Path::new("/home/.cargo")), target);
        assert_eq!(
            flags(Target::X86_64Gnu).split('\u{1f}').collect::<Vec<_>>(),
            [
                "--remap-path-prefix=/work=/deploy-actions",
                "--remap-path-prefix=/home/.cargo=/cargo",
                "-Ctarget-feature=+crt-static"
            ]
        );
        assert!(!flags(Target::Aarch64Darwin).contains("crt-static"));
    }

    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    #[test]
    fn a_dynamic_program_is_refused_with_its_interpreter() {
        let this = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let error = check_static(Target::X86_64Gnu, "notify", &this)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("`notify` for x86_64-unknown-linux-gnu is dynamic: interpreter `/lib"),
            "{error}"
        );
    }

    #[test]
    fn binaries_of_another_source_go_and_those_of_this_one_stay() {
        let dist = tempfile::tempdir().unwrap();
        let folder = dist.path().join("x86_64-unknown-linux-musl");
        let now = Provenance {
            version: "1.0.0".into(),
            commit: "a".repeat(40),
            rustc: "rustc 1".into(),
            profile: "dist".into(),
        };
        std::fs::create_dir(&folder).unwrap();
        std::fs::create_dir(dist.path().join("notes")).unwrap();
        std::fs::write(dist.path().join("VERSION"), now.to_text()).unwrap();
        drop_other_sources(dist.path(), &now).unwrap();
        assert!(folder.is_dir());
        drop_other_sources(
            dist.path(),
            &Provenance {
                commit: "b".repeat(40),
                ..now
            },
        )
        .unwrap();
        assert!(!folder.exists() && dist.path().join("notes").is_dir());
    }

    #[test]
    fn the_table_lines_up_and_sums() {
        let one = |tool: &str, raw| Built {
            target: Target::X86_64Musl,
            tool: tool.to_owned(),
            raw,
            gzip: raw / 2,
        };
        let text = table(&[one("notify", 2_000_000), one("image-tag", 800)]);
        let lines: Vec<_> = text.lines().collect();
        assert!(lines.iter().all(|line| line.len() == lines[0].len()), "{text}");
        assert!(lines[3].ends_with("2,000,800  1,000,400"), "{text}");
    }
}
