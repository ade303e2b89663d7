//! The files for `docker buildx bake`: targets to inherit tags, labels, annotations and arguments from
//! (<https://docs.docker.com/build/bake/reference/>).

use std::collections::BTreeMap;

use serde::Serialize;

use crate::derived::{Derived, LabelMap};

/// A file: the output that names it, its name, and its content.
pub(crate) type BakeFile = (&'static str, &'static str, String);

/// What a target holds, as far as a file is about it.
#[derive(Serialize, Default)]
struct Target<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    labels: Option<LabelMap<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    annotations: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    args: Option<Args<'a>>,
}

#[derive(Serialize, Clone)]
struct Args<'a> {
    #[serde(rename = "DOCKER_META_IMAGES")]
    images: String,
    #[serde(rename = "DOCKER_META_VERSION", skip_serializing_if = "Option::is_none")]
    version: Option<&'a str>,
}

/// The four files about one target.
pub(crate) fn files(derived: &Derived, target: &str) -> serde_json::Result<[BakeFile; 4]> {
    let names: Vec<&str> = derived.images.iter().map(|image| image.name.as_str()).collect();
    let args = || {
        Some(Args {
            images: names.join(","),
            version: Some(derived.version.as_str()).filter(|version| !version.is_empty()),
        })
    };
    let about = |of_target: Target<'_>| {
        let targets = BTreeMap::from([(target, of_target)]);
        serde_json::to_string_pretty(&BTreeMap::from([("target", targets)]))
    };
    let tags = Some(derived.tags.as_slice());
    let labels = Some(LabelMap(&derived.labels));
    Ok([
        (
            "bake-file-tags",
            "docker-metadata-action-bake-tags.json",
            about(Target {
                tags,
                args: args(),
                ..Target::default()
            })?,
        ),
        (
            "bake-file-labels",
            "docker-metadata-action-bake-labels.json",
            about(Target {
                labels,
                ..Target::default()
            })?,
        ),
        (
            "bake-file-annotations",
            "docker-metadata-action-bake-annotations.json",
            about(Target {
                annotations: Some(&derived.annotations),
                ..Target::default()
            })?,
        ),
        (
            "bake-file",
            "docker-metadata-action-bake.json",
            about(Target {
                tags,
                labels,
                args: args(),
                ..Target::default()
            })?,
        ),
    ])
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::derive;
    use crate::facts::Facts;
    use crate::request::Request;

    fn parsed(images: &str, tags: &str, target: &str) -> Vec<Value> {
        let facts = Facts {
            git_ref: "refs/heads/main".to_owned(),
            ..Facts::default()
        };
        let request = Request {
            images: images.to_owned(),
            tags: tags.to_owned(),
            labels: "\"k=a\nb\"".to_owned(),
            annotations: "k=v".to_owned(),
            ..Request::default()
        };
        let derived = derive(&request, &facts).unwrap();
        let files = files(&derived, target).unwrap();
        files
            .iter()
            .map(|(.., content)| serde_json::from_str(content).unwrap())
            .collect()
    }

    #[test]
    fn files_without_a_version_have_no_argument_for_it() {
        let files = parsed("", "type=raw,value=", "meta");
        assert_eq!(
            files[0],
            json!({"target": {"meta": {"tags": [], "args": {"DOCKER_META_IMAGES": ""}}}})
        );
    }

    #[test]
    fn the_whole_file_has_all_but_annotations() {
        let files = parsed("a\nb", "type=raw,1", "x");
        let whole = &files[3]["target"]["x"];
        assert_eq!(whole["tags"], json!(["a:1", "b:1"]));
        assert_eq!(whole["labels"]["k"], "a\nb");
        assert_eq!(
            whole["args"],
            json!({"DOCKER_META_IMAGES": "a,b", "DOCKER_META_VERSION": "1"})
        );
        assert_eq!(whole["annotations"], Value::Null);
        assert_eq!(files[1]["target"]["x"].as_object().unwrap().len(), 1);
        assert_eq!(files[2]["target"]["x"]["annotations"][0], "manifest:k=v");
    }
}
