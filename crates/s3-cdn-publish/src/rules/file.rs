//! A rules file, from its tree to rules. Reading never stops at a fault: what can't be read is told and left out, so that
//! one run shows everything that is wrong.

use gha::faults::{Faults, Place};
use gha::text;

use super::names::nearest;
use super::tree::{self, Key, Node, Value};
use super::{Pattern, Rule, pattern, value};
use crate::headers::Encryption;
use crate::phase::Phase;

/// The keys of a file.
pub(super) const KEYS: &[&str] = &["version", "rules"];

/// The keys of a rule.
pub(super) const RULE_KEYS: &[&str] = &[
    "match",
    "phase",
    "immutable",
    "cache-control",
    "content-type",
    "content-encoding",
    "content-disposition",
    "content-language",
    "metadata",
    "cache-tag",
    "storage-class",
    "encryption",
    "kms-key",
    "acl",
    "website-redirect",
];

/// The phases that a rule may name: the index document of the root is always last.
pub(super) const PHASES: &[&str] = &["assets", "others", "pages"];

/// How many rules a file may have, and how many patterns a rule.
pub(super) const MOST: usize = 500;

/// How long all names and values of user-defined metadata may be together, in bytes
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html#UserMetadata>).
const MOST_METADATA: usize = 2048;

/// How long all other headers may be together, in bytes (the same page, system-defined metadata).
const MOST_SYSTEM: usize = 2048;

/// The metadata that carries cache tags, as CloudFront's documentation names it.
const CACHE_TAG: &str = "cache-tag";

/// Reads a file.
pub(super) fn read(name: &str, bytes: &[u8]) -> Result<Vec<Rule>, Faults> {
    let tree = tree::parse(name, bytes)?;
    let mut faults = Faults::none(name);
    let rules = file(&tree, &mut faults);
    faults.or(Some(rules))
}

fn file(node: &Node, faults: &mut Faults) -> Vec<Rule> {
    let Some(keys) = keys(node, "a rules file", KEYS, faults) else {
        return Vec::new();
    };
    if let Some((_, version)) = keys.iter().find(|(key, _)| key.name == "version")
        && let Some(written) = scalar(version, "version", faults)
        && written != "1"
    {
        let shown = text::cut(&text::visible(written), 40);
        faults.add(
            version.at,
            format!("`version` is `{shown}`, and this program reads 1"),
        );
    }
    let Some((_, list)) = keys.iter().find(|(key, _)| key.name == "rules") else {
        faults.add(node.at, "a rules file needs `rules`");
        return Vec::new();
    };
    let rules = items(list, "rules", faults);
    rules.iter().filter_map(|node| rule(node, faults)).collect()
}

fn rule(node: &Node, faults: &mut Faults) -> Option<Rule> {
    let keys = keys(node, "a rule", RULE_KEYS, faults)?;
    let mut rule = Rule::default();
    let mut key = None;
    let mut matches = false;
    for (name, node) in keys {
        match name.name.as_str() {
            "match" => {
                matches = true;
                rule.patterns = patterns(node, faults);
            }
            "metadata" => rule.metadata.extend(metadata(node, faults)),
            "cache-tag" => {
                let tags = items(node, "cache-tag", faults);
                let tags: Vec<&str> = tags
                    .iter()
                    .filter_map(|tag| scalar(tag, "cache-tag", faults))
                    .collect();
                let tags = value::cache_tags(&tags).map_err(|reason| format!("`cache-tag`: {reason}"));
                rule.metadata.extend(
                    faults
                        .keep(node.at, tags)
                        .map(|tags| (CACHE_TAG.to_owned(), tags)),
                );
            }
            "kms-key" => key = Some(node),
            known => single(&mut rule, known, node, faults),
        }
    }
    if !matches {
        faults.add(node.at, "a rule needs `match`");
    }
    kms_key(&mut rule, key, faults);
    fits(&rule, node.at, faults);
    Some(rule)
}

/// A key that takes one value.
fn single(rule: &mut Rule, key: &str, node: &Node, faults: &mut Faults) {
    let Some(written) = scalar(node, key, faults) else {
        return;
    };
    let result = match key {
        "phase" => phase(written).map(|phase| rule.phase = Some(phase)),
        "immutable" => truth(written).map(|immutable| rule.immutable = Some(immutable)),
        "cache-control" => value::cache_control(written).map(|set| rule.cache_control = Some(set)),
        "content-type" => value::content_type(written).map(|value| rule.content_type = Some(value)),
        "content-encoding" => value::content_encoding(written).map(|set| rule.content_encoding = Some(set)),
        "content-disposition" => {
            value::content_disposition(written).map(|value| rule.content_disposition = Some(value))
        }
        "content-language" => {
            value::content_language(written).map(|value| rule.content_language = Some(value))
        }
        "website-redirect" => {
            value::website_redirect(written).map(|value| rule.website_redirect = Some(value))
        }
        "storage-class" => value::storage_class(written).map(|value| rule.storage_class = Some(value)),
        "encryption" => value::encryption(written).map(|value| rule.encryption = Some(value)),
        "acl" => value::acl(written).map(|value| rule.acl = Some(value)),
        _ => Ok(()),
    };
    faults.keep(node.at, result.map_err(|reason| format!("`{key}`: {reason}")));
}

fn phase(written: &str) -> Result<Phase, String> {
    Phase::named(written)
        .filter(|phase| *phase != Phase::Index)
        .ok_or_else(|| {
            let shown = text::cut(&text::visible(written), 40);
            format!(
                "`{shown}` is no phase that a rule can give{}",
                nearest(written, PHASES)
            )
        })
}

