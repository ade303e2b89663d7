//! The stand-ins of S3 and CloudFront, judged by botocore's models of them, and driven by the `aws` command.

use std::fs;
use std::time::Duration;

use sandbox::peers::{AwsCli, Botocore, Judged, Place};
use sandbox::stand_ins::aws::{Clock, Distribution, Fault, Hosting, Object, Refusal, Turn};
use serde_json::{Value, json};

/// botocore before a hosting whose clock a test moves.
struct Court {
    hosting: Hosting,
    distribution: String,
    botocore: Botocore,
    _place: Place,
}

impl Court {
    fn open() -> Self {
        let (hosting, place) = (Hosting::open(Clock::manual()).unwrap(), Place::new().unwrap());
        let distribution = hosting.stock(|stock| {
            stock.s3.create("site");
            let distribution = Distribution::of("site")
                .alias("www.example.com")
                .root("index.html");
            stock.cloudfront.add(distribution.tags("x-amz-meta-cache-tag"))
        });
        let botocore = Botocore::start(&place, hosting.environment()).unwrap();
        Self {
            hosting,
            distribution,
            botocore,
            _place: place,
        }
    }

    fn call(&self, service: &str, operation: &str, input: &Value) -> Judged {
        let judged = self.botocore.call(service, operation, input).unwrap();
        assert_eq!(judged.faults, [""; 0], "{operation} {input}");
        judged
    }

    /// The output of a call to S3 about the bucket.
    fn s3(&self, operation: &str, input: Value) -> Value {
        let judged = self.call("s3", operation, &of_site(input.clone()));
        assert_eq!(judged.code, None, "{operation} {input}");
        judged.output
    }

    /// The code of one that is refused.
    fn refused(&self, operation: &str, input: Value) -> String {
        self.call("s3", operation, &of_site(input)).code.unwrap()
    }

    fn cloudfront(&self, operation: &str, input: &Value) -> Value {
        let judged = self.call("cloudfront", operation, input);
        assert_eq!(judged.code, None, "{operation} {input}");
        judged.output
    }
}

fn of_site(mut input: Value) -> Value {
    if input.get("Bucket").is_none() {
        input["Bucket"] = json!("site");
    }
    input
}

