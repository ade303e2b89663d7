//! An archive of what was looked at, to be passed on: objects without what may be secret, events, last lines, and what was found.

use std::io::{self, Write as _};

use flate2::Compression;
use flate2::write::GzEncoder;
use gha::text;
use jiff::Timestamp;
use serde_json::Value;

use super::collect::Facts;
use super::judge::Findings;
use super::redact::redact;
use crate::object;

/// The most objects of one kind that are kept.
const OBJECTS: usize = 500;

/// The most bytes before they are compressed; what is over is left out, and named.
const LIMIT: usize = 32 * 1024 * 1024;

/// The archive, as `.tar.gz`. The same facts give the same bytes.
///
/// # Errors
/// Never in practice: it is made in memory.
pub fn archive(facts: &Facts, findings: &Findings, at: Timestamp) -> io::Result<Vec<u8>> {
    let mut archive = Archive {
        tar: tar::Builder::new(GzEncoder::new(Vec::new(), Compression::default())),
        at: u64::try_from(at.as_second()).unwrap_or_default(),
        size: 0,
        left_out: Vec::new(),
    };
    archive.add("findings.txt", &lines(&findings.lines()))?;
    let kinds = [
        &facts.workloads,
        &facts.sets,
        &facts.pods,
        &facts.services,
        &facts.slices,
        &facts.scalers,
        &facts.budgets,
        &facts.quotas,
    ];
    for objects in kinds {
        for object in objects.iter().take(OBJECTS) {
            let kind = object::text(object, "/kind").to_ascii_lowercase();
            let name = format!(
                "objects/{}/{}.json",
                file_name(&kind),
                file_name(object::name(object))
            );
            archive.add(&name, &json(object))?;
        }
    }
    let events: Vec<Value> = facts.events.iter().map(redacted).collect();
    archive.add("events.json", &json(&Value::Array(events)))?;
    for tail in &facts.tails {
        let before = if tail.previous { ".previous" } else { "" };
        let name = format!(
            "logs/{}/{}{before}.log",
            file_name(&tail.pod),
            file_name(&tail.container)
        );
        archive.add(&name, &lines(&tail.lines))?;
    }
    archive.end()
}

struct Archive {
    tar: tar::Builder<GzEncoder<Vec<u8>>>,
    at: u64,
    size: usize,
    left_out: Vec<String>,
}

impl Archive {
    fn add(&mut self, name: &str, content: &[u8]) -> io::Result<()> {
        if self.size.saturating_add(content.len()) > LIMIT {
            self.left_out.push(name.to_owned());
            return Ok(());
        }
        self.size += content.len();
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(self.at);
        self.tar.append_data(&mut header, name, content)
    }

    fn end(mut self) -> io::Result<Vec<u8>> {
        if !self.left_out.is_empty() {
            let names = lines(&std::mem::take(&mut self.left_out));
            // Room for the list of what had none.
            self.size = 0;
            self.add("left-out.txt", &names[..names.len().min(LIMIT)])?;
        }
        let mut gzip = self.tar.into_inner()?;
        gzip.flush()?;
        gzip.finish()
    }
}

fn redacted(object: &Value) -> Value {
    let mut object = object.clone();
    redact(&mut object);
    object
}

fn json(object: &Value) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(&redacted(object)).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

fn lines(lines: &[String]) -> Vec<u8> {
    lines
        .iter()
        .flat_map(|line| [line.as_bytes(), b"\n"].concat())
        .collect()
}

/// A name as one part of a path: names of objects are that already; one that a test server made up may not be.
fn file_name(name: &str) -> String {
    let name: String = name
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_') {
                c
            } else {
                '_'
            }
        })
        .collect();
    match name.trim_matches('.') {
        "" => "unnamed".to_owned(),
        name => text::cut(name, 80).replace('…', "_"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::io::Read as _;

    use proptest::prelude::{any, proptest};
    use serde_json::json;

    use super::*;
    use crate::diagnose::tail::Tail;

    fn read(bytes: &[u8]) -> BTreeMap<String, String> {
        let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(bytes));
        let entries = archive.entries().unwrap().map(|entry| {
            let mut entry = entry.unwrap();
            let name = entry.path().unwrap().display().to_string();
            let mut text = String::new();
            entry.read_to_string(&mut text).unwrap();
            (name, text)
        });
        entries.collect()
    }

    #[test]
    fn it_holds_what_was_read_and_nothing_secret() {
        let facts = Facts {
            pods: vec![json!({"kind": "Pod", "metadata": {"name": "web-1"},
                "spec": {"containers": [{"env": [{"name": "A", "value": "hunter2"}]}]}})],
            tails: vec![Tail {
                pod: "web-1".to_owned(),
                container: "web".to_owned(),
                previous: true,
                lines: vec!["fatal".to_owned()],
            }],
            ..Facts::default()
        };
        let at = Timestamp::UNIX_EPOCH;
        let bytes = archive(&facts, &Findings::default(), at).unwrap();
        assert_eq!(bytes, archive(&facts, &Findings::default(), at).unwrap());
        let files = read(&bytes);
        assert_eq!(files["logs/web-1/web.previous.log"], "fatal\n");
        assert!(files["objects/pod/web-1.json"].contains("(left out)"));
        assert!(!files.values().any(|text| text.contains("hunter2")));
    }

    #[test]
    fn what_is_too_much_is_left_out_and_named() {
        let long = "x".repeat(LIMIT / 2 + 1);
        let pod = |name: &str| json!({"kind": "Pod", "metadata": {"name": name}, "note": long});
        let facts = Facts {
            pods: vec![pod("a"), pod("b")],
            ..Facts::default()
        };
        let files = read(&archive(&facts, &Findings::default(), Timestamp::UNIX_EPOCH).unwrap());
        assert!(files.contains_key("objects/pod/a.json") && !files.contains_key("objects/pod/b.json"));
        assert_eq!(files["left-out.txt"], "objects/pod/b.json\n");
    }

    proptest! {
        #[test]
        fn a_name_stays_one_part_of_a_path(name in any::<String>()) {
            let name = file_name(&name);
            assert!(!name.contains('/') && !name.starts_with('.') && !name.is_empty() && name.len() <= 80);
        }
    }
}
