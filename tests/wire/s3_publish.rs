//! `s3-cdn-publish` as a process against a stand-in of S3 and CloudFront over real sockets: what a publish and a rollback leave
//! behind, when they work and when they do not.

use std::fs;
use std::process::Command;
use std::time::Duration;

use black_box::Place;
use sandbox::stand_ins::aws::{Clock, Conditions, Distribution, Fault, Hosting, Object, Turn};

use crate::commands::{commands, named};
use crate::process::finish;
use crate::step::{LEDGER, in_run, ledger, outputs};

/// The account of the stand-in.
const ACCOUNT: &str = "123456789012";

/// A bucket with something of somebody else in it, and a distribution before it whose invalidations are complete at once.
pub(crate) fn hosting() -> (Hosting, String) {
    // Time is as it is: how old a lock is goes by the stand-in's clock.
    let hosting = Hosting::open(Clock::compressed(1)).unwrap();
    hosting.settings(|settings| settings.invalidation_takes = Duration::ZERO);
    let id = hosting.stock(|stock| {
        stock.s3.create("site");
        stock
            .s3
            .put("site", "theirs/report.txt", Object::new("not of the site"));
        stock.cloudfront.add(Distribution::of("site").root("index.html"))
    });
    (hosting, id)
}

/// The build of a version: a page that names its script, the script, and a style under a name that stays.
pub(crate) fn build(place: &Place, version: u8) {
    let public = place.path().join("public");
    let _ = fs::remove_dir_all(&public);
    fs::create_dir_all(public.join("assets")).unwrap();
    let script = format!("assets/main.8f3b2c1d9a7e6f5{version}.js");
    for (name, content) in [
        (script.as_str(), format!("console.log({version})")),
        ("style.css", format!("/* {version} */")),
        (
            "index.html",
            format!("<script src=\"/{script}\">{version}</script>"),
        ),
    ] {
        fs::write(public.join(name), content).unwrap();
    }
}

/// A command for the site as a step of a run.
pub(crate) fn step(place: &Place, (hosting, id): &(Hosting, String), name: &str, flags: &[&str]) -> Command {
    let mut command = in_run(place.step("s3-cdn-publish"));
    command.envs(hosting.environment());
    command.args([name, "--bucket", "site", "--distribution-id", id]);
    if ["publish", "plan"].contains(&name) {
        command.args(["--source", "public"]);
    }
    command.args(flags);
    command
}

/// The version that a visitor gets, whose script must be there.
#[track_caller]
pub(crate) fn served((hosting, id): &(Hosting, String)) -> String {
    let page = hosting.visit(id, "/index.html").text();
    let script = page.split('"').nth(1).unwrap_or_default().to_owned();
    let version = page.split(['>', '<']).nth(2).unwrap_or_default().to_owned();
    let script = hosting.visit(id, &script);
    assert_eq!(
        (script.status, script.text()),
        (200, format!("console.log({version})")),
        "{page}"
    );
    version
}

fn writes(hosting: &Hosting) -> usize {
    hosting.log().iter().filter(|entry| entry.writes()).count()
}

#[test]
fn a_site_that_is_published_is_served() {
    let (place, site) = (Place::new(), hosting());
    build(&place, 1);
    finish(step(&place, &site, "publish", &[])).expect(0);
    build(&place, 2);
    let flags = [
        "--environment",
        "production",
        "--site-url",
        "https://www.example.com/",
    ];
    let place = {
        // The outputs of the first run are another step's.
        for file in ["output", "summary", LEDGER] {
            let _ = fs::remove_file(place.path().join(file));
        }
        place
    };
    finish(step(&place, &site, "publish", &flags)).expect(0).says(&[
        "1 added, 2 changed",
        "invalidation `I",
        "published release `",
        "undo: s3-cdn-publish rollback --bucket site",
    ]);
    assert_eq!(served(&site), "2");
    let outputs = outputs(&place);
    for (name, value) in [
        ("status", "published"),
        ("changed", "true"),
        ("uploaded", "3"),
        ("deleted", "0"),
        ("site-url", "https://www.example.com/"),
    ] {
        assert_eq!(outputs[name], value, "{outputs:?}");
    }
    assert!(outputs["invalidation-id"].starts_with('I'), "{outputs:?}");
    assert_eq!(
        place.read("output").matches("invalidation-id<<").count(),
        2,
        "once when it is known, once at the end"
    );
    let lines = ledger(&place);
    let line = &lines[0];
    for (field, value) in [
        ("tool", "s3-cdn-publish"),
        ("status", "done"),
        ("target", "s3://site/"),
        ("environment", "production"),
    ] {
        assert_eq!(line[field], value, "{line}");
    }
    assert_eq!(line["links"][0]["url"], "https://www.example.com/", "{line}");
    assert_eq!(
        line["facts"]["release-id"],
        outputs["release-id"].as_str(),
        "{line}"
    );
    let summary = place.read("summary");
    assert!(summary.starts_with("\n### ✅ published release "), "{summary}");
    assert!(
        summary.contains("~ style.css") && summary.contains("/index.html"),
        "{summary}"
    );
    for (what, text) in [("ledger", place.read(LEDGER)), ("summary", summary)] {
        assert!(!text.contains(ACCOUNT), "{what}: {text}");
    }
    let theirs = site
        .0
        .stock(|stock| stock.s3.object("site", "theirs/report.txt").unwrap().text());
    assert_eq!(theirs, "not of the site");
}