#[test]
fn objects_speak_as_the_model_has_it() {
    let court = Court::open();
    let put = court.s3(
        "PutObject",
        json!({
            "Key": "a b/é+&<>\n.html", "Body": "page", "CacheControl": "no-cache", "ContentType": "text/html; charset=utf-8",
            "ContentEncoding": "gzip", "ContentDisposition": "inline", "ContentLanguage": "de", "Metadata": { "sha256": "x" },
            "StorageClass": "STANDARD_IA", "WebsiteRedirectLocation": "/elsewhere", "ChecksumAlgorithm": "SHA256",
        }),
    );
    assert_eq!(put["ETag"], "\"71860c77c6745379b0d44304d66b6a13\"");
    for kms in [json!({}), json!({ "ServerSideEncryption": "aws:kms" })] {
        let mut input = json!({ "Key": "k", "Body": "page" });
        input
            .as_object_mut()
            .unwrap()
            .extend(kms.as_object().unwrap().clone());
        let md5 = court.s3("PutObject", input)["ETag"] == put["ETag"];
        assert_eq!(md5, kms == json!({}), "{kms}");
    }
    let head = court.s3(
        "HeadObject",
        json!({ "Key": "a b/é+&<>\n.html", "ChecksumMode": "ENABLED" }),
    );
    assert_eq!(head["Metadata"], json!({ "sha256": "x" }));
    assert_eq!(
        (&head["StorageClass"], &head["ContentLanguage"]),
        (&json!("STANDARD_IA"), &json!("de"))
    );
    assert_eq!(head["ChecksumSHA256"], put["ChecksumSHA256"]);
    let got = court.s3(
        "GetObject",
        json!({ "Key": "a b/é+&<>\n.html", "Range": "bytes=1-2" }),
    );
    assert_eq!(
        (&got["Body"], &got["ContentRange"]),
        (&json!("ag"), &json!("bytes 1-2/4"))
    );
    let copy = court.s3(
        "CopyObject",
        json!({
            "Key": "k", "CopySource": { "Bucket": "site", "Key": "a b/é+&<>\n.html" }, "MetadataDirective": "REPLACE",
            "CopySourceIfMatch": put["ETag"], "CacheControl": "max-age=1",
        }),
    );
    assert_eq!(copy["CopyObjectResult"]["ETag"], put["ETag"]);
    let listed = court.s3("ListObjectsV2", json!({ "FetchOwner": false }));
    let keys: Vec<&Value> = listed["Contents"]
        .as_array()
        .unwrap()
        .iter()
        .map(|object| &object["Key"])
        .collect();
    assert_eq!(keys, ["a b/é+&<>\n.html", "k"]);
    assert_eq!(listed["Contents"][0]["ChecksumAlgorithm"], json!(["SHA256"]));
    let rolled = court.s3("ListObjectsV2", json!({ "Delimiter": "/", "MaxKeys": 1 }));
    assert_eq!(
        (&rolled["CommonPrefixes"], &rolled["IsTruncated"]),
        (&json!([{ "Prefix": "a b/" }]), &json!(true))
    );
    let rest = json!({ "Delimiter": "/", "ContinuationToken": rolled["NextContinuationToken"] });
    assert_eq!(court.s3("ListObjectsV2", rest)["Contents"][0]["Key"], "k");
    court.s3("ListObjects", json!({ "Prefix": "k" }));
    assert_eq!(
        court.s3("GetBucketLocation", json!({}))["LocationConstraint"],
        "eu-central-1"
    );
    assert_eq!(court.s3("HeadBucket", json!({}))["BucketRegion"], "eu-central-1");
    court.call("s3", "ListBuckets", &json!({}));
    let new =
        json!({ "Bucket": "other", "CreateBucketConfiguration": { "LocationConstraint": "eu-central-1" } });
    court.s3("CreateBucket", new);
    court.hosting.fault("DeleteObjects k", Turn::Every, Fault::Denied);
    let batch = json!({ "Delete": { "Objects": [{ "Key": "k" }, { "Key": "a b/é+&<>\n.html" }, { "Key": "none" }] } });
    let deleted = court.s3("DeleteObjects", batch);
    assert_eq!(
        (&deleted["Errors"][0]["Code"], &deleted["Deleted"][1]["Key"]),
        (&json!("AccessDenied"), &json!("none"))
    );
    court.s3("DeleteObject", json!({ "Key": "k" }));
    assert_eq!(court.hosting.stock(|stock| stock.s3.keys("site")), [""; 0]);
}

#[test]
fn uploads_in_parts_speak_as_the_model_has_it() {
    let court = Court::open();
    let parts = [json!(["x", 5 * 1024 * 1024]), json!("rest")];
    for (algorithm, kind, length) in [
        ("SHA256", "COMPOSITE", 46),
        ("CRC32", "COMPOSITE", 10),
        ("CRC32", "FULL_OBJECT", 8),
    ] {
        let begun = court.s3(
            "CreateMultipartUpload",
            json!({ "Key": "k", "ChecksumAlgorithm": algorithm, "ChecksumType": kind, "ContentType": "video/mp4" }),
        );
        let mut named = Vec::new();
        for (index, body) in parts.iter().enumerate() {
            let number = index + 1;
            let part = court.s3(
                "UploadPart",
                json!({ "Key": "k", "UploadId": begun["UploadId"], "PartNumber": number, "Body": body, "ChecksumAlgorithm": algorithm }),
            );
            let sum = format!("Checksum{algorithm}");
            named.push(json!({ "PartNumber": number, "ETag": part["ETag"], sum.clone(): part[&sum] }));
        }
        court.s3("ListMultipartUploads", json!({}));
        court.s3("ListParts", json!({ "Key": "k", "UploadId": begun["UploadId"] }));
        let ended = court.s3(
            "CompleteMultipartUpload",
            json!({ "Key": "k", "UploadId": begun["UploadId"], "MultipartUpload": { "Parts": named } }),
        );
        assert_eq!(
            (
                &ended["ChecksumType"],
                ended[format!("Checksum{algorithm}")].as_str().unwrap().len()
            ),
            (&json!(kind), length)
        );
        let head = court.s3("HeadObject", json!({ "Key": "k", "ChecksumMode": "ENABLED" }));
        assert_eq!(head["ETag"], ended["ETag"]);
    }
}

