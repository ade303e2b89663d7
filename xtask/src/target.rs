//! The targets a tool is built for, and what the compiler needs to build for them from here.
//!
//! Linux programs are static: musl where its standard library can be had, else glibc with `crt-static`, which is for tests
//! only (a static glibc still loads the host's name service modules at run time, and can crash in them).

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use clap::ValueEnum;

use crate::command;
use crate::console;
use crate::elf::Machine;
use crate::needs::{self, Need};

/// A target triple of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
#[expect(missing_docs, reason = "the triples say all there is")]
pub enum Target {
    #[value(name = "x86_64-unknown-linux-musl")]
    X86_64Musl,
    #[value(name = "aarch64-unknown-linux-musl")]
    Aarch64Musl,
    #[value(name = "x86_64-unknown-linux-gnu")]
    X86_64Gnu,
    #[value(name = "aarch64-unknown-linux-gnu")]
    Aarch64Gnu,
    #[value(name = "x86_64-apple-darwin")]
    X86_64Darwin,
    #[value(name = "aarch64-apple-darwin")]
    Aarch64Darwin,
}

/// What a release holds, and nothing else.
pub const RELEASED: [Target; 2] = [Target::X86_64Musl, Target::Aarch64Musl];

impl Target {
    /// The name that rustc knows, which is also the folder's name in `dist/`.
    #[must_use]
    pub fn triple(self) -> &'static str {
        match self {
            Self::X86_64Musl => "x86_64-unknown-linux-musl",
            Self::Aarch64Musl => "aarch64-unknown-linux-musl",
            Self::X86_64Gnu => "x86_64-unknown-linux-gnu",
            Self::Aarch64Gnu => "aarch64-unknown-linux-gnu",
            Self::X86_64Darwin => "x86_64-apple-darwin",
            Self::Aarch64Darwin => "aarch64-apple-darwin",
        }
    }

    /// The target of this name.
    #[must_use]
    pub fn from_triple(triple: &str) -> Option<Self> {
        Self::value_variants()
            .iter()
            .copied()
            .find(|target| target.triple() == triple)
    }

    /// The processor.
    #[must_use]
    pub fn machine(self) -> Machine {
        match self {
            Self::X86_64Musl | Self::X86_64Gnu | Self::X86_64Darwin => Machine::X86_64,
            Self::Aarch64Musl | Self::Aarch64Gnu | Self::Aarch64Darwin => Machine::Aarch64,
        }
    }

    /// Whether its programs are static ELF files.
    #[must_use]
    pub fn is_linux(self) -> bool {
        !matches!(self, Self::X86_64Darwin | Self::Aarch64Darwin)
    }

    /// Whether it is Linux with glibc.
    #[must_use]
    pub fn is_gnu(self) -> bool {
        matches!(self, Self::X86_64Gnu | Self::Aarch64Gnu)
    }

    fn of(os: &str, machine: &str) -> Option<(Self, Self)> {
        // The target to prefer, and the one whose standard library came with the toolchain.
        match (os, machine) {
            ("linux", "x86_64") => Some((Self::X86_64Musl, Self::X86_64Gnu)),
            ("linux", "aarch64") => Some((Self::Aarch64Musl, Self::Aarch64Gnu)),
            ("macos", "x86_64") => Some((Self::X86_64Darwin, Self::X86_64Darwin)),
            ("macos", "aarch64") => Some((Self::Aarch64Darwin, Self::Aarch64Darwin)),
            _ => None,
        }
    }
}

/// Makes sure that the C compilers are there that building for `target` on a machine of its kind takes.
fn ensure_compilers(root: &Path, target: Target) -> Result<()> {
    for &need in needs(target.machine(), target) {
        needs::ensure(root, need)?;
    }
    Ok(())
}

/// The target for this machine: musl, or glibc where musl's standard library or compiler can't be had (said in one line).
///
/// # Errors
/// On a machine that no target is for.
pub fn host(root: &Path) -> Result<Target> {
    let (os, machine) = (std::env::consts::OS, std::env::consts::ARCH);
    let Some((wanted, fallback)) = Target::of(os, machine) else {
        bail!("there is no target for {os} on {machine}")
    };
    match ensure_std(root, wanted).and_then(|()| ensure_compilers(root, wanted)) {
        Ok(()) => Ok(wanted),
        Err(error) => {
            console::line(format!(
                "using {} with crt-static, for tests only: {error:#}",
                fallback.triple()
            ));
            Ok(fallback)
        }
    }
}

/// The target that this machine's toolchain came with.
///
/// # Errors
/// On a machine that no target is for.
pub fn plain_host() -> Result<Target> {
    let (os, machine) = (std::env::consts::OS, std::env::consts::ARCH);
    let found = Target::of(os, machine).map(|(_, plain)| plain);
    found.with_context(|| format!("there is no target for {os} on {machine}"))
}

