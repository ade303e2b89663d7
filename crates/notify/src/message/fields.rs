//! The names, values and links below the message's text. Pure.

use reqwest::Url;

use gha::context::Context;
use gha::ledger::Entry;
use gha::outcome::Link;
use gha::{duration, text};

use super::Known;
use crate::cli::said;
use crate::times::Times;

/// Names and values.
pub(super) fn fields(
    known: &Known<'_>,
    version: Option<String>,
    environment: Option<&str>,
    entries: &[Entry],
    times: &Times,
) -> Vec<(&'static str, String)> {
    let context = known.context;
    let commit = context.commit();
    let subject = commit
        .as_ref()
        .map(|commit| commit.message.lines().next().unwrap_or_default().to_owned());
    let short_ref = context
        .git_ref
        .strip_prefix("refs/heads/")
        .or_else(|| context.git_ref.strip_prefix("refs/tags/"));
    let fields = [
        ("Version", version),
        ("Environment", environment.map(str::to_owned)),
        ("Change", change(entries)),
        ("Duration", times.took.map(duration::display)),
        ("Commit to served", times.to_served.map(duration::display)),
        ("Failure to restored", times.to_restored.map(duration::display)),
        ("Ref", Some(short_ref.unwrap_or(&context.git_ref).to_owned())),
        (
            "Commit",
            Some([context.short_sha(), subject.unwrap_or_default()].join(" ")),
        ),
        ("Author", commit.map(|commit| commit.author)),
        ("Started by", Some(context.actor.clone())),
    ];
    let shown = |value: String| text::cut(text::visible(&value).trim(), 200);
    let known = fields
        .into_iter()
        .filter_map(|(name, value)| value.map(|value| (name, shown(value))));
    known.filter(|(_, value)| !value.is_empty()).collect()
}

/// The facts that name what was before and what is now.
const VERSIONS: [(&str, &str); 3] = [
    ("previous-release", "release-id"),
    ("previous-task-definition", "task-definition"),
    ("previous-revision", "revision"),
];

/// What was replaced by what, as far as the tools know it: images, or releases of a site.
fn change(entries: &[Entry]) -> Option<String> {
    let fact = |entry: &Entry, name: &str| {
        let value = entry.facts.get(name).and_then(|value| value.as_str());
        value.map(str::to_owned)
    };
    let mut changes: Vec<String> = Vec::new();
    for entry in entries {
        let images = entry.facts.get("images").and_then(|images| images.as_array());
        let images = images.into_iter().flatten().filter_map(|image| image.as_str());
        changes.extend(
            images
                .filter(|image| image.contains('→'))
                .map(|image| image.replace('`', "")),
        );
        for (old, new) in VERSIONS {
            let changed = fact(entry, old).zip(fact(entry, new));
            changes.extend(
                changed
                    .filter(|(old, new)| old != new)
                    .map(|(old, new)| format!("{old} → {new}")),
            );
        }
    }
    changes.dedup();
    (!changes.is_empty()).then(|| changes.join("; "))
}

/// The longest address that is linked, in bytes: the least of what services and browsers take.
const ADDRESS: usize = 2_000;

/// Where to look next: the run, the commit, and what the tools name.
pub(super) fn links(context: &Context, entries: &[Entry]) -> Vec<Link> {
    let link = |text: &str, url: Option<String>| {
        url.map(|url| Link {
            text: text.to_owned(),
            url,
        })
    };
    let own = [
        link("Run", context.run_url()),
        link("Commit", context.commit_url()),
    ];
    let theirs = entries
        .iter()
        .flat_map(|entry| entry.links.clone())
        .filter(|link| is_web(&link.url));
    let mut links: Vec<Link> = own.into_iter().flatten().chain(theirs).collect();
    links.truncate(8);
    links
}

/// Whether an address can be linked: a ledger line is foreign text too.
fn is_web(url: &str) -> bool {
    let is_web = |url: Url| matches!(url.scheme(), "http" | "https");
    url.len() <= ADDRESS && Url::parse(url).is_ok_and(is_web)
}

/// What was deployed: the user's word, a version that a tool found, or the commit.
pub(super) fn version(known: &Known<'_>, entries: &[Entry]) -> Option<String> {
    let fact = |entry: &Entry| {
        entry
            .facts
            .get("version")
            .and_then(|value| value.as_str())
            .map(str::to_owned)
    };
    let of_tool = || entries.iter().rev().find_map(fact).map(|version| short(&version));
    let version = said(known.event.release.as_ref()).cloned().or_else(of_tool);
    version
        .or_else(|| Some(known.context.short_sha()))
        .filter(|version| !version.trim().is_empty())
}

/// A whole commit as people quote it; anything else as it is.
fn short(version: &str) -> String {
    let commit = version.len() == 40 && version.bytes().all(|byte| byte.is_ascii_hexdigit());
    if commit {
        version[..7].to_owned()
    } else {
        version.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::JobStatus;
    use crate::message::tests::{entry, message};
    use serde_json::json;

    #[test]
    fn fields_and_links_come_from_the_event() {
        let message = message(Some(JobStatus::Success), vec![]).unwrap();
        assert!(
            message
                .fields
                .contains(&("Commit", "0123456 fix: \"quotes\" <!channel>".to_owned()))
        );
        assert!(message.fields.contains(&("Author", "ada".to_owned())));
        assert_eq!(
            message.links[0].url,
            "https://github.com/acme/shop/actions/runs/7/attempts/1"
        );
    }

    #[test]
    fn only_addresses_that_a_browser_opens_are_linked() {
        let mut with = entry("gate", "done", "x");
        let long = format!("https://example.com/{}", "a".repeat(3_000));
        for url in [
            "https://example.com/report",
            "javascript:alert(1)",
            "/report",
            &long,
        ] {
            with.links.push(Link {
                text: "Report".to_owned(),
                url: url.to_owned(),
            });
        }
        let message = message(Some(JobStatus::Success), vec![with]).unwrap();
        let urls: Vec<&str> = message.links.iter().map(|link| link.url.as_str()).collect();
        assert_eq!(urls[2..], ["https://example.com/report"]);
    }

    #[test]
    fn what_was_replaced_by_what_is_told() {
        let with = |facts: serde_json::Value| {
            let mut entry = entry("x", "done", "y");
            entry.facts = facts.as_object().unwrap().clone();
            let message = message(None, vec![entry]).unwrap();
            let mut fields = message.fields.into_iter();
            fields.find(|(name, _)| *name == "Change").map(|(_, value)| value)
        };
        let images = json!({"images": ["container `web`: `shop:1` → `shop:2`", "container `log` has `log:1` already"]});
        assert_eq!(with(images).unwrap(), "container web: shop:1 → shop:2");
        let site = json!({"previous-release": "r1", "release-id": "r2"});
        assert_eq!(with(site).unwrap(), "r1 → r2");
        assert_eq!(with(json!({"images": "x", "release-id": 7})), None);
        let ecs = json!({"previous-task-definition": "api:41", "task-definition": "api:42"});
        assert_eq!(with(ecs).unwrap(), "api:41 → api:42");
        assert_eq!(
            with(json!({"previous-revision": "web@2", "revision": "web@2"})),
            None
        );
    }
}
