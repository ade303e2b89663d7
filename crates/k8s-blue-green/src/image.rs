//! New images for the containers of a pod template: which container a value of `--image` means, and what changes. Pure.

use std::fmt;

use gha::image::{Image, ImageError as Grammar};
use serde_json::Value;

use crate::object::{self, entries, text};

/// The lists of a pod's containers that start from its template.
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
    /// Whether it runs before the others.
    pub init: bool,
    /// The image it had.
    pub old: String,
    /// The image it has.
    pub new: String,
}

impl Change {
    /// Whether the image is the one that was there.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.old == self.new
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = object::shown;
        let (container, old, new) = (shown(&self.container), shown(&self.old), shown(&self.new));
        if self.is_none() {
            write!(f, "container `{container}` has `{new}` already")
        } else {
            write!(f, "container `{container}`: `{old}` → `{new}`")
        }
    }
}

/// Why an image is not set.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    /// It is no reference.
    #[error(transparent)]
    Grammar(#[from] Grammar),
    /// What stands before `=` is no container's name.
    #[error("`{0}` names no container: an image is written `container=reference`, or as a reference alone")]
    NoContainer(String),
    /// There is no such container.
    #[error("there is no container `{wanted}` for the image `{image}`; the containers are {there}")]
    Missing {
        /// The name.
        wanted: String,
        /// The image.
        image: String,
        /// The containers there are.
        there: String,
    },
    /// It fits none of several containers.
    #[error(
        "the image `{image}` is of the repository of no container: name the one that is meant, as in \
         `--image {example}={image}`; the containers are {there}"
    )]
    Unclear {
        /// The image.
        image: String,
        /// One of the containers.
        example: String,
        /// All of them, with their images.
        there: String,
    },
    /// One container would get two images.
    #[error("container `{container}` would get two images, `{first}` and `{second}`")]
    Twice {
        /// The container.
        container: String,
        /// One.
        first: String,
        /// The other.
        second: String,
    },
    /// There is nothing to give it to.
    #[error("the pod template has no containers")]
    Empty,
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
        if container.is_some_and(|name| !is_container(name)) {
            return Err(ImageError::NoContainer(object::shown(value)));
        }
        Image::parse(image)?;
        Ok(Self {
            container: container.map(str::to_owned),
            image: image.to_owned(),
        })
    }
}

/// The containers of a pod template with their images, in the order in which they start.
#[must_use]
pub fn of(template: &Value) -> Vec<Change> {
    let lists = LISTS.into_iter().flat_map(|list| {
        let containers = entries(template, &format!("/spec/{list}"));
        containers.iter().map(move |container| (list, container))
    });
    lists
        .filter(|(_, container)| !text(container, "/name").is_empty())
        .map(|(list, container)| Change {
            container: text(container, "/name").to_owned(),
            init: list == "initContainers",
            old: text(container, "/image").to_owned(),
            new: text(container, "/image").to_owned(),
        })
        .collect()
}

/// Gives a pod template its new images, and tells for each container that was meant what it had and has. A template that an error
/// is about is not changed.
///
/// # Errors
/// When a value means no container, or it is not clear which.
pub fn apply(template: &mut Value, wanted: &[Wanted]) -> Result<Vec<Change>, ImageError> {
    let changes = changes(template, wanted)?;
    for list in LISTS {
        let containers = template.pointer_mut(&format!("/spec/{list}"));
        for container in containers.and_then(Value::as_array_mut).into_iter().flatten() {
            let change = changes
                .iter()
                .find(|change| container["name"] == change.container);
            if let (Some(change), Some(fields)) = (change, container.as_object_mut()) {
                fields.insert("image".to_owned(), change.new.clone().into());
            }
        }
    }
    Ok(changes)
}

