//! What a step leaves behind: its outputs as the runner reads them, its lines of the ledger, and its command line.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use black_box::Place;
use serde_json::Value;

/// Where [`Place::step`] puts the ledger.
pub(crate) const LEDGER: &str = "temp/deploy-actions/ledger.jsonl";

/// `health-gate wait` as a step, with tries as close together as they may be.
pub(crate) fn gate(place: &Place, url: &str, flags: &[&str]) -> Command {
    let mut command = place.step("health-gate");
    command.args(["wait", "--url", url, "--interval", "100ms", "--timeout", "30s"]);
    command.args(flags);
    command
}

/// As [`gate`], for a target that does not get ready: it is given up soon, after several tries.
pub(crate) fn hopeless_gate(place: &Place, url: &str, flags: &[&str]) -> Command {
    let mut command = place.step("health-gate");
    command.args(["wait", "--url", url, "--interval", "100ms", "--timeout", "700ms"]);
    command.args(flags);
    command
}

/// `health-gate watch` as a step, judging often.
pub(crate) fn watch(place: &Place, url: &str, flags: &[&str]) -> Command {
    let mut command = place.step("health-gate");
    command.args(["watch", "--url", url, "--interval", "200ms"]);
    command.args(flags);
    command
}

/// A command of `health-gate` with a gate file, as a step. The file is `gate.yml`.
pub(crate) fn with_file(place: &Place, name: &str, file: &str, flags: &[&str]) -> Command {
    fs::write(place.path().join("gate.yml"), file).unwrap();
    let mut command = place.step("health-gate");
    command.args([name, "-f", "gate.yml"]);
    command.args(flags);
    command
}

/// The report of a step as the output `report` names it.
pub(crate) fn report(place: &Place) -> Value {
    let path = place.path().join(&outputs(place)["report"]);
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// `notify` as a step that tells a success of `shop`.
pub(crate) fn notify(place: &Place, flags: &[&str]) -> Command {
    let mut command = place.step("notify");
    command.args(["--status", "success", "--service", "shop"]);
    command.args(flags);
    command
}

/// Makes a step one of the workflow run 7 of `acme/shop`.
pub(crate) fn in_run(mut command: Command) -> Command {
    command
        .env("GITHUB_REPOSITORY", "acme/shop")
        .env("GITHUB_RUN_ID", "7")
        .env("GITHUB_RUN_ATTEMPT", "1")
        .env("GITHUB_SERVER_URL", "https://github.com")
        .env("GITHUB_SHA", "860c1904a1ce19322e91ac35af1ab07466440c37")
        .env("GITHUB_REF", "refs/heads/main");
    command
}

/// The outputs of a place, read by the runner's rules; of two with one name the later one counts.
pub(crate) fn outputs(place: &Place) -> BTreeMap<String, String> {
    let text = place.read("output");
    let mut outputs = BTreeMap::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let (name, delimiter) = line
            .split_once("<<")
            .unwrap_or_else(|| panic!("`{line}` starts no output"));
        let value: Vec<&str> = lines.by_ref().take_while(|line| *line != delimiter).collect();
        outputs.insert(name.to_owned(), value.join("\n"));
    }
    outputs
}

/// The ledger of a place, every line of which must be JSON.
pub(crate) fn ledger(place: &Place) -> Vec<Value> {
    let text = place.read(LEDGER);
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}
