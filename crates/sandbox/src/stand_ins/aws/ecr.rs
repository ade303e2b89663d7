//! [Amazon ECR](https://docs.aws.amazon.com/AmazonECR/latest/APIReference/Welcome.html) as much as one asks whether an image
//! is there.

use std::time::Duration;

use serde_json::{Value, json};

use super::call::{Answer, Call, Refusal};
use super::home::Home;
use super::input::{Paging, list, text};

/// All repositories of the registry.
#[derive(Clone, Debug)]
pub struct Registry {
    home: Home,
    repositories: Vec<Repository>,
    /// The prefixes of repositories that are filled from elsewhere.
    caches: Vec<String>,
}

#[derive(Clone, Debug)]
struct Repository {
    name: String,
    images: Vec<Image>,
}

#[derive(Clone, Debug)]
struct Image {
    digest: String,
    tags: Vec<String>,
    pushed: Duration,
}

const PAGES: Paging = Paging {
    size: "maxResults",
    usual: 100,
    marker: ("nextToken", "nextToken"),
};

const MEDIA_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";

impl Registry {
    /// None yet.
    #[must_use]
    pub fn new(home: Home) -> Self {
        Self {
            home,
            repositories: Vec::new(),
            caches: Vec::new(),
        }
    }

    /// Fills repositories below a prefix from elsewhere, when something is pulled from them.
    pub fn cache(&mut self, prefix: &str) {
        self.caches.push(prefix.to_owned());
    }

    /// Pushes an image with a tag, which moves from any other; the repository is made by its first image. `digest` is
    /// `sha256:` and 64 digits.
    pub fn push(&mut self, repository: &str, tag: &str, digest: &str, now: Duration) {
        let at = self
            .repositories
            .iter()
            .position(|known| known.name == repository);
        let at = at.unwrap_or_else(|| {
            self.repositories.push(Repository {
                name: repository.to_owned(),
                images: Vec::new(),
            });
            self.repositories.len() - 1
        });
        let images = &mut self.repositories[at].images;
        images
            .iter_mut()
            .for_each(|image| image.tags.retain(|known| known != tag));
        match images.iter_mut().find(|image| image.digest == digest) {
            Some(image) => image.tags.push(tag.to_owned()),
            None => images.push(Image {
                digest: digest.to_owned(),
                tags: vec![tag.to_owned()],
                pushed: now,
            }),
        }
    }

    /// Answers one call.
    pub fn answer(&self, call: &Call) -> Answer {
        match call.operation.as_str() {
            "BatchGetImage" => self.get_images(&call.input),
            "DescribePullThroughCacheRules" => Ok(self.describe_caches(&call.input)),
            "DescribeImages" => self.describe_images(&call.input),
            other => Err(Refusal::new("UnknownOperationException", other)),
        }
    }

    fn get_images(&self, input: &Value) -> Answer {
        let repository = self.repository(input)?;
        let (mut images, mut failures) = (Vec::new(), Vec::new());
        for id in list(input, "imageIds") {
            match repository.image(id) {
                Some(image) => images.push(json!({
                    "registryId": self.home.account,
                    "repositoryName": repository.name,
                    "imageId": image.id(id),
                    "imageManifest": json!({ "schemaVersion": 2, "mediaType": MEDIA_TYPE }).to_string(),
                    "imageManifestMediaType": MEDIA_TYPE,
                })),
                None => failures.push(json!({
                    "imageId": id,
                    "failureCode": "ImageNotFound",
                    "failureReason": "Requested image not found",
                })),
            }
        }
        Ok(json!({ "images": images, "failures": failures }))
    }

