//! What each command asks of AWS: the program as a process, against the stand-in, whose log says which calls there were.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use sandbox::stand_ins::aws::{Clock, Distribution, Fault, Hosting, HostingEntry, Turn};

/// The actions that each command needs, as IAM names them.
pub(crate) fn of_every_command() -> BTreeMap<&'static str, BTreeSet<String>> {
    let hosting = Hosting::open(Clock::compressed(60)).unwrap();
    let distribution = hosting.stock(|stock| {
        stock.s3.create("site");
        stock.cloudfront.add(Distribution::of("site").root("index.html"))
    });
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("public");
    let bench = Bench {
        hosting: &hosting,
        distribution: &distribution,
        home: folder.path(),
    };
    let mut asked = BTreeMap::new();
    let flags = ["--source", "public"];
    write(&source, "main.8f3b2c1d9a7e6f50.js", "1", "page 1");
    // An object that was there before, which has to be asked.
    hosting.stock(|stock| {
        stock.s3.put(
            "site",
            "robots.txt",
            sandbox::stand_ins::aws::Object::new("robots"),
        )
    });
    asked.insert("plan", bench.asked("plan", &flags, 0));
    let mut publish = bench.asked("publish", &flags, 0);
    fs::remove_file(source.join("main.8f3b2c1d9a7e6f50.js")).unwrap();
    write(&source, "main.1a2b3c4d5e6f7081.js", "2", "page 2");
    publish.extend(bench.asked("publish", &flags, 0));
    asked.insert("publish", publish);
    asked.insert("releases", bench.asked("releases", &[], 0));
    asked.insert("rollback", bench.asked("rollback", &[], 0));
    asked.insert(
        "prune",
        bench.asked("prune", &["--keep-releases", "0", "--max-delete", "100%"], 0),
    );
    // A publish that can't bring back what it has overwritten leaves something to recover from.
    write(&source, "main.1a2b3c4d5e6f7081.js", "2", "page 3");
    fs::write(source.join("about.html"), "about").unwrap();
    hosting.fault("PutObject index.html", Turn::Every, Fault::Denied);
    hosting.fault("CopyObject style.css", Turn::Every, Fault::Denied);
    fs::write(source.join("style.css"), "changed").unwrap();
    bench.asked("publish", &flags, 5);
    hosting.heal();
    asked.insert("recover", bench.asked("recover", &[], 0));
    asked
}

fn write(source: &Path, asset: &str, content: &str, page: &str) {
    fs::create_dir_all(source).unwrap();
    for (name, content) in [
        (asset, content),
        ("index.html", page),
        ("style.css", content),
        ("robots.txt", "robots"),
    ] {
        fs::write(source.join(name), content).unwrap();
    }
}

struct Bench<'a> {
    hosting: &'a Hosting,
    distribution: &'a str,
    home: &'a Path,
}

impl Bench<'_> {
    /// Runs a command that ends with this code, and gives the actions that it needed.
    fn asked(&self, command: &str, flags: &[&str], code: i32) -> BTreeSet<String> {
        self.hosting.forget();
        let ended = Command::new(env!("CARGO_BIN_EXE_s3-cdn-publish"))
            .arg(command)
            .args(["--bucket", "site", "--distribution-id", self.distribution])
            .args(flags)
            .env_clear()
            .envs(self.hosting.environment())
            .env("HOME", self.home)
            .current_dir(self.home)
            .output()
            .unwrap();
        let log = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(code), "{command}: {log}");
        self.hosting.log().iter().flat_map(actions).collect()
    }
}

/// The actions of IAM that a call needs
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html>).
fn actions(entry: &HostingEntry) -> Vec<String> {
    let names: &[&str] = match entry.operation {
        "ListObjectsV2" => &["ListBucket"],
        "GetObject" | "HeadObject" => &["GetObject"],
        "CopyObject" | "UploadPartCopy" => &["GetObject", "PutObject"],
        "PutObject" | "CreateMultipartUpload" | "UploadPart" | "CompleteMultipartUpload" => &["PutObject"],
        "DeleteObject" | "DeleteObjects" => &["DeleteObject"],
        other => &[other],
    };
    names
        .iter()
        .map(|name| format!("{}:{name}", entry.service))
        .collect()
}
