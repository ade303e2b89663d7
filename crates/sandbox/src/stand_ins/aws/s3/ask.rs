//! Which operation a request asks S3 for: method, bucket in host or path, key, and the names in the query.

use crate::http::Request;
use crate::stand_ins::aws::hosting::address;
use crate::stand_ins::aws::hosting::answered::{Refused, refused};

/// A request that was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ask {
    pub(crate) operation: &'static str,
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) query: Vec<(String, String)>,
}

/// Names in a query that ask for another operation, of which there is no stand-in.
const UNKNOWN: [&str; 24] = [
    "accelerate",
    "acl",
    "analytics",
    "attributes",
    "cors",
    "encryption",
    "inventory",
    "legal-hold",
    "lifecycle",
    "logging",
    "metrics",
    "notification",
    "object-lock",
    "ownershipControls",
    "policy",
    "policyStatus",
    "publicAccessBlock",
    "replication",
    "requestPayment",
    "restore",
    "retention",
    "tagging",
    "versioning",
    "versions",
];

impl Ask {
    /// Reads it.
    ///
    /// # Errors
    /// When the address is none of S3's, or for an operation that has no stand-in.
    pub(crate) fn of(head: &Request) -> Result<Self, Refused> {
        let (path, query) = address::split(&head.path);
        let invalid = || refused(400, "InvalidURI", "Couldn't parse the specified URI.");
        let path = address::decoded(path).ok_or_else(invalid)?;
        let query = address::pairs(query).ok_or_else(invalid)?;
        let path = path.strip_prefix('/').unwrap_or(&path);
        let (bucket, key) = match host_bucket(head.header("host").unwrap_or_default()) {
            Some(bucket) => (bucket, path),
            None => path.split_once('/').unwrap_or((path, "")),
        };
        let (bucket, key) = (bucket.to_owned(), key.to_owned());
        let has = |name: &str| query.iter().any(|(known, _)| known == name);
        let unknown = query.iter().any(|(name, _)| UNKNOWN.contains(&name.as_str()));
        let copies = head.header("x-amz-copy-source").is_some();
        let operation = match (head.method.as_str(), bucket.is_empty(), key.is_empty()) {
            _ if unknown => "",
            ("GET", true, _) => "ListBuckets",
            ("PUT", false, true) => "CreateBucket",
            ("DELETE", false, true) => "DeleteBucket",
            ("HEAD", false, true) => "HeadBucket",
            ("GET", false, true) if has("location") => "GetBucketLocation",
            ("GET", false, true) if has("uploads") => "ListMultipartUploads",
            ("GET", false, true) if query.contains(&("list-type".to_owned(), "2".to_owned())) => {
                "ListObjectsV2"
            }
            ("GET", false, true) => "ListObjects",
            ("POST", false, true) if has("delete") => "DeleteObjects",
            ("PUT", false, false) if has("partNumber") && copies => "",
            ("PUT", false, false) if has("partNumber") => "UploadPart",
            ("PUT", false, false) if copies => "CopyObject",
            ("PUT", false, false) => "PutObject",
            ("POST", false, false) if has("uploads") => "CreateMultipartUpload",
            ("POST", false, false) if has("uploadId") => "CompleteMultipartUpload",
            ("DELETE", false, false) if has("uploadId") => "AbortMultipartUpload",
            ("DELETE", false, false) => "DeleteObject",
            ("GET", false, false) if has("uploadId") => "ListParts",
            ("GET", false, false) => "GetObject",
            ("HEAD", false, false) => "HeadObject",
            _ => "",
        };
        if operation.is_empty() {
            return Err(refused(
                501,
                "NotImplemented",
                "A header or query you provided implies functionality that is not implemented.",
            ));
        }
        Ok(Self {
            operation,
            bucket,
            key,
            query,
        })
    }

    /// The value of a name in the query.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// The bucket in a host of the virtual-hosted style: `BUCKET.s3.…`, `BUCKET.s3-…` or `BUCKET.localhost`.
fn host_bucket(host: &str) -> Option<&str> {
    let host = host.split(':').next().unwrap_or_default();
    let at = [".s3.", ".s3-"].iter().filter_map(|mark| host.find(mark)).min();
    let at = at.or_else(|| host.strip_suffix(".localhost").map(str::len))?;
    Some(&host[..at])
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn ask(method: &str, host: &str, path: &str) -> Result<(&'static str, String, String), String> {
        let request = Request {
            method: method.to_owned(),
            path: path.to_owned(),
            headers: vec![("host".to_owned(), host.to_owned())],
            body: Vec::new(),
            at: Duration::ZERO,
        };
        let ask = Ask::of(&request).map_err(|refused| refused.refusal.code)?;
        Ok((ask.operation, ask.bucket, ask.key))
    }

    #[test]
    fn paths_and_hosts_name_bucket_and_key() {
        let local = "127.0.0.1:1";
        for (method, host, path, expected) in [
            ("GET", local, "/", ("ListBuckets", "", "")),
            (
                "GET",
                local,
                "/b?list-type=2&prefix=x",
                ("ListObjectsV2", "b", ""),
            ),
            ("GET", local, "/b/", ("ListObjects", "b", "")),
            (
                "PUT",
                local,
                "/b/a%20b%2Bc+d//e%3F",
                ("PutObject", "b", "a b+c+d//e?"),
            ),
            (
                "PUT",
                "b.s3.eu-central-1.amazonaws.com",
                "/b/k",
                ("PutObject", "b", "b/k"),
            ),
            (
                "HEAD",
                "my.site.localhost:9",
                "/k",
                ("HeadObject", "my.site", "k"),
            ),
            ("POST", local, "/b/k?uploads", ("CreateMultipartUpload", "b", "k")),
            ("POST", local, "/b?delete=", ("DeleteObjects", "b", "")),
            (
                "GET",
                local,
                "http://host/b/k?uploadId=1",
                ("ListParts", "b", "k"),
            ),
        ] {
            let (operation, bucket, key) = expected;
            let expected = Ok((operation, bucket.to_owned(), key.to_owned()));
            assert_eq!(ask(method, host, path), expected, "{method} {host} {path}");
        }
        for (method, path, code) in [
            ("PUT", "/b/k?tagging", "NotImplemented"),
            ("PATCH", "/b/k", "NotImplemented"),
            ("GET", "/b/%FF", "InvalidURI"),
        ] {
            assert_eq!(ask(method, local, path), Err(code.to_owned()), "{path}");
        }
    }
}