#[test]
fn refusals_of_s3_are_read_by_their_codes() {
    let court = Court::open();
    court
        .hosting
        .stock(|stock| stock.s3.put("site", "k", Object::new("x")));
    for (operation, input, code) in [
        ("GetObject", json!({ "Key": "none" }), "NoSuchKey"),
        ("HeadObject", json!({ "Key": "none" }), "404"),
        ("ListObjectsV2", json!({ "Bucket": "none" }), "NoSuchBucket"),
        (
            "PutObject",
            json!({ "Key": "k", "IfNoneMatch": "*" }),
            "PreconditionFailed",
        ),
        (
            "PutObject",
            json!({ "Key": "none", "IfMatch": "\"x\"" }),
            "NoSuchKey",
        ),
        (
            "PutObject",
            json!({ "Key": "k", "ContentMD5": "XUFAKrxLKna5cZ2REBfFkg==" }),
            "BadDigest",
        ),
        (
            "PutObject",
            json!({ "Key": "k", "ACL": "public-read" }),
            "AccessControlListNotSupported",
        ),
        (
            "CopyObject",
            json!({ "Key": "k", "CopySource": "site/k" }),
            "InvalidRequest",
        ),
        (
            "AbortMultipartUpload",
            json!({ "Key": "k", "UploadId": "none" }),
            "NoSuchUpload",
        ),
    ] {
        assert_eq!(court.refused(operation, input), code);
    }
    for (fault, code) in [
        (Fault::Throttled, "SlowDown"),
        (Fault::Internal, "InternalError"),
        (Fault::Denied, "AccessDenied"),
        (
            Fault::Refused(
                Refusal::new("ConditionalRequestConflict", "A conflicting operation.").status(409),
            ),
            "ConditionalRequestConflict",
        ),
    ] {
        court.hosting.heal();
        court.hosting.fault("PutObject", Turn::Every, fault);
        assert_eq!(court.refused("PutObject", json!({ "Key": "k" })), code);
    }
    court
        .hosting
        .stock(|stock| stock.s3.create_in("far", "us-west-2"));
    let far = json!({ "Bucket": "far" });
    // botocore goes after the region that the first answer names.
    assert_eq!(court.s3("ListObjectsV2", far)["KeyCount"], 0);
}

