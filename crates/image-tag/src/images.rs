//! The `images` input: names, each of which may be switched off.

use crate::error::{Error, Input, shown};
use crate::image_name;
use crate::list;
use crate::warning::Warning;

const ATTRIBUTES: &str = "`name`, `enable`";

/// Reads the names of the images that are enabled, lower-cased, in order.
pub(crate) fn read(input: &str, warnings: &mut Vec<Warning>) -> Result<Vec<String>, Error> {
    let records = list::records(input).map_err(|source| Error::List {
        input: Input::Images,
        source,
    })?;
    let images = match &records[..] {
        // The form of the first releases: all names on one line.
        [only] if only.fields.iter().all(|field| !field.contains('=')) => only
            .fields
            .iter()
            .map(|name| Image {
                name: name.to_lowercase(),
                enabled: true,
            })
            .collect(),
        _ => records
            .iter()
            .map(|record| image(record, warnings))
            .collect::<Result<Vec<_>, _>>()?,
    };

    let mut names: Vec<String> = Vec::new();
    for image in images {
        if image.enabled || image.name.is_empty() {
            image_name::check(&image.name)?;
        }
        if image.enabled {
            names.push(image.name);
        }
    }
    Ok(names)
}

struct Image {
    name: String,
    enabled: bool,
}

fn image(record: &list::Record, warnings: &mut Vec<Warning>) -> Result<Image, Error> {
    let entry = || shown(&record.text());
    let mut image = Image {
        name: String::new(),
        enabled: true,
    };
    for field in &record.fields {
        let (key, value) = list::key_and_value(field);
        match (key.as_deref(), value) {
            (None | Some("name"), name) => {
                if !image.name.is_empty() && !name.is_empty() {
                    warnings.push(Warning::LostImage {
                        image: image.name.clone(),
                    });
                }
                image.name = name.to_lowercase();
            }
            (Some("enable"), "true") => image.enabled = true,
            (Some("enable"), "false") => image.enabled = false,
            (Some("enable"), other) => {
                return Err(Error::AttributeValue {
                    input: Input::Images,
                    entry: entry(),
                    key: "enable",
                    value: shown(other),
                    allowed: "`true` or `false`",
                });
            }
            (Some(other), _) => {
                return Err(Error::UnknownAttribute {
                    input: Input::Images,
                    entry: entry(),
                    key: shown(other),
                    known: ATTRIBUTES,
                });
            }
        }
    }
    Ok(image)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let cases: &[(&str, &[&str])] = &[
            ("", &[]),
            ("org/app", &["org/app"]),
            ("org/app,ghcr.io/Org/App", &["org/app", "ghcr.io/org/app"]),
            ("org/app\nghcr.io/Org/App", &["org/app", "ghcr.io/org/app"]),
            ("name=org/app", &["org/app"]),
            ("org/app,enable=false\nb", &["b"]),
            ("name=a,enable=false", &[]),
            ("a,name=b", &["b"]),
            ("a\nA", &["a", "a"]),
            ("NAME=a,Enable=true", &["a"]),
        ];
        for (input, expected) in cases {
            assert_eq!(&read(input, &mut Vec::new()).unwrap(), expected, "{input:?}");
        }
    }

    #[test]
    fn wrong_entries_say_what_is_right() {
        let cases = [
            ("a,enable=1", "allowed is `true` or `false`"),
            ("a,enable=TRUE", "`enable=TRUE`"),
            ("a,foo=1", "unknown attribute `foo`"),
            ("enable=true", "it is empty"),
            ("a\"b", "broken quotes"),
            ("a:tag", "invalid name `a:tag`"),
            ("enable=false", "it is empty"),
        ];
        for (input, expected) in cases {
            let message = read(input, &mut Vec::new()).unwrap_err().to_string();
            assert!(message.contains(expected), "{input:?}: {message}");
        }
    }
}
