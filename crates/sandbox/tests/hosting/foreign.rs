//! Whatever comes is answered: well signed nonsense is refused, and nothing falls over it.

use std::time::Duration;

use proptest::prelude::*;
use sandbox::http::Request;
use sandbox::stand_ins::aws::{Distribution, Heard};

use crate::client::{hosting, signed};

const METHODS: [&str; 5] = ["GET", "PUT", "POST", "DELETE", "HEAD"];
const QUERIES: [&str; 8] = [
    "",
    "?delete",
    "?uploads",
    "?list-type=2",
    "?partNumber=1&uploadId=sandbox-upload-000001",
    "?uploadId=sandbox-upload-000001",
    "?list-type=2&max-keys=x&continuation-token=1AA%3D%3D",
    "?location",
];
const HEADERS: [&str; 8] = [
    "range",
    "if-match",
    "if-none-match",
    "x-amz-copy-source",
    "content-md5",
    "x-amz-checksum-crc32",
    "x-amz-meta-a",
    "x-amz-trailer",
];

proptest! {
    #[test]
    fn signed_nonsense_has_an_answer(
        method in 0_usize..5, query in 0_usize..8, header in 0_usize..8,
        key in "[a-z%/+]{0,6}", value in "[ -~]{0,20}", body in proptest::collection::vec(any::<u8>(), 0..60),
    ) {
        let hosting = hosting();
        let (method, query) = (METHODS[method], QUERIES[query]);
        let line = format!("{method} /site/{key}{query}");
        for (service, line) in [
            ("s3", line.as_str()),
            ("cloudfront", "POST /2020-05-31/distribution/E1/invalidation"),
        ] {
            let request = signed(&hosting, service, line, &[(HEADERS[header], value.as_str())], &body);
            let Heard::Answer { status, .. } = hosting.hear(&request) else {
                panic!("no answer");
            };
            prop_assert!((200..600).contains(&status));
        }
    }

    #[test]
    fn documents_that_are_nearly_right_have_an_answer(
        cut in 0_usize..400, quiet in "[a-z<>&]{0,5}", path in "[ -~é]{0,12}",
    ) {
        let hosting = hosting();
        let id = hosting.stock(|stock| stock.cloudfront.add(Distribution::of("site").tags("x-amz-meta-t")));
        let delete = format!("<Delete><Quiet>{quiet}</Quiet><Object><Key>{path}</Key></Object></Delete>");
        let parts = format!("<CompleteMultipartUpload><Part><PartNumber>{quiet}</PartNumber></Part></CompleteMultipartUpload>");
        let batch = format!(
            "<InvalidationBatch><Paths><Quantity>1</Quantity><Items><Path>{path}</Path></Items></Paths><CallerReference>r</CallerReference></InvalidationBatch>"
        );
        let create = format!("POST /2020-05-31/distribution/{id}/invalidation");
        for (service, line, body) in [
            ("s3", "POST /site?delete", delete),
            ("s3", "POST /site/k?uploadId=x", parts),
            ("cloudfront", create.as_str(), batch),
        ] {
            let body: String = body.chars().take(cut).collect();
            let heard = hosting.hear(&signed(&hosting, service, line, &[], body.as_bytes()));
            let answered = matches!(heard, Heard::Answer { .. });
            prop_assert!(answered);
        }
        let _ = hosting.visit(&id, &path);
    }

    #[test]
    fn unsigned_nonsense_has_an_answer(path in "[ -~]{0,20}", host in "[ -~]{0,20}", kind in "[ -~]{0,40}") {
        let hosting = hosting();
        let request = Request {
            method: "POST".to_owned(),
            path,
            headers: [("host", host), ("authorization", format!("AWS4-HMAC-SHA256 {kind}"))]
                .map(|(name, value)| (name.to_owned(), value))
                .to_vec(),
            body: Vec::new(),
            at: Duration::ZERO,
        };
        let refused = matches!(hosting.hear(&request), Heard::Answer { status: 400.., .. });
        prop_assert!(refused);
    }
}
