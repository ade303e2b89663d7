//! The files for `docker buildx bake`: targets to inherit tags, labels, annotations and arguments from
//! (<https://docs.docker.com/build/bake/reference/>).

use serde_json::{Map, Value, json};

use crate::derived::labels_json;
use crate::labels::Label;

/// What the files hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Bake {
    /// By output: its file's name and content.
    pub files: [(&'static str, &'static str, Value); 4],
}

impl Bake {
    pub(crate) fn new(
        target: &str,
        images: &[&str],
        version: &str,
        tags: &[String],
        labels: &[Label],
        annotations: &[String],
    ) -> Self {
        let mut args = Map::new();
        args.insert("DOCKER_META_IMAGES".to_owned(), images.join(",").into());
        if !version.is_empty() {
            args.insert("DOCKER_META_VERSION".to_owned(), version.into());
        }
        let about = |of_target: Value| json!({ "target": { target: of_target } });
        let labels = labels_json(labels);
        Self {
            files: [
                (
                    "bake-file-tags",
                    "docker-metadata-action-bake-tags.json",
                    about(json!({ "tags": tags, "args": args })),
                ),
                (
                    "bake-file-labels",
                    "docker-metadata-action-bake-labels.json",
                    about(json!({ "labels": labels })),
                ),
                (
                    "bake-file-annotations",
                    "docker-metadata-action-bake-annotations.json",
                    about(json!({ "annotations": annotations })),
                ),
                (
                    "bake-file",
                    "docker-metadata-action-bake.json",
                    about(json!({ "tags": tags, "labels": labels, "args": args })),
                ),
            ],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_without_a_version_have_no_argument_for_it() {
        let bake = Bake::new("meta", &[""], "", &[], &[], &[]);
        assert_eq!(
            bake.files[0].2,
            json!({"target": {"meta": {"tags": [], "args": {"DOCKER_META_IMAGES": ""}}}})
        );
    }

    #[test]
    fn the_whole_file_has_all_but_annotations() {
        let label = Label {
            key: "k".to_owned(),
            value: "a\nb".to_owned(),
        };
        let tags = ["a:1".to_owned(), "b:1".to_owned()];
        let bake = Bake::new(
            "x",
            &["a", "b"],
            "1",
            &tags,
            &[label],
            &["manifest:k=a b".to_owned()],
        );
        assert_eq!(
            bake.files[3].2,
            json!({"target": {"x": {"tags": ["a:1", "b:1"], "labels": {"k": "a\nb"},
                "args": {"DOCKER_META_IMAGES": "a,b", "DOCKER_META_VERSION": "1"}}}})
        );
        assert_eq!(
            bake.files[2].2,
            json!({"target": {"x": {"annotations": ["manifest:k=a b"]}}})
        );
    }
}
