//! New images for the containers of a pod template, as `--image` names them. Pure.

use gha::text;
use serde_json::Value;

use crate::object;

/// The lists of containers that start from a template.
const LISTS: [&str; 2] = ["initContainers", "containers"];

/// A value of `--image`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The container, where it is named.
    pub container: Option<String>,
    /// The reference.
    pub image: String,
}

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

/// Why an image can't be set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    /// It is no reference.
    #[error("`{0}` is no image: write `container=reference`, or a reference alone")]
    NoImage(String),
    /// It means no container.
    #[error("`{image}` means no container; there are {there}")]
    NoContainer {
        /// The value.
        image: String,
        /// What there is.
        there: String,
    },
}

impl Wanted {
    /// Reads `container=reference`, or a reference alone.
    ///
    /// # Errors
    /// When either is none.
    pub fn parse(value: &str) -> Result<Self, ImageError> {
        let (container, image) = match value.split_once('=') {
            Some((container, image)) => (Some(container.trim()), image.trim()),
            None => (None, value.trim()),
        };
        let is_odd =
            |text: &str| text.is_empty() || text.chars().any(|c| c.is_whitespace() || c.is_control());
        if is_odd(image) || image.starts_with(['-', '/', ':', '@']) || container.is_some_and(is_odd) {
            return Err(ImageError::NoImage(text::cut(&text::line(value), 200)));
        }
        Ok(Self {
            container: container.map(str::to_owned),
            image: image.to_owned(),
        })
    }
}

/// What changes in a workload by these images, in the order of its containers. What stays as it is is in it too.
///
/// # Errors
/// When one means no container.
pub fn changes(workload: &Value, wanted: &[Wanted]) -> Result<Vec<Change>, ImageError> {
    let mut all = containers(workload);
    let mut meant = vec![false; all.len()];
    let only = all.len() == 1;
    for wanted in wanted {
        let mut any = false;
        for (at, change) in all.iter_mut().enumerate() {
            let is_meant = match &wanted.container {
                Some(name) => *name == change.container,
                None => only || repository(&wanted.image) == repository(&change.old),
            };
            if is_meant {
                change.new.clone_from(&wanted.image);
                (meant[at], any) = (true, true);
            }
        }
        if !any {
            let there: Vec<String> = all
                .iter()
                .map(|one| format!("`{}` with `{}`", text::line(&one.container), text::line(&one.old)))
                .collect();
            return Err(ImageError::NoContainer {
                image: text::cut(&text::line(&wanted.image), 200),
                there: there.join(", "),
            });
        }
    }
    let mut meant = meant.into_iter();
    all.retain(|_| meant.next() == Some(true));
    Ok(all)
}

/// The images of a workload, as `container=reference`.
#[must_use]
pub fn of(workload: &Value) -> Vec<String> {
    let all = containers(workload);
    all.iter()
        .map(|one| text::line(&format!("{}={}", one.container, one.old)))
        .collect()
}

fn containers(workload: &Value) -> Vec<Change> {
    let mut all = Vec::new();
    for list in LISTS {
        let base = format!("/spec/template/spec/{list}");
        for (at, container) in object::entries(workload, &base).iter().enumerate() {
            all.push(Change {
                container: object::text(container, "/name").to_owned(),
                pointer: format!("{base}/{at}/image"),
                old: object::text(container, "/image").to_owned(),
                new: object::text(container, "/image").to_owned(),
            });
        }
    }
    all
}

/// An image without its tag and digest; a `:` before the last `/` is of a port.
fn repository(image: &str) -> &str {
    let image = image.split('@').next().unwrap_or_default();
    let name = image.rfind('/').map_or(0, |at| at + 1);
    image[name..].find(':').map_or(image, |at| &image[..name + at])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};
    use serde_json::json;

    use super::*;

    fn workload() -> Value {
        json!({"spec": {"template": {"spec": {
            "initContainers": [{"name": "setup", "image": "host:5000/shop:1"}],
            "containers": [{"name": "web", "image": "host:5000/shop:1"}, {"name": "proxy", "image": "envoy@sha256:0"}],
        }}}})
    }

    fn changed(values: &[&str]) -> Result<Vec<(String, String)>, ImageError> {
        let wanted: Result<Vec<Wanted>, _> = values.iter().map(|value| Wanted::parse(value)).collect();
        let changes = changes(&workload(), &wanted?)?;
        Ok(changes.into_iter().map(|one| (one.container, one.new)).collect())
    }

    #[test]
    fn a_name_means_one_and_a_repository_all_of_it() {
        let pair = |name: &str, image: &str| (name.to_owned(), image.to_owned());
        assert_eq!(changed(&["web=other:2"]).unwrap(), [pair("web", "other:2")]);
        assert_eq!(
            changed(&["host:5000/shop:2@sha256:1"]).unwrap(),
            [
                pair("setup", "host:5000/shop:2@sha256:1"),
                pair("web", "host:5000/shop:2@sha256:1")
            ]
        );
        let error = changed(&["host:5000/other:2"]).unwrap_err().to_string();
        assert!(
            error.contains("means no container; there are `setup` with"),
            "{error}"
        );
        assert!(changed(&["db=x:1"]).is_err());
        for odd in ["", "web=", "=x", "a b", "-x"] {
            assert!(Wanted::parse(odd).is_err(), "{odd}");
        }
    }

    #[test]
    fn where_an_image_is_is_its_pointer() {
        let wanted = [Wanted::parse("proxy=envoy:2").unwrap()];
        let changes = changes(&workload(), &wanted).unwrap();
        assert_eq!(workload().pointer(&changes[0].pointer).unwrap(), "envoy@sha256:0");
    }

    proptest! {
        #[test]
        fn any_value_is_read(value in any::<String>()) {
            if let Ok(wanted) = Wanted::parse(&value) {
                let _ = changes(&workload(), &[wanted]);
            }
        }
    }
}
