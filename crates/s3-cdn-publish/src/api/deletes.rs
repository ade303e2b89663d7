//! Objects that are deleted.

use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use gha::text;

use super::{Bucket, Refused, refused};

/// The most that one request deletes (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html>).
const MOST: usize = 1000;

/// An object that was not deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Its key, without the prefix.
    pub key: String,
    /// Why, in the words of the store.
    pub why: String,
}

impl Bucket {
    /// Deletes objects, and names those that the store did not delete: an answer of 200 says nothing yet.
    ///
    /// # Errors
    /// When a request failed; what was asked before it is deleted.
    pub async fn delete(&self, keys: &[&str]) -> Result<Vec<Kept>, Refused> {
        let mut kept = Vec::new();
        for some in keys.chunks(MOST) {
            kept.extend(self.delete_some(some).await?);
        }
        Ok(kept)
    }

    async fn delete_some(&self, keys: &[&str]) -> Result<Vec<Kept>, Refused> {
        if keys.len() > 1 && !self.dialect.one_by_one.get() {
            match self.delete_together(keys).await {
                Err(refused) if refused.is_foreign_word() || wants_md5(&refused) => {
                    self.dialect.one_by_one.set(true);
                }
                said => return said,
            }
        }
        let mut kept = Vec::new();
        for key in keys {
            let request = self.read.delete_object().bucket(&self.name).key(self.key(key));
            match request
                .send()
                .await
                .map_err(|error| refused("s3:DeleteObject", &error))
            {
                Ok(_) => {}
                Err(refused) if refused.may_pass() => return Err(refused),
                // As an answer for many names it.
                Err(refused) => kept.push(Kept {
                    key: (*key).to_owned(),
                    why: text::line(refused.code.as_deref().unwrap_or(&refused.reason.text)),
                }),
            }
        }
        Ok(kept)
    }

    async fn delete_together(&self, keys: &[&str]) -> Result<Vec<Kept>, Refused> {
        let call = "s3:DeleteObject";
        let mut delete = Delete::builder().quiet(true);
        for key in keys {
            let object = ObjectIdentifier::builder().key(self.key(key)).build();
            delete = delete.objects(object.map_err(|error| Refused::unusable(call, &error.to_string()))?);
        }
        let delete = delete
            .build()
            .map_err(|error| Refused::unusable(call, &error.to_string()))?;
        // What is deleted twice is deleted: this is repeated as reads are.
        let request = self.read.delete_objects().bucket(&self.name).delete(delete);
        let answer = request.send().await.map_err(|error| refused(call, &error))?;
        let failed = answer.errors().iter().map(|error| {
            let key = error.key().unwrap_or_default();
            Kept {
                key: key.strip_prefix(&self.prefix).unwrap_or(key).to_owned(),
                why: text::line(error.code().or(error.message()).unwrap_or("no reason is given")),
            }
        });
        Ok(failed.collect())
    }
}

/// Whether the store wants an MD5 of the request, as S3 did before it knew other checksums. It has several codes for that.
fn wants_md5(refused: &Refused) -> bool {
    refused.is("MissingContentMD5")
        || (refused.status == Some(400) && refused.reason.text.to_ascii_lowercase().contains("content-md5"))
}

#[cfg(test)]
mod tests {
    use sandbox::stand_ins::aws::{Clock, Hosting, Object};

    use crate::api::near::bucket;

    #[tokio::test]
    async fn a_store_that_wants_an_md5_is_asked_for_one_object_after_another() {
        for compatible in [false, true] {
            let hosting = Hosting::open(Clock::manual()).unwrap();
            hosting.settings(|settings| settings.compatible = compatible);
            hosting.stock(|stock| {
                stock.s3.create("site");
                for key in ["a", "b", "c"] {
                    stock.s3.put("site", key, Object::new("x"));
                }
            });
            let bucket = bucket(&hosting).await;
            assert_eq!(bucket.delete(&["a", "b"]).await.unwrap(), []);
            assert_eq!(hosting.stock(|stock| stock.s3.keys("site")), ["c"]);
            assert_eq!(
                hosting.calls("DeleteObject").len(),
                if compatible { 2 } else { 0 }
            );
        }
    }
}
