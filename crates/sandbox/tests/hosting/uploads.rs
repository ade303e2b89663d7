//! Uploads in parts.

use sandbox::stand_ins::aws::Hosting;

use crate::client::{Answer, hosting, s3};

const PART: usize = 5 * 1024 * 1024;

fn begin(hosting: &Hosting, headers: &[(&str, &str)]) -> String {
    let answer = s3(hosting, "POST /site/k?uploads", headers, b"");
    answer.element("UploadId").unwrap().to_owned()
}

fn part(hosting: &Hosting, id: &str, number: usize, body: &[u8]) -> String {
    let answer = s3(
        hosting,
        &format!("PUT /site/k?partNumber={number}&uploadId={id}"),
        &[],
        body,
    );
    assert_eq!(answer.status, 200);
    answer.header("etag").unwrap().trim_matches('"').to_owned()
}

fn complete(hosting: &Hosting, id: &str, parts: &[(usize, &str)], headers: &[(&str, &str)]) -> Answer {
    let parts: String = parts
        .iter()
        .map(|(number, etag)| {
            format!("<Part><PartNumber>{number}</PartNumber><ETag>\"{etag}\"</ETag></Part>")
        })
        .collect();
    let body = format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>");
    s3(
        hosting,
        &format!("POST /site/k?uploadId={id}"),
        headers,
        body.as_bytes(),
    )
}

#[test]
fn parts_become_an_object_whose_checksum_is_that_of_the_whole() {
    let hosting = hosting();
    // So that no byte of the whole is kept.
    hosting.settings(|settings| settings.keep = PART as u64);
    let id = begin(&hosting, &[("cache-control", "no-cache")]);
    let (first, second) = (vec![7_u8; PART], b"the rest".to_vec());
    let etags = [part(&hosting, &id, 1, &first), part(&hosting, &id, 3, &second)];
    assert_eq!(hosting.stock(|stock| stock.s3.uploads("site")), ["k"]);
    assert_eq!(
        complete(&hosting, &id, &[(3, &etags[1]), (1, &etags[0])], &[]).refusal(),
        (400, "InvalidPartOrder")
    );
    assert_eq!(
        complete(&hosting, &id, &[(1, &etags[1])], &[]).refusal(),
        (400, "InvalidPart")
    );
    assert_eq!(
        complete(&hosting, &id, &[(2, &etags[0])], &[]).refusal(),
        (400, "InvalidPart")
    );
    assert_eq!(complete(&hosting, &id, &[], &[]).refusal(), (400, "MalformedXML"));
    let done = complete(
        &hosting,
        &id,
        &[(1, &etags[0]), (3, &etags[1])],
        &[("if-none-match", "*")],
    );
    assert_eq!(done.status, 200);
    hosting.settings(|settings| settings.keep = 2 * PART as u64);
    let whole = [first, second].concat();
    assert_eq!(s3(&hosting, "PUT /site/whole", &[], &whole).status, 200);
    hosting.stock(|stock| {
        let (joined, whole) = (
            stock.s3.object("site", "k").unwrap(),
            stock.s3.object("site", "whole").unwrap(),
        );
        assert_eq!((joined.size, &joined.checksum), (whole.size, &whole.checksum));
        assert!(joined.etag.ends_with("-2"), "{}", joined.etag);
        assert_eq!(joined.headers["cache-control"], "no-cache");
        assert_eq!(stock.s3.uploads("site"), Vec::<String>::new());
    });
    assert_eq!(
        complete(&hosting, &id, &[(1, &etags[0])], &[]).refusal(),
        (404, "NoSuchUpload")
    );
}

#[test]
fn an_upload_that_is_not_in_order_does_not_end() {
    let hosting = hosting();
    let id = begin(&hosting, &[]);
    let etags = [part(&hosting, &id, 1, b"small"), part(&hosting, &id, 2, b"last")];
    let both = [(1, etags[0].as_str()), (2, etags[1].as_str())];
    assert_eq!(
        complete(&hosting, &id, &both, &[]).refusal(),
        (400, "EntityTooSmall")
    );
    let sums = begin(&hosting, &[("x-amz-checksum-algorithm", "SHA256")]);
    let bare = s3(
        &hosting,
        &format!("PUT /site/k?partNumber=1&uploadId={sums}"),
        &[],
        b"x",
    );
    assert_eq!(bare.refusal(), (400, "InvalidRequest"));
    let zero = s3(
        &hosting,
        &format!("PUT /site/k?partNumber=0&uploadId={id}"),
        &[],
        b"x",
    );
    assert_eq!(zero.refusal(), (400, "InvalidArgument"));
    let listed = s3(&hosting, "GET /site?uploads", &[], b"");
    assert_eq!(listed.elements("UploadId"), [id.as_str(), &sums]);
    for upload in [&id, &sums] {
        assert_eq!(
            s3(&hosting, &format!("DELETE /site/k?uploadId={upload}"), &[], b"").status,
            204
        );
    }
    assert_eq!(
        complete(&hosting, &id, &both, &[]).refusal(),
        (404, "NoSuchUpload")
    );
    assert_eq!(hosting.stock(|stock| stock.s3.keys("site")), Vec::<String>::new());
}
