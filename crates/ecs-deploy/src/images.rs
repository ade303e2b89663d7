//! Whether the images of a task definition are there, as far as they can be asked for: in private registries of ECR, and
//! where the policy allows the question. What can't be asked is no reason against a deploy; what certainly is not there is.

use std::time::Duration;

use futures_util::future::join_all;
use gha::{accounts, image, text};
use tokio::time::timeout;

use crate::api::Api;
use crate::api::registry::Known;
use crate::error::Error;
use crate::task_definition::TaskDefinition;
use crate::task_definition::needs::Needs;
use crate::task_definition::registry::Place;

/// The longest that a deploy waits for the answers; a registry that is out of reach must not hold it up.
const LONGEST: Duration = Duration::from_secs(15);

/// What is known of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// It is there.
    There,
    /// It certainly is not there, and why a task can't pull it.
    Missing(String),
    /// It was asked for, and is not there now; whether a pull would bring it is not known, and why.
    Perhaps(String),
    /// It could not be asked for, and why.
    NotAsked(String),
}

/// Asks for one image.
pub async fn look(api: &Api, reference: &str) -> Found {
    let Some(place) = Place::of(reference) else {
        return Found::NotAsked(match image::Image::parse(reference) {
            Ok(_) => "only private registries of ECR are asked".to_owned(),
            Err(error) => error.to_string(),
        });
    };
    let missing = match api.image(&place).await {
        Ok(Known::There) => return Found::There,
        Ok(Known::NoImage) => format!("there is no {} of ECR in {}", place.told(), place.region),
        Ok(Known::NoRepository) => {
            let repository = &place.repository;
            format!(
                "there is no repository `{repository}` in ECR in {}, and so no {}",
                place.region,
                place.told()
            )
        }
        Err(refused) => return Found::NotAsked(refused.to_string()),
    };
    match api.cache_prefixes(&place).await {
        Ok(prefixes) if prefixes.iter().any(|prefix| place.is_below(prefix)) => {
            Found::NotAsked("a pull-through cache may bring it".to_owned())
        }
        Ok(_) => Found::Missing(missing),
        Err(refused) => Found::Perhaps(format!(
            "{missing}, unless a pull-through cache brings it: {refused}"
        )),
    }
}

/// Refuses a version of which an image certainly is not there, before anything is registered; what is not known of the
/// others, in words.
///
/// # Errors
/// When an image is missing.
pub async fn preflight(api: &Api, definition: &TaskDefinition) -> Result<Vec<String>, Error> {
    let needs = Needs::of(definition);
    let asked: Vec<&String> = needs
        .images
        .iter()
        .filter(|reference| Place::of(reference).is_some())
        .collect();
    let looks = join_all(asked.iter().map(|reference| look(api, reference)));
    let Ok(found) = timeout(LONGEST, looks).await else {
        return Ok(vec![
            "whether the images are there was not asked: no answer of ECR in time".to_owned(),
        ]);
    };
    let mut notes = Vec::new();
    let mut missing = Vec::new();
    for (reference, found) in asked.into_iter().zip(found) {
        match found {
            Found::There => {}
            Found::Missing(why) => missing.push(why),
            Found::Perhaps(why) => notes.push(why),
            Found::NotAsked(why) => {
                let shown = text::cut(&accounts::without(&text::line(reference)), 200);
                notes.push(format!(
                    "whether the image `{shown}` is there was not asked: {why}"
                ));
            }
        }
    }
    if missing.is_empty() {
        Ok(notes)
    } else {
        Err(Error::NoImage(missing.join("; ")))
    }
}
