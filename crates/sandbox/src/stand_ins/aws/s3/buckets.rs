//! All buckets, what a test sees and puts there by itself, and the way of a request to its operation.

use std::collections::BTreeMap;
use std::time::Duration;

use super::object::Object;
use super::uploads::Upload;
use super::{Answer, Work};
use crate::stand_ins::aws::hosting::answered::{Answered, Refused, leaf, refused};

/// The buckets of one account.
#[derive(Clone, Debug)]
pub struct Buckets {
    home: String,
    now: Duration,
    all: BTreeMap<String, Bucket>,
    /// Uploads so far, for their ids.
    pub(super) begun: u64,
}

/// One of them.
#[derive(Clone, Debug)]
pub(crate) struct Bucket {
    pub(super) region: String,
    pub(super) made: Duration,
    /// By key, in the order of UTF-8 bytes.
    pub(super) objects: BTreeMap<String, Object>,
    /// By id.
    pub(super) uploads: BTreeMap<String, Upload>,
}

impl Buckets {
    pub(crate) fn new(region: &str) -> Self {
        Self {
            home: region.to_owned(),
            now: Duration::ZERO,
            all: BTreeMap::new(),
            begun: 0,
        }
    }

    /// Tells it the time and where it is.
    pub(crate) fn advance(&mut self, now: Duration, region: &str) {
        self.now = now;
        if self.home != region {
            region.clone_into(&mut self.home);
        }
    }

    /// Makes a bucket, unless it is there.
    pub fn create(&mut self, name: &str) {
        self.create_in(name, &self.home.clone());
    }

    /// Makes a bucket in another region.
    pub fn create_in(&mut self, name: &str, region: &str) {
        let bucket = Bucket {
            region: region.to_owned(),
            made: self.now,
            objects: BTreeMap::new(),
            uploads: BTreeMap::new(),
        };
        self.all.entry(name.to_owned()).or_insert(bucket);
    }

    /// Puts an object into a bucket, which is made if it is not there; its `ETag` without quotes.
    pub fn put(&mut self, bucket: &str, key: &str, object: Object) -> String {
        self.create(bucket);
        let etag = object.etag.clone();
        let modified = self.now;
        if let Some(bucket) = self.all.get_mut(bucket) {
            bucket
                .objects
                .insert(key.to_owned(), Object { modified, ..object });
        }
        etag
    }

    /// Takes an object away; whether it was there.
    pub fn remove(&mut self, bucket: &str, key: &str) -> bool {
        let bucket = self.all.get_mut(bucket);
        bucket.is_some_and(|bucket| bucket.objects.remove(key).is_some())
    }

    /// What a bucket holds under a key.
    #[must_use]
    pub fn object(&self, bucket: &str, key: &str) -> Option<&Object> {
        self.all.get(bucket)?.objects.get(key)
    }

    /// All keys of a bucket in their order.
    #[must_use]
    pub fn keys(&self, bucket: &str) -> Vec<String> {
        let bucket = self.all.get(bucket);
        bucket
            .map(|bucket| bucket.objects.keys().cloned().collect())
            .unwrap_or_default()
    }

    /// All objects of a bucket with their keys, in order.
    pub fn objects(&self, bucket: &str) -> impl Iterator<Item = (&str, &Object)> {
        let bucket = self.all.get(bucket).into_iter();
        bucket.flat_map(|bucket| bucket.objects.iter().map(|(key, object)| (key.as_str(), object)))
    }

    /// The keys of uploads in parts that are not ended.
    #[must_use]
    pub fn uploads(&self, bucket: &str) -> Vec<String> {
        let bucket = self.all.get(bucket);
        bucket
            .map(|bucket| bucket.uploads.values().map(|upload| upload.key.clone()).collect())
            .unwrap_or_default()
    }

    /// The region of a bucket.
    #[must_use]
    pub fn region(&self, bucket: &str) -> Option<&str> {
        Some(&self.all.get(bucket)?.region)
    }

    /// Takes all objects and uploads out of all buckets.
    pub fn empty(&mut self) {
        for bucket in self.all.values_mut() {
            bucket.objects.clear();
            bucket.uploads.clear();
        }
    }