#[test]
fn the_same_again_changes_nothing() {
    let (place, site) = (Place::new(), hosting());
    build(&place, 1);
    finish(step(&place, &site, "publish", &[])).expect(0);
    site.0.forget();
    build(&place, 1);
    finish(step(&place, &site, "publish", &[]))
        .expect(0)
        .says(&["already: nothing to do"]);
    assert_eq!(writes(&site.0), 0);
    assert_eq!(outputs(&place)["status"], "unchanged");
    assert_eq!(outputs(&place)["changed"], "false");
    assert_eq!(ledger(&place)[1]["status"], "unchanged");
}

#[test]
fn the_release_before_comes_back_by_the_line_that_says_so() {
    let (place, site) = (Place::new(), hosting());
    for version in [1, 2] {
        build(&place, version);
        finish(step(&place, &site, "publish", &[])).expect(0);
    }
    let undo = ledger(&place)[1]["undo"].as_str().unwrap().to_owned();
    let to = undo.rsplit(' ').next().unwrap().to_owned();
    fs::remove_dir_all(place.path().join("public")).unwrap();
    finish(step(&place, &site, "rollback", &["--to", &to]))
        .expect(0)
        .says(&["is back in s3://site/", "undo: s3-cdn-publish rollback"]);
    assert_eq!(served(&site), "1");
    assert_eq!(outputs(&place)["status"], "rolled-back");
    assert_eq!(outputs(&place)["release-id"], to);
    assert_eq!(ledger(&place)[2]["status"], "rolled-back");
    finish(step(&place, &site, "rollback", &["--to", "20200101T"]))
        .expect(2)
        .says(&["there is no release `20200101T` to go back to; there is `"]);
}

#[test]
fn plan_and_releases_change_nothing() {
    let (place, site) = (Place::new(), hosting());
    build(&place, 1);
    finish(step(&place, &site, "plan", &[])).expect(0).says(&[
        "added: 3",
        "+ style.css",
        "publish would add 3 files",
    ]);
    finish(step(&place, &site, "releases", &[]))
        .expect(0)
        .says(&["nothing was published here"]);
    let json = finish(step(&place, &site, "plan", &["--output", "json"])).expect(0);
    let result: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(result["facts"]["files"]["added"][1], "index.html", "{result}");
    assert_eq!(writes(&site.0), 0);
    for file in ["output", LEDGER] {
        assert_eq!(place.read(file), "", "{file}");
    }
    assert!(place.read("summary").starts_with("\n### 🔍 plan: "));
}

#[test]
fn a_page_that_is_refused_brings_the_earlier_ones_back() {
    let (place, site) = (Place::new(), hosting());
    build(&place, 1);
    finish(step(&place, &site, "publish", &[])).expect(0);
    build(&place, 2);
    site.0.fault("PutObject index.html", Turn::Every, Fault::Denied);
    let finished = finish(step(&place, &site, "publish", &[])).expect(3);
    let errors = named(&finished.log(), "error");
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(
        errors[0].contains("access denied for `s3:PutObject`") && errors[0].contains("serves again"),
        "{errors:?}"
    );
    finished.says(&["reproduce: s3-cdn-publish publish"]);
    assert_eq!(served(&site), "1");
    assert_eq!(site.0.visit(&site.1, "/style.css").text(), "/* 1 */");
    assert_eq!(
        (
            outputs(&place)["status"].as_str(),
            outputs(&place)["changed"].as_str()
        ),
        ("failed", "false")
    );
    let line = ledger(&place).pop().unwrap();
    assert_eq!(
        (line["status"].as_str(), line["exit"].as_i64()),
        (Some("rolled-back"), Some(3))
    );
    assert!(line["facts"]["way-back-ms"].is_u64(), "{line}");
    site.0.heal();
    finish(step(&place, &site, "publish", &[])).expect(0);
    assert_eq!(served(&site), "2");
}

#[test]
fn names_of_files_stay_text() {
    let (place, site) = (Place::new(), hosting());
    build(&place, 1);
    let nasty = "a\n::add-path::evil\r##[error]x \u{1b}[31m<b> @everyone.html";
    fs::write(place.path().join("public").join(nasty), "x").unwrap();
    for name in ["plan", "publish"] {
        let log = finish(step(&place, &site, name, &[])).expect(0).log();
        let known = ["add-mask", "group", "endgroup", "error", "warning", "notice"];
        let foreign: Vec<String> = commands(&log)
            .into_iter()
            .map(|command| command.name)
            .filter(|name| !known.contains(&name.as_str()))
            .collect();
        assert!(foreign.is_empty(), "{foreign:?}: {log}");
        for text in [log, place.read("summary")] {
            assert!(!text.contains(['\u{1b}', '\r']), "{text:?}");
        }
    }
    assert!(site.0.stock(|stock| stock.s3.object("site", nasty).is_some()));
}

#[test]
fn a_store_without_conditions_is_told_of_once() {
    let (place, site) = (Place::new(), hosting());
    site.0.settings(|settings| {
        settings.compatible = true;
        settings.conditions = Conditions::Refused;
    });
    build(&place, 1);
    let log = finish(step(&place, &site, "publish", &[])).expect(0).log();
    let told = named(&log, "warning");
    let told = told.iter().filter(|line| line.contains("no conditional writes"));
    assert_eq!(told.count(), 1, "{log}");
    assert_eq!(served(&site), "1");
}