#[test]
fn distributions_and_invalidations_speak_as_the_model_has_it() {
    let court = Court::open();
    let of = |more: Value| {
        let mut input = json!({ "DistributionId": court.distribution });
        input
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        input
    };
    let batch = |reference: &str, paths: &[&str]| {
        let paths = json!({ "Quantity": paths.len(), "Items": paths });
        of(json!({ "InvalidationBatch": { "CallerReference": reference, "Paths": paths } }))
    };
    let by_id = json!({ "Id": court.distribution });
    let shown = court.cloudfront("GetDistribution", &by_id);
    let config = court.cloudfront("GetDistributionConfig", &by_id);
    assert_eq!(
        config["DistributionConfig"],
        shown["Distribution"]["DistributionConfig"]
    );
    assert_eq!(
        config["DistributionConfig"]["CacheTagConfig"]["HeaderName"],
        "x-amz-meta-cache-tag"
    );
    let made = court.cloudfront("CreateInvalidation", &batch("1", &["/a&b", "/*", "#html"]));
    let id = made["Invalidation"]["Id"].clone();
    let one = of(json!({ "Id": id }));
    assert_eq!(
        court.cloudfront("GetInvalidation", &one)["Invalidation"]["Status"],
        "InProgress"
    );
    court.hosting.skip(Duration::from_secs(20));
    assert_eq!(
        court.cloudfront("GetInvalidation", &one)["Invalidation"]["Status"],
        "Completed"
    );
    court.cloudfront("CreateInvalidation", &batch("2", &["/"]));
    let page = court.cloudfront("ListInvalidations", &of(json!({ "MaxItems": "1" })));
    assert_eq!(page["InvalidationList"]["IsTruncated"], true);
    let marker = page["InvalidationList"]["NextMarker"].clone();
    let rest = court.cloudfront("ListInvalidations", &of(json!({ "Marker": marker })));
    assert_eq!(rest["InvalidationList"]["Items"][0]["Id"], id);
    court
        .hosting
        .stock(|stock| stock.cloudfront.fill(&court.distribution, 0, 15));
    for (input, code) in [
        (batch("3", &["/b*"]), "TooManyInvalidationsInProgress"),
        (batch("3", &["b"]), "InvalidArgument"),
        (
            json!({ "DistributionId": "E0", "InvalidationBatch": input_of(&batch("3", &["/b"])) }),
            "NoSuchDistribution",
        ),
    ] {
        assert_eq!(
            court
                .call("cloudfront", "CreateInvalidation", &input)
                .code
                .unwrap(),
            code
        );
    }
}

fn input_of(batch: &Value) -> Value {
    batch["InvalidationBatch"].clone()
}

#[test]
fn the_command_line_publishes_a_site_and_gets_it_back() {
    let (hosting, place) = (
        Hosting::open(Clock::compressed(60)).unwrap(),
        Place::new().unwrap(),
    );
    hosting.settings(|settings| settings.keep = 32 * 1024 * 1024);
    let id = hosting.stock(|stock| {
        stock.s3.put("site", "old.js", Object::new("old"));
        stock.cloudfront.add(Distribution::of("site").root("index.html"))
    });
    let aws = AwsCli::new(&place, hosting.environment()).unwrap();
    let (site, back) = (place.path().join("site"), place.path().join("back"));
    fs::create_dir_all(site.join("assets")).unwrap();
    fs::write(site.join("index.html"), "page").unwrap();
    fs::write(site.join("assets/a b+é.js"), "script").unwrap();
    // In parts, as it is above eight mebibytes.
    fs::write(site.join("assets/large.bin"), vec![7; 9 * 1024 * 1024]).unwrap();
    let sync = |from: &str, to: &str| {
        let words = ["s3", "sync", from, to, "--delete", "--only-show-errors"];
        assert_eq!(aws.run(&words).unwrap(), Value::Null);
    };
    sync(site.to_str().unwrap(), "s3://site");
    let keys = ["assets/a b+é.js", "assets/large.bin", "index.html"];
    assert_eq!(hosting.stock(|stock| stock.s3.keys("site")), keys);
    assert_eq!(hosting.visit(&id, "/").text(), "page");
    assert_eq!(hosting.calls("UploadPart").len(), 2);
    sync("s3://site", back.to_str().unwrap());
    for key in keys {
        assert_eq!(
            fs::read(back.join(key)).unwrap(),
            fs::read(site.join(key)).unwrap(),
            "{key}"
        );
    }
    let run = |line: &str| aws.run(&line.split(' ').collect::<Vec<_>>()).unwrap();
    let made = run(&format!(
        "cloudfront create-invalidation --distribution-id {id} --paths /index.html /a%20b"
    ));
    assert_eq!(made["Invalidation"]["InvalidationBatch"]["Paths"]["Quantity"], 2);
    let one = made["Invalidation"]["Id"].as_str().unwrap();
    hosting.skip(Duration::from_secs(20));
    run(&format!(
        "cloudfront wait invalidation-completed --distribution-id {id} --id {one}"
    ));
    let head = run("s3api head-object --bucket site --key index.html --checksum-mode ENABLED");
    assert_eq!(head["ContentType"], "text/html");
}