    pub(super) fn bucket(&mut self, name: &str) -> Result<&mut Bucket, Refused> {
        self.all.get_mut(name).ok_or_else(|| {
            let mut wrong = refused(404, "NoSuchBucket", "The specified bucket does not exist");
            wrong.more.push(("BucketName", name.to_owned()));
            wrong
        })
    }

    /// Does a request that is allowed.
    pub(crate) fn answer(&mut self, work: &Work<'_>) -> Answer {
        let ask = work.ask;
        if ask.key.len() > 1024 {
            return Err(refused(400, "KeyTooLongError", "Your key is too long"));
        }
        match ask.operation {
            "ListBuckets" => Ok(self.list_buckets(work)),
            "CreateBucket" => self.create_bucket(work),
            "DeleteBucket" => self.delete_bucket(work),
            "HeadBucket" => {
                let region = self.bucket(&ask.bucket)?.region.clone();
                Ok(Answered::empty(200).header("x-amz-bucket-region", region))
            }
            "GetBucketLocation" => {
                let region = self.bucket(&ask.bucket)?.region.clone();
                let place = if region == "us-east-1" { "" } else { &region };
                Ok(work.xml("LocationConstraint", place))
            }
            "ListObjectsV2" | "ListObjects" => self.bucket(&ask.bucket)?.list(work),
            "ListMultipartUploads" => self.bucket(&ask.bucket)?.list_uploads(work),
            "ListParts" => self.bucket(&ask.bucket)?.list_parts(work),
            "GetObject" | "HeadObject" => self.bucket(&ask.bucket)?.read(work),
            "PutObject" => self.bucket(&ask.bucket)?.put(work),
            "CopyObject" => self.copy(work),
            "DeleteObject" => self.bucket(&ask.bucket)?.delete(work),
            "DeleteObjects" => self.bucket(&ask.bucket)?.delete_all(work),
            "CreateMultipartUpload" => {
                self.begun += 1;
                let id = format!("sandbox-upload-{:06}", self.begun);
                self.bucket(&ask.bucket)?.begin_upload(work, id)
            }
            "UploadPart" => self.bucket(&ask.bucket)?.upload_part(work),
            "CompleteMultipartUpload" => self.bucket(&ask.bucket)?.complete_upload(work),
            "AbortMultipartUpload" => self.bucket(&ask.bucket)?.abort_upload(work),
            other => Err(refused(501, "NotImplemented", other)),
        }
    }

    fn list_buckets(&self, work: &Work<'_>) -> Answered {
        let mut text = String::from("<Buckets>");
        for (name, bucket) in &self.all {
            text.push_str("<Bucket>");
            leaf(&mut text, "Name", name);
            leaf(&mut text, "CreationDate", &work.time(bucket.made));
            text.push_str("</Bucket>");
        }
        text.push_str("</Buckets><Owner><ID>sandbox</ID></Owner>");
        work.xml("ListAllMyBucketsResult", &text)
    }

    fn create_bucket(&mut self, work: &Work<'_>) -> Answer {
        let name = &work.ask.bucket;
        let body = String::from_utf8_lossy(work.taken.bytes());
        let asked = body
            .split_once("<LocationConstraint>")
            .and_then(|(_, rest)| rest.split_once("</LocationConstraint>"));
        let region = asked.map_or("us-east-1", |(region, _)| region);
        if region != self.home {
            return Err(refused(
                400,
                "IllegalLocationConstraintException",
                "The specified location constraint is incompatible for the region specific endpoint this request was sent to.",
            ));
        }
        if self.all.contains_key(name) && region != "us-east-1" {
            return Err(refused(
                409,
                "BucketAlreadyOwnedByYou",
                "Your previous request to create the named bucket succeeded and you already own it.",
            ));
        }
        self.create(name);
        Ok(Answered::empty(200).header("location", format!("/{name}")))
    }

    fn delete_bucket(&mut self, work: &Work<'_>) -> Answer {
        if !self.bucket(&work.ask.bucket)?.objects.is_empty() {
            return Err(refused(
                409,
                "BucketNotEmpty",
                "The bucket you tried to delete is not empty",
            ));
        }
        self.all.remove(&work.ask.bucket);
        Ok(Answered::empty(204))
    }
}