/// What changes by the values, in the order of the containers.
fn changes(template: &Value, wanted: &[Wanted]) -> Result<Vec<Change>, ImageError> {
    let mut containers = of(template);
    if containers.is_empty() && !wanted.is_empty() {
        return Err(ImageError::Empty);
    }
    let mut given: Vec<Option<&str>> = vec![None; containers.len()];
    // Who is named is not meant by a value that names nobody.
    let (named, others): (Vec<&Wanted>, Vec<&Wanted>) =
        wanted.iter().partition(|wanted| wanted.container.is_some());
    for wanted in named {
        let meant = meant_by_name(&containers, wanted)?;
        give(&containers, &mut given, meant, &wanted.image)?;
    }
    let free: Vec<bool> = given.iter().map(Option::is_none).collect();
    for wanted in others {
        for meant in meant_by_repository(&containers, &free, wanted)? {
            give(&containers, &mut given, meant, &wanted.image)?;
        }
    }
    for (container, image) in containers.iter_mut().zip(&given) {
        if let Some(image) = image {
            (*image).clone_into(&mut container.new);
        }
    }
    let mut given = given.iter();
    containers.retain(|_| given.next().is_some_and(Option::is_some));
    Ok(containers)
}

fn give<'a>(
    containers: &[Change],
    given: &mut [Option<&'a str>],
    meant: usize,
    image: &'a str,
) -> Result<(), ImageError> {
    match given[meant].replace(image) {
        Some(first) if first != image => Err(ImageError::Twice {
            container: object::shown(&containers[meant].container),
            first: first.to_owned(),
            second: image.to_owned(),
        }),
        _ => Ok(()),
    }
}

fn meant_by_name(containers: &[Change], wanted: &Wanted) -> Result<usize, ImageError> {
    let name = wanted.container.as_deref().unwrap_or_default();
    let meant = containers.iter().position(|there| there.container == name);
    meant.ok_or_else(|| ImageError::Missing {
        wanted: object::shown(name),
        image: wanted.image.clone(),
        there: object::listed(containers.iter().map(|there| there.container.as_str())),
    })
}

/// All containers of the image's repository, else the only container and those that have its image.
fn meant_by_repository(
    containers: &[Change],
    free: &[bool],
    wanted: &Wanted,
) -> Result<Vec<usize>, ImageError> {
    let of_repository = |repository: &str| -> Vec<usize> {
        let all = containers.iter().enumerate();
        all.filter(|(nth, there)| free[*nth] && full_name(Image::split(&there.old).name) == repository)
            .map(|(nth, _)| nth)
            .collect()
    };
    let same = of_repository(&full_name(Image::split(&wanted.image).name));
    if !same.is_empty() {
        return Ok(same);
    }
    let all = containers.iter().enumerate();
    let main: Vec<usize> = all.filter(|(_, there)| !there.init).map(|(nth, _)| nth).collect();
    match main[..] {
        [only] if free[only] => {
            let mut meant = of_repository(&full_name(Image::split(&containers[only].old).name));
            if !meant.contains(&only) {
                meant.push(only);
            }
            Ok(meant)
        }
        _ => {
            let there: Vec<String> = containers
                .iter()
                .map(|there| {
                    format!(
                        "`{}` ({})",
                        object::shown(&there.container),
                        object::shown(&there.old)
                    )
                })
                .collect();
            Err(ImageError::Unclear {
                image: wanted.image.clone(),
                example: object::shown(&containers[main.first().copied().unwrap_or(0)].container),
                there: there.join(", "),
            })
        }
    }
}

/// A repository's name in full: what names no registry is on Docker Hub, and there `nginx` is `library/nginx`
/// (<https://github.com/distribution/reference/blob/main/normalize.go>).
fn full_name(name: &str) -> String {
    let path = match name.split_once('/') {
        Some(("docker.io" | "index.docker.io", path)) => path,
        Some((first, _)) if first == "localhost" || first.contains(['.', ':']) => return name.to_owned(),
        _ => name,
    };
    if path.contains('/') {
        format!("docker.io/{path}")
    } else {
        format!("docker.io/library/{path}")
    }
}

/// Names of containers are labels of host names.
fn is_container(name: &str) -> bool {
    (1..=63).contains(&name.len())
        && !name.starts_with('-')
        && !name.ends_with('-')
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

#[cfg(test)]
mod tests;