fn truth(written: &str) -> Result<bool, String> {
    match written {
        "true" | "True" | "TRUE" => Ok(true),
        "false" | "False" | "FALSE" => Ok(false),
        _ => {
            let shown = text::cut(&text::visible(written), 40);
            Err(format!("`{shown}` is neither `true` nor `false`"))
        }
    }
}

fn patterns(node: &Node, faults: &mut Faults) -> Vec<Pattern> {
    let mut patterns = Vec::new();
    for item in items(node, "match", faults) {
        let glob = scalar(item, "match", faults).map(pattern::read);
        if let Some(glob) = glob.and_then(|glob| faults.keep(item.at, glob)) {
            patterns.push(Pattern { at: item.at, glob });
        }
    }
    patterns
}

/// Names and values. A name that only differs in case from another is one to S3.
fn metadata(node: &Node, faults: &mut Faults) -> Vec<(String, String)> {
    let Value::Map(pairs) = &node.value else {
        let kind = node.kind();
        faults.add(
            node.at,
            format!("`metadata` is {kind}, expected a map of names and values"),
        );
        return Vec::new();
    };
    let mut read: Vec<(String, String)> = Vec::new();
    for (key, node) in pairs {
        let name = faults.keep(key.at, value::metadata_name(&key.name));
        let written = scalar(node, &key.name, faults).map(|written| {
            value::plain(written).map_err(|reason| format!("`{}`: {reason}", text::cut(&key.name, 80)))
        });
        let written = written.and_then(|written| faults.keep(node.at, written));
        let Some((name, written)) = name.zip(written) else {
            continue;
        };
        if read.iter().any(|(known, _)| *known == name) {
            faults.add(key.at, format!("the metadata `{name}` stands here a second time"));
        }
        read.push((name, written));
    }
    read
}

/// A key belongs to an encryption by KMS.
fn kms_key(rule: &mut Rule, node: Option<&Node>, faults: &mut Faults) {
    let Some(node) = node else {
        return;
    };
    let Some(written) = scalar(node, "kms-key", faults) else {
        return;
    };
    let written = value::plain(written).map_err(|reason| format!("`kms-key`: {reason}"));
    let Some(written) = faults.keep(node.at, written) else {
        return;
    };
    match &mut rule.encryption {
        Some(Encryption::Kms { key } | Encryption::KmsDsse { key }) => *key = Some(written),
        Some(Encryption::Aes256) | None => {
            faults.add(node.at, "`kms-key` needs `encryption: aws:kms` or `aws:kms:dsse`");
        }
    }
}

/// What fits together.
fn fits(rule: &Rule, at: Place, faults: &mut Faults) {
    let tags = rule.metadata.iter().filter(|(name, _)| name == CACHE_TAG).count();
    if tags > 1 {
        faults.add(
            at,
            "the tags stand in `cache-tag` and in `metadata`; give them once",
        );
    }
    let metadata: usize = rule
        .metadata
        .iter()
        .map(|(name, value)| name.len() + value.len())
        .sum();
    if metadata > MOST_METADATA {
        faults.add(
            at,
            format!("the metadata has {metadata} bytes, and S3 takes {MOST_METADATA}"),
        );
    }
    let set = |set: &Option<super::Set>| set.as_ref().and_then(super::Set::value);
    let others = [
        rule.content_type.clone(),
        set(&rule.cache_control),
        set(&rule.content_encoding),
        rule.content_disposition.clone(),
        rule.content_language.clone(),
        rule.website_redirect.clone(),
    ];
    let system: usize = others.iter().flatten().map(String::len).sum();
    if system > MOST_SYSTEM {
        faults.add(
            at,
            format!("the headers have {system} bytes together, and S3 takes {MOST_SYSTEM}"),
        );
    }
}

/// The pairs of a map whose keys are known; tells which are not.
fn keys<'n>(node: &'n Node, what: &str, known: &[&str], faults: &mut Faults) -> Option<&'n [(Key, Node)]> {
    let Value::Map(pairs) = &node.value else {
        let kind = node.kind();
        let listed: Vec<String> = known.iter().take(3).map(|key| format!("`{key}`")).collect();
        let listed = listed.join(", ");
        faults.add(
            node.at,
            format!("{what} is {kind}, expected a map with keys such as {listed}"),
        );
        return None;
    };
    for (key, _) in pairs {
        if !known.contains(&key.name.as_str()) {
            let name = text::cut(&text::visible(&key.name), 80);
            let hint = nearest(&key.name, known);
            faults.add(key.at, format!("unknown key `{name}` of {what}{hint}"));
        }
    }
    Some(pairs)
}

/// A list, or the one that stands in its place.
fn items<'n>(node: &'n Node, key: &str, faults: &mut Faults) -> &'n [Node] {
    match &node.value {
        Value::List(items) if items.is_empty() => {
            faults.add(
                node.at,
                format!("`{key}` is an empty list; fill it or leave it out"),
            );
            &[]
        }
        Value::List(items) if items.len() > MOST => {
            let length = items.len();
            faults.add(
                node.at,
                format!("`{key}` has {length} entries, and may have {MOST}"),
            );
            &[]
        }
        Value::List(items) => items,
        _ => std::slice::from_ref(node),
    }
}

/// A single value, as written.
fn scalar<'n>(node: &'n Node, key: &str, faults: &mut Faults) -> Option<&'n str> {
    let key = text::cut(&text::visible(key), 80);
    let reason = match &node.value {
        Value::Scalar(written) => return Some(written),
        Value::Null => format!("`{key}` has no value; give one or leave the key out"),
        Value::List(_) | Value::Map(_) => format!("`{key}` is {}, expected a single value", node.kind()),
    };
    faults.add(node.at, reason);
    None
}
