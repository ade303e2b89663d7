//! Command lines as data: each file of `cases/` is one run of one program, with everything that it prints.
//!
//! A case runs in `cases/` itself or, with `fs.sandbox`, in a folder of its own, a copy of `<case>.in` or `fs.base`;
//! what must be in it at the end is in `<case>.out`. Nothing depends on time or machine: `[..]` stands for times,
//! durations, versions and random delimiters alone. Standard input, output and error are pipes, so help pages have
//! the width of no terminal. trycmd shows `\` as `/` in what it compares; the tests in `wire/` look at bytes.
//!
//! `TRYCMD=overwrite` writes what is printed into the files; look at every line of the difference before it stays.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails as the test does")]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use black_box::program;

const PROGRAMS: [&str; 6] = [
    "ecs-deploy",
    "health-gate",
    "image-tag",
    "k8s-blue-green",
    "notify",
    "s3-cdn-publish",
];

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let mut cases: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    cases.sort();
    cases
}

#[test]
fn every_case_prints_what_it_says() {
    trycmd::TestCases::new()
        .case(concat!(env!("CARGO_MANIFEST_DIR"), "/cases/*.toml"))
        .register_bins(PROGRAMS.map(|name| (name, program(name))))
        .timeout(Duration::from_secs(30))
        .run();
}

/// trycmd takes a program that it does not know as a case to skip, a stream that is not there as one that may hold
/// anything, and hands over this machine's environment unless told not to. None of that may happen by accident.
#[test]
fn no_case_leaves_anything_open() {
    let mut seen: Vec<&str> = Vec::new();
    for path in cases() {
        let text = fs::read_to_string(&path).unwrap();
        let has = |start: &str| text.lines().any(|line| line.starts_with(start));
        for line in ["env.inherit = false", "stdout = ", "stderr = "] {
            assert!(has(line), "`{}` has no line `{line}`", path.display());
        }
        let name = path.file_name().unwrap().to_string_lossy();
        let program = PROGRAMS
            .into_iter()
            .find(|program| name.starts_with(&format!("{program}-")));
        let program = program.unwrap_or_else(|| panic!("`{name}` does not begin with a program's name"));
        assert!(
            has(&format!("bin.name = \"{program}\"")),
            "`{name}` runs another program"
        );
        assert!(has("args = "), "`{name}` has no arguments");
        seen.push(program);
    }
    for program in PROGRAMS {
        assert!(seen.contains(&program), "`{program}` has no case");
    }
}