    fn describe_images(&self, input: &Value) -> Answer {
        let repository = self.repository(input)?;
        let ids = list(input, "imageIds");
        if let Some(id) = ids.iter().find(|id| repository.image(id).is_none()) {
            let message = format!(
                "The image with imageId {{imageDigest:'{}', imageTag:'{}'}} does not exist within the repository with name \
                 '{}' in the registry with id '{}'",
                id["imageDigest"].as_str().unwrap_or("null"),
                id["imageTag"].as_str().unwrap_or("null"),
                repository.name,
                self.home.account
            );
            return Err(Refusal::new("ImageNotFoundException", message));
        }
        let asked = |image: &&Image| ids.is_empty() || ids.iter().any(|id| image.is(id));
        let shown = repository.images.iter().filter(asked).map(|image| {
            json!({
                "registryId": self.home.account,
                "repositoryName": repository.name,
                "imageDigest": image.digest,
                "imageTags": image.tags,
                "imageSizeInBytes": 25_000_000,
                "imagePushedAt": self.home.time(image.pushed),
                "imageManifestMediaType": MEDIA_TYPE,
            })
        });
        Ok(PAGES.of(input, "imageDetails", shown.collect()))
    }

    fn describe_caches(&self, input: &Value) -> Value {
        let rules = self.caches.iter().map(|prefix| {
            json!({
                "ecrRepositoryPrefix": prefix,
                "upstreamRegistryUrl": "registry-1.docker.io",
                "upstreamRegistry": "docker-hub",
                "registryId": self.home.account,
                "createdAt": self.home.began,
            })
        });
        PAGES.of(input, "pullThroughCacheRules", rules.collect())
    }

    fn repository(&self, input: &Value) -> Result<&Repository, Refusal> {
        let name = text(input, "repositoryName");
        let found = self.repositories.iter().find(|known| known.name == name);
        found.ok_or_else(|| {
            let message = format!(
                "The repository with name '{name}' does not exist in the registry with id '{}'",
                self.home.account
            );
            Refusal::new("RepositoryNotFoundException", message)
        })
    }
}

impl Repository {
    fn image(&self, id: &Value) -> Option<&Image> {
        self.images.iter().find(|image| image.is(id))
    }
}

impl Image {
    fn is(&self, id: &Value) -> bool {
        let (digest, tag) = (text(id, "imageDigest"), text(id, "imageTag"));
        (!digest.is_empty() || !tag.is_empty())
            && (digest.is_empty() || digest == self.digest)
            && (tag.is_empty() || self.tags.iter().any(|known| known == tag))
    }

    /// Its id as it was asked for, with the digest.
    fn id(&self, asked: &Value) -> Value {
        let mut id = json!({ "imageDigest": self.digest });
        if !asked["imageTag"].is_null() {
            id["imageTag"] = asked["imageTag"].clone();
        }
        id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(registry: &Registry, operation: &str, repository: &str, ids: Value) -> Answer {
        registry.answer(&Call {
            service: "ecr",
            operation: operation.to_owned(),
            input: json!({ "repositoryName": repository, "imageIds": ids }),
            now: Duration::ZERO,
        })
    }

    #[test]
    fn an_image_is_found_by_tag_or_digest_and_a_tag_moves() {
        let mut registry = Registry::new(Home::default());
        registry.push("shop", "1.0.0", "sha256:aa", Duration::ZERO);
        registry.push("shop", "latest", "sha256:aa", Duration::ZERO);
        registry.push("shop", "latest", "sha256:bb", Duration::ZERO);
        let ids = json!([{ "imageTag": "latest" }, { "imageDigest": "sha256:aa" }, { "imageTag": "2.0.0" }]);
        let found = ask(&registry, "BatchGetImage", "shop", ids).unwrap();
        assert_eq!(
            found["images"][0]["imageId"],
            json!({ "imageDigest": "sha256:bb", "imageTag": "latest" })
        );
        assert_eq!(
            found["images"][1]["imageId"],
            json!({ "imageDigest": "sha256:aa" })
        );
        assert_eq!(found["failures"][0]["failureCode"], "ImageNotFound");
        let all = ask(&registry, "DescribeImages", "shop", Value::Null).unwrap();
        assert_eq!(all["imageDetails"][0]["imageTags"], json!(["1.0.0"]));
        for (repository, code) in [
            ("shop", "ImageNotFoundException"),
            ("no", "RepositoryNotFoundException"),
        ] {
            let refusal = ask(
                &registry,
                "DescribeImages",
                repository,
                json!([{ "imageTag": "2.0.0" }]),
            )
            .unwrap_err();
            assert_eq!(refusal.code, code);
        }
    }
}
