//! Which service a request is for.

use crate::http::Request;
use crate::stand_ins::aws::hosting::address;
use crate::stand_ins::aws::protocol::Authorization;

/// Who answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route {
    S3,
    CloudFront,
    /// A visitor at the edge.
    Edge,
    /// Another service.
    Cloud,
}

impl Route {
    pub(super) fn of(head: &Request, is_edge: impl FnOnce(&str) -> bool) -> Self {
        if let Some(given) = Authorization::of(head) {
            return match given.service {
                "s3" => Self::S3,
                "cloudfront" => Self::CloudFront,
                _ => Self::Cloud,
            };
        }
        let host = head.header("host").unwrap_or_default();
        if is_edge(host.split(':').next().unwrap_or_default()) {
            return Self::Edge;
        }
        let (path, _) = address::split(&head.path);
        let form = head
            .header("content-type")
            .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
        if path.starts_with("/2020-05-31/") {
            Self::CloudFront
        } else if head.header("x-amz-target").is_some() || form && path == "/" {
            Self::Cloud
        } else {
            Self::S3
        }
    }
}
