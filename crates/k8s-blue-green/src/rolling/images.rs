//! Where in a workload the images are that `--image` changes, for a patch of single fields. Which containers a value means is for
//! [`image`] to say, as for every strategy. Pure.

use gha::text;
use serde_json::Value;

use crate::image::{self, ImageError, Wanted};
use crate::object;

/// A container and its image, before and after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The container.
    pub container: String,
    /// Where its image is in the workload, as a JSON pointer.
    pub pointer: String,
    /// The image it had.
    pub old: String,
    /// The image it gets.
    pub new: String,
}

/// What changes in a workload by these images, in the order of its containers. What stays as it is is in it too.
///
/// # Errors
/// When one means no container, or it is not clear which.
pub fn changes(workload: &Value, wanted: &[Wanted]) -> Result<Vec<Change>, ImageError> {
    let mut template = workload["spec"]["template"].clone();
    let changes = image::apply(&mut template, wanted)?;
    Ok(changes
        .into_iter()
        .filter_map(|change| {
            Some(Change {
                pointer: pointer(workload, &change)?,
                container: change.container,
                old: change.old,
                new: change.new,
            })
        })
        .collect())
}

/// Where the image of a container is; names are of one container.
fn pointer(workload: &Value, change: &image::Change) -> Option<String> {
    let list = if change.init {
        "initContainers"
    } else {
        "containers"
    };
    let base = format!("/spec/template/spec/{list}");
    let containers = object::entries(workload, &base);
    let at = containers
        .iter()
        .position(|container| object::text(container, "/name") == change.container)?;
    Some(format!("{base}/{at}/image"))
}

/// The images of a workload, as `container=reference`.
#[must_use]
pub fn of(workload: &Value) -> Vec<String> {
    let all = image::of(&workload["spec"]["template"]);
    all.iter()
        .map(|one| text::line(&format!("{}={}", one.container, one.old)))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn where_an_image_is_is_its_pointer() {
        let workload = json!({"spec": {"template": {"spec": {
            "initContainers": [{"name": "setup", "image": "host:5000/shop:1"}],
            "containers": [{"name": "proxy", "image": "envoy:1"}, {"name": "web", "image": "host:5000/shop:1"}],
        }}}});
        let wanted = [
            Wanted::parse("host:5000/shop:2").unwrap(),
            Wanted::parse("proxy=envoy:2").unwrap(),
        ];
        let changes = changes(&workload, &wanted).unwrap();
        let names: Vec<&str> = changes.iter().map(|change| &*change.container).collect();
        assert_eq!(names, ["setup", "proxy", "web"]);
        for change in &changes {
            assert_eq!(
                workload.pointer(&change.pointer).unwrap(),
                &change.old,
                "{change:?}"
            );
            assert!(change.new.ends_with(":2"), "{change:?}");
        }
        assert_eq!(of(&workload)[0], "setup=host:5000/shop:1");
    }
}