/// Makes sure that the target's standard library is there; asks rustup for it when it is not.
///
/// # Errors
/// When rustup is missing or refuses.
pub fn ensure_std(root: &Path, target: Target) -> Result<()> {
    let sysroot = command::read_text(
        Command::new("rustc")
            .args(["--print", "sysroot"])
            .current_dir(root),
    )?;
    if Path::new(&sysroot)
        .join("lib/rustlib")
        .join(target.triple())
        .join("lib")
        .is_dir()
    {
        return Ok(());
    }
    console::line(format!(
        "adding the standard library of {} (rustup target add)",
        target.triple()
    ));
    command::read(
        Command::new("rustup")
            .args(["target", "add", target.triple()])
            .current_dir(root),
    )
    .with_context(|| format!("no standard library for {}", target.triple()))?;
    Ok(())
}

/// The programs outside the Rust toolchain that building for `target` takes.
#[must_use]
pub fn needs(host: Machine, target: Target) -> &'static [Need] {
    match (host, target) {
        (_, Target::X86_64Darwin | Target::Aarch64Darwin) => &[],
        (Machine::X86_64, Target::X86_64Musl) | (Machine::Aarch64, Target::Aarch64Musl) => &[needs::MUSL_GCC],
        (Machine::X86_64, Target::X86_64Gnu) | (Machine::Aarch64, Target::Aarch64Gnu) => &[],
        (Machine::X86_64, Target::Aarch64Musl | Target::Aarch64Gnu) => &[needs::AARCH64_GCC],
        (Machine::Aarch64, Target::X86_64Musl | Target::X86_64Gnu) => &[needs::X86_64_GCC],
    }
}

/// What the compiler must be told to build C code for `target` and to link it, as environment variables of cargo.
///
/// Another machine's musl programs are linked by the `rust-lld` of the toolchain, which finds all it needs in the target's
/// own standard library ([self-contained linking](https://doc.rust-lang.org/rustc/codegen-options/#link-self-contained));
/// its C code is compiled by a plain cross compiler, since none of it calls the C library of that compiler.
#[must_use]
pub fn build_environment(host: Machine, target: Target) -> Vec<(String, String)> {
    let lower = target.triple().replace('-', "_");
    let linker = format!("CARGO_TARGET_{}_LINKER", lower.to_uppercase());
    let compiler = format!("CC_{lower}");
    let cross = format!("{}-linux-gnu-gcc", target.machine().name());
    let pairs = match (target.machine() == host, target) {
        (_, Target::X86_64Darwin | Target::Aarch64Darwin)
        | (true, Target::X86_64Gnu | Target::Aarch64Gnu) => vec![],
        (true, Target::X86_64Musl | Target::Aarch64Musl) => vec![(compiler, "musl-gcc".to_owned())],
        (false, Target::X86_64Musl | Target::Aarch64Musl) => {
            vec![(compiler, cross), (linker, "rust-lld".to_owned())]
        }
        (false, Target::X86_64Gnu | Target::Aarch64Gnu) => vec![(compiler, cross.clone()), (linker, cross)],
    };
    pairs.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn triples_read_back() {
        for target in Target::value_variants() {
            assert_eq!(Target::from_triple(target.triple()), Some(*target));
            assert_eq!(target.to_possible_value().unwrap().get_name(), target.triple());
            assert!(target.triple().starts_with(target.machine().name()));
        }
        assert_eq!(Target::from_triple("riscv64gc-unknown-linux-gnu"), None);
    }

    #[test]
    fn the_compiler_is_told_what_the_target_takes() {
        let told = |host, target| {
            build_environment(host, target)
                .into_iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            told(Machine::X86_64, Target::X86_64Musl),
            ["CC_x86_64_unknown_linux_musl=musl-gcc"]
        );
        assert_eq!(
            told(Machine::X86_64, Target::Aarch64Musl),
            [
                "CC_aarch64_unknown_linux_musl=aarch64-linux-gnu-gcc",
                "CARGO_TARGET_AARCH64_UNKNOWN_LINUX_MUSL_LINKER=rust-lld"
            ]
        );
        assert_eq!(
            told(Machine::Aarch64, Target::Aarch64Musl),
            ["CC_aarch64_unknown_linux_musl=musl-gcc"]
        );
        assert!(told(Machine::X86_64, Target::X86_64Gnu).is_empty());
        assert!(told(Machine::Aarch64, Target::Aarch64Darwin).is_empty());
    }

    #[test]
    fn every_compiler_that_is_told_is_also_a_need() {
        for host in [Machine::X86_64, Machine::Aarch64] {
            for &target in Target::value_variants() {
                let told = build_environment(host, target);
                let needed: Vec<_> = needs(host, target).iter().map(Need::name).collect();
                for (_, program) in told.iter().filter(|(_, program)| program != "rust-lld") {
                    assert!(needed.contains(&program.as_str()), "{program} for {target:?}");
                }
                assert_eq!(told.is_empty(), needed.is_empty());
            }
        }
    }
}
